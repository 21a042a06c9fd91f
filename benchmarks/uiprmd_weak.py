"""UIPRMD-Weak: frame-level assessment from one label per spliced trial, by person.

Repetitions of one person and one movement of UI-PRMD (Kinect) are joined three by three: 1,000
trials, half of them with one or two incorrect repetitions. The trial label says whether any
repetition is incorrect; the frame truth, used for scoring only except in the row that says so, is
the label of the frame's own repetition. Leave one of the ten people out. Features: positions
relative to the waist plus the waist's path, offset from the first frame, causal five-frame mean at
30 Hz, every sixth frame kept, scaled on training people.

    python benchmarks/uiprmd_weak.py [--data ../shared/data/uiprmd_kinect.npz] [--jobs 2]

Results of finished folds are kept in a .jsonl file beside the table, so that a run broken off goes
on where it was.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from _report import RESULTS, write_report
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut

from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    LandmarkScaler,
    SaliencyPseudoLabeler,
    VideoClassifier,
)
from skrehab.datasets import load_uiprmd_npz, splice_repetitions
from skrehab.metrics import frame_f1, frame_roc_auc

NETWORKS = ("lstm", "act")
N_STEPS = 24  # points on the path; the median completeness error is printed under the table
METHODS = ("vanilla_gradient", "integrated_gradients")
# name of the row -> how pseudo-labels are made from a fitted network
VARIANTS = {
    **{
        f"{method}, {'two thresholds' if dual else 'one threshold'}": {
            "method": method,
            "threshold": "published_dual" if dual else "published",
        }
        for method in METHODS
        for dual in (False, True)
    },
    # ours: only what speaks for the class counts
    "integrated_gradients signed, one threshold 0.5": {
        "method": "integrated_gradients",
        "threshold": 0.5,
        "aggregate": "signed",
        "scale": "frames",
        "smooth": 0,
        "label_source": "predicted",
    },
}


def load(path):
    """Splice the trials and turn positions into movement."""
    raw = load_uiprmd_npz(path)
    data = splice_repetitions(raw.X, raw.correct, raw.subject, raw.movement, random_state=0)
    root_and_relative = [
        np.concatenate([trial[:, :1], trial[:, 1:] - trial[:, :1]], axis=1) for trial in data.X
    ]
    moved = DisplacementSmoother(window=5, causal=True).fit_transform(root_and_relative)
    data.X = [trial[::6] for trial in moved]
    data.frame_labels = [labels[::6] for labels in data.frame_labels]
    return data


class Remembering(BaseEstimator):
    """A fitted classifier that attributes the same trials in the same way only once."""

    def __init__(self, classifier):
        self.classifier = classifier
        self.network = classifier.network
        self.known_ = {}

    def fit(self, X, y):
        return self

    def predict(self, X):
        return self.classifier.predict(X)

    def saliency(self, X, **how):
        key = tuple(sorted((name, str(value)) for name, value in how.items() if name != "target"))
        if key not in self.known_:
            result = self.classifier.saliency(X, **how, return_maps=True)
            self.known_[key] = result.scores
            self.error = float(np.median(result.completeness_error))
        return self.known_[key]


def pick(items, index):
    """Index a list."""
    return [items[i] for i in index]


def fold_results(data, train, test, seed, epochs):
    """Train and score everything with one person held out."""
    scaler = LandmarkScaler().fit(pick(data.X, train))
    X_train, X_test = (scaler.transform(pick(data.X, index)) for index in (train, test))
    y_train, y_test = data.y[train], data.y[test]
    truth_train, truth_test = (pick(data.frame_labels, index) for index in (train, test))
    positive = np.flatnonzero(y_train == 1)

    def frame_auc(frame_labels):
        model = FrameMLP((128,), max_epochs=20, random_state=seed).fit(X_train, frame_labels)
        return frame_roc_auc(truth_test, model.predict_proba(X_test))

    rows = [{"row": "frame truth | MLP", "frame AUC": frame_auc(truth_train)}]
    rows.append({"row": "none | constant", "frame AUC": 0.5, "video AUC": 0.5})
    lengths = [np.array([[len(trial)] for trial in X]) / 100 for X in (X_train, X_test)]
    score = LogisticRegression().fit(lengths[0], y_train).predict_proba(lengths[1])[:, 1]
    spread = [np.full(len(trial), s) for trial, s in zip(X_test, score)]
    rows.append(
        {
            "row": "video labels | duration alone",
            "video AUC": roc_auc_score(y_test, score),
            "frame AUC": frame_roc_auc(truth_test, spread),
        }
    )
    for network in NETWORKS:
        start = time.perf_counter()
        video = VideoClassifier(network, max_epochs=epochs, random_state=seed)
        video.fit(X_train, y_train)
        video_auc = roc_auc_score(y_test, video.decision_function(X_test))
        fit_seconds = time.perf_counter() - start
        video = Remembering(video)
        for name, how in VARIANTS.items():
            start = time.perf_counter()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                labeler = SaliencyPseudoLabeler(FrozenEstimator(video), n_steps=N_STEPS, **how)
                labels = labeler.fit(X_train, y_train).transduction_
            seconds = time.perf_counter() - start
            inside = pick(truth_train, positive), pick(labeler.scores_, positive)
            used = [np.where(label == -1, -1, t) for label, t in zip(labels, truth_train)]
            rows.append(
                {
                    "row": f"video labels | {network}, {name}",
                    "video AUC": video_auc,
                    "pseudo-score AUC inside positive trials": frame_roc_auc(*inside),
                    "pseudo-label F1": frame_f1(used, labels),
                    "frame AUC": frame_auc(labels),
                    "fit s": fit_seconds,
                    "label s": seconds,
                    "completeness error": video.error,
                    "warnings": [str(w.message) for w in caught],
                }
            )
    return rows


def table(folds):
    """Mean and standard deviation over people, one row a method."""
    columns = ("video AUC", "pseudo-score AUC inside positive trials", "pseudo-label F1",
               "frame AUC")  # fmt: skip
    rows = []
    for k, first in enumerate(folds[0]["rows"]):
        trained_on, model = first["row"].split(" | ")
        row = {"trained on": trained_on, "model": model}
        for column in columns:
            values = [fold["rows"][k].get(column) for fold in folds]
            known = None not in values
            row[column] = f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" if known else "-"
        rows.append(row)
    return rows


def main():
    """Run the folds that are not done yet and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="../shared/data/uiprmd_kinect.npz")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--people", type=int, default=10, help="held-out people, for a quick look")
    arguments = parser.parse_args()
    data = load(arguments.data)
    kept = RESULTS / "uiprmd_weak_folds.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    folds = list(LeaveOneGroupOut().split(data.X, data.y, data.groups))[: arguments.people]
    todo = [f for f in folds if int(data.groups[f[1][0]]) not in {d["person"] for d in done}]
    run = Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")
    RESULTS.mkdir(exist_ok=True)
    for person, rows in run(
        delayed(_one)(data, train, test, arguments.seed, arguments.epochs) for train, test in todo
    ):
        done.append({"person": person, "rows": rows})
        with Path(kept).open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        print(f"person {person}:", {r["row"]: round(r["frame AUC"], 3) for r in rows}, flush=True)
    missed = sorted({w for d in done for row in d["rows"] for w in row.get("warnings", [])})
    notes = f"Held-out people: {len(done)}. Trials: {len(data.X)}, positive frames: "
    notes += f"{np.mean(np.concatenate(data.frame_labels)):.3f}."
    errors = [r["completeness error"] for d in done for r in d["rows"]
              if r.get("completeness error", np.nan) == r.get("completeness error")
              and "integrated" in r["row"]]  # fmt: skip
    notes += f" Median completeness error of integrated gradients: {np.median(errors):.2g} logits."
    notes += "".join(f"\n- warning: {text}" for text in missed[:5])
    packages = ("torch", "scikit-learn", "skorch", "numpy")
    write_report("uiprmd_weak", table(done), __doc__, packages=packages, notes=notes)


def _one(data, train, test, seed, epochs):
    return int(data.groups[test[0]]), fold_results(data, train, test, seed, epochs)


if __name__ == "__main__":
    main()
