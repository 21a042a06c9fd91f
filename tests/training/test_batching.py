"""Padding, ordering by length, and batches that neither lose nor repeat a sample."""

import gc
import pathlib
import threading
import time
import tracemalloc

import numpy as np
import pytest
import torch

from skrehab.training import batching
from skrehab.training.batching import (
    Batches,
    Samples,
    iterate_by_length,
    pad_trials,
    prefetch,
)


def trials(*lengths):
    """Trials that hold their own number in every cell."""
    return [np.full((n, 2, 3), i + 1, dtype=np.float32) for i, n in enumerate(lengths)]


def test_padding_is_zero_and_behind():
    x, lengths = pad_trials(trials(2, 5, 1))
    assert x.shape == (3, 5, 2, 3) and x.dtype == torch.float32
    assert lengths.tolist() == [2, 5, 1] and lengths.dtype == torch.int64
    for i, n in enumerate([2, 5, 1]):
        assert (x[i, :n] == i + 1).all() and (x[i, n:] == 0).all()


def test_lost_landmarks_become_zero_in_the_batch_only():
    lost = np.full((3, 2, 3), np.nan, dtype=np.float32)
    x, _ = pad_trials([lost])
    assert (x == 0).all() and np.isnan(lost).all()


def test_batches_by_length_hold_each_trial_once():
    lengths = [9, 2, 7, 2, 30, 1]
    seen = []
    longest = []
    for index, x, n in iterate_by_length(trials(*lengths), 4):
        assert len(index) <= 4 and x.shape[1] == n.max()
        for row, i in enumerate(index):
            assert (x[row, 0] == i + 1).all() and n[row] == lengths[i]
        seen += index.tolist()
        longest.append(int(n.max()))
    assert sorted(seen) == list(range(6))
    assert longest == [7, 30]  # short trials together


@pytest.mark.parametrize("as_frames", [True, False])
@pytest.mark.parametrize("generator", [None, torch.Generator()])
def test_every_sample_once_an_epoch(as_frames, generator):
    if generator is not None:
        generator.manual_seed(0)
    inputs = torch.arange(10.0)[:, None] if as_frames else trials(*range(1, 11))
    samples = Samples(inputs, np.arange(10), np.arange(10) / 10)
    batches = Batches(samples, 4, generator)
    assert len(samples) == 10 and len(batches) == 3
    first, second = list(batches), list(batches)
    assert [len(target) for _, (target, _) in first] == [4, 4, 2]  # the small last one stays
    order = torch.cat([target for _, (target, _) in first]).tolist()
    assert sorted(order) == list(range(10))
    again = torch.cat([target for _, (target, _) in second]).tolist()
    if generator is None:
        assert order == again == list(range(10))
    else:
        assert order != list(range(10)) and order != again
    for batch, (target, weight) in first:
        torch.testing.assert_close(weight, target / 10)
        if as_frames:
            torch.testing.assert_close(batch[:, 0], target.float())
        else:
            assert (batch["lengths"] == target + 1).all()
            torch.testing.assert_close(batch["x"][:, 0, 0, 0], target.float() + 1)


def test_shuffling_draws_from_its_own_generator():
    samples = Samples(torch.arange(20.0)[:, None], np.arange(20))

    def order(global_seed):
        with torch.random.fork_rng():
            torch.manual_seed(global_seed)
            before = torch.get_rng_state()
            batches = list(Batches(samples, 6, torch.Generator().manual_seed(3)))
            assert torch.equal(torch.get_rng_state(), before)
        return torch.cat([target for _, (target, _) in batches]).tolist()

    assert order(0) == order(1)


def test_weights_default_to_one():
    _, (_, weight) = Samples(torch.zeros(3, 1), [0, 1, 0]).batch(torch.tensor([0, 2]))
    assert weight.tolist() == [1, 1] and weight.dtype == torch.float32


# --- ahead of time --------------------------------------------------------------------------------
@pytest.mark.parametrize("n_workers", [0, 1, 3])
def test_prefetched_results_come_in_order(n_workers):
    def slow(i):
        time.sleep(0.002 * (i % 3))
        return i

    assert list(prefetch(slow, range(20), n_workers)) == list(range(20))


def test_no_more_is_ahead_than_said():
    started, used = [], 0
    for i in prefetch(lambda i: started.append(i) or i, range(50), n_workers=2):
        time.sleep(0.001)
        assert i == used and len(started) - used <= 3
        used += 1
    assert used == 50


def test_work_goes_on_while_a_result_is_used():
    begun = threading.Event()
    ahead = prefetch(lambda i: begun.set() if i else None, range(2))
    next(ahead)
    assert begun.wait(timeout=60)  # nobody asked for the second yet
    ahead.close()


def threads():
    return [t.name for t in threading.enumerate() if t.name.startswith("skrehab-prefetch")]


@pytest.mark.parametrize("n_workers", [0, 1, 3])
def test_an_error_comes_up_where_its_result_would_be(n_workers):
    def fail(i):
        if i == 3:
            raise ValueError("clip-3.mp4: the file is damaged.")
        return i

    seen = []
    with pytest.raises(ValueError, match=r"clip-3\.mp4"):
        for i in prefetch(fail, range(20), n_workers):
            seen.append(i)
    assert seen == [0, 1, 2] and not threads()


def test_nothing_runs_on_after_an_early_end():
    ahead = prefetch(lambda i: i, range(10**9), n_workers=2)
    assert next(ahead) == 0 and threads()
    ahead.close()
    assert not threads()
    for _ in prefetch(lambda i: i, range(100), n_workers=2):
        break
    gc.collect()
    deadline = time.monotonic() + 20
    while threads() and time.monotonic() < deadline:  # they end by themselves, nobody waits
        time.sleep(0.01)
    assert not threads()


class Rendered:
    """What is computed when it is turned into an array."""

    def __init__(self, i):
        self.i = i

    def __array__(self, dtype=None, copy=None):
        return np.full((3, 2, 3), self.i, dtype=np.float32)


def collate_arrays(batch):
    return {"x": torch.stack([torch.from_numpy(np.asarray(one)) for one in batch])}


def test_what_is_lazy_is_prepared_ahead(monkeypatch):
    used = []
    monkeypatch.setattr(batching, "prefetch", lambda f, a, n: used.append(n) or map(f, a))
    arrays = [np.zeros((3, 2, 3), np.float32)] * 4
    for inputs in (arrays, [Rendered(0)] * 4, torch.zeros(4, 3, 2, 3), ["a.mp4"] * 4):
        list(Batches(Samples(inputs, np.zeros(4), collate=lambda batch: batch), 2))
    pairs = [{"rgb": pathlib.Path("a.mp4"), "pose": arrays[0]}] * 4
    list(Batches(Samples(pairs, np.zeros(4), collate=lambda batch: batch), 2, n_workers=3))
    assert used == [0, 1, 0, 1, 3] and Samples(pairs, np.zeros(4)).is_lazy


def test_batches_are_the_same_for_any_number_of_workers():
    samples = Samples([Rendered(i) for i in range(11)], np.arange(11), collate=collate_arrays)

    def all_batches(n_workers):
        batches = Batches(samples, 3, torch.Generator().manual_seed(1), n_workers)
        return [(inputs["x"], target) for _ in range(2) for inputs, (target, _) in batches]

    for other in (1, 4):
        for one, two in zip(all_batches(0), all_batches(other), strict=True):
            torch.testing.assert_close(one, two)


def test_memory_does_not_grow_with_the_number_of_clips():
    class Big(Rendered):
        def __array__(self, dtype=None, copy=None):
            return np.zeros((64, 64, 64), dtype=np.float32)  # 1 MB

    def peak(n):
        samples = Samples([Big(i) for i in range(n)], np.zeros(n), collate=collate_arrays)
        tracemalloc.start()
        for _ in Batches(samples, 2, torch.Generator()):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few, many = peak(20), peak(400)
    assert few > 2e6  # what is measured is there
    assert many < 1.2 * few < 400e6
