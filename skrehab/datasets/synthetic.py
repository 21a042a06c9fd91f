"""Synthetic stroke patients doing five seated exercises, some of them with compensation."""

from numbers import Integral, Real

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtri
from sklearn.utils import check_random_state

from skrehab.datasets._body import SIDES, place_arm, place_face, place_trunk, to_camera
from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._exercises import EXERCISES, go_and_return, minimum_jerk, place_legs
from skrehab.datasets._patients import plan_trials
from skrehab.trials import ragged

__all__ = ["make_rehab_trials"]

TRUTH_LEVEL = 0.3  # a frame is compensatory where its compensation exceeds this share of its peak

# Typical peak of each compensation on top of what anyone does, in degrees. Shoulder elevation is
# the angle of the collar bone: 20 degrees lift the shoulder by about 6 cm.
PEAKS = {"trunk_flexion": 17, "trunk_rotation": 18, "shoulder_elevation": 21, "head_flexion": 22}

MOST_BENT = np.deg2rad(65)  # nobody's trunk folds further

# Slow sway, and short shifts of posture that mean nothing, in degrees: both in every trial.
SWAY = {
    "trunk_flexion": 1.2,
    "trunk_rotation": 1.2,
    "trunk_lean": 0.9,
    "head_flexion": 2.0,
    "head_rotation": 3.0,
    "shoulder_elevation": 0.8,
}
SHIFTS = {
    "trunk_flexion": 8,
    "trunk_rotation": 8,
    "trunk_lean": 6,
    "head_flexion": 12,
    "head_rotation": 18,
    "shoulder_elevation": 9,
}

_DESCR = f"""\
Synthetic rehabilitation trials after SERE
------------------------------------------
Nobody was filmed: every trial is computed. A seated body of 33 landmarks, whose segment lengths
follow Drillis and Contini (1966) and vary between patients, does the five exercises of the SERE
data set (Mesquita et al., arXiv 2506.03752, section III.A) with minimum-jerk limb movements:

{chr(10).join(f"  {e.code} {name}: {', '.join(e.sides)}" for name, e in EXERCISES.items())}

Label 1 means that the trial holds compensation, label 0 that it does not. Positive trials have
SERE's proportions (E1 170/360, E2 118/360, E3 100/180, E4 30/180, E5 120/180). Patients differ in
how often they compensate, how and how strongly; the affected arm does so more often.

Frame truth is 1 where the compensation (trunk flexion, trunk rotation, shoulder elevation or head
flexion, on top of the trunk motion that goes with the exercise in anyone) exceeds
{TRUTH_LEVEL:.0%} of its own peak. It may come with the reach, at any time, or on the way back, so
that the phase of the movement tells little. Swaying, glancing aside, shrugging and settling in the
chair happen in any trial. All exercises share one distribution of duration, which does not depend
on label or side.

Landmarks are MediaPipe's world landmarks: metres, x to the image's right, y down, z away from the
camera, origin between the hips. Errors wander slowly, are larger in depth and at hands and feet,
and landmarks drop out for some frames (NaN).
"""


def make_rehab_trials(
    n_patients=18,
    n_repetitions=4,
    exercises=None,
    *,
    frame_rate=10.0,
    strength=1.0,
    kinds=None,
    noise=0.006,
    missing=0.02,
    visibility=False,
    random_state=None,
):
    """Generate synthetic rehabilitation trials with trial labels and frame truth.

    Stroke patients sit facing the camera and brush hair, brush teeth, wash the face, put on socks
    or lift the knees, some trials with compensation for a while. It is made to be as hard as real
    data: see ``DESCR`` of the result for what is in it and ``benchmarks/synthetic_difficulty.py``
    for how hard it is.

    Parameters
    ----------
    n_patients : int, default=18
        Number of patients.
    n_repetitions : int, default=4
        Repetitions per patient, exercise and side. Brushing hair and teeth is done with each arm,
        so five exercises make ``7 * n_repetitions`` trials per patient; 10 gives SERE's 1,260.
    exercises : str or list of str, optional
        From ``"brush_hair", "brush_teeth", "wash_face", "put_on_socks", "hip_flexion"``; all five
        when None.
    frame_rate : float, default=10.0
        Frames per second. SERE has 30; 10 shows the same movements at a third of the cost. The
        same seed gives the same movements at any rate.
    strength : float, default=1.0
        Factor on the size of every compensation. With 0 the labels stay and the movement that
        they describe is missing, which shows what else could tell positive trials apart.
    kinds : str or list of str, optional
        Compensations that occur, from ``"trunk_flexion", "trunk_rotation", "shoulder_elevation",
        "head_flexion"``; None is all. Which trials are positive does not depend on it.
    noise : float, default=0.006
        Standard deviation of the landmark error in metres, across the image; 2.2 times as much in
        depth and 1.3 times as much at hands and feet.
    missing : float, default=0.02
        Share of landmarks that are lost (NaN), in spells of about a quarter of a second.
    visibility : bool, default=False
        Add a fourth coordinate: how well a landmark is seen, in [0, 1]; low where it is lost.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` trials ordered by patient:

        * ``X``: list of float32 arrays of shape (n_frames_i, 33, 3), or 4 with ``visibility``;
        * ``y``: int array (n_trials,), 1 if the trial holds compensation;
        * ``groups``: str array (n_trials,), patients ``"P01"`` and so on;
        * ``frame_labels``: object array (n_trials,) of int arrays (n_frames_i,), frame truth;
        * ``compensations``: int array (n_trials, 4), the same by kind, in the order of
          ``label_names``; ``frame_compensations``: object array of int arrays (n_frames_i, 4);
        * ``exercise``, ``side`` (``"left", "right", "both"``), ``compensation`` (its kind, or
          ``"none"``), ``affected_side``: str arrays (n_trials,);
        * ``frame_rate``: float; ``skeleton``: ``"mediapipe33"``; ``DESCR``: str.

    Raises
    ------
    ValueError
        If a parameter is out of range, an exercise or a kind is unknown, or an exercise has none
        of `kinds`.

    References
    ----------
    Mesquita, Cóias, Dubrawski and Bernardino, "Frame-Level Real-Time Assessment of Stroke
    Rehabilitation Exercises from Video-Level Labeled Data", arXiv 2506.03752, section III.A.
    Flash and Hogan, "The coordination of arm movements", J Neurosci 5 (1985), 1688-1703.

    Examples
    --------
    >>> from skrehab.datasets import make_rehab_trials
    >>> data = make_rehab_trials(n_patients=2, n_repetitions=1, random_state=0)
    >>> len(data.X), data.X[0].shape[1:], data.groups[[0, -1]].tolist()
    (14, (33, 3), ['P01', 'P02'])
    >>> all(len(truth) == len(x) for truth, x in zip(data.frame_labels, data.X))
    True
    >>> bool((data.y == [truth.max() for truth in data.frame_labels]).all())
    True
    """
    exercises = _check_exercises(exercises)
    kinds = _check_kinds(kinds, exercises)
    for name, value, kind, low in [
        ("n_patients", n_patients, Integral, 1),
        ("n_repetitions", n_repetitions, Integral, 1),
        ("strength", strength, Real, 0),
        ("noise", noise, Real, 0),
        ("missing", missing, Real, 0),
    ]:
        if not isinstance(value, kind) or isinstance(value, bool) or not low <= value < np.inf:
            what = "a whole number" if kind is Integral else "a finite number"
            raise ValueError(f"{name} must be {what} of at least {low}, got {value!r}.")
    if missing >= 1:
        raise ValueError(f"missing is a share of the landmarks, below 1, got {missing!r}.")
    if not isinstance(frame_rate, Real) or not 1 <= frame_rate < np.inf:
        raise ValueError(f"frame_rate must be at least 1 frame per second, got {frame_rate!r}.")

    plan = plan_trials(
        n_patients, n_repetitions, exercises, check_random_state(random_state), kinds
    )
    X, frame_labels = [], []
    for trial in plan:
        rng = np.random.default_rng(trial["seed"])
        points, truth = _move(trial, frame_rate, strength, rng)
        X.append(_observe(points, frame_rate, noise, missing, visibility, rng))
        frame_labels.append(truth)

    def column(key):
        return np.array([trial[key] for trial in plan])

    by_kind = (column("kind")[:, None] == list(PEAKS)).astype(int)
    return TrialsBunch(
        X=X,
        y=column("label"),
        groups=column("patient"),
        frame_labels=ragged(frame_labels),
        label_names=list(PEAKS),
        compensations=by_kind,
        frame_compensations=ragged(
            truth[:, None] * row for truth, row in zip(frame_labels, by_kind, strict=True)
        ),
        exercise=column("exercise"),
        side=column("side"),
        compensation=column("kind"),
        affected_side=column("affected"),
        frame_rate=float(frame_rate),
        skeleton="mediapipe33",
        DESCR=_DESCR,
    )


def _check_exercises(exercises):
    names = [exercises] if isinstance(exercises, str) else list(exercises or EXERCISES)
    unknown = [name for name in names if name not in EXERCISES]
    if unknown or len(set(names)) < len(names):
        problem = f"{unknown[0]!r} is unknown" if unknown else "one is named twice"
        raise ValueError(f"exercises: {problem}. Choose from {list(EXERCISES)}.")
    return names


def _check_kinds(kinds, exercises):
    names = list(PEAKS) if kinds is None else [kinds] if isinstance(kinds, str) else list(kinds)
    for name in names:
        if name not in PEAKS:
            raise ValueError(f"kinds: {name!r} is unknown. Choose from {list(PEAKS)}.")
    for name in exercises:
        if not set(names) & set(EXERCISES[name].kinds):
            raise ValueError(
                f"kinds: {name} has none of {names}; it has {list(EXERCISES[name].kinds)}."
            )
    return names


def _move(trial, frame_rate, strength, rng):
    """Move one body through one trial: landmarks in camera axes without error, and frame truth.

    The same numbers are drawn whatever the label, the strength and the frame rate are, so that
    one seed gives one movement.
    """
    style, exercise = trial["style"], EXERCISES[trial["exercise"]]
    body = style["body"]
    duration = np.clip(6.5 * style["pace"] * np.exp(rng.normal(0, 0.12)), 3.5, 13.0)
    n_frames = int(np.floor(duration * frame_rate)) + 1
    seconds = np.arange(n_frames) / frame_rate
    u = seconds / duration

    movement = exercise.move(u, seconds, trial["side"], style, rng)
    posture = _natural_posture(u, seconds, duration, movement, exercise, style, rng)
    truth = _compensate(posture, u, trial, strength, rng)
    heading = style["heading"] + np.deg2rad(rng.normal(0, 2))
    phases = rng.uniform(0, 2 * np.pi, 3)
    tremor = style["tremor"] * np.sin(2 * np.pi * style["tremor_rate"] * seconds[:, None] + phases)

    trunk = place_trunk(body, posture)
    legs = place_legs(body, movement, style["abduction"])
    targets, poles = movement.targets(body, trunk, legs)
    weak = style["affected"]
    targets = targets.copy()
    targets[:, weak] += tremor * movement.effort[:, [weak]]
    arms = np.stack(
        [
            place_arm(body, trunk.shoulders[:, i], targets[:, i], poles[:, i], SIDES[i])
            for i in range(2)
        ],
        axis=2,
    )
    # MediaPipe numbers limbs joint by joint, left before right: (n_frames, 5, 2, 3) flattened
    points = np.concatenate(
        [
            place_face(body, trunk),
            trunk.shoulders,
            arms.reshape(n_frames, 10, 3),
            legs.swapaxes(1, 2).reshape(n_frames, 10, 3),
        ],
        axis=1,
    )
    return to_camera(points, heading), truth


def _natural_posture(u, seconds, duration, movement, exercise, style, rng):
    """Trunk, shoulders and head as anyone moves them in this exercise, plus what means nothing."""
    n_frames = len(u)
    posture = {
        "trunk_flexion": np.full(n_frames, style["slouch"]),
        "trunk_rotation": np.zeros(n_frames),
        "trunk_lean": np.full(n_frames, style["lean"]),
        "head_flexion": np.full(n_frames, style["chin"]),
        "head_rotation": np.zeros(n_frames),
        "shoulder_elevation": np.zeros((n_frames, 2)),
    }
    effort = movement.effort.max(axis=1)
    drivers = {"trunk_rotation": movement.turn, "shoulder_elevation": movement.effort}
    for channel, angle in exercise.natural.items():
        size = np.deg2rad(angle) * style["natural"][channel] * np.exp(rng.normal(0, 0.25))
        size = np.clip(size, -MOST_BENT, MOST_BENT)
        posture[channel] += size * drivers.get(channel, effort)

    for channel, angle in SWAY.items():
        rates, phases = rng.uniform(0.05, 0.45, 3), rng.uniform(0, 2 * np.pi, 3)
        wave = np.sin(2 * np.pi * rates * seconds[:, None] + phases).sum(axis=1) / np.sqrt(1.5)
        wave *= np.deg2rad(angle) * rng.rayleigh(0.8)
        posture[channel] += wave[:, None] if posture[channel].ndim == 2 else wave

    for _ in range(2):
        channel = rng.choice(list(SHIFTS))
        middle, half = rng.uniform(0.1, 0.9), rng.uniform(0.4, 1.2) / duration
        size = np.deg2rad(SHIFTS[channel]) * rng.rayleigh(0.8) * (rng.random() < 0.7)
        sign, side = rng.choice([-1.0, 1.0]), rng.integers(2)
        shift = size * go_and_return(u, middle - half, middle + half, 0.8 * half)
        if channel == "shoulder_elevation":  # shoulders are shrugged, one at a time
            posture[channel][:, side] += shift
        else:
            posture[channel] += sign * shift
    return posture


def _compensate(posture, u, trial, strength, rng):
    """Add the compensation to the posture, in place, and return the frames it is seen in."""
    ramp = rng.uniform(0.08, 0.20)
    length = ramp + rng.uniform(0.06, 0.28)
    latest = 0.98 - length - ramp
    onset = [
        rng.uniform(0.0, 0.12),  # with the reach
        latest - rng.uniform(0.0, 0.10),  # on the way back
        rng.uniform(0.0, latest),  # at any time
    ][rng.choice(3, p=[0.4, 0.4, 0.2])]
    power = trial["style"]["power"] * np.exp(rng.normal(0, 0.4))
    if not trial["label"]:
        return np.zeros(len(u), dtype=int)

    kind = trial["kind"]
    profile = minimum_jerk((u - onset) / ramp) - minimum_jerk((u - onset - length) / ramp)
    angle = strength * power * np.deg2rad(PEAKS[kind]) * profile
    side = {"left": 0, "right": 1}.get(trial["side"], trial["style"]["affected"])
    if kind == "shoulder_elevation":
        posture[kind][:, side] += angle
    elif kind == "trunk_rotation":
        posture[kind] -= SIDES[side] * angle  # the working shoulder goes forwards
    else:
        posture[kind] += angle
    truth = profile > TRUTH_LEVEL
    truth[np.argmax(profile)] = True  # also where frames are too far apart to meet it
    return truth.astype(int)


def _observe(points, frame_rate, noise, missing, visibility, rng):
    """Report landmarks as a pose estimator would: errors that wander slowly, landmarks lost."""
    n_landmarks = points.shape[1]
    memory = np.exp(-1 / (0.25 * frame_rate))  # errors last about a quarter of a second
    error = _wander(points.shape, memory, rng)
    # depth is guessed from one camera, and hands and feet are the hardest to place
    limbs = np.where(np.arange(n_landmarks) >= 15, 1.3, 1.0)
    points = points + noise * limbs[:, None] * [1.0, 1.0, 2.2] * error
    # a landmark is lost while a slow process of its own is below the wanted quantile
    hidden = _wander(points.shape[:2], memory, rng)
    lost = hidden < ndtri(missing)
    points[lost] = np.nan
    if visibility:
        # falls from 1 towards 0.5 as the landmark is about to be lost, and below when it is
        seen = 1 / (1 + np.exp(-2.0 * (hidden - ndtri(missing)))) if missing else 0.0 * hidden + 1.0
        points = np.concatenate([points, seen[..., None]], axis=-1)
    return points.astype(np.float32)


def _wander(shape, memory, rng):
    """First-order autoregressive noise along the first axis, with mean 0 and variance 1."""
    fresh = rng.normal(size=shape)
    fresh[1:] *= np.sqrt(1 - memory**2)
    return lfilter([1.0], [1.0, -memory], fresh, axis=0)
