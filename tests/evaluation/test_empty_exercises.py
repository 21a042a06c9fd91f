"""Exercises that are filled in here and there are named before anything is trained."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from skrehab.evaluation.checks import oddities


def said(exercise):
    """What is said of exercises, of six trials of three patients."""
    X = [np.random.RandomState(i).randn(9, 5, 3) for i in range(6)]
    data = Bunch(X=X, y=np.array([0, 1] * 3), groups=np.repeat(["A", "B", "C"], 2))
    return [text for text in oddities(data | {"exercise": exercise}) if "xercise" in text]


def test_trials_without_an_exercise_beside_others_are_named():
    (text,) = said(np.array(["reach", "", "reach", " ", "lift", "lift"]))
    assert text.startswith("The exercise of 2 trials is empty (2, 4), of others it is not")


@pytest.mark.parametrize("one", ["reach", "", None], ids=["all", "none", "unknown"])
def test_all_or_none_is_nothing_odd(one):
    assert said(None if one is None else np.array([one] * 6)) == []
