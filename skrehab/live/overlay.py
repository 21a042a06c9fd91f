"""Write a video with the skeleton drawn in and the scores of its frames underneath.

The colours are blue below the threshold and orange above it, which every kind of colour vision
tells apart; the verdict is also spelled out. Sound is left out.
"""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np

from skrehab._optional import require
from skrehab._shown import shown
from skrehab._written import part_of
from skrehab.pose.reader import VideoError, probe_video, read_frames
from skrehab.skeletons import get_skeleton

__all__ = ["write_overlay"]

CALM, ALERT, UNKNOWN = (86, 180, 233), (240, 150, 40), (140, 148, 160)
_PANEL, _TRACK, _TEXT, _FAINT = (18, 21, 27), (30, 35, 44), (236, 239, 244), (150, 158, 171)
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
    labels=("usual", "compensation"),
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
    frame_scores : array-like of shape (n_frames,), optional
        Scores in [0, 1]; NaN where there is none. None leaves out the panel with the timeline.
    timestamps : array-like of shape (n_frames,), optional
        Times of landmarks and scores in seconds, as in
        :attr:`PoseTrack.timestamps <skrehab.pose.PoseTrack>`. A frame of the video shows what is
        nearest in time, so these may lie on another grid than the video. None means that there is
        one entry for each frame of the video.
    threshold : float, default=0.5
        Scores from here on count as ``labels[1]``.
    labels : (str, str), default=("usual", "compensation")
        Words for scores below the threshold, and from it on.
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
        If landmarks, scores and timestamps differ in length, or ``out_path`` is the video.

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
    if scores is not None and scores.ndim != 1:
        raise ValueError(f"frame_scores must have shape (n_frames,), got {scores.shape}.")

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
        panel = _Panel(width, max(width, height), scores, shown, threshold, labels)
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


_LONGEST = 200  # characters of a label; a picture shows fewer


class _Panel:
    """The strip under the picture: verdict and score at the left, the timeline at the right."""

    def __init__(self, width, long_side, scores, times, threshold, labels):
        from PIL import ImageFont

        self.height = 2 * round(max(44, 0.105 * long_side) / 2)
        self.width, self.scores, self.threshold = width, scores, threshold
        self.unit = unit = self.height / 10
        room = 0.31 * width - 3.8 * unit
        words = [shown(str(word)[:_LONGEST]) for word in [*labels, "no pose"]]
        self.big = _fitting_font(ImageFont, words, 2.5 * unit, room)
        self.small = _fitting_font(ImageFont, ["no score   99.9 s"], 1.55 * unit, room)
        self.labels = [_shortened(word, self.big, room) for word in words]
        self.left = 0.32 * width
        self.right = max(width - 2.2 * unit, self.left + 2)
        self.top, self.bottom = 1.6 * unit, 6.9 * unit
        self.start, self.end = times[0], max(times[-1], times[0] + 1e-6)
        self.past = self._timeline(times, 1.0)
        self.future = self._timeline(times, 0.38)

    def colour(self, k):
        """Colour of the verdict on trial frame k."""
        if np.isnan(self.scores[k]):
            return UNKNOWN
        return ALERT if self.scores[k] >= self.threshold else CALM

    def x(self, time):
        """Horizontal place of a time."""
        share = (np.clip(time, self.start, self.end) - self.start) / (self.end - self.start)
        return self.left + share * (self.right - self.left)

    def y(self, score):
        """Vertical place of a score."""
        return self.bottom - np.clip(score, 0, 1) * (self.bottom - self.top)

    def _timeline(self, times, strength):
        """Draw the panel's unchanging part; strength dims what is still to come."""
        from PIL import Image, ImageDraw

        columns = np.arange(int(2 * self.left), int(2 * self.right))
        rows = np.arange(2 * self.height)[:, None]
        at = self.start + (columns / 2 - self.left) / (self.right - self.left) * (
            self.end - self.start
        )
        score = self._score_at(times, at)
        canvas = np.empty((2 * self.height, 2 * self.width, 3))
        canvas[:] = _PANEL
        inside = (rows >= 2 * self.top) & (rows < 2 * self.bottom)
        strip = np.where(inside[..., None], _TRACK, _PANEL).astype(float)
        strip = np.broadcast_to(strip, (2 * self.height, len(columns), 3)).copy()
        hue = np.where((score >= self.threshold)[:, None], ALERT, CALM)
        top = 2 * self.y(np.nan_to_num(score)) - 2
        edge = 2.0 + 0.5 * np.abs(np.gradient(top))  # as thick on slopes as on level stretches
        for depth, opacity in ((np.inf, 0.72), (edge, 1.0)):  # the area, then its upper edge
            part = inside & np.isfinite(score) & (rows >= top - 1) & (rows - top <= depth)
            mixed = strength * opacity * hue + (1 - strength * opacity) * np.array(_TRACK)
            strip[part] = np.broadcast_to(mixed, strip.shape)[part]
        gap = inside & np.isnan(score) & ((rows + columns) % 14 < 3)  # hatched: no score here
        strip[gap] = UNKNOWN
        canvas[:, columns] = strip
        image = Image.fromarray(canvas.astype(np.uint8))
        pen = ImageDraw.Draw(image)
        line = 2 * self.y(self.threshold)
        for x in np.arange(2 * self.left, 2 * self.right, 2 * self.unit):
            pen.line([x, line, min(x + self.unit, 2 * self.right), line], fill=_TEXT, width=2)
        image = image.resize((self.width, self.height), Image.Resampling.BOX)
        pen = ImageDraw.Draw(image)
        y = 7.4 * self.unit
        pen.text((self.left, y), f"{self.start:.0f} s", fill=_FAINT, font=self.small)
        pen.text((self.right, y), f"{self.end:.1f} s", fill=_FAINT, font=self.small, anchor="ra")
        return image

    def _score_at(self, times, at):
        """Join the scores by lines; NaN where the nearest frame has none."""
        known = np.isfinite(self.scores)
        if not known.any():
            return np.full(len(at), np.nan)
        nearest = np.searchsorted((times[1:] + times[:-1]) / 2, at)
        score = np.interp(at, times[known], self.scores[known])
        return np.where(known[nearest], score, np.nan)

    def draw(self, time, k):
        """Return the panel at one time, as an array of shape (height, width, 3)."""
        from PIL import ImageDraw

        unit, colour, score = self.unit, self.colour(k), self.scores[k]
        x = self.x(time)
        image = self.past.copy()
        cut = round(x)
        image.paste(self.future.crop((cut, 0, self.width, self.height)), (cut, 0))
        pen = ImageDraw.Draw(image)
        pen.line([x, self.top - 0.5 * unit, x, self.bottom + 0.3 * unit], fill=_TEXT, width=2)
        dot = 0.55 * unit
        pen.ellipse([1.6 * unit, 2.55 * unit, 3.0 * unit, 3.95 * unit], fill=colour)
        if np.isnan(score):
            word, number = self.labels[2], "no score"
        else:
            word, number = self.labels[int(score >= self.threshold)], f"score {score:.2f}"
            y = self.y(score)
            pen.ellipse([x - dot, y - dot, x + dot, y + dot], fill=colour, outline=_TEXT, width=2)
        pen.text((3.8 * unit, 3.25 * unit), word, fill=_TEXT, font=self.big, anchor="lm")
        below = _shortened(f"{number}   {time:.1f} s", self.small, self.left - 4 * unit)
        pen.text((3.8 * unit, 6.1 * unit), below, fill=_FAINT, font=self.small, anchor="lm")
        return np.asarray(image)


def _fitting_font(fonts, words, size, width):
    """Return the largest font, up to a size and not below 8 pixels, in which every word fits."""
    while size > 8 and max(fonts.load_default(size).getlength(word) for word in words) > width:
        size *= 0.94
    return fonts.load_default(size)


def _shortened(word, font, width):
    """Cut a word that does not fit even so."""
    if font.getlength(word) <= width:
        return word
    while word and font.getlength(word + "…") > width:
        word = word[:-1]
    return word + "…" if word else ""
