"""Residual dilated convolutions over time that score every frame."""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["FrameConvolutions"]


class Block(nn.Module):
    """Dilated convolution over time, normalised frame by frame, with a skip."""

    def __init__(self, channels, kernel_size, dilation, dropout, causal):
        super().__init__()
        reach = dilation * (kernel_size - 1)
        self.padding = (reach, 0) if causal else (reach // 2, reach - reach // 2)
        self.conv = nn.Conv1d(channels, channels, kernel_size, dilation=dilation)
        # over the channels of a frame: statistics over time would see padding, and the future
        self.norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):  # (batch, frames, channels)
        y = self.conv(F.pad(x.transpose(1, 2), self.padding)).transpose(1, 2)
        return x + self.dropout(F.gelu(self.norm(y)))


class FrameConvolutions(nn.Module):
    """Temporal convolutional network with one row of logits a frame.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    channels : int, default=32
        Width.
    n_blocks : int, default=4
        Convolutions; their dilations are 1, 2, 4, ...
    kernel_size : int, default=5
        Frames a convolution sees; four blocks of five see 61 frames.
    causal : bool, default=True
        Look at the past only, as live use needs.
    dropout : float, default=0.2
        Dropout after each convolution.

    References
    ----------
    Bai, Kolter & Koltun 2018, arXiv:1803.01271, section 3.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.frame_tcn import FrameConvolutions
    >>> network = FrameConvolutions(33, 3, 1)
    >>> network(torch.zeros(2, 40, 33, 3), torch.tensor([40, 7])).shape
    torch.Size([2, 40, 1])
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        channels=32,
        n_blocks=4,
        kernel_size=5,
        causal=True,
        dropout=0.2,
    ):
        super().__init__()
        self.proj = nn.Linear(n_landmarks * n_coords, channels)
        self.blocks = nn.ModuleList(
            Block(channels, kernel_size, 2**i, dropout, causal) for i in range(n_blocks)
        )
        self.head = nn.Linear(channels, n_outputs)

    def _features(self, x, true):
        """Features of every frame; zero behind the end, as if the trial were alone."""
        x = self.proj(x.flatten(2)) * true  # (batch, frames, channels)
        for block in self.blocks:
            x = block(x) * true
        return x

    def frame_logits(self, x, lengths=None):
        """Score every frame.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, frames, n_landmarks, n_coords)
            Zero-padded trials.
        lengths : torch.Tensor of shape (batch,), optional
            True number of frames.

        Returns
        -------
        torch.Tensor of shape (batch, frames, n_outputs)
            Logits; what stands behind a trial's end means nothing.
        """
        return self.head(self._features(x, true_frames(x, lengths)))

    def forward(self, x, lengths=None):
        return self.frame_logits(x, lengths)


def true_frames(x, lengths):
    """Mask of shape (batch, frames, 1): which frames are the trial's own."""
    if lengths is None:
        return torch.ones(*x.shape[:2], 1, dtype=torch.bool, device=x.device)
    frame = torch.arange(x.shape[1], device=x.device)
    return (frame < lengths.to(x.device)[:, None])[..., None]
