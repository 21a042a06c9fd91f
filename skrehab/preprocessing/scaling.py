"""Bring what every landmark does to one size, learned from the training trials."""

from functools import partial

import numpy as np

from skrehab._fitting import fit_context
from skrehab.preprocessing.pieces import pieces, sum_of
from skrehab.preprocessing.trial_steps import FrameByFrame, TrialTransformer

__all__ = ["LandmarkScaler"]


class LandmarkScaler(TrialTransformer):
    """Divide each coordinate of each landmark by its spread over the training frames.

    Networks train faster on features of unit size than on metres. Zero stays zero, so a
    displacement of zero keeps its meaning as the rest pose and as the baseline of integrated
    gradients. NaN is left out, and stays.

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
        """Measure the spread over all frames of the training trials, a few frames at a time.

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

    @property
    def _shape(self):
        return self.scale_.shape

    def _transform_one(self, trial):
        return _scaled(trial, self.mean_, self.scale_)

    def _start_stream(self):
        return FrameByFrame(self._shape, partial(_scaled, mean=self.mean_, scale=self.scale_))


def _scaled(trial, mean, scale):
    return ((trial - mean) / scale).astype(np.float32)
