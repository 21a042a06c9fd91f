"""Layers shared by networks."""

import torch

__all__ = ["Dense", "resample_frames", "resample_seen"]


def resample_frames(x, lengths, n_frames):
    """Bring every trial of a padded batch to the same number of frames.

    Shrinking averages by area: each output covers an equal stretch of time and weighs frames by
    their overlap with it, so that every frame has the same total weight, hence the same chance of
    a gradient. (Linear interpolation would leave two thirds of 3000 frames out of 512 without any;
    the overlapping windows of ``adaptive_avg_pool1d`` weigh frames up to 2.6 times differently,
    which shows as a zigzag in saliency.) Growing interpolates linearly. Both are linear maps,
    applied as one matrix per trial.

    Parameters
    ----------
    x : torch.Tensor of shape (batch, frames, ...)
        Zero-padded trials.
    lengths : torch.Tensor of shape (batch,) or None
        True number of frames; None means all of them.
    n_frames : int
        Frames wanted.

    Returns
    -------
    torch.Tensor of shape (batch, n_frames, ...)
        Resampled trials.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks._layers import resample_frames
    >>> resample_frames(torch.arange(6.0).reshape(1, 6, 1), None, 3).ravel()
    tensor([0.5000, 2.5000, 4.5000])
    """
    if lengths is None and x.shape[1] == n_frames:
        return x
    return _mixed(_shares(x, lengths, n_frames)[0], x)


def resample_seen(x, seen, lengths, n_frames):
    """Bring trials to the same number of frames, leaving out what was not seen.

    As :func:`resample_frames`, but each output is the mean of what was seen in its stretch of time.
    Where nothing was, the frames nearest to it that show the point stand in, by the inverse fourth
    power of their distance. A point that is never seen stays as it is; one at zero throughout takes
    the mean of the others of its person.

    Parameters
    ----------
    x : torch.Tensor of shape (batch, frames, persons, landmarks, coords)
        Zero-padded trials.
    seen : torch.Tensor of shape (batch, frames, persons, landmarks, 1), dtype bool
        Which points were seen.
    lengths : torch.Tensor of shape (batch,) or None
        True number of frames; None means all of them.
    n_frames : int
        Frames wanted.

    Returns
    -------
    torch.Tensor of shape (batch, n_frames, persons, landmarks, coords)
        Resampled trials. A trial in which nothing at all was seen is resampled as if all was.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks._layers import resample_seen
    >>> x = torch.tensor([1.0, 1, 0, 3, 3, 3]).reshape(1, 6, 1, 1, 1)
    >>> resample_seen(x, x > 0, None, 3).ravel()
    tensor([1., 3., 3.])
    """
    shares, near = _shares(x, lengths, n_frames, nearest=True)
    seen = seen & (near[:, 0, :, None, None, None] > 0)  # not behind the trial's end
    seen = seen | ~seen.flatten(1).any(dim=1)[:, None, None, None, None]
    weights = seen.to(x.dtype)
    shown = x * weights
    known, found = _mixed(shares, weights), _mixed(near, weights)
    tiny = torch.finfo(x.dtype).tiny ** 0.5
    mean = _mixed(shares, shown) / known.clamp(min=tiny)
    stand_in = _mixed(near, shown) / found.clamp(min=tiny)
    out = torch.where(known > 1e-6, mean, stand_in)
    ever = seen.any(dim=1, keepdim=True)  # (batch, 1, persons, landmarks, 1)
    out = torch.where(ever, out, _mixed(shares, x))
    there = (ever | (x != 0).any(dim=1, keepdim=True).any(dim=4, keepdim=True)).to(x.dtype)
    middle = (out * there).sum(dim=3, keepdim=True) / there.sum(dim=3, keepdim=True).clamp(min=1)
    return torch.where(there > 0, out, middle)


def _mixed(shares, x):
    flat = torch.bmm(shares.to(x.dtype), x.flatten(2))
    return flat.reshape(x.shape[0], shares.shape[1], *x.shape[2:])


def _shares(x, lengths, n_frames, nearest=False):
    """Shares (batch, n_frames, frames) of each frame in each output; of the nearest, if asked."""
    max_frames = x.shape[1]
    if lengths is None:
        lengths = torch.full((x.shape[0],), max_frames)
    lengths = lengths.to(x.device)[:, None]  # (batch, 1)
    step = torch.arange(n_frames, device=x.device)[None]  # (1, n_frames)
    frame = torch.arange(max_frames, device=x.device)[None, None]  # (1, 1, max_frames)

    # averaging: output i covers the time i L / n ... (i + 1) L / n, frame j covers j ... j + 1
    start = (step * lengths / n_frames)[..., None]
    stop = ((step + 1) * lengths / n_frames)[..., None]
    overlap = (torch.minimum(stop, frame + 1) - torch.maximum(start, frame)).clamp(min=0)
    averaging = overlap * (n_frames / lengths)[..., None]

    # interpolation: output i lies at (i + 1/2) L / n - 1/2, kept inside the trial
    place = ((step + 0.5) * lengths / n_frames - 0.5).clamp(min=0)
    place = torch.minimum(place, lengths - 1.0)
    hat = (1 - (frame - place[..., None]).abs()).clamp(min=0)

    shares = torch.where((lengths >= n_frames)[..., None], averaging, hat)  # (batch, n, frames)
    if not nearest:
        return shares, None
    middle = (step + 0.5) * lengths / n_frames - 0.5
    distance = (frame - middle[..., None]).abs().clamp(min=0.25)
    near = (distance**-4).to(x.dtype) * (frame < lengths[..., None])
    return shares, near


class Dense(torch.nn.Module):
    """Two linear layers around a GELU, under the names that published transformers have."""

    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = torch.nn.Linear(width, hidden)
        self.fc2 = torch.nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(torch.nn.functional.gelu(self.fc1(x)))
