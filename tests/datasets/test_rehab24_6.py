"""REHAB24-6 on files in its layout that the test writes."""

import numpy as np
import pytest

from skrehab import KinematicMeasures, SkeletonConverter
from skrehab.datasets import load_rehab24_6
from skrehab.preprocessing.sides import mirror
from skrehab.skeletons import get_skeleton

TITLES = (
    "video_id;repetition_number;exercise_id;person_id;first_frame;last_frame;cam17_orientation;"
    "mocap_erroneous;exercise_subtype;lights_on;extra_person_in_cam17;extra_person_in_cam18;"
    "correctness"
)
ROWS = [
    "PM_000;1;6;3;0;29;front;0;;1;0;0;1",
    "PM_000;2;6;3;30;59;front;0;;1;0;0;0",
    "PM_008;1;1;10;5;24;profile;0;left arm;0;0;1;0",
    "PM_008;2;1;10;25;44;profile;1;right arm;0;0;1;1",
]


@pytest.fixture
def copy(tmp_path):
    """Two recordings of random joints with homogeneous weights, and their table."""
    rng = np.random.RandomState(0)
    poses = {}
    for exercise, video, n in ((6, "PM_000", 60), (1, "PM_008", 50)):
        poses[video] = rng.uniform(0.1, 2, (n, 26, 3))
        weight = rng.uniform(0.5, 2, (n, 26, 1))
        folder = tmp_path / "3d_joints" / f"Ex{exercise}"
        folder.mkdir(parents=True)
        whole = np.concatenate([poses[video] * weight, weight], axis=2)
        np.save(folder / f"{video}-30fps.npy", whole)
        np.save(folder / f"{video}-120fps.npy", np.zeros((4, 26, 4)))
    write(tmp_path, ROWS)
    return tmp_path, poses


def write(root, rows, titles=TITLES):
    (root / "Segmentation.csv").write_text("\n".join([titles, *rows]) + "\n")


def test_repetitions(copy):
    root, poses = copy
    data = load_rehab24_6(root)
    assert [len(trial) for trial in data.X] == [30, 30, 20] and not data.skipped
    np.testing.assert_allclose(data.X[1], poses["PM_000"][30:60], rtol=1e-5)
    np.testing.assert_allclose(data.X[2], poses["PM_008"][5:25], rtol=1e-5)
    assert data.y.tolist() == [0, 1, 1] and data.groups.tolist() == ["3", "3", "10"]
    assert data.exercise.tolist() == ["squats", "squats", "arm_abduction"]
    assert data.side.tolist() == ["both", "both", "left"] and data.episode.tolist() == [1, 2, 1]
    assert data.frame_rate == 30 and "CC BY-NC" in data.DESCR
    more = load_rehab24_6(root, erroneous=True)
    assert more.erroneous.tolist() == [False, False, False, True] and more.side[3] == "right"


def test_the_skeleton_has_what_measures_need(copy):
    data = load_rehab24_6(copy[0])
    skeleton = get_skeleton(data.skeleton)
    assert skeleton.n_landmarks == 26
    measures = KinematicMeasures(data.skeleton).fit(data.X)
    assert measures.get_feature_names_out().size == 27 and measures.units_[0] == "deg"
    twice = mirror(mirror(data.X[0], skeleton), skeleton)
    np.testing.assert_allclose(twice, data.X[0], atol=1e-6)
    shared = SkeletonConverter("common15", source=data.skeleton).fit_transform(data.X)
    at, to = skeleton.index, get_skeleton("common15").index
    # common15 is as a sensor sees it: a person who faces it has the left hand at smaller x
    for new, old in (("left_hand", "left_wrist"), ("neck", "spine_shoulder")):
        seen = shared[0][:, to(new)] * [-1, 1, -1]
        np.testing.assert_allclose(seen, data.X[0][:, at(old)], rtol=1e-6)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("PM_777;1;6;3;0;9;front;0;;1;0;0;1", "there is no Ex6/PM_777-30fps.npy"),
        ("PM_000;1;1;3;0;9;front;0;;1;0;0;1", "there is no Ex1/PM_000-30fps.npy"),
        ("PM_000;1;6;3;50;60;front;0;;1;0;0;1", "frames 50 to 60 of .*, which has 60"),
        ("PM_000;1;6;3;9;2;front;0;;1;0;0;1", "frames 9 to 2"),
        ("PM_000;1;7;3;0;9;front;0;;1;0;0;1", "exercise_id is 7"),
        ("PM_000;1;6;3;0;9;front;0;;1;0;0;2", "correctness is 2"),
        ("PM_000;1;6;x;0;9;front;0;;1;0;0;1", "person_id is 'x', no whole number"),
    ],
)
def test_rows_that_do_not_fit(copy, row, reason):
    root, _ = copy
    write(root, [*ROWS, row])
    with pytest.raises(ValueError, match=reason):
        load_rehab24_6(root, strict=True)
    with pytest.warns(UserWarning, match=r"row 6"):
        data = load_rehab24_6(root)
    assert len(data.X) == 3 and "row 6" in data.skipped[0][0]


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((9, 25, 4)), r"shape \(9, 25, 4\), expected \(n_frames, 26, 4\)"),
        (np.full((60, 26, 4), np.inf), "infinite"),
        (np.zeros((60, 26, 4)), "no joint is seen"),
        (np.array([{}], dtype=object), "no array of numbers"),
    ],
)
def test_arrays_that_do_not_fit(copy, array, reason):
    root, _ = copy
    np.save(root / "3d_joints" / "Ex6" / "PM_000-30fps.npy", array, allow_pickle=True)
    with pytest.raises(ValueError, match=reason):
        load_rehab24_6(root, strict=True)


def test_tables_that_do_not_fit(copy, tmp_path):
    root, _ = copy
    write(root, ROWS, TITLES.replace("correctness", "verdict"))
    with pytest.raises(ValueError, match="no column correctness"):
        load_rehab24_6(root)
    (root / "Segmentation.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"no Segmentation\.csv"):
        load_rehab24_6(root)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load_rehab24_6(root / "absent")
