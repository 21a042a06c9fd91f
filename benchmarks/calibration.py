"""What calibration by patient is worth on people never seen: probabilities, alarms, abstention.

UIPRMD-Weak without reuse, one of ten people held out at a time (50 trials each, at 5 Hz). Two
models: the recommended one, causal, with one teacher in place of two, which learns from trial
labels; and its frame network alone, which learns from frame truth. Each is fitted by
``CalibratedByPatient`` with three folds of the other nine people. Of the held-out person nothing is
given. What is calibrated is what was labelled: whole trials for the first, frames for the second.

    python benchmarks/calibration.py [--people 1,2,...] [--models weak,truth] [--seed 0]

Every finished person is kept in a .jsonl file beside the table, so that a run broken off goes on
where it was; ``--table`` only writes the table of what is there.
"""

import argparse
import json
import sys
import time
import warnings
from functools import cache
from pathlib import Path

import joblib
import numpy as np
from _report import RESULTS, add_rows, markdown_table, read_rows, write_report
from sklearn.base import BaseEstimator, clone
from sklearn.utils import Bunch
from uiprmd_weak import DATA, load

from skrehab import CalibratedByPatient
from skrehab.metrics import false_alarm_rate, pool_frames
from skrehab.recipes import recommended
from skrehab.trials import ragged

RATE = 5.0  # frames a second
N_BINS = 10
WANTED = (1.0, 2.0, 5.0)  # false alarms a minute
CONFIDENCE = (0.5, 0.6, 0.7, 0.8, 0.9)
SHOWN = {"weak": "trial labels", "truth": "frame truth"}
NONE = "none"


@cache
def uiprmd(path):
    raw = load(path, 0, False)
    return Bunch(
        X=[np.asarray(x, dtype=np.float32) for x in raw.bones], y=raw.y, groups=raw.groups,
        exercise=raw.movement, truth=ragged(raw.frame_labels),
    )  # fmt: skip


# --- models ---------------------------------------------------------------------------------------
class Once(BaseEstimator):
    """A pipeline that is fitted once on the same trials, however often it is asked to."""

    __metadata_request__fit = {"groups": True, "exercise": True}
    fitted = {}

    def __init__(self, kind, seed=0):
        self.kind = kind
        self.seed = seed

    def fit(self, X, y, groups=None, exercise=None):
        key = joblib.hash((self.kind, self.seed, X, list(y)))
        if key not in Once.fitted:
            pipe = recommended("uiprmd22", frame_rate=RATE, max_epochs=18, n_teachers=1,
                               random_state=self.seed)  # fmt: skip
            pipe.steps[0] = ("bones", "passthrough")  # taken at 30 Hz, before trials were thinned
            if self.kind == "truth":
                pipe.steps.pop(1)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                Once.fitted[key] = pipe.fit(X, y, groups=groups, exercise=exercise)
        self.pipe_ = Once.fitted[key]
        self.classes_ = self.pipe_.classes_
        return self

    def predict_proba(self, X):
        return self.pipe_.predict_proba(X)


# --- what is measured -----------------------------------------------------------------------------
def quality(said, true):
    """Brier score, and what the calibration error is made of: by tenth, number, said, true."""
    said, true = np.asarray(said, dtype=float), np.asarray(true, dtype=float)
    tenth = np.minimum((said * N_BINS).astype(int), N_BINS - 1)
    sums = [np.bincount(tenth, weights, N_BINS).tolist() for weights in (None, said, true)]
    return {"brier": float(np.mean((said - true) ** 2)), "bins": sums}


def expected_error(bins):
    """Mean distance of what was said from how often it was true, over tenths."""
    n, said, true = np.sum(bins, axis=0)
    return float(np.abs(said - true).sum() / n.sum())


def run_person(path, kind, person, seed):
    """Everything of one held-out person and one model."""
    data, started = uiprmd(path), time.process_time()
    train, test = np.flatnonzero(data.groups != person), np.flatnonzero(data.groups == person)
    X, X_test = ([data.X[i] for i in index] for index in (train, test))
    y = data.truth[train] if kind == "truth" else data.y[train]
    truth = [data.truth[i] for i in test]
    flat = np.concatenate(truth)
    who = {"groups": data.groups[train], "exercise": data.exercise[train]}
    model = CalibratedByPatient(Once(kind, seed), cv=3, frame_rate=RATE)

    def fit(**how):
        return clone(model).set_params(**how).fit(X, y, **who)

    def motion(one):
        return [proba[:, 1] for proba in one.predict_proba(X_test)]

    fitted = {method: fit(method=method) for method in ("sigmoid", "isotonic")}
    said = {NONE: motion(fitted["sigmoid"].estimator_)}
    said |= {method: motion(one) for method, one in fitted.items()}
    maps = {
        name: {
            "trial": quality(pool_frames(one), data.y[test]),
            "frame": quality(np.concatenate(one), flat),
        }
        for name, one in said.items()
    }
    alarms = {}
    for wanted in WANTED:
        one = fit(false_alarms=wanted)
        hit = np.concatenate(said["sigmoid"])[flat == 1] >= one.threshold_
        reached = false_alarm_rate(said["sigmoid"], truth, one.threshold_, RATE)
        alarms[wanted] = [float(reached), float(hit.mean())]
    kept = {}
    for name, one in said.items():
        p = np.concatenate(one)
        for least in CONFIDENCE:
            sure = np.maximum(p, 1 - p) >= least
            right = ((p >= 0.5) == (flat == 1))[sure]
            kept[f"{name} {least}"] = [int(right.sum()), int(sure.sum()), len(flat)]
    spent = round(time.process_time() - started, 1)
    Once.fitted.clear()
    return {"model": kind, "person": int(person), "seed": seed, "maps": maps,
            "alarms": alarms, "kept": kept, "cpu s": spent}  # fmt: skip


# --- report ---------------------------------------------------------------------------------------
def over(values):
    """Mean and spread over people."""
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return f"{values.mean():.3f}"
    return f"{values.mean():.3f} ± {values.std(ddof=1):.3f}"


def map_rows(done):
    for kind, people in done.items():
        for level in ("trial", "frame"):
            for name in people[0]["maps"]:
                own = [one["maps"][name][level] for one in people]
                yield {
                    "learns from": SHOWN[kind], "probability of": f"a {level}", "map": name,
                    "Brier score": over([one["brier"] for one in own]),
                    "expected calibration error": over([expected_error([o["bins"]]) for o in own]),
                    "of all people together": f"{expected_error([o['bins'] for o in own]):.3f}",
                    "people": len(people),
                }  # fmt: skip


def alarm_rows(done):
    for kind, people in done.items():
        for wanted in WANTED:
            reached, found = np.array([one["alarms"][str(wanted)] for one in people]).T
            yield {
                "learns from": SHOWN[kind],
                "wanted false alarms a minute": f"{wanted:g}",
                "reached": over(reached),
                "least to most": f"{reached.min():.1f} to {reached.max():.1f}",
                "at most as wanted": f"{(reached <= wanted).sum()} of {len(people)}",
                "frames of the motion found": over(found),
            }


def kept_rows(done):
    for kind, people in done.items():
        for name in people[0]["maps"]:
            for least in CONFIDENCE:
                right, sure, n = np.array([one["kept"][f"{name} {least}"] for one in people]).T
                known = sure > 0
                yield {
                    "learns from": SHOWN[kind], "map": name, "confidence": least,
                    "share of frames kept": over(sure / n),
                    "accuracy of these": over(right[known] / sure[known]) if known.any() else "-",
                    "all people together": f"{right.sum() / max(1, sure.sum()):.3f}",
                }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--path", default=str(DATA), help="uiprmd_kinect.npz")
    parser.add_argument("--people", default=",".join(map(str, range(1, 11))))
    parser.add_argument("--models", default="weak,truth")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--folder", type=Path, default=RESULTS)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    kept = given.folder / "calibration.jsonl"
    done = read_rows(kept)
    have = {(one["model"], one["person"], one["seed"]) for one in done}
    for person in [] if given.table else map(int, given.people.split(",")):
        for kind in given.models.split(","):
            if (kind, person, given.seed) in have:
                continue
            one = json.loads(json.dumps(run_person(given.path, kind, person, given.seed)))
            done.append(one)
            add_rows(kept, one)
            print(kind, person, f"{one['cpu s']} s of CPU", one["alarms"], flush=True)
    sys.argv = [word for word in sys.argv if word != "--table"]
    by_model = {kind: [one for one in done if one["model"] == kind] for kind in SHOWN}
    by_model = {kind: people for kind, people in by_model.items() if people}
    people = sorted({one["person"] for one in done})
    notes = "\n\n".join(
        [
            "Brier score and calibration error: the smaller the better, mean ± sd over people. The "
            "error is the mean distance, over tenths of probability, of what was said from how "
            "often it was true; of one person it is large by chance alone.",
            "## Wanted and reached false alarms", markdown_table(list(alarm_rows(by_model))),
            "The operating point is chosen on the other people, by scores of models that did not "
            "see them; a sigmoid map. With trial labels it is chosen on their normal trials.",
            "## Abstention: accuracy against the share of frames kept",
            markdown_table(list(kept_rows(by_model))),
            f"People held out: {', '.join(map(str, people))}; "
            f"{sum(one['cpu s'] for one in done):.0f} s of CPU in all.",
        ]
    )  # fmt: skip
    write_report(
        "calibration", list(map_rows(by_model)), __doc__, notes=notes, folder=given.folder,
        packages=("torch", "scikit-learn", "numpy"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
