"""Which person of a picture: key-point files list everybody."""

import warnings

import numpy as np

_CHOICES = ("steady", "largest")


def pick_person(frames, person, n_landmarks):
    """Follow one person through frames that list several.

    Parameters
    ----------
    frames : list of list of ndarray of shape (n_landmarks, 3)
        x, y and score of everybody in each frame; NaN where a point is lost.
    person : {"steady", "largest"} or int
        ``"steady"``: the largest person of the first frame with anyone, then whoever is nearest to
        where this one was last seen; ``"largest"`` in each frame; or a position in the lists.
    n_landmarks : int
        Landmarks.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, 3)
        NaN and a score of 0 in frames without the person.
    """
    is_position = isinstance(person, int) and not isinstance(person, bool) and person >= 0
    if not is_position and person not in _CHOICES:
        raise ValueError(
            f"person must be one of {_CHOICES} or a position 0, 1, ...; got {person!r}"
        )
    out = np.full((len(frames), n_landmarks, 3), [np.nan, np.nan, 0.0])
    last = None
    for i, people in enumerate(frames):
        if not is_position:
            people = [one for one in people if not np.isnan(one[:, :2]).any(axis=1).all()]
        if is_position:
            chosen = people[person] if person < len(people) else None
        elif not people:
            chosen = None
        elif person == "largest" or last is None:
            chosen = max(people, key=_area)
        else:
            chosen = min(people, key=lambda one: _distance(one, last))
        if chosen is not None:
            out[i] = last = chosen
    if np.isnan(out[..., 0]).all():
        raise ValueError("no frame has a key-point" if not is_position else f"no person {person}")
    return out


def _area(points):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a person without points has no size
        width, height = np.nanmax(points[:, :2], axis=0) - np.nanmin(points[:, :2], axis=0)
    return np.nan_to_num(width * height)


def _distance(points, other):
    """Median distance of the landmarks that both have; between their middles if there is none."""
    apart = np.linalg.norm(points[:, :2] - other[:, :2], axis=1)
    if not np.isnan(apart).all():
        return np.nanmedian(apart)
    return np.linalg.norm(np.nanmean(points[:, :2], axis=0) - np.nanmean(other[:, :2], axis=0))
