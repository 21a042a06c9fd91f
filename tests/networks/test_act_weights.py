"""AcT's published files: written here in the layout of Keras, read back as our state dict."""

import re

import h5py
import numpy as np
import pytest
import torch
from golden_check import fill, golden_case, golden_input

from skrehab import networks
from skrehab.networks.sequence.act_weights import read_act_h5
from skrehab.networks.weights import load_weights, read_weights

MPOSE = {"n_landmarks": 13, "n_coords": 4, "n_outputs": 20}


def keras_names(n_layers, start=0):
    """Our layer -> its name in a file, for networks built after `start` dense layers."""

    def numbered(name, number):
        return f"{name}_{number}" if number else name

    names = {}
    for i in range(n_layers):
        layer = "transformer_encoder/" + numbered("transformer_encoder_layer", i)
        attention = f"{layer}/{numbered('multi_head_attention', i)}"
        feed_forward = f"{layer}/{numbered('sequential', i)}"
        dense = [numbered("dense", start + 6 * i + k) for k in range(6)]
        for ours, keras in zip(("wq", "wk", "wv", "dense"), dense):
            names[f"encoder.{i}.mha.{ours}"] = f"{attention}/{keras}"
        for ours, keras in zip(("0", "1"), dense[4:]):
            names[f"encoder.{i}.ffn.{ours}"] = f"{feed_forward}/{keras}"
        for k in (0, 1):
            norm = numbered("layer_normalization", 2 * i + k)
            names[f"encoder.{i}.norm{k + 1}"] = f"{layer}/{norm}"
    for k, ours in enumerate(("proj", "head.fc1", "head.fc2")):
        names[ours] = f"dense_{start + 6 * n_layers + k}"
    return names


def keras_arrays(network, start=0):
    """Path in a file -> array: kernels are transposed, norms have gamma and beta."""
    state = {key: value.numpy() for key, value in network.state_dict().items()}
    arrays = {
        "patch_class_embedding/class_token": state.pop("class_token"),
        "patch_class_embedding/embedding/embeddings": state.pop("pos_embed.weight"),
    }
    names = keras_names(len(network.encoder), start)
    for key, value in state.items():
        layer, _, what = key.rpartition(".")
        if "norm" in layer:
            what = {"weight": "gamma", "bias": "beta"}[what]
        elif what == "weight":
            what, value = "kernel", value.T
        arrays[f"{names[layer]}/{what}"] = value
    return arrays


def write(path, arrays, style="keras"):
    """Write a file; Keras repeats the layer's name, TensorFlow adds ":0" to the array's."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.10.0"
        file.create_group("input_1")
        for name, value in arrays.items():
            if style == "keras":
                scope = name.partition("/")[0]
                name = f"{scope}/{name}:0" if "class_token" not in name else f"{name}:0"
            file[name] = value
    return path


@pytest.fixture
def micro():
    """The micro network of the paper, with the golden weights."""
    return fill(networks.build("act", size="micro", **MPOSE))


@pytest.mark.parametrize("style", ["keras", "short"])
@pytest.mark.parametrize("start", [0, 27])
def test_every_array_comes_back(tmp_path, micro, style, start):
    path = write(tmp_path / "AcT_micro_1_0.h5", keras_arrays(micro, start), style)
    state = read_act_h5(path)
    assert set(state) == set(micro.state_dict())
    for key, value in micro.state_dict().items():
        assert state[key].dtype == torch.float32
        assert torch.equal(state[key], value), key


def test_a_file_gives_the_official_outputs(tmp_path, micro):
    """Golden weights, written as Keras does and loaded again, give the official outputs."""
    case = next(c for c in golden_case("act")["cases"] if c["size"] == "micro")
    path = write(tmp_path / "AcT_micro_1_0.h5", keras_arrays(micro))
    network = networks.build("act", size="micro", **MPOSE).eval()
    load_weights(network, read_weights(path))
    with torch.no_grad():
        out = network(golden_input(12, (2, 30, 52)).reshape(2, 30, 13, 4)).numpy()
    first = case["out_first"]
    np.testing.assert_allclose(out.ravel()[: len(first)], first, rtol=1e-3, atol=1e-5)


def test_ten_or_more_layers_are_ordered_by_number(tmp_path):
    """As text, transformer_encoder_layer_10 would come before _2."""
    arrays = keras_arrays(networks.build("act", size="micro", **MPOSE))
    middle = {k: v for k, v in arrays.items() if "encoder_layer_3/" in k}
    for i in range(4, 11):
        for name, value in middle.items():
            renamed = name.replace("encoder_layer_3", f"encoder_layer_{i}")
            renamed = renamed.replace("layer_normalization_", f"layer_normalization_{i}")
            arrays[renamed] = value + i
    state = read_act_h5(write(tmp_path / "deep.h5", arrays))
    token = state["encoder.3.norm1.bias"]
    for i in range(4, 11):
        assert torch.equal(state[f"encoder.{i}.norm1.bias"], token + i)


def test_what_transfers_to_other_trials(tmp_path, micro):
    """Encoder and class token are taken; what depends on joints, frames and labels is new."""
    path = write(tmp_path / "AcT_micro_1_0.h5", keras_arrays(micro))
    network = networks.build("act", size="micro", n_landmarks=33, n_coords=3, n_outputs=1)
    report = load_weights(network, read_act_h5(path), head="new", ends=("proj.", "pos_embed."))
    encoder = {key for key in micro.state_dict() if key.startswith("encoder.")}
    assert set(report.loaded) == encoder | {"class_token", "pos_embed.weight"}
    assert report.reinitialised["proj.bias"] == "the rest of proj is new"
    assert "proj.weight" in report.reinitialised and "head.fc2.weight" in report.reinitialised
    for key in encoder:
        assert torch.equal(network.state_dict()[key], micro.state_dict()[key])


def as_published(arrays, token):
    """The layout of the authors' files: feed-forward layers side by side, a token of any name."""
    renamed = {}
    for name, value in arrays.items():
        name = name.replace("class_token", token)
        name = re.sub(r"/transformer_encoder_layer(_\d+)?/sequential(_\d+)?/", "/", name)
        renamed[re.sub(r"^transformer_encoder/", "transformer_encoder_3/", name)] = value
    return renamed


@pytest.mark.parametrize("token", ["class_token", "Variable", "w"])
@pytest.mark.parametrize("start", [0, 27, 95])  # where dense_99 stands before dense_100
def test_the_published_layout_is_read(tmp_path, micro, start, token):
    arrays = as_published(keras_arrays(micro, start), token)
    assert not any("sequential" in name for name in arrays)
    state = read_act_h5(write(tmp_path / "AcT_micro_1_0.h5", arrays, "short"))
    assert set(state) == set(micro.state_dict())
    for key, value in micro.state_dict().items():
        assert torch.equal(state[key], value), key


def test_feed_forward_layers_must_be_two_for_each_layer(tmp_path, micro):
    arrays = without(as_published(keras_arrays(micro), "w"), "dense_11/")
    with pytest.raises(
        ValueError, match=r"4 layers .* should have 8 feed-forward layers, .* are 7"
    ):
        read_act_h5(write(tmp_path / "AcT_micro_1_0.h5", arrays, "short"))


def without(arrays, text):
    return {name: value for name, value in arrays.items() if text not in name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: without(a, "class_token"), "no class_token among"),
        (lambda a: without(a, "transformer_encoder"), "no layer of an encoder"),
        (lambda a: without(a, "dense_14/"), r"encoder\.2\.mha\.wq, .* should be 4 layers of two"),
        (lambda a: without(a, "layer_normalization_3/gamma"), r"encoder\.1\.norm1, .* 2 layers"),
        (lambda a: without(a, "dense_26/"), r"proj, head\.fc1, head\.fc2 should be 3 layers"),
        (lambda a: a | {"conv1d/kernel": np.zeros((3, 2))}, r"unknown array conv1d.* \(3, 2\)"),
        (
            lambda a: a | {"patch_class_embedding/class_token": np.zeros((1, 1, 32))},
            r"pos_embed\.weight has shape \(31, 64\), expected \('any', 32\)",
        ),
        (
            lambda a: a | {keras_names(4)["encoder.1.ffn.0"] + "/kernel": np.zeros((64, 255))},
            r"encoder\.1\.ffn\.0\.weight has shape \(255, 64\), expected \(256, 64\)",
        ),
        (
            lambda a: a | {"dense_24/bias": np.array(["a"], dtype="S1")},
            "is not an array of numbers",
        ),
    ],
)
def test_files_of_other_networks_are_refused(tmp_path, micro, change, message):
    path = write(tmp_path / "other.h5", change(keras_arrays(micro)))
    with pytest.raises(ValueError, match=rf"other\.h5 .*{message}"):
        read_act_h5(path)


def test_no_file_and_no_hdf5(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.h5: there is no such weights file"):
        read_act_h5(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(ValueError, match=r"text\.h5 cannot be read as an HDF5 file"):
        read_act_h5(tmp_path / "text.h5")


def test_nothing_outside_the_file_is_read(tmp_path, micro):
    """A link to another file counts as absent, raw storage elsewhere is refused."""
    arrays = keras_arrays(micro)
    write(tmp_path / "elsewhere.h5", {"token": arrays.pop("patch_class_embedding/class_token")})
    path = write(tmp_path / "linked.h5", arrays)
    with h5py.File(path, "a") as file:
        file["patch_class_embedding/class_token:0"] = h5py.ExternalLink("elsewhere.h5", "/token")
    with pytest.raises(ValueError, match="no class_token"):
        read_act_h5(path)
    (tmp_path / "raw").write_bytes(b"secret" * 64)
    with h5py.File(path, "a") as file:
        del file["patch_class_embedding/class_token:0"]
        file.create_dataset(
            "patch_class_embedding/class_token:0",
            (1, 1, 64),
            dtype="f4",
            external=[(str(tmp_path / "raw"), 0, 256)],
        )
    with pytest.raises(ValueError, match="class_token is not an array of numbers"):
        read_act_h5(path)
