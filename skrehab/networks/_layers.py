"""Layers shared by networks."""

import torch

__all__ = ["Dense", "resample_frames"]


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
    max_frames = x.shape[1]
    if lengths is None:
        if max_frames == n_frames:
            return x
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

    weights = torch.where((lengths >= n_frames)[..., None], averaging, hat)  # (batch, n, frames)
    flat = torch.bmm(weights.to(x.dtype), x.flatten(2))
    return flat.reshape(x.shape[0], n_frames, *x.shape[2:])


class Dense(torch.nn.Module):
    """Two linear layers around a GELU, under the names that published transformers have."""

    def __init__(self, width, hidden):
        super().__init__()
        self.fc1 = torch.nn.Linear(width, hidden)
        self.fc2 = torch.nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(torch.nn.functional.gelu(self.fc1(x)))
