"""NumPy's own files: .npy, one array, and .npz, an array with times."""

import numpy as np

from skrehab.formats._bounds import quoted
from skrehab.formats._clock import time_unit
from skrehab.formats._npz import check_npy, open_npz
from skrehab.formats._pose_file import KNOWN_COORDS, as_read

# What arrays are called inside an .npz, first match first; "world" is what `skrehab pose` writes.
_BESIDE = ("timestamps", "landmarks", "coords")
_MOST_COORDS = 12  # a place and a rotation matrix; more is an axis that stands in a wrong place
_ARRAY_NAMES = ("world", "pose", "X", "frames")


def _check_start(path):
    with open(path, "rb") as file:
        start = file.read(6)
    if start and start != b"\x93NUMPY" and start[:2] != b"PK":  # numpy would advise to unpickle it
        raise ValueError("it cannot be read: its first bytes are not those of a NumPy file")


def _load(path):
    _check_start(path)
    try:
        check_npy(path)
        return np.load(path, allow_pickle=False)
    except OSError:
        raise
    except Exception as error:  # zipfile, EOF and value errors: damaged files fail in many ways
        raise ValueError(f"it cannot be read ({error})") from error


def read_npy(path):
    """Read one array (n_frames, n_landmarks, n_coords)."""
    return as_read(_axes_checked(np.asarray(_load(path))), None, None)


def read_npz(path):
    """Read an array called ``world``, ``pose``, ``X`` or ``frames``, or the only one.

    Beside it may stand ``timestamps`` (n_frames,) in seconds, and ``landmarks`` and ``coords``,
    names as text. Times may also be called as in tables: ``time``, ``times``, ``time_ms``.
    """
    _check_start(path)
    try:
        with open_npz(path) as archive:
            clock, unit = _clock_of(archive.names)
            others = [name for name in archive.names if name not in (*_BESIDE, clock)]
            named = [name for name in _ARRAY_NAMES if name in others]
            if not named and len(others) != 1:
                raise ValueError(
                    f"its pose must be called one of {_ARRAY_NAMES}; it has {sorted(others)}"
                )
            # an array that nobody needs is not unpacked, however large it would be
            pose = archive.read((named or others)[0])
            beside = {name: archive.read(name) for name in _BESIDE if name in archive.names}
            times = None if clock is None else archive.read(clock)
    except ValueError as error:
        raise ValueError(f"it cannot be read ({error})") from error
    pose = _axes_checked(pose)
    names = _words(beside, "landmarks", pose.shape[1])
    coords = _words(beside, "coords", pose.shape[2])
    if coords is not None:
        coords = tuple(word.strip().lower() for word in coords)
        if coords not in KNOWN_COORDS:
            raise ValueError(
                f"its coords are {coords}, and read are {sorted(KNOWN_COORDS)}: put the last axis "
                "into one of these orders"
            )
    if times is not None and times.dtype.kind not in "fiu":
        raise ValueError(f"its {clock} must be numbers of seconds, got {times.dtype}")
    return as_read(pose, times, names, coords, unit)


def _clock_of(names):
    """The array that holds times, and its unit where its name says one; None without one."""
    if "timestamps" in names:
        return "timestamps", ""
    found = {name: unit for name in names if (unit := time_unit(name)) is not None}
    if len(found) > 1:
        raise ValueError(f"which are its times, {' or '.join(sorted(found))}? Leave one")
    return next(iter(found.items()), (None, ""))


def _axes_checked(pose):
    """The array, if its last axis may be coordinates."""
    if pose.ndim == 3 and pose.shape[2] > _MOST_COORDS:
        raise ValueError(
            f"its array has shape {pose.shape}, and {pose.shape[2]} are no coordinates of a "
            "landmark: its axes must be (n_frames, n_landmarks, n_coords)"
        )
    if pose.ndim != 3:
        raise ValueError(
            "a pose must be numbers of shape (n_frames, n_landmarks, n_coords), got "
            f"{pose.dtype} {pose.shape}"
        )
    return pose


def _words(beside, what, n_wanted):
    """Names of one axis, each once."""
    array = beside.get(what)
    if array is None:
        return None
    if array.dtype.kind == "S":  # text as old programs keep it
        array = np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind != "U" or array.ndim != 1:
        raise ValueError(f"its {what} must be names in one row, got {array.dtype} {array.shape}")
    words = tuple(array.tolist())
    if len(words) != n_wanted:
        raise ValueError(f"it names {len(words)} {what}, and its array has {n_wanted}")
    twice = next((word for word in words if words.count(word) > 1), None)
    if twice is not None:
        raise ValueError(f"it names {quoted(twice)} twice among its {what}")
    return words


def write_npy(path, pose):
    """Write the array alone: times and names are lost."""
    from skrehab._written import written

    with written(path) as file:
        np.save(file, pose.pose)


def write_npz(path, pose):
    """Write ``pose`` with ``timestamps``, ``landmarks`` and ``coords``, where they are known."""
    known = {"timestamps": pose.timestamps, "landmarks": pose.landmarks, "coords": pose.coords}
    known = {key: np.array(value) for key, value in known.items() if value is not None}
    from skrehab._written import written

    with written(path) as file:
        np.savez_compressed(file, pose=pose.pose, **known)
