"""NumPy's own files: .npy, one array, and .npz, an array with times."""

import numpy as np

from skrehab.formats._npz import check_npy, open_npz
from skrehab.formats._pose_file import as_read

# What arrays are called inside an .npz, first match first; "world" is what `skrehab pose` writes.
_BESIDE = ("timestamps", "landmarks", "coords")
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
    return as_read(np.asarray(_load(path)), None, None)


def read_npz(path):
    """Read an array called ``world``, ``pose``, ``X`` or ``frames``, or the only one.

    Beside it may stand ``timestamps`` (n_frames,) in seconds, and ``landmarks`` and ``coords``,
    names as text.
    """
    _check_start(path)
    try:
        with open_npz(path) as archive:
            others = [name for name in archive.names if name not in _BESIDE]
            named = [name for name in _ARRAY_NAMES if name in others]
            if not named and len(others) != 1:
                raise ValueError(
                    f"its pose must be called one of {_ARRAY_NAMES}; it has {sorted(others)}"
                )
            # an array that nobody needs is not unpacked, however large it would be
            pose = archive.read((named or others)[0])
            beside = {name: archive.read(name) for name in _BESIDE if name in archive.names}
    except ValueError as error:
        raise ValueError(f"it cannot be read ({error})") from error
    names, coords = (_words(beside.get(key)) for key in ("landmarks", "coords"))
    return as_read(pose, beside.get("timestamps"), names, coords)


def _words(array):
    return tuple(array.tolist()) if array is not None and array.dtype.kind == "U" else None


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
