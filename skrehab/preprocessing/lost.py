"""Lost points filled before a network mixes points: frames resampled, joints averaged, boxes drawn.

A network takes numbers only. A zero in the place of a lost wrist is a wrist at the origin: averaged
with its neighbours in time, or with the elbow, it drags them along. So a lost point stands where it
was seen before and after, in a straight line; one that is never seen stands in the middle of the
rest of the person, where it moves nothing and makes no box larger.
"""

import numpy as np

__all__ = ["complete_poses", "complete_trials", "seen_points"]


def seen_points(trial):
    """Tell which numbers of a trial are there.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords), dtype bool
        False for NaN, and for a point at zero with visibility zero, where there are four
        coordinates. Other zeros are numbers: a displacement may well be zero.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.lost import seen_points
    >>> seen_points(np.array([[[0.0, 0, 0, 0], [0, 0, 0, 0.7], [np.nan, 1, 1, 1]]]))[0].astype(int)
    array([[0, 0, 0, 0],
           [1, 1, 1, 1],
           [0, 1, 1, 1]])
    """
    seen = ~np.isnan(trial)
    if trial.shape[2] == 4:
        seen &= (trial != 0).any(axis=2, keepdims=True)
    return seen


def complete_poses(trial, *, n_persons=1, never="middle"):
    """Fill every lost number of a trial from what was seen of the person.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial; NaN where a landmark was lost. Four coordinates end in a visibility.
    n_persons : int, default=1
        Persons in the trial, their landmarks one behind the other.
    never : {"middle", "keep"}, default="middle"
        What becomes of a coordinate that is never seen in the trial: the mean of the person's
        other landmarks in each frame, 0 if there is none; or NaN as it was.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        The trial itself if nothing is lost, else a copy: straight lines between the frames in
        which a coordinate was seen, its first and last value held at the ends. The visibility of
        what was filled is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.lost import complete_poses
    >>> x = np.array([np.nan, 2, np.nan, 4, np.nan, np.nan, np.nan, 8]).reshape(8, 1, 1)
    >>> complete_poses(x).ravel()
    array([2., 2., 3., 4., 5., 6., 7., 8.])
    """
    seen = seen_points(trial)
    if seen.all():
        return trial
    out = np.array(trial)
    out[~seen] = np.nan
    ever = seen.any(axis=0)
    frames = np.arange(len(out))
    for landmark, coord in np.argwhere(ever & ~seen.all(axis=0)):
        known = seen[:, landmark, coord]
        column = out[:, landmark, coord]
        column[~known] = np.interp(frames[~known], frames[known], column[known])
    if out.shape[2] == 4:
        out[..., 3][~seen.all(axis=2)] = 0
        ever[:, 3] = True
    if never == "middle":
        per_person = out.shape[1] // n_persons
        for first in range(0, out.shape[1], per_person):
            own = slice(first, first + per_person)
            count = ever[own].sum(axis=0)
            middle = np.where(ever[own], out[:, own], 0).sum(axis=1) / np.maximum(count, 1)
            out[:, own] = np.where(ever[own], out[:, own], middle[:, None])
    return out


def complete_trials(trials, *, n_persons=1, never="middle"):
    """Fill the lost numbers of trials as :func:`complete_poses` does.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.
    n_persons, never
        As there.

    Returns
    -------
    list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        The trials.
    """
    return [complete_poses(trial, n_persons=n_persons, never=never) for trial in trials]
