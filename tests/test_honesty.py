"""No result knows more than it may: leave-one-patient-out, inner splits, caches, frame truth."""

import joblib
import numpy as np
import pytest
import sklearn
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials, tiny_video
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_validate,
)

from skrehab import DisplacementSmoother, LandmarkScaler
from skrehab.metrics import FrameScorer, trial_roc_auc
from skrehab.trials import ragged


def pipeline(memory=None, **video):
    """Every stage that learns from data, quick to train."""
    return Pipeline(
        [
            ("motion", DisplacementSmoother()),
            ("scale", LandmarkScaler(center=True)),
            ("labels", tiny_labeler().set_params(estimator=tiny_video(**video))),
            ("frames", tiny_frames()),
        ],
        memory=memory,
    )


def held_out_predictions(data, *, y=None, X=None, memory=None, early_stopping=False):
    """Leave-one-patient-out frame probabilities."""
    pipe = pipeline(memory, early_stopping=early_stopping)
    pipe.set_params(frames__early_stopping=early_stopping)
    y = data.y if y is None else y
    with sklearn.config_context(enable_metadata_routing=True):
        return cross_val_predict(
            pipe,
            data.X if X is None else X,
            y,
            cv=LeaveOneGroupOut(),
            method="predict_proba",
            params={"groups": data.patients},
        )


def assert_identical(one, other, where):
    for i in np.flatnonzero(where):
        assert one[i].tobytes() == other[i].tobytes()


def differs(one, other, where):
    return any(one[i].tobytes() != other[i].tobytes() for i in np.flatnonzero(where))


# --- leave one patient out ------------------------------------------------------------------------
@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_held_out_patient_s_labels_do_not_matter(early_stopping):
    """Turn the labels of one patient round: that patient's predictions stay the same bits."""
    data = tiny_trials()
    honest = held_out_predictions(data, early_stopping=early_stopping)
    for patient in np.unique(data.patients)[:2]:
        own = data.patients == patient
        y = np.where(own, 1 - data.y, data.y)
        turned = held_out_predictions(data, y=y, early_stopping=early_stopping)
        assert_identical(honest, turned, own)
        assert differs(honest, turned, ~own)  # others did learn from these labels


def test_the_held_out_patient_s_other_trials_do_not_matter():
    """Scalers, networks and labels are made from training trials: change a held-out trial, and
    the predictions for the patient's other trials stay the same bits."""
    data = tiny_trials()
    honest = held_out_predictions(data)
    own = np.flatnonzero(data.patients == "patient-1")
    X = list(data.X)
    X[own[0]] = 100 * X[own[0]] + 3
    changed = held_out_predictions(data, X=X)
    assert_identical(honest, changed, np.isin(np.arange(len(X)), own[1:]))
    assert differs(honest, changed, data.patients != "patient-1")


def test_frame_truth_does_not_reach_the_predictions():
    """Routed to the scorer, and wrong: scores change, predictions and models do not."""
    data = tiny_trials()
    wrong = ragged(1 - labels for labels in data.frame_labels)

    def run(truth):
        with sklearn.config_context(enable_metadata_routing=True):
            result = cross_validate(
                pipeline(),
                data.X,
                data.y,
                cv=LeaveOneGroupOut(),
                scoring={"frame": FrameScorer(), "trial": trial_roc_auc},
                params={"groups": data.patients, "frame_labels": truth},
                return_estimator=True,
                error_score="raise",
            )
        said = [estimator.predict_proba(data.X) for estimator in result["estimator"]]
        return result, said

    (honest, said), (turned, said_again) = run(data.frame_labels), run(wrong)
    np.testing.assert_allclose(turned["test_frame"], 1 - honest["test_frame"])
    np.testing.assert_array_equal(turned["test_trial"], honest["test_trial"])
    for one, other in zip(said, said_again):
        assert_identical(one, other, np.ones(len(one), dtype=bool))


# --- frame truth is refused -----------------------------------------------------------------------
def test_fit_refuses_frame_truth():
    data = tiny_trials()
    with sklearn.config_context(enable_metadata_routing=True):
        for estimator in (pipeline(), tiny_labeler()):
            with pytest.raises((TypeError, UnsetMetadataPassedError), match="frame_labels"):
                estimator.fit(data.X, data.y, frame_labels=data.frame_labels)
        # nor without a scorer that asks for it
        with pytest.raises(Exception, match="frame_labels"):
            cross_validate(
                pipeline(),
                data.X,
                data.y,
                cv=LeaveOneGroupOut(),
                scoring=trial_roc_auc,
                params={"groups": data.patients, "frame_labels": data.frame_labels},
                error_score="raise",
            )
    for estimator in (pipeline(), tiny_labeler(), tiny_video(), tiny_frames()):
        with pytest.raises((TypeError, ValueError), match="frame_labels"):
            estimator.fit(data.X, data.y, frame_labels=data.frame_labels)


def test_no_estimator_asks_for_frame_truth():
    for estimator in (tiny_labeler(), tiny_video(), tiny_frames(), LandmarkScaler()):
        with sklearn.config_context(enable_metadata_routing=True):
            requests = sklearn.utils.metadata_routing.get_routing_for_object(estimator)
        assert "frame_labels" not in str(requests)


# --- inner splits ---------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [True, "patient"])
def test_early_stopping_holds_out_training_patients(how):
    """In every fold: patients of the inner hold-out are of the fold, and not trained on."""
    data = tiny_trials(n_patients=5)
    pipe = pipeline(early_stopping=how).set_params(frames__early_stopping=how)
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            pipe,
            data.X,
            data.y,
            cv=LeaveOneGroupOut(),
            scoring=trial_roc_auc,
            params={"groups": data.patients},
            return_estimator=True,
            return_indices=True,
            error_score="raise",
        )
    for estimator, train, test in zip(
        result["estimator"], result["indices"]["train"], result["indices"]["test"], strict=True
    ):
        inside, outside = set(data.patients[train]), set(data.patients[test])
        assert len(outside) == 1
        video = estimator.named_steps["labels"].estimator_
        for stopped in (video, estimator.named_steps["frames"]):
            held_out = set(stopped.validation_groups_)
            assert held_out and held_out < inside and not held_out & outside


@pytest.mark.parametrize("make", [tiny_video, tiny_frames])
def test_the_inner_hold_out_is_not_trained_on(make):
    """Weights after one epoch do not depend on the held-out patients' trials or labels."""
    data = tiny_trials()
    y = data.y if make is tiny_video else data.frame_labels
    settings = {"early_stopping": True, "max_epochs": 1}
    one = make(**settings).fit(data.X, y, groups=data.patients)
    held_out = np.isin(data.patients, one.validation_groups_)
    X = [10 + trial if out else trial for trial, out in zip(data.X, held_out)]
    other = make(**settings).fit(X, y, groups=data.patients)
    for a, b in zip(one.module_.parameters(), other.module_.parameters(), strict=True):
        assert a.detach().numpy().tobytes() == b.detach().numpy().tobytes()


def test_without_routing_groups_cannot_get_lost_silently():
    """Early stopping by patient refuses rather than splits by trial, when no groups arrive."""
    data = tiny_trials()
    with pytest.raises(ValueError, match=r"needs groups.*metadata_routing"):
        pipeline(early_stopping=True).fit(data.X, data.y)


def test_a_nested_search_does_not_see_the_held_out_patient():
    """Hyper-parameters are chosen inside each training fold, by its own patients."""
    data = tiny_trials(n_patients=3)

    def nested(y):
        search = GridSearchCV(
            pipeline(),
            {"labels__threshold": [0.1, (0.2, 0.5)]},
            scoring=trial_roc_auc,
            cv=LeaveOneGroupOut(),
            error_score="raise",
        )
        with sklearn.config_context(enable_metadata_routing=True):
            return cross_val_predict(
                search,
                data.X,
                y,
                cv=LeaveOneGroupOut(),
                method="predict_proba",
                params={"groups": data.patients},
            )

    own = data.patients == "patient-1"
    honest, turned = nested(data.y), nested(np.where(own, 1 - data.y, data.y))
    assert_identical(honest, turned, own)
    assert differs(honest, turned, ~own)


# --- caches ---------------------------------------------------------------------------------------
class Counter(TransformerMixin, BaseEstimator):
    """Learns the mean of its trials, and counts how often it is fitted."""

    fits = []

    def fit(self, X, y=None):
        self.mean_ = np.concatenate(X).mean()
        Counter.fits.append(float(self.mean_))
        return self

    def transform(self, X):
        return [trial - self.mean_ for trial in X]


def test_a_cache_never_crosses_folds(tmp_path):
    data = tiny_trials()
    pipe = Pipeline([("count", Counter()), *pipeline().steps])
    cached = clone(pipe).set_params(memory=joblib.Memory(tmp_path, verbose=0))
    options = {"cv": LeaveOneGroupOut(), "groups": data.patients, "method": "predict_proba"}
    plain = cross_val_predict(pipe, data.X, data.y, **options)
    Counter.fits = []
    first = cross_val_predict(cached, data.X, data.y, **options)
    assert len(Counter.fits) == len(set(Counter.fits)) == 4  # once a fold, on other trials each
    second = cross_val_predict(cached, data.X, data.y, **options)
    assert len(Counter.fits) == 4  # now it does come from the cache
    everywhere = np.ones(16, dtype=bool)
    assert_identical(plain, first, everywhere)
    assert_identical(plain, second, everywhere)

    # other labels, same trials: nothing of the old labels comes out of the cache
    y = np.roll(data.y, 1)
    assert_identical(
        cross_val_predict(pipe, data.X, y, **options),
        cross_val_predict(cached, data.X, y, **options),
        everywhere,
    )


def test_a_cache_tells_equal_shapes_apart(tmp_path):
    """Trials of the same shape with one value changed are other trials."""
    data = tiny_trials(lengths=(12, 12))
    cached = pipeline(memory=joblib.Memory(tmp_path, verbose=0))
    cached.fit(data.X, data.y)
    X = [trial.copy() for trial in data.X]
    X[0][5, 2, 1] += 1
    expected = pipeline().fit(X, data.y).predict_proba(X)
    assert_identical(expected, clone(cached).fit(X, data.y).predict_proba(X), np.ones(16, bool))


# --- scalers --------------------------------------------------------------------------------------
@pytest.mark.parametrize("center", [False, True])
def test_scaling_is_learned_from_training_trials_only(center):
    data = tiny_trials()
    train, test = data.patients != "patient-3", data.patients == "patient-3"
    X_train = [data.X[i] for i in np.flatnonzero(train)]
    X_test = [50 * data.X[i] for i in np.flatnonzero(test)]
    scaler = LandmarkScaler(center=center).fit(X_train)
    frames = np.concatenate(X_train).astype(float)
    expected = frames.std(axis=0) if center else np.sqrt((frames**2).mean(axis=0))
    np.testing.assert_allclose(scaler.scale_, expected)
    before = scaler.scale_.copy(), scaler.mean_.copy()
    scaler.transform(X_test)
    np.testing.assert_array_equal(before, (scaler.scale_, scaler.mean_))


def test_each_fold_has_its_own_scale():
    data = tiny_trials()
    result = cross_validate(
        pipeline(),
        data.X,
        data.y,
        groups=data.patients,
        cv=LeaveOneGroupOut(),
        scoring=trial_roc_auc,
        return_estimator=True,
        return_indices=True,
    )
    for estimator, train in zip(result["estimator"], result["indices"]["train"]):
        moved = estimator.named_steps["motion"].transform([data.X[i] for i in train])
        frames = np.concatenate(moved).astype(float)
        np.testing.assert_allclose(estimator.named_steps["scale"].mean_, frames.mean(axis=0))


def test_pseudo_labels_come_from_training_trials_only():
    """The labeler is skipped at predict: it neither sees nor labels held-out trials."""
    data = tiny_trials()
    pipe = pipeline().fit(data.X[:12], data.y[:12])
    labeler = pipe.named_steps["labels"]
    before = [one.copy() for one in labeler.transduction_]
    pipe.predict_proba(data.X[12:])
    assert len(labeler.transduction_) == 12
    for one, other in zip(before, labeler.transduction_):
        np.testing.assert_array_equal(one, other)
