"""RGB and skeleton of one trial: what is checked, how both become a batch, what training varies."""

import warnings

import numpy as np
import torch

from skrehab.pose.reader import VideoError
from skrehab.pose.seeking import count_frames
from skrehab.preprocessing.lost import complete_poses
from skrehab.training.batching import pad_trials
from skrehab.training.clips import MIDDLE, check_videos, show_clip
from skrehab.trials import check_trials

__all__ = [
    "MODALITIES",
    "check_clip_lengths",
    "check_modalities",
    "collate_modalities",
    "jitter_colors",
    "normalize_pose",
    "split_modalities",
]

#: What a sample may hold, in this order.
MODALITIES = ("rgb", "pose")
_SHOWN = 10  # clips in one message


# --- checks ---------------------------------------------------------------------------------------
def split_modalities(X, *, name="X"):
    """Take trials of two modalities apart.

    Parameters
    ----------
    X : sequence of dict
        ``{"rgb": video, "pose": trial}`` each; one of the two may be None.
    name : str, default="X"
        What to call it in error messages.

    Returns
    -------
    dict of str to list
        Videos under ``"rgb"``, trials under ``"pose"``, None where there is none.

    Raises
    ------
    ValueError
        If an item is no such dict, or holds neither; the message names the item.

    Examples
    --------
    >>> from skrehab.training.modalities import split_modalities
    >>> split_modalities([{"rgb": "a.mp4", "pose": None}])
    {'rgb': ['a.mp4'], 'pose': [None]}
    """
    if isinstance(X, (str, bytes, dict)) or not hasattr(X, "__len__") or len(X) == 0:
        raise ValueError(
            f"{name} must be a list of dicts {{'rgb': ..., 'pose': ...}}, one a trial."
        )
    for i, item in enumerate(X):
        if not isinstance(item, dict) or set(item) - set(MODALITIES):
            what = sorted(item) if isinstance(item, dict) else type(item).__name__
            raise ValueError(f"{name}[{i}] must be a dict of 'rgb' and 'pose', got {what}.")
        if all(item.get(modality) is None for modality in MODALITIES):
            raise ValueError(f"{name}[{i}] holds neither RGB nor pose.")
    return {modality: [item.get(modality) for item in X] for modality in MODALITIES}


def check_modalities(X, wanted=MODALITIES, *, n_landmarks=None, n_coords=None, name="X"):
    """Validate trials of two modalities, of which one may be missing.

    Parameters
    ----------
    X : sequence of dict
        ``{"rgb": path, uint8 array or lazy clip, "pose": (n_frames, n_landmarks, n_coords)}`` each.
    wanted : sequence of {"rgb", "pose"}, default=("rgb", "pose")
        What is looked at; the other modality is left alone, whatever it is.
    n_landmarks, n_coords : int, optional
        Required trailing shape of the skeletons, normally what was seen in ``fit``.
    name : str, default="X"
        What to call it in error messages.

    Returns
    -------
    list of dict
        One a trial, with ``"rgb"`` and ``"pose"``; None is missing or not wanted. Files are not
        opened.

    Raises
    ------
    ValueError
        If a trial holds nothing of what is wanted, or something else; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.modalities import check_modalities
    >>> [trial] = check_modalities([{"pose": np.zeros((8, 17, 3))}])
    >>> trial["rgb"], trial["pose"].shape
    (None, (8, 17, 3))
    """
    parts = split_modalities(X, name=name)
    for modality in MODALITIES:
        if modality not in wanted:
            parts[modality] = [None] * len(X)
    for i, found in enumerate(zip(*parts.values())):
        if all(one is None for one in found):
            raise ValueError(
                f"{name}[{i}] has no {' or '.join(wanted)}, and nothing else is looked at."
            )
    parts["rgb"] = _check_present(parts["rgb"], check_videos, name=f"RGB of {name}")
    shape = {"n_landmarks": n_landmarks, "n_coords": n_coords}
    parts["pose"] = _check_present(parts["pose"], check_trials, name=f"pose of {name}", **shape)
    return [dict(zip(parts, found)) for found in zip(*parts.values())]


def _check_present(items, check, **params):
    """Check what is there; a stand-in for what is not keeps the numbers in messages right."""
    present = [item for item in items if item is not None]
    if not present:
        return items
    checked = check([present[0] if item is None else item for item in items], **params)
    return [None if item is None else good for item, good in zip(items, checked)]


def check_clip_lengths(trials, min_frames, *, name="X"):
    """Open every video, and find all that are damaged or too short at once.

    Parameters
    ----------
    trials : list of dict
        As from :func:`check_modalities`.
    min_frames : int
        Fewest frames.
    name : str, default="X"
        What to call it in the message.

    Raises
    ------
    VideoError
        If a video cannot be opened or is too short; the message names each (up to ten) with its
        file.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.modalities import check_clip_lengths
    >>> check_clip_lengths([{"rgb": np.zeros((9, 8, 8, 3), np.uint8), "pose": None}], 16)
    Traceback (most recent call last):
    ...
    skrehab.pose.picture.VideoError: X[0]: an array of 9 frames, and at least 16 are needed. ...
    """
    bad = []
    for i, trial in enumerate(trials):
        video = trial["rgb"]
        if video is None:
            continue
        try:
            if hasattr(video, "shape"):
                n_frames, what = len(video), "an array of"
            else:
                n_frames, what = count_frames(video), f"{video} has"  # headers may be wrong
        except VideoError as error:  # names the file
            bad.append(f"{name}[{i}]: {error}")
            continue
        if n_frames < min_frames:
            bad.append(
                f"{name}[{i}]: {what} {n_frames} frames, and at least {min_frames} are needed."
            )
    if not bad:
        return
    more = [f"and {len(bad) - _SHOWN} more."] if len(bad) > _SHOWN else []
    hint = "Leave such clips out, mend them, or give None for the RGB where a skeleton is there."
    raise VideoError(
        "\n".join([*bad[:_SHOWN], *more, hint]) if len(bad) > 1 else f"{bad[0]} {hint}"
    )


# --- batches --------------------------------------------------------------------------------------
def normalize_pose(trial, n_dims):
    """Move a trial's landmarks into the square (or cube) from -1 to 1.

    One shift and one scale for the whole trial: neither the place in the picture nor the distance
    from the camera remains, all movement does.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        One trial; NaN where a landmark is lost.
    n_dims : int
        Coordinates that are places; what follows, such as a score, stays as it is. A point whose
        score is zero does not count.

    Returns
    -------
    ndarray of shape (n_frames, n_landmarks, n_coords), dtype float32
        A new trial.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.modalities import normalize_pose
    >>> normalize_pose(np.array([[[10.0, 20.0, 0.9], [30.0, 60.0, 0.5]]]), 2)
    array([[[-0.5, -1. ,  0.9],
            [ 0.5,  1. ,  0.5]]], dtype=float32)
    """
    out = np.array(trial, dtype=np.float32)
    places = out[..., :n_dims]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)  # nothing was found at all
        counted = places
        if out.shape[2] > n_dims and (out[..., n_dims] > 0).any():
            counted = np.where(out[..., n_dims, None] == 0, np.nan, places)
        low, high = np.nanmin(counted, axis=(0, 1)), np.nanmax(counted, axis=(0, 1))
    half = np.nan_to_num((high - low).max() / 2)
    places -= (low + high) / 2
    places /= half if half > 0 else 1.0
    return out


def collate_modalities(trials, recipe=None, *, min_frames=1, n_dims=None, views=None):
    """Read, prepare and pad a batch.

    Parameters
    ----------
    trials : list of dict
        As from :func:`check_modalities`.
    recipe : ClipRecipe, optional
        Frames, sizes, mean and standard deviation of clips; None where no trial has RGB.
    min_frames : int, default=1
        Refuse shorter videos.
    n_dims : int, optional
        Places among a landmark's coordinates, for :func:`normalize_pose`; None leaves trials as
        they are.
    views : list of View, optional
        How each clip is looked at; None is the middle of all.

    Returns
    -------
    dict of str to torch.Tensor
        ``has_rgb`` and ``has_pose``, bool of shape (batch,). ``rgb`` of shape (batch, 3, n_frames,
        crop, crop), if there is any; ``pose`` of shape (batch, frames, n_landmarks, n_coords) and
        ``lengths``, if there is any. What a trial lacks is zero there.

    Raises
    ------
    VideoError
        If a file cannot be decoded or is too short; the message names it.
    """
    batch = {}
    for modality in MODALITIES:
        batch[f"has_{modality}"] = torch.tensor([trial[modality] is not None for trial in trials])
    if batch["has_rgb"].any():
        batch["rgb"] = torch.zeros(len(trials), *recipe.shape)
        for row, trial, view in zip(batch["rgb"], trials, views or [MIDDLE] * len(trials)):
            if trial["rgb"] is not None:
                row.copy_(show_clip(trial["rgb"], view, recipe, min_frames=min_frames))
    if batch["has_pose"].any():
        shape = next(trial["pose"].shape for trial in trials if trial["pose"] is not None)
        poses = []
        for trial in trials:
            pose = trial["pose"]
            if pose is None:
                pose = np.zeros((1, *shape[1:]), dtype=np.float32)
            elif n_dims is not None:
                pose = normalize_pose(pose, n_dims)
            poses.append(complete_poses(pose))
        batch["pose"], batch["lengths"] = pad_trials(poses)
    return batch


# --- variation ------------------------------------------------------------------------------------
def jitter_colors(clips, strength, mean, std):
    """Change brightness, contrast and saturation of each clip at random, alike in all its frames.

    Parameters
    ----------
    clips : torch.Tensor of shape (batch, 3, n_frames, height, width)
        Normalised clips.
    strength : float
        Each of the three is multiplied by a factor drawn from 1 - `strength` to 1 + `strength`.
    mean, std : tuple of float
        What the clips were normalised with.

    Returns
    -------
    torch.Tensor of shape (batch, 3, n_frames, height, width)
        New normalised clips; colours stay within black and white. Drawn from torch's random state.

    References
    ----------
    Peng et al. 2024, ACM MM, section 5.1: colour jitter 0.4.

    Examples
    --------
    >>> import torch
    >>> from skrehab.training.modalities import jitter_colors
    >>> clips = torch.zeros(2, 3, 4, 8, 8)
    >>> torch.equal(jitter_colors(clips, 0.0, (0.45,) * 3, (0.225,) * 3), clips)
    True
    """
    if not strength:
        return clips
    mean, std = (clips.new_tensor(value).reshape(3, 1, 1, 1) for value in (mean, std))
    brightness, contrast, saturation = (
        torch.empty(len(clips), 1, 1, 1, 1, device=clips.device).uniform_(
            max(0.0, 1 - strength), 1 + strength
        )
        for _ in range(3)
    )
    x = ((clips * std + mean) * brightness).clamp(0, 1)
    middle = _gray(x).mean(dim=(2, 3, 4), keepdim=True)
    x = (middle + contrast * (x - middle)).clamp(0, 1)
    gray = _gray(x)
    x = (gray + saturation * (x - gray)).clamp(0, 1)
    return (x - mean) / std


def _gray(x):
    weights = x.new_tensor((0.299, 0.587, 0.114)).reshape(3, 1, 1, 1)  # ITU-R BT.601
    return (x * weights).sum(dim=1, keepdim=True)
