"""What is known of training trials: one label each, nothing, or the truth of their frames."""

from dataclasses import dataclass

import numpy as np

from skrehab._given import column_of, in_order, is_missing
from skrehab.trials import UNLABELLED, check_frame_labels, check_trial_labels, labelled

__all__ = ["TrialLabels", "check_partial_labels"]


@dataclass(frozen=True)
class TrialLabels:
    """Labels of trials as numbers.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, of trials and of frames whose truth is known.
    normal : int
        Which of them means "no such motion".
    codes : ndarray of shape (n_trials,)
        Each trial's label as its position in `classes`; -1 where it is not known.
    frames : list of (ndarray of shape (n_frames_i,) or None)
        True frame labels of the trials that have them.
    """

    classes: np.ndarray
    normal: int
    codes: np.ndarray
    frames: list


def check_partial_labels(y, X, normal_label=None):
    """Validate trial labels, some of which may be missing or be labels of frames.

    Parameters
    ----------
    y : sequence of length n_trials
        For each trial one label; or the number -1, if nothing is known of it; or, for some, an
        array of frame labels ``(n_frames_i,)`` with -1 where a frame has none. A trial of the last
        kind counts as of the class that most of its frames have besides the normal one; as normal
        if all its frames are known to be; else as not labelled.
    X : sequence of ndarray of shape (n_frames_i, ...)
        The trials.
    normal_label : label, optional
        Label of "no such motion"; None means the smallest number.

    Returns
    -------
    TrialLabels
        The labels as numbers.

    Raises
    ------
    ValueError
        If there is not one entry a trial, one is missing or has another shape, no trial has a
        label, all have one class while some are -1, a word is "-1", or the normal label is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import check_partial_labels
    >>> X = [np.zeros((3, 33, 3))] * 4
    >>> labels = check_partial_labels([0, 1, -1, np.array([0, 1, -1])], X)
    >>> labels.codes, labels.frames[3]
    (array([ 0,  1, -1,  1]), array([ 0,  1, -1]))
    """
    y, X = in_order(column_of(y, "y")), in_order(X)
    has_frames = [] if y is None else [np.ndim(item) > 0 for item in y]
    if all(has_frames) or len(y) != len(X):  # nothing, or labels of frames only
        y = check_trial_labels(y, X)
        has_frames = [False] * len(y)
    # the place of frame labels and of -1 is held by a label, so that errors name the right trial
    other = [inner or _is_unlabelled(item) for inner, item in zip(has_frames, y)]
    holder = next((item for left_out, item in zip(other, y) if not left_out), 0)
    check_trial_labels([holder if left_out else item for left_out, item in zip(other, y)], X)
    frames = [_frames(y, X, i) if inner else None for i, inner in enumerate(has_frames)]
    known = np.array(
        [not inner and not _is_unlabelled(item) for inner, item in zip(has_frames, y)], dtype=bool
    )
    if not known.any():
        raise ValueError(
            "y holds no trial label: some trials need one, other than -1 ('not labelled')."
        )
    plain = isinstance(y, np.ndarray) and y.dtype != object
    trial_labels = y[known] if plain else np.asarray([y[i] for i in np.flatnonzero(known)])
    classes = np.unique(trial_labels)
    of_frames = [one[labelled(one)] for one in frames if one is not None]
    if of_frames:
        classes = np.unique(np.concatenate([classes, *of_frames]).tolist())
    missing = [not inner and _is_unlabelled(item) for inner, item in zip(has_frames, y)]
    if str(UNLABELLED) in classes.tolist() or (any(missing) and len(classes) < 2):
        raise ValueError(
            f"A trial label is {UNLABELLED}, which means 'not labelled', and the others are "
            f"{[c for c in classes.tolist() if c != str(UNLABELLED)]}. If it stands for a class, "
            "give that class another name."
        )
    normal = _normal(classes, normal_label)
    codes = np.full(len(X), UNLABELLED)
    codes[known] = np.searchsorted(classes, trial_labels)
    for i, one in enumerate(frames):
        if one is not None:
            codes[i] = _code(one, classes, normal)
    return TrialLabels(classes, normal, codes, frames)


def _is_unlabelled(item):
    return not isinstance(item, str | bytes) and not is_missing(item) and bool(item == UNLABELLED)


def _frames(y, X, i):
    """Check one trial's frame labels, and call it by its number."""
    try:
        return check_frame_labels([y[i]], [X[i]])[0]
    except ValueError as error:
        raise ValueError(str(error).replace("y[0]", f"y[{i}]")) from None


def _code(frames, classes, normal):
    """Class of a trial, by its frames."""
    known = labelled(frames)
    codes = np.searchsorted(classes, frames[known].astype(classes.dtype))
    positive = codes[codes != normal]
    if len(positive):
        return np.bincount(positive).argmax()
    return normal if known.all() else UNLABELLED


def _normal(classes, label):
    if label is not None:
        if label not in classes:
            raise ValueError(f"normal_label={label!r} is not among the labels {classes.tolist()}.")
        return classes.tolist().index(label)
    if classes.dtype.kind not in "biuf":
        raise ValueError(
            "normal_label is needed with text labels: say which of "
            f"{classes.tolist()} means 'no such motion'."
        )
    return 0
