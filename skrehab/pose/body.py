"""Measures of people in a picture: how large they are, whether they sit, how far they jump.

World landmarks cannot tell people apart, as each has its origin between its own hips; so all of
this works on image landmarks in pixels.
"""

import numpy as np

from ..skeletons import get_skeleton

__all__ = [
    "TRUNK",
    "find_doubles",
    "find_jumps",
    "is_upside_down",
    "knee_drop",
    "largest_step",
    "trunk_size",
]

_SKELETON = get_skeleton("mediapipe33")
TRUNK = list(_SKELETON.trunk)
_HIPS, _KNEES, _SHOULDERS = (
    [_SKELETON.index(f"{side}_{joint}") for side in ("left", "right")]
    for joint in ("hip", "knee", "shoulder")
)

# A person moves at most so far from one frame to the next, in trunk sizes (about half a metre): a
# trunk at most some 2 m/s in exercises, and landmarks jitter at any frame rate.
_MOST, _PER_SECOND = 1.0, 4.0
_SAME = 0.35  # two poses of one frame this close on average, in trunk sizes, are one person


def trunk_size(landmarks):
    """Measure how large people are: the longest distance between two of shoulders and hips.

    Turning sideways keeps the sides of the trunk long, bending forward keeps the shoulders apart,
    and arms do not count: so the size says how near a person is, whatever they do.

    Parameters
    ----------
    landmarks : ndarray of shape (..., 33, n_coords)
        Image landmarks in pixels; only x and y are used.

    Returns
    -------
    ndarray of shape (...)
        Size in pixels; NaN where there is no person.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.body import trunk_size
    >>> person = np.zeros((33, 2))
    >>> person[[23, 24], 1] = 50  # hips 50 pixels below the shoulders
    >>> float(trunk_size(person))
    50.0
    """
    trunk = np.asarray(landmarks, dtype=float)[..., TRUNK, :2]
    sides = trunk[..., :, None, :] - trunk[..., None, :, :]
    return np.sqrt((sides**2).sum(axis=-1)).max(axis=(-1, -2))


def knee_drop(landmarks):
    """Measure how far the knees are below the hips: most of a trunk in somebody who stands.

    Parameters
    ----------
    landmarks : ndarray of shape (..., 33, n_coords)
        Image landmarks in pixels; only x and y are used.

    Returns
    -------
    ndarray of shape (...)
        Mean height of the hips over the knees, in trunk sizes; NaN where there is no person.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.body import knee_drop
    >>> sitting = np.zeros((33, 2))
    >>> sitting[[23, 24], 1] = 50  # hips
    >>> sitting[[25, 26]] = 30, 65  # knees
    >>> float(knee_drop(sitting))
    0.3
    """
    return _height(landmarks, _HIPS, _KNEES)


def _height(landmarks, joints, others):
    """How far joints are above others in the picture, in trunk sizes."""
    landmarks = np.asarray(landmarks, dtype=float)
    up = landmarks[..., others, 1].mean(axis=-1) - landmarks[..., joints, 1].mean(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return up / trunk_size(landmarks)


def is_upside_down(landmarks):
    """Tell whether somebody stands on the head: then the video has lost its rotation.

    A phone stores pictures as its sensor lies and says how to turn them. Programs that copy or cut
    may lose that; a pose is found all the same, and a model that never saw the like judges it.

    Parameters
    ----------
    landmarks : ndarray of shape (n_frames, 33, n_coords)
        Image landmarks of one person in pixels; NaN where lost.

    Returns
    -------
    bool
        Whether the hips are above the shoulders by half a trunk or more in most frames with a pose.
        Somebody who lies, or bends down for a while, is not upside down.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.body import is_upside_down
    >>> upright = np.zeros((3, 33, 2))
    >>> upright[:, [23, 24], 1] = 50  # hips 50 pixels below the shoulders
    >>> is_upside_down(upright), is_upside_down(-upright)
    (False, True)
    """
    heights = _height(landmarks, _HIPS, _SHOULDERS)
    heights = heights[np.isfinite(heights)]
    return len(heights) > 0 and bool((heights >= 0.5).mean() > 0.5)


def largest_step(landmarks):
    """Find the largest move of the hips from one frame to the next, in trunk sizes.

    Parameters
    ----------
    landmarks : ndarray of shape (n_frames, 33, n_coords)
        Image landmarks of one person in pixels; NaN where lost.

    Returns
    -------
    step : float
        Largest distance between hip centres of consecutive frames that both have a pose, divided
        by the larger of the two trunk sizes; 0 if there are no two such frames.
    frame : int
        The later of the two frames.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.body import largest_step
    >>> walk = np.zeros((4, 33, 2))
    >>> walk[:, [23, 24], 1] = 50
    >>> walk[3, :, 0] = 100  # two trunk sizes to the side
    >>> largest_step(walk)
    (2.0, 3)
    """
    landmarks = np.asarray(landmarks, dtype=float)
    if len(landmarks) < 2:
        return 0.0, 0
    steps = np.nan_to_num(_steps(landmarks), nan=0.0, posinf=0.0)
    worst = int(np.argmax(steps))
    return float(steps[worst]), worst + 1


def find_jumps(landmarks, times):
    """Find the frames at which a pose moves faster than a person can.

    There the pose has jumped to somebody else, or lost its hold. Frames without a pose are passed
    over: what counts is the move from one pose to the next, and the time between them.

    Parameters
    ----------
    landmarks : ndarray of shape (n_frames, 33, n_coords)
        Image landmarks in pixels; NaN where lost.
    times : array-like of shape (n_frames,)
        Seconds, increasing.

    Returns
    -------
    ndarray of int
        Frames whose hips lie further from the pose before than 1 trunk size plus 4 a second.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.body import find_jumps
    >>> walk = np.zeros((4, 33, 2))
    >>> walk[:, [23, 24], 1] = 50
    >>> walk[2] = np.nan
    >>> walk[3, :, 0] = 100
    >>> find_jumps(walk, [0.0, 0.1, 0.2, 0.3])
    array([3])
    """
    known = np.flatnonzero(np.isfinite(landmarks[:, TRUNK, :2]).all(axis=(1, 2)))
    if len(known) < 2:
        return np.array([], dtype=int)
    apart = np.diff(np.asarray(times, dtype=float)[known])
    steps = _steps(np.asarray(landmarks, dtype=float)[known])
    return known[1:][steps > _MOST + _PER_SECOND * apart]


def _steps(landmarks):
    hips, size = landmarks[:, _HIPS, :2].mean(axis=1), trunk_size(landmarks)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.linalg.norm(np.diff(hips, axis=0), axis=1) / np.maximum(size[1:], size[:-1])


def find_doubles(people):
    """Find poses which repeat an earlier one of the same frame: one person, found twice.

    Parameters
    ----------
    people : ndarray of shape (n_frames, n_persons, 33, 2)
        Image landmarks in pixels; NaN where there are fewer people.

    Returns
    -------
    ndarray of shape (n_frames, n_persons), dtype bool
        True for the later one of two that lie on each other.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.body import find_doubles
    >>> person = np.zeros((33, 2))
    >>> person[[23, 24], 1] = 50
    >>> find_doubles(np.array([[person, person + 5, person + 90]])).tolist()
    [[False, True, False]]
    """
    size = trunk_size(people)
    doubles = np.zeros(size.shape, dtype=bool)
    for j in range(1, people.shape[1]):
        for i in range(j):
            apart = np.linalg.norm(people[:, i] - people[:, j], axis=-1).mean(axis=-1)
            doubles[:, j] |= apart < _SAME * np.fmax(size[:, i], size[:, j])
    return doubles
