"""The pose step of a model, as those need it who show the model one video."""

from numbers import Real

from sklearn.base import clone

from .extractor import PoseExtractor
from .reader import probe_video
from .track import extract_pose

__all__ = ["extract_with", "match_frame_rate", "split_pose_step"]

_FASTEST = 1000.0  # frames a second that a model can have been trained at
_TOLERANCE = 1.1  # 29.97 frames a second are 30
# how an extractor treats many videos, and which coordinates it returns: not of one video's pose
_OF_MANY = ("coordinates", "on_error", "n_jobs", "verbose")


def split_pose_step(model):
    """Take the pose step off a model.

    Parameters
    ----------
    model : estimator
        Any model; it is not changed.

    Returns
    -------
    extractor : PoseExtractor or None
        A copy of the model's first step if that is a :class:`PoseExtractor`.
    rest : estimator
        What takes poses.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> import skrehab
    >>> from skrehab.pose import split_pose_step
    >>> model = make_pipeline(skrehab.PoseExtractor(target_fps=15), skrehab.FrameMLP())
    >>> extractor, rest = split_pose_step(model)
    >>> extractor, [name for name, _ in rest.steps]
    (PoseExtractor(target_fps=15), ['framemlp'])
    """
    steps = getattr(model, "steps", [("", model)])
    if not isinstance(steps[0][1], PoseExtractor):
        return None, model
    return clone(steps[0][1]), model[1:]


def match_frame_rate(extractor, video, frame_rate):
    """Let a video come at the frame rate that a model was trained at.

    A moving average over five frames is 0.17 s at 30 frames a second and 0.5 s at 10: a model sees
    another movement in a video of another rate.

    Parameters
    ----------
    extractor : PoseExtractor
        It is not changed.
    video : str or path-like
        Video file.
    frame_rate : float or None
        Of the training trials, frames a second; None where nobody knows.

    Returns
    -------
    PoseExtractor
        The extractor itself where it has a rate of its own, the video says none, or both differ by
        less than a tenth; else a copy that resamples.

    Raises
    ------
    VideoError
        If the video cannot be read.
    ValueError
        If ``frame_rate`` is not a number above 0 and at most 1000.

    Examples
    --------
    >>> from skrehab import PoseExtractor
    >>> from skrehab.pose import match_frame_rate
    >>> match_frame_rate(PoseExtractor(target_fps=15), "clip.mp4", 30.0)  # knows its own
    PoseExtractor(target_fps=15)
    """
    if frame_rate is None or extractor.target_fps is not None:
        return extractor
    number = isinstance(frame_rate, Real) and not isinstance(frame_rate, bool)
    if not number or not 0 < frame_rate <= _FASTEST:  # it may come from a file beside the model
        raise ValueError(
            f"frame_rate must be a number above 0 and at most {_FASTEST:g} frames a second, got "
            f"{frame_rate!r}. It is the rate of the trials that the model was trained on; mend it "
            "in the model's metadata, or leave it out."
        )
    own = probe_video(video).fps
    if not own or max(own / frame_rate, frame_rate / own) < _TOLERANCE:
        return extractor
    return clone(extractor).set_params(target_fps=frame_rate)


def extract_with(extractor, video, *, progress=None):
    """Extract the pose from one video as an extractor is set.

    Parameters
    ----------
    extractor : PoseExtractor
        Its settings are used.
    video : str or path-like
        Video file.
    progress : callable, optional
        See :func:`extract_pose`.

    Returns
    -------
    PoseTrack
        Pose and times.

    Raises
    ------
    VideoError
        If the video cannot be read or shows nobody.

    Examples
    --------
    >>> from skrehab import PoseExtractor
    >>> from skrehab.pose import extract_with
    >>> extract_with(PoseExtractor(target_fps=15), "clip.mp4").world.shape  # doctest: +SKIP
    (212, 33, 4)
    """
    options = extractor.get_params()
    for name in _OF_MANY:
        options.pop(name)
    return extract_pose(video, progress=progress, **options)
