"""Write a video with the skeleton drawn in and the scores of its frames underneath.

The colours are blue below the threshold and orange above it, which every kind of colour vision
tells apart; the verdict is also spelled out. Sound is left out.
"""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np

from skrehab._optional import require
from skrehab._written import part_of
from skrehab.live._panels import CALM, LabelsPanel, Panel
from skrehab.pose.reader import VideoError, probe_video, read_frames
from skrehab.skeletons import get_skeleton

__all__ = ["write_overlay"]

_TIME_BASE = Fraction(1, 90000)

# Arms, trunk and legs; of the hands the line to the index finger, of the face nothing: a ring
# stands for the head.
_FACE, _FINGERS = range(11), {17, 18, 21, 22}
_BONES = [
    (a, b) for a, b in get_skeleton("mediapipe33").edges if not {a, b} & (set(_FACE) | _FINGERS)
]


def write_overlay(
    video,
    out_path,
    landmarks=None,
    frame_scores=None,
    timestamps=None,
    *,
    threshold=0.5,
    labels=None,
    max_size=1280,
    progress=None,
):
    """Write a copy of a video with the skeleton and the frame scores drawn in.

    Parameters
    ----------
    video : str or path-like
        The video file.
    out_path : str or path-like
        The ``.mp4`` file to write (H.264); an older one is replaced once the new one is complete.
    landmarks : array-like of shape (n_frames, 33, n_coords), optional
        Image landmarks in pixels of the upright picture; a fourth coordinate is visibility. NaN
        where there is nobody. None draws no skeleton.
    frame_scores : array-like of shape (n_frames,) or (n_frames, n_labels), optional
        Scores in [0, 1]; NaN where there is none. Of several labels each gets a row of its own.
        None leaves out the panel with the timeline.
    timestamps : array-like of shape (n_frames,), optional
        Times of landmarks and scores in seconds, as in
        :attr:`PoseTrack.timestamps <skrehab.pose.PoseTrack>`. A frame of the video shows what is
        nearest in time, so these may lie on another grid than the video. None means that there is
        one entry for each frame of the video.
    threshold : float, default=0.5
        Scores from here on count as ``labels[1]``.
    labels : (str, str) or sequence of n_labels str, optional
        Words for scores below the threshold, and from it on, ``("usual", "compensation")`` by
        default; of several labels their names, which are needed.
    max_size : int, default=1280
        The longer side of the picture is scaled down to this many pixels.
    progress : callable, optional
        Called with the number of frames done, after each frame.

    Returns
    -------
    Path
        The file written. Its frames have the times of the video's.

    Raises
    ------
    VideoError
        If the video cannot be read.
    ValueError
        If landmarks, scores and timestamps differ in length, there is not a name a label, or
        ``out_path`` is the video.

    Examples
    --------
    >>> from skrehab.live.overlay import write_overlay
    >>> track = extract_pose("clip.mp4")  # doctest: +SKIP
    >>> write_overlay(  # doctest: +SKIP
    ...     "clip.mp4", "scored.mp4", track.image, scores, track.timestamps, threshold=0.4
    ... )
    """
    av = require("av", None, "to write videos")
    landmarks = None if landmarks is None else np.asarray(landmarks, dtype=float)
    scores = None if frame_scores is None else np.asarray(frame_scores, dtype=float)
    times = None if timestamps is None else np.asarray(timestamps, dtype=float)
    given = {"landmarks": landmarks, "frame_scores": scores, "timestamps": times}
    lengths = {name: len(array) for name, array in given.items() if array is not None}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"All need one entry per frame, but their lengths differ: {lengths}.")
    if scores is not None and scores.ndim not in (1, 2):
        raise ValueError(
            f"frame_scores must have shape (n_frames,) or (n_frames, n_labels), got {scores.shape}."
        )
    several = scores is not None and scores.ndim == 2
    if several and (labels is None or len(labels) != scores.shape[1]):
        raise ValueError(
            f"frame_scores has shape {scores.shape}, so labels must name {scores.shape[1]} labels, "
            f"got {labels}. Of the probabilities of classes pass one column."
        )
    labels = ("usual", "compensation") if labels is None else labels

    out_path = Path(out_path)
    if out_path.exists() and out_path.samefile(video):
        raise ValueError(f"The overlay of {video} cannot be written over the video itself.")
    info = probe_video(video)
    shrink = min(1.0, max_size / max(info.width, info.height))
    # H.264 in its usual form takes even sizes only; an odd last row or column is cut off
    width, height = (round(side * shrink) // 2 * 2 for side in (info.width, info.height))
    if min(width, height) < 2:
        raise VideoError(f"{video}: a picture of {info.width} x {info.height} pixels is too small.")
    if landmarks is not None:
        landmarks = landmarks.copy()
        landmarks[..., :2] *= shrink
    panel = None
    if scores is not None:
        shown = times if times is not None else np.arange(len(scores)) / (info.fps or 30)
        kind = LabelsPanel if several else Panel
        panel = kind(width, max(width, height), scores, shown, threshold, labels)
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    out_path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(out_path)
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "faststart"}) as out:
            stream = out.add_stream(codec, rate=Fraction(info.fps or 30).limit_denominator(1001))
            stream.width, stream.height = width, height + (panel.height if panel else 0)
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = _TIME_BASE
            if codec == "libx264":
                stream.options = {"crf": "20", "preset": "veryfast"}
            else:
                stream.bit_rate = 4_000_000
            for i, (time, frame) in enumerate(read_frames(video, max_size=max_size)):
                k = min(i, *(n - 1 for n in lengths.values())) if lengths else 0
                k = k if times is None else _nearest(times, time)
                colour = CALM if panel is None else panel.colour(k)
                picture = frame[:height, :width]
                if landmarks is not None:
                    picture = _draw_person(picture, landmarks[k], colour)
                if panel is not None:
                    picture = np.concatenate([picture, panel.draw(time, k)])
                encoded = av.VideoFrame.from_ndarray(picture, format="rgb24")
                encoded.pts, encoded.time_base = round(time / _TIME_BASE), _TIME_BASE
                out.mux(stream.encode(encoded))
                if progress is not None:
                    progress(i + 1)
            out.mux(stream.encode(None))
        os.replace(part, out_path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return out_path


def _nearest(times, time):
    k = int(np.searchsorted(times, time))
    if k == len(times):
        return k - 1
    return k - 1 if k and time - times[k - 1] <= times[k] - time else k


def _draw_person(picture, landmarks, colour):
    """Return the picture with one person's skeleton."""
    from PIL import Image

    picture = Image.fromarray(picture)
    visible = np.clip(landmarks[:, 3], 0, 1) if landmarks.shape[1] > 3 else np.ones(len(landmarks))
    _draw_skeleton(picture, landmarks[:, :2], visible, colour)
    return np.asarray(picture)


def _draw_skeleton(picture, points, visible, colour):
    """Draw bones, joints and a ring for the head; what is less sure is fainter."""
    from PIL import Image, ImageDraw

    bones = [pair for pair in _BONES if np.isfinite(points[list(pair)]).all()]
    if not bones:
        return
    sides = points[[11, 12, 23, 24]]
    scale = np.nanmax(np.linalg.norm(sides[:, None] - sides[None], axis=-1), initial=0)
    scale = scale if scale > 0 else np.ptp(points[np.unique(bones)], axis=0).max()
    line = float(np.clip(0.035 * scale, 1.6, 9.0))
    known = points[np.isfinite(points).all(axis=1)]
    margin = 0.4 * scale + 4 * line
    low = np.maximum(np.floor(known.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(known.max(axis=0) + margin), picture.size).astype(int)
    if (high <= low).any():
        return
    # drawn twice as large and scaled down, for smooth edges, and only where the person is
    layer = Image.new("RGBA", tuple(int(n) for n in 2 * (high - low)), (*colour, 0))
    pen = ImageDraw.Draw(layer)
    points = 2 * (points - low)
    shapes = [(tuple(points[a]), tuple(points[b]), min(visible[a], visible[b])) for a, b in bones]
    head, radius = _head(points, 2 * scale)
    neck = points[[11, 12]].mean(axis=0)
    if head is not None and np.isfinite(neck).all():
        length = np.linalg.norm(head - neck)
        if length > radius:
            shapes.append((tuple(neck), tuple(neck + (head - neck) * (1 - radius / length)), 1.0))
    for wider, rgb in ((2.2, (10, 12, 16)), (0.0, colour)):
        thick = 2 * (line + wider)
        for start, end, sure in shapes:
            _round_line(pen, start, end, thick, (*rgb, int((0.3 + 0.7 * sure) * 255)))
        if head is not None:
            outer = radius + thick / 2
            box = [*(head - outer), *(head + outer)]
            pen.ellipse(box, outline=(*rgb, 255), width=max(1, round(thick)))
    for joint in sorted({j for bone in bones for j in bone}):
        r = 1.15 * line
        pen.ellipse([*(points[joint] - r), *(points[joint] + r)], fill=(255, 255, 255, 235))
    layer = layer.resize(tuple(int(n) for n in high - low), Image.Resampling.BOX)
    picture.paste(layer, tuple(int(n) for n in low), layer)


def _head(points, scale):
    face = points[[0, 7, 8]]
    if not np.isfinite(face).all():
        return None, 0.0
    return face[1:].mean(axis=0) * 0.6 + face[0] * 0.4, 0.17 * scale


def _round_line(pen, start, end, thick, colour):
    pen.line([start, end], fill=colour, width=max(1, round(thick)))
    for x, y in (start, end):
        pen.ellipse([x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2], fill=colour)
