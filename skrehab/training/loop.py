"""One training loop for every network: a skorch net built from plain parameters.

A multilayer perceptron that nobody watches takes the same steps by hand.

It draws only from its own seed and leaves torch's global random state as it was.
"""

import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping
from skorch.helper import predefined_split
from torch import nn

from skrehab.training import finetuning, schedules
from skrehab.training.batching import Batches
from skrehab.training.by_hand import by_hand
from skrehab.training.divergence import warn_if_diverged
from skrehab.training.interruption import Net

__all__ = [
    "MORE_TRAINING_CONSTRAINTS",
    "PAPER_CONSTRAINTS",
    "TRAINING_CONSTRAINTS",
    "FrameLoss",
    "Recipe",
    "WeightedLoss",
    "probabilities",
    "seeded",
    "train",
]


@dataclass(frozen=True)
class Recipe:
    """How to train: the part that video and frame networks share.

    Parameters
    ----------
    lr : float
        Learning rate.
    max_epochs : int or "auto"
        Epochs, and the period of the cosine schedule; ``"auto"`` as
        :func:`skrehab.training.schedules.enough_epochs` says.
    batch_size : int
        Samples in a batch.
    weight_decay : float
        L2 penalty.
    schedule : {"cosine", "cosine_batch"} or None
        Learning rate schedule: falling along half a cosine from epoch to epoch, or from batch to
        batch.
    gradient_clip : float or None
        Largest norm of the gradient.
    optimizer : {"adam", "adamw"}
        Which; they differ in what a weight decay does.
    min_lr : float
        Where the schedule ends.
    gradient_clip_value : float or None
        Largest absolute value of each number in the gradient.
    like_length : int
        Batches of trials of like length; see :class:`skrehab.training.batching.Batches`.
    warmup : int
        Epochs at the start over which the learning rate rises from batch to batch; the schedule
        fills the rest.
    decay_norms : bool
        Whether the weight decay takes in biases, norms and tables of positions.
    patience : int
        Epochs without a better validation loss before early stopping.
    device : str
        Torch device.
    verbose : int
        1 prints a line an epoch.
    net_params : dict or None
        Anything else for :class:`skorch.NeuralNet`; ``callbacks`` are added to ours.
    """

    lr: float
    max_epochs: int | str
    batch_size: int
    weight_decay: float = 0.0
    schedule: str | None = "cosine"
    gradient_clip: float | None = 1.0
    optimizer: str = "adam"
    min_lr: float = 0.0
    gradient_clip_value: float | None = None
    like_length: int = 0
    warmup: int = 0
    decay_norms: bool = True
    patience: int = 10
    device: str = "cpu"
    verbose: int = 0
    net_params: dict | None = None

    @classmethod
    def of(cls, estimator):
        """Read the recipe off an estimator's parameters of the same names.

        Parameters
        ----------
        estimator : estimator
            Has parameters of this class; those that it lacks keep their defaults.

        Returns
        -------
        Recipe
            Their values.
        """
        names = [field.name for field in fields(cls) if hasattr(estimator, field.name)]
        return cls(**{name: getattr(estimator, name) for name in names})


#: What scikit-learn checks of the parameters of training when an estimator is fitted.
TRAINING_CONSTRAINTS = {
    "lr": [Interval(Real, 0, None, closed="neither")],
    "max_epochs": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "schedule": [StrOptions({"cosine", "cosine_batch"}), None],
    "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
    "class_weight": [dict, StrOptions({"balanced"}), None],
    "early_stopping": ["boolean", StrOptions({"patient", "trial"})],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "device": [str],
    "random_state": ["random_state"],
    "verbose": ["verbose"],
    "net_params": [dict, None],
}
#: The same of those that not every estimator has.
MORE_TRAINING_CONSTRAINTS = {
    "optimizer": [StrOptions({"adam", "adamw"})],
    "min_lr": [Interval(Real, 0, None, closed="left")],
    "gradient_clip_value": [Interval(Real, 0, None, closed="neither"), None],
    "like_length": [Interval(Integral, 0, None, closed="left")],
    "step": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "standardize": ["boolean"],
    "augment": [dict, HasMethods(["get_params", "changes"]), None],
}
#: The same of those that only estimators around a network of the registry have.
PAPER_CONSTRAINTS = {
    "augment": MORE_TRAINING_CONSTRAINTS["augment"],
    "warmup": [Interval(Integral, 0, None, closed="left")],
    "decay_norms": ["boolean"],
    "views": [Interval(Integral, 1, None, closed="left"), tuple, list],
}


class WeightedLoss(nn.Module):
    """Cross-entropy on logits, binary with one logit: the mean of loss times weight.

    Divided by the number of samples and not by their weights, which would cancel weights between
    batches, in batches of one altogether; :func:`train` gives it weights whose mean is 1.
    """

    def forward(self, logits, target_and_weight):
        target, weight = target_and_weight
        if logits.shape[1] == 1:
            loss = F.binary_cross_entropy_with_logits(
                logits[:, 0], target.to(logits.dtype), reduction="none"
            )
        else:
            loss = F.cross_entropy(logits, target, reduction="none")
        return (loss * weight).mean()


class FrameLoss(WeightedLoss):
    """The same over the frames of padded trials; a weight of NaN is not labelled, or padding."""

    def forward(self, logits, target_and_weight):
        target, weight = target_and_weight
        known = ~weight.isnan()
        if not known.any():  # a batch of trials without labels teaches nothing
            return logits.sum() * 0.0
        return super().forward(logits[known], (target[known], weight[known]))


def probabilities(logits):
    """Turn logits into class probabilities.

    Parameters
    ----------
    logits : ndarray of shape (n, 1) or (n, n_classes)
        One logit stands for the second of two classes.

    Returns
    -------
    ndarray of shape (n, n_classes)
        Probabilities; each row sums to one.
    """
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exp / exp.sum(axis=1, keepdims=True)


# torch draws weights and dropout from one generator for all threads
_TORCH_RANDOM_STATE = threading.RLock()


@contextmanager
def seeded(random_state, device="cpu"):
    """Seed torch for a block, and put its random state back afterwards.

    Blocks of several threads run one after another, since all draw from torch's one generator.

    Parameters
    ----------
    random_state : numpy.random.RandomState
        Source of the seed.
    device : str, default="cpu"
        Its generator is seeded too.

    Yields
    ------
    torch.Generator
        A generator of its own, for shuffling.
    """
    seed = int(random_state.randint(np.iinfo(np.int32).max))
    on_gpu = torch.device(device).type == "cuda"
    devices = range(torch.cuda.device_count()) if on_gpu else []
    with _TORCH_RANDOM_STATE, torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            torch.cuda.manual_seed_all(seed)
        yield torch.Generator().manual_seed(seed)


def train(
    module, samples, recipe, *, generator, validation=None, tuning=None, criterion=WeightedLoss
):
    """Train a module in place and return its learning curves.

    Parameters
    ----------
    module : torch.nn.Module
        Network; trained in place.
    samples : skrehab.training.batching.Samples
        Training samples. What counts is how their weights compare: their mean is scaled to 1, once
        for all batches.
    recipe : Recipe
        How to train.
    generator : torch.Generator
        Source of the shuffle.
    validation : skrehab.training.batching.Samples, optional
        Held-out samples, with weights as above; training stops early on their loss and keeps the
        best weights.
    tuning : skrehab.training.finetuning.Tuning, optional
        Which layers are frozen or learn slower; None trains all alike.
    criterion : type, default=WeightedLoss
        Loss module; takes outputs, and targets with weights, and returns the mean of loss times
        weight over a batch.

    Returns
    -------
    history : list of dict
        One row an epoch: ``epoch``, ``train_loss`` and, with validation, ``valid_loss``.
    """
    if recipe.max_epochs == "auto":
        n_epochs = schedules.enough_epochs(len(samples), recipe.batch_size)
        recipe = replace(recipe, max_epochs=n_epochs)
    samples = samples.mean_weight_1()
    validation = None if validation is None else validation.mean_weight_1()
    history = None
    if tuning is None and criterion is WeightedLoss:
        history = by_hand(module, samples, recipe, generator, validation)
    if history is None:
        history = _by_skorch(module, samples, recipe, generator, validation, tuning, criterion)
    module.eval()
    warn_if_diverged(module, history, recipe.lr)
    return history


def _by_skorch(module, samples, recipe, generator, validation, tuning, criterion):
    """Train any network, with callbacks; return its learning curves."""
    extra = dict(recipe.net_params or {})
    callbacks = []
    n_batches = math.ceil(len(samples) / recipe.batch_size)
    if (course := schedules.course(recipe, n_batches)) is not None:
        callbacks.append(("schedule", course))
    if recipe.gradient_clip is not None:
        callbacks.append(("clip", GradientNormClipping(recipe.gradient_clip)))
    if recipe.gradient_clip_value is not None:
        callbacks.append(("clip_value", _ValueClipping(recipe.gradient_clip_value)))
    if validation is not None:
        stop = EarlyStopping(patience=recipe.patience, load_best=True, sink=_silent)
        callbacks.append(("early_stopping", stop))
    rates, freezing = finetuning.apply(tuning, module, recipe.lr, recipe.decay_norms)
    callbacks = freezing + callbacks
    settings = {
        "module": module,
        "criterion": criterion,
        "optimizer": torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam,
        "optimizer__weight_decay": recipe.weight_decay,
        "lr": recipe.lr,
        "max_epochs": recipe.max_epochs,
        "batch_size": recipe.batch_size,
        "iterator_train": Batches,
        "iterator_train__generator": generator,
        "iterator_train__like_length": recipe.like_length,
        "iterator_valid": Batches,
        "train_split": None if validation is None else predefined_split(validation),
        "callbacks": callbacks + list(extra.pop("callbacks", [])),
        "device": recipe.device,
        "verbose": recipe.verbose,
        **rates,
    }
    net = Net(**(settings | extra))
    net.fit(samples)
    curves = ("epoch", "train_loss", "valid_loss")
    return [{key: float(row[key]) for key in curves if key in row} for row in net.history]


class _ValueClipping(Callback):
    """Cut each number of the gradient off at a largest absolute value."""

    def __init__(self, limit):
        self.limit = limit

    def on_grad_computed(self, net, named_parameters, **kwargs):
        torch.nn.utils.clip_grad_value_([p for _, p in named_parameters], self.limit)


def _silent(*args):
    """Swallow skorch's messages; the history says where training stopped."""
