"""The program that looks at pictures, beside the server: decoders and MediaPipe run in here.

They are C and C++, and a file made for it can end the process that they run in. So the server
starts this one (`process.py`), and a file that ends it costs one job. It reads requests from its
standard input and answers on its standard output; it needs no torch, knows no token and listens
nowhere.
"""

import contextlib
import io
import os
import queue
import sys
import threading
import time
from pathlib import Path

import numpy as np

from skrehab._optional import require
from skrehab.pose import (
    PoseExtractor,
    PoseStream,
    VideoError,
    extract_with,
    match_frame_rate,
    probe_video,
)

from .messages import BrokenMessage, read_message, write_message

__all__ = ["MOST_FRAMES", "MOST_MEMORY", "find_pose", "main", "read_jpeg"]

MOST_FRAMES = 54_000  # half an hour at 30 frames a second
MOST_MEMORY = 4 * 2**30
MOST_REQUEST = 4 * 2**20
# Of a camera's picture. MediaPipe aborts above 32,766 on a side; the page sends 640.
MOST_SIDE = 4096
MOST_PIXELS = 2**21
_TELL_EVERY = 0.05  # seconds


def find_pose(extractor, video, frame_rate=None, progress=None):
    """Find the pose in a video, at the frame rate that a model knows.

    Parameters
    ----------
    extractor : PoseExtractor
        Settings of the pose.
    video : str or path-like
        Video file.
    frame_rate : float, optional
        Of the training trials; see :func:`skrehab.pose.match_frame_rate`.
    progress : callable, optional
        Called with the number of frames done, after each frame.

    Returns
    -------
    track : PoseTrack
        Pose and times.
    resampled : bool
        Whether the video was brought to ``frame_rate``.
    """
    own, extractor = extractor.target_fps, match_frame_rate(extractor, video, frame_rate)
    return extract_with(extractor, video, progress=progress), extractor.target_fps != own


def read_jpeg(data):
    """Decode one picture of a camera.

    Parameters
    ----------
    data : bytes
        A JPEG of at most two million pixels, 4,096 on a side. What its header says is looked at
        before anything is decoded.

    Returns
    -------
    ndarray of shape (height, width, 3), dtype uint8
        RGB.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> from skrehab.serve.worker import read_jpeg
    >>> read_jpeg(b"GIF89a")
    Traceback (most recent call last):
    ...
    ValueError: The picture is not a JPEG that can be read (6 bytes came).
    """
    image_module = require("PIL.Image", None, "to read pictures")
    unread = f"The picture is not a JPEG that can be read ({len(data)} bytes came)."
    try:
        image = image_module.open(io.BytesIO(data), formats=["JPEG"])
    except image_module.DecompressionBombError as error:  # Pillow's own bound, far above ours
        raise ValueError(f"The picture has far more pixels than {MOST_PIXELS}.") from error
    except Exception as error:  # Pillow raises many kinds over one damaged header
        raise ValueError(unread) from error
    with image:
        width, height = image.size
        if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
            raise ValueError(
                f"The picture has {width} x {height} pixels; send at most {MOST_PIXELS}, and at "
                f"most {MOST_SIDE} on a side."
            )
        try:
            return np.array(image.convert("RGB"))
        except MemoryError:
            raise
        except Exception as error:
            raise ValueError(unread) from error


# --- what is asked --------------------------------------------------------------------------------
class _Answers:
    """What this program can do; remembers the camera's pose model from picture to picture."""

    def __init__(self, tell):
        self._tell, self._stream, self._session = tell, None, None

    def probe(self, head, blob):
        info = probe_video(Path(head["path"]))
        total = info.n_frames or info.duration * info.fps
        return {"total": round(total) if 0 < total < 1e9 else 0}, b""

    def pose(self, head, blob):
        told, most = time.monotonic(), head["most_frames"]

        def progress(done):
            nonlocal told
            if done > most:
                raise VideoError(
                    f"{head['path']}: the video gives more than {most} frames. Cut a part out."
                )
            if time.monotonic() - told > _TELL_EVERY:
                told = time.monotonic()
                self._tell({"done": done})

        track, resampled = find_pose(
            _extractor(head["settings"]), head["path"], head["frame_rate"], progress
        )
        self._tell({"done": len(track.timestamps)})
        size = {"width": track.width, "height": track.height, "n_frames": len(track.timestamps)}
        arrays = ((track.timestamps, "<f8"), (track.world, "<f4"), (track.image, "<f4"))
        return size | {"resampled": bool(resampled)}, _bytes_of(arrays)

    def picture(self, head, blob):
        picture = read_jpeg(blob)
        if self._session != head["session"]:
            self.rest()
            self._stream, self._session = PoseStream(_extractor(head["settings"])), head["session"]
        try:
            self._stream.push(picture, head["t"])
        except BaseException:
            self.rest()  # what it remembers may be half done
            raise
        height, width = picture.shape[:2]
        arrays = ((self._stream.world, "<f4"), (self._stream.image, "<f4"))
        return {"width": width, "height": height}, _bytes_of(arrays)

    def rest(self, head=None, blob=b""):
        stream, self._stream, self._session = self._stream, None, None
        if stream is not None:
            stream.reset()
        return {}, b""


def _extractor(settings):
    box = settings.get("person")
    return PoseExtractor(**settings | {"person": tuple(box) if isinstance(box, list) else box})


def _bytes_of(arrays):
    return b"".join(np.ascontiguousarray(array, dtype=kind).tobytes() for array, kind in arrays)


def main():
    """Answer requests until the server is gone."""
    _bound()
    # what a library prints must not come between the answers
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()

    def tell(head, blob=b""):
        try:
            write_message(replies, head, blob)
        except OSError:  # the server is gone
            os._exit(0)

    answers = _Answers(tell)
    tell({"ready": True})
    while True:
        head, blob = requests.get()
        try:
            head, blob = getattr(answers, head["ask"])(head, blob)
        except MemoryError:
            head, blob = {"error": "", "kind": "memory"}, b""
        except Exception as error:
            kind = "value" if isinstance(error, ValueError) else "other"
            kind = "video" if isinstance(error, VideoError) else kind
            text = str(error) or type(error).__name__
            head, blob = {"error": text[:4000], "kind": kind}, b""
        tell({"answer": True} | head, blob)


def _listen(requests):
    """Read in a thread of its own, so that the end of the server is noticed during work too."""
    with contextlib.suppress(BrokenMessage, OSError, MemoryError):
        while (request := read_message(sys.stdin.buffer, MOST_REQUEST)) is not None:
            requests.put(request)
    os._exit(0)


def _bound():
    """Take no more memory than a video needs, and leave no picture of a patient in a core file."""
    try:
        import resource
    except ImportError:  # Windows
        return
    bounds = [("RLIMIT_CORE", 0)]
    if sys.platform == "linux":  # elsewhere it is not kept, or counts what is only reserved
        bounds.append(("RLIMIT_DATA", MOST_MEMORY))
    for name, bound in bounds:
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, hard))
