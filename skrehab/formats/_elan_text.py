"""ELAN's exports as tab-delimited text."""

import re

from skrehab._written import written
from skrehab.formats._annotation import Annotation, only_recording
from skrehab.formats._bounds import quoted, to_int
from skrehab.formats._elan import check_overlap, media_offset
from skrehab.formats._names import file_name
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import check_end, table_rows

# the ways in which an export may say a time, the one to read first first
_UNITS = ("ss.msec", "msec", "hh:mm:ss.ms")
_TIME_TITLE = re.compile(r"(Begin Time|End Time|Duration) - (.+)", re.IGNORECASE)
_OFFSET = re.compile(r"\s*-+\s*offset:\s*([+-]?\d+)", re.IGNORECASE)
_LABEL_TITLES = ("annotation", "annotations", "label", "value", "text")
_FILE_TITLES = ("file", "file name", "filename", "file path", "transcription")


def read_elan_table(path, recording=None):
    """Read an export as tab-delimited text or CSV, with a header or without.

    Exports of several files name them in a column; offsets of videos stand in remarks on top.

    With one column a tier, every cell that is not empty is an annotation of its column's tier.
    """
    rows, remarks = _rows(path, whole=True)
    media, titles = _media(remarks), None
    for start, (_, cells) in enumerate(rows):
        if any(_TIME_TITLE.fullmatch(cell) for cell in cells):
            titles, rows = cells, rows[start + 1 :]
            break
    if titles is None:
        return _placed([_bare_row(number, cells) for number, cells in rows], media, recording)
    times = {}
    for k, title in enumerate(titles):
        if match := _TIME_TITLE.fullmatch(title):
            times[match[1].lower(), match[2].lower()] = k
    names = [title.lower() for title in titles]
    fixed = {k for k, title in enumerate(titles) if _TIME_TITLE.fullmatch(title)}
    fixed |= {names.index(name) for name in ("tier", "participant") if name in names}
    files = [k for k, name in enumerate(names) if name in _FILE_TITLES]
    fixed |= set(files)
    labels = [k for k in range(len(titles)) if k not in fixed and titles[k]]
    tier_column = names.index("tier") if "tier" in names else None
    one = [k for k in labels if names[k] in _LABEL_TITLES]
    if tier_column is not None and one:
        labels = one[:1]
    out = []
    for number, cells in rows:
        cells = cells + [""] * (len(titles) - len(cells))
        where = f"row {number}"
        start = _time(cells, times, "begin time", where)
        stop = _time(cells, times, "end time", where)
        if stop is None:
            length = _time(cells, times, "duration", where)
            stop = None if start is None or length is None else start + length
        if start is None or stop is None:
            raise ValueError(f"{where}: it needs a begin time, and an end time or a duration")
        for k in labels:
            if cells[k]:
                tier = cells[tier_column] if tier_column is not None else titles[k]
                named = tuple(name for j in files if cells[j] for name in _both(cells[j]))
                out.append(Annotation(start, stop, cells[k], tier, named, where))
    return _placed(out, media, recording)


def _both(name):
    return (file_name(name), name)


def _placed(found, media, recording):
    """Annotations of the recording asked for, by its clock."""
    if any(one.recordings for one in found):
        return only_recording(found, recording)
    if recording is not None and not media:
        return only_recording(found, recording)
    offset = media_offset(media, recording)
    names = tuple(dict.fromkeys(name for known, _ in media for name in known))
    return [
        one._replace(start=one.start + offset, stop=one.stop + offset, recordings=names)
        for one in found
    ]


def _rows(path, whole=False):
    """Rows of text that are not empty or remarks, and the remarks."""
    found, _, text = table_rows(path, "\t;,")
    rows, remarks = [], []
    for number, cells in found:
        first = next(cell for cell in cells if cell)
        if first.startswith("#"):
            remarks.append(first)
        else:
            rows.append((number, cells))
    if whole and rows:
        check_end(text, *rows[-1], max(len(cells) for _, cells in rows))
    return rows, remarks


def _media(remarks):
    """Media that the head of an export names, with their offsets in seconds."""
    found = []
    for remark in remarks:
        match = _OFFSET.search(remark)
        name = (remark[: match.start()] if match else remark).lstrip("#").strip()
        if match and not name.lower().endswith((".eaf", ".pfsx")):
            found.append(((name, file_name(name)), to_int(match[1]) / 1000))
    return found


def _seconds(text, unit, where):
    """Read a time that is written in one of _UNITS."""
    try:
        if unit == "msec":
            return to_int(text) / 1000
        if unit == "ss.msec":
            return float(text)
        hours, minutes, seconds = text.split(":")
        return 3600 * to_int(hours) + 60 * to_int(minutes) + float(seconds)
    except ValueError:
        raise ValueError(f"{where}: {quoted(text)} is no time ({unit})") from None


def _time(cells, times, what, where):
    for unit in _UNITS:
        if (k := times.get((what, unit))) is not None and cells[k]:
            return _seconds(cells[k], unit, where)
    return None


def _bare_row(number, cells):
    """Tier, participant, times in one to three units, annotation: what ELAN exports by default.

    There is no header, but begin, end and duration must agree, and they do by chance only.
    """
    where = f"row {number}"
    times = cells[2:-1]
    if times and len(times) % 3 == 0:
        step = len(times) // 3
        first = [times[0], times[step], times[2 * step]]
        for unit in ("hh:mm:ss.ms", "msec", "ss.msec"):
            try:
                start, stop, length = (_seconds(time, unit, where) for time in first)
            except ValueError:
                continue
            if abs(start + length - stop) < 0.002:
                return Annotation(start, stop, cells[-1], cells[0], (), where)
    raise ValueError(
        f"{where}: it is no ELAN export: tier, participant, begin, end, duration, annotation, or "
        "a header with 'Begin Time - ss.msec', are needed"
    )


def is_elan_table(path):
    """Whether a text file looks like an export of ELAN."""
    try:
        rows = _rows(path)[0][:20]
    except ValueError:
        return False
    if any(_TIME_TITLE.fullmatch(cell) for _, cells in rows for cell in cells):
        return True
    try:
        return bool(rows) and bool(_bare_row(*rows[0]))
    except ValueError:
        return False


def write_elan_table(path, intervals, tier="labels"):
    """Write tab-delimited text with a header, as ELAN exports and imports it."""
    check_overlap(intervals)
    if set(tier) & set("\t\r\n"):
        raise ValueError(f"a tier cannot be called {tier!r}")
    units = ("Begin Time - ss.msec", "End Time - ss.msec", "Duration - ss.msec")
    rows = [["Tier", *units, "Annotation"]]
    for start, stop, label in intervals:
        start, stop = round(start, 3), round(stop, 3)
        rows.append([tier, f"{start:.3f}", f"{stop:.3f}", f"{stop - start:.3f}", label])
    with written(path, text=True) as file:
        put_rows(file, rows, "\t")
