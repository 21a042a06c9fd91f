"""Warm-up and what a weight decay takes in, as the optimiser sees it while it trains."""

import math

import numpy as np
import pytest
from instances import tiny_trials, tiny_video
from skorch.callbacks import Callback

from skrehab.training.finetuning import decays


class Watch(Callback):
    """Keep the learning rates of every batch, and the optimiser's groups."""

    def on_train_begin(self, net, **kwargs):
        self.rates, self.net = [], net

    def on_batch_begin(self, net, batch=None, training=False, **kwargs):
        if training:
            self.rates.append([group["lr"] for group in net.optimizer_.param_groups])


def watched(**params):
    data, watch = tiny_trials(), Watch()  # 16 trials in batches of 8: two a epoch
    # skorch copies callbacks: the list is shared through the class
    kept = {}

    class Shared(Watch):
        def on_train_begin(self, net, **kwargs):
            super().on_train_begin(net)
            kept["watch"] = self

    tiny_video(net_params={"callbacks": [("watch", Shared())]}, **params).fit(data.X, data.y)
    return kept.get("watch", watch)


@pytest.mark.parametrize("schedule", ["cosine", "cosine_batch", None])
def test_the_rate_rises_over_the_warmup_and_falls_afterwards(schedule):
    watch = watched(lr=0.1, max_epochs=6, warmup=2, schedule=schedule, min_lr=0.01)
    rates = np.ravel(watch.rates)
    np.testing.assert_allclose(rates[:4], [0.025, 0.05, 0.075, 0.1])
    half = [0.01 + 0.09 * (1 + math.cos(math.pi * k / 8)) / 2 for k in range(8)]
    expected = {"cosine": np.repeat(half[::2], 2), "cosine_batch": half, None: [0.1] * 8}
    np.testing.assert_allclose(rates[4:], expected[schedule])


def test_without_a_warmup_the_rate_goes_as_before():
    rates = np.ravel(watched(lr=0.1, max_epochs=4).rates)[::2]
    np.testing.assert_allclose(rates, [0.1 * (1 + math.cos(math.pi * k / 4)) / 2 for k in range(4)])


def test_a_warmup_scales_the_rate_of_every_layer():
    act = {"network": "act", "network_params": {"size": "micro", "n_frames": 6}}
    watch = watched(**act, lr=0.1, max_epochs=3, warmup=1, layer_decay=0.5, schedule=None)
    first, full = np.array(watch.rates[0]), np.array(watch.rates[-1])
    np.testing.assert_allclose(first, full / 2)
    assert len(set(full.round(8))) > 3 and full.max() == pytest.approx(0.1)


def test_norms_and_biases_do_not_decay():
    act = {"network": "act", "network_params": {"size": "micro", "n_frames": 6}}
    how = {"optimizer": "adamw", "weight_decay": 0.3, "layer_decay": 0.5, "schedule": None}
    net = watched(**act, **how, decay_norms=False).net
    decay = {
        id(one): group["weight_decay"]
        for group in net.optimizer_.param_groups
        for one in group["params"]
    }
    rates = {round(group["lr"], 6) for group in net.optimizer_.param_groups}
    assert len(rates) > 1
    named = dict(net.module_.named_parameters())
    kept = {name for name, one in named.items() if decay[id(one)] == 0}
    assert kept == {name for name, one in named.items() if not decays(name, one)}
    assert "encoder.0.norm1.weight" in kept and "encoder.0.norm1.bias" in kept
    assert "head.fc1.bias" in kept and "head.fc1.weight" not in kept
    assert any("pos_embed" in name for name in kept)
    everything = watched(**act, **how).net
    assert {group["weight_decay"] for group in everything.optimizer_.param_groups} == {0.3}


def test_a_decay_alone_shrinks_weights_and_leaves_norms():
    """At a rate too small for gradients AdamW multiplies weights by 1 - lr * decay."""
    act = {"network": "act", "network_params": {"size": "micro", "n_frames": 6}}
    data = tiny_trials()
    how = {**act, "lr": 1e-6, "optimizer": "adamw", "schedule": None, "max_epochs": 1}

    def norms(**params):
        model = tiny_video(**how, **params).fit(data.X, data.y)
        named = dict(model.module_.named_parameters())
        return (
            named["head.fc1.weight"].detach().norm().item(),
            named["encoder.0.norm1.weight"].detach().norm().item(),
        )

    kernel, norm = norms()
    for decay_norms in (True, False):
        k, n = norms(weight_decay=1e5, decay_norms=decay_norms)
        assert k / kernel == pytest.approx(0.9**2, rel=1e-2)  # two batches
        assert n / norm == pytest.approx(0.9**2 if decay_norms else 1.0, rel=1e-2)
