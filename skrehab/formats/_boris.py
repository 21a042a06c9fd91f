"""BORIS: aggregated and tabular events, exported as CSV or TSV, or in a workbook."""

import warnings
from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.formats._boris_clock import (
    Event,
    filled,
    offset_of,
    queues_of,
    time_of,
    to_annotations,
    unpaired,
)
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import open_table, table_rows

_NEEDED = ("behavior", "start (s)", "stop (s)")
_COLUMNS = (
    *("Observation id", "Observation date", "Description", "Media file", "Total length", "FPS"),
    *("Subject", "Behavior", "Behavioral category", "Modifiers", "Behavior type"),
    *("Start (s)", "Stop (s)", "Duration (s)", "Comment start", "Comment stop"),
)


def is_boris(header):
    """Whether a table's titles are those of aggregated events."""
    return set(_NEEDED) <= {title.lower() for title in header}


def is_boris_tabular(path):
    """Whether a table is one of tabular events: a row for each start and each stop."""
    try:
        return _tabular_header(_plain_rows(path)[0]) is not None
    except ValueError:
        return False


def read_boris(path, recording=None):
    """Read events of one recording; subjects are tiers; points in time bring a warning.

    Times are those of the recording: an observation's offset, and the videos that it plays before
    this one, are taken away.
    """
    rows, decimal_comma = _plain_rows(path)
    if (start := _tabular_header(rows)) is not None:
        events, points = _tabular(rows, start, decimal_comma)
    else:
        events, points = _aggregated(path)
    if points:
        warnings.warn(
            f"{Path(path).name}: {points} point events last no time and are left out.",
            UserWarning,
            stacklevel=2,
        )
    return to_annotations(events, recording)


def _plain_rows(path):
    rows, delimiter, _ = table_rows(path)
    return list(rows), delimiter != ","


def _aggregated(path):
    header, rows, decimal_comma = open_table(path)
    titles = [title.lower() for title in header]
    if not is_boris(header):
        raise ValueError(f"columns {', '.join(_NEEDED)} are needed; it has {header}")
    events, points = [], 0
    for number, cells in rows:
        row = dict(zip(titles, cells))
        where = f"row {number}"
        if row.get("behavior type", "").upper() == "POINT":
            points += 1
            continue
        times = [
            time_of(row[title], decimal_comma, f"{where}, column {title}") for title in _NEEDED[1:]
        ]
        events.append(_event(row, times, decimal_comma, where))
    return events, points


def _event(row, times, decimal_comma, where, facts=None):
    row = (facts or {}) | {key: value for key, value in row.items() if filled(value)}
    media = next(
        (
            filled(row[title])
            for title in ("media file name", "media file path", "media file")
            if filled(row.get(title, ""))
        ),
        "",
    )
    source = row.get("source", "") or row.get("media file(s)", "") or ""
    if ";" in media or "player #" in media.lower():  # as in older exports
        source, media = media, ""
    lengths = row.get("media duration (s)") or row.get("total length") or ""
    offset = next((value for key, value in row.items() if key.startswith("time offset")), "")
    return Event(
        *times,
        row.get("behavior", ""),
        row.get("subject", ""),
        row.get("observation id", ""),
        media,
        queues_of(source, lengths),
        offset_of(offset, decimal_comma, f"{where}, column time offset"),
        where,
    )


# --- tabular events -------------------------------------------------------------------------------
def _tabular_header(rows):
    """Index of the row with titles: there may be facts of the observation above it."""
    for i, (_, cells) in enumerate(rows[:200]):
        titles = {cell.lower() for cell in cells}
        if {"behavior", "time"} <= titles and titles & {"subject", "status", "behavior type"}:
            return i
    return None


def _tabular(rows, start, decimal_comma):
    facts = {}
    for _, cells in rows[:start]:
        values = [cell for cell in cells[1:] if cell]
        key = cells[0].lower()
        if key.startswith("player #") and values:
            key, values = "media file(s)", [facts.get("media file(s)", ""), *values]
        facts[key] = ";".join(filter(None, values))
    titles = [title.lower() for title in rows[start][1]]
    status = next((name for name in ("status", "behavior type") if name in titles), None)
    if status is None:
        raise ValueError(
            "it is a table of tabular events without a column Status: nothing tells whether a "
            "state starts or stops there. Export aggregated events, or tabular events with Status"
        )
    events, points, open_states = [], 0, {}
    for number, cells in rows[start + 1 :]:
        row = dict(zip(titles, cells + [""] * (len(titles) - len(cells))))
        where = f"row {number}"
        state = row[status].upper()
        if "POINT" in state:
            points += 1
            continue
        if state not in ("START", "STOP"):
            raise ValueError(f"{where}, column {status}: {row[status]!r} is neither START nor STOP")
        time = time_of(row["time"], decimal_comma, f"{where}, column time")
        key = tuple(row.get(name, "") for name in ("observation id", "subject", "behavior"))
        if state == "START":
            if key in open_states:
                raise unpaired(open_states[key][2], row["behavior"])
            open_states[key] = row, time, where
        elif key not in open_states:
            raise unpaired(where, row["behavior"])
        else:
            first, begin, place = open_states.pop(key)
            events.append(_event(first, (begin, time), decimal_comma, place, facts))
    for _, _, where in open_states.values():
        raise unpaired(where, "a state")
    return events, points


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
