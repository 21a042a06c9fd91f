"""A frame model that does not rank the trials it learned from says so, and no other."""

import warnings

import numpy as np
import pytest

import skrehab
from skrehab import FrameMLP, FrameTCN
from skrehab.frames import SoftLabels
from skrehab.frames.ranking import has_motion, ranking_of, some_of_both

WORDS = "does not rank the trials"


def planted(n=24):
    """Landmark 0 rises for 12 of 60 frames in every other trial; and where."""
    rng = np.random.RandomState(0)
    X = [(0.1 * rng.randn(60, 5, 3)).astype(np.float32) for _ in range(n)]
    truth = [np.zeros(60, dtype=int) for _ in range(n)]
    for trial, frames in zip(X[1::2], truth[1::2]):
        start = rng.randint(5, 28)
        trial[start : start + 12, 0] += 1
        frames[start : start + 12] = 1
    return X, truth


def at_the_end(truth):
    """What labels look like that follow the clock: the last frames, where nothing is to be seen."""
    return [np.arange(60) // 45 * one.any() for one in truth]


def said(model, X, y):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        model.fit(X, y)
    return any(WORDS in str(one.message) for one in record)


@pytest.mark.parametrize("kind", [FrameMLP, FrameTCN])
def test_labels_at_the_wrong_place_are_said_and_right_ones_are_not(kind, tmp_path):
    X, truth = planted()
    params = {"lr": 0.01, "max_epochs": 10, "random_state": 0}
    if kind is FrameTCN:
        params |= {"n_blocks": 1, "kernel_size": 1, "batch_size": 4}  # it cannot tell the time
    right = kind(**params)
    assert not said(right, X, truth)
    assert right.trial_ranking_ > 0.95
    wrong = kind(**params)
    assert said(wrong, X, at_the_end(truth))
    assert wrong.trial_ranking_ < 0.6
    skrehab.save(wrong, tmp_path / "model")
    assert skrehab.load(tmp_path / "model").trial_ranking_ == wrong.trial_ranking_


def test_soft_labels_and_words():
    X, truth = planted()
    probability = [one[:, None] * [[-0.8, 0.8]] + [[1.0, 0.0]] for one in truth]
    model = FrameMLP(lr=0.01, max_epochs=10, random_state=0)
    soft = SoftLabels([one[:, ::-1] for one in probability], classes=["lean", "usual"])
    assert not said(model, X, soft)
    assert model.trial_ranking_ > 0.95  # "usual" is no motion, though it is the last column


def test_where_nothing_is_known_nothing_is_said():
    X, truth = planted()
    model = FrameMLP(max_epochs=1, random_state=0)
    assert not said(model, X[:8], at_the_end(truth[:8]))  # four of a kind
    assert np.isnan(model.trial_ranking_)
    both = [np.full(60, i % 2) for i in range(24)]  # either class may be the normal one
    assert not said(model, X, both)
    assert np.isnan(model.trial_ranking_)
    assert not said(model, X, [np.zeros(60, dtype=int)] * 24)
    assert np.isnan(model.trial_ranking_)


def test_ranking_by_hand():
    codes = [np.array(one) for one in ([2, 2], [2, 0, 2], [1, 2], [2])]
    motion, normal = has_motion(codes, 3)
    assert motion.tolist() == [False, True, True, False]
    assert normal == 2
    # scores 0.1, 0.9, 0.2 and 0.3: the third stands below the fourth, one pair of four is wrong
    proba = [np.array([[s / 2, s / 2, 1 - s]]) for s in (0.1, 0.9, 0.2, 0.3)]
    assert ranking_of(motion, proba, 2) == 0.75
    many = np.arange(200) % 2 == 0
    asked = some_of_both(many, np.ones(200, dtype=bool))
    assert len(asked) == 64 and many[asked].sum() == 32
