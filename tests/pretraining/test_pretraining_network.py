"""Losses of the non-expert network, and which of its parts learns from which."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from skrehab.pretraining.network import PretextNetwork, collate_views, reconstruction_loss
from skrehab.pretraining.tasks import OBJECTIVES, slow_down, view
from skrehab.skeletons import get_skeleton

LIMBS = list(get_skeleton("common15").limbs.values())


def network(objective="pace+inpaint", **params):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PretextNetwork(15, 3, objective=objective, hidden_size=6, **params)


def batch(objective="pace+inpaint", lengths=(12, 30, 1, 25), seed=0):
    rng = np.random.default_rng(seed)
    trials = [rng.standard_normal((n, 15, 3)).astype(np.float32) for n in lengths]
    return collate_views([view(trial, objective, rng, limbs=LIMBS) for trial in trials])


def gradients(module):
    return [p.grad.clone() for p in module.parameters()]


def derivatives(loss, module):
    return torch.autograd.grad(loss, list(module.parameters()), retain_graph=True)


def assert_equal(a, b):
    for one, other in zip(a, b, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


# --- who learns from which loss -------------------------------------------------------------------
def test_gradients_are_those_of_equations_1_to_4():
    """Each part's gradient, derived from the losses one by one."""
    net, data = network(alpha=0.3, beta=0.2), batch()
    net.backward(net.losses(data))
    # the same losses by hand, on a graph without any routing
    frames, states = net.encoder(data.seen.flatten(2), data.seen_lengths)
    summary = torch.stack([f[:n].mean(0) for f, n in zip(frames, data.seen_lengths)])
    pace = F.cross_entropy(net.pace_decoder(summary), data.pace)
    output = net.decoder(data.given.flatten(2), states)
    rec = torch.stack(
        [
            (o[:n] - t[:n].flatten(1)).square().sum() / (15 * n)
            for o, t, n in zip(output, data.target, data.lengths)
        ]
    ).mean()
    fake = torch.sigmoid(net.discriminator(output, data.lengths))
    real = torch.sigmoid(net.discriminator(data.target.flatten(2), data.lengths))
    equation_3 = real.log().mean() + (1 - fake).log().mean()

    assert_equal(gradients(net.encoder), derivatives(rec + 0.2 * pace, net.encoder))
    assert_equal(gradients(net.pace_decoder), derivatives(pace, net.pace_decoder))
    assert_equal(gradients(net.decoder), derivatives(rec - 0.3 * fake.log().mean(), net.decoder))
    # ascending equation (3): descending its negative
    assert_equal(gradients(net.discriminator), derivatives(-equation_3, net.discriminator))


def test_the_adversarial_loss_never_reaches_the_encoder():
    """How much it weighs changes the decoder's gradient, and not one bit of the encoder's."""
    found = {}
    for alpha in (0.01, 100.0):
        net = network(alpha=alpha)
        net.backward(net.losses(batch()))
        found[alpha] = net
    for part in ("encoder", "pace_decoder", "discriminator"):
        one, other = (gradients(getattr(net, part)) for net in found.values())
        assert all(torch.equal(a, b) for a, b in zip(one, other)), part
    one, other = (gradients(net.decoder) for net in found.values())
    assert all(not torch.equal(a, b) for a, b in zip(one, other))


def test_the_pace_loss_never_reaches_the_inpainting_decoder():
    data, found = batch(), {}
    for pace in (0, 3):  # another truth, another loss
        net = network()
        losses = net.losses(collate_with_pace(data, pace))
        net.backward(losses)
        found[float(losses["pace"].detach())] = net
    assert len(found) == 2
    for part in ("decoder", "discriminator"):
        one, other = (gradients(getattr(net, part)) for net in found.values())
        assert all(torch.equal(a, b) for a, b in zip(one, other)), part
    for part in ("encoder", "pace_decoder"):
        one, other = (gradients(getattr(net, part)) for net in found.values())
        assert any(not torch.equal(a, b) for a, b in zip(one, other)), part


def collate_with_pace(data, pace):
    values = {name: getattr(data, name) for name in data.__dataclass_fields__}
    return type(data)(**(values | {"pace": torch.full_like(data.pace, pace)}))


def test_beta_weighs_pace_in_the_encoder_only():
    found = [network("pace", beta=beta) for beta in (0.5, 1.0)]
    for net in found:
        net.backward(net.losses(batch("pace")))
    half, whole = (gradients(net.encoder) for net in found)
    assert_equal([2 * g for g in half], whole)
    half, whole = (gradients(net.pace_decoder) for net in found)
    assert all(torch.equal(a, b) for a, b in zip(half, whole))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_parameter_learns(objective):
    net = network(objective)
    losses = net.losses(batch(objective))
    net.backward(losses)
    assert all(torch.isfinite(loss) for loss in losses.values())
    for name, p in net.named_parameters():
        assert p.grad is not None and torch.isfinite(p.grad).all(), name
        if not ("reconstruct" in objective and name == "decoder.rnn.weight_ih_l0"):
            assert p.grad.abs().max() > 0, name  # there the decoder's input is zero


def test_parts_follow_from_the_objective():
    parts = {
        objective: {name for name, _ in network(objective).named_children()}
        for objective in OBJECTIVES
    }
    everything = {"encoder", "pace_decoder", "decoder", "discriminator"}
    assert parts["pace+inpaint"] == parts["pace+reconstruct"] == everything
    assert parts["pace"] == {"encoder", "pace_decoder"}
    assert parts["inpaint"] == parts["predict_motion"] == everything - {"pace_decoder"}
    assert parts["order"] == {"encoder", "decoder"}  # "we remove the discriminator"
    assert {name for name, _ in network(alpha=0).named_children()} == everything - {"discriminator"}


def test_published_sizes():
    """2 x 1000 units in encoder and decoder, 2 x 200 in the discriminator."""
    with torch.device("meta"):
        net = PretextNetwork(15, 3)
    count = {
        name: sum(p.numel() for p in part.parameters()) / 1e6 for name, part in net.named_children()
    }
    assert count["encoder"] == pytest.approx(24.29, abs=0.01)
    assert count["decoder"] == pytest.approx(9.19, abs=0.01)
    assert count["discriminator"] == pytest.approx(0.39, abs=0.01)
    assert count["pace_decoder"] == pytest.approx(3.01, abs=0.01)


# --- losses ---------------------------------------------------------------------------------------
def test_reconstruction_is_equation_2_over_true_frames():
    rng = np.random.RandomState(0)
    output, target = (torch.from_numpy(rng.randn(2, 6, 15, 3)) for _ in range(2))
    lengths = torch.tensor([6, 2])
    sums = [((output[i, :n] - target[i, :n]) ** 2).sum() for i, n in enumerate(lengths)]
    torch.testing.assert_close(
        reconstruction_loss(output, target, lengths, "sum"), sum(sums) / 2, rtol=1e-12, atol=0
    )
    mean = (sums[0] / (6 * 15) + sums[1] / (2 * 15)) / 2
    torch.testing.assert_close(reconstruction_loss(output, target, lengths), mean)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_padding_costs_nothing(objective):
    """The losses of a batch do not change when all of it is padded by more frames."""
    net, data = network(objective), batch(objective)
    values = {name: getattr(data, name) for name in data.__dataclass_fields__}
    for name in ("seen", "given", "target"):
        values[name] = F.pad(values[name], (0, 0, 0, 0, 0, 9))
    if data.places is not None:
        values["places"] = F.pad(values["places"], (0, 9), value=-100)
    one, other = net.losses(data), net.losses(type(data)(**values))
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-5, atol=1e-6)


def test_slowed_first_and_padded_afterwards():
    """In a ragged batch each trial is what it is when slowed alone, with zeros behind."""
    trials = [np.full((n, 15, 3), 0.5, dtype=np.float32) for n in (10, 30)]
    for trial in trials:
        trial *= np.linspace(0.5, 1, len(trial), dtype=np.float32)[:, None, None]
    views = [view(one, "pace+inpaint", np.random.default_rng(0), limbs=LIMBS) for one in trials]
    data = collate_views(views)
    assert data.lengths.tolist() == [10, 30]
    assert (data.target[0, 10:] == 0).all() and (data.seen[0, 10:] == 0).all()
    for i, n in enumerate((10, 30)):
        alone = data.target[i, :n].numpy()
        assert alone.min() >= 0.25  # stretched padding would bring values between 0 and that
        paces = (0.6, 0.7, 0.8, 0.9, 1.0)
        kept = int(n * paces[views[i].pace])
        candidates = [slow_down(trials[i], paces[views[i].pace], s) for s in range(n - kept + 1)]
        assert any(np.array_equal(alone, one) for one in candidates)


def test_padding_has_no_place_in_the_order():
    data = batch("order", lengths=(30, 4))
    assert (data.places[1, 4:] == -100).all() and (data.places[0] >= 0).all()
