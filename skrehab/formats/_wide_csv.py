"""CSV with one row a frame and columns NAME_x, NAME_y, NAME_z, NAME_visibility."""

import numpy as np

from skrehab._written import written
from skrehab.formats._bounds import check_name, check_points, quoted
from skrehab.formats._pose_file import checked, named, shortest
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import open_table, to_float

_COORDINATES = ("x", "y", "z", "visibility")
_ALIASES = {"score": "visibility"}
_TIME_NAMES = ("time", "timestamp", "timestamps", "seconds")


def read_wide_csv(path):
    """Read landmarks, names and perhaps times; an empty cell is a lost landmark."""
    header, rows, decimal_comma = open_table(path, whole=True)
    time_column, columns = None, {}
    for j, title in enumerate(header):
        name, _, coordinate = title.rpartition("_")
        coordinate = _ALIASES.get(coordinate, coordinate)
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
            f"landmark {quoted(name)} has columns {kinds[name]}; all landmarks need the "
            "same, x and y at least"
        )
    order = [columns[name][c] for name in columns for c in coordinates]
    check_points(len(rows), len(header))
    for name in columns:
        check_name(name, "its header")
    values = np.full((len(rows), len(header)), np.nan)
    for i, (line, cells) in enumerate(rows):
        for j in order if time_column is None else [time_column, *order]:
            if cells[j] and cells[j].lower() != "nan":
                values[i, j] = to_float(cells[j], decimal_comma, f"row {line}, column {header[j]}")
    pose = values[:, order].reshape(len(rows), len(columns), len(coordinates))
    times = None if time_column is None else values[:, time_column]
    coords = tuple("score" if c == "visibility" else c for c in coordinates)
    return checked(pose, times, tuple(columns), coords)


def write_wide_csv(path, pose):
    """Write one row a frame."""
    names = named(pose, "A CSV file")
    titles = [
        f"{name}_{'visibility' if c == 'score' else c}" for name in names for c in pose.coords
    ]
    times = [] if pose.timestamps is None else ["time"]
    rows = (
        ([repr(float(pose.timestamps[i]))] if times else []) + shortest(frame)
        for i, frame in enumerate(pose.pose)
    )
    with written(path, text=True) as file:
        put_rows(file, [times + titles])
        put_rows(file, rows)
