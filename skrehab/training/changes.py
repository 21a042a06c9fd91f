"""Changes of pose trials, as drawn for each batch; :class:`Augmentation` says which."""

from dataclasses import dataclass

import numpy as np
import torch

__all__ = [
    "SPATIAL",
    "Changes",
    "View",
    "cut_frames",
    "draw_window",
    "sample_times",
    "swap_targets",
]

#: Coordinates that say where: by the trial contract a fourth one is a visibility.
SPATIAL = 3


@dataclass(frozen=True)
class View:
    """Which part of a trial is looked at, and how; by default all of it, in the middle.

    In training views are drawn, a new one each time; in prediction they are counted off.

    Parameters
    ----------
    window : (float, float), default=(0.0, 1.0)
        Part of the trial's time, as shares of it.
    at : float or ndarray of shape (n_frames,), default=0.5
        Where in its stretch of time each frame is taken; with a fixed stride where the clip stands
        in the time that is left.
    where : float, default=0.5
        Where along the longer side of a picture it is cut, 0 left or top, 1 right or bottom.
    box : (float, float, float, float), optional
        Top, left, height and width of the cut in shares of the picture; it is then scaled.
    flip : bool, default=False
        Exchange left and right.
    colors : (float, float, float), optional
        Factors of brightness, contrast and saturation.
    """

    window: tuple = (0.0, 1.0)
    at: object = 0.5
    where: float = 0.5
    box: tuple | None = None
    flip: bool = False
    colors: tuple | None = None


def sample_times(length, wanted, at=0.5):
    """Take one frame from each of so many equal stretches of a trial.

    Parameters
    ----------
    length : int
        Frames of the trial.
    wanted : int
        Frames to take.
    at : float or ndarray of shape (wanted,), default=0.5
        Where in its stretch each is taken, from 0 up to 1.

    Returns
    -------
    ndarray of int of shape (wanted,)
        Positions, in order.

    Examples
    --------
    >>> from skrehab.training.changes import sample_times
    >>> sample_times(30, 4), sample_times(30, 4, 0.0)
    (array([ 3, 11, 18, 26]), array([ 0,  7, 15, 22]))
    """
    return np.minimum(((np.arange(wanted) + at) * length / wanted).astype(int), length - 1)


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
    n_frames : int, optional
        Frames that the network looks at, for `time_jitter`.
    twins : ndarray of int, optional
        For each class (or column of labels) that of the mirrored trial.
    """

    def __init__(
        self,
        how,
        trials,
        partners,
        spread,
        skeleton,
        n_dims,
        whole=None,
        n_frames=None,
        twins=None,
    ):
        self.how = how
        self.n_frames = n_frames
        self.twins = None if twins is None else torch.as_tensor(twins)
        self.whole = np.zeros(len(trials), dtype=bool) if whole is None else whole
        self.lengths = np.array([len(trial) for trial in trials])
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.partners = partners if how.splice else None
        self.n_dims = n_dims
        n_landmarks, n_coords = trials[0].shape[1:]
        unit = np.zeros((n_landmarks, n_coords), dtype=np.float32)
        unit[:, :n_dims] = np.broadcast_to(spread, unit.shape)[:, :n_dims]
        self.unit = torch.from_numpy(how.offset * unit)
        self.noise = torch.from_numpy(how.jitter * unit)
        self.mirror = 0.5 if how.mirror is True else float(how.mirror)
        if self.mirror:
            self.twin = torch.tensor(skeleton.mirrored)
            self.sign = torch.ones(n_landmarks, n_coords)
            self.sign[:, 0] = -1
            self.sign[list(skeleton.flipped), :n_dims] *= -1
            # places in a picture count from its edge: the trial is turned over where it stands
            self.in_place = skeleton.n_dims < SPATIAL and not skeleton.flipped

    def rows(self, rows, index, rng, window=None):
        """Choose the frames that make up each trial of a batch.

        Parameters
        ----------
        rows : list of ndarray of int
            The trials' own frames, counted over all trials.
        index : ndarray of int
            Positions of the trials.
        rng : numpy.random.RandomState
            Source of randomness.
        window : (float, float), optional
            The part of its time that stays of each trial, if that is drawn already.

        Returns
        -------
        list of ndarray of int
            Frames.
        """
        joined = rng.rand(len(rows)) < self.how.splice
        factor = np.exp(self.how.stretch * rng.randn(len(rows)))
        out = []
        for i, own, join, pace in zip(index, rows, joined, factor):
            if self.how.cut:
                part = draw_window(self.how.cut, rng) if window is None else window
                own = own[slice(*cut_frames(len(own), part))]
            if join and self.partners is not None and len(self.partners[i]):
                piece = self._piece(self.partners[i][rng.randint(len(self.partners[i]))], rng)
                own = np.concatenate([own, piece] if rng.rand() < 0.5 else [piece, own])
            if self.how.stretch:
                n = max(1, round(len(own) * pace))
                own = own[np.round(np.linspace(0, len(own) - 1, n)).astype(int)]
            if self.how.time_jitter and self.n_frames < len(own):
                own = own[sample_times(len(own), self.n_frames, rng.rand(self.n_frames))]
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

    def move(self, x, rng, mirrored=None):
        """Turn, stretch and mirror trials.

        Parameters
        ----------
        x : torch.Tensor of shape (n_trials, n_frames, n_landmarks, n_coords)
            A batch, not scaled; NaN where nothing is.
        rng : numpy.random.RandomState
            Source of randomness.
        mirrored : ndarray of shape (n_trials,), dtype bool, optional
            Which trials are mirrored, if that is drawn already.

        Returns
        -------
        x : torch.Tensor of the same shape
            The batch.
        mirrored : ndarray of shape (n_trials,), dtype bool
            Which trials are mirrored.
        """
        n = len(x)
        if self.how.rotate:
            x = _turned(x, *(axis for axis in range(SPATIAL) if axis != self.how.vertical),
                        self._angles(self.how.rotate, n, rng))  # fmt: skip
        if mirrored is None:
            mirrored = rng.rand(n) < self.mirror if self.mirror else np.zeros(n, dtype=bool)
        if self.mirror:
            other = x[:, :, self.twin] * self.sign
            if self.in_place:
                other[..., 0] += 2 * _middle(x[..., :1])[..., 0]
            x = torch.where(torch.from_numpy(mirrored)[:, None, None, None], other, x)
        if self.how.turn or self.how.zoom:
            x = x.clone()
            places = x[..., : self.n_dims]
            middle = _middle(places)
            places = places - middle
            if self.how.turn:
                places = _turned(places, 0, 1, self._angles(self.how.turn, n, rng))
            factor = np.exp(np.log1p(self.how.zoom) * (2 * rng.rand(n) - 1)).astype(np.float32)
            x[..., : self.n_dims] = places * torch.from_numpy(factor)[:, None, None, None] + middle
        return x, mirrored

    @staticmethod
    def _angles(largest, n, rng):
        return np.deg2rad(largest) * (2 * rng.rand(n) - 1)

    def shift(self, x, rng):
        """Add one offset a trial and coordinate, and noise of its own to each frame.

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
        if self.how.offset:
            x = x + _normal((len(x), 1, *x.shape[2:]), rng) * self.unit
        if self.how.jitter:
            x = x + _normal(x.shape, rng) * self.noise
        return x


def swap_targets(targets, mirrored, twins):
    """Exchange the labels of mirrored trials.

    Parameters
    ----------
    targets : torch.Tensor of shape (n_trials,) or (n_trials, n_labels)
        Classes, or one column a label.
    mirrored : ndarray of shape (n_trials,), dtype bool
        Which trials are mirrored.
    twins : torch.Tensor of int or None
        The other side of each class or column; None exchanges nothing.

    Returns
    -------
    torch.Tensor of the same shape
        Targets.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skrehab.training.changes import swap_targets
    >>> sides = torch.tensor([1, 0, 2])  # left and right are each other's, the third is its own
    >>> swap_targets(torch.tensor([0, 1, 2, 0]), np.array([True, True, True, False]), sides)
    tensor([1, 0, 2, 0])
    """
    if twins is None or not mirrored.any():
        return targets
    other = twins.to(targets.dtype)[targets] if targets.ndim == 1 else targets[:, twins]
    chosen = torch.from_numpy(mirrored).reshape(-1, *(1,) * (targets.ndim - 1))
    return torch.where(chosen, other, targets)


def draw_window(cut, rng):
    """Draw the part of a trial that stays.

    Parameters
    ----------
    cut : float
        Largest share that goes, from both ends together.
    rng : numpy.random.RandomState
        Source of randomness.

    Returns
    -------
    (float, float)
        Start and stop, as shares of the trial.
    """
    gone = cut * rng.rand()
    start = gone * rng.rand()
    return start, start + 1 - gone


def cut_frames(n_frames, window):
    """Turn a window into frames, of which one at least is left.

    Parameters
    ----------
    n_frames : int
        Frames of the trial.
    window : (float, float)
        Start and stop, as shares of it.

    Returns
    -------
    (int, int)
        Its first frame, and the one behind its last.

    Examples
    --------
    >>> from skrehab.training.changes import cut_frames
    >>> cut_frames(30, (0.0, 1.0)), cut_frames(30, (0.1, 0.9)), cut_frames(1, (0.4, 0.5))
    ((0, 30), (3, 27), (0, 1))
    """
    n = min(n_frames, max(1, round(n_frames * (window[1] - window[0]))))
    start = min(int(n_frames * window[0]), n_frames - n)
    return start, start + n


def _normal(shape, rng):
    return torch.from_numpy(rng.standard_normal(tuple(shape)).astype(np.float32))


def _middle(x):
    """Mean place of each trial over what is seen: (n_trials, 1, 1, n_coords)."""
    return x.nanmean(dim=(1, 2), keepdim=True).nan_to_num(nan=0.0)


def _turned(x, a, b, angle):
    cos, sin = (
        torch.from_numpy(f(angle).astype(np.float32))[:, None, None] for f in (np.cos, np.sin)
    )
    turned = x.clone()
    turned[..., a] = x[..., a] * cos + x[..., b] * sin
    turned[..., b] = x[..., b] * cos - x[..., a] * sin
    return turned
