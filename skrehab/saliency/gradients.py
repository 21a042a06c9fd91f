"""Gradients of a network's logit: at a trial, or averaged along the way to it.

Pure functions on a torch module with the signature of :mod:`skrehab.networks.registry`. The target
is always a logit, never a probability, which saturates.
"""

from contextlib import contextmanager, nullcontext

import numpy as np
import torch

from skrehab._surroundings import Counted, own_surroundings
from skrehab.saliency.memory import MEMORY, counting, rows_within
from skrehab.saliency.path_integral import clenshaw_curtis, integrate_stretches, worst_stretches

__all__ = ["converge", "integrated_gradients", "vanilla_gradient"]

LEVELS = (4, 8, 16)  # intervals on the path that n_steps="auto" tries in turn, all nested
BUDGET = 129  # points at most, when stretches are bisected after that
AT_ONCE = 8  # stretches of one trial bisected before looking again
SLACK = 2  # times the tolerance that a single stretch may miss, lest large errors cancel
ROWS = 48  # trials times points in one forward pass: hardly slower than 64, and less memory
KEPT = 2**26  # numbers of kept gradients at once: a quarter of a gigabyte


# a setting of the whole process: counted, so that threads do not put it back under one another
_WITHOUT_CUDNN = Counted(
    lambda: torch.backends.cudnn.enabled,
    lambda value: setattr(torch.backends.cudnn, "enabled", value),
    False,
)


@contextmanager
def frozen(module):
    """Evaluation mode without cuDNN, whose RNNs refuse backward in it; everything is put back.

    Weights need no gradient here, so nothing is kept for one in the forward pass.
    """
    training = [m for m in module.modules() if m.training]
    trainable = [p for p in module.parameters() if p.requires_grad]
    module.eval()
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        with own_surroundings(), _WITHOUT_CUDNN:
            yield
    finally:
        for m in training:
            m.training = True
        for parameter in trainable:
            parameter.requires_grad_(True)


def _target_logit(logits, target):
    """Logit of each row's target class; one logit stands for class 1 against class 0."""
    if logits.shape[1] == 1:
        return torch.where(target == 1, logits[:, 0], -logits[:, 0])
    return logits.gather(1, target[:, None])[:, 0]


def _input_gradient(module, x, lengths, target):
    return _logit_and_gradient(module, x, lengths, target)[1]


def _logit_and_gradient(module, x, lengths, target):
    x = x.clone() if x.is_inference() else x.detach()
    x.requires_grad_(True)
    with torch.enable_grad():
        logit = _target_logit(module(x, lengths), target)
        return logit.detach(), torch.autograd.grad(logit.sum(), x)[0]


def vanilla_gradient(module, x, lengths, target, *, internal_batch_size=ROWS, memory=None):
    """Gradient of the target logit with respect to the input.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        Zero-padded trials.
    lengths : torch.Tensor of shape (batch,)
        True number of frames.
    target : torch.Tensor of shape (batch,), dtype int64
        Class of each trial.
    internal_batch_size : int, default=48
        Trials in one forward pass, at most.
    memory : int, optional
        Bytes that the way through the network and back may take, see
        :mod:`skrehab.saliency.memory`; None measures nothing.

    Returns
    -------
    torch.Tensor of shape (batch, frames, landmarks, coords)
        The gradient; zero on padding.

    References
    ----------
    Simonyan, Vedaldi & Zisserman 2014, arXiv:1312.6034.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks import build
    >>> from skrehab.saliency import vanilla_gradient
    >>> lstm = build("lstm", n_landmarks=2, n_coords=3, n_outputs=1)
    >>> x, lengths = torch.zeros(1, 5, 2, 3), torch.tensor([4])
    >>> vanilla_gradient(lstm, x, lengths, torch.tensor([1]))[0, 4].abs().sum()
    tensor(0.)
    """
    with frozen(module):
        rows = rows_within(module, x, lengths, internal_batch_size, memory)
        parts = zip(x.split(rows), lengths.split(rows), target.split(rows))
        return torch.cat([_input_gradient(module, *part) for part in parts])


def integrated_gradients(
    module,
    x,
    lengths,
    target,
    *,
    baseline=None,
    n_steps=50,
    tol=0.01,
    internal_batch_size=ROWS,
    memory=MEMORY,
):
    """Gradient averaged along the straight path from a baseline, times the way gone.

    A given number of steps means as many Gauss-Legendre points. ``"auto"`` halves a
    Clenshaw-Curtis grid, about as exact, up to 17 points; grids are nested, so that every gradient
    is used again. Where that is not enough, as for a network whose logit jumps somewhere on the
    path, it bisects the stretches that miss most of what the logit gains over them, until the
    completeness error is small or 129 points are spent. Several trials and points share a forward
    pass.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        Zero-padded trials.
    lengths : torch.Tensor of shape (batch,)
        True number of frames.
    target : torch.Tensor of shape (batch,), dtype int64
        Class of each trial.
    baseline : torch.Tensor of shape (batch, frames, landmarks, coords), optional
        Start of the path; None means zeros.
    n_steps : int or "auto", default=50
        Points on the path. ``"auto"`` starts with 5 and goes on to 9, 17, and one by one up to
        129, for the trials that need it, until the completeness error is under `tol`.
    tol : float, default=0.01
        Completeness error to reach with ``n_steps="auto"``, as a share of the logit gained on the
        way, ``|f(x) - f(baseline)|``, or of one logit where that is less.
    internal_batch_size : int, default=48
        Rows (trials times points) in one forward pass, at most.
    memory : int or None, default=2**28
        Bytes that the way through the network and back may take: rows are fewer where trials are
        long or the network is large. One row always goes. None measures nothing.

    Returns
    -------
    attribution : torch.Tensor of shape (batch, frames, landmarks, coords)
        Integrated gradients; they sum to ``f(x) - f(baseline)``.
    error : torch.Tensor of shape (batch,)
        Completeness error, absolute, in units of the logit.
    used : torch.Tensor of shape (batch,)
        Points used for each trial.

    References
    ----------
    Sundararajan, Taly & Yan 2017, arXiv:1703.01365, equation (1) and proposition 1.
    Trefethen 2008, "Is Gauss quadrature better than Clenshaw-Curtis?", SIAM Review 50(1).

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks import build
    >>> from skrehab.saliency import integrated_gradients
    >>> lstm = build("lstm", n_landmarks=2, n_coords=3, n_outputs=1, readout="last")
    >>> x, lengths = torch.ones(1, 5, 2, 3), torch.tensor([5])
    >>> _, error, used = integrated_gradients(lstm, x, lengths, torch.tensor([1]), n_steps="auto")
    >>> bool(error < 0.01), int(used) in (5, 9, 17)
    (True, True)
    """
    baseline = torch.zeros_like(x) if baseline is None else baseline
    if n_steps == "auto":
        parts = (module, baseline, x - baseline, lengths, target)
        return converge(*parts, tol, internal_batch_size, memory)[:3]
    with frozen(module):
        rows = rows_within(module, x, lengths, internal_batch_size, memory)
        ends = (
            torch.cat(pair).split(rows) for pair in ((x, baseline), (lengths,) * 2, (target,) * 2)
        )
        with torch.no_grad():
            logits = [_target_logit(module(one, n), t) for one, n, t in zip(*ends)]
        at_x, at_baseline = torch.cat(logits).chunk(2)
        nodes, weights = np.polynomial.legendre.leggauss(n_steps)
        way = x - baseline
        parts = (module, baseline, way, lengths, target)
        attribution = way * _sum_gradients(*parts, (nodes + 1) / 2, weights[None] / 2, rows)[0]
        error = (attribution.flatten(1).sum(1) - (at_x - at_baseline)).abs()
        return attribution, error, torch.full((len(x),), n_steps)


def converge(module, baseline, way, lengths, target, tol, internal_batch_size=ROWS, memory=MEMORY):
    """Integrate gradients until they are complete, and say whether they are.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    baseline, way : torch.Tensor of shape (batch, frames, landmarks, coords)
        Start of each trial's path, and what leads from it to the trial.
    lengths, target : torch.Tensor of shape (batch,)
        True number of frames, and class.
    tol, internal_batch_size, memory
        See :func:`integrated_gradients`.

    Returns
    -------
    attribution, error, used : torch.Tensor
        As of :func:`integrated_gradients`.
    met : torch.Tensor of shape (batch,), dtype bool
        Whether the tolerance was met within the budget.
    """
    attribution = torch.zeros_like(way)
    error, used = torch.zeros(len(way)), torch.zeros(len(way), dtype=torch.int64)
    met = torch.ones(len(way), dtype=torch.bool)

    rows_at_once = None if memory is not None and internal_batch_size > 1 else internal_batch_size

    def evaluate(paths):
        """Walk on: the gradient at the points that each path asks for, rows of all together."""
        nonlocal rows_at_once
        asked = [(path, alpha) for path in paths for alpha in path.asked]
        if rows_at_once is None:  # the longest goes alone, and what it takes is counted
            asked.sort(key=lambda one: -int(lengths[one[0].row]))
        while asked:
            n_rows = rows_at_once or 1
            some, asked = asked[:n_rows], asked[n_rows:]
            rows = torch.tensor([path.row for path, _ in some])
            alphas = way.new_tensor([alpha for _, alpha in some]).reshape(-1, 1, 1, 1)
            points = baseline[rows] + alphas * way[rows]
            at = (lengths[rows], target[rows.to(target.device)])
            with nullcontext() if rows_at_once else counting() as found:
                logits, gradients = _logit_and_gradient(module, points, *at)
            if rows_at_once is None:
                rows_at_once = max(1, min(internal_batch_size, memory // max(1, found.n_bytes)))
            slopes = (way[rows] * gradients).flatten(1).sum(1, dtype=torch.float64)
            for (path, alpha), *point in zip(some, logits.tolist(), slopes.tolist(), gradients):
                path.points[alpha] = point

    with frozen(module):
        at_once = max(1, KEPT // (BUDGET * max(1, way[0].numel())))
        for start in range(0, len(way), at_once):
            paths = [_Path(row, tol) for row in range(start, min(start + at_once, len(way)))]
            while active := [path for path in paths if len(path.asked)]:
                evaluate(active)
                for path in active:
                    path.look()
                    if len(path.asked) == 0:
                        i = path.row
                        attribution[i] = way[i] * path.mean_gradient()
                        error[i], used[i], met[i] = path.error, len(path.points), path.met
                        path.points.clear()
    return attribution, error.to(way), used, met


class _Path:
    """What is known of one trial's path, and which points are asked for next."""

    def __init__(self, row, tol):
        self.row, self.tol = row, tol
        self.points = {}  # alpha -> logit, slope, gradient
        self.levels = list(LEVELS)
        self.asked = clenshaw_curtis(self.levels[0])[0].tolist()

    def look(self):
        """Integrate what there is; ask for more points unless it is complete."""
        nodes = np.array(sorted(self.points))
        values, slopes = np.array([self.points[alpha][:2] for alpha in nodes]).T
        gain = values[-1] - values[0]
        allowed = self.tol * max(1.0, abs(gain))
        self.asked = []
        if self.levels:
            self.weights = clenshaw_curtis(self.levels.pop(0))[1]
            largest = 0.0
        else:
            self.weights, errors = integrate_stretches(nodes, slopes, values)
            largest = np.abs(errors).max()
        self.error = abs(self.weights @ slopes - gain)
        self.met = bool(self.error <= allowed and largest <= SLACK * allowed)
        if self.met:
            return
        if self.levels:
            finer = clenshaw_curtis(self.levels[0])[0]
            self.asked = finer[1::2].tolist()
        elif len(nodes) < BUDGET:
            _, errors = integrate_stretches(nodes, slopes, values)
            self.asked = self._between(nodes, errors)

    def _between(self, nodes, errors):
        middles = worst_stretches(errors, nodes, min(AT_ONCE, BUDGET - len(nodes)))
        return [alpha for alpha in middles.tolist() if np.abs(nodes - alpha).min() > 1e-6]

    def mean_gradient(self):
        gradients = [self.points[alpha][2] for alpha in sorted(self.points)]
        return sum(float(w) * gradient for w, gradient in zip(self.weights, gradients))


def _sum_gradients(module, baseline, way, lengths, target, alphas, weights, internal_batch_size):
    """Sum the gradient at ``baseline + alpha * way`` with each row of weights."""
    alphas = torch.as_tensor(alphas, dtype=way.dtype, device=way.device)
    weights = torch.as_tensor(weights, dtype=way.dtype, device=way.device)
    sums = torch.zeros(len(weights), *way.shape, dtype=way.dtype, device=way.device)
    n_trials = min(len(way), internal_batch_size)
    at_once = max(1, internal_batch_size // n_trials)
    for first in range(0, len(way), n_trials):
        batch = slice(first, first + n_trials)
        for start in range(0, len(alphas), at_once):
            alpha = alphas[start : start + at_once].reshape(-1, 1, 1, 1, 1)
            points = baseline[batch] + alpha * way[batch]  # (points, trials, frames, ...)
            k = len(points)
            gradient = _input_gradient(
                module, points.flatten(0, 1), lengths[batch].repeat(k), target[batch].repeat(k)
            )
            part = weights[:, start : start + at_once] @ gradient.reshape(k, -1)
            sums[:, batch] += part.reshape(len(weights), *way[batch].shape)
    return sums
