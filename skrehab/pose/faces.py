"""Make faces in a video unrecognisable, and rather the whole picture than miss one.

Where a face is comes from the pose landmarker, which finds people, not faces: it can miss somebody
small, or half in view. So everything here fails closed. A frame in which anything is unsure is
hidden as a whole; but nobody can be sure of a person whom the landmarker saw in no frame at all.
Look through the result before you share it.
"""

import os
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from .._optional import require
from .._written import part_of
from .body import find_doubles
from .detector import PeopleDetector
from .face_boxes import face_box, find_small_faces
from .picture import VideoError
from .reader import probe_video, read_frames
from .track import check_telemetry, mediapipe_version
from .weights import find_model

__all__ = ["BlurReport", "blur_faces", "hide", "plan_hiding"]

_TIME_BASE = Fraction(1, 90000)


@dataclass(frozen=True)
class BlurReport:
    """What :func:`blur_faces` did.

    Parameters
    ----------
    path : Path
        The file written.
    n_frames : int
        Frames read.
    n_hidden : int
        Frames hidden as a whole.
    n_dropped : int
        Frames left out.
    n_faces : int
        Most faces found in one frame.

    Examples
    --------
    >>> from pathlib import Path
    >>> from skrehab.pose.faces import BlurReport
    >>> BlurReport(Path("out.mp4"), 100, 8, 0, 1).n_hidden
    8
    """

    path: Path
    n_frames: int
    n_hidden: int
    n_dropped: int
    n_faces: int


def plan_hiding(boxes, times, *, people=None, window=1.0):
    """Decide which frames must be hidden as a whole, and what to hide in the others.

    Parameters
    ----------
    boxes : list of n_frames lists
        For each person found in a frame the face's box, or None where that is not sure.
    times : array-like of shape (n_frames,)
        Seconds, increasing.
    people : int, optional
        Faces that every frame shows. By default the most found in any frame at most `window`
        seconds away.
    window : float, default=1.0
        Seconds.

    Returns
    -------
    list of (list of tuple) or None
        For each frame the boxes to hide, those of the frames before and after among them, since a
        face moves; None where everything must be hidden.

    Notes
    -----
    Everything is hidden where nobody is found, where a person's face is not sure, where there are
    fewer faces than there should be, and where a face of the frame before or after has no
    counterpart: then either the face or the other frame's find is somewhere else than it seems.

    Examples
    --------
    >>> from skrehab.pose.faces import plan_hiding
    >>> face = (0.0, 0.0, 9.0, 9.0)
    >>> plan = plan_hiding([[face], [], [face], [face, None], [face]], range(5), window=0.5)
    >>> [hidden is None for hidden in plan]
    [True, True, True, True, True]
    >>> [len(hidden) for hidden in plan_hiding([[face]] * 3, range(3))]
    [2, 3, 2]
    """
    times = np.asarray(times, dtype=float)
    counts = np.array([len(found) for found in boxes])
    plan = []
    for t, found in enumerate(boxes):
        around = slice(*np.searchsorted(times, [times[t] - window, times[t] + window + 1e-9]))
        needed = max(1, counts[around].max() if people is None else people)
        beside = [boxes[k] for k in (t - 1, t + 1) if 0 <= k < len(boxes)]
        sure = (
            len(found) >= needed
            and None not in found
            and all(any(_meet(one, here) for here in found) for near in beside for one in near)
            and all(any(_meet(one, there) for there in near) for near in beside for one in found)
        )
        plan.append([one for near in (found, *beside) for one in near] if sure else None)
    return plan


def _meet(one, other):
    """Tell whether two boxes can be the same face a frame later: the middles lie in each other."""
    if one is None or other is None:
        return False
    a, b = np.array(one), np.array(other)
    apart = np.abs((a[:2] + a[2:]) - (b[:2] + b[2:])) / 2
    return bool((apart <= np.minimum(a[2:] - a[:2], b[2:] - b[:2]) / 2).all())


def hide(picture, box=None, style="blur"):
    """Destroy what a part of a picture shows.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3), dtype uint8
        Changed in place.
    box : (float, float, float, float), optional
        x0, y0, x1, y1 in pixels; it may reach beyond the picture. None hides everything.
    style : {"blur", "fill"}, default="blur"
        "blur" keeps the mean colours of about four by four fields (six along the longer side of a
        whole picture) with soft passages between them; "fill" keeps nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.faces import hide
    >>> picture = np.random.RandomState(0).randint(0, 255, (90, 90, 3), dtype=np.uint8)
    >>> hide(picture, (10, 10, 90, 90), style="fill")
    >>> np.unique(picture[10:, 10:]).tolist()
    [128]
    """
    from PIL import Image

    height, width = picture.shape[:2]
    x0, y0, x1, y1 = box or (0, 0, width, height)
    rows = slice(max(0, int(np.floor(y0))), max(0, min(height, int(np.ceil(y1)))))
    columns = slice(max(0, int(np.floor(x0))), max(0, min(width, int(np.ceil(x1)))))
    part = picture[rows, columns]
    if 0 in part.shape:
        return
    if style == "fill":
        part[:] = 128
        return
    fields = 4 if box else 6
    longer = max(part.shape[:2])
    coarse = [max(1, round(fields * side / longer)) for side in part.shape[1::-1]]
    image = Image.fromarray(part).resize(coarse, Image.Resampling.BOX)
    part[:] = np.asarray(image.resize(part.shape[1::-1], Image.Resampling.BILINEAR))


def blur_faces(
    video,
    out,
    *,
    people=None,
    unsure="blur",
    style="blur",
    n_persons=4,
    min_visibility=0.5,
    min_detection_confidence=0.5,
    window=1.0,
    sweep=0.25,
    model_path=None,
    allow_telemetry=False,
    progress=None,
):
    """Write a copy of a video in which no face can be recognised.

    The copy holds the picture only: no sound, and nothing that the file says about itself, such as
    title, place or date. It fails closed; see :func:`plan_hiding`.

    Parameters
    ----------
    video : str or path-like
        The video file.
    out : str or path-like
        The ``.mp4`` file to write; an older one is replaced once the new one is complete.
    people : int, optional
        How many people the video shows, if always the same number: a frame with fewer sure faces
        is hidden. By default the most that were found within `window` seconds.
    unsure : {"blur", "drop"}, default="blur"
        What becomes of a frame in which a face may have been missed: hidden as a whole, or left
        out. The times of the other frames stay.
    style : {"blur", "fill"}, default="blur"
        See :func:`hide`. Coarse colours stay with "blur", nothing with "fill".
    n_persons : int, default=4
        How many people to look for.
    min_visibility : float, default=0.5
        See :func:`~skrehab.pose.face_boxes.face_box`.
    min_detection_confidence : float, default=0.5
        MediaPipe's threshold. Lower finds more people, and hides more that is none.
    window : float, default=1.0
        Seconds; see `people`.
    sweep : float or None, default=0.25
        Every so many seconds look for small faces in parts of the picture, enlarged, and hide what
        is found there, and around it, until the sweeps before and after. This is what finds people
        at the back of the room; it takes about two thirds of the time. None leaves it out.
    model_path : str or path-like, optional
        The pose model file; by default the one that :func:`~skrehab.pose.find_model` finds.
    allow_telemetry : bool, default=False
        See :func:`~skrehab.pose.track.check_telemetry`.
    progress : callable, optional
        Called with the number of frames done, over both readings of the video.

    Returns
    -------
    BlurReport
        How many frames were hidden or left out.

    Raises
    ------
    VideoError
        If the video cannot be read, or no frame would be left.
    ValueError
        If a parameter is wrong, or ``out`` is the video.

    Notes
    -----
    What cannot be promised: that somebody is hidden whom the pose landmarker sees in no frame, such
    as a head behind a door or one seen from above; nor that a body, a tattoo, a name on the wall or
    the room gives nobody away. Watch the result.

    Examples
    --------
    >>> from skrehab.pose import blur_faces
    >>> blur_faces("clip.mp4", "shared.mp4", people=1)  # doctest: +SKIP
    BlurReport(path=PosixPath('shared.mp4'), n_frames=100, n_hidden=3, n_dropped=0, n_faces=1)
    """
    for name, value, known in (
        ("unsure", unsure, ("blur", "drop")),
        ("style", style, ("blur", "fill")),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {known}, got {value!r}.")
    if people is not None and not 1 <= people <= n_persons:
        raise ValueError(f"people must be from 1 to n_persons={n_persons}, got {people!r}.")
    out = Path(out)
    info = probe_video(video)
    if out.exists() and out.samefile(video):
        raise ValueError(f"{video} cannot be written over itself: choose another name for out.")
    check_telemetry(mediapipe_version(), allow_telemetry)
    model_path, confidences = find_model(model_path), (min_detection_confidence, 0.5, 0.5)
    boxes, times, swept = [], [], []
    with (
        closing(read_frames(video)) as frames,
        PeopleDetector(model_path, n_persons, confidences) as detector,
        PeopleDetector(model_path, n_persons, confidences, video=False) as sweeper,
    ):
        for time, picture in frames:
            found, _ = detector.detect(picture, time)
            found = found[~find_doubles(found[None, ..., :2])[0] & np.isfinite(found[:, 0, 0])]
            boxes.append([face_box(person, min_visibility) for person in found])
            if sweep is not None and (not swept or time >= swept[-1][0] + sweep):
                swept.append((time, find_small_faces(picture, sweeper, found, min_visibility)))
            times.append(time)
            if progress is not None:
                progress(len(times))
    plan = plan_hiding(boxes, times, people=people, window=window)
    _add_swept(plan, times, swept)
    n_unsure = sum(hidden is None for hidden in plan)
    if n_unsure == len(plan) and unsure == "drop":
        raise VideoError(
            f"{video}: in none of its {len(plan)} frames are all faces sure, so none would be left."
        )
    _write(video, out, info, plan, unsure, style, progress)
    n_dropped = n_unsure if unsure == "drop" else 0
    most = max(sum(box is not None for box in found) for found in boxes)
    return BlurReport(out, len(plan), n_unsure - n_dropped, n_dropped, most)


def _add_swept(plan, times, swept):
    """Hide what a sweep found, a little larger, from the sweep before to the sweep after."""
    for k, (_, faces) in enumerate(swept):
        start = swept[k - 1][0] if k else -np.inf
        stop = swept[k + 1][0] if k + 1 < len(swept) else np.inf
        for x0, y0, x1, y1 in faces:
            more = 0.15 * (x1 - x0)
            box = (x0 - more, y0 - more, x1 + more, y1 + more)
            for i in range(np.searchsorted(times, start), np.searchsorted(times, stop, "right")):
                if plan[i] is not None:
                    plan[i].append(box)


def _write(video, out, info, plan, unsure, style, progress):
    av = require("av", None, "to write videos")
    width, height = info.width // 2 * 2, info.height // 2 * 2  # H.264 takes even sizes only
    if min(width, height) < 2:
        raise VideoError(f"{video}: a picture of {info.width} x {info.height} pixels is too small.")
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    out.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(out)
    try:
        with (
            closing(read_frames(video)) as frames,
            av.open(str(part), "w", format="mp4", options={"movflags": "faststart"}) as file,
        ):
            stream = file.add_stream(codec, rate=Fraction(info.fps or 30).limit_denominator(1001))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = stream.codec_context.time_base = _TIME_BASE
            if codec == "libx264":
                stream.options = {"crf": "20", "preset": "veryfast"}
            else:
                stream.bit_rate = 4_000_000
            for i, (time, picture) in enumerate(frames):
                hidden = plan[i] if i < len(plan) else None
                if hidden is None and unsure == "drop":
                    continue
                for box in [None] if hidden is None else hidden:
                    hide(picture, box, style)
                frame = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(picture[:height, :width]), format="rgb24"
                )
                frame.pts, frame.time_base = round(time / _TIME_BASE), _TIME_BASE
                file.mux(stream.encode(frame))
                if progress is not None:
                    progress(len(plan) + i + 1)
            file.mux(stream.encode(None))
        os.replace(part, out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
