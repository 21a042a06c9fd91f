"""MotionBERT: the dual-stream transformer DSTformer with its action head.

W. Zhu, X. Ma, Z. Liu, L. Liu, W. Wu, Y. Wang, "MotionBERT: A Unified Perspective on Learning Human
Motion Representations", ICCV 2023.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks._skeleton import KnownSkeletonNetwork
from skrehab.networks.sequence._dstformer import MAX_FRAMES, DSTformer

__all__ = ["SIZES", "MotionBERT", "crop_scale"]

SIZES = {
    "full": {"dim_feat": 512, "mlp_ratio": 2},
    "lite": {"dim_feat": 256, "mlp_ratio": 4},
}


def crop_scale(clips, ratio=2.0):
    """Move and scale each clip by the square around everything that is seen in it.

    Parameters
    ----------
    clips : torch.Tensor of shape (batch, 3, frames, joints, persons)
        x, y and score. A score of 0 means not seen; where nothing is seen, all counts.
    ratio : float, default=2.0
        Side of the square that becomes [-1, 1], in longer sides of the box around what is seen:
        1 fills it.

    Returns
    -------
    torch.Tensor of shape (batch, 3, frames, joints, persons)
        Scaled x and y, and the score; joints not seen are clipped to [-1, 1]. A clip in which
        everything stands on one point becomes zeros.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.motionbert import crop_scale
    >>> clip = torch.tensor([[4.0, 0, 1], [8.0, 2, 1]]).T.reshape(1, 3, 2, 1, 1)
    >>> crop_scale(clip, ratio=1.0)[0, :2, :, 0, 0].T
    tensor([[-1.0000, -0.5000],
            [ 1.0000,  0.5000]])
    """
    place, score = clips[:, :2], clips[:, 2:]
    seen = score != 0
    seen = seen | ~seen.flatten(1).any(dim=1)[:, None, None, None, None]
    low = place.masked_fill(~seen, torch.inf).amin(dim=(2, 3, 4), keepdim=True)
    high = place.masked_fill(~seen, -torch.inf).amax(dim=(2, 3, 4), keepdim=True)
    half = (high - low).amax(dim=1, keepdim=True) * ratio / 2
    # without extent the numerator is zero already; dividing by 1 keeps its gradient finite
    place = (place - (low + high) / 2) / torch.where(half > 0, half, torch.ones_like(half))
    return torch.cat([torch.where(seen, place, place.clamp(-1, 1)), score], dim=1)


class BatchNorm(nn.BatchNorm1d):
    """Batch norm that takes a batch of one trial, too.

    One trial has no spread to learn from: its running statistics then stand in, as in evaluation,
    so that a last batch of one does not end a training.
    """

    def forward(self, x):
        if self.training and len(x) == 1:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x)


class ActionHead(nn.Module):
    """Mean over time and persons, then two layers on all joints together."""

    def __init__(self, n_features, hidden, n_outputs, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc1 = nn.Linear(n_features, hidden)
        self.bn = BatchNorm(hidden)
        self.fc2 = nn.Linear(hidden, n_outputs)

    def forward(self, x):  # (batch, persons, T, joints, dim_rep)
        x = self.dropout(x).mean(dim=2).flatten(2).mean(dim=1)  # (batch, joints * dim_rep)
        return self.fc2(F.relu(self.bn(self.fc1(x))))


class MotionBERT(KnownSkeletonNetwork):
    """DSTformer over the 17 joints of Human3.6M, with the action head.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials. The network sees x, y and a score: z is dropped, and the score
        is 1 where trials have none.
    n_outputs : int
        Number of logits.
    size : {"lite", "full"}, default="lite"
        Variant, which sets `dim_feat` and `mlp_ratio`: backbone of 16.0 or 42.5 million parameters.
    normalize : bool, default=False
        Scale each clip by the box around it, as the official weights expect; see
        :func:`crop_scale`. For positions only: on displacements from the first frame it removes
        how large a motion is, and a scaled clip has no zero to start from, so that integrated
        gradients need ``baseline="rest"``.
    crop_ratio : float, default=2.0
        Half the side of [-1, 1] in longer sides of the clip's box; 2 is what the official action
        networks are tested with (trained with 1 to 3), 1 fills [-1, 1].
    dropout : float, default=0.5
        Of the features, before the head.
    dim_feat : int, optional
        Width, instead of the variant's own.
    mlp_ratio : int, optional
        Hidden width of the MLPs in widths, instead of the variant's own.
    depth : int, default=5
        Layers of two blocks.
    n_heads : int, default=8
        Heads of each attention.
    dim_rep : int, default=512
        Width of the representation.
    hidden : int, default=2048
        Width inside the head.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other; their features are averaged.
    n_frames : int, default=60
        Frames the network works on, 243 at most; trials of any length are resampled to it inside.
        Officially 243, at four times the cost: 60 hold two seconds at 30 frames a second, a trial
        of typical length at every second or third frame, and clips of a second without stretching
        them eightfold.

    Notes
    -----
    ``backbone.head``, the regression head of the pre-training, is kept for the official state dict;
    it takes no part here and gets no gradient.

    References
    ----------
    W. Zhu, X. Ma, Z. Liu, L. Liu, W. Wu, Y. Wang, "MotionBERT: A Unified Perspective on Learning
    Human Motion Representations", ICCV 2023.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.motionbert import MotionBERT
    >>> tiny = {"dim_feat": 16, "mlp_ratio": 2, "depth": 1, "n_heads": 2, "dim_rep": 8}
    >>> network = MotionBERT(33, 3, 1, n_frames=15, hidden=16, **tiny)
    >>> network(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    target = "h36m17"

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        size="lite",
        n_frames=60,
        normalize=False,
        crop_ratio=2.0,
        dropout=0.5,
        dim_feat=None,
        mlp_ratio=None,
        depth=5,
        n_heads=8,
        dim_rep=512,
        hidden=2048,
        **shared,
    ):
        if size not in SIZES:
            raise ValueError(f"size must be one of {sorted(SIZES)}, got {size!r}.")
        if not 1 <= n_frames <= MAX_FRAMES:
            raise ValueError(f"n_frames must be in 1 ... {MAX_FRAMES}, got {n_frames}.")
        if crop_ratio <= 0:
            raise ValueError(f"crop_ratio must be positive, got {crop_ratio}.")
        own = {"dim_feat": dim_feat, "mlp_ratio": mlp_ratio}
        widths = SIZES[size] | {name: value for name, value in own.items() if value is not None}
        if widths["dim_feat"] % n_heads:
            raise ValueError(
                f"dim_feat must be a multiple of n_heads, got {widths['dim_feat']} and {n_heads}."
            )
        super().__init__(n_landmarks, n_coords, n_frames=n_frames, **shared)
        n_joints = self.graph.n_landmarks
        self.normalize = normalize
        self.crop_ratio = crop_ratio
        self.backbone = DSTformer(
            depth=depth, n_heads=n_heads, dim_rep=dim_rep, n_joints=n_joints, **widths
        )
        self.head = ActionHead(n_joints * dim_rep, hidden, n_outputs, dropout)

    @classmethod
    def official_state(cls, state):
        """Translate the keys of a published checkpoint.

        Parameters
        ----------
        state : dict
            The checkpoint: an action network (nested under ``model``), or a pre-trained backbone
            alone (under ``model_pos``).

        Returns
        -------
        dict
            Tensors under this network's keys; without the action head if the checkpoint has none.
        """
        for nest in ("model", "model_pos"):
            state = state.get(nest, state)
        state = {key.removeprefix("module."): value for key, value in state.items()}
        if not any(key.startswith("backbone.") for key in state):
            state = {f"backbone.{key}": value for key, value in state.items()}
        return state

    def classify(self, clips):
        if self.normalize:
            clips = crop_scale(clips, self.crop_ratio)
        x = clips.permute(0, 4, 2, 3, 1)  # (batch, persons, T, joints, 3)
        features = self.backbone(x.flatten(0, 1))  # (batch * persons, T, joints, dim_rep)
        return self.head(features.unflatten(0, x.shape[:2]))
