"""Files of a model folder that are not what they seem: bombs, links, pipes, heads that lie."""

import importlib.util
import json
import os

import numpy as np
import pytest
from memory import PEAK, needs_linux
from safetensors.numpy import save_file

import skrehab
from skrehab import LandmarkScaler
from skrehab.persistence import folder as files
from skrehab.persistence import read_metadata


@pytest.fixture
def folder(tmp_path):
    model = LandmarkScaler().fit([np.random.RandomState(0).randn(4, 5, 3)])
    return skrehab.save(model, tmp_path / "model", metadata={"frame_rate": 30, "labels": ["a"]})


def with_metadata(folder, text):
    """Put text into the place of the metadata."""
    file = folder / "model.json"
    tree = json.loads(file.read_text())
    tree["metadata"] = "HERE"
    file.write_text(json.dumps(tree).replace('"HERE"', text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5", "metadata must be a dict, got 5"),
        ("null", "metadata must be a dict"),
        ('{"labels": 5}', r"metadata\['labels'\] must be a list of names or None, got 5"),
        ('{"labels": ["a", ["b"]]}', r"metadata\['labels'\]\[1\] must be a name"),
        ('{"labels": {"0": "a"}}', r"metadata\['labels'\] must be a list"),
        ('{"frame_rate": 1000000}', "must be a number from 0.001 to 1000 or None, got 1000000"),
        ('{"frame_rate": -1}', "'frame_rate'.*got -1"),
        ('{"frame_rate": 0}', "'frame_rate'.*got 0"),
        ('{"frame_rate": "x"}', "'frame_rate'.*got 'x'"),
        ('{"frame_rate": true}', "'frame_rate'.*got True"),
        ('{"frame_rate": [30]}', "'frame_rate'"),
        ('{"frame_rate": NaN}', "it holds NaN, which is not JSON"),
        ('{"frame_rate": Infinity}', "it holds Infinity"),
        ('{"frame_rate": 1e999}', "beyond the largest number"),
        ('{"a": 1, "a": 2}', "it names 'a' twice"),
        ('{"a": ' + "[" * 200 + "]" * 200 + "}", "nested more than 100 deep"),
        ('{"a": ' + "[" * 10**5 + "]" * 10**5 + "}", "is damaged"),
        ('{"a": ' + "9" * 10**5 + "}", "is damaged"),
    ],
    ids=lambda value: value[:24],
)
def test_metadata(text, message, folder):
    with_metadata(folder, text)
    for read in (read_metadata, skrehab.load):
        with pytest.raises(ValueError, match=rf"model\.json.*{message}") as error:
            read(folder)
        assert len(str(error.value)) < 1000


@pytest.mark.parametrize("bad", [{"frame_rate": -1}, {"frame_rate": "x"}, {"labels": 5}, 5])
def test_what_load_refuses_is_not_saved(bad, tmp_path):
    model = LandmarkScaler().fit([np.zeros((4, 5, 3))])
    with pytest.raises((TypeError, ValueError), match="metadata"):
        skrehab.save(model, tmp_path / "m", metadata=bad)
    assert not (tmp_path / "m").exists()


def test_a_model_that_load_would_refuse_is_not_saved(tmp_path):
    for model, message in [
        (skrehab.DisplacementSmoother(window=-1), "window must be a whole number from 1"),
        (skrehab.VideoClassifier("lstm", network_params={"n_layers": 10**6}), "n_layers"),
    ]:
        with pytest.raises(ValueError, match=f"cannot be saved so that it loads again.*{message}"):
            skrehab.save(model, tmp_path / "m")
    model = LandmarkScaler().fit([np.zeros((4, 5, 3))])
    model.notes_ = "of the patient"
    with pytest.raises(ValueError, match="unexpected attribute: 'notes_'"):
        skrehab.save(model, tmp_path / "m")
    with pytest.raises(ValueError, match="Keep what is large elsewhere"):
        del model.notes_
        skrehab.save(model, tmp_path / "m", metadata={"text": "x" * files.MAX_JSON_BYTES})
    assert not (tmp_path / "m").exists()


# --- files ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
@pytest.mark.parametrize("kind", ["link", "link beside", "pipe", "folder", "device", "nowhere"])
def test_files_that_are_not_plain(name, kind, folder, tmp_path):
    file = folder / name
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(file.read_bytes())
    file.unlink()
    if kind == "link":
        file.symlink_to(elsewhere)
    elif kind == "link beside":
        (folder / "other").write_bytes(elsewhere.read_bytes())
        file.symlink_to("other")
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "device":
        file.symlink_to("/dev/zero")
    else:
        file.symlink_to(tmp_path / "nowhere")
    message = "is a link to elsewhere" if "link" in kind else rf"{name}"
    with pytest.raises(ValueError, match=message):
        skrehab.load(folder)


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    """Whoever loads a model named it; only what lies inside is the sender's."""
    (tmp_path / "newest").symlink_to(folder)
    assert skrehab.load(tmp_path / "newest").scale_.shape == (5, 3)


def test_large_json_is_not_parsed(folder):
    with open(folder / "model.json", "r+b") as file:
        file.truncate(files.MAX_JSON_BYTES + 1)
    with pytest.raises(ValueError, match=r"model\.json is too large for a model"):
        skrehab.load(folder)


# --- the head of the weights ----------------------------------------------------------------------
def weights(folder, head, data=b"", length=None):
    """Write a file of weights with a head of one's own."""
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    length = len(head) if length is None else length
    (folder / "weights.safetensors").write_bytes(length.to_bytes(8, "little") + head + data)


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    ("head", "length", "message"),
    [
        (b"{}", 10**15, "its head of 1000000000000000 bytes does not fit"),
        (b"{}" + b" " * (2**22), None, "does not fit"),
        (b"[]", None, "its head is no dict"),
        (b'{"a": 1, "a": 1}', None, "names 'a' twice"),
        (b"[" * 10**5, None, "recursion"),
        ({"a": 5}, None, "'a' is no array"),
        ({"a": entry([2], 0, 4)}, None, "takes other bytes than its shape"),
        ({"a": entry([10**18], 0, 4)}, None, "takes other bytes"),
        ({"a": entry([-1], 0, 4)}, None, "whole numbers"),
        ({"a": entry([True], 0, 4)}, None, "whole numbers"),
        ({"a": entry([1] * 99, 0, 4)}, None, "99 dimensions"),
        ({"a": entry([1], 0, 4, "O")}, None, "unknown kind: 'O'"),
        ({"a": entry([1], 0, 4, ["F32"])}, None, "unknown kind"),
        ({"a": entry([1], 0, 4), "b": entry([1], 0, 4)}, None, "overlap or leave gaps"),
        ({"a": entry([1], 4, 8)}, None, "overlap or leave gaps"),
        ({}, None, "its arrays take 0 bytes, and there are 4"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_heads_that_lie(head, length, message, folder):
    weights(folder, head, bytes(4), length)
    with pytest.raises(ValueError, match=rf"weights\.safetensors is damaged.*{message}"):
        skrehab.load(folder)


def test_arrays_that_nothing_asks_for(folder):
    """A folder can be heavy only with what the model is made of."""
    from safetensors.numpy import load_file

    arrays = load_file(folder / "weights.safetensors")
    save_file(arrays | {"extra": np.zeros(10)}, folder / "weights.safetensors")
    with pytest.raises(ValueError, match="arrays that nothing asks for, such as 'extra'"):
        skrehab.load(folder)


def test_shapes_that_do_not_go_together(folder):
    from safetensors.numpy import load_file

    arrays = load_file(folder / "weights.safetensors")
    name = next(key for key in arrays if key.endswith("mean_"))
    for wrong in (np.zeros((5, 2)), np.zeros(15), np.zeros((5, 3), int), np.zeros((0, 3))):
        save_file(arrays | {name: wrong}, folder / "weights.safetensors")
        with pytest.raises(ValueError, match=r"(mean|scale)_ must be an array of floats"):
            skrehab.load(folder)


# --- networks that would be larger than their weights ---------------------------------------------
@needs_linux
def test_a_network_that_cannot_be_built_empty(tmp_path, run_python):
    """Hiera calculates while it is built: its numbers are counted as they are made."""
    if importlib.util.find_spec("hiera") is None:
        pytest.skip("hiera-transformer is not installed")
    from hostile_models import fitted

    small = {"width": 8, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32}
    facts = {"n_landmarks_": None, "n_coords_": None, "classes_": np.arange(2), "history_": []}
    model = fitted(skrehab.VideoClassifier("hiera", network_params=small), **facts)
    folder = skrehab.save(model, tmp_path / "m")
    assert type(skrehab.load(folder).module_) is type(model.module_)
    file = folder / "model.json"
    tree = json.loads(file.read_text())
    tree["estimator"]["params"]["network_params"] = {"dict": [["size", "huge"]]}  # 670 million
    file.write_text(json.dumps(tree))
    code = """
import sys, skrehab
try:
    skrehab.load(sys.argv[1])
except ValueError as error:
    print(error)
print(peak_kib() // 1024)
"""
    said, _, memory = run_python(PEAK + code, folder).rpartition("\n")
    assert "more than its weights account for" in said and int(memory) < 1500


# --- writing --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["README.md", "model.json", "weights.safetensors"])
def test_nothing_is_written_through_a_link(name, folder, tmp_path):
    precious = tmp_path / "precious"
    content = b"kept"
    if name == "model.json":
        content = (folder / name).read_bytes()  # it must look like a model to be replaced
    precious.write_bytes(content)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(precious)
    model = LandmarkScaler().fit([np.ones((4, 5, 3))])
    with pytest.raises(FileExistsError, match=rf"{name} is a link to elsewhere"):
        skrehab.save(model, folder, card=True, overwrite=True)
    assert precious.read_bytes() == content
    assert {file.name for file in folder.iterdir()} <= {
        "README.md", "model.json", "weights.safetensors"
    }  # fmt: skip


def test_a_link_called_readme_is_left_alone(folder, tmp_path):
    """Nobody asked for a card: the link stays, and what it points at is not looked into."""
    from skrehab.persistence.cards import CARD_MARK

    precious = tmp_path / "precious"
    precious.write_text(CARD_MARK)
    (folder / "README.md").symlink_to(precious)
    model = LandmarkScaler().fit([np.ones((4, 5, 3))])
    for metadata in ({}, {"n_patients": 3}):
        skrehab.save(model, folder, metadata=metadata, overwrite=True)
    assert precious.read_text() == CARD_MARK and (folder / "README.md").is_symlink()
    (folder / "README.md").unlink()
    os.mkfifo(folder / "README.md")  # reading it would wait for good
    skrehab.save(model, folder, metadata={"n_patients": 3}, overwrite=True)
