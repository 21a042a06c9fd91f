"""What self-supervised pre-training costs as sequences get longer and the encoder wider.

One step of `PoseSequencePretrainer` with its default objective (pace and inpainting with the
discriminator): forward, backward with the routed gradients, Adam; batches of random walks of 15
landmarks in 3-D, all of one length. Each setting runs in a process of its own with one torch
thread. Seconds are those of the processor, which others at work do not lengthen: the median of
the repeats after the first, divided by the batch, and per thousand frames; memory is the growth
of the process's peak over the built network, its gradients and Adam's moments, divided by the
batch. The last column says what 300 epochs over UI-PRMD and WMFT (2,720 sequences, 353,000
frames) would take on that one core.

    python benchmarks/pretraining_cost.py [--lengths 75 ...] [--widths 64 ...] [--batch 8]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from _report import write_report

LENGTHS = (75, 150, 300, 743)
WIDTHS = (64, 128, 256, 512, 1000)
BOTH_SETS = 151_158 + 201_756  # frames of UI-PRMD and WMFT
ENOUGH = 3.0  # seconds of repeats; a step that takes longer is run twice


def peak_mib():
    """Peak memory of this process so far, in MiB."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure(length, width, batch_size):
    """Measure one setting; runs in a process of its own."""
    import numpy as np
    import torch

    from skrehab.pretraining.network import PretextNetwork, collate_views
    from skrehab.pretraining.tasks import view
    from skrehab.skeletons import get_skeleton

    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    limbs = list(get_skeleton("common15").limbs.values())
    network = PretextNetwork(15, 3, hidden_size=width)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-4)

    def step(n_frames):
        trials = [
            np.tanh(rng.standard_normal((n_frames, 15, 3)).cumsum(axis=0) / 10).astype(np.float32)
            for _ in range(batch_size)
        ]
        start = time.process_time()
        batch = collate_views([view(one, "pace+inpaint", rng, limbs=limbs) for one in trials])
        optimizer.zero_grad()
        network.backward(network.losses(batch))
        optimizer.step()
        return time.process_time() - start

    step(2)  # gradients and moments are there from now on
    before = peak_mib()
    times = [step(length)]  # the first allocates
    while len(times) < 3 or (sum(times) < ENOUGH and len(times) < 8):
        times.append(step(length))
        if sum(times) > 4 * ENOUGH and len(times) > 1:
            break
    result = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "encoder": sum(p.numel() for p in network.encoder.parameters()),
        "seconds": statistics.median(times[1:]) / batch_size,
        "mib": (peak_mib() - before) / batch_size,
    }
    print(json.dumps(result))


def row(length, width, batch_size):
    """Run one setting in a fresh process and lay its figures out."""
    settings = ["--measure", str(length), str(width), str(batch_size)]
    run = subprocess.run([sys.executable, __file__, *settings], capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{length} frames, width {width}: {run.stderr.strip()}")
    got = json.loads(run.stdout.splitlines()[-1])
    per_frame = got["seconds"] / length
    return {
        "frames": length,
        "hidden_size": width,
        "parameters of the encoder, M": f"{got['encoder'] / 1e6:.2f}",
        "of all networks, M": f"{got['parameters'] / 1e6:.2f}",
        "ms a sequence and step": f"{1e3 * got['seconds']:.1f}",
        "ms a thousand frames": f"{1e6 * per_frame:.0f}",
        "MiB a sequence": f"{got['mib']:.1f}",
        "300 epochs, hours": f"{300 * BOTH_SETS * per_frame / 3600:.1f}",
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    parser.add_argument("--widths", nargs="+", type=int, default=WIDTHS)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--dry", action="store_true", help="print the table, write nothing")
    parser.add_argument("--measure", nargs=3, type=int)
    options = parser.parse_args()
    if options.measure:
        return measure(*options.measure)

    rows = []
    for width in options.widths:
        for length in options.lengths:
            rows.append(row(length, width, options.batch))
            print(rows[-1], file=sys.stderr)
    if not options.dry:
        about = f"{__doc__.split(chr(10) + chr(10) + '    ')[0]}\n\nBatch: {options.batch}."
        write_report("pretraining_cost", rows, about, packages=("torch", "numpy"))


if __name__ == "__main__":
    main()
