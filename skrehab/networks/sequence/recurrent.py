"""Recurrent networks, many to one.

The LSTM baseline of Mesquita et al. 2025 (section II-D): "a Many-to-One model with a single layer
and a hidden size of 192". How its frames are read is from the authors' public code.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks.sequence.pose_sequence import mean_over_frames

__all__ = ["GRU", "LSTM"]


class _ManyToOne(nn.Module):
    """Recurrent layers, and a classifier of their mean or last output."""

    cell = None
    saliency_smooth = 0  # the authors smooth the maps of all their networks but the LSTM

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        hidden_size=192,
        n_layers=1,
        readout="mean",
        dropout=0.2,
    ):
        super().__init__()
        if readout not in ("mean", "last"):
            raise ValueError(f"readout must be 'mean' or 'last', got {readout!r}.")
        self.readout = readout
        self.rnn = self.cell(
            n_landmarks * n_coords,
            hidden_size,
            num_layers=n_layers,
            batch_first=True,
            dropout=dropout if n_layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(dropout)
        if readout == "mean":
            self.norm = nn.LayerNorm(hidden_size)
            self.hidden = nn.Linear(hidden_size, hidden_size)
        self.head = nn.Linear(hidden_size, n_outputs)

    def forward(self, x, lengths=None):
        # (batch, frames, landmarks, coords) -> (batch, frames, hidden)
        states, _ = self.rnn(x.flatten(2))
        # time runs forward only, so padding behind the last true frame cannot reach what is read
        if self.readout == "mean":
            pooled = self.norm(self.dropout(mean_over_frames(states, lengths)))
            return self.head(F.relu(self.hidden(pooled)))
        if lengths is None:
            last = states[:, -1]
        else:
            last = states[torch.arange(len(x), device=x.device), lengths.to(x.device) - 1]
        return self.head(self.dropout(last))


class LSTM(_ManyToOne):
    """Long short-term memory, many to one.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    hidden_size : int, default=192
        Units in a layer.
    n_layers : int, default=1
        Layers.
    readout : {"mean", "last"}, default="mean"
        What is read: the mean of the outputs over the true frames, which then passes dropout, layer
        norm, a hidden layer of `hidden_size` units with ReLU, and the classifier, as the authors of
        the paper have it; or the output of the last true frame, which passes dropout and the
        classifier.
    dropout : float, default=0.2
        Dropout behind what is read, and between layers.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-D.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.recurrent import LSTM
    >>> LSTM(33, 3, 1)(torch.zeros(2, 40, 33, 3), torch.tensor([40, 7])).shape
    torch.Size([2, 1])
    """

    cell = nn.LSTM


class GRU(_ManyToOne):
    """Gated recurrent unit, many to one; parameters as for :class:`LSTM`.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    hidden_size : int, default=192
        Units in a layer.
    n_layers : int, default=1
        Layers.
    readout : {"mean", "last"}, default="mean"
        What is read: the mean of the outputs over the true frames, which then passes dropout, layer
        norm, a hidden layer of `hidden_size` units with ReLU, and the classifier, as the authors of
        the paper have it; or the output of the last true frame, which passes dropout and the
        classifier.
    dropout : float, default=0.2
        Dropout behind what is read, and between layers.

    References
    ----------
    Cho et al. 2014, arXiv:1406.1078.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.recurrent import GRU
    >>> GRU(33, 3, 4)(torch.zeros(2, 40, 33, 3)).shape
    torch.Size([2, 4])
    """

    cell = nn.GRU
