"""A video on its way in: counted while it comes, written under a name chosen here, then opened."""

import re

from skrehab.pose import VideoError

from .bodies import BadUpload, pieces
from .jobs import name_in
from .process import ProcessEnded

__all__ = ["SUFFIXES", "check_kind", "receive", "shown_name"]

SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".wmv", ".3gp")
# What a video of these kinds starts with, and where. FFmpeg looks at more: playlists and session
# descriptions, which name other files and addresses, must not come as far as that.
_STARTS = (
    (4, (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")),  # MP4, QuickTime
    (0, (b"\x1a\x45\xdf\xa3",)),  # Matroska, WebM
    (0, (b"RIFF",)),  # AVI
    (0, (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"G")),  # MPEG
    (0, (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",)),  # Windows Media
)


def shown_name(name):
    """Reduce the name of a file to what may be shown: no folders, no control characters.

    Parameters
    ----------
    name : str
        What the browser says.

    Returns
    -------
    str
        At most 100 characters.

    Examples
    --------
    >>> from skrehab.serve.uploads import shown_name
    >>> shown_name("../../etc/monday.mp4"), shown_name("C:\\\\films\\\\a\\n.mp4"), shown_name("")
    ('monday.mp4', 'a.mp4', 'video')
    """
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip()
    if len(name) > 100:
        return f"{name[:80]}…{name[-19:]}"
    return name or "video"


def check_kind(name, start=None):
    """Refuse what does not call itself a video, or does not start like one.

    Parameters
    ----------
    name : str
        Name of the file.
    start : bytes, optional
        Its first 16 bytes; None looks at the name only.

    Returns
    -------
    str
        Its suffix, one of `SUFFIXES`.

    Raises
    ------
    BadUpload
        With status 415.

    Examples
    --------
    >>> from skrehab.serve.uploads import check_kind
    >>> check_kind("Monday.MP4", b"....ftypisom....")
    '.mp4'
    >>> check_kind("notes.txt")
    Traceback (most recent call last):
    ...
    skrehab.serve.bodies.BadUpload: notes.txt is not a video that is known here. Choose ...
    """
    suffix = next((known for known in SUFFIXES if name.lower().endswith(known)), None)
    if suffix is None:
        raise BadUpload(
            415,
            f"{name} is not a video that is known here. Choose a file that ends in "
            f"{', '.join(SUFFIXES)}.",
        )
    if start is not None and not any(
        start[at : at + len(one)] == one for at, kinds in _STARTS for one in kinds
    ):
        raise BadUpload(
            415,
            f"{name} is called a video, but does not start like one: it is damaged or of another "
            "kind. Check that it plays, or copy it again.",
        )
    return suffix


async def receive(request, job, most_bytes, probe):
    """Write the body of a request to a job's file, and see whether it is a video.

    Parameters
    ----------
    request : starlette.requests.Request
        Its body is the video.
    job : Job
        Where it goes.
    most_bytes : int
        What is refused as too large, however it comes.
    probe : callable
        Takes the path, returns the number of frames; :meth:`PoseProcess.probe`.

    Raises
    ------
    BadUpload
        If it is too large, too slow, empty or no video, or there is no room for it; the message has
        the user's name for it.
    """
    from starlette.concurrency import run_in_threadpool

    size, start, checked = 0, b"", False
    try:
        with open(job.path, "xb") as file:
            async for part in pieces(request, most_bytes):
                size += len(part)
                if not checked:
                    start += part[: 16 - len(start)]
                    if len(start) == 16:
                        checked = bool(check_kind(job.name, start))
                file.write(part)
    except OSError as error:
        raise BadUpload(
            507,
            f"{job.name} cannot be kept on this disk while it is analysed ({error.strerror}). Make "
            "room for it, or set TMPDIR to a folder with more.",
        ) from error
    if not size:
        raise BadUpload(415, f"{job.name} is empty (0 bytes). Copy it again from its source.")
    if not checked:
        check_kind(job.name, start)
    try:
        job.total = await run_in_threadpool(probe, job.path)
    except (VideoError, ProcessEnded) as error:
        raise BadUpload(415, name_in(str(error), job)) from error
