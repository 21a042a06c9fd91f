"""Tell by the room whether a video is mirrored against another one of the same place."""

from dataclasses import dataclass

import numpy as np

from .picture import VideoError
from .reader import read_frames
from .resampling import resample_frames

__all__ = ["ViewCheck", "compare_views"]

_WIDTH, _HEIGHT = 64, 48
_ALIKE, _CLEAR = 0.4, 0.2


@dataclass(frozen=True)
class ViewCheck:
    """How alike two views are.

    Parameters
    ----------
    same, mirrored : float
        Correlation, in [-1, 1], of the two rooms as they are, and with one of them mirrored.
    verdict : str
        ``"same"``, ``"mirrored"``, or ``"unclear"``.

    Examples
    --------
    >>> from skrehab.pose.views import ViewCheck
    >>> ViewCheck(0.1, 0.9, "mirrored").verdict
    'mirrored'
    """

    same: float
    mirrored: float
    verdict: str


def compare_views(video, reference, *, fps=30.0, seconds=30.0):
    """Compare the rooms of two videos, as they are and mirrored.

    A mirrored person cannot be told from another person; but a room with its door at the left is
    known. So: film, once, with a camera known not to mirror, from the usual place.

    Parameters
    ----------
    video, reference : str, path-like, or ndarray of shape (n_frames, height, width, 3), dtype uint8
        A video file, or RGB frames.
    fps : float, default=30.0
        Frame rate of arrays.
    seconds : float, default=30.0
        How much of each to look at, two pictures a second.

    Returns
    -------
    ViewCheck
        A verdict needs a correlation of 0.4 on one side, and 0.2 more than on the other.

    Raises
    ------
    VideoError
        If a video cannot be read.

    Notes
    -----
    The room is the median over time, so people must move, or be small. It is "unclear" where the
    camera stood elsewhere, the room is bare, or its own mirror image.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose import compare_views
    >>> rng = np.random.RandomState(0)
    >>> room = rng.randint(0, 255, (1, 12, 16, 3), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
    >>> compare_views(room[:, :, ::-1], room).verdict
    'mirrored'
    """
    one, other = (_room(source, fps, seconds) for source in (video, reference))
    same, mirrored = _correlation(one, other), _correlation(one[:, ::-1], other)
    verdict = "unclear"
    if max(same, mirrored) >= _ALIKE and abs(same - mirrored) >= _CLEAR:
        verdict = "same" if same > mirrored else "mirrored"
    return ViewCheck(round(same, 3), round(mirrored, 3), verdict)


def _room(source, fps, seconds):
    """Median picture in grey, small, without its slow changes of light; (height, width)."""
    from PIL import Image

    if isinstance(source, np.ndarray):
        frames = resample_frames(((i / fps, frame) for i, frame in enumerate(source)), 2)
    else:
        frames = read_frames(source, target_fps=2, max_size=256)
    small = []
    for time, frame in frames:
        if time > seconds:
            break
        image = Image.fromarray(np.ascontiguousarray(frame)).convert("L")
        small.append(np.asarray(image.resize((_WIDTH, _HEIGHT), Image.Resampling.BOX), dtype=float))
    if not small:
        raise VideoError(f"{source if not isinstance(source, np.ndarray) else 'array'}: no frame.")
    room = np.median(small, axis=0)
    slow = Image.fromarray(room.astype(np.float32)).resize((6, 4), Image.Resampling.BOX)
    return room - np.asarray(slow.resize((_WIDTH, _HEIGHT), Image.Resampling.BILINEAR))


def _correlation(one, other):
    spread = one.std() * other.std()
    return float(np.mean((one - one.mean()) * (other - other.mean())) / spread) if spread else 0.0
