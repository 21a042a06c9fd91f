"""Exercises and patients reach the prediction of a study's models that ask: earlier trials only."""

import warnings

import numpy as np
import pytest
from instances import tiny_frames, tiny_labeler, tiny_trials
from scipy.special import logit
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch

from skrehab import CalibratedByPatient, PatientReference
from skrehab._told import asked_of
from skrehab.adaptation import map_scores
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import OnFrameTruth, audit, evaluate_by_patient
from skrehab.metrics import FrameScorer, by_patient, frame_roc_auc, pool_frames, trial_roc_auc
from skrehab.pseudo_labels import PatientPipeline
from skrehab.recipes import recommended
from skrehab.trials import ragged

EARLIER = "whose each held-out trial is"


@pytest.fixture(scope="module")
def data():
    """Four patients with four trials, two of each exercise; exercises differ in posture."""
    one = tiny_trials()
    exercise = np.array(["reach", "lift"] * 8)
    offset = np.where(exercise == "lift", 2.0, 0.0) + np.repeat(np.arange(4), 4)
    X = [trial + shift for trial, shift in zip(one.X, offset)]
    return Bunch(
        X=X, y=one.y, groups=one.patients, exercise=exercise, frame_labels=one.frame_labels
    )


def weak(**params):
    reference = PatientReference(**params)
    return PatientPipeline(
        [("reference", reference), ("labels", tiny_labeler()), ("frames", tiny_frames())]
    )


def study_of(models, data, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return evaluate_by_patient(models, data, random_state=0, **how)


def picked(data, index):
    """Trials, and who and which exercise they are of."""
    who = {"groups": data.groups[index], "exercise": data.exercise[index]}
    return [data.X[i] for i in index], who


def test_a_study_says_what_a_bare_loop_says(data):
    study = study_of({"adapted": weak(n_trials=2)}, data)
    said = [None] * len(data.X)
    for train, test in LeaveOneGroupOut().split(data.X, data.y, data.groups):
        X, who = picked(data, train)
        pipe = weak(n_trials=2).fit(X, data.y[train], **who)
        for i in test:  # one trial after the other, each with what was recorded until then
            earlier = [j for j in test if j < i and data.exercise[j] == data.exercise[i]]
            own = pipe["reference"]
            if earlier:
                own = own.for_patient([data.X[j] for j in earlier], exercise=data.exercise[i])
            features = own.transform([data.X[i]], exercise=[data.exercise[i]])
            said[i] = pipe["frames"].predict_proba(features)[0][:, 1]
    for one, other in zip(study.frame_scores["adapted"], said):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)
    expected = by_patient(frame_roc_auc, data.frame_labels, ragged(said), data.groups)
    found = study.scores["frame AUC"]["adapted"]
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)
    # and the classifier inside is asked behind the reference, too
    inside = study.scores["trial AUC of the classifier inside"]["adapted"]
    assert np.isfinite(inside.scores).all()


def test_it_is_said_that_earlier_trials_are_used(data):
    models = {"adapted": weak(), "plain": OnFrameTruth(tiny_frames())}
    with pytest.warns(UserWarning, match=f"Model 'adapted' is told {EARLIER}"):
        study = evaluate_by_patient(models, data, cv=2)
    assert [EARLIER in note for note in study.notes] == [True]


def test_the_recommended_pipeline_with_a_reference():
    trials = make_rehab_trials(3, 2, ["brush_hair", "wash_face"], strength=3.0, random_state=1)
    how = {"n_teachers": 1, "max_epochs": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        study = evaluate_by_patient(recommended(reference=2, **how), trials, cv=2)
        pipe = recommended(reference=2, **how, random_state=0)
        train, test = study.folds[0]
        X, who = picked(trials, train)
        pipe.fit(X, trials.y[train], **who)
        X, who = picked(trials, test)
        said = pipe.predict_proba(X, **who)
        alone = pipe.predict_proba(X, exercise=who["exercise"])
    for place, i in enumerate(test):
        np.testing.assert_array_equal(study.frame_scores["model"][i], said[place][:, 1])
    assert not np.allclose(said[-1], alone[-1])  # the patients' own trials are made use of


@pytest.mark.parametrize("which", ["later", "other exercise", "other patient", "earlier"])
def test_what_a_held_out_trial_goes_by(data, which):
    """Of its own patient and exercise, and before it."""
    probe, changed = {
        "later": (4, 6), "other exercise": (6, 5), "other patient": (10, 4), "earlier": (6, 4)
    }[which]  # fmt: skip
    train, test = np.r_[0:4, 12:16], np.r_[4:12]
    X, who = picked(data, train)
    pipe = weak().fit(X, data.y[train], **who)
    X, who = picked(data, test)
    before = pipe.predict_proba(X, **who)[probe - 4]
    X[changed - 4] = X[changed - 4] * -1.5 + 0.3
    after = pipe.predict_proba(X, **who)[probe - 4]
    assert np.array_equal(before, after) == (which != "earlier")


def test_normal_ones_need_labels_and_are_not_told_of(data):
    model = weak(which="normal")
    study = study_of(model, data, cv=2)
    assert study.notes == []
    train, test = study.folds[0]
    X, who = picked(data, train)
    pipe = model.fit(X, data.y[train], **who)
    X, who = picked(data, test)
    with pytest.raises(ValueError, match="which='normal' compares with trials that are known"):
        pipe["reference"].transform(X, **who)
    assert list(asked_of(pipe, "predict_proba", who)) == ["exercise"]


def test_where_the_patients_own_trials_were_given_they_stay():
    X = [np.full((2, 1, 1), value) for value in (0.0, 1.0, 5.0, 6.0)]
    exercise, groups = ["a", "b"] * 2, ["Ann"] * 2 + ["Bea"] * 2
    reference = PatientReference().fit(X, groups=groups, exercise=exercise)
    own = reference.for_patient(X[2:3], exercise="a")
    new = [np.full((2, 1, 1), value) for value in (7.0, 8.0, 9.0, 9.5)]
    out = own.transform(new, exercise=exercise, groups=["Cid"] * 4)
    # of "a" less 5; of "b" less the mean 3.5 of Ann and Bea, then less the 8 before
    assert [trial[0].item() for trial in out] == [2.0, 4.5, 4.0, 1.5]


def test_calibrated_it_is_told_as_well(data):
    model = CalibratedByPatient(weak(), cv=3)
    study = study_of(model, data)
    assert len(study.notes) == 1
    train, test = study.folds[1]
    X, who = picked(data, train)
    fitted = model.fit(X, data.y[train], **who)
    # the map was learned on patients who were judged beside their own earlier trials
    pooled = np.zeros(len(train))
    for inner, held_out in GroupKFold(3).split(X, groups=who["groups"]):
        own, told = picked(data, train[inner])
        one = weak().fit(own, data.y[train[inner]], **told)
        own, told = picked(data, train[held_out])
        pooled[held_out] = pool_frames(one.predict_proba(own, **told))
    expected = map_scores(logit(np.clip(pooled, 1e-6, 1 - 1e-6)), data.y[train])
    np.testing.assert_allclose(fitted.map_, expected, rtol=1e-3)
    X, who = picked(data, test)
    for place, said in zip(test, fitted.predict_proba(X, **who)):
        np.testing.assert_allclose(study.frame_scores["model"][place], said[:, 1], atol=1e-6)
    assert asked_of(CalibratedByPatient(tiny_frames()), "predict", who) == {}


@pytest.mark.parametrize("change", ["exercise", "groups", "of nobody who asks"])
def test_what_is_kept_goes_by_what_was_told(data, tmp_path, change):
    model = tiny_frames() if change == "of nobody who asks" else PatientPipeline(
        [("reference", PatientReference()), ("frames", tiny_frames())]
    )  # fmt: skip
    folds = [(np.arange(8), np.arange(8, 16))]
    how = {"memory": tmp_path, "cv": folds}
    study_of(OnFrameTruth(model), data, **how)
    other = Bunch(**data)
    key = "groups" if change == "groups" else "exercise"
    other[key] = data[key].copy()
    other[key][[8, 9]] = other[key][[15, 8]]
    for n_resumed in (change == "of nobody who asks", 1):
        study = study_of(OnFrameTruth(model), other, **how)
        assert study.methods["model"].by_seed[0].n_resumed == n_resumed


@pytest.mark.parametrize("kind", [PatientPipeline, Pipeline])
def test_scorers_hand_it_on(data, kind):
    steps = [("reference", PatientReference()), ("frames", tiny_frames())]
    who = {"groups": data.groups, "exercise": data.exercise}
    truth = list(data.frame_labels)
    with config_context(enable_metadata_routing=True):
        found = cross_val_score(
            kind(steps), data.X, truth, cv=LeaveOneGroupOut(), scoring=FrameScorer(), params=who,
            error_score="raise",
        )  # fmt: skip
    study = study_of(OnFrameTruth(PatientPipeline(steps)), data)
    np.testing.assert_allclose(found, study.scores["frame AUC"]["model"].scores, rtol=1e-6)
    pipe = PatientPipeline(steps).fit(data.X, truth, **who)
    assert trial_roc_auc(pipe, data.X, data.y, **who) > 0.5
    with pytest.raises(ValueError, match="say which"):
        trial_roc_auc(pipe, data.X, data.y)


# --- the audit ------------------------------------------------------------------------------------
def test_earlier_trials_are_no_leak(data):
    reference = PatientPipeline([("reference", PatientReference(2)), ("frames", tiny_frames())])
    found = audit(OnFrameTruth(reference), data)
    assert found.findings == []
    assert "not earlier trials of the same patient" in str(found)


class BesideAll(ClassifierMixin, BaseEstimator):
    """Compares with all trials of the patient, those that came later as well."""

    __metadata_request__predict_proba = {"groups": True}

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.height_ = np.mean([trial.mean() * (2 * one - 1) for trial, one in zip(X, y)])
        return self

    def predict_proba(self, X, groups=None):
        heights = np.array([trial.mean() for trial in X])
        own = np.array([heights[np.asarray(groups) == one].mean() for one in groups])
        p = 1 / (1 + np.exp(self.height_ * (own - heights)))
        return np.stack([1 - p, p], axis=1)


def test_later_trials_are_a_leak(data):
    found = audit(BesideAll(), data, on_leak="return")
    assert "trials of held-out patients" in found.kinds
