"""Names of files as people type them, looked up before anything heavy is imported."""

import glob
import os
import re
import warnings
from pathlib import Path

from skrehab._shown import shown
from skrehab.datasets._video_names import VIDEO_SUFFIXES

__all__ = ["check_file", "check_model", "check_new", "check_place", "expanded", "find_videos"]

_MANY = 20  # names in a message
_PATTERN = re.compile(r"[*?\[]")


def expanded(value):
    """Put the home folder in place of ``~``, which no shell does after ``--output=``.

    Parameters
    ----------
    value : Path, list of Path or None
        What was typed.

    Returns
    -------
    Path, list of Path or None
        The same kind.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skrehab.cli._paths import expanded
    >>> expanded(Path("~/clips")) == Path.home() / "clips"
    True
    """
    if isinstance(value, list | tuple):
        return [expanded(one) for one in value]
    try:
        return value.expanduser() if isinstance(value, Path) else value
    except RuntimeError:  # ~nobody: a file may be called so
        return value


def find_videos(paths):
    """Find the videos that are meant: files, all videos of folders, and patterns.

    Parameters
    ----------
    paths : sequence of Path
        Files; folders, of which every video is taken and no folder inside; patterns such as
        ``clips/*.mp4``, which some shells pass on as they are. A file that exists is no pattern,
        whatever its name.

    Returns
    -------
    list of Path
        Each once, those of a folder or a pattern in the order in which people count. A name of no
        file is among them where there are others: it fails when its turn comes, and costs no other.

    Raises
    ------
    FileNotFoundError
        If nothing is there, or a folder or pattern holds no video; all such are named.

    Warns
    -----
    UserWarning
        If folders inside a folder hold videos, too.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.cli._paths import find_videos
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = pathlib.Path(name)
    ...     for i in (10, 9):
    ...         (folder / f"clip{i}.mp4").touch()
    ...     [video.name for video in find_videos([folder])]
    ['clip9.mp4', 'clip10.mp4']
    """
    found, problems, gone = {}, [], {}
    for path in paths:
        if path.is_dir():
            inside = [one for one in path.iterdir() if _is_video(one)]
            deeper = sorted(one.name for one in path.iterdir() if _holds_videos(one))
            if not inside:
                where = f"; there are some in {', '.join(deeper[:5])}" if deeper else ""
                known = " ".join(VIDEO_SUFFIXES)
                problems.append(f"{path} is a folder without videos ({known}){where}")
            elif deeper:
                more = ", ..." if len(deeper) > 5 else ""
                warnings.warn(
                    f"{path}: folders in it hold videos, too, which are not taken: "
                    f"{', '.join(deeper[:5])}{more}. Name them, or give a pattern such as "
                    f"'{path}/**/*.mp4'.",
                    UserWarning,
                    stacklevel=2,
                )
        elif os.path.lexists(path):
            inside = [path]
        else:
            inside = [Path(one) for one in _matching(path)]
            if not inside and _PATTERN.search(str(path)):
                problems.append(f"no file matches {path}")
            elif not inside:
                inside, gone[os.path.abspath(path)] = [path], f"there is no file {path}"
        # the same file may be named twice, by itself and by its folder
        for one in sorted(inside, key=_counted):
            found.setdefault(os.path.abspath(one), one)
    if problems or len(gone) == len(found):  # nothing was begun that could be lost
        problems += gone.values()
    if problems:
        more = f"\nand {len(problems) - _MANY} more" if len(problems) > _MANY else ""
        raise FileNotFoundError("\n".join(problems[:_MANY]) + more)
    return list(found.values())


def check_file(path, what):
    """Refuse a file that is not there, or is a folder.

    Parameters
    ----------
    path : Path or None
        The file; None is none to check.
    what : str
        What it is for, as in "there is no manifest ...".

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    if path is None or path.is_file():
        return
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder, and {what} is a file.")
    raise FileNotFoundError(f"There is no {what} {path}.")


def check_model(path):
    """Refuse a folder that is no model.

    Parameters
    ----------
    path : Path
        The folder.

    Raises
    ------
    FileNotFoundError
        If it is not there, or holds no model.
    """
    if (path / "model.json").is_file():
        return
    if not path.exists():
        raise FileNotFoundError(f"There is no model folder {path}.")
    hint = ""
    if path.is_dir() and any(path.glob("*/model.json")):
        inside = sorted(one.parent.name for one in path.glob("*/model.json"))
        hint = f" In it are models, though: {', '.join(map(shown, inside[:5]))}."
    elif path.name == "model.json":
        hint = f" Name its folder: {path.parent}."
    raise FileNotFoundError(
        f"{path} is no model: a folder with model.json, as 'skrehab train' makes it.{hint}"
    )


def check_new(paths, overwrite):
    """Refuse to write over what is there, unless that is wanted.

    Parameters
    ----------
    paths : sequence of Path
        What is to be written.
    overwrite : bool
        Whether it may be there.

    Raises
    ------
    FileExistsError
        If any of it is there; all are named, up to ten.
    """
    there = [] if overwrite else [path for path in paths if os.path.lexists(path)]
    if not there:
        return
    more = f" and {len(there) - 10} more" if len(there) > 10 else ""
    raise FileExistsError(
        f"{', '.join(map(str, there[:10]))}{more} exist{'s' * (len(there) == 1)} already: "
        "--overwrite replaces it, or choose another folder."
    )


def check_place(folder):
    """Refuse, before the work, a folder that cannot be made or written to after it.

    Parameters
    ----------
    folder : Path or None
        What will be made, or is there; None is none to check.

    Raises
    ------
    NotADirectoryError
        If a file is in the way.
    PermissionError
        If nothing may be written there.
    """
    if folder is None:
        return
    place = folder.absolute()
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise NotADirectoryError(f"{folder} cannot be written: {place} is no folder.")
    if not os.access(place, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written: there is no permission for {place}.")


def _matching(path):
    pattern = str(path)
    if not _PATTERN.search(pattern):
        return []
    return [one for one in glob.glob(pattern, recursive=True) if os.path.isfile(one)]


def _is_video(path):
    return (
        path.suffix.lower() in VIDEO_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )


def _holds_videos(path):
    try:
        hidden = path.name.startswith(".")
        return path.is_dir() and not hidden and any(map(_is_video, path.iterdir()))
    except OSError:  # a folder that nobody may open
        return False


def _counted(path):
    """Order clip9 before clip10."""
    parts = re.split("([0-9]+)", path.name.casefold())  # every other one is a number
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], str(path)
