"""The perceptron trained by hand takes the steps of the loop, and learns what autograd says."""

import numpy as np
import pytest
import torch
from instances import tiny_frames, tiny_trials
from skorch.callbacks import Callback

from skrehab.networks.sequence.mlp import MLP
from skrehab.training.batching import Samples
from skrehab.training.by_hand import Perceptron, by_hand
from skrehab.training.loop import Recipe, WeightedLoss, train


class Watch(Callback):
    """Does nothing: with it the loop trains, batch by batch."""


WATCHED = {"callbacks": [("watch", Watch())]}


@pytest.fixture(autouse=True)
def _keep_torch_state():
    with torch.random.fork_rng():
        yield


def samples(n_outputs=1, soft=False, n=90, seed=0):
    """Twelve numbers, some of which tell the class; uneven weights."""
    rng = np.random.RandomState(seed)
    n_classes = max(2, n_outputs)
    target = rng.randint(n_classes, size=n)
    x = rng.randn(n, 12) + 0.5 * target[:, None] * (np.arange(12) < 4)
    if soft:
        target = rng.dirichlet(np.ones(n_classes), size=n).astype(np.float32)
        target = target[:, 1] if n_outputs == 1 else target
    return Samples(torch.from_numpy(x.astype("f")), target, rng.rand(n) + 0.2)


def trained(recipe, own, validation=None, n_outputs=1, dropout=0.0, sizes=(7, 5)):
    """Train an MLP of fixed weights, order and dropout; return its weights and history."""
    torch.manual_seed(0)
    module = MLP(12, n_outputs, sizes, dropout)
    generator = torch.Generator().manual_seed(1)
    history = train(module, own, recipe, generator=generator, validation=validation)
    assert not module.training
    return torch.cat([one.detach().flatten() for one in module.parameters()]), history


@pytest.mark.parametrize("soft", [False, True], ids=["labels", "soft"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("sizes", [(), (6,), (7, 5)])
def test_the_gradient_is_that_of_autograd(sizes, dropout, n_outputs, soft):
    own = samples(n_outputs, soft)
    module = MLP(12, n_outputs, sizes, dropout)
    with torch.no_grad():
        for one in module.parameters():  # away from where half of the units are dead
            one.mul_(2)
    torch.manual_seed(3)
    expected = WeightedLoss()(module(own.inputs), (own.targets, own.weights))
    expected.backward()
    torch.manual_seed(3)  # the same units are dropped
    network = Perceptron(module)
    with torch.no_grad():
        loss = network.learn_from(own.inputs, own.targets, own.weights)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    gradient = torch.cat([one.grad.flatten() for one in module.parameters()])
    torch.testing.assert_close(network.gradient, gradient, rtol=1e-6, atol=1e-6)
    module.eval()
    expected = WeightedLoss()(module(own.inputs), (own.targets, own.weights)).item()
    with torch.no_grad():
        found = network.loss(own.inputs, own.targets, own.weights).item()
    assert found == pytest.approx(expected, rel=1e-6)


RECIPES = {
    "plain": {"schedule": None, "gradient_clip": None},
    "cosine": {"gradient_clip": None, "min_lr": 1e-4},
    "cosine a batch, clipped": {"schedule": "cosine_batch", "gradient_clip": 0.05},
    "values clipped": {"gradient_clip": None, "gradient_clip_value": 0.01},
    "L2": {"weight_decay": 0.1, "gradient_clip": 0.1},
    "adamw, warm-up": {"weight_decay": 0.5, "optimizer": "adamw", "warmup": 2},
}


@pytest.mark.parametrize("name", RECIPES)
def test_it_takes_the_steps_of_the_loop(name):
    """Same weights, same losses, with one batch smaller than the others, and dropout."""
    recipe = {"lr": 0.02, "max_epochs": 6, "batch_size": 16} | RECIPES[name]
    own = samples()
    fast, rows = trained(Recipe(**recipe), own, dropout=0.3)
    slow, expected = trained(Recipe(**recipe, net_params=WATCHED), own, dropout=0.3)
    torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-5)
    assert [row["epoch"] for row in rows] == [row["epoch"] for row in expected]
    np.testing.assert_allclose(
        [row["train_loss"] for row in rows], [row["train_loss"] for row in expected], rtol=1e-5
    )


def test_it_stops_early_where_the_loop_does_and_keeps_the_best():
    own, other = samples(n_outputs=3), samples(n_outputs=3, n=40, seed=5)
    recipe = {"lr": 0.03, "max_epochs": 60, "batch_size": 16, "patience": 4}
    fast, rows = trained(Recipe(**recipe), own, other, n_outputs=3)
    slow, expected = trained(Recipe(**recipe, net_params=WATCHED), own, other, n_outputs=3)
    losses = [row["valid_loss"] for row in rows]
    assert len(rows) == len(expected) == int(np.argmin(losses)) + 1 + 4 < 60
    np.testing.assert_allclose(losses, [row["valid_loss"] for row in expected], rtol=1e-4)
    torch.testing.assert_close(fast, slow, rtol=1e-3, atol=1e-4)


def test_patience_counts_falls_as_skorch_does():
    """A loss that creeps down by less than a ten-thousandth does not fall."""
    own, other = samples(), samples(n=40, seed=5)
    recipe = {"lr": 1e-7, "max_epochs": 30, "batch_size": 90, "patience": 3}
    _, rows = trained(Recipe(**recipe), own, other)
    _, expected = trained(Recipe(**recipe, net_params=WATCHED), own, other)
    assert len(rows) == len(expected) == 4


@pytest.mark.parametrize(
    "asked",
    [{"verbose": 1}, {"net_params": WATCHED}, {"decay_norms": False}],
    ids=["verbose", "callbacks", "decay_norms"],  # the same names in every process
)
def test_what_the_loop_alone_does_is_left_to_it(asked):
    recipe = Recipe(lr=0.1, max_epochs=1, batch_size=16, **asked)
    module = MLP(12, 1, (4,))
    before = [one.clone() for one in module.parameters()]
    assert by_hand(module, samples(), recipe, torch.Generator()) is None
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters()))
    plain = Recipe(lr=0.1, max_epochs=1, batch_size=16)
    assert by_hand(torch.nn.Linear(12, 1), samples(), plain, torch.Generator()) is None


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"early_stopping": "patient", "class_weight": "balanced", "dropout": 0.2},
        {"augment": {"jitter": 0.1}, "standardize": True},
    ],
    ids=["plain", "early stopping by patient", "augmented"],
)
def test_frame_mlp_learns_the_same_with_a_watcher(params):
    data = tiny_trials(n_patients=6)
    models = [
        tiny_frames(max_epochs=8, net_params=watch, **params).fit(
            data.X, data.frame_labels, groups=np.repeat(np.arange(6), len(data.X) // 6)
        )
        for watch in (None, WATCHED)
    ]
    fast, slow = (np.concatenate(list(model.predict_proba(data.X))) for model in models)
    np.testing.assert_allclose(fast, slow, atol=1e-4)
    assert len(models[0].history_) == len(models[1].history_)
