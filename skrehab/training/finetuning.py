"""Fine-tuning: what stays frozen, what learns slower, and what learns first."""

from dataclasses import dataclass

from skorch.callbacks import Callback
from torch import nn

__all__ = ["Tuning", "apply", "decays", "layer_rates"]

# of parameters that say where or what for, and have no place in a decay
_TABLES = ("pos_embed", "position_embedding", "rel_pos", "relative_position", "class_token",
           "cls_token", "distill_token")  # fmt: skip


@dataclass(frozen=True)
class Tuning:
    """How to treat the layers of a pretrained network.

    Parameters
    ----------
    freeze : tuple of str
        Parameters whose names begin with one of these stay as they are.
    layer_decay : float or None
        Each block before the classifier learns this much slower than the next one.
    head_warmup : int
        Epochs in which only the classifier learns, and what was drawn anew.
    head_prefix : str
        What the names of the classifier's parameters begin with.
    new : frozenset of str
        Parameters that were drawn anew because published weights did not fit: they learn as the
        classifier does, at the full rate and from the first epoch, unless `freeze` names them.
    """

    freeze: tuple = ()
    layer_decay: float | None = None
    head_warmup: int = 0
    head_prefix: str = "head."
    new: frozenset = frozenset()

    def check(self, module):
        """Refuse names that the network does not have.

        Parameters
        ----------
        module : torch.nn.Module
            Network.

        Raises
        ------
        ValueError
            If a prefix begins no parameter's name, or everything would be frozen.
        """
        names = [name for name, _ in module.named_parameters()]
        for prefix in self.freeze:
            if not any(name.startswith(prefix) for name in names):
                blocks = list(dict.fromkeys(_block(name) for name in names))
                raise ValueError(f"freeze names {prefix!r}, but the network has {blocks}.")
        if all(self.frozen(name, 10**9) for name in names):
            raise ValueError(f"freeze={self.freeze} leaves nothing to train.")

    def frozen(self, name, epoch):
        """Tell whether a parameter is frozen in an epoch.

        Parameters
        ----------
        name : str
            Parameter.
        epoch : int
            Counted from 1.

        Returns
        -------
        bool
            True if it does not learn.
        """
        drawn = name.startswith(self.head_prefix) or name in self.new
        warming = epoch <= self.head_warmup and not drawn
        return warming or (bool(self.freeze) and name.startswith(tuple(self.freeze)))


def _block(name):
    """Name of the block a parameter belongs to: up to its first number, or its first word."""
    words = name.split(".")
    numbers = [i for i, word in enumerate(words[:-1]) if word.isdigit()]
    return ".".join(words[: numbers[0] + 1 if numbers else 1])


def layer_rates(module, lr, decay, head_prefix, new=()):
    """Learning rate of each block, falling from the classifier to the first layer.

    Parameters
    ----------
    module : torch.nn.Module
        Network; its blocks count in the order in which they are defined.
    lr : float
        Rate of the classifier.
    decay : float
        Factor from one block to the one before it.
    head_prefix : str
        What the names of the classifier's parameters begin with.
    new : collection of str, default=()
        Parameters that were drawn anew and learn as fast as the classifier.

    Returns
    -------
    dict of str to float
        Rate of each parameter.

    Examples
    --------
    >>> from skrehab.networks import build
    >>> from skrehab.training.finetuning import layer_rates
    >>> act = build("act", n_landmarks=33, n_coords=3, n_outputs=1)
    >>> rates = layer_rates(act, 1.0, 0.5, "head.")
    >>> rates["head.fc2.bias"], rates["encoder.3.norm2.bias"], rates["encoder.2.norm2.bias"]
    (1.0, 0.5, 0.25)
    """
    names = [name for name, _ in module.named_parameters()]
    taken = [n for n in names if not n.startswith(head_prefix) and n not in new]
    blocks = list(dict.fromkeys(map(_block, taken)))
    depth = {block: len(blocks) - i for i, block in enumerate(blocks)}
    return {n: lr for n in names} | {n: lr * decay ** depth[_block(n)] for n in taken}


class _Freezer(Callback):
    """Freeze what an epoch freezes; everything is as it was after training.

    Normalisation layers with frozen weights keep their running statistics too: a frozen layer whose
    statistics follow the new data is not frozen.
    """

    def __init__(self, tuning):
        self.tuning = tuning

    def on_train_begin(self, net, **kwargs):
        self._before = {n: p.requires_grad for n, p in net.module_.named_parameters()}
        self._hooks = [
            layer.register_forward_pre_hook(_as_frozen)
            for layer in net.module_.modules()
            if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.affine
        ]

    def on_epoch_begin(self, net, **kwargs):
        epoch = len(net.history)
        for name, parameter in net.module_.named_parameters():
            free = self._before[name] and not self.tuning.frozen(name, epoch)
            parameter.requires_grad_(free)
            if not free:
                parameter.grad = None

    def on_train_end(self, net, **kwargs):
        for hook in self._hooks:
            hook.remove()
        for name, parameter in net.module_.named_parameters():
            parameter.requires_grad_(self._before[name])


def _as_frozen(layer, inputs):
    if not layer.weight.requires_grad:
        layer.eval()


def decays(name, parameter):
    """Tell whether a weight decay takes in a parameter where norms and biases are left out.

    Parameters
    ----------
    name : str
        Its name.
    parameter : torch.nn.Parameter
        Itself.

    Returns
    -------
    bool
        False for what has one dimension (biases, weights of norms), for tables of positions and
        for classification tokens.

    References
    ----------
    The rule of timm and of torchvision's recipes for MViT and Video Swin.

    Examples
    --------
    >>> from torch import nn
    >>> from skrehab.training.finetuning import decays
    >>> layers = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
    >>> [decays(name, one) for name, one in layers.named_parameters()]
    [True, False, False, False]
    """
    return parameter.ndim > 1 and not any(word in name for word in _TABLES)


def apply(tuning, module, lr, decay_norms=True):
    """Turn a tuning into what skorch takes.

    Parameters
    ----------
    tuning : Tuning or None
        How to treat the layers; None is all alike.
    module : torch.nn.Module
        Network.
    lr : float
        Learning rate of the classifier.
    decay_norms : bool, default=True
        Whether the weight decay takes in norms, biases and tables of positions.

    Returns
    -------
    dict
        Settings for :class:`skorch.NeuralNet`.
    list
        Callbacks.
    """
    groups, callbacks = {}, []
    tuning = tuning or Tuning()
    if tuning.freeze:
        tuning.check(module)
    if tuning.layer_decay is not None:
        rates = layer_rates(module, lr, tuning.layer_decay, tuning.head_prefix, tuning.new)
        groups = {name: {"lr": rate} for name, rate in rates.items()}
    if not decay_norms:
        for name, parameter in module.named_parameters():
            if not decays(name, parameter):
                groups[name] = groups.get(name, {}) | {"weight_decay": 0.0}
    settings = {"optimizer__param_groups": list(groups.items())} if groups else {}
    if tuning.freeze or tuning.head_warmup:
        callbacks.append(("freezer", _Freezer(tuning)))
    return settings, callbacks
