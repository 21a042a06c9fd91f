"""The synthetic Box-and-Block test shows what its labels and key-points say."""

import pickle

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state

from skrehab.datasets import make_bbt_clips
from skrehab.datasets.drawn.bbt_film import LazyClip
from skrehab.datasets.drawn.bbt_patients import (
    BLOCKS,
    WITH_OBJECT,
    WITHOUT_OBJECT,
    plan_clips,
)

NAMES = ["Grasping", "Non-task Movement", "Transport with Object", "Transport without Object"]
GRASPING, NON_TASK, WITH, WITHOUT = NAMES
NOSE, WRISTS, HIPS, ANKLES = 0, [9, 10], [11, 12], [15, 16]


@pytest.fixture(scope="module")
def clips():
    """Five patients, two clips a class, eight frames each."""
    return make_bbt_clips(5, 2, n_frames=8, random_state=0)


@pytest.fixture(scope="module")
def movements():
    """Many clips' key-points; the pictures are not rendered."""
    return make_bbt_clips(12, 6, lazy=True, random_state=1)


def wrist(pose, side):
    """The acting hand's wrist, (n_frames, 3)."""
    return pose[:, WRISTS[0] if side == "left" else WRISTS[1]]


def pixels(frame, point, reach):
    """Values of the square around a point, cut at the picture's edges."""
    x, y = (int(value) for value in point[:2])
    rows, columns = (slice(max(v - reach, 0), v + reach + 1) for v in (y, x))
    return frame[rows, columns].reshape(-1, 3).astype(float)


def test_form(clips):
    assert clips.target_names == NAMES and len(clips.videos) == len(clips.poses) == 40
    for video, pose in zip(clips.videos, clips.poses):
        assert isinstance(video, np.ndarray)
        assert video.shape == (8, 64, 64, 3) and video.dtype == np.uint8
        assert pose.shape == (8, 17, 3) and pose.dtype == np.float32
        assert (pose[..., :2] >= 0).all() and (pose[..., :2] < 64).all()
        assert (pose[..., 2] > 0).all() and (pose[..., 2] < 1).all()
    assert clips.target.tolist() == list(np.repeat(NAMES, 2)) * 5
    assert clips.patients.tolist() == list(np.repeat(["P01", "P02", "P03", "P04", "P05"], 8))
    assert clips.groups is clips.patients
    assert set(clips.side) == {"left", "right"}
    assert (clips.activity[clips.target == WITH] == "transport").all()
    assert clips.frame_rate == 30.0 and clips.skeleton == "coco17"


# --- the same seed, the same bytes ----------------------------------------------------------------
def test_same_seed_same_bytes():
    np.random.seed(7)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = make_bbt_clips(2, 1, n_frames=5, random_state=3)
    again = make_bbt_clips(2, 1, n_frames=5, random_state=np.random.RandomState(3))
    other = make_bbt_clips(2, 1, n_frames=5, random_state=4)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    for a, b in zip(first.videos + first.poses, again.videos + again.poses):
        assert a.tobytes() == b.tobytes()
    assert first.videos[0].tobytes() != other.videos[0].tobytes()


def test_lazy_clips_are_the_same_clips(clips):
    lazy = make_bbt_clips(5, 2, n_frames=8, lazy=True, random_state=0)
    video = lazy.videos[6]
    assert video.shape == (8, 64, 64, 3) and video.dtype == np.uint8
    assert video.ndim == 4 and len(video) == 8
    assert (np.asarray(video) == clips.videos[6]).all()
    assert (video[2:4] == clips.videos[6][2:4]).all()
    assert np.asarray(video, dtype=float).dtype == float
    with pytest.raises(ValueError, match="rendered anew"):
        np.asarray(video, copy=False)
    stored = pickle.dumps(video)
    assert len(stored) < 10_000
    assert (np.asarray(pickle.loads(stored)) == clips.videos[6]).all()
    assert all((a == b).all() for a, b in zip(lazy.poses, clips.poses))


def test_another_size_shows_the_same():
    small = make_bbt_clips(2, 1, n_frames=4, image_size=32, random_state=5)
    large = make_bbt_clips(2, 1, n_frames=4, image_size=96, random_state=5)
    for a, b in zip(small.poses, large.poses):
        np.testing.assert_allclose(3 * a[..., :2], b[..., :2], atol=0.02)
        np.testing.assert_allclose(a[..., 2], b[..., 2], atol=1e-5)
    for a, b in zip(small.videos, large.videos):
        reduced = b.reshape(4, 32, 3, 32, 3, 3).mean(axis=(2, 4))
        assert np.abs(reduced - a).mean() < 8  # of 255
        # smaller than between two clips of one person
    assert np.abs(small.videos[0].astype(float) - small.videos[4]).mean() > 20


@pytest.mark.parametrize("options", [{"n_frames": 1}, {"frame_rate": 10.0}, {"image_size": 16}])
def test_extreme_sizes(options):
    data = make_bbt_clips(1, 1, **{"n_frames": 3, **options}, random_state=0)
    assert all(np.isfinite(pose).all() for pose in data.poses)
    assert all(video.std() > 10 for video in data.videos)


# --- key-points and pictures agree ----------------------------------------------------------------
def test_key_points_lie_on_the_person(clips):
    """The wrist has the colour of the face, what lies beside the hand has not."""
    at, beside = [], []
    for video, pose in zip(clips.videos, clips.poses):
        for frame, points in zip(video, pose):
            face = np.median(pixels(frame, points[NOSE], 1), axis=0)
            for index in WRISTS:
                if min(points[[index, NOSE], 2]) < 0.8 or points[index, 1] < 14:
                    continue
                far = points[index] - [0, 12, 0]
                at.append(np.abs(np.median(pixels(frame, points[index], 1), 0) - face).mean())
                beside.append(np.abs(np.median(pixels(frame, far, 1), 0) - face).mean())
    assert len(at) > 300
    assert np.mean(np.array(at) < 30) > 0.9 > 0.4 > np.mean(np.array(beside) < 30)


def test_the_body_is_seated_facing_the_camera(clips):
    for pose in clips.poses:
        x, y, score = np.median(pose, axis=0).T
        assert x[5] > x[6] and x[11] > x[12] - 3  # the left is on the picture's right
        assert y[NOSE] < y[[5, 6]].min() < y[HIPS].max()
        assert score[[5, 6]].min() > 0.6
        assert score[HIPS].max() < 0.6 and score[ANKLES].max() < 0.3


def test_scores_fall_where_a_hand_hides_the_face(movements):
    scores = {"face": [], "resting": []}
    for pose, activity in zip(movements.poses, movements.activity):
        if activity in scores:
            scores[activity].append(pose[:, NOSE, 2].min())
    assert len(scores["face"]) > 3 and len(scores["resting"]) > 3
    assert np.median(scores["face"]) < 0.6 < 0.8 < np.median(scores["resting"])


def test_one_patient_looks_alike(clips):
    """The room's upper corners and the average brightness belong to the patient."""
    corners = np.array([video[:, :8, :8].mean(axis=(0, 1, 2)) for video in clips.videos])
    people = corners.reshape(5, 8, 3)
    assert people.std(axis=1).max() < 3
    assert people.mean(axis=1).std(axis=0).min() > 6


# --- the classes ----------------------------------------------------------------------------------
def twins(n):
    """Transports with a block, and the same clips without."""
    plan = plan_clips(n, 1, None, check_random_state(2))
    for clip in plan:
        if clip["target"] == WITH_OBJECT:
            yield tuple(
                LazyClip({**clip, "target": target}, 10, 64, 10.0)
                for target in (WITH_OBJECT, WITHOUT_OBJECT)
            )


def test_transport_with_and_without_is_one_movement():
    """Key-points are equal to the bit; pictures differ by the block and the fingers."""
    for loaded, empty in twins(6):
        pose, side, _ = loaded.observe()
        assert (pose == empty.observe()[0]).all()
        there, gone = (np.asarray(clip).astype(int) for clip in (loaded, empty))
        changed = np.abs(there - gone).max(axis=-1) > 25
        assert (changed.sum(axis=(1, 2)) > 5).all()
        rows, columns = np.mgrid[:64, :64]
        for t in range(4, 7):  # held whatever happens later
            x, y, _ = wrist(pose, side)[t]
            near = np.hypot(columns - x, rows - y) < 18
            assert changed[t][near].sum() > 0.95 * changed[t].sum()
            # and one of the four colours has come
            new = there[t][changed[t]]
            new = new / new.sum(axis=1, keepdims=True)
            colours = np.array(BLOCKS) / np.sum(BLOCKS, axis=1, keepdims=True)
            distance = np.abs(new[:, None] - colours).sum(axis=2)
            assert (distance.min(axis=1) < 0.3).sum() > 3


def block_pixels(video, pose, side):
    """Pixels in blocks' colours below the wrist, in the three frames where it is highest."""
    points = wrist(pose, side)
    rows, columns = np.mgrid[: video.shape[1], : video.shape[2]]
    counts = []
    for t in np.argsort(points[:, 1])[:3]:
        x, y, _ = points[t]
        near = (abs(columns - x) < 10) & (rows > y - 3) & (rows < y + 11)
        low, high = video[t].min(axis=-1).astype(int), video[t].max(axis=-1).astype(int)
        counts.append((near & (low < 0.36 * high) & (high - low > 75)).sum())
    return [np.mean(counts), max(counts), min(counts)]


def test_pictures_tell_transports_apart_and_key_points_do_not():
    data = make_bbt_clips(10, 2, n_frames=8, class_weights={WITH: 1, WITHOUT: 1}, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    by_patient = {"groups": data.patients, "cv": GroupKFold(5), "scoring": "balanced_accuracy"}
    seen = np.array([block_pixels(*clip) for clip in zip(data.videos, data.poses, data.side)])
    moved = np.array([pose.ravel() for pose in data.poses])
    assert cross_val_score(model, seen, data.target, **by_patient).mean() > 0.8
    assert cross_val_score(model, moved, data.target, **by_patient).mean() < 0.62


def test_key_points_tell_the_other_classes_apart(movements):
    """Unseen patients, from where the wrists go alone."""
    features = []
    for pose in movements.poses:
        place = pose[:, WRISTS, :2].reshape(len(pose), 4)
        features.append(
            np.r_[np.ptp(place, axis=0), place.min(0), place.max(0), place[-1] - place[0]]
        )
    merged = np.where(movements.target == WITHOUT, WITH, movements.target)
    scores = cross_val_score(
        RandomForestClassifier(50, random_state=0),
        np.array(features),
        merged,
        groups=movements.patients,
        cv=GroupKFold(4),
        scoring="balanced_accuracy",
    )
    assert scores.mean() > 0.85


def test_grasping_goes_down_and_up_and_stays(movements):
    for pose, side in chosen(movements, GRASPING):
        x, y, _ = wrist(pose, side).T / 64
        lowest = int(np.argmax(y))
        assert y[lowest] - y[:4].mean() > 0.02  # down (the picture's y points down)
        assert y[lowest] - y[-3:].mean() > 0.015  # and up
        assert np.ptp(x) < 0.12  # in one compartment


def test_transport_crosses_over_the_partition(movements):
    for name in (WITH, WITHOUT):
        for pose, side in chosen(movements, name):
            x, y, _ = wrist(pose, side).T / 64
            assert abs(x[-1] - x[0]) > 0.11
            assert min(y[0], y[-1]) - y.min() > 0.02


def chosen(data, name):
    return [
        (pose, side)
        for pose, side, target in zip(data.poses, data.side, data.target)
        if target == name
    ]


def test_the_named_side_acts(movements):
    for name in (WITH, GRASPING):
        for pose, side in chosen(movements, name):
            other = "left" if side == "right" else "right"
            path = [np.ptp(wrist(pose, one)[:, :2], axis=0).max() for one in (side, other)]
            assert path[0] > path[1]


def test_patients_differ_and_vary(movements):
    """Sizes differ between patients, and paths within one."""
    width = {}
    for pose, patient in zip(movements.poses, movements.patients):
        width.setdefault(patient, []).append(np.median(pose[:, 5, 0] - pose[:, 6, 0]))
    means = [np.mean(values) for values in width.values()]
    assert np.std(means) > 1.5 * np.mean([np.std(values) for values in width.values()])
    paths = [pose[:, WRISTS] for pose, _ in chosen(movements, WITH)]
    assert all(not np.allclose(paths[0], path, atol=1) for path in paths[1:])


# --- how many of each -----------------------------------------------------------------------------
def counts(**options):
    data = make_bbt_clips(lazy=True, n_frames=2, random_state=0, **options)
    assert len(set(np.unique(data.patients, return_counts=True)[1])) == 1
    return [int((data.target == name).sum()) for name in NAMES]


def test_class_weights():
    assert counts(n_patients=3, clips_per_class=2) == [6, 6, 6, 6]
    assert counts(n_patients=5, clips_per_class=5, class_weights="imbalanced") == [34, 36, 18, 12]
    assert counts(n_patients=2, clips_per_class=5, class_weights=[1, 1, 2, 4]) == [5, 5, 10, 20]
    assert counts(n_patients=2, clips_per_class=1, class_weights={WITH: 3, GRASPING: 1}) == [
        2,
        0,
        6,
        0,
    ]
    # a rare class still occurs
    assert counts(n_patients=1, clips_per_class=2, class_weights=[1, 1, 1, 1e-6])[3] == 1


@pytest.mark.parametrize(
    "options, message",
    [
        ({"n_patients": 0}, "n_patients must be a whole number of at least 1, got 0"),
        ({"clips_per_class": 1.5}, "clips_per_class"),
        ({"n_frames": True}, "n_frames"),
        ({"image_size": 8}, "image_size must be a whole number of at least 16"),
        ({"frame_rate": 0}, "frame_rate must be at least 1"),
        ({"class_weights": "balanced"}, "'imbalanced'"),
        ({"class_weights": [1, 2]}, "four finite numbers"),
        ({"class_weights": [0, 0, 0, 0]}, "not all 0"),
        ({"class_weights": [1, 1, 1, -1]}, ">= 0"),
        ({"class_weights": {"Grabbing": 1}}, "no class 'Grabbing'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        make_bbt_clips(**options)
