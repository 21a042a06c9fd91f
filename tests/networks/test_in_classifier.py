"""Every registered network through VideoClassifier: trains, predicts, clones, pickles, saves."""

import importlib.util
import pickle

import instances
import numpy as np
import pytest
from sklearn.base import clone

import skrehab
from skrehab import VideoClassifier

LENGTHS = (1, 24, 70)


def classifier(row):
    if row.package and importlib.util.find_spec(row.package) is None:
        pytest.skip(f"{row.name} needs {row.package}")
    return VideoClassifier(
        row.name, network_params=dict(row.tiny), max_epochs=1, batch_size=4, random_state=0
    )


def check_round_trips(fitted, X, folder):
    """Predictions survive pickling and saving bit for bit, a clone refits to the same."""
    proba = fitted.predict_proba(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), proba)
    loaded = skrehab.load(skrehab.save(fitted, folder / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X), proba)
    return proba


@pytest.mark.parametrize("row", **instances.network_rows("pose"))
@pytest.mark.parametrize("case", [0, 1])
def test_pose_network(row, case, tmp_path):
    """Two skeletons, three lengths in one list of trials; two classes, then three."""
    rng = np.random.RandomState(0)
    n_landmarks, n_coords = row.shapes[case]
    X = [rng.randn(n, n_landmarks, n_coords).astype(np.float32) for n in LENGTHS * 2]
    y = np.array(["lean", "normal", "turn"] * 2) if case else np.array([0, 1, 0, 1, 1, 0])
    fitted = classifier(row).fit(X, y)
    assert np.isfinite([one["train_loss"] for one in fitted.history_]).all()
    proba = check_round_trips(fitted, X, tmp_path)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(clone(fitted).fit(X, y).predict_proba(X), proba)
    for method in ("vanilla_gradient", "integrated_gradients"):
        scores = fitted.saliency(X, method=method, n_steps=2)
        assert [len(one) for one in scores] == [len(trial) for trial in X]
        assert all(np.isfinite(one).all() for one in scores)


@pytest.mark.parametrize("row", **instances.network_rows("rgb"))
def test_rgb_network(row, tmp_path):
    rng = np.random.RandomState(0)
    X = [rng.randint(256, size=(n, 24, 30, 3)).astype(np.uint8) for n in (1, 8, 30, 12)]
    y = np.array(["grasp", "rest", "grasp", "rest"])
    fitted = classifier(row).fit(X, y)
    proba = check_round_trips(fitted, X, tmp_path)
    np.testing.assert_array_equal(clone(fitted).fit(X, y).predict_proba(X), proba)
    with pytest.raises(ValueError, match="saliency needs a pose network"):
        fitted.saliency(X)


def test_frame_probabilities_of_a_network_that_scores_frames():
    tiny = instances.tiny_trials()
    model = VideoClassifier(
        "mil_tcn",
        network_params={"channels": 16, "n_blocks": 2, "top_share": 0.5},
        max_epochs=30,
        lr=0.01,
        random_state=0,
    ).fit(tiny.X, tiny.y)
    frames = model.predict_frame_proba(tiny.X)
    assert [one.shape for one in frames] == [(len(trial), 2) for trial in tiny.X]
    alone = model.predict_frame_proba(tiny.X[3:4])[0]
    np.testing.assert_allclose(frames[3], alone, rtol=1e-5, atol=1e-6)
    # nothing but trial labels, and yet the frames in question stand out
    inside = np.concatenate([f[labels == 1, 1] for f, labels in zip(frames, tiny.frame_labels)])
    outside = np.concatenate([f[labels == 0, 1] for f, labels in zip(frames, tiny.frame_labels)])
    assert inside.mean() > outside.mean() + 0.4
    scores = model.saliency(tiny.X, method="frame_logits", target=1, normalize=False)
    for one, proba in zip(scores, frames):
        np.testing.assert_allclose(1 / (1 + np.exp(-one)), proba[:, 1], rtol=1e-4, atol=1e-6)
    against = model.saliency(tiny.X, method="frame_logits", target=0, normalize=False)
    np.testing.assert_allclose(against[0], -scores[0], rtol=1e-5)


def test_frame_probabilities_of_any_other_network():
    tiny = instances.tiny_trials()
    model = instances.tiny_video().fit(tiny.X, tiny.y)
    with pytest.raises(AttributeError, match="'lstm' scores whole trials"):
        model.predict_frame_proba(tiny.X)
    with pytest.raises(ValueError, match="'frame_logits' needs a network that scores frames"):
        model.saliency(tiny.X, method="frame_logits")
