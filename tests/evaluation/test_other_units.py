"""Millimetres among metres, and per cent for shares, are said before anything is trained."""

import numpy as np
import pytest
from sklearn.utils import Bunch

from skrehab.evaluation.checks import oddities


def said_of(factors, scores=None):
    rng = np.random.RandomState(0)
    X = [factor * rng.uniform(-0.5, 0.5, (9, 33, 3)) for factor in factors]
    X[0][2] = np.nan
    if scores is not None:
        X = [np.concatenate([trial, np.full((9, 33, 1), scores)], axis=2) for trial in X]
    y, groups = np.arange(len(X)) % 2, np.array([f"P{i // 2}" for i in range(len(X))])
    return [
        text
        for text in oddities(Bunch(X=X, y=y, groups=groups))
        if "units" in text or "score" in text
    ]


def test_another_size_is_said_with_its_trials():
    assert said_of([1, 1, 1000, 1, 1, 1])[0].startswith(
        "Bodies have quite another size in 1 of 6 trials (3)"
    )
    assert "3 of 6 trials (4, 5, 6)" in said_of([1000, 1000, 1000, 1, 1, 1])[0]
    assert said_of([1, 4, 0.5, 1, 2, 1]) == []  # nearer to the camera, and children


@pytest.mark.parametrize("scores, n_said", [(None, 0), (1.0, 0), (0.3, 0), (87.0, 1), (np.nan, 0)])
def test_scores_above_one_are_said(scores, n_said):
    said = said_of([1] * 6, scores)
    assert len(said) == n_said and all("up to 87" in text for text in said)
