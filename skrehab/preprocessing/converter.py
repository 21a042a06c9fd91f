"""SkeletonConverter: trials of one skeleton as trials of another, as a pipeline step."""

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import TrialList
from skrehab.preprocessing.skeleton_conversion import conversion, convert, guess_skeleton
from skrehab.skeletons import get_skeleton, list_skeletons
from skrehab.trials import check_trials, tag_trial_input

__all__ = ["SkeletonConverter"]


class SkeletonConverter(TransformerMixin, BaseEstimator):
    """Express trials in another skeleton, frame by frame.

    Parameters
    ----------
    target : str, default="coco17"
        Skeleton wanted.
    source : str, optional
        Skeleton of the trials; None guesses from the number of landmarks.

    Attributes
    ----------
    estimated_ : tuple of str
        Landmarks of the target that the source does not show: their coordinates are a guess and
        their score is 0.
    source_ : str
        Skeleton of the trials.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials seen in fit.

    See Also
    --------
    skrehab.preprocessing.convert : The same for one trial.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import SkeletonConverter
    >>> converter = SkeletonConverter("ntu25")
    >>> converter.fit_transform([np.zeros((40, 17, 3))])[0].shape
    (40, 25, 4)
    >>> converter.estimated_[:2]
    ('left_hand', 'right_hand')
    """

    _parameter_constraints = {"target": [str], "source": [str, None]}

    def __init__(self, target="coco17", *, source=None):
        self.target = target
        self.source = source

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Work the conversion out.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : None
            Ignored.

        Returns
        -------
        SkeletonConverter
            The transformer itself.

        Raises
        ------
        ValueError
            If the skeleton of the trials is not known, or does not lead to the target.
        """
        X = check_trials(X)
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        source = guess_skeleton(self.n_landmarks_) if self.source is None else self.source
        if source is None or get_skeleton(source).n_landmarks != self.n_landmarks_:
            named = "" if source is None else f", not the {get_skeleton(source).name} named"
            raise ValueError(
                f"The trials have {self.n_landmarks_} landmarks{named}. Say which skeleton they "
                f"are with source=...; known are {list_skeletons()}."
            )
        self.source_ = get_skeleton(source).name
        self.estimated_ = conversion(self.source_, self.target).estimated
        return self

    def transform(self, X):
        """Convert each trial.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks', n_coords'), dtype float32
            Trials of the target; see :func:`skrehab.preprocessing.convert`.
        """
        check_is_fitted(self)
        X = check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)
        return TrialList(convert(trial, self.source_, self.target) for trial in X)

    def _stream(self):
        """Return what transforms frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        return _ConverterStream(self.source_, self.target)

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class _ConverterStream:
    """Convert one frame at a time; there is nothing to remember."""

    def __init__(self, source, target):
        self.source, self.target = source, target

    def push(self, frame, timestamp):
        return convert(frame[None], self.source, self.target)[0]

    def reset(self):
        pass
