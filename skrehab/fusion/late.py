"""RGB and skeleton together, each with a network of its own: by probabilities or by features.

Whether pictures add to skeletons is the question that StrokeVision-Bench leaves open
(arXiv:2509.07994): a hand with a block and one without move alike. The networks are trained apart;
:class:`skrehab.MuscleGroupClassifier` trains them together.
"""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab.multilabel.label_sets import MultiLabelMixin, check_multilabel
from skrehab.training.modalities import MODALITIES, split_modalities
from skrehab.trials import check_trial_labels, tag_trial_input

__all__ = ["FusionClassifier", "MultiLabelFusion"]


_REFIT = "how={how!r} was set after fitting, and what it needs was not fitted: call fit again."


# --- what both share ------------------------------------------------------------------------------
def _check_pairs(X):
    """Take trials apart for fit, which needs both modalities of each."""
    parts = split_modalities(X)
    for modality, items in parts.items():
        lost = [i for i, item in enumerate(items) if item is None]
        if lost:
            raise ValueError(f"X[{lost[0]}] has no {modality}: fit needs both for every trial.")
    return parts


def _fit_apart(model, parts, y, sample_weight, groups):
    """Fit one classifier a modality."""
    for modality in MODALITIES:
        one = clone(getattr(model, modality))
        one.fit(parts[modality], y, sample_weight=sample_weight, groups=groups)
        setattr(model, f"{modality}_", one)


def _joined_features(model, parts, how):
    """Put side by side what both networks know just before their classifiers."""
    for i, pair in enumerate(zip(*parts.values())):
        if any(item is None for item in pair):
            raise ValueError(
                f"X[{i}] lacks a modality: how={how!r} needs both, and the mean of probabilities "
                "does not."
            )
    return np.hstack([getattr(model, f"{m}_").features(parts[m]) for m in MODALITIES])


def _weighted_sum(model, parts, transform=None):
    """Weighted sum of (transformed) probabilities; what is there decides alone."""
    there = {m: np.array([item is not None for item in parts[m]]) for m in MODALITIES}
    weights = {"rgb": model.weight, "pose": 1 - model.weight}
    total = 0.0
    for modality, other in (MODALITIES, MODALITIES[::-1]):
        index = np.flatnonzero(there[modality])
        if not len(index):
            continue
        one = getattr(model, f"{modality}_").predict_proba([parts[modality][i] for i in index])
        share = np.where(there[other][index], weights[modality], 1.0)[:, None]
        rows = np.zeros((len(there[modality]), one.shape[1]))
        rows[index] = share * (one if transform is None else transform(one))
        total = total + rows
    return total


def _log(proba):
    return np.log(np.maximum(proba, np.finfo(float).tiny))  # finite for a zero too


# --- one label a trial ----------------------------------------------------------------------------
class FusionClassifier(ClassifierMixin, BaseEstimator):
    """Classify trials from RGB and skeleton together.

    Parameters
    ----------
    rgb, pose : VideoClassifier
        One classifier a modality; cloned before fitting.
    how : {"late", "features"}, default="late"
        Mean of the two probabilities, or a logistic regression on what both networks know just
        before their classifiers.
    weight : float, default=0.5
        Weight of RGB in ``"late"``.
    C : float, default=0.01
        Inverse strength of the penalty in ``"features"``, which sees training trials that the
        networks know by heart.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    rgb_, pose_ : VideoClassifier
        The fitted classifiers.
    head_ : Pipeline
        Scaler and logistic regression of ``"features"``.

    References
    ----------
    StrokeVision-Bench, arXiv:2509.07994, names the fusion of RGB and skeleton as future work.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FusionClassifier, VideoClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = np.array([0, 1] * 4)
    >>> pose = [rng.randn(10, 17, 3) + label for label in y]
    >>> rgb = [rng.randint(100, size=(8, 32, 32, 3)).astype(np.uint8) for _ in y]
    >>> X = [{"rgb": a, "pose": b} for a, b in zip(rgb, pose)]
    >>> small = {"width": 4, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32}
    >>> model = FusionClassifier(
    ...     VideoClassifier("slow", network_params=small, max_epochs=1, random_state=0),
    ...     VideoClassifier("lstm", max_epochs=5, random_state=0),
    ... )
    >>> model.fit(X, y).predict_proba(X).shape
    (8, 2)
    """

    _parameter_constraints = {
        "rgb": [HasMethods(["fit", "predict_proba"])],
        "pose": [HasMethods(["fit", "predict_proba"])],
        "how": [StrOptions({"late", "features"})],
        "weight": [Interval(Real, 0, 1, closed="both")],
        "C": [Interval(Real, 0, None, closed="neither")],
    }

    # patients are passed on to fit wherever they are given, as to scikit-learn's group splitters
    __metadata_request__fit = {"groups": True}

    def __init__(self, rgb, pose, *, how="late", weight=0.5, C=0.01):
        keep_parameters(self, locals())

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit both classifiers, and what joins them.

        Parameters
        ----------
        X : list of dict
            ``{"rgb": path or uint8 array, "pose": (n_frames, n_landmarks, n_coords)}`` each, both
            there.
        y : array-like of shape (n_trials,)
            Labels.
        sample_weight : array-like of shape (n_trials,), optional
            Weights.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        FusionClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If a trial lacks a modality; the message names it.
        """
        parts = _check_pairs(X)
        y = check_trial_labels(y, X)
        self.classes_ = np.unique(y)
        _fit_apart(self, parts, y, sample_weight, groups)
        if self.how == "features":
            self.head_ = make_pipeline(
                StandardScaler(), LogisticRegression(C=self.C, max_iter=1000)
            )
            weight = {"logisticregression__sample_weight": sample_weight}
            self.head_.fit(_joined_features(self, parts, self.how), y, **weight)
        return self

    def predict_proba(self, X):
        """Compute class probabilities.

        Parameters
        ----------
        X : list of dict
            As in `fit`; with ``how="late"`` one modality of a trial may be None, and the other
            decides alone.

        Returns
        -------
        ndarray of shape (n_trials, n_classes)
            Probabilities in the order of ``classes_``.

        Raises
        ------
        ValueError
            If ``how="features"`` and a trial lacks a modality.
        """
        check_is_fitted(self)
        parts = split_modalities(X)
        if self.how == "features":
            check_is_fitted(self, "head_", msg=_REFIT.format(how=self.how))
            return self.head_.predict_proba(_joined_features(self, parts, self.how))
        return _weighted_sum(self, parts)

    def predict(self, X):
        """Predict the label of each trial.

        Parameters
        ----------
        X : list of dict
            As in `predict_proba`.

        Returns
        -------
        ndarray of shape (n_trials,)
            Labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[proba.argmax(axis=1)]

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


# --- several labels a trial -----------------------------------------------------------------------
class MultiLabelFusion(MultiLabelMixin, BaseEstimator):
    """Say which of several labels a trial has, from RGB and skeleton together.

    Parameters
    ----------
    rgb, pose : MultiLabelVideoClassifier
        One classifier a modality; cloned before fitting.
    how : {"sum", "mul", "concat"}, default="sum"
        Mean of the two probabilities of each label; their geometric mean, which orders trials as
        the product does; or one logistic regression a label on what both networks know just before
        their classifiers.
    weight : float, default=0.5
        Weight of RGB in both means.
    C : float, default=0.01
        Inverse strength of the penalty in ``"concat"``, which sees training trials that the
        networks know by heart.
    threshold : float, default=0.5
        From which probability on a label is predicted.

    Attributes
    ----------
    n_labels_ : int
        Number of labels.
    classes_ : ndarray of shape (n_labels,)
        Columns of y, 0 to ``n_labels_ - 1``.
    rgb_, pose_ : MultiLabelVideoClassifier
        The fitted classifiers.
    scaler_ : StandardScaler
        Scaler of the features in ``"concat"``.
    heads_ : list of LogisticRegression or float
        One a label in ``"concat"``; the probability itself where all training trials agree.

    References
    ----------
    Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
    table 6: LateFusionSum, LateFusionMul, LateFusionConcat.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import MultiLabelFusion, MultiLabelVideoClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = rng.randint(2, size=(8, 3))
    >>> X = [
    ...     {"rgb": np.full((8, 32, 32, 3), 200 * a, np.uint8), "pose": rng.randn(10, 17, 3) + b}
    ...     for a, b, _ in y
    ... ]
    >>> small = {"width": 4, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32}
    >>> model = MultiLabelFusion(
    ...     MultiLabelVideoClassifier("slow", network_params=small, max_epochs=1, random_state=0),
    ...     MultiLabelVideoClassifier("lstm", max_epochs=5, random_state=0),
    ...     how="mul",
    ... )
    >>> model.fit(X, y).predict_proba(X).shape
    (8, 3)
    """

    _parameter_constraints = {
        "rgb": [HasMethods(["fit", "predict_proba"])],
        "pose": [HasMethods(["fit", "predict_proba"])],
        "how": [StrOptions({"sum", "mul", "concat"})],
        "weight": [Interval(Real, 0, 1, closed="both")],
        "C": [Interval(Real, 0, None, closed="neither")],
        "threshold": [Interval(Real, 0, 1, closed="both")],
    }

    # patients are passed on to fit wherever they are given, as to scikit-learn's group splitters
    __metadata_request__fit = {"groups": True}

    def __init__(self, rgb, pose, *, how="sum", weight=0.5, C=0.01, threshold=0.5):
        keep_parameters(self, locals())

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Fit both classifiers, and what joins them.

        Parameters
        ----------
        X : list of dict
            ``{"rgb": path or uint8 array, "pose": (n_frames, n_landmarks, n_coords)}`` each, both
            there.
        y : array-like of shape (n_trials, n_labels)
            1 where a trial has a label, else 0.
        sample_weight : array-like of shape (n_trials,), optional
            Weights.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        MultiLabelFusion
            The classifier itself.

        Raises
        ------
        ValueError
            If a trial lacks a modality, or labels do not fit; the message names it.
        """
        parts = _check_pairs(X)
        y = check_multilabel(y, X).astype(int)
        self.n_labels_ = y.shape[1]
        self.classes_ = np.arange(self.n_labels_)
        _fit_apart(self, parts, y, sample_weight, groups)
        if self.how == "concat":
            self.scaler_ = StandardScaler()
            features = self.scaler_.fit_transform(_joined_features(self, parts, self.how))
            self.heads_ = [self._fit_head(features, truth, sample_weight) for truth in y.T]
        return self

    def _fit_head(self, features, truth, sample_weight):
        if truth.min() == truth.max():
            return float(truth[0])
        return LogisticRegression(C=self.C, max_iter=1000).fit(features, truth, sample_weight)

    def predict_proba(self, X):
        """Compute the probability of each label.

        Parameters
        ----------
        X : list of dict
            As in `fit`; unless ``how="concat"`` one modality of a trial may be None, and the other
            decides alone.

        Returns
        -------
        ndarray of shape (n_trials, n_labels)
            Probabilities.

        Raises
        ------
        ValueError
            If ``how="concat"`` and a trial lacks a modality.
        """
        check_is_fitted(self)
        parts = split_modalities(X)
        if self.how == "sum":
            return _weighted_sum(self, parts)
        if self.how == "mul":
            return np.exp(_weighted_sum(self, parts, _log))
        check_is_fitted(self, "heads_", msg=_REFIT.format(how=self.how))
        features = self.scaler_.transform(_joined_features(self, parts, self.how))
        proba = np.empty((len(X), self.n_labels_))
        for column, head in zip(proba.T, self.heads_):
            column[:] = head if isinstance(head, float) else head.predict_proba(features)[:, 1]
        return proba
