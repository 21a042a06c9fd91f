"""LeftRightRepair: exchanges that were put in are taken out, and nothing else is touched."""

import tracemalloc

import numpy as np
import pytest
from instances import tiny_frames
from sklearn.pipeline import make_pipeline

from skrehab.live import FrameStream
from skrehab.preprocessing import LeftRightRepair, find_swaps, swap_parts, swap_sides
from skrehab.skeletons import get_skeleton

SKELETON = "mediapipe33"


def walk(n_frames=80, n_coords=4, seed=0, view="front"):
    """Somebody walks: legs and arms swing against each other; seen from the side, legs cross."""
    rng = np.random.RandomState(seed)
    skeleton = get_skeleton(SKELETON)
    body = np.zeros((33, 3))
    height = {"nose": -0.7, "eye": -0.73, "ear": -0.7, "mouth": -0.66, "shoulder": -0.5}
    height |= {"elbow": -0.2, "wrist": 0.0, "pinky": 0.1, "index": 0.1, "thumb": 0.05}
    height |= {"hip": 0.0, "knee": 0.45, "ankle": 0.85, "heel": 0.9, "foot_index": 0.92}
    for i, name in enumerate(skeleton.landmarks):
        body[i, 1] = next(y for part, y in height.items() if part in name)
        wide = 0.06 if i < 11 else 0.2 if body[i, 1] < -0.1 or i < 23 else 0.12
        body[i, 0] = wide * (("left" in name) - ("right" in name))
    phase = np.arange(n_frames)[:, None] * 2 * np.pi / 30
    trial = np.repeat(body[None], n_frames, axis=0)
    side = np.sign(body[:, 0])
    swing = 0.35 * np.clip(body[:, 1] + 0.1, 0, 1) * side
    trial[..., 2] += np.sin(phase) * swing
    if view == "side":
        trial = trial[..., [2, 1, 0]]
    trial += 0.004 * rng.randn(*trial.shape)
    if n_coords == 4:
        trial = np.concatenate([trial, rng.rand(n_frames, 33, 1)], axis=2)
    return trial[..., :n_coords].astype(np.float32)


def exchanged(trial, stretches, skeleton=SKELETON):
    """Exchange labels over (part, start, stop); return the trial and where."""
    names = list(swap_parts(skeleton, trial.shape[1]))
    where = np.zeros((len(trial), len(names)), dtype=bool)
    for part, start, stop in stretches:
        where[start:stop, names.index(part)] = True
    return swap_sides(trial, where, skeleton), where


STRETCHES = {
    "one frame": [("legs", 20, 21)],
    "two parts": [("legs", 20, 29), ("arms", 25, 27)],
    "whole body": [("legs", 30, 41), ("arms", 30, 41), ("head", 30, 41)],
    "often": [("legs", t, t + 2) for t in range(5, 70, 6)],
    "none": [],
}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("view", ["front", "side"])
@pytest.mark.parametrize("n_coords", [3, 4])
@pytest.mark.parametrize("stretches", STRETCHES)
def test_exchanges_are_undone(stretches, view, n_coords, causal):
    trial = walk(n_coords=n_coords, view=view)
    broken, where = exchanged(trial, STRETCHES[stretches])
    repair = LeftRightRepair(causal=causal).fit([trial])
    np.testing.assert_array_equal(find_swaps(broken, causal=causal), where)
    np.testing.assert_array_equal(repair.transform([broken])[0], trial)
    np.testing.assert_array_equal(repair.count_swaps([trial, broken]), [[0, 0, 0], where.sum(0)])


@pytest.mark.parametrize("causal", [False, True])
def test_flat_from_the_side_legs_cross_and_nothing_happens(causal):
    """Where left and right lie on each other nobody can tell them apart: nothing is changed."""
    trial = walk(view="side")[..., :2]
    assert not find_swaps(trial, causal=causal).any()


def test_across_gaps():
    """Lost in between, the exchange is still seen; a long time later nothing is concluded."""
    trial = walk()
    broken, where = exchanged(trial, [("legs", 20, 37)])
    for start, stop in ((19, 21), (36, 38)):
        broken[start:stop] = np.nan
        where[start:stop] = False
    np.testing.assert_array_equal(find_swaps(broken), where)
    far, _ = exchanged(trial, [("legs", 50, 80)])
    far[20:50] = np.nan
    for causal in (False, True):
        assert not find_swaps(far, causal=causal).any()
        assert find_swaps(far, max_frames=60, causal=causal).any()


def test_one_side_lost():
    """Pairs of which only one side is seen say nothing, and go along with the others."""
    trial = walk()
    trial[:, 25] = np.nan  # left knee
    trial[10:15, 23:] = np.nan
    broken, where = exchanged(trial, [("legs", 20, 25)])
    assert np.isfinite(broken[22, 25]).all() and np.isnan(broken[22, 26]).all()
    np.testing.assert_array_equal(find_swaps(broken), where)
    np.testing.assert_array_equal(swap_sides(broken, where), trial)


def test_what_lasts_long_is_left_alone():
    trial = walk(150)
    broken, where = exchanged(trial, [("legs", 40, 90)])
    assert not find_swaps(broken, max_frames=30).any()
    np.testing.assert_array_equal(find_swaps(broken, max_frames=60), where)
    live = find_swaps(broken, max_frames=30, causal=True)[
        :, list(swap_parts(None, 33)).index("legs")
    ]
    assert np.flatnonzero(live)[:30].tolist() == list(range(40, 70))  # then it is believed


def test_the_shorter_stretch_is_held_to_be_wrong():
    trial = walk()
    for start, stop in ((0, 12), (66, 80)):
        broken, where = exchanged(trial, [("arms", start, stop)])
        np.testing.assert_array_equal(find_swaps(broken), where)


def test_pairs_of_ones_own():
    trial = walk()[:, [15, 16, 0]]
    broken = trial.copy()
    broken[7:9, :2] = trial[7:9, 1::-1]
    repair = LeftRightRepair(skeleton=[(0, 1)]).fit([trial])
    assert repair.parts_ == ("all",)
    np.testing.assert_array_equal(repair.transform([broken])[0], trial)
    for pairs in ([(0, 0)], [(0, 3)], [(0, 1, 2)], [(0.0, 1.0)]):
        with pytest.raises(ValueError, match="each column once and below 3"):
            LeftRightRepair(skeleton=pairs).fit([trial])
    with pytest.raises(ValueError, match=r"3 landmarks.*skeleton="):
        LeftRightRepair().fit([trial])
    with pytest.raises(ValueError, match="3 landmarks, not the 17 of coco17"):
        LeftRightRepair(skeleton="coco17").fit([trial])


@pytest.mark.parametrize("seed", range(4))
def test_live_is_offline(seed):
    """On anything at all, noise included, to the bit; and the past never changes."""
    rng = np.random.RandomState(seed)
    X = [walk(60, seed=seed), rng.randn(60, 33, 4).astype(np.float32)]
    for trial in X:
        trial[rng.rand(*trial.shape[:2]) < 0.2] = np.nan
        trial[20:24] = trial[45:58, 23:] = np.nan
    X[0] = exchanged(X[0], [("legs", 10, 15), ("arms", 30, 50)])[0]
    repair = LeftRightRepair(10, frame_rate=None, causal=True).fit(X)
    stream = repair._stream()
    for trial, whole in zip(X, repair.transform(X)):
        stream.reset()
        np.testing.assert_array_equal([stream.push(f, t) for t, f in enumerate(trial)], whole)
        for t in (1, 13, 40):
            np.testing.assert_array_equal(repair.transform([trial[:t]])[0], whole[:t])
    assert not np.array_equal(X[1], whole, equal_nan=True)  # noise did make it exchange


def test_in_a_live_pipeline():
    X = [walk(40, seed=i) for i in range(4)]
    labels = [np.arange(40) % 2 for _ in X]
    pipeline = make_pipeline(LeftRightRepair(causal=True), tiny_frames()).fit(X, labels)
    stream = FrameStream(pipeline)
    live = [stream.push(frame, t / 30) for t, frame in enumerate(X[0])]
    np.testing.assert_allclose(live, pipeline.predict_proba(X[:1])[0], rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match=r"LeftRightRepair\(causal=True\)"):
        FrameStream(make_pipeline(LeftRightRepair(), tiny_frames()).fit(X, labels))


def test_a_stream_takes_no_more_memory():
    stream = LeftRightRepair(causal=True).fit([walk()])._stream()
    frames = walk(300)
    for t in range(100):
        stream.push(frames[t], t)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for t in range(100, 300):
        stream.push(frames[t], t)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 20_000


def test_degenerate_trials():
    for trial in (np.zeros((5, 33, 3)), np.full((5, 33, 3), np.nan), np.zeros((1, 33, 3))):
        for causal in (False, True):
            assert not find_swaps(trial, causal=causal).any()


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_on_real_movement(shared, flat, causal):
    """Kinect trials of ten people: no false alarm; of what is put in, nearly all is found."""
    with np.load(shared / "data" / "uiprmd_kinect.npz") as data:
        frames, offsets = data["frames"][..., : 2 if flat else 3], data["offsets"]
    rng = np.random.RandomState(0)
    found = missed = wrong = 0
    for i in range(0, 2000, 67):
        trial = frames[offsets[i] : offsets[i + 1]]
        if len(trial) < 40:
            continue
        assert not find_swaps(trial, causal=causal).any()
        start = rng.randint(2, len(trial) // 2)
        stretches = [(part, start, start + rng.randint(1, 15)) for part in ("arms", "legs")]
        broken, where = exchanged(trial, stretches, None)
        said = find_swaps(broken, causal=causal)
        found += (said & where).sum()
        missed += (~said & where).sum()
        wrong += (said & ~where).sum()
    assert found > 200
    assert missed + wrong <= 0.03 * found
