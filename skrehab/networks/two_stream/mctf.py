"""Fusion of classification tokens with distillation tokens: MCTF, and the simpler ways beside it.

K. Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
section 4.4, Eq. 5-11, and table 5. Layers of MCTF have the names of the released code of 2023.

Every fusion takes ``(received, tokens)``, distillation tokens and classification tokens, both
``(batch, n_tokens, width)``, and returns tokens, whose mean the classifier reads.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks._layers import Dense
from skrehab.networks.two_stream._tokens import row_drop

__all__ = [
    "FUSIONS",
    "MCTF",
    "CrossAttentionFusion",
    "MultiplicationFusion",
    "SelfAttentionFusion",
    "SumFusion",
    "build_fusion",
]


class MixedAttention(nn.Module):
    """Self- and cross-attention between two sets of tokens, six in all (Eq. 5-9)."""

    def __init__(self, width, dropout, scrambled):
        super().__init__()
        self.dropout, self.scrambled = dropout, scrambled
        for one in ("t1", "t2"):  # t1 are the received ones, t2 the classification tokens
            for kind in "qkv":
                self.add_module(f"w{kind}_{one}", nn.Linear(width, width, bias=False))
        for name in ("t1t1", "t2t2", "t1t2", "t1t2_2", "t2t1", "t2t1_2"):
            self.add_module(f"proj_{name}", nn.Linear(width, width))
        layers = (nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width))
        self.proj = nn.Sequential(*layers)

    def _attend(self, q, k, v):
        weights = (q @ k.mT * q.shape[-1] ** -0.5).softmax(dim=-1)
        y = F.dropout(weights @ v, self.dropout, self.training)
        # the released code exchanges axes as if there were heads; tokens and channels get mixed up
        return y.mT.reshape(y.shape) if self.scrambled else y

    def forward(self, received, tokens):
        q1, k1, v1 = self.wq_t1(received), self.wk_t1(received), self.wv_t1(received)
        q2, k2, v2 = self.wq_t2(tokens), self.wk_t2(tokens), self.wv_t2(tokens)
        one = (
            self.proj_t1t1(self._attend(q1, k1, v1))
            + self.proj_t1t2(self._attend(q1, k2, v1))
            + self.proj_t2t1(self._attend(q2, k1, v1))
        )
        two = (
            self.proj_t2t2(self._attend(q2, k2, v2))
            + self.proj_t1t2_2(self._attend(q1, k2, v2))
            + self.proj_t2t1_2(self._attend(q2, k1, v2))
        )
        return self.proj(torch.cat([one, two], dim=-1))


class MCTF(nn.Module):
    """Fuse both kinds of tokens by attention in all directions.

    As released, layer normalisation is over tokens and channels together, which the paper does not
    say; attention is divided by the root of `width`, which its equations leave out; and the mixture
    ends in two linear layers with a ReLU between them, where it has one (P_f of Eq. 9).

    Parameters
    ----------
    n_tokens : int
        Tokens of each kind.
    width : int
        Channels.
    mlp_ratio : float, default=1.0
        Width of the dense layers' middle, in `width`.
    dropout : float, default=0.0
        On what attention returns (Eq. 6 and 7; the paper gives no figure).
    drop_path : float, default=0.2
        Share of trials for which the dense layers are left out in training (Eq. 11).
    official_layout : bool, default=False
        Reshape what attention returns as the released code does, which mixes tokens up with
        channels and is in no equation. Only for weights that were trained so.

    Notes
    -----
    10,126,848 parameters for 20 tokens of 768 channels.

    References
    ----------
    Peng et al. 2024, ACM MM, Eq. 5-11.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.mctf import MCTF
    >>> MCTF(5, 8)(torch.randn(2, 5, 8), torch.randn(2, 5, 8)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self, n_tokens, width, *, mlp_ratio=1.0, dropout=0.0, drop_path=0.2, official_layout=False
    ):
        super().__init__()
        self.drop_path = drop_path
        self.norm1_token1 = nn.LayerNorm((n_tokens, width))
        self.norm1_token2 = nn.LayerNorm((n_tokens, width))
        self.attn_mixed_cls_tokens = MixedAttention(width, dropout, official_layout)
        self.norm2_pathway1 = nn.LayerNorm((n_tokens, width))
        self.mlp_pathway1 = Dense(width, round(mlp_ratio * width))

    def forward(self, received, tokens):
        mean = (received + tokens) / 2
        mixed = self.attn_mixed_cls_tokens(self.norm1_token1(received), self.norm1_token2(tokens))
        dense = self.mlp_pathway1(self.norm2_pathway1(mean + mixed))
        return mean + row_drop(dense, self.drop_path, self.training)


class SumFusion(nn.Module):
    """Add both kinds of tokens; that is the network without MCTF.

    Parameters
    ----------
    n_tokens : int
        Tokens of each kind.
    width : int
        Channels.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.mctf import SumFusion
    >>> SumFusion(1, 2)(torch.ones(1, 1, 2), torch.ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """

    def __init__(self, n_tokens, width):
        super().__init__()

    def forward(self, received, tokens):
        return received + tokens


class MultiplicationFusion(SumFusion):
    """Multiply both kinds of tokens.

    Parameters are those of :class:`SumFusion`.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.mctf import MultiplicationFusion
    >>> MultiplicationFusion(1, 2)(torch.full((1, 1, 2), 3.0), torch.full((1, 1, 2), 2.0))
    tensor([[[6., 6.]]])
    """

    def forward(self, received, tokens):
        return received * tokens


class _AttentionFusion(nn.Module):
    def __init__(self, n_tokens, width, *, n_heads=1, mlp_ratio=1.0, drop_path=0.2):
        super().__init__()
        self.drop_path = drop_path
        self.norm_received = nn.LayerNorm(width)
        self.norm_tokens = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, n_heads, batch_first=True)
        self.norm_dense = nn.LayerNorm(width)
        self.dense = Dense(width, round(mlp_ratio * width))

    def _transform(self, x, query, other):
        attended, _ = self.attention(query, other, other, need_weights=False)
        x = x + attended
        return x + row_drop(self.dense(self.norm_dense(x)), self.drop_path, self.training)


class SelfAttentionFusion(_AttentionFusion):
    """Let all tokens of both kinds attend to each other; twice as many come out.

    Parameters
    ----------
    n_tokens : int
        Tokens of each kind.
    width : int
        Channels.
    n_heads : int, default=1
        Heads of the attention.
    mlp_ratio : float, default=1.0
        Width of the dense layers' middle, in `width`.
    drop_path : float, default=0.2
        Share of trials for which the dense layers are left out in training.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.mctf import SelfAttentionFusion
    >>> SelfAttentionFusion(5, 8)(torch.randn(2, 5, 8), torch.randn(2, 5, 8)).shape
    torch.Size([2, 10, 8])
    """

    def forward(self, received, tokens):
        x = torch.cat([received, tokens], dim=1)
        normal = torch.cat([self.norm_received(received), self.norm_tokens(tokens)], dim=1)
        return self._transform(x, normal, normal)


class CrossAttentionFusion(_AttentionFusion):
    """Let classification tokens attend to received ones.

    Parameters are those of :class:`SelfAttentionFusion`.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.mctf import CrossAttentionFusion
    >>> CrossAttentionFusion(5, 8)(torch.randn(2, 5, 8), torch.randn(2, 5, 8)).shape
    torch.Size([2, 5, 8])
    """

    def forward(self, received, tokens):
        return self._transform(tokens, self.norm_tokens(tokens), self.norm_received(received))


FUSIONS = {
    "sum": SumFusion,
    "multiplication": MultiplicationFusion,
    "self_attention": SelfAttentionFusion,
    "cross_attention": CrossAttentionFusion,
    "mctf": MCTF,
}


def build_fusion(name, n_tokens, width, **params):
    """Build a fusion of tokens by its name.

    Parameters
    ----------
    name : {"sum", "multiplication", "self_attention", "cross_attention", "mctf"}
        Which one.
    n_tokens : int
        Tokens of each kind.
    width : int
        Channels.
    **params
        What the fusion's class takes besides.

    Returns
    -------
    torch.nn.Module
        The fusion.

    Raises
    ------
    ValueError
        If there is no fusion of that name.

    Examples
    --------
    >>> from skrehab.networks.two_stream.mctf import build_fusion
    >>> build_fusion("sum", 20, 768)
    SumFusion()
    """
    if name not in FUSIONS:
        raise ValueError(f"fusion must be one of {list(FUSIONS)}, got {name!r}.")
    return FUSIONS[name](n_tokens, width, **params)
