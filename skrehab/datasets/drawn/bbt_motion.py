"""What hands, trunk and head do in one clip of a synthetic Box-and-Block test."""

from typing import NamedTuple

import numpy as np

from skrehab.datasets.drawn.bbt_activities import NON_TASK_MOVES, fall, grasp, transport
from skrehab.datasets.drawn.bbt_hands import hold, idle
from skrehab.datasets.drawn.bbt_patients import GRASPING, NON_TASK, WITH_OBJECT


class Motion(NamedTuple):
    """One clip's movement; T frames."""

    point: np.ndarray  # (T, 2, 3): where thumb and index finger meet or would meet
    along: np.ndarray  # (T, 2, 3): from wrist to knuckles, unit length
    palm: np.ndarray  # (T, 2, 3): out of the palm, not yet at right angles to `along`
    grip: np.ndarray  # (T, 2): 0 open, 1 closed
    trunk: np.ndarray  # (T, 3): shift of the shoulders
    gaze: np.ndarray  # (T, 2): head to the person's left and chin down, radians
    block: np.ndarray  # (T, 3): centre of the block in play
    has_block: bool  # False: there is none
    active: int  # hand that acts, 0 left, 1 right
    activity: str  # the class, or what else is done
    depth: float  # z of the acting hand in the box


def move(clip, u, seconds, rng):
    """Draw one clip's movement.

    The two transports draw the same numbers, so that a clip moves the same with and without block.

    Parameters
    ----------
    clip : dict
        From :func:`plan_clips`.
    u, seconds : ndarray of shape (T,)
        Share of the clip, and time.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Motion
        The movement.
    """
    style, target = clip["style"], clip["target"]
    active = int(rng.integers(2))
    other = 1 - active
    weak = 1.0 if active == style["affected"] else 0.35  # share of the patient's troubles
    gaze = np.tile([0.0, style["chin"]], (len(u), 1)) + rng.normal(0, 0.05, 2)
    trunk = _sway(seconds, 0.006, rng)
    hands = [None, None]
    hands[other] = hold(idle(other, style, rng), len(u))

    shake = style["tremor"] * weak
    phases = rng.uniform(0, 2 * np.pi, 3)
    error = shake * np.sin(2 * np.pi * style["tremor_rate"] * seconds[:, None] + phases)
    if target == NON_TASK:
        activity = list(NON_TASK_MOVES)[rng.integers(len(NON_TASK_MOVES))]
        hands[active] = NON_TASK_MOVES[activity](active, style, u, seconds, trunk, gaze, rng)
        place, held, depth = np.zeros(3), np.zeros(len(u), bool), 0.0
    else:
        if target == GRASPING:
            activity = "grasping"
            hands[active], place, held, depth = grasp(active, style, u, seconds, rng)
        else:
            activity = "transport"
            loaded = target == WITH_OBJECT
            hands[active], place, held, depth = transport(active, style, loaded, u, rng)
        gaze[:, 0] += 0.9 * hands[active][0][:, 0]  # the eyes follow the hand
        error = error + _sway(seconds, style["wander"] * weak, rng, (0.7, 2.5))

    point, along, palm, grip = (np.stack(parts, axis=1) for parts in zip(*hands))
    point[:, active] += error
    block = np.where(held[:, None], point[:, active], place)
    if activity == "transport":
        block = fall(block, held, seconds)
    return Motion(
        point=point,
        along=along / np.linalg.norm(along, axis=-1, keepdims=True),
        palm=palm,
        grip=grip,
        trunk=trunk,
        gaze=gaze,
        block=block,
        has_block=target in (GRASPING, WITH_OBJECT),
        active=active,
        activity=activity,
        depth=depth,
    )


def _sway(seconds, size, rng, rates=(0.1, 0.6)):
    """Smooth wandering in three directions with about this standard deviation."""
    rates = rng.uniform(*rates, (3, 3))
    phases = rng.uniform(0, 2 * np.pi, (3, 3))
    waves = np.sin(2 * np.pi * rates * seconds[:, None, None] + phases)
    return size * np.sqrt(2 / 3) * waves.sum(axis=1)
