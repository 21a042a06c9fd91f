"""Whether people stand along y, as in every skeleton here, or z was up where they were recorded."""

import warnings

import numpy as np

__all__ = ["how_upright", "trunk_directions", "warn_of_turned_over", "warn_of_z_up"]

ALONG = 0.8  # of a unit direction, in the mean over frames: within 37 degrees, and steadily
MOST = 0.75  # of the trials
TURNED = 0.5  # as long along the vertical, and the other way: beyond 120 degrees
SIDES = ("left", "right")


def trunk_directions(X, skeleton):
    """Tell where the trunk points, from the middle of the hips to that of the shoulders.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials; NaN where a landmark was lost.
    skeleton : Skeleton
        Whose landmarks they are.

    Returns
    -------
    ndarray of shape (n_trials, n_dims)
        Mean of the unit directions over the frames that show the trunk; NaN where none does. No
        rows where the skeleton has no landmarks of shoulders and hips.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.upright import trunk_directions
    >>> from skrehab.skeletons import get_skeleton
    >>> pose = np.zeros((1, 33, 3))
    >>> pose[:, [23, 24], 1] = 0.5  # the hips of MediaPipe, whose y points down
    >>> trunk_directions([pose], get_skeleton("mediapipe33")).tolist()
    [[0.0, -1.0, 0.0]]
    """
    shoulders, hips = (
        tuple(i for i in skeleton.trunk if any(i in skeleton.limbs[side + part] for side in SIDES))
        for part in ("_arm", "_leg")
    )
    if not (shoulders and hips):
        return np.empty((0, skeleton.n_dims))
    means = []
    for trial in X:
        places = trial[..., : skeleton.n_dims]  # of which four landmarks are copied
        top, bottom = (places[:, which].mean(axis=1, dtype=float) for which in (shoulders, hips))
        trunk = top - bottom
        length = np.linalg.norm(trunk, axis=1)
        seen = length > 0  # not where it is NaN
        unit = trunk[seen] / length[seen, None]
        means.append(unit.mean(axis=0) if seen.any() else np.full(skeleton.n_dims, np.nan))
    return np.array(means)


def warn_of_z_up(X, skeleton):
    """Warn where the trunk points along z in most trials.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Training trials.
    skeleton : Skeleton or None
        Whose landmarks they are; nothing is said of a flat one, or without one.

    Warns
    -----
    UserWarning
        If the mean direction of the trunk has more than 0.8 along z in more than three quarters of
        the trials. Of people who lie across the picture nothing is said.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrehab.preprocessing.upright import warn_of_z_up
    >>> from skrehab.skeletons import get_skeleton
    >>> pose = np.zeros((1, 33, 3))
    >>> pose[:, [11, 12], 2] = 0.5  # shoulders
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_of_z_up([pose], get_skeleton("mediapipe33"))
    >>> str(said[0].message)[:41]
    'The trunk points along z in 1 of 1 trials'
    """
    if skeleton is None or skeleton.n_dims != 3 or X[0].shape[-1] < 3:
        return
    along = np.abs(trunk_directions(X, skeleton)[:, 2]) > ALONG  # NaN is not
    if along.sum() > MOST * len(X):
        turned = "(x, -z, y)" if skeleton.directions[1] > 0 else "(x, z, -y)"  # y is down, or up
        warnings.warn(
            f"The trunk points along z in {int(along.sum())} of {len(X)} trials: people lie "
            f"towards the camera, or z is up. {skeleton.name!r} has y for the vertical "
            f"({skeleton.axes}), about which Augmentation(rotate=) turns and from which measures "
            f"go. If z is up, turn the trials before: {turned} in place of (x, y, z); or give "
            "every Augmentation vertical=2.",
            UserWarning,
            stacklevel=2,
        )


def how_upright(X, skeleton):
    """Tell which way along y the trunk points in most trials.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Training trials.
    skeleton : Skeleton or None
        Whose landmarks they are.

    Returns
    -------
    float
        1 or -1 if the trunk points along y, or against it, in more than half of the trials in which
        it does either; 0 where nothing tells.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.upright import how_upright
    >>> from skrehab.skeletons import get_skeleton
    >>> pose = np.zeros((1, 33, 3))
    >>> pose[:, [23, 24], 1] = 0.5  # the hips of MediaPipe, whose y points down
    >>> how_upright([pose, pose, -pose], get_skeleton("mediapipe33"))
    -1.0
    """
    if skeleton is None:
        return 0.0
    along = trunk_directions(X, skeleton)
    along = along[:, 1] if len(along) else np.zeros(1)
    up, down = (along > ALONG).sum(), (along < -ALONG).sum()
    return float(np.sign(int(up) - int(down)))


def warn_of_turned_over(X, skeleton, upright):
    """Warn of trials in which the trunk points the other way than in most training trials.

    y up in some files, and down in others, is what does it: the same body is turned over, and
    nothing that is said of it means anything.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.
    skeleton : Skeleton or None
        Whose landmarks they are.
    upright : float
        As :func:`how_upright` tells of the training trials.

    Warns
    -----
    UserWarning
        If the mean direction of the trunk has more than 0.5 the other way along y in any trial; it
        names them.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from skrehab.preprocessing.upright import warn_of_turned_over
    >>> from skrehab.skeletons import get_skeleton
    >>> pose = np.zeros((1, 33, 3))
    >>> pose[:, [23, 24], 1] = 0.5
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_of_turned_over([pose, -pose], get_skeleton("mediapipe33"), -1.0)
    >>> str(said[0].message)[:38]
    'In 1 of 2 trials (X[1]) the trunk poin'
    """
    if skeleton is None or not upright:
        return
    along = trunk_directions(X, skeleton)
    over = np.flatnonzero(along[:, 1] * upright < -TURNED) if len(along) else []
    if len(over):
        shown = ", ".join(f"X[{i}]" for i in over[:5]) + (", ..." if len(over) > 5 else "")
        warnings.warn(
            f"In {len(over)} of {len(X)} trials ({shown}) the trunk points the other way along y "
            "than in the trials of training: y is up in some and down in others, or a video has "
            "lost its rotation. What is said of them means nothing. Turn them before: y to -y, "
            "and where depth is known z to -z.",
            UserWarning,
            stacklevel=3,
        )
