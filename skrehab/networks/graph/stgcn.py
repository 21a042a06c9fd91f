"""ST-GCN: spatial temporal graph convolutions.

S. Yan, Y. Xiong, D. Lin, "Spatial Temporal Graph Convolutional Networks for Skeleton-Based Action
Recognition", AAAI 2018.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs. No operation is in place, so that gradients are right.
"""

import torch
from torch import nn

from skrehab.networks.graph._graph import partition
from skrehab.networks.graph._network import (
    UnitNetwork,
    mean_over_persons,
    normalised_joints,
    to_persons,
)
from skrehab.networks.graph._units import ResidualUnit, past, pointwise

__all__ = ["STGCN"]

KERNEL = 9  # frames
# a unit's layers in PYSKL's checkpoints, and here
_PYSKL_LAYERS = {
    "gcn.bn": "tcn.0",
    "tcn.conv": "tcn.2",
    "tcn.bn": "tcn.3",
    "residual.conv": "residual.0",
    "residual.bn": "residual.1",
}


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


class Unit(ResidualUnit):
    """Over joints, over frames, and past both."""

    names = ("gcn", "tcn")

    def __init__(self, n_in, n_out, stride, n_kinds, dropout, first):
        over_joints = GraphConv(n_in, n_out, n_kinds)
        over_frames = nn.Sequential(
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, (KERNEL, 1), (stride, 1), (KERNEL // 2, 0)),
            nn.BatchNorm2d(n_out),
            nn.Dropout(0.0 if first else dropout),
        )
        residual = past(
            n_in, n_out, stride, first, lambda: nn.Sequential(*pointwise(n_in, n_out, stride))
        )
        super().__init__(over_joints, over_frames, residual)


class STGCN(UnitNetwork):
    """Graph convolutions over joints, alternating with convolutions over frames.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    strategy : {"spatial", "spatial_paper", "distance", "uniform"}, default="spatial"
        Which neighbours share weights: those on one side of the joint, seen from the body's centre,
        as in the released code (which tells the sides apart only up to two bones from the centre)
        or as in the paper (everywhere); those at one distance; or all.
    dropout : float, default=0.5
        Share of the features dropped at the end of each unit but the first.
    target : str, optional
        Skeleton to convert to, such as ``"ntu25"`` or ``"openpose18"`` for the authors' weights,
        ``"ntu25"`` or ``"coco17"`` (with ``coords="xys"``) for PYSKL's; None keeps that of the
        trials.
    max_persons : int, optional
        Persons that the network wants (2 in the paper); the missing ones are zeros.
    n_frames : int, default=64
        Frames the network works on; trials of any length are resampled to it. (Official: 300.)

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
        self, n_landmarks, n_coords, n_outputs, *, strategy="spatial", dropout=0.5, **shared
    ):
        super().__init__(n_landmarks, n_coords, **shared)
        graphs = torch.from_numpy(partition(self.graph, strategy))
        self.register_buffer("A", graphs)  # in the official state dict
        self.data_bn = normalised_joints(self, together=False)
        self.st_gcn_networks = nn.ModuleList(self.units(Unit, len(graphs), dropout))
        self.edge_importance = nn.ParameterList(
            nn.Parameter(torch.ones_like(graphs)) for _ in self.st_gcn_networks
        )
        self.fcn = nn.Conv2d(self.widths[-1], n_outputs, 1)

    @classmethod
    def official_state(cls, state):
        """Rename a published checkpoint, of the authors' code or of PYSKL's.

        PYSKL keeps a copy of the graph in every unit, and calls the layers otherwise; the function
        is the same.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Published weights.

        Returns
        -------
        dict of str to torch.Tensor
            Weights by the names used here.
        """
        renamed = {}
        for name, value in state.items():
            key = name.removeprefix("backbone.")
            parts = key.split(".")
            if key.startswith("cls_head.fc_cls."):
                key = f"fcn.{parts[-1]}"
                value = value[:, :, None, None] if value.ndim == 2 else value
            elif parts[0] == "gcn":
                number, layer = parts[1], ".".join(parts[2:4])
                if layer == "gcn.A":
                    key = "A"
                elif layer == "gcn.PA":
                    key = f"edge_importance.{number}"
                else:
                    ours = _PYSKL_LAYERS.get(layer, layer)
                    key = ".".join(("st_gcn_networks", number, ours, *parts[4:]))
            renamed[key] = value
        return renamed

    def classify(self, clips):
        x = to_persons(clips, self.data_bn)
        for unit, importance in zip(self.st_gcn_networks, self.edge_importance, strict=True):
            x = unit(x, self.A * importance)
        return self.fcn(mean_over_persons(x, clips)[:, :, None, None]).flatten(1)
