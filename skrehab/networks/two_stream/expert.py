"""The expert: what a pose encoder and an appearance network know of a trial becomes a score.

M. Nekoui, L. Cheng, "Enhancing Human Motion Assessment by Self-supervised Representation
Learning", BMVC 2021, section 3.2 and figure 3. Either stream may stand alone.
"""

import torch
from torch import nn

from skrehab.networks.pose_input import PoseInput
from skrehab.networks.sequence.pose_sequence import (
    PoseEncoder,
    _last_frames,
    _turned,
    mean_over_frames,
)
from skrehab.networks.two_stream.appearance import AppearanceStream, RowNorm

__all__ = ["Expert", "FrameEncoder", "OrderedLogits", "PoseStream"]


class FrameEncoder(nn.Module):
    """The non-expert's encoder as it reads trials: scaled, of one skeleton, one vector a frame.

    Its parameters have the names of :class:`skrehab.networks.sequence.pose_sequence.PretrainedGRU`.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    hidden_size : int, default=1000
        Units of a layer and direction.
    n_layers : int, default=2
        Layers.
    skeleton, common_skeleton, scale
        As in :class:`skrehab.networks.pose_input.PoseInput`.

    Attributes
    ----------
    out_channels : int
        Features of a frame.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.expert import FrameEncoder
    >>> FrameEncoder(15, 3, hidden_size=8)(torch.randn(2, 30, 15, 3)).shape
    torch.Size([2, 30, 16])
    """

    def __init__(
        self,
        n_landmarks,
        n_coords,
        *,
        hidden_size=1000,
        n_layers=2,
        skeleton=None,
        common_skeleton=None,
        scale=True,
    ):
        super().__init__()
        self.input = PoseInput(
            n_landmarks,
            n_coords,
            skeleton=skeleton,
            common_skeleton=common_skeleton,
            scale=scale,
        )
        landmarks, coords = self.input.shape
        self.encoder = PoseEncoder(landmarks * coords, hidden_size, n_layers)
        self.out_channels = 2 * hidden_size

    def forward(self, x, lengths=None):
        poses = self.input(x, lengths).flatten(2)  # (batch, frames, landmarks * coords)
        return self.encoder(poses, lengths)[0]


class PoseStream(nn.Module):
    """A shallow bidirectional LSTM over frames, and one vector for the trial.

    Parameters
    ----------
    n_features : int
        Features of a frame: an encoder's representation, or coordinates.
    hidden_size : int or None, default=100
        Units in each direction; None leaves the LSTM out, so that the frames' mean remains.
    pooling : {"mean", "last"}, default="mean"
        Mean of the states over true frames, or each direction's state at its end. The text does
        not say which.

    Attributes
    ----------
    out_channels : int
        Features of a trial.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, sections 3.2 and 4.1: "the experts single layer encoder consists of
    100 units"; 1,681,600 parameters on representations of 2 x 1000.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.expert import PoseStream
    >>> stream = PoseStream(2000)
    >>> sum(p.numel() for p in stream.parameters())
    1681600
    >>> stream(torch.randn(2, 7, 2000), torch.tensor([7, 3])).shape
    torch.Size([2, 200])
    """

    def __init__(self, n_features, *, hidden_size=100, pooling="mean"):
        super().__init__()
        if pooling not in ("mean", "last"):
            raise ValueError(f"pooling must be 'mean' or 'last', got {pooling!r}.")
        self.pooling = pooling
        self.lstm = None
        self.out_channels = n_features
        if hidden_size is not None:
            self.lstm = nn.ModuleDict(
                {
                    way: nn.LSTM(n_features, hidden_size, batch_first=True)
                    for way in ("ahead", "back")
                }
            )
            self.out_channels = 2 * hidden_size

    def forward(self, x, lengths=None):
        # x: (batch, frames, features)
        pool = mean_over_frames if self.pooling == "mean" else _last_frames
        if self.lstm is None:
            return pool(x, lengths)
        # the backward direction begins at the last true frame, so padding comes after both; a
        # packed bidirectional layer is the same function, with a slow gradient on a CPU
        ahead, _ = self.lstm["ahead"](x)
        back, _ = self.lstm["back"](_turned(x, lengths))
        return torch.cat([pool(ahead, lengths), pool(back, lengths)], dim=1)


class OrderedLogits(nn.Module):
    """One latent score, and rising thresholds between neighbouring classes.

    Parameters
    ----------
    n_features : int
        Inputs.
    n_classes : int
        Ordered classes, two or more.

    References
    ----------
    McCullagh 1980, "Regression Models for Ordinal Data", JRSS B 42:109-142: proportional odds.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.expert import OrderedLogits
    >>> logits = OrderedLogits(4, 3)(torch.zeros(1, 4))  # of "above class 0", "above class 1"
    >>> (logits[:, 0] > logits[:, 1]).item()
    True
    """

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.score = nn.Linear(n_features, 1, bias=False)
        # all classes equally likely where the score is zero
        below = torch.arange(1, n_classes) / n_classes
        thresholds = torch.logit(below)
        self.first = nn.Parameter(thresholds[:1])
        # the inverse of softplus: a step stays above zero whatever is learnt
        self.steps = nn.Parameter(torch.log(torch.expm1(thresholds.diff())))

    def forward(self, x):
        steps = nn.functional.softplus(self.steps)
        thresholds = torch.cat([self.first, self.first + steps.cumsum(0)])
        return self.score(x) - thresholds


class Expert(nn.Module):
    """Score trials from a pose stream, an appearance stream, or both.

    The streams' vectors are concatenated; batch normalisation, ReLU and one linear layer follow.
    A stream for which no number of features is given is not built.

    Parameters
    ----------
    n_outputs : int
        Numbers that come out; with ``ordered``, classes.
    pose_features : int, optional
        Features of a frame: the encoder's representation, or coordinates.
    appearance_features : int, optional
        Features of a clip.
    encoder : torch.nn.Module, optional
        From ``(batch, frames, landmarks, coords), lengths`` to ``(batch, frames, pose_features)``,
        as :class:`FrameEncoder`; None where frames already are what the LSTM is to read.
    hidden_size : int or None, default=100
        Units of the LSTM in each direction.
    pooling : {"mean", "last"}, default="mean"
        See :class:`PoseStream`.
    expansion_factor : float, default=1.5
        See :class:`skrehab.networks.two_stream.appearance.AppearanceModule`.
    reduced_channels : int, optional
        See there.
    dropout : float, default=0.0
        Before the linear layer.
    linear : bool, default=False
        Leave normalisation and ReLU out: linear regression on the streams' vectors.
    ordered : bool, default=False
        Classes have an order: see :class:`OrderedLogits`.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, section 3.2 and figure 3.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.expert import Expert
    >>> expert = Expert(1, pose_features=45, appearance_features=32, hidden_size=8)
    >>> pose, clips = torch.randn(2, 30, 15, 3), torch.randn(2, 3, 32)
    >>> expert(pose, torch.tensor([30, 12]), clips, torch.tensor([3, 1])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_outputs,
        *,
        pose_features=None,
        appearance_features=None,
        encoder=None,
        hidden_size=100,
        pooling="mean",
        expansion_factor=1.5,
        reduced_channels=None,
        dropout=0.0,
        linear=False,
        ordered=False,
    ):
        super().__init__()
        self.encoder, self.pose, self.appearance = encoder, None, None
        n_features = 0
        if pose_features is not None:
            self.pose = PoseStream(pose_features, hidden_size=hidden_size, pooling=pooling)
            n_features += self.pose.out_channels
        if appearance_features is not None:
            self.appearance = AppearanceStream(
                appearance_features,
                expansion_factor=expansion_factor,
                reduced_channels=reduced_channels,
            )
            n_features += self.appearance.out_channels
        if not n_features:
            raise ValueError("Expert needs pose_features, appearance_features, or both.")
        fusion = [] if linear else [RowNorm(n_features), nn.ReLU()]
        self.fusion = nn.Sequential(*fusion, nn.Dropout(dropout))
        self.head = (
            OrderedLogits(n_features, n_outputs) if ordered else nn.Linear(n_features, n_outputs)
        )

    def features(self, x=None, lengths=None, clips=None, n_clips=None):
        """Compute what the linear layer sees of each trial.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, frames, ...), optional
            Poses or representations, padded.
        lengths : torch.Tensor of shape (batch,), optional
            True number of frames; None means all of them.
        clips : torch.Tensor of shape (batch, steps, appearance_features), optional
            Clip features, padded.
        n_clips : torch.Tensor of shape (batch,), optional
            True number of clips; None means all of them.

        Returns
        -------
        torch.Tensor of shape (batch, n_features)
            Features, none negative unless ``linear``.
        """
        parts = []
        if self.pose is not None:
            if self.encoder is not None:
                x = self.encoder(x, lengths)
            parts.append(self.pose(x.flatten(2), lengths))
        if self.appearance is not None:
            parts.append(self.appearance(clips, n_clips))
        return self.fusion(torch.cat(parts, dim=1))

    def forward(self, x=None, lengths=None, clips=None, n_clips=None):
        return self.head(self.features(x, lengths, clips, n_clips))
