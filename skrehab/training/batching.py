"""From a list of trials to padded torch batches and back."""

import copy
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import torch

__all__ = [
    "Batches",
    "Samples",
    "collate_trials",
    "is_lazy",
    "iterate_by_length",
    "pad_trials",
    "prefetch",
    "refuse_weightless",
]


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
    >>> from skrehab.training.batching import pad_trials
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


def prefetch(function, arguments, n_workers=1):
    """Yield ``function(argument)`` for each argument, in order, computed ahead by threads.

    While one result is used, `n_workers` are being computed and one more may be ready, no more: the
    memory does not grow with the number of arguments. An error comes up where its result would
    have been. Threads end with the iteration; ``close()`` ends one that is left early at once, and
    of one that is merely dropped they end when what they compute is done.

    Parameters
    ----------
    function : callable
        Takes one argument; it must not draw from a global random state, which other threads use.
    arguments : iterable
        The arguments.
    n_workers : int, default=1
        Threads; 0 computes each result when it is asked for. What decodes video or computes with
        torch or NumPy lets other threads run meanwhile.

    Returns
    -------
    iterator
        Results.

    Examples
    --------
    >>> from skrehab.training.batching import prefetch
    >>> list(prefetch(abs, [-1, 2, -3], n_workers=2))
    [1, 2, 3]
    """
    if not n_workers:
        return (function(argument) for argument in arguments)
    return _Ahead(function, iter(arguments), n_workers)


class _Ahead:
    """The iterator of `prefetch`.

    No generator: one that is dropped in a cycle runs its ``finally`` inside the garbage collector,
    and so perhaps inside one of its own threads, or a call that holds the lock it waits for.
    """

    def __init__(self, function, arguments, n_workers):
        self._function, self._arguments, self._n_workers = function, arguments, n_workers
        self._pool = ThreadPoolExecutor(n_workers, thread_name_prefix="skrehab-prefetch")
        self._ahead = deque()

    def __iter__(self):
        return self

    def __next__(self):
        try:
            for argument in islice(self._arguments, self._n_workers + 1 - len(self._ahead)):
                self._ahead.append(self._pool.submit(self._function, argument))
            if self._ahead:
                return self._ahead.popleft().result()
        except BaseException:
            self.close()
            raise
        self.close()
        raise StopIteration

    def close(self):
        """End the threads."""
        self._arguments = iter(())
        while self._ahead:
            self._ahead.popleft().cancel()
        self._pool.shutdown()


def is_lazy(sample):
    """Tell whether a sample is decoded or rendered when it is asked for, being no array yet.

    Parameters
    ----------
    sample : object
        A trial, a video, or a dict of both.

    Returns
    -------
    bool
        True for a path, for what renders itself when it is turned into an array, and for a dict
        that holds such.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.batching import is_lazy
    >>> is_lazy({"rgb": "clip.mp4", "pose": np.zeros((4, 17, 3))}), is_lazy(np.zeros((4, 17, 3)))
    (True, False)
    """
    if isinstance(sample, dict):
        return any(map(is_lazy, sample.values()))
    if isinstance(sample, (str, os.PathLike)):
        return True
    return hasattr(sample, "__array__") and not isinstance(sample, (np.ndarray, torch.Tensor))


class Batches:
    """Batches for skorch, in the place of :class:`torch.utils.data.DataLoader`.

    A DataLoader fetches items one by one and draws from the global random state; this slices whole
    batches and shuffles from a generator of its own. The last batch may be smaller: clinical data
    are too small to drop any. The order does not depend on the number of workers.

    Parameters
    ----------
    dataset : Samples
        Has ``__len__`` and ``batch(index)``.
    batch_size : int
        Samples in a batch.
    generator : torch.Generator, optional
        Source of the shuffle; None keeps the order.
    n_workers : int, optional
        Threads that prepare the next batches while one is used; see :func:`prefetch`. None means 1
        where samples are decoded or rendered when they are asked for, else 0. Estimators take it
        as ``net_params={"iterator_train__n_workers": 2}``.
    like_length : int, default=0
        Batches of samples of like length, so that less is padding: the shuffled samples are sorted
        by length in equal parts of about so many batches, cut into batches, and these are shuffled.
        0 only shuffles.
    """

    def __init__(self, dataset, batch_size, generator=None, n_workers=None, like_length=0):
        self.dataset = dataset
        self.batch_size = batch_size
        self.generator = generator
        self.n_workers = n_workers
        self.like_length = like_length

    def __len__(self):
        return -(-len(self.dataset) // self.batch_size)

    def __iter__(self):
        n = len(self.dataset)
        if self.generator is None:
            order = torch.arange(n)
        else:
            order = torch.randperm(n, generator=self.generator)
        n_workers = self.n_workers
        if n_workers is None:
            n_workers = 1 if getattr(self.dataset, "is_lazy", False) else 0
        batches = order.split(self.batch_size)
        lengths = getattr(self.dataset, "lengths", None)
        if self.like_length and self.generator is not None and lengths is not None:
            batches = self._of_like_length(order, torch.as_tensor(lengths))
        if not getattr(self.dataset, "draws", False):
            return prefetch(self.dataset.batch, batches, n_workers)
        # seeds are drawn here, in order, whatever the number of workers
        seeds = torch.randint(2**31 - 1, (len(batches),), generator=self.generator).tolist()
        return prefetch(lambda one: self.dataset.batch(*one), zip(batches, seeds), n_workers)

    def _of_like_length(self, order, lengths):
        n_parts = max(1, len(order) // (self.batch_size * self.like_length))
        parts = [part[lengths[part].argsort(stable=True)] for part in order.tensor_split(n_parts)]
        batches = torch.cat(parts).split(self.batch_size)
        shuffled = torch.randperm(len(batches), generator=self.generator).tolist()
        return [batches[i] for i in shuffled]


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


def refuse_weightless(weights):
    """Refuse samples that all weigh 0: nothing would be learned from them, or stopped by.

    Parameters
    ----------
    weights : torch.Tensor
        Weights; NaN where a frame is not labelled.

    Raises
    ------
    ValueError
        If none is above 0.
    """
    if len(weights) and not (weights > 0).any():
        raise ValueError(
            f"All {int((~weights.isnan()).sum())} samples on one side of the split for early "
            "stopping, or all there are, weigh 0: sample_weight and class_weight leave nothing "
            "there to train on or to stop by."
        )


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

    @property
    def lengths(self):
        """Frames of each trial; None where samples are single frames or no arrays."""
        if isinstance(self.inputs, torch.Tensor) or self.is_lazy:
            return None
        if any(isinstance(one, dict) for one in self.inputs):
            return None
        return np.array([len(one) for one in self.inputs])

    def mean_weight_1(self):
        """Scale the weights, in a copy.

        Returns
        -------
        Samples
            The same samples; their mean weight is 1.

        Raises
        ------
        ValueError
            If all weigh 0.
        """
        scaled = copy.copy(self)
        refuse_weightless(self.weights)
        scaled.weights = self.weights / self.weights.double().mean().clamp(min=1e-12)
        return scaled

    @property
    def is_lazy(self):
        """Whether samples are decoded or rendered when they are asked for, being no arrays yet."""
        return not isinstance(self.inputs, torch.Tensor) and any(map(is_lazy, self.inputs))

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
            What :class:`skrehab.training.loop.WeightedLoss` takes.
        """
        if isinstance(self.inputs, torch.Tensor):
            inputs = self.inputs[index]
        else:
            inputs = self.collate([self.inputs[i] for i in index])
        return inputs, (self.targets[index], self.weights[index])
