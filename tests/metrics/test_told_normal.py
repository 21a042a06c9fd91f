"""The label that a model was told is normal is normal to whoever scores it; values by hand."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrehab import VideoClassifier
from skrehab.evaluation import audit, evaluate_by_patient
from skrehab.metrics import FrameScorer, TrialScorer, trial_roc_auc
from skrehab.metrics.told_normal import told_normal, told_normals
from skrehab.recipes import recommended
from skrehab.training.augmentation import Augmentation


class Height(ClassifierMixin, BaseEstimator):
    """Every frame's height is the probability of the last class by alphabet or number."""

    def __init__(self, normal_label=None, shift=0):
        self.normal_label = normal_label
        self.shift = shift

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = [np.asarray(trial)[:, 0, 0] for trial in X]
        out = np.empty(len(p), dtype=object)
        out[:] = [np.stack([1 - one, one], axis=1) for one in p]
        return out


def trial(*heights):
    return np.array(heights)[:, None, None] * np.ones((1, 5, 3))


# Highest frame of the first class, 1 - lowest height: 0.9 0.5 0.8 0.3; of the last: 0.9 0.7 0.2 0.8
X = [trial(0.1, 0.9), trial(0.5, 0.7), trial(0.2, 0.2), trial(0.7, 0.8)] * 2
Y = np.array([1, 1, 0, 0] * 2)
GROUPS = np.repeat(["A", "B"], 4)
# normal 0, motion 1 by its highest frame: 0.9 0.7 against 0.2 0.8, three pairs of four are right.
# normal 1, motion 0: 0.8 0.3 against 0.9 0.5, one of four is right
ZERO, ONE = 0.75, 0.25
WORDS = np.array(["sitzt", "lehnt"], dtype=object)[Y]  # 0 is "sitzt"
TWO_WORDS = np.array(["a", "b"], dtype=object)[Y]


def study_of(model, y=Y, **more):
    return evaluate_by_patient(model, X, y, GROUPS, **more)


def aucs(study, name="model", metric="trial AUC"):
    return study.scores[metric][name].scores.tolist()


def test_all_places_are_read():
    model = recommended(normal_label=1)
    assert told_normals(model) == {
        "labels__normal_label": 1,
        "labels__estimator__augment__normal_label": 1,
        "frames__augment__normal_label": 1,
    }
    assert told_normal(model) == 1 and told_normal(recommended()) is None
    assert told_normal(GridSearchCV(Height("ok"), {"shift": [0]})) == "ok"
    assert told_normal(VideoClassifier(augment={"splice": 0.5, "normal_label": "ok"})) == "ok"
    assert told_normal(VideoClassifier(augment=Augmentation(normal_label=0))) == 0
    assert told_normal(print) is None and told_normal(Height) is None


@pytest.mark.parametrize("told, auc", [(None, ZERO), (0, ZERO), (1, ONE)])
def test_a_study_takes_what_the_model_was_told(told, auc, recwarn):
    study = study_of(Height(told))
    assert aucs(study) == [auc, auc]
    assert study.data.normal == (told or 0)
    assert aucs(study_of(Height(), normal_label=told)) == [auc, auc]
    assert not [one for one in recwarn if "normal" in str(one.message)]


def test_scorers_of_a_study_are_told_too():
    scoring = {"own": "trial AUC", "scorer": TrialScorer()}
    study = study_of(Height(1), scoring=scoring)
    assert aucs(study, metric="scorer") == aucs(study, metric="own") == [ONE, ONE]


def test_the_trial_scorer_takes_what_the_model_was_told():
    for told, auc in ((None, ZERO), (0, ZERO), (1, ONE)):
        model = make_pipeline(FunctionTransformer(), Height(told)).fit(X, Y)
        assert trial_roc_auc(model, X, Y) == auc
        assert trial_roc_auc(model, X[:4], Y[:4]) == auc
    words = Height("b").fit(X, TWO_WORDS)  # b is 1
    assert trial_roc_auc(words, X, TWO_WORDS) == ONE
    with pytest.raises(ValueError, match="no order: tell the model its normal_label"):
        trial_roc_auc(Height().fit(X, TWO_WORDS), X, TWO_WORDS)
    with pytest.raises(ValueError, match=r"normal_label='c' is not among the labels \['a', 'b'\]"):
        trial_roc_auc(Height("c").fit(X, TWO_WORDS), X, TWO_WORDS)


def test_several_kinds_are_against_the_normal_one():
    class Three(Height):
        def predict_proba(self, X):
            return np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.6, 0.2]])

    y = [0, 1, 2]
    # normal 2: motion scores 0.8 0.3 0.8 of 0, 1 against 2: tie and wrong
    assert trial_roc_auc(Three(2).fit(X[:3], y), X[:3], y) == 0.25
    # normal 0: 0.5 0.9 0.8 of 1, 2 against 0
    assert trial_roc_auc(Three().fit(X[:3], y), X[:3], y) == 1.0


def test_words_need_to_be_said_once_only():
    found = cross_val_score(
        Height("b"), X, TWO_WORDS, groups=GROUPS, cv=LeaveOneGroupOut(), scoring=trial_roc_auc
    )
    assert found.tolist() == [ONE, ONE]
    assert aucs(study_of(Height("b"), TWO_WORDS)) == [ONE, ONE]
    assert aucs(study_of({"x": Height("a"), "y": Height()}, TWO_WORDS), "y") == [ZERO, ZERO]
    with pytest.raises(ValueError, match="Text labels have no order"):
        study_of(Height(), TWO_WORDS)
    with pytest.raises(ValueError, match=r"normal_label='c' \(normal_label\) is not among"):
        study_of(Height("c"), TWO_WORDS)


FRAMES = [np.array([1, 0]), np.array([1, 0]), np.array([0, 0]), np.array([-1, 1])] * 2
# heights of frames 1: 0.1 0.5 0.8; of frames 0: 0.9 0.7 0.2 0.2. 0.1 wins none, 0.5 two, 0.8 three
# of four: 5 of 12; against 1 as normal the same pairs, scores turned over twice
FRAME_AUC = 5 / 12


def test_frames_in_words():
    words = np.array(["a", "b"], dtype=object)
    named = [np.where(one < 0, -1, words[one]) for one in FRAMES]
    for told in ("a", "b"):
        model = Height(told).fit(X, TWO_WORDS)
        assert FrameScorer()(model, X, TWO_WORDS, named) == pytest.approx(FRAME_AUC)
        study = study_of(Height(told), TWO_WORDS, frame_labels=named)
        np.testing.assert_allclose(aucs(study, metric="frame AUC"), FRAME_AUC)
    with pytest.raises(ValueError, match="no order"):
        FrameScorer()(Height().fit(X, TWO_WORDS), X, TWO_WORDS, named)


def test_frames_of_three_kinds():
    class Three(Height):
        def predict_proba(self, X):
            return [np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.2, 0.6, 0.2]])]

    model = Three(2).fit(X, [0, 1, 2] + [0] * 5)
    assert FrameScorer()(model, X[:1], [0], [[0, 1, 2]]) == 0.25  # as trials above
    model.normal_label = None
    assert FrameScorer()(model, X[:1], [0], [[0, 1, 2]]) == 1.0


def test_parts_that_disagree():
    model = recommended(normal_label=1).set_params(frames__augment__normal_label=0)
    words = r"(?=.*frames__augment__normal_label=0)(?=.*labels__normal_label=1).*different ones"
    with pytest.raises(ValueError, match=words):
        told_normal(model)
    with pytest.raises(ValueError, match=words):
        study_of(model)
    with pytest.raises(ValueError, match="x: normal_label=1, y: normal_label=0"):
        study_of({"x": Height(1), "y": Height(0)})
    with pytest.raises(ValueError, match="different ones"):
        trial_roc_auc(make_pipeline(Shift(0), Height(1)).fit(X, Y), X, Y)


class Shift(BaseEstimator):
    def __init__(self, normal_label=None):
        self.normal_label = normal_label

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X


def test_what_the_study_was_told_goes_first_and_is_compared():
    said = "Model 'y' has normal_label=0 for normal trials, and the study has normal_label=1"
    with pytest.warns(UserWarning, match=said) as record:
        study = study_of({"x": Height(1), "y": Height(0)}, normal_label=1)
    assert aucs(study, "x") == aucs(study, "y") == [ONE, ONE]
    assert not [one for one in record if "Model 'x'" in str(one.message)]
    with pytest.warns(UserWarning, match="normal_label=0 for normal.*pos_label=0 for the motion"):
        assert aucs(study_of(Height(0), pos_label=0)) == [ONE, ONE]
    with pytest.warns(UserWarning, match="pos_label=0 is scored as the motion.*normal_label=0"):
        assert TrialScorer(pos_label=0)(Height(0).fit(X, Y), X, Y) == ONE
    with pytest.warns(UserWarning, match="pos_label=0 is scored as the motion"):
        FrameScorer(pos_label=0)(Height(0).fit(X, Y), X, Y, FRAMES)


def test_a_labeler_that_was_told_nothing_takes_the_smallest():
    class Labeler(Height):
        def fit_resample(self, X, y):
            return X, y

    with pytest.warns(UserWarning, match="None, the smallest number, 0 for normal.*normal_label=1"):
        study_of(Labeler(), normal_label=1)


def test_the_audit_takes_what_the_model_was_told():
    found = audit(Height("b"), X, TWO_WORDS, GROUPS, on_leak="return")
    assert "recordings" in {kind for kind, _ in found.findings}  # X is there twice
