"""Muscle groups from RGB and skeleton: stages, what is missing, bad clips, seeds, saving."""

import importlib.util
import pickle
from functools import partial

import media
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    cross_val_predict,
)
from sklearn.utils import estimator_checks

import skrehab
from skrehab import MultiLabelVideoClassifier, MuscleGroupClassifier
from skrehab.fusion import BranchLoss, BranchTraining
from skrehab.metrics import map_scorer, mean_average_precision
from skrehab.multilabel.label_sets import LOSSES
from skrehab.networks.two_stream.transm3e import TransM3E
from skrehab.pose import VideoError
from skrehab.training.modalities import (
    check_clip_lengths,
    check_modalities,
    collate_modalities,
    jitter_colors,
    normalize_pose,
)

SIZES = {"widths": (8, 16), "depths": (1, 1), "image_size": 32, "n_frames": 4}
SIZES |= {"pose_widths": (8, 12), "pose_frames": 16}
needs_av = pytest.mark.skipif(not importlib.util.find_spec("av"), reason="PyAV is not installed")


def tiny(modality="both", **params):
    defaults = {"size": "tiny", "network_params": SIZES, "batch_size": 8, "lr": 2e-3}
    defaults |= {"stage1_epochs": 1, "stage2_epochs": 1, "random_state": 0}
    return MuscleGroupClassifier(modality, **(defaults | params))


def draw(n=24, seed=0, n_frames=6):
    """Label 0 is a bright picture, label 1 a raised arm, label 2 both or neither."""
    rng = np.random.RandomState(seed)
    bright, up = rng.randint(2, size=(2, n))
    X = []
    for a, b in zip(bright, up):
        rgb = (rng.randint(60, size=(n_frames, 36, 40, 3)) + 150 * a).astype(np.uint8)
        pose = np.concatenate([rng.rand(17, 2) * 5 + 30, np.ones((17, 1))], axis=1)
        pose = np.repeat(pose[None], rng.randint(8, 20), axis=0).astype(np.float32)
        pose[len(pose) // 2 :, 9, 1] -= 20 * b
        X.append({"rgb": rgb, "pose": pose})
    return X, np.column_stack([bright, up, bright == up]).astype(int)


@pytest.fixture(scope="module")
def data():
    return draw()


@pytest.fixture(scope="module")
def fitted(data):
    return tiny().fit(*data)


def without(trial, modality):
    return {key: value for key, value in trial.items() if key != modality}


# --- what a modality tells ------------------------------------------------------------------------
def test_each_modality_tells_its_label_and_both_tell_both():
    test_X, test_y = draw(24, seed=1)
    params = {"stage1_epochs": 8, "stage2_epochs": 3, "lr": 1e-2, "color_jitter": 0.1}
    model = tiny(**params).fit(*draw(24))
    given = {"both": test_X, "rgb": [without(t, "pose") for t in test_X]}
    given["pose"] = [without(t, "rgb") for t in test_X]
    ap = {}
    for modality, X in given.items():
        proba = model.predict_proba(X)
        assert proba.shape == (24, 3) and (proba > 0).all() and (proba < 1).all()
        np.testing.assert_array_equal(model.predict(X), proba >= 0.5)
        ap[modality] = [mean_average_precision(test_y[:, [k]], proba[:, [k]]) for k in (0, 1)]
    assert ap["rgb"][0] > 0.95 and ap["rgb"][1] < 0.9
    assert ap["pose"][1] > 0.95 and ap["pose"][0] < 0.9
    assert min(ap["both"]) > 0.95


# --- two stages -----------------------------------------------------------------------------------
def batch_of(n=4, seed=0):
    X, y = draw(n, seed)
    network = build()
    return collate_modalities(check_modalities(X), network.clip), torch.from_numpy(y).float()


def build(**params):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TransM3E(3, **(SIZES | {"size": "tiny"} | params))


def gradients(network, stage, batch, y, drop=None):
    """Names of the network's own children that get a gradient other than zero."""
    batch = dict(batch)
    if drop:
        del batch[drop]
        batch[f"has_{drop}"] = torch.zeros(len(y), dtype=bool)
    network.zero_grad()
    out = BranchTraining(network, stage, 0.0)(**batch)
    BranchLoss("sigmoid_bce")(out, (y, torch.ones(len(y)))).backward()
    return {
        name
        for name, child in network.named_children()
        if any(p.grad is not None and p.grad.any() for p in child.parameters())
    }


def test_gradients_of_the_first_stage_stay_in_their_branch():
    batch, y = batch_of()
    network = build().eval()
    assert gradients(network, 1, batch, y, drop="pose") == {"rgb", "rgb_head"}
    pose = {"pose", "pose_widen", "pose_head"}
    assert gradients(network, 1, batch, y, drop="rgb") == pose
    rest = {"distillation", "rgb_fusion", "pose_fusion"}
    assert gradients(network, 1, batch, y) == {"rgb", "rgb_head"} | pose
    assert gradients(network, 2, batch, y) == {"rgb", "rgb_head"} | pose | rest


def test_first_stage_is_each_modality_alone(data):
    X, y = data
    both = tiny(stage2_epochs=0).fit(X, y)
    for modality, other in (("rgb", "pose"), ("pose", "rgb")):
        parts = [without(trial, other) for trial in X]
        alone = both.predict_proba(parts)
        if modality == "rgb":  # drawn and shuffled alike; the other comes second
            np.testing.assert_array_equal(tiny("rgb").fit(X, y).predict_proba(X), alone)
    np.testing.assert_allclose(
        both.predict_proba(X),
        np.mean([both.predict_proba([without(t, m) for t in X]) for m in ("rgb", "pose")], axis=0),
        rtol=1e-5,
    )
    assert both.stage_ == 1


def test_what_each_stage_changes(data):
    X, y = data
    one, two = (tiny(stage2_epochs=n, weight_decay=0.1).fit(X, y).module_ for n in (0, 1))
    one, two = one.state_dict(), two.state_dict()
    late = ("distill_token", "merge_distill", "_fusion", "distillation")
    for key, value in one.items():
        if "num_batches" in key or "running" in key or "_fusion.norm" in key:
            continue
        if key.startswith(("rgb_head", "pose_head", "rgb.conv_proj", "pose.class_token")) or any(
            part in key for part in late
        ):
            assert not torch.equal(value, two[key]), key
    # what the first stage leaves alone is as it was drawn: no gradient, and no weight decay either
    drawn = tiny(stage2_epochs=0, lr=1e-9, weight_decay=0.0).fit(X, y).module_.state_dict()
    for key, value in one.items():
        if any(part in key for part in late):
            assert torch.equal(value, drawn[key]), key


def test_history_tells_the_stages(fitted):
    assert [(row["stage"], row["branches"]) for row in fitted.history_] == [
        (1, "rgb"),
        (1, "pose"),
        (2, "both"),
    ]
    assert fitted.stage_ == 2 and fitted.module_.training is False
    alone = tiny("pose", stage1_epochs=2).fit(*draw(8))
    assert [row["branches"] for row in alone.history_] == ["pose", "pose"] and alone.stage_ == 1
    assert alone.module_.rgb is None and alone.module_.distillation is None


def test_loss_is_the_networks_own_and_counts_weights():
    batch, y = batch_of()
    for loss in LOSSES:
        network = build(loss_function=loss, distillation_weight=0.7).eval()
        [(rows, out)] = outputs = BranchTraining(network, 2, 0.0)(**batch)
        assert rows.tolist() == [0, 1, 2, 3] and out["distillation"] > 0
        criterion = BranchLoss(loss, 0.7)
        torch.testing.assert_close(criterion(outputs, (y, torch.ones(4))), network.loss(out, y))
        only = criterion(outputs, (y, torch.tensor([4.0, 0, 0, 0])))
        first = {k: v if k == "distillation" else v[:1] for k, v in out.items()}
        torch.testing.assert_close(only, network.loss(first, y[:1]))


def test_distillation_does_not_choose_the_epoch():
    """Sender tokens that say more are farther away, though both branches are better."""
    batch, y = batch_of()
    outputs = BranchTraining(build().eval(), 2, 0.0)(**batch)
    criterion, truth = BranchLoss("sigmoid_bce", 0.7), (y, torch.ones(4))
    in_training, held_out = criterion(outputs, truth), criterion.eval()(outputs, truth)
    torch.testing.assert_close(in_training - held_out, 0.7 * outputs[0][1]["distillation"])
    # and skorch does put the criterion in evaluation mode where held-out trials are scored
    X, trained = draw(12, seed=3)
    heavy = SIZES | {"distillation_weight": 1e6}
    model = tiny(early_stopping="trial", network_params=heavy).fit(X, trained)
    [last] = [row for row in model.history_ if row["stage"] == 2][-1:]
    assert last["train_loss"] > 10 > last["valid_loss"]


# --- a modality is missing ------------------------------------------------------------------------
def test_missing_modality_falls_back_to_the_branch_that_is_there(data, fitted):
    X, _ = data
    both = fitted.predict_proba(X)
    rgb, pose = (fitted.predict_proba([without(t, m) for t in X]) for m in ("pose", "rgb"))
    np.testing.assert_allclose(both, (rgb + pose) / 2, rtol=1e-5)
    # item by item, whatever stands beside it, in any order
    mixed = [X[0], without(X[1], "rgb"), X[2] | {"pose": None}, *X[3:20], without(X[20], "pose")]
    expected = np.concatenate([both[:1], pose[1:2], rgb[2:3], both[3:20], rgb[20:21]])
    np.testing.assert_allclose(fitted.predict_proba(mixed), expected, rtol=1e-4, atol=1e-6)


def test_missing_modality_is_trained_around(data):
    X, y = data
    partly = [without(t, ("rgb", "pose", "sound")[i % 3]) for i, t in enumerate(X)]
    model = tiny(stage1_epochs=1, stage2_epochs=1).fit(partly, y)
    assert np.isfinite(model.predict_proba(X)).all()
    # a branch's first stage sees its own trials only
    has_rgb = [i for i, t in enumerate(partly) if "rgb" in t]
    alone = tiny("rgb").fit([X[i] for i in has_rgb], y[has_rgb])
    first = tiny(stage2_epochs=0).fit(partly, y)
    clips = [without(t, "pose") for t in X]
    np.testing.assert_array_equal(first.predict_proba(clips), alone.predict_proba(clips))


def test_modality_alone_looks_at_nothing_else(data):
    X, y = data
    poses = [{"rgb": "no such file.mp4", "pose": t["pose"]} for t in X]
    model = tiny("pose").fit(poses, y)
    np.testing.assert_array_equal(
        model.predict_proba(poses), model.predict_proba([{"pose": t["pose"]} for t in X])
    )
    with pytest.raises(ValueError, match=r"X\[1\] has no pose, and nothing else is looked at"):
        model.predict_proba([X[0], without(X[1], "pose")])
    with pytest.raises(ValueError, match=r"X\[2\] has no rgb"):
        tiny("rgb").fit([*X[:2], without(X[2], "rgb")], y[:3])


@pytest.mark.parametrize(
    ("params", "change", "message"),
    [
        ({}, lambda t: without(t, "rgb"), "No trial has rgb: give some"),
        ({}, lambda t: without(t, "pose"), "No trial has pose"),
        ({"stage1_epochs": 0, "stage2_epochs": 0}, None, "There is no epoch to train"),
        ({"modality": "rgb", "stage1_epochs": 0}, None, "There is no epoch to train"),
        ({"modality": "pose", "weights": "a.pth"}, None, "weights are those of the RGB network"),
        ({"early_stopping": True}, None, "needs groups"),
        ({"modality": "sound"}, None, "modality"),
        ({}, lambda t: {"sound": 1}, r"X\[0\] must be a dict of 'rgb' and 'pose'"),
        ({}, lambda t: {"rgb": None}, r"X\[0\] holds neither"),
        ({}, lambda t: t | {"pose": t["pose"][:, :5]}, "17 landmarks|5 landmarks"),
        ({}, lambda t: t | {"rgb": t["rgb"].astype(float)}, r"RGB of X\[0\] must be a path or"),
        ({}, lambda t: t | {"rgb": "gone.mp4"}, r"RGB of X\[0\]: there is no file 'gone.mp4'"),
    ],
)
def test_what_cannot_be_fitted(data, params, change, message):
    X, y = data
    X = X[:4] if change is None else [change(trial) for trial in X[:4]]
    with pytest.raises(ValueError, match=message):
        tiny(**params).fit(X, y[:4])


def test_messages_count_trials_that_lack_a_modality(data, fitted):
    X, _ = data
    poses = [without(X[0], "pose"), X[1], without(X[2], "rgb") | {"pose": X[2]["pose"][:, :9]}]
    with pytest.raises(ValueError, match=r"pose of X\[2\] must have 17 landmarks"):
        fitted.predict_proba(poses)


# --- bad clips ------------------------------------------------------------------------------------
@needs_av
def test_bad_clips_are_named_all_at_once(tmp_path, data, fitted):
    X, y = data
    frames = [np.full((32, 32, 3), 20 * i, np.uint8) for i in range(10)]
    names = ("good", "short", "corrupt", "cut")
    good, short, corrupt, cut = (tmp_path / f"{name}.mp4" for name in names)
    media.write_video(good, frames)
    media.write_video(short, frames[:3])
    corrupt.write_bytes(b"no video" * 100)
    media.write_video(cut, frames, options={"movflags": "faststart"})  # its header says 10 frames
    cut.write_bytes(cut.read_bytes()[:-400])
    trials = [{"rgb": str(path), "pose": X[0]["pose"]} for path in (good, short, corrupt, cut)]
    for run in (lambda: tiny().fit(trials, y[:4]), lambda: fitted.predict_proba(trials)):
        with pytest.raises(VideoError) as caught:
            run()
        text = str(caught.value)
        assert "good.mp4" not in text
        assert f"X[1]: {short} has 3 frames, and at least 4 are needed" in text
        assert f"X[2]: {corrupt}" in text and f"X[3]: {cut}" in text
    # without its clip such a trial is answered by its skeleton
    for trial in trials[1:]:
        trial["rgb"] = None
    assert fitted.predict_proba(trials).shape == (4, 3)
    with pytest.raises(VideoError, match=r"good\.mp4 has 10 frames, and at least 16 are needed"):
        tiny(min_frames=16).fit(trials, y[:4])


def test_many_bad_clips_are_counted():
    clip = {"rgb": np.zeros((3, 8, 8, 3), np.uint8), "pose": None}
    with pytest.raises(VideoError, match=r"X\[9\].*\nand 2 more.") as caught:
        check_clip_lengths([clip] * 12, 16)
    assert "X[10]" not in str(caught.value)


def test_paper_size_wants_16_frames():
    X, y = draw(2, n_frames=15)
    with pytest.raises(VideoError, match=r"an array of 15 frames, and at least 16 are needed"):
        MuscleGroupClassifier("rgb", stage1_epochs=1).fit(X, y)


# --- an estimator among others --------------------------------------------------------------------
def test_same_seed_same_result_and_no_global_draw(data):
    X, y = data
    np.random.seed(0)  # noqa: NPY002
    before = torch.get_rng_state()
    first, second = (tiny().fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.random.rand() == np.random.RandomState(0).rand()  # noqa: NPY002
    assert not np.array_equal(tiny(random_state=1).fit(X, y).predict_proba(X), first)


def test_input_and_parameters_stay_as_they_are(data):
    X, y = data
    kept = [{key: value.copy() for key, value in trial.items()} for trial in X]
    model = tiny()
    before = model.get_params()
    assert model.fit(X, y) is model and model.get_params() == before
    for one, other in zip(X, kept):
        assert all(np.array_equal(one[key], other[key]) for key in other)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert not hasattr(clone(model), "module_") and "stage1_epochs=1" in repr(model)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


def test_save_and_load_bit_for_bit(data, tmp_path):
    X, y = data
    for modality, loss in (
        ("both", "sigmoid_bce"),
        ("rgb", "softmax_bce"),
        ("pose", "sigmoid_bce"),
    ):
        model = tiny(modality, loss=loss).fit(X, y)
        again = skrehab.load(skrehab.save(model, tmp_path / modality))
        np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert again.stage_ == model.stage_ and again.history_ == model.history_


def test_cross_validation_with_a_predefined_split(data):
    X, y = data
    fold = np.arange(len(X)) % 2
    proba = cross_val_predict(tiny(), X, y, cv=PredefinedSplit(fold), method="predict_proba")
    held_out = [i for i in range(len(X)) if fold[i] == 0]
    rest = [i for i in range(len(X)) if fold[i] == 1]
    model = tiny().fit([X[i] for i in rest], y[rest])
    expected = model.predict_proba([X[i] for i in held_out])
    np.testing.assert_allclose(proba[held_out], expected, rtol=1e-5)
    score = map_scorer(model, [X[i] for i in held_out], y[held_out])
    assert score == mean_average_precision(y[held_out], expected)


def test_early_stopping_holds_out_whole_patients(data):
    X, y = data
    patients = np.repeat(list("abcdef"), 4)
    params = {"early_stopping": True, "validation_fraction": 0.3, "patience": 1}
    model = tiny(stage1_epochs=2, **params).fit(X, y, groups=patients)
    held_out = set(model.validation_groups_)
    assert 0 < len(held_out) < 6
    assert all("valid_loss" in row for row in model.history_)
    # clips of those held out decide when to stop, and nothing is learnt from them
    other = [
        {"rgb": 255 - t["rgb"], "pose": -t["pose"]} if patient in held_out else t
        for t, patient in zip(X, patients)
    ]
    one, two = (tiny(**params).fit(Z, y, groups=patients).history_ for Z in (X, other))
    assert len(one) == len(two) == 3
    for a, b in zip(one, two):
        assert a["train_loss"] == b["train_loss"] and a["valid_loss"] != b["valid_loss"]
    # a test patient stays out of the fit, and so of what is held out in it
    train, test = next(GroupKFold(3).split(X, y, patients))
    model.fit([X[i] for i in train], y[train], groups=patients[train])
    assert not set(model.validation_groups_) & set(patients[test])


def test_sample_weight_leaves_trials_out_of_the_cross_entropy(data):
    X, y = data
    weight = np.r_[np.ones(12), np.zeros(12)]
    other = np.r_[y[:12], 1 - y[12:]]
    one, two = (
        tiny("pose").fit(X, labels, sample_weight=weight).predict_proba(X) for labels in (y, other)
    )
    np.testing.assert_array_equal(one, two)


def test_color_jitter_acts_in_training_only(data):
    X, y = data
    plain, varied = (tiny("rgb", color_jitter=c).fit(X, y) for c in (0.0, 0.9))
    assert plain.history_ != varied.history_
    np.testing.assert_array_equal(varied.predict_proba(X), varied.predict_proba(X))


def test_weights_of_torchvision_reach_the_rgb_network(data, tmp_path):
    from safetensors.torch import save_file

    X, y = data
    source = build().rgb
    state = {k: v.detach().clone() for k, v in source.state_dict().items() if "token" not in k}
    state["pos_encoding.class_token"] = torch.zeros(1, 8)  # of one token, as published
    save_file(state, tmp_path / "w.safetensors")
    model = tiny("rgb", weights=tmp_path / "w.safetensors", lr=1e-9, weight_decay=0.0).fit(X, y)
    assert "blocks.0.attn.qkv.weight" in model.weights_report_.loaded
    for name, parameter in source.named_parameters():
        if name.startswith(("blocks", "conv_proj")):
            torch.testing.assert_close(model.module_.rgb.get_parameter(name), parameter)


def test_a_skeleton_of_33_landmarks_and_one_by_name(data):
    X, y = data
    rng = np.random.RandomState(0)
    X = [{"pose": rng.randn(20, 33, 3)} for _ in X]
    assert tiny("pose").fit(X, y).n_landmarks_ == 33
    named = SIZES | {"skeleton": "coco17"}
    X = [{"pose": rng.randn(20, 17, 2)} for _ in X]
    assert tiny("pose", network_params=named).fit(X, y).n_coords_ == 2


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_set_params,
    ],
    ids=lambda check: check.__name__,
)
def test_checks_of_scikit_learn_without_data(check):
    check("MuscleGroupClassifier", tiny())


# --- parts ----------------------------------------------------------------------------------------
def test_normalized_pose_forgets_place_and_size_only():
    rng = np.random.RandomState(0)
    pose = rng.rand(9, 17, 3).astype(np.float32)
    pose[2, 4, :2] = np.nan
    moved = pose * np.float32([240, 240, 1]) + np.float32([77, -3, 0])
    out = normalize_pose(pose, 2)
    np.testing.assert_allclose(normalize_pose(moved, 2), out, atol=1e-5)
    np.testing.assert_array_equal(out[..., 2], pose[..., 2])
    assert np.nanmax(np.abs(out[..., :2])) == pytest.approx(1) and np.isnan(out[2, 4, 0])
    lost = np.full((3, 17, 3), np.nan, np.float32)
    assert np.isnan(normalize_pose(lost, 2)).all()
    assert np.isfinite(normalize_pose(np.ones((3, 17, 3)), 2)).all()


def test_color_jitter_varies_clips_apart_and_frames_together():
    torch.manual_seed(0)
    mean, std = (0.45,) * 3, (0.225,) * 3
    frame = torch.rand(1, 3, 1, 8, 8).expand(5, 3, 4, 8, 8)
    clips = (frame - 0.45) / 0.225
    out = jitter_colors(clips, 0.4, mean, std)
    for k in range(1, 4):
        torch.testing.assert_close(out[:, :, k], out[:, :, 0])
    assert len({round(float(clip.mean()), 4) for clip in out}) == 5
    shown = out * 0.225 + 0.45
    assert shown.min() >= -1e-6 and shown.max() <= 1 + 1e-6
    gray = torch.full((1, 3, 1, 2, 2), 0.5)  # gray stays gray
    changed = jitter_colors((gray - 0.45) / 0.225, 0.4, mean, std)
    torch.testing.assert_close(changed[:, 0], changed[:, 2])


def test_grid_search_reaches_the_network(data):
    X, y = data
    search = GridSearchCV(
        tiny("pose"), {"network__dropout": [0.0, 0.9]}, cv=PredefinedSplit([0] * 8 + [-1] * 16)
    )
    search.set_params(scoring=map_scorer).fit(X, y)
    assert search.best_params_["network__dropout"] in (0.0, 0.9)
    assert search.best_estimator_.module_.dropout.p == search.best_params_["network__dropout"]
    assert set(SIZES) < set(search.best_estimator_.network_params)


@pytest.mark.parametrize("kind", [tiny, partial(MultiLabelVideoClassifier, "lstm")])
def test_softmax_needs_two_labels(data, kind):
    X, y = data
    X = X if kind is tiny else [trial["pose"] for trial in X]
    with pytest.raises(ValueError, match="y has one label, which would always get 1"):
        kind(loss="softmax_bce").fit(X, y[:, :1])
