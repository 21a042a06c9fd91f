"""Choose whose pose to keep when several people are seen: pure functions on image landmarks.

A detector gives the people of each frame in any order, sees one of them twice now and then, and
loses them for a while. World landmarks cannot tell people apart, as each has its origin between
its own hips; so all of this works on image landmarks in pixels.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.utils.validation import check_consistent_length

from ..skeletons import get_skeleton

__all__ = ["PERSONS", "choose_person", "find_jumps", "largest_step", "trunk_size"]

PERSONS = ("largest", "center", "steady")

_SKELETON = get_skeleton("mediapipe33")
_TRUNK = list(_SKELETON.trunk)
_HIPS = [_SKELETON.index("left_hip"), _SKELETON.index("right_hip")]

# Limits for "the same person a moment later", in trunk sizes (about half a metre). A trunk moves at
# most some 2 m/s in exercises; the base leaves room for landmarks that jitter at any frame rate.
_BASE, _PER_SECOND, _MOST = 0.3, 4.0, 1.0
_SIZE_RATIO = 1.6
_FORGET = 5.0  # seconds after which somebody who left starts anew on coming back
_SAME = 0.35  # two poses of one frame this close on average, in trunk sizes, are one person


def trunk_size(landmarks):
    """Measure how large people are: the longest distance between two of shoulders and hips.

    Turning sideways keeps the sides of the trunk long, bending forward keeps the shoulders apart,
    and arms do not count: so the size says how near a person is, whatever they do.

    Parameters
    ----------
    landmarks : ndarray of shape (..., 33, n_coords)
        Image landmarks in pixels; only x and y are used.

    Returns
    -------
    ndarray of shape (...)
        Size in pixels; NaN where there is no person.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.persons import trunk_size
    >>> person = np.zeros((33, 2))
    >>> person[[23, 24], 1] = 50  # hips 50 pixels below the shoulders
    >>> float(trunk_size(person))
    50.0
    """
    trunk = np.asarray(landmarks, dtype=float)[..., _TRUNK, :2]
    sides = trunk[..., :, None, :] - trunk[..., None, :, :]
    return np.sqrt((sides**2).sum(axis=-1)).max(axis=(-1, -2))


def largest_step(landmarks):
    """Find the largest move of the hips from one frame to the next, in trunk sizes.

    Parameters
    ----------
    landmarks : ndarray of shape (n_frames, 33, n_coords)
        Image landmarks of one person in pixels; NaN where lost.

    Returns
    -------
    step : float
        Largest distance between hip centres of consecutive frames that both have a pose, divided
        by the larger of the two trunk sizes; 0 if there are no two such frames.
    frame : int
        The later of the two frames.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.persons import largest_step
    >>> walk = np.zeros((4, 33, 2))
    >>> walk[:, [23, 24], 1] = 50
    >>> walk[3, :, 0] = 100  # two trunk sizes to the side
    >>> largest_step(walk)
    (2.0, 3)
    """
    landmarks = np.asarray(landmarks, dtype=float)
    if len(landmarks) < 2:
        return 0.0, 0
    steps = np.nan_to_num(_steps(landmarks), nan=0.0, posinf=0.0)
    worst = int(np.argmax(steps))
    return float(steps[worst]), worst + 1


def find_jumps(landmarks, times):
    """Find the frames at which a pose moves faster than a person can.

    There the pose has jumped to somebody else, or lost its hold. Frames without a pose are passed
    over: what counts is the move from one pose to the next, and the time between them.

    Parameters
    ----------
    landmarks : ndarray of shape (n_frames, 33, n_coords)
        Image landmarks in pixels; NaN where lost.
    times : array-like of shape (n_frames,)
        Seconds, increasing.

    Returns
    -------
    ndarray of int
        Frames whose hips lie further from the pose before than 1 trunk size plus 4 a second.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.persons import find_jumps
    >>> walk = np.zeros((4, 33, 2))
    >>> walk[:, [23, 24], 1] = 50
    >>> walk[2] = np.nan
    >>> walk[3, :, 0] = 100
    >>> find_jumps(walk, [0.0, 0.1, 0.2, 0.3])
    array([3])
    """
    known = np.flatnonzero(np.isfinite(landmarks[:, _TRUNK, :2]).all(axis=(1, 2)))
    if len(known) < 2:
        return np.array([], dtype=int)
    apart = np.diff(np.asarray(times, dtype=float)[known])
    steps = _steps(np.asarray(landmarks, dtype=float)[known])
    return known[1:][steps > _MOST + _PER_SECOND * apart]


def _steps(landmarks):
    hips, size = landmarks[:, _HIPS, :2].mean(axis=1), trunk_size(landmarks)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.linalg.norm(np.diff(hips, axis=0), axis=1) / np.maximum(size[1:], size[:-1])


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
    person : {"largest", "center", "steady"}, default="largest"
        * "largest": in each frame the person with the largest trunk;
        * "center": in each frame the one nearest to the middle of the picture;
        * "steady": one and the same person throughout, namely the one who is largest over the
          whole video. Where that person is lost the answer is "nobody", never somebody else.

    Returns
    -------
    ndarray of shape (n_frames,), dtype int
        Index of the person on the second axis; -1 for nobody.

    Raises
    ------
    ValueError
        If ``person`` is none of the three, or lengths differ.

    Notes
    -----
    "steady" links the poses of successive frames into tracks, all people at once, so that nobody
    can take over the pose of a neighbour who is still there. A link needs a trunk centre that
    moved less than 0.3 trunk sizes plus 4 a second, at most 1, and a similar size. People who were
    just seen come before people who were lost; among these the most similar pose wins.

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
    if person not in PERSONS:
        raise ValueError(f"person must be one of {PERSONS}, got {person!r}.")
    if people.shape[1] == 0:
        return np.full(len(people), -1)
    size = trunk_size(people)
    present = size > 0  # False for NaN
    if person == "steady":
        return _follow_one(people, size, present & ~_doubles(people, size), times)
    if person == "largest":
        rank = np.where(present, size, -np.inf)
    else:
        middle = np.asarray(frame_size, dtype=float) / 2
        distance = np.linalg.norm(people[:, :, _TRUNK].mean(axis=2) - middle, axis=-1)
        rank = np.where(present, -distance, -np.inf)
    return np.where(present.any(axis=1), rank.argmax(axis=1), -1)


def _doubles(people, size):
    """Mark poses which repeat an earlier one of the same frame."""
    doubles = np.zeros(size.shape, dtype=bool)
    for j in range(1, people.shape[1]):
        for i in range(j):
            apart = np.linalg.norm(people[:, i] - people[:, j], axis=-1).mean(axis=-1)
            doubles[:, j] |= apart < _SAME * np.fmax(size[:, i], size[:, j])
    return doubles


class _Track:
    """One person through time: where last seen, and in which frames as which detection."""

    def __init__(self):
        self.frames = []
        self.detections = []
        self.weight = 0.0  # trunk sizes summed over frames

    def add(self, frame, detection, landmarks, size, time):
        self.frames.append(frame)
        self.detections.append(detection)
        self.weight += size
        self.landmarks, self.size, self.time = landmarks, size, time

    def distance(self, landmarks, size, time):
        """Tell how unlike a detection is, in trunk sizes; infinite if it cannot be this person."""
        scale = np.sqrt(self.size * size)
        moved = landmarks - self.landmarks
        limit = min(_BASE + _PER_SECOND * (time - self.time), _MOST)
        if np.linalg.norm(moved[_TRUNK].mean(axis=0)) > limit * scale:
            return np.inf
        if not 1 / _SIZE_RATIO < size / self.size < _SIZE_RATIO:
            return np.inf
        return np.linalg.norm(moved, axis=1).mean() / scale


def _follow_one(people, size, present, times):
    """Link detections into tracks, all people at once, and return the heaviest track."""
    tracks, active, previous = [], [], -np.inf
    for frame, time in enumerate(times):
        free = list(np.flatnonzero(present[frame]))
        # People seen a moment ago have the first claim: nobody who was lost can take their pose.
        seen = [track for track in active if track.time >= previous]
        lost = [track for track in active if track.time < previous]
        for group in (seen, lost):
            for track, j in _link(group, free, people[frame], size[frame], time):
                track.add(frame, j, people[frame, j], size[frame, j], time)
                free.remove(j)
        for j in free:
            track = _Track()
            track.add(frame, j, people[frame, j], size[frame, j], time)
            tracks.append(track)
            active.append(track)
        if active:  # the heaviest is waited for as long as it takes, others are forgotten
            heaviest = max(active, key=lambda track: track.weight)
            active = [t for t in active if t is heaviest or time - t.time <= _FORGET]
        previous = time
    chosen = np.full(len(people), -1)
    if tracks:
        best = max(tracks, key=lambda track: track.weight)
        chosen[best.frames] = best.detections
    return chosen


def _link(tracks, detections, landmarks, size, time):
    """Pair tracks with detections at the least total distance."""
    if not tracks or not detections:
        return []
    cost = np.array([[t.distance(landmarks[j], size[j], time) for j in detections] for t in tracks])
    pairs = zip(*linear_sum_assignment(np.where(np.isfinite(cost), cost, 1e3)))
    return [(tracks[i], detections[k]) for i, k in pairs if np.isfinite(cost[i, k])]
