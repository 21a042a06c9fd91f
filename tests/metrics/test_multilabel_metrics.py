"""Mean average precision as MuscleMap computes it, and its test on known and new activities."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.tree import DecisionTreeClassifier

import skrehab.evaluation
import skrehab.metrics
from skrehab.evaluation import KnownNewSplit, known_new_scores, known_new_split
from skrehab.metrics import map_scorer, mean_average_precision, per_label_average_precision
from skrehab.muscles import MUSCLE_GROUPS, NEW_ACTIVITIES, plain_name


def random_labels(n=60, n_labels=5, seed=0):
    rng = np.random.RandomState(seed)
    return (rng.rand(n, n_labels) < [0.1, 0.3, 0.5, 0.7, 0.2][:n_labels]).astype(int), rng.rand(
        n, n_labels
    )


def average_precision(truth, score):
    """Precision at each hit, from the definition: sum over thresholds of (R_n - R_n-1) P_n."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        chosen = score >= threshold
        recall = (truth * chosen).sum() / truth.sum()
        total += (recall - before) * (truth * chosen).sum() / chosen.sum()
        before = recall
    return total


def test_constant_scores_give_the_mean_prevalence():
    truth, _ = random_labels()
    for constant in (0.0, 0.3, 1.0):
        score = np.full(truth.shape, constant)
        assert mean_average_precision(truth, score) == pytest.approx(truth.mean(axis=0).mean())


def test_perfect_scores_give_one():
    truth, noise = random_labels()
    assert mean_average_precision(truth, truth) == 1
    assert mean_average_precision(truth, truth + 0.5 * noise) == 1
    assert mean_average_precision(truth, 1 - truth) < 0.6


def test_a_label_without_positives_changes_nothing():
    truth, score = random_labels()
    expected = mean_average_precision(truth, score)
    none, anything = np.zeros((len(truth), 2), int), score[:, :2]
    wider = np.hstack([none, truth]), np.hstack([anything, score])
    assert mean_average_precision(*wider) == expected
    assert np.isnan(per_label_average_precision(*wider)[:2]).all()


def test_equals_the_definition_and_scikit_learn_column_by_column():
    truth, score = random_labels()
    score = score.round(1)  # ties
    each = per_label_average_precision(truth, score)
    for column in range(truth.shape[1]):
        by_sklearn = average_precision_score(truth[:, column], score[:, column])
        assert each[column] == pytest.approx(by_sklearn)
        assert each[column] == pytest.approx(average_precision(truth[:, column], score[:, column]))
    # and the benchmark's own call, on all columns at once
    by_benchmark = np.mean(average_precision_score(truth, score, average=None))
    assert mean_average_precision(truth, score) == pytest.approx(by_benchmark)
    assert mean_average_precision(truth.astype(bool), score) == pytest.approx(by_benchmark)


def test_nothing_to_find():
    with pytest.warns(UndefinedMetricWarning, match="no trial has any label"):
        assert np.isnan(mean_average_precision(np.zeros((4, 3)), np.ones((4, 3))))


def test_what_does_not_fit():
    truth, score = random_labels()
    with pytest.raises(ValueError, match=r"one shape .* got \(60, 5\) and \(60, 4\)"):
        mean_average_precision(truth, score[:, :4])
    with pytest.raises(ValueError, match="n_trials, n_labels"):
        mean_average_precision(truth[:, 0], score[:, 0])
    with pytest.raises(ValueError, match="must hold 0 and 1, got 2"):
        mean_average_precision(truth + 1, score)
    score[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"y_score\[3, 2\] is NaN"):
        mean_average_precision(truth, score)


def test_reached_through_skrehab_metrics():
    assert {"mean_average_precision", "map_scorer"} <= set(skrehab.metrics.__all__)
    assert "known_new_split" in skrehab.evaluation.__all__


# --- known and new --------------------------------------------------------------------------------
def test_the_papers_twenty():
    assert len(NEW_ACTIVITIES) == len(set(map(plain_name, NEW_ACTIVITIES))) == 20
    assert len(set(MUSCLE_GROUPS)) == 20


@pytest.fixture
def activities():
    return np.repeat(["Squats", "lunges", "V-Ups", "push_ups", "running"], [40, 20, 10, 7, 9])


def test_no_training_clip_shows_a_new_activity(activities):
    split = known_new_split(activities, random_state=0)
    names = list(map(plain_name, activities))
    new = {plain_name(name) for name in NEW_ACTIVITIES}
    assert {names[i] for i in split.train} == {"squats", "lunges", "push ups"}
    assert {names[i] for i in split.known} == {"squats", "lunges", "push ups"}
    assert {names[i] for i in split.new} == {"v ups", "running"} <= new
    # every trial has its place, and the shares are the paper's
    counts = {part: int((split.parts == part).sum()) for part in set(split.parts)}
    assert sum(counts.values()) == len(activities)
    assert counts["new_val"] + counts["new_test"] == 19 and abs(counts["new_val"] - 9.5) < 2
    assert counts["known_val"] == pytest.approx(0.155 * 67, abs=2)
    assert counts["known_test"] == pytest.approx(0.155 * 67, abs=2)


def test_the_same_seed_divides_alike(activities):
    one, two = (known_new_split(activities, random_state=3).parts for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert (one != known_new_split(activities, random_state=4).parts).any()


def test_known_activities_by_person(activities):
    persons = np.arange(len(activities)) % 6
    split = known_new_split(activities, groups=persons, val=0.2, test=0.3, random_state=0)
    assert not set(persons[split.train]) & set(persons[split.known])
    assert len(set(persons[split.known])) == 2


def test_no_validation(activities):
    split = known_new_split(activities, val=0, random_state=0)
    assert set(split.parts) == {"train", "known_test", "new_test"}
    assert len(split.new) == 19


def test_it_goes_where_cv_goes(activities):
    rng = np.random.RandomState(0)
    X = rng.randn(len(activities), 3)
    y = (X[:, :2] + rng.randn(len(X), 2) > 0).astype(int)
    split = known_new_split(activities, val=0.2, test=0.3, random_state=0)
    model = OneVsRestClassifier(LogisticRegression())
    found = cross_val_score(model, X, y, cv=split, scoring=map_scorer)
    model.fit(X[split.train], y[split.train])
    tested = np.concatenate([split.known, split.new])
    scores = known_new_scores(y[tested], model.predict_proba(X[tested]), activities[tested])
    np.testing.assert_allclose(found, [scores.known, scores.new])
    assert scores.mean == pytest.approx(found.mean())
    validated = cross_validate(
        model, X, y, cv=KnownNewSplit(split.parts, on="val"), scoring="f1_macro"
    )
    assert len(validated["test_score"]) == 2
    with pytest.raises(ValueError, match="for 86 trials, got 5"):
        list(split.split(X[:5]))


def test_scikit_learns_baselines_are_scored():
    """Random and all-ones, the first rows of the paper's table, through the common interface."""
    truth, _ = random_labels()
    truth[:, 3] = 0
    X = [{"rgb": None, "pose": None}] * len(truth)
    ones = DummyClassifier(strategy="prior").fit(X, truth)
    assert map_scorer(ones, X, truth) == pytest.approx(truth[:, truth.any(axis=0)].mean())
    by_chance = DummyClassifier(strategy="uniform", random_state=0).fit(X, truth)
    assert 0.2 < map_scorer(by_chance, X, truth) < 0.8
    tree = DecisionTreeClassifier(random_state=0)
    rows = np.arange(len(truth))[:, None]  # knows them by heart, also which label nobody has
    assert map_scorer(tree.fit(rows, truth), rows, truth) == 1


def test_what_cannot_be_divided(activities):
    with pytest.raises(ValueError, match="no split to use: known_new_split makes one"):
        KnownNewSplit(None)
    with pytest.raises(ValueError, match="no trial's is among the 1 new ones, such as 'swimming'"):
        known_new_split(activities, ["swimming"])
    with pytest.raises(ValueError, match="every trial's"):
        known_new_split(["running"] * 4)
    with pytest.raises(ValueError, match="lists of names, got one string"):
        known_new_split(activities, "running")
    with pytest.raises(ValueError, match="some to train"):
        known_new_split(activities, val=0.5, test=0.5)
    with pytest.raises(ValueError, match="No trial is in new_val"):
        KnownNewSplit(["train", "known_val"], on="val")
    with pytest.raises(ValueError, match="as many activities, got 5"):
        known_new_scores(*random_labels(), activities[:5])


def test_scores_of_one_side_only():
    truth, score = random_labels()
    scores = known_new_scores(truth, score, ["squats"] * 60)
    assert scores.known == mean_average_precision(truth, score)
    assert np.isnan(scores.new) and np.isnan(scores.mean)
