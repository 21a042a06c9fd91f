"""The 15 joints that all skeletons share: every source reaches them, and nothing is guessed."""

import numpy as np
import pytest

from skrehab.datasets import load_uiprmd_npz
from skrehab.preprocessing.skeleton_conversion import conversion, convert
from skrehab.skeletons import get_skeleton, list_skeletons

COMMON = get_skeleton("common15")
ORDER = (
    "head neck torso left_shoulder left_elbow left_hand right_shoulder right_elbow right_hand "
    "left_hip left_knee left_foot right_hip right_knee right_foot"
).split()

# what stands for the joints whose names differ, checked by hand for each source
KINECT = {"head": "head", "neck": "spine_shoulder", "torso": "spine_mid"}
EXPECTED = {
    "kinect25": KINECT,
    "ntu25": KINECT,
    "kinect20": KINECT,
    "utkinect20": KINECT,
    "mediapipe33": {
        "head": ("left_ear", "right_ear"),
        "neck": ("left_shoulder", "right_shoulder"),
        "torso": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
    },
    "coco17": {
        "head": ("left_ear", "right_ear"),
        "neck": ("left_shoulder", "right_shoulder"),
        "torso": ("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
    },
    "openpose25": {
        "head": ("left_ear", "right_ear"),
        "neck": "spine_shoulder",
        "torso": ("spine_shoulder", "spine_base"),
    },
    "openpose18": {
        "head": ("left_ear", "right_ear"),
        "neck": "spine_shoulder",
    },
    "uiprmd22": {"head": "head_tip", "neck": "chest", "torso": "spine"},
    "uwa3d15": {"head": "head", "neck": "neck", "torso": "torso"},
}


def limb_joint(source, joint):
    """Name of a limb's joint in a source: hands are wrists and feet ankles where there are any."""
    if source == "uiprmd22":
        segment = {"shoulder": "upper_arm", "elbow": "forearm", "hand": "hand"}
        segment |= {"hip": "upper_leg", "knee": "lower_leg", "foot": "foot"}
        side, part = joint.split("_")
        return f"{side}_{segment[part]}"
    if source == "uwa3d15":
        return joint
    return joint.replace("hand", "wrist").replace("foot", "ankle")


def test_the_joints_and_their_order():
    assert list(COMMON.landmarks) == ORDER
    assert COMMON.n_dims == 3 and COMMON.axes == get_skeleton("kinect25").axes
    assert get_skeleton("uwa3d15").landmarks == COMMON.landmarks
    assert get_skeleton("kinect20").landmarks == get_skeleton("utkinect20").landmarks
    assert get_skeleton("kinect20").landmarks[:4] == (
        *("spine_base", "spine_mid", "spine_shoulder", "head"),
    )


@pytest.mark.parametrize("source", sorted(EXPECTED))
def test_every_joint_is_what_it_says(source):
    mapping = conversion(source, "common15")
    assert mapping.estimated == ()
    skeleton = get_skeleton(source)
    expected = {joint: limb_joint(source, joint) for joint in ORDER[3:]} | EXPECTED[source]
    for joint, names in expected.items():
        names = (names,) if isinstance(names, str) else names
        row = np.zeros(skeleton.n_landmarks)
        row[[skeleton.index(name) for name in names]] = 1 / len(names)
        np.testing.assert_allclose(mapping.weights[ORDER.index(joint)], row, err_msg=joint)


@pytest.mark.parametrize("source", list_skeletons())
def test_nothing_is_guessed_from_any_skeleton(source):
    mapping = conversion(source, "common15")
    assert mapping.estimated == ()
    np.testing.assert_allclose(mapping.weights.sum(axis=1), 1)
    np.testing.assert_allclose(mapping.score_weights().sum(axis=1), 1)


def test_the_image_of_a_person_stands_up():
    """Flat key-points have y down, the common skeleton up; left and right change places in x."""
    trial = np.zeros((1, 17, 3))
    coco = get_skeleton("coco17")
    trial[0, :, 2] = 0.9
    for name, point in {
        "left_ear": (330, 100),
        "right_ear": (310, 100),
        "left_shoulder": (360, 160),
        "right_shoulder": (280, 160),
        "left_hip": (345, 300),
        "right_hip": (295, 300),
        "left_wrist": (400, 280),
    }.items():
        trial[0, coco.index(name), :2] = point
    trial[0, coco.index("left_wrist"), 2] = 0.3
    out = convert(trial, "coco17", "common15")
    assert out.shape == (1, 15, 4)
    np.testing.assert_allclose(out[0, 0], (-320, -100, 0, 0.9), rtol=1e-6)
    np.testing.assert_allclose(out[0, 1], (-320, -160, 0, 0.9), rtol=1e-6)
    np.testing.assert_allclose(out[0, 2], (-320, -230, 0, 0.9), rtol=1e-6)
    np.testing.assert_allclose(out[0, 5], (-400, -280, 0, 0.3), rtol=1e-6)
    assert out[0, 3, 0] < out[0, 6, 0], "the left shoulder at smaller x, as a Kinect sees it"


def test_a_lost_wrist_loses_the_hand_alone():
    trial = np.ones((2, 25, 3))
    trial[1, get_skeleton("kinect25").index("left_wrist")] = np.nan
    out = convert(trial, "kinect25", "common15")
    lost = np.isnan(out).any(axis=2)
    assert lost.sum() == 1 and lost[1, ORDER.index("left_hand")]


def test_there_and_back():
    """What the common skeleton keeps survives; a Kinect's hands are said to be guesses."""
    trial = np.random.default_rng(0).normal(size=(3, 25, 3))
    kinect = get_skeleton("kinect25")
    back = convert(convert(trial, "kinect25", "common15"), "common15", "kinect25")
    estimated = conversion("common15", "kinect25").estimated
    assert {"left_hand", "right_hand", "left_foot", "right_thumb"} <= set(estimated)
    assert not any("wrist" in name or "ankle" in name for name in estimated)
    for name in ("left_wrist", "right_ankle", "spine_mid", "spine_shoulder", "head", "left_knee"):
        np.testing.assert_allclose(
            back[:, kinect.index(name)], trial[:, kinect.index(name)], rtol=1e-6
        )
    np.testing.assert_array_equal(conversion("uwa3d15", "common15").weights, np.eye(15))


def heights_on_the_trunk(frames):
    """Medians of torso, neck and head along the line from hips (0) to shoulders (1)."""
    at = {name: frames[:, i] for i, name in enumerate(ORDER)}
    hips = (at["left_hip"] + at["right_hip"]) / 2
    up = (at["left_shoulder"] + at["right_shoulder"]) / 2 - hips
    share = [((at[name] - hips) * up).sum(axis=1) / (up * up).sum(axis=1) for name in ORDER[:3]]
    return np.median(share, axis=1)


def test_two_sensors_agree_on_the_body(shared):
    """UI-PRMD and WMFT: two groups of people, the same proportions; heads differ by little."""
    repetitions = load_uiprmd_npz(shared / "data" / "uiprmd_kinect.npz").X[::20]
    with np.load(shared / "data" / "wmft_kinect_s01_s16.npz") as archive:
        kinect = convert(archive["frames"][::100], "kinect25", "common15")
    uiprmd = np.concatenate([convert(trial, "uiprmd22", "common15") for trial in repetitions])
    np.testing.assert_allclose(
        heights_on_the_trunk(uiprmd), heights_on_the_trunk(kinect), atol=0.15
    )
    for frames in (uiprmd, kinect):
        left, right = ORDER.index("left_shoulder"), ORDER.index("right_shoulder")
        assert np.median(frames[:, left, 0] - frames[:, right, 0]) < 0
        assert (np.median(frames[:, :3, 1], axis=0) > np.median(frames[:, 9, 1])).all(), "y is up"
