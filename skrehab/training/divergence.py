"""Training that ran away: a network whose loss or weights are no numbers predicts nothing."""

import warnings

import numpy as np

__all__ = ["warn_if_diverged"]


def warn_if_diverged(module, history, lr):
    """Warn if a network was not trained but destroyed.

    Parameters
    ----------
    module : torch.nn.Module
        The network after training.
    history : list of dict
        One row an epoch, with its losses.
    lr : float
        Learning rate, for the message.

    Warns
    -----
    UserWarning
        If a weight, or the loss of the last epoch, is not finite.
    """
    broken = [
        name
        for name, one in module.state_dict().items()
        if one.is_floating_point() and not bool(one.isfinite().all())
    ]
    losses = [[value for key, value in row.items() if key != "epoch"] for row in history]
    bad = [i for i, row in enumerate(losses) if not np.isfinite(row).all()]
    if not broken and not (bad and bad[-1] == len(losses) - 1):
        return
    when = f"from epoch {bad[0] + 1} on the loss is nan or infinite" if bad else "in the last epoch"
    kept = f"weights such as {broken[0]!r} are no numbers" if broken else "its loss is no number"
    warnings.warn(
        f"Training diverged, {when}: {kept}, and what it predicts means nothing. Try a smaller lr "
        f"than {lr:g}, gradient_clip=1.0, or trials in smaller units (LandmarkScaler).",
        UserWarning,
        stacklevel=2,
    )
