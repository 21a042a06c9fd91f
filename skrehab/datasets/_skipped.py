"""What a reader of many files leaves out: collected, and told once."""

import warnings
from pathlib import Path

_SHOWN = 10  # files in one message


class Skipped:
    """Files that do not fit, with reasons.

    Parameters
    ----------
    what : str
        The data set's name, for messages.
    root : path
        Its folder; files are named relative to it.
    """

    def __init__(self, what, root):
        self.what, self.root, self.found = what, root, []

    def add(self, file, reason):
        """Leave a file out."""
        file = Path(file)
        name = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        self.found.append((name.as_posix(), str(reason)))

    def report(self, n_read, strict, doubtful=()):
        """Raise if nothing was read, or if anything was left out and the caller is strict.

        Otherwise warn once, of what was left out and of what was read with a doubt.
        """
        if not n_read:
            detail = self._lines(self.found) or f"nothing in {self.root} has its layout."
            raise ValueError(f"{self.what}: no trial could be read from {self.root}: {detail}")
        if self.found and strict:
            raise ValueError(
                f"{self.what}: {len(self.found)} of {n_read + len(self.found)} trials do not fit; "
                f"strict=False leaves them out.{self._lines(self.found)}"
            )
        parts = []
        if self.found:
            parts.append(
                f"{len(self.found)} of {n_read + len(self.found)} trials are left out."
                + self._lines(self.found)
            )
        if doubtful:
            parts.append(f"{len(doubtful)} trials are doubtful.{self._lines(doubtful)}")
        if parts:
            warnings.warn(f"{self.what}: " + "\n".join(parts), UserWarning, stacklevel=3)

    @staticmethod
    def _lines(found):
        lines = [f"{name}: {reason}" for name, reason in found[:_SHOWN]]
        more = len(found) - _SHOWN
        return "".join(f"\n  {line}" for line in [*lines, *([f"and {more} more"] * (more > 0))])


def existing_folder(root, what):
    """Return the folder as a Path, or say that there is none."""
    root = Path(root)
    if not root.is_dir():
        raise FileNotFoundError(f"{what}: there is no folder {root}.")
    return root


def lost_is_nan(pose):
    """Mark joints at exactly (0, 0, 0) as lost: no sensor sees a joint inside itself."""
    pose[(pose == 0).all(axis=-1)] = float("nan")
    return pose
