"""PatientRidgeClassifier: each patient by the others, as if each had been left out and fitted."""

import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.estimator_checks import parametrize_with_checks

import skrehab
from skrehab import BoneVectors, PatientRidgeClassifier, RocketFeatures
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import audit, evaluate_by_patient
from skrehab.linear import left_out_predictions, ridge_coefficients, ridge_parts
from skrehab.pseudo_labels import PatientPipeline

ALPHAS = [0.01, 1.0, 100.0]
# fewer columns than trials, as many as there are contrasts, as many as trials, more
WIDTHS = [1, 4, 29, 30, 31, 200]
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "a trial twice is left out once at a time, "
    "and a trial of weight two is one trial"
}


def numbers(n=30, p=200, n_patients=6, seed=0):
    """Trials of patients, each with an offset of their own: X, two targets, patients."""
    rng = np.random.RandomState(seed)
    patients = rng.choice(n_patients, n, p=np.arange(1, n_patients + 1) / 21)
    X = rng.randn(n, p) + 3 + rng.randn(n_patients, p)[patients]
    return X, rng.randn(n, 2), patients


def refitted(X, y, patients, alpha, weight=None):
    """What a ridge of the other patients says of each, by fitting it."""
    said = np.empty_like(y)
    for patient in np.unique(patients):
        out = patients == patient
        of_others = None if weight is None else weight[~out]
        model = Ridge(alpha, solver="svd").fit(X[~out], y[~out], sample_weight=of_others)
        said[out] = model.predict(X[out]).reshape(y[out].shape)
    return said


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("p", WIDTHS)
def test_left_out_predictions_are_those_of_refitted_ridges(p, weighted):
    X, y, patients = numbers(p=p)
    weight = np.random.RandomState(2).uniform(0.1, 3, len(X)) if weighted else None
    found = left_out_predictions(ridge_parts(X, weight), y, ALPHAS, patients)
    assert len(set(np.bincount(patients))) > 2  # patients of several sizes
    for alpha, said in zip(ALPHAS, found):
        np.testing.assert_allclose(
            said, refitted(X, y, patients, alpha, weight), rtol=1e-8, atol=1e-8
        )


@pytest.mark.parametrize("p", WIDTHS)
def test_single_trials_are_left_out_the_same_way(p):
    X, y, _ = numbers(p=p)
    found = left_out_predictions(ridge_parts(X), y, [1.0])
    np.testing.assert_allclose(
        found[0], refitted(X, y, np.arange(len(X)), 1.0), rtol=1e-8, atol=1e-8
    )


def test_patients_of_more_trials_than_columns():
    """Then the equations are of columns: no matrix of trials by trials is made."""
    X, y, _ = numbers(n=60, p=3)
    patients = np.arange(60) % 2
    found = left_out_predictions(ridge_parts(X), y, ALPHAS, patients)
    for alpha, said in zip(ALPHAS, found):
        np.testing.assert_allclose(said, refitted(X, y, patients, alpha), rtol=1e-8, atol=1e-8)
    many, targets = np.random.RandomState(0).randn(2, 3000, 2)
    tracemalloc.start()
    try:
        left_out_predictions(ridge_parts(many), targets, [1.0], np.arange(3000) % 2)
        assert tracemalloc.get_traced_memory()[1] < 3e6  # one patient's matrix has 18 million bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("p", WIDTHS)
def test_coefficients_are_those_of_scikit_learn(p):
    X, y, _ = numbers(p=p)
    weight = np.random.RandomState(1).uniform(0.1, 3, len(X))
    for alpha in ALPHAS:
        coef, intercept = ridge_coefficients(ridge_parts(X, weight), y, alpha)
        ridge = Ridge(alpha, solver="svd").fit(X, y, sample_weight=weight)
        np.testing.assert_allclose(coef, ridge.coef_, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(intercept, ridge.intercept_, rtol=1e-8, atol=1e-8)


def test_repeated_trials_and_constant_columns():
    """Eigenvalues of zero are no trouble: the penalty stands in for them."""
    X, _, _ = numbers(n=12, p=40)
    X = np.concatenate([X, X, np.tile(X[:1], (6, 1))])
    X[:, 5] = 7.0
    patients = np.arange(len(X)) % 5
    y = np.random.RandomState(1).randn(len(X), 1)
    found = left_out_predictions(ridge_parts(X), y, [0.1], patients)[0]
    np.testing.assert_allclose(found, refitted(X, y, patients, 0.1), rtol=1e-7, atol=1e-7)
    nothing = left_out_predictions(ridge_parts(np.ones((30, 3))), y, [1.0], patients)[0]
    mean = [[y[patients != one].mean()] for one in patients]
    np.testing.assert_allclose(nothing, mean)


@pytest.mark.parametrize("p", [4, 200])
def test_a_patients_own_targets_do_not_reach_what_is_said_of_that_patient(p):
    X, y, patients = numbers(p=p)
    parts, other = ridge_parts(X), y.copy()
    other[patients == 4] = 1e3
    before, after = (left_out_predictions(parts, one, ALPHAS, patients) for one in (y, other))
    own = patients == 4
    np.testing.assert_allclose(before[:, own], after[:, own], rtol=1e-7, atol=1e-7)
    assert np.abs(before[:, ~own] - after[:, ~own]).max() > 1


# --- the classifier -------------------------------------------------------------------------------
def labelled(n_classes=2, p=60, names=("lean", "normal", "turn")):
    X, _, patients = numbers(n=60, p=p)
    codes = np.random.RandomState(1).randint(n_classes, size=len(X))
    X[:, :3] += 3 * np.eye(3)[codes]
    return X, np.array(names)[codes], patients


@pytest.mark.parametrize("p", [5, 60, 150])
@pytest.mark.parametrize("class_weight", [None, "balanced", {"lean": 3.0}])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_it_is_the_ridge_classifier_at_the_penalty_that_left_out_patients_choose(
    n_classes, class_weight, p
):
    X, y, patients = labelled(n_classes, p)
    given = np.random.RandomState(3).uniform(0.2, 2, len(X))
    model = PatientRidgeClassifier(ALPHAS, class_weight=class_weight)
    model.fit(X, y, sample_weight=given, groups=patients)
    weight = given * compute_sample_weight(class_weight, y)
    targets = np.where(y[:, None] == np.unique(y), 1.0, -1.0)
    targets = targets[:, 1:] if n_classes == 2 else targets
    errors = [
        np.average(
            ((refitted(X, targets, patients, a, weight) - targets) ** 2).mean(axis=1),
            weights=weight,
        )
        for a in ALPHAS
    ]
    np.testing.assert_allclose(model.alpha_scores_, -np.array(errors), rtol=1e-8)
    assert model.alpha_ == ALPHAS[int(np.argmin(errors))]
    assert model.best_score_ == max(model.alpha_scores_) and model.left_out_ == "patients"
    theirs = RidgeClassifier(model.alpha_, class_weight=class_weight, solver="svd")
    theirs.fit(X, y, sample_weight=given)
    np.testing.assert_allclose(model.coef_, np.atleast_2d(theirs.coef_), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(model.intercept_, theirs.intercept_, rtol=1e-8, atol=1e-8)
    new = numbers(n=20, p=p, seed=5)[0]
    np.testing.assert_allclose(
        model.decision_function(new), theirs.decision_function(new), rtol=1e-8, atol=1e-8
    )
    np.testing.assert_array_equal(model.predict(new), theirs.predict(new))
    assert model.classes_.tolist() == np.unique(y).tolist()


def test_leaving_patients_out_chooses_otherwise_than_leaving_trials_out():
    """Each patient moves in a way that tells the label in that patient alone: it must not count."""
    rng = np.random.RandomState(0)
    patients = np.repeat(np.arange(10), 8)
    y = np.tile([0, 1], 40)
    X = 0.3 * rng.randn(80, 300) + (2 * y[:, None] - 1) * rng.randn(10, 300)[patients] / 3
    by_patient = PatientRidgeClassifier().fit(X, y, groups=patients)
    with pytest.warns(UserWarning, match="given no groups"):
        by_trial = PatientRidgeClassifier().fit(X, y)
    assert (by_patient.left_out_, by_trial.left_out_) == ("patients", "trials")
    assert by_patient.alpha_ > 10 * by_trial.alpha_
    assert by_trial.best_score_ > -0.5 and by_patient.best_score_ < -0.9  # 1 is knowing nothing


def test_a_trial_of_weight_zero_is_not_there():
    X, y, patients = labelled()
    weight = np.random.RandomState(0).uniform(0.5, 2, len(X))
    weight[::7] = 0
    keep = weight > 0
    a = PatientRidgeClassifier(ALPHAS).fit(X, y, weight, patients)
    b = PatientRidgeClassifier(ALPHAS).fit(X[keep], y[keep], weight[keep], patients[keep])
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(a.alpha_scores_, b.alpha_scores_, rtol=1e-9)


def test_a_weight_of_two_is_a_trial_that_the_patient_did_twice():
    X, y, patients = labelled()
    weight = np.where(np.arange(len(X)) % 3 == 0, 2, 1)
    a = PatientRidgeClassifier(ALPHAS).fit(X, y, weight, patients)
    twice = np.repeat(np.arange(len(X)), weight)
    b = PatientRidgeClassifier(ALPHAS).fit(X[twice], y[twice], groups=patients[twice])
    np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(a.alpha_scores_, b.alpha_scores_, rtol=1e-8)
    assert a.slope_ == pytest.approx(b.slope_, rel=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_patients_of_one_class(n_classes):
    """Left out, they leave a class thinner, or away: both are least squares like any other."""
    X, y, patients = labelled(n_classes)
    patients = np.where(y == "lean", "Ann", np.where(patients < 5, "Bea", "Cid"))
    model = PatientRidgeClassifier(ALPHAS).fit(X, y, groups=patients)
    targets = np.where(y[:, None] == model.classes_, 1.0, -1.0)[:, -len(model.coef_) :]
    error = (refitted(X, targets, patients, model.alpha_) - targets) ** 2
    np.testing.assert_allclose(model.best_score_, -error.mean(), rtol=1e-8)


def test_what_cannot_be():
    X, y, patients = labelled()
    with pytest.raises(ValueError, match="there is one patient, 'Ann' only"):
        PatientRidgeClassifier().fit(X, y, groups=["Ann"] * len(X))
    only = np.where(patients == 5, 1.0, 0.0)  # the others weigh nothing
    with pytest.raises(ValueError, match="there is one patient, 5 only"):
        PatientRidgeClassifier().fit(X, y, only, patients)
    with pytest.raises(ValueError, match="one patient per trial"):
        PatientRidgeClassifier().fit(X, y, groups=patients[1:])
    with pytest.raises(ValueError, match=r"groups\[0\] is missing"):
        PatientRidgeClassifier().fit(X, y, groups=[None, *patients[1:].astype(str)])
    with pytest.raises(ValueError, match="got 1 class: all 60 trials are labelled 'lean'"):
        PatientRidgeClassifier().fit(X, ["lean"] * len(X), groups=patients)
    wrong = {"is 0.0": [1, 0], "is nan": [np.nan], "must be a list": [], "a list of": [[1.0]]}
    for said, alphas in wrong.items():
        with pytest.raises(ValueError, match=said):
            PatientRidgeClassifier(alphas).fit(X, y, groups=patients)


@parametrize_with_checks(
    [PatientRidgeClassifier()], expected_failed_checks=lambda estimator: EXPECTED
)
def test_scikit_learn_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PatientRidgeClassifier was given no groups")
        check(estimator)


# --- in a pipeline --------------------------------------------------------------------------------
def movements():
    return make_rehab_trials(5, 2, "brush_hair", random_state=0)


def steps():
    return BoneVectors(), RocketFeatures(840, random_state=0), StandardScaler()


def test_patients_reach_it_through_pipelines():
    """PatientPipeline, and scikit-learn's own with routing, choose as by hand."""
    data = movements()
    names = ["bones", "rocket", "scale", "ridge"]
    ours = PatientPipeline(list(zip(names, [*steps(), PatientRidgeClassifier()])))
    ours.fit(data.X, data.y, groups=data.groups)
    with config_context(enable_metadata_routing=True):
        plain = make_pipeline(*steps(), PatientRidgeClassifier())
        plain.fit(data.X, data.y, groups=data.groups)
    table = make_pipeline(*steps()).fit_transform(data.X, data.y)
    alone = PatientRidgeClassifier().fit(table, data.y, groups=data.groups)
    for model in (ours[-1], plain[-1]):
        assert model.left_out_ == "patients" and model.alpha_ == alone.alpha_
        np.testing.assert_allclose(model.coef_, alone.coef_)


def test_cross_validation_by_patient_hands_them_on():
    data = movements()
    names = ["bones", "rocket", "scale", "ridge"]
    model = PatientPipeline(list(zip(names, [*steps(), PatientRidgeClassifier()])))
    params = {"groups": data.groups}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # as it would be without patients
        with config_context(enable_metadata_routing=True):
            scores = cross_val_score(model, data.X, data.y, cv=LeaveOneGroupOut(), params=params)
            said = cross_val_predict(model, data.X, data.y, cv=LeaveOneGroupOut(), params=params)
    assert len(scores) == 5 and set(said) <= {0, 1}


@pytest.mark.filterwarnings("ignore:The duration alone", "ignore:No score over trials")
def test_a_study_takes_it():
    """Fold by fold the patients reach it, and nothing leaks."""
    data = movements()
    names = ["bones", "rocket", "scale", "ridge"]
    model = PatientPipeline(list(zip(names, [*steps(), PatientRidgeClassifier()])))
    study = evaluate_by_patient({"ridge": model}, data)
    found = study.to_frame()
    assert "ridge" in set(found["method"])
    assert audit(model, data, on_leak="return").kinds == set()


def test_it_is_saved_and_loaded(tmp_path):
    data = movements()
    model = PatientPipeline(
        list(zip(["bones", "rocket", "scale", "ridge"], [*steps(), PatientRidgeClassifier()]))
    ).fit(data.X, data.y, groups=data.groups)
    skrehab.save(model, tmp_path / "model")
    again = skrehab.load(tmp_path / "model")
    np.testing.assert_array_equal(model.decision_function(data.X), again.decision_function(data.X))
    assert again[-1].alpha_ == model[-1].alpha_ and again[-1].left_out_ == "patients"
