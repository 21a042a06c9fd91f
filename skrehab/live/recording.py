"""What a live session leaves behind: the pose, and the picture only where that is asked for."""

from fractions import Fraction
from pathlib import Path

import numpy as np

from skrehab._optional import require
from skrehab._written import part_of, written

__all__ = ["PoseRecording", "VideoRecording"]

_TIME_BASE = Fraction(1, 90000)


class _Recording:
    """A file that is written beside its place and moved there when complete."""

    suffix = ""

    def __init__(self, path):
        self.path = Path(path)
        if self.path.suffix.lower() != self.suffix:
            raise ValueError(f"A recording of this kind is a {self.suffix} file, got {self.path}.")
        if self.path.exists() or self.path.is_symlink():
            raise FileExistsError(f"{self.path} exists already; choose another name.")
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class PoseRecording(_Recording):
    """Collect poses and write them as ``skrehab pose`` does.

    The file is written by `close`; an hour at 30 frames a second takes about 120 MB until then.

    Parameters
    ----------
    path : str or path-like
        The ``.npz`` file: ``world`` and ``image`` (n_frames, 33, 4), ``timestamps`` (n_frames,) in
        seconds, ``size`` (width, height) in pixels.

    Raises
    ------
    FileExistsError
        If the file exists already.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from skrehab.live.recording import PoseRecording
    >>> folder = tempfile.TemporaryDirectory()
    >>> with PoseRecording(folder.name + "/trial.npz") as recording:
    ...     recording.add(0.0, np.zeros((33, 4)), np.zeros((33, 4)), (640, 480))
    >>> np.load(folder.name + "/trial.npz")["world"].shape
    (1, 33, 4)
    """

    suffix = ".npz"

    def __init__(self, path):
        super().__init__(path)
        self._frames = []

    def add(self, timestamp, world, image, size):
        """Take the next frame.

        Parameters
        ----------
        timestamp : float
            Seconds.
        world, image : ndarray of shape (33, 4)
            Landmarks in metres and in pixels.
        size : (int, int)
            Width and height of the picture.
        """
        world, image = (np.array(array, dtype=np.float32) for array in (world, image))
        self._frames.append((float(timestamp), world, image))
        self._size = size

    def close(self):
        """Write the file, if there was any frame."""
        if not self._frames:
            return
        times, world, image = zip(*self._frames)
        with written(self.path) as file:
            np.savez_compressed(
                file,
                world=np.array(world),
                image=np.array(image),
                timestamps=np.array(times),
                size=np.array(self._size),
            )
        self._frames = []


class VideoRecording(_Recording):
    """Write pictures to a video, with the times at which they came. Sound is left out.

    Parameters
    ----------
    path : str or path-like
        The ``.mp4`` file (H.264).

    Raises
    ------
    FileExistsError
        If the file exists already.

    Examples
    --------
    >>> from skrehab.live.recording import VideoRecording
    >>> with VideoRecording("session.mp4") as recording:  # doctest: +SKIP
    ...     recording.add(0.0, picture)
    """

    suffix = ".mp4"

    def __init__(self, path):
        super().__init__(path)
        self._out = None

    def add(self, timestamp, picture):
        """Take the next picture.

        Parameters
        ----------
        timestamp : float
            Seconds, later than the picture before.
        picture : ndarray of shape (height, width, 3), dtype uint8
            RGB; all of one size. An odd last row or column is cut off, as H.264 wants it.
        """
        av = require("av", None, "to write videos")
        height, width = (side // 2 * 2 for side in picture.shape[:2])
        if self._out is None:
            codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
            self.part = part_of(self.path)
            self._out = av.open(str(self.part), "w", format="mp4")
            self._stream = self._out.add_stream(codec, rate=30)
            self._stream.width, self._stream.height = width, height
            self._stream.pix_fmt = "yuv420p"
            self._stream.time_base = self._stream.codec_context.time_base = _TIME_BASE
            if codec == "libx264":  # quick: it runs beside the pose model
                self._stream.options = {"crf": "20", "preset": "ultrafast", "tune": "zerolatency"}
            else:
                self._stream.bit_rate = 4_000_000
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(picture[:height, :width]), format="rgb24"
        )
        frame.pts, frame.time_base = round(timestamp / _TIME_BASE), _TIME_BASE
        self._out.mux(self._stream.encode(frame))

    def close(self):
        """Complete the file, if there was any picture."""
        if self._out is None:
            return
        self._out.mux(self._stream.encode(None))
        self._out.close()
        self._out = None
        self.part.replace(self.path)
