"""Changes of training trials: each does what it says, labels go along, the same seed the same."""

import numpy as np
import pytest
import torch
from instances import tiny_frames, tiny_tcn, tiny_trials, tiny_video

from skrehab import BoneVectors, FrameTCN
from skrehab.skeletons import get_skeleton
from skrehab.training.augmentation import Augmentation
from skrehab.training.batching import Batches
from skrehab.training.plans import plan_changes
from skrehab.training.sequences import Sequences


def numbered(*lengths, n_landmarks=2):
    """Trials in which frame t of trial i holds 100 i + t."""
    return [
        np.broadcast_to((100 * i + np.arange(n))[:, None, None], (n, n_landmarks, 3)).astype(float)
        for i, n in enumerate(lengths)
    ]


def batch(trials, augment, targets=None, weights=None, seed=0, scaling=None, **who):
    changes = plan_changes(augment, trials, **who)
    n = len(trials)
    data = Sequences(
        trials,
        np.zeros(n) if targets is None else targets,
        np.ones(n) if weights is None else weights,
        scaling=scaling,
        changes=changes,
    )
    (inputs, (target, weight)) = data.batch(torch.arange(n), seed)
    return inputs["x"].numpy(), inputs["lengths"].numpy(), target.numpy(), weight.numpy()


# --- splice ---------------------------------------------------------------------------------------
def spliced(labels=None, groups=(0, 0, 1, 1), exercise=(0, 0, 0, 0)):
    trials = numbered(12, 12, 12, 12)
    for seed in range(20):
        x, lengths, _, _ = batch(
            *(trials, {"splice": 1.0}),
            seed=seed,
            groups=None if groups is None else np.array(groups),
            exercise=np.array(exercise),
            labels=labels,
        )
        for i, (row, n) in enumerate(zip(x[..., 0, 0], lengths)):
            yield i, row[:n]


def test_a_trial_stays_whole_and_a_piece_comes_before_or_behind():
    sides = set()
    for i, frames in spliced():
        own = 100 * i + np.arange(12)
        before = (frames[-12:] == own).all()
        assert before or (frames[:12] == own).all()
        piece = frames[:-12] if before else frames[12:]
        assert 4 <= len(piece) <= 12 and (np.diff(piece) == 1).all()
        sides.add(bool(before))
    assert sides == {True, False}


def test_what_is_whole_is_joined_as_it_is():
    trials = numbered(12, 9)
    seen = {9: set(), 12: set()}
    for seed in range(40):
        who = {"groups": np.zeros(2), "whole": np.array([True, False])}
        x, lengths, _, _ = batch(trials, {"splice": 1.0}, seed=seed, **who)
        for row, n, own in zip(x[..., 0, 0], lengths, (12, 9)):
            # a trial may be joined to itself: count the frames of the other where it is there
            other = [t for t in row[:n] if (t >= 100) == (own == 12)]
            if other:
                seen[21 - own].add(len(other))
    assert seen[12] == {12} and seen[9] > {3, 9}


def test_a_frame_model_joins_all_of_a_trial_whose_labels_change():
    class Looking(FrameTCN):
        def _samples(self, *columns, changes=None):
            self.changes = changes
            return super()._samples(*columns, changes=changes)

    normal, lean, lost = [1.0, 0.0], [0.2, 0.8], [np.nan, np.nan]
    soft = [[normal] * 12, [normal] * 6 + [lean] * 6, [lean] * 5 + [lost] * 7]
    hard = [np.zeros(12, int), np.repeat([0, 1], 6), np.repeat([1, -1], [5, 7])]
    for labels in (soft, hard):
        model = Looking(augment={"splice": 0.5}, max_epochs=1, random_state=0)
        model.fit(numbered(12, 12, 12), labels, groups=[0, 0, 0])
        assert model.changes.whole.tolist() == [False, True, False]


def test_pieces_are_of_the_same_person_and_exercise():
    for i, frames in spliced():
        assert set((frames // 100).astype(int)) <= ({0, 1} if i < 2 else {2, 3})
    for i, frames in spliced(groups=(0, 0, 0, 0), exercise=(0, 1, 0, 1)):
        assert set((frames // 100).astype(int)) <= ({0, 2} if i % 2 == 0 else {1, 3})
    assert {len(frames) for _, frames in spliced(groups=None)} == {12}  # off


def test_a_video_classifier_joins_normal_trials_only():
    seen = set()
    for i, frames in spliced(labels=np.array([1, 0, 1, 1])):
        others = set((frames // 100).astype(int)) - {i}
        assert others <= {1} and (i < 2 or not others)  # nobody normal in the second group
        seen |= others
    assert seen == {1}
    with pytest.raises(ValueError, match="normal_label is needed to splice"):
        list(spliced(labels=np.array(["a", "b", "a", "b"])))
    with pytest.raises(ValueError, match="normal_label=3 is not among"):
        plan_changes(
            {"splice": 1, "normal_label": 3}, numbered(3), groups=[0], labels=np.array([1])
        )


# --- the others -----------------------------------------------------------------------------------
def test_labels_and_weights_go_along():
    trials = numbered(12, 9, 15)
    targets = [trial[:, 0, 0] for trial in trials]
    weights = [np.where(np.arange(len(t)) == 3, np.nan, 1 + t) for t in targets]
    for seed in range(5):
        x, lengths, target, weight = batch(
            *(trials, {"splice": 0.5, "stretch": 0.3}, targets, weights),
            seed=seed,
            groups=np.zeros(3),
        )
        for frames, n, t, w in zip(x[..., 0, 0], lengths, target, weight):
            np.testing.assert_array_equal(frames[:n], t[:n])
            np.testing.assert_array_equal(np.isnan(w[:n]), t[:n] % 100 == 3)
            assert np.isnan(w[n:]).all() and (frames[n:] == 0).all()


def test_stretching_keeps_ends_and_order():
    longer = set()
    for seed in range(20):
        x, lengths, _, _ = batch(numbered(40), {"stretch": 0.2}, seed=seed)
        frames = x[0, :, 0, 0]
        assert frames[0] == 0 and frames[-1] == 39 and (np.diff(frames) >= 0).all()
        longer.add(int(np.sign(lengths[0] - 40)))
    assert longer >= {-1, 1}


@pytest.mark.parametrize("vertical", [0, 1, 2])
def test_rotation_about_the_vertical(vertical):
    trials = [np.random.RandomState(i).randn(6, 4, 4).astype(np.float32) for i in range(50)]
    x, *_ = batch(trials, {"rotate": 20, "vertical": vertical})
    old = np.stack(trials)
    np.testing.assert_allclose(x[..., [vertical, 3]], old[..., [vertical, 3]])  # 3: visibility
    plane = [axis for axis in range(3) if axis != vertical]
    before, after = (one[..., plane[0]] + 1j * one[..., plane[1]] for one in (old, x))
    angle = np.rad2deg(np.angle(after / before))
    np.testing.assert_allclose(np.abs(after), np.abs(before), rtol=1e-5)
    np.testing.assert_allclose(angle, np.broadcast_to(angle[:, :1, :1], angle.shape), atol=1e-3)
    assert 15 < np.abs(angle).max() <= 20 and angle.min() < 0 < angle.max()


def test_one_offset_a_trial_in_units_of_the_spread():
    trials = [np.zeros((5, 2, 4), dtype=np.float32) for _ in range(4000)]
    spread = np.arange(1.0, 9).reshape(2, 4)
    x, *_ = batch(trials, {"offset": 0.5}, spread=spread)
    assert (x == x[:, :1]).all()
    np.testing.assert_allclose(x[:, 0, :, :3].std(axis=0), 0.5 * spread[:, :3], rtol=0.05)
    assert (x[..., 3] == 0).all()  # a visibility is none


def test_scaling_comes_after_turning_and_before_the_offset():
    trials = [np.random.RandomState(i).randn(6, 2, 3).astype(np.float32) for i in range(3)]
    mean, scale = np.full((2, 3), 2.0), np.array([[1.0, 5, 1], [1, 5, 9]])
    turned, *_ = batch(trials, {"rotate": 20})
    x, *_ = batch(trials, {"rotate": 20}, scaling=(mean, scale))
    np.testing.assert_allclose(x, (turned - mean) / scale, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["mediapipe33", "kinect25", "uiprmd22"])
def test_mirroring_bones_is_mirroring_the_body(name):
    skeleton = get_skeleton(name)
    trial = np.random.RandomState(0).randn(8, skeleton.n_landmarks, 3).astype(np.float32)
    bones = BoneVectors(name, window=1)
    body, *_ = batch([trial], {"mirror": 1.0, "skeleton": name})
    assert not np.allclose(body[0], trial)
    expected = bones.fit_transform(list(body))[0]
    how = {"mirror": 1.0, "skeleton": name + "_bones"}
    x, *_ = batch(bones.transform([trial]), how)
    np.testing.assert_allclose(x[0], expected, atol=1e-5)
    twice, *_ = batch(list(x), how)
    np.testing.assert_allclose(twice[0], bones.transform([trial])[0], atol=1e-6)


def test_what_is_lost_stays_lost():
    trials = [np.ones((6, 5, 3), dtype=np.float32) for _ in range(4)]
    trials[1][2:4, 3] = np.nan
    x, *_ = batch(trials, {"rotate": 20, "offset": 1.0})
    assert (x[1, 2:4, 3] == 0).all() and (x[1, :2] != 0).all()


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"splice": 2}, "'splice' parameter"),
        ({"speed": 2}, "augment has no parameter 'speed': known are"),
        ({"mirror": True}, "mirror needs a skeleton"),
        ({"skeleton": "mediapipe33"}, "the trials have 2 landmarks, skeleton 'mediapipe33' has 33"),
    ],
)
def test_what_it_refuses(augment, message):
    with pytest.raises(ValueError, match=message):
        plan_changes(augment, numbered(4))


def test_flat_trials_do_not_turn():
    with pytest.raises(ValueError, match="rotate needs three coordinates"):
        plan_changes({"rotate": 5}, [np.zeros((4, 2, 2))])
    flat = {"rotate": 5, "skeleton": "coco17"}  # its third coordinate is a score
    with pytest.raises(ValueError, match="rotate needs three coordinates"):
        plan_changes(flat, [np.zeros((4, 17, 3))])


# --- in training ----------------------------------------------------------------------------------
EACH = [{"splice": 1.0}, {"rotate": 90}, {"offset": 0.5}, {"stretch": 0.5}]


@pytest.mark.parametrize("make", [tiny_tcn, tiny_video], ids=["tcn", "video"])
@pytest.mark.parametrize("augment", EACH, ids=lambda one: next(iter(one)))
def test_it_reaches_training_seeded(make, augment):
    data = tiny_trials()

    def fit(**params):
        y = data.y if make is tiny_video else data.frame_labels
        model = make(**params).fit(data.X, y, groups=data.patients)
        return np.concatenate(list(model.predict_proba(data.X)))

    one = fit(augment=augment)
    np.testing.assert_array_equal(one, fit(augment=Augmentation(**augment)))
    assert not np.array_equal(one, fit())


def test_workers_do_not_change_what_is_drawn():
    data = tiny_trials()
    model = tiny_tcn(augment={"offset": 0.5, "splice": 0.5})
    one = model.fit(data.X, data.frame_labels, groups=data.patients).predict_proba(data.X)
    model.set_params(net_params={"iterator_train__n_workers": 3})
    two = model.fit(data.X, data.frame_labels, groups=data.patients).predict_proba(data.X)
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)


def test_single_frames_are_changed_too():
    data = tiny_trials()
    plain = tiny_frames().fit(data.X, data.frame_labels).predict_proba(data.X)[0]
    model = tiny_frames(augment={"rotate": 90}).fit(data.X, data.frame_labels)
    assert not np.array_equal(model.predict_proba(data.X)[0], plain)


def test_networks_over_pictures_take_no_changes_of_poses():
    with pytest.raises(ValueError, match="offset changes poses, and these are pictures"):
        tiny_video(network="slow", network_params={}, augment={"offset": 1.0}).fit(
            [np.zeros((4, 32, 32, 3), dtype=np.uint8)] * 4, [0, 1, 0, 1]
        )


# --- batches of like length -----------------------------------------------------------------------
def test_batches_of_like_length_pad_less_and_lose_nothing():
    rng = np.random.RandomState(0)
    trials = [np.zeros((n, 1, 3)) for n in rng.randint(5, 200, size=103)]
    data = Sequences(trials, np.arange(103), np.ones(103))

    def padding(like_length):
        generator = torch.Generator().manual_seed(0)
        seen, frames, sizes = [], 0, []
        batches = Batches(data, 8, generator, like_length=like_length)
        for inputs, (target, _) in batches:
            seen += target.tolist()
            frames += inputs["x"].shape[0] * inputs["x"].shape[1]
            sizes.append(len(target))
        assert sorted(seen) == list(range(103)) and len(sizes) == len(batches)
        return 1 - sum(map(len, trials)) / frames, seen

    assert padding(4)[0] < 0.6 * padding(0)[0]
    assert padding(4)[1] == padding(4)[1] and padding(4)[1] != sorted(padding(4)[1])


def test_parts_of_equal_size_are_sorted_and_cut_into_batches():
    """14 trials in batches of 2, 3 alike: two parts of 7, and a batch across their border."""
    trials = [np.zeros((n, 1, 3)) for n in range(1, 15)]
    data = Sequences(trials, np.arange(14), np.ones(14))
    order = torch.randperm(14, generator=torch.Generator().manual_seed(5)).tolist()
    alike = sorted(order[:7]) + sorted(order[7:])
    expected = {tuple(alike[i : i + 2]) for i in range(0, 14, 2)}
    batches = Batches(data, 2, torch.Generator().manual_seed(5), like_length=3)
    found = [tuple(target.tolist()) for _, (target, _) in batches]
    assert set(found) == expected and len(found) == 7
    assert found != [tuple(alike[i : i + 2]) for i in range(0, 14, 2)]  # shuffled
