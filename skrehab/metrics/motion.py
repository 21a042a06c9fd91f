"""Which frames are the motion looked for: never a matter of the alphabet."""

from functools import partial

import numpy as np

from skrehab.trials import UNLABELLED

__all__ = [
    "motion_column",
    "motion_of",
    "motion_scores",
    "normal_number",
    "not_labelled",
    "with_all_labels",
]


def not_labelled(labels, classes=None):
    """Tell which trials have no label: those of -1, where that is not a class.

    Parameters
    ----------
    labels : array-like of shape (n_trials,)
        Trial labels.
    classes : array-like, optional
        What a model knows as classes. None goes by the labels: -1 is one of two classes where
        there is at most one other, as in -1 and 1.

    Returns
    -------
    ndarray of shape (n_trials,), dtype bool
        True where nothing is known.

    Examples
    --------
    >>> from skrehab.metrics.motion import not_labelled
    >>> not_labelled([0, 1, -1]), not_labelled([-1, 1, 1])
    (array([False, False,  True]), array([False, False, False]))
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iuf":
        return np.zeros(labels.shape, dtype=bool)
    none = labels == UNLABELLED
    known = np.unique(labels[~none]) if classes is None else np.asarray(classes)
    is_class = len(known) < 2 if classes is None else UNLABELLED in known.tolist()
    return np.zeros_like(none) if is_class else none


def normal_number(labels):
    """Tell which of some numbers means "no such motion": the smallest.

    Parameters
    ----------
    labels : array-like
        All labels that there are.

    Returns
    -------
    number
        The smallest; 0 where there is only one, which is above 0.

    Raises
    ------
    ValueError
        If labels are words, which have no order.

    Examples
    --------
    >>> from skrehab.metrics.motion import normal_number
    >>> normal_number([0, 1]), normal_number([1, 2]), normal_number([1])
    (0, 1, 0)
    """
    names = sorted(set(np.asarray(labels, dtype=object).tolist()), key=str)
    if any(isinstance(name, str | bytes) for name in names):
        raise ValueError(
            f"Which of {names} is the motion looked for? Text labels have no order: pass "
            "pos_label=..."
        )
    if len(names) < 2:
        return min([0, *names])
    return min(names)


def motion_of(truth, pos_label=None, labels=None, normal_label=None):
    """Tell which frames, or trials, are the motion looked for.

    Parameters
    ----------
    truth : ndarray of shape (n,)
        Labels.
    pos_label : label, optional
        The motion. None means every label but `normal_label`.
    labels : array-like, optional
        All labels that there are, where `truth` is only some of it.
    normal_label : label, optional
        What is not the motion. None means the smallest number, and is refused for words.

    Returns
    -------
    ndarray of shape (n,), dtype bool
        True where it is.

    Raises
    ------
    ValueError
        If labels are words and neither label is given, or what is given is none of the `labels`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.metrics.motion import motion_of
    >>> motion_of(np.array([0, 2, 1])), motion_of(np.array(["ok", "lean"]), "lean")
    (array([False,  True,  True]), array([False,  True]))
    """
    known = truth if labels is None else [*np.asarray(labels).tolist(), *np.asarray(truth).tolist()]
    if pos_label is None:
        if normal_label is None:
            normal_label = normal_number(known)
        elif normal_label not in np.asarray(known).tolist():
            names = sorted(set(np.asarray(known).tolist()), key=str)
            raise ValueError(f"normal_label={normal_label!r} is not among the labels {names}.")
        return np.asarray(truth != normal_label, dtype=bool)
    is_word = isinstance(pos_label, str | bytes)
    if any(isinstance(one, str | bytes) != is_word for one in np.asarray(known).tolist()):
        names = sorted(set(np.asarray(known).tolist()), key=str)
        raise ValueError(f"pos_label={pos_label!r} is not among the labels {names}.")
    return np.asarray(truth == pos_label, dtype=bool)


def motion_column(proba, pos_label, labels):
    """Take the probability of one label.

    Parameters
    ----------
    proba : ndarray of shape (n_frames,) or (n_frames, n_classes)
        Scores of the motion, which are returned as they are; or probabilities.
    pos_label : label
        The motion.
    labels : sequence
        What the columns are of.

    Returns
    -------
    ndarray of shape (n_frames,)
        Scores; zeros where no column is of the label.

    Raises
    ------
    ValueError
        If there are other than as many columns as labels.
    """
    if proba.ndim == 1:
        return proba
    names = list(labels)
    if proba.shape[1] != len(names):
        raise ValueError(
            f"Scores have {proba.shape[1]} columns, and there are {len(names)} labels, {names}: "
            "pass labels=, that of each column (classes_), or the scores of the motion alone."
        )
    return proba[:, names.index(pos_label)] if pos_label in names else np.zeros(len(proba))


def with_all_labels(metric, y_true):
    """Tell a metric of frames all labels that there are, before it sees those of one patient.

    Parameters
    ----------
    metric : callable
        Perhaps one of frames, or a partial of one.
    y_true : list of array-like
        All labels.

    Returns
    -------
    callable
        The metric, which knows them where it is one that asks.
    """
    from skrehab.metrics.frames import frame_f1, frame_roc_auc, labels_of

    inner, given = metric, {}
    while isinstance(inner, partial):
        given = inner.keywords | given
        inner = inner.func
    if inner not in (frame_roc_auc, frame_f1) or given.get("labels") is not None:
        return metric
    return partial(metric, labels=labels_of(y_true))


def motion_scores(proba, several):
    """Probability of the motion looked for, of whatever kind.

    Parameters
    ----------
    proba : ndarray of shape (n_frames, n_classes)
        What a model says of frames.
    several : bool
        Whether the columns are labels, of which a frame may have several, instead of classes.

    Returns
    -------
    ndarray of shape (n_frames,)
        That of any class but the first, or that of the likeliest label.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.metrics.motion import motion_scores
    >>> proba = np.array([[0.25, 0.75]])
    >>> motion_scores(proba, False), motion_scores(proba, True)
    (array([0.75]), array([0.75]))
    """
    return proba.max(axis=1) if several else 1 - proba[:, 0]
