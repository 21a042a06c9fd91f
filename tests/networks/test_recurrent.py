"""The two read-outs of the recurrent networks, against the layers written out."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from instances import tiny_trials, tiny_video

from skrehab.networks import build
from skrehab.networks.sequence.recurrent import GRU, LSTM

LENGTHS = torch.tensor([9, 4, 1])


def trials(seed=0):
    x = torch.from_numpy(np.random.RandomState(seed).randn(3, 9, 5, 3).astype(np.float32))
    for row, n in zip(x, LENGTHS):
        row[n:] = 0
    return x


@pytest.mark.parametrize(
    ("name", "readout", "n_parameters"),
    [("lstm", "last", 225_217), ("gru", "last", 168_961), ("lstm", "mean", 262_657)],
)
def test_sizes(name, readout, n_parameters):
    network = build(name, n_landmarks=33, n_coords=3, n_outputs=1, readout=readout)
    assert sum(p.numel() for p in network.parameters()) == n_parameters


@pytest.mark.parametrize("kind", [LSTM, GRU])
@pytest.mark.parametrize("readout", ["mean", "last"])
def test_readouts_written_out(kind, readout):
    """Each trial alone, without padding: its outputs, their mean or the last, and the layers."""
    network = kind(5, 3, 2, hidden_size=7, readout=readout).eval()
    if readout == "mean":
        torch.nn.init.normal_(network.norm.weight)
        torch.nn.init.normal_(network.norm.bias)
    x = trials()
    with torch.no_grad():
        together = network(x, LENGTHS)
        for row, n, found in zip(x, LENGTHS, together):
            states = network.rnn(row[:n].flatten(1)[None])[0][0]
            if readout == "last":
                expected = network.head(states[-1])
            else:
                mean = states.sum(dim=0) / n
                unit = (mean - mean.mean()) / (mean.var(correction=0) + 1e-5).sqrt()
                hidden = network.hidden(unit * network.norm.weight + network.norm.bias)
                expected = network.head(torch.maximum(hidden, torch.zeros(7)))
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network(x), network(x, torch.tensor([9, 9, 9])))


def test_dropout_comes_before_the_norm():
    """What is dropped is the mean of the outputs, and norm and hidden layer see the gaps."""
    network = LSTM(5, 3, 1, hidden_size=50, dropout=0.5).train()
    seen = {}
    network.norm.register_forward_pre_hook(lambda _, inputs: seen.update(norm=inputs[0]))
    network.head.register_forward_pre_hook(lambda _, inputs: seen.update(head=inputs[0]))
    network(trials(), LENGTHS)
    assert 0.2 < float((seen["norm"] == 0).float().mean()) < 0.8
    expected = F.relu(network.hidden(network.norm(seen["norm"])))
    torch.testing.assert_close(seen["head"], expected)


def test_every_frame_of_a_long_trial_is_read():
    """The last state forgets; the mean does not."""
    x = torch.from_numpy(np.random.RandomState(0).randn(1, 2000, 5, 3).astype(np.float32))
    for readout, reached in (("mean", True), ("last", False)):
        torch.manual_seed(0)
        network = LSTM(5, 3, 1, hidden_size=6, readout=readout).eval()
        one = x.clone().requires_grad_()
        network(one, torch.tensor([2000])).sum().backward()
        assert bool((one.grad[0, :100] != 0).any()) is reached


def test_the_readout_is_a_parameter_of_the_network():
    data = tiny_trials()
    for readout in ("mean", "last"):
        params = {"hidden_size": 6, "readout": readout}
        model = tiny_video(network_params=params).fit(data.X, data.y)
        assert hasattr(model.module_, "hidden") is (readout == "mean")
    with pytest.raises(ValueError, match="readout must be 'mean' or 'last', got 'max'"):
        LSTM(5, 3, 1, readout="max")
