"""Pseudo-labels cross-fitted by patient: who labels whom, nothing leaks, groups are routed."""

import numpy as np
import pytest
import sklearn
from imblearn.pipeline import Pipeline
from instances import tiny_frames, tiny_labeler, tiny_trials, tiny_video
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut, cross_validate

import skrehab
from skrehab.metrics import trial_roc_auc


def fit(data, y=None, **params):
    labeler = tiny_labeler(threshold=("quantile", 0.38), **params).set_params(
        estimator__max_epochs=4
    )
    return labeler.fit(data.X, data.y if y is None else y, groups=data.patients)


@pytest.mark.parametrize("cv", [2, GroupKFold(3), LeaveOneGroupOut()])
def test_each_patient_is_labelled_by_a_classifier_that_never_saw_them(tiny, cv):
    """The labels of a fold are those of a labeler fitted on the others and asked about these."""
    labeler = fit(tiny, cv=cv)
    splitter = GroupKFold(cv) if isinstance(cv, int) else cv
    folds = list(splitter.split(tiny.X, tiny.y, tiny.patients))
    assert len(labeler.fold_estimators_) == len(folds)
    for train, held_out in folds:
        alone = clone(labeler.estimator).fit([tiny.X[i] for i in train], tiny.y[train])
        asked = [i for i in held_out if tiny.y[i] == 1]
        how = {"aggregate": "positive", "scale": "map", "n_steps": 4, "target": 1}
        for i, scores in zip(asked, alone.saliency([tiny.X[i] for i in asked], **how)):
            np.testing.assert_allclose(labeler.scores_[i], scores, rtol=1e-3, atol=1e-4)
    whole = fit(tiny)
    np.testing.assert_array_equal(
        labeler.estimator_.predict_proba(tiny.X), whole.estimator_.predict_proba(tiny.X)
    )
    assert any((a != b).any() for a, b in zip(labeler.scores_, whole.scores_))
    assert not hasattr(whole, "fold_estimators_")


def alike(one, other):
    """Up to rounding: with other labels other trials stand in a batch."""
    return np.allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("patient", [0, 2])
def test_a_patient_s_labels_change_nothing_in_that_patient_s_pseudo_labels(tiny, patient):
    """By prediction nothing at all; by label only which trials count as normal."""
    own = tiny.patients == np.unique(tiny.patients)[patient]
    turned = np.where(own, 1 - tiny.y, tiny.y)
    for params in ({"label_source": "predicted"}, {"label_source": "true"}):
        before = fit(tiny, cv=LeaveOneGroupOut(), **params)
        after = fit(tiny, turned, cv=LeaveOneGroupOut(), **params)
        assert before.fallback_ is None and after.fallback_ is None
        others = False
        for i in range(len(tiny.X)):
            same = np.array_equal(before.transduction_[i], after.transduction_[i])
            if not own[i]:
                others |= not alike(before.scores_[i], after.scores_[i])
            elif params["label_source"] == "predicted":
                assert same and alike(before.scores_[i], after.scores_[i])
            else:
                assert not (before.scores_[i].any() and after.scores_[i].any())  # one is normal
        assert others  # the other patients' classifiers did learn from those labels
    # without cross-fitting it is not so: the scores of trials whose label stayed move
    mixed = tiny.y.copy()
    mixed[np.flatnonzero(own)[:2]] = 1
    kept = np.flatnonzero(own)[-1]
    moved = [fit(tiny, y).scores_[kept] for y in (tiny.y, mixed)]
    held = [fit(tiny, y, cv=LeaveOneGroupOut()).scores_[kept] for y in (tiny.y, mixed)]
    assert not alike(*moved)
    assert alike(*held)
    assert held[0].any()


def test_weights_go_with_their_trials(tiny):
    weights = np.linspace(1, 5, len(tiny.y))
    labeler = tiny_labeler(cv=2)
    labeler.fit(tiny.X, tiny.y, groups=tiny.patients, sample_weight=weights)
    train, _ = next(GroupKFold(2).split(tiny.X, tiny.y, tiny.patients))
    alone = tiny_video().fit([tiny.X[i] for i in train], tiny.y[train], weights[train])
    np.testing.assert_array_equal(
        labeler.fold_estimators_[0].predict_proba(tiny.X), alone.predict_proba(tiny.X)
    )


def test_groups_are_routed_through_a_pipeline(tiny):
    pipe = Pipeline([("labels", tiny_labeler(cv=LeaveOneGroupOut())), ("frames", tiny_frames())])
    with pytest.raises(ValueError, match=r"needs groups.*enable metadata routing"):
        pipe.fit(tiny.X, tiny.y)
    with sklearn.config_context(enable_metadata_routing=True):
        one = cross_validate(
            *(pipe, tiny.X, tiny.y),
            params={"groups": tiny.patients},
            cv=GroupKFold(2),
            scoring=trial_roc_auc,
            return_estimator=True,
            error_score="raise",
        )["estimator"][0]
    assert len(one["labels"].fold_estimators_) == 2  # of four patients two are tested on
    train = next(GroupKFold(2).split(tiny.X, tiny.y, tiny.patients))[0]
    direct = tiny_labeler(cv=2)
    direct.fit([tiny.X[i] for i in train], tiny.y[train], groups=tiny.patients[train])
    found = {tuple(one) for one in map(np.ndarray.tolist, direct.transduction_)}
    assert found == {tuple(one) for one in map(np.ndarray.tolist, one["labels"].transduction_)}


def test_what_is_refused(tiny):
    data = tiny_trials(n_patients=2)
    with pytest.raises(ValueError, match="needs at least 3 training patients, got 2"):
        fit(data, cv=3)
    with pytest.raises(ValueError, match=r"has patient 'patient-\d' on both sides"):
        fit(data, cv=KFold(2, shuffle=True, random_state=0))
    with pytest.raises(ValueError, match=r"Without patients .*no training trial has the label 1"):
        fit(data, np.where(data.patients == "patient-0", data.y, 0), cv=2)
    with pytest.raises(ValueError, match="'cv' parameter"):
        fit(data, cv=1)
    with pytest.raises(ValueError, match="frozen estimator cannot be cross-fitted"):
        frozen = FrozenEstimator(tiny_video().fit(data.X, data.y))
        tiny_labeler(cv=2).set_params(estimator=frozen).fit(data.X, data.y, groups=data.patients)

    class Once:
        def split(self, X, y, groups):
            yield np.flatnonzero(groups == "patient-0"), np.flatnonzero(groups == "patient-1")

    with pytest.raises(ValueError, match="must hold out every trial once; trial 0 is held out 0"):
        fit(data, cv=Once())


def test_the_classifiers_of_the_folds_are_not_saved(tiny, tmp_path):
    labeler = fit(tiny, cv=2)
    again = skrehab.load(skrehab.save(labeler, tmp_path / "m"))
    assert again.cv == 2 and not hasattr(again, "fold_estimators_")
    np.testing.assert_array_equal(
        again.estimator_.predict_proba(tiny.X), labeler.estimator_.predict_proba(tiny.X)
    )
