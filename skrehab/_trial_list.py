"""What transformers return: a list of trials that is not put end to end in time by accident."""

import numpy as np

__all__ = ["GivesTrials", "TrialList"]


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


class GivesTrials:
    """Base of transformers that give trials, whatever scikit-learn was told to make of results.

    ``sklearn.set_config(transform_output="pandas")`` makes tables of what has names for its
    columns. A list of trials of several lengths is none, and was an error. Stands before
    :class:`sklearn.base.TransformerMixin`; a class that gives tables says
    ``auto_wrap_output_keys=("transform",)``.

    Examples
    --------
    >>> import numpy as np, sklearn
    >>> from skrehab import BoneVectors
    >>> X = [np.random.RandomState(n).rand(n, 33, 3) for n in (4, 6)]
    >>> with sklearn.config_context(transform_output="pandas"):
    ...     [len(trial) for trial in BoneVectors().fit_transform(X)]
    [4, 6]
    """

    def __init_subclass__(cls, auto_wrap_output_keys=None, **kwargs):
        super().__init_subclass__(auto_wrap_output_keys=auto_wrap_output_keys, **kwargs)

    def set_output(self, *, transform=None):
        """Do nothing: trials are no table. Later steps of a pipeline may give one.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            What results should be, where they are tables.

        Returns
        -------
        estimator
            The transformer itself.
        """
        return self


def _plain(value):
    """The same without this class, so that numpy does what it does with any list."""
    if isinstance(value, TrialList):
        return list(value)
    if type(value) in (list, tuple):
        return type(value)(_plain(one) for one in value)
    return value
