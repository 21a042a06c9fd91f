"""NumPy's .npz archives: only the arrays that are asked for are unpacked, and only if they fit.

A few kilobytes of .npz can unpack to gigabytes. The archive's directory and the head of each array
say how much it would be; both are asked before anything is unpacked. Arrays of Python objects are
pickles, and are refused.
"""

import math
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np

__all__ = ["MAX_BYTES", "check_npy", "open_npz"]

MAX_BYTES = 2 * 2**30  # of all arrays that are read from one file
_HEADS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@contextmanager
def open_npz(path, most=MAX_BYTES):
    """Open an archive of arrays.

    Parameters
    ----------
    path : str or path-like
        The file.
    most : int, default=MAX_BYTES
        Bytes that may be unpacked in all.

    Yields
    ------
    NpzArrays
        Its ``names``, and ``read(name)``.

    Raises
    ------
    OSError
        If there is no such file.
    ValueError
        If it is no such archive, an array is larger, damaged, or holds Python objects.
    """
    with open(path, "rb") as file:
        start = file.read(6)
        if start == b"\x93NUMPY":
            raise ValueError("it holds a single array")
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as archive:
                yield NpzArrays(archive, most)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError) as error:
            raise ValueError(str(error)) from error


class NpzArrays:
    """The arrays of an open archive."""

    def __init__(self, archive, most):
        self._archive, self._most, self._left = archive, most, most
        self._members = {}
        for member in archive.infolist():
            if member.filename in self._members:
                raise ValueError(f"it holds {member.filename!r} twice")
            self._members[member.filename] = member

    @property
    def names(self):
        """Names of the arrays, without the ending .npy."""
        return [name.removesuffix(".npy") for name in self._members if name.endswith(".npy")]

    def read(self, name):
        """Unpack one array.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        ndarray
            The array.
        """
        member = self._members[f"{name}.npy"]
        if member.flag_bits & 1:
            raise ValueError(f"{name} is encrypted")
        try:
            with self._archive.open(member) as file:
                self._left -= _declared(file, name, member.file_size, self._left, self._most)
            with self._archive.open(member) as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        except (EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError(f"{name} is damaged: {error}") from error


def check_npy(path, most=MAX_BYTES):
    """Check that a .npy file holds the numbers that its head declares, and no objects.

    Parameters
    ----------
    path : str or path-like
        The file.
    most : int, default=MAX_BYTES
        Bytes that the array may have.

    Raises
    ------
    ValueError
        If it is such a file and does not.
    """
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            return  # whoever reads it says what is wrong
        size = file.seek(0, 2)
        file.seek(0)
        _declared(file, "the array", size, most, most)


def _declared(file, name, size, left, most):
    """Bytes of the array by its own head, which must be those that are there."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADS:
        raise ValueError(f"{name} is of version {version} of the format")
    shape, _, dtype = _HEADS[version](file)
    if dtype.hasobject:
        raise ValueError(
            f"Object arrays are pickles, which are not read: {name} holds Python objects"
        )
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_bytes > left:
        raise ValueError(f"{name} would take {n_bytes} bytes of memory, more than {most}")
    if n_bytes > size:
        raise ValueError(f"{name} should have {n_bytes} bytes, and there are {size}")
    return n_bytes
