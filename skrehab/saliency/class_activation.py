"""Where a network looked for one label: Grad-CAM, attention of tokens, joints that tokens read.

Pure functions on torch modules. They explain the network, not the patient: a network that tells
exercises apart by the room will point at the room. Parameters, gradients and training mode are left
as found.
"""

import torch
from torch import nn

from skrehab.saliency._places import (
    as_leaf,
    deal,
    enlarge,
    hooked,
    label_logit,
    of_branch,
    scaled,
)
from skrehab.saliency.gradients import frozen

__all__ = ["grad_cam", "token_attention", "token_joints"]


# --- Grad-CAM -------------------------------------------------------------------------------------
def grad_cam(module, clip, label, *, layer=None, logits=None, normalize=True):
    """Show where in a clip a video network found one label, by Grad-CAM.

    Each channel of a layer is weighed by the mean gradient of the label's logit with respect to it;
    the weighted sum, where it is positive, is the map.

    Parameters
    ----------
    module : torch.nn.Module
        Network over RGB clips, or one with such a branch named ``rgb``
        (:class:`skrehab.networks.two_stream.transm3e.TransM3E`, whose RGB branch is explained).
    clip : torch.Tensor of shape (batch, 3, n_frames, height, width)
        Normalised clips.
    label : int or torch.Tensor of int of shape (batch,)
        Column of the logits that is explained.
    layer : str, optional
        Name of the layer within the RGB network, as in ``named_modules()``, such as ``"conv3a"``.
        None takes the last layer that still has places: the last block's ``norm1`` in MViT, behind
        which the tokens read the patches for the last time; else the last stage of the network with
        more than one place (of SlowFast, the slow one).
    logits : callable, optional
        From `clip` to logits (batch, n_outputs) by way of `module`; None calls the module. For
        TransM3E after its first stage: ``lambda clip: network(clip, stage=1)["rgb"]``.
    normalize : bool, default=True
        Divide each clip's map by its maximum. False returns it in units of the logit.

    Returns
    -------
    torch.Tensor of shape (batch, n_frames, height, width)
        The map, in [0, 1]; zeros where nothing spoke for the label. It is computed on the layer's
        own grid, such as 8 x 7 x 7, and interpolated: it has no finer detail than that.

    Raises
    ------
    ValueError
        If there is no such layer or label, or the layer's output has no known places, as in
        networks of patches that do not say how they lie (VideoMAE, Hiera).

    References
    ----------
    Selvaraju et al. 2017, ICCV, Eq. 1 and 2; shown for MViTv2 and TransM3E in Peng et al. 2024,
    ACM MM, section 5.5 and figure 5.

    Examples
    --------
    >>> import torch
    >>> from skrehab.saliency.class_activation import grad_cam
    >>> from skrehab.networks.two_stream.mvit_tokens import MViTTokens
    >>> network = MViTTokens(4, n_tokens=3, widths=(4, 8), depths=(1, 1), image_size=32)
    >>> grad_cam(network, torch.randn(2, 3, 16, 32, 32), label=1).shape
    torch.Size([2, 16, 32, 32])
    """
    rgb = getattr(module, "rgb", module)
    logits = logits or (lambda clip: of_branch(module(clip), "rgb"))
    with frozen(module):
        if layer is None:
            layer = _last_layer_with_places(rgb, logits, clip)
        values, gradient = _values_and_gradient(rgb, layer, logits, clip, label)
    n_places = values.shape[2:].numel()
    weights = gradient.flatten(2).sum(dim=2) / n_places
    maps = torch.einsum("bc,bcthw->bthw", weights, values)
    maps = enlarge(maps.clamp(min=0), clip, rgb)
    return scaled(maps, (1, 2, 3)) if normalize else maps


def _values_and_gradient(rgb, layer, logits, clip, label):
    """What a layer says at each place (batch, channels, time, height, width), and its gradient."""
    layers = dict(rgb.named_modules())
    if layer not in layers:
        raise ValueError(
            f"{type(rgb).__name__} has no layer {layer!r}; the last of its {len(layers)} layers "
            f"are {list(layers)[-8:]}."
        )
    kept = {}

    def keep(_, inputs, output):
        if not isinstance(output, torch.Tensor):
            raise ValueError(f"layer {layer!r} returns {type(output).__name__}, not one tensor.")
        kept["leaf"], output = as_leaf(output)
        return output

    def keep_grid(_, inputs):
        if len(inputs) > 1 and isinstance(inputs[1], (tuple, list)) and len(inputs[1]) == 3:
            kept["grid"] = tuple(inputs[1])

    hooks = [layers[layer].register_forward_hook(keep)]
    block = layers.get(layer.rpartition(".")[0])
    if block is not None:
        hooks.append(block.register_forward_pre_hook(keep_grid))
    with hooked(hooks), torch.enable_grad():
        total = label_logit(logits(clip), label)
        if "leaf" not in kept:
            raise ValueError(f"layer {layer!r} takes no part in the logits.")
        leaf = kept["leaf"]
        (gradient,) = torch.autograd.grad(total, leaf, allow_unused=True)
    gradient = torch.zeros_like(leaf) if gradient is None else gradient
    last = isinstance(layers[layer], nn.LayerNorm)  # such networks keep their channels last

    def placed(x):
        if x.ndim == 3 and "grid" in kept:
            n_patches = torch.Size(kept["grid"]).numel()
            return x[:, x.shape[1] - n_patches :].mT.unflatten(2, kept["grid"])
        if x.ndim != 5:
            raise ValueError(
                f"layer {layer!r} of {type(rgb).__name__} returns {tuple(x.shape)}: where its "
                "values lie in the clip is not known. Name another one with layer=."
            )
        return x.movedim(-1, 1) if last else x

    return placed(leaf.detach()), placed(gradient)


def _last_layer_with_places(rgb, logits, clip):
    """Name the layer that Grad-CAM looks at."""
    blocks = getattr(rgb, "blocks", None)
    if isinstance(blocks, nn.ModuleList) and hasattr(blocks[-1], "norm1"):
        return f"blocks.{len(blocks) - 1}.norm1"
    found = {}

    def watch(name, layer):
        def hook(_, inputs, output):
            if isinstance(output, torch.Tensor) and output.ndim == 5:
                found[name] = output.shape, isinstance(layer, nn.LayerNorm)

        return layer.register_forward_hook(hook)

    layers = [(name, layer) for name, layer in rgb.named_modules() if name]
    with hooked([watch(*each) for each in layers]), torch.no_grad():
        logits(clip[:1])
    norms = [name for name, (_, is_norm) in found.items() if is_norm]
    if norms:
        return norms[-1]
    outer = [n for n in found if not any(n.startswith(f"{other}.") for other in found)]
    places = {n: found[n][0][3:].numel() for n in outer}
    wide = [n for n in outer if places[n] > 1]
    if not wide:
        raise ValueError(
            f"{type(rgb).__name__} has no layer with a known place for each value: name one whose "
            "output has shape (batch, channels, time, height, width) with layer=."
        )
    smallest = min(places[n] for n in wide)
    last = [n for n in wide if places[n] == smallest]
    return max(reversed(last), key=lambda n: found[n][0][1])


# --- tokens over a clip ---------------------------------------------------------------------------
def token_attention(module, clip, label=None, *, logits=None, normalize=True):
    """Show where the tokens of a video transformer look, in its last block.

    There are as many classification tokens as labels in MuscleMap's networks, but no token belongs
    to a label: all of them are averaged before the classifier. The map of a label is therefore the
    mean over tokens, weighed by how much each one speaks for it (its value times the gradient of
    the logit, where that is positive). Tokens that look alike give labels maps that look alike.

    Parameters
    ----------
    module : torch.nn.Module
        :class:`skrehab.networks.two_stream.mvit_tokens.MViTTokens`, or a network with one named
        ``rgb``.
    clip : torch.Tensor of shape (batch, 3, n_frames, height, width)
        Normalised clips.
    label : int or torch.Tensor of int of shape (batch,), optional
        Column of the logits; None returns a map of each classification token.
    logits : callable, optional
        See :func:`grad_cam`.
    normalize : bool, default=True
        Divide each map by its maximum. False leaves shares of a token's attention.

    Returns
    -------
    torch.Tensor of shape (batch, n_frames, height, width)
        The map of the label, in [0, 1]; without a label (batch, n_tokens, n_frames, height, width).

    Raises
    ------
    ValueError
        If the network has no such tokens, or there is no such label.

    References
    ----------
    Peng et al. 2024, ACM MM, section 4.2 (the tokens). The weighing of tokens is ours.

    Examples
    --------
    >>> import torch
    >>> from skrehab.saliency.class_activation import token_attention
    >>> from skrehab.networks.two_stream.mvit_tokens import MViTTokens
    >>> network = MViTTokens(4, n_tokens=3, widths=(4, 8), depths=(1, 1), image_size=32)
    >>> clip = torch.randn(2, 3, 16, 32, 32)
    >>> token_attention(network, clip).shape, token_attention(network, clip, label=1).shape
    (torch.Size([2, 3, 16, 32, 32]), torch.Size([2, 16, 32, 32]))
    """
    rgb = getattr(module, "rgb", module)
    tokens = getattr(getattr(rgb, "pos_encoding", None), "class_token", None)
    if tokens is None or not hasattr(rgb.blocks[-1].attn, "weights"):
        raise ValueError(
            f"{type(rgb).__name__} has no tokens to ask: token_attention needs MViTTokens "
            "('mvit_mct'), or a network with one named rgb."
        )
    logits = logits or (lambda clip: of_branch(module(clip), "rgb"))
    kept = {}

    def keep_attention(attention, inputs):
        with torch.no_grad():
            weights, grid = attention.weights(*inputs)
        n_tokens = weights.shape[3] - torch.Size(grid).numel()
        # (batch, tokens, time, height, width), mean over heads
        kept["maps"] = weights[:, :, :n_tokens, n_tokens:].mean(dim=1).unflatten(2, grid)

    def keep_tokens(_, inputs, output):
        kept["leaf"], output = as_leaf(output)
        return output

    hooks = [
        rgb.blocks[-1].attn.register_forward_pre_hook(keep_attention),
        rgb.norm.register_forward_hook(keep_tokens),
    ]
    with frozen(module), hooked(hooks), torch.enable_grad():
        out = logits(clip)
        if label is not None:
            (gradient,) = torch.autograd.grad(label_logit(out, label), kept["leaf"])
    if label is None:
        maps = kept["maps"][:, -len(tokens) :]
    else:
        n_tokens = kept["maps"].shape[1]
        share = (gradient * kept["leaf"].detach())[:, :n_tokens].sum(dim=2).clamp(min=0)
        total = share.sum(dim=1, keepdim=True)
        share = share / total.masked_fill(total == 0, 1)
        maps = torch.einsum("bk,bkthw->bthw", share, kept["maps"])
    maps = enlarge(maps, clip, rgb)
    return scaled(maps, (-3, -2, -1)) if normalize else maps


# --- tokens beside the joints ---------------------------------------------------------------------
def token_joints(module, x, lengths=None, *, label, logits=None, normalize=True):
    """Show which joints told the tokens of a graph network about one label, and when.

    After each unit the tokens read every joint of every frame through a linear map (Eq. 3). What
    was read, times the gradient of the label's logit, is summed over channels and units. For
    :class:`~skrehab.networks.two_stream.hdgcn_tokens.HDGCNTokens` by itself that is exact: logits
    of two trials differ by as much as these sums do. Behind the fusion of TransM3E it is a
    first-order share.

    Parameters
    ----------
    module : torch.nn.Module
        :class:`skrehab.networks.two_stream.hdgcn_tokens.HDGCNTokens`, or a network with one named
        ``pose``.
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        Zero-padded trials.
    lengths : torch.Tensor of shape (batch,), optional
        True number of frames; None means all of them.
    label : int or torch.Tensor of int of shape (batch,)
        Column of the logits that is explained.
    logits : callable, optional
        From ``(x, lengths)`` to logits by way of `module`; None calls the module.
    normalize : bool, default=True
        Leave what speaks for the label, divided by each trial's maximum. False returns signed
        values in units of the logit.

    Returns
    -------
    torch.Tensor of shape (batch, frames, joints)
        The map, zero in the padding. Joints are those of the network's own skeleton
        (``module.graph``), one person behind the other: the trial's landmarks, unless it converts
        them. A joint stands for what the units before gathered there from its neighbours.

    Raises
    ------
    ValueError
        If the network has no such tokens, or there is no such label.

    References
    ----------
    Peng et al. 2024, ACM MM, Eq. 2 and 3 (the tokens). The map is ours.

    Examples
    --------
    >>> import torch
    >>> from skrehab.saliency.class_activation import token_joints
    >>> from skrehab.networks.two_stream.hdgcn_tokens import HDGCNTokens
    >>> small = dict(widths=(8, 16), n_units=(1, 1), n_levels=1, n_frames=16)
    >>> network = HDGCNTokens(17, 3, 4, n_tokens=5, **small)
    >>> token_joints(network, torch.randn(2, 30, 17, 3), torch.tensor([30, 12]), label=1).shape
    torch.Size([2, 30, 17])
    """
    pose = getattr(module, "pose", module)
    if getattr(pose, "class_token", None) is None or not hasattr(pose, "mixers"):
        raise ValueError(
            f"{type(pose).__name__} has no tokens to ask: token_joints needs HDGCNTokens "
            "('hdgcn_mct'), or a network with one named pose."
        )
    if logits is None:

        def logits(x, lengths):
            if pose is module:
                return module(x, lengths)
            return module(pose=x, lengths=lengths)["pose"]

    leaves = []

    def keep(_, inputs):
        leaf, given = as_leaf(inputs[0])  # (batch * persons, width, frames * joints)
        leaves.append(leaf)
        return (given,)

    readers = [
        reader for m in pose.mixers for reader in (m.merge, m.merge_distill) if reader is not None
    ]
    hooks = [reader.register_forward_pre_hook(keep) for reader in readers]
    with frozen(module), hooked(hooks), torch.enable_grad():
        total = label_logit(logits(x, lengths), label)
        gradients = torch.autograd.grad(total, leaves, allow_unused=True)
    n_trials, n_frames = x.shape[:2]
    lengths = [n_frames] * n_trials if lengths is None else [int(n) for n in lengths]
    n_joints = pose.graph.n_landmarks
    maps = 0
    for leaf, gradient in zip(leaves, gradients):
        if gradient is None:
            continue
        told = (leaf.detach() * gradient).sum(dim=1)  # (batch * persons, frames * joints)
        told = told.reshape(n_trials, -1, told.shape[1] // n_joints, n_joints)
        told = told.movedim(1, 2).flatten(2)  # (batch, frames of the unit, persons * joints)
        maps = maps + torch.stack(
            [deal(told.shape[1], n, n_frames).to(told) @ one for n, one in zip(lengths, told)]
        )
    return scaled(maps, (1, 2)) if normalize else maps
