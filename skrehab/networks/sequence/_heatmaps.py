"""Heat-maps of key-points, differentiable in the coordinates.

One picture a joint and frame: a small Gaussian where the joint is. The gradient is that of the
Gaussian, so what a network makes of the pictures is traced back to every frame's coordinates.

H. Duan, Y. Zhao, K. Chen, D. Lin, B. Dai, "Revisiting Skeleton-based Action Recognition", CVPR
2022, section 3.2 and equation 1.
"""

import torch

__all__ = ["SEEN", "compact", "heatmaps"]

SEEN = 1e-3  # a joint whose score is below is not drawn


def compact(points, scores, size, *, padding=0.25, smallest=0.1):
    """Express points in pixels of the square around all of them over the whole clip.

    Parameters
    ----------
    points : torch.Tensor of shape (batch, joints, frames, persons, 2)
        Positions in any unit, x and y.
    scores : torch.Tensor of shape (batch, joints, frames, persons)
        Joints with a score below 1e-3 do not count.
    size : int
        Side of the square in pixels.
    padding : float, default=0.25
        Share by which the square is larger than the points' own box.
    smallest : float, default=0.1
        Least side of the square, in units of `points`: a person who does not move out of a point
        stays a point.

    Returns
    -------
    torch.Tensor of shape (batch, joints, frames, persons, 2)
        Positions in pixels, between 0 and `size` for all joints that count.
    """
    seen = (scores >= SEEN)[..., None]
    low = points.masked_fill(~seen, torch.inf).amin(dim=(1, 2, 3), keepdim=True)
    high = points.masked_fill(~seen, -torch.inf).amax(dim=(1, 2, 3), keepdim=True)
    any_seen = seen.any(dim=3, keepdim=True).any(dim=2, keepdim=True).any(dim=1, keepdim=True)
    centre = torch.where(any_seen, (low + high) / 2, 0.0)
    side = ((high - low) * (1 + padding)).amax(dim=4, keepdim=True).clamp(min=smallest)
    return ((points - centre) / side + 0.5) * size


def heatmaps(points, scores, size, *, sigma=0.6):
    """Draw a Gaussian of height `score` at each joint.

    Parameters
    ----------
    points : torch.Tensor of shape (batch, joints, frames, persons, 2)
        x and y in pixels; a pixel's centre is at whole numbers.
    scores : torch.Tensor of shape (batch, joints, frames, persons)
        Heights; below 1e-3 nothing is drawn.
    size : int
        Height and width of the pictures.
    sigma : float, default=0.6
        Standard deviation in pixels; nothing is drawn farther than three of it.

    Returns
    -------
    torch.Tensor of shape (batch, joints, frames, size, size)
        Pictures; where persons overlap, the higher value.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence._heatmaps import heatmaps
    >>> point = torch.tensor([10.3, 20.7]).reshape(1, 1, 1, 1, 2)
    >>> picture = heatmaps(point, torch.ones(1, 1, 1, 1), 56)[0, 0, 0]
    >>> round(picture[21, 10].item(), 4)
    0.7788
    """
    pixels = torch.arange(size, dtype=points.dtype, device=points.device)
    distance = pixels - points[..., None]  # (batch, joints, frames, persons, 2, size)
    profile = torch.exp(-(distance**2) / (2 * sigma**2)) * (distance.abs() <= 3 * sigma)
    # a two-dimensional Gaussian is the product of its profiles
    across, down = profile.unbind(dim=4)
    down = down * (scores * (scores >= SEEN))[..., None]
    pictures = down[..., :, None] * across[..., None, :]
    return pictures.amax(dim=3) if pictures.shape[3] > 1 else pictures.squeeze(3)
