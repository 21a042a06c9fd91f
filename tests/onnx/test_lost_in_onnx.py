"""Lost points are filled in ONNX as in skrehab, for networks with scores too."""

import numpy as np
import pytest
from instances import tiny_trials, tiny_video

from skrehab.onnx import OnnxModel, export_onnx
from skrehab.onnx.graph import Graph
from skrehab.onnx.lost import complete
from skrehab.preprocessing.lost import complete_poses

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
ort = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def gappy(rng, n_frames, shape):
    """Lost points, one of them never seen, and a frame without anybody."""
    trial = rng.randn(n_frames, *shape).astype(np.float32)
    trial[..., -1] = rng.uniform(0.1, 1, size=trial.shape[:2])
    trial[rng.uniform(size=trial.shape[:2]) < 0.4] = np.nan
    trial[:, 1] = np.nan
    trial[n_frames // 2] = np.nan
    trial[0, 2] = 0
    return trial


@pytest.mark.parametrize(("shape", "n_persons"), [((6, 3), 1), ((6, 4), 2), ((4, 2), 1)])
@pytest.mark.parametrize("never", ["middle", "keep"])
def test_the_twin_fills_the_same(shape, n_persons, never):
    graph = Graph()
    out = complete(graph, "x", shape, n_persons=n_persons, never=never)
    values = ("float32", [None, *shape])
    model = graph.build([("x", *values)], [("y", out, *values)])
    session = ort.InferenceSession(model.SerializeToString())
    for n_frames in (1, 2, 7, 300):
        trial = gappy(np.random.RandomState(n_frames), n_frames, shape)
        expected = np.nan_to_num(complete_poses(trial, n_persons=n_persons, never=never))
        np.testing.assert_allclose(session.run(None, {"x": trial})[0], expected, atol=1e-6)


SIZES = {
    "posec3d": {"base_channels": 4, "stage_blocks": (1,), "image_size": 16, "n_frames": 12},
    "stgcn": {"widths": (8,), "n_units": (1,), "n_frames": 12},
}


@pytest.mark.parametrize("network", list(SIZES))
@pytest.mark.parametrize("standardize", [False, True])
def test_networks_that_look_at_scores(network, standardize, tmp_path):
    params = SIZES[network] | {"skeleton": "coco17"}
    data = tiny_trials(n_landmarks=17, n_coords=3, n_patients=2)
    model = tiny_video(
        network=network, network_params=params, max_epochs=1, standardize=standardize
    ).fit([np.abs(trial) for trial in data.X], data.y)
    loaded = OnnxModel(export_onnx(model, tmp_path / "m.onnx", check=False))
    rng = np.random.RandomState(0)
    X = [gappy(rng, n_frames, (17, 3)) for n_frames in (1, 2, 11, 30)]
    X[3][:, :, 2][np.isnan(X[3][:, :, 0])] = 0  # as readers mark what is lost
    np.testing.assert_allclose(loaded.predict_proba(X), model.predict_proba(X), atol=1e-5)
