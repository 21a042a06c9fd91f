"""RGB and skeleton together: each alone where the other is missing, both where both are there."""

import numpy as np
import pytest
from instances import tiny_video
from sklearn.base import clone

from skrehab import FusionClassifier, VideoClassifier
from skrehab.modalities import split_modalities


@pytest.fixture(scope="module")
def data():
    """Four classes: the picture tells bright from dark, the pose tells up from down."""
    rng = np.random.RandomState(0)
    X, y = [], []
    for i in range(24):
        bright, up = i % 2, i // 2 % 2
        rgb = rng.randint(60, size=(6, 32, 32, 3)).astype(np.uint8) + np.uint8(150 * bright)
        pose = 0.1 * rng.randn(rng.randint(8, 16), 5, 3).astype(np.float32) + up
        X.append({"rgb": rgb, "pose": pose})
        y.append(f"{'bright' if bright else 'dark'} {'up' if up else 'down'}")
    return X, np.array(y)


def fusion(**params):
    rgb = VideoClassifier(
        "slow",
        network_params={"width": 4, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32},
        max_epochs=12,
        lr=0.01,
        batch_size=8,
        random_state=0,
    )
    pose = tiny_video(max_epochs=40, lr=0.02)
    return FusionClassifier(rgb, pose, **params)


@pytest.mark.parametrize("how", ["late", "features"])
def test_fusion_knows_what_neither_knows_alone(data, how):
    X, y = data
    model = fusion(how=how).fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (24, 4)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    alone = {m: np.mean(getattr(model, f"{m}_").predict([x[m] for x in X]) == y)
             for m in ("rgb", "pose")}  # fmt: skip
    assert max(alone.values()) < 0.75 < model.score(X, y)
    again = clone(model).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), proba)


def test_late_fusion_is_the_weighted_mean(data):
    X, y = data
    model = fusion(weight=0.25).fit(X, y)
    rgb = model.rgb_.predict_proba([x["rgb"] for x in X])
    pose = model.pose_.predict_proba([x["pose"] for x in X])
    np.testing.assert_allclose(model.predict_proba(X), 0.25 * rgb + 0.75 * pose, rtol=1e-6)
    # what is there decides alone
    partly = [X[0], {"rgb": None, "pose": X[1]["pose"]}, {"rgb": X[2]["rgb"]}]
    out = model.predict_proba(partly)
    np.testing.assert_allclose(out[1], pose[1], rtol=1e-5)
    np.testing.assert_allclose(out[2], rgb[2], rtol=1e-5)


def test_features_need_both(data):
    X, y = data
    model = fusion(how="features").fit(X, y)
    with pytest.raises(ValueError, match=r"X\[1\] lacks a modality"):
        model.predict_proba([X[0], {"rgb": None, "pose": X[1]["pose"]}])
    with pytest.raises(ValueError, match=r"X\[2\] has no rgb: fit needs both"):
        fusion().fit([*X[:2], {"pose": X[2]["pose"]}, *X[3:]], y)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "must be a list of dicts"),
        ({"rgb": 1}, "must be a list of dicts"),
        ([{"rgb": 1, "sound": 2}], r"X\[0\] must be a dict of 'rgb' and 'pose', got \['rgb', 'so"),
        ([{"rgb": 1}, 3], r"X\[1\] must be a dict .* got int"),
        ([{"rgb": None}], r"X\[0\] holds neither"),
    ],
)
def test_what_is_no_pair(X, message):
    with pytest.raises(ValueError, match=message):
        split_modalities(X)


def test_fusion_survives_saving(data, tmp_path):
    import skrehab

    X, y = data
    for how in ("late", "features"):
        model = fusion(how=how).fit(X, y)
        again = skrehab.load(skrehab.save(model, tmp_path / how))
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
