"""A trained model on one video: from the file to a score a frame."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Assessment", "assess_video"]


@dataclass(frozen=True)
class Assessment:
    """Frame scores of one video.

    Parameters
    ----------
    track : skrehab.pose.PoseTrack
        Pose and times of its frames.
    proba : ndarray of shape (n_frames, n_classes)
        Class probabilities, the normal class first; NaN where nobody was seen.
    resampled_to : float, optional
        Frames a second to which the video was brought, since the model was trained so.
    """

    track: object
    proba: np.ndarray
    resampled_to: float | None = None

    @property
    def score(self):
        """Probability of any class but the normal one, (n_frames,)."""
        return 1 - self.proba[:, 0]


def assess_video(model, video, *, frame_rate=None):
    """Extract the pose from a video and score every frame.

    Parameters
    ----------
    model : Pipeline
        Trained; with a :class:`PoseExtractor` as its first step, whose settings are used, or
        without one.
    video : str or path-like
        Video file.
    frame_rate : float, optional
        Frames a second of the trials that the model was trained on; a video of another rate is
        resampled, see :func:`skrehab.pose.match_frame_rate`.

    Returns
    -------
    Assessment
        Pose, times and probabilities.

    Raises
    ------
    ValueError
        If the model was trained on other landmarks than those that videos give.
    skrehab.pose.VideoError
        If the video cannot be read or shows nobody.
    """
    from skrehab.pose import PoseExtractor, extract_with, match_frame_rate, split_pose_step

    extractor, model = split_pose_step(model)
    if extractor is None:
        extractor = PoseExtractor(person="steady")
        _check_landmarks(model)
    own_rate, extractor = extractor.target_fps, match_frame_rate(extractor, video, frame_rate)
    track = extract_with(extractor, video)
    proba = np.array(model.predict_proba([track.landmarks(extractor.coordinates)])[0], dtype=float)
    proba[~track.found] = np.nan
    return Assessment(track, proba, None if extractor.target_fps == own_rate else frame_rate)


def _check_landmarks(model):
    """Refuse, before a video is analysed, a model of other landmarks than MediaPipe's."""
    seen = [
        (step.n_landmarks_, step.n_coords_)
        for step in getattr(model, "named_steps", {"": model}).values()
        if getattr(step, "n_landmarks_", None) is not None
    ]
    if seen and seen[0] != (33, 4):
        raise ValueError(
            f"This model was trained on {seen[0][0]} landmarks with {seen[0][1]} values, and poses "
            "of videos have 33 with 4 (x, y, z, visibility): it cannot assess videos. Train on "
            "videos, or on files of 'skrehab pose'."
        )
