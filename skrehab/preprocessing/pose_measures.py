"""Measure one trial: coverage, visibility, jitter, jumps, exchanged sides, changes of person."""

import itertools
import warnings
from dataclasses import dataclass

import numpy as np

from skrehab.preprocessing.skeleton_conversion import guess_skeleton
from skrehab.preprocessing.swaps import find_swaps
from skrehab.skeletons import get_skeleton, list_skeletons
from skrehab.trials import check_trials

__all__ = ["PoseQuality", "pose_quality"]

_VISIBLE = 0.5
# Faster than people move, in trunk sizes (about half a metre): the trunk, or half of all landmarks
_PLACE, _SHAPE, _PER_SECOND = 1.0, 0.6, 4.0
_AFTER_GAP = 0.5  # seconds
_SIZE_RATIO = 1.4
_AROUND = 5  # poses on either side that are compared


@dataclass(frozen=True)
class PoseQuality:
    """What was measured of one trial.

    Parameters
    ----------
    name : str
        The trial.
    n_frames : int
        Frames.
    seconds : float
        From the first frame to the last.
    coverage : float
        Share of frames with a person, in [0, 1].
    longest_gap : float
        Longest time without a person, in seconds.
    unclear : float
        Share of landmarks, in frames with a person, that are lost or less visible than 0.5.
    jitter : float
        Standard deviation of the noise of a landmark, in trunk sizes (about half a metre);
        estimated from how far places lie off the middle of their neighbours in time. NaN if there
        are no three frames in a row.
    jumps : int
        Frames that the pose cannot have reached from the one before: people do not move so fast.
    swaps : int
        Frames in which left and right of arms, legs or head are exchanged; see
        :func:`skrehab.preprocessing.swaps.find_swaps`.
    person_changes : int
        Jumps and long gaps after which the pose stays elsewhere, or of another size.

    Examples
    --------
    >>> from skrehab.preprocessing import PoseLimits, PoseQuality
    >>> clip = PoseQuality("clip.mp4", 300, 10.0, 0.62, 1.4, 0.1, 0.004, 0, 0, 0)
    >>> for problem in clip.problems(PoseLimits()):
    ...     print(problem)
    a person in 62 % of frames (at least 80 %)
    1.4 s without a person (at most 1 s)
    """

    name: str
    n_frames: int
    seconds: float
    coverage: float
    longest_gap: float
    unclear: float
    jitter: float
    jumps: int
    swaps: int
    person_changes: int

    def problems(self, limits):
        """Say in words what is beyond the limits.

        Parameters
        ----------
        limits : PoseLimits
            What is too much.

        Returns
        -------
        list of str
            Empty if nothing is.
        """
        found = []
        if self.coverage < limits.min_coverage:
            found.append(
                f"a person in {self.coverage:.0%} of frames (at least {limits.min_coverage:.0%})"
            )
        if self.longest_gap > limits.max_gap:
            found.append(
                f"{self.longest_gap:.1f} s without a person (at most {limits.max_gap:g} s)"
            )
        if self.unclear > limits.max_unclear:
            found.append(
                f"{self.unclear:.0%} of landmarks hardly visible (at most {limits.max_unclear:.0%})"
            )
        if self.jitter > limits.max_jitter:
            found.append(
                f"landmarks jitter by {self.jitter:.3f} trunk sizes (at most {limits.max_jitter:g})"
            )
        for count, most, what in (
            (self.jumps, limits.max_jumps, "jumps"),
            (self.swaps, limits.max_swaps * self.n_frames, "frames with left and right exchanged"),
            (self.person_changes, limits.max_person_changes, "changes of person"),
        ):
            if count > most:
                found.append(f"{count} {what} (at most {most:.0f})")
        return [text.replace(" %", "%").replace("%", " %") for text in found]


def pose_quality(trial, *, times=None, frame_rate=30.0, skeleton=None, name="trial"):
    """Measure how good the pose of one trial is.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords) or PoseTrack
        Landmarks; NaN where lost. A fourth coordinate, or a third of a flat skeleton, is
        visibility. Of a PoseTrack the places in the picture are measured: only they tell people
        apart, since world coordinates have their origin between each person's own hips.
    times : array-like of shape (n_frames,), optional
        Seconds, increasing; a PoseTrack brings its own.
    frame_rate : float, default=30.0
        Frames a second, where there are no times.
    skeleton : str or Skeleton, optional
        None guesses from the number of landmarks.
    name : str, default="trial"
        What to call it.

    Returns
    -------
    PoseQuality
        The measures.

    Raises
    ------
    ValueError
        If the trial, or the times, cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import pose_quality
    >>> trial = np.random.RandomState(0).randn(1, 33, 4).repeat(50, axis=0)
    >>> trial[10:20] = np.nan
    >>> quality = pose_quality(trial, frame_rate=25)
    >>> quality.coverage, quality.longest_gap
    (0.8, 0.4)
    """
    n_dims = None
    if hasattr(trial, "image"):
        trial, times, n_dims = trial.image, trial.timestamps, 2
    try:
        (trial,) = check_trials([trial], name=name)
    except ValueError as error:
        raise ValueError(str(error).replace(f"{name}[0]", name)) from None
    n_frames, n_landmarks, n_coords = trial.shape
    skeleton = _skeleton(skeleton, n_landmarks, name)
    times = _check_times(times, n_frames, frame_rate, name)
    n_dims = n_dims or min(skeleton.n_dims, n_coords)
    score = trial[..., -1] if n_coords > skeleton.n_dims else np.ones(trial.shape[:2])
    space = trial[..., :n_dims].astype(float)
    seen = np.isfinite(space).all(axis=2)
    known = np.flatnonzero(seen.any(axis=1))
    clear = seen & (score >= _VISIBLE)  # False for NaN
    period = float(np.median(np.diff(times))) if n_frames > 1 else 1 / frame_rate
    size = _trunk_sizes(space, skeleton)
    jumps, changes = _jumps(space[known], size[known], times[known], skeleton)
    swaps = find_swaps(space, skeleton, max_frames=max(1, round(1 / period)))
    return PoseQuality(
        name=name,
        n_frames=n_frames,
        seconds=round(float(times[-1] - times[0]) + period, 3),
        coverage=round(len(known) / n_frames, 4),
        longest_gap=round(_longest_gap(known, times, period), 3),
        unclear=round(float(1 - clear[known].mean()) if len(known) else 1.0, 4),
        jitter=round(_jitter(space, size), 5),
        jumps=jumps,
        swaps=int(swaps.any(axis=1).sum()),
        person_changes=changes,
    )


def _skeleton(skeleton, n_landmarks, name):
    known = guess_skeleton(n_landmarks) if skeleton is None else get_skeleton(skeleton)
    if known is None or known.n_landmarks != n_landmarks:
        raise ValueError(
            f"{name} has {n_landmarks} landmarks"
            + ("" if known is None else f", not the {known.n_landmarks} of {known.name}")
            + f". Say which skeleton it is with skeleton=...; known are {list_skeletons()}."
        )
    return known


def _check_times(times, n_frames, frame_rate, name):
    if times is None:
        if not frame_rate > 0:
            raise ValueError(f"frame_rate must be above 0 frames a second, got {frame_rate!r}.")
        return np.arange(n_frames) / frame_rate
    times = np.asarray(times, dtype=float)
    if times.shape != (n_frames,):
        raise ValueError(
            f"{name}: one time a frame is needed, {n_frames} in all; got shape {times.shape}."
        )
    if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ValueError(f"{name}: times must be finite and increase from frame to frame.")
    return times


def _trunk_sizes(space, skeleton):
    """Longest distance between two of shoulders and hips; of all landmarks where these are lost."""
    trunk = space[:, list(skeleton.trunk)]
    sides = np.linalg.norm(trunk[:, :, None] - trunk[:, None], axis=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a frame with nobody is all NaN
        size = np.nanmax(sides, axis=(1, 2))
        typical = np.nanmedian(np.where(size > 0, size, np.nan))
    return np.where(size > 0, size, typical)


def _longest_gap(known, times, period):
    """Time without a person, from the first frame without to the next one with."""
    after = times[-1] + period
    edges = np.concatenate([[-1], known, [len(times)]])
    longest = 0.0
    for before, now in itertools.pairwise(edges):
        if now - before > 1:
            stop = times[now] if now < len(times) else after
            longest = max(longest, stop - times[before + 1])
    return float(longest)


def _jitter(space, size):
    """Noise of a landmark, from how far it lies off the middle of its neighbours in time.

    Of a smooth movement hardly anything is left in the second difference, of noise sqrt(6) times
    its deviation; the median does not mind the few frames in which something happens.
    """
    if len(space) < 3:
        return float("nan")
    second = space[2:] - 2 * space[1:-1] + space[:-2]
    second = second / size[1:-1, None, None]
    second = np.abs(second[np.isfinite(second)])
    return float(np.median(second) / 0.6745 / np.sqrt(6)) if len(second) else float("nan")


def _jumps(space, size, times, skeleton):
    """Count jumps, and those after which the person is another one."""
    if len(space) < 2:
        return 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        place = np.nanmean(space[:, list(skeleton.trunk)], axis=1)
        moved = np.linalg.norm(np.diff(space, axis=0), axis=2)
        shape = np.nanmedian(moved, axis=1)
    scale = np.fmax(size[1:], size[:-1])
    apart = np.diff(times)
    with np.errstate(invalid="ignore", divide="ignore"):
        far = np.linalg.norm(np.diff(place, axis=0), axis=1) / scale > _PLACE + _PER_SECOND * apart
        jump = far | (shape / scale > _SHAPE + _PER_SECOND * apart)
        other_size = np.abs(np.log(size[1:] / size[:-1])) > np.log(_SIZE_RATIO)
    changes, last = 0, -_AROUND
    for k in np.flatnonzero(jump | other_size | (apart > _AFTER_GAP)) + 1:
        before, after = slice(max(k - _AROUND, 0), k), slice(k, k + _AROUND)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            sizes = np.nanmedian(size[before]), np.nanmedian(size[after])
            places = np.nanmedian(place[before], axis=0), np.nanmedian(place[after], axis=0)
        distance = np.linalg.norm(places[1] - places[0]) / max(sizes)
        elsewhere = distance > _PLACE + _PER_SECOND * apart[k - 1]
        other = elsewhere or not 1 / _SIZE_RATIO < sizes[1] / sizes[0] < _SIZE_RATIO
        if other and k - last >= _AROUND:  # one change is seen from several frames around it
            changes, last = changes + 1, k
    return int(jump.sum()), changes
