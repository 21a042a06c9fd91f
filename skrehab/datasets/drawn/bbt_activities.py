"""What hands do in a synthetic Box-and-Block test, one function a kind of movement.

A movement is (points, along, palm, grip) of one hand, each with one entry a frame: see
`bbt_hands`. Functions of the test's own movements also return where the block in play lies, in
which frames the hand holds it, and how far the hand is from the camera.
"""

import numpy as np

from skrehab.datasets._exercises import minimum_jerk
from skrehab.datasets.drawn.bbt_hands import (
    BOX,
    HOLDING,
    PILE,
    SIDES,
    HandPose,
    blend,
    hold,
    idle,
    over,
)


# --- the test's own movements ---------------------------------------------------------------------
def grasp(side, style, u, seconds, rng):
    """Lower the hand among the blocks, close it, lift it slightly."""
    x = SIDES[side] * (1 if rng.random() < 0.75 else -1) * rng.uniform(0.07, 0.19)
    depth = rng.uniform(-0.04, 0.05)
    down = rng.uniform(0.22, 0.34) * style["pace"] / 0.95
    close = down + rng.uniform(0.16, 0.3)
    up = min(close + 0.35, 0.97)
    open_grip = rng.uniform(0.0, 0.2)
    start = over(side, style, [x + rng.normal(0, 0.025), rng.uniform(0.14, 0.2), depth], open_grip)
    low = start.moved([x, PILE, depth])
    closed = low.moved(low.point, grip=HOLDING)
    lifted = closed.moved([x + rng.normal(0, 0.01), rng.uniform(0.1, 0.14), depth])
    first = rng.uniform(-0.12, 0.02)
    hand = blend(u, [(first, down), (down, close), (close, up)], [start, low, closed, lifted])
    search = np.sin(2 * np.pi * 2.2 * seconds) * 0.006  # fingers feel for the block
    hand[0][:, 0] += search * (u > down * 0.7) * (u < close)
    return hand, low.point, u >= close, depth


def transport(side, style, loaded, u, rng):
    """Take the hand over the partition, either way, and perhaps open it in the end.

    What is drawn does not depend on whether it is `loaded` with a block: only the grip does.
    """
    way = rng.choice([-1.0, 1.0])
    start = rng.uniform(-0.12, 0.12)
    stop = start + style["pace"] * rng.uniform(0.85, 1.05)
    drops = rng.random() < 0.4 and stop < 0.86
    empty = rng.choice([0.15, 0.6]) + rng.uniform(-0.1, 0.1)  # an empty hand may stay closed
    depth = rng.uniform(-0.03, 0.04)
    ends = [[x * rng.uniform(0.09, 0.18), rng.uniform(0.11, 0.15), depth] for x in (-way, way)]
    poses = [over(side, style, end, HOLDING if loaded else empty) for end in ends]
    hand = blend(u, [(start, stop)], poses)
    height = BOX["partition"] + 0.035 + style["lift"] - 0.5 * (ends[0][1] + ends[1][1])
    share = minimum_jerk((u - start) / (stop - start))
    hand[0][:, 1] += height * np.sin(np.pi * share) ** 0.8
    held = u < stop if drops else np.ones(len(u), bool)
    if drops:
        hand[3][:] *= 1 - minimum_jerk((u - stop) / 0.08)
    return hand, np.array(ends[0]), held, depth


def fall(block, held, seconds):
    """Let the block drop onto the pile from where the hand opened."""
    if held.all():
        return block
    last = np.flatnonzero(held)[-1] if held.any() else 0
    fallen = block[last] - np.outer(0.5 * 9.81 * (seconds - seconds[last]) ** 2, [0, 1.0, 0])
    fallen[:, 1] = np.maximum(fallen[:, 1], PILE)
    return np.where(held[:, None], block, fallen)


# --- everything else ------------------------------------------------------------------------------
def _visit(side, style, away, u, rng, *, late=0.25):
    """Go from rest to a place and stay, come back from it, or be there all the time."""
    rest = idle(side, style, rng)
    plan = rng.choice(["go", "back", "stay", "both"], p=[0.3, 0.2, 0.25, 0.25])
    start = rng.uniform(-0.2, late)
    if plan == "go":
        return blend(u, [(start, start + 0.6 * style["pace"])], [rest, away])
    if plan == "back":
        start += 0.2
        return blend(u, [(start, start + 0.6 * style["pace"])], [away, rest])
    if plan == "both":
        return blend(u, [(-0.1, 0.4), (0.6, 1.1)], [rest, away, rest])
    return hold(away, len(u))


def _resting(side, style, u, seconds, trunk, gaze, rng):
    rest = idle(side, style, rng)
    shifted = rest.moved(rest.point + rng.normal(0, 0.012, 3) * [1, 0, 1], rng.uniform(0.1, 0.6))
    start = rng.uniform(0, 0.5)
    gaze[:, 0] += rng.normal(0, 0.3) * minimum_jerk((u - start) / 0.4)  # looks about
    gaze[:, 1] -= rng.uniform(0, 0.3)
    return blend(u, [(start, start + 0.3)], [rest, shifted])


def _scratching(side, style, u, seconds, trunk, gaze, rng):
    x = SIDES[side]
    top = style["shoulder_height"] + 0.30 * style["head"]
    point = [x * 0.075 * style["head"], top, style["seat"] + rng.uniform(0.02, 0.08)]
    away = HandPose.of(point, [-0.75 * x, 0.6, 0.0], [-x, -0.6, -0.3], 0.35)
    hand = _visit(side, style, away, u, rng, late=0.05)
    up = hand[0][:, 1] / top > 0.85
    hand[0][:, 1] += up * 0.014 * np.sin(2 * np.pi * rng.uniform(3, 4.5) * seconds)
    return hand


def _posture(side, style, u, seconds, trunk, gaze, rng):
    start = rng.uniform(-0.1, 0.3)
    share = minimum_jerk((u - start) / rng.uniform(0.4, 0.7))
    shift = np.array([rng.choice([-1, 1]) * rng.uniform(0.04, 0.09), rng.uniform(-0.02, 0.04), 0])
    trunk += np.outer(share if rng.random() < 0.6 else 1 - share, shift)
    return hold(idle(side, style, rng), len(u))


def _reaching(side, style, u, seconds, trunk, gaze, rng):
    x = SIDES[side]
    point = [x * rng.uniform(0.36, 0.45), rng.uniform(0.03, 0.16), rng.uniform(-0.02, 0.14)]
    away = HandPose.of(point, [0.3 * x, -0.2, 1.0], [-x, -1.0, 0], 0.3)
    gaze[:, 0] += 0.4 * x
    return _visit(side, style, away, u, rng)


def _other_arm(side, style, u, seconds, trunk, gaze, rng):
    x = SIDES[side]
    point = [-x * rng.uniform(0.2, 0.24), rng.uniform(0.15, 0.2), rng.uniform(-0.2, -0.16)]
    away = HandPose.of(point, [-1.0 * x, 0.1, 0.3], [0, -0.6, -1.0], 0.4)
    hand = _visit(side, style, away, u, rng)
    hand[0][:, 1] += 0.012 * np.sin(2 * np.pi * 1.8 * seconds)  # rubs
    return hand


def _gesture(side, style, u, seconds, trunk, gaze, rng):
    x = SIDES[side]
    point = [x * rng.uniform(0.24, 0.34), rng.uniform(0.36, 0.46), rng.uniform(-0.16, -0.1)]
    away = HandPose.of(point, [0.1 * x, 1.0, 0.2], [-0.3 * x, 0, 1.0], 0.05)
    gaze[:, 1] -= 0.3
    hand = _visit(side, style, away, u, rng, late=0.1)
    hand[0][:, 0] += 0.02 * np.sin(2 * np.pi * 1.5 * seconds) * (hand[0][:, 1] > 0.25)
    return hand


def _face(side, style, u, seconds, trunk, gaze, rng):
    x = SIDES[side]
    chin = style["shoulder_height"] + 0.13 * style["head"]
    point = [x * 0.03, chin + rng.uniform(0, 0.05), style["seat"] + 0.15]
    away = HandPose.of(point, [-0.5 * x, 0.9, 0.0], [-0.4 * x, 0, -1.0], 0.5)
    return _visit(side, style, away, u, rng, late=0.1)


NON_TASK_MOVES = {
    "resting": _resting,
    "scratching": _scratching,
    "posture": _posture,
    "reaching": _reaching,
    "other_arm": _other_arm,
    "gesture": _gesture,
    "face": _face,
}
