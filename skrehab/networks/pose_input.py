"""From trials to what a pose encoder reads: one skeleton, every coordinate in [-1, 1].

This happens inside the networks, so that a pretrained one takes the same trials as any other.
"""

import torch
from torch import nn

from skrehab.preprocessing.skeleton_conversion import conversion, guess_skeleton
from skrehab.skeletons import get_skeleton, list_skeletons

__all__ = ["PoseInput", "find_skeleton", "scale_poses", "true_frames"]


def true_frames(x, lengths=None):
    """Tell which frames of a batch are a trial's own.

    Parameters
    ----------
    x : torch.Tensor of shape (batch, frames, ...)
        Padded sequences.
    lengths : torch.Tensor of shape (batch,), optional
        True number of frames; None means all of them.

    Returns
    -------
    torch.Tensor of shape (batch, frames), dtype bool
        True inside the sequence, False in its padding.
    """
    if lengths is None:
        return torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
    return torch.arange(x.shape[1], device=x.device) < lengths.to(x.device)[:, None]


def scale_poses(x, lengths=None, lost=None):
    """Scale each coordinate of each trial to the range [-1, 1].

    The smallest and largest value are looked for over all landmarks and frames; they count as
    constants in a gradient. Lost landmarks (NaN) become 0, as does a coordinate that never changes;
    a zero that comes is a number, such as a displacement of nothing.

    Parameters
    ----------
    x : torch.Tensor of shape (batch, frames, landmarks, coords)
        Padded trials, in any units.
    lengths : torch.Tensor of shape (batch,), optional
        True number of frames; None means all of them.
    lost : torch.Tensor of shape (batch, frames, landmarks, coords), dtype bool, optional
        What has no part in it; None means what is NaN.

    Returns
    -------
    torch.Tensor of shape (batch, frames, landmarks, coords)
        Scaled trials; 0 in the padding.

    References
    ----------
    Nekoui & Cheng, BMVC 2021, section 4.1: "scaled to be in the range [-1, 1]".

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.pose_input import scale_poses
    >>> scale_poses(torch.tensor([2.0, 3.0, 6.0]).reshape(1, 3, 1, 1)).ravel()
    tensor([-1.0000, -0.5000,  1.0000])
    """
    with torch.no_grad():
        lost = x.isnan() if lost is None else lost
        seen = true_frames(x, lengths)[..., None, None] & ~lost
        low = x.masked_fill(~seen, torch.inf).amin(dim=(1, 2), keepdim=True)
        high = x.masked_fill(~seen, -torch.inf).amax(dim=(1, 2), keepdim=True)
        nobody = low > high
        low, high = low.masked_fill(nobody, 0), high.masked_fill(nobody, 0)
        middle, half = (low + high) / 2, (high - low) / 2
        moves = half > 1e-5 * middle.abs()  # less is rounding
    scaled = (x.masked_fill(lost, 0) - middle) / half.masked_fill(~moves, 1)
    return scaled.masked_fill(~(seen & moves), 0)


def find_skeleton(n_landmarks, skeleton=None):
    """Tell the skeleton of trials.

    Parameters
    ----------
    n_landmarks : int
        Landmarks of the trials.
    skeleton : str, Skeleton or dict, optional
        Its name, or a dict from numbers of landmarks to names; what it does not say is guessed.

    Returns
    -------
    Skeleton or None
        The skeleton; None if nothing is said and no skeleton is known by that number.

    Raises
    ------
    ValueError
        If the skeleton has another number of landmarks.

    Examples
    --------
    >>> from skrehab.networks.pose_input import find_skeleton
    >>> find_skeleton(33).name, find_skeleton(20, {20: "kinect20"}).name
    ('mediapipe33', 'kinect20')
    """
    if isinstance(skeleton, dict):
        skeleton = skeleton.get(n_landmarks)
    if skeleton is None:
        return guess_skeleton(n_landmarks)
    skeleton = get_skeleton(skeleton)
    if skeleton.n_landmarks != n_landmarks:
        raise ValueError(
            f"skeleton={skeleton.name!r} has {skeleton.n_landmarks} landmarks, the trials have "
            f"{n_landmarks}. For trials of several kinds pass a dict, such as "
            "skeleton={25: 'kinect25', 20: 'kinect20'}."
        )
    return skeleton


class PoseInput(nn.Module):
    """From trials to what the encoder reads: a common skeleton if wanted, values in [-1, 1].

    Parameters
    ----------
    n_landmarks, n_coords : int
        Trailing shape of the trials.
    skeleton : str, Skeleton or dict, optional
        Skeleton of the trials; see :func:`find_skeleton`.
    common_skeleton : str or Skeleton, optional
        Skeleton to convert every trial to, such as ``"common15"``; scores are left out then. None
        keeps landmarks and coordinates as they are.
    scale : bool, default=True
        Scale as :func:`scale_poses` does.

    Attributes
    ----------
    shape : tuple of int
        ``(landmarks, coords)`` of what comes out.

    Examples
    --------
    >>> import torch
    >>> from skrehab.networks.pose_input import PoseInput
    >>> PoseInput(25, 3, common_skeleton="common15")(torch.randn(2, 9, 25, 3)).shape
    torch.Size([2, 9, 15, 3])
    """

    def __init__(self, n_landmarks, n_coords, *, skeleton=None, common_skeleton=None, scale=True):
        super().__init__()
        self.scale = scale
        self.shape = n_landmarks, n_coords
        self._weights = None
        if common_skeleton is None:
            return
        source = find_skeleton(n_landmarks, skeleton)
        if source is None:
            raise ValueError(
                f"No skeleton is known by the number of {n_landmarks} landmarks, so they cannot "
                f"be converted to {get_skeleton(common_skeleton).name}: pass skeleton=..., one of "
                f"{list_skeletons()}."
            )
        mapping = conversion(source, common_skeleton)
        self.shape = mapping.target.n_landmarks, mapping.target.n_dims
        self._n_dims = min(source.n_dims, n_coords)
        del self._weights
        for name, value in (("_weights", mapping.weights), ("_signs", mapping.signs)):
            self.register_buffer(name, torch.from_numpy(value).float(), persistent=False)

    def forward(self, x, lengths=None):
        lost = x.isnan()
        x = x.masked_fill(lost, 0)
        if self._weights is not None:
            x, lost = x[..., : self._n_dims], lost[..., : self._n_dims]
            x = torch.einsum("jl,btlc->btjc", self._weights, x) * self._signs[: self._n_dims]
            # a landmark is lost where any that it follows from is
            parts = (self._weights != 0).to(x.dtype)
            lost = torch.einsum("jl,btlc->btjc", parts, lost.to(x.dtype)) > 0
            wanted = self.shape[1] - self._n_dims
            x = nn.functional.pad(x, (0, wanted))  # a flat skeleton gets z = 0, or z is dropped
            lost = nn.functional.pad(lost, (0, wanted), value=True)
        return scale_poses(x, lengths, lost) if self.scale else x.masked_fill(lost, 0)
