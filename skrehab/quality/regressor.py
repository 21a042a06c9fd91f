"""QualityRegressor: how well a movement was done, from poses, from pictures, or from both."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab._surroundings import predicting
from skrehab.networks.two_stream.expert import Expert, FrameEncoder
from skrehab.training.batching import Samples
from skrehab.training.class_weights import trial_weights
from skrehab.training.loop import TRAINING_CONSTRAINTS, Recipe, seeded, train
from skrehab.training.validation import held_out_patients, validation_split
from skrehab.trials import check_groups, check_trial_labels, tag_trial_input

from .encoders import has_learned, learned_encoder
from .heads import CRITERIA, head_probabilities, head_targets, n_outputs
from .settings import check_settings
from .streams import check_streams, collate_streams
from .summary import beside, mixed

__all__ = ["QualityRegressor"]


def _speaks_of_classes(estimator):
    if estimator.head == "regression":
        raise AttributeError("predict_proba needs head='ordinal' or head='classes'.")
    return True


class QualityRegressor(BaseEstimator):
    """Score trials with a two-stream expert on top of a pretrained pose encoder.

    The pose stream reads an encoder's representation of every frame with a shallow bidirectional
    LSTM, the appearance stream reads features of successive clips; either may stand alone.

    Parameters
    ----------
    encoder : None, "scratch" or transformer, default=None
        What turns poses into one vector a frame. A fitted
        :class:`skrehab.PoseSequencePretrainer` is never changed, and :func:`sklearn.base.clone`
        keeps it as it is, so that cross-validation does not forget it; one that is not fitted is
        cloned and learns from the poses given to `fit`. ``"scratch"`` is an encoder of the same
        kind with random weights. None means none: the LSTM reads the trials as they are, which
        may be representations computed before.
    streams : {"pose", "appearance", "both"}, default="pose"
        What is looked at; see `fit` for what X holds then.
    head : {"regression", "ordinal", "classes"}, default="regression"
        Scores by squared error; ordered classes by proportional odds; or any classes.
    fine_tune : bool, default=True
        Go on training the encoder with the expert, or keep it as it is, which is much faster: its
        representations are then computed once. Any transformer of trials can be kept as it is.
    expert : bool, default=True
        False leaves the expert out: one linear layer on the mean representation, as "only
        non-expert" in Table 1.
    encoder_params : dict, optional
        Of an encoder from scratch: ``hidden_size`` (1000 by default), ``n_layers`` (2),
        ``skeleton``, ``common_skeleton``.
    hidden_size : int, default=100
        Units of the expert's LSTM in each direction.
    pooling : {"mean", "last"}, default="mean"
        How the LSTM's states become one vector: mean over frames, or the last of each direction.
    reduced_channels : int or None, default=64
        Channels of each of the three branches of an appearance module. 3 x 64 are comparable to
        the pose stream's 2 x 100, as the paper's text asks for; None makes it half as many as come
        in, as released, which for C3D are 27 million parameters.
    dropout : float, default=0.0
        Before the last layer.
    summary : {"auto"} or None, default="auto"
        Put a ridge regression on :class:`~skrehab.MovementSummary` beside the network, which from
        few trials is often the better half. ``"auto"`` does so for ``head="regression"`` where
        poses of up to four coordinates are given and there are ten trials; its share of the
        prediction is 1 - (1 - R2)^2, by training people held out (trials, without `groups`).
    lr : float, default=3e-3
        Learning rate of Adam. The paper's code has 3e-4 and 1000 epochs, on KIMORE with nothing
        held out to stop by; from a few dozen recordings that learns little in 100 epochs.
    max_epochs : int or "auto", default="auto"
        Epochs; ``"auto"`` makes about 520 updates however few the trials are, in 18 to 200 epochs.
    batch_size : int, default=25
        Trials in a batch.
    weight_decay : float, default=0.0
        L2 penalty.
    schedule : {"cosine"} or None, default="cosine"
        Learning rate schedule.
    gradient_clip : float or None, default=1.0
        Largest norm of the gradient.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, where there are classes.
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
        Seed of the weights, the shuffle, dropout and the hold-out, and of an encoder that learns
        here and has no seed of its own.
    verbose : int, default=0
        1 prints a line an epoch.
    net_params : dict, optional
        Anything else for :class:`skorch.NeuralNet`, such as callbacks.

    Attributes
    ----------
    module_ : skrehab.networks.two_stream.expert.Expert
        The trained network; it holds the encoder if that was trained with it.
    encoder_ : transformer or None
        The encoder that was kept as it is.
    classes_ : ndarray of shape (n_classes,)
        Labels, rising; not there for ``head="regression"``.
    summary_ : ndarray of shape (4, n_columns) or None
        Of the columns of MovementSummary: what stands for a missing one, mean, standard deviation
        and coefficient; None where there is none.
    summary_intercept_, summary_weight_ : float
        Its intercept, and its share of the prediction.
    score_mean_, score_scale_ : float
        Mean and standard deviation of the training scores, by which they are standardised.
    history_ : list of dict
        Training and validation loss an epoch.
    n_landmarks_, n_coords_, n_features_ : int or None
        Trailing shape of the poses, and features of a clip; None for a stream that is not used.
    validation_groups_ : ndarray or None
        Patients held out for early stopping.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, sections 3.2 and 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import QualityRegressor
    >>> rng = np.random.RandomState(0)
    >>> scores = np.linspace(10, 50, 12)
    >>> X = [0.1 * rng.randn(20, 15, 3) + score / 50 for score in scores]
    >>> model = QualityRegressor(hidden_size=8, lr=0.01, max_epochs=30, random_state=0)
    >>> bool(model.fit(X, scores).score(X, scores) > 0.8)
    True
    >>> model.set_params(head="ordinal").fit(X, [0, 1, 2] * 4).predict_proba(X).shape
    (12, 3)
    """

    _parameter_constraints = {
        "encoder": [HasMethods(["fit", "transform"]), StrOptions({"scratch"}), None],
        "streams": [StrOptions({"pose", "appearance", "both"})],
        "head": [StrOptions(set(CRITERIA))],
        "fine_tune": ["boolean"],
        "expert": ["boolean"],
        "encoder_params": [dict, None],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "pooling": [StrOptions({"mean", "last"})],
        "reduced_channels": [Interval(Integral, 1, None, closed="left"), None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "summary": [StrOptions({"auto"}), None],
        **TRAINING_CONSTRAINTS,
    }

    # patients are passed on to fit wherever they are given, as to scikit-learn's group splitters
    __metadata_request__fit = {"groups": True}

    def __init__(
        self,
        encoder=None,
        *,
        streams="pose",
        head="regression",
        fine_tune=True,
        expert=True,
        encoder_params=None,
        hidden_size=100,
        pooling="mean",
        reduced_channels=64,
        dropout=0.0,
        summary="auto",
        lr=3e-3,
        max_epochs="auto",
        batch_size=25,
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
        keep_parameters(self, locals())

    def __sklearn_clone__(self):
        twin = super().__sklearn_clone__()
        if has_learned(self.encoder):
            twin.encoder = self.encoder  # what it learned is a setting here, not a result
        return twin

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None):
        """Train the expert, and the encoder with it where that is wanted.

        Parameters
        ----------
        X : list
            Poses ``(n_frames_i, n_landmarks, n_coords)`` where only the pose stream is used, NaN
            for lost landmarks; clip features ``(n_clips_i, n_features)`` where only the appearance
            stream is; for both, dicts ``{"pose": ..., "appearance": ...}``.
        y : array-like of shape (n_trials,)
            Scores; numbers that are ordered classes; or labels of any kind.
        sample_weight : array-like of shape (n_trials,), optional
            Weights.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping.

        Returns
        -------
        QualityRegressor
            The regressor itself.

        Raises
        ------
        ValueError
            If y does not fit the head or the trials, an encoder cannot be trained further, or
            early stopping by patient is asked for without groups.
        """
        check_settings(self)
        X = check_streams(X, self.streams)
        y = check_trial_labels(y, X)
        groups = check_groups(groups, X)
        targets = head_targets(y, self.head, sample_weight)
        if targets.classes is None:
            self.score_mean_, self.score_scale_ = targets.mean, targets.scale
        else:
            self.classes_ = targets.classes
        weights = trial_weights(y, self.class_weight, sample_weight)
        random_state = check_random_state(self.random_state)
        inside, held_out = validation_split(
            targets.levels, groups, self.early_stopping, self.validation_fraction, random_state
        )
        self.validation_groups_ = held_out_patients(groups, held_out, self.early_stopping)
        pose, appearance = X[0].get("pose"), X[0].get("appearance")
        self.n_landmarks_, self.n_coords_ = (None, None) if pose is None else pose.shape[1:]
        self.n_features_ = None if appearance is None else appearance.shape[1]
        found = beside(self, X, targets.values, groups, sample_weight)
        self.summary_, self.summary_intercept_, self.summary_weight_ = found or (None, 0.0, 0.0)
        pretrained = learned_encoder(
            self.encoder,
            [trial.get("pose") for trial in X],
            fine_tune=self.fine_tune,
            random_state=random_state,
        )
        self.encoder_ = None if self.fine_tune else pretrained
        self.encoder_params_ = None
        if self.encoder == "scratch":
            self.encoder_params_ = dict(self.encoder_params or {})
        elif pretrained is not None and self.fine_tune:
            self.encoder_params_ = dict(pretrained.network_params_)
        inputs = self._encoded(X)
        self.n_pose_features_ = None if pose is None else int(np.prod(inputs[0]["pose"].shape[1:]))

        def subset(index):
            kept = [inputs[i] for i in index]
            return Samples(kept, targets.values[index], weights[index], collate_streams)

        with seeded(random_state, self.device) as generator:
            self.module_ = self._build_module()
            if pretrained is not None and self.fine_tune:
                state = pretrained.module_.encoder.state_dict()
                self.module_.encoder.encoder.load_state_dict(state)
            self.history_ = train(
                self.module_,
                subset(inside),
                Recipe.of(self),
                generator=generator,
                validation=None if held_out is None else subset(held_out),
                criterion=CRITERIA[self.head],
            )
        return self

    def _encoded(self, X):
        """Replace poses by what a kept encoder makes of them."""
        if self.encoder_ is None:
            return X
        encoded = self.encoder_.transform([trial["pose"] for trial in X])
        return [{**trial, "pose": one} for trial, one in zip(X, encoded)]

    def _build_module(self):
        """Build the network for the shapes seen in fit; also used when a model is loaded."""
        encoder, n_pose_features = None, self.n_pose_features_
        if self.encoder_params_ is not None:
            encoder = FrameEncoder(self.n_landmarks_, self.n_coords_, **self.encoder_params_)
            n_pose_features = encoder.out_channels
        return Expert(
            n_outputs(self.head, getattr(self, "classes_", ())),
            pose_features=n_pose_features,
            appearance_features=self.n_features_,
            encoder=encoder,
            hidden_size=self.hidden_size if self.expert else None,
            pooling=self.pooling,
            reduced_channels=self.reduced_channels,
            dropout=self.dropout,
            linear=not self.expert,
            ordered=self.head == "ordinal",
        )

    def _outputs(self, X):
        """What the network says of each trial, (n_trials, n_outputs)."""
        check_is_fitted(self, "module_")
        X = check_streams(
            X,
            self.streams,
            n_landmarks=self.n_landmarks_,
            n_coords=self.n_coords_,
            n_features=self.n_features_,
        )
        rows = [None] * len(X)
        order = np.argsort([len(next(iter(trial.values()))) for trial in X], kind="stable")
        with predicting(self.module_, self.device):
            for start in range(0, len(X), self.batch_size):  # by length, to pad little
                index = order[start : start + self.batch_size]
                batch = collate_streams(self._encoded([X[i] for i in index]))
                out = self.module_(**{key: value.to(self.device) for key, value in batch.items()})
                for i, row in zip(index, out.cpu().numpy()):
                    rows[i] = row
        return np.stack(rows)

    def predict(self, X):
        """Predict the score or the label of each trial.

        Parameters
        ----------
        X : list
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_trials,)
            Scores in the units of the training scores, not limited to their range; or labels.
        """
        check_is_fitted(self, "module_")
        if self.head == "regression":
            scores = self._outputs(X)[:, 0].astype(float)
            scores = mixed(self, scores, check_streams(X, self.streams))
            return scores * self.score_scale_ + self.score_mean_
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @available_if(_speaks_of_classes)
    def predict_proba(self, X):
        """Compute class probabilities, for ``head="ordinal"`` and ``head="classes"``.

        Parameters
        ----------
        X : list
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_trials, n_classes)
            Probabilities in the order of ``classes_``.
        """
        return head_probabilities(self._outputs(X), self.head)

    def score(self, X, y, sample_weight=None):
        """Compute R2 of scores, or the accuracy of labels.

        Parameters
        ----------
        X : list
            As in `fit`.
        y : array-like of shape (n_trials,)
            True scores or labels.
        sample_weight : array-like of shape (n_trials,), optional
            Weights.

        Returns
        -------
        float
            The score. For rank correlation use :data:`skrehab.metrics.quality.spearman_scorer`.
        """
        measure = r2_score if self.head == "regression" else accuracy_score
        return float(measure(y, self.predict(X), sample_weight=sample_weight))

    def __sklearn_tags__(self):
        tags = tag_trial_input(super().__sklearn_tags__())
        tags.target_tags.required = True
        if self.head == "regression":
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
        else:
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        return tags
