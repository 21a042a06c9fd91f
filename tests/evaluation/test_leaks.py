"""Classic leaks, planted one by one: the audit must name each, and none in what is clean."""

import warnings

import numpy as np
import pytest
from instances import tiny_frames, tiny_labeler, tiny_trials
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.utils import Bunch

from skrehab import LandmarkScaler
from skrehab.cli.demo_run import PUBLISHED, TRUTH, _pipelines
from skrehab.datasets import make_rehab_trials
from skrehab.evaluation import LeakError, OnFrameTruth, audit
from skrehab.pseudo_labels import PatientPipeline
from skrehab.recipes import published, recommended
from skrehab.trials import ragged


class Ridge(ClassifierMixin, BaseEstimator):
    """Frames by a closed form: quick, and every training trial counts."""

    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def fit(self, X, y, groups=None):
        A = np.concatenate([t.reshape(len(t), -1) for t in X]).astype(float)
        b = np.concatenate([np.full(len(t), float(one)) for t, one in zip(X, y)])
        self.classes_ = np.unique(y)
        self.mean_ = A.mean(axis=0), b.mean()
        A = A - self.mean_[0]
        self.coef_ = np.linalg.solve(
            A.T @ A + self.alpha * np.eye(A.shape[1]), A.T @ (b - self.mean_[1])
        )
        return self

    def predict_proba(self, X):
        out = []
        for t in X:
            p = (t.reshape(len(t), -1) - self.mean_[0]) @ self.coef_ + self.mean_[1]
            out.append(np.stack([1 - p, p], axis=1))
        return ragged(out)


@pytest.fixture(scope="module")
def data():
    one = tiny_trials(noise=0.8)
    return Bunch(X=one.X, y=one.y, groups=one.patients, frame_labels=one.frame_labels)


def fitted_on(data, train, **params):
    return Ridge(**params).fit([data.X[i] for i in train], data.y[train])


def said(model, data, test, X=None):
    return [one[:, 1] for one in model.predict_proba([(X or data.X)[i] for i in test])]


# --- protocols that leak --------------------------------------------------------------------------
def clean(data, train, test):
    return said(fitted_on(data, train), data, test)


def scaler_before_the_split(data, train, test):
    X = LandmarkScaler().fit(data.X).transform(data.X)
    model = Ridge().fit([X[i] for i in train], data.y[train])
    return said(model, data, test, list(X))


def stopping_on_the_test_patient(data, train, test):
    models = [fitted_on(data, train, alpha=a) for a in (1e-3, 1e3)]
    errors = [
        sum(abs(one.mean() - data.y[i]) for one, i in zip(said(m, data, test), test))
        for m in models
    ]
    return said(models[int(np.argmin(errors))], data, test)


def threshold_on_test_truth(data, train, test):
    scores = said(fitted_on(data, train), data, test)
    truth = np.concatenate([data.frame_labels[i] for i in test])
    every = np.concatenate(scores)
    cuts = np.quantile(every, [0.2, 0.4, 0.6, 0.8])
    best = max(cuts, key=lambda cut: ((every > cut) == truth).mean())
    return [(one > best).astype(float) for one in scores]


def pseudo_labels_before_the_split(data, train, test):
    teacher = fitted_on(data, np.arange(len(data.X)))
    soft = np.array([one.mean() for one in said(teacher, data, np.arange(len(data.X)))])
    model = Ridge().fit([data.X[i] for i in train], np.round(soft[train], 6))
    return [t.reshape(len(t), -1) @ model.coef_ for t in (data.X[i] for i in test)]


def encoder_of_all_patients(data, train, test):
    frames = np.concatenate([t.reshape(len(t), -1) for t in data.X])
    basis = np.linalg.svd(frames - frames.mean(axis=0), full_matrices=False)[2][:4]
    X = [(t.reshape(len(t), -1) @ basis.T)[:, :, None] for t in data.X]
    model = Ridge().fit([X[i] for i in train], data.y[train])
    return said(model, data, test, X)


def patient_mean_label_as_feature(data, train, test):
    means = {p: data.y[data.groups == p][1:].mean() for p in np.unique(data.groups)}
    scores = said(fitted_on(data, train), data, test)
    return [one + means[data.groups[i]] for one, i in zip(scores, test)]


def calibrated_on_the_test_patient(data, train, test):
    scores = said(fitted_on(data, train), data, test)
    shift = np.mean(data.y[test]) - np.mean([one.mean() for one in scores])
    return [one + shift for one in scores]


def standardised_over_the_test_patient(data, train, test):
    scores = said(fitted_on(data, train), data, test)
    every = np.concatenate(scores)
    return [(one - every.mean()) / every.std() for one in scores]


def best_seed_by_test_score(data, train, test):
    tries = []
    for seed in range(3):
        rows = np.random.RandomState(seed).choice(train, len(train))
        scores = said(fitted_on(data, rows), data, test)
        tries.append((roc_auc_score(data.y[test], [one.max() for one in scores]), seed, scores))
    return [one * 1.0 for one in max(tries, key=lambda one: one[:2])[2]]


def resampled_before_the_split(data, train, test):
    """Copies of rare trials of anyone are made first, and then drawn into training."""
    copies = np.flatnonzero(data.y == 1)
    return said(fitted_on(data, np.concatenate([train, copies])), data, test)


LABELS, TRIALS = "labels of held-out patients", "trials of held-out patients"
PROTOCOLS = {
    scaler_before_the_split: TRIALS,
    stopping_on_the_test_patient: LABELS,
    threshold_on_test_truth: LABELS,
    pseudo_labels_before_the_split: LABELS,
    encoder_of_all_patients: TRIALS,
    patient_mean_label_as_feature: LABELS,
    calibrated_on_the_test_patient: LABELS,
    standardised_over_the_test_patient: TRIALS,
    best_seed_by_test_score: LABELS,
    resampled_before_the_split: LABELS,
}


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda one: one.__name__)
def test_a_protocol_that_leaks(data, protocol):
    found = audit(protocol, data, on_leak="return")
    assert PROTOCOLS[protocol] in found.kinds, str(found)
    with pytest.raises(LeakError, match=PROTOCOLS[protocol]):
        audit(protocol, data)


def test_a_clean_protocol(data):
    assert audit(clean, data).findings == []


# --- pipelines that leak --------------------------------------------------------------------------
class SharedCache(Ridge):
    """Keeps what it learned by the number of trials: another fold gets it too."""

    kept = {}

    def fit(self, X, y, groups=None):
        if len(X) not in self.kept:
            self.kept[len(X)] = vars(Ridge().fit(X, y))
        vars(self).update(self.kept[len(X)])
        return self


class SawAll(TransformerMixin, BaseEstimator):
    """Fits on what it finds in a global, whatever fit is given."""

    everyone = None

    def fit(self, X, y=None):
        self.scaler_ = LandmarkScaler().fit(SawAll.everyone)
        return self

    def transform(self, X):
        return self.scaler_.transform(X)


def test_a_cache_shared_by_folds(data):
    SharedCache.kept = {}
    assert audit(SharedCache(), data, on_leak="return").kinds == {"does not learn"}


def test_a_step_that_finds_the_others_by_itself(data):
    SawAll.everyone = data.X
    model = PatientPipeline([("saw", SawAll()), ("scale", LandmarkScaler()), ("frames", Ridge())])
    found = audit(model, data, on_leak="return")
    assert found.kinds == {"seen in fit"}
    assert "LandmarkScaler was fitted on patient-0" in str(found)


@pytest.mark.parametrize("frozen", [True, False])
def test_an_encoder_that_saw_the_patient(data, frozen):
    scaler = LandmarkScaler().fit(data.X)
    model = PatientPipeline(
        [("encoder", FrozenEstimator(scaler) if frozen else scaler), ("frames", Ridge())]
    )
    found = audit(model, data, on_leak="return")
    assert found.kinds == {"fitted before"} and len(found.findings) == 1
    assert "encoder" in found.findings[0][1] and "nobody knows on whom" in found.findings[0][1]
    found = audit(model, data, trusted={"encoder": ["patient-1"]}, on_leak="return")
    assert "encoder saw patient-1, who are tested" in str(found)
    assert audit(model, data, trusted={"encoder": ["someone else"]}).findings == []


def test_a_teacher_that_saw_the_patient(data):
    teacher = clone(tiny_labeler().estimator).fit(data.X, data.y)
    labeler = tiny_labeler().set_params(estimator=FrozenEstimator(teacher))
    model = PatientPipeline([("labels", labeler), ("frames", tiny_frames())])
    found = audit(model, data, on_leak="return")
    assert "fitted before" in found.kinds and "labels__estimator" in str(found)


def test_held_out_trials_as_a_parameter(data):
    class Validated(Ridge):
        def __init__(self, alpha=1.0, validation=None):
            super().__init__(alpha)
            self.validation = validation

    model = Validated(validation=([data.X[0], data.X[1]], data.y[:2]))
    found = audit(model, data, on_leak="return")
    assert found.kinds == {"data inside"} and "validation holds trials of patient-0" in str(found)


def test_folds_by_trial(data):
    found = audit(Ridge(), data, cv=KFold(4, shuffle=True, random_state=0), on_leak="return")
    assert {"folds", "seen in fit"} <= found.kinds


def test_one_recording_under_two_names(data):
    X = [*data.X[:4], data.X[0].copy(), *data.X[5:]]
    found = audit(Ridge(), X, data.y, data.groups, on_leak="return")
    assert "recordings" in found.kinds and "'patient-0', 'patient-1'" in str(found)


def test_one_patient_under_two_names(data):
    groups = np.array(["P1", "P2", "p01", "P3"]).repeat(4)
    assert audit(Ridge(), data.X, data.y, groups, on_leak="return").kinds == {"names"}


def test_trials_that_came_scaled_together(data):
    every = np.concatenate(data.X)
    X = [(trial - every.mean(axis=0)) / every.std(axis=0) for trial in data.X]
    assert audit(Ridge(), X, data.y, data.groups, on_leak="return").kinds == {"scaling"}


def test_a_protocol_that_draws_without_a_seed(data):
    rng = np.random.RandomState()

    def drawn(data, train, test):
        return [one + rng.rand() for one in clean(data, train, test)]

    assert audit(drawn, data, on_leak="return").kinds == {"not reproducible"}


# --- what is clean --------------------------------------------------------------------------------
def test_a_weak_pipeline_is_clean_and_its_steps_saw_the_training_patients(data):
    labeler = tiny_labeler()
    model = PatientPipeline(
        [("scale", LandmarkScaler()), ("labels", labeler), ("frames", tiny_frames())]
    )
    found = audit(model, data)
    steps = {row["step"]: row for row in found.steps}
    assert {"LandmarkScaler", "SaliencyPseudoLabeler", "VideoClassifier", "FrameMLP"} <= set(steps)
    # the frame model scales what is left of trials once frames without a label are cut out
    assert [name for name, row in steps.items() if row["unknown"]] in ([], ["LandmarkScaler"])
    for row in steps.values():
        assert row["patients"] == ["patient-1", "patient-2", "patient-3"]


RECIPES = {
    "recommended": lambda: recommended(n_teachers=1, max_epochs=1, random_state=0),
    "published": lambda: published("lstm", max_epochs=1, frame_epochs=1, random_state=0),
    "demo": lambda: _pipelines(0)[PUBLISHED].set_params(
        labels__estimator__max_epochs=1, labels__n_steps=2, frames__max_epochs=1
    ),
    "demo, frame truth": lambda: OnFrameTruth(
        _pipelines(0)[TRUTH].set_params(frames__max_epochs=1)
    ),
}


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_and_the_demo_are_clean(name):
    trials = make_rehab_trials(3, 1, "brush_hair", strength=3.0, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so little training leaves one class of frames
        found = audit(RECIPES[name](), trials, on_leak="return")
    assert found.findings == [], str(found)
    assert len(found.steps) >= 3


def test_full_supervision_is_clean(data):
    model = PatientPipeline([("scale", LandmarkScaler()), ("frames", tiny_frames())])
    assert audit(OnFrameTruth(model), data).findings == []


def test_classes_are_as_before(data):
    before = {
        name: vars(LandmarkScaler).get(name) for name in ("fit", "transform", "fit_transform")
    }
    audit(PatientPipeline([("scale", LandmarkScaler()), ("frames", Ridge())]), data)
    after = {name: vars(LandmarkScaler).get(name) for name in before}
    assert before == after
