"""A multilayer perceptron trained by hand: the same steps as the loop's, without its calls.

On single frames a batch is computed in a tenth of a millisecond, and what a general loop does
around it (autograd, an optimiser with groups, callbacks, a row of history for each batch) takes
several times as long. Here forward, backward, clipping and Adam are written out for this one
network, on one flat vector of weights, with the batches, the dropout and the order of the loop.
"""

import math

import torch
import torch.nn.functional as F

from skrehab.networks.sequence.mlp import MLP
from skrehab.training.batching import Batches
from skrehab.training.schedules import rate_factor

__all__ = ["Perceptron", "by_hand"]

BETAS, EPS = (0.9, 0.999), 1e-8  # torch's Adam
BETTER = 1e-4  # by which share a validation loss must fall: skorch's EarlyStopping


class Perceptron:
    """The weights of an :class:`MLP` as one vector, and their gradient.

    Parameters
    ----------
    module : skrehab.networks.sequence.mlp.MLP
        Network on the CPU; it is read, and written by :meth:`put`.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.mlp import MLP
    >>> from skrehab.training.by_hand import Perceptron
    >>> network = Perceptron(MLP(4, 1, (3,), dropout=0.0))
    >>> with torch.no_grad():
    ...     loss = network.learn_from(torch.ones(2, 4), torch.tensor([0, 1]), torch.ones(2))
    >>> network.gradient.shape  # 4 * 3 + 3 + 3 + 1
    torch.Size([19])
    """

    def __init__(self, module):
        self.own = [one.detach() for one in module.parameters()]
        self.values = torch.cat([one.flatten() for one in self.own])
        self.gradient = torch.zeros_like(self.values)
        self.weights, self.biases = self._views(self.values)
        self.to_weights, self.to_biases = self._views(self.gradient)
        self.kept = [1 - layer.p for layer in module if isinstance(layer, torch.nn.Dropout)]

    def _views(self, vector):
        parts = vector.split([one.numel() for one in self.own])
        parts = [part.view(one.shape) for part, one in zip(parts, self.own)]
        return parts[::2], parts[1::2]

    def put(self, values):
        """Write weights into the module.

        Parameters
        ----------
        values : torch.Tensor of shape (n_weights,)
            Such as ``self.values``.
        """
        for own, one in zip(self.own, values.split([one.numel() for one in self.own])):
            own.copy_(one.view(own.shape))

    def _forward(self, x, drop):
        """Logits, what goes into each layer, and the factors of each dropout (None: no dropout)."""
        inputs, factors = [x], []
        for weight, bias, kept in zip(self.weights, self.biases, self.kept):
            x = torch.addmm(bias, x, weight.t()).relu_()
            factors.append(None)
            if drop and kept < 1:  # drawn as torch draws it
                factors[-1] = torch.empty_like(x).bernoulli_(kept).div_(kept)
                x = x * factors[-1]
            inputs.append(x)
        return torch.addmm(self.biases[-1], x, self.weights[-1].t()), inputs, factors

    def loss(self, x, target, weight):
        """Compute the loss as in prediction, without dropout.

        Parameters
        ----------
        x, target, weight : torch.Tensor
            As in :meth:`learn_from`.

        Returns
        -------
        torch.Tensor of shape ()
            Mean of loss times weight.
        """
        return _loss_and_slope(self._forward(x, drop=False)[0], target, weight)[0]

    def learn_from(self, x, target, weight):
        """Compute the loss of a batch, and its gradient into ``self.gradient``.

        Parameters
        ----------
        x : torch.Tensor of shape (n_samples, n_features)
            Values.
        target : torch.Tensor of shape (n_samples,) or (n_samples, n_classes)
            Classes, or the probability of the second one or of each.
        weight : torch.Tensor of shape (n_samples,)
            Weights.

        Returns
        -------
        torch.Tensor of shape ()
            Mean of loss times weight, as :class:`skrehab.training.loop.WeightedLoss` has it.
        """
        logits, inputs, factors = self._forward(x, drop=True)
        loss, slope = _loss_and_slope(logits, target, weight)
        for layer in reversed(range(len(self.weights))):
            torch.mm(slope.t(), inputs[layer], out=self.to_weights[layer])
            torch.sum(slope, 0, out=self.to_biases[layer])
            if layer:
                # where dropout or ReLU put a zero, nothing goes back
                slope = torch.mm(slope, self.weights[layer]).mul_(inputs[layer] != 0)
                if factors[layer - 1] is not None:
                    slope.mul_(factors[layer - 1])
        return loss


def _loss_and_slope(logits, target, weight):
    """Mean of loss times weight, and its derivative by the logits."""
    weight = weight / len(logits)
    if logits.shape[1] == 1:
        target = target.to(logits.dtype)[:, None]
        loss = F.binary_cross_entropy_with_logits(logits, target, weight[:, None], reduction="sum")
        return loss, torch.sigmoid(logits).sub_(target).mul_(weight[:, None])
    logs = F.log_softmax(logits, dim=1)
    if target.ndim == 1:
        target = F.one_hot(target, logits.shape[1])
    target = target.to(logits.dtype)
    loss = -((logs * target).sum(1) * weight).sum()
    return loss, (logs.exp_() * target.sum(1, keepdim=True)).sub_(target).mul_(weight[:, None])


class _Adam:
    """Adam and AdamW on one vector, step for step torch's."""

    def __init__(self, values, decay, decoupled):
        self.values, self.decay, self.decoupled = values, decay, decoupled
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)
        self.steps = 0

    def step(self, gradient, lr):
        self.steps += 1
        if self.decay and self.decoupled:
            self.values.mul_(1 - lr * self.decay)
        elif self.decay:
            gradient.add_(self.values, alpha=self.decay)
        first, second = BETAS
        self.mean.lerp_(gradient, 1 - first)
        self.square.mul_(second).addcmul_(gradient, gradient, value=1 - second)
        scale = self.square.sqrt().div_(math.sqrt(1 - second**self.steps)).add_(EPS)
        self.values.addcdiv_(self.mean, scale, value=-lr / (1 - first**self.steps))


def by_hand(module, samples, recipe, generator, validation=None):
    """Train a multilayer perceptron in place, where nobody watches batch by batch.

    Parameters
    ----------
    module, samples, recipe, generator, validation
        As of :func:`skrehab.training.loop.train`; weights of samples have a mean of 1, and
        ``max_epochs`` is a number.

    Returns
    -------
    history : list of dict or None
        As of :func:`skrehab.training.loop.train`; None, and nothing done, where the network is
        another, or is not on the CPU, or the recipe wants what the general loop does
        (``net_params`` such as callbacks, ``verbose``, weights that do not decay).
    """
    plain = recipe.device == "cpu" and recipe.decay_norms and not recipe.like_length
    if type(module) is not MLP or not plain or recipe.verbose or recipe.net_params:
        return None
    with torch.inference_mode():
        return _epochs(Perceptron(module), samples, recipe, generator, validation)


def _epochs(network, samples, recipe, generator, validation):
    batches = Batches(samples, recipe.batch_size, generator=generator)
    adam = _Adam(network.values, recipe.weight_decay, recipe.optimizer == "adamw")
    course = recipe.schedule, recipe.warmup, recipe.max_epochs, len(batches)
    course += (recipe.min_lr / recipe.lr,)
    history, best, target, misses = [], None, math.inf, 0
    for epoch in range(1, recipe.max_epochs + 1):
        total = 0.0
        for x, (wanted, weight) in batches:
            loss = network.learn_from(x, wanted, weight)
            _clip(network.gradient, recipe)
            adam.step(network.gradient, recipe.lr * rate_factor(adam.steps, *course))
            total += loss.item() * len(x)
        history.append({"epoch": float(epoch), "train_loss": total / len(samples)})
        if validation is None:
            continue
        total = 0.0
        for x, (wanted, weight) in Batches(validation, recipe.batch_size):
            total += network.loss(x, wanted, weight).item() * len(x)
        loss = history[-1]["valid_loss"] = total / len(validation)
        misses += 1
        if loss < target:
            best, target, misses = network.values.clone(), loss * (1 - BETTER), 0
        if misses == recipe.patience:
            break
    network.put(network.values if best is None else best)
    return history


def _clip(gradient, recipe):
    if recipe.gradient_clip is not None:
        norm = gradient.norm().item()
        gradient.mul_(min(1.0, recipe.gradient_clip / (norm + 1e-6)))
    if recipe.gradient_clip_value is not None:
        gradient.clamp_(-recipe.gradient_clip_value, recipe.gradient_clip_value)
