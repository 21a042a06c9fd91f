"""Every n-th frame only: trials thinned in all their phases, and put together again.

A slow movement at 30 frames a second holds little in each frame that was not in the one before. A
network that looks at every n-th frame sees n times as far, and costs n times less. In training a
trial is seen from a random one of its n phases; afterwards all of them are judged, so that every
frame has a verdict: frame t is judged from frames t, t - n, t - 2 n, ... (and t + n, ... by a
network that looks ahead).
"""

import numpy as np
import torch
from torch import nn

__all__ = ["Thinned", "choose_step", "interleave", "phases", "thin_all"]

WHOLE = 75  # a median trial of up to so many frames is left as it is
FRAMES = 50  # else it is brought to about so many
MAX_STEP = 6


def choose_step(step, lengths):
    """Choose which frames a network looks at.

    Parameters
    ----------
    step : int or "auto"
        Every so many frames; ``"auto"`` brings the median trial to about 50 frames: 1 for up to 75,
        else its length over 50, rounded, at most 6.
    lengths : array-like of int
        Frames of the training trials.

    Returns
    -------
    int
        The step, 1 or more.

    Examples
    --------
    >>> from skrehab.training.thinning import choose_step
    >>> [choose_step("auto", [n]) for n in (75, 76, 220, 9000)]
    [1, 2, 4, 6]
    """
    if step != "auto":
        return int(step)
    median = float(np.median(lengths))
    return 1 if median <= WHOLE else min(round(median / FRAMES), MAX_STEP)


def phases(n_frames, step):
    """Frames of each phase of a trial.

    Parameters
    ----------
    n_frames : int
        Frames of the trial.
    step : int
        Every so many frames.

    Returns
    -------
    list of slice
        The frames of each phase; fewer than `step` phases where there are fewer frames.

    Examples
    --------
    >>> from skrehab.training.thinning import phases
    >>> [list(range(5))[phase] for phase in phases(5, 3)]
    [[0, 3], [1, 4], [2]]
    """
    return [slice(start, None, step) for start in range(min(step, n_frames))]


def thin_all(trials, step):
    """Thin trials in all their phases.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, ...)
        Trials, or what else has one row a frame.
    step : int
        Every so many frames.

    Returns
    -------
    thinned : list of ndarray
        All phases of the first trial, then those of the second, ...
    owner : ndarray of int
        Position of the trial that each came from.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.thinning import thin_all
    >>> thin_all([np.arange(3), np.arange(1)], 2)
    ([array([0, 2]), array([1]), array([0])], array([0, 0, 1]))
    """
    pairs = [
        (i, trial[phase]) for i, trial in enumerate(trials) for phase in phases(len(trial), step)
    ]
    return [one for _, one in pairs], np.array([i for i, _ in pairs], dtype=int)


def interleave(parts):
    """Put the phases of one trial together again.

    Parameters
    ----------
    parts : list of ndarray of shape (n_frames_p, ...)
        One array a phase, in order.

    Returns
    -------
    ndarray of shape (n_frames, ...)
        The frames in order.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.thinning import interleave
    >>> interleave([np.array([0, 3]), np.array([1, 4]), np.array([2])])
    array([0, 1, 2, 3, 4])
    """
    n_frames = sum(map(len, parts))
    whole = np.empty((n_frames, *parts[0].shape[1:]), dtype=parts[0].dtype)
    for start, part in enumerate(parts):
        whole[start :: len(parts)] = part
    return whole


class Thinned(nn.Module):
    """A network over thinned trials, as a network over whole ones.

    The trial's logits are the mean over its phases; the frames' are those of all phases, put
    together. Gradients flow, so attributions of a frame are those of its phase, divided by the
    number of phases.

    Parameters
    ----------
    network : torch.nn.Module
        Takes ``(x, lengths)``.
    step : int
        Every so many frames.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.mil_tcn import MilTCN
    >>> from skrehab.training.thinning import Thinned
    >>> network = Thinned(MilTCN(33, 3, 1).eval(), 3)
    >>> x, lengths = torch.zeros(2, 40, 33, 3), torch.tensor([40, 7])
    >>> network(x, lengths).shape, network.frame_logits(x, lengths).shape
    (torch.Size([2, 1]), torch.Size([2, 40, 1]))
    """

    def __init__(self, network, step):
        super().__init__()
        self.network = network
        self.step = step
        if hasattr(network, "saliency_smooth"):
            self.saliency_smooth = network.saliency_smooth
        if hasattr(network, "frame_logits"):
            self.frame_logits = self._frame_logits
        if getattr(network, "ignores_scale", False):  # see MOMENT
            self.ignores_scale, self.held_scale = True, self._held_scale

    def forward(self, x, lengths=None):
        return self.mean_over_phases(self.network, x, lengths)

    def mean_over_phases(self, compute, x, lengths=None):
        """Compute something of each phase, and its mean over the phases of each trial.

        Parameters
        ----------
        compute : callable
            Takes thinned trials and their lengths, returns one row a trial.
        x, lengths : torch.Tensor
            Padded trials and their lengths.

        Returns
        -------
        torch.Tensor of shape (batch, ...)
            The means.
        """
        parts, counts, true = self._split(x, lengths)
        rows = compute(parts, counts)
        rows = rows.reshape(len(x), -1, *rows.shape[1:])  # (batch, phases, ...)
        true = true.reshape(*true.shape, *[1] * (rows.ndim - 2))
        return (rows * true).sum(dim=1) / true.sum(dim=1)

    def _frame_logits(self, x, lengths=None):
        parts, counts, _ = self._split(x, lengths)
        return self._join(self.network.frame_logits(parts, counts), x)

    def _held_scale(self, x, lengths=None):
        parts, counts, _ = self._split(x, lengths)
        scaled, inner = self.network.held_scale(parts, counts)
        return self._join(scaled, x), Thinned(inner, self.step)

    def _join(self, rows, x):
        """Frames of all phases in the order of the trials `x`."""
        rows = rows.reshape(len(x), -1, *rows.shape[1:])  # (batch, phases, thinned, ...)
        return rows.transpose(1, 2).flatten(1, 2)[:, : x.shape[1]]

    def _split(self, x, lengths):
        """Phases as rows of a batch, their lengths, and which there are."""
        step = self.step
        if lengths is None:
            lengths = torch.full((len(x),), x.shape[1], device=x.device)
        short = x.new_zeros(1, 1, *x.shape[2:]).expand(len(x), step - 1, *x.shape[2:])
        x = torch.cat([x, short], dim=1)
        # (phases, batch, thinned, ...) -> (batch * phases, thinned, ...); as long as each other
        n = (x.shape[1] // step) * step
        parts = torch.stack([x[:, p:n:step] for p in range(step)], dim=1).flatten(0, 1)
        start = torch.arange(step, device=lengths.device)
        counts = (lengths[:, None] - start + step - 1).div(step, rounding_mode="floor")
        true = (counts > 0).to(x.device, x.dtype)
        # a phase that a short trial lacks is judged as one frame, and not counted
        return parts, counts.clamp(min=1).flatten(), true
