"""The block of SkateFormer: partitions in time and body, attention inside their windows.

A clip of T frames and V joints is cut into windows in four ways: frames that are neighbours or
stand far apart, times joints of one part of the body or the same place of every part.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks._layers import Dense

__all__ = ["PARTITIONS", "WINDOW", "SkateAttention", "SkateBlock", "partition", "reverse"]

WINDOW = 8  # frames in a window of any type

# (frames stand apart, joints stand apart) of the four types, in the paper's order
PARTITIONS = ((False, False), (False, True), (True, False), (True, True))


def _order(kind):
    """Where in (batch, t0, t1, v0, v1, channels) windows stand first and their tokens after."""
    frames_apart, joints_apart = PARTITIONS[kind]
    (t, window_t) = (1, 2) if frames_apart else (2, 1)
    (v, window_v) = (3, 4) if joints_apart else (4, 3)
    return (0, window_t, window_v, t, v, 5)


def _split(length, size, apart):
    """How an axis splits in two: windows of neighbours, or of every (length / size)-th entry."""
    return (size, length // size) if apart else (length // size, size)


def partition(x, kind, n_frames, n_joints):
    """Cut clips into windows of `n_frames` times `n_joints` tokens.

    Parameters
    ----------
    x : torch.Tensor of shape (batch, frames, joints, channels)
        Clips; both axes must be multiples of the window's.
    kind : {0, 1, 2, 3}
        Row of ``PARTITIONS``.
    n_frames, n_joints : int
        Size of a window.

    Returns
    -------
    torch.Tensor of shape (batch, windows, n_frames * n_joints, channels)
        Tokens of each window, frame by frame.

    References
    ----------
    Do & Kim 2024, the four types of skeletal-temporal relations (Skate-Types).

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence._skate_attention import partition
    >>> frames = torch.arange(6).reshape(1, 6, 1, 1)  # two windows of three frames
    >>> partition(frames, 0, 3, 1)[0, :, :, 0].tolist()
    [[0, 1, 2], [3, 4, 5]]
    >>> partition(frames, 2, 3, 1)[0, :, :, 0].tolist()
    [[0, 2, 4], [1, 3, 5]]
    """
    frames_apart, joints_apart = PARTITIONS[kind]
    x = x.unflatten(2, _split(x.shape[2], n_joints, joints_apart))
    x = x.unflatten(1, _split(x.shape[1], n_frames, frames_apart))  # (batch, t0, t1, v0, v1, c)
    x = x.permute(_order(kind))  # (batch, T / n_frames, V / n_joints, n_frames, n_joints, c)
    return x.flatten(3, 4).flatten(1, 2)


def reverse(windows, kind, n_frames, n_joints, shape):
    """Undo :func:`partition`.

    Parameters
    ----------
    windows : torch.Tensor of shape (batch, windows, n_frames * n_joints, channels)
        Tokens of each window.
    kind : {0, 1, 2, 3}
        Row of ``PARTITIONS``.
    n_frames, n_joints : int
        Size of a window.
    shape : tuple of int
        Frames and joints of the clip.

    Returns
    -------
    torch.Tensor of shape (batch, frames, joints, channels)
        Clips.
    """
    x = windows.unflatten(2, (n_frames, n_joints))
    x = x.unflatten(1, (shape[0] // n_frames, shape[1] // n_joints))
    order = _order(kind)
    x = x.permute([order.index(axis) for axis in range(6)])  # (batch, t0, t1, v0, v1, c)
    return x.flatten(3, 4).flatten(1, 2)


class SkateAttention(nn.Module):
    """Self-attention within the windows of one partition, with a learned bias for each pair.

    Where joints stand apart, the bias is that of two frames' distance and a pair of body parts;
    where they are neighbours, one table serves all joints.
    """

    def __init__(self, kind, n_frames, n_joints, n_heads, dropout):
        super().__init__()
        self.kind, self.n_frames, self.n_joints = kind, n_frames, n_joints
        self.n_heads, self.dropout = n_heads, dropout
        pairs = (n_joints, n_joints) if PARTITIONS[kind][1] else ()
        self.relative_position_bias_table = nn.Parameter(
            torch.empty(2 * n_frames - 1, *pairs, n_heads)
        )
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        frame = torch.arange(n_frames)
        self.register_buffer(
            "relative_position_index", frame[:, None] - frame[None, :] + n_frames - 1
        )

    def bias(self):
        """Look the bias up, (heads, n_frames * n_joints, n_frames * n_joints)."""
        bias = self.relative_position_bias_table[self.relative_position_index]
        if bias.dim() == 3:  # (n_frames, n_frames, heads)
            # Tokens run frame by frame, yet the official outputs come only from copies of the whole
            # table side by side, as if tokens ran joint by joint: tokens a and b get the entry of
            # frames a and b modulo n_frames. The published weights were trained like that.
            return bias.permute(2, 0, 1).repeat(1, self.n_joints, self.n_joints)
        return bias.permute(4, 0, 2, 1, 3).flatten(3).flatten(1, 2)

    def forward(self, x):
        shape = x.shape[1:3]
        x = partition(x, self.kind, self.n_frames, self.n_joints)  # (batch, windows, n, 3 c)
        batch = x.shape[0]
        x = x.flatten(0, 1).unflatten(2, (3, self.n_heads, -1))  # (batch * windows, n, 3, heads, d)
        q, k, v = x.permute(2, 0, 3, 1, 4)
        # the published weights were trained with the number of heads in the place of their width;
        # written out: with a learned bias, scaled_dot_product_attention is slower on a CPU
        weights = (self.n_heads**-0.5 * q @ k.mT + self.bias()).softmax(dim=-1)
        y = F.dropout(weights, self.dropout, self.training) @ v
        y = y.transpose(1, 2).flatten(2)  # (batch * windows, n, c)
        return reverse(y.unflatten(0, (batch, -1)), self.kind, self.n_frames, self.n_joints, shape)


class DropPath(nn.Module):
    """Leave a whole residual branch out for some trials, in training."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0:
            return x
        kept = torch.empty(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device)
        return x * kept.bernoulli_(1 - self.rate) / (1 - self.rate)


class SkateBlock(nn.Module):
    """Graph convolution, temporal convolution and four attentions side by side, then an MLP.

    A quarter of the channels goes to each convolution's half, an eighth to each attention.
    """

    def __init__(self, width, n_joints, n_heads, variant, attention_dropout, drop_path):
        super().__init__()
        self.n_groups = n_heads // 4
        self.gconv = nn.Parameter(torch.empty(self.n_groups, n_joints, n_joints))
        self.norm_1 = nn.LayerNorm(width)
        self.mapping = nn.Linear(width, 2 * width)
        self.tconv = nn.Conv2d(width // 4, width // 4, (7, 1), padding=(3, 0), groups=self.n_groups)
        self.attention = nn.ModuleList(
            SkateAttention(
                kind,
                WINDOW,
                variant["spread"] if joints_apart else variant["part"],
                n_heads // 8,
                attention_dropout,
            )
            for kind, (_, joints_apart) in enumerate(PARTITIONS)
        )
        self.proj = nn.Linear(width, width)
        self.drop_path = DropPath(drop_path)
        self.norm_2 = nn.LayerNorm(width)
        self.mlp = Dense(width, variant["mlp_ratio"] * width)
        self.sizes = [width // 4, width // 4, *[3 * width // 8] * 4]

    def forward(self, x):
        g, t, *qkv = self.mapping(self.norm_1(x)).split(self.sizes, dim=3)  # (batch, T, V, c)
        g = g.unflatten(3, (self.n_groups, -1))
        g = torch.einsum("gvu,btugc->btvgc", self.gconv, g).flatten(3)
        t = self.tconv(t.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        y = torch.cat([g, t, *(attend(z) for attend, z in zip(self.attention, qkv))], dim=3)
        x = x + self.drop_path(self.proj(y))
        return x + self.drop_path(self.mlp(self.norm_2(x)))
