"""Models as folders: the same bits back, nothing of the patients inside, nothing foreign let in."""

import hashlib
import json
import pathlib
import pickle

import numpy as np
import pytest
import sklearn.pipeline
import torch
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from instances import tiny_frames, tiny_labeler, tiny_trials, tiny_video
from sklearn.frozen import FrozenEstimator
from sklearn.svm import SVC
from torch import nn

import skrehab
from skrehab import DisplacementSmoother, FrameMLP, LandmarkScaler, networks
from skrehab.persistence import folder as files_of_a_model
from skrehab.persistence import read_metadata, reading, writing
from skrehab.persistence.classes import CLASSES

LOAD_AND_SAY = """
import pathlib, sys
import numpy as np, skrehab
folder = pathlib.Path(sys.argv[1])
data = np.load(folder / "X.npz")
X = [data[f"x{i}"] for i in range(len(data.files))]
for path in folder.glob("model-*"):
    np.savez(folder / f"said-{path.name}.npz", *skrehab.load(path).predict_proba(X))
"""


def pipeline(**frames):
    return Pipeline(
        [
            ("motion", DisplacementSmoother(window=3, causal=True)),
            ("scale", LandmarkScaler()),
            ("labels", tiny_labeler()),
            ("frames", tiny_frames(**frames)),
        ],
        memory=None,
    )


@pytest.fixture
def model(tiny, tmp_path):
    """A saved pipeline: its folder, the pipeline, and the trials it was fitted on."""
    fitted = pipeline().fit(tiny.X, tiny.y)
    return skrehab.save(fitted, tmp_path / "model", metadata={"fps": 30}), fitted, tiny


def rewrite(folder, change):
    """Change the JSON of a saved model."""
    file = folder / "model.json"
    tree = json.loads(file.read_text())
    change(tree)
    file.write_text(json.dumps(tree))


def step(tree, number):
    """An estimator of the saved pipeline, as JSON."""
    return tree["estimator"]["params"]["steps"]["list"][number]["tuple"][1]


# --- round trips ----------------------------------------------------------------------------------
MODELS = {
    "pipeline": pipeline,
    "sklearn": lambda: sklearn.pipeline.Pipeline([("s", LandmarkScaler()), ("v", tiny_video())]),
    "act": lambda: tiny_video(network="act", network_params={"size": "micro"}),
    "stopped": lambda: tiny_video(class_weight={0: 1.0, 1: 2.5}, early_stopping=True),
    "layers": lambda: pipeline(class_weight="balanced", hidden_layer_sizes=(5, 4)),
}


def test_the_same_bits_in_a_fresh_process(tiny, tmp_path, run_python):
    new = tiny_trials(seed=4)
    np.savez(tmp_path / "X.npz", **{f"x{i}": trial for i, trial in enumerate(new.X)})
    expected = {}
    for name, make in MODELS.items():
        groups = {"groups": tiny.patients} if name == "stopped" else {}
        model = make().fit(tiny.X, tiny.y, **groups)
        expected[name] = model.predict_proba(new.X)
        skrehab.save(model, tmp_path / f"model-{name}")
    run_python(LOAD_AND_SAY, tmp_path)
    for name, probabilities in expected.items():
        said = np.load(tmp_path / f"said-model-{name}.npz")
        for i, one in enumerate(probabilities):
            assert said[f"arr_{i}"].tobytes() == np.asarray(one).tobytes(), name


def test_every_parameter_and_attribute_comes_back(tiny, tmp_path):
    model = FrameMLP(
        (4,),
        lr=1 / 3,
        max_epochs=2,
        class_weight={"none": 0.1, "lean": 1e-300},
        random_state=7,
        gradient_clip=None,
    )
    names = np.array(["none", "lean"], dtype=object)
    model.fit(tiny.X, [names[labels] for labels in tiny.frame_labels])
    again = skrehab.load(skrehab.save(model, tmp_path / "m"))
    assert not any(module.training for module in again.module_.modules())
    assert again.get_params() == model.get_params()
    assert again.classes_.tolist() == ["lean", "none"] and again.classes_.dtype == object
    assert again.history_ == model.history_
    assert (again.n_landmarks_, again.n_coords_) == (5, 3)
    for a, b in zip(again.predict(tiny.X), model.predict(tiny.X)):
        np.testing.assert_array_equal(a, b)


def there_and_back(value):
    """Encode a value, through real JSON, and decode it."""
    arrays = {}
    node = json.loads(json.dumps(writing._encode(value, "here", arrays)))
    return reading._decode(node, arrays, "cpu")


def test_odd_values_come_back():
    values = {
        "nested": [1, (2.5, None), {"a": True, 3: "b"}],
        "odd": [np.nan, np.inf, -np.inf, -0.0],
        "numbers": [np.int64(3), np.float32(0.1), np.True_],
        "text": np.array(["lean", "none"]),
        "counts": np.arange(3, dtype=np.uint8),
        "empty": np.empty((0, 2), dtype=np.float32),
        "ragged": np.array([np.arange(2), np.arange(3)], dtype=object),
    }
    again = there_and_back(values)
    np.testing.assert_equal(again["nested"], values["nested"])
    np.testing.assert_equal(again["odd"], values["odd"])
    assert again["numbers"] == [3, float(np.float32(0.1)), True]
    for name in ("text", "counts", "empty"):
        assert again[name].dtype == values[name].dtype
        np.testing.assert_array_equal(again[name], values[name])
    assert [one.tolist() for one in again["ragged"]] == [[0, 1], [0, 1, 2]]


def test_equal_length_objects_stay_one_dimensional():
    pairs = np.empty(2, dtype=object)
    pairs[:] = [np.arange(2), np.arange(2)]
    again = there_and_back(pairs)
    assert again.shape == (2,) and again[1].tolist() == [0, 1]


def test_a_frozen_classifier_inside_a_labeler(tiny, tmp_path):
    video = tiny_video().fit(tiny.X, tiny.y)
    labeler = tiny_labeler().set_params(estimator=FrozenEstimator(video)).fit(tiny.X, tiny.y)
    again = skrehab.load(skrehab.save(labeler, tmp_path / "m"))
    expected = video.predict_proba(tiny.X)
    np.testing.assert_array_equal(again.estimator_.predict_proba(tiny.X), expected)
    # and it can label new trials as the first one would
    new = tiny_trials(seed=3)
    for a, b in zip(again.fit_resample(new.X, new.y)[1], labeler.fit_resample(new.X, new.y)[1]):
        np.testing.assert_array_equal(a, b)


def test_a_saved_pipeline_can_be_fitted_again(model):
    folder, fitted, data = model
    again = skrehab.load(folder).fit(data.X, data.y)
    for a, b in zip(again.predict_proba(data.X), fitted.predict_proba(data.X)):
        np.testing.assert_array_equal(a, b)


def test_loading_draws_no_random_number(model):
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    skrehab.load(model[0])
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads


def test_unfitted_estimators_can_be_saved(tmp_path):
    again = skrehab.load(skrehab.save(DisplacementSmoother(window=9), tmp_path / "m"))
    assert again.window == 9 and not hasattr(again, "n_landmarks_")


def test_device_is_chosen_when_loading(tiny, tmp_path):
    video = tiny_video().fit(tiny.X, tiny.y)
    video.device = "cuda:7"  # as if trained there
    assert skrehab.load(skrehab.save(video, tmp_path / "m")).device == "cpu"


def test_metadata(model, tmp_path):
    assert read_metadata(model[0]) == {"fps": 30}
    skrehab.save(model[1], tmp_path / "other")
    assert read_metadata(tmp_path / "other") == {}


def test_numbers_of_numpy_are_metadata_too(model, tmp_path):
    metadata = {
        "auc": np.float32(0.5),
        "patients": np.int64(18),
        "blind": np.True_,
        "scores": {"by patient": [np.float64(0.25), {np.int64(3): (1, None)}]},
        "site": np.str_("A"),
    }
    folder = skrehab.save(model[1], tmp_path / "m", metadata=metadata)
    assert read_metadata(folder) == {
        "auc": 0.5,
        "patients": 18,
        "blind": True,
        "scores": {"by patient": [0.25, {"3": [1, None]}]},
        "site": "A",
    }


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        ({"x": object()}, TypeError, r"metadata\['x'\] cannot be saved: it is object"),
        ({"auc": float("nan")}, ValueError, r"metadata\['auc'\] is nan.*Leave it out"),
        ({"s": {"high": [0.5, np.float32("inf")]}}, ValueError, r"\['s'\]\['high'\]\[1\] is inf"),
        ({"scores": np.ones(2)}, TypeError, r"\['scores'\].*it is ndarray\. Give \.tolist\(\)"),
        ({"a": {(1, 2): 3}}, TypeError, r"metadata\['a'\] has the key \(1, 2\)"),
    ],
)
def test_metadata_that_cannot_be_saved_are_named(bad, error, message, model, tmp_path):
    with pytest.raises(error, match=message):
        skrehab.save(model[1], tmp_path / "bad", metadata=bad)
    assert not (tmp_path / "bad").exists()


# --- a network of the user's own ------------------------------------------------------------------
class Sum(nn.Module):
    """A user's network."""

    def __init__(self, n_landmarks, n_coords, n_outputs, *, scale=1.0):
        super().__init__()
        self.scale = scale
        self.head = nn.Linear(n_landmarks * n_coords, n_outputs)
        self.register_buffer("steps", torch.zeros(2, dtype=torch.int64))

    def forward(self, x, lengths=None):
        return self.head(self.scale * x.flatten(2).sum(1))


def test_a_registered_network_is_saved_by_name(tiny, tmp_path, monkeypatch):
    from skrehab.networks import registry

    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    unnamed = tiny_video(network=Sum, network_params={"scale": 0.5}).fit(tiny.X, tiny.y)
    with pytest.raises(TypeError, match=r"VideoClassifier.network cannot be saved.*register"):
        skrehab.save(unnamed, tmp_path / "m")
    assert not (tmp_path / "m").exists()

    networks.register(networks.NetworkSpec("sum", Sum, "sum of frames", "none", "BSD-3-Clause"))
    named = tiny_video(network="sum", network_params={"scale": 0.5}).fit(tiny.X, tiny.y)
    folder = skrehab.save(named, tmp_path / "m")
    again = skrehab.load(folder)
    np.testing.assert_array_equal(again.predict_proba(tiny.X), named.predict_proba(tiny.X))
    monkeypatch.setattr(registry, "_REGISTRY", {})
    with pytest.raises(ValueError, match="Unknown network 'sum'"):
        skrehab.load(folder)


# --- privacy --------------------------------------------------------------------------------------
def test_nothing_of_the_training_patients_is_in_the_folder(tmp_path):
    """No name, no trial, no pseudo-label, no score: search the bytes."""
    data = tiny_trials()
    data = type(data)(data.X, data.y, data.frame_labels, np.char.add("MRS-SMITH-", data.patients))
    pipe = pipeline(early_stopping=True)
    pipe.set_params(labels__estimator__early_stopping=True)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe.fit(data.X, data.y, groups=data.patients)
    labeler = pipe.named_steps["labels"]
    assert labeler.estimator_.validation_groups_ is not None  # there is something to leak
    folder = skrehab.save(pipe, tmp_path / "model")

    files = sorted(file for file in folder.rglob("*") if file.is_file())
    assert [file.name for file in files] == ["model.json", "weights.safetensors"]
    content = b"".join(file.read_bytes() for file in files)
    assert b"SMITH" not in content and b"patient-" not in content
    text = files[0].read_text()
    for word in ("transduction_", "scores_", "validation_groups_", str(tmp_path), "memory_"):
        assert word not in text
    arrays = [np.concatenate(labeler.scores_), np.concatenate(labeler.transduction_), *data.X]
    for array in arrays:
        for row in (array.ravel()[:6], array.ravel()[-6:]):
            if np.ptp(row):
                assert row.tobytes() not in content
    assert content.count(b"weight") > 0 and files[1].stat().st_size < 20_000
    again = skrehab.load(folder)
    assert not hasattr(again.named_steps["labels"], "transduction_")


def test_what_belongs_to_this_machine_is_left_out(tiny, tmp_path):
    pipe = pipeline(resampler=RandomUnderSampler(), net_params={"callbacks": []})
    pipe.set_params(memory=str(tmp_path / "cache")).fit(tiny.X, tiny.y)
    again = skrehab.load(skrehab.save(pipe, tmp_path / "model"))
    assert again.memory is None
    frames = again.named_steps["frames"]
    assert frames.resampler is None and frames.net_params is None


# --- what cannot be saved -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (SVC, "SVC cannot be saved"),
        (
            lambda: Pipeline([("x", SVC())]),
            r"Pipeline.steps.0.1 cannot be saved",
        ),
        (lambda: tiny_video(random_state=np.random.RandomState(0)), "random_state.*whole number"),
        (lambda: tiny_video(network_params={"f": print}), r"network_params\.f cannot be saved"),
    ],
)
def test_what_cannot_be_saved_is_named(make, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        skrehab.save(make(), tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_subclasses_and_namesakes_are_not_on_the_list(tmp_path):
    class LandmarkScaler(skrehab.LandmarkScaler):
        """A class of the same name from somewhere else."""

    with pytest.raises(TypeError, match="LandmarkScaler cannot be saved"):
        skrehab.save(LandmarkScaler(), tmp_path / "m")


def test_folders_are_not_overwritten_by_accident(model, tmp_path):
    folder, fitted, _ = model
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        skrehab.save(fitted, folder)
    skrehab.save(DisplacementSmoother(window=2), folder, overwrite=True)
    assert skrehab.load(folder).window == 2
    other = tmp_path / "photos"
    other.mkdir()
    (other / "holiday.jpg").write_bytes(b"x")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="it is not a model"):
            skrehab.save(fitted, other, overwrite=overwrite)
    assert [file.name for file in other.iterdir()] == ["holiday.jpg"]


# --- what is not let in ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.Popen",
        "SVC",
        "builtins.eval",
        "",
        None,
        ["a"],
        3,
    ],
)
def test_unknown_classes_are_refused(model, name):
    rewrite(model[0], lambda tree: step(tree, 0).update({"class": name}))
    with pytest.raises(ValueError, match=r"model\.json cannot be loaded"):
        skrehab.load(model[0])


def change_format(tree):
    tree["format"] = "other"


def change_version(tree):
    tree["format_version"] = 3


def add_key(tree):
    tree["hooks"] = ["import os"]


def drop_key(tree):
    del tree["metadata"]


def unknown_parameter(tree):
    step(tree, 0)["params"]["__reduce__"] = 1


def unknown_kind(tree):
    step(tree, 1)["state"]["mean_"] = {"pickle": "gASV"}


def two_kinds(tree):
    step(tree, 1)["state"]["mean_"] = {"list": [], "tuple": []}


def empty_kind(tree):
    step(tree, 1)["state"]["mean_"] = {}


def extra_entry(tree):
    step(tree, 1)["code"] = "import os"


def private_attribute(tree):
    step(tree, 1)["state"]["__class__"] = "x"


def method_replaced(tree):
    step(tree, 1)["state"]["transform"] = "x"


def missing_array(tree):
    step(tree, 1)["state"]["mean_"] = {"array": "nowhere"}


def path_as_array(tree):
    step(tree, 1)["state"]["mean_"] = {"array": "../../../etc/passwd"}


def list_as_array(tree):
    step(tree, 1)["state"]["mean_"] = {"array": ["a"]}


def path_as_module(tree):
    step(tree, 3)["state"]["module_"] = {"module": "../../"}


def module_elsewhere(tree):
    step(tree, 3)["state"]["weights_"] = step(tree, 3)["state"].pop("module_")


def other_network(tree):
    step(tree, 3)["params"]["hidden_layer_sizes"] = {"tuple": [3]}


def bad_float(tree):
    step(tree, 3)["params"]["lr"] = {"float": "__import__('os')"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_format, "is not a skrehab model"),
        (change_version, r"format version 3; this skrehab reads 1.*written by skrehab 0"),
        (add_key, r"unexpected entries: \['hooks'\]"),
        (drop_key, r"unexpected entries: \['metadata'\]"),
        (unknown_parameter, r"unknown parameters: \['__reduce__'\]"),
        (unknown_kind, r"mean_ must be an array .*got \{'pickle': 'gASV'\}"),
        (two_kinds, r"mean_ must be an array of floats of shape \(L, C\).*got \{'list'"),
        (empty_kind, "cannot be loaded"),
        (extra_entry, "Not an estimator"),
        (private_attribute, "unexpected attribute: '__class__'"),
        (method_replaced, "unexpected attribute: 'transform'"),
        (missing_array, "mean_ must be .*no array called 'nowhere' in the weights"),
        (path_as_array, "no array called '../../../etc/passwd' in the weights"),
        (list_as_array, "cannot be loaded"),
        (path_as_module, r"module_: no array in the weights begins with '../../'"),
        (module_elsewhere, "unexpected attribute: 'weights_' of Pipeline.steps.3.1"),
        (other_network, "cannot be loaded.*size mismatch"),
        (bad_float, r"lr must be a number from 0 to 1e\+09, got .*__import__"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_changed_models_are_refused(model, change, message):
    rewrite(model[0], change)
    with pytest.raises(ValueError, match=f"(?s)model.json.*{message}"):
        skrehab.load(model[0])


@pytest.mark.parametrize("content", ["FrameMLP", 5, None, {"list": [1]}])
def test_only_an_estimator_is_loaded(model, content):
    rewrite(model[0], lambda tree: tree.update(estimator=content))
    with pytest.raises(ValueError, match=r"model\.json cannot be loaded: Not an estimator"):
        skrehab.load(model[0])


def test_array_names_are_only_names(model, tmp_path):
    """A name like a path in the weights is a key: no file is read or written for it."""
    from safetensors.numpy import load_file, save_file

    folder = model[0]
    arrays = load_file(folder / "weights.safetensors")
    name = next(key for key in arrays if key.endswith("scale_"))
    evil = "../../escaped"
    arrays[evil] = arrays.pop(name)
    save_file(arrays, folder / "weights.safetensors")
    digest = hashlib.sha256((folder / "weights.safetensors").read_bytes()).hexdigest()
    rewrite(folder, lambda tree: tree.update(weights_sha256=digest))
    rewrite(folder, lambda tree: step(tree, 1)["state"].update({"scale_": {"array": evil}}))
    before = sorted(tmp_path.rglob("*"))
    scaler = skrehab.load(folder).named_steps["scale"]
    np.testing.assert_array_equal(scaler.scale_, model[1].named_steps["scale"].scale_)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null", b"[" * 100_000, b'{"format": "skrehab-model"}'],
    ids=["empty", "cut", "not text", "list", "null", "deep", "bare"],
)
def test_damaged_json_is_named(model, content):
    (model[0] / "model.json").write_bytes(content)
    for read in (skrehab.load, read_metadata):
        with pytest.raises(ValueError, match=r"model\.json"):
            read(model[0])


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_damaged_weights_are_named(model, cut):
    file = model[0] / "weights.safetensors"
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"weights\.safetensors is damaged"):
        skrehab.load(model[0])


def test_pickles_are_not_opened(model, tmp_path):
    """Not even looked into: the pickle would leave a file behind."""
    folder, trace = model[0], tmp_path / "trace"

    class Evil:
        def __reduce__(self):
            return pathlib.Path.touch, (trace,)

    pickle.loads(pickle.dumps(Evil()))
    assert trace.exists()  # it does work as a pickle
    trace.unlink()
    (folder / "weights.safetensors").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="is damaged"):
        skrehab.load(folder)
    (folder / "model.json").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="is damaged"):
        skrehab.load(folder)
    alone = tmp_path / "model.pkl"
    alone.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="is not a skrehab model"):
        skrehab.load(alone)
    assert not trace.exists()


def test_missing_and_oversized_files(model, tmp_path, monkeypatch):
    with pytest.raises(
        ValueError, match=r"nowhere is not a skrehab model: there is no model\.json"
    ):
        skrehab.load(tmp_path / "nowhere")
    monkeypatch.setattr(files_of_a_model, "MAX_WEIGHT_BYTES", 10)
    with pytest.raises(ValueError, match=r"weights\.safetensors is too large"):
        skrehab.load(model[0])
    (model[0] / "weights.safetensors").unlink()
    with pytest.raises(ValueError, match=r"there is no weights\.safetensors"):
        skrehab.load(model[0])


def test_every_public_estimator_is_on_the_list():
    from instances import public_estimators

    assert set(public_estimators()) <= set(CLASSES)
