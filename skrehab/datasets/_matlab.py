"""The one array of numbers in a MATLAB file, if what it unpacks to fits into memory.

Files before 7.3 may be compressed, and a few kilobytes unpack to gigabytes; those of 7.3 are HDF5,
which may point at other files. Both are asked before anything is read.
"""

import io
import math
import struct
import zlib

import numpy as np

from skrehab._optional import require
from skrehab.formats._bounds import read_bytes

__all__ = ["MAX_BYTES", "read_matlab"]

MAX_BYTES = 256 * 2**20  # of a file, and of what it unpacks to
MAX_NAMES = 1000
_HDF5 = b"\x89HDF\r\n\x1a\n"
_COMPRESSED = 15
_NUMBERS = {
    "double",
    "single",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}


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
    from scipy.io import loadmat, whosmat

    _check_unpacked(content)
    try:
        heads = whosmat(io.BytesIO(content))
        numbers = [name for name, shape, kind in heads if kind in _NUMBERS and len(shape) > 1]
        _check_size(sum(8 * math.prod(shape) for _, shape, _ in heads))  # cells have pointers
        found = loadmat(io.BytesIO(content), variable_names=numbers) if numbers else {}
    except _Refused:
        raise
    except Exception as error:  # damaged files fail in many ways
        raise ValueError(f"it cannot be read ({error})") from error
    return [found[name].T for name in numbers], sorted(name for name, *_ in heads)


class _Refused(ValueError):
    """What is said in our own words."""


def _check_size(n_bytes):
    if n_bytes > MAX_BYTES:
        raise _Refused(f"it unpacks to {n_bytes:,} bytes, and the limit is {MAX_BYTES:,}")


def _check_unpacked(content):
    """Unpack a file of MATLAB 5 to 7 piece by piece, and stop where it would be too much."""
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        return  # of MATLAB 4, which packs nothing, or no such file
    place, left = 128, MAX_BYTES
    while place + 8 <= len(content):
        kind, size = struct.unpack(order + "II", content[place : place + 8])
        if kind == _COMPRESSED:
            unpack, piece = zlib.decompressobj(), content[place + 8 : place + 8 + size]
            try:
                while piece:
                    left -= len(unpack.decompress(piece, 2**20))
                    piece = unpack.unconsumed_tail
                    if left < 0:
                        raise ValueError(f"it unpacks to more than {MAX_BYTES:,} bytes")
            except zlib.error as error:
                raise ValueError(f"it cannot be read ({error})") from None
        place += 8 + size


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
