"""Displacement, moving average and scale, by hand and against slow references."""

import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion

from skrehab import DisplacementSmoother, LandmarkScaler
from skrehab.preprocessing import displacement, moving_average


def column(*values):
    """A trial of one landmark with one coordinate."""
    return np.array(values, dtype=np.float32).reshape(-1, 1, 1)


nan = np.nan


# --- displacement ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        ([5, 6, 8], [0, 1, 3]),
        ([nan, 6, 8], [nan, 0, 2]),  # seen late: its own first frame is the origin
        ([5, nan, 8], [0, nan, 3]),
        ([nan, nan, nan], [nan, nan, nan]),
        ([7], [0]),
    ],
)
def test_displacement(trial, expected):
    np.testing.assert_array_equal(displacement(column(*trial)).ravel(), expected)


def test_displacement_is_by_landmark_and_coordinate():
    trial = np.random.RandomState(0).randn(6, 3, 2)
    trial[0, 1] = nan
    moved = displacement(trial)
    np.testing.assert_allclose(moved[:, 0], trial[:, 0] - trial[0, 0])
    np.testing.assert_allclose(moved[1:, 1], trial[1:, 1] - trial[1, 1])
    np.testing.assert_allclose(displacement(trial + 100.0), moved, atol=1e-10)


# --- moving average -------------------------------------------------------------------------------
def slow_average(values, window, causal):
    """The definition, frame by frame; the smoother's causal default is the function's too."""
    out = []
    for t in range(len(values)):
        after = 0 if causal else (window - 1) // 2
        inside = values[max(0, t + after + 1 - window) : t + after + 1]
        inside = inside[~np.isnan(inside)]
        out.append(inside.mean() if len(inside) else nan)
    return np.array(out)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 30])
@pytest.mark.parametrize("lost", [0.0, 0.3, 0.9])
def test_moving_average_is_its_definition(window, causal, lost):
    rng = np.random.RandomState(window)
    values = rng.randn(25) + 5
    values[rng.rand(25) < lost] = nan
    np.testing.assert_allclose(
        moving_average(values, window, causal),
        slow_average(values, window, causal),
        rtol=1e-12,
        equal_nan=True,
    )


def test_moving_average_keeps_the_type_and_long_trials_precise():
    trial = np.full((100_000, 1, 1), 0.1, dtype=np.float32)
    out = moving_average(trial, 5)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out, 0.1, rtol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
def test_one_nan_does_not_spread(causal):
    trial = column(1, 1, nan, 1, 1)
    assert (moving_average(trial, 3, causal) == 1).all()


# --- DisplacementSmoother -------------------------------------------------------------------------
def test_smoother_is_offset_then_average():
    trial = np.random.RandomState(0).randn(9, 4, 3).astype(np.float32)
    for causal in (False, True):
        out = DisplacementSmoother(3, causal=causal).fit_transform([trial])[0]
        np.testing.assert_array_equal(out, moving_average(displacement(trial), 3, causal))


def published(trial, window=5):
    """Theirs: the mean of frames max(0, t - 4) to t, then minus the first mean; in double."""
    frames = trial.astype(float)
    smooth = np.stack(
        [np.mean(frames[max(0, t - window + 1) : t + 1], axis=0) for t in range(len(frames))]
    )
    return (smooth - smooth[0]).astype(np.float32)


@pytest.mark.parametrize("n_frames", [1, 2, 4, 5, 6, 300])
def test_smoothing_first_is_theirs_bit_for_bit(n_frames):
    trial = (1e3 + np.random.RandomState(0).randn(n_frames, 33, 3)).astype(np.float32)
    smoother = DisplacementSmoother(order="smooth_first").fit([trial])
    out = smoother.transform([trial])[0]
    np.testing.assert_array_equal(out, published(trial))
    stream = smoother._stream()
    live = np.stack([stream.push(frame, 0.1 * t) for t, frame in enumerate(trial)])
    np.testing.assert_array_equal(live, out)


def test_the_orders_by_hand():
    trial = column(3, 0, 6, 9)
    for params, expected in (
        ({}, [0, -1.5, 0, 2]),
        ({"order": "smooth_first"}, [0, -1.5, 0, 2]),  # means 3, 1.5, 3, 5
        ({"causal": False}, [-1.5, 0, 2, 4.5]),
        ({"causal": False, "order": "smooth_first"}, [0, 1.5, 3.5, 6]),  # 1.5, 3, 5, 7.5
    ):
        out = DisplacementSmoother(3, **params).fit_transform([trial])[0]
        np.testing.assert_allclose(out.ravel(), expected)
    lost = column(nan, 4, nan, 10, 12)
    out = DisplacementSmoother(2, order="smooth_first").fit_transform([lost])[0]
    np.testing.assert_allclose(out.ravel(), [nan, 0, 0, 6, 7])  # means nan, 4, 4, 10, 11


@pytest.mark.parametrize("order", ["offset_first", "smooth_first"])
@pytest.mark.parametrize("window", [1, 2, 5, 40])
@pytest.mark.parametrize("n_coords", [3, 4])
def test_the_stream_gives_the_same_bits(order, window, n_coords):
    trial = np.random.RandomState(0).randn(60, 4, n_coords).astype(np.float32)
    trial[np.random.RandomState(1).rand(*trial.shape) < 0.3] = nan
    smoother = DisplacementSmoother(window, order=order, visibility="keep").fit([trial])
    stream, out = smoother._stream(), smoother.transform([trial])[0]
    for _ in range(2):
        live = np.stack([stream.push(frame, 0.1 * t) for t, frame in enumerate(trial)])
        np.testing.assert_array_equal(live, out)
        stream.reset()


def test_a_long_trial_rounds_no_worse_than_a_short_one():
    trial = np.full((200_000, 1, 1), 0.1)
    trial[0] = 1e9  # a running sum would never get rid of it
    assert (moving_average(trial)[5:] == np.mean([0.1] * 5)).all()


def test_centred_costs_two_frames_and_causal_none():
    step = column(*[0] * 10, *[1] * 10)
    centred = DisplacementSmoother(5, causal=False).fit_transform([step])[0].ravel()
    causal = DisplacementSmoother(5).fit_transform([step])[0].ravel()
    assert np.flatnonzero(centred)[0] == 8  # it saw the step two frames ahead
    assert np.flatnonzero(causal)[0] == 10


@pytest.mark.parametrize("n_coords", [1, 2, 3, 4, 6])
def test_only_a_fourth_coordinate_is_visibility(n_coords):
    rng = np.random.RandomState(0)
    trial = rng.rand(8, 5, n_coords).astype(np.float32)
    dropped = DisplacementSmoother().fit_transform([trial])[0]
    kept = DisplacementSmoother(visibility="keep").fit_transform([trial])[0]
    assert kept.shape == trial.shape
    if n_coords == 4:
        assert dropped.shape == (8, 5, 3)
        np.testing.assert_array_equal(kept[..., 3], trial[..., 3])  # untouched
        np.testing.assert_array_equal(kept[..., :3], dropped)
    else:
        np.testing.assert_array_equal(dropped, kept)
        np.testing.assert_array_equal(dropped, moving_average(displacement(trial), 5))


# --- LandmarkScaler -------------------------------------------------------------------------------
def test_scaler_gives_unit_spread_over_all_training_frames():
    rng = np.random.RandomState(0)
    X = [(rng.randn(n, 4, 3) * 7 + 3).astype(np.float32) for n in (10, 50, 23)]
    frames = np.concatenate(X)
    scaler = LandmarkScaler().fit(X)
    np.testing.assert_allclose(scaler.scale_, np.sqrt((frames**2).mean(axis=0)), rtol=1e-5)
    assert (scaler.mean_ == 0).all()
    np.testing.assert_allclose(
        (np.concatenate(scaler.transform(X)) ** 2).mean(axis=0), 1, rtol=1e-5
    )
    centred = np.concatenate(LandmarkScaler(center=True).fit_transform(X))
    np.testing.assert_allclose(centred.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(centred.std(axis=0), 1, rtol=1e-5)


def test_zero_displacement_stays_zero():
    X = [np.zeros((4, 2, 3)), np.ones((3, 2, 3))]
    assert (LandmarkScaler().fit_transform(X)[0] == 0).all()


def test_scaler_leaves_nan_out_and_a_dead_coordinate_alone():
    X = [np.concatenate([column(nan, 3, nan, 4), column(2, 2, 2, 2), column(*[nan] * 4)], axis=1)]
    scaler = LandmarkScaler().fit(X)
    np.testing.assert_allclose(scaler.scale_.ravel(), [np.sqrt(12.5), 2, 1])
    assert LandmarkScaler(center=True).fit(X).scale_.ravel().tolist() == [0.5, 1, 1]
    out = scaler.transform(X)[0]
    assert np.isnan(out[[0, 2], 0]).all() and np.isnan(out[:, 2]).all()
    assert np.isfinite(out[[1, 3], 0]).all()


@pytest.mark.parametrize("center", [False, True])
def test_a_scaler_holds_little_and_learns_the_same(center):
    """To the bit what sums over all frames in one array give, with a fifth of its memory."""
    rng = np.random.RandomState(0)
    X = [rng.randn(n, 33, 3).astype(np.float32) * 1e3 for n in (5000, 3, 1024, 2049, 4000, 5000)]
    X[0][:5] = np.nan
    X[3][:, 7, 1] = np.nan
    frames = np.concatenate(X).astype(float)
    count = (~np.isnan(frames)).sum(axis=0)
    mean = np.nansum(frames, axis=0) / count
    middle = mean if center else np.zeros_like(mean)
    spread = np.sqrt(np.nansum((frames - middle) ** 2, axis=0) / count)
    scaler = LandmarkScaler(center=center).fit(X)
    np.testing.assert_array_equal(scaler.mean_, middle)
    np.testing.assert_array_equal(scaler.scale_, spread)
    many = [trial[:1000] for trial in X if len(trial) > 1000] * 20
    for trials in (many, [trial.astype(float) for trial in many]):
        LandmarkScaler().fit(trials[:2])  # what is imported or kept once is there
        tracemalloc.start()
        LandmarkScaler(center=center).fit(trials)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 0.2 * sum(trial.nbytes for trial in trials)


# --- FeatureUnion ---------------------------------------------------------------------------------
@pytest.mark.parametrize("lengths", [[10] * 4, [10, 12, 9, 10]])
def test_a_feature_union_does_not_join_trials_in_time(lengths):
    """Trials of 10 frames came out with 20, and each got 20 verdicts."""
    X = [np.random.RandomState(0).randn(n, 5, 3) for n in lengths]
    union = FeatureUnion([("moved", DisplacementSmoother()), ("scaled", LandmarkScaler())])
    with pytest.raises(ValueError, match=r"end to end in time.*one after the other in a Pipeline"):
        union.fit_transform(X)
    with pytest.raises(ValueError, match="end to end in time"):
        union.fit(X).transform(X)


def test_what_transformers_return_is_a_list_all_the_same():
    X = [np.random.RandomState(0).randn(n, 5, 3) for n in (4, 6)]
    moved = DisplacementSmoother().fit_transform(X)
    assert isinstance(moved, list) and len(moved[:1]) == 1 and moved == moved[:]
    assert np.concatenate(moved).shape == (10, 5, 3)
    assert np.concatenate([*moved, *moved]).shape == (20, 5, 3)
    assert type(pickle.loads(pickle.dumps(moved))) is type(moved)
    same = DisplacementSmoother().fit_transform([X[0], X[0]])
    assert np.asarray(same).shape == np.stack(same).shape == (2, 4, 5, 3)
    assert np.concatenate([same[0], same[1]], axis=1).shape == (4, 10, 3)  # one's own landmarks
