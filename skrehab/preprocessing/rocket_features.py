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
    :class:`~sklearn.preprocessing.StandardScaler` and a
    :class:`~sklearn.linear_model.RidgeClassifierCV` behind it, which are solved in closed form.

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
    >>> import numpy as np
    >>> from sklearn.linear_model import RidgeClassifierCV
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skrehab import BoneVectors, RocketFeatures
    >>> from skrehab.datasets import make_rehab_trials
    >>> data = make_rehab_trials(4, 2, "brush_hair", random_state=0)
    >>> model = make_pipeline(
    ...     BoneVectors(),
    ...     RocketFeatures(random_state=0),
    ...     StandardScaler(),
    ...     RidgeClassifierCV(np.logspace(-3, 3, 10)),
    ... ).fit(data.X, data.y)
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
        flat = {i: self._resampled([X[i]]) for i in np.unique(chosen)}
        biases, start = [], 0
        for place, (dilation, trio, n) in enumerate(self._combinations()):
            response = self._response(flat[chosen[place]], place, dilation, trio)
            biases.append(np.quantile(response, levels[start : start + n]))
            start += n
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

    def _response(self, flat, place, dilation, trio):
        """One kernel at one dilation, beyond both ends zeros: (n_frames, n_trials)."""
        reach = dilation * (TAPS // 2)
        padded = np.zeros((self.n_frames_ + 2 * reach, flat.shape[2]), dtype=np.float32)
        used = self.channels_[place]
        padded[reach : reach + self.n_frames_] = flat[used[used >= 0]].sum(axis=0)
        taps = [padded[k * dilation : k * dilation + self.n_frames_] for k in range(TAPS)]
        out = taps[trio[0]] + taps[trio[1]]
        out += taps[trio[2]]
        out *= 3  # 3 at the three and -1 everywhere
        for tap in taps:
            out -= tap
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
        out = np.empty((len(self.biases_), len(trials)), dtype=np.float32)
        # bytes count four times as fast as integers, as far as they reach
        whole = np.uint8 if self.n_frames_ < 256 else np.intp
        row = 0
        for place, (dilation, trio, n) in enumerate(combinations):
            response = self._response(flat, place, dilation, trio)
            if (place // len(TRIOS) + place % len(TRIOS)) % 2:  # every other one without the ends
                reach = dilation * (TAPS // 2)
                response = response[reach : self.n_frames_ - reach]
            for bias in self.biases_[row : row + n]:
                above = (response > bias).view(np.uint8)
                out[row] = np.add.reduce(above, axis=0, dtype=whole)
                out[row] /= len(response)
                row += 1
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
