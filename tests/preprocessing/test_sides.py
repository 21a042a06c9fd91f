"""SideNormalizer and what can be known about mirrored recordings."""

import numpy as np
import pytest
from instances import tiny_frames
from sklearn.base import clone
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline

from skrehab.datasets import make_rehab_trials
from skrehab.live import FrameStream
from skrehab.preprocessing import (
    SideNormalizer,
    detect_mirrored,
    mirror,
    normalize_sides,
    side_movement,
    side_pairs,
)
from skrehab.skeletons import get_skeleton, list_skeletons


@pytest.fixture(scope="module")
def reaches():
    """Synthetic trials done with one arm."""
    data = make_rehab_trials(4, 2, random_state=0)
    one_arm = np.isin(data.side, ("left", "right"))
    return [x for x, keep in zip(data.X, one_arm) if keep], data.side[one_arm], data


@pytest.mark.parametrize("name", list_skeletons())
def test_mirror_of_every_skeleton(name):
    skeleton = get_skeleton(name)
    trial = np.random.RandomState(0).randn(6, skeleton.n_landmarks, 3).astype(np.float32)
    mirrored = mirror(trial, name)
    for i, landmark in enumerate(skeleton.landmarks):
        twin = landmark.replace("left", "*").replace("right", "left").replace("*", "right")
        expected = trial[:, skeleton.index(twin)] * [-1, 1, 1]
        np.testing.assert_array_equal(mirrored[:, i], expected)
    np.testing.assert_array_equal(mirror(mirrored, name), trial)
    for landmarks in skeleton.limbs.values():  # every limb has its twin on the other side
        assert np.isin(landmarks, side_pairs(name, skeleton.n_landmarks)).all()


def test_mirror_keeps_visibility_and_lost_landmarks():
    trial = np.ones((2, 33, 4), dtype=np.float32)
    trial[1, 11] = np.nan
    trial[0, 12, 3] = 0.25
    mirrored = mirror(trial)
    assert np.isnan(mirrored[1, 12]).all() and np.isfinite(mirrored[1, 11]).all()
    assert mirrored[0, 11].tolist() == [-1, 1, 1, 0.25]
    assert not np.signbit(mirror(np.zeros((1, 33, 3)))).any()


def test_known_sides(reaches):
    X, sides, _ = reaches
    all_right = normalize_sides(X, sides)
    all_left = normalize_sides(X, sides, to="left")
    for trial, right, left, side in zip(X, all_right, all_left, sides):
        np.testing.assert_array_equal(right, mirror(left))
        np.testing.assert_array_equal(right if side == "right" else left, trial)
        assert not np.shares_memory(right, trial) and not np.shares_memory(left, trial)
    both = normalize_sides(X[:2], ["both", "right"])
    np.testing.assert_array_equal(both[0], X[0])
    for wrong, message in ((["left"], "trials, 1 sides"), (["L", "R"], "No side is .* 'L'")):
        with pytest.raises(ValueError, match=message):
            normalize_sides(X[:2], wrong)
    with pytest.raises(ValueError, match="to must be"):
        normalize_sides(X[:1], ["left"], to="both")


def test_the_moving_arm_is_found(reaches):
    X, sides, _ = reaches
    moving = ["left" if left > right else "right" for left, right in map(side_movement, X)]
    assert np.mean(np.array(moving) == sides) == 1.0
    normalized = SideNormalizer().fit_transform(X)
    for trial, expected in zip(normalized, normalize_sides(X, sides)):
        np.testing.assert_array_equal(trial, expected)
        left, right = side_movement(trial)
        assert right > left


def test_a_side_for_all_and_a_callable(reaches):
    X, sides, _ = reaches
    for side, expected in (("right", X), ("left", [mirror(trial) for trial in X])):
        for normalizer in (SideNormalizer(side), SideNormalizer(lambda trial, side=side: side)):
            for trial, one in zip(clone(normalizer).fit_transform(X), expected):
                np.testing.assert_array_equal(trial, one)
    with pytest.raises(ValueError, match=r"of X\[0\] it said 'both'"):
        SideNormalizer(lambda trial: "both").fit_transform(X)
    with pytest.raises(ValueError, match="'affected_side' parameter"):
        SideNormalizer("both").fit(X)
    with pytest.raises(ValueError, match="'affected_side' parameter"):
        SideNormalizer(sides).fit(X)  # would not be cut into folds with X


def test_no_leak_in_cross_validation(reaches):
    """A patient's predictions do not depend on which other patients, or labels, are there."""
    X, _, data = reaches
    keep = np.isin(data.side, ("left", "right"))
    labels, patients = data.frame_labels[keep], data.groups[keep]
    pipeline = make_pipeline(SideNormalizer(), tiny_frames())
    said = cross_val_predict(pipeline, X, labels, groups=patients, cv=LeaveOneGroupOut())
    held_out = patients == patients[0]
    other = labels.copy()
    for i in np.flatnonzero(held_out):
        other[i] = 1 - other[i]
    again = cross_val_predict(pipeline, X, other, groups=patients, cv=LeaveOneGroupOut())
    for i in np.flatnonzero(held_out):
        np.testing.assert_array_equal(said[i], again[i])


def test_mirrored_patients_get_the_same_scores(reaches):
    X, _, data = reaches
    keep = np.isin(data.side, ("left", "right"))
    pipeline = make_pipeline(SideNormalizer(), tiny_frames()).fit(X, data.frame_labels[keep])
    for trial, twin in zip(X[:4], [mirror(trial) for trial in X[:4]]):
        one, other = pipeline.predict_proba([trial, twin])
        np.testing.assert_array_equal(one, other)


def test_live(reaches):
    X, _, _ = reaches
    for side in ("left", "right"):
        normalizer = SideNormalizer(side).fit(X)
        stream = normalizer._stream()
        stream.reset()
        live = [stream.push(frame, t) for t, frame in enumerate(X[0])]
        np.testing.assert_array_equal(live, normalizer.transform(X[:1])[0])
    labels = [np.arange(len(trial)) % 2 for trial in X]
    pipeline = make_pipeline(SideNormalizer(), tiny_frames()).fit(X, labels)
    with pytest.raises(ValueError, match="set_params"):
        FrameStream(pipeline)
    FrameStream(pipeline.set_params(sidenormalizer__affected_side="left"))


# --- mirrored recordings --------------------------------------------------------------------------
def test_a_mirrored_recording_contradicts_its_record(reaches):
    X, sides, data = reaches
    keep = np.isin(data.side, ("left", "right"))
    patients = data.groups[keep]
    turned = patients == patients[-1]
    X = [mirror(trial) if bad else trial for trial, bad in zip(X, turned)]
    verdicts = {check.group: check.verdict for check in detect_mirrored(X, sides, patients)}
    assert len(verdicts) == 4
    for patient, verdict in verdicts.items():
        assert verdict == ("mirrored" if patient == patients[-1] else "as recorded")


def test_when_nothing_can_be_said(reaches):
    X, sides, _ = reaches
    assert detect_mirrored(X[:2], sides[:2])[0].verdict == "unclear"  # too few
    still = [np.zeros_like(trial) for trial in X]
    (check,) = detect_mirrored(still, sides)
    assert (check.n_unclear, check.verdict) == (len(X), "unclear")
    half = [mirror(trial) if i % 2 else trial for i, trial in enumerate(X)]
    assert detect_mirrored(half, sides)[0].verdict == "unclear"
    (check,) = detect_mirrored(X, ["both"] * len(X))
    assert (check.n_agree, check.n_opposite, check.n_unclear) == (0, 0, 0)
    with pytest.raises(ValueError, match="one side a trial"):
        detect_mirrored(X, sides[:-1])
    with pytest.raises(ValueError, match="one patient per trial"):
        detect_mirrored(X, sides, ["P1"])
