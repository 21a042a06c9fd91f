"""MS-G3D: disentangled multi-scale graph convolutions over space and over windows of space-time.

Z. Liu, H. Zhang, Z. Chen, Z. Wang, W. Ouyang, "Disentangling and Unifying Graph Convolutions for
Skeleton-Based Action Recognition", CVPR 2020.

Written from the facts of the architecture (sizes, order of operations); parity with the official
network is tested on golden outputs. No operation is in place, so that gradients are right.
"""

from functools import partial

import torch
from torch import nn

from skrehab.networks.graph._hops import adjacency, hop_graphs, spread_over_window
from skrehab.networks.graph._network import GraphNetwork
from skrehab.networks.graph._units import TemporalBranches, TemporalConv

__all__ = ["MSG3D"]

DILATIONS = (1, 2, 3, 4)
N_BRANCHES = len(DILATIONS) + 2


class GraphMLP(nn.Module):
    """Mix channels, joint by joint."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(n_in, n_out, 1), nn.BatchNorm2d(n_out), nn.ReLU())

    def forward(self, x):
        return self.layers(x)


class MultiScaleGraphConv(nn.Module):
    """Gather neighbours at every distance, side by side, and mix (eq. 4)."""

    def __init__(self, n_in, n_out, graphs):
        super().__init__()
        self.n_scales = len(graphs)
        graphs = graphs.flatten(0, 1)  # (scales * nodes, nodes)
        self.register_buffer("graphs", graphs, persistent=False)
        self.A_res = nn.Parameter(torch.empty_like(graphs).uniform_(-1e-6, 1e-6))
        self.mlp = GraphMLP(self.n_scales * n_in, n_out)

    def forward(self, x):
        graphs = (self.graphs + self.A_res).unflatten(0, (self.n_scales, -1))
        x = torch.cat([nn.functional.linear(x, graph) for graph in graphs], dim=1)
        return self.mlp(x)  # from (batch, scales * channels, frames, nodes)


class UnfoldWindows(nn.Module):
    """Lay the joints of neighbouring frames side by side."""

    def __init__(self, window, stride):
        super().__init__()
        self.window, self.stride = window, stride

    def forward(self, x):
        margin = (self.window - 1) // 2
        x = nn.functional.pad(x, (0, 0, margin, margin))
        x = x.unfold(2, self.window, self.stride)  # (batch, channels, windows, joints, window)
        return x.transpose(3, 4).flatten(3)  # (batch, channels, windows, window * joints)


class WindowGraphConv(nn.Module):
    """Graph convolution over windows of space-time, each collapsed to one frame (eq. 6)."""

    def __init__(self, n_in, n_hidden, n_out, joined, n_scales, window, stride):
        super().__init__()
        self.window = window
        graphs = hop_graphs(spread_over_window(joined, window), n_scales)
        self.gcn3d = nn.Sequential(
            UnfoldWindows(window, stride), MultiScaleGraphConv(n_in, n_hidden, graphs)
        )
        self.out_conv = nn.Conv3d(n_hidden, n_out, (1, window, 1))
        self.out_bn = nn.BatchNorm2d(n_out)

    def forward(self, x):
        x = self.gcn3d(x).unflatten(3, (self.window, -1))  # (batch, channels, frames, window, V)
        return self.out_bn(self.out_conv(x).squeeze(3))


class MultiWindow(nn.Module):
    """Sum over windows of several lengths."""

    def __init__(self, n_in, n_hidden, n_out, joined, n_scales, windows, stride):
        super().__init__()
        self.gcn3d = nn.ModuleList(
            WindowGraphConv(n_in, n_hidden, n_out, joined, n_scales, window, stride)
            for window in windows
        )

    def forward(self, x):
        return sum(conv(x) for conv in self.gcn3d)


class MultiScaleTemporalConv(TemporalBranches):
    """Six branches over frames: four dilations, a maximum, a plain one."""

    def __init__(self, n_in, n_out, stride=1, activate=True):
        width = n_out // N_BRANCHES
        dilated = [partial(TemporalConv, width, width, 3, stride, d) for d in DILATIONS]
        super().__init__(n_in, width, stride, dilated)
        self.residual = (
            nn.Identity() if n_in == n_out and stride == 1 else TemporalConv(n_in, n_out, 1, stride)
        )
        self.act = nn.ReLU() if activate else nn.Identity()

    def forward(self, x):
        return self.act(super().forward(x) + self.residual(x))


class MSG3D(GraphNetwork):
    """Multi-scale graph convolutions on two paths, space alone and windows of space-time.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    n_gcn_scales : int, default=13
        Distances on the skeleton, 0 to 12 bones. (Official: 13 for NTU, 8 for Kinetics.)
    n_g3d_scales : int, default=6
        Distances on windows of space-time. (Official: 6 for NTU, 8 for Kinetics.)
    windows : tuple of int, default=(3, 5)
        Lengths of the windows in frames; odd.
    widths : tuple of int, default=(96, 192, 384)
        Channels of each stage, multiples of six; each stage after the first halves the frames.
    n_frames : int, default=64
        Frames the network works on; trials of any length are resampled to it. (Official: 300.)

    References
    ----------
    Liu et al. 2020, CVPR: Disentangling and Unifying Graph Convolutions for Skeleton-Based Action
    Recognition.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.graph.msg3d import MSG3D
    >>> small = MSG3D(33, 3, 1, widths=(12, 24), windows=(3,), n_gcn_scales=4, n_frames=16)
    >>> small(torch.zeros(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 1])
    """

    n_branches = N_BRANCHES

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        n_gcn_scales=13,
        n_g3d_scales=6,
        windows=(3, 5),
        widths=(96, 192, 384),
        **shared,
    ):
        super().__init__(n_landmarks, n_coords, widths=widths, **shared)
        if any(window % 2 == 0 for window in windows):
            raise ValueError(f"windows must be odd numbers of frames, got {windows}.")
        self.n_stages = len(widths)
        self.build(self._stages(n_gcn_scales, n_g3d_scales, windows), n_outputs)

    def _stages(self, n_gcn_scales, n_g3d_scales, windows):
        joined = adjacency(self.graph)
        graphs = hop_graphs(joined, n_gcn_scales)
        n_in = self.clip_shape[0]
        for stage, width in enumerate(self.widths, start=1):
            # the first stage widens at once, the others where windows and frames are collapsed
            hidden, stride = (width, 1) if stage == 1 else (n_in, 2)
            window_path = MultiWindow(n_in, hidden, width, joined, n_g3d_scales, windows, stride)
            space_path = nn.Sequential(
                MultiScaleGraphConv(n_in, hidden, graphs),
                MultiScaleTemporalConv(hidden, width, stride),
                MultiScaleTemporalConv(width, width, activate=False),
            )
            yield f"gcn3d{stage}", window_path
            yield f"sgcn{stage}", space_path
            yield f"tcn{stage}", MultiScaleTemporalConv(width, width)
            n_in = width

    @classmethod
    def official_state(cls, state):
        """Rename a published checkpoint, of the authors' code or of PYSKL's port.

        PYSKL keeps the graphs as buffers, normalises them by column and multiplies from the other
        side; what its learned part adds to ours is computed, so that the sums are equal.

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
            key = name.removeprefix("module.").removeprefix("backbone.")
            key = key.replace("cls_head.fc_cls.", "fc.")
            if key.endswith(".PA"):
                published = state[name[:-2] + "A"]
                joined = (published > 0).to(value.dtype)  # (scales, nodes, nodes)
                degrees = joined.sum(dim=2)
                ours = joined * (degrees[:, :, None] * degrees[:, None, :]).rsqrt()
                renamed[key[:-2] + "A_res"] = ((published + value).mT - ours).flatten(0, 1)
            elif key != "A" and not key.endswith(".A"):
                renamed[key] = value
        return renamed

    def _features(self, x):
        for stage in range(1, self.n_stages + 1):
            space_path = self.get_submodule(f"sgcn{stage}")
            window_path = self.get_submodule(f"gcn3d{stage}")
            x = torch.relu(space_path(x) + window_path(x))
            x = self.get_submodule(f"tcn{stage}")(x)
        return x
