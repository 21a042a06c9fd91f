"""Turn landmark positions into smooth movement: offset, moving average, scale.

Each step is a pure function on one trial with a thin transformer over it.
"""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import TrialList
from skrehab.preprocessing.pieces import pieces, sum_of
from skrehab.trials import check_frame, check_trials, tag_trial_input

__all__ = ["DisplacementSmoother", "LandmarkScaler", "displacement", "moving_average"]


def displacement(trial):
    """Subtract each coordinate's first valid value.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        Positions; NaN where a landmark was lost.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        Displacement from the first frame in which the landmark was seen, in the same units.
        Landmarks never seen stay NaN.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-C.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import displacement
    >>> displacement(np.array([np.nan, 2.0, 5.0]).reshape(3, 1, 1)).ravel()
    array([nan,  0.,  3.])
    """
    first = np.argmax(~np.isnan(trial), axis=0)  # 0 for a landmark never seen: NaN - NaN is NaN
    return trial - np.take_along_axis(trial, first[None], axis=0)


def moving_average(trial, window=5, causal=True):
    """Average each coordinate over a window of frames, leaving lost landmarks out.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, ...)
        One trial; NaN is not counted.
    window : int, default=5
        Number of frames. An even window that is not causal reaches one frame further back.
    causal : bool, default=True
        Average over the frame and the ``window - 1`` before it, as the authors of the paper do and
        a live stream must; at the start there are fewer. Otherwise the window is centred, which
        costs ``window // 2`` frames of delay, and is cut at both ends.

    Returns
    -------
    ndarray of shape (n_frames, ...)
        The average of the valid values in the window; NaN where it holds none.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-C.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import moving_average
    >>> moving_average(np.array([0.0, 3.0, 6.0, 9.0]), window=3)
    array([0. , 1.5, 3. , 6. ])
    """
    n_frames = len(trial)
    after = 0 if causal else (window - 1) // 2
    valid = ~np.isnan(trial)
    filled = np.where(valid, trial, 0).astype(float)
    total, count = np.zeros(trial.shape), np.zeros(trial.shape, dtype=int)
    # from the oldest frame of the window to the newest, as a mean written out: no running sum, so
    # an hour of frames rounds no worse than five, and a prefix of a causal trial has the same bits
    for ahead in range(max(after - window + 1, 1 - n_frames), min(after + 1, n_frames)):
        to = slice(max(0, -ahead), n_frames - max(0, ahead))
        source = slice(max(0, ahead), n_frames + min(0, ahead))
        total[to] += filled[source]
        count[to] += valid[source]
    with np.errstate(invalid="ignore"):
        mean = total / count
    return mean.astype(trial.dtype, copy=False)


class DisplacementSmoother(TransformerMixin, BaseEstimator):
    """Offset each trial from its first valid frame, and apply a moving average.

    Parameters
    ----------
    window : int, default=5
        Frames in the moving average; 1 switches it off.
    causal : bool, default=True
        Use only past frames, as the authors do, so that what is evaluated offline is what runs
        live: ``transform([x[:t]])[0] == transform([x])[0][:t]``. False centres the window.
    order : {"offset_first", "smooth_first"}, default="offset_first"
        Offset and then average, or average and then take off the first average, as the authors'
        code does. With the window full they differ by how far the first frame lies from the average
        that stands for it: not at all for ``causal=True`` as long as no landmark is lost, since the
        first average is then the first frame; a centred window starts from an average of several
        frames.
    visibility : {"drop", "keep"}, default="drop"
        What becomes of a fourth coordinate, which by the trial contract is the landmark's
        visibility: drop it, or pass it through untouched.

    Attributes
    ----------
    n_landmarks_ : int
        Landmarks seen in fit.
    n_coords_ : int
        Coordinates seen in fit.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section II-C: "Joint positions in each frame were
    offset by their initial trial positions [...] moving average filter with a window of five
    frames".

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import DisplacementSmoother
    >>> walk = np.arange(6.0).reshape(6, 1, 1) + 10
    >>> DisplacementSmoother(window=3).fit_transform([walk])[0].ravel()
    array([0. , 0.5, 1. , 2. , 3. , 4. ], dtype=float32)
    >>> DisplacementSmoother(window=3, causal=False).fit_transform([walk])[0].ravel()
    array([0.5, 1. , 2. , 3. , 4. , 4.5], dtype=float32)
    """

    _parameter_constraints = {
        "window": [Interval(Integral, 1, None, closed="left")],
        "causal": ["boolean"],
        "order": [StrOptions({"offset_first", "smooth_first"})],
        "visibility": [StrOptions({"drop", "keep"})],
    }

    def __init__(self, window=5, *, causal=True, order="offset_first", visibility="drop"):
        self.window = window
        self.causal = causal
        self.order = order
        self.visibility = visibility

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the trials and remember their shape.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : None
            Ignored.

        Returns
        -------
        DisplacementSmoother
            The transformer itself.
        """
        X = check_trials(X)
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        return self

    def transform(self, X):
        """Transform each trial on its own.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords or 3)
            Smoothed displacement, float32, in the units of X.
        """
        check_is_fitted(self)
        X = check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)
        return TrialList(self._transform_one(trial) for trial in X)

    def _transform_one(self, trial):
        position = trial[..., :3] if trial.shape[2] == 4 else trial
        if self.order == "offset_first":
            moved = moving_average(displacement(position), self.window, self.causal)
        else:  # in double until the end, as a file of numbers is read
            smooth = moving_average(position.astype(float), self.window, self.causal)
            moved = displacement(smooth).astype(np.float32)
        if trial.shape[2] != 4 or self.visibility == "drop":
            return moved
        return np.concatenate([moved, trial[..., 3:]], 2)

    def _stream(self):
        """Return what transforms frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        ahead = 0 if self.causal else (self.window - 1) // 2
        if ahead:
            raise ValueError(
                f"it is not causal: a centred window of {self.window} frames looks {ahead} ahead. "
                "Train with DisplacementSmoother(causal=True)."
            )
        shape = (self.n_landmarks_, self.n_coords_)
        return _SmootherStream(shape, self.window, self.order, self.visibility)

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class RunningAverage:
    """Do what a causal `moving_average` does, to the bit, one frame at a time.

    The last `window` frames are kept, and so memory stays the same however long a trial is.

    Parameters
    ----------
    window : int
        Frames in the average.
    shape : tuple of int
        Shape of a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.movement import RunningAverage
    >>> average = RunningAverage(2, ())
    >>> [float(average.push(x)) for x in (1.0, np.nan, 3.0, 5.0)]
    [1.0, 1.0, 3.0, 4.0]
    """

    def __init__(self, window, shape):
        self.n_frames = 0
        self.last = np.full((window, *shape), np.nan)

    def push(self, values):
        """Average the newest frame and those before it.

        Parameters
        ----------
        values : ndarray of the given shape
            The frame; NaN is not counted.

        Returns
        -------
        ndarray of the same shape
            The average, in double precision; NaN where no frame of the window has a value.
        """
        self.last[self.n_frames % len(self.last)] = values  # the newest replaces the oldest
        self.n_frames += 1
        oldest = self.n_frames % len(self.last)
        frames = np.concatenate([self.last[oldest:], self.last[:oldest]])
        valid = ~np.isnan(frames)
        # along the first axis numpy adds one frame after the other, as `moving_average` does
        total = np.add.reduce(np.where(valid, frames, 0), axis=0)
        with np.errstate(invalid="ignore"):
            return total / valid.sum(axis=0)


class _SmootherStream:
    """Do what `displacement` and a causal `moving_average` do, to the bit, one frame at a time."""

    def __init__(self, shape, window, order, visibility):
        self.shape, self.window, self.order = shape, window, order
        self.keep_visibility = shape[1] == 4 and visibility == "keep"
        self.n_moved = 3 if shape[1] == 4 else shape[1]
        self.reset()

    def reset(self):
        shape = (self.shape[0], self.n_moved)
        self.first = np.full(shape, np.nan, dtype=np.float32)
        if self.order == "smooth_first":
            self.first = self.first.astype(float)  # of averages, which are not yet rounded
        self.average = RunningAverage(self.window, shape)

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        moved = frame[:, : self.n_moved]
        if self.order == "offset_first":
            moved = self.average.push(self._offset(moved))
        else:
            moved = self._offset(self.average.push(moved))
        moved = moved.astype(np.float32)
        return np.concatenate([moved, frame[:, 3:]], axis=1) if self.keep_visibility else moved

    def _offset(self, position):
        self.first = np.where(np.isnan(self.first), position, self.first)
        return position - self.first


class LandmarkScaler(TransformerMixin, BaseEstimator):
    """Divide each coordinate of each landmark by its spread over the training frames.

    Networks train faster on features of unit size than on metres. Zero stays zero, so a
    displacement of zero keeps its meaning as the rest pose and as the baseline of integrated
    gradients.

    Parameters
    ----------
    center : bool, default=False
        Also subtract the mean. Zero then no longer means "no movement".

    Attributes
    ----------
    scale_ : ndarray of shape (n_landmarks, n_coords)
        Spread: root mean square, or standard deviation with ``center=True``; 1 where it is zero.
    mean_ : ndarray of shape (n_landmarks, n_coords)
        What is subtracted.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import LandmarkScaler
    >>> X = [np.array([0.0, 2.0, -2.0, 0.0]).reshape(4, 1, 1)]
    >>> LandmarkScaler().fit(X).scale_.round(3)
    array([[1.414]])
    """

    _parameter_constraints = {"center": ["boolean"]}

    def __init__(self, *, center=False):
        self.center = center

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Measure the spread over all frames of the training trials.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials; NaN is left out.
        y : None
            Ignored.

        Returns
        -------
        LandmarkScaler
            The transformer itself.
        """
        count = 0
        for frames in pieces(X):
            count = count + (~np.isnan(frames)).sum(axis=0)
        count = np.maximum(count, 1)
        mean = sum_of(pieces(X)) / count
        self.mean_ = mean if self.center else np.zeros_like(mean)
        spread = np.sqrt(sum_of((frames - self.mean_) ** 2 for frames in pieces(X)) / count)
        self.scale_ = np.where(spread > 0, spread, 1.0)
        return self

    def transform(self, X):
        """Scale each trial.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Scaled trials, float32, without unit.
        """
        check_is_fitted(self)
        n_landmarks, n_coords = self.scale_.shape
        X = check_trials(X, n_landmarks=n_landmarks, n_coords=n_coords)
        return TrialList(((trial - self.mean_) / self.scale_).astype(np.float32) for trial in X)

    def _stream(self):
        """Return what transforms frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        return _ScalerStream(self.mean_, self.scale_)

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class _ScalerStream:
    """Scale one frame at a time; there is nothing to remember."""

    def __init__(self, mean, scale):
        self.mean, self.scale = mean, scale

    def reset(self):
        pass

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.scale.shape)
        return ((frame - self.mean) / self.scale).astype(np.float32)
