"""What AcT's published weights read: the joints of MPOSE2021, centred, scaled, with a companion.

F. Angelini et al., "2D Pose-Based Real-Time Human Action Recognition With Occlusion-Handling", IEEE
Transactions on Multimedia 22(6), 2020; V. Mazzia et al., "Action Transformer", Pattern Recognition
124:108487, 2022, section 3 (MPOSE2021).
"""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from skrehab.networks.pose_input import find_skeleton
from skrehab.preprocessing.skeleton_conversion import conversion
from skrehab.skeletons import get_skeleton, list_skeletons

__all__ = ["MPOSE_ACTIONS", "MPOSEInput"]

# the outputs of the published networks, in their order
MPOSE_ACTIONS = (
    *("standing", "check-watch", "cross-arms", "scratch-head", "sit-down", "get-up"),
    *("turn-around", "walking", "wave1", "boxing", "kicking", "pointing", "pick-up", "bending"),
    *("hands-clapping", "wave2", "jogging", "jumping", "pjump", "running"),
)
_TRUNK = ("spine_shoulder", "spine_base")  # the ends of the trunk; OpenPose's neck and mid-hip


class MPOSEInput(nn.Module):
    """From trials of any skeleton to the 13 joints of MPOSE2021, ``(batch, frames, 13, 3 or 4)``.

    In every frame the neck becomes the origin and the trunk, from neck to mid-hip, the unit; image
    axes, y down. Joints are the head, then shoulder, elbow and wrist of the right arm and of the
    left, then hip, knee and foot of the right leg and of the left: head and feet are the mean of
    what the trials show of them.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials. A coordinate behind those of the skeleton is a score.
    features : {"confidence", "velocity"}
        What comes with x and y: the score of the joint, 1 where the trials have none, 0 where it is
        estimated; or how far it moved since the frame before, for the first frame its place.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks.

    Notes
    -----
    A joint that is the mean of several landmarks is the mean of those that were seen; a lost one
    (zero in all coordinates, as in a batch) is put at the neck and has score 0. A frame whose trunk
    has no length, such as one without a person, is left in its own units.
    """

    def __init__(self, n_landmarks, n_coords, *, features, skeleton=None):
        super().__init__()
        if features not in ("confidence", "velocity"):
            raise ValueError(f"mpose must be 'confidence' or 'velocity', got {features!r}.")
        source = find_skeleton(n_landmarks, skeleton)
        if source is None:
            raise ValueError(
                f"No skeleton is known by the number of {n_landmarks} landmarks, so they cannot be "
                f"converted to mpose13: pass skeleton=..., one of {list_skeletons()}."
            )
        self.velocity = features == "velocity"
        joints = conversion(source, "mpose13")
        trunk = conversion(source, _with_trunk())
        weights = np.concatenate([joints.weights, trunk.weights[-2:]])  # means: none is negative
        self.n_features = len(joints.weights) * (4 if self.velocity else 3)
        self._n_dims = min(source.n_dims, n_coords)
        constants = {"_weights": weights, "_scores": joints.score_weights()}
        for name, value in (constants | {"_signs": joints.signs[:2]}).items():
            self.register_buffer(name, torch.from_numpy(value).float(), persistent=False)

    def forward(self, x):
        """Place the joints in every frame: x, y and score, ``(batch, frames, 13, 3)``."""
        seen = (x != 0).any(dim=-1, keepdim=True).to(x.dtype)
        space, score = x[..., :2], x[..., self._n_dims : self._n_dims + 1]
        shares = self._weights * seen.transpose(2, 3)  # (batch, frames, joints, landmarks)
        known = shares.sum(dim=-1, keepdim=True)
        space = (shares @ space) / known.clamp(min=1e-6) * self._signs
        place, neck, hip = space.split((space.shape[2] - 2, 1, 1), dim=2)
        unit = (neck - hip).norm(dim=-1, keepdim=True)
        place = (place - neck) / torch.where(unit > 1e-6, unit, torch.ones_like(unit))
        place = place.masked_fill(known[:, :, :-2] < 1e-6, 0)
        return torch.cat([place, self._scores @ (score if score.shape[-1] else seen)], dim=-1)

    def finish(self, x):
        """Put velocities in the scores' place, from one of the network's own frames to the next."""
        if not self.velocity:
            return x
        place = x[..., :2]
        return torch.cat([place, place - nn.functional.pad(place, (0,) * 4 + (1, -1))], dim=-1)


def _with_trunk():
    """MPOSE2021's joints, and behind them the ends of the trunk."""
    mpose = get_skeleton("mpose13")
    parents = (*mpose.parents, -1, -1)
    return replace(mpose, landmarks=(*mpose.landmarks, *_TRUNK), parents=parents)
