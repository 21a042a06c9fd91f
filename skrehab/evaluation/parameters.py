"""Parameters are checked before the folds, by the name of the estimator that has them."""

__all__ = ["check_parameters"]


def check_parameters(estimator):
    """Check the parameters of an estimator and of all that are inside it.

    Cross-validation finds them too, but says that it is its own parameter that is wrong.

    Parameters
    ----------
    estimator : estimator
        A pipeline or the like.

    Raises
    ------
    ValueError
        If one is wrong; the message names the estimator that it belongs to.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrehab import FrameMLP
    >>> from skrehab.evaluation import check_parameters
    >>> check_parameters(make_pipeline(FrameMLP(lr="foo")))
    Traceback (most recent call last):
    ...
    sklearn.utils._param_validation.InvalidParameterError: The 'lr' parameter of FrameMLP must ...
    """
    inside = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    for one in (estimator, *inside):
        # an estimator of one's own need not list what its parameters may be
        if hasattr(one, "_parameter_constraints") and not isinstance(one, type):
            one._validate_params()
