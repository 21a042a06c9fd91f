"""One picture in, everybody in it out: MediaPipe's landmarker."""

import weakref

import numpy as np

from .._optional import require

__all__ = ["N_LANDMARKS", "PeopleDetector"]

N_LANDMARKS = 33


class PeopleDetector:
    """Find the landmarks of people, picture by picture of one video.

    It remembers the pictures before, so each video needs a new one. Close it when done: it holds
    two networks outside Python's memory.

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
        # at the end of the program at the latest: later MediaPipe cannot close it any more
        self._close = weakref.finalize(self, self._landmarker.close)

    def detect(self, picture, timestamp=None):
        """Find people in the next picture.

        Parameters
        ----------
        picture : ndarray of shape (height, width, 3), dtype uint8
            RGB, C-contiguous.
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
        """
        from mediapipe import Image, ImageFormat

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
        """Free the networks."""
        self._close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
