"""Five seated exercises as smooth limb movements, with the trunk motion anyone makes with them.

Times are shares ``u`` of a trial, from 0 to 1, so that every exercise lasts as long as any other
and duration says nothing about the label. Every movement between two postures is minimum-jerk
(Flash and Hogan, J Neurosci 1985).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skrehab.datasets._body import SIDES, place_leg


class Exercise(NamedTuple):
    """What is done, by which side, how often it is compensated, and how."""

    code: str  # SERE's name
    sides: tuple
    positive: float  # share of trials with compensation, as in SERE
    kinds: dict  # compensation -> how common it is
    natural: dict  # angle in degrees that goes with full effort in anyone
    move: Callable  # (u, seconds, side, style, rng) -> Movement


class Movement(NamedTuple):
    """One trial's limbs; the trunk is added later."""

    effort: np.ndarray  # (n_frames, 2): how far the left and right limb are in their action
    targets: Callable  # (body, trunk, legs) -> wrist targets and elbow poles, (n_frames, 2, 3) each
    thigh: np.ndarray  # (n_frames, 2), radians above the horizontal
    shank: np.ndarray  # (n_frames, 2), radians from straight down
    turn: np.ndarray  # (n_frames,), -1 to 1: which way the task turns the trunk, 1 = left


def minimum_jerk(x):
    """Go smoothly from 0 to 1 while x goes from 0 to 1.

    Parameters
    ----------
    x : array-like
        Share of the movement's time; outside [0, 1] it rests.

    Returns
    -------
    ndarray
        Share of the way.
    """
    x = np.clip(x, 0.0, 1.0)
    return x**3 * (10 - 15 * x + 6 * x**2)


def go_and_return(u, start, stop, rise):
    """Leave rest at ``start``, arrive after ``rise``, be back at ``stop``.

    Parameters
    ----------
    u : ndarray of shape (n_frames,)
        Share of the trial.
    start, stop : float
        Share at which the movement leaves rest and is back.
    rise : float
        Share the way there takes; the way back takes the same.

    Returns
    -------
    ndarray of shape (n_frames,)
        0 at rest, 1 at the target.
    """
    rise = min(rise, (stop - start) / 2)
    return minimum_jerk((u - start) / rise) * minimum_jerk((stop - u) / rise)


def _rest_legs(u, style):
    """Both feet on the floor."""
    return np.full((len(u), 2), style["thigh"]), np.full((len(u), 2), style["shank"])


def _on_thighs(body, trunk, legs, style):
    """Where hands rest: on the thighs, elbows down and a little out."""
    share = style["hand_rest"]
    palms = (1 - share) * legs[:, :, 0] + share * legs[:, :, 1] + [0.0, 0.035 * body["height"], 0.0]
    outwards = SIDES[:, None] * [1.0, 0.0, 0.0] * style["elbow_out"]
    return palms, np.broadcast_to(outwards + [0.0, -0.8, -0.5], palms.shape)


def _to_head(place, axis, size, rate, pole):
    """Make an exercise that brings the hand(s) to the head and moves them there.

    ``place`` is the left wrist's target seen from the middle of the ears, as shares of body height
    (left, up, front); ``axis``, ``size`` (share of height) and ``rate`` (Hz) describe the repeated
    motion there, and ``pole`` where the elbow points.
    """
    axis = np.array(axis) / np.linalg.norm(axis)

    def move(u, seconds, side, style, rng):
        start, stop = rng.uniform(0.04, 0.12), rng.uniform(0.88, 0.96)
        rise = rng.uniform(0.20, 0.28)
        beats = rate * style["tempo"] * rng.uniform(0.8, 1.2)
        swing = size * style["stroke"] * rng.uniform(0.8, 1.2)
        where = np.array(place) + rng.normal(0, 0.006, 3)
        phase = rng.uniform(0, 2 * np.pi)
        active = np.array([side != "right", side != "left"], dtype=float)

        reach = go_and_return(u, start, stop, rise)
        effort = reach[:, None] * active
        at_target = go_and_return(u, start + 0.7 * rise, stop - 0.7 * rise, 0.08)
        beat = at_target * np.sin(2 * np.pi * beats * seconds + phase) * swing
        mirror = np.stack([np.ones(3), [-1.0, 1.0, 1.0]])

        def targets(body, trunk, legs):
            rest, rest_pole = _on_thighs(body, trunk, legs, style)
            seen = where + beat[:, None, None] * axis  # (n_frames, 1, 3) in the head's axes
            seen = body["height"] * seen * mirror
            goal = trunk.head[:, None] + np.einsum("tij,tsj->tsi", trunk.head_rotation, seen)
            share = (effort * style["reach"])[:, :, None]
            # hands travel on an arc in front of the body, not through it
            arc = 4 * share * (1 - share) * [0.0, 0.0, 0.045] * body["height"]
            up = np.einsum("tij,sj->tsi", trunk.rotation, np.array(pole) * mirror)
            return (1 - share) * rest + share * goal + arc, (1 - share) * rest_pole + share * up

        turn = effort[:, 1] - effort[:, 0]  # the moving shoulder goes forwards
        return Movement(effort, targets, *_rest_legs(u, style), turn)

    return move


def _put_on_socks(u, seconds, side, style, rng):
    """Bend to one foot, work there with both hands, come up halfway, then the other foot."""
    first = rng.integers(2)
    start, stop, middle = rng.uniform(0.04, 0.10), rng.uniform(0.90, 0.96), rng.uniform(0.46, 0.54)
    rise, dip = rng.uniform(0.18, 0.24), rng.uniform(0.3, 0.7)
    beats, phase = rng.uniform(0.9, 1.5) * style["tempo"], rng.uniform(0, 2 * np.pi)
    depth = rng.uniform(0.9, 1.05)

    down = go_and_return(u, start, stop, rise)
    down = down * (1 - dip * go_and_return(u, middle - 0.13, middle + 0.13, 0.13))
    other = minimum_jerk((u - middle + 0.08) / 0.16)
    on_left = other if first == 1 else 1 - other
    tug = 0.012 * down * np.sin(2 * np.pi * beats * seconds + phase)
    effort = np.stack([down, down], axis=1) * depth

    def targets(body, trunk, legs):
        rest, rest_pole = _on_thighs(body, trunk, legs, style)
        ankle = on_left[:, None] * legs[:, 0, 2] + (1 - on_left)[:, None] * legs[:, 1, 2]
        apart = SIDES[:, None] * [1.0, 0.0, 0.0] * 0.035 + [0.0, 0.03, 0.02]
        goal = ankle[:, None] + body["height"] * (apart + tug[:, None, None] * [0.0, 1.0, 0.3])
        share = (np.minimum(effort, 1) * style["reach"])[:, :, None]
        arc = 4 * share * (1 - share) * [0.0, 0.0, 0.05] * body["height"]
        outwards = SIDES[:, None] * [1.0, 0.0, 0.0] + [0.0, 0.2, -0.2]
        return (1 - share) * rest + share * goal + arc, (1 - share) * rest_pole + share * outwards

    turn = down * (2 * on_left - 1)
    return Movement(effort, targets, *_rest_legs(u, style), turn)


def _hip_flexion(u, seconds, side, style, rng):
    """Lift one knee, then the other, hands on the seat beside the hips."""
    first = rng.integers(2)
    edges = [rng.uniform(0.04, 0.10), rng.uniform(0.44, 0.48)]
    edges += [rng.uniform(0.52, 0.56), rng.uniform(0.90, 0.96)]
    rise, height = rng.uniform(0.13, 0.18), rng.uniform(0.85, 1.15, 2)
    lifts = [go_and_return(u, *edges[:2], rise), go_and_return(u, *edges[2:], rise)]
    if first == 1:
        lifts = lifts[::-1]
    effort = np.stack(lifts, axis=1) * style["reach"]
    thigh, shank = _rest_legs(u, style)
    thigh = thigh + effort * height * style["knee_lift"]
    shank = shank + 0.25 * effort

    def targets(body, trunk, legs):
        seat = SIDES[:, None] * [1.0, 0.0, 0.0] * (body["hip"] + 0.07 * body["height"])
        seat = seat + np.array([0.0, 0.01, 0.05]) * body["height"]
        outwards = SIDES[:, None] * [0.6, 0.0, 0.0] + [0.0, -0.2, -1.0]
        shape = (len(u), 2, 3)
        return np.broadcast_to(seat, shape), np.broadcast_to(outwards, shape)

    turn = effort[:, 1] - effort[:, 0]
    return Movement(effort, targets, thigh, shank, turn)


def place_legs(body, movement, abduction):
    """Place both legs.

    Parameters
    ----------
    body : dict
        Segment lengths.
    movement : Movement
        With thigh and shank angles.
    abduction : sequence of two float
        How far each knee points outwards, radians.

    Returns
    -------
    ndarray of shape (n_frames, 2, 5, 3)
        Hip, knee, ankle, heel and foot index of the left and the right leg.
    """
    legs = [
        place_leg(body, movement.thigh[:, i], movement.shank[:, i], abduction[i], SIDES[i])
        for i in range(2)
    ]
    return np.stack(legs, axis=1)


_ARM_KINDS = {
    "trunk_flexion": 0.45,
    "trunk_rotation": 0.20,
    "shoulder_elevation": 0.25,
    "head_flexion": 0.10,
}


def _degrees(trunk_flexion, trunk_rotation, head_flexion, shoulder_elevation):
    return {
        "trunk_flexion": trunk_flexion,
        "trunk_rotation": trunk_rotation,
        "head_flexion": head_flexion,
        "shoulder_elevation": shoulder_elevation,
    }


# Shares of compensatory trials are SERE's counts (paper 0, section III.A): 170 and 118 of 360,
# 100, 30 and 120 of 180.
EXERCISES = {
    "brush_hair": Exercise(
        code="E1",
        sides=("left", "right"),
        positive=170 / 360,
        kinds=_ARM_KINDS,
        natural=_degrees(3, 4, 6, 9),
        move=_to_head(
            place=(0.030, 0.060, 0.035),
            axis=(0.25, -0.35, -1.0),
            size=0.028,
            rate=0.8,
            pole=(0.9, 0.1, 0.8),
        ),
    ),
    "brush_teeth": Exercise(
        code="E2",
        sides=("left", "right"),
        positive=118 / 360,
        kinds=_ARM_KINDS,
        natural=_degrees(3, 3, 9, 5),
        move=_to_head(
            place=(0.045, -0.050, 0.085),
            axis=(1.0, 0.15, 0.1),
            size=0.013,
            rate=1.8,
            pole=(1.0, -0.5, 0.3),
        ),
    ),
    "wash_face": Exercise(
        code="E3",
        sides=("both",),
        positive=100 / 180,
        kinds=_ARM_KINDS,
        natural=_degrees(6, 1, 12, 5),
        move=_to_head(
            place=(0.045, -0.045, 0.080),
            axis=(0.15, 1.0, 0.1),
            size=0.024,
            rate=1.0,
            pole=(0.8, -0.7, 0.4),
        ),
    ),
    "put_on_socks": Exercise(
        code="E4",
        sides=("both",),
        positive=30 / 180,
        # bending the trunk is the task itself here
        kinds={"trunk_rotation": 0.45, "shoulder_elevation": 0.30, "head_flexion": 0.25},
        natural=_degrees(52, 9, 6, 2),
        move=_put_on_socks,
    ),
    "hip_flexion": Exercise(
        code="E5",
        sides=("both",),
        positive=120 / 180,
        kinds={"trunk_flexion": 0.50, "trunk_rotation": 0.30, "shoulder_elevation": 0.20},
        # the trunk leans back a little to balance the leg
        natural=_degrees(-5, 3, 2, 2),
        move=_hip_flexion,
    ),
}
