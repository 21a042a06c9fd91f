"""One picture in, everybody in it out: MediaPipe's landmarker."""

import functools
import os
import weakref
from collections import deque

import numpy as np

from .._optional import require
from .picture import check_picture

__all__ = ["N_LANDMARKS", "PeopleDetector"]

N_LANDMARKS = 33

_LATEST = 1e12  # seconds; MediaPipe counts microseconds in 64 bits

# Landmarkers of detectors that nobody closed. The garbage collector may run in the middle of a call
# into MediaPipe, on the very thread that holds one of its locks; closing one there takes the same
# locks, and the program hangs. So it only puts them here, and the next call outside closes them.
_forgotten = deque()


class PeopleDetector:
    """Find the landmarks of people, picture by picture of one video.

    It remembers the pictures before, so each video needs a new one. Close it when done, best with
    ``with``: it holds two networks outside Python's memory. One that is forgotten is closed when
    the next one is made or closed.

    Parameters
    ----------
    model_path : str or path-like
        The ``.task`` file.
    n_persons : int
        How many people to look for.
    confidences : (float, float, float)
        MediaPipe's thresholds of detection, presence and tracking, in [0, 1].
    video : bool, default=True
        False for pictures that have nothing to do with each other: nothing is remembered.

    Examples
    --------
    >>> from skrehab.pose import find_model
    >>> from skrehab.pose.detector import PeopleDetector
    >>> with PeopleDetector(find_model(), 1, (0.5, 0.5, 0.5)) as detector:  # doctest: +SKIP
    ...     people, world = detector.detect(picture, timestamp)
    """

    def __init__(self, model_path, n_persons, confidences, video=True):
        require("mediapipe", None, "to estimate poses")
        from mediapipe.tasks.python import BaseOptions, vision

        _close_forgotten()
        detection, presence, tracking = confidences
        options = vision.PoseLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(model_path)),
            running_mode=vision.RunningMode.VIDEO if video else vision.RunningMode.IMAGE,
            num_poses=n_persons,
            min_pose_detection_confidence=detection,
            min_pose_presence_confidence=presence,
            min_tracking_confidence=tracking,
        )
        self._empty = np.full((n_persons, N_LANDMARKS, 4), np.nan, dtype=np.float32)
        self._milliseconds = -1 if video else None
        self._landmarker = vision.PoseLandmarker.create_from_options(options)
        self._landmarker.__class__ = _quiet_landmarker()
        entry = os.getpid(), self._landmarker
        self._open = weakref.finalize(self, _forgotten.append, entry)
        self._open.atexit = False  # MediaPipe closes nothing any more when Python ends

    def detect(self, picture, timestamp=None):
        """Find people in the next picture.

        Parameters
        ----------
        picture : ndarray of shape (height, width, 3), dtype uint8
            RGB.
        timestamp : float
            Seconds; not for single pictures. MediaPipe counts in whole milliseconds, which must
            increase: a picture that comes in the same one as the picture before is placed one
            later.

        Returns
        -------
        people : ndarray of shape (n_persons, 33, 4), dtype float32
            x, y, z in pixels and visibility, in any order of people; NaN where there are fewer.
        world : ndarray of shape (n_persons, 33, 4), dtype float32
            The same in metres, with the origin between each person's hips.

        Raises
        ------
        ValueError
            If the picture is none, empty or too large (see
            :func:`~skrehab.pose.picture.size_fault`), the time is not a number, or the detector is
            closed.
        RuntimeError
            If MediaPipe fails.
        """
        from mediapipe import Image, ImageFormat

        if not self._open.alive:
            raise ValueError("This detector is closed; make a new one.")
        picture = check_picture(picture)
        if self._milliseconds is not None and not abs(timestamp) < _LATEST:  # or NaN
            raise ValueError(f"A time must be below {_LATEST:g} seconds, got {timestamp:g}.")
        image = Image(image_format=ImageFormat.SRGB, data=picture)
        if self._milliseconds is None:
            result = self._landmarker.detect(image)
        else:
            self._milliseconds = max(round(1000 * timestamp), self._milliseconds + 1)
            result = self._landmarker.detect_for_video(image, self._milliseconds)
        height, width = picture.shape[:2]
        # MediaPipe's x and y are shares of width and height; z is on the scale of x
        people = self._as_array(result.pose_landmarks) * [width, height, width, 1]
        return people.astype(np.float32), self._as_array(result.pose_world_landmarks)

    def _as_array(self, poses):
        array = self._empty.copy()
        for i, pose in enumerate(poses):
            array[i] = [(point.x, point.y, point.z, point.visibility) for point in pose]
        return array

    def close(self):
        """Free the networks; a second time does nothing."""
        opened = self._open.detach()
        if opened is not None:
            _close(*opened[2])
        _close_forgotten()

    def __enter__(self):
        return self

    def __exit__(self, kind, *error):
        try:
            self.close()
        except Exception:
            if kind is None:  # else the same fault, which is under way already
                raise


@functools.cache
def _quiet_landmarker():
    """Make the class of landmarkers that the garbage collector may drop: it does not close them."""
    from mediapipe.tasks.python import vision

    class QuietLandmarker(vision.PoseLandmarker):
        def __del__(self):
            pass

    return QuietLandmarker


def _close_forgotten():
    """Close what was forgotten; never call it from where the garbage collector can."""
    while _forgotten:
        try:
            entry = _forgotten.popleft()
        except IndexError:  # another thread was quicker
            return
        try:
            _close(entry)
        except Exception:  # nobody is left who could do something about it
            continue


def _close(entry):
    process, landmarker = entry
    if process == os.getpid():  # a forked process has the landmarker, but not the thread it calls
        landmarker.close()
