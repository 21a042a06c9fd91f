"""Infants' neuromotor risk on your own copy: four levels, micro-averaged F1, infants never seen.

Nekoui & Cheng 2021, table 3, train an expert beside a network that first learned without labels.
Here every model is tested on infants it did not see (folds by infant, levels in proportion) and
pretrains on healthy infants of the training folds only. Poses are centred between the hips and
divided by the length of the trunk, 10 frames a second, one minute at most. Level 0 (healthy) comes
from YouTube and the others from a clinic: what tells the two cameras apart tells level 0, so the
last column is of the clinic's infants alone. With one level an infant, micro-averaged F1 is the
share of videos that are right.

    python benchmarks/infants.py FOLDER [--folds 5] [--hidden-size 64] [--epochs 100]
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from _report import RESULTS, write_report
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skrehab import MovementSummary, PoseSequencePretrainer, QualityRegressor
from skrehab.datasets import load_infant_neuromotor
from skrehab.skeletons import get_skeleton

RATE, SECONDS = 10.0, 60
# as printed in the paper's table 3, on its own splits
PRINTED = {"full, as printed": 0.89, "U+S, as printed": 0.86}


class Centred(TransformerMixin, BaseEstimator):
    """Poses between the hips, in lengths of the trunk, with gaps left as they are."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        at = get_skeleton("openpose18").index
        hips, shoulders = ([at(f"{s}_{part}") for s in ("left", "right")] for part in (
            "hip", "shoulder"))  # fmt: skip
        out = []
        for trial in X:
            middle = np.nanmedian(trial[:, hips].mean(axis=1), axis=0)
            trunk = trial[:, shoulders].mean(axis=1) - trial[:, hips].mean(axis=1)
            length = np.nanmedian(np.linalg.norm(trunk, axis=1))
            scale = length if np.isfinite(length) and length > 0 else 1.0
            out.append(((trial - np.nan_to_num(middle)) / scale).astype(np.float32))
        return out


def slower(trial, rate):
    """Bring a video to RATE frames a second, a minute at most."""
    step = max(1, round(rate / RATE))
    return trial[::step][: int(RATE * SECONDS)]


def models(options, healthy):
    """What is compared; `healthy` are poses to learn from without a label."""
    linear = LogisticRegression(C=0.1, class_weight="balanced", max_iter=3000)
    rows = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), linear)
    expert = {
        "head": "classes",
        "class_weight": "balanced",
        "hidden_size": options.hidden_size,
        "max_epochs": options.epochs,
        "random_state": 0,
    }
    yield "the commonest level", DummyClassifier()
    yield "duration alone", make_pipeline(FunctionTransformer(_durations), StandardScaler(), linear)
    yield "MovementSummary", make_pipeline(MovementSummary("openpose18", frame_rate=RATE), rows)
    yield "expert on poses, no encoder", QualityRegressor(**expert)
    encoder = PoseSequencePretrainer(
        hidden_size=options.hidden_size,
        max_epochs=options.pretraining_epochs,
        skeleton="openpose18",
        random_state=0,
    ).fit(healthy)
    yield (
        "expert on an encoder that learned from healthy infants",
        QualityRegressor(encoder, fine_tune=False, **expert),
    )


def _durations(X):
    return np.array([[len(trial)] for trial in X], dtype=float)


def predictions(data, X, options):
    """What each model says of infants it did not see."""
    said = {}
    folds = StratifiedGroupKFold(options.folds, shuffle=True, random_state=0)
    for number, (train, test) in enumerate(folds.split(X, data.risk, data.groups)):
        inside, outside = [X[i] for i in train], [X[i] for i in test]
        healthy = [X[i] for i in train if data.risk[i] == 0] or inside
        for name, model in models(options, healthy):
            out = said.setdefault(name, np.full(len(X), -1))
            out[test] = model.fit(inside, data.risk[train]).predict(outside)
            print(number, name, flush=True)
    return said


def main(arguments=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--hidden-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--pretraining-epochs", type=int, default=100)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    data = load_infant_neuromotor(options.folder)
    X = Centred().transform([slower(*one) for one in zip(data.X, data.frame_rate)])
    clinic = data.set == "clinical"
    rows = []
    for name, said in predictions(data, X, options).items():
        row = {"model": name}
        for where, mask in (("all", np.ones(len(X), bool)), ("clinic", clinic)):
            score = f1_score(data.risk[mask], said[mask], average="micro") if mask.any() else np.nan
            row[f"micro-F1, {where}"] = f"{score:.3f}"
        rows.append(row)
    for name, value in PRINTED.items():
        rows.append({"model": name, "micro-F1, all": f"{value:.2f}", "micro-F1, clinic": ""})
    write_report(
        "infants",
        rows,
        __doc__.split("\n\n    ")[0],
        packages=("torch", "scikit-learn", "skorch", "numpy"),
        notes=f"{len(X)} videos of {len(np.unique(data.groups))} infants; "
        f"{len(data.skipped)} left out.",
        folder=options.results,
    )


if __name__ == "__main__":
    main()
