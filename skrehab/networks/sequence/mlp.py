"""Multilayer perceptron on single frames: Model B of Mesquita et al. 2025."""

from torch import nn

__all__ = ["MLP"]


class MLP(nn.Sequential):
    """Fully connected layers with ReLU and dropout, and a linear head.

    Parameters
    ----------
    n_features : int
        Values of a frame.
    n_outputs : int
        Number of logits.
    hidden_layer_sizes : tuple of int, default=(64,)
        Units of the hidden layers.
    dropout : float, default=0.2
        Dropout after each hidden layer.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-F.

    Examples
    --------
    >>> from skrehab.networks.sequence.mlp import MLP
    >>> sum(p.numel() for p in MLP(99, 1, (256, 256)).parameters())
    91649
    """

    def __init__(self, n_features, n_outputs, hidden_layer_sizes=(64,), dropout=0.2):
        layers = []
        for units in hidden_layer_sizes:
            layers += [nn.Linear(n_features, units), nn.ReLU(), nn.Dropout(dropout)]
            n_features = units
        super().__init__(*layers, nn.Linear(n_features, n_outputs))
