"""Undo exchanges of left and right, which pose estimators mix up now and then."""

from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skrehab._fitting import fit_context
from skrehab._trial_list import TrialList
from skrehab.preprocessing.sides import side_pairs
from skrehab.preprocessing.skeleton_conversion import guess_skeleton
from skrehab.skeletons import Skeleton, get_skeleton
from skrehab.trials import check_frame, check_trials, tag_trial_input

__all__ = ["LeftRightRepair", "find_swaps", "swap_parts", "swap_sides"]

_TIME = Interval(Real, 0, None, closed="neither")

# Distances are in body sizes, the root mean square distance of landmarks from their middle (about
# 0.45 m of somebody who stands); it is the same whichever landmarks are called left.
_MARGIN = 0.5  # an exchange must explain this much of the distance between left and right ...
_LEAST = 0.2  # ... or of this much, where they are so close that jitter can look like an exchange
_DISTRUST = 1e-3  # a frame of exchanged labels costs this much: estimators are mostly right
_TRUST = 0.5  # without hindsight: how sure the labels of the first frame are


def swap_parts(skeleton, n_landmarks):
    """Group the pairs of landmarks that are mixed up together.

    Parameters
    ----------
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`skrehab.preprocessing.sides.side_pairs`.
    n_landmarks : int
        Landmarks of the trials.

    Returns
    -------
    dict of str to ndarray of shape (n_pairs, 2)
        ``"arms"``, ``"legs"`` and ``"head"`` of a named skeleton that has them; ``"all"`` of pairs.

    Examples
    --------
    >>> from skrehab.preprocessing.swaps import swap_parts
    >>> swap_parts("coco17", 17)["legs"].tolist()
    [[11, 12], [13, 14], [15, 16]]
    """
    pairs = side_pairs(skeleton, n_landmarks)
    if skeleton is not None and not isinstance(skeleton, str | Skeleton):
        return {"all": pairs}
    known = guess_skeleton(n_landmarks) if skeleton is None else get_skeleton(skeleton)
    arms, legs = (np.isin(pairs[:, 0], known.limbs[f"left_{limb}"]) for limb in ("arm", "leg"))
    parts = {"arms": pairs[arms], "legs": pairs[legs], "head": pairs[~arms & ~legs]}
    return {name: part for name, part in parts.items() if len(part)}


def find_swaps(trial, skeleton=None, *, max_frames=30, causal=False):
    """Find frames in which left and right have been exchanged.

    Where labels are exchanged, left lands where right was just before and right where left was. The
    path through the trial is taken that makes landmarks move least, at a price for each exchange
    (Viterbi's algorithm on two states).

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial; NaN where a landmark was lost. A fourth coordinate does not count.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`skrehab.preprocessing.sides.side_pairs`.
    max_frames : int, default=30
        An exchange that lasts longer is left as it is, and nothing is concluded across a longer
        gap: after a while nobody can tell which of the two was right.
    causal : bool, default=False
        Decide each frame from those before it.

    Returns
    -------
    ndarray of shape (n_frames, n_parts), dtype bool
        Frames to be exchanged, for arms, legs and head on their own as far as the skeleton has
        them; for all pairs together if `skeleton` is given as pairs.

    Notes
    -----
    What is one way for the whole trial is taken as right: this finds changes, not a side that is
    wrong throughout. Of two stretches with one change between them the shorter is held to be wrong
    (with ``causal=True`` the later, for at most `max_frames`).

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.swaps import find_swaps
    >>> trial = np.zeros((5, 3, 2))
    >>> trial[:, :2] = [[-1, 0], [1, 0]]
    >>> trial[3, :2] = [[1, 0], [-1, 0]]
    >>> find_swaps(trial, [(0, 1)]).ravel().tolist()
    [False, False, False, True, False]
    """
    trial = np.asarray(trial)
    parts = swap_parts(skeleton, trial.shape[1])
    swapped = np.zeros((len(trial), len(parts)), dtype=bool)
    size = _body_size(trial)
    for k, pairs in enumerate(parts.values()):
        points = trial[:, pairs, :3].astype(float)  # (n_frames, n_pairs, 2, n_coords)
        frames = np.flatnonzero(np.isfinite(points).all(axis=(2, 3)).any(axis=1))
        if len(frames) < 2:
            continue
        same, cross, price = _moves(points[frames], size[frames])
        apart = np.diff(frames)
        decide = _decide_causally if causal else _decide
        swapped[frames, k] = decide(same, cross, price, apart, max_frames)
    return swapped


def _body_size(trial):
    space = trial[..., :3].astype(float)
    seen = np.isfinite(space).all(axis=-1, keepdims=True)
    count = np.maximum(seen.sum(axis=-2, keepdims=True), 1)
    middle = np.where(seen, space, 0).sum(axis=-2, keepdims=True) / count
    square = np.where(seen, (space - middle) ** 2, 0).sum(axis=(-1, -2))
    return np.sqrt(square / count[..., 0, 0])


def _moves(points, size):
    """Measure, from each frame to the next, how far labels move as they are and exchanged.

    Also what an exchange costs. Arrays of shape (n_frames - 1,).
    """
    before, now = points[:-1], points[1:]
    distance = lambda a, b: np.linalg.norm(a - b, axis=-1)  # noqa: E731
    same = distance(before, now).mean(axis=2)
    cross = distance(before, now[:, :, ::-1]).mean(axis=2)
    between = distance(points[:, :, 0], points[:, :, 1])
    between = (between[:-1] + between[1:]) / 2
    known = np.isfinite(same)  # both sides in both frames
    scale = np.maximum(known.sum(axis=1), 1) * np.maximum((size[:-1] + size[1:]) / 2, 1e-12)
    same, cross, between = (
        np.where(known, value, 0).sum(axis=1) / scale for value in (same, cross, between)
    )
    return same, cross, _MARGIN * np.maximum(between, _LEAST)


def _advance(cost, same, cross, price):
    """Take both states' costs one frame on; also return whether each came from the other."""
    as_is, exchanged = cost
    ways = (as_is + same, exchanged + cross + price), (exchanged + same, as_is + cross + price)
    came = ways[0][1] < ways[0][0], ways[1][1] < ways[1][0]
    cost = min(ways[0]), min(ways[1]) + _DISTRUST
    least = min(cost)
    return (cost[0] - least, cost[1] - least), came


def _decide(same, cross, price, apart, max_frames):
    """Take the cheapest path through all frames; then undo what lasts too long."""
    cost, steps = (0.0, _DISTRUST), []
    for k in range(len(same)):
        if apart[k] > max_frames:  # a new beginning, cheapest in the state it has at no cost
            came = (cost[1] < cost[0], cost[1] < cost[0])
            cost = (0.0, _DISTRUST)
        else:
            cost, came = _advance(cost, same[k], cross[k], price[k])
            came = (int(came[0]), 1 - int(came[1]))
        steps.append(tuple(int(state) for state in came))
    state = int(cost[1] < cost[0])
    states = [state]
    for came in reversed(steps):
        state = came[state]
        states.append(state)
    states = np.array(states[::-1], dtype=bool)
    frames = np.concatenate([[0], np.cumsum(apart)])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], states.astype(int), [0]])))
    for start, stop in zip(edges[::2], edges[1::2]):
        if frames[stop - 1] - frames[start] + 1 > max_frames:
            states[start:stop] = False
    return states


def _decide_causally(same, cross, price, apart, max_frames):
    follower, states = _SwapState(max_frames), [False]
    for k in range(len(same)):
        states.append(follower.advance(same[k], cross[k], price[k], apart[k]))
    return np.array(states)


class _SwapState:
    """The two states' costs of one part of the body, frame by frame."""

    def __init__(self, max_frames):
        self.max_frames = max_frames
        self.cost, self.since = (0.0, _TRUST), 0

    def advance(self, same, cross, price, apart):
        if apart > self.max_frames:
            self.cost, self.since = (0.0, _TRUST), 0
            return False
        self.cost, _ = _advance(self.cost, same, cross, price)
        self.since = self.since + int(apart) if self.cost[1] < self.cost[0] else 0
        if self.since > self.max_frames:
            self.cost, self.since = (0.0, np.inf), 0
        return self.since > 0


def swap_sides(trial, swapped, skeleton=None):
    """Exchange left and right where a frame is marked.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial.
    swapped : ndarray of shape (n_frames, n_parts), dtype bool
        From :func:`find_swaps`.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`skrehab.preprocessing.sides.side_pairs`.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords)
        A copy with all coordinates of the marked landmarks exchanged.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.swaps import swap_sides
    >>> swap_sides(np.arange(4.0).reshape(2, 2, 1), np.array([[False], [True]]), [(0, 1)]).ravel()
    array([0., 1., 3., 2.])
    """
    out = np.array(trial)
    for k, pairs in enumerate(swap_parts(skeleton, out.shape[1]).values()):
        frames = np.flatnonzero(swapped[:, k])[:, None]
        out[frames, pairs.ravel()] = np.asarray(trial)[frames, pairs[:, ::-1].ravel()]
    return out


class LeftRightRepair(TransformerMixin, BaseEstimator):
    """Undo exchanges of left and right that come and go.

    Pose estimators now and then call the left leg the right one for some frames: seen from the
    side, when legs cross, when somebody turns. Arms, legs and head are judged on their own.

    Parameters
    ----------
    max_swap : float, default=1.0
        Longest exchange to undo, in seconds. After a while nobody can tell which was right.
    frame_rate : float or None, default=30.0
        Frames a second of the trials. None means that ``max_swap`` counts frames.
    causal : bool, default=False
        Decide each frame from those before it, as a live stream must.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`~skrehab.preprocessing.sides.side_pairs`.

    Attributes
    ----------
    parts_ : tuple of str
        Parts of the body that are judged on their own.
    max_frames_ : int
        Longest exchange in frames.
    n_landmarks_, n_coords_ : int
        Trailing shape of the trials seen in fit.

    See Also
    --------
    skrehab.preprocessing.swaps.find_swaps : How they are found, and what cannot be found.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.swaps import LeftRightRepair
    >>> trial = np.zeros((5, 17, 2))
    >>> trial[:, 11::2, 0], trial[:, 12::2, 0] = 1.0, -1.0  # hips, knees, ankles
    >>> trial[3, 11:] *= -1
    >>> repair = LeftRightRepair().fit([trial])
    >>> dict(zip(repair.parts_, repair.count_swaps([trial])[0].tolist()))
    {'arms': 0, 'legs': 1, 'head': 0}
    >>> repair.transform([trial])[0][:, 11, 0].tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0]
    """

    _parameter_constraints = {
        "max_swap": [_TIME],
        "frame_rate": [_TIME, None],
        "causal": ["boolean"],
        "skeleton": [str, Skeleton, "array-like", None],
    }

    def __init__(self, max_swap=1.0, *, frame_rate=30.0, causal=False, skeleton=None):
        self.max_swap = max_swap
        self.frame_rate = frame_rate
        self.causal = causal
        self.skeleton = skeleton

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Work out the parts of the body.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.
        y : None
            Ignored.

        Returns
        -------
        LeftRightRepair
            The transformer itself.
        """
        X = check_trials(X)
        self.n_landmarks_, self.n_coords_ = X[0].shape[1:]
        self.parts_ = tuple(swap_parts(self.skeleton, self.n_landmarks_))
        self.max_frames_ = max(1, int(self.max_swap * (self.frame_rate or 1) + 1e-9))
        return self

    def transform(self, X):
        """Undo the exchanges in each trial.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        list of ndarray of shape (n_frames_i, n_landmarks, n_coords), dtype float32
            Trials whose left and right stay what they are.
        """
        return TrialList(
            swap_sides(trial, self._find(trial), self.skeleton) for trial in self._check(X)
        )

    def count_swaps(self, X):
        """Count the frames that `transform` exchanges.

        Parameters
        ----------
        X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            Trials.

        Returns
        -------
        ndarray of shape (n_trials, n_parts), dtype int
            Frames of each trial, for each of ``parts_``.
        """
        return np.array([self._find(trial).sum(axis=0) for trial in self._check(X)])

    def _check(self, X):
        check_is_fitted(self)
        return check_trials(X, n_landmarks=self.n_landmarks_, n_coords=self.n_coords_)

    def _find(self, trial):
        return find_swaps(trial, self.skeleton, max_frames=self.max_frames_, causal=self.causal)

    def _stream(self):
        """Return what transforms frame by frame; see :mod:`skrehab.live`."""
        check_is_fitted(self)
        if not self.causal:
            raise ValueError(
                "it is not causal: it weighs frames against later ones. Train with "
                "LeftRightRepair(causal=True)."
            )
        parts = swap_parts(self.skeleton, self.n_landmarks_)
        return _SwapStream((self.n_landmarks_, self.n_coords_), parts, self.max_frames_)

    def __sklearn_tags__(self):
        return tag_trial_input(super().__sklearn_tags__())


class _SwapStream:
    """Do what a causal `find_swaps` and `swap_sides` do, one frame at a time."""

    def __init__(self, shape, parts, max_frames):
        self.shape, self.parts, self.max_frames = shape, list(parts.values()), max_frames
        self.reset()

    def reset(self):
        self.states = [_SwapState(self.max_frames) for _ in self.parts]
        self.before = [None] * len(self.parts)  # points, size, and how many frames ago

    def push(self, frame, timestamp):
        frame = check_frame(frame, self.shape)
        out, size = frame.copy(), _body_size(frame)
        for k, (pairs, state) in enumerate(zip(self.parts, self.states)):
            points = frame[pairs, :3].astype(float)
            before = self.before[k]
            if not np.isfinite(points).all(axis=(1, 2)).any():
                if before is not None:  # not beyond the limit: an age must not grow for ever
                    self.before[k] = (*before[:2], min(before[2] + 1, self.max_frames + 1))
                continue
            self.before[k] = points, size, 1
            if before is None:
                continue
            moves = _moves(np.stack([before[0], points]), np.array([before[1], size]))
            if state.advance(*(value[0] for value in moves), before[2]):
                out[pairs.ravel()] = frame[pairs[:, ::-1].ravel()]
        return out
