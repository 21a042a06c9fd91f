"""Weights of classes and of trials, checked on every way in."""

import warnings
from numbers import Real

import numpy as np
from sklearn.utils.class_weight import compute_sample_weight

from skrehab._fitting import plain_numbers
from skrehab._given import weights_of

__all__ = ["check_class_weight", "trial_weights"]


def check_class_weight(class_weight, classes):
    """Validate the weights of classes.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weights by label.
    classes : ndarray of shape (n_classes,)
        Labels that there are.

    Returns
    -------
    dict, "balanced" or None
        The same; weights of labels that there are not are left out.

    Raises
    ------
    ValueError
        If a weight is no number, negative or not finite, all classes weigh 0, or no label of the
        weights is among the classes.

    Warns
    -----
    UserWarning
        If some labels of the weights are not among the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.class_weights import check_class_weight
    >>> check_class_weight({"lean": 2.0}, np.array(["lean", "normal"]))
    {'lean': 2.0}
    >>> check_class_weight({"lean": -1}, np.array(["lean", "normal"]))
    Traceback (most recent call last):
        ...
    ValueError: class_weight['lean'] is -1: weights must be finite numbers and not negative.
    """
    if not isinstance(class_weight, dict):
        return class_weight
    weights = plain_numbers(class_weight)
    for label, weight in weights.items():
        number = isinstance(weight, Real) and not isinstance(weight, bool)
        if not (number and np.isfinite(weight) and weight >= 0):
            raise ValueError(
                f"class_weight[{label!r}] is {weight!r}: weights must be finite numbers and not "
                "negative."
            )
    names = classes.tolist()
    if all(weights.get(label, 1.0) == 0 for label in names):
        raise ValueError(f"class_weight is 0 for every class of {names}: none is left to train on.")
    unknown = [label for label in weights if label not in names]
    if unknown and len(unknown) == len(weights):
        raise ValueError(f"class_weight names {unknown}, and the classes are {names}.")
    if unknown:
        warnings.warn(
            f"class_weight names {unknown}, which is not among the classes {names}: it has no "
            "effect.",
            stacklevel=2,
        )
    return {label: weight for label, weight in weights.items() if label in names}


def trial_weights(y, class_weight=None, sample_weight=None):
    """Multiply the weights of trials and of their classes.

    Parameters
    ----------
    y : ndarray of shape (n_trials,)
        Labels.
    class_weight : dict, "balanced" or None
        Weights of the classes.
    sample_weight : array-like of shape (n_trials,), optional
        Weights of the trials.

    Returns
    -------
    ndarray of shape (n_trials,)
        Weights.

    Raises
    ------
    ValueError
        If there is not one weight per trial, one is missing, negative or not finite, or all are 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.class_weights import trial_weights
    >>> trial_weights(np.array([0, 1, 1]), {1: 0.5}, [1, 1, 4])
    array([1. , 0.5, 2. ])
    """
    weights = compute_sample_weight(check_class_weight(class_weight, np.unique(y)), y)
    if sample_weight is None:
        return weights
    sample_weight = weights_of(sample_weight, "sample_weight")
    if sample_weight.shape != weights.shape:
        raise ValueError(
            f"sample_weight must hold one weight per trial: {len(y)} trials, got shape "
            f"{sample_weight.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(sample_weight) & (sample_weight >= 0)))
    if len(bad):
        raise ValueError(
            f"sample_weight[{bad[0]}] is {sample_weight[bad[0]]}: weights must be finite and not "
            "negative; a weight of 0 leaves a trial out."
        )
    if not sample_weight.any():
        raise ValueError(
            "sample_weight is 0 for every trial: none with a weight above zero is left to train on."
        )
    if not (weights * sample_weight).any():
        raise ValueError(
            "class_weight is 0 for every trial that sample_weight leaves: none is left to train on."
        )
    return weights * sample_weight
