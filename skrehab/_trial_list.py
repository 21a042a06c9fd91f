"""What transformers return: a list of trials that is not put end to end in time by accident."""

import numpy as np

__all__ = ["TrialList"]


class TrialList(list):
    """A list of trials that refuses to be joined along its second axis, which is time.

    scikit-learn's ``FeatureUnion`` joins what its transformers return along axis 1. With trials of
    equal length that went through: a trial of 10 frames became one of 20, and got 20 verdicts.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab._trial_list import TrialList
    >>> trials = TrialList([np.zeros((10, 5, 3)), np.ones((10, 5, 3))])
    >>> np.concatenate(trials).shape, np.stack(trials).shape
    ((20, 5, 3), (2, 10, 5, 3))
    >>> np.concatenate([trials, trials], axis=1)
    Traceback (most recent call last):
        ...
    ValueError: Trials would be put end to end in time: a FeatureUnion cannot join them. ...
    """

    def __array_function__(self, function, types, args, kwargs):
        axis = kwargs.get("axis", args[1] if len(args) > 1 else 0)
        if function is np.concatenate and axis == 1:
            raise ValueError(
                "Trials would be put end to end in time: a FeatureUnion cannot join them. Put "
                "transformers one after the other in a Pipeline, or join coordinates yourself, "
                "trial by trial: np.concatenate([a[i], b[i]], axis=2)."
            )
        return function(*_plain(args), **{key: _plain(value) for key, value in kwargs.items()})


def _plain(value):
    """The same without this class, so that numpy does what it does with any list."""
    if isinstance(value, TrialList):
        return list(value)
    if type(value) in (list, tuple):
        return type(value)(_plain(one) for one in value)
    return value
