"""AcT's published files, and what they read: against TensorFlow's outputs on the same files.

Outputs were computed once by TensorFlow 2.21 (see tests/golden/act_published.json); the files lie
in ../shared and are never copied.
"""

import hashlib
import os
import re

import numpy as np
import pytest
import torch
from golden_check import golden_case, golden_input
from real_files import SHARED
from tflite_arrays import tflite_arrays

from skrehab import networks
from skrehab.datasets import load_utkinect
from skrehab.networks.sequence._mpose import MPOSE_ACTIONS, MPOSEInput
from skrehab.networks.weights import load_weights, read_weights
from skrehab.preprocessing.skeleton_conversion import convert

H5 = SHARED / "weights" / "AcT_micro_1_0.h5"
TFLITE = SHARED / "weights" / "AcT_micro.tflite"
needs_h5 = pytest.mark.skipif(not H5.exists(), reason="AcT_micro_1_0.h5 is not in ../shared")
needs_tflite = pytest.mark.skipif(not TFLITE.exists(), reason="no AcT_micro.tflite in ../shared")
UTKINECT = os.environ.get("SKREHAB_UTKINECT")
ARRAYS = (4, 30, 13, 3)


def published(**params):
    """The published network with all of its arrays."""
    network = networks.build("act", n_outputs=20, **params)
    report = load_weights(network, read_weights(H5))
    assert len(report.loaded) == 72 and not report.reinitialised and not report.unused
    return network.eval()


@needs_h5
def test_the_published_file_gives_the_outputs_of_tensorflow():
    assert hashlib.sha256(H5.read_bytes()).hexdigest().startswith("1e7cfd56")
    network = published(n_landmarks=13, n_coords=3)
    with torch.no_grad():
        out = network(golden_input(12, (4, 30, 39)).reshape(ARRAYS)).numpy()
    expected = np.array(golden_case("act_published")["h5"])
    np.testing.assert_allclose(out, expected, atol=2e-5, rtol=0)
    assert (out.argmax(axis=1) == expected.argmax(axis=1)).all()


def from_tflite(arrays):
    """Our state dict of the converted file; its head's first bias went into the second's."""
    state = {}
    for name, value in arrays.items():
        *_, kind = re.sub("/ReadVariableOp.*|/Tensordot|;.*", "", name).split("/")
        layer = re.search(r"transformer_encoder_layer(?:_(\d+))?/", name)
        dense = re.search(r"/dense(?:_(\d+))?/(?:Tensordot/)?(?:BiasAdd|MatMul)", name)
        norm = re.search(r"/layer_normalization(?:_(\d+))?/batchnorm/(mul/)?Read", name)
        if layer and dense:
            ours = ("mha.wq", "mha.wk", "mha.wv", "mha.dense", "ffn.0", "ffn.1")
            key = f"encoder.{layer[1] or 0}.{ours[int(dense[1] or 0) % 6]}"
            state[f"{key}.{'bias' if kind == 'BiasAdd' else 'weight'}"] = value
        elif layer and norm:
            what = "weight" if norm[2] else "bias"
            state[f"encoder.{layer[1] or 0}.norm{int(norm[1] or 0) % 2 + 1}.{what}"] = value
        elif "embedding_lookup" in name:
            state["pos_embed.weight"] = value
        elif "Repeat/ExpandDims" in name:
            state["class_token"] = value.reshape(1, 1, -1)
        elif value.shape in {(64, 39), (64,)}:
            state["proj.weight" if value.ndim == 2 else "proj.bias"] = value
        elif value.shape in {(6, 256), (6,)}:
            state["head.fc2.weight" if value.ndim == 2 else "head.fc2.bias"] = value
        elif value.shape == (256, 64):
            state["head.fc1.weight"] = value
    state["head.fc1.bias"] = np.zeros(256, np.float32)
    return {key: torch.tensor(value) for key, value in state.items()}


@needs_tflite
def test_the_converted_file_has_the_tanh_gelu():
    state = from_tflite(tflite_arrays(TFLITE))
    expected = np.array(golden_case("act_published")["tflite"])
    apart = {}
    for gelu in ("tanh", "exact"):
        network = networks.build("act", n_landmarks=13, n_coords=3, n_outputs=6, gelu=gelu).eval()
        network.load_state_dict(state)
        with torch.no_grad():
            out = network(golden_input(12, (4, 30, 39)).reshape(ARRAYS)).numpy()
        apart[gelu] = np.abs(out - expected).max()
    assert apart["tanh"] < 2e-5 < 1e-4 < apart["exact"]


def test_another_gelu_is_refused():
    with pytest.raises(ValueError, match=r"gelu must be one of \['exact', 'tanh'\], got 'relu'"):
        networks.build("act", n_landmarks=13, n_coords=3, n_outputs=6, gelu="relu")


# --- what the file reads --------------------------------------------------------------------------
def by_hand(pose):
    """MPOSE2021's preprocessing of one OpenPose pose (25, 3), written out."""
    mean = lambda rows: pose[rows][(pose[rows] != 0).any(axis=1)].mean(axis=0)  # noqa: E731
    joints = np.stack(
        [mean([0, 15, 16, 17, 18]), *pose[[2, 3, 4, 5, 6, 7, 9, 10]]]
        + [mean([11, 22, 24]), *pose[[12, 13]], mean([14, 19, 21])]
    )
    joints[:, :2] = (joints[:, :2] - pose[1, :2]) / np.linalg.norm(pose[1, :2] - pose[8, :2])
    return joints


@pytest.fixture
def trial():
    """Two frames of an OpenPose trial in pixels, with scores."""
    pose = np.random.RandomState(0).uniform(100, 400, (2, 25, 3))
    pose[..., 2] /= 400
    return pose


def joints_of(trial, features="confidence", skeleton="openpose25"):
    module = MPOSEInput(*trial.shape[1:], features=features, skeleton=skeleton)
    x = torch.from_numpy(np.nan_to_num(trial)).float()[None]
    return module.finish(module(x))[0].numpy()


def test_joints_are_centred_at_the_neck_and_scaled_by_the_trunk(trial):
    np.testing.assert_allclose(
        joints_of(trial), np.stack([by_hand(pose) for pose in trial]), rtol=1e-4, atol=1e-5
    )
    moved = trial * (3, 3, 1) + (50, -20, 0)
    np.testing.assert_allclose(joints_of(moved)[..., :2], joints_of(trial)[..., :2], atol=1e-4)


def test_the_head_is_the_mean_of_what_was_seen(trial):
    trial[0, [17, 18]] = 0  # ears
    found = joints_of(trial)[0, 0, :2]
    np.testing.assert_allclose(found, by_hand(trial[0])[0, :2], rtol=1e-4)


def test_a_lost_joint_is_at_the_neck_with_no_confidence(trial):
    trial[1, 4] = 0  # right wrist
    found = joints_of(trial)
    np.testing.assert_array_equal(found[1, 3], 0)
    np.testing.assert_allclose(found[1, 2], by_hand(trial[1])[2], rtol=1e-4, atol=1e-5)


def test_velocity_of_the_first_frame_is_its_place(trial):
    place = joints_of(trial)[..., :2]
    found = joints_of(trial, "velocity")
    assert found.shape == (2, 13, 4)
    np.testing.assert_allclose(found[..., :2], place, atol=1e-6)
    np.testing.assert_allclose(found[0, :, 2:], place[0], atol=1e-6)
    np.testing.assert_allclose(found[1, :, 2:], place[1] - place[0], atol=1e-5)


def test_any_skeleton_gives_the_same_person(trial):
    """A person in the Kinect's axes (x to its left, y up) is the one in the picture."""
    kinect = np.random.RandomState(1).uniform(-1, 1, (2, 25, 3))
    image = convert(kinect, "kinect25", "openpose18")  # its neck is where the shoulders meet
    a, b = joints_of(kinect, skeleton="kinect25"), joints_of(image, skeleton="openpose18")
    arms = [1, 2, 3, 4, 5, 6]
    turned_a = a[:, arms, :2] - a[:, 1:2, :2]
    turned_b = b[:, arms, :2] - b[:, 1:2, :2]
    ratio = np.linalg.norm(turned_a, axis=-1)[:, 1:] / np.linalg.norm(turned_b, axis=-1)[:, 1:]
    np.testing.assert_allclose(ratio, ratio[:, :1].repeat(5, axis=1), rtol=1e-4)
    np.testing.assert_allclose(turned_a / ratio[:, :1, None], turned_b, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("features", ["confidence", "velocity"])
def test_padding_changes_nothing_and_gradients_are_finite(features):
    torch.manual_seed(0)
    params = {"n_landmarks": 33, "n_coords": 4, "n_outputs": 2, "mpose": features}
    network = networks.build("act", **params).eval()
    alone = golden_input(0, (1, 12, 33, 4))
    alone[0, 5] = 0  # nobody
    batch = torch.cat([alone, torch.zeros(1, 8, 33, 4)], dim=1).requires_grad_()
    out = network(batch, torch.tensor([12]))
    torch.testing.assert_close(out, network(alone), rtol=1e-4, atol=1e-5)
    out.sum().backward()
    assert batch.grad.isfinite().all() and (batch.grad[0, 12:] == 0).all()
    assert (batch.grad[0, :5].abs().amax(dim=(1, 2)) > 0).all()


def test_an_unknown_skeleton_or_companion_is_refused():
    with pytest.raises(ValueError, match="No skeleton is known by the number of 13 landmarks"):
        networks.build("act", n_landmarks=13, n_coords=3, n_outputs=2, mpose="confidence")
    with pytest.raises(ValueError, match="mpose must be 'confidence' or 'velocity', got 'xy'"):
        networks.build("act", n_landmarks=33, n_coords=3, n_outputs=2, mpose="xy")


@needs_h5
def test_other_landmarks_are_told_how_to_be_converted():
    network = networks.build("act", n_landmarks=33, n_coords=3, n_outputs=20)
    with pytest.raises(ValueError, match=r"13 joints of MPOSE2021: .*'mpose': 'confidence'"):
        load_weights(network, read_weights(H5))


@needs_h5
@pytest.mark.skipif(UTKINECT is None, reason="SKREHAB_UTKINECT names no folder of UTKinect")
@pytest.mark.parametrize(
    ("action", "names", "at_least"),
    [
        ("walk", {"walking"}, 0.8),
        ("waveHands", {"wave1", "wave2"}, 0.95),
        ("clapHands", {"hands-clapping"}, 0.95),
    ],
)
def test_the_published_network_names_real_actions(action, names, at_least):
    """Poses of the first Kinect, projected straight on the image."""
    network = published(n_landmarks=20, n_coords=3, mpose="confidence", skeleton="utkinect20")
    data = load_utkinect(UTKINECT)
    named = []
    for trial, done in zip(data.X, data.action):
        if done == action:
            with torch.no_grad():
                logits = network(torch.from_numpy(np.nan_to_num(trial)).float()[None])
            named.append(MPOSE_ACTIONS[logits.argmax()] in names)
    assert np.mean(named) >= at_least
