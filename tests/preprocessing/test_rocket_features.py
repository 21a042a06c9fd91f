"""RocketFeatures: MiniRocket's numbers, kernel by kernel."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrehab import RocketFeatures
from skrehab.preprocessing.rocket_features import TRIOS, kernel_dilations


def trials(n=6, n_landmarks=4, seed=0):
    rng = np.random.RandomState(seed)
    lengths = rng.randint(20, 50, n)
    return [rng.randn(k, n_landmarks, 3).cumsum(axis=0).astype("f") for k in lengths]


def test_features_are_shares_of_frames_above_thresholds():
    """Every feature of every trial against a convolution written with its nine weights."""
    X = [one[:30] for one in trials(n=3) if len(one) >= 30]
    model = RocketFeatures(84 * 5, n_frames=30, random_state=0).fit(X)
    found = model.transform(X)
    assert found.shape == (len(X), 84 * 5) and found.dtype == np.float32
    dilations, counts = kernel_dilations(30, 5)
    for i, trial in enumerate(X):
        flat, column, place = trial.reshape(30, -1).astype(float), 0, 0
        for number, (dilation, n) in enumerate(zip(dilations, counts)):
            for kernel, trio in enumerate(TRIOS):
                weights = np.where(np.isin(np.arange(9), trio), 2, -1)
                used = model.channels_[place]
                series = flat[:, used[used >= 0]].sum(axis=1)
                response = np.array([
                    sum(w * series[t + (k - 4) * dilation] for k, w in enumerate(weights)
                        if 0 <= t + (k - 4) * dilation < 30)
                    for t in range(30)
                ])  # fmt: skip
                if (number + kernel) % 2:
                    response = response[4 * dilation : -4 * dilation]
                for _ in range(n):
                    # a threshold may be a response itself: what is within rounding of it may fall
                    # on either side
                    low, high = (
                        np.mean(response > model.biases_[column] + s) for s in (1e-4, -1e-4)
                    )
                    assert low - 1e-6 <= found[i, column] <= high + 1e-6
                    column += 1
                place += 1
    assert found.std() > 0.1 and found.min() >= 0 and found.max() <= 1


@pytest.mark.parametrize("n_frames, n_each", [(9, 1), (60, 119), (120, 119), (300, 7)])
def test_dilations(n_frames, n_each):
    """All features are there, and the widest kernel is no longer than a trial."""
    dilations, counts = kernel_dilations(n_frames, n_each)
    assert counts.sum() == n_each and counts.min() >= 1
    assert dilations[0] == 1 and 8 * dilations[-1] + 1 <= n_frames


def test_thresholds_are_quantiles_of_training_responses():
    """Over the trials that they came from, features spread evenly over 0 to 1."""
    X = trials(n=20)
    found = RocketFeatures(84 * 20, random_state=0).fit_transform(X)
    assert abs(found.mean() - 0.5) < 0.05
    shares, _ = np.histogram(found, bins=5, range=(0, 1))
    assert shares.min() > 0.1 * found.size


def test_each_threshold_is_a_quantile_of_one_training_trial():
    """With one training trial it is known which: NumPy's quantiles of each kernel's response."""
    [trial] = trials(n=1)
    model = RocketFeatures(84 * 11, n_frames=len(trial), random_state=0).fit([trial])
    flat, place, start = trial.reshape(len(trial), -1), 0, 0
    golden = np.arange(1, 84 * 11 + 1) * (np.sqrt(5) + 1) / 2 % 1
    for dilation, n in zip(*kernel_dilations(len(trial), 11)):
        for trio in TRIOS:
            series = flat[:, [c for c in model.channels_[place] if c >= 0]].sum(axis=1)
            weights = np.zeros(8 * dilation + 1)
            weights[::dilation] = np.where(np.isin(np.arange(9), trio), 2, -1)
            response = np.correlate(series, weights, "same")
            expected = np.quantile(response, golden[start : start + n])
            np.testing.assert_allclose(
                model.biases_[start : start + n], expected, rtol=1e-4, atol=1e-4
            )
            place, start = place + 1, start + n
    assert start == len(model.biases_)


def test_a_trial_is_described_by_itself():
    X = trials(n=140)  # more than go at once
    model = RocketFeatures(84 * 2, random_state=0).fit(X[:10])
    together = model.transform(X)
    np.testing.assert_array_equal(together[[3, 130]], model.transform([X[3], X[130]]))


def test_the_seed_decides():
    X = trials()
    a, b, c = (RocketFeatures(84 * 3, random_state=s).fit_transform(X) for s in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_speed_of_the_movement_does_not_count():
    """A trial twice as long, drawn by straight lines, gives the same features."""
    [trial] = trials(n=1)
    at = np.linspace(0, len(trial) - 1, 2 * len(trial) - 1)
    low = at.astype(int)
    high = np.minimum(low + 1, len(trial) - 1)
    slow = trial[low] + (at - low)[:, None, None] * (trial[high] - trial[low])
    model = RocketFeatures(84 * 5, random_state=0).fit([trial])
    a, b = model.transform([trial, slow.astype("f")])
    assert np.mean(np.abs(a - b) > 0.02) < 0.1 and np.abs(a - b).mean() < 0.02


def test_gaps_are_filled_by_straight_lines():
    X = [np.repeat(np.arange(40.0)[:, None, None], 2, axis=1).repeat(3, axis=2).astype("f")]
    lost = [X[0].copy()]
    lost[0][5:20, 0] = np.nan
    model = RocketFeatures(84 * 4, random_state=0).fit(X + trials(n_landmarks=2))
    np.testing.assert_array_equal(model.transform(X), model.transform(lost))
    lost[0][:, 1] = np.nan  # never seen
    assert np.isfinite(model.transform(lost)).all()


def test_long_trials_are_counted_right():
    """More frames than a byte counts to."""
    X = [np.ones((5, 1, 1), dtype="f")]
    model = RocketFeatures(84, n_frames=600, random_state=0).fit(X)
    model.biases_[:] = -100  # all is above
    np.testing.assert_array_equal(model.transform(X), 1)


def test_with_a_ridge_it_tells_movements_apart():
    """Fast and slow waves of random phase, on people never seen."""
    rng = np.random.RandomState(0)
    y = np.arange(40) % 2
    X = [
        np.sin((0.3 + 0.3 * one) * np.arange(60)[:, None, None] + 6 * rng.rand(1, 5, 3))
        + 0.3 * rng.randn(60, 5, 3)
        for one in y
    ]
    model = make_pipeline(
        RocketFeatures(84 * 10, random_state=0), StandardScaler(), RidgeClassifierCV()
    )
    assert model.fit(X[:20], y[:20]).score(X[20:], y[20:]) > 0.9
    names = model[0].get_feature_names_out()
    assert names[0] == "rocket0" and len(names) == 840


def test_it_does_not_run_live():
    with pytest.raises(ValueError, match="does not run live"):
        RocketFeatures(84).fit(trials())._stream()


def change_channels(model):
    model.channels_[5, 0] = 12  # there are 0 to 11


def lose_thresholds(model):
    model.biases_ = model.biases_[:-1]


def silence_a_kernel(model):
    model.channels_[7] = -1


@pytest.mark.parametrize("change", [change_channels, lose_thresholds, silence_a_kernel])
def test_kernels_that_do_not_fit_are_not_computed(change):
    """As in a model folder that somebody wrote by hand."""
    X = trials()
    model = RocketFeatures(84 * 5, random_state=0).fit(X)
    change(model)
    with pytest.raises(ValueError, match="Fit it again"):
        model.transform(X)


def test_parameters_count_in_fit_only():
    X = trials()
    model = RocketFeatures(84 * 5, random_state=0).fit(X)
    before = model.transform(X)
    model.set_params(n_frames=40, n_features=84)
    np.testing.assert_array_equal(model.transform(X), before)
