"""How many trials go through a network at once, with a gradient, in so much memory.

What a forward pass keeps for the way back is counted, array by array, in one pass with a single
trial; all else follows from it. A trial of 5,000 frames through an LSTM, or one of any length
through a network that draws heat maps, keeps a thousand times what its numbers take.
"""

import torch

__all__ = ["MEMORY", "counting", "kept_bytes", "rows_within"]

MEMORY = 2**29  # bytes kept for the way back; with gradients and what is in passing under 1 GB


def kept_bytes(module, x, lengths):
    """Count what one forward pass keeps for the way back.

    Parameters
    ----------
    module : torch.nn.Module
        Network.
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        Zero-padded trials.
    lengths : torch.Tensor of shape (batch,)
        True number of frames.

    Returns
    -------
    int
        Bytes, without the network's own weights; the largest array in passing is counted too.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks import build
    >>> from skrehab.saliency.memory import kept_bytes
    >>> lstm = build("lstm", n_landmarks=2, n_coords=3, n_outputs=1)
    >>> x = torch.zeros(1, 50, 2, 3)
    >>> short, long = (kept_bytes(lstm, x[:, :n], torch.tensor([n])) for n in (10, 50))
    >>> 4 < long / short < 6
    True
    """
    x = x.detach().clone().requires_grad_(True)
    with torch.enable_grad(), counting(module) as found:
        module(x, lengths)
    return found.n_bytes


class counting:
    """Count in a block what a network keeps for the way back; `n_bytes` tells it afterwards.

    Parameters
    ----------
    module : torch.nn.Module
        Network; its own weights are not counted.
    """

    def __init__(self, module):
        tensors = [*module.parameters(), *module.buffers()]
        self._own = {tensor.untyped_storage().data_ptr() for tensor in tensors}
        self._kept = {}

    def _keep(self, tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._own:
            # held here as it is held on the way back, or its place would be given to the next one
            self._kept[storage.data_ptr()] = storage
        return tensor

    def __enter__(self):
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._keep, lambda one: one)
        self._hooks.__enter__()
        return self

    def __exit__(self, *error):
        self._hooks.__exit__(*error)
        sizes = [storage.nbytes() for storage in self._kept.values()]
        self.n_bytes = sum(sizes) + 2 * max(sizes, default=0)
        self._kept.clear()


def rows_within(module, x, lengths, most, memory=MEMORY):
    """Choose how many trials of a padded batch go through a network at once.

    Parameters
    ----------
    module : torch.nn.Module
        Network, in evaluation mode.
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        The batch.
    lengths : torch.Tensor of shape (batch,)
        True number of frames.
    most : int
        No more than this.
    memory : int, default=2**29
        Bytes for what is kept.

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
    if most <= 1:
        return 1
    longest = int(lengths.argmax())
    one = slice(longest, longest + 1)
    return max(1, min(most, memory // max(1, kept_bytes(module, x[one], lengths[one]))))
