"""What a machine may lack: the pose model file and the real videos of ../shared."""

import pathlib

import pytest

from skrehab.pose import ModelError, find_model

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
VIDEOS = SHARED / "videos"

needs_shared_videos = pytest.mark.skipif(
    not VIDEOS.exists(), reason="the real videos of ../shared/videos are not on this machine"
)


def model_file():
    """Return a pose model file of this machine, or None."""
    try:
        return find_model()
    except ModelError:
        path = SHARED / "models" / "pose_landmarker_full.task"
        return path if path.exists() else None


needs_model = pytest.mark.skipif(
    model_file() is None, reason="no pose model file; get it with `skrehab models fetch`"
)
