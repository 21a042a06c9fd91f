"""What tests of the page share: a model, and a file for the pose."""

import pytest
from real_files import model_file


@pytest.fixture(scope="module")
def model():
    """A fitted pipeline of all stages; see `pipeline` in test_page.py."""
    from test_page import pipeline

    return pipeline()


@pytest.fixture(scope="module")
def pose_model(tmp_path_factory):
    """A pose model file; where there is none, one that is only good for what needs no pose."""
    found = model_file()
    if found is not None:
        return found
    path = tmp_path_factory.mktemp("models") / "pose_landmarker_full.task"
    path.write_bytes(b"not looked at")
    return path
