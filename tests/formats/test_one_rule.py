"""The rules that all readers share: lost points, units of time, numbers in names, one spelling."""

import warnings

import numpy as np
import pytest

from skrehab.formats._clock import read_clock, seconds, time_unit
from skrehab.formats._lost import lost_points, mark_lost
from skrehab.formats._names import alike_key, clean, file_stem, is_missing, matching
from skrehab.formats._numbering import one_recording, short_names, split_names

NAN = np.nan


# --- lost points ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("point", "coords", "lost"),
    [
        ([0, 0], ("x", "y"), True),
        ([0, 0, 0.9], ("x", "y", "score"), True),
        ([0, 3, 0.9], ("x", "y", "score"), False),
        ([5, 6, 0], ("x", "y", "score"), True),
        ([5, 6, NAN], ("x", "y", "score"), True),
        ([5, 6, 1e-9], ("x", "y", "score"), False),
        ([-1, -1, 0.5], ("x", "y", "score"), True),
        ([-1, -1, -1], ("x", "y", "z"), False),
        ([0, 0, 0], ("x", "y", "z"), True),
        ([0, 0, 2], ("x", "y", "z"), False),
        ([0, 0, 0, 0.5], ("x", "y", "z", "score"), True),
        ([NAN, 1, 1], ("x", "y", "z"), True),
        ([0, 0, 0.4], None, False),  # a place in space, for all that is known
        ([0, 0, 0], None, True),
    ],
)
def test_a_point_is_lost(point, coords, lost):
    points = np.array([[point, [7.0] * len(point)]], dtype=float)
    assert lost_points(points, coords).tolist() == [[lost, False]]
    marked = mark_lost(points, coords)
    n_dims = len(point) - (coords is not None and coords[-1] == "score")
    assert np.isnan(marked[0, 0, :n_dims]).all() == lost
    np.testing.assert_array_equal(marked[0, 1], points[0, 1])
    if lost and n_dims < len(point):
        assert marked[0, 0, -1] == 0 and points[0, 0, -1] is not marked[0, 0, -1]


def test_the_root_of_a_centred_pose_is_not_lost_but_in_frames_without_anybody():
    body = np.array([[0, 0, 0], [-1, -2, -3], [1, 2, 3]], dtype=float)
    points = np.stack([body, 0 * body, 2 * body])
    assert lost_points(points, ("x", "y", "z")).tolist() == [[0] * 3, [1] * 3, [0] * 3]
    far = points + np.array([[0, 0, 0], [9, 9, 9], [9, 9, 9]])  # nothing lies around zero
    assert lost_points(far[::2], ("x", "y", "z"))[:, 0].all()
    two = np.concatenate([points, np.zeros((3, 1, 3))], axis=1)  # only one thing can be the root
    assert lost_points(two, ("x", "y", "z"))[:, [0, 3]].all()


def test_an_array_of_zeros_stays():
    assert not np.isnan(mark_lost(np.zeros((4, 33, 3)), None)).any()
    assert np.isnan(mark_lost(np.zeros((4, 33, 3)), ("x", "y", "z"))).all()


# --- times ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("title", "unit"),
    [
        *(("time", ""), ("Timestamp", ""), ("seconds", "s"), ("time_s", "s"), ("Time [s]", "s")),
        *(("time_ms", "ms"), ("Timestamp (msec)", "ms"), ("t_us", "us"), ("time.ns", "ns")),
        *(("t", None), ("timer", None), ("time_x", None), ("nose_x", None), ("seconds_x", None)),
    ],
)
def test_titles_of_times(title, unit):
    assert time_unit(title) == unit


@pytest.mark.parametrize(
    ("step", "scale"),
    [(0.033, 1), (0.9, 1), (33, 1e-3), (4, 1e-3), (1000, 1e-3), (33333, 1e-6), (33333333, 1e-9)],
)
def test_steps_tell_the_unit(step, scale):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        times = seconds(step * np.arange(9), "")
    np.testing.assert_allclose(times, scale * step * np.arange(9))
    assert len(found) == (scale != 1)


def test_a_unit_that_is_said_counts_and_no_unit_is_invented():
    assert seconds([0, 33], "s").tolist() == [0, 33]
    np.testing.assert_allclose(seconds([0, 0.5], "ms"), [0, 0.0005])
    for step in (1500, 3e9):
        with pytest.raises(ValueError, match="are no seconds of a video"):
            seconds([0, step, 2 * step])
    assert seconds([1e9]).tolist() == [1e9]  # one frame has no step


def test_clocks():
    assert read_clock("01:02:03.5", "") == 3723.5 and read_clock("-0:02", "") == -2
    assert read_clock("02:03,25", "") == 123.25 and read_clock("7,5", "", True) == 7.5
    for bad in ("1:2:3:4", "noon", "", "1:2.5:3"):
        with pytest.raises(ValueError, match=r"row 3: .* is no time"):
            read_clock(bad, "row 3")


# --- names of pictures ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("names", "recordings", "numbers"),
    [
        (["9.jpg", "10.jpg"], {"#.jpg"}, [9, 10]),
        (["reach_0003_cam2.jpg", "reach_0004_cam2.jpg"], {"reach_#_cam2.jpg"}, [3, 4]),
        (["a/0001.jpg", "b/0001.jpg", "a/0002.jpg"], {"a/#.jpg", "b/#.jpg"}, [1, 1, 2]),
        (["P1/0.jpg", "P1/1.jpg", "P2/0.jpg"], {"P1/#.jpg", "P2/#.jpg"}, [0, 1, 0]),
        (["f1/img.jpg", "f2/img.jpg"], {"f#/img.jpg"}, [1, 2]),
        (["P1_0007.png"], {"P1_#.png"}, [7]),
        (["P1_1", "P1_2", "P1_3", "P2_1"], {"P1_#", "P2_#"}, [1, 2, 3, 1]),
        (["v2\\1.jpg", "v2\\2.jpg"], {"v2\\#.jpg"}, [1, 2]),
    ],
)
def test_numbers_in_names(names, recordings, numbers):
    found = split_names(names)
    assert set(found[0]) == recordings and found[1] == numbers


def test_recordings_are_asked_for_by_what_tells_them_apart():
    known = ["videos/P01/#.jpg", "videos/P02/#.jpg"]
    for asked in ("P02", "p02", "videos/P02", "videos/P02/#.jpg"):
        assert one_recording(known * 3, asked) == known[1]
    assert short_names(known) == ["videos/P01", "videos/P02"]
    with pytest.raises(ValueError, match="there is no recording 'P03'; there are videos/P01, v"):
        one_recording(known, "P03")
    with pytest.raises(ValueError, match="2 recordings, so pass trial=, one of"):
        one_recording(known, None)
    assert one_recording(known[:1], None) == known[0]
    with pytest.raises(ValueError, match=r"'a\.jpg' holds no frame number"):
        split_names(["1.jpg", "a.jpg"])


# --- one spelling ---------------------------------------------------------------------------------
def test_one_spelling():
    assert clean("  Jose\u0301\u200b \u00a0 M\u00fcller\ufeff ") == "Jos\u00e9 M\u00fcller"
    same = ["P01", "p1", "P 01", "\uff30\uff10\uff11", "P\u200d01", "P001"]
    assert len({alike_key(name) for name in same}) == 1
    apart = ["P01", "P10", "P1-0", "P100", "P1.05", "P1.5", "1.05", "1.5", "Jose", "Jos\u00e9"]
    assert len({alike_key(name) for name in apart}) == len(apart)
    assert alike_key("1.0") == alike_key("1") == alike_key("001,00")
    assert [is_missing(word) for word in ("#N/A", "n/a", "NaN", "#WERT!", "none", "#1", "")] == [
        *(True, True, True, True, False, False, False)
    ]


def test_matching_takes_the_best_that_fits():
    known = [("o1", "v/a.mp4", "a.mp4"), ("o2", "w/a.mp4"), ("a", "b.mp4")]
    assert matching("o2", known) == known[1:2]
    assert matching("w\\a.mp4", known) == known[1:2]
    assert matching("x/a.mp4", known) == known[:2]  # nothing tells them apart
    assert matching("a", known) == known[2:]  # a whole name before a file's without its ending
    assert matching("b", known) == known[2:] and matching("c", known) == []
    assert file_stem("x/a.b.mp4") == "a.b" and file_stem("P1.05") == "P1.05"
