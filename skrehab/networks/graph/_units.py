"""Layers that units of several graph networks are made of, under the published names."""

import torch
from torch import nn

__all__ = ["ResidualUnit", "TemporalBranches", "TemporalConv", "past", "pointwise"]


def pointwise(n_in, n_out, stride=1):
    """Make a convolution of one joint and frame, and the normalisation behind it."""
    return nn.Conv2d(n_in, n_out, 1, (stride, 1)), nn.BatchNorm2d(n_out)


def past(n_in, n_out, stride, first, widen):
    """Make the way past a unit: none for the first, else the input, widened where it must be."""
    if first:
        return None
    if n_in == n_out and stride == 1:
        return nn.Identity()
    return widen()


class ResidualUnit(nn.Module):
    """Over joints, over frames, and past both."""

    names = ("gcn1", "tcn1")

    def __init__(self, over_joints, over_frames, residual):
        super().__init__()
        for name, layer in zip((*self.names, "residual"), (over_joints, over_frames, residual)):
            self.add_module(name, layer)

    def forward(self, x, *graphs):
        over_joints, over_frames = (self.get_submodule(name) for name in self.names)
        y = over_frames(over_joints(x, *graphs))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class TemporalConv(nn.Module):
    """Convolve over frames, keeping their number when the stride is one."""

    def __init__(self, n_in, n_out, kernel, stride=1, dilation=1):
        super().__init__()
        margin = (kernel - 1) * dilation // 2
        self.conv = nn.Conv2d(
            n_in, n_out, (kernel, 1), (stride, 1), (margin, 0), dilation=(dilation, 1)
        )
        self.bn = nn.BatchNorm2d(n_out)

    def forward(self, x):
        return self.bn(self.conv(x))


class TemporalBranches(nn.Module):
    """Branches over frames, side by side: a convolution each, a maximum, a plain one.

    Parameters
    ----------
    n_in : int
        Channels that come in.
    width : int
        Channels of each branch.
    stride : int
        Frames from one that comes out to the next.
    convs : iterable of callable
        What makes the convolution of each branch.
    relu : bool, default=False
        End in a ReLU.
    """

    def __init__(self, n_in, width, stride, convs, relu=False):
        super().__init__()
        self.relu = relu
        self.branches = nn.ModuleList(
            nn.Sequential(*pointwise(n_in, width), nn.ReLU(), conv()) for conv in convs
        )
        maximum = (nn.MaxPool2d((3, 1), (stride, 1), (1, 0)), nn.BatchNorm2d(width))
        self.branches.append(nn.Sequential(*pointwise(n_in, width), nn.ReLU(), *maximum))
        self.branches.append(nn.Sequential(*pointwise(n_in, width, stride)))

    def forward(self, x):
        x = torch.cat([branch(x) for branch in self.branches], dim=1)
        return torch.relu(x) if self.relu else x
