"""LandmarkScaler, by hand."""

import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.pipeline import FeatureUnion

from skrehab import DisplacementSmoother, LandmarkScaler

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
