"""Probabilities by one number: the likeliest slope, and the same class as the score says."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from skrehab import PatientRidgeClassifier
from skrehab.linear import fit_slope, slope_probabilities


def test_two_classes_are_a_logistic_curve():
    scores = np.linspace(-3, 3, 7)
    found = slope_probabilities(scores[:, None], 0.8)
    np.testing.assert_allclose(found[:, 1], expit(2 * 0.8 * scores))
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_slope_that_made_the_labels_is_found(n_classes):
    rng = np.random.RandomState(0)
    scores = rng.randn(20_000, 1 if n_classes == 2 else n_classes)
    proba = slope_probabilities(scores, 1.7)
    codes = (proba.cumsum(axis=1) < rng.rand(len(proba), 1)).sum(axis=1)
    assert abs(fit_slope(scores, codes) - 1.7) < 0.06
    # half of the trials are labelled by chance, and weigh nothing
    codes[::2] = rng.randint(n_classes, size=len(codes[::2]))
    assert fit_slope(scores, codes) < 1.3
    assert abs(fit_slope(scores, codes, np.arange(len(codes)) % 2) - 1.7) < 0.08


def test_perfect_scores_and_wrong_ones_get_a_slope():
    scores, codes = np.array([[-1.0]] * 6 + [[1.0]] * 2), np.repeat([0, 1], [6, 2])
    sure = slope_probabilities(scores, fit_slope(scores, codes))
    # Platt's targets, 7/8 of six and 3/4 of two, meet at their mean by trials
    np.testing.assert_allclose(sure[np.arange(8), codes], (6 * 7 / 8 + 2 * 3 / 4) / 8, rtol=1e-6)
    assert fit_slope(-scores, codes) == pytest.approx(1e-4)


def test_probabilities_are_fitted_on_patients_left_out():
    """The slope of a ridge is the likeliest for scores of ridges of the other patients."""
    rng = np.random.RandomState(0)
    patients, y = np.repeat(np.arange(10), 6), rng.randint(2, size=60)
    X = rng.randn(60, 30) + 0.4 * y[:, None] + rng.randn(10, 30)[patients]
    model = PatientRidgeClassifier([50.0]).fit(X, y, groups=patients)
    scores = cross_val_predict(Ridge(50.0), X, 2.0 * y - 1, cv=LeaveOneGroupOut(), groups=patients)
    size = np.bincount(y)
    wanted = np.where(y == 1, (size[1] + 1) / (size[1] + 2), 1 / (size[0] + 2))

    def loss(slope):
        said = expit(2 * slope * scores)
        return -np.mean(wanted * np.log(said) + (1 - wanted) * np.log(1 - said))

    best = minimize_scalar(loss, bounds=(0.01, 20), method="bounded", options={"xatol": 1e-8})
    assert model.slope_ == pytest.approx(best.x, rel=1e-4)
    said = model.predict_proba(X)
    np.testing.assert_allclose(said[:, 1], expit(2 * model.slope_ * model.decision_function(X)))
    # trials that it learned from would make it surer than it is of others
    assert fit_slope(model.decision_function(X)[:, None], y) > 1.5 * model.slope_


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_likeliest_class_is_the_one_predicted(n_classes):
    rng = np.random.RandomState(0)
    patients, y = np.repeat(np.arange(6), 6), rng.randint(n_classes, size=36)
    X = rng.randn(36, 10)  # nothing to be learned: the slope is small
    model = PatientRidgeClassifier().fit(X, np.array(["a", "b", "c"])[y], groups=patients)
    new = rng.randn(50, 10)
    said = model.predict_proba(new)
    assert said.shape == (50, n_classes)
    np.testing.assert_array_equal(model.classes_[said.argmax(axis=1)], model.predict(new))
