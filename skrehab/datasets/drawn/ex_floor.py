"""How a person moves on the floor in synthetic exercise clips: one function an exercise.

The body's long axis is the room's depth axis: prone and on all fours the head is in front (+z), on
the back it is behind. Lengths are shares of the body's height, angles degrees.
"""

import numpy as np

from skrehab.datasets._body import SIDES, rotation
from skrehab.datasets.drawn.ex_body import Posture
from skrehab.datasets.drawn.ex_motion import ANKLE, both


def _lengths(body):
    return (
        body["thigh"] + body["shank"],
        body["upper_arm"] + body["forearm"],
        body["trunk"],
        body["height"],
    )


def _along(angle):
    """Unit vectors in the vertical plane through the body's axis: from the front (0) up (90)."""
    angle = np.deg2rad(angle)
    return np.stack([0.0 * angle, np.sin(angle), np.cos(angle)], axis=-1)


def _posture(n, pelvis, turn, wrists, poles, ankles, knees, toes, **spine):
    """Fill in what does not move; vectors may be one for all frames, angles are degrees."""

    def frames(vectors, shape):
        return np.broadcast_to(np.asarray(vectors, float), (n, *shape))

    angles = {
        name: np.deg2rad(spine.get(name, 0.0)) + np.zeros(n)
        for name in ("flexion", "lean", "twist", "nod", "tilt")
    }
    return Posture(
        pelvis=frames(pelvis, (3,)),
        turn=frames(turn, (3, 3)),
        wrists=wrists if callable(wrists) else lambda shoulders, head: frames(wrists, (2, 3)),
        elbow_poles=frames(poles, (2, 3)),
        ankles=ankles if callable(ankles) else lambda hips: frames(ankles, (2, 3)),
        knee_poles=frames(knees, (2, 3)),
        toes=frames(toes, (2, 3)),
        **angles,
    )


# --- on hands and toes ----------------------------------------------------------------------------
def _plank(body, bend, n):
    """Pelvis, turn, hands and feet of a straight body on hands and toes; arms bent by a share."""
    leg, arm, trunk, h = _lengths(body)
    foot = 0.095 * h  # height of the ankle above toes that stand
    length = 0.99 * leg + trunk

    def axis(share):
        slope = np.arcsin(np.clip((arm * (0.97 - 0.6 * share) - foot) / length, -1, 1))
        return slope, np.stack([0 * slope, np.sin(slope), np.cos(slope)], axis=-1)

    slope, way = axis(bend + np.zeros(n))
    pelvis = way * 0.99 * leg + [0, foot, 0]
    top = axis(np.zeros(1))[1][0] * length
    hands = both(np.array([0.13 * h, 0.015 * h, top[2]]))
    feet = both(np.array([0.045 * h, foot, 0.0]))
    return pelvis, rotation(0, np.pi / 2 - slope), hands, feet


DOWN_TOES = [0.0, -0.92, 0.35]


def _push_ups(body, b, style, rng):
    n = len(b.share)
    pelvis, turn, hands, feet = _plank(body, b.share * style["range"], n)
    hands = hands * [rng.uniform(1.0, 1.35), 1, 1]
    return _posture(
        n, pelvis, turn, hands, both(np.array([0.9, 0.2, -0.7])), feet,
        both(np.array([0, -1.0, 0])), both(np.array(DOWN_TOES)), nod=-18,
    )  # fmt: skip


def _shoulder_taps(body, b, style, rng):
    n = len(b.share)
    pelvis, turn, hands, feet = _plank(body, 0.0, n)
    pelvis = pelvis + b.wave[:, None] * [-0.02, 0, 0]
    feet = feet * [1.8, 1, 1]

    def wrists(shoulders, head):
        tap = shoulders[:, ::-1] + [0, -0.06 * body["height"], 0.01]
        share = b.each[:, :, None]
        return (1 - share) * hands + share * tap

    return _posture(
        n, pelvis, turn, wrists, both(np.array([0.7, -0.3, -0.3])), feet,
        both(np.array([0, -1.0, 0])), both(np.array(DOWN_TOES)), nod=-18,
    )  # fmt: skip


def _mountain_climbers(body, b, style, rng):
    n, h = len(b.share), body["height"]
    pelvis, turn, hands, feet = _plank(body, 0.0, n)
    pelvis = pelvis + [0, 0.03 * h, 0]

    def ankles(hips):
        near = hips + [0, -0.19 * h, 0.02 * h]
        near[:, :, 1] = np.maximum(near[:, :, 1], 0.09 * h)
        share = (b.each * style["range"])[:, :, None]
        return (1 - share) * feet + share * near

    return _posture(
        n, pelvis, turn, hands, both(np.array([0.7, 0, -0.5])), ankles,
        both(np.array([0.15, -0.35, 1.0])), both(np.array(DOWN_TOES)), nod=-18,
    )  # fmt: skip


def _triceps_dips(body, b, style, rng):
    """Hands on a bench behind the pelvis, which goes down before it."""
    n, h = len(b.share), body["height"]
    low = 0.125 * b.share * style["range"]
    height = BENCH + 0.035 - low
    pelvis = np.stack([0 * low, height, 0.09 + 0 * low], axis=-1) * h
    hands = both(np.array([0.14, BENCH + 0.012, 0.0])) * h
    feet = both(np.array([0.07, ANKLE, 0.42])) * h
    return _posture(
        n, pelvis, rotation(0, np.deg2rad(-8 + 6 * b.share)), hands,
        both(np.array([0.25, 0.2, -1.0])), feet, both(np.array([0.1, 1.0, 0.6])),
        both(np.array([0.2, -0.3, 1.0])), flexion=4,
    )  # fmt: skip


BENCH = 0.24  # its height


# --- on the back ----------------------------------------------------------------------------------
def _arms_beside(body, n):
    def wrists(shoulders, head):
        place = shoulders + both(np.array([0.06, 0, 0.3])) * body["height"]
        place[:, :, 1] = 0.025 * body["height"]
        return place

    return wrists


def _hands_at_head(shoulders, head):
    return head[:, None] + both(np.array([0.085, 0.0, 0.0])) + 0.0 * shoulders


ON_THE_BACK = rotation(0, np.array([-np.pi / 2]))


def _lying(body, n):
    return np.array([0.0, 0.065, 0.0]) * body["height"] + np.zeros((n, 3))


def _bent_feet(body):
    return both(np.array([0.07, ANKLE, 0.255])) * body["height"]


def _glute_bridges(body, b, style, rng):
    n = len(b.share)
    trunk, h = body["trunk"], body["height"]
    angle = -3 + rng.uniform(30, 36) * b.share * style["range"]
    way = _along(angle)  # from the shoulders to the pelvis
    shoulders = np.array([0, 0.075 * h, -trunk])
    pelvis = shoulders + trunk * way
    return _posture(
        n, pelvis, rotation(0, -(np.pi / 2 + np.deg2rad(angle))), _arms_beside(body, n),
        both(np.array([1.0, 0, 0])), _bent_feet(body), both(np.array([0.1, 1.0, 0.3])),
        both(np.array([0.2, -0.3, 1.0])), nod=12 + angle,
    )  # fmt: skip


def _crunches(body, b, style, rng):
    n = len(b.share)
    return _posture(
        n, _lying(body, n), ON_THE_BACK, _hands_at_head, both(np.array([1.0, 0.1, -0.2])),
        _bent_feet(body), both(np.array([0.1, 1.0, 0.3])), both(np.array([0.2, -0.3, 1.0])),
        flexion=4 + rng.uniform(44, 56) * b.share * style["range"], nod=4 + 14 * b.share,
    )  # fmt: skip


def _lying_leg_raises(body, b, style, rng):
    n, leg = len(b.share), 0.985 * (body["thigh"] + body["shank"])
    way = _along(5 + rng.uniform(70, 84) * b.share * style["range"])[:, None]
    return _posture(
        n, _lying(body, n), ON_THE_BACK, _arms_beside(body, n), both(np.array([1.0, 0, 0])),
        lambda hips: hips + leg * way, both(np.array([0.0, 1.0, -0.3])), way + [0, 0.5, -0.2],
        nod=4,
    )  # fmt: skip


def _bicycle_crunches(body, b, style, rng):
    n, h = len(b.share), body["height"]
    leg = 0.985 * (body["thigh"] + body["shank"])

    def ankles(hips):
        far = hips + leg * _along(np.array(17.0))
        near = hips + np.array([0, 0.22, 0.16]) * h
        share = b.each[:, :, None]
        return (1 - share) * far + share * near

    return _posture(
        n, _lying(body, n), ON_THE_BACK, _hands_at_head, both(np.array([1.0, 0.1, -0.2])), ankles,
        both(np.array([0.05, 1.0, -0.6])), both(np.array([0.0, 0.5, 1.0])),
        flexion=34 * style["range"], nod=12, twist=-34 * b.wave * style["range"],
    )  # fmt: skip


# --- prone, on one side, on all fours -------------------------------------------------------------
def _supermans(body, b, style, rng):
    n, arm = len(b.share), 0.97 * (body["upper_arm"] + body["forearm"])
    leg = 0.985 * (body["thigh"] + body["shank"])
    s = b.share * style["range"]
    legs = _along(180 - 1 - 19 * s)[:, None]
    arms = both(_along(2 + 34 * s) + [0.28, 0, 0])
    return _posture(
        n, _lying(body, n), rotation(0, np.array([np.pi / 2])),
        lambda shoulders, head: shoulders + arm * arms, both(np.array([1.0, 0, 0])),
        lambda hips: hips + leg * legs, both(np.array([0.0, -1.0, 0])), legs + [0, -0.2, 0],
        flexion=-3 - 27 * s, nod=-14 - 10 * s,
    )  # fmt: skip


def _side_lying_leg_raises(body, b, style, rng):
    """The upper leg goes up; the head is on the stretched lower arm."""
    n, h = len(b.share), body["height"]
    upper = rng.integers(2)
    sign = SIDES[upper]  # lying on the right side, the left leg is the upper one
    leg, arm = 0.985 * (body["thigh"] + body["shank"]), body["upper_arm"] + body["forearm"]
    angle = np.deg2rad(3 + rng.uniform(40, 52) * b.share * style["range"])
    lifted = np.stack([sign * np.cos(angle), np.sin(angle), 0 * angle], axis=-1)

    def wrists(shoulders, head):
        place = np.empty_like(shoulders)
        place[:, 1 - upper] = shoulders[:, 1 - upper] + 0.95 * arm * np.array([-sign, 0.03, 0.1])
        place[:, upper] = shoulders[:, upper] * [1, 0, 1] + [0.05 * sign * h, 0.03 * h, 0.14 * h]
        return place

    def ankles(hips):
        place = hips + leg * np.array([sign, -0.02, 0.0])
        place[:, upper] = hips[:, upper] + leg * lifted
        return place

    pelvis = np.array([0, body["hip"] + 0.055 * h, 0]) + np.zeros((n, 3))
    return _posture(
        n, pelvis, rotation(2, np.array([sign * np.pi / 2])), wrists,
        both(np.array([0.0, 0.3, 1.0])), ankles, both(np.array([0.0, 0.0, 1.0])),
        np.array([0.25 * sign, 0, 1.0]), tilt=-sign * 12,
    )  # fmt: skip


def _on_all_fours(body, n):
    """Pelvis, turn, hands and kneeling feet."""
    h, trunk = body["height"], body["trunk"]
    arm = 0.96 * (body["upper_arm"] + body["forearm"])
    hip = body["thigh"] + 0.035 * h
    slope = np.arcsin((arm + 0.015 * h - hip) / trunk)
    pelvis = np.array([0, hip, 0]) + np.zeros((n, 3))
    hands = both(np.array([0.1 * h, 0.015 * h, trunk * np.cos(slope)]))
    feet = both(np.array([0.06 * h, 0.045 * h, -0.99 * body["shank"]]))
    return pelvis, rotation(0, np.array([np.pi / 2 - slope])), hands, feet


BACK_TOES = [0.0, -0.45, -1.0]


def _donkey_kicks(body, b, style, rng):
    n, moving = len(b.share), rng.integers(2)
    pelvis, turn, hands, feet = _on_all_fours(body, n)
    top = rng.uniform(84, 100) * style["range"]
    thigh = _along(-90 - top * b.share) * [1, 1, 1]
    shank = _along(180 - 86 * b.share)
    knees = both(np.array([0.0, -1.0, 0.6])) + np.zeros((n, 2, 3))
    knees[:, moving] = thigh
    toes = both(np.array(BACK_TOES)) + np.zeros((n, 2, 3))
    toes[:, moving] = shank + [0, 0, -0.4]

    def ankles(hips):
        place = feet + 0.0 * hips
        place[:, moving] = hips[:, moving] + body["thigh"] * thigh + 0.98 * body["shank"] * shank
        return place

    return _posture(
        n, pelvis, turn, hands, both(np.array([0.5, 0, -0.6])), ankles, knees, toes, nod=-20
    )


def _bird_dogs(body, b, style, rng):
    """One leg and the other side's arm are stretched out."""
    n, moving = len(b.share), rng.integers(2)
    pelvis, turn, hands, feet = _on_all_fours(body, n)
    leg, arm = 0.98 * (body["thigh"] + body["shank"]), body["upper_arm"] + body["forearm"]
    s = (b.share * style["range"])[:, None]
    way = np.array([0, 0.08, -1.0])
    toes = both(np.array(BACK_TOES)) + np.zeros((n, 2, 3))

    def ankles(hips):
        place = feet + 0.0 * hips
        place[:, moving] = (1 - s) * place[:, moving] + s * (hips[:, moving] + leg * way)
        return place

    def wrists(shoulders, head):
        place = hands + 0.0 * shoulders
        ahead = shoulders[:, 1 - moving] + 0.97 * arm * np.array([0, 0.12, 1.0])
        place[:, 1 - moving] = (1 - s) * place[:, 1 - moving] + s * ahead
        return place

    return _posture(
        n, pelvis, turn, wrists, both(np.array([0.5, -0.2, -0.6])), ankles,
        both(np.array([0.0, -1.0, 0.6])), toes, nod=-20,
    )  # fmt: skip


FLOOR_MOVES = {
    "push ups": _push_ups,
    "shoulder taps": _shoulder_taps,
    "mountain climbers": _mountain_climbers,
    "triceps dips": _triceps_dips,
    "glute bridges": _glute_bridges,
    "crunches": _crunches,
    "lying leg raises": _lying_leg_raises,
    "bicycle crunches": _bicycle_crunches,
    "supermans": _supermans,
    "side lying leg raises": _side_lying_leg_raises,
    "donkey kicks": _donkey_kicks,
    "bird dogs": _bird_dogs,
}
