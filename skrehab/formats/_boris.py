"""BORIS: aggregated events, exported as CSV or TSV."""

import warnings
from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.formats._annotation import Annotation
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import open_table, to_float

_NEEDED = ("behavior", "start (s)", "stop (s)")
_COLUMNS = (
    *("Observation id", "Observation date", "Description", "Media file", "Total length", "FPS"),
    *("Subject", "Behavior", "Behavioral category", "Modifiers", "Behavior type"),
    *("Start (s)", "Stop (s)", "Duration (s)", "Comment start", "Comment stop"),
)


def is_boris(header):
    """Whether a table's titles are those of aggregated events."""
    return set(_NEEDED) <= {title.lower() for title in header}


def read_boris(path):
    """Read aggregated events: subjects are tiers; points in time are left out with a warning."""
    header, rows, decimal_comma = open_table(path)
    titles = [title.lower() for title in header]
    if not is_boris(header):
        raise ValueError(f"columns {', '.join(_NEEDED)} are needed; it has {header}")
    found, points = [], 0
    for number, cells in rows:
        row = dict(zip(titles, cells))
        where = f"row {number}"
        if row.get("behavior type", "").upper() == "POINT":
            points += 1
            continue
        times = []
        for title in _NEEDED[1:]:
            if row[title].upper() in ("", "NA"):
                raise ValueError(f"{where}, column {title}: the event has no time")
            times.append(to_float(row[title], decimal_comma, f"{where}, column {title}"))
        media = row.get("media file name") or row.get("media file") or ""
        names = (row.get("observation id", ""), media, media.replace("\\", "/").rpartition("/")[2])
        subject = row.get("subject", "")
        found.append(
            Annotation(*times, row["behavior"], subject, tuple(filter(None, names)), where)
        )
    if points:
        warnings.warn(
            f"{Path(path).name}: {points} point events last no time and are left out.",
            UserWarning,
            stacklevel=2,
        )
    return found


def write_boris(path, intervals, *, subject="", recording="", media=None, frame_rate=None):
    """Write aggregated events of one observation."""
    path = Path(path)
    last = max((stop for _, stop, _ in intervals), default=0.0)
    rows = [_COLUMNS]
    for start, stop, label in intervals:
        row = {
            "Observation id": recording or path.stem,
            "Media file": "" if media is None else Path(media).as_posix(),
            "Total length": np.format_float_positional(last, trim="0"),
            "FPS": "" if frame_rate is None else frame_rate,
            "Subject": subject or "No focal subject",
            "Behavior": label,
            "Behavior type": "STATE",
            "Start (s)": np.format_float_positional(start, trim="0"),
            "Stop (s)": np.format_float_positional(stop, trim="0"),
            "Duration (s)": f"{stop - start:.3f}",
        }
        rows.append([row.get(title, "") for title in _COLUMNS])
    with written(path, text=True) as file:
        put_rows(file, rows, "\t" if path.suffix.lower() == ".tsv" else ",")
