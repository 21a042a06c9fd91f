"""RGB clips: the few frames a video network looks at, decoded when they are needed.

A trial is a path or a uint8 array. Nothing is kept between batches, so ten thousand videos need no
more memory than ten.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from skrehab.networks._torchvision import picture_changes
from skrehab.pose.reader import VideoError, probe_video, read_frames
from skrehab.pose.seeking import count_frames, read_frames_at
from skrehab.training.changes import View, cut_frames, sample_times
from skrehab.training.motion import show_motion

__all__ = [
    "check_videos",
    "collate_clips",
    "frame_positions",
    "prepare_clip",
    "read_clip",
    "show_clip",
]

MIDDLE = View()  # all of a video, the middle of its pictures


def check_videos(X, *, name="X"):
    """Validate videos and return them as a list of paths and arrays.

    Parameters
    ----------
    X : sequence
        Paths, or uint8 RGB arrays ``(n_frames_i, height, width, 3)``, or what has such a ``shape``
        and gives frames by index.
    name : str, default="X"
        What to call it in error messages.

    Returns
    -------
    list of Path or ndarray
        The videos; files are not opened.

    Raises
    ------
    ValueError
        If a file is missing, or an array is no RGB video; the message names the item.
    TypeError
        If X is not a sequence of videos.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.training.clips import check_videos
    >>> len(check_videos([np.zeros((8, 32, 32, 3), np.uint8)]))
    1
    """
    if isinstance(X, (str, bytes, dict, Path)) or not hasattr(X, "__len__"):
        raise TypeError(f"{name} must be a list of videos, got {type(X).__name__}.")
    if len(X) == 0:
        raise ValueError(f"{name} holds no video: at least one is needed.")
    videos = []
    for i, item in enumerate(X):
        if isinstance(item, (str, Path)):
            if not Path(item).is_file():
                raise ValueError(f"{name}[{i}]: there is no file {str(item)!r}.")
            videos.append(Path(item))
            continue
        if not all(hasattr(item, name) for name in ("shape", "dtype", "ndim", "__getitem__")):
            item = np.asarray(item)  # what is array-like stays as it is: it may be rendered lazily
        if item.ndim != 4 or item.shape[3] != 3 or item.dtype != np.uint8 or 0 in item.shape:
            raise ValueError(
                f"{name}[{i}] must be a path or a uint8 RGB array (n_frames, height, width, 3), "
                f"got {item.dtype} of shape {item.shape}."
            )
        videos.append(item)
    return videos


def frame_positions(n_frames, wanted, stride=None, view=MIDDLE):
    """Choose the frames of a clip, in order, evenly over the video or `stride` apart in its middle.

    Parameters
    ----------
    n_frames : int
        Frames of the video.
    wanted : int
        Frames of the clip; a shorter video repeats frames.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the whole video.
    view : View, optional
        Which part of the video, and where in its stretch each frame is taken.

    Returns
    -------
    ndarray of int of shape (wanted,)
        Positions.

    Examples
    --------
    >>> from skrehab.training.clips import frame_positions
    >>> frame_positions(30, 4)
    array([ 3, 11, 18, 26])
    >>> frame_positions(30, 4, stride=2)
    array([11, 13, 15, 17])
    """
    first, behind = cut_frames(n_frames, view.window)
    n_frames = behind - first
    if stride is not None and (wanted - 1) * stride < n_frames:
        left = n_frames - 1 - (wanted - 1) * stride
        return first + int(left * np.ravel(view.at)[0]) + stride * np.arange(wanted)
    return first + sample_times(n_frames, wanted, view.at)


def read_clip(video, wanted, *, stride=None, max_size=None, min_frames=1, view=MIDDLE, pairs=False):
    """Read the frames of a clip.

    Of a long file whose wanted frames lie far apart, little else is decoded: see
    :func:`skrehab.pose.seeking.read_frames_at`.

    Parameters
    ----------
    video : path-like or ndarray of shape (n_frames, height, width, 3)
        One video, or what gives such frames by index.
    wanted : int
        Frames of the clip.
    stride : int, optional
        See :func:`frame_positions`.
    max_size : int, optional
        Scale the pictures of a file down to this longer side while decoding.
    min_frames : int, default=1
        Refuse shorter videos; their frames would be repeated.
    view : View, optional
        Which part of the video is looked at.
    pairs : bool, default=False
        Read each frame's successor in the video too.

    Returns
    -------
    ndarray of shape (wanted, height, width, 3), dtype uint8
        The frames; with `pairs` those of the clip first, then their successors.

    Raises
    ------
    VideoError
        If the file cannot be decoded or is too short; the message names it.
    """
    if not isinstance(video, (str, Path)):
        _check_length(len(video), min_frames, f"A video array of shape {tuple(video.shape)}")
        return np.asarray(video[_positions(len(video), wanted, stride, view, pairs)])
    n_frames = probe_video(video).n_frames or count_frames(video)
    while True:
        _check_length(n_frames, min_frames, video)
        positions = _positions(n_frames, wanted, stride, view, pairs).tolist()
        frames = read_frames_at(video, sorted(set(positions)), max_size=max_size)
        if max(positions) in frames:
            return np.stack([frames[i] for i in positions])
        n_frames = sum(1 for _ in read_frames(video))  # the file says wrong


def _positions(n_frames, wanted, stride, view, pairs):
    own = frame_positions(n_frames, wanted, stride, view)
    if not pairs:
        return own
    own = np.minimum(own, max(0, n_frames - 2))  # the last frame has no successor
    return np.concatenate([own, np.minimum(own + 1, n_frames - 1)])


def _check_length(n_frames, min_frames, what):
    if n_frames < min_frames:
        raise VideoError(
            f"{what}: it has {n_frames} frames, and at least {min_frames} are needed. Leave it "
            "out, or film longer."
        )


def prepare_clip(frames, recipe, view=MIDDLE):
    """Scale, crop and normalise a clip as a network wants it.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, height, width, 3), dtype uint8
        A clip, and behind it the successors of its frames where ``recipe.motion`` asks for them.
    recipe : ClipRecipe
        Sizes, mean and standard deviation, and what is shown.
    view : View, optional
        Where the pictures are cut, whether they are mirrored, and their colours.

    Returns
    -------
    torch.Tensor of shape (3, n_frames, crop, crop), dtype float32
        The network's input.

    Notes
    -----
    With ``recipe.antialias`` False this is what torchvision's ``VideoClassification`` preset does,
    to the last digit: the longer side rounded down, no antialiasing, levels rounded to whole
    numbers, the crop's corner at the nearest pixel.
    """
    x = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2)
    crop = (recipe.crop, recipe.crop) if isinstance(recipe.crop, int) else tuple(recipe.crop)
    x = _cut(x, recipe, crop, view) if view.box is None else _cut_box(x, recipe, crop, view.box)
    if view.flip:
        x = x.flip(3)
    if view.colors is not None:
        change = picture_changes()
        brightness, contrast, saturation = view.colors
        x = change.adjust_brightness(x.round().to(torch.uint8), brightness)
        x = change.adjust_saturation(change.adjust_contrast(x, contrast), saturation)
    x = x.float() / 255
    if recipe.motion is not None:
        return show_motion(*x.chunk(2), recipe)
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (recipe.mean, recipe.std))
    return ((x - mean) / std).permute(1, 0, 2, 3).contiguous()


def _cut(x, recipe, crop, view):
    """Scale pictures, and cut them in the middle, or elsewhere along their longer side."""
    if isinstance(recipe.resize, int):  # the shorter side
        short = min(x.shape[2:])
        size = [max(recipe.resize * side // short, want) for side, want in zip(x.shape[2:], crop)]
    else:
        size = list(recipe.resize)
    if size != list(x.shape[2:]):  # one picture at a time: in floats a full-size clip is huge
        x = torch.cat([_resized(picture[None].float(), size, recipe.antialias) for picture in x])
    upright = size[0] > size[1]
    top = round((size[0] - crop[0]) * (view.where if upright else 0.5))
    left = round((size[1] - crop[1]) * (0.5 if upright else view.where))
    return x[:, :, top : top + crop[0], left : left + crop[1]]


def _cut_box(x, recipe, crop, box):
    """Cut pictures, and scale what is left."""
    height, width = x.shape[2:]
    top, left = round(box[0] * height), round(box[1] * width)
    size = [max(1, round(box[2] * height)), max(1, round(box[3] * width))]
    cut = picture_changes().resized_crop
    return torch.cat(
        [cut(one[None], top, left, *size, list(crop), antialias=recipe.antialias) for one in x]
    )


def _resized(x, size, antialias):
    x = F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=antialias)
    return x if antialias else x.round()


def collate_clips(videos, recipe, views=None):
    """Read and prepare a batch.

    Parameters
    ----------
    videos : list of path-like or ndarray
        Videos.
    recipe : ClipRecipe
        Frames, sizes, mean and standard deviation.
    views : list of View, optional
        How each is looked at; None is the middle of all.

    Returns
    -------
    dict of str to torch.Tensor
        ``x`` of shape (batch, 3, n_frames, crop, crop).

    Raises
    ------
    VideoError
        If a file cannot be decoded; the message names it.
    """
    views = views or [MIDDLE] * len(videos)
    return {"x": torch.stack([show_clip(*one, recipe) for one in zip(videos, views)])}


def show_clip(video, view, recipe, *, min_frames=1):
    """Read one clip and prepare it.

    Parameters
    ----------
    video : path-like or ndarray
        The video.
    view : View
        How it is looked at.
    recipe : ClipRecipe
        Frames, sizes, mean and standard deviation.
    min_frames : int, default=1
        Refuse shorter videos.

    Returns
    -------
    torch.Tensor of shape (3, n_frames, crop, crop), dtype float32
        The network's input.

    Raises
    ------
    VideoError
        If the file cannot be decoded or is too short; the message names it.
    """
    frames = read_clip(
        video,
        recipe.n_frames,
        stride=recipe.stride,
        min_frames=min_frames,
        view=view,
        pairs=recipe.motion is not None,
    )
    return prepare_clip(frames, recipe, view)
