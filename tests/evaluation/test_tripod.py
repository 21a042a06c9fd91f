"""The TRIPOD+AI checklist: what the run fills in is what the run was."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skrehab.evaluation import evaluate_by_patient, tripod_checklist
from skrehab.evaluation.tripod import ITEMS


class Height(ClassifierMixin, BaseEstimator):
    """Scores a trial by its mean."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = np.array([np.nanmean(trial) for trial in X])
        return np.stack([1 - p, p], axis=1)


@pytest.fixture(scope="module")
def study():
    y = np.array([0, 1] * 3 + [1, 1])
    patients = ["Ann", "Ann", "Bea", "Bea", "Cid", "Cid", "Dan", "Dan"]
    X = [np.full((10, 5, 3), 0.2 + 0.5 * label + 0.01 * i) for i, label in enumerate(y)]
    X[0][0] = np.nan  # a frame without a pose: 5 of 400 landmarks
    X[1][3, 2, 0] = np.nan
    return evaluate_by_patient(
        {"height": Height()}, X, y, patients, exercise=["reach"] * 8, random_state=None
    )


def test_all_27_items_are_there(study):
    rows = tripod_checklist(study)
    numbers = {int("".join(c for c in row["item"] if c.isdigit())) for row in rows}
    assert numbers == set(range(1, 28))
    assert [row["item"] for row in rows] == list(ITEMS)
    assert all(bool(row["text"]) == (row["source"] != "open") for row in rows)


def test_what_the_run_says_is_true(study):
    said = {row["item"]: row["text"] for row in tripod_checklist(study)}
    assert said["10"].startswith("8 trials of 4 patients")
    assert said["11"] == "1.5% of landmarks are lost; frames without any pose: 1"
    assert said["12a"].startswith("4 folds with 1 held out each")
    assert said["13"] == "5 of 8 trials (62%) hold the motion"
    assert said["20a"].startswith("4 patients with 2 trials each; 3 have")
    assert said["20b"] == "trials by exercise: reach 8"
    assert "height: 3 patients, not defined for Dan" in said["21"]
    assert "height: trial AUC 1.00" in said["23a"]
    assert said["23b"] == "height: 1.00 to 1.00 from patient to patient"
    assert "Wilcoxon" in said["26"]


def test_authors_go_first(study):
    rows = {r["item"]: r for r in tripod_checklist(study, {"10": "Planned.", "17": "Approved."})}
    assert rows["10"] == {
        "item": "10", "asks": "sample size", "source": "authors", "text": "Planned.",
    }  # fmt: skip
    assert rows["17"]["source"] == "authors" and rows["18a"]["source"] == "open"
    with pytest.raises(ValueError, match="no item '99'"):
        tripod_checklist(study, {"99": "?"})
