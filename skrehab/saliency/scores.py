"""From the attribution of one trial to one value a frame: sign, smoothing, landmarks, scale.

The steps are those of the code of Mesquita et al. 2025 (arXiv:2506.03752), in their order; what
their paper leaves open can be chosen. Arrays in, arrays out.
"""

from numbers import Integral

import numpy as np

__all__ = [
    "AGGREGATIONS",
    "COORDS",
    "SCALES",
    "SMOOTHINGS",
    "check_smooth",
    "frame_scores",
    "highest_score",
    "min_max",
    "score_frames",
    "smooth_frames",
]

#: Ways to reduce a map to a number a frame, see :func:`skrehab.saliency.frame_scores`.
AGGREGATIONS = ("positive", "sum", "mean", "max", "signed")
#: Coordinates of a landmark that count: their sum, or the first alone.
COORDS = ("sum", "first")
#: What is scaled to [0, 1]: the whole map, or the scores of its frames.
SCALES = ("map", "frames")
#: Ways to average over frames, see :func:`skrehab.saliency.smooth_frames`.
SMOOTHINGS = ("zero_padded", "centred", "causal")


def frame_scores(attribution, aggregate="sum"):
    """Reduce one trial's attribution to one value a frame.

    Parameters
    ----------
    attribution : ndarray of shape (n_frames, n_landmarks, n_coords)
        Attribution of one trial.
    aggregate : {"positive", "sum", "mean", "max", "signed"}, default="sum"
        Sum over landmarks and coordinates of what speaks *for* the class; sum, mean or largest
        absolute value; or the sum with its sign, so that frames which speak against the class
        score low.

    Returns
    -------
    ndarray of shape (n_frames,)
        The score of each frame, not normalised.

    Raises
    ------
    ValueError
        If `aggregate` is unknown.

    References
    ----------
    Mesquita et al. 2025, section II-E1: "we aggregate gradients frame by frame"; their code takes
    ``"positive"``, after smoothing and scaling: see :func:`score_frames`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.saliency import frame_scores
    >>> attribution = np.array([[[1.0, -2.0]], [[0.5, 0.0]]])
    >>> frame_scores(attribution), frame_scores(attribution, "positive")
    (array([3. , 0.5]), array([1. , 0.5]))
    """
    return score_frames(attribution, aggregate=aggregate, scale=None)


def score_frames(
    attribution, *, aggregate="positive", smooth=0, coords="sum", scale="map", z_clip=None
):
    """Turn one trial's attribution into pseudo-scores.

    In this order: the sign (`aggregate`), the moving average of every input channel over time
    (`smooth`), one value a landmark (`coords`), scaling (`z_clip`, `scale`), one value a frame.

    Parameters
    ----------
    attribution : ndarray of shape (n_frames, n_landmarks, n_coords)
        Attribution of one trial, in units of the logit; without padding.
    aggregate : {"positive", "sum", "mean", "max", "signed"}, default="positive"
        What of each value counts, and how the values of a frame become one: the sum of those
        above zero, as the authors; the sum, mean or largest of the absolute values; or the sum of
        the values with their signs.
    smooth : int or (str, int), default=0
        Frames of the moving average, see :func:`smooth_frames`; 0 and 1 switch it off.
    coords : {"sum", "first"}, default="sum"
        What of a landmark's coordinates is seen: all, or the first one alone. The authors shrink
        each landmark's three coordinates to one by nearest neighbours, which keeps the first; the
        sum is the sane reading of it.
    scale : {"map", "frames"} or None, default="map"
        ``"map"``: min-max over frames x landmarks of the trial to [0, 1] *before* landmarks are put
        together, as the authors; a sum then lies between 0 and the number of landmarks.
        ``"frames"``: min-max of the frames' scores to [0, 1]. None: units of the logit.
    z_clip : float, optional
        Before min-max: take off the mean, divide by the standard deviation, and clip to plus and
        minus this; 3 in later versions of the authors' code.

    Returns
    -------
    ndarray of shape (n_frames,)
        Pseudo-scores; zeros if nothing stands out.

    Raises
    ------
    ValueError
        If a choice is unknown.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-E1, and the authors' public code.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.saliency import score_frames
    >>> attribution = np.array([[[1.0], [-3.0]], [[4.0], [2.0]]])  # two frames, two landmarks
    >>> score_frames(attribution)  # positive parts 1, 0; 4, 2, divided by 4
    array([0.25, 1.5 ])
    >>> score_frames(attribution, scale="frames")
    array([0., 1.])
    """
    for name, value, known in (
        ("aggregate", aggregate, AGGREGATIONS),
        ("coords", coords, COORDS),
        ("scale", scale, (*SCALES, None)),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {known}, got {value!r}.")
    values = attribution[..., :1] if coords == "first" else attribution
    if aggregate == "positive":
        values = np.maximum(values, 0)
    elif aggregate != "signed":
        values = np.abs(values)
    values = smooth_frames(values, smooth)
    reduce = {"mean": np.mean, "max": np.max}.get(aggregate, np.sum)
    if scale == "map":
        return reduce(_unit(reduce(values, axis=2), z_clip), axis=1)
    scores = reduce(values, axis=(1, 2))
    return scores if scale is None else _unit(scores, z_clip)


def _unit(values, z_clip):
    """Min-max to [0, 1], of z-scores clipped on both sides if wanted."""
    if z_clip is not None:
        spread = values.std()
        if not spread > 0:
            return np.zeros_like(values)
        values = ((values - values.mean()) / spread).clip(-z_clip, z_clip)
    return min_max(values)


def highest_score(n_landmarks, *, aggregate="positive", scale="map"):
    """Tell the highest score that a trial's frame can have.

    Parameters
    ----------
    n_landmarks : int
        Landmarks of the trials.
    aggregate, scale : str
        See :func:`score_frames`.

    Returns
    -------
    float
        The number of landmarks where landmarks are summed on the scale of the map, else 1.

    Examples
    --------
    >>> from skrehab.saliency import highest_score
    >>> highest_score(33), highest_score(33, scale="frames")
    (33.0, 1.0)
    """
    return float(n_landmarks) if scale == "map" and aggregate not in ("mean", "max") else 1.0


def min_max(scores):
    """Scale one trial's values to [0, 1].

    Parameters
    ----------
    scores : ndarray
        Frame scores, or a map of them.

    Returns
    -------
    ndarray of the same shape
        Pseudo-scores; zeros if all are equal, which singles nothing out.

    References
    ----------
    Mesquita et al. 2025, section II-E1.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.saliency import min_max
    >>> min_max(np.array([2.0, 4.0, 3.0]))
    array([0. , 1. , 0.5])
    """
    low, high = scores.min(), scores.max()
    if not high > low:
        return np.zeros_like(scores)
    return (scores - low) / (high - low)


def smooth_frames(values, smooth):
    """Average over a window of frames.

    Parameters
    ----------
    values : ndarray of shape (n_frames, ...)
        One trial's values.
    smooth : int or (str, int)
        Frames w of the window. A number is the authors' way, ``("zero_padded", w)``: frame t
        becomes the sum over frames ``t - w // 2`` to ``t + (w - 1) // 2``, where those before the
        first and behind the last count as zero, divided by w always; an even window so reaches one
        frame further back. Two ways of ours cut the window at the ends of the trial instead, and
        divide by the frames that are left: ``("centred", w)`` over the same frames, ``("causal",
        w)`` over frames ``t - w + 1`` to t.

    Returns
    -------
    ndarray of shape (n_frames, ...)
        The averages, in the type of `values`.

    Raises
    ------
    ValueError
        If `smooth` is neither a whole number from 0 on nor a pair of a known way and one.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.saliency import smooth_frames
    >>> smooth_frames(np.array([2.0, 2.0, 2.0, 6.0]), 2)
    array([1., 2., 2., 4.])
    >>> smooth_frames(np.array([2.0, 2.0, 2.0, 6.0]), ("causal", 2))
    array([2., 2., 2., 4.])
    """
    way, window = check_smooth(smooth)
    if window <= 1:
        return values
    n_frames = len(values)
    after = 0 if way == "causal" else (window - 1) // 2
    stop = np.arange(n_frames) + after + 1
    start = np.maximum(stop - window, 0)
    stop = np.minimum(stop, n_frames)
    begin = np.zeros((1, *values.shape[1:]))
    running = np.concatenate([begin, np.cumsum(values, axis=0, dtype=float)])
    count = np.full(n_frames, window) if way == "zero_padded" else stop - start
    mean = (running[stop] - running[start]) / count.reshape(-1, *[1] * (values.ndim - 1))
    return mean.astype(values.dtype, copy=False)


def check_smooth(smooth):
    """Read the two ways of saying how to smooth.

    Parameters
    ----------
    smooth : int or (str, int)
        See :func:`smooth_frames`.

    Returns
    -------
    (str, int)
        The way and the window.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> from skrehab.saliency import check_smooth
    >>> check_smooth(8)
    ('zero_padded', 8)
    """
    pair = tuple(smooth) if isinstance(smooth, tuple | list) else ("zero_padded", smooth)
    whole = len(pair) == 2 and isinstance(pair[1], Integral) and not isinstance(pair[1], bool)
    if not whole or pair[0] not in SMOOTHINGS or pair[1] < 0:
        raise ValueError(
            f"smooth must be a number of frames from 0 on, or a pair such as ('causal', 8) of one "
            f"of {SMOOTHINGS} and a number of frames; got {smooth!r}."
        )
    return pair[0], int(pair[1])
