"""Synthetic exercise clips: RGB, key-points and the muscle groups at work, as in MuscleMap."""

import textwrap

import numpy as np
from sklearn.utils import check_random_state

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._sizes import check_frame_rate, check_whole
from skrehab.datasets.drawn.ex_activities import ACTIVITIES
from skrehab.datasets.drawn.ex_film import ExerciseClip
from skrehab.datasets.drawn.ex_persons import plan_clips
from skrehab.muscles import MUSCLE_GROUPS, plain_name

__all__ = ["make_exercise_clips"]

_NEW = [name for name, activity in ACTIVITIES.items() if activity.is_new]

_DESCR = f"""\
Synthetic exercise clips after MuscleMap
----------------------------------------
Nobody was filmed: every frame is drawn. A person is seen whole, doing one of {len(ACTIVITIES)}
exercises for some repetitions, standing or on the floor. Each needs some of twenty muscle groups;
they follow from the limbs that move and from what resists. The same movement needs other muscles
against other resistance: a forearm that bends needs the biceps with a dumbbell, and the triceps
with a band from above. Both are drawn from one distribution of movements, so key-points tell the
movement and the picture tells the resistance; each modality alone knows half.

{len(_NEW)} activities are new: they are meant to be tested on and not to be trained on. Nearly
all are made of legs, arms and resistance that known activities have in other company:

{textwrap.fill(", ".join(_NEW), 96)}

Persons differ in size, girth, range and pace of movement, skin and hair. Every clip has its own
clothes, gear, room, light, camera, direction of view, amplitude, rhythm and beginning, as clips
from all over the web have.

Key-points are COCO's 17 in pixels: x = 0 is the picture's left edge, and pixel i covers i to i + 1.
Errors wander; they are larger, and scores lower, where a part of the body hides a key-point.

After Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024.
The muscle groups are our own twenty; which belong to an exercise is textbook knowledge, simplified,
and no advice for training.
"""


def make_exercise_clips(
    n_persons=4,
    clips_per_activity=1,
    *,
    activities=None,
    n_frames=32,
    image_size=64,
    frame_rate=12.0,
    lazy=True,
    random_state=None,
):
    """Render synthetic exercises: RGB clips, key-points and twenty muscle groups.

    It stands in for MuscleMap: see ``DESCR`` of the result for what is in it.

    Parameters
    ----------
    n_persons : int, default=4
        Number of persons.
    clips_per_activity : int, default=1
        Clips of each activity per person.
    activities : sequence of str, optional
        Which activities; all when None.
    n_frames : int, default=32
        Frames of each clip.
    image_size : int, default=64
        Width and height in pixels, at least 16. The same seed shows the same at any size.
    frame_rate : float, default=12.0
        Frames per second; a repetition takes about two seconds.
    lazy : bool, default=True
        Do not draw now: RGB clips are objects with ``shape``, ``dtype`` and length that draw the
        same frames each time an index or `numpy.asarray` asks for them, and only those. However
        many clips there are, their frames need no memory. False draws them all, 1 to 2 ms a frame
        at 64 pixels.
    random_state : int, RandomState instance or None, default=None
        Seed. The same seed gives the same bytes, lazy or not.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_clips`` clips ordered by person and activity:

        * ``X``: list of ``{"rgb": clip, "pose": points}``: a lazy clip or uint8 array (n_frames,
          image_size, image_size, 3), and a float32 array (n_frames, 17, 3) of x and y in pixels and
          score in [0, 1];
        * ``y``: int array (n_clips, 20), 1 where a muscle group is at work;
        * ``muscles``: list of 20 str, :data:`skrehab.muscles.MUSCLE_GROUPS`;
        * ``activity``: str array (n_clips,); ``new_activities``: those to keep from training;
        * ``person``: str array (n_clips,), ``"P01"`` and so on; ``groups`` is the same array;
        * ``resistance``: str array (n_clips,): ``"none"``, ``"dumbbells"``, ``"band above"``, ...;
        * ``frame_rate``: float; ``skeleton``: ``"coco17"``; ``DESCR``: str.

    Raises
    ------
    ValueError
        If a parameter is out of range, or there is no such activity.

    See Also
    --------
    load_musclemap : Read the real clips from one's own copy.
    skrehab.evaluation.known_new_split : Divide clips by known and new activities.

    References
    ----------
    Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
    section 3.

    Examples
    --------
    >>> from skrehab.datasets.exercise_clips import make_exercise_clips
    >>> data = make_exercise_clips(n_persons=2, activities=["squats", "biceps curls"])
    >>> len(data.X), data.X[0]["rgb"].shape, data.X[0]["pose"].shape, data.y.shape
    (4, (32, 64, 64, 3), (32, 17, 3), (4, 20))
    >>> [data.muscles[i] for i in data.y[0].nonzero()[0]]
    ['glutes', 'quadriceps']
    >>> data.X[0]["rgb"][:8].shape
    (8, 64, 64, 3)
    """
    check_whole(1, n_persons=n_persons, clips_per_activity=clips_per_activity, n_frames=n_frames)
    check_whole(16, image_size=image_size)
    check_frame_rate(frame_rate)
    chosen = _check_activities(activities)

    plan = plan_clips(n_persons, clips_per_activity, chosen, check_random_state(random_state))
    clips = [ExerciseClip(clip, int(n_frames), int(image_size), float(frame_rate)) for clip in plan]
    poses = [clip.observe() for clip in clips]
    done = [clip["activity"] for clip in plan]
    person = np.array([clip["person"] for clip in plan])
    return TrialsBunch(
        X=[
            {"rgb": clip if lazy else np.asarray(clip), "pose": pose}
            for clip, pose in zip(clips, poses)
        ],
        y=np.array([activity.labels for activity in done]),
        muscles=list(MUSCLE_GROUPS),
        activity=np.array([activity.name for activity in done]),
        new_activities=[activity.name for activity in chosen if activity.is_new],
        person=person,
        groups=person,
        resistance=np.array([_resistance(activity) for activity in done]),
        frame_rate=float(frame_rate),
        skeleton="coco17",
        DESCR=_DESCR,
    )


def _resistance(activity):
    return activity.resists if activity.leg_band == "none" else activity.leg_band


def _check_activities(names):
    if names is None:
        return list(ACTIVITIES.values())
    if isinstance(names, str):
        raise ValueError(f"activities must be a list of names, got the string {names!r}.")
    known = {plain_name(name): activity for name, activity in ACTIVITIES.items()}
    chosen = [known.get(plain_name(name)) for name in names]
    unknown = [name for name, activity in zip(names, chosen) if activity is None]
    if unknown or not chosen or len(set(chosen)) < len(chosen):
        problem = (
            f"{unknown[0]!r} is unknown" if unknown else "each is named once, and one at least"
        )
        raise ValueError(f"activities: {problem}. There are {list(ACTIVITIES)}.")
    return chosen
