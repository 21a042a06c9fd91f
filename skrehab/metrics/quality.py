"""How well predicted scores rank and match clinical ones, exercise by exercise.

Rank correlation is of trials together, not of each person's: in KIMORE a person does an exercise
once. So intervals come from drawing people anew and correlating again.
"""

import warnings

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import UndefinedMetricWarning

from skrehab._given import column_of, filled

__all__ = ["mean_absolute_deviation", "rmse", "spearman", "spearman_scorer"]


# --- metrics --------------------------------------------------------------------------------------
def spearman(y_true, y_pred):
    """Compute Spearman's rank correlation.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_trials,)
        True and predicted scores.

    Returns
    -------
    float
        From -1 to 1; nan with a warning where all scores of one side are equal. The paper prints
        it times 100.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, section 4.1.

    Examples
    --------
    >>> from skrehab.metrics import spearman
    >>> round(spearman([10, 20, 30, 40], [1, 3, 2, 4]), 2)
    0.8
    """
    y_true, y_pred = paired_scores(y_true, y_pred)
    for values, what in ((y_true, "true"), (y_pred, "predicted")):
        if len(values) == 0 or np.ptp(values) == 0:
            warnings.warn(
                f"Rank correlation is not defined: all {len(values)} {what} scores are equal. "
                "The score is nan.",
                UndefinedMetricWarning,
                stacklevel=2,
            )
            return np.nan
    a, b = (_centred_ranks(values) for values in (y_true, y_pred))
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def _centred_ranks(values):
    """Ranks less their mean, the mean rank for ties; several times faster than scipy's, which
    counts where thousands of samples are drawn."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[place] - (len(values) + 1) / 2


def mean_absolute_deviation(y_true, y_pred):
    """Compute the mean absolute difference, MAD, in the unit of the scores.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_trials,)
        True and predicted scores.

    Returns
    -------
    float
        The mean.

    Examples
    --------
    >>> from skrehab.metrics import mean_absolute_deviation
    >>> mean_absolute_deviation([10, 20], [11, 17])
    2.0
    """
    y_true, y_pred = paired_scores(y_true, y_pred)
    return float(np.abs(y_true - y_pred).mean())


def rmse(y_true, y_pred):
    """Compute the root of the mean squared difference, in the unit of the scores.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_trials,)
        True and predicted scores.

    Returns
    -------
    float
        The root.

    Examples
    --------
    >>> from skrehab.metrics import rmse
    >>> rmse([10, 20], [13, 24])
    3.5355339059327378
    """
    y_true, y_pred = paired_scores(y_true, y_pred)
    return float(np.sqrt(((y_true - y_pred) ** 2).mean()))


def paired_scores(y_true, y_pred):
    y_true, y_pred = (np.asarray(filled(column_of(y, "y")), dtype=float) for y in (y_true, y_pred))
    if y_true.shape != y_pred.shape or y_true.ndim != 1:
        raise ValueError(
            f"One true and one predicted score a trial are needed, got shapes {y_true.shape} and "
            f"{y_pred.shape}."
        )
    return y_true, y_pred


def _scores_of(estimator, X):
    """One number a trial: what a regressor predicts, or the class that is expected."""
    if not is_classifier(estimator):
        return estimator.predict(X)
    proba = estimator.predict_proba(X)
    return proba @ np.asarray(estimator.classes_, dtype=float)


def spearman_scorer(estimator, X, y):
    """Score an estimator by rank correlation: for ``scoring=``.

    Parameters
    ----------
    estimator : estimator
        A regressor; or a classifier whose labels are numbers: the label expected from its
        probabilities counts, which has fewer ties than the most probable one.
    X : list
        Trials.
    y : array-like of shape (n_trials,)
        True scores or labels.

    Returns
    -------
    float
        Spearman's correlation; nan with a warning where it is not defined.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skrehab.metrics import spearman_scorer
    >>> X, y = [[0.0], [1.0], [2.0]], [10, 30, 50]
    >>> spearman_scorer(Ridge().fit(X, y), X, y)
    1.0
    """
    return spearman(y, _scores_of(estimator, X))


METRICS = {"spearman": spearman, "mad": mean_absolute_deviation, "rmse": rmse}


class QualityScorer:
    """A scorer of one of our metrics that can be pickled."""

    def __init__(self, metric):
        self.metric = metric

    def __call__(self, estimator, X, y):
        return self.metric(y, _scores_of(estimator, X))


# --- by exercise ----------------------------------------------------------------------------------


# --- two methods ----------------------------------------------------------------------------------
