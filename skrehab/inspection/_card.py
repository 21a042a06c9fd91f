"""How a pose lies on its card: seen from the front, shifted to fit, left told from right."""

import numpy as np

__all__ = ["edge_side", "fit_in_card", "seen_from_front", "sides_of"]


def seen_from_front(poses, skeleton):
    """Turn coordinates into picture coordinates as a camera facing the person sees them.

    Parameters
    ----------
    poses : ndarray of shape (..., n_landmarks, n_coords)
        Positions on the skeleton's own axes.
    skeleton : Skeleton
        Says where its axes point.

    Returns
    -------
    ndarray of shape (..., n_landmarks, 2)
        Right and up.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.inspection._card import seen_from_front
    >>> from skrehab.skeletons import get_skeleton
    >>> seen_from_front(np.array([[0.2, 0.5, 1.0]]), get_skeleton("mediapipe33"))
    array([[ 0.2, -0.5]])
    """
    right, down = skeleton.directions[:2]
    return np.asarray(poses, dtype=float)[..., :2] * (right, -down)


def fit_in_card(poses, skeleton):
    """Shift poses into one card with (0, 0) at its lower left; return them and the card's size.

    The shift is the same for all frames: how the person moves across the picture stays visible.
    """
    trunk = poses[:, list(skeleton.trunk), 0]
    usable = trunk if np.isfinite(trunk).any() else poses[..., 0]
    if not np.isfinite(poses).all(axis=2).any():
        return poses, 1.0, 1.4
    centre = np.nanmedian(usable)
    half = np.nanmax(np.abs(poses[..., 0] - centre))
    low, high = np.nanmin(poses[..., 1]), np.nanmax(poses[..., 1])
    margin = 0.09 * max(high - low, 2 * half, 1e-6)
    width = 2 * (half + margin)
    height = high - low + 2 * margin
    # a lying person makes a low card, a standing one a narrow card: keep both readable
    width = max(width, 0.5 * height)
    tall = max(height, 0.5 * width)
    shift = (centre - width / 2, low - margin - (tall - height) / 2)
    return poses - shift, float(width), float(tall)


def sides_of(skeleton):
    """Name the side of each landmark."""
    sides = np.full(skeleton.n_landmarks, "middle", dtype="U6")
    for left, right in skeleton.pairs:
        sides[left], sides[right] = "left", "right"
    return sides


def edge_side(a, b):
    """Return the side of a line: that of its ends, in the middle where they are on both."""
    ends = {str(a), str(b)} - {"middle"}
    return ends.pop() if len(ends) == 1 else "middle"
