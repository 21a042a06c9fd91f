"""Peak memory of ``VideoClassifier.saliency`` above the fitted model, for every pose network.

Each figure comes from a process of its own: a network of default size on 33 landmarks, fitted for
one epoch on tiny trials, then ``saliency`` with default arguments on one trial or 32. All passes of
a case are of one size, so that the peak stands after the first few: a case is ended after
PASSES passes with a gradient and shows what it had taken until then, with a star; a dash is one
that did not get so far in SECONDS of processor time. Finished networks are kept in a .jsonl file
beside the table (Linux only). Two networks take more than 1 GB for a single row: moment, whose
window is 512 frames of 99 channels whatever the trial's length, and posec3d, whose arrays of one
row take 0.62 GB and whose convolutions take the rest for themselves.

    python benchmarks/saliency_memory.py [NETWORK ...]
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
import warnings

import numpy as np
from _memory import held, peak, restart_peak
from _report import RESULTS, add_rows, read_rows, write_report

SECONDS, PASSES = 120, 6
EARLIER = " +"  # behind the name of a network whose figures are to be measured again
CASES = [(1, 120), (1, 1200), (32, 120), (32, 1200)]


def measure(network, n_trials, n_frames, n_steps=50):
    """Gigabytes that saliency takes at most, above what the process held before."""
    import torch

    from skrehab import VideoClassifier

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    rng = np.random.RandomState(0)

    def trials(n, length):
        return [rng.randn(length, 33, 3).astype(np.float32) * 0.1 for _ in range(n)]

    model = VideoClassifier(network, max_epochs=1, random_state=0).fit(trials(2, 30), [0, 1])
    X = trials(n_trials, n_frames)
    restart_peak()
    before, done, passes = held(), threading.Event(), []
    model.module_.register_forward_hook(
        lambda *_: passes.append(1) if torch.is_grad_enabled() else None
    )

    def report():
        while not done.wait(0.5):
            if len(passes) > PASSES:
                print((peak() - before) / 2**20, "*", flush=True)
                os._exit(0)

    threading.Thread(target=report, daemon=True).start()
    model.saliency(X, n_steps=n_steps)
    done.set()
    return (peak() - before) / 2**20


def main():
    """Measure and write the table."""
    from skrehab import networks

    names = sys.argv[1:] or [n for n in networks.list_networks() if _is_pose(n)]
    kept = RESULTS / "saliency_memory.jsonl"
    rows = read_rows(kept)
    known = {row["network"] for row in rows}
    for name in [name for name in names if name not in known]:
        cells = {f"{n} x {m} frames": one_case(name, n, m) for n, m in CASES}
        rows.append({"network": name} | cells)
        add_rows(kept, rows[-1])
        print(rows[-1], flush=True)
    measured = {row["network"] for row in rows}
    rows = [
        r for r in rows if not r["network"].endswith(EARLIER) or r["network"][:-2] not in measured
    ]
    rows.sort(key=lambda row: row["network"])
    about = __doc__.replace("Peak memory", "Peak memory (GB)", 1)
    shown = {row["network"].removesuffix(EARLIER) for row in rows}
    left = sorted(set(filter(_is_pose, networks.list_networks())) - shown)
    notes = f"Not measured yet: {', '.join(left)}." if left else ""
    if any(row["network"].endswith(EARLIER) for row in rows):
        notes += (
            " Rows marked + were measured earlier, with twice today's budget (2^29 bytes), and "
            "above what training had left behind in the process, not above the model alone."
        )
    write_report("saliency_memory", rows, about, packages=("torch", "numpy"), notes=notes)


def one_case(name, n_trials, n_frames):
    """Run one case in a process of its own; return its cell."""
    command = [sys.executable, __file__, "--one", name, str(n_trials), str(n_frames)]
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as wrong:
        run = subprocess.Popen(command, stdout=said, stderr=wrong, text=True)
        while run.poll() is None:
            time.sleep(0.5)
            if processor_seconds(run.pid) > SECONDS:
                run.kill()
                run.wait()
                return "-"
        said.seek(0), wrong.seek(0)
        if run.returncode:
            return f"failed: {wrong.read().strip().splitlines()[-1][:60]}"
        gigabytes, *star = said.read().split()
        return f"{float(gigabytes):.2f}{''.join(star)}"


def processor_seconds(pid):
    """What a process has used, 0 once it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_pose(name):
    from skrehab import networks

    return networks.get_spec(name).input != "rgb"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        main()
