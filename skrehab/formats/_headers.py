"""What the columns of pose tables hold, told from their titles."""

import re

import numpy as np

from skrehab.formats._bounds import quoted
from skrehab.formats._names import alike_key

# the best first, where a landmark has several
_SCORES = (
    *("score", "likelihood", "confidence", "conf", "visibility", "vis", "probability", "prob"),
    *("certainty", "c", "p", "presence"),
)
_STATES = ("trackingstate", "tracking_state", "tracking state", "tracked", "state")
_NAMED = re.compile(
    rf"(.+?)[_.: ]({'|'.join(('x', 'y', 'z', *_SCORES, *_STATES))})", re.IGNORECASE | re.DOTALL
)
_STATE_WORDS = {"nottracked": 0.0, "inferred": 1.0, "tracked": 2.0}
FRAME_TITLES = (
    *("frame", "frames", "frame#", "frame_id", "frame_idx", "frame_index", "frame_number"),
    *("frame_no", "frame_num", "framenumber", "frame number", "frame no", "frame index"),
)
# an index that pandas writes: rows that were dropped leave gaps in it
INDEX_TITLES = ("", "index", "unnamed: 0")
PICTURE_TITLES = ("image", "image_name", "file", "filename", "file_name", "file name", "picture")
# columns whose values say which recording or person a row belongs to
RECORDING_TITLES = (
    *("trial", "trial_id", "video", "video_id", "video_name", "recording", "recording_id", "file"),
    *("filename", "file_name", "file name", "clip", "movie", "media", "media file", "session"),
    *("observation", "observation id"),
)
PERSON_TITLES = ("track", "track_id", "person", "person_id", "individual", "body_id", "bodyid")


def split_title(title):
    """Landmark and what the column holds: "x", "y", "z", "score:N" by rank, "state"; or None."""
    match = _NAMED.fullmatch(title)
    if not match:
        return None
    kind = match[2].lower()
    if kind in _STATES:
        return match[1], "state"
    return match[1], f"score:{_SCORES.index(kind):02d}" if kind in _SCORES else kind


def is_score(title):
    """Whether a title of a column in long form is one of scores: "score", "state", or None."""
    title = title.lower()
    if title in _STATES and title != "tracked":
        return "state"
    return "score" if title in _SCORES and title not in ("c", "p") else None


def state_score(cell, where):
    """The score of a Kinect's tracking state: 0 not tracked, 1 guessed from others, 2 tracked."""
    try:
        value = _STATE_WORDS.get(alike_key(cell))
        value = float(cell) if value is None else value
    except ValueError:
        value = None
    if value not in (0, 1, 2):
        raise ValueError(f"{where}: {quoted(cell)} is no tracking state: 0, 1 or 2")
    return value / 2


def state_scores(values, where):
    """The same for numbers; NaN stays."""
    values = np.asarray(values, dtype=float)
    if not np.isin(values[~np.isnan(values)], (0, 1, 2)).all():
        raise ValueError(f"{where}: a tracking state is 0, 1 or 2")
    return values / 2
