"""Action Transformer (AcT).

V. Mazzia, S. Angarano, F. Salvetti, F. Angelini, M. Chiaberge, "Action Transformer: A self-
attention model for short-time pose-based human action recognition", Pattern Recognition 124:108487,
2022.

Written from the facts of the architecture (sizes, order of operations, initialisers); parity with
the official network is tested on golden outputs.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks._layers import resample_frames

__all__ = ["SIZES", "ActionTransformer"]

# width is always 64 a head, the feed-forward width four times that
SIZES = {
    "micro": {"n_heads": 1, "n_layers": 4, "dropout": 0.3, "head_size": 256},
    "small": {"n_heads": 2, "n_layers": 5, "dropout": 0.3, "head_size": 256},
    "base": {"n_heads": 3, "n_layers": 6, "dropout": 0.3, "head_size": 256},
    "large": {"n_heads": 4, "n_layers": 6, "dropout": 0.4, "head_size": 512},
}


class MultiHeadAttention(nn.Module):
    """Self-attention with four separate linear maps."""

    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.wq = nn.Linear(width, width)
        self.wk = nn.Linear(width, width)
        self.wv = nn.Linear(width, width)
        self.dense = nn.Linear(width, width)

    def forward(self, x):
        def split(y):  # (batch, tokens, width) -> (batch, heads, tokens, 64)
            return y.unflatten(2, (self.n_heads, -1)).transpose(1, 2)

        y = F.scaled_dot_product_attention(
            split(self.wq(x)), split(self.wk(x)), split(self.wv(x))
        )  # scaled by 1 / sqrt(64), no mask, no dropout
        return self.dense(y.transpose(1, 2).flatten(2))  # (batch, tokens, width)


class EncoderLayer(nn.Module):
    """Post-norm transformer layer."""

    def __init__(self, width, n_heads, dropout):
        super().__init__()
        self.mha = MultiHeadAttention(width, n_heads)
        self.ffn = nn.ModuleList([nn.Linear(width, 4 * width), nn.Linear(4 * width, width)])
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = self.norm1(x + self.dropout(self.mha(x)))
        return self.norm2(x + self.dropout(self.ffn[1](F.gelu(self.ffn[0](x)))))


class Head(nn.Module):
    """Two linear layers with no activation between them, as in the original."""

    def __init__(self, width, head_size, n_outputs):
        super().__init__()
        self.fc1 = nn.Linear(width, head_size)
        self.fc2 = nn.Linear(head_size, n_outputs)

    def forward(self, x):
        return self.fc2(self.fc1(x))


class ActionTransformer(nn.Module):
    """Transformer encoder over a fixed number of frames and a class token.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    size : {"micro", "small", "base", "large"}, default="micro"
        Variant; micro has 225,281 parameters for 33 landmarks in 3-D and one logit.
    n_frames : int, default=30
        Frames the network works on; trials of any length are resampled to it inside, so that
        gradients come back on the trial's own frames.
    dropout : float, optional
        Instead of the variant's own (0.3, or 0.4 for large).

    References
    ----------
    Mazzia et al. 2022, Pattern Recognition 124:108487.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.act import ActionTransformer
    >>> ActionTransformer(33, 3, 1)(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self, n_landmarks, n_coords, n_outputs, *, size="micro", n_frames=30, dropout=None
    ):
        super().__init__()
        if size not in SIZES:
            raise ValueError(f"size must be one of {sorted(SIZES)}, got {size!r}.")
        variant = SIZES[size]
        width = 64 * variant["n_heads"]
        dropout = variant["dropout"] if dropout is None else dropout
        self.n_frames = n_frames
        self.proj = nn.Linear(n_landmarks * n_coords, width)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.pos_embed = nn.Embedding(n_frames + 1, width)
        self.encoder = nn.ModuleList(
            EncoderLayer(width, variant["n_heads"], dropout) for _ in range(variant["n_layers"])
        )
        self.head = Head(width, variant["head_size"], n_outputs)
        self._initialise()

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.uniform_(self.pos_embed.weight, -0.05, 0.05)
        # he_normal of Keras on shape (1, 1, d) has fan-in 1: a large truncated normal
        nn.init.trunc_normal_(self.class_token, std=2**0.5 / 0.87962566, a=-3.2, b=3.2)

    def forward(self, x, lengths=None):
        x = resample_frames(x, lengths, self.n_frames)
        x = self.proj(x.flatten(2))  # (batch, 30, landmarks, coords) -> (batch, 30, width)
        token = self.class_token.expand(len(x), -1, -1)
        x = torch.cat([token, x], dim=1) + self.pos_embed.weight  # (batch, 31, width)
        for layer in self.encoder:
            x = layer(x)
        return self.head(x[:, 0])
