"""FrameTCN: what it sees, what it learns, early stopping, weights."""

import numpy as np
import pytest
import torch
from instances import tiny_tcn, tiny_trials
from sklearn.metrics import roc_auc_score

import skrehab
from skrehab import FrameTCN
from skrehab.trials import UNLABELLED


def test_it_learns_and_generalises_to_other_patients():
    data, new = tiny_trials(n_patients=6), tiny_trials(n_patients=2, seed=9)
    model = tiny_tcn(max_epochs=40, dropout=0.0).fit(data.X, data.frame_labels)
    truth = np.concatenate(new.frame_labels)
    scores = np.concatenate([one[:, 1] for one in model.predict_proba(new.X)])
    assert roc_auc_score(truth, scores) > 0.95
    assert model.history_[-1]["train_loss"] < model.history_[0]["train_loss"]


def test_it_learns_what_single_frames_do_not_show():
    """A frame is positive if the one before was high: no single frame tells."""
    rng = np.random.RandomState(0)
    X, y = [], []
    for _ in range(20):
        high = rng.randint(2, size=40)
        X.append(np.float32(high[:, None, None] + 0.1 * rng.randn(40, 2, 2)))
        y.append(np.append(0, high[:-1]))
    model = tiny_tcn(max_epochs=40, dropout=0.0).fit(X[:15], y[:15])
    assert model.score(X[15:], y[15:]) > 0.95
    assert skrehab.FrameMLP(max_epochs=5, random_state=0).fit(X, y).score(X, y) < 0.7


@pytest.mark.parametrize("causal", [True, False])
def test_what_a_frame_sees(causal):
    """Four blocks of five: 60 frames back, or 30 back and 30 ahead; nothing farther."""
    X = [np.random.RandomState(0).randn(150, 2, 2).astype(np.float32)]
    y = [np.arange(150) % 2]
    model = FrameTCN(causal=causal, max_epochs=1, random_state=0).fit(X, y)
    before = model.predict_proba(X)[0][:, 1]
    changed = X[0].copy()
    changed[75] += 5
    moved = np.flatnonzero(model.predict_proba([changed])[0][:, 1] != before)
    assert (moved.min(), moved.max()) == ((75, 135) if causal else (45, 105))


def test_early_stopping_by_patient():
    data = tiny_trials(noise=2.0)
    model = tiny_tcn(early_stopping=True, max_epochs=60, patience=2, lr=0.3)
    model.fit(data.X, data.frame_labels, groups=data.patients)
    assert len(model.history_) < 60 and len(model.validation_groups_) == 1
    with pytest.raises(ValueError, match="needs groups"):
        tiny_tcn(early_stopping=True).fit(data.X, data.frame_labels)


def test_the_scale_is_that_of_labelled_training_frames():
    data = tiny_trials()
    y = [labels.copy() for labels in data.frame_labels]
    y[2][:] = UNLABELLED
    model = tiny_tcn(early_stopping=True).fit(data.X, y, groups=data.patients)
    inside = [
        i for i, p in enumerate(data.patients) if p not in model.validation_groups_ and i != 2
    ]
    frames = np.concatenate([data.X[i] for i in inside])
    np.testing.assert_allclose(model.scaler_.mean_, frames.mean(axis=0), atol=1e-5)


def test_a_trial_without_labels_teaches_nothing_even_alone_in_a_batch():
    data = tiny_trials()
    y = [labels.copy() for labels in data.frame_labels]
    y[0][:] = UNLABELLED
    model = tiny_tcn(batch_size=1).fit(data.X, y)
    assert np.isfinite([row["train_loss"] for row in model.history_]).all()
    without = tiny_tcn(batch_size=1).fit(data.X[1:], y[1:])
    for a, b in zip(model.predict_proba(data.X), without.predict_proba(data.X)):
        np.testing.assert_array_equal(a, b)


def test_lost_landmarks_count_as_the_mean():
    data = tiny_trials()
    model = tiny_tcn().fit(data.X, data.frame_labels)
    lost, mean = data.X[0].copy(), data.X[0].copy()
    lost[3:6, 2] = np.nan
    mean[3:6, 2] = model.scaler_.mean_[2]
    np.testing.assert_allclose(*(model.predict_proba([x])[0] for x in (lost, mean)), atol=1e-5)


def test_saved_and_loaded(tmp_path):
    data = tiny_trials()
    model = tiny_tcn(augment=skrehab.Augmentation(offset=0.1)).fit(data.X, data.frame_labels)
    again = skrehab.load(skrehab.save(model, tmp_path / "model"))
    assert again.augment.offset == 0.1
    for a, b in zip(again.predict_proba(data.X), model.predict_proba(data.X)):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu():
    data = tiny_trials()
    model = tiny_tcn(device="cuda", augment={"rotate": 10}).fit(data.X, data.frame_labels)
    on_gpu = model.predict_proba(data.X)
    model.device = "cpu"
    for a, b in zip(on_gpu, model.predict_proba(data.X)):
        np.testing.assert_allclose(a, b, atol=1e-4)
