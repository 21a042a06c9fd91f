"""What each network costs: parameters, time and memory of a batch, at its default size.

Pose networks get 16 trials of 120 frames and 33 landmarks in 3-D; networks over RGB frames get two
clips of their own recipe; a few get smaller batches, for memory. Each is measured in a process of
its own with one torch thread: the median of the repeats for a forward pass and for a training step
(forward and backward), in milliseconds of processor time a trial, since other work shares the
machine; and the growth of the process's peak memory over the built network.

    python benchmarks/networks.py [--only NAME ...]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

from _report import write_report

# a batch of 16 would need more memory than the machine has, or minutes
BATCH = {"moment": 1, "motionbert": 4, "posec3d": 2, "msg3d": 4, "hdgcn": 4, "stgcnpp": 8}
FRAMES, LANDMARKS = 120, 33
QUICK = 1.0  # seconds; a pass that takes longer is measured once


def peak_mib():
    """Peak memory of this process so far, in MiB."""
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure(name):
    """Measure one network; runs in a process of its own."""
    import torch

    from skrehab import networks

    torch.set_num_threads(1)
    torch.manual_seed(0)
    spec = networks.get_spec(name)
    if spec.input == "pose":
        batch = BATCH.get(name, 16)
        network = networks.build(name, n_landmarks=LANDMARKS, n_coords=3, n_outputs=2)
        inputs = {"x": torch.randn(batch, FRAMES, LANDMARKS, 3)}
    else:
        batch = 2  # some normalise over the batch
        network = networks.build(name, n_outputs=2)
        size = (network.clip.crop,) * 2 if isinstance(network.clip.crop, int) else network.clip.crop
        inputs = {"x": torch.randn(batch, 3, network.clip.n_frames, *size)}
    built = peak_mib()

    def forward():
        with torch.inference_mode():
            network.eval()(**inputs)

    def step():
        network.train()
        network.zero_grad()
        network(**inputs).square().sum().backward()

    result = {"batch": batch, "parameters": sum(p.numel() for p in network.parameters())}
    for key, run in (("forward", forward), ("step", step)):
        times = []
        while len(times) < 4 and sum(times) < QUICK:
            start = time.process_time()
            run()
            times.append(time.process_time() - start)
        # the first pass allocates
        result[key] = 1000 * statistics.median(times[1:] or times) / batch
        result[f"{key}_mib"] = peak_mib() - built
    print(json.dumps(result))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--measure")
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure)

    from skrehab import networks

    rows = []
    for name in options.only or networks.list_networks():
        run = subprocess.run(
            [sys.executable, __file__, "--measure", name], capture_output=True, text=True
        )
        if run.returncode:
            print(f"{name}: {run.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            continue
        got = json.loads(run.stdout.splitlines()[-1])
        rows.append(
            {
                "network": name,
                "input": networks.get_spec(name).input,
                "parameters": f"{got['parameters']:,}",
                "batch": got["batch"],
                "forward, ms a trial": f"{got['forward']:.1f}",
                "forward + backward, ms a trial": f"{got['step']:.1f}",
                "peak memory forward, MiB": f"{got['forward_mib']:.0f}",
                "peak memory training, MiB": f"{got['step_mib']:.0f}",
            }
        )
        print(rows[-1], file=sys.stderr)
    write_report("networks", rows, __doc__.split("\n\n    ")[0], packages=("torch", "numpy"))


if __name__ == "__main__":
    main()
