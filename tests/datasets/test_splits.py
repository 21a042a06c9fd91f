"""Splits by subject, stratified by score."""

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import ShuffleSplit, cross_val_score

from skrehab.datasets import score_stratified_split


@pytest.fixture
def cohort():
    """Forty subjects with two to four trials each, scores skewed as clinical scores are."""
    rng = np.random.default_rng(3)
    groups = np.repeat([f"P{i:02d}" for i in range(40)], rng.integers(2, 5, 40))
    level = dict(zip(np.unique(groups), 50 * rng.beta(5, 1.2, 40)))
    scores = np.array([level[one] for one in groups]) + rng.normal(0, 1, len(groups))
    order = rng.permutation(len(groups))
    return scores[order], groups[order]


def test_no_subject_is_on_both_sides(cohort):
    scores, groups = cohort
    splits = score_stratified_split(scores, groups, n_splits=7, random_state=0)
    assert isinstance(splits, list) and len(splits) == 7
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
        assert sorted([*train, *test]) == list(range(len(groups))), "every trial, once"
        assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
        assert len(set(groups[test])) == 12, "30 % of the subjects"
    assert len({tuple(test) for _, test in splits}) == 7


def test_each_level_is_on_both_sides(cohort):
    scores, groups = cohort
    subjects = np.unique(groups)
    means = np.array([scores[groups == one].mean() for one in subjects])
    fifth = dict(zip(subjects, np.argsort(np.argsort(means)) // 8))
    for train, test in score_stratified_split(scores, groups, n_splits=20, random_state=1):
        held_out = np.bincount([fifth[one] for one in set(groups[test])], minlength=5)
        assert held_out.min() >= 2 and held_out.max() <= 3, "12 of 40: 2 or 3 of each 8"
        assert len({fifth[one] for one in groups[train]}) == 5


def test_scores_are_alike_on_both_sides(cohort):
    """What stratification is for: less distance between the sides than chance gives."""
    scores, groups = cohort
    subjects = np.unique(groups)
    means = np.array([scores[groups == one].mean() for one in subjects])
    place = {one: i for i, one in enumerate(subjects)}

    def distance(splits):
        return np.mean([ks_2samp(means[train], means[test]).statistic for train, test in splits])

    ours = [
        tuple(np.unique([place[one] for one in groups[side]]) for side in split)
        for split in score_stratified_split(scores, groups, n_splits=30, random_state=2)
    ]
    chance = ShuffleSplit(30, test_size=0.3, random_state=2).split(means)
    assert distance(ours) < 0.75 * distance(chance)


def test_few_values_are_levels_themselves():
    """Four risk levels of very different sizes: each share is kept exactly."""
    risk = np.repeat([0, 1, 2, 3], [26, 12, 8, 4])
    groups = np.arange(50)
    for _, test in score_stratified_split(risk, groups, test_size=0.5, random_state=0):
        assert np.bincount(risk[test]).tolist() == [13, 6, 4, 2]
    lonely = np.where(np.arange(50) == 0, -1, risk)  # a value of one subject cannot be a level
    splits = score_stratified_split(lonely, groups, random_state=0)
    assert all(len(test) == 15 for _, test in splits)


def test_as_cv(cohort):
    scores, groups = cohort
    splits = score_stratified_split(scores, groups, n_splits=3, random_state=0)
    X = scores[:, None]
    assert cross_val_score(DummyRegressor(), X, scores, cv=splits).shape == (3,)


def test_seeds(cohort):
    def draw(seed):
        return [test.tolist() for _, test in score_stratified_split(*cohort, random_state=seed)]

    state = np.random.get_state()[1].copy()  # noqa: NPY002
    assert draw(0) == draw(0) == draw(np.random.RandomState(0))
    assert draw(0) != draw(1)
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_small_cohorts():
    """As many levels as the subjects suffice for."""
    for n_subjects in (2, 3, 4, 5, 7):
        groups = np.arange(n_subjects)
        for train, test in score_stratified_split(groups * 1.0, groups, random_state=0):
            assert len(train) and len(test) and len(train) + len(test) == n_subjects
    ((train, test),) = score_stratified_split(
        np.arange(8.0), np.arange(8), test_size=4, n_bins=4, n_splits=1, random_state=0
    )
    assert np.array_equal(test // 2, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("arguments", "parameters", "message"),
    [
        (([1.0, 2], [1]), {}, r"one entry a trial, got shapes \(2,\) and \(1,\)"),
        (([[1.0], [2]], [[1], [2]]), {}, "one entry a trial"),
        (([1.0, np.nan], [1, 2]), {}, r"scores\[1\] is nan: every trial needs a score"),
        (([1.0, 2], [1, 1]), {}, "test_size=0.3 of 1 subjects leaves no subject on one side"),
        ((range(10), range(10)), {"test_size": 10}, "test_size=10 of 10 subjects leaves no"),
        ((range(10), range(10)), {"n_bins": 4}, "10 subjects with test_size=0.3 allow 1 to 3"),
        ((range(10), range(10)), {"n_bins": 0}, "n_bins=0 levels"),
    ],
)
def test_says_what_is_wrong(arguments, parameters, message):
    with pytest.raises(ValueError, match=message):
        score_stratified_split(*map(list, arguments), **parameters)
