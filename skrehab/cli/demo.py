"""The main job on synthetic patients: trial labels in, frame scores out, patient by patient."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from imblearn.pipeline import Pipeline
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_validate

from skrehab._written import written
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import summary_table
from skrehab.formats._spreadsheet import put_rows
from skrehab.metrics import by_patient, frame_roc_auc, positive_scores
from skrehab.recipes import build_pipeline
from skrehab.trials import ragged

__all__ = ["DemoResult", "run_demo", "write_demo"]

WEAK, TRUTH = "AcT + integrated gradients + MLP", "MLP trained on frame truth"
DURATION, CONSTANT = "trial duration alone", "constant"


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
    video_auc : skrehab.metrics.PatientScores
        Trial-level area of the video classifier inside the weak pipeline.
    pipelines : dict of str to Pipeline
        By patient: the weak pipeline that never saw this patient.
    seconds : float
        Time the evaluation took.
    """

    data: object
    frame_scores: dict
    frame_auc: dict
    video_auc: object
    pipelines: dict
    seconds: float


class _Reporting(LeaveOneGroupOut):
    """Leave one patient out and tell when a fold is handed to a worker."""

    def __init__(self, on_fold):
        self.on_fold = on_fold

    def split(self, X, y=None, groups=None):
        for fold in super().split(X, y, groups):
            yield fold
            self.on_fold()


def _no_score(estimator, X, y):
    """Stand in for a scorer: predictions are scored when all patients are in."""
    return 0.0


def run_demo(n_patients=18, n_repetitions=3, *, n_jobs=2, random_state=0, on_fold=lambda: None):
    """Evaluate weak and full supervision, leaving one patient out at a time.

    Parameters
    ----------
    n_patients : int, default=18
        Synthetic patients.
    n_repetitions : int, default=3
        Trials of each exercise and side.
    n_jobs : int, default=2
        Processes.
    random_state : int, default=0
        Seed of patients and networks.
    on_fold : callable, optional
        Called with nothing when a fold starts, two times a patient.

    Returns
    -------
    DemoResult
        Scores of every held-out patient.
    """
    start = time.perf_counter()
    data = make_rehab_trials(n_patients, n_repetitions, random_state=random_state)
    weak = build_pipeline(max_epochs=15, frame_epochs=10, random_state=random_state)
    weak.set_params(labels__n_steps=16)  # bounds the time; "auto" takes as many as are needed
    truth = Pipeline([step for step in weak.steps if step[0] != "labels"])
    folds = list(LeaveOneGroupOut().split(data.X, data.y, data.groups))

    def fitted(pipeline, y):
        return cross_validate(
            *(pipeline, data.X, y),
            groups=data.groups,
            cv=_Reporting(on_fold),
            scoring=_no_score,
            return_estimator=True,
            n_jobs=n_jobs,
            pre_dispatch="n_jobs",
        )["estimator"]

    frame_scores, video_scores, pipelines = {}, np.empty(len(data.X)), {}
    for name, pipeline, y in [(WEAK, weak, data.y), (TRUTH, truth, data.frame_labels)]:
        scores = [None] * len(data.X)
        for estimator, (_, test) in zip(fitted(pipeline, y), folds):
            held_out = [data.X[i] for i in test]
            for i, one in zip(test, positive_scores(estimator.predict_proba(held_out))):
                scores[i] = one
            if name == WEAK:
                pipelines[data.groups[test[0]]] = estimator
                moved = estimator[:2].transform(held_out)
                proba = estimator["labels"].estimator_.predict_proba(moved)
                video_scores[test] = proba[:, 1]
        frame_scores[name] = ragged(scores)
    frame_scores[DURATION] = _duration_scores(data, folds)
    frame_scores[CONSTANT] = ragged(np.zeros(len(trial)) for trial in data.X)

    frame_auc = {
        name: by_patient(frame_roc_auc, data.frame_labels, scores, data.groups)
        for name, scores in frame_scores.items()
    }
    video_auc = by_patient(roc_auc_score, data.y, video_scores, data.groups)
    seconds = time.perf_counter() - start
    return DemoResult(data, frame_scores, frame_auc, video_auc, pipelines, seconds)


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


# --- what is written ------------------------------------------------------------------------------
def write_demo(result, folder):
    """Write the report, its figures and the scores.

    Parameters
    ----------
    result : DemoResult
        From :func:`run_demo`.
    folder : str or path-like
        Where to; made if it is missing.

    Returns
    -------
    pathlib.Path
        The report, one HTML file that needs no network.
    """
    from skrehab import __version__
    from skrehab.report import Section, Table, write_report

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data = result.data
    figures = _figures(result, folder)
    rows = summary_table(result.frame_auc, reference=TRUTH)
    _write_csv(folder / "frame_auc_by_patient.csv", result)
    table = Table(
        {
            "method": "method",
            "auc": "AUC, mean ± sd over patients",
            "interval": "95 % interval of the mean",
            "pooled": "pooled AUC",
            "n_patients": "patients",
        },
        [
            {
                "method": row["method"],
                "auc": (row["mean"], row["sd"]),
                "interval": f"{row['low']:.2f} to {row['high']:.2f}",
                "pooled": row["pooled"],
                "n_patients": row["n_patients"],
            }
            for row in rows
        ],
        "Frame-level area under the ROC curve. Each patient was scored by a model that never saw "
        "them; the interval resamples patients.",
        best={"auc": "max"},
        formats={"auc": ".2f", "pooled": ".2f"},
    )
    weak, truth = result.frame_auc[WEAK], result.frame_auc[TRUTH]
    return write_report(
        folder / "report.html",
        "skrehab demo: frame-level feedback from trial labels",
        [
            Section(
                "Question",
                "Therapists label a whole trial: compensation or not. Can a model that saw only "
                "such labels point at the moments when a new patient compensates? "
                f"{len(data.X)} synthetic trials of {len(set(data.groups))} patients and five "
                "seated exercises, leave-one-patient-out.",
            ),
            Section(
                "Answer",
                f"From trial labels alone the frame AUC is {weak.mean:.2f} ± {weak.std:.2f}; with "
                f"a label for every training frame it is {truth.mean:.2f} ± {truth.std:.2f}. The "
                "video classifier underneath tells trials apart with an AUC of "
                f"{result.video_auc.mean:.2f} ± {result.video_auc.std:.2f}.",
                table=table,
                figures=figures["patients"],
            ),
            Section(
                "One trial of a patient the model never saw",
                "The network is asked which frames and landmarks spoke for its verdict; at home, "
                "only the curve of the frame model is shown, while the patient moves.",
                figures=figures["trial"],
            ),
            Section(
                "What this is not",
                "The patients are simulated: they show that the pipeline works from end to end, "
                "not how well it does on people. All pipelines are causal, so the curve is what "
                "would be seen live. Frame truth was used for scoring, and for training only in "
                "the row that says so.",
            ),
        ],
        subtitle="Synthetic patients, leave-one-patient-out",
        highlights={
            "frame AUC from trial labels": f"{weak.mean:.2f}",
            "frame AUC from frame truth": f"{truth.mean:.2f}",
            "patients": len(set(data.groups)),
        },
        footer=f"skrehab {__version__}; evaluation took {result.seconds:.0f} s",
    )


def _figures(result, folder):
    """Draw the figures, save each as a PNG, and return them for the report."""
    import matplotlib.pyplot as plt

    from skrehab.inspection import (
        FrameTimelineDisplay,
        PatientScoresDisplay,
        SaliencyMapDisplay,
        SkeletonDisplay,
    )
    from skrehab.report import Figure

    data, i = result.data, _typical_trial(result)
    pipeline = result.pipelines[data.groups[i]]
    classifier = pipeline["labels"].estimator_
    trial, truth = data.X[i], data.frame_labels[i]
    scores = result.frame_scores[WEAK][i]
    moved = pipeline[:2].transform([trial])[0]
    shown = {k: v.scores for k, v in result.frame_auc.items() if k in (WEAK, TRUTH)}
    patients = result.frame_auc[WEAK].patients
    about = f"{data.exercise[i]}, patient {data.groups[i]}"

    drawn = {
        "patients": PatientScoresDisplay.from_predictions(
            shown, patients, metric="frame AUC", references={"chance": 0.5}
        ),
        "saliency_map": SaliencyMapDisplay.from_estimator(
            classifier, moved, frame_labels=truth, frame_rate=data.frame_rate
        ),
    }
    drawn = {name: display.figure_ for name, display in drawn.items()}
    drawn["trial"], (above, below) = plt.subplots(
        2, 1, figsize=(10, 5.6), height_ratios=[1.5, 1], layout="constrained"
    )
    SkeletonDisplay.from_predictions(
        trial,
        skeleton=data.skeleton,
        frame_labels=(scores > 0.5).astype(int),
        frame_rate=data.frame_rate,
        ax=above,
    )
    FrameTimelineDisplay.from_predictions(
        scores, frame_labels=truth, frame_rate=data.frame_rate, ax=below
    )
    for name, drawing in drawn.items():
        drawing.savefig(folder / f"{name}.png", dpi=160, bbox_inches="tight")
        plt.close(drawing)

    def figure(name, caption, alt):
        return Figure(folder / f"{name}.png", caption, alt)

    return {
        "patients": [
            figure(
                "patients",
                "A dot is a patient, scored by models trained on the others.",
                "Dots of frame AUC for each patient, one row for each method.",
            )
        ],
        "trial": [
            figure(
                "trial",
                f"{about}: the movement, coloured by the model's verdict, and the probability of "
                "compensation that the patient would be shown, frame by frame, above the truth.",
                "Stick figures of a seated person at several moments of the trial, and under them "
                "a curve of the probability over time with a strip of the true labels.",
            ),
            figure(
                "saliency_map",
                "Which landmarks spoke for the verdict, and when (integrated gradients).",
                "Heat map of landmarks against time.",
            ),
        ],
    }


def _typical_trial(result):
    """Pick the held-out positive trial of median frame AUC: typical, not the prettiest."""
    data = result.data
    candidates = []
    for i in np.flatnonzero(data.y == 1):
        truth = data.frame_labels[i]
        if 0 < truth.sum() < len(truth):
            candidates.append((frame_roc_auc([truth], [result.frame_scores[WEAK][i]]), i))
    return sorted(candidates)[len(candidates) // 2][1]


def _write_csv(path, result):
    """Write one row a patient, one column a method."""
    methods = list(result.frame_auc)
    patients = result.frame_auc[WEAK].patients
    rows = [["patient", *methods, "video AUC"]]
    for row, patient in enumerate(patients):
        values = [result.frame_auc[m].scores[row] for m in methods]
        values.append(result.video_auc.scores[row])
        rows.append([patient, *(f"{value:.4f}" for value in values)])
    with written(path, text=True) as file:
        put_rows(file, rows)
