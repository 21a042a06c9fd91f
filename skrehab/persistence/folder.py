"""The files of a model folder: looked at before they are read, and never followed elsewhere.

``model.json`` and ``weights.safetensors`` must be plain files of a bounded size that lie in the
folder themselves: a link, a pipe or a device is refused. What JSON allows and nobody needs (keys
twice, NaN, nesting without end) is refused too.
"""

import json
import math
import os
import stat
from contextlib import contextmanager
from pathlib import Path

from skrehab.persistence.checking import Tensor
from skrehab.persistence.kinds import shown
from skrehab.persistence.metadata import check_metadata

__all__ = ["MAX_JSON_BYTES", "MAX_WEIGHT_BYTES", "open_plain", "read_metadata"]

FORMAT, FORMAT_VERSION = "skrehab-model", 2  # version 1 does not say which weights it goes with
#: Largest file of settings that is read.
MAX_JSON_BYTES = 8 * 2**20
#: Largest file of weights that is read.
MAX_WEIGHT_BYTES = 4 * 2**30
MAX_CARD_BYTES = 2**20
MAX_HEAD_BYTES = 4 * 2**20  # of the weights: some 30,000 arrays
MAX_NESTING = 100
# kind and bytes of the numbers that numpy and safetensors share
_DTYPES = {
    "BOOL": ("b", 1), "U8": ("u", 1), "I8": ("i", 1), "U16": ("u", 2), "I16": ("i", 2),
    "U32": ("u", 4), "I32": ("i", 4), "U64": ("u", 8), "I64": ("i", 8),
    "F16": ("f", 2), "F32": ("f", 4), "F64": ("f", 8),
}  # fmt: skip


@contextmanager
def open_plain(file, limit):
    """Open a plain file of a bounded size for reading, and nothing else.

    Parameters
    ----------
    file : pathlib.Path
        File.
    limit : int
        Most bytes it may have.

    Yields
    ------
    file object
        Binary.

    Raises
    ------
    ValueError
        If it is not there, is a link, a pipe or a device, or is larger.
    """
    if file.is_symlink():
        raise ValueError(
            f"{file} is a link to elsewhere. A model's files must lie in its folder: copy the file "
            "there."
        )
    # a pipe or device that took the file's place would block or do something when it is opened
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        there = file.is_file()
    except OSError:  # a link to itself above it
        there = False
    if not there:
        raise ValueError(f"{file.parent} is not a skrehab model: there is no {file.name} in it.")
    with open(os.open(file, flags), "rb") as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{file} is not a plain file.")
        if status.st_size > limit:
            raise ValueError(f"{file} is too large for a model: {status.st_size} bytes.")
        yield opened


# --- model.json -----------------------------------------------------------------------------------
def read_tree(file):
    """Read ``model.json`` and check its outermost entries and its metadata."""
    with open_plain(file, MAX_JSON_BYTES) as opened:
        data = opened.read(MAX_JSON_BYTES + 1)
    try:
        tree = strict_json(data)
    except (ValueError, RecursionError) as error:  # brackets can be nested without end
        raise ValueError(f"{file} is damaged: {error}") from error
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ValueError(f"{file} is not a skrehab model.")
    if type(tree.get("format_version")) is not int or tree["format_version"] not in (1, 2):
        raise ValueError(
            f"{file} has format version {shown(tree.get('format_version'))}; this skrehab reads "
            f"1 and {FORMAT_VERSION}. It was written by skrehab {shown(tree.get('skrehab'))[1:-1]}."
        )
    expected = {"format", "format_version", "skrehab", "metadata", "estimator"}
    expected |= {"weights_sha256"} if tree["format_version"] == 2 else set()
    if set(tree) != expected:
        raise ValueError(f"{file} has unexpected entries: {shown(sorted(set(tree) ^ expected))}.")
    try:
        check_metadata(tree["metadata"])
        if not isinstance(tree.get("weights_sha256", ""), str):
            raise TypeError("weights_sha256 is no text")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from error
    return tree


def read_metadata(path):
    """Read what was noted about a model.

    Parameters
    ----------
    path : str or path-like
        A model folder.

    Returns
    -------
    dict
        The metadata given to :func:`skrehab.save`. What the program itself reads of them is
        checked: ``labels`` is a list of names, ``frame_rate`` a number from 0.001 to 1000, or
        either is None.

    Raises
    ------
    ValueError
        If the folder is not a model, or its metadata are not what they should be.
    """
    return read_tree(Path(path) / "model.json")["metadata"]


def strict_json(data):
    """Parse JSON; keys twice, NaN, infinities and deep nesting are errors.

    Parameters
    ----------
    data : bytes
        UTF-8.

    Returns
    -------
    object
        What it says.
    """
    tree = json.loads(
        data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_constant, parse_float=_finite
    )
    level, depth = [tree], 0
    while level:
        depth += 1
        if depth > MAX_NESTING:
            raise ValueError(f"it is nested more than {MAX_NESTING} deep")
        inner = []
        for one in level:
            if isinstance(one, dict | list):
                inner += one.values() if isinstance(one, dict) else one
        level = inner
    return tree


def _once(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"it names {shown(twice)} twice")
    return found


def _constant(text):
    raise ValueError(f"it holds {text}, which is not JSON")


def _finite(text):
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it holds {shown(text)}, which is beyond the largest number")
    return value


# --- weights.safetensors --------------------------------------------------------------------------
def read_head(file):
    """Read what the weights say they hold, and check it against the file's size.

    Parameters
    ----------
    file : pathlib.Path
        ``weights.safetensors``.

    Returns
    -------
    dict of str to Tensor
        Kind of numbers and shape of each array.

    Raises
    ------
    ValueError
        If the head is damaged, longer than some 30,000 arrays need, or not about this file.
    """
    with open_plain(file, MAX_WEIGHT_BYTES) as opened:
        size = os.fstat(opened.fileno()).st_size
        length = int.from_bytes(opened.read(8), "little")
        if size < 8 or not 2 <= length <= min(size - 8, MAX_HEAD_BYTES):
            raise ValueError(
                f"{file} is damaged: its head of {length} bytes does not fit a file of {size} "
                f"(at most {MAX_HEAD_BYTES})."
            )
        head = opened.read(length)
    try:
        return _tensors(strict_json(head), size - 8 - length)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is damaged: {error}") from error


def _tensors(entries, size):
    if not isinstance(entries, dict):
        raise ValueError("its head is no dict")
    entries.pop("__metadata__", None)
    tensors, spans = {}, []
    for name, entry in entries.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"{shown(name)} is no array")
        dtype, shape, span = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or dtype not in _DTYPES:
            raise ValueError(f"{shown(name)} has numbers of an unknown kind: {shown(dtype)}")
        whole = isinstance(shape, list) and isinstance(span, list)
        if not whole or not all(type(one) is int and one >= 0 for one in [*shape, *span]):
            raise ValueError(f"{shown(name)} has no shape or place of whole numbers")
        if len(shape) > 8 or len(span) != 2:
            raise ValueError(f"{shown(name)} has {len(shape)} dimensions")
        numbers, n_bytes = _DTYPES[dtype]
        if span[1] - span[0] != math.prod(shape) * n_bytes:
            raise ValueError(f"{shown(name)} takes other bytes than its shape {shown(shape)} says")
        tensors[name] = Tensor(numbers, tuple(shape), dtype)
        spans.append(span)
    at = 0
    for begin, end in sorted(spans):
        if begin != at:
            raise ValueError("its arrays overlap or leave gaps")
        at = end
    if at != size:
        raise ValueError(f"its arrays take {at} bytes, and there are {size}")
    return tensors
