"""SERE: upper-limb exercises after a stroke, six compensations a video and a frame."""

import re
from pathlib import Path

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._numbers import MOST, finite_trial, to_numbers
from skrehab.datasets._skipped import Skipped, existing_folder
from skrehab.formats._bounds import csv_rows
from skrehab.trials import UNLABELLED, ragged

__all__ = ["load_sere"]

LABELS = ("comp", "comp_sh", "comp_sh_ele", "comp_sh_abd", "comp_tr", "comp_hd")
NAMES = ("compensation", "shoulder", "shoulder_elevation", "shoulder_abduction", "trunk", "head")
_FILE = re.compile(r"E(\d+)_labels\.csv", re.IGNORECASE)

_DESCR = """\
SERE
----
Stroke survivors do upper-limb exercises in front of one camera; therapists say of each video, and
of each frame, whether they compensate and how: in general, by the shoulder, by lifting it, by
exaggerated abduction, by the trunk, by the head. MediaPipe's 33 world landmarks, metres.

Not public: ask the authors of Mesquita et al. 2025, arXiv:2506.03752, for a copy and its terms.
"""


def load_sere(root, *, exercises=None, frame_rate=30.0, strict=False):
    """Read SERE as its authors keep it: two tables an exercise.

    Parameters
    ----------
    root : str or path-like
        Folder of ``E<n>_labels.csv`` and ``E<n>_mp_world_landmarks.csv``, and, if frames are
        labelled in a table of their own, ``E<n>_frame_labels.csv``.
    exercises : iterable of int, optional
        Exercises to read; all that are there by default.
    frame_rate : float, default=30.0
        Frames a second of the videos, which the tables do not tell.
    strict : bool, default=False
        Raise where a trial does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` rows of the tables of labels:

        * ``X``: list of float32 arrays (n_frames_i, 33, 3), or 4 where visibility is given;
        * ``y``: int array (n_trials, 6), 0 or 1, -1 for an empty cell; ``label_names``: the six
          names, the general one first;
        * ``frame_labels``: ragged array of int arrays (n_frames_i, 6), -1 where there are none;
        * ``subject`` and ``groups``: str arrays, the pid; ``exercise``: int array; ``side``: str
          array, ``"left"``, ``"right"`` or what ``affected`` says, ``""`` without that column;
        * ``start``: int array, first frame in the recording; ``frame_rate``; ``skeleton``:
          ``"mediapipe33"``; ``skipped``: list of (place, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    A row of ``E<n>_labels.csv`` is a trial: ``pid``, perhaps ``affected``, ``frame_init``,
    ``frame_end`` (without them, all frames of that pid and side), and the labels
    ``comp, comp_sh, comp_sh_ele, comp_sh_abd, comp_tr, comp_hd``. Its frames are the rows of
    ``E<n>_mp_world_landmarks.csv`` of the same pid (and side) with ``frame_init <= frame <
    frame_end``, sorted. Every column there that is none of those named here is a coordinate: 99 of
    them, x, y, z of each landmark in MediaPipe's order, or 132 with visibility. The six labels of a
    frame are read from columns of that table, or from ``E<n>_frame_labels.csv`` with ``pid``,
    perhaps ``affected``, and ``frame``: where the authors keep them is not known to us.

    References
    ----------
    Mesquita et al. 2025, arXiv:2506.03752.

    Examples
    --------
    >>> from skrehab.datasets import load_sere
    >>> data = load_sere("SERE", exercises=[1])  # doctest: +SKIP
    >>> data.X[0].shape, data.y[0], data.label_names[0]  # doctest: +SKIP
    ((214, 33, 3), array([1, 1, 1, 0, 0, 0]), 'compensation')
    """
    root = existing_folder(root, "SERE")
    found = sorted(
        (int(m[1]), file) for file in root.iterdir() if (m := _FILE.fullmatch(file.name))
    )
    wanted = None if exercises is None else {int(one) for one in np.atleast_1d(exercises)}
    skipped, rows = Skipped("SERE", root), []
    for exercise, file in found:
        if wanted is not None and exercise not in wanted:
            continue
        try:
            rows += _exercise(file, exercise, skipped)
        except (ValueError, OSError) as error:
            skipped.add(file, error)
    skipped.report(len(rows), strict)
    X, y, frames, subject, side, number, start = zip(*rows)
    subject = np.array(subject)
    return TrialsBunch(
        X=list(X),
        y=np.array(y),
        label_names=list(NAMES),
        frame_labels=ragged(list(frames)),
        subject=subject,
        groups=subject,
        exercise=np.array(number),
        side=np.array(side),
        start=np.array(start),
        frame_rate=float(frame_rate),
        skeleton="mediapipe33",
        skipped=skipped.found,
        DESCR=_DESCR,
    )


def _exercise(file, exercise, skipped):
    """Trials of one exercise."""
    landmarks = file.with_name(f"E{exercise}_mp_world_landmarks.csv")
    of_frames = file.with_name(f"E{exercise}_frame_labels.csv")
    poses, labels = _read_frames(landmarks)
    if of_frames.is_file():
        _, labels = _read_frames(of_frames, poses=False)
    out = []
    for number, row in _table(file):
        person = _whom(row)
        try:
            if person not in poses:
                raise ValueError(f"{landmarks.name} has no frame of {_called(person)}")
            frames = poses[person]
            first = _frame(row, "frame_init", 0)
            last = _frame(row, "frame_end", max(frames) + 1)
            inside = [i for i in sorted(frames) if first <= i < last]
            if not inside:
                raise ValueError(f"{landmarks.name} has no frame from {first} to {last - 1}")
            pose = np.array([frames[i] for i in inside])
            pose = finite_trial(pose.reshape(len(pose), 33, -1), _called(person))
            known = labels.get(person, {})
            none = [UNLABELLED] * len(LABELS)
            truth = np.array([known.get(i, none) for i in inside], dtype=int)
            y = [_label(row.get(name, "")) for name in LABELS]
        except (ValueError, OSError) as error:
            skipped.add(file.with_name(f"{file.name}, row {number}"), error)
            continue
        out.append((pose, y, truth, person[0], _side(person[1]), exercise, inside[0]))
    return out


def _table(file):
    """Yield (row number, {title: cell})."""
    with open(file, encoding="utf-8-sig", newline="") as lines:
        header = None
        for number, cells in csv_rows(lines, most=MOST):
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if header is None:
                header = cells
                if "pid" not in header:
                    raise ValueError(f"{Path(file).name} has no column pid; it has {header[:12]}")
                continue
            yield number, dict(zip(header, cells, strict=False))


def _read_frames(file, poses=True):
    """Coordinates and labels of each person's frames: {whom: {frame: values}} twice."""
    places, labels, named = {}, {}, {"pid", "affected", "frame", *LABELS}
    for number, row in _table(file):
        where = f"{file.name}, row {number}"
        person, frame = _whom(row), _frame(row, "frame", None)
        if poses:
            cells = [cell for title, cell in row.items() if title and title not in named]
            if len(cells) not in (99, 132):
                raise ValueError(
                    f"{where}: {len(cells)} coordinates, expected 99 (33 landmarks of x, y, z) or "
                    "132 (with visibility)"
                )
            places.setdefault(person, {})[frame] = to_numbers(cells, where)
        if set(LABELS) <= set(row):
            labels.setdefault(person, {})[frame] = [_label(row[name]) for name in LABELS]
    return places, labels


def _whom(row):
    return row["pid"], row.get("affected", "")


def _called(person):
    return f"pid {person[0]}" + (f", affected {person[1]}" if person[1] else "")


def _frame(row, title, default):
    cell = row.get(title, "")
    if not cell and default is not None:
        return default
    try:
        return int(float(cell))
    except (ValueError, OverflowError):
        raise ValueError(f"{title} is {cell[:20]!r}, expected a frame's number") from None


def _label(cell):
    if cell in ("", "-1", "nan", "NaN"):
        return UNLABELLED
    if cell.lower() in ("0", "0.0", "false"):
        return 0
    if cell.lower() in ("1", "1.0", "true"):
        return 1
    raise ValueError(f"a label is {cell[:20]!r}, expected 0 or 1")


def _side(affected):
    return {"l": "left", "left": "left", "r": "right", "right": "right"}.get(
        affected.lower(), affected
    )
