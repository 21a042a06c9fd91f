"""MovementSummary beside the network of a QualityRegressor, and how much say it gets."""

import numpy as np
import pytest
from sklearn.base import clone

import skrehab
from skrehab import QualityRegressor
from skrehab.metrics import spearman
from skrehab.quality.summary import fit_summary, summary_scores
from skrehab.training.schedules import enough_epochs


def shaky(n_people=9, each=6, seed=0):
    """People of their own size and pace; a tremor of 5 Hz is the larger, the lower the score."""
    rng = np.random.RandomState(seed)
    X, scores, people = [], [], []
    for person in range(n_people):
        size, pace = rng.uniform(0.7, 1.3), rng.uniform(0.7, 1.3)
        for _ in range(each):
            n = rng.randint(40, 60)
            seconds = np.arange(n) / 15
            tremor = rng.uniform(0, 0.04)
            pose = 0.005 * rng.randn(n, 4, 3)
            pose[:, :2] += 0.3 * size * np.sin(pace * seconds)[:, None, None]
            pose[:, 0] += tremor * np.sin(2 * np.pi * 5 * seconds + rng.rand(3, 1) * 6).T
            X.append(pose.astype(np.float32))
            scores.append(50 * (1 - tremor / 0.04))
            people.append(f"P{person}")
    return X, np.array(scores), np.array(people)


def quick(**params):
    return QualityRegressor(**({"hidden_size": 4, "max_epochs": 2, "random_state": 0} | params))


def test_a_planted_tremor_is_ranked_on_new_people():
    """54 trials; the summary carries it where the network has not learned yet."""
    X, scores, people = shaky()
    new, truth, _ = shaky(seed=1)
    model = quick().fit(X, scores, groups=people)
    assert model.summary_weight_ > 0.6
    assert spearman(truth, model.predict(new)) > 0.8
    alone = quick(summary=None).fit(X, scores)
    assert spearman(truth, alone.predict(new)) < 0.7 and alone.summary_ is None


def test_the_prediction_is_a_weighted_mean_by_hand():
    X, scores, people = shaky(4)
    model = quick().fit(X, scores, groups=people)
    alone = quick(summary=None).fit(X, scores).predict(X)
    standard = (scores - model.score_mean_) / model.score_scale_
    found = fit_summary(X, standard, people)
    beside = summary_scores(found, X) * model.score_scale_ + model.score_mean_
    w = found.weight
    assert 0 < w < 1 and model.summary_weight_ == w
    np.testing.assert_allclose(model.predict(X), w * beside + (1 - w) * alone, rtol=1e-5)


def test_where_it_knows_nothing_it_has_no_say():
    X, _, people = shaky()
    noise = np.random.RandomState(3).rand(len(X))
    assert fit_summary(X, noise, people).weight == 0
    alone, both = (quick(summary=s).fit(X, noise).predict(X[:5]) for s in (None, "auto"))
    np.testing.assert_allclose(alone, both)


def test_held_out_people_are_whole():
    """Scores belong to people, who each shake a joint of their own: held-out trials praise it."""
    X, _, people = shaky(4)
    rng = np.random.RandomState(0)
    for trial, person in zip(X, people):
        trial[:, int(person[1:])] += 0.5 * rng.randn(len(trial), 3)
    scores = np.array([(0, 3, 1, 2)[int(person[1:])] for person in people], dtype=float)
    by_trial, by_person = (fit_summary(X, scores, g).weight for g in (None, people))
    assert by_trial > 0.9 and by_person < 0.3


def test_who_has_no_summary():
    X, scores, _ = shaky(4)
    assert quick().fit(X[:9], scores[:9]).summary_ is None
    levels = (scores > 25).astype(int)
    assert quick(head="ordinal").fit(X, levels).summary_ is None
    made = [trial.reshape(len(trial), 1, -1) for trial in X]  # what an encoder makes
    assert quick().fit(made, scores).summary_ is None
    clips = [trial[:, :, 0] for trial in X]
    assert quick(streams="appearance").fit(clips, scores).summary_ is None


def test_a_lost_landmark_and_a_trial_without_weight():
    X, scores, people = shaky(4)
    X[3][:, 1] = np.nan
    X[5] = X[5][:1]
    weight = np.ones(len(X))
    weight[7] = 0
    model = quick().fit(X, scores, sample_weight=weight, groups=people)
    assert np.isfinite(model.predict(X)).all() and np.isfinite(model.summary_).all()
    other = scores.copy()
    other[7] = 1e6
    again = clone(model).fit(X, other, sample_weight=weight, groups=people)
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-4)


def test_saved(tmp_path):
    X, scores, people = shaky(4)
    model = quick().fit(X, scores, groups=people)
    again = skrehab.load(skrehab.save(model, tmp_path / "model"))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.summary_weight_ == model.summary_weight_ > 0


@pytest.mark.parametrize("n", [12, 30])
def test_few_trials_get_as_many_updates(n):
    X, scores, _ = shaky(6)
    model = QualityRegressor(hidden_size=1, batch_size=5, summary=None, random_state=0)
    model.fit([trial[:4] for trial in X[:n]], scores[:n])
    assert len(model.history_) == enough_epochs(n, 5) and model.lr == 3e-3
