"""Probabilities of frames, as labels to learn from: of logits, or of saliency scores."""

import numpy as np

from skrehab.saliency.scores import min_max
from skrehab.trials import UNLABELLED

__all__ = ["soft_from_logits", "soft_from_scores"]


def soft_from_logits(logits, code, normal=0):
    """Turn one trial's frame logits into soft labels.

    What the trial's label says is kept: a frame may be normal or of the trial's own class, nothing
    else, and in a normal trial it is normal.

    Parameters
    ----------
    logits : ndarray of shape (n_frames, n_classes)
        Logits of each class, up to a number a frame.
    code : int
        The trial's class, a column; -1 if it is not known, and then every class may be.
    normal : int, default=0
        Column of the normal class.

    Returns
    -------
    ndarray of shape (n_frames, n_classes), dtype float32
        Softmax over the classes that may be, which for two is the sigmoid of their difference.

    References
    ----------
    Gao et al. 2020, arXiv:2006.03732: a network that sees whole trials, taught by one label each,
    teaches one that sees the past only.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import soft_from_logits
    >>> logits = np.log([[0.25, 0.75], [0.5, 0.5]])
    >>> soft_from_logits(logits, 1)
    array([[0.25, 0.75],
           [0.5 , 0.5 ]], dtype=float32)
    >>> soft_from_logits(logits, 0)
    array([[1., 0.],
           [1., 0.]], dtype=float32)
    """
    columns = np.arange(logits.shape[1])
    possible = np.ones(len(columns), dtype=bool)
    if code != UNLABELLED:
        possible = (columns == code) | (columns == normal)
    values = np.where(possible, logits, -np.inf)
    exp = np.exp(values - values.max(axis=1, keepdims=True))
    return (exp / exp.sum(axis=1, keepdims=True)).astype(np.float32)


def soft_from_scores(scores, code, normal=0, n_classes=2):
    """Turn one trial's saliency scores into soft labels.

    The calibration is plain, and ours: scores are scaled so that the trial's lowest means 0 and its
    highest 1, since a saliency says which frames stand out in a trial and not how sure it is.

    Parameters
    ----------
    scores : ndarray of shape (n_frames,)
        Scores on any scale.
    code : int
        The trial's class, a column.
    normal : int, default=0
        Column of the normal class.
    n_classes : int, default=2
        Columns.

    Returns
    -------
    ndarray of shape (n_frames, n_classes), dtype float32
        Probabilities; a normal trial, or one whose scores are all the same, is normal throughout.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import soft_from_scores
    >>> soft_from_scores(np.array([2.0, 3.0, 4.0]), 1)
    array([[1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]], dtype=float32)
    """
    unit = min_max(np.asarray(scores, dtype=np.float32))
    soft = np.zeros((len(unit), n_classes), dtype=np.float32)
    if code != normal:
        soft[:, code] = unit
    soft[:, normal] = 1 - soft.sum(axis=1)
    return soft
