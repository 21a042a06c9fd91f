"""Gradient attribution: how much each coordinate of each frame speaks for the decision.

Pure functions on a torch module with the signature of :mod:`skrehab.networks.registry`. The target
is always a logit, never a probability, which saturates.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import torch

from skrehab._given import filled
from skrehab._surroundings import on_device, own_surroundings
from skrehab.preprocessing.lost import complete_trials, seen_points
from skrehab.saliency.gradients import (
    ROWS,
    converge,
    frozen,
    integrated_gradients,
    vanilla_gradient,
)
from skrehab.saliency.memory import MEMORY, rows_within
from skrehab.saliency.scores import score_frames
from skrehab.training.batching import iterate_by_length
from skrehab.trials import ragged

__all__ = ["METHODS", "Saliency", "explain"]

#: Names of the attribution methods.
METHODS = ("vanilla_gradient", "integrated_gradients", "frame_logits")
SMOOTH = 8  # frames over which the authors smooth the map of any network but the LSTM


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


@own_surroundings()
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
    memory=MEMORY,
    seen=None,
):
    """Attribute a network's decisions on a list of trials.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials; lost landmarks (NaN) get no attribution. The network is given them filled, as
        :func:`skrehab.preprocessing.lost.complete_poses` does it, unless it scores frames itself.
    targets : array-like of shape (n_trials,) or None
        Class index of each trial; None takes the one that the network says.
    method : {"vanilla_gradient", "integrated_gradients", "frame_logits"}
        Attribution method. ``"frame_logits"`` is none: it takes the scores of a network that scores
        frames itself; such scores have no map of landmarks (NaN).
    baseline : {"zeros", "rest"} or ndarray
        Start of the path: zeros; each trial's first frame held still; or an array that broadcasts
        to a trial, such as one pose ``(n_landmarks, n_coords)``. A network that scales each trial
        itself (MOMENT with ``revin``) gives the same for every point of such a path but its start:
        for it both words mean every channel standing still at its mean, with the trial's own mean
        and deviation held on the way.
    n_steps : int or "auto"
        See :func:`integrated_gradients`.
    tol : float
        See :func:`integrated_gradients`.
    aggregate : {"positive", "sum", "mean", "max", "signed"}
        See :func:`skrehab.saliency.score_frames`.
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
        Torch device, to which the network is moved unless it is there.
    memory : int
        Bytes that trials on their way through the network may take; see
        :mod:`skrehab.saliency.memory`.
    seen : list of ndarray of bool of shape (n_frames_i, n_landmarks, n_coords), optional
        What was seen of trials that are filled already.

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
    on_device(module, device)
    n = len(trials)
    if seen is None:
        seen = [seen_points(trial) for trial in trials]
        if not hasattr(module, "frame_logits"):
            trials = complete_trials(trials)
    scores, maps = [None] * n, [None] * n
    errors, used = np.full(n, np.nan), np.ones(n, dtype=int)
    met = np.ones(n, dtype=bool)
    if isinstance(smooth, str) and smooth == "auto":
        own = method == "frame_logits"
        smooth = 0 if own else getattr(module, "saliency_smooth", SMOOTH)
    how = {"smooth": smooth, "coords": coords, "z_clip": z_clip}
    how["scale"] = scale if normalize else None
    if targets is not None:
        targets = torch.as_tensor(np.asarray(targets), dtype=torch.int64)
    for index, x, lengths in iterate_by_length(trials, batch_size):
        x = x.to(device)
        with frozen(module):
            rows = rows_within(module, x, lengths, ROWS, memory)
        target = _likeliest(module, x, lengths, rows) if targets is None else targets[index]
        batch = (module, x, lengths, target.to(device))
        within = {"internal_batch_size": rows, "memory": None}
        if method == "frame_logits":
            for i, raw in zip(index, _frame_logits(*batch)):
                raw = raw[: len(trials[i]), None, None]
                scores[i] = score_frames(raw, aggregate="signed", **how)
                maps[i] = np.full(trials[i].shape[:2], np.nan)
            continue
        if method == "vanilla_gradient":
            attribution = vanilla_gradient(*batch, internal_batch_size=rows)
        else:
            start = _baseline_batch([trials[i] for i in index], x, baseline).to(device)
            start = _where_seen(start, batch[1], [seen[i] for i in index])
            if getattr(module, "ignores_scale", False):
                batch, start = _still_baseline(batch, baseline)
            if n_steps == "auto":
                way = batch[1] - start
                attribution, error, steps, fine = converge(
                    *(batch[0], start, way, *batch[2:], tol), **within
                )
                met[index] = fine.cpu()
            else:
                attribution, error, steps = integrated_gradients(
                    *batch, baseline=start, n_steps=n_steps, **within
                )
            errors[index], used[index] = error.cpu(), steps
        for i, values in zip(index, attribution.cpu().numpy()):
            values = np.where(seen[i], values[: len(trials[i])], 0)
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


def _likeliest(module, x, lengths, rows):
    """Class that the network says of each trial of a batch."""
    with frozen(module), torch.no_grad():
        logits = torch.cat([module(*part) for part in zip(x.split(rows), lengths.split(rows))])
    return logits.argmax(dim=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()


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


def _where_seen(start, x, seen):
    """Let the path stand still at what was not seen: what is filled in leads nowhere."""
    way = torch.zeros_like(x, dtype=torch.bool)
    for row, one in zip(way, seen):
        row[: len(one)] = torch.from_numpy(np.ascontiguousarray(one)).to(x.device)
    return torch.where(way, start, x)


def _baseline_batch(trials, x, baseline):
    """Start of the path for a padded batch; padding starts and stays at zero."""
    start = torch.zeros_like(x)
    if isinstance(baseline, str) and baseline == "zeros":
        return start
    if isinstance(baseline, str) and baseline != "rest":
        raise ValueError(f"baseline must be 'zeros', 'rest' or an array, got {baseline!r}.")
    for row, trial in zip(start, trials):
        pose = trial[:1] if isinstance(baseline, str) else filled(baseline).astype(np.float32)
        try:
            pose = np.broadcast_to(np.nan_to_num(pose), trial.shape)
        except ValueError:
            raise ValueError(
                f"baseline of shape {np.shape(baseline)} does not fit a trial of {trial.shape}."
            ) from None
        row[: len(trial)] = torch.from_numpy(np.where(np.isnan(trial), np.float32(0), pose))
    return start
