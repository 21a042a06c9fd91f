"""KinematicMeasures: angles by hand, by rotations of another library, live, saved, named."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab import DisplacementSmoother, FrameMLP, FrameStream, KinematicMeasures, VideoClassifier
from skrehab.datasets import make_rehab_trials
from skrehab.preprocessing import explain_measures
from skrehab.preprocessing.measures import find_joints, list_measures, measure_skeleton
from skrehab.preprocessing.sides import mirror
from skrehab.skeletons import get_skeleton, list_skeletons

every_skeleton = pytest.mark.parametrize("name", list_skeletons())
NAMES = [row.name for row in list_measures("mediapipe33")]
# a body that stands upright, arms hanging, in (left, up, front), metres
STANDING = {
    **{"head": (0, 0.75, 0), "left_shoulder": (0.2, 0.5, 0), "left_hip": (0.1, 0, 0)},
    **{"left_elbow": (0.2, 0.2, 0), "left_wrist": (0.2, -0.05, 0)},
    **{"left_knee": (0.1, -0.45, 0), "left_ankle": (0.1, -0.9, 0)},
}
STANDING |= {
    name.replace("left", "right"): (-place[0], *place[1:])
    for name, place in STANDING.items()
    if name.startswith("left")
}


def trial_from(body, skeleton="mediapipe33"):
    """One frame of a skeleton whose joints stand where `body` says."""
    whole = get_skeleton(skeleton)
    trial = np.zeros((1, whole.n_landmarks, whole.n_dims))
    turned = np.array([1, -1, -1])[: whole.n_dims] * whole.directions
    for joint, at in find_joints(whole).items():
        place = body.get(joint, body["head"])
        trial[0, list(at)] = np.array(place, dtype=float)[: whole.n_dims] * turned
    return trial


def measures(body, skeleton="mediapipe33", **params):
    trial = trial_from(body, skeleton)
    model = KinematicMeasures(skeleton, window=1, **params).fit([trial])
    return dict(zip(model.get_feature_names_out(), model.transform([trial])[0][0, :, 0]))


def turned(matrix, joints=None, about=(0, 0, 0)):
    """The standing body with some joints turned about a place."""
    body = dict(STANDING)
    for joint in joints or body:
        body[joint] = np.array(about) + matrix @ (np.array(body[joint]) - about)
    return body


UPPER = [name for name in STANDING if name.split("_")[-1] in ("head", "shoulder", "elbow", "wrist")]
LEFT_ARM = ["left_elbow", "left_wrist"]


def about(axis, degrees):
    """Rotation about left, up or front, by the right-hand rule."""
    return Rotation.from_euler(
        "xyz"["left up front".split().index(axis)], degrees, True
    ).as_matrix()


# --- values by hand -------------------------------------------------------------------------------
@every_skeleton
def test_standing_upright(name):
    said = measures(STANDING, name)
    expected = {"shoulder_elevation": 125, "hand_height": -0.05, "hand_to_head": np.hypot(0.8, 0.2)}
    for measure, value in said.items():
        kind = measure.removeprefix("left_").removeprefix("right_")
        if "speed" in kind:  # there is no frame before
            assert np.isnan(value)
        else:
            np.testing.assert_allclose(value, expected.get(kind, 0), atol=2e-5, err_msg=measure)


@pytest.mark.parametrize("name", ["mediapipe33", "kinect25", "uiprmd22", "common15"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # to the front: up (0, 1, 0) goes to (0, cos, sin), a right-handed turn about left
        (turned(about("left", 30), UPPER), {"trunk_lean_forward": 30}),
        (turned(about("left", -20), UPPER), {"trunk_lean_forward": -20}),
        # up goes to (-sin, cos, 0) about front: the negative turn leans to the left
        (turned(about("front", -15), UPPER), {"trunk_lean_sideways": 15}),
        # front goes to left about up
        (turned(about("up", 25), UPPER), {"trunk_rotation": 25}),
        (turned(about("up", -40), UPPER), {"trunk_rotation": -40}),
        (
            turned(about("left", -90), LEFT_ARM, STANDING["left_shoulder"]),
            {"left_shoulder_flexion": 90, "left_arm_elevation": 90, "arm_elevation_asymmetry": 90}
            | {"left_shoulder_abduction": 0, "left_hand_height": 0.5},
        ),
        (
            turned(about("left", 30), LEFT_ARM, STANDING["left_shoulder"]),
            {"left_shoulder_flexion": -30, "left_arm_elevation": 30},
        ),
        (
            turned(about("left", -170), LEFT_ARM, STANDING["left_shoulder"]),
            {"left_shoulder_flexion": 170, "left_arm_elevation": 170},
        ),
        (
            turned(about("front", 60), LEFT_ARM, STANDING["left_shoulder"]),
            {"left_shoulder_abduction": 60, "left_arm_elevation": 60, "left_shoulder_flexion": 0},
        ),
        (
            turned(about("front", -60), ["right_elbow"], STANDING["right_shoulder"]),
            {"right_shoulder_abduction": 60, "right_arm_elevation": 60},
        ),
        (
            turned(about("left", -110), ["left_wrist"], STANDING["left_elbow"]),
            {"left_elbow_flexion": 110, "elbow_flexion_asymmetry": 110},
        ),
        (
            turned(about("left", 70), ["right_ankle"], STANDING["right_knee"]),
            {"right_knee_flexion": 70, "left_knee_flexion": 0},
        ),
        (
            turned(about("left", 25), ["head"], (0, 0.5, 0)),
            {"head_tilt_forward": 25, "head_tilt_sideways": 0},
        ),
        (turned(about("front", 10), ["head"], (0, 0.5, 0)), {"head_tilt_sideways": -10}),
        (
            STANDING | {"left_shoulder": (0.2, 0.54, 0)},
            {"shoulder_tilt": np.degrees(np.arcsin(0.04 / np.hypot(0.4, 0.04)))},
        ),
        (
            STANDING | {"left_shoulder": (0.2, 0.6, 0), "right_shoulder": (-0.2, 0.6, 0)},
            {"left_shoulder_elevation": 150, "right_shoulder_elevation": 150},
        ),
        (STANDING | {"right_wrist": (0, 0.75, 0.1)}, {"right_hand_to_head": 0.1}),
    ],
)
def test_by_hand(name, body, expected):
    said = measures(body, name)
    for measure, value in expected.items():
        np.testing.assert_allclose(said[measure], value, atol=2e-4, err_msg=measure)


@pytest.mark.parametrize("seed", range(5))
def test_angles_are_those_of_rotations(seed):
    """Trunk and arm as OpenSim turns them, z-x-y about (front, up, right) (SciPy: ZXY)."""
    rng = np.random.RandomState(seed)
    to_opensim = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # (left, up, front) to (x, y, z)

    def opensim(angles):
        matrix = Rotation.from_euler("ZXY", angles, degrees=True).as_matrix()
        return to_opensim.T @ matrix @ to_opensim

    extension, bending, rotation = rng.uniform(-50, 50, 3)
    pelvis = about("up", rng.uniform(-180, 180))  # wherever the person faces
    trunk = pelvis @ opensim([extension, bending, rotation])
    body = {name: pelvis @ np.array(place) for name, place in STANDING.items()}
    body |= {name: trunk @ np.array(STANDING[name]) for name in UPPER}
    flexion, adduction = rng.uniform(-80, 170), rng.uniform(-80, 40)
    arm = trunk @ opensim([flexion, adduction, rng.uniform(-90, 90)])
    for joint in ("right_elbow", "right_wrist"):
        from_shoulder = np.array(STANDING[joint]) - STANDING["right_shoulder"]
        body[joint] = body["right_shoulder"] + arm @ from_shoulder
    said = measures(body)
    expected = {
        **{"trunk_lean_forward": -extension, "trunk_lean_sideways": -bending},
        **{"trunk_rotation": rotation, "right_shoulder_flexion": flexion},
        **{"right_shoulder_abduction": -adduction, "right_elbow_flexion": 0},
        **{"head_tilt_forward": 0, "head_tilt_sideways": 0, "shoulder_tilt": 0},
    }
    for measure, value in expected.items():
        np.testing.assert_allclose(said[measure], value, atol=2e-3, err_msg=measure)


def test_speed_is_that_of_the_wrist():
    trial = np.repeat(trial_from(STANDING), 4, axis=0)
    trial[:, 15, 0] += [0, 0.03, 0.03, 0.07]  # left wrist
    out = KinematicMeasures(frame_rate=20, window=1).fit_transform([trial])[0][..., 0]
    left, right, difference = (
        out[:, NAMES.index(name)]
        for name in ("left_hand_speed", "right_hand_speed", "hand_speed_asymmetry")
    )
    np.testing.assert_allclose(left, [np.nan, 0.6, 0, 0.8], atol=1e-6)
    np.testing.assert_allclose(right, [np.nan, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(difference, left, atol=1e-6)


# --- what stays the same --------------------------------------------------------------------------
def random_trial(name, n_frames=12, seed=0):
    whole = get_skeleton(name)
    shape = (n_frames, whole.n_landmarks, whole.n_dims + 1)
    return np.random.RandomState(seed).randn(*shape).astype(np.float32)


@every_skeleton
def test_a_mirror_swaps_sides_and_signs(name):
    trial = random_trial(name)
    turned = mirror([trial], name)[0]
    model = KinematicMeasures(name, window=1).fit([trial])
    whole = model.measure_skeleton_
    out, other = (model.transform([one])[0] for one in (trial, turned))
    expected = out[:, whole.mirrored].copy()
    expected[:, list(whole.flipped)] *= -1
    np.testing.assert_allclose(other, expected, atol=2e-3)


def test_place_and_heading_do_not_matter():
    trial = random_trial("mediapipe33")
    model = KinematicMeasures(window=1).fit([trial])
    moved = trial.copy()
    moved[..., :3] = trial[..., :3] @ about("up", 130).T.astype(np.float32) + [1, -2, 3]
    np.testing.assert_allclose(model.transform([moved])[0], model.transform([trial])[0], atol=5e-3)


def test_a_lost_joint_loses_what_needs_it_only():
    trial = random_trial("mediapipe33")
    trial[3, 13] = np.nan  # left elbow
    out = KinematicMeasures(window=1).fit_transform([trial])[0][1:, :, 0]
    lost = np.isnan(out)
    assert sorted(np.array(NAMES)[lost[2]]) == sorted(
        ["arm_elevation_asymmetry", "elbow_flexion_asymmetry", "left_arm_elevation"]
        + ["left_elbow_flexion", "left_shoulder_abduction", "left_shoulder_flexion"]
    )
    assert lost.sum() == lost[2].sum()
    assert not np.isnan(KinematicMeasures(window=3).fit_transform([trial])[0][1:]).any()


def test_joints_in_one_place_have_no_angle():
    out = KinematicMeasures().fit_transform([np.zeros((3, 33, 3))])[0][..., 0]
    degrees = [i for i, name in enumerate(NAMES) if "hand" not in name]
    assert np.isnan(out[:, degrees]).all()


# --- names ----------------------------------------------------------------------------------------
def test_names_and_units():
    model = KinematicMeasures("coco17").fit([random_trial("coco17")])
    flat = model.get_feature_names_out().tolist()
    assert "trunk_rotation" not in flat and "trunk_lean_sideways" in flat and len(flat) == 20
    units = dict(zip(flat, model.units_))
    assert units["left_hand_speed"] == "px/s" and units["left_elbow_flexion"] == "deg"
    assert "m" in KinematicMeasures().fit([random_trial("mediapipe33")]).units_
    whole = measure_skeleton("mediapipe33")
    assert len(whole.pairs) == 9 and whole.landmarks[whole.pairs[0][1]].startswith("right_")


def test_own_skeletons_with_some_of_the_joints():
    coco = get_skeleton("coco17")
    trunk = [5, 6, 9, 10, 11, 12]
    own = dataclasses.replace(coco, name="own", landmarks=tuple(coco.landmarks[i] for i in trunk))
    names = [row.name for row in list_measures(own)]
    assert "shoulder_tilt" in names and "left_hand_height" in names
    assert not [name for name in names if "elbow" in name or "head" in name]
    with pytest.raises(ValueError, match="own has no left_hip, right_hip: measures need shoulders"):
        list_measures(dataclasses.replace(own, landmarks=own.landmarks[:4]))


def test_displays_and_saliency_name_measures():
    pytest.importorskip("matplotlib").use("Agg")
    data = make_rehab_trials(3, 2, random_state=0)
    X = KinematicMeasures().fit_transform(data.X)
    model = VideoClassifier("mil_tcn", max_epochs=1, random_state=0).fit(X, data.y)
    display = skrehab.SaliencyMapDisplay.from_estimator(
        model, X[0], n_steps=2, skeleton=KinematicMeasures().fit(data.X).measure_skeleton_
    )
    assert display.landmark_names[0] == "trunk lean forward"


@pytest.mark.parametrize(
    ("params", "shape", "message"),
    [
        ({"skeleton": "coco17"}, (33, 3), r"X\[0\] has 33 landmarks, skeleton 'coco17' has 17"),
        ({}, (33, 2), r"2 coordinates a landmark, skeleton 'mediapipe33' needs 3"),
        ({"skeleton": "dog"}, (33, 3), "Unknown skeleton 'dog'"),
        ({"frame_rate": 0}, (33, 3), "'frame_rate' parameter"),
        ({"window": 0}, (33, 3), "'window' parameter"),
    ],
)
def test_what_it_refuses(params, shape, message):
    with pytest.raises(ValueError, match=message):
        KinematicMeasures(**params).fit([np.zeros((4, *shape))])


# --- live, saved ----------------------------------------------------------------------------------
@every_skeleton
def test_the_stream_is_the_transform(name):
    trial = random_trial(name, n_frames=40)
    trial[5:20, 3] = np.nan
    trial[30] = np.nan
    model = KinematicMeasures("auto" if name == "mediapipe33" else name).fit([trial])
    stream = model._stream()
    for _ in range(2):
        live = [stream.push(frame, t) for t, frame in enumerate(trial)]
        np.testing.assert_array_equal(live, model.transform([trial])[0])
        stream.reset()
    for t in (1, 7, 31):
        np.testing.assert_array_equal(model.transform([trial[:t]])[0], live[:t])


def test_a_pipeline_of_it_runs_live_and_is_saved(tmp_path):
    data = make_rehab_trials(2, 1, random_state=0)
    pipeline = make_pipeline(
        KinematicMeasures(frame_rate=data.frame_rate),
        DisplacementSmoother(window=1),
        FrameMLP((8,), max_epochs=2, random_state=0),
    ).fit(data.X, data.frame_labels)
    offline = pipeline.predict_proba(data.X[:1])[0]
    again = skrehab.load(skrehab.save(pipeline, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(data.X[:1])[0], offline)
    stream = FrameStream(pipeline)
    live = [stream.push(frame, t / 10) for t, frame in enumerate(data.X[0])]
    np.testing.assert_allclose(live, offline, atol=1e-6)


def test_planted_compensations_show_in_their_measures():
    """Each compensation of the synthetic patients moves its own measure, in its own frames."""
    data = make_rehab_trials(6, 4, random_state=0)
    X = KinematicMeasures(frame_rate=data.frame_rate).fit_transform(data.X)
    forward = NAMES.index("trunk_lean_forward")
    moved = [
        np.nanmedian(x[f == 1, forward, 0]) - np.nanmedian(x[f == 0, forward, 0])
        for x, f in zip(X, data.frame_labels)
        if (f == 1).any() and (f == 0).any()
    ]
    assert max(moved) > 5  # degrees


# --- in words -------------------------------------------------------------------------------------
def test_what_stood_out_in_words():
    """Of two planted changes the one that is larger against its own spread comes first."""
    measures = KinematicMeasures().fit([random_trial("mediapipe33")])
    trial = np.zeros((40, 27, 1))
    height = NAMES.index("left_hand_height")
    trial[:, height, 0] = 0.3 * np.sin(np.arange(40))  # a hand that always moves
    trial[10:20, height] += 0.4
    trial[10:20, NAMES.index("trunk_rotation")] = -18
    trial[30:32, NAMES.index("head_tilt_forward")] = 25
    states = np.zeros(40, dtype=int)
    states[10:20] = states[30:32] = 1
    states[25:28] = -1
    trial[26] = 1000  # not known: neither marked nor normal
    found = explain_measures(trial, states, measures, frame_rate=10, n_best=1)
    assert [one["text"] for one in found] == [
        "trunk rotation -18 deg, 1.0-2.0 s",
        "head tilt forward +25 deg, 3.0-3.2 s",
    ]
    only = explain_measures(
        trial, states, measures, frame_rate=10, n_best=1, names=["left_hand_height"]
    )
    assert only[0]["text"].startswith("left hand height +") and "cm, 1.0-2.0 s" in only[0]["text"]
    assert explain_measures(trial, np.ones(40), measures) == []
    assert explain_measures(trial, np.zeros(40), measures) == []
    trial[10:20, :] = np.nan
    assert [one["start"] for one in explain_measures(trial, states, measures, n_best=1)] == [1.0]
    with pytest.raises(ValueError, match="must have shape"):
        explain_measures(trial[1:], states, measures)
    with pytest.raises(ValueError, match="'tail', which is not among"):
        explain_measures(trial, states, measures, names=["tail"])
