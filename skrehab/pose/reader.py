"""Read videos: upright RGB frames with the times at which a player would show them.

PyAV decodes, frame by frame, so a long video never sits in memory. Every failure is a
:class:`VideoError` that names the file.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._optional import require
from .endings import ends_early, ends_in_a_packet, holds_another
from .oddities import Oddities, choose_stream
from .picture import MAX_PIXELS, VideoError, orientation, size_fault, turn_upright
from .resampling import resample_frames

__all__ = ["VideoError", "VideoInfo", "probe_video", "read_frames", "resample_frames"]

# Two frames closer than this are "the same time": MediaPipe counts in whole milliseconds.
_TICK = 1e-3

# No time of a real file is later; players' clocks end about there.
_LATEST = 1e10

# Frame rates that a file may state; beyond, it is taken to state none.
_SLOWEST, _FASTEST = 1e-3, 1e4

# A few lines of text can be a "video" that names other files or addresses. No address is ever
# called, and no file is read but the one that was given.
_LOCAL = {"protocol_whitelist": "file"}
_DECODER = {"max_pixels": str(MAX_PIXELS)}
_LISTS = {"concat", "hls", "applehttp", "dash", "imf"}


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself.

    Parameters
    ----------
    path : Path
        The file.
    width, height : int
        Size of the upright picture in pixels, after rotation and with square pixels.
    rotation : int
        Quarter turns that the file asks for, in degrees counter-clockwise: 0, 90, 180 or 270.
    fps : float
        Average frame rate that the file states; 0 where it states none.
    duration : float
        Length in seconds that the file states; 0 where it states none.
    n_frames : int
        Number of frames that the file states; 0 where it states none.
    codec : str
        Name of the codec.

    Examples
    --------
    >>> from skrehab.pose import probe_video
    >>> probe_video("clip.mp4").fps  # doctest: +SKIP
    30.0
    """

    path: Path
    width: int
    height: int
    rotation: int
    fps: float
    duration: float
    n_frames: int
    codec: str


def probe_video(path):
    """Tell size, rotation, frame rate and length of a video without reading all of it.

    The first frame is decoded, so a file without any readable picture is found here.

    Parameters
    ----------
    path : str or path-like
        A video file.

    Returns
    -------
    VideoInfo
        What the file says; lengths and counts are its own statements, not measured.

    Raises
    ------
    VideoError
        If the file is missing, empty, not a video, has no picture, or its start is damaged; or if
        its picture is larger than 8192 pixels a side or 40 million in all, as it is stored or as
        it is to be shown.

    Examples
    --------
    >>> from skrehab.pose import probe_video
    >>> probe_video("no_such_file.mp4")
    Traceback (most recent call last):
    ...
    skrehab.pose.picture.VideoError: no_such_file.mp4: there is no such file.
    """
    path = Path(path)
    with _opened(path) as container:
        stream = _picture_stream(container, path)
        frame = next(_decoded(container, stream, path))
        transposed, flip_x, flip_y = orientation(frame)
        width, height = _square_pixel_size(frame, stream, path)
        turns = {(0, 0): 0, (1, 1): 180} if not transposed else {(0, 1): 90, (1, 0): 270}
        duration = stream.duration * stream.time_base if stream.duration else None
        if duration is None:
            duration = (container.duration or 0) / 1e6
        return VideoInfo(
            path=path,
            width=height if transposed else width,
            height=width if transposed else height,
            rotation=turns.get((flip_x, flip_y), 90 if transposed else 0),
            fps=_stated_rate(stream) or 0.0,
            duration=max(0.0, float(duration)),
            n_frames=max(0, stream.frames),
            codec=stream.codec_context.name,
        )


def read_frames(path, *, target_fps=None, max_size=None):
    """Read the frames of a video, upright, with their times.

    Times are those of the container, in seconds from its start (for most files, from the first
    frame), and strictly increase: a frame without a time, or with one that was there already,
    comes one millisecond after its predecessor; where the clock jumps back by more than a frame,
    as in files joined end to end, what follows is moved to come one frame later. In a file without
    any times, such as bare H.264 of a recorder, frames follow one another at its frame rate.

    Parameters
    ----------
    path : str or path-like
        A video file.
    target_fps : float, optional
        Resample to this frame rate, in frames a second; see :func:`resample_frames`.
    max_size : int, optional
        Scale pictures down so that the longer side is at most this many pixels.

    Returns
    -------
    generator of (float, ndarray)
        For each frame its time in seconds, and the RGB picture: uint8, of shape
        (height, width, 3), C-contiguous, rotated and mirrored as the file asks, with square
        pixels.

    Raises
    ------
    VideoError
        If the file cannot be opened, holds no picture or one that is too large (see
        :func:`probe_video`), is damaged, or ends before its stated length, or if resampling would
        make too many frames of it. Damage is found where it is reached: frames before it have been
        yielded.

    Examples
    --------
    >>> from skrehab.pose import read_frames
    >>> for time, frame in read_frames("clip.mp4", target_fps=15):  # doctest: +SKIP
    ...     print(round(time, 2), frame.shape)
    """
    if max_size is not None and not max_size >= 1:
        raise ValueError(f"max_size must be 1 pixel or more, got {max_size!r}.")
    frames = _read_frames(Path(path), max_size)
    return frames if target_fps is None else resample_frames(frames, target_fps, source=path)


def _read_frames(path, max_size):
    av = require("av", None, "to read videos")
    with _opened(path) as container:
        stream = _picture_stream(container, path)
        known = container.start_time is not None
        clock = _Clock(
            start=container.start_time / 1e6 if known else None,
            period=1 / (_stated_rate(stream) or 30),
        )
        reformatter = require("av.video.reformatter", None, "to read videos").VideoReformatter()
        turns = size = None
        odd = Oddities(path)
        odd.look_at_file(container, stream, _stated_rate(stream), holds_another(path))
        for frame in _decoded(container, stream, path):
            odd.look_at_frame(frame)
            if size is None:
                turns, size = orientation(frame), _square_pixel_size(frame, stream, path)
                shrink = min(1.0, (max_size or np.inf) / max(size))
                size = [max(1, round(side * shrink)) for side in size]
            time = clock.place(frame.time)
            if not time < _LATEST:
                raise VideoError(
                    f"{path}: a frame states {time:g} s as its time. The file is damaged; save it "
                    "as a new file."
                )
            try:
                picture = reformatter.reformat(
                    frame, width=size[0], height=size[1], format="rgb24", threads=1
                ).to_ndarray()
            except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
                raise VideoError(
                    f"{path}: the picture at {time:.2f} s cannot be unpacked ({_reason(error)})."
                ) from error
            yield time, turn_upright(picture, turns)


def _opened(path):
    """Open a container, turning every failure into a sentence about the file."""
    av = require("av", None, "to read videos")
    try:
        exists = path.exists()
    except OSError as error:  # a name that is too long, a disk that is gone
        raise VideoError(f"{path}: this cannot be reached ({_reason(error)}).") from error
    if not exists:
        raise VideoError(f"{path}: there is no such file.")
    if path.is_dir():
        raise VideoError(f"{path}: this is a folder; give the video files in it.")
    if not path.is_file():  # reading a pipe can wait for ever
        raise VideoError(f"{path}: this is a pipe or a device; give a video file.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: the file is empty (0 bytes). Copy it again from its source.")
    try:
        # the whole path: FFmpeg takes a file called "http:a.mp4" for an address
        return av.open(os.path.abspath(path), metadata_errors="replace", options=_LOCAL)
    except (av.FFmpegError, OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.EACCES:
            raise VideoError(f"{path}: no permission to read this file.") from error
        raise VideoError(
            f"{path}: this is not a video that can be opened; it is damaged, cut short, or of "
            f"another kind ({_reason(error)}). Check that it plays, or copy it again."
        ) from error


def _picture_stream(container, path):
    """Return the stream to decode; cover art of a sound file, pictures and text are none."""
    kind = container.format.name
    if _LISTS & set(kind.split(",")):
        raise VideoError(f"{path}: this is a list of other files, not a video; give those.")
    if kind == "tty" or kind == "image2" or kind.endswith("_pipe"):
        raise VideoError(f"{path}: this is a text or picture file, not a video.")
    stream = choose_stream(container, path)
    if stream is None:
        what = "only sound" if container.streams.audio else "no picture"
        raise VideoError(f"{path}: this file holds {what}; a video is needed.")
    if stream.codec_context is None:
        raise VideoError(f"{path}: no decoder is there for its picture. Convert it to H.264.")
    if stream.width or stream.height:  # else nothing is known before the first frame
        _check_size(stream.width, stream.height, path)
    # Frames come one at a time anyway: decoder threads only cost memory and switches here.
    stream.thread_type = "NONE"
    # the decoder itself refuses a larger frame, before it takes the memory
    stream.codec_context.options = stream.codec_context.options | _DECODER
    return stream


def _decoded(container, stream, path):
    """Yield decoded frames; raise where the data are damaged or stop early."""
    av = require("av", None, "to read videos")
    count, end, torn, last = 0, 0.0, False, None
    try:
        # All streams are walked, so that sound which outlasts the picture counts as length.
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index == stream.index:
                torn = packet.is_corrupt if packet.size else torn
                if not packet.size and packet.pts is not None:
                    # no data for this time: the last picture again. The decoder would stop here.
                    if last is not None:
                        last.pts, last.time_base = packet.pts, packet.time_base
                        count += 1
                        yield last
                    continue
                for frame in packet.decode():
                    count += 1
                    _check_size(frame.width, frame.height, path)
                    last = frame
                    yield frame
    except VideoError:
        raise
    except (av.FFmpegError, OSError, ValueError, MemoryError) as error:
        _check_size(stream.width or 1, stream.height or 1, path)  # it may have grown
        raise VideoError(
            f"{path}: the file is damaged or cut short after {count} frames ({_reason(error)}). "
            "Copy it again, or save the readable part as a new file."
        ) from error
    if count == 0:
        raise VideoError(f"{path}: the file holds no frame (0 frames decoded).")
    stated = (container.duration or 0) / 1e6
    found = end - (container.start_time or 0) / 1e6
    # half a second of slack: durations in file headers are rounded, and often a little long
    slack = max(0.5, 0.02 * stated)
    if ends_early(path):  # then half a frame: parts of the last second may be lost
        slack = min(slack, 0.5 / (_stated_rate(stream) or 30))
    if torn or found < stated - slack:
        raise VideoError(
            f"{path}: the file is cut short: it states {stated:.1f} s and ends after {found:.1f} s "
            f"({count} frames). Copy it again, or save the readable part as a new file."
        )
    if ends_in_a_packet(path):
        raise VideoError(
            f"{path}: the file is cut short: it ends in the middle of a packet of data, after "
            f"{found:.1f} s ({count} frames). Copy it again, or save the readable part as a new "
            "file."
        )


def _reason(error):
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class _Clock:
    """Place frames in time: seconds from the start of the file, strictly increasing."""

    def __init__(self, start, period):
        self.start = start
        self.period = period
        self.last = None
        self.timed = start is not None  # whether any time was given so far

    def place(self, time):
        self.timed = self.timed or time is not None
        if self.last is None:
            time = (self.start or 0.0) if time is None else time
            # the first frame never lies before zero, and at zero where the file states no start
            self.start = time if self.start is None else min(self.start, time)
            self.last = time - self.start
            return self.last
        if time is None:
            now = self.last + (_TICK if self.timed else self.period)
        else:
            now = time - self.start
        if now <= self.last:
            if self.last - now > 1.5 * self.period:  # the clock started again
                self.start -= self.last + self.period - now
                now = self.last + self.period
            else:
                now = self.last + _TICK
        self.last = now
        return now


def _check_size(width, height, path, note=""):
    fault = size_fault(width, height)
    if fault:
        raise VideoError(f"{path}: {fault}{note}. Save it smaller, or as a usual picture.")


def _square_pixel_size(frame, stream, path):
    """Return the width and height of a frame as it is to be shown."""
    ratio = stream.sample_aspect_ratio
    width = round(frame.width * ratio) if ratio else frame.width
    note = f", since its pixels are stated to be {ratio} times as wide as high"
    _check_size(width, frame.height, path, note if ratio and ratio != 1 else "")
    return width, frame.height


def _stated_rate(stream):
    """Return the frame rate that a file states, or None where that is none."""
    rate = float(stream.average_rate or 0)
    return rate if _SLOWEST <= rate <= _FASTEST else None
