"""Clips changed in training and looked at several times: the right picture comes out.

What is drawn reaches training seeded, flips take skeletons and labels along, and nothing is changed
by default.
"""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
import torch
from instances import tiny_trials, tiny_video

from skrehab import MultiLabelVideoClassifier, MuscleGroupClassifier, VideoClassifier, load, save
from skrehab.networks.rgb._clip_recipe import ClipRecipe
from skrehab.training.augmentation import Augmentation
from skrehab.training.batching import Batches
from skrehab.training.changes import View
from skrehab.training.clip_changes import ClipSamples, check_views, view_of
from skrehab.training.clips import collate_clips, frame_positions, prepare_clip, read_clip
from skrehab.training.plans import plan_changes, plan_clip_changes

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("torchvision"), reason="torchvision is not installed"
)

PLAIN = ClipRecipe(4, 8, 8, (0.0,) * 3, (1.0,) * 3)
SLOW = {"width": 4, "depths": (1, 1, 1, 1), "n_frames": 4, "image_size": 32}


def shown(frames, view, recipe=PLAIN):
    """Levels (n_frames, height, width, 3) that a network is shown."""
    return (255 * prepare_clip(frames, recipe, view)).permute(1, 2, 3, 0).numpy()


def pictures(n=4, height=8, width=8, seed=0):
    return np.random.RandomState(seed).randint(256, size=(n, height, width, 3)).astype(np.uint8)


# --- one view -------------------------------------------------------------------------------------
def test_frames_of_a_view_by_hand():
    assert frame_positions(30, 4, view=View(at=0.0)).tolist() == [0, 7, 15, 22]
    assert frame_positions(30, 4, view=View(at=np.array([0.9, 0, 0, 0.99]))).tolist() == [
        6, 7, 15, 29,
    ]  # fmt: skip
    half = View(window=(0.5, 1.0))
    assert frame_positions(40, 4, view=half).tolist() == [22, 27, 32, 37]
    # three steps of 2 are 7 frames: 23 are left before and behind
    starts = [frame_positions(30, 4, 2, View(at=at))[0] for at in (0.0, 0.5, 0.99)]
    assert starts == [0, 11, 22]
    assert frame_positions(3, 4, view=View(window=(0.9, 0.95))).tolist() == [2] * 4


def test_a_flip_mirrors_each_picture_and_nothing_else():
    frames = pictures()
    np.testing.assert_allclose(shown(frames, View(flip=True)), frames[:, :, ::-1], atol=1e-3)


def test_a_box_is_cut_and_scaled():
    frames = pictures(2, 20, 40).repeat(2, axis=1).repeat(2, axis=2)  # 40 x 80, squares of 2
    box = View(box=(0.2, 0.5, 0.4, 0.2))  # rows 8 to 24, columns 40 to 56
    recipe = replace(PLAIN, n_frames=2)
    # 16 x 16 pixels become 8 x 8: each is the mean of one square of equal pixels
    np.testing.assert_allclose(
        shown(frames, box, recipe), frames[:, 8:24:2, 40:56:2].astype(float), atol=1e-3
    )


def test_colours_follow_their_factors_alike_in_all_frames():
    gray = np.full((4, 8, 8, 3), 100, np.uint8)
    out = shown(gray, View(colors=(1.3, 1.0, 1.0)))
    np.testing.assert_allclose(out, 130, atol=1.01)
    red = gray.copy()
    red[..., 0] = 200
    out = shown(red, View(colors=(1.0, 1.0, 0.0)))  # without saturation: gray by ITU-R BT.601
    np.testing.assert_allclose(out, 0.299 * 200 + 0.701 * 100, atol=1.01)
    half = gray.copy()
    half[:, :, 4:] = 200
    out = shown(half, View(colors=(1.0, 0.5, 1.0)))  # half way to the mean, 150
    np.testing.assert_allclose(out[:, :, :4], 125, atol=1.01)
    np.testing.assert_allclose(out[:, :, 4:], 175, atol=1.01)


def test_places_lie_along_the_longer_side():
    wide = np.broadcast_to(np.arange(24, dtype=np.uint8)[:, None], (4, 8, 24, 3)[:2] + (24, 1))
    wide = np.repeat(wide, 3, axis=3)
    firsts = [shown(wide, View(where=where))[0, 0, 0, 0] for where in (0, 0.5, 1)]
    np.testing.assert_allclose(firsts, [0, 8, 16], atol=1e-3)
    high = wide.transpose(0, 2, 1, 3)
    firsts = [shown(high, View(where=where))[0, 0, 0, 0] for where in (0, 0.5, 1)]
    np.testing.assert_allclose(firsts, [0, 8, 16], atol=1e-3)


# --- movement -------------------------------------------------------------------------------------
def moving(dx, dy, n=6, side=64):
    """A textured picture that moves by so many pixels a frame."""
    small = np.random.RandomState(0).randint(256, size=(side // 4, side // 4, 3))
    texture = small.repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8)
    return np.stack([np.roll(texture, (t * dy, t * dx), axis=(0, 1)) for t in range(n)])


def test_pairs_are_frames_and_their_successors():
    video = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    read = read_clip(video, 3, pairs=True)[:, 0, 0, 0].tolist()
    assert read == [1, 5, 8, 2, 6, 9]
    last = read_clip(video, 10, pairs=True)[:, 0, 0, 0].tolist()
    assert last == [*range(9), 8, *range(1, 10), 9]  # the last has no successor
    one = read_clip(video[:1], 2, pairs=True)
    assert (one == 0).all() and len(one) == 4


def test_a_difference_is_the_next_frame_less_this_one():
    recipe = replace(PLAIN, motion="difference", std=(0.5, 0.25, 1.0), mean=(0.4,) * 3)
    first, second = pictures(seed=1), pictures(seed=2)
    out = prepare_clip(np.concatenate([first, second]), recipe).permute(1, 2, 3, 0).numpy()
    expected = (second.astype(float) - first) / 255 / np.array([0.5, 0.25, 1.0])
    np.testing.assert_allclose(out, expected, atol=1e-5)


@pytest.mark.parametrize(("dx", "dy"), [(2, 0), (0, -3), (3, 2)])
def test_flow_is_how_far_things_move(dx, dy):
    recipe = ClipRecipe(4, 64, 64, (0.45,) * 3, (0.25,) * 3, motion="flow")
    x = collate_clips([moving(dx, dy)], recipe)["x"][0]
    assert x.shape == (3, 4, 64, 64)
    right, down, speed = (0.25 * 20 * x).median(dim=3).values.median(dim=2).values.mean(dim=1)
    assert abs(right - dx) < 0.3 and abs(down - dy) < 0.3
    assert abs(speed - np.hypot(dx, dy)) < 0.3
    mirrored = collate_clips([moving(dx, dy)], recipe, [View(flip=True)])["x"][0]
    right, down, _ = (0.25 * 20 * mirrored).median(dim=3).values.median(dim=2).values.mean(dim=1)
    assert abs(right + dx) < 0.3 and abs(down - dy) < 0.3  # a mirrored hand goes the other way


def test_motion_must_be_known():
    with pytest.raises(ValueError, match="motion must be one of"):
        ClipRecipe(4, 8, 8, (0.0,) * 3, (1.0,) * 3, motion="speed")


# --- what is drawn --------------------------------------------------------------------------------
def test_what_is_drawn_stays_in_its_bounds():
    how = {"crop": 0.5, "cut": 0.4, "color": 0.3, "mirror": 0.25, "time_jitter": True}
    changes = plan_clip_changes(how, 8)
    rng = np.random.RandomState(0)
    views = [changes.draw(rng) for _ in range(2000)]
    boxes = np.array([view.box for view in views])
    area = boxes[:, 2] * boxes[:, 3]
    assert 0.45 < area.min() < 0.52 and area.max() <= 1  # a shape that does not fit is cut a little
    assert (boxes[:, :2] >= 0).all() and (boxes[:, :2] + boxes[:, 2:] <= 1 + 1e-9).all()
    windows = np.array([view.window for view in views])
    assert (windows >= 0).all() and (windows <= 1 + 1e-9).all()
    gone = 1 - np.diff(windows, axis=1)
    assert gone.max() <= 0.4 + 1e-9 and gone.max() > 0.38 and gone.mean() == pytest.approx(0.2, 0.1)
    colors = np.array([view.colors for view in views])
    assert colors.min() >= 0.7 and colors.max() <= 1.3 and colors.std() > 0.15
    assert np.mean([view.flip for view in views]) == pytest.approx(0.25, abs=0.04)
    assert all(view.at.shape == (8,) and (0 <= view.at).all() for view in views)
    assert changes.draw(np.random.RandomState(3)).box == changes.draw(np.random.RandomState(3)).box


def test_nothing_is_changed_by_default():
    assert plan_clip_changes({}, 8).draw(np.random.RandomState(0)) == View()
    assert plan_clip_changes(None, 8) is None


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"offset": 1}, "offset changes poses, and these are pictures"),
        ({"turn": 5}, "turn changes poses"),
        ({"swap": [("left", "up")]}, "swap names 'up', which is not among the labels"),
        ({"swap": ["lr"]}, "swap must hold pairs of labels, got 'lr'"),
        ({"crop": 1}, "'crop' parameter"),
        ({"speed": 1}, "no parameter 'speed'"),
    ],
)
def test_what_clips_refuse(augment, message):
    with pytest.raises(ValueError, match=message):
        plan_clip_changes(augment, 8, classes=["left", "right"])


def test_what_poses_refuse():
    trials = [np.zeros((9, 17, 3))]
    for name in ("crop", "color"):
        with pytest.raises(ValueError, match=f"{name} changes pictures, and these are poses"):
            plan_changes({name: 0.5}, trials)
    with pytest.raises(ValueError, match="time_jitter needs a network that looks at a fixed"):
        plan_changes({"time_jitter": True}, trials)
    with pytest.raises(ValueError, match="swap exchanges labels of trials"):
        plan_changes({"swap": [(0, 1)]}, trials)


# --- sides ----------------------------------------------------------------------------------------
def sided(n=40, seed=0):
    """Clips whose bright half, and whose raised wrist, says the label: left or right."""
    rng = np.random.RandomState(seed)
    y = rng.randint(2, size=n)
    clips, poses = np.zeros((n, 8, 32, 32, 3), np.uint8), rng.rand(n, 8, 17, 3).astype(np.float32)
    for i, right in enumerate(y):
        clips[i, :, :, 16 * right : 16 * right + 16] = 200
        poses[i, :, :, :2] = [50.0, 60.0]
        poses[i, :, 9 + right, 1] = 20.0  # the wrist of that side, high in the picture
        poses[i, :, 9 + right, 0] += 20.0 * right - 10
    return list(clips), list(poses), y


def sides_of(clips):
    """1 where the right half of a clip is brighter."""
    half = clips.shape[-1] // 2
    return (
        clips[..., half:].mean(dim=(1, 2, 3, 4)) > clips[..., :half].mean(dim=(1, 2, 3, 4))
    ).int()


def test_labels_of_sides_are_exchanged_with_the_pictures():
    clips, _, y = sided()
    recipe = replace(PLAIN, resize=32, crop=32)
    changes = plan_clip_changes({"mirror": 0.5, "swap": [("l", "r")]}, 4, classes=["l", "r"])
    collate = lambda items, views: collate_clips(items, recipe, views)  # noqa: E731
    inputs, (target, _) = ClipSamples(clips, y, None, collate, changes).batch(torch.arange(40), 0)
    assert torch.equal(sides_of(inputs["x"]), target.int())
    assert 8 < int((target.numpy() != y).sum()) < 32  # and many were
    without = ClipSamples(clips, y, None, collate, plan_clip_changes({"mirror": 0.5}, 4))
    assert torch.equal(without.batch(torch.arange(40), 0)[1][0], torch.as_tensor(y))


def test_clip_and_skeleton_are_mirrored_together_and_columns_exchanged():
    clips, poses, y = sided()
    labels = np.stack([y == 0, y == 1, np.arange(40) % 2], axis=1).astype(float)
    trials = [{"rgb": a, "pose": b} for a, b in zip(clips, poses)]
    how = {"mirror": 0.5, "swap": [(0, 1)], "skeleton": "coco17"}
    seen = {}

    class Looking(MuscleGroupClassifier):
        def _samples(self, *args, **kwargs):
            samples = super()._samples(*args, **kwargs)
            if kwargs.get("changes") is not None:
                seen["batch"] = samples.batch(torch.arange(40), 1)
            return samples

    small = {"widths": (8, 16), "depths": (1, 1), "image_size": 32, "pose_frames": 16}
    model = Looking(
        size="tiny", network_params=small, stage1_epochs=0, stage2_epochs=1, augment=how,
        random_state=0, normalize_pose=False,
    )  # fmt: skip
    model.fit(trials, labels)
    inputs, (target, _) = seen["batch"]
    side = sides_of(inputs["rgb"])
    assert torch.equal(target[:, 1].int(), side) and torch.equal(target[:, 0].int(), 1 - side)
    np.testing.assert_array_equal(target[:, 2], labels[:, 2])
    high = inputs["pose"][:, 0, 9:11, 1].argmin(dim=1)
    assert torch.equal(high.int(), side)
    assert 8 < int((target.numpy()[:, 1] != labels[:, 1]).sum()) < 32


def test_a_flat_skeleton_is_turned_over_where_it_stands():
    trial = np.zeros((4, 17, 3), np.float32)
    trial[..., 0] = 100 + np.arange(17)
    changes = plan_changes({"mirror": 1.0, "skeleton": "coco17"}, [trial])
    x, mirrored = changes.move(torch.from_numpy(trial)[None], np.random.RandomState(0))
    assert mirrored.all()
    assert float(x[..., 0].mean()) == pytest.approx(108)  # the middle stays
    left, right = 9, 10  # wrists
    assert float(x[0, 0, left, 0]) == pytest.approx(216 - (100 + right))


# --- poses ----------------------------------------------------------------------------------------
def moved(trial, how, seed=0, n_frames=None):
    changes = plan_changes(how, [trial], n_frames=n_frames, spread=2.0)
    rng = np.random.RandomState(seed)
    [rows] = changes.rows([np.arange(len(trial))], [0], rng)
    x, _ = changes.move(torch.from_numpy(trial[rows])[None], rng)
    return rows, changes.shift(x, rng)[0].numpy()


def test_jitter_is_new_in_each_frame_and_of_the_size_asked_for():
    _, x = moved(np.zeros((400, 5, 4), np.float32), {"jitter": 0.1})
    assert x[..., :3].std() == pytest.approx(0.2, rel=0.05)  # a tenth of a spread of 2
    assert abs(np.corrcoef(x[:-1, 0, 0], x[1:, 0, 0])[0, 1]) < 0.2
    assert (x[..., 3] == 0).all()  # a visibility is none


def test_turn_and_zoom_keep_the_middle_and_the_shape():
    trial = np.random.RandomState(0).randn(6, 5, 3).astype(np.float32) + 7
    factors, angles = set(), []
    for seed in range(30):
        _, x = moved(trial, {"turn": 20, "zoom": 0.25}, seed)
        middle = trial.mean(axis=(0, 1))
        np.testing.assert_allclose(x.mean(axis=(0, 1)), middle, atol=1e-4)
        a, b = trial - middle, x - middle
        old, new = a[..., 0] + 1j * a[..., 1], b[..., 0] + 1j * b[..., 1]
        ratio = new / old
        np.testing.assert_allclose(ratio, ratio.mean(), rtol=2e-3)
        np.testing.assert_allclose(b[..., 2] / a[..., 2], np.abs(ratio.mean()), rtol=1e-3)
        factors.add(float(np.abs(ratio.mean())))
        angles.append(np.rad2deg(np.angle(ratio.mean())))
    assert 0.8 - 1e-3 <= min(factors) < 0.9 and 1.1 < max(factors) <= 1.25 + 1e-3
    assert -20 <= min(angles) < -10 and 10 < max(angles) <= 20


def test_cut_and_time_jitter_of_poses():
    trial = np.zeros((40, 5, 3), np.float32)
    starts, lengths = set(), set()
    for seed in range(60):
        rows, _ = moved(trial, {"cut": 0.5}, seed)
        assert (np.diff(rows) == 1).all()
        starts.add(int(rows[0]))
        lengths.add(len(rows))
    assert min(lengths) >= 20 and max(lengths) <= 40 and len(starts) > 5
    for seed in range(10):
        rows, _ = moved(trial, {"time_jitter": True}, seed, n_frames=10)
        np.testing.assert_array_equal(rows // 4, np.arange(10))  # one from each stretch of four
    rows, _ = moved(trial, {"time_jitter": True}, n_frames=40)
    np.testing.assert_array_equal(rows, np.arange(40))


# --- in training ----------------------------------------------------------------------------------
def clip_model(**params):
    how = {"network_params": SLOW, "max_epochs": 2, "batch_size": 4, "random_state": 0}
    return VideoClassifier("slow", **(how | params))


@pytest.mark.parametrize(
    "augment",
    [{"crop": 0.5}, {"color": 0.5}, {"mirror": True}, {"cut": 0.6}, {"time_jitter": True}],
    ids=lambda one: next(iter(one)),
)
def test_each_reaches_the_training_of_clips_seeded(augment):
    rng = np.random.RandomState(0)
    X = [rng.randint(256, size=(12, 40, 48, 3)).astype(np.uint8) for _ in range(6)]
    y = [0, 1] * 3
    one = clip_model(augment=augment).fit(X, y).predict_proba(X)
    two = clip_model(augment=Augmentation(**augment), net_params={"iterator_train__n_workers": 2})
    np.testing.assert_array_equal(one, two.fit(X, y).predict_proba(X))
    nothing = clip_model(augment={}).fit(X, y).predict_proba(X)  # the same batches, unchanged
    assert not np.array_equal(one, nothing)


def test_several_labels_a_clip_and_a_pose_take_it_too():
    rng = np.random.RandomState(0)
    X = [rng.randint(256, size=(12, 40, 48, 3)).astype(np.uint8) for _ in range(6)]
    y = np.array([[1, 0, 1], [0, 1, 0]] * 3)
    how = {"max_epochs": 1, "batch_size": 4, "random_state": 0}

    def fit(network, X, **params):
        return MultiLabelVideoClassifier(network, **(how | params)).fit(X, y).predict_proba(X)

    small = {"network_params": SLOW}
    both = {"crop": 0.5, "mirror": 0.5, "swap": [(0, 1)]}
    one = fit("slow", X, augment=both, **small)
    np.testing.assert_array_equal(one, fit("slow", X, augment=both, **small))
    assert not np.array_equal(one, fit("slow", X, **small))
    poses = [rng.rand(20, 5, 3) for _ in range(6)]
    lstm = {"network_params": {"hidden_size": 4}}
    one = fit("lstm", poses, augment={"jitter": 0.5}, **lstm)
    assert not np.array_equal(one, fit("lstm", poses, **lstm))


# --- views ----------------------------------------------------------------------------------------
def test_views_are_averaged():
    rng = np.random.RandomState(0)
    X = [rng.randint(256, size=(12, 32, 60, 3)).astype(np.uint8) for _ in range(5)]
    model = clip_model(max_epochs=1).fit(X, [0, 1, 0, 1, 2])
    plain = model.decision_function(X)
    logits = []
    with torch.no_grad():
        for at in (0.25, 0.75):
            for where in (0.0, 0.5, 1.0):
                view = View(at=at, where=where)
                inputs = collate_clips(X, model.module_.clip, [view] * 5)
                logits.append(model.module_(**inputs).numpy())
    model.set_params(views=(2, 3))
    np.testing.assert_allclose(model.decision_function(X), np.mean(logits, axis=0), atol=1e-5)
    assert np.ptp(logits, axis=0).max() > 1e-4 and not np.allclose(plain, logits[0])
    np.testing.assert_array_equal(model.set_params(views=1).decision_function(X), plain)
    assert [view.at for view in check_views(10)][::9] == [0.05, 0.95]


def test_views_of_a_pose_are_its_frames_between():
    trial = np.arange(20.0)[:, None, None] * np.ones((1, 5, 3))
    assert view_of(trial, 5, 0.25)[:, 0, 0].tolist() == [1, 5, 9, 13, 17]
    assert view_of(trial, 5, 0.75)[:, 0, 0].tolist() == [3, 7, 11, 15, 19]
    assert view_of(trial, 20, 0.75) is trial
    data = tiny_trials()
    act = {"network": "act", "network_params": {"size": "micro", "n_frames": 6}, "max_epochs": 1}
    model = tiny_video(**act, views=2).fit(data.X, data.y)
    both = model.decision_function(data.X)
    model.set_params(views=1)
    each = [
        model.decision_function([view_of(trial, 6, at) for trial in data.X]) for at in (0.25, 0.75)
    ]
    np.testing.assert_allclose(both, np.mean(each, axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"views": (1, 3), "network": "act", "network_params": {"size": "micro"}}, "no pictures"),
        ({"views": 2}, "'lstm' reads every frame"),
        ({"views": (1, 2, 3)}, "views must be a number from 1 on"),
        ({"warmup": 2}, "warmup=2 epochs leave none of 2"),
    ],
)
def test_views_and_warmups_that_cannot_be(params, message):
    data = tiny_trials()
    with pytest.raises(ValueError, match=message):
        tiny_video(**params).fit(data.X, data.y)


# --- muscle groups, and keeping it all ------------------------------------------------------------
def test_muscle_groups_in_training_and_in_views():
    rng = np.random.RandomState(0)
    y = rng.randint(2, size=(6, 3))
    X = [
        {
            "rgb": rng.randint(256, size=(16, 40, 60, 3)).astype(np.uint8),
            "pose": rng.rand(20, 17, 3),
        }
        for _ in y
    ]
    X[1] = {"rgb": None, "pose": X[1]["pose"]}
    small = {"widths": (8, 16), "depths": (1, 1), "image_size": 32, "pose_frames": 16}
    how = {"size": "tiny", "network_params": small, "random_state": 0, "stage2_epochs": 0}

    def fit(**params):
        return MuscleGroupClassifier(**(how | {"stage1_epochs": 1} | params)).fit(X, y)

    every = {"crop": 0.5, "color": 0.2, "jitter": 0.1, "turn": 10, "cut": 0.3, "time_jitter": True}
    model = fit(augment=every, decay_norms=False)
    proba = model.predict_proba(X)
    np.testing.assert_array_equal(proba, fit(augment=every, decay_norms=False).predict_proba(X))
    plain = fit().predict_proba(X)
    assert not np.array_equal(proba, plain)
    views = model.set_params(views=(2, 2)).predict_proba(X)
    assert not np.allclose(views, proba)
    np.testing.assert_allclose(views[1], proba[1], atol=1e-6)  # a skeleton is seen whole
    with pytest.raises(ValueError, match="splice joins trials"):
        fit(augment={"splice": 0.5})


def test_a_saved_model_keeps_its_views_and_its_movement(tmp_path):
    rng = np.random.RandomState(0)
    X = [rng.randint(256, size=(12, 32, 60, 3)).astype(np.uint8) for _ in range(4)]
    augment = Augmentation(crop=0.3, mirror=True, swap=[("left", "right")])
    model = clip_model(
        network_params=SLOW | {"motion": "difference"}, max_epochs=2, warmup=1, views=(2, 3),
        augment=augment, decay_norms=False, optimizer="adamw", weight_decay=0.1,
    )  # fmt: skip
    model.fit(X, ["left", "right"] * 2)
    save(model, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.views == (2, 3) and again.augment.swap == [("left", "right")]
    assert again.module_.clip.motion == "difference"
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_batches_of_clips_draw_from_the_shuffle_only():
    clips, _, y = sided(8)
    recipe = replace(PLAIN, resize=32, crop=32)
    collate = lambda items, views: collate_clips(items, recipe, views)  # noqa: E731
    data = ClipSamples(clips, y, None, collate, plan_clip_changes({"crop": 0.5}, 4))

    def run(n_workers):
        torch.rand(n_workers + 1)  # torch's own state must not matter
        generator = torch.Generator().manual_seed(0)
        return [inputs["x"] for inputs, _ in Batches(data, 3, generator, n_workers)]

    for one, other in zip(run(0), run(2)):
        assert torch.equal(one, other)
