"""Files are written beside their place and moved there when they are whole."""

import hashlib
import os
import unicodedata
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which itself refuses to take over a file that is open
    fcntl = None

__all__ = ["LONGEST_NAME", "output_name", "output_names", "part_of", "written"]

LONGEST_NAME = 255  # bytes, on the disks that are in use
_RESERVED = {"CON", "PRN", "AUX", "NUL"}
_RESERVED |= {f"{port}{i}" for port in ("COM", "LPT") for i in range(1, 10)}


def output_name(folder, item, ending):
    """Name what is written of an item, or say before the work why there can be no such name.

    Parameters
    ----------
    folder : Path
        Where it is to be written; nothing is ever named outside of it.
    item : Path
        A video or the like.
    ending : str
        What follows the item's name without its own ending.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If no file can have that name, here or on another system.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skrehab._written import output_name
    >>> output_name(Path("poses"), Path("../videos/a.mp4"), ".npz").as_posix()
    'poses/a.npz'
    """
    name = item.stem + ending
    if not item.name or item.name == ".." or "\0" in name:
        raise ValueError(f"{str(item)!r} names no file.")
    if len(os.fsencode(name)) > LONGEST_NAME:
        raise ValueError(f"{item}: with {ending} in place of its ending the name is too long.")
    if item.stem.partition(".")[0].rstrip(" ").upper() in _RESERVED:
        raise ValueError(f"{item}: Windows takes {name} for a device; rename it.")
    return folder / name


def output_names(folder, items, ending):
    """Name one file for each of several items; two of the same name are refused.

    Parameters
    ----------
    folder, ending
        As for :func:`output_name`.
    items : sequence of Path
        Videos or the like.

    Returns
    -------
    dict of Path to Path
        The file of each item.

    Raises
    ------
    ValueError
        If two files would have one name, also on disks that know no difference between a and A, or
        between two ways to write é.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skrehab._written import output_names
    >>> output_names(Path("poses"), [Path("a.mp4"), Path("A.mov")], ".npz")
    Traceback (most recent call last):
    ...
    ValueError: Two videos would be written to poses/A.npz: rename A.mov.
    """
    out, taken = {}, set()
    for item in items:
        file = output_name(folder, item, ending)
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", file.name).casefold())
        if key in taken:
            raise ValueError(f"Two videos would be written to {file}: rename {item}.")
        taken.add(key)
        out[item] = file
    return out


def part_of(path):
    """Make an empty file beside another; what a broken-off run left there is taken over.

    What is at that name is removed and not written through, should it be a link. A file that
    another process is writing with :func:`written` stays, and this one gets another name.

    Parameters
    ----------
    path : str or path-like
        Where the file is to be in the end; its folder must exist.

    Returns
    -------
    Path
        The empty file, with the ending ``.part``. Where that is too long, or in use, its name is
        another.

    Examples
    --------
    >>> import tempfile
    >>> from skrehab._written import part_of
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     part_of(folder + "/a.npz").name
    'a.npz.part'
    """
    path = Path(path)
    others = (f".{os.getpid()}-{number}.part" for number in count())
    for ending in chain([".part"], others):
        name = path.name + ending
        if len(os.fsencode(name)) > LONGEST_NAME:
            name = hashlib.sha256(os.fsencode(path.name)).hexdigest() + ending
        part = path.with_name(name)
        if not _in_use(part):
            break
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return part


def _in_use(part):
    """Whether somebody who is alive is writing a file; those who were killed hold no lock."""
    if fcntl is None:
        return False
    try:
        file = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # nothing there, or a link
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a disk without locks
        return False
    finally:
        os.close(file)
    return False


def _hold(file):
    """Let other processes know that a file is being written, until it is closed."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def written(path, text=False):
    """Write a file that appears whole or not at all.

    A link at `path` is replaced and never followed. What was there stays as it was until the new
    file is complete.

    Parameters
    ----------
    path : str or path-like
        The file.
    text : bool, default=False
        Whether it is UTF-8 text; line breaks are written as they are.

    Yields
    ------
    file object
        To write to.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab._written import written
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written(folder + "/a.txt", text=True) as file:
    ...         _ = file.write("whole")
    ...     pathlib.Path(folder, "a.txt").read_text()
    'whole'
    """
    part = part_of(path)
    try:
        how = {"mode": "w", "encoding": "utf-8", "newline": ""} if text else {"mode": "wb"}
        with open(part, **how) as file:
            _hold(file)
            yield file
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name and not the content
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
