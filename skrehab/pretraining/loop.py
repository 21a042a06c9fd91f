"""The training loop of self-supervised learning.

Everything random in an epoch comes from a generator of that epoch alone, so that a run that goes on
from a checkpoint draws what an uninterrupted one would have drawn.
"""

import numpy as np
import torch

from .network import collate_views
from .tasks import view

__all__ = ["length_batches", "pretrain"]


def length_batches(lengths, batch_size, rng, pool=8):
    """Put trials into batches at random, those of similar length together.

    The order is drawn first; within every `pool` batches' worth of it trials are sorted by length,
    and the batches are shuffled again. A recurrent network takes as many steps as the longest trial
    of a batch has frames, so this saves most of the time where lengths differ.

    Parameters
    ----------
    lengths : array-like of shape (n_trials,)
        Frames of each trial.
    batch_size : int
        Trials in a batch.
    rng : numpy.random.Generator
        Source of the order.
    pool : int, default=8
        Batches among which trials are sorted; 1 sorts nothing.

    Returns
    -------
    list of ndarray of int
        Positions of each batch's trials; every trial is in one batch.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pretraining.loop import length_batches
    >>> length_batches([9, 2, 8, 3], 2, np.random.default_rng(0))
    [array([2, 0]), array([1, 3])]
    """
    lengths = np.asarray(lengths)
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), pool * batch_size):
        part = order[start : start + pool * batch_size]
        if pool > 1:
            part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def pretrain(
    network,
    trials,
    *,
    objective,
    paces,
    limbs,
    lr,
    lr_decay,
    lr_decay_every,
    batch_size,
    max_epochs,
    seed,
    device="cpu",
    checkpoint=None,
    after_epoch=None,
):
    """Train a non-expert network in place.

    Parameters
    ----------
    network : skrehab.pretraining.network.PretextNetwork
        Network; trained in place and left on `device`.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Poses, scaled to [-1, 1].
    objective, paces, limbs
        As in :func:`skrehab.pretraining.tasks.view`.
    lr : float
        Learning rate of Adam.
    lr_decay : float
        What the learning rate is multiplied by every `lr_decay_every` epochs.
    lr_decay_every : int
        Epochs with one learning rate.
    batch_size : int
        Trials in a batch.
    max_epochs : int
        Epochs.
    seed : list of int
        Decides everything random.
    device : str, default="cpu"
        Torch device.
    checkpoint : skrehab.pretraining.checkpoints.Checkpoint, optional
        Where the run goes on from, and what it leaves behind.
    after_epoch : callable, optional
        Called with each row of the history when it is there.

    Returns
    -------
    list of dict
        One row an epoch: ``epoch``, ``lr`` and the mean of each loss over the trials.

    Raises
    ------
    FloatingPointError
        If a loss is no longer finite.
    """
    network.to(device).train()
    # one Adam for all: it treats every parameter by itself, and gradients are routed beforehand
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    history = []
    state = None if checkpoint is None else checkpoint.load()
    if state is not None:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        history, seed = state["history"], state["seed"]
    for row in history if after_epoch else ():
        after_epoch(row)
    lengths = [len(trial) for trial in trials]
    for epoch in range(len(history), max_epochs):
        rng = np.random.default_rng([*seed, epoch])
        rate = lr * lr_decay ** (epoch // lr_decay_every)
        for group in optimizer.param_groups:
            group["lr"] = rate
        totals = {}
        for index in length_batches(lengths, batch_size, rng):
            views = [view(trials[i], objective, rng, paces=paces, limbs=limbs) for i in index]
            optimizer.zero_grad()
            losses = network.losses(collate_views(views).to(device))
            network.backward(losses)
            optimizer.step()
            for name, loss in losses.items():
                totals[name] = totals.get(name, 0.0) + loss.item() * len(index)
        row = {name: total / len(trials) for name, total in totals.items()}
        if not np.isfinite(list(row.values())).all():
            raise FloatingPointError(
                f"Pre-training diverged in epoch {epoch + 1}: {row}. Try a smaller lr than {lr}."
            )
        history.append({"epoch": epoch + 1, "lr": rate, **row})
        if checkpoint is not None and checkpoint.is_due(epoch + 1, max_epochs):
            checkpoint.save(
                {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "history": history,
                    "seed": seed,
                }
            )
        if after_epoch:
            after_epoch(history[-1])
    network.eval()
    return history
