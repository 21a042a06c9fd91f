"""Scores of frames against frame truth, and frame scores pooled to one score a trial."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import f1_score, roc_auc_score

from skrehab._given import filled
from skrehab.metrics.motion import motion_column, motion_of
from skrehab.trials import check_frame_labels, labelled, ragged

__all__ = ["frame_f1", "frame_roc_auc", "pool_frames", "positive_scores"]


def refuse_probabilities(predicted):
    """Refuse fractions where labels are needed: any but 0 would count as the motion."""
    predicted = np.asarray(predicted)
    if predicted.dtype.kind == "f":
        parts = predicted[np.isfinite(predicted) & (predicted != np.round(predicted))]
        if len(parts):
            raise ValueError(
                f"frame_predictions holds {parts[0]:.3g}, which is a probability and no label. "
                "Take what predict says in place of predict_proba, or compare with a threshold."
            )


# --- frames ---------------------------------------------------------------------------------------
def labelled_frames(frame_labels, frame_values):
    """Join the labelled frames of all trials."""
    values = [filled(v) for v in frame_values]
    truth = check_frame_labels(frame_labels, values)
    use = [labelled(t) for t in truth]
    return (
        np.concatenate([t[m] for t, m in zip(truth, use)]),
        np.concatenate([v[m] for v, m in zip(values, use)]),
    )


def labels_of(frame_labels):
    """List the labels of frames that occur, sorted, without those not labelled.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i,)
        Labels of each trial's frames.

    Returns
    -------
    ndarray
        Each label once.

    Examples
    --------
    >>> from skrehab.metrics.frames import labels_of
    >>> labels_of([[0, 1, -1], [2]])
    array([0, 1, 2])
    """
    items = [filled(one) for one in frame_labels]
    truth = check_frame_labels(frame_labels, items)
    known = [one[labelled(one)] for one in truth]
    return np.unique(np.concatenate(known)) if known else np.array([])


def positive_scores(frame_proba):
    """Compute the probability of every frame that it is of any class but the first.

    The first class is the normal one: labels are numbers, and 0 means no such motion.

    Parameters
    ----------
    frame_proba : sequence of array-like of shape (n_frames_i,) or (n_frames_i, n_classes)
        Scores or probabilities.

    Returns
    -------
    ndarray of shape (n_trials,), dtype object
        One array ``(n_frames_i,)`` per trial; zeros where only one class was ever seen.
    """
    arrays = (filled(p) for p in frame_proba)
    return ragged(
        a if a.ndim == 1 else (a[:, 1:].sum(axis=1) if a.shape[1] > 1 else np.zeros(len(a)))
        for a in arrays
    )


def area_under_curve(truth, score, what, labels=None):
    if len(np.unique(truth)) < 2:
        only = np.unique(truth if labels is None else labels).tolist()
        named = ", ".join(map(repr, only)) or "nothing"
        warnings.warn(
            f"ROC AUC is not defined for {what}: only {named} among the labels. The score is nan.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
        return np.nan
    return float(roc_auc_score(truth, score))


def frame_roc_auc(frame_labels, frame_scores, *, pos_label=None, labels=None):
    """Compute the area under the ROC curve over all labelled frames: the motion against the rest.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i,)
        True labels of each trial's frames; ``-1`` is left out.
    frame_scores : sequence of array-like of shape (n_frames_i,) or (n_frames_i, n_classes)
        Scores of the motion, or probabilities as from ``predict_proba``.
    pos_label : label, optional
        The motion looked for. None means every number but the smallest, which stands for "no such
        motion"; words have no order, so it must be given for them.
    labels : array-like of shape (n_classes,), optional
        All labels that there are, in the order of the columns; None means those that occur, sorted.

    Returns
    -------
    float
        The area; nan with a warning if there is only one class.

    Raises
    ------
    ValueError
        If labels are words and `pos_label` is missing, or columns cannot be told apart.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, Table IV.

    Examples
    --------
    >>> from skrehab.metrics import frame_roc_auc
    >>> frame_roc_auc([[0, 0, 1], [0, -1]], [[0.1, 0.3, 0.8], [0.2, 0.9]])
    1.0
    """
    scores = [filled(one) for one in frame_scores]
    if pos_label is None:
        scores = positive_scores(scores)
    elif any(one.ndim == 2 for one in scores):
        columns = labels_of(frame_labels) if labels is None else labels
        if labels is None and len(columns) == 1:  # nothing to tell the columns by, or to rank
            scores = [np.zeros(len(one)) for one in scores]
        else:
            scores = [motion_column(one, pos_label, np.asarray(columns).tolist()) for one in scores]
    truth, scores = labelled_frames(frame_labels, scores)
    motion = motion_of(truth, pos_label, labels) if len(truth) else truth
    return area_under_curve(motion, scores, "these trials", labels=truth)


def frame_f1(frame_labels, frame_predictions, *, average="binary", pos_label=None, labels=None):
    """Compute the F1 score over all labelled frames.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i,)
        True labels; ``-1`` is left out.
    frame_predictions : sequence of array-like of shape (n_frames_i,)
        Predicted labels.
    average : str, default="binary"
        As in :func:`sklearn.metrics.f1_score`; ``"binary"`` is the motion against the rest.
    pos_label, labels
        What the motion is; see :func:`frame_roc_auc`.

    Returns
    -------
    float
        The score; 0 if nothing is predicted positive.

    Raises
    ------
    ValueError
        If labels are words, `average` is binary and `pos_label` is missing; or if probabilities are
        given in place of labels.

    Examples
    --------
    >>> from skrehab.metrics import frame_f1
    >>> frame_f1([[0, 1, 1, -1]], [[0, 1, 0, 1]])
    0.6666666666666666
    """
    truth, predicted = labelled_frames(frame_labels, frame_predictions)
    refuse_probabilities(predicted)
    if average == "binary":
        both = np.concatenate([truth.astype(object), np.asarray(predicted).astype(object)])
        motion = motion_of(both, pos_label, labels) if len(both) else both.astype(bool)
        truth, predicted = np.split(motion, [len(truth)])
    return float(f1_score(truth, predicted, average=average, zero_division=0))


# --- segments -------------------------------------------------------------------------------------


# --- trials ---------------------------------------------------------------------------------------
def pool_frames(frame_proba, share=0.1):
    """Turn frame scores into one score a trial: the mean of the highest ones.

    Parameters
    ----------
    frame_proba : sequence of array-like of shape (n_frames_i,) or (n_frames_i, n_classes)
        Frame scores or probabilities.
    share : float, default=0.1
        Share of the frames, at least one, that is averaged.

    Returns
    -------
    ndarray of shape (n_trials,)
        Trial scores.

    Examples
    --------
    >>> from skrehab.metrics import pool_frames
    >>> pool_frames([[0.1, 0.9, 0.3, 0.1]], share=0.5)
    array([0.6])
    """
    return np.array(
        [
            np.sort(scores)[-max(1, round(share * len(scores))) :].mean()
            for scores in positive_scores(frame_proba)
        ]
    )


# --- patients -------------------------------------------------------------------------------------
