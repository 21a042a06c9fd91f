"""The main job on synthetic patients: trial labels in, frame scores out, for new patients."""

import time
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import Pipeline

from skrehab.datasets import make_rehab_trials
from skrehab.frames import FrameMLP
from skrehab.metrics import by_patient, frame_roc_auc, positive_scores
from skrehab.preprocessing import DisplacementSmoother, LandmarkScaler
from skrehab.recipes import published, recommended
from skrehab.trials import ragged

__all__ = ["METHODS", "N_FOLDS", "DemoResult", "run_demo"]

RECOMMENDED, PUBLISHED = "recommended", "published (AcT, integrated gradients, two thresholds)"
TRUTH = "MLP trained on frame truth"
DURATION, CONSTANT = "trial duration alone", "constant"
#: Folds, each with other patients: as many as fit into five minutes on two cores.
N_FOLDS = 4
#: What the demo compares, in the order of its tables.
METHODS = (RECOMMENDED, PUBLISHED, TRUTH, DURATION, CONSTANT)


@dataclass(frozen=True)
class DemoResult:
    """What the demo found.

    Parameters
    ----------
    data : Bunch
        The synthetic trials.
    frame_scores : dict of str to ndarray of shape (n_trials,), dtype object
        Scores of each held-out trial's frames, by method.
    frame_auc : dict of str to skrehab.metrics.PatientScores
        Frame-level area under the ROC curve, by method.
    video_auc : dict of str to skrehab.metrics.PatientScores
        Trial-level area of the video classifiers inside the two weak pipelines.
    pipelines : dict of str to Pipeline
        By patient: the recommended pipeline that never saw this patient.
    n_folds : int
        Groups of patients that were held out in turn.
    seconds : float
        Time the evaluation took.
    """

    data: object
    frame_scores: dict
    frame_auc: dict
    video_auc: dict
    pipelines: dict
    n_folds: int
    seconds: float


class _Reporting(GroupKFold):
    """Hold out groups of patients and tell when a fold is handed to a worker."""

    def __init__(self, n_splits, on_fold):
        super().__init__(n_splits)
        self.on_fold = on_fold

    def split(self, X, y=None, groups=None):
        for fold in super().split(X, y, groups):
            yield fold
            self.on_fold()


def _no_score(estimator, X, y):
    """Stand in for a scorer: predictions are scored when all patients are in."""
    return 0.0


def _pipelines(random_state):
    """The three that learn.

    Five minutes on two cores are not enough for the large AcT with every frame a token, so the
    published recipe has the smallest one here, 15 epochs at ten times the rate, and 16 points;
    ``benchmarks/`` runs it whole.
    """
    paper = published(max_epochs=15, frame_epochs=5, random_state=random_state).set_params(
        labels__n_steps=16,
        labels__estimator__lr=1e-3,
        labels__estimator__network_params={"size": "micro"},
    )
    # on metres AcT learns next to nothing in so few epochs
    paper.steps.insert(1, ("scale", LandmarkScaler()))
    truth = Pipeline(
        [
            ("motion", DisplacementSmoother()),
            ("scale", LandmarkScaler()),
            ("frames", FrameMLP(max_epochs=10, random_state=random_state)),
        ]
    )
    ours = recommended(n_teachers=1, random_state=random_state)
    return {RECOMMENDED: ours, PUBLISHED: paper, TRUTH: truth}


def run_demo(
    n_patients=18,
    n_repetitions=3,
    *,
    n_folds=N_FOLDS,
    max_epochs="auto",
    n_jobs=2,
    random_state=0,
    on_fold=lambda: None,
):
    """Evaluate both recipes and full supervision on patients that they never saw.

    Parameters
    ----------
    n_patients : int, default=18
        Synthetic patients.
    n_repetitions : int, default=3
        Trials of each exercise and side.
    n_folds : int, default=4
        Groups of patients that are held out in turn; at most as many as patients.
    max_epochs : int or "auto", default="auto"
        Epochs of the recommended recipe's networks.
    n_jobs : int, default=2
        Processes.
    random_state : int, default=0
        Seed of patients and networks.
    on_fold : callable, optional
        Called with nothing when a fold starts, three times `n_folds` in all.

    Returns
    -------
    DemoResult
        Scores of every held-out patient.
    """
    start = time.perf_counter()
    data = make_rehab_trials(n_patients, n_repetitions, random_state=random_state)
    n_folds = min(n_folds, n_patients)
    folds = list(GroupKFold(n_folds).split(data.X, data.y, data.groups))
    who = {"groups": data.groups, "exercise": data.exercise}
    models = _pipelines(random_state)
    models[RECOMMENDED].set_params(
        labels__estimator__max_epochs=max_epochs, frames__max_epochs=max_epochs
    )
    frame_scores, video_scores, pipelines = {}, {}, {}
    for name, pipeline in models.items():
        scores = [None] * len(data.X)
        weak = name != TRUTH
        fitted = cross_validate(
            *(pipeline, data.X, data.y if weak else data.frame_labels),
            groups=data.groups,
            params=who if weak else None,
            cv=_Reporting(n_folds, on_fold),
            scoring=_no_score,
            return_estimator=True,
            n_jobs=n_jobs,
            pre_dispatch="n_jobs",
        )["estimator"]
        for estimator, (_, test) in zip(fitted, folds):
            held_out = [data.X[i] for i in test]
            for i, one in zip(test, positive_scores(estimator.predict_proba(held_out))):
                scores[i] = one
            if weak:
                proba = _trial_proba(estimator, held_out)
                video_scores.setdefault(name, np.empty(len(data.X)))[test] = proba
            if name == RECOMMENDED:
                pipelines |= dict.fromkeys(np.unique(data.groups[test]).tolist(), estimator)
        frame_scores[name] = ragged(scores)
    frame_scores[DURATION] = _duration_scores(data, folds)
    frame_scores[CONSTANT] = ragged(np.zeros(len(trial)) for trial in data.X)

    frame_auc = {
        name: by_patient(frame_roc_auc, data.frame_labels, scores, data.groups)
        for name, scores in frame_scores.items()
    }
    video_auc = {
        name: by_patient(roc_auc_score, data.y, scores, data.groups)
        for name, scores in video_scores.items()
    }
    seconds = time.perf_counter() - start
    return DemoResult(data, frame_scores, frame_auc, video_auc, pipelines, n_folds, seconds)


def _trial_proba(pipeline, trials):
    """Probability of compensation in each trial, by the video classifier inside a pipeline."""
    before = list(pipeline.named_steps).index("labels")
    for _, step in pipeline.steps[:before]:
        trials = step.transform(trials)
    return pipeline["labels"].estimator_.predict_proba(trials)[:, 1]


def _duration_scores(data, folds):
    """Score every frame by its trial's duration: the share of compensation at such a length.

    A model that does no better has learned how long patients take, not how they move.
    """
    from sklearn.linear_model import LogisticRegression

    duration = np.array([[len(trial)] for trial in data.X], dtype=float)
    scores = [None] * len(data.X)
    for train, test in folds:
        model = LogisticRegression().fit(duration[train] / duration[train].std(), data.y[train])
        proba = model.predict_proba(duration[test] / duration[train].std())[:, 1]
        for i, p in zip(test, proba):
            scores[i] = np.full(len(data.X[i]), p)
    return ragged(scores)
