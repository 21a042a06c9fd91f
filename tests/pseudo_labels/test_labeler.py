"""Pseudo-labels: equations (1) and (2) by hand, fallbacks, presets, routing."""

import warnings

import numpy as np
import pytest
import sklearn
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials, tiny_video
from sklearn.base import BaseEstimator, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, cross_validate

from skrehab import SaliencyPseudoLabeler, VideoClassifier
from skrehab.metrics import trial_roc_auc
from skrehab.pseudo_labels import Quantile, pseudo_labels
from skrehab.trials import UNLABELLED, ragged

SCORES = np.array([0.0, 0.2, 0.3, 0.5, 0.6, 0.8, 1.0])


# --- the equations --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (0.5, [0, 0, 0, 0, 1, 1, 1]),  # equation (1): 1 above tau
        ((0.3, 0.6), [0, 0, -1, -1, -1, 1, 1]),  # equation (2): not used from tau1 to tau2
        ([0.25, 0.35], [0, 0, -1, 1, 1, 1, 1]),
        (0.0, [0, 1, 1, 1, 1, 1, 1]),
        (1.0, [0] * 7),
        ((0.0, 1.0), [-1] * 7),
    ],
)
def test_thresholds(threshold, expected):
    labels = pseudo_labels(SCORES, 1, threshold=threshold)
    assert labels.tolist() == expected
    assert pseudo_labels(SCORES, 0, threshold=threshold).tolist() == [0] * 7


def test_text_labels():
    labels = pseudo_labels(SCORES, "lean", threshold=(0.3, 0.6), normal_label="none")
    assert labels.tolist() == ["none", "none", -1, -1, -1, "lean", "lean"]
    assert (
        pseudo_labels(SCORES, "none", threshold=0.3, normal_label="none").tolist() == ["none"] * 7
    )


@pytest.mark.parametrize(
    ("positive", "normal"),
    [(True, False), (np.True_, np.False_), (np.uint8(1), np.uint8(0)), (2, 1), (1.0, 0.0)],
)
def test_every_kind_of_number_can_be_unlabelled(positive, normal):
    labels = pseudo_labels(SCORES, positive, threshold=(0.3, 0.6), normal_label=normal)
    assert labels.tolist() == [normal, normal, -1, -1, -1, positive, positive]


# What these tests took before the defaults became the authors': scores in [0, 1], cut by a number.
FRAMES = {"scale": "frames", "label_source": "predicted"}


# --- with a classifier whose saliency is known ----------------------------------------------------
class Ramp(BaseEstimator):
    """Says what it was told and finds later frames more salient."""

    def __init__(self, says=None, flat=False, network="act"):
        self.says = says
        self.flat = flat
        self.network = network

    def fit(self, X, y, **params):
        self.fitted_with_ = (len(X), np.array(y), params)
        self.asked_ = []
        return self

    def predict(self, X):
        return self.fitted_with_[1] if self.says is None else np.array(self.says)

    def saliency(self, X, **options):
        self.asked_.append(options)
        return ragged(
            np.zeros(len(trial)) if self.flat else np.linspace(0, 1, len(trial)) for trial in X
        )


def ramp(n=4, length=5):
    return [np.zeros((length, 2, 3), dtype=np.float32)] * n, np.arange(n) % 2


def test_labels_by_hand():
    X, y = ramp()
    labeler = SaliencyPseudoLabeler(Ramp(), threshold=(0.3, 0.6))
    same_X, labels = labeler.fit_resample(X, y)
    assert same_X is X and labels is labeler.transduction_
    assert [one.tolist() for one in labels] == [[0] * 5, [0, 0, -1, 1, 1]] * 2
    assert [one.tolist() for one in labeler.scores_] == [[0] * 5, [0, 0.25, 0.5, 0.75, 1]] * 2
    assert labeler.threshold_ == (0.3, 0.6) and labeler.fallback_ is None
    assert labeler.classes_.tolist() == [0, 1]


def test_predicted_normal_trials_are_normal():
    """By prediction, a compensatory trial that the classifier misses has no positive frame."""
    X, y = ramp()
    says = [0, 0, 1, 1]  # misses trial 1, and a false alarm on trial 2
    by_prediction = SaliencyPseudoLabeler(Ramp(says), threshold=0.4, label_source="predicted").fit(
        X, y
    )
    assert [int(one.sum()) for one in by_prediction.transduction_] == [0, 0, 3, 3]
    by_label = SaliencyPseudoLabeler(Ramp(says), threshold=0.4).fit(X, y)
    assert [int(one.sum()) for one in by_label.transduction_] == [0, 3, 0, 3]


def test_each_class_is_attributed_and_kept():
    X, _ = ramp()
    y = np.array(["normal", "lean", "rotate", "lean"])
    labeler = SaliencyPseudoLabeler(Ramp(), threshold=0.4, normal_label="normal").fit(X, y)
    assert labeler.estimator_.asked_[0]["target"].tolist() == ["lean", "rotate", "lean"]
    assert [one[-1] for one in labeler.transduction_] == y.tolist()
    assert labeler.transduction_[1].tolist() == ["normal"] * 2 + ["lean"] * 3


def test_options_reach_the_saliency():
    X, y = ramp()
    baseline = np.ones((2, 3))
    labeler = SaliencyPseudoLabeler(
        *(Ramp(),),
        **{"method": "vanilla_gradient", "aggregate": "max", "baseline": baseline, "n_steps": 7},
        **{"smooth": ("causal", 4), "coords": "first", "scale": "frames", "z_clip": 3.0},
    ).fit(X, y)
    asked = labeler.estimator_.asked_[0]
    assert asked.pop("target").tolist() == [1, 1]
    assert asked.pop("baseline") is baseline
    assert asked.pop("smooth") == ("causal", 4) and asked.pop("coords") == "first"
    assert asked.pop("scale") == "frames" and asked.pop("z_clip") == 3.0
    assert asked == {"method": "vanilla_gradient", "aggregate": "max", "n_steps": 7}
    defaults = SaliencyPseudoLabeler(Ramp()).fit(X, y).estimator_.asked_[0]
    assert (defaults["aggregate"], defaults["smooth"]) == ("positive", "auto")
    assert (defaults["scale"], defaults["coords"], defaults["z_clip"]) == ("map", "sum", None)


def test_the_estimator_is_cloned_and_never_sees_frame_labels():
    X, y = ramp()
    estimator = Ramp()
    labeler = SaliencyPseudoLabeler(estimator).fit(X, y)
    assert labeler.estimator_ is not estimator and not hasattr(estimator, "fitted_with_")
    n_trials, seen, params = labeler.estimator_.fitted_with_
    assert n_trials == 4 and params == {}
    np.testing.assert_array_equal(seen, y)


# --- fallbacks ------------------------------------------------------------------------------------
def test_two_thresholds_that_leave_one_class_fall_back_to_one():
    X, y = ramp(length=2)  # scores 0 and 1
    X = [np.zeros((1, 2, 3), dtype=np.float32) if label == 0 else x for x, label in zip(X, y)]

    class Middling(Ramp):
        def saliency(self, X, **options):
            return ragged(np.full(len(trial), 0.55) for trial in X)

    with pytest.warns(UserWarning, match="fell back to single_threshold"):
        labeler = SaliencyPseudoLabeler(Middling(), threshold=(0.3, 0.7)).fit(X, y)
    assert labeler.fallback_ == "single_threshold" and labeler.threshold_ == 0.5
    assert labeler.transduction_[1].tolist() == [1, 1]


def test_a_classifier_that_calls_everything_normal_falls_back_to_the_labels():
    X, y = ramp()
    with pytest.warns(UserWarning, match="fell back to true_labels"):
        labeler = SaliencyPseudoLabeler(Ramp([0] * 4), threshold=0.4, **FRAMES).fit(X, y)
    assert labeler.fallback_ == "true_labels"
    assert [int(one.sum()) for one in labeler.transduction_] == [0, 3, 0, 3]


def test_true_labels_are_tried_with_the_thresholds_asked_for():
    """One threshold mends nothing where every trial is called normal, so both stay."""
    X, y = ramp()
    asked = SaliencyPseudoLabeler(Ramp([0] * 4), threshold=(0.3, 0.6), **FRAMES)
    with pytest.warns(UserWarning, match="fell back to true_labels"):
        asked.fit(X, y)
    expected = clone(asked).set_params(label_source="true").fit(X, y)
    assert asked.threshold_ == expected.threshold_ == (0.3, 0.6)
    assert asked.fallback_ == "true_labels"
    for found, wanted in zip(asked.transduction_, expected.transduction_):
        assert found.tolist() == wanted.tolist()
    assert UNLABELLED in asked.transduction_[1]


def test_both_causes_at_once_need_both_remedies():
    X, y = ramp()
    X = [x[:2] for x in X]

    class Middling(Ramp):
        def saliency(self, X, **options):
            return ragged(np.array([0.4, 0.6]) for _ in X)

    labeler = SaliencyPseudoLabeler(Middling([0] * 4), threshold=(0.3, 0.7), **FRAMES)
    # normal trials still give frames of class 0, and between the thresholds none of class 1
    with pytest.warns(UserWarning, match="fell back to true_labels"):
        labeler.fit(X, y)
    assert labeler.fallback_ == "true_labels" and labeler.threshold_ == 0.5
    assert [one.tolist() for one in labeler.transduction_] == [[0, 0], [0, 1]] * 2


def test_saliency_is_computed_once_for_two_tries_of_the_threshold():
    X, y = ramp()
    labeler = SaliencyPseudoLabeler(Ramp(flat=True), threshold=(0.2, 0.4), label_source="true")
    with pytest.warns(UserWarning, match="one class only"):
        labeler.fit(X, y)
    assert labeler.fallback_ == "single_threshold" and len(labeler.estimator_.asked_) == 1


def test_the_old_reading_is_the_same_numbers_as_before(tiny):
    """Absolute values, frames scaled to [0, 1], by prediction: written out, step by step."""
    old = {"aggregate": "sum", "smooth": 0, "scale": "frames", "label_source": "predicted"}
    labeler = tiny_labeler(threshold=(0.22, 0.32), **old).set_params(estimator__max_epochs=20)
    labeler.fit(tiny.X, tiny.y)
    video = labeler.estimator_
    maps = video.saliency(tiny.X, target=1, n_steps=4, return_maps=True).maps
    says = video.predict(tiny.X)
    assert set(says) == {0, 1}
    for one, told, found, scores in zip(maps, says, labeler.transduction_, labeler.scores_):
        raw = one.sum(axis=1)
        unit = (raw - raw.min()) / (raw.max() - raw.min())
        if told == 0:
            assert not found.any() and not scores.any()
            continue
        np.testing.assert_allclose(scores, unit, rtol=1e-3, atol=1e-4)
        expected = np.where(scores > 0.32, 1, np.where(scores < 0.22, 0, -1))
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("label_source", ["predicted", "true"])
def test_flat_saliency_is_said(label_source):
    X, y = ramp()
    labeler = SaliencyPseudoLabeler(Ramp(flat=True), threshold=0.4, label_source=label_source)
    with pytest.warns(UserWarning, match="one class only: every frame is 0"):
        labeler.fit(X, y)
    assert not np.concatenate(labeler.transduction_).any()


def test_no_warning_without_a_reason():
    X, y = ramp()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SaliencyPseudoLabeler(Ramp(), threshold=(0.3, 0.6)).fit(X, y)


# --- thresholds and labels that are refused -------------------------------------------------------
@pytest.mark.parametrize(
    "threshold",
    [
        *(-0.1, np.nan, np.inf, (0.5, 0.4), (0.4, 0.4), (0.3, np.nan)),
        *((0.3,), [], (0.1, 0.2, 0.3), [[0.1, 0.2]], ["low", "high"], [0.1, None]),
    ],
)
def test_bad_thresholds(threshold):
    X, y = ramp()
    with pytest.raises(ValueError, match=r"one number in \[0, 2\], two increasing ones"):
        SaliencyPseudoLabeler(Ramp(), threshold=threshold).fit(X, y)
    with pytest.raises(ValueError, match="one number from 0 on, two increasing ones"):
        pseudo_labels(SCORES, 1, threshold=threshold)


@pytest.mark.parametrize(
    ("params", "highest"),
    [
        ({}, 2),  # the landmarks of a trial
        ({"aggregate": "signed"}, 2),
        ({"scale": "frames"}, 1),
        ({"aggregate": "mean"}, 1),
        ({"aggregate": "max"}, 1),
        ({"method": "frame_logits"}, 1),
    ],
)
def test_thresholds_go_as_far_as_scores_do(params, highest):
    X, y = ramp()
    labeler = SaliencyPseudoLabeler(Ramp(), threshold=(0.5, highest), **params)
    with pytest.warns(UserWarning, match="one class"):  # none is above the highest
        assert labeler.fit(X, y).threshold_ is not None
    with pytest.raises(ValueError, match=rf"one number in \[0, {highest}\]"):
        labeler.set_params(threshold=highest + 0.01).fit(X, y)


def test_a_quantile_cuts_each_trial_at_its_own_scores():
    X, y = ramp(length=10)
    X = [X[0], X[1], X[2], X[3][:4]]
    labeler = SaliencyPseudoLabeler(Ramp()).fit(X, y)
    assert labeler.threshold_ == Quantile(0.38)
    assert [int(one.sum()) for one in labeler.transduction_] == [0, 4, 0, 2]  # ceil(0.38 (n - 1))
    two = SaliencyPseudoLabeler(Ramp(), threshold=("quantile", 0.2, 0.5)).fit(X, y)
    assert two.transduction_[1].tolist() == [0] * 5 + [-1] * 3 + [1] * 2


def test_two_shares_fall_back_to_the_one_between():
    X, _ = ramp()

    class Steps(Ramp):
        def saliency(self, X, **options):
            return ragged(np.array([0.0, 0, 0, 1, 1]) for _ in X)

    labeler = SaliencyPseudoLabeler(Steps(), threshold=("quantile", 0.1, 0.9), normal_label=1)
    with pytest.warns(UserWarning, match="fell back to single_threshold"):
        labeler.fit(X, [1, 0, 1, 0])
    assert labeler.threshold_ == Quantile(0.5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"threshold": "best"}, "'threshold' parameter"),
        ({"method": "lime"}, "'method' parameter"),
        ({"label_source": "guess"}, "'label_source' parameter"),
        ({"aggregate": "median"}, "'aggregate' parameter"),
        ({"coords": "last"}, "'coords' parameter"),
        ({"scale": "unit"}, "'scale' parameter"),
        ({"z_clip": 0}, "'z_clip' parameter"),
        ({"smooth": "much"}, "'smooth' parameter"),
        ({"smooth": -1}, "smooth must be a number of frames"),
        ({"smooth": ("past", 3)}, "smooth must be a number of frames"),
        ({"baseline": "mean"}, "'baseline' parameter"),
        ({"n_steps": "many"}, "'n_steps' parameter"),
        ({"n_steps": 0}, "'n_steps' parameter"),
        ({"estimator": tiny_frames()}, "'estimator' parameter"),
    ],
)
def test_bad_parameters(params, message):
    X, y = ramp()
    with pytest.raises(ValueError, match=message):
        SaliencyPseudoLabeler(Ramp()).set_params(**params).fit(X, y)


def test_the_normal_label():
    X, _ = ramp()
    smallest = SaliencyPseudoLabeler(Ramp(), threshold=0.4).fit(X, [3, 5, 3, 9])
    assert smallest.transduction_[0].tolist() == [3] * 5
    assert smallest.transduction_[3].tolist() == [3, 3, 9, 9, 9]
    other = SaliencyPseudoLabeler(Ramp(), threshold=0.4, normal_label=9).fit(X, [3, 5, 3, 9])
    assert other.transduction_[3].tolist() == [9] * 5
    text = np.array(["a", "b", "a", "b"])
    with pytest.raises(ValueError, match=r"normal_label is needed with text labels.*\['a', 'b'\]"):
        SaliencyPseudoLabeler(Ramp()).fit(X, text)
    with pytest.raises(ValueError, match=r"normal_label='c' is not among the labels \['a', 'b'\]"):
        SaliencyPseudoLabeler(Ramp(), normal_label="c").fit(X, text)


def test_a_class_called_minus_one_is_refused():
    """Classes -1 and 1 are common in scikit-learn; here -1 means 'not labelled'."""
    X, y = ramp()
    with pytest.raises(ValueError, match=r"A trial label is -1.*others are \[1\].*another name"):
        SaliencyPseudoLabeler(Ramp()).fit(X, 2 * y - 1)
    text = np.array(["-1", "1"])[y]
    with pytest.raises(ValueError, match=r"A trial label is -1.*others are \['1'\]"):
        SaliencyPseudoLabeler(Ramp(), normal_label="1").fit(X, text)


def test_boolean_labels():
    X, y = ramp()
    labeler = SaliencyPseudoLabeler(Ramp(), threshold=(0.3, 0.6)).fit(X, y.astype(bool))
    assert labeler.transduction_[1].tolist() == [0, 0, UNLABELLED, 1, 1]


# --- presets --------------------------------------------------------------------------------------
def test_published_thresholds_are_table_ii_times_the_share_of_33_landmarks():
    X, y = ramp()  # two landmarks
    one = SaliencyPseudoLabeler(Ramp(), threshold="published").fit(X, y)
    assert one.threshold_ == pytest.approx(2.7 * 2 / 33)
    two = SaliencyPseudoLabeler(Ramp(), threshold="published_dual", method="vanilla_gradient")
    assert two.fit(X, y).threshold_ == pytest.approx((5.3 * 2 / 33, 6.3 * 2 / 33))


@pytest.mark.parametrize("params", [{"scale": "frames"}, {"aggregate": "mean"}])
def test_published_thresholds_need_their_scale(params):
    X, y = ramp()
    with pytest.raises(ValueError, match="cuts sums over landmarks of a map scaled as a whole"):
        SaliencyPseudoLabeler(Ramp(), threshold="published", **params).fit(X, y)


def test_no_published_threshold_for_another_network():
    X, y = ramp()
    with pytest.raises(ValueError, match="no published threshold for 'gru' with 'integrated_gr"):
        SaliencyPseudoLabeler(Ramp(network="gru"), threshold="published").fit(X, y)


# --- with a real classifier -----------------------------------------------------------------------
def test_pseudo_labels_find_the_motion():
    """From one label a trial to the frames: most of what is called positive is."""
    data = tiny_trials(n_patients=6)
    video = tiny_video(network_params={"hidden_size": 16}, max_epochs=40, lr=0.02)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Integrated gradients")
        labeler = SaliencyPseudoLabeler(video, threshold=("quantile", 0.3)).fit(data.X, data.y)
    found, truth = np.concatenate(labeler.transduction_), np.concatenate(data.frame_labels)
    assert truth[found == 1].mean() > 0.8 > truth[found == 0].mean() + 0.5
    assert labeler.fallback_ is None


def test_a_fitted_classifier_is_used_as_it_is(tiny):
    video = tiny_video().fit(tiny.X, tiny.y)
    weights = {key: value.clone() for key, value in video.module_.state_dict().items()}
    labeler = tiny_labeler().set_params(estimator=FrozenEstimator(video))
    new = tiny_trials(seed=5)
    labeler.fit(new.X, new.y)
    for key, value in video.module_.state_dict().items():
        assert value.equal(weights[key])
    how = {"aggregate": "positive", "scale": "map"}
    expected = video.saliency([new.X[1]], target=1, n_steps=4, **how)[0]
    np.testing.assert_allclose(labeler.scores_[1], expected, rtol=1e-3, atol=1e-4)
    assert clone(labeler).fit(new.X, new.y).scores_[1].shape == (len(new.X[1]),)


def test_published_thresholds_look_through_a_frozen_estimator(tiny):
    video = VideoClassifier("lstm", max_epochs=1, random_state=0).fit(tiny.X, tiny.y)
    labeler = tiny_labeler(threshold="published").set_params(estimator=FrozenEstimator(video))
    assert labeler.fit(tiny.X, tiny.y).threshold_ == 2.5 * 5 / 33


def test_weights_for_a_step_of_a_pipeline_arrive_with_routing_only(tiny):
    """What docs/pitfalls.rst says: imbalanced-learn hands a resampler nothing without routing."""
    weights = np.where(tiny.y == 1, 100.0, 1.0)
    pipe = Pipeline([("labels", tiny_labeler()), ("frames", tiny_frames())])

    def proba(**params):
        return clone(pipe).fit(tiny.X, tiny.y, **params)["labels"].estimator_.predict_proba(tiny.X)

    plain = proba()
    np.testing.assert_array_equal(proba(labels__sample_weight=weights), plain)
    with sklearn.config_context(enable_metadata_routing=True):
        pipe["labels"].estimator.set_fit_request(sample_weight=True)
        pipe["frames"].set_fit_request(sample_weight=False)
        weighted = proba(sample_weight=weights)
        one = cross_validate(
            *(pipe, tiny.X, tiny.y),
            params={"sample_weight": weights, "groups": tiny.patients},
            cv=GroupKFold(2),
            scoring=trial_roc_auc,
            return_estimator=True,
            error_score="raise",
        )["estimator"][0]
    assert (weighted[:, 1] > plain[:, 1] + 0.01).all()
    train = next(GroupKFold(2).split(tiny.X, tiny.y, tiny.patients))[0]
    alone = tiny_video().fit([tiny.X[i] for i in train], tiny.y[train], weights[train])
    np.testing.assert_array_equal(
        one["labels"].estimator_.predict_proba(tiny.X), alone.predict_proba(tiny.X)
    )


def test_groups_reach_the_classifier_with_and_without_routing(tiny):
    labeler = tiny_labeler().set_params(estimator__early_stopping=True)
    labeler.fit_resample(tiny.X, tiny.y, groups=tiny.patients)
    held_out = labeler.estimator_.validation_groups_
    assert len(held_out) == 1
    with sklearn.config_context(enable_metadata_routing=True):
        routed = clone(labeler)
        routed.estimator.set_fit_request(groups=True, sample_weight=True)
        routed.fit_resample(tiny.X, tiny.y, groups=tiny.patients, sample_weight=np.ones(16))
        assert routed.estimator_.validation_groups_ == held_out
        with pytest.raises(TypeError, match="frame_labels"):
            routed.fit_resample(tiny.X, tiny.y, frame_labels=tiny.frame_labels)
