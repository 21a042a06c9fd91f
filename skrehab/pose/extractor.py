"""PoseExtractor: video files in, pose trials out, as a scikit-learn transformer."""

import os
import warnings
from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.parallel import Parallel, delayed

from skrehab._fitting import fit_context
from skrehab._parameters import keep_parameters
from skrehab._progress import progress_bar
from skrehab._trial_list import GivesTrials

from .detector import N_LANDMARKS
from .persons import PERSONS, check_person, find_jumps
from .picture import VideoError
from .reader import probe_video
from .stream import PoseStream
from .track import UPSIDE_DOWN, follow_pose, nobody_found, source_name
from .weights import find_model

__all__ = ["PoseExtractor"]

_SHARE = Interval(Real, 0, 1, closed="both")


class PoseExtractor(GivesTrials, TransformerMixin, BaseEstimator):
    """Turn videos into pose trials with MediaPipe's pose landmarker.

    A stateless transformer: ``fit`` learns nothing, and each video is analysed on its own. The
    model file is never downloaded here; see :func:`~skrehab.pose.find_model`.

    Parameters
    ----------
    model_path : str or path-like, default=None
        The ``.task`` file. By default the one named by the environment variable
        ``SKREHAB_MODELS``, or that which ``skrehab models fetch pose_landmarker_full`` installed.
    coordinates : {"world", "image"}, default="world"
        "world": x, y, z in metres, with the origin between the person's hips. "image": in pixels
        of the upright picture, with the same scale in x, y and z (z is 0 at the hips).
    person : str or (float, float, float, float), default="largest"
        Whom to keep where several people are seen: in each frame the "largest", the one nearest to
        the "center", or the largest in a box (x0, y0, x1, y1) of shares of the picture; or one and
        the same person throughout, who gives NaN where lost: "follow" (the largest at the start),
        "seated" (the largest of those who sit at the start), or "steady" (the largest over the
        whole video, and so not live). See :func:`~skrehab.pose.choose_person`.
    n_persons : int, default=None
        How many people to look for. None means 1 for ``person="largest"``, else 2. With 1,
        MediaPipe itself holds on to the person it is surest of, is about 1.6 times as fast, and
        smooths the landmarks; a warning names the videos in which that pose jumps to another
        person.
    min_visibility : float, default=0.0
        Landmarks less visible than this get NaN coordinates; their visibility is kept.
    min_detection_confidence, min_presence_confidence, min_tracking_confidence : float, default=0.5
        MediaPipe's thresholds.
    target_fps : float, default=None
        Resample each video to this frame rate, in frames a second, taking for each point of the
        regular grid the frame nearest in time. Use it where videos differ in frame rate, or vary
        it, as phones do: else the same movement has another speed in frames.
    fps : float, default=30.0
        Frame rate of videos given as arrays. Files bring their own times.
    on_error : {"raise", "skip"}, default="raise"
        What to do about a video that cannot be used. "raise": an error names it. Every file is
        opened before the first is analysed, so that most errors come at once; with ``memory``
        nothing that was finished before an error is lost. "skip": a warning names it, and its
        trial is NaN: of its own length where nobody was found, of one frame where the file is
        damaged.
    n_jobs : int, default=None
        Number of processes, each with a video of its own. None means 1 unless in a
        :obj:`joblib.parallel_config` context; -1 means all processors.
    memory : str, path-like or joblib.Memory, default=None
        Where to keep results, one entry a video, found again by the content of video and model
        file: a renamed video is found, a changed one is not. ``coordinates``, ``person`` (for the
        same ``n_persons``) and ``min_visibility`` may change without a new run. Prefer this to the
        ``memory`` of a Pipeline, which sees file names only.
    allow_telemetry : bool, default=False
        Accept mediapipe 0.10.35 or later, which sends usage metrics over the network while it
        analyses patients' videos. They are refused unless this is True.
    verbose : int, default=0
        1 shows a progress bar: on stderr, or in the cell of a notebook.

    See Also
    --------
    skrehab.pose.extract_pose : The same for one video, with the times of its frames.

    References
    ----------
    V. Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", CVPR Workshop on
    Computer Vision for Augmented and Virtual Reality, 2020.

    Examples
    --------
    >>> from skrehab import PoseExtractor
    >>> poses = PoseExtractor(person="steady", target_fps=15, on_error="skip")
    >>> trials = poses.transform(["monday.mp4", "tuesday.mp4"])  # doctest: +SKIP
    >>> [trial.shape for trial in trials]  # doctest: +SKIP
    [(212, 33, 4), (198, 33, 4)]
    """

    _parameter_constraints = {
        "model_path": [str, os.PathLike, None],
        "coordinates": [StrOptions({"world", "image"})],
        "person": [StrOptions(set(PERSONS)), tuple],
        "n_persons": [Interval(Integral, 1, None, closed="left"), None],
        "min_visibility": [_SHARE],
        "min_detection_confidence": [_SHARE],
        "min_presence_confidence": [_SHARE],
        "min_tracking_confidence": [_SHARE],
        "target_fps": [Interval(Real, 0, None, closed="neither"), None],
        "fps": [Interval(Real, 0, None, closed="neither")],
        "on_error": [StrOptions({"raise", "skip"})],
        "n_jobs": [Integral, None],
        "memory": [str, os.PathLike, HasMethods(["cache"]), None],
        "allow_telemetry": ["boolean"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        model_path=None,
        *,
        coordinates="world",
        person="largest",
        n_persons=None,
        min_visibility=0.0,
        min_detection_confidence=0.5,
        min_presence_confidence=0.5,
        min_tracking_confidence=0.5,
        target_fps=None,
        fps=30.0,
        on_error="raise",
        n_jobs=None,
        memory=None,
        allow_telemetry=False,
        verbose=0,
    ):
        keep_parameters(self, locals())

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters; there is nothing to learn.

        Parameters
        ----------
        X : list of n_trials videos
            Not used.
        y : None
            Not used.

        Returns
        -------
        PoseExtractor
            Itself.
        """
        return self

    def transform(self, X):
        """Extract the pose of one person from each video.

        Parameters
        ----------
        X : list of n_trials videos
            Paths, or uint8 arrays of shape (n_frames_i, height, width, 3), RGB.

        Returns
        -------
        list of ndarray of shape (n_frames_i, 33, 4), dtype float32
            x, y, z and visibility in [0, 1]; NaN where there is nobody.

        Raises
        ------
        TypeError
            If X is not a list of videos.
        VideoError
            If ``on_error="raise"`` and a video cannot be read, or shows nobody. All unreadable
            files found at the start are named together; with ``memory``, what is found later too,
            after all others were analysed and kept.
        ModelError
            If there is no model file.
        RuntimeError
            If mediapipe sends usage metrics and ``allow_telemetry`` is False.
        """
        self._validate_params()
        check_person(self.person)
        videos = _check_videos(X)
        model_path = find_model(self.model_path)
        lengths, failures = _probe(videos)
        if failures and self.on_error == "raise":
            raise VideoError("\n".join(failures.values()))
        options = {
            "model_path": model_path,
            "person": self.person,
            "n_persons": self.n_persons,
            "min_visibility": self.min_visibility,
            "min_detection_confidence": self.min_detection_confidence,
            "min_presence_confidence": self.min_presence_confidence,
            "min_tracking_confidence": self.min_tracking_confidence,
            "target_fps": self.target_fps,
            "fps": self.fps,
            "memory": self.memory,
            "allow_telemetry": self.allow_telemetry,
        }
        # the longest first: else the last one may keep a single process busy for long
        todo = sorted(lengths, key=lengths.get, reverse=True)
        trials = [np.full((1, N_LANDMARKS, 4), np.nan, dtype=np.float32) for _ in videos]
        notes, failed = dict(failures), {}
        # where poses are kept, one bad video costs none of the others, and all are named at once
        at_once = self.on_error == "raise" and self.memory is None
        with _told(self.verbose, len(todo)) as (frame, video):
            if effective_n_jobs(self.n_jobs) == 1:  # else the frames are counted elsewhere
                options["progress"] = frame
            results = Parallel(n_jobs=self.n_jobs, return_as="generator")(
                delayed(_analyse)(videos[i], at_once, options) for i in todo
            )
            for done, (i, (track, failure)) in enumerate(zip(todo, results), 1):
                if track is not None:
                    trials[i] = track.landmarks(self.coordinates)
                if failure:
                    failed[i] = failure
                elif note := _oddity(track, self.person):
                    notes[i] = note
                video(done, source_name(videos[i]))
        if failed and self.on_error == "raise":
            raise VideoError("\n".join(failed[i] for i in sorted(failed)))
        notes |= failed
        for i in sorted(notes):
            warnings.warn(f"X[{i}]: {notes[i]}", UserWarning, stacklevel=3)
        return trials

    def _stream(self):
        """Return what estimates poses picture by picture; see :mod:`skrehab.live`."""
        return PoseStream(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _analyse(video, at_once, options):
    """Return (track, None) or (track or None, what is wrong); raise it if `at_once`."""
    try:
        track = follow_pose(video, **options)
    except VideoError as error:
        if at_once:
            raise
        return None, str(error)
    if track.found.any():
        return track, None
    if at_once:
        raise VideoError(nobody_found(track))
    return track, nobody_found(track)


def _check_videos(X):
    if isinstance(X, (str, bytes, os.PathLike, dict)) or not hasattr(X, "__len__"):
        raise TypeError(
            "X must be a list of videos, paths or uint8 arrays of shape (n_frames, height, width, "
            f"3); got one {type(X).__name__}. For a single video pass [video]."
        )
    if isinstance(X, np.ndarray) and X.dtype != object and X.ndim == 4:
        raise ValueError(
            f"X must be a list of videos; got one array of shape {X.shape}. For a single video "
            "pass [video]."
        )
    if len(X) == 0:
        raise ValueError("X holds no video: at least one is needed.")
    videos = []
    for i, video in enumerate(X):
        if isinstance(video, (str, os.PathLike)):
            videos.append(os.fspath(video))
            continue
        video = np.asarray(video)
        if video.dtype != np.uint8 or video.ndim != 4 or video.shape[3] != 3 or 0 in video.shape:
            raise ValueError(
                f"X[{i}] must be a path or a uint8 array of shape (n_frames, height, width, 3), "
                f"got {video.dtype} of shape {video.shape}."
            )
        videos.append(video)
    return videos


def _probe(videos):
    """Open every file before the first is analysed.

    Returns the expected number of frames of what can be opened, and what is wrong with the rest,
    both by index.
    """
    lengths, failures = {}, {}
    for i, video in enumerate(videos):
        if not isinstance(video, str):
            lengths[i] = len(video)
            continue
        try:
            info = probe_video(video)
        except VideoError as error:
            failures[i] = str(error)
        else:
            lengths[i] = info.n_frames or info.duration * info.fps
    return lengths, failures


def _oddity(track, person):
    """Say when somebody is upside down, or a pose seems to jump; who is followed never does."""
    if track.upside_down:
        return f"{track.source}: {UPSIDE_DOWN}"
    followed = person in ("steady", "follow", "seated")
    jumps = [] if followed else find_jumps(track.image, track.timestamps)
    if not len(jumps):
        return None
    times = ", ".join(f"{track.timestamps[jump]:.2f}" for jump in jumps[:3])
    more = f" and {len(jumps) - 3} more times" if len(jumps) > 3 else ""
    return (
        f"{track.source}: the pose jumps at {times} s{more}, probably from one person to another. "
        "PoseExtractor(person='steady') keeps to one person."
    )


@contextmanager
def _told(verbose, total):
    """Show a bar, or nothing; yields what is told of frames, and of videos that are done."""
    if not verbose:
        yield None, lambda done, name: None
        return
    with progress_bar("Poses of videos", total) as tell:
        yield (
            lambda n_frames: tell(note=f"{n_frames} frames"),
            lambda done, name: tell(done, note=os.path.basename(name)),
        )
