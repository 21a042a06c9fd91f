"""MotionBERT: dual-stream spatio-temporal transformer (DSTformer) with its action head.

W. Zhu, X. Ma, Z. Liu, L. Liu, W. Wu, Y. Wang, "MotionBERT: A Unified Perspective on Learning Human
Motion Representations", ICCV 2023.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks._skeleton import SkeletonNetwork

__all__ = ["SIZES", "MotionBERT", "crop_scale"]

SIZES = {
    "full": {"dim_feat": 512, "mlp_ratio": 2},
    "lite": {"dim_feat": 256, "mlp_ratio": 4},
}
MAX_FRAMES = 243  # rows of the table of positions in time


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
    >>> from skrehab.networks.motionbert import crop_scale
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


class Attention(nn.Module):
    """Self-attention over the last axis but one."""

    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch = x.shape[:-2]
        x = self.qkv(x).flatten(0, -3).unflatten(2, (3, self.n_heads, -1))
        q, k, v = x.permute(2, 0, 3, 1, 4)  # each (all the others, heads, tokens, d)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.proj(y.transpose(1, 2).flatten(2).unflatten(0, batch))


class MLP(nn.Module):
    """Two linear layers around a GELU."""

    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Pre-norm attention over joints and over time, an MLP after each, in the order asked for."""

    def __init__(self, width, n_heads, mlp_ratio, order):
        super().__init__()
        self.order = order
        self.norm1_s = nn.LayerNorm(width, eps=1e-6)
        self.norm1_t = nn.LayerNorm(width, eps=1e-6)
        self.attn_s = Attention(width, n_heads)
        self.attn_t = Attention(width, n_heads)
        self.norm2_s = nn.LayerNorm(width, eps=1e-6)
        self.norm2_t = nn.LayerNorm(width, eps=1e-6)
        self.mlp_s = MLP(width, mlp_ratio * width)
        self.mlp_t = MLP(width, mlp_ratio * width)

    def over_space(self, x):  # (batch, T, joints, width): tokens are joints
        x = x + self.attn_s(self.norm1_s(x))
        return x + self.mlp_s(self.norm2_s(x))

    def over_time(self, x):
        y = self.norm1_t(x).transpose(1, 2)  # (batch, joints, T, width): tokens are frames
        x = x + self.attn_t(y).transpose(1, 2)
        return x + self.mlp_t(self.norm2_t(x))

    def forward(self, x):
        if self.order == "st":
            return self.over_time(self.over_space(x))
        return self.over_space(self.over_time(x))


class DSTformer(nn.Module):
    """Two streams of blocks, mixed after every layer by learned weights."""

    def __init__(self, *, dim_feat, dim_rep, depth, n_heads, mlp_ratio, n_joints=17):
        super().__init__()
        self.joints_embed = nn.Linear(3, dim_feat)
        self.pos_embed = nn.Parameter(torch.empty(1, n_joints, dim_feat))
        self.temp_embed = nn.Parameter(torch.empty(1, MAX_FRAMES, 1, dim_feat))
        self.blocks_st = nn.ModuleList(
            Block(dim_feat, n_heads, mlp_ratio, "st") for _ in range(depth)
        )
        self.blocks_ts = nn.ModuleList(
            Block(dim_feat, n_heads, mlp_ratio, "ts") for _ in range(depth)
        )
        self.ts_attn = nn.ModuleList(nn.Linear(2 * dim_feat, 2) for _ in range(depth))
        self.norm = nn.LayerNorm(dim_feat, eps=1e-6)
        self.pre_logits = nn.ModuleDict({"fc": nn.Linear(dim_feat, dim_rep)})
        self.head = nn.Linear(dim_rep, 3)  # of the pre-training task; unused here
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        for mix in self.ts_attn:  # both streams count the same at first
            nn.init.zeros_(mix.weight)
            nn.init.constant_(mix.bias, 0.5)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.trunc_normal_(self.temp_embed, std=0.02)

    def forward(self, x):  # (batch, T, joints, 3) -> (batch, T, joints, dim_rep)
        x = self.joints_embed(x) + self.pos_embed + self.temp_embed[:, : x.shape[1]]
        for block_st, block_ts, mix in zip(self.blocks_st, self.blocks_ts, self.ts_attn):
            st, ts = block_st(x), block_ts(x)
            share = mix(torch.cat([st, ts], dim=-1)).softmax(dim=-1)
            x = share[..., :1] * st + share[..., 1:] * ts
        return torch.tanh(self.pre_logits["fc"](self.norm(x)))


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


class MotionBERT(SkeletonNetwork):
    """DSTformer over the 17 joints of Human3.6M, with the action head.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials. The network sees x, y and a score: z is dropped, and the score
        is 1 where trials have none.
    n_outputs : int
        Number of logits.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks of one person.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other; their features are averaged.
    size : {"lite", "full"}, default="lite"
        Variant, which sets `dim_feat` and `mlp_ratio`: backbone of 16.0 or 42.5 million parameters.
    n_frames : int, default=60
        Frames the network works on, 243 at most; trials of any length are resampled to it inside.
        Officially 243, at four times the cost: 60 hold two seconds at 30 frames a second, a trial
        of typical length at every second or third frame, and clips of a second without stretching
        them eightfold.
    normalize : bool, default=True
        Scale each clip by the box around it, as the official weights expect; see
        :func:`crop_scale`. It removes how large a motion is on trials that are displacements from
        the first frame: say False there.
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
    >>> from skrehab.networks.motionbert import MotionBERT
    >>> tiny = {"dim_feat": 16, "mlp_ratio": 2, "depth": 1, "n_heads": 2, "dim_rep": 8}
    >>> network = MotionBERT(33, 3, 1, n_frames=15, hidden=16, **tiny)
    >>> network(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        skeleton=None,
        n_persons=1,
        size="lite",
        n_frames=60,
        normalize=True,
        crop_ratio=2.0,
        dropout=0.5,
        dim_feat=None,
        mlp_ratio=None,
        depth=5,
        n_heads=8,
        dim_rep=512,
        hidden=2048,
    ):
        if size not in SIZES:
            raise ValueError(f"size must be one of {sorted(SIZES)}, got {size!r}.")
        if not 1 <= n_frames <= MAX_FRAMES:
            raise ValueError(f"n_frames must be in 1 ... {MAX_FRAMES}, got {n_frames}.")
        super().__init__(
            n_landmarks,
            n_coords,
            skeleton=skeleton,
            target="h36m17",
            n_persons=n_persons,
            n_frames=n_frames,
            coords="xys",
        )
        own = {"dim_feat": dim_feat, "mlp_ratio": mlp_ratio}
        widths = SIZES[size] | {name: value for name, value in own.items() if value is not None}
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
