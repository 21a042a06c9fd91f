"""What networks over clips of RGB frames share: features, then one linear layer."""

import torch.nn.functional as F
from torch import nn

from skrehab.networks._torchvision import mend_torchvision

__all__ = ["RGBNetwork"]


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
        raise NotImplementedError

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
