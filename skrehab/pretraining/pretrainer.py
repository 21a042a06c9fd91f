"""PoseSequencePretrainer: learn to represent movement from pose sequences without any label."""

import os
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab._surroundings import predicting
from skrehab._trial_list import GivesTrials, TrialList
from skrehab.networks.pose_input import PoseInput
from skrehab.preprocessing.lost import complete_poses, complete_trials
from skrehab.skeletons import Skeleton
from skrehab.training.batching import iterate_by_length, pad_trials
from skrehab.training.loop import seeded
from skrehab.trials import check_trials, tag_trial_input

from .checkpoints import Checkpoint, run_key
from .going_on import check_goes_on, take_over, write_encoder
from .limbs import limbs_to_mask
from .loop import pretrain
from .network import PretextNetwork
from .progress import progress_bar
from .tasks import OBJECTIVES, resample

__all__ = ["PoseSequencePretrainer"]

# parameters that do not decide what is learned, or do so through the prepared trials
_NOT_IN_KEY = {
    *("skeleton", "common_skeleton", "max_frames", "warm_start", "device", "verbose"),
    *("checkpoint_every", "checkpoint_dir", "random_state"),
}


class PoseSequencePretrainer(GivesTrials, TransformerMixin, BaseEstimator):
    """Learn from unlabelled pose sequences, and turn trials into one vector a frame.

    A bidirectional GRU reads a sequence that was slowed at random; one decoder says by how much,
    another gives back a limb that was masked. What the GRU says of a frame is its representation.

    Parameters
    ----------
    hidden_size : int, default=1000
        Units of a layer and direction. The published size has 24 million parameters in the encoder
        alone; 64 to 128 is what a CPU trains in minutes.
    n_layers : int, default=2
        Layers of encoder and decoder.
    objective : str, default="pace+inpaint"
        What is asked: ``"pace"`` (how much the sequence was slowed), ``"inpaint"`` (a masked limb),
        ``"reconstruct"`` (everything masked), ``"predict_motion"`` (the second half masked),
        ``"order"`` (25 shuffled segments), or ``"pace+inpaint"``, ``"pace+reconstruct"``,
        ``"pace+predict_motion"``. Nothing is slowed where pace is not asked. See
        :func:`skrehab.pretraining.tasks.view`.
    alpha : float, default=0.01
        Weight of the adversarial loss in the decoder's; 0 leaves the discriminator out.
    beta : float, default=0.2
        Weight of the pace loss in the encoder's.
    paces : tuple of float, default=(0.6, 0.7, 0.8, 0.9, 1.0)
        Speeds to draw from, as shares of the trial's own.
    skeleton : str, Skeleton or dict, optional
        Skeleton of the trials, which says what a limb is; None guesses it from the number of
        landmarks. A dict from numbers of landmarks to names serves several data sets.
    common_skeleton : str or Skeleton, optional
        Convert all trials to this skeleton, such as ``"common15"``, so that one encoder learns from
        data sets with different landmarks and serves them; scores such as visibility are left out.
    reduction : {"mean", "sum"}, default="mean"
        Reconstruction loss of a trial: mean over its frames and landmarks, or their sum, as
        equation (2) is printed.
    discriminator_size : int, optional
        Units of the discriminator; None means a fifth of `hidden_size`, as published (200).
    lr : float, default=3e-4
        Learning rate of Adam.
    lr_decay : float, default=0.9
        What the learning rate is multiplied by every `lr_decay_every` epochs.
    lr_decay_every : int, default=10
        Epochs with one learning rate.
    batch_size : int, default=55
        Trials in a batch.
    max_epochs : int, default=300
        Epochs of each `fit` or `partial_fit`.
    max_frames : int, default=743
        Longer trials are resampled to this many frames while learning; `transform` takes them as
        they are.
    warm_start : bool, default=False
        Let `fit` go on from what an earlier `fit` learned, as `partial_fit` does.
    checkpoint_every : int, optional
        Epochs between checkpoints; None writes one at the end only.
    checkpoint_dir : str or path-like, optional
        Where to keep checkpoints. The same call on the same trials then goes on where it was
        killed, with the same result bit for bit, and returns at once if it had finished. With
        ``random_state=None`` the seed of the run on disk goes on.
    device : str, default="cpu"
        Torch device.
    random_state : int, RandomState or None, default=None
        Seed of the weights, the batches and the tasks.
    verbose : bool, default=False
        Show a progress bar.

    Attributes
    ----------
    module_ : skrehab.pretraining.network.PretextNetwork
        The trained networks; ``module_.encoder`` is what `transform` uses.
    history_ : list of dict
        Learning curves, one row an epoch: ``stage`` (0 for the first fit, 1 for what went on from
        it, ...), ``epoch``, ``lr`` and the mean of each loss: ``pace`` and ``pace_accuracy``,
        ``reconstruction``, ``adversarial`` and ``discriminator``, ``order``.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials seen last.
    pose_shape_ : tuple of int
        Landmarks and coordinates that the encoder reads.
    network_params_ : dict
        Parameters with which ``VideoClassifier("pretrained_gru", network_params=...)`` takes the
        weights that :meth:`save_encoder` writes.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, sections 3.1 and 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import PoseSequencePretrainer
    >>> rng = np.random.RandomState(0)
    >>> X = [rng.randn(n, 33, 3).cumsum(axis=0) for n in (30, 20, 25)]
    >>> pretrainer = PoseSequencePretrainer(hidden_size=8, max_epochs=2, random_state=0)
    >>> [frames.shape for frames in pretrainer.fit_transform(X)]
    [(30, 16, 1), (20, 16, 1), (25, 16, 1)]
    >>> pretrainer.history_[-1]["epoch"], sorted(pretrainer.history_[-1])[:3]
    (2, ['adversarial', 'discriminator', 'epoch'])
    """

    _parameter_constraints = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "objective": [StrOptions(set(OBJECTIVES))],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "beta": [Interval(Real, 0, None, closed="left")],
        "paces": [tuple, list],
        "skeleton": [str, Skeleton, dict, None],
        "common_skeleton": [str, Skeleton, None],
        "reduction": [StrOptions({"mean", "sum"})],
        "discriminator_size": [Interval(Integral, 1, None, closed="left"), None],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_decay": [Interval(Real, 0, 1, closed="right")],
        "lr_decay_every": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "max_frames": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "checkpoint_every": [Interval(Integral, 1, None, closed="left"), None],
        "checkpoint_dir": [str, os.PathLike, None],
        "device": [str],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        hidden_size=1000,
        n_layers=2,
        *,
        objective="pace+inpaint",
        alpha=0.01,
        beta=0.2,
        paces=(0.6, 0.7, 0.8, 0.9, 1.0),
        skeleton=None,
        common_skeleton=None,
        reduction="mean",
        discriminator_size=None,
        lr=3e-4,
        lr_decay=0.9,
        lr_decay_every=10,
        batch_size=55,
        max_epochs=300,
        max_frames=743,
        warm_start=False,
        checkpoint_every=None,
        checkpoint_dir=None,
        device="cpu",
        random_state=None,
        verbose=False,
    ):
        keep_parameters(self, locals())

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn from trials; with ``warm_start`` go on from what was learned before.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials; a lost landmark (NaN) stands where it was seen before and after,
            see :mod:`skrehab.preprocessing.lost`.
        y : None
            Ignored.

        Returns
        -------
        PoseSequencePretrainer
            The pretrainer itself.

        Raises
        ------
        ValueError
            If limbs are to be masked but the skeleton is not known, or the trials are not those
            that the encoder to go on from reads.
        """
        return self._learn(X, go_on=self.warm_start)

    @fit_context(prefer_skip_nested_validation=True, goes_on=True)
    def partial_fit(self, X, y=None):
        """Go on learning from other trials: `max_epochs` more, with a fresh optimiser.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials, with `common_skeleton` of any skeleton that can be converted to it.
        y : None
            Ignored.

        Returns
        -------
        PoseSequencePretrainer
            The pretrainer itself.
        """
        return self._learn(X, go_on=True)

    def _learn(self, X, go_on):
        X = check_trials(X)
        self._check_settings()
        limbs = limbs_to_mask(self.objective, X[0].shape[1], self.skeleton, self.common_skeleton)
        pose_input = self._pose_input(X[0].shape[1:])
        go_on = go_on and hasattr(self, "module_")
        before = self.module_ if go_on else None
        if go_on:
            check_goes_on(self, pose_input.shape)
        poses = [_prepare(trial, pose_input, self.max_frames) for trial in X]
        stage = self.history_[-1]["stage"] + 1 if go_on else 0

        random_state = check_random_state(self.random_state)
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        self.pose_shape_ = pose_input.shape
        with seeded(random_state, self.device):
            module = self._build_module()
        if go_on:
            take_over(before, module)
        seed = [int(random_state.randint(np.iinfo(np.int32).max)), stage]
        with progress_bar(self.verbose, self.max_epochs) as after_epoch:
            history = pretrain(
                module,
                poses,
                objective=self.objective,
                paces=self.paces,
                limbs=limbs,
                lr=self.lr,
                lr_decay=self.lr_decay,
                lr_decay_every=self.lr_decay_every,
                batch_size=self.batch_size,
                max_epochs=self.max_epochs,
                seed=seed,
                device=self.device,
                checkpoint=self._checkpoint(poses, limbs, before, seed),
                after_epoch=after_epoch,
            )
        rows = [{"stage": stage, **row} for row in history]
        self.history_ = [*self.history_, *rows] if go_on else rows
        self.module_ = module
        self.network_params_ = {"hidden_size": self.hidden_size, "n_layers": self.n_layers}
        for name in ("skeleton", "common_skeleton"):
            if getattr(self, name) is not None:
                self.network_params_[name] = getattr(self, name)
        return self

    def _check_settings(self):
        """Refuse settings that scikit-learn's table of parameters cannot."""
        if not self.paces or not all(0 < pace <= 1 for pace in self.paces):
            raise ValueError(f"paces must be shares in (0, 1], got {self.paces}.")
        if self.checkpoint_every is not None and self.checkpoint_dir is None:
            raise ValueError("checkpoint_every needs checkpoint_dir: a folder to write to.")

    def _pose_input(self, shape):
        return PoseInput(*shape, skeleton=self.skeleton, common_skeleton=self.common_skeleton)

    def _build_module(self):
        """Build the networks for the shape seen in fit; also used when a model is loaded."""
        return PretextNetwork(
            *self.pose_shape_,
            objective=self.objective,
            n_paces=len(self.paces),
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            discriminator_size=self.discriminator_size,
            alpha=self.alpha,
            beta=self.beta,
            reduction=self.reduction,
        )

    def _checkpoint(self, poses, limbs, before, seed):
        if self.checkpoint_dir is None:
            return None
        params = {k: v for k, v in self.get_params().items() if k not in _NOT_IN_KEY}
        weights = {}
        if before is not None:
            weights = {k: v.cpu().numpy() for k, v in before.state_dict().items()}
        seed = None if self.random_state is None else seed
        key = run_key(params, poses, limbs, weights, seed)
        return Checkpoint(self.checkpoint_dir, key, self.checkpoint_every)

    def transform(self, X):
        """Compute the encoder's representation of every frame, at the trial's own pace.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials of any length; with `common_skeleton` of any skeleton that can be converted.

        Returns
        -------
        list of ndarray of shape (n_frames_i, 2 * hidden_size, 1), dtype float32
            One vector a frame, forward units first, each as if it were a landmark with one
            coordinate: the contract of trials holds, and any estimator of them can follow.
        """
        check_is_fitted(self, "module_")
        if self.common_skeleton is None:
            X = check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)
        else:
            X = check_trials(X)
        representations = [None] * len(X)
        with predicting(self.module_, self.device) as module:
            pose_input = self._pose_input(X[0].shape[1:]).to(self.device)
            for index, x, lengths in iterate_by_length(complete_trials(X), self.batch_size):
                poses = pose_input(x.to(self.device), lengths).flatten(2)
                frames = module.encoder(poses, lengths)[0].cpu().numpy()
                for i, one, n_frames in zip(index, frames, lengths.tolist()):
                    representations[i] = one[:n_frames, :, None].copy()
        return TrialList(representations)

    def save_encoder(self, path):
        """Write the encoder's weights for ``VideoClassifier("pretrained_gru", weights=path)``.

        Parameters
        ----------
        path : str or path-like
            A ``.safetensors`` file to write.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ValueError
            If the name does not end so.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from skrehab import PoseSequencePretrainer, VideoClassifier
        >>> X = list(np.random.RandomState(0).randn(4, 20, 33, 3))
        >>> pretrainer = PoseSequencePretrainer(8, max_epochs=1, random_state=0).fit(X)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     classifier = VideoClassifier(
        ...         "pretrained_gru",
        ...         network_params=pretrainer.network_params_,
        ...         weights=pretrainer.save_encoder(folder + "/encoder.safetensors"),
        ...         head="new",
        ...         max_epochs=2,
        ...     ).fit(X, [0, 1, 0, 1])
        >>> len(classifier.weights_report_.loaded)
        16
        """
        check_is_fitted(self, "module_")
        sizes = {"hidden_size": self.hidden_size, "n_layers": self.n_layers}
        return write_encoder(
            path, self.module_.encoder, {"pose_shape": list(self.pose_shape_), **sizes}
        )

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


def _prepare(trial, pose_input, max_frames):
    """Bring one trial to what the encoder reads, no longer than allowed."""
    x, _ = pad_trials([complete_poses(trial)])
    with torch.inference_mode():
        poses = pose_input(x)[0].numpy()
    return resample(poses, max_frames) if len(poses) > max_frames else poses
