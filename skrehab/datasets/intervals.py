"""Labelled intervals in seconds, and the frames they cover."""

import warnings

import numpy as np

from skrehab.formats._names import UnknownRecording
from skrehab.formats.intervals import parse_intervals
from skrehab.trials import UNLABELLED

__all__ = ["intervals_to_frames", "read_intervals"]


def intervals_to_frames(intervals, timestamps, *, background=0):
    """Turn labelled intervals into one label per frame.

    Parameters
    ----------
    intervals : sequence of (float, float, label) or None
        Start and stop in seconds, and the label between: a frame at ``start <= t < stop`` has it.
        None when nobody labelled this trial: all its frames are then -1, "not labelled".
    timestamps : array-like of shape (n_frames,)
        Time of each frame in seconds, from the video itself: a frame number divided by a nominal
        frame rate drifts.
    background : int or str, default=0
        Label of frames in no interval.

    Returns
    -------
    ndarray of shape (n_frames,)
        int, or object when labels are words.

    Raises
    ------
    ValueError
        If an interval is empty, starts after the last frame or ends before the first, or overlaps
        another with another label, or if words and numbers are mixed. An interval between two
        frames brings a warning, and so does one that ends long after the last.

    Examples
    --------
    >>> from skrehab.datasets import intervals_to_frames
    >>> intervals_to_frames([(0.1, 0.3, 1)], [0.0, 0.1, 0.2, 0.3])
    array([0, 1, 1, 0])
    """
    timestamps = np.asarray(timestamps, dtype=float)
    if timestamps.ndim != 1 or not (np.diff(timestamps) > 0).all():
        raise ValueError(f"timestamps must rise from frame to frame, got shape {timestamps.shape}.")
    if intervals is None:
        return np.full(len(timestamps), UNLABELLED)
    words = isinstance(background, str)
    for *_, label in intervals:
        if isinstance(label, str) != words:
            raise ValueError(
                f"Labels are words or numbers, not both: background is {background!r}, an interval "
                f"has {label!r}."
            )
    frames = np.full(len(timestamps), background, dtype=object if words else int)
    taken = np.zeros(len(timestamps), dtype=bool)
    for start, stop, label in intervals:
        if not start < stop:
            raise ValueError(f"Interval {start} to {stop} s is empty: stop must come after start.")
        if stop <= timestamps[0]:
            raise ValueError(
                f"Interval {start} to {stop} s ends before the first frame at {timestamps[0]:.3f} "
                "s. Are its times, and those of the frames, from the start of this video?"
            )
        if start > timestamps[-1]:
            raise ValueError(
                f"Interval {start} to {stop} s starts after the last frame at {timestamps[-1]:.3f} "
                "s. Are its times in seconds, from the start of this video?"
            )
        beyond = stop - timestamps[-1]
        if beyond > max(1.0, 0.1 * (timestamps[-1] - timestamps[0])):
            warnings.warn(
                f"Interval {start} to {stop} s ends {beyond:.1f} s after the last frame, at "
                f"{timestamps[-1]:.3f} s. Are its times in seconds, and of this video?",
                UserWarning,
                stacklevel=2,
            )
        inside = slice(*np.searchsorted(timestamps, [start, stop]))
        if inside.start == inside.stop:
            warnings.warn(
                f"Interval {start} to {stop} s with label {label!r} lies between two frames, and "
                "no frame gets its label.",
                UserWarning,
                stacklevel=2,
            )
        if (frames[inside][taken[inside]] != label).any():
            raise ValueError(f"Interval {start} to {stop} s overlaps one with another label.")
        frames[inside], taken[inside] = label, True
    return frames


def read_intervals(path, as_numbers, names=(), recording=None, **options):
    """Read labelled intervals; errors do not name the file, for callers that name its row.

    Parameters
    ----------
    path : str or path-like
        CSV file with columns ``start, stop, label``, times in seconds; or what ELAN or BORIS
        export. See :func:`skrehab.formats.read_intervals`, which also knows CVAT.
    as_numbers : bool
        Whether labels must be whole numbers.
    names : sequence of str, default=()
        Names by which the file may know this recording, the best first.
    recording : str, optional
        Its name, where the user has given it.
    **options
        ``tier``, ``timestamps`` and ``frame_rate``, as there.

    Returns
    -------
    list of (float, float, int or str)
        Start, stop and label.

    Raises
    ------
    ValueError
        If a row holds no interval; the message names the row, not the file.
    """
    for name in (recording,) if recording else names:
        try:
            return parse_intervals(path, recording=name, as_numbers=as_numbers, **options)
        except UnknownRecording:
            if recording:
                raise
    return parse_intervals(path, as_numbers=as_numbers, **options)
