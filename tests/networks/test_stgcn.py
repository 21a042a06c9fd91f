"""ST-GCN and ST-GCN++: graphs, layers, and golden outputs of the official networks."""

import dataclasses

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from small_networks import check_padding_and_gradients, count, noise, seeded
from torch import nn

from skrehab.networks.graph._graph import (
    STRATEGIES,
    directed_stack,
    normalise_columns,
    partition,
    root,
)
from skrehab.networks.graph._hops import adjacency
from skrehab.networks.graph._network import unit_sizes
from skrehab.networks.graph.stgcn import STGCN, gather
from skrehab.networks.graph.stgcnpp import MultiScaleTemporalConv, STGCNPlusPlus
from skrehab.networks.weights import load_weights
from skrehab.skeletons import get_skeleton, list_skeletons

TINY = {"widths": (6, 8), "n_units": (1, 1), "n_frames": 16}
both = pytest.mark.parametrize("network", [STGCN, STGCNPlusPlus])
every_skeleton = pytest.mark.parametrize("name", list_skeletons())


def tiny(network, n_landmarks=17, n_coords=3, n_outputs=2, **params):
    """Build a small network whose weights do not change from run to run."""
    return seeded(network, n_landmarks, n_coords, n_outputs, **(TINY | params))


# --- graphs ---------------------------------------------------------------------------------------
@every_skeleton
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_kinds_share_out_all_neighbours(name, strategy):
    """Every joint and every bone, both ways, is in one kind; what a joint gathers sums to one."""
    skeleton = get_skeleton(name)
    kinds = partition(skeleton, strategy)
    near = adjacency(skeleton) | np.eye(skeleton.n_landmarks, dtype=bool)
    np.testing.assert_array_equal((kinds > 0).sum(axis=0), near)
    np.testing.assert_allclose(kinds.sum(axis=0), near / near.sum(axis=0), rtol=1e-6)
    assert len(kinds) == {"uniform": 1, "distance": 2}.get(strategy, 3)
    if strategy != "uniform":
        assert ((kinds[0] > 0) == np.eye(len(near), dtype=bool)).all()


def test_the_paper_tells_outer_from_inner_neighbours_everywhere():
    skeleton = get_skeleton("ntu25")
    shoulder, elbow, wrist = (skeleton.index(f"left_{x}") for x in ("shoulder", "elbow", "wrist"))
    _, farther, nearer = partition(skeleton, "spatial_paper")
    # the elbow has three neighbours, itself among them
    assert farther[wrist, elbow] == nearer[shoulder, elbow] == np.float32(1 / 3)
    assert farther[shoulder, elbow] == nearer[wrist, elbow] == 0
    np.testing.assert_array_equal(farther > 0, (nearer > 0).T)  # no two neighbours equally far


def test_the_released_code_tells_them_apart_only_around_the_centre():
    skeleton = get_skeleton("ntu25")
    shoulder, elbow, wrist = (skeleton.index(f"left_{x}") for x in ("shoulder", "elbow", "wrist"))
    _, second, third = partition(skeleton, "spatial")
    assert third[shoulder, elbow] > 0 == second[shoulder, elbow]
    assert second[wrist, elbow] > 0 and second[elbow, wrist] > 0  # beyond two bones: both ways
    links = {(skeleton.landmarks[j], skeleton.landmarks[i]) for j, i in np.argwhere(third > 0)}
    from_centre = {("spine_shoulder", x) for x in ("neck", "spine_mid")}
    from_centre |= {("spine_shoulder", f"{side}_shoulder") for side in ("left", "right")}
    one_out = {(f"{side}_shoulder", f"{side}_elbow") for side in ("left", "right")}
    assert links == from_centre | one_out | {("neck", "head"), ("spine_mid", "spine_base")}


def test_neighbours_as_far_from_the_centre_are_not_nearer():
    """MediaPipe's shoulders are joined, and both a bone from the nose."""
    skeleton = get_skeleton("mediapipe33")
    _, second, third = partition(skeleton, "spatial_paper")
    assert second[11, 12] > 0 and second[12, 11] > 0
    assert third[11, 12] == third[12, 11] == 0


@every_skeleton
def test_the_directed_stack_goes_in_and_out(name):
    skeleton = get_skeleton(name)
    itself, inward, outward = directed_stack(skeleton)
    np.testing.assert_array_equal(itself, np.eye(skeleton.n_landmarks))
    np.testing.assert_array_equal(inward > 0, (outward > 0).T)
    for child, parent in enumerate(skeleton.parents):
        expected = np.arange(skeleton.n_landmarks) == parent  # all zeros for the root
        np.testing.assert_array_equal(inward[:, child], expected)
    n_children = np.bincount([p for p in skeleton.parents if p >= 0], minlength=len(inward))
    np.testing.assert_allclose(outward.sum(axis=0), n_children > 0, rtol=1e-6)
    for parent in np.flatnonzero(n_children):
        shares = outward[:, parent][outward[:, parent] > 0]
        np.testing.assert_allclose(shares, 1 / n_children[parent], rtol=1e-6)


def test_normalised_columns_sum_to_one_or_stay_zero():
    matrix = np.array([[[1, 0, 2], [3, 0, 2], [0, 0, 4]]])
    expected = [[[0.25, 0, 0.25], [0.75, 0, 0.25], [0, 0, 0.5]]]
    np.testing.assert_array_equal(normalise_columns(matrix), expected)


def test_what_cannot_be_a_graph_is_refused():
    skeleton = get_skeleton("mediapipe33")
    with pytest.raises(ValueError, match=r"strategy must be one of .*'uniform'.* got 'round'"):
        STGCN(33, 3, 1, strategy="round")
    official = dataclasses.replace(skeleton, edges=skeleton.edges[:35])
    with pytest.raises(ValueError, match=r"mediapipe33 falls into pieces: no way from nose to .*l"):
        partition(official)
    rootless = dataclasses.replace(skeleton, parents=(-1, -1, *skeleton.parents[2:]))
    with pytest.raises(ValueError, match=r"one joint without a parent.*'left_eye_inner'\]"):
        root(rootless)


# --- golden ---------------------------------------------------------------------------------------
def test_stgcn_equals_the_official_network():
    case = golden_case("stgcn_ntu25_nc20")
    network = STGCN(25, 3, 20)
    check_layout(network, case)
    fill(network)
    clips = golden_input(6, (2, 3, 64, 25, 1))
    trials = clips[..., 0].permute(0, 2, 3, 1)  # (batch, frames, landmarks, coords)
    with torch.no_grad():
        check_outputs(network.classify(clips), case)
        check_outputs(network(trials), case)


def test_stgcnpp_equals_the_official_network():
    case = golden_case("pyskl_stgcnpp_coco17_nc4")
    network = STGCNPlusPlus(34, 3, 4, skeleton="coco17", n_persons=2)
    check_layout(network, case)
    fill(network, skip=[".A"])
    clips = golden_input(20, (1, 2, 50, 17, 3)).permute(0, 4, 2, 3, 1)  # from (N, M, T, V, C)
    with torch.no_grad():
        check_outputs(network.classify(clips), case)


def test_numbers_of_parameters():
    assert count(STGCN(25, 3, 60)) == count(STGCN(50, 3, 60, skeleton="ntu25", n_persons=2))
    assert count(STGCN(25, 3, 60)) == 3_098_832
    assert count(STGCN(25, 3, 20, strategy="distance")) == 2_863_614
    assert count(STGCN(25, 3, 20, strategy="uniform")) == 2_638_676
    assert count(STGCN(33, 3, 1)) == 3_097_637
    assert count(STGCNPlusPlus(33, 3, 1)) == 1_401_949


# --- layers ---------------------------------------------------------------------------------------
def test_gathering_is_the_sum_over_neighbours():
    """Equation 10, joint by joint."""
    x, graphs = noise(2, 3 * 4, 5, 6), noise(3, 6, 6, seed=1)
    expected = torch.zeros(2, 4, 5, 6)
    for kind in range(3):
        for i in range(6):
            for j in range(6):
                expected[..., i] += graphs[kind, j, i] * x[:, 4 * kind : 4 * kind + 4, :, j]
    torch.testing.assert_close(gather(x, graphs), expected)


def test_stages_halve_the_frames():
    assert unit_sizes(3, (8, 16), (2, 3)) == [
        *((3, 8, 1), (8, 8, 1)),
        *((8, 16, 2), (16, 16, 1), (16, 16, 1)),
    ]
    network, seen = tiny(STGCN, widths=(4, 8, 12), n_units=(1, 2, 1), n_frames=20), []
    for unit in network.st_gcn_networks:
        unit.register_forward_hook(lambda module, inputs, out: seen.append(tuple(out.shape[1:])))
    network(noise(1, 50, 17, 3))
    assert seen == [(4, 20, 17), (8, 10, 17), (8, 10, 17), (12, 5, 17)]


def test_branches_share_out_the_channels():
    """Six branches; the first takes what is left over."""
    layer = MultiScaleTemporalConv(64, stride=2)
    assert [branch[0].out_channels for branch in layer.branches[:5]] == [14, 10, 10, 10, 10]
    assert layer.branches[5].out_channels == 10
    assert [branch[3].conv.dilation for branch in layer.branches[:4]] == [
        (dilation, 1) for dilation in (1, 2, 3, 4)
    ]
    assert layer(noise(1, 64, 8, 3)).shape == (1, 64, 4, 3)
    with pytest.raises(ValueError, match=r"widths must be at least 6, got \(5, 8\)"):
        STGCNPlusPlus(17, 2, 1, widths=(5, 8), n_units=(1, 1))


def test_the_first_unit_of_stgcn_drops_nothing():
    network = STGCN(17, 2, 1, widths=(4, 8), n_units=(2, 1))
    rates = [unit.tcn[4].p for unit in network.st_gcn_networks]
    assert rates == [0.0, 0.5, 0.5]
    assert isinstance(network.st_gcn_networks[1].residual, nn.Identity)
    assert network.st_gcn_networks[0].residual is None


def test_graphs_are_learned_from_where_the_skeleton_puts_them():
    plus, plain = tiny(STGCNPlusPlus), tiny(STGCN)
    graphs = torch.from_numpy(directed_stack(get_skeleton("coco17")))
    for unit in plus.backbone.gcn:
        torch.testing.assert_close(unit.gcn.A.detach(), graphs, rtol=0, atol=0)
    assert unit.gcn.A is not plus.backbone.gcn[0].gcn.A
    plus(noise(2, 20, 17, 3)).sum().backward()
    assert (unit.gcn.A.grad[graphs == 0] != 0).any()  # links that the skeleton does not have
    torch.testing.assert_close(plain.A, torch.from_numpy(partition(get_skeleton("coco17"))))
    plain(noise(2, 20, 17, 3)).sum().backward()
    importance = plain.edge_importance[0]
    assert (importance == 1).all()
    assert ((importance.grad != 0) <= (plain.A > 0)).all()  # nothing beyond the skeleton's links


# --- trials ---------------------------------------------------------------------------------------
@both
@pytest.mark.parametrize("n_landmarks", [33, 17])
def test_padding_and_gradients(network, n_landmarks):
    check_padding_and_gradients(tiny(network, n_landmarks), n_landmarks)


@both
def test_persons_are_seen_by_the_same_weights(network):
    """Two alike are as one, two unlike the mean of features; a missing one counts as zeros."""
    one, two = tiny(network), tiny(network, 34, skeleton="coco17", n_persons=2)
    a, b, nobody = noise(2, 20, 17, 3), noise(2, 20, 17, 3, seed=1), torch.zeros(2, 20, 17, 3)
    assert one.state_dict().keys() == two.state_dict().keys()
    with torch.no_grad():
        pair = lambda x, y: two(torch.cat([x, y], dim=2))  # noqa: E731
        close = {"rtol": 1e-4, "atol": 1e-5}
        torch.testing.assert_close(pair(a, a), one(a), **close)
        torch.testing.assert_close(pair(a, b), (one(a) + one(b)) / 2, **close)  # the end is linear
        torch.testing.assert_close(tiny(network, max_persons=2)(a), pair(a, nobody), **close)


@both
@pytest.mark.parametrize("n_coords", [2, 4])
def test_any_number_of_coordinates_trains(network, n_coords):
    small = tiny(network, n_coords=n_coords, dropout=0.2).train()
    small(noise(1, 9, 17, n_coords)).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in small.parameters())


@both
def test_weights_of_another_skeleton_fit_but_for_the_ends(network):
    published, own = tiny(network, 25, 3, 5), tiny(network, 33, 2, 1)
    graphs = {name: a.clone() for name, a in own.state_dict().items() if name.endswith("A")}
    report = load_weights(
        own, published.state_dict(), head="new", head_prefix=own.head_prefix, ends=own.ends
    )
    assert all(name.startswith((*own.ends, own.head_prefix)) for name in report.reinitialised)
    assert len(report.loaded) > 20 and not report.unused
    state = own.state_dict()
    for name, graph in graphs.items():
        torch.testing.assert_close(state[name], graph, rtol=0, atol=0)
