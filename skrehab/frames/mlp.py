"""FrameMLP: a verdict for every frame, from that frame alone."""

from numbers import Real

import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from skrehab._parameters import keep_parameters
from skrehab.frames.classifier import FRAME_CONSTRAINTS, FrameClassifier
from skrehab.frames.targets import class_weights, frame_weights
from skrehab.networks.sequence.mlp import MLP
from skrehab.training.batching import Samples
from skrehab.training.loop import probabilities
from skrehab.training.sequences import SingleFrames
from skrehab.trials import check_frame

__all__ = ["FrameMLP"]


class FrameMLP(FrameClassifier):
    """Multilayer perceptron that classifies each frame on its own.

    It sees one frame at a time, so what it says of a frame never depends on later ones: with a
    causal :class:`DisplacementSmoother` before it, offline and live results are the same.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(64,)
        Units of the hidden layers; the paper tries one or two layers of 32 to 256.
    dropout : float, default=0.2
        Dropout after each hidden layer.
    lr : float, default=1e-3
        Learning rate.
    max_epochs : int or "auto", default=50
        Epochs; ``"auto"`` makes about 520 steps of the optimiser, in 18 to 200 epochs.
    batch_size : int, default=256
        Frames in a batch.
    weight_decay : float, default=0.0
        L2 penalty.
    schedule : {"cosine", "cosine_batch"} or None, default="cosine"
        Learning rate schedule, from epoch to epoch or from batch to batch.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    resampler : object with fit_resample, default=None
        An imbalanced-learn sampler for the training frames, such as ``RandomUnderSampler()``;
        without a ``random_state`` of its own it takes its seed from ours.
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
        Seed of the weights, the shuffle, dropout and the hold-out.
    verbose : int, default=0
        1 prints a line an epoch.
    net_params : dict, optional
        Anything else for :class:`skorch.NeuralNet`, such as callbacks. With it, with `verbose` or
        on a GPU the general loop trains, which takes longer; its steps are the same but for
        rounding.
    classes : array-like of shape (n_classes,), optional
        Names of the columns of soft labels; None takes those of
        :class:`~skrehab.frames.SoftLabels`, else 0, 1, ...
    optimizer : {"adam", "adamw"}, default="adam"
        Which; they differ in what `weight_decay` does.
    min_lr : float, default=0.0
        Where the schedule ends.
    gradient_clip_value : float or None, default=None
        Largest absolute value of each number in the gradient.
    standardize : bool, default=False
        Subtract the mean and divide by the standard deviation of each coordinate over the training
        frames, behind the changes of `augment`; a lost landmark then counts as the mean.
    augment : Augmentation, dict or None, default=None
        How frames are changed in training; see :class:`skrehab.training.augmentation.Augmentation`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Frame labels seen in fit, without ``-1``.
    module_ : torch.nn.Module
        The trained network.
    history_ : list of dict
        Training and validation loss an epoch.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.
    scaler_ : LandmarkScaler or None
        What `standardize` measured.
    trial_ranking_ : float
        How well the model's scores, pooled, rank training trials with the motion above those
        without: area under the ROC curve, of up to 32 trials of either kind. NaN if there are
        fewer than five of a kind, or frame labels do not tell which class is no motion. Under 0.6
        there is a warning. A model that knows its training frames by heart ranks them all the same.
    validation_groups_ : ndarray or None
        Patients held out as a whole for early stopping.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-F (Model B).

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> rng = np.random.RandomState(0)
    >>> frame_labels = [rng.randint(2, size=30) for _ in range(8)]
    >>> X = [rng.randn(30, 5, 3) + 2 * labels[:, None, None] for labels in frame_labels]
    >>> model = FrameMLP((32,), lr=0.01, random_state=0).fit(X, frame_labels)
    >>> model.predict_proba(X)[0].shape
    (30, 2)
    >>> bool(model.score(X, frame_labels) > 0.9)
    True
    """

    _parameter_constraints = {
        "hidden_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "resampler": [HasMethods("fit_resample"), None],
        **FRAME_CONSTRAINTS,
    }

    def __init__(
        self,
        hidden_layer_sizes=(64,),
        *,
        dropout=0.2,
        lr=1e-3,
        max_epochs=50,
        batch_size=256,
        weight_decay=0.0,
        schedule="cosine",
        gradient_clip=1.0,
        class_weight=None,
        resampler=None,
        early_stopping=False,
        validation_fraction=0.15,
        patience=10,
        device="cpu",
        random_state=None,
        verbose=0,
        net_params=None,
        classes=None,
        optimizer="adam",
        min_lr=0.0,
        gradient_clip_value=None,
        standardize=False,
        augment=None,
    ):
        keep_parameters(self, locals())

    def _training_samples(self, X, targets, weights, inside, random_state, **who):
        if self.resampler is None:
            return super()._training_samples(X, targets, weights, inside, random_state, **who)
        if targets.soft:
            raise ValueError("resampler counts labels, and y is soft: use class_weight instead.")
        if self.augment is not None:
            raise ValueError("resampler and augment cannot be used together: pick one.")
        features, values, weight = self._frames(X, targets, weights, inside)
        features, values, weight = self._resample(features, values, weight, random_state)
        of_class = class_weights(values, self.classes_, self.class_weight)
        return Samples(torch.from_numpy(features), values, weight * of_class[values]), of_class

    def _frames(self, X, targets, weights, side):
        """Labelled frames of some trials: features, classes or their probabilities, weights."""
        known = targets.known
        ends = np.cumsum([known[i].sum() for i in side])
        features = np.empty((ends[-1], X[0][0].size), dtype=np.float32)
        for i, end in zip(side, ends):  # trial by trial: what all hold is copied once
            frames = X[i] if known[i].all() else X[i][known[i]]
            features[end - len(frames) : end] = _flatten(self._scaled(frames))
        values = np.concatenate([targets.values[i][known[i]] for i in side])
        return features, values, np.concatenate([weights[i][known[i]] for i in side])

    def _scaled(self, frames):
        if self.scaler_ is None or not len(frames):
            return frames
        return self.scaler_.transform([frames])[0]

    def _samples(self, X, targets, weights, side, of_class, changes=None):
        features, values, weight = self._frames(X, targets, weights, side)
        weight = weight * frame_weights(values, of_class)
        if changes is None:
            return Samples(torch.from_numpy(features), targets.for_network(values), weight)
        frames = np.concatenate([X[i][targets.known[i]] for i in side])
        return SingleFrames(
            *(frames, targets.for_network(values), weight), scaling=self._scaling, changes=changes
        )

    def _resample(self, features, codes, weight, random_state):
        if np.unique(codes).size < 2:
            return features, codes, weight  # nothing to balance
        if not (weight == weight[0]).all():
            raise ValueError("resampler and sample_weight cannot be used together: pick one.")
        resampler = clone(self.resampler, safe=False)  # the parameter stays as the user gave it
        if getattr(resampler, "random_state", 0) is None:
            resampler.set_params(random_state=random_state.randint(np.iinfo(np.int32).max))
        # with the names of the classes, which is how a sampling strategy is written
        features, labels = resampler.fit_resample(features, self.classes_[codes])
        code_of = {label: code for code, label in enumerate(self.classes_.tolist())}
        codes = np.array([code_of[label] for label in np.asarray(labels).tolist()])
        return features.astype(np.float32), codes, np.full(len(codes), weight[0])

    def _build_module(self):
        """Build the network for the shapes seen in fit; also used when a model is loaded."""
        return MLP(
            self.n_landmarks_ * self.n_coords_,
            self._n_outputs(),
            tuple(self.hidden_layer_sizes),
            self.dropout,
        )

    def _frame_logits(self, X):
        return [
            self.module_(torch.from_numpy(_flatten(trial)).to(self.device)).cpu().numpy()
            for trial in X
        ]

    def _stream(self):
        """Return what classifies frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        layers = [layer for layer in self.module_ if isinstance(layer, torch.nn.Linear)]
        return _MLPStream(
            (self.n_landmarks_, self.n_coords_),
            [layer.weight.detach().cpu().numpy().copy() for layer in layers],
            [layer.bias.detach().cpu().numpy().copy() for layer in layers],
            len(self.classes_),
            self.scaler_,
        )


class _MLPStream:
    """The network in numpy: for one frame, torch takes longer to start than to calculate."""

    def __init__(self, shape, weights, biases, n_classes, scaler):
        self.shape, self.weights, self.biases = shape, weights, biases
        self.n_classes = n_classes
        self.scaler = None if scaler is None else scaler._stream()

    def reset(self):
        pass

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        if self.n_classes == 1:
            return np.ones(1, dtype=np.float32)
        if self.scaler is not None:
            frame = self.scaler.push(frame, timestamp)
        values = np.where(np.isnan(frame), np.float32(0), frame).ravel()
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            values = np.maximum(weight @ values + bias, 0)
        return probabilities((self.weights[-1] @ values + self.biases[-1])[None])[0]


def _flatten(frames):
    """(n_frames, n_landmarks, n_coords) -> (n_frames, n_features) float32 without NaN."""
    own = frames.reshape(len(frames), -1).astype(np.float32)
    return np.nan_to_num(own, copy=False, nan=0.0)
