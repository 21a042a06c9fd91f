"""A classifier of clips slid over a longer video: probabilities of every frame, and actions."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from skrehab.pose.reader import read_frames

__all__ = ["find_actions", "frame_probabilities", "slide", "window_starts"]

_BYTES = 2**28  # of pictures at a time


def window_starts(n_frames, length, step):
    """First frames of windows over a video, the last of which ends with it.

    Parameters
    ----------
    n_frames : int
        Frames of the video.
    length, step : int
        Frames of a window, and from one to the next.

    Returns
    -------
    list of int
        First frames; one window from 0 if the video is no longer than that.

    Examples
    --------
    >>> from skrehab.inspection._sliding import window_starts
    >>> window_starts(10, 4, 3), window_starts(11, 4, 3), window_starts(3, 4, 3)
    ([0, 3, 6], [0, 3, 6, 7], [0])
    """
    last = max(0, n_frames - length)
    starts = list(range(0, last + 1, step))
    return starts if starts[-1] == last else [*starts, last]


def slide(classifier, video, *, window, step, frame_rate=None, progress=None):
    """Ask a classifier about every window of a video.

    A file is decoded once, and only a part of it is held at a time.

    Parameters
    ----------
    classifier : estimator
        Fitted; ``predict_proba`` takes a list of clips.
    video : path-like or ndarray of shape (n_frames, ...)
        The video, or a pose.
    window, step : float
        Seconds of a window, and from one to the next.
    frame_rate : float, optional
        Frames a second of an array; of a file its own times count.
    progress : callable, optional
        Called with the number of frames done.

    Returns
    -------
    times : ndarray of shape (n_frames,)
        Of each frame, in seconds.
    starts : list of int
        First frame of each window.
    length : int
        Frames of a window.
    proba : ndarray of shape (n_windows, n_classes)
        What the classifier said of each.

    Raises
    ------
    ValueError
        If an array has no frame rate, or there is no frame.
    skrehab.pose.VideoError
        If a file cannot be read.
    """
    if not isinstance(video, (str, Path)):
        if not frame_rate or frame_rate <= 0:
            raise ValueError("An array of frames needs frame_rate=, frames a second.")
        if len(video) == 0:
            raise ValueError("The video has no frame.")
        times = np.arange(len(video)) / frame_rate
        length, hop = _in_frames(window, step, frame_rate)
        starts = window_starts(len(video), length, hop)
        size = max(1, int(np.prod(np.shape(video)[1:])))
        many = max(1, (_BYTES // size - length) // hop)
        rows = []
        for first in range(0, len(starts), many):
            clips = [np.asarray(video[s : s + length]) for s in starts[first : first + many]]
            rows.append(classifier.predict_proba(clips))
            if progress is not None:
                progress(min(len(video), starts[min(len(starts), first + many) - 1] + length))
        return times, starts, min(length, len(video)), np.concatenate(rows)
    return _slide_file(classifier, Path(video), window, step, progress)


def _in_frames(window, step, frame_rate):
    return max(1, round(window * frame_rate)), max(1, round(step * frame_rate))


def _slide_file(classifier, path, window, step, progress):
    """Keep the frames of the windows to come, and ask about some windows at a time."""
    times, starts, rows = [], [], []
    held, first, length, hop = [], 0, None, None

    def ask(many):
        clips = [np.stack(held[s - first : s - first + length]) for s in many]
        rows.append(classifier.predict_proba(clips))
        starts.extend(many)
        if progress is not None:
            progress(many[-1] + length)

    waiting = []
    for time, frame in read_frames(path):
        times.append(time)
        held.append(frame)
        if length is None and len(times) == 10:  # the rate that the first frames come at
            length, hop = _in_frames(window, step, 9 / (times[-1] - times[0]))
            most = max(1, _BYTES // (frame.nbytes * length))
        if length is None:
            continue
        start = (len(starts) + len(waiting)) * hop
        if len(times) >= start + length:
            waiting.append(start)
        if len(waiting) >= most:
            ask(waiting)
            waiting = []
            # those of the windows to come, and of one that ends with the video
            kept = min(len(starts) * hop, len(times) - length)
            held, first = held[kept - first :], kept
    if length is None:
        length, hop = max(1, len(times)), 1
    length = min(length, len(times))
    last = len(times) - length
    if not (starts or waiting) or (waiting or starts)[-1] != last:
        waiting.append(last)
    if waiting:
        ask(waiting)
    return np.asarray(times), starts, length, np.concatenate(rows)


def frame_probabilities(proba, starts, length, n_frames):
    """Mean over the windows that hold a frame of what was said of them.

    Parameters
    ----------
    proba : ndarray of shape (n_windows, n_classes)
        Of windows.
    starts : list of int
        First frame of each window.
    length : int
        Frames of a window.
    n_frames : int
        Frames of the video.

    Returns
    -------
    ndarray of shape (n_frames, n_classes)
        Of frames. Windows weigh less towards their ends: what is in the middle of a clip decided.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.inspection._sliding import frame_probabilities
    >>> frame_probabilities(np.array([[1.0, 0.0], [0.0, 1.0]]), [0, 2], 3, 5)[:, 0].tolist()
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """
    weight = np.bartlett(length + 2)[1:-1]
    total, norm = np.zeros((n_frames, proba.shape[1])), np.zeros(n_frames)
    for start, row in zip(starts, proba):
        part = slice(start, start + length)
        own = weight[: len(norm[part])]
        total[part] += own[:, None] * row
        norm[part] += own
    return total / np.maximum(norm, np.finfo(float).tiny)[:, None]


def find_actions(proba, times, min_seconds=0.4):
    """Cut a video into actions: runs of frames of one class, none shorter than allowed.

    The shortest run that is too short goes to the neighbour that its frames speak for more, until
    there is none.

    Parameters
    ----------
    proba : ndarray of shape (n_frames, n_classes)
        Of frames.
    times : ndarray of shape (n_frames,)
        In seconds.
    min_seconds : float, default=0.4
        Shortest action.

    Returns
    -------
    list of (int, int, int)
        First frame, the one behind the last, and column of the class of each action.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.inspection._sliding import find_actions
    >>> likely = np.repeat([0, 1, 0, 1], [10, 1, 9, 10])
    >>> find_actions(np.eye(2)[likely], np.arange(30) / 10)
    [(0, 20, 0), (20, 30, 1)]
    """
    best = proba.argmax(axis=1)
    edges = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), len(best)]
    runs = [[a, b, int(best[a])] for a, b in pairwise(edges)]
    frame = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    while len(runs) > 1:
        lengths = [times[b - 1] - times[a] + frame for a, b, _ in runs]
        i = int(np.argmin(lengths))
        if lengths[i] >= min_seconds - 1e-9:
            break
        a, b, _ = runs[i]
        beside = [j for j in (i - 1, i + 1) if 0 <= j < len(runs)]
        into = max(beside, key=lambda j: proba[a:b, runs[j][2]].mean())
        runs[i][2] = runs[into][2]
        joined = []
        for run in runs:
            if joined and joined[-1][2] == run[2]:
                joined[-1][1] = run[1]
            else:
                joined.append(run)
        runs = joined
    return [tuple(run) for run in runs]
