"""The pose step of a model, and videos of another frame rate than its training."""

import media
import pytest
from instances import tiny_frames
from sklearn.pipeline import make_pipeline

from skrehab import PoseExtractor
from skrehab.pose import VideoError, match_frame_rate, split_pose_step


def test_the_model_stays_as_it_is():
    asked = PoseExtractor(target_fps=15)
    model = make_pipeline(asked, tiny_frames())
    extractor, rest = split_pose_step(model)
    extractor.set_params(target_fps=30)
    assert asked.target_fps == 15 and len(model) == 2 and len(rest) == 1
    assert split_pose_step(rest) == (None, rest)
    alone = tiny_frames()
    assert split_pose_step(alone) == (None, alone)


@pytest.mark.parametrize(
    ("own", "trained", "expected"),
    [(30, 10.0, 10.0), (30, 29.97, None), (10, 30.0, 30.0), (30, None, None)],
)
def test_another_rate_is_resampled(tmp_path, own, trained, expected):
    video = media.write_video(tmp_path / "a.mp4", media.noise(6), fps=own)
    asked = PoseExtractor(person="seated")
    found = match_frame_rate(asked, video, trained)
    assert found.target_fps == expected and found.person == "seated"
    assert asked.target_fps is None and (found is asked) is (expected is None)
    fixed = PoseExtractor(target_fps=12)
    assert match_frame_rate(fixed, video, trained) is fixed


def test_no_video(tmp_path):
    with pytest.raises(VideoError, match=r"gone\.mp4: there is no such file"):
        match_frame_rate(PoseExtractor(), tmp_path / "gone.mp4", 30.0)
