"""From what a model says to how often it is so: a rising map of probabilities, frame by frame."""

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

__all__ = ["apply_map", "log_odds", "map_scores"]

TINY = 1e-6


def log_odds(probability):
    """Turn probabilities into logits, those of 0 and 1 into large ones.

    Parameters
    ----------
    probability : array-like
        In [0, 1].

    Returns
    -------
    ndarray, dtype float64
        Between -13.8 and 13.8.

    Examples
    --------
    >>> from skrehab.adaptation.score_map import log_odds
    >>> log_odds([0.5, 0.0]).round(2)
    array([  0.  , -13.82])
    """
    return logit(np.clip(np.asarray(probability, dtype=float), TINY, 1 - TINY))


class _AsItIs(ClassifierMixin, BaseEstimator):
    """A classifier whose decision is its one feature: what scikit-learn is to calibrate."""

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self

    def decision_function(self, X):
        return X[:, 0]

    def predict(self, X):
        return (X[:, 0] > 0).astype(int)


def map_scores(scores, motion, method="sigmoid", sample_weight=None):
    """Fit a map from logits to probabilities, by scikit-learn's CalibratedClassifierCV.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Logits, of trials or frames that the model did not learn from.
    motion : array-like of shape (n,), dtype bool
        Whether the motion looked for was there; both must occur.
    method : {"sigmoid", "isotonic"}, default="sigmoid"
        Platt's two numbers, or steps, which need some hundred samples.
    sample_weight : array-like of shape (n,), optional
        Weights.

    Returns
    -------
    ndarray of shape (2,) or (n_points, 2)
        Slope and intercept of the logit; or points, logit and probability, between which it is
        linear and outside of which it is level.

    Raises
    ------
    ValueError
        If only one of both occurs.

    References
    ----------
    Platt 1999, Probabilistic outputs for support vector machines; Zadrozny & Elkan 2002, doi
    10.1145/775047.775151.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.adaptation.score_map import apply_map, map_scores
    >>> scores, motion = np.array([-2.0, -1.0, 1.0, 2.0]), [0, 1, 0, 1]
    >>> apply_map(map_scores(scores, motion, "isotonic"), [0.01, 0.5, 0.99]).round(2)
    array([0. , 0.5, 1. ])
    """
    scores, motion = np.asarray(scores, dtype=float), np.asarray(motion, dtype=int)
    if len(np.unique(motion)) < 2:
        raise ValueError("Calibration needs trials or frames with the motion, and without it.")
    frozen = FrozenEstimator(_AsItIs().fit(None, None))
    wrapped = CalibratedClassifierCV(frozen, method=method, ensemble=False, cv=2)
    wrapped.fit(scores[:, None], motion, sample_weight=sample_weight)
    found = wrapped.calibrated_classifiers_[0].calibrators[0]
    if method == "sigmoid":  # scikit-learn has 1 / (1 + exp(a x + b))
        return np.array([-found.a_, -found.b_])
    return np.stack([found.X_thresholds_, found.y_thresholds_], axis=1)


def apply_map(learned, probability):
    """Map probabilities of the motion.

    Parameters
    ----------
    learned : ndarray
        From :func:`map_scores`.
    probability : array-like of shape (n,)
        What the model says.

    Returns
    -------
    ndarray of shape (n,), dtype float64
        Calibrated.
    """
    x = log_odds(probability)
    if learned.ndim == 1:
        return expit(learned[0] * x + learned[1])
    return np.interp(x, learned[:, 0], learned[:, 1])
