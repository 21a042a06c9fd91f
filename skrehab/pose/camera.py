"""Pictures of a camera, the newest first in mind: what cannot be used in time is left out."""

import threading
import time
import weakref

from .._optional import require
from .picture import VideoError

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
    iterator of (float, ndarray)
        For each picture the time it came, in seconds from the first one, and the RGB picture:
        uint8 of shape (height, width, 3). Its ``close()`` frees the camera at once; one that is
        forgotten frees it with the camera's next picture.

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
    return _Pictures(capture, camera, cv2.cvtColor, cv2.COLOR_BGR2RGB)


class _Pictures:
    """The iterator: what its thread reads belongs to the thread, so nothing is left to finalize."""

    def __init__(self, capture, camera, convert, code):
        self._camera, self._convert, self._code = camera, convert, code
        self._start, self._closed = None, False
        self._shelf = _Shelf()
        alive = weakref.ref(self)
        self._thread = threading.Thread(
            target=_read, args=(capture, self._shelf, alive), daemon=True
        )
        self._thread.start()

    def __iter__(self):
        return self

    def __next__(self):
        taken = None if self._closed else self._shelf.take(self._camera)
        if taken is None:
            self.close()
            raise StopIteration
        came, picture = taken
        self._start = came if self._start is None else self._start
        return came - self._start, self._convert(picture, self._code)

    def close(self):
        """Free the camera."""
        self._closed = self._shelf.over = True
        self._thread.join(_PATIENCE)


class _Shelf:
    """Place for the newest picture, between the thread that reads and the one that takes."""

    def __init__(self):
        self.newest = None
        self.over = False
        self.changed = threading.Condition()

    def put(self, picture):
        with self.changed:
            self.over = self.over or picture is None
            self.newest = self.newest if picture is None else (time.monotonic(), picture)
            self.changed.notify()

    def take(self, camera):
        """Wait for a picture newer than the last one taken; None at the end."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.newest or self.over, _PATIENCE):
                raise VideoError(f"Camera {camera!r} gave no picture for {_PATIENCE:g} seconds.")
            taken, self.newest = self.newest, None
        return taken


def _read(capture, shelf, alive):
    """Read until the end, or until nobody takes any more; then free the camera."""
    try:
        while not shelf.over and alive() is not None:
            ok, picture = capture.read()
            shelf.put(picture if ok else None)
    finally:
        capture.release()  # here: released while it reads, a capture crashes
