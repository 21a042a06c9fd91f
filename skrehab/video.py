"""VideoClassifier: one label a trial, by any network of the registry."""

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import check_is_fitted

from skrehab import networks
from skrehab.batching import Samples, iterate_by_length
from skrehab.saliency import explain
from skrehab.training import (
    TRAINING_CONSTRAINTS,
    Recipe,
    probabilities,
    seeded,
    train,
    validation_split,
)
from skrehab.trials import check_groups, check_trial_labels, check_trials, tag_trial_input

__all__ = ["VideoClassifier"]


class VideoClassifier(ClassifierMixin, BaseEstimator):
    """Classify whole trials with a network, and say which frames decided.

    Parameters
    ----------
    network : str or type, default="act"
        One of :func:`skrehab.networks.list_networks`, or a :class:`torch.nn.Module` class with the
        signature written down in :mod:`skrehab.networks.registry`.
    network_params : dict, optional
        Parameters of the network, for example ``{"size": "micro", "dropout": 0.2}``. Grid search
        reaches them as ``network__dropout``.
    lr : float, default=1e-3
        Learning rate of Adam.
    max_epochs : int, default=100
        Epochs.
    batch_size : int, default=32
        Trials in a batch.
    weight_decay : float, default=0.0
        L2 penalty.
    schedule : {"cosine"} or None, default="cosine"
        Learning rate schedule.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    early_stopping : bool, "patient" or "trial", default=False
        Hold out some training patients (True means ``"patient"``, which needs ``groups`` in `fit`)
        or some trials, stop when their loss no longer falls, keep the best weights.
    validation_fraction : float, default=0.15
        Share held out for early stopping.
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
        Class labels.
    module_ : torch.nn.Module
        The trained network.
    history_ : list of dict
        Training and validation loss an epoch.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.
    validation_groups_ : ndarray or None
        Patients held out for early stopping.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, sections II-D and IV: Adam, cosine schedule, binary
    cross-entropy, early stopping, batches of 16 or 32.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import VideoClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = np.array(["lean", "normal"] * 10)
    >>> X = [rng.randn(20, 33, 3) * 0.1 + (label == "lean") for label in y]
    >>> classifier = VideoClassifier("lstm", max_epochs=5, random_state=0).fit(X, y)
    >>> classifier.predict(X[:2]).tolist()
    ['lean', 'normal']
    >>> classifier.saliency(X[:1])[0].shape
    (20,)
    """

    _parameter_constraints = {
        "network": [str, type],
        "network_params": [dict, None],
        **TRAINING_CONSTRAINTS,
    }

    # patients are passed on to fit wherever they are given, as to scikit-learn's group splitters
    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        network="act",
        *,
        network_params=None,
        lr=1e-3,
        max_epochs=100,
        batch_size=32,
        weight_decay=0.0,
        schedule="cosine",
        gradient_clip=1.0,
        class_weight=None,
        early_stopping=False,
        validation_fraction=0.15,
        patience=10,
        device="cpu",
        random_state=None,
        verbose=0,
        net_params=None,
    ):
        self.network = network
        self.network_params = network_params
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.gradient_clip = gradient_clip
        self.class_weight = class_weight
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.device = device
        self.random_state = random_state
        self.verbose = verbose
        self.net_params = net_params

    def get_params(self, deep=True):
        """Get the parameters, the network's own as ``network__<name>`` too.

        Parameters
        ----------
        deep : bool, default=True
            Include the network's parameters.

        Returns
        -------
        dict
            Parameters by name.
        """
        params = super().get_params(deep=deep)
        if deep and isinstance(self.network_params, dict):
            params |= {f"network__{key}": value for key, value in self.network_params.items()}
        return params

    def set_params(self, **params):
        """Set parameters; ``network__<name>`` sets one of the network's.

        Parameters
        ----------
        **params : dict
            Parameters by name.

        Returns
        -------
        VideoClassifier
            The classifier itself.
        """
        prefix = "network__"
        inner = {k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)}
        super().set_params(**{k: v for k, v in params.items() if not k.startswith(prefix)})
        if inner:
            self.network_params = {**(self.network_params or {}), **inner}
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the network.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials; NaN (a lost landmark) counts as zero.
        y : array-like of shape (n_trials,)
            One label per trial, two classes or more.
        sample_weight : array-like of shape (n_trials,), optional
            Weights.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        VideoClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If there is only one class, labels do not fit the trials, or early stopping by patient
            is asked for without groups.
        """
        X = check_trials(X)
        y = check_trial_labels(y, X)
        groups = check_groups(groups, X)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"VideoClassifier needs at least 2 classes, got 1 class: all {len(y)} trials are "
                f"labelled {classes.tolist()[0]!r}."
            )
        weights = compute_sample_weight(self.class_weight, y)
        if sample_weight is not None:
            sample_weight = np.asarray(sample_weight, dtype=float)
            if sample_weight.shape != weights.shape:
                raise ValueError(
                    f"sample_weight must hold one weight per trial: {len(X)} trials, got shape "
                    f"{sample_weight.shape}."
                )
            weights = weights * sample_weight
        random_state = check_random_state(self.random_state)
        inside, held_out = validation_split(
            codes, groups, self.early_stopping, self.validation_fraction, random_state
        )

        def subset(index):
            return Samples([X[i] for i in index], codes[index], weights[index])

        self.classes_ = classes
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        self.validation_groups_ = None
        if held_out is not None and groups is not None:
            self.validation_groups_ = np.unique(groups[held_out])
        with seeded(random_state, self.device) as generator:
            self.module_ = self._build_module()
            self.history_ = train(
                self.module_,
                subset(inside),
                Recipe.of(self),
                generator=generator,
                validation=None if held_out is None else subset(held_out),
            )
        return self

    def _build_module(self):
        """Build the network for the shapes seen in fit; also used when a model is loaded."""
        return networks.build(
            self.network,
            n_landmarks=self.n_landmarks_,
            n_coords=self.n_coords_,
            n_outputs=1 if len(self.classes_) == 2 else len(self.classes_),
            **(self.network_params or {}),
        )

    def _check_X(self, X):
        check_is_fitted(self)
        return check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)

    def _logits(self, X):
        X = self._check_X(X)
        n_outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        logits = np.empty((len(X), n_outputs), dtype=np.float32)
        self.module_.to(self.device).eval()
        with torch.inference_mode():
            for index, x, lengths in iterate_by_length(X, self.batch_size):
                logits[index] = self.module_(x.to(self.device), lengths).cpu().numpy()
        return logits

    def decision_function(self, X):
        """Compute the network's logits.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,) or (n_trials, n_classes)
            Logits; one a trial when there are two classes.
        """
        logits = self._logits(X)
        return logits[:, 0] if logits.shape[1] == 1 else logits

    def predict_proba(self, X):
        """Compute class probabilities.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials, n_classes)
            Probabilities in the order of ``classes_``.
        """
        return probabilities(self._logits(X))

    def predict(self, X):
        """Predict the label of each trial.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,)
            Predicted labels.
        """
        proba = self.predict_proba(X)  # before classes_, so that an unfitted one says so
        return self.classes_[proba.argmax(axis=1)]

    def saliency(
        self,
        X,
        *,
        method="integrated_gradients",
        target=None,
        baseline="zeros",
        n_steps=50,
        tol=0.01,
        aggregate="sum",
        normalize=True,
        return_maps=False,
    ):
        """Compute how much each frame speaks for the decision.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        method : {"vanilla_gradient", "integrated_gradients"}, default="integrated_gradients"
            Attribution method.
        target : label or array-like of shape (n_trials,), optional
            Class whose logit is attributed; None means the predicted one.
        baseline : {"zeros", "rest"} or ndarray, default="zeros"
            Start of the path of integrated gradients. Zeros are the initial pose of a displacement.
        n_steps : int or "auto", default=50
            Points on the path; ``"auto"`` takes as many as `tol` needs.
        tol : float, default=0.01
            Completeness error that ``"auto"`` goes for, as a share of the logit gained.
        aggregate : {"sum", "mean", "max", "signed"}, default="sum"
            How a frame's values become one.
        normalize : bool, default=True
            Scale each trial's scores to [0, 1].
        return_maps : bool, default=False
            Return scores, landmark maps and completeness errors together.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object, or skrehab.saliency.Saliency
            One array ``(n_frames_i,)`` of scores per trial, or everything.
        """
        X = self._check_X(X)
        if target is None:
            codes = self._logits(X)
            codes = codes.argmax(axis=1) if codes.shape[1] > 1 else (codes[:, 0] > 0).astype(int)
        else:
            wanted = np.broadcast_to(np.asarray(target), (len(X),))
            unknown = np.setdiff1d(wanted, self.classes_)
            if len(unknown):
                raise ValueError(
                    f"target {unknown.tolist()[0]!r} is not among {self.classes_.tolist()}."
                )
            codes = np.searchsorted(self.classes_, wanted)
        result = explain(
            self.module_.to(self.device),
            X,
            codes,
            method=method,
            baseline=baseline,
            n_steps=n_steps,
            tol=tol,
            aggregate=aggregate,
            normalize=normalize,
            batch_size=self.batch_size,
            device=self.device,
        )
        return result if return_maps else result.scores

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())
