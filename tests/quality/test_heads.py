"""What heads learn of a trial, worked out by hand, and what their outputs mean."""

import numpy as np
import pytest

from skrehab.quality.heads import head_probabilities, head_targets, n_outputs


def test_scores_are_standardised_by_the_weights_of_the_trials():
    targets = head_targets(np.array([0.0, 10.0]), "regression", [3, 1])
    assert targets.classes is None
    assert targets.mean == pytest.approx(2.5)  # 10 / 4
    assert targets.scale == pytest.approx(np.sqrt((3 * 2.5**2 + 7.5**2) / 4))
    assert np.allclose(targets.values * targets.scale + targets.mean, [0, 10])


def test_equal_scores_are_not_divided_by_zero():
    targets = head_targets(np.full(4, 7.0), "regression")
    assert (targets.values == 0).all() and targets.scale == 1


def test_levels_of_a_hold_out_rise_with_the_scores_five_at_most():
    targets = head_targets(np.arange(20.0)[::-1], "regression")
    assert targets.levels.tolist() == np.repeat([4, 3, 2, 1, 0], 4).tolist()


def test_ordered_classes_are_ordered_as_numbers():
    targets = head_targets(np.array(["10", "9", "10"]), "ordinal")
    assert targets.classes.tolist() == [9, 10] and targets.values.tolist() == [1, 0, 1]


@pytest.mark.parametrize("head", ["regression", "ordinal"])
def test_words_are_no_ordered_numbers(head):
    with pytest.raises(ValueError, match=r"y\[0\] is 'good'.*head='classes'"):
        head_targets(np.array(["good", "bad"]), head)


@pytest.mark.parametrize("head", ["classes", "ordinal"])
def test_one_class_is_too_few(head):
    with pytest.raises(ValueError, match="at least 2 classes, got 1 class: all 3 trials"):
        head_targets(np.ones(3), head)


def test_as_many_outputs_as_the_head_needs():
    assert n_outputs("regression") == n_outputs("classes", "ab") == 1
    assert n_outputs("classes", "abc") == n_outputs("ordinal", "abc") == 3


def test_probabilities_of_ordered_classes():
    above = np.log([[3.0, 1 / 3]]).astype(np.float32)  # above the first: 3/4, the second: 1/4
    assert np.allclose(head_probabilities(above, "ordinal"), [[0.25, 0.5, 0.25]])
