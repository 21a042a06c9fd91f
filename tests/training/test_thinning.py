"""Every n-th frame: which frames are seen, and how their verdicts are put together again."""

import numpy as np
import pytest
import torch
from instances import TINY_MIL as MIL
from instances import tiny_tcn, tiny_trials, tiny_video
from torch import nn

from skrehab.networks.sequence.frame_tcn import FrameConvolutions
from skrehab.training.sequences import Sequences
from skrehab.training.thinning import Thinned, choose_step, interleave, phases, thin_all

LENGTHS = (1, 2, 3, 4, 9, 10, 11)


# --- functions ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "lengths", "expected"),
    [
        (1, [900], 1),
        (4, [3], 4),
        ("auto", [10, 75, 900], 1),
        ("auto", [76], 2),
        ("auto", [124], 2),
        ("auto", [126], 3),
        ("auto", [60, 220, 9000], 4),
        ("auto", [324], 6),
        ("auto", [9000], 6),
        ("auto", [70, 80], 1),  # the median of an even number lies between
    ],
)
def test_choose_step(step, lengths, expected):
    assert choose_step(step, lengths) == expected


@pytest.mark.parametrize("step", [1, 2, 3, 7, 20])
def test_thinned_trials_put_together_are_the_trials(step):
    trials = [np.arange(2 * n).reshape(n, 2) for n in LENGTHS]
    thinned, owner = thin_all(trials, step)
    assert [len(phases(n, step)) for n in LENGTHS] == np.bincount(owner).tolist()
    for i, trial in enumerate(trials):
        parts = [one for one, of in zip(thinned, owner) if of == i]
        assert all((np.diff(part[:, 0]) == 2 * step).all() for part in parts)
        np.testing.assert_array_equal(interleave(parts), trial)


class FirstAndCount(nn.Module):
    """Says of each trial its first value and its length; of each frame its value and the length."""

    def forward(self, x, lengths):
        return torch.stack([x[:, 0, 0, 0], lengths.to(x.dtype)], dim=1)

    def frame_logits(self, x, lengths):
        return torch.stack([x[..., 0, 0], lengths[:, None].expand(x.shape[:2])], dim=2)


def test_logits_are_the_mean_of_the_phases_that_there_are():
    x = torch.zeros(3, 5, 1, 1)
    x[..., 0, 0] = torch.tensor([[1.0, 2, 3, 4, 5], [6, 7, 0, 0, 0], [8, 0, 0, 0, 0]])
    lengths = torch.tensor([5, 2, 1])
    network = Thinned(FirstAndCount(), 3)
    # phases (1, 4), (2, 5), (3); of a trial of two frames (6), (7); of one frame (8)
    expected = [[2.0, 5 / 3], [6.5, 1.0], [8.0, 1.0]]
    torch.testing.assert_close(network(x, lengths), torch.tensor(expected))
    frames = network.frame_logits(x, lengths)
    assert frames[0].tolist() == [[1, 2], [2, 2], [3, 1], [4, 2], [5, 2]]
    assert frames[1, :2].tolist() == [[6, 1], [7, 1]]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("step", [2, 3, 20])
def test_it_is_the_network_on_each_phase_alone(causal, step):
    torch.manual_seed(0)
    network = FrameConvolutions(2, 3, 2, channels=4, n_blocks=2, causal=causal).eval()
    rng = np.random.RandomState(0)
    trials = [rng.randn(n, 2, 3).astype(np.float32) for n in LENGTHS]
    x = nn.utils.rnn.pad_sequence([torch.from_numpy(one) for one in trials], batch_first=True)
    with torch.no_grad():
        found = Thinned(network, step).frame_logits(x, torch.tensor(LENGTHS))
        for row, trial in zip(found.numpy(), trials):
            parts = [torch.from_numpy(trial[one])[None] for one in phases(len(trial), step)]
            alone = interleave([network(part)[0].numpy() for part in parts])
            np.testing.assert_allclose(row[: len(trial)], alone, atol=1e-5)


def test_batches_hold_one_random_phase_of_each_trial():
    trials = [
        np.full((n, 1, 1), 100.0 * i) + np.arange(n)[:, None, None] for i, n in enumerate((7, 2))
    ]
    labels = [np.arange(7), np.arange(2)]
    data = Sequences(trials, labels, [np.ones(7), np.ones(2)], step=3)
    assert data.draws
    seen = set()
    for seed in range(50):
        inputs, (target, weight) = data.batch(torch.tensor([0, 1]), seed)
        (long, short), (n, m) = inputs["x"][..., 0, 0].tolist(), inputs["lengths"].tolist()
        assert target[0, :n].tolist() == long[:n]  # labels go along
        assert weight[0, n:].isnan().all() and weight[1, m:].isnan().all()
        seen.add((tuple(long[:n]), tuple(short[:m])))
    expected = [(0.0, 3.0, 6.0), (1.0, 4.0), (2.0, 5.0)]
    assert seen == {(one, (other,)) for one in expected for other in (100.0, 101.0)}


# --- estimators -----------------------------------------------------------------------------------
@pytest.fixture
def data():
    return tiny_trials(lengths=(2, 25))


def thinned_predictions(model, X, step):
    """Frame probabilities of a model that looks at every frame, asked phase by phase."""
    predict = getattr(model, "predict_frame_proba", model.predict_proba)
    return [interleave(predict([x[one] for one in phases(len(x), step)])) for x in X]


@pytest.mark.parametrize("causal", [True, False])
def test_a_frame_model_judges_every_frame(data, causal):
    model = tiny_tcn(step=4, causal=causal).fit(data.X, data.frame_labels)
    found = model.predict_proba(data.X)
    assert model.step_ == 4 and [len(one) for one in found] == [len(one) for one in data.X]
    model.step_ = 1
    for one, other in zip(found, thinned_predictions(model, data.X, 4)):
        np.testing.assert_allclose(one, other, atol=1e-6)
    if causal:  # frame t is judged from t, t - 4, ... and nothing else
        model.step_, x = 4, max(data.X, key=len)
        changed = x.copy()
        changed[6] += 3.0
        moved = (model.predict_proba([changed])[0] != model.predict_proba([x])[0]).any(axis=1)
        assert set(np.flatnonzero(moved)) <= set(range(6, len(x), 4)) and moved[6] and moved[10]


def test_a_video_classifier_averages_logits_and_joins_frames(data):
    model = tiny_video(**MIL, step=4, standardize=True).fit(data.X, data.y)
    logits, frames = model.decision_function(data.X), model.predict_frame_proba(data.X)
    features = model.features(data.X)
    scores = model.saliency(data.X, method="frame_logits", target=1, normalize=False)
    assert model.step_ == 4
    model.step_ = 1
    for i, x in enumerate(data.X):
        parts = [x[one] for one in phases(len(x), 4)]
        np.testing.assert_allclose(logits[i], model.decision_function(parts).mean(), atol=1e-5)
        np.testing.assert_allclose(features[i], model.features(parts).mean(axis=0), atol=1e-5)
        joined = interleave(model.saliency(parts, method="frame_logits", target=1, normalize=False))
        np.testing.assert_allclose(scores[i], joined, atol=1e-5)
    for one, other in zip(frames, thinned_predictions(model, data.X, 4)):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("network", [MIL, {}])  # {}: an LSTM
def test_gradients_of_all_phases_are_complete_and_joined(data, network):
    model = tiny_video(**network, step=3).fit(data.X, data.y)
    how = {"target": 1, "normalize": False, "return_maps": True}
    found = model.saliency(data.X, n_steps=200, **how)
    assert [len(one) for one in found.maps] == [len(x) for x in data.X]
    assert found.completeness_error.max() < 1e-3
    plain = model.saliency(data.X, method="vanilla_gradient", **how).maps
    model.step_ = 1
    for x, whole in zip(data.X, plain):
        parts = [x[one] for one in phases(len(x), 3)]
        alone = model.saliency(parts, method="vanilla_gradient", **how).maps
        np.testing.assert_allclose(whole, interleave(alone) / len(parts), atol=1e-6)


@pytest.mark.parametrize("make", [tiny_tcn, lambda **how: tiny_video(**MIL, **how)])
def test_step_of_one_changes_nothing_and_auto_is_fitted(data, make):
    labels = data.frame_labels if make is tiny_tcn else data.y
    plain, one, auto = (
        make(**how).fit(data.X, labels) for how in ({}, {"step": 1}, {"step": "auto"})
    )
    for model in (one, auto):  # the trials are short
        assert model.step_ == 1
        for a, b in zip(plain.predict_proba(data.X), model.predict_proba(data.X)):
            np.testing.assert_array_equal(a, b)
    slow = [np.repeat(x, 20, axis=0) for x in data.X]
    if make is tiny_tcn:
        labels = [np.repeat(one, 20) for one in labels]
    model = make(step="auto").fit(slow, labels)
    assert model.step_ == choose_step("auto", [len(x) for x in slow]) > 1


def test_early_stopping_sees_all_phases(data):
    """The validation loss is that of the frames as they will be judged."""
    model = tiny_tcn(step=3, early_stopping=True, max_epochs=1)
    model.fit(data.X, data.frame_labels, groups=data.patients)
    out = [i for i, who in enumerate(data.patients) if who in model.validation_groups_]
    proba = model.predict_proba([data.X[i] for i in out])
    right = [p[np.arange(len(p)), data.frame_labels[i]] for p, i in zip(proba, out)]
    assert model.history_[0]["valid_loss"] == pytest.approx(
        -np.log(np.concatenate(right)).mean(), rel=0.05
    )
    video = tiny_video(**MIL, step=3, early_stopping=True, max_epochs=2, batch_size=999)
    video.fit(data.X, data.y, groups=data.patients)
    assert len(video.history_) == 2 and video.step_ == 3


@pytest.mark.parametrize("step", [0, 1.5, "often"])
@pytest.mark.parametrize("make", [tiny_tcn, tiny_video])
def test_what_it_refuses(data, make, step):
    with pytest.raises(ValueError, match="'step' parameter"):
        make(step=step).fit(data.X, data.frame_labels if make is tiny_tcn else data.y)


def test_networks_over_pictures_and_frozen_ones_refuse_it():
    with pytest.raises(ValueError, match="'slow' looks at RGB"):
        tiny_video(network="slow", network_params={}, step=2).fit(
            [np.zeros((4, 32, 32, 3), dtype=np.uint8)] * 4, [0, 1, 0, 1]
        )
