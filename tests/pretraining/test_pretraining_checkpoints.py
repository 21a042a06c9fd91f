"""Checkpoints: found by what a run is, replaced as a whole, read without running anything."""

import os

import numpy as np
import pytest
import torch

from skrehab.pretraining.checkpoints import Checkpoint, run_key


def test_key_follows_from_parameters_and_data():
    parts = {"lr": 0.1, "paces": (0.6, 1.0)}, [np.ones((4, 3))], None
    same = {"paces": (0.6, 1.0), "lr": 0.1}, [np.ones((4, 3))], None
    assert run_key(*parts) == run_key(*same)
    others = [
        ({"lr": 0.2, "paces": (0.6, 1.0)}, [np.ones((4, 3))], None),
        (parts[0], [np.ones((3, 4))], None),
        (parts[0], [np.ones((4, 3), dtype=np.float32)], None),
        (*parts[:2], 1),
    ]
    assert len({run_key(*parts), *(run_key(*one) for one in others)}) == 5


@pytest.mark.parametrize("every, due", [(None, [5]), (2, [2, 4, 5]), (1, [1, 2, 3, 4, 5])])
def test_when_a_state_is_due(tmp_path, every, due):
    checkpoint = Checkpoint(tmp_path, "a", every)
    assert [epoch for epoch in range(1, 6) if checkpoint.is_due(epoch, 5)] == due


def test_a_state_comes_back_bit_for_bit(tmp_path):
    state = {"weights": {"w": torch.randn(3, 2)}, "history": [{"loss": 0.1 + 0.2}], "seed": [5, 0]}
    checkpoint = Checkpoint(tmp_path / "deep" / "er", "a")
    assert checkpoint.load() is None
    checkpoint.save(state)
    again = checkpoint.load()
    assert torch.equal(again["weights"]["w"], state["weights"]["w"])
    assert again["history"] == state["history"] and again["seed"] == state["seed"]


def test_a_failed_write_leaves_the_old_state(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path, "a")
    checkpoint.save({"epoch": 1})

    def fail(state, file):
        with open(file, "wb") as unfinished:
            unfinished.write(b"half of it")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="no space"):
        checkpoint.save({"epoch": 2})
    assert checkpoint.load() == {"epoch": 1}
    assert os.listdir(tmp_path) == ["run-a.pt"]


class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_nothing_in_a_file_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = Checkpoint(tmp_path, "a")
    torch.save({"epoch": Evil()}, checkpoint.path)
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        checkpoint.load()
    assert not (tmp_path / "ran").exists()
