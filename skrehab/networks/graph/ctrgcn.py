"""CTR-GCN: every channel refines the skeleton's graph by how joints differ.

Y. Chen, Z. Zhang, C. Yuan, B. Li, Y. Deng, W. Hu, "Channel-wise Topology Refinement Graph
Convolution for Skeleton-Based Action Recognition", ICCV 2021.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs. No operation is in place, so that gradients are right.
"""

import torch
from torch import nn

from skrehab.networks._skeleton import SkeletonNetwork
from skrehab.networks.graph._graph import directed_stack
from skrehab.networks.graph.stgcn import unit_sizes

__all__ = ["CTRGCN"]


def _pointwise(n_in, n_out, stride=1):
    return nn.Conv2d(n_in, n_out, 1, (stride, 1)), nn.BatchNorm2d(n_out)


class TopologyRefinement(nn.Module):
    """One kind of neighbour, its graph refined channel by channel (CTR-GC, eqs. 4 to 8)."""

    def __init__(self, n_in, n_out):
        super().__init__()
        n_relations = 8 if n_in in (3, 9) else max(1, n_in // 8)
        self.conv1 = nn.Conv2d(n_in, n_relations, 1)
        self.conv2 = nn.Conv2d(n_in, n_relations, 1)
        self.conv3 = nn.Conv2d(n_in, n_out, 1)
        self.conv4 = nn.Conv2d(n_relations, n_out, 1)

    def forward(self, x, graph, alpha):
        mean = x.mean(dim=2, keepdim=True)  # (batch, channels, 1, joints); convolving is linear
        to, of = self.conv1(mean), self.conv2(mean)
        relations = self.conv4(torch.tanh(to.mT - of))  # (batch, channels out, joints, joints)
        refined = relations * alpha + graph
        return self.conv3(x) @ refined.mT  # (batch, channels out, frames, joints)


class GraphConv(nn.Module):
    """Sum over the kinds of neighbours."""

    def __init__(self, n_in, n_out, graphs):
        super().__init__()
        self.PA = nn.Parameter(graphs.clone())
        self.alpha = nn.Parameter(torch.zeros(1))
        self.convs = nn.ModuleList(TopologyRefinement(n_in, n_out) for _ in graphs)
        self.down = nn.Identity() if n_in == n_out else nn.Sequential(*_pointwise(n_in, n_out))
        self.bn = nn.BatchNorm2d(n_out)

    def forward(self, x):
        y = sum(conv(x, graph, self.alpha) for conv, graph in zip(self.convs, self.PA, strict=True))
        return torch.relu(self.bn(y) + self.down(x))


class TemporalConv(nn.Module):
    """Convolve over frames."""

    def __init__(self, n_in, n_out, kernel, stride, dilation=1):
        super().__init__()
        margin = (kernel - 1) * dilation // 2
        self.conv = nn.Conv2d(
            n_in, n_out, (kernel, 1), (stride, 1), (margin, 0), dilation=(dilation, 1)
        )
        self.bn = nn.BatchNorm2d(n_out)

    def forward(self, x):
        return self.bn(self.conv(x))


class MultiScaleTemporalConv(nn.Module):
    """Four branches over frames: two dilations, a maximum, a plain one."""

    def __init__(self, n_channels, stride):
        super().__init__()
        width = n_channels // 4
        self.branches = nn.ModuleList(
            nn.Sequential(
                *_pointwise(n_channels, width),
                nn.ReLU(),
                TemporalConv(width, width, 5, stride, dilation),
            )
            for dilation in (1, 2)
        )
        maximum = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.branches.append(
            nn.Sequential(*_pointwise(n_channels, width), nn.ReLU(), maximum, nn.BatchNorm2d(width))
        )
        self.branches.append(nn.Sequential(*_pointwise(n_channels, width, stride)))

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], dim=1)


class Unit(nn.Module):
    """Over joints, over frames, and past both."""

    def __init__(self, n_in, n_out, stride, graphs, first):
        super().__init__()
        self.gcn1 = GraphConv(n_in, n_out, graphs)
        self.tcn1 = MultiScaleTemporalConv(n_out, stride)
        if first:
            self.residual = None
        elif n_in == n_out and stride == 1:
            self.residual = nn.Identity()
        else:
            self.residual = TemporalConv(n_in, n_out, 1, stride)

    def forward(self, x):
        y = self.tcn1(self.gcn1(x))
        return torch.relu(y if self.residual is None else y + self.residual(x))


class CTRGCN(SkeletonNetwork):
    """Graph convolutions with a graph for every channel, refined by how the joints differ.

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    n_outputs : int
        Number of logits.
    skeleton : str or Skeleton, optional
        Skeleton of the trials; None guesses from the number of landmarks of one person.
    target : str, optional
        Skeleton to convert to, such as ``"ntu25"`` for the published weights; None keeps that of
        the trials.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other.
    max_persons : int, optional
        Persons that the network wants (2 for the published weights); the missing ones are zeros.
    n_frames : int, default=64
        Frames the network works on; trials of any length are resampled to it.
    coords : {"all", "xyz", "xys"}, default="all"
        Coordinates the network wants: all that come; x, y, z; or x, y and a score.
    widths : tuple of int, default=(64, 128, 256)
        Channels of each stage, multiples of four; each stage after the first halves the frames.
    n_units : tuple of int, default=(4, 3, 3)
        Units in each stage.
    dropout : float, default=0.0
        Share of the features dropped before the classifier. (Official: none.)

    References
    ----------
    Chen et al. 2021, ICCV: Channel-wise Topology Refinement Graph Convolution for Skeleton-Based
    Action Recognition.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.graph.ctrgcn import CTRGCN
    >>> small = CTRGCN(33, 3, 1, widths=(8, 16), n_units=(1, 1), n_frames=16)
    >>> small(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    head_prefix = "fc."
    # what has another size for other joints or coordinates
    ends = ("data_bn.", "l1.gcn1.", *(f"l{number}.gcn1.PA" for number in range(2, 11)))

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
        widths=(64, 128, 256),
        n_units=(4, 3, 3),
        dropout=0.0,
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
        if any(width % 4 for width in widths):
            raise ValueError(f"widths must be multiples of 4, got {widths}.")
        n_in, _, n_joints, n_persons = self.clip_shape
        graphs = torch.from_numpy(directed_stack(self.graph))
        self.data_bn = nn.BatchNorm1d(n_persons * n_joints * n_in)
        sizes = unit_sizes(n_in, widths, n_units)
        self.n_units = len(sizes)
        for number, unit in enumerate(sizes, start=1):
            self.add_module(f"l{number}", Unit(*unit, graphs, first=number == 1))
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(widths[-1], n_outputs)
        self._initialise()

    def _initialise(self):
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, GraphConv):  # a unit starts as its residual
                nn.init.constant_(layer.bn.weight, 1e-6)

    def classify(self, clips):
        n, c, t, v, m = clips.shape
        x = clips.permute(0, 4, 3, 1, 2).reshape(n, m * v * c, t)
        x = self.data_bn(x).reshape(n * m, v, c, t).permute(0, 2, 3, 1)  # (persons, C, T, V)
        for number in range(1, self.n_units + 1):
            x = self.get_submodule(f"l{number}")(x)
        x = x.mean(dim=(2, 3)).unflatten(0, (n, m)).mean(dim=1)  # (batch, channels)
        return self.fc(self.dropout(x))
