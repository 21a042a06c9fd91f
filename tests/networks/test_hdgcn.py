"""HD-GCN: its hierarchy, and the network against golden outputs of the official one."""

import copy
import dataclasses

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

from skrehab.networks.graph._hierarchy import hierarchy_graphs, hierarchy_groups
from skrehab.networks.graph.hdgcn import HDGCN, EdgeConv, HierarchyAttention
from skrehab.skeletons import get_skeleton, list_skeletons

TINY = {"widths": (8, 16), "n_units": (1, 1), "n_levels": 2, "n_frames": 16}


def tiny(n_landmarks=17, n_coords=3, n_outputs=2, **params):
    """Build a small network."""
    return seeded(HDGCN, n_landmarks, n_coords, n_outputs, **(TINY | params))


# --- hierarchy ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", list_skeletons())
@pytest.mark.parametrize("n_levels", [None, 1, 3])
def test_every_joint_is_in_one_group(name, n_levels):
    skeleton = get_skeleton(name)
    groups = hierarchy_groups(skeleton, n_levels=n_levels)
    assert sorted(joint for group in groups for joint in group) == list(range(skeleton.n_landmarks))
    assert n_levels is None or len(groups) == n_levels + 1
    for left, right in skeleton.pairs:  # a hierarchy is its own mirror image
        assert [left in group for group in groups] == [right in group for group in groups]


@pytest.mark.parametrize("com", [1, 2, 21])
def test_published_groups_of_kinect(com):
    skeleton = get_skeleton("ntu25")
    groups = hierarchy_groups(skeleton, com)
    assert len(groups) == 7 and groups[0] == [com - 1]
    assert sorted(joint for group in groups for joint in group) == list(range(25))
    assert groups == hierarchy_groups(get_skeleton("kinect25"), skeleton.landmarks[com - 1])
    # distances where thumb and tip both hang from the hand, all the rest in the last group
    edges = [*skeleton.edges, (21, 7), (23, 11)]
    edges = tuple(edge for edge in edges if edge not in [(21, 22), (23, 24)])
    plain = dataclasses.replace(skeleton, name="plain", edges=edges)
    distances = hierarchy_groups(plain, com)
    rest = sorted(joint for group in distances[6:] for joint in group)
    assert groups == [*distances[:6], rest]
    assert (groups == hierarchy_groups(skeleton)) == (com == 21)  # the default


def test_a_hierarchy_may_start_anywhere():
    skeleton = get_skeleton("mediapipe33")
    assert hierarchy_groups(skeleton)[0] == [skeleton.index("nose")]
    groups = hierarchy_groups(skeleton, "left_hip")
    assert groups[0] == [23] and groups[1] == [11, 24, 25]
    assert groups == hierarchy_groups(skeleton, 24)
    # the neck of NTU has no published table: its bones' distances
    neck = hierarchy_groups(get_skeleton("ntu25"), 3)
    assert neck[:2] == [[2], [3, 20]]


def test_impossible_hierarchies_are_refused():
    coco = get_skeleton("coco17")
    with pytest.raises(ValueError, match=r"com must be a joint of coco17, 1 to 17, got 21"):
        hierarchy_groups(coco, 21)
    with pytest.raises(ValueError, match=r"n_levels must be 1 to 4 for coco17, got 5"):
        hierarchy_groups(coco, n_levels=5)
    with pytest.raises(ValueError, match=r"n_levels must be 1 to 4 for coco17, got 0"):
        hierarchy_groups(coco, n_levels=0)
    with pytest.raises(ValueError, match=r"coco17 has no landmark 'tail'"):
        hierarchy_groups(coco, "tail")
    edges = tuple(edge for edge in coco.edges if 5 not in edge)
    broken = dataclasses.replace(coco, name="broken", edges=edges)
    with pytest.raises(ValueError, match=r"broken falls into pieces: .*'left_shoulder'.*edges"):
        hierarchy_groups(broken)


def test_graphs_join_whole_groups():
    graphs = hierarchy_graphs([[1], [0, 3], [2]], 4)
    assert graphs.shape == (2, 3, 4, 4)
    assert torch.equal(graphs[0, 0], torch.diag(torch.tensor([1.0, 1, 0, 1])))
    assert torch.equal(graphs[1, 0], torch.diag(torch.tensor([1.0, 0, 1, 1])))
    # columns send, rows receive; what a joint sends sums to one
    assert torch.equal(graphs[0, 1].nonzero(), torch.tensor([[0, 1], [3, 1]]))
    assert torch.equal(graphs[0, 2].nonzero(), torch.tensor([[1, 0], [1, 3]]))
    assert set(graphs[:, 1:].sum(dim=2).ravel().tolist()) == {0.0, 1.0}


# --- golden ---------------------------------------------------------------------------------------
def test_equals_the_official_network():
    case = golden_case("hdgcn_ntu25_com1_nc20_m1_keepPA")
    network = HDGCN(25, 3, 20, com=1)
    check_layout(network, case)
    fill(network, skip=(".conv_d.", ".PA"))
    clips = golden_input(4, (2, 3, 64, 25, 1))
    with torch.no_grad():
        check_outputs(network.classify(clips), case)
        trials = clips[..., 0].permute(0, 2, 3, 1).contiguous()
        check_outputs(network(trials), case)


@pytest.mark.parametrize(
    ("n_landmarks", "n_outputs", "params", "expected"),
    [
        (50, 120, {"n_persons": 2}, 1_675_400),
        (50, 60, {"n_persons": 2, "com": 2}, 1_659_980),
        (33, 60, {"target": "ntu25", "max_persons": 2, "coords": "xyz"}, 1_659_980),
        (25, 20, {"com": 21}, 1_649_550),
        (17, 20, {"n_levels": 1}, 839_832),
        (17, 20, {"n_levels": 2}, 989_670),
    ],
)
def test_number_of_parameters(n_landmarks, n_outputs, params, expected):
    network = HDGCN(n_landmarks, 3, n_outputs, **params)
    assert sum(p.numel() for p in network.parameters()) == expected


def test_second_names_are_the_same_weights():
    """Also after a copy and a load, whichever name comes last."""
    network = copy.deepcopy(tiny())
    state = {key: torch.randn_like(value.float()) for key, value in network.state_dict().items()}
    for key in state:
        if ".conv_d." in key:
            state[key] = state[key.replace(".conv_d.", ".conv.1.")]
    network.load_state_dict(state, strict=True)
    gcn = network.l2.gcn1
    assert gcn.conv_d[0][0].weight is gcn.conv[1][0][0].weight
    torch.testing.assert_close(gcn.conv[1][0][0].weight.data, state["l2.gcn1.conv.1.0.0.weight"])
    assert torch.equal(gcn.PA, state["l2.gcn1.PA"])


# --- blocks ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(("n_nodes", "k"), [(9, 4), (3, 5), (1, 3)])
def test_edge_convolution_of_every_node_with_its_nearest(n_nodes, k):
    layer = seeded(EdgeConv, 6, 4, k)
    x = noise(2, 6, n_nodes)
    mix = layer.conv[0].weight.detach().double().numpy()[:, :, 0, 0]
    scale = 1 / np.sqrt(1 + layer.conv[1].eps)
    expected = np.empty((2, 4, n_nodes))
    for b, points in enumerate(x.double().numpy().transpose(0, 2, 1)):
        for i, point in enumerate(points):
            order = np.argsort(((points - point) ** 2).sum(axis=1))[:k]
            edges = np.array([mix @ np.concatenate([points[j] - point, point]) for j in order])
            edges = np.where(edges > 0, edges, 0.2 * edges) * scale
            expected[b, :, i] = edges.max(axis=0)
    with torch.no_grad():
        np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_attention_weighs_each_edge_of_the_hierarchy():
    """With equal gates it is a plain sum; a gate that is shut removes its edge."""
    groups = [[0], [1, 2], [3]]
    attention = seeded(HierarchyAttention, 8, groups, 4)
    x = noise(2, 8, 2, 5, 4)
    with torch.no_grad():
        attention.aggregate.weight.zero_()
        attention.aggregate.bias.zero_()
        torch.testing.assert_close(attention(x), x.sum(dim=2) / 2)
        attention.aggregate.bias.fill_(-100.0)
        assert attention(x).abs().max() < 1e-6
    # an edge's gate is read from its own joints alone
    np.testing.assert_allclose(
        attention.members, [[1 / 3, 1 / 3, 1 / 3, 0], [0, 1 / 3, 1 / 3, 1 / 3]], rtol=1e-6
    )


# --- behaviour ------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(1, 1, 33, 3), (2, 31, 17, 4), (3, 90, 25, 3), (2, 20, 22, 2)])
def test_any_skeleton_and_number_of_coordinates(shape):
    check_any_shape(tiny, shape)


def test_persons_are_averaged_and_may_be_missing():
    check_persons_averaged(tiny)


@pytest.mark.parametrize("n_levels", [1, 2])
def test_trains_on_one_trial_without_touching_it(n_levels):
    """One edge and one trial leave the attention's normalisation a single value."""
    check_one_trial_trains(tiny(17, 2, 1, dropout=0.5, n_levels=n_levels))


def test_no_operation_is_in_place():
    assert not [m for m in HDGCN(17, 2, 1).modules() if getattr(m, "inplace", False)]


def test_a_saliency_step_agrees_with_differences():
    """The gradient on one coordinate is the slope of the logit (in double precision)."""
    network = tiny(17, 2, 1)
    with torch.no_grad():  # as built, the graph's part is scaled by a millionth
        for key, p in network.named_parameters():
            if key.endswith("gcn1.bn.weight"):
                p.fill_(1.0)
    check_slope(network)


def test_starts_near_the_identity():
    """The graph's part of each unit enters with a weight of 1e-6, its graphs are the hierarchy."""
    network = tiny()
    graphs = hierarchy_graphs(hierarchy_groups(get_skeleton("coco17"), n_levels=2), 17)
    for unit in (network.l1, network.l2):
        assert torch.equal(unit.gcn1.PA, graphs)
        assert (unit.gcn1.bn.weight == 1e-6).all()


def test_impossible_widths_are_refused():
    with pytest.raises(ValueError, match=r"widths must be multiples of 4, got \(6, 12\)"):
        HDGCN(17, 3, 1, widths=(6, 12), n_units=(1, 1))
    with pytest.raises(ValueError, match=r"n_units must have one number for each .*\(4, 3, 3\)"):
        HDGCN(17, 3, 1, widths=(8, 16))
