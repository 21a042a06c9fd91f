"""The expert's streams: sizes of the paper, padding, short sequences, ordered classes."""

import numpy as np
import pytest
import torch
from small_networks import count
from torch import nn

from skrehab.networks.sequence.pose_sequence import PretrainedGRU, mean_over_frames
from skrehab.networks.two_stream.appearance import (
    AppearanceModule,
    AppearanceStream,
    RowNorm,
)
from skrehab.networks.two_stream.expert import (
    Expert,
    FrameEncoder,
    OrderedLogits,
    PoseStream,
)


def draw(*shape, seed=0):
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype(np.float32))


# --- sizes ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("channels", "steps", "released", "unused", "shapes"),
    [  # C3D's fc6 over 743 frames, and I3D's Mixed_5c over 12 steps
        (4096, 46, 27_421_696, 30_720, [(23, 6144), (11, 9216)]),
        (1024, 12, 1_743_616, 7_680, [(6, 1536), (3, 2304)]),
    ],
)
def test_appearance_modules_have_the_released_sizes(channels, steps, released, unused, shapes):
    """All but a second normalisation a branch, which the released code never runs."""
    stream = AppearanceStream(channels)
    assert count(stream) == released - unused
    widths = [shape[1] // 3 for shape in shapes]
    assert unused == sum(3 * 2 * width for width in widths)
    x, lengths = draw(1, steps, channels), None
    for module, shape in zip(stream.stack, shapes, strict=True):
        x, lengths = module(x, lengths)
        assert tuple(x.shape[1:]) == shape and lengths.tolist() == [shape[0]]
    assert stream.out_channels == shapes[-1][1]


def test_the_lstm_has_the_published_size():
    assert count(PoseStream(2000)) == 1_681_600
    assert PoseStream(2000).out_channels == 200


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_the_pose_stream_is_a_bidirectional_lstm(pooling):
    stream = PoseStream(6, hidden_size=4, pooling=pooling)
    lstm = nn.LSTM(6, 4, batch_first=True, bidirectional=True)
    for way, suffix in (("ahead", ""), ("back", "_reverse")):
        for name, value in stream.lstm[way].named_parameters():
            getattr(lstm, name + suffix).data.copy_(value.data)
    x, lengths = draw(3, 9, 6), [9, 4, 1]
    together = stream(x, torch.tensor(lengths))
    for i, n in enumerate(lengths):
        states, (last, _) = lstm(x[i : i + 1, :n])
        wanted = states.mean(dim=1)[0] if pooling == "mean" else torch.cat([last[0, 0], last[1, 0]])
        torch.testing.assert_close(together[i], wanted)


def test_a_module_is_what_its_parts_say():
    """One sequence, written out with plain torch functions."""
    module = AppearanceModule(6, reduced_channels=2).eval()
    for norm in module.norms:
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    x = draw(1, 8, 6)
    out, lengths = module(x)
    reduced = module.reduce(x).transpose(1, 2)
    wanted = []
    for tempo, norm in zip(module.tempos, module.norms):
        assert tempo.groups == 2
        one = nn.functional.conv1d(
            reduced, tempo.weight, tempo.bias, padding=tempo.kernel_size[0] // 2, groups=2
        )
        one = nn.functional.max_pool1d(one, 2)
        mean, var = norm.running_mean[:, None], norm.running_var[:, None]
        wanted.append((one - mean) / (var + norm.eps).sqrt())
    assert [tempo.kernel_size[0] for tempo in module.tempos] == [3, 5, 7]
    wanted = torch.relu(torch.cat(wanted, dim=1)).transpose(1, 2)
    torch.testing.assert_close(out, wanted)
    assert lengths.tolist() == [4]


def test_sizes_that_do_not_work():
    with pytest.raises(ValueError, match="pass reduced_channels"):
        AppearanceModule(1)
    with pytest.raises(ValueError, match="must be odd"):
        AppearanceModule(8, kernel_sizes=(2, 3))
    with pytest.raises(ValueError, match="pose_features, appearance_features, or both"):
        Expert(1)
    with pytest.raises(ValueError, match="'mean' or 'last', got 'max'"):
        PoseStream(4, pooling="max")


# --- padding --------------------------------------------------------------------------------------
def padded(lengths, *trailing, seed=0, fill=0.0):
    x = draw(len(lengths), max(lengths) + 3, *trailing, seed=seed)
    for row, length in zip(x, lengths):
        row[length:] = fill
    return x


BOTH = {"pose_features": 6, "appearance_features": 5, "hidden_size": 4, "reduced_channels": 3}
SETTINGS = {
    "both": BOTH,
    "last": {**BOTH, "pooling": "last"},
    "pose": {"pose_features": 6, "hidden_size": 4},
    "linear": {"pose_features": 6, "hidden_size": None, "linear": True},
    "linear-last": {"pose_features": 6, "hidden_size": None, "pooling": "last"},
    "appearance": {"appearance_features": 5, "expansion_factor": 2.0},
    "ordered": {**BOTH, "ordered": True},
}


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_padding_is_never_seen(name, training):
    """Neither results, nor gradients, nor the statistics of a training batch know of it."""
    torch.manual_seed(0)
    expert = Expert(3, **SETTINGS[name]).train(training)
    frames, clips = [9, 4, 1], [7, 1, 2]
    results = []
    for fill in (0.0, 50.0):
        x = padded(frames, 2, 3, fill=fill).requires_grad_()
        c = padded(clips, 5, seed=1, fill=fill).requires_grad_()
        out = expert(x, torch.tensor(frames), c, torch.tensor(clips))
        out.square().sum().backward()
        results.append((out, x.grad, c.grad))
    for one, other in zip(*results):
        if one is not None:
            torch.testing.assert_close(one, other, rtol=0, atol=0)
    for grad, lengths in ((results[0][1], frames), (results[0][2], clips)):
        if grad is not None:
            for row, length in zip(grad, lengths):
                assert not row[length:].any()


@pytest.mark.parametrize("name", SETTINGS)
def test_a_batch_says_what_each_trial_says_alone(name):
    torch.manual_seed(0)
    expert = Expert(3, **SETTINGS[name]).eval()
    frames, clips = [9, 4, 1], [7, 1, 2]
    x, c = padded(frames, 2, 3), padded(clips, 5, seed=1)
    together = expert(x, torch.tensor(frames), c, torch.tensor(clips))
    for i, (n, m) in enumerate(zip(frames, clips)):
        alone = expert(x[i : i + 1, :n], None, c[i : i + 1, :m], None)
        torch.testing.assert_close(alone[0], together[i])


def test_a_sequence_of_one_clip_is_enough():
    module = AppearanceModule(6, reduced_channels=2)
    for steps, left in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 2)):
        out, lengths = module(draw(2, steps, 6))
        assert out.shape == (2, left, 6) and lengths.tolist() == [left, left]
        assert torch.isfinite(out).all()


def test_gradients_reach_every_frame_clip_and_parameter():
    torch.manual_seed(0)
    encoder = FrameEncoder(2, 3, hidden_size=4)
    expert = Expert(1, **{**BOTH, "pose_features": encoder.out_channels}, encoder=encoder)
    x, c = draw(4, 8, 2, 3).requires_grad_(), draw(4, 6, 5, seed=1).requires_grad_()
    expert(x, None, c, None).square().sum().backward()
    assert (x.grad.abs().sum(dim=(2, 3)) > 0).all()
    assert c.grad.abs().sum() > 0
    for name, parameter in expert.named_parameters():
        assert parameter.grad is not None, name


def test_the_encoder_reads_trials_as_the_pretrained_network_does():
    """Names, scaling and conversion are one, so that weights go from one to the other."""
    sizes = {"hidden_size": 4, "skeleton": "kinect25", "common_skeleton": "common15"}
    encoder = FrameEncoder(25, 3, **sizes)
    network = PretrainedGRU(25, 3, 1, **sizes)
    encoder.load_state_dict(network.state_dict(), strict=False)
    assert set(encoder.state_dict()) == set(network.state_dict()) - {"head.weight", "head.bias"}
    x, lengths = draw(2, 9, 25, 3), torch.tensor([9, 5])
    x[1, 5:] = 0
    frames = encoder(x, lengths)
    assert frames.shape == (2, 9, encoder.out_channels) and not frames[1, 5:].any()
    torch.testing.assert_close(
        network.eval()(x, lengths), network.head(mean_over_frames(frames, lengths))
    )


# --- one row --------------------------------------------------------------------------------------
def test_a_training_batch_of_one_trial():
    norm = RowNorm(3)
    norm.running_mean.fill_(2.0)
    torch.testing.assert_close(norm(torch.full((1, 3), 2.0)), torch.zeros(1, 3))
    assert norm.num_batches_tracked == 0
    rows = draw(20, 3)
    torch.testing.assert_close(norm(rows), nn.BatchNorm1d(3)(rows))
    assert norm.num_batches_tracked == 1
    torch.testing.assert_close(norm.running_mean, rows.mean(dim=0))
    more = [draw(20, 3, seed=seed) for seed in (1, 2)]
    for one in more:
        norm(one)
    torch.testing.assert_close(norm.running_mean, torch.cat([rows, *more]).mean(dim=0))
    for _ in range(20):
        norm(rows)
    assert norm.momentum == 0.1
    expert = Expert(1, **BOTH).train()
    assert torch.isfinite(expert(draw(1, 1, 2, 3), None, draw(1, 1, 5), None)).all()


# --- ordered classes ------------------------------------------------------------------------------
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_thresholds_rise_whatever_is_learnt(n_classes):
    torch.manual_seed(0)
    layer = OrderedLogits(4, n_classes)
    start = torch.sigmoid(layer(torch.zeros(1, 4)))[0]  # chances to be above each class
    torch.testing.assert_close(start, torch.arange(n_classes - 1, 0, -1.0) / n_classes)
    for parameter in (layer.first, layer.steps):
        parameter.data.copy_(100 * torch.randn(parameter.shape))
    logits = layer(draw(6, 4))
    assert logits.shape == (6, n_classes - 1)
    assert (logits.diff(dim=1) <= 0).all()
