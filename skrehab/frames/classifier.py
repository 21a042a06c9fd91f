"""What frame models share: labels, hold-out, training, predictions, score."""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._surroundings import predicting
from skrehab.frames.ranking import RANKS, has_motion, ranking_of, some_of_both
from skrehab.frames.targets import check_frame_targets, class_weights
from skrehab.preprocessing import LandmarkScaler
from skrehab.training.loop import (
    MORE_TRAINING_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    Recipe,
    WeightedLoss,
    probabilities,
    seeded,
    train,
)
from skrehab.training.plans import plan_changes
from skrehab.training.validation import held_out_patients, validation_split
from skrehab.trials import (
    check_frame_labels,
    check_frame_weights,
    check_groups,
    check_trials,
    labelled,
    ragged,
    tag_trial_input,
)

__all__ = ["FRAME_CONSTRAINTS", "FrameClassifier"]

# what scikit-learn checks of these parameters when an estimator is fitted
FRAME_CONSTRAINTS = {
    "classes": ["array-like", None],
    **TRAINING_CONSTRAINTS,
    **{
        key: rule
        for key, rule in MORE_TRAINING_CONSTRAINTS.items()
        if key not in ("like_length", "step")  # a frame alone has neither
    },
}


class FrameClassifier(ClassifierMixin, BaseEstimator):
    """Base of classifiers of frames.

    A subclass has the parameters of :class:`skrehab.FrameMLP` that are not its network's, builds
    its network in ``_build_module()`` and what it is trained on in ``_samples(...)``, and computes
    in ``_frame_logits(X)`` one array ``(n_frames_i, n_outputs)`` a trial.
    """

    _criterion = WeightedLoss

    # patients and exercises are passed on to fit wherever they are given, as to scikit-learn's
    # group splitters
    __metadata_request__fit = {"groups": True, "exercise": True}

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, groups=None, exercise=None):
        """Train on the labelled frames.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials; NaN (a lost landmark) counts as zero, after `standardize` as the mean.
        y : sequence of array-like of shape (n_frames_i,) or (n_frames_i, n_classes)
            Frame labels of each trial; frames labelled ``-1`` are not used. Or soft labels: the
            probability of each class, a row of NaN where a frame is not labelled. Trials of both
            kinds may stand together.
        sample_weight : array-like of shape (n_trials,) or sequence of (n_frames_i,), optional
            Weights of trials or frames; only how they compare counts.
        groups : array-like of shape (n_trials,), optional
            Patients, for early stopping and for the splices of `augment`.
        exercise : array-like of shape (n_trials,), optional
            Exercise of each trial, for the splices of `augment`; None means that all are one.

        Returns
        -------
        FrameClassifier
            The classifier itself. With one class of labels it predicts that class. It warns if it
            does not rank the trials that it learned from, see ``trial_ranking_``.

        Raises
        ------
        ValueError
            If labels do not fit the frames, no frame is labelled, or early stopping by patient is
            asked for without groups.
        """
        X = check_trials(X)
        targets = check_frame_targets(y, X, self.classes)
        groups = check_groups(groups, X)
        exercise = check_groups(exercise, X, name="exercise", what="exercise")
        weights = check_frame_weights(sample_weight, X)
        if weights is None:
            weights = [np.ones(len(trial)) for trial in X]

        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        self.classes_ = targets.classes
        random_state = check_random_state(self.random_state)
        # when patients are held out, keep trials that hold several classes in proportion
        codes = targets.codes
        strata = np.array([len(np.unique(one)) > 1 for one in codes], dtype=int)
        inside, held_out = validation_split(
            strata,
            groups,
            self.early_stopping,
            self.validation_fraction,
            random_state,
            labels=[self.classes_[one] for one in codes],
        )
        self.validation_groups_ = held_out_patients(groups, held_out, self.early_stopping)
        self._choose_step([len(X[i]) for i in inside])

        sides = [(inside, "left for training")]
        if held_out is not None:
            sides.append((held_out, "held out for early stopping"))
        for side, purpose in sides:
            if not any(targets.known[i].any() for i in side):
                raise ValueError(f"No frame is labelled among the trials {purpose}.")
        inside, held_out = (
            side if side is None else np.array([i for i in side if targets.known[i].any()])
            for side in (inside, held_out)
        )
        scaler = None
        if self.standardize or self.augment is not None:
            frames = [X[i][targets.known[i]] for i in inside]
            scaler = LandmarkScaler(center=True).fit(frames)
        self.scaler_ = scaler if self.standardize else None
        known = [np.where(mask, w, np.nan) for mask, w in zip(targets.known, weights)]
        samples, of_class = self._training_samples(
            *(X, targets, known, inside, random_state),
            spread=1.0 if scaler is None or self.standardize else scaler.scale_,
            groups=None if groups is None else groups[inside],
            exercise=None if exercise is None else exercise[inside],
        )
        validation = None
        if held_out is not None:
            validation = self._held_out_samples(X, targets, known, held_out, of_class)

        with seeded(random_state, self.device) as generator:
            self.module_ = self._build_module()
            self.history_ = []
            if len(self.classes_) > 1:
                self.history_ = train(
                    *(self.module_, samples, Recipe.of(self)),
                    generator=generator,
                    validation=validation,
                    criterion=self._criterion,
                )
        self.trial_ranking_ = self._rank_trials(X, codes, inside)
        return self

    def _rank_trials(self, X, codes, inside):
        """Ask the model about trials that it learned from; say so if it does not rank them."""
        motion, normal = has_motion(codes, len(self.classes_))
        learned = np.zeros(len(X), dtype=bool)
        learned[inside] = True
        asked = [] if normal is None else some_of_both(motion, learned)
        if not len(asked):
            return float("nan")
        found = ranking_of(motion[asked], self.predict_proba([X[i] for i in asked]), normal)
        if found < RANKS:
            warnings.warn(
                f"{type(self).__name__} does not rank the trials that it learned from: pooled, its "
                "scores put trials with the motion hardly above those without (area under the ROC "
                f"curve trial_ranking_={found:.2f}; 0.5 is chance). Its frame scores are not to be "
                "trusted. Pseudo-labels may stand where nothing is to be seen (look at "
                "position_lean_ and scores_ of the labeler), or the training was too short.",
                UserWarning,
                stacklevel=4,
            )
        return found

    def _choose_step(self, lengths):
        """Choose which frames of a trial the network looks at, where it looks at several."""

    def _training_samples(self, X, targets, weights, inside, random_state, **who):
        """Return what is trained on, and the weights of the classes there."""
        of_class = class_weights(
            np.concatenate([targets.values[i][targets.known[i]] for i in inside]),
            self.classes_,
            self.class_weight,
        )
        sides = [targets.values[i][targets.known[i]] for i in inside]
        changes = plan_changes(
            *(self.augment, [X[i] for i in inside]),
            whole=np.array([(one != one[:1]).any() for one in sides]),
            **who,
        )
        return self._samples(X, targets, weights, inside, of_class, changes=changes), of_class

    def _held_out_samples(self, X, targets, weights, side, of_class):
        """Return what early stopping judges by."""
        return self._samples(X, targets, weights, side, of_class)

    @property
    def _scaling(self):
        return None if self.scaler_ is None else (self.scaler_.mean_, self.scaler_.scale_)

    def _n_outputs(self):
        return 1 if len(self.classes_) <= 2 else len(self.classes_)

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
        if self.scaler_ is not None:
            X = self.scaler_.transform(X)
        with predicting(self.module_, self.device):
            return ragged(probabilities(one) for one in self._frame_logits(X))

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
        weights = np.concatenate([w[m] for w, m in zip(weights, use)])
        if not weights.any():
            raise ValueError("No frame with a label has a sample_weight above 0: nothing to score.")
        return float(np.average(right, weights=weights))

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())
