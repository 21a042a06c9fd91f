"""Left and right: mirror trials so that the side that matters is always the same one.

A body is its own mirror image, so a trial of the left arm, mirrored, is as good as one of the
right: left and right landmarks are exchanged and x is negated. Which side counts must be known
without looking at labels.
"""

import numpy as np

from skrehab.preprocessing.skeleton_conversion import guess_skeleton
from skrehab.skeletons import Skeleton, get_skeleton, list_skeletons
from skrehab.trials import check_trials

__all__ = [
    "mirror",
    "normalize_sides",
    "side_movement",
    "side_pairs",
]

SIDES = ("left", "right")


def side_pairs(skeleton, n_landmarks):
    """List which landmarks are left and right twins.

    Parameters
    ----------
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        A registered skeleton, or (left, right) columns of your own. None guesses from the number
        of landmarks: 33, 25, 22 or 17.
    n_landmarks : int
        Landmarks of the trials.

    Returns
    -------
    ndarray of shape (n_pairs, 2), dtype int
        Left and right column of each pair.

    Raises
    ------
    ValueError
        If the skeleton is unknown, or has other landmarks than the trials.

    Examples
    --------
    >>> from skrehab.preprocessing.sides import side_pairs
    >>> side_pairs("coco17", 17)[:2].tolist()
    [[1, 2], [3, 4]]
    >>> side_pairs([(0, 1)], 5).tolist()
    [[0, 1]]
    """
    if skeleton is None or isinstance(skeleton, str | Skeleton):
        return np.array(_named(skeleton, n_landmarks).pairs, dtype=int)
    pairs = np.asarray(skeleton)
    if (
        pairs.ndim != 2
        or pairs.shape[1] != 2
        or pairs.dtype.kind not in "iu"
        or len(np.unique(pairs)) != pairs.size
        or pairs.min() < 0
        or pairs.max() >= n_landmarks
    ):
        raise ValueError(
            "skeleton must be a name, or pairs of (left, right) columns, each column once and "
            f"below {n_landmarks}, the number of landmarks; got {skeleton!r}."
        )
    return pairs


def _named(skeleton, n_landmarks):
    known = guess_skeleton(n_landmarks) if skeleton is None else get_skeleton(skeleton)
    if known is None or known.n_landmarks != n_landmarks:
        named = "" if known is None else f", not the {known.n_landmarks} of {known.name}"
        raise ValueError(
            f"The trials have {n_landmarks} landmarks{named}. Say which skeleton they are with "
            f"skeleton=..., a name ({', '.join(list_skeletons())}) or (left, right) columns."
        )
    return known


def mirror(trial, skeleton=None):
    """Turn a trial into its mirror image.

    Parameters
    ----------
    trial : ndarray of shape (..., n_landmarks, n_coords)
        Frames whose first coordinate goes from one side to the other, as in every registered
        skeleton.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`side_pairs`.

    Returns
    -------
    ndarray of shape (..., n_landmarks, n_coords)
        Left and right landmarks exchanged, x negated. Pixels become negative; what counts from a
        trial's first frame, as :class:`~skrehab.DisplacementSmoother` does, does not mind.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.sides import mirror
    >>> mirror(np.array([[[1.0, 5.0], [-2.0, 6.0], [0.5, 7.0]]]), [(0, 1)])[0].tolist()
    [[2.0, 6.0], [-1.0, 5.0], [-0.5, 7.0]]
    """
    trial = np.asarray(trial)
    return mirrored(trial, side_pairs(skeleton, trial.shape[-2]))


def mirrored(trial, pairs):
    order = np.arange(trial.shape[-2])
    order[pairs] = pairs[:, ::-1]
    out = trial[..., order, :]
    out[..., 0] = 0 - out[..., 0]  # not -x: zero stays zero, without a sign
    return out


def side_movement(trial, skeleton=None):
    """Measure how much each side of the body moves in a trial.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial; a fourth coordinate, visibility, does not count.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`side_pairs`. Of a named skeleton the arms count, of pairs all landmarks.

    Returns
    -------
    left, right : float
        Standard deviation of each landmark's place over time, averaged over the arm's landmarks,
        in the trial's units; 0 where none was seen.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.sides import side_movement
    >>> trial = np.zeros((4, 17, 2))
    >>> trial[:, 10, 0] = [0, 0, 3, 3]  # the right wrist
    >>> left, right = side_movement(trial)
    >>> left, round(right, 2)
    (0.0, 0.5)
    """
    trial = np.asarray(trial, dtype=float)[..., :3]
    n_landmarks = trial.shape[1]
    if skeleton is None or isinstance(skeleton, str | Skeleton):
        limbs = _named(skeleton, n_landmarks).limbs
        sides = limbs["left_arm"], limbs["right_arm"]
    else:
        sides = side_pairs(skeleton, n_landmarks).T
    return tuple(_movement(trial[:, list(side)]) for side in sides)


def _movement(points):
    seen = np.isfinite(points)
    count = np.maximum(seen.sum(axis=0), 1)
    place = np.where(seen, points, 0).sum(axis=0) / count
    away = (np.where(seen, points - place, 0) ** 2).sum(axis=0) / count
    return float(np.sqrt(away.sum(axis=1)).mean())


def normalize_sides(X, sides, *, to="right", skeleton=None):
    """Mirror the trials of one side, so that all are of the other.

    Nothing is learned here, so nothing can leak: do it before cross-validation, wherever the side
    of each trial stands in the record.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.
    sides : array-like of shape (n_trials,)
        ``"left"`` or ``"right"``; anything else, such as ``"both"``, leaves a trial as it is.
    to : {"left", "right"}, default="right"
        Side that all shall have.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`side_pairs`.

    Returns
    -------
    list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
        The trials; mirrored are those of the other side.

    Raises
    ------
    ValueError
        If there is not one side a trial, or none is left or right.

    See Also
    --------
    skrehab.SideNormalizer : The same as a step of a pipeline.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.sides import normalize_sides
    >>> reach = np.zeros((1, 17, 2)) + [[2.0, 0.0]]
    >>> [trial[0, 0, 0].item() for trial in normalize_sides([reach, reach], ["left", "right"])]
    [-2.0, 2.0]
    """
    X = check_trials(X)
    if to not in SIDES:
        raise ValueError(f"to must be one of {SIDES}, got {to!r}.")
    if len(sides) != len(X):
        raise ValueError(f"sides must name one side a trial: {len(X)} trials, {len(sides)} sides.")
    if not any(side in SIDES for side in sides):
        raise ValueError(f"No side is 'left' or 'right'; sides[0] is {sides[0]!r}.")
    pairs = side_pairs(skeleton, X[0].shape[1])
    return [
        mirrored(trial, pairs) if side in SIDES and side != to else trial.copy()
        for trial, side in zip(X, sides)
    ]
