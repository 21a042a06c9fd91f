"""The shared training loop: loss, schedule and seeds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skrehab.training.batching import Samples
from skrehab.training.class_weights import trial_weights
from skrehab.training.loop import (
    MORE_TRAINING_CONSTRAINTS,
    PAPER_CONSTRAINTS,
    TRAINING_CONSTRAINTS,
    Recipe,
    WeightedLoss,
    probabilities,
    seeded,
    train,
)


def line(n=64, seed=0):
    """Points on a line, class 1 on its right, and a linear module that can tell."""
    rng = np.random.RandomState(seed)
    x = rng.randn(n, 1).astype(np.float32)
    torch.manual_seed(0)
    return Samples(torch.from_numpy(x), (x[:, 0] > 0).astype(int)), nn.Linear(1, 1)


def fit(recipe, *, samples=None, module=None, validation=None):
    """Train a fresh linear module; return it with its history."""
    default, fresh = line()
    module = fresh if module is None else module
    history = train(
        module,
        default if samples is None else samples,
        recipe,
        generator=torch.Generator().manual_seed(0),
        validation=validation,
    )
    return module, history


@pytest.fixture(autouse=True)
def _keep_torch_state():
    with torch.random.fork_rng():
        yield


# --- loss -----------------------------------------------------------------------------------------
def test_loss_is_the_mean_of_loss_times_weight():
    logits, target = torch.tensor([[2.0], [-1.0], [0.5]]), torch.tensor([1, 0, 0])
    weight = torch.tensor([1.0, 3.0, 0.0])
    each = [np.log1p(np.exp(-2)), np.log1p(np.exp(-1))]
    expected = (each[0] + 3 * each[1]) / 3
    assert WeightedLoss()(logits, (target, weight)) == pytest.approx(expected)
    # one logit and the two-class form of it cost the same
    two = torch.cat([torch.zeros_like(logits), logits], dim=1)
    assert WeightedLoss()(two, (target, weight)) == pytest.approx(expected)


def test_loss_without_any_weight_is_zero():
    loss = WeightedLoss()(torch.tensor([[2.0]]), (torch.tensor([1]), torch.tensor([0.0])))
    assert loss == 0


def test_probabilities():
    np.testing.assert_allclose(
        probabilities(np.array([[0.0], [np.log(3)]])), [[0.5, 0.5], [0.25, 0.75]]
    )
    three = probabilities(np.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_allclose(three, np.exp([[1, 2, 3]]) / np.exp([1, 2, 3]).sum())
    extreme = probabilities(np.array([[1e4], [-1e4]], dtype=np.float32))
    np.testing.assert_array_equal(extreme, [[0, 1], [1, 0]])


# --- the loop -------------------------------------------------------------------------------------
def test_it_learns():
    samples, _ = line()
    module, history = fit(Recipe(lr=0.1, max_epochs=20, batch_size=16))
    with torch.no_grad():
        accuracy = ((module(samples.inputs)[:, 0] > 0) == (samples.targets == 1)).float().mean()
    assert accuracy > 0.9
    assert history[-1]["train_loss"] < history[0]["train_loss"] / 2
    assert [row["epoch"] for row in history] == list(range(1, 21))
    assert not module.training


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_weights_count_between_batches_too(batch_size):
    """A batch of heavy samples counts as much as its weights say, so does a batch of one."""
    samples, module = line()
    weights = np.random.RandomState(0).choice([0, 0.5, 20], size=64)
    weighted = Samples(samples.inputs, samples.targets, weights)
    with torch.no_grad():
        logits, target = module(samples.inputs)[:, 0], samples.targets.float()
        each = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    still = Recipe(lr=1e-12, max_epochs=1, batch_size=batch_size)
    _, [row] = fit(still, samples=weighted, module=module, validation=weighted)
    expected = np.average(each.numpy(), weights=weights)
    assert row["train_loss"] == pytest.approx(expected, rel=1e-5)
    assert row["valid_loss"] == pytest.approx(expected, rel=1e-5)
    assert weighted.weights.tolist() == weights.tolist()  # the caller's stay as they were


def test_weights_all_alike_are_no_weights():
    recipe = Recipe(lr=0.1, max_epochs=2, batch_size=7)
    samples, _ = line()
    plain, _ = fit(recipe)
    alike, _ = fit(recipe, samples=Samples(samples.inputs, samples.targets, np.full(64, 8.0)))
    assert torch.equal(plain.weight, alike.weight) and torch.equal(plain.bias, alike.bias)


@pytest.mark.parametrize(
    "weights, message",
    [
        ([1, np.nan, 1], r"sample_weight\[1\] is nan: weights must be finite and not negative"),
        ([1, 1, -1], r"sample_weight\[2\] is -1.0: weights"),
        ([np.inf, 1, 1], r"sample_weight\[0\] is inf"),
        ([0, 0, 0], "sample_weight is 0 for every trial"),
        ([1, 1], r"one weight per trial: 3 trials, got shape \(2,\)"),
    ],
)
def test_weights_that_cannot_be(weights, message):
    with pytest.raises(ValueError, match=message):
        trial_weights(np.array([0, 1, 1]), None, weights)


class Watch(Callback):
    """Notes what the optimiser is about to see."""

    def __init__(self):
        self.rates, self.norms = [], []

    def on_epoch_begin(self, net, **kwargs):
        self.rates.append(net.optimizer_.param_groups[0]["lr"])

    def on_grad_computed(self, net, **kwargs):
        grads = [p.grad.norm() for p in net.module_.parameters()]
        self.norms.append(float(torch.stack(grads).norm()))


def watched(**recipe):
    """Train with a watcher on large inputs with wrong labels, whose gradient is large."""
    watch = Watch()
    samples, module = line()
    nn.init.ones_(module.weight)  # or the labels may be right
    wrong = Samples(-100 * samples.inputs, samples.targets)
    recipe = Recipe(batch_size=64, net_params={"callbacks": [("watch", watch)]}, **recipe)
    fit(recipe, samples=wrong, module=module)
    return watch


def test_cosine_schedule():
    expected = 0.05 * (1 + np.cos(np.pi * np.arange(5) / 5))
    np.testing.assert_allclose(watched(lr=0.1, max_epochs=5).rates, expected, rtol=1e-6)
    np.testing.assert_allclose(watched(lr=0.1, max_epochs=5, schedule=None).rates, 0.1)


def test_gradient_is_clipped():
    assert max(watched(lr=1e-3, max_epochs=2, gradient_clip=None).norms) > 1
    clipped = watched(lr=1e-3, max_epochs=2, gradient_clip=0.5).norms
    np.testing.assert_allclose(clipped, 0.5, rtol=1e-4)


def test_weight_decay_shrinks():
    free, _ = fit(Recipe(lr=0.1, max_epochs=30, batch_size=64))
    held, _ = fit(Recipe(lr=0.1, max_epochs=30, batch_size=64, weight_decay=1.0))
    assert held.weight.abs() < free.weight.abs() / 2


def test_net_params_reach_skorch():
    recipe = Recipe(
        lr=0.1,
        max_epochs=3,
        batch_size=64,
        schedule=None,
        net_params={"optimizer": torch.optim.SGD, "optimizer__momentum": 0.9, "max_epochs": 2},
    )
    _, history = fit(recipe)
    assert len(history) == 2


def test_verbose_prints_a_line_an_epoch(capsys):
    fit(Recipe(lr=0.1, max_epochs=3, batch_size=64))
    assert capsys.readouterr().out == ""
    fit(Recipe(lr=0.1, max_epochs=3, batch_size=64, verbose=1))
    assert len(capsys.readouterr().out.strip().splitlines()) == 5  # two of heading


def test_early_stopping_keeps_the_best_weights(capsys):
    """Validation labels are turned round, so every step makes them worse."""
    samples, module = line()
    wrong = Samples(samples.inputs, 1 - samples.targets)
    start = {key: value.clone() for key, value in module.state_dict().items()}
    recipe = Recipe(lr=0.1, max_epochs=50, batch_size=64, patience=3, verbose=0)
    module, history = fit(recipe, samples=samples, module=module, validation=wrong)
    losses = [row["valid_loss"] for row in history]
    best = int(np.argmin(losses))
    assert len(history) == best + 1 + 3 < 50
    with torch.no_grad():
        now = WeightedLoss()(module(wrong.inputs), (wrong.targets, wrong.weights))
    assert float(now) == pytest.approx(min(losses), rel=1e-5)
    assert any(not torch.equal(start[k], v) for k, v in module.state_dict().items())
    assert capsys.readouterr().out == ""  # the history says it, not the screen


def test_a_recipe_reads_an_estimator():
    from skrehab import FrameMLP

    recipe = Recipe.of(FrameMLP(lr=0.5, max_epochs=7, patience=2))
    assert (recipe.lr, recipe.max_epochs, recipe.patience) == (0.5, 7, 2)
    checked = {*TRAINING_CONSTRAINTS, *MORE_TRAINING_CONSTRAINTS, *PAPER_CONSTRAINTS}
    assert set(vars(recipe)) <= checked


# --- seeds ----------------------------------------------------------------------------------------
def test_seeded_puts_the_state_back_even_after_an_error():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError), seeded(np.random.RandomState(0)):
        torch.rand(5)
        raise RuntimeError
    assert torch.equal(torch.get_rng_state(), before)


def test_seeded_is_a_function_of_the_random_state():
    def draw(seed):
        with seeded(np.random.RandomState(seed)) as generator:
            return torch.rand(3).tolist(), torch.randperm(9, generator=generator).tolist()

    assert draw(0) == draw(0) != draw(1)
    random_state = np.random.RandomState(0)
    with seeded(random_state):
        first = torch.rand(1)
    with seeded(random_state):
        assert torch.rand(1) != first  # a RandomState moves on


def test_threads_do_not_draw_from_each_others_seed():
    def draw(seed):
        with seeded(np.random.RandomState(seed)):
            return [float(torch.rand(10_000)[-1]) for _ in range(50)]

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(draw, range(8)))
    assert together == [draw(seed) for seed in range(8)]


def test_seeded_blocks_may_stand_in_each_other():
    with seeded(np.random.RandomState(0)), seeded(np.random.RandomState(1)):
        inner = torch.rand(1)
    with seeded(np.random.RandomState(1)):
        assert torch.rand(1) == inner
