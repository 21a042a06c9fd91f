"""FrameMLP: a verdict for every frame, from that frame alone."""

from numbers import Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from skrehab.networks.sequence.mlp import MLP
from skrehab.training.batching import Samples
from skrehab.training.loop import (
    TRAINING_CONSTRAINTS,
    Recipe,
    held_out_patients,
    probabilities,
    seeded,
    train,
    validation_split,
)
from skrehab.trials import (
    check_frame,
    check_frame_labels,
    check_frame_weights,
    check_groups,
    check_trials,
    labelled,
    ragged,
    tag_trial_input,
)

__all__ = ["FrameMLP"]


class FrameMLP(ClassifierMixin, BaseEstimator):
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
        Learning rate of Adam.
    max_epochs : int, default=50
        Epochs.
    batch_size : int, default=256
        Frames in a batch.
    weight_decay : float, default=0.0
        L2 penalty.
    schedule : {"cosine"} or None, default="cosine"
        Learning rate schedule.
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
        Anything else for :class:`skorch.NeuralNet`, such as callbacks.

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
        **TRAINING_CONSTRAINTS,
    }

    # patients are passed on to fit wherever they are given, as to scikit-learn's group splitters
    __metadata_request__fit = {"groups": True}

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
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.gradient_clip = gradient_clip
        self.class_weight = class_weight
        self.resampler = resampler
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.net_params = net_params

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Train on the labelled frames.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials; NaN (a lost landmark) counts as zero.
        y : sequence of array-like of shape (n_frames_i,)
            Frame labels of each trial; frames labelled ``-1`` are not used.
        sample_weight : array-like of shape (n_trials,) or sequence of (n_frames_i,), optional
            Weights of trials or frames; only how they compare counts.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        FrameMLP
            The classifier itself. With one class of labels it predicts that class.

        Raises
        ------
        ValueError
            If labels do not fit the frames, no frame is labelled, or early stopping by patient is
            asked for without groups.
        """
        X = check_trials(X)
        y = check_frame_labels(y, X)
        groups = check_groups(groups, X)
        weights = check_frame_weights(sample_weight, X)
        use = [labelled(labels) for labels in y]
        if not any(mask.any() for mask in use):
            raise ValueError("No frame is labelled: every label in y is -1 ('not used').")

        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        self.classes_ = np.unique(np.concatenate([labels[m] for labels, m in zip(y, use)]))
        random_state = check_random_state(self.random_state)

        def frames(trials, purpose):
            """Labelled frames of some trials as (features, class codes, weights)."""
            picked = [i for i in trials if use[i].any()]
            if not picked:
                raise ValueError(f"No frame is labelled among the trials {purpose}.")
            features = np.concatenate([_flatten(X[i][use[i]]) for i in picked])
            labels = np.concatenate([y[i][use[i]] for i in picked])
            if weights is None:
                weight = np.ones(len(labels))
            else:
                weight = np.concatenate([weights[i][use[i]] for i in picked])
            return features, np.searchsorted(self.classes_, labels), weight

        # when patients are held out, keep trials that hold several classes in proportion
        strata = np.array([len(np.unique(labels[m])) > 1 for labels, m in zip(y, use)], dtype=int)
        inside, held_out = validation_split(
            strata,
            groups,
            self.early_stopping,
            self.validation_fraction,
            random_state,
            labels=[labels[m] for labels, m in zip(y, use)],
        )
        self.validation_groups_ = held_out_patients(groups, held_out, self.early_stopping)

        features, codes, weight = frames(inside, "left for training")
        if self.resampler is not None:
            features, codes, weight = self._resample(features, codes, weight, random_state)
        of_class = np.ones(len(self.classes_))
        of_class[codes] = compute_sample_weight(self.class_weight, self.classes_[codes])
        samples = Samples(torch.from_numpy(features), codes, weight * of_class[codes])
        validation = None
        if held_out is not None:
            features, codes, weight = frames(held_out, "held out for early stopping")
            validation = Samples(torch.from_numpy(features), codes, weight * of_class[codes])

        with seeded(random_state, self.device) as generator:
            self.module_ = self._build_module()
            self.history_ = []
            if len(self.classes_) > 1:
                self.history_ = train(
                    *(self.module_, samples, Recipe.of(self)),
                    generator=generator,
                    validation=validation,
                )
        return self

    def _resample(self, features, codes, weight, random_state):
        if np.unique(codes).size < 2:
            return features, codes, weight  # nothing to balance
        if not (weight == weight[0]).all():
            raise ValueError("resampler and sample_weight cannot be used together: pick one.")
        resampler = clone(self.resampler, safe=False)  # the parameter stays as the user gave it
        if getattr(resampler, "random_state", 0) is None:
            resampler.set_params(random_state=random_state.randint(np.iinfo(np.int32).max))
        features, codes = resampler.fit_resample(features, codes)
        return features.astype(np.float32), codes, np.full(len(codes), weight[0])

    def _build_module(self):
        """Build the network for the shapes seen in fit; also used when a model is loaded."""
        return MLP(
            self.n_landmarks_ * self.n_coords_,
            1 if len(self.classes_) <= 2 else len(self.classes_),
            tuple(self.hidden_layer_sizes),
            self.dropout,
        )

    def predict_proba(self, X):
        """Compute class probabilities of every frame.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array ``(n_frames_i, n_classes)`` per trial, in the order of ``classes_``.
        """
        check_is_fitted(self)
        X = check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)
        if len(self.classes_) == 1:
            return ragged(np.ones((len(trial), 1), dtype=np.float32) for trial in X)
        self.module_.to(self.device).eval()
        with torch.inference_mode():
            logits = [
                self.module_(torch.from_numpy(_flatten(trial)).to(self.device)).cpu().numpy()
                for trial in X
            ]
        return ragged(probabilities(one) for one in logits)

    def predict(self, X):
        """Predict the label of every frame.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array ``(n_frames_i,)`` per trial.
        """
        return ragged(self.classes_[proba.argmax(axis=1)] for proba in self.predict_proba(X))

    def score(self, X, y, sample_weight=None):
        """Compute the accuracy over labelled frames.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : sequence of array-like of shape (n_frames_i,)
            Frame labels; ``-1`` is left out. To select by trial labels use
            :func:`skrehab.metrics.trial_roc_auc`.
        sample_weight : array-like of shape (n_trials,) or sequence of (n_frames_i,), optional
            Weights.

        Returns
        -------
        float
            Share of labelled frames that are right.
        """
        predicted = self.predict(X)
        y = check_frame_labels(y, predicted)
        weights = check_frame_weights(sample_weight, predicted)
        weights = [np.ones(len(p)) for p in predicted] if weights is None else weights
        use = [labelled(labels) for labels in y]
        right = np.concatenate([(p == t)[m] for p, t, m in zip(predicted, y, use)])
        return float(
            np.average(right, weights=np.concatenate([w[m] for w, m in zip(weights, use)]))
        )

    def _stream(self):
        """Return what classifies frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        layers = [layer for layer in self.module_ if isinstance(layer, torch.nn.Linear)]
        return _MLPStream(
            (self.n_landmarks_, self.n_coords_),
            [layer.weight.detach().cpu().numpy().copy() for layer in layers],
            [layer.bias.detach().cpu().numpy().copy() for layer in layers],
            len(self.classes_),
        )

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class _MLPStream:
    """The network in numpy: for one frame, torch takes longer to start than to calculate."""

    def __init__(self, shape, weights, biases, n_classes):
        self.shape, self.weights, self.biases = shape, weights, biases
        self.n_classes = n_classes

    def reset(self):
        pass

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        if self.n_classes == 1:
            return np.ones(1, dtype=np.float32)
        values = np.where(np.isnan(frame), np.float32(0), frame).ravel()
        for weight, bias in zip(self.weights[:-1], self.biases[:-1]):
            values = np.maximum(weight @ values + bias, 0)
        return probabilities((self.weights[-1] @ values + self.biases[-1])[None])[0]


def _flatten(frames):
    """(n_frames, n_landmarks, n_coords) -> (n_frames, n_features) float32 without NaN."""
    return np.nan_to_num(frames.reshape(len(frames), -1).astype(np.float32), nan=0.0)
