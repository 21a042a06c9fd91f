"""Several labels by patient: each label is scored as evaluate_by_patient scores it alone."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skrehab.evaluation import OnFrameTruth, evaluate_by_patient, evaluate_labels_by_patient
from skrehab.trials import ragged


class Heights(ClassifierMixin, BaseEstimator):
    """Says of each label how high its landmark is: of frames, or of trials."""

    n_fits = 0

    def __init__(self, frames=True, columns=(0, 1)):
        self.frames = frames
        self.columns = columns

    def fit(self, X, y, groups=None):
        Heights.n_fits += 1
        self.seen_ = np.shape(y[0])
        self.classes_ = np.arange(len(self.columns))
        return self

    def predict_proba(self, X):
        said = [trial[:, list(self.columns), 0] for trial in X]
        return ragged(said) if self.frames else np.array([one.max(axis=0) for one in said])


class Height(ClassifierMixin, BaseEstimator):
    """The same of one label, as a model of two classes."""

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        said = [trial[:, self.column, 0] for trial in X]
        return ragged([np.stack([1 - one, one], axis=1) for one in said])


@pytest.fixture(scope="module")
def trials():
    rng = np.random.RandomState(0)
    X, frames = [], []
    for i in range(24):
        truth = np.zeros((12, 2), dtype=int)
        truth[3:7, 0], truth[6:10, 1] = i % 2, (i // 2) % 2
        X.append(np.clip(0.4 * truth + 0.6 * rng.rand(12, 2), 0, 1)[..., None].repeat(3, axis=2))
        frames.append(truth)
    y = np.array([one.max(axis=0) for one in frames])
    return X, y, np.repeat(["a", "b", "c"], 8), ragged(frames)


def test_each_label_scores_as_it_does_alone(trials):
    X, y, groups, frames = trials
    Heights.n_fits = 0
    found = evaluate_labels_by_patient(
        {"heights": Heights()}, X, y, groups, frame_labels=frames, label_names=["trunk", "head"]
    )
    assert Heights.n_fits == 3  # once a patient, not once a label
    assert list(found.studies) == ["trunk", "head"] and not found.undefined
    for k, label in enumerate(("trunk", "head")):
        alone = evaluate_by_patient(
            {"heights": Height(k)},
            *(X, y[:, k], groups),
            frame_labels=[one[:, k] for one in frames],
        )
        for metric in alone.metrics:
            mine, other = found.studies[label].scores[metric], alone.scores[metric]
            assert mine.keys() == other.keys()
            for name in mine:
                np.testing.assert_allclose(mine[name].scores, other[name].scores)
    rows = found.summary()
    both = [row["mean"] for row in rows if row["method"] == "heights" and row["label"] != "mean"]
    (mean,) = [row for row in rows if row["method"] == "heights" and row["label"] == "mean"]
    assert mean["mean"] == pytest.approx(np.mean(both)) and mean["n_labels"] == 2
    assert 0.6 < mean["mean"] < 1


def test_models_of_trials_and_of_frame_truth(trials):
    X, y, groups, frames = trials
    models = {"trials": Heights(frames=False), "truth": OnFrameTruth(Heights())}
    found = evaluate_labels_by_patient(models, X, y, groups, frame_labels=frames)
    study = found.studies["1"]
    assert study.methods["trials"].kind == "trial labels"
    assert study.methods["truth"].kind == "frame truth"
    assert "truth" in study.scores["frame AUC"]
    with pytest.raises(ValueError, match="learns from frame truth, and there are no frame_labels"):
        evaluate_labels_by_patient(models, X, y, groups)


def test_what_is_not_known_is_not_scored(trials):
    X, y, groups, _ = trials
    y = y.copy()
    y[:3, 0] = -1
    found = evaluate_labels_by_patient({"m": Heights()}, X, y, groups)
    assert len(found.studies["0"].data.X) == 21 and len(found.studies["1"].data.X) == 24
    alone = evaluate_by_patient({"m": Height(0)}, X[3:], y[3:, 0], groups[3:])
    assert found.studies["0"].summary()[0]["mean"] == pytest.approx(alone.summary()[0]["mean"])
    y[:, 1] = 0
    found = evaluate_labels_by_patient({"m": Heights()}, X, y, groups)
    assert found.undefined == {"1": "all 24 trials of which it is known have 0"}


def test_folds_are_kept(trials, tmp_path):
    X, y, groups, _ = trials
    Heights.n_fits = 0
    for _ in range(2):
        found = evaluate_labels_by_patient({"m": Heights()}, X, y, groups, memory=tmp_path)
    assert Heights.n_fits == 3 and found.studies["0"].methods["m"].by_seed[0].n_resumed == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": [[0, 1]]}, "one row per trial: 24 trials, 1 rows"),
        ({"label_names": ["a"]}, "must name each of 2 labels once"),
        ({"groups": ["a"] * 24}, "held-out patients needs at least 2"),
        ({"frame_labels": [np.zeros((12, 3))] * 24}, r"must have shape \(12, 2\), got \(12, 3\)"),
        ({"models": {"m": Heights(columns=(0,))}}, "gives 1 probabilities, and y has 2 labels"),
        ({"cv": [([0, 1], [2, 9])]}, "in training and in test"),
    ],
)
def test_what_does_not_fit(trials, change, message):
    X, y, groups, _ = trials
    given = {"models": {"m": Heights()}, "y": y, "groups": groups} | change
    with pytest.raises(ValueError, match=message):
        evaluate_labels_by_patient(given.pop("models"), X, **given)


def test_the_study_of_one_label_says_where_several_go(trials):
    X, y, groups, _ = trials
    with pytest.raises(ValueError, match="2 labels a trial: evaluate_labels_by_patient"):
        evaluate_by_patient({"m": Height()}, X, y, groups)
