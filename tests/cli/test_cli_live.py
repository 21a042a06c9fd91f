"""``skrehab live`` from end to end, on real pictures: what it prints, records and refuses."""

import functools
import json

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_trials
from media import grey_wall, moving_astronaut, noise, write_video
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos

import skrehab
from skrehab import DisplacementSmoother, FrameMLP, LandmarkScaler, PoseExtractor
from skrehab.formats import read_pose
from skrehab.live import LiveWindow, PoseRecording, VideoRecording, cue_frames, draw_live
from skrehab.live._panels import ALERT, CALM, UNKNOWN
from skrehab.pose import VideoError, probe_video, read_frames
from skrehab.pose.camera import read_camera

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MODEL = model_file()


@pytest.fixture
def run(run):
    """Run ``skrehab live ...`` and return exit code, stdout and stderr."""
    return functools.partial(run, "live")


def save_model(path, extractor=None, labels=("usual", "compensation"), frame_rate=None, **smoother):
    """Save a pipeline fitted on made-up poses."""
    data = tiny_trials(n_landmarks=33, n_coords=4)
    steps = [
        ("motion", DisplacementSmoother(**({"causal": True} | smoother))),
        ("scale", LandmarkScaler()),
        ("frames", tiny_frames(max_epochs=10)),
    ]
    pipe = Pipeline(steps).fit(data.X, data.frame_labels)
    if extractor is not None:
        pipe.steps.insert(0, ("pose", extractor))
    metadata = {"frame_rate": frame_rate} | ({"labels": list(labels)} if labels else {})
    return skrehab.save(pipe, path, metadata=metadata)


@pytest.fixture
def model(tmp_path, monkeypatch):
    if MODEL is not None:
        monkeypatch.setenv("SKREHAB_MODELS", str(MODEL))
    return save_model(tmp_path / "model", PoseExtractor())


def lines_of(out):
    return [json.loads(line) for line in out.splitlines()]


def scores(lines):
    nobody = {"usual": np.nan, "compensation": np.nan}
    rows = [line["probabilities"] or nobody for line in lines]
    return np.array([[row["usual"], row["compensation"]] for row in rows])


# --- end to end -----------------------------------------------------------------------------------
@needs_model
@needs_shared_videos
def test_a_real_video_headless(run, model, tmp_path):
    """What is printed live is what ``assess`` finds in the same video afterwards."""
    frames = []
    for _, frame in read_frames(VIDEOS / "two_people_roof.mp4", max_size=640):
        frames.append(frame)
        if len(frames) == 30:
            break
    video = write_video(tmp_path / "roof.mp4", frames)
    code, out, err = run(model, "--video", video, "--headless", "--min-duration", 0.1)
    assert code == 0, err
    lines = lines_of(out)
    assert len(lines) == 30
    np.testing.assert_allclose([line["t"] for line in lines], np.arange(30) / 30, atol=1e-3)
    assert all(line["latency_ms"] > 0 for line in lines)
    from skrehab.assessment import assess_video

    offline = assess_video(skrehab.load(model), video)
    np.testing.assert_allclose(scores(lines), offline.proba, rtol=0, atol=2e-6)
    assert np.isfinite(offline.proba).any()
    cues = cue_frames(
        offline.score, offline.track.timestamps, skrehab.CueGate(min_duration=0.1).rule
    )
    assert [line["cue"] for line in lines] == cues.tolist()
    assert "30 frames" in err


@needs_model
def test_pose_is_recorded_and_the_picture_only_on_demand(run, model, tmp_path):
    frames, _ = moving_astronaut(8)
    frames[:2] = grey_wall(2, 384, 640)
    video = write_video(tmp_path / "in.mp4", frames, fps=20)
    pose, film = tmp_path / "new" / "pose.npz", tmp_path / "film.mp4"
    code, out, err = run(model, "--video", video, "--headless", "--record", pose)
    assert code == 0, err
    lines = lines_of(out)
    assert [line["probabilities"] is None for line in lines[:2]] == [True, True]
    assert sorted(p.name for p in tmp_path.rglob("*") if p.suffix in (".npz", ".mp4")) == [
        "in.mp4",
        "pose.npz",
    ]
    track = read_pose(pose)  # any manifest can name it
    np.testing.assert_allclose(track.timestamps, np.arange(8) / 20, atol=1e-4)
    offline = PoseExtractor(MODEL).transform([video])[0]
    np.testing.assert_array_equal(track.pose, offline)

    code, _, err = run(model, "--video", video, "--headless", "--record", pose)
    assert code == 1 and "pose.npz exists already" in err.replace("\n", "")
    assert not list(tmp_path.rglob("*.part"))

    code, _, err = run(
        *(model, "--video", video, "--headless", "--record-video", film, "--seconds", 0.2)
    )
    assert code == 0, err
    times, pictures = zip(*read_frames(film))
    np.testing.assert_allclose(times, np.arange(4) / 20, atol=2e-3)
    assert abs(pictures[0].astype(int) - frames[0]).mean() < 6


@needs_model
def test_a_model_at_another_frame_rate(run, tmp_path, monkeypatch):
    """target_fps is kept: the reader resamples, and what comes out is what comes out offline."""
    monkeypatch.setenv("SKREHAB_MODELS", str(MODEL))
    video = write_video(tmp_path / "in.mp4", moving_astronaut(8)[0], fps=20)
    for fps, n_frames in ((10, 4), (40, 15)):
        model = save_model(tmp_path / f"at{fps}", PoseExtractor(target_fps=fps))
        code, out, err = run(model, "--video", video, "--headless")
        assert code == 0, err
        lines = lines_of(out)
        assert len(lines) == n_frames
        offline = skrehab.load(model).predict_proba([str(video)])[0]
        np.testing.assert_allclose(scores(lines), offline, rtol=0, atol=2e-6)


@needs_model
def test_a_camera_at_another_frame_rate(run, tmp_path, monkeypatch):
    """As with a file: the model sees the rate that it was trained at. A file stands for it here."""
    video = write_video(tmp_path / "in.mp4", moving_astronaut(8)[0], fps=20)
    monkeypatch.setattr("skrehab.pose.camera.read_camera", lambda camera: read_frames(video))
    for rate, n_frames in ((10, 4), (40, 15)):
        saved = save_model(tmp_path / f"at{rate}", frame_rate=rate)
        options = ("--headless", "--model-path", MODEL)
        code, out, err = run(saved, "--camera", 0, *options)
        assert code == 0 and f"brought to {rate} a second" in " ".join(err.split())
        lines = lines_of(out)
        np.testing.assert_allclose([one["t"] for one in lines], np.arange(n_frames) / rate)
        _, of_file, _ = run(saved, "--video", video, *options)
        np.testing.assert_allclose(scores(lines), scores(lines_of(of_file)), rtol=0, atol=2e-6)


@needs_model
def test_whom_it_follows(run, tmp_path, monkeypatch):
    """A model made with hindsight runs all the same, and says what it does instead."""
    monkeypatch.setenv("SKREHAB_MODELS", str(MODEL))
    video = write_video(tmp_path / "in.mp4", moving_astronaut(2)[0])
    model = save_model(tmp_path / "steady", PoseExtractor(person="steady"), labels=None)
    code, out, err = run(model, "--video", video, "--headless")
    assert code == 0 and "person='steady'" in err
    assert set(lines_of(out)[0]["probabilities"]) == {"0", "1"}
    code, _, err = run(model, "--video", video, "--headless", "--person", "center")
    assert code == 0 and "steady" not in err
    code, out, err = run(model, "--video", video, "--headless", "--person", "steady")
    assert code == 1 and "not causal" in err and out == ""
    bare = save_model(tmp_path / "bare")  # trained on poses: it needs an extractor to watch
    code, out, _ = run(bare, "--video", video, "--headless", "--model-path", MODEL)
    assert code == 0 and len(lines_of(out)) == 2


def test_help_says_what_is_recorded(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "Only the pose is ever recorded" in out and "--headless" in out


# --- refusals -------------------------------------------------------------------------------------
def test_one_source_is_needed(run, model):
    for sources in ([], ["--video", "x.mp4", "--camera", 0]):
        code, out, err = run(model, *sources, "--headless")
        assert code == 1 and "--video FILE or --camera NUMBER" in err and out == ""


@needs_model
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--video", "missing.mp4"], "There is no video missing.mp4"),
        (["--video", "there.mp4", "--on", 0.2], "off <= on"),
        (["--video", "there.mp4", "--record", "x.csv"], ".npz file"),
        (["--camera", 63], "Camera 63 cannot be opened"),
    ],
)
def test_errors_are_one_line(run, model, arguments, match, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video("there.mp4", noise(2))
    code, out, err = run(model, *arguments, "--headless")
    assert code == 1 and out == ""
    assert match in err and "Traceback" not in err


def test_a_model_that_looks_ahead_is_refused(run, tmp_path, monkeypatch):
    if MODEL is not None:
        monkeypatch.setenv("SKREHAB_MODELS", str(MODEL))
    model = save_model(tmp_path / "ahead", causal=False)
    video = write_video(tmp_path / "x.mp4", noise(2))
    code, _, err = run(model, "--video", video, "--headless")
    assert code == 1
    if MODEL is not None:
        assert "'motion' (DisplacementSmoother)" in err


def has_screen():
    try:
        LiveWindow().close()
    except (RuntimeError, ImportError):
        return False
    return True


@needs_model
@pytest.mark.skipif(has_screen(), reason="there is a screen")
def test_without_a_screen_it_says_so(run, model, tmp_path):
    video = write_video(tmp_path / "in.mp4", noise(2))
    code, out, err = run(model, "--video", video)
    assert code == 1 and out == ""
    assert "OpenCV" in err and "--headless" in err


@needs_model
@pytest.mark.skipif(not has_screen(), reason="there is no screen")
def test_the_window(run, model, tmp_path):
    video = write_video(tmp_path / "in.mp4", moving_astronaut(3)[0])
    code, out, err = run(model, "--video", video)
    assert code == 0 and out == "" and "3 frames" in err


# --- the picture ----------------------------------------------------------------------------------
def share_like(picture, colour):
    return (abs(picture.astype(int) - colour).max(axis=2) < 12).mean()


def standing():
    body = np.zeros((33, 4))
    body[[11, 12, 23, 24], :2] = [(90, 60), (60, 60), (85, 110), (65, 110)]
    body[[13, 15, 17, 19, 21], :2] = 100, 90
    body[[14, 16, 18, 20, 22], :2] = 50, 90
    body[25:, :2] = 75, 150
    body[:11, :2] = 75, 35
    body[:, 3] = 0.9
    return body


@pytest.mark.parametrize("max_size", [960, 100])
def test_drawing(max_size):
    black, nobody = np.zeros((200, 160, 3), dtype=np.uint8), np.full((33, 4), np.nan)
    options = {"labels": ("usual", "compensation"), "max_size": max_size, "note": "12 ms"}
    calm = draw_live(black, standing(), cue=False, seen=True, **options)
    cued = draw_live(black, standing(), cue=True, seen=True, **options)
    empty = draw_live(black, nobody, cue=False, seen=False, **options)
    assert black.max() == 0
    height = min(200, max_size)
    assert calm.shape == cued.shape == empty.shape
    assert calm.shape[:2] == (height + 44, round(height * 0.8))
    assert share_like(calm, CALM) > 0.004 and share_like(calm, ALERT) == 0
    assert share_like(cued, ALERT) > 0.004 and share_like(cued, CALM) == 0
    assert share_like(empty[height:], UNKNOWN) > 0.001
    assert empty[:height].max() == 0  # nobody is drawn where nobody is
    rows = np.flatnonzero((cued[:height].max(axis=2) > 60).any(axis=1)) * 200 / height
    assert 20 < rows.min() and rows.max() < 175  # the skeleton is where the landmarks are


# --- recordings -----------------------------------------------------------------------------------
def test_recordings_without_a_frame_leave_no_file(tmp_path):
    with PoseRecording(tmp_path / "a.npz"), VideoRecording(tmp_path / "a.mp4"):
        pass
    assert not list(tmp_path.iterdir())


def test_odd_pictures_and_uneven_times(tmp_path):
    times = [0.0, 0.05, 0.35, 0.36]
    pictures = noise(4, 120, 160)[:, :119, :157]
    with VideoRecording(tmp_path / "a.mp4") as recording:
        for time, picture in zip(times, pictures):
            recording.add(time, picture)
    info = probe_video(tmp_path / "a.mp4")
    assert (info.width, info.height) == (156, 118)
    np.testing.assert_allclose([t for t, _ in read_frames(tmp_path / "a.mp4")], times, atol=1e-3)


def test_a_session_that_breaks_off_keeps_its_pose(tmp_path):
    with pytest.raises(KeyboardInterrupt), PoseRecording(tmp_path / "a.npz") as recording:
        recording.add(0.0, np.ones((33, 4)), np.ones((33, 4)), (640, 480))
        raise KeyboardInterrupt
    assert read_pose(tmp_path / "a.npz").pose.shape == (1, 33, 4)


# --- the camera -----------------------------------------------------------------------------------
def test_the_newest_picture_comes_first(tmp_path):
    """A file stands for the camera; a slow reader gets fewer pictures, in order, up to the end."""
    pytest.importorskip("cv2")
    import time

    grey = np.arange(20, dtype=np.uint8)[:, None, None, None] * 12
    video = write_video(tmp_path / "in.mp4", np.broadcast_to(grey, (20, 480, 640, 3)))
    seen = []
    for seconds, picture in read_camera(str(video)):
        assert picture.shape == (480, 640, 3) and picture.dtype == np.uint8
        seen.append((seconds, round(picture.mean() / 12)))
        time.sleep(0.02)
    times, numbers = zip(*seen)
    assert times[0] == 0.0 and (np.diff(times) > 0).all()
    assert (np.diff(numbers) > 0).all()
    assert numbers[-1] == 19
    assert len(seen) < 20


def test_the_camera_gives_rgb_and_can_be_left(tmp_path):
    pytest.importorskip("cv2")
    red = np.zeros((4, 48, 64, 3), dtype=np.uint8)
    red[..., 0] = 200
    video = write_video(tmp_path / "red.mp4", red)
    frames = read_camera(str(video))
    _, picture = next(frames)
    assert picture[..., 0].mean() > 150 and picture[..., 2].mean() < 50
    frames.close()
    assert next(frames, None) is None


def test_a_camera_that_is_not_there():
    pytest.importorskip("cv2")
    with pytest.raises(VideoError, match="Camera 63 cannot be opened"):
        read_camera(63)


def test_each_class_has_its_own_name():
    """A label for which no frame was found in training is not mistaken for the next one."""
    from skrehab.cli.live import _Session

    if MODEL is None:
        pytest.skip("no pose model file")
    data = tiny_trials(n_landmarks=33, n_coords=4)
    labels = [np.where(one == 1, 2, 0) for one in data.frame_labels]
    model = FrameMLP((4,), max_epochs=1, random_state=0).fit(data.X, labels)
    metadata = {"labels": ["usual", "lean", "lift"]}
    session = _Session(model, metadata, skrehab.CueGate(), None, MODEL, None)
    assert session.names == ["usual", "lift"]


@needs_model
def test_cues_of_several_labels_have_names(capsys):
    from skrehab.cli.live import _JsonLines, _on, _Session
    from skrehab.live.session import Moment
    from skrehab.trials import ragged

    data = tiny_trials(n_landmarks=33, n_coords=4)
    frames = ragged([np.stack([one, 1 - one], axis=1) for one in data.frame_labels])
    model = skrehab.MultiLabelFrames(FrameMLP((4,), max_epochs=1), label_names=["trunk", "head"])
    model.fit(data.X, frames)
    session = _Session(model, {}, skrehab.CueGate(), None, MODEL, None, {"head": "head forward"})
    assert session.names == ["trunk", "head forward"] and session.several
    proba = np.array([0.2, 0.9], dtype=np.float32)
    nothing = np.zeros((33, 4))
    moment = Moment(0.5, None, proba, True, 0.9, True, 1.0, 1.0, nothing, nothing, (False, True))
    assert _on(session, moment) == "head forward"
    _JsonLines(session.names)(moment)
    line = json.loads(capsys.readouterr().out)
    assert line["cues"] == {"trunk": False, "head forward": True} and line["cue"] is True
    assert line["probabilities"] == pytest.approx({"trunk": 0.2, "head forward": 0.9})
