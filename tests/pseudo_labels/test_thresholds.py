"""Thresholds: Table II on its own scale, shares of a trial's frames, equations (1) and (2)."""

import copy
import pickle

import numpy as np
import pytest

from skrehab.pseudo_labels import (
    PUBLISHED_THRESHOLDS,
    Quantile,
    check_threshold,
    cut_at,
    pseudo_labels,
    published_threshold,
)

SCORES = np.array([3.0, 7, 5, 9, 4, 1, 8, 2, 6, 0])  # ten different ones


@pytest.mark.parametrize(
    ("threshold", "positive", "unused"),
    [
        (("quantile", 0.38), [9, 8, 7, 6], []),  # ceil(0.38 * 9) = 4
        (Quantile(0.3), [9, 8, 7], []),
        (Quantile(0.05), [9], []),
        (["quantile", 0.15], [9, 8], []),
        (Quantile(0.15, 0.38), [9, 8], [7, 6]),
        (6.5, [9, 8, 7], []),
        ((4.0, 6.5), [9, 8, 7], [6, 5, 4]),
    ],
)
def test_thresholds_on_any_scale(threshold, positive, unused):
    labels = pseudo_labels(SCORES, 1, threshold=threshold)
    assert sorted(SCORES[labels == 1], reverse=True) == positive
    assert sorted(SCORES[labels == -1], reverse=True) == unused
    assert not pseudo_labels(SCORES, 0, threshold=threshold).any()


@pytest.mark.parametrize("factor", [1e-3, 1.0, 33.0])
def test_a_quantile_does_not_mind_the_scale(factor):
    labels = pseudo_labels(factor * SCORES, 1, threshold=Quantile(0.38))
    assert labels.tolist() == pseudo_labels(SCORES, 1, threshold=Quantile(0.38)).tolist()


def test_a_quantile_of_a_flat_trial_finds_nothing():
    assert not pseudo_labels(np.zeros(6), 1, threshold=Quantile(0.38)).any()
    assert not pseudo_labels(np.array([2.0]), 1, threshold=Quantile(0.15, 0.38)).any()


def test_cuts():
    assert cut_at(np.arange(101.0), Quantile(0.38)) == pytest.approx((62, 62))
    assert cut_at(np.arange(101.0), Quantile(0.1, 0.3)) == pytest.approx((70, 90))
    assert cut_at(SCORES, 2.5) == (2.5, 2.5) and cut_at(SCORES, [1, 2]) == (1.0, 2.0)


def test_a_quantile_is_the_pair_and_survives_copies():
    for one, pair in (
        (Quantile(0.38), ("quantile", 0.38)),
        (Quantile(0.1, 0.3), ("quantile", 0.1, 0.3)),
    ):
        assert one == pair and hash(one) == hash(pair)
        for again in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert again == one and type(again) is Quantile
        assert eval(repr(one)) == one
        assert check_threshold(pair) == one and type(check_threshold(list(pair))) is Quantile


@pytest.mark.parametrize(
    "threshold",
    [
        *(("quantile",), ("quantile", 0), ("quantile", 1), ("quantile", 38), ("quantile", None)),
        *(("quantile", 0.3, 0.3), ("quantile", 0.3, 0.2), ("quantile", 0.1, 0.2, 0.3)),
        *(("quantile", np.nan), ("quantile", True), ("quantile", "half"), Quantile(0.2, 1.5)),
    ],
)
def test_bad_quantiles(threshold):
    with pytest.raises(ValueError, match="A quantile threshold is"):
        pseudo_labels(SCORES, 1, threshold=threshold)


@pytest.mark.parametrize("threshold", [-0.1, np.nan, np.inf, (2, 1), (1, 1), (1, np.inf), "a", []])
def test_bad_numbers(threshold):
    with pytest.raises(ValueError, match="one number from 0 on, two increasing ones"):
        pseudo_labels(SCORES, 1, threshold=threshold)
    with pytest.raises(ValueError, match=r"one number in \[0, 33\], two increasing ones"):
        check_threshold(threshold, highest=33)


def test_table_ii_as_printed():
    printed = {
        "lstm": ((4.5, 4, 6.5), (2.5, 2, 3)),
        "act": ((5.8, 5.3, 6.3), (2.7, 2.2, 3.2)),
        "skateformer": ((3, 1.5, 2.5), (1.5, 0.7, 2)),
        "moment": ((2.5, 2, 3), (3, 2, 3.5)),
    }
    assert len(PUBLISHED_THRESHOLDS) == 8
    for network, rows in printed.items():
        for method, row in zip(("vanilla_gradient", "integrated_gradients"), rows):
            assert published_threshold(network, method, 33) == row[0]
            assert published_threshold(network, method, 33, dual=True) == row[1:]


def test_table_ii_for_another_skeleton_goes_with_its_landmarks():
    found = published_threshold("act", "integrated_gradients", 22, dual=True)
    assert found == pytest.approx((2.2 * 2 / 3, 3.2 * 2 / 3))
    with pytest.raises(ValueError, match="no published threshold for 'gru' with 'integrated_gr"):
        published_threshold("gru", "integrated_gradients", 33)
