"""A seated body: segment lengths, joint angles and wrist targets in, 33 MediaPipe landmarks out.

Inside this file the axes are the person's own, (left, up, front), which is a right-handed frame
with its origin between the hips; :func:`to_camera` turns it into MediaPipe's world axes.
"""

from typing import NamedTuple

import numpy as np

# Segment lengths as shares of body height, after Drillis and Contini (1966) as tabled by Winter,
# Biomechanics and Motor Control of Human Movement, 4th ed. (2009), figure 4.1. Widths and the hand
# are those of joint centres and knuckles, where MediaPipe puts its landmarks.
SEGMENTS = {
    "trunk": 0.288,
    "shoulder": 0.110,  # half width
    "hip": 0.068,  # half width
    "upper_arm": 0.186,
    "forearm": 0.146,
    "hand": 0.055,
    "neck": 0.045,
    "head": 0.070,  # from the base of the skull to the middle of the ears
    "thigh": 0.245,
    "shank": 0.246,
    "foot": 0.110,
}

# Face landmarks 0-10 as seen from the middle of the ears: (left, up, front), shares of the height.
_FACE = np.array(
    [
        (0.000, -0.004, 0.068),  # nose
        (0.010, 0.014, 0.056),  # left eye: inner, middle, outer
        (0.019, 0.015, 0.055),
        (0.028, 0.014, 0.048),
        (-0.010, 0.014, 0.056),  # right eye
        (-0.019, 0.015, 0.055),
        (-0.028, 0.014, 0.048),
        (0.045, 0.000, 0.000),  # ears
        (-0.045, 0.000, 0.000),
        (0.015, -0.034, 0.054),  # mouth corners
        (-0.015, -0.034, 0.054),
    ]
)

SIDES = np.array([1.0, -1.0])  # left, right: which way "outwards" points


class Trunk(NamedTuple):
    """Where trunk and head are, one entry per frame."""

    rotation: np.ndarray  # (n_frames, 3, 3)
    shoulders: np.ndarray  # (n_frames, 2, 3), left then right
    head: np.ndarray  # (n_frames, 3), middle of the ears
    head_rotation: np.ndarray  # (n_frames, 3, 3)


def draw_body(rng):
    """Draw one adult's segment lengths.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to float
        Lengths in metres under the names of ``SEGMENTS``, and ``height``.
    """
    height = np.clip(rng.normal(1.68, 0.09), 1.45, 1.95)
    shares = np.clip(rng.normal(1.0, 0.04, size=len(SEGMENTS)), 0.9, 1.1)
    body = {
        name: height * share * k for (name, share), k in zip(SEGMENTS.items(), shares, strict=True)
    }
    return {"height": height, **body}


def rotation(axis, angle):
    """Build rotation matrices about one of the person's axes.

    Parameters
    ----------
    axis : {0, 1, 2}
        0 bends forwards (up turns to the front), 1 turns to the left (the front turns left),
        2 leans to the right (left turns up).
    angle : ndarray of shape (n_frames,)
        Radians.

    Returns
    -------
    ndarray of shape (n_frames, 3, 3)
        One matrix per frame.
    """
    angle = np.atleast_1d(angle)
    matrix = np.zeros((len(angle), 3, 3))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix[:, axis, axis] = 1
    matrix[:, first, first] = matrix[:, second, second] = np.cos(angle)
    matrix[:, second, first] = np.sin(angle)
    matrix[:, first, second] = -np.sin(angle)
    return matrix


def place_trunk(body, posture):
    """Place trunk, shoulders and head; the pelvis stays on the chair.

    Parameters
    ----------
    body : dict
        From :func:`draw_body`.
    posture : dict of str to ndarray
        Angles in radians, shape (n_frames,): ``trunk_flexion, trunk_rotation, trunk_lean,
        head_flexion, head_rotation``; and ``shoulder_elevation`` of shape (n_frames, 2).

    Returns
    -------
    Trunk
        Positions and orientations.
    """
    turn = (
        rotation(0, posture["trunk_flexion"])
        @ rotation(2, posture["trunk_lean"])
        @ rotation(1, posture["trunk_rotation"])
    )
    chest = turn[:, :, 1] * body["trunk"]
    # each collar bone turns about the breast bone, so its length does not change
    lift = posture["shoulder_elevation"]
    collar = np.stack([SIDES * np.cos(lift), np.sin(lift), np.zeros_like(lift)], axis=-1)
    shoulders = chest[:, None] + body["shoulder"] * np.einsum("tij,tsj->tsi", turn, collar)
    nod = rotation(0, posture["head_flexion"]) @ rotation(1, posture["head_rotation"])
    head_turn = turn @ nod
    head = chest + turn[:, :, 1] * body["neck"] + head_turn[:, :, 1] * body["head"]
    return Trunk(turn, shoulders, head, head_turn)


def place_arm(body, shoulder, target, pole, side):
    """Bend one arm so that its wrist is at a target, or as near as the arm is long.

    Parameters
    ----------
    body : dict
        From :func:`draw_body`.
    shoulder, target : ndarray of shape (n_frames, 3)
        Shoulder and wanted wrist positions.
    pole : ndarray of shape (n_frames, 3)
        Where the elbow points; of any length.
    side : {1, -1}
        Left or right.

    Returns
    -------
    ndarray of shape (n_frames, 5, 3)
        Elbow, wrist, little finger, index finger and thumb.
    """
    upper, fore, hand = body["upper_arm"], body["forearm"], body["hand"]
    line = target - shoulder
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    line = line / distance
    distance = np.clip(distance, 1.2 * abs(upper - fore) + 0.05, 0.985 * (upper + fore))
    along = (upper**2 - fore**2 + distance**2) / (2 * distance)
    away = _perpendicular(pole, line)
    elbow = shoulder + along * line + np.sqrt(upper**2 - along**2) * away
    wrist = shoulder + distance * line

    forearm = (wrist - elbow) / fore
    palm = _perpendicular(away, forearm)
    # halfway between palm down (thumb inwards) and palm in (thumb up)
    thumbwards = -(side * np.cross(forearm, palm) + palm) / np.sqrt(2)
    little = wrist + hand * (0.90 * forearm - 0.30 * thumbwards)
    index = wrist + hand * (1.00 * forearm + 0.25 * thumbwards)
    thumb = wrist + hand * (0.55 * forearm + 0.45 * thumbwards)
    return np.stack([elbow, wrist, little, index, thumb], axis=1)


def place_leg(body, thigh, shank, abduction, side):
    """Place one leg from the hip down.

    Parameters
    ----------
    body : dict
        From :func:`draw_body`.
    thigh : ndarray of shape (n_frames,)
        Angle of the thigh above the horizontal, radians.
    shank : ndarray of shape (n_frames,)
        Forward tilt of the shank from hanging straight down, radians.
    abduction : float
        How far the knee points outwards, radians.
    side : {1, -1}
        Left or right.

    Returns
    -------
    ndarray of shape (n_frames, 5, 3)
        Hip, knee, ankle, heel and foot index.
    """
    ahead = np.array([side * np.sin(abduction), 0.0, np.cos(abduction)])
    up = np.array([0.0, 1.0, 0.0])

    def direction(angle):
        return np.cos(angle)[:, None] * ahead + np.sin(angle)[:, None] * up

    hip = np.broadcast_to([side * body["hip"], 0.0, 0.0], (len(thigh), 3))
    knee = hip + body["thigh"] * direction(thigh)
    ankle = knee + body["shank"] * direction(shank - np.pi / 2)
    # the foot hangs a little as the shank tilts, and is flat on the floor when it does not
    heel = ankle + 0.40 * body["foot"] * direction(shank - 0.75 * np.pi)
    toe = ankle + body["foot"] * direction(0.6 * shank - 0.25)
    return np.stack([hip, knee, ankle, heel, toe], axis=1)


def place_face(body, trunk):
    """Place the eleven landmarks of the face.

    Parameters
    ----------
    body : dict
        From :func:`draw_body`.
    trunk : Trunk
        From :func:`place_trunk`.

    Returns
    -------
    ndarray of shape (n_frames, 11, 3)
        Landmarks 0 to 10.
    """
    face = body["height"] * _FACE
    return trunk.head[:, None] + np.einsum("tij,kj->tki", trunk.head_rotation, face)


def to_camera(landmarks, heading=0.0):
    """Turn the person's axes (left, up, front) into MediaPipe's world axes.

    Parameters
    ----------
    landmarks : ndarray of shape (n_frames, n_landmarks, 3)
        Positions in the person's axes.
    heading : float, default=0.0
        How far the chair is turned to the person's left, radians; 0 faces the camera.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, 3)
        x to the image's right (the left of a person facing the camera), y down, z away.
    """
    return np.einsum("ij,tkj->tki", rotation(1, heading)[0], landmarks) * [1.0, -1.0, -1.0]


def _perpendicular(vector, line):
    """Part of a vector that is at right angles to unit vectors, with length 1."""
    vector = vector - np.sum(vector * line, axis=-1, keepdims=True) * line
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)
