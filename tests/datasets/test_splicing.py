"""Spliced trials: counts, frame truth, and the UIPRMD-Weak protocol on real data."""

import numpy as np
import pytest

from skrehab.datasets import load_uiprmd_npz, splice_repetitions
from skrehab.trials import check_frame_labels, check_trials


def repetitions(n_people=2, n_movements=2, n_each=6, seed=0):
    """Repetitions whose every value is their own index, so that frames can be traced back."""
    rng = np.random.RandomState(seed)
    rows = [
        (person, movement, correct)
        for person in range(n_people)
        for movement in range(n_movements)
        for correct in [True] * n_each + [False] * n_each
    ]
    X = [np.full((rng.randint(3, 9), 4, 3), i, dtype=np.float32) for i in range(len(rows))]
    person, movement, correct = map(np.array, zip(*rows))
    return X, correct, np.array([f"S{p}" for p in person]), movement


def test_counts_per_person_and_movement():
    X, correct, groups, movement = repetitions()
    data = splice_repetitions(X, correct, groups, movement)
    assert len(data.X) == 2 * 2 * 10
    for person in ("S0", "S1"):
        for name in (0, 1):
            own = (data.groups == person) & (data.movement == name)
            assert own.sum() == 10 and data.y[own].sum() == 5
    n_wrong = (~correct)[data.sources].sum(axis=1)
    assert set(n_wrong[data.y == 1]) == {1, 2} and set(n_wrong[data.y == 0]) == {0}


def test_every_frame_keeps_its_repetition_and_label():
    X, correct, groups, movement = repetitions()
    data = splice_repetitions(X, correct, groups, movement)
    check_trials(data.X)
    check_frame_labels(data.frame_labels, data.X)
    for i, trial in enumerate(data.X):
        source = trial[:, 0, 0].astype(int)
        assert (trial == source[:, None, None]).all()
        assert (data.frame_labels[i] == ~correct[source]).all()
        assert (data.sources[i][data.repetition[i]] == source).all()
        assert len(set(data.sources[i])) == 3  # never twice in one trial
        assert (groups[source] == data.groups[i]).all()
        assert (movement[source] == data.movement[i]).all()
        assert len(trial) == sum(len(X[s]) for s in data.sources[i])
        assert data.y[i] == data.frame_labels[i].max()


def test_incorrect_repetitions_come_at_any_place():
    X, correct, groups, movement = repetitions()
    data = splice_repetitions(X, correct, groups, movement)
    places = (~correct)[data.sources][data.y == 1].mean(axis=0)
    assert (places > 0.2).all() and (places < 0.8).all()


def test_seeds():
    given = repetitions()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again = splice_repetitions(*given), splice_repetitions(*given)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(first.sources, again.sources)
    assert not np.array_equal(first.sources, splice_repetitions(*given, random_state=1).sources)


def test_degenerate_repetitions_are_left_out_and_listed():
    X, correct, groups, movement = repetitions()
    X[7] = X[7][:1]
    data = splice_repetitions(X, correct, groups, movement)
    assert data.skipped.tolist() == [7] and 7 not in data.sources
    kept = splice_repetitions(
        X, correct, groups, movement, min_frames=1, n_trials=40, n_positive=20
    )
    assert kept.skipped.tolist() == [] and 7 in kept.sources


def test_other_sizes():
    X, correct, groups, movement = repetitions()
    single = splice_repetitions(X, correct, groups, n_repetitions=1, n_trials=4, n_positive=2)
    assert single.sources.shape == (8, 1) and single.y.sum() == 4
    assert set(single.movement) == {0}
    normal = splice_repetitions(X, np.ones(len(X)), groups, movement, n_positive=0)
    assert normal.y.sum() == 0
    long = splice_repetitions(X, correct, groups, movement, n_repetitions=5, n_positive=10)
    n_wrong = (~correct)[long.sources].sum(axis=1)
    assert long.y.all() and set(n_wrong) == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_positive": 11}, "n_positive is 11, but only n_trials=10"),
        ({"n_repetitions": 0}, "n_repetitions must be a whole number of at least 1, got 0"),
        ({"min_frames": 1.5}, "min_frames must be a whole number"),
        ({"n_repetitions": 7}, "Person S0, movement 0: 6 usable correct .* need 7"),
        ({"groups": None}, "groups is needed"),
        ({"movement": [1, 2]}, "movement must name one movement per repetition: 48"),
        ({"correct": ["yes"] * 48}, "correct must hold True and False .* got ..yes"),
        ({"min_frames": 100}, "Person S0, movement 0: 0 usable correct"),
    ],
)
def test_errors_name_what_does_not_fit(change, message):
    X, correct, groups, movement = repetitions()
    arguments = {"X": X, "correct": correct, "groups": groups, "movement": movement, **change}
    with pytest.raises(ValueError, match=message):
        splice_repetitions(**arguments)


def test_too_few_incorrect_repetitions():
    X, correct, groups, movement = repetitions(n_people=1, n_movements=1)
    correct[-5:] = True
    with pytest.raises(ValueError, match="1 usable incorrect repetitions, but trials of 3 need 2"):
        splice_repetitions(X, correct, groups, movement)


def test_uiprmd_weak(shared):
    raw = load_uiprmd_npz(shared / "data" / "uiprmd_kinect.npz")
    data = splice_repetitions(raw.X, raw.correct, raw.subject, raw.movement, random_state=0)
    assert len(data.X) == 1000 and data.y.sum() == 500
    assert np.unique(data.groups).tolist() == list(range(1, 11))
    assert 200 < np.mean([len(trial) for trial in data.X]) < 240
    assert np.concatenate(data.frame_labels).mean() == pytest.approx(0.25, abs=0.02)
    assert not any(np.isnan(trial).any() for trial in data.X)


def test_without_reuse_no_repetition_stands_in_two_trials():
    correct = np.array(([True] * 10 + [False] * 10) * 2)
    X = [np.full((3 + i % 4, 2, 3), i, dtype=float) for i in range(40)]
    groups = np.repeat(["a", "b"], 20)
    how = {"n_trials": 5, "n_positive": 3, "reuse": False}
    data = splice_repetitions(X, correct, groups, random_state=3, **how)
    assert len(np.unique(data.sources)) == data.sources.size == 2 * 5 * 3
    assert data.y.tolist() == [0, 0, 1, 1, 1] * 2
    wrong = (~correct[data.sources]).sum(axis=1)
    assert set(wrong[data.y == 1]) <= {1, 2}
    for trial, members in zip(data.X, data.sources):
        assert trial[:, 0, 0].tolist() == [i for i in members for _ in range(3 + i % 4)]
    again = splice_repetitions(X, correct, groups, random_state=3, **how)
    np.testing.assert_array_equal(data.sources, again.sources)


def test_without_reuse_says_when_repetitions_do_not_suffice():
    X, correct = [np.zeros((3, 2, 3))] * 12, np.array([True] * 6 + [False] * 6)
    with pytest.raises(ValueError, match="5 trials of 3, 3 of them positive, cannot be made of 6"):
        splice_repetitions(X, correct, ["a"] * 12, n_trials=5, n_positive=3, reuse=False)
