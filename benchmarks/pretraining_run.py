"""One pretraining run on two cores: UI-PRMD, then the Wolf Motor Function Test, no labels.

2,000 repetitions of UI-PRMD, then 720 trials of WMFT with the encoder that came out, both as
positions from the base of the spine through the common 15-joint skeleton, every second frame (15
Hz). Pace and inpainting with the discriminator; 64 units a layer and direction. The learning curves
are means over an epoch, of the training sequences: of the pace (five classes, chance 0.2), of the
reconstruction (mean absolute error in units of body size) and of the discriminator. Target: less
than 20 minutes, and curves that fall.

    python benchmarks/pretraining_run.py [--epochs 40 20] [--width 64]
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from _report import RESULTS, write_report
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from skrehab import PoseSequencePretrainer
from skrehab.datasets import load_uiprmd_npz, load_wmft_npz

SETS = ("UI-PRMD", "WMFT")
CURVES = {"pace": "pace, cross-entropy", "pace_accuracy": "pace, accuracy",
          "reconstruction": "inpainting", "discriminator": "discriminator"}  # fmt: skip


def centred(trial):
    """Positions from the base of the spine in the first frame, at 15 Hz."""
    return (trial[::2] - trial[:1, :1]).astype(np.float32)


def run(data, epochs, width):
    """Pretrain on one data set after the other; seconds of each."""
    encoder = PoseSequencePretrainer(
        hidden_size=width, common_skeleton="common15", lr=1e-3, random_state=0
    )
    seconds = []
    for name, n_epochs in zip(SETS, epochs):
        wall, processor = time.perf_counter(), time.process_time()
        encoder.set_params(max_epochs=n_epochs).partial_fit(data[name])
        seconds.append((time.perf_counter() - wall, time.process_time() - processor))
        print(name, encoder.history_[-1], seconds[-1], flush=True)
    return encoder, seconds


def draw(history, path):
    """Draw the learning curves, one panel a loss."""
    figure = Figure(figsize=(11, 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(CURVES))
    second = next(i for i, row in enumerate(history) if row["stage"] == 1)
    for ax, (key, title) in zip(axes, CURVES.items()):
        ax.plot(range(1, len(history) + 1), [row[key] for row in history], color="#1b6ca8")
        ax.axvline(second + 0.5, color="0.7", linewidth=1)
        ax.set(title=title, xlabel="epoch", ylim=(0, None))
        ax.spines[["top", "right"]].set_visible(False)
    high = axes[0].get_ylim()[1]
    axes[0].text(second + 1, 0.04 * high, "WMFT", color="0.4", fontsize=8)
    axes[0].text(second - 0.5, 0.04 * high, "UI-PRMD", color="0.4", fontsize=8, ha="right")
    figure.savefig(path, dpi=130)


def main():
    parser = argparse.ArgumentParser()
    shared = Path(__file__).parents[2] / "shared" / "data"
    parser.add_argument("--uiprmd", type=Path, default=shared / "uiprmd_kinect.npz")
    parser.add_argument("--wmft", type=Path, default=shared / "wmft_kinect_s01_s16.npz")
    parser.add_argument("--epochs", type=int, nargs=2, default=(40, 20))
    parser.add_argument("--width", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = {
        "UI-PRMD": [centred(trial) for trial in load_uiprmd_npz(options.uiprmd).X],
        "WMFT": [centred(trial) for trial in load_wmft_npz(options.wmft).X],
    }
    encoder, seconds = run(data, options.epochs, options.width)
    rows = []
    for stage, (name, (wall, processor)) in enumerate(zip(SETS, seconds)):
        curve = [row for row in encoder.history_ if row["stage"] == stage]
        rows.append(
            {
                "data": name,
                "sequences": len(data[name]),
                "frames": sum(map(len, data[name])),
                "epochs": len(curve),
                **{key: f"{curve[0][key]:.3f} → {curve[-1][key]:.3f}" for key in CURVES},
                "minutes, wall": f"{wall / 60:.1f}",
                "minutes, processor": f"{processor / 60:.1f}",
            }
        )
    draw(encoder.history_, RESULTS / "pretraining_run.png")
    total = sum(wall for wall, _ in seconds) / 60
    write_report(
        "pretraining_run",
        rows,
        __doc__.split("\n\n    ")[0] + f"\n\nWidth: {options.width}.",
        packages=("torch", "numpy"),
        notes=f"Together {total:.1f} minutes. First → last epoch; the curves are in "
        "pretraining_run.png. Other programs ran on the machine: processor time is the fairer one.",
    )


if __name__ == "__main__":
    main()
