"""compare_views: a room tells what a body cannot."""

import numpy as np
import pytest
from media import moving_astronaut, noise, write_video
from real_files import VIDEOS, needs_shared_videos

from skrehab.pose import VideoError, compare_views


def room(seed=0, height=384, width=640):
    """Furniture: boxes of random places, sizes and colours."""
    rng = np.random.RandomState(seed)
    picture = np.full((height, width, 3), 150, dtype=np.uint8)
    for _ in range(25):
        x, y = rng.randint(0, width - 60), rng.randint(0, height - 60)
        picture[y : y + rng.randint(30, 150), x : x + rng.randint(30, 150)] = rng.randint(0, 255, 3)
    return picture


def filmed(walls, start=0, n_frames=12, seed=0):
    """Somebody walks through a room."""
    person = moving_astronaut(1)[0][0][100:384, 100:300]
    rng = np.random.RandomState(seed)
    frames = []
    for t in range(n_frames):
        frame = walls.copy()
        x = (start + 45 * t) % 440
        frame[100:384, x : x + 200] = person
        frames.append(np.clip(frame + rng.normal(0, 6, frame.shape), 0, 255).astype(np.uint8))
    return np.array(frames)


@pytest.mark.parametrize("seed", range(4))
def test_the_same_room_mirrored_or_not(seed):
    one, other = filmed(room(seed)), filmed(room(seed), start=200, seed=1)
    bright = np.clip(other * 0.6 + 60, 0, 255).astype(np.uint8)  # evening
    for second in (other, bright):
        assert compare_views(one, second, fps=2).verdict == "same"
        assert compare_views(one[:, :, ::-1], second, fps=2).verdict == "mirrored"
        assert compare_views(one, second[:, :, ::-1], fps=2).verdict == "mirrored"


def test_when_nothing_can_be_said():
    one = filmed(room(0))
    assert compare_views(one, filmed(room(9)), fps=2).verdict == "unclear"
    half = room(0)[:, :320]
    symmetric = filmed(np.concatenate([half, half[:, ::-1]], axis=1))
    assert compare_views(symmetric, symmetric[:, :, ::-1], fps=2).verdict == "unclear"
    bare = np.full((4, 48, 64, 3), 90, np.uint8)
    assert compare_views(bare, bare).verdict == "unclear"
    assert compare_views(bare, one, fps=2).verdict == "unclear"


def test_files_of_other_sizes(tmp_path):
    one = write_video(tmp_path / "a.mp4", filmed(room(2)), fps=4)
    other = write_video(tmp_path / "b.mp4", filmed(room(2), seed=3)[:, ::2, ::-2], fps=8)
    assert compare_views(one, other).verdict == "mirrored"
    with pytest.raises(VideoError, match=r"no\.mp4"):
        compare_views(tmp_path / "no.mp4", one)
    assert compare_views(noise(5), one).verdict == "unclear"


@needs_shared_videos
def test_a_real_video():
    from skrehab.pose import read_frames

    frames = np.array(
        [f for _, f in read_frames(VIDEOS / "two_people_roof.mp4", target_fps=2, max_size=320)]
    )
    half = len(frames) // 2
    assert compare_views(frames[:half], frames[half:], fps=2).verdict == "same"
    assert compare_views(frames[:half, :, ::-1], frames[half:], fps=2).verdict == "mirrored"
