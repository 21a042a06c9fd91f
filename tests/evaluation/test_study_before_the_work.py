"""What ends a study is found before the first fold; a store that fails does not end it."""

import numpy as np
import pytest
from instances import tiny_trials
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from skrehab.evaluation import evaluate_by_patient


class Height(ClassifierMixin, BaseEstimator):
    """How high landmark 0 rises; counts how often it was taught."""

    taught = 0

    def fit(self, X, y):
        Height.taught += 1
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        height = np.array([np.nan_to_num(trial[:, 0].mean()) for trial in X])
        return np.column_stack([1 - height, height]).clip(0, 1)


@pytest.fixture(autouse=True)
def from_zero():
    Height.taught = 0


def test_a_fold_whose_training_has_one_label_is_refused_before_the_first(tiny):
    """It was found when its turn came, and the error named neither the fold nor the patient."""
    y = np.where(tiny.patients == "patient-3", tiny.y, 0)
    with pytest.raises(ValueError, match=r"With patient-3 held out, 12 training trials .* label 0"):
        evaluate_by_patient(Height(), tiny.X, y, tiny.patients)
    assert Height.taught == 0
    study = evaluate_by_patient(Height(), tiny.X, tiny.y, tiny.patients)
    assert len(study.folds) == 4 and Height.taught == 4


def test_a_model_without_probabilities_is_refused_before_the_first(tiny):
    """Its folds were trained, and then it was told that a pipeline has no such attribute."""
    models = {"height": Height(), "ridge": make_pipeline(Height(), RidgeClassifier())}
    with pytest.raises(ValueError, match=r"'ridge' must .* predict_proba, .* got Pipeline"):
        evaluate_by_patient(models, tiny.X, tiny.y, tiny.patients)
    with pytest.raises(ValueError, match=r"'model' must be an estimator .* got type"):
        evaluate_by_patient(Height, tiny.X, tiny.y, tiny.patients)
    assert Height.taught == 0


def test_trials_that_show_nothing_are_named(tiny):
    """They were scored as any other, by what a model says of nothing."""
    X = [trial.copy() for trial in tiny.X]
    for i in range(8, 12):
        X[i][:] = np.nan
    with pytest.warns(UserWarning, match="4 of 16 trials show no landmark.*8, 9, 10, 11, of pati"):
        study = evaluate_by_patient(Height(), X, tiny.y, tiny.patients)
    assert sum("show no landmark" in note for note in study.notes) == 1
    assert study.notes == [note for note in study.warnings() if note in study.notes]
    X[8][0, 0] = 0.5
    assert "3 of 16" in " ".join(evaluate_by_patient(Height(), X, tiny.y, tiny.patients).notes)


def test_a_store_that_fails_does_not_end_the_study(tmp_path):
    """A full disk lost the fold that was done, and all that were to come."""
    tiny = tiny_trials()
    (tmp_path / "folds").write_text("a file where the folder would be")
    with pytest.warns(UserWarning, match="cannot be kept in .*folds.*The study goes on"):
        kept = evaluate_by_patient(Height(), tiny.X, tiny.y, tiny.patients, memory=tmp_path)
    plain = evaluate_by_patient(Height(), tiny.X, tiny.y, tiny.patients)
    assert kept.summary() == plain.summary() and Height.taught == 8
