"""Pose quality: every fault that is put in is measured, and nothing else."""

import dataclasses
import warnings

import numpy as np
import pytest
from test_swaps import exchanged, walk

from skrehab.pose import PoseTrack
from skrehab.preprocessing.pose_check import PoseLimits, check_pose_quality
from skrehab.preprocessing.pose_measures import PoseQuality, pose_quality

FAULTLESS = {"coverage": 1, "longest_gap": 0, "unclear": 0, "jumps": 0, "swaps": 0}


def clear(n_frames=90, seed=0):
    """Somebody who walks, everything in view."""
    trial = walk(n_frames, seed=seed)
    trial[..., 3] = 0.9
    return trial


def track(trial):
    """The same as places in a picture."""
    image = trial.copy()
    image[..., :3] = image[..., :3] * 200 + 300
    return PoseTrack("walk.mp4", np.arange(len(trial)) / 30, trial, image, 640, 480)


def test_a_faultless_trial():
    for given in (clear(), track(clear()), clear()[..., :3]):
        quality = pose_quality(given)
        assert {name: getattr(quality, name) for name in FAULTLESS} == FAULTLESS
        assert (quality.n_frames, quality.seconds, quality.person_changes) == (90, 3.0, 0)
        assert not quality.problems(PoseLimits())


def test_lost_frames_and_gaps():
    trial = clear()
    trial[:6] = trial[40:70] = trial[88:] = np.nan
    quality = pose_quality(trial)
    assert quality.coverage == pytest.approx(52 / 90, abs=1e-4)
    assert quality.longest_gap == pytest.approx(1.0)
    assert pose_quality(trial[:40]).longest_gap == pytest.approx(0.2)  # at the start
    assert pose_quality(trial[70:]).longest_gap == pytest.approx(2 / 30, abs=1e-3)  # at the end
    times = np.arange(90) / 30
    times[45:] += 5  # the camera paused
    assert pose_quality(trial, times=times).longest_gap == pytest.approx(6.0)
    problems = quality.problems(PoseLimits(max_gap=0.9))
    assert problems == [
        "a person in 58 % of frames (at least 80 %)",
        "1.0 s without a person (at most 0.9 s)",
    ]


def test_what_is_hardly_visible():
    trial = clear()
    trial[:, 23:, 3] = 0.1  # legs under a table
    trial[:, 0, :3] = np.nan
    trial[:30] = np.nan  # frames without anybody do not count
    assert pose_quality(trial).unclear == pytest.approx(11 / 33, abs=1e-4)
    flat = np.dstack([clear()[:, :17, :2], np.full((90, 17), 0.2)])
    assert pose_quality(flat).unclear == 1.0  # of a flat skeleton the third coordinate


@pytest.mark.parametrize("noise", [0.001, 0.01, 0.05])
def test_jitter_is_the_noise(noise):
    """In trunk sizes: 0.7 here from shoulder to the other hip; see `walk`, which adds 0.004."""
    trial = clear()
    trial[..., :3] += noise * np.random.RandomState(1).randn(90, 33, 3)
    expected = np.hypot(noise, 0.004) / np.linalg.norm([0.32, 0.5])
    assert pose_quality(trial).jitter == pytest.approx(expected, rel=0.15)


def test_movement_is_no_jitter():
    still, moving = clear(), clear()
    moving[:, 15, 1] += np.sin(np.arange(90) / 5)  # a hand goes up and down once a second
    assert pose_quality(moving).jitter < 1.1 * pose_quality(still).jitter


def test_jumps():
    trial = track(clear()).image
    trial[50, :, 0] += 400  # one frame elsewhere: there and back
    quality = pose_quality(PoseTrack("a", np.arange(90) / 30, trial, trial, 640, 480))
    assert (quality.jumps, quality.person_changes) == (2, 0)
    fast = track(clear())
    fast.image[:, [15, 17, 19, 21], 0] += 300 * (np.arange(90) % 2)[:, None]  # only a hand
    assert pose_quality(fast).jumps == 0


def test_a_world_pose_jumps_in_shape():
    trial = clear()
    trial[40:42] = trial[40:42, :, [1, 0, 2, 3]]  # lying for two frames, the hips in place
    assert pose_quality(trial).jumps == 2


@pytest.mark.parametrize("gap", [0, 5, 40])
def test_another_person(gap):
    image = track(clear()).image
    image[45:, :, 0] += 350
    image[45 : 45 + gap] = np.nan
    elsewhere = PoseTrack("a", np.arange(90) / 30, image, image, 640, 480)
    if gap < 40:
        assert pose_quality(elsewhere).person_changes == 1
    else:
        assert pose_quality(elsewhere).person_changes == 0  # one may walk so far in that time
    image[45:, :, :2] = image[45:, :, :2] * 0.5 + 100  # and half as tall
    assert pose_quality(elsewhere).person_changes == 1


def test_exchanged_sides():
    broken, where = exchanged(clear(), [("legs", 20, 26), ("arms", 24, 30)])
    assert pose_quality(broken).swaps == where.any(axis=1).sum() == 10
    problems = pose_quality(broken).problems(PoseLimits())
    assert problems == ["10 frames with left and right exchanged (at most 4)"]


def test_short_and_empty_trials():
    for n_frames in (1, 2):
        quality = pose_quality(clear(n_frames))
        assert np.isnan(quality.jitter) and not quality.problems(PoseLimits())
    nobody = pose_quality(np.full((30, 33, 4), np.nan))
    assert (nobody.coverage, nobody.longest_gap, nobody.unclear) == (0, 1.0, 1)
    assert np.isnan(nobody.jitter) and nobody.jumps == 0
    assert len(nobody.problems(PoseLimits(max_gap=0.5))) == 3
    point = pose_quality(np.zeros((9, 33, 3)))  # everything in one place
    assert point.coverage == 1 and point.jumps == 0


def test_what_is_refused():
    trial = clear()
    for wrong, message in (
        ({"times": np.arange(5)}, r"one time a frame.*got shape \(5,\)"),
        ({"times": np.zeros(90)}, "increase"),
        ({"times": np.full(90, np.nan)}, "finite"),
        ({"frame_rate": 0}, "frame_rate"),
        ({"skeleton": "coco17"}, "33 landmarks, not the 17 of coco17"),
    ):
        with pytest.raises(ValueError, match=message):
            pose_quality(trial, **wrong)
    with pytest.raises(ValueError, match=r"X\[1\] has 5 landmarks\. Say which"):
        check_pose_quality([trial, trial[:, :5]])
    with pytest.raises(ValueError, match=r"X\[0\] holds infinite"):
        check_pose_quality([np.full((3, 33, 3), np.inf)])
    with pytest.raises(ValueError, match="no trial"):
        check_pose_quality([])
    with pytest.raises(ValueError, match="on_bad"):
        check_pose_quality([trial], on_bad="drop")
    with pytest.raises(ValueError, match="names must have one entry a trial: 1, not 2"):
        check_pose_quality([trial], names=["a", "b"])
    with pytest.raises(ValueError, match="PoseLimits"):
        check_pose_quality([trial], limits={"max_gap": 1})
    with pytest.raises(ValueError, match="max_gap must be 0 or more, got nan"):
        check_pose_quality([trial], limits=PoseLimits(max_gap=np.nan))


def test_warn_raise_skip():
    bad = clear()
    bad[10:60] = np.nan
    jumpy = track(clear())
    jumpy.image[50:, :, 0] += 400
    trials = [clear(), bad, jumpy]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = check_pose_quality(trials)
    assert [str(w.message).split(": ")[0] for w in caught] == [
        "The pose is bad. X[1]",
        "The pose is bad. walk.mp4",
    ]
    assert all(w.filename == __file__ for w in caught)
    assert report.good.tolist() == [True, False, False] and report.kept.tolist() == [0]
    with pytest.raises(ValueError, match=r"bad in 2 of 3 trials: a: .*; c: 1 jumps .*, 1 changes"):
        check_pose_quality([bad, clear(), jumpy], on_bad="raise", names=["a", "b", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_pose_quality(trials, on_bad="skip").kept.tolist() == [0]
        loose = PoseLimits(0.1, 9, 1, 1, 9, 1, 9)
        assert check_pose_quality(trials, limits=loose).good.all()
    assert check_pose_quality([clear()], on_bad="raise").kept.tolist() == [0]


def test_the_table():
    report = check_pose_quality([clear(), np.full((9, 33, 3), np.nan)], on_bad="skip")
    rows = report.table()
    assert list(rows[0])[:-1] == [field.name for field in dataclasses.fields(PoseQuality)]
    assert rows[0]["problems"] == "" and "a person in 0 % of frames" in rows[1]["problems"]
    lines = str(report).splitlines()
    assert len(lines) == 3 and lines[1].endswith("good") and lines[2].endswith("bad")
    assert len({line.index(word) for line, word in zip(lines, ("frames", "    90", "     9"))}) == 1


def test_real_recordings_pass(shared):
    with np.load(shared / "data" / "uiprmd_kinect.npz") as data:
        frames, offsets = data["frames"], data["offsets"]
    X = [frames[offsets[i] : offsets[i + 1]] for i in range(0, 2000, 40)]
    report = check_pose_quality(X, on_bad="skip", limits=PoseLimits(max_swaps=0))
    assert report.good.all()
