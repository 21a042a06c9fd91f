"""What a model is told of each trial beside the trial itself: only what it asks for.

scikit-learn's metadata routing says who asks. A model that asks for nothing is called as ever.
"""

__all__ = ["asked_of", "predicted", "told_of", "transformed"]


def asked_of(estimator, method, told):
    """Choose what an estimator, or a step of it, asks for in a method.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.
    method : str
        ``"fit"``, ``"transform"``, ``"predict_proba"`` and the like.
    told : dict of str to array-like or None
        What is known of the trials; None is not known.

    Returns
    -------
    dict
        Those entries that are asked for and known.

    Examples
    --------
    >>> from skrehab import PatientReference
    >>> from skrehab._told import asked_of
    >>> asked_of(PatientReference(), "transform", {"exercise": ["reach"], "weather": ["fair"]})
    {'exercise': ['reach']}
    """
    from sklearn import config_context
    from sklearn.utils.metadata_routing import get_routing_for_object

    told = {name: value for name, value in told.items() if value is not None}
    if not told:
        return {}
    with config_context(enable_metadata_routing=True):
        try:
            asked = get_routing_for_object(estimator).consumes(method, list(told))
        except (AttributeError, TypeError, ValueError):
            return {}  # no estimator of scikit-learn's kind
    return {name: value for name, value in told.items() if name in asked}


def told_of(told, index):
    """Take what is known of some of the trials.

    Parameters
    ----------
    told : dict of str to ndarray of shape (n_trials,) or None
        What is known of all; None is not known.
    index : ndarray of int
        Which trials.

    Returns
    -------
    dict
        What is known, of these.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab._told import told_of
    >>> told_of({"groups": np.array(["a", "b", "c"]), "exercise": None}, [2])
    {'groups': array(['c'], dtype='<U1')}
    """
    return {name: value[index] for name, value in told.items() if value is not None}


def predicted(model, X, told, method="predict_proba"):
    """Ask a model about trials, and tell it what it asks for.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : list
        Trials.
    told : dict of str to array-like or None
        What is known of them, such as ``exercise`` and ``groups``.
    method : str, default="predict_proba"
        What to ask.

    Returns
    -------
    ndarray or list
        What the model says.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import PatientReference
    >>> from skrehab._told import predicted
    >>> X = [np.full((2, 1, 1), value) for value in (1.0, 5.0)]
    >>> reference = PatientReference().fit(X, exercise=["reach", "lift"])
    >>> predicted(reference, X, {"exercise": ["reach", "lift"]}, "transform")[1].ravel().tolist()
    [0.0, 0.0]
    """
    from sklearn import config_context

    told = asked_of(model, method, told)
    if not told:
        return getattr(model, method)(X)
    with config_context(enable_metadata_routing=True):
        return getattr(model, method)(X, **told)


def transformed(steps, X, told):
    """Pass trials through fitted steps, each told what it asks for.

    Parameters
    ----------
    steps : iterable of estimator
        Fitted transformers, none of which adds or drops trials.
    X : list
        Trials.
    told : dict of str to array-like or None
        What is known of them.

    Returns
    -------
    list
        The trials behind the last step.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import DisplacementSmoother
    >>> from skrehab._told import transformed
    >>> X = [np.ones((4, 2, 3))]
    >>> transformed([DisplacementSmoother().fit(X)], X, {"exercise": ["reach"]})[0].shape
    (4, 2, 3)
    """
    for step in steps:
        X = predicted(step, X, told, "transform")
    return X
