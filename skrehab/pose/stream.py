"""Poses while the camera runs: what PoseExtractor does, one picture at a time."""

import numpy as np

from .detector import N_LANDMARKS, PeopleDetector
from .persons import check_person, choose_person, person_follower
from .picture import check_picture
from .track import check_telemetry, default_n_persons, mediapipe_version, take_person
from .weights import find_model

__all__ = ["PoseStream"]


class PoseStream:
    """Estimate the pose of one person picture by picture, with an extractor's settings.

    Gives what :meth:`PoseExtractor.transform <skrehab.PoseExtractor.transform>` gives for the same
    pictures at the same times, to the bit. The pose model is loaded with the first picture of a
    trial and freed by `reset`, or at the end of a ``with``.

    Parameters
    ----------
    extractor : PoseExtractor
        Whose settings to use. ``fps``, ``on_error``, ``n_jobs`` and ``memory`` are for files.

    Attributes
    ----------
    image : ndarray of shape (33, 4), dtype float32
        Landmarks of the last picture in its pixels, and visibility; NaN where there is nobody.
    world : ndarray of shape (33, 4), dtype float32
        The same in metres, with the origin between the hips.

    Raises
    ------
    ValueError
        If the extractor looks ahead: ``person="steady"`` chooses whom to follow after having seen
        the whole video, and ``target_fps`` takes the nearest frame, which may be the next one.
    ModelError
        If there is no model file.
    RuntimeError
        If the installed mediapipe sends usage metrics and ``allow_telemetry`` is False.

    Examples
    --------
    >>> from skrehab import PoseExtractor
    >>> from skrehab.pose import PoseStream, read_frames
    >>> with PoseStream(PoseExtractor()) as poses:  # doctest: +SKIP
    ...     for time, picture in read_frames("clip.mp4"):
    ...         landmarks = poses.push(picture, time)
    """

    def __init__(self, extractor):
        extractor._validate_params()
        self._person = check_person(extractor.person)
        if extractor.person == "steady":
            raise ValueError(
                "person='steady' is not causal: it chooses whom to follow after having seen the "
                "whole video. Use person='follow', which stays with who is largest at the start."
            )
        if extractor.target_fps is not None:
            raise ValueError(
                f"target_fps={extractor.target_fps:g} is not causal: it takes the frame nearest in "
                "time, which may be the next one. Set target_fps=None, and feed frames at that "
                "rate: skrehab.pose.resample_frames(frames, target_fps) does so, one frame late."
            )
        check_telemetry(mediapipe_version(), extractor.allow_telemetry)
        self._model_path = find_model(extractor.model_path)
        self._coordinates = extractor.coordinates
        self._follower = person_follower(self._person)
        self._n_persons = extractor.n_persons or default_n_persons(extractor.person)
        self._min_visibility = extractor.min_visibility
        self._confidences = (
            extractor.min_detection_confidence,
            extractor.min_presence_confidence,
            extractor.min_tracking_confidence,
        )
        self._detector = None
        self.reset()

    def push(self, picture, timestamp):
        """Estimate the pose in the next picture.

        Parameters
        ----------
        picture : ndarray of shape (height, width, 3), dtype uint8
            RGB (OpenCV gives BGR), upright, with square pixels.
        timestamp : float
            Seconds, later than that of the picture before.

        Returns
        -------
        ndarray of shape (33, 4), dtype float32
            x, y, z in the extractor's coordinates, and visibility; NaN where there is nobody.

        Raises
        ------
        ValueError
            If it is not such a picture, or larger than 8192 pixels a side or 40 million in all.
        """
        picture = check_picture(picture)
        if self._detector is None:
            self._detector = PeopleDetector(self._model_path, self._n_persons, self._confidences)
        people, world = self._detector.detect(picture, timestamp)
        if self._follower is not None:
            chosen = np.array([self._follower.push(people, timestamp)])
        else:
            size = picture.shape[1], picture.shape[0]
            chosen = choose_person(people[None], [timestamp], size, self._person)
        self.image, self.world = (
            take_person(array[None], chosen, self._min_visibility)[0] for array in (people, world)
        )
        return self.world if self._coordinates == "world" else self.image

    @property
    def found(self):
        """Whether the last picture shows a person."""
        return bool(np.isfinite(self.image[:, 3]).any())

    def reset(self):
        """Forget the pictures so far and free the pose model; the next one starts a new trial."""
        if self._detector is not None:
            self._detector.close()
        self._detector = None
        if self._follower is not None:
            self._follower.reset()
        self.image, self.world = np.full((2, N_LANDMARKS, 4), np.nan, dtype=np.float32)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.reset()
