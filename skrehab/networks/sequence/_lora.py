"""Low-rank adaptation: a frozen linear layer plus a small trained correction.

E. J. Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.
"""

import torch
import torch.nn.functional as F
from torch import nn

__all__ = ["LoRALinear", "add_lora", "merge_lora"]


class LoRALinear(nn.Linear):
    """A linear layer whose weight W stays, and to which (alpha / rank) B A is added.

    The weight keeps its name, so that published state dicts fit; ``lora_a`` and ``lora_b`` are new.

    Parameters
    ----------
    linear : torch.nn.Linear
        Layer to adapt; its weight and bias are taken over, not copied, and frozen.
    rank : int
        Rank of the correction.
    alpha : float
        Its scale, divided by the rank.
    """

    def __init__(self, linear, rank, alpha):
        nn.Module.__init__(self)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        for parameter in linear.parameters():
            parameter.requires_grad_(False)
        self.scale = alpha / rank
        self.lora_a = nn.Parameter(self.weight.new_empty(rank, self.in_features))
        self.lora_b = nn.Parameter(self.weight.new_zeros(self.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_a, a=5**0.5)  # B = 0: the network starts as it was

    def forward(self, x):
        return super().forward(x) + self.scale * F.linear(F.linear(x, self.lora_a), self.lora_b)

    def merged(self):
        """Fold the correction into the weight.

        Returns
        -------
        torch.nn.Linear
            A plain layer with the same output.
        """
        linear = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        linear.weight, linear.bias = self.weight, self.bias
        with torch.no_grad():
            linear.weight += self.scale * self.lora_b @ self.lora_a
        return linear


def _replace(module, kind, chosen, new):
    for name, child in list(module.named_children()):
        if isinstance(child, kind) and chosen(name):
            setattr(module, name, new(child))
        else:
            _replace(child, kind, chosen, new)


def add_lora(module, names, *, rank=64, alpha=32):
    """Freeze a module and adapt its linear layers of some names.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place.
    names : tuple of str
        Attribute names of the linear layers, such as ``("q", "v")``.
    rank : int, default=64
        Rank of the corrections.
    alpha : float, default=32
        Their scale, divided by the rank.

    Returns
    -------
    torch.nn.Module
        The same module.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence._lora import add_lora
    >>> layer = add_lora(torch.nn.Sequential(torch.nn.Linear(4, 3)), ("0",), rank=2)
    >>> [name for name, p in layer.named_parameters() if p.requires_grad]
    ['0.lora_a', '0.lora_b']
    """
    module.requires_grad_(False)
    _replace(module, nn.Linear, names.__contains__, lambda child: LoRALinear(child, rank, alpha))
    return module


def merge_lora(module):
    """Turn adapted layers back into plain ones that compute the same.

    Parameters
    ----------
    module : torch.nn.Module
        Changed in place; its state dict has its first keys again.

    Returns
    -------
    torch.nn.Module
        The same module.
    """
    _replace(module, LoRALinear, lambda name: True, LoRALinear.merged)
    return module
