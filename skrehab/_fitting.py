"""What ``fit`` of every estimator stands in: whole or not at all, whatever the caller has set.

scikit-learn checks parameters; around that stands what it leaves open. An estimator whose fit
failed is as it was before, and not a new half on an old one. Numbers of numpy among its parameters
are numbers. Torch's own settings of the caller do not reach in.
"""

import functools
import inspect
import re

import numpy as np

from skrehab._seen import remember
from skrehab._surroundings import check_device, own_surroundings

__all__ = ["fit_context", "plain_numbers"]

_FITTED = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*_")


def fit_context(*, prefer_skip_nested_validation, goes_on=False):
    """Decorate ``fit`` and what else learns; takes the place of scikit-learn's ``_fit_context``.

    Parameters
    ----------
    prefer_skip_nested_validation : bool
        As of scikit-learn.
    goes_on : bool, default=False
        Whether learning goes on from what was learned before. Else that is out of sight while
        ``fit`` runs, so that nothing of an earlier fit is left beside what the new one found.

    Returns
    -------
    callable
        Decorator of a method.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skrehab._fitting import fit_context
    >>> class Mean(BaseEstimator):
    ...     _parameter_constraints = {}
    ...
    ...     @fit_context(prefer_skip_nested_validation=True)
    ...     def fit(self, X):
    ...         self.n_ = len(X)
    ...         self.mean_ = sum(X) / self.n_
    ...         return self
    >>> mean = Mean().fit([1, 3])
    >>> try:
    ...     mean.fit([])
    ... except ZeroDivisionError:
    ...     print(mean.n_, mean.mean_)
    2 2.0
    """
    from sklearn.base import _fit_context

    checked = _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)

    def decorate(learn):
        @functools.wraps(learn)
        def on_its_device(estimator, *args, **kwargs):
            check_device(getattr(estimator, "device", None))
            return learn(estimator, *args, **kwargs)

        inner = checked(on_its_device)
        signature = inspect.signature(learn)

        @functools.wraps(learn)
        def wrapper(estimator, *args, **kwargs):
            with _WholeOrNot(estimator, goes_on), own_surroundings():
                found = inner(estimator, *args, **kwargs)
                given = signature.bind(estimator, *args, **kwargs).arguments
                groups = (given.get("params", {}) | given).get("groups")
                remember(estimator, given.get("X"), groups, goes_on)
                return found

        return wrapper

    return decorate


class _WholeOrNot:
    """Put an estimator back as it was if what is done to it fails, an interruption included."""

    def __init__(self, estimator, goes_on):
        self.estimator = estimator
        self.goes_on = goes_on or getattr(estimator, "warm_start", False)

    def __enter__(self):
        state = vars(self.estimator)
        self.before = dict(state)
        self.given = {}
        for name in [name for name in state if _FITTED.fullmatch(name)]:
            if not self.goes_on:
                del state[name]
        for name, value in self.before.items():
            if not _FITTED.fullmatch(name) and (plain := plain_numbers(value)) is not value:
                self.given[name] = value
                state[name] = plain

    def __exit__(self, kind, error, traceback):
        state = vars(self.estimator)
        if kind is not None:
            state.clear()
            state.update(self.before)
        state.update(self.given)  # parameters stay what the user gave


def plain_numbers(value):
    """Turn numpy's numbers into Python's, which is all that torch takes for a size.

    Parameters
    ----------
    value : object
        A number, or a dict, list or tuple that holds some, however deep.

    Returns
    -------
    object
        The same with plain numbers; itself where there is nothing to change.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab._fitting import plain_numbers
    >>> plain_numbers({"size": np.int64(3), "sizes": (np.int32(1), 2)})
    {'size': 3, 'sizes': (1, 2)}
    """
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind in "biuf" else value
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "biuf":
        return value.item()
    if type(value) is dict:
        keys = [plain_numbers(key) for key in value]
        inner = [plain_numbers(one) for one in value.values()]
        same = all(a is b for a, b in zip(inner, value.values()))
        same &= all(a is b for a, b in zip(keys, value))
        return value if same else dict(zip(keys, inner))
    if type(value) in (list, tuple):
        inner = [plain_numbers(one) for one in value]
        return value if all(a is b for a, b in zip(inner, value)) else type(value)(inner)
    return value
