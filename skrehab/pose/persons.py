"""Choose whose pose to keep when several people are seen, on image landmarks in pixels."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_consistent_length

from .body import TRUNK, find_jumps, largest_step, trunk_size
from .following import PersonFollower, follow_heaviest

__all__ = [
    "PERSONS",
    "check_person",
    "choose_person",
    "find_jumps",
    "largest_step",
    "person_follower",
    "trunk_size",
]

PERSONS = ("largest", "center", "steady", "follow", "seated")


def check_person(person):
    """Check the choice of a person.

    Parameters
    ----------
    person : str or (float, float, float, float)
        One of ``PERSONS``, or a box; see :func:`choose_person`.

    Returns
    -------
    str or tuple of float
        The choice.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> from skrehab.pose.persons import check_person
    >>> check_person((0, 0, 0.5, 1))
    (0.0, 0.0, 0.5, 1.0)
    """
    if isinstance(person, str):
        if person in PERSONS:
            return person
    elif isinstance(person, tuple | list) and len(person) == 4:
        if all(isinstance(edge, Real) and 0 <= edge <= 1 for edge in person):
            x0, y0, x1, y1 = box = tuple(float(edge) for edge in person)
            if x0 < x1 and y0 < y1:
                return box
    raise ValueError(
        f"person must be one of {PERSONS}, or a box (x0, y0, x1, y1) of shares of the picture, "
        f"with x0 < x1 and y0 < y1 between 0 and 1; got {person!r}."
    )


def person_follower(person):
    """Return what follows a person frame by frame, for the choices that need a memory.

    Parameters
    ----------
    person : str or tuple of float
        A choice that :func:`check_person` has passed.

    Returns
    -------
    PersonFollower or None
        None for choices that look at each frame alone, and for "steady", which looks ahead.

    Examples
    --------
    >>> from skrehab.pose.persons import person_follower
    >>> person_follower("follow").first, person_follower("center")
    ('largest', None)
    """
    first = {"follow": "largest", "seated": "seated"}.get(person)
    return PersonFollower(first) if first else None


def choose_person(people, times, frame_size, person="largest"):
    """Choose one person in every frame.

    Parameters
    ----------
    people : array-like of shape (n_frames, n_persons, 33, n_coords)
        Image landmarks in pixels, in any order within a frame; NaN where there are fewer people.
    times : array-like of shape (n_frames,)
        Seconds, increasing.
    frame_size : (int, int)
        Width and height of the picture in pixels.
    person : str or (float, float, float, float), default="largest"
        * "largest": in each frame the person with the largest trunk;
        * "center": in each frame the one nearest to the middle of the picture;
        * a box (x0, y0, x1, y1), in shares of width and height from the top left: in each frame the
          largest of those whose trunk has its middle in it;
        * "follow": the person who is largest at the start, from then on without hindsight; lost,
          that one is waited for five seconds, then the largest is chosen anew;
        * "seated": the same for the largest of those who sit, knees less than 0.4 trunk sizes below
          the hips. Nobody while nobody sits;
        * "steady": one and the same person throughout, namely the one who is largest over the
          whole video. Where that person is lost the answer is "nobody", never somebody else.

    Returns
    -------
    ndarray of shape (n_frames,), dtype int
        Index of the person on the second axis; -1 for nobody.

    Raises
    ------
    ValueError
        If ``person`` is none of these, or lengths differ.

    Notes
    -----
    "steady", "follow" and "seated" link the poses of successive frames into tracks, all people at
    once, so that nobody can take over the pose of a neighbour who is still there. A link needs a
    trunk centre that moved less than 0.3 trunk sizes plus 4 a second, at most 1, and a similar
    size. People who were just seen come before people who were lost; among these the most similar
    pose wins. All but "steady" are causal: what is chosen in a frame does not depend on later ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose import choose_person
    >>> near, far = np.zeros((33, 2)), np.full((33, 2), 500.0)
    >>> near[[23, 24], 1] = 60
    >>> far[[23, 24], 1] += 40
    >>> nobody = np.full((33, 2), np.nan)
    >>> people = np.stack([[near, far], [far, near], [far, nobody]])
    >>> times = [0.0, 0.1, 0.2]
    >>> choose_person(people, times, (640, 640), "largest").tolist()
    [0, 1, 0]
    >>> choose_person(people, times, (640, 640), "steady").tolist()
    [0, 1, -1]
    """
    people = np.asarray(people, dtype=float)[..., :2]
    check_consistent_length(people, times)
    person = check_person(person)
    if people.shape[1] == 0:
        return np.full(len(people), -1)
    if person == "steady":
        return follow_heaviest(people, times)
    if (follower := person_follower(person)) is not None:
        chosen = [follower.push(present, time) for present, time in zip(people, times)]
        return np.array(chosen, dtype=int)
    size = trunk_size(people)
    middle = people[:, :, TRUNK].mean(axis=2)
    frame_size = np.asarray(frame_size, dtype=float)
    if person == "center":
        rank = -np.linalg.norm(middle - frame_size / 2, axis=-1)
    elif person == "largest":
        rank = size
    else:
        low, high = np.reshape(person, (2, 2)) * frame_size
        inside = ((middle >= low) & (middle <= high)).all(axis=-1)
        rank = np.where(inside, size, -np.inf)
    rank = np.where(size > 0, rank, -np.inf)  # False for NaN
    return np.where(np.isfinite(rank).any(axis=1), rank.argmax(axis=1), -1)
