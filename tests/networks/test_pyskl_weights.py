"""CTR-GCN and ST-GCN of PYSKL, under the names of its checkpoints: the outputs of its code."""

import hashlib

import pytest
import torch
from golden_check import check_outputs, golden_case, golden_input, golden_weight
from small_networks import noise

from skrehab.networks.graph.ctrgcn import CTRGCN, TopologyRefinement
from skrehab.networks.graph.stgcn import STGCN
from skrehab.networks.weights import load_weights

COCO = {"n_landmarks": 34, "n_coords": 3, "n_outputs": 4, "skeleton": "coco17", "n_persons": 2}


def ctrgcn_key(key):
    """Name of one of our arrays in PYSKL's file; conv1 and conv2 have the same shape."""
    unit, dot, rest = key.partition(".")
    if unit.startswith("l"):
        return f"backbone.net.{int(unit[1:]) - 1}.{rest.replace('.PA', '.A')}"
    return ("cls_head.fc_cls" if unit == "fc" else f"backbone.{unit}") + dot + rest


def stgcn_key(key):
    """Name of one of our arrays in PYSKL's file."""
    parts = key.split(".")
    if parts[0] == "st_gcn_networks":
        number, layer, rest = parts[1], ".".join(parts[2:4]), parts[4:]
        names = {"tcn.0": "gcn.bn", "tcn.2": "tcn.conv", "tcn.3": "tcn.bn"}
        names |= {"residual.0": "residual.conv", "residual.1": "residual.bn"}
        return ".".join(("backbone.gcn", number, names.get(layer, layer), *rest))
    if parts[0] == "edge_importance":
        return f"backbone.gcn.{parts[1]}.gcn.PA"
    return f"cls_head.fc_cls.{parts[1]}" if parts[0] == "fcn" else f"backbone.{key}"


def published(network, rename, keep):
    """State dict of PYSKL's network: golden weights, but for the graphs, which start as ours do."""
    state, parameters = {}, dict(network.named_parameters())
    for ours, value in network.state_dict().items():
        if ours == "A":
            state |= {f"backbone.gcn.{i}.gcn.A": value for i in range(10)}
            continue
        key, shape = rename(ours), tuple(value.shape)
        if ours.startswith("fcn.") and value.ndim == 4:
            shape = shape[:2]
        trained = ours in parameters or key.endswith(("running_mean", "running_var"))
        kept = not trained or key.endswith(keep)
        state[key] = value if kept else golden_weight(key, shape)
    return {key: value.clone() for key, value in state.items()}


def check_keys(state, case):
    lines = "\n".join(sorted(f"{key}:{tuple(value.shape)}" for key, value in state.items()))
    assert hashlib.sha256(lines.encode()).hexdigest() == case["keys_sha256"]


@pytest.mark.parametrize("name", ["ctrgcn", "stgcn"])
def test_a_published_file_gives_the_outputs_of_pyskl(name):
    case = golden_case(f"pyskl_{name}_coco17_nc4")
    if name == "ctrgcn":
        network = CTRGCN(**COCO, temporal_relu=True, n_frames=50)
        state = published(network, ctrgcn_key, keep=".A")
        state["backbone.A"] = state["backbone.net.0.gcn1.A"].clone()
    else:
        network = STGCN(**COCO, n_frames=50)
        state = published(network, stgcn_key, keep=())
    check_keys(state, case)
    report = load_weights(network, state)
    assert not report.reinitialised and not report.unused
    x = golden_input(20, (1, 2, 50, 17, 3))  # (batch, persons, frames, joints, coords)
    trials = x.transpose(1, 2).flatten(2, 3)
    with torch.no_grad():
        check_outputs(network.eval()(trials), case)


def test_the_turned_refinement_is_the_same_function():
    """PYSKL's formula, with a weight of the refinement that counts."""
    theirs, ours = TopologyRefinement(16, 4), TopologyRefinement(16, 4)
    graph, alpha = noise(5, 5, seed=1), torch.tensor([0.7])
    prefix = "backbone.net.1.gcn1."
    state = {f"{prefix}convs.0.{key}": value for key, value in theirs.state_dict().items()}
    state = CTRGCN.official_state(state | {f"{prefix}A": graph})
    start = "l2.gcn1.convs.0."
    ours.load_state_dict({k.removeprefix(start): v for k, v in state.items() if start in k})
    x = noise(2, 16, 7, 5)
    with torch.no_grad():
        first, second = (layer(x).mean(dim=2) for layer in (theirs.conv1, theirs.conv2))
        refined = theirs.conv4(torch.tanh(first[..., None] - second[..., None, :])) * alpha + graph
        expected = torch.einsum("ncuv,nctu->nctv", refined, theirs.conv3(x))
        found = ours(x, state["l2.gcn1.PA"], alpha)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_the_relu_is_another_function_and_its_lack_is_refused():
    torch.manual_seed(0)
    params = {"widths": (4, 8), "n_units": (1, 1), "n_frames": 16}
    plain, relu = (CTRGCN(17, 3, 2, **params, temporal_relu=x).eval() for x in (False, True))
    relu.load_state_dict(plain.state_dict())
    with torch.no_grad():
        assert not torch.allclose(plain(noise(2, 20, 17, 3)), relu(noise(2, 20, 17, 3)))
    state = {ctrgcn_key(key): value for key, value in plain.state_dict().items()}
    with pytest.raises(ValueError, match=r"end in a ReLU: pass .*'temporal_relu': True"):
        load_weights(plain, state)
    assert not load_weights(relu, state).unused


def test_files_of_the_authors_are_read_as_they_are():
    for network in (CTRGCN, STGCN):
        state = network(17, 3, 2, widths=(8, 8), n_units=(1, 1)).state_dict()
        renamed = network.official_state(state)
        assert all(renamed[key] is value for key, value in state.items())
