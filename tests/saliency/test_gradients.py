"""Attribution: captum as oracle, completeness, and toy networks whose gradient is known."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from skrehab import networks
from skrehab.preprocessing.lost import complete_trials
from skrehab.saliency import (
    AGGREGATIONS,
    clenshaw_curtis,
    explain,
    integrate_stretches,
    integrated_gradients,
    min_max,
    score_frames,
    vanilla_gradient,
)
from skrehab.saliency.gradients import BUDGET, LEVELS
from skrehab.training.batching import pad_trials

LENGTHS = (12, 31, 5, 20)


class Linear(nn.Module):
    """The weighted sum of all true frames: its gradient is the weight."""

    def __init__(self, n_landmarks=4, n_coords=3, n_outputs=1):
        super().__init__()
        weight = np.random.RandomState(3).randn(n_outputs, n_landmarks, n_coords)
        self.weight = nn.Parameter(torch.from_numpy(weight.astype(np.float32)))

    def forward(self, x, lengths=None):
        true = torch.arange(x.shape[1])[None] < lengths[:, None]
        return torch.einsum("btjc,bt,ojc->bo", x, true.to(x.dtype), self.weight)


class Cube(Linear):
    """The sum of cubes, whose integrated gradients from zero are the cubes themselves."""

    def forward(self, x, lengths=None):
        return super().forward(x**3, lengths)


def draw(n_outputs=1, lengths=LENGTHS, seed=0):
    """Ragged trials, their batch, and a class for each."""
    rng = np.random.RandomState(seed)
    trials = [rng.randn(n, 4, 3).astype(np.float32) for n in lengths]
    target = torch.from_numpy(rng.randint(max(2, n_outputs), size=len(lengths)))
    return trials, (*pad_trials(trials), target)


def network(name, n_outputs=1, **more):
    """A small network of the registry in evaluation mode."""
    params = {"size": "micro"} if name == "act" else {"hidden_size": 12}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        built = networks.build(
            name, n_landmarks=4, n_coords=3, n_outputs=n_outputs, **params, **more
        )
    return built.eval()


def logit(module, n_outputs):
    """What captum differentiates: the logit of a class, minus it for class 0 of a single logit."""

    def forward(x, lengths, target):
        logits = module(x, lengths)
        if n_outputs == 1:
            return logits[:, 0] * (2 * target - 1)
        return logits.gather(1, target[:, None])[:, 0]

    return forward


# --- against captum -------------------------------------------------------------------------------
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("name", ["lstm", "gru", "act"])
def test_integrated_gradients_equal_captums(name, n_outputs):
    captum = pytest.importorskip("captum.attr")
    module = network(name, n_outputs)
    _, (x, lengths, target) = draw(n_outputs)
    expected = captum.IntegratedGradients(logit(module, n_outputs)).attribute(
        x, n_steps=50, method="gausslegendre", additional_forward_args=(lengths, target)
    )
    ours, error, used = integrated_gradients(module, x, lengths, target, n_steps=50)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert ours.dtype == x.dtype and (used == 50).all() and (error < 0.05).all()


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("name", ["lstm", "gru", "act"])
def test_vanilla_gradient_equals_captums(name, n_outputs):
    captum = pytest.importorskip("captum.attr")
    module = network(name, n_outputs)
    _, (x, lengths, target) = draw(n_outputs)
    expected = captum.Saliency(logit(module, n_outputs)).attribute(
        x.clone().requires_grad_(), abs=False, additional_forward_args=(lengths, target)
    )
    ours = vanilla_gradient(module, x, lengths, target)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_baseline_equals_captums():
    captum = pytest.importorskip("captum.attr")
    module = network("act")
    _, (x, lengths, target) = draw()
    baseline = (
        x[:, :1].expand_as(x) * (torch.arange(x.shape[1]) < lengths[:, None])[..., None, None]
    )
    expected = captum.IntegratedGradients(logit(module, 1)).attribute(
        x,
        baselines=baseline,
        n_steps=20,
        method="gausslegendre",
        additional_forward_args=(lengths, target),
    )
    ours, _, _ = integrated_gradients(module, x, lengths, target, baseline=baseline, n_steps=20)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


# --- known gradients ------------------------------------------------------------------------------
def test_linear_network_has_its_weights_as_gradient():
    module = Linear()
    _, (x, lengths, _) = draw()
    for target in (torch.zeros(4, dtype=int), torch.ones(4, dtype=int)):
        sign = 2 * float(target[0]) - 1  # class 0 speaks against the single logit
        gradient = vanilla_gradient(module, x, lengths, target)
        for i, n in enumerate(lengths):
            assert torch.equal(gradient[i, :n], sign * module.weight.detach().expand(n, 4, 3))
            assert (gradient[i, n:] == 0).all()
        for n_steps in (1, 2, 7):  # one point is exact for a linear function
            attribution, error, _ = integrated_gradients(
                module, x, lengths, target, n_steps=n_steps
            )
            torch.testing.assert_close(attribution, x * gradient)
            assert (error < 1e-4).all()


@pytest.mark.parametrize("target_class", [0, 1, 2])
def test_target_picks_the_class(target_class):
    module = Linear(n_outputs=3)
    _, (x, lengths, _) = draw()
    gradient = vanilla_gradient(module, x, lengths, torch.full((4,), target_class))
    assert torch.equal(gradient[0, 0], module.weight[target_class].detach())


def test_gauss_legendre_is_exact_for_cubes_with_two_points():
    """The gradient of a cube is a parabola, which two points integrate without error."""
    module = Cube()
    _, (x, lengths, target) = draw()
    attribution, error, _ = integrated_gradients(module, x, lengths, target, n_steps=2)
    sign = (2 * target - 1).view(-1, 1, 1, 1)
    torch.testing.assert_close(attribution, sign * module.weight.detach() * x**3)
    assert (error < 1e-4).all()
    _, coarse, _ = integrated_gradients(module, x, lengths, target, n_steps=1)
    assert (coarse > 0.1).all()


# --- completeness and "auto" ----------------------------------------------------------------------
@pytest.mark.parametrize("name", ["lstm", "act"])
def test_completeness(name):
    """Attributions sum to what the logit gained, and the error says by how much they miss."""
    module = network(name, 2)
    _, (x, lengths, target) = draw(2)
    attribution, error, _ = integrated_gradients(module, x, lengths, target, n_steps=64)
    with torch.no_grad():
        gain = (module(x, lengths) - module(torch.zeros_like(x), lengths)).gather(
            1, target[:, None]
        )[:, 0]
    missing = (attribution.sum(dim=(1, 2, 3)) - gain).abs()
    torch.testing.assert_close(error, missing, atol=1e-5, rtol=1e-3)
    assert (missing < 0.01).all() and (gain.abs() > 0.01).any()


def test_auto_takes_few_points_where_few_are_enough():
    module = network("lstm")
    _, (x, lengths, target) = draw()
    _, error, used = integrated_gradients(module, x, lengths, target, n_steps="auto", tol=0.01)
    assert (error <= 0.01).all()
    assert (used < 50).all() and set(used.tolist()) <= {5, 9, 17}


def test_auto_takes_more_points_for_the_trials_that_need_them():
    """A trial near the baseline is easy, one far from it hard; each gets what it needs."""
    module = network("act")
    _, (x, lengths, target) = draw(lengths=(30, 30))
    x[0] *= 0.01
    x[1] *= 5
    attribution, error, used = integrated_gradients(
        module, x, lengths, target, n_steps="auto", tol=0.02
    )
    assert used[0] == 5 < used[1] <= BUDGET
    for i in (0, 1):  # and each is what it gets alone
        alone, error_alone, used_alone = integrated_gradients(
            *(module, x[i : i + 1], lengths[i : i + 1], target[i : i + 1]), n_steps="auto", tol=0.02
        )
        assert used_alone == used[i]
        torch.testing.assert_close(attribution[i : i + 1], alone, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(error[i : i + 1], error_alone, rtol=0.1, atol=1e-4)


def test_auto_comes_to_the_same_as_many_gauss_legendre_points():
    """Two rules of integration, one integral."""
    module = network("act")
    _, (x, lengths, target) = draw()
    ours, _, used = integrated_gradients(module, x, lengths, target, n_steps="auto", tol=1e-5)
    exact, _, _ = integrated_gradients(module, x, lengths, target, n_steps=100)
    assert used.max() > 5
    torch.testing.assert_close(ours, exact, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("n", LEVELS)
def test_weights_integrate_polynomials(n):
    """Clenshaw-Curtis with n + 1 points is exact for polynomials of degree n."""
    nodes, weights = clenshaw_curtis(n)
    for degree in (0, 1, 2, 3, 4):
        assert weights @ nodes**degree == pytest.approx(1 / (degree + 1))


def test_stretches_take_the_rule_that_completes_them():
    """Smooth: the highest order, exact for polynomials; a jump: it is known where."""
    nodes = np.sort(np.random.RandomState(0).rand(12))
    nodes[[0, -1]] = 0, 1
    for degree in range(8):
        weights, errors = integrate_stretches(
            nodes, (degree + 1) * nodes**degree, nodes ** (degree + 1)
        )
        assert weights @ nodes**degree == pytest.approx(1 / (degree + 1), abs=1e-9)
        assert np.abs(errors).max() < 1e-9
    jump = 1 / (1 + np.exp(-(nodes - 0.4) / 1e-3))
    weights, errors = integrate_stretches(nodes, jump * (1 - jump) / 1e-3, jump)
    k = int(np.abs(errors).argmax())
    assert nodes[k] < 0.4 < nodes[k + 1] and weights.sum() == pytest.approx(1)


class Jump(nn.Module):
    """Jumps by 6 within a thousandth of the path, at 3 % of it, and then goes on evenly."""

    def forward(self, x, lengths=None):
        way = x.flatten(1).mean(dim=1)
        return (6 * torch.sigmoid((way - 0.03) / 2e-4) + way)[:, None]


def test_a_jump_on_the_path_is_found_and_integrated():
    x, lengths, target = torch.ones(2, 10, 4, 3), torch.tensor([10, 10]), torch.tensor([1, 1])
    attribution, error, used = integrated_gradients(Jump(), x, lengths, target, n_steps="auto")
    _, evenly, _ = integrated_gradients(Jump(), x, lengths, target, n_steps=129)
    assert (error <= 0.01 * 7).all() and (used < 80).all() and (evenly > 0.5).all()
    torch.testing.assert_close(
        attribution.flatten(1).sum(1), torch.full((2,), 7.0), atol=0.08, rtol=0
    )
    torch.testing.assert_close(attribution, torch.full_like(x, 7 / 120), atol=1e-3, rtol=0)


def test_the_points_of_a_step_are_few():
    """No point is computed twice, and none beyond the budget."""
    seen = []

    class Counting(Jump):
        def forward(self, x, lengths=None):
            seen.extend(x[:, 0, 0, 0].tolist())
            return super().forward(x, lengths)

    x, lengths, target = torch.ones(1, 4, 4, 3), torch.tensor([4]), torch.tensor([1])
    _, _, used = integrated_gradients(Counting(), x, lengths, target, n_steps="auto", tol=1e-12)
    assert len(seen) == len(set(seen)) == int(used) <= BUDGET


def test_auto_s_tolerance_is_a_share_of_what_was_gained():
    """A network that speaks louder is no harder: the same points, the error in proportion."""

    class Loud(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.inner, self.factor = network("act"), factor

        def forward(self, x, lengths=None):
            return self.factor * self.inner(x, lengths)

    _, (x, lengths, target) = draw()
    loud, louder = (
        integrated_gradients(Loud(factor), x, lengths, target, n_steps="auto")
        for factor in (1e3, 1e5)
    )
    assert torch.equal(loud[2], louder[2]) and (loud[2] < 100).all()
    assert (louder[1] > 0.01).any()  # logits, but little beside thousands gained
    assert (louder[1] <= 0.01 * louder[0].sum(dim=(1, 2, 3)).abs() * 1.02).all()


def test_auto_gives_up_and_says_so():
    trials, _ = draw(lengths=(30, 12))
    module = network("act")
    with pytest.warns(UserWarning, match=r"of \d of 2 trials are not complete to tol=1e-09"):
        result = explain(module, trials, [1, 1], n_steps="auto", tol=1e-9)
    assert result.n_steps.max() <= BUDGET
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        explain(module, trials, [1, 1], n_steps=4, tol=1e-9)  # a number asked for is no miss


@pytest.mark.parametrize("internal_batch_size", [1, 3, 7, 64, 1000])
def test_internal_batches_do_not_matter(internal_batch_size):
    module = network("act")
    _, (x, lengths, target) = draw()
    expected, _, _ = integrated_gradients(module, x, lengths, target, n_steps=9)
    ours, _, _ = integrated_gradients(
        module, x, lengths, target, n_steps=9, internal_batch_size=internal_batch_size
    )
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-6)


def test_memory_is_bounded_by_the_internal_batch():
    """No forward pass sees more rows than asked for."""
    rows = []

    class Counting(Linear):
        def forward(self, x, lengths=None):
            rows.append(len(x))
            return super().forward(x, lengths)

    _, (x, lengths, target) = draw()
    integrated_gradients(Counting(), x, lengths, target, n_steps=50, internal_batch_size=10)
    assert rows[0] == 1  # what one trial takes
    assert rows[1] == 8  # both ends of four paths
    assert max(rows[2:]) <= 10 and sum(rows[2:]) == 4 * 50


# --- what is left behind --------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["vanilla_gradient", "integrated_gradients"])
def test_module_is_left_as_it_was(method):
    module = network("lstm").train()
    module.rnn.eval()  # not all parts in the same mode
    for p in module.parameters():
        p.grad = torch.ones_like(p)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    modes = [m.training for m in module.modules()]
    trials, (x, _, _) = draw()
    explain(module, trials, [1] * 4, method=method, n_steps=3)
    assert [m.training for m in module.modules()] == modes
    assert all((p.grad == 1).all() and p.requires_grad for p in module.parameters())
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key])
    assert torch.is_grad_enabled() and torch.backends.cudnn.enabled and not x.requires_grad


def test_module_is_left_as_it_was_after_an_error():
    class Broken(Linear):
        def forward(self, x, lengths=None):
            raise RuntimeError("no")

    module = Broken().train()
    _, batch = draw()
    with pytest.raises(RuntimeError, match="no"):
        vanilla_gradient(module, *batch)
    assert module.training


def test_dropout_is_off_and_gradient_mode_is_not_needed():
    module = network("act").train()
    trials, _ = draw()
    with torch.no_grad():
        one = explain(module, trials, [1] * 4, n_steps=3)
    two = explain(module, trials, [1] * 4, n_steps=3)
    for a, b in zip(one.scores, two.scores):
        np.testing.assert_array_equal(a, b)


# --- explain --------------------------------------------------------------------------------------
def test_explain_keeps_the_order_of_the_trials():
    trials, _ = draw(lengths=(12, 31, 5, 20, 31, 1, 8))
    targets = [1, 0, 1, 0, 1, 0, 1]
    module = network("act")
    together = explain(module, trials, targets, n_steps=5, batch_size=3)
    for i, trial in enumerate(trials):
        alone = explain(module, [trial], targets[i : i + 1], n_steps=5)
        np.testing.assert_allclose(together.scores[i], alone.scores[0], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(together.maps[i], alone.maps[0], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(
            together.completeness_error[i], alone.completeness_error[0], atol=1e-4
        )


def test_explain_by_hand():
    """For a linear network everything is known: map, score, scaled score."""
    trials, _ = draw()
    module = Linear()
    weight = module.weight[0].detach().numpy()
    raw = explain(module, trials, [1] * 4, normalize=False, n_steps=1)
    scaled = explain(module, trials, [1] * 4, n_steps=1)
    for trial, scores, unit, landmarks in zip(trials, raw.scores, scaled.scores, raw.maps):
        expected = np.abs(trial * weight)
        np.testing.assert_allclose(landmarks, expected.sum(axis=2), rtol=1e-5)
        np.testing.assert_allclose(scores, expected.sum(axis=(1, 2)), rtol=1e-5)
        np.testing.assert_allclose(unit, min_max(scores))
    assert raw.scores.dtype == object and raw.scores.shape == (4,)
    assert raw.n_steps.tolist() == [1] * 4


@pytest.mark.parametrize("method", ["vanilla_gradient", "integrated_gradients"])
def test_explain_scores_the_true_frames_only(method):
    """Smoothing pads with zeros at the trial's own end, not with what lies behind it."""
    trials, _ = draw()
    weight = Linear().weight[0].detach().numpy()
    options = {"aggregate": "positive", "smooth": 8, "scale": "map", "z_clip": 2.0}
    found = explain(Linear(), trials, [1] * 4, method=method, n_steps=1, **options).scores
    for trial, scores in zip(trials, found):
        attribution = weight * (trial if method == "integrated_gradients" else np.ones_like(trial))
        expected = score_frames(attribution.astype(np.float32), **options)
        np.testing.assert_allclose(scores, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("name", "frames"), [("act", 8), ("lstm", 0), ("gru", 0)])
def test_smoothing_is_chosen_by_the_network_as_the_authors_do(name, frames):
    trials, _ = draw()
    module, how = network(name), {"method": "vanilla_gradient", "aggregate": "positive"}
    auto = explain(module, trials, [1] * 4, smooth="auto", **how).scores
    same = explain(module, trials, [1] * 4, smooth=frames, **how).scores
    other = explain(module, trials, [1] * 4, smooth=8 - frames, **how).scores
    for a, b, c in zip(auto, same, other):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() > 0.01


def test_vanilla_gradient_has_no_completeness():
    trials, _ = draw()
    result = explain(Linear(), trials, [1] * 4, method="vanilla_gradient")
    assert np.isnan(result.completeness_error).all() and (result.n_steps == 1).all()


@pytest.mark.parametrize("aggregate", AGGREGATIONS)
@pytest.mark.parametrize("method", ["vanilla_gradient", "integrated_gradients"])
@pytest.mark.parametrize("baseline", ["zeros", "rest", np.ones((4, 3))], ids=["0", "rest", "pose"])
def test_lost_landmarks_get_nothing(method, aggregate, baseline):
    trials, _ = draw()
    trials[1][4:9, 2] = np.nan
    trials[1][20] = np.nan
    result = explain(
        network("act"),
        trials,
        [1] * 4,
        method=method,
        aggregate=aggregate,
        baseline=baseline,
        n_steps=3,
        normalize=False,
    )
    assert (result.maps[1][4:9, 2] == 0).all() and (result.maps[1][20] == 0).all()
    assert result.scores[1][20] == 0
    assert (result.maps[1][:4] > 0).any()
    assert all(np.isfinite(scores).all() for scores in result.scores)


@pytest.mark.parametrize("baseline", ["zeros", "rest", np.ones((4, 3))], ids=["0", "rest", "pose"])
@pytest.mark.parametrize("name", ["lstm", "act"])
def test_attributions_are_complete_with_lost_landmarks(name, baseline):
    """What is reported is kept: the scores sum to what the logit gained, lost entries apart."""
    trials, _ = draw(lengths=(12, 20))
    start = [np.zeros_like(trials[0]), np.zeros_like(trials[1])]
    for trial, pose in zip(trials, start):
        trial[3:][np.random.RandomState(0).rand(*trial[3:].shape) < 0.4] = np.nan
        if not isinstance(baseline, str):
            pose[:] = baseline
        elif baseline == "rest":
            pose[:] = trial[0]
        # where a landmark is lost there is no way to go
        pose[np.isnan(trial)] = complete_trials([trial])[0][np.isnan(trial)]
    # the last state, since the norm behind a mean of states is steep near zero for 64 points
    module = network(name, **({"readout": "last"} if name == "lstm" else {}))
    result = explain(
        *(module, trials, [1, 1]),
        baseline=baseline,
        n_steps=64,
        aggregate="signed",
        normalize=False,
    )
    with torch.no_grad():
        ends = complete_trials(trials), start
        at_x, at_start = (module(*pad_trials(end))[:, 0].numpy() for end in ends)
    sums = [scores.sum() for scores in result.scores]
    np.testing.assert_allclose(sums, at_x - at_start, atol=1e-4)
    assert (result.completeness_error < 1e-4).all()


def test_baselines():
    trials, _ = draw()
    module = Linear()
    weight = module.weight[0].detach().numpy()
    pose = np.random.RandomState(1).randn(4, 3)
    away = {
        "zeros": [trial for trial in trials],
        "rest": [trial - trial[:1] for trial in trials],
        "pose": [trial - pose for trial in trials],
        "number": [trial - 0.5 for trial in trials],
    }
    for name, baseline in [("zeros", "zeros"), ("rest", "rest"), ("pose", pose), ("number", 0.5)]:
        result = explain(
            module,
            trials,
            [1] * 4,
            baseline=baseline,
            n_steps=1,
            aggregate="signed",
            normalize=False,
        )
        for scores, way in zip(result.scores, away[name]):
            np.testing.assert_allclose(
                scores, (way * weight).sum(axis=(1, 2)), rtol=1e-3, atol=1e-4
            )
    # the first frame has gone no way from rest
    rest = explain(module, trials, [1] * 4, baseline="rest", n_steps=1, normalize=False)
    assert all(scores[0] == 0 for scores in rest.scores)


def test_baseline_of_one_trial_s_own_length():
    trials, _ = draw(lengths=(6, 6))
    result = explain(Linear(), trials, [1, 1], baseline=trials[0], n_steps=1, normalize=False)
    np.testing.assert_array_equal(result.scores[0], 0)
    assert (result.scores[1] > 0).all()


def test_explain_refuses_what_it_does_not_know():
    trials, _ = draw()
    with pytest.raises(ValueError, match=r"method must be one of .* got 'smoothgrad'"):
        explain(Linear(), trials, [1] * 4, method="smoothgrad")
    with pytest.raises(ValueError, match="baseline must be 'zeros', 'rest' or an array"):
        explain(Linear(), trials, [1] * 4, baseline="mean")
    with pytest.raises(ValueError, match=r"baseline of shape \(5, 3\) does not fit a trial of"):
        explain(Linear(), trials, [1] * 4, baseline=np.zeros((5, 3)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["lstm", "act"])
def test_the_same_on_a_gpu(name):
    trials, _ = draw()
    module = network(name)
    on_cpu = explain(module, trials, [1] * 4, n_steps=8)
    on_gpu = explain(module.cuda(), trials, [1] * 4, n_steps=8, device="cuda")
    for a, b in zip(on_cpu.scores, on_gpu.scores):
        np.testing.assert_allclose(a, b, atol=1e-3)
