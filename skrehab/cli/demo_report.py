"""What the demo writes: a report, its pictures, a table of scores."""

from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.cli.demo_run import PUBLISHED, RECOMMENDED, TRUTH
from skrehab.evaluation import summary_table
from skrehab.formats._spreadsheet import put_rows
from skrehab.metrics import segments
from skrehab.skeletons import bone_skeleton

__all__ = ["about_trial", "chosen_trial", "write_demo"]

CUT = 0.5  # probability from which a frame counts

WORDS = [
    "AUC, the area under the ROC curve: take any frame with compensation and any without. In how "
    "many of such pairs has the first the higher score? 0.5 is guessing, 1 is perfect.",
    "Frame truth: which frames hold compensation. It is known because the patients are computed; a "
    "therapist would have to mark every moment of every video.",
    "Mean ± sd over patients: each patient has an AUC of their own, by a model that never saw "
    "them. Pooled: one AUC over the frames of all patients together.",
    f"False alarm: the probability is {CUT} or above where there is no compensation. Missed: it is "
    "below where there is some.",
]


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
    ours, paper, truth = (result.frame_auc[name] for name in (RECOMMENDED, PUBLISHED, TRUTH))
    videos = "; ".join(
        f"{name} {auc.mean:.2f} ± {auc.std:.2f}" for name, auc in result.video_auc.items()
    )
    return write_report(
        folder / "report.html",
        "skrehab demo: frame-level feedback from trial labels",
        [
            Section(
                "Question",
                "Therapists label a whole trial: compensation or not. Can a model that saw only "
                "such labels point at the moments when a new patient compensates? "
                f"{len(data.X)} synthetic trials of {len(set(data.groups))} patients and five "
                f"seated exercises; patients held out in {result.n_folds} groups in turn.",
            ),
            Section(
                "Answer",
                f"From trial labels alone the frame AUC of the recommended recipe is "
                f"{ours.mean:.2f} ± {ours.std:.2f}, of the published one "
                f"{paper.mean:.2f} ± {paper.std:.2f}; with a label for every training frame it is "
                f"{truth.mean:.2f} ± {truth.std:.2f}. The video classifiers underneath tell trials "
                f"apart with an AUC of: {videos}.",
                table=table,
                figures=figures["patients"],
            ),
            Section("Words", WORDS),
            Section(
                "One trial of a patient the model never saw",
                "Of the trials that the therapist labelled as compensation, this is the one whose "
                "highest scores are the median: it was chosen without the truth of its frames. At "
                "home only the curve is shown, while the patient moves; which bones spoke for the "
                "verdict is asked of the teacher afterwards.",
                figures=figures["trial"],
            ),
            Section(
                "What this is not",
                "The patients are simulated: they show that the pipeline works from end to end, "
                "not how well it does on people. All pipelines are causal, so the curve is what "
                "would be seen live. To fit into a few minutes, the published recipe has the "
                "smallest AcT, scaled input, few epochs and few points on the path; the "
                "recommended one has one teacher in place of two. Frame truth was used for "
                "scoring, and for training only in the row that says so.",
            ),
        ],
        subtitle="Synthetic patients that no model saw in training",
        highlights={
            "frame AUC, recommended": f"{ours.mean:.2f}",
            "frame AUC, published": f"{paper.mean:.2f}",
            "frame AUC from frame truth": f"{truth.mean:.2f}",
            "patients": len(set(data.groups)),
        },
        footer=f"skrehab {__version__}; evaluation took {result.seconds:.0f} s",
    )


def chosen_trial(result):
    """Choose the trial to show, by trial labels and scores alone.

    Parameters
    ----------
    result : DemoResult
        From :func:`skrehab.cli.demo_run.run_demo`.

    Returns
    -------
    int
        Of the trials labelled as compensation, the one whose 0.9 quantile of frame scores is the
        median: typical, not the prettiest.
    """
    scores = result.frame_scores[RECOMMENDED]
    labelled = np.flatnonzero(result.data.y == 1)
    height = [np.quantile(scores[i], 0.9) for i in labelled]
    return int(labelled[np.argsort(height, kind="stable")[len(height) // 2]])


def about_trial(scores, truth, saliency_map, names, frame_rate):
    """Say in words what a therapist would want to know of one trial.

    Parameters
    ----------
    scores : ndarray of shape (n_frames,)
        Probability of compensation.
    truth : ndarray of shape (n_frames,)
        True labels.
    saliency_map : ndarray of shape (n_frames, n_bones)
        What spoke for the verdict.
    names : sequence of str
        Bones.
    frame_rate : float
        Frames a second.

    Returns
    -------
    str
        When compensation was seen, in which bones most, when that was a false alarm, what was
        missed.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.cli.demo_report import about_trial
    >>> scores, truth = np.array([0.1, 0.9, 0.9, 0.8]), np.array([0, 1, 0, 0])
    >>> about_trial(scores, truth, np.eye(4, 2), ["neck", "trunk"], 2.0)
    'Compensation was seen at 0.5 to 2.0 s, most in trunk, neck. False alarms: 1.0 to 2.0 s. ...'
    """
    seen, true = scores >= CUT, truth == 1

    def when(frames):
        times = [f"{a / frame_rate:.1f} to {b / frame_rate:.1f} s" for a, b in segments(frames)]
        return ", ".join(times) or "none"

    if not seen.any():
        return f"No compensation was seen. Missed: {when(true)}."
    share = saliency_map[seen].sum(axis=0)
    bones = ", ".join(names[i].replace("_", " ") for i in np.argsort(-share, kind="stable")[:2])
    return (
        f"Compensation was seen at {when(seen)}, most in {bones}. False alarms: "
        f"{when(seen & ~true)}. Missed: {when(true & ~seen)}."
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

    data, i = result.data, chosen_trial(result)
    pipeline = result.pipelines[data.groups[i]]
    trial, truth = data.X[i], data.frame_labels[i]
    scores = result.frame_scores[RECOMMENDED][i]
    bones = pipeline[:1].transform([trial])
    teacher, how = pipeline["labels"].estimator_, {"method": "integrated_gradients", "target": 1}
    maps = teacher.saliency(bones, **how, return_maps=True)
    skeleton = bone_skeleton(data.skeleton)
    shown = {
        k: v.scores for k, v in result.frame_auc.items() if k in (RECOMMENDED, PUBLISHED, TRUTH)
    }
    patients = result.frame_auc[RECOMMENDED].patients
    about = f"{data.exercise[i]}, patient {data.groups[i]}"
    words = about_trial(scores, truth, maps.maps[0], skeleton.landmarks, data.frame_rate)

    drawn = {
        "patients": PatientScoresDisplay.from_predictions(
            shown, patients, metric="frame AUC", references={"chance": 0.5}
        ),
        "saliency_map": SaliencyMapDisplay.from_predictions(
            maps.maps[0],
            frame_scores=maps.scores[0],
            frame_labels=truth,
            skeleton=skeleton,
            rows="parts",
            frame_rate=data.frame_rate,
            method="integrated_gradients",
        ),
    }
    drawn = {name: display.figure_ for name, display in drawn.items()}
    drawn["trial"], (above, below) = plt.subplots(
        2, 1, figsize=(10, 5.6), height_ratios=[1.5, 1], layout="constrained"
    )
    SkeletonDisplay.from_predictions(
        trial,
        skeleton=data.skeleton,
        frame_labels=(scores >= CUT).astype(int),
        frame_rate=data.frame_rate,
        ax=above,
    )
    timeline = FrameTimelineDisplay.from_predictions(
        scores, frame_labels=truth, frame_rate=data.frame_rate, ax=below
    )
    timeline.ax_.get_legend().remove()  # the same colours stand under the figures above
    for name, drawing in drawn.items():
        with written(folder / f"{name}.png") as file:
            drawing.savefig(file, format="png", dpi=160, bbox_inches="tight")
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
                f"compensation that the patient would be shown, above the truth. {words}",
                "Stick figures of a seated person at several moments of the trial, and under them "
                "a curve of the probability over time with a strip of the true labels.",
            ),
            figure(
                "saliency_map",
                "Which part of the body spoke for compensation, and when: bright where the teacher "
                "looked (integrated gradients, summed over the bones of each part).",
                "Heat map of parts of the body against time.",
            ),
        ],
    }


def _write_csv(path, result):
    """Write one row a patient, one column a method."""
    methods = list(result.frame_auc)
    patients = result.frame_auc[RECOMMENDED].patients
    rows = [["patient", *methods, *(f"trial AUC, {m}" for m in result.video_auc)]]
    for row, patient in enumerate(patients):
        values = [result.frame_auc[m].scores[row] for m in methods]
        values += [auc.scores[row] for auc in result.video_auc.values()]
        rows.append([patient, *(f"{value:.4f}" for value in values)])
    with written(path, text=True) as file:
        put_rows(file, rows)
