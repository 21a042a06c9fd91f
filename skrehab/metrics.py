"""Scores of frames, segments and trials, and what they are by patient.

Frame truth is for scoring. Hyper-parameters are selected with :data:`trial_roc_auc`, which needs
trial labels only.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import f1_score, roc_auc_score

from skrehab import multilabel_metrics
from skrehab.multilabel_metrics import *  # noqa: F403 - several labels a trial have their own file
from skrehab.trials import check_frame_labels, check_groups, labelled, ragged

__all__ = [
    *multilabel_metrics.__all__,
    "FrameScorer",
    "PatientScores",
    "TrialScorer",
    "by_patient",
    "frame_f1",
    "frame_roc_auc",
    "pool_frames",
    "positive_scores",
    "segment_precision_recall",
    "segments",
    "trial_roc_auc",
]


# --- frames ---------------------------------------------------------------------------------------
def _labelled_frames(frame_labels, frame_values):
    """Join the labelled frames of all trials."""
    values = [np.asarray(v) for v in frame_values]
    truth = check_frame_labels(frame_labels, values)
    use = [labelled(t) for t in truth]
    return (
        np.concatenate([t[m] for t, m in zip(truth, use)]),
        np.concatenate([v[m] for v, m in zip(values, use)]),
    )


def positive_scores(frame_proba):
    """Compute the probability of every frame that it is of any class but the first.

    The first class is the normal one: labels are numbers, and 0 means no such motion.

    Parameters
    ----------
    frame_proba : sequence of array-like of shape (n_frames_i,) or (n_frames_i, n_classes)
        Scores or probabilities.

    Returns
    -------
    ndarray of shape (n_trials,), dtype object
        One array ``(n_frames_i,)`` per trial; zeros where only one class was ever seen.
    """
    arrays = (np.asarray(p) for p in frame_proba)
    return ragged(
        a if a.ndim == 1 else (a[:, 1:].sum(axis=1) if a.shape[1] > 1 else np.zeros(len(a)))
        for a in arrays
    )


def _auc(truth, score, what, labels=None):
    if len(np.unique(truth)) < 2:
        only = np.unique(truth if labels is None else labels).tolist()
        named = ", ".join(map(repr, only)) or "nothing"
        warnings.warn(
            f"ROC AUC is not defined for {what}: only {named} among the labels. The score is nan.",
            UndefinedMetricWarning,
            stacklevel=3,
        )
        return np.nan
    return float(roc_auc_score(truth, score))


def frame_roc_auc(frame_labels, frame_scores):
    """Compute the area under the ROC curve over all labelled frames.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i,)
        True labels of each trial's frames, 0 or 1; ``-1`` is left out.
    frame_scores : sequence of array-like of shape (n_frames_i,) or (n_frames_i, 2)
        Scores, or probabilities as from ``predict_proba``.

    Returns
    -------
    float
        The area; nan with a warning if there is only one class.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, Table IV.

    Examples
    --------
    >>> from skrehab.metrics import frame_roc_auc
    >>> frame_roc_auc([[0, 0, 1], [0, -1]], [[0.1, 0.3, 0.8], [0.2, 0.9]])
    1.0
    """
    return _auc(*_labelled_frames(frame_labels, positive_scores(frame_scores)), "these trials")


def frame_f1(frame_labels, frame_predictions, *, average="binary"):
    """Compute the F1 score over all labelled frames.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i,)
        True labels; ``-1`` is left out.
    frame_predictions : sequence of array-like of shape (n_frames_i,)
        Predicted labels.
    average : str, default="binary"
        As in :func:`sklearn.metrics.f1_score`.

    Returns
    -------
    float
        The score; 0 if nothing is predicted positive.

    Examples
    --------
    >>> from skrehab.metrics import frame_f1
    >>> frame_f1([[0, 1, 1, -1]], [[0, 1, 0, 1]])
    0.6666666666666666
    """
    truth, predicted = _labelled_frames(frame_labels, frame_predictions)
    return float(f1_score(truth, predicted, average=average, zero_division=0))


# --- segments -------------------------------------------------------------------------------------
def segments(frame_labels, positive=1):
    """Find the runs of positive frames.

    Parameters
    ----------
    frame_labels : array-like of shape (n_frames,)
        Labels of one trial.
    positive : label, default=1
        The label looked for.

    Returns
    -------
    list of (int, int)
        Start and stop (not included) of each run, in frames.

    Examples
    --------
    >>> from skrehab.metrics import segments
    >>> segments([0, 1, 1, 0, 1])
    [(1, 3), (4, 5)]
    """
    hit = np.concatenate([[False], np.asarray(frame_labels) == positive, [False]])
    edges = np.flatnonzero(hit[1:] != hit[:-1])
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2])]


def segment_precision_recall(frame_labels, frame_predictions, *, min_overlap=0.5, positive=1):
    """Compute precision and recall of whole segments, matched by overlap.

    A predicted segment is right if it overlaps a true one, not matched before, with an
    intersection over union of at least `min_overlap`; pairs of largest overlap are matched first.
    Frames without a true label are left out, and segments end there.

    Parameters
    ----------
    frame_labels : sequence of array-like of shape (n_frames_i,)
        True labels; ``-1`` is left out.
    frame_predictions : sequence of array-like of shape (n_frames_i,)
        Predicted labels.
    min_overlap : float, default=0.5
        Smallest intersection over union that counts.
    positive : label, default=1
        The label whose segments are scored.

    Returns
    -------
    precision, recall : float
        nan if nothing was predicted, or nothing was there.

    Raises
    ------
    ValueError
        If there are not as many labels as predictions.

    Examples
    --------
    >>> from skrehab.metrics import segment_precision_recall
    >>> segment_precision_recall([[0, 1, 1, 1, 0, 0]], [[0, 1, 1, 0, 0, 1]])
    (0.5, 1.0)
    """
    n_true = n_predicted = n_matched = 0
    for truth, predicted in _labelled_stretches(frame_labels, frame_predictions):
        truth, predicted = segments(truth, positive), segments(predicted, positive)
        n_true, n_predicted = n_true + len(truth), n_predicted + len(predicted)
        overlaps = sorted(
            ((_iou(t, p), i, j) for i, t in enumerate(truth) for j, p in enumerate(predicted)),
            reverse=True,
        )
        used_true, used_predicted = set(), set()
        for overlap, i, j in overlaps:
            if overlap >= min_overlap and i not in used_true and j not in used_predicted:
                used_true.add(i)
                used_predicted.add(j)
        n_matched += len(used_true)
    return (
        n_matched / n_predicted if n_predicted else np.nan,
        n_matched / n_true if n_true else np.nan,
    )


def _labelled_stretches(frame_labels, frame_values):
    """Yield labels and values of every run of labelled frames."""
    values = [np.asarray(v) for v in frame_values]
    for truth, value in zip(check_frame_labels(frame_labels, values), values):
        for start, stop in segments(labelled(truth), positive=True):
            yield truth[start:stop], value[start:stop]


def _iou(a, b):
    common = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return common / (a[1] - a[0] + b[1] - b[0] - common)


# --- trials ---------------------------------------------------------------------------------------
def pool_frames(frame_proba, share=0.1):
    """Turn frame scores into one score a trial: the mean of the highest ones.

    Parameters
    ----------
    frame_proba : sequence of array-like of shape (n_frames_i,) or (n_frames_i, n_classes)
        Frame scores or probabilities.
    share : float, default=0.1
        Share of the frames, at least one, that is averaged.

    Returns
    -------
    ndarray of shape (n_trials,)
        Trial scores.

    Examples
    --------
    >>> from skrehab.metrics import pool_frames
    >>> pool_frames([[0.1, 0.9, 0.3, 0.1]], share=0.5)
    array([0.6])
    """
    return np.array(
        [
            np.sort(scores)[-max(1, round(share * len(scores))) :].mean()
            for scores in positive_scores(frame_proba)
        ]
    )


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
        The label whose probability is the score. None means any label but the smallest number;
        text labels have no such order, so it must be given for them.

    Notes
    -----
    A held-out patient with one class of trials has no area: the score is nan, with a warning that
    names the patient where scikit-learn's metadata routing is on, which hands ``groups`` over.

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

    __metadata_request__score = {"groups": True}  # asked for wherever patients are given

    def __init__(self, share=0.1, pos_label=None):
        self.share = share
        self.pos_label = pos_label

    def score(self, estimator, X, y, groups=None):
        """Score a fitted estimator.

        Parameters
        ----------
        estimator : estimator with predict_proba
            Classifier of trials or of frames.
        X : list
            Trials.
        y : array-like of shape (n_trials,)
            Trial labels, two classes.
        groups : array-like of shape (n_trials,), optional
            Patients, named where the score is not defined.

        Returns
        -------
        float
            Area under the ROC curve, nan if it is not defined.
        """
        proba = estimator.predict_proba(X)
        classes = np.asarray(estimator.classes_)
        if self.pos_label is None:
            if classes.dtype.kind not in "biuf":
                raise ValueError(
                    f"Which of {classes.tolist()} is the motion looked for? Text labels have no "
                    "order: score with TrialScorer(pos_label=...)."
                )
            truth = np.asarray(y) != classes[0]
            scores = [1 - one[..., 0] for one in proba]
        else:
            truth = np.asarray(y) == self.pos_label
            column = np.flatnonzero(classes == self.pos_label)
            if len(column) == 0 and not truth.any():
                raise ValueError(f"pos_label={self.pos_label!r} is not among {classes.tolist()}.")
            # an estimator that never saw the label gives it no probability
            scores = [one[..., column].sum(axis=-1) for one in proba]
        says_frames = np.ndim(scores[0]) == 1
        trial_scores = pool_frames(scores, self.share) if says_frames else np.array(scores)
        return _auc(truth, trial_scores, _name_patients(groups), labels=y)

    __call__ = score


class FrameScorer(BaseEstimator):
    """Score a frame classifier by frame truth, routed to the scorer alone.

    Use with ``cross_validate(..., params={"frame_labels": F, "groups": g})`` under
    ``sklearn.config_context(enable_metadata_routing=True)``; scikit-learn then refuses to hand the
    frame truth to ``fit``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> from skrehab.metrics import FrameScorer
    >>> X, y = [np.arange(6.0).reshape(6, 1, 1)] * 2, [np.array([0, 0, 0, 1, 1, 1])] * 2
    >>> FrameScorer()(FrameMLP(lr=0.1, random_state=0).fit(X, y), X, y)
    1.0
    """

    __metadata_request__score = {"frame_labels": True}  # and nobody else asks for it

    def score(self, estimator, X, y, frame_labels=None):
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

        Returns
        -------
        float
            Area under the ROC curve over labelled frames.
        """
        truth = y if frame_labels is None else frame_labels
        return frame_roc_auc(truth, estimator.predict_proba(X))

    __call__ = score


trial_roc_auc = TrialScorer()


def _name_patients(groups):
    if groups is None:
        return "these trials"
    names = np.unique(groups).tolist()
    return f"patient {names[0]}" if len(names) == 1 else f"patients {names}"


# --- patients -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class PatientScores:
    """A score by patient.

    Parameters
    ----------
    patients : list
        Patient names.
    scores : ndarray of shape (n_patients,)
        Score of each patient; nan where it is not defined.
    pooled : float
        Score over all patients' trials together.
    """

    patients: list
    scores: np.ndarray
    pooled: float

    @property
    def mean(self):
        """Mean over the patients for whom the score is defined."""
        return float(np.nanmean(self.scores)) if self.n_defined else np.nan

    @property
    def std(self):
        """Standard deviation over those patients (n - 1 in the denominator)."""
        return float(np.nanstd(self.scores, ddof=1)) if self.n_defined > 1 else np.nan

    @property
    def n_defined(self):
        """Number of patients for whom the score is defined."""
        return int((~np.isnan(self.scores)).sum())

    @property
    def undefined(self):
        """Names of the patients for whom it is not."""
        return [p for p, s in zip(self.patients, self.scores) if np.isnan(s)]

    def __str__(self):
        text = f"{self.mean:.3f} +- {self.std:.3f} over {self.n_defined} patients"
        text += f", pooled {self.pooled:.3f}"
        if self.undefined:
            text += f"; not defined for {', '.join(map(str, self.undefined))}"
        return text


def by_patient(metric, y_true, y_score, groups):
    """Compute a metric for each patient, and over all of them.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score) -> float``, for example :func:`frame_roc_auc`.
    y_true, y_score : sequence of length n_trials
        What the metric takes: trial labels and scores, or frame labels and scores; paired by
        position, whatever index a pandas Series has.
    groups : array-like of shape (n_trials,)
        Patient of each trial.

    Returns
    -------
    PatientScores
        One score a patient; nan where the metric is not defined, and no warning: the result names
        them.

    Raises
    ------
    ValueError
        If there are not as many labels, scores and patients.

    Examples
    --------
    >>> from skrehab.metrics import by_patient, frame_roc_auc
    >>> truth = [[0, 1], [0, 1], [0, 0]]
    >>> print(by_patient(frame_roc_auc, truth, [[0, 1], [1, 0], [0, 0]], ["A", "B", "C"]))
    0.500 +- 0.707 over 2 patients, pooled 0.625; not defined for C
    """
    y_true, y_score = list(y_true), list(y_score)
    if len(y_true) != len(y_score):
        raise ValueError(
            f"y_true and y_score must hold one entry per trial each: {len(y_true)} and "
            f"{len(y_score)} given."
        )
    groups = check_groups(np.asarray(groups), y_true)
    patients = np.unique(groups)

    def score(index):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            return metric([y_true[i] for i in index], [y_score[i] for i in index])

    scores = np.array([score(np.flatnonzero(groups == p)) for p in patients], dtype=float)
    return PatientScores(patients.tolist(), scores, float(score(np.arange(len(groups)))))
