"""CalibratedByPatient: probabilities that hold for new patients, silence where the model is unsure.

And from which probability on an alarm is given, chosen on training patients.
"""

from numbers import Integral, Real

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GroupKFold
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._given import in_order
from skrehab._told import asked_of, predicted, told_of
from skrehab.adaptation.score_map import apply_map, log_odds, map_scores
from skrehab.metrics.alarms import alarm_threshold
from skrehab.metrics.frames import pool_frames
from skrehab.metrics.told_normal import told_normal
from skrehab.trials import (
    UNLABELLED,
    check_frame_labels,
    check_groups,
    check_trial_labels,
    ragged,
    tag_trial_input,
)

__all__ = ["CalibratedByPatient"]


class CalibratedByPatient(BaseEstimator):
    """Calibrate a pipeline's frame probabilities on patients that it did not see.

    Each training patient is scored by a model of the others (folds by patient); what these scores
    were worth becomes a rising map of probabilities, by scikit-learn's
    :class:`~sklearn.calibration.CalibratedClassifierCV`. Then the pipeline is fitted on all. The
    map keeps the order of the frames of a patient, so areas under a ROC curve stay (but for the
    ties of steps); it sees a frame alone, so what ran live still does.

    *What is calibrated is what is labelled.* With frame labels as y, a frame's probability is that
    of the motion in this frame. With one label a trial, nothing is known of single frames: the map
    is learned on whole trials, by the mean of their highest tenth, as :func:`pool_frames` has it. A
    frame's probability then reads: *a trial whose highest frames are like this one is labelled with
    the motion so often*.

    `predict` says -1 where the model abstains, as everywhere in skrehab where a frame has no label;
    `predict_proba` is not touched by that. Scorers leave out -1 in the truth and not in
    predictions: count what was abstained from yourself, and say it beside the score.

    Parameters
    ----------
    estimator : Pipeline or frame classifier
        Ends in a frame classifier; cloned.
    method : {"sigmoid", "isotonic"}, default="sigmoid"
        See :func:`skrehab.adaptation.map_scores`.
    cv : int or splitter, default=5
        Folds of training patients (``GroupKFold``), or a splitter by group such as
        ``LeaveOneGroupOut()``.
    confidence : float, optional
        Abstain where the calibrated probability of the motion, and that of none, is below this:
        from 0.5 up to 1. None never abstains.
    false_alarms : float, optional
        Choose the probability from which on `predict` says the motion so that there are at most so
        many false alarms a minute, on training patients, each scored by a model of the others. None
        takes 0.5.
    frame_rate : float, optional
        Frames a second, for `false_alarms`.
    normal_label : label, optional
        Label of no such motion. None takes what the pipeline was told, or the smallest number among
        the labels; words need it.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on all training patients.
    map_ : ndarray
        What :func:`skrehab.adaptation.map_scores` found.
    threshold_ : float
        Calibrated probability from which on `predict` says the motion.
    normal_ : int
        Column of the normal class.
    classes_ : ndarray of shape (n_classes,)
        Labels.

    See Also
    --------
    skrehab.live.gate_for : A cue that respects threshold and confidence.
    skrehab.evaluation.at_alarm_rate : What such a threshold does on held-out patients.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import CalibratedByPatient, FrameTCN
    >>> rng = np.random.RandomState(0)
    >>> labels = [np.repeat([0, 1, 0], 10) for _ in range(12)]
    >>> X = [rng.randn(30, 5, 3) + frames[:, None, None] for frames in labels]
    >>> model = CalibratedByPatient(
    ...     FrameTCN(max_epochs=5, random_state=0), cv=2, confidence=0.8
    ... ).fit(X, labels, groups=[0, 1, 2, 3] * 3)
    >>> sorted(set(np.concatenate(list(model.predict(X))).tolist()))
    [-1, 0, 1]
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "method": [StrOptions({"sigmoid", "isotonic"})],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"])],
        "confidence": [Interval(Real, 0.5, 1, closed="left"), None],
        "false_alarms": [Interval(Real, 0, None, closed="left"), None],
        "frame_rate": [Interval(Real, 0, None, closed="neither"), None],
        "normal_label": "no_validation",
    }

    __metadata_request__fit = {"groups": True, "exercise": True}
    __metadata_request__predict = {"groups": True, "exercise": True}
    __metadata_request__predict_proba = {"groups": True, "exercise": True}

    def __init__(
        self,
        estimator,
        *,
        method="sigmoid",
        cv=5,
        confidence=None,
        false_alarms=None,
        frame_rate=None,
        normal_label=None,
    ):
        self.estimator = estimator
        self.method = method
        self.cv = cv
        self.confidence = confidence
        self.false_alarms = false_alarms
        self.frame_rate = frame_rate
        self.normal_label = normal_label

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, groups=None, exercise=None):
        """Score each training patient by a model of others, calibrate, and fit on all.

        Parameters
        ----------
        X : list
            Trials, or whatever the pipeline takes.
        y : array-like of shape (n_trials,), or sequence of array-like of shape (n_frames_i,)
            Trial labels, or frame labels with -1 where a frame has none.
        groups : array-like of shape (n_trials,)
            Patients.
        exercise : array-like of shape (n_trials,), optional
            Exercise of each trial, handed on to steps that ask for it.

        Returns
        -------
        CalibratedByPatient
            The estimator itself.

        Raises
        ------
        ValueError
            If patients are missing or fewer than folds, nothing has the motion or nothing is
            without it, or a rate of false alarms is asked for without a frame rate.
        """
        X, y = in_order(X if hasattr(X, "__getitem__") else list(X)), in_order(y)
        groups = check_groups(groups, X)
        if groups is None:
            raise ValueError("Calibration by patient needs groups: one patient per trial.")
        if self.false_alarms is not None and self.frame_rate is None:
            raise ValueError(
                "false_alarms are counted a minute: pass frame_rate=, frames a second."
            )
        exercise = check_groups(exercise, X, name="exercise", what="exercise")
        who = {"groups": groups, "exercise": exercise}
        of_frames = len(y) > 0 and np.ndim(y[0]) > 0
        y = ragged(np.asarray(one) for one in y) if of_frames else check_trial_labels(y, X)
        normal = self._normal(np.concatenate(list(y)) if of_frames else y)

        scores = [None] * len(X)
        for train, test in self._splitter(groups).split(X, y, groups):
            model = self._fit_on(train, X, y, who)
            for i, score in zip(test, self._motion(model, X, test, who, normal)):
                scores[i] = score
        lost = next((i for i, one in enumerate(scores) if one is None), None)
        if lost is not None:
            raise ValueError(f"cv leaves trial {lost} out of every test side.")
        if of_frames:
            y = check_frame_labels(y, scores)
            known = [one != UNLABELLED for one in y]
            values = np.concatenate([s[m] for s, m in zip(scores, known)])
            motion = np.concatenate([(t != normal)[m] for t, m in zip(y, known)])
            truth = [np.where(m, t != normal, -1).astype(int) for t, m in zip(y, known)]
        else:
            values, motion = pool_frames(scores), y != normal
            truth = [np.full(len(s), -1 if hit else 0) for s, hit in zip(scores, motion)]
        self.map_ = map_scores(log_odds(values), motion, self.method)
        self.threshold_ = 0.5
        if self.false_alarms is not None:
            said = [apply_map(self.map_, one) for one in scores]
            self.threshold_ = alarm_threshold(said, truth, self.frame_rate, self.false_alarms)
        self.estimator_ = self._fit_on(np.arange(len(X)), X, y, who)
        self.classes_ = np.asarray(self.estimator_.classes_)
        self.normal_ = self.classes_.tolist().index(normal)
        return self

    def _splitter(self, groups):
        if hasattr(self.cv, "split"):
            return self.cv
        n = len(np.unique(groups))
        if n < self.cv:
            raise ValueError(f"cv={self.cv} folds need as many patients, and there are {n}.")
        return GroupKFold(self.cv)

    def _normal(self, labels):
        """The label of no such motion."""
        names = [one for one in np.unique(labels).tolist() if one != UNLABELLED]
        normal = told_normal(self)  # to itself, or to the pipeline inside
        if normal is not None:
            if normal not in names:
                raise ValueError(f"normal_label={normal!r} is not among {names}.")
            return normal
        if any(isinstance(one, str) for one in names):
            raise ValueError(f"Which of {names} is normal? Pass normal_label=...")
        return min(names)

    def _fit_on(self, index, X, y, who):
        told = asked_of(self.estimator, "fit", told_of(who, index))
        with config_context(enable_metadata_routing=True):
            return clone(self.estimator).fit([X[i] for i in index], y[index], **told)

    @staticmethod
    def _motion(model, X, index, who, normal):
        """Probability of the motion in each frame of some trials."""
        proba = predicted(model, [X[i] for i in index], told_of(who, index))
        column = [i for i, one in enumerate(np.asarray(model.classes_).tolist()) if one == normal]
        return [1 - np.asarray(one)[:, column].sum(axis=1) for one in proba]

    def predict_proba(self, X, exercise=None, groups=None):
        """Compute calibrated class probabilities of every frame.

        Parameters
        ----------
        X : list
            Trials.
        exercise : array-like of shape (n_trials,), optional
            Exercise of each trial, for a :class:`skrehab.PatientReference` inside.
        groups : array-like of shape (n_trials,), optional
            Patients, likewise: each trial is then judged beside that patient's earlier ones, as
            those that the map was learned on were.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array ``(n_frames_i, n_classes)`` per trial.
        """
        check_is_fitted(self)
        proba = predicted(self.estimator_, X, {"exercise": exercise, "groups": groups})
        return ragged(calibrated(one, self.map_, self.normal_) for one in proba)

    def predict(self, X, exercise=None, groups=None):
        """Say the label of every frame, or -1 where the model is not sure.

        Parameters
        ----------
        X : list
            Trials.
        exercise, groups : array-like of shape (n_trials,), optional
            As of `predict_proba`.

        Returns
        -------
        ndarray of shape (n_trials,), dtype object
            One array ``(n_frames_i,)`` per trial; -1 where the probability of the motion lies
            between ``1 - confidence`` and ``confidence``. The motion from ``threshold_`` on.
        """
        return ragged(self._labels(proba) for proba in self.predict_proba(X, exercise, groups))

    def get_metadata_routing(self):
        """Say what is asked for: in prediction, what the pipeline inside asks for.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRequest
            Requests of ``fit``, ``predict`` and ``predict_proba``.
        """
        request = super().get_metadata_routing()
        inside = asked_of(self.estimator, "predict_proba", {"groups": (), "exercise": ()})
        for name in {"groups", "exercise"} - set(inside):
            request.predict.add_request(param=name, alias=UNUSED)
            request.predict_proba.add_request(param=name, alias=UNUSED)
        return request

    def _labels(self, proba):
        motion = 1 - proba[:, self.normal_].astype(float)
        others = np.delete(proba, self.normal_, axis=1)
        column = np.full(len(proba), self.normal_)
        if others.shape[1]:
            best = np.delete(np.arange(len(self.classes_)), self.normal_)[others.argmax(axis=1)]
            column = np.where(motion >= self.threshold_, best, column)
        labels = self.classes_[column]
        if self.confidence is None:
            return labels
        if labels.dtype.kind in "US":
            labels = labels.astype(object)  # -1 among words stays a number
        elif labels.dtype.kind in "ub":
            labels = labels.astype(int)
        labels[np.maximum(motion, 1 - motion) < self.confidence] = UNLABELLED
        return labels

    @property
    def steps(self):
        """Steps as of a pipeline, the map being the last one: live, it is asked frame by frame."""
        if not hasattr(self, "estimator_"):
            raise AttributeError("steps are there after fit.")
        inner = getattr(self.estimator_, "steps", [("frames", self.estimator_)])
        return [*inner, ("calibration", _Calibration(self))]

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class _Calibration:
    """The map as the last step of a pipeline that runs live."""

    calibrates = True

    def __init__(self, model):
        self.classes_, self._how = model.classes_, (model.map_, model.normal_)

    def predict_proba(self, proba):
        return ragged(calibrated(one, *self._how) for one in proba)

    def _stream(self):
        return self

    def push(self, proba, timestamp):
        return calibrated(proba[None], *self._how)[0]

    def reset(self):
        pass


def calibrated(proba, learned, normal):
    """Map the probability of the motion, and share it among classes as it was.

    Parameters
    ----------
    proba : ndarray of shape (n_frames, n_classes)
        What the model says.
    learned : ndarray
        From :func:`skrehab.adaptation.map_scores`.
    normal : int
        Column of the normal class.

    Returns
    -------
    ndarray of shape (n_frames, n_classes), dtype float32
        Rows that sum to 1.
    """
    others = np.delete(proba, normal, axis=1).astype(float)
    if not others.shape[1]:
        return np.ones_like(proba, dtype=np.float32)
    before = others.sum(axis=1, keepdims=True)
    motion = apply_map(learned, before[:, 0])[:, None]
    share = np.where(before > 0, others / np.where(before > 0, before, 1), 1 / others.shape[1])
    return np.insert(motion * share, normal, 1 - motion[:, 0], axis=1).astype(np.float32)
