"""HD-GCN: graph convolutions on the hierarchy of a skeleton's joints.

J. Lee, M. Lee, D. Lee, S. Lee, "Hierarchically Decomposed Graph Convolutional Networks for
Skeleton-Based Action Recognition", ICCV 2023.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs. No operation is in place, so that gradients are right.
"""

from collections import OrderedDict
from functools import partial

import torch
from torch import nn

from skrehab.networks.graph._hierarchy import hierarchy_graphs, hierarchy_groups
from skrehab.networks.graph._network import UnitNetwork
from skrehab.networks.graph._units import ResidualUnit, TemporalBranches, past, pointwise

__all__ = ["HDGCN"]


class EdgeConv(nn.Module):
    """Each node with the nodes nearest in feature space (Wang et al. 2019)."""

    def __init__(self, n_in, n_out, n_neighbours):
        super().__init__()
        self.n_neighbours = n_neighbours
        self.conv = nn.Sequential(
            nn.Conv2d(2 * n_in, n_out, 1, bias=False), nn.BatchNorm2d(n_out), nn.LeakyReLU(0.2)
        )

    def forward(self, x):  # (batch, channels, nodes)
        points = x.transpose(1, 2)
        k = min(self.n_neighbours, x.shape[2])
        squares = points.square().sum(dim=2)
        distances = squares[:, :, None] + squares[:, None] - 2 * points @ x
        nearest = distances.topk(k, largest=False).indices  # (batch, nodes, k), itself the first
        rows = torch.arange(len(x), device=x.device)[:, None, None]
        offsets = points[rows, nearest] - points[:, :, None]  # (batch, nodes, k, channels)
        own = points[:, :, None].expand_as(offsets)
        edges = torch.cat([offsets, own], dim=3).permute(0, 3, 1, 2)
        mix, norm, act = self.conv
        edges = mix(edges)  # (batch, channels, nodes, k)
        if edges[:, 0].numel() == 1:  # one trial, one node: a batch without statistics of its own
            edges = nn.functional.batch_norm(
                edges, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        else:
            edges = norm(edges)
        return act(edges).amax(dim=3)


class JointEdgeConv(EdgeConv):
    """The same between joints, by their mean over time."""

    def forward(self, x):  # (batch, channels, frames, joints)
        edges = super().forward(x.mean(dim=2))
        return edges[:, :, None].expand(-1, -1, x.shape[2], -1)


class HierarchyAttention(nn.Module):
    """Weigh the edges of the hierarchy, channel by channel, and sum them (A-HA)."""

    def __init__(self, n_channels, groups, n_joints):
        super().__init__()
        width = n_channels // 4
        members = torch.zeros(len(groups) - 1, n_joints)
        for row, inner, outer in zip(members, groups[:-1], groups[1:], strict=True):
            row[[*inner, *outer]] = 1 / (len(inner) + len(outer))
        self.register_buffer("members", members, persistent=False)
        self.conv_down = nn.Sequential(*pointwise(n_channels, width), nn.ReLU())
        self.edge_conv = EdgeConv(width, width, 3)
        self.aggregate = nn.Conv1d(width, n_channels, 1)

    def forward(self, x):  # (batch, channels, levels, frames, joints)
        y = self.conv_down(x.amax(dim=3))  # (batch, channels / 4, levels, joints)
        y = torch.einsum("nclv,lv->ncl", y, self.members)
        gates = torch.sigmoid(self.aggregate(self.edge_conv(y)))  # (batch, channels, levels)
        return torch.einsum("nclfv,ncl->ncfv", x, gates)


class HierarchyConv(nn.Module):
    """Graph convolution on every edge of the hierarchy."""

    def __init__(self, n_in, n_out, graphs, groups, attend):
        super().__init__()
        width = n_out // 4
        self.PA = nn.Parameter(graphs.clone())
        self.conv_down = nn.ModuleList(
            nn.Sequential(*pointwise(n_in, width), nn.ReLU()) for _ in graphs
        )
        self.conv = nn.ModuleList(
            nn.ModuleList(
                [
                    *(nn.Sequential(*pointwise(width, width)) for _ in range(3)),
                    JointEdgeConv(width, width, 5),
                ]
            )
            for _ in graphs
        )
        self.conv_d = self.conv[-1]  # the official state dict has the last edge by two names
        self.aha = HierarchyAttention(n_out, groups, graphs.shape[-1]) if attend else None
        self.down = nn.Identity() if n_in == n_out else nn.Sequential(*pointwise(n_in, n_out))
        self.bn = nn.BatchNorm2d(n_out)
        _initialise_convolutions(self)
        nn.init.constant_(self.bn.weight, 1e-6)

    def forward(self, x):
        levels = []
        for graphs, down, convs in zip(self.PA, self.conv_down, self.conv, strict=True):
            y = down(x)  # (batch, width, frames, joints)
            subsets = [
                conv(nn.functional.linear(y, graph))
                for conv, graph in zip(convs[:3], graphs, strict=True)
            ]
            levels.append(torch.cat([*subsets, convs[3](y)], dim=1))
        y = torch.stack(levels, dim=2)  # (batch, 4 * width, levels, frames, joints)
        y = y.sum(dim=2) if self.aha is None else self.aha(y)
        return torch.relu(self.bn(y) + self.down(x))


class TemporalConv(nn.Module):
    """Convolve over five frames."""

    def __init__(self, n_channels, stride, dilation):
        super().__init__()
        self.conv = nn.Conv2d(
            *(n_channels, n_channels, (5, 1), (stride, 1), (2 * dilation, 0)),
            dilation=(dilation, 1),
            bias=False,
        )
        self.bias = nn.Parameter(torch.zeros(1, n_channels, 1, 1))
        self.bn = nn.BatchNorm2d(n_channels)

    def forward(self, x):
        return self.bn(self.conv(x) + self.bias)


def _widen(n_in, n_out, stride):
    conv, norm = pointwise(n_in, n_out, stride)
    return nn.Sequential(OrderedDict(conv=conv, bn=norm))


class Unit(ResidualUnit):
    """Over the edges of the hierarchy, over frames, and past both."""

    def __init__(self, n_in, n_out, stride, graphs, groups, first):
        width = n_out // 4
        dilated = [partial(TemporalConv, width, stride, dilation) for dilation in (1, 2)]
        super().__init__(
            HierarchyConv(n_in, n_out, graphs, groups, attend=not first),
            TemporalBranches(n_out, width, stride, dilated),
            past(n_in, n_out, stride, first, lambda: _widen(n_in, n_out, stride)),
        )


def _initialise_convolutions(module):
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


class HDGCN(UnitNetwork):
    """Graph convolutions on the hierarchy of joints, with attention over its edges.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    com : int or str, optional
        Joint that the hierarchy starts from: its number, counted from 1 (the published networks of
        NTU use 1, 2 and 21), or its name. None is 21 for NTU and Kinect, and the root of the tree
        for other skeletons.
    n_levels : int, optional
        Edges of the hierarchy. None: all that the skeleton has (6 for NTU); fewer merge groups.
    widths : tuple of int, default=(64, 128, 256)
        Channels of each stage, multiples of four; each stage after the first halves the frames.

    References
    ----------
    Lee et al. 2023, ICCV: Hierarchically Decomposed Graph Convolutional Networks for Skeleton-Based
    Action Recognition.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.graph.hdgcn import HDGCN
    >>> small = HDGCN(33, 3, 1, widths=(8, 16), n_units=(1, 1), n_levels=1, n_frames=16)
    >>> small(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    n_branches = 4

    def __init__(self, n_landmarks, n_coords, n_outputs, *, com=None, n_levels=None, **shared):
        super().__init__(n_landmarks, n_coords, **shared)
        groups = hierarchy_groups(self.graph, com, n_levels)
        graphs = hierarchy_graphs(groups, self.graph.n_landmarks)
        self.build(Unit, n_outputs, graphs, groups)
