"""Several yes-or-no labels a trial: losses, every network, saliency of a label."""

import importlib.util
import pickle

import instances
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.utils import estimator_checks
from test_all_estimators import AVAILABLE
from torch import nn

from skrehab.metrics import map_scorer, mean_average_precision
from skrehab.multilabel import (
    MultiLabelVideoClassifier,
    SoftmaxBCE,
    check_multilabel,
    label_probabilities,
)
from skrehab.multilabel.label_sets import LOSSES

N_LABELS = 3


class MeanPose(nn.Module):
    """Mean pose, two dense layers: what a network may be, and quick."""

    def __init__(self, n_landmarks, n_coords, n_outputs, width=16):
        super().__init__()
        self.first = nn.Linear(n_landmarks * n_coords, width)
        self.head = nn.Linear(width, n_outputs)

    def forward(self, x, lengths=None):
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[1])
        mean = x.flatten(2).sum(dim=1) / lengths[:, None].to(x.device)
        return self.head(torch.tanh(self.first(mean)))


def tiny(**params):
    defaults = {"network": MeanPose, "batch_size": 8}
    return MultiLabelVideoClassifier(
        **(defaults | {"max_epochs": 2, "lr": 0.02, "random_state": 0} | params)
    )


@pytest.fixture(scope="module")
def trials():
    """Landmark j rises if the trial has label j."""
    rng = np.random.RandomState(0)
    y = rng.randint(2, size=(40, N_LABELS))
    X = []
    for row in y:
        trial = 0.1 * rng.randn(rng.randint(10, 25), 5, 3)
        trial[len(trial) // 2 :, :N_LABELS] += row[:, None]
        X.append(trial.astype(np.float32))
    return X, y, np.arange(40) % 5


@pytest.fixture(scope="module")
def fitted(trials):
    X, y, _ = trials
    return tiny(max_epochs=30).fit(X, y)


# --- losses ---------------------------------------------------------------------------------------
def batch(seed=0, n=6, n_labels=20):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(n, n_labels, generator=generator)
    return logits, (torch.rand(n, n_labels, generator=generator) < 0.3).float()


def test_labels_that_are_not_known_teach_nothing():
    logits, target = batch(n=2, n_labels=2)
    target = torch.tensor([[1.0, -1.0], [0.0, 1.0]])
    p = torch.sigmoid(logits)
    by_hand = -(torch.log(p[0, 0]) + torch.log(1 - p[1, 0]) + torch.log(p[1, 1])) / 4
    loss = LOSSES["sigmoid_bce"]()(logits, (target, torch.ones(2)))
    torch.testing.assert_close(loss, by_hand)
    logits.requires_grad_()
    LOSSES["sigmoid_bce"]()(logits, (target, torch.ones(2))).backward()
    assert logits.grad[0, 1] == 0 and (logits.grad[[0, 1, 1], [0, 0, 1]] != 0).all()


def test_what_is_not_known_changes_no_other_label(trials):
    X, y, _ = trials
    partly = y.copy()
    partly[:12, 1] = -1
    model = tiny(max_epochs=30).fit(X, partly)
    assert (model.predict(X) == y).mean() > 0.9
    with pytest.raises(ValueError, match=r"loss='softmax_bce' shares .* holds -1"):
        tiny(loss="softmax_bce").fit(X, partly)
    partly[:, 1] = -1
    with pytest.raises(ValueError, match="Label 1 is known of no trial"):
        tiny().fit(X, partly)
    with pytest.raises(ValueError, match="labels are 0 and 1"):  # where nothing can be missing
        check_multilabel(partly, X)


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_is_torchs_cross_entropy_of_the_probabilities(loss):
    logits, target = batch()
    proba = torch.from_numpy(label_probabilities(logits.numpy(), loss))
    expected = F.binary_cross_entropy(proba, target)
    criterion = LOSSES[loss]()
    torch.testing.assert_close(criterion(logits, (target, torch.ones(6))), expected)
    # a weight counts a trial as often; their mean is 1
    weight = torch.tensor([4.0, 2, 0, 0, 0, 0])
    expected = F.binary_cross_entropy(proba[[0, 0, 1]], target[[0, 0, 1]])
    torch.testing.assert_close(criterion(logits, (target, weight)), expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_and_gradient_stay_finite(loss):
    logits = (100 * batch()[0]).requires_grad_()
    value = LOSSES[loss]()(logits, (batch()[1], torch.ones(6)))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(logits.grad).all()


def test_probabilities_of_both_losses():
    logits = np.array([[0.0, 1000.0, -1000.0]])
    np.testing.assert_allclose(label_probabilities(logits), [[0.5, 1, 0]])
    np.testing.assert_allclose(label_probabilities(logits, "softmax_bce"), [[0, 1, 0]])
    rows = label_probabilities(batch()[0].numpy(), "softmax_bce")
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=1e-6)


def test_softmax_couples_labels():
    """Two true labels: the best that it can do is one half each."""
    target = torch.tensor([[1.0, 1.0, 0.0]])
    logits = torch.zeros(1, 3, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        SoftmaxBCE()(logits, (target, torch.ones(1))).backward()
        optimizer.step()
    proba = label_probabilities(logits.detach().numpy(), "softmax_bce")
    np.testing.assert_allclose(proba, [[0.5, 0.5, 0]], atol=0.02)


# --- estimator ------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", AVAILABLE)
def test_scikit_learns_data_free_checks(name):
    getattr(estimator_checks, name)("MultiLabelVideoClassifier", tiny())


def test_it_learns(trials, fitted):
    X, y, _ = trials
    proba = fitted.predict_proba(X)
    assert proba.shape == y.shape and mean_average_precision(y, proba) > 0.95
    assert (fitted.predict(X) == (proba >= 0.5)).all() and fitted.predict(X).dtype.kind == "i"
    np.testing.assert_allclose(proba, 1 / (1 + np.exp(-fitted.decision_function(X))), rtol=1e-5)
    assert (clone(fitted).set_params(threshold=0.9).fit(X, y).predict(X) <= fitted.predict(X)).all()
    np.testing.assert_allclose(fitted.predict_proba(X[:1])[0], proba[0], atol=1e-6)  # no padding


def test_softmax_bce_learns_too(trials):
    X, y, _ = trials
    model = tiny(loss="softmax_bce", max_epochs=30).fit(X, y)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=1e-5)
    some = y.any(axis=1)
    assert mean_average_precision(y[some], proba[some]) > 0.8


@pytest.mark.parametrize("row", **instances.network_rows())
def test_every_network(row):
    if row.package and importlib.util.find_spec(row.package) is None:
        pytest.skip(f"{row.name} needs {row.package}")
    rng = np.random.RandomState(0)
    if row.input == "rgb":
        X = [rng.randint(256, size=(n, 24, 30, 3)).astype(np.uint8) for n in (1, 8, 30, 12)]
    else:
        X = [rng.randn(n, *row.shapes[0]).astype(np.float32) for n in (1, 24, 40, 12)]
    y = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])  # a label that nobody has
    model = MultiLabelVideoClassifier(
        row.name, network_params=dict(row.tiny), max_epochs=1, batch_size=3, random_state=0
    ).fit(X, y)
    assert np.isfinite([one["train_loss"] for one in model.history_]).all()
    proba = model.predict_proba(X)
    assert proba.shape == (4, 3) and ((proba > 0) & (proba < 1)).all()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), proba)
    if row.input == "rgb":
        with pytest.raises(ValueError, match="saliency needs a pose network"):
            model.saliency(X, target=0)
        return
    one, other = (model.saliency(X, method="vanilla_gradient", target=t) for t in (0, 2))
    assert [len(scores) for scores in one] == [len(trial) for trial in X]
    assert any((a != b).any() for a, b in zip(one, other))


def test_saliency_finds_the_label(trials, fitted):
    """Label 1 speaks through landmark 1, in the second half of the trial."""
    X, y, _ = trials
    chosen = [X[i] for i in np.flatnonzero(y[:, 1])[:8]]
    found = fitted.saliency(chosen, target=1, return_maps=True)
    assert (found.completeness_error < 0.05).all()
    by_landmark = np.mean([one.sum(axis=0) for one in found.maps], axis=0)
    assert by_landmark.argmax() == 1
    for scores in found.scores:
        assert scores[len(scores) // 2 :].mean() > scores[: len(scores) // 2].mean()
    likeliest = fitted.decision_function(chosen).argmax(axis=1)
    for one, two in zip(fitted.saliency(chosen), fitted.saliency(chosen, target=likeliest)):
        np.testing.assert_array_equal(one, two)
    for target in (3, -1, "biceps", 0.5):
        with pytest.raises(ValueError, match="must be a column of y, 0 to 2, got"):
            fitted.saliency(chosen, target=target)


def test_one_label(trials):
    """One column is a classifier too, and its saliency is that of yes."""
    X, y, _ = trials
    model = tiny(max_epochs=30).fit(X, y[:, :1])
    proba = model.predict_proba(X)
    assert proba.shape == (40, 1) and mean_average_precision(y[:, :1], proba) > 0.95
    gained = model.saliency(X, target=0, normalize=False, aggregate="signed", return_maps=True)
    logit = model.decision_function(X)[:, 0]
    rest = model.decision_function([np.zeros_like(trial) for trial in X])[:, 0]
    total = [scores.sum() for scores in gained.scores]
    np.testing.assert_allclose(total, logit - rest, rtol=0.05, atol=0.05)


def test_frames_of_a_network_that_scores_them(trials):
    X, y, _ = trials
    model = tiny(network="mil_tcn", network_params={"channels": 8, "n_blocks": 2}).fit(X, y)
    frames = model.predict_frame_proba(X)
    assert [one.shape for one in frames] == [(len(trial), N_LABELS) for trial in X]
    assert len(model.saliency(X[:2], method="frame_logits", target=2)[0]) == len(X[0])
    with pytest.raises(AttributeError, match="'gru' scores whole trials"):
        tiny(network="gru", max_epochs=1).fit(X, y).predict_frame_proba(X)


def test_early_stopping_and_tools_of_scikit_learn(trials):
    X, y, patients = trials
    model = tiny(early_stopping=True, patience=2, max_epochs=5).fit(X, y, groups=patients)
    assert len(model.validation_groups_) and "valid_loss" in model.history_[0]
    assert tiny(early_stopping="trial").fit(X, y).validation_groups_ is None
    proba = cross_val_predict(
        tiny(), X, y, groups=patients, cv=GroupKFold(2), method="predict_proba"
    )
    assert np.shape(proba) == (40, N_LABELS)
    grid = {"network__width": [1, 16]}
    search = GridSearchCV(tiny(max_epochs=10), grid, scoring=map_scorer, cv=2).fit(X, y)
    assert search.best_params_ == {"network__width": 16}


def test_weights_matter(trials):
    X, y, _ = trials
    weight = np.r_[np.ones(20), np.zeros(20)]
    flipped = np.vstack([y[:20], 1 - y[20:]])
    one = tiny().fit(X, y, sample_weight=weight).predict_proba(X)
    two = tiny().fit(X, flipped, sample_weight=weight).predict_proba(X)
    np.testing.assert_array_equal(one, two)


def test_what_does_not_fit(trials):
    X, y, _ = trials
    with pytest.raises(ValueError, match="40 trials, 39 rows"):
        tiny().fit(X, y[:39])
    with pytest.raises(ValueError, match="take VideoClassifier"):
        tiny().fit(X, y[:, 0])
    with pytest.raises(ValueError, match=r"shape \(n_trials, n_labels\) and hold 0 and 1, got <U"):
        check_multilabel([["biceps"]], [None])
    for bad, entry in ((2, "2"), (np.nan, "nan"), (-2, "-2")):
        wrong = y.astype(float)
        wrong[3, 1] = bad
        with pytest.raises(ValueError, match=rf"y\[3, 1\] is {entry}"):
            tiny().fit(X, wrong)
    with pytest.raises(ValueError, match="one row of labels per trial"):
        tiny().fit(X, None)
    with pytest.raises(NotFittedError):
        tiny().predict_proba(X)
    with pytest.raises(NotFittedError):
        tiny().saliency(X)


def test_a_damaged_video_is_named(tmp_path):
    """Read ahead in a thread, its error comes up in fit all the same."""
    good = [np.zeros((8, 32, 32, 3), np.uint8)] * 3
    (tmp_path / "clip-7.mp4").write_bytes(b"no video at all")
    model = tiny(network="slow", network_params=instances.SHORT)
    with pytest.raises(ValueError, match=r"clip-7\.mp4"):
        model.fit([*good, tmp_path / "clip-7.mp4"], np.eye(4))
