"""The battery: what every estimator that takes trials must do, family by family.

Each check takes a row of tests/support/instances.py and raises where the estimator breaks its
promise.
"""

import pickle
import random

import numpy as np
import pytest
import torch
from instances import tiny_trials
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrehab.trials import UNLABELLED

# what an estimator of each family says about trials once it is fitted
OUTPUTS = {
    "transformer": ("transform",),
    "bones": ("transform",),
    "representation": ("transform",),
    "video_classifier": ("predict", "predict_proba", "decision_function", "saliency"),
    "pseudo_labeler": (),
    "trial_regressor": ("predict",),
    "trial_classifier": ("predict", "predict_proba"),
    "frame_classifier": ("predict", "predict_proba"),
}


UNLABELLED_KINDS = ("transformer", "representation", "bones")


def target(row, data):
    """What `fit` of this family takes as y."""
    if row.kind in UNLABELLED_KINDS:
        return None
    return data.frame_labels if row.kind == "frame_classifier" else data.y


def fit(row, data=None):
    """Fit a fresh estimator on tiny trials."""
    data = tiny_trials() if data is None else data
    return row.make().fit(data.X, target(row, data))


def outputs(row, estimator, X):
    """Everything an estimator says, as one list of arrays per method."""
    if row.kind == "pseudo_labeler":  # it speaks of the training trials only
        return {name: list(getattr(estimator, name)) for name in ("transduction_", "scores_")}
    options = {"saliency": {"n_steps": 4}}
    return {
        name: list(getattr(estimator, name)(X, **options.get(name, {})))
        for name in OUTPUTS[row.kind]
    }


def assert_same(a, b, tolerance=0.0):
    """Compare two results of `outputs`, bit for bit unless a tolerance is given."""
    assert a.keys() == b.keys()
    for name in a:
        assert len(a[name]) == len(b[name]), name
        for one, other in zip(a[name], b[name]):
            if tolerance and np.asarray(one).dtype.kind == "f":
                np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=name)
            else:
                np.testing.assert_array_equal(one, other, err_msg=name)


def assert_same_params(a, b):
    """Compare two `get_params`, looking through arrays and nested estimators."""
    assert a.keys() == b.keys()
    for name, value in a.items():
        if hasattr(value, "get_params"):
            assert type(value) is type(b[name]), name
        else:
            np.testing.assert_equal(value, b[name], err_msg=name)


def fitted_names(estimator):
    """Names of the state that fit leaves behind."""
    return [name for name in vars(estimator) if name.endswith("_") and not name.startswith("__")]


# --- all ------------------------------------------------------------------------------------------
def check_fit_returns_self(row):
    data = tiny_trials()
    estimator = row.make()
    assert estimator.fit(data.X, target(row, data)) is estimator


def check_parameters_untouched(row):
    estimator = row.make()
    before = {**estimator.get_params()}
    data = tiny_trials()
    estimator.fit(data.X, target(row, data))
    assert_same_params(before, estimator.get_params())
    for name, value in estimator.get_params(deep=False).items():
        assert value is before[name], f"fit replaced {name}"
        if hasattr(value, "get_params"):
            assert not fitted_names(value), f"fit trained the parameter {name}, not a clone"
    public = {name for name in vars(estimator) if not name.endswith("_")}
    assert public == set(estimator.get_params(deep=False)), "fit left state without underscore"


def check_inputs_unchanged(row):
    data, copy = tiny_trials(), tiny_trials()
    y = target(row, data)
    estimator = row.make().fit(data.X, y)
    outputs(row, estimator, data.X)
    for trial, original in zip(data.X, copy.X):
        np.testing.assert_array_equal(trial, original)
    if y is not None:
        for labels, original in zip(y, target(row, copy)):
            np.testing.assert_array_equal(labels, original)


def check_clone(row):
    estimator = fit(row)
    twin = clone(estimator)
    assert not fitted_names(twin)
    assert_same_params(twin.get_params(), estimator.get_params())


def check_pickle(row):
    data = tiny_trials()
    estimator = fit(row, data)
    again = pickle.loads(pickle.dumps(estimator))
    assert_same(outputs(row, estimator, data.X), outputs(row, again, data.X))
    pickle.loads(pickle.dumps(row.make()))  # and before it is fitted


def check_repr_is_short(row):
    for estimator in (row.make(), fit(row)):
        text = repr(estimator)
        assert text.startswith(type(estimator).__name__ + "(")
        assert len(text) < 700, text


def check_refit_forgets(row):
    first, second = tiny_trials(), tiny_trials(n_landmarks=7, n_coords=2, seed=1)
    estimator = fit(row, first)
    estimator.fit(second.X, target(row, second))
    fresh = fit(row, second)
    assert_same(outputs(row, estimator, second.X), outputs(row, fresh, second.X))
    assert sorted(fitted_names(estimator)) == sorted(fitted_names(fresh))


def check_same_seed_same_result(row):
    data = tiny_trials()
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  the global state is what must not matter
    torch.manual_seed(1)
    one = outputs(row, fit(row, data), data.X)
    random.seed(2)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(2)
    assert_same(one, outputs(row, fit(row, data), data.X))


def check_global_state_untouched(row):
    data = tiny_trials()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch_state, threads = torch.get_rng_state(), torch.get_num_threads()
    grad, cudnn = torch.is_grad_enabled(), torch.backends.cudnn.enabled
    outputs(row, fit(row, data), data.X)
    assert random.getstate() == python
    np.testing.assert_equal(np.random.get_state(), numpy)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert torch.get_num_threads() == threads
    assert torch.is_grad_enabled() == grad and torch.backends.cudnn.enabled == cudnn


def check_unfitted_says_so(row):
    data = tiny_trials()
    for name in OUTPUTS[row.kind]:
        with pytest.raises(NotFittedError):
            getattr(row.make(), name)(data.X)


def check_containers(row):
    """A list, a tuple, an object array and nested lists of numbers are the same trials."""
    data = tiny_trials()
    expected = outputs(row, fit(row, data), data.X)
    as_objects = np.empty(len(data.X), dtype=object)
    for i, trial in enumerate(data.X):
        as_objects[i] = trial
    y = target(row, data)
    for X in (tuple(data.X), as_objects, [trial.tolist() for trial in data.X]):
        estimator = row.make().fit(X, None if y is None else list(y))
        assert_same(expected, outputs(row, estimator, X))


def check_equal_lengths(row):
    """Trials of one length are still a list of trials: nothing becomes a matrix by accident."""
    data = tiny_trials(lengths=(12, 12))
    estimator = fit(row, data)
    from_list = outputs(row, estimator, data.X)
    assert_same(from_list, outputs(row, estimator, np.stack(data.X)))
    for name in OUTPUTS[row.kind]:
        result = getattr(estimator, name)(data.X)
        assert len(result) == len(data.X)
        per_frame = row.kind == "frame_classifier" or name == "saliency"
        if per_frame:
            assert isinstance(result, np.ndarray) and result.dtype == object and result.ndim == 1


def check_one_trial(row):
    data = tiny_trials()
    estimator = fit(row, data)
    everything = outputs(row, estimator, data.X)
    if row.kind == "pseudo_labeler":
        return  # it speaks of the training trials only
    alone = outputs(row, estimator, data.X[3:4])
    assert_same({k: v[3:4] for k, v in everything.items()}, alone, tolerance=1e-5)


def check_one_frame_trial(row):
    """A real repetition of UI-PRMD has one frame: it must pass through fit and everything else."""
    data = tiny_trials()
    for i in (0, 1):
        data.X[i] = data.X[i][:1]
        data.frame_labels[i] = data.frame_labels[i][:1]
    estimator = fit(row, data)
    for values in outputs(row, estimator, data.X).values():
        assert np.isfinite(np.asarray(values[0], dtype=float)).all()


def check_lost_landmarks(row):
    """NaN stays inside its trial: it never spreads to another frame's, landmark's or result."""
    data = tiny_trials()
    data.X[1][2:5] = np.nan  # nobody seen for three frames
    data.X[2][:, 1] = np.nan  # one landmark never seen
    data.X[3][:] = np.nan  # nobody seen at all
    data.X[0][0] = np.nan  # nobody seen in the first frame
    estimator = fit(row, data)
    said = outputs(row, estimator, data.X)
    if row.kind == "transformer":
        for i, transformed in enumerate(said["transform"]):
            lost = np.isnan(data.X[i])
            assert not np.isnan(transformed[~lost]).any()
        assert np.isnan(said["transform"][2][:, 1]).all()
        assert np.isnan(said["transform"][3]).all()
    elif row.kind == "bones":  # a bone needs both of its joints
        for i, transformed in enumerate(said["transform"]):
            lost = np.isnan(data.X[i]).any(axis=2)
            for k, (start, end) in enumerate(estimator.bones):
                assert not np.isnan(transformed[~(lost[:, start] | lost[:, end]), k]).any()
                assert np.isnan(transformed[:, k]).all() == (
                    i == 3 or (i == 2 and 1 in (start, end))
                )
    else:
        for name, values in said.items():
            for one in values:
                assert np.isfinite(np.asarray(one, dtype=float)).all(), name


def check_bad_shapes(row):
    """Every error names the trial and what was got."""
    data = tiny_trials()
    y = target(row, data)
    good = data.X[1]
    bad = {
        "two axes": (good[0], r"X\[1\] must have shape .* got \(5, 3\)"),
        "four axes": (good[None], r"X\[1\] must have shape"),
        "no frame": (good[:0], r"X\[1\] is empty"),
        "other landmarks": (good[:, :4], r"X\[1\] must have 5 landmarks and 3 coordinates"),
        "other coordinates": (good[..., :2], r"X\[1\] must have 5 landmarks and 3 coordinates"),
        "infinite": (np.full_like(good, np.inf), r"X\[1\] holds infinite values"),
        "text": (
            "video.mp4",
            r"X\[1\] cannot be read .* it is 'video.mp4'; put a PoseExtr",
        ),
        "complex": (good.astype(complex), r"X\[1\] cannot be read as an array of numbers"),
    }
    fitted = fit(row, data)
    for item, message in bad.values():
        X = [data.X[0], item, *data.X[2:]]
        with pytest.raises(ValueError, match=message):
            row.make().fit(X, y)
        for name in OUTPUTS[row.kind]:
            with pytest.raises(ValueError, match=message):
                getattr(fitted, name)(X)
    with pytest.raises(ValueError, match="no trial"):
        row.make().fit([], y)
    with pytest.raises(ValueError, match=r"pass \[trial\]"):
        row.make().fit(good, y)
    with pytest.raises(TypeError, match="list of trials"):
        row.make().fit("video.mp4", y)
    for name in OUTPUTS[row.kind]:  # consistent among themselves, but not what was fitted
        with pytest.raises(ValueError, match=r"5 landmarks and 3 coordinates \(as seen"):
            getattr(fitted, name)([trial[:, :4] for trial in data.X])


def check_bad_labels(row):
    if row.kind in UNLABELLED_KINDS:
        return
    data = tiny_trials()
    y = list(target(row, data))
    with pytest.raises(ValueError, match="requires y to be passed"):
        row.make().fit(data.X, None)
    with pytest.raises(ValueError, match=r"16 trials, 15"):
        row.make().fit(data.X, y[:-1])
    if row.kind == "frame_classifier":
        with pytest.raises(ValueError, match=r"y\[1\] must have shape .* put a pseudo-labeler"):
            row.make().fit(data.X, [y[0], 1, *y[2:]])
        with pytest.raises(ValueError, match=r"y\[1\] must have shape"):
            row.make().fit(data.X, [y[0], y[1][:-1], *y[2:]])
        with pytest.raises(ValueError, match=r"y\[1\] must hold whole numbers"):
            row.make().fit(data.X, [y[0], y[1] + 0.5, *y[2:]])
        with pytest.raises(ValueError, match="No frame is labelled"):
            row.make().fit(data.X, [np.full(len(one), UNLABELLED) for one in y])
    else:
        frames = data.frame_labels[1]
        if row.kind == "pseudo_labeler":  # frames that are known may stand among trial labels
            with pytest.raises(ValueError, match=r"y\[1\] must have shape"):
                row.make().fit(data.X, [y[0], frames[:-1], *y[2:]])
            frames, wrong = data.frame_labels, r"y\[0\] has shape"
        else:
            frames, wrong = [y[0], frames, *y[2:]], r"y\[1\] has shape \(\d+,\)"
        with pytest.raises(ValueError, match=wrong):
            row.make().fit(data.X, frames)
        for missing in (None, np.nan):
            with pytest.raises(ValueError, match=r"y\[1\] is (None|nan)"):
                row.make().fit(data.X, [y[0], missing, *y[2:]])
        if row.kind != "trial_regressor":
            with pytest.raises(ValueError, match="1 class"):
                row.make().fit(data.X, np.zeros(len(y)))


ALL = [
    check_fit_returns_self,
    check_parameters_untouched,
    check_inputs_unchanged,
    check_clone,
    check_pickle,
    check_repr_is_short,
    check_refit_forgets,
    check_same_seed_same_result,
    check_global_state_untouched,
    check_unfitted_says_so,
    check_containers,
    check_equal_lengths,
    check_one_trial,
    check_one_frame_trial,
    check_lost_landmarks,
    check_bad_shapes,
    check_bad_labels,
]
