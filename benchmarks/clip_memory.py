"""Memory of a pass over many RGB clips that are decoded, or drawn, when a batch needs them.

Each row is a process of its own that goes once, shuffled, through n clips in batches of 16, as
training does, with one thread that prepares the next batch. Files: small videos of 32 frames, of
which 8 are read, as many paths as clips. Drawn: the lazy clips of make_exercise_clips, 4 frames.
"start" is the peak before the first batch, with all paths, or all lazy clips and their key-points,
made; "added" is what the pass adds to it. Target: 15,000 clips add no more than 100.

    python benchmarks/clip_memory.py [--clips 15000]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from _report import write_report

N_FILES = 20  # different ones; further paths are links to them
SOURCES = ("files", "drawn")


def write_files(folder, n):
    """Write videos of moving blocks, and link to them until there are n paths."""
    import av

    rng = np.random.RandomState(0)
    for k in range(min(N_FILES, n)):
        blocks = (
            rng.randint(0, 255, (8, 8, 3)).astype(np.uint8).repeat(12, axis=0).repeat(12, axis=1)
        )
        with av.open(str(folder / f"{k}.mp4"), "w") as out:
            stream = out.add_stream("libx264", rate=30)
            stream.width = stream.height = 96
            stream.pix_fmt, stream.options = "yuv420p", {"preset": "ultrafast"}
            for i in range(32):
                frame = av.VideoFrame.from_ndarray(np.roll(blocks, 3 * i, axis=1), format="rgb24")
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    for k in range(N_FILES, n):
        os.link(folder / f"{k % N_FILES}.mp4", folder / f"{k}.mp4")
    return [folder / f"{k}.mp4" for k in range(n)]


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(source, n, n_workers, folder):
    """Go through n clips once and print what it took."""
    import torch

    from skrehab.datasets.exercise_clips import make_exercise_clips
    from skrehab.training.batching import Batches, Samples
    from skrehab.training.clips import collate_clips, read_clip

    torch.set_num_threads(1)
    recipe = SimpleNamespace(
        n_frames=8 if source == "files" else 4, stride=None, resize=64, crop=64, antialias=False,
        mean=(0.5,) * 3, std=(0.25,) * 3,
    )  # fmt: skip
    if source == "files":
        clips = write_files(Path(folder), n)
    else:
        # persons enough, each doing 15 activities
        names = ["squats", "lunges", "deadlifts", "marching", "side bends"]
        each = max(1, n // (len(names) * 50))
        persons = -(-n // (len(names) * each))
        data = make_exercise_clips(persons, each, activities=names, image_size=64, random_state=0)
        clips = [x["rgb"] for x in data.X][:n]
    read_clip(clips[0], recipe.n_frames)  # decoders and fonts are loaded once
    samples = Samples(clips, np.zeros(n), collate=lambda batch: collate_clips(batch, recipe))
    batches = Batches(samples, 16, torch.Generator().manual_seed(0), n_workers)
    start, began, used = peak_mb(), time.perf_counter(), time.process_time()
    seen = sum(len(inputs["x"]) for inputs, _ in batches)
    assert seen == n
    took, cpu = time.perf_counter() - began, time.process_time() - used
    print(json.dumps([start, peak_mb() - start, took, cpu]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=15_000)
    parser.add_argument("--child", nargs=3)
    arguments = parser.parse_args()
    if arguments.child:
        source, n, n_workers = arguments.child
        with tempfile.TemporaryDirectory() as folder:
            measure(source, int(n), int(n_workers), folder)
        return
    rows = []
    for source in SOURCES:
        for n in (100, arguments.clips):
            command = [sys.executable, __file__, "--child", source, str(n), "1"]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode:
                raise SystemExit(done.stderr)
            start, added, took, cpu = json.loads(done.stdout.splitlines()[-1])
            rows.append(
                {
                    "clips": source,
                    "number": n,
                    "start, MB": f"{start:.0f}",
                    "added, MB": f"**{added:.0f}**",
                    "ms a clip, wall": f"{1000 * took / n:.1f}",
                    "ms a clip, processor": f"{1000 * cpu / n:.1f}",
                }
            )
            print(rows[-1], flush=True)
    notes = (
        "All clips as arrays would take, at 32 frames of 96 pixels, "
        f"{arguments.clips * 32 * 96 * 96 * 3 / 1e9:.0f} GB; at 224 pixels "
        f"{arguments.clips * 32 * 224 * 224 * 3 / 1e9:.0f} GB. The drawn clips' start holds their "
        f"key-points, {arguments.clips * 32 * 17 * 3 * 4 / 1e6:.0f} MB at {arguments.clips} clips. "
        "Other programs ran on the machine; processor times are the ones to compare."
    )
    write_report("clip_memory", rows, __doc__.partition("\n\n    python")[0],
                 packages=("numpy", "torch", "av"), notes=notes)  # fmt: skip


if __name__ == "__main__":
    main()
