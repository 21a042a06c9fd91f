"""How a standing person moves in synthetic exercise clips: legs and arms, put together.

Lengths are shares of the body's height unless said otherwise, angles degrees. A movement goes from
rest (share 0) to its end (1) and back, again and again; activities that resist differently move
alike.
"""

from typing import NamedTuple

import numpy as np

from skrehab.datasets._body import SIDES, rotation
from skrehab.datasets.drawn.ex_body import Posture

ANKLE = 0.045  # height of a foot that stands


class Beat(NamedTuple):
    """The rhythm of a clip, T frames."""

    share: np.ndarray  # (T,): 0 at rest, 1 at the end of the movement
    each: np.ndarray  # (T, 2): the same for left and right in turn
    wave: np.ndarray  # (T,): -1 to 1, to one side and the other


def beat(seconds, rate, phase, first):
    """Move to and fro with a short rest at both ends.

    Parameters
    ----------
    seconds : ndarray of shape (T,)
        Time.
    rate : float
        Movements a second.
    phase : float
        Share of a movement that is over at the start.
    first : {0, 1}
        Side that begins where sides take turns.

    Returns
    -------
    Beat
        The rhythm.
    """
    turns = rate * seconds + phase
    share = 0.5 - 0.5 * np.cos(2 * np.pi * turns)
    share = share**2 * (3 - 2 * share)
    side = (np.floor(turns).astype(int) + first) % 2
    each = share[:, None] * (side[:, None] == [0, 1])
    return Beat(share, each, each[:, 0] - each[:, 1])


def toward(angle, plane=0.0):
    """Unit vectors of a limb lifted from hanging, to the front (plane 0) or outwards (90).

    Parameters
    ----------
    angle, plane : float or ndarray
        Degrees.

    Returns
    -------
    ndarray of shape (..., 3)
        Outwards, up, front.
    """
    angle, plane = np.broadcast_arrays(np.deg2rad(angle), np.deg2rad(plane))
    return np.stack(
        [np.sin(angle) * np.sin(plane), -np.cos(angle), np.sin(angle) * np.cos(plane)], axis=-1
    )


def both(vectors):
    """Mirror outward vectors (T, 3) or (3,) to left and right: (T, 2, 3) or (2, 3)."""
    return np.stack([vectors * [1.0, 1.0, 1.0], vectors * [-1.0, 1.0, 1.0]], axis=-2)


# --- legs -----------------------------------------------------------------------------------------
class Legs(NamedTuple):
    """Feet, pelvis and what the trunk does with them; metres and radians."""

    pelvis: np.ndarray  # (T, 3)
    pitch: np.ndarray  # (T,): pelvis forward
    flexion: np.ndarray  # (T,): spine
    lean: np.ndarray  # (T,)
    ankles: object  # (hips) -> (T, 2, 3)
    poles: np.ndarray  # (T, 2, 3)
    toes: np.ndarray  # (T, 2, 3)


def stand(body, b, style, *, half=0.075, drop=0.0, back=0.0, side=0.0, lift=0.0, pitch=0.0, **more):
    """Stand on both feet with the pelvis moved; the base of most leg movements."""
    h, n = body["height"], len(b.share)
    zeros = np.zeros(n)
    leg = 0.99 * (body["thigh"] + body["shank"])
    height = ANKLE * h + np.sqrt(leg**2 - (half * h - body["hip"]) ** 2)
    pelvis = np.stack([zeros + side, zeros + lift - drop, zeros - back], axis=-1) * h
    pelvis[:, 1] += height
    feet = both(np.array([half, ANKLE, 0.0]))[None] * h + np.zeros((n, 1, 1))
    feet[:, :, 1] += np.reshape(lift * h, (-1, 1))
    tip = np.deg2rad(27) + 0 * zeros  # the ankle lies behind and above the toes
    tip = tip + more.get("tip", 0.0)
    down = np.stack([0.35 + zeros, -np.sin(tip), np.cos(tip)], axis=-1)
    return Legs(
        pelvis=pelvis,
        pitch=np.deg2rad(pitch) + zeros,
        flexion=np.deg2rad(more.get("flexion", 0.0)) + zeros,
        lean=np.deg2rad(more.get("lean", 0.0)) + zeros,
        ankles=lambda hips: feet,
        poles=np.broadcast_to(both(np.array([more.get("knees_out", 0.3), 0.0, 1.0])), (n, 2, 3)),
        toes=both(down),
    )


def _squat(body, b, style, rng):
    depth, half = rng.uniform(0.17, 0.24) * style["range"], rng.uniform(0.1, 0.14)
    s = b.share
    return stand(
        body, b, style, half=half, drop=depth * s, back=0.55 * depth * s, pitch=36 * s,
        flexion=8 * s, knees_out=0.5,
    )  # fmt: skip


def _lunge(body, b, style, rng):
    """One foot ahead, down and up."""
    ahead, h = rng.integers(2), body["height"]
    low = rng.uniform(0.13, 0.17) * style["range"]
    legs = stand(body, b, style, half=0.06, drop=0.05 + low * b.share, pitch=6, flexion=3)
    feet = legs.ankles(None).copy()
    feet[:, ahead, 2] += 0.19 * h
    feet[:, 1 - ahead, 2] -= 0.21 * h
    feet[:, 1 - ahead, 1] += (0.035 + 0.025 * b.share) * h
    toes = legs.toes.copy()
    toes[:, 1 - ahead] = [0.0, -0.8, 0.5]
    return legs._replace(ankles=lambda hips: feet, toes=toes)


def _side_lunge(body, b, style, rng):
    s, low = np.abs(b.wave), rng.uniform(0.13, 0.17) * style["range"]
    return stand(
        body, b, style, half=0.26, drop=0.01 + low * s, side=0.17 * b.wave * style["range"],
        back=0.07 * s, pitch=26 * s, flexion=6 * s, knees_out=0.6,
    )  # fmt: skip


def _hinge(body, b, style, rng):
    s, angle = b.share, rng.uniform(60, 78) * style["range"]
    return stand(body, b, style, drop=0.015 * s, back=0.1 * s, pitch=angle * s, flexion=6 * s)


def _calf_raise(body, b, style, rng):
    s = b.share * style["range"]
    return stand(body, b, style, half=0.055, lift=0.058 * s, tip=np.deg2rad(42) * s)


def _hop(body, b, style, rng):
    up = 2 * b.share - 1  # below zero the knees bend
    air, dip = 0.075 * np.maximum(up, 0) * style["range"], 0.05 * np.maximum(-up, 0)
    lift = np.where(up > 0, air, 0.0)
    return stand(
        body, b, style, half=0.055, lift=lift, drop=dip, pitch=8 * np.maximum(-up, 0),
        tip=np.deg2rad(40) * np.maximum(up, 0),
    )  # fmt: skip


def _one_leg(body, b, style, place, **more):
    """Stand on one leg while the other goes where `place(hips, side)` wants its ankle."""
    legs = stand(body, b, style, half=0.05, **more)
    feet = legs.ankles(None)

    def ankles(hips):
        return np.stack([place(hips[:, i], i, feet[:, i]) for i in (0, 1)], axis=1)

    return legs._replace(ankles=ankles)


def _march(body, b, style, rng):
    top = rng.uniform(85, 105) * style["range"]

    def place(hip, i, foot):
        s = b.each[:, i]
        knee = hip + body["thigh"] * toward(top * s, 5) * [SIDES[i], 1, 1]
        ankle = knee + body["shank"] * toward(-8 * s) * [SIDES[i], 1, 1]
        return np.where(s[:, None] > 0, ankle, foot)

    return _one_leg(body, b, style, place)


def _leg_side(body, b, style, rng):
    moving, top = rng.integers(2), rng.uniform(40, 52) * style["range"]
    sign, length = SIDES[moving], 0.985 * (body["thigh"] + body["shank"])

    def place(hip, i, foot):
        swung = hip + length * toward(6 + top * b.share, 90) * [sign, 1, 1]
        return swung if i == moving else foot

    return _one_leg(body, b, style, place, side=-0.045 * sign, lean=-6 * sign * b.share)


def _leg_back(body, b, style, rng):
    moving, top = rng.integers(2), rng.uniform(36, 48) * style["range"]
    sign, length = SIDES[moving], 0.985 * (body["thigh"] + body["shank"])

    def place(hip, i, foot):
        swung = hip + length * toward(14 - (14 + top) * b.share) * [sign, 1, 1]
        return swung if i == moving else foot

    return _one_leg(body, b, style, place, side=-0.045 * sign, pitch=14 * b.share)


def _still(body, b, style, rng):
    return stand(body, b, style, half=rng.uniform(0.07, 0.12))


LOWER_MOVES = {
    "stand": _still,
    "squat": _squat,
    "lunge": _lunge,
    "side lunge": _side_lunge,
    "hinge": _hinge,
    "calf raise": _calf_raise,
    "march": _march,
    "hop": _hop,
    "leg side": _leg_side,
    "leg back": _leg_back,
}


# --- arms and trunk -------------------------------------------------------------------------------
class Arms(NamedTuple):
    """Directions of upper arms and forearms: outwards, up, front of a person who stands upright."""

    upper: np.ndarray  # (T, 3) or (3,)
    fore: np.ndarray
    lean: object = 0.0  # degrees, (T,) or a number
    twist: object = 0.0
    nod: object = 0.0
    tilt: object = 0.0


def _between(start, end, share):
    """Directions on the way from one to another."""
    mixed = (1 - share)[:, None] * np.asarray(start) + share[:, None] * np.asarray(end)
    return mixed / np.linalg.norm(mixed, axis=-1, keepdims=True)


def _rest(b, style, rng, resists="none"):
    if resists == "none" and rng.random() < 0.5:  # hands on the hips
        return Arms(toward(38, 120), np.array([-0.75, -0.5, 0.45]))
    return Arms(toward(rng.uniform(5, 12), 70), toward(rng.uniform(8, 18), 15))


def _elbows(b, style, rng, resists):
    top = rng.uniform(118, 135) * style["range"]
    return Arms(toward(rng.uniform(5, 12), 75), toward(20 + (top - 20) * b.share, 4))


def _side_raise(b, style, rng, resists):
    top = rng.uniform(84, 100) * style["range"]
    angle = 12 + (top - 12) * b.share
    return Arms(toward(angle, 86), toward(angle + 4, 76))


def _front_raise(b, style, rng, resists):
    top = rng.uniform(84, 100) * style["range"]
    angle = 8 + (top - 8) * b.share
    return Arms(toward(angle, 8), toward(angle + 5, 2))


def _press(b, style, rng, resists):
    end = 72 + 96 * b.share * style["range"]
    return Arms(toward(end, 82), _between([0.05, 1, 0.1], [-0.03, 1, 0.05], b.share))


def _push(b, style, rng, resists):
    far = toward(80, 10)
    upper = _between(toward(34, 150), far, b.share * min(style["range"], 1))
    return Arms(upper, _between(toward(88, 8), toward(86, 2), b.share))


def _fly(b, style, rng, resists):
    plane = 98 - 84 * b.share * style["range"]
    return Arms(toward(86, plane), toward(87, plane - 8))


def _head(b, style, rng, resists):
    arms = _rest(b, style, rng)
    return arms._replace(nod=24 * b.share, tilt=38 * b.wave * style["range"])


def _side_bend(b, style, rng, resists):
    return _rest(b, style, rng, resists)._replace(lean=-34 * b.wave * style["range"])


def _twist(b, style, rng, resists):
    # hands together before the chest
    arms = Arms(toward(48, 10), np.array([-0.42, 0.12, 0.85]))
    return arms._replace(twist=58 * b.wave * style["range"])


UPPER_MOVES = {
    "rest": lambda b, style, rng, resists: _rest(b, style, rng, resists),
    "elbows": _elbows,
    "side raise": _side_raise,
    "front raise": _front_raise,
    "press": _press,
    "push": _push,
    "fly": _fly,
    "head": _head,
    "side bend": _side_bend,
    "twist": _twist,
}


def move_standing(activity, body, b, style, rng):
    """Put legs and arms together.

    Parameters
    ----------
    activity : Activity
        A standing one.
    body, style : dict
        The person.
    b : Beat
        The rhythm.
    rng : numpy.random.Generator
        Source of randomness; what is drawn does not depend on what resists.

    Returns
    -------
    Posture
        The movement.
    """
    leg_rng, arm_rng = rng.spawn(2)
    legs = LOWER_MOVES[activity.lower](body, b, style, leg_rng)
    arms = UPPER_MOVES[activity.upper](b, style, arm_rng, activity.resists)
    n = len(b.share)
    twist = np.deg2rad(arms.twist) + np.zeros(n)
    upright = rotation(1, twist)
    first, second = (np.broadcast_to(part, (n, 3)) for part in arms[:2])
    first, second = (
        part / np.linalg.norm(part, axis=-1, keepdims=True) for part in (first, second)
    )
    first, second = (np.einsum("tij,tsj->tsi", upright, both(part)) for part in (first, second))

    def wrists(shoulders, head):
        return shoulders + body["upper_arm"] * first + body["forearm"] * second

    zeros = np.zeros(n)
    return Posture(
        pelvis=legs.pelvis,
        turn=rotation(0, legs.pitch),
        flexion=legs.flexion,
        lean=legs.lean + np.deg2rad(arms.lean),
        twist=twist,
        # the eyes look ahead while the trunk bends
        nod=np.deg2rad(arms.nod) - 0.7 * (legs.pitch + legs.flexion),
        tilt=np.deg2rad(arms.tilt) + zeros,
        wrists=wrists,
        elbow_poles=first - second,  # elbows lie on the side of the upper arm
        ankles=legs.ankles,
        knee_poles=legs.poles,
        toes=legs.toes,
    )
