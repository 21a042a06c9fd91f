"""Gradient attribution: how much each coordinate of each frame speaks for the decision.

Pure functions on a torch module with the signature of :mod:`skrehab.networks.registry`. The target
is always a logit, never a probability, which saturates.
"""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch

from skrehab.batching import iterate_by_length
from skrehab.path_integral import clenshaw_curtis, integrate_stretches, worst_stretches
from skrehab.saliency_scores import AGGREGATIONS, frame_scores, min_max, score_frames
from skrehab.trials import ragged

__all__ = [
    "AGGREGATIONS",
    "Saliency",
    "explain",
    "frame_scores",
    "integrated_gradients",
    "min_max",
    "vanilla_gradient",
]

METHODS = ("vanilla_gradient", "integrated_gradients", "frame_logits")
SMOOTH = 8  # frames over which the authors smooth the map of any network but the LSTM
LEVELS = (4, 8, 16)  # intervals on the path that n_steps="auto" tries in turn, all nested
BUDGET = 129  # points at most, when stretches are bisected after that
AT_ONCE = 8  # stretches of one trial bisected before looking again
SLACK = 2  # times the tolerance that a single stretch may miss, lest large errors cancel
ROWS = 64  # trials times points in one forward pass
KEPT = 2**26  # numbers of kept gradients at once: a quarter of a gigabyte


@dataclass(frozen=True)
class Saliency:
    """Attribution of a list of trials.

    Parameters
    ----------
    scores : ndarray of shape (n_trials,), dtype object
        One array ``(n_frames_i,)`` per trial.
    maps : list of ndarray of shape (n_frames_i, n_landmarks)
        Absolute attribution summed over coordinates, in units of the logit.
    completeness_error : ndarray of shape (n_trials,)
        ``|sum of attributions - (f(x) - f(baseline))|`` in units of the logit; NaN for the plain
        gradient, which has no such property.
    n_steps : ndarray of shape (n_trials,)
        Points on the path that were used.
    """

    scores: np.ndarray
    maps: list
    completeness_error: np.ndarray
    n_steps: np.ndarray


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
        with torch.backends.cudnn.flags(enabled=False):
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
    x = x.detach().requires_grad_(True)
    with torch.enable_grad():
        logit = _target_logit(module(x, lengths), target)
        return logit.detach(), torch.autograd.grad(logit.sum(), x)[0]


def vanilla_gradient(module, x, lengths, target):
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
        return _input_gradient(module, x, lengths, target)


def integrated_gradients(
    module, x, lengths, target, *, baseline=None, n_steps=50, tol=0.01, internal_batch_size=ROWS
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
    internal_batch_size : int, default=64
        Rows (trials times points) in one forward pass; bounds the memory.

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
    >>> lstm = build("lstm", n_landmarks=2, n_coords=3, n_outputs=1)
    >>> x, lengths = torch.ones(1, 5, 2, 3), torch.tensor([5])
    >>> _, error, used = integrated_gradients(lstm, x, lengths, torch.tensor([1]), n_steps="auto")
    >>> bool(error < 0.01), int(used)
    (True, 5)
    """
    baseline = torch.zeros_like(x) if baseline is None else baseline
    if n_steps == "auto":
        parts = (module, baseline, x - baseline, lengths, target)
        return _converge(*parts, tol, internal_batch_size)[:3]
    with frozen(module):
        with torch.no_grad():
            ends = module(torch.cat([x, baseline]), torch.cat([lengths, lengths]))
            at_x, at_baseline = _target_logit(ends, torch.cat([target, target])).chunk(2)
        nodes, weights = np.polynomial.legendre.leggauss(n_steps)
        way = x - baseline
        parts = (module, baseline, way, lengths, target)
        attribution = (
            way * _sum_gradients(*parts, (nodes + 1) / 2, weights[None] / 2, internal_batch_size)[0]
        )
        error = (attribution.flatten(1).sum(1) - (at_x - at_baseline)).abs()
        return attribution, error, torch.full((len(x),), n_steps)


def _converge(module, baseline, way, lengths, target, tol, internal_batch_size):
    """Integrate until complete: attribution, error, points, and whether the tolerance was met."""
    attribution = torch.zeros_like(way)
    error, used = torch.zeros(len(way)), torch.zeros(len(way), dtype=torch.int64)
    met = torch.ones(len(way), dtype=torch.bool)

    def evaluate(paths):
        """Walk on: the gradient at the points that each path asks for, rows of all together."""
        asked = [(path, alpha) for path in paths for alpha in path.asked]
        for start in range(0, len(asked), internal_batch_size):
            some = asked[start : start + internal_batch_size]
            rows = torch.tensor([path.row for path, _ in some])
            alphas = way.new_tensor([alpha for _, alpha in some]).reshape(-1, 1, 1, 1)
            points = baseline[rows] + alphas * way[rows]
            at = (lengths[rows], target[rows.to(target.device)])
            logits, gradients = _logit_and_gradient(module, points, *at)
            slopes = (way[rows] * gradients).flatten(1).sum(1, dtype=torch.float64)
            for (path, alpha), *found in zip(some, logits.tolist(), slopes.tolist(), gradients):
                path.points[alpha] = found

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


def explain(
    module,
    trials,
    targets,
    *,
    method="integrated_gradients",
    baseline="zeros",
    n_steps=50,
    tol=0.01,
    aggregate="sum",
    smooth=0,
    coords="sum",
    scale="frames",
    z_clip=None,
    normalize=True,
    batch_size=32,
    device="cpu",
):
    """Attribute a network's decisions on a list of trials.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials; lost landmarks (NaN) get no attribution.
    targets : array-like of shape (n_trials,)
        Class index of each trial.
    method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}
        Attribution method. ``"frame_logits"`` is none: it takes the scores of a network that scores
        frames itself; such scores have no map of landmarks (NaN).
    baseline : {"zeros", "rest"} or ndarray
        Start of the path: zeros; each trial's first frame held still; or an array that broadcasts
        to a trial, such as one pose ``(n_landmarks, n_coords)``. Where a landmark is lost the path
        stays at zero. A network that scales each trial itself (MOMENT with ``revin``) gives the
        same for every point of such a path but its start: for it both words mean every channel
        standing still at its mean, with the trial's own mean and deviation held on the way.
    n_steps : int or "auto"
        See :func:`integrated_gradients`.
    tol : float
        See :func:`integrated_gradients`.
    aggregate : {"positive", "sum", "mean", "max", "signed"}
        See :func:`skrehab.saliency_scores.score_frames`.
    smooth : int, (str, int) or "auto"
        See there; ``"auto"`` is the authors' choice: 8 frames, and none for a recurrent network or
        one's own frame logits.
    coords : {"sum", "first"}
        See there.
    scale : {"map", "frames"}
        See there.
    z_clip : float, optional
        See there.
    normalize : bool
        Scale each trial's scores as `scale` says; False leaves them in units of the logit.
    batch_size : int
        Trials in a batch.
    device : str
        Torch device.

    Returns
    -------
    Saliency
        Scores, maps and completeness errors in the order of `trials`.

    Raises
    ------
    ValueError
        If `method` or `baseline` is unknown, the network does not score frames, or it leaves no
        path from this baseline.
    """
    if method == "frame_logits" and not hasattr(module, "frame_logits"):
        raise ValueError(
            f"method='frame_logits' needs a network that scores frames, such as 'mil_tcn'; "
            f"{type(module).__name__} scores whole trials."
        )
    if method not in METHODS:
        raise ValueError(f"method must be one of {METHODS}, got {method!r}.")
    n = len(trials)
    scores, maps = [None] * n, [None] * n
    errors, used = np.full(n, np.nan), np.ones(n, dtype=int)
    met = np.ones(n, dtype=bool)
    if isinstance(smooth, str) and smooth == "auto":
        own = method == "frame_logits"
        smooth = 0 if own else getattr(module, "saliency_smooth", SMOOTH)
    how = {"smooth": smooth, "coords": coords, "z_clip": z_clip}
    how["scale"] = scale if normalize else None
    targets = torch.as_tensor(np.asarray(targets), dtype=torch.int64)
    for index, x, lengths in iterate_by_length(trials, batch_size):
        batch = (module, x.to(device), lengths, targets[index].to(device))
        if method == "frame_logits":
            for i, raw in zip(index, _frame_logits(*batch)):
                raw = raw[: len(trials[i]), None, None]
                scores[i] = score_frames(raw, aggregate="signed", **how)
                maps[i] = np.full(trials[i].shape[:2], np.nan)
            continue
        if method == "vanilla_gradient":
            attribution = vanilla_gradient(*batch)
        else:
            start = _baseline_batch([trials[i] for i in index], x, baseline).to(device)
            if getattr(module, "ignores_scale", False):
                batch, start = _still_baseline(batch, baseline)
            if n_steps == "auto":
                way = batch[1] - start
                attribution, error, steps, fine = _converge(
                    batch[0], start, way, *batch[2:], tol, ROWS
                )
                met[index] = fine.cpu()
            else:
                attribution, error, steps = integrated_gradients(
                    *batch, baseline=start, n_steps=n_steps
                )
            errors[index], used[index] = error.cpu(), steps
        for i, values in zip(index, attribution.cpu().numpy()):
            values = np.where(np.isnan(trials[i]), 0, values[: len(trials[i])])
            scores[i] = score_frames(values, aggregate=aggregate, **how)
            maps[i] = np.abs(values).sum(axis=2)
    if not met.all():
        warnings.warn(
            f"Integrated gradients of {(~met).sum()} of {n} trials are not complete to tol={tol:g} "
            f"after up to {used.max()} points, where refining ends: the largest completeness error "
            f"is {errors.max():.2g} logits (completeness_error tells each trial's).",
            UserWarning,
            stacklevel=2,
        )
    return Saliency(ragged(scores), maps, errors, used)


def _frame_logits(module, x, lengths, target):
    """Score each frame for its trial's target, by the network's own frame logits."""
    with frozen(module), torch.no_grad():
        logits = module.frame_logits(x, lengths)  # (batch, frames, outputs)
        if logits.shape[2] == 1:
            return (logits[..., 0] * (2 * target - 1)[:, None]).cpu().numpy()
        return logits[torch.arange(len(x)), :, target].cpu().numpy()


def _still_baseline(batch, baseline):
    """The path of a network that scales every trial itself, on which f(a x) = f(x).

    It is walked behind the scaling: with each trial's own mean and deviation held, from every
    channel standing still at its mean.
    """
    module, x, lengths, target = batch
    if not isinstance(baseline, str):
        raise ValueError(
            f"{type(module).__name__} scales every trial to mean 0 and deviation 1, so a path from "
            "an array leads nowhere. Take baseline='zeros', which then means every channel at "
            "its mean with the trial's own scale, or build the network with revin=False."
        )
    scaled, inner = module.held_scale(x, lengths)
    return (inner, scaled, lengths, target), torch.zeros_like(scaled)


def _baseline_batch(trials, x, baseline):
    """Start of the path for a padded batch; padding and lost landmarks start, and stay, at zero."""
    start = torch.zeros_like(x)
    if isinstance(baseline, str) and baseline == "zeros":
        return start
    if isinstance(baseline, str) and baseline != "rest":
        raise ValueError(f"baseline must be 'zeros', 'rest' or an array, got {baseline!r}.")
    for row, trial in zip(start, trials):
        pose = trial[:1] if isinstance(baseline, str) else np.asarray(baseline, dtype=np.float32)
        try:
            pose = np.broadcast_to(np.nan_to_num(pose), trial.shape)
        except ValueError:
            raise ValueError(
                f"baseline of shape {np.shape(baseline)} does not fit a trial of {trial.shape}."
            ) from None
        row[: len(trial)] = torch.from_numpy(np.where(np.isnan(trial), np.float32(0), pose))
    return start
