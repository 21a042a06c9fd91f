"""CalibratedByPatient: scikit-learn's numbers, folds by patient, -1 where unsure, calm cues."""

import numpy as np
import pytest
from instances import tiny_frames, tiny_labeler, tiny_tcn, tiny_trials
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, cross_val_score

import skrehab
from skrehab import (
    CalibratedByPatient,
    CueGate,
    DisplacementSmoother,
    FrameStream,
    PatientReference,
)
from skrehab.adaptation import adapt_to_patient, apply_map, map_scores
from skrehab.adaptation.calibration import calibrated
from skrehab.live import CueRule, cue_frames, gate_for, rule_for
from skrehab.metrics import false_alarm_rate, pool_frames, trial_roc_auc
from skrehab.pseudo_labels import PatientPipeline


def weak(**params):
    """The small pipeline that learns from trial labels."""
    steps = [("motion", DisplacementSmoother(3)), ("labels", tiny_labeler())]
    return PatientPipeline([*steps, ("frames", tiny_frames(**params))])


# --- the map --------------------------------------------------------------------------------------
def test_isotonic_is_scikit_learns():
    rng = np.random.RandomState(0)
    scores = rng.randn(200)
    motion = rng.rand(200) < expit(2 * scores)
    expected = IsotonicRegression(out_of_bounds="clip").fit(scores, motion)
    found = map_scores(scores, motion, "isotonic")
    x = np.linspace(-3, 3, 50)
    np.testing.assert_allclose(apply_map(found, expit(x)), expected.predict(x), atol=1e-6)


def test_sigmoid_finds_the_slope_of_a_logistic_regression():
    """Platt's targets are drawn in a little; with many samples it is the plain regression."""
    rng = np.random.RandomState(0)
    scores = rng.randn(4000)
    motion = rng.rand(4000) < expit(0.5 * scores - 1)
    slope, intercept = map_scores(scores, motion)
    plain = LogisticRegression(C=1e6).fit(scores[:, None], motion)
    np.testing.assert_allclose(
        [slope, intercept], [plain.coef_[0, 0], plain.intercept_[0]], atol=0.02
    )
    assert abs(slope - 0.5) < 0.1 and abs(intercept + 1) < 0.1


def test_an_overconfident_model_is_calmed():
    rng = np.random.RandomState(0)
    true = rng.randn(2000)
    motion = rng.rand(2000) < expit(true)
    said = expit(5 * true)  # right order, far too sure
    for method in ("sigmoid", "isotonic"):
        after = apply_map(map_scores(logit(said), motion, method), said)
        assert np.mean((after - motion) ** 2) < np.mean((said - motion) ** 2) - 0.02
        for low, high in ((0.1, 0.3), (0.7, 0.9)):
            inside = (after > low) & (after < high)
            assert abs(after[inside].mean() - motion[inside].mean()) < 0.06


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="with the motion, and without it"):
        map_scores([0.0, 1.0], [1, 1])


def test_other_classes_share_what_the_motion_has():
    proba = np.array([[0.2, 0.6, 0.2], [1.0, 0.0, 0.0]])
    out = calibrated(proba, np.array([1.0, 1.0]), 0)
    motion = expit(logit(0.8) + 1)
    np.testing.assert_allclose(out[0], [1 - motion, 0.75 * motion, 0.25 * motion], rtol=1e-6)
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=1e-6)
    assert out[1, 1] == out[1, 2] > 0


# --- folds by patient -----------------------------------------------------------------------------
def test_the_map_comes_from_patients_not_seen():
    """By hand: each patient scored by a model of the others, pooled, handed to scikit-learn."""
    data = tiny_trials()
    model = CalibratedByPatient(weak(), cv=LeaveOneGroupOut()).fit(
        data.X, data.y, groups=data.patients
    )
    pooled = np.zeros(len(data.X))
    for train, test in LeaveOneGroupOut().split(data.X, data.y, data.patients):
        inner = weak().fit([data.X[i] for i in train], data.y[train], groups=data.patients[train])
        pooled[test] = pool_frames(inner.predict_proba([data.X[i] for i in test]))
    expected = map_scores(logit(np.clip(pooled, 1e-6, 1 - 1e-6)), data.y)
    np.testing.assert_allclose(model.map_, expected, rtol=1e-4)
    before = weak().fit(data.X, data.y, groups=data.patients).predict_proba(data.X)
    for one, other in zip(before, model.predict_proba(data.X)):
        np.testing.assert_allclose(other[:, 1], apply_map(expected, one[:, 1]), atol=1e-5)


def test_with_frame_labels_frames_are_calibrated():
    data = tiny_trials()
    labels = [one.copy() for one in data.frame_labels]
    labels[0][:] = -1  # not labelled: takes no part
    model = CalibratedByPatient(tiny_tcn(), cv=2).fit(data.X, labels, groups=data.patients)
    scores, motion = [], []
    for train, test in GroupKFold(2).split(data.X, groups=data.patients):
        inner = tiny_tcn().fit([data.X[i] for i in train], [labels[i] for i in train])
        for i, proba in zip(test, inner.predict_proba([data.X[i] for i in test])):
            scores += proba[labels[i] >= 0, 1].tolist()
            motion += labels[i][labels[i] >= 0].tolist()
    expected = map_scores(logit(np.clip(scores, 1e-6, 1 - 1e-6)), motion)
    np.testing.assert_allclose(model.map_, expected, rtol=1e-3)


def test_the_order_of_frames_stays():
    data = tiny_trials()
    plain = weak().fit(data.X, data.y)
    model = CalibratedByPatient(weak(), cv=2).fit(data.X, data.y, groups=data.patients)
    for one, other in zip(plain.predict_proba(data.X), model.predict_proba(data.X)):
        np.testing.assert_array_equal(np.argsort(one[:, 1]), np.argsort(other[:, 1]))


def test_it_is_cross_validated_as_any_other():
    data = tiny_trials()
    model = CalibratedByPatient(weak(), cv=2)
    scores = cross_val_score(
        model, data.X, data.y, groups=data.patients, cv=GroupKFold(2), scoring=trial_roc_auc,
        params={"groups": data.patients}, error_score="raise",
    )  # fmt: skip
    assert scores.shape == (2,) and np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("params", "fit", "message"),
    [
        ({}, {"groups": None}, "needs groups"),
        ({"cv": 9}, {}, "cv=9 folds need as many patients, and there are 4"),
        ({"false_alarms": 1}, {}, "pass frame_rate="),
        ({"confidence": 0.3}, {}, "'confidence' parameter"),
        ({"normal_label": 7}, {}, r"normal_label=7 is not among \[0, 1\]"),
        ({}, {"y": ["ok", "lean"] * 8}, "Pass normal_label"),
    ],
)
def test_what_it_refuses(params, fit, message):
    data = tiny_trials()
    given = {"y": data.y, "groups": data.patients} | fit
    with pytest.raises(ValueError, match=message):
        CalibratedByPatient(weak(), **({"cv": 2} | params)).fit(data.X, **given)


# --- abstention -----------------------------------------------------------------------------------
def test_minus_one_between_the_confidences():
    data = tiny_trials()
    model = CalibratedByPatient(tiny_tcn(), cv=2, confidence=0.7)
    model.fit(data.X, data.frame_labels, groups=data.patients)
    proba = np.concatenate(list(model.predict_proba(data.X)))[:, 1]
    said = np.concatenate(list(model.predict(data.X)))
    np.testing.assert_array_equal(said == -1, np.maximum(proba, 1 - proba) < 0.7)
    assert (said[proba >= 0.7] == 1).all() and (said[proba <= 0.3] == 0).all()
    assert (said == -1).any() and (said != -1).any()
    never = model.set_params(confidence=None).predict(data.X)
    assert set(np.concatenate(list(never)).tolist()) == {0, 1}


def test_minus_one_among_words():
    data = tiny_trials()
    words = [np.array(["ok", "lean"])[one] for one in data.frame_labels]
    model = CalibratedByPatient(tiny_tcn(max_epochs=10), cv=2, confidence=0.7, normal_label="ok")
    model.fit(data.X, words, groups=data.patients)
    said = np.concatenate(list(model.predict(data.X))).tolist()
    assert set(said) == {-1, "lean", "ok"}
    assert model.classes_.tolist() == ["lean", "ok"] and model.normal_ == 1


# --- the point of an alarm ------------------------------------------------------------------------
def test_alarms_at_the_wanted_rate():
    """On training patients, by models that did not see them, at most so many a minute."""
    data = tiny_trials(6, 6)
    found = []
    for wanted in (0.0, 60.0):
        model = CalibratedByPatient(
            tiny_tcn(), cv=LeaveOneGroupOut(), false_alarms=wanted, frame_rate=10.0
        ).fit(data.X, data.frame_labels, groups=data.patients)
        scores = [None] * len(data.X)
        for train, test in LeaveOneGroupOut().split(data.X, groups=data.patients):
            inner = tiny_tcn().fit(
                [data.X[i] for i in train], [data.frame_labels[i] for i in train]
            )
            for i, proba in zip(test, inner.predict_proba([data.X[i] for i in test])):
                scores[i] = apply_map(model.map_, proba[:, 1])
        rate = false_alarm_rate(scores, data.frame_labels, model.threshold_ + 1e-6, 10.0)
        assert rate <= wanted
        found.append(model.threshold_)
        said = np.concatenate(list(model.predict(data.X)))
        proba = np.concatenate(list(model.predict_proba(data.X)))[:, 1].astype(float)
        np.testing.assert_array_equal(said == 1, 1 - (1 - proba) >= model.threshold_)
    assert found[0] > found[1]


# --- live -----------------------------------------------------------------------------------------
def test_frame_by_frame_it_is_the_same():
    data = tiny_trials()
    model = CalibratedByPatient(weak(), cv=2).fit(data.X, data.y, groups=data.patients)
    stream = FrameStream(model)
    live = [stream.push(frame, t / 30) for t, frame in enumerate(data.X[3])]
    np.testing.assert_allclose(live, model.predict_proba(data.X[3:4])[0], rtol=0, atol=1e-6)
    assert not hasattr(CalibratedByPatient(weak()), "steps")


def test_a_frame_that_is_abstained_from_neither_starts_nor_ends_a_cue():
    data = tiny_trials()
    model = CalibratedByPatient(tiny_frames(), cv=2, confidence=0.8)
    model.fit(data.X, data.frame_labels, groups=data.patients)
    rule = rule_for(model, CueRule(min_duration=0, min_gap=0))
    assert (rule.on, round(rule.off, 9)) == (0.8, 0.2)
    unsure = [0.5, 0.79, 0.21, 0.6]
    for start in (0.9, 0.1):
        cues = cue_frames([start, *unsure], np.arange(5) / 10, rule)
        assert (cues == (start > 0.5)).all()
    # and wider thresholds of one's own stay
    assert rule_for(model, CueRule(on=0.95, off=0.05))[:2] == (0.95, 0.05)


def test_an_alarm_comes_from_the_chosen_point_on():
    model = CalibratedByPatient(tiny_frames(), false_alarms=1.0, frame_rate=30)
    model.threshold_ = 0.35
    assert rule_for(model)[:2] == (0.35, 0.35)
    model.confidence = 0.7
    assert rule_for(model)[:2] == (0.7, pytest.approx(0.3))
    in_a_pipeline = PatientPipeline([("motion", DisplacementSmoother()), ("judge", model)])
    assert rule_for(in_a_pipeline)[0] == 0.7
    gate = CueGate()
    assert gate_for(tiny_frames(), gate) is gate


def test_a_live_session_takes_the_gate_of_its_model(shared):
    from skrehab.live.session import LiveSession

    data = tiny_trials()
    model = CalibratedByPatient(tiny_frames(), cv=2, confidence=0.9)
    model.fit(data.X, data.frame_labels, groups=data.patients)
    path = shared / "models" / "pose_landmarker_full.task"
    extractor = skrehab.PoseExtractor(model_path=str(path))
    session = LiveSession(model, extractor, CueGate())
    assert (session.gates[0].rule.on, round(session.gates[0].rule.off, 9)) == (0.9, 0.1)
    plain = LiveSession(model.estimator_, extractor, CueGate())
    assert plain.gates[0].rule == CueRule()


def test_in_onnx_the_inner_model_alone(tmp_path):
    pytest.importorskip("onnx")
    data = tiny_trials()
    model = CalibratedByPatient(tiny_frames(), cv=2)
    model.fit(data.X, data.frame_labels, groups=data.patients)
    with pytest.raises(TypeError, match="export its estimator_"):
        skrehab.export_onnx(model, tmp_path / "model.onnx")
    assert skrehab.export_onnx(model.estimator_, tmp_path / "model.onnx").exists()


# --- saved, and for one patient -------------------------------------------------------------------
@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_saved_and_loaded(tmp_path, method):
    data = tiny_trials()
    model = CalibratedByPatient(
        tiny_frames(), cv=2, method=method, confidence=0.6, false_alarms=2.0, frame_rate=30.0
    ).fit(data.X, data.frame_labels, groups=data.patients)
    again = skrehab.load(skrehab.save(model, tmp_path / "model"))
    np.testing.assert_allclose(
        again.predict_proba(data.X)[1], model.predict_proba(data.X)[1], atol=1e-6
    )
    assert again.threshold_ == model.threshold_
    np.testing.assert_array_equal(again.predict(data.X)[1], model.predict(data.X)[1])


def test_of_one_patient():
    """The inner model is adapted, the map stays, the old one is unchanged."""
    data = tiny_trials()
    pipe = PatientPipeline([("reference", PatientReference()), ("frames", tiny_tcn())])
    exercise = np.array(["a", "b"] * 8)
    model = CalibratedByPatient(pipe, cv=2)
    model.fit(data.X, data.frame_labels, groups=data.patients, exercise=exercise)
    before = model.predict_proba(data.X, exercise=exercise)
    own = adapt_to_patient(model, data.X[:2], data.y[:2], exercise=exercise[:2])
    assert own.map_ is model.map_
    after = own.predict_proba(data.X, exercise=exercise)
    assert any((a != b).any() for a, b in zip(before, after))
    for one, other in zip(before, model.predict_proba(data.X, exercise=exercise)):
        np.testing.assert_array_equal(one, other)
