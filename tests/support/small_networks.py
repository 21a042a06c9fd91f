"""Small networks, inputs for them, and what every graph network must do."""

import numpy as np
import torch

__all__ = [
    "check_any_shape",
    "check_one_trial_trains",
    "check_padding_and_gradients",
    "check_persons_averaged",
    "check_slope",
    "count",
    "noise",
    "seeded",
]


def seeded(make, *args, **params):
    """Build a network whose weights do not change from run to run, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make(*args, **params).eval()


def noise(*shape, seed=0):
    """Draw a float32 batch."""
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype(np.float32))


def count(network):
    """Count the parameters."""
    return sum(p.numel() for p in network.parameters())


def check_any_shape(tiny, shape):
    """Any number of landmarks and coordinates gives logits, and gradients on every frame."""
    network = tiny(shape[2], shape[3], 3)
    x = noise(*shape).requires_grad_(True)
    logits = network(x)
    assert logits.shape == (shape[0], 3)
    logits.square().sum().backward()
    assert (x.grad.abs().amax(dim=(2, 3)) > 0).all()


def check_persons_averaged(tiny):
    """Two persons alike are as one; a missing person is one of zeros."""
    one = tiny(17, 3, 2)
    two = tiny(34, 3, 2, n_persons=2)
    state = {k: v for k, v in one.state_dict().items() if not k.startswith("data_bn")}
    missing, unexpected = two.load_state_dict(state, strict=False)
    assert not unexpected and all(key.startswith("data_bn") for key in missing)
    x = noise(2, 20, 17, 3)
    with torch.no_grad():  # data_bn is the identity as built
        torch.testing.assert_close(two(torch.cat([x, x], dim=2)), one(x), rtol=1e-4, atol=1e-5)
    padded = tiny(17, 3, 2, max_persons=2)
    with torch.no_grad():
        expected = two(torch.cat([x, torch.zeros_like(x)], dim=2))
        padded.load_state_dict(two.state_dict())
        torch.testing.assert_close(padded(x), expected)


def check_padding_and_gradients(network, n_landmarks):
    """Padding changes nothing, and gradients reach the true frames only."""
    x = noise(3, 45, n_landmarks, 3).requires_grad_(True)
    lengths = torch.tensor([45, 16, 1])
    logits = network(x, lengths)
    for i, length in enumerate(lengths):
        torch.testing.assert_close(
            logits[i : i + 1], network(x[i : i + 1, :length]), rtol=1e-5, atol=1e-5
        )
    reached = torch.autograd.grad(logits.sum(), x)[0].abs().amax(dim=(2, 3)) > 0
    for i, length in enumerate(lengths):
        assert reached[i, :length].all() and not reached[i, length:].any()


def check_one_trial_trains(network):
    """One trial reaches every weight, stays as it came, and meets dropout."""
    x = noise(1, 20, 17, 2)
    before = x.clone()
    network.train()(x, torch.tensor([13])).sum().backward()
    assert torch.equal(x, before)
    assert all(p.grad is not None for p in network.parameters())
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        assert not torch.equal(network(x), network(x))


def check_slope(network, step=1e-6):
    """The gradient on one coordinate is the slope of the logit (in double precision)."""
    network = network.double()
    x = noise(1, 30, 17, 2).double().requires_grad_(True)
    gradient = torch.autograd.grad(network(x).sum(), x)[0]
    for frame, joint in [(0, 0), (13, 9), (29, 16)]:
        up, down = x.detach().clone(), x.detach().clone()
        up[0, frame, joint, 1] += step
        down[0, frame, joint, 1] -= step
        slope = (network(up) - network(down)).item() / (2 * step)
        np.testing.assert_allclose(gradient[0, frame, joint, 1], slope, rtol=1e-4, atol=1e-8)
