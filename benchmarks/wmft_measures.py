"""Wolf Motor Function Test: which measures change with severity, and what a summary of them tells.

16 people x 15 tasks x 3 severities (0 healthy, 1 mild, 2 moderate, emulated by healthy people),
Kinect v2. Columns are those of MovementSummary on the joints of arms, head and trunk and on the
27 measures of KinematicMeasures. First table: Spearman's correlation of a column with severity,
inside each person and task (three trials), then the mean over tasks and people; 95 % intervals,
people resampled. Second table: a regression a task on all columns, its penalty chosen on training
people, leave one person out; scores as in wmft_severity.py: a task alone (task rho, each person's
45 trials), and the 15 tasks averaged (48 person-severities). "And the expert": the mean with what
the expert on poses (a BiLSTM, regression) said of the same left-out people in wmft_severity.py.

    python benchmarks/wmft_measures.py [--wmft FILE]
"""

import argparse
import json
from pathlib import Path

import numpy as np
from _report import RESULTS, write_report
from scipy.stats import rankdata, spearmanr
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from skrehab import KinematicMeasures, MovementSummary
from skrehab.datasets import load_wmft_npz
from skrehab.evaluation import bootstrap_interval

JOINTS = (
    *("left_shoulder", "left_elbow", "left_wrist", "left_hand", "right_shoulder", "right_elbow"),
    *("right_wrist", "right_hand", "neck", "head", "spine_mid", "spine_shoulder"),
)
SHOWN = 25


def columns(data):
    """Names and values of every column, by the rows of the second table."""
    rate = {"frame_rate": data.frame_rate}
    joints = MovementSummary("kinect25", landmarks=JOINTS, **rate)
    measures = make_pipeline(
        KinematicMeasures("kinect25", **rate), MovementSummary("kinect25_measures", **rate)
    )
    found = {}
    for name, model in (("joints", joints), ("measures", measures)):
        values = model.fit_transform(data.X)
        found[name] = model.get_feature_names_out(), np.where(np.isfinite(values), values, np.nan)
    return found


def by_person(values, data):
    """Mean over tasks of the rank correlation with severity, of each person."""
    out = []
    for person in np.unique(data.subject):
        of_tasks = []
        for task in np.unique(data.task):
            mine = (data.subject == person) & (data.task == task)
            x, y = values[mine], data.severity[mine]
            if len(x) > 2 and np.isfinite(x).all() and np.ptp(x) > 0:
                of_tasks.append(np.corrcoef(rankdata(x), rankdata(y))[0, 1])
        out.append(np.mean(of_tasks) if of_tasks else np.nan)
    return np.array(out)


def predict(features, data, person):
    """Severity of a left-out person's trials, a regression a task."""
    out = np.full(len(data.X), np.nan)
    for task in np.unique(data.task):
        train = (data.subject != person) & (data.task == task)
        test = (data.subject == person) & (data.task == task)
        model = make_pipeline(
            SimpleImputer(keep_empty_features=True),
            QuantileTransformer(n_quantiles=20, output_distribution="normal"),
            RidgeCV(np.logspace(0, 5, 11)),
        )
        out[test] = model.fit(features[train], data.severity[train]).predict(features[test])
    return out


def expert(data):
    """What the expert said of people it was not trained on, from the folds that are kept."""
    out = np.full(len(data.X), np.nan)
    for line in (RESULTS / "wmft_severity_folds.jsonl").read_text().splitlines():
        one = json.loads(line)
        if (one["row"], one["head"]) == ("expert on poses, no encoder", "regression"):
            out[one["trials"]] = np.array(one["out"])[:, 0]
    return out


def main():
    parser = argparse.ArgumentParser()
    shared = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--wmft", type=Path, default=shared / "wmft_kinect_s01_s16.npz")
    data = load_wmft_npz(parser.parse_args().wmft)
    found = columns(data)
    rows = []
    for name, values in zip(*(found["measures"][0], found["measures"][1].T)):
        rhos = by_person(values, data)
        if np.isfinite(rhos).all():
            low, high = bootstrap_interval(rhos)
            rows.append({"column": name, "rho": rhos.mean(), "95 %": f"({low:+.2f}, {high:+.2f})"})
    rows = sorted(rows, key=lambda row: -abs(row["rho"]))[:SHOWN]
    for row in rows:
        row["rho"] = f"{row['rho']:+.2f}"
    people = np.unique(data.subject)
    truth = np.tile([0, 1, 2], len(people))
    table = []
    duration = np.log(found["joints"][1][:, :1])
    both = np.hstack([one for _, one in found.values()])
    rows_of = {
        "duration alone": duration,
        "MovementSummary of joints": found["joints"][1],
        "MovementSummary of measures": found["measures"][1],
        "MovementSummary of both": both,
    }
    said_by = {
        f"{name} ({features.shape[1]})": np.nansum(
            [predict(features, data, one) for one in people], axis=0
        )
        for name, features in rows_of.items()
    }
    said_by["expert on poses"] = expert(data)
    for name in list(said_by)[1:4]:
        said_by[f"{name} and the expert"] = (said_by[name] + said_by["expert on poses"]) / 2
    for name, said in said_by.items():
        averaged, rhos = [], []
        for person in people:
            mine = data.subject == person
            rhos.append(spearmanr(said[mine], data.severity[mine]).statistic)
            averaged += [said[mine & (data.severity == level)].mean() for level in (0, 1, 2)]
        right = np.clip(np.round(averaged), 0, 2) == truth
        table.append(
            {
                "columns": name,
                "task rho": f"{np.mean(rhos):.3f} ± {np.std(rhos, ddof=1):.3f}",
                "averaged rho": f"{spearmanr(averaged, truth).statistic:.3f}",
                "averaged accuracy": f"{right.mean():.3f}",
            }
        )
        print(table[-1], flush=True)
    description = __doc__.split("\n\n    ")[0]
    notes = "Three levels tie: a perfect order of the 48 has an averaged rho of 0.943."
    packages = ("scikit-learn", "numpy")
    write_report("wmft_measures", table, description, packages=packages, notes=notes)
    write_report("wmft_measures_columns", rows, description, packages=packages)


if __name__ == "__main__":
    main()
