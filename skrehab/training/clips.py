"""RGB clips: the few frames a video network looks at, decoded when they are needed.

A trial is a path or a uint8 array. Nothing is kept between batches, so ten thousand videos need no
more memory than ten.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from skrehab.pose.reader import VideoError, probe_video, read_frames
from skrehab.pose.seeking import count_frames, read_frames_at

__all__ = ["check_videos", "collate_clips", "frame_positions", "prepare_clip", "read_clip"]


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


def frame_positions(n_frames, wanted, stride=None):
    """Choose the frames of a clip, in order, evenly over the video or `stride` apart in its middle.

    Parameters
    ----------
    n_frames : int
        Frames of the video.
    wanted : int
        Frames of the clip; a shorter video repeats frames.
    stride : int, optional
        Distance of the clip's frames; None spreads them over the whole video.

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
    if stride is not None and (wanted - 1) * stride < n_frames:
        start = (n_frames - 1 - (wanted - 1) * stride) // 2
        return start + stride * np.arange(wanted)
    return ((np.arange(wanted) + 0.5) * n_frames / wanted).astype(int)


def read_clip(video, wanted, *, stride=None, max_size=None, min_frames=1):
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

    Returns
    -------
    ndarray of shape (wanted, height, width, 3), dtype uint8
        The frames.

    Raises
    ------
    VideoError
        If the file cannot be decoded or is too short; the message names it.
    """
    if not isinstance(video, (str, Path)):
        _check_length(len(video), min_frames, f"A video array of shape {tuple(video.shape)}")
        return np.asarray(video[frame_positions(len(video), wanted, stride)])
    n_frames = probe_video(video).n_frames or count_frames(video)
    while True:
        _check_length(n_frames, min_frames, video)
        positions = frame_positions(n_frames, wanted, stride).tolist()
        frames = read_frames_at(video, positions, max_size=max_size)
        if positions[-1] in frames:
            return np.stack([frames[i] for i in positions])
        n_frames = sum(1 for _ in read_frames(video))  # the file says wrong


def _check_length(n_frames, min_frames, what):
    if n_frames < min_frames:
        raise VideoError(
            f"{what}: it has {n_frames} frames, and at least {min_frames} are needed. Leave it "
            "out, or film longer."
        )


def prepare_clip(frames, recipe):
    """Scale, crop and normalise a clip as a network wants it.

    Parameters
    ----------
    frames : ndarray of shape (n_frames, height, width, 3), dtype uint8
        A clip.
    recipe : ClipRecipe
        Sizes, mean and standard deviation.

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
    if isinstance(recipe.resize, int):  # the shorter side
        short = min(x.shape[2:])
        size = [max(recipe.resize * side // short, want) for side, want in zip(x.shape[2:], crop)]
    else:
        size = list(recipe.resize)
    if size != list(x.shape[2:]):  # one picture at a time: in floats a full-size clip is huge
        x = torch.cat([_resized(picture[None].float(), size, recipe.antialias) for picture in x])
    top, left = round((size[0] - crop[0]) / 2), round((size[1] - crop[1]) / 2)
    x = x[:, :, top : top + crop[0], left : left + crop[1]].float() / 255
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (recipe.mean, recipe.std))
    return ((x - mean) / std).permute(1, 0, 2, 3).contiguous()


def _resized(x, size, antialias):
    x = F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=antialias)
    return x if antialias else x.round()


def collate_clips(videos, recipe):
    """Read and prepare a batch.

    Parameters
    ----------
    videos : list of path-like or ndarray
        Videos.
    recipe : ClipRecipe
        Frames, sizes, mean and standard deviation.

    Returns
    -------
    dict of str to torch.Tensor
        ``x`` of shape (batch, 3, n_frames, crop, crop).

    Raises
    ------
    VideoError
        If a file cannot be decoded; the message names it.
    """
    clips = []
    for video in videos:
        frames = read_clip(video, recipe.n_frames, stride=recipe.stride)
        clips.append(prepare_clip(frames, recipe))
    return {"x": torch.stack(clips)}
