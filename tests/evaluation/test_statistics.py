"""Intervals over patients and paired comparisons, against scipy and by hand."""

import numpy as np
import pytest
from scipy import stats

from skrehab.evaluation import bootstrap_interval, holm, paired_comparison, summary_table
from skrehab.metrics import PatientScores

nan = np.nan


# --- bootstrap ------------------------------------------------------------------------------------
def test_interval_is_that_of_scipy():
    scores = np.random.RandomState(0).rand(15)
    low, high = bootstrap_interval(scores, n_resamples=20_000)
    expected = stats.bootstrap(
        (scores,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    np.testing.assert_allclose([low, high], expected, atol=0.005)


def test_interval_narrows_with_level_and_patients():
    scores = np.random.RandomState(0).rand(15)
    low, high = bootstrap_interval(scores)
    inner_low, inner_high = bootstrap_interval(scores, level=0.5)
    assert low < inner_low < scores.mean() < inner_high < high
    many_low, many_high = bootstrap_interval(np.tile(scores, 10))
    assert many_high - many_low < (high - low) / 2


def test_interval_leaves_undefined_patients_out_and_is_seeded():
    assert bootstrap_interval([0.6, nan, 0.8, 0.7]) == bootstrap_interval([0.6, 0.8, 0.7])
    scores = np.random.RandomState(0).rand(9)
    one, two = (bootstrap_interval(scores, random_state=seed) for seed in (1, 2))
    assert one != two and one == bootstrap_interval(scores, random_state=1)


@pytest.mark.parametrize("scores", [[], [0.7], [nan, nan], [nan, 0.5]])
def test_no_interval_without_two_patients(scores):
    assert np.isnan(bootstrap_interval(scores)).all()


# --- paired comparison ----------------------------------------------------------------------------
def test_paired_comparison_is_that_of_scipy():
    rng = np.random.RandomState(0)
    a = rng.rand(12)
    b = a + 0.1 * rng.randn(12) - 0.05
    result = paired_comparison(a, b)
    assert result["difference"] == pytest.approx((a - b).mean()) and result["n"] == 12
    assert result["p_t"] == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert result["p_wilcoxon"] == pytest.approx(stats.wilcoxon(a, b).pvalue)


def test_only_patients_defined_for_both_are_compared():
    result = paired_comparison([0.8, nan, 0.9, 0.7, 0.6], [0.7, 0.5, nan, 0.5, 0.3])
    alone = paired_comparison([0.8, 0.7, 0.6], [0.7, 0.5, 0.3])
    assert result == alone and result["n"] == 3


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [([0.5, 0.6], [0.5, 0.6], 0.0), ([0.5], [0.4], 0.1), ([nan], [0.5], nan), ([], [], nan)],
)
def test_no_p_value_where_nothing_can_be_tested(a, b, difference):
    result = paired_comparison(a, b)
    np.testing.assert_allclose(result["difference"], difference)
    assert np.isnan(result["p_t"]) and np.isnan(result["p_wilcoxon"])


def test_patients_who_all_differ_by_the_same():
    """Ranks can be tested; a t-test has no spread to go by, whatever rounding left of one."""
    b = np.linspace(0.1, 0.7, 10)
    for a in (b + 0.25, np.full(10, 0.75)):
        result = paired_comparison(a, a - 0.25)
        assert result["difference"] == 0.25 and result["n"] == 10
        assert result["p_wilcoxon"] == 2 * 0.5**10 and np.isnan(result["p_t"])


def test_one_patient_who_differs_is_not_tested():
    result = paired_comparison([0.75, 0.5, 0.5], [0.5, 0.5, 0.5])
    assert result["difference"] == pytest.approx(0.25 / 3) and result["n"] == 3
    assert np.isnan(result["p_t"]) and np.isnan(result["p_wilcoxon"])
    two = paired_comparison([0.75, 0.6, 0.5], [0.5, 0.5, 0.5])
    assert two["p_wilcoxon"] == 0.5 and two["p_t"] < 0.5


def test_rounding_breaks_no_ties():
    """0.6 and 0.4 are as far apart as 0.4 and 0.6, and as 0.3 and 0.5."""
    a, b = np.array([0.6, 0.9, 0.3, 0.4, 0.4]), np.array([0.4, 0.3, 0.5, 0.7, 0.6])
    exact = stats.wilcoxon([2, 6, -2, -3, -2]).pvalue  # the same in tenths
    assert paired_comparison(a, b)["p_wilcoxon"] == exact != stats.wilcoxon(a, b).pvalue


@pytest.mark.parametrize("b", [[0.5, 0.6], 0.5, [[0.5], [0.6], [0.7]], [0.5]])
def test_other_numbers_of_patients_are_refused(b):
    with pytest.raises(ValueError, match=r"one score per patient.*got shapes \(3,\) and"):
        paired_comparison([0.7, 0.8, 0.9], b)


# --- Holm -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),  # the textbook example
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02, nan, 0.02], [0.04, nan, 0.04]),  # nan is no test
        ([nan], [nan]),
        ([], []),
        ([0.04], [0.04]),
    ],
)
def test_holm(p, expected):
    np.testing.assert_allclose(holm(p), expected)


# --- table ----------------------------------------------------------------------------------------
def table(**options):
    patients = list("ABCDEF")
    results = {
        "ours": PatientScores(patients, np.array([0.8, 0.9, 0.7, 0.85, 0.75, nan]), 0.81),
        "lstm": PatientScores(patients, np.array([0.6, 0.8, 0.65, 0.7, 0.7, 0.5]), 0.66),
        "chance": PatientScores(patients, np.full(6, 0.5), 0.5),
    }
    return results, summary_table(results, **options)


def test_summary_table():
    results, rows = table()
    assert [row["method"] for row in rows] == ["ours", "lstm", "chance"]
    first = rows[0]
    assert first["mean"] == pytest.approx(0.8) and first["pooled"] == 0.81
    assert first["sd"] == pytest.approx(np.std([0.8, 0.9, 0.7, 0.85, 0.75], ddof=1))
    assert (first["low"], first["high"]) == bootstrap_interval(results["ours"].scores)
    assert first["n_patients"] == 5 and first["undefined"] == ["F"]
    assert "difference" not in first


def test_summary_table_with_a_reference():
    results, rows = table(reference="lstm")
    by_name = {row["method"]: row for row in rows}
    expected = paired_comparison(results["ours"].scores, results["lstm"].scores)
    assert by_name["ours"]["difference"] == expected["difference"]
    raw = [
        paired_comparison(results[name].scores, results["lstm"].scores)["p_wilcoxon"]
        for name in results
    ]
    np.testing.assert_allclose([row["p_holm"] for row in rows], holm(raw))
    assert np.isnan(by_name["lstm"]["p_holm"]) and by_name["lstm"]["difference"] == 0


@pytest.mark.parametrize("reference", [None, "a"])
@pytest.mark.parametrize(
    ("patients", "differ"), [("BCD", r"\['A', 'D'\]"), ("ABCD", r"\['D'\]"), ("AB", r"\['C'\]")]
)
def test_methods_scored_on_other_patients_are_not_compared(patients, differ, reference):
    results = {
        "a": PatientScores(list("ABC"), np.array([0.9, 0.8, 0.7]), 0.8),
        "b": PatientScores(list(patients), np.linspace(0.8, 0.3, len(patients)), 0.6),
    }
    with pytest.raises(ValueError, match=f"'a' and 'b' do not share {differ}"):
        summary_table(results, reference=reference)


def test_patients_are_paired_by_name():
    results = {
        "a": PatientScores(list("ABC"), np.array([0.9, 0.8, 0.4]), 0.8),
        "b": PatientScores(list("CAB"), np.array([0.3, 0.9, 0.8]), 0.8),
    }
    row = summary_table(results, reference="a")[1]
    assert row["difference"] == pytest.approx(-0.1 / 3)  # by position it would have a p-value
    assert np.isnan(row["p_holm"])
