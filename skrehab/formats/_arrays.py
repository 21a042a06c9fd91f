"""NumPy's own files: .npy, one array, and .npz, an array with times."""

import math
import zipfile

import numpy as np

from skrehab._written import written
from skrehab.formats._bounds import MAX_ARRAY_BYTES, refuse_pipe
from skrehab.formats._pose_file import checked

# What arrays are called inside an .npz, first match first; "world" is what `skrehab pose` writes.
_ARRAY_NAMES = ("world", "pose", "X", "frames")
_MAGIC = b"\x93NUMPY"


class NotNumpy(ValueError):
    """A file that NumPy did not write, or that is damaged."""


def load_array(path):
    """Read one array of a .npy file; what its head promises must be in the file."""
    refuse_pipe(path)
    with open(path, "rb") as file:
        if file.read(2) == b"PK":
            raise NotNumpy("it is an archive; save one array with numpy.save")
        file.seek(0)
        size = file.seek(0, 2)
        file.seek(0)
        return _read_array(file, size, "it")


def array_names(path):
    """Names of the arrays of an .npz file."""
    with _open_zip(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def load_arrays(path, names):
    """Read some arrays of an .npz file, as a dict; nobody unpacks the others.

    An archive of a few kilobytes can promise gigabytes: the head of each array is read first.
    """
    out = {}
    with _open_zip(path) as archive:
        for name in names:
            try:
                member = archive.getinfo(f"{name}.npy")
                with archive.open(member) as file:
                    out[name] = _read_array(file, member.file_size, f"its array {name!r}")
            except (KeyError, OSError, zipfile.BadZipFile, NotImplementedError) as error:
                raise NotNumpy(f"it cannot be read ({error})") from error
            except RuntimeError as error:  # how zipfile says that a password is needed
                raise NotNumpy(f"it cannot be read ({error})") from error
            except Exception as error:
                if isinstance(error, ValueError):
                    raise
                raise NotNumpy(f"it cannot be read ({error})") from error
    return out


def _open_zip(path):
    refuse_pipe(path)
    with open(path, "rb") as file:
        start = file.read(6)
    if start == _MAGIC:
        raise NotNumpy("it is not an .npz archive: it holds a single array")
    if start[:2] != b"PK":
        raise NotNumpy("it cannot be read: its first bytes are not those of a NumPy file")
    try:
        archive = zipfile.ZipFile(path)
    except OSError:
        raise
    except Exception as error:  # damaged archives fail in many ways
        raise NotNumpy(f"it cannot be read ({error})") from error
    names = archive.namelist()
    if len(set(names)) < len(names):
        archive.close()
        raise NotNumpy("it holds two arrays of one name")
    return archive


def _read_array(file, size, what):
    """Read an array from an open file of a known size, if it is no larger than it may be."""
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        elif version == (2, 0):
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
        else:
            raise ValueError(f"its version {version} is not known")
    except Exception as error:  # the head is Python text, and its damage shows in many ways
        raise NotNumpy(f"it cannot be read: its first bytes are not NumPy's ({error})") from error
    if dtype.hasobject:
        raise NotNumpy(f"it cannot be read: {what} holds Python objects, which are never unpickled")
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > MAX_ARRAY_BYTES:
        raise ValueError(f"{what} holds {n_bytes:,} bytes, and the limit is {MAX_ARRAY_BYTES:,}")
    if min(shape, default=0) < 0 or n_bytes + file.tell() > size:
        raise NotNumpy(f"it cannot be read: {what} is cut short")
    file.seek(0)
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # zipfile, EOF and value errors: damaged files fail in many ways
        raise NotNumpy(f"it cannot be read ({error})") from error


def read_npy(path):
    """Read one array (n_frames, n_landmarks, n_coords)."""
    return checked(load_array(path), None, None)


def read_npz(path):
    """Read an array called ``world``, ``pose``, ``X`` or ``frames``, or the only one.

    Beside it may stand ``timestamps`` (n_frames,) in seconds, and ``landmarks`` and ``coords``,
    names as text.
    """
    known = array_names(path)
    beside = [name for name in ("timestamps", "landmarks", "coords") if name in known]
    poses = [name for name in known if name not in beside]
    pose = next((name for name in _ARRAY_NAMES if name in poses), None)
    if pose is None and len(poses) != 1:
        raise ValueError(
            f"its pose must be called one of {_ARRAY_NAMES}; it has {sorted(poses)[:20]}"
        )
    arrays = load_arrays(path, [pose or poses[0], *beside])
    names, coords = (_words(arrays.get(key)) for key in ("landmarks", "coords"))
    return checked(arrays[pose or poses[0]], arrays.get("timestamps"), names, coords)


def _words(array):
    """Names as text; a single text is no list of names."""
    if array is None or array.dtype.kind != "U" or array.ndim != 1:
        return None
    return tuple(array.tolist())


def write_npy(path, pose):
    """Write the array alone: times and names are lost."""
    with written(path) as file:
        np.save(file, pose.pose)


def write_npz(path, pose):
    """Write ``pose`` with ``timestamps``, ``landmarks`` and ``coords``, where they are known."""
    known = {"timestamps": pose.timestamps, "landmarks": pose.landmarks, "coords": pose.coords}
    known = {key: np.array(value) for key, value in known.items() if value is not None}
    with written(path) as file:
        np.savez_compressed(file, pose=pose.pose, **known)
