"""Files are written beside their place and moved there when they are whole."""

import os
import secrets
from contextlib import contextmanager
from pathlib import Path

__all__ = ["part_of", "written"]


def part_of(path):
    """Make an empty file beside another, under a name that nobody can have put a link at.

    Parameters
    ----------
    path : str or path-like
        Where the file is to be in the end; its folder must exist.

    Returns
    -------
    Path
        The empty file. Its name does not grow with that of `path`, which may be as long as names
        can be.

    Examples
    --------
    >>> import tempfile
    >>> from skrehab._written import part_of
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     part_of(folder + "/a.npz").suffix
    '.part'
    """
    part = Path(path).with_name(f".skrehab-{secrets.token_hex(8)}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return part


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
            yield file
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the name and not the content
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
