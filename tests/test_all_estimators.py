"""Run the check battery, and scikit-learn's own checks that need no data, over every estimator."""

import pickle

import checks
import family_checks
import instances
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

import skrehab

# Checks of scikit-learn that build no 2-D data, by name: releases differ in which they have.
# check_param_validation passes rubbish for each parameter, which must be refused before X is seen.
DATA_FREE = [
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimator_repr",
    "check_estimator_cloneable",
    "check_do_not_raise_errors_in_init_or_set_params",  # 1.9
    "check_do_not_raise_errors_in_init_or_set_param",  # 1.6
    "check_mixin_order",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_param_validation",
]
AVAILABLE = [name for name in DATA_FREE if hasattr(estimator_checks, name)]


def test_every_public_estimator_has_a_row():
    tried = {type(row.make()).__name__ for row in instances.ESTIMATORS}
    missing = set(instances.public_estimators()) - tried
    assert not missing, f"add a row to tests/support/instances.py for {sorted(missing)}"


def test_scikit_learn_still_has_its_checks():
    assert len(AVAILABLE) >= 11


@pytest.mark.parametrize("name", AVAILABLE)
@pytest.mark.parametrize("row", instances.ESTIMATORS, ids=[row.id for row in instances.ESTIMATORS])
def test_scikit_learn_data_free_check(row, name):
    estimator = row.make()
    getattr(estimator_checks, name)(type(estimator).__name__, estimator)


@pytest.mark.parametrize("check", checks.ALL, ids=lambda check: check.__name__)
@pytest.mark.parametrize("row", **instances.rows())
def test_battery(row, check):
    check(row)


@pytest.mark.parametrize(
    ("row", "check"),
    [
        pytest.param(row, check, id=f"{row.id}-{check.__name__}")
        for row in instances.ESTIMATORS
        for check in family_checks.BY_KIND.get(row.kind, [])
    ],
)
def test_family(row, check):
    check(row)


@pytest.mark.parametrize("row", **instances.rows(*instances.WITHOUT_TRIALS))
def test_without_a_video(row):
    """What can be asked of an estimator whose data need a video and a model file."""
    estimator = row.make()
    twin = clone(estimator)
    checks.assert_same_params(twin.get_params(), estimator.get_params())
    assert type(pickle.loads(pickle.dumps(estimator))) is type(estimator)
    assert repr(estimator).startswith(type(estimator).__name__ + "(")
    assert not checks.fitted_names(estimator)


def test_estimators_come_from_skrehab_itself():
    for name in instances.public_estimators():
        assert name in skrehab.__all__
        assert getattr(skrehab, name).__name__ == name
