"""Convolutions frame by frame: rings by hand, and against the network of torch."""

import numpy as np
import pytest
import torch
from instances import tiny_tcn, tiny_trials

from skrehab import VideoClassifier
from skrehab.frames.stream import ConvolutionStream, Ring, convolution_stream, layers_of
from skrehab.networks.sequence.frame_tcn import FrameConvolutions
from skrehab.networks.sequence.mil_tcn import MilTCN
from skrehab.training.loop import probabilities
from skrehab.training.thinning import Thinned


@pytest.mark.parametrize(("n_taps", "dilation"), [(1, 1), (1, 8), (2, 1), (3, 2), (5, 8)])
def test_a_ring_gives_what_stands_so_far_back(n_taps, dilation):
    ring = Ring(n_taps, dilation, 2)
    history = np.random.RandomState(0).randn(100, 2)
    for _ in range(2):
        for t, frame in enumerate(history):
            back = [t - dilation * k for k in range(n_taps)][::-1]
            expected = [history[i] if i >= 0 else np.zeros(2) for i in back]  # zeros before
            np.testing.assert_array_equal(ring.push(frame), np.concatenate(expected))
        ring.reset()
    assert len(ring.values) == dilation * (n_taps - 1) + 1


def trained_like(network, seed=0):
    """Weights as far from each other as training leaves them, and probabilities from 0 to 1."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        network.head.weight.mul_(3)
    return network.eval()


@pytest.mark.parametrize("make", [FrameConvolutions, MilTCN])
@pytest.mark.parametrize("step", [1, 2, 3, 6])
@pytest.mark.parametrize(("kernel_size", "n_blocks"), [(5, 4), (1, 2), (2, 1), (3, 5)])
def test_the_network_of_torch(make, step, kernel_size, n_blocks):
    """Trials of every length, shorter than the step and than the reach too, and thinned ones."""
    sizes = {"channels": 8, "kernel_size": kernel_size, "n_blocks": n_blocks, "causal": True}
    network = trained_like(make(5, 3, 1, **sizes))
    stream = ConvolutionStream((5, 3), layers_of(network), 2, None, step)
    for n_frames in (1, 2, 5, 7, 100):
        trial = np.random.RandomState(n_frames).randn(n_frames, 5, 3).astype(np.float32)
        with torch.inference_mode():
            x = torch.from_numpy(trial)[None]
            offline = Thinned(network, step).frame_logits(x, torch.tensor([n_frames]))
        stream.reset()
        live = np.array([stream.push(frame, t) for t, frame in enumerate(trial)])
        np.testing.assert_allclose(live, probabilities(offline[0].numpy()), rtol=0, atol=1e-6)
    assert np.ptp(live[:, 1]) > 0.2  # they tell frames apart


def test_the_weights_are_taken_once():
    data = tiny_trials()
    model = tiny_tcn().fit(data.X, data.frame_labels)
    stream = model._stream()
    before = [stream.push(frame, 0) for frame in data.X[0]]
    with torch.no_grad():
        for parameter in model.module_.parameters():
            parameter.zero_()
    stream.reset()
    np.testing.assert_array_equal([stream.push(frame, 0) for frame in data.X[0]], before)


def test_no_torch_for_a_frame(monkeypatch):
    """A call of torch is slower than the whole frame."""
    data = tiny_trials()
    stream = tiny_tcn().fit(data.X, data.frame_labels)._stream()
    called = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            called.append(function)
            return function(*args, **(kwargs or {}))

    with Watch():
        stream.push(data.X[0][0], 0)
        assert not called
        torch.zeros(1)
    assert called  # the watch sees


def test_how_far_ahead_it_looks_is_said():
    data = tiny_trials()
    model = tiny_tcn(causal=False, kernel_size=4, n_blocks=3).fit(data.X, data.frame_labels)
    # of three frames beside the own one, two stand ahead: times 1, 2, 4, rounded up
    ahead = sum(layer["padding"][1] for layer in layers_of(model.module_)["blocks"])
    before = model.predict_proba([np.zeros((40, 5, 3))])[0][:, 1]
    moved = np.zeros((40, 5, 3))
    moved[30] = 5
    first = np.flatnonzero(model.predict_proba([moved])[0][:, 1] != before).min()
    assert 30 - first == ahead
    with pytest.raises(ValueError, match=rf"look {ahead} frames ahead.*causal=True"):
        convolution_stream(model, "causal=True")


def test_a_kernel_of_one_frame_looks_nowhere():
    """Centred in name, but nothing stands ahead: what counts is what the network does."""
    data = tiny_trials()
    model = tiny_tcn(causal=False, kernel_size=1).fit(data.X, data.frame_labels)
    stream = model._stream()
    live = [stream.push(frame, 0) for frame in data.X[0]]
    np.testing.assert_allclose(live, model.predict_proba(data.X[:1])[0], rtol=0, atol=1e-6)


def test_a_network_of_another_kind_is_named():
    data = tiny_trials()
    model = VideoClassifier("lstm", max_epochs=1, random_state=0).fit(data.X, data.y)
    with pytest.raises(TypeError, match=r"'lstm' scores whole trials.*mil_tcn"):
        model._stream()
