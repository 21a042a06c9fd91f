"""From what the hands do to a whole seated body in three dimensions."""

from typing import NamedTuple

import numpy as np

from skrehab.datasets.drawn.bbt_hands import SIDES

_UP = np.array([0.0, 1.0, 0.0])


class Body(NamedTuple):
    """Joints in metres, left before right; axes as in `bbt_motion`."""

    head: np.ndarray  # (T, 3), its centre
    face: np.ndarray  # (T, 9, 3): nose, eyes, ears, two corners of the mouth, crown, chin
    neck: np.ndarray  # (T, 3)
    shoulders: np.ndarray  # (T, 2, 3)
    elbows: np.ndarray  # (T, 2, 3)
    wrists: np.ndarray  # (T, 2, 3)
    legs: np.ndarray  # (T, 6, 3): hips, knees, ankles
    palms: np.ndarray  # (T, 2, 4, 3): corners of the palm, thumb's side at the wrist first
    fingers: np.ndarray  # (T, 2, 4, 3, 3): knuckle, middle joint and tip, index finger first
    thumbs: np.ndarray  # (T, 2, 3, 3): the same of the thumb
    block: np.ndarray  # (T, 3): centre of the block in play


def place_body(style, motion):
    """Place every joint so that the hands are where the motion wants them.

    Parameters
    ----------
    style : dict
        The patient.
    motion : Motion
        The movement. Where an arm is too short, the trunk goes along.

    Returns
    -------
    Body
        The joints.
    """
    sign = np.array(SIDES)[:, None] * [1.0, 0.0, 0.0]  # (2, 3)
    along, palm, across = _hand_axes(motion)
    size = style["hand"]
    # thumb and index finger meet here, seen from the wrist
    offset = size * (0.118 * along + 0.03 * across + 0.04 * palm)
    wrists = motion.point - offset

    centre = np.array([0.0, style["shoulder_height"], style["seat"]]) + motion.trunk
    reach = style["upper_arm"] + style["forearm"]
    working = wrists[:, motion.active]
    shoulder = centre + style["shoulder_half"] * sign[motion.active]
    way = working - shoulder
    far = np.linalg.norm(way, axis=1, keepdims=True)
    demand = np.clip(far / reach - 0.7, 0, None)
    lean = np.maximum(style["lean"] * demand * reach, np.clip(far - 0.97 * reach, 0, 0.25))
    centre = centre + lean * way / far * [1.0, 0.5, 1.0]
    shoulders = centre[:, None] + style["shoulder_half"] * sign
    shoulders[:, motion.active, 1] += style["hike"] * np.clip(demand[:, 0] / 0.2, 0, 1)

    pole = sign * (0.25 + style["elbow_out"]) + [0.0, -1.0, -0.3]
    elbows, wrists = _bend_arms(style, shoulders, wrists, pole)
    turn, chin = motion.gaze.T
    neck = centre + [0.0, 0.045, 0.0]
    head = centre + 0.3 * (centre - centre[0]) * [1, 0, 1] + [0, 0.2 * style["head"], 0.02]
    return Body(
        head=head,
        face=head[:, None] + style["head"] * _face(turn, chin),
        neck=neck,
        shoulders=shoulders,
        elbows=elbows,
        wrists=wrists,
        legs=np.broadcast_to(_legs(style), (len(head), 6, 3)),
        **_hand(wrists, along, palm, across, motion.grip, size),
        block=motion.block,
    )


def _hand_axes(motion):
    """Unit axes of the hands: to the knuckles, out of the palm, to the thumb's side."""
    along = motion.along
    palm = motion.palm - (motion.palm * along).sum(-1, keepdims=True) * along
    palm = palm / np.linalg.norm(palm, axis=-1, keepdims=True)
    # a left hand and a right hand are mirror images
    across = np.cross(along, palm) * np.array(SIDES)[:, None] * -1.0
    return along, palm, across


def _bend_arms(style, shoulders, wrists, pole):
    """Elbows of two-link arms, and the wrists that such arms can reach."""
    upper, fore = style["upper_arm"], style["forearm"]
    way = wrists - shoulders
    far = np.linalg.norm(way, axis=-1, keepdims=True)
    near, most = abs(upper - fore) + 0.05, 0.995 * (upper + fore)
    direction = way / np.maximum(far, 1e-9)
    far = np.clip(far, near, most)
    side = pole - (pole * direction).sum(-1, keepdims=True) * direction
    side = side / np.linalg.norm(side, axis=-1, keepdims=True)
    cosine = (upper**2 + far**2 - fore**2) / (2 * upper * far)
    sine = np.sqrt(np.clip(1 - cosine**2, 0, 1))
    elbows = shoulders + upper * (cosine * direction + sine * side)
    return elbows, shoulders + far * direction


def _face(turn, chin):
    """Points of a face of normal size around the head's centre, (T, 9, 3)."""
    points = np.array(
        [
            [0, -0.015, 0.105],
            [0.033, 0.02, 0.085],
            [-0.033, 0.02, 0.085],
            [0.076, 0.0, 0.0],
            [-0.076, 0.0, 0.0],
            [0.024, -0.06, 0.085],
            [-0.024, -0.06, 0.085],
            [0, 0.12, 0.0],
            [0, -0.115, 0.06],
        ]
    )
    c, s = np.cos(chin)[:, None], np.sin(chin)[:, None]
    x, y, z = points.T
    y, z = c * y - s * z, s * y + c * z  # chin down: the nose sinks
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    return np.stack([c * x + s * z, y, c * z - s * x], axis=-1)


def _hand(wrists, along, palm, across, grip, size):
    """Palm, fingers and thumb; to close, fingers bend to the palm and the thumb to them."""

    def at(a, b, c):
        return wrists + size * (a * along + b * across + c * palm)

    corners = [at(0.0, 0.026, 0), at(0.085, 0.042, 0), at(0.08, -0.042, 0), at(0.0, -0.026, 0)]
    grip = grip[..., None]
    fingers = []
    for base, length, spread in (
        (0.034, 0.9, 0.3),
        (0.011, 1, 0.1),
        (-0.012, 0.95, -0.1),
        (-0.034, 0.75, -0.3),
    ):
        knuckle = at(0.085, base, 0)
        first, second = 0.15 + 0.8 * grip, 0.25 + 1.75 * grip
        spread = spread * (1 - grip)
        middle = knuckle + size * length * 0.045 * (
            np.cos(first) * along + np.sin(first) * palm + spread * across
        )
        tip = middle + size * length * 0.04 * (
            np.cos(second) * along + np.sin(second) * palm + spread * across
        )
        fingers.append(np.stack([knuckle, middle, tip], axis=-2))
    base = at(0.025, 0.028, 0.008)
    wide = base + size * (0.045 * along + 0.05 * across + 0.01 * palm)
    wide_tip = wide + size * (0.034 * along + 0.012 * across + 0.01 * palm)
    tight = base + size * (0.04 * along + 0.01 * across + 0.045 * palm)
    tight_tip = at(0.108, 0.03, 0.056)
    thumb = [base, wide + grip * (tight - wide), wide_tip + grip * (tight_tip - wide_tip)]
    return {
        "palms": np.stack(corners, axis=-2),
        "fingers": np.stack(fingers, axis=2),
        "thumbs": np.stack(thumb, axis=-2),
    }


def _legs(style):
    """Hips, knees and ankles, left and right: they stay where they are, under the table."""
    hip = style["shoulder_height"] - 0.56
    places = ((0.1, hip, 0.0), (0.14, hip - 0.03, 0.42), (0.13, hip - 0.45, 0.38))
    return np.array([[x * side, y, style["seat"] + z] for x, y, z in places for side in SIDES])
