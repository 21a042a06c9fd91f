"""What one lost key-point in a clip costs: accuracy of the same clips, whole and torn.

Drawn Box-and-Block clips of 30 frames and 17 key-points; small networks learn from whole clips of
two thirds of the patients and are tested on the others': whole; with 1 of their 510 points lost,
marked as readers mark it (NaN, or zero with score zero); and, for comparison, with that point left
at the corner of the picture as if it had been seen there, which is what a network got before lost
points were filled. Every test clip is torn three times, elsewhere. "changed" is the share of torn
clips that are judged otherwise than the whole one.

    python benchmarks/lost_points.py [NETWORK ...]

Networks that are measured already are kept in a .jsonl file beside the table; those that are named
are measured again.
"""

import json
import sys
import time
import warnings

import numpy as np
from _report import RESULTS, read_rows, write_report
from sklearn.model_selection import StratifiedGroupKFold
from strokevision import ALWAYS, MODELS

from skrehab import VideoClassifier
from skrehab.datasets import make_bbt_clips

NETWORKS = ("PoseConv3D", "MotionBERT", "MS-G3D")
MARKS = {
    "lost: NaN": (np.nan, np.nan, 0),
    "lost: zeros": (0, 0, 0),
    "taken as seen at (0, 0)": (0, 0, 1),
}
TIMES = 3


def torn(trials, mark, rng):
    """Copies of trials, each without one point of one frame."""
    copies = []
    for trial in trials:
        copy = np.array(trial)
        copy[rng.randint(copy.shape[0]), rng.randint(copy.shape[1])] = mark
        copies.append(copy)
    return copies


def measure(row, X, y, train, test):
    """Accuracy (%) of whole and torn test clips."""
    _, network, params, epochs, lr = MODELS[row]
    model = VideoClassifier(
        network,
        network_params=ALWAYS.get(row, {}) | params,
        max_epochs=epochs,
        lr=lr,
        batch_size=16,
        class_weight="balanced",
        random_state=0,
    )
    model.fit([X[i] for i in train], y[train])
    trials, truth = [X[i] for i in test], y[test]
    whole = model.predict(trials)
    cells = {"network": row, "whole": f"{100 * (whole == truth).mean():.1f}"}
    for name, mark in MARKS.items():
        rng = np.random.RandomState(0)  # the same points for every mark
        found = np.array([model.predict(torn(trials, mark, rng)) for _ in range(TIMES)])
        cells[name] = f"{100 * (found == truth).mean():.1f}"
        cells[f"changed, {name}"] = f"{100 * (found != whole).mean():.1f}"
    return cells


def main():
    """Train, tear, write."""
    warnings.simplefilter("ignore")
    data = make_bbt_clips(n_patients=12, clips_per_class=5, lazy=True, random_state=0)
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=0)
    train, test = next(splitter.split(data.target, data.target, data.patients))
    kept = RESULTS / "lost_points.jsonl"
    known = dict(read_rows(kept))
    for row in sys.argv[1:] or [name for name in NETWORKS if name not in known]:
        start = time.process_time()
        known[row] = measure(row, data.poses, data.target, train, test)
        known[row]["CPU s"] = round(time.process_time() - start)
        kept.write_text("".join(json.dumps(item) + "\n" for item in known.items()))
        print(known[row], flush=True)
    rows = [known[name] for name in NETWORKS if name in known]
    notes = f"{len(train)} clips to learn from, {len(test)} to test; all figures in %."
    write_report("lost_points", rows, __doc__, packages=("torch", "numpy"), notes=notes)


if __name__ == "__main__":
    main()
