"""Blocks of MViTv2 for any number of tokens before the patches.

Y. Li et al., "MViTv2: Improved Multiscale Vision Transformers for Classification and Detection",
CVPR 2022.

Layers have torchvision's names, whose block has room for one token only. Positions of patches
relative to each other enter as further dimensions of queries and keys: no table of (queries x keys)
is added, and tokens, which have no position, have zeros there.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks.two_stream._tokens import row_drop

__all__ = ["Attention", "Block", "Pool", "norm"]


def norm(width):
    """Normalise channels as this family does."""
    return nn.LayerNorm(width, eps=1e-6)


def _split(x, grid):
    """Take tokens (..., n, channels) and patches (..., time * height * width, channels) apart."""
    n_patches = math.prod(grid)
    return x[..., : x.shape[-2] - n_patches, :], x[..., x.shape[-2] - n_patches :, :]


class Pool(nn.Module):
    """Shrink the patches' grid; tokens pass."""

    def __init__(self, pool, width=None):
        super().__init__()
        self.pool = pool
        self.norm_act = None if width is None else nn.Sequential(norm(width))

    def forward(self, x, grid):
        # x: (batch, heads, tokens + patches, channels)
        tokens, patches = _split(x, grid)
        batch, heads = x.shape[:2]
        patches = patches.mT.reshape(batch * heads, -1, *grid)
        patches = self.pool(patches)  # (batch * heads, channels, time, height, width)
        grid = tuple(patches.shape[2:])
        patches = patches.flatten(2).mT.unflatten(0, (batch, heads))
        x = torch.cat([tokens, patches], dim=2)
        return (x if self.norm_act is None else self.norm_act(x)), grid


class Attention(nn.Module):
    """Attention of pooled queries to pooled keys, with relative positions on three axes."""

    def __init__(self, width_in, width, n_heads, grid, stride_q, stride_kv):
        super().__init__()
        self.n_heads = n_heads
        depth = width // n_heads
        self.qkv = nn.Linear(width_in, 3 * width)
        self.project = nn.Sequential(nn.Linear(width, width))
        for name, stride in (("q", stride_q), ("k", stride_kv), ("v", stride_kv)):
            conv = nn.Conv3d(depth, depth, 3, (1, stride, stride), 1, groups=depth, bias=False)
            self.add_module(f"pool_{name}", Pool(conv, depth))
        side = max(grid[1] // stride_q, grid[1] // stride_kv)
        for axis, size in (("h", side), ("w", side), ("t", grid[0])):
            table = nn.init.trunc_normal_(torch.empty(2 * size - 1, depth), std=0.02)
            self.register_parameter(f"rel_pos_{axis}", nn.Parameter(table))

    def _positions(self, q, grid_q, grid_k):
        """Give each query what every row, column and time step of keys is worth to it."""
        tokens, patches = _split(q, grid_q)
        patches = patches.unflatten(2, grid_q)  # (batch, heads, time, height, width, depth)
        worth, where = [], []
        for axis, name in enumerate("thw"):
            n_q, n_k = grid_q[axis], grid_k[axis]
            place_q = torch.arange(n_q, device=q.device)[:, None] * max(n_k // n_q, 1)
            place_k = (torch.arange(n_k, device=q.device) - (n_k - 1)) * max(n_q // n_k, 1)
            table = self.get_parameter(f"rel_pos_{name}")[place_q - place_k]  # (n_q, n_k, depth)
            equation = f"bnthwc,{name}kc->bnthwk"
            worth.append(torch.einsum(equation, patches, table))
            one_hot = torch.eye(n_k, dtype=q.dtype, device=q.device)
            shape = [n_k if other == axis else 1 for other in range(3)]
            where.append(one_hot.reshape(*shape, n_k).expand(*grid_k, n_k).flatten(0, 2))
        worth = torch.cat(worth, dim=-1).flatten(2, 4)  # (batch, heads, queries, t + h + w of keys)
        return F.pad(worth, (0, 0, tokens.shape[2], 0)), torch.cat(where, dim=1)

    def _queries_keys_values(self, x, grid):
        qkv = self.qkv(x).unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        q, grid_q = self.pool_q(qkv[0], grid)  # (batch, heads, tokens + patches, depth)
        k, grid_k = self.pool_k(qkv[1], grid)
        v, _ = self.pool_v(qkv[2], grid)
        worth, where = self._positions(q, grid_q, grid_k)
        n_tokens = k.shape[2] - len(where)
        where = F.pad(where, (0, 0, n_tokens, 0)).expand(*k.shape[:2], -1, -1)
        long_q = torch.cat([q * q.shape[-1] ** -0.5, worth], dim=-1)
        return q, long_q, torch.cat([k, where], dim=-1), v, grid_q, grid_k

    def forward(self, x, grid):
        # x: (batch, tokens + patches, width_in)
        q, long_q, long_k, v, grid, _ = self._queries_keys_values(x, grid)
        y = F.scaled_dot_product_attention(long_q, long_k, v, scale=1.0)
        n_tokens = q.shape[2] - math.prod(grid)
        y = y + F.pad(q[:, :, n_tokens:], (0, 0, n_tokens, 0))  # patches keep their query
        return self.project(y.transpose(1, 2).flatten(2)), grid

    def weights(self, x, grid):
        """Compute the attention itself, (batch, heads, queries, keys), and the keys' grid."""
        _, long_q, long_k, _, _, grid_k = self._queries_keys_values(x, grid)
        return (long_q @ long_k.mT).softmax(dim=-1), grid_k


class Block(nn.Module):
    """Attention, which may widen and shrink, and two dense layers; residual around both."""

    def __init__(self, width_in, width, n_heads, grid, stride_q, stride_kv, drop_path):
        super().__init__()
        self.rate = drop_path
        self.norm1 = norm(width_in)
        self.attn = Attention(width_in, width, n_heads, grid, stride_q, stride_kv)
        self.norm2 = norm(width)
        hidden = (nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(0.0))
        self.mlp = nn.Sequential(*hidden, nn.Linear(4 * width, width), nn.Dropout(0.0))
        self.project = nn.Linear(width_in, width) if width_in != width else None
        window = (1, stride_q + 1, stride_q + 1)
        pool = nn.MaxPool3d(window, (1, stride_q, stride_q), (0, window[1] // 2, window[1] // 2))
        self.pool_skip = Pool(pool) if stride_q > 1 else None

    def forward(self, x, grid):
        y = self.norm1(x)
        if self.project is not None:
            x = self.project(y)
        if self.pool_skip is not None:
            x = self.pool_skip(x[:, None], grid)[0][:, 0]
        y, grid = self.attn(y, grid)
        x = x + row_drop(y, self.rate, self.training)
        return x + row_drop(self.mlp(self.norm2(x)), self.rate, self.training), grid
