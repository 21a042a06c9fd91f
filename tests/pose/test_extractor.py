"""PoseExtractor on real pictures of people, and the choice of a person on made-up ones."""

import os
import pickle
import shutil
import warnings

import joblib
import numpy as np
import pytest
from media import grey_wall, moving_astronaut, noise, write_video
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrehab import PoseExtractor
from skrehab.pose import ModelError, VideoError, choose_person, extract_pose
from skrehab.pose.persons import find_jumps, largest_step, trunk_size
from skrehab.pose.track import check_telemetry

MODEL = model_file()


@pytest.fixture(autouse=True)
def use_model_of_this_machine(monkeypatch):
    if MODEL is not None:
        monkeypatch.setenv("SKREHAB_MODELS", str(MODEL))


@pytest.fixture(scope="module")
def astronaut(tmp_path_factory):
    """A file with a person who moves to the right by 8 pixels a frame; 15 frames a second."""
    frames, shifts = moving_astronaut(n_frames=16)
    path = tmp_path_factory.mktemp("videos") / "astronaut.mp4"
    return write_video(path, frames, fps=15), frames, shifts


@pytest.fixture(scope="module")
def nobody(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("videos") / "nobody.mp4", grey_wall(5))


@pytest.fixture
def broken(tmp_path):
    path = write_video(tmp_path / "broken.mp4", noise(40), options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def correlation(trial, shifts):
    return np.corrcoef(trial[:, 0, 0], shifts)[0, 1]


# --- choosing a person --------------------------------------------------------------------------
def stick(x, y, size, seed=0):
    """Image landmarks of somebody with the middle of the shoulders at (x, y)."""
    body = np.random.RandomState(seed).uniform(-0.6, 0.6, (33, 2)) * [1, 2]
    body[[11, 12, 23, 24]] = [[0.25, 0], [-0.25, 0], [0.2, 1], [-0.2, 1]]
    return body * size + [x, y]


NOBODY = np.full((33, 2), np.nan)


def crossing(n_frames=60, seed=0):
    """Two people walk past each other, in shuffled order; returns people, times, and who is who."""
    rng = np.random.RandomState(seed)
    people, first = [], []
    for i in range(n_frames):
        # 90 pixels apart in height: they cross without touching in depth
        one, two = stick(100 + 10 * i, 200, 100, seed=1), stick(700 - 10 * i, 290, 90, seed=2)
        order = rng.randint(2)
        people.append([two, one] if order else [one, two])
        first.append(order)
    jitter = rng.normal(0, 1.5, np.shape(people))
    return np.array(people) + jitter, np.arange(n_frames) / 30, np.array(first)


@pytest.mark.parametrize("seed", range(5))
def test_steady_follows_through_a_crossing(seed):
    people, times, first = crossing(seed=seed)
    np.testing.assert_array_equal(choose_person(people, times, (800, 600), "steady"), first)


def test_steady_survives_other_orders_and_gaps():
    """A gap gives nobody, although the other one is in view; then the same person goes on."""
    people, times, first = crossing()
    lost = np.arange(10, 16)
    people[lost, first[lost]] = np.nan
    chosen = choose_person(people, times, (800, 600), "steady")
    np.testing.assert_array_equal(chosen[lost], -1)
    kept = np.setdiff1d(np.arange(60), lost)
    np.testing.assert_array_equal(chosen[kept], first[kept])


def test_steady_never_takes_over_a_neighbour():
    """The neighbour steps to where the lost person was: still nobody."""
    people = np.full((40, 2, 33, 2), np.nan)
    for i in range(40):
        if i < 20:
            people[i, 0] = stick(300, 200, 100, seed=1)
        people[i, 1] = stick(max(800 - 20 * i, 310), 200, 80, seed=2)
    chosen = choose_person(people, np.arange(40) / 30, (900, 600), "steady")
    assert set(chosen[20:]) <= {1, -1}
    track = np.where((chosen >= 0)[:, None, None], people[np.arange(40), chosen], np.nan)
    assert largest_step(track)[0] < 0.5
    assert len(find_jumps(track, np.arange(40) / 30)) == 0


def test_steady_takes_who_is_largest_over_the_whole_video():
    """Somebody stands before the camera at first, and leaves."""
    helper, patient = stick(300, 200, 150, seed=1), stick(600, 200, 100, seed=2)
    people = np.array([[helper, patient]] * 10 + [[patient, NOBODY]] * 40)
    chosen = choose_person(people, np.arange(50) / 30, (900, 600), "steady")
    assert chosen.tolist() == [1] * 10 + [0] * 40


def test_steady_ignores_doubles():
    """The same person found twice is one person, whose double never counts as a neighbour."""
    one = stick(300, 200, 100, seed=1)
    people = np.array([[one, one + 3], [one + 5, one + 2], [one + 6, NOBODY]])
    assert choose_person(people, [0, 0.1, 0.2], (900, 600), "steady").tolist() == [0, 0, 0]


def test_largest_and_center_look_at_each_frame_alone():
    left, right = stick(100, 200, 100), stick(460, 200, 80)
    people = np.array([[left, right], [right, left], [NOBODY, right], [NOBODY, NOBODY]])
    times = np.arange(4) / 30
    assert choose_person(people, times, (900, 600), "largest").tolist() == [0, 1, 1, -1]
    assert choose_person(people, times, (900, 600), "center").tolist() == [1, 0, 1, -1]


def test_nobody_at_all():
    people = np.full((3, 2, 33, 4), np.nan)
    for person in ("largest", "center", "steady"):
        assert choose_person(people, [0, 1, 2], (9, 9), person).tolist() == [-1] * 3
        assert choose_person(people[:, :0], [0, 1, 2], (9, 9), person).tolist() == [-1] * 3
    with pytest.raises(ValueError, match="person must be one of"):
        choose_person(people, [0, 1, 2], (9, 9), "nearest")
    assert largest_step(people[:, 0]) == (0.0, 1) and largest_step(people[:1, 0]) == (0.0, 0)


def test_trunk_size_ignores_arms_and_turning():
    body = stick(0, 0, 100)
    turned = body.copy()
    turned[:, 0] *= 0.1
    arms = body.copy()
    arms[[15, 16]] += 500
    assert trunk_size(arms) == trunk_size(body)
    assert 0.85 < trunk_size(turned) / trunk_size(body) < 1
    assert np.isnan(trunk_size(NOBODY))


def test_jumps_are_found_across_gaps():
    walk = np.array([stick(100 + 5 * i, 200, 100) for i in range(30)])
    times = np.arange(30) / 30
    assert len(find_jumps(walk, times)) == 0
    walk[20:] += [600, 0]
    assert find_jumps(walk, times).tolist() == [20]
    walk[17:22] = np.nan
    assert find_jumps(walk, times).tolist() == [22]


# --- telemetry ----------------------------------------------------------------------------------
@pytest.mark.parametrize("version", ["0.10.35", "0.10.40", "0.11.0", "1.0", "0.10.35rc1"])
def test_mediapipe_that_reports_home_is_refused(version):
    with pytest.raises(RuntimeError, match="sends usage metrics") as caught:
        check_telemetry(version)
    assert "allow_telemetry=True" in str(caught.value) and "<0.10.34" in str(caught.value)
    assert check_telemetry(version, allow_telemetry=True) == version


@pytest.mark.parametrize("version", ["0.10.32", "0.10.33", "0.10.21", "0.9.9"])
def test_mediapipe_without_telemetry_is_taken(version):
    assert check_telemetry(version) == version


@needs_model
def test_the_installed_mediapipe_is_asked(nobody, monkeypatch):
    import importlib.metadata

    real = importlib.metadata.version
    version = {"mediapipe": "0.10.35"}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: version.get(name) or real(name))
    with pytest.raises(RuntimeError, match=r"mediapipe 0\.10\.35 sends usage metrics"):
        PoseExtractor(on_error="skip").transform([nobody])
    with pytest.warns(UserWarning, match="no person"):
        PoseExtractor(on_error="skip", allow_telemetry=True).transform([nobody])


# --- the estimator as such ----------------------------------------------------------------------
def test_every_parameter_is_constrained_and_documented():
    names = set(PoseExtractor().get_params())
    assert names == set(PoseExtractor._parameter_constraints)
    assert all(name in PoseExtractor.__doc__ for name in names)


@pytest.mark.parametrize(
    "wrong",
    [
        {"coordinates": "camera"},
        {"person": "first"},
        {"n_persons": 0},
        {"min_visibility": 1.5},
        {"target_fps": 0},
        {"fps": -1.0},
        {"on_error": "ignore"},
        {"memory": 3},
        {"verbose": "yes"},
    ],
)
def test_wrong_parameters_are_named(wrong, nobody):
    (name,) = wrong
    for use in ("fit", "transform"):  # fit is not required, so transform checks as well
        with pytest.raises(ValueError, match=f"'{name}' parameter of PoseExtractor"):
            getattr(PoseExtractor(**wrong), use)([nobody])


@pytest.mark.parametrize(
    "X, error, message",
    [
        ("clip.mp4", TypeError, r"pass \[video\]"),
        (np.zeros((5, 8, 8, 3), np.uint8), ValueError, r"pass \[video\]"),
        ([], ValueError, "no video"),
        ([np.zeros((5, 8, 8), np.uint8)], ValueError, r"X\[0\] must be a path"),
        ([np.zeros((5, 8, 8, 3))], ValueError, r"X\[0\].*got float64"),
        ([np.zeros((0, 8, 8, 3), np.uint8)], ValueError, r"X\[0\]"),
    ],
)
def test_wrong_X(X, error, message):
    with pytest.raises(error, match=message):
        PoseExtractor(model_path=__file__).transform(X)


def test_without_a_model_nothing_is_fetched(nobody, monkeypatch, tmp_path):
    monkeypatch.setenv("SKREHAB_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="skrehab models fetch"):
        PoseExtractor().transform([nobody])
    assert not any(tmp_path.iterdir())


@needs_model
def test_extract_pose_checks_before_it_works(nobody):
    with pytest.raises(ValueError, match="person must be one of"):
        extract_pose(nobody, person="first")
    with pytest.raises(ValueError, match="fps must be above 0"):
        extract_pose(noise(2), fps=0)
    with pytest.raises(ValueError, match="target_fps must be above 0"):
        extract_pose(nobody, target_fps=0)


# --- poses --------------------------------------------------------------------------------------
@needs_model
def test_nose_follows_the_shift(astronaut):
    path, _, shifts = astronaut
    (trial,) = PoseExtractor(coordinates="image").fit_transform([path])
    assert trial.shape == (16, 33, 4) and trial.dtype == np.float32
    assert np.isfinite(trial).all()
    assert correlation(trial, shifts) > 0.95
    nose = trial[:, 0]
    assert (abs(nose[:, 0] - shifts - 224) < 20).all()  # the picture's nose is at (224, 120)
    assert (abs(nose[:, 1] - 120) < 20).all()
    assert ((trial[..., 3] >= 0) & (trial[..., 3] <= 1)).all()


@needs_model
def test_world_coordinates_are_metres_from_between_the_hips(astronaut):
    (trial,) = PoseExtractor().fit_transform([str(astronaut[0])])
    hips = trial[:, [23, 24], :3].mean(axis=1)
    np.testing.assert_allclose(hips, 0, atol=0.03)
    shoulders = np.linalg.norm(trial[:, 11, :3] - trial[:, 12, :3], axis=1)
    assert ((shoulders > 0.2) & (shoulders < 0.5)).all()
    assert (trial[:, 0, 1] < trial[:, 11, 1]).all()  # y points down: the nose is above


@needs_model
def test_arrays_and_files_agree(astronaut):
    path, frames, shifts = astronaut
    as_file, as_array = PoseExtractor(coordinates="image", fps=15).fit_transform([path, frames])
    assert correlation(as_array, shifts) > 0.95
    # the file went through a lossy codec; landmarks on hands out of view are guesses
    assert np.median(abs(as_file - as_array)[..., :2]) < 6


@needs_model
def test_track_has_times_and_both_coordinates(astronaut):
    path, _, _ = astronaut
    counted = []
    track = extract_pose(path, progress=counted.append)
    assert counted == list(range(1, 17))
    np.testing.assert_allclose(track.timestamps, np.arange(16) / 15, atol=1e-4)
    assert (track.width, track.height, track.coverage) == (640, 384, 1.0)
    assert track.largest_step < 0.3 and track.source == str(path)
    (world,) = PoseExtractor().transform([path])
    np.testing.assert_array_equal(track.landmarks(), world)  # bit for bit, run after run
    np.testing.assert_array_equal(track.landmarks("image"), track.image)
    with pytest.raises(ValueError, match="'camera'"):
        track.landmarks("camera")


@needs_model
@pytest.mark.parametrize("rotation, turns", [(90, 1), (-90, 3), (180, 2)])
def test_rotation_is_honoured(astronaut, tmp_path, rotation, turns):
    """A phone stores the picture on its side, and says so."""
    _, frames, shifts = astronaut
    stored = [np.rot90(frame, -turns) for frame in frames[:8]]
    path = write_video(tmp_path / "phone.mp4", stored, fps=15, rotation=(rotation, False))
    track = extract_pose(path)
    assert (track.width, track.height) == (640, 384)
    assert correlation(track.image, shifts[:8]) > 0.95
    assert (abs(track.image[:, 0, 1] - 120) < 20).all()


@needs_model
def test_target_fps(astronaut):
    path, _, shifts = astronaut
    slow, fast = (extract_pose(path, target_fps=fps) for fps in (5, 30))
    np.testing.assert_allclose(slow.timestamps, np.arange(6) / 5)
    assert correlation(slow.image, shifts[::3]) > 0.95
    np.testing.assert_allclose(fast.timestamps, np.arange(31) / 30)
    # frames shown twice have the same pose, and each frame of the file is in there
    assert len(np.unique(fast.image[:, 0, 0])) == 16


@needs_model
def test_variable_frame_rate(astronaut, tmp_path):
    """Uneven times, even movement: on a regular grid the nose moves evenly again."""
    _, frames, _ = astronaut
    kept = [0, 1, 2, 3, 5, 7, 8, 9, 10, 12, 14, 15]
    path = write_video(tmp_path / "vfr.mp4", frames[kept], times=np.array(kept) / 15)
    track = extract_pose(path, target_fps=10)
    np.testing.assert_allclose(track.timestamps, np.arange(11) / 10)
    assert np.corrcoef(track.image[:, 0, 0], track.timestamps)[0, 1] > 0.95


@needs_model
def test_min_visibility(astronaut):
    path, _, _ = astronaut
    everything, clear = (extract_pose(path, min_visibility=least) for least in (0.0, 0.5))
    hidden = everything.image[..., 3] < 0.5
    assert hidden.any() and not hidden.all()  # the legs are out of the picture
    for all_of_it, some in ((everything.image, clear.image), (everything.world, clear.world)):
        assert np.isnan(some[hidden][:, :3]).all()
        np.testing.assert_array_equal(some[~hidden], all_of_it[~hidden])
        np.testing.assert_array_equal(some[..., 3], all_of_it[..., 3])


@needs_model
def test_name_in_any_alphabet(astronaut, tmp_path):
    path = tmp_path / "Übung écran 映像.mp4"
    shutil.copy(astronaut[0], path)
    plain, other = PoseExtractor().transform([astronaut[0], path])
    np.testing.assert_array_equal(plain, other)


# --- bad videos in a batch ----------------------------------------------------------------------
@needs_model
def test_errors_name_the_file(astronaut, nobody, broken, tmp_path):
    path = astronaut[0]
    with pytest.raises(VideoError, match=r"nobody\.mp4: no person was found in any of its 5"):
        PoseExtractor().transform([nobody])
    with pytest.raises(VideoError, match=r"nobody\.mp4: no person"):
        extract_pose(nobody)
    with pytest.raises(VideoError, match=r"broken\.mp4.*cut short"):
        PoseExtractor().transform([broken])
    # what cannot even be opened is found before any work, all of it together
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(VideoError) as caught:
        PoseExtractor().transform([path, tmp_path / "missing.mp4", tmp_path / "empty.mp4"])
    assert len(str(caught.value).splitlines()) == 2
    assert "missing.mp4" in str(caught.value) and "empty.mp4" in str(caught.value)


@needs_model
def test_skip_loses_nothing_else(astronaut, nobody, broken, tmp_path):
    path = astronaut[0]
    missing = tmp_path / "missing.mp4"
    videos = [missing, path, nobody, broken, str(path)]
    with pytest.warns(UserWarning) as caught:
        trials = PoseExtractor(on_error="skip").transform(videos)
    messages = [str(warning.message) for warning in caught if "X[" in str(warning.message)]
    assert [message.split(":")[0] for message in messages] == ["X[0]", "X[2]", "X[3]"]
    for message, name in zip(messages, ("missing.mp4", "nobody.mp4", "broken.mp4")):
        assert name in message
    assert [trial.shape[0] for trial in trials] == [1, 16, 5, 1, 16]
    assert {trial.shape[1:] for trial in trials} == {(33, 4)}
    assert {trial.dtype for trial in trials} == {np.dtype(np.float32)}
    assert all(np.isnan(trials[i]).all() for i in (0, 2, 3))
    assert np.isfinite(trials[1]).all()
    np.testing.assert_array_equal(trials[1], trials[4])


# --- cache, processes, pickles ------------------------------------------------------------------
@needs_model
def test_memory_goes_by_content(astronaut, tmp_path):
    path, _, _ = astronaut
    memory, work = tmp_path / "cache", []

    def run(video, **options):
        """Return the track, and in how many frames MediaPipe was at work."""
        work.clear()
        track = extract_pose(video, memory=memory, progress=work.append, **options)
        return track, len(work)

    first, frames = run(path)
    assert frames == 16
    renamed = tmp_path / "renamed.mp4"
    shutil.copy(path, renamed)
    again, frames = run(renamed)
    assert frames == 0 and again.source == str(renamed)
    np.testing.assert_array_equal(again.world, first.world)
    np.testing.assert_array_equal(again.timestamps, first.timestamps)

    assert run(path, min_visibility=0.5)[1] == 0  # applied after
    assert run(path, target_fps=5)[1] == 6
    assert run(path, n_persons=2)[1] == 16
    assert run(path, n_persons=2, person="steady")[1] == 0

    changed = write_video(renamed, moving_astronaut(n_frames=5, step=4)[0], fps=15)
    assert run(changed)[1] == 5  # the same name, another film


@needs_model
def test_memory_of_the_estimator(astronaut, nobody, tmp_path):
    """What was finished before an error is kept; Memory objects, strings and paths all do."""
    path, frames, _ = astronaut
    with pytest.raises(VideoError, match="nobody"):
        PoseExtractor(memory=str(tmp_path)).transform([path, nobody])
    work = []
    extract_pose(path, memory=joblib.Memory(str(tmp_path), verbose=0), progress=work.append)
    assert work == []
    arrays = PoseExtractor(memory=tmp_path, coordinates="image")
    np.testing.assert_array_equal(arrays.transform([frames])[0], arrays.transform([frames])[0])
    extract_pose(frames, memory=tmp_path, progress=work.append)
    assert work == []
    extract_pose(frames[:4], memory=tmp_path, progress=work.append)
    assert len(work) == 4


@needs_model
@pytest.mark.timeout(
    1000
)  # two programs start that load MediaPipe: 18 s alone, 300 s at a load of 30
def test_processes_change_nothing(astronaut, nobody):
    path, frames, _ = astronaut
    videos = [path, nobody, frames]
    alone, shared = PoseExtractor(on_error="skip"), PoseExtractor(on_error="skip", n_jobs=2)
    with pytest.warns(UserWarning, match="nobody"):
        expected, found = alone.transform(videos), shared.transform(videos)
    for one, other in zip(expected, found):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(VideoError, match="nobody"):
        PoseExtractor(n_jobs=2).transform(videos)


@needs_model
def test_order_of_work_is_not_order_of_results(astronaut):
    """The longest video is begun first, and comes back in its place."""
    path, frames, _ = astronaut
    trials = PoseExtractor().transform([frames[:3], path, frames[:5]])
    assert [len(trial) for trial in trials] == [3, 16, 5]


@needs_model
def test_stateless_in_a_pipeline(astronaut):
    path = astronaut[0]
    extractor = PoseExtractor(target_fps=5)
    flat = FunctionTransformer(lambda trials: np.array([trial.mean(axis=0) for trial in trials]))
    pipe = clone(make_pipeline(extractor, flat))
    assert pipe.fit_transform([path]).shape == (1, 33, 4)
    before = vars(extractor).copy()
    extractor.transform([path])
    assert vars(extractor) == before
    copy = pickle.loads(pickle.dumps(extractor))
    np.testing.assert_array_equal(copy.transform([path])[0], extractor.transform([path])[0])


@needs_model
def test_progress_bar_goes_to_stderr(astronaut, capfd):
    PoseExtractor(verbose=1, target_fps=3).transform([astronaut[0]])
    out, err = capfd.readouterr()
    assert out == "" and "Poses of videos" in err and "1/1" in err and "astronaut.mp4" in err
    PoseExtractor(target_fps=3).transform([astronaut[0]])
    assert "Poses of videos" not in capfd.readouterr().err


@needs_model
def test_environment_is_left_alone(astronaut):
    before = dict(os.environ)
    PoseExtractor(target_fps=3).transform([astronaut[0]])
    assert dict(os.environ) == before


# --- real videos --------------------------------------------------------------------------------
@needs_model
@needs_shared_videos
def test_one_person_balance_has_a_pose_in_every_frame():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no jump is seen in it
        (trial,) = PoseExtractor().transform([VIDEOS / "one_person_balance.mp4"])
    assert trial.shape == (100, 33, 4)
    assert np.isfinite(trial).all()


@needs_model
@needs_shared_videos
def test_steady_on_two_people(tmp_path):
    """A man leaps off a roof while a woman walks past below him."""
    video = VIDEOS / "two_people_roof.mp4"
    options = {"n_persons": 2, "target_fps": 10, "memory": tmp_path}
    steps = {
        person: extract_pose(video, person=person, **options)
        for person in ("largest", "center", "steady")
    }
    assert steps["largest"].largest_step > 3
    assert steps["center"].largest_step > 3
    steady = steps["steady"]
    assert steady.largest_step < 1
    assert len(find_jumps(steady.image, steady.timestamps)) == 0
    hips = steady.image[:, [23, 24], :2].mean(axis=1)[steady.found]
    assert (hips[:, 1] < 500).all()  # the woman walks in the lower half of the picture
    assert 0.5 < steady.coverage < 0.9  # and after his leap he is nobody, not she


@needs_model
@needs_shared_videos
def test_jumps_are_told_of(tmp_path):
    video = str(VIDEOS / "two_people_roof.mp4")
    with pytest.warns(UserWarning, match=r"two_people_roof\.mp4: the pose jumps at .* s"):
        PoseExtractor(target_fps=10).transform([video])


@needs_model
def test_with_memory_all_bad_videos_are_named_after_the_good_ones(astronaut, nobody, tmp_path):
    path, *_ = astronaut
    other = write_video(tmp_path / "other.mp4", grey_wall(30))  # longer: it comes first
    with pytest.raises(VideoError) as caught:
        PoseExtractor(memory=tmp_path / "kept").transform([nobody, path, other])
    assert [line.partition(": ")[0] for line in str(caught.value).splitlines()] == [
        str(nobody),
        str(other),
    ]
    work = []
    extract_pose(path, memory=tmp_path / "kept", progress=work.append)
    assert not work


@needs_model
def test_a_store_that_fails_costs_nothing_but_the_store(astronaut, tmp_path, run_python):
    """A full disk lost the pose that was just found, and all the videos after it."""
    pytest.importorskip("resource", reason="no limit of file sizes here")
    path, frames, _ = astronaut
    said = run_python(
        """if True:
        import resource, signal, sys, warnings
        import numpy as np
        from skrehab.pose import extract_pose
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        work = []
        whole = extract_pose(sys.argv[1], model_path=sys.argv[3])
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            track = extract_pose(
                sys.argv[1], model_path=sys.argv[3], memory=sys.argv[2], progress=work.append
            )
        print(np.array_equal(track.world, whole.world, equal_nan=True), len(work))
        print(any("cannot be kept" in str(one.message) for one in found) or
              any("ersist" in str(one.message) or "cache" in str(one.message) for one in found))
        """,
        path,
        tmp_path / "kept",
        MODEL,
    )
    assert said.splitlines()[-2:] == [f"True {len(frames)}", "True"]
