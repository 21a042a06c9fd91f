"""Frame labels from trial labels: what a video classifier says of frames, cut or as it is.

Duck-typed: any estimator with ``fit``, ``predict`` and ``saliency`` will do.
"""

import warnings
from numbers import Integral, Real

import imblearn.base  # noqa: F401  makes fit_resample routable; must come before the class
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab.frames.targets import SoftLabels
from skrehab.pseudo_labels.cross_fitting import as_splitter
from skrehab.pseudo_labels.frame_labels import hard_labels, holds_one_class, soft_labels
from skrehab.pseudo_labels.kept import KeptTeachers
from skrehab.pseudo_labels.position import LEANS, position_lean
from skrehab.pseudo_labels.thresholds import check_threshold, published_threshold
from skrehab.pseudo_labels.trial_labels import check_partial_labels
from skrehab.saliency.attribution import METHODS
from skrehab.saliency.scores import AGGREGATIONS, COORDS, SCALES, check_smooth, highest_score
from skrehab.trials import check_trials, ragged, tag_trial_input

__all__ = ["SaliencyPseudoLabeler"]


class SaliencyPseudoLabeler(BaseEstimator):
    """Replace trial labels by frame labels, from the saliency of a video classifier.

    Fits the classifier on the training trials, attributes its decisions to frames, and thresholds
    them. The defaults are what the authors of the paper do in their public code. X passes through
    unchanged and y becomes one array of frame labels per trial. Because it has ``fit_resample``,
    imbalanced-learn's Pipeline runs it in ``fit`` and skips it in ``predict``;
    :class:`PatientPipeline` tells it the patients as well.

    A trial labelled -1 teaches the classifier nothing, and is then labelled by it. A trial whose
    entry in y is an array of frame labels keeps them.

    Parameters
    ----------
    estimator : estimator with fit, predict and saliency
        Such as :class:`VideoClassifier`; cloned before fitting. One that is fitted already goes in
        a :class:`sklearn.frozen.FrozenEstimator`.
    method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}, \
            default="integrated_gradients"
        Attribution method; ``"frame_logits"`` takes the scores of a network that scores frames
        itself (``"mil_tcn"``).
    output : {"hard", "soft"}, default="hard"
        Frame labels cut at `threshold`; or the probability of each class, as
        :class:`~skrehab.frames.SoftLabels`, which :class:`FrameTCN` and :class:`FrameMLP` learn
        from. For ``"frame_logits"`` it is the sigmoid of the mean of the frame logits, for saliency
        a trial's scores scaled from lowest to highest; a trial taken as normal is normal with
        probability 1. See :func:`~skrehab.pseudo_labels.soft_from_logits` and
        :func:`~skrehab.pseudo_labels.soft_from_scores`.
    n_estimators : int, default=1
        Classifiers of different seeds that teach together, by their mean. The first keeps the
        ``random_state`` of `estimator`, the others draw theirs from it.
    threshold : float, (float, float), Quantile, "auto", "published" or "published_dual", \
            default=("quantile", 0.38)
        One threshold on the scores, or two between which frames are not used, on the scale that
        `scale` says. :class:`Quantile` or ``("quantile", 0.38)`` cuts each trial at its own scores,
        so that the highest 38 % of its frames are positive, as later versions of the authors' code
        do for integrated gradients (30 % for the plain gradient); it fits any network and skeleton.
        ``"auto"`` is one threshold for all trials, chosen so that the share `prior` of all frames
        of positive trials is above it; see :func:`~skrehab.pseudo_labels.prior_threshold`.
        The names stand for Table II of the paper, for the estimator's network and `method`; they
        need ``scale="map"`` and summed landmarks. That table is about 33 landmarks: for another
        skeleton it is multiplied by ``n_landmarks / 33``, an assumption of ours.
    label_source : {"true", "predicted"}, default="true"
        Which trials count as normal and get no positive frame: by their labels, as the authors, or
        by the classifier's prediction on the training trials.
    aggregate : {"positive", "sum", "mean", "max", "signed"}, default="positive"
        What of an attribution counts and how a frame's become one score; see
        :func:`skrehab.saliency.score_frames`, also for the four that follow.
    smooth : int, (str, int) or "auto", default="auto"
        Frames of the moving average of the map over time; ``"auto"`` is the authors' choice, 8 for
        every network but recurrent ones, and none for ``"frame_logits"``.
    coords : {"sum", "first"}, default="sum"
        What of a landmark's coordinates is seen.
    scale : {"map", "frames"}, default="map"
        Min-max over the map of frames x landmarks, which makes sums lie between 0 and the number of
        landmarks; or over the frames' scores, which makes them lie in [0, 1].
    z_clip : float, optional
        Clip z-scores of the map to plus and minus this before min-max.
    baseline : {"zeros", "rest"} or ndarray, default="zeros"
        Start of the path of integrated gradients.
    n_steps : int or "auto", default="auto"
        Points on the path; ``"auto"`` takes as many as keep the completeness error under 0.01.
    cv : int or splitter, optional
        Cross-fit by patient: the frame labels of a training patient's trials come from a classifier
        that never saw that patient. A number of folds (``GroupKFold``), or a splitter by group such
        as ``LeaveOneGroupOut()``; `fit` then needs ``groups``. Only training patients are split, so
        nothing leaks into the patients that a pipeline is tested on. None labels the trials that
        the classifier learned from.
    normal_label : label, optional
        Label of a trial without the motion looked for. None means the smallest number among the
        labels; for text labels it must be given.
    prior : float, default=0.5
        For ``threshold="auto"``: share of positive frames that is expected in positive trials.
    memory : str or joblib.Memory, optional
        Folder that keeps fitted classifiers and their scores, by the content of trials, labels and
        parameters: a search over `threshold`, `aggregate` or the frame model fits each classifier
        once a fold. Pipelines' own ``memory`` does not reach here. It is read with pickle, so take
        a folder of your own; a classifier without ``random_state`` is then the same each time.

    Attributes
    ----------
    estimator_ : estimator
        The classifier, fitted on all labelled training trials.
    estimators_ : list of estimator
        The same and the others that teach with it; not saved.
    fold_estimators_ : list of estimator
        With `cv`, the classifiers of the folds, which made the frame labels, `n_estimators` for
        each fold; not saved.
    transduction_ : ndarray of shape (n_trials,), dtype object
        Frame labels of each training trial, ``-1`` where a frame is not used; or probabilities.
    scores_ : ndarray of shape (n_trials,), dtype object
        Pseudo-scores of each training trial, for soft labels of ``"frame_logits"`` the probability
        of any class but the normal one; zeros for trials taken as normal, or with frame labels.
    threshold_ : float, (float, float), Quantile or None
        Threshold that was used; None if labels are soft.
    fallback_ : {None, "single_threshold", "true_labels"}
        What was done when only one class of frames was left: one threshold, between the two, or
        the true trial labels, with the thresholds asked for. Where these left one class as well,
        it is ``"true_labels"`` with one threshold, see ``threshold_``.
    position_lean_ : float
        How much the scores follow the place in the trial rather than what it shows: up to 16
        positive training trials are scored once more and once run backwards. 1 if the scores stay
        where they were, -1 if they turn round with the movement, 0 if they are the same both ways;
        NaN for fewer than five such trials. From 0.25 on there is a warning.
    classes_ : ndarray of shape (n_classes,)
        Labels of trials, and of frames where they are known; the columns of soft labels.

    Notes
    -----
    An older reading of the paper, weaker in our measurements, summed absolute values, scaled each
    trial's frame scores to [0, 1] and divided Table II by ten. ``aggregate="sum", smooth=0,
    scale="frames", label_source="predicted"`` with, for AcT, ``threshold=(0.22, 0.32)`` gives it.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-E, equations (1) and (2), Table II; their
    public code where the paper leaves it open.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import SaliencyPseudoLabeler, VideoClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = np.array([0, 1] * 10)
    >>> X = [0.1 * rng.randn(20, 33, 3) for label in y]
    >>> for trial, label in zip(X, y):
    ...     trial[12:] += label  # the motion looked for starts at frame 12
    >>> labeler = SaliencyPseudoLabeler(VideoClassifier("lstm", max_epochs=10, random_state=0))
    >>> _, frame_labels = labeler.fit_resample(X, y)
    >>> sorted(set(frame_labels[1][:12].tolist())), int(frame_labels[0].max())
    ([0], 0)
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict", "saliency"])],
        "method": [StrOptions(set(METHODS))],
        "threshold": [Real, tuple, list, StrOptions({"auto", "published", "published_dual"})],
        "output": [StrOptions({"hard", "soft"})],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "label_source": [StrOptions({"predicted", "true"})],
        "aggregate": [StrOptions(set(AGGREGATIONS))],
        "smooth": [Integral, tuple, list, StrOptions({"auto"})],
        "coords": [StrOptions(set(COORDS))],
        "scale": [StrOptions(set(SCALES))],
        "z_clip": [None, Interval(Real, 0, None, closed="neither")],
        "baseline": [StrOptions({"zeros", "rest"}), "array-like"],
        "n_steps": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "cv": [None, Interval(Integral, 2, None, closed="left"), HasMethods(["split"])],
        "normal_label": [None, str, Real, np.bool_],
        "prior": [Interval(Real, 0, 1, closed="neither")],
        "memory": [None, str, HasMethods(["cache"])],
    }

    def __init__(
        self,
        estimator,
        *,
        method="integrated_gradients",
        output="hard",
        n_estimators=1,
        threshold=("quantile", 0.38),
        label_source="true",
        aggregate="positive",
        smooth="auto",
        coords="sum",
        scale="map",
        z_clip=None,
        baseline="zeros",
        n_steps="auto",
        cv=None,
        normal_label=None,
        prior=0.5,
        memory=None,
    ):
        keep_parameters(self, locals())

    def fit(self, X, y, **params):
        """Fit the classifier and make the frame labels, kept in ``transduction_``.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : sequence of length n_trials
            See :meth:`fit_resample`.
        **params : dict
            See there.

        Returns
        -------
        SaliencyPseudoLabeler
            The labeler itself.
        """
        self.fit_resample(X, y, **params)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_resample(self, X, y, **params):
        """Fit the classifier and replace trial labels by frame labels.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : sequence of length n_trials
            For each trial its label; -1 where it has none; or an array of frame labels
            ``(n_frames_i,)``, with -1 where a frame has none, which it keeps. See
            :func:`~skrehab.pseudo_labels.check_partial_labels`. An unlabelled trial is given soft
            labels, or is taken as what the classifier predicts.
        **params : dict
            Passed to the classifier's ``fit``: ``groups``, ``exercise``, ``sample_weight``, one a
            trial. With `cv`, patients are read from ``groups``.

        Returns
        -------
        X : list of ndarray
            The trials, the same object.
        y : ndarray of shape (n_trials,), dtype object
            Frame labels of each trial, ``-1`` where a frame is not used; or
            :class:`~skrehab.frames.SoftLabels`, probabilities ``(n_frames_i, n_classes)``.

        Raises
        ------
        ValueError
            If the threshold is not one number on the scale of the scores, two increasing ones or a
            quantile, there is no published one, the normal label is not known, a class is called
            -1, or `cv` cannot split the patients.
        TypeError
            If soft labels are asked for of ``"frame_logits"`` that the classifier does not give.
        """
        trials = check_trials(X)
        known = check_partial_labels(y, trials, self.normal_label)
        self.classes_ = known.classes
        self.threshold_ = None
        if self.output == "hard":  # before the work
            self._resolve_threshold(trials[0].shape[1])
        split = {"groups": params.get("groups")} if self.cv is not None else {}
        if _routing_enabled():
            routed = process_routing(self, "fit_resample", **params)
            params, split = routed.estimator.fit, dict(routed.get("splitter", {}).get("split", {}))

        kept = KeptTeachers(self.memory)
        self.estimators_, fold_teachers, folds = kept.fit(
            self.estimator, self.n_estimators, self.cv, trials, known, params, split
        )
        self.estimator_ = self.estimators_[0]
        if self.cv is not None:
            self.fold_estimators_ = fold_teachers
        how = {
            name: getattr(self, name)
            for name in ("method", "baseline", "n_steps", "aggregate", "smooth", "coords")
            + ("scale", "z_clip")
        }
        predicted = self.label_source == "predicted"
        if self.output == "soft":
            labels, self.scores_, self.fallback_ = soft_labels(
                folds, trials, known, how, predicted, kept
            )
        else:
            threshold = self._resolve_threshold(trials[0].shape[1])
            labels, self.scores_, self.threshold_, self.fallback_ = hard_labels(
                folds, trials, known, how, predicted, threshold, self.prior, kept
            )
        self._warn(labels, known)
        self.position_lean_ = position_lean(folds, trials, known.codes, known, how, kept)
        if self.position_lean_ >= LEANS:
            self._warn_of_position()
        soft = self.output == "soft"
        self.transduction_ = SoftLabels(labels, known.classes) if soft else ragged(labels)
        return X, self.transduction_

    def _warn(self, labels, known):
        """Say that labels hold one class, or what was done about it."""
        if holds_one_class(labels, known):
            warnings.warn(
                "Pseudo-labels hold one class only: every frame is "
                f"{known.classes[known.normal]}. The classifier's "
                "saliency is flat; train it longer or check the labels.",
                UserWarning,
                stacklevel=3,
            )
        elif self.fallback_ is not None:
            warnings.warn(
                f"Pseudo-labels held one class only; fell back to {self.fallback_} "
                "(see fallback_).",
                UserWarning,
                stacklevel=3,
            )

    def _warn_of_position(self):
        network = getattr(self.estimator, "network", type(self.estimator).__name__)
        warnings.warn(
            "Pseudo-labels lean on the position in the trial: of training trials run backwards, "
            f"the scores of {network!r} stay where they were in time instead of turning round "
            f"with the movement (position_lean_={self.position_lean_:.2f}; 1 is the clock alone, "
            "-1 the movement alone). A frame model that learns from them may be worse than "
            "chance. Train the classifier longer, or take one that looks at all frames alike: "
            "network_params={'readout': 'mean'} of 'lstm' and 'gru', or 'mil_tcn' with "
            "method='frame_logits'. If the motion always stands at that place of the trial, the "
            "two cannot be told apart from these trials.",
            UserWarning,
            stacklevel=3,
        )

    def _resolve_threshold(self, n_landmarks):
        if self.smooth != "auto":
            check_smooth(self.smooth)
        highest = highest_score(n_landmarks, aggregate=self.aggregate, scale=self.scale)
        if self.method == "frame_logits":
            highest = 1.0  # one score a frame, no map of landmarks
        if not isinstance(self.threshold, str):
            return check_threshold(self.threshold, highest)
        if self.threshold == "auto":
            return None  # when scores are there
        if self.scale != "map" or self.aggregate in ("mean", "max"):
            raise ValueError(
                f"threshold={self.threshold!r} cuts sums over landmarks of a map scaled as a "
                f"whole; scale={self.scale!r} with aggregate={self.aggregate!r} gives scores up to "
                "1. Use scale='map' with aggregate='positive', or give a number or a quantile."
            )
        network = getattr(self.estimator, "network", type(self.estimator).__name__)
        dual = self.threshold == "published_dual"
        return published_threshold(network, self.method, n_landmarks, dual=dual)

    def get_metadata_routing(self):
        """Describe how metadata is passed on to the classifier.

        Returns
        -------
        MetadataRouter
            Routes what ``fit`` and ``fit_resample`` are given to the classifier's ``fit``, and
            to the splitter's ``split`` where there is one.
        """
        router = MetadataRouter(owner=self)
        router.add(estimator=self.estimator, method_mapping=_from_fit("fit"))
        if self.cv is not None:
            router.add(splitter=as_splitter(self.cv), method_mapping=_from_fit("split"))
        return router

    def __sklearn_tags__(self):
        tags = tag_trial_input(super().__sklearn_tags__())
        tags.target_tags.required = True
        return tags


def _from_fit(callee):
    """What calls a method of a part: fit and fit_resample."""
    mapping = MethodMapping().add(caller="fit", callee=callee)
    return mapping.add(caller="fit_resample", callee=callee)
