"""SkateFormer against the official network's outputs, sizes and partitions."""

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input

from skrehab.networks.sequence._skate_attention import (
    PARTITIONS,
    SkateAttention,
    partition,
    reverse,
)
from skrehab.networks.sequence.skateformer import KINECT20, SkateFormer
from skrehab.preprocessing.skeleton_conversion import conversion
from skrehab.skeletons import get_skeleton

TINY = {"n_frames": 16, "widths": (16, 32), "n_blocks": 1, "n_heads": 8}


def build(n_landmarks=33, n_outputs=2, seed=0, **params):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return SkateFormer(n_landmarks, 3, n_outputs, **params)


# --- the official network -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "n_outputs", "size", "joints", "persons"),
    [("skateformer_ntu120_nc120", 120, "ntu", 24, 2), ("skateformer_ucla", 10, "ucla", 20, 1)],
)
@pytest.mark.parametrize("index_t", ["own", "given"])
def test_equals_the_official_network(name, n_outputs, size, joints, persons, index_t):
    case = golden_case(name)
    network = build(n_outputs=n_outputs, size=size)
    check_layout(network, case)
    fill(network)
    x = golden_input(1, (2, 3, 64, joints, persons))
    given = torch.linspace(-1, 1, 64).expand(2, -1) if index_t == "given" else None
    with torch.no_grad():
        check_outputs(network.score(x, given), case)


@pytest.mark.parametrize(("n_outputs", "n"), [(120, 3_627_663), (60, 3_616_083), (2, 3_604_889)])
def test_number_of_parameters(n_outputs, n):
    network = build(n_outputs=n_outputs)
    assert sum(p.numel() for p in network.parameters()) == n
    assert len(network.state_dict()) == 214


def test_number_of_parameters_ucla():
    network = build(n_outputs=10, size="ucla")
    assert sum(p.numel() for p in network.parameters()) == 1_925_921


def test_time_given_moves_the_result():
    network = fill(build(**TINY))
    x = golden_input(0, (2, 3, 16, 24, 2))
    with torch.no_grad():
        even = network.score(x)
        early = network.score(x, torch.linspace(-1, 0, 16).expand(2, -1))
    assert (even - early).abs().max() > 1e-3


@pytest.mark.parametrize("wrap", [dict, lambda s: {"model": s}, lambda s: {"state_dict": s}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_published_checkpoints_load(wrap, prefix):
    source, network = build(**TINY), build(seed=1, **TINY)
    state = wrap({prefix + key: value for key, value in source.state_dict().items()})
    network.load_state_dict(SkateFormer.official_state(state))
    x = golden_input(0, (2, 30, 33, 3))
    with torch.no_grad():
        assert torch.equal(network.eval()(x), source.eval()(x))


# --- partitions -----------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", range(4))
@pytest.mark.parametrize(
    ("shape", "n_frames", "n_joints"),
    [((64, 48), 8, 8), ((64, 48), 8, 12), ((8, 48), 8, 12), ((32, 20), 8, 4), ((16, 20), 8, 5)],
)
def test_reverse_undoes_partition(kind, shape, n_frames, n_joints):
    x = golden_input(kind, (2, *shape, 3))
    windows = partition(x, kind, n_frames, n_joints)
    n_windows = shape[0] * shape[1] // (n_frames * n_joints)
    assert windows.shape == (2, n_windows, n_frames * n_joints, 3)
    assert torch.equal(reverse(windows, kind, n_frames, n_joints, shape), x)


@pytest.mark.parametrize(
    ("kind", "frames", "joints"),
    [
        (0, [0, 1, 2], [0, 1]),
        (1, [0, 1, 2], [0, 3]),
        (2, [0, 4, 8], [0, 1]),
        (3, [0, 4, 8], [0, 3]),
    ],
)
def test_first_window_holds_neighbours_or_distant_ones(kind, frames, joints):
    """Windows of 3 frames and 2 joints in a clip of 12 frames and 6 joints."""
    x = torch.arange(12 * 6).reshape(1, 12, 6, 1)
    window = partition(x, kind, 3, 2)[0, 0, :, 0]
    assert window.tolist() == [6 * frame + joint for frame in frames for joint in joints]


@pytest.mark.parametrize("kind", range(4))
def test_attention_equals_its_formula(kind):
    """Softmax of q k / sqrt(heads) plus the table's entry, token by token in one window."""
    n_frames, n_joints, heads, d = 3, 2, 4, 3
    attention = fill(SkateAttention(kind, n_frames, n_joints, heads, dropout=0.5))
    x = golden_input(kind, (1, n_frames, n_joints, 3 * heads * d))
    out = attention(x).detach().reshape(6, heads, d).numpy()
    q, k, v = x.reshape(6, 3, heads, d).permute(1, 2, 0, 3).numpy().astype(float)
    table = attention.relative_position_bias_table.detach().numpy()
    for head in range(heads):
        logits = q[head] @ k[head].T / 2  # sqrt(4 heads), not sqrt(3 channels)
        for a in range(6):
            for b in range(6):
                if PARTITIONS[kind][1]:
                    (s, i), (t, j) = divmod(a, n_joints), divmod(b, n_joints)
                    logits[a, b] += table[s - t + n_frames - 1, i, j, head]
                else:
                    logits[a, b] += table[a % n_frames - b % n_frames + n_frames - 1, head]
        weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(out[:, head], weights @ v[head], rtol=1e-4, atol=1e-5)


# --- joints and persons ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("size", "skeleton", "expected"),
    [
        (
            "ntu",  # 1-based, as in the paper: arms, legs, trunk upwards and across
            "ntu25",
            [7, 8, 22, 23, 11, 12, 24, 25, *range(13, 21), 5, 9, 6, 10, 2, 3, 1, 4],
        ),
        ("ucla", KINECT20, [*range(5, 21), 1, 2, 3, 4]),
    ],
)
def test_joints_come_part_by_part(size, skeleton, expected):
    n_landmarks = get_skeleton(skeleton).n_landmarks
    network = build(n_landmarks, size=size, skeleton=skeleton, **TINY)
    seen = []
    network.stem.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    joint = torch.arange(1.0, n_landmarks + 1)[None, None, :, None]
    x = joint.expand(1, 20, n_landmarks, 3)
    network.eval()(x)
    columns = seen[0][0, 0, 0]  # x of the first frame, person by person
    assert columns[: len(expected)].tolist() == pytest.approx(expected)
    assert (columns[len(expected) :] == 0).all()  # the missing person
    assert len(columns) == (48 if size == "ntu" else 20)


def test_two_persons_stand_one_behind_the_other():
    network = build(50, n_persons=2, **TINY)
    seen = []
    network.stem.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    x = golden_input(0, (1, 16, 50, 3))
    network.eval()(x)
    torch.testing.assert_close(seen[0][0, :, :, 24 + 16].T, x[0, :, 25 + 4])


def test_kinect20_is_a_tree_that_every_body_converts_to():
    children = [child for child, _ in KINECT20.edges]
    assert sorted(children) == list(range(1, 20))
    assert all(KINECT20.parents[child] == parent for child, parent in KINECT20.edges)
    for left, right in KINECT20.pairs:
        name = KINECT20.landmarks[left]
        assert KINECT20.landmarks[right] == name.replace("left", "right") != name
    assert conversion("mediapipe33", KINECT20).estimated == ()
    assert conversion("ntu25", KINECT20).estimated == ()


@pytest.mark.parametrize("size", ["ntu", "ucla"])
@pytest.mark.parametrize("n_landmarks", [33, 17])
def test_trains_on_one_trial(size, n_landmarks):
    network = build(n_landmarks, size=size, **TINY).train()
    network(golden_input(0, (1, 40, n_landmarks, 3)), torch.tensor([31])).square().sum().backward()
    for name, p in network.named_parameters():
        assert p.grad is not None and torch.isfinite(p.grad).all(), name


def test_branches_are_dropped_for_whole_trials():
    network = build(drop_path=0.5, attention_dropout=0.0, **TINY).train()
    blocks = [stage.blocks[-1]["transformer"] for stage in network.stages]
    assert [block.drop_path.rate for block in blocks] == [0.0, 0.5]
    drop = blocks[-1].drop_path
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kept = drop(torch.ones(400, 2, 3, 4))
    assert set(kept.unique().tolist()) == {0.0, 2.0}
    assert (kept == kept[:, :1, :1, :1]).all()
    assert kept.mean() == pytest.approx(1, abs=0.15)
    assert torch.equal(drop.eval()(torch.ones(3, 2, 3, 4)), torch.ones(3, 2, 3, 4))


# --- refusals -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_frames": 48}, "multiple of 64 with 4 stages, got 48"),
        ({"n_frames": 24, "widths": (32, 32)}, "multiple of 16 with 2 stages, got 24"),
        ({"size": "kinetics"}, r"one of \['ntu', 'ucla', 'as_is'\], got 'kinetics'"),
        ({"n_persons": 3}, "size='ntu' takes 2 persons at most, got 3"),
        ({"size": "ucla", "n_persons": 2}, "size='ucla' takes 1 persons at most, got 2"),
        ({"n_heads": 12}, "n_heads must be a multiple of 8"),
        ({"widths": (96, 200)}, "widths multiples of n_heads"),
    ],
)
def test_impossible_sizes_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        SkateFormer(33 * params.get("n_persons", 1), 3, 1, **params)


# --- a skeleton as it is --------------------------------------------------------------------------
AS_IS = {"size": "as_is", "n_frames": 16, "widths": (16, 16), "n_blocks": 1, "n_heads": 8}


@pytest.mark.parametrize(
    ("shape", "part", "spread"),
    [((33, 3), 3, 11), ((25, 3), 5, 5), ((22, 3), 2, 11), ((17, 4), 1, 17), ((16, 2), 8, 2)],
)
def test_any_skeleton_as_it_is(shape, part, spread):
    """Known or not, no landmark is converted: each has a gradient of its own."""
    torch.manual_seed(0)
    network = SkateFormer(*shape, 2, **AS_IS).eval()
    sizes = [one.n_joints for one in network.stages[0].blocks[0]["transformer"].attention]
    assert sizes == [part, spread, part, spread]
    x = torch.randn(2, 20, *shape, requires_grad=True)
    lengths = torch.tensor([20, 11])
    clips = network.clips(x, lengths)
    assert clips.shape == (2, 3, 16, shape[0], 1)
    alone = network.clips(x[1:, :11], torch.tensor([11]))
    torch.testing.assert_close(clips[1:], alone)
    network(x, lengths)[:, 0].sum().backward()
    moved = x.grad[0].abs().sum(dim=(0, 2))
    assert (moved > 0).all() and (x.grad[1, 11:] == 0).all()


def test_weights_of_another_skeleton_fit_apart_from_its_joints():
    from skrehab.networks.weights import load_weights

    ntu = SkateFormer(25, 3, 60, **(AS_IS | {"size": "ntu"}))
    network = SkateFormer(33, 3, 1, **AS_IS)
    ends = [key for key, value in network.state_dict().items() if "gconv" in key]
    ends += [key for key in network.state_dict() if key.endswith("relative_position_bias_table")]
    ends = (*ends, "joint_person_embedding")
    report = load_weights(network, ntu.state_dict(), head="new", ends=ends)
    taken = set(report.loaded)
    assert {"stem.0.weight", "stages.1.blocks.0.transformer.mlp.fc1.weight"} <= taken
    table = "stages.0.blocks.0.transformer.attention.{}.relative_position_bias_table"
    assert table.format(0) in taken and table.format(1) not in taken
    assert "joint_person_embedding" in report.reinitialised


def test_as_is_is_for_one_person():
    with pytest.raises(ValueError, match="size='as_is' takes 1 persons at most, got 2"):
        SkateFormer(66, 3, 1, n_persons=2, **AS_IS)
