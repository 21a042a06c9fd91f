"""What every estimator must bear: a fit that fails, and what the caller has set in torch and numpy.

Each check takes a row of tests/support/instances.py and raises where the estimator breaks its
promise.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from checks import assert_same, fit, fitted_names, outputs, target
from instances import tiny_trials


def failing(estimator, after, error):
    """Let an estimator's fit fail once it has set so many attributes of what it learned."""

    class Failing(type(estimator)):
        """The estimator, which something happens to in the middle of its fit."""

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name.endswith("_") and not name.startswith("_"):
                left[0] -= 1
                if left[0] == 0:
                    raise error

    left = [after]
    Failing.__name__ = type(estimator).__name__
    estimator.__class__ = Failing
    return left


def check_a_fit_that_fails_leaves_nothing(row):
    data = tiny_trials()
    n_attributes = len(fitted_names(fit(row, data)))
    for after in range(1, n_attributes + 1):
        estimator = row.make()
        failing(estimator, after, RuntimeError("out of memory"))
        with pytest.raises(RuntimeError, match="out of memory"):
            estimator.fit(data.X, target(row, data))
        assert not fitted_names(estimator)


def check_a_refit_that_fails_changes_nothing(row):
    """Neither a wrong input nor an error or an interruption half way mixes two models."""
    first, second = tiny_trials(), tiny_trials(n_landmarks=7, n_coords=2, seed=1)
    estimator = fit(row, first)
    before, said = dict(vars(estimator)), outputs(row, estimator, first.X)
    with pytest.raises(ValueError):
        estimator.fit([], target(row, second))
    for error in (RuntimeError("out of memory"), KeyboardInterrupt()):
        for after in range(1, len(fitted_names(estimator)) + 1):
            own = type(estimator)
            failing(estimator, after, error)
            with pytest.raises(type(error)):
                estimator.fit(second.X, target(row, second))
            estimator.__class__ = own
            assert vars(estimator).keys() == before.keys()
            assert all(vars(estimator)[name] is value for name, value in before.items())
    assert_same(outputs(row, estimator, first.X), said)


def check_what_the_caller_has_set(row):
    """The same numbers whatever torch and numpy are set to; and the settings are left alone."""
    data = tiny_trials()
    fitted = fit(row, data)
    expected = outputs(row, fitted, data.X)
    settings = {
        "inference mode": torch.inference_mode,
        "no gradients": torch.no_grad,
        "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
        "another device": lambda: torch.device("meta"),
        "numpy raises": lambda: np.errstate(all="raise"),
    }
    for setting in settings.values():
        with setting():
            assert_same(outputs(row, fitted, data.X), expected)
            again = fit(row, data)
        assert_same(outputs(row, again, data.X), expected)
    torch.set_default_dtype(torch.float64)
    try:
        assert_same(outputs(row, fitted, data.X), expected)
        again = fit(row, data)
        assert torch.get_default_dtype() == torch.float64
        torch.set_default_device("meta")
        assert_same(outputs(row, again, data.X), expected)
        assert torch.empty(0).device.type == "meta"
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


def check_threads(row):
    """Predicting in many threads says what predicting in one does."""
    data = tiny_trials()
    fitted = fit(row, data)
    expected = outputs(row, fitted, data.X)
    with ThreadPoolExecutor(4) as threads:
        for said in threads.map(lambda _: outputs(row, fitted, data.X), range(12)):
            assert_same(said, expected)


def numpy_numbers(value):
    """The same parameters as they come out of ``np.arange`` or a table."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float64(value)
    if type(value) in (list, tuple):
        return type(value)(numpy_numbers(one) for one in value)
    if type(value) is dict:
        return {key: numpy_numbers(one) for key, one in value.items()}
    return value


def check_numbers_of_numpy(row):
    data = tiny_trials()
    estimator = row.make()
    given = {k: numpy_numbers(v) for k, v in estimator.get_params(deep=False).items()}
    estimator.set_params(**given).fit(data.X, target(row, data))
    assert_same(outputs(row, estimator, data.X), outputs(row, fit(row, data), data.X))
    for name, value in estimator.get_params(deep=False).items():
        assert value is given[name], f"fit replaced {name}"


ALL = [
    check_a_fit_that_fails_leaves_nothing,
    check_a_refit_that_fails_changes_nothing,
    check_what_the_caller_has_set,
    check_threads,
    check_numbers_of_numpy,
]
