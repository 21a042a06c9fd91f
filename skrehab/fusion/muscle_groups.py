"""MuscleGroupClassifier: the muscle groups at work, from RGB and skeleton or either of them.

TransM3E (:mod:`skrehab.networks.two_stream.transm3e`) as an estimator: two stages of training, and
an answer from the branch that is there where a modality is missing.
"""

import os
from dataclasses import fields
from functools import partial
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab._surroundings import predicting
from skrehab.fusion.branches import BranchLoss, BranchTraining, predict_branches
from skrehab.fusion.stages import keep_branches, plan_stages, plan_trial_changes
from skrehab.multilabel.label_sets import LOSSES, MultiLabelMixin, check_multilabel
from skrehab.networks.two_stream.transm3e import SIZES, TransM3E
from skrehab.networks.weights import read_weights
from skrehab.preprocessing.skeleton_conversion import guess_skeleton
from skrehab.skeletons import get_skeleton
from skrehab.training.batching import Samples
from skrehab.training.class_weights import trial_weights
from skrehab.training.clip_changes import ClipSamples, check_views
from skrehab.training.estimator import NetworkParamsMixin
from skrehab.training.loop import (
    PAPER_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    Recipe,
    seeded,
    train,
)
from skrehab.training.modalities import (
    MODALITIES,
    check_clip_lengths,
    check_modalities,
    collate_modalities,
)
from skrehab.training.validation import held_out_patients, validation_split
from skrehab.trials import check_groups

__all__ = ["MuscleGroupClassifier"]


class MuscleGroupClassifier(MultiLabelMixin, NetworkParamsMixin, BaseEstimator):
    """Say which muscle groups are at work, from RGB clips and skeletons or either of them.

    The network is TransM3E: a video transformer and a graph network of joints. In the first stage
    each branch is trained alone; in the second, both together: the RGB branch learns from the
    skeleton branch, and the tokens of each are fused. The answer is the mean of both branches; a
    trial that lacks a modality is answered by the other branch alone.

    Parameters
    ----------
    modality : {"both", "rgb", "pose"}, default="both"
        What is looked at. One alone has no second stage.
    size : {"s", "tiny"}, default="s"
        The paper's network, or one that trains on a CPU.
    network_params : dict, optional
        Parameters of :class:`skrehab.networks.two_stream.transm3e.TransM3E`, such as ``{"fusion":
        "sum"}``. Grid search reaches them as ``network__fusion``.
    loss : {"sigmoid_bce", "softmax_bce"}, default="sigmoid_bce"
        Binary cross-entropy of each label by itself, or of a softmax over labels, as the paper has
        it. The latter's probabilities add up to 1: set `threshold` lower.
    threshold : float, default=0.5
        From which probability on a label is predicted.
    stage1_epochs, stage2_epochs : int, default=80
        Epochs of each stage; the learning rate starts anew with the second.
    lr : float, default=1e-4
        Learning rate of AdamW.
    batch_size : int, default=16
        Trials in a batch.
    weight_decay : float, default=0.05
        Decay of the weights.
    schedule : {"cosine"} or None, default="cosine"
        Learning rate schedule of each stage.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient.
    color_jitter : float, default=0.4
        Brightness, contrast and saturation vary by so much in training.
    normalize_pose : bool, default=True
        Move each skeleton into a square of fixed size; see
        :func:`skrehab.training.modalities.normalize_pose`.
    min_frames : int, optional
        Refuse clips with fewer frames; None means as many as the network looks at, 16 in the paper.
    early_stopping : bool, "patient" or "trial", default=False
        Hold out some training patients (True means ``"patient"``, which needs ``groups`` in `fit`)
        or some trials, stop each stage when their loss no longer falls, keep the best weights.
    validation_fraction : float, default=0.15
        Share held out for early stopping.
    patience : int, default=10
        Epochs to wait for a better validation loss.
    device : str, default="cpu"
        Torch device.
    random_state : int, RandomState or None, default=None
        Seed of the weights, the shuffle, dropout, the colours and the hold-out.
    weights : str or path-like, optional
        Weights of the RGB network to start from, such as torchvision's ``mvit_v2_s``; see
        :func:`skrehab.networks.weights.read_weights`.
    weights_sha256 : str, optional
        SHA-256 of the file; a pickled one is only read if it is given or known.
    verbose : int, default=0
        1 prints a line an epoch.
    net_params : dict, optional
        Anything else for :class:`skorch.NeuralNet`, such as callbacks.
    augment : Augmentation, dict or None, default=None
        How trials are changed in training, clip and skeleton alike; see
        :class:`skrehab.training.augmentation.Augmentation`. Its `color`, where it is set, stands in
        the place of `color_jitter`.
    warmup : int, default=0
        Epochs at the start over which the learning rate rises from batch to batch; `schedule` fills
        the rest. (`head_warmup` is about layers, this about the rate.)
    decay_norms : bool, default=True
        Whether `weight_decay` takes in biases, the weights of norms and tables of positions; papers
        with AdamW leave them out (False).
    views : int or (int, int), default=1
        Views of each clip whose probabilities are averaged in prediction: at several times, and
        cuts along the longer side of the pictures, as (10, 3). Skeletons are seen whole.

    Attributes
    ----------
    n_labels_ : int
        Number of labels.
    classes_ : ndarray of shape (n_labels,)
        Columns of y, 0 to ``n_labels_ - 1``.
    module_ : TransM3E
        The trained network; parts of a branch that is not used are None.
    stage_ : {1, 2}
        Last stage of training; it decides which tokens answer.
    history_ : list of dict
        Training and validation loss an epoch, with the stage and the branches (``"rgb"``,
        ``"pose"`` or ``"both"``).
    n_landmarks_, n_coords_ : int or None
        Trailing shape of the skeletons; None with ``modality="rgb"``.
    validation_groups_ : ndarray or None
        Patients held out for early stopping.
    weights_report_ : skrehab.networks.weights.LoadReport or None
        Which arrays came from `weights`, which were drawn and why.

    See Also
    --------
    MultiLabelVideoClassifier : One modality, any network of the registry.
    MultiLabelFusion : Fusion of two such classifiers, each trained by itself.
    skrehab.metrics.map_scorer : Mean average precision for ``scoring=``.

    Notes
    -----
    Trials that lack a modality are trained on too: they teach the branch that they have. Videos
    are decoded when a batch needs them, so that their number needs no memory.

    References
    ----------
    Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
    sections 4 and 5.1: 80 and 80 epochs, AdamW, learning rate 1e-4, colour jitter 0.4, clips of 16
    frames and 224 pixels. Weight decay, gradient clipping and schedule are the released code's.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import MuscleGroupClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = rng.randint(2, size=(6, 3))
    >>> X = [
    ...     {"rgb": np.full((16, 32, 32, 3), 200 * row[0], np.uint8), "pose": rng.rand(20, 17, 3)}
    ...     for row in y
    ... ]
    >>> small = {"widths": (8, 16), "depths": (1, 1), "image_size": 32, "pose_frames": 16}
    >>> model = MuscleGroupClassifier(
    ...     size="tiny", network_params=small, stage1_epochs=1, stage2_epochs=1, random_state=0
    ... )
    >>> model.fit(X, y).predict_proba(X).shape
    (6, 3)
    >>> model.predict_proba([{"pose": X[0]["pose"]}]).shape
    (1, 3)
    """

    _parameter_constraints = {
        **{
            key: TRAINING_CONSTRAINTS[key]
            for key in TRAINING_CONSTRAINTS
            if key not in ("class_weight", "max_epochs")
        },
        **PAPER_CONSTRAINTS,
        "modality": [StrOptions({"both", *MODALITIES})],
        "size": [StrOptions(set(SIZES))],
        "network_params": [dict, None],
        "loss": [StrOptions(set(LOSSES))],
        "threshold": [Interval(Real, 0, 1, closed="both")],
        "stage1_epochs": [Interval(Integral, 0, None, closed="left")],
        "stage2_epochs": [Interval(Integral, 0, None, closed="left")],
        "color_jitter": [Interval(Real, 0, 1, closed="both")],
        "normalize_pose": ["boolean"],
        "min_frames": [Interval(Integral, 1, None, closed="left"), None],
        "weights": [str, os.PathLike, None],
        "weights_sha256": [str, None],
    }

    # patients are passed on to fit wherever they are given, as to scikit-learn's group splitters
    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        modality="both",
        *,
        size="s",
        network_params=None,
        loss="sigmoid_bce",
        threshold=0.5,
        stage1_epochs=80,
        stage2_epochs=80,
        lr=1e-4,
        batch_size=16,
        weight_decay=0.05,
        schedule="cosine",
        gradient_clip=1.0,
        color_jitter=0.4,
        normalize_pose=True,
        min_frames=None,
        early_stopping=False,
        validation_fraction=0.15,
        patience=10,
        device="cpu",
        random_state=None,
        weights=None,
        weights_sha256=None,
        verbose=0,
        net_params=None,
        augment=None,
        warmup=0,
        decay_norms=True,
        views=1,
    ):
        keep_parameters(self, locals())

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the network.

        Parameters
        ----------
        X : list of dict
            ``{"rgb": path, uint8 array (n_frames, height, width, 3) or lazy clip, "pose":
            (n_frames, n_landmarks, n_coords)}`` each; one of the two may be None. A lost
            landmark (NaN) stands where it was seen before and after, see
            :mod:`skrehab.preprocessing.lost`.
        y : array-like of shape (n_trials, n_labels)
            1 where a trial has a label, else 0.
        sample_weight : array-like of shape (n_trials,), optional
            Weights in the cross-entropy.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        MuscleGroupClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If a trial holds nothing of `modality` or something else, labels do not fit, a modality
            is there for no trial, or early stopping by patient is asked for without groups.
        VideoError
            If clips are damaged or too short; the message names their files.
        """
        trials = check_modalities(X, self._modalities)
        y = check_multilabel(y, trials, self.loss)
        groups = check_groups(groups, trials)
        if self.weights is not None and self.modality == "pose":
            raise ValueError("weights are those of the RGB network, and modality is 'pose'.")
        stages = plan_stages(trials, self.modality, self.stage1_epochs, self.stage2_epochs)
        kinds = np.unique(y, axis=0, return_inverse=True)[1].reshape(-1)
        weights = trial_weights(kinds, None, sample_weight)
        random_state = check_random_state(self.random_state)
        inside, held_out = validation_split(
            kinds, groups, self.early_stopping, self.validation_fraction, random_state
        )
        self.n_labels_ = y.shape[1]
        self.classes_ = np.arange(self.n_labels_)
        shapes = [trial["pose"].shape for trial in trials if trial["pose"] is not None]
        self.n_landmarks_, self.n_coords_ = shapes[0][1:] if shapes else (None, None)
        self.validation_groups_ = held_out_patients(groups, held_out, self.early_stopping)
        self.history_ = []
        with seeded(random_state, self.device) as generator:
            self.module_ = self._build_module()
            self.weights_report_ = self._load_weights()
            check_clip_lengths(trials, self._min_frames)
            changes = plan_trial_changes(
                self.augment, [trials[i] for i in inside], self.module_, self.classes_
            )
            jitter = self.color_jitter if changes is None or not changes.how.color else 0.0
            for stage, branches, epochs in stages:
                self.stage_ = stage
                what = (trials, branches, y, weights)
                samples = self._samples(inside, *what, changes=changes)
                validation = None if held_out is None else self._samples(held_out, *what)
                history = train(
                    BranchTraining(self.module_, stage, jitter),
                    samples,
                    self._recipe(epochs),
                    generator=generator,
                    validation=validation or None,  # a modality that nobody held out has
                    criterion=BranchLoss(self.loss, self.module_.distillation_weight),
                )
                which = {"stage": stage, "branches": "both" if stage == 2 else branches[0]}
                self.history_ += [which | row for row in history]
        return self

    @property
    def _modalities(self):
        return MODALITIES if self.modality == "both" else (self.modality,)

    def _samples(self, index, trials, branches, y, weights, changes=None):
        """Show trials to some branches; those that have nothing for them are left out."""
        shown = [{m: trials[i][m] if m in branches else None for m in MODALITIES} for i in index]
        kept = [k for k, trial in enumerate(shown) if any(v is not None for v in trial.values())]
        index = np.asarray(index)[kept]
        parts = [shown[k] for k in kept], y[index], weights[index], self._collate
        return Samples(*parts) if changes is None else ClipSamples(*parts, changes)

    def _recipe(self, epochs):
        extra = {"optimizer": torch.optim.AdamW} | (self.net_params or {})
        own = {field.name for field in fields(Recipe) if hasattr(self, field.name)}
        values = {name: getattr(self, name) for name in own}
        return Recipe(**values | {"max_epochs": epochs, "net_params": extra})

    def _build_module(self):
        """Build the network for the shapes seen in fit; also used when a model is loaded."""
        network = TransM3E(
            self.n_labels_,
            n_landmarks=self.n_landmarks_ or 17,
            n_coords=self.n_coords_ or 3,
            size=self.size,
            loss_function=self.loss,
            **(self.network_params or {}),
        )
        return keep_branches(network, self.modality)

    def _load_weights(self):
        if self.weights is None:
            return None
        state = read_weights(self.weights, sha256=self.weights_sha256)
        return self.module_.rgb.load_torchvision(state)

    @property
    def _min_frames(self):
        return self.min_frames or self.module_.clip.n_frames

    @property
    def _collate(self):
        n_dims = None
        if self.normalize_pose and self.n_landmarks_ is not None:
            name = (self.network_params or {}).get("skeleton")
            skeleton = get_skeleton(name) if name else guess_skeleton(self.n_landmarks_)
            n_dims = min(skeleton.n_dims, self.n_coords_)
        recipe = self.module_.clip
        return partial(
            collate_modalities, recipe=recipe, min_frames=self._min_frames, n_dims=n_dims
        )

    def predict_proba(self, X):
        """Compute the probability of each label.

        Parameters
        ----------
        X : list of dict
            As in `fit`. Where a trial lacks a modality, the other one decides alone.

        Returns
        -------
        ndarray of shape (n_trials, n_labels)
            Probabilities.

        Raises
        ------
        ValueError
            If a trial holds nothing of `modality`, or something else.
        VideoError
            If clips are damaged or too short; the message names their files.
        """
        check_is_fitted(self)
        shape = {"n_landmarks": self.n_landmarks_, "n_coords": self.n_coords_}
        trials = check_modalities(X, self._modalities, **shape)
        check_clip_lengths(trials, self._min_frames)
        views = check_views(self.views)
        views = views if any(trial["rgb"] is not None for trial in trials) else views[:1]
        network = BranchTraining(self.module_, self.stage_, 0.0)
        with predicting(network, self.device):
            seen = [
                predict_branches(network, trials, view, self._collate, self.batch_size, self.device)
                for view in views
            ]
        return np.mean(seen, axis=0, dtype=np.float32)
