"""Trials changed at random each time they are trained on, so that few patients teach more.

Each change leaves the labels right: another trial of the same person before or behind, a person who
stands turned, a camera or a body a little different, the other side, another pace.
"""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from skrehab._parameters import keep_parameters
from skrehab.skeletons import Skeleton, get_skeleton

__all__ = ["Augmentation", "Changes", "plan_changes"]

SPATIAL = 3  # by the trial contract a fourth coordinate is a visibility


class Augmentation(BaseEstimator):
    """How trials are changed at random in training; nothing is by default.

    Give it as ``augment=`` to :class:`VideoClassifier`, :class:`FrameTCN` or :class:`FrameMLP`, or
    a dict of its parameters. Changes are made anew for each batch, drawn from the estimator's
    ``random_state``, in the coordinates that `fit` is given: rotation and mirror need directions or
    positions that were not scaled, so use the estimator's ``standardize=True`` and no scaler in
    front.

    Parameters
    ----------
    splice : float, default=0.0
        Probability that a piece of another trial of the same person (``groups``) and exercise
        comes before or behind. A video classifier takes pieces of trials with the normal label, and
        the trial keeps its own; a frame model takes those of any trial, all of it where labels
        change within, and labels go along. Off where `fit` is given no groups, and in the single
        frames of a FrameMLP.
    rotate : float, default=0.0
        Largest turn about the vertical in degrees, either way, one a trial.
    offset : float, default=0.0
        Standard deviation of one random offset a trial and coordinate, in standard deviations of
        that coordinate over the training frames.
    mirror : float, default=0.0
        Probability that left and right are exchanged; True means 0.5. Needs `skeleton`.
    stretch : float, default=0.0
        Standard deviation of the logarithm of the factor by which a trial becomes longer; frames
        are repeated or left out. 0.1 is about 10 %.
    vertical : int, default=1
        Coordinate that points up or down; y in every skeleton of :mod:`skrehab.skeletons`.
    skeleton : str or Skeleton, optional
        Skeleton of the trials, such as ``"mediapipe33"``, or of their bones, such as
        ``"mediapipe33_bones"``.
    normal_label : label, optional
        Trial label of "no such motion". None means the first of the sorted labels where those are
        numbers; words need it if `splice` is on.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameTCN
    >>> from skrehab.training.augmentation import Augmentation
    >>> rng = np.random.RandomState(0)
    >>> X = [rng.randn(20, 5, 3) for _ in range(8)]
    >>> y = [rng.randint(2, size=20) for _ in X]
    >>> augment = Augmentation(splice=0.5, rotate=15, offset=0.3)
    >>> model = FrameTCN(augment=augment, max_epochs=1, random_state=0)
    >>> model.fit(X, y, groups=[0, 0, 0, 0, 1, 1, 1, 1]).predict(X)[0].shape
    (20,)
    """

    _parameter_constraints = {
        "splice": [Interval(Real, 0, 1, closed="both")],
        "rotate": [Interval(Real, 0, 180, closed="both")],
        "offset": [Interval(Real, 0, None, closed="left")],
        "mirror": ["boolean", Interval(Real, 0, 1, closed="both")],
        "stretch": [Interval(Real, 0, 1, closed="both")],
        "vertical": [Interval(Integral, 0, 2, closed="both")],
        "skeleton": [str, Skeleton, None],
        "normal_label": "no_validation",
    }

    def __init__(
        self,
        splice=0.0,
        rotate=0.0,
        offset=0.0,
        mirror=0.0,
        stretch=0.0,
        *,
        vertical=1,
        skeleton=None,
        normal_label=None,
    ):
        keep_parameters(self, locals())

    def changes(self, trials, partners=None, spread=1.0, whole=None):
        """Prepare the changes of some training trials.

        Parameters
        ----------
        trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
            The trials.
        partners : list of ndarray of int, optional
            For each trial those whose pieces may be joined to it; None joins nothing.
        spread : float or ndarray of shape (n_landmarks, n_coords), default=1.0
            Unit of the offset.
        whole : ndarray of shape (n_trials,), dtype bool, optional
            Trials that are joined to others as they are, not in pieces.

        Returns
        -------
        Changes
            What changes batches.

        Raises
        ------
        ValueError
            If a parameter is out of range, or trials have no such axis or skeleton.
        """
        self._validate_params()
        n_landmarks, n_coords = trials[0].shape[1:]
        skeleton = None if self.skeleton is None else get_skeleton(self.skeleton)
        if skeleton is not None and skeleton.n_landmarks != n_landmarks:
            raise ValueError(
                f"augment: the trials have {n_landmarks} landmarks, skeleton {skeleton.name!r} has "
                f"{skeleton.n_landmarks}. Trials of BoneVectors have {skeleton.name + '_bones'!r}."
            )
        n_dims = min(n_coords, SPATIAL if skeleton is None else skeleton.n_dims)
        if self.rotate and n_dims < SPATIAL:
            raise ValueError(
                f"augment: rotate needs three coordinates in space, the trials have {n_dims}. "
                "Use rotate=0."
            )
        if self.mirror and skeleton is None:
            raise ValueError("augment: mirror needs a skeleton, to exchange left and right.")
        return Changes(self, trials, partners, spread, skeleton, n_dims, whole)

    def _normal(self, classes):
        """Label of normal trials, among the classes of trials."""
        if self.normal_label is not None:
            if self.normal_label not in classes:
                raise ValueError(
                    f"augment: normal_label={self.normal_label!r} is not among the labels "
                    f"{classes.tolist()}."
                )
            return self.normal_label
        if classes.dtype.kind not in "biuf":
            raise ValueError(
                "augment: normal_label is needed to splice trials with text labels: say which of "
                f"{classes.tolist()} means 'no such motion'."
            )
        return classes[0]


class Changes:
    """Changes of one set of training trials; see :meth:`Augmentation.changes`.

    Parameters
    ----------
    how : Augmentation
        Which, and how strong.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        The trials.
    partners : list of ndarray of int or None
        For each trial those whose pieces may be joined to it.
    spread : float or ndarray of shape (n_landmarks, n_coords)
        Unit of the offset.
    skeleton : Skeleton or None
        Skeleton of the trials.
    n_dims : int
        Coordinates in space.
    whole : ndarray of shape (n_trials,), dtype bool, optional
        Trials that are joined to others as they are.
    """

    def __init__(self, how, trials, partners, spread, skeleton, n_dims, whole=None):
        self.how = how
        self.whole = np.zeros(len(trials), dtype=bool) if whole is None else whole
        self.lengths = np.array([len(trial) for trial in trials])
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.partners = partners if how.splice else None
        self.n_dims = n_dims
        n_landmarks, n_coords = trials[0].shape[1:]
        unit = np.zeros((n_landmarks, n_coords), dtype=np.float32)
        unit[:, :n_dims] = np.broadcast_to(spread, unit.shape)[:, :n_dims]
        self.unit = torch.from_numpy(how.offset * unit)
        self.mirror = 0.5 if how.mirror is True else float(how.mirror)
        if self.mirror:
            self.twin = torch.tensor(skeleton.mirrored)
            self.sign = torch.ones(n_landmarks, n_coords)
            self.sign[:, 0] = -1
            self.sign[list(skeleton.flipped), :n_dims] *= -1

    def rows(self, rows, index, rng):
        """Choose the frames that make up each trial of a batch.

        Parameters
        ----------
        rows : list of ndarray of int
            The trials' own frames, counted over all trials.
        index : ndarray of int
            Positions of the trials.
        rng : numpy.random.RandomState
            Source of randomness.

        Returns
        -------
        list of ndarray of int
            Frames.
        """
        joined = rng.rand(len(rows)) < self.how.splice
        factor = np.exp(self.how.stretch * rng.randn(len(rows)))
        out = []
        for i, own, join, pace in zip(index, rows, joined, factor):
            if join and self.partners is not None and len(self.partners[i]):
                piece = self._piece(self.partners[i][rng.randint(len(self.partners[i]))], rng)
                own = np.concatenate([own, piece] if rng.rand() < 0.5 else [piece, own])
            if self.how.stretch:
                n = max(1, round(len(own) * pace))
                own = own[np.round(np.linspace(0, len(own) - 1, n)).astype(int)]
            out.append(own)
        return out

    def _piece(self, trial, rng):
        """Frames of a piece of a trial: a third of it at least, or all of it."""
        n = self.lengths[trial]
        start = rng.randint(0, max(1, n // 2))
        stop = rng.randint(min(n, start + max(1, n // 3)), n + 1)
        if self.whole[trial]:
            start, stop = 0, n
        return np.arange(start, stop) + self.starts[trial]

    def move(self, x, rng):
        """Turn and mirror trials.

        Parameters
        ----------
        x : torch.Tensor of shape (n_trials, n_frames, n_landmarks, n_coords)
            A batch, not scaled.
        rng : numpy.random.RandomState
            Source of randomness.

        Returns
        -------
        torch.Tensor of the same shape
            The batch.
        """
        n = len(x)
        if self.how.rotate:
            a, b = (axis for axis in range(SPATIAL) if axis != self.how.vertical)
            angle = np.deg2rad(self.how.rotate) * (2 * rng.rand(n) - 1)
            cos, sin = (
                torch.from_numpy(f(angle).astype(np.float32))[:, None, None]
                for f in (np.cos, np.sin)
            )
            turned = x.clone()
            turned[..., a] = x[..., a] * cos + x[..., b] * sin
            turned[..., b] = x[..., b] * cos - x[..., a] * sin
            x = turned
        if self.mirror:
            chosen = torch.from_numpy(rng.rand(n) < self.mirror)[:, None, None, None]
            x = torch.where(chosen, x[:, :, self.twin] * self.sign, x)
        return x

    def shift(self, x, rng):
        """Add one offset a trial and coordinate.

        Parameters
        ----------
        x : torch.Tensor of shape (n_trials, n_frames, n_landmarks, n_coords)
            A batch, in the units that the network is given.
        rng : numpy.random.RandomState
            Source of randomness.

        Returns
        -------
        torch.Tensor of the same shape
            The batch.
        """
        if not self.how.offset:
            return x
        noise = torch.from_numpy(rng.standard_normal((len(x), 1, *x.shape[2:])).astype(np.float32))
        return x + noise * self.unit


def plan_changes(
    augment, trials, *, groups=None, exercise=None, labels=None, spread=1.0, whole=None
):
    """Prepare what `augment` of an estimator asks for.

    Parameters
    ----------
    augment : Augmentation, dict or None
        Which changes.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Training trials.
    groups, exercise : ndarray of shape (n_trials,), optional
        Patient and exercise of each trial.
    labels : ndarray of shape (n_trials,), optional
        Trial labels, where only normal trials may be joined to others.
    spread : float or ndarray of shape (n_landmarks, n_coords), default=1.0
        Unit of the offset.
    whole : ndarray of shape (n_trials,), dtype bool, optional
        Trials that are joined to others as they are, not in pieces.

    Returns
    -------
    Changes or None
        What changes batches; None if nothing was asked for.

    Raises
    ------
    ValueError
        If a parameter is unknown or out of range, or does not fit the trials.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.augmentation import plan_changes
    >>> X = [np.zeros((5, 33, 3)), np.zeros((7, 33, 3))]
    >>> plan_changes({"splice": 1.0}, X, groups=np.array([1, 1])).partners
    [array([0, 1]), array([0, 1])]
    """
    if augment is None:
        return None
    if isinstance(augment, dict):
        unknown = sorted(set(augment) - set(Augmentation._get_param_names()))
        if unknown:
            raise ValueError(
                f"augment has no parameter {unknown[0]!r}: known are "
                f"{sorted(Augmentation._get_param_names())}."
            )
        augment = Augmentation(**augment)
    partners = None
    if groups is not None and augment.splice:
        allowed = np.ones(len(trials), dtype=bool)
        if labels is not None:
            allowed = labels == augment._normal(np.unique(labels))
        person = np.unique(groups, return_inverse=True)[1]
        what = np.zeros_like(person)
        if exercise is not None:
            what = np.unique(exercise, return_inverse=True)[1]
        members = {}
        for i, key in enumerate(zip(person.tolist(), what.tolist())):
            members.setdefault(key, []).append(i)
        pools = {key: np.array([i for i in of if allowed[i]]) for key, of in members.items()}
        partners = [pools[key] for key in zip(person.tolist(), what.tolist())]
    return augment.changes(trials, partners, spread, whole)
