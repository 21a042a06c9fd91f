"""RocketFeatures: thousands of random numbers a trial, for a linear model in closed form."""

from itertools import combinations
from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skrehab.preprocessing.movement_summary import fill_all
from skrehab.preprocessing.trial_steps import TrialTransformer

__all__ = ["RocketFeatures", "kernel_dilations"]

TAPS = 9
# a kernel has the weight 2 at three of its nine taps, and -1 at the others
TRIOS = list(combinations(range(TAPS), 3))
MOST_DILATIONS = 32
MOST_CHANNELS = 9  # coordinates that one kernel looks at
AT_ONCE = 128  # trials
SOME = 8  # thresholds; what they are compared with stays in the processor's cache


def kernel_dilations(n_frames, n_each):
    """Spread the features of a kernel over its dilations, most of them over the small ones.

    Parameters
    ----------
    n_frames : int
        Frames of a trial, 9 or more.
    n_each : int
        Features of each kernel.

    Returns
    -------
    dilations, counts : ndarray of int of shape (n_dilations,)
        How far apart the taps are, and how many features there are; the counts sum to `n_each`.

    References
    ----------
    Dempster et al. 2021, arXiv:2012.08791, section 3.1.3.

    Examples
    --------
    >>> from skrehab.preprocessing.rocket_features import kernel_dilations
    >>> dilations, counts = kernel_dilations(60, 119)
    >>> dilations.tolist(), counts.tolist()
    ([1, 2, 3, 4, 5, 6, 7], [41, 27, 15, 11, 11, 11, 3])
    """
    n_places = min(n_each, MOST_DILATIONS)
    longest = np.log2((n_frames - 1) / (TAPS - 1))
    places = np.logspace(0, longest, n_places, base=2).astype(int)
    dilations, counts = np.unique(places, return_counts=True)
    counts = (counts * (n_each / n_places)).astype(int)
    left = n_each - counts.sum()
    counts += left // len(counts) + (np.arange(len(counts)) < left % len(counts))
    return dilations, counts


class RocketFeatures(TrialTransformer, auto_wrap_output_keys=("transform",)):
    """Describe each trial by how often random convolutions of it are high: MiniRocket.

    84 fixed kernels look at random sums of up to nine coordinates, at several time scales; a
    feature is the share of frames at which a response is above a threshold, which is a quantile of
    the response to a random training trial. Nothing is learned from labels: put a
    :class:`~sklearn.preprocessing.StandardScaler` and a :class:`~skrehab.PatientRidgeClassifier`
    behind it, which are solved in closed form.

    Parameters
    ----------
    n_features : int, default=5000
        Features, 84 or more; rounded down to a multiple of 84.
    n_frames : int, default=60
        Frames that trials are resampled to, linear in time; 9 or more. The duration is lost.
    random_state : int, RandomState or None, default=None
        Seed of the coordinates of each kernel and of the trials that thresholds are taken from.

    Attributes
    ----------
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials.
    n_frames_, n_thresholds_ : int
        Frames that trials are resampled to, and features of each of the 84 kernels.
    channels_ : ndarray of shape (n_dilations * 84, 9), dtype int
        The coordinates that each kernel sums at each dilation; -1 stands for none.
    biases_ : ndarray of shape (n_features,), dtype float32
        Thresholds.

    Notes
    -----
    It needs the whole trial: it does not run live. A lost landmark is filled by straight lines, one
    never seen by zeros. Coordinates should be of one scale, as :class:`~skrehab.BoneVectors` gives
    them, since a kernel adds several up.

    References
    ----------
    A. Dempster, D. Schmidt, G. Webb, "MiniRocket: A Very Fast (Almost) Deterministic Transform for
    Time Series Classification", KDD 2021, arXiv:2012.08791; several channels as in the authors'
    implementation.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrehab import BoneVectors, PatientRidgeClassifier, RocketFeatures
    >>> from skrehab.datasets import make_rehab_trials
    >>> from skrehab.pseudo_labels import PatientPipeline
    >>> data = make_rehab_trials(4, 2, "brush_hair", random_state=0)
    >>> model = PatientPipeline([
    ...     ("bones", BoneVectors()),
    ...     ("rocket", RocketFeatures(random_state=0)),
    ...     ("scale", StandardScaler()),
    ...     ("ridge", PatientRidgeClassifier()),
    ... ]).fit(data.X, data.y, groups=data.groups)
    >>> model[:2].transform(data.X).shape == (len(data.X), 4956)
    True
    """

    _parameter_constraints = {
        "n_features": [Interval(Integral, len(TRIOS), None, closed="left")],
        "n_frames": [Interval(Integral, TAPS, None, closed="left")],
        "random_state": ["random_state"],
    }

    set_output = TransformerMixin.set_output  # of tables

    def __init__(self, n_features=5000, *, n_frames=60, random_state=None):
        self.n_features = n_features
        self.n_frames = n_frames
        self.random_state = random_state

    def _learn(self, X):
        super()._learn(X)
        rng = check_random_state(self.random_state)
        n_channels = self.n_landmarks_ * self.n_coords_
        self.n_frames_, self.n_thresholds_ = self.n_frames, self.n_features // len(TRIOS)
        dilations, counts = self._dilations()
        most = min(n_channels, MOST_CHANNELS)
        self.channels_ = np.full((len(dilations) * len(TRIOS), MOST_CHANNELS), -1)
        for row in self.channels_:
            n_used = int(2 ** rng.uniform(0, np.log2(most + 1)))
            row[:n_used] = rng.choice(n_channels, n_used, replace=False)
        # multiples of the golden ratio fill the interval evenly, wherever they are cut off
        levels = np.arange(1, len(TRIOS) * counts.sum() + 1) * (np.sqrt(5) + 1) / 2 % 1
        chosen = rng.randint(len(X), size=len(self.channels_))
        flat = {i: self._resampled([X[i]])[:, :, 0] for i in np.unique(chosen)}
        biases, start = [], 0
        for number, (dilation, n) in enumerate(zip(dilations, counts)):
            own = slice(number * len(TRIOS), (number + 1) * len(TRIOS))
            # a kernel sees a trial of its own: all kernels of a dilation go at once
            series = [_summed(flat[i], row) for i, row in zip(chosen[own], self.channels_[own])]
            response = _response(np.stack(series, axis=-1), dilation, np.transpose(TRIOS))
            stop = start + n * len(TRIOS)
            biases.append(_quantiles(response, levels[start:stop].reshape(len(TRIOS), n)))
            start = stop
        self.biases_ = np.concatenate(biases).astype(np.float32)

    def _dilations(self):
        return kernel_dilations(self.n_frames_, self.n_thresholds_)

    def _combinations(self):
        """Dilation, taps and number of thresholds, in the order of ``channels_``."""
        return [(d, trio, n) for d, n in zip(*self._dilations()) for trio in TRIOS]

    def _resampled(self, trials):
        """Trials of one length: (n_channels, n_frames, n_trials)."""
        out = np.empty((trials[0][0].size, self.n_frames_, len(trials)), dtype=np.float32)
        for i, trial in enumerate(trials):
            if np.isnan(trial).any():
                trial = np.nan_to_num(fill_all(trial), nan=0.0)
            flat = trial.reshape(len(trial), -1).astype(np.float32, copy=False)
            at = np.linspace(0, len(flat) - 1, self.n_frames_)
            before = at.astype(int)
            after = np.minimum(before + 1, len(flat) - 1)
            share = (at - before).astype(np.float32)[:, None]
            out[:, :, i] = (flat[before] * (1 - share) + flat[after] * share).T
        return out

    def transform(self, X):
        """Describe each trial.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials with the landmarks and coordinates seen in fit.

        Returns
        -------
        ndarray of shape (n_trials, n_features), dtype float32
            Shares of frames, from 0 to 1.

        Raises
        ------
        ValueError
            If trials have other landmarks than in fit, or what was learned was changed since.
        """
        X = self._check(X)
        combinations = self._combinations()
        if (
            len(self.channels_) != len(combinations)
            or len(self.biases_) != sum(n for _, _, n in combinations)
            or self.channels_.max() >= self.n_landmarks_ * self.n_coords_
            or self.channels_.max(axis=1).min() < 0
        ):
            raise ValueError(
                "channels_ and biases_ of this RocketFeatures do not fit its landmarks and "
                "kernels: they are not from its fit. Fit it again."
            )
        chunks = [X[k : k + AT_ONCE] for k in range(0, len(X), AT_ONCE)]
        parts = [self._shares(chunk, combinations) for chunk in chunks]
        return np.concatenate(parts)

    def _shares(self, trials, combinations):
        flat = self._resampled(trials)
        n_frames = np.empty(len(self.biases_), dtype=np.float32)
        # bytes count four times as fast as integers, as far as they reach
        whole = np.uint8 if self.n_frames_ < 256 else np.intp
        counts = np.empty((len(self.biases_), len(trials)), dtype=whole)
        row = 0
        for place, (dilation, trio, n) in enumerate(combinations):
            response = _response(_summed(flat, self.channels_[place]), dilation, trio)
            if (place // len(TRIOS) + place % len(TRIOS)) % 2:  # every other one without the ends
                reach = dilation * (TAPS // 2)
                response = response[reach : self.n_frames_ - reach]
            n_frames[row : row + n] = len(response)
            for k in range(row, row + n, SOME):
                some = slice(k, min(k + SOME, row + n))
                above = (response > self.biases_[some, None, None]).view(np.uint8)
                np.add.reduce(above, axis=1, dtype=whole, out=counts[some])
            row += n
        out = counts.astype(np.float32)
        out /= n_frames[:, None]
        return out.T

    def get_feature_names_out(self, input_features=None):
        """Name the columns.

        Parameters
        ----------
        input_features : None
            Ignored: a feature is of several coordinates.

        Returns
        -------
        ndarray of str of shape (n_features,), dtype object
            ``rocket0``, ``rocket1``, ...
        """
        check_is_fitted(self)
        return np.array([f"rocket{i}" for i in range(len(self.biases_))], dtype=object)

    def _start_stream(self):
        raise ValueError(
            "RocketFeatures describes whole trials: it does not run live. Use a frame model."
        )


def _summed(flat, channels):
    """Sum of the coordinates that a kernel looks at: (n_channels, ...) to (...)."""
    first, *others = channels[channels >= 0]
    if not others:
        return flat[first]
    out = flat[first] + flat[others[0]]
    for channel in others[1:]:  # quicker than to pick them all and sum
        out += flat[channel]
    return out


def _response(series, dilation, trio):
    """Kernels at one dilation, beyond both ends zeros: (n_frames, n_series).

    `trio` are three taps for all series, or three arrays with the taps of each.
    """
    n_frames, n_series = series.shape
    reach = dilation * (TAPS // 2)
    padded = np.zeros((n_frames + 2 * reach, n_series), dtype=np.float32)
    padded[reach : reach + n_frames] = series
    if np.ndim(trio[0]):
        frames, columns = np.arange(n_frames)[:, None], np.arange(n_series)
        high = [padded[frames + taps * dilation, columns] for taps in trio]
    else:
        high = [padded[tap * dilation : tap * dilation + n_frames] for tap in trio]
    out = high[0] + high[1]
    out += high[2]
    out *= 3  # 3 at the three and -1 everywhere
    for k in range(TAPS):
        out -= padded[k * dilation : k * dilation + n_frames]
    return out


def _quantiles(values, levels):
    """Linear quantiles of each column: (n, n_columns) and (n_columns, n_levels) to flat."""
    values = np.sort(values, axis=0).T
    place = levels * (values.shape[1] - 1)
    low = place.astype(int)
    high = np.minimum(low + 1, values.shape[1] - 1)
    below, above = (np.take_along_axis(values, at, axis=1) for at in (low, high))
    share, step = place - low, above - below
    # from the nearer side, as NumPy does
    return np.where(share < 0.5, below + step * share, above - step * (1 - share)).ravel()
