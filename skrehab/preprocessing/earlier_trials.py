"""Which trials of a patient came before which, and the posture that they have on average."""

import numpy as np

__all__ = ["filled_up", "mean_of_seen", "mean_posture", "trials_before"]


def mean_posture(trials):
    """Average what every landmark or bone does over trials that weigh the same.

    Parameters
    ----------
    trials : sequence of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials; NaN is left out.

    Returns
    -------
    ndarray of shape (n_landmarks, n_coords), dtype float64
        Mean over trials of their means over frames; NaN where nothing was ever seen.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.earlier_trials import mean_posture
    >>> mean_posture([np.full((2, 1, 1), 1.0), np.full((9, 1, 1), 3.0)])
    array([[2.]])
    """
    return mean_of_seen([mean_of_seen(trial) for trial in trials])


def mean_of_seen(values):
    """Average over the first axis without NaN, and without numpy's warning where nothing is left.

    Parameters
    ----------
    values : array-like of shape (n, ...)
        Values.

    Returns
    -------
    ndarray of shape (...), dtype float64
        Means; NaN where nothing was seen.

    Examples
    --------
    >>> from skrehab.preprocessing.earlier_trials import mean_of_seen
    >>> mean_of_seen([[1.0, float("nan")], [3.0, float("nan")]])
    array([ 2., nan])
    """
    values = np.asarray(values, dtype=float)
    seen = ~np.isnan(values)
    count = seen.sum(axis=0)
    total = np.where(seen, values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def trials_before(keys, n, eligible=None, *, stand_in=True):
    """Find for each trial the trials of the same key that came before it.

    Where fewer came before, as for the first one, the last ones stand in for them: training trials
    are then compared with as many as those of a new patient will be.

    Parameters
    ----------
    keys : sequence of length n_trials
        What must be the same, such as patient and exercise; None belongs to nothing.
    n : int
        How many, at most.
    eligible : array-like of shape (n_trials,), dtype bool, optional
        Which trials may stand for others; None means all.
    stand_in : bool, default=True
        False takes nothing that came later.

    Returns
    -------
    list of list of int
        Positions, the nearest first; never the trial itself.

    Examples
    --------
    >>> from skrehab.preprocessing.earlier_trials import trials_before
    >>> trials_before(["a", "a", "b", "a"], 1)
    [[3], [0], [], [1]]
    >>> trials_before(["a", "a", "b", "a"], 2, stand_in=False)
    [[], [0], [], [1, 0]]
    """
    of = {}
    for i, key in enumerate(keys):
        if key is not None and (eligible is None or eligible[i]):
            of.setdefault(key, []).append(i)
    out = []
    for i, key in enumerate(keys):
        own = [j for j in of.get(key, []) if j != i]
        before = [j for j in own if j < i]
        later = own[len(before) :] if stand_in else []
        out.append((before[::-1] + later[::-1])[:n])
    return out


def filled_up(values, others):
    """Take the others where values are NaN.

    Parameters
    ----------
    values, others : ndarray of the same shape
        What is wanted, and what stands in for it.

    Returns
    -------
    ndarray
        Values without gaps, as far as `others` has none.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.earlier_trials import filled_up
    >>> filled_up(np.array([1.0, np.nan]), np.array([5.0, 6.0]))
    array([1., 6.])
    """
    return np.where(np.isnan(values), others, values)
