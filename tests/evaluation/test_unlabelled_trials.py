"""A trial labelled -1 (nothing known, as IRDS's "poor") is neither normal nor the motion."""

import numpy as np
import pytest
from imblearn.pipeline import Pipeline as ImbalancedPipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils import Bunch

from skrehab import FrameMLP, SaliencyPseudoLabeler, VideoClassifier
from skrehab.evaluation import OnFrameTruth, evaluate_by_patient
from skrehab.evaluation._model_labels import knows_unlabelled
from skrehab.evaluation._study_data import study_data
from skrehab.evaluation.checks import oddities
from skrehab.evaluation.held_out import patient_folds
from skrehab.metrics import trial_roc_auc
from skrehab.metrics.motion import not_labelled
from skrehab.pseudo_labels import PatientPipeline


class Height(ClassifierMixin, BaseEstimator):
    """Rates a trial by its mean; knows 0 and 1, as a pipeline that leaves -1 out."""

    def fit(self, X, y):
        y = np.asarray(y)
        self.classes_ = np.unique(y[y != -1])
        return self

    def predict_proba(self, X):
        p = np.array([trial.mean() for trial in X])
        return np.stack([1 - p, p], axis=1)


# -1 trials are the highest and lowest: counted as either class, they change every score
Y = np.array([0, 1, -1, 1, 0, 0, 1, -1, 0, -1])
HEIGHT = [0.2, 0.6, 0.99, 0.1, 0.3, 0.4, 0.7, 0.01, 0.2, 0.5]
X = [np.full((9 + i, 5, 3), h) for i, h in enumerate(HEIGHT)]
GROUPS = np.array(["A"] * 5 + ["B"] * 4 + ["C"])


def test_the_study_scores_what_is_labelled_and_says_so():
    with pytest.warns(UserWarning, match="3 of 10 trials are labelled -1.*not scored; 'C'"):
        study = evaluate_by_patient(Height(), X, Y, GROUPS)
    found = study.scores["trial AUC"]["model"]
    assert found.patients == ["A", "B"]
    np.testing.assert_allclose(found.scores, [0.5, 1.0])  # by hand: A 2 of 4 pairs, B 2 of 2
    for floor in ("constant", "trial duration alone"):
        assert study.scores["trial AUC"][floor].patients == ["A", "B"]


def test_the_scorer_leaves_them_out():
    known = Y != -1
    model = Height().fit(X, Y)
    kept = [x for x, use in zip(X, known) if use]
    assert trial_roc_auc(model, X, Y) == trial_roc_auc(model, kept, Y[known])


def test_minus_one_and_one_are_two_classes():
    assert not not_labelled([-1, 1, -1]).any()
    assert not not_labelled([-1, 0, 1], classes=[-1, 0, 1]).any()
    np.testing.assert_array_equal(not_labelled([-1.0, 0.0, 1.0]), [True, False, False])
    assert not not_labelled(["-1", "0", "1"]).any()


def test_check_does_not_take_them_for_normal():
    said = oddities(Bunch(X=X, y=np.array([0, 1, 1, 1, 0, -1, 1, -1, 1, 0]), groups=GROUPS))
    # B has 1 and -1 only; C one trial
    assert any(text.startswith("All trials have one label") and "B, C" in text for text in said)


def test_the_floors_learn_from_labelled_trials_only():
    y = np.array([-1, -1, 0, 1, 0, 1] * 3)
    groups = np.repeat(["A", "B", "C"], 6)
    trials = [np.full((n, 5, 3), 0.5) for n in [90, 80, 10, 20, 11, 21] * 3]
    known = y != -1
    with pytest.warns(UserWarning, match="6 of 18 trials are labelled -1"):
        study = evaluate_by_patient(Height(), trials, y, groups)
    kept = [x for x, use in zip(trials, known) if use]
    with pytest.warns(UserWarning, match="duration alone"):
        without = evaluate_by_patient(Height(), kept, y[known], groups[known])
    name = "trial duration alone"
    said = study.methods[name].by_seed[0].trial_scores[known]
    np.testing.assert_allclose(said, without.methods[name].by_seed[0].trial_scores)
    np.testing.assert_array_equal(study.scores["trial AUC"][name].scores, [1.0, 1.0, 1.0])


class Taught(Height):
    """Takes every label for a class, as most classifiers do; says as often as it saw it."""

    def fit(self, X, y):
        self.classes_, self.counts_ = np.unique(y, return_counts=True)
        return self

    def predict_proba(self, X):
        return np.tile(self.counts_ / self.counts_.sum(), (len(X), 1))


def test_models_to_which_it_is_a_class_do_not_learn_from_them():
    with pytest.warns(UserWarning, match="Model 'plain' would take -1 for a class: trials lab"):
        study = evaluate_by_patient({"plain": Taught()}, X, Y, GROUPS)
    # by hand: B teaches 2 zeros and one 1 to the fold of A, A 2 zeros and two 1s to that of B
    said = study.methods["plain"].by_seed[0].trial_scores
    np.testing.assert_allclose(said[[0, 1, 3, 4]], 1 / 3)
    np.testing.assert_allclose(said[[5, 6, 8]], 1 / 2)
    with pytest.warns(UserWarning) as record:  # -1 is a class beside at most one other
        evaluate_by_patient(Taught(), X, np.where(Y == 0, -1, 1), GROUPS)
    assert not [one for one in record if "-1" in str(one.message)]


def test_models_that_know_of_it_learn_from_them():
    inner = VideoClassifier("lstm", max_epochs=1, random_state=0)
    labeler = SaliencyPseudoLabeler(inner, method="vanilla_gradient", threshold=0.5)
    frames = PatientPipeline([("labels", labeler), ("frames", FrameMLP(max_epochs=1))])
    assert knows_unlabelled(frames) and knows_unlabelled(GridSearchCV(frames, {}))
    assert knows_unlabelled(SelfTrainingClassifier(LogisticRegression()))
    assert knows_unlabelled(OnFrameTruth(FrameMLP()))
    assert not knows_unlabelled(inner)
    assert not knows_unlabelled(ImbalancedPipeline([("s", RandomUnderSampler()), ("v", inner)]))


def test_a_video_classifier_in_a_study_has_two_classes():
    rng = np.random.RandomState(0)
    trials = [rng.randn(8, 5, 3) for _ in Y]
    inner = VideoClassifier("lstm", max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="would take -1 for a class"):
        study = evaluate_by_patient({"v": inner}, trials, Y, GROUPS)
    train = np.flatnonzero((GROUPS != "A") & (Y != -1))
    alone = clone(inner).fit([trials[i] for i in train], Y[train]).predict_proba(trials[:2])
    said = study.methods["v"].by_seed[0].trial_scores[:2]
    np.testing.assert_allclose(said, alone[:, 1], rtol=1e-5)


def test_folds_may_be_lists_or_masks():
    y = np.array([0, 1, 0, 1, 0, -1, 1, 0, 1, 0])
    data = study_data([np.zeros((4, 5, 3))] * 10, y, GROUPS)
    test = np.flatnonzero(GROUPS == GROUPS[5])
    train = np.flatnonzero(GROUPS != GROUPS[5])
    masks = [(GROUPS != GROUPS[5], GROUPS == GROUPS[5])]
    for cv in ([(train.tolist(), test.tolist())], masks, [(train, test)]):
        ((learned, tested),) = patient_folds(data, cv)
        assert learned.tolist() == train.tolist()
        assert tested.tolist() == [i for i in test if y[i] != -1]


def test_a_normal_label_that_no_trial_has_is_refused():
    """'Normal' made motions of all trials, and every patient had one label only."""
    y = np.array(["normal", "leans"] * 5)
    data = Bunch(X=X, y=y, groups=GROUPS)
    assert next(one for one in oddities(data, "normal") if "one label" in one).endswith(": C.")
    with pytest.raises(ValueError, match=r"'Normal' is not among the labels \['leans', 'normal'\]"):
        oddities(data, "Normal")
    numbers = Bunch(X=X, y=np.array([0, 1] * 5), groups=GROUPS)
    assert oddities(numbers, "0") == oddities(numbers)  # text of a command line


def test_labels_spelled_in_two_ways_are_said():
    """``train`` refuses them in a manifest; ``check`` found nothing odd."""
    data = Bunch(X=X, y=np.array(["usual", "leans", "Leans ", "usual", "leans"] * 2), groups=GROUPS)
    said = [one for one in oddities(data, "usual") if one.startswith("Labels")]
    assert len(said) == 1 and "'Leans '" in said[0] and "'leans'" in said[0]
    assert not [one for one in oddities(Bunch(X=X, y=Y, groups=GROUPS)) if "may be one:" in one]
