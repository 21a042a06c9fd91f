"""Choosing a person without hindsight: follow, seated, and a box; files and camera agree."""

import tracemalloc

import numpy as np
import pytest
from media import moving_astronaut
from real_files import VIDEOS, model_file, needs_model, needs_shared_videos

from skrehab import PoseExtractor
from skrehab.pose import PoseStream, choose_person, extract_pose, read_frames
from skrehab.pose.body import find_jumps, knee_drop
from skrehab.pose.following import _SITS, PersonFollower
from skrehab.preprocessing.skeleton_conversion import convert

MODEL = model_file()
NOBODY = np.full((33, 2), np.nan)
SIZE = (900, 600)


@pytest.fixture(autouse=True)
def use_model_of_this_machine(monkeypatch):
    if MODEL is not None:
        monkeypatch.setenv("SKREHAB_MODELS", str(MODEL))


def stick(x, y, size, seed=0, sits=False):
    """Image landmarks of somebody with the middle of the shoulders at (x, y)."""
    body = np.random.RandomState(seed).uniform(-0.6, 0.6, (33, 2)) * [1, 2]
    body[[11, 12, 23, 24]] = [[0.25, 0], [-0.25, 0], [0.2, 1], [-0.2, 1]]
    body[[25, 26]] = [[0.25, 1.2 if sits else 1.9], [-0.25, 1.2 if sits else 1.9]]
    return body * size + [x, y]


def video(n_frames, *people):
    """People as functions of the frame that give a pose, in an order that changes; and who is who.

    Returns image landmarks, times, and for each frame and person the detection, -1 where absent.
    """
    rng = np.random.RandomState(0)
    frames = np.full((n_frames, len(people), 33, 2), np.nan)
    who = np.full((n_frames, len(people)), -1)
    for t in range(n_frames):
        for person, place in enumerate(rng.permutation(len(people))):
            pose = people[person](t)
            if pose is not None:
                frames[t, place] = pose + rng.normal(0, 1, (33, 2))
                who[t, person] = place
    return frames, np.arange(n_frames) / 30, who


def standing(x, size, seed, step=0.0, present=lambda t: True, **look):
    return lambda t: stick(x + step * t, 200, size, seed, **look) if present(t) else None


# --- follow ---------------------------------------------------------------------------------------
def test_the_largest_at_the_start_is_followed():
    """Somebody larger comes later: `steady` takes that one, `follow` stays."""
    frames, times, who = video(
        90, standing(300, 100, 1), standing(800, 150, 2, -3, present=lambda t: t > 10)
    )
    np.testing.assert_array_equal(choose_person(frames, times, SIZE, "follow"), who[:, 0])
    np.testing.assert_array_equal(choose_person(frames, times, SIZE, "steady"), who[:, 1])


@pytest.mark.parametrize("seed", range(3))
def test_through_a_crossing(seed):
    one, two = standing(100, 110, seed, 10), standing(700, 90, seed + 9, -10)
    frames, times, who = video(60, one, two)
    np.testing.assert_array_equal(choose_person(frames, times, SIZE, "follow"), who[:, 0])


def test_lost_and_back():
    """Gone for two seconds: nobody, though another is in view; back near, the same one again."""
    frames, times, who = video(
        200, standing(300, 120, 1, present=lambda t: not 60 <= t < 120), standing(600, 100, 2)
    )
    np.testing.assert_array_equal(choose_person(frames, times, SIZE, "follow"), who[:, 0])


def test_back_somewhere_else_is_somebody_else():
    def wanderer(t):
        return None if 60 <= t < 90 else stick(300 if t < 60 else 800, 200, 120, 1)

    frames, times, _ = video(150, wanderer)
    assert (choose_person(frames, times, SIZE, "follow") >= 0).tolist() == [True] * 60 + [
        False
    ] * 90


def test_after_five_seconds_somebody_is_chosen_anew():
    frames, times, who = video(
        300, standing(300, 120, 1, present=lambda t: t < 60), standing(600, 100, 2)
    )
    chosen = choose_person(frames, times, SIZE, "follow")
    np.testing.assert_array_equal(chosen[:60], who[:60, 0])
    (anew,) = np.flatnonzero(np.diff((chosen >= 0).astype(int)) == 1) + 1
    assert times[anew] - times[59] == pytest.approx(5, abs=0.05)
    np.testing.assert_array_equal(chosen[anew:], who[anew:, 1])


def test_never_takes_over_a_neighbour():
    def helper(t):
        return stick(max(800 - 20 * t, 310), 200, 80, 2)

    frames, times, who = video(40, standing(300, 100, 1, present=lambda t: t < 20), helper)
    chosen = choose_person(frames, times, SIZE, "follow")
    np.testing.assert_array_equal(chosen[:20], who[:20, 0])
    assert (chosen[20:] == -1).all()


def test_the_past_never_changes():
    frames, times, _ = video(
        80, standing(300, 100, 1, present=lambda t: t % 31 > 4), standing(500, 90, 2, 2, sits=True)
    )
    for person in ("largest", "center", "follow", "seated", (0.0, 0.0, 0.5, 1.0)):
        whole = choose_person(frames, times, SIZE, person)
        for t in (1, 20, 47):
            part = choose_person(frames[:t], times[:t], SIZE, person)
            np.testing.assert_array_equal(part, whole[:t])
        again = choose_person(frames[::-1][::-1], times, SIZE, person)
        np.testing.assert_array_equal(again, whole)


def test_doubles_are_one_person():
    one = stick(300, 200, 100, 1)
    people = np.array([[one, one + 3], [one + 5, one + 2], [one + 6, NOBODY]])
    assert choose_person(people, [0, 0.1, 0.2], SIZE, "follow").tolist() == [0, 0, 0]


def test_people_who_come_and_go_take_no_memory():
    follower = PersonFollower()
    rng = np.random.RandomState(0)

    def push(t):
        follower.push(stick(rng.uniform(0, 900), 200, 100, t % 7)[None], t / 10)

    for t in range(200):
        push(t)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for t in range(200, 400):
        push(t)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(follower._linker.active) <= 52
    assert after - before < 50_000


def test_a_ghost_costs_its_own_frames_only():
    """Larger than anybody, and gone at once: whoever stays is followed."""
    frames, times, who = video(
        40, standing(300, 100, 1), standing(700, 300, 2, present=lambda t: t in (0, 1))
    )
    chosen = choose_person(frames, times, SIZE, "follow")
    assert chosen[0] == who[0, 1] and chosen[1] == who[1, 1]
    np.testing.assert_array_equal(chosen[4:], who[4:, 0])


def test_a_reset_forgets():
    follower = PersonFollower()
    near, far = stick(200, 200, 100, 1), stick(700, 200, 80, 2)
    assert follower.push(np.array([near, far]), 0) == 0
    assert follower.push(np.array([near, far]), 0.6) == 0
    assert follower.push(np.array([NOBODY, far]), 0.7) == -1
    follower.reset()
    assert follower.push(np.array([NOBODY, far]), 0) == 1
    assert follower.push(np.zeros((0, 33, 2)), 0.1) == -1
    with pytest.raises(ValueError, match="'center'"):
        PersonFollower("center")


# --- seated ---------------------------------------------------------------------------------------
def test_the_seated_one_is_followed_and_may_get_up():
    def patient(t):
        return stick(300, 200, 90, 1, sits=t < 40)

    frames, times, who = video(80, patient, standing(600, 140, 2))
    np.testing.assert_array_equal(choose_person(frames, times, SIZE, "seated"), who[:, 0])


def test_nobody_while_nobody_sits():
    frames, times, who = video(
        60, standing(600, 140, 2), standing(300, 90, 1, sits=True, present=lambda t: t >= 30)
    )
    chosen = choose_person(frames, times, SIZE, "seated")
    assert (chosen[:30] == -1).all()
    np.testing.assert_array_equal(chosen[30:], who[30:, 1])


@pytest.mark.parametrize(
    ("file", "skeleton", "sits"),
    [("wmft_kinect_s01_s16", "kinect25", True), ("uiprmd_kinect", "uiprmd22", False)],
)
def test_who_sits_in_real_recordings(shared, file, skeleton, sits):
    """WMFT is done at a table but for its last task, UI-PRMD on one's feet."""
    with np.load(shared / "data" / f"{file}.npz", allow_pickle=True) as data:
        frames, starts = data["frames"], data["offsets"][:-1]
        task = data["task"].astype(str) if sits else data["movement"].astype(str)
    starts = starts[task != ("15" if sits else "5")][::5]  # lift a basket, standing; sit to stand
    body = convert(frames[starts], skeleton, "coco17")[..., :2]
    landmarks = np.zeros((len(body), 33, 2))
    landmarks[:, [11, 12, 23, 24, 25, 26]] = body[:, [5, 6, 11, 12, 13, 14]]
    drop = knee_drop(landmarks)
    drop = drop[np.isfinite(drop)]
    assert len(drop) > 80
    assert np.mean((drop < _SITS) == sits) >= 0.98


# --- box ------------------------------------------------------------------------------------------
def test_a_box_in_shares_of_the_picture():
    frames, times, who = video(
        20, standing(300, 100, 1), standing(700, 120, 2), standing(100, 60, 3, present=lambda t: t)
    )
    left = choose_person(frames, times, SIZE, (0, 0, 0.5, 1))
    np.testing.assert_array_equal(left, who[:, 0])
    right = choose_person(frames, times, SIZE, (0.5, 0.0, 1.0, 1.0))
    np.testing.assert_array_equal(right, who[:, 1])
    assert (choose_person(frames, times, SIZE, (0, 0.9, 1, 1)) == -1).all()


@pytest.mark.parametrize(
    "box",
    [(0, 0, 1), (0.5, 0, 0.5, 1), (0, 0.7, 1, 0.2), (0, 0, 640, 480), (-0.1, 0, 1, 1), None, 3,
     (0, 0, 1, "1"), (0, 0, 1, np.nan)],
)  # fmt: skip
def test_wrong_boxes(box):
    with pytest.raises(ValueError, match="person must be one of"):
        choose_person(np.full((1, 1, 33, 2), np.nan), [0], SIZE, box)
    for use in ("fit", "transform"):
        if use == "transform" or not isinstance(box, tuple):
            with pytest.raises(ValueError, match="person"):
                getattr(PoseExtractor(person=box), use)(["no.mp4"])
    with pytest.raises(ValueError, match="person"):
        PoseStream(PoseExtractor(person=box))


# --- pictures -------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def two_astronauts():
    """A person at the left and one a little smaller at the right, who leaves after a while."""
    from PIL import Image

    person = moving_astronaut(1)[0][0][:, :400]
    small = np.asarray(Image.fromarray(person).resize((360, 346)))
    frames = np.full((12, 384, 840, 3), 128, dtype=np.uint8)
    for t, frame in enumerate(frames):
        frame[:, 2 * t : 400 + 2 * t] = person
        if t < 7:
            frame[38:, 480:] = small
    return frames


@needs_model
@pytest.mark.parametrize("person", ["follow", (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)])
def test_live_is_offline(two_astronauts, person):
    extractor = PoseExtractor(person=person, coordinates="image", fps=15)
    offline = extractor.transform([two_astronauts])[0]
    stream = PoseStream(extractor)
    for _ in range(2):  # and again after a reset
        live = [stream.push(frame, t / 15) for t, frame in enumerate(two_astronauts)]
        np.testing.assert_array_equal(live, offline)
        stream.reset()
    seen = np.isfinite(offline[:, 0, 0])
    middle = offline[:, [11, 12, 23, 24], 0].mean(axis=1)
    if person == (0.5, 0.0, 1.0, 1.0):
        assert seen[:7].any() and not seen[8:].any()
        assert (middle[seen] > 420).all()
    else:
        assert seen.mean() > 0.7 and (middle[seen] < 420).all()


@needs_model
def test_steady_is_still_refused_live():
    with pytest.raises(ValueError, match="person='follow'"):
        PoseStream(PoseExtractor(person="steady"))


@needs_model
@needs_shared_videos
def test_two_people_on_a_roof():
    """Two seconds of a real video. The detector sees a ghost in its first frames; then the same
    person is followed as with hindsight."""
    frames = []
    for _, frame in read_frames(VIDEOS / "two_people_roof.mp4", max_size=640):
        frames.append(frame)
        if len(frames) == 60:
            break
    frames = np.array(frames)
    followed = extract_pose(frames, person="follow")
    steady = extract_pose(frames, person="steady")
    assert followed.coverage > 0.7
    assert len(find_jumps(followed.image, followed.timestamps)) == 0
    assert followed.largest_step < 0.5
    np.testing.assert_array_equal(followed.image[30:], steady.image[30:])
    assert followed.found[30:].all()
    stream = PoseStream(PoseExtractor(person="follow", coordinates="image"))
    live = [stream.push(frame, t / 30) for t, frame in enumerate(frames[:10])]
    np.testing.assert_array_equal(live, followed.image[:10])
