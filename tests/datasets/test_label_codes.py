"""Labels as numbers, and their names."""

import numpy as np
import pytest

from skrehab.datasets import encode_labels, name_labels, parse_label_names

Y = np.array([1, 0, 1])


def test_names_come_with_the_codes():
    codes, names = encode_labels(Y, label_names={0: "usual", 1: "compensation"})
    assert codes.tolist() == [1, 0, 1] and names == ["usual", "compensation"]
    # text from a command line, numbers from a file
    assert encode_labels(Y, label_names={"1": "lean"})[1] == ["0", "lean"]
    assert encode_labels(Y, 1, {"1": "lean"})[1] == ["lean", "0"]


def test_the_normal_label_may_be_called_by_its_name():
    codes, names = encode_labels(Y, "fine", {1: "fine", 0: "lean"})
    assert codes.tolist() == [0, 1, 0] and names == ["fine", "lean"]
    # a label of that very name goes before
    assert encode_labels(Y, "1", {0: "1", 1: "0"})[1] == ["0", "1"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({2: "lean"}, "'2', which is not among the labels"),
        ({0: "lean", 1: "lean"}, "Two labels would be called 'lean'"),
        ({0: "1"}, "Two labels would be called '1'"),
        ({0: " "}, "name of label '0' is empty"),
    ],
)
def test_names_that_cannot_be(names, message):
    with pytest.raises(ValueError, match=message):
        name_labels([0, 1], names)


def test_names_of_a_command_line():
    assert parse_label_names(None) == {}
    assert parse_label_names(" 0 = usual,1=leans to the side=left") == {
        "0": "usual",
        "1": "leans to the side=left",
    }
    for wrong in ("usual", "0=", "=usual", "0=usual,", "0:usual"):
        with pytest.raises(ValueError, match="0=usual,1=compensation"):
            parse_label_names(wrong)
    with pytest.raises(ValueError, match="given two names"):
        parse_label_names("0=usual,0=lean")
