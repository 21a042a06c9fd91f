"""Segments: stretches of frames of one label, and how well they are found."""

import numpy as np

from skrehab._given import array_of, filled
from skrehab.metrics.frames import refuse_probabilities
from skrehab.trials import check_frame_labels, labelled

__all__ = ["segment_precision_recall", "segments"]


def segments(frame_labels, positive=1):
    """Find the runs of positive frames.

    Parameters
    ----------
    frame_labels : array-like of shape (n_frames,)
        Labels of one trial.
    positive : label, default=1
        The label looked for.

    Returns
    -------
    list of (int, int)
        Start and stop (not included) of each run, in frames.

    Examples
    --------
    >>> from skrehab.metrics import segments
    >>> segments([0, 1, 1, 0, 1])
    [(1, 3), (4, 5)]
    """
    hit = np.concatenate(
        [[False], np.ma.filled(array_of(frame_labels) == positive, False), [False]]
    )
    edges = np.flatnonzero(hit[1:] != hit[:-1])
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2])]


def segment_precision_recall(frame_labels, frame_predictions, *, min_overlap=0.5, positive=1):
    """Compute precision and recall of whole segments, matched by overlap.

    A predicted segment is right if it overlaps a true one, not matched before, with an
    intersection over union of at least `min_overlap`; pairs of largest overlap are matched first.
    Frames without a true label are left out, and segments end there.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i,)
        True labels; ``-1`` is left out.
    frame_predictions : sequence of array-like of shape (n_frames_i,)
        Predicted labels.
    min_overlap : float, default=0.5
        Smallest intersection over union that counts.
    positive : label, default=1
        The label whose segments are scored.

    Returns
    -------
    precision, recall : float
        nan if nothing was predicted, or nothing was there.

    Raises
    ------
    ValueError
        If there are not as many labels as predictions, or these are probabilities.

    Examples
    --------
    >>> from skrehab.metrics import segment_precision_recall
    >>> segment_precision_recall([[0, 1, 1, 1, 0, 0]], [[0, 1, 1, 0, 0, 1]])
    (0.5, 1.0)
    """
    n_true = n_predicted = n_matched = 0
    for truth, predicted in _labelled_stretches(frame_labels, frame_predictions):
        refuse_probabilities(predicted)
        truth, predicted = segments(truth, positive), segments(predicted, positive)
        n_true, n_predicted = n_true + len(truth), n_predicted + len(predicted)
        overlaps = sorted(
            ((_iou(t, p), i, j) for i, t in enumerate(truth) for j, p in enumerate(predicted)),
            reverse=True,
        )
        used_true, used_predicted = set(), set()
        for overlap, i, j in overlaps:
            if overlap >= min_overlap and i not in used_true and j not in used_predicted:
                used_true.add(i)
                used_predicted.add(j)
        n_matched += len(used_true)
    return (
        n_matched / n_predicted if n_predicted else np.nan,
        n_matched / n_true if n_true else np.nan,
    )


def _labelled_stretches(frame_labels, frame_values):
    """Yield labels and values of every run of labelled frames."""
    values = [filled(v) for v in frame_values]
    for truth, value in zip(check_frame_labels(frame_labels, values), values):
        for start, stop in segments(labelled(truth), positive=True):
            yield truth[start:stop], value[start:stop]


def _iou(a, b):
    common = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return common / (a[1] - a[0] + b[1] - b[0] - common)
