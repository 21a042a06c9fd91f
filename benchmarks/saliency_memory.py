"""Peak memory of ``VideoClassifier.saliency`` above the fitted model, for every pose network.

Each figure comes from a process of its own: a network of default size on 33 landmarks, fitted for
one epoch on tiny trials, then ``saliency`` with default arguments on one trial or 32. Where there
are 32 the path has 4 points in the place of 50: rows in a pass are bounded, so that more points
take more time and no more memory. Run without arguments to print the table (Linux only).
"""

import json
import subprocess
import sys
import warnings

import numpy as np

CASES = [(1, 120), (1, 1200), (32, 120), (32, 1200)]


def status(key):
    """Kilobytes of this process, by the name that the kernel gives them."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


def measure(network, n_trials, n_frames):
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
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak counts from here
    before = status("VmRSS")
    model.saliency(X, n_steps=50 if n_trials == 1 else 4)
    return (status("VmHWM") - before) / 2**20


def main():
    """Print one line a network; a case that takes more than its time says so."""
    from skrehab import networks

    names = sys.argv[1:] or [n for n in networks.list_networks() if _is_pose(n)]
    print("| network | " + " | ".join(f"{n} x {m}" for n, m in CASES) + " |", flush=True)
    print("|" + "---|" * (1 + len(CASES)), flush=True)
    for name in names:
        cells = []
        for n_trials, n_frames in CASES:
            command = [sys.executable, __file__, "--one", name, str(n_trials), str(n_frames)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=600)
                cells.append(
                    f"{json.loads(done.stdout):.2f}"
                    if done.returncode == 0
                    else done.stderr.strip().splitlines()[-1][:60]
                )
            except subprocess.TimeoutExpired:
                cells.append("> 600 s")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _is_pose(name):
    from skrehab import networks

    return networks.get_spec(name).input != "rgb"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
    else:
        main()
