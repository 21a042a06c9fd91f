"""SideNormalizer: mirror trials in a pipeline, so that the affected side is always the same."""

from functools import partial

from sklearn.utils._param_validation import StrOptions

from skrehab._trial_list import TrialList
from skrehab.preprocessing.sides import SIDES, mirrored, side_movement, side_pairs
from skrehab.preprocessing.trial_steps import FrameByFrame, TrialTransformer
from skrehab.skeletons import Skeleton

__all__ = ["SideNormalizer"]


class SideNormalizer(TrialTransformer):
    """Mirror trials so that the affected side is always the same one.

    A model that has learned from left and right arms alike then needs half the patients. Which side
    is affected comes from the trial alone, never from y, so nothing leaks through cross-validation.
    (An array of sides could not be a parameter: it would not be cut into folds with X. Metadata
    routing hands it to ``fit``, but ``cross_val_predict`` does not hand it to ``predict``.) Where
    the sides are known from a record, use :func:`skrehab.preprocessing.sides.normalize_sides`
    beforehand.

    Parameters
    ----------
    affected_side : {"left", "right", "moving"} or callable, default="moving"
        * "left" or "right": that of every trial that comes, as for one patient;
        * "moving": in each trial the side whose arm moves more, see
          :func:`~skrehab.preprocessing.sides.side_movement`. Right where the affected arm does the
          exercise, as in reaching; wrong where both arms work or the sound one is tested;
        * a callable: takes a trial (n_frames, n_landmarks, n_coords), returns "left" or "right".
    to : {"left", "right"}, default="right"
        Side that all shall have; trials of the other are mirrored.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`~skrehab.preprocessing.sides.side_pairs`.

    Attributes
    ----------
    pairs_ : ndarray of shape (n_pairs, 2)
        Left and right landmarks.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials seen in fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import SideNormalizer
    >>> reach = np.zeros((4, 17, 2))
    >>> reach[:, 9, 0] = [0, 1, 2, 3]  # the left wrist goes to the right of the picture
    >>> mirrored = SideNormalizer().fit_transform([reach])[0]
    >>> mirrored[:, 10, 0].tolist()  # the right wrist to the left
    [0.0, -1.0, -2.0, -3.0]
    """

    _parameter_constraints = {
        "affected_side": [StrOptions({"left", "right", "moving"}), callable],
        "to": [StrOptions({"left", "right"})],
        "skeleton": [str, Skeleton, "array-like", None],
    }

    def __init__(self, affected_side="moving", *, to="right", skeleton=None):
        self.affected_side = affected_side
        self.to = to
        self.skeleton = skeleton

    def _learn(self, X):
        super()._learn(X)
        self.pairs_ = side_pairs(self.skeleton, self.n_landmarks_)

    def transform(self, X):
        """Mirror the trials of the other side.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
            Trials of one side.
        """
        return TrialList(
            trial.copy()
            if self._side(trial, f"X[{i}]") == self.to
            else mirrored(trial, self.pairs_)
            for i, trial in enumerate(self._check(X))
        )

    def _side(self, trial, name):
        if self.affected_side == "moving":
            left, right = side_movement(trial, self.skeleton)
            return "left" if left > right else "right"
        side = self.affected_side(trial) if callable(self.affected_side) else self.affected_side
        if side not in SIDES:
            raise ValueError(
                f"affected_side must return one of {SIDES}; of {name} it said {side!r}."
            )
        return side

    def _start_stream(self):
        if self.affected_side not in SIDES:
            raise ValueError(
                "it is not causal: which side is affected shows in the whole trial. Live, the side "
                "is known: set_params(affected_side='left') or 'right'."
            )
        change = partial(mirrored, pairs=self.pairs_)
        return FrameByFrame(self._shape, _as_it_is if self.affected_side == self.to else change)


def _as_it_is(frame):
    return frame
