"""What early stopping holds out: whole patients, or trials."""

import math
import warnings

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

__all__ = ["held_out_patients", "validation_split"]


def held_out_patients(groups, held_out, how):
    """Name the patients that early stopping held out as a whole.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,) or None
        Patients.
    held_out : ndarray of int or None
        Indices, as from :func:`validation_split`.
    how : {"patient", "trial"} or bool
        As given to :func:`validation_split`.

    Returns
    -------
    ndarray or None
        Patients; None where trials are held out, or nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.validation import held_out_patients
    >>> patients = np.array(["A", "A", "B"])
    >>> held_out_patients(patients, [0, 1], "patient").tolist()
    ['A']
    >>> held_out_patients(patients, [0], "trial") is None
    True
    """
    if held_out is None or how == "trial":
        return None
    return np.unique(groups[held_out])


def validation_split(y, groups, how, fraction, random_state, *, labels=None):
    """Choose the samples held out for early stopping.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class of each sample, to keep the classes in proportion.
    groups : ndarray of shape (n_samples,) or None
        Patients.
    how : {"patient", "trial"} or bool
        Hold out whole patients, or trials; True means ``"patient"``, False nothing.
    fraction : float
        Share to hold out, about; of patients at most one half.
    random_state : numpy.random.RandomState
        Source of randomness.
    labels : sequence of label or of array-like of labels, optional
        What is learned from each sample. The training side keeps one of each if it can, and a
        warning names those that it lacks. None takes `y`, and does not warn.

    Returns
    -------
    train, validation : ndarray of int
        Indices; `validation` is None where nothing is held out.

    Raises
    ------
    ValueError
        If patients are to be held out but `groups` is missing or names fewer than two, or more than
        half of them are asked for.

    Warns
    -----
    UserWarning
        If a label stands on the held-out side only: it will not be learned.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.validation import validation_split
    >>> y, patients = np.array([0, 1, 0, 1]), np.array(["A", "A", "B", "B"])
    >>> train, held_out = validation_split(y, patients, True, 0.5, np.random.RandomState(0))
    >>> set(patients[train]) & set(patients[held_out])
    set()
    """
    if not how:
        return np.arange(len(y)), None
    if how == "trial":
        inside, held_out = _split_trials(y, fraction, random_state)
    else:
        what = y if labels is None else labels
        inside, held_out = _split_patients(y, groups, fraction, random_state, what)
    if labels is not None:
        missing = np.setdiff1d(_distinct(labels, held_out), _distinct(labels, inside)).tolist()
        if missing:
            warnings.warn(
                f"Early stopping holds out every sample labelled {missing}: what is left to train "
                "on cannot teach that. Give more patients or trials, or early_stopping=False.",
                stacklevel=2,
            )
    return inside, held_out


def _distinct(labels, index):
    """Find the labels that some samples have, one each or several."""
    return np.unique(np.concatenate([np.atleast_1d(labels[i]) for i in index]))


def _split_trials(y, fraction, random_state):
    # stratification needs two of each class
    counts = np.unique(y, return_counts=True)[1]
    strata = y if counts.min() > 1 else np.zeros(len(y))
    n_held_out = max(math.ceil(fraction * len(y)), len(np.unique(strata)))
    splitter = StratifiedShuffleSplit(1, test_size=n_held_out, random_state=random_state)
    return next(splitter.split(strata, strata))


def _split_patients(y, groups, fraction, random_state, labels):
    if groups is None:
        raise ValueError(
            "early_stopping by patient needs groups, one patient per trial: pass "
            "fit(X, y, groups=patients), or early_stopping='trial' to hold out trials of the same "
            "patients (optimistic), or early_stopping=False. A Pipeline passes groups on only "
            "with sklearn.set_config(enable_metadata_routing=True)."
        )
    n_patients = len(np.unique(groups))
    if n_patients < 2:
        raise ValueError(
            f"early_stopping by patient needs at least 2 patients, got {n_patients}: "
            f"{np.unique(groups).tolist()}."
        )
    if fraction > 0.5:
        raise ValueError(
            f"validation_fraction must be at most 0.5 where patients are held out, got {fraction}: "
            "fewer would be left to train on than to stop by."
        )
    n_splits = int(np.clip(round(1 / fraction), 2, n_patients))
    # with fewer trials of every class than parts it refuses: then patients only are divided
    strata = y if np.unique(y, return_counts=True)[1].max() >= n_splits else np.zeros(len(y))
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=random_state)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = list(splitter.split(strata, strata, groups))
    # prefer a split that leaves every label on both sides, or else to train on: what is not trained
    # on is never learned. Which of those, the seed decides
    splits = [splits[i] for i in random_state.permutation(n_splits)]
    return max(splits, key=lambda split: tuple(len(_distinct(labels, side)) for side in split))
