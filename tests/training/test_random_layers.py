"""Layers that are neither loaded nor trained are said: a head on random features learns little."""

import warnings

import numpy as np
import pytest
import torch

from skrehab import VideoClassifier

RNG = np.random.RandomState(0)
X, Y = [RNG.randn(20, 4, 3).astype(np.float32) for _ in range(4)], [0, 1, 0, 1]
MOMENT = {"d_model": 16, "n_layers": 1, "n_heads": 2, "d_ff": 16, "vocab_size": 8, "seq_len": 64}
LSTM = {"hidden_size": 4}


def model(network="moment", params=MOMENT, **more):
    return VideoClassifier(network, network_params=params, max_epochs=1, random_state=0, **more)


@pytest.mark.parametrize("tuning", ["linear_probe", "lora"])
def test_moment_without_weights(tuning):
    pytest.importorskip("transformers", reason="MOMENT needs the extra skrehab[moment]")
    with pytest.warns(UserWarning, match=r"'moment' was given no weights.*MOMENT-1-small"):
        model(params=MOMENT | {"tuning": tuning}).fit(X, Y)


def test_frozen_layers_without_weights():
    with pytest.warns(UserWarning, match=r"'lstm' was given no weights.*freeze=\('rnn.',\)"):
        model("lstm", LSTM, freeze=("rnn.",)).fit(X, Y)


class Own(torch.nn.Module):
    """Brings weights of its own, perhaps."""

    def __init__(self, n_landmarks, n_coords, n_outputs):
        super().__init__()
        self.body = torch.nn.Linear(n_landmarks * n_coords, 4).requires_grad_(False)
        self.head = torch.nn.Linear(4, n_outputs)

    def forward(self, x, lengths=None):
        return self.head(self.body(x.flatten(2)).mean(dim=1))


def silent(estimator):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*was given no weights")
        return estimator.fit(X, Y)


def test_what_learns_or_was_loaded_is_not_accused(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    first = silent(model("lstm", LSTM))
    safetensors.save_file(first.module_.state_dict(), tmp_path / "w.safetensors")
    silent(model("lstm", LSTM, freeze=("rnn.",), weights=tmp_path / "w.safetensors"))
    silent(model("rocket", {"n_kernels": 20}))  # random by design
    silent(model(Own, None))
    pytest.importorskip("transformers", reason="MOMENT needs the extra skrehab[moment]")
    silent(model(params=MOMENT | {"tuning": "full"}))
