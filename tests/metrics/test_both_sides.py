"""A patient on both sides of a split is said by every scorer that is given the patients."""

import copy
import warnings

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GroupKFold, KFold, cross_validate
from sklearn.pipeline import Pipeline

import skrehab
from skrehab import DisplacementSmoother, FrameMLP
from skrehab._fitting import fit_context
from skrehab._seen import seen_of
from skrehab.metrics import FrameScorer, MapScorer, trial_roc_auc

WORDS = "both sides"
RNG = np.random.RandomState(0)
X = [RNG.randn(6 + i % 5, 3, 3) for i in range(12)]
TRUTH = [np.arange(len(trial)) % 2 * (i % 2) for i, trial in enumerate(X)]
Y = np.arange(12) % 2
GROUPS = np.repeat(["P1", "P2", "P3"], 4)


def said_by(run):
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        run()
    return [str(one.message) for one in record if WORDS in str(one.message)]


def scores(cv, **more):
    model = Pipeline(
        [("motion", DisplacementSmoother()), ("frames", FrameMLP(max_epochs=1, random_state=0))]
    )
    with config_context(enable_metadata_routing=True):
        return cross_validate(
            model,
            *(X, TRUTH),
            params={"groups": GROUPS, "frame_labels": TRUTH},
            scoring={"frame": FrameScorer()},
            cv=cv,
            **more,
        )


def test_random_folds_are_said_and_folds_by_patient_are_not():
    found = said_by(lambda: scores(KFold(3, shuffle=True, random_state=0)))
    assert len(found) == 3  # once a fold
    assert all("learned from them and is scored on them" in text for text in found)
    assert said_by(lambda: scores(GroupKFold(3))) == []


def test_scores_of_training_trials_are_what_they_are_called():
    assert said_by(lambda: scores(GroupKFold(3), return_train_score=True)) == []


@pytest.fixture
def model():
    return FrameMLP(max_epochs=1, random_state=0).fit(X[:8], TRUTH[:8], groups=GROUPS[:8])


@pytest.mark.parametrize("scorer", [trial_roc_auc, FrameScorer()])
def test_asked_directly(model, scorer):
    truth = Y if scorer is trial_roc_auc else TRUTH
    (text,) = said_by(lambda: scorer(model, X[6:], truth[6:], groups=GROUPS[6:]))
    assert text.startswith("Patient 'P2' stands on both sides")
    assert said_by(lambda: scorer(model, X[8:], truth[8:], groups=GROUPS[8:])) == []
    assert said_by(lambda: scorer(model, X[6:], truth[6:])) == []  # it cannot know
    plain = FrameMLP(max_epochs=1, random_state=0).fit(X, TRUTH)
    assert said_by(lambda: scorer(plain, X, truth, groups=GROUPS)) == []


def test_what_is_remembered(model, tmp_path):
    assert len(seen_of(model)) == 8
    assert len({who for who, _ in seen_of(model)}) == 2
    assert not any("P1" in who for who, _ in seen_of(model))  # no names
    assert seen_of(clone(model)) is None
    assert seen_of(copy.deepcopy(model)) == seen_of(model)
    with pytest.raises(ValueError, match="one patient per trial"):
        model.fit(X, TRUTH, groups=GROUPS[:3])
    assert len(seen_of(model)) == 8  # a failed fit changes nothing
    skrehab.save(model, tmp_path / "model")
    assert seen_of(skrehab.load(tmp_path / "model")) is None
    assert seen_of(model.fit(X, TRUTH)) is None


def test_several_labels():
    class Says(BaseEstimator):
        _parameter_constraints = {}

        @fit_context(prefer_skip_nested_validation=True)
        def fit(self, X, y, groups=None):
            self.n_ = len(X)
            return self

        def predict_proba(self, X):
            return np.linspace(0, 1, 2 * len(X)).reshape(-1, 2)

    labels = np.array([[0, 1], [1, 0]] * 6)
    model = Says().fit(X[:8], labels[:8], GROUPS[:8])
    assert len(said_by(lambda: MapScorer()(model, X[6:], labels[6:], groups=GROUPS[6:]))) == 1
    assert said_by(lambda: MapScorer()(model, X[8:], labels[8:], groups=GROUPS[8:])) == []
