"""A data set of the field on your own copy: trials and frames, leave one person out.

Trials: has a trial any error (or compensation)? Duration alone, and logistic regression on
MovementSummary of the 27 (or fewer) measures; AUC of each held-out person, mean and standard
deviation over people who have both kinds. Frames, where they are labelled: KinematicMeasures and a
FrameMLP a label, on truth; AUC by label over all held-out frames. For SERE the last rows are what
its authors print (Tables III and IV, 18 patients): video LSTM .58, AcT .68, SkateFormer .65, MOMENT
.73; frames, integrated gradients with one / two thresholds: LSTM .64 / .66, AcT .72 / .72,
SkateFormer .66 / .72, MOMENT .69 / .67; MLP on frame truth .69.

    python benchmarks/field_data.py sere|trsp|irds|keraal|nw_ucla|rehab24_6 FOLDER [--epochs 20]
"""

import argparse
from pathlib import Path

import numpy as np
from _report import RESULTS, write_report
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    KinematicMeasures,
    LandmarkScaler,
    MovementSummary,
    MultiLabelFrames,
    datasets,
)
from skrehab.metrics import frame_scores_by_label

READERS = ("sere", "trsp", "irds", "keraal", "nw_ucla", "rehab24_6")
PRINTED = {
    "trials: LSTM, as printed": ".58",
    "trials: AcT, as printed": ".68",
    "trials: SkateFormer, as printed": ".65",
    "trials: MOMENT, as printed": ".73",
    "frames: LSTM, integrated gradients, as printed": ".64 / .66",
    "frames: AcT, integrated gradients, as printed": ".72 / .72",
    "frames: SkateFormer, integrated gradients, as printed": ".66 / .72",
    "frames: MOMENT, integrated gradients, as printed": ".69 / .67",
    "frames: MLP on frame truth, as printed": ".69",
}


def read(name, folder):
    """Read a data set and say of each trial whether anything is wrong: 1, 0, or -1 for unknown."""
    data = getattr(datasets, f"load_{name}")(folder)
    y = np.asarray(data.y)
    if name == "nw_ucla":  # no errors there: standing up against sitting down
        y = np.select([y == 6, y == 5], [1, 0], -1)
    elif name == "sere":
        y = y[:, 0]
    elif y.ndim == 2:
        y = np.where((y == -1).all(axis=1), -1, y.max(axis=1))
    return data, y


def trial_scores(data, y):
    """Held-out AUC by person, of the duration and of MovementSummary."""
    summary = make_pipeline(
        KinematicMeasures(data.skeleton, frame_rate=data.frame_rate),
        MovementSummary(f"{data.skeleton}_measures", frame_rate=data.frame_rate),
    ).fit_transform(data.X)
    out = {}
    for name, columns in (("duration alone", summary[:, :1]), ("MovementSummary", summary)):
        areas = []
        for person in np.unique(data.groups):
            train = (data.groups != person) & (y >= 0)
            test = (data.groups == person) & (y >= 0)
            if len(np.unique(y[test])) < 2 or len(np.unique(y[train])) < 2:
                continue
            model = make_pipeline(
                SimpleImputer(keep_empty_features=True),
                StandardScaler(),
                LogisticRegression(C=0.05, class_weight="balanced", max_iter=2000),
            )
            model.fit(columns[train], y[train])
            areas.append(roc_auc_score(y[test], model.predict_proba(columns[test])[:, 1]))
        said = f"{np.mean(areas):.3f} ± {np.std(areas):.3f} ({len(areas)} people)"
        out[f"trials: {name}"] = said if areas else "no person has both kinds"
    return out


def frame_scores(data, epochs):
    """AUC by label of held-out frames."""
    frames, names = data.frame_labels, data.label_names
    proba = np.empty(len(data.X), dtype=object)
    for person in np.unique(data.groups):
        known = np.array([(one != -1).any() for one in frames])
        train, test = (data.groups != person) & known, np.flatnonzero(data.groups == person)
        model = make_pipeline(
            KinematicMeasures(data.skeleton, frame_rate=data.frame_rate),
            DisplacementSmoother(window=1),
            LandmarkScaler(),
            MultiLabelFrames(FrameMLP(max_epochs=epochs, random_state=0), label_names=names),
        )
        model.fit([data.X[i] for i in np.flatnonzero(train)], frames[train])
        for i, one in zip(test, model.predict_proba([data.X[i] for i in test])):
            proba[i] = one
    found = frame_scores_by_label(frames, proba, label_names=names)
    rows = {f"frames: {name}": f"{value:.3f}" for name, value in found["roc_auc"].items()}
    return rows | {"frames: mean over labels": f"{found['mean_roc_auc']:.3f}"}


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=READERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    data, y = read(options.name, options.folder)
    rows = trial_scores(data, y)
    if "frame_labels" in data:
        rows |= frame_scores(data, options.epochs)
    if options.name == "sere":
        rows |= PRINTED
    write_report(
        f"field_{options.name}",
        [{"what": key, "AUC": value} for key, value in rows.items()],
        __doc__.split("\n\n    ")[0],
        packages=("torch", "scikit-learn", "skorch", "numpy"),
        notes=f"{len(data.X)} trials of {len(np.unique(data.groups))} people; "
        f"{len(data.skipped)} left out.",
        folder=options.results,
    )


if __name__ == "__main__":
    main()
