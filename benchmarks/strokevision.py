"""StrokeVision-Bench: four Box-and-Block actions by RGB, by 2-D skeleton, and by both.

Seven networks of the benchmark (R3D, R(2+1)D, MViT, Video Swin; MotionBERT, PoseConv3D, MS-G3D) and
the fusion of an RGB and a skeleton network, late and by features. Patients are separated: every
patient is tested once by models that saw none of that patient's clips. Accuracy over all clips,
mean over classes and each class, with 95 % intervals from resampling patients. Classes are weighted
in the loss, or oversampled (imbalanced-learn) with --balance oversample.

Without --data the clips are synthetic (make_bbt_clips), where the two transports cannot be told
apart by skeletons; networks are small settings, from random weights, so that two cores can train
them: these are figures of the code, not of the clinic. With --data a copy in the layout of
load_strokevision_bench is used.

    python benchmarks/strokevision.py [--data ROOT] [--balance weights|oversample] [--full-size]
"""

import argparse
import json
import time
import warnings

import numpy as np
from _report import RESULTS, write_report
from imblearn.over_sampling import RandomOverSampler
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import StratifiedGroupKFold

from skrehab import FusionClassifier, VideoClassifier
from skrehab.datasets import load_strokevision_bench, make_bbt_clips

CLIP = {"n_frames": 8, "image_size": 48}
RESNET = {"widths": (8, 16, 32, 64), "n_blocks": (1, 1, 1, 1)} | CLIP
# row -> published accuracy in %, network, small parameters, epochs, learning rate
MODELS = {
    "R3D": (87.68, "r3d", RESNET, 25, 3e-3),
    "R(2+1)D": (86.96, "r2plus1d", RESNET, 25, 3e-3),
    "MViT": (77.14, "mvit", {"widths": (16, 32), "depths": (1, 2)} | CLIP, 40, 2e-3),
    "Video Swin": (
        74.0,
        "video_swin",
        {"width": 16, "depths": (2, 2), "n_heads": (2, 4), "window": (4, 6, 6)} | CLIP,
        40,
        2e-3,
    ),
    "MotionBERT": (
        84.29,
        "motionbert",
        {"n_frames": 15, "dim_feat": 32, "depth": 2, "n_heads": 4, "dim_rep": 32, "hidden": 64}
        | {"normalize": True, "crop_ratio": 1.0},
        30,
        2e-3,
    ),
    "PoseConv3D": (
        68.93,
        "posec3d",
        {"base_channels": 8, "stage_blocks": (1, 1, 1), "image_size": 28, "n_frames": 15},
        30,
        3e-3,
    ),
    "MS-G3D": (
        78.39,
        "msg3d",
        {"widths": (12, 24, 48), "n_gcn_scales": 4, "n_g3d_scales": 2, "windows": (3,)}
        | {"n_frames": 15},
        30,
        3e-3,
    ),
}
RGB = ("R3D", "R(2+1)D", "MViT", "Video Swin")
FUSED = ("R3D", "MS-G3D")


def model(row, full_size):
    """Build the estimator of a row."""
    _, network, params, epochs, lr = MODELS[row]
    return VideoClassifier(
        network,
        network_params=None if full_size else params,
        max_epochs=epochs,
        lr=lr,
        batch_size=16,
        class_weight="balanced",
        random_state=0,
    )


def estimators(full_size):
    """All rows: name -> modality, estimator."""
    rows = {row: ("rgb" if row in RGB else "pose", model(row, full_size)) for row in MODELS}
    rgb, pose = (model(row, full_size) for row in FUSED)
    for how in ("late", "features"):
        name = f"{' + '.join(FUSED)}, {how}"
        rows[name] = ("both", FusionClassifier(rgb, pose, how=how))
    return rows


def load(root):
    """Read the clips, or draw them."""
    if root:
        return load_strokevision_bench(root)
    return make_bbt_clips(
        n_patients=12, clips_per_class=5, class_weights="imbalanced", random_state=0
    )


def predict(estimator, X, y, patients, balance):
    """Predict each clip by a model that saw none of its patient."""
    predicted = np.empty_like(y)
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    for train, test in splitter.split(y, y, patients):
        if balance == "oversample":
            train = RandomOverSampler(random_state=0).fit_resample(train[:, None], y[train])[0][
                :, 0
            ]
        fitted = clone(estimator).fit([X[i] for i in train], y[train])
        predicted[test] = fitted.predict([X[i] for i in test])
    return predicted


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


def draw(results, y, names):
    """Draw the confusion matrices."""
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
    for ax, (row, predicted) in zip(axes, results.items()):
        share = confusion_matrix(y, predicted, labels=names, normalize="true")
        ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for i, j in np.ndindex(share.shape):
            color = "white" if share[i, j] > 0.5 else "black"
            ax.text(j, i, f"{100 * share[i, j]:.0f}", ha="center", va="center", color=color)
        ax.set_title(row, fontsize=9)
        ax.set_xticks(range(len(names)), short, rotation=40, fontsize=7)
        ax.set_yticks(range(len(names)), short, fontsize=7)
    figure.suptitle("Rows: what it is. Columns: what was said. Per cent of a row.", fontsize=9)
    figure.savefig(RESULTS / "strokevision_confusion.png", dpi=130)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data")
    parser.add_argument("--balance", choices=("weights", "oversample"), default="weights")
    parser.add_argument("--full-size", action="store_true")
    parser.add_argument("--only", nargs="+")
    options = parser.parse_args()
    data = load(options.data)
    y, names = np.asarray(data.target), list(data.target_names)
    items = {"rgb": data.videos, "pose": data.poses}
    items["both"] = [{"rgb": a, "pose": b} for a, b in zip(data.videos, data.poses)]

    # synthetic rows found here are not computed again
    store = RESULTS / "strokevision_predictions.json"
    keep = not (options.data or options.full_size) and options.balance == "weights"
    known = json.loads(store.read_text()) if keep and store.exists() else {}
    results = {"most frequent class": predict(DummyClassifier(), np.zeros((len(y), 1)), y,
                                              data.patients, "none")}  # fmt: skip
    for row, (modality, estimator) in estimators(options.full_size).items():
        if options.only and row not in options.only and row not in known:
            continue
        start = time.process_time()
        if row not in known:
            predicted = predict(estimator, items[modality], y, data.patients, options.balance)
            known[row] = [names.index(label) for label in predicted]
            print(row, f"{np.mean(predicted == y):.3f}, {time.process_time() - start:.0f} s CPU",
                  flush=True)  # fmt: skip
            if keep:
                store.write_text(json.dumps(known) + "\n")
        results[row] = np.array(names)[known[row]]

    table = []
    for row, predicted in results.items():
        values = with_intervals(y, predicted, data.patients, names)
        published = MODELS[row][0] if row in MODELS else ""
        columns = ["all clips", "mean of classes", *names]
        table.append({"model": row} | dict(zip(columns, values)) | {"published, real": published})
    draw({k: v for k, v in results.items() if k != "most frequent class"}, y, names)
    counts = ", ".join(f"{name} {np.sum(y == name)}" for name in names)
    write_report(
        "strokevision",
        table,
        __doc__.split("\n\n    ")[0],
        packages=("torch", "torchvision", "scikit-learn", "imbalanced-learn"),
        notes=f"{len(y)} clips of {len(np.unique(data.patients))} patients: {counts}. Accuracies "
        "in %; chance as a mean of classes is 25 %.\n\n"
        "![Confusion matrices](strokevision_confusion.png)",
    )


if __name__ == "__main__":
    main()
