"""Metrics by hand; scorers in cross-validation; undefined patients named."""

import itertools
import warnings

import numpy as np
import pytest
import sklearn
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_video
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_score, cross_validate

from skrehab.metrics import (
    FrameScorer,
    PatientScores,
    TrialScorer,
    by_patient,
    frame_f1,
    frame_roc_auc,
    pool_frames,
    positive_scores,
    segment_precision_recall,
    segments,
    trial_roc_auc,
)
from skrehab.trials import ragged

nan = np.nan


def slow_auc(truth, scores):
    """The chance that a positive frame scores above a negative one."""
    pairs = list(itertools.product(scores[truth == 1], scores[truth == 0]))
    return np.mean([(p > n) + 0.5 * (p == n) for p, n in pairs])


def draw(seed=0, n_trials=5):
    rng = np.random.RandomState(seed)
    lengths = rng.randint(5, 20, size=n_trials)
    truth = [rng.randint(-1, 2, size=n) for n in lengths]
    scores = [rng.rand(n).round(1) for n in lengths]  # with ties
    return truth, scores


# --- frames ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(3))
def test_frame_roc_auc_is_its_definition(seed):
    truth, scores = draw(seed)
    all_truth, all_scores = np.concatenate(truth), np.concatenate(scores)
    assert frame_roc_auc(truth, scores) == pytest.approx(slow_auc(all_truth, all_scores))
    two_columns = [np.stack([1 - s, s], axis=1) for s in scores]
    assert frame_roc_auc(truth, two_columns) == pytest.approx(slow_auc(all_truth, all_scores))


def test_unlabelled_frames_do_not_count():
    truth, scores = draw()
    changed = [np.where(t == -1, 1 - s, s) for t, s in zip(truth, scores)]
    assert frame_roc_auc(truth, changed) == frame_roc_auc(truth, scores)
    predictions = [(s > 0.5).astype(int) for s in scores]
    turned = [np.where(t == -1, 1 - p, p) for t, p in zip(truth, predictions)]
    assert frame_f1(truth, turned) == frame_f1(truth, predictions)


@pytest.mark.parametrize(("label", "name"), [(0, "0"), (1, "1"), (-1, "nothing")])
def test_auc_without_both_classes_is_nan_and_says_so(label, name):
    with pytest.warns(UndefinedMetricWarning, match=f"not defined for these trials: only {name}"):
        assert np.isnan(frame_roc_auc([[label] * 3], [[0.1, 0.2, 0.3]]))


def test_truth_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"y\[1\] must have shape \(3,\), got \(2,\)"):
        frame_roc_auc([[0, 1], [0, 1]], [[0.1, 0.2], [0.1, 0.2, 0.3]])


def test_frame_f1():
    truth, predicted = [[1, 1, 0, 0], [1, -1]], [[1, 0, 1, 0], [1, 1]]
    assert frame_f1(truth, predicted) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert frame_f1([[0, 1]], [[0, 0]]) == 0
    assert frame_f1([[0, 1, 2]], [[0, 1, 1]], average="macro") == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_positive_scores():
    out = positive_scores([np.array([[0.2, 0.8]]), np.array([0.3, 0.4]), np.ones((3, 1))])
    assert out.dtype == object and [one.tolist() for one in out] == [[0.8], [0.3, 0.4], [0, 0, 0]]


# --- segments -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], []),
        ([0, 0], []),
        ([1], [(0, 1)]),
        ([1, 1, 0, 1], [(0, 2), (3, 4)]),
        ([0, 1, -1, 1], [(1, 2), (3, 4)]),
    ],
)
def test_segments(labels, expected):
    assert segments(labels) == expected


def test_segments_of_another_label():
    assert segments(["a", "b", "b"], positive="b") == [(1, 3)]


@pytest.mark.parametrize(
    ("truth", "predicted", "overlap", "expected"),
    [
        ([0, 1, 1, 0], [0, 1, 1, 0], 1.0, (1, 1)),
        ([1, 1, 1, 1], [1, 1, 0, 0], 0.5, (1, 1)),  # exactly half is enough
        ([1, 1, 1, 1], [1, 0, 0, 0], 0.5, (0, 0)),
        ([1, 1, 1, 1, 1], [1, 1, 0, 1, 1], 0.4, (0.5, 1)),  # one true segment is found once
        ([1, 1, 0, 1, 1], [1, 1, 1, 1, 1], 0.4, (1, 0.5)),
        ([0, 0, 0], [0, 1, 0], 0.5, (0, nan)),
        ([0, 1, 0], [0, 0, 0], 0.5, (nan, 0)),
        ([0, 0], [0, 0], 0.5, (nan, nan)),
    ],
)
def test_segment_precision_recall(truth, predicted, overlap, expected):
    result = segment_precision_recall([truth], [predicted], min_overlap=overlap)
    np.testing.assert_array_equal(result, expected)


def test_the_largest_overlap_is_matched_first():
    """The prediction that fits best gets the segment, whichever comes first."""
    truth = [0, 1, 1, 1, 1, 1, 0, 0]
    predicted = [1, 1, 0, 1, 1, 1, 0, 0]
    assert segment_precision_recall([truth], [predicted], min_overlap=0.1) == (0.5, 1)


def test_a_small_overlap_does_not_take_a_segment_from_a_large_one():
    """The first prediction touches both segments; the second fits the second one better."""
    truth = [1, 1, 1, 1, 0, 1, 1, 1, 1]
    predicted = [1, 1, 1, 1, 1, 1, 0, 1, 1]
    assert segment_precision_recall([truth], [predicted], min_overlap=0.1) == (1, 1)


def test_segments_are_counted_over_trials():
    truth, predicted = [[1, 0, 1], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]]
    assert segment_precision_recall(truth, predicted) == (1, pytest.approx(2 / 3))


def test_frames_without_truth_are_no_false_alarm():
    """What nobody labelled can neither be found nor falsely found; segments end there."""
    assert segment_precision_recall([[0, 1, 1, -1, -1, -1]], [[0, 1, 1, 0, 1, 1]]) == (1, 1)
    # the unlabelled frame parts both the true and the predicted segment
    assert segment_precision_recall([[1, 1, -1, 1, 1]], [[1, 1, 1, 1, 0]]) == (1, 1)
    assert segment_precision_recall([[1, 1, -1, 1, 1]], [[1, 1, 1, 0, 0]]) == (1, 0.5)
    words = [["lean", "lean", -1, "none"]]
    assert segment_precision_recall(words, [["lean"] * 4], positive="lean") == (0.5, 1)


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([[0, 1, 1], [1, 1]], [[0, 1, 1]], "1 trials, 2 given"),
        ([[0, 1, 1]], [[0, 1, 1], [1, 1]], "2 trials, 1 given"),
        ([[0, 1, 1]], [[0, 1, 1, 0]], r"y\[0\] must have shape \(4,\), got \(3,\)"),
    ],
)
def test_segments_of_other_trials_are_refused(truth, predicted, message):
    with pytest.raises(ValueError, match=message):
        segment_precision_recall(truth, predicted)


# --- trials ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("share", "expected"), [(0.01, 0.9), (0.2, 0.9), (0.35, 0.8), (0.4, 0.8), (1.0, 0.46)]
)
def test_pool_frames_is_the_mean_of_the_highest(share, expected):
    assert pool_frames([[0.1, 0.9, 0.3, 0.7, 0.3]], share)[0] == pytest.approx(expected)


def test_pool_frames_of_ragged_probabilities():
    proba = ragged([np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.6, 0.4]])])
    np.testing.assert_allclose(pool_frames(proba), [0.8, 0.4])


class Says:
    """A fitted classifier with known probabilities."""

    def __init__(self, proba, classes=(0, 1)):
        self.proba = proba
        self.classes_ = np.array(classes)

    def predict_proba(self, X):
        return self.proba


def test_trial_roc_auc_of_frames_and_of_trials():
    y = [0, 1, 0, 1]
    high = np.array([0.1, 0.8, 0.3, 0.2])
    trials = Says(np.stack([1 - high, high], axis=1))
    frames = Says(ragged(np.array([[1 - h, h], [1, 0]]) for h in high))
    assert trial_roc_auc(trials, None, y) == trial_roc_auc(frames, None, y) == 0.75
    equal_lengths_as_list = Says([np.array([[1 - h, h]]) for h in high])
    assert trial_roc_auc(equal_lengths_as_list, None, y) == 0.75


@pytest.mark.parametrize("frames", [False, True])
def test_text_labels_need_to_be_told_apart(frames):
    """The alphabet does not know which label is the motion looked for."""
    high = np.array([0.1, 0.8, 0.3, 0.2])  # of "lean"
    proba = np.stack([high, 1 - high], axis=1)
    says = Says(ragged(proba[:, None]) if frames else proba, ["lean", "normal"])
    y = np.array(["normal", "lean"])[[0, 1, 0, 1]]
    assert TrialScorer(pos_label="lean")(says, None, y) == 0.75
    assert TrialScorer(pos_label="normal")(says, None, y) == 0.75
    with pytest.raises(ValueError, match=r"Which of \['lean', 'normal'\] is the motion"):
        trial_roc_auc(says, None, y)
    with pytest.raises(ValueError, match=r"pos_label='bend' is not among \['lean', 'normal'\]"):
        TrialScorer(pos_label="bend")(says, None, y)


@pytest.mark.parametrize(("label", "seen"), [("lean", "normal"), (1, 0)])
def test_a_fold_that_never_saw_the_motion_scores_one_half(label, seen):
    """Pseudo-labels may hold one class: the fold is bad, not an error."""
    never = Says(ragged(np.ones((3, 1)) for _ in range(2)), [seen])
    assert TrialScorer(pos_label=label)(never, None, [seen, label]) == 0.5
    if label == 1:
        assert trial_roc_auc(never, None, [0, 1]) == 0.5


def test_several_motions_count_as_one():
    """Any class but the smallest number; with pos_label one of them."""
    proba = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.3, 0.0, 0.7]])
    says = Says(proba, [0, 1, 2])
    assert trial_roc_auc(says, None, [0, 1, 2]) == 1
    assert TrialScorer(pos_label=2)(says, None, [0, 1, 2]) == 1
    assert TrialScorer(pos_label=1)(says, None, [1, 0, 2]) == 0.5
    np.testing.assert_allclose(positive_scores([proba])[0], [0.2, 0.8, 0.7])


def test_share_of_the_trial_scorer():
    """With all frames averaged the long flat trial wins, with the top tenth the short peak."""
    proba = ragged([np.array([[0.4, 0.6]] * 10), np.array([[0.1, 0.9]] + [[0.9, 0.1]] * 9)])
    assert TrialScorer()(Says(proba), None, [0, 1]) == 1
    assert TrialScorer(share=1.0)(Says(proba), None, [0, 1]) == 0


def test_an_undefined_trial_score_names_the_patient():
    proba = np.array([[0.5, 0.5], [0.4, 0.6]])
    with pytest.warns(UndefinedMetricWarning, match="for patient P07: only 1 among"):
        assert np.isnan(TrialScorer().score(Says(proba), None, [1, 1], groups=["P07", "P07"]))
    text = Says(proba, ["x", "y"])
    with pytest.warns(UndefinedMetricWarning, match=r"for patients \['P07', 'P08'\]: only 'x'"):
        TrialScorer(pos_label="x").score(text, None, ["x", "x"], groups=["P07", "P08"])
    with pytest.warns(UndefinedMetricWarning, match="for these trials: only 1, 2 among"):
        trial_roc_auc(Says(np.ones((2, 3)) / 3, [0, 1, 2]), None, [1, 2])


def test_trial_scorer_in_cross_validation_names_the_patient(tiny):
    y = tiny.y.copy()
    y[tiny.patients == "patient-2"] = 1
    with sklearn.config_context(enable_metadata_routing=True):
        with pytest.warns(UndefinedMetricWarning, match="patient patient-2") as caught:
            scores = cross_val_score(
                tiny_video(),
                tiny.X,
                y,
                cv=LeaveOneGroupOut(),
                scoring=trial_roc_auc,
                params={"groups": tiny.patients},
            )
    assert np.isnan(scores).tolist() == [False, False, True, False]
    assert len([w for w in caught if w.category is UndefinedMetricWarning]) == 1


# --- frame truth is routed to the scorer alone ----------------------------------------------------
def test_frame_scorer_in_cross_validation(tiny):
    pipe = Pipeline([("labels", tiny_labeler()), ("frames", tiny_frames())])
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            pipe,
            tiny.X,
            tiny.y,
            cv=LeaveOneGroupOut(),
            scoring={"frame": FrameScorer(), "trial": trial_roc_auc},
            params={"groups": tiny.patients, "frame_labels": tiny.frame_labels},
            return_estimator=True,
        )
    for score, estimator, patient in zip(
        result["test_frame"], result["estimator"], np.unique(tiny.patients), strict=True
    ):
        index = np.flatnonzero(tiny.patients == patient)
        X = [tiny.X[i] for i in index]
        assert score == frame_roc_auc(tiny.frame_labels[index], estimator.predict_proba(X))
    assert ((result["test_trial"] >= 0) & (result["test_trial"] <= 1)).all()


def test_frame_scorer_takes_y_where_y_is_frame_truth(tiny):
    model = tiny_frames().fit(tiny.X, tiny.frame_labels)
    expected = frame_roc_auc(tiny.frame_labels, model.predict_proba(tiny.X))
    assert FrameScorer()(model, tiny.X, tiny.frame_labels) == expected
    assert FrameScorer().score(model, tiny.X, tiny.y, tiny.frame_labels) == expected
    with pytest.raises(ValueError, match="Frame labels are needed"):
        FrameScorer()(model, tiny.X, tiny.y)


# --- patients -------------------------------------------------------------------------------------
def test_by_patient():
    truth = [[0, 1], [1, 0], [0, 0], [1, 0], [1, 1]]
    scores = [[0.1, 0.9], [0.8, 0.3], [0.5, 0.5], [0.2, 0.6], [0.9, 0.9]]
    groups = ["B", "A", "C", "A", "C"]
    result = by_patient(frame_roc_auc, truth, scores, groups)
    assert result.patients == ["A", "B", "C"]
    index_a = [1, 3]
    np.testing.assert_allclose(
        result.scores,
        [
            frame_roc_auc([truth[i] for i in index_a], [scores[i] for i in index_a]),
            1.0,
            frame_roc_auc([truth[2], truth[4]], [scores[2], scores[4]]),
        ],
    )
    assert result.pooled == frame_roc_auc(truth, scores)


def test_undefined_patients_are_named_and_left_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = by_patient(
            frame_roc_auc, [[0, 1], [0, 0], [1, 0]], [[0, 1], [0, 1], [0, 1]], ["A", "B", "C"]
        )
    assert result.undefined == ["B"] and result.n_defined == 2
    assert result.mean == 0.5 and result.std == pytest.approx(np.sqrt(0.5))
    assert str(result) == (
        f"0.500 +- 0.707 over 2 patients, pooled {result.pooled:.3f}; not defined for B"
    )


def test_by_patient_takes_any_metric_of_two_arguments():
    result = by_patient(
        lambda t, s: np.mean(np.array(t) == np.array(s)), [0, 1, 1], [0, 1, 0], [7, 8, 8]
    )
    assert result.patients == [7, 8] and result.scores.tolist() == [1, 0.5]
    assert "not defined" not in str(result)


def test_by_patient_pairs_by_position_not_by_the_index_of_a_series():
    pd = pytest.importorskip("pandas")
    for index in ([2, 3, 0, 1], [4, 5, 6, 7], list("abcd")):
        truth = pd.Series([0, 0, 1, 1], index=index)
        groups = pd.Series(["A", "B", "A", "B"], index=index)
        result = by_patient(roc_auc_score, truth, np.array([0.1, 0.2, 0.8, 0.9]), groups)
        assert result.pooled == 1 and result.scores.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("n_true", "n_scores", "groups", "message"),
    [
        (4, 4, ["A", "B"], "one patient per trial: 4 trials"),
        (4, 4, list("ABABA"), "one patient per trial: 4 trials"),
        (4, 4, None, "one patient per trial: 4 trials"),
        (4, 3, list("ABAB"), "one entry per trial each: 4 and 3 given"),
        (4, 5, list("ABAB"), "one entry per trial each: 4 and 5 given"),
    ],
)
def test_by_patient_leaves_no_trial_out_silently(n_true, n_scores, groups, message):
    with pytest.raises(ValueError, match=message):
        by_patient(frame_roc_auc, [[0, 1]] * n_true, [[0.1, 0.9]] * n_scores, groups)


@pytest.mark.parametrize(
    ("scores", "mean", "std", "n"),
    [([nan, nan], nan, nan, 0), ([0.7, nan], 0.7, nan, 1), ([0.6, 0.8], 0.7, np.sqrt(0.02), 2)],
)
def test_patient_scores_of_few_patients(scores, mean, std, n):
    result = PatientScores(["A", "B"], np.array(scores), 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose([result.mean, result.std], [mean, std])
    assert result.n_defined == n


@pytest.mark.parametrize("score", [frame_f1, segment_precision_recall])
def test_probabilities_are_no_labels(score):
    """Every probability but 0 counted as the motion, and the F1 was that of a constant."""
    truth = [[0, 1, 1, 0], [0, 0]]
    with pytest.raises(ValueError, match=r"holds 0\.2, which is a probability"):
        score(truth, [[0.0, 0.2, 0.9, 0.1], [0.0, 0.3]])
    assert score(truth, [[0.0, 1.0, 1.0, 0.0], [0.0, 0.0]]) == score(truth, truth)
