"""Run the network battery over every registered network, and AcT against its golden outputs."""

import hashlib
import importlib.util
import json
import pathlib
import zlib

import instances
import numpy as np
import pytest
import torch
from small_networks import noise
from torch import nn

from skrehab import VideoClassifier, networks, skeletons
from skrehab.networks._layers import resample_frames
from skrehab.networks.sequence.act import SIZES

GOLDEN = json.loads((pathlib.Path(__file__).parents[1] / "golden" / "act.json").read_text())[
    "cases"
]
every_network = pytest.mark.parametrize("row", **instances.network_rows())
every_pose_network = pytest.mark.parametrize("row", **instances.network_rows("pose"))


def need(row):
    """Skip where the optional package of a network is missing."""
    if row.package and importlib.util.find_spec(row.package) is None:
        pytest.skip(f"{row.name} needs {row.package}")


def build(row, shape=None, n_outputs=1, **params):
    """Build a small network in evaluation mode, with weights that do not change from run to run."""
    need(row)
    sizes = dict(zip(("n_landmarks", "n_coords"), shape or row.shapes[0]))
    sizes = sizes if row.input == "pose" else {}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return networks.build(row.name, n_outputs=n_outputs, **sizes, **(row.tiny | params)).eval()


def batch(row, lengths=(20, 12), seed=0):
    """Draw what a network takes, as keyword arguments: trials or clips."""
    if row.input == "rgb":
        return {"x": noise(len(lengths), *build(row).clip.shape, seed=seed)}
    x = torch.zeros(len(lengths), max(lengths), *row.shapes[0])
    for i, length in enumerate(lengths):
        x[i, :length] = noise(length, *row.shapes[0], seed=seed + i)
    return {"x": x, "lengths": torch.tensor(lengths)}


def test_every_network_has_a_row():
    missing = set(networks.list_networks()) - {row.name for row in instances.NETWORKS}
    assert not missing, f"add a row to tests/support/instances.py for {sorted(missing)}"


# --- battery --------------------------------------------------------------------------------------
@every_pose_network
@pytest.mark.parametrize("case", range(4))
@pytest.mark.parametrize("n_outputs", [1, 4])
def test_shapes(row, case, n_outputs):
    shape = (case % 3 + 1, (1, 29, 64, 31)[case], *row.shapes[case])
    network = build(row, shape[2:], n_outputs)
    with torch.no_grad():
        logits = network(noise(*shape))
        with_lengths = network(noise(*shape), torch.full((shape[0],), shape[1]))
    assert logits.shape == (shape[0], n_outputs)
    assert logits.dtype == torch.float32 and torch.isfinite(logits).all()
    torch.testing.assert_close(logits, with_lengths, rtol=1e-5, atol=1e-6)


@every_pose_network
def test_padding_changes_nothing(row):
    """Every length alone equals the same trial padded, whatever stands in the padding."""
    network = build(row)
    lengths = [1, 2, 7, 15, 29, 30, 31, 45, 59, 60, 61, 89, 90, 91, 100]
    padded = batch(row, lengths)["x"]
    with torch.no_grad():
        together = network(padded, torch.tensor(lengths))
        scale = max(1.0, float(together.abs().max()))
        close = {"rtol": 1e-5, "atol": 1e-5 * scale}
        for i, length in enumerate(lengths):
            alone = network(padded[i : i + 1, :length])
            torch.testing.assert_close(together[i : i + 1], alone, **close)
        longer = torch.nn.functional.pad(padded, (0, 0, 0, 0, 0, 50))
        torch.testing.assert_close(network(longer, torch.tensor(lengths)), together, **close)
        for i, length in enumerate(lengths):
            padded[i, length:] = 1e3
        torch.testing.assert_close(network(padded, torch.tensor(lengths)), together, **close)


@every_pose_network
@pytest.mark.parametrize("length", [1, 29, 30, 31, 100, 3000])
def test_gradient_reaches_every_true_frame_and_no_padding(row, length):
    network = build(row)
    other = max(1, length // 2)  # a second trial, so that the batch is ragged
    x = torch.nn.functional.pad(batch(row, (length, other))["x"], (0, 0, 0, 0, 0, 3))
    x.requires_grad_(True)
    gradient = torch.autograd.grad(network(x, torch.tensor([length, other])).sum(), x)[0]
    reached = gradient.abs().amax(dim=(2, 3)) > 0
    assert not reached[0, length:].any() and not reached[1, other:].any()
    if row.memory is None:
        assert reached[0, :length].all() and reached[1, :other].all()
    else:  # a recurrent network's gradient dies away
        assert reached[0, max(0, length - row.memory) : length].all()


@every_network
def test_every_parameter_is_trained(row):
    network = build(row, n_outputs=3).train()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network(**batch(row, (40, 31, 12, 5))).square().sum().backward()
    untrained = networks.get_spec(row.name).untrained
    without = {name for name, p in network.named_parameters() if p.grad is None and p.requires_grad}
    assert {name for name in without if not name.startswith(untrained or "-")} == set()
    assert all(any(name.startswith(one) for name in without) for one in untrained)


@every_network
def test_one_sample_can_be_trained_on(row):
    """The last batch of an epoch may hold a single trial."""
    network = build(row).train()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        logits = network(**batch(row, (20,)))
    assert torch.isfinite(logits).all()
    logits.sum().backward()


@every_network
def test_state_dict_round_trip(row):
    network = build(row)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    again = build(row)
    with torch.no_grad():
        for p in again.parameters():
            p.add_(0.1)
        assert not torch.equal(again(**batch(row)), network(**batch(row)))
        again.load_state_dict(state, strict=True)
        assert torch.equal(again(**batch(row)), network(**batch(row)))


@every_network
def test_seed_decides_the_first_weights(row):
    need(row)
    same, state = build(row).state_dict(), build(row).state_dict()
    assert all(torch.equal(same[key], state[key]) for key in state)


@every_network
def test_evaluation_is_deterministic_and_training_drops_out(row):
    network = build(row, dropout=0.5)
    inputs = batch(row, (20,) * 8)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        assert torch.equal(network(**inputs), network(**inputs))
        for layer in network.modules():  # batch statistics would move too
            layer.train(not isinstance(layer, nn.modules.batchnorm._BatchNorm))
        assert not torch.equal(network(**inputs), network(**inputs))


@every_network
def test_input_is_not_changed(row):
    inputs = batch(row)
    copy = inputs["x"].clone()
    with torch.no_grad():
        build(row)(**inputs)
    assert torch.equal(inputs["x"], copy)


@every_network
def test_number_of_parameters(row):
    need(row)
    sizes = {"n_landmarks": 33, "n_coords": 3} if row.input == "pose" else {}
    # sizes without memory; hiera's package reads numbers off tensors while it is built
    with torch.device("cpu" if row.name == "hiera" else "meta"):
        network = networks.build(row.name, n_outputs=1, **sizes)
    assert sum(p.numel() for p in network.parameters()) == row.n_parameters


@every_network
def test_spec_is_complete(row):
    need(row)
    spec = networks.get_spec(row.name)
    assert spec.name == row.name
    for text in (spec.summary, spec.reference, spec.licence):
        assert text.strip()
    assert issubclass(spec.load(), nn.Module)
    assert spec.load().__doc__
    names = [name for name, _ in build(row).named_parameters()]
    for prefix in (spec.head, *spec.ends):
        assert any(name.startswith(prefix) for name in names), prefix
    if spec.skeleton != "any":
        assert spec.skeleton in skeletons.list_skeletons()


# --- registry -------------------------------------------------------------------------------------
def test_unknown_names_and_parameters_are_refused():
    sizes = {"n_landmarks": 5, "n_coords": 3, "n_outputs": 1}
    with pytest.raises(ValueError, match=r"Unknown network 'actt': known are \[.*'act'"):
        networks.build("actt", **sizes)
    with pytest.raises(ValueError, match=r"'lstm' has no parameter \['hidden'\]: it takes .*size"):
        networks.build("lstm", hidden=3, **sizes)
    with pytest.raises(ValueError, match=r"size must be one of .* got 'huge'"):
        networks.build("act", size="huge", **sizes)


class Mean(nn.Module):
    """A network of a user's own."""

    def __init__(self, n_landmarks, n_coords, n_outputs, **anything):
        super().__init__()
        self.head = nn.Linear(n_landmarks * n_coords, n_outputs)

    def forward(self, x, lengths=None):
        return self.head(x.flatten(2).sum(1) / lengths[:, None])


def test_a_network_of_ones_own(tiny, monkeypatch):
    from skrehab.networks import registry

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    spec = networks.NetworkSpec("mean", Mean, "mean of the frames", "none", "BSD-3-Clause")
    networks.register(spec)
    networks.register(spec)  # again is no conflict
    assert "mean" in networks.list_networks()
    by_name = VideoClassifier("mean", max_epochs=2, random_state=0).fit(tiny.X, tiny.y)
    by_class = VideoClassifier(
        Mean, network_params={"anything": 1}, max_epochs=2, random_state=0
    ).fit(tiny.X, tiny.y)
    np.testing.assert_array_equal(by_name.predict_proba(tiny.X), by_class.predict_proba(tiny.X))
    with pytest.raises(ValueError, match="'act' is registered already"):
        networks.register(networks.NetworkSpec("act", Mean, "", "", ""))


# --- AcT ------------------------------------------------------------------------------------------
def golden_weights(key, shape):
    """Draw the weights that the official code was run with; a function of the name alone."""
    r = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(int(np.prod(shape)))
    r = r.reshape(shape)
    if len(shape) >= 2:
        r = r / np.sqrt(r.size / shape[0])
    elif key.endswith("weight"):
        r = 1 + 0.1 * r
    else:
        r = 0.02 * r
    return torch.from_numpy(r.astype(np.float32))


@pytest.mark.parametrize("case", GOLDEN, ids=[case["size"] for case in GOLDEN])
def test_act_equals_the_official_network(case):
    sizes = {key: case[key] for key in ("n_landmarks", "n_coords", "n_outputs")}
    network = networks.build("act", size=case["size"], **sizes).eval()
    assert sum(p.numel() for p in network.parameters()) == case["n_parameters"]

    state = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert len(state) == case["n_keys"]
    lines = "\n".join(sorted(f"{key}:{shape}" for key, shape in state.items()))
    assert hashlib.sha256(lines.encode()).hexdigest() == case["keys_sha256"]

    network.load_state_dict({key: golden_weights(key, shape) for key, shape in state.items()})
    n_features = case["n_landmarks"] * case["n_coords"]
    x = noise(2, 30, n_features, seed=12).reshape(2, 30, case["n_landmarks"], case["n_coords"])
    with torch.no_grad():
        out = network(x).numpy().astype(float)
    first = case["out_first"]
    np.testing.assert_allclose(out.ravel()[: len(first)], first, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(out.mean(), case["out_mean"], rtol=1e-3)
    np.testing.assert_allclose(out.std(ddof=1), case["out_std"], rtol=1e-3)
    np.testing.assert_allclose(np.abs(out).sum(), case["out_abs_sum"], rtol=1e-3)


@pytest.mark.parametrize(
    ("size", "expected"),
    [("micro", 227_156), ("small", 1_040_404), ("base", 2_740_052), ("large", 4_902_164)],
)
def test_act_number_of_parameters(size, expected):
    assert size in SIZES
    network = networks.build("act", size=size, n_landmarks=13, n_coords=4, n_outputs=20)
    assert sum(p.numel() for p in network.parameters()) == expected


def test_act_starts_like_the_original():
    """Glorot weights, zero biases, a large class token."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = networks.build("act", size="large", n_landmarks=33, n_coords=3, n_outputs=1)
    for name, p in network.named_parameters():
        if name.endswith("bias"):
            assert (p == 0).all(), name
    weight = network.proj.weight
    assert weight.abs().max() <= (6 / sum(weight.shape)) ** 0.5
    assert network.pos_embed.weight.abs().max() <= 0.05
    assert 1.2 < network.class_token.std() < 1.65  # he_normal with fan-in 1: sqrt(2)


# --- resampling -----------------------------------------------------------------------------------
@pytest.mark.parametrize("length", [30, 31, 59, 60, 61, 100, 3000])
def test_shrinking_averages_by_area(length):
    """Each output is the mean over an equal stretch of time, from the running integral."""
    x = noise(1, length, 6)
    integral = np.concatenate([np.zeros((1, 6)), np.cumsum(x[0].double().numpy(), axis=0)])
    edges = np.linspace(0, length, 31)
    at_edges = [np.interp(edges, np.arange(length + 1), column) for column in integral.T]
    expected = np.diff(np.array(at_edges), axis=1).T * 30 / length
    np.testing.assert_allclose(
        resample_frames(x, torch.tensor([length]), 30)[0], expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("length", [30, 31, 100, 3000])
def test_shrinking_weighs_all_frames_alike(length):
    x = torch.zeros(1, length, 1, requires_grad=True)
    resample_frames(x, torch.tensor([length]), 30).sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 30 / length), rtol=1e-4, atol=0)


@pytest.mark.parametrize("length", [1, 2, 7, 29])
def test_growing_is_linear_interpolation(length):
    x = noise(1, length, 6)
    expected = nn.functional.interpolate(x.transpose(1, 2), size=30, mode="linear")
    torch.testing.assert_close(
        resample_frames(x, None, 30), expected.transpose(1, 2), rtol=1e-4, atol=1e-5
    )
