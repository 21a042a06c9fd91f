"""What moved in a clip, in the place of its pictures: differences of colours, or optical flow.

Two-stream networks see movement apart from looks. Both are made of each frame of a clip and the
frame behind it in the video, after they were scaled, cut and changed, so that a mirrored clip moves
the other way. Three channels come out, as of a picture, so every network over pictures takes them,
and weights that were published for pictures are a start.

K. Simonyan, A. Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos",
NeurIPS 2014. L. Wang et al., "Temporal Segment Networks", ECCV 2016 (differences).
"""

import numpy as np
import torch

from skrehab._optional import require

__all__ = ["LARGEST", "optical_flow", "show_motion"]

#: Pixels from frame to frame; faster movement counts as this (Simonyan & Zisserman 2014).
LARGEST = 20.0


def optical_flow(first, second):
    """Compute how far each pixel moved, by OpenCV's dense inverse search.

    Parameters
    ----------
    first, second : ndarray of shape (height, width, 3), dtype uint8
        Two pictures of one video.

    Returns
    -------
    ndarray of shape (height, width, 2), dtype float32
        Pixels to the right, and down.

    References
    ----------
    T. Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.motion import optical_flow
    >>> picture = np.random.RandomState(0).randint(256, size=(64, 64, 3)).astype(np.uint8)
    >>> picture = picture.repeat(4, axis=0).repeat(4, axis=1)[:64, :64]
    >>> flow = optical_flow(picture, np.roll(picture, 2, axis=1))
    >>> np.abs(np.median(flow, axis=(0, 1)) - [2, 0]) < 0.1
    array([ True,  True])
    """
    cv2 = require("cv2", None, "to compute optical flow")
    gray = [cv2.cvtColor(np.ascontiguousarray(one), cv2.COLOR_RGB2GRAY) for one in (first, second)]
    side = min(gray[0].shape)
    if side < 32:  # its smallest patches do not fit
        gray = [cv2.resize(one, None, fx=32 / side, fy=32 / side) for one in gray]
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(*gray, None)
    if side < 32:
        flow = cv2.resize(flow, first.shape[1::-1]) * np.float32(side / 32)
    return flow


def show_motion(first, second, recipe):
    """Make a network's input of the movement between pictures.

    Parameters
    ----------
    first, second : torch.Tensor of shape (n_frames, 3, height, width)
        Pictures in [0, 1], and their successors.
    recipe : ClipRecipe
        ``motion`` and ``std``; a mean is not subtracted, as nothing moves on average.

    Returns
    -------
    torch.Tensor of shape (3, n_frames, height, width), dtype float32
        ``"difference"``: red, green and blue of the successor less those of the picture.
        ``"flow"``: pixels to the right, down, and how many in all, each over 20, at most 1. Both
        divided by ``std``.
    """
    if recipe.motion == "difference":
        moved = second - first
    else:
        pairs = (
            (255 * one).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
            for one in (first, second)
        )
        flow = np.stack([optical_flow(a, b) for a, b in zip(*pairs)])
        speed = np.linalg.norm(flow, axis=3, keepdims=True)
        moved = np.concatenate([flow, speed], axis=3) / LARGEST
        moved = torch.from_numpy(moved.clip(-1, 1).astype(np.float32)).permute(0, 3, 1, 2)
    std = torch.tensor(recipe.std).reshape(1, 3, 1, 1)
    return (moved / std).permute(1, 0, 2, 3).contiguous()
