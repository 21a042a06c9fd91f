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

__all__ = ["VideoError", "VideoInfo", "probe_video", "read_frames", "resample_frames"]

# Two frames closer than this are "the same time": MediaPipe counts in whole milliseconds.
_TICK = 1e-3

# A few lines of text can be a "video" that names other files or addresses. No address is ever
# called, and no file is read but the one that was given.
_LOCAL = {"protocol_whitelist": "file"}
_LISTS = {"concat", "hls", "applehttp", "dash", "imf"}


class VideoError(ValueError):
    """A video that cannot be used; the message names the file, the reason and a way out."""


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
        If the file is missing, empty, not a video, has no picture, or its start is damaged.

    Examples
    --------
    >>> from skrehab.pose import probe_video
    >>> probe_video("no_such_file.mp4")
    Traceback (most recent call last):
    ...
    skrehab.pose.reader.VideoError: no_such_file.mp4: there is no such file.
    """
    path = Path(path)
    with _opened(path) as container:
        stream = _picture_stream(container, path)
        frame = next(_decoded(container, stream, path))
        transposed, flip_x, flip_y = _orientation(frame)
        width, height = _square_pixel_size(frame, stream)
        turns = {(0, 0): 0, (1, 1): 180} if not transposed else {(0, 1): 90, (1, 0): 270}
        duration = stream.duration * stream.time_base if stream.duration else None
        if duration is None:
            duration = (container.duration or 0) / 1e6
        return VideoInfo(
            path=path,
            width=height if transposed else width,
            height=width if transposed else height,
            rotation=turns.get((flip_x, flip_y), 90 if transposed else 0),
            fps=float(stream.average_rate or 0),
            duration=float(duration),
            n_frames=stream.frames,
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
        If the file cannot be opened, holds no picture, is damaged, or ends before its stated
        length. Damage is found where it is reached: frames before it have been yielded.

    Examples
    --------
    >>> from skrehab.pose import read_frames
    >>> for time, frame in read_frames("clip.mp4", target_fps=15):  # doctest: +SKIP
    ...     print(round(time, 2), frame.shape)
    """
    frames = _read_frames(Path(path), max_size)
    return frames if target_fps is None else resample_frames(frames, target_fps)


def resample_frames(frames, target_fps):
    """Put timed frames on a regular grid by taking the nearest one.

    Grid points lie ``1 / target_fps`` apart, from the first frame's time to the last one's. Each
    takes the frame nearest in time, the earlier of two equally near; nothing is blended. Where
    the source is slower than the grid the same array is yielded again.

    Parameters
    ----------
    frames : iterable of (float, ndarray)
        Times in seconds, strictly increasing, and pictures.
    target_fps : float
        Frames a second, above 0.

    Returns
    -------
    generator of (float, ndarray)
        Grid times in seconds, and the nearest pictures.

    Raises
    ------
    ValueError
        If ``target_fps`` is not above 0.

    Examples
    --------
    >>> from skrehab.pose import resample_frames
    >>> uneven = [(0.0, "a"), (0.1, "b"), (0.45, "c"), (0.5, "d"), (1.0, "e")]
    >>> [frame for time, frame in resample_frames(uneven, target_fps=4)]
    ['a', 'b', 'd', 'd', 'e']
    """
    if not target_fps > 0:
        raise ValueError(f"target_fps must be above 0 frames a second, got {target_fps!r}.")
    return _resampled(iter(frames), 1.0 / target_fps)


def _resampled(frames, step):
    previous = next(frames, None)
    if previous is None:
        return
    start, k = previous[0], 0
    for current in frames:
        # every grid point up to the middle between two frames belongs to the earlier one
        middle = (previous[0] + current[0]) / 2 + 1e-9
        while start + k * step <= middle:
            yield start + k * step, previous[1]
            k += 1
        previous = current
    while start + k * step <= previous[0] + step / 2 - 1e-9:
        yield start + k * step, previous[1]
        k += 1


def _read_frames(path, max_size):
    with _opened(path) as container:
        stream = _picture_stream(container, path)
        period = float(1 / stream.average_rate) if stream.average_rate else 1 / 30
        known = container.start_time is not None
        clock = _Clock(start=container.start_time / 1e6 if known else None, period=period)
        reformatter = require("av.video.reformatter", None, "to read videos").VideoReformatter()
        orientation = size = None
        for frame in _decoded(container, stream, path):
            if orientation is None:
                orientation, size = _orientation(frame), _square_pixel_size(frame, stream)
                shrink = min(1.0, (max_size or np.inf) / max(size))
                size = [max(1, round(side * shrink)) for side in size]
            picture = reformatter.reformat(
                frame, width=size[0], height=size[1], format="rgb24", threads=1
            )
            yield clock.place(frame.time), _upright(picture.to_ndarray(), orientation)


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
    cover = require("av.stream", None, "to read videos").Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        what = "only sound" if container.streams.audio else "no picture"
        raise VideoError(f"{path}: this file holds {what}; a video is needed.")
    # Frames come one at a time anyway: decoder threads only cost memory and switches here.
    streams[0].thread_type = "NONE"
    return streams[0]


def _decoded(container, stream, path):
    """Yield decoded frames; raise where the data are damaged or stop early."""
    av = require("av", None, "to read videos")
    count, end, torn = 0, 0.0, False
    try:
        # All streams are walked, so that sound which outlasts the picture counts as length.
        for packet in container.demux():
            if packet.pts is not None and packet.time_base is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index == stream.index:
                torn = packet.is_corrupt if packet.size else torn
                for frame in packet.decode():
                    count += 1
                    yield frame
    except (av.FFmpegError, OSError) as error:
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
    if _ends_early(path):  # then half a frame: parts of the last second may be lost
        slack = min(slack, 0.5 / float(stream.average_rate or 30))
    if torn or found < stated - slack:
        raise VideoError(
            f"{path}: the file is cut short: it states {stated:.1f} s and ends after {found:.1f} s "
            f"({count} frames). Copy it again, or save the readable part as a new file."
        )


def _ends_early(path):
    """Tell whether a Matroska or WebM file states more bytes than it has.

    FFmpeg says nothing where such a file is cut; of other kinds it finds the cut itself.
    """
    with open(path, "rb") as file:
        if file.read(4) != b"\x1a\x45\xdf\xa3":
            return False
        file.seek(_ebml_size(file) or 0, os.SEEK_CUR)
        segment = file.read(4) == b"\x18\x53\x80\x67"
        size = _ebml_size(file) if segment else None
        return size is not None and file.tell() + size > path.stat().st_size


def _ebml_size(file):
    """Read a size of 1 to 8 bytes, as many as the first has leading zeros and one; None: unknown.

    RFC 8794, section 4.
    """
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(length - 1)) & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else value


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


def _orientation(frame):
    """Return (transposed, flip_x, flip_y) of a frame's display matrix.

    The matrix maps a pixel (x, y) to (a x + c y, b x + d y). For the eight upright orientations
    that is: swap the axes or not, then turn each round or not.
    """
    try:
        matrix = np.frombuffer(bytes(frame.side_data["DISPLAYMATRIX"]), dtype=np.int32)
    except KeyError:
        return False, False, False
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c < 0, b < 0
    return False, a < 0, d < 0


def _upright(picture, orientation):
    transposed, flip_x, flip_y = orientation
    if transposed:
        picture = picture.transpose(1, 0, 2)
    if flip_x:
        picture = picture[:, ::-1]
    if flip_y:
        picture = picture[::-1]
    # PyAV pads its rows; mediapipe reads a padded array as if it were not, and sees a skewed
    # picture with nobody in it
    return np.ascontiguousarray(picture)


def _square_pixel_size(frame, stream):
    ratio = stream.sample_aspect_ratio
    return (round(frame.width * ratio) if ratio else frame.width), frame.height
