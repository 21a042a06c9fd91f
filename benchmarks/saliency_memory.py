"""Peak memory of ``VideoClassifier.saliency`` above the fitted model, for every pose network.

Each figure comes from a process of its own: a network of default size on 33 landmarks, fitted for
one epoch on tiny trials, then ``saliency`` with default arguments on one trial or 32. All passes of
a case are of one size, so that the peak stands after the first few: a case that is not done within
SECONDS is ended and shows what it had taken until then, with a star, if at least three passes with
a gradient were done; else a dash. Run without arguments to print the table, or with names of
networks (Linux only).
"""

import subprocess
import sys
import tempfile
import threading
import warnings

import numpy as np

SECONDS = 150
CASES = [(1, 120), (1, 1200), (32, 120), (32, 1200)]


def status(key):
    """Kilobytes of this process, by the name that the kernel gives them."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key))


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
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak counts from here
    before, done, passes = status("VmRSS"), threading.Event(), []
    model.module_.register_forward_hook(
        lambda *_: passes.append(1) if torch.is_grad_enabled() else None
    )

    def report():
        while not done.wait(2):
            if len(passes) > 3:  # the fourth has begun to go back
                print((status("VmHWM") - before) / 2**20, flush=True)

    threading.Thread(target=report, daemon=True).start()
    model.saliency(X, n_steps=n_steps)
    done.set()
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
            with tempfile.TemporaryFile("w+") as said:
                run = subprocess.Popen(command, stdout=said, stderr=said, text=True)
                try:
                    star = "" if run.wait(SECONDS) == 0 else " (failed)"
                except subprocess.TimeoutExpired:
                    run.kill()
                    run.wait()
                    star = "*"
                said.seek(0)
                last = (said.read().split("\n")[:-1] or ["-"])[-1]
            cells.append(
                last[:60] + star
                if star == " (failed)"
                else f"{float(last):.2f}{star}"
                if last != "-"
                else "-"
            )
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _is_pose(name):
    from skrehab import networks

    return networks.get_spec(name).input != "rgb"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        main()
