"""Random convolutions and a linear classifier: the ROCKET idea as a network.

Hundreds of random kernels look at a trial at several time scales; of each response only how often
it is positive, its highest and its lowest value are kept. Nothing but the linear layer learns, so
it trains in seconds, and with few people it is hard to beat.

A. Dempster, F. Petitjean, G. Webb, "ROCKET: Exceptionally fast and accurate time series
classification using random convolutional kernels", Data Mining and Knowledge Discovery 34, 2020
(arXiv:1910.13051). Ours differs in that the share of positive values is a soft one, so that
gradients come back on every frame, that the lowest value is kept too, and the log of the duration.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks._layers import resample_frames

__all__ = ["Rocket"]

TAPS = 9
MOST_CHANNELS = 9  # that one kernel looks at
UNIT = 0.3  # typical response of a kernel to coordinates of variance one


class Rocket(nn.Module):
    """Random convolutional features with a linear classifier.

    Give it trials scaled to about one, as :class:`skrehab.LandmarkScaler` does, and a large
    ``weight_decay``, such as 1 to 10: there are more features than trials.

    Parameters
    ----------
    n_landmarks, n_coords, n_outputs : int
        Trailing shape of the trials, and the number of logits.
    n_kernels : int, default=1500
        Random kernels; each gives three features.
    n_frames : int, default=60
        Frames that trials are resampled to.
    dropout : float, default=0.0
        Dropout before the classifier.

    References
    ----------
    Dempster et al. 2020, arXiv:1910.13051; MiniRocket: Dempster et al. 2021, arXiv:2012.08791.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.rocket import Rocket
    >>> network = Rocket(33, 3, 1, n_kernels=100)
    >>> x, lengths = torch.randn(2, 40, 33, 3), torch.tensor([40, 7])
    >>> network(x, lengths).shape, network.embed(x, lengths).shape
    (torch.Size([2, 1]), torch.Size([2, 301]))
    """

    is_frozen = True  # features are computed once, not every epoch

    def __init__(
        self, n_landmarks, n_coords, n_outputs, *, n_kernels=1500, n_frames=60, dropout=0.0
    ):
        super().__init__()
        self.n_frames = n_frames
        n_channels = n_landmarks * n_coords
        n_scales = max(1, int(math.log2(max(2, (n_frames - 1) / (TAPS - 1)))) + 1)
        self.sizes = [
            n_kernels // n_scales + (i < n_kernels % n_scales) for i in range(n_scales)
        ]  # kernels of dilation 1, 2, 4, ...
        self.register_buffer("kernels", _random_kernels(n_kernels, n_channels))
        self.register_buffer("biases", 2 * torch.rand(n_kernels) - 1)
        n_features = 3 * n_kernels + 1
        self.norm = nn.BatchNorm1d(n_features, affine=False)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_features, n_outputs)

    def embed(self, x, lengths=None):
        """Compute the random features.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, frames, n_landmarks, n_coords)
            Zero-padded trials.
        lengths : torch.Tensor of shape (batch,), optional
            True number of frames.

        Returns
        -------
        torch.Tensor of shape (batch, 3 * n_kernels + 1)
            Soft share of positive responses, highest and lowest one, and log of the duration.
        """
        frames = lengths if lengths is not None else torch.full((len(x),), x.shape[1])
        x = resample_frames(x, lengths, self.n_frames).flatten(2).transpose(1, 2)
        features = []
        for scale, (kernels, biases) in enumerate(
            zip(self.kernels.split(self.sizes), self.biases.split(self.sizes))
        ):
            reach = 2**scale * (TAPS // 2)
            z = F.conv1d(x, kernels, padding=reach, dilation=2**scale)  # (batch, kernels, frames)
            z = z / UNIT + biases[:, None]
            features += [torch.sigmoid(4 * z).mean(dim=2), z.amax(dim=2), z.amin(dim=2)]
        features.append(torch.log(frames.to(x))[:, None])
        return torch.cat(features, dim=1)

    def classify_embedding(self, features):
        """Compute logits from features.

        Parameters
        ----------
        features : torch.Tensor of shape (batch, 3 * n_kernels + 1)
            What :meth:`embed` gives.

        Returns
        -------
        torch.Tensor of shape (batch, n_outputs)
            Logits.
        """
        alone = self.training and len(features) == 1  # one trial has no spread
        scaled = F.batch_norm(
            features,
            self.norm.running_mean,
            self.norm.running_var,
            training=self.training and not alone,
            momentum=self.norm.momentum,
            eps=1e-4,
        )
        return self.head(self.dropout(scaled))

    def forward(self, x, lengths=None):
        return self.classify_embedding(self.embed(x, lengths))


def _random_kernels(n_kernels, n_channels):
    """Draw kernels (n_kernels, channels, taps), each on a few channels, with mean zero in time."""
    most = math.log2(min(n_channels, MOST_CHANNELS) + 1)
    n_used = (2 ** (most * torch.rand(n_kernels, 1))).floor().clamp(min=1)
    rank = torch.rand(n_kernels, n_channels).argsort(dim=1).argsort(dim=1)
    kernels = torch.randn(n_kernels, n_channels, TAPS)
    kernels = kernels - kernels.mean(dim=2, keepdim=True)
    return kernels * (rank < n_used)[..., None] / (TAPS * n_used[..., None]).sqrt()
