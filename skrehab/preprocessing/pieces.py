"""All frames of all trials, without ever holding them in one array."""

import numpy as np

from skrehab.trials import each_trial

__all__ = ["pieces", "sum_of"]

PIECE = 1024  # frames that are held in double precision at once


def pieces(X):
    """Take frames of all trials in order, a few at a time and in double precision.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials; they are checked on the way.

    Yields
    ------
    ndarray of shape (at most 1024, n_landmarks, n_coords)
        The next frames.
    """
    for trial in each_trial(X):
        for start in range(0, len(trial), PIECE):
            yield trial[start : start + PIECE].astype(float)


def sum_of(parts):
    """Sum over frames, without NaN, one after the other: the same bits as of one long array.

    Parameters
    ----------
    parts : iterable of ndarray of shape (n, n_landmarks, n_coords)
        Frames.

    Returns
    -------
    ndarray of shape (n_landmarks, n_coords)
        The sum.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.pieces import sum_of
    >>> sum_of([np.ones((2, 1, 1)), np.full((1, 1, 1), np.nan)])
    array([[2.]])
    """
    total = None
    for piece in parts:
        rows = np.where(np.isnan(piece), 0, piece)
        total = np.add.reduce(rows if total is None else np.concatenate([total[None], rows]), 0)
    return total
