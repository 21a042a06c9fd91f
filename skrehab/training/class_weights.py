"""Weights of classes, checked on every way in as weights of trials are."""

import warnings
from numbers import Real

import numpy as np

from skrehab._fitting import plain_numbers

__all__ = ["check_class_weight"]


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
