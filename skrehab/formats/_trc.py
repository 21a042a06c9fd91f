"""TRC: marker positions as OpenSim, Pose2Sim and Sports2D write them."""

import re
import warnings
from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.formats._bounds import (
    MAX_CELL,
    check_name,
    check_points,
    quoted,
    read_text,
)
from skrehab.formats._pose_file import as_read, named, shortest
from skrehab.formats._tables import check_end, to_value, to_whole

_METRES = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 0.01),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 0.001),
}
_NO_BODY = 30.0  # metres from the first marker to the last


def read_trc(path, allow_cut=False):
    """Read markers; lengths become metres, and an empty cell or one at zero is a lost marker.

    Cells may be parted by tabs, several of them, or blanks. With `allow_cut`, fewer frames than the
    file states bring a warning, not an error.
    """
    text = read_text(path)
    lines = re.split(r"\r\n|\r|\n", text)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_CELL and len(max(line.split(), key=len)) > MAX_CELL:
            raise ValueError(f"row {number}: a cell has more than {MAX_CELL:,} characters")
    lines = [line for line in lines if line.strip()]
    if len(lines) < 6 or not lines[0].lstrip().startswith("PathFileType"):
        raise ValueError("it is not a TRC file: PathFileType must come first")
    facts = _facts(lines[1], lines[2])
    names = _names(lines[3], facts)
    width = 2 + 3 * len(names)
    check_points(len(lines) - 5, width)
    for name in names:
        check_name(name, "its fourth line")
    values = np.full((len(lines) - 5, width), np.nan)
    for i, line in enumerate(lines[5:]):
        for j, cell in enumerate(_cells(line, width, i + 1, len(names))):
            values[i, j] = to_value(cell, False, f"frame {i + 1}, column {j + 1}")
    # a number that is no number is left to other readers
    stated = to_whole(facts.get("numframes", ""))
    if stated is not None and len(values) < stated:
        fault = f"it states {stated} frames and has {len(values)}: it is cut short"
        if not allow_cut:
            raise ValueError(
                f"{fault}, or NumFrames in its third line is wrong; pass allow_cut=True to read "
                "what is there"
            )
        warnings.warn(f"{Path(path).name}: {fault}.", UserWarning, stacklevel=4)
    if lines[5:]:
        check_end(text, len(values), _cells(lines[-1], width, len(values), len(names)), width)
    pose = values[:, 2:].reshape(len(values), len(names), 3) * _METRES[facts["units"]]
    out = as_read(pose, values[:, 1], names, ("x", "y", "z"))
    _check_size(out.pose, facts["units"], path)
    return out


def _facts(titles, cells):
    """The words of the second and third line, in pairs; the unit must be among them."""
    titles, cells = titles.split(), cells.split()
    facts = dict(zip((title.lower() for title in titles), cells))
    if len(titles) != len(cells):  # a fact is missing: then the unit is what looks like one
        units = [cell for cell in cells if cell.lower() in _METRES]
        facts = {"units": units[0]} if len(units) == 1 else {}
    if "units" not in facts:
        raise ValueError("its second and third line do not pair, or say no Units: mm, cm or m")
    if facts["units"].lower() not in _METRES:
        raise ValueError(f"its unit is {quoted(facts['units'])}; known are mm, cm and m")
    return facts | {"units": facts["units"].lower()}


def _names(line, facts):
    """Names of markers: what stands between tabs, or between blanks where there are no tabs."""
    parts = line.split("\t") if "\t" in line.strip() else line.split()
    parts = [part.strip() for part in parts if part.strip()]
    if len(parts) and parts[0].lower() == "frame# time":
        parts = ["Frame#", "Time", *parts[1:]]
    names = tuple(parts[2:])
    stated = to_whole(facts.get("nummarkers", ""))
    if stated is not None and stated != len(names):
        raise ValueError(f"it states {stated} markers and names {len(names)}")
    if not names:
        raise ValueError("its fourth line names no marker")
    if len(set(names)) < len(names):
        raise ValueError("two markers have the same name")
    return names


def _cells(line, width, frame, n_names):
    """Cells of a frame: by words where all are there, else by tabs, one or two between cells."""
    words = line.split()
    if len(words) == width:
        return words
    for cells in (line.rstrip("\r\n").split("\t"), line.split("\t\t")):
        cells = [cell.strip() for cell in cells]
        if not any(cells[width:]) and cells[:2] == words[:2]:
            return cells[:width]
    if len(words) > width:
        raise ValueError(f"frame {frame} has more than 3 values for each of {n_names} names")
    raise ValueError(
        f"frame {frame} has {len(words)} values for {width} columns, and nothing tells which are "
        "missing"
    )


def _check_size(pose, unit, path):
    """Warn of a body that its unit makes as large as a house."""
    seen = pose[~np.isnan(pose).any(axis=2).all(axis=1)]
    if not len(seen):
        return
    with np.errstate(all="ignore"):
        size = np.median(np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1), axis=0).max()
    if size > _NO_BODY:
        warnings.warn(
            f"{Path(path).name}: its markers lie {size:.0f} m apart; is its unit really {unit}?",
            UserWarning,
            stacklevel=5,
        )


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
