"""Frame labels from trial labels: saliency of a video classifier, thresholded.

Duck-typed: any estimator with ``fit``, ``predict`` and ``saliency`` will do.
"""

import warnings
from numbers import Integral, Real

import imblearn.base  # noqa: F401  makes fit_resample routable; must come before the class
import numpy as np
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)

from skrehab.saliency.gradients import AGGREGATIONS, METHODS
from skrehab.trials import (
    UNLABELLED,
    check_trial_labels,
    check_trials,
    labelled,
    ragged,
    tag_trial_input,
)

__all__ = ["PUBLISHED_THRESHOLDS", "SaliencyPseudoLabeler", "pseudo_labels"]

# Mesquita et al. 2025, Table II, read as tenths: the printed values run to 6.5 on scores that lie
# in [0, 1]. SkateFormer's single gradient threshold lies outside its own pair; kept as printed.
PUBLISHED_THRESHOLDS = {
    ("lstm", "vanilla_gradient"): {"single": 0.45, "dual": (0.4, 0.65)},
    ("lstm", "integrated_gradients"): {"single": 0.25, "dual": (0.2, 0.3)},
    ("act", "vanilla_gradient"): {"single": 0.58, "dual": (0.53, 0.63)},
    ("act", "integrated_gradients"): {"single": 0.27, "dual": (0.22, 0.32)},
    ("skateformer", "vanilla_gradient"): {"single": 0.3, "dual": (0.15, 0.25)},
    ("skateformer", "integrated_gradients"): {"single": 0.15, "dual": (0.07, 0.2)},
    ("moment", "vanilla_gradient"): {"single": 0.25, "dual": (0.2, 0.3)},
    ("moment", "integrated_gradients"): {"single": 0.3, "dual": (0.2, 0.35)},
}


def pseudo_labels(scores, trial_label, *, threshold, normal_label=0):
    """Label one trial's frames from their pseudo-scores.

    Parameters
    ----------
    scores : ndarray of shape (n_frames,)
        Pseudo-scores in [0, 1].
    trial_label : object
        The trial's label.
    threshold : float or (float, float)
        One threshold tau, equation (1); or two, tau1 < tau2, equation (2), between which frames
        are not used.
    normal_label : object, default=0
        The label of a trial without the motion looked for.

    Returns
    -------
    ndarray of shape (n_frames,)
        `trial_label` where the score is above the (upper) threshold, `normal_label` elsewhere,
        ``-1`` between two thresholds.

    Raises
    ------
    ValueError
        If the threshold is not one number in [0, 1] or two increasing ones.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, equations (1) and (2).

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pseudo_labels import pseudo_labels
    >>> pseudo_labels(np.array([0.1, 0.5, 0.9]), 1, threshold=(0.3, 0.6))
    array([ 0, -1,  1])
    >>> pseudo_labels(np.array([0.1, 0.5, 0.9]), 0, threshold=(0.3, 0.6))
    array([0, 0, 0])
    """
    threshold = _check_threshold(threshold)
    kind = object
    if not isinstance(trial_label, str):  # a signed type, so that bool and uint can hold -1 too
        kind = np.promote_types(np.asarray(trial_label).dtype, np.int8)
    labels = np.full(len(scores), normal_label, dtype=kind)
    if trial_label == normal_label:
        return labels
    low, high = threshold if np.ndim(threshold) else (threshold, threshold)
    labels[scores > high] = trial_label
    if low < high:
        labels[(scores >= low) & (scores <= high)] = UNLABELLED
    return labels


class SaliencyPseudoLabeler(BaseEstimator):
    """Replace trial labels by frame labels, from the saliency of a video classifier.

    Fits the classifier on the training trials, attributes its decisions to frames, and thresholds
    them. X passes through unchanged and y becomes one array of frame labels per trial. Because it
    has ``fit_resample``, imbalanced-learn's Pipeline runs it in ``fit`` and skips it in
    ``predict``.

    Parameters
    ----------
    estimator : estimator with fit, predict and saliency
        Such as :class:`VideoClassifier`; cloned before fitting. One that is fitted already goes in
        a :class:`sklearn.frozen.FrozenEstimator`.
    method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}, \
            default="integrated_gradients"
        Attribution method; ``"frame_logits"`` takes the scores of a network that scores frames
        itself (``"mil_tcn"``).
    threshold : float, (float, float), "published" or "published_dual", default=0.3
        One threshold on the scores in [0, 1], or two between which frames are not used. The names
        stand for Table II of the paper, read as tenths, for the estimator's network and `method`.
    label_source : {"predicted", "true"}, default="predicted"
        Which trials count as normal and get no positive frame: by the classifier's prediction on
        the training trials, as in the paper, or by their labels.
    aggregate : {"sum", "mean", "max", "signed"}, default="sum"
        How a frame's attributions become one score.
    baseline : {"zeros", "rest"} or ndarray, default="zeros"
        Start of the path of integrated gradients.
    n_steps : int or "auto", default="auto"
        Points on the path; ``"auto"`` takes as many as keep the completeness error under 0.01.
    normal_label : label, optional
        Label of a trial without the motion looked for. None means the smallest number among the
        labels; for text labels it must be given.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    transduction_ : ndarray of shape (n_trials,), dtype object
        Frame labels of each training trial, ``-1`` where a frame is not used.
    scores_ : ndarray of shape (n_trials,), dtype object
        Pseudo-scores of each training trial; zeros for trials taken as normal.
    threshold_ : float or (float, float)
        Threshold that was used.
    fallback_ : {None, "single_threshold", "true_labels"}
        What was done when only one class of frames was left: one threshold, between the two, or
        the true trial labels, with the thresholds asked for. Where these left one class as well,
        it is ``"true_labels"`` with one threshold, see ``threshold_``.
    classes_ : ndarray of shape (n_classes,)
        Trial labels.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-E, equations (1) and (2), Table II.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import SaliencyPseudoLabeler, VideoClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = np.array([0, 1] * 10)
    >>> X = [0.1 * rng.randn(20, 33, 3) for label in y]
    >>> for trial, label in zip(X, y):
    ...     trial[12:] += label  # the motion looked for starts at frame 12
    >>> labeler = SaliencyPseudoLabeler(
    ...     VideoClassifier("lstm", max_epochs=10, random_state=0), threshold=(0.2, 0.4)
    ... )
    >>> _, frame_labels = labeler.fit_resample(X, y)
    >>> sorted(set(frame_labels[1][:12].tolist())), int(frame_labels[0].max())
    ([0], 0)
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict", "saliency"])],
        "method": [StrOptions(set(METHODS))],
        "threshold": [Real, tuple, list, StrOptions({"published", "published_dual"})],
        "label_source": [StrOptions({"predicted", "true"})],
        "aggregate": [StrOptions(set(AGGREGATIONS))],
        "baseline": [StrOptions({"zeros", "rest"}), "array-like"],
        "n_steps": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "normal_label": [None, str, Integral],
    }

    def __init__(
        self,
        estimator,
        *,
        method="integrated_gradients",
        threshold=0.3,
        label_source="predicted",
        aggregate="sum",
        baseline="zeros",
        n_steps="auto",
        normal_label=None,
    ):
        self.estimator = estimator
        self.method = method
        self.threshold = threshold
        self.label_source = label_source
        self.aggregate = aggregate
        self.baseline = baseline
        self.n_steps = n_steps
        self.normal_label = normal_label

    def fit(self, X, y, **params):
        """Fit the classifier and make the frame labels, kept in ``transduction_``.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : array-like of shape (n_trials,)
            One label per trial.
        **params : dict
            Passed to the classifier's ``fit``: ``groups``, ``sample_weight``.

        Returns
        -------
        SaliencyPseudoLabeler
            The labeler itself.
        """
        self.fit_resample(X, y, **params)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X, y, **params):
        """Fit the classifier and replace trial labels by frame labels.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : array-like of shape (n_trials,)
            One label per trial.
        **params : dict
            Passed to the classifier's ``fit``: ``groups``, ``sample_weight``. Frame labels are
            refused: they are for scoring.

        Returns
        -------
        X : list of ndarray
            The trials, the same object.
        y : ndarray of shape (n_trials,), dtype object
            Frame labels of each trial, ``-1`` where a frame is not used.

        Raises
        ------
        ValueError
            If the threshold is not one number in [0, 1] or two increasing ones, there is no
            published one, the normal label is not known, or a class is called -1.
        """
        trials = check_trials(X)
        y = check_trial_labels(y, trials)
        self.threshold_ = self._resolve_threshold()
        self.classes_ = np.unique(y)
        if not labelled(self.classes_).all() or str(UNLABELLED) in self.classes_.tolist():
            raise ValueError(
                f"A trial label is {UNLABELLED}, which among frame labels means 'not used'. Give "
                f"that class another name; the labels are {self.classes_.tolist()}."
            )
        normal = self._resolve_normal_label()
        if _routing_enabled():
            params = process_routing(self, "fit_resample", **params).estimator.fit

        self.estimator_ = clone(self.estimator).fit(trials, y, **params)
        labels = self._label(trials, y, normal)
        if _n_classes(labels) < 2:
            warnings.warn(
                f"Pseudo-labels hold one class only: every frame is {normal}. The classifier's "
                "saliency is flat; train it longer or check the labels.",
                UserWarning,
                stacklevel=2,
            )
        elif self.fallback_ is not None:
            warnings.warn(
                f"Pseudo-labels held one class only; fell back to {self.fallback_} "
                "(see fallback_).",
                UserWarning,
                stacklevel=2,
            )
        self.transduction_ = ragged(labels)
        return X, self.transduction_

    def _label(self, trials, y, normal):
        """Label all trials, falling back until two classes of frames are there."""
        thresholds = [(self.threshold_, None)]
        if np.ndim(self.threshold_):
            thresholds.append((float(np.mean(self.threshold_)), "single_threshold"))
        sources = [(y, None)]
        if self.label_source == "predicted":
            sources = [(self.estimator_.predict(trials), None), (y, "true_labels")]
        for source, true_labels in sources:
            self.scores_ = self._score(trials, source, normal)
            for self.threshold_, single_threshold in thresholds:
                self.fallback_ = true_labels or single_threshold
                labels = [
                    pseudo_labels(scores, label, threshold=self.threshold_, normal_label=normal)
                    for scores, label in zip(self.scores_, source)
                ]
                if _n_classes(labels) > 1:
                    return labels
        return labels

    def _score(self, trials, source, normal):
        """Score the frames of all trials, taking `source` as each trial's label."""
        pseudo_scores = ragged(np.zeros(len(trial), dtype=np.float32) for trial in trials)
        positive = np.flatnonzero(np.asarray(source) != normal)
        if len(positive):
            scores = self.estimator_.saliency(
                [trials[i] for i in positive],
                method=self.method,
                target=np.asarray(source)[positive],
                baseline=self.baseline,
                n_steps=self.n_steps,
                aggregate=self.aggregate,
            )
            for i, values in zip(positive, scores):
                pseudo_scores[i] = values
        return pseudo_scores

    def _resolve_threshold(self):
        if isinstance(self.threshold, str):
            network = getattr(self.estimator, "network", type(self.estimator).__name__)
            row = PUBLISHED_THRESHOLDS.get((network, self.method))
            if row is None:
                raise ValueError(
                    f"There is no published threshold for {network!r} with {self.method!r}; give a "
                    f"number. Published: {sorted(PUBLISHED_THRESHOLDS)}."
                )
            return row["dual" if self.threshold == "published_dual" else "single"]
        return _check_threshold(self.threshold)

    def _resolve_normal_label(self):
        if self.normal_label is not None:
            if self.normal_label not in self.classes_:
                raise ValueError(
                    f"normal_label={self.normal_label!r} is not among the labels "
                    f"{self.classes_.tolist()}."
                )
            return self.normal_label
        if self.classes_.dtype.kind not in "biuf":
            raise ValueError(
                "normal_label is needed with text labels: say which of "
                f"{self.classes_.tolist()} means 'no such motion'."
            )
        return self.classes_[0]

    def get_metadata_routing(self):
        """Describe how metadata is passed on to the classifier.

        Returns
        -------
        MetadataRouter
            Routes what ``fit`` and ``fit_resample`` are given to the classifier's ``fit``.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        mapping.add(caller="fit_resample", callee="fit")
        return MetadataRouter(owner=self).add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = tag_trial_input(super().__sklearn_tags__())
        tags.target_tags.required = True
        return tags


def _check_threshold(threshold):
    """One threshold as a float, or two as a tuple."""
    try:
        values = np.asarray(threshold, dtype=float)
    except (TypeError, ValueError):
        values = np.array(np.nan)  # no number at all
    increasing = values.ndim == 0 or (values.shape == (2,) and values[0] < values[1])
    if not (increasing and ((values >= 0) & (values <= 1)).all()):
        raise ValueError(
            f"threshold must be one number in [0, 1] or two increasing ones, got {threshold!r}."
        )
    return values.item() if values.ndim == 0 else tuple(values.tolist())


def _n_classes(labels):
    """Count the classes among all labelled frames."""
    return len({value for one in labels for value in np.unique(one[labelled(one)]).tolist()})
