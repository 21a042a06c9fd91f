"""How a constructor with many parameters keeps them: each as it came, under its own name.

scikit-learn reads an estimator's parameters from the signature of its constructor, so that is
written out in full. A second list of the same names below it, ``self.lr = lr`` and so on, says
nothing more, and is the place where one is forgotten.
"""

__all__ = ["keep_parameters"]


def keep_parameters(estimator, given):
    """Set each parameter of a constructor as the attribute of its name, unchanged.

    Parameters
    ----------
    estimator : object
        What is constructed.
    given : dict
        ``locals()``, on the first line of the constructor.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator, clone
    >>> from skrehab._parameters import keep_parameters
    >>> class Threshold(BaseEstimator):
    ...     def __init__(self, above=0.5, *, per_trial=False):
    ...         keep_parameters(self, locals())
    >>> clone(Threshold(0.7)).get_params()
    {'above': 0.7, 'per_trial': False}
    """
    # a constructor that names super() has __class__ among its locals
    own = {name: value for name, value in given.items() if name not in ("self", "__class__")}
    vars(estimator).update(own)
