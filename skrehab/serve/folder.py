"""The folder that videos lie in while they are looked at, and what killed programs left of theirs.

A folder is known as one of ours by its name, its owner and a lock file in it. The lock ends with
the program that holds it, however that ends, and says so to programs in other containers too.
"""

import contextlib
import os
import re
import shutil
import stat
import tempfile
import time
from pathlib import Path

__all__ = ["private_folder"]

_LOCK = ".lock"
_YOUNG = 10  # seconds


@contextlib.contextmanager
def private_folder():
    """Make a folder that only this user may enter, and remove it with all that is in it.

    Folders of programs that were killed before they could are removed too.

    Yields
    ------
    Path
        The folder.

    Examples
    --------
    >>> from skrehab.serve.folder import private_folder
    >>> with private_folder() as folder:
    ...     oct(folder.stat().st_mode & 0o777), folder.is_dir()
    ('0o700', True)
    >>> folder.exists()
    False
    """
    parent = Path(tempfile.gettempdir())
    _remove_leftovers(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"skrehab-serve-{os.getpid()}-"))  # mode 0700
    with open(folder / _LOCK, "xb") as lock:
        _take(lock)
        try:
            videos = folder / "videos"
            videos.mkdir(mode=0o700)
            yield videos
        finally:
            lock.close()  # some systems remove no open file
            shutil.rmtree(folder, ignore_errors=True)


def _take(lock):
    """Take a lock, and tell whether nobody else has it; without locks, say that somebody does."""
    try:
        import fcntl
    except ImportError:  # Windows removes no folder on its own
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_leftovers(parent):
    if os.name != "posix":
        return
    for folder in parent.glob("skrehab-serve-*"):
        with contextlib.suppress(OSError):
            if _is_left(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder):
    """Tell whether a folder is ours and its program has ended."""
    match = re.fullmatch(r"skrehab-serve-(\d{1,10})-\w+", folder.name, flags=re.ASCII)
    status = folder.lstat()  # of a link, not of what it points to
    ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if not (match and ours and stat.S_IMODE(status.st_mode) == 0o700):
        return False
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:  # killed, or just begun, between two lines of private_folder
        return not _is_running(int(match[1]))
    with open(lock, "wb") as file:
        young = time.time() - status.st_mtime < _YOUNG  # it may be about to take its lock
        return _take(file) and not (young and _is_running(int(match[1])))


def _is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
