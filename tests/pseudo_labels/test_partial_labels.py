"""Trials without a label, and trials whose frames are known, among trials with a label."""

import numpy as np
import pytest
from instances import tiny_labeler, tiny_tcn, tiny_video
from sklearn.model_selection import LeaveOneGroupOut

from skrehab import SaliencyPseudoLabeler
from skrehab.pseudo_labels import check_partial_labels

TRIALS = [np.zeros((4, 2, 3), dtype=np.float32)] * 5


def frames(*labels):
    return np.array(labels)


def objects(*items):
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


@pytest.mark.parametrize(
    ("y", "codes"),
    [
        ([0, 1, -1, 1, 0], [0, 1, -1, 1, 0]),
        (np.array([3, 5, -1, 9, 3]), [0, 1, -1, 2, 0]),
        (["b", "a", -1, "c", "b"], [1, 0, -1, 2, 1]),
        ([0, 1, frames(0, 1, 1, -1), frames(0, 0, 0, 0), frames(0, 0, -1, 0)], [0, 1, 1, 0, -1]),
        ([0, 1, frames(0, 2, 2, 1), -1, [0, 0, 1, 0]], [0, 1, 2, -1, 1]),
        (np.array([True, False, True, False, True]), [1, 0, 1, 0, 1]),
        ([0.0, 1.0, -1.0, 1.0, 0.0], [0, 1, -1, 1, 0]),
    ],
)
@pytest.mark.parametrize("as_array", [False, True])
def test_labels_as_numbers(y, codes, as_array):
    given = objects(*y) if as_array else y
    known = check_partial_labels(given, TRIALS, "b" if isinstance(y[0], str) else None)
    assert known.codes.tolist() == codes
    for item, one in zip(y, known.frames):
        assert (one is None) is (np.ndim(item) == 0)
        assert one is None or one.tolist() == list(item)


def test_words_for_trials_and_frames():
    y = ["usual", "lean", np.array(["usual", "turn", -1, "turn"], dtype=object), -1, "usual"]
    known = check_partial_labels(y, TRIALS, "usual")
    assert known.classes.tolist() == ["lean", "turn", "usual"] and known.normal == 2
    assert known.codes.tolist() == [2, 0, 1, -1, 2]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([0, 1, -1, 1], "5 trials, 4 labels"),
        (None, "y is needed"),
        ([-1] * 5, "no trial label"),
        ([1, 1, -1, 1, 1], r"A trial label is -1.*others are \[1\]"),
        ([0, 1, frames(0, 1, 1), 1, 0], r"y\[2\] must have shape \(4,\)"),
        ([0, 1, 0, np.zeros((4, 2)), 0], r"y\[3\] must have shape \(4,\)"),
        ([0, 1, 0, frames(0.5, 1, 1, 1), 0], r"y\[3\] must hold whole numbers"),
        ([0, 1, 0, np.nan, 0], r"y\[3\] is nan"),
        ([0, frames(0, 1, 1, 1), 0, None, 0], r"y\[3\] is None"),
        ([frames(0, 1, 1, 1)] * 5, "One label per trial is needed"),
    ],
)
def test_what_is_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_partial_labels(y, TRIALS)


# --- in the labeler -------------------------------------------------------------------------------
@pytest.fixture
def mixed(tiny):
    """Trial 0 and 1 without a label, trial 3 with the truth of its frames."""
    y = objects(*tiny.y)
    y[0] = y[1] = -1
    y[3] = tiny.frame_labels[3]
    return y


def mil(**params):
    video = tiny_video(
        network="mil_tcn", network_params={"channels": 6, "n_blocks": 2}, max_epochs=3
    )
    return SaliencyPseudoLabeler(video, method="frame_logits", **({"output": "soft"} | params))


def test_unlabelled_trials_teach_nothing_and_are_labelled(tiny, mixed):
    weights = np.linspace(1, 2, len(tiny.X))
    labeler = mil().fit(tiny.X, mixed, sample_weight=weights)
    rest = np.arange(2, len(tiny.X))
    alone = tiny_video(
        network="mil_tcn", network_params={"channels": 6, "n_blocks": 2}, max_epochs=3
    ).fit([tiny.X[i] for i in rest], tiny.y[rest], weights[rest])
    assert alone.classes_.tolist() == labeler.estimator_.classes_.tolist() == [0, 1]
    for i in (0, 1):  # by the teacher, whatever they are: no clamp
        np.testing.assert_allclose(
            labeler.transduction_[i], alone.predict_frame_proba([tiny.X[i]])[0], atol=1e-5
        )
    np.testing.assert_array_equal(labeler.transduction_[3], tiny.frame_labels[3])
    assert not labeler.scores_[3].any()
    assert not labeler.transduction_[2][:, 1].any()  # labelled normal


def test_hard_labels_of_unlabelled_trials_go_by_the_prediction(tiny, mixed):
    labeler = tiny_labeler(threshold=("quantile", 0.4)).fit(tiny.X, mixed)
    says = labeler.estimator_.predict(tiny.X[:2])
    for i in (0, 1):
        assert labeler.transduction_[i].any() == (says[i] == 1)
    np.testing.assert_array_equal(labeler.transduction_[3], tiny.frame_labels[3])
    soft = tiny_labeler(output="soft").fit(tiny.X, mixed).transduction_
    assert [soft[i][:, 1].any() for i in (0, 1)] == (says == 1).tolist()


def test_cross_fitting_leaves_unlabelled_trials_out_of_every_fold(tiny, mixed):
    labeler = mil(cv=LeaveOneGroupOut()).fit(tiny.X, mixed, groups=tiny.patients)
    own = tiny.patients == tiny.patients[0]
    rest = np.flatnonzero(~own)
    alone = tiny_video(
        network="mil_tcn", network_params={"channels": 6, "n_blocks": 2}, max_epochs=3
    ).fit([tiny.X[i] for i in rest], tiny.y[rest])
    np.testing.assert_allclose(
        labeler.transduction_[1], alone.predict_frame_proba([tiny.X[1]])[0], atol=1e-5
    )


def test_the_prior_counts_pseudo_scores_only(tiny, mixed):
    labeler = tiny_labeler(threshold="auto", prior=0.4).fit(tiny.X, mixed)
    says = labeler.estimator_.predict(tiny.X[:2])
    counted = [i for i in range(2) if says[i] == 1]
    counted += [i for i in range(2, len(tiny.X)) if tiny.y[i] == 1 and i != 3]
    pooled = np.concatenate([labeler.scores_[i] for i in counted])
    assert labeler.threshold_ == pytest.approx(np.quantile(pooled, 0.6))


def test_a_student_learns_from_all_three(tiny, mixed):
    _, labels = mil().fit_resample(tiny.X, mixed)
    student = tiny_tcn().fit(tiny.X, labels)
    assert student.classes_.tolist() == [0, 1]
    # unlabelled frames of a known trial stay so
    truth = tiny.frame_labels[3].copy()
    truth[:2] = -1
    mixed[3] = truth
    np.testing.assert_array_equal(mil().fit(tiny.X, mixed).transduction_[3], truth)
