"""C3D's published UCF101 file, under MMAction2's names: the outputs of its code."""

import hashlib

import pytest
import torch
from golden_check import check_outputs, golden_case, golden_input, golden_weight

from skrehab.networks import build
from skrehab.networks.weights import load_weights

LAYERS = ("conv1", "conv2", "conv3a", "conv3b", "conv4a", "conv4b", "conv5a", "conv5b")
MMACTION = {
    **dict.fromkeys(LAYERS),
    **{name: f"backbone.{name}.conv" for name in LAYERS},
    **{"conv1": "backbone.conv1a.conv", "conv2": "backbone.conv2a.conv"},
    **{"fc6": "backbone.fc6", "fc7": "backbone.fc7", "fc8": "cls_head.fc_cls"},
}
PLACES = dict(zip(LAYERS, (f"features.{i}" for i in (0, 3, 6, 8, 11, 13, 16, 18))))
PLACES |= {"fc6": "classifier.0", "fc7": "classifier.3", "fc8": "classifier.6"}


def theirs(key, names):
    layer, _, what = key.partition(".")
    return f"{names[layer]}.{what}"


def test_the_ucf101_file_has_an_array_for_every_layer():
    case = golden_case("c3d_mmaction_ucf101")
    with torch.device("meta"):
        state = build("c3d", n_outputs=101).state_dict()
    assert sum(value.numel() for value in state.values()) == case["params"] == 78_409_573
    lines = "\n".join(sorted(f"{theirs(k, MMACTION)}:{tuple(v.shape)}" for k, v in state.items()))
    assert hashlib.sha256(lines.encode()).hexdigest() == case["keys_sha256"]


def test_the_names_of_mmaction_give_its_outputs():
    case = golden_case("c3d_mmaction_ucf101")
    network = build("c3d", n_outputs=101, **case["config"])
    shapes = {theirs(k, MMACTION): tuple(v.shape) for k, v in network.state_dict().items()}
    report = load_weights(network, {key: golden_weight(key, s) for key, s in shapes.items()})
    assert len(report.loaded) == case["n_keys"] and not report.unused
    with torch.no_grad():
        check_outputs(network.eval()(golden_input(9, (1, 3, 16, 112, 112))), case)


@pytest.mark.parametrize("names", [MMACTION, PLACES, None], ids=["mmaction", "places", "ours"])
def test_every_array_finds_its_layer(names):
    small = {"widths": (2, 2, 4, 4, 4), "dense_width": 8, "image_size": 32}
    network, other = (build("c3d", n_outputs=3, **small) for _ in range(2))
    state = network.state_dict()
    report = load_weights(other, {theirs(k, names) if names else k: v for k, v in state.items()})
    assert not report.reinitialised and not report.unused
    assert all(torch.equal(other.state_dict()[key], value) for key, value in state.items())
