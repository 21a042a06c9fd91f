"""Synthetic patients with planted compensations of four kinds: does the right label light up?

Trained on labels of trials only (which kinds a trial holds), by KinematicMeasures or BoneVectors, a
teacher that pools frame scores (mil_tcn) and one FrameTCN a label (MultiLabelFrames); judged on
frames of patients never seen. Frame AUC by label: "all" over all frames of those patients, "others"
over the frames of positive trials only, where one kind must be told from another. Truth is the same
pipeline trained on labels of frames. Live is the largest difference between FrameStream and
predict_proba on the first ten trials.

    python benchmarks/compensations_by_label.py [--patients 12] [--repetitions 3]
"""

import argparse

import numpy as np
import torch
from _report import write_report
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=12)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = make_rehab_trials(options.patients, options.repetitions, random_state=0)
    people = np.unique(data.groups)
    test = np.isin(data.groups, people[::3])  # a third of the patients
    rows = []
    for features in ("measures", "bones"):
        for learned, y in (
            ("trial labels", data.compensations),
            ("frame truth", data.frame_compensations),
        ):
            pipe = model(features, data.frame_rate, data.label_names)
            pipe.fit([data.X[i] for i in np.flatnonzero(~test)], y[~test])
            X = [data.X[i] for i in np.flatnonzero(test)]
            proba, truth = pipe.predict_proba(X), data.frame_compensations[test]
            positive = data.y[test] == 1
            row = {"features": features, "trained on": learned}
            for name, mask in (("all", np.ones(len(X), bool)), ("others", positive)):
                found = frame_scores_by_label(
                    truth[mask], proba[mask], label_names=data.label_names
                )
                for label, value in found["roc_auc"].items():
                    row[f"{label}, {name}"] = f"{value:.3f}"
                row[f"mean, {name}"] = f"{found['mean_roc_auc']:.3f}"
            stream, worst = FrameStream(pipe), 0.0
            for trial, offline in zip(X[:10], proba):
                stream.reset()
                live = [stream.push(frame, t / 10) for t, frame in enumerate(trial)]
                worst = max(worst, float(np.abs(np.array(live) - offline).max()))
            rows.append(row | {"live": f"{worst:.0e}"})
            print(rows[-1], flush=True)
    write_report(
        "compensations_by_label",
        rows,
        __doc__.split("\n\n    ")[0],
        packages=("torch", "scikit-learn", "skorch", "numpy"),
        notes=f"{int(test.sum())} trials of {len(people[::3])} patients never seen, "
        f"{int((~test).sum())} of {len(people) - len(people[::3])} others to train on; one seed.",
    )


if __name__ == "__main__":
    main()
