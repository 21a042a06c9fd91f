"""The one array of numbers in a MATLAB file, if what it unpacks to fits into memory.

Files of MATLAB 5 to 7.2 may be compressed, and a few kilobytes unpack to gigabytes; those of 7.3
are HDF5, which may point at other files. Both are asked before anything is read.
"""

import io
import math
import struct
import zlib
from itertools import islice

import numpy as np

from skrehab._optional import require
from skrehab.formats._bounds import read_bytes

__all__ = ["MAX_BYTES", "read_matlab"]

MAX_BYTES = 256 * 2**20  # of a file, and of what it unpacks to
MAX_NAMES = 1000
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATRIX, _COMPRESSED = 14, 15
_COMPLEX, _LOGICAL = 1 << 11, 1 << 9
_TYPES = ("i1", "u1", "i2", "u2", "i4", "u4")
_NUMBERS = dict(enumerate(("f8", "f4", *_TYPES, "i8", "u8"), start=6))  # by class of the array
_STORED = dict(enumerate(_TYPES, start=1)) | {7: "f4", 9: "f8", 12: "i8", 13: "u8"}


def read_matlab(file):
    """Read the arrays of a ``.mat`` file that hold numbers.

    Parameters
    ----------
    file : Path
        The file.

    Returns
    -------
    arrays : list of ndarray
        Those of at least two dimensions, MATLAB's first axis last.
    names : list of str
        All that it holds.

    Raises
    ------
    ImportError
        If it is of MATLAB 7.3 and h5py is missing.
    ValueError
        If it is too large, damaged, or points at other files.
    """
    content = read_bytes(file, MAX_BYTES, "a MATLAB file of one recording")
    if _HDF5 in content[:1024]:  # MATLAB writes 512 bytes of its own before it
        return _read_hdf5(content)
    return _read_mat5(content)


class _Refused(ValueError):
    """What is said in our own words."""


def _check_size(n_bytes):
    if n_bytes > MAX_BYTES:
        raise _Refused(f"it unpacks to {n_bytes:,} bytes, and the limit is {MAX_BYTES:,}")


# --- MATLAB 5 to 7.2 ------------------------------------------------------------------------------
# Read here and not by scipy.io.loadmat, which a file with a wrong byte can end with a bus error.
def _read_mat5(content):
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        raise ValueError("it cannot be read (it is no file of MATLAB 5 or later)")
    arrays, names, left = [], [], MAX_BYTES
    try:
        for kind, piece in _elements(memoryview(content)[128:], order):
            if kind == _COMPRESSED:
                unpack = zlib.decompressobj()
                piece = unpack.decompress(piece, left + 1)
                left -= len(piece)
                if left < 0:
                    raise _Refused(f"it unpacks to more than {MAX_BYTES:,} bytes")
                kind, piece = next(_elements(memoryview(piece), order))
            if kind != _MATRIX:
                raise ValueError(f"an element of kind {kind}")
            name, array = _matrix(piece, order)
            names.append(name)
            if array is not None:
                arrays.append(array.T)  # MATLAB's first axis is HDF5's last
    except _Refused:
        raise
    except (StopIteration, IndexError, ValueError, struct.error, zlib.error) as error:
        raise ValueError(f"it cannot be read (damaged: {error})") from error
    return arrays, sorted(names)


def _elements(content, order):
    """Yield (kind, bytes) of the elements that lie end to end; short ones fit into their tag."""
    place = 0
    while place + 8 <= len(content):
        kind, size = struct.unpack_from(order + "II", content, place)
        if kind >> 16:
            kind, size, start, end = kind & 0xFFFF, kind >> 16, place + 4, place + 8
            if size > 4:
                raise ValueError("a short element of more than 4 bytes")
        else:
            start, end = place + 8, place + 8 + size
        if start + size > len(content):
            raise ValueError("an element is cut off")
        yield kind, content[start : start + size]
        place = end if kind == _COMPRESSED else end + -end % 8


def _matrix(content, order):
    """Name of a variable, and its array if that is of real numbers."""
    elements = _elements(content, order)
    (_, flags), (_, sizes), (_, name) = islice(elements, 3)
    flags = struct.unpack_from(order + "I", flags)[0]
    shape = np.frombuffer(sizes, dtype=order + "i4").tolist()
    name = bytes(name).decode("ascii", errors="replace")
    if flags & 0xFF not in _NUMBERS or flags & _COMPLEX or flags & _LOGICAL or len(shape) < 2:
        return name, None
    kind, values = next(elements)
    if kind not in _STORED or min(shape) < 0:
        raise ValueError(f"numbers of kind {kind}, shape {shape}")
    stored = np.frombuffer(values, dtype=order + _STORED[kind])
    if math.prod(shape) != len(stored):
        raise ValueError(f"{len(stored):,} numbers, and the shape is {tuple(shape)}")
    # small whole numbers are stored as such, whatever the class
    return name, stored.astype(_NUMBERS[flags & 0xFF]).reshape(shape, order="F")


# --- MATLAB 7.3 -----------------------------------------------------------------------------------
def _read_hdf5(content):
    h5py = require("h5py", "uwa3d", "to read files of MATLAB 7.3")
    try:
        with h5py.File(io.BytesIO(content), "r") as opened:
            if len(opened) > MAX_NAMES:
                raise _Refused(f"it holds {len(opened):,} names, and the limit is {MAX_NAMES:,}")
            found, names = [], []
            for name in opened:
                if not isinstance(opened.get(name, getlink=True), h5py.HardLink):
                    raise _Refused(f"{name!r} points at another place or file")
                item = opened[name]
                if not isinstance(item, h5py.Dataset):
                    continue
                names.append(name)
                if item.dtype.kind in "fiu" and item.ndim > 1:
                    _check_stored(item, h5py)
                    found.append(item)
            _check_size(sum(item.size * item.dtype.itemsize for item in found))
            return [np.asarray(item) for item in found], sorted(names)
    except _Refused:
        raise
    except Exception as error:  # of the same many kinds
        raise ValueError(f"it cannot be read ({error})") from error


def _check_stored(item, h5py):
    """Refuse an array that lies elsewhere, or of which a piece unpacks to more than it may."""
    if item.external or item.is_virtual:
        raise _Refused(f"{item.name!r} lies in another file")
    if item.chunks is None:
        return
    made = item.id.get_create_plist()
    filters = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    known = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
    if set(filters) - known or len(set(filters)) < len(filters):
        raise _Refused(f"{item.name!r} is packed in a way that MATLAB does not use")
    size = math.prod(item.chunks) * item.dtype.itemsize
    _check_size(size)
    if h5py.h5z.FILTER_DEFLATE in filters:
        for i in range(item.id.get_num_chunks()):
            place = item.id.get_chunk_info(i).chunk_offset
            _, piece = item.id.read_direct_chunk(place)
            if len(zlib.decompressobj().decompress(piece, size + 1)) > size:
                raise _Refused(f"a piece of {item.name!r} unpacks to more than its {size:,} bytes")
