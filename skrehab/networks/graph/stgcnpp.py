"""ST-GCN++: ST-GCN with learned graphs, a residual inside and convolutions over several scales.

H. Duan, J. Wang, K. Chen, D. Lin, "PYSKL: Towards Good Practices for Skeleton Action Recognition",
ACM Multimedia 2022 (arXiv 2205.09443).

Written from the facts of the architecture (sizes, names of the arrays) and the paper; parity with
the official network is tested on golden outputs. No operation is in place, so that gradients are
right.
"""

import torch
from torch import nn

from skrehab.networks.graph._graph import directed_stack
from skrehab.networks.graph._network import UnitNetwork, normalised_joints, to_persons
from skrehab.networks.graph._units import ResidualUnit, past, pointwise
from skrehab.networks.graph.stgcn import gather

__all__ = ["STGCNPlusPlus"]

DILATIONS = (1, 2, 3, 4)
N_BRANCHES = len(DILATIONS) + 2


class GraphConv(nn.Module):
    """Graph convolution whose graphs start as the skeleton's and are learned."""

    def __init__(self, n_in, n_out, graphs):
        super().__init__()
        self.A = nn.Parameter(graphs.clone())
        self.conv = nn.Conv2d(n_in, len(graphs) * n_out, 1)
        self.bn = nn.BatchNorm2d(n_out)
        self.down = nn.Identity() if n_in == n_out else nn.Sequential(*pointwise(n_in, n_out))

    def forward(self, x):
        return torch.relu(self.bn(gather(self.conv(x), self.A)) + self.down(x))


class TemporalConv(nn.Module):
    """Convolve over three frames; the layer has its official place in the state dict."""

    def __init__(self, n_channels, stride, dilation):
        super().__init__()
        self.conv = nn.Conv2d(
            *(n_channels, n_channels, (3, 1), (stride, 1), (dilation, 0)), dilation=(dilation, 1)
        )

    def forward(self, x):
        return self.conv(x)


class MultiScaleTemporalConv(nn.Module):
    """Six branches over frames, four dilations, a maximum, a plain one; then mixed."""

    def __init__(self, n_channels, stride):
        super().__init__()
        width = n_channels // N_BRANCHES
        widths = [n_channels - (N_BRANCHES - 1) * width] + [width] * (len(DILATIONS) - 1)
        self.branches = nn.ModuleList(
            nn.Sequential(
                *pointwise(n_channels, wide), nn.ReLU(), TemporalConv(wide, stride, dilation)
            )
            for wide, dilation in zip(widths, DILATIONS, strict=True)
        )
        maximum = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.branches.append(nn.Sequential(*pointwise(n_channels, width), nn.ReLU(), maximum))
        self.branches.append(nn.Conv2d(n_channels, width, 1, (stride, 1)))
        self.transform = nn.Sequential(
            nn.BatchNorm2d(n_channels), nn.ReLU(), nn.Conv2d(n_channels, n_channels, 1)
        )
        self.bn = nn.BatchNorm2d(n_channels)

    def forward(self, x):
        x = torch.cat([branch(x) for branch in self.branches], dim=1)
        return self.bn(self.transform(x))


class Residual(nn.Module):
    """Bring a unit's input to the shape of its output."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv, self.bn = pointwise(n_in, n_out, stride)

    def forward(self, x):
        return self.bn(self.conv(x))


class Unit(ResidualUnit):
    """Over joints, over frames, and past both."""

    names = ("gcn", "tcn")

    def __init__(self, n_in, n_out, stride, graphs, first):
        super().__init__(
            GraphConv(n_in, n_out, graphs),
            MultiScaleTemporalConv(n_out, stride),
            past(n_in, n_out, stride, first, lambda: Residual(n_in, n_out, stride)),
        )


class Backbone(nn.Module):
    """Features of every person, frame and joint."""

    def __init__(self, norm, units):
        super().__init__()
        self.data_bn = norm
        self.gcn = nn.ModuleList(units)

    def forward(self, clips):
        x = to_persons(clips, self.data_bn)
        for unit in self.gcn:
            x = unit(x)
        return x.unflatten(0, (clips.shape[0], clips.shape[4]))


class Head(nn.Module):
    """Mean over frames, joints and persons, and a linear layer."""

    def __init__(self, n_in, n_outputs, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_cls = nn.Linear(n_in, n_outputs)

    def forward(self, x):  # (batch, persons, channels, frames, joints)
        return self.fc_cls(self.dropout(x.mean(dim=(3, 4)).mean(dim=1)))


class STGCNPlusPlus(UnitNetwork):
    """ST-GCN with learned graphs, a residual inside and convolutions over several scales.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    widths : tuple of int, default=(64, 128, 256)
        Channels of each stage, at least six; each stage after the first halves the frames.
    target : str, optional
        Skeleton to convert to, such as ``"coco17"`` for PYSKL's published weights; None keeps that
        of the trials.
    coords : {"all", "xyz", "xys"}, default="all"
        Coordinates the network wants: all that come; x, y, z; or x, y and a score (``"xys"`` for
        the weights of ``coco17``).

    References
    ----------
    Duan et al. 2022, ACM Multimedia: PYSKL: Towards Good Practices for Skeleton Action Recognition
    (arXiv 2205.09443), section 3.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.graph.stgcnpp import STGCNPlusPlus
    >>> small = STGCNPlusPlus(33, 3, 1, widths=(8, 16), n_units=(1, 1), n_frames=16)
    >>> small(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    head_prefix = "cls_head.fc_cls."
    # what has another size for other joints or coordinates
    ends = (
        *("backbone.data_bn.", "backbone.gcn.0.gcn."),
        *(f"backbone.gcn.{number}.gcn.A" for number in range(1, 10)),
    )

    def __init__(self, n_landmarks, n_coords, n_outputs, *, n_frames=100, **shared):
        super().__init__(n_landmarks, n_coords, n_frames=n_frames, **shared)
        if min(self.widths) < N_BRANCHES:
            raise ValueError(f"widths must be at least {N_BRANCHES}, got {self.widths}.")
        graphs = torch.from_numpy(directed_stack(self.graph))
        norm = normalised_joints(self, together=False)
        self.backbone = Backbone(norm, self.units(Unit, graphs))
        self.cls_head = Head(self.widths[-1], n_outputs, self.dropout_rate)

    def classify(self, clips):
        return self.cls_head(self.backbone(clips))
