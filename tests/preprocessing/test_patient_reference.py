"""PatientReference: each trial beside the same patient's others, never beside itself."""

import warnings

import numpy as np
import pytest
import sklearn
from instances import tiny_frames, tiny_trials

import skrehab
from skrehab import FrameStream, PatientReference
from skrehab.preprocessing.earlier_trials import mean_posture, trials_before
from skrehab.pseudo_labels import PatientPipeline


def still(*values, n_frames=3):
    """Trials in which one landmark stays at one place."""
    return [np.full((n_frames, 1, 1), value, dtype=np.float32) for value in values]


def places(trials):
    return [round(float(trial[0, 0, 0]), 6) for trial in trials]


# --- which trials, and their mean -----------------------------------------------------------------
def test_trials_before_by_hand():
    keys = ["a", "b", "a", "a", None, "b"]
    assert trials_before(keys, 1) == [[3], [5], [0], [2], [], [1]]
    assert trials_before(keys, 2) == [[3, 2], [5], [0, 3], [2, 0], [], [1]]
    assert trials_before(["a", "a", "a"], 9, [True, False, False]) == [[], [0], [0]]
    for own in trials_before(["a"] * 5, 4):
        assert len(set(own)) == 4
    assert all(i not in own for i, own in enumerate(trials_before(["a"] * 5, 4)))


def test_trials_weigh_the_same_and_lost_frames_do_not_count():
    long, short = still(1.0, n_frames=9)[0], still(3.0, n_frames=2)[0]
    long[4:] = np.nan
    assert mean_posture([long, short]).item() == 2.0
    assert np.isnan(mean_posture([np.full((2, 1, 1), np.nan)])).all()


# --- training -------------------------------------------------------------------------------------
def test_each_training_trial_beside_the_one_before_it():
    X = still(1.0, 2.0, 4.0, 10.0, 11.0)
    patients = ["Ann", "Ann", "Ann", "Bea", "Bea"]
    out = PatientReference(1).fit_transform(X, groups=patients)
    assert places(out) == [1 - 4, 2 - 1, 4 - 2, 10 - 11, 11 - 10]
    out = PatientReference(2).fit_transform(X, groups=patients)
    assert places(out) == [1 - 3, 2 - 2.5, 4 - 1.5, -1, 1]


def test_exercises_are_kept_apart():
    X = still(1.0, 5.0, 2.0, 7.0)
    out = PatientReference().fit_transform(X, groups=["Ann"] * 4, exercise=["a", "b", "a", "b"])
    assert places(out) == [-1, -2, 1, 2]


def test_only_normal_trials_where_asked():
    X, y = still(1.0, 9.0, 3.0), [0, 1, 0]
    out = PatientReference(which="normal").fit_transform(X, y, groups=["Ann"] * 3)
    assert places(out) == [1 - 3, 9 - 1, 3 - 1]
    words = PatientReference(which="normal", normal_label="ok")
    assert places(words.fit_transform(X, ["ok", "lean", "ok"], groups=["Ann"] * 3)) == places(out)


def test_an_only_trial_is_compared_with_the_training_patients():
    X = still(1.0, 2.0, 9.0)
    reference = PatientReference().fit(X, groups=["Ann", "Ann", "Bea"])
    assert reference.mean_.item() == (1.5 + 9) / 2  # patients weigh the same
    out = PatientReference().fit_transform(X, groups=["Ann", "Ann", "Bea"])
    assert places(out)[2] == 9 - 5.25


def test_without_patients_the_mean_of_all():
    out = PatientReference().fit_transform(still(1.0, 2.0, 6.0))
    assert places(out) == [-2, -1, 3]


def test_what_was_lost_comes_from_the_others():
    X = [np.ones((3, 2, 1), dtype=np.float32) * k for k in (1, 2, 5)]
    X[1][:, 1] = np.nan
    out = PatientReference().fit_transform(X, groups=["Ann", "Ann", "Bea"])
    mean = ((1 + 0) / 1 + 5) / 2  # landmark 1: Ann 1 (her other trial has none), Bea 5
    np.testing.assert_allclose(out[0][0, :, 0], [1 - 2, 1 - mean])
    assert np.isnan(out[1][:, 1]).all() and not np.isnan(out[1][:, 0]).any()


# --- a new patient --------------------------------------------------------------------------------
def test_for_patient_is_a_copy():
    reference = PatientReference().fit(still(0.0, 2.0), groups=["Ann", "Bea"])
    before = reference.reference_.copy()
    own = reference.for_patient(still(4.0, 8.0))
    assert own.reference_.item() == 6.0 and own.own_.tolist() == [True]
    np.testing.assert_array_equal(reference.reference_, before)
    assert reference.own_.tolist() == [False]
    assert places(own.transform(still(7.0))) == [1.0]
    # and of another patient, the first one does not matter
    assert own.for_patient(still(1.0)).reference_.item() == 1.0


def test_exercises_without_a_trial_keep_the_mean():
    X, exercise = still(0.0, 4.0), ["a", "b"]
    reference = PatientReference().fit(X, exercise=exercise)
    own = reference.for_patient(still(3.0), exercise=["b"])
    assert own.reference_.ravel().tolist() == [0.0, 3.0] and own.own_.tolist() == [False, True]
    assert places(own.transform(still(5.0, 5.0), exercise=["b", "a"])) == [2.0, 5.0]


def test_normal_trials_of_the_new_patient():
    reference = PatientReference(which="normal").fit(still(0.0, 1.0), [0, 1])
    assert reference.for_patient(still(2.0, 8.0), [0, 1]).reference_.item() == 2.0
    assert reference.for_patient(still(2.0, 8.0)).reference_.item() == 5.0  # known to be normal
    with pytest.raises(ValueError, match=r"No trial is labelled as normal \(1\)"):
        PatientReference(which="normal", normal_label=1).fit(still(0.0), [1]).for_patient(
            still(2.0), [0]
        )


@pytest.mark.parametrize(
    ("params", "fit", "message"),
    [
        ({"which": "normal"}, {}, "pass y, one label a trial"),
        ({"which": "normal"}, {"y": ["ok", "lean"]}, "Pass normal_label"),
        ({"which": "usual"}, {}, "'which' parameter"),
        ({"n_trials": 0}, {}, "'n_trials' parameter"),
        ({}, {"groups": ["Ann"]}, "groups must name one patient per trial"),
        ({}, {"exercise": ["a", None]}, r"exercise\[1\] is missing"),
    ],
)
def test_what_fit_refuses(params, fit, message):
    with pytest.raises(ValueError, match=message):
        PatientReference(**params).fit(still(0.0, 1.0), **fit)


def test_what_transform_refuses():
    reference = PatientReference().fit(still(0.0, 4.0), exercise=["a", "b"])
    with pytest.raises(ValueError, match=r"fitted on 2 exercises \('a', 'b'\): say which"):
        reference.transform(still(1.0))
    with pytest.raises(ValueError, match="exercise 'c' is not among 'a', 'b'"):
        reference.transform(still(1.0), exercise=["c"])
    with pytest.raises(ValueError, match="2 exercises, and a frame does not say which"):
        reference._stream()
    with pytest.raises(ValueError, match="'c' is not among"):
        reference.for_exercise("c")


# --- in a pipeline, live, saved -------------------------------------------------------------------
def reference_pipeline(data, exercise=None, **params):
    pipe = PatientPipeline([("reference", PatientReference()), ("frames", tiny_frames(**params))])
    return pipe.fit(data.X, data.frame_labels, groups=data.patients, exercise=exercise)


def test_metadata_reaches_it_in_a_pipeline():
    data = tiny_trials()
    exercise = np.array(["a", "b"] * (len(data.X) // 2))
    pipe = reference_pipeline(data, exercise)
    assert pipe["reference"].exercises_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="say which"):
        pipe.predict_proba(data.X)
    said = pipe.predict_proba(data.X, exercise=exercise)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = sklearn.pipeline.Pipeline(pipe.steps).predict_proba(data.X, exercise=exercise)
    for one, other in zip(said, routed):
        np.testing.assert_array_equal(one, other)
    labels = pipe.predict(data.X, exercise=exercise)
    np.testing.assert_array_equal(labels[0], said[0].argmax(axis=1))
    # the frame model learned from what fit_transform makes, not from what transform makes
    alone = tiny_frames().fit(
        PatientReference().fit_transform(data.X, groups=data.patients, exercise=exercise),
        data.frame_labels,
    )
    features = pipe["reference"].transform(data.X, exercise=exercise)
    np.testing.assert_array_equal(alone.predict_proba(features)[0], said[0])


def test_a_pipeline_that_cannot_predict_still_says_so():
    pipe = PatientPipeline([("reference", PatientReference())])
    assert not hasattr(pipe, "predict_proba") and not hasattr(pipe, "predict")


def test_frame_by_frame_it_is_the_same():
    data = tiny_trials()
    pipe = reference_pipeline(data)
    pipe.steps[0] = ("reference", pipe["reference"].for_patient(data.X[:2]))
    stream = FrameStream(pipe)
    live = [stream.push(frame, t / 30) for t, frame in enumerate(data.X[3])]
    np.testing.assert_allclose(live, pipe.predict_proba(data.X[3:4])[0], rtol=0, atol=1e-6)


def test_one_exercise_of_several_runs_live():
    reference = PatientReference().fit(still(0.0, 4.0), exercise=["a", "b"]).for_exercise("b")
    assert reference.transform(still(5.0))[0][0, 0, 0] == 1.0
    assert reference._stream().push([[5.0]], 0.0).tolist() == [[1.0]]


@pytest.mark.parametrize("exercise", [None, [1, 2] * 8, ["a", "b"] * 8])
def test_saved_and_loaded_without_a_patients_name(tmp_path, exercise):
    data = tiny_trials()
    reference = PatientReference(2).fit(data.X, groups=data.patients, exercise=exercise)
    own = reference.for_patient(data.X[:2], exercise=None if exercise is None else exercise[:2])
    folder = skrehab.save(own, tmp_path / "model")
    again = skrehab.load(folder)
    for one, other in zip(own.transform(data.X, exercise), again.transform(data.X, exercise)):
        np.testing.assert_array_equal(one, other)
    written = "".join(file.read_text() for file in folder.glob("*.json"))
    assert "patient-0" not in written
    fitted = [name for name in vars(reference) if name.endswith("_")]
    assert sorted(fitted) == sorted(
        ["exercises_", "mean_", "reference_", "own_", "n_landmarks_", "n_coords_"]
    )


def test_in_onnx(tmp_path):
    ort = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    data = tiny_trials()
    pipe = reference_pipeline(data)
    pipe.steps[0] = ("reference", pipe["reference"].for_patient(data.X[:2]))
    path = skrehab.export_onnx(pipe, tmp_path / "model.onnx")
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    said = session.run(None, {name: data.X[4]})
    expected = pipe.predict_proba(data.X[4:5])[0]
    assert any(
        one.shape == expected.shape and np.allclose(one, expected, atol=1e-5) for one in said
    )
    several = reference_pipeline(data, ["a", "b"] * 8)
    with pytest.raises(ValueError, match="holds 2 exercises, and an ONNX file"):
        skrehab.export_onnx(several, tmp_path / "other.onnx")


# --- who can be compared --------------------------------------------------------------------------
def test_a_trial_of_which_nothing_is_known_is_not_normal():
    """-1 was the smallest label, and its trials the reference."""
    X, y = still(1.0, 2.0, 5.0, 9.0), [-1, 0, 0, 1]
    out = PatientReference(1, which="normal").fit_transform(X, y, groups=["Ann"] * 4)
    assert places(out) == [-4.0, -3.0, 3.0, 4.0]  # less 5, 5, 2, 5
    with pytest.raises(ValueError, match="No trial is labelled as normal"):
        PatientReference(which="normal").fit(X, [-1] * 4)


def test_patients_of_one_trial_are_told():
    X = still(1.0, 2.0, 4.0)
    with pytest.warns(UserWarning, match="3 of 3 training trials are the only one"):
        PatientReference().fit_transform(X, groups=["Ann", "Bea", "Cid"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        PatientReference().fit_transform(X, groups=["Ann", "Ann", "Cid"])
        PatientReference().fit_transform(X)  # nobody said whose they are
