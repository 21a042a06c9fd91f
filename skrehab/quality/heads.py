"""The heads of a quality network: what each learns of a trial, and what its outputs mean."""

from dataclasses import dataclass

import numpy as np
import torch

from skrehab.training.class_weights import trial_weights
from skrehab.training.loop import WeightedLoss, probabilities

from .losses import OrderedLoss, SquaredError, ordered_log_probabilities

__all__ = ["CRITERIA", "Targets", "head_probabilities", "head_targets", "n_outputs"]

#: Loss of each head.
CRITERIA = {"regression": SquaredError, "ordinal": OrderedLoss, "classes": WeightedLoss}
_MOST_LEVELS = 5  # of scores, where early stopping holds out some of each


@dataclass(frozen=True)
class Targets:
    """What a network learns of each trial, and what turns its answers back.

    Parameters
    ----------
    values : ndarray of shape (n_trials,)
        Standardised scores, or codes of the classes.
    levels : ndarray of shape (n_trials,), dtype int
        The kind of each trial, for a hold-out in proportion.
    classes : ndarray or None
        Labels in the order of their codes; None for scores.
    mean, scale : float
        By which scores are standardised.
    """

    values: np.ndarray
    levels: np.ndarray
    classes: np.ndarray | None = None
    mean: float = 0.0
    scale: float = 1.0


def head_targets(y, head, sample_weight=None):
    """Turn scores or labels into what a head learns.

    Parameters
    ----------
    y : ndarray of shape (n_trials,)
        Scores; numbers that are ordered classes; or labels of any kind.
    head : {"regression", "ordinal", "classes"}
        What they are.
    sample_weight : array-like of shape (n_trials,), optional
        Weights of the trials in the mean and the standard deviation of scores.

    Returns
    -------
    Targets
        Codes of the classes, or scores with mean 0 and standard deviation 1.

    Raises
    ------
    ValueError
        If scores or ordered classes are no numbers, or there is only one class.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.quality.heads import head_targets
    >>> scores = head_targets(np.array([10.0, 20.0, 30.0]), "regression")
    >>> scores.mean, scores.levels
    (20.0, array([0, 1, 2]))
    >>> head_targets(np.array(["good", "bad"]), "classes").values
    array([1, 0])
    """
    if head != "classes":
        try:
            y = y.astype(float)
        except (TypeError, ValueError):
            raise ValueError(
                f"head={head!r} needs ordered numbers: y[0] is {str(y[0])!r}. "
                "For labels without order use head='classes'."
            ) from None
    if head == "regression":
        weights = trial_weights(y, None, sample_weight)
        mean = float(np.average(y, weights=weights))
        spread = np.sqrt(np.average((y - mean) ** 2, weights=weights))
        scale = float(spread) if spread > 0 else 1.0
        ranks = np.argsort(np.argsort(y, kind="stable"), kind="stable")
        levels = ranks * min(_MOST_LEVELS, len(y)) // len(y)
        return Targets((y - mean) / scale, levels, mean=mean, scale=scale)
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"head={head!r} needs at least 2 classes, got 1 class: all {len(y)} trials "
            f"are labelled {classes.tolist()[0]!r}."
        )
    return Targets(codes, codes, classes)


def n_outputs(head, classes=()):
    """Count the outputs that a head needs.

    Parameters
    ----------
    head : {"regression", "ordinal", "classes"}
        The head.
    classes : sequence
        Labels; scores have none.

    Returns
    -------
    int
        One for scores, and for two classes without order.

    Examples
    --------
    >>> from skrehab.quality.heads import n_outputs
    >>> n_outputs("regression"), n_outputs("classes", "ab"), n_outputs("ordinal", "ab")
    (1, 1, 2)
    """
    if head == "ordinal" or (head == "classes" and len(classes) > 2):
        return len(classes)
    return 1


def head_probabilities(outputs, head):
    """Turn outputs into class probabilities.

    Parameters
    ----------
    outputs : ndarray of shape (n_trials, n_outputs)
        What a network with this head says.
    head : {"ordinal", "classes"}
        The head.

    Returns
    -------
    ndarray of shape (n_trials, n_classes)
        Probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.quality.heads import head_probabilities
    >>> head_probabilities(np.zeros((1, 1), np.float32), "classes")
    array([[0.5, 0.5]], dtype=float32)
    """
    if head == "classes":
        return probabilities(outputs)
    return ordered_log_probabilities(torch.from_numpy(outputs)).exp().numpy()
