"""What a study costs: time and memory against patients, trials and frames, and 1,000 patients.

One fit of the recommended pipeline (one teacher, three epochs for each of its two networks) and the
scores of one held-out patient, on random poses of 33 landmarks. Each row is a process of its own:
processor seconds, and peak memory above what it held after the imports, before the data. The model
under the table is a line through all rows: seconds = a + b x frames trained on (epochs x frames),
and memory = a + b x data + c x frames of a trial, since batches are of whole trials. Finished rows
are kept in a .jsonl file beside the table.

    python benchmarks/scaling.py [--quick]
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings

import numpy as np
from _memory import held, peak, restart_peak
from _report import RESULTS, add_rows, markdown_table, read_rows, write_report

BASE = {"patients": 16, "trials": 12, "frames": 120}
ROWS = [
    BASE,
    *({**BASE, "patients": n} for n in (8, 32, 64)),
    *({**BASE, "trials": n} for n in (24, 48)),
    *({**BASE, "frames": n} for n in (240, 480)),
]
EPOCHS = 3
# what the model is asked about: like SERE at 10 Hz, 28 trials of 15 seconds
LIKE_SERE = {"trials": 28, "frames": 150}


def measure(patients, trials, frames):
    """Seconds and megabytes of one fold."""
    import torch

    from skrehab.recipes import recommended

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rng = np.random.RandomState(0)
    pipe = recommended(
        "mediapipe33", n_teachers=1, frame_rate=10, max_epochs=EPOCHS, random_state=0
    )
    tiny = [rng.randn(9, 33, 3).astype(np.float32) for _ in range(4)]
    pipe.fit(tiny, [0, 1, 0, 1])  # imports, and what is made once
    restart_peak()
    before = held()
    n = patients * trials
    X = [np.cumsum(0.02 * rng.randn(frames, 33, 3), axis=0).astype(np.float32) for _ in range(n)]
    y, groups = np.arange(n) % 2, np.arange(n) // trials
    start = time.process_time()
    pipe.fit(X[trials:], y[trials:], groups=groups[trials:])
    fitted = time.process_time()
    pipe.predict_proba(X[:trials])
    return {
        "fit, s": fitted - start,
        "predict, s": time.process_time() - fitted,
        "peak, MB": (peak() - before) / 1024,
        "data, MB": sum(x.nbytes for x in X) / 2**20,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="four rows only")
    parser.add_argument("--one", help="a row as JSON; prints what was measured")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(**json.loads(given.one))))
        return
    kept = RESULTS / "scaling.jsonl"
    done = read_rows(kept)
    found = []
    for row in ROWS[:4] if given.quick else ROWS:
        if have := [one["found"] for one in done if one["row"] == row]:
            found.append(have[0])
            continue
        said = subprocess.run(
            [sys.executable, __file__, "--one", json.dumps(row)], stdout=subprocess.PIPE,
            text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        found.append(json.loads(said.stdout.splitlines()[-1]))
        print(row, found[-1], flush=True)
        add_rows(kept, {"row": row, "found": found[-1]})
    trained = np.array([EPOCHS * (r["patients"] - 1) * r["trials"] * r["frames"] for r in ROWS])
    trained = trained[: len(found)]
    seconds = np.array([one["fit, s"] for one in found])
    slope, start = np.polyfit(trained, seconds, 1)
    off = np.abs(start + slope * trained - seconds) / seconds
    table = [
        {**row, "data, MB": f"{one['data, MB']:.1f}", "fit, s": f"{one['fit, s']:.1f}",
         "by the model, s": f"{start + slope * t:.1f}", "predict, s": f"{one['predict, s']:.2f}",
         "peak memory, MB": f"{one['peak, MB']:.0f}"}
        for row, one, t in zip(ROWS, found, trained)
    ]  # fmt: skip
    causes = np.array([[1, o["data, MB"], r["frames"]] for r, o in zip(ROWS, found)])
    peaks = np.array([o["peak, MB"] for o in found])
    grown = np.linalg.lstsq(causes, peaks, rcond=None)[0]
    memory_off = np.abs(causes @ grown - peaks) / peaks
    from skrehab.training.schedules import enough_epochs

    costs = []
    for patients in (18, 100, 1000):
        n = patients * LIKE_SERE["trials"]
        epochs = enough_epochs(n, 32)
        fit = start + slope * epochs * n * LIKE_SERE["frames"]
        megabytes = n * LIKE_SERE["frames"] * 33 * 3 * 4 / 2**20
        costs.append(
            {
                "patients": patients, "trials": n, "epochs": epochs,
                "one fit, min": f"{fit / 60:.1f}",
                "ten folds, h": f"{10 * fit / 3600:.1f}",
                "one patient out, h": f"{patients * fit / 3600:.1f}",
                "data, MB": f"{megabytes:.0f}",
                "memory a worker, GB": f"{grown @ [1, megabytes, LIKE_SERE['frames']] / 1024:.1f}",
            }
        )  # fmt: skip
    notes = (
        f"The line: {start:.1f} s + {1e6 * slope:.0f} s a million frames trained on; the rows "
        f"differ from it by {100 * off.mean():.0f} % on average, {100 * off.max():.0f} % at most. "
        f"Memory: {grown[0]:.0f} MB + {grown[1]:.1f} times the data + {grown[2]:.2f} MB a frame of "
        f"a trial ({100 * memory_off.mean():.0f} % off on average); each worker holds the data "
        "once.\n\n"
        f"By these lines, with one core, {LIKE_SERE['trials']} trials of {LIKE_SERE['frames']} "
        "frames a patient, one teacher, and the epochs that the recipe chooses (extrapolated, not "
        "run):\n\n" + markdown_table(costs)
    )
    write_report("scaling", table, __doc__, packages=("torch", "scikit-learn"), notes=notes)


if __name__ == "__main__":
    main()
