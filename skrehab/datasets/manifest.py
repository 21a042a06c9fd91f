"""A user's own trials: a CSV that lists videos or pose files with patients and labels."""

import difflib
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch

from skrehab.datasets._pose_files import POSE_SUFFIXES, read_pose
from skrehab.datasets._tables import (
    MAX_NAME,
    MAX_TRIALS,
    open_table,
    quoted,
    to_float,
    to_whole,
)
from skrehab.datasets.intervals import intervals_to_frames, read_intervals
from skrehab.skeletons import get_skeleton, list_skeletons
from skrehab.trials import UNLABELLED, ragged

__all__ = ["load_manifest"]

_REQUIRED = ("path", "patient", "label")
_OPTIONAL = ("trial", "exercise", "side", "score", "frame_labels")
_VIDEO_SUFFIXES = (
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .webm .wmv".split()
)
_SHOWN = 10  # rows in one error message

_DESCR = """\
Trials listed in {path}: {n_trials} trials of {n_patients} patients, labels {labels}.
"""


def load_manifest(csv, *, frame_labels=True, frame_rate=None, normal_label=None):
    """Read a manifest of one's own videos or pose files.

    A manifest is a CSV file with a header and one row a trial:
    ``trial,path,patient,exercise,side,label[,score][,frame_labels]``. ``path, patient, label`` are
    needed, the others may be left out, and further columns are ignored. It may be separated by
    commas, semicolons or tabs, and must be UTF-8.

    Parameters
    ----------
    csv : str or path-like
        The manifest. Paths in it are relative to its own folder. A ``path`` is a video or a pose
        file, all of one kind. Pose files are ``.npy``, ``.npz``, ``.csv`` or ``.trc``: arrays
        (n_frames, n_landmarks, n_coords), called ``world``, ``pose``, ``X`` or ``frames`` in an
        ``.npz`` and optionally joined by ``timestamps`` in seconds; a ``.csv`` has one row a frame
        and columns ``NAME_x, NAME_y`` and optionally ``NAME_z`` and ``NAME_visibility`` for each
        landmark, and optionally ``time``. Labels are whole numbers or words.
    frame_labels : bool, default=True
        Read the interval files in column ``frame_labels``: CSV files with columns ``start, stop,
        label``, in seconds. A trial without one has no frame truth.
    frame_rate : float, optional
        Frames per second of pose files that hold no times of their own.
    normal_label : int or str, optional
        The label of frames outside all intervals; 0 when labels are whole numbers, needed only
        when they are words.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` rows:

        * ``X``: list of str paths of videos, or list of float32 arrays (n_frames_i, n_landmarks,
          n_coords);
        * ``y``: array (n_trials,) of int, or of str when labels are words;
        * ``groups``, ``exercise``, ``side``, ``trial``: str arrays (n_trials,); patients are the
          groups; an absent ``trial`` is the file's name;
        * ``score``: float array (n_trials,), NaN where empty, or None without that column;
        * ``frame_intervals``: list of lists of (start, stop, label), None for a trial without a
          file; None without that column. See :func:`intervals_to_frames`;
        * ``timestamps``: list of arrays (n_frames_i,) or None, in seconds, for pose files;
        * ``frame_labels``: object array of arrays (n_frames_i,) for pose files with intervals,
          -1 where a trial has no truth; else None;
        * ``landmarks``, ``skeleton``: names found in the files, and the skeleton that has them in
          this order, or None; ``path``: the manifest; ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such manifest.
    ValueError
        If rows are wrong; one message names all of them (up to ten), with row and column.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets import load_manifest
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = pathlib.Path(name)
    ...     np.save(folder / "a.npy", np.zeros((4, 33, 3)))
    ...     _ = (folder / "leans.csv").write_text("start,stop,label\\n1,2,1\\n")
    ...     _ = (folder / "trials.csv").write_text(
    ...         "trial,path,patient,exercise,side,label,frame_labels\\n"
    ...         "t1,a.npy,P01,brush_hair,left,1,leans.csv\\n")
    ...     data = load_manifest(folder / "trials.csv", frame_rate=2)
    >>> data.X[0].shape, data.y, data.groups, data.frame_labels[0]
    ((4, 33, 3), array([1]), array(['P01'], dtype='<U3'), array([0, 0, 1, 1]))
    """
    path = Path(csv)
    if frame_rate is not None and not 0 < frame_rate < np.inf:
        raise ValueError(f"frame_rate must be positive, got {frame_rate!r}.")
    rows, columns = _read_rows(path)
    problems = _Problems(path)
    y = _labels(rows, problems)
    files = _files(rows, path.parent, problems)
    score = _scores(rows, problems) if "score" in columns else None
    _check_unique(rows, files, problems)
    _check_filled(rows, "patient", problems)
    problems.stop()

    intervals = None
    if frame_labels and "frame_labels" in columns:
        intervals = _all_intervals(rows, path.parent, y.dtype.kind == "i", problems)
    is_pose = files[0].suffix.lower() in POSE_SUFFIXES
    poses = _read_poses(rows, files, frame_rate, problems) if is_pose else None
    problems.stop()

    data = Bunch(
        X=[pose.pose for pose in poses] if is_pose else [str(file) for file in files],
        y=y,
        groups=_column(rows, "patient"),
        exercise=_column(rows, "exercise"),
        side=_column(rows, "side"),
        trial=np.array([row.cells.get("trial") or f.stem for row, f in zip(rows, files)]),
        score=score,
        frame_intervals=intervals,
        timestamps=[pose.timestamps for pose in poses] if is_pose else None,
        frame_labels=None,
        landmarks=poses[0].landmarks if is_pose else None,
        path=str(path),
    )
    data.skeleton = _skeleton_of(data.landmarks)
    if is_pose and intervals is not None:
        data.frame_labels = _frame_truth(rows, data, normal_label, problems)
        problems.stop()
    if intervals is not None:
        _warn_contradictions(rows, y, intervals, path)
    data.DESCR = _DESCR.format(
        path=path,
        n_trials=len(rows),
        n_patients=len(set(data.groups.tolist())),
        labels=sorted(set(y.tolist())),
    )
    return data


# --- rows -----------------------------------------------------------------------------------------
class _Row(NamedTuple):
    number: int  # as a spreadsheet shows it
    cells: dict
    decimal_comma: bool


class _Problems:
    """Collects what is wrong, so that one error names every bad row."""

    def __init__(self, path):
        self.path, self.found = path, []

    def add(self, row, column, text):
        self.found.append((row.number, f"row {row.number}, column {column}: {text}"))

    def stop(self):
        if not self.found:
            return
        lines = [text for _, text in sorted(self.found, key=lambda item: item[0])]
        more = len(lines) - _SHOWN
        end = [f"and {more} more"] if more > 0 else []
        raise ValueError("\n  ".join([f"{self.path}:", *lines[:_SHOWN], *end]))


def _read_rows(path):
    try:
        header, table, decimal_comma = open_table(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    titles = [title.lower() for title in header]
    known = _REQUIRED + _OPTIONAL
    missing = [name for name in _REQUIRED if name not in titles]
    if missing:
        raise ValueError(
            f"{path}: the header has no column {', '.join(missing)}; it has {header}. Needed are "
            f"{', '.join(_REQUIRED)}, and {', '.join(_OPTIONAL)} may follow."
        )
    for title in titles:
        close = difflib.get_close_matches(title, [n for n in known if n not in titles], 1, 0.85)
        if title not in known and close:
            raise ValueError(f"{path}: column {title!r} is unknown. Did you mean {close[0]!r}?")
        if title in known and titles.count(title) > 1:
            raise ValueError(f"{path}: there are two columns {title!r}.")
    if not table:
        raise ValueError(f"{path}: there is no trial under the header.")
    if len(table) > MAX_TRIALS:
        raise ValueError(f"{path}: it lists {len(table):,} trials, the limit is {MAX_TRIALS:,}.")
    rows = [_Row(number, dict(zip(titles, cells)), decimal_comma) for number, cells in table]
    for row in rows:  # arrays of text take as much for each row as for the longest
        for name in ("trial", "patient", "exercise", "side", "label"):
            if len(row.cells.get(name, "")) > MAX_NAME:
                raise ValueError(
                    f"{path}: row {row.number}, column {name}: {quoted(row.cells[name])} has more "
                    f"than {MAX_NAME:,} characters."
                )
    return rows, titles


def _column(rows, name):
    return np.array([row.cells.get(name, "") for row in rows], dtype=str)


def _check_filled(rows, name, problems):
    for row in rows:
        if not row.cells[name]:
            problems.add(row, name, "is empty")


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _labels(rows, problems):
    """Trial labels: all whole numbers, or all words."""
    cells = [row.cells["label"] for row in rows]
    numeric = [_is_number(cell) for cell in cells]
    as_numbers = 2 * sum(numeric) > sum(cell != "" for cell in cells)  # what most rows hold
    for row, cell, number in zip(rows, cells, numeric):
        if not cell:
            problems.add(row, "label", "is empty; every trial needs a label")
        elif number != as_numbers:
            others = "whole numbers" if as_numbers else "words"
            problems.add(row, "label", f"{cell!r} among {others}")
        elif as_numbers and to_whole(cell) is None:
            problems.add(row, "label", f"{cell!r} is no whole number; scores have their own column")
        elif as_numbers and to_whole(cell) == UNLABELLED:
            problems.add(row, "label", "-1 stands for 'not labelled' and cannot be a label")
    if as_numbers and not problems.found:
        return np.array([to_whole(cell) for cell in cells])
    return np.array(cells)


def _files(rows, folder, problems):
    """Find every file; they must exist, have a known ending, and be of one kind."""
    files, first = [], {}
    for row in rows:
        cell = row.cells["path"]
        file = folder / cell
        if not file.exists() and "\\" in cell:  # a manifest written on Windows
            file = folder / cell.replace("\\", "/")
        files.append(file)
        suffix = file.suffix.lower()
        if not cell:
            problems.add(row, "path", "is empty")
        elif suffix not in POSE_SUFFIXES and suffix not in _VIDEO_SUFFIXES:
            known = " ".join([*POSE_SUFFIXES, *_VIDEO_SUFFIXES])
            problems.add(row, "path", f"{cell!r} is no video or pose file; known are {known}")
        elif not file.is_file():
            problems.add(row, "path", f"there is no file {file}")
        if suffix in POSE_SUFFIXES or suffix in _VIDEO_SUFFIXES:
            first.setdefault("pose file" if suffix in POSE_SUFFIXES else "video", row)
    if len(first) == 2:
        (kind, row), (other_kind, other) = first.items()
        problems.add(
            other,
            "path",
            f"{other.cells['path']!r} is a {other_kind}, but row {row.number} names the {kind} "
            f"{row.cells['path']!r}. Put videos and pose files into two manifests, or extract the "
            "poses first with 'skrehab pose'",
        )
    return files


def _check_unique(rows, files, problems):
    seen = {}
    for row, file in zip(rows, files):
        keys = [("path", str(file))]
        if row.cells.get("trial"):
            keys.append(("trial", row.cells["trial"]))
        for key in keys:
            if key in seen and key[1]:
                problems.add(row, key[0], f"is the same as in row {seen[key]}")
            seen.setdefault(key, row.number)


def _scores(rows, problems):
    scores = np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        cell = row.cells["score"]
        try:
            scores[i] = to_float(cell, row.decimal_comma, "") if cell else np.nan
            if np.isinf(scores[i]):
                raise ValueError
        except ValueError:
            problems.add(row, "score", f"{cell!r} is not a number")
    return scores


# --- frame truth ----------------------------------------------------------------------------------
def _all_intervals(rows, folder, as_numbers, problems):
    found = []
    for row in rows:
        cell, intervals = row.cells["frame_labels"], None
        if cell:
            try:
                intervals = read_intervals(folder / cell.replace("\\", "/"), as_numbers)
            except (ValueError, OSError) as error:
                reason = "there is no such file" if isinstance(error, OSError) else error
                problems.add(row, "frame_labels", f"{cell}: {reason}")
        found.append(intervals)
    return found


def _frame_truth(rows, data, normal_label, problems):
    """Labels of every frame, where the times of frames are known."""
    labelled = any(intervals is not None for intervals in data.frame_intervals)
    if labelled and normal_label is None and data.y.dtype.kind != "i":
        raise ValueError(
            f"{data.path}: labels are words, so say which one holds outside all intervals: "
            f"normal_label=, one of {sorted(set(data.y.tolist()))}."
        )
    background = 0 if normal_label is None else normal_label
    truth = []
    for row, trial, times, intervals in zip(rows, data.X, data.timestamps, data.frame_intervals):
        labels = np.full(len(trial), UNLABELLED)
        if intervals is not None and times is None:
            problems.add(
                row,
                "path",
                "its frames have no times, so intervals cannot be placed: pass "
                "frame_rate= to load_manifest",
            )
        elif intervals is not None:
            try:
                labels = intervals_to_frames(intervals, times, background=background)
            except ValueError as error:
                problems.add(row, "frame_labels", str(error))
        truth.append(labels)
    return ragged(truth)


def _warn_contradictions(rows, y, intervals, path):
    """A normal trial with labelled intervals, or the reverse, is a slip worth knowing of."""
    if not set(y.tolist()) <= {0, 1}:
        return
    odd = [
        str(row.number)
        for row, label, found in zip(rows, y, intervals)
        if found is not None and label != any(name for *_, name in found)
    ]
    if odd:
        warnings.warn(
            f"{path}: label and frame_labels contradict each other in row {', '.join(odd[:10])}.",
            UserWarning,
            stacklevel=3,
        )


# --- pose files -----------------------------------------------------------------------------------
def _read_poses(rows, files, frame_rate, problems):
    poses, first = [], None
    for row, file in zip(rows, files):
        try:
            pose = read_pose(file)
        except (ValueError, OSError) as error:
            problems.add(row, "path", f"{row.cells['path']}: {error}")
            continue
        first = first or (row, pose)
        expected = first[1]
        if pose.pose.shape[1:] != expected.pose.shape[1:]:
            problems.add(
                row,
                "path",
                f"has {pose.pose.shape[1]} landmarks of {pose.pose.shape[2]} coordinates, row "
                f"{first[0].number} has {expected.pose.shape[1]} of {expected.pose.shape[2]}",
            )
        elif pose.landmarks != expected.landmarks:
            problems.add(row, "path", f"names other landmarks than row {first[0].number}")
        if pose.timestamps is None and frame_rate is not None:
            pose = pose._replace(timestamps=np.arange(len(pose.pose)) / frame_rate)
        poses.append(pose)
    return poses


def _skeleton_of(landmarks):
    for name in list_skeletons():
        if landmarks == get_skeleton(name).landmarks:
            return name
    return None
