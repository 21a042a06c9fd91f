"""CTR-GCN: every channel refines the skeleton's graph by how joints differ.

Y. Chen, Z. Zhang, C. Yuan, B. Li, Y. Deng, W. Hu, "Channel-wise Topology Refinement Graph
Convolution for Skeleton-Based Action Recognition", ICCV 2021.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs. No operation is in place, so that gradients are right.
"""

from functools import partial

import torch
from torch import nn

from skrehab.networks.graph._graph import directed_stack
from skrehab.networks.graph._network import UnitNetwork
from skrehab.networks.graph._units import (
    ResidualUnit,
    TemporalBranches,
    TemporalConv,
    past,
    pointwise,
)

__all__ = ["CTRGCN"]


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
        self.down = nn.Identity() if n_in == n_out else nn.Sequential(*pointwise(n_in, n_out))
        self.bn = nn.BatchNorm2d(n_out)

    def forward(self, x):
        y = sum(conv(x, graph, self.alpha) for conv, graph in zip(self.convs, self.PA, strict=True))
        return torch.relu(self.bn(y) + self.down(x))


class Unit(ResidualUnit):
    """Over joints, over frames, and past both."""

    def __init__(self, n_in, n_out, stride, graphs, temporal_relu, first):
        width = n_out // 4
        dilated = [partial(TemporalConv, width, width, 5, stride, dilation) for dilation in (1, 2)]
        super().__init__(
            GraphConv(n_in, n_out, graphs),
            TemporalBranches(n_out, width, stride, dilated, temporal_relu),
            past(n_in, n_out, stride, first, lambda: TemporalConv(n_in, n_out, 1, stride)),
        )


class CTRGCN(UnitNetwork):
    """Graph convolutions with a graph for every channel, refined by how the joints differ.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    widths : tuple of int, default=(64, 128, 256)
        Channels of each stage, multiples of four; each stage after the first halves the frames.
    temporal_relu : bool, default=False
        End the branches over frames in a ReLU, as PYSKL's version does: it is another function, and
        its published weights need it.
    target : str, optional
        Skeleton to convert to, such as ``"ntu25"`` for the authors' weights or ``"coco17"`` for
        PYSKL's; None keeps that of the trials.
    max_persons : int, optional
        Persons that the network wants, 2 for all published weights; the missing ones are zeros.

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

    n_branches = 4

    def __init__(self, n_landmarks, n_coords, n_outputs, *, temporal_relu=False, **shared):
        super().__init__(n_landmarks, n_coords, **shared)
        self.temporal_relu = temporal_relu
        graphs = torch.from_numpy(directed_stack(self.graph))
        self.build(Unit, n_outputs, graphs, temporal_relu)
        self._initialise()

    @staticmethod
    def settings_for(state):
        """Tell which settings published weights need.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Published weights, under the names of their file.

        Returns
        -------
        dict
            Parameters of this network; empty for the authors' weights.
        """
        ours = not any(".net." in key and ".gcn1." in key for key in state)
        return {} if ours else {"temporal_relu": True}

    def check_weights(self, state):
        """Refuse PYSKL's weights where the network is the authors', which differs by a ReLU.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Published weights, under the names of their file.

        Raises
        ------
        ValueError
            If they are weights of another function than this network is.
        """
        if self.settings_for(state) and not self.temporal_relu:
            raise ValueError(
                "These are PYSKL's weights of CTR-GCN, whose branches over frames end in a ReLU: "
                "pass network_params={'temporal_relu': True}."
            )

    @classmethod
    def official_state(cls, state):
        """Rename a published checkpoint, of the authors' code or of PYSKL's.

        PYSKL gathers from the other side: its graphs are the transposed ones, and its difference of
        two joints has the other sign. Both are turned round here, so that the outputs are equal.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Published weights.

        Returns
        -------
        dict of str to torch.Tensor
            Weights by the names used here.
        """
        turned = {"conv1": "conv2", "conv2": "conv1"}
        renamed = {}
        for name, value in state.items():
            key = name.removeprefix("backbone.").replace("cls_head.fc_cls.", "fc.")
            parts = key.split(".")
            if parts[0] != "net":
                if name != "backbone.A":  # a copy of the graph
                    renamed[key] = value
                continue
            parts[:2] = [f"l{int(parts[1]) + 1}"]
            if parts[1:] == ["gcn1", "A"]:
                parts[-1], value = "PA", value.mT
            elif parts[1:3] == ["gcn1", "convs"]:
                value = -value if parts[4:] == ["conv4", "weight"] else value
                parts[4] = turned.get(parts[4], parts[4])
            renamed[".".join(parts)] = value
        return renamed

    def _initialise(self):
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out")
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, GraphConv):  # a unit starts as its residual
                nn.init.constant_(layer.bn.weight, 1e-6)
