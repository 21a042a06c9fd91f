"""The battery's second part: what each family of estimators must do beyond
tests/support/checks.py."""

import numpy as np
import pytest
from checks import assert_same, fit, outputs
from instances import tiny_trials

from skrehab.trials import UNLABELLED, labelled


# --- transformers ---------------------------------------------------------------------------------
def check_frames_in_frames_out(row):
    data = tiny_trials()
    transformed = fit(row, data).transform(data.X)
    assert isinstance(transformed, list)
    for out, trial in zip(transformed, data.X, strict=True):
        assert out.dtype == np.float32
        assert out.shape == trial.shape
        assert not np.shares_memory(out, trial)


def check_transform_is_per_trial(row):
    """A trial's transform does not depend on the other trials it is given with."""
    data = tiny_trials()
    estimator = fit(row, data)
    together = estimator.transform(data.X)
    for i, trial in enumerate(data.X):
        np.testing.assert_array_equal(together[i], estimator.transform([trial])[0])


def check_prefix_consistency(row):
    """What runs live is what was evaluated: the past does not change when frames are added."""
    data = tiny_trials()
    data.X[0][:3, 1] = np.nan
    for trial in data.X[:3]:
        trial[4:6, 2] = np.nan  # lost for a moment
    estimator = fit(row, data)
    for trial in data.X[:3]:
        whole = estimator.transform([trial])[0]
        same = all(
            np.array_equal(estimator.transform([trial[:t]])[0], whole[:t], equal_nan=True)
            for t in range(1, len(trial))
        )
        assert same == row.causal, "instances.py says otherwise about causal"


def check_fit_transform(row):
    data = tiny_trials()
    estimator = row.make()
    np.testing.assert_equal(estimator.fit_transform(data.X), fit(row, data).transform(data.X))


def check_bones_of_length_one(row):
    data = tiny_trials()
    estimator = fit(row, data)
    transformed = estimator.transform(data.X)
    assert isinstance(transformed, list)
    for out, trial in zip(transformed, data.X, strict=True):
        assert out.dtype == np.float32
        assert out.shape == (len(trial), len(estimator.get_feature_names_out()), 3)
        np.testing.assert_allclose((out**2).sum(axis=2), 1, rtol=1e-5)


# --- video classifiers ----------------------------------------------------------------------------
def check_padding_invariance(row):
    """A batch of ragged trials says what each trial says alone."""
    data = tiny_trials(lengths=(3, 60))
    estimator = fit(row, data)
    together = outputs(row, estimator, data.X)
    for i, trial in enumerate(data.X):
        alone = outputs(row, estimator, [trial])
        assert_same({k: v[i : i + 1] for k, v in together.items()}, alone, tolerance=1e-5)


def check_text_labels(row):
    """Labels are names: the same problem in words gives the same probabilities."""
    data = tiny_trials()
    names = np.array(["lean", "normal"])
    estimator = row.make().fit(data.X, names[data.y])
    numbers = fit(row, data)
    assert estimator.classes_.tolist() == ["lean", "normal"]
    np.testing.assert_array_equal(estimator.predict(data.X), names[numbers.predict(data.X)])
    np.testing.assert_array_equal(estimator.predict_proba(data.X), numbers.predict_proba(data.X))
    assert estimator.score(data.X, names[data.y]) == numbers.score(data.X, data.y)


def check_predict_is_argmax(row):
    data = tiny_trials()
    for y in (data.y, np.arange(len(data.y)) % 3):
        estimator = row.make().fit(data.X, y)
        proba = estimator.predict_proba(data.X)
        n_classes = len(np.unique(y))
        assert proba.shape == (len(y), n_classes)
        np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
        assert (proba >= 0).all()
        np.testing.assert_array_equal(
            estimator.predict(data.X), estimator.classes_[proba.argmax(axis=1)]
        )
        logits = estimator.decision_function(data.X)
        if n_classes == 2:
            assert logits.shape == (len(y),)
            np.testing.assert_allclose(proba[:, 1], 1 / (1 + np.exp(-logits)), rtol=1e-5)
        else:
            assert logits.shape == proba.shape
            np.testing.assert_array_equal(logits.argmax(axis=1), proba.argmax(axis=1))


def check_saliency_per_frame(row):
    data = tiny_trials()
    estimator = fit(row, data)
    for method in ("vanilla_gradient", "integrated_gradients"):
        scores = estimator.saliency(data.X, method=method, n_steps=3)
        assert [one.shape for one in scores] == [(len(trial),) for trial in data.X]
        for one in scores:
            assert one.min() == 0 and one.max() == 1


def check_multiclass_saliency(row):
    """Each class has its own map, and an unknown class is refused."""
    data = tiny_trials()
    y = np.array(["a", "b", "c"])[np.arange(len(data.y)) % 3]
    estimator = row.make().fit(data.X, y)
    maps = {c: estimator.saliency(data.X, target=c, normalize=False, n_steps=3) for c in "abc"}
    assert not np.allclose(maps["a"][0], maps["b"][0])
    predicted = estimator.predict(data.X)
    default = estimator.saliency(data.X, normalize=False, n_steps=3)
    for i, label in enumerate(predicted):
        np.testing.assert_allclose(default[i], maps[label][i], rtol=1e-5)
    with pytest.raises(ValueError, match="'d' is not among"):
        estimator.saliency(data.X, target="d")


def check_weights_matter(row):
    """Weight zero removes a trial's influence; class weights are weights of the trials."""
    data = tiny_trials()
    weights = np.where(data.y == 1, 3.0, 1.0)
    by_class = row.make().set_params(class_weight={0: 1.0, 1: 3.0}).fit(data.X, data.y)
    by_trial = row.make().fit(data.X, data.y, sample_weight=weights)
    assert_same(outputs(row, by_class, data.X), outputs(row, by_trial, data.X))
    plain = fit(row, data)
    assert not np.array_equal(plain.predict_proba(data.X), by_class.predict_proba(data.X))

    ignored = np.ones(len(data.X))
    ignored[5] = 0
    one = row.make().fit(data.X, data.y, sample_weight=ignored).predict_proba(data.X)
    y = data.y.copy()
    y[5] = 1 - y[5]  # the label of a trial without weight
    other = row.make().fit(data.X, y, sample_weight=ignored).predict_proba(data.X)
    np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="one weight per trial: 16 trials"):
        row.make().fit(data.X, data.y, sample_weight=[1.0])


# --- pseudo-labelers ------------------------------------------------------------------------------
def check_labels_align(row):
    data = tiny_trials()
    X, labels = row.make().fit_resample(data.X, data.y)
    assert X is data.X
    assert isinstance(labels, np.ndarray) and labels.dtype == object and labels.ndim == 1
    assert [one.shape for one in labels] == [(len(trial),) for trial in data.X]
    assert set(np.concatenate(labels)) <= {0, 1, UNLABELLED}
    assert 1 in np.concatenate(labels)


def check_normal_trials_are_all_normal(row):
    data = tiny_trials()
    labeler = fit(row, data)
    for label, frames, scores in zip(data.y, labeler.transduction_, labeler.scores_):
        if label == 0:
            assert (frames == 0).all() and (scores == 0).all()
        else:
            highest = 1 if labeler.scale == "frames" else data.X[0].shape[1]
            assert scores.min() >= 0 and 0 < scores.max() <= highest
            assert labeler.scale != "frames" or (scores.min(), scores.max()) == (0, 1)


def check_fit_is_fit_resample(row):
    data = tiny_trials()
    labeler = fit(row, data)
    _, labels = row.make().fit_resample(data.X, data.y)
    for one, other in zip(labeler.transduction_, labels):
        np.testing.assert_array_equal(one, other)


def check_frame_truth_is_refused(row):
    data = tiny_trials()
    with pytest.raises(TypeError, match="frame_labels"):
        row.make().fit_resample(data.X, data.y, frame_labels=data.frame_labels)


# --- frame classifiers ----------------------------------------------------------------------------
def check_frames_align(row):
    data = tiny_trials()
    estimator = fit(row, data)
    predicted, proba = estimator.predict(data.X), estimator.predict_proba(data.X)
    for p, q, trial in zip(predicted, proba, data.X, strict=True):
        assert p.shape == (len(trial),) and q.shape == (len(trial), 2)
        np.testing.assert_allclose(q.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(p, estimator.classes_[q.argmax(axis=1)])


def check_unlabelled_frames_are_ignored(row):
    """Changing the X of a frame labelled -1 changes nothing; a trial may be all -1."""
    data = tiny_trials()
    y = [labels.copy() for labels in data.frame_labels]
    y[0][:] = UNLABELLED
    y[3][4:7] = UNLABELLED
    one = row.make().fit(data.X, y)
    assert UNLABELLED not in one.classes_
    changed = [trial.copy() for trial in data.X]
    for trial, labels in zip(changed, y):
        use = labelled(labels)
        if not (row.context and use.any()):  # or else it is what stands around a labelled frame
            trial[~use] = 1e3
    other = row.make().fit(changed, y)
    assert_same(outputs(row, one, data.X), outputs(row, other, data.X))


def check_frame_prefix_consistency(row):
    data = tiny_trials()
    estimator = fit(row, data)
    whole = estimator.predict_proba(data.X[:1])[0]
    for t in range(1, len(data.X[0])):
        prefix = estimator.predict_proba([data.X[0][:t]])[0]
        if row.causal:
            np.testing.assert_allclose(prefix, whole[:t], rtol=1e-5, atol=1e-7)
        elif not np.allclose(prefix, whole[:t], rtol=1e-5, atol=1e-7):
            return
    assert row.causal, "instances.py says otherwise about causal"


def check_frame_text_and_multiclass_labels(row):
    data = tiny_trials()
    names = np.array(["none", "lean", "rotate"], dtype=object)
    y = [names[(np.arange(len(trial)) + i) % 3] for i, trial in enumerate(data.X)]
    y[0] = y[0].copy()
    y[0][2] = UNLABELLED  # text and -1 in one object array
    estimator = row.make().fit(data.X, y)
    assert estimator.classes_.tolist() == ["lean", "none", "rotate"]
    assert estimator.predict_proba(data.X)[0].shape == (len(data.X[0]), 3)
    assert set(np.concatenate(estimator.predict(data.X))) <= set(names)


def check_trial_weights_are_frame_weights(row):
    data = tiny_trials()
    rng = np.random.RandomState(0)
    by_trial = rng.rand(len(data.X))
    by_frame = [np.full(len(trial), weight) for trial, weight in zip(data.X, by_trial)]
    one = row.make().fit(data.X, data.frame_labels, sample_weight=by_trial)
    other = row.make().fit(data.X, data.frame_labels, sample_weight=by_frame)
    assert_same(outputs(row, one, data.X), outputs(row, other, data.X))
    plain = fit(row, data)
    assert not np.array_equal(plain.predict_proba(data.X)[0], one.predict_proba(data.X)[0])


def check_score_is_accuracy_of_labelled_frames(row):
    data = tiny_trials()
    estimator = fit(row, data)
    y = [labels.copy() for labels in data.frame_labels]
    y[1][:5] = UNLABELLED
    truth, said = np.concatenate(y), np.concatenate(estimator.predict(data.X))
    expected = np.mean((truth == said)[truth != UNLABELLED])
    assert estimator.score(data.X, y) == pytest.approx(expected)


def check_one_vector_a_frame(row):
    data = tiny_trials()
    said = fit(row, data).transform(data.X)
    assert isinstance(said, list)
    widths = {one.shape[1:] for one in said}
    assert len(widths) == 1 and widths.pop()[1] == 1
    for one, trial in zip(said, data.X, strict=True):
        assert one.dtype == np.float32 and len(one) == len(trial)


BY_KIND = {
    "bones": [
        check_bones_of_length_one,
        check_transform_is_per_trial,
        check_prefix_consistency,
        check_fit_transform,
    ],
    "transformer": [
        check_frames_in_frames_out,
        check_transform_is_per_trial,
        check_prefix_consistency,
        check_fit_transform,
    ],
    "trial_regressor": [check_padding_invariance],
    "trial_classifier": [check_padding_invariance],
    "representation": [
        check_one_vector_a_frame,
        check_padding_invariance,
        check_fit_transform,
    ],
    "video_classifier": [
        check_padding_invariance,
        check_text_labels,
        check_predict_is_argmax,
        check_saliency_per_frame,
        check_multiclass_saliency,
        check_weights_matter,
    ],
    "pseudo_labeler": [
        check_labels_align,
        check_normal_trials_are_all_normal,
        check_fit_is_fit_resample,
        check_frame_truth_is_refused,
    ],
    "frame_classifier": [
        check_frames_align,
        check_unlabelled_frames_are_ignored,
        check_frame_prefix_consistency,
        check_frame_text_and_multiclass_labels,
        check_trial_weights_are_frame_weights,
        check_score_is_accuracy_of_labelled_frames,
    ],
}
