"""What the steps over trials share: their checks in fit and transform, and how they run live."""

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import GivesTrials, TrialList
from skrehab.trials import check_frame, check_trials, tag_trial_input

__all__ = ["FrameByFrame", "TrialTransformer"]


class TrialTransformer(GivesTrials, TransformerMixin, BaseEstimator):
    """Base of transformers that change each trial by itself.

    A subclass changes one trial in ``_transform_one(trial)``, works out in ``_learn(X)`` what it
    needs from checked trials, and gives in ``_start_stream()`` what does the same frame by frame.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.trial_steps import TrialTransformer
    >>> class Centimetres(TrialTransformer):
    ...     def _transform_one(self, trial):
    ...         return 100 * trial
    >>> Centimetres().fit_transform([np.ones((2, 1, 1))])[0].ravel()
    array([100., 100.], dtype=float32)
    """

    _parameter_constraints = {}  # none of its own

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the trials, remember their shape, and work out what depends on it.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : None
            Ignored.

        Returns
        -------
        estimator
            The transformer itself.

        Raises
        ------
        ValueError
            If the trials are not valid, or do not go together with the parameters.
        """
        self._learn(check_trials(X))
        return self

    def _learn(self, X):
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]

    @property
    def _shape(self):
        """Trailing shape of the trials seen in fit."""
        return self.n_landmarks_, self.n_coords_

    def _check(self, X):
        """Validate what is given after fit."""
        check_is_fitted(self)
        n_landmarks, n_coords = self._shape
        return check_trials(X, n_landmarks=n_landmarks, n_coords=n_coords)

    def transform(self, X):
        """Transform each trial on its own.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials with the landmarks and coordinates seen in fit.

        Returns
        -------
        list of ndarray of shape (n_frames_i, ...), dtype float32
            The trials, as the class says.
        """
        return TrialList(self._transform_one(trial) for trial in self._check(X))

    def _stream(self):
        """Return what transforms frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        return self._start_stream()

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class FrameByFrame:
    """Change one frame at a time, where there is nothing to remember from one to the next.

    Parameters
    ----------
    shape : (int, int)
        Landmarks and coordinates of a frame.
    change : callable
        Takes a checked frame and returns the new one.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.trial_steps import FrameByFrame
    >>> FrameByFrame((2, 1), np.negative).push([[1.0], [2.0]], 0.0).ravel()
    array([-1., -2.], dtype=float32)
    """

    def __init__(self, shape, change):
        self.shape, self.change = shape, change

    def reset(self):
        """Start a new trial."""

    def push(self, frame, timestamp):
        """Change the next frame.

        Parameters
        ----------
        frame : array-like of shape (n_landmarks, n_coords)
            The frame.
        timestamp : float
            Its time, in seconds; not used.

        Returns
        -------
        ndarray
            The changed frame.
        """
        return self.change(check_frame(frame, self.shape))
