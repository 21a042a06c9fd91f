"""What can be seen in the data before any model: names, recordings, durations, numbers."""

import numpy as np
from sklearn.metrics import roc_auc_score

from skrehab.evaluation._kept_folds import content_key
from skrehab.evaluation.pairs import bca_interval
from skrehab.formats._names import alike_key

__all__ = [
    "alike_patients",
    "duration_predicts",
    "duration_warning",
    "same_recordings",
    "standardised_together",
]


def alike_patients(groups):
    """Find patients whose names differ only in case, blanks, unseen marks or leading zeros.

    Parameters
    ----------
    groups : array-like of shape (n_trials,)
        Patients.

    Returns
    -------
    list of list of str
        Names that may be one person.

    Examples
    --------
    >>> from skrehab.evaluation.checks import alike_patients
    >>> alike_patients(["P01", "p1", "P02"])
    [['P01', 'p1']]
    """
    by_key = {}
    for name in dict.fromkeys(np.asarray(groups).tolist()):
        by_key.setdefault(alike_key(str(name)), []).append(name)
    return [names for names in by_key.values() if len(names) > 1]


def same_recordings(X):
    """Find trials that are the very same recording, by content.

    Parameters
    ----------
    X : list of ndarray or of paths
        Trials. One in which nothing moves is no recording to tell from others, and is left out.

    Returns
    -------
    list of tuple of int
        Places of trials that are the same.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.evaluation.checks import same_recordings
    >>> trial = np.arange(12.0).reshape(4, 1, 3)
    >>> same_recordings([trial, trial + 1, trial.copy()])
    [(0, 2)]
    """
    by_key = {}
    for i, trial in enumerate(X):
        if isinstance(trial, np.ndarray) and trial.dtype.kind == "f":
            if len(trial) < 2 or not (trial[1:] != trial[:-1]).any():
                continue
        by_key.setdefault(content_key(trial), []).append(i)
    return [tuple(places) for places in by_key.values() if len(places) > 1]


def duration_predicts(duration, motion, groups):
    """Score trials by their duration alone, which is no movement.

    Parameters
    ----------
    duration : array-like of shape (n_trials,)
        Seconds or frames.
    motion : array-like of shape (n_trials,), bool
        Whether a trial is labelled with the motion looked for.
    groups : array-like of shape (n_trials,)
        Patients.

    Returns
    -------
    ndarray of shape (n_patients,)
        Area under the ROC curve of each patient: 0.5 if longer trials are labelled no more often
        than shorter ones; nan for patients with one label.

    Examples
    --------
    >>> from skrehab.evaluation.checks import duration_predicts
    >>> duration_predicts([3, 9, 2, 8], [0, 1, 0, 1], ["A", "A", "B", "B"])
    array([1., 1.])
    """
    duration, motion = np.asarray(duration, dtype=float), np.asarray(motion, dtype=bool)
    groups = np.asarray(groups)
    found = []
    for patient in np.unique(groups):
        own = (groups == patient) & np.isfinite(duration)
        both = 0 < motion[own].sum() < own.sum()
        found.append(roc_auc_score(motion[own], duration[own]) if both else np.nan)
    return np.array(found)


def duration_warning(duration, motion, groups):
    """Say that trial labels follow the duration, where they do.

    Parameters
    ----------
    duration, motion, groups
        As of :func:`duration_predicts`.

    Returns
    -------
    str or None
        A sentence where the mean over patients is 0.7 or more, or 0.3 or less, and surely so: the
        95 % interval of the mean is beyond 0.6 or 0.4.

    Examples
    --------
    >>> from skrehab.evaluation.checks import duration_warning
    >>> duration_warning([3, 9, 2, 8], [0, 1, 0, 1], ["A", "A", "B", "B"])
    'The duration alone predicts the label: trials with the motion are longer (AUC 1.00 ...
    """
    by_patient = duration_predicts(duration, motion, groups)
    known = by_patient[~np.isnan(by_patient)]
    if len(known) < 2:
        return None
    longer = known.mean() > 0.5
    strength = known if longer else 1 - known
    if strength.mean() < 0.7 or bca_interval(strength)[0] < 0.6:
        return None
    return (
        f"The duration alone predicts the label: trials with the motion are "
        f"{'longer' if longer else 'shorter'} (AUC {strength.mean():.2f} within patients). Compare "
        "with the row of the duration."
    )


def standardised_together(X, tolerance=1e-3):
    """Tell whether coordinates look as if scaled over all trials, held-out patients included.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.
    tolerance : float, default=1e-3
        How near mean 0 and standard deviation 1, or minimum 0 and maximum 1, must be.

    Returns
    -------
    str or None
        What was found.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.evaluation.checks import standardised_together
    >>> X = [np.random.RandomState(i).randn(50, 2, 3) for i in range(4)]
    >>> every = np.concatenate(X)
    >>> standardised_together([(trial - every.mean(0)) / every.std(0) for trial in X])
    'mean 0 and standard deviation 1'
    >>> standardised_together(X) is None
    True
    """
    if not all(isinstance(trial, np.ndarray) and trial.ndim == 3 for trial in X):
        return None
    frames = np.concatenate([trial.reshape(len(trial), -1) for trial in X]).astype(float)
    if len(frames) < 2:
        return None
    moves = np.nanstd(frames, axis=0) > 0
    if moves.sum() < 2:
        return None
    frames = frames[:, moves]
    near = {
        "mean 0 and standard deviation 1": (np.nanmean(frames, axis=0), np.nanstd(frames, axis=0)),
        "minimum 0 and maximum 1": (np.nanmin(frames, axis=0), np.nanmax(frames, axis=0)),
    }
    for what, (zero, one) in near.items():
        if np.abs(zero).max() < tolerance and np.abs(one - 1).max() < tolerance:
            return what
    return None
