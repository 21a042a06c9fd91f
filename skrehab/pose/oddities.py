"""What is odd about a video that can be read: which of its pictures is the film, and warnings.

Nothing here stops a video from being read; what would be silently wrong is said.
"""

import warnings
from fractions import Fraction

from .._optional import require

__all__ = ["Oddities", "choose_stream"]

# codecs of single pictures; a film of them is one only where nothing else is there
_STILLS = {"mjpeg", "png", "bmp", "gif", "webp", "tiff", "jpeg2000"}
_CAPTURE_RATE = "com.android.capture.fps"


def choose_stream(container, path):
    """Choose the film among the video streams of a file.

    Cover art and thumbnails are none. A stream that is flagged as the default counts, then the
    largest picture. In MP4 and QuickTime files the flag of the first stream says nothing: every
    program sets it.

    Parameters
    ----------
    container : av.container.InputContainer
        The open file.
    path : Path
        Its name, for the warning if there are several films.

    Returns
    -------
    av.video.stream.VideoStream or None
        The film; None where there is none.
    """
    flags = require("av.stream", None, "to read videos").Disposition
    pictures = flags.attached_pic | flags.timed_thumbnails | flags.still_image
    streams = list(container.streams.video)
    films = [s for s in streams if not s.disposition & pictures]
    if not films:
        # a file that calls its only moving stream a picture
        films = [s for s in streams if not s.disposition & flags.attached_pic]
    moving = [s for s in films if not _is_still(s)]
    candidates = moving or films
    if len(candidates) < 2:
        return candidates[0] if candidates else None
    is_mov = "mp4" in container.format.name.split(",")

    def rank(stream):
        flagged = bool(stream.disposition & flags.default)
        told = flagged and not (is_mov and stream is streams[0])
        return told, (stream.width or 0) * (stream.height or 0), stream.frames, -stream.index

    chosen = max(candidates, key=rank)
    shown = ", ".join(f"{s.width} x {s.height}" for s in candidates)
    warnings.warn(
        f"{path}: this file holds {len(candidates)} films ({shown}); read is stream "
        f"{chosen.index}, {chosen.width} x {chosen.height}.",
        UserWarning,
        stacklevel=5,
    )
    return chosen


def _is_still(stream):
    codec = stream.codec_context.name if stream.codec_context is not None else ""
    return stream.frames == 1 or (codec in _STILLS and not stream.frames)


class Oddities:
    """Warn of what a video's poses suffer from, each thing once.

    Parameters
    ----------
    path : Path
        The video.
    """

    def __init__(self, path):
        self._path, self._said, self._shape = path, set(), None

    def _warn(self, what, text):
        if what not in self._said:
            self._said.add(what)
            warnings.warn(f"{self._path}: {text}", UserWarning, stacklevel=4)

    def look_at_file(self, container, stream, rate, holds_another=False):
        """Warn of slow motion, whose times are longer than the movement was, and of a second film.

        Parameters
        ----------
        container : av.container.InputContainer
            The open file.
        stream : av.video.stream.VideoStream
            Its film.
        rate : float or None
            Frames a second that it plays.
        holds_another : bool, default=False
            Whether a second film stands behind it.
        """
        if holds_another:
            self._warn(
                "another",
                "a second video was put behind the first in this file, and only the first is read. "
                "Take the two files that it was made of.",
            )
        told = {**container.metadata, **stream.metadata}.get(_CAPTURE_RATE)
        try:
            captured = float(Fraction(str(told).strip()))
        except (ValueError, ZeroDivisionError):
            return
        if rate and captured > 1.1 * rate:
            self._warn(
                "slow motion",
                f"it was filmed at {captured:g} pictures a second and plays at {rate:.4g}: in this "
                f"slow motion, times are {captured / rate:.2g} times as long as the movement took.",
            )

    def look_at_frame(self, frame):
        """Warn of two half pictures in one, and of a picture that changes its size or shape.

        Parameters
        ----------
        frame : av.VideoFrame
            The next frame as decoded.
        """
        if getattr(frame, "interlaced_frame", False):
            self._warn(
                "interlaced",
                "its pictures are interlaced: what moves is seen twice, as a comb. Deinterlace it "
                "first, for example with FFmpeg's filter bwdif.",
            )
        shape = frame.width, frame.height
        if self._shape is not None and shape != self._shape:
            first, then = (f"{width} x {height}" for width, height in (self._shape, shape))
            same = self._shape[0] * shape[1] == self._shape[1] * shape[0]
            self._warn(
                "size",
                f"its picture changes from {first} to {then} and is scaled to the first size"
                + ("." if same else ", which stretches the body. Cut the video there."),
            )
        self._shape = self._shape or shape
