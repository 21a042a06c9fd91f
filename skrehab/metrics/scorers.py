"""Scorers ``(estimator, X, y)``: by trial labels, or by frame truth routed to them alone.

Frame truth is for scoring. Hyper-parameters are selected with :data:`trial_roc_auc`, which needs
trial labels only.
"""

import numpy as np
from sklearn.base import BaseEstimator

from skrehab._seen import warn_of_patients_seen
from skrehab._told import predicted
from skrehab.metrics.frames import area_under_curve, labelled_frames, labels_of, pool_frames
from skrehab.metrics.motion import motion_of, normal_number, not_labelled
from skrehab.metrics.told_normal import told_normal, warn_of_normal_as_motion
from skrehab.trials import check_frame_labels, check_trial_labels

__all__ = ["FrameScorer", "TrialScorer", "trial_roc_auc"]


class TrialScorer(BaseEstimator):
    """Score an estimator by trial labels, whether it says frames or trials.

    A callable ``(estimator, X, y)`` for ``scoring=``. Frame probabilities are pooled with
    :func:`pool_frames`, then the area under the ROC curve against the trial labels is taken. It
    needs no frame truth, so it is what hyper-parameters may be selected with.

    Parameters
    ----------
    share : float, default=0.1
        Share of a trial's frames that is averaged.
    pos_label : label, optional
        The label whose probability is the score. None means any label but the normal one: the
        ``normal_label`` that the estimator or a part of it was told, else the smallest number.
        Text labels have no such order: one of the two must be given for them.

    Notes
    -----
    A held-out patient with one class of trials has no area: the score is nan, with a warning that
    names the patient where scikit-learn's metadata routing is on, which hands ``groups`` over.

    Where both ``fit`` and the scorer are given ``groups``, as routing does, a patient on both sides
    of the split is said in a warning. Without them a scorer cannot know; it sees the trials of one
    side only. :func:`skrehab.evaluation.evaluate_by_patient` refuses such splits always.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import VideoClassifier
    >>> from skrehab.metrics import trial_roc_auc
    >>> X = [np.full((10, 33, 3), label, dtype=float) for label in (0, 1) * 8]
    >>> y = [0, 1] * 8
    >>> trial_roc_auc(VideoClassifier("lstm", max_epochs=3, random_state=0).fit(X, y), X, y)
    1.0
    """

    # asked for wherever they are given
    __metadata_request__score = {"groups": True, "exercise": True}

    def __init__(self, share=0.1, pos_label=None):
        self.share = share
        self.pos_label = pos_label

    def score(self, estimator, X, y, groups=None, exercise=None):
        """Score a fitted estimator.

        Parameters
        ----------
        estimator : estimator with predict_proba
            Classifier of trials or of frames.
        X : list
            Trials.
        y : array-like of shape (n_trials,)
            Trial labels, two classes. A trial labelled -1 is not scored, unless -1 is a class of
            the estimator.
        groups : array-like of shape (n_trials,), optional
            Patients, named where the score is not defined, and told to a model that asks for them.
        exercise : array-like of shape (n_trials,), optional
            Exercises, told to a model that asks for them, as a :class:`skrehab.PatientReference`.

        Returns
        -------
        float
            Area under the ROC curve, nan if it is not defined.
        """
        y = check_trial_labels(y, y)
        warn_of_patients_seen(estimator, X, groups)
        proba = predicted(estimator, X, {"groups": groups, "exercise": exercise})
        classes = np.asarray(estimator.classes_)
        if self.pos_label is None:
            normal = told_normal(estimator)
            if normal is None and classes.dtype.kind not in "biuf":
                raise ValueError(
                    f"Which of {classes.tolist()} is the motion looked for? Text labels have no "
                    "order: tell the model its normal_label, or score with "
                    "TrialScorer(pos_label=...)."
                )
            normal = classes[0] if normal is None else normal
            truth = motion_of(y, None, classes, normal)
            scores = [1 - one[..., classes == normal].sum(axis=-1) for one in proba]
        else:
            warn_of_normal_as_motion(estimator, self.pos_label)
            truth = y == self.pos_label
            column = np.flatnonzero(classes == self.pos_label)
            if len(column) == 0 and not truth.any():
                raise ValueError(f"pos_label={self.pos_label!r} is not among {classes.tolist()}.")
            # an estimator that never saw the label gives it no probability
            scores = [one[..., column].sum(axis=-1) for one in proba]
        says_frames = np.ndim(scores[0]) == 1
        trial_scores = pool_frames(scores, self.share) if says_frames else np.array(scores)
        known = ~not_labelled(y, classes)
        return area_under_curve(
            truth[known], trial_scores[known], _name_patients(groups), labels=y[known]
        )

    __call__ = score


class FrameScorer(BaseEstimator):
    """Score a frame classifier by frame truth, routed to the scorer alone.

    Use with ``cross_validate(..., params={"frame_labels": F, "groups": g})`` under
    ``sklearn.config_context(enable_metadata_routing=True)``; scikit-learn then refuses to hand the
    frame truth to ``fit``. Truth of more than two classes is scored as the motion, of whatever
    kind, against the normal frames. A patient on both sides of the split is said in a warning, see
    :class:`TrialScorer`.

    Parameters
    ----------
    pos_label : label, optional
        The label whose probability is the score. None means any label but the normal one: the
        ``normal_label`` that the estimator or a part of it was told, else the smallest number.
        Text labels have no such order: one of the two must be given for them.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> from skrehab.metrics import FrameScorer
    >>> X, y = [np.arange(6.0).reshape(6, 1, 1)] * 2, [np.array([0, 0, 0, 1, 1, 1])] * 2
    >>> FrameScorer()(FrameMLP(lr=0.1, random_state=0).fit(X, y), X, y)
    1.0
    """

    # nobody else asks for truth
    __metadata_request__score = {"frame_labels": True, "groups": True, "exercise": True}

    def __init__(self, pos_label=None):
        self.pos_label = pos_label

    def score(self, estimator, X, y, frame_labels=None, groups=None, exercise=None):
        """Score a fitted frame classifier.

        Parameters
        ----------
        estimator : estimator with predict_proba
            Frame classifier.
        X : list
            Trials.
        y : array-like of shape (n_trials,)
            Trial labels; not used when there is frame truth, but may be frame labels themselves.
        frame_labels : sequence of array-like of shape (n_frames_i,), optional
            Frame truth of these trials.
        groups : array-like of shape (n_trials,), optional
            Patients, to be compared with those that the model learned from, and told to a model
            that asks for them.
        exercise : array-like of shape (n_trials,), optional
            Exercises, told to a model that asks for them, as a :class:`skrehab.PatientReference`.

        Returns
        -------
        float
            Area under the ROC curve over labelled frames.
        """
        truth = y if frame_labels is None else frame_labels
        warn_of_patients_seen(estimator, X, groups)
        proba = predicted(estimator, X, {"groups": groups, "exercise": exercise})
        classes = np.asarray(estimator.classes_)
        truth = check_frame_labels(truth, proba)
        labels = [*classes.tolist(), *labels_of(truth).tolist()]
        normal = None
        if self.pos_label is None:
            normal = told_normal(estimator)
            normal = normal_number(labels) if normal is None else normal
            motion = classes != normal
        else:
            warn_of_normal_as_motion(estimator, self.pos_label)
            motion = classes == self.pos_label
        scores = [one[:, motion].sum(axis=1) for one in proba]
        truth, scores = labelled_frames(truth, scores)
        is_motion = motion_of(truth, self.pos_label, labels, normal) if len(truth) else truth
        return area_under_curve(is_motion, scores, "these trials", labels=truth)

    __call__ = score


trial_roc_auc = TrialScorer()


def _name_patients(groups):
    if groups is None:
        return "these trials"
    names = np.unique(groups).tolist()
    return f"patient {names[0]}" if len(names) == 1 else f"patients {names}"
