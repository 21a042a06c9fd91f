"""A verdict on a whole trial: by its frames, and by the network that sees all of it."""

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials

import skrehab
from skrehab.assessment import (
    MOST_FRAMES,
    Assessment,
    Verdict,
    features_before,
    judge_trial,
    steps_of,
    video_stage,
)
from skrehab.metrics import pool_frames
from skrehab.pose import PoseTrack

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def data():
    return tiny_trials()


@pytest.fixture(scope="module")
def model(data):
    steps = [
        ("front", skrehab.LandmarkScaler()),
        ("none", None),
        ("labels", tiny_labeler(threshold=0.3)),
    ]
    return Pipeline([*steps, ("frames", tiny_frames(max_epochs=5))]).fit(data.X, data.y)


def test_both_verdicts(model, data):
    trial = data.X[0]
    proba = np.asarray(model.predict_proba([trial])[0], dtype=float)
    said = judge_trial(model, trial, proba)
    assert said.frames == pytest.approx(pool_frames([proba])[0])
    scaled = model["front"].transform([trial])
    expected = model["labels"].estimator_.predict_proba(scaled)[0]
    np.testing.assert_allclose(said.video, expected, atol=1e-6)
    assert said.classes == [0, 1] and said.note is None
    np.testing.assert_array_equal(features_before(model, steps_of(model)[1], trial), scaled[0])


def test_frames_without_a_pose_have_no_say(model, data):
    proba = np.array([[0.1, 0.9], [np.nan, np.nan], [0.3, 0.7]])
    assert judge_trial(model, data.X[0], proba).frames == pytest.approx(0.9)
    assert np.isnan(judge_trial(model, data.X[0], proba[1:2]).frames)


def test_a_model_without_a_video_network(data):
    model = skrehab.FrameMLP(max_epochs=1, random_state=0).fit(data.X, data.frame_labels)
    assert video_stage(model) is None and steps_of(model) == [model]
    assert judge_trial(model, data.X[0]).video is None


def test_the_video_network_is_not_asked_about_hours(model, data):
    trial = np.repeat(data.X[0][:1], MOST_FRAMES + 1, axis=0)
    said = judge_trial(model, trial)
    assert said.video is None and f"{MOST_FRAMES} at most" in said.note


def test_what_the_video_network_cannot_take_is_noted(model, data):
    said = judge_trial(Pipeline(model.steps[2:]), np.full((3, 2, 2), 1.0), np.full((3, 2), 0.5))
    assert said.video is None and "could not be asked" in said.note
    assert said.frames == 0.5


def test_counts_are_of_frames_with_a_pose():
    """11 of 38 was 11 of 14 seen."""
    landmarks = np.zeros((38, 33, 4), dtype=np.float32)
    landmarks[14:] = np.nan
    track = PoseTrack("clip.mp4", np.arange(38) / 30, landmarks, landmarks, 640, 480)
    proba = np.full((38, 2), np.nan)
    proba[:14] = [0.5, 0.5]
    proba[11:14] = [0.6, 0.4]
    result = Assessment(track, proba, classes=[0, 1], verdict=Verdict(0.5))
    assert (result.n_seen, result.n_from(0.5), result.n_from(0.51)) == (14, 11, 0)
