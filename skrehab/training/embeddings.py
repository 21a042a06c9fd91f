"""What a frozen network makes of trials: computed once, and kept if asked."""

import joblib
import torch
from torch import nn

from skrehab.training.batching import iterate_by_length

__all__ = ["OnEmbeddings", "embed_trials", "penultimate"]


class OnEmbeddings(nn.Module):
    """The classifier of a frozen network, fed with embeddings.

    Parameters
    ----------
    network : torch.nn.Module
        Has ``embed(x, lengths)`` and ``classify_embedding(embeddings)``.
    """

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, embeddings):
        return self.network.classify_embedding(embeddings)


def penultimate(network, inputs, head):
    """Run a network and take what goes into its classifier.

    Parameters
    ----------
    network : torch.nn.Module
        Network.
    inputs : dict of str to torch.Tensor
        What it takes.
    head : str
        Name of the classifier, such as ``"head."``.

    Returns
    -------
    torch.Tensor of shape (batch, n_features)
        Features; a classifier that scores every frame gives their mean over the frames.
    """
    if hasattr(network, "clip"):  # networks over RGB clips say it themselves
        return network.features(**inputs)
    kept = []
    layer = network.get_submodule(head.rstrip("."))
    hook = layer.register_forward_pre_hook(lambda _, args: kept.append(args[0]))
    try:
        network(**inputs)
    finally:
        hook.remove()
    features, x, lengths = kept[0], inputs["x"], inputs.get("lengths")
    if features.ndim != 3:
        return features.flatten(1)
    if lengths is None or features.shape[1] != x.shape[1]:
        return features.mean(dim=1)
    # the trial's own frames: what is padded depends on the other trials of the batch
    true = torch.arange(x.shape[1], device=x.device) < lengths.to(x.device)[:, None]
    return (features * true[..., None]).sum(dim=1) / true.sum(dim=1, keepdim=True)


def embed_trials(network, trials, batch_size, device="cpu", memory=None):
    """Embed trials with a network in evaluation mode.

    Parameters
    ----------
    network : torch.nn.Module
        Has ``embed(x, lengths) -> (batch, n_features)``, and its classifier in ``head``.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials.
    batch_size : int
        Trials in a batch.
    device : str, default="cpu"
        Torch device, on which the network is.
    memory : str, path-like or joblib.Memory, optional
        Where to keep embeddings, found again by the content of trial and weights.

    Returns
    -------
    torch.Tensor of shape (n_trials, n_features)
        Embeddings, on the CPU.
    """
    network.eval()
    if memory is None:
        return _embed(network, trials, batch_size, device)
    memory = memory if hasattr(memory, "cache") else joblib.Memory(memory, verbose=0)
    body = {k: v for k, v in network.state_dict().items() if not k.startswith("head.")}
    weights = joblib.hash({k: v.cpu().numpy() for k, v in body.items()})
    # one entry a trial: other folds hold other lists of the same trials
    cached = memory.cache(_embed_one, ignore=["network", "device"])
    rows = [cached(network, trial, weights, _structure(network), device) for trial in trials]
    return torch.cat(rows)


def _structure(network):
    """What decides the embedding beside the weights: layers, and settings such as a length."""
    plain = {k: v for k, v in vars(network).items() if isinstance(v, bool | int | float | str)}
    return f"{network!r} {sorted(plain.items())}"


def _embed_one(network, trial, weights, structure, device):
    """Embed one trial; `weights` and `structure` stand for the network in the cache's key."""
    return _embed(network, [trial], 1, device)


def _embed(network, trials, batch_size, device):
    rows = [None] * len(trials)
    with torch.inference_mode():
        for index, x, lengths in iterate_by_length(trials, batch_size):
            for i, row in zip(index, network.embed(x.to(device), lengths).cpu()):
                rows[i] = row
    return torch.stack(rows).clone()  # a tensor made in inference mode cannot be trained on
