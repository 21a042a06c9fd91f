"""FusionClassifier: RGB and skeleton together, by their probabilities or by their features.

Whether pictures add to skeletons is the question that StrokeVision-Bench leaves open
(arXiv:2509.07994): a hand with a block and one without move alike.
"""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab.trials import check_trial_labels, tag_trial_input

__all__ = ["FusionClassifier", "split_modalities"]

MODALITIES = ("rgb", "pose")


def split_modalities(X, *, name="X"):
    """Take trials of two modalities apart.

    Parameters
    ----------
    X : sequence of dict
        ``{"rgb": video, "pose": trial}`` each; one of the two may be None.
    name : str, default="X"
        What to call it in error messages.

    Returns
    -------
    dict of str to list
        Videos under ``"rgb"``, trials under ``"pose"``, None where there is none.

    Raises
    ------
    ValueError
        If an item is no such dict, or holds neither; the message names the item.

    Examples
    --------
    >>> from skrehab.fusion import split_modalities
    >>> split_modalities([{"rgb": "a.mp4", "pose": None}])
    {'rgb': ['a.mp4'], 'pose': [None]}
    """
    if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__") or len(X) == 0:
        raise ValueError(
            f"{name} must be a list of dicts {{'rgb': ..., 'pose': ...}}, one a trial."
        )
    for i, item in enumerate(X):
        if not isinstance(item, dict) or set(item) - set(MODALITIES):
            what = sorted(item) if isinstance(item, dict) else type(item).__name__
            raise ValueError(f"{name}[{i}] must be a dict of 'rgb' and 'pose', got {what}.")
        if all(item.get(modality) is None for modality in MODALITIES):
            raise ValueError(f"{name}[{i}] holds neither RGB nor pose.")
    return {modality: [item.get(modality) for item in X] for modality in MODALITIES}


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

    def __init__(self, rgb, pose, *, how="late", weight=0.5, C=0.01):
        self.rgb = rgb
        self.pose = pose
        self.how = how
        self.weight = weight
        self.C = C

    @_fit_context(prefer_skip_nested_validation=False)
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
        parts = split_modalities(X)
        y = check_trial_labels(y, X)
        for modality, items in parts.items():
            lost = [i for i, item in enumerate(items) if item is None]
            if lost:
                raise ValueError(f"X[{lost[0]}] has no {modality}: fit needs both for every trial.")
        self.classes_ = np.unique(y)
        self.rgb_ = clone(self.rgb).fit(parts["rgb"], y, sample_weight=sample_weight, groups=groups)
        self.pose_ = clone(self.pose).fit(
            parts["pose"], y, sample_weight=sample_weight, groups=groups
        )
        if self.how == "features":
            self.head_ = make_pipeline(
                StandardScaler(), LogisticRegression(C=self.C, max_iter=1000)
            )
            weight = {"logisticregression__sample_weight": sample_weight}
            self.head_.fit(self._features(parts), y, **weight)
        return self

    def _features(self, parts):
        return np.hstack([self.rgb_.features(parts["rgb"]), self.pose_.features(parts["pose"])])

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
        there = {m: np.array([item is not None for item in parts[m]]) for m in MODALITIES}
        if self.how == "features":
            lost = np.flatnonzero(~(there["rgb"] & there["pose"]))
            if len(lost):
                raise ValueError(
                    f"X[{lost[0]}] lacks a modality: how='features' needs both, 'late' does not."
                )
            return self.head_.predict_proba(self._features(parts))
        total = np.zeros((len(X), len(self.classes_)))
        weights = {"rgb": self.weight, "pose": 1 - self.weight}
        for modality, other in (MODALITIES, MODALITIES[::-1]):
            index = np.flatnonzero(there[modality])
            if len(index):
                one = getattr(self, f"{modality}_")
                proba = one.predict_proba([parts[modality][i] for i in index])
                share = np.where(there[other][index], weights[modality], 1.0)
                total[index] += share[:, None] * proba
        return total

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
