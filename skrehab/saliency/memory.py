"""How many trials go through a network at once, with a gradient, in so much memory.

What one trial takes on its way through and back is counted, array by array; all else follows from
it. A trial of 5,000 frames through an LSTM, or one of any length through a network that draws heat
maps, takes a thousand times what its numbers do.
"""

import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["MEMORY", "counting", "rows_within"]

# Bytes. An allocator may hold two and a half times as much: arrays under 32 MB that went leave gaps
# which glibc keeps (stgcn: 0.5 GB counted, 1.4 GB held), and more rows at once were no faster.
MEMORY = 2**28


class counting(TorchDispatchMode):
    """Count the most memory that arrays take at once which are made in a block.

    What is made on the way back, and what a network computes a second time there, is counted too;
    what an operation takes for itself is not. `n_bytes` tells it.

    Examples
    --------
    >>> import torch
    >>> from skrehab.saliency.memory import counting
    >>> with counting() as found:
    ...     for _ in range(3):
    ...         x = torch.zeros(1000) + 1  # two arrays, of which one goes
    >>> found.n_bytes
    12000
    """

    def __init__(self):
        super().__init__()
        self.n_bytes = self._now = 0
        self._alive = {}

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        given = None
        for one in tree_leaves(result):
            if not isinstance(one, torch.Tensor):
                continue
            storage = one.untyped_storage()
            if self._is_counted(storage._cdata):
                continue
            if given is None:
                leaves = (x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor))
                given = {x.untyped_storage()._cdata for x in leaves}
            if storage._cdata not in given:  # a view of what was there before takes nothing
                self._count(storage)
        return result

    def _is_counted(self, key):
        reference, _ = self._alive.get(key, (None, 0))
        return reference is not None and reference() is not None

    def _count(self, storage):
        key, size = storage._cdata, storage.nbytes()
        self._now += size - self._alive.get(key, (None, 0))[1]  # the place of one that went
        self._alive[key] = weakref.ref(storage), size
        # Nothing tells that an array went (no code of ours runs in the collector), so those that
        # are left are looked through, but only where the most might have grown.
        if self._now > self.n_bytes:
            self._alive = {k: each for k, each in self._alive.items() if each[0]() is not None}
            self._now = sum(each[1] for each in self._alive.values())
            self.n_bytes = max(self.n_bytes, self._now)


def rows_within(module, x, lengths, most, memory=MEMORY):
    """Choose how many trials of a padded batch go through a network, and back, at once.

    Parameters
    ----------
    module : torch.nn.Module
        Network, in evaluation mode.
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        The batch; its longest trial is sent through.
    lengths : torch.Tensor of shape (batch,)
        True number of frames.
    most : int
        No more than this.
    memory : int or None, default=2**28
        Bytes; None measures nothing and takes `most`.

    Returns
    -------
    int
        At least 1, however much one trial needs.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks import build
    >>> from skrehab.saliency.memory import rows_within
    >>> lstm = build("lstm", n_landmarks=2, n_coords=3, n_outputs=1)
    >>> x, lengths = torch.zeros(1, 50, 2, 3), torch.tensor([50])
    >>> rows_within(lstm, x, lengths, 64), rows_within(lstm, x, lengths, 64, memory=1)
    (64, 1)
    """
    if most <= 1 or memory is None:
        return most
    longest = int(lengths.argmax())
    one = x[longest : longest + 1].clone().requires_grad_(True)
    with torch.enable_grad(), counting() as found:
        torch.autograd.grad(module(one, lengths[longest : longest + 1]).sum(), one)
    return max(1, min(most, memory // max(1, found.n_bytes)))
