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
from skrehab.networks.sequence._mpose import MPOSE_ACTIONS, MPOSEInput

__all__ = ["MPOSE_ACTIONS", "SIZES", "ActionTransformer"]

# width is always 64 a head, the feed-forward width four times that
SIZES = {
    "micro": {"n_heads": 1, "n_layers": 4, "dropout": 0.3, "head_size": 256},
    "small": {"n_heads": 2, "n_layers": 5, "dropout": 0.3, "head_size": 256},
    "base": {"n_heads": 3, "n_layers": 6, "dropout": 0.3, "head_size": 256},
    "large": {"n_heads": 4, "n_layers": 6, "dropout": 0.4, "head_size": 512},
}
GELUS = {"exact": "none", "tanh": "tanh"}  # torch's words for them


class MultiHeadAttention(nn.Module):
    """Self-attention with four separate linear maps."""

    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.wq = nn.Linear(width, width)
        self.wk = nn.Linear(width, width)
        self.wv = nn.Linear(width, width)
        self.dense = nn.Linear(width, width)

    def forward(self, x, mask=None):
        def split(y):  # (batch, tokens, width) -> (batch, heads, tokens, 64)
            return y.unflatten(2, (self.n_heads, -1)).transpose(1, 2)

        y = F.scaled_dot_product_attention(
            split(self.wq(x)), split(self.wk(x)), split(self.wv(x)), attn_mask=mask
        )  # scaled by 1 / sqrt(64), no dropout
        return self.dense(y.transpose(1, 2).flatten(2))  # (batch, tokens, width)


class EncoderLayer(nn.Module):
    """Post-norm transformer layer."""

    def __init__(self, width, n_heads, dropout, gelu="exact"):
        super().__init__()
        self.gelu = GELUS[gelu]
        self.mha = MultiHeadAttention(width, n_heads)
        self.ffn = nn.ModuleList([nn.Linear(width, 4 * width), nn.Linear(4 * width, width)])
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask=None):
        x = self.norm1(x + self.dropout(self.mha(x, mask)))
        return self.norm2(
            x + self.dropout(self.ffn[1](F.gelu(self.ffn[0](x), approximate=self.gelu)))
        )


class Head(nn.Module):
    """Two linear layers with no activation between them, as in the original."""

    def __init__(self, width, head_size, n_outputs):
        super().__init__()
        self.fc1 = nn.Linear(width, head_size)
        self.fc2 = nn.Linear(head_size, n_outputs)

    def forward(self, x):
        return self.fc2(self.fc1(x))


class ActionTransformer(nn.Module):
    """Transformer encoder over frames and a class token.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    size : {"micro", "small", "base", "large"}, default="micro"
        Variant; micro has 225,281 parameters for 33 landmarks in 3-D and one logit. Mesquita et al.
        2025 take large: 256 wide, 4 heads, 6 layers, a feed-forward part of 1024, a head of 512.
    n_frames : int or "all", default=30
        Frames the network works on; trials of any length are resampled to it inside, so that
        gradients come back on the trial's own frames. ``"all"`` makes every frame a token, as
        Mesquita et al. 2025 do, and masks the padding in the attention.
    max_frames : int, optional
        Length of the learnt table of positions with ``n_frames="all"``; 512 if it is not given. An
        estimator gives the length of its longest training trial. Trials that are longer, which can
        only come later, are resampled to it.
    dropout : float, optional
        Instead of the variant's own (0.3, or 0.4 for large).
    gelu : {"exact", "tanh"}, default="exact"
        The activation as it is defined, which the published ``.h5`` files had, or the approximation
        by a hyperbolic tangent, which the authors' ``.tflite`` file has.
    mpose : {"confidence", "velocity"}, optional
        Give the network what the published weights read, whatever the trials are: the 13 joints of
        MPOSE2021 in the image, centred at the neck, in units of the trunk, each with its confidence
        (``AcT_micro_1_0.h5``, 39 numbers a frame) or its velocity (the files of MPOSE2021's
        version 2, 52 numbers). None flattens the trials' own landmarks and coordinates.
    skeleton : str or Skeleton, optional
        Skeleton of the trials, for `mpose`; None guesses from the number of landmarks.

    References
    ----------
    Mazzia et al. 2022, Pattern Recognition 124:108487. Every frame a token: Mesquita et al. 2025,
    arXiv:2506.03752, and the authors' public code.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.act import ActionTransformer
    >>> ActionTransformer(33, 3, 1)(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        size="micro",
        n_frames=30,
        max_frames=None,
        dropout=None,
        gelu="exact",
        mpose=None,
        skeleton=None,
    ):
        super().__init__()
        if size not in SIZES:
            raise ValueError(f"size must be one of {sorted(SIZES)}, got {size!r}.")
        if gelu not in GELUS:
            raise ValueError(f"gelu must be one of {sorted(GELUS)}, got {gelu!r}.")
        if max_frames is not None and (n_frames != "all" or max_frames < 1):
            raise ValueError(
                f"max_frames is a number of frames above 0, for n_frames='all'; got {max_frames!r} "
                f"with n_frames={n_frames!r}."
            )
        if isinstance(n_frames, str) and n_frames != "all":
            raise ValueError(f"n_frames must be a number or 'all', got {n_frames!r}.")
        variant = SIZES[size]
        width = 64 * variant["n_heads"]
        dropout = variant["dropout"] if dropout is None else dropout
        self.n_frames = n_frames
        self.mpose = None
        n_features = n_landmarks * n_coords
        if mpose is not None:
            self.mpose = MPOSEInput(n_landmarks, n_coords, features=mpose, skeleton=skeleton)
            n_features = self.mpose.n_features
        self.proj = nn.Linear(n_features, width)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.max_frames = (max_frames or 512) if n_frames == "all" else n_frames
        self.pos_embed = nn.Embedding(self.max_frames + 1, width)
        self.encoder = nn.ModuleList(
            EncoderLayer(width, variant["n_heads"], dropout, gelu)
            for _ in range(variant["n_layers"])
        )
        self.head = Head(width, variant["head_size"], n_outputs)
        self._initialise()

    @staticmethod
    def settings_for(state):
        """Tell which settings published weights need.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Published weights.

        Returns
        -------
        dict
            The variant, by its width; nothing if there is none of it.
        """
        n_heads = state["class_token"].shape[-1] / 64
        sizes = [size for size, variant in SIZES.items() if variant["n_heads"] == n_heads]
        return {"size": sizes[0]} if sizes else {}

    def sizes_hint(self, state):
        """Say what may be meant where a file's sizes are not the network's.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Published weights.

        Returns
        -------
        str
            A sentence, or nothing.
        """
        wanted = {39: "confidence", 52: "velocity"}.get(state["proj.weight"].shape[1])
        if wanted is None or self.proj.in_features == state["proj.weight"].shape[1]:
            return ""
        return (
            f" The file reads 13 joints of MPOSE2021: network_params={{'mpose': {wanted!r}}} "
            "converts any skeleton to them."
        )

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.uniform_(self.pos_embed.weight, -0.05, 0.05)
        # he_normal of Keras on shape (1, 1, d) has fan-in 1: a large truncated normal
        nn.init.trunc_normal_(self.class_token, std=2**0.5 / 0.87962566, a=-3.2, b=3.2)

    def forward(self, x, lengths=None):
        if self.mpose is not None:
            x = self.mpose(x)
        x, mask = self._frames(x, lengths)
        if self.mpose is not None:
            x = self.mpose.finish(x)
        x = self.proj(x.flatten(2))  # (batch, frames, landmarks, coords) -> (batch, frames, width)
        token = self.class_token.expand(len(x), -1, -1)
        # (batch, 1 + frames, width)
        x = torch.cat([token, x], dim=1) + self.pos_embed.weight[: x.shape[1] + 1]
        for layer in self.encoder:
            x = layer(x, mask)
        return self.head(x[:, 0])

    def _frames(self, x, lengths):
        """The frames to look at, and where attention may go: (batch, 1, 1, 1 + frames) or None."""
        if self.n_frames != "all":
            return resample_frames(x, lengths, self.n_frames), None
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[1])
        lengths = lengths.to(x.device)
        if x.shape[1] > self.max_frames:
            longer = (lengths > self.max_frames)[:, None, None, None]
            shrunk = resample_frames(x, lengths, self.max_frames)
            x = torch.where(longer, shrunk, x[:, : self.max_frames])
            lengths = lengths.clamp(max=self.max_frames)
        # place 0 is the class token
        return x, (torch.arange(x.shape[1] + 1, device=x.device) <= lengths[:, None])[:, None, None]
