"""Synthetic exercises: bodies that hold together, pictures that show them, labels that follow."""

import pickle
import tracemalloc

import numpy as np
import pytest

from skrehab.datasets.drawn.ex_activities import ACTIVITIES, FLOOR, LOWER, UPPER
from skrehab.datasets.drawn.ex_film import ExerciseClip, _act, _camera, _style
from skrehab.datasets.drawn.ex_persons import plan_clips
from skrehab.datasets.drawn.ex_render import Clip
from skrehab.datasets.exercise_clips import make_exercise_clips
from skrehab.evaluation import known_new_split
from skrehab.muscles import MUSCLE_GROUPS
from skrehab.training.clips import check_videos, read_clip

SOME = ["squats", "biceps curls", "push ups", "band rows", "bicycle crunches"]
PLAN = plan_clips(2, 1, list(ACTIVITIES.values()), np.random.RandomState(0))


@pytest.fixture(scope="module")
def acted():
    """Joints of every activity by two persons, 40 frames."""
    return [(clip, *_act(clip, 40, 12.0)) for clip in PLAN]


def length(a, b):
    return np.linalg.norm(a - b, axis=-1)


def angle(a, b, c):
    """Angle at b in degrees."""
    u, v = a - b, c - b
    cosine = (u * v).sum(-1) / (length(a, b) * length(c, b))
    return np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))


# --- what comes back ------------------------------------------------------------------------------
def test_what_comes_back():
    data = make_exercise_clips(n_persons=2, clips_per_activity=2, activities=SOME, random_state=0)
    assert len(data.X) == len(data.y) == len(data.activity) == 20
    assert set(data.X[0]) == {"rgb", "pose"} and data.X[0]["pose"].dtype == np.float32
    assert data.y.shape == (20, 20) and set(np.unique(data.y)) == {0, 1}
    assert data.muscles == list(MUSCLE_GROUPS) and data.skeleton == "coco17"
    assert list(dict.fromkeys(data.activity)) == SOME
    assert data.person[[0, -1]].tolist() == ["P01", "P02"] and data.groups is data.person
    assert data.new_activities == ["bicycle crunches"]
    assert data.resistance[[2, 6]].tolist() == ["dumbbells", "band ahead"]
    split = known_new_split(data.activity, data.new_activities, groups=data.person, val=0, test=0.5)
    assert not set(data.activity[split.train]) & set(data.new_activities)
    check_videos([x["rgb"] for x in data.X])


def test_lazy_clips_are_the_drawn_ones():
    lazy, drawn = (
        make_exercise_clips(
            1, activities=SOME, n_frames=12, image_size=32, lazy=lazy, random_state=5
        )
        for lazy in (True, False)
    )
    for one, two in zip(lazy.X, drawn.X):
        clip, frames = one["rgb"], two["rgb"]
        assert isinstance(frames, np.ndarray) and clip.shape == frames.shape and len(clip) == 12
        np.testing.assert_array_equal(np.asarray(clip), frames)
        np.testing.assert_array_equal(one["pose"], two["pose"])
        for index in (3, -1, slice(2, 9, 3), [5, 5, 0], np.array([11, 2]), (slice(None), 4)):
            np.testing.assert_array_equal(clip[index], frames[index])
        np.testing.assert_array_equal(clip[2, 5, 6], frames[2, 5, 6])
        np.testing.assert_array_equal(clip[1:3, :8, :8, 0], frames[1:3, :8, :8, 0])
        np.testing.assert_array_equal(read_clip(clip, 4), read_clip(frames, 4))
        again = pickle.loads(pickle.dumps(clip))
        np.testing.assert_array_equal(again[7], frames[7])
    assert len(pickle.dumps(lazy.X[0]["rgb"])) < 3000
    with pytest.raises(ValueError, match="no array that could be shared"):
        np.array(lazy.X[0]["rgb"], copy=False)
    with pytest.raises(IndexError):
        lazy.X[0]["rgb"][12]


def test_the_seed_decides():
    def make(seed):
        data = make_exercise_clips(1, activities=["squats"], n_frames=4, random_state=seed)
        return data.X[0]["rgb"][0], data.X[0]["pose"]

    for one, two, other in zip(make(1), make(1), make(2)):
        np.testing.assert_array_equal(one, two)
        assert (one != other).any()


def test_the_same_at_any_size():
    small, large = (
        make_exercise_clips(1, activities=SOME, n_frames=4, image_size=size, random_state=0)
        for size in (48, 96)
    )
    for one, two in zip(small.X, large.X):
        np.testing.assert_allclose(2 * one["pose"][..., :2], two["pose"][..., :2], atol=0.01)
        reduced = two["rgb"][0].reshape(48, 2, 48, 2, 3).mean(axis=(1, 3))
        assert np.abs(reduced - one["rgb"][0]).mean() < 8


def test_many_clips_need_no_memory():
    tracemalloc.start()
    data = make_exercise_clips(4, activities=list(FLOOR), image_size=224, random_state=0)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    poses = sum(x["pose"].nbytes for x in data.X)
    one_clip = np.prod(data.X[0]["rgb"].shape)
    assert held - poses < 0.2 * one_clip  # 48 clips together


# --- labels ---------------------------------------------------------------------------------------
def test_every_muscle_is_trained_on_and_tested_on():
    labels = np.array([activity.labels for activity in ACTIVITIES.values()])
    is_new = np.array([activity.is_new for activity in ACTIVITIES.values()])
    assert labels[~is_new].any(axis=0).all() and labels[is_new].any(axis=0).all()
    assert labels.any(axis=1).all()
    assert 0.15 < is_new.mean() < 0.25


def test_new_activities_are_made_of_known_parts():
    known = [activity for activity in ACTIVITIES.values() if not activity.is_new]
    for activity in ACTIVITIES.values():
        if activity.is_new and activity.lower != "floor":
            assert any(one.lower == activity.lower for one in known)
            same_arms = (
                one.upper == activity.upper and one.resists == activity.resists for one in known
            )
            assert any(same_arms)


def test_labels_are_the_union_of_what_works():
    curls = ACTIVITIES["squat curls"]
    assert set(curls.muscles) == {"quadriceps", "glutes", "biceps", "forearms"}
    assert sum(curls.labels) == 4 and curls.labels[MUSCLE_GROUPS.index("biceps")] == 1
    used = {name for activity in ACTIVITIES.values() for name in activity.muscles}
    assert used == set(MUSCLE_GROUPS)  # no name is misspelt
    assert {activity.lower for activity in ACTIVITIES.values()} == {*LOWER, "floor"}
    assert {activity.upper for activity in ACTIVITIES.values()} == {*UPPER, *FLOOR}


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("biceps curls", "band pushdowns", {"biceps", "triceps"}),
        ("overhead presses", "lat pulldowns", {"triceps", "latissimus", "biceps"}),
        ("band chest presses", "band rows", {"chest", "upper back"}),
        ("band abductions", "band adductions", {"hip abductors", "adductors"}),
    ],
)
def test_key_points_do_not_tell_what_resists(one, other, differ):
    """The same clip against other resistance: same key-points, other picture, other muscles."""
    clips = [PLAN[0] | {"activity": ACTIVITIES[name]} for name in (one, other)]
    films = [ExerciseClip(clip, 12, 64, 12.0) for clip in clips]
    np.testing.assert_array_equal(films[0].observe(), films[1].observe())
    apart = np.abs(films[0][0].astype(int) - films[1][0]).max(axis=2) > 25
    assert apart.sum() > 20  # pixels of the gear
    muscles = [set(ACTIVITIES[name].muscles) for name in (one, other)]
    assert differ <= muscles[0] ^ muscles[1]


def test_labelled_limbs_move(acted):
    """What the joints do: knees bend where quadriceps work against weight, elbows for the arms'."""
    still = ("mountain climbers", "bird dogs")  # arms bear the body
    for clip, body, _ in acted:
        activity = clip["activity"]
        muscles = set(activity.muscles)
        elbows = np.ptp(angle(body.shoulders, body.elbows, body.wrists), axis=0).max()
        knees = np.ptp(angle(body.hips, body.knees, body.ankles), axis=0).max()
        way = (body.knees - body.hips) / length(body.knees, body.hips)[..., None]
        thighs = np.rad2deg(np.linalg.norm(np.ptp(way, axis=0), axis=-1).max())
        ankles = np.ptp(body.ankles[..., 1], axis=0).max()
        way = (body.elbows - body.shoulders) / length(body.elbows, body.shoulders)[..., None]
        upper_arms = np.rad2deg(np.linalg.norm(np.ptp(way, axis=0), axis=-1).max())
        if muscles & {"biceps", "triceps"}:
            assert elbows > 25, activity.name
        if muscles & {"front deltoids", "rear deltoids", "latissimus", "chest"}:
            assert upper_arms > 15 or activity.name in still, activity.name
        if "quadriceps" in muscles:
            assert max(knees, thighs) > 20, activity.name
        if muscles & {"glutes", "hamstrings", "hip flexors", "hip abductors", "adductors"}:
            hips = np.ptp(angle(body.neck[:, None], body.hips, body.knees), axis=0).max()
            assert max(thighs, hips) > 15, activity.name
        if "calves" in muscles:
            assert ankles > 0.03, activity.name
        if activity.lower == "stand":
            assert ankles < 0.01 and knees < 6, activity.name
        if activity.upper == "rest":
            assert elbows < 3, activity.name


# --- bodies and pictures --------------------------------------------------------------------------
def test_limbs_keep_their_lengths(acted):
    chains = [("shoulders", "elbows"), ("elbows", "wrists"), ("hips", "knees"), ("knees", "ankles")]
    for clip, body, _ in acted:
        for a, b in [*chains, ("ankles", "toes"), ("head", "crown")]:
            lengths = length(getattr(body, a), getattr(body, b))
            assert np.ptp(lengths) < 1e-6 and lengths.min() > 0.05, clip["activity"].name
        assert all(np.isfinite(part).all() for part in body)


def test_bodies_stand_or_lie_on_the_floor(acted):
    for clip, body, _ in acted:
        heights = np.concatenate(
            [np.reshape(part[..., 1], (len(part), -1)) for part in body], axis=1
        )
        lowest = heights.min(axis=1)
        name = clip["activity"].name
        assert lowest.min() > -0.03, (name, lowest.min())
        assert lowest.max() < (0.25 if "hop" in name else 0.13), (name, lowest.max())


def test_joints_move_smoothly(acted):
    for clip, body, _ in acted:
        for part in body:
            step = np.linalg.norm(np.diff(part, axis=0), axis=-1)
            assert step.max() < 0.45, clip["activity"].name  # metres in a twelfth of a second


def test_the_whole_body_is_in_the_picture(acted):
    for clip, body, film in acted:
        camera = _camera(_style(clip), body, film, 100)
        for part in body:
            flat, depth = camera.project(part)
            assert (flat > 1).all() and (flat < 99).all(), clip["activity"].name
            assert (depth > 1).all()
        points = np.concatenate([np.reshape(part, (-1, 3)) for part in body])
        flat = camera.project(points)[0]
        assert np.ptp(flat, axis=0).max() > 55  # and not lost in it


def test_key_points_lie_on_the_person(acted):
    """The picture differs from the empty room where a key-point is seen well."""
    hits = []
    for clip, body, film in acted[::6]:
        video = ExerciseClip(clip, 40, 96, 12.0)
        points = video.observe()
        camera = _camera(_style(clip), body, film, 96 * Clip.factor(96))
        empty = Clip(
            _style(clip), camera, 96, film["heading"], clip["activity"].name == "triceps dips"
        )
        room = np.asarray(empty.room.reduce(3)).astype(float)
        for t in (0, 20):
            style = _style(clip)
            frame = video[t].astype(float) / (style["gain"] * style["tint"])
            apart = np.abs(frame - room).max(axis=2) > 14
            for x, y, score in points[t]:
                if score > 0.85:
                    row, column = int(y), int(x)
                    hits.append(
                        apart[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].any()
                    )
    assert len(hits) > 300 and np.mean(hits) > 0.93


def test_key_points_are_near_the_truth_and_worse_where_hidden(acted):
    errors, scores = [], []
    for clip, body, film in acted[::3]:
        points = ExerciseClip(clip, 40, 100, 12.0).observe()
        camera = _camera(_style(clip), body, film, 100)
        truth = camera.project(np.concatenate([body.shoulders, body.wrists, body.knees], axis=1))[0]
        metre = camera.focal / _style(clip)["distance"]
        found = points[:, [5, 6, 9, 10, 13, 14]]
        errors.append(length(found[..., :2], truth).ravel() / metre)
        scores.append(found[..., 2].ravel())
    errors, scores = np.concatenate(errors), np.concatenate(scores)
    assert np.median(errors) < 0.02
    assert errors[scores < 0.5].mean() > 3 * errors[scores > 0.85].mean()
    assert 0.02 < (scores < 0.5).mean() < 0.35


def test_clips_look_different():
    data = make_exercise_clips(
        1, clips_per_activity=3, activities=["marching"], n_frames=2, random_state=0
    )
    first = [x["rgb"][0].astype(float) for x in data.X]
    assert min(np.abs(first[i] - first[j]).mean() for i, j in ((0, 1), (0, 2), (1, 2))) > 10


# --- what cannot be made --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_persons": 0}, "n_persons must be a whole number of at least 1, got 0"),
        ({"clips_per_activity": 1.5}, "clips_per_activity must be a whole number"),
        ({"n_frames": True}, "n_frames must be a whole number of at least 1, got True"),
        ({"image_size": 8}, "image_size must be a whole number of at least 16, got 8"),
        ({"frame_rate": 0}, "frame_rate must be at least 1 frame per second, got 0"),
        ({"activities": ["yoga"]}, "activities: 'yoga' is unknown. There are"),
        ({"activities": "squats"}, "must be a list of names, got the string 'squats'"),
        ({"activities": []}, "one at least"),
        ({"activities": ["squats", "Squats"]}, "each is named once"),
    ],
)
def test_bad_parameters(wrong, message):
    with pytest.raises(ValueError, match=message):
        make_exercise_clips(**wrong)
