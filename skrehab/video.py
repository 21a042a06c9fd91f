"""VideoClassifier: one label a trial, by any network of the registry."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab.frames.stream import convolution_stream
from skrehab.preprocessing.lost import seen_points
from skrehab.saliency import explain
from skrehab.training.class_weights import trial_weights
from skrehab.training.estimator import NETWORK_CONSTRAINTS, NetworkEstimator
from skrehab.training.loop import MORE_TRAINING_CONSTRAINTS, probabilities
from skrehab.trials import check_groups, check_trial_labels, ragged

__all__ = ["VideoClassifier"]


class VideoClassifier(ClassifierMixin, NetworkEstimator):
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
        Learning rate.
    max_epochs : int or "auto", default=100
        Epochs; ``"auto"`` makes about 520 steps of the optimiser, in 18 to 200 epochs.
    batch_size : int, default=32
        Trials in a batch.
    weight_decay : float, default=0.0
        L2 penalty.
    schedule : {"cosine", "cosine_batch"} or None, default="cosine"
        Learning rate schedule, from epoch to epoch or from batch to batch.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes.
    early_stopping : bool, "patient" or "trial", default=False
        Hold out some training patients (True means ``"patient"``, which needs ``groups`` in `fit`)
        or some trials, stop when their loss no longer falls, keep the best weights.
    validation_fraction : float, default=0.15
        Share held out for early stopping; of patients at most one half.
    patience : int, default=10
        Epochs to wait for a better validation loss.
    device : str, default="cpu"
        Torch device.
    random_state : int, RandomState or None, default=None
        Seed of the weights, the shuffle, dropout and the hold-out.
    weights : str or path-like, optional
        Weights to start from; see :func:`skrehab.networks.weights.read_weights`.
    weights_sha256 : str, optional
        SHA-256 of the file; a pickled one is only read if it is given or known.
    head : {"keep", "new"}, default="keep"
        Take the classifier from `weights` too, or draw a new one for the labels at hand.
    freeze : tuple of str, default=()
        Parameters whose names begin with one of these do not learn.
    layer_decay : float, optional
        Each block before the classifier learns this much slower than the next one; layers drawn
        anew learn as fast as the classifier.
    head_warmup : int, default=0
        Epochs at the start in which only the classifier learns, and layers that the weights did not
        fit and that were drawn anew.
    memory : str, path-like or joblib.Memory, optional
        Where to keep what a frozen network makes of each trial; no label enters.
    verbose : int, default=0
        1 prints a line an epoch.
    net_params : dict, optional
        Anything else for :class:`skorch.NeuralNet`, such as callbacks.
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
        How trials are changed in training; see :class:`skrehab.training.augmentation.Augmentation`.
    like_length : int, default=0
        Batches of trials of like length, sorted within so many batches; 0 shuffles freely.
    step : int or "auto", default=1
        Look at every so many frames of poses: in training those of a random phase of each trial,
        afterwards all phases, their logits averaged and the scores of their frames put together.
        ``"auto"`` is 1 for a median training trial of up to 75 frames, else its length over 50,
        rounded, at most 6.
    warmup : int, default=0
        Epochs at the start over which the learning rate rises from batch to batch; `schedule` fills
        the rest. (`head_warmup` is about layers, this about the rate.)
    decay_norms : bool, default=True
        Whether `weight_decay` takes in biases, the weights of norms and tables of positions; papers
        with AdamW leave them out (False).
    views : int or (int, int), default=1
        Views of each trial whose logits are averaged in prediction: clips at several times, and of
        pictures cuts along their longer side, as (10, 3). Of poses those of networks that look at
        a fixed number of frames.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    module_ : torch.nn.Module
        The trained network.
    history_ : list of dict
        Training and validation loss an epoch.
    n_landmarks_, n_coords_ : int or None
        Trailing shape of the trials; None for RGB videos.
    scaler_ : LandmarkScaler or None
        What `standardize` measured.
    step_ : int
        What `step` came to: frame t is judged from the frames t, t - step, t - 2 step, ...
    validation_groups_ : ndarray or None
        Patients held out as a whole for early stopping.
    weights_report_ : skrehab.networks.weights.LoadReport or None
        Which arrays came from `weights`, which were drawn and why.

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
        **NETWORK_CONSTRAINTS,
        **MORE_TRAINING_CONSTRAINTS,
    }

    # patients and exercises reach fit wherever they are given, as scikit-learn's splitters have it
    __metadata_request__fit = {"groups": True, "exercise": True}

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
        weights=None,
        weights_sha256=None,
        head="keep",
        freeze=(),
        layer_decay=None,
        head_warmup=0,
        memory=None,
        verbose=0,
        net_params=None,
        optimizer="adam",
        min_lr=0.0,
        gradient_clip_value=None,
        standardize=False,
        augment=None,
        like_length=0,
        step=1,
        warmup=0,
        decay_norms=True,
        views=1,
    ):
        keep_parameters(self, locals())

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, groups=None, exercise=None):
        """Train the network.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials; a lost landmark (NaN) stands where it was seen before and
            after, see :mod:`skrehab.preprocessing.lost`; for ``"mil_tcn"`` it counts as zero.
        y : array-like of shape (n_trials,)
            One label per trial, two classes or more.
        sample_weight : array-like of shape (n_trials,), optional
            Weights; only how they compare counts.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping and for the splices of `augment`.
        exercise : array-like of shape (n_trials,), optional
            Exercise of each trial, for the splices of `augment`; None means that all are one.

        Returns
        -------
        VideoClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If there is only one class, labels do not fit the trials or are measurements, a weight
            is negative or not finite, or early stopping by patient is asked for without groups.
        """
        X = self._check_input(X)
        y = check_trial_labels(y, X)
        check_classification_targets(y)
        groups = check_groups(groups, X)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"VideoClassifier needs at least 2 classes, got 1 class: all {len(y)} trials"
                f"{_of_patients(groups)} are labelled {self.classes_.tolist()[0]!r}."
            )
        weights = trial_weights(y, self.class_weight, sample_weight)
        exercise = check_groups(exercise, X, name="exercise", what="exercise")
        return self._train(X, codes, weights, groups, strata=codes, labels=y, exercise=exercise)

    def _n_outputs(self):
        return 1 if len(self.classes_) == 2 else len(self.classes_)

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

    def predict_frame_proba(self, X):
        """Compute class probabilities of every frame, where the network scores frames itself.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array ``(n_frames_i, n_classes)`` per trial.

        Raises
        ------
        AttributeError
            If the network scores whole trials only, as all but ``"mil_tcn"`` do.
        """
        frames = self._frame_logits(X, "use a SaliencyPseudoLabeler, or 'mil_tcn'")
        return ragged(map(probabilities, frames))

    def _stream(self):
        """Return what scores frames one by one; see :mod:`skrehab.live`."""
        return convolution_stream(self, "network_params={'causal': True}")

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
        smooth=0,
        coords="sum",
        scale="frames",
        z_clip=None,
        normalize=True,
        return_maps=False,
    ):
        """Compute how much each frame speaks for the decision.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}, \
                default="integrated_gradients"
            Attribution method; ``"frame_logits"`` is a frame-scoring network's own (``"mil_tcn"``).
        target : label or array-like of shape (n_trials,), optional
            Class whose logit is attributed; None means the predicted one.
        baseline : {"zeros", "rest"} or ndarray, default="zeros"
            Start of the path of integrated gradients. Zeros are the initial pose of a displacement.
        n_steps : int or "auto", default=50
            Points on the path; ``"auto"`` takes as many as `tol` needs.
        tol : float, default=0.01
            Completeness error that ``"auto"`` goes for, as a share of the logit gained.
        aggregate : {"positive", "sum", "mean", "max", "signed"}, default="sum"
            How a frame's values become one; :class:`SaliencyPseudoLabeler` has other defaults, for
            this and what follows.
        smooth : int, (str, int) or "auto", default=0
            Frames of the moving average of the map over time; ``"auto"`` is the authors' choice
            for the network. See :func:`skrehab.saliency.score_frames`, as for the others.
        coords : {"sum", "first"}, default="sum"
            What of a landmark's coordinates is seen.
        scale : {"frames", "map"}, default="frames"
            Scale each trial's scores to [0, 1], or its map before landmarks are put together.
        z_clip : float, optional
            Clip z-scores to plus and minus this before scaling.
        normalize : bool, default=True
            Whether to scale at all.
        return_maps : bool, default=False
            Return scores, landmark maps and completeness errors together.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object, or skrehab.saliency.Saliency
            One array ``(n_frames_i,)`` of scores per trial, or everything.
        """
        X, codes = self._check_poses(X), None
        if target is not None:
            wanted = np.broadcast_to(np.asarray(target), (len(X),))
            unknown = np.setdiff1d(wanted, self.classes_)
            if len(unknown):
                names = self.classes_.tolist()
                raise ValueError(f"target {unknown.tolist()[0]!r} is not among {names}.")
            codes = np.searchsorted(self.classes_, wanted)
        result = explain(
            self._network,
            self._complete(X),
            codes,
            method=method,
            baseline=baseline,
            n_steps=n_steps,
            tol=tol,
            aggregate=aggregate,
            smooth=smooth,
            coords=coords,
            scale=scale,
            z_clip=z_clip,
            normalize=normalize,
            batch_size=self.batch_size,
            device=self.device,
            seen=[seen_points(trial) for trial in X],
        )
        return result if return_maps else result.scores


def _of_patients(groups):
    """Say whose the trials are: of a fold, who is missing tells why a label is."""
    if groups is None:
        return ""
    names = np.unique(groups).tolist()
    listed = ", ".join(map(str, names[:8])) + (", ..." if len(names) > 8 else "")
    return f" (of {'patient' if len(names) == 1 else 'patients'} {listed})"
