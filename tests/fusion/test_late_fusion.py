"""RGB and skeleton together: each alone where the other is missing, both where both are there."""

from copy import copy as clone_fitted

import numpy as np
import pytest
import sklearn
from instances import tiny_video
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_val_predict

import skrehab
from skrehab import (
    FusionClassifier,
    MultiLabelFusion,
    MultiLabelVideoClassifier,
    VideoClassifier,
)
from skrehab.metrics import mean_average_precision
from skrehab.training.modalities import split_modalities


@pytest.fixture(scope="module")
def data():
    """Four classes: the picture tells bright from dark, the pose tells up from down.

    Every picture comes with an "up" and with a "down", every pose with a "bright" and with a
    "dark": whoever sees one modality alone is right in half of the trials at most.
    """
    rng = np.random.RandomState(0)

    def picture(bright):
        return rng.randint(60, size=(6, 32, 32, 3)).astype(np.uint8) + np.uint8(150 * bright)

    def pose(up):
        return 0.1 * rng.randn(rng.randint(8, 16), 5, 3).astype(np.float32) + up

    X, y = [], []
    for _ in range(6):
        pictures, poses = [picture(0), picture(1)], [pose(0), pose(1)]
        for i in range(4):
            bright, up = i % 2, i // 2
            X.append({"rgb": pictures[bright], "pose": poses[up]})
            y.append(f"{'bright' if bright else 'dark'} {'up' if up else 'down'}")
    return X, np.array(y)


def fusion(**params):
    return FusionClassifier(*branches(VideoClassifier, tiny_video), **params)


def multilabel(**params):
    def tiny_pose(**chosen):
        return MultiLabelVideoClassifier("lstm", batch_size=8, random_state=0, **chosen)

    return MultiLabelFusion(*branches(MultiLabelVideoClassifier, tiny_pose), **params)


def branches(kind, tiny_pose):
    rgb = kind(
        "slow",
        network_params={"width": 4, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32},
        max_epochs=12,
        lr=0.01,
        batch_size=8,
        random_state=0,
    )
    return rgb, tiny_pose(max_epochs=40, lr=0.02)


@pytest.mark.parametrize("how", ["late", "features"])
def test_fusion_knows_what_neither_knows_alone(data, how):
    X, y = data
    # all trials in a batch, so that what a modality cannot tell is even, not what came last
    recipe = {"rgb__max_epochs": 20, "pose__max_epochs": 60}
    recipe |= {"rgb__batch_size": 24, "pose__batch_size": 24}
    model = fusion(how=how).set_params(**recipe).fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (24, 4)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(axis=1)])
    alone = {m: np.mean(getattr(model, f"{m}_").predict([x[m] for x in X]) == y)
             for m in ("rgb", "pose")}  # fmt: skip
    assert max(alone.values()) < 0.6  # half by construction, but for what batches round off
    assert model.score(X, y) > 0.8
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
    X, y = data
    for how in ("late", "features"):
        model = fusion(how=how).fit(X, y)
        again = skrehab.load(skrehab.save(model, tmp_path / how))
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


# --- several labels -------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def labels(data):
    """Bright, up, and what neither modality tells alone; nobody has the last."""
    bright, up = (np.array([word in name for name in data[1]]) for word in ("bright", "up"))
    return np.column_stack([bright, up, bright & up, np.zeros(len(up))]).astype(int)


def test_patients_reach_the_splitter_and_early_stopping(data, labels):
    X, y = data
    patients = np.arange(len(X)) // 4
    with sklearn.config_context(enable_metadata_routing=True):
        for model, truth in ((fusion(), y), (multilabel(), labels)):
            quick = {"rgb__max_epochs": 1, "pose__max_epochs": 1, "pose__early_stopping": True}
            cross_val_predict(
                model.set_params(**quick),
                X,
                truth,
                cv=GroupKFold(2),
                params={"groups": patients},
                method="predict_proba",
            )
            model.fit(X, truth, groups=patients)
            assert model.pose_.validation_groups_ is not None


def test_another_way_after_fitting(data, labels, by_how):
    X, y = data
    with pytest.raises(NotFittedError, match="how='concat' was set after fitting"):
        clone_fitted(by_how["sum"]).set_params(how="concat").predict_proba(X)
    late = fusion().set_params(rgb__max_epochs=1, pose__max_epochs=1).fit(X, y)
    with pytest.raises(NotFittedError, match="how='features' was set after fitting"):
        late.set_params(how="features").predict(X)


@pytest.fixture(scope="module")
def by_how(data, labels):
    return {how: multilabel(how=how).fit(data[0], labels) for how in ("sum", "mul", "concat")}


@pytest.mark.parametrize("how", ["sum", "mul", "concat"])
def test_fusion_of_several_labels(data, labels, by_how, how, tmp_path):
    X, _ = data
    model = by_how[how]
    proba = model.predict_proba(X)
    assert proba.shape == (24, 4) and ((proba >= 0) & (proba <= 1)).all()
    assert mean_average_precision(labels, proba) > 0.95
    for modality, column in (("rgb", 1), ("pose", 0)):
        alone = getattr(model, f"{modality}_").predict_proba([x[modality] for x in X])
        assert mean_average_precision(labels[:, [column]], alone[:, [column]]) < 0.85
    np.testing.assert_array_equal(model.predict(X), proba >= 0.5)
    again = skrehab.load(skrehab.save(model, tmp_path / how))
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    assert not hasattr(clone(model), "rgb_")


def test_means_of_several_labels(data, by_how):
    X, _ = data
    for how, mean in (
        ("sum", lambda a, b: 0.25 * a + 0.75 * b),
        ("mul", lambda a, b: a**0.25 * b**0.75),
    ):
        model = by_how[how].set_params(weight=0.25)
        rgb = model.rgb_.predict_proba([x["rgb"] for x in X]).astype(float)
        pose = model.pose_.predict_proba([x["pose"] for x in X]).astype(float)
        np.testing.assert_allclose(model.predict_proba(X), mean(rgb, pose), rtol=1e-5)
        partly = [X[0], {"pose": X[1]["pose"]}, {"rgb": X[2]["rgb"], "pose": None}]
        out = model.predict_proba(partly)
        np.testing.assert_allclose(out[1:], [pose[1], rgb[2]], rtol=1e-4)
        model.set_params(weight=0.5)
    product = np.exp(2 * np.log(by_how["mul"].predict_proba(X)))
    np.testing.assert_allclose(product, rgb * pose, rtol=1e-4)


def test_concat_needs_both_and_knows_a_label_that_nobody_has(data, labels, by_how):
    X, _ = data
    assert (by_how["concat"].predict_proba(X)[:, 3] == 0).all()
    with pytest.raises(ValueError, match=r"X\[1\] lacks a modality: how='concat'"):
        by_how["concat"].predict_proba([X[0], {"rgb": X[1]["rgb"]}])
    with pytest.raises(ValueError, match=r"X\[0\] has no pose: fit needs both"):
        multilabel().fit([{"rgb": X[0]["rgb"]}, *X[1:]], labels)
    with pytest.raises(ValueError, match="labels are 0 and 1"):
        multilabel().fit(X, labels + 1)
