"""A study in one call: scikit-learn's numbers, kept folds, floors, refusals, words."""

import csv

import joblib
import numpy as np
import pytest
from instances import tiny_frames, tiny_labeler, tiny_trials
from joblib import parallel_config
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, LeaveOneGroupOut, cross_val_predict
from sklearn.utils import Bunch

from skrehab.evaluation import OnFrameTruth, at_alarm_rate, evaluate_by_patient, held_out
from skrehab.metrics import FrameScorer, by_patient, frame_roc_auc, pool_frames, trial_roc_auc
from skrehab.pseudo_labels import PatientPipeline
from skrehab.trials import ragged


class Slow(ClassifierMixin, BaseEstimator):
    """Frames by the height of landmark 0; counts its fits in a file, and may be interrupted."""

    n_fits, fail_at = 0, None

    def __init__(self, random_state=None, scale=1.0):
        self.random_state = random_state
        self.scale = scale

    def fit(self, X, y, groups=None):
        Slow.n_fits += 1
        if Slow.n_fits == Slow.fail_at:
            raise KeyboardInterrupt
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        rng = np.random.RandomState(self.random_state)
        out = []
        for trial in X:
            p = 1 / (1 + np.exp(-self.scale * trial[:, 0].mean(axis=1)))
            p = np.clip(p + 0.01 * rng.rand(len(p)), 0.001, 0.999)
            rest = np.repeat(
                ((1 - p) / (len(self.classes_) - 1))[:, None], len(self.classes_) - 1, 1
            )
            out.append(np.concatenate([rest[:, :1], p[:, None], rest[:, 1:]], axis=1))
        return ragged(out)


@pytest.fixture(scope="module")
def tiny():
    one = tiny_trials()
    return Bunch(X=one.X, y=one.y, groups=one.patients, frame_labels=one.frame_labels)


def test_scores_are_those_of_cross_validation(tiny):
    pipe = PatientPipeline([("labels", tiny_labeler()), ("frames", tiny_frames())])
    study = evaluate_by_patient({"weak": pipe}, tiny, random_state=0)
    proba = cross_val_predict(
        pipe, tiny.X, tiny.y, groups=tiny.groups, cv=LeaveOneGroupOut(), method="predict_proba"
    )
    frames = by_patient(frame_roc_auc, tiny.frame_labels, proba, tiny.groups)
    np.testing.assert_array_equal(study.scores["frame AUC"]["weak"].scores, frames.scores)
    trials = by_patient(roc_auc_score, tiny.y, pool_frames(proba), tiny.groups)
    np.testing.assert_array_equal(study.scores["trial AUC"]["weak"].scores, trials.scores)
    inside = study.scores["trial AUC of the classifier inside"]
    assert list(inside) == ["weak"]
    np.testing.assert_array_equal(study.frame_scores["weak"][3], proba[3][:, 1])
    assert list(study.methods) == ["weak", "constant", "trial duration alone"]
    assert study.scores["frame AUC"]["constant"].pooled == 0.5


def test_scorers_of_scikit_learn_form(tiny):
    scoring = {"trial": trial_roc_auc, "frame": FrameScorer(), "hits": "balanced_accuracy"}
    study = evaluate_by_patient(Slow(), tiny, scoring=scoring, random_state=0)
    usual = evaluate_by_patient(Slow(), tiny, random_state=0)
    for ours, theirs in (("trial", "trial AUC"), ("frame", "frame AUC")):
        np.testing.assert_allclose(
            study.scores[ours]["model"].scores, usual.scores[theirs]["model"].scores
        )
    assert study.scores["hits"]["constant"].mean == 0.5


def test_frame_truth_reaches_only_what_is_marked(tiny):
    seen = []

    class Watching(Slow):
        def fit(self, X, y, groups=None):
            seen.append(np.ndim(y[0]))
            return super().fit(X, np.concatenate(list(y)) if np.ndim(y[0]) else y)

    evaluate_by_patient({"weak": Watching(), "full": OnFrameTruth(Watching())}, tiny, cv=2)
    assert seen == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="'full' learns from frame truth"):
        evaluate_by_patient({"full": OnFrameTruth(Slow())}, tiny.X, tiny.y, tiny.groups)


def test_a_run_that_was_broken_off_goes_on(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(Slow, "n_fits", 0)
    monkeypatch.setattr(Slow, "fail_at", 3)
    how = {"memory": tmp_path / "study", "random_state": (0, 1)}
    with pytest.raises(KeyboardInterrupt):
        evaluate_by_patient(Slow(), tiny, **how)
    told = []
    study = evaluate_by_patient(Slow(), tiny, **how, progress=lambda *said: told.append(said))
    assert Slow.n_fits == 3 + 6
    assert study.methods["model"].by_seed[0].n_resumed == 2
    assert told[0][:2] == (0, 8) and told[-1] == (8, 8, 0.0)
    again = evaluate_by_patient(Slow(), tiny, **how)
    assert Slow.n_fits == 9
    assert str(again) == str(study)


@pytest.mark.parametrize("change", ["data", "labels", "parameter", "seed", "damage"])
def test_what_is_kept_goes_by_content(tiny, tmp_path, change):
    how = {"memory": tmp_path, "cv": 2}
    model, data = Slow(), Bunch(**tiny)
    evaluate_by_patient(model, data, random_state=0, **how)
    seed = 0
    if change == "data":
        data.X = [tiny.X[0] + 1e-3, *tiny.X[1:]]
    elif change == "labels":
        data.y = tiny.y.copy()
        data.y[:2] = data.y[1], data.y[0]
    elif change == "parameter":
        model = Slow(scale=2.0)
    elif change == "seed":
        seed = 1
    else:
        for file in (tmp_path / "folds").iterdir():
            file.write_bytes(file.read_bytes()[:40])
    study = evaluate_by_patient(model, data, random_state=seed, **how)
    # labels of held-out trials are no part of a fold
    assert study.methods["model"].by_seed[0].n_resumed == (change == "labels")
    study = evaluate_by_patient(model, data, random_state=seed, **how)
    assert study.methods["model"].by_seed[0].n_resumed == 2


def test_workers_give_the_same(tiny, tmp_path):
    alone = evaluate_by_patient(Slow(), tiny, random_state=(0, 1))
    with parallel_config(backend="threading"):
        threads = evaluate_by_patient(Slow(), tiny, random_state=(0, 1), n_jobs=2, memory=tmp_path)
    for a, b in zip(alone.frame_scores["model"], threads.frame_scores["model"]):
        np.testing.assert_array_equal(a, b)


def test_workers_are_started_where_it_is_worth_it(tiny, monkeypatch):
    jobs = []
    run = held_out.cross_validate

    def watched(*args, **how):
        jobs.append((how["n_jobs"], how["cv"].get_n_splits()))
        return run(*args, **how)

    monkeypatch.setattr(held_out, "cross_validate", watched)
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    evaluate_by_patient(Slow(), tiny, n_jobs="auto")
    assert jobs[:4] == [(None, 1)] * 4  # and the floors after them
    jobs.clear()
    monkeypatch.setattr(held_out, "WORTH_WORKERS", 0)
    with parallel_config(backend="threading"):
        evaluate_by_patient(Slow(), tiny, n_jobs="auto")
    assert jobs[:2] == [(None, 1), (2, 3)]


def test_a_patient_on_both_sides_is_refused(tiny):
    with pytest.raises(ValueError, match=r"trials of 'patient-0'.*in training and in\s+test"):
        evaluate_by_patient(Slow(), tiny, cv=KFold(4, shuffle=True, random_state=0))
    with pytest.raises(ValueError, match="at least 2"):
        evaluate_by_patient(Slow(), tiny.X, tiny.y, ["A"] * 16)


def test_one_recording_under_two_names_is_said_loudly(tiny):
    X = [*tiny.X[:4], tiny.X[0].copy(), *tiny.X[5:]]
    with pytest.warns(UserWarning, match="same recording.*'patient-0' and 'patient-1'"):
        study = evaluate_by_patient(Slow(), X, tiny.y, tiny.groups)
    assert len(study.notes) == 1
    groups = np.repeat(["P1", "p01", "P2", "P3"], 4)
    with pytest.warns(UserWarning, match="'P1' and 'p01' may be one person"):
        evaluate_by_patient(Slow(), tiny.X, tiny.y, groups)


def test_words_and_three_classes(tiny):
    names = np.array(["usual", "lean"])[tiny.y].astype(object)
    names[tiny.groups == "patient-1"] = np.where(
        tiny.y[tiny.groups == "patient-1"] == 1, "lift", "usual"
    )
    names = names.astype(str)
    frames = ragged(np.array(["usual", "lean"])[one] for one in tiny.frame_labels)
    with pytest.raises(ValueError, match="normal_label"):
        evaluate_by_patient(Slow(), tiny.X, names, tiny.groups)

    class Any(Slow):
        """Knows which class is the usual one."""

        def predict_proba(self, X):
            return ragged(
                np.stack([1 - p if c == "usual" else p / 2 for c in self.classes_], axis=1)
                for p in (1 / (1 + np.exp(-trial[:, 0].mean(axis=1))) for trial in X)
            )

    study = evaluate_by_patient(
        Any(), tiny.X, names, tiny.groups, frame_labels=frames, normal_label="usual"
    )
    assert study.scores["frame AUC"]["model"].mean > 0.9
    assert study.scores["frame AUC"]["model"].n_defined == 4
    one = evaluate_by_patient(Any(), tiny.X, names, tiny.groups, pos_label="lift")
    assert one.scores["trial AUC"]["model"].n_defined == 1


def test_one_class_and_few_patients_are_named(tiny):
    y = tiny.y.copy()
    y[:4] = 0
    with pytest.warns(UserWarning, match="No score over trials for patient-0: all trials of this"):
        study = evaluate_by_patient(Slow(), tiny.X, y, tiny.groups)
    row = study.summary()[0]
    assert row["undefined"] == ["patient-0"] and row["n_patients"] == 3
    assert "With 3 patients" in study.few_patients()
    assert "0.25" in study.few_patients() and "no difference" in study.few_patients()


def test_where_no_patient_has_a_score_nothing_is_said_of_p_values(tiny):
    y = np.repeat([0, 1], len(tiny.X) // 2)  # patients have either label, and only one
    with pytest.warns(UserWarning, match="No score over trials"):
        study = evaluate_by_patient(Slow(), tiny.X, y, tiny.groups)
    assert study.few_patients() == "Patients with a score: 0. Nothing can be compared."


def test_a_duration_that_predicts_is_said(tiny):
    X = [trial[:12] if label else trial[:9] for trial, label in zip(tiny.X, tiny.y)]
    with pytest.warns(UserWarning, match="duration alone predicts.*longer.*1.00"):
        study = evaluate_by_patient(Slow(), X, tiny.y, tiny.groups)
    assert study.scores["trial AUC"]["trial duration alone"].mean == 1.0


def test_tables(tiny, tmp_path):
    study = evaluate_by_patient({"a_b & c": Slow()}, tiny, random_state=(0, 1))
    files = study.to_csv(tmp_path)
    assert [file.name for file in files] == [
        "summary.csv",
        "pairs.csv",
        "patients.csv",
        "frames.csv",
    ]
    with open(tmp_path / "frames.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(map(len, tiny.X))
    assert float(rows[0]["a_b & c"]) == pytest.approx(study.frame_scores["a_b & c"][0][0], abs=1e-6)
    assert {row["label"] for row in rows} == {"0", "1"}
    pytest.importorskip("pandas")
    frame = study.to_frame()
    assert len(frame) == 2 * 3 and (frame["n_seeds"] == [2, 1, 1] * 2).all()
    assert len(study.to_frame("pairs", "trial AUC")) == 3
    assert r"a\_b \& c" in study.to_latex()
    with pytest.raises(ValueError, match="metric must be one of"):
        study.summary("AcT")


def test_folds_that_leave_patients_out(tiny):
    test = np.flatnonzero(tiny.groups == "patient-2")
    study = evaluate_by_patient(
        Slow(), tiny, cv=[(np.flatnonzero(tiny.groups == "patient-0"), test)]
    )
    assert study.patients == ["patient-2"]
    assert len(study.frame_scores["model"][0]) == 0


def test_at_one_false_alarm_a_minute(tiny):
    study = evaluate_by_patient(Slow(scale=10.0), tiny, frame_rate=10)
    rows = at_alarm_rate(study, per_minute=1)
    assert [row["patient"] for row in rows] == study.patients
    assert all(row["method"] == "model" for row in rows)
    # landmark 0 rises by 1 with the motion, against noise of 0.1: no threshold misses it
    assert min(row["found"] for row in rows) > 0.8
    assert np.mean([row["false_alarms"] for row in rows]) < 5
    without = evaluate_by_patient(Slow(scale=10.0), tiny.X, tiny.y, tiny.groups, frame_rate=10)
    assert np.isnan([row["found"] for row in at_alarm_rate(without)]).all()
    with pytest.raises(ValueError, match="frame_rate"):
        at_alarm_rate(evaluate_by_patient(Slow(), tiny))
