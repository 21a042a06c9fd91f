"""BoneVectors and dilated convolutions in ONNX files: of whole trials, and frame by frame."""

import numpy as np
import pytest
import torch
from instances import network_rows, tiny_bones, tiny_frames, tiny_tcn, tiny_trials, tiny_video
from sklearn.pipeline import make_pipeline

from skrehab import BoneVectors, DisplacementSmoother, FrameStream, LandmarkScaler, networks
from skrehab.networks.sequence.frame_tcn import FrameConvolutions
from skrehab.networks.sequence.mil_tcn import MilTCN
from skrehab.onnx import OnnxModel, OnnxStream, export_onnx
from skrehab.onnx.convolutions import add_convolutions
from skrehab.onnx.graph import Graph
from skrehab.onnx.networks import trace_network
from skrehab.training.thinning import Thinned

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
runtime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

TOLERANCE = {"rtol": 0, "atol": 1e-5}


def gappy(n_landmarks=5, n_coords=3, seed=1, lengths=(1, 2, 7, 90)):
    """Trials with lost landmarks, one never seen, single coordinates lost, bones of no length."""
    rng = np.random.RandomState(seed)
    trials = []
    for n_frames in lengths:
        trial = rng.randn(n_frames, n_landmarks, n_coords).cumsum(axis=0)
        trial[rng.uniform(size=trial.shape[:2]) < 0.2] = np.nan
        trial[rng.uniform(size=trial.shape) < 0.05] = np.nan
        trial[:, 3] = np.nan
        trial[n_frames // 2] = np.nan
        trial[n_frames // 3 :, 1] = trial[n_frames // 3 :, 0]  # the first bone points nowhere
        trials.append(trial.astype(np.float32))
    return trials


def mil(**params):
    return tiny_video(
        network="mil_tcn", network_params={"causal": True, "channels": 8, "n_blocks": 3}, **params
    )


MODELS = {
    "bones": lambda: (tiny_bones(), tiny_frames()),
    "raw bones": lambda: (tiny_bones(window=1), tiny_frames()),
    "long average": lambda: (tiny_bones(window=200), tiny_frames()),
    "tcn": lambda: (tiny_tcn(),),
    "as it comes": lambda: (tiny_tcn(standardize=False),),
    "kernel of one": lambda: (tiny_tcn(kernel_size=1),),
    "even kernel": lambda: (tiny_tcn(kernel_size=4, n_blocks=3),),
    "bones, scaled, tcn": lambda: (tiny_bones(), LandmarkScaler(), tiny_tcn(n_blocks=4)),
    "displacement, tcn": lambda: (DisplacementSmoother(), tiny_tcn()),
    "mil_tcn": lambda: (mil(),),
    "bones, mil_tcn": lambda: (tiny_bones(), mil(standardize=True)),
}


def frame_scores(model, X):
    last, values = model[-1], model[:-1].transform(X) if len(model) > 1 else X
    return (getattr(last, "predict_frame_proba", None) or last.predict_proba)(values)


def enlarge(model):
    """A few epochs leave logits near zero, where parity would prove little."""
    with torch.no_grad():
        for parameter in model[-1].module_.parameters():
            parameter.mul_(1.5 if parameter.ndim > 1 else 1.1)


@pytest.mark.parametrize("n_coords", [2, 3, 4])
@pytest.mark.parametrize("name", MODELS)
def test_models(tmp_path, name, n_coords):
    """The file says what the model says, and the live file what the stream says."""
    data = tiny_trials(n_coords=n_coords)
    model = make_pipeline(*MODELS[name]())
    of_trials = name.endswith("mil_tcn")
    model.fit(data.X, data.y if of_trials else data.frame_labels)
    enlarge(model)
    X = gappy(n_coords=n_coords)
    expected = frame_scores(model, X)
    file = export_onnx(model, tmp_path / "m.onnx")
    loaded = OnnxModel(file)
    for found, wanted in zip(loaded.predict_frame_proba(X), expected):
        assert found.shape == wanted.shape and found.dtype == np.float32
        np.testing.assert_allclose(found, wanted, **TOLERANCE)
    if of_trials:
        np.testing.assert_allclose(loaded.predict_proba(X), model.predict_proba(X), **TOLERANCE)
    live_file = export_onnx(model, tmp_path / "live.onnx", streaming=True)
    live, ours = OnnxStream(live_file), FrameStream(model)
    for trial, wanted in zip(X, expected):
        live.reset()
        ours.reset()
        said = np.array([live.push(frame) for frame in trial])
        assert said.dtype == np.float32
        np.testing.assert_allclose(said, wanted, **TOLERANCE)
        mine = [ours.push(frame, t) for t, frame in enumerate(trial)]
        np.testing.assert_allclose(said, mine, **TOLERANCE)
    for written in (file, live_file):
        onnx.checker.check_model(str(written), full_check=True)
    if not of_trials:  # ONNX's own implementation, written independently, says the same
        from onnx.reference import ReferenceEvaluator

        reference = ReferenceEvaluator(str(file))
        found = reference.run(None, {"x": X[3][:60]})[0]  # it gathers from 64 rows at most
        np.testing.assert_allclose(found, expected[3][:60], **TOLERANCE)


@pytest.mark.parametrize("n_classes", [1, 3])
def test_numbers_of_classes(tiny, tmp_path, n_classes):
    labels = [np.array(["a", "b", "c"])[np.arange(len(x)) % n_classes] for x in tiny.X]
    model = make_pipeline(tiny_tcn()).fit(tiny.X, labels)
    X = gappy()
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    live = OnnxStream(export_onnx(model, tmp_path / "live.onnx", streaming=True))
    for trial, found, wanted in zip(X, loaded.predict_proba(X), model.predict_proba(X)):
        np.testing.assert_allclose(found, wanted, **TOLERANCE)
        live.reset()
        np.testing.assert_allclose([live.push(frame) for frame in trial], wanted, **TOLERANCE)


def test_a_registered_skeleton(tmp_path):
    """Joints that are the mean of two landmarks, visibilities dropped, metres far from zero."""
    data = tiny_trials(n_landmarks=33, n_coords=4)
    X = [trial + np.float32(50) for trial in data.X]
    model = make_pipeline(BoneVectors("mediapipe33"), tiny_tcn()).fit(X, data.frame_labels)
    trials = [trial + np.float32(50) for trial in gappy(33, 4)]
    file = export_onnx(model, tmp_path / "m.onnx", skeleton="mediapipe33")
    loaded = OnnxModel(file)
    live = OnnxStream(export_onnx(model, tmp_path / "live.onnx", streaming=True))
    for trial, wanted in zip(trials, model.predict_proba(trials)):
        np.testing.assert_allclose(loaded.predict_proba([trial])[0], wanted, **TOLERANCE)
        live.reset()
        np.testing.assert_allclose([live.push(frame) for frame in trial], wanted, **TOLERANCE)
    assert loaded.spec["preprocessing"][0]["class"] == "BoneVectors"
    assert loaded.spec["n_landmarks"] == 33


def test_centred_ones_for_whole_trials_only(tiny, tmp_path):
    frames = make_pipeline(tiny_tcn(causal=False)).fit(tiny.X, tiny.frame_labels)
    trials = make_pipeline(
        tiny_video(network="mil_tcn", network_params={"causal": False, "channels": 8})
    ).fit(tiny.X, tiny.y)
    X = gappy()
    for model in (frames, trials):
        loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx", overwrite=True))
        for found, wanted in zip(loaded.predict_frame_proba(X), frame_scores(model, X)):
            np.testing.assert_allclose(found, wanted, **TOLERANCE)
        with pytest.raises(ValueError, match=r"cannot run live.*not causal.*causal"):
            export_onnx(model, tmp_path / "live.onnx", streaming=True)
        assert not (tmp_path / "live.onnx").exists()


def test_a_trial_starts_whatever_the_state_holds(tiny, tmp_path):
    model = make_pipeline(tiny_bones(), tiny_tcn()).fit(tiny.X, tiny.frame_labels)
    file, trial = export_onnx(model, tmp_path / "m.onnx", streaming=True), gappy()[3]
    expected = model.predict_proba([trial])[0]
    for garbage in (0, np.nan, np.inf, 1e30):
        stream = OnnxStream(file)
        for name, value in stream._state.items():
            if name != "n_seen":
                value[...] = garbage
        np.testing.assert_allclose([stream.push(f) for f in trial], expected, **TOLERANCE)
    sizes = {name: value.shape for name, value in stream._state.items() if name != "n_seen"}
    # poses of an average of five, and what two convolutions of three frames look back to
    assert list(sizes.values()) == [(4, 5, 3), (2, 6), (4, 6)]


def test_long_trials(tiny, tmp_path):
    """Minutes of frames: nothing grows, and no error adds up."""
    model = make_pipeline(tiny_bones(), tiny_tcn()).fit(tiny.X, tiny.frame_labels)
    stream = OnnxStream(export_onnx(model, tmp_path / "live.onnx", streaming=True))
    whole = OnnxModel(export_onnx(model, tmp_path / "m.onnx"))
    trial = np.random.RandomState(0).randn(5000, 5, 3).astype(np.float32) + np.float32(30)
    expected = model.predict_proba([trial])[0]
    np.testing.assert_allclose([stream.push(frame) for frame in trial], expected, **TOLERANCE)
    np.testing.assert_allclose(whole.predict_proba([trial])[0], expected, **TOLERANCE)


@pytest.mark.parametrize("make", [FrameConvolutions, MilTCN])
@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("causal", [True, False])
def test_thinned_networks(make, step, causal):
    """Every third frame in all three phases, as torch thins them."""
    torch.manual_seed(0)
    network = make(5, 3, 2, channels=8, kernel_size=4, n_blocks=3, causal=causal).eval()
    graph = Graph()
    logits = add_convolutions(graph, "x", network, step)
    model = graph.build(
        [("x", "float32", [None, 5, 3])], [("logits", logits, "float32", [None, 2])]
    )
    session = runtime.InferenceSession(model.SerializeToString())
    for n_frames in (1, 2, 3, 7, 80):
        x = np.random.RandomState(n_frames).randn(n_frames, 5, 3).astype(np.float32)
        with torch.inference_mode():
            wanted = Thinned(network, step).frame_logits(torch.from_numpy(x)[None])[0].numpy()
        np.testing.assert_allclose(session.run(None, {"x": x})[0], wanted, **TOLERANCE)
    if causal:
        graph = Graph()
        graph.first_frame = graph.add("Equal", "n_seen", graph.constant(np.int32(0)))
        logits = add_convolutions(graph, "x", network, step)
        states = [("float32", list(state.shape)) for state, _ in graph.states]
        model = graph.build(
            [
                ("x", "float32", [5, 3]),
                ("n_seen", "int32", []),
                *((f"state_{i}", *one) for i, one in enumerate(states)),
            ],
            [
                ("logits", logits, "float32", [1, 2]),
                *((f"out_{i}", graph.states[i][1], *one) for i, one in enumerate(states)),
            ],
        )
        session = runtime.InferenceSession(model.SerializeToString())
        kept = {f"state_{i}": np.zeros(shape, "float32") for i, (_, shape) in enumerate(states)}
        for t, frame in enumerate(x):
            seen = {"x": frame, "n_seen": np.array(t, "int32")}
            said, *new = session.run(None, {**seen, **kept})
            kept = dict(zip(kept, new))
            np.testing.assert_allclose(said[0], wanted[t], **TOLERANCE)


@pytest.mark.parametrize("row", **network_rows("pose"))
def test_every_network_thinned(row):
    """Trials shorter than the step and longer than all: the mean over the phases there are."""
    if row.package is not None:
        pytest.importorskip(row.package)
    torch.manual_seed(0)
    n_landmarks, n_coords = row.shapes[0]
    sizes = {"n_landmarks": n_landmarks, "n_coords": n_coords, "n_outputs": 3}
    network = networks.build(row.name, **sizes, **row.tiny).eval()
    session = runtime.InferenceSession(
        trace_network(network, (n_landmarks, n_coords), row.name, step=3)
    )
    thinned = Thinned(network, 3).eval()
    for n_frames in (1, 2, 3, 7, 70):
        x = np.random.RandomState(n_frames).randn(n_frames, n_landmarks, n_coords)
        x = x.astype(np.float32)
        said = session.run(None, {"x": x})
        with torch.inference_mode():
            inputs = torch.from_numpy(x)[None], torch.tensor([n_frames])
            wanted = [thinned(*inputs)[0]]
            if hasattr(thinned, "frame_logits"):
                wanted.append(thinned.frame_logits(*inputs)[0])
        assert len(said) == len(wanted)
        for found, logits in zip(said, wanted):
            np.testing.assert_allclose(found, logits.softmax(dim=-1).numpy(), **TOLERANCE)
