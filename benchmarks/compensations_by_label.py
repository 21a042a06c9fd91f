"""Synthetic patients with planted compensations of four kinds: does the right label light up?

Trained on labels of trials only (which kinds a trial holds), by KinematicMeasures or BoneVectors, a
teacher that pools frame scores (mil_tcn) and one FrameTCN a label (MultiLabelFrames); judged on
frames of patients never seen. Frame AUC by label: "all" over all frames of those patients, "others"
over the frames of positive trials only, where one kind must be told from another. Truth is the same
pipeline trained on labels of frames. Live is the largest difference between FrameStream and
predict_proba on the first ten trials.

    python benchmarks/compensations_by_label.py [--patients 24] [--repetitions 2] [--seeds 1]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from _report import RESULTS, add_rows, read_rows, write_report
from sklearn.pipeline import make_pipeline

from skrehab import (
    BoneVectors,
    DisplacementSmoother,
    FrameStream,
    FrameTCN,
    KinematicMeasures,
    LandmarkScaler,
    MultiLabelFrames,
    MultiLabelVideoClassifier,
)
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import frame_scores_by_label


def model(features, rate, names):
    """Build the pipeline."""
    first = {
        "measures": [
            KinematicMeasures(frame_rate=rate),
            DisplacementSmoother(window=1),
            LandmarkScaler(),
        ],
        "bones": [BoneVectors()],
    }[features]
    teacher = MultiLabelVideoClassifier(
        "mil_tcn", max_epochs=40, batch_size=16, lr=2e-3, random_state=0
    )
    student = FrameTCN(max_epochs=20, random_state=0)
    return make_pipeline(*first, MultiLabelFrames(student, teacher, label_names=names))


def measure(seed, options, done):
    """One set of patients: a row a kind of features and of labels learned from."""
    data = make_rehab_trials(options.patients, options.repetitions, random_state=seed)
    people = np.unique(data.groups)
    test = np.isin(data.groups, people[::3])  # a third of the patients
    X = [data.X[i] for i in np.flatnonzero(test)]
    truth, positive = data.frame_compensations[test], data.y[test] == 1
    for features in ("measures", "bones"):
        for learned, y in (
            ("trial labels", data.compensations),
            ("frame truth", data.frame_compensations),
        ):
            about = {"set": [options.patients, options.repetitions, seed]}
            about |= {"features": features, "trained on": learned}
            if kept := [row for row in done if row.items() >= about.items()]:
                yield kept[0]
                continue
            pipe = model(features, data.frame_rate, data.label_names)
            pipe.fit([data.X[i] for i in np.flatnonzero(~test)], y[~test])
            proba = pipe.predict_proba(X)
            row = about | {"live": live_gap(pipe, X, proba)}
            for name, mask in (("all", np.ones(len(X), bool)), ("others", positive)):
                found = frame_scores_by_label(
                    truth[mask], proba[mask], label_names=data.label_names
                )
                for label, value in found["roc_auc"].items():
                    row[f"{label}, {name}"] = value
                row[f"mean, {name}"] = found["mean_roc_auc"]
            yield row


def live_gap(pipe, X, proba, n_trials=10):
    """Largest difference between the stream and predict_proba over the first trials."""
    stream, worst = FrameStream(pipe), 0.0
    for trial, offline in zip(X[:n_trials], proba):
        stream.reset()
        live = [stream.push(frame, t / 10) for t, frame in enumerate(trial)]
        worst = max(worst, float(np.abs(np.array(live) - offline).max()))
    return worst


def over_seeds(rows):
    """Mean and range of each figure over the sets of patients; a label a line."""
    lines = []
    for first in dict.fromkeys((row["features"], row["trained on"]) for row in rows):
        mine = [row for row in rows if (row["features"], row["trained on"]) == first]
        labels = [key[: -len(", all")] for key in mine[0] if key.endswith(", all")]
        for label in labels:
            line = {"features": first[0], "trained on": first[1], "label": label}
            for name in ("all", "others"):
                values = np.array([row[f"{label}, {name}"] for row in mine], dtype=float)
                span = f" ({np.nanmin(values):.2f}-{np.nanmax(values):.2f})"
                line[name] = f"{np.nanmean(values):.3f}{span if len(values) > 1 else ''}"
            lines.append(line | {"live": f"{max(row['live'] for row in mine):.0e}"})
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=24)
    parser.add_argument("--repetitions", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1, help="sets of patients")
    parser.add_argument("--out", type=Path, help="folder of the table")
    options = parser.parse_args()
    torch.set_num_threads(1)
    store = (options.out or RESULTS) / "compensations_by_label.jsonl"  # goes on where it was ended
    done = read_rows(store)
    rows = []
    for seed in range(options.seeds):
        for row in measure(seed, options, done):
            if row not in done:
                add_rows(store, row)
            print(row, flush=True)
            rows.append(row)
    held = -(-options.patients // 3)
    write_report(
        "compensations_by_label",
        over_seeds(rows),
        __doc__.split("\n\n    ")[0],
        packages=("torch", "scikit-learn", "skorch", "numpy"),
        notes=f"{options.seeds} set(s) of {options.patients} synthetic patients, {held} of each "
        "never seen; of several sets the mean and the range.",
        folder=options.out,
    )


if __name__ == "__main__":
    main()
