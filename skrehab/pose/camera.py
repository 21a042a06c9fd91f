"""Pictures of a camera, the newest first in mind: what cannot be used in time is left out."""

import threading
import time

from .._optional import require
from .reader import VideoError

__all__ = ["read_camera"]

_PATIENCE = 5.0  # seconds; a camera that gives nothing for so long has been unplugged


def read_camera(camera=0):
    """Read a camera until it stops, always taking its newest picture.

    A thread empties the camera's own queue, so that a slow reader sees fewer pictures, not older
    ones.

    Parameters
    ----------
    camera : int or str, default=0
        Number of the camera, or an address that OpenCV can open.

    Returns
    -------
    generator of (float, ndarray)
        For each picture the time it came, in seconds from the first one, and the RGB picture:
        uint8 of shape (height, width, 3). Close the generator to free the camera.

    Raises
    ------
    VideoError
        If the camera cannot be opened, or gives no picture for five seconds.

    Examples
    --------
    >>> from skrehab.pose.camera import read_camera
    >>> for seconds, picture in read_camera(0):  # doctest: +SKIP
    ...     print(seconds, picture.shape)
    """
    cv2 = require("cv2", None, "to read a camera")
    capture = cv2.VideoCapture(camera)
    if not capture.isOpened():
        capture.release()
        raise VideoError(
            f"Camera {camera!r} cannot be opened: it is not connected, is in use by another "
            "program, or may not be used by this one."
        )
    return _newest(_Grabber(capture), camera, cv2)


def _newest(grabber, camera, cv2):
    with grabber:
        start = None
        while (taken := grabber.take(camera)) is not None:
            came, picture = taken
            start = came if start is None else start
            yield came - start, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


class _Grabber:
    """A thread that reads a camera and keeps the newest picture only."""

    def __init__(self, capture):
        self.capture = capture
        self.newest = None
        self.over = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.over = True
        self.thread.join(_PATIENCE)
        if not self.thread.is_alive():  # released while it reads, a capture crashes
            self.capture.release()

    def _read(self):
        while not self.over:
            ok, picture = self.capture.read()
            with self.changed:
                self.over = self.over or not ok
                self.newest = (time.monotonic(), picture) if ok else self.newest
                self.changed.notify()

    def take(self, camera):
        """Wait for a picture newer than the last one taken; None at the end."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.newest or self.over, _PATIENCE):
                raise VideoError(f"Camera {camera!r} gave no picture for {_PATIENCE:g} seconds.")
            taken, self.newest = self.newest, None
        return taken
