"""Conversion between skeletons: the recommended points, sides, axes, scores, and a real pose."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skrehab.preprocessing.skeleton_conversion import conversion, convert, guess_skeleton
from skrehab.skeletons import get_skeleton, list_skeletons

M = {name: i for i, name in enumerate(get_skeleton("mediapipe33").landmarks)}
# a standing person who faces the camera, in MediaPipe's axes: x to the image's right, y down.
# The person's left is on the image's right.
UP = {"head": -0.6, "shoulder": -0.45, "elbow": -0.2, "wrist": 0.0, "hip": 0.0, "knee": 0.45}
UP |= {"ankle": 0.85, "heel": 0.9, "foot_index": 0.92, "pinky": 0.06, "index": 0.08, "thumb": 0.04}


def standing(n_coords=3):
    """One frame of a standing person, 33 landmarks."""
    pose = np.zeros((1, 33, 3), dtype=np.float32)
    for name, i in M.items():
        side = 1 if "left" in name else -1 if "right" in name else 0
        part = name.replace("left_", "").replace("right_", "")
        height = UP.get(part, -0.6)
        width = 0.2 if part in UP else 0.05
        depth = -0.1 if part in ("nose", "foot_index") else 0.02 * i / 33
        pose[0, i] = (side * width, height, depth)
    if n_coords == 4:
        visibility = np.linspace(0.4, 0.9, 33, dtype=np.float32)[None, :, None]
        pose = np.concatenate([pose, visibility], axis=2)
    return pose


def point(converted, skeleton, landmark):
    return converted[0, get_skeleton(skeleton).index(landmark)]


def test_coco17_is_a_choice_of_mediapipe_landmarks():
    chosen = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28]
    pose = standing(4)
    np.testing.assert_array_equal(
        convert(pose, "mediapipe33", "coco17"), pose[:, chosen][..., [0, 1, 3]]
    )
    assert convert(pose[..., :3], "mediapipe33", "coco17").shape == (1, 17, 2)


def test_openpose_orders():
    pose = standing()
    order = {0: 0, 2: 12, 3: 14, 4: 16, 5: 11, 6: 13, 7: 15, 8: 24, 9: 26, 10: 28, 11: 23}
    order |= {12: 25, 13: 27, 14: 5, 15: 2, 16: 8, 17: 7}
    out = convert(pose, "mediapipe33", "openpose18")
    for ours, mediapipe in order.items():
        np.testing.assert_array_equal(out[0, ours], pose[0, mediapipe, :2])
    np.testing.assert_allclose(out[0, 1], pose[0, [11, 12], :2].mean(0), atol=1e-6)
    body = convert(pose, "mediapipe33", "openpose25")
    order = {9: 24, 12: 23, 15: 5, 18: 7, 19: 31, 21: 29, 22: 32, 24: 30}
    for ours, mediapipe in order.items():
        np.testing.assert_array_equal(body[0, ours], pose[0, mediapipe, :2])
    estimated = conversion("mediapipe33", "openpose25").estimated
    assert estimated == ("left_small_toe", "right_small_toe")


def test_h36m_from_coco():
    """The table of MotionBERT's loader."""
    coco = np.random.RandomState(0).randn(3, 17, 2)
    out = convert(coco, "coco17", "h36m17")
    copied = {1: 12, 2: 14, 3: 16, 4: 11, 5: 13, 6: 15, 9: 0, 11: 5, 12: 7, 13: 9, 14: 6, 15: 8}
    for ours, theirs in (copied | {16: 10}).items():
        np.testing.assert_allclose(out[:, ours], coco[:, theirs], rtol=1e-6)
    root, neck = coco[:, [11, 12]].mean(1), coco[:, [5, 6]].mean(1)
    np.testing.assert_allclose(out[:, 0], root, rtol=1e-5)
    np.testing.assert_allclose(out[:, 8], neck, rtol=1e-5)
    np.testing.assert_allclose(out[:, 7], (root + neck) / 2, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(out[:, 10], coco[:, [1, 2]].mean(1), rtol=1e-5)


def test_mpose_means():
    pose = standing()
    out = convert(pose, "mediapipe33", "mpose13")
    for row, parts in {0: (0, 2, 5, 7, 8), 9: (28, 30, 32), 12: (27, 29, 31), 7: (24,)}.items():
        np.testing.assert_allclose(out[0, row], pose[0, list(parts), :2].mean(0), atol=1e-6)


@pytest.mark.parametrize("target", ["kinect25", "ntu25"])
def test_kinect_joints_of_a_standing_person(target):
    pose = standing()
    out = convert(pose, "mediapipe33", target)
    turned = pose * [-1, -1, 1]  # x to the sensor's left, y up, z away

    def mean(*landmarks):
        return turned[0, [M[name] for name in landmarks]].mean(axis=0)

    base, shoulders = mean("left_hip", "right_hip"), mean("left_shoulder", "right_shoulder")
    middle = (base + shoulders) / 2
    expected = {
        "spine_base": base,
        "spine_mid": middle,
        "spine_shoulder": shoulders,
        "neck": shoulders + 0.3 * (shoulders - middle),
        "head": mean("left_ear", "right_ear"),
        "left_hand": mean("left_wrist", "left_pinky", "left_index"),
        "left_hand_tip": mean("left_pinky", "left_index"),
        "right_thumb": mean("right_thumb"),
        "right_foot": mean("right_foot_index"),
        "left_knee": mean("left_knee"),
    }
    for landmark, where in expected.items():
        np.testing.assert_allclose(point(out, target, landmark), where, atol=1e-6)
    assert conversion("mediapipe33", target).estimated == ()
    # up is up, and a person facing the sensor has the left hand at smaller x
    assert point(out, target, "head")[1] > point(out, target, "left_foot")[1]
    assert point(out, target, "left_wrist")[0] < 0 < point(out, target, "right_wrist")[0]


@pytest.mark.parametrize("source", ["mediapipe33", "coco17", "uiprmd22", "openpose18", "h36m17"])
def test_no_bone_of_a_kinect_skeleton_has_length_zero(source):
    names = get_skeleton(source).landmarks
    rng = np.random.RandomState(0)
    trial = rng.randn(1, len(names), get_skeleton(source).n_dims)
    out = convert(trial, source, "kinect25")
    for child, parent in enumerate(get_skeleton("kinect25").parents):
        if parent >= 0:
            length = np.linalg.norm(out[0, child] - out[0, parent])
            assert length > 1e-3, get_skeleton("kinect25").landmarks[child]


def test_rotations_are_no_mirrors():
    """Between skeletons in space the axes turn, so that left never becomes right."""
    spatial = [name for name in list_skeletons() if get_skeleton(name).n_dims == 3]
    for source in spatial:
        for target in spatial:
            try:
                mapping = conversion(source, target)
            except ValueError:
                continue
            assert np.prod(mapping.signs) == 1


def test_scores_are_averaged_and_zero_for_estimates():
    trial = np.concatenate([np.zeros((2, 17, 2)), np.ones((2, 17, 1))], axis=2)
    trial[:, 5, 2] = 0.4  # left shoulder
    out = convert(trial, "coco17", "ntu25")
    assert out.shape == (2, 25, 4)
    score = dict(zip(get_skeleton("ntu25").landmarks, out[0, :, 3]))
    assert score["left_shoulder"] == pytest.approx(0.4)
    assert score["spine_shoulder"] == pytest.approx(0.7)
    estimated = conversion("coco17", "ntu25").estimated
    assert "left_hand" in estimated and "left_wrist" not in estimated
    assert {score[name] for name in estimated} == {0}


def test_a_lost_landmark_is_lost_only_where_it_counts():
    pose = standing()
    pose[0, M["left_index"]] = np.nan
    out = convert(pose, "mediapipe33", "kinect25")
    lost = np.isnan(out[0]).any(axis=1)
    names = np.array(get_skeleton("kinect25").landmarks)
    assert set(names[lost]) == {"left_hand", "left_hand_tip"}


@pytest.mark.parametrize("name", list_skeletons())
def test_a_skeleton_is_itself(name):
    skeleton = get_skeleton(name)
    trial = np.random.RandomState(0).randn(2, skeleton.n_landmarks, skeleton.n_dims)
    np.testing.assert_array_equal(convert(trial, name, name), trial.astype(np.float32))


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="coco17 cannot be converted to mediapipe33: 'left_eye_in"):
        conversion("coco17", "mediapipe33")
    with pytest.raises(ValueError, match=r"mediapipe33 has shape \(n_frames, 33, 3 or more\), got"):
        convert(np.zeros((4, 25, 3)), "mediapipe33", "coco17")


def test_guessing():
    assert guess_skeleton(25).name == "ntu25"
    assert guess_skeleton(6) is None


def test_a_real_pose(shared):
    """Left stays left and up stays up on the pose that MediaPipe finds in a real video."""
    from skrehab.pose import extract_pose

    model = shared / "models" / "pose_landmarker_full.task"
    track = extract_pose(
        shared / "videos" / "one_person_balance.mp4", model_path=model, target_fps=3
    )
    trial = track.world
    trial = trial[~np.isnan(trial).any(axis=(1, 2))]
    kinect = convert(trial, "mediapipe33", "kinect25")
    names = get_skeleton("kinect25").landmarks
    head, base = kinect[:, names.index("head")], kinect[:, names.index("spine_base")]
    assert (head[:, 1] > base[:, 1] + 0.3).all()  # metres, y up
    for part in ("shoulder", "hip"):  # he faces the camera: his left at smaller x
        left, right = (kinect[:, names.index(f"{side}_{part}")] for side in ("left", "right"))
        assert np.median(left[:, 0] - right[:, 0]) < -0.05
    nose_in_front = trial[:, M["nose"], 2] - trial[:, [M["left_ear"], M["right_ear"]], 2].mean(1)
    assert np.median(nose_in_front) < 0  # z grows away from the camera


# --- as a pipeline step ---------------------------------------------------------------------------
def test_converter_in_a_pipeline_saved_and_live(tmp_path):
    """A converter trains, travels and streams like the steps beside it."""
    import skrehab
    from skrehab import DisplacementSmoother, FrameMLP, FrameStream, SkeletonConverter

    rng = np.random.RandomState(0)
    X = [standing(4).repeat(20, axis=0) + 0.1 * rng.randn(20, 33, 4) for _ in range(4)]
    y = [rng.randint(2, size=20) for _ in X]
    pipeline = make_pipeline(
        SkeletonConverter("kinect25"),
        DisplacementSmoother(causal=True),
        FrameMLP((4,), max_epochs=1, random_state=0),
    ).fit(X, y)
    proba = pipeline.predict_proba(X)
    again = skrehab.load(skrehab.save(pipeline, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(X)[2], proba[2])
    stream = FrameStream(pipeline)
    live = [stream.push(frame.astype(np.float32), t / 30) for t, frame in enumerate(X[0])]
    np.testing.assert_allclose(live, proba[0], atol=1e-6)


def test_converter_says_what_is_estimated_and_refuses_the_unknown():
    from skrehab import SkeletonConverter

    X = [np.zeros((3, 17, 2))]
    converter = SkeletonConverter("kinect25").fit(X)
    assert "left_hand" in converter.estimated_
    np.testing.assert_array_equal(converter.transform(X)[0], convert(X[0], "coco17", "kinect25"))
    with pytest.raises(ValueError, match=r"have 6 landmarks\. Say which skeleton"):
        SkeletonConverter().fit([np.zeros((3, 6, 2))])
    with pytest.raises(ValueError, match="have 17 landmarks, not the mediapipe33 named"):
        SkeletonConverter(source="mediapipe33").fit(X)
    with pytest.raises(ValueError, match="must have 17 landmarks"):
        converter.transform([np.zeros((3, 18, 2))])
