"""CTR-GCN: its refined graphs, and the network against golden outputs of the official one."""

import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from small_networks import check_padding_and_gradients, noise, seeded

from skrehab.networks.graph._graph import directed_stack
from skrehab.networks.graph.ctrgcn import CTRGCN, TopologyRefinement
from skrehab.networks.weights import load_weights
from skrehab.skeletons import get_skeleton

TINY = {"widths": (4, 8), "n_units": (1, 1), "n_frames": 16}


def tiny(n_landmarks=17, n_coords=3, n_outputs=2, **params):
    """Build a small network whose weights do not change from run to run."""
    return seeded(CTRGCN, n_landmarks, n_coords, n_outputs, **(TINY | params))


# --- golden ---------------------------------------------------------------------------------------
def test_equals_the_official_network():
    case = golden_case("ctrgcn_ntu25_nc20_m1_keepPA")
    network = CTRGCN(25, 3, 20)
    check_layout(network, case)
    fill(network, skip=[".PA"])
    clips = golden_input(3, (2, 3, 64, 25, 1))
    trials = clips[..., 0].permute(0, 2, 3, 1)  # (batch, frames, landmarks, coords)
    with torch.no_grad():
        check_outputs(network.classify(clips), case)
        check_outputs(network(trials), case)


@pytest.mark.parametrize(
    ("n_outputs", "n_persons", "expected"),
    [(120, 2, 1_462_092), (60, 2, 1_446_672), (20, 1, 1_436_242)],
)
def test_number_of_parameters(n_outputs, n_persons, expected):
    network = CTRGCN(25 * n_persons, 3, n_outputs, skeleton="ntu25", n_persons=n_persons)
    assert sum(p.numel() for p in network.parameters()) == expected
    assert len(network.state_dict()) == 822


def test_number_of_parameters_of_mediapipe():
    assert sum(p.numel() for p in CTRGCN(33, 3, 1).parameters()) == 1_445_327


# --- layers ---------------------------------------------------------------------------------------
def test_refinement_is_the_equation():
    """Channel c of joint u: sum over v of (A[u, v] + alpha Q[c, u, v]) times what v gives."""
    layer = TopologyRefinement(16, 4)
    x, graph, alpha = noise(2, 16, 7, 5), noise(5, 5, seed=1), torch.tensor([0.7])
    with torch.no_grad():
        values = layer.conv3(x)
        # a convolution of kernel one before the mean over time is the same as after it
        to, of = layer.conv1(x).mean(dim=2), layer.conv2(x).mean(dim=2)
        expected = torch.zeros(2, 4, 7, 5)
        for u in range(5):
            for v in range(5):
                difference = torch.tanh(to[:, :, u] - of[:, :, v])
                relation = layer.conv4(difference[:, :, None, None])  # (2, 4, 1, 1)
                expected[..., u] += (alpha * relation[..., 0] + graph[u, v]) * values[..., v]
        torch.testing.assert_close(layer(x, graph, alpha), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("n_in", "expected"), [(3, 8), (9, 8), (64, 8), (128, 16), (16, 2), (4, 1), (2, 1)]
)
def test_number_of_relations(n_in, expected):
    layer = TopologyRefinement(n_in, 4)
    assert layer.conv1.out_channels == layer.conv2.out_channels == expected
    assert layer.conv4.in_channels == expected


def test_starts_like_the_original():
    network = tiny()
    graphs = torch.from_numpy(directed_stack(get_skeleton("coco17")))
    for unit in (network.l1, network.l2):
        torch.testing.assert_close(unit.gcn1.PA.detach(), graphs, rtol=0, atol=0)
        assert unit.gcn1.alpha.item() == 0
        assert (unit.gcn1.bn.weight == torch.tensor(1e-6)).all()
        assert (unit.tcn1.branches[0][1].weight == 1).all()
    big = CTRGCN(17, 3, 1, widths=(64, 128), n_units=(1, 1))
    conv = big.l2.tcn1.branches[0][3].conv  # 32 channels, five frames
    assert conv.weight.std().item() == pytest.approx((2 / (32 * 5)) ** 0.5, rel=0.05)
    assert (conv.bias == 0).all()


def test_graphs_refine_once_alpha_leaves_zero():
    network, x = tiny(), noise(2, 20, 17, 3)
    network.train()(x).square().sum().backward()
    assert network.l1.gcn1.alpha.grad.abs() > 0
    network.zero_grad()
    with torch.no_grad():
        network.l1.gcn1.alpha.fill_(0.5)
    network(x).square().sum().backward()
    for name in ("conv1", "conv2", "conv4"):
        assert network.l1.gcn1.convs[0].get_parameter(f"{name}.weight").grad.abs().sum() > 0


def test_stages_halve_the_frames():
    network, seen = tiny(widths=(4, 8, 12), n_units=(2, 1, 1), n_frames=20), []
    for number in range(1, 5):
        network.get_submodule(f"l{number}").register_forward_hook(
            lambda module, inputs, out: seen.append(tuple(out.shape[1:]))
        )
    network(noise(1, 50, 17, 3))
    assert seen == [(4, 20, 17), (4, 20, 17), (8, 10, 17), (12, 5, 17)]
    with pytest.raises(ValueError, match=r"widths must be multiples of 4, got \(4, 6\)"):
        tiny(widths=(4, 6))


# --- trials ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("n_landmarks", [33, 17])
def test_padding_and_gradients(n_landmarks):
    check_padding_and_gradients(tiny(n_landmarks), n_landmarks)


def test_each_person_is_normalised_alone():
    """Unlike ST-GCN's, the normalisation at the entrance knows who is first and who is second."""
    two = tiny(34, skeleton="coco17", n_persons=2)
    assert two.data_bn.num_features == 2 * tiny().data_bn.num_features == 2 * 17 * 3
    a, b = noise(2, 20, 17, 3), noise(2, 20, 17, 3, seed=1)
    with torch.no_grad():
        as_one = two(torch.cat([a, b], dim=2)), two(torch.cat([b, a], dim=2))
        torch.testing.assert_close(*as_one, rtol=1e-4, atol=1e-5)
        two.data_bn.running_mean[: 17 * 3] = 1.0
        assert not torch.allclose(two(torch.cat([a, b], dim=2)), two(torch.cat([b, a], dim=2)))


@pytest.mark.parametrize("n_coords", [2, 4])
def test_any_number_of_coordinates_trains(n_coords):
    network = tiny(n_coords=n_coords, dropout=0.2).train()
    network(noise(1, 9, 17, n_coords)).square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters())


def test_weights_of_another_skeleton_fit_but_for_the_ends():
    published, own = tiny(25, 3, 5), tiny(33, 2, 1)
    graphs = own.l2.gcn1.PA.clone()
    report = load_weights(
        own, published.state_dict(), head="new", head_prefix=own.head_prefix, ends=own.ends
    )
    assert all(name.startswith((*own.ends, own.head_prefix)) for name in report.reinitialised)
    assert len(report.loaded) > 50 and not report.unused
    torch.testing.assert_close(own.l2.gcn1.PA, graphs, rtol=0, atol=0)
    torch.testing.assert_close(own.l2.gcn1.bn.weight, published.l2.gcn1.bn.weight)
