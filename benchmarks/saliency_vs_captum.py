"""Time and peak memory of skrehab's integrated gradients against captum's, in one run.

All attribute the same trained network on the same batch (16 synthetic trials of 120 frames, 33
landmarks in 3-D). captum runs with its defaults (50 Gauss-Legendre points, all in one pass), and
with internal batches of 64 rows, as it should where memory counts. Ours runs with
``n_steps="auto"``: at its default tolerance of 0.01, and, where captum converged (its largest error
is under 0.05), until no trial's completeness error is above captum's (but at least 1e-5, where a
float32 sum over 11,880 attributions ends); and with 50 points. Errors are the largest over trials,
relative to the logit gained, or to one logit where that is less. Each measurement has a process of
its own; orders are interleaved, medians reported, in seconds of processor time. Memory is the most
that the process holds during the attribution, above what it held before, with what earlier work
left behind given back. Targets: at an error of 0.01 half of captum's time, and no more memory than
captum in batches.

    python benchmarks/saliency_vs_captum.py [NETWORK ...] [--repeats 3]

Rows are kept in a .jsonl file beside the table, network by network.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

from _memory import held, peak, restart_peak
from _report import RESULTS, read_rows, write_report

NETWORKS = ("lstm", "act", "mil_tcn")
CONVERGED = 0.05
N_TRIALS, N_FRAMES = 16, 120


def make_trials(n_trials):
    """Synthetic patients, as the networks would get them: moved, smoothed, scaled, 120 frames."""
    from skrehab import DisplacementSmoother, LandmarkScaler
    from skrehab.datasets import make_rehab_trials

    data = make_rehab_trials(12, 2, frame_rate=25, random_state=0)
    long_enough = [i for i, trial in enumerate(data.X) if len(trial) >= N_FRAMES][:n_trials]
    moved = DisplacementSmoother().fit_transform([data.X[i] for i in long_enough])
    scaled = LandmarkScaler().fit_transform(moved)
    return [trial[-N_FRAMES:] for trial in scaled], data.y[long_enough]


def train(network, folder):
    """Train until the network decides, so that the path is as curved as in real use."""
    import skrehab

    classifier = skrehab.VideoClassifier(network, max_epochs=15, random_state=0)
    skrehab.save(classifier.fit(*make_trials(96)), folder)


def measure(folder, who):
    """Run one attribution; print seconds, added peak memory and completeness error."""
    import torch
    from captum.attr import IntegratedGradients

    import skrehab
    from skrehab.saliency import integrated_gradients
    from skrehab.training.batching import pad_trials

    torch.set_num_threads(1)
    module = skrehab.load(folder).module_
    x, lengths = pad_trials(make_trials(N_TRIALS)[0])
    target = torch.ones(N_TRIALS, dtype=torch.int64)

    def attribute(x, lengths, target):
        if who.startswith("captum"):
            explainer = IntegratedGradients(lambda x, lengths: module(x, lengths)[:, 0])
            at_once = 64 if who == "captum64" else None
            return explainer.attribute(
                x, additional_forward_args=(lengths,), internal_batch_size=at_once
            ), 50
        tol = float(who.removeprefix("equal")) if who.startswith("equal") else 0.01
        steps = 50 if who == "50" else "auto"
        values, _, used = integrated_gradients(module, x, lengths, target, n_steps=steps, tol=tol)
        return values, int(used.max())

    attribute(x[:1, :4], torch.tensor([4]), target[:1])  # warm up
    restart_peak()
    before = held()
    start = time.process_time()
    values, used = attribute(x, lengths, target)
    seconds = time.process_time() - start
    added = peak() - before
    with torch.no_grad():
        gain = (module(x, lengths) - module(torch.zeros_like(x), lengths))[:, 0]
    error = ((values.flatten(1).sum(1) - gain).abs() / gain.abs().clamp(min=1)).max().item()
    result = {"seconds": seconds, "mb": added / 1024, "error": error, "steps": used}
    print(json.dumps(result))


def run(folder, who):
    """Measure in a fresh process."""
    command = [sys.executable, __file__, "--measure", folder, who]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(out.stdout.strip().splitlines()[-1])


def main(networks, repeats):
    """Measure networks, write the table of all that were measured."""
    kept = RESULTS / "saliency_vs_captum.jsonl"
    known = dict(read_rows(kept))
    for network in networks or NETWORKS:
        rows = []
        with tempfile.TemporaryDirectory() as temporary:
            folder = f"{temporary}/model"
            train(network, folder)
            reached = run(folder, "captum")["error"]
            names = {
                "captum": "captum, 50 points",
                "captum64": "captum, 50 points, batches of 64",
                "auto": "skrehab, auto, tol 0.01 (default)",
                "50": "skrehab, 50 points",
            }
            if reached < CONVERGED:
                equal = f"equal{max(reached, 1e-5):.3g}"
                names[equal] = f"skrehab, auto, error <= {equal[5:]} (captum's)"
            runs = {who: [] for who in names}
            for _ in range(repeats):
                for who in names:
                    runs[who].append(run(folder, who))

        def median(who, key, runs=runs):
            return statistics.median(result[key] for result in runs[who])

        for who, name in names.items():
            rows.append(
                {
                    "network": network,
                    "method": name,
                    "points": runs[who][0]["steps"],
                    "completeness error": f"{runs[who][0]['error']:.1e}",
                    "seconds": f"{median(who, 'seconds'):.2f}",
                    "time / captum": f"{median(who, 'seconds') / median('captum', 'seconds'):.2f}",
                    "time / captum in batches": (
                        f"{median(who, 'seconds') / median('captum64', 'seconds'):.2f}"
                    ),
                    "target of time": "0.5" if who == "auto" else "",
                    "added MB": f"{median(who, 'mb'):.0f}",
                    "memory / captum in batches": (
                        f"{median(who, 'mb') / max(1, median('captum64', 'mb')):.2f}"
                    ),
                    "target of memory": "1.0" if who == "auto" else "",
                    "runs": repeats,
                }
            )
        known[network] = rows
        kept.write_text("".join(json.dumps([key, value]) + "\n" for key, value in known.items()))
    rows = [row for network in NETWORKS for row in known.get(network, [])]
    write_report("saliency_vs_captum", rows, __doc__, packages=("torch", "captum", "numpy"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--measure", nargs=2, help="internal: folder and method")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    measure(*arguments.measure) if arguments.measure else main(
        arguments.networks, arguments.repeats
    )
