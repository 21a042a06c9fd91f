"""A mini set of short videos to try everything on: synthetic patients, drawn, with their list."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skrehab._optional import require
from skrehab._progress import shown_progress
from skrehab._written import part_of, written
from skrehab.datasets._sizes import check_frame_rate, check_whole
from skrehab.datasets.drawn.seat_film import draw_look, film_of
from skrehab.datasets.synthetic import make_rehab_trials

__all__ = ["write_mini_set"]

# So that five patients and half an hour of a newcomer's patience show something: everybody leans
# forward. Where each has a compensation of their own, what is held out was never seen in training.
STRENGTH, KINDS = 2.0, "trunk_flexion"
_COLUMNS = ("trial", "path", "patient", "exercise", "side", "label")
_TIME_BASE = Fraction(1, 90_000)


def write_mini_set(
    folder,
    n_patients=5,
    n_repetitions=2,
    *,
    exercises="brush_hair",
    kinds=KINDS,
    frame_rate=12.0,
    size=320,
    random_state=1,
    progress=None,
):
    """Draw a few short videos of synthetic patients, with a list of them and the frame truth.

    Nobody was filmed. The movements are those of :func:`make_rehab_trials`, drawn as people on a
    stool, in whom MediaPipe finds a pose. All compensate in one way, by leaning forward, twice as
    far as by default: so few patients show something only if they have something in common. It is
    there to try commands on; a score on it says nothing of a method.

    Parameters
    ----------
    folder : str or path-like
        Where to; made if it is missing. Written are ``videos/*.mp4``, the manifest ``trials.csv``
        and the frame truth ``truth.csv`` (``recording, start, stop, label``, in seconds).
    n_patients, n_repetitions : int, default=5, 2
        How many patients, and trials of each exercise and side.
    exercises : str or list of str, default="brush_hair"
        See :func:`make_rehab_trials`.
    kinds : str, list of str or None, default="trunk_flexion"
        Compensations; None is all. See :func:`make_rehab_trials`.
    frame_rate : float, default=12.0
        Frames a second.
    size : int, default=320
        Width and height in pixels, even, at least 64.
    random_state : int, default=1
        Seed. With the default each of the five patients has trials of both labels.
    progress : callable or bool, optional
        True shows a bar. A callable is called with the number of videos done and of all.

    Returns
    -------
    sklearn.utils.Bunch
        ``manifest``: path of ``trials.csv``; ``truth``: path of ``truth.csv``; ``videos``: paths;
        ``data``: the trials as :func:`make_rehab_trials` gives them, without errors of a pose
        estimator.

    Raises
    ------
    ValueError
        If a parameter is out of range.
    FileExistsError
        If there is a ``trials.csv`` already: it could be somebody's own.

    See Also
    --------
    make_rehab_trials : The movements, as landmarks.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752, section III.A: the exercises.

    Examples
    --------
    >>> from skrehab.datasets import load_manifest, write_mini_set
    >>> mini = write_mini_set("mini", 2, 1, frame_rate=2, size=64)
    >>> [video.name for video in mini.videos][:2]
    ['P01_brush_hair_left_1.mp4', 'P01_brush_hair_right_1.mp4']
    >>> data = load_manifest(mini.manifest)
    >>> sorted(set(data.y.tolist())), len(data.X)
    ([0, 1], 4)
    """
    check_whole(1, n_patients=n_patients, n_repetitions=n_repetitions)
    check_whole(64, size=size)
    check_whole(0, random_state=random_state)
    check_frame_rate(frame_rate)
    if size % 2:
        raise ValueError(f"size must be even, as H.264 wants it, got {size}.")
    folder = Path(folder)
    manifest, truth = folder / "trials.csv", folder / "truth.csv"
    if os.path.lexists(manifest):
        raise FileExistsError(f"{manifest} exists already; choose another folder.")
    data = make_rehab_trials(
        n_patients, n_repetitions, exercises, frame_rate=frame_rate, strength=STRENGTH, kinds=kinds,
        noise=0, missing=0, random_state=random_state,
    )  # fmt: skip
    (folder / "videos").mkdir(parents=True, exist_ok=True)
    patients = sorted(set(data.groups.tolist()))
    names, videos = _names(data), []
    with shown_progress(progress, "Videos drawn") as told:
        for i, (name, points) in enumerate(zip(names, data.X)):
            look = draw_look(
                np.random.default_rng([random_state, patients.index(data.groups[i])]),
                np.random.default_rng([random_state, 10_000 + i]),
            )
            videos.append(folder / "videos" / f"{name}.mp4")
            _write_film(videos[-1], film_of(points, look, size, seed=i), frame_rate)
            if told is not None:
                told(i + 1, len(names))
    _write_rows(truth, [("recording", "start", "stop", "label"), *_stretches(names, data)])
    rows = [
        (name, f"videos/{name}.mp4", *(str(data[key][i]) for key in ("groups", "exercise", "side")),
         int(data.y[i]))
        for i, name in enumerate(names)
    ]  # fmt: skip
    _write_rows(manifest, [_COLUMNS, *rows])  # last: a folder without it is not whole
    return Bunch(manifest=manifest, truth=truth, videos=videos, data=data)


def _names(data):
    """Name each trial by patient, exercise, side and repetition."""
    names, seen = [], {}
    for key in zip(data.groups.tolist(), data.exercise.tolist(), data.side.tolist()):
        seen[key] = seen.get(key, 0) + 1
        names.append("_".join([*key, str(seen[key])]))
    return names


def _stretches(names, data):
    """Intervals of frame truth in seconds; a frame lasts until the next one."""
    for name, labels in zip(names, data.frame_labels):
        if not labels.any():  # said, since a recording without rows would not be known
            yield name, "0.000", f"{len(labels) / data.frame_rate:.3f}", 0
        edges = np.flatnonzero(np.diff(np.r_[0, labels, 0]))
        for start, stop in zip(edges[::2], edges[1::2]):
            yield name, f"{start / data.frame_rate:.3f}", f"{stop / data.frame_rate:.3f}", 1


def _write_rows(path, rows):
    with written(path, text=True) as file:
        file.writelines(",".join(map(str, row)) + "\n" for row in rows)


def _write_film(path, frames, frame_rate):
    """Encode pictures as H.264, where there is such an encoder."""
    av = require("av", None, "to write videos")
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    part = part_of(path)
    try:
        with av.open(str(part), "w", format="mp4", options={"movflags": "faststart"}) as file:
            stream = file.add_stream(codec, rate=Fraction(frame_rate).limit_denominator(1001))
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = "yuv420p"
            stream.time_base = stream.codec_context.time_base = _TIME_BASE
            if codec == "libx264":
                # one thread: the same bytes on every machine with this encoder
                stream.options = {"crf": "26", "preset": "veryfast", "threads": "1"}
            else:
                stream.bit_rate = 1_000_000
            for t, picture in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(t / frame_rate / _TIME_BASE), _TIME_BASE
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
