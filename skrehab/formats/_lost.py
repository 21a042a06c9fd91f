"""One rule for lost points, whatever a program writes for them; every reader of poses asks here."""

import numpy as np

# what tables have in place of a number; in pictures positive ones may be places
_NINES = -np.array([99.0, 999.0, 9999.0, 99999.0, 999999.0])
_HUGE = 1e10


def lost_points(points, coords):
    """Which points are lost.

    A point is lost if one of its coordinates is not a number; if its score is zero, negative or not
    a number; or if it lies exactly at zero in all its coordinates, whatever its score, which is how
    most programs write "not found". In a picture, (-1, -1) says the same, and everywhere a number
    of nines or a huge one in all coordinates, like (-9999, -9999, -9999). One thing at zero is no
    lost point: the single landmark in which the pose is centred, at zero in every frame that shows
    anything, with the others around it on all sides.

    Parameters
    ----------
    points : ndarray of shape (n_frames, n_landmarks, n_coords)
        Points as a file has them.
    coords : tuple of str or None
        What the last axis holds; None where nobody knows: three numbers may then be a place, or a
        place in a picture and a score.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks), dtype bool
        True where lost.
    """
    n_coords = points.shape[2]
    scored = coords is not None and coords[-1] == "score"
    n_dims = n_coords - scored if coords is not None else min(n_coords, 3)
    place = points[..., :n_dims]
    absent = np.isnan(place).any(axis=-1)
    zero = (place == 0).all(axis=-1)
    if scored:
        absent |= ~(points[..., -1] > 0)
    absent |= _filled_in(place)
    if coords is not None and n_dims == 2:
        absent |= (place == -1).all(axis=-1)
    zero &= ~absent
    always = np.flatnonzero(zero.any(axis=0) & (zero | absent | _blank(zero)).all(axis=0))
    if len(always) == 1 and _around(place, zero | absent):
        zero[:, always] &= _blank(zero)
    return absent | zero


def _filled_in(place):
    """Points with one and the same number in all coordinates that stands for "not found"."""
    first = place[..., 0]
    nines = np.isin(first, _NINES) | (np.isin(first, -_NINES) & (place.shape[-1] > 2))
    return (nines | (np.abs(first) >= _HUGE)) & (place == first[..., None]).all(axis=-1)


def _blank(zero):
    """Frames in which every point is at zero, (n_frames, 1): nobody is there."""
    return zero.all(axis=1, keepdims=True)


def _around(place, out):
    """Whether the other points lie on all sides of zero in most frames that have some."""
    place = np.where(out[..., None], 0, place)
    inside = ((place.min(axis=1) < 0) & (place.max(axis=1) > 0)).all(axis=-1)
    shown = (~out).any(axis=1)
    return shown.any() and inside[shown].mean() > 0.5


def mark_lost(points, coords):
    """Points with NaN for the places of lost ones and 0 for their scores.

    Points whose place is NaN already are left as they are.
    """
    points = np.array(points, dtype=float)
    scored = coords is not None and coords[-1] == "score"
    n_dims = points.shape[2] - scored if coords is not None else min(points.shape[2], 3)
    marked = np.isnan(points[..., :n_dims]).all(axis=-1)
    if coords is None and not points.any():  # an array of zeros: nothing tells what they are
        return points
    lost = lost_points(points, coords) & ~marked
    points[lost, :n_dims] = np.nan
    if scored:
        points[lost, -1] = 0
    return points
