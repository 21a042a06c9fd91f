"""What networks with classification and distillation tokens share."""

from typing import NamedTuple

import torch
from torch import nn

__all__ = ["TokenTrace", "learned_tokens", "row_drop"]


class TokenTrace(NamedTuple):
    """Tokens on their way through a network.

    Parameters
    ----------
    classification : torch.Tensor of shape (batch, n_tokens, width)
        Classification tokens at the end.
    distillation : torch.Tensor of shape (batch, n_distill_tokens, width) or None
        Distillation tokens at the end; None where they took no part.
    steps : tuple of pairs of torch.Tensor
        Both kinds after each block, as they leave it: ``(classification, distillation or None)``.
    """

    classification: torch.Tensor
    distillation: torch.Tensor | None
    steps: tuple


def learned_tokens(n_tokens, width):
    """Draw tokens that a network learns, each one different.

    Tokens that start equal stay equal: nothing in a network with a mean over its tokens tells them
    apart. The released TransM3E starts the receiving ones at zero, where layer normalisation
    moreover multiplies gradients by a thousand.
    """
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(n_tokens, width), std=0.02))


def row_drop(x, rate, training):
    """Leave a whole residual branch out for some trials, in training."""
    if not training or rate == 0:
        return x
    kept = torch.empty(x.shape[0], *[1] * (x.ndim - 1), dtype=x.dtype, device=x.device)
    return x * kept.bernoulli_(1 - rate) / (1 - rate)
