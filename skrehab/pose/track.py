"""From one video to one pose track: the pure function under :class:`PoseExtractor`."""

import hashlib
import importlib.metadata
import re
import warnings
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_memory

from .._optional import require
from .body import is_upside_down
from .detector import PeopleDetector
from .persons import check_person, choose_person, largest_step
from .picture import VideoError
from .reader import read_frames
from .resampling import resample_frames
from .weights import find_model

__all__ = ["PoseTrack", "check_telemetry", "extract_pose"]

UPSIDE_DOWN = (
    "the person is upside down in most frames, so the video has lost its rotation: turn it in a "
    "program for videos, and take the turned file."
)
_RESULTS = 1  # part of the cache key; raise it whenever the same input gives other landmarks


@dataclass(frozen=True, eq=False)
class PoseTrack:
    """The pose of one person through one video.

    Parameters
    ----------
    source : str
        The file, or what else the frames came from.
    timestamps : ndarray of shape (n_frames,), dtype float64
        Seconds, strictly increasing.
    world : ndarray of shape (n_frames, 33, 4), dtype float32
        x, y, z in metres with the origin between the hips, and visibility in [0, 1]; NaN where
        there is nobody. x points to the picture's right, y down, z away from the camera.
    image : ndarray of shape (n_frames, 33, 4), dtype float32
        x, y, z in pixels of the upright picture (z is 0 at the hips), and visibility.
    width, height : int
        Size of the upright picture in pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose import PoseTrack
    >>> landmarks = np.zeros((4, 33, 4), dtype=np.float32)
    >>> landmarks[3] = np.nan
    >>> track = PoseTrack("clip.mp4", np.arange(4) / 30, landmarks, landmarks, 640, 480)
    >>> track.coverage, track.found.tolist()
    (0.75, [True, True, True, False])
    """

    source: str
    timestamps: np.ndarray
    world: np.ndarray
    image: np.ndarray
    width: int
    height: int

    @property
    def found(self):
        """Frames with a pose, as a boolean array of shape (n_frames,)."""
        return np.isfinite(self.image[..., 3]).any(axis=1)

    @property
    def coverage(self):
        """Share of frames with a pose, in [0, 1]."""
        return float(self.found.mean())

    @property
    def largest_step(self):
        """Largest move of the hips between successive frames, in trunk sizes."""
        return largest_step(self.image)[0]

    @property
    def upside_down(self):
        """Whether the person stands on the head in most frames: the video's rotation was lost."""
        return is_upside_down(self.image)

    def landmarks(self, coordinates="world"):
        """Return the landmarks in one kind of coordinates.

        Parameters
        ----------
        coordinates : {"world", "image"}, default="world"
            Metres from between the hips, or pixels.

        Returns
        -------
        ndarray of shape (n_frames, 33, 4), dtype float32
            x, y, z and visibility.
        """
        if coordinates not in ("world", "image"):
            raise ValueError(f"coordinates must be 'world' or 'image', got {coordinates!r}.")
        return self.world if coordinates == "world" else self.image


def extract_pose(
    video,
    *,
    model_path=None,
    person="largest",
    n_persons=None,
    min_visibility=0.0,
    min_detection_confidence=0.5,
    min_presence_confidence=0.5,
    min_tracking_confidence=0.5,
    target_fps=None,
    fps=30.0,
    memory=None,
    allow_telemetry=False,
    progress=None,
):
    """Extract the pose of one person from one video.

    Parameters
    ----------
    video : str, path-like, or ndarray of shape (n_frames, height, width, 3), dtype uint8
        A video file, or RGB frames.
    model_path : str or path-like, optional
        The ``.task`` file; by default the one that :func:`find_model` finds.
    person : str or (float, float, float, float), default="largest"
        Whom to keep where several people are seen: "largest", "center", "follow", "seated",
        "steady", or a box (x0, y0, x1, y1) of shares of the picture; see :func:`choose_person`.
    n_persons : int, optional
        How many people to look for. By default 1 for ``person="largest"``, else 2. With 1,
        MediaPipe takes the person it is surest of, keeps to that one while it can, and smooths the
        landmarks; with more it looks at the whole picture in every frame (about 1.6 times as slow
        with one person there) and does not smooth.
    min_visibility : float, default=0.0
        Landmarks less visible than this get NaN coordinates; their visibility is kept.
    min_detection_confidence, min_presence_confidence, min_tracking_confidence : float, default=0.5
        MediaPipe's thresholds.
    target_fps : float, optional
        Resample to this frame rate before the pose is estimated; see :func:`resample_frames`.
    fps : float, default=30.0
        Frame rate of ``video`` where it is an array. Files bring their own times.
    memory : str, path-like or joblib.Memory, optional
        Where to keep results. They are found again by the *content* of video and model file and
        by the parameters that matter: a renamed video is found, a changed one is not.
    allow_telemetry : bool, default=False
        Accept a mediapipe that sends usage metrics over the network; see
        :func:`~skrehab.pose.track.check_telemetry`.
    progress : callable, optional
        Called with the number of frames done, after each frame.

    Returns
    -------
    PoseTrack
        Landmarks in metres and in pixels, and the times of the frames.

    Raises
    ------
    VideoError
        If the video cannot be read, has pictures of more than 8192 pixels a side or 40 million in
        all, or nobody is found in it.
    ModelError
        If there is no model file.
    RuntimeError
        If the installed mediapipe sends usage metrics and ``allow_telemetry`` is False.

    Notes
    -----
    MediaPipe's landmarker runs in VIDEO mode, new for each video, so that the result does not
    depend on what was analysed before; the same video gives the same bits.

    Examples
    --------
    >>> from skrehab.pose import extract_pose
    >>> track = extract_pose("clip.mp4", person="steady")  # doctest: +SKIP
    >>> track.world.shape, track.timestamps[-1], track.coverage  # doctest: +SKIP
    ((100, 33, 4), 1.65, 1.0)
    """
    track = follow_pose(
        video,
        model_path=model_path,
        person=person,
        n_persons=n_persons,
        min_visibility=min_visibility,
        min_detection_confidence=min_detection_confidence,
        min_presence_confidence=min_presence_confidence,
        min_tracking_confidence=min_tracking_confidence,
        target_fps=target_fps,
        fps=fps,
        memory=memory,
        allow_telemetry=allow_telemetry,
        progress=progress,
    )
    if not track.found.any():
        raise VideoError(nobody_found(track))
    return track


def nobody_found(track):
    """Say that a video shows nobody."""
    return (
        f"{track.source}: no person was found in any of its {len(track.timestamps)} frames. Check "
        "that it shows somebody, upright and mostly in view, or lower min_detection_confidence."
    )


def follow_pose(
    video,
    *,
    model_path,
    person,
    n_persons,
    min_visibility,
    min_detection_confidence,
    min_presence_confidence,
    min_tracking_confidence,
    target_fps,
    fps,
    memory,
    allow_telemetry,
    progress=None,
):
    """Do what extract_pose says; a video without a person gives a track of NaN."""
    person = check_person(person)
    if not fps > 0:
        raise ValueError(f"fps must be above 0 frames a second, got {fps!r}.")
    version = check_telemetry(mediapipe_version(), allow_telemetry)
    model_path = find_model(model_path)
    if memory is not None and not hasattr(memory, "cache"):
        memory = str(memory)
    memory = check_memory(memory)
    key = None
    if memory.location is not None:  # hashing is only worth its time where something is kept
        key = (_content_hash(video), _content_hash(model_path), version, _RESULTS)
    ignored, done = ["video", "model_path", "progress", "done"], []
    how = {
        "key": key,
        "fps": None if _is_path(video) else fps,
        "target_fps": target_fps,
        "n_persons": n_persons or default_n_persons(person),
        "confidences": (
            *(min_detection_confidence, min_presence_confidence, min_tracking_confidence),
        ),
    }
    try:
        found = memory.cache(_detect_people, ignore=ignored)(
            video, model_path, progress, done, **how
        )
    except OSError as error:  # of the store: what is wrong with a video is a VideoError
        warnings.warn(
            f"{source_name(video)}: its poses cannot be kept in {memory.location} ({error}).",
            UserWarning,
            stacklevel=3,
        )
        found = done[0] if done else _detect_people(video, model_path, progress, [], **how)
    people, world, times, (width, height) = found
    chosen = choose_person(people, times, (width, height), person)
    image, world = (take_person(array, chosen, min_visibility) for array in (people, world))
    return PoseTrack(source_name(video), times, world, image, width, height)


def check_telemetry(version, allow_telemetry=False):
    """Refuse a mediapipe that reports home, unless that is allowed.

    Parameters
    ----------
    version : str
        Version of mediapipe.
    allow_telemetry : bool, default=False
        Accept it all the same.

    Returns
    -------
    str
        The version.

    Raises
    ------
    RuntimeError
        If it is 0.10.35 or later and ``allow_telemetry`` is False.

    Examples
    --------
    >>> from skrehab.pose.track import check_telemetry
    >>> check_telemetry("0.10.32")
    '0.10.32'
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers >= (0, 10, 35) and not allow_telemetry:
        raise RuntimeError(
            f"mediapipe {version} sends usage metrics to Google over the network while it runs, "
            "as all versions from 0.10.35 do; its privacy notice makes you responsible for the "
            "informed consent of the people in the video. skrehab keeps patient video on this "
            "machine: install a version without (pip install 'mediapipe>=0.10.32,<0.10.34'), or "
            "pass allow_telemetry=True if you have that consent."
        )
    return version


def mediapipe_version():
    """Ask for the version without importing: a cached result needs no mediapipe at work."""
    try:
        return importlib.metadata.version("mediapipe")
    except importlib.metadata.PackageNotFoundError:
        return require("mediapipe", None, "to estimate poses").__version__


def source_name(video):
    """Name a video in messages."""
    return str(video) if _is_path(video) else f"array of shape {np.shape(video)}"


def _is_path(video):
    return isinstance(video, str) or hasattr(video, "__fspath__")


def _content_hash(video):
    if _is_path(video):
        try:
            with open(video, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None  # reading it will say what is wrong; failures are not kept
    array = np.ascontiguousarray(video)
    return hashlib.sha256(array.view(np.uint8).data).hexdigest(), array.shape, str(array.dtype)


def _detect_people(
    video, model_path, progress, done, *, key, fps, target_fps, n_persons, confidences
):
    """Run MediaPipe over a video; return everybody it finds in each frame.

    Returns image landmarks in pixels and world landmarks, each (n_frames, n_persons, 33, 4), the
    times, and the picture's (width, height). The same is put into the list `done`: a store that
    fails then costs nothing.
    """
    source = source_name(video)
    if _is_path(video):
        frames = read_frames(video, target_fps=target_fps)
    else:
        frames = _timed(video, fps)
        if target_fps is not None:
            frames = resample_frames(frames, target_fps, source=source)
    people, worlds, times, before = [], [], [], None
    with (
        closing(frames),
        PeopleDetector(model_path, n_persons, confidences) as detector,
    ):
        for time, frame in frames:
            if frame is not before:  # else it is shown again, to fill a faster grid
                found = _detect(detector, frame, time, source)
            people.append(found[0])
            worlds.append(found[1])
            times.append(time)
            before = frame
            if progress is not None:
                progress(len(times))
    height, width = frame.shape[:2]
    done.append((np.array(people), np.array(worlds), np.array(times), (width, height)))
    return done[0]


def _detect(detector, frame, time, source):
    try:
        return detector.detect(frame, time)
    except (ValueError, RuntimeError, MemoryError) as error:  # in a batch, one video of many
        raise VideoError(
            f"{source}: the picture at {time:.2f} s cannot be used: {error}"
        ) from error


def default_n_persons(person):
    """Say how many people to look for; one is quicker, but leaves no choice."""
    return 1 if person == "largest" else 2


def _timed(video, fps):
    """Give the frames of an array their times."""
    for i, frame in enumerate(video):
        yield i / fps, np.ascontiguousarray(frame)


def take_person(people, chosen, min_visibility):
    """Keep one person of each frame, and of that one only what is visible enough."""
    landmarks = np.full((len(people), *people.shape[2:]), np.nan, dtype=np.float32)
    seen = np.flatnonzero(chosen >= 0)
    landmarks[seen] = people[seen, chosen[seen]]
    landmarks[landmarks[..., 3] < min_visibility, :3] = np.nan
    return landmarks
