"""Scores of a pipeline by patient, also where folds come to know other classes."""

import warnings

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict

from skrehab.evaluation.by_patient import evaluate_by_patient
from skrehab.metrics import by_patient, pool_frames


@pytest.fixture(scope="module")
def tiny():
    return tiny_trials()


def pipeline(**labeler):
    return Pipeline([("labels", tiny_labeler(**labeler)), ("frames", tiny_frames())])


def test_it_is_cross_validation_where_every_fold_knows_all(tiny):
    scores = evaluate_by_patient(pipeline(), tiny.X, tiny.y, tiny.patients)
    proba = cross_val_predict(
        pipeline(),
        tiny.X,
        tiny.y,
        groups=tiny.patients,
        cv=LeaveOneGroupOut(),
        method="predict_proba",
    )
    expected = by_patient(roc_auc_score, tiny.y != 0, pool_frames(proba), tiny.patients)
    np.testing.assert_array_equal(scores.scores, expected.scores)
    assert scores.pooled == expected.pooled


def test_a_class_that_only_one_patient_has(tiny):
    y = tiny.y.copy()
    y[(tiny.patients == "patient-0") & (y == 1)] = 2
    scores = evaluate_by_patient(pipeline(), tiny.X, y, tiny.patients)
    assert scores.n_defined == 4


def test_a_class_that_no_pseudo_label_has(tiny):
    """Too little trained to predict all three: frame models know [0, 2] or the like."""
    y = np.array([0, 1, 2, 0] * 4)
    pipe = pipeline(label_source="predicted")
    pipe.set_params(labels__estimator__network__readout="last")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(pipe.fit(tiny.X, y).classes_) < 3
        scores = evaluate_by_patient(pipe, tiny.X, y, tiny.patients)
    assert scores.n_defined == 4


def test_a_fold_that_fails_says_so(tiny):
    pipe = pipeline(threshold=(0.2, 0.4, 0.6))
    with pytest.raises(ValueError, match="threshold"):
        evaluate_by_patient(pipe, tiny.X, tiny.y, tiny.patients)


def test_one_patient_is_too_few(tiny):
    with pytest.raises(ValueError, match="at least 2, got \\['A'\\]"):
        evaluate_by_patient(pipeline(), tiny.X, tiny.y, np.full(16, "A"))


def test_every_fold_is_told(tiny):
    told = []
    evaluate_by_patient(
        pipeline(), tiny.X, tiny.y, tiny.patients, on_fold=lambda: told.append(1), n_jobs=1
    )
    assert len(told) == 4


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("labels__method", "The 'method' parameter of SaliencyPseudoLabeler must be"),
        ("labels__estimator__batch_size", "The 'batch_size' parameter of VideoClassifier must be"),
        ("frames__lr", "The 'lr' parameter of FrameMLP must be"),
    ],
)
def test_a_wrong_parameter_is_that_of_its_estimator(tiny, parameter, message):
    """scikit-learn said: the 'method' parameter of cross_validate."""
    told = []
    with pytest.raises(ValueError, match=message):
        evaluate_by_patient(
            pipeline().set_params(**{parameter: "foo"}),
            *(tiny.X, tiny.y, tiny.patients),
            on_fold=lambda: told.append(1),
        )
    assert not told
