"""Metrics of scores against scipy, evaluation by exercise, intervals over people."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrehab.evaluation import evaluate_by_exercise, paired_bootstrap
from skrehab.metrics import mean_absolute_deviation, rmse, spearman, spearman_scorer


# --- metrics --------------------------------------------------------------------------------------
@pytest.mark.parametrize("ties", [False, True])
def test_spearman_is_scipys(ties):
    rng = np.random.RandomState(0)
    for n in (2, 3, 10, 50):
        a, b = rng.rand(n), rng.rand(n)
        if ties:
            a, b = np.round(3 * a), np.round(2 * b)
            a[:2], b[:2] = [0, 1], [1, 0]
        assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)
        assert spearman(a, 3 * a - 7) == pytest.approx(1)
        assert spearman(a, -(a**3)) == pytest.approx(-1)


def test_errors_in_the_unit_of_the_scores():
    truth, said = [10, 20, 30], [13, 20, 26]
    assert mean_absolute_deviation(truth, said) == pytest.approx(7 / 3)
    assert rmse(truth, said) == pytest.approx(5 / np.sqrt(3))


def test_what_is_not_defined_says_so():
    for y_true, y_pred, side in (([1, 1], [1, 2], "true"), ([1, 2], [3, 3], "predicted")):
        with pytest.warns(UndefinedMetricWarning, match=f"all 2 {side} scores are equal"):
            assert np.isnan(spearman(y_true, y_pred))
    for metric in (spearman, mean_absolute_deviation, rmse):
        with pytest.raises(ValueError, match=r"got shapes \(2,\) and \(3,\)"):
            metric([1, 2], [1, 2, 3])


def test_the_scorer_of_a_regressor_and_of_a_classifier():
    rng = np.random.RandomState(0)
    X = rng.randn(60, 2)
    y = np.digitize(X[:, 0] + 0.5 * rng.randn(60), [-0.5, 0.5])
    ridge = Ridge().fit(X, y)
    assert spearman_scorer(ridge, X, y) == spearman(y, ridge.predict(X))
    classifier = LogisticRegression().fit(X, y)
    expected = classifier.predict_proba(X) @ [0, 1, 2]
    assert spearman_scorer(classifier, X, y) == spearman(y, expected)
    assert spearman_scorer(classifier, X, y) != spearman(y, classifier.predict(X))
    found = cross_val_score(classifier, X, y, scoring=spearman_scorer, cv=3)
    assert found.shape == (3,) and (found > 0.5).all()


# --- by exercise ----------------------------------------------------------------------------------
def people(n_people=20, n_exercises=2, seed=0):
    """Each of some people once in each exercise; the second exercise's scores turn around."""
    rng = np.random.RandomState(seed)
    subject = np.tile([f"P{i:02d}" for i in range(n_people)], n_exercises)
    exercise = np.repeat(np.arange(1, n_exercises + 1), n_people)
    x = rng.randn(len(subject))
    scores = 25 + 10 * x * np.where(exercise == 2, -1, 1) + rng.randn(len(subject))
    return x[:, None], scores, exercise, subject


class Watching(RegressorMixin, BaseEstimator):
    """A ridge that asks for people, and keeps whom it saw."""

    __metadata_request__fit = {"groups": True}
    seen = []

    def fit(self, X, y, groups=None):
        self.ridge_ = Ridge().fit(X, y)
        self.seen.append(None if groups is None else set(groups))
        return self

    def predict(self, X):
        return self.ridge_.predict(X)


def test_one_model_an_exercise():
    X, scores, exercise, subject = people()
    result = evaluate_by_exercise(Ridge(), X, scores, exercise, subject, n_splits=4)
    assert result.exercises == [1, 2]
    assert (result.splits["spearman"] > 0.8).all() and result.splits["mad"].shape == (2, 4)
    # one model for both would see no relation
    assert all(rho > 0.95 for rho in result.left_out["spearman"])
    for one in (1, 2):
        part = exercise == one
        rho = stats.spearmanr(scores[part], result.predictions[part]).statistic
        assert result.left_out["spearman"][one - 1] == pytest.approx(rho)
        assert result.left_out["rmse"][one - 1] == rmse(scores[part], result.predictions[part])
    rows = result.rows()
    assert [row["exercise"] for row in rows] == [1, 2, "mean"]
    assert rows[0]["spearman"] == pytest.approx(result.splits["spearman"][0].mean())
    assert rows[0]["spearman_sd"] == pytest.approx(result.splits["spearman"][0].std(ddof=1))
    assert rows[2]["mad"] == pytest.approx((rows[0]["mad"] + rows[1]["mad"]) / 2)
    assert rows[2]["rmse_left_out"] == pytest.approx(result.left_out["rmse"].mean())


def test_people_are_never_on_both_sides():
    X, scores, exercise, subject = people(10)
    Watching.seen.clear()
    evaluate_by_exercise(Watching(), X, scores, exercise, subject, n_splits=2)
    sizes = sorted(len(seen) for seen in Watching.seen)
    assert sizes == [7] * 4 + [9] * 20, "70 % of ten people twice, and all but one of them"
    Watching.seen.clear()
    evaluate_by_exercise(
        make_pipeline(StandardScaler(), Watching()), X, scores, exercise, subject, n_splits=1
    )
    assert None not in Watching.seen, "a pipeline hands them on"


def test_every_method_meets_the_same_splits():
    X, scores, exercise, subject = people()
    kwargs = {"n_splits": 3, "leave_one_out": False}
    one = evaluate_by_exercise(Ridge(), X, scores, exercise, subject, **kwargs)
    again = evaluate_by_exercise(Ridge(), list(X), scores, exercise, subject, **kwargs)
    np.testing.assert_array_equal(one.splits["mad"], again.splits["mad"])
    assert one.left_out == {} and one.predictions is None
    assert "spearman_left_out" not in one.rows()[0]
    other = evaluate_by_exercise(Ridge(), X, scores, exercise, subject, random_state=1, **kwargs)
    assert not np.array_equal(one.splits["mad"], other.splits["mad"])


def test_a_classifier_is_scored_by_what_it_expects():
    X, scores, exercise, subject = people(30)
    severity = np.digitize(scores, [20, 30])
    result = evaluate_by_exercise(LogisticRegression(), X, severity, exercise, subject, n_splits=2)
    assert (result.left_out["spearman"] > 0.7).all()
    assert len(np.unique(result.predictions)) > 50, "expected labels, not labels"
    assert 0 <= result.predictions.min() and result.predictions.max() <= 2


def test_a_held_out_persons_scores_do_not_reach_its_predictions():
    X, scores, exercise, subject = people(10)
    whole = evaluate_by_exercise(Ridge(), X, scores, exercise, subject, n_splits=0)
    changed = scores.copy()
    changed[subject == "P03"] = [1, 50]
    other = evaluate_by_exercise(Ridge(), X, changed, exercise, subject, n_splits=0)
    out = subject == "P03"
    np.testing.assert_array_equal(whole.predictions[out], other.predictions[out])
    assert (whole.predictions[~out] != other.predictions[~out]).all()


def test_what_is_refused():
    X, scores, exercise, subject = people(10)
    with pytest.raises(ValueError, match="Nothing is asked for"):
        evaluate_by_exercise(Ridge(), X, scores, exercise, subject, n_splits=0, leave_one_out=False)
    with pytest.raises(ValueError, match="20 trials, 19 labels"):
        evaluate_by_exercise(Ridge(), X, scores[1:], exercise, subject)
    with pytest.raises(ValueError, match=r"one patient per trial: 20 trials, got shape \(19,\)"):
        evaluate_by_exercise(Ridge(), X, scores, exercise, subject[1:])
    scores[3] = np.nan
    with pytest.raises(ValueError, match=r"y\[3\] is nan"):
        evaluate_by_exercise(Ridge(), X, scores, exercise, subject)


# --- two methods ----------------------------------------------------------------------------------
def test_paired_bootstrap_finds_a_difference_and_none():
    _, scores, exercise, subject = people(30)
    rng = np.random.RandomState(1)
    good, equal = (scores + 3 * rng.randn(len(scores)) for _ in range(2))
    bad = scores + 30 * rng.randn(len(scores))
    clear = paired_bootstrap(scores, good, bad, subject, exercise=exercise, n_resamples=300)
    assert 0 < clear["low"] < clear["difference"] < clear["high"] and clear["n"] == 30
    wanted = np.mean(
        [
            spearman(scores[part], good[part]) - spearman(scores[part], bad[part])
            for part in (exercise == 1, exercise == 2)
        ]
    )
    assert clear["difference"] == pytest.approx(wanted)
    even = paired_bootstrap(scores, good, equal, subject, exercise=exercise, n_resamples=300)
    assert even["low"] < 0 < even["high"]
    errors = paired_bootstrap(scores, good, bad, subject, metric=rmse, n_resamples=300)
    assert errors["high"] < 0


def test_people_are_drawn_with_all_their_trials():
    """Ten trials of one person say no more than one: the interval does not shrink."""
    rng = np.random.RandomState(0)
    scores, said = rng.rand(15), rng.rand(15)
    constant = np.arange(15.0)
    once = paired_bootstrap(scores, said, constant, np.arange(15), n_resamples=300)
    repeated = paired_bootstrap(
        *(np.repeat(values, 10) for values in (scores, said, constant, np.arange(15))),
        n_resamples=300,
    )
    for key in ("difference", "low", "high"):
        assert repeated[key] == pytest.approx(once[key])


def test_one_person_has_no_interval():
    with pytest.raises(ValueError, match="At least 2 people"):
        paired_bootstrap([1, 2], [1, 2], [2, 1], ["P", "P"])
