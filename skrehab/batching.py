"""From a list of trials to padded torch batches and back."""

import numpy as np
import torch

__all__ = ["Batches", "Samples", "collate_trials", "iterate_by_length", "pad_trials"]


def pad_trials(trials):
    """Pad trials at the end with zeros; lost landmarks become zero too.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        One batch.

    Returns
    -------
    x : torch.Tensor of shape (n_trials, max_frames, n_landmarks, n_coords), dtype float32
        The batch.
    lengths : torch.Tensor of shape (n_trials,), dtype int64
        True number of frames of each trial.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.batching import pad_trials
    >>> x, lengths = pad_trials([np.ones((2, 1, 3)), np.ones((4, 1, 3))])
    >>> x.shape, lengths
    (torch.Size([2, 4, 1, 3]), tensor([2, 4]))
    """
    lengths = torch.tensor([len(trial) for trial in trials])
    x = np.zeros((len(trials), int(lengths.max()), *trials[0].shape[1:]), dtype=np.float32)
    for row, trial in zip(x, trials):
        row[: len(trial)] = trial
    np.nan_to_num(x, copy=False, nan=0.0)
    return torch.from_numpy(x), lengths


def iterate_by_length(trials, batch_size):
    """Yield batches of trials of similar length, so that little is padding.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        All trials.
    batch_size : int
        Trials in a batch.

    Yields
    ------
    index : ndarray of int
        Positions of the batch's trials in the list.
    x, lengths : torch.Tensor
        As from :func:`pad_trials`.
    """
    order = np.argsort([len(trial) for trial in trials], kind="stable")
    for start in range(0, len(order), batch_size):
        index = order[start : start + batch_size]
        yield index, *pad_trials([trials[i] for i in index])


class Batches:
    """Batches for skorch, in the place of :class:`torch.utils.data.DataLoader`.

    A DataLoader fetches items one by one and draws from the global random state; this slices whole
    batches and shuffles from a generator of its own. The last batch may be smaller: clinical data
    are too small to drop any.

    Parameters
    ----------
    dataset : Samples
        Has ``__len__`` and ``batch(index)``.
    batch_size : int
        Samples in a batch.
    generator : torch.Generator, optional
        Source of the shuffle; None keeps the order.
    """

    def __init__(self, dataset, batch_size, generator=None):
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        n = len(self.dataset)
        if self.generator is None:
            order = torch.arange(n)
        else:
            order = torch.randperm(n, generator=self.generator)
        for start in range(0, n, self.batch_size):
            yield self.dataset.batch(order[start : start + self.batch_size])


def collate_trials(trials):
    """Name what a pose network takes.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        One batch.

    Returns
    -------
    dict of str to torch.Tensor
        ``x`` and ``lengths`` of :func:`pad_trials`.
    """
    x, lengths = pad_trials(trials)
    return {"x": x, "lengths": lengths}


class Samples(torch.utils.data.Dataset):
    """Inputs with a target and a weight each.

    Parameters
    ----------
    inputs : list or torch.Tensor
        One entry per sample; entries of a list are collated batch by batch.
    targets : array-like of shape (n_samples, ...)
        Class indices.
    weights : array-like of shape (n_samples,), optional
        Weights; None means ones.
    collate : callable, default=collate_trials
        Turns a list of inputs into what the module takes.
    """

    def __init__(self, inputs, targets, weights=None, collate=collate_trials):
        self.inputs = inputs
        self.collate = collate
        self.targets = torch.as_tensor(np.asarray(targets))
        ones = np.ones(len(self.targets)) if weights is None else weights
        self.weights = torch.as_tensor(np.asarray(ones), dtype=torch.float32)

    def __len__(self):
        return len(self.targets)

    def batch(self, index):
        """Put some samples into a batch.

        Parameters
        ----------
        index : torch.Tensor of int
            Positions of the samples.

        Returns
        -------
        inputs : torch.Tensor or dict
            What the module takes: frames, or what `collate` makes of trials.
        target_and_weight : tuple of torch.Tensor
            What :class:`skrehab.training.WeightedLoss` takes.
        """
        if isinstance(self.inputs, torch.Tensor):
            inputs = self.inputs[index]
        else:
            inputs = self.collate([self.inputs[i] for i in index])
        return inputs, (self.targets[index], self.weights[index])
