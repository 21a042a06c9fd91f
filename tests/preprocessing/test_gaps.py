"""GapFiller: short gaps are filled, long ones and the ends are not."""

import numpy as np
import pytest
from instances import tiny_frames, tiny_trials
from sklearn.pipeline import make_pipeline

from skrehab.live import FrameStream
from skrehab.preprocessing import GapFiller, fill_gaps

NAN = np.nan


def one(values):
    return np.array(values, dtype=np.float32).reshape(-1, 1, 1)


def lossy(trial, seed):
    """Lose landmarks in runs of all lengths, at the ends too."""
    rng = np.random.RandomState(seed)
    trial = trial.copy()
    for landmark in range(trial.shape[1]):
        for _ in range(4):
            start = rng.randint(len(trial))
            trial[start : start + rng.randint(1, 6), landmark, rng.randint(trial.shape[2]) :] = NAN
    trial[:, 1] = NAN  # never seen
    return trial


@pytest.mark.parametrize(
    ("given", "straight", "held"),
    [
        ([1, NAN, 3], [1, 2, 3], [1, 1, 3]),
        ([1, NAN, NAN, 7], [1, 3, 5, 7], [1, 1, 1, 7]),
        ([1, NAN, NAN, NAN, 7], [1, NAN, NAN, NAN, 7], [1, 1, 1, NAN, 7]),
        ([NAN, 1, 2], [NAN, 1, 2], [NAN, 1, 2]),
        ([1, 2, NAN], [1, 2, NAN], [1, 2, 2]),
        ([NAN, NAN], [NAN, NAN], [NAN, NAN]),
        ([1, NAN, 3, NAN, 5], [1, 2, 3, 4, 5], [1, 1, 3, 3, 5]),
        ([5], [5], [5]),
    ],
)
def test_by_hand(given, straight, held):
    np.testing.assert_array_equal(fill_gaps(one(given), 2), one(straight))
    np.testing.assert_array_equal(fill_gaps(one(given), 2, causal=True), one(held))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("limit", [1, 3, 99])
def test_against_numpy_interp(seed, limit):
    """Every coordinate on its own, as a plain loop says it."""
    trial = lossy(np.random.RandomState(seed).randn(30, 4, 3).astype(np.float32), seed)
    filled = fill_gaps(trial, limit)
    for landmark, coord in np.ndindex(4, 3):
        x, known = trial[:, landmark, coord], np.isfinite(trial[:, landmark, coord])
        if not known.any():
            assert np.isnan(filled[:, landmark, coord]).all()
            continue
        frames = np.arange(30)
        expected = np.interp(frames, frames[known], x[known], left=NAN, right=NAN)
        for before, after in zip(frames[known][:-1], frames[known][1:]):
            if after - before - 1 > limit:
                expected[before + 1 : after] = NAN
        np.testing.assert_allclose(filled[:, landmark, coord], expected, rtol=1e-6)


def test_what_is_filled_was_not_seen():
    trial = np.ones((4, 2, 4), dtype=np.float32)
    trial[1, 0] = NAN  # nobody there: no visibility either
    trial[2, 1, :3] = NAN  # taken out as hardly visible
    trial[2, 1, 3] = 0.2
    for causal in (False, True):
        filled = fill_gaps(trial, 2, causal)
        assert np.isfinite(filled).all()
        assert filled[1, 0, 3] == 0
        assert filled[2, 1, 3] == np.float32(0.2)
        assert (filled[..., :3] == 1).all()


def test_limit_in_seconds_and_in_frames():
    X = [one(np.arange(9))]
    assert GapFiller().fit(X).max_frames_ == 6
    assert GapFiller(0.3, frame_rate=10).fit(X).max_frames_ == 3  # not 2, for all the rounding
    assert GapFiller(4, frame_rate=None).fit(X).max_frames_ == 4
    with pytest.raises(ValueError, match="shorter than a frame at 10"):
        GapFiller(0.05, frame_rate=10).fit(X)
    with pytest.raises(ValueError, match="less than one"):
        GapFiller(frame_rate=None).fit(X)
    with pytest.raises(ValueError, match="'max_gap' parameter of GapFiller"):
        GapFiller(-1).fit(X)


@pytest.mark.parametrize("n_coords", [3, 4])
def test_live_is_offline(n_coords):
    data = tiny_trials(n_coords=n_coords)
    X = [lossy(trial, i) for i, trial in enumerate(data.X)]
    filler = GapFiller(3, frame_rate=None, causal=True).fit(X)
    stream = filler._stream()
    for trial, whole in zip(X, filler.transform(X)):
        stream.reset()
        live = [stream.push(frame, t / 30) for t, frame in enumerate(trial)]
        np.testing.assert_array_equal(live, whole)
        for t in range(1, len(trial)):
            np.testing.assert_array_equal(filler.transform([trial[:t]])[0], whole[:t])


def test_in_a_live_pipeline():
    data = tiny_trials()
    data.X[0][5:7, 2] = NAN
    pipeline = make_pipeline(GapFiller(causal=True), tiny_frames()).fit(data.X, data.frame_labels)
    stream = FrameStream(pipeline)
    live = [stream.push(frame, t / 30) for t, frame in enumerate(data.X[0])]
    np.testing.assert_allclose(live, pipeline.predict_proba(data.X[:1])[0], rtol=0, atol=1e-6)
    looking_ahead = make_pipeline(GapFiller(), tiny_frames()).fit(data.X, data.frame_labels)
    with pytest.raises(ValueError, match=r"gapfiller.*GapFiller\(causal=True\)"):
        FrameStream(looking_ahead)


def test_an_hour_of_nobody_takes_no_memory():
    stream = GapFiller(causal=True).fit([np.zeros((2, 5, 3))])._stream()
    stream.push(np.zeros((5, 3)), 0)
    for t in range(1, 2000):
        out = stream.push(np.full((5, 3), NAN), t)
        assert np.isnan(out).all() == (t > 6)
    assert stream.age.max() == 7


def test_short_gaps_come_back_closer_than_held_values(shared):
    """Real movement: what is filled is nearer to the truth than what was there before."""
    with np.load(shared / "data" / "uiprmd_kinect.npz") as data:
        trial = data["frames"][: data["offsets"][1]]
    broken = trial.copy()
    for start in range(5, len(trial) - 6, 12):
        broken[start : start + 5] = NAN
    lost = np.isnan(broken)
    straight, held = (fill_gaps(broken, 6, causal) for causal in (False, True))
    errors = [np.sqrt(np.mean((filled - trial)[lost] ** 2)) for filled in (straight, held)]
    assert errors[0] < 0.5 * errors[1]
    assert errors[0] < 0.03  # metres
