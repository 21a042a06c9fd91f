"""The ResNet-50 family over video: C2D, I3D, Slow and SlowFast.

X. Wang, R. Girshick, A. Gupta, K. He, "Non-local Neural Networks", CVPR 2018 (C2D and I3D on
ResNet-50; not the Inception I3D of Carreira and Zisserman).
C. Feichtenhofer, H. Fan, J. Malik, K. He, "SlowFast Networks for Video Recognition", ICCV 2019.

All four are one residual network; they differ in which convolutions see more than one frame. Key
names are those of PyTorchVideo's published weights.
"""

import torch
import torch.nn.functional as F
from torch import nn

from skrehab.networks.rgb._rgb import ClipNetwork

__all__ = ["C2D", "I3D", "Slow", "SlowFast"]

DEPTHS = (3, 4, 6, 3)  # blocks of ResNet-50's stages


# --- blocks ---------------------------------------------------------------------------------------
def conv(inputs, outputs, kernel, stride=1):
    """Make a convolution without bias that keeps the size but for the stride."""
    return nn.Conv3d(inputs, outputs, kernel, stride, tuple(k // 2 for k in kernel), bias=False)


class Branch(nn.Module):
    """The long way through a block: over time, over space, a point."""

    def __init__(self, inputs, inner, outputs, n_times, stride):
        super().__init__()
        self.conv_a = conv(inputs, inner, (n_times, 1, 1))
        self.norm_a = nn.BatchNorm3d(inner)
        self.conv_b = conv(inner, inner, (1, 3, 3), (1, stride, stride))
        self.norm_b = nn.BatchNorm3d(inner)
        self.conv_c = conv(inner, outputs, (1, 1, 1))
        self.norm_c = nn.BatchNorm3d(outputs)

    def forward(self, x):
        x = F.relu(self.norm_a(self.conv_a(x)))
        x = F.relu(self.norm_b(self.conv_b(x)))
        return self.norm_c(self.conv_c(x))


class Block(nn.Module):
    """Bottleneck with a short cut, which is a convolution where the shape changes."""

    def __init__(self, inputs, inner, outputs, n_times, stride):
        super().__init__()
        if inputs != outputs or stride != 1:
            self.branch1_conv = conv(inputs, outputs, (1, 1, 1), (1, stride, stride))
            self.branch1_norm = nn.BatchNorm3d(outputs)
        self.branch2 = Branch(inputs, inner, outputs, n_times, stride)

    def forward(self, x):
        short = self.branch1_norm(self.branch1_conv(x)) if hasattr(self, "branch1_conv") else x
        return F.relu(short + self.branch2(x))


class Stage(nn.Module):
    """Blocks of one width; the first may halve the picture."""

    def __init__(self, inputs, inner, n_blocks, n_times, stride):
        super().__init__()
        outputs = 4 * inner
        self.res_blocks = nn.ModuleList(
            Block(
                inputs if i == 0 else outputs,
                inner,
                outputs,
                n_times[i % len(n_times)],  # some stages look at time in every other block
                stride if i == 0 else 1,
            )
            for i in range(n_blocks)
        )

    def forward(self, x):
        for block in self.res_blocks:
            x = block(x)
        return x


class Stem(nn.Module):
    """First convolution, then a maximum over neighbouring pixels."""

    def __init__(self, width, n_times):
        super().__init__()
        self.conv = conv(3, width, (n_times, 7, 7), (1, 2, 2))
        self.norm = nn.BatchNorm3d(width)

    def forward(self, x):
        return F.max_pool3d(F.relu(self.norm(self.conv(x))), (1, 3, 3), (1, 2, 2), (0, 1, 1))


class Head(nn.Module):
    """The classifier under its published name."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.proj = nn.Linear(n_features, n_outputs)


def initialise(network):
    """Draw weights as He et al.: blocks begin as their short cut."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, Branch):
            nn.init.zeros_(module.norm_c.weight)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


# --- one pathway ----------------------------------------------------------------------------------
class C2D(ClipNetwork):
    """Classify clips by a ResNet-50 that sees single frames and averages over time.

    Clips of any length and size fit. Over 224 pixels the result is PyTorchVideo's; over larger
    pictures it averages evenly where PyTorchVideo weighs the middle more.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    width : int, default=64
        Channels of the first layer.
    depths : tuple of int, default=(3, 4, 6, 3)
        Blocks of the stages.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights had
        8 at 30 frames a second.

    References
    ----------
    Wang et al. 2018, CVPR, table 1. Weights: PyTorchVideo's ``c2d_r50``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.resnet3d import C2D
    >>> network = C2D(4, width=4, depths=(1, 1, 1, 1))
    >>> network(torch.randn(2, 3, 8, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "blocks.6.proj."
    _stem_times = 1
    # frames that the blocks of each stage look at, in turn
    _times = ((1,), (1,), (1,), (1,))
    _pooled = True  # pairs of frames are joined after the first stage

    def __init__(self, n_outputs, *, width=64, depths=DEPTHS, n_frames=8, dropout=0.5, **shared):
        super().__init__(n_frames=n_frames, dropout=dropout, **shared)
        blocks, channels = [Stem(width, self._stem_times)], width
        for i, (n_blocks, n_times) in enumerate(zip(depths, self._times)):
            inner = width * 2**i
            blocks.append(Stage(channels, inner, n_blocks, n_times, stride=1 if i == 0 else 2))
            channels = 4 * inner
        if self._pooled:
            blocks.insert(2, nn.MaxPool3d((2, 1, 1)))
        self.blocks = nn.ModuleList([*blocks, Head(channels, n_outputs)])
        initialise(self)

    def _features(self, x):
        # (batch, 64, 8, 56, 56) -> 256 -> (512, 4, 28, 28) -> (1024, 4, 14, 14) -> (2048, 4, 7, 7)
        for block in self.blocks[:-1]:
            x = block(x)
        return x.mean(dim=(2, 3, 4))


class I3D(C2D):
    """Classify clips by a ResNet-50, part of whose convolutions are inflated over three frames.

    Clips of any length and size fit. Parameters are those of :class:`C2D`.

    References
    ----------
    Wang et al. 2018, CVPR. Weights: PyTorchVideo's ``i3d_r50``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.resnet3d import I3D
    >>> I3D(4, width=4, depths=(1, 1, 1, 1))(torch.randn(2, 3, 8, 32, 32)).shape
    torch.Size([2, 4])
    """

    _stem_times = 5
    _times = ((3,), (3, 1), (3, 1), (1, 3))


class Slow(C2D):
    """Classify clips by the slow half of SlowFast: time is looked at in the last two stages only.

    Clips of any length and size fit. Parameters are those of :class:`C2D`.

    References
    ----------
    Feichtenhofer et al. 2019, ICCV, table 1. Weights: PyTorchVideo's ``slow_r50``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.resnet3d import Slow
    >>> Slow(4, width=4, depths=(1, 1, 1, 1))(torch.randn(2, 3, 8, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "blocks.5.proj."
    _times = ((1,), (1,), (3,), (3,))
    _pooled = False


# --- two pathways ---------------------------------------------------------------------------------
class Fuse(nn.Module):
    """Show the slow pathway what the fast one saw: a convolution over time, one frame in alpha."""

    def __init__(self, channels, ratio, alpha):
        super().__init__()
        self.conv_fast_to_slow = conv(channels, ratio * channels, (7, 1, 1), (alpha, 1, 1))
        self.norm = nn.BatchNorm3d(ratio * channels)

    def forward(self, slow, fast):
        return torch.cat([slow, F.relu(self.norm(self.conv_fast_to_slow(fast)))], dim=1)


class Pathways(nn.Module):
    """The same step on both pathways, and what passes between them after it."""

    def __init__(self, slow, fast, fuse=None):
        super().__init__()
        self.multipathway_blocks = nn.ModuleList([slow, fast])
        if fuse is not None:
            self.multipathway_fusion = fuse

    def forward(self, slow, fast):
        slow, fast = self.multipathway_blocks[0](slow), self.multipathway_blocks[1](fast)
        if hasattr(self, "multipathway_fusion"):
            slow = self.multipathway_fusion(slow, fast)
        return slow, fast


class SlowFast(ClipNetwork):
    """Classify clips by a wide network over few frames and a narrow one over many.

    Clips of any size fit, and of any length that `alpha` divides.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    width : int, default=64
        Channels of the slow pathway's first layer.
    depths : tuple of int, default=(3, 4, 6, 3)
        Blocks of the stages.
    alpha : int, default=4
        Frames of the fast pathway for one of the slow.
    beta : int, default=8
        Channels of the slow pathway for one of the fast.
    n_frames : int, default=32
        Frames of a clip, all of them for the fast pathway.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights had
        2 at 30 frames a second.

    References
    ----------
    Feichtenhofer et al. 2019, ICCV. Weights: PyTorchVideo's ``slowfast_r50``.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.resnet3d import SlowFast
    >>> network = SlowFast(4, width=8, depths=(1, 1, 1, 1))
    >>> network(torch.randn(2, 3, 16, 32, 32)).shape
    torch.Size([2, 4])
    """

    head_prefix = "blocks.6.proj."

    def __init__(
        self,
        n_outputs,
        *,
        width=64,
        depths=DEPTHS,
        alpha=4,
        beta=8,
        n_frames=32,
        dropout=0.5,
        **shared,
    ):
        if n_frames % alpha:
            raise ValueError(f"alpha must divide n_frames={n_frames}, got {alpha}.")
        super().__init__(n_frames=n_frames, dropout=dropout, **shared)
        self.alpha = alpha
        ratio, thin = 2, width // beta  # what is passed over has twice the fast channels
        slow, fast = width, thin
        blocks = [Pathways(Stem(width, 1), Stem(thin, 5), Fuse(thin, ratio, alpha))]
        for i, (n_blocks, n_times) in enumerate(zip(depths, Slow._times)):
            step = 1 if i == 0 else 2
            pathways = (
                Stage(slow + ratio * fast, width * 2**i, n_blocks, n_times, step),
                Stage(fast, thin * 2**i, n_blocks, (3,), step),
            )
            slow, fast = 4 * width * 2**i, 4 * thin * 2**i
            last = i == len(depths) - 1
            blocks.append(Pathways(*pathways, None if last else Fuse(fast, ratio, alpha)))
        # the published list counts the pooling, which has no weights, as one block
        self.blocks = nn.ModuleList([*blocks, nn.Identity(), Head(slow + fast, n_outputs)])
        initialise(self)

    def _check(self, x):
        super()._check(x)
        if x.shape[2] % self.alpha:
            raise ValueError(
                f"SlowFast takes clips whose frames alpha={self.alpha} divides, got {x.shape[2]}."
            )

    def _features(self, x):
        n_frames = x.shape[2]
        # evenly from the first frame to the last, as PyTorchVideo's recipe has it
        chosen = torch.linspace(0, n_frames - 1, n_frames // self.alpha, device=x.device).long()
        slow, fast = x[:, :, chosen], x  # 8 and 32 frames
        for block in self.blocks[:-2]:  # to (batch, 2048, 8, 7, 7) and (batch, 256, 32, 7, 7)
            slow, fast = block(slow, fast)
        return torch.cat([slow.mean(dim=(2, 3, 4)), fast.mean(dim=(2, 3, 4))], dim=1)
