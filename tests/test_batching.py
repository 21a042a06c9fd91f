"""Padding, ordering by length, and batches that neither lose nor repeat a sample."""

import numpy as np
import pytest
import torch

from skrehab.batching import Batches, Samples, iterate_by_length, pad_trials


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
