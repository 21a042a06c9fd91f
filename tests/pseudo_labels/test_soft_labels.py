"""Soft labels, teachers of several seeds, and thresholds from a prior: values by hand."""

import pickle

import numpy as np
import pytest
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_tcn, tiny_trials, tiny_video
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

import skrehab
from skrehab import SaliencyPseudoLabeler
from skrehab.frames import SoftLabels
from skrehab.pseudo_labels import (
    Quantile,
    parse_threshold,
    prior_threshold,
    soft_from_logits,
    soft_from_scores,
)

MIL = {"network": "mil_tcn", "network_params": {"channels": 6, "n_blocks": 2}}


def mil(**params):
    """A labeler whose network scores frames itself."""
    defaults = {"method": "frame_logits", "output": "soft"}
    return SaliencyPseudoLabeler(tiny_video(**MIL, max_epochs=3), **(defaults | params))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logit(video, trials):
    return [np.log(one[:, 1] / one[:, 0]) for one in video.predict_frame_proba(trials)]


# --- the functions --------------------------------------------------------------------------------
def test_sigmoid_and_softmax_by_hand():
    one = soft_from_logits(np.array([[0.0, 2.0], [1.0, -1.0]]), 1)
    np.testing.assert_allclose(one[:, 1], [sigmoid(2.0), sigmoid(-2.0)], rtol=1e-6)
    logits = np.log([[0.2, 0.3, 0.5]])
    np.testing.assert_allclose(soft_from_logits(logits, -1), [[0.2, 0.3, 0.5]], rtol=1e-6)
    # a trial of the third class has no frames of the second, and a normal one of neither
    np.testing.assert_allclose(soft_from_logits(logits, 2), [[2 / 7, 0, 5 / 7]], rtol=1e-6)
    assert soft_from_logits(logits, 0).tolist() == [[1, 0, 0]]
    assert soft_from_logits(logits, 1, normal=1).tolist() == [[0, 1, 0]]
    large = soft_from_logits(np.array([[-1e4, 1e4], [-np.inf, 0.0]]), 1)
    assert large.tolist() == [[0, 1], [0, 1]]


def test_scores_scaled_from_lowest_to_highest():
    assert soft_from_scores(np.array([3.0, 7.0, 5.0]), 0, normal=1).tolist() == [
        [0, 1], [1, 0], [0.5, 0.5],
    ]  # fmt: skip
    assert soft_from_scores(np.array([3.0, 3.0]), 2, n_classes=3).tolist() == [[1, 0, 0]] * 2
    assert soft_from_scores(np.array([1.0, 2.0]), 0).tolist() == [[1, 0]] * 2


@pytest.mark.parametrize(
    ("scores", "prior", "expected"),
    [
        ([[0.0, 1.0, 2.0], [3.0, 4.0]], 0.5, 2.0),
        ([[0.0, 1.0, 2.0], [3.0, 4.0]], 0.25, 3.0),
        ([[0.0, 1.0]], 0.1, 0.9),
        ([], 0.5, 0.0),
    ],
)
def test_the_threshold_of_a_prior(scores, prior, expected):
    assert prior_threshold([np.array(one) for one in scores], prior) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("auto", "auto"),
        ("published_dual", "published_dual"),
        ("2.7", 2.7),
        ("2.2,3.2", (2.2, 3.2)),
        ("quantile,0.3", Quantile(0.3)),
        ("quantile,0.1,0.4", Quantile(0.1, 0.4)),
    ],
)
def test_thresholds_are_read(text, expected):
    assert parse_threshold(text) == expected


@pytest.mark.parametrize(
    "text", ["much", "1,x", "", "3,2", "1,2,3", "quantile", "quantile,x", "-1"]
)
def test_thresholds_that_are_none(text):
    with pytest.raises(ValueError, match="threshold"):
        parse_threshold(text)


# --- the labeler ----------------------------------------------------------------------------------
def test_soft_labels_are_the_sigmoid_of_the_teacher_and_nothing_in_normal_trials(tiny):
    labeler = mil().fit(tiny.X, tiny.y)
    alone = clone(labeler.estimator).fit(tiny.X, tiny.y)
    labels = labeler.transduction_
    assert isinstance(labels, SoftLabels) and labels.classes.tolist() == [0, 1]
    assert labeler.threshold_ is None and labeler.fallback_ is None
    for label, one, scores, found in zip(tiny.y, labels, labeler.scores_, logit(alone, tiny.X)):
        wanted = sigmoid(found) if label == 1 else np.zeros(len(found))
        np.testing.assert_allclose(one[:, 1], wanted, atol=1e-5)
        np.testing.assert_allclose(one.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(scores, one[:, 1], atol=1e-6)


def test_teachers_differ_in_their_seed_and_speak_by_their_mean_logit(tiny):
    labeler = mil(n_estimators=3).fit(tiny.X, tiny.y)
    seeds = [one.random_state for one in labeler.estimators_]
    assert seeds[0] == 0 and len(set(seeds)) == 3
    assert labeler.estimator_ is labeler.estimators_[0]
    each = [logit(one, tiny.X[1:2])[0] for one in labeler.estimators_]
    assert np.abs(each[0] - each[1]).max() > 1e-3
    np.testing.assert_allclose(
        labeler.transduction_[1][:, 1], sigmoid(np.mean(each, axis=0)), atol=1e-5
    )
    again = mil(n_estimators=3).fit(tiny.X, tiny.y)
    np.testing.assert_array_equal(again.transduction_[1], labeler.transduction_[1])


@pytest.mark.parametrize("state", [None, np.random.RandomState(3)])
def test_teachers_of_other_random_states(tiny, state):
    labeler = mil(n_estimators=2).set_params(estimator__random_state=state).fit(tiny.X, tiny.y)
    first, second = (logit(one, tiny.X[1:2])[0] for one in labeler.estimators_)
    assert np.abs(first - second).max() > 1e-3


def test_hard_labels_of_several_teachers_cut_their_mean(tiny):
    labeler = SaliencyPseudoLabeler(tiny_video(), n_estimators=2, n_steps=4, threshold=1.0)
    labeler.fit(tiny.X, tiny.y)
    how = {"n_steps": 4, "aggregate": "positive", "smooth": "auto", "scale": "map", "target": 1}
    each = [one.saliency(tiny.X[1:2], **how)[0] for one in labeler.estimators_]
    np.testing.assert_allclose(labeler.scores_[1], np.mean(each, axis=0), rtol=1e-3, atol=1e-4)
    assert labeler.transduction_[1].tolist() == (labeler.scores_[1] > 1.0).astype(int).tolist()


def test_soft_labels_of_a_saliency(tiny):
    labeler = SaliencyPseudoLabeler(tiny_video(), output="soft", n_steps=4).fit(tiny.X, tiny.y)
    for label, one, scores in zip(tiny.y, labeler.transduction_, labeler.scores_):
        if label == 0:
            assert one.tolist() == [[1, 0]] * len(one)
        else:
            unit = (scores - scores.min()) / (scores.max() - scores.min())
            np.testing.assert_allclose(one[:, 1], unit, atol=1e-6)


def test_normal_by_prediction_holds_for_soft_labels_too(tiny):
    labeler = mil(label_source="predicted").set_params(estimator__max_epochs=30)
    wrong = tiny.y.copy()
    wrong[:2] = 1 - wrong[:2]
    labeler.fit(tiny.X, wrong)
    says = labeler.estimator_.predict(tiny.X)
    assert set(says) == {0, 1} and (says != wrong).any()
    assert [one[:, 1].any() for one in labeler.transduction_] == (says == 1).tolist()
    assert labeler.fallback_ is None


def test_predictions_that_leave_one_class_give_way_to_the_labels(tiny):
    labeler = mil(label_source="predicted").set_params(estimator__max_epochs=1)
    with pytest.warns(UserWarning, match="fell back to true_labels"):
        labeler.fit(tiny.X, tiny.y)
    assert len(set(labeler.estimator_.predict(tiny.X))) == 1
    assert labeler.fallback_ == "true_labels"
    by_label = mil().set_params(estimator__max_epochs=1).fit(tiny.X, tiny.y)
    for one, other in zip(labeler.transduction_, by_label.transduction_):
        np.testing.assert_array_equal(one, other)


def test_soft_labels_are_cross_fitted(tiny):
    labeler = mil(cv=2, n_estimators=2).fit(tiny.X, tiny.y, groups=tiny.patients)
    assert len(labeler.fold_estimators_) == 4
    from sklearn.model_selection import GroupKFold

    _, held_out = next(GroupKFold(2).split(tiny.X, tiny.y, tiny.patients))
    i = next(i for i in held_out if tiny.y[i] == 1)
    each = [logit(one, [tiny.X[i]])[0] for one in labeler.fold_estimators_[:2]]
    np.testing.assert_allclose(
        labeler.transduction_[i][:, 1], sigmoid(np.mean(each, axis=0)), atol=1e-5
    )


@pytest.mark.parametrize("frames", [tiny_tcn(), tiny_frames()])
def test_frame_models_learn_from_soft_labels_in_a_pipeline(tiny, frames):
    words = np.array(["usual", "lean"])[tiny.y]
    pipe = Pipeline([("labels", mil(normal_label="usual")), ("frames", frames)])
    pipe.fit(tiny.X, words)
    assert pipe["frames"].classes_.tolist() == ["lean", "usual"]
    assert pipe["labels"].transduction_[0].tolist() == [[0, 1]] * len(tiny.X[0])
    assert pickle.loads(pickle.dumps(pipe["labels"].transduction_)).classes.tolist() == [
        "lean", "usual",
    ]  # fmt: skip


def test_three_classes(tiny):
    y = tiny.y.copy()
    y[np.flatnonzero(tiny.y)[::2]] = 2
    labels = mil().fit(tiny.X, y).transduction_
    for label, one in zip(y, labels):
        assert one.shape[1] == 3 and not one[:, [c for c in (1, 2) if c != label]].any()


def test_the_prior_cuts_all_positive_trials_at_once(tiny):
    labeler = SaliencyPseudoLabeler(tiny_video(), threshold="auto", prior=0.3, n_steps=4)
    labeler.fit(tiny.X, tiny.y)
    pooled = np.concatenate([labeler.scores_[i] for i in np.flatnonzero(tiny.y)])
    assert labeler.threshold_ == pytest.approx(np.quantile(pooled, 0.7))
    found = np.concatenate([labeler.transduction_[i] for i in np.flatnonzero(tiny.y)])
    assert found.mean() == pytest.approx(0.3, abs=1.5 / len(found))
    assert not np.concatenate([labeler.transduction_[i] for i in np.flatnonzero(tiny.y == 0)]).any()


def test_what_is_refused(tiny):
    with pytest.raises(ValueError, match="'output' parameter"):
        mil(output="fuzzy").fit(tiny.X, tiny.y)
    with pytest.raises(ValueError, match="'n_estimators' parameter"):
        mil(n_estimators=0).fit(tiny.X, tiny.y)
    with pytest.raises(ValueError, match="'prior' parameter"):
        mil(prior=1.0).fit(tiny.X, tiny.y)
    frozen = FrozenEstimator(tiny_video(**MIL).fit(tiny.X, tiny.y))
    with pytest.raises(ValueError, match="n_estimators=2 needs an estimator with a random_state"):
        mil(n_estimators=2).set_params(estimator=frozen).fit(tiny.X, tiny.y)
    assert mil().set_params(estimator=frozen).fit(tiny.X, tiny.y).estimator_.predict(tiny.X).size

    class Whole(skrehab.VideoClassifier):
        predict_frame_proba = property()  # scores trials only

    with pytest.raises(TypeError, match="need an estimator with predict_frame_proba"):
        mil().set_params(estimator=Whole("lstm", max_epochs=1)).fit(tiny.X, tiny.y)


def test_a_soft_labeler_is_saved(tiny, tmp_path):
    labeler = mil(n_estimators=2).fit(tiny.X, tiny.y)
    again = skrehab.load(skrehab.save(labeler, tmp_path / "m"))
    assert (again.output, again.n_estimators, again.threshold_) == ("soft", 2, None)
    assert not hasattr(again, "estimators_") and not hasattr(again, "transduction_")


def test_a_teacher_finds_the_frames():
    data = tiny_trials(n_patients=6)
    video = tiny_video(**MIL, standardize=True).set_params(max_epochs=40)
    labels = SaliencyPseudoLabeler(video, method="frame_logits", output="soft").fit_resample(
        data.X, data.y
    )[1]
    found = np.concatenate([one[:, 1] for one in labels])
    truth = np.concatenate(data.frame_labels)
    assert found[truth == 1].mean() > found[truth == 0].mean() + 0.5
