"""What early stopping holds out: whole patients, or trials."""

import warnings

import numpy as np
import pytest

from skrehab.training.validation import held_out_patients, validation_split


def split(y, groups, how, fraction=0.25, seed=0, labels=None):
    random_state = np.random.RandomState(seed)
    return validation_split(np.asarray(y), groups, how, fraction, random_state, labels=labels)


@pytest.mark.parametrize("how", [False, np.False_])
def test_nothing_held_out(how):
    inside, held_out = split([0, 1, 1], None, how)
    assert inside.tolist() == [0, 1, 2] and held_out is None


@pytest.mark.parametrize("how", [True, "patient", np.True_])
@pytest.mark.parametrize("seed", range(5))
def test_patients_are_held_out_whole(how, seed):
    patients = np.repeat([f"P{i}" for i in range(8)], 5)
    y = np.tile([0, 1, 0, 1, 1], 8)
    inside, held_out = split(y, patients, how, 0.25, seed)
    assert sorted([*inside, *held_out]) == list(range(40))
    assert not set(patients[inside]) & set(patients[held_out])
    assert len(set(patients[held_out])) == 2  # a quarter of eight
    assert set(y[inside]) == set(y[held_out]) == {0, 1}


def test_the_seed_chooses_the_patients():
    patients = np.repeat(np.arange(10), 2)
    chosen = {tuple(split([0, 1] * 10, patients, True, 0.2, seed)[1]) for seed in range(10)}
    assert len(chosen) > 1


def test_every_class_on_both_sides_where_that_is_possible():
    """Half of the patients have one class only: hold out one who has both."""
    patients = np.repeat(np.arange(6), 4)
    y = np.array([0, 0, 0, 0] * 3 + [0, 1, 0, 1] * 3)
    for seed in range(5):
        inside, held_out = split(y, patients, True, 1 / 6, seed)
        assert set(y[inside]) == set(y[held_out]) == {0, 1}


def test_the_only_patient_with_a_class_is_trained_on():
    patients = np.repeat(list("ABCDE"), 4)
    y = np.array([1, 1] + [0] * 18)
    for seed in range(30):
        inside, _ = split(y, patients, True, 0.15, seed)
        assert set(y[inside]) == {0, 1}
    # the same where a sample has several labels, or none
    labels = [["lean", "rest"] if one else ["rest"] for one in y]
    labels[-1] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(30):
            inside, _ = split(np.zeros(20), patients, True, 0.15, seed, labels=labels)
            assert 0 in inside


def test_a_class_that_cannot_be_trained_on_is_named():
    """Two patients, one class each."""
    y = np.array(["lean", "lean", "usual", "usual"])
    codes, patients = np.array([0, 0, 1, 1]), np.array(["A", "A", "B", "B"])
    with pytest.warns(UserWarning, match=r"every sample labelled \['(lean|usual)'\]"):
        split(codes, patients, True, 0.5, labels=y)
    lone = np.array(["lean", *["usual"] * 3])
    with pytest.warns(UserWarning, match=r"every sample labelled \['lean'\]"):
        for seed in range(10):
            split((lone == "usual").astype(int), None, "trial", 0.5, seed, labels=lone)


def test_more_than_half_of_the_patients_cannot_be_held_out():
    y, patients = [0, 1] * 4, np.repeat(np.arange(4), 2)
    with pytest.raises(ValueError, match=r"validation_fraction must be at most 0.5 .* got 0.8"):
        split(y, patients, True, 0.8)
    assert len(split(y, patients, True, 0.5)[1]) == 4
    assert len(split(y, None, "trial", 0.75)[1]) == 6


def test_only_whole_patients_are_named_as_held_out():
    patients = np.array(["A", "A", "B", "B"])
    assert held_out_patients(patients, [3, 2], True).tolist() == ["B"]
    assert held_out_patients(patients, [3, 2], "trial") is None
    assert held_out_patients(patients, None, False) is None


@pytest.mark.parametrize("n_patients", [2, 3, 8])
def test_one_trial_a_patient(n_patients):
    """Fewer trials of each class than parts to divide them into; and no warning of it."""
    y = np.arange(n_patients) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inside, held_out = split(y, np.arange(n_patients), True, 0.15)
    assert len(held_out) >= 1 and sorted([*inside, *held_out]) == list(range(n_patients))
    if n_patients > 2:
        assert set(y[inside]) == {0, 1}


def test_by_patient_needs_patients():
    with pytest.raises(ValueError, match=r"needs groups.*fit\(X, y, groups=patients\).*'trial'"):
        split([0, 1], None, True)
    with pytest.raises(ValueError, match=r"at least 2 patients, got 1: \['P1'\]"):
        split([0, 1], np.array(["P1", "P1"]), "patient")


@pytest.mark.parametrize("n", [4, 6, 40])
def test_trials_are_held_out_with_all_classes(n):
    y = np.tile([0, 1], n // 2)
    inside, held_out = split(y, None, "trial", 0.15)
    assert sorted([*inside, *held_out]) == list(range(n))
    assert set(y[inside]) == set(y[held_out]) == {0, 1}


def test_a_class_of_one_trial_cannot_be_stratified():
    inside, held_out = split([0, 0, 0, 0, 0, 0, 0, 1], None, "trial", 0.25)
    assert len(held_out) == 2 and len(inside) == 6
