"""Temporal convolutions that score every frame, pooled to one logit a trial (ours).

A trial labelled abnormal has *some* abnormal frames: multiple-instance learning. The network scores
each frame from its neighbourhood and pools the scores as that sentence says, by the mean of the
highest ones. Nothing but trial labels trains it, yet its frame scores are assessment in themselves,
live if it is causal.

Pooling: mean of the top k (Wu et al. 2015, doi 10.1109/CVPR.2015.7298968), gated attention (Ilse et
al. 2018, arXiv:1802.04712), noisy-or (Maron & Lozano-Perez 1998).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks.sequence.frame_tcn import FrameConvolutions, true_frames

__all__ = ["POOLINGS", "MilTCN"]

POOLINGS = ("top", "attention", "noisy_or", "mean")


class MilTCN(FrameConvolutions):
    """Temporal convolutional network with multiple-instance pooling of frame scores.

    Parameters
    ----------
    n_landmarks, n_coords, n_outputs : int
        Trailing shape of the trials, and the number of logits.
    channels : int, default=64
        Width.
    n_blocks : int, default=4
        Convolutions; their dilations are 1, 2, 4, ...
    kernel_size : int, default=5
        Frames a convolution sees; four blocks of five see 61 frames.
    causal : bool, default=False
        Look at the past only, as live use needs.
    pooling : {"top", "attention", "noisy_or", "mean"}, default="top"
        How frame scores become the trial's.
    top_share : float, default=0.25
        Share of the frames that ``"top"`` averages.
    leak : float, default=0.05
        Weight of the mean over all frames in ``"top"``, so that every frame keeps a gradient.
    dropout : float, default=0.2
        Dropout after each convolution.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.mil_tcn import MilTCN
    >>> network = MilTCN(33, 3, 1)
    >>> x, lengths = torch.zeros(2, 40, 33, 3), torch.tensor([40, 7])
    >>> network(x, lengths).shape, network.frame_logits(x, lengths).shape
    (torch.Size([2, 1]), torch.Size([2, 40, 1]))
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        channels=64,
        n_blocks=4,
        kernel_size=5,
        causal=False,
        pooling="top",
        top_share=0.25,
        leak=0.05,
        dropout=0.2,
    ):
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {POOLINGS}, got {pooling!r}.")
        if not 0 < top_share <= 1:
            raise ValueError(f"top_share must be in (0, 1], got {top_share!r}.")
        super().__init__(
            n_landmarks,
            n_coords,
            n_outputs,
            channels=channels,
            n_blocks=n_blocks,
            kernel_size=kernel_size,
            causal=causal,
            dropout=dropout,
        )
        self.pooling = pooling
        self.top_share = top_share
        self.leak = leak
        if pooling == "attention":
            self.gate = nn.ModuleList(nn.Linear(channels, channels // 2) for _ in range(2))
            self.attention = nn.Linear(channels // 2, 1)
        if pooling == "noisy_or":  # a hundred frames of probability 1/2 would be certain
            nn.init.constant_(self.head.bias, -math.log(100))

    def forward(self, x, lengths=None):
        true = true_frames(x, lengths)
        features = self._features(x, true)
        logits = self.head(features)  # (batch, frames, outputs)
        if self.pooling == "attention":
            a, b = (layer(features) for layer in self.gate)
            score = self.attention(torch.tanh(a) * torch.sigmoid(b))
            weights = score.masked_fill(~true, -torch.inf).softmax(dim=1)
            return (weights * logits).sum(dim=1)
        if self.pooling == "noisy_or":
            # 1 - p = prod(1 - p_t): with s = sum of log(1 + exp(logit)), the logit is log(e^s - 1)
            s = (F.softplus(logits) * true).sum(dim=1) + 1e-12
            return s + torch.log(-torch.expm1(-s))
        mean = (logits * true).sum(dim=1) / true.sum(dim=1)
        if self.pooling == "mean":
            return mean
        return (1 - self.leak) * self._top(logits, true) + self.leak * mean

    def _top(self, logits, true):
        """Mean of the highest logits of each trial, for each output."""
        ranked = logits.masked_fill(~true, -torch.inf).sort(dim=1, descending=True).values
        k = (true.sum(dim=1) * self.top_share).ceil()[:, None]  # (batch, 1, 1)
        taken = torch.arange(logits.shape[1], device=logits.device)[None, :, None] < k
        return ranked.masked_fill(~taken, 0.0).sum(dim=1) / k[:, 0]
