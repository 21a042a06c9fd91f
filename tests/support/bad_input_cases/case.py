"""What a case is, and what came of it."""

import contextlib
import os
import signal
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from real_files import model_file

SECONDS = 60  # a case that takes longer hangs
NOBODY = 65534  # the number of a user without any right, on any Unix
_OPEN_FOLDERS = []  # they go when the program ends


@dataclass(frozen=True)
class Outcome:
    """``what`` is "right result", "clear error", "skipped" or "failed"; ``said`` tells more."""

    what: str
    said: str


@dataclass(frozen=True)
class Case:
    """One input and what must become of it.

    ``make(folder)`` returns the item, ``use(item)`` the result. Then either ``right(result)`` is
    true, or, without ``right``, there is an error of ``kind`` whose message holds each of
    ``names``, and the item's name if it is a path.
    """

    group: str
    name: str
    make: Callable
    use: Callable
    right: Callable | None = None
    kind: type | tuple = ValueError
    names: tuple = ()
    needs_model: bool = False

    def run(self, folder):
        """Return the Outcome."""
        if self.needs_model and model_file() is None:
            return Outcome("skipped", "no pose model file; `skrehab models fetch`")
        item = self.make(folder)
        if item is Unavailable:
            return Outcome("skipped", "this machine cannot make it")
        try:
            with _time_limit(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of one bad item among others: looked at below
                result = self.use(item)
        except Exception as error:
            return self._of_error(error, item)
        if self.right is None:
            return Outcome("failed", f"no error, but {_short(result)}")
        if not self.right(result):
            return Outcome("failed", f"a wrong result: {_short(result)}")
        return Outcome("right result", _short(result))

    def _of_error(self, error, item):
        text = " ".join(str(error).split())
        said = f"{type(error).__name__}: {text}"
        names = [*self.names, item.name] if isinstance(item, Path) else self.names
        unnamed = [name for name in names if " ".join(str(name).split()) not in text]
        if self.right is not None or not isinstance(error, self.kind) or unnamed:
            return Outcome("failed", said)
        return Outcome("clear error", said)


class Unavailable:
    """What ``make`` returns where the item cannot be made, for want of a codec for example."""


def battery():
    """Return an empty list of cases, and the function that adds one to it."""
    cases = []

    def case(*args, **more):
        cases.append(Case(*args, **more))

    return cases, case


def _short(result):
    if hasattr(result, "DESCR"):
        kind = f"of shape {result.X[0].shape}" if hasattr(result.X[0], "shape") else "a video"
        return f"{len(result.X)} trials, the first {kind}"
    if getattr(getattr(result, "dtype", None), "kind", "") == "O":
        result = list(result)
    shape = getattr(result, "shape", None)
    if shape is not None:
        return f"array {shape}"
    if isinstance(result, list | tuple) and result:
        first = result[0]
        if isinstance(first, tuple) and hasattr(first[-1], "shape"):
            return f"{len(result)} frames of shape {first[-1].shape}"
        if hasattr(first, "shape"):
            return f"{len(result)} arrays, the first of shape {first.shape}"
    return " ".join(str(result).split())


@contextlib.contextmanager
def _time_limit():
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_):
        raise TimeoutError(f"it hangs: stopped after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# --- ways to make bad files -----------------------------------------------------------------------
def content(name, data):
    """Make a file of these bytes."""

    def make(folder):
        (folder / name).write_bytes(data)
        return folder / name

    return make


def changed(make, change):
    """Make a file and change its bytes."""

    def make_and_change(folder):
        path = make(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make_and_change


def closed(make):
    """Make a file that nobody may read, in a folder that everybody may look into."""

    def make_and_close(_):
        _OPEN_FOLDERS.append(tempfile.TemporaryDirectory(prefix="skrehab-closed-"))
        folder = Path(_OPEN_FOLDERS[-1].name)
        folder.chmod(0o755)
        path = make(folder)
        path.chmod(0)
        return path

    return make_and_close


def without_rights(use):
    """Use an item as a user who is not its owner; root may read everything."""

    def use_it(item):
        if os.geteuid():
            return use(item)
        os.seteuid(NOBODY)
        try:
            return use(item)
        finally:
            os.seteuid(0)

    return use_it


def renamed(path, name):
    """Give a file another name in its folder."""
    os.replace(path, path.with_name(name))
    return path.with_name(name)


def folder_called(name):
    """Make a folder."""
    return lambda folder: (folder / name).mkdir() or folder / name


def link(name, to):
    """Make a symbolic link."""
    return lambda folder: (folder / name).symlink_to(to) or folder / name


def pipe(name):
    """Make a pipe to which nobody writes."""
    return lambda folder: os.mkfifo(folder / name) or folder / name


def nothing(name):
    """Name a file that is not there."""
    return lambda folder: folder / name


def rubbish(seed=0, size=5000):
    """Return random bytes."""
    import numpy as np

    return np.random.RandomState(seed).bytes(size)


def cut(share):
    """Keep this share of the bytes."""
    return lambda data: data[: int(share * len(data))]


def hole(data):
    """Overwrite the middle fifth with zeros."""
    start, size = 2 * len(data) // 5, len(data) // 5
    return data[:start] + bytes(size) + data[start + size :]


def warned(use, *texts):
    """Use an item, and demand warnings that hold these texts."""

    def use_it(item):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            result = use(item)
        said = " ".join(str(one.message) for one in found)
        missing = [text for text in texts if text not in said]
        if missing:
            raise AssertionError(f"no warning says {missing}; there are: {said}")
        return result

    return use_it
