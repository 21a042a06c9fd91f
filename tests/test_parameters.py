"""A constructor keeps what it was given, as it was given, and nothing else."""

import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from skrehab import FrameMLP, FrameTCN, SaliencyPseudoLabeler, VideoClassifier
from skrehab._parameters import keep_parameters


class Base(BaseEstimator):
    def __init__(self, first=1, *, second=()):
        keep_parameters(self, locals())


class Child(Base):
    def __init__(self, first=1, *, second=(), third=None):
        super().__init__(first, second=second)  # puts __class__ among the locals
        keep_parameters(self, locals())


def test_nothing_but_the_parameters_is_kept_and_each_as_it_came():
    value = [1, 2]
    child = Child(value, third=value)
    assert vars(child) == {"first": value, "second": (), "third": value}
    assert child.first is value and child.third is value
    assert vars(pickle.loads(pickle.dumps(child))) == vars(child)


@pytest.mark.parametrize("kind", [VideoClassifier, FrameMLP, FrameTCN, SaliencyPseudoLabeler])
def test_each_parameter_of_the_signature_stands_under_its_own_name(kind):
    names = list(inspect.signature(kind).parameters)
    marks = {name: object() for name in names if name != "network"}
    estimator = kind(**marks)
    assert list(vars(estimator)) == names  # in the order of the signature, nothing else
    assert all(getattr(estimator, name) is mark for name, mark in marks.items())
    if kind is not SaliencyPseudoLabeler:  # which needs a classifier
        assert list(kind().get_params(deep=False)) == sorted(names)


def test_a_clone_holds_equal_parameters_of_its_own():
    weights = np.array([1.0, 2.0])
    model = Base(weights)
    twin = clone(model)
    assert twin.first is not weights and np.array_equal(twin.first, weights)
