"""QualityRegressor: streams, heads, encoders, and that held-out scores stay unseen."""

import pickle

import numpy as np
import pytest
import sklearn
import torch
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline

from skrehab import LandmarkScaler
from skrehab.metrics import spearman, spearman_scorer
from skrehab.preprocessing import DisplacementSmoother
from skrehab.pretraining import PoseSequencePretrainer
from skrehab.quality import QualityRegressor
from skrehab.quality.ablations import table1_settings
from skrehab.quality.losses import OrderedLoss, SquaredError, ordered_log_probabilities
from skrehab.quality.streams import check_streams

# the network by itself; what stands beside it has tests of its own
SIZES = {"max_epochs": 2, "lr": 0.01, "random_state": 0, "hidden_size": 4, "summary": None}


def regressor(encoder=None, **params):
    return QualityRegressor(encoder, **(SIZES | params))


def scored(n_people=6, each=2, seed=0):
    """Trials of five landmarks that rise as high as the score says, with clip features beside."""
    rng = np.random.RandomState(seed)
    scores = rng.permutation(np.linspace(5, 50, n_people * each))
    X = []
    for score in scores:
        n = rng.randint(8, 16)
        pose = 0.1 * rng.randn(n, 5, 3) + score / 50 * np.sin(np.arange(n) / 3)[:, None, None]
        clips = rng.randn(rng.randint(1, 5), 6) + score / 25
        X.append({"pose": pose.astype(np.float32), "appearance": clips.astype(np.float32)})
    return X, scores, np.repeat([f"P{i}" for i in range(n_people)], each)


def poses(X):
    return [trial["pose"] for trial in X]


def pretrainer(**params):
    sizes = {"hidden_size": 3, "n_layers": 1, "objective": "pace", "max_epochs": 1}
    return PoseSequencePretrainer(**(sizes | {"random_state": 0} | params))


@pytest.fixture(scope="module")
def pretrained():
    return pretrainer().fit(poses(scored(seed=7)[0]))


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


# --- streams --------------------------------------------------------------------------------------
@pytest.mark.parametrize("streams", ["pose", "appearance", "both"])
def test_each_stream_learns_and_both_do(streams):
    X, y, _ = scored(12)
    model = regressor(streams=streams, max_epochs=60, random_state=1).fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)))
    module = model.module_
    assert (module.pose is None) == (streams == "appearance")
    assert (module.appearance is None) == (streams == "pose")


def test_plain_lists_do_where_there_is_one_stream():
    X, y, _ = scored()
    for stream in ("pose", "appearance"):
        plain = [trial[stream] for trial in X]
        one = regressor(streams=stream).fit(plain, y)
        other = regressor(streams=stream).fit(X, y)
        np.testing.assert_array_equal(one.predict(plain), other.predict(X))
        np.testing.assert_array_equal(one.predict(plain), one.predict(X))


@pytest.mark.parametrize("streams", ["pose", "appearance", "both"])
def test_a_trial_says_alone_what_it_says_among_others(streams):
    X, y, _ = scored()
    model = regressor(streams=streams, batch_size=5).fit(X, y)
    together = model.predict(X)
    for i, trial in enumerate(X):
        np.testing.assert_allclose(model.predict([trial]), together[i], rtol=1e-5)


def test_every_batch_size_trains():
    """Twelve trials by eleven leave one over, which batch normalisation alone could not take."""
    X, y, _ = scored()
    for batch_size in (1, 11, 100):
        model = regressor(streams="both", batch_size=batch_size).fit(X, y)
        assert np.isfinite(model.predict(X)).all()


def test_trials_that_do_not_fit():
    X, y, _ = scored()
    both = regressor(streams="both").fit(X, y)
    with pytest.raises(ValueError, match=r"X\[1\] must be a dict with 'pose' and 'appearance' for"):
        both.predict([X[0], {"pose": X[1]["pose"]}])
    with pytest.raises(ValueError, match=r"streams='both', got ndarray"):
        both.predict(poses(X))
    with pytest.raises(ValueError, match=r"pose of X\[0\] must have 5 landmarks"):
        both.predict([{**X[0], "pose": X[0]["pose"][:, :4]}])
    other = {**X[0], "appearance": X[0]["appearance"][:, :3]}
    message = r"appearance of X\[0\] must have 6 features a clip \(as seen in fit\), got 3"
    with pytest.raises(ValueError, match=message):
        both.predict([other])
    with pytest.raises(ValueError, match=r"X\[1\] must have 6 features a clip \(like .*X\[0\]\)"):
        regressor(streams="both").fit([X[0], other], y[:2])
    for wrong, message in (
        (np.zeros((0, 6)), r"clip features of shape \(n_clips, n_features\), got \(0, 6\)"),
        (np.zeros(6), r"got \(6,\)"),
        (np.full((2, 6), np.nan), "not finite"),
        ("fc6", "cannot be read as an array of numbers"),
    ):
        with pytest.raises(ValueError, match=rf"appearance of X\[0\] .*{message}"):
            both.predict([{**X[0], "appearance": wrong}])
    for stream in ("pose", "appearance", "both"):
        with pytest.raises(TypeError, match="list of trials"):
            check_streams({"pose": 1}, stream)
        with pytest.raises(ValueError, match="no trial"):
            check_streams([], "appearance")
    with pytest.raises(NotFittedError):
        regressor().predict(X)


# --- heads ----------------------------------------------------------------------------------------
def test_ordered_classes_and_classes():
    X, y, _ = scored(15)
    levels = np.digitize(y, [20, 35]) * 10
    for head, truth in (("ordinal", levels), ("classes", np.array(list("abc"))[levels // 10])):
        model = regressor(head=head, max_epochs=60).fit(X, truth)
        proba = model.predict_proba(X)
        assert model.classes_.tolist() == np.unique(truth).tolist()
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
        assert model.score(X, truth) == np.mean(model.predict(X) == truth)
        assert model.score(X, truth) > 0.6
    ordinal = regressor(head="ordinal", max_epochs=60).fit(X, levels)
    expected = ordinal.predict_proba(X) @ ordinal.classes_
    assert spearman_scorer(ordinal, X, levels) == spearman(levels, expected)
    assert spearman(y, expected) > 0.8, "the order is learned, not the classes alone"


def test_two_classes():
    X, y, _ = scored()
    for head in ("ordinal", "classes"):
        model = regressor(head=head).fit(X, y > 25)
        assert model.module_.head is not None and model.predict_proba(X).shape == (12, 2)
        assert model.predict(X).dtype == (float if head == "ordinal" else bool)


def test_what_it_is_depends_on_the_head():
    assert is_regressor(regressor()) and not is_classifier(regressor())
    assert is_classifier(regressor(head="ordinal")) and not is_regressor(regressor(head="classes"))
    assert not hasattr(regressor(), "predict_proba")
    assert hasattr(regressor(head="ordinal"), "predict_proba")
    with pytest.raises(NotFittedError):
        regressor(head="ordinal").predict_proba([])


def test_scores_keep_their_unit():
    """Standardised inside: another unit changes the predictions as the unit does, no more."""
    X, y, _ = scored()
    one = regressor().fit(X, y)
    assert one.score_mean_ == pytest.approx(y.mean())
    assert one.score_scale_ == pytest.approx(y.std())
    other = regressor().fit(X, 1000 * y - 7)
    np.testing.assert_allclose(other.predict(X), 1000 * one.predict(X) - 7, rtol=1e-4)
    constant = regressor().fit(X, np.full(len(X), 30))
    assert constant.score_scale_ == 1 and np.abs(constant.predict(X) - 30).max() < 3


def test_labels_that_do_not_fit_the_head():
    X, y, _ = scored()
    words = np.where(y > 25, "good", "poor")
    for head in ("regression", "ordinal"):
        with pytest.raises(
            ValueError, match=rf"head='{head}' needs ordered numbers.*y\[0\] is '(good|poor)"
        ):
            regressor(head=head).fit(X, words)
    for head in ("ordinal", "classes"):
        with pytest.raises(ValueError, match="at least 2 classes, got 1 class"):
            regressor(head=head).fit(X, np.zeros(len(X)))
    with pytest.raises(ValueError, match=r"y\[2\] is nan"):
        regressor().fit(X, np.where(np.arange(12) == 2, np.nan, y))


def test_a_trial_without_weight_has_no_say():
    X, y, _ = scored()
    weight = np.ones(len(X))
    weight[3] = 0
    changed = y.copy()
    changed[3] = 500
    one, other = (regressor().fit(X, scores, sample_weight=weight) for scores in (y, changed))
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    assert not np.array_equal(one.predict(X), regressor().fit(X, y).predict(X))


# --- losses ---------------------------------------------------------------------------------------
def test_the_ordered_loss_is_proportional_odds():
    logits = torch.tensor([[1.5, 0.2, -0.3], [0.1, 0.0, -4.0]], dtype=torch.float64)
    above = torch.sigmoid(logits)
    wanted = torch.stack(
        [1 - above[:, 0], above[:, 0] - above[:, 1], above[:, 1] - above[:, 2], above[:, 2]], dim=1
    )
    torch.testing.assert_close(ordered_log_probabilities(logits).exp(), wanted)
    target, weight = torch.tensor([2, 0]), torch.tensor([1.0, 3.0])
    loss = OrderedLoss()(logits, (target, weight))
    each = -torch.log(wanted[[0, 1], [2, 0]])
    assert loss.item() == pytest.approx((each[0].item() + 3 * each[1].item()) / 2)


def test_the_ordered_loss_stays_finite():
    logits = torch.tensor([[200.0, 199.0], [-300.0, -301.0], [0.0, 0.0]], requires_grad=True)
    for target in range(3):
        loss = OrderedLoss()(logits, (torch.full((3,), target), torch.ones(3)))
        (grad,) = torch.autograd.grad(loss, logits)
        assert torch.isfinite(loss) and torch.isfinite(grad).all()


def test_the_squared_error_is_the_mean_of_error_times_weight():
    outputs, target = torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 1.0])
    loss = SquaredError()(outputs, (target, torch.tensor([1.0, 3.0])))
    assert loss.item() == pytest.approx((1 + 3 * 9) / 2)


# --- encoders -------------------------------------------------------------------------------------
def test_a_kept_encoder_is_its_representations(pretrained):
    X, y, _ = scored()
    before = weights(pretrained.module_)
    kept = regressor(pretrained, fine_tune=False).fit(X, y)
    assert kept.encoder_ is pretrained and kept.module_.encoder is None
    by_hand = regressor().fit(pretrained.transform(poses(X)), y)
    expected = by_hand.predict(pretrained.transform(poses(X)))
    np.testing.assert_allclose(kept.predict(X), expected, rtol=1e-6)
    assert same(before, weights(pretrained.module_))


def test_fine_tuning_starts_from_the_encoder_and_leaves_it_alone(pretrained):
    X, y, _ = scored()
    before = weights(pretrained.module_.encoder)
    tuned = regressor(pretrained, max_epochs=5).fit(X, y)
    assert tuned.encoder_ is None
    assert same(before, weights(pretrained.module_.encoder))
    learned = weights(tuned.module_.encoder.encoder)
    assert learned.keys() == before.keys()
    assert not any(torch.equal(learned[k], before[k]) for k in before)
    start = regressor(pretrained, lr=1e-30, max_epochs=1).fit(X, y)
    assert same(before, weights(start.module_.encoder.encoder))
    # before it has learned anything it sees what the pretrainer says
    x = torch.from_numpy(X[0]["pose"])[None]
    with torch.inference_mode():
        frames = start.module_.encoder(x)[0].numpy()
    np.testing.assert_allclose(frames, pretrained.transform([X[0]["pose"]])[0][..., 0], atol=1e-6)
    scratch = regressor("scratch", encoder_params={"hidden_size": 3, "n_layers": 1}).fit(X, y)
    assert weights(scratch.module_.encoder.encoder).keys() == before.keys()
    assert not same(before, weights(scratch.module_.encoder.encoder))


def test_a_clone_keeps_a_fitted_encoder(pretrained):
    """Else cross-validation would quietly train another one."""
    model = regressor(pretrained, fine_tune=False)
    assert clone(model).encoder is pretrained
    assert clone(make_pipeline(LandmarkScaler(), model))[-1].encoder is pretrained
    assert not hasattr(clone(model.fit(*scored()[:2])), "module_")
    unfitted = pretrainer()
    twin = clone(regressor(unfitted))
    assert twin.encoder is not unfitted and not hasattr(twin.encoder, "module_")
    frozen = FrozenEstimator(pretrained)
    X, y, groups = scored()
    one = regressor(frozen, fine_tune=True).fit(X, y).predict(X)
    np.testing.assert_array_equal(one, regressor(pretrained).fit(X, y).predict(X))
    predictions = cross_val_predict(model, X, y, groups=groups, cv=LeaveOneGroupOut())
    by_hand = clone(model).fit(X[2:], y[2:]).predict(X[:2])
    np.testing.assert_array_equal(predictions[:2], by_hand)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_an_encoder_that_is_not_fitted_learns_from_the_trials_given(fine_tune):
    X, y, _ = scored()
    given = pretrainer(random_state=3)
    model = regressor(given, fine_tune=fine_tune).fit(X, y)
    assert not hasattr(given, "module_"), "the parameter stays as it was"
    same_by_hand = regressor(clone(given).fit(poses(X)), fine_tune=fine_tune).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), same_by_hand.predict(X))
    seeds = [
        regressor(pretrainer(random_state=None), random_state=0).fit(X, y).predict(X)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*seeds)


def test_trials_of_another_skeleton_reach_the_encoder_through_the_common_one():
    """Pre-train on one joint set, fine-tune on another."""
    rng = np.random.RandomState(0)
    other = [rng.randn(12, 22, 3).cumsum(axis=0) for _ in range(4)]
    encoder = pretrainer(common_skeleton="common15").fit(other)
    X, y = [rng.randn(10, 25, 3).cumsum(axis=0) for _ in range(6)], np.arange(6.0)
    for fine_tune in (False, True):
        model = regressor(encoder, fine_tune=fine_tune).fit(X, y)
        assert model.n_landmarks_ == 25 and np.isfinite(model.predict(X)).all()


def test_any_transformer_of_trials_can_be_kept_but_not_tuned():
    X, y, _ = scored()
    smoother = DisplacementSmoother(3)
    model = regressor(smoother, fine_tune=False).fit(poses(X), y)
    by_hand = regressor().fit(smoother.fit_transform(poses(X)), y)
    np.testing.assert_allclose(
        model.predict(poses(X)), by_hand.predict(smoother.transform(poses(X))), rtol=1e-6
    )
    with pytest.raises(
        ValueError, match=r"DisplacementSmoother cannot be trained.*fine_tune=False"
    ):
        regressor(smoother).fit(poses(X), y)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"encoder": "scratch", "fine_tune": False}, "must be trained"),
        ({"encoder": "scratch", "streams": "appearance"}, "looks at no pose"),
        ({"expert": False, "streams": "both"}, "streams must be 'pose'"),
        ({"encoder_params": {"hidden_size": 3}}, "for encoder='scratch'"),
        ({"class_weight": "balanced"}, "class_weight needs classes"),
        ({"early_stopping": True}, "needs groups"),
        ({"pooling": "max"}, "pooling"),
        ({"encoder": "imagenet"}, "encoder"),
    ],
)
def test_settings_that_contradict_each_other(params, message):
    X, y, _ = scored()
    with pytest.raises(ValueError, match=message):
        regressor(**params).fit(X, y)


# --- Table 1 --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", table1_settings())
def test_the_rows_of_table_1(name):
    X, y, _ = scored()
    setting = table1_settings()[name]
    objective = setting["objective"]
    encoder = None
    if objective is not None:
        skeleton = {"hidden_size": 3, "common_skeleton": "common15", "objective": objective}
        X = [{**trial, "pose": np.tile(trial["pose"], (1, 5, 1))} for trial in X]  # 25 landmarks
        encoder = pretrainer(**skeleton).fit(poses(X))
    params = {"streams": "both", **setting["regressor"]}
    if params.get("encoder") == "scratch":
        params["encoder_params"] = {"hidden_size": 3, "n_layers": 1}
    else:
        params["encoder"] = encoder
    model = regressor(**params).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    names = {key.split(".")[0] for key, _ in model.module_.named_parameters()}
    wanted = {
        "only non-expert (U)": {"head"},
        "only non-expert (S)": {"encoder", "head"},
        "only non-expert (U+S)": {"encoder", "head"},
    }
    assert names == wanted.get(name, {"encoder", "pose", "appearance", "fusion", "head"})


# --- inside scikit-learn --------------------------------------------------------------------------
@pytest.mark.parametrize("streams", ["pose", "both"])
@pytest.mark.parametrize("encoder", ["none", "kept", "tuned", "learns"])
def test_a_held_out_persons_scores_do_not_reach_its_predictions(pretrained, streams, encoder):
    X, y, groups = scored()
    params = {
        "none": {},
        "kept": {"encoder": pretrained, "fine_tune": False},
        "tuned": {"encoder": pretrained},
        "learns": {"encoder": pretrainer(), "fine_tune": False},
    }[encoder]
    model = regressor(streams=streams, **params)
    changed, out = y.copy(), groups == "P2"
    changed[out] = [0, 500]

    def left_out(X, scores):
        return cross_val_predict(model, X, scores, groups=groups, cv=LeaveOneGroupOut())

    one, other = left_out(X, y), left_out(X, changed)
    np.testing.assert_array_equal(one[out], other[out])
    assert (one[~out] != other[~out]).all(), "others learn from them"


def test_early_stopping_holds_out_whole_patients():
    X, y, groups = scored(6)
    params = {"early_stopping": True, "validation_fraction": 0.3, "max_epochs": 10, "patience": 2}
    model = regressor(**params).fit(X, y, groups=groups)
    assert 0 < len(model.validation_groups_) < 6
    assert "valid_loss" in model.history_[0]
    held_out = np.isin(groups, model.validation_groups_)
    # their scores stop the training, and standardise, but no gradient comes from them
    assert held_out.sum() == 2 * len(model.validation_groups_)
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_val_score(
            regressor(**params),
            X,
            y,
            cv=LeaveOneGroupOut(),
            scoring=spearman_scorer,
            params={"groups": groups},
            error_score="raise",
        )
    assert found.shape == (6,)


def test_grid_search_reaches_the_encoder():
    X, y, _ = scored()
    search = GridSearchCV(
        regressor(pretrainer(), fine_tune=False),
        {"encoder__hidden_size": [2, 3], "dropout": [0.0]},
        cv=2,
        scoring=spearman_scorer,
        error_score="raise",
    ).fit(X, y)
    best = search.best_estimator_
    assert best.encoder_.hidden_size == search.best_params_["encoder__hidden_size"]


def test_pickle_and_the_same_seed(pretrained):
    X, y, _ = scored()
    for params in ({"encoder": pretrained}, {"encoder": pretrained, "fine_tune": False}):
        state = torch.get_rng_state()
        one = regressor(dropout=0.3, **params).fit(X, y)
        other = regressor(dropout=0.3, **params).fit(X, y)
        assert torch.equal(state, torch.get_rng_state())
        np.testing.assert_array_equal(one.predict(X), other.predict(X))
        again = pickle.loads(pickle.dumps(one))
        np.testing.assert_array_equal(one.predict(X), again.predict(X))
        third = regressor(dropout=0.3, **{**params, "random_state": 1}).fit(X, y)
        assert not np.array_equal(one.predict(X), third.predict(X))
