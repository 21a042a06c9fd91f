"""A classifier of clips slid over a video: windows, actions, the count, table and picture."""

import csv

import media
import numpy as np
import pytest

from skrehab import ClipTimeline, VideoClassifier
from skrehab.inspection import _sliding
from skrehab.inspection._sliding import find_actions, frame_probabilities, slide, window_starts

GRASP, OTHER, LOADED, EMPTY = (
    "Grasping",
    "Non-task Movement",
    "Transport with Object",
    "Transport without Object",
)


class Brightness:
    """Tells dark clips from bright ones: what it should say of each window is known."""

    classes_ = np.array(["dark", "bright"])

    def __init__(self):
        self.lengths = []

    def predict_proba(self, X):
        self.lengths += [len(clip) for clip in X]
        bright = np.array([np.asarray(clip).mean() / 200 for clip in X])
        return np.stack([1 - bright, bright], axis=1)


def flashes(*lengths, side=16):
    """Frames that are dark and bright in turn."""
    levels = np.repeat(200 * (np.arange(len(lengths)) % 2), lengths).astype(np.uint8)
    return np.ones((1, side, side, 3), np.uint8) * levels[:, None, None, None]


# --- windows --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("n", "length", "step"), [(1, 30, 6), (30, 30, 6), (31, 30, 6), (95, 30, 7)]
)
def test_windows_cover_every_frame_and_end_with_the_video(n, length, step):
    starts = window_starts(n, length, step)
    seen = np.zeros(n, dtype=int)
    for start in starts:
        assert 0 <= start and (start + length <= n or n < length)
        seen[start : start + length] += 1
    assert seen.min() >= 1 and starts == sorted(set(starts))
    assert starts[-1] == max(0, n - length)
    assert (np.diff(starts[:-1]) == step).all()


def test_frames_take_the_weighted_mean_of_their_windows():
    proba = np.array([[1.0, 0.0], [0.2, 0.8]])
    # weights 1/2, 1, 1/2: frame 2 is the end of one window and the start of the other
    out = frame_probabilities(proba, [0, 2], 3, 5)
    np.testing.assert_allclose(out[:, 0], [1, 1, 0.6, 0.2, 0.2])
    out = frame_probabilities(proba, [0, 1], 3, 4)
    np.testing.assert_allclose(out[1, 0], (1.0 * 1 + 0.5 * 0.2) / 1.5)


def test_short_runs_go_where_their_frames_point():
    proba = np.eye(3)[np.repeat([0, 1, 2], [10, 2, 10])]
    proba[10:12] = [0.1, 0.6, 0.3]  # the second runner-up is what follows
    times = np.arange(22) / 10
    assert find_actions(proba, times, 0.0) == [(0, 10, 0), (10, 12, 1), (12, 22, 2)]
    assert find_actions(proba, times, 0.2) == [(0, 10, 0), (10, 12, 1), (12, 22, 2)]
    assert find_actions(proba, times, 0.3) == [(0, 10, 0), (10, 22, 2)]
    assert (
        find_actions(proba, times, 9.0) == [(0, 22, 0)] or len(find_actions(proba, times, 9)) == 1
    )
    assert find_actions(proba[:1], times[:1]) == [(0, 1, 0)]


def test_flashes_are_found_and_counted():
    model = Brightness()
    film = flashes(40, 30, 50, 30, 40)
    found = ClipTimeline.from_estimator(
        model, film, window=0.5, step=0.1, frame_rate=30.0, counted="bright"
    )
    assert set(model.lengths) == {15}
    assert [action.label for action in found.actions] == ["dark", "bright"] * 2 + ["dark"]
    edges = [action.start for action in found.actions][1:]
    np.testing.assert_allclose(edges, np.array([40, 70, 120, 150]) / 30, atol=0.07)
    assert found.count == 2 and found.seconds_each == pytest.approx(80 / 30, abs=0.07)
    assert found.actions[-1].stop == pytest.approx(190 / 30)
    assert all(a.stop == b.start for a, b in zip(found.actions, found.actions[1:]))


def test_a_file_is_seen_as_its_frames_are_and_in_parts(tmp_path, monkeypatch):
    pytest.importorskip("av")
    film = flashes(40, 30, 53, 30, 44, side=32)
    media.write_video(tmp_path / "film.mp4", list(film), fps=30)
    how = {"window": 0.5, "step": 0.1}
    times, starts, length, proba = slide(Brightness(), tmp_path / "film.mp4", **how)
    same = slide(Brightness(), film, frame_rate=30.0, **how)
    np.testing.assert_allclose(times, same[0], atol=1e-3)
    assert starts == same[1] and length == same[2] == 15
    np.testing.assert_allclose(proba, same[3], atol=0.02)  # of the compression
    for size in (1, 20, 37):  # windows at a time
        monkeypatch.setattr(_sliding, "_BYTES", size * 15 * film[0].nbytes)
        parts = slide(Brightness(), tmp_path / "film.mp4", **how)
        assert parts[1] == starts
        np.testing.assert_array_equal(parts[3], proba)
        np.testing.assert_array_equal(slide(Brightness(), film, frame_rate=30.0, **how)[3], same[3])
    seen = []
    slide(Brightness(), tmp_path / "film.mp4", progress=seen.append, **how)
    assert seen[-1] == len(film) and seen == sorted(seen)


@pytest.mark.parametrize("n", [3, 12, 15])
def test_files_no_longer_than_a_window(tmp_path, n):
    pytest.importorskip("av")
    media.write_video(tmp_path / "film.mp4", list(flashes(n, side=32)), fps=30)
    times, starts, length, proba = slide(Brightness(), tmp_path / "film.mp4", window=0.5, step=0.1)
    assert len(times) == n == length and starts == [0] and len(proba) == 1


# --- what it says ---------------------------------------------------------------------------------
def drawn_by_hand():
    likely = np.repeat([0, 2, 3, 0, 2, 3, 1], [10, 8, 8, 10, 8, 8, 20])
    proba = np.full((72, 4), 0.1)
    proba[np.arange(72), likely] = 0.7
    return ClipTimeline.from_predictions(
        proba, np.arange(72) / 10, classes=[GRASP, OTHER, LOADED, EMPTY]
    )


def test_table_and_picture(tmp_path):
    found = drawn_by_hand()
    assert found.counted == LOADED and found.count == 2
    np.testing.assert_allclose(found.seconds, [2.6])
    found.to_csv(tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["action", "start_s", "stop_s", "label", "probability", "count", "seconds"]
    assert rows[2] == ["2", "1.000", "1.800", LOADED, "0.7000", "1", ""]
    assert rows[5] == ["5", "3.600", "4.400", LOADED, "0.7000", "2", "2.600"]
    assert len(rows) == 8 and rows[7][3] == OTHER
    pytest.importorskip("matplotlib")
    found.plot()
    assert found.ax_.get_title(loc="left") == "2 of 'Transport with Object', 2.60 s each (median)"
    spans = [len(one.get_paths()) for one in found.ax_.collections]
    assert spans == [2, 1, 2, 2]
    assert [text.get_text() for text in found.ax_.texts] == ["1", "2"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": 0}, "window must be above 0 seconds"),
        ({"step": -1.0}, "step must be above 0 seconds"),
        ({"counted": "blocks"}, "counted='blocks' is not among the classes"),
        ({"frame_rate": None}, "An array of frames needs frame_rate="),
    ],
)
def test_what_it_refuses(change, message):
    how = {"frame_rate": 30.0} | change
    with pytest.raises(ValueError, match=message):
        ClipTimeline.from_estimator(Brightness(), flashes(20, 20), **how)
    with pytest.raises(ValueError, match="fit it first"):
        ClipTimeline.from_estimator(VideoClassifier("slow"), flashes(20), frame_rate=30.0)
    with pytest.raises(ValueError, match="proba must have shape"):
        ClipTimeline.from_predictions(np.ones((3, 2)), [0, 1], classes=["a", "b"])


def test_poses_slide_too():
    rng = np.random.RandomState(0)
    X = [rng.rand(20, 5, 3) + label for label in (0, 1) * 6]
    model = VideoClassifier("lstm", max_epochs=40, lr=0.02, random_state=0).fit(X, [0, 1] * 6)
    film = np.concatenate([rng.rand(40, 5, 3), rng.rand(40, 5, 3) + 1, rng.rand(40, 5, 3)])
    found = ClipTimeline.from_estimator(model, film, frame_rate=20.0, counted=1)
    assert found.count == 1 and abs(found.blocks[0].start - 2) < 0.4
