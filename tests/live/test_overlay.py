"""The overlay video: pictures, times, colours, sizes, and no half-written files."""

import numpy as np
import pytest
from media import corners, noise, read_corners, write_video

from skrehab.live import write_overlay
from skrehab.live._panels import ALERT, CALM, UNKNOWN, LabelsPanel
from skrehab.pose import VideoError, probe_video, read_frames


def standing(n_frames, x=80.0, y=30.0, size=50.0):
    """Image landmarks of somebody standing; a fourth coordinate is visibility."""
    body = np.zeros((33, 4))
    body[:11] = [0, -0.45, 0, 0.9]
    body[[7, 8], 0] = 0.1, -0.1
    shape = {11: (0.3, 0), 12: (-0.3, 0), 23: (0.2, 0.9), 24: (-0.2, 0.9)}
    shape |= {13: (0.4, 0.5), 14: (-0.4, 0.5), 25: (0.2, 1.3), 26: (-0.2, 1.3)}
    for i in range(15, 23):
        shape[i] = (0.4 if i % 2 else -0.4, 0.9)
    for i in range(27, 33):
        shape[i] = (0.2 if i % 2 else -0.2, 1.6)
    for i, place in shape.items():
        body[i] = *place, 0, 0.9
    body[:, :2] = body[:, :2] * size + [x, y]
    return np.repeat(body[None], n_frames, axis=0)


def frames_of(path):
    times, pictures = zip(*read_frames(path))
    return np.array(times), pictures


def share_like(picture, colour, tolerance=40):
    """Share of pixels near a colour; H.264 blurs colours a little."""
    return (abs(picture.astype(int) - colour).max(axis=2) < tolerance).mean()


def verdict_dot(picture, height):
    """Colour of the dot at the left of the panel under a picture of this height."""
    unit = (picture.shape[0] - height) / 10
    y, x = height + round(3.25 * unit), round(2.3 * unit)
    return picture[y - 2 : y + 3, x - 2 : x + 3].mean(axis=(0, 1))


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "in.mp4", [corners()] * 6, fps=10)


def test_pictures_panel_and_times(video, tmp_path):
    scores = np.array([0.1, 0.2, 0.3, 0.7, 0.8, np.nan])
    done = []
    path = write_overlay(
        video,
        tmp_path / "new" / "out.mp4",
        standing(6),
        scores,
        np.arange(6) / 10,
        progress=done.append,
    )
    assert path == tmp_path / "new" / "out.mp4" and done == [1, 2, 3, 4, 5, 6]
    assert [file.name for file in path.parent.iterdir()] == ["out.mp4"]
    info = probe_video(path)
    assert info.codec in ("h264", "mpeg4") and info.width == 160 and info.height >= 120 + 44
    times, pictures = frames_of(path)
    np.testing.assert_allclose(times, np.arange(6) / 10, atol=1e-4)
    for picture in pictures:
        assert read_corners(picture[:120]) == "rgb-"
    for picture, expected in zip(pictures, [CALM] * 3 + [ALERT] * 2 + [UNKNOWN]):
        np.testing.assert_allclose(verdict_dot(picture, 120), expected, atol=30)


def test_verdict_colours_the_skeleton(video, tmp_path):
    scores = np.array([0.2] * 3 + [0.6] * 3)
    for threshold, expected in ((0.5, [CALM] * 3 + [ALERT] * 3), (0.7, [CALM] * 6)):
        path = write_overlay(video, tmp_path / "o.mp4", standing(6), scores, threshold=threshold)
        for picture, colour in zip(frames_of(path)[1], expected):
            other = ALERT if colour is CALM else CALM
            assert share_like(picture[:120], colour) > 0.004 > share_like(picture[:120], other)


def test_colours_differ_without_red_and_green():
    """Blue and orange: apart in lightness and in blue, which colour-blind people see."""
    assert abs(CALM[2] - ALERT[2]) > 150


def test_skeleton_lies_on_the_landmarks(video, tmp_path):
    plain, drawn = (
        frames_of(write_overlay(video, tmp_path / f"{i}.mp4", landmarks))[1]
        for i, landmarks in enumerate((None, standing(6)))
    )
    changed = abs(plain[0].astype(int) - drawn[0]).max(axis=2) > 60
    assert changed.any() and plain[0].shape == (120, 160, 3)  # no scores, so no panel
    rows, columns = np.nonzero(changed)
    assert 45 < columns.min() and columns.max() < 115 and rows.min() < 12 and rows.max() > 100
    for shoulder in ((95, 30), (65, 30)):
        assert drawn[0][shoulder[1], shoulder[0]].min() > 150  # joints are white


def test_scores_without_a_skeleton(video, tmp_path):
    path = write_overlay(video, tmp_path / "out.mp4", None, np.full(6, 0.9))
    assert share_like(frames_of(path)[1][0][:120], ALERT) < 0.001


def test_nobody_there_and_nothing_known(video, tmp_path):
    lost = np.full((6, 33, 4), np.nan)
    path = write_overlay(video, tmp_path / "out.mp4", lost, np.full(6, np.nan))
    _, pictures = frames_of(path)
    assert len(pictures) == 6
    np.testing.assert_allclose(verdict_dot(pictures[0], 120), UNKNOWN, atol=30)
    partly = standing(6)
    partly[:, [0, 7, 13, 25]] = np.nan  # a lost joint takes its bones with it, not the rest
    partly[3, 11:] = np.nan
    partly[4, :, :2] += 1000  # out of the picture
    assert len(frames_of(write_overlay(video, tmp_path / "out.mp4", partly))[1]) == 6


def test_entries_on_another_grid(tmp_path):
    """Scores at 2 a second under a film of 10 a second: each frame shows the nearest."""
    video = write_video(tmp_path / "in.mp4", [corners()] * 11, fps=10)
    path = write_overlay(
        video, tmp_path / "out.mp4", None, [0.1, 0.9, 0.1], timestamps=[0.0, 0.5, 1.0]
    )
    _, pictures = frames_of(path)
    seen = ["calm" if verdict_dot(picture, 120)[2] > 150 else "alert" for picture in pictures]
    assert seen == ["calm"] * 3 + ["alert"] * 5 + ["calm"] * 3


def test_real_times_are_kept(tmp_path):
    times = [0, 0.04, 0.05, 0.25, 0.3, 1.0]
    video = write_video(tmp_path / "phone.mp4", noise(6), times=times)
    path = write_overlay(video, tmp_path / "out.mp4", None, np.linspace(0, 1, 6), times)
    np.testing.assert_allclose(frames_of(path)[0], times, atol=1e-4)


@pytest.mark.parametrize("height, width", [(121, 161), (64, 1080), (33, 20)])
def test_odd_and_small_sizes(tmp_path, height, width):
    video = write_video(tmp_path / "in.mkv", np.full((3, height, width, 3), 128, np.uint8))
    path = write_overlay(video, tmp_path / "out.mp4", standing(3, 10, 10, 8), np.full(3, 0.4))
    info = probe_video(path)
    assert info.width == width // 2 * 2 and info.height % 2 == 0
    assert len(frames_of(path)[1]) == 3


def test_large_pictures_are_scaled_with_their_landmarks(tmp_path):
    video = write_video(tmp_path / "in.mp4", np.full((2, 480, 640, 3), 90, np.uint8))
    path = write_overlay(video, tmp_path / "out.mp4", standing(2, 320, 120, 200), max_size=160)
    _, pictures = frames_of(path)
    assert pictures[0].shape == (120, 160, 3)
    _, columns = np.nonzero(abs(pictures[0].astype(int) - 90).max(axis=2) > 60)
    assert 55 < columns.min() and columns.max() < 105


def test_rotation_is_honoured(tmp_path):
    stored = np.rot90(corners(), -1)
    video = write_video(tmp_path / "phone.mp4", [stored] * 3, rotation=(90, False))
    path = write_overlay(video, tmp_path / "out.mp4", None, np.full(3, 0.4))
    assert probe_video(path).width == 160 and probe_video(path).rotation == 0
    assert read_corners(frames_of(path)[1][0][:120]) == "rgb-"


@pytest.mark.parametrize("label", ["ok", "Ausgleichsbewegung", "leaning " * 30])
def test_labels_of_any_length(tmp_path, label):
    video = write_video(tmp_path / "in.mp4", np.full((4, 240, 640, 3), 90, np.uint8))
    options = {"labels": ("usual", label)}
    path = write_overlay(video, tmp_path / "out.mp4", None, np.full(4, 0.9), **options)
    panel = frames_of(path)[1][-1][240:].max(axis=2)
    word = panel[: len(panel) // 2, 32 : int(0.32 * 640)]  # right of the dot, left of the timeline
    assert word.max() > 150
    assert word[:, -6:].max() < 60


def test_failures_leave_nothing_behind(video, tmp_path):
    out = tmp_path / "out" / "out.mp4"
    with pytest.raises(ValueError, match=r"differ: \{'landmarks': 5, 'frame_scores': 6\}"):
        write_overlay(video, out, standing(5), np.zeros(6))
    with pytest.raises(ValueError, match="must name 2 labels, got None"):
        write_overlay(video, out, standing(6), np.zeros((6, 2)))
    with pytest.raises(ValueError, match=r"\(n_frames, n_labels\), got \(6, 2, 1\)"):
        write_overlay(video, out, standing(6), np.zeros((6, 2, 1)))
    with pytest.raises(VideoError, match="no such file"):
        write_overlay(tmp_path / "no.mp4", out)
    cut = write_video(tmp_path / "cut.mp4", noise(40), options={"movflags": "faststart"})
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with pytest.raises(VideoError, match="cut short"):
        write_overlay(cut, out)
    assert not out.parent.exists() or not list(out.parent.iterdir())


def test_an_older_file_is_replaced_only_by_a_whole_one(video, tmp_path):
    out = tmp_path / "out.mp4"
    out.write_text("older")
    cut = write_video(tmp_path / "cut.mp4", noise(40), options={"movflags": "faststart"})
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    with pytest.raises(VideoError):
        write_overlay(cut, out)
    assert out.read_text() == "older"
    write_overlay(video, out)
    assert len(frames_of(out)[1]) == 6


def test_it_does_not_write_over_its_own_source(video):
    before = video.read_bytes()
    with pytest.raises(ValueError, match="itself"):
        write_overlay(video, video)
    assert video.read_bytes() == before


def test_a_row_for_each_label(video, tmp_path):
    scores = np.array([[0.1, 0.9], [0.2, 0.9], [0.9, 0.1], [0.9, 0.1], [np.nan] * 2, [0.1, 0.1]])
    path = write_overlay(
        *(video, tmp_path / "o.mp4", standing(6), scores), labels=["trunk", "a name " * 40]
    )
    panel = LabelsPanel(160, 160, scores, np.arange(6) / 10, 0.5, ["trunk", "head"])
    middle = [120 + panel.top(row) + panel.row // 3 for row in range(2)]
    right = 160 - panel.row // 2
    at = [round(panel.left + (right - panel.left) * (t + 0.3) / 5) for t in range(5)]
    for picture in frames_of(path)[1]:
        assert picture.shape[0] == 120 + panel.height
        seen = [[picture[y - 1 : y + 2, x].mean(axis=0) for x in at] for y in middle]
        orange = [[bool(one[0] > one[2] + 40) for one in row] for row in seen]
        assert orange == [[False, False, True, True, False], [True, True, False, False, False]]
    for k, expected in enumerate([ALERT] * 4 + [UNKNOWN, CALM]):
        assert panel.colour(k) == expected
    with pytest.raises(ValueError, match="must name 2 labels, got"):
        write_overlay(video, tmp_path / "p.mp4", None, scores, labels=["trunk"])
