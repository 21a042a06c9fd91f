"""Clips are decoded batch by batch: a pass over many needs no more memory than over a few."""

import media
from memory import PEAK, needs_linux


@needs_linux
def test_a_pass_over_many_files_needs_no_more_memory(tmp_path, run_python):
    """Peak memory of the process, with what PyAV takes, which Python's own count does not see."""
    path = media.write_video(tmp_path / "clip.mp4", media.noise(24, 160, 240))
    code = """
import sys
from types import SimpleNamespace
import numpy as np, torch
from skrehab.training.batching import Batches, Samples
from skrehab.training.clips import collate_clips
recipe = SimpleNamespace(n_frames=16, stride=None, resize=64, crop=64, antialias=False, motion=None)
recipe.mean, recipe.std = (0.5,) * 3, (1.0,) * 3
collate = lambda batch: collate_clips(batch, recipe)

def peak_mb(n):
    samples = Samples([sys.argv[1]] * n, np.zeros(n), collate=collate)
    batches = Batches(samples, 4, torch.Generator())
    assert sum(len(inputs["x"]) for inputs, _ in batches) == n
    return peak_kib() / 1024

few = peak_mb(24)
print(peak_mb(240) - few)
"""
    grown = float(run_python(PEAK + code, path))
    # 360 clips as arrays are 663 MB, prepared 283 MB; the allocator settles a little later
    assert grown < 70
