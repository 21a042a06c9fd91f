"""Read a few frames of a long video by their numbers, without decoding all that lie between.

A decoder can start at keyframes only. Packets are listed first, which costs next to nothing, so the
keyframe before each wanted frame is known; the file is entered there. What comes back is bit for
bit what reading from the start gives, and where the packets do not tell for certain, the file is
read from the start.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .._optional import require
from .picture import orientation, size_fault, turn_upright
from .reader import _opened, _picture_stream, _square_pixel_size, read_frames

__all__ = ["count_frames", "read_frames_at"]

# Seeking costs about as much as decoding this many frames; short ways are cheaper on foot.
_SEEK = 8
_SHORT = 48  # a file need not be listed for a frame this near to its start


def count_frames(path):
    """Count the frames of a video without decoding them.

    Parameters
    ----------
    path : str or path-like
        A video file.

    Returns
    -------
    int
        Number of frames. Where packets do not tell, they are decoded, one at a time.

    Raises
    ------
    VideoError
        As in :func:`skrehab.pose.read_frames`.

    Examples
    --------
    >>> from skrehab.pose.seeking import count_frames
    >>> count_frames("clip.mp4")  # doctest: +SKIP
    1798
    """
    index = _list_packets(Path(path))
    return sum(1 for _ in read_frames(path)) if index is None else len(index.times)


def read_frames_at(path, positions, *, max_size=None):
    """Read some frames of a video.

    Parameters
    ----------
    path : str or path-like
        A video file.
    positions : sequence of int
        Numbers of the frames, from 0, in any order.
    max_size : int, optional
        Scale pictures down so that the longer side is at most this many pixels.

    Returns
    -------
    dict of int to ndarray of shape (height, width, 3), dtype uint8
        The frames, as :func:`skrehab.pose.read_frames` yields them; without those that lie beyond
        the end.

    Raises
    ------
    VideoError
        If the file cannot be opened, or is damaged before a wanted frame; the message names it.
        Damage elsewhere is not looked for.

    Examples
    --------
    >>> from skrehab.pose.seeking import read_frames_at
    >>> frames = read_frames_at("clip.mp4", [0, 600, 1200])  # doctest: +SKIP
    """
    path = Path(path)
    wanted = sorted({int(position) for position in positions})
    frames = None
    if wanted[-1] >= _SHORT:
        frames = _read_by_seeking(path, wanted, max_size)
    return _read_from_start(path, wanted, max_size) if frames is None else frames


def _read_from_start(path, wanted, max_size):
    frames, left = {}, set(wanted)
    for i, (_, frame) in enumerate(read_frames(path, max_size=max_size)):
        if i in left:
            frames[i] = frame
        if i == wanted[-1]:
            break
    return frames


class _Index(NamedTuple):
    times: np.ndarray  # (n_frames,) presentation times in the stream's time base, sorted
    keys: np.ndarray  # presentation times of keyframes, sorted


def _list_packets(path):
    """List frames and keyframes, or return None where packets do not tell them apart."""
    av = require("av", None, "to read videos")
    times, keys = [], []
    with _opened(path) as container:
        stream = _picture_stream(container, path)
        try:
            for packet in container.demux(stream):
                if not packet.size:
                    if packet.pts is not None:  # it repeats a picture
                        return None
                    continue
                if packet.pts is None or packet.is_corrupt:
                    return None
                if packet.is_keyframe:
                    keys.append(packet.pts)
                if not packet.is_discard:  # cut off by the container's edit list: never shown
                    times.append(packet.pts)
        except (av.FFmpegError, OSError, ValueError):
            return None
        stated = stream.frames
    if not times or not keys or len(set(times)) < len(times) or stated not in (0, len(times)):
        return None
    return _Index(np.sort(times), np.sort(keys))


def _plan(index, wanted):
    """Group wanted frames by where to enter the file: list of (time of keyframe, positions)."""
    key_of = np.searchsorted(index.keys, index.times[wanted], side="right") - 1
    if (key_of < 0).any():
        return None
    groups, cost, last = [], 0, -np.inf
    for position, key in zip(wanted, key_of):
        key = index.keys[key]
        entry = int(np.searchsorted(index.times, key))
        if groups and entry - last < _SEEK:  # walk on
            groups[-1][1].append(position)
            cost += position - last
        else:
            groups.append((int(key), [position]))
            cost += _SEEK + position + 1 - entry
        last = position
    return groups if cost < 0.7 * (wanted[-1] + 1) else None


def _read_by_seeking(path, wanted, max_size):
    """Read frames from the keyframes before them; None if that does not pay or does not work."""
    index = _list_packets(path)
    if index is None or wanted[-1] >= len(index.times):
        return None
    plan = _plan(index, wanted)
    if plan is None:
        return None
    av = require("av", None, "to read videos")
    reformatter = require("av.video.reformatter", None, "to read videos").VideoReformatter()
    frames = {}
    try:
        with _opened(path) as container:
            stream = _picture_stream(container, path)
            # the first frame says which way is up, as when everything is read
            first = next(container.decode(stream))
            turns, size = orientation(first), _square_pixel_size(first, stream, path)
            shrink = min(1.0, (max_size or np.inf) / max(size))
            width, height = (max(1, round(side * shrink)) for side in size)
            for key, positions in plan:
                at = {int(index.times[position]): position for position in positions}
                container.seek(key, stream=stream)
                for frame in _decode_from(container, stream, key, max(at)):
                    if size_fault(frame.width, frame.height):
                        return None
                    if frame.pts in at:
                        picture = reformatter.reformat(
                            frame, width=width, height=height, format="rgb24", threads=1
                        )
                        frames[at[frame.pts]] = turn_upright(picture.to_ndarray(), turns)
    except (av.FFmpegError, OSError, StopIteration, ValueError, MemoryError):
        return None  # reading from the start says what is wrong, if anything is
    return frames if len(frames) == len(wanted) else None


def _decode_from(container, stream, key, last):
    """Yield frames up to time `last`; nothing if the file was not entered at `key`."""
    entered = False
    for packet in container.demux(stream):
        if packet.size and not entered:
            if packet.pts != key or not packet.is_keyframe:
                return
            entered = True
        for frame in packet.decode():
            yield frame
            if frame.pts is not None and frame.pts >= last:
                return
