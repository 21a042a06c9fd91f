"""Training that ran away says so."""

import warnings

import numpy as np
import pytest
import torch
from instances import tiny_frames, tiny_scores, tiny_tcn, tiny_video

from skrehab import MultiLabelVideoClassifier
from skrehab.training.divergence import warn_if_diverged

WILD = {"gradient_clip": None, "schedule": None, "max_epochs": 4}


def several(**params):
    return MultiLabelVideoClassifier(
        "act", network_params={"size": "micro"}, random_state=0, **params
    )


@pytest.mark.parametrize(
    ("make", "lr"),
    [
        (lambda **p: tiny_video(network="act", network_params={"size": "micro"}, **p), 1e20),
        (tiny_frames, 1e25),
        (tiny_tcn, 1e25),
        (tiny_scores, 1e25),
        (several, 1e20),
    ],
    ids=["VideoClassifier", "FrameMLP", "FrameTCN", "QualityRegressor", "MultiLabel"],
)
def test_a_network_that_was_destroyed_is_said(tiny, make, lr):
    y = {"several": np.eye(2)[tiny.y], "tiny_scores": np.linspace(0, 1, 16)}.get(make.__name__)
    if y is None:
        y = tiny.frame_labels if make in (tiny_frames, tiny_tcn) else tiny.y
    with pytest.warns(UserWarning, match=r"Training diverged, .*means nothing\. Try a smaller lr"):
        model = make(lr=lr, **WILD).fit(tiny.X, y)
    weights = torch.cat([p.flatten() for p in model.module_.parameters()])
    assert not np.isfinite(model.history_[-1]["train_loss"]) or not weights.isfinite().all()


def test_good_training_is_not_said(tiny):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny_video().fit(tiny.X, tiny.y)
        tiny_frames().fit(tiny.X, tiny.frame_labels)


def test_what_early_stopping_brought_back_is_whole():
    """A loss that was no number for a while, and weights that are: the best ones were kept."""
    module = torch.nn.Linear(2, 1)
    rows = [{"epoch": 1, "train_loss": 0.5}, {"epoch": 2, "train_loss": float("nan")}]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_diverged(module, [rows[1] | {"epoch": 1}, rows[0] | {"epoch": 2}], 0.1)
        warn_if_diverged(module, [], 0.1)
    with pytest.warns(UserWarning, match="from epoch 2 on the loss is nan"):
        warn_if_diverged(module, rows, 0.1)
    module.weight.data[0, 0] = float("inf")
    with pytest.warns(UserWarning, match="weights such as 'weight' are no numbers"):
        warn_if_diverged(module, rows[:1], 0.1)
