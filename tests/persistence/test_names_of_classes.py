"""What classes are called: numbers by the metadata, words by themselves."""

import warnings

import numpy as np
import pytest

import skrehab
from skrehab.persistence import model_card
from skrehab.persistence.names import name_classes


@pytest.mark.parametrize("labels", [["lean", "usual"], ["usual", "lean"], None, []])
def test_words_name_themselves_in_any_order(labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert name_classes(["lean", "usual"], labels) == ["lean", "usual"]
        assert name_classes(["usual", "lean"], labels, {"lean": "bends"}) == ["usual", "bends"]


@pytest.mark.parametrize("labels", [["lehnt", "üblich"], ["lean"]])
def test_other_names_than_the_words_are_told(labels):
    with pytest.warns(UserWarning, match="classes are words.*own words are taken"):
        assert name_classes(["lean", "usual"], labels) == ["lean", "usual"]


def test_numbers_of_any_kind():
    names = ["usual", "lean"]
    for codes in ([0, 1], [False, True], [0.0, 1.0], np.arange(2), np.array([False, True])):
        assert name_classes(codes, names) == names
    with pytest.raises(ValueError, match=r"codes 0, 1, ..., and it knows a class 0\.5"):
        name_classes([0, 0.5], names)
    with pytest.raises(ValueError, match="2 labels, and it knows a class 2"):
        name_classes([1, 2], names)
    with pytest.raises(ValueError, match="'2', which is not among the labels"):
        name_classes([0, 1], None, {"2": "lean"})


def test_a_model_of_several_labels_knows_its_columns():
    own = ["trunk", "head"]
    assert name_classes([0, 1], None, own=own) == own
    assert name_classes([0, 1], ["head", "trunk"], own=own) == own
    assert name_classes([0, 1], ["Rumpf", "Kopf"], own=own) == ["Rumpf", "Kopf"]
    assert name_classes([0, 1], None, {"head": "head forward"}, own) == ["trunk", "head forward"]


def test_a_card_names_the_columns_in_their_order():
    X, y = [np.zeros((4, 5, 3))], [np.array(["usual", "lean"] * 2)]
    words = skrehab.FrameMLP(max_epochs=1, random_state=0).fit(X, y)
    card = model_card(words, {"labels": ["usual", "lean"]})
    assert "Output: probabilities of lean, usual." in card
    numbers = skrehab.FrameMLP(max_epochs=1, random_state=0).fit(X, [np.array([0, 1, 0, 1])])
    assert "probabilities of usual, lean." in model_card(numbers, {"labels": ["usual", "lean"]})
    assert "probabilities of 0, 1." in model_card(numbers, {"labels": ["usual"]})
