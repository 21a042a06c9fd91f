"""Trials as training batches: frames in one array, gathered trial by trial.

In the place of :class:`skrehab.training.batching.Samples` where each frame has a target of its
own, or where trials are changed at random each time they are seen.
"""

import copy

import numpy as np
import torch

from skrehab.training.batching import refuse_weightless
from skrehab.training.changes import swap_targets

__all__ = ["Sequences", "SingleFrames"]


class Sequences(torch.utils.data.Dataset):
    """Trials with one target each, or one a frame.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials; NaN (a lost landmark) becomes zero after all else.
    targets : ndarray of shape (n_trials, ...) or list of ndarray of shape (n_frames_i, ...)
        Target of each trial, or of each frame.
    weights : ndarray of shape (n_trials,) or list of ndarray of shape (n_frames_i,)
        Weights; NaN for a frame that is not labelled.
    scaling : (ndarray, ndarray), optional
        Mean and scale of each coordinate of each landmark; subtracted and divided by.
    changes : object, optional
        How trials are changed; see :class:`skrehab.training.changes.Changes`.
    step : int, default=1
        Only every so many frames of a trial make up a batch, from a random one of the first.
    """

    def __init__(self, trials, targets, weights, *, scaling=None, changes=None, step=1):
        self.lengths = np.array([len(trial) for trial in trials])
        self.starts = np.cumsum(self.lengths) - self.lengths
        # the last row is where the frames behind the end of a trial come from
        end = np.full((1, *trials[0].shape[1:]), np.nan, dtype=np.float32)
        self.frames = torch.from_numpy(np.concatenate([*trials, end]).astype(np.float32))
        self.per_frame = isinstance(weights, list)
        if self.per_frame:
            targets = np.concatenate([*targets, np.zeros_like(targets[0][:1])])
            weights = np.concatenate([*weights, [np.nan]])
        self.targets = torch.as_tensor(np.asarray(targets))
        self.weights = torch.as_tensor(np.asarray(weights), dtype=torch.float32)
        self.scaling = scaling and tuple(
            torch.as_tensor(np.asarray(one), dtype=torch.float32) for one in scaling
        )
        self.changes = changes
        self.step = step

    def __len__(self):
        return len(self.lengths)

    @property
    def draws(self):
        """Whether a batch needs a seed."""
        return self.changes is not None or self.step > 1

    def mean_weight_1(self):
        """Scale the weights, in a copy.

        Returns
        -------
        Sequences
            The same trials; the mean weight of what is labelled is 1.

        Raises
        ------
        ValueError
            If all weigh 0.
        """
        scaled = copy.copy(self)
        refuse_weightless(self.weights)
        known = self.weights[~self.weights.isnan()].double()
        scaled.weights = self.weights / known.mean().clamp(min=1e-12)
        return scaled

    def batch(self, index, seed=None):
        """Put some trials into a batch.

        Parameters
        ----------
        index : torch.Tensor of int
            Positions of the trials.
        seed : int, optional
            Seed of the changes.

        Returns
        -------
        inputs : dict of str to torch.Tensor
            ``x`` and ``lengths``, as from :func:`skrehab.training.batching.collate_trials`.
        target_and_weight : tuple of torch.Tensor
            What the loss takes; of shape (n_trials, max_frames, ...) where frames have targets.
        """
        index = index.numpy()
        rng = None if seed is None else np.random.RandomState(seed)
        rows = [np.arange(a, a + n) for a, n in zip(self.starts[index], self.lengths[index])]
        if self.changes is not None:
            rows = self.changes.rows(rows, index, rng)
        if self.step > 1:  # one phase of each trial, behind all changes of its frames
            rows = [row[rng.randint(min(self.step, len(row))) :: self.step] for row in rows]
        lengths = np.array([len(row) for row in rows])
        place = np.full((len(rows), lengths.max()), len(self.frames) - 1)
        place[np.arange(place.shape[1]) < lengths[:, None]] = np.concatenate(rows)
        place = torch.from_numpy(place)
        x, mirrored = self._finish(self.frames[place], rng)
        inputs = {"x": x, "lengths": torch.from_numpy(lengths)}
        which = place if self.per_frame else torch.from_numpy(index)
        targets = self.targets[which]
        if mirrored is not None:
            targets = swap_targets(targets, mirrored, self.changes.twins)
        return inputs, (targets, self.weights[which])

    def _finish(self, x, rng):
        """Change, scale, and fill what is lost with zeros, the frames behind the end too."""
        mirrored = None
        if self.changes is not None:
            x, mirrored = self.changes.move(x, rng)
        if self.scaling is not None:
            x = (x - self.scaling[0]) / self.scaling[1]
        if self.changes is not None:
            x = self.changes.shift(x, rng)
        return x.nan_to_num(nan=0.0), mirrored


class SingleFrames(Sequences):
    """Frames on their own, each changed like a trial of one frame.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, n_landmarks, n_coords)
        Frames.
    targets, weights : ndarray of shape (n_frames, ...)
        Target and weight of each.
    scaling : (ndarray, ndarray), optional
        As in :class:`Sequences`.
    changes : object
        As in :class:`Sequences`; pieces are not joined, and nothing is stretched.
    """

    def __init__(self, frames, targets, weights, *, scaling=None, changes=None):
        super().__init__(frames[:, None], targets, weights, scaling=scaling, changes=changes)

    def batch(self, index, seed=None):
        """Put some frames into a batch.

        Parameters
        ----------
        index : torch.Tensor of int
            Positions of the frames.
        seed : int, optional
            Seed of the changes.

        Returns
        -------
        inputs : torch.Tensor of shape (n_frames, n_landmarks * n_coords)
            Values.
        target_and_weight : tuple of torch.Tensor
            What the loss takes.
        """
        rng = None if seed is None else np.random.RandomState(seed)
        x, _ = self._finish(self.frames[index][:, None], rng)
        return x.flatten(1), (self.targets[index], self.weights[index])
