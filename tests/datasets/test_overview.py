"""What is printed of trials that were read."""

import numpy as np
from sklearn.utils import Bunch

from skrehab.datasets.overview import describe_trials, frame_rates


def trials(n=6, lost=()):
    """Trials of 10, 11, ... frames; the first frames of some are lost."""
    X = [np.ones((10 + i, 5, 3)) for i in range(n)]
    for i, frames in lost:
        X[i][:frames] = np.nan
    return Bunch(
        X=X,
        y=np.arange(n) % 2,
        groups=np.array([f"P{i // 3}" for i in range(n)]),
        trial=np.array([f"T{i}" for i in range(n)]),
        exercise=np.array(["reach"] * n),
        timestamps=[np.arange(len(x)) / 25 for x in X],
        path="/somewhere/trials.csv",
    )


def test_all_that_is_asked_for():
    lines = describe_trials(trials(lost=[(2, 9), (0, 1)]), label_names={1: "compensation"})
    assert lines == [
        "trials.csv: 6 trials of 2 patients, 1 exercise",
        "patient  0  compensation",
        "P0       2             1",
        "P1       1             2",
        "all      3             3",
        "frames: 75, from 10 to 15 a trial (median 12)",
        "frame rate: 25 a second",
        "frames with a pose: 65 of 75 (87 %); least in T2: 3 of 12",
    ]


def test_one_lost_coordinate_is_no_lost_frame_and_visibility_is_no_pose():
    data = trials(2)
    data.X[0][:, 1:] = np.nan  # one landmark is left
    data.X[1] = np.concatenate([np.full((11, 5, 3), np.nan), np.ones((11, 5, 1))], axis=2)
    assert describe_trials(data)[-1].endswith("10 of 21 (48 %); least in T1: 0 of 11")


def test_all_is_all_and_nearly_all_is_not():
    assert describe_trials(trials())[-1] == "frames with a pose: 75 of 75 (100 %)"
    data = trials(2)
    data.X = [np.ones((9999, 5, 3)), np.ones((10000, 5, 3))]
    data.X[0][0] = np.nan
    assert "19,998 of 19,999 (99.9 %)" in describe_trials(data)[-1]


def test_videos_before_and_after_their_poses():
    data = trials()
    poses, data.X, data.timestamps = data.X, [f"{i}.mp4" for i in range(6)], None
    before = describe_trials(data, rates=[10.0, 29.97, 30.0])
    assert before[-1] == "frame rate: from 10 to 30 a second"
    assert not any("pose" in line for line in before)
    assert describe_trials(data, poses=poses, rates=[])[-2:] == [
        "frame rate: not known, as the files hold no times",
        "frames with a pose: 75 of 75 (100 %)",
    ]


def test_patients_with_one_label_are_named():
    data = trials()
    data.y[:3] = 0
    assert "one label only, so no AUC of their own: P0" in describe_trials(data)


def test_many_patients_and_long_names_stay_in_their_lines():
    data = trials(200)
    data.groups = np.array([f"patient number {i:03d} {'x' * 60}" for i in range(200)])
    data.y = np.array([f"label {i % 9} {'y' * 40}" for i in range(200)])
    lines = describe_trials(data)
    assert max(map(len, lines)) <= 80
    assert sum("y..." in line and "trials of" in line for line in lines) == 9
    data.y = np.arange(200) % 2
    lines = describe_trials(data)
    assert sum(line.startswith("patient number") for line in lines) == 20
    assert next(line for line in lines if line.startswith("180 more")).split()[2:] == ["90", "90"]
    assert next(line for line in lines if line.startswith("all")).split() == ["all", "100", "100"]
    assert any(line.endswith("...") for line in lines)


def test_frame_rates():
    assert frame_rates(None) == frame_rates([]) == []
    assert frame_rates([None, np.zeros(1), np.zeros(3), np.arange(3) / 10]) == [10.0]
