"""Pose sequences in files: .npy, .npz, .csv and .trc."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skrehab.datasets._tables import open_table, to_float

POSE_SUFFIXES = (".npy", ".npz", ".csv", ".trc")

# What arrays are called inside an .npz, first match first; "world" is what `skrehab pose` writes.
_ARRAY_NAMES = ("world", "pose", "X", "frames")
_COORDINATES = ("x", "y", "z", "visibility")
_TIME_NAMES = ("time", "timestamp", "timestamps", "seconds")
_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}


class PoseFile(NamedTuple):
    """One pose sequence."""

    pose: np.ndarray  # (n_frames, n_landmarks, n_coords), float32
    timestamps: np.ndarray | None  # (n_frames,), seconds
    landmarks: tuple | None  # names, where the file has them


def read_pose(path):
    """Read one pose sequence.

    Parameters
    ----------
    path : str or path-like
        ``.npy``: one array (n_frames, n_landmarks, n_coords). ``.npz``: such an array called
        ``world``, ``pose``, ``X`` or ``frames``, or the only one in the file, and optionally
        ``timestamps`` (n_frames,) in seconds. ``.csv``: a header and one row a frame; columns
        ``NAME_x, NAME_y`` and optionally ``NAME_z`` and ``NAME_visibility`` for each landmark and
        optionally ``time`` in seconds; an empty cell is a lost landmark. ``.trc``: as written by
        OpenSim, Sports2D and Pose2Sim; lengths become metres.

    Returns
    -------
    PoseFile
        Landmarks, and times and names where the file has them.

    Raises
    ------
    ValueError
        If the file does not hold a pose sequence; the message says why, without the file's name.
    """
    path = Path(path)
    reader = {".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv, ".trc": _read_trc}
    pose, times, names = reader[path.suffix.lower()](path)
    if pose.ndim != 3 or 0 in pose.shape or pose.dtype.kind not in "fiu":
        raise ValueError(
            "a pose must be numbers of shape (n_frames, n_landmarks, n_coords), got "
            f"{pose.dtype} {pose.shape}"
        )
    pose = pose.astype(np.float32)
    if np.isinf(pose).any():
        raise ValueError("it holds infinite values; lost landmarks are NaN")
    if times is not None:
        times = np.asarray(times, dtype=float)
        if times.shape != (len(pose),) or not (np.diff(times) > 0).all():
            raise ValueError(f"its times must be {len(pose)} rising numbers, one for each frame")
    return PoseFile(pose, times, names)


def _load(path):
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # zipfile, EOF and value errors: damaged files fail in many ways
        raise ValueError(f"it cannot be read ({error})") from error


def _read_npy(path):
    return np.asarray(_load(path)), None, None


def _read_npz(path):
    archive = _load(path)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ValueError("it is not an .npz archive")
    with archive:
        try:
            arrays = {name: archive[name] for name in archive}
        except Exception as error:
            raise ValueError(f"it cannot be read ({error})") from error
    times = arrays.pop("timestamps", None)
    for name in _ARRAY_NAMES:
        if name in arrays:
            return arrays[name], times, None
    if len(arrays) != 1:
        raise ValueError(f"its pose must be called one of {_ARRAY_NAMES}; it has {sorted(arrays)}")
    return next(iter(arrays.values())), times, None


def _read_csv(path):
    header, rows, decimal_comma = open_table(path)
    time_column, columns = None, {}
    for j, title in enumerate(header):
        name, _, coordinate = title.rpartition("_")
        if title.lower() in _TIME_NAMES:
            time_column = j
        elif name and coordinate in _COORDINATES:
            columns.setdefault(name, {})[coordinate] = j
    if not columns:
        raise ValueError("its header names no landmark: columns NAME_x, NAME_y, ... are needed")
    kinds = {name: tuple(c for c in _COORDINATES if c in found) for name, found in columns.items()}
    coordinates = next(iter(kinds.values()))
    odd = [name for name, kind in kinds.items() if kind != coordinates]
    if odd or coordinates[:2] != ("x", "y"):
        name = odd[0] if odd else next(iter(kinds))
        raise ValueError(
            f"landmark {name!r} has columns {kinds[name]}; all landmarks need the same, x and y "
            "at least"
        )
    order = [columns[name][c] for name in columns for c in coordinates]
    values = np.full((len(rows), len(header)), np.nan)
    for i, (line, cells) in enumerate(rows):
        for j in order if time_column is None else [time_column, *order]:
            if cells[j] and cells[j].lower() != "nan":
                values[i, j] = to_float(cells[j], decimal_comma, f"row {line}, column {header[j]}")
    pose = values[:, order].reshape(len(rows), len(columns), len(coordinates))
    return pose, None if time_column is None else values[:, time_column], tuple(columns)


def _read_trc(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = [line for line in csv.reader(file, delimiter="\t") if any(map(str.strip, line))]
    if len(lines) < 6 or not lines[0][0].startswith("PathFileType"):
        raise ValueError("it is not a TRC file: PathFileType must come first")
    facts = dict(zip((c.strip() for c in lines[1]), (c.strip() for c in lines[2])))
    unit = facts.get("Units", "m")
    if unit not in _METRES:
        raise ValueError(f"its unit is {unit!r}; known are {list(_METRES)}")
    names = tuple(cell.strip() for cell in lines[3][2:] if cell.strip())
    width = 2 + 3 * len(names)
    values = np.full((len(lines) - 5, width), np.nan)
    for i, cells in enumerate(lines[5:]):
        if len(cells) > width and any(map(str.strip, cells[width:])):
            raise ValueError(f"frame {i + 1} has more than 3 values for each of {len(names)} names")
        for j, cell in enumerate(cells[:width]):
            if cell.strip() and cell.strip().lower() != "nan":
                values[i, j] = to_float(cell, False, f"frame {i + 1}, column {j + 1}")
    pose = values[:, 2:].reshape(len(values), len(names), 3) * _METRES[unit]
    return pose, values[:, 1], names
