"""MS-G3D: its graphs, and the network against golden outputs of the official one."""

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from small_networks import (
    check_any_shape,
    check_one_trial_trains,
    check_persons_averaged,
    check_slope,
    noise,
    seeded,
)
from torch import nn

from skrehab.networks.graph._hops import (
    adjacency,
    hop_distances,
    hop_graphs,
    spread_over_window,
)
from skrehab.networks.graph.msg3d import MSG3D, MultiScaleGraphConv, MultiScaleTemporalConv
from skrehab.skeletons import get_skeleton, list_skeletons

TINY = {"widths": (6, 12), "windows": (3,), "n_gcn_scales": 4, "n_g3d_scales": 2, "n_frames": 16}


def tiny(n_landmarks=17, n_coords=3, n_outputs=2, **params):
    """Build a small network whose weights do not change from run to run."""
    return seeded(MSG3D, n_landmarks, n_coords, n_outputs, **(TINY | params))


# --- graphs ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", list_skeletons())
def test_every_pair_of_joints_has_one_distance(name):
    """Off the diagonal, the scales share out all pairs; the diagonal is in each of them."""
    joined = adjacency(get_skeleton(name))
    distances = hop_distances(joined)
    assert (distances >= 0).all() and (distances == distances.T).all()
    assert ((distances == 1) == joined).all()
    n_joints = len(joined)
    present = hop_graphs(joined, distances.max() + 1) > 0
    pairs = present.sum(dim=0) - (len(present) - 1) * torch.eye(n_joints, dtype=int)
    assert (pairs == 1).all()


def test_distances_are_those_of_known_joints():
    skeleton = get_skeleton("ntu25")
    distances = hop_distances(adjacency(skeleton))
    joint = skeleton.index
    # foot, ankle, knee, hip, base, mid, shoulders' spine, shoulder, elbow, wrist, hand, thumb, tip
    assert distances[joint("left_foot"), joint("left_hand_tip")] == 12 == distances.max()
    assert distances[joint("head"), joint("neck")] == 1
    assert distances[joint("left_hip"), joint("right_hip")] == 2


def test_scales_beyond_the_diameter_are_self_loops():
    graphs = hop_graphs(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=bool), 5)
    half, root = 1 / 2, 1 / 6**0.5
    expected = {
        0: np.eye(3),
        1: [[half, root, 0], [root, 1 / 3, root], [0, root, half]],
        2: [[half, 0, half], [0, 1, 0], [half, 0, half]],
        3: np.eye(3),
        4: np.eye(3),
    }
    for k, graph in expected.items():
        np.testing.assert_allclose(graphs[k], graph, rtol=1e-6)


def test_a_window_joins_neighbours_of_all_its_frames():
    """A joint is one step from itself in the next frame; a foot stays far from a hand."""
    skeleton = get_skeleton("ntu25")
    joined = adjacency(skeleton)
    flat = hop_distances(joined)
    distances = hop_distances(spread_over_window(joined, 3))
    expected = np.tile(flat, (3, 3))
    other_frame = np.kron(1 - np.eye(3, dtype=int), np.eye(25, dtype=int)) == 1
    expected[other_frame] = 1
    assert (distances == expected).all()


# --- golden ---------------------------------------------------------------------------------------
def test_equals_the_official_network():
    case = golden_case("msg3d_ntu25_nc4_m1")
    network = MSG3D(25, 3, 4, n_frames=48)
    check_layout(network, case)
    fill(network)
    clips = golden_input(5, (2, 3, 48, 25, 1))
    with torch.no_grad():
        check_outputs(network.classify(clips), case)
        trials = clips[..., 0].permute(0, 2, 3, 1).contiguous()
        check_outputs(network(trials), case)


@pytest.mark.parametrize(
    ("n_landmarks", "n_outputs", "params", "expected"),
    [
        (50, 60, {"n_persons": 2}, 3_194_595),
        (50, 120, {"n_persons": 2}, 3_217_695),
        (25, 60, {"max_persons": 2}, 3_194_595),
        (33, 60, {"target": "ntu25", "max_persons": 2, "coords": "xyz"}, 3_194_595),
        (
            36,
            400,
            {"skeleton": "openpose18", "n_persons": 2, "n_gcn_scales": 8, "n_g3d_scales": 8},
            3_144_328,
        ),
        (25, 4, {}, 3_172_885),
        (34, 4, {"n_persons": 2}, 2_954_203),
    ],
)
def test_number_of_parameters(n_landmarks, n_outputs, params, expected):
    network = MSG3D(n_landmarks, 3, n_outputs, **params)
    assert sum(p.numel() for p in network.parameters()) == expected


def test_pyskl_weights_make_the_same_graphs():
    """PYSKL keeps column-normalised graphs and applies their transpose."""
    network = tiny(17, 3, 2)
    state = {}
    for key, value in network.state_dict().items():
        key = "cls_head.fc_cls." + key[3:] if key.startswith("fc.") else "backbone." + key
        if key.endswith("A_res"):
            n_scales = len(value) // value.shape[1]
            n_nodes = value.shape[1]
            joined = adjacency(get_skeleton("coco17"))
            joined = joined if n_nodes == 17 else spread_over_window(joined, n_nodes // 17)
            graphs = (hop_graphs(joined, n_scales) > 0).float()
            graphs = graphs / graphs.sum(dim=1, keepdim=True)
            state[key[:-5] + "A"] = graphs
            state[key[:-5] + "PA"] = 0.1 * noise(*graphs.shape, seed=len(state))
        else:
            state[key] = value
    state["backbone.A"] = torch.eye(17)
    network.load_state_dict(MSG3D.official_state(state), strict=True)
    n_compared = 0
    for name, module in network.named_modules():
        if isinstance(module, MultiScaleGraphConv):
            published = state[f"backbone.{name}.A"] + state[f"backbone.{name}.PA"]
            ours = (module.graphs + module.A_res).reshape(published.shape)
            torch.testing.assert_close(ours, published.mT, rtol=1e-5, atol=1e-6)
            n_compared += 1
    assert n_compared == 4
    assert torch.equal(network.fc.weight, state["cls_head.fc_cls.weight"])


def test_authors_weights_keep_their_names():
    state = tiny().state_dict()
    wrapped = {f"module.{key}": value for key, value in state.items()}
    assert MSG3D.official_state(wrapped).keys() == state.keys()


# --- behaviour ------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(1, 1, 33, 3), (2, 31, 17, 4), (3, 90, 25, 3), (2, 20, 22, 2)])
def test_any_skeleton_and_number_of_coordinates(shape):
    check_any_shape(tiny, shape)


def test_persons_are_averaged_and_may_be_missing():
    check_persons_averaged(tiny)


def test_trains_on_one_trial_without_touching_it():
    check_one_trial_trains(tiny(17, 2, 1, dropout=0.5))


def test_no_operation_is_in_place():
    assert not [m for m in MSG3D(17, 2, 1).modules() if getattr(m, "inplace", False)]


def test_a_saliency_step_agrees_with_differences():
    check_slope(tiny(17, 2, 1))


def test_impossible_sizes_are_refused():
    with pytest.raises(ValueError, match=r"widths must be multiples of 6, got \(64,\)"):
        MSG3D(17, 3, 1, widths=(64,))
    with pytest.raises(ValueError, match=r"windows must be odd numbers of frames, got \(4,\)"):
        MSG3D(17, 3, 1, windows=(4,))


def test_learned_graphs_start_at_almost_nothing():
    for name, p in tiny().named_parameters():
        if name.endswith("A_res"):
            assert 0 < p.abs().max() <= 1e-6


def test_strides_halve_the_frames():
    x = noise(1, 12, 17, 4)
    for n_frames in (16, 17):
        layer = MultiScaleTemporalConv(12, 24, stride=2)
        assert layer(noise(1, 12, n_frames, 4)).shape == (1, 24, (n_frames + 1) // 2, 4)
    assert isinstance(MultiScaleTemporalConv(12, 12).residual, nn.Identity)
    assert torch.equal(MultiScaleTemporalConv(12, 12)(x).min(), torch.tensor(0.0))
