"""C3D: eight 3 x 3 x 3 convolutions and two wide dense layers.

D. Tran, L. Bourdev, R. Fergus, L. Torresani, M. Paluri, "Learning Spatiotemporal Features with 3D
Convolutional Networks", ICCV 2015, figure 3.
"""

import torch.nn.functional as F
from torch import nn

from skrehab.networks.rgb._rgb import ClipNetwork

__all__ = ["C3D"]

# convolutions under the names of the published network, a pooling after each group
_CONVS = ("conv1", "conv2", "conv3a", "conv3b", "conv4a", "conv4b", "conv5a", "conv5b")
# names of other published files: MMAction2's, and those of the list of layers by place
_PUBLISHED = {
    **{f"backbone.{name}{'a' * (len(name) == 5)}.conv.": f"{name}." for name in _CONVS},
    **{f"backbone.{name}.": f"{name}." for name in ("fc6", "fc7")},
    "cls_head.fc_cls.": "fc8.",
    **{f"features.{i}.": f"{name}." for i, name in zip((0, 3, 6, 8, 11, 13, 16, 18), _CONVS)},
    **{f"classifier.{i}.": f"{name}." for i, name in zip((0, 3, 6), ("fc6", "fc7", "fc8"))},
}
GROUPS = (("conv1",), ("conv2",), ("conv3a", "conv3b"), ("conv4a", "conv4b"), ("conv5a", "conv5b"))


class C3D(ClipNetwork):
    """Classify clips of 16 frames by C3D, or describe them by its layer fc6.

    The dense layers are made for clips of one shape. Pictures come as the published Sports-1M
    weights saw them: in [0, 255] less a mean, which `clip` says.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    widths : tuple of five int, default=(64, 128, 256, 512, 512)
        Channels of the groups of convolutions.
    dense_width : int, default=4096
        Units of fc6 and fc7.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video. The published weights saw
        successive frames.
    dropout : float, default=0.5
        After fc6 and after fc7.

    References
    ----------
    Tran et al. 2015, ICCV. 78,409,573 parameters with 101 classes.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.rgb.c3d import C3D
    >>> small = C3D(4, widths=(2, 2, 4, 4, 4), dense_width=8, image_size=32)
    >>> clips = torch.randn(2, 3, 16, 32, 32)
    >>> small(clips).shape, small.features(clips, layer="fc6").shape
    (torch.Size([2, 4]), torch.Size([2, 8]))
    """

    head_prefix = "fc8."
    exact = True
    statistics = {"mean": tuple(v / 255 for v in (104.0, 117.0, 128.0)), "std": (1 / 255,) * 3}

    def __init__(
        self,
        n_outputs,
        *,
        widths=(64, 128, 256, 512, 512),
        dense_width=4096,
        image_size=112,
        dropout=0.5,
        **shared,
    ):
        super().__init__(image_size=image_size, dropout=dropout, **shared)
        channels = 3
        for names, width in zip(GROUPS, widths):
            for name in names:
                self.add_module(name, nn.Conv3d(channels, width, 3, padding=1))
                channels = width
        side, times = image_size, self.clip.n_frames
        for i in range(len(GROUPS)):  # the last pooling takes an edge pixel more
            side = side // 2 if i < 4 else (side + 2) // 2
            times = times if i == 0 else times // 2
        if min(side, times) < 1:
            raise ValueError(
                f"n_frames must be at least 16 and image_size 16 for five poolings, got "
                f"{self.clip.n_frames} and {image_size}."
            )
        self.fc6 = nn.Linear(channels * times * side**2, dense_width)
        self.fc7 = nn.Linear(dense_width, dense_width)
        self.fc8 = nn.Linear(dense_width, n_outputs)
        for name, module in self.named_children():
            if name.startswith("conv"):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            else:
                nn.init.normal_(module.weight, std=0.005 if name != "fc8" else 0.01)
            nn.init.zeros_(module.bias)
        # as if clips came divided by the usual deviation: untrained logits stay near zero
        self.conv1.weight.data.mul_(self.statistics["std"][0] / 0.225)

    @classmethod
    def official_state(cls, state):
        """Rename a published checkpoint.

        Parameters
        ----------
        state : dict of str to torch.Tensor
            Weights under the names of MMAction2 (Sports-1M fine-tuned on UCF101), under places in
            a list (``features.0.weight``), or under those used here.

        Returns
        -------
        dict of str to torch.Tensor
            Weights by the names used here.
        """
        renamed = {}
        for key, value in state.items():
            theirs = next((start for start in _PUBLISHED if key.startswith(start)), "")
            renamed[_PUBLISHED.get(theirs, "") + key.removeprefix(theirs)] = value
        return renamed

    def _resize(self, image_size):
        return round(image_size * 128 / 112)

    def features(self, x, layer="fc7"):
        """Compute the activations of a dense layer.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, 3, n_frames, image_size, image_size)
            Normalised clips.
        layer : {"fc6", "fc7"}, default="fc7"
            fc6 is what other work takes as the description of a clip, fc7 what the classifier sees.

        Returns
        -------
        torch.Tensor of shape (batch, dense_width)
            Activations, none negative.
        """
        self._check(x)
        for i, names in enumerate(GROUPS):
            for name in names:
                x = F.relu(getattr(self, name)(x))
            # (64, 16, 56, 56) -> (128, 8, 28, 28) -> (256, 4, 14, 14) -> (512, 2, 7, 7) -> 1, 4, 4
            kernel = (1, 2, 2) if i == 0 else (2, 2, 2)
            x = F.max_pool3d(x, kernel, padding=(0, 1, 1) if i == 4 else 0)
        x = F.relu(self.fc6(x.flatten(1)))
        if layer == "fc6":
            return x
        return F.relu(self.fc7(F.dropout(x, self.dropout, self.training)))
