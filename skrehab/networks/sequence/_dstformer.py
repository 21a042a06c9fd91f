"""DSTformer, MotionBERT's backbone: attention over joints and over time, in both orders at once."""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks._layers import Dense

__all__ = ["MAX_FRAMES", "DSTformer"]

MAX_FRAMES = 243  # rows of the table of positions in time


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
        self.mlp_s = Dense(width, mlp_ratio * width)
        self.mlp_t = Dense(width, mlp_ratio * width)

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
