"""Folds by patient inside the training trials, for labels that a model makes of its own trials."""

from numbers import Integral

import numpy as np
from sklearn.model_selection import GroupKFold

from skrehab.trials import check_groups, labelled

__all__ = ["as_splitter", "patient_folds", "take_trials"]


def as_splitter(cv):
    """Turn a number of folds into a splitter by patient.

    Parameters
    ----------
    cv : int or splitter
        Folds, or anything with ``split``.

    Returns
    -------
    splitter
        ``GroupKFold(cv)`` for a number, else `cv`.

    Examples
    --------
    >>> from skrehab.pseudo_labels import as_splitter
    >>> as_splitter(3).get_n_splits()
    3
    """
    return GroupKFold(int(cv)) if isinstance(cv, Integral) else cv


def patient_folds(cv, X, y, groups, **split_params):
    """Split training trials into folds that between them hold out every trial once.

    Parameters
    ----------
    cv : int or splitter
        See :func:`as_splitter`.
    X : list of ndarray
        Trials.
    y : ndarray of shape (n_trials,)
        Their labels, -1 where there is none.
    groups : array-like of shape (n_trials,) or None
        Patients.
    **split_params : dict
        More for the splitter's ``split``.

    Returns
    -------
    list of (ndarray, ndarray)
        Places of the trials to learn from, and of those held out.

    Raises
    ------
    ValueError
        If there are no patients or fewer than folds, a patient is on both sides of a fold, a trial
        is not held out just once, or the trials to learn from lack a class.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import patient_folds
    >>> X, y = [np.zeros((3, 2, 3))] * 6, np.array([0, 1] * 3)
    >>> [held_out.tolist() for _, held_out in patient_folds(3, X, y, list("aabbcc"))]
    [[4, 5], [2, 3], [0, 1]]
    """
    groups = check_groups(groups, X)
    if groups is None:
        raise ValueError(
            f"cv={cv!r} keeps patients together, so it needs groups: pass groups=... to fit, or in "
            "a Pipeline of imbalanced-learn enable metadata routing, without which a resampler is "
            "handed nothing."
        )
    n_patients = len(np.unique(groups))
    n_folds = cv if isinstance(cv, Integral) else 2
    if n_patients < n_folds:
        raise ValueError(
            f"cv={cv!r} needs at least {n_folds} training patients, got {n_patients}: "
            f"{np.unique(groups).tolist()}."
        )
    folds = list(as_splitter(cv).split(X, y, groups=groups, **split_params))
    times = np.zeros(len(X), dtype=int)
    for i, (train, held_out) in enumerate(folds):
        times[held_out] += 1
        both = np.intersect1d(groups[train], groups[held_out])
        if len(both):
            raise ValueError(
                f"Fold {i} of cv={cv!r} has patient {both.tolist()[0]!r} on both sides. Use a "
                "splitter by group, such as GroupKFold or LeaveOneGroupOut."
            )
        known = labelled(y)  # a trial labelled -1 teaches no class
        missing = np.setdiff1d(y[known], y[train][known[train]])
        if len(missing):
            raise ValueError(
                f"Without patients {np.unique(groups[held_out]).tolist()} (fold {i} of cv={cv!r}) "
                f"no training trial has the label {missing.tolist()[0]!r}. Take more folds, so "
                "that fewer patients are held out together, or cv=None."
            )
    if (times != 1).any():
        raise ValueError(
            f"cv={cv!r} must hold out every trial once; trial {int(np.argmax(times != 1))} is held "
            f"out {int(times[np.argmax(times != 1)])} times."
        )
    return folds


def take_trials(value, places, n_trials):
    """Take the entries of some trials, of a parameter of fit that has one for each.

    Parameters
    ----------
    value : object
        What was given to fit; left as it is unless it has an entry a trial.
    places : ndarray
        Which trials.
    n_trials : int
        How many there are.

    Returns
    -------
    object
        Entries of these trials.

    Examples
    --------
    >>> from skrehab.pseudo_labels import take_trials
    >>> take_trials(["a", "b", "c"], [2, 0], 3), take_trials(None, [2, 0], 3)
    (['c', 'a'], None)
    """
    if value is None or np.ndim(value) == 0 or len(value) != n_trials:
        return value
    if isinstance(value, list):
        return [value[i] for i in places]
    return np.asarray(value)[places]
