"""MotionBERT against the official network's outputs, sizes and preparation of clips."""

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from small_networks import count

from skrehab.networks.sequence.motionbert import MotionBERT, crop_scale

TINY = {"dim_feat": 16, "mlp_ratio": 2, "depth": 2, "n_heads": 2, "dim_rep": 8, "hidden": 16}
TINY |= {"n_frames": 15}


def build(n_landmarks=17, n_coords=3, n_outputs=2, seed=0, **params):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MotionBERT(n_landmarks, n_coords, n_outputs, **params)


# --- the official network -------------------------------------------------------------------------
def test_equals_the_official_network():
    case = golden_case("motionbert_lite_action4")
    network = build(n_outputs=4, size="lite", normalize=False)
    check_layout(network, case)
    fill(network)
    x = golden_input(2, (2, 1, 30, 17, 3), 0.5)  # (batch, persons, frames, joints, coords)
    with torch.no_grad():
        check_outputs(network.classify(x.permute(0, 4, 2, 3, 1)), case)


@pytest.mark.parametrize(
    ("size", "n_outputs", "backbone", "whole"),
    [
        ("full", 60, 42_466_317, 60_421_193),
        ("full", 4, 42_466_317, 60_306_449),
        ("lite", 60, 16_001_549, 33_956_425),
        ("lite", 4, 16_001_549, 33_841_681),
    ],
)
def test_number_of_parameters(size, n_outputs, backbone, whole):
    with torch.device("meta"):  # sizes without the memory
        network = MotionBERT(17, 3, n_outputs, size=size)
    assert (count(network.backbone), count(network)) == (backbone, whole)
    assert len(network.state_dict()) == 269


def test_table_of_times_keeps_its_243_rows():
    for n_frames in (1, 15, 243):
        assert build(**TINY | {"n_frames": n_frames}).backbone.temp_embed.shape == (1, 243, 1, 16)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_action_networks_load(prefix):
    source, network = build(**TINY), build(seed=1, **TINY)
    state = {prefix + key: value for key, value in source.state_dict().items()}
    network.load_state_dict(MotionBERT.official_state({"epoch": 3, "model": state}))
    x = golden_input(0, (2, 30, 17, 3))
    with torch.no_grad():
        assert torch.equal(network.eval()(x), source.eval()(x))


@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_backbones_load(prefix):
    """MB_release holds the backbone alone; its regression head must not become the classifier."""
    source, network = build(**TINY), build(seed=1, **TINY)
    state = {prefix + key: value for key, value in source.backbone.state_dict().items()}
    missing, unexpected = network.load_state_dict(
        MotionBERT.official_state({"model_pos": state}), strict=False
    )
    assert not unexpected
    assert missing and all(key.startswith("head.") for key in missing)
    for key, value in source.backbone.state_dict().items():
        assert torch.equal(network.backbone.state_dict()[key], value), key


def test_only_the_regression_head_gets_no_gradient():
    network = build(**TINY).train()
    network(golden_input(0, (3, 20, 17, 3))).square().sum().backward()
    without = [name for name, p in network.named_parameters() if p.grad is None]
    assert without == ["backbone.head.weight", "backbone.head.bias"]


def test_streams_count_the_same_at_first():
    """A layer begins as the mean of both orders."""
    network = build(**TINY | {"depth": 1}).eval().backbone
    for mix in network.ts_attn:
        assert (mix.weight == 0).all() and (mix.bias == 0.5).all()
    x = golden_input(0, (2, 15, 17, 3))
    embedded = network.joints_embed(x) + network.pos_embed + network.temp_embed[:, :15]
    st, ts = network.blocks_st[0], network.blocks_ts[0]
    mean = (st.over_time(st.over_space(embedded)) + ts.over_space(ts.over_time(embedded))) / 2
    expected = torch.tanh(network.pre_logits["fc"](network.norm(mean)))
    torch.testing.assert_close(network(x), expected)


# --- what it sees ---------------------------------------------------------------------------------
def test_joints_are_those_of_human36m():
    """COCO-17 to Human3.6M as MotionBERT's action data were made."""
    network = build(normalize=False, **TINY)
    coco = golden_input(0, (1, 15, 17, 3))
    clip = network.clips(coco)[0, :2, :, :, 0]  # (x and y, frames, joints)
    coco = coco[0, ..., :2].permute(2, 0, 1)
    direct = {1: 12, 2: 14, 3: 16, 4: 11, 5: 13, 6: 15, 9: 0}
    direct |= {11: 5, 12: 7, 13: 9, 14: 6, 15: 8, 16: 10}
    for joint, landmark in direct.items():
        torch.testing.assert_close(clip[:, :, joint], coco[:, :, landmark])
    root, neck = coco[:, :, [11, 12]].mean(2), coco[:, :, [5, 6]].mean(2)
    for joint, place in {0: root, 8: neck, 7: (root + neck) / 2}.items():
        torch.testing.assert_close(clip[:, :, joint], place)
    torch.testing.assert_close(clip[:, :, 10], coco[:, :, [1, 2]].mean(2))


def test_depth_is_dropped_and_a_missing_score_is_one():
    network = build(33, 3, **TINY).eval()
    x = golden_input(0, (2, 30, 33, 3))
    with torch.no_grad():
        flat = x.clone()
        flat[..., 2] = 7
        assert torch.equal(network(x), network(flat))
        assert (network.clips(x)[:, 2] == 1).all()
        scored = build(33, 4, **TINY).eval()
        torch.testing.assert_close(
            scored(torch.cat([x, torch.ones(2, 30, 33, 1)], dim=3)), network(x)
        )


def test_persons_are_averaged():
    """Two persons in exchanged order give the same logits; each one changes them."""
    network = build(34, n_persons=2, **TINY).eval()
    x = golden_input(0, (2, 20, 34, 3))
    with torch.no_grad():
        out = network(x)
        torch.testing.assert_close(network(x.roll(17, dims=2)), out)
        x[:, :, 17:] *= 0.5
        assert (network(x) - out).abs().max() > 1e-6


# --- scale of a clip ------------------------------------------------------------------------------
def clip_of(place, score=1.0):
    """Make (1, 3, frames, joints, 1) from (frames, joints, 2)."""
    clip = torch.cat([place, torch.as_tensor(score).expand(*place.shape[:2], 1)], dim=2)
    return clip.permute(2, 0, 1)[None, ..., None]


@pytest.mark.parametrize("ratio", [1.0, 2.0, 2.7])
def test_crop_scale_equals_its_formula(ratio):
    place = 50 * golden_input(0, (9, 17, 2)) + 300
    score = (golden_input(1, (9, 17, 1)) > 0).float()
    scaled = crop_scale(clip_of(place, score), ratio)[0, ..., 0].permute(1, 2, 0).numpy()
    place, score = place.numpy().astype(float), score.numpy()
    seen = place[score[..., 0] != 0]
    side = np.ptp(seen, axis=0).max() * ratio
    corner = (seen.min(axis=0) + seen.max(axis=0) - side) / 2
    expected = np.clip(2 * (place - corner) / side - 1, -1, 1)
    np.testing.assert_allclose(scaled[..., :2], expected, atol=1e-5)
    np.testing.assert_array_equal(scaled[..., 2:], score)


def test_crop_scale_knows_neither_place_nor_size_of_the_image():
    network = build(n_coords=2, normalize=True, **TINY).eval()
    x = golden_input(0, (2, 20, 17, 2))
    moved = 100 * x + torch.tensor([320.0, -240])
    with torch.no_grad():
        torch.testing.assert_close(network(moved), network(x), rtol=1e-3, atol=1e-4)
        plain = build(n_coords=2, normalize=False, **TINY).eval()
        assert (plain(moved) - plain(x)).abs().max() > 1e-2


def test_crop_scale_of_each_clip_for_itself():
    clips = torch.cat([clip_of(golden_input(i, (9, 17, 2)) * 10**i) for i in range(3)])
    together = crop_scale(clips)
    for i in range(3):
        assert torch.equal(together[i : i + 1], crop_scale(clips[i : i + 1]))


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_clip_in_one_point_becomes_zeros(score):
    clip = clip_of(torch.full((4, 17, 2), 3.7), score).requires_grad_(True)
    scaled = crop_scale(clip)
    assert (scaled[:, :2] == 0).all()
    gradient = torch.autograd.grad(scaled[:, :2, 0].sum(), clip)[0]
    assert torch.isfinite(gradient).all()


def test_crop_scale_lets_gradients_through_the_box():
    """Numerical gradients agree, so the box is no constant."""
    place = golden_input(0, (3, 4, 2)).double()
    weight = golden_input(1, (2, 3, 4)).double()

    def total(p):
        return (crop_scale(clip_of(p))[0, :2, ..., 0] * weight).sum()

    assert torch.autograd.gradcheck(total, place.requires_grad_(True))


def test_nothing_seen_is_all_seen():
    place = golden_input(0, (9, 17, 2))
    blind, seen = crop_scale(clip_of(place, 0.0)), crop_scale(clip_of(place, 1.0))
    assert torch.equal(blind[:, :2], seen[:, :2])


# --- training -------------------------------------------------------------------------------------
@pytest.mark.parametrize("n_landmarks", [33, 17])
def test_trains_on_one_trial_with_the_running_statistics(n_landmarks):
    network = build(n_landmarks, dropout=0.0, **TINY)
    network.head.bn.running_mean -= 0.3  # no unit is silent
    before = {key: value.clone() for key, value in network.head.bn.state_dict().items()}
    x = golden_input(0, (1, 40, n_landmarks, 3))
    out = network.train()(x, torch.tensor([31]))
    for key, value in network.head.bn.state_dict().items():
        assert torch.equal(value, before[key]), key
    torch.testing.assert_close(out, network.eval()(x, torch.tensor([31])))
    out.square().sum().backward()
    assert network.head.bn.weight.grad.abs().max() > 0
    assert network.backbone.joints_embed.weight.grad.abs().max() > 0


def test_trains_on_two_trials_with_their_own_statistics():
    network = build(dropout=0.0, **TINY).train()
    network(golden_input(0, (2, 40, 17, 3)))
    assert network.head.bn.num_batches_tracked == 1
    assert network.head.bn.running_mean.abs().max() > 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_frames": 244}, r"n_frames must be in 1 \.\.\. 243, got 244"),
        ({"n_frames": 0}, "got 0"),
        ({"size": "huge"}, r"one of \['full', 'lite'\], got 'huge'"),
        ({"crop_ratio": 0.0}, "crop_ratio must be positive, got 0.0"),
        ({"dim_feat": 20, "n_heads": 8}, "dim_feat must be a multiple of n_heads, got 20 and 8"),
    ],
)
def test_impossible_sizes_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        MotionBERT(17, 3, 1, **params)
