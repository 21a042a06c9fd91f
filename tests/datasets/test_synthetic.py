"""Synthetic patients: reproducible, anatomically sound, honest about their labels, and hard."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.neural_network import MLPClassifier

from skrehab.datasets import make_rehab_trials
from skrehab.datasets._body import (
    SIDES,
    draw_body,
    place_arm,
    place_face,
    place_leg,
    place_trunk,
    rotation,
)
from skrehab.datasets._exercises import EXERCISES, minimum_jerk
from skrehab.datasets._patients import plan_trials
from skrehab.skeletons import get_skeleton
from skrehab.trials import check_frame_labels, check_groups, check_trial_labels, check_trials

SKELETON = get_skeleton("mediapipe33")


def column(landmark):
    return SKELETON.index(landmark)


@pytest.fixture(scope="module")
def data():
    return make_rehab_trials(n_patients=6, n_repetitions=2, random_state=0)


@pytest.fixture(scope="module")
def clean():
    """The same trials without sensor errors."""
    return make_rehab_trials(n_patients=6, n_repetitions=2, noise=0, missing=0, random_state=0)


# --- the contract ---------------------------------------------------------------------------------
def test_is_a_valid_set_of_trials(data):
    assert isinstance(data.X, list) and all(trial.dtype == np.float32 for trial in data.X)
    assert check_trials(data.X)[0].shape[1:] == (33, 3)
    check_frame_labels(data.frame_labels, data.X)
    check_trial_labels(data.y, data.X)
    check_groups(data.groups, data.X)
    assert data.frame_labels.dtype == object and data.frame_labels.ndim == 1
    n_trials = 6 * 7 * 2
    for name in ("y", "groups", "exercise", "side", "compensation", "affected_side"):
        assert data[name].shape == (n_trials,), name
    assert data.skeleton == "mediapipe33" and data.frame_rate == 10.0
    assert "33 landmarks" in data.DESCR and "30%" in data.DESCR


def test_every_patient_does_every_exercise_equally_often(data):
    assert np.unique(data.groups).tolist() == ["P01", "P02", "P03", "P04", "P05", "P06"]
    assert data.groups.tolist() == sorted(data.groups)
    for patient in np.unique(data.groups):
        own = data.groups == patient
        assert len(np.unique(data.affected_side[own])) == 1
        for name, exercise in EXERCISES.items():
            for side in exercise.sides:
                assert np.sum(own & (data.exercise == name) & (data.side == side)) == 2


def test_chosen_exercises_only():
    data = make_rehab_trials(2, 1, ["wash_face", "brush_hair"], random_state=0)
    assert sorted(set(data.exercise)) == ["brush_hair", "wash_face"]
    assert set(make_rehab_trials(2, 1, "hip_flexion", random_state=0).exercise) == {"hip_flexion"}


# --- reproducible ---------------------------------------------------------------------------------
def test_same_seed_same_trials_and_global_state_untouched(data):
    before = np.random.get_state()[1].copy()  # noqa: NPY002  it is the legacy state that matters
    again = make_rehab_trials(n_patients=6, n_repetitions=2, random_state=0)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    for ours, theirs in zip(data.X, again.X):
        np.testing.assert_array_equal(ours, theirs)
    assert data.y.tolist() == again.y.tolist()
    assert data.compensation.tolist() == again.compensation.tolist()


def test_other_seeds_and_random_states():
    first = make_rehab_trials(1, 1, "wash_face", random_state=1).X[0]
    second = make_rehab_trials(1, 1, "wash_face", random_state=2).X[0]
    assert first.shape != second.shape or not np.array_equal(first, second, equal_nan=True)
    state = make_rehab_trials(1, 1, "wash_face", random_state=np.random.RandomState(1)).X[0]
    np.testing.assert_array_equal(first, state)


def test_one_seed_is_one_movement_at_any_frame_rate(clean):
    fast = make_rehab_trials(6, 2, frame_rate=20, noise=0, missing=0, random_state=0)
    for slow_trial, fast_trial in zip(clean.X, fast.X):
        np.testing.assert_allclose(fast_trial[::2], slow_trial, atol=1e-5)
    assert fast.frame_rate == 20.0


def test_noise_does_not_change_the_movement(data, clean):
    error = np.concatenate([noisy - exact for noisy, exact in zip(data.X, clean.X)])
    assert np.nanstd(error[:, :15, 0]) == pytest.approx(0.006, rel=0.1)
    assert np.nanstd(error[:, :15, 2]) == pytest.approx(0.006 * 2.2, rel=0.1)
    assert np.nanstd(error[:, 15:, 1]) == pytest.approx(0.006 * 1.3, rel=0.1)


# --- labels ---------------------------------------------------------------------------------------
def test_full_size_has_the_counts_of_sere():
    plan = plan_trials(18, 10, list(EXERCISES), np.random.RandomState(0))
    assert len(plan) == 1260
    positives = {EXERCISES[name].code: 0 for name in EXERCISES}
    for trial in plan:
        positives[EXERCISES[trial["exercise"]].code] += trial["label"]
    assert positives == {"E1": 170, "E2": 118, "E3": 100, "E4": 30, "E5": 120}


def test_patients_have_both_classes_but_differ_and_compensate_with_the_affected_arm():
    for seed in range(5):
        plan = plan_trials(18, 4, list(EXERCISES), np.random.RandomState(seed))
        labels = {}
        for trial in plan:
            labels.setdefault(trial["patient"], []).append(trial["label"])
        rates = np.array([np.mean(values) for values in labels.values()])
        assert ((rates > 0) & (rates < 1)).all(), seed
        assert rates.std() > 0.1
        arms = [trial for trial in plan if trial["side"] != "both"]
        own = np.mean([t["label"] for t in arms if t["side"] == t["affected"]])
        other = np.mean([t["label"] for t in arms if t["side"] != t["affected"]])
        assert own > other + 0.1


def test_frame_truth_lies_inside_positive_trials_only(data):
    for label, truth, kind in zip(data.y, data.frame_labels, data.compensation):
        assert truth.max() == label
        assert (kind == "none") == (label == 0)
        # one spell, never the whole trial, and the first frame shows the uncompensated posture
        assert np.sum(np.diff(truth, prepend=0) == 1) == label
        assert truth[0] == 0 and truth.mean() < 0.8
    assert 0.2 < np.concatenate(data.frame_labels[data.y == 1]).mean() < 0.5


def test_frame_truth_at_the_lowest_frame_rate():
    data = make_rehab_trials(4, 2, frame_rate=1, random_state=0)
    assert [truth.max() for truth in data.frame_labels] == data.y.tolist()


def test_only_compensation_tells_positive_trials_apart(clean):
    """Without it the same seed gives the same movement: the label does nothing else."""
    without = make_rehab_trials(6, 2, strength=0, noise=0, missing=0, random_state=0)
    assert without.y.tolist() == clean.y.tolist()
    inside, outside = [], []
    for label, truth, ours, theirs in zip(clean.y, clean.frame_labels, clean.X, without.X):
        if label == 0:
            np.testing.assert_array_equal(ours, theirs)
            continue
        moved = np.linalg.norm(ours - theirs, axis=-1).mean(axis=-1)
        inside.append(moved[truth == 1].mean())
        outside.append(moved[truth == 0].mean())
    assert min(inside) > 0
    assert np.mean(inside) > 10 * np.mean(outside)


@pytest.mark.parametrize(
    ("kind", "landmark", "axis", "sign"),
    [
        ("trunk_flexion", "left_shoulder", 2, -1),  # towards the camera
        ("head_flexion", "nose", 1, 1),  # down
    ],
)
def test_compensation_moves_the_right_way(clean, kind, landmark, axis, sign):
    without = make_rehab_trials(6, 2, strength=0, noise=0, missing=0, random_state=0)
    shifts = [
        (clean.X[i] - without.X[i])[clean.frame_labels[i] == 1][:, column(landmark), axis].mean()
        for i in np.flatnonzero((clean.compensation == kind) & (clean.exercise != "put_on_socks"))
    ]
    assert shifts and (sign * np.array(shifts) > 0.005).all()


def test_shoulder_and_rotation_compensation_act_on_the_working_side(clean):
    without = make_rehab_trials(6, 2, strength=0, noise=0, missing=0, random_state=0)
    seen = set()
    for i in np.flatnonzero(clean.y):
        side = clean.side[i] if clean.side[i] != "both" else clean.affected_side[i]
        shift = (clean.X[i] - without.X[i])[clean.frame_labels[i] == 1].mean(axis=0)
        own = shift[column(f"{side}_shoulder")]
        other = shift[column("right_shoulder" if side == "left" else "left_shoulder")]
        if clean.compensation[i] == "shoulder_elevation" and clean.exercise[i] != "put_on_socks":
            assert own[1] < -0.005 and abs(other[1]) < 1e-5  # up is negative
            seen.add("elevation")
        if clean.compensation[i] == "trunk_rotation" and clean.exercise[i] != "put_on_socks":
            assert own[2] < other[2]  # forwards, towards the camera
            seen.add("rotation")
    assert seen == {"elevation", "rotation"}


# --- the body -------------------------------------------------------------------------------------
BONES = [
    ("shoulder", "elbow"),
    ("elbow", "wrist"),
    ("wrist", "index"),
    ("wrist", "pinky"),
    ("wrist", "thumb"),
    ("hip", "knee"),
    ("knee", "ankle"),
    ("ankle", "heel"),
    ("ankle", "foot_index"),
]


def test_bones_keep_their_length(clean):
    by_patient = {}
    for trial, patient in zip(clean.X, clean.groups):
        for side in ("left", "right"):
            for start, stop in BONES:
                a, b = column(f"{side}_{start}"), column(f"{side}_{stop}")
                length = np.linalg.norm(trial[:, a] - trial[:, b], axis=1)
                assert np.ptp(length) < 1e-5, (side, start, stop)
                by_patient.setdefault((patient, start, stop), []).append(length[0])
        head = np.linalg.norm(trial[:, column("left_ear")] - trial[:, column("nose")], axis=1)
        assert np.ptp(head) < 1e-5
    for lengths in by_patient.values():  # the same body in all trials, left like right
        assert np.ptp(lengths) < 1e-5
    upper_arms = {round(float(v[0]), 4) for k, v in by_patient.items() if k[2] == "elbow"}
    assert len(upper_arms) == 6  # and another body for each patient


def test_sits_upright_facing_the_camera(clean):
    for trial in clean.X:
        first = {name: trial[0, i] for i, name in enumerate(SKELETON.landmarks)}
        np.testing.assert_allclose((first["left_hip"] + first["right_hip"]) / 2, 0, atol=1e-6)
        for kind in ("shoulder", "hip", "ear", "knee", "ankle"):  # its left at the image's right
            assert first[f"left_{kind}"][0] > first[f"right_{kind}"][0]
        assert first["nose"][1] < first["left_shoulder"][1] < 0  # y points down
        for side in ("left", "right"):
            assert first[f"{side}_heel"][1] > first[f"{side}_knee"][1] > -0.1
            assert first[f"{side}_knee"][2] < -0.25  # thighs point at the camera
            assert first[f"{side}_foot_index"][2] < first[f"{side}_heel"][2]
        assert first["nose"][2] < first["left_ear"][2]
        assert first["mouth_left"][1] > first["left_eye"][1]
        shank = first["left_ankle"][1] - first["left_knee"][1]
        assert 0.3 < shank < 0.6  # metres


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("name", "target"), [("brush_hair", "ear"), ("brush_teeth", "mouth")])
def test_one_arm_goes_to_the_head_and_comes_back(name, target, side):
    data = make_rehab_trials(6, 2, name, strength=0, noise=0, missing=0, random_state=0)
    other = "left" if side == "right" else "right"
    goal = f"{side}_ear" if target == "ear" else f"mouth_{side}"
    for i in np.flatnonzero(data.side == side):
        trial = data.X[i]
        wrist, goal_path = trial[:, column(f"{side}_wrist")], trial[:, column(goal)]
        distance = np.linalg.norm(wrist - goal_path, axis=1)
        middle = distance[int(0.4 * len(trial)) : int(0.6 * len(trial))]
        assert middle.max() < 0.30 < 0.40 < distance[0]
        assert np.linalg.norm(wrist[-1] - wrist[0]) < 0.08
        rest = trial[:, column(f"{other}_wrist")]
        assert np.ptp(rest, axis=0).max() < 0.12


def test_both_hands_wash_and_both_legs_lift_and_the_trunk_bends_to_the_feet():
    data = make_rehab_trials(4, 2, strength=0, noise=0, missing=0, random_state=0)
    bends = {name: [] for name in EXERCISES}
    for trial, name in zip(data.X, data.exercise):
        path = {landmark: trial[:, i] for i, landmark in enumerate(SKELETON.landmarks)}
        middle = slice(int(0.4 * len(trial)), int(0.6 * len(trial)))
        for side in ("left", "right"):
            lift = path[f"{side}_knee"][0, 1] - path[f"{side}_knee"][:, 1].min()
            assert (lift > 0.05) == (name == "hip_flexion"), name
            if name == "wash_face":
                gap = path[f"{side}_wrist"] - path[f"mouth_{side}"]
                assert np.linalg.norm(gap[middle], axis=1).max() < 0.30
        shoulders = (path["left_shoulder"] + path["right_shoulder"]) / 2
        bends[name].append(shoulders[0, 2] - shoulders[:, 2].min())
        if name == "put_on_socks":
            wrists = np.maximum(path["left_wrist"][:, 1], path["right_wrist"][:, 1])
            assert wrists.max() > 0.05  # below the hips
    socks = bends.pop("put_on_socks")
    assert min(socks) > 0.15 and np.median(socks) > 0.25  # metres
    assert max(np.median(others) for others in bends.values()) < 0.12


def mirror(points):
    return points * [-1.0, 1.0, 1.0]


def test_left_and_right_are_mirror_images():
    rng = np.random.default_rng(0)
    body = draw_body(rng)
    names = ["trunk_flexion", "trunk_rotation", "trunk_lean", "head_flexion", "head_rotation"]
    posture = {name: rng.normal(0, 0.3, 7) for name in names}
    posture["shoulder_elevation"] = rng.uniform(0, 0.4, (7, 2))
    swapped = {
        name: -value if name.endswith(("rotation", "lean")) else value
        for name, value in posture.items()
    }
    swapped["shoulder_elevation"] = posture["shoulder_elevation"][:, ::-1]
    ours, theirs = place_trunk(body, posture), place_trunk(body, swapped)
    np.testing.assert_allclose(theirs.shoulders[:, ::-1], mirror(ours.shoulders), atol=1e-12)
    order = list(range(11))
    for left, right in SKELETON.pairs:
        if right < 11:
            order[left], order[right] = right, left
    faces = place_face(body, ours), place_face(body, theirs)
    np.testing.assert_allclose(faces[1][:, order], mirror(faces[0]), atol=1e-12)

    target, pole = rng.normal(0, 0.4, (7, 3)), rng.normal(size=(7, 3))
    left = place_arm(body, ours.shoulders[:, 0], target, pole, SIDES[0])
    right = place_arm(body, theirs.shoulders[:, 1], mirror(target), mirror(pole), SIDES[1])
    np.testing.assert_allclose(right, mirror(left), atol=1e-9)
    thigh, shank = rng.normal(0, 0.2, 7), rng.normal(0, 0.2, 7)
    left = place_leg(body, thigh, shank, 0.2, SIDES[0])
    np.testing.assert_allclose(
        place_leg(body, thigh, shank, 0.2, SIDES[1]), mirror(left), atol=1e-12
    )


def test_the_wrist_meets_a_target_within_reach():
    body = draw_body(np.random.default_rng(0))
    shoulder = np.zeros((1, 3))
    near = np.array([[0.1, -0.2, 0.25]])
    pole = np.array([[0.5, -1.0, 0.0]])
    np.testing.assert_allclose(place_arm(body, shoulder, near, pole, 1)[:, 1], near, atol=1e-9)
    far = place_arm(body, shoulder, 10 * near, pole, 1)[0, 1]
    assert np.linalg.norm(far) < body["upper_arm"] + body["forearm"]
    np.testing.assert_allclose(far / np.linalg.norm(far), near[0] / np.linalg.norm(near[0]))


def test_rotations_turn_the_way_they_say():
    quarter = np.array([np.pi / 2])
    left, up, front = np.eye(3)
    np.testing.assert_allclose(rotation(0, quarter)[0] @ up, front, atol=1e-12)
    np.testing.assert_allclose(rotation(1, quarter)[0] @ front, left, atol=1e-12)
    np.testing.assert_allclose(rotation(2, quarter)[0] @ left, up, atol=1e-12)


def test_minimum_jerk_starts_and_ends_at_rest():
    x = np.linspace(0, 1, 1001)
    way = minimum_jerk(x)
    speed = np.gradient(way, x)
    assert way[0] == 0 and way[-1] == 1 and (np.diff(way) >= 0).all()
    assert speed.max() == pytest.approx(1.875, abs=1e-3)  # Flash and Hogan: 15/8 of the mean speed
    assert abs(speed[0]) < 1e-3 and abs(np.gradient(speed, x)[[0, -1]]).max() < 0.2
    assert minimum_jerk(-1) == 0 and minimum_jerk(2) == 1


# --- the sensor -----------------------------------------------------------------------------------
def test_missing_landmarks(data, clean):
    frames = np.concatenate(data.X)
    lost = np.isnan(frames)
    assert (lost.any(axis=-1) == lost.all(axis=-1)).all()
    assert lost.mean() == pytest.approx(0.02, abs=0.005)
    assert not np.isnan(np.concatenate(clean.X)).any()
    more = make_rehab_trials(4, 1, missing=0.2, random_state=0)
    assert np.isnan(np.concatenate(more.X)).mean() == pytest.approx(0.2, abs=0.03)
    # in spells: a lost landmark is far more often still lost one frame later than by chance
    stays = np.mean([np.isnan(x[1:, :, 0])[np.isnan(x[:-1, :, 0])].mean() for x in more.X])
    assert stays > 0.4


def test_visibility_is_low_where_a_landmark_is_lost():
    data = make_rehab_trials(2, 1, visibility=True, random_state=0)
    plain = make_rehab_trials(2, 1, random_state=0)
    frames = np.concatenate(data.X)
    assert frames.shape[1:] == (33, 4) and frames.dtype == np.float32
    np.testing.assert_array_equal(frames[..., :3], np.concatenate(plain.X))
    seen, lost = frames[..., 3], np.isnan(frames[..., 0])
    assert (seen >= 0).all() and (seen <= 1).all()
    assert seen[lost].max() <= 0.5 <= seen[~lost].min()
    sure = make_rehab_trials(1, 1, visibility=True, missing=0, random_state=0)
    assert (np.concatenate(sure.X)[..., 3] == 1).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_patients": 0}, "n_patients must be a whole number of at least 1, got 0"),
        ({"n_patients": 2.5}, "n_patients must be a whole number"),
        ({"n_repetitions": True}, "n_repetitions must be a whole number"),
        ({"exercises": ["juggling"]}, "'juggling' is unknown. Choose from ..brush_hair"),
        ({"exercises": ["wash_face", "wash_face"]}, "one is named twice"),
        ({"noise": -1}, "noise must be a finite number of at least 0, got -1"),
        ({"strength": np.nan}, "strength must be a finite number"),
        ({"missing": 1.0}, "missing is a share"),
        ({"frame_rate": 0}, "frame_rate must be at least 1"),
    ],
)
def test_wrong_parameters_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_rehab_trials(**{"n_patients": 1, "n_repetitions": 1, **wrong})


# --- difficulty: bounds only; benchmarks/synthetic_difficulty.py has the figures ------------------
def frame_area(data):
    def smooth(trial):
        moved = np.nan_to_num((trial - np.nan_to_num(trial[0])).reshape(len(trial), -1))
        return np.apply_along_axis(np.convolve, 0, moved, np.ones(5) / 5, "same")

    frames = np.concatenate([smooth(trial) for trial in data.X])
    truth = np.concatenate(data.frame_labels)
    patients = np.repeat(data.groups, [len(trial) for trial in data.X])
    scores = np.zeros(len(truth))
    for train, test in GroupKFold(3).split(frames, groups=patients):
        scale = frames[train].std(axis=0) + 1e-6
        model = MLPClassifier(
            (32,), batch_size=256, learning_rate_init=3e-3, max_iter=8, random_state=0
        )
        with pytest.warns(match="Maximum iterations"):
            model.fit(frames[train] / scale, truth[train])
        scores[test] = model.predict_proba(frames[test] / scale)[:, 1]
    return roc_auc_score(truth, scores)


def test_it_is_hard_but_not_hopeless_and_nothing_without_compensation():
    settings = {"n_patients": 12, "n_repetitions": 3, "frame_rate": 5, "random_state": 0}
    area = frame_area(make_rehab_trials(**settings))
    # other seeds give 0.67 to 0.75, and 0.52 to 0.56 without compensation
    assert 0.62 < area < 0.92
    assert frame_area(make_rehab_trials(**settings, strength=0)) < min(0.62, area - 0.05)


def test_duration_does_not_tell():
    data = make_rehab_trials(frame_rate=5, noise=0, missing=0, random_state=0)
    duration = np.array([len(trial) for trial in data.X])
    assert roc_auc_score(data.y, duration) == pytest.approx(0.5, abs=0.08)
    for name in EXERCISES:
        own = data.exercise == name
        assert abs(duration[own].mean() - duration.mean()) < 0.1 * duration.mean()


def test_kinds_leave_out_others_and_nothing_else():
    how = {"exercises": ["brush_hair", "hip_flexion"], "frame_rate": 2, "random_state": 3}
    every = make_rehab_trials(4, 2, **how)
    some = make_rehab_trials(4, 2, kinds=["trunk_flexion", "trunk_rotation"], **how)
    assert set(some.compensation) == {"trunk_flexion", "trunk_rotation", "none"}
    assert set(every.compensation) > set(some.compensation)
    assert some.y.tolist() == every.y.tolist()
    for a, b, truth in zip(some.X, every.X, every.y):  # trials without compensation are the same
        assert truth or np.array_equal(a, b, equal_nan=True)
    with pytest.raises(ValueError, match="kinds: 'lean' is unknown"):
        make_rehab_trials(2, 1, kinds="lean")
    with pytest.raises(ValueError, match="put_on_socks has none of"):
        make_rehab_trials(2, 1, "put_on_socks", kinds="trunk_flexion")
