"""How long it learns, and how the learning rate goes: up at first, if wanted, then down."""

import math

import torch
from skorch.callbacks import LRScheduler

__all__ = ["course", "enough_epochs", "rate_factor"]


def course(recipe, n_batches):
    """Make the callback that sets the learning rate.

    Parameters
    ----------
    recipe : skrehab.training.loop.Recipe
        Rate, epochs, schedule and warm-up.
    n_batches : int
        Batches an epoch.

    Returns
    -------
    skorch.callbacks.LRScheduler or None
        The callback; None where the rate stays as it is.

    Raises
    ------
    ValueError
        If the warm-up is as long as the training: the full rate would never be reached.
    """
    if recipe.warmup:
        if recipe.warmup >= recipe.max_epochs:
            raise ValueError(
                f"warmup={recipe.warmup} epochs leave none of {recipe.max_epochs} for the full "
                "learning rate: take fewer, or train longer."
            )
        lowest = recipe.min_lr / recipe.lr
        how = recipe.schedule, recipe.warmup, recipe.max_epochs, n_batches, lowest
        policy = torch.optim.lr_scheduler.LambdaLR
        return LRScheduler(
            policy, lr_lambda=lambda batch: rate_factor(batch, *how), step_every="batch"
        )
    if recipe.schedule is None:
        return None
    each, steps = "epoch", recipe.max_epochs
    if recipe.schedule == "cosine_batch":
        each, steps = "batch", steps * n_batches
    policy = torch.optim.lr_scheduler.CosineAnnealingLR
    return LRScheduler(policy, T_max=steps, eta_min=recipe.min_lr, step_every=each)


def rate_factor(batch, schedule, warmup, max_epochs, n_batches, lowest=0.0):
    """Share of the learning rate that a batch is trained with.

    Parameters
    ----------
    batch : int
        Counted from 0 over all epochs.
    schedule : {"cosine", "cosine_batch"} or None
        What comes behind the warm-up.
    warmup : int
        Epochs over which the rate rises in a straight line, to all of it in their last batch.
    max_epochs : int
        All epochs.
    n_batches : int
        Batches an epoch.
    lowest : float, default=0.0
        Where the cosine ends.

    Returns
    -------
    float
        The share.

    References
    ----------
    Goyal et al., "Accurate, Large Minibatch SGD", arXiv:1706.02677, section 2.2: gradual warm-up.

    Examples
    --------
    >>> from skrehab.training.schedules import rate_factor
    >>> [rate_factor(batch, None, 1, 9, 4) for batch in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    >>> rate_factor(4, "cosine", 1, 3, 4), round(rate_factor(8, "cosine", 1, 3, 4), 3)
    (1.0, 0.5)
    """
    if batch < warmup * n_batches:
        return (batch + 1) / (warmup * n_batches)
    if schedule is None:
        return 1.0
    epoch = batch / n_batches
    if schedule == "cosine":
        epoch = batch // n_batches
    gone = min(1.0, (epoch - warmup) / (max_epochs - warmup))
    return lowest + (1 - lowest) * (1 + math.cos(math.pi * gone)) / 2


def enough_epochs(n_samples, batch_size):
    """Tell how many epochs make about 520 steps of the optimiser, from 18 to 200 epochs.

    Few trials make few batches, so a number of epochs chosen on many teaches too little.

    Parameters
    ----------
    n_samples : int
        Training samples.
    batch_size : int
        Samples in a batch.

    Returns
    -------
    int
        Epochs.

    Examples
    --------
    >>> from skrehab.training.schedules import enough_epochs
    >>> enough_epochs(900, 32), enough_epochs(120, 32), enough_epochs(20, 32)
    (18, 130, 200)
    """
    return min(200, max(18, math.ceil(520 / math.ceil(n_samples / batch_size))))
