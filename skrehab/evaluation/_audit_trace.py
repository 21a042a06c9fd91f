"""Watch which patients' trials reach the ``fit`` of every step, inside whatever holds the step.

Trials are known by their content. What a step makes of a trial is known by its place: as many come
out as went in. So a trial is followed through scaling, bones and pseudo-labels.
"""

import functools
from contextlib import contextmanager

import numpy as np

from skrehab.evaluation._kept_folds import content_key

_LEARN = ("fit", "partial_fit", "fit_transform", "fit_resample", "fit_predict")
_MAKE = ("transform", "fit_transform", "fit_resample")


class Trace:
    """What was seen.

    ``seen``: class name to set of patients; ``unknown``: class name to trials nobody knows.
    """

    def __init__(self, X, groups):
        self.patients_of, self.seen, self.unknown = {}, {}, {}
        for trial, patient in zip(X, groups):
            self.patients_of.setdefault(content_key(trial), set()).add(patient)

    def note(self, name, X):
        if not _is_trials(X):
            return
        seen = self.seen.setdefault(name, set())
        for trial in X:
            found = self.patients_of.get(content_key(trial))
            if found is None:
                self.unknown[name] = self.unknown.get(name, 0) + 1
            else:
                seen |= found

    def follow(self, before, after):
        if isinstance(after, tuple):  # trials and labels
            after = after[0]
        if not (_is_trials(before) and _is_trials(after)) or len(before) != len(after):
            return
        for old, new in zip(before, after):
            found = self.patients_of.get(content_key(old))
            if found is not None:
                self.patients_of.setdefault(content_key(new), set()).update(found)


def _is_trials(X):
    return (
        isinstance(X, list | np.ndarray)
        and len(X) > 0
        and isinstance(X[0], np.ndarray | str)
        and (isinstance(X[0], str) or X[0].ndim >= 2)
    )


def estimators_in(model):
    """Every estimator in a model's parameters, by its name in them, the model first."""
    found = {"": model}
    if hasattr(model, "get_params") and not isinstance(model, type):
        for name, value in model.get_params(deep=True).items():
            if hasattr(value, "fit") and hasattr(value, "get_params"):
                if not isinstance(value, type):
                    found[name] = value
    return found


@contextmanager
def watching(trace, classes):
    """Note what reaches the methods of some classes while a block runs."""
    put_back = []
    try:
        for cls in classes:
            for name in dict.fromkeys((*_LEARN, *_MAKE)):
                method = getattr(cls, name, None)
                if callable(method) and hasattr(method, "__get__"):
                    own = name in vars(cls)
                    put_back.append((cls, name, vars(cls).get(name), own))
                    setattr(cls, name, _watched(method, cls.__name__, name, trace))
        yield trace
    finally:
        for cls, name, method, own in reversed(put_back):
            if own:
                setattr(cls, name, method)
            else:
                delattr(cls, name)


def _watched(method, of, name, trace):
    @functools.wraps(method)
    def wrapper(self, X=None, *args, **kwargs):
        if name in _LEARN:
            trace.note(of, X)
        out = method(self, X, *args, **kwargs)
        if name in _MAKE:
            trace.follow(X, out)
        return out

    return wrapper
