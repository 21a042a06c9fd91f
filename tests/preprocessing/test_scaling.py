"""LandmarkScaler, by hand."""

import numpy as np

from skrehab import LandmarkScaler

nan = np.nan


def column(*values):
    """A trial of one landmark with one coordinate."""
    return np.array(values, dtype=np.float32).reshape(-1, 1, 1)


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
