"""PoseConv3D: parity with the official network, and heat-maps that gradients pass through."""

import math

import numpy as np
import pytest
import torch
from golden_check import check_layout, check_outputs, fill, golden_case, golden_input
from small_networks import noise

from skrehab.networks.sequence._heatmaps import compact, heatmaps
from skrehab.networks.sequence.posec3d import PoseC3D

TINY = {"base_channels": 4, "stage_blocks": (1, 1, 1), "image_size": 16, "n_frames": 12}


def test_posec3d_equals_the_official_network():
    case = golden_case("posec3d_slowonly_r50_463_nc4")
    network = PoseC3D(17, 3, 4)
    check_layout(network, case)
    fill(network)
    with torch.no_grad():
        check_outputs(network.classify_film(golden_input(7, (1, 17, 48, 56, 56)).abs()), case)


def test_numbers_of_parameters():
    with torch.device("meta"):
        network = PoseC3D(33, 3, 60)
        kinetics = PoseC3D(17, 2, 60, stage_blocks=(3, 4, 6))
    assert sum(p.numel() for p in network.parameters()) == 2_024_860
    assert sum(p.numel() for p in network.backbone.parameters()) == 1_994_080
    assert len(kinetics.state_dict()) == len(network.state_dict())  # 13 blocks either way
    assert len(kinetics.backbone.layer3) == 6
    with pytest.raises(ValueError, match=r"one to three stages, got \(1, 1, 1, 1\)"):
        PoseC3D(17, 2, 1, stage_blocks=(1, 1, 1, 1))


def test_shapes_of_the_stages():
    network = PoseC3D(17, 3, 4, base_channels=4, stage_blocks=(1, 1, 1)).eval()
    seen = []
    for name in network.backbone.stages:
        getattr(network.backbone, name).register_forward_hook(
            lambda module, inputs, output: seen.append(tuple(output.shape[1:]))
        )
    with torch.no_grad():
        network(noise(1, 30, 17, 3))
    assert seen == [(16, 48, 28, 28), (32, 48, 14, 14), (64, 24, 7, 7)]


def test_starts_like_the_original():
    network = PoseC3D(17, 3, 50, base_channels=8)
    for name, p in network.named_parameters():
        if name.endswith("conv3.bn.weight"):
            assert (p <= 1e-6).all() and (p > 0).all()
    assert 0.009 < network.cls_head.fc_cls.weight.std() < 0.011
    conv = network.backbone.conv1.conv.weight
    assert conv.std().item() == pytest.approx(math.sqrt(2 / (8 * 49)), rel=0.05)


# --- heat-maps ------------------------------------------------------------------------------------
def draw_by_hand(points, scores, size, sigma=0.6):
    """Draw one frame of one joint, pixel by pixel."""
    picture = np.zeros((size, size))
    for (x, y), score in zip(points, scores):
        for row in range(size):
            for column in range(size):
                near = abs(column - x) <= 3 * sigma and abs(row - y) <= 3 * sigma
                if near and score >= 1e-3:
                    distance = (column - x) ** 2 + (row - y) ** 2
                    value = score * math.exp(-distance / (2 * sigma**2))
                    picture[row, column] = max(picture[row, column], value)
    return picture


def test_heatmaps_are_gaussians_of_the_joints():
    rng = np.random.RandomState(0)
    points = rng.uniform(-2, 22, size=(2, 3, 4, 2, 2))  # two persons, some outside the picture
    points[0, 0, 0, 1] = points[0, 0, 0, 0] + 0.7  # overlapping
    scores = rng.uniform(0, 1, size=(2, 3, 4, 2))
    scores[0, 1, 2, 0], scores[1, 1, 1, 1] = 0.0009, 0.0011  # not drawn, just drawn
    pictures = heatmaps(torch.from_numpy(points), torch.from_numpy(scores), 20)
    assert pictures.shape == (2, 3, 4, 20, 20)
    for index in np.ndindex(2, 3, 4):
        by_hand = draw_by_hand(points[index], scores[index], 20)
        np.testing.assert_allclose(pictures[index], by_hand, atol=1e-7)


def test_unit_value():
    point = torch.tensor([10.3, 20.7]).reshape(1, 1, 1, 1, 2)
    picture = heatmaps(point, torch.ones(1, 1, 1, 1), 56)[0, 0, 0]
    assert picture[21, 10].item() == pytest.approx(0.7788, abs=5e-5)
    assert picture.argmax() == 21 * 56 + 10
    rows, columns = picture.nonzero().unbind(dim=1)  # 18.9...22.5 down, 8.5...12.1 across
    assert rows.unique().tolist() == [19, 20, 21, 22]
    assert columns.unique().tolist() == [9, 10, 11, 12]


def test_the_square_holds_everyone():
    points = noise(3, 5, 7, 2, 2) * torch.tensor([1.0, 3.0]) + 40
    scores = torch.ones(3, 5, 7, 2)
    pixels = compact(points, scores, 56)
    # the taller side fills the picture but for the padding, the other is centred and to scale
    for trial in pixels:
        low, high = trial.amin(dim=(0, 1, 2)), trial.amax(dim=(0, 1, 2))
        torch.testing.assert_close(low + high, torch.full((2,), 56.0))
        assert (high - low).max().item() == pytest.approx(56 / 1.25, rel=1e-4)
    ratio = (points[1].flatten(0, 2).std(0)) / (pixels[1].flatten(0, 2).std(0))
    assert ratio[0].item() == pytest.approx(ratio[1].item(), rel=1e-4)
    # place and size do not matter
    torch.testing.assert_close(compact(5 * points - 9, scores, 56), pixels, rtol=1e-3, atol=1e-3)


def test_joints_not_seen_do_not_widen_the_square():
    points = noise(1, 17, 4, 1, 2)
    scores = torch.ones(1, 17, 4, 1)
    expected = compact(points, scores, 56)[:, :, 1:]
    points[:, :, 0], scores[:, :, 0] = 1e4, 0.0
    shorter = compact(points[:, :, 1:], scores[:, :, 1:], 56)
    torch.testing.assert_close(compact(points, scores, 56)[:, :, 1:], shorter)
    assert not torch.allclose(shorter, expected)  # frame 0 had its part in the first square


def test_nobody_and_a_point_stay_finite():
    for points, scores in [
        (noise(1, 3, 2, 1, 2), torch.zeros(1, 3, 2, 1)),
        (torch.zeros(1, 3, 2, 1, 2), torch.ones(1, 3, 2, 1)),
    ]:
        points.requires_grad_(True)
        pictures = heatmaps(compact(points, scores, 16), scores, 16)
        gradient = torch.autograd.grad(pictures.square().sum(), points)[0]
        assert torch.isfinite(pictures).all() and torch.isfinite(gradient).all()
    assert pictures.sum() > 0  # a point is drawn in the middle
    assert pictures[0, 0, 0].argmax() == 8 * 16 + 8


def test_gradient_of_the_heatmaps_is_right():
    points = (noise(1, 3, 2, 2, 2) * 3 + 6).double().requires_grad_(True)
    scores = torch.rand(1, 3, 2, 2, dtype=torch.float64) * 0.8 + 0.2
    weights = noise(1, 3, 2, 12, 12).double()
    assert torch.autograd.gradcheck(
        lambda p, s: (heatmaps(p, s, 12) * weights).sum(), (points, scores.requires_grad_(True))
    )


# --- trials ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("n_landmarks, n_coords", [(33, 3), (17, 2), (25, 4)])
@pytest.mark.parametrize("length", [1, 11, 12, 13, 24, 300])
def test_every_frame_has_a_gradient_from_the_start(n_landmarks, n_coords, length):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = PoseC3D(n_landmarks, n_coords, 1, **TINY).eval()
    x = noise(1, length, n_landmarks, n_coords).requires_grad_(True)
    gradient = torch.autograd.grad(network(x).sum(), x)[0]
    assert torch.isfinite(gradient).all()
    assert (gradient.abs().amax(dim=(2, 3)) > 0).all()


def test_a_score_is_brightness():
    network = PoseC3D(17, 3, 1, **TINY)
    x = noise(1, 12, 17, 3)
    x[..., 2] = 1.0
    film = network.draw(network.clips(x))
    without = PoseC3D(17, 2, 1, **TINY)
    torch.testing.assert_close(without.draw(without.clips(x[..., :2])), film)
    x[..., 2] = 0.25
    torch.testing.assert_close(network.draw(network.clips(x)), film / 4)
    x[:, :, 9, 2] = 0.0  # the left wrist is lost
    lost = network.draw(network.clips(x))
    assert (lost[:, 9] == 0).all() and (lost[:, 10] > 0).any()


def test_two_persons_share_the_pictures():
    network = PoseC3D(34, 2, 1, skeleton="coco17", n_persons=2, **TINY)
    x = noise(1, 12, 34, 2)
    film = network.draw(network.clips(x))
    swapped = network.draw(network.clips(torch.cat([x[:, :, 17:], x[:, :, :17]], dim=2)))
    assert film.shape == (1, 17, 12, 16, 16)
    torch.testing.assert_close(swapped, film)
