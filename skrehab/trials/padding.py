"""Trials that somebody has filled up to one length: what was added is no movement."""

import numpy as np

__all__ = ["describe_padding", "still_end"]

_FEWEST, _SHORTEST = 4, 5  # trials, and frames that stand still at the end of half of them


def still_end(trial):
    """Count the frames at the end of a trial that are all alike, or in which nobody is.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        The trial.

    Returns
    -------
    int
        Frames after the last that differs from the one before it; 0 where the last one does, or
        none.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.trials.padding import still_end
    >>> still_end(np.array([1.0, 2.0, 3.0, 3.0, 3.0]).reshape(5, 1, 1))
    2
    >>> still_end(np.array([1.0, 2.0, np.nan]).reshape(3, 1, 1)), still_end(np.ones((9, 1, 1)))
    (1, 0)
    """
    flat = np.asarray(trial, dtype=float).reshape(len(trial), -1)
    known = np.isfinite(flat)
    size = np.abs(flat[known]).max(initial=0.0)
    values = np.where(known, flat, 0.0)
    # a moving average of equal frames may round
    moves = (np.abs(np.diff(values, axis=0)) > 1e-6 * size) & known[1:] & known[:-1]
    changes = np.flatnonzero((moves | (known[1:] != known[:-1])).any(axis=1))
    if not len(changes):
        return 0
    end = len(flat) - 2 - int(changes[-1])
    # the first frame without anybody differs from the one before it, and is padding too
    return end + 1 if not known[-1].any() or not flat[-1].any() else end


def describe_padding(X):
    """Tell whether trials look filled up to one length.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.

    Returns
    -------
    str or None
        A sentence, if all trials are of one length and at least half of them end in five frames or
        more that stand still, not as many in each.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.trials.padding import describe_padding
    >>> X = [np.random.RandomState(n).randn(n, 5, 3) for n in (10, 20, 30, 40)]
    >>> describe_padding(X) is None
    True
    >>> describe_padding([np.pad(one, ((0, 40 - len(one)), (0, 0), (0, 0))) for one in X])[:60]
    '3 of 4 trials, all of them of 40 frames, end in 10 to 30 fra'
    """
    if len(X) < _FEWEST or len({len(trial) for trial in X}) > 1:
        return None
    ends = np.array([still_end(trial) for trial in X])
    padded = ends[ends >= _SHORTEST]
    if 2 * len(padded) < len(X) or len(set(ends.tolist())) == 1:
        return None
    return (
        f"{len(padded)} of {len(X)} trials, all of them of {len(X[0])} frames, end in "
        f"{padded.min()} to {padded.max()} frames that stand still: they look filled up to one "
        "length. Trials need not be of one length; give a list of them as they were recorded, or "
        "what was added is learned from and scored, too."
    )
