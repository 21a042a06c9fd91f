"""MultiLabelVideoClassifier: several yes-or-no labels a trial, by any network of the registry."""

from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab.multilabel.label_sets import (
    LOSSES,
    MultiLabelMixin,
    check_multilabel,
    label_probabilities,
)
from skrehab.preprocessing.lost import seen_points
from skrehab.saliency.attribution import explain
from skrehab.training.class_weights import trial_weights
from skrehab.training.estimator import NETWORK_CONSTRAINTS, NetworkEstimator
from skrehab.training.loop import MORE_TRAINING_CONSTRAINTS
from skrehab.trials import check_groups, ragged

__all__ = ["MultiLabelVideoClassifier"]


class MultiLabelVideoClassifier(MultiLabelMixin, NetworkEstimator):
    """Say of each trial which of several labels it has, such as the muscle groups at work.

    Parameters
    ----------
    network : str or type, default="act"
        One of :func:`skrehab.networks.list_networks`, or a :class:`torch.nn.Module` class with the
        signature written down in :mod:`skrehab.networks.registry`.
    network_params : dict, optional
        Parameters of the network. Grid search reaches them as ``network__dropout``.
    loss : {"sigmoid_bce", "softmax_bce"}, default="sigmoid_bce"
        Binary cross-entropy of each label by itself, or of a softmax over labels, as MuscleMap's
        code has it. The latter's probabilities add up to 1: set `threshold` lower.
    threshold : float, default=0.5
        From which probability on a label is predicted.
    lr : float, default=1e-3
        Learning rate.
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
    augment : Augmentation, dict or None, default=None
        How trials are changed in training; see :class:`skrehab.training.augmentation.Augmentation`.
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
    n_labels_ : int
        Number of labels.
    classes_ : ndarray of shape (n_labels,)
        Columns of y, 0 to ``n_labels_ - 1``, as of :class:`sklearn.multiclass.OneVsRestClassifier`.
    module_ : torch.nn.Module
        The trained network.
    history_ : list of dict
        Training and validation loss an epoch.
    n_landmarks_, n_coords_ : int or None
        Trailing shape of the trials; None for RGB videos.
    validation_groups_ : ndarray or None
        Patients held out for early stopping.
    weights_report_ : skrehab.networks.weights.LoadReport or None
        Which arrays came from `weights`, which were drawn and why.

    See Also
    --------
    skrehab.metrics.map_scorer : Mean average precision for ``scoring=``.

    References
    ----------
    Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
    table 2: ST-GCN, CTR-GCN, HD-GCN, C2D, I3D, Slow, SlowFast, MViTv2, Video Swin, VideoMAE V2 and
    Hiera, all with such a classifier.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.multilabel import MultiLabelVideoClassifier
    >>> rng = np.random.RandomState(0)
    >>> y = rng.randint(2, size=(24, 2))
    >>> X = [rng.randn(20, 17, 2) * 0.1 + row.repeat([8, 9])[:, None] for row in y]
    >>> model = MultiLabelVideoClassifier("gru", lr=0.01, max_epochs=15, random_state=0).fit(X, y)
    >>> bool((model.predict(X) == y).all()), model.predict_proba(X).shape
    (True, (24, 2))
    """

    _parameter_constraints = {
        **{key: value for key, value in NETWORK_CONSTRAINTS.items() if key != "class_weight"},
        "optimizer": MORE_TRAINING_CONSTRAINTS["optimizer"],
        "loss": [StrOptions(set(LOSSES))],
        "threshold": [Interval(Real, 0, 1, closed="both")],
    }

    # patients are passed on to fit wherever they are given, as to scikit-learn's group splitters
    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        network="act",
        *,
        network_params=None,
        loss="sigmoid_bce",
        threshold=0.5,
        lr=1e-3,
        max_epochs=100,
        batch_size=32,
        weight_decay=0.0,
        schedule="cosine",
        gradient_clip=1.0,
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
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords), or list of videos
            Trials; a lost landmark (NaN) stands where it was seen before and
            after, see :mod:`skrehab.preprocessing.lost`.
        y : array-like of shape (n_trials, n_labels)
            1 where a trial has a label, 0 where not, -1 where nobody looked: that entry teaches
            nothing, the trial's others do.
        sample_weight : array-like of shape (n_trials,), optional
            Weights.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        MultiLabelVideoClassifier
            The classifier itself.

        Raises
        ------
        ValueError
            If labels do not fit the trials, a label is known of no trial, or early stopping by
            patient is asked for without groups.
        """
        X = self._check_input(X)
        y = check_multilabel(y, X, self.loss, unlabelled=True)
        groups = check_groups(groups, X)
        self.n_labels_ = y.shape[1]
        self.classes_ = np.arange(self.n_labels_)
        # trials with the same labels are one kind, where trials are held out in proportion
        kinds = np.unique(y, axis=0, return_inverse=True)[1].reshape(-1)
        weights = trial_weights(kinds, None, sample_weight)
        return self._train(X, y, weights, groups, strata=kinds, criterion=LOSSES[self.loss])

    def _n_outputs(self):
        return self.n_labels_

    def decision_function(self, X):
        """Compute the network's logits.

        Parameters
        ----------
        X : list
            Trials, as in `fit`.

        Returns
        -------
        ndarray of shape (n_trials, n_labels)
            Logits.
        """
        return self._logits(X)

    def predict_proba(self, X):
        """Compute the probability of each label.

        Parameters
        ----------
        X : list
            Trials, as in `fit`.

        Returns
        -------
        ndarray of shape (n_trials, n_labels)
            Probabilities.
        """
        return label_probabilities(self._logits(X), self.loss)

    def predict_frame_proba(self, X):
        """Compute the probability of each label in every frame, where the network scores frames.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array ``(n_frames_i, n_labels)`` per trial.

        Raises
        ------
        AttributeError
            If the network scores whole trials only, as all but ``"mil_tcn"`` do.
        """
        frames = self._frame_logits(X, "'mil_tcn' scores frames")
        return ragged(label_probabilities(one, self.loss) for one in frames)

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
        """Compute how much each frame speaks for one label.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}, \
                default="integrated_gradients"
            Attribution method; ``"frame_logits"`` is a frame-scoring network's own (``"mil_tcn"``).
        target : int or array-like of int of shape (n_trials,), optional
            Label whose logit is attributed, by its column in y; None means the likeliest one.
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

        Raises
        ------
        ValueError
            If the network looks at RGB, or there is no such label.
        """
        X = self._check_poses(X)
        columns = None if target is None else np.array(np.broadcast_to(target, (len(X),)))
        if columns is not None:
            known = columns.dtype.kind in "iu" and (0 <= columns) & (columns < self.n_labels_)
            if not np.all(known):
                raise ValueError(
                    f"target must be a column of y, 0 to {self.n_labels_ - 1}, got {target!r}."
                )
        if self.n_labels_ == 1:
            columns = np.ones(len(X), dtype=int)  # one logit stands for "yes" as it is
        result = explain(
            self.module_,
            self._complete(X),
            columns,
            method=method,
            baseline=baseline,
            n_steps=n_steps,
            tol=tol,
            aggregate=aggregate,
            normalize=normalize,
            batch_size=self.batch_size,
            device=self.device,
            seen=[seen_points(trial) for trial in X],
        )
        return result if return_maps else result.scores
