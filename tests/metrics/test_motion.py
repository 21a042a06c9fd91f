"""Which label is the motion: by number, by name, never by the alphabet."""

import warnings
from functools import partial

import numpy as np
import pytest
from instances import tiny_frames, tiny_tcn, tiny_video
from sklearn.exceptions import UndefinedMetricWarning

from skrehab.evaluation.by_patient import evaluate_by_patient
from skrehab.metrics import FrameScorer, TrialScorer, by_patient, frame_f1, frame_roc_auc
from skrehab.metrics.motion import motion_of, normal_number
from skrehab.trials import ragged


def named(frame_labels, *names):
    return ragged([np.array(names, dtype=object)[f] for f in frame_labels])


@pytest.fixture
def scores(tiny):
    """Good, not perfect scores of the motion."""
    rng = np.random.RandomState(0)
    return [f + 0.8 * rng.randn(len(f)) for f in tiny.frame_labels]


@pytest.mark.parametrize("names", [("ok", "lean"), ("healthy", "sick"), ("usual", "compensation")])
def test_words_are_the_same_whatever_they_are_called(tiny, scores, names):
    expected = frame_roc_auc(tiny.frame_labels, scores)
    truth = named(tiny.frame_labels, *names)
    for use in (
        lambda: frame_roc_auc(truth, scores),
        lambda: by_patient(frame_roc_auc, truth, scores, tiny.patients),
        lambda: frame_f1(truth, truth),
        lambda: FrameScorer()(tiny_frames().fit(tiny.X, truth), tiny.X, truth),
        lambda: evaluate_by_patient(tiny_frames(), tiny.X, np.array(names)[tiny.y], tiny.patients),
    ):
        with pytest.raises(ValueError, match=r"Which of .* motion looked for.*pos_label"):
            use()
    assert frame_roc_auc(truth, scores, pos_label=names[1]) == expected
    assert frame_roc_auc(truth, [-s for s in scores], pos_label=names[0]) == pytest.approx(expected)
    found = by_patient(partial(frame_roc_auc, pos_label=names[1]), truth, scores, tiny.patients)
    plain = by_patient(frame_roc_auc, tiny.frame_labels, scores, tiny.patients)
    np.testing.assert_array_equal(found.scores, plain.scores)
    predicted = [(s > 0.7).astype(int) for s in scores]
    assert frame_f1(truth, named(predicted, *names), pos_label=names[1]) == frame_f1(
        tiny.frame_labels, predicted
    )


def test_columns_go_with_their_labels(tiny):
    """Probabilities stand in the order of classes_, which for words is the alphabet."""
    numbers = tiny_frames().fit(tiny.X, tiny.frame_labels)
    expected = FrameScorer()(numbers, tiny.X, tiny.frame_labels)
    for names in (("ok", "lean"), ("healthy", "sick")):
        truth = named(tiny.frame_labels, *names)
        model = tiny_frames().fit(tiny.X, truth)
        proba = model.predict_proba(tiny.X)
        # another order of classes is another network; its own scores say what is right
        column = model.classes_.tolist().index(names[1])
        right = frame_roc_auc(tiny.frame_labels, [p[:, column] for p in proba])
        assert frame_roc_auc(truth, proba, pos_label=names[1]) == right
        assert FrameScorer(pos_label=names[1])(model, tiny.X, truth) == right
        if names[0] < names[1]:
            assert right == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match=r"2 columns, and there are 3 labels.*labels="):
        three = named([np.r_[2, f[1:]] for f in tiny.frame_labels], "ok", "lean", "twist")
        frame_roc_auc(three, proba, pos_label="lean")
    with pytest.raises(ValueError, match="pos_label=1 is not among the labels"):
        frame_roc_auc(truth, [p[:, 1] for p in proba], pos_label=1)


def test_truth_of_three_classes_is_the_motion_against_the_rest(tiny, scores):
    three = ragged([np.where(f == 1, 1 + i % 2, 0) for i, f in enumerate(tiny.frame_labels)])
    assert frame_roc_auc(three, scores) == frame_roc_auc(tiny.frame_labels, scores)
    binary = tiny_frames().fit(tiny.X, tiny.frame_labels)
    assert FrameScorer()(binary, tiny.X, three) == FrameScorer()(binary, tiny.X, tiny.frame_labels)
    model = tiny_tcn().fit(tiny.X, three)
    motion = [1 - p[:, 0] for p in model.predict_proba(tiny.X)]
    assert FrameScorer()(model, tiny.X, three) == frame_roc_auc(tiny.frame_labels, motion)
    predicted = [(s > 0.5).astype(int) for s in scores]
    assert frame_f1(three, predicted) == frame_f1(tiny.frame_labels, predicted)


def test_a_patient_without_normal_frames_has_no_score():
    """With all labels known 1 and 2 are both the motion; on their own 1 would be normal."""
    truth, scores = [[0, 1], [0, 2], [1, 2]], [[0.1, 0.9], [0.2, 0.8], [0.9, 0.1]]
    found = by_patient(frame_roc_auc, truth, scores, ["A", "B", "C"])
    assert found.scores[:2].tolist() == [1, 1] and np.isnan(found.scores[2])
    assert frame_roc_auc(truth[2:], scores[2:]) == 0  # 2 against 1, as codes 1 and 2 are read


@pytest.mark.parametrize("codes", [(1, 2), (0, 1), (0, 2), (-5, 3), (False, True)])
def test_the_smallest_number_is_normal(tiny, scores, codes):
    truth = ragged([np.array(codes)[f] for f in tiny.frame_labels])
    assert frame_roc_auc(truth, scores) == frame_roc_auc(tiny.frame_labels, scores)
    predicted = [(s > 0.5).astype(int) for s in scores]
    again = [np.array(codes)[p] for p in predicted]
    assert frame_f1(truth, again) == frame_f1(tiny.frame_labels, predicted)


def test_one_number_alone():
    assert normal_number([2]) == 0 and normal_number([0]) == 0 and normal_number([-3]) == -3
    assert motion_of(np.array([2, 2])).all() and not motion_of(np.array([0])).any()
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(frame_roc_auc([[2, 2]], [[0.1, 0.2]]))


def test_trials_of_labels_1_and_2_are_scored_by_patient(tiny):
    """Any labels but 0 and 1 gave nan over no patient."""
    expected = evaluate_by_patient(tiny_frames_of_trials(), tiny.X, tiny.y, tiny.patients)
    assert expected.n_defined == 4
    found = evaluate_by_patient(tiny_frames_of_trials(), tiny.X, tiny.y + 1, tiny.patients)
    np.testing.assert_array_equal(found.scores, expected.scores)
    words = np.array(["a usual", "b lean"])[tiny.y]
    found = evaluate_by_patient(
        tiny_frames_of_trials(), tiny.X, words, tiny.patients, pos_label="b lean"
    )
    np.testing.assert_array_equal(found.scores, expected.scores)


def tiny_frames_of_trials():
    from sklearn.base import BaseEstimator, ClassifierMixin

    class EachFrame(ClassifierMixin, BaseEstimator):
        """Frames labelled like their trial."""

        def fit(self, X, y):
            self.model_ = tiny_frames().fit(X, [np.full(len(x), label) for x, label in zip(X, y)])
            self.classes_ = self.model_.classes_
            return self

        def predict_proba(self, X):
            return self.model_.predict_proba(X)

    return EachFrame()


def test_nobody_has_a_score_is_said():
    with pytest.warns(UndefinedMetricWarning, match="defined for none of 2 patients"):
        found = by_patient(frame_roc_auc, [[0, 0], [1, 1]], [[0.1, 0.2]] * 2, ["A", "B"])
    assert found.n_defined == 0 and not np.isnan(found.pooled)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        by_patient(frame_roc_auc, [[0, 1], [1, 1]], [[0.1, 0.2]] * 2, ["A", "B"])


def test_trial_scorer_on_words(tiny):
    words = np.array(["ok", "lean"])[tiny.y]
    model = tiny_video().fit(tiny.X, words)
    with pytest.raises(ValueError, match="pos_label"):
        TrialScorer()(model, tiny.X, words)
    both = [TrialScorer(pos_label=name)(model, tiny.X, words) for name in ("ok", "lean")]
    assert both[0] == pytest.approx(both[1])  # two classes: the same ranking, turned twice
