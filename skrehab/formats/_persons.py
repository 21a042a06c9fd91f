"""Which person of a picture: key-point files list everybody.

The choices and their meanings are those of :class:`skrehab.PoseExtractor`, here for any skeleton:
sizes are those of the box around a person's points, where the extractor has a trunk.
"""

import numpy as np

_CHOICES = ("steady", "follow", "largest")
# Limits for "the same person in the next frame", in sizes: the extractor's, at 30 frames a second.
_BASE, _PER_FRAME, _MOST = 0.15, 0.05, 0.5
_SIZE_RATIO = 1.6
_POINT = 1e-9  # the size of somebody of whom one point is seen
_ALONE = 2.0  # the same where there is nobody to mix up with, as when the subject is seen rarely
_FORGET = 150  # frames after which somebody who left starts anew on coming back


def pick_person(frames, person, n_landmarks):
    """Choose one person of frames that list several.

    Parameters
    ----------
    frames : list of list of ndarray of shape (n_landmarks, n_coords)
        x, y, perhaps z, and score of everybody in each frame; NaN where a point is lost.
    person : {"steady", "follow", "largest"} or int
        ``"steady"``: one and the same person throughout, who is largest over the whole file; where
        that one is lost, nobody. ``"follow"``: who is largest at the start, without hindsight;
        lost for 150 frames, somebody is chosen anew. ``"largest"`` in each frame; or a position in
        the lists.
    n_landmarks : int
        Landmarks.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        NaN and a score of 0 in frames without the person.
    """
    is_position = isinstance(person, int) and not isinstance(person, bool) and person >= 0
    if not is_position and person not in _CHOICES:
        raise ValueError(
            f"person must be one of {_CHOICES} or a position 0, 1, ...; got {person!r}"
        )
    n_coords = next((one.shape[1] for people in frames for one in people), 3)
    nobody = np.full((n_landmarks, n_coords), np.nan)
    nobody[:, -1] = 0
    out = np.tile(nobody, (len(frames), 1, 1))
    if is_position:
        chosen = [people[person] if person < len(people) else None for people in frames]
    else:
        seen = [[one for one in people if not np.isnan(one[:, 0]).all()] for people in frames]
        if person == "largest":
            chosen = [max(people, key=_size, default=None) for people in seen]
        else:
            chosen = _along(seen, person)
    for i, one in enumerate(chosen):
        if one is not None:
            out[i] = one
    if np.isnan(out[..., 0]).all():
        raise ValueError("no frame has a key-point" if not is_position else f"no person {person}")
    return out


class _Track:
    """One person through the frames."""

    def __init__(self):
        self.weight, self.found = 0.0, {}

    def add(self, i, points, size):
        self.weight += size
        self.found[i] = points
        self.last, self.points, self.size = i, points, size

    def distance(self, i, points, size, alone):
        """How unlike a person is, in sizes; infinite if it cannot be this one."""
        if alone and min(self.size, size) <= _POINT:
            return 0.0
        scale = np.sqrt(self.size * size)
        ratio = size / self.size
        limit = _ALONE if alone else min(_BASE + _PER_FRAME * (i - self.last), _MOST)
        moved = points[:, :2] - self.points[:, :2]
        both = ~np.isnan(moved[:, 0])
        if not both.any() or not 1 / _SIZE_RATIO**2 < ratio < _SIZE_RATIO**2:
            return np.inf
        apart = np.median(np.linalg.norm(moved[both], axis=1)) / scale
        # a few points at the edge of the picture make a small box: then only the place counts
        similar = alone or 1 / _SIZE_RATIO < ratio < _SIZE_RATIO or not both.all()
        return apart if apart <= limit and similar else np.inf


def _along(frames, person):
    """The chosen person of each frame, None where lost, by linking frames into tracks."""
    tracks, target, chosen = [], None, []
    for i, people in enumerate(frames):
        sizes = [_size(one) for one in people]
        free = set(range(len(people)))
        heaviest = max(tracks, key=lambda track: track.weight, default=None)
        alone = len(people) == 1 and sum(t.last == tracks[-1].last for t in tracks) == 1
        kept = target if person == "follow" else heaviest
        # people who were just seen come before people who were lost
        for just in (True, False):
            group = [t for t in tracks if (t.last == i - 1) == just]
            group = [t for t in group if t is kept or i - t.last <= _FORGET]
            pairs = [
                (t.distance(i, people[j], sizes[j], alone), k, j)
                for k, t in enumerate(group)
                for j in free
            ]
            taken = set()
            for apart, k, j in sorted(pairs):
                if np.isfinite(apart) and j in free and k not in taken:
                    group[k].add(i, people[j], sizes[j])
                    taken.add(k)
                    free.discard(j)
        for j in sorted(free):
            track = _Track()
            track.add(i, people[j], sizes[j])
            tracks.append(track)
        if target is not None and i - target.last > _FORGET:
            target = None
        if target is None and people:
            target = max((t for t in tracks if t.last == i), key=lambda t: t.size)
        chosen.append(target.found.get(i) if target else None)
        if person == "follow":  # others who left are not needed again
            tracks = [t for t in tracks if t is target or i - t.last <= _FORGET]
    if person == "follow":
        return chosen
    best = max(tracks, key=lambda track: track.weight, default=None)
    return [best.found.get(i) if best else None for i in range(len(frames))]


def _size(points):
    """Diagonal of the box around a person's points; never zero."""
    seen = points[~np.isnan(points[:, 0]), :2]
    return max(float(np.linalg.norm(np.ptp(seen, axis=0))), _POINT) if len(seen) else _POINT
