"""Key-points of people as objects in JSON files."""

import numpy as np

from skrehab.formats._bounds import numbers_of

# what programs call the number of a frame
_FRAME_KEYS = ("frame_id", "frame_index", "frame_idx", "frame_number", "frame_no", "frame")


def is_id(value):
    """Whether a value can name a picture."""
    return isinstance(value, int | str) and not isinstance(value, bool)


def frame_number(one):
    """The number of a frame that an object states, or None."""
    for key in _FRAME_KEYS:
        value = one.get(key) if isinstance(one, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
            return value
    return None


def points_of(one, where, n_landmarks=None, third="score"):
    """Points of one person, and whether they have scores of their own.

    Parameters
    ----------
    one : dict
        With ``keypoints``, flattened or in groups of two or three, and perhaps
        ``keypoint_scores``.
    where : str
        Its place, for errors.
    n_landmarks : int, optional
        How many points there must be.
    third : {"score", "z"}, default="score"
        What the third number of a point is where scores are given besides.

    Returns
    -------
    points : ndarray of shape (n_landmarks, 3) or (n_landmarks, 4)
        x, y, perhaps z, and score: 1 where the file has none.
    scored : bool
        Whether ``keypoint_scores`` are there.
    """
    given = one.get("keypoints")
    values = numbers_of(given, where, "keypoints")
    scores = one.get("keypoint_scores")
    scores = None if scores is None else numbers_of(scores, where, "keypoint_scores")
    size = 3
    if scores is not None and len(values) == 2 * len(scores):
        size = 2
    elif isinstance(given, list) and given and isinstance(given[0], list):
        size = 2 if len(values) == 2 * len(given) else 3
    wanted = n_landmarks or len(values) // size
    if not len(values) or len(values) != size * wanted:
        raise ValueError(
            f"{where}: {len(values)} numbers in 'keypoints', {size * wanted} are needed"
        )
    points = values.reshape(wanted, size)
    if scores is None:
        ones = np.where(np.isnan(points[:, :1]), 0, 1)
        return (points if size == 3 else np.column_stack([points, ones])), False
    if len(scores) != wanted:
        raise ValueError(f"{where}: {len(scores)} 'keypoint_scores' for {wanted} points")
    return np.column_stack([points if third == "z" else points[:, :2], scores]), True


def same_count(frames):
    """The number of points that all people of all frames have."""
    counts = {len(points) for people in frames for points in people}
    if not counts:
        raise ValueError("nobody has key-points in any frame")
    if len(counts) > 1:
        raise ValueError(f"the number of points differs from person to person: {sorted(counts)}")
    return counts.pop()


def one_frame(frame, number, n):
    """Points of one frame, (n, 3), NaN where the file has none."""
    if not isinstance(frame, dict):
        kind = type(frame).__name__
        raise ValueError(f"frame {number}: must be an object with 'keypoints', got {kind}")
    values = frame.get("keypoints")
    if values is None or values == []:
        return np.full((n, 3), [np.nan, np.nan, 0])
    values = numbers_of(values, f"frame {number}", "keypoints")
    scores = frame.get("keypoint_scores")
    scores = None if scores is None else numbers_of(scores, f"frame {number}", "keypoint_scores")
    if len(values) not in (2 * n, 3 * n) or (scores is not None and len(scores) != n):
        raise ValueError(
            f"frame {number}: {len(values)} numbers in 'keypoints'; {n} times x, y and perhaps "
            f"score are {2 * n} or {3 * n}, and 'keypoint_scores' are {n}"
        )
    points = values.reshape(n, -1)
    if scores is None:
        scores = points[:, 2] if points.shape[1] == 3 else np.where(np.isnan(points[:, 0]), 0, 1)
    return np.column_stack([points[:, :2], scores])
