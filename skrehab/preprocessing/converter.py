"""SkeletonConverter: trials of one skeleton as trials of another, as a pipeline step."""

from functools import partial

from skrehab.preprocessing.skeleton_conversion import conversion, convert, guess_skeleton
from skrehab.preprocessing.trial_steps import FrameByFrame, TrialTransformer
from skrehab.skeletons import get_skeleton, list_skeletons

__all__ = ["SkeletonConverter"]


class SkeletonConverter(TrialTransformer):
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

    def _learn(self, X):
        super()._learn(X)
        source = guess_skeleton(self.n_landmarks_) if self.source is None else self.source
        if source is None or get_skeleton(source).n_landmarks != self.n_landmarks_:
            named = "" if source is None else f", not the {get_skeleton(source).name} named"
            raise ValueError(
                f"The trials have {self.n_landmarks_} landmarks{named}. Say which skeleton they "
                f"are with source=...; known are {list_skeletons()}."
            )
        self.source_ = get_skeleton(source).name
        self.estimated_ = conversion(self.source_, self.target).estimated

    def _transform_one(self, trial):
        return convert(trial, self.source_, self.target)

    def _start_stream(self):
        change = partial(_convert_frame, source=self.source_, target=self.target)
        return FrameByFrame(self._shape, change)


def _convert_frame(frame, source, target):
    return convert(frame[None], source, target)[0]
