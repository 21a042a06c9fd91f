"""From angles and places of an exercise to a whole body in three dimensions.

Axes are the person's own (left, up, front), in metres; the origin is on the floor between the feet,
or under the middle of a body that lies.
"""

from typing import NamedTuple

import numpy as np

from skrehab.datasets._body import SIDES, Trunk, place_face, rotation


class Posture(NamedTuple):
    """What a movement says, T frames; sides are 0 left, 1 right."""

    pelvis: np.ndarray  # (T, 3)
    turn: np.ndarray  # (T, 3, 3): pelvis, from upright
    flexion: np.ndarray  # (T,): spine, radians
    lean: np.ndarray
    twist: np.ndarray
    nod: np.ndarray  # (T,): head, chin down
    tilt: np.ndarray
    wrists: object  # (shoulders, head) -> (T, 2, 3)
    elbow_poles: np.ndarray  # (T, 2, 3): where elbows point
    ankles: object  # (hips) -> (T, 2, 3)
    knee_poles: np.ndarray  # (T, 2, 3)
    toes: np.ndarray  # (T, 2, 3): from the ankle to the toes, of any length


class Body(NamedTuple):
    """Joints, left before right."""

    face: np.ndarray  # (T, 11, 3): MediaPipe's landmarks 0 to 10
    head: np.ndarray  # (T, 3): middle of the ears
    crown: np.ndarray  # (T, 3)
    neck: np.ndarray  # (T, 3): between the shoulders
    waist: np.ndarray  # (T, 3)
    pelvis: np.ndarray  # (T, 3)
    shoulders: np.ndarray  # (T, 2, 3)
    elbows: np.ndarray
    wrists: np.ndarray
    hands: np.ndarray  # (T, 2, 3): middle of the fists
    hips: np.ndarray
    knees: np.ndarray
    ankles: np.ndarray
    toes: np.ndarray


def place_body(body, posture):
    """Place every joint.

    Parameters
    ----------
    body : dict
        Segment lengths, from :func:`skrehab.datasets._body.draw_body`.
    posture : Posture
        The movement.

    Returns
    -------
    Body
        The joints.
    """
    up = np.array([0.0, 1.0, 0.0])
    turn = posture.turn
    spine = rotation(0, posture.flexion) @ rotation(2, posture.lean) @ rotation(1, posture.twist)
    chest = turn @ spine
    waist = posture.pelvis + 0.4 * body["trunk"] * (turn @ up)
    neck = waist + 0.6 * body["trunk"] * (chest @ up)
    across = SIDES[:, None] * [1.0, 0.0, 0.0]
    shoulders = neck[:, None] + body["shoulder"] * np.einsum("tij,sj->tsi", chest, across)
    nod = rotation(0, posture.nod) @ rotation(2, posture.tilt)
    head_turn = chest @ nod
    # the neck takes half of what the head does
    way = chest @ (rotation(0, 0.5 * posture.nod) @ rotation(2, 0.5 * posture.tilt)) @ up
    head = neck + body["neck"] * way + body["head"] * (head_turn @ up)

    elbows, wrists = _two_links(
        shoulders,
        posture.wrists(shoulders, head),
        body["upper_arm"],
        body["forearm"],
        posture.elbow_poles,
    )
    fore = wrists - elbows
    fore = fore / np.linalg.norm(fore, axis=-1, keepdims=True)
    hands = wrists + 0.9 * body["hand"] * fore
    hands[..., 1] = np.maximum(hands[..., 1], 0.02)  # they bend where they bear on the floor
    hips = posture.pelvis[:, None] + body["hip"] * np.einsum("tij,sj->tsi", turn, across)
    knees, ankles = _two_links(
        hips, posture.ankles(hips), body["thigh"], body["shank"], posture.knee_poles
    )
    toes = posture.toes / np.linalg.norm(posture.toes, axis=-1, keepdims=True)
    return Body(
        face=place_face(body, Trunk(chest, shoulders, head, head_turn)),
        head=head,
        crown=head + 0.065 * body["height"] * (head_turn @ up),
        neck=neck,
        waist=waist,
        pelvis=posture.pelvis,
        shoulders=shoulders,
        elbows=elbows,
        wrists=wrists,
        hands=hands,
        hips=hips,
        knees=knees,
        ankles=ankles,
        toes=ankles + 0.9 * body["foot"] * toes,
    )


def _two_links(root, target, upper, lower, pole):
    """Middle and end joint of limbs (T, 2, 3) that reach for a target, or as near as they can."""
    line = target - root
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    line = line / np.maximum(distance, 1e-9)
    distance = np.clip(distance, abs(upper - lower) + 0.06, 0.999 * (upper + lower))
    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    away = pole - (pole * line).sum(-1, keepdims=True) * line
    away = away / np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-9)
    height = np.sqrt(np.maximum(upper**2 - along**2, 0))
    return root + along * line + height * away, root + distance * line
