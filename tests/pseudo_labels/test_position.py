"""Pseudo-labels that follow the clock instead of the movement are said, and no others."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import skrehab
from skrehab import SaliencyPseudoLabeler, VideoClassifier
from skrehab.datasets import make_rehab_trials
from skrehab.pseudo_labels.position import lean_of
from skrehab.recipes import published, recommended
from skrehab.trials import ragged

LEAN = "lean on the position in the trial"


def planted(first=5, last=40, n=24):
    """Landmark 0 rises for 12 of 60 frames, somewhere between two frames, in every other trial."""
    rng = np.random.RandomState(0)
    X = [(0.1 * rng.randn(60, 5, 3)).astype(np.float32) for _ in range(n)]
    for trial in X[1::2]:
        start = rng.randint(first, last + 1)
        trial[start : start + 12, 0] += 1
    return X, np.arange(n) % 2


class Scorer(BaseEstimator):
    """Scores frames by what it is told, a function of the trial."""

    def __init__(self, score=None):
        self.score = score

    def fit(self, X, y, **params):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def saliency(self, X, **options):
        return ragged(self.score(trial) for trial in X)


def test_lean_by_hand():
    hump, rise = np.array([0.0, 1, 2, 1, 0]), np.arange(5.0)
    assert lean_of(rise, rise) == pytest.approx(1)
    assert lean_of(rise, rise[::-1]) == pytest.approx(-1)
    assert lean_of(hump, hump) == pytest.approx(0)
    assert np.isnan(lean_of(rise, np.zeros(5)))


@pytest.mark.parametrize(
    ("score", "lean"),
    [
        (lambda trial: np.arange(60.0), 1),  # the clock
        (lambda trial: trial[:, 0].sum(axis=1), -0.5),  # the movement, which is short
        (lambda trial: np.bartlett(60), 0),  # the same both ways: nothing can be told
        (lambda trial: np.zeros(60), np.nan),
    ],
)
def test_the_lean_of_a_known_scorer(score, lean):
    X, y = planted()
    labeler = SaliencyPseudoLabeler(Scorer(score), threshold=("quantile", 0.3), scale="frames")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        labeler.fit(X, y)
    assert labeler.position_lean_ == pytest.approx(lean, abs=0.3, nan_ok=True)
    assert any(LEAN in str(one.message) for one in said) == (lean == 1)


def test_few_trials_tell_nothing():
    X, y = planted(n=8)
    labeler = SaliencyPseudoLabeler(Scorer(lambda trial: np.arange(60.0))).fit(X, y)
    assert np.isnan(labeler.position_lean_)


@pytest.mark.parametrize("network", ["gru", "lstm"])
def test_a_last_state_after_short_training_is_said(network, tmp_path):
    X, y = planted()
    params = {"network_params": {"readout": "last"}, "max_epochs": 3, "random_state": 0}
    labeler = SaliencyPseudoLabeler(VideoClassifier(network, **params), n_steps=8)
    with pytest.warns(UserWarning, match=LEAN):
        labeler.fit(X, y)
    assert labeler.position_lean_ > 0.4
    skrehab.save(labeler, tmp_path / "model")
    assert skrehab.load(tmp_path / "model").position_lean_ == labeler.position_lean_


@pytest.mark.parametrize("where", [(5, 40), (44, 46)])  # anywhere; always near the end
def test_a_mean_over_frames_is_not_accused(where):
    X, y = planted(*where)
    params = {"network_params": {"readout": "mean"}, "max_epochs": 10, "random_state": 0}
    labeler = SaliencyPseudoLabeler(VideoClassifier("gru", lr=3e-3, **params), n_steps=8)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=f".*{LEAN}")
        labeler.fit(X, y)
    assert labeler.position_lean_ < 0


@pytest.mark.parametrize("recipe", ["recommended", "published"])
def test_the_recipes_are_not_accused(recipe):
    data = make_rehab_trials(4, 2, ["brush_hair", "hip_flexion"], random_state=0)
    if recipe == "recommended":
        pipeline = recommended(max_epochs=6, n_teachers=1, random_state=0)
    else:
        pipeline = published("lstm", max_epochs=6, frame_epochs=1, random_state=0)
        pipeline.set_params(labels__n_steps=8)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=f".*{LEAN}")
        pipeline.fit(data.X, data.y, groups=data.groups)
    assert pipeline["labels"].position_lean_ < 0.25
