"""FrameStream: what it says of a frame live is what the pipeline says of it afterwards."""

import pickle
import warnings

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials, tiny_video
from media import moving_astronaut, noise
from memory import left_behind
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab import DisplacementSmoother, FrameMLP, FrameStream, LandmarkScaler, PoseExtractor
from skrehab.live import StreamCounts
from skrehab.pose import PoseStream, extract_pose, read_frames

MODEL = model_file()


def lossy(X, seed=0):
    """Lose landmarks: one from the start, some now and then, everybody for a while, one for ever.

    The third trial starts without anybody.
    """
    rng = np.random.RandomState(seed)
    out = []
    for i, trial in enumerate(X):
        trial = trial.copy()
        trial[rng.rand(*trial.shape[:2]) < 0.1] = np.nan
        trial[: len(trial) // 4, 0] = np.nan
        trial[len(trial) // 2 : len(trial) // 2 + 4] = np.nan
        trial[:, 1] = np.nan
        if i % 3 == 2:
            trial[:3] = np.nan
        out.append(trial)
    return out


def live(stream, trial, fps=30):
    stream.reset()
    return np.array([stream.push(frame, t / fps) for t, frame in enumerate(trial)])


def assert_live_is_offline(pipeline, X):
    stream = FrameStream(pipeline)
    for trial in X:
        offline = pipeline.predict_proba([trial])[0]
        said = live(stream, trial)
        assert said.shape == offline.shape and said.dtype == offline.dtype
        np.testing.assert_allclose(said, offline, rtol=0, atol=1e-6)


# --- equal to offline -----------------------------------------------------------------------------
SMOOTHERS = {
    "raw": None,
    "window 1": DisplacementSmoother(1),
    "window 2": DisplacementSmoother(2, causal=False),  # centred, but it does not reach ahead
    "smooth first": DisplacementSmoother(order="smooth_first"),
    "window 3": DisplacementSmoother(3, causal=True),
    "window 5": DisplacementSmoother(causal=True),
    "window 99": DisplacementSmoother(99, causal=True),  # longer than any trial here
    "visibility kept": DisplacementSmoother(causal=True, visibility="keep"),
}
SCALERS = {"": None, "scale": LandmarkScaler(), "center": LandmarkScaler(center=True)}
FRAMES = {
    "two classes": tiny_frames(),
    "two layers": tiny_frames(hidden_layer_sizes=(8, 4)),
    "no hidden layer": tiny_frames(hidden_layer_sizes=()),
}


@pytest.mark.parametrize("n_coords", [2, 3, 4])
@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("smoother", SMOOTHERS)
def test_live_equals_offline(smoother, scaler, frames, n_coords):
    """Every causal pipeline, with complete trials and with lost landmarks."""
    data = tiny_trials(n_coords=n_coords)
    steps = [SMOOTHERS[smoother], SCALERS[scaler], FRAMES[frames]]
    pipeline = make_pipeline(*[step for step in steps if step is not None])
    pipeline.fit(data.X, data.frame_labels)
    assert_live_is_offline(pipeline, data.X[:3] + lossy(data.X[:3]))


@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize("names", [False, True])
def test_other_numbers_of_classes(n_classes, names):
    data = tiny_trials()
    labels = [np.arange(len(trial)) % n_classes for trial in data.X]
    if names:
        labels = [np.array(["a", "b", "c"])[one] for one in labels]
    pipeline = make_pipeline(DisplacementSmoother(causal=True), tiny_frames())
    pipeline.fit(data.X, labels)
    assert_live_is_offline(pipeline, data.X[:2])
    assert FrameStream(pipeline).classes_.tolist() == pipeline.classes_.tolist()


@pytest.mark.parametrize("first", [False, True], ids=["labels after", "labels before"])
def test_the_labeler_is_skipped(tiny, first):
    steps = [("motion", DisplacementSmoother(causal=True)), ("scale", LandmarkScaler())]
    steps.insert(0 if first else 2, ("labels", tiny_labeler()))
    pipeline = Pipeline([*steps, ("frames", tiny_frames())]).fit(tiny.X, tiny.y)
    assert_live_is_offline(pipeline, tiny.X[:3])


def test_pipelines_in_pipelines_passthrough_and_frozen_steps(tiny):
    inner = make_pipeline(DisplacementSmoother(causal=True), "passthrough", LandmarkScaler())
    pipeline = make_pipeline(inner, None, tiny_frames()).fit(tiny.X, tiny.frame_labels)
    assert_live_is_offline(pipeline, tiny.X[:2])
    frozen = make_pipeline(FrozenEstimator(inner), FrozenEstimator(pipeline[-1]))
    assert_live_is_offline(frozen.fit(tiny.X, tiny.frame_labels), tiny.X[:2])


def test_a_classifier_alone(tiny):
    assert_live_is_offline(tiny_frames().fit(tiny.X, tiny.frame_labels), tiny.X[:2])


def test_after_loading_a_saved_model(tiny, tmp_path):
    pytest.importorskip("safetensors")
    pipeline = make_pipeline(DisplacementSmoother(causal=True), LandmarkScaler(), tiny_frames())
    pipeline.fit(tiny.X, tiny.frame_labels)
    loaded = skrehab.load(skrehab.save(pipeline, tmp_path / "model"))
    assert_live_is_offline(loaded, tiny.X[:2])


class Sharpen(TransformerMixin, BaseEstimator):
    """A user's own step: the difference from the frame before."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [np.diff(trial, axis=0, prepend=trial[:1]) for trial in X]

    def _stream(self):
        return SharpenStream()


class SharpenStream:
    def __init__(self):
        self.before = None

    def push(self, frame, timestamp):
        before = frame if self.before is None else self.before
        self.before = np.array(frame)
        return frame - before

    def reset(self):
        self.before = None


def test_a_users_own_step(tiny):
    pipeline = make_pipeline(Sharpen(), tiny_frames()).fit(tiny.X, tiny.frame_labels)
    assert_live_is_offline(pipeline, tiny.X[:3])


# --- refusals -------------------------------------------------------------------------------------
def test_a_step_that_looks_ahead_is_named(tiny):
    steps = [("motion", DisplacementSmoother(causal=False)), ("frames", tiny_frames())]
    pipeline = Pipeline(steps).fit(tiny.X, tiny.frame_labels)
    with pytest.raises(ValueError, match=r"'motion' \(DisplacementSmoother\).*looks 2 ahead"):
        FrameStream(pipeline)
    nested = make_pipeline(pipeline[:1], tiny_frames()).fit(tiny.X, tiny.frame_labels)
    with pytest.raises(ValueError, match=r"'pipeline__motion' .*causal=True"):
        FrameStream(nested)


def test_a_step_without_a_stream_is_named(tiny):
    from sklearn.preprocessing import FunctionTransformer

    pipeline = make_pipeline(FunctionTransformer(), tiny_frames())
    pipeline.fit(tiny.X, tiny.frame_labels)
    with pytest.raises(TypeError, match=r"'functiontransformer' \(FunctionTransformer\).*_stream"):
        FrameStream(pipeline)


def test_the_last_step_must_score_frames(tiny):
    smoother = DisplacementSmoother(causal=True).fit(tiny.X)
    with pytest.raises(TypeError, match="DisplacementSmoother has no predict_proba"):
        FrameStream(smoother)
    with pytest.raises(TypeError, match=r"'displacementsmoother'.*no predict_proba"):
        FrameStream(make_pipeline(smoother, "passthrough"))
    with pytest.raises(TypeError, match="no predict_proba"):
        FrameStream(Pipeline([("labels", tiny_labeler())]))
    with pytest.raises(TypeError, match=r"VideoClassifier.*no form for streams"):
        FrameStream(tiny_video().fit(tiny.X, tiny.y))


def test_not_fitted(tiny):
    with pytest.raises(NotFittedError):
        FrameStream(make_pipeline(DisplacementSmoother(causal=True), FrameMLP()))


@pytest.fixture
def pipeline(tiny):
    pipe = make_pipeline(DisplacementSmoother(causal=True), LandmarkScaler(), tiny_frames())
    return pipe.fit(tiny.X, tiny.frame_labels)


@pytest.mark.parametrize(
    ("frame", "match"),
    [
        (np.zeros((4, 3)), r"\(5, 3\).*got \(4, 3\)"),
        (np.zeros((1, 5, 3)), r"got \(1, 5, 3\)"),
        (np.zeros(15), r"got \(15,\)"),
        (np.full((5, 3), np.inf), "infinite"),
    ],
)
def test_a_bad_frame_is_refused_and_leaves_no_trace(pipeline, tiny, frame, match):
    stream, clean = FrameStream(pipeline), FrameStream(pipeline)
    trial = tiny.X[0]
    for t in range(4):
        stream.push(trial[t], t)
        clean.push(trial[t], t)
    with pytest.raises(ValueError, match=match):
        stream.push(frame, 4)
    assert stream.counts == clean.counts
    np.testing.assert_array_equal(stream.push(trial[4], 4), clean.push(trial[4], 4))


@pytest.mark.parametrize("timestamp", [float("nan"), float("inf"), -float("inf")])
def test_times_must_be_finite(pipeline, tiny, timestamp):
    with pytest.raises(ValueError, match="finite number of seconds"):
        FrameStream(pipeline).push(tiny.X[0][0], timestamp)


@pytest.mark.parametrize("max_gap", [0, -1, float("nan")])
def test_max_gap_must_be_positive(pipeline, max_gap):
    with pytest.raises(ValueError, match="max_gap"):
        FrameStream(pipeline, max_gap=max_gap)


# --- the course of a trial ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("came", "said"), [(30, None), (29.97, None), (28, None), (15, "2 times"), (60, "0.5 times")]
)
def test_another_frame_rate_than_in_training_is_told_once_a_trial(pipeline, tiny, came, said):
    stream = FrameStream(pipeline, frame_rate=30)
    frame = tiny.X[0][0]
    for _ in range(2):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            for t in range(int(3 * came)):
                stream.push(frame, t / came)
                assert not told or stream.counts.seconds >= 2
        assert len(told) == (said is not None)
        if said:
            assert f"Frames come {came} a second" in str(told[0].message)
            assert f"looks {said} as far back" in str(told[0].message)
        stream.reset()


@pytest.mark.parametrize("frame_rate", [0, -1, float("nan"), float("inf")])
def test_frame_rate_must_be_positive(pipeline, frame_rate):
    with pytest.raises(ValueError, match="frame_rate must be above 0"):
        FrameStream(pipeline, frame_rate=frame_rate)


def test_a_clock_that_is_set_back_is_said_once(pipeline, tiny):
    """Each frame was ignored from there on, and nobody was told."""
    stream, frame = FrameStream(pipeline), tiny.X[0][0]
    assert stream.push(frame, 3600.0) is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(29):
            assert stream.push(frame, i / 30) is None
        assert stream.push(frame, 3601.0) is not None
        for i in range(29):
            assert stream.push(frame, i / 30) is None
    with pytest.warns(UserWarning, match="30 frames in a row came late .* clock set back"):
        stream.push(frame, 29 / 30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream.push(frame, 30 / 30)
    assert stream.counts.late == 60 and stream.counts.frames == 2


@pytest.mark.parametrize("timestamp", [None, [0.1]])
def test_times_must_be_numbers(pipeline, tiny, timestamp):
    with pytest.raises(ValueError, match="timestamp must be seconds, got"):
        FrameStream(pipeline).push(tiny.X[0][0], timestamp)


def test_late_and_repeated_frames_are_ignored_and_counted(pipeline, tiny):
    stream, trial = FrameStream(pipeline), tiny.X[0]
    offline = pipeline.predict_proba([trial])[0]
    for t in range(len(trial)):
        np.testing.assert_allclose(stream.push(trial[t], t / 30), offline[t], rtol=0, atol=1e-6)
        assert stream.push(trial[0], t / 30) is None  # the same time again
        assert stream.push(trial[0], (t - 1) / 30) is None  # overtaken on the way
    assert stream.counts.late == 2 * len(trial)
    assert stream.counts.frames == len(trial)
    assert stream.counts.frame_rate == pytest.approx(30)


def test_dropped_frames_are_as_if_they_had_never_been(pipeline, tiny):
    """Offline, a trial without these frames gives the same."""
    trial = tiny.X[1]
    kept = np.delete(np.arange(len(trial)), [3, 4, 9])
    stream = FrameStream(pipeline)
    said = [stream.push(trial[t], t / 30) for t in kept]
    offline = pipeline.predict_proba([trial[kept]])[0]
    np.testing.assert_allclose(said, offline, rtol=0, atol=1e-6)
    assert stream.counts.gaps == 0


def test_gaps_are_counted_and_do_not_move_the_reference(pipeline, tiny):
    trial = tiny.X[1]
    times = np.arange(len(trial)) / 30
    times[5:] += 0.9
    times[8:] += 60
    stream = FrameStream(pipeline, max_gap=1.0)
    said = [stream.push(frame, time) for frame, time in zip(trial, times)]
    assert stream.counts.gaps == 1
    assert stream.counts.seconds == pytest.approx(times[-1])
    np.testing.assert_allclose(said, pipeline.predict_proba([trial])[0], rtol=0, atol=1e-6)


def test_somebody_leaves_and_returns(pipeline, tiny):
    trial = tiny.X[1].copy()
    trial[4:9] = np.nan
    stream, seen, said = FrameStream(pipeline), [], []
    assert not stream.seen
    for t, frame in enumerate(trial):
        said.append(stream.push(frame, t / 30))
        seen.append(stream.seen)
    assert seen == [not 4 <= t < 9 for t in range(len(trial))]
    assert stream.counts.unseen == 5
    np.testing.assert_allclose(said, pipeline.predict_proba([trial])[0], rtol=0, atol=1e-6)


def test_reset_starts_another_trial(pipeline, tiny):
    """Reference, average, counts and clock: nothing of the trial before is left."""
    stream = FrameStream(pipeline)
    one = live(stream, tiny.X[0] + 5)
    before = stream.counts
    stream.reset()
    assert stream.counts == StreamCounts() and before.frames == len(tiny.X[0])
    assert not stream.seen
    fresh = live(FrameStream(pipeline), tiny.X[1])
    np.testing.assert_array_equal(live(stream, tiny.X[1]), fresh)
    np.testing.assert_array_equal(live(stream, tiny.X[0] + 5), one)


def test_two_streams_of_one_pipeline_do_not_meet(pipeline, tiny):
    one, other = FrameStream(pipeline), FrameStream(pipeline)
    n = min(len(tiny.X[0]), len(tiny.X[1]))
    both = [(one.push(tiny.X[0][t], t), other.push(tiny.X[1][t], t)) for t in range(n)]
    for k in (0, 1):
        offline = pipeline.predict_proba([tiny.X[k]])[0][:n]
        np.testing.assert_allclose([pair[k] for pair in both], offline, rtol=0, atol=1e-6)


def test_the_pipeline_is_read_once(pipeline, tiny):
    """Neither does the stream change the pipeline, nor a new fit the stream."""
    stream = FrameStream(pipeline)
    before = live(stream, tiny.X[0])
    offline = pipeline.predict_proba(tiny.X[:1])[0]
    np.testing.assert_allclose(before, offline, rtol=0, atol=1e-6)
    pipeline.fit([10 * trial for trial in tiny.X], [1 - one for one in tiny.frame_labels])
    np.testing.assert_array_equal(live(stream, tiny.X[0]), before)


def test_the_frame_may_be_overwritten_after_the_push(pipeline, tiny):
    """A camera loop may use one buffer for all frames."""
    stream, buffer = FrameStream(pipeline), np.empty_like(tiny.X[0][0])
    said = []
    for t, frame in enumerate(tiny.X[0]):
        buffer[:] = frame
        said.append(stream.push(buffer, t))
        buffer[:] = 1e6
    np.testing.assert_array_equal(said, live(FrameStream(pipeline), tiny.X[0]))


def test_an_hour_of_frames_takes_no_memory(tiny):
    """110,000 frames at 30 a second; what stays of them is one window, not a trial.

    Tracing every allocation makes it slow, so that is done for the first and the last few
    thousand frames; between them, what the stream keeps must not have grown.
    """
    pipe = make_pipeline(DisplacementSmoother(causal=True), tiny_frames())
    stream = FrameStream(pipe.fit(tiny.X, tiny.frame_labels))
    frames = tiny.X[0]

    def push(start, stop):
        for t in range(start, stop):
            stream.push(frames[t % len(frames)], t / 30)

    push(0, 1000)
    assert left_behind(push, 1000, 5000) < 4096  # a single number kept of each frame would be 30 kB
    kept = len(pickle.dumps(vars(stream)))
    push(5000, 106_000)
    assert len(pickle.dumps(vars(stream))) < kept + 64
    assert left_behind(push, 106_000, 110_000) < 4096
    assert stream.counts.frames == 110_000


# --- pictures -------------------------------------------------------------------------------------
def pose_pipeline(extractor, n_coords=4, seed=0):
    """A pipeline from pictures to frame scores, fitted on poses drawn at random."""
    data = tiny_trials(n_landmarks=33, n_coords=n_coords, seed=seed)
    steps = [("motion", DisplacementSmoother(causal=True)), ("scale", LandmarkScaler())]
    pipe = Pipeline([*steps, ("frames", tiny_frames())]).fit(data.X, data.frame_labels)
    pipe.steps.insert(0, ("pose", extractor))
    return pipe


def disturbed_pictures():
    """Somebody, then noise, then somebody; what a network sees in noise is its own affair."""
    frames, _ = moving_astronaut(12)
    frames[4:7] = noise(3, 384, 640)
    return frames


def there_and_back():
    """Somebody walks from the left half of the picture far into the right one, and back."""
    frames, _ = moving_astronaut(7, step=40)
    frames = frames[[0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0]]
    return np.pad(frames, [(0, 0), (0, 128), (0, 0), (0, 0)], constant_values=128)


@needs_model
@pytest.mark.parametrize(
    ("settings", "pictures"),
    [
        ({}, disturbed_pictures),
        ({"person": "center", "coordinates": "image", "min_visibility": 0.6}, disturbed_pictures),
        ({"person": "largest", "n_persons": 2}, disturbed_pictures),
        ({"person": (0, 0, 0.5, 1)}, there_and_back),
    ],
    ids=["defaults", "center", "two people", "left half"],
)
def test_pictures_live_equal_offline(settings, pictures):
    """The same as the extractor gives for all pictures, whoever is seen in them."""
    frames = pictures()
    pipe = pose_pipeline(PoseExtractor(MODEL, **settings))
    offline = pipe.predict_proba([frames])[0]
    landmarks = pipe[0].transform([frames])[0]
    stream, seen = FrameStream(pipe), []
    poses = PoseStream(pipe[0])
    for t, picture in enumerate(frames):
        said = stream.push(picture, t / 30)
        np.testing.assert_allclose(said, offline[t], rtol=0, atol=1e-6)
        seen.append(stream.seen)
        np.testing.assert_array_equal(poses.push(picture, t / 30), landmarks[t])
        assert poses.found == stream.seen
    assert seen == np.isfinite(landmarks[..., 3]).any(axis=1).tolist()
    assert seen[0]
    if pictures is there_and_back:  # the trunk is 100 pixels and more from the edge of the box
        assert not seen[6] and seen[-1]

    # another trial: the landmarker has forgotten the first
    stream.reset()
    again = [stream.push(picture, t / 30) for t, picture in enumerate(frames[:4])]
    np.testing.assert_allclose(again, offline[:4], rtol=0, atol=1e-6)
    poses.reset()
    assert np.isnan(poses.image).all() and np.isnan(poses.world).all()


@needs_model
@needs_shared_videos
def test_a_real_video_live_equals_offline():
    """Times of the container, not of a regular grid."""
    video = VIDEOS / "two_people_roof.mp4"
    extractor = PoseExtractor(MODEL)
    poses, live_poses, times = PoseStream(extractor), [], []
    pictures = []
    for time, picture in read_frames(video):
        if len(times) == 30:
            break
        live_poses.append(poses.push(picture, time))
        times.append(time)
        pictures.append(picture)
    fps = 1 / np.median(np.diff(times))
    np.testing.assert_allclose(times, np.arange(30) / fps, atol=2e-3)
    track = extract_pose(np.array(pictures), model_path=MODEL, fps=fps)
    found = ~np.isnan(live_poses).any(axis=(1, 2))
    np.testing.assert_array_equal(found, track.found)
    np.testing.assert_allclose(live_poses, track.world, atol=1e-5)


@needs_model
@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"person": "steady"}, r"'pose' \(PoseExtractor\): person='steady' is not causal"),
        ({"target_fps": 15}, r"'pose'.*target_fps=15 is not causal"),
    ],
)
def test_an_extractor_that_looks_ahead_is_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        FrameStream(pose_pipeline(PoseExtractor(MODEL, **settings)))


@needs_model
@pytest.mark.parametrize(
    ("picture", "match"),
    [
        (np.zeros((20, 30, 3)), "uint8.*float64"),
        (np.zeros((20, 30), dtype=np.uint8), r"\(20, 30\)"),
        (np.zeros((20, 30, 4), dtype=np.uint8), r"\(20, 30, 4\)"),
        (np.zeros((0, 30, 3), dtype=np.uint8), "empty"),
    ],
)
def test_what_is_not_a_picture_is_refused(picture, match):
    stream = FrameStream(pose_pipeline(PoseExtractor(MODEL)))
    with pytest.raises(ValueError, match=match):
        stream.push(picture, 0.0)
    assert stream.counts.frames == 0
