"""Soft labels: what may stand in them, what they mean, and that they are not lost on the way."""

import pickle

import numpy as np
import pytest
from instances import tiny_frames, tiny_tcn, tiny_trials
from sklearn.utils import _safe_indexing

from skrehab.frames import SoftLabels, check_frame_targets
from skrehab.frames.targets import class_weights, frame_weights
from skrehab.trials import UNLABELLED

X = [np.zeros((3, 5, 3)), np.zeros((2, 5, 3))]
both = pytest.mark.parametrize("make", [tiny_frames, tiny_tcn], ids=["mlp", "tcn"])


def one_hot(labels, n_classes=2):
    return [np.eye(n_classes)[one] for one in labels]


# --- the contract ---------------------------------------------------------------------------------
def test_plain_and_soft_may_stand_together():
    y = [[[0.2, 0.8], [np.nan] * 2, [1, 0]], ["b", -1]]
    targets = check_frame_targets(y, X, ["b", "a"])
    assert targets.soft and targets.classes.tolist() == ["b", "a"]
    np.testing.assert_allclose(targets.values[0], [[0.2, 0.8], [0, 0], [1, 0]])
    np.testing.assert_array_equal(targets.values[1][0], [1, 0])
    assert [one.tolist() for one in targets.known] == [[True, False, True], [True, False]]
    assert [one.tolist() for one in targets.codes] == [[1, 0], [0]]
    plain = check_frame_targets([[0, 1, -1], [7, 7]], X)
    assert not plain.soft and plain.classes.tolist() == [0, 1, 7]
    assert plain.values[1].tolist() == [2, 2]


def test_equal_lengths_are_not_taken_for_soft_labels():
    same = [np.zeros((2, 5, 3))] * 2
    assert not check_frame_targets(np.array([[0, 1], [1, 0]]), same).soft
    assert check_frame_targets(np.full((2, 2, 2), 0.5), same).soft


SOFT = [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([SOFT * 3, SOFT], None, r"y\[1\] must have shape \(2, 2\), one probability"),
        ([SOFT * 3, [[0.2, 0.3, 0.5]] * 2], None, r"y\[1\] must have shape \(2, 2\)"),
        ([SOFT * 3, [[0.5, 0.6]] * 2], None, r"y\[1\]\[0\] is .*sum to 1"),
        ([SOFT * 3, [[0.5, 0.5], [1.5, -0.5]]], None, r"y\[1\]\[1\] is .*between 0 and 1"),
        ([SOFT * 3, [[0.5, np.nan]] * 2], None, r"y\[1\]\[0\] is .*or all be NaN"),
        ([SOFT * 3, [["a", "b"]] * 2], None, r"y\[1\] cannot be read as probabilities"),
        ([SOFT * 3], None, "2 trials, 1 given"),
        ([SOFT * 3, [0, 2]], None, r"y\[1\] holds 2, which is not among \[0, 1\]"),
        ([SOFT * 3, ["a", -1]], None, r"y\[1\] holds 'a', which is not among \[0, 1\]"),
        ([SOFT * 3, [0.5, 1]], None, r"y\[1\] must hold whole numbers"),
        ([SOFT * 3, 1], None, r"y\[1\] must have shape \(2,\)"),
        ([SOFT * 3, SOFT * 2], ["a", "a"], "classes must name each column once"),
        ([SOFT * 3, SOFT * 2], ["a"], r"y\[0\] must have shape \(3, 1\)"),
        ([[0, 1, 2], [0, 0]], [0, 1], r"y\[0\] holds 2, which is not among"),
        ([[[np.nan] * 2] * 3, [-1, -1]], None, "No frame is labelled"),
        (SoftLabels([SOFT * 3, SOFT * 2], ["a", "b"]), ["b", "a"], r"but y says \['a', 'b'\]"),
    ],
)
def test_bad_soft_labels(y, classes, message):
    with pytest.raises(ValueError, match=message):
        check_frame_targets(y, X, classes)


def test_names_of_columns_are_kept():
    labels = SoftLabels([SOFT * 3, SOFT * 2, SOFT], ["lean", "normal"])
    for kept in (
        labels[[2, 0]],
        _safe_indexing(labels, np.array([0, 2])),
        pickle.loads(pickle.dumps(labels)),
    ):
        assert kept.classes.tolist() == ["lean", "normal"]
    assert [len(one) for one in labels[[2, 0]]] == [1, 3]


def test_weights_of_soft_classes():
    hard = np.array([0, 0, 0, 1])
    soft = np.eye(3)[hard]
    classes = np.array(["a", "b", "c"])
    expected = [4 / 6, 2.0, 1.0]  # n / (classes seen * count), as scikit-learn; c is not seen
    for values in (hard, soft):
        of_class = class_weights(values, classes, "balanced")
        np.testing.assert_allclose(of_class, expected)
        np.testing.assert_allclose(frame_weights(values, of_class), np.array(expected)[hard])
    np.testing.assert_array_equal(class_weights(hard, classes, {"b": 3.0, "x": 9.0}), [1, 3, 1])


# --- learning from them ---------------------------------------------------------------------------
@both
@pytest.mark.parametrize("weights", [None, "balanced", {0: 1.0, 1: 5.0}])
def test_sure_soft_labels_are_labels(make, weights):
    data = tiny_trials()
    hard = [labels.copy() for labels in data.frame_labels]
    hard[3][2:5] = UNLABELLED
    soft = one_hot(hard)
    soft[3][2:5] = np.nan
    one = make(class_weight=weights).fit(data.X, hard).predict_proba(data.X)
    other = make(class_weight=weights).fit(data.X, soft).predict_proba(data.X)
    for a, b in zip(one, other):
        np.testing.assert_allclose(a, b, atol=1e-6)


@both
def test_three_soft_classes_with_names(make):
    data = tiny_trials()
    labels = [
        (frames + (np.arange(len(frames)) % 2) * (1 - frames) * 2) for frames in data.frame_labels
    ]
    y = SoftLabels([0.9 * one + 0.1 / 3 for one in one_hot(labels, 3)], ["none", "lean", "turn"])
    model = make(max_epochs=3).fit(data.X, y)
    assert model.classes_.tolist() == ["none", "lean", "turn"]
    assert model.predict_proba(data.X)[0].shape == (len(data.X[0]), 3)
    assert set(np.concatenate(model.predict(data.X))) <= {"none", "lean", "turn"}


@both
def test_they_teach_probabilities(make):
    """Where nothing else can be told, what is predicted is the mean of the labels."""
    trials = [np.zeros((20, 5, 3), dtype=np.float32) for _ in range(8)]
    soft = [np.tile([0.7, 0.3], (20, 1)) for _ in trials]
    model = make(max_epochs=80, lr=0.05, dropout=0.0).fit(trials, soft)
    np.testing.assert_allclose(model.predict_proba(trials)[0][:, 1], 0.3, atol=0.02)


def test_a_resampler_counts_labels():
    from imblearn.under_sampling import RandomUnderSampler

    data = tiny_trials()
    with pytest.raises(ValueError, match="y is soft: use class_weight"):
        tiny_frames(resampler=RandomUnderSampler()).fit(data.X, one_hot(data.frame_labels))
