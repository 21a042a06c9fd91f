"""StrokeVision-Bench: four Box-and-Block actions by RGB, by 2-D skeleton, and by both.

Seven networks of the benchmark (R3D, R(2+1)D, MViT, Video Swin; MotionBERT, PoseConv3D, MS-G3D) and
the fusion of an RGB and a skeleton network, late and by features. Patients are separated: every
patient is tested once by models that saw none of that patient's clips. Accuracy over all clips,
mean over classes and each class, with 95 % intervals from resampling patients. Classes are weighted
in the loss, or oversampled (imbalanced-learn) with --balance oversample.

Without --data the clips are synthetic (make_bbt_clips), where the two transports cannot be told
apart by skeletons; networks are small settings, from random weights, so that two cores can train
them: these are figures of the code, not of the clinic. With --data a copy in the layout of
load_strokevision_bench is used, and its own split if labels.csv has one. Each fold's probabilities
are kept as soon as they are there, real and drawn clips in different files: a run that was ended
goes on where it was, and what a changed recipe makes wrong is computed anew.

    python benchmarks/strokevision.py [--data ROOT] [--full-size] [--weights R3D=FILE ...]
        [--weights-sha256 R3D=HEX ...] [--device cuda] [--seeds 3] [--balance weights|oversample]
        [--only R3D MS-G3D ...] [--results FOLDER]
"""

import argparse
import datetime
import hashlib
import json
import time
import warnings
from pathlib import Path

import numpy as np
from _report import RESULTS, write_report
from imblearn.over_sampling import RandomOverSampler
from sklearn.base import clone
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedGroupKFold

from skrehab import FusionClassifier, VideoClassifier
from skrehab.datasets import load_strokevision_bench, make_bbt_clips

CLIP = {"n_frames": 8, "image_size": 48}
RESNET = {"widths": (8, 16, 32, 64), "n_blocks": (1, 1, 1, 1)} | CLIP
# row -> published accuracy in %, network, small parameters, epochs, learning rate
MODELS = {
    "R3D": (87.68, "r3d", RESNET, 12, 3e-3),
    "R(2+1)D": (86.96, "r2plus1d", RESNET, 12, 3e-3),
    "MViT": (77.14, "mvit", {"widths": (16, 32), "depths": (1, 2)} | CLIP, 16, 2e-3),
    "Video Swin": (
        74.0,
        "video_swin",
        {"width": 16, "depths": (2, 2), "n_heads": (2, 4), "window": (4, 6, 6)} | CLIP,
        18,
        2e-3,
    ),
    "MotionBERT": (
        84.29,
        "motionbert",
        {"n_frames": 15, "dim_feat": 32, "depth": 2, "n_heads": 4, "dim_rep": 32, "hidden": 64},
        12,
        2e-3,
    ),
    "PoseConv3D": (
        68.93,
        "posec3d",
        {"base_channels": 8, "stage_blocks": (1, 1, 1), "image_size": 28, "n_frames": 15},
        6,
        3e-3,
    ),
    "MS-G3D": (
        78.39,
        "msg3d",
        {"widths": (12, 24, 48), "n_gcn_scales": 4, "n_g3d_scales": 2, "windows": (3,)}
        | {"n_frames": 15},
        16,
        3e-3,
    ),
}
# what a network needs of any size: key-points are pixels
ALWAYS = {"MotionBERT": {"normalize": True, "crop_ratio": 1.0}}
# full size, a recipe a network: augmentation, warm-up and views of the kind that papers fine-tune
# with. MotionBERT's rate and decay are its authors'; the paper of the benchmark gives none, so the
# rest is ours, for networks that start from published weights, MS-G3D from scratch.
PICTURES = {"crop": 0.5, "color": 0.4, "mirror": 0.5, "time_jitter": True}
ADAMW = {"optimizer": "adamw", "decay_norms": False, "warmup": 3}
CLIPS = ADAMW | {"augment": PICTURES, "views": (3, 3), "max_epochs": 30, "lr": 1e-4}
SIDES = {"mirror": 0.5, "skeleton": "coco17"}
FULL = {
    "R3D": CLIPS | {"weight_decay": 1e-2},
    "R(2+1)D": CLIPS | {"weight_decay": 1e-2},
    "MViT": CLIPS | {"weight_decay": 5e-2},
    "Video Swin": CLIPS | {"weight_decay": 5e-2},
    "MotionBERT": ADAMW
    | {"augment": SIDES | {"turn": 10, "zoom": 0.1}}
    | {"max_epochs": 30, "lr": 1e-4, "weight_decay": 1e-2},
    "PoseConv3D": ADAMW
    | {"augment": SIDES | {"zoom": 0.3, "time_jitter": True}, "views": 10}
    | {"max_epochs": 60, "lr": 1e-3, "weight_decay": 3e-4},
    "MS-G3D": {"max_epochs": 60, "lr": 1e-3, "weight_decay": 5e-4, "optimizer": "adamw"},
}
RGB = ("R3D", "R(2+1)D", "MViT", "Video Swin")
FUSED = ("R3D", "MS-G3D")


def model(row, options, seed):
    """Build the estimator of a row."""
    _, network, params, epochs, lr = MODELS[row]
    how = {"max_epochs": epochs, "lr": lr}
    if options.full_size:
        params, how = {}, FULL[row]
    start = {}
    if row in options.weights:
        start = {"weights": options.weights[row], "head": "new"}
        start["weights_sha256"] = options.weights_sha256.get(row)
    return VideoClassifier(
        network,
        network_params=ALWAYS.get(row, {}) | params,
        batch_size=16,
        class_weight="balanced",
        device=options.device,
        random_state=seed,
        **how,
        **start,
    )


def estimators(options, seed):
    """All rows: name -> modality, estimator; None for the mean of two rows that are there."""
    rows = {row: ("rgb" if row in RGB else "pose", model(row, options, seed)) for row in MODELS}
    rgb, pose = (model(row, options, seed) for row in FUSED)
    rows[f"{' + '.join(FUSED)}, late"] = ("both", None)  # of what both said, kept above
    rows[f"{' + '.join(FUSED)}, features"] = ("both", FusionClassifier(rgb, pose, how="features"))
    return rows


def load(options):
    """Read the clips, or draw them."""
    if options.data:
        return load_strokevision_bench(options.data)
    return make_bbt_clips(
        n_patients=options.patients,
        clips_per_class=options.clips_per_class,
        class_weights="imbalanced",
        random_state=0,
    )


def folds(data, seed):
    """Yield training and test clips: the data set's own split, or every patient tested once."""
    if data.get("split") is not None:
        train, test = (np.flatnonzero(data.split == name) for name in ("train", "test"))
        if not len(train) or not len(test):
            raise SystemExit(
                f"labels.csv has splits {sorted(set(data.split.tolist()))}, not train and test."
            )
        return [(train, test)]
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    return list(splitter.split(data.target, data.target, data.patients))


class Kept:
    """What was said of each test clip, one line a fold in a file, written as soon as it is there.

    A line counts for clips, folds, a seed and settings that are the same to the letter.
    """

    def __init__(self, file, data, names):
        self.file, self.names = file, names
        clips = [list(data.target), list(data.patients), _few(data)]
        self.data = hashlib.sha256(repr(clips).encode()).hexdigest()[:12]
        lines = file.read_text().splitlines() if file.exists() else []
        self.lines = {}
        for line in lines:
            try:
                found = json.loads(line)
            except ValueError:  # the run was ended while it wrote
                continue
            self.lines[found["key"]] = found

    def proba(self, row, how, seed, fold, compute):
        """Probabilities of a fold's test clips: as kept, or computed and kept."""
        key = hashlib.sha256(repr([self.data, row, how, seed, fold]).encode()).hexdigest()[:16]
        if key not in self.lines:
            start = time.process_time()
            proba = np.round(np.asarray(compute(), dtype=float), 4).tolist()
            spent = round(time.process_time() - start)
            said = {"row": row, "seed": seed, "fold": fold, "how": how, "cpu_s": spent}
            said["date"] = str(datetime.date.today())
            self.lines[key] = {"key": key, **said, "proba": proba}
            with self.file.open("a") as out:
                out.write(json.dumps(self.lines[key]) + "\n")
            print(f"{row}, seed {seed}, fold {fold}: {spent} s CPU", flush=True)
        return np.array(self.lines[key]["proba"]), self.lines[key]["date"]


def _few(data):
    """A few key-points, to tell two sets of clips apart."""
    every = -(-len(data.poses) // 5)
    return [np.nan_to_num(np.asarray(one)[0]).round(3).tolist() for one in data.poses[::every]]


def settings(estimator, options):
    """Write all that decides what is learned, but for the seed and the device."""
    if estimator is None:
        return ""
    names = [name for name in estimator.get_params() if name.endswith(("device", "random_state"))]
    plain = clone(estimator).set_params(**dict.fromkeys(names))
    return " ".join(plain.__repr__(N_CHAR_MAX=10**6).split()) + f" {options.balance}"


def say(estimator, X, y, train, test, balance):
    """Probabilities of test clips, by a model that saw none of their patients."""
    if balance == "oversample":
        again = RandomOverSampler(random_state=0)
        train = again.fit_resample(train[:, None], y[train])[0][:, 0]
    fitted = clone(estimator).fit([X[i] for i in train], y[train])
    return fitted.predict_proba([X[i] for i in test])


def accuracies(y, predicted, names):
    """Accuracy over all clips, mean over classes, and of each class, in %."""
    right = y == predicted
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a resample may lack a class
        each = np.array([right[y == name].mean() for name in names])
        return 100 * np.array([right.mean(), np.nanmean(each), *each])


def with_intervals(y, predicted, patients, names, n_resamples=1000):
    """Accuracies with 95 % intervals from resampling patients."""
    rng = np.random.RandomState(0)
    clips_of = [np.flatnonzero(patients == one) for one in np.unique(patients)]
    drawn = []
    for _ in range(n_resamples):
        chosen = np.concatenate(
            [clips_of[i] for i in rng.randint(len(clips_of), size=len(clips_of))]
        )
        drawn.append(accuracies(y[chosen], predicted[chosen], names))
    low, high = np.nanpercentile(drawn, [2.5, 97.5], axis=0)
    values = accuracies(y, predicted, names)
    return [f"{v:.1f} ({a:.0f}-{b:.0f})" for v, a, b in zip(values, low, high)]


def draw(results, names, file):
    """Draw the confusion matrices of (true, predicted) by row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    short = ["Grasp", "Non-task", "With", "Without"]
    columns = 5
    lines = -(-len(results) // columns)
    figure = Figure(figsize=(2.5 * columns, 2.75 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for ax in axes[len(results) :]:
        ax.set_axis_off()
    for ax, (row, (truth, predicted)) in zip(axes, results.items()):
        share = confusion_matrix(truth, predicted, labels=names, normalize="true")
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for i, j in np.ndindex(share.shape):
            color = "white" if share[i, j] > 0.5 else "black"
            ax.text(j, i, f"{100 * share[i, j]:.0f}", ha="center", va="center", color=color)
        ax.set_title(row, fontsize=9)
        ax.set_xticks(range(len(names)), short, rotation=40, fontsize=7)
        ax.set_yticks(range(len(names)), short, fontsize=7)
    figure.suptitle("Rows: what it is. Columns: what was said. Per cent of a row.", fontsize=9)
    figure.savefig(file, dpi=130)


def by_row(words):
    """Read ROW=VALUE."""
    pairs = dict(word.partition("=")[::2] for word in words or ())
    unknown = set(pairs) - set(MODELS)
    if unknown:
        raise SystemExit(f"There is no row {sorted(unknown)}: rows are {', '.join(MODELS)}.")
    return pairs


def arguments(words=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--balance", choices=("weights", "oversample"), default="weights")
    parser.add_argument("--full-size", action="store_true")
    parser.add_argument("--only", nargs="+", metavar="ROW")
    parser.add_argument("--weights", nargs="+", metavar="ROW=FILE")
    parser.add_argument("--weights-sha256", nargs="+", metavar="ROW=HEX")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--patients", type=int, default=12, help="of drawn clips")
    parser.add_argument("--clips-per-class", type=int, default=25, help="of drawn clips")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(words)
    options.weights = by_row(options.weights)
    options.weights_sha256 = by_row(options.weights_sha256)
    return options


def main(words=None):
    options = arguments(words)
    data = load(options)
    y, names = np.asarray(data.target), list(data.target_names)
    items = {"rgb": data.videos, "pose": data.poses}
    items["both"] = [{"rgb": a, "pose": b} for a, b in zip(data.videos, data.poses)]
    options.results.mkdir(parents=True, exist_ok=True)
    name = "strokevision_real" if options.data else "strokevision"
    kept = Kept(options.results / f"{name}_kept.jsonl", data, names)
    classes = np.unique(y)

    rows, dates = {}, {}  # row -> true classes, predicted classes and patients, of all seeds
    certain = {}  # row -> probability of the class that is said, mean over clips, by seed
    for seed in range(options.seeds):
        parts = folds(data, seed)
        tested = np.concatenate([test for _, test in parts])
        truth, patients = y[tested], data.patients[tested]
        most = [np.full(len(test), _most(y[train])) for train, test in parts]
        rows.setdefault("most frequent class", []).append((truth, np.concatenate(most), patients))
        found = {}
        for row, (modality, estimator) in estimators(options, seed).items():
            if options.only and row not in options.only:
                continue
            if estimator is None:
                if not set(FUSED) <= set(found):
                    continue
                found[row] = (found[FUSED[0]] + found[FUSED[1]]) / 2
            else:
                how, said = settings(estimator, options), []
                for fold, (train, test) in enumerate(parts):
                    what = (estimator, items[modality], y, train, test, options.balance)
                    proba, date = kept.proba(row, how, seed, fold, lambda what=what: say(*what))
                    said.append(proba)
                    dates.setdefault(row, date)
                found[row] = np.concatenate(said)
            certain.setdefault(row, []).append(found[row].max(axis=1).mean())
            predicted = classes[found[row].argmax(axis=1)]
            rows.setdefault(row, []).append((truth, predicted, patients))

    table, matrices, at_chance = [], {}, []
    for row, seeds in rows.items():
        truth, predicted, patients = (np.concatenate(one) for one in zip(*seeds))
        values = with_intervals(truth, predicted, patients, names)
        lowest = float(values[1].split("(")[1].split("-")[0])
        if row in certain and lowest <= 100 / len(names):
            at_chance.append(f"{row} {np.mean(certain[row]):.2f}")
        matrices[row] = truth, predicted
        published = MODELS[row][0] if row in MODELS else ""
        columns = ["all clips", "mean of classes", *names]
        table.append(
            {"model": row}
            | dict(zip(columns, values))
            | {"published, real": published, "run on": dates.get(row, "")}
        )
    del matrices["most frequent class"]
    if matrices:
        draw(matrices, names, options.results / f"{name}_confusion.png")
    counts = ", ".join(f"{one} {np.sum(y == one)}" for one in names)
    lost = [row for row in estimators(options, 0) if row not in rows]
    rest = f" Not computed in this run: {', '.join(lost)}." if lost else ""
    if at_chance:
        rest += (
            " Whose interval reaches chance: these networks are hardly certain of anything (mean "
            f"probability of the class they name: {', '.join(at_chance)}; chance is "
            f"{1 / len(names):.2f}): transformers of video learn next to nothing from some hundred "
            "clips when they start from random weights, and skrehab warns of it; see --weights."
        )
    write_report(
        name,
        table,
        __doc__.split("\n\n    ")[0],
        packages=("torch", "torchvision", "scikit-learn", "imbalanced-learn"),
        notes=f"{len(y)} clips of {len(np.unique(data.patients))} patients: {counts}; "
        f"{options.seeds} seed(s). Accuracies in %; chance as a mean of classes is 25 %.{rest}"
        + f"\n\n![Confusion matrices]({name}_confusion.png)"
        * bool(matrices),
        folder=options.results,
    )


def _most(y):
    values, counts = np.unique(y, return_counts=True)
    return values[counts.argmax()]


if __name__ == "__main__":
    main()
