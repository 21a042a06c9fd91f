"""The encoder against torch's packed GRU, its input, and the network of the registry."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from skrehab import VideoClassifier
from skrehab.networks.pose_input import PoseInput, find_skeleton, scale_poses
from skrehab.networks.sequence.pose_sequence import (
    Discriminator,
    FrameDecoder,
    PoseEncoder,
    PretrainedGRU,
)
from skrehab.preprocessing.skeleton_conversion import convert
from skrehab.skeletons import get_skeleton
from skrehab.training.batching import pad_trials

LENGTHS = torch.tensor([9, 1, 4, 6])


@pytest.fixture(autouse=True)
def _seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


# --- encoder and decoders -------------------------------------------------------------------------
def torch_gru(encoder, n_features):
    """torch.nn.GRU with the same weights, and its parameters in the encoder's order."""
    gru = nn.GRU(
        n_features, encoder.hidden_size, len(encoder.layers), batch_first=True, bidirectional=True
    )
    theirs = dict(gru.named_parameters())
    order = [
        theirs[key.replace("_l0", f"_l{i}") + end]
        for i, layer in enumerate(encoder.layers)
        for way, end in (("ahead", ""), ("back", "_reverse"))
        for key, _ in layer[way].named_parameters()
    ]
    with torch.no_grad():
        for p, own in zip(order, encoder.parameters(), strict=True):
            p.copy_(own)
    return gru, order


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_encoder_is_the_packed_bidirectional_gru(n_layers):
    encoder = PoseEncoder(7, 5, n_layers)
    gru, parameters = torch_gru(encoder, 7)
    x = torch.randn(4, 9, 7)
    frames, states = encoder(x, LENGTHS)
    packed, expected_states = gru(
        pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    )
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    torch.testing.assert_close(frames, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(states.flatten(0, 1), expected_states, rtol=1e-5, atol=1e-6)
    weights = torch.randn_like(frames)
    ours = torch.autograd.grad((frames * weights).sum(), list(encoder.parameters()))
    theirs = torch.autograd.grad((expected * weights).sum(), parameters)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    # without lengths every frame counts
    torch.testing.assert_close(encoder(x)[0], gru(x)[0], rtol=1e-5, atol=1e-6)


def test_padding_reaches_no_frame_and_no_state():
    encoder, decoder, discriminator = PoseEncoder(7, 5), FrameDecoder(7, None, 5), Discriminator(7)
    x = torch.randn(4, 9, 7)
    filled = x.clone()
    for row, length in zip(filled, LENGTHS):
        row[length:] = 1e3
    (one, states), (other, same) = encoder(x, LENGTHS), encoder(filled, LENGTHS)
    assert torch.equal(one, other) and torch.equal(states, same)
    assert all((row[length:] == 0).all() for row, length in zip(one, LENGTHS))
    assert torch.equal(discriminator(x, LENGTHS), discriminator(filled, LENGTHS))
    a, b = decoder(x, states), decoder(filled, states)
    assert all(torch.equal(p[:n], q[:n]) for p, q, n in zip(a, b, LENGTHS))
    for i, length in enumerate(LENGTHS):
        alone, state = encoder(x[i : i + 1, :length])
        torch.testing.assert_close(one[i : i + 1, :length], alone, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(states[:, :, i : i + 1], state, rtol=1e-5, atol=1e-6)


def test_decoder_begins_with_the_sum_of_both_directions():
    decoder, states = FrameDecoder(7, None, 5), torch.randn(2, 2, 3, 5)
    x = torch.randn(3, 4, 7)
    expected, _ = decoder.rnn(x, states[:, 0] + states[:, 1])
    torch.testing.assert_close(decoder(x, states), decoder.out(expected))


# --- input ----------------------------------------------------------------------------------------
def test_every_coordinate_of_every_trial_fills_the_range():
    rng = np.random.RandomState(0)
    trials = [(rng.randn(n, 5, 3) * [1, 30, 0.1] + [0, 500, 2.5]).astype("f") for n in (20, 3)]
    x, lengths = pad_trials(trials)
    scaled = scale_poses(x, lengths)
    for one, trial in zip(scaled, trials):
        inside = one[: len(trial)]
        np.testing.assert_allclose(inside.amin((0, 1)), -1, rtol=1e-4)
        np.testing.assert_allclose(inside.amax((0, 1)), 1, rtol=1e-4)
        assert (one[len(trial) :] == 0).all()
        low, high = trial.min((0, 1)), trial.max((0, 1))
        expected = 2 * (trial - low) / (high - low) - 1
        np.testing.assert_allclose(inside, expected, atol=1e-4)


def test_lost_landmarks_are_the_middle_and_do_not_stretch_the_range():
    trial = 500 + np.random.RandomState(0).rand(10, 5, 2).astype("f") * 100
    lost = trial.copy()
    lost[3:5, 2] = np.nan
    lost[:, 4] = np.nan
    seen = ~np.isnan(lost)
    scaled = scale_poses(torch.from_numpy(lost)[None])[0].numpy()
    assert (scaled[~seen] == 0).all()
    assert scaled[seen].min() == -1 and scaled[seen].max() == 1
    nobody = scale_poses(torch.full((1, 4, 5, 2), torch.nan))
    assert (nobody == 0).all()


def test_what_never_changes_is_zero():
    trial = np.random.RandomState(0).rand(10, 5, 3).astype("f")
    trial[..., 2] = 2.7
    assert (scale_poses(*pad_trials([trial]))[..., 2] == 0).all()


SHAPES = [
    ("kinect25", (25, 3)),
    ("uiprmd22", (22, 3)),
    ("mediapipe33", (33, 4)),
    ("coco17", (17, 3)),
    ("coco17", (17, 2)),
]


@pytest.mark.parametrize("name, shape", SHAPES)
def test_conversion_is_that_of_trials(name, shape):
    trial = np.random.RandomState(0).randn(8, *shape).astype("f")
    layer = PoseInput(*shape, skeleton=name, common_skeleton="common15", scale=False)
    assert layer.shape == (15, 3)
    converted = layer(torch.from_numpy(trial)[None])[0].numpy()
    np.testing.assert_allclose(converted, convert(trial, name, "common15")[..., :3], atol=1e-6)
    flat = PoseInput(*shape, skeleton=name, common_skeleton="coco17", scale=False)
    expected = convert(trial, name, "coco17")[..., :2]
    np.testing.assert_allclose(flat(torch.from_numpy(trial)[None])[0], expected, atol=1e-6)


def test_a_converted_landmark_is_lost_with_any_of_its_sources():
    trial = np.random.RandomState(0).randn(8, 33, 3).astype("f")
    trial[2, get_skeleton("mediapipe33").index("left_shoulder")] = np.nan
    layer = PoseInput(33, 3, common_skeleton="common15")
    scaled = layer(torch.from_numpy(trial)[None])[0].numpy()
    lost = np.isnan(convert(trial, "mediapipe33", "common15"))
    assert lost[2].any() and not lost[3].any()
    np.testing.assert_array_equal(scaled == 0, lost)


def test_skeletons_are_found_by_name_number_or_guess():
    assert find_skeleton(25).name == "ntu25" and find_skeleton(5) is None
    assert find_skeleton(25, "kinect25").name == "kinect25"
    several = {20: "utkinect20", 15: get_skeleton("uwa3d15")}
    assert find_skeleton(20, several).name == "utkinect20"
    assert find_skeleton(15, several).name == "uwa3d15" and find_skeleton(33, several).n_dims == 3
    with pytest.raises(ValueError, match="'coco17' has 17 landmarks, the trials have 25"):
        find_skeleton(25, "coco17")
    with pytest.raises(ValueError, match=r"number of 5 landmarks.*pass skeleton="):
        PoseInput(5, 3, common_skeleton="common15")


# --- the network of the registry ------------------------------------------------------------------
@pytest.mark.parametrize("pooling", ["mean", "last"])
@pytest.mark.parametrize("common", [None, "common15"])
def test_pretrained_gru_ignores_padding_and_reaches_every_frame(pooling, common):
    network = PretrainedGRU(
        33, 3, 2, hidden_size=6, pooling=pooling, common_skeleton=common, dropout=0.0
    )
    x, lengths = torch.randn(2, 60, 33, 3), torch.tensor([60, 23])
    x[1, 23:] = 0
    together = network(x, lengths)
    filled = x.clone()
    filled[1, 23:] = 1e3
    torch.testing.assert_close(network(filled, lengths), together, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(network(x[1:, :23]), together[1:], rtol=1e-5, atol=1e-6)
    x.requires_grad_(True)
    gradient = torch.autograd.grad(network(x, lengths).sum(), x)[0].abs().amax((2, 3))
    assert (
        (gradient[0] > 0).all() and (gradient[1, :23] > 0).all() and (gradient[1, 23:] == 0).all()
    )


def test_size_and_place_of_the_body_do_not_matter():
    network = PretrainedGRU(5, 3, 1, hidden_size=6, dropout=0.0)
    x = torch.randn(2, 30, 5, 3)
    torch.testing.assert_close(network(1000 * x + 300), network(x), rtol=1e-3, atol=1e-4)
    plain = PretrainedGRU(5, 3, 1, hidden_size=6, dropout=0.0, scale=False)
    assert not torch.allclose(plain(1000 * x + 300), plain(x), rtol=1e-3, atol=1e-4)


def test_poolings_differ_and_others_are_refused():
    with pytest.raises(ValueError, match="pooling must be 'mean' or 'last', got 'max'"):
        PretrainedGRU(5, 3, 1, hidden_size=6, pooling="max")


def test_integrated_gradients_are_complete_on_trials_scaled_beforehand(tiny):
    X = [scale_poses(*pad_trials([trial]))[0].numpy() for trial in tiny.X]
    params = {"hidden_size": 6, "scale": False, "dropout": 0.0}
    model = VideoClassifier(
        PretrainedGRU, network_params=params, max_epochs=5, lr=0.01, random_state=0
    ).fit(X, tiny.y)
    result = model.saliency(X[:4], n_steps=50, return_maps=True)
    assert result.completeness_error.max() < 1e-3
    # with scaling inside, the path from zeros shows the network one and the same trial all along
    model = model.set_params(network__scale=True).fit(X, tiny.y)
    half = [trial / 2 for trial in X]
    np.testing.assert_allclose(model.predict_proba(half), model.predict_proba(X), atol=1e-5)
