"""What networks over clips of RGB frames share: features, then one linear layer."""

import torch.nn.functional as F
from torch import nn

from skrehab.networks._signature import merge_signatures
from skrehab.networks._torchvision import mend_torchvision
from skrehab.networks.rgb._clip_recipe import KINETICS_SLOWFAST, ClipRecipe

__all__ = ["ClipNetwork", "RGBNetwork"]


class RGBNetwork(nn.Module):
    """Base of networks over clips ``(batch, 3, frames, height, width)``.

    A subclass names its layers as the published weights do, implements `_features`, and says in
    `head_prefix` which linear layer is the classifier; this base adds nothing to the state dict.

    Parameters
    ----------
    clip : ClipRecipe
        What the network wants to be shown.
    dropout : float
        Share of the features dropped before the classifier.

    Attributes
    ----------
    clip : ClipRecipe
        What the network wants to be shown.
    """

    input = "rgb"
    head_prefix = "head."
    exact = False  # True: position tables or dense layers fit clips of this one shape only
    adopted = False  # True: layers belong to torchvision, or to a package that imports it

    def __init__(self, clip, dropout):
        super().__init__()
        self.clip = clip
        self.dropout = dropout

    def adopt(self, network):
        """Take over another network's layers and parameters under the same names.

        Parameters
        ----------
        network : torch.nn.Module
            Where they come from; its own forward is not used any more.
        """
        for name, parameter in network.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, child in network.named_children():
            # not add_module: Video Swin has a layer named as our method features
            self._modules[name] = child

    def features(self, x):
        """Compute what the classifier decides on.

        Parameters
        ----------
        x : torch.Tensor of shape (batch, 3, frames, height, width)
            Normalised clips.

        Returns
        -------
        torch.Tensor of shape (batch, n_features)
            Features.

        Raises
        ------
        ValueError
            If they are no normalised clips, or not of the one shape that the network knows.
        """
        self._check(x)
        return self._features(x)

    def _features(self, x):
        raise NotImplementedError(
            f"{type(self).__name__} computes no features: write _features(self, x), which gives an "
            "array of shape (batch, n_features)."
        )

    def forward(self, x):
        layer = self
        for name in self.head_prefix.strip(".").split("."):
            layer = layer._modules[name]
        return layer(F.dropout(self.features(x), self.dropout, self.training))

    def _check(self, x):
        fits = x.ndim == 5 and x.shape[1] == 3 and x.is_floating_point()
        if not fits or (self.exact and tuple(x.shape[1:]) != self.clip.shape):
            wanted = self.clip.shape if self.exact else "(3, frames, height, width)"
            raise ValueError(
                f"{type(self).__name__} takes normalised float clips, each of shape {wanted}; got "
                f"{x.dtype} of shape {tuple(x.shape)}. Prepare frames as its attribute clip says."
            )

    def __reduce_ex__(self, protocol):
        # a worker that unpickles the layers imports their package by itself: mend it before
        return _revive, (type(self),), self.__getstate__()


def _revive(cls):
    if cls.adopted:
        mend_torchvision()
    return cls.__new__(cls)


class ClipNetwork(RGBNetwork):
    """Base of networks that cut clips of one size from a video.

    A subclass says in `statistics` what published weights were normalised by. A constructor that
    ends in ``**shared`` takes this one's parameters besides its own, and its signature lists them.

    Parameters
    ----------
    n_frames : int, default=16
        Frames of a clip.
    image_size : int, default=224
        Side of the pictures in pixels.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the video.
    dropout : float, default=0.0
        Before the classifier.
    antialias : bool, default=False
        Smooth pictures before they are made smaller. False is what published weights were trained
        with.
    motion : {"difference", "flow"}, optional
        Look at what moved between each frame and the next one instead of at the frames: the
        difference of their colours, or the optical flow.
    """

    statistics = KINETICS_SLOWFAST

    def __init_subclass__(cls):
        super().__init_subclass__()
        merge_signatures(cls)

    def __init__(
        self,
        *,
        n_frames=16,
        image_size=224,
        stride=None,
        dropout=0.0,
        antialias=False,
        motion=None,
    ):
        resize = self._resize(image_size)
        frames = {"stride": stride, "antialias": antialias, "motion": motion}
        clip = ClipRecipe(n_frames, resize, image_size, **self.statistics, **frames)
        super().__init__(clip, dropout)

    def _resize(self, image_size):
        """Size of the picture that the clip is cut from."""
        return round(image_size * 256 / 224)
