"""Appearance modules: movement at several tempos in a sequence of clip features.

The module of M. Nekoui, F. O. Tito Cruz, L. Cheng, "EAGLE-Eye: Extreme-Pose Action Grader Using
Detail Bird's-Eye View", WACV 2021, as M. Nekoui, L. Cheng, "Enhancing Human Motion Assessment by
Self-supervised Representation Learning", BMVC 2021, section 3.2, stack it. Clips of one video are
the steps of a sequence; sequences of a batch differ in length, and padding is never seen.
"""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["AppearanceModule", "AppearanceStream", "RowNorm"]

KERNEL_SIZES = (3, 5, 7)


class RowNorm(nn.BatchNorm1d):
    """Batch normalisation of rows that may meet a single row while training.

    A batch of one row has no variance; then the running statistics do. A last batch of one trial
    is common where trials are few, and dropping it would be a loss. The first batches count as much
    as each other in the running statistics, which otherwise need some forty batches to forget where
    they began: with few trials those are many epochs, and early stopping would look at them.

    Parameters
    ----------
    num_features : int
        Columns.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.appearance import RowNorm
    >>> RowNorm(2)(torch.zeros(1, 2)).shape
    torch.Size([1, 2])
    """

    def __init__(self, num_features):
        super().__init__(num_features)

    def forward(self, x):
        if self.training and len(x) > 1:
            self.momentum = max(0.1, 1 / (1 + int(self.num_batches_tracked)))
            return super().forward(x)
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )


class AppearanceModule(nn.Module):
    """Fewer channels, three tempos, half the steps.

    A point-wise convolution, then depth-wise convolutions over time side by side, each followed
    by max-pooling over two steps and batch normalisation; their outputs are concatenated and
    rectified. The released module also defines a normalisation that it never uses, two numbers a
    channel and branch, which is not here.

    Parameters
    ----------
    in_channels : int
        Features of a step.
    expansion_factor : float, default=1.5
        Channels that come out for one that goes in; each branch has an equal share of them.
    reduced_channels : int, optional
        Channels of each branch, instead of that share.
    kernel_sizes : tuple of odd int, default=(3, 5, 7)
        Steps that each branch sees.

    Attributes
    ----------
    out_channels : int
        Features of a step that comes out.

    References
    ----------
    Nekoui et al. 2021, WACV, section 3.2. With the factor 1.5 two modules on 4096 features of C3D
    have 27,390,976 parameters, on 1024 of I3D 1,735,936; the released ones 30,720 and 7,680 more,
    which are the unused normalisation's.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.appearance import AppearanceModule
    >>> module = AppearanceModule(8, reduced_channels=2)
    >>> features, lengths = module(torch.randn(2, 5, 8), torch.tensor([5, 1]))
    >>> features.shape, lengths
    (torch.Size([2, 2, 6]), tensor([2, 1]))
    """

    def __init__(
        self, in_channels, *, expansion_factor=1.5, reduced_channels=None, kernel_sizes=KERNEL_SIZES
    ):
        super().__init__()
        if any(size % 2 == 0 for size in kernel_sizes):
            raise ValueError(f"kernel_sizes must be odd, got {tuple(kernel_sizes)}.")
        width = reduced_channels or int(in_channels * expansion_factor / len(kernel_sizes))
        if width < 1:
            raise ValueError(
                f"{in_channels} channels and expansion_factor={expansion_factor} leave none for "
                f"{len(kernel_sizes)} branches: pass reduced_channels."
            )
        self.out_channels = width * len(kernel_sizes)
        self.reduce = nn.Linear(in_channels, width)  # a convolution of one step
        self.tempos = nn.ModuleList(
            nn.Conv1d(width, width, size, padding=size // 2, groups=width) for size in kernel_sizes
        )
        self.norms = nn.ModuleList(RowNorm(width) for _ in kernel_sizes)

    def forward(self, x, lengths=None):
        # x: (batch, steps, channels)
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[1], device=x.device)
        lengths = lengths.to(x.device)
        # after the bias padding would no longer be zero, and the convolutions would see it
        x = (self.reduce(x) * _inside(lengths, x.shape[1])[..., None]).transpose(1, 2)
        outside = ~_inside(lengths, x.shape[2])[:, None]
        # an odd last step has no partner and goes, unless it is the only one
        halved = (lengths // 2).clamp(min=1)
        steps = int(halved.max())
        inside = _inside(halved, steps)
        branches = []
        for tempo, norm in zip(self.tempos, self.norms):
            one = tempo(x).masked_fill(outside, -torch.inf)
            one = F.max_pool1d(one, 2, ceil_mode=True)[..., :steps].transpose(1, 2)
            # statistics over true steps only: how a batch was padded does not matter
            rows = norm(one[inside])
            branches.append(torch.zeros_like(one).masked_scatter(inside[..., None], rows))
        return F.relu(torch.cat(branches, dim=2)), halved


class AppearanceStream(nn.Module):
    """Two appearance modules, then the largest value of each channel over time.

    Parameters
    ----------
    n_features : int
        Features of a clip.
    n_modules : int, default=2
        Modules, each halving the steps.
    expansion_factor : float, default=1.5
        Growth of the channels in a module.
    reduced_channels : int, optional
        Channels of each branch of every module, instead.

    Attributes
    ----------
    out_channels : int
        Features that come out for a video.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, section 3.2 and figure 3; the global maximum is EAGLE-Eye's.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.two_stream.appearance import AppearanceStream
    >>> stream = AppearanceStream(16, reduced_channels=4)
    >>> stream(torch.randn(3, 9, 16), torch.tensor([9, 4, 1])).shape
    torch.Size([3, 12])
    """

    def __init__(self, n_features, *, n_modules=2, expansion_factor=1.5, reduced_channels=None):
        super().__init__()
        self.stack = nn.ModuleList()
        channels = n_features
        for _ in range(n_modules):
            module = AppearanceModule(
                channels, expansion_factor=expansion_factor, reduced_channels=reduced_channels
            )
            self.stack.append(module)
            channels = module.out_channels
        self.out_channels = channels

    def forward(self, x, lengths=None):
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[1], device=x.device)
        for module in self.stack:
            x, lengths = module(x, lengths)
        # rectified values are never below zero, so the padding's zeros cannot win
        return x.amax(dim=1)


def _inside(lengths, steps):
    """Tell true steps from padding, (batch, steps)."""
    return torch.arange(steps, device=lengths.device) < lengths[:, None]
