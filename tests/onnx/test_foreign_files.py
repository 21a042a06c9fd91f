"""An .onnx file of anybody: what it may hold, and that nothing else is opened, run or sent."""

import json
import os
import sys

import numpy as np
import pytest
from instances import tiny_frames, tiny_trials
from memory import PEAK, needs_linux

from skrehab.onnx import OnnxModel, OnnxStream, export_onnx, limits

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A model of frames, for trials and for streams."""
    data, folder = tiny_trials(2, 2), tmp_path_factory.mktemp("onnx")
    model = tiny_frames(max_epochs=1).fit(data.X, data.frame_labels)
    return (
        export_onnx(model, folder / "m.onnx", check=False),
        export_onnx(model, folder / "live.onnx", streaming=True, check=False),
    )


def refused(model, message, kind=OnnxModel):
    content = model if isinstance(model, bytes) else model.SerializeToString()
    with pytest.raises(ValueError, match=message) as error:
        kind(content)
    assert len(str(error.value)) < 500 and str(error.value).isprintable()


# --- files ----------------------------------------------------------------------------------------
def test_too_large(honest, tmp_path, monkeypatch):
    with open(tmp_path / "hole.onnx", "wb") as file:  # takes no room on the disk
        file.truncate(limits.MAX_FILE + 1)
    with pytest.raises(ValueError, match=r"hole\.onnx cannot be read: it is too large for an ONNX"):
        OnnxModel(tmp_path / "hole.onnx")
    monkeypatch.setattr(limits, "MAX_FILE", 1000)
    with pytest.raises(ValueError, match=r"cannot be read: it has .* the limit is 1,000"):
        OnnxModel(honest[0].read_bytes())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_and_devices(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    for path in (tmp_path / "pipe.onnx", "/dev/zero"):
        with pytest.raises(ValueError, match="it is a pipe or a device"):
            OnnxModel(path)
    with pytest.raises(FileNotFoundError, match="no ONNX file"):
        OnnxModel(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no", b"\x08\x08", b"ORTM" * 9, b"\0" * 99])
def test_what_is_no_model(content):
    refused(content, "cannot be read")


@pytest.mark.parametrize("seed", range(40))
def test_damage(honest, seed):
    """A byte changed, or the end cut off: a model or an error, of which one can say what it is."""
    rng, content = np.random.RandomState(seed), bytearray(honest[0].read_bytes())
    for place in rng.randint(0, len(content), 3):
        content[place] ^= 1 << rng.randint(8)
    content = bytes(content[: rng.randint(len(content)) if seed % 4 == 0 else None])
    try:
        OnnxModel(content).predict_proba([np.zeros((4, 5, 3))])
    except ValueError as error:
        assert str(error).startswith("The ONNX model")


# --- graphs ---------------------------------------------------------------------------------------
def array(name="secret", location="../../etc/passwd"):
    """An array that lies in another file."""
    tensor = onnx.TensorProto(name=name, data_type=1, dims=[4])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.mark.parametrize(
    "location", ["weights.bin", "../../etc/passwd", "/etc/passwd", "//host/share", "a\x1b[2J\n"]
)
@pytest.mark.parametrize("place", ["array", "constant", "inner", "sparse", "unsaid"])
def test_arrays_in_other_files(honest, location, place):
    model = onnx.load(str(honest[0]))
    secret = array(location=location)
    if place == "array":
        model.graph.initializer.append(secret)
    elif place == "constant":
        model.graph.node.append(onnx.helper.make_node("Constant", [], ["c"], value=secret))
    elif place == "inner":
        inner = onnx.helper.make_graph([], "inner", [], [], [secret])
        node = onnx.helper.make_node("If", ["x"], ["c"], then_branch=inner, else_branch=inner)
        model.graph.node.append(node)
    elif place == "sparse":
        model.graph.sparse_initializer.add(values=secret, dims=[4])
    else:  # the place is given, but the flag is not set
        secret.data_location = onnx.TensorProto.DEFAULT
        model.graph.initializer.append(secret)
    refused(model, "is refused: it keeps the array secret in another file, ")


@pytest.mark.parametrize("domain", ["of.mine", "com.microsoft", "ai.onnx.ml", "a\x1b[2J"])
def test_operators_of_others(honest, domain):
    model = onnx.load(str(honest[0]))
    model.opset_import.add(domain=domain, version=1)
    model.graph.node.append(onnx.helper.make_node("Run", ["x"], ["c"], domain=domain))
    refused(model, r"it needs the operator .*\.Run, which is not one of ONNX's own")


def test_functions_and_loops(honest):
    model = onnx.load(str(honest[0]))
    model.functions.add(name="f", domain="ai.onnx")
    refused(model, "it brings operators or training steps of its own")
    for name in ("Loop", "Scan"):
        model = onnx.load(str(honest[0]))
        inner = onnx.helper.make_graph([onnx.helper.make_node(name, [], ["c"])], "inner", [], [])
        model.graph.node.append(onnx.helper.make_node("If", ["x"], ["c"], then_branch=inner))
        refused(model, f"it holds a {name}, which could run for ever")


def test_names_of_a_file_do_not_act_in_a_terminal(honest, capfd):
    model = onnx.load(str(honest[0]))
    model.graph.node.append(onnx.helper.make_node("Relu\x1b[2J", ["x"], ["c"], name="\x1b]0;a\x07"))
    refused(model, "cannot be read")
    model = onnx.load(str(honest[0]))
    node = onnx.helper.make_node("Reshape", ["x", "size"], ["c"], name="\x1b]0;a\x07")
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([7]), "size"))
    model.graph.node.append(node)
    model.graph.output[0].name = "c"
    with pytest.raises(ValueError, match="cannot be") as error:
        OnnxModel(model.SerializeToString()).predict_proba([np.zeros((4, 5, 3))])
    assert str(error.value).isprintable()
    assert capfd.readouterr() == ("", "")


@needs_linux
def test_memory_has_an_end(honest, tmp_path, run_python):
    """A few bytes that ask for 40 GB when the file is opened, and for 400 GB when it is run."""
    for operator, size in (("ConstantOfShape", 10**10), ("Expand", 10**11)):
        model = onnx.load(str(honest[0]))
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([size]), "size"))
        old = next(node for node in model.graph.node if "probabilities" in node.output)
        old.output[0] = "before"
        one = onnx.numpy_helper.from_array(np.float32([0]), "one")
        model.graph.initializer.append(one)
        inputs = ["size"] if operator == "ConstantOfShape" else ["one", "size"]
        model.graph.node.extend(
            [
                onnx.helper.make_node(operator, inputs, ["bomb"]),
                onnx.helper.make_node("ReduceSum", ["bomb"], ["sum"], keepdims=0),
                onnx.helper.make_node("Add", ["before", "sum"], ["probabilities"]),
            ]
        )
        (tmp_path / "bomb.onnx").write_bytes(model.SerializeToString())
        code = """
import sys
import numpy as np
from skrehab.onnx import OnnxModel
try:
    OnnxModel(sys.argv[1]).predict_proba([np.zeros((4, 5, 3))])
except ValueError as error:
    print("bomb.onnx cannot be" in str(error))
print(peak_kib() // 1024)
"""
        said, memory = run_python(PEAK + code, tmp_path / "bomb.onnx").split()
        assert said == "True" and int(memory) < 1000


# --- what it says of itself -----------------------------------------------------------------------
FACTS = [
    ("classes", None),
    ("classes", []),
    ("classes", [["a"], "b"]),
    ("classes", ["a", 1]),
    ("classes", list(range(20_000))),
    ("normal_label", "lean"),
    ("normal_label", [0]),
    ("n_landmarks", "5"),
    ("n_landmarks", 10**9),
    ("n_coords", True),
    ("n_coords", -3),
    ("outputs", {"name": "probabilities"}),
    ("outputs", [1]),
    ("state", None),
    ("state", [{"name": "n_seen"}]),
    ("state", [{"name": "s", "comes_back_as": "s", "dtype": "O", "shape": [1]}]),
    ("state", [{"name": "s", "comes_back_as": "s", "dtype": "float32", "shape": [10**12]}]),
    ("state", [{"name": "s", "comes_back_as": "s", "dtype": "float32", "shape": [10**5] * 3}]),
]


def with_facts(file, **facts):
    model = onnx.load(str(file))
    known = json.loads(model.metadata_props[0].value)
    onnx.helper.set_model_props(model, {"skrehab": json.dumps(known | facts)})
    return model


@pytest.mark.parametrize(("key", "value"), FACTS)
def test_facts(honest, key, value):
    refused(with_facts(honest[1], **{key: value}), f"'{key}' must be ", OnnxStream)


def test_facts_that_are_no_facts(honest, monkeypatch):
    model = onnx.load(str(honest[0]))
    for text in ("[" * 10**5, "5", '"' * 3, "null"):
        onnx.helper.set_model_props(model, {"skrehab": text})
        refused(model, "was not written by skrehab.onnx")
    monkeypatch.setattr(limits, "MAX_FACTS", 10)
    refused(honest[0].read_bytes(), "is refused: it says .* characters of itself")


def test_results_have_the_shape_that_was_said(honest):
    X = [np.zeros((4, 5, 3))]
    model = OnnxModel(with_facts(honest[0], classes=["a", "b", "c"]).SerializeToString())
    with pytest.raises(ValueError, match=r"must give probabilities of shape \(4, 3\), got \(4, 2"):
        model.predict(X)
    model = OnnxModel(with_facts(honest[0], n_landmarks=6).SerializeToString())
    with pytest.raises(ValueError, match="The ONNX model cannot be run"):
        model.predict([np.zeros((4, 6, 3))])
    stream = with_facts(honest[1], classes=["a"])
    with pytest.raises(ValueError, match="must give probabilities of shape"):
        OnnxStream(stream.SerializeToString()).push(X[0][0])
    state = json.loads(stream.metadata_props[0].value)["state"]
    state = [one | {"name": "nowhere"} for one in state]
    with pytest.raises(ValueError, match="cannot be run"):
        OnnxStream(with_facts(honest[1], state=state).SerializeToString()).push(X[0][0])


# --- what onnxruntime tells others ----------------------------------------------------------------
NOTHING_LEFT = """
import os, sys
{first}
import numpy as np
from skrehab.onnx import OnnxModel
OnnxModel(sys.argv[1]).predict_proba([np.zeros((4, 5, 3))])
print(sum(len(files) for _, _, files in os.walk(os.environ["XDG_CACHE_HOME"])))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the place is known for Linux")
@pytest.mark.parametrize("first", ["", "import skrehab.onnx.runtime, onnxruntime"])
def test_onnxruntime_leaves_nothing_in_the_cache(honest, first, tmp_path, monkeypatch, run_python):
    """Its reports to Microsoft begin with a file that names the machine."""
    for name in ("ORT_DISABLE_TELEMETRY", "CI", "ORT_RUNNING_UNIT_TESTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run_python(NOTHING_LEFT.format(first=first), honest[0]) == "0"


def test_an_onnxruntime_that_was_there_before_is_named(honest, run_python):
    """Not imported for real, so that the test reports nothing."""
    code = """
import os, sys, types, warnings
os.environ.pop("ORT_DISABLE_TELEMETRY")
off = []
sys.modules["onnxruntime"] = types.SimpleNamespace(disable_telemetry_events=lambda: off.append(1))
from skrehab.onnx.runtime import _runtime
with warnings.catch_warnings(record=True) as caught:
    _runtime()
print(off, os.environ["ORT_DISABLE_TELEMETRY"], *(str(one.message)[:45] for one in caught))
"""
    said = run_python(code)
    assert said == "[1] 1 onnxruntime was imported before skrehab.onnx,"
