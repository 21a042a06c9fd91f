"""Fill short gaps of lost landmarks, and leave long ones alone."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import TrialList
from skrehab.trials import check_frame, check_trials, tag_trial_input

__all__ = ["GapFiller", "fill_gaps"]

_TIME = Interval(Real, 0, None, closed="neither")


def fill_gaps(trial, max_frames, causal=False):
    """Fill short gaps between frames in which a landmark was seen.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial; NaN where a landmark was lost.
    max_frames : int
        Longest gap to fill, in missing frames.
    causal : bool, default=False
        Hold the last value over the first ``max_frames`` missing frames of *every* gap, as a live
        stream must, which cannot know how long a gap will be. Otherwise gaps of up to
        ``max_frames`` are joined by straight lines, longer ones stay as they are, and so do the
        trial's ends: nothing is ever extrapolated.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        A copy. A fourth coordinate is visibility: where it was lost it becomes 0, since what
        stands there was not seen.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.gaps import fill_gaps
    >>> x = np.array([np.nan, 2, np.nan, 4, np.nan, np.nan, np.nan, 8]).reshape(8, 1, 1)
    >>> fill_gaps(x, 2).ravel()
    array([nan,  2.,  3.,  4., nan, nan, nan,  8.])
    >>> fill_gaps(x, 2, causal=True).ravel()
    array([nan,  2.,  2.,  4.,  4.,  4., nan,  8.])
    """
    out = np.array(trial)
    lost = np.isnan(out)
    if not lost.any():
        return out
    rows = np.arange(len(out)).reshape(-1, 1, 1)
    before = np.maximum.accumulate(np.where(lost, -1, rows), axis=0)
    if causal:
        fill = lost & (before >= 0) & (rows - before <= max_frames)
        t, landmark, coord = np.nonzero(fill)
        out[fill] = out[before[fill], landmark, coord]
    else:
        after = np.where(lost, len(out), rows)[::-1]
        after = np.minimum.accumulate(after, axis=0)[::-1]
        fill = lost & (before >= 0) & (after < len(out)) & (after - before - 1 <= max_frames)
        t, landmark, coord = np.nonzero(fill)
        start, stop = before[fill], after[fill]
        first, last = (out[edge, landmark, coord].astype(float) for edge in (start, stop))
        out[fill] = first + (last - first) * ((t - start) / (stop - start))
    if out.shape[2] == 4:
        out[..., 3][fill[..., 3]] = 0
    return out


class GapFiller(TransformerMixin, BaseEstimator):
    """Fill gaps of lost landmarks, but only short ones.

    A straight line over a tenth of a second is close to what happened; over a second it is
    invented. Longer gaps stay NaN, and nothing is ever extrapolated.

    Parameters
    ----------
    max_gap : float, default=0.2
        Longest gap to fill, in seconds of missing frames.
    frame_rate : float or None, default=30.0
        Frames a second of the trials. None means that ``max_gap`` counts frames.
    causal : bool, default=False
        Hold the last value instead, for at most ``max_gap``: the only way to fill live. What is
        evaluated offline is then what runs live.

    Attributes
    ----------
    max_frames_ : int
        Longest gap in frames.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials seen in fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.gaps import GapFiller
    >>> trial = np.array([0, np.nan, 2, np.nan, np.nan, 5]).reshape(6, 1, 1)
    >>> GapFiller(0.1, frame_rate=10).fit_transform([trial])[0].ravel()
    array([ 0.,  1.,  2., nan, nan,  5.], dtype=float32)
    """

    _parameter_constraints = {
        "max_gap": [_TIME],
        "frame_rate": [_TIME, None],
        "causal": ["boolean"],
    }

    def __init__(self, max_gap=0.2, *, frame_rate=30.0, causal=False):
        self.max_gap = max_gap
        self.frame_rate = frame_rate
        self.causal = causal

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
        GapFiller
            The transformer itself.

        Raises
        ------
        ValueError
            If ``max_gap`` is shorter than one frame.
        """
        X = check_trials(X)
        self.max_frames_ = int(self.max_gap * (self.frame_rate or 1) + 1e-9)
        if not self.max_frames_:
            raise ValueError(
                f"max_gap={self.max_gap:g} s is shorter than a frame at {self.frame_rate} frames "
                "a second; frame_rate=None counts max_gap in frames."
                if self.frame_rate
                else f"max_gap={self.max_gap:g} frames is less than one; frame_rate=... counts "
                "it in seconds."
            )
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        return self

    def transform(self, X):
        """Fill the gaps of each trial.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
            Trials; visibility is 0 where a landmark is a guess.
        """
        check_is_fitted(self)
        X = check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)
        return TrialList(fill_gaps(trial, self.max_frames_, self.causal) for trial in X)

    def _stream(self):
        """Return what transforms frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        if not self.causal:
            raise ValueError(
                "it is not causal: joining both ends of a gap needs the frame after it. Train "
                "with GapFiller(causal=True)."
            )
        return _GapStream((self.n_landmarks_, self.n_coords_), self.max_frames_)

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class _GapStream:
    """Hold the last value of each coordinate for a while, one frame at a time."""

    def __init__(self, shape, max_frames):
        self.shape, self.max_frames = shape, max_frames
        self.reset()

    def reset(self):
        self.held = np.full(self.shape, np.nan, dtype=np.float32)
        self.age = np.zeros(self.shape, dtype=int)

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        lost = np.isnan(frame)
        self.held = np.where(lost, self.held, frame)
        # not beyond the limit: an age must not grow for ever
        self.age = np.where(lost, np.minimum(self.age + 1, self.max_frames + 1), 0)
        out = np.where(self.age <= self.max_frames, self.held, np.float32(np.nan))
        if self.shape[1] == 4:
            guessed = lost[:, 3] & np.isfinite(out[:, 3])
            out[guessed, 3] = 0
        return out
