"""Left and right: mirror trials so that the side that matters is always the same one.

A body is its own mirror image, so a trial of the left arm, mirrored, is as good as one of the
right: left and right landmarks are exchanged and x is negated. Which side counts must be known
without looking at labels.

What cannot be known: whether a *video* was mirrored, as selfie cameras do. A mirrored film of a
right arm is a film of a left arm, to the last landmark. Only knowledge from outside helps: what
the record says of the arm (:func:`detect_mirrored`), or another film of the same room
(:func:`skrehab.pose.compare_views`).
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import TrialList
from skrehab.preprocessing.skeleton_conversion import guess_skeleton
from skrehab.skeletons import Skeleton, get_skeleton, list_skeletons
from skrehab.trials import check_frame, check_groups, check_trials, tag_trial_input

__all__ = [
    "MirrorCheck",
    "SideNormalizer",
    "detect_mirrored",
    "mirror",
    "normalize_sides",
    "side_movement",
    "side_pairs",
]

SIDES = ("left", "right")


def side_pairs(skeleton, n_landmarks):
    """List which landmarks are left and right twins.

    Parameters
    ----------
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        A registered skeleton, or (left, right) columns of your own. None guesses from the number
        of landmarks: 33, 25, 22 or 17.
    n_landmarks : int
        Landmarks of the trials.

    Returns
    -------
    ndarray of shape (n_pairs, 2), dtype int
        Left and right column of each pair.

    Raises
    ------
    ValueError
        If the skeleton is unknown, or has other landmarks than the trials.

    Examples
    --------
    >>> from skrehab.preprocessing.sides import side_pairs
    >>> side_pairs("coco17", 17)[:2].tolist()
    [[1, 2], [3, 4]]
    >>> side_pairs([(0, 1)], 5).tolist()
    [[0, 1]]
    """
    if skeleton is None or isinstance(skeleton, str | Skeleton):
        return np.array(_named(skeleton, n_landmarks).pairs, dtype=int)
    pairs = np.asarray(skeleton)
    if (
        pairs.ndim != 2
        or pairs.shape[1] != 2
        or pairs.dtype.kind not in "iu"
        or len(np.unique(pairs)) != pairs.size
        or pairs.min() < 0
        or pairs.max() >= n_landmarks
    ):
        raise ValueError(
            "skeleton must be a name, or pairs of (left, right) columns, each column once and "
            f"below {n_landmarks}, the number of landmarks; got {skeleton!r}."
        )
    return pairs


def _named(skeleton, n_landmarks):
    known = guess_skeleton(n_landmarks) if skeleton is None else get_skeleton(skeleton)
    if known is None or known.n_landmarks != n_landmarks:
        named = "" if known is None else f", not the {known.n_landmarks} of {known.name}"
        raise ValueError(
            f"The trials have {n_landmarks} landmarks{named}. Say which skeleton they are with "
            f"skeleton=..., a name ({', '.join(list_skeletons())}) or (left, right) columns."
        )
    return known


def mirror(trial, skeleton=None):
    """Turn a trial into its mirror image.

    Parameters
    ----------
    trial : ndarray of shape (..., n_landmarks, n_coords)
        Frames whose first coordinate goes from one side to the other, as in every registered
        skeleton.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`side_pairs`.

    Returns
    -------
    ndarray of shape (..., n_landmarks, n_coords)
        Left and right landmarks exchanged, x negated. Pixels become negative; what counts from a
        trial's first frame, as :class:`~skrehab.DisplacementSmoother` does, does not mind.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.sides import mirror
    >>> mirror(np.array([[[1.0, 5.0], [-2.0, 6.0], [0.5, 7.0]]]), [(0, 1)])[0].tolist()
    [[2.0, 6.0], [-1.0, 5.0], [-0.5, 7.0]]
    """
    trial = np.asarray(trial)
    return _mirrored(trial, side_pairs(skeleton, trial.shape[-2]))


def _mirrored(trial, pairs):
    order = np.arange(trial.shape[-2])
    order[pairs] = pairs[:, ::-1]
    out = trial[..., order, :]
    out[..., 0] = 0 - out[..., 0]  # not -x: zero stays zero, without a sign
    return out


def side_movement(trial, skeleton=None):
    """Measure how much each side of the body moves in a trial.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial; a fourth coordinate, visibility, does not count.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`side_pairs`. Of a named skeleton the arms count, of pairs all landmarks.

    Returns
    -------
    left, right : float
        Standard deviation of each landmark's place over time, averaged over the arm's landmarks,
        in the trial's units; 0 where none was seen.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.sides import side_movement
    >>> trial = np.zeros((4, 17, 2))
    >>> trial[:, 10, 0] = [0, 0, 3, 3]  # the right wrist
    >>> left, right = side_movement(trial)
    >>> left, round(right, 2)
    (0.0, 0.5)
    """
    trial = np.asarray(trial, dtype=float)[..., :3]
    n_landmarks = trial.shape[1]
    if skeleton is None or isinstance(skeleton, str | Skeleton):
        limbs = _named(skeleton, n_landmarks).limbs
        sides = limbs["left_arm"], limbs["right_arm"]
    else:
        sides = side_pairs(skeleton, n_landmarks).T
    return tuple(_movement(trial[:, list(side)]) for side in sides)


def _movement(points):
    seen = np.isfinite(points)
    count = np.maximum(seen.sum(axis=0), 1)
    place = np.where(seen, points, 0).sum(axis=0) / count
    away = (np.where(seen, points - place, 0) ** 2).sum(axis=0) / count
    return float(np.sqrt(away.sum(axis=1)).mean())


def _side_that_moves(trial, skeleton):
    left, right = side_movement(trial, skeleton)
    return "left" if left > right else "right"


def normalize_sides(X, sides, *, to="right", skeleton=None):
    """Mirror the trials of one side, so that all are of the other.

    Nothing is learned here, so nothing can leak: do it before cross-validation, wherever the side
    of each trial stands in the record.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.
    sides : array-like of shape (n_trials,)
        ``"left"`` or ``"right"``; anything else, such as ``"both"``, leaves a trial as it is.
    to : {"left", "right"}, default="right"
        Side that all shall have.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`side_pairs`.

    Returns
    -------
    list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
        The trials; mirrored are those of the other side.

    Raises
    ------
    ValueError
        If there is not one side a trial, or none is left or right.

    See Also
    --------
    skrehab.SideNormalizer : The same as a step of a pipeline.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.sides import normalize_sides
    >>> reach = np.zeros((1, 17, 2)) + [[2.0, 0.0]]
    >>> [trial[0, 0, 0].item() for trial in normalize_sides([reach, reach], ["left", "right"])]
    [-2.0, 2.0]
    """
    X = check_trials(X)
    if to not in SIDES:
        raise ValueError(f"to must be one of {SIDES}, got {to!r}.")
    if len(sides) != len(X):
        raise ValueError(f"sides must name one side a trial: {len(X)} trials, {len(sides)} sides.")
    if not any(side in SIDES for side in sides):
        raise ValueError(f"No side is 'left' or 'right'; sides[0] is {sides[0]!r}.")
    pairs = side_pairs(skeleton, X[0].shape[1])
    return [
        _mirrored(trial, pairs) if side in SIDES and side != to else trial.copy()
        for trial, side in zip(X, sides)
    ]


class SideNormalizer(TransformerMixin, BaseEstimator):
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
    >>> from skrehab.preprocessing.sides import SideNormalizer
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

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Work out the pairs of landmarks.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : None
            Ignored.

        Returns
        -------
        SideNormalizer
            The transformer itself.
        """
        X = check_trials(X)
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        self.pairs_ = side_pairs(self.skeleton, self.n_landmarks_)
        return self

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
        check_is_fitted(self)
        X = check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)
        return TrialList(
            trial.copy() if self._side(trial, f"X[{i}]") == self.to else self._mirror(trial)
            for i, trial in enumerate(X)
        )

    def _side(self, trial, name):
        if self.affected_side == "moving":
            return _side_that_moves(trial, self.skeleton)
        side = self.affected_side(trial) if callable(self.affected_side) else self.affected_side
        if side not in SIDES:
            raise ValueError(
                f"affected_side must return one of {SIDES}; of {name} it said {side!r}."
            )
        return side

    def _mirror(self, trial):
        return _mirrored(trial, self.pairs_)

    def _stream(self):
        """Return what transforms frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        if self.affected_side not in SIDES:
            raise ValueError(
                "it is not causal: which side is affected shows in the whole trial. Live, the side "
                "is known: set_params(affected_side='left') or 'right'."
            )
        change = self._mirror if self.affected_side != self.to else None
        return _SideStream((self.n_landmarks_, self.n_coords_), change)

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class _SideStream:
    """Mirror one frame at a time; there is nothing to remember."""

    def __init__(self, shape, change):
        self.shape, self.change = shape, change

    def reset(self):
        pass

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        return frame if self.change is None else self.change(frame)


@dataclass(frozen=True)
class MirrorCheck:
    """What the movement says of the recorded sides of one group of trials.

    Parameters
    ----------
    group : object
        Patient, recording or camera; None for all trials together.
    n_agree, n_opposite, n_unclear : int
        Trials in which the arm of the recorded side moves clearly more, clearly less, or neither.
    verdict : str
        ``"as recorded"``, ``"mirrored"`` or ``"unclear"``.

    Examples
    --------
    >>> from skrehab.preprocessing.sides import MirrorCheck
    >>> MirrorCheck("P01", 0, 6, 1, "mirrored").verdict
    'mirrored'
    """

    group: object
    n_agree: int
    n_opposite: int
    n_unclear: int
    verdict: str


def detect_mirrored(X, sides, groups=None, *, skeleton=None, ratio=1.5, min_trials=3):
    """Find recordings in which always the other arm moves than the record says.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials of exercises done with one arm.
    sides : array-like of shape (n_trials,)
        ``"left"`` or ``"right"``: the arm that did the exercise, from the record. Trials with
        another word are left out.
    groups : array-like of shape (n_trials,), optional
        What was filmed by one camera in one setting: patient, session or file. Each group is
        judged on its own.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`side_pairs`.
    ratio : float, default=1.5
        A trial counts where one arm moves this many times as much as the other.
    min_trials : int, default=3
        Clear trials that a group needs for a verdict.

    Returns
    -------
    list of MirrorCheck
        One a group, in sorted order. The verdict needs four fifths of the clear trials.

    Raises
    ------
    ValueError
        If there is not one side, and one group, a trial.

    Notes
    -----
    This cannot tell a mirrored film from a record with left and right mixed up, nor from patients
    who used the other arm: all three call for a look at the video. Without a record, or in
    exercises of both arms, nothing can be told; see the head of :mod:`skrehab.preprocessing.sides`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.sides import detect_mirrored
    >>> reach = np.zeros((4, 17, 2))
    >>> reach[:, 9] = np.arange(8).reshape(4, 2)  # the left wrist
    >>> detect_mirrored([reach] * 3, ["right"] * 3)[0].verdict
    'mirrored'
    """
    X = check_trials(X)
    if len(sides) != len(X):
        raise ValueError(f"sides must name one side a trial: {len(X)} trials, {len(sides)} sides.")
    groups = check_groups(groups, X)
    found = {}
    for i, (trial, side) in enumerate(zip(X, sides)):
        counts = found.setdefault(None if groups is None else groups[i].item(), [0, 0, 0])
        if side not in SIDES:
            continue
        left, right = side_movement(trial, skeleton)
        recorded, other = (left, right) if side == "left" else (right, left)
        clear = max(left, right) > ratio * min(left, right)
        counts[(0 if recorded > other else 1) if clear else 2] += 1
    checks = []
    for group in sorted(found, key=str):
        agree, opposite, unclear = found[group]
        clear, verdict = agree + opposite, "unclear"
        if clear >= min_trials and agree >= 0.8 * clear:
            verdict = "as recorded"
        elif clear >= min_trials and opposite >= 0.8 * clear:
            verdict = "mirrored"
        checks.append(MirrorCheck(group, agree, opposite, unclear, verdict))
    return checks
