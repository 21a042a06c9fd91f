"""Follow people through a video: link the poses of successive frames, all people at once.

A detector gives the people of each frame in any order, sees one of them twice now and then, and
loses them for a while.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment

from .body import TRUNK, find_doubles, knee_drop, trunk_size

__all__ = ["PersonFollower", "follow_heaviest"]

# Limits for "the same person a moment later", in trunk sizes (about half a metre). A trunk moves at
# most some 2 m/s in exercises; the base leaves room for landmarks that jitter at any frame rate.
_BASE, _PER_SECOND, _MOST = 0.3, 4.0, 1.0
_SIZE_RATIO = 1.6
_SURE = 0.5  # seconds after which somebody is no ghost of the detector
_FORGET = 5.0  # seconds after which somebody who left starts anew on coming back
# Knees of somebody who sits are less than this below the hips, in trunk sizes: so in the first
# frame of all 96 Kinect recordings of people who sit at a table (WMFT without its standing task),
# and of one of 257 of people who stand (UI-PRMD).
_SITS = 0.4


class _Track:
    """One person through time: where last seen, and how weighty so far."""

    def __init__(self):
        self.weight = 0.0  # trunk sizes summed over frames
        self.start = None

    def add(self, landmarks, size, time):
        self.weight += size
        self.start = time if self.start is None else self.start
        self.landmarks, self.size, self.time = landmarks, size, time

    def distance(self, landmarks, size, time):
        """Tell how unlike a detection is, in trunk sizes; infinite if it cannot be this person."""
        scale = np.sqrt(self.size * size)
        moved = landmarks - self.landmarks
        limit = min(_BASE + _PER_SECOND * (time - self.time), _MOST)
        if np.linalg.norm(moved[TRUNK].mean(axis=0)) > limit * scale:
            return np.inf
        if not 1 / _SIZE_RATIO < size / self.size < _SIZE_RATIO:
            return np.inf
        return np.linalg.norm(moved, axis=1).mean() / scale


class _Linker:
    """Say, frame by frame, which detection is which person. It remembers nobody for long."""

    def __init__(self):
        self.active, self.previous = [], -np.inf

    def push(self, landmarks, size, time, waited_for=None):
        """Return {detection: track}; `waited_for` chooses one that is never forgotten."""
        free = list(np.flatnonzero(size > 0))  # False for NaN
        # People seen a moment ago have the first claim: nobody who was lost can take their pose.
        seen = [track for track in self.active if track.time >= self.previous]
        lost = [track for track in self.active if track.time < self.previous]
        linked = {}
        for group in (seen, lost):
            for track, j in _link(group, free, landmarks, size, time):
                linked[j] = track
                free.remove(j)
        for j in free:
            linked[j] = _Track()
            self.active.append(linked[j])
        for j, track in linked.items():
            track.add(landmarks[j], size[j], time)
        kept = waited_for(self.active) if waited_for and self.active else None
        self.active = [t for t in self.active if t is kept or time - t.time <= _FORGET]
        self.previous = time
        return linked


def _link(tracks, detections, landmarks, size, time):
    """Pair tracks with detections at the least total distance."""
    if not tracks or not detections:
        return []
    cost = np.array([[t.distance(landmarks[j], size[j], time) for j in detections] for t in tracks])
    pairs = zip(*linear_sum_assignment(np.where(np.isfinite(cost), cost, 1e3)))
    return [(tracks[i], detections[k]) for i, k in pairs if np.isfinite(cost[i, k])]


def _single_size(people):
    """Trunk sizes of shape (n_frames, n_persons), NaN for nobody and for doubles."""
    return np.where(find_doubles(people), np.nan, trunk_size(people))


def follow_heaviest(people, times):
    """Find, after the fact, the person who is largest over the whole video.

    Parameters
    ----------
    people : ndarray of shape (n_frames, n_persons, 33, 2)
        Image landmarks in pixels; NaN where there are fewer people.
    times : array-like of shape (n_frames,)
        Seconds, increasing.

    Returns
    -------
    ndarray of shape (n_frames,), dtype int
        Index of that person on the second axis; -1 where lost.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.following import follow_heaviest
    >>> person = np.zeros((33, 2))
    >>> person[[23, 24], 1] = 50
    >>> nobody = np.full((33, 2), np.nan)
    >>> follow_heaviest(np.array([[person, nobody], [nobody, person + 2]]), [0.0, 0.1]).tolist()
    [0, 1]
    """
    linker, history = _Linker(), []
    size = _single_size(people)
    heaviest = lambda tracks: max(tracks, key=lambda track: track.weight)  # noqa: E731
    for frame, time in enumerate(times):
        # the heaviest is waited for as long as it takes, others are forgotten
        history.append(linker.push(people[frame], size[frame], time, heaviest))
    tracks = {id(track): track for linked in history for track in linked.values()}
    chosen = np.full(len(people), -1)
    if tracks:
        best = heaviest(tracks.values())
        for frame, linked in enumerate(history):
            for j, track in linked.items():
                if track is best:
                    chosen[frame] = j
    return chosen


class PersonFollower:
    """Choose a person at the start and stay with that one, frame by frame, without hindsight.

    The others are followed too, so that nobody can take over the pose of a neighbour who is still
    there. Whoever was lost is waited for, five seconds long; after that somebody is chosen anew.
    (Somebody seen for less than half a second may be a detector's ghost, and is waited for no
    longer than that one was seen.)

    Parameters
    ----------
    first : {"largest", "seated"}, default="largest"
        Whom to choose: the person with the largest trunk, or the largest of those who sit. Nobody
        is chosen while nobody sits; who was chosen may get up.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.following import PersonFollower
    >>> near, far = np.zeros((33, 2)), np.full((33, 2), 500.0)
    >>> near[[23, 24], 1] = 60
    >>> far[[23, 24], 1] += 40
    >>> follower = PersonFollower()
    >>> follower.push(np.array([far, near]), 0.0), follower.push(np.array([near, far]), 0.5)
    (1, 0)
    >>> follower.push(np.array([far]), 0.6)
    -1
    """

    def __init__(self, first="largest"):
        if first not in ("largest", "seated"):
            raise ValueError(f"first must be 'largest' or 'seated', got {first!r}.")
        self.first = first
        self.reset()

    def reset(self):
        """Forget everybody; another video starts."""
        self._linker, self._target = _Linker(), None

    def push(self, people, time):
        """Choose in the next frame.

        Parameters
        ----------
        people : ndarray of shape (n_persons, 33, n_coords)
            Image landmarks in pixels, in any order; NaN where there are fewer people.
        time : float
            Seconds, later than the frame before.

        Returns
        -------
        int
            Index of the person; -1 for nobody.
        """
        people = np.asarray(people, dtype=float)[..., :2]
        size = _single_size(people[None])[0]
        linked = self._linker.push(people, size, time)
        if (one := self._target) is not None and time > one.time:
            seen = one.time - one.start
            if time - one.time > (_FORGET if seen >= _SURE else seen):
                self._target = None
        if self._target is None and linked:
            able = [j for j in linked if self.first == "largest" or knee_drop(people[j]) < _SITS]
            if able:
                self._target = linked[max(able, key=lambda j: size[j])]
        return next((int(j) for j, track in linked.items() if track is self._target), -1)
