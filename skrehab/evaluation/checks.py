"""What can be seen in the data before any model: names, recordings, durations, numbers."""

import numpy as np
from sklearn.metrics import roc_auc_score

from skrehab.datasets.overview import frame_rates
from skrehab.evaluation._kept_folds import content_key
from skrehab.evaluation.pairs import bca_interval
from skrehab.formats._names import same_key
from skrehab.metrics.motion import normal_number, not_labelled
from skrehab.trials.padding import describe_padding

__all__ = [
    "alike_patients",
    "duration_predicts",
    "duration_warning",
    "oddities",
    "same_recordings",
    "standardised_together",
]

MOST_SIZES = 8  # times another: nobody stands so much nearer to the camera, or is so much taller


def alike_patients(groups):
    """Find patients whose names differ only in case, blanks, dashes or the like.

    Unseen marks, leading zeros, and letters of other alphabets that look Latin are what is meant.

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
        by_key.setdefault(same_key(str(name)), []).append(name)
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


def _units(X):
    """Say what looks like millimetres among metres, or per cent among shares."""
    if not all(trial.ndim == 3 and trial.shape[2] >= 2 for trial in X):
        return []
    out, sizes = [], np.array([_size(trial[..., :2]) for trial in X])
    known = np.isfinite(sizes) & (sizes > 0)
    middle = np.median(sizes[known]) if known.any() else 1.0
    other = np.flatnonzero(known & ((sizes > MOST_SIZES * middle) | (sizes * MOST_SIZES < middle)))
    if len(other):
        out.append(
            f"Bodies have quite another size in {len(other)} of {len(X)} trials ({_few(other)}) "
            "than in the others: are they in other units, such as millimetres among metres?"
        )
    top = max(np.nanmax(trial[..., 3], initial=0.0) for trial in X) if X[0].shape[2] == 4 else 0.0
    if top > 1.01:
        out.append(
            f"The fourth coordinate, a score from 0 to 1, is up to {top:.3g}: are they per cent?"
        )
    return out


def _size(places):
    """Height and width of the body in a trial, together; NaN where nothing is seen."""
    seen = places[np.isfinite(places).all(axis=-1).sum(axis=1) > 1]
    if not len(seen):
        return np.nan
    return float(np.median(np.linalg.norm(np.nanmax(seen, 1) - np.nanmin(seen, 1), axis=-1)))


def _few(places):
    return ", ".join(str(place + 1) for place in places[:8]) + (", ..." if len(places) > 8 else "")


def oddities(data, normal_label=None):
    """Say what is odd about trials, before any model.

    Parameters
    ----------
    data : Bunch
        As loaders return it: ``X, y, groups`` and, where known, ``timestamps``, ``frame_rate``.
    normal_label : label, optional
        Label of trials without the motion; None is the smallest number, and words are not looked
        at.

    Returns
    -------
    list of str
        Sentences: patients or labels of near-equal names, one recording listed twice, coordinates
        scaled together, trials filled up to one length, exercises that are empty here and there,
        frame rates that differ, poses that are hardly seen or of another size, scores above 1, one
        label only, a duration that predicts the label.

    Raises
    ------
    ValueError
        If no trial has the normal label.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.utils import Bunch
    >>> from skrehab.evaluation.checks import oddities
    >>> X = [np.random.RandomState(i).randn(9, 5, 3) for i in range(4)]
    >>> groups = np.array(["P1", "P1", "p01", "p01"])
    >>> oddities(Bunch(X=X, y=np.array([0, 1, 0, 1]), groups=groups))
    ['Patients P1, p01 may be one person: their names differ only in case, blanks or zeros.']
    """
    X, y, groups = data["X"], np.asarray(data["y"]), np.asarray(data["groups"])
    if normal_label is not None and str(normal_label) not in (labels := np.unique(y).astype(str)):
        raise ValueError(
            f"The normal label {normal_label!r} is not among the labels {labels.tolist()}."
        )
    out = []
    for names in alike_patients(groups):
        out.append(
            f"Patients {', '.join(map(str, names))} may be one person: their names differ only in "
            "case, blanks or zeros."
        )
    for names in alike_patients(y) if y.dtype.kind in "USO" else ():
        out.append(
            f"Labels {', '.join(map(repr, map(str, names)))} may be one: they differ only in case, "
            "blanks or zeros, and each is a class of its own."
        )
    for places in same_recordings(X):
        who = ", ".join(dict.fromkeys(map(str, groups[list(places)])))
        listed = ", ".join(str(place + 1) for place in places)
        out.append(f"Trials {listed} are the very same recording (patient {who}).")
    if (what := standardised_together(X)) is not None:
        out.append(
            f"Coordinates have {what} over all trials: if they were scaled together, held-out "
            "patients were seen. Scale inside the pipeline (LandmarkScaler)."
        )
    if (exercise := data.get("exercise")) is not None:
        of = np.array([str(one).strip() for one in exercise])
        empty = np.flatnonzero(of == "")
        if 0 < len(empty) < len(of):
            out.append(
                f"The exercise of {len(empty)} trials is empty ({_few(empty)}), of others it is "
                "not: models that compare within an exercise refuse that. Fill it in, or leave the "
                "column empty."
            )
    if isinstance(X[0], np.ndarray) and (padding := describe_padding(X)) is not None:
        out.append(padding)
    rates = frame_rates(data.get("timestamps"))
    if rates and max(rates) > 1.1 * min(rates):
        out.append(
            f"Trials have {min(rates):.3g} to {max(rates):.3g} frames a second, and smoothing "
            "counts frames."
        )
    if isinstance(X[0], np.ndarray):
        seen = np.array([np.isfinite(trial).all(axis=(1, 2)).mean() for trial in X])
        hardly = np.flatnonzero(seen < 0.5)
        if len(hardly):
            out.append(
                f"Less than half of the frames are whole in {len(hardly)} trials ({_few(hardly)})."
            )
        out += _units(X)
    known = ~not_labelled(y)
    if normal_label is None and y.dtype.kind in "biuf":
        normal_label = normal_number(y[known])
    if normal_label is not None:
        motion = y.astype(str) != str(normal_label)
        one = [str(p) for p in np.unique(groups) if len(set(motion[known & (groups == p)])) == 1]
        if one and len(np.unique(y)) > 1:
            out.append(f"All trials have one label, so no score of their own: {', '.join(one)}.")
        if isinstance(X[0], np.ndarray):
            times = data.get("timestamps") or [None] * len(X)
            timed = all(t is not None and len(t) > 1 for t in times)
            duration = [t[-1] - t[0] for t in times] if timed else [len(trial) for trial in X]
            if text := duration_warning(np.array(duration)[known], motion[known], groups[known]):
                out.append(text)
    return out
