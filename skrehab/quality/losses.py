"""Losses of scores and of ordered classes, for :func:`skrehab.training.loop.train`."""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["OrderedLoss", "SquaredError", "ordered_log_probabilities"]


class SquaredError(nn.Module):
    """Squared error of one score a trial: the mean of loss times weight.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, section 4.1: "The MSE loss function is used to update the parameters
    of the expert network."
    """

    def forward(self, outputs, target_and_weight):
        target, weight = target_and_weight
        return ((outputs[:, 0] - target.to(outputs.dtype)) ** 2 * weight).mean()


def ordered_log_probabilities(logits):
    """Turn logits of "above this class" into log-probabilities of the classes.

    Parameters
    ----------
    logits : torch.Tensor of shape (n, n_classes - 1)
        Falling along the second axis, as from
        :class:`skrehab.networks.two_stream.expert.OrderedLogits`.

    Returns
    -------
    torch.Tensor of shape (n, n_classes)
        Logarithms of probabilities that sum to one.

    References
    ----------
    McCullagh 1980, JRSS B 42:109-142.

    Examples
    --------
    >>> import torch
    >>> from skrehab.quality.losses import ordered_log_probabilities
    >>> ordered_log_probabilities(torch.tensor([[0.0, -torch.inf]])).exp()
    tensor([[0.5000, 0.5000, 0.0000]])
    """
    below, above = F.logsigmoid(-logits), F.logsigmoid(logits)
    # sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), which loses no digits
    gap = (logits[:, :-1] - logits[:, 1:]).clamp(min=1e-6)
    between = above[:, :-1] + below[:, 1:] + torch.log(-torch.expm1(-gap))
    return torch.cat([below[:, :1], between, above[:, -1:]], dim=1)


class OrderedLoss(nn.Module):
    """Negative log-likelihood of ordered classes: the mean of loss times weight.

    References
    ----------
    McCullagh 1980, JRSS B 42:109-142.
    """

    def forward(self, logits, target_and_weight):
        target, weight = target_and_weight
        loss = F.nll_loss(ordered_log_probabilities(logits), target, reduction="none")
        return (loss * weight).mean()
