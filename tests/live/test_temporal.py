"""Models that look back over many frames, live: FrameTCN, a causal mil_tcn, bones in front."""

import pickle

import numpy as np
import pytest
from instances import tiny_bones, tiny_frames, tiny_tcn, tiny_trials, tiny_video
from memory import left_behind
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos
from sklearn.pipeline import make_pipeline
from test_stream import lossy

import skrehab
from skrehab import BoneVectors, DisplacementSmoother, FrameStream, FrameTCN, LandmarkScaler
from skrehab.pose import PoseStream, read_frames

MIL = {"network": "mil_tcn", "network_params": {"causal": True, "channels": 8, "n_blocks": 3}}


def tiny_mil(**params):
    return tiny_video(**(MIL | params))


def offline_of(pipeline, trial):
    """Frame scores of the whole trial, whichever method the last step has for them."""
    values = pipeline[:-1].transform([trial]) if len(pipeline) > 1 else [trial]
    last = pipeline[-1]
    score = getattr(last, "predict_frame_proba", None) or last.predict_proba
    return score(values)[0]


def assert_live_is_offline(pipeline, X, fps=30):
    stream = FrameStream(pipeline)
    for trial in X:
        stream.reset()
        said = np.array([stream.push(frame, t / fps) for t, frame in enumerate(trial)])
        offline = offline_of(pipeline, trial)
        assert said.shape == offline.shape and said.dtype == offline.dtype == np.float32
        np.testing.assert_allclose(said, offline, rtol=0, atol=1e-6)


LASTS = {
    "tcn": lambda: tiny_tcn(),
    "as it comes": lambda: tiny_tcn(standardize=False),
    "deep": lambda: tiny_tcn(n_blocks=5, kernel_size=5),
    "kernel of one": lambda: tiny_tcn(kernel_size=1),
    "even kernel": lambda: tiny_tcn(kernel_size=4),
    "augmented": lambda: tiny_tcn(augment={"offset": 0.5, "stretch": 0.2}),
    "mil_tcn": lambda: tiny_mil(),
    "mil_tcn, standardized": lambda: tiny_mil(standardize=True),
    "mil_tcn, attention": lambda: tiny_mil(
        network_params={"causal": True, "channels": 8, "pooling": "attention"}
    ),
}
FIRSTS = {
    "": lambda: [],
    "bones": lambda: [tiny_bones()],
    "bones, scaled": lambda: [tiny_bones(window=3), LandmarkScaler(center=True)],
    "displacement": lambda: [DisplacementSmoother(), LandmarkScaler()],
}


@pytest.mark.parametrize("n_coords", [2, 3, 4])
@pytest.mark.parametrize("last", LASTS)
@pytest.mark.parametrize("first", FIRSTS)
def test_live_equals_offline(first, last, n_coords):
    """Ragged trials, complete and with lost landmarks; longer ones than those of training."""
    data = tiny_trials(n_coords=n_coords)
    pipeline = make_pipeline(*FIRSTS[first](), LASTS[last]())
    pipeline.fit(data.X, data.y if last.startswith("mil") else data.frame_labels)
    long = np.concatenate(data.X[:8])
    one = data.X[0][:1]
    assert_live_is_offline(pipeline, [*data.X[:3], *lossy(data.X[:3]), long, *lossy([long]), one])


@pytest.mark.parametrize("n_classes", [1, 3])
def test_other_numbers_of_classes(n_classes):
    data = tiny_trials()
    names = np.array(["a", "b", "c"])
    labels = [names[np.arange(len(trial)) % n_classes] for trial in data.X]
    pipeline = make_pipeline(tiny_tcn()).fit(data.X, labels)
    assert_live_is_offline(pipeline, data.X[:2])
    assert FrameStream(pipeline).classes_.tolist() == pipeline.classes_.tolist()
    if n_classes == 3:
        y = np.array(["a", "b", "c", "a"] * 4)
        assert_live_is_offline(make_pipeline(tiny_mil()).fit(data.X, y), data.X[:2])


def test_soft_labels(tiny):
    soft = [np.stack([1 - 0.8 * one, 0.8 * one], axis=1) for one in tiny.frame_labels]
    assert_live_is_offline(make_pipeline(tiny_bones(), tiny_tcn()).fit(tiny.X, soft), tiny.X[:3])


def test_trained_to_the_end():
    """Sure probabilities, from logits far from zero, where rounding counts most."""
    data = tiny_trials(n_patients=6)
    model = FrameTCN(max_epochs=60, lr=0.01, dropout=0.0, random_state=0)
    pipeline = make_pipeline(model).fit(data.X, data.frame_labels)
    proba = np.concatenate(pipeline.predict_proba(data.X))
    assert proba.min() < 0.01 and proba.max() > 0.99
    assert_live_is_offline(pipeline, data.X + lossy(data.X))


@pytest.fixture(params=["tcn", "mil_tcn"])
def pipeline(tiny, request):
    pipe = make_pipeline(tiny_bones(), LASTS[request.param]())
    return pipe.fit(tiny.X, tiny.frame_labels if request.param == "tcn" else tiny.y)


def test_a_prefix_is_judged_the_same(pipeline, tiny):
    """What is said of a frame does not depend on how the trial goes on."""
    trial = np.concatenate(tiny.X[:4])
    whole, stream = offline_of(pipeline, trial), FrameStream(pipeline)
    for n in (1, 2, 5, 20, len(trial)):
        np.testing.assert_allclose(offline_of(pipeline, trial[:n]), whole[:n], rtol=0, atol=1e-6)
        stream.reset()
        said = [stream.push(frame, t) for t, frame in enumerate(trial[:n])]
        np.testing.assert_allclose(said, whole[:n], rtol=0, atol=1e-6)


def test_gaps_in_time_and_late_frames(pipeline, tiny):
    """A gap is counted and moves nothing; a frame that comes late is as if it had never been."""
    trial = np.concatenate(tiny.X[:3])
    times = np.arange(len(trial)) / 30
    times[9:] += 5
    stream, said = FrameStream(pipeline), []
    for frame, time in zip(trial, times):
        said.append(stream.push(frame, time))
        assert stream.push(100 * frame, time) is None
    assert stream.counts.gaps == 1 and stream.counts.late == len(trial)
    np.testing.assert_allclose(said, offline_of(pipeline, trial), rtol=0, atol=1e-6)


def test_a_bad_frame_leaves_no_trace(pipeline, tiny):
    trial = tiny.X[0]
    stream, clean = FrameStream(pipeline), FrameStream(pipeline)
    for t, frame in enumerate(trial):
        with pytest.raises(ValueError, match="infinite"):
            stream.push(np.full((5, 3), np.inf), t)
        with pytest.raises(ValueError, match=r"\(4, 3\)"):
            stream.push(frame[:4], t)
        np.testing.assert_array_equal(stream.push(frame, t), clean.push(frame, t))


def test_reset_forgets_all(pipeline, tiny):
    """Also what a hundred frames back have left in the rings."""
    stream, fresh = FrameStream(pipeline), FrameStream(pipeline)
    for t, frame in enumerate(np.concatenate(tiny.X)):
        stream.push(3 * frame, t)
    stream.reset()
    for t, frame in enumerate(tiny.X[1]):
        np.testing.assert_array_equal(stream.push(frame, t), fresh.push(frame, t))


def test_two_streams_and_a_reused_buffer(pipeline, tiny):
    one, other, buffer = FrameStream(pipeline), FrameStream(pipeline), np.empty((5, 3))
    offline = [offline_of(pipeline, trial) for trial in tiny.X[:2]]
    for t in range(min(map(len, tiny.X[:2]))):
        for stream, trial, expected in zip((one, other), tiny.X, offline):
            buffer[:] = trial[t]
            said = stream.push(buffer, t)
            buffer[:] = 1e6
            np.testing.assert_allclose(said, expected[t], rtol=0, atol=1e-6)


def test_saved_and_loaded(pipeline, tiny, tmp_path):
    pytest.importorskip("safetensors")
    loaded = skrehab.load(skrehab.save(pipeline, tmp_path / "model"))
    assert_live_is_offline(loaded, tiny.X[:2])
    np.testing.assert_array_equal(offline_of(loaded, tiny.X[0]), offline_of(pipeline, tiny.X[0]))


# --- refusals -------------------------------------------------------------------------------------
def test_what_looks_ahead_is_named_with_a_way_out(tiny):
    frames = make_pipeline(tiny_bones(), tiny_tcn(causal=False)).fit(tiny.X, tiny.frame_labels)
    with pytest.raises(
        ValueError, match=r"'frametcn' \(FrameTCN\).*look 3 frames ahead.*FrameTCN\(causal=True\)"
    ):
        FrameStream(frames)
    trials = make_pipeline(tiny_mil(network_params={"causal": False})).fit(tiny.X, tiny.y)
    with pytest.raises(ValueError, match=r"\(VideoClassifier\).*network_params=.'causal': True"):
        FrameStream(trials)


def test_networks_over_whole_trials_are_named_with_a_way_out(tiny):
    model = make_pipeline(tiny_bones(), tiny_video()).fit(tiny.X, tiny.y)
    with pytest.raises(
        TypeError, match=r"'videoclassifier' \(VideoClassifier\).*'lstm' scores whole trials.*TCN"
    ):
        FrameStream(model)


# --- an hour --------------------------------------------------------------------------------------
def test_an_hour_of_frames_takes_no_memory(tiny):
    """Memory at its end as at its beginning, and the last frames are judged as offline.

    The reach is known, so a trial of the last frames alone tells what the hour should have left.
    """
    pipe = make_pipeline(tiny_bones(), tiny_tcn()).fit(tiny.X, tiny.frame_labels)
    stream, frames = FrameStream(pipe), np.concatenate(tiny.X)
    n_frames, reach = 108_000, 2 * (1 + 2) + 4  # of the convolutions, and of the average of bones

    def push(start, stop):
        for t in range(start, stop):
            said = stream.push(frames[t % len(frames)], t / 30)
        return said

    push(0, 1000)
    assert left_behind(push, 1000, 4000) < 4096  # a single number kept of each frame would be 24 kB
    kept = len(pickle.dumps(vars(stream)))
    push(4000, n_frames - 3000)
    assert len(pickle.dumps(vars(stream))) < kept + 64
    assert left_behind(push, n_frames - 3000, n_frames) < 4096
    said = push(n_frames, n_frames + 1)
    last = frames[np.arange(n_frames - reach, n_frames + 1) % len(frames)]
    # a trial that starts there pads with zeros only what the last frame does not see
    expected = pipe.predict_proba([np.concatenate([last[:1], last])])[0][-1]
    np.testing.assert_allclose(said, expected, rtol=0, atol=1e-6)


# --- a real video ---------------------------------------------------------------------------------
@needs_model
@needs_shared_videos
@pytest.mark.parametrize("last", ["tcn", "mil_tcn"])
def test_a_real_video(last):
    """Landmarks of a film, in metres and with visibilities, people lost and found."""
    poses, trial = PoseStream(skrehab.PoseExtractor(model_file())), []
    for time, picture in read_frames(VIDEOS / "two_people_roof.mp4"):
        trial.append(poses.push(picture, time))
        if len(trial) == 60:
            break
    poses.reset()
    trial = np.array(trial)
    assert not np.isnan(trial).all()
    data = tiny_trials(n_landmarks=33, n_coords=trial.shape[2])
    pipeline = make_pipeline(BoneVectors("mediapipe33"), LASTS[last]())
    pipeline.fit(data.X, data.y if last == "mil_tcn" else data.frame_labels)
    away = trial.copy()
    away[20:30] = np.nan
    assert_live_is_offline(pipeline, [trial, away, trial[::3]])
    frames = make_pipeline(BoneVectors("mediapipe33"), tiny_frames())
    assert_live_is_offline(frames.fit(data.X, data.frame_labels), [trial, away])
