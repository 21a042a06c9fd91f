"""Displacement and moving average, by hand and against slow references."""

import numpy as np
import pytest

from skrehab import DisplacementSmoother
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
