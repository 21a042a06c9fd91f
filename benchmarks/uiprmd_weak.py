"""UIPRMD-Weak: frame-level assessment from one label per spliced trial, by person.

Repetitions of one person and one movement of UI-PRMD (Kinect) are joined three by three: 1,000
trials, half of them with one or two incorrect repetitions. The trial label says whether any
repetition is incorrect; the frame truth, used for scoring only except in the rows that say so, is
the label of the frame's own repetition. One of the ten people is left out at a time. All frames are
judged at 5 Hz; features are causal. ``--no-reuse`` uses no repetition twice (500 trials), since
most correct repetitions of the usual draw also stand in some normal trial.

    python benchmarks/uiprmd_weak.py [--units ours,truth] [--people 1,4,7] [--splice 0] [--no-reuse]

Every finished unit of a fold is kept in a .jsonl file beside the table, so that a run broken off
goes on where it was; ``--table`` only writes the table of what is there. ``--folder`` keeps both
elsewhere: ``make evidence-quick`` computes two people anew.
"""

import argparse
import sys
import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from _report import RESULTS, add_rows, read_rows, write_report
from joblib import Parallel, delayed
from scipy.stats import bootstrap, ttest_rel
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from skrehab import (
    Augmentation,
    BoneVectors,
    DisplacementSmoother,
    FrameMLP,
    FrameTCN,
    LandmarkScaler,
    SaliencyPseudoLabeler,
    VideoClassifier,
)
from skrehab.datasets import load_uiprmd_npz, splice_repetitions
from skrehab.frames import SoftLabels
from skrehab.metrics import frame_roc_auc, pool_frames, positive_scores
from skrehab.trials import ragged

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "uiprmd_kinect.npz"
STEP = 6  # 30 Hz to 5 Hz
CHOSEN_ON = (1, 4, 7, 10)  # people on whom, with another splice seed, the recipe was chosen
EPOCHS = 30  # of the published networks, unless said


# --- data -----------------------------------------------------------------------------------------
@cache
def load(path, splice, reuse, step=STEP):
    """Splice the trials; positions become displacements and bone directions at 30 Hz / `step`."""
    raw = load_uiprmd_npz(path)
    how = {} if reuse else {"n_trials": 5, "n_positive": 3, "reuse": False}
    data = splice_repetitions(
        raw.X, raw.correct, raw.subject, raw.movement, random_state=splice, **how
    )
    root_and_relative = [
        np.concatenate([trial[:, :1], trial[:, 1:] - trial[:, :1]], axis=1) for trial in data.X
    ]
    smooth_first = DisplacementSmoother(order="smooth_first")
    data.moved = [x[::step] for x in smooth_first.fit_transform(root_and_relative)]
    data.bones = [x[::step] for x in BoneVectors("uiprmd22").fit_transform(data.X)]
    data.frame_labels = [labels[::step] for labels in data.frame_labels]
    data.source = (path, splice, reuse)
    return data


class Fold:
    """One person held out."""

    def __init__(self, data, person, seed):
        self.data, self.seed = data, seed
        self.test = np.flatnonzero(data.groups == person)
        self.train = np.flatnonzero(data.groups != person)
        self.y, self.y_test = data.y[self.train], data.y[self.test]
        self.truth = self.take(data.frame_labels, self.train)
        self.truth_test = self.take(data.frame_labels, self.test)
        self.who = {"groups": data.groups[self.train], "exercise": data.movement[self.train]}

    @staticmethod
    def take(items, index):
        return [items[i] for i in index]

    def features(self, name, scaled=False):
        """Training and held-out trials; scaled by the training people's spread."""
        X, X_test = (self.take(self.data[name], index) for index in (self.train, self.test))
        if scaled:
            scaler = LandmarkScaler().fit(X)
            X, X_test = scaler.transform(X), scaler.transform(X_test)
        return X, X_test

    def scores(self, proba):
        """AUC over frames, and over trials by pooled frame scores."""
        return {
            "frame AUC": frame_roc_auc(self.truth_test, proba),
            "trial AUC": roc_auc_score(self.y_test, pool_frames(proba)),
        }


# --- rows -----------------------------------------------------------------------------------------
def floors(fold):
    """What says nothing, and what the duration says."""
    lengths = [np.array([[len(x)] for x in X]) / 100 for X in fold.features("moved")]
    score = LogisticRegression().fit(lengths[0], fold.y).predict_proba(lengths[1])[:, 1]
    spread = [np.full(len(t), s) for t, s in zip(fold.truth_test, score)]
    yield "floor | constant", {"frame AUC": 0.5, "trial AUC": 0.5}
    yield "floor | trial duration alone", fold.scores(spread)


def truth(fold):
    """Trained on frame truth: what frame labels would buy."""
    X, X_test = fold.features("moved", scaled=True)
    mlp = FrameMLP((128,), max_epochs=20, random_state=fold.seed).fit(X, fold.truth)
    yield "frame truth | MLP, displacements", fold.scores(mlp.predict_proba(X_test))
    X, X_test = fold.features("bones")
    for causal in (True, False):
        model = student(fold, causal).fit(X, ragged(fold.truth), **fold.who)
        name = f"frame truth | {'causal' if causal else 'centred'} TCN, bones, augmentation"
        yield name, fold.scores(model.predict_proba(X_test))


RECIPE = {"lr": 2e-3, "max_epochs": 18, "batch_size": 32, "schedule": "cosine_batch",
          "optimizer": "adamw", "gradient_clip": None, "standardize": True,
          "like_length": 8}  # fmt: skip
CHANGES = {"splice": 0.5, "rotate": 15, "offset": 0.3}


def teacher(fold, seed=0, changes=CHANGES, **params):
    """The centred network that learns from trial labels."""
    augment = Augmentation(**changes) if changes else None
    how = RECIPE | {"augment": augment, "random_state": 1000 * fold.seed + seed} | params
    return VideoClassifier("mil_tcn", **how)


def student(fold, causal, changes=CHANGES, seed=100, **params):
    """The network that learns from soft or true frame labels."""
    augment = Augmentation(**changes) if changes else None
    how = RECIPE | {"augment": augment, "random_state": 1000 * fold.seed + seed} | params
    return FrameTCN(causal=causal, **how)


def soft_labels(fold, models, X):
    """Sigmoid of the teachers' mean frame logit; 0 in trials labelled normal."""
    logits = zip(mean_logits(models, X), fold.y)
    soft = [1 / (1 + np.exp(-z)) if y else np.zeros(len(z)) for z, y in logits]
    return SoftLabels([np.stack([1 - p, p], axis=1) for p in soft], classes=[0, 1])


def mean_logits(models, X):
    """Mean over networks of the logit of every frame."""
    each = [positive_scores(model.predict_frame_proba(X)) for model in models]
    clipped = ([np.clip(p, 1e-6, 1 - 1e-6) for p in one] for one in each)
    return [np.mean(z, axis=0) for z in zip(*([np.log(p / (1 - p)) for p in c] for c in clipped))]


def ours(fold, name="", features="bones", changes=CHANGES, n_teachers=2, hard=False):
    """Teachers from trial labels, a student from their soft labels."""
    start = time.process_time()
    X, X_test = fold.features(features)
    models = [teacher(fold, seed, changes).fit(X, fold.y, **fold.who) for seed in range(n_teachers)]
    seconds = time.process_time() - start
    if not name:
        one = fold.scores(positive_scores(models[0].predict_frame_proba(X_test)))
        yield "ours | one teacher, its own frames (offline)", one
        logits = mean_logits(models, X_test)
        yield (
            "ours | two teachers, their own frames (offline)",
            fold.scores(logits) | {"s": seconds},
        )
    labels = soft_labels(fold, models, X)
    if hard:
        labels = ragged((p[:, 1] > 0.5).astype(int) for p in labels)
    for causal in (True,) if name else (True, False):
        start = time.process_time()
        model = student(fold, causal, changes).fit(X, labels, **fold.who)
        what = "causal student (live)" if causal else "centred student (offline)"
        row = fold.scores(model.predict_proba(X_test)) | {"s": time.process_time() - start}
        yield f"ours{' ' + name if name else ''} | {what}", row


ABLATIONS = {
    "displacements instead of bones": {"features": "moved"},
    "no splice": {"changes": CHANGES | {"splice": 0.0}},
    "no turn": {"changes": CHANGES | {"rotate": 0.0}},
    "no offset": {"changes": CHANGES | {"offset": 0.0}},
    "no augmentation": {"changes": None},
    "one teacher": {"n_teachers": 1},
    "hard labels": {"hard": True},
}


def at_rate(fold, hertz):
    """Trials of another frame rate, through the recipe's own thinning (``step="auto"``)."""
    data = load(*fold.data.source, step=30 // hertz)
    faster = Fold(data, fold.data.groups[fold.test[0]], fold.seed)
    X, X_test = faster.features("bones")
    models = [teacher(fold, seed, step="auto").fit(X, fold.y, **fold.who) for seed in range(2)]
    labels = soft_labels(fold, models, X)
    model = student(fold, True, step="auto").fit(X, labels, **fold.who)
    yield f"ours at {hertz} Hz | causal student (live)", faster.scores(model.predict_proba(X_test))


def direct(fold):
    """The causal network from trial labels without a teacher; MLP taught by the teachers."""
    X, X_test = fold.features("bones")
    model = teacher(fold, network_params={"causal": True}).fit(X, fold.y, **fold.who)
    proba = positive_scores(model.predict_frame_proba(X_test))
    yield "ours without student | causal network from trial labels (live)", fold.scores(proba)
    labels = soft_labels(fold, [teacher(fold).fit(X, fold.y, **fold.who)], X)
    mlp = FrameMLP((128,), max_epochs=20, standardize=True, random_state=fold.seed)
    proba = mlp.fit(X, labels).predict_proba(X_test)
    yield "ours with an MLP as student | one frame at a time (live)", fold.scores(proba)


NETWORKS = {
    "lstm": {},
    "act": {"network_params": {"n_frames": "all"}},
    "skateformer": {
        "network_params": {
            "size": "as_is", "n_frames": 32, "widths": (32, 32), "n_blocks": 1, "n_heads": 8
        }
    },
    "moment": {"network_params": {"size": "small"}},
    "act-100": {"network_params": {"n_frames": "all"}, "max_epochs": 100},
}  # fmt: skip
SHOWN = {
    "skateformer": "skateformer cut down",
    "moment": "moment-small, random",
    "act-100": "act of 100 epochs",
}


def published(fold, name):
    """As the paper's authors run it: their order, scores, smoothing, scale and thresholds."""
    network, settings = name.partition("-")[0], {"max_epochs": EPOCHS} | NETWORKS[name]
    X, X_test = fold.features("moved", scaled=True)
    start = time.process_time()
    video = VideoClassifier(
        network, min_lr=1e-6, gradient_clip=None, gradient_clip_value=0.8,
        random_state=fold.seed, **settings,
    ).fit(X, fold.y)  # fmt: skip
    seconds = time.process_time() - start
    trial = roc_auc_score(fold.y_test, video.decision_function(X_test))
    positive = np.flatnonzero(fold.y == 1)
    for method in ("vanilla_gradient", "integrated_gradients"):
        for threshold in ("published", "published_dual"):
            row = f"published | {SHOWN.get(name, name)}, {method.replace('_', ' ')}, "
            row += "two thresholds" if threshold.endswith("dual") else "one threshold"
            labeler = SaliencyPseudoLabeler(
                FrozenEstimator(video), method=method, threshold=threshold, n_steps="auto"
            )
            with warnings.catch_warnings(record=True):
                warnings.simplefilter("always")
                labels = labeler.fit(X, fold.y).transduction_
            inside = frame_roc_auc(
                fold.take(fold.truth, positive), fold.take(labeler.scores_, positive)
            )
            mlp = FrameMLP((256, 128), dropout=0.2, max_epochs=10, batch_size=64,
                           random_state=fold.seed)  # fmt: skip
            scores = fold.scores(mlp.fit(X, labels).predict_proba(X_test))
            yield row, scores | {"inside": inside, "video AUC": trial, "s": seconds}


def old_reading(fold):
    """What skrehab took the paper to say before: absolute values, min-max of frames, tenths."""
    X, X_test = fold.features("moved", scaled=True)
    video = VideoClassifier("act", max_epochs=EPOCHS, random_state=fold.seed).fit(X, fold.y)
    labeler = SaliencyPseudoLabeler(
        FrozenEstimator(video), threshold=(0.22, 0.32), aggregate="sum", smooth=0, scale="frames",
        label_source="predicted", n_steps=24,
    )  # fmt: skip
    labels = labeler.fit(X, fold.y).transduction_
    mlp = FrameMLP((128,), max_epochs=20, random_state=fold.seed).fit(X, labels)
    name = "old reading | act, integrated gradients, two thresholds as tenths"
    yield name, fold.scores(mlp.predict_proba(X_test))


UNITS = {
    "floors": floors,
    "truth": truth,
    "ours": ours,
    "direct": direct,
    "old": old_reading,
    **{f"rate-{hertz}": lambda fold, hertz=hertz: at_rate(fold, hertz) for hertz in (10, 30)},
    **{f"published-{n}": lambda fold, n=n: published(fold, n) for n in NETWORKS},
    **{
        f"without-{i}": lambda fold, n=n, how=how: ours(fold, f"with {n}" if n[:2] != "no" else n,
                                                          **how)
        for i, (n, how) in enumerate(ABLATIONS.items())
    },
}  # fmt: skip


# --- running and reporting ------------------------------------------------------------------------
def run_one(path, splice, reuse, person, seed, unit):
    """Run one unit of one fold."""
    data = load(path, splice, reuse)
    started = time.process_time()
    rows = dict(UNITS[unit](Fold(data, person, seed)))
    key = {"splice": splice, "reuse": reuse, "person": person, "seed": seed, "unit": unit}
    return key | {"rows": rows, "cpu s": round(time.process_time() - started, 1)}


def table(done):
    """Mean, deviation and interval over people, one row a method; p against the MLP on truth."""
    found, runs = {}, {}  # runs: frame AUC by row, person and seed
    for one in done:
        for name, row in one["rows"].items():
            found.setdefault(name, {}).setdefault(one["person"], []).append(row)
            runs.setdefault(name, {})[one["person"], one["seed"]] = row["frame AUC"]
    by_person = {
        name: {p: np.mean([r["frame AUC"] for r in rows]) for p, rows in people.items()}
        for name, people in found.items()
    }
    reference = by_person.get("frame truth | MLP, displacements", {})
    table = []
    for name, people in found.items():
        values = np.array([by_person[name][p] for p in sorted(people)])
        unseen = [by_person[name][p] for p in people if p not in CHOSEN_ON]
        shared = [p for p in sorted(people) if p in reference]
        differs = len(shared) > 2 and reference and not name.startswith("frame truth | MLP")
        p_value = (
            ttest_rel([by_person[name][p] for p in shared], [reference[p] for p in shared]).pvalue
            if differs and len(set(values)) > 1
            else np.nan
        )
        rows = [row for each in people.values() for row in each]
        table.append(
            {
                **dict(zip(("taught by", "model"), name.split(" | "))),
                "frame AUC": _spread(values),
                "by seed": _by_seed(runs[name]),
                "95 % over people": _interval(values),
                "people not chosen on": f"{np.mean(unseen):.3f}" if unseen else "-",
                "trial AUC": _mean(rows, "video AUC") if "video AUC" in rows[0] else _mean(
                    rows, "trial AUC"),
                "inside positive trials": _mean(rows, "inside"),
                "minus ours live, same runs": _difference(runs, name),
                "p against MLP on truth": "-" if np.isnan(p_value) else f"{p_value:.2g}",
                "people": len(people),
                "runs": len(rows),
            }
        )  # fmt: skip
    return table


def _by_seed(runs):
    """Mean over people for each seed, where there are several."""
    seeds = sorted({seed for _, seed in runs})
    means = [np.mean([auc for (_, own), auc in runs.items() if own == seed]) for seed in seeds]
    return ", ".join(f"{mean:.3f}" for mean in means) if len(seeds) > 1 else "-"


def _difference(runs, name, other="ours | causal student (live)"):
    """Mean difference from the recommended row, over the people and seeds that both rows have."""
    one, ours = runs[name], runs.get(other, {})
    shared = [run for run in one if run in ours]
    if not shared or name == other:
        return "-"
    return f"{np.mean([one[run] - ours[run] for run in shared]):+.3f}"


def _spread(values):
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{spread}"


def _mean(rows, column):
    values = [row[column] for row in rows if column in row]
    return f"{np.mean(values):.3f}" if values else "-"


def _interval(values):
    """BCa interval of the mean over people."""
    if len(values) < 4 or np.ptp(values) == 0:
        return "-"
    ends = bootstrap((values,), np.mean, method="BCa", random_state=0).confidence_interval
    return f"{ends.low:.3f} to {ends.high:.3f}"


def main():
    """Run the units of folds that are not done yet and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=str(DATA))
    parser.add_argument(
        "--units", default="floors,truth,ours,direct,old,published-lstm,published-act"
    )
    parser.add_argument("--people", default="1,2,3,4,5,6,7,8,9,10")
    parser.add_argument("--splice", type=int, default=0)
    parser.add_argument("--no-reuse", action="store_true")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--folder", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    reuse = not arguments.no_reuse
    name = "uiprmd_weak" + ("" if reuse else "_no_reuse")
    name += f"_splice{arguments.splice}" if arguments.splice else ""
    if not Path(arguments.data).exists():
        parser.error(f"{arguments.data} is not there: --data FILE names uiprmd_kinect.npz.")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    kept = arguments.folder / f"{name}.jsonl"
    done = read_rows(kept)
    have = {(d["person"], d["seed"], d["unit"]) for d in done}
    todo = [
        (int(person), int(seed), unit)
        for seed in arguments.seeds.split(",")
        for person in arguments.people.split(",")
        for unit in arguments.units.split(",")
        if (int(person), int(seed), unit) not in have
    ]
    run = Parallel(n_jobs=arguments.jobs, return_as="generator_unordered")
    for one in run(
        delayed(run_one)(arguments.data, arguments.splice, reuse, *key)
        for key in ([] if arguments.table else todo)
    ):
        done.append(one)
        add_rows(kept, one)
        shown = {row: round(scores["frame AUC"], 3) for row, scores in one["rows"].items()}
        print(one["person"], one["unit"], f"{one['cpu s']} s", shown, flush=True)
    data = load(arguments.data, arguments.splice, reuse)
    share = np.mean(np.concatenate(data.frame_labels))
    notes = f"Trials: {len(data.X)}, positive frames: {share:.3f}, splice seed {arguments.splice}."
    packages = ("torch", "scikit-learn", "skorch", "numpy")
    sys.argv = [word for word in sys.argv if word != "--table"]  # the command that computes it
    write_report(
        name, table(done), __doc__, packages=packages, notes=notes, folder=arguments.folder
    )


if __name__ == "__main__":
    # a worker looks the cached `load` up in the module; of the script itself it has no module
    import uiprmd_weak

    uiprmd_weak.main()
