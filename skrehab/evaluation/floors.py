"""Models that no model may do worse than, and the mark of one that learns from frame truth."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

__all__ = ["CONSTANT", "DURATION", "OnFrameTruth", "floor_models"]

CONSTANT, DURATION = "constant", "trial duration alone"


class OnFrameTruth:
    """Mark a model of a study as one that learns from the labels of frames.

    All others learn from trial labels; frame truth scores them and never reaches their ``fit``.

    Parameters
    ----------
    estimator : estimator
        Ends in a frame classifier, without a labeler.

    Examples
    --------
    >>> from skrehab import FrameMLP
    >>> from skrehab.evaluation import OnFrameTruth
    >>> OnFrameTruth(FrameMLP()).estimator
    FrameMLP()
    """

    def __init__(self, estimator):
        self.estimator = estimator


def learner_of(model):
    """The estimator itself, whether it is marked as one that learns from frame truth or not."""
    return model.estimator if isinstance(model, OnFrameTruth) else model


class _One(ClassifierMixin, BaseEstimator):
    """The only class there is, where training trials have one."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


class _Duration(ClassifierMixin, BaseEstimator):
    """Logistic regression on the duration; the one class where training trials have one."""

    def fit(self, X, y):
        model = make_pipeline(StandardScaler(), LogisticRegression())
        self.model_ = (model if len(np.unique(y)) > 1 else _One()).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def floor_models():
    """Build what every study has beside its models.

    Returns
    -------
    dict of str to estimator
        A constant score, and one from the duration of the trial alone, which is what they take for
        X, of shape (n_trials, 1). A model that does no better than the second has learned how long
        patients take, not how they move.

    Examples
    --------
    >>> from skrehab.evaluation.floors import floor_models
    >>> list(floor_models())
    ['constant', 'trial duration alone']
    """
    return {CONSTANT: DummyClassifier(strategy="uniform", random_state=0), DURATION: _Duration()}
