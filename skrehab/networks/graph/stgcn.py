"""ST-GCN: spatial temporal graph convolutions.

S. Yan, Y. Xiong, D. Lin, "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
Recognition", AAAI 2018.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs. No operation is in place, so that gradients are right.
"""

import torch
from torch import nn

from skrehab.networks._skeleton import SkeletonNetwork
from skrehab.networks.graph._graph import partition

__all__ = ["STGCN"]

KERNEL = 9  # frames


def unit_sizes(n_in, widths, n_units):
    """List (channels in, channels out, stride over frames) of every unit; stages begin with 2."""
    sizes = []
    for stage, (width, count) in enumerate(zip(widths, n_units, strict=True)):
        for k in range(count):
            sizes.append((n_in, width, 2 if stage > 0 and k == 0 else 1))
            n_in = width
    return sizes


def gather(x, graphs):
    """Sum every joint's neighbours, each kind of them from channels of its own (eq. 10)."""
    x = x.unflatten(1, (len(graphs), -1))  # (batch, kinds, channels, frames, joints)
    return torch.einsum("nkctv,kvw->nctw", x, graphs)


class GraphConv(nn.Module):
    """Weights for each kind of neighbour, then the neighbours."""

    def __init__(self, n_in, n_out, n_kinds):
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_kinds * n_out, 1)

    def forward(self, x, graphs):
        return gather(self.conv(x), graphs)


class Unit(nn.Module):
    """Over joints, over frames, and past both."""

    def __init__(self, n_in, n_out, stride, n_kinds, dropout, first):
        super().__init__()
        self.gcn = GraphConv(n_in, n_out, n_kinds)
        self.tcn = nn.Sequential(
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, (KERNEL, 1), (stride, 1), (KERNEL // 2, 0)),
            nn.BatchNorm2d(n_out),
            nn.Dropout(0.0 if first else dropout),
        )
        if first:
            self.residual = None
        elif n_in == n_out and stride == 1:
            self.residual = nn.Identity()
        else:
            self.residual = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, (stride, 1)), nn.BatchNorm2d(n_out)
            )

    def forward(self, x, graphs):
        y = self.tcn(self.gcn(x, graphs))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class STGCN(SkeletonNetwork):
    """Graph convolutions over joints, alternating with convolutions over frames.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks of one person.
    target : str, optional
        Skeleton to convert to, such as ``"ntu25"`` or ``"openpose18"`` for the published weights;
        None keeps that of the trials.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other. Each is seen by the same weights;
        their features are averaged.
    max_persons : int, optional
        Persons that the network wants (2 in the paper); the missing ones are zeros.
    n_frames : int, default=64
        Frames the network works on; trials of any length are resampled to it. (Official: 300.)
    coords : {"all", "xyz", "xys"}, default="all"
        Coordinates the network wants: all that come; x, y, z; or x, y and a score.
    strategy : {"spatial", "spatial_paper", "distance", "uniform"}, default="spatial"
        Which neighbours share weights: those on one side of the joint, seen from the body's centre,
        as in the released code (which tells the sides apart only up to two bones from the centre)
        or as in the paper (everywhere); those at one distance; or all.
    widths : tuple of int, default=(64, 128, 256)
        Channels of each stage; each stage after the first halves the frames.
    n_units : tuple of int, default=(4, 3, 3)
        Units in each stage.
    dropout : float, default=0.5
        Share of the features dropped at the end of each unit but the first.

    References
    ----------
    Yan et al. 2018, AAAI: Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
    Recognition.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.graph.stgcn import STGCN
    >>> small = STGCN(33, 3, 1, widths=(8, 16), n_units=(1, 1), n_frames=16)
    >>> small(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    head_prefix = "fcn."
    # what has another size for other joints or coordinates
    ends = ("A", "data_bn.", "edge_importance.", "st_gcn_networks.0.gcn.")

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        skeleton=None,
        target=None,
        n_persons=1,
        max_persons=None,
        n_frames=64,
        coords="all",
        strategy="spatial",
        widths=(64, 128, 256),
        n_units=(4, 3, 3),
        dropout=0.5,
    ):
        super().__init__(
            n_landmarks,
            n_coords,
            skeleton=skeleton,
            target=target,
            n_persons=n_persons,
            max_persons=max_persons,
            n_frames=n_frames,
            coords=coords,
        )
        n_in, _, n_joints, _ = self.clip_shape
        graphs = torch.from_numpy(partition(self.graph, strategy))
        self.register_buffer("A", graphs)  # in the official state dict
        self.data_bn = nn.BatchNorm1d(n_joints * n_in)
        self.st_gcn_networks = nn.ModuleList(
            Unit(*sizes, len(graphs), dropout, first=number == 0)
            for number, sizes in enumerate(unit_sizes(n_in, widths, n_units))
        )
        self.edge_importance = nn.ParameterList(
            nn.Parameter(torch.ones_like(graphs)) for _ in self.st_gcn_networks
        )
        self.fcn = nn.Conv2d(widths[-1], n_outputs, 1)

    def classify(self, clips):
        n, c, t, v, m = clips.shape
        x = clips.permute(0, 4, 3, 1, 2).reshape(n * m, v * c, t)
        x = self.data_bn(x).reshape(n * m, v, c, t).permute(0, 2, 3, 1)  # (persons, C, T, V)
        for unit, importance in zip(self.st_gcn_networks, self.edge_importance, strict=True):
            x = unit(x, self.A * importance)
        x = x.mean(dim=(2, 3)).unflatten(0, (n, m)).mean(dim=1)  # (batch, channels)
        return self.fcn(x[:, :, None, None]).flatten(1)
