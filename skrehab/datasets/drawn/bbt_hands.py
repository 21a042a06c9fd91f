"""Places a hand may be in, in a synthetic Box-and-Block test, and ways between them.

Metres: x to the image's right, y up from the table top, z towards the camera; the origin is on the
table under the middle of the box. The person faces the camera, so the left hand is at positive x.
Sides are 0 left, 1 right.
"""

from typing import NamedTuple

import numpy as np

from skrehab.datasets._exercises import minimum_jerk

SIDES = (1.0, -1.0)  # sign of x, left and right
BOX = {"half": 0.27, "depth": 0.127, "wall": 0.075, "partition": 0.152}
BLOCK = 0.042  # edge; the real ones have 0.025
HOLDING = 0.6  # grip of a hand around a block
PILE = 0.06  # height of the centre of a block that lies on top


class HandPose(NamedTuple):
    """A hand at one moment; `along` and `palm` need neither unit length nor right angles."""

    point: np.ndarray  # where thumb and index finger meet or would meet
    along: np.ndarray  # from the wrist to the knuckles
    palm: np.ndarray  # out of the palm
    grip: float  # 0 open, 1 closed

    @classmethod
    def of(cls, point, along, palm, grip):
        """Make one of lists."""
        return cls(*(np.asarray(part, float) for part in (point, along, palm)), grip)

    def moved(self, point, grip=None):
        """The same hand elsewhere."""
        return self.of(point, self.along, self.palm, self.grip if grip is None else grip)


def hold(pose, n_frames):
    """Stay in one hand pose."""
    return tuple(np.repeat(np.asarray(part, float)[None], n_frames, axis=0) for part in pose)


def blend(u, times, poses):
    """Go through hand poses: leave poses[i] and reach poses[i + 1] at the two times[i]."""
    parts = hold(poses[0], len(u))
    for (start, stop), before, after in zip(times, poses, poses[1:]):
        share = minimum_jerk((u - start) / max(stop - start, 1e-6))
        for part, a, b in zip(parts, before, after):
            change = np.asarray(b, float) - np.asarray(a, float)
            part += share.reshape((-1,) + (1,) * change.ndim) * change
    return parts


def idle(side, style, rng):
    """Where a hand waits: on the table beside the box, or holding the box."""
    x = SIDES[side]
    if style["steadies"]:
        point = [x * (BOX["half"] + 0.015), 0.075, rng.uniform(-0.08, 0.02)]
        return HandPose.of(point, [-0.35 * x, -0.5, 1.0], [-x, -0.4, 0], 0.3)
    point = [x * rng.uniform(0.33, 0.4), 0.02, rng.uniform(-0.12, -0.02)]
    return HandPose.of(point, [-0.45 * x, -0.1, 1.0], [0, -1, 0], rng.uniform(0.1, 0.5))


def over(side, style, point, grip):
    """A hand over the box, fingers down, the thumb's side towards the camera."""
    x, turn = SIDES[side], style["pronation"]
    palm = [-x * np.cos(turn), -0.2, -np.sin(turn)]
    return HandPose.of(point, [-0.1 * x, -0.85, 0.55], palm, grip)
