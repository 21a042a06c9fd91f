"""Encoder, decoders and discriminator of self-supervised learning from pose sequences.

Nekoui & Cheng 2021: one bidirectional GRU reads a pose sequence; one decoder says how much it was
slowed, another gives back what was masked, and a discriminator judges how real that looks. Padding
stands behind the last frame and reaches nothing. :class:`PretrainedGRU` is the encoder with a
classifier on top, for the registry.
"""

import torch
from torch import nn

from skrehab.networks.pose_input import PoseInput, true_frames

__all__ = [
    "Discriminator",
    "FrameDecoder",
    "PaceDecoder",
    "PoseEncoder",
    "PretrainedGRU",
    "mean_over_frames",
]


def mean_over_frames(x, lengths=None):
    """Average over the true frames.

    Parameters
    ----------
    x : torch.Tensor of shape (batch, frames, features)
        Padded sequences.
    lengths : torch.Tensor of shape (batch,), optional
        True number of frames; None means all of them.

    Returns
    -------
    torch.Tensor of shape (batch, features)
        Means.
    """
    true = true_frames(x, lengths)
    return x.masked_fill(~true[..., None], 0).sum(dim=1) / true.sum(dim=1, keepdim=True)


def _last_frames(frames, lengths):
    """Pick the last true frame of each sequence: (batch, frames, units) -> (batch, units)."""
    if lengths is None:
        return frames[:, -1]
    return frames[torch.arange(len(frames), device=frames.device), lengths.to(frames.device) - 1]


def _turned(x, lengths):
    """Turn each sequence's true frames around; padding stays behind them."""
    if lengths is None:
        return x.flip(1)
    frame = torch.arange(x.shape[1], device=x.device)
    lengths = lengths.to(x.device)[:, None]
    order = torch.where(frame < lengths, lengths - 1 - frame, frame)  # (batch, frames)
    return x.gather(1, order[..., None].expand_as(x))


class PoseEncoder(nn.Module):
    """Bidirectional GRU over a pose sequence: one vector a frame, and the final states.

    The backward direction reads each sequence from its own last frame. It is the same function as a
    bidirectional :class:`torch.nn.GRU` on packed sequences, whose gradient on a CPU takes time that
    grows with the square of the length.

    Parameters
    ----------
    n_features : int
        Values a frame: landmarks times coordinates.
    hidden_size : int, default=1000
        Units of a layer and direction.
    n_layers : int, default=2
        Layers.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, sections 3.1 and 4.1.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.pose_sequence import PoseEncoder
    >>> frames, states = PoseEncoder(45, hidden_size=8)(torch.zeros(3, 20, 45))
    >>> frames.shape, states.shape
    (torch.Size([3, 20, 16]), torch.Size([2, 2, 3, 8]))
    """

    def __init__(self, n_features, hidden_size=1000, n_layers=2):
        super().__init__()
        self.hidden_size = hidden_size
        sizes = [n_features] + [2 * hidden_size] * (n_layers - 1)
        self.layers = nn.ModuleList(
            nn.ModuleDict(
                {way: nn.GRU(size, hidden_size, batch_first=True) for way in ("ahead", "back")}
            )
            for size in sizes
        )

    def forward(self, x, lengths=None):
        states = []
        for layer in self.layers:
            ahead, _ = layer["ahead"](x)
            back, _ = layer["back"](_turned(x, lengths))
            states.append(torch.stack([_last_frames(one, lengths) for one in (ahead, back)]))
            x = torch.cat([ahead, _turned(back, lengths)], dim=2)
        # frames (batch, frames, 2 hidden), zero in the padding; states (layers, 2, batch, hidden)
        x = x.masked_fill(~true_frames(x, lengths)[..., None], 0)
        return x, torch.stack(states)


class PaceDecoder(nn.Module):
    """Say from the encoder's frames how much a sequence was slowed: two hidden layers.

    Parameters
    ----------
    n_paces : int, default=5
        Classes.
    hidden_size : int, default=1000
        Units of the encoder and of the hidden layers.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, sections 3.1 (eq. 1) and 4.1.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.pose_sequence import PaceDecoder
    >>> PaceDecoder(hidden_size=8)(torch.zeros(3, 16)).shape
    torch.Size([3, 5])
    """

    def __init__(self, n_paces=5, hidden_size=1000):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(),
            nn.Linear(hidden_size, n_paces),
        )

    def forward(self, summary):
        # (batch, 2 hidden), the mean of the encoder's frames -> (batch, n_paces)
        return self.layers(summary)


class FrameDecoder(nn.Module):
    """GRU that starts from the encoder's states and says something of every frame it is given.

    The two directions of the encoder's states are summed, so that a unidirectional GRU of the same
    width can begin with them. The inpainting decoder gives back the pose itself.

    Parameters
    ----------
    n_features : int
        Values a frame that it is given.
    n_outputs : int, optional
        Values a frame that it returns; None means `n_features`.
    hidden_size : int, default=1000
        Units, as of the encoder.
    n_layers : int, default=2
        Layers, as of the encoder.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, section 3.1: "takes the representations of the encoder as the initial
    state of the cells and the manually masked skeleton sequence as the inputs".

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.pose_sequence import FrameDecoder
    >>> decoder = FrameDecoder(45, hidden_size=8)
    >>> decoder(torch.zeros(3, 20, 45), torch.zeros(2, 2, 3, 8)).shape
    torch.Size([3, 20, 45])
    """

    def __init__(self, n_features, n_outputs=None, hidden_size=1000, n_layers=2):
        super().__init__()
        self.rnn = nn.GRU(n_features, hidden_size, n_layers, batch_first=True)
        self.out = nn.Linear(hidden_size, n_features if n_outputs is None else n_outputs)

    def forward(self, x, states):
        # time runs forward only: padding behind the last true frame cannot reach it
        frames, _ = self.rnn(x, states.sum(dim=1))
        return self.out(frames)


class Discriminator(nn.Module):
    """Judge how real a pose sequence looks: a GRU and one logit from its final state.

    Parameters
    ----------
    n_features : int
        Values a frame.
    hidden_size : int, default=200
        Units of a layer.
    n_layers : int, default=2
        Layers.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, eq. 3 and section 4.1.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.pose_sequence import Discriminator
    >>> Discriminator(45)(torch.zeros(3, 20, 45)).shape
    torch.Size([3])
    """

    def __init__(self, n_features, hidden_size=200, n_layers=2):
        super().__init__()
        self.rnn = nn.GRU(n_features, hidden_size, n_layers, batch_first=True)
        self.out = nn.Linear(hidden_size, 1)

    def forward(self, x, lengths=None):
        frames, _ = self.rnn(x)
        return self.out(_last_frames(frames, lengths))[:, 0]


class PretrainedGRU(nn.Module):
    """The encoder of :class:`skrehab.PoseSequencePretrainer` with a linear classifier on top.

    Scaling and conversion happen inside, so that it takes the same trials as the pretrainer, whose
    ``save_encoder`` writes the weights and whose ``network_params_`` are the parameters to give.

    Parameters
    ----------
    n_landmarks, n_coords, n_outputs : int
        Trailing shape of the trials, and the number of logits.
    hidden_size : int, default=1000
        Units of a layer and direction.
    n_layers : int, default=2
        Layers.
    pooling : {"mean", "last"}, default="mean"
        What the classifier sees: the mean over the frames, or the final state of either direction.
    dropout : float, default=0.2
        Dropout before the classifier.
    skeleton : str, Skeleton or dict, optional
        Skeleton of the trials, needed only with `common_skeleton`; see
        :func:`skrehab.networks.pose_input.find_skeleton`.
    common_skeleton : str or Skeleton, optional
        Skeleton that every trial is converted to, as in the pretrainer.
    scale : bool, default=True
        Scale each trial's coordinates to [-1, 1]. The network then does not see how large its input
        is, so that integrated gradients on a path from zeros are gradient times input, and their
        completeness error means nothing; with trials scaled beforehand and ``scale=False`` they
        are exact.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, section 4.2, "only non-expert".

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.pose_sequence import PretrainedGRU
    >>> network = PretrainedGRU(33, 3, 1, hidden_size=16)
    >>> network(torch.randn(2, 40, 33, 3), torch.tensor([40, 7])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        hidden_size=1000,
        n_layers=2,
        pooling="mean",
        dropout=0.2,
        skeleton=None,
        common_skeleton=None,
        scale=True,
    ):
        super().__init__()
        if pooling not in ("mean", "last"):
            raise ValueError(f"pooling must be 'mean' or 'last', got {pooling!r}.")
        self.pooling = pooling
        self.input = PoseInput(
            n_landmarks,
            n_coords,
            skeleton=skeleton,
            common_skeleton=common_skeleton,
            scale=scale,
        )
        landmarks, coords = self.input.shape
        self.encoder = PoseEncoder(landmarks * coords, hidden_size, n_layers)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden_size, n_outputs)

    def forward(self, x, lengths=None):
        poses = self.input(x, lengths).flatten(2)  # (batch, frames, landmarks * coords)
        frames, states = self.encoder(poses, lengths)
        if self.pooling == "mean":
            pooled = mean_over_frames(frames, lengths)
        else:
            pooled = states[-1].transpose(0, 1).flatten(1)  # (batch, 2 hidden)
        return self.head(self.dropout(pooled))
