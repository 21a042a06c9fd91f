"""Scores of several yes-or-no labels a trial, and the test on known and on new activities."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import average_precision_score

from skrehab._seen import warn_of_patients_seen

__all__ = ["MapScorer", "map_scorer", "mean_average_precision", "per_label_average_precision"]


# --- average precision ----------------------------------------------------------------------------
def per_label_average_precision(y_true, y_score):
    """Compute the average precision of each label.

    Parameters
    ----------
    y_true : array-like of shape (n_trials, n_labels)
        Which labels each trial has, 0 or 1.
    y_score : array-like of shape (n_trials, n_labels)
        Scores or probabilities; a column is compared with itself only.

    Returns
    -------
    ndarray of shape (n_labels,)
        Average precision; NaN for a label that no trial has.

    Raises
    ------
    ValueError
        If the shapes differ, labels are not 0 and 1, or a score is NaN.

    Examples
    --------
    >>> from skrehab.metrics import per_label_average_precision
    >>> truth = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]]
    >>> score = [[0.9, 0.2, 0.5], [0.1, 0.8, 0.5], [0.3, 0.1, 0.5], [0.2, 0.0, 0.5]]
    >>> per_label_average_precision(truth, score).round(3)
    array([1.   , 0.833,   nan])
    """
    y_true, y_score = _check_labels(y_true, y_score)
    return np.array(
        [
            average_precision_score(truth, score) if truth.any() else np.nan
            for truth, score in zip(y_true.T, y_score.T)
        ]
    )


def mean_average_precision(y_true, y_score):
    """Compute the mean over labels of the average precision, as MuscleMap does.

    A label that no trial has is left out. Constant scores give the mean share of trials that have a
    label, perfect ones give 1.

    Parameters
    ----------
    y_true : array-like of shape (n_trials, n_labels)
        Which labels each trial has, 0 or 1.
    y_score : array-like of shape (n_trials, n_labels)
        Scores or probabilities.

    Returns
    -------
    float
        The mean; nan with a warning where no trial has any label.

    Raises
    ------
    ValueError
        As in :func:`per_label_average_precision`.

    Notes
    -----
    The paper's text describes a mask over the positive entries, under which every score would be 1.
    The released code masks columns, and so does this.

    References
    ----------
    Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
    section 3.4.

    Examples
    --------
    >>> from skrehab.metrics import mean_average_precision
    >>> mean_average_precision([[1, 0], [0, 1], [1, 1], [1, 0]], [[0.5, 0.5]] * 4)
    0.625
    """
    each = per_label_average_precision(y_true, y_score)
    if np.isnan(each).all():
        warnings.warn(
            "Mean average precision is not defined: no trial has any label. The score is nan.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
        return np.nan
    return float(np.nanmean(each))


def _check_labels(y_true, y_score):
    y_true, y_score = np.asarray(y_true), np.asarray(y_score, dtype=float)
    if y_true.ndim != 2 or 0 in y_true.shape or y_true.shape != y_score.shape:
        raise ValueError(
            f"y_true and y_score must have one shape (n_trials, n_labels), got {y_true.shape} and "
            f"{y_score.shape}."
        )
    if not np.isin(y_true, (0, 1)).all():
        odd = y_true[~np.isin(y_true, (0, 1))][0]
        raise ValueError(f"y_true must hold 0 and 1, got {odd}.")
    if np.isnan(y_score).any():
        row, column = np.argwhere(np.isnan(y_score))[0]
        raise ValueError(f"y_score[{row}, {column}] is NaN: every label needs a score.")
    return y_true.astype(int), y_score


class MapScorer(BaseEstimator):
    """Score a multi-label classifier by the mean average precision.

    A callable ``(estimator, X, y)`` for ``scoring=``. A patient on both sides of the split is said
    in a warning, see :class:`TrialScorer`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.multiclass import OneVsRestClassifier
    >>> from skrehab.metrics import MapScorer
    >>> X = np.arange(8.0)[:, None]
    >>> y = np.column_stack([X[:, 0] > 3, X[:, 0] < 2]).astype(int)
    >>> MapScorer()(OneVsRestClassifier(LogisticRegression()).fit(X, y), X, y)
    1.0
    """

    __metadata_request__score = {"groups": True}  # asked for wherever patients are given

    def score(self, estimator, X, y, groups=None):
        """Score a fitted estimator.

        Parameters
        ----------
        estimator : estimator with predict_proba
            Gives ``(n_trials, n_labels)``, or, as scikit-learn's own
            :class:`~sklearn.dummy.DummyClassifier` does, one array of both probabilities a label.
        X : list
            Trials.
        y : array-like of shape (n_trials, n_labels)
            Which labels each trial has, 0 or 1.
        groups : array-like of shape (n_trials,), optional
            Patients, to be compared with those that the model learned from.

        Returns
        -------
        float
            As :func:`mean_average_precision`.
        """
        warn_of_patients_seen(estimator, X, groups)
        proba = estimator.predict_proba(X)
        if isinstance(proba, list):
            proba = np.column_stack(
                [_of_one(column, classes) for column, classes in zip(proba, estimator.classes_)]
            )
        return mean_average_precision(y, proba)

    __call__ = score


def _of_one(column, classes):
    """Take the probability of 1 from those of one label; there is none if training had no 1."""
    found = np.flatnonzero(np.asarray(classes) == 1)
    return column[:, found[0]] if len(found) else np.zeros(len(column))


map_scorer = MapScorer()


# --- known and new activities ---------------------------------------------------------------------
