"""What is to be fast, beside what it is compared with: ratios of processor time from one run.

Every row compares two ways of doing one thing, run in turn in one process, REPEATS times each;
given is the ratio of the medians, and beside it what it depends on. Processor time, one thread,
since other work shares the machine.

    python benchmarks/speed.py [ROW ...] [--aeon PYTHON]

Rows are ``padding``, ``mlp``, ``rocket``, ``scaler``, ``jobs`` and ``start``; what was measured is
kept in a .jsonl file beside the table. ``--aeon`` is the Python of an environment with aeon, whose
MiniRocket is then compared on the same trials, in a process of its own.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from _report import RESULTS, read_rows, write_report

REPEATS = 3
ROCKET_SEEDS = 12  # of 48 held-out trials one is 0.02 of a balanced accuracy
# so other people are looked at, too: seeds of make_rehab_trials, none of which chose a setting
OTHER_PEOPLE = range(20, 32)
# what aeon does with the trials of each file: its own classifier, ridge behind MiniRocket
MINIROCKET = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
from aeon.classification.convolution_based import MiniRocketClassifier
from sklearn.metrics import balanced_accuracy_score
found = []
for path in sys.argv[1:]:
    data = np.load(path)
    MiniRocketClassifier(random_state=0).fit(data["X"][:12, :, :60], data["y"][:12])  # compiles
    found.append([])
    for seed in data["seeds"].tolist():
        start = time.process_time()
        model = MiniRocketClassifier(n_kernels=10000, random_state=seed, n_jobs=1)
        said = model.fit(data["X"], data["y"]).predict(data["X_test"])
        seconds = time.process_time() - start
        found[-1].append([seconds, float(balanced_accuracy_score(data["y_test"], said))])
print(json.dumps(found))
"""


def timed(run, *arguments):
    """Processor seconds of this process and of those that it started and that ended."""
    start = sum(sum(resource.getrusage(who)[:2]) for who in _WHO)
    result = run(*arguments)
    return sum(sum(resource.getrusage(who)[:2]) for who in _WHO) - start, result


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def in_turn(ways, repeats=REPEATS):
    """Run every way once for each repeat; return lists of seconds and of results by name."""
    found = {name: [] for name in ways}
    for repeat in range(repeats):
        for name, run in ways.items():
            found[name].append(timed(run, repeat))
    seconds = {name: [one for one, _ in rows] for name, rows in found.items()}
    return seconds, {name: [one for _, one in rows] for name, rows in found.items()}


def ratio(seconds, ours, other):
    """Ratio of medians, and the seconds of both."""
    a, b = (statistics.median(seconds[name]) for name in (ours, other))
    return f"{a / b:.2f}", f"{a:.2f} and {b:.2f} s"


def row(what, compared, found, target, more):
    """One line of the table."""
    return {"what": what, "compared with": compared, "ratio": found, "target": target, "more": more}


# --- rows -----------------------------------------------------------------------------------------
def people(n_patients, seed=0):
    """Synthetic patients as the networks get them, the last third of them for testing."""
    from skrehab import BoneVectors
    from skrehab.datasets import make_rehab_trials

    data = make_rehab_trials(n_patients, 4, ["brush_hair", "hip_flexion"], random_state=seed)
    X = BoneVectors().fit_transform(data.X)
    test = np.isin(data.groups, np.unique(data.groups)[-(n_patients // 3) :])
    return X, data.y, data.groups, np.flatnonzero(~test), np.flatnonzero(test)


def padding():
    """Batches of like length against batches shuffled freely."""
    from sklearn.metrics import roc_auc_score

    from skrehab import VideoClassifier
    from skrehab.training.batching import Batches, Samples

    X, y, _, train, test = people(12)
    own = Samples([X[i] for i in train], y[train])
    shares = []
    for like_length in (0, 4):
        batches = [own.lengths[b.numpy()] for b in _indices(Batches, own, like_length)]
        shares.append(1 - own.lengths.sum() / sum(len(b) * b.max() for b in batches))
    rows = []
    for network, epochs in (("mil_tcn", 15), ("lstm", 15)):

        def fit(like_length, seed, network=network, epochs=epochs):
            model = VideoClassifier(
                network,
                max_epochs=epochs,
                lr=2e-3,
                batch_size=16,
                standardize=True,
                like_length=like_length,
                random_state=seed,
            ).fit([X[i] for i in train], y[train])
            return roc_auc_score(y[test], model.predict_proba([X[i] for i in test])[:, 1])

        ways = {
            "free": lambda seed, fit=fit: fit(0, seed),
            "like": lambda seed, fit=fit: fit(4, seed),
        }
        seconds, auc = in_turn(ways, 5)
        found, both = ratio(seconds, "like", "free")
        said = "; ".join(
            f"AUC {np.mean(auc[name]):.3f} +- {np.std(auc[name]):.3f} {title}"
            for name, title in (("like", "like length"), ("free", "freely shuffled"))
        )
        rows.append(
            row(
                f"fit of {network}, batches of like length (`like_length=4`)",
                "batches shuffled freely",
                found,
                "0.72" if network == "mil_tcn" else "0.64",
                f"{both}; padding {shares[1]:.0%} instead of {shares[0]:.0%} of frames; {said} "
                "on held-out patients, 5 seeds",
            )
        )
    return rows


def _indices(batches, samples, like_length):
    """Places in each batch of one epoch."""
    import torch

    class Places:
        lengths, is_lazy = samples.lengths, False

        def __len__(self):
            return len(samples)

        def batch(self, index):
            return index

    own = torch.Generator().manual_seed(0)
    return batches(Places(), 16, generator=own, like_length=like_length)


def mlp():
    """FrameMLP against scikit-learn's own."""
    from sklearn.metrics import log_loss
    from sklearn.neural_network import MLPClassifier

    from skrehab import FrameMLP

    rng = np.random.RandomState(0)
    y = [rng.randint(2, size=1000) for _ in range(100)]
    way = rng.rand(33, 3)
    X = [(rng.randn(1000, 33, 3) + 0.15 * one[:, None, None] * way).astype("f") for one in y]
    frames, labels = np.concatenate(X).reshape(100_000, -1), np.concatenate(y)
    plain = {"dropout": 0.0, "schedule": None, "gradient_clip": None}

    def ours(seed, **params):
        model = FrameMLP((64,), max_epochs=3, random_state=seed, **params).fit(X, y)
        return log_loss(labels, np.concatenate(list(model.predict_proba(X)))[:, 1])

    def theirs(seed):
        model = MLPClassifier((64,), batch_size=256, max_iter=3, alpha=0, random_state=seed)
        return log_loss(labels, model.fit(frames, labels).predict_proba(frames)[:, 1])

    seconds, loss = in_turn(
        {"plain": lambda s: ours(s, **plain), "default": ours, "scikit-learn": theirs}
    )
    rows = []
    for name, title in (("plain", "same work"), ("default", "defaults: dropout, clip, cosine")):
        found, both = ratio(seconds, name, "scikit-learn")
        rows.append(
            row(
                f"FrameMLP, 100,000 frames, 3 epochs, {title}",
                "MLPClassifier",
                found,
                "1.0",
                f"{both}; training loss {np.median(loss[name]):.3f} and "
                f"{np.median(loss['scikit-learn']):.3f}",
            )
        )
    return rows


def rocket(aeon=None):
    """Random convolutions with a ridge in closed form, against 100 epochs and MiniRocket."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import LeaveOneGroupOut
    from sklearn.preprocessing import StandardScaler

    from skrehab import PatientRidgeClassifier, RocketFeatures, VideoClassifier

    def epochs(seed):
        model = VideoClassifier(
            "rocket", max_epochs=100, weight_decay=3.0, standardize=True, random_state=seed
        ).fit([X[i] for i in train], y[train])
        return balanced_accuracy_score(y[test], model.predict([X[i] for i in test]))

    def closed(seed, head="patients", data=None, **features):
        X, y, groups, train, test = data or people_of_12
        rocket = RocketFeatures(**features, random_state=seed)
        scaler = StandardScaler()
        columns = scaler.fit_transform(rocket.fit_transform([X[i] for i in train]))
        if head == "patients":
            ridge = PatientRidgeClassifier().fit(columns, y[train], groups=groups[train])
        else:
            folds = LeaveOneGroupOut().split(train, groups=groups[train])
            cv = list(folds) if head == "refitted" else None
            ridge = RidgeClassifierCV(np.logspace(-3, 3, 10), cv=cv).fit(columns, y[train])
        said = ridge.predict(scaler.transform(rocket.transform([X[i] for i in test])))
        return balanced_accuracy_score(y[test], said)

    people_of_12 = X, y, _, train, test = people(12)
    closed(0)
    as_aeon, all_of_it = {"n_frames": 120}, {"n_frames": 120, "n_features": 10_000}
    ways = {
        "patients": closed,
        "120": partial(closed, **as_aeon),
        "10,000": partial(closed, **all_of_it),
        "trials": partial(closed, head="trials"),
        "refitted": partial(closed, head="refitted"),
        "epochs": epochs,
    }
    seconds, accuracy = in_turn(ways, ROCKET_SEEDS)
    others = {seed: people(12, seed) for seed in OTHER_PEOPLE}
    elsewhere = {
        name: np.array([ways[name](seed, data=data) for seed, data in others.items()])
        for name in ("patients", "120", "10,000", "trials", "refitted")
    }
    rows = []

    def compare(ours, what, other, compared, target=""):
        found, both = ratio(seconds, ours, other)
        said = " and ".join(
            f"{np.mean(accuracy[one]):.3f} +- {np.std(accuracy[one]):.3f}" for one in (ours, other)
        )
        more = f"{both}; balanced accuracy {said} of {ROCKET_SEEDS} seeds, {len(test)} trials"
        if other in elsewhere:
            a, b = elsewhere[ours], elsewhere[other]
            error = np.std(a - b, ddof=1) / np.sqrt(len(a))
            more += (
                f"; on {len(a)} other sets of people {a.mean():.3f} and {b.mean():.3f}, "
                f"difference {(a - b).mean():+.3f} +- {error:.3f} (standard error)"
            )
        rows.append(row(f"RocketFeatures and a ridge, {what}", compared, found, target, more))

    left_out = "penalty by leaving patients out"
    compare("patients", left_out, "epochs", "rocket, 100 epochs of Adam")
    refitted = "the same with RidgeClassifierCV, which fits each patient and penalty"
    compare("patients", left_out, "refitted", refitted)
    if aeon:
        theirs = _minirocket(aeon, {0: people_of_12} | others)
        seconds["aeon"], accuracy["aeon"] = theirs[0].T.tolist()
        elsewhere["aeon"] = np.array([one[0, 1] for one in theirs[1:]])
        minirocket = "aeon's MiniRocketClassifier, compiled before"
        compare("patients", left_out, "aeon", minirocket, "1.0")
        compare("120", f"{left_out}, 120 frames as there", "aeon", minirocket, "1.0")
        more = f"{left_out}, 120 frames and 10,000 features as there"
        compare("10,000", more, "aeon", minirocket, "1.0")
        compare("trials", "penalty by leaving trials out", "aeon", minirocket, "1.0")
        compare("refitted", f"{left_out} with RidgeClassifierCV", "aeon", minirocket, "1.0")
    return rows


def _minirocket(aeon, sets):
    """Seconds and balanced accuracy of aeon's, by set of people: arrays (n_seeds, 2)."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for seed, (X, y, _, train, test) in sets.items():
            # MiniRocket wants trials of one length: resampled to 120 frames
            cube = np.stack([_resampled(trial, 120) for trial in X]).astype("f")
            seeds = [seed] if seed else range(ROCKET_SEEDS)
            paths.append(str(Path(folder) / f"{seed}.npz"))
            np.savez(paths[-1], X=cube[train], y=y[train], X_test=cube[test], y_test=y[test],
                     seeds=seeds)  # fmt: skip
        alone = os.environ | {"PYTHONPATH": "", "NUMBA_NUM_THREADS": "1"}
        run = [aeon, "-c", MINIROCKET, *paths]
        out = subprocess.run(run, check=True, capture_output=True, text=True, env=alone)
    return [np.array(one) for one in json.loads(out.stdout.strip().splitlines()[-1])]


def _resampled(trial, n_frames):
    """(n_channels, n_frames) of a trial, linear in time."""
    flat = np.nan_to_num(trial.reshape(len(trial), -1))
    at = np.linspace(0, len(flat) - 1, n_frames)
    return np.stack([np.interp(at, np.arange(len(flat)), column) for column in flat.T])


def scaler():
    """Memory that LandmarkScaler.fit adds, as a share of its data."""
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from _memory import held, peak, restart_peak
from skrehab import LandmarkScaler
X = [np.random.RandomState(i).randn(2000, 33, 3).astype("f") for i in range(200)]
LandmarkScaler().fit(X[:2])
restart_peak()
before = held()
LandmarkScaler(center=True).fit(X)
print((peak() - before) * 1024 / sum(x.nbytes for x in X))
"""
    here = str(Path(__file__).parent)
    shares = [
        float(subprocess.run([sys.executable, "-c", code, here], check=True, capture_output=True,
                             text=True).stdout.split()[-1])
        for _ in range(REPEATS)
    ]  # fmt: skip
    return [
        row(
            "LandmarkScaler.fit, peak memory over its data",
            "its data, 158 MB",
            f"{statistics.median(shares):.2f}",
            "0.2",
            "200 trials of 2,000 frames",
        )
    ]


def jobs():
    """What two processes cost more than one, which bounds what they can gain."""
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_score

    from skrehab import VideoClassifier
    from skrehab.metrics import trial_roc_auc

    X, y, groups, _, _ = people(9)

    def run(n_jobs):
        from joblib.externals.loky import get_reusable_executor

        model = VideoClassifier(
            "mil_tcn", max_epochs=40, standardize=True, like_length=4, random_state=0
        )
        scores = cross_val_score(
            model, X, y, groups=groups, cv=LeaveOneGroupOut(), scoring=trial_roc_auc, n_jobs=n_jobs
        )
        get_reusable_executor().shutdown(wait=True)  # their time counts once they ended
        return scores

    seconds, scores = in_turn({"two": lambda _: run(2), "one": lambda _: run(1)})
    assert np.allclose(scores["one"][0], scores["two"][0], equal_nan=True)
    found, both = ratio(seconds, "two", "one")
    return [
        row(
            f"leave one patient out, n_jobs=2, {len(X)} trials of 9 patients",
            "n_jobs=1",
            found,
            "",
            f"{both} of processor time together; on two free cores at most "
            f"{2 / float(found):.2f} times as fast (target 1.7), same scores",
        )
    ]


def start():
    """Processor seconds until a command says that a path is not there."""
    seconds = []
    for _ in range(REPEATS + 2):
        took, done = timed(
            lambda: subprocess.run(
                [sys.executable, "-m", "skrehab", "train", "no_such.csv", "-o", "model"],
                capture_output=True, text=True, cwd=tempfile.gettempdir(),
            )
        )  # fmt: skip
        assert done.returncode and "no manifest no_such.csv" in done.stderr, done.stderr
        seconds.append(took)
    return [
        row(
            "`skrehab train no_such.csv` says so, seconds of processor time",
            "",
            f"{statistics.median(seconds):.2f} s",
            "0.5 s",
            f"{min(seconds):.2f} to {max(seconds):.2f} s in {len(seconds)} runs",
        )
    ]


def main():
    """Measure and write the table."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", metavar="ROW")
    parser.add_argument("--aeon", help="Python of an environment with aeon")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    measures = {"padding": padding, "mlp": mlp, "rocket": lambda: rocket(options.aeon),
                "scaler": scaler, "jobs": jobs, "start": start}  # fmt: skip
    kept = RESULTS / "speed.jsonl"
    known = dict(read_rows(kept))
    for name in options.rows or measures:
        known[name] = measures[name]()
        kept.write_text("".join(json.dumps([key, value]) + "\n" for key, value in known.items()))
        print(name, known[name], flush=True)
    rows = [one for name in measures for one in known.get(name, [])]
    left = [name for name in measures if name not in known]
    notes = (
        "Integrated gradients beside captum's: [saliency_vs_captum](saliency_vs_captum.md). "
        "FrameMLP trains by hand where nobody watches batch by batch "
        "(`skrehab/training/by_hand.py`); what its defaults take beside the same work is dropout's "
        "random numbers and the clipping, which scikit-learn's has not."
    )
    if left:
        notes += f" Not measured yet: {', '.join(left)}."
    write_report("speed", rows, __doc__, packages=("torch", "scikit-learn", "numpy"), notes=notes)


if __name__ == "__main__":
    main()
