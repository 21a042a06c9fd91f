"""PoseConv3D: a SlowOnly ResNet-50 over volumes of joint heat-maps.

H. Duan, Y. Zhao, K. Chen, D. Lin, B. Dai, "Revisiting Skeleton-based Action Recognition", CVPR
2022, arXiv:2104.13586; table 2 for the layers.

Written from the facts of the architecture; parity with the official network is tested on golden
outputs. Key names are those of the published checkpoints.
"""

import torch.nn.functional as F
from torch import nn

from skrehab.networks._skeleton import KnownSkeletonNetwork
from skrehab.networks.sequence._heatmaps import compact, heatmaps

__all__ = ["PoseC3D"]

# a stage: frames that the first convolution of a block sees, and the stride in time
STAGES = ((1, 1), (3, 1), (3, 2))


class ConvBN(nn.Module):
    """Convolution without bias and batch normalisation, the size kept but for the stride."""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        padding = tuple(k // 2 for k in kernel)
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm3d(outputs)

    def forward(self, x):
        return self.bn(self.conv(x))


class Bottleneck(nn.Module):
    """Residual block: over time (or a point), over space, a point; strides on the second."""

    def __init__(self, inputs, width, n_times, stride=None):
        super().__init__()
        self.conv1 = ConvBN(inputs, width, (n_times, 1, 1))
        self.conv2 = ConvBN(width, width, (1, 3, 3), stride or 1)
        self.conv3 = ConvBN(width, 4 * width, (1, 1, 1))
        # the first block of a stage, which has a stride
        self.downsample = ConvBN(inputs, 4 * width, (1, 1, 1), stride) if stride else nn.Identity()

    def forward(self, x):
        y = F.relu(self.conv1(x))
        y = F.relu(self.conv2(y))
        return F.relu(self.conv3(y) + self.downsample(x))


class SlowOnly(nn.Module):
    """Residual network that sees pictures first and time late."""

    def __init__(self, n_joints, base_channels, stage_blocks):
        super().__init__()
        self.conv1 = ConvBN(n_joints, base_channels, (1, 7, 7))
        channels, width = base_channels, base_channels
        self.stages = []
        for i, (n_blocks, (n_times, time_stride)) in enumerate(zip(stage_blocks, STAGES), start=1):
            blocks = [Bottleneck(channels, width, n_times, stride=(time_stride, 2, 2))]
            channels = 4 * width
            blocks += [Bottleneck(channels, width, n_times) for _ in range(n_blocks - 1)]
            self.add_module(f"layer{i}", nn.Sequential(*blocks))
            self.stages.append(f"layer{i}")
            width *= 2
        self.n_features = channels

    def forward(self, x):  # (batch, joints, 48, 56, 56)
        x = F.relu(self.conv1(x))
        x = F.max_pool3d(x, (1, 3, 3), stride=1, padding=(0, 1, 1))
        for name in self.stages:  # -> (128, 48, 28, 28) -> (256, 48, 14, 14) -> (512, 24, 7, 7)
            x = getattr(self, name)(x)
        return x


class Head(nn.Module):
    """Mean over time and space, dropout, linear classifier."""

    def __init__(self, n_features, n_outputs, dropout):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.fc_cls = nn.Linear(n_features, n_outputs)

    def forward(self, x):
        return self.fc_cls(self.dropout(x.mean(dim=(2, 3, 4))))


class PoseC3D(KnownSkeletonNetwork):
    """Classify the film that the joints draw, one small Gaussian each.

    The square around the person over the whole trial is scaled to the picture, so place and size
    do not matter; x and y are all it sees, with the score as brightness. Feed it positions, not
    displacements. A frame in which no joint is seen (score below 1e-3) leaves no trace and gets no
    gradient.

    Parameters
    ----------
    n_landmarks, n_coords, n_outputs : int
        Trailing shape of the trials, and the number of logits.
    image_size : int, default=56
        Side of the pictures in pixels.
    base_channels : int, default=32
        Channels of the first layer.
    stage_blocks : tuple of at most three int, default=(4, 6, 3)
        Blocks of each stage; published Kinetics weights named 346 have (3, 4, 6).
    sigma : float, default=0.6
        Standard deviation of a joint's Gaussian in pixels.
    padding : float, default=0.25
        Share by which the square is larger than the person.
    smallest : float, default=0.1
        Least side of the square in the trial's units: below it a person is drawn smaller rather
        than blown up.
    dropout : float, default=0.5
        Before the classifier.
    skeleton : str or Skeleton, optional
        Skeleton of the trials, converted to COCO's 17 joints; None guesses from `n_landmarks`.
    n_persons : int, default=1
        Persons in a trial, their landmarks one behind the other; drawn into the same pictures.
    n_frames : int, default=48
        Frames the network works on; trials of any length are resampled to it.

    References
    ----------
    Duan et al. 2022, CVPR, arXiv:2104.13586. The weights published with pyskl have these key names.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.posec3d import PoseC3D
    >>> network = PoseC3D(33, 3, 4, base_channels=4, stage_blocks=(1, 1), image_size=16)
    >>> network(torch.randn(2, 100, 33, 3), torch.tensor([100, 12])).shape
    torch.Size([2, 4])
    """

    target = "coco17"

    def __init__(
        self,
        n_landmarks,
        n_coords,
        n_outputs,
        *,
        n_frames=48,
        image_size=56,
        base_channels=32,
        stage_blocks=(4, 6, 3),
        sigma=0.6,
        padding=0.25,
        smallest=0.1,
        dropout=0.5,
        **shared,
    ):
        super().__init__(n_landmarks, n_coords, n_frames=n_frames, **shared)
        if not 1 <= len(stage_blocks) <= len(STAGES):
            raise ValueError(f"stage_blocks must name one to three stages, got {stage_blocks}.")
        self.image_size = image_size
        self.sigma = sigma
        self.padding = padding
        self.smallest = smallest
        self.backbone = SlowOnly(self.graph.n_landmarks, base_channels, stage_blocks)
        self.cls_head = Head(self.backbone.n_features, n_outputs, dropout)
        self._initialise()

    def _initialise(self):
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, Bottleneck):
                # Officially zero, so that a block begins as the identity. At exactly zero nothing
                # but the strided short cut would be left of the last stage, and every other frame
                # would have no gradient before the first step.
                nn.init.constant_(module.conv3.bn.weight, 1e-6)
        nn.init.normal_(self.cls_head.fc_cls.weight, std=0.01)
        nn.init.zeros_(self.cls_head.fc_cls.bias)

    def draw(self, clips):
        """Draw the film of a batch.

        Parameters
        ----------
        clips : torch.Tensor of shape (batch, 3, n_frames, 17, n_persons)
            x, y and score of COCO's joints.

        Returns
        -------
        torch.Tensor of shape (batch, 17, n_frames, image_size, image_size)
            Heat-maps.
        """
        # (batch, 3, frames, joints, persons) -> (batch, joints, frames, persons, 3)
        clips = clips.permute(0, 3, 2, 4, 1)
        points, scores = clips[..., :2], clips[..., 2]
        points = compact(
            points, scores, self.image_size, padding=self.padding, smallest=self.smallest
        )
        return heatmaps(points, scores, self.image_size, sigma=self.sigma)

    def classify(self, clips):
        return self.classify_film(self.draw(clips))

    def classify_film(self, film):
        """Compute logits from heat-maps, as the official network does.

        Parameters
        ----------
        film : torch.Tensor of shape (batch, 17, n_frames, image_size, image_size)
            Heat-maps.

        Returns
        -------
        torch.Tensor of shape (batch, n_outputs)
            Logits.
        """
        return self.cls_head(self.backbone(film))
