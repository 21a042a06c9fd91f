"""MultiLabelFrames: a probability a frame and label, by hand, live, saved, by trial labels only."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab import (
    CueGate,
    DisplacementSmoother,
    FrameMLP,
    FrameStream,
    FrameTCN,
    KinematicMeasures,
    LandmarkScaler,
    MultiLabelFrames,
    MultiLabelVideoClassifier,
)
from skrehab.datasets import make_rehab_trials
from skrehab.metrics import frame_scores_by_label
from skrehab.multilabel import frames_of_labels
from skrehab.trials import ragged


def trials(n=24, n_frames=30, seed=0):
    """Landmark k moves for a while if the trial has label k; the third label nobody has."""
    rng = np.random.RandomState(seed)
    X, frames = [], []
    for i in range(n):
        trial = 0.1 * rng.randn(n_frames, 3, 2)
        truth = np.zeros((n_frames, 3), dtype=int)
        for k in range(2):
            if (i >> k) % 2:
                start = rng.randint(3, 18)
                truth[start : start + 8, k] = 1
        trial[:, :, 0] += 2.0 * truth
        X.append(trial.astype(np.float32))
        frames.append(truth)
    return X, np.array([one.max(axis=0) for one in frames]), ragged(frames)


def teacher(**params):
    settings = {"lr": 0.02, "max_epochs": 25, "batch_size": 8, "random_state": 0}
    small = {"channels": 8, "n_blocks": 1, "kernel_size": 3}
    return MultiLabelVideoClassifier("mil_tcn", network_params=small, **(settings | params))


def student(**params):
    return FrameMLP((16,), **({"lr": 0.02, "max_epochs": 20, "random_state": 0} | params))


# --- labels of frames -----------------------------------------------------------------------------
def test_pseudo_labels_by_hand():
    scores = [np.array([[0.9, 0.6, 0.2], [0.1, 0.7, 0.9], [0.4, 0.3, 0.1]])] * 3
    y = [[1, 1, 0], [0, 0, 0], [1, -1, 0]]
    hard = frames_of_labels(scores, y)
    assert hard[0].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert (hard[1] == 0).all()
    assert hard[2].tolist() == [[1, -1, 0], [0, -1, 0], [0, -1, 0]]
    # a label that the trial does not have cannot be the strongest
    best = frames_of_labels(scores, y, strongest=True, threshold=0.35)
    assert best[0].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    soft = frames_of_labels(scores, y, soft=True)
    assert soft[0].tolist() == [[0.9, 0.6, 0], [0.1, 0.7, 0], [0.4, 0.3, 0]]
    assert np.isnan(soft[2][:, 1]).all() and (soft[1] == 0).all()


def test_each_label_has_its_own_model():
    X, _, frames = trials()
    model = MultiLabelFrames(student()).fit(X, frames)
    assert model.teacher_ is None and model.classes_.tolist() == [0, 1, 2]
    new, _, truth = trials(seed=1)
    proba = model.predict_proba(new)
    assert [one.shape for one in proba] == [(30, 3)] * 24
    found = frame_scores_by_label(truth, proba, label_names=["a", "b", "c"])
    assert min(found["roc_auc"]["a"], found["roc_auc"]["b"]) > 0.99
    assert found["undefined"] == ["c"] and np.isnan(found["f1"]["c"])
    assert all((one[:, 2] == 0).all() for one in proba)  # no frame ever had it
    one = student().fit(X, ragged([labels[:, 1] for labels in frames]))
    np.testing.assert_array_equal(proba[3][:, 1], one.predict_proba(new)[3][:, 1])
    assert ((model.predict(new)[0] == 1) == (proba[0] >= 0.5)).all()


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"soft": False, "threshold": 0.3},
        {"method": "integrated_gradients", "strongest": True, "n_steps": 4},
    ],
)
def test_from_labels_of_trials_to_frames_of_new_ones(how):
    X, y, _ = trials()
    model = MultiLabelFrames(student(), teacher(), **how).fit(X, y)
    new, _, truth = trials(seed=1)
    found = frame_scores_by_label(truth, model.predict_proba(new))
    assert min(found["roc_auc"]["0"], found["roc_auc"]["1"]) > 0.85
    assert model.teacher_.n_labels_ == 3


def test_what_is_not_known_is_left_out():
    X, y, _ = trials()
    y[:6, 0] = -1
    y[3] = -1
    model = MultiLabelFrames(student(max_epochs=2), teacher(max_epochs=2)).fit(X, y)
    rest = [i for i in range(24) if i != 3]  # of trial 3 nothing is known at all
    alone = teacher(max_epochs=2).fit([X[i] for i in rest], y[rest])
    np.testing.assert_array_equal(model.teacher_.predict_proba(X), alone.predict_proba(X))


def test_a_label_that_a_third_of_the_trials_lack_is_still_found():
    X, y, _ = trials(36)
    y[:6, 0] = y[6:12, 1] = -1  # no trial's labels are lost with the one that is not known
    model = MultiLabelFrames(student(), teacher()).fit(X, y)
    new, _, truth = trials(seed=1)
    found = frame_scores_by_label(truth, model.predict_proba(new))
    assert min(found["roc_auc"]["0"], found["roc_auc"]["1"]) > 0.85


# --- live, saved, synthetic patients --------------------------------------------------------------
def test_live_with_cues_by_label_and_saved(tmp_path):
    X, _, frames = trials()
    names = ["trunk", "shoulder", "head"]
    model = make_pipeline(
        DisplacementSmoother(window=1), MultiLabelFrames(student(), label_names=names)
    ).fit(X, frames)
    offline = model.predict_proba(X[3:4])[0]
    again = skrehab.load(skrehab.save(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(X[3:4])[0], offline)
    assert again[-1].label_names_ == names
    stream = FrameStream(model)
    live = np.array([stream.push(frame, t / 10) for t, frame in enumerate(X[3])])
    np.testing.assert_allclose(live, offline, atol=1e-6)
    gates = [CueGate() for _ in names]
    cues = [
        [gate.push(float(p), t / 10) for gate, p in zip(gates, row)] for t, row in enumerate(live)
    ]
    assert len(cues) == 30


def test_live_equals_offline_label_by_label_from_labels_of_trials():
    """As in benchmarks/compensations_by_label.py: measures, a teacher, a causal model a label."""
    data = make_rehab_trials(2, 1, ["brush_hair", "wash_face"], random_state=1)
    y = data.compensations.copy()
    y[0] = 1  # each kind is there once
    model = make_pipeline(
        KinematicMeasures(frame_rate=data.frame_rate),
        DisplacementSmoother(window=1),
        LandmarkScaler(),
        MultiLabelFrames(FrameTCN(max_epochs=2, random_state=0), teacher(max_epochs=2)),
    ).fit(data.X, y)
    stream = FrameStream(model)
    for trial, offline in zip(data.X[:3], model.predict_proba(data.X[:3])):
        stream.reset()
        live = np.array([stream.push(frame, t / 10) for t, frame in enumerate(trial)])
        assert live.shape == offline.shape == (len(trial), 4)
        for k in range(4):
            np.testing.assert_allclose(live[:, k], offline[:, k], atol=1e-5)
        assert np.ptp(offline, axis=0).min() > 0  # and says something


def test_synthetic_patients_have_labels_by_kind():
    data = make_rehab_trials(3, 2, random_state=0)
    kinds = ["trunk_flexion", "trunk_rotation", "shoulder_elevation", "head_flexion"]
    assert data.label_names == kinds
    np.testing.assert_array_equal(data.compensations.max(axis=1), data.y)
    for kind, row, frames, labels in zip(
        data.compensation, data.compensations, data.frame_compensations, data.frame_labels
    ):
        assert row.sum() == (kind != "none") and (kind == "none" or row[kinds.index(kind)])
        np.testing.assert_array_equal(frames.max(axis=1), labels)
        np.testing.assert_array_equal(frames.max(axis=0), row)


# --- errors ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y, f: (y[:5], {}), "one row per trial: 24 trials, 5 rows"),
        (lambda X, y, f: (y[:, 0], {}), r"y must have shape \(n_trials, n_labels\)"),
        (lambda X, y, f: (y * 2, {}), r"y\[1, 0\] is 2: labels are 0, 1, or -1"),
        (lambda X, y, f: (f[:5], {}), "one array a trial: 24 trials, 5 given"),
        (lambda X, y, f: (ragged([one[:9] for one in f]), {}), r"y\[0\] must have shape \(30, 3\)"),
        (lambda X, y, f: (ragged([one - 2 for one in f]), {}), r"y\[0\]\[0, 0\] is -2"),
        (lambda X, y, f: (ragged([0 * one - 1 for one in f]), {}), "Label '0' is known of no"),
        (lambda X, y, f: (0 * y - 1, {}), "Label 0 is known of no trial"),
        (lambda X, y, f: (f, {"label_names": ["a", "b"]}), "must name each of 3 labels once"),
        (lambda X, y, f: (None, {}), "y is needed"),
    ],
)
def test_labels_that_do_not_fit(change, message):
    X, y, frames = trials()
    given, params = change(X, y, frames)
    with pytest.raises(ValueError, match=message):
        MultiLabelFrames(student(max_epochs=1), teacher(max_epochs=1), **params).fit(X, given)


def test_scores_by_label_check_shapes():
    with pytest.raises(ValueError, match="must have one shape"):
        frame_scores_by_label([[[1, 0]]], [[[0.5]]])
    with pytest.raises(ValueError, match="2 names for 1 labels"):
        frame_scores_by_label([[[1], [0]]], [[[0.5], [0.1]]], label_names=["a", "b"])
