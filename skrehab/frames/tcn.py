"""FrameTCN: a verdict for every frame, from the frames before it too."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval

from skrehab._parameters import keep_parameters
from skrehab.frames.classifier import FRAME_CONSTRAINTS, FrameClassifier
from skrehab.frames.stream import convolution_stream
from skrehab.frames.targets import frame_weights
from skrehab.networks.sequence.frame_tcn import FrameConvolutions
from skrehab.training.batching import iterate_by_length
from skrehab.training.loop import MORE_TRAINING_CONSTRAINTS, FrameLoss
from skrehab.training.sequences import Sequences
from skrehab.training.thinning import Thinned, choose_step, thin_all

__all__ = ["FrameTCN"]


class FrameTCN(FrameClassifier):
    """Temporal convolutional network that classifies each frame from its neighbourhood.

    The temporal model beside :class:`FrameMLP`, with the same contract. Causal by default: what it
    says of a frame depends on that frame and those before it, so that offline and live results are
    the same. It learns from one label a frame or from soft labels, the probability of each class,
    such as a stronger network gives that saw the whole trial.

    Parameters
    ----------
    channels : int, default=32
        Width.
    n_blocks : int, default=4
        Convolutions; their dilations are 1, 2, 4, ...
    kernel_size : int, default=5
        Frames a convolution sees; four blocks of five see 61 frames.
    causal : bool, default=True
        Look at the past only. False looks as far ahead as back, for recordings.
    dropout : float, default=0.2
        Dropout after each convolution.
    lr : float, default=2e-3
        Learning rate.
    max_epochs : int or "auto", default=25
        Epochs; ``"auto"`` makes about 520 steps of the optimiser, in 18 to 200 epochs.
    batch_size : int, default=32
        Trials in a batch.
    weight_decay : float, default=0.0
        Weight decay.
    schedule : {"cosine", "cosine_batch"} or None, default="cosine_batch"
        Learning rate schedule, from epoch to epoch or from batch to batch.
    gradient_clip : float or None, default=None
        Largest norm of the gradient.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    early_stopping : bool, "patient" or "trial", default=False
        Hold out some training patients (True means ``"patient"``, which needs ``groups`` in `fit`)
        or trials, stop when their loss no longer falls, keep the best weights.
    validation_fraction : float, default=0.15
        Share held out for early stopping; of patients at most one half.
    patience : int, default=10
        Epochs to wait for a better validation loss.
    device : str, default="cpu"
        Torch device.
    random_state : int, RandomState or None, default=None
        Seed of the weights, the shuffle, dropout, the changes and the hold-out.
    verbose : int, default=0
        1 prints a line an epoch.
    net_params : dict, optional
        Anything else for :class:`skorch.NeuralNet`, such as callbacks.
    classes : array-like of shape (n_classes,), optional
        Names of the columns of soft labels; None takes those of
        :class:`~skrehab.frames.SoftLabels`, else 0, 1, ...
    optimizer : {"adam", "adamw"}, default="adamw"
        Which; they differ in what `weight_decay` does.
    min_lr : float, default=0.0
        Where the schedule ends.
    gradient_clip_value : float or None, default=None
        Largest absolute value of each number in the gradient.
    standardize : bool, default=True
        Subtract the mean and divide by the standard deviation of each coordinate over the training
        frames, behind the changes of `augment`; a lost landmark then counts as the mean.
    augment : Augmentation, dict or None, default=None
        How trials are changed in training; see :class:`skrehab.training.augmentation.Augmentation`.
    like_length : int, default=0
        Batches of trials of like length, sorted within so many batches; 0 shuffles freely.
    step : int or "auto", default=1
        Look at every so many frames: in training those of a random phase of each trial, afterwards
        all phases, so that every frame has a verdict. ``"auto"`` is 1 for a median training trial
        of up to 75 frames, else its length over 50, rounded, at most 6.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Frame labels seen in fit, without ``-1``; or the names of the columns of soft labels.
    module_ : torch.nn.Module
        The trained network.
    history_ : list of dict
        Training and validation loss an epoch.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.
    scaler_ : LandmarkScaler or None
        What `standardize` measured.
    step_ : int
        What `step` came to: frame t is judged from the frames t, t - step, t - 2 step, ...
    trial_ranking_ : float
        How well the model's scores, pooled, rank training trials with the motion above those
        without: area under the ROC curve, of up to 32 trials of either kind. NaN if there are
        fewer than five of a kind, or frame labels do not tell which class is no motion. Under 0.6
        there is a warning. A model that knows its training frames by heart ranks them all the same.
    validation_groups_ : ndarray or None
        Patients held out as a whole for early stopping.

    References
    ----------
    Bai, Kolter & Koltun 2018, arXiv:1803.01271: the network. Gao et al. 2020, arXiv:2006.03732:
    a network that sees the past only, taught by one that sees whole trials with one label each.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameTCN
    >>> rng = np.random.RandomState(0)
    >>> labels = [np.repeat([0, 1, 0], 10) for _ in range(8)]
    >>> X = [rng.randn(30, 5, 3) + 2 * frames[:, None, None] for frames in labels]
    >>> soft = [np.stack([1 - 0.9 * frames, 0.9 * frames], axis=1) for frames in labels]
    >>> model = FrameTCN(max_epochs=10, lr=0.01, random_state=0).fit(X, soft)
    >>> model.predict_proba(X)[0].shape
    (30, 2)
    >>> bool(model.score(X, labels) > 0.9)
    True
    """

    _parameter_constraints = {
        "channels": [Interval(Integral, 1, None, closed="left")],
        "n_blocks": [Interval(Integral, 1, None, closed="left")],
        "kernel_size": [Interval(Integral, 1, None, closed="left")],
        "causal": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "like_length": MORE_TRAINING_CONSTRAINTS["like_length"],
        "step": MORE_TRAINING_CONSTRAINTS["step"],
        **FRAME_CONSTRAINTS,
    }

    _criterion = FrameLoss

    def __init__(
        self,
        channels=32,
        n_blocks=4,
        kernel_size=5,
        *,
        causal=True,
        dropout=0.2,
        lr=2e-3,
        max_epochs=25,
        batch_size=32,
        weight_decay=0.0,
        schedule="cosine_batch",
        gradient_clip=None,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.15,
        patience=10,
        device="cpu",
        random_state=None,
        verbose=0,
        net_params=None,
        classes=None,
        optimizer="adamw",
        min_lr=0.0,
        gradient_clip_value=None,
        standardize=True,
        augment=None,
        like_length=0,
        step=1,
    ):
        keep_parameters(self, locals())

    def _choose_step(self, lengths):
        self.step_ = choose_step(self.step, lengths)

    def _samples(self, X, targets, weights, side, of_class, changes=None):
        columns = self._columns(X, targets, weights, side, of_class)
        return Sequences(*columns, scaling=self._scaling, changes=changes, step=self.step_)

    def _held_out_samples(self, X, targets, weights, side, of_class):
        columns = self._columns(X, targets, weights, side, of_class)
        return Sequences(*(thin_all(one, self.step_)[0] for one in columns), scaling=self._scaling)

    def _columns(self, X, targets, weights, side, of_class):
        """Trials of one side with the targets and weights of their frames."""
        values = [targets.values[i] for i in side]
        return (
            [X[i] for i in side],
            [targets.for_network(value) for value in values],
            [weights[i] * frame_weights(value, of_class) for i, value in zip(side, values)],
        )

    def _build_module(self):
        """Build the network for the shapes seen in fit; also used when a model is loaded."""
        return FrameConvolutions(
            self.n_landmarks_,
            self.n_coords_,
            self._n_outputs(),
            channels=self.channels,
            n_blocks=self.n_blocks,
            kernel_size=self.kernel_size,
            causal=self.causal,
            dropout=self.dropout,
        )

    def _frame_logits(self, X):
        logits = [None] * len(X)
        step = getattr(self, "step_", 1)
        network = self.module_ if step == 1 else Thinned(self.module_, step).frame_logits
        for index, x, lengths in iterate_by_length(X, self.batch_size):
            rows = network(x.to(self.device), lengths).cpu().numpy()
            for i, row in zip(index, rows):
                logits[i] = row[: len(X[i])]
        return logits

    def _stream(self):
        """Return what classifies frame by frame; see :mod:`skrehab.live`."""
        return convolution_stream(self, "FrameTCN(causal=True)")
