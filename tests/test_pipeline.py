"""The whole pipeline, from trials and trial labels to frame scores, with scikit-learn's tools."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials, tiny_video
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

from skrehab import (
    DisplacementSmoother,
    FrameMLP,
    LandmarkScaler,
    SaliencyPseudoLabeler,
    VideoClassifier,
)
from skrehab.metrics import FrameScorer, by_patient, frame_roc_auc, positive_scores, trial_roc_auc


def pipeline(memory=None, **video):
    """The pipeline of the design without its first stage, which reads videos."""
    return Pipeline(
        [
            ("motion", DisplacementSmoother(window=3, causal=True)),
            ("labels", tiny_labeler().set_params(estimator=tiny_video(**video))),
            ("frames", tiny_frames()),
        ],
        memory=memory,
    )


def assert_same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other):
        np.testing.assert_array_equal(a, b)


# --- it works -------------------------------------------------------------------------------------
def test_frame_scores_from_trial_labels():
    """Trained on one label a trial only, it finds the frames of patients it has never seen."""
    data, new = tiny_trials(n_patients=6), tiny_trials(n_patients=3, seed=9)
    pipe = Pipeline(
        [
            ("scale", LandmarkScaler()),
            (
                "labels",
                SaliencyPseudoLabeler(
                    tiny_video(network_params={"hidden_size": 16}, max_epochs=40, lr=0.02),
                    threshold=(0.1, 0.2),
                ),
            ),
            ("frames", tiny_frames(hidden_layer_sizes=(16,), max_epochs=20)),
        ]
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Integrated gradients")
        pipe.fit(data.X, data.y)
    proba = pipe.predict_proba(new.X)
    assert frame_roc_auc(new.frame_labels, proba) > 0.9
    assert trial_roc_auc(pipe, new.X, new.y) > 0.9
    by_person = by_patient(frame_roc_auc, new.frame_labels, positive_scores(proba), new.patients)
    assert by_person.n_defined == 3 and by_person.mean > 0.9


def test_defaults_fit_and_predict(tiny):
    """Nothing but the names of the stages, as in the quick start; two epochs to be quick."""
    pipe = Pipeline(
        [
            ("motion", DisplacementSmoother()),
            ("labels", SaliencyPseudoLabeler(VideoClassifier("act"), threshold="published_dual")),
            ("frames", FrameMLP()),
        ]
    )
    pipe.set_params(
        labels__estimator__max_epochs=2, frames__max_epochs=2, labels__label_source="true"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        pipe.fit(tiny.X, tiny.y)
    predicted = pipe.predict(tiny.X)
    assert [one.shape for one in predicted] == [(len(trial),) for trial in tiny.X]
    assert set(np.concatenate(predicted)) <= {0, 1}


def test_full_supervision_is_the_same_object(tiny):
    pipe = make_pipeline(DisplacementSmoother(), FrameMLP((6,), max_epochs=2, random_state=0))
    pipe.fit(tiny.X, tiny.frame_labels)
    assert pipe.predict_proba(tiny.X)[3].shape == (len(tiny.X[3]), 2)
    assert 0 <= pipe.score(tiny.X, tiny.frame_labels) <= 1


def test_the_labeler_may_stand_before_the_features(tiny):
    """Raw trials label, smoothed ones predict: trials stay trials, so the order is free."""
    before = Pipeline(
        [
            ("labels", tiny_labeler()),
            ("motion", DisplacementSmoother()),
            ("frames", tiny_frames()),
        ]
    ).fit(tiny.X, tiny.y)
    _, labels = tiny_labeler().fit_resample(tiny.X, tiny.y)
    smooth = DisplacementSmoother().fit_transform(tiny.X)
    by_hand = tiny_frames().fit(smooth, labels)
    assert_same(before.predict_proba(tiny.X), by_hand.predict_proba(smooth))


def test_the_pipeline_is_its_stages_by_hand(tiny):
    pipe = pipeline().fit(tiny.X, tiny.y)
    moved = DisplacementSmoother(window=3, causal=True).fit_transform(tiny.X)
    _, labels = tiny_labeler().fit_resample(moved, tiny.y)
    frames = tiny_frames().fit(moved, labels)
    assert_same(pipe.predict_proba(tiny.X), frames.predict_proba(moved))
    assert_same(pipe.predict(tiny.X), frames.predict(moved))
    # one trial too: the labeler is not asked at predict
    assert_same(pipe.predict(tiny.X[:1]), frames.predict(moved[:1]))


def test_offline_equals_live(tiny):
    """Causal stages: what was said of a frame does not change when later ones come."""
    pipe = pipeline().fit(tiny.X, tiny.y)
    trial = tiny.X[1]
    whole = pipe.predict_proba([trial])[0]
    for t in range(1, len(trial) + 1):
        now = pipe.predict_proba([trial[:t]])[0]
        np.testing.assert_allclose(now, whole[:t], rtol=1e-5, atol=1e-7)


def test_visibility_is_dropped_on_the_way():
    data = tiny_trials(n_landmarks=33, n_coords=4)
    pipe = pipeline().fit(data.X, data.y)
    assert pipe.named_steps["frames"].n_coords_ == 3
    assert len(pipe.predict(data.X)) == 16


# --- clone, pickle, repr --------------------------------------------------------------------------
def test_clone_and_pickle(tiny):
    pipe = pipeline().fit(tiny.X, tiny.y)
    expected = pipe.predict_proba(tiny.X)
    assert_same(pickle.loads(pickle.dumps(pipe)).predict_proba(tiny.X), expected)
    twin = clone(pipe)
    assert not hasattr(twin.named_steps["frames"], "classes_")
    assert_same(twin.fit(tiny.X, tiny.y).predict_proba(tiny.X), expected)


def test_repr_and_html(tiny):
    pipe = pipeline()
    assert "SaliencyPseudoLabeler" in repr(pipe) and len(repr(pipe)) < 1500
    assert "FrameMLP" in pipe._repr_html_()
    assert "SaliencyPseudoLabeler" in pipe.fit(tiny.X, tiny.y)._repr_html_()


def test_parameters_are_reached_by_name():
    pipe = pipeline(network_params={"hidden_size": 6, "dropout": 0.1})
    names = pipe.get_params()
    for name in (
        "labels__threshold",
        "labels__estimator__lr",
        "labels__estimator__network__dropout",
        "frames__hidden_layer_sizes",
        "motion__window",
    ):
        assert name in names
    pipe.set_params(labels__estimator__network__dropout=0.4)
    assert pipe.get_params()["labels__estimator__network_params"]["dropout"] == 0.4


# --- cross-validation -----------------------------------------------------------------------------
def test_cross_val_score_by_patient(tiny):
    scores = cross_val_score(
        pipeline(),
        tiny.X,
        tiny.y,
        groups=tiny.patients,
        cv=LeaveOneGroupOut(),
        scoring=trial_roc_auc,
        error_score="raise",
    )
    assert scores.shape == (4,) and ((scores >= 0) & (scores <= 1)).all()


@pytest.mark.parametrize("lengths", [(10, 25), (12, 12)], ids=["ragged", "equal"])
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_cross_val_predict(lengths, method):
    """Scikit-learn puts the folds' ragged answers together again, trial by trial."""
    data = tiny_trials(lengths=lengths)
    cv = StratifiedGroupKFold(4)
    together = cross_val_predict(
        pipeline(), data.X, data.y, groups=data.patients, cv=cv, method=method
    )
    assert isinstance(together, np.ndarray) and together.shape == (16,)
    for train, test in cv.split(data.X, data.y, data.patients):
        pipe = pipeline().fit([data.X[i] for i in train], data.y[train])
        assert_same(together[test], getattr(pipe, method)([data.X[i] for i in test]))


def test_cross_val_predict_of_whole_trials(tiny):
    """The video classifier alone, for comparison."""
    pipe = make_pipeline(DisplacementSmoother(), tiny_video())
    proba = cross_val_predict(
        pipe, tiny.X, tiny.y, groups=tiny.patients, cv=LeaveOneGroupOut(), method="predict_proba"
    )
    assert proba.shape == (16, 2)
    assert 0 <= roc_auc_score(tiny.y, proba[:, 1]) <= 1


def test_two_processes_say_the_same(tiny):
    options = {"groups": tiny.patients, "cv": LeaveOneGroupOut(), "scoring": trial_roc_auc}
    one = cross_val_score(pipeline(), tiny.X, tiny.y, **options)
    two = cross_val_score(pipeline(), tiny.X, tiny.y, n_jobs=2, **options)
    np.testing.assert_array_equal(one, two)


def test_a_patient_with_one_class_is_nan_not_an_error(tiny):
    y = tiny.y.copy()
    y[tiny.patients == "patient-0"] = 0
    with pytest.warns(UndefinedMetricWarning, match="only 0 among the labels"):
        scores = cross_val_score(
            pipeline(),
            tiny.X,
            y,
            groups=tiny.patients,
            cv=LeaveOneGroupOut(),
            scoring=trial_roc_auc,
            error_score="raise",
        )
    assert np.isnan(scores).tolist() == [True, False, False, False]


# --- grid search ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("labels__threshold", [0.2, (0.2, 0.5)]),
        ("labels__estimator__lr", [1e-2, 1e-1]),
        ("labels__estimator__network__dropout", [0.0, 0.6]),
        ("frames__hidden_layer_sizes", [(4,), (8, 4)]),
    ],
)
def test_grid_search(tiny, name, values):
    """Each value is used, not only named: refitting by hand gives the same scores."""
    cv = LeaveOneGroupOut()
    search = GridSearchCV(
        pipeline(), {name: values}, scoring=trial_roc_auc, cv=cv, error_score="raise"
    )
    search.fit(tiny.X, tiny.y, groups=tiny.patients)
    for i, value in enumerate(values):
        by_hand = cross_val_score(
            pipeline().set_params(**{name: value}),
            tiny.X,
            tiny.y,
            groups=tiny.patients,
            cv=cv,
            scoring=trial_roc_auc,
        )
        assert search.cv_results_["mean_test_score"][i] == pytest.approx(by_hand.mean())
    assert search.best_params_[name] in values
    assert len(search.predict(tiny.X)) == 16
    fits = [clone(pipeline()).set_params(**{name: v}).fit(tiny.X, tiny.y) for v in values]
    one, two = (pipe.predict_proba(tiny.X)[1] for pipe in fits)
    assert not np.array_equal(one, two)


def test_grid_search_over_whole_stages(tiny):
    search = GridSearchCV(
        pipeline(),
        {
            "motion": [DisplacementSmoother(), "passthrough"],
            "frames__class_weight": [None, "balanced"],
        },
        scoring=trial_roc_auc,
        cv=StratifiedGroupKFold(2),
        error_score="raise",
    ).fit(tiny.X, tiny.y, groups=tiny.patients)
    assert len(search.cv_results_["params"]) == 4


# --- caching --------------------------------------------------------------------------------------
def test_memory_gives_the_same_and_saves_the_costly_stage(tiny, tmp_path, monkeypatch):
    fitted = []
    fit = VideoClassifier.fit
    monkeypatch.setattr(
        VideoClassifier, "fit", lambda self, *a, **k: (fitted.append(1), fit(self, *a, **k))[1]
    )
    grid = {"frames__hidden_layer_sizes": [(4,), (6,), (8,)]}

    def search(memory):
        fitted.clear()
        result = GridSearchCV(
            pipeline(memory), grid, scoring=trial_roc_auc, cv=LeaveOneGroupOut(), refit=False
        ).fit(tiny.X, tiny.y, groups=tiny.patients)
        return result.cv_results_["mean_test_score"], len(fitted)

    plain, n_plain = search(None)
    cached, n_cached = search(joblib.Memory(tmp_path, verbose=0))
    np.testing.assert_array_equal(plain, cached)
    assert (n_plain, n_cached) == (12, 4)  # once a fold, not once a fold and candidate


def test_memory_as_a_path(tiny, tmp_path):
    pipe = pipeline(str(tmp_path / "cache"))
    expected = pipe.fit(tiny.X, tiny.y).predict_proba(tiny.X)
    again = pipeline(str(tmp_path / "cache")).fit(tiny.X, tiny.y)
    assert_same(again.predict_proba(tiny.X), expected)
    assert again.named_steps["labels"].transduction_.shape == (16,)  # the cached stage is whole


# --- a fitted classifier --------------------------------------------------------------------------
def test_frozen_estimator(tiny):
    """One trained elsewhere labels here, and stays as it is through clone and cross-validation."""
    elsewhere = tiny_trials(seed=8)
    video = tiny_video().fit(elsewhere.X, elsewhere.y)
    before = pickle.dumps(video.module_.state_dict())
    pipe = Pipeline(
        [
            ("labels", tiny_labeler().set_params(estimator=FrozenEstimator(video))),
            ("frames", tiny_frames()),
        ]
    )
    cross_val_score(
        pipe,
        tiny.X,
        tiny.y,
        groups=tiny.patients,
        cv=LeaveOneGroupOut(),
        scoring=trial_roc_auc,
        error_score="raise",
    )
    pipe.fit(tiny.X, tiny.y)
    inside = pipe.named_steps["labels"].estimator_
    np.testing.assert_array_equal(inside.predict_proba(tiny.X), video.predict_proba(tiny.X))
    assert pickle.dumps(video.module_.state_dict()) == before


# --- metadata routing -----------------------------------------------------------------------------
def test_groups_reach_both_early_stops(tiny):
    pipe = pipeline(early_stopping=True).set_params(frames__early_stopping=True)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe.fit(tiny.X, tiny.y, groups=tiny.patients)
        scores = cross_validate(
            clone(pipe),
            tiny.X,
            tiny.y,
            cv=LeaveOneGroupOut(),
            scoring={"trial": trial_roc_auc, "frame": FrameScorer()},
            params={"groups": tiny.patients, "frame_labels": tiny.frame_labels},
            error_score="raise",
        )
    for stopped in (pipe.named_steps["labels"].estimator_, pipe.named_steps["frames"]):
        assert set(stopped.validation_groups_) < set(tiny.patients)
    assert scores["test_frame"].shape == (4,)


def test_groups_can_be_kept_from_a_stage(tiny):
    pipe = pipeline(early_stopping=True)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe.named_steps["frames"].set_fit_request(groups=False)
        pipe.fit(tiny.X, tiny.y, groups=tiny.patients)
        assert pipe.named_steps["labels"].estimator_.validation_groups_ is not None
        # weights are not guessed at: they must be asked for
        with pytest.raises(Exception, match="sample_weight"):
            pipe.fit(tiny.X, tiny.y, sample_weight=np.ones(16))


def test_weights_reach_where_they_are_asked_for(tiny):
    weights = np.where(tiny.patients == "patient-0", 0.0, 1.0)
    y = np.where(tiny.patients == "patient-0", 1 - tiny.y, tiny.y)
    with sklearn.config_context(enable_metadata_routing=True):
        video = tiny_video().set_fit_request(sample_weight=True)
        frames = tiny_frames().set_fit_request(sample_weight=True)
        # one threshold: with two, other frames would be left out, and the batches be others
        labeler = tiny_labeler(threshold=0.3).set_params(estimator=video)
        pipe = Pipeline([("labels", labeler), ("frames", frames)])
        one = pipe.fit(tiny.X, tiny.y, sample_weight=weights).predict_proba(tiny.X)
        two = pipe.fit(tiny.X, y, sample_weight=weights).predict_proba(tiny.X)
    assert_same(one, two)  # a patient without weight has no say, wrong labels or not
