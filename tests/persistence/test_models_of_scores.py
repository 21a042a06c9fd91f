"""Score models travel, with the encoder that was kept or trained further."""

import numpy as np
import pytest

import skrehab
from skrehab import AppearanceFeatures, PoseSequencePretrainer, QualityRegressor


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    scores = np.linspace(10, 50, 8)
    return [0.1 * rng.randn(12, 33, 3) + score / 50 for score in scores], scores


@pytest.mark.parametrize("kind", ["none", "scratch", "kept", "trained further", "ordinal"])
def test_quality_regressor(kind, data, tmp_path):
    X, scores = data
    encoder = PoseSequencePretrainer(hidden_size=4, max_epochs=1, random_state=0)
    params = {
        "none": {},
        "scratch": {"encoder": "scratch", "encoder_params": {"hidden_size": 4}},
        "kept": {"encoder": encoder, "fine_tune": False},
        "trained further": {"encoder": encoder},
        "ordinal": {"head": "ordinal"},
    }[kind]
    y = [0, 1, 2, 2] * 2 if kind == "ordinal" else scores
    model = QualityRegressor(hidden_size=4, max_epochs=1, random_state=0, **params).fit(X, y)
    again = skrehab.load(skrehab.save(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_appearance_features(tmp_path):
    videos = [np.random.RandomState(0).randint(255, size=(20, 32, 32, 3)).astype(np.uint8)]
    small = {"widths": (4, 4, 4, 8, 8), "dense_width": 16, "image_size": 32}
    with pytest.warns(UserWarning, match="without weights"):
        model = AppearanceFeatures("c3d", network_params=small, random_state=0).fit(videos)
    again = skrehab.load(skrehab.save(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.transform(videos)[0], model.transform(videos)[0])
