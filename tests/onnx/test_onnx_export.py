"""ONNX files say what the model says, of whole trials and live."""

import json
import os

import numpy as np
import pytest
import torch
from imblearn.pipeline import Pipeline
from instances import network_rows, tiny_frames, tiny_labeler, tiny_trials, tiny_video
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    FrameStream,
    LandmarkScaler,
    PoseExtractor,
    SkeletonConverter,
    networks,
)
from skrehab.metrics import TrialScorer
from skrehab.metrics.told_normal import normal_first, told_normal
from skrehab.onnx import OnnxModel, OnnxStream, export_onnx
from skrehab.preprocessing import GapFiller, SideNormalizer
from skrehab.recipes import recommended

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

TOLERANCE = {"rtol": 0, "atol": 1e-5}


def gappy(n_landmarks=5, n_coords=3, seed=1, lengths=(1, 2, 7, 40)):
    """Trials with lost landmarks, one of them never seen, and a frame without anybody."""
    rng = np.random.RandomState(seed)
    trials = []
    for n_frames in lengths:
        trial = rng.randn(n_frames, n_landmarks, n_coords).cumsum(axis=0)
        trial[rng.uniform(size=trial.shape[:2]) < 0.2] = np.nan
        trial[:, 1] = np.nan
        trial[n_frames // 2] = np.nan
        trials.append(trial.astype(np.float32))
    return trials


def same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected):
        assert a.shape == b.shape and a.dtype == np.float32
        np.testing.assert_allclose(a, b, **TOLERANCE)


PIPELINES = {
    "frames alone": lambda: make_pipeline(tiny_frames()),
    "two layers": lambda: make_pipeline(tiny_frames(hidden_layer_sizes=(6, 4))),
    "no hidden layer": lambda: make_pipeline(tiny_frames(hidden_layer_sizes=())),
    "window 1": lambda: make_pipeline(DisplacementSmoother(1, causal=True), tiny_frames()),
    "window 2": lambda: make_pipeline(DisplacementSmoother(2, causal=True), tiny_frames()),
    "smooth first": lambda: make_pipeline(
        DisplacementSmoother(order="smooth_first"), tiny_frames()
    ),
    "window 60": lambda: make_pipeline(DisplacementSmoother(60, causal=True), tiny_frames()),
    "scaled": lambda: make_pipeline(
        DisplacementSmoother(causal=True), LandmarkScaler(), tiny_frames()
    ),
    "centred scale": lambda: make_pipeline(LandmarkScaler(center=True), tiny_frames()),
    "twice": lambda: make_pipeline(
        DisplacementSmoother(3, causal=True),
        make_pipeline(LandmarkScaler(), "passthrough", DisplacementSmoother(2, causal=True)),
        tiny_frames(),
    ),
    "labelled": lambda: Pipeline(
        [
            ("motion", DisplacementSmoother(causal=True)),
            ("labels", tiny_labeler()),
            ("frames", tiny_frames()),
        ]
    ),
}


# --- frame models ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PIPELINES)
def test_frame_models(tiny, tmp_path, name):
    model = PIPELINES[name]()
    model.fit(tiny.X, tiny.y if name == "labelled" else tiny.frame_labels)
    X = gappy()
    file = export_onnx(model, tmp_path / "m.onnx")
    loaded = OnnxModel(file)
    expected = model.predict_proba(X)
    same(loaded.predict_proba(X), expected)
    for a, b in zip(loaded.predict(X), model.predict(X)):
        np.testing.assert_array_equal(a, b)

    live = OnnxStream(export_onnx(model, tmp_path / "live.onnx", streaming=True))
    ours = FrameStream(model)
    for trial, whole in zip(X, expected):
        live.reset()
        ours.reset()
        said = [live.push(frame) for frame in trial]
        same([np.array(said)], [whole])
        mine = [ours.push(frame, t) for t, frame in enumerate(trial)]
        np.testing.assert_allclose(said, mine, **TOLERANCE)
    from onnx.reference import ReferenceEvaluator

    # ONNX's own implementation, written independently, says the same
    reference = ReferenceEvaluator(str(file))
    np.testing.assert_allclose(reference.run(None, {"x": X[3]})[0], expected[3], **TOLERANCE)
    for written in (file, tmp_path / "live.onnx"):
        onnx.checker.check_model(str(written), full_check=True)


@pytest.mark.parametrize("window", [2, 3, 4, 5])
def test_centred_windows_for_whole_trials_only(tiny, tmp_path, window):
    model = make_pipeline(DisplacementSmoother(window, causal=False), tiny_frames())
    model.fit(tiny.X, tiny.frame_labels)
    X = gappy()
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    same(loaded.predict_proba(X), model.predict_proba(X))
    if window > 2:  # an even window reaches one frame further back
        with pytest.raises(
            ValueError, match=r"cannot run live: step 'displacementsmoother'.*ahead"
        ):
            export_onnx(model, tmp_path / "live.onnx", streaming=True)
        assert not (tmp_path / "live.onnx").exists()


@pytest.mark.parametrize("n_coords", [2, 4])
@pytest.mark.parametrize("visibility", ["drop", "keep"])
def test_other_coordinates(tmp_path, n_coords, visibility):
    data = tiny_trials(n_coords=n_coords)
    smoother = DisplacementSmoother(3, causal=True, visibility=visibility)
    model = make_pipeline(smoother, LandmarkScaler(), tiny_frames())
    model.fit(data.X, data.frame_labels)
    X = gappy(n_coords=n_coords)
    same(
        OnnxModel(export_onnx(model, tmp_path / "m.onnx")).predict_proba(X), model.predict_proba(X)
    )
    export_onnx(model, tmp_path / "live.onnx", streaming=True)  # and checks itself


@pytest.mark.parametrize("classes", [[7], ["lean", "none"], ["a", "b", "c"]])
def test_classes(tiny, tmp_path, classes):
    names = np.array(classes, dtype=object if isinstance(classes[0], str) else int)
    labels = [names[np.arange(len(trial)) % len(names)] for trial in tiny.X]
    model = tiny_frames().fit(tiny.X, labels)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    assert loaded.classes_.tolist() == classes
    same(loaded.predict_proba(tiny.X), model.predict_proba(tiny.X))
    live = OnnxStream(export_onnx(model, tmp_path / "live.onnx", streaming=True))
    np.testing.assert_allclose(
        live.push(tiny.X[0][0]), model.predict_proba(tiny.X[:1])[0][0], **TOLERANCE
    )


@pytest.mark.parametrize(
    ("words", "normal"),
    [(["usual", "lean"], "usual"), ([0, 1], 1), ([0, 1], None), (["a", "b", "c"], "c")],
)
def test_the_normal_label_goes_along(tiny, tmp_path, words, normal):
    """A file of a model whose normal label is not the smallest was scored upside down."""
    y = np.array(words)[np.arange(len(tiny.X)) % len(words)]
    model = recommended(
        None, n_teachers=1, max_epochs=1, augment=False, normal_label=normal, random_state=0
    ).fit(tiny.X, y)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    live = OnnxStream(export_onnx(model, tmp_path / "live.onnx", streaming=True))
    assert loaded.normal_label == live.normal_label == normal
    assert told_normal(loaded) == normal
    np.testing.assert_array_equal(
        normal_first(loaded, loaded.classes_), normal_first(model, model.classes_)
    )
    assert TrialScorer()(loaded, tiny.X, y) == TrialScorer()(model, tiny.X, y)


def test_normal_labels_that_differ_are_no_file(tiny, tmp_path):
    model = recommended(None, n_teachers=1, max_epochs=1, normal_label=0, random_state=0)
    model.fit(tiny.X, tiny.y).set_params(labels__normal_label=1)
    with pytest.raises(ValueError, match="told different ones"):
        export_onnx(model, tmp_path / "m.onnx")


@pytest.mark.parametrize("n_coords", [3, 4])
@pytest.mark.parametrize("max_gap", [0.05, 0.2])
def test_gaps_are_filled_inside(tmp_path, n_coords, max_gap):
    data = tiny_trials(n_coords=n_coords)
    filler = GapFiller(max_gap, causal=True)
    model = make_pipeline(filler, DisplacementSmoother(3, causal=True), tiny_frames())
    model.fit(data.X, data.frame_labels)
    X = gappy(n_coords=n_coords)
    X[3][5:20, 2] = np.nan  # longer than the limit
    X[3][:, 3, 0] = np.where(np.arange(40) % 4 < 3, np.nan, X[3][:, 3, 0])  # one coordinate alone
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    same(loaded.predict_proba(X), model.predict_proba(X))
    live = OnnxStream(export_onnx(model, tmp_path / "live.onnx", streaming=True))
    said = np.array([live.push(frame) for frame in X[3]])
    same([said], model.predict_proba(X[3:]))
    model[0].causal = False
    with pytest.raises(TypeError, match=r"only if it holds the last value: GapFiller\(causal=True"):
        export_onnx(model, tmp_path / "n.onnx")


@pytest.mark.parametrize("side", ["left", "right"])
def test_sides_are_exchanged_inside(tmp_path, side):
    data = tiny_trials(n_landmarks=17)
    model = make_pipeline(SideNormalizer(side, skeleton="coco17"), tiny_frames())
    model.fit(data.X, data.frame_labels)
    X = gappy(17)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    same(loaded.predict_proba(X), model.predict_proba(X))
    export_onnx(model, tmp_path / "live.onnx", streaming=True)
    model.set_params(sidenormalizer__affected_side="moving")
    with pytest.raises(TypeError, match="only if the side is known"):
        export_onnx(model, tmp_path / "n.onnx")


@pytest.mark.parametrize(
    ("source", "target", "n_coords"),
    [("mediapipe33", "coco17", 4), ("mediapipe33", "ntu25", 3), ("coco17", "ntu25", 3)],
)
def test_skeletons_are_converted_inside(tmp_path, source, target, n_coords):
    n_landmarks = {"mediapipe33": 33, "coco17": 17}[source]
    data = tiny_trials(n_landmarks=n_landmarks, n_coords=n_coords)
    model = make_pipeline(
        SkeletonConverter(target, source=source),
        DisplacementSmoother(3, causal=True),
        LandmarkScaler(),
        tiny_frames(),
    ).fit(data.X, data.frame_labels)
    X = gappy(n_landmarks, n_coords)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx", skeleton=source))
    same(loaded.predict_proba(X), model.predict_proba(X))
    export_onnx(model, tmp_path / "live.onnx", streaming=True)


def test_pixels_far_from_zero(tmp_path):
    """Thousands of pixels, movements of one: double precision where the steps have it."""
    data = tiny_trials()
    X = [trial + np.float32(5000) for trial in data.X]
    model = make_pipeline(LandmarkScaler(center=True), tiny_frames()).fit(X, data.frame_labels)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    same(loaded.predict_proba(X), model.predict_proba(X))


# --- streams --------------------------------------------------------------------------------------
@pytest.fixture
def live(tiny, tmp_path):
    model = make_pipeline(DisplacementSmoother(4, causal=True), LandmarkScaler(), tiny_frames())
    model.fit(tiny.X, tiny.frame_labels)
    return model, export_onnx(model, tmp_path / "live.onnx", streaming=True)


def test_a_trial_starts_whatever_the_state_holds(live):
    """Zeros, NaN, or what the trial before left: n_seen alone decides."""
    model, file = live
    trial = gappy()[3]
    expected = model.predict_proba([trial])[0]
    for garbage in (0, np.nan, 1e30):
        stream = OnnxStream(file)
        for name, value in stream._state.items():
            if name != "n_seen":
                value[...] = garbage
        np.testing.assert_allclose([stream.push(f) for f in trial], expected, **TOLERANCE)
        stream._state["n_seen"] = np.zeros((), dtype=np.int32)  # what reset does, and no more
        np.testing.assert_allclose([stream.push(f) for f in trial], expected, **TOLERANCE)


def test_long_trials(live):
    """Minutes of frames: what is remembered does not grow, and no error adds up."""
    model, file = live
    trial = np.random.RandomState(0).randn(6000, 5, 3).astype(np.float32)
    trial[:, 2] += np.arange(6000, dtype=np.float32)[:, None] / 100
    stream = OnnxStream(file)
    said = [stream.push(frame) for frame in trial]
    sizes = {name: value.size for name, value in stream._state.items()}
    assert sizes == {"n_seen": 1, "state_0": 15, "state_1": 45}
    assert stream._state["n_seen"] == 6000
    np.testing.assert_allclose(said, model.predict_proba([trial])[0], **TOLERANCE)


def test_bad_frames_are_named_and_left_out(live):
    model, file = live
    trial = gappy()[3]
    stream = OnnxStream(file)
    stream.push(trial[0])
    with pytest.raises(ValueError, match=r"must have shape \(5, 3\)"):
        stream.push(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="infinite"):
        stream.push(np.full((5, 3), np.inf))
    said = [stream.push(frame) for frame in trial[1:]]
    np.testing.assert_allclose(said, model.predict_proba([trial])[0][1:], **TOLERANCE)


BARE = """
import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
spec = json.loads(session.get_modelmeta().custom_metadata_map["skrehab"])
state = {one["name"]: np.zeros(one["shape"], one["dtype"]) for one in spec["state"]}
wanted = ["probabilities"] + [one["comes_back_as"] for one in spec["state"]]
said = []
for frame in np.load(sys.argv[2]):
    proba, *new = session.run(wanted, {spec["inputs"][0]["name"]: frame, **state})
    state = dict(zip(state, new))
    said.append(proba)
np.save(sys.argv[3], said)
assert not {"torch", "skrehab", "sklearn"} & set(sys.modules)
print(spec["classes"], spec["frame_rate"])
"""


def test_without_skrehab(live, tmp_path, run_python):
    """The file says all that a program needs to run it."""
    model, _ = live
    file = export_onnx(model, tmp_path / "m.onnx", streaming=True, frame_rate=30)
    trial = gappy()[3]
    np.save(tmp_path / "trial.npy", trial)
    printed = run_python(BARE, file, tmp_path / "trial.npy", tmp_path / "said.npy")
    assert printed == "[0, 1] 30"
    said = np.load(tmp_path / "said.npy")
    np.testing.assert_allclose(said, model.predict_proba([trial])[0], **TOLERANCE)


# --- networks over whole trials -------------------------------------------------------------------
@pytest.mark.parametrize("row", **network_rows("pose"))
def test_every_pose_network(row, tmp_path):
    if row.package is not None:
        pytest.importorskip(row.package)
    n_landmarks, n_coords = row.shapes[0]
    data = tiny_trials(n_landmarks=n_landmarks, n_coords=n_coords, n_patients=2)
    classifier = tiny_video(network=row.name, network_params=row.tiny, max_epochs=1)
    model = make_pipeline(LandmarkScaler(), classifier).fit(data.X, data.y)
    with torch.no_grad():  # one epoch leaves the logits near zero: parity would prove little
        for name, parameter in classifier.module_.named_parameters():
            if parameter.ndim > 1:
                parameter.mul_(1.5)
            elif name.endswith("bias"):
                parameter.add_(0.1)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    X = gappy(n_landmarks, n_coords, lengths=(1, 2, 15, 16, 17, 64, 90))
    proba = loaded.predict_proba(X)
    assert proba.shape == (7, 2) and loaded.spec["kind"] == "trials"
    np.testing.assert_allclose(proba, model.predict_proba(X), **TOLERANCE)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    if row.name == "mil_tcn":
        expected = classifier.predict_frame_proba(model[0].transform(X))
        same(loaded.predict_frame_proba(X), expected)
    else:
        with pytest.raises(AttributeError, match="scores whole trials"):
            loaded.predict_frame_proba(X)


def test_several_classes_and_a_smoother(tiny, tmp_path):
    y = np.array(["a", "b", "c", "d"] * 4)
    model = make_pipeline(DisplacementSmoother(5, causal=False), tiny_video(network="gru")).fit(
        tiny.X, y
    )
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    np.testing.assert_allclose(
        loaded.predict_proba(tiny.X), model.predict_proba(tiny.X), **TOLERANCE
    )
    assert loaded.predict(tiny.X).tolist() == model.predict(tiny.X).tolist()
    onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)
    with pytest.raises(ValueError, match="looks at whole trials and cannot run live"):
        export_onnx(model, tmp_path / "live.onnx", streaming=True)


class Moody(nn.Module):
    """A network whose answer hangs on a size in a way that tracing cannot see."""

    def __init__(self, n_landmarks, n_coords, n_outputs):
        super().__init__()
        self.head = nn.Linear(n_landmarks * n_coords, n_outputs)

    def forward(self, x, lengths=None):
        out = self.head(x.flatten(2).mean(dim=1))
        return out if x.shape[1] > 30 else -out


def test_a_file_that_would_say_something_else_is_not_written(tiny, tmp_path):
    model = tiny_video(network=Moody, network_params={}).fit(tiny.X, tiny.y)
    with pytest.raises(ValueError, match=r"probabilities differ by \d"):
        export_onnx(model, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []
    export_onnx(model, tmp_path / "m.onnx", check=False)


class Odd(nn.Module):
    """A network with an operator that ONNX does not have."""

    def __init__(self, n_landmarks, n_coords, n_outputs):
        super().__init__()
        self.head = nn.Linear(1, n_outputs)

    def forward(self, x, lengths=None):
        return self.head(torch.special.bessel_j0(x).mean(dim=(1, 2))[:, :1])


def test_networks_without_a_form_in_onnx_are_named(tiny, tmp_path, capfd):
    model = tiny_video(network=Odd, network_params={}).fit(tiny.X, tiny.y)
    with pytest.raises(TypeError, match=r"The network .*Odd.* has no form in ONNX: .*bessel"):
        export_onnx(model, tmp_path / "m.onnx")
    said = capfd.readouterr()
    assert len(said.out + said.err) < 500, "torch printed its graph"


def test_tracing_leaves_torch_and_the_model_alone(tiny, tmp_path, recwarn):
    from torch.onnx._internal.torchscript_exporter.registration import registry

    def known():
        """The functions that write operators which skrehab has its own way with."""
        groups = [registry.get_function_group(f"aten::{n}") for n in ("mT", "unfold", "einsum")]
        return [group and group.get(17) for group in groups]

    model = tiny_video().fit(tiny.X, tiny.y)
    before = model.predict_proba(tiny.X)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    theirs, log = known(), torch._C._jit_onnx_log
    export_onnx(model, tmp_path / "m.onnx")
    assert known() == theirs and theirs[2].__module__.startswith("torch.")
    assert torch._C._jit_onnx_log is log
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    np.testing.assert_array_equal(model.predict_proba(tiny.X), before)
    assert not [w for w in recwarn if issubclass(w.category, DeprecationWarning)]


# --- what the file says ---------------------------------------------------------------------------
def test_the_file_says_what_it_wants(tmp_path):
    data = tiny_trials(n_landmarks=33, n_coords=4)
    smoother = DisplacementSmoother(3, causal=True)
    frames = make_pipeline(smoother, LandmarkScaler(), tiny_frames())
    frames.fit(data.X, data.frame_labels)
    # as if fitted from videos
    model = Pipeline([("pose", PoseExtractor()), *frames.steps])
    file = export_onnx(
        model, tmp_path / "m.onnx", streaming=True, frame_rate=25, metadata={"auc": 0.7}
    )
    properties = {p.key: p.value for p in onnx.load(str(file)).metadata_props}
    spec = json.loads(properties["skrehab"])
    assert spec["kind"] == "stream" and spec["classes"] == [0, 1]
    assert spec["skeleton"] == "mediapipe33" and spec["landmarks"][0] == "nose"
    assert spec["frame_rate"] == 25 and spec["metadata"] == {"auc": 0.7}
    assert spec["units"].startswith("metres") and "y down" in spec["axes"]
    assert spec["landmarks_from"]["class"] == "PoseExtractor"
    assert spec["inputs"][0]["shape"] == [33, 4] and "NaN" in spec["inputs"][0]["meaning"]
    assert [one["shape"] for one in spec["state"]] == [[], [33, 3], [2, 33, 3]]
    first, second = spec["preprocessing"]
    assert first["params"] == {
        "window": 3,
        "causal": True,
        "order": "offset_first",
        "visibility": "drop",
    }
    assert second["class"] == "LandmarkScaler"
    with pytest.raises(ValueError, match="skeleton 'coco17' has 17 landmarks, the model 33"):
        export_onnx(model, tmp_path / "n.onnx", skeleton="coco17")
    with pytest.raises(ValueError, match=r"not JSON compliant|Out of range"):
        export_onnx(model, tmp_path / "n.onnx", metadata={"auc": float("nan")})
    assert not (tmp_path / "n.onnx").exists()


def test_files_are_read_by_the_right_class(live, tmp_path, tiny):
    model, stream = live
    whole = export_onnx(model, tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="is read by OnnxModel, not OnnxStream"):
        OnnxStream(whole)
    with pytest.raises(ValueError, match="is read by OnnxStream, not OnnxModel"):
        OnnxModel(stream)
    assert OnnxModel(whole.read_bytes()).classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"X\[0\] must have 5 landmarks"):
        OnnxModel(whole).predict_proba([np.zeros((3, 4, 3))])
    with pytest.raises(FileNotFoundError, match="no ONNX file"):
        OnnxModel(tmp_path / "nowhere.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"bad\.onnx cannot be read"):
        OnnxModel(tmp_path / "bad.onnx")
    for props, message in [({}, "not written by"), ({"skrehab": "{"}, "not written by")]:
        other = onnx.load(str(whole))
        del other.metadata_props[:]
        onnx.helper.set_model_props(other, props)
        with pytest.raises(ValueError, match=message):
            OnnxModel(other.SerializeToString())
    newer = onnx.load(str(whole))
    newer.metadata_props[0].value = newer.metadata_props[0].value.replace(
        '"format_version": 1', '"format_version": 2'
    )
    with pytest.raises(ValueError, match="format version 2; this skrehab reads 1"):
        OnnxModel(newer.SerializeToString())


def test_files_are_not_overwritten_by_accident(live, tmp_path):
    model, file = live
    with pytest.raises(FileExistsError, match="pass overwrite=True"):
        export_onnx(model, file)
    export_onnx(model, file, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live.onnx"]


# --- a transformer of one's own -------------------------------------------------------------------
class Upright(TransformerMixin, BaseEstimator):
    """Turn y upwards."""

    def fit(self, X, y=None):
        self.n_landmarks_, self.n_coords_ = np.shape(X[0])[1:]
        return self

    def transform(self, X):
        return [trial * np.float32([1, -1, 1]) for trial in X]

    def _to_onnx(self, graph, x):
        return graph.add("Mul", x, graph.constant(np.float32([1, -1, 1])))

    _to_onnx_stream = _to_onnx


class Secret(Upright):
    _to_onnx = _to_onnx_stream = None


def test_transformers_of_ones_own(tiny, tmp_path):
    model = make_pipeline(Upright(), tiny_frames()).fit(tiny.X, tiny.frame_labels)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    same(loaded.predict_proba(tiny.X), model.predict_proba(tiny.X))
    export_onnx(model, tmp_path / "live.onnx", streaming=True)
    model = make_pipeline(Secret(), tiny_frames()).fit(tiny.X, tiny.frame_labels)
    with pytest.raises(TypeError, match=r"step 'secret' \(Secret\) has no form in ONNX"):
        export_onnx(model, tmp_path / "n.onnx")


def test_other_models_are_refused(tiny, tmp_path):
    from sklearn.exceptions import NotFittedError

    for model in (LandmarkScaler().fit(tiny.X), make_pipeline(LandmarkScaler()).fit(tiny.X)):
        with pytest.raises(
            TypeError, match="needs a model that ends in FrameTCN, FrameMLP or VideoClassifier"
        ):
            export_onnx(model, tmp_path / "m.onnx")
    with pytest.raises(NotFittedError):
        export_onnx(FrameMLP(), tmp_path / "m.onnx")
    flat = LogisticRegression().fit([[0], [1]], [0, 1])
    with pytest.raises(TypeError, match=r"landmarks|LogisticRegression"):
        export_onnx(flat, tmp_path / "m.onnx")
    rgb = tiny_video(network="c2d", network_params={"width": 4, "depths": (1, 1, 1, 1)})
    rgb.classes_, rgb.module_ = np.array([0, 1]), nn.Linear(1, 1)
    rgb.n_landmarks_ = rgb.n_coords_ = None
    assert networks.get_spec("c2d").input == "rgb"
    act = {"network": "act", "network_params": {"size": "micro", "n_frames": 6}, "max_epochs": 1}
    several = tiny_video(**act, views=2).fit(tiny_trials().X, tiny_trials().y)
    with pytest.raises(TypeError, match=r"views=2 are averaged by the estimator"):
        export_onnx(several, tmp_path / "m.onnx")
    with pytest.raises(TypeError, match="'c2d' looks at RGB"):
        export_onnx(rgb, tmp_path / "m.onnx")


# --- the packages ---------------------------------------------------------------------------------
def test_telemetry_is_off_before_onnxruntime_is_imported(live, tmp_path, run_python):
    code = """
import os, sys
import skrehab.onnx, skrehab.onnx.runtime
assert not {"onnx", "onnxruntime", "torch"} & set(sys.modules)
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print("told:", os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
skrehab.onnx.OnnxStream(sys.argv[1])
"""
    environment = os.environ.pop("ORT_DISABLE_TELEMETRY", None)
    try:
        assert run_python(code, live[1]) == "told: 1"
    finally:
        if environment is not None:
            os.environ["ORT_DISABLE_TELEMETRY"] = environment


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_missing_packages_are_named(tiny, tmp_path, monkeypatch, missing):
    import sys

    model = tiny_frames().fit(tiny.X, tiny.frame_labels)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=rf"^{missing} is needed to .*'skrehab\[onnx\]'"):
        export_onnx(model, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []
