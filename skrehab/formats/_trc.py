"""TRC: marker positions as OpenSim, Pose2Sim and Sports2D write them."""

import csv
from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.formats._bounds import check_name, check_points, csv_rows, read_text
from skrehab.formats._pose_file import checked, named, shortest
from skrehab.formats._tables import check_end, to_float, to_whole

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}


def read_trc(path):
    """Read markers; lengths become metres, and an empty cell is a lost marker."""
    text = read_text(path)
    rows = csv_rows(text, "\t", quoting=csv.QUOTE_NONE)
    lines = [line for _, line in rows if any(map(str.strip, line))]
    if len(lines) < 6 or not lines[0][0].startswith("PathFileType"):
        raise ValueError("it is not a TRC file: PathFileType must come first")
    facts = dict(zip((c.strip() for c in lines[1]), (c.strip() for c in lines[2])))
    unit = facts.get("Units", "m")
    if unit not in _METRES:
        raise ValueError(f"its unit is {unit!r}; known are {list(_METRES)}")
    names = tuple(cell.strip() for cell in lines[3][2:] if cell.strip())
    width = 2 + 3 * len(names)
    check_points(len(lines) - 5, width)
    for name in names:
        check_name(name, "its fourth line")
    values = np.full((len(lines) - 5, width), np.nan)
    for i, cells in enumerate(lines[5:]):
        if len(cells) > width and any(map(str.strip, cells[width:])):
            raise ValueError(f"frame {i + 1} has more than 3 values for each of {len(names)} names")
        for j, cell in enumerate(cells[:width]):
            if cell.strip() and cell.strip().lower() != "nan":
                values[i, j] = to_float(cell, False, f"frame {i + 1}, column {j + 1}")
    # a number that is no number is left to other readers
    stated = to_whole(facts.get("NumFrames", ""))
    if stated is not None and len(values) < stated:
        raise ValueError(
            f"it states {stated} frames and has {len(values)}: it is cut short, or NumFrames in "
            "its third line is wrong"
        )
    if lines[5:]:
        check_end(text, len(values), lines[-1], width)
    pose = values[:, 2:].reshape(len(values), len(names), 3) * _METRES[unit]
    return checked(pose, values[:, 1], names, ("x", "y", "z"))


def write_trc(path, pose):
    """Write metres, as they are: OpenSim wants y upwards, and nothing is turned here."""
    names = named(pose, "A TRC file")
    if "z" not in pose.coords:
        raise ValueError(f"a TRC file holds x, y, z; this pose has {', '.join(pose.coords)}")
    if pose.timestamps is None:
        raise ValueError("a TRC file holds times: pass timestamps= or frame_rate=")
    if bad := [name for name in names if not name.strip() or set(name) & set("\t\r\n")]:
        raise ValueError(f"a TRC file cannot name a landmark {bad[0]!r}")
    steps = np.diff(pose.timestamps)
    rate = f"{1 / np.median(steps):.6g}" if len(steps) else "1"
    n = len(pose.pose)
    facts = {
        **{"DataRate": rate, "CameraRate": rate, "NumFrames": n, "NumMarkers": len(names)},
        **{"Units": "m", "OrigDataRate": rate, "OrigDataStartFrame": 1, "OrigNumFrames": n},
    }
    axes = [f"{axis}{i + 1}" for i in range(len(names)) for axis in "XYZ"]
    lines = [
        ["PathFileType", "4", "(X/Y/Z)", Path(path).name],
        list(facts),
        [str(value) for value in facts.values()],
        ["Frame#", "Time", *(cell for name in names for cell in (name, "", ""))],
        ["", "", *axes],
        [""],
    ]
    for i, frame in enumerate(pose.pose):
        time = repr(float(pose.timestamps[i]))
        lines.append([str(i + 1), time, *shortest(frame[:, :3])])
    text = "".join("\t".join(line) + "\n" for line in lines)
    with written(path, text=True) as file:
        file.write(text)
