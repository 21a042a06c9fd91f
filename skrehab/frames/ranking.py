"""Whether a frame model ranks the trials that it learned from: those with the motion on top.

Frame labels that stand at a wrong place, such as pseudo-labels that follow the clock, still make a
loss that falls. But frames that look like any others teach nothing about trials: pooled to one
score a trial, what the model says of them then leaves trials with the motion among those without.
"""

import numpy as np

from skrehab.metrics.frames import area_under_curve, pool_frames

__all__ = ["RANKS", "has_motion", "ranking_of", "some_of_both"]

RANKS = 0.6  # area under which it is said; 0.5 is chance
FEWEST, MOST = 5, 32  # trials of either kind: with fewer nothing is said, and more are not asked


def has_motion(codes, n_classes):
    """Tell which trials hold the motion, and which class is none, from the labels of frames.

    Parameters
    ----------
    codes : list of ndarray of int of shape (n_known_i,)
        Classes of the labelled frames of each trial, as positions.
    n_classes : int
        How many there are.

    Returns
    -------
    motion : ndarray of shape (n_trials,), dtype bool
        False for trials that are normal from end to end.
    normal : int or None
        The one class that whole trials are of; None if there is no such class or several, and
        then nothing is known of trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.frames.ranking import has_motion
    >>> has_motion([np.array([0, 0]), np.array([0, 1, 0]), np.array([], dtype=int)], 2)
    (array([False,  True, False]), 0)
    """
    whole = {int(one[0]) for one in codes if len(one) and (one == one[0]).all()}
    normal = whole.pop() if len(whole) == 1 and n_classes > 1 else None
    return np.array([bool((one != normal).any()) for one in codes]), normal


def some_of_both(motion, known):
    """Choose trials to ask the model about, as many as tell.

    Parameters
    ----------
    motion, known : ndarray of shape (n_trials,), dtype bool
        Whether a trial holds the motion; and whether any of its frames is labelled.

    Returns
    -------
    ndarray of int
        Their places, up to 32 of either kind, evenly spread; none if either has fewer than five.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.frames.ranking import some_of_both
    >>> some_of_both(np.arange(12) % 2 == 1, np.arange(12) > 0).tolist()
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    """
    sides = [np.flatnonzero(known & (motion == value)) for value in (False, True)]
    if min(map(len, sides)) < FEWEST:
        return np.array([], dtype=int)
    spread = [np.linspace(0, len(s) - 1, min(MOST, len(s))).astype(int) for s in sides]
    return np.sort(np.concatenate([side[k] for side, k in zip(sides, spread)]))


def ranking_of(motion, frame_proba, normal):
    """Tell how well frame probabilities, pooled, rank trials.

    Parameters
    ----------
    motion : ndarray of shape (n_trials,), dtype bool
        Whether each trial holds the motion.
    frame_proba : list of ndarray of shape (n_frames_i, n_classes)
        What the model says of its frames.
    normal : int
        Column of the class that is no motion.

    Returns
    -------
    float
        Area under the ROC curve of the mean over each trial's highest tenth of frames; NaN where
        training has destroyed the network, which is said elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.frames.ranking import ranking_of
    >>> proba = [np.array([[0.9, 0.1]]), np.array([[0.2, 0.8], [0.7, 0.3]])]
    >>> ranking_of(np.array([False, True]), proba, 0)
    1.0
    """
    scores = pool_frames([1 - one[:, normal] for one in frame_proba])
    if not np.isfinite(scores).all():
        return np.nan
    return area_under_curve(motion, scores, "the training trials")
