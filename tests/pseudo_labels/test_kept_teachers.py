"""A search over thresholds fits each classifier once a fold, and finds the same to the last bit."""

import numpy as np
from instances import tiny_frames, tiny_labeler, tiny_trials
from sklearn.model_selection import GridSearchCV, GroupKFold

import skrehab
from skrehab import VideoClassifier
from skrehab.metrics import trial_roc_auc
from skrehab.pseudo_labels import PatientPipeline


def search(memory, tiny, monkeypatch):
    fits, scores = [], []
    fit, saliency = VideoClassifier.fit, VideoClassifier.saliency
    with monkeypatch.context() as patch:
        patch.setattr(VideoClassifier, "fit", lambda s, *a, **k: fits.append(1) or fit(s, *a, **k))
        patch.setattr(
            VideoClassifier, "saliency",
            lambda s, *a, **k: scores.append(1) or saliency(s, *a, **k),
        )  # fmt: skip
        pipe = PatientPipeline([("labels", tiny_labeler(memory=memory)), ("frames", tiny_frames())])
        grid = {
            "labels__threshold": [("quantile", 0.3), ("quantile", 0.5), "auto"],
            "labels__aggregate": ["positive", "sum"],
        }
        found = GridSearchCV(pipe, grid, scoring=trial_roc_auc, cv=GroupKFold(2))
        found.fit(tiny.X, tiny.y, groups=tiny.patients)
    return found, len(fits), len(scores)


def test_a_grid_over_thresholds(tmp_path, monkeypatch):
    tiny = tiny_trials()
    plain, n_fits, n_scores = search(None, tiny, monkeypatch)
    assert (n_fits, n_scores) == (13, 14)  # the refit has trials enough to be run backwards, too
    kept, n_fits, n_scores = search(str(tmp_path), tiny, monkeypatch)
    assert n_fits == 3  # one a fold, and one to refit
    assert n_scores == 6  # two ways to aggregate a fold, and one to refit, both ways in time
    np.testing.assert_array_equal(
        kept.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
    for ours, theirs in zip(
        kept.best_estimator_.predict_proba(tiny.X), plain.best_estimator_.predict_proba(tiny.X)
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_other_labels_are_another_fit(tmp_path):
    tiny = tiny_trials()
    first = tiny_labeler(memory=str(tmp_path)).fit(tiny.X, tiny.y)
    other = tiny_labeler(memory=str(tmp_path)).fit(tiny.X, 1 - tiny.y)
    plain = tiny_labeler().fit(tiny.X, 1 - tiny.y)
    for ours, theirs in zip(other.scores_, plain.scores_):
        np.testing.assert_array_equal(ours, theirs)
    assert any((a != b).any() for a, b in zip(first.scores_, other.scores_))


def test_another_version_fits_anew(tmp_path, monkeypatch):
    """After an update the old version's classifiers were taken, whatever had been mended."""
    tiny, fits = tiny_trials(), []
    fit = VideoClassifier.fit
    monkeypatch.setattr(
        VideoClassifier, "fit", lambda s, *a, **k: fits.append(1) or fit(s, *a, **k)
    )
    for version, n_fits in (("1.0", 1), ("1.0", 1), ("1.1", 2), ("1.0", 2)):
        monkeypatch.setattr(skrehab, "__version__", version)
        tiny_labeler(memory=str(tmp_path)).fit(tiny.X, tiny.y)
        assert len(fits) == n_fits
