"""From a layer of a network back to the clip: hooks, gradients of one label, places.

What Grad-CAM and the maps of tokens share.
"""

from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["as_leaf", "deal", "enlarge", "hooked", "label_logit", "of_branch", "scaled"]


# --- what happens inside --------------------------------------------------------------------------
@contextmanager
def hooked(hooks):
    """Take hooks away again, whatever happens."""
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def as_leaf(values):
    """Begin the graph here: nothing before is differentiated; the clone may be changed in place."""
    leaf = values.detach().requires_grad_(True)
    return leaf, leaf.clone()


def label_logit(logits, label):
    """Sum over the batch of each clip's logit of its label; rows do not mix."""
    label = torch.as_tensor(label, device=logits.device)
    if label.is_floating_point() or ((label < 0) | (label >= logits.shape[1])).any():
        raise ValueError(
            f"label must be a column of the logits, 0 to {logits.shape[1] - 1}, "
            f"got {label.tolist()!r}."
        )
    return logits.gather(1, label.expand(len(logits))[:, None]).sum()


def of_branch(out, branch):
    return out[branch] if isinstance(out, dict) else out


def scaled(maps, axes):
    """Leave what speaks for the label, the strongest place 1; zeros where nothing does."""
    maps = maps.clamp(min=0)
    top = maps.amax(dim=axes, keepdim=True)
    return maps / top.masked_fill(top == 0, 1)


# --- from the network's grid to the clip ----------------------------------------------------------
def _spread(n_places, n_pixels, at_corner):
    """Weights (n_pixels, n_places) of linear interpolation.

    A convolution with an odd kernel and stride s is centred on pixels 0, s, 2s ...; one whose
    kernel is its stride, on the middle of each stretch.
    """
    pixels = torch.arange(n_pixels, dtype=torch.float32)
    ratio = n_pixels / n_places
    at = pixels / ratio if at_corner else (pixels + 0.5) / ratio - 0.5
    distance = at.clamp(0, n_places - 1)[:, None] - torch.arange(n_places)
    return (1 - distance.abs()).clamp(min=0)


def _at_corner(module):
    """For time, height and width: is the first layer that shrinks it centred on its first pixel?"""
    result = [None, None, None]
    for layer in module.modules():
        if not isinstance(layer, (nn.Conv3d, nn.MaxPool3d)):
            continue
        sizes = [(v,) * 3 if isinstance(v, int) else v for v in (layer.kernel_size, layer.stride)]
        for axis, (kernel, stride) in enumerate(zip(*sizes)):
            if result[axis] is None and stride > 1:
                result[axis] = kernel > stride
    return [bool(one) for one in result]


def enlarge(maps, clip, module):
    """Bring maps (..., time, height, width) to the frames and pixels of a clip."""
    sizes = zip(maps.shape[-3:], clip.shape[-3:], _at_corner(module))
    t, h, w = (_spread(*each).to(maps) for each in sizes)
    return torch.einsum("...abc,ta,hb,wc->...thw", maps, t, h, w)


def deal(n_steps, n_frames, n_padded):
    """Weights (n_padded, n_steps) that deal each step out to its frames and keep the sum."""
    # in units of 1 / n_steps of a frame, in which all borders are whole numbers
    frames = torch.arange(n_padded)[:, None] * n_steps
    steps = torch.arange(n_steps) * n_frames
    ends = torch.minimum(frames + n_steps, steps + n_frames)
    overlap = (ends - torch.maximum(frames, steps)).clamp(min=0)
    return overlap / n_frames
