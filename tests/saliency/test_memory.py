"""Saliency within a memory budget: the same numbers, fewer rows at once, and a peak that stays."""

import os
import pathlib
import subprocess
import sys

import instances
import numpy as np
import pytest
import torch
from small_networks import seeded

from skrehab.networks import build
from skrehab.saliency import explain, integrated_gradients, vanilla_gradient
from skrehab.saliency.memory import MEMORY, counting, rows_within

RNG = np.random.RandomState(0)
TRIALS = [RNG.randn(n, 33, 3).astype(np.float32) * 0.1 for n in (12, 30, 7, 25, 18)]


def small(row):
    return seeded(build, row.name, n_landmarks=33, n_coords=3, n_outputs=1, **row.tiny)


POSE = [row for row in instances.NETWORKS if row.input != "rgb" and not row.package]


@pytest.mark.parametrize("row", POSE, ids=[row.name for row in POSE])
@pytest.mark.parametrize(
    "how", [{"n_steps": 5}, {"n_steps": "auto"}, {"method": "vanilla_gradient"}], ids=str
)
def test_the_same_numbers_row_by_row(row, how):
    """One row at a time, and all that the default allows: only rounding differs.

    Rounding moves single numbers of a network with ReLU and max by much, the map as a whole by
    little; a trial that took another's gradient would differ by as much as it is large.
    """
    module = small(row)
    many = explain(module, TRIALS, None, normalize=False, **how)
    one = explain(module, TRIALS, None, normalize=False, memory=1, **how)
    for a, b in zip(one.maps, many.maps):
        assert np.linalg.norm(a - b) < 1e-2 * np.linalg.norm(b)
    np.testing.assert_array_equal(one.n_steps, many.n_steps)


class Rows(torch.nn.Module):
    """Notes how many rows come, and takes a known amount of memory for each."""

    def __init__(self, numbers):
        super().__init__()
        self.numbers, self.seen = numbers, []

    def forward(self, x, lengths=None):
        self.seen.append(len(x))
        level = x.flatten(1).mean(1, keepdim=True)
        wide = level.expand(-1, self.numbers) * 1.0
        return wide.sin().mean(1, keepdim=True)  # keeps wide: 4 bytes a number


def test_rows_follow_from_what_one_takes():
    x, lengths = torch.zeros(40, 3, 2, 3), torch.full((40,), 3)
    few, many = Rows(10**6), Rows(10**3)
    # two or three arrays of a million float32 are there at once
    assert 2 <= MEMORY // 4 // 10**6 / rows_within(few, x, lengths, 10**6) <= 5
    assert rows_within(many, x, lengths, 64) == 64
    assert rows_within(few, x, lengths, 64, memory=1) == 1
    assert rows_within(few, x, lengths, 64, memory=None) == 64


@pytest.mark.parametrize("n_steps", [50, "auto"])
def test_no_pass_has_more_rows_than_fit(n_steps):
    module, memory = Rows(10**5), 5 * 10**6
    trials = [np.ones((4, 2, 3), np.float32)] * 30
    explain(module, trials, None, n_steps=n_steps, memory=memory)
    assert 1 < max(module.seen) <= memory // (2 * 4 * 10**5)


def test_what_is_computed_again_on_the_way_back_is_counted():
    """A network that keeps nothing and computes all of it again takes as much on the way back."""
    from torch.utils.checkpoint import checkpoint

    def wide(x):
        return (x.flatten(1).mean(1, keepdim=True).expand(-1, 10**6) * 1.0).sin().sin().mean(1)

    peaks = []
    for run in (wide, lambda x: checkpoint(wide, x, use_reentrant=False)):
        x = torch.ones(1, 3, 2, 3, requires_grad=True)
        with counting() as found:
            torch.autograd.grad(run(x).sum(), x)
        peaks.append(found.n_bytes)
    assert peaks[1] > 0.7 * peaks[0] > 4 * 10**6


def test_pure_functions_take_a_budget():
    module = Rows(10**5)
    x, lengths, target = torch.ones(20, 4, 2, 3), torch.full((20,), 4), torch.ones(20).long()
    plain = vanilla_gradient(module, x, lengths, target)
    module.seen.clear()
    torch.testing.assert_close(vanilla_gradient(module, x, lengths, target, memory=1), plain)
    assert set(module.seen) == {1}
    found, _, _ = integrated_gradients(module, x, lengths, target, memory=1)
    torch.testing.assert_close(found, integrated_gradients(module, x, lengths, target)[0])


@pytest.mark.skipif(not pathlib.Path("/proc/self/clear_refs").exists(), reason="needs Linux")
def test_the_peak_of_a_long_trial_is_bounded():
    """A trial of 5,000 frames took 3.7 GB through an LSTM of default size."""
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import saliency_memory
print(saliency_memory.measure("lstm", 1, 5000, n_steps=16))
"""
    benchmarks = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
    done = subprocess.run(
        [sys.executable, "-c", code, str(benchmarks)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[0]) < 1  # a star behind it: the rest of the passes was spared
