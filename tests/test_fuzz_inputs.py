"""The fuzz battery: each input ends in a right result, or in a clear error that names the item."""

import pickle
import tracemalloc

import numpy as np
import pytest
from bad_input_cases import CASES, Case
from bad_input_cases.trials import fitted
from media import noise, write_video

from skrehab.live import FrameStream
from skrehab.pose import VideoError, probe_video, read_frames, resample_frames
from skrehab.preprocessing import displacement, fill_gaps, find_swaps, mirror, moving_average
from skrehab.preprocessing.pose_measures import pose_quality
from skrehab.trials import check_trials

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from hypothesis.extra import numpy as hnp  # noqa: E402

# the same examples in every run: a failure can be looked at
quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)
brief = settings(quick, max_examples=25)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.group}: {case.name}" for case in CASES])
def test_case(case, tmp_path):
    outcome = case.run(tmp_path)
    if outcome.what == "skipped":
        pytest.skip(outcome.said)
    assert outcome.what in ("right result", "clear error"), outcome.said


def test_the_battery_is_as_large_as_it_says():
    assert len(CASES) >= 600
    assert len({(case.group, case.name) for case in CASES}) == len(CASES)


def read_frames_of(path):
    return list(read_frames(path))


def test_the_battery_can_fail(tmp_path):
    """Neither silence, nor a wrong result, nor an error that names nothing passes for well done."""

    def fail(item):
        raise ValueError("something is wrong")

    path = tmp_path / "a.mp4"
    made = {"make": lambda folder: path, "group": "", "name": ""}
    for use, right in ((str, None), (fail, None), (fail, bool), (str, lambda text: not text)):
        assert Case(use=use, right=right, **made).run(tmp_path).what == "failed"
    assert Case(use=read_frames_of, kind=TypeError, **made).run(tmp_path).what == "failed"
    assert Case(use=read_frames_of, kind=VideoError, **made).run(tmp_path).what == "clear error"


# --- files ----------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Bytes of small good videos by ending."""
    folder = tmp_path_factory.mktemp("good")
    codecs = {"mp4": "libx264", "mkv": "libx264", "avi": "mpeg4"}
    return {
        ending: write_video(folder / f"v.{ending}", noise(6, 48, 64), codec=codec).read_bytes()
        for ending, codec in codecs.items()
    }


def read_or_say(path):
    """Read a file; any failure must be a VideoError that begins with its name."""
    times = []
    try:
        for time, frame in read_frames(path):
            assert frame.dtype == np.uint8 and frame.ndim == 3 and frame.shape[2] == 3
            times.append(time)
    except VideoError as error:
        assert str(error).startswith(str(path))
        assert len(str(error)) > len(str(path)) + 20
        return False
    assert times and times[0] >= 0 and (np.diff(times) > 0).all()
    return True


@brief
@given(ending=st.sampled_from(["mp4", "mkv", "avi"]), share=st.floats(0, 1))
def test_cut_anywhere(files, tmp_path_factory, ending, share):
    data = files[ending]
    path = tmp_path_factory.mktemp("cut") / f"cut.{ending}"
    path.write_bytes(data[: int(share * len(data))])
    if read_or_say(path):  # what is read as if it were whole has all its frames
        assert len(list(read_frames(path))) == 6


@brief
@given(data=st.data(), ending=st.sampled_from(["mp4", "mkv", "avi"]))
def test_bytes_changed_anywhere(files, tmp_path_factory, data, ending):
    content = bytearray(files[ending])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=30)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / f"changed.{ending}"
    path.write_bytes(content)
    read_or_say(path)


@brief
@given(content=st.binary(max_size=300), head=st.sampled_from([b"", b"\0\0\0\x18ftypmp42", b"RIFF"]))
def test_rubbish(tmp_path_factory, content, head):
    path = tmp_path_factory.mktemp("rubbish") / "rubbish.mp4"
    path.write_bytes(head + content)
    assert not read_or_say(path)
    with pytest.raises(VideoError):
        probe_video(path)


name_parts = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)


@brief
@given(name=name_parts)
def test_any_name(files, tmp_path_factory, name):
    path = tmp_path_factory.mktemp("names") / f"{name}.mp4"
    path.write_bytes(files["mp4"])
    assert read_or_say(path)
    assert probe_video(path).path == path


@brief
@given(
    steps=st.lists(st.floats(0.004, 3), min_size=1, max_size=8),
    target=st.sampled_from([None, 4.0, 25.0]),
)
def test_any_times(tmp_path_factory, steps, target):
    times = np.concatenate([[0], np.cumsum(steps)])
    path = tmp_path_factory.mktemp("times") / "vfr.mp4"
    write_video(path, noise(len(times), 48, 64), times=times)
    found = np.array([time for time, _ in read_frames(path, target_fps=target)])
    if target is None:
        np.testing.assert_allclose(found, times, atol=1.1e-3)
    else:
        np.testing.assert_allclose(np.diff(found), 1 / target, atol=1e-6)
        assert abs(found[-1] - times[-1]) <= 0.5 / target + 2e-3


@quick
@given(
    gaps=st.lists(st.floats(1e-3, 10), max_size=30),
    target=st.floats(0.1, 60),
)
def test_resampling_keeps_near_the_truth(gaps, target):
    times = np.concatenate([[0], np.cumsum(gaps)])
    out = list(resample_frames([(time, i) for i, time in enumerate(times)], target))
    for time, i in out:
        assert abs(times[i] - time) <= np.abs(times - time).min() + 1e-6
    assert len(out) == int(np.floor(times[-1] * target + 0.5 - 1e-7)) + 1 or len(out) > 0


# --- landmarks ------------------------------------------------------------------------------------
anything = st.one_of(
    hnp.arrays(
        st.one_of(
            hnp.floating_dtypes(),
            hnp.integer_dtypes(),
            hnp.boolean_dtypes(),
            hnp.complex_number_dtypes(),
            hnp.unicode_string_dtypes(max_len=3),
        ),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    st.none(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.floats(),
    st.integers(),
    st.lists(st.lists(st.floats(), max_size=3), max_size=3),
    st.dictionaries(st.text(), st.floats()),
)


@quick
@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@given(item=anything)
def test_anything_as_a_trial(item):
    """It becomes a float32 trial with the same numbers, or the error says which trial it was."""
    good = np.zeros((3, 2, 3), dtype=np.float32)
    try:
        trials = check_trials([good, item])
    except ValueError as error:
        assert "X[1]" in str(error)
    else:
        assert trials[1].dtype == np.float32 and trials[1].shape[1:] == (2, 3)
        np.testing.assert_array_equal(trials[1], np.asarray(item).astype(np.float32))


lossy = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.just(17), st.integers(2, 4)),
    elements=st.one_of(st.just(np.nan), st.floats(-100, 100, width=16)),
)


@quick
@given(trial=lossy)
@pytest.mark.filterwarnings("error")
def test_steps_on_any_losses(trial):
    """What was seen stays a number, what nothing is known of stays NaN, and nothing warns."""
    seen = np.isfinite(trial)
    smooth = moving_average(displacement(trial), 3, causal=True)
    assert np.isfinite(smooth[seen]).all()
    for causal in (False, True):
        filled = fill_gaps(trial, 2, causal)
        np.testing.assert_array_equal(filled[seen][: seen.sum()], trial[seen])
        never = ~seen.any(axis=0)
        assert np.isnan(filled[:, never]).all()
        assert find_swaps(trial, causal=causal).shape == (len(trial), 3)
    np.testing.assert_array_equal(mirror(mirror(trial)), trial)
    quality = pose_quality(trial)
    assert 0 <= quality.coverage <= 1 and 0 <= quality.unclear <= 1
    assert quality.jumps < len(trial) and quality.swaps <= len(trial)


@brief
@given(
    trial=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 30), st.just(33), st.just(3)),
        elements=st.one_of(st.just(np.nan), st.floats(-3, 3, width=16)),
    )
)
def test_live_is_offline_on_any_losses(trial):
    pipeline = fitted()
    stream = FrameStream(pipeline)
    live = [stream.push(frame, t / 30) for t, frame in enumerate(trial)]
    np.testing.assert_allclose(live, pipeline.predict_proba([trial])[0], rtol=0, atol=1e-6)


@quick
@given(times=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=12))
def test_live_at_any_times(times):
    """Each frame is scored, late, or refused; the counts say which; the next one goes on."""
    stream = FrameStream(fitted())
    frame = np.zeros((33, 3), dtype=np.float32)
    last, scored, late = -np.inf, 0, 0
    for time in times:
        if not np.isfinite(time):
            with pytest.raises(ValueError, match="timestamp"):
                stream.push(frame, time)
        elif time <= last:
            assert stream.push(frame, time) is None
            late += 1
        else:
            assert np.isfinite(stream.push(frame, time)).all()
            last, scored = time, scored + 1
    assert (stream.counts.frames, stream.counts.late) == (scored, late)


# --- many frames ----------------------------------------------------------------------------------
def test_live_state_does_not_grow():
    """Every step that can run live, 1500 frames, some lost: what is kept stays as small."""
    stream = FrameStream(fitted())
    rng = np.random.RandomState(0)
    frames = rng.randn(50, 33, 3).astype(np.float32)
    frames[rng.rand(50, 33) < 0.2] = np.nan
    sizes = []
    for t in range(1500):
        stream.push(frames[t % 50], t / 30)
        if t in (500, 1450):  # the same frame of the fifty
            sizes.append(len(pickle.dumps(vars(stream))))
    assert abs(sizes[1] - sizes[0]) < 64
    assert stream.counts.frames == 1500


def test_a_long_video_is_never_in_memory(tmp_path):
    path = write_video(tmp_path / "long.mp4", np.zeros((1500, 96, 96, 3), np.uint8))
    one = 96 * 96 * 3
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_frames(path, target_fps=25))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 1250
    assert peak < 40 * one  # all of them would be 1500
