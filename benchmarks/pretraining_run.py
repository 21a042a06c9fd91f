"""One pretraining run on two cores: all of UI-PRMD and the Wolf Motor Function Test, no labels.

2,000 repetitions of UI-PRMD and 720 trials of WMFT, positions from the base of the spine, brought
to the common 15-joint skeleton, every second frame (15 Hz). Pace and inpainting with the
discriminator; bidirectional GRU, two layers. The learning curves are means over an epoch, of the
training sequences: of the pace (five classes, chance 0.2), of the reconstruction (mean absolute
error, sequences being scaled to [-1, 1]) and of the discriminator. Target: less than 20 minutes,
and curves that fall.

    python benchmarks/pretraining_run.py [--epochs 40] [--width 64]
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from _report import RESULTS, write_report
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from skrehab import PoseSequencePretrainer, SkeletonConverter
from skrehab.datasets import load_uiprmd_npz, load_wmft_npz

CURVES = {"pace": "pace, cross-entropy", "pace_accuracy": "pace, accuracy",
          "reconstruction": "inpainting", "discriminator": "discriminator"}  # fmt: skip


def prepared(data, skeleton):
    """Positions of the common joints from the base of the spine in the first frame, at 15 Hz."""
    trials = [(trial[::2] - trial[:1, :1]).astype(np.float32) for trial in data.X]
    return SkeletonConverter("common15", source=skeleton).fit_transform(trials)


def draw(history, path):
    """Draw the learning curves, one panel a loss."""
    figure = Figure(figsize=(11, 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(CURVES))
    for ax, (key, title) in zip(axes, CURVES.items()):
        ax.plot(range(1, len(history) + 1), [row[key] for row in history], color="#1b6ca8")
        ax.set(title=title, xlabel="epoch", ylim=(0, None))
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


def main():
    parser = argparse.ArgumentParser()
    shared = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--uiprmd", type=Path, default=shared / "uiprmd_kinect.npz")
    parser.add_argument("--wmft", type=Path, default=shared / "wmft_kinect_s01_s16.npz")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--width", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    trials = [
        *prepared(load_uiprmd_npz(options.uiprmd), "uiprmd22"),
        *prepared(load_wmft_npz(options.wmft), "kinect25"),
    ]
    encoder = PoseSequencePretrainer(
        hidden_size=options.width,
        skeleton="common15",
        lr=1e-3,
        max_epochs=options.epochs,
        random_state=0,
    )
    wall, processor = time.perf_counter(), time.process_time()
    history = encoder.fit(trials).history_
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    epochs = sorted({1, *np.linspace(1, options.epochs, 6).round().astype(int).tolist()})
    rows = [
        {"epoch": epoch, **{key: f"{history[epoch - 1][key]:.3f}" for key in CURVES}}
        for epoch in epochs
    ]
    draw(history, RESULTS / "pretraining_run.png")
    write_report(
        "pretraining_run",
        rows,
        __doc__.split("\n\n    ")[0] + f"\n\nWidth: {options.width}.",
        packages=("torch", "numpy"),
        notes=f"{len(trials):,} sequences of {sum(map(len, trials)):,} frames, "
        f"{len(history)} epochs: **{wall / 60:.1f} minutes**, "
        f"{processor / 60:.1f} of them on the processor (one core; "
        "other programs ran beside it). The curves are in pretraining_run.png.",
    )


if __name__ == "__main__":
    main()
