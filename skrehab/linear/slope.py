"""From scores to probabilities by one number, which leaves the likeliest class what it was."""

import numpy as np
from sklearn.utils.extmath import softmax

__all__ = ["fit_slope", "slope_probabilities"]

STEEPEST = 1e4
FLATTEST = 1e-4


def slope_probabilities(scores, slope):
    """Softmax of scores times a slope.

    Parameters
    ----------
    scores : ndarray of shape (n_trials, n_classes)
        A score a class; for two classes also (n_trials, 1), of the second against the first.
    slope : float
        Above zero: the higher, the surer.

    Returns
    -------
    ndarray of shape (n_trials, n_classes)
        Probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.linear import slope_probabilities
    >>> slope_probabilities(np.array([[0.0], [1.0]]), 1.0).round(2)
    array([[0.5 , 0.5 ],
           [0.12, 0.88]])
    """
    return softmax(slope * _by_class(scores))


def fit_slope(scores, codes, sample_weight=None):
    """Find the slope under which the scores of trials not learned from are likeliest.

    Parameters
    ----------
    scores : ndarray of shape (n_trials, n_classes) or (n_trials, 1)
        Scores of trials by models that were not fitted on them.
    codes : ndarray of int of shape (n_trials,)
        Classes.
    sample_weight : ndarray of shape (n_trials,), optional
        Weights.

    Returns
    -------
    float
        The slope, from 0.0001, where scores say nothing or the wrong, to 10,000.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
    arXiv:1706.04599 (temperature scaling); the targets short of 0 and 1 are those of J. Platt,
    "Probabilistic Outputs for Support Vector Machines", 1999, so that perfect scores get a slope.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.linear import fit_slope
    >>> sure = fit_slope(np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([0, 0, 1, 1]))
    >>> wrong = fit_slope(np.array([[-1.0], [-1.0], [1.0], [1.0]]), np.array([0, 1, 1, 0]))
    >>> sure > 0.5, wrong < 0.01
    (True, True)
    """
    scores = _by_class(scores)
    weight = np.ones(len(scores)) if sample_weight is None else sample_weight
    n_classes = scores.shape[1]
    size = np.bincount(codes, weight, minlength=n_classes)[codes]
    targets = np.repeat((1 / (size + n_classes))[:, None], n_classes, axis=1)
    targets[np.arange(len(codes)), codes] *= size + 1
    wanted = weight @ (targets * scores).sum(axis=1)
    low, high = np.log(FLATTEST), np.log(STEEPEST)
    for _ in range(50):  # the loss is convex: halve where its derivative changes sign
        middle = (low + high) / 2
        said = weight @ (softmax(np.exp(middle) * scores) * scores).sum(axis=1)
        low, high = (middle, high) if said < wanted else (low, middle)
    return float(np.exp((low + high) / 2))


def _by_class(scores):
    return np.concatenate([-scores, scores], axis=1) if scores.shape[1] == 1 else scores
