"""What every pose reader returns and every pose writer takes."""

from typing import NamedTuple

import numpy as np

from skrehab.formats._clock import seconds
from skrehab.formats._lost import mark_lost
from skrehab.skeletons import get_skeleton

# what a number of coordinates means where nothing else is known
_GUESS = {2: ("x", "y"), 3: ("x", "y", "z"), 4: ("x", "y", "z", "score")}
_NEAR = 1e4  # times the size of a body: single precision has seven digits
KNOWN_COORDS = {*_GUESS.values(), ("x", "y", "score")}


class PoseFile(NamedTuple):
    """One pose sequence and what its file says of it.

    Parameters
    ----------
    pose : ndarray of shape (n_frames, n_landmarks, n_coords), dtype float32
        Landmarks; NaN where one is lost.
    timestamps : ndarray of shape (n_frames,) or None
        Seconds.
    landmarks : tuple of str or None
        Names of the landmarks.
    coords : tuple of str or None, default=None
        What the last axis holds: ``("x", "y", "score")`` for pictures, ``("x", "y", "z")`` or
        ``("x", "y", "z", "score")`` for space; None where the file does not tell.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.formats import PoseFile
    >>> PoseFile(np.zeros((4, 2, 3)), np.arange(4) / 30, ("nose", "neck")).landmarks
    ('nose', 'neck')
    """

    pose: np.ndarray
    timestamps: np.ndarray | None
    landmarks: tuple | None
    coords: tuple | None = None


def checked(pose, times, names, coords=None):
    """Build a PoseFile of what a reader found, or say what is wrong with it."""
    if pose.ndim != 3 or 0 in pose.shape or pose.dtype.kind not in "fiu":
        raise ValueError(
            "a pose must be numbers of shape (n_frames, n_landmarks, n_coords), got "
            f"{pose.dtype} {pose.shape}"
        )
    given = pose
    with np.errstate(over="ignore"):  # what becomes infinite is refused
        pose = pose.astype(np.float32)
    if np.isinf(pose).any():
        raise ValueError("it holds infinite values; lost landmarks are NaN")
    _check_origin(given)
    if times is not None:
        times = np.asarray(times, dtype=float)
        if times.shape != (len(pose),) or not (np.diff(times) > 0).all():
            raise ValueError(f"its times must be {len(pose)} rising numbers, one for each frame")
        if not np.isfinite(times).all():
            raise ValueError("its times must be finite numbers of seconds")
    return PoseFile(pose, times, None if names is None else tuple(names), coords)


def _check_origin(pose):
    """Refuse bodies so far from zero that single precision cannot tell their landmarks apart."""
    for axis in range(min(pose.shape[2], 3)):
        places = pose[..., axis][np.isfinite(pose[..., axis])]
        if places.size == 0 or np.abs(places).max() < _NEAR:
            continue
        low, middle, high = np.percentile(places, (5, 50, 95))
        step = float(np.spacing(np.float32(abs(middle))))
        if high > low and step > (high - low) / 100:
            raise ValueError(
                f"its coordinates lie about {middle:.6g} on axis {axis}, where single precision "
                f"has steps of {step:.2g}, and the body only {high - low:.2g}: subtract the place "
                "of the hips in the first frame, or another one, from all of them"
            )


def as_read(pose, times, names, coords=None, unit=""):
    """Build a PoseFile of a file's numbers: lost points marked, times in seconds.

    Parameters
    ----------
    pose : ndarray of shape (n_frames, n_landmarks, n_coords)
        As the file has them; see :func:`skrehab.formats._lost.lost_points`.
    times : array-like of shape (n_frames,) or None
        In `unit`; see :func:`skrehab.formats._clock.seconds`.
    names, coords : tuple of str or None
        Landmarks, and what the last axis holds.
    unit : str, default=""
        What the file says of the unit of its times.
    """
    out = checked(pose, times, names, coords)
    if times is not None:
        out = out._replace(timestamps=seconds(out.timestamps, unit))
    return out._replace(pose=mark_lost(out.pose, coords).astype(np.float32))


def to_write(pose, landmarks, timestamps, frame_rate, coords):
    """Complete what is to be written: a PoseFile with names and meaning of the coordinates."""
    if not isinstance(pose, PoseFile):
        pose = PoseFile(np.asarray(pose), None, None)
    if landmarks is not None:
        pose = pose._replace(landmarks=landmarks)
    if timestamps is not None:
        pose = pose._replace(timestamps=timestamps)
    elif pose.timestamps is None and frame_rate is not None:
        pose = pose._replace(timestamps=np.arange(len(pose.pose)) / check_rate(frame_rate))
    flat = False
    if isinstance(pose.landmarks, str):
        skeleton = get_skeleton(pose.landmarks)
        flat = skeleton.n_dims == 2
        pose = pose._replace(landmarks=skeleton.landmarks)
    out = checked(np.asarray(pose.pose), pose.timestamps, pose.landmarks, coords or pose.coords)
    n_landmarks, n_coords = out.pose.shape[1:]
    if out.landmarks is not None and len(out.landmarks) != n_landmarks:
        raise ValueError(f"{len(out.landmarks)} names for {n_landmarks} landmarks")
    if out.landmarks is not None and len(set(out.landmarks)) < n_landmarks:
        raise ValueError("two landmarks have the same name")
    if out.coords is None:
        guess = ("x", "y", "score") if flat and n_coords == 3 else _GUESS.get(n_coords)
        out = out._replace(coords=guess)
    if out.coords not in KNOWN_COORDS or len(out.coords) != n_coords:
        raise ValueError(
            f"coords must name {n_coords} coordinates, one of {sorted(KNOWN_COORDS)}; got "
            f"{out.coords}"
        )
    return out


def named(pose, kind):
    """Names of the landmarks, which some formats cannot do without."""
    if pose.landmarks is None:
        raise ValueError(
            f"{kind} names its landmarks: pass landmarks=, the names or the name of a skeleton"
        )
    return pose.landmarks


def picture(pose, kind):
    """Points in a picture and their scores, (n_frames, n_landmarks, 3); NaN and 0 where lost."""
    if "z" in pose.coords:
        raise ValueError(
            f"{kind} holds x and y in pixels, and this pose has {', '.join(pose.coords)}; if its "
            "third coordinate is a score, pass coords=('x', 'y', 'score')"
        )
    lost = np.isnan(pose.pose[..., :2]).any(axis=-1)
    score = pose.pose[..., 2] if len(pose.coords) == 3 else np.ones_like(pose.pose[..., 0])
    score = np.where(lost | np.isnan(score), 0, score)
    return np.concatenate(
        [np.where(lost[..., None], np.nan, pose.pose[..., :2]), score[..., None]], 2
    )


def check_rate(frame_rate):
    """Frames a second, above zero."""
    if not 0 < frame_rate < np.inf:
        raise ValueError(f"frame_rate must be positive, got {frame_rate!r}")
    return frame_rate


def frame_times(numbers, frame_rate):
    """Times of numbered frames from the first one; None where nothing is known.

    Frames may be left out of a file: then the numbers tell the time, and without a frame rate
    nobody could.
    """
    numbers = np.asarray(numbers)
    if frame_rate is not None:
        return (numbers - numbers[0]) / check_rate(frame_rate)
    gaps = np.flatnonzero(np.diff(numbers) != 1)
    if len(gaps):
        before, after = numbers[gaps[0]], numbers[gaps[0] + 1]
        raise ValueError(
            f"frame {after} follows frame {before}: pass frame_rate=, so that times tell of the gap"
        )
    return None


def shortest(values):
    """The shortest decimals that give the same float32 again, empty for NaN, as a list."""
    values = np.asarray(values, dtype=np.float32).ravel()
    return np.where(np.isnan(values), "", values.astype(str)).tolist()
