"""Somebody who stands on the head: a video whose rotation was lost is judged, and must be named."""

from contextlib import closing

import numpy as np
import pytest
from media import write_video
from real_files import model_file, needs_model

from skrehab import PoseExtractor
from skrehab.datasets import write_mini_set
from skrehab.pose import read_frames
from skrehab.pose.body import is_upside_down


def people(n_frames, hips, shoulders=(100, 100)):
    """Somebody whose shoulders and hips are at (x, y)."""
    image = np.zeros((n_frames, 33, 4))
    image[:, [11, 12], :2] = [shoulders, np.add(shoulders, (40, 0))]
    image[:, [23, 24], :2] = [hips, np.add(hips, (40, 0))]
    return image


def test_who_is_upside_down():
    assert not is_upside_down(people(5, (100, 160)))  # upright
    assert is_upside_down(people(5, (100, 40)))
    assert not is_upside_down(people(5, (180, 100)))  # lies
    assert not is_upside_down(people(5, (165, 80)))  # leans far down to the side
    assert not is_upside_down(np.full((5, 33, 4), np.nan)) and not is_upside_down(people(0, (0, 0)))
    bends = np.concatenate([people(6, (100, 160)), people(4, (100, 40))])  # to the socks
    assert not is_upside_down(bends)
    bends[:3] = np.nan  # frames without a pose have no say
    assert is_upside_down(bends)


@needs_model
def test_a_video_that_lost_its_rotation_is_named(run, tmp_path):
    mini = write_mini_set(tmp_path, 1, 1, frame_rate=3, size=192, random_state=3)
    with closing(read_frames(mini.videos[0])) as frames:
        upright = [picture for _, picture in frames]
    turned = [np.rot90(picture, 2) for picture in upright]
    lost, kept = tmp_path / "lost.mp4", tmp_path / "kept.MOV"
    write_video(lost, turned, fps=3)
    write_video(kept, turned, fps=3, rotation=(180, False))
    code, _, err = run(
        "pose", lost, kept, "-o", tmp_path / "poses", "--model-path", model_file()
    )  # fmt: skip
    said = " ".join(err.split())
    assert (
        code == 0 and "lost.mp4: the person is upside down" in said and "kept.MOV: the" not in said
    )
    with pytest.warns(UserWarning, match="upside down in most frames"):
        PoseExtractor(model_path=model_file()).fit_transform([str(lost)])
