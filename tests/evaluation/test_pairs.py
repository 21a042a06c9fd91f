"""Intervals, effect sizes and what few patients can show, against SciPy and by hand."""

import numpy as np
import pytest
from scipy import stats

from skrehab.evaluation import all_pairs, bca_interval, effect_sizes, smallest_p
from skrehab.metrics import PatientScores


def scores_of(values):
    return PatientScores([f"P{i}" for i in range(len(values))], np.array(values), 0.5)


def test_the_interval_is_bca():
    scores = np.array([0.95, 0.92, 0.97, 0.6, 0.99, 0.91, 0.88, 0.94])
    theirs = stats.bootstrap(
        (scores,), np.mean, method="BCa", n_resamples=20_000, random_state=1
    ).confidence_interval
    ours = bca_interval(scores, n_resamples=20_000)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.006)
    plain = stats.bootstrap(
        (scores,), np.mean, method="percentile", n_resamples=20_000, random_state=1
    ).confidence_interval
    assert ours[0] < plain.low - 0.01  # skewed: it must not be the percentile interval


def test_intervals_of_nothing():
    assert np.isnan(bca_interval([0.5])).all()
    assert bca_interval([0.5, 0.5, np.nan]) == (0.5, 0.5)


def test_effect_sizes_by_hand():
    dz, rank = effect_sizes([0.3, 0.1, 0.2, np.nan], [0.1, 0.2, 0.2, 0.4])
    assert dz == pytest.approx(np.mean([0.2, -0.1, 0]) / np.std([0.2, -0.1, 0], ddof=1))
    assert rank == pytest.approx((2 - 1) / 3)
    assert np.isnan(effect_sizes([0.1, 0.1], [0.1, 0.1])).all()


@pytest.mark.parametrize("n", [4, 5, 6, 9])
def test_the_smallest_p_is_reached(n):
    a = np.linspace(0.6, 0.9, n)
    b = a - np.linspace(0.01, 0.02, n)
    assert stats.wilcoxon(a, b).pvalue == pytest.approx(smallest_p(n))
    assert all_pairs({"a": scores_of(a), "b": scores_of(b)})[0]["p_wilcoxon"] == smallest_p(n)


def test_every_pair_once_and_adjusted():
    rng = np.random.RandomState(0)
    results = {name: scores_of(rng.rand(8)) for name in "abcd"}
    rows = all_pairs(results)
    assert [(row["a"], row["b"]) for row in rows] == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")
    ]  # fmt: skip
    first = rows[0]
    a, b = results["a"].scores, results["b"].scores
    assert first["p_t"] == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert all(row["p_wilcoxon_holm"] >= row["p_wilcoxon"] for row in rows)
    assert first["smallest_p"] == smallest_p(8, 6)
