"""Which joints MotionBERT attends to: the weights of its attention over joints and over frames.

W. Zhu, X. Ma, Z. Liu, L. Liu, W. Wu, Y. Wang, "MotionBERT: A Unified Perspective on Learning Human
Motion Representations", ICCV 2023, section 3.2.
"""

import torch

__all__ = ["joint_attention"]


def joint_attention(network, x, lengths=None, *, over="joints"):
    """Compute how much attention every joint gets in every frame.

    Attention says what a layer reads, for whichever class: it is no measure of what the decision
    hangs on. For that ask a gradient, see :func:`skrehab.saliency.integrated_gradients`.

    Parameters
    ----------
    network : MotionBERT
        Network; in evaluation mode for a result that repeats.
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        Padded trials, as the network takes them.
    lengths : torch.Tensor of shape (batch,), optional
        True number of frames.
    over : {"joints", "frames"}, default="joints"
        Attention among the joints of a frame, or among the frames of a joint.

    Returns
    -------
    torch.Tensor of shape (batch, n_frames, joints)
        Weight that a joint gets in one of the network's own frames: the mean over those who attend,
        heads, layers, both streams and persons. It sums to one over the joints of a frame, or over
        the frames of a joint.

    Raises
    ------
    ValueError
        If the network has no such attention, or `over` is neither.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.sequence.motionbert import MotionBERT
    >>> from skrehab.saliency.attention_weights import joint_attention
    >>> tiny = {"dim_feat": 16, "mlp_ratio": 2, "depth": 1, "n_heads": 2, "dim_rep": 8}
    >>> network = MotionBERT(33, 3, 1, n_frames=15, hidden=16, **tiny).eval()
    >>> found = joint_attention(network, torch.randn(2, 40, 33, 3))
    >>> found.shape, bool(torch.allclose(found.sum(dim=2), torch.ones(2, 15)))
    (torch.Size([2, 15, 17]), True)
    """
    if over not in ("joints", "frames"):
        raise ValueError(f"over must be 'joints' or 'frames', got {over!r}.")
    ending = "attn_s" if over == "joints" else "attn_t"
    layers = [one for name, one in network.named_modules() if name.endswith(f".{ending}")]
    if not layers:
        raise ValueError(f"{type(network).__name__} has no attention over {over}; MotionBERT has.")
    maps = []

    def keep(layer, inputs):
        tokens = inputs[0]  # (batch * persons, T, joints, width) or (..., joints, T, width)
        q, k, _ = layer.qkv(tokens).unflatten(-1, (3, layer.n_heads, -1)).unbind(dim=-3)
        q, k = q.transpose(-2, -3), k.transpose(-2, -3)  # (..., heads, tokens, d)
        weights = (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)
        maps.append(weights.mean(dim=(-3, -2)))  # over heads and over those who attend

    hooks = [layer.register_forward_pre_hook(keep) for layer in layers]
    try:
        with torch.no_grad():
            network(x, lengths)
    finally:
        for hook in hooks:
            hook.remove()
    found = torch.stack(maps).mean(dim=0)
    found = found if over == "joints" else found.mT
    return found.unflatten(0, (len(x), -1)).mean(dim=1)
