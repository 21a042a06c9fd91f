"""From what folds noted to scores by patient: scorers are asked about one patient at a time."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, roc_auc_score
from sklearn.utils.metadata_routing import get_routing_for_object

from skrehab.metrics.frames import frame_roc_auc, pool_frames
from skrehab.metrics.patients import PatientScores, by_patient
from skrehab.trials import ragged

TRIAL_AUC, FRAME_AUC, VIDEO_AUC = "trial AUC", "frame AUC", "trial AUC of the classifier inside"


@dataclass(frozen=True)
class SeedScores:
    """What one model with one seed said of the held-out trials, and its scores.

    ``frame_scores`` (n_trials,) of arrays, ``trial_scores`` and ``video_scores`` (n_trials,) are of
    the motion, nan or empty for trials that no fold tested; None where a model does not say.
    """

    trial_scores: np.ndarray
    frame_scores: np.ndarray | None
    video_scores: np.ndarray | None
    lengths: list | None
    scores: dict
    explained: dict
    fit_seconds: float
    n_resumed: int


def scorers_of(scoring, data):
    """Name the scorers; None stands for one of ours."""
    if scoring is None:
        names = [TRIAL_AUC] + ([FRAME_AUC] if data.frame_labels is not None else [])
        return dict.fromkeys([*names, VIDEO_AUC])
    if isinstance(scoring, str) or callable(scoring):
        scoring = [scoring]
    if not isinstance(scoring, dict):
        scoring = {_name(one): one for one in scoring}
    if not scoring:
        raise ValueError("scoring names no scorer.")
    return {
        name: None if one in (TRIAL_AUC, FRAME_AUC, VIDEO_AUC) else one
        for name, one in scoring.items()
    }


def _name(scorer):
    if isinstance(scorer, str):
        return scorer
    return getattr(scorer, "__name__", type(scorer).__name__)


def scored(records, folds, data, lengths, scorers):
    """Score what the folds of one model and seed noted."""
    n = len(data.X)
    known = [label for record in records for label in record["about"]["classes"]]
    classes = np.unique([*data.classes.tolist(), *known])
    says_frames = all("scores" in record["arrays"] for record in records)
    proba, frames = np.full((n, len(classes)), np.nan), [None] * n
    video = np.full(n, np.nan)
    explained = {}
    for record, (_, test) in zip(records, folds):
        arrays, about = record["arrays"], record["about"]
        columns = np.searchsorted(classes, about["classes"])
        if says_frames:
            parts = np.split(arrays["scores"], np.cumsum(arrays["lengths"])[:-1])
            for i, part in zip(test, parts, strict=True):
                frames[i] = np.zeros((len(part), len(classes)), part.dtype)
                frames[i][:, columns] = part
        else:
            proba[test] = 0
            proba[np.ix_(test, columns)] = arrays["video"]
        if "video_classes" in about:
            video[test] = data.motion_scores(arrays["video"], about["video_classes"])
        for place in about.get("explained", ()):
            names = about.get("map_names")
            explained[int(test[place])] = (arrays[f"map_{place}"], names)
    tested = np.sort(np.concatenate([test for _, test in folds]))
    if says_frames:
        lengths = [0 if one is None else len(one) for one in frames]
        empty = np.zeros((0, len(classes)))
        frames = [empty if one is None else one for one in frames]
        motion = ragged(data.motion_scores(one, classes.tolist()) for one in frames)
        trial = np.full(n, np.nan)
        trial[tested] = pool_frames([motion[i] for i in tested])
    else:
        trial = data.motion_scores(proba, classes.tolist())
        motion = None
        if lengths is not None:
            motion = ragged(np.full(k, one) for k, one in zip(lengths, trial))
    inside = video if "video_classes" in records[0]["about"] else None
    found = {}
    with warnings.catch_warnings():  # a patient with one class is named in the result
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        for name, scorer in scorers.items():
            if scorer is None:
                one = _own(name, data, tested, trial, motion, inside)
            else:
                said = frames if says_frames else proba
                one = _asked(name, scorer, data, tested, said, says_frames, classes)
            if one is not None:
                found[name] = one
    seconds = sum(record["about"].get("fit_seconds", 0) for record in records)
    n_resumed = sum(record["resumed"] for record in records)
    return SeedScores(trial, motion, inside, lengths, found, explained, seconds, n_resumed)


def _own(name, data, tested, trial, motion, inside):
    groups = data.groups[tested]
    if name == FRAME_AUC:
        if motion is None or data.truth is None:
            return None
        truth = data.truth
        truth, said = ([values[i] for i in tested] for values in (truth, motion))
        score = _labelled_only(frame_roc_auc)
        return by_patient(score, truth, said, groups)
    said = inside if name == VIDEO_AUC else trial
    if said is None:
        return None
    return by_patient(roc_auc_score, data.motion[tested].astype(int), said[tested], groups)


def _labelled_only(metric):
    """A patient without any frame truth has no score."""

    def score(truth, said):
        known = [i for i, one in enumerate(truth) if (one >= 0).any()]
        if not known:
            return np.nan
        return metric([truth[i] for i in known], [said[i] for i in known], labels=[0, 1])

    return score


class _Said(ClassifierMixin, BaseEstimator):
    """Says again what a model has said of some trials."""

    def __init__(self, classes=None, proba=None, normal_label=None):
        self.classes = classes
        self.proba = proba
        self.normal_label = normal_label  # where our scorers look for it

    def fit(self, X=None, y=None):
        return self

    @property
    def classes_(self):
        return self.classes

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        return self.proba

    def predict(self, X):
        if isinstance(self.proba, np.ndarray) and self.proba.ndim == 2:
            return self.classes[self.proba.argmax(axis=1)]
        return ragged(self.classes[one.argmax(axis=1)] for one in self.proba)


def _asked(name, scorer, data, tested, said, says_frames, classes):
    """Scores by a scorer of scikit-learn's form."""
    of_trials = isinstance(scorer, str)
    if of_trials:
        scorer = get_scorer(scorer)
    asks = get_routing_for_object(scorer).consumes("score", ["frame_labels"])
    if asks and (data.frame_labels is None or not says_frames):
        return None
    if says_frames and of_trials:
        pooled = np.full((len(data.X), len(classes)), np.nan)
        pooled[tested] = np.stack(
            [pool_frames([said[i][:, c] for i in tested]) for c in range(len(classes))], axis=1
        )
        said, says_frames = pooled / pooled.sum(axis=1, keepdims=True), False

    def score(index):
        proba = ragged(said[i] for i in index) if says_frames else said[index]
        more = {"frame_labels": [data.frame_labels[i] for i in index]} if asks else {}
        model = _Said(classes, proba, data.normal_label)
        value = scorer(model, [data.X[i] for i in index], data.y[index], **more)
        return float(value)

    groups = data.groups[tested]
    patients = np.unique(groups)
    scores = np.array([score(tested[groups == one]) for one in patients])
    return PatientScores(patients.tolist(), scores, score(tested))
