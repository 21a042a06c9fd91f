"""FrameMLP: what it learns from labelled frames, imbalance, weights, early stopping."""

import numpy as np
import pytest
import torch
from imblearn.over_sampling import RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from instances import tiny_frames, tiny_trials
from sklearn.base import clone
from sklearn.metrics import roc_auc_score
from torch import nn

from skrehab import FrameMLP
from skrehab.trials import UNLABELLED, ragged


def test_it_learns_and_generalises_to_other_patients():
    data, new = tiny_trials(n_patients=6), tiny_trials(n_patients=2, seed=9)
    model = tiny_frames(hidden_layer_sizes=(16,), max_epochs=20).fit(data.X, data.frame_labels)
    truth = np.concatenate(new.frame_labels)
    scores = np.concatenate([one[:, 1] for one in model.predict_proba(new.X)])
    assert roc_auc_score(truth, scores) > 0.95
    assert model.score(new.X, new.frame_labels) > 0.9
    assert model.history_[-1]["train_loss"] < model.history_[0]["train_loss"]


@pytest.mark.parametrize("sizes", [(32,), (8, 4), [5]])
def test_hidden_layers(tiny, sizes):
    model = tiny_frames(hidden_layer_sizes=sizes).fit(tiny.X, tiny.frame_labels)
    linear = [m for m in model.module_ if isinstance(m, nn.Linear)]
    assert [m.out_features for m in linear] == [*sizes, 1]
    assert linear[0].in_features == 15


def test_dropout(tiny):
    model = tiny_frames(dropout=0.3).fit(tiny.X, tiny.frame_labels)
    assert [m.p for m in model.module_ if isinstance(m, nn.Dropout)] == [0.3]
    expected = model.predict_proba(tiny.X)
    model.module_.train()  # whatever mode it was left in, it does not drop out here
    for a, b in zip(model.predict_proba(tiny.X), expected):
        np.testing.assert_array_equal(a, b)


def test_parameters_of_the_paper():
    """Sizes by hand in MODEL_FACTS: [32] 3,233; [256] 25,857; [256, 256] 91,649."""
    X, y = [np.zeros((2, 33, 3))], [[0, 1]]
    for sizes, expected in {(32,): 3233, (256,): 25857, (256, 256): 91649}.items():
        model = FrameMLP(sizes, max_epochs=1).fit(X, y)
        assert sum(p.numel() for p in model.module_.parameters()) == expected


def test_a_frame_s_verdict_depends_on_that_frame_alone(tiny):
    model = tiny_frames().fit(tiny.X, tiny.frame_labels)
    trial = tiny.X[0]
    order = np.random.RandomState(0).permutation(len(trial))
    straight, shuffled = model.predict_proba([trial, trial[order]])
    np.testing.assert_allclose(straight[order], shuffled, rtol=1e-6)


def test_one_class_of_labels_predicts_that_class(tiny):
    """A fold may hold no positive frame: the rest of the cross-validation must go on."""
    model = tiny_frames().fit(tiny.X, [np.zeros(len(trial), dtype=int) for trial in tiny.X])
    assert model.classes_.tolist() == [0] and model.history_ == []
    assert all((one == 1).all() and one.shape[1] == 1 for one in model.predict_proba(tiny.X))
    assert all((one == 0).all() for one in model.predict(tiny.X))


def test_labels_need_not_be_0_and_1(tiny):
    y = [np.where(labels == 1, 7, 3) for labels in tiny.frame_labels]
    model = tiny_frames().fit(tiny.X, y)
    assert model.classes_.tolist() == [3, 7]
    same = tiny_frames().fit(tiny.X, tiny.frame_labels)
    for a, b in zip(model.predict_proba(tiny.X), same.predict_proba(tiny.X)):
        np.testing.assert_array_equal(a, b)


# --- imbalance ------------------------------------------------------------------------------------
def rare(n_trials=8):
    """Trials of which one frame in ten is positive, and hard to tell."""
    rng = np.random.RandomState(0)
    y = [(rng.rand(40) < 0.1).astype(int) for _ in range(n_trials)]
    return [(0.5 * labels[:, None, None] + rng.randn(40, 2, 2)) for labels in y], y


def mean_probability(**params):
    X, y = rare()
    model = tiny_frames(max_epochs=20, lr=0.05, **params).fit(X, y)
    return np.concatenate(model.predict_proba(X))[:, 1].mean()


@pytest.mark.parametrize(
    "params",
    [
        {"class_weight": "balanced"},
        {"class_weight": {0: 1, 1: 9}},
        {"resampler": RandomUnderSampler()},
        {"resampler": RandomOverSampler(random_state=3)},
    ],
    ids=["balanced", "dict", "under", "over"],
)
def test_rare_frames_are_evened_out(params):
    plain = mean_probability()
    assert plain < 0.3 and mean_probability(**params) > plain + 0.1


def test_the_resampler_is_cloned_and_seeded(tiny):
    sampler = RandomUnderSampler()
    before = dict(vars(sampler))
    model = tiny_frames(resampler=sampler)
    state = np.random.get_state()  # noqa: NPY002
    one = model.fit(tiny.X, tiny.frame_labels).predict_proba(tiny.X)[0]
    two = clone(model).fit(tiny.X, tiny.frame_labels).predict_proba(tiny.X)[0]
    np.testing.assert_array_equal(one, two)
    np.testing.assert_equal(np.random.get_state(), state)  # noqa: NPY002
    assert vars(sampler) == before
    other_seed = clone(model).set_params(resampler__random_state=5).fit(tiny.X, tiny.frame_labels)
    assert not np.array_equal(one, other_seed.predict_proba(tiny.X)[0])


def test_the_resampler_sees_labelled_training_frames_only(tiny):
    seen = []

    class Spy(RandomUnderSampler):
        def fit_resample(self, X, y):
            seen.append((X.copy(), np.bincount(y)))
            return super().fit_resample(X, y)

    y = [labels.copy() for labels in tiny.frame_labels]
    for labels in y:
        labels[::2] = UNLABELLED
    model = tiny_frames(resampler=Spy(), early_stopping=True)
    model.fit(tiny.X, y, groups=tiny.patients)
    inside = [p not in model.validation_groups_ for p in tiny.patients]
    expected = np.concatenate(
        [trial[1::2].reshape(-1, 15) for trial, use in zip(tiny.X, inside) if use]
    )
    np.testing.assert_array_equal(seen[0][0], expected)


@pytest.mark.parametrize("names", [(1, 2), ("ok", "lean"), ("healthy", "sick"), (0, 1)])
def test_a_sampling_strategy_is_written_with_the_labels(tiny, names):
    """Not with codes that nobody sees: with labels 1 and 2 the other class was cut."""
    kept = {}

    class Spy(RandomUnderSampler):
        def fit_resample(self, X, y, **params):
            X, y = super().fit_resample(X, y, **params)
            kept.update(zip(*(one.tolist() for one in np.unique(y, return_counts=True))))
            return X, y

    truth = ragged([np.array(names, dtype=object)[f] for f in tiny.frame_labels])
    if not isinstance(names[0], str):
        truth = ragged([np.array(names)[f] for f in tiny.frame_labels])
    n_motion = sum(int((f == 1).sum()) for f in tiny.frame_labels)
    model = tiny_frames(resampler=Spy(sampling_strategy={names[0]: 20})).fit(tiny.X, truth)
    assert kept == {names[0]: 20, names[1]: n_motion}
    assert set(model.predict(tiny.X)[0]) <= set(names)
    plain = tiny_frames(resampler=RandomUnderSampler(sampling_strategy={0: 20}))
    plain.fit(tiny.X, tiny.frame_labels)
    if sorted(names) == list(names):  # the same order of classes is the same network
        for one, other in zip(model.predict_proba(tiny.X), plain.predict_proba(tiny.X)):
            np.testing.assert_array_equal(one, other)


def test_the_resampler_and_weights_exclude_each_other(tiny):
    model = tiny_frames(resampler=RandomUnderSampler())
    with pytest.raises(ValueError, match="resampler and sample_weight cannot be used together"):
        model.fit(tiny.X, tiny.frame_labels, sample_weight=np.arange(16))
    model.fit(tiny.X, tiny.frame_labels, sample_weight=np.full(16, 2.0))  # all alike: no conflict
    # one class only: nothing to balance, which imbalanced-learn itself would refuse
    model.fit(tiny.X, [np.zeros(len(trial), dtype=int) for trial in tiny.X])


@pytest.mark.parametrize("resampler", ["under", 3])
def test_the_resampler_is_validated(tiny, resampler):
    with pytest.raises(ValueError, match="'resampler' parameter"):
        tiny_frames(resampler=resampler).fit(tiny.X, tiny.frame_labels)


# --- weights --------------------------------------------------------------------------------------
def test_frames_without_weight_do_not_count(tiny):
    weights = [np.ones(len(trial)) for trial in tiny.X]
    weights[3][5:] = 0
    one = tiny_frames().fit(tiny.X, tiny.frame_labels, sample_weight=weights)
    y = [labels.copy() for labels in tiny.frame_labels]
    y[3][5:] = 1 - y[3][5:]
    other = tiny_frames().fit(tiny.X, y, sample_weight=weights)
    for a, b in zip(one.predict_proba(tiny.X), other.predict_proba(tiny.X)):
        np.testing.assert_array_equal(a, b)


def test_score_takes_weights(tiny):
    model = tiny_frames().fit(tiny.X, tiny.frame_labels)
    right = [p == t for p, t in zip(model.predict(tiny.X), tiny.frame_labels)]
    weights = np.arange(16.0)
    expected = np.average(
        np.concatenate(right),
        weights=np.concatenate([[w] * len(r) for w, r in zip(weights, right)]),
    )
    assert model.score(tiny.X, tiny.frame_labels, weights) == pytest.approx(expected)
    with pytest.raises(ValueError, match="put a pseudo-labeler before"):
        model.score(tiny.X, tiny.y)  # trial labels: trial_roc_auc is for those


# --- early stopping -------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [True, "patient", "trial"])
def test_early_stopping(how):
    tiny = tiny_trials(noise=2.0)  # little to learn, much to overfit
    model = tiny_frames(early_stopping=how, max_epochs=80, patience=2, lr=0.3)
    model.fit(tiny.X, tiny.frame_labels, groups=tiny.patients)
    assert 1 <= len(model.history_) < 80 and "valid_loss" in model.history_[0]
    if how != "trial":
        assert len(model.validation_groups_) == 1


def test_early_stopping_by_patient_refuses_to_guess(tiny):
    with pytest.raises(ValueError, match="early_stopping by patient needs groups"):
        tiny_frames(early_stopping=True).fit(tiny.X, tiny.frame_labels)
    model = tiny_frames(early_stopping="trial").fit(tiny.X, tiny.frame_labels)
    assert model.validation_groups_ is None
    model.fit(tiny.X, tiny.frame_labels, groups=tiny.patients)
    assert model.validation_groups_ is None  # no patient is held out as a whole


def test_the_only_patient_with_a_class_is_trained_on(tiny):
    mine = tiny.patients == "patient-0"
    y = [labels if own else 0 * labels for labels, own in zip(tiny.frame_labels, mine)]
    for seed in range(8):
        model = tiny_frames(early_stopping=True, max_epochs=1, random_state=seed)
        assert "patient-0" not in model.fit(tiny.X, y, groups=tiny.patients).validation_groups_


def test_held_out_frames_have_the_weights_of_their_classes(tiny):
    """The loss to stop by is the loss that is trained; here nothing is learned, and class 1 all."""
    settings = {"early_stopping": "trial", "lr": 1e-12, "max_epochs": 1, "dropout": 0.0}
    model = tiny_frames(class_weight={0: 1e-9, 1: 1.0}, **settings).fit(tiny.X, tiny.frame_labels)
    only_1 = [np.where(labels == 1, 1.0, 1e-9) for labels in tiny.frame_labels]
    same = tiny_frames(**settings).fit(tiny.X, tiny.frame_labels, sample_weight=only_1)
    assert model.history_[0]["valid_loss"] == pytest.approx(same.history_[0]["valid_loss"])
    assert model.history_[0]["train_loss"] == pytest.approx(same.history_[0]["train_loss"])


@pytest.mark.parametrize("weights", [{"class_weight": {0: 1, 1: 50}}, {}])
def test_weights_count_in_batches_of_one(tiny, weights):
    X, y = tiny.X[:4], tiny.frame_labels[:4]
    plain = tiny_frames(batch_size=1, max_epochs=1).fit(X, y)
    more = None if weights else [1 + 49 * labels for labels in y]
    other = tiny_frames(batch_size=1, max_epochs=1, **weights).fit(X, y, sample_weight=more)
    gain = [(b - a)[:, 1].mean() for a, b in zip(plain.predict_proba(X), other.predict_proba(X))]
    assert min(gain) > 0.01


def test_no_labelled_frame_left_to_train_on(tiny):
    """All labelled frames belong to one patient: nobody is left to stop by."""
    y = [np.full(len(trial), UNLABELLED) for trial in tiny.X]
    probe = tiny_frames(early_stopping=True)
    labelled_one = [labels.copy() for labels in tiny.frame_labels]
    probe.fit(tiny.X, labelled_one, groups=tiny.patients)
    failures = 0
    for patient in np.unique(tiny.patients):
        only = [
            full if p == patient else none
            for p, full, none in zip(tiny.patients, tiny.frame_labels, y)
        ]
        try:
            probe.fit(tiny.X, only, groups=tiny.patients)
        except ValueError as error:
            assert "No frame is labelled among the trials held out for early stopp" in str(error)
            failures += 1
    assert failures == 4


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu(tiny):
    model = tiny_frames(device="cuda").fit(tiny.X, tiny.frame_labels)
    on_gpu = model.predict_proba(tiny.X)
    model.device = "cpu"
    for a, b in zip(on_gpu, model.predict_proba(tiny.X)):
        np.testing.assert_allclose(a, b, atol=1e-4)
