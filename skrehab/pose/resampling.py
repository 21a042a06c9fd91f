"""Put timed pictures on a regular grid, and make no more of them than a video can want."""

import numpy as np

from .picture import VideoError

__all__ = ["resample_frames"]

# Pictures that resampling makes: at most so many for one gap, and in all so many plus so many times
# the frames that came. Four frames with a day between them would else become 2.6 million.
_MOST_IN_GAP, _MOST_FREE, _MOST_TIMES = 2000, 20_000, 16


def resample_frames(frames, target_fps, *, source="the video"):
    """Put timed frames on a regular grid by taking the nearest one.

    Grid points lie ``1 / target_fps`` apart, from the first frame's time to the last one's. Each
    takes the frame nearest in time, the earlier of two equally near; nothing is blended. Where
    the source is slower than the grid the same array is yielded again.

    Parameters
    ----------
    frames : iterable of (float, ndarray)
        Times in seconds, strictly increasing, and pictures.
    target_fps : float
        Frames a second, above 0.
    source : str or path-like, default="the video"
        Whose frames they are, for errors.

    Returns
    -------
    generator of (float, ndarray)
        Grid times in seconds, and the nearest pictures.

    Raises
    ------
    ValueError
        If ``target_fps`` is not a finite number above 0.
    VideoError
        If a gap between two frames would take more than 2,000 copies of a picture to fill, or more
        than 20,000 frames and sixteen for each one that came would be made in all.

    Examples
    --------
    >>> from skrehab.pose import resample_frames
    >>> uneven = [(0.0, "a"), (0.1, "b"), (0.45, "c"), (0.5, "d"), (1.0, "e")]
    >>> [frame for time, frame in resample_frames(uneven, target_fps=4)]
    ['a', 'b', 'd', 'd', 'e']
    """
    if not 0 < target_fps < np.inf:
        raise ValueError(f"target_fps must be above 0 frames a second, got {target_fps!r}.")
    return _resampled(iter(frames), 1.0 / target_fps, source)


def _resampled(frames, step, source):
    previous = next(frames, None)
    if previous is None:
        return
    start, k = previous[0], 0
    for count, current in enumerate(frames, start=2):
        _check_gap(previous[0], current[0], start + k * step, step, source)
        if k > _MOST_FREE + _MOST_TIMES * count:
            raise VideoError(
                f"{source}: its first {count} frames would become more than {k} at {1 / step:g} "
                "frames a second. Choose a target_fps near the rate at which it was filmed."
            )
        # every grid point up to the middle between two frames belongs to the earlier one
        middle = (previous[0] + current[0]) / 2 + 1e-9
        while start + k * step <= middle:
            yield start + k * step, previous[1]
            k += 1
        previous = current
    while start + k * step <= previous[0] + step / 2 - 1e-9:
        yield start + k * step, previous[1]
        k += 1


def _check_gap(last, now, due, step, source):
    """Refuse to fill a gap between two frames with thousands of copies."""
    if now - last <= _MOST_IN_GAP * step or now - due <= _MOST_IN_GAP * step:
        return
    raise VideoError(
        f"{source}: no frame comes between {last:.2f} s and {now:.2f} s, a gap of {now - last:.6g} "
        f"s; to fill it at {1 / step:g} frames a second takes {(now - last) / step:.0f} copies of "
        f"a picture, and at most {_MOST_IN_GAP} are made. Cut the video there, or choose another "
        "target_fps or none."
    )
