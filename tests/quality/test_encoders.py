"""An encoder that has learned is used as it is; one that has not learns as a clone."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin

from skrehab.quality.encoders import has_learned, learned_encoder


class Doubled(TransformerMixin, BaseEstimator):
    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        self.n_seen_ = len(X)
        return self

    def transform(self, X):
        return [2 * trial for trial in X]


def learned(encoder, poses=(), fine_tune=False):
    seed = np.random.RandomState(0)
    return learned_encoder(encoder, list(poses), fine_tune=fine_tune, random_state=seed)


def test_one_that_has_learned_is_the_same_object():
    encoder = Doubled().fit([1, 2])
    assert has_learned(encoder) and learned(encoder) is encoder


def test_one_that_has_not_is_cloned_seeded_and_left_alone():
    encoder = Doubled()
    twin = learned(encoder, [1, 2, 3])
    assert twin is not encoder and not has_learned(encoder)
    assert twin.n_seen_ == 3
    assert twin.random_state == learned(encoder).random_state is not None
    assert learned(Doubled(random_state=7)).random_state == 7


def test_names_and_nothing_are_no_encoder():
    assert learned(None) is None and learned("scratch") is None
    assert not has_learned("scratch")


def test_only_a_pretrainer_can_be_trained_further():
    with pytest.raises(ValueError, match=r"Doubled cannot be trained further.*fine_tune=False"):
        learned(Doubled().fit([1]), fine_tune=True)
