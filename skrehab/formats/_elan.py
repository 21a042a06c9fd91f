"""ELAN: its .eaf files, and what it exports as tab-delimited text."""

import mimetypes
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from skrehab._written import written
from skrehab.formats._annotation import Annotation, same_tier_overlap
from skrehab.formats._bounds import (
    MAX_TEXT_BYTES,
    check_text,
    csv_rows,
    quoted,
    read_bytes,
    to_int,
)
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import check_end, divider, plain
from skrehab.formats._xml import read_xml, write_xml, xml_safe

# the ways in which an export may say a time, the one to read first first
_UNITS = ("ss.msec", "msec", "hh:mm:ss.ms")
_TIME_TITLE = re.compile(r"(Begin Time|End Time|Duration) - (.+)", re.IGNORECASE)
# the first line that is neither empty nor a remark
_SAMPLE = re.compile(r"""(?<![^\r\n])(?!"?#)[^\S\r\n]*\S[^\r\n]*""")
_LABEL_TITLES = ("annotation", "annotations", "label", "value", "text")


# --- .eaf -----------------------------------------------------------------------------------------
def read_eaf(path):
    """Read the annotations of all tiers, in seconds of the first video.

    Times that ELAN leaves open are spread evenly between their neighbours, as ELAN shows them;
    annotations that refer to another one have its times.
    """
    headers, slots, annotations = [], [], []

    def annotation(one, parents):
        label = (one.findtext("ANNOTATION_VALUE") or "").strip()
        refs = [one.get(key) for key in ("TIME_SLOT_REF1", "TIME_SLOT_REF2", "ANNOTATION_REF")]
        tier = parents[1].get("TIER_ID", "")
        annotations.append((one.tag, one.get("ANNOTATION_ID"), *refs, label, tier))

    def slot(one, _):
        slots.append((one.get("TIME_SLOT_ID"), one.get("TIME_VALUE")))

    takers = {("TIME_ORDER", "TIME_SLOT"): slot, ("TIER", "ANNOTATION", "*"): annotation}
    takers[("HEADER",)] = lambda one, _: headers.append(one)
    read_xml(path, "ANNOTATION_DOCUMENT", "ELAN", takers)
    units = headers[0].get("TIME_UNITS", "milliseconds") if headers else "milliseconds"
    if units != "milliseconds":
        raise ValueError(f"its times are in {units[:60]}, not in milliseconds")
    videos = [video for header in headers for video in header.findall("MEDIA_DESCRIPTOR")]
    names = tuple(
        name
        for video in videos
        for url in (video.get("RELATIVE_MEDIA_URL"), video.get("MEDIA_URL"))
        if url
        for name in (url, url.replace("\\", "/").rpartition("/")[2])
    )
    # ELAN's clock starts where the video's own shows TIME_ORIGIN
    offset = _whole(videos[0].get("TIME_ORIGIN", "0"), "TIME_ORIGIN") if videos else 0
    times, spans, parents = _slots(slots), {}, {}
    for tag, name, first, last, parent, *_ in annotations:
        parents[name] = parent
        if tag == "ALIGNABLE_ANNOTATION":
            if missing := [slot for slot in (first, last) if slot not in times]:
                raise ValueError(
                    f"annotation {quoted(name)} names a time slot {quoted(missing[0])}"
                )
            spans[name] = tuple((times[slot] + offset) / 1000 for slot in (first, last))
    out = []
    for _, name, *_, label, tier in annotations:
        seen, at = {}, name
        while at not in spans:
            if at in seen or at not in parents:
                raise ValueError(f"annotation {quoted(name)} refers to {quoted(parents[name])}")
            seen[at] = None
            at = parents[at]
        spans.update(dict.fromkeys(seen, spans[at]))  # each link of a long chain is walked once
        out.append(Annotation(*spans[at], label, tier, names, f"annotation {quoted(name)}"))
    return out


def _whole(text, what):
    try:
        return to_int(text)
    except ValueError:
        raise ValueError(f"{what} {quoted(text)} is no whole number of milliseconds") from None


def _slots(slots):
    """Time of every slot in milliseconds; open ones lie evenly between their neighbours."""
    values = [None if value is None else _whole(value, "TIME_VALUE") for _, value in slots]
    known = [i for i, value in enumerate(values) if value is not None]
    for before, after in pairwise(known):
        for i in range(before + 1, after):
            share = (i - before) / (after - before)
            values[i] = values[before] + share * (values[after] - values[before])
    return {name: value for (name, _), value in zip(slots, values) if value is not None}


def write_eaf(path, intervals, tier="labels", media=None):
    """Write one tier; ELAN counts milliseconds."""
    _check_overlap(intervals)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            **{"AUTHOR": "skrehab", "DATE": now, "FORMAT": "3.0", "VERSION": "3.0"},
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    add = ElementTree.SubElement
    header = add(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    if media is not None:
        kind = mimetypes.guess_type(str(media))[0] or "video/mp4"
        url = Path(media).as_posix()
        add(
            header,
            "MEDIA_DESCRIPTOR",
            {"MEDIA_URL": xml_safe(url), "RELATIVE_MEDIA_URL": xml_safe(url), "MIME_TYPE": kind},
        )
    order = add(root, "TIME_ORDER")
    kind = {"LINGUISTIC_TYPE_REF": "default-lt", "TIER_ID": xml_safe(tier)}
    rows = add(root, "TIER", kind)
    for i, (start, stop, label) in enumerate(intervals):
        slots = [f"ts{2 * i + 1}", f"ts{2 * i + 2}"]
        for slot, time in zip(slots, (start, stop)):
            value = str(round(time * 1000))
            add(order, "TIME_SLOT", {"TIME_SLOT_ID": slot, "TIME_VALUE": value})
        one = add(
            add(rows, "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            {"ANNOTATION_ID": f"a{i + 1}", "TIME_SLOT_REF1": slots[0], "TIME_SLOT_REF2": slots[1]},
        )
        add(one, "ANNOTATION_VALUE").text = xml_safe(str(label))
    add(
        root,
        "LINGUISTIC_TYPE",
        {
            **{"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": "default-lt"},
            "TIME_ALIGNABLE": "true",
        },
    )
    write_xml(path, root)


# --- tab-delimited text ---------------------------------------------------------------------------
def read_elan_table(path):
    """Read an export as tab-delimited text or CSV, with a header or without.

    With one column a tier, every cell that is not empty is an annotation of its column's tier.
    """
    rows = _rows(path, whole=True)
    titles = None
    for start, (_, cells) in enumerate(rows):
        if any(_TIME_TITLE.fullmatch(cell) for cell in cells):
            titles, rows = cells, rows[start + 1 :]
            break
    if titles is None:
        return [_bare_row(number, cells) for number, cells in rows]
    times = {}
    for k, title in enumerate(titles):
        if match := _TIME_TITLE.fullmatch(title):
            times[match[1].lower(), match[2].lower()] = k
    names = [title.lower() for title in titles]
    fixed = {k for k, title in enumerate(titles) if _TIME_TITLE.fullmatch(title)}
    fixed |= {names.index(name) for name in ("tier", "participant") if name in names}
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
                out.append(Annotation(start, stop, cells[k], tier, (), where))
    return out


def _rows(path, whole=False):
    """Rows of text that are not empty or remarks, without outer blanks."""
    content = read_bytes(path, MAX_TEXT_BYTES)
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is neither UTF-8 nor UTF-16 text (byte {error.start})") from error
    check_text(text)
    sample = _SAMPLE.search(text)
    delimiter = divider(sample[0] if sample else "", "\t;,")
    rows = []
    for number, cells in csv_rows(text, delimiter):
        cells = plain(cells)
        if any(cells) and not next(cell for cell in cells if cell).startswith("#"):
            rows.append((number, cells))
    if whole and rows:
        check_end(text, *rows[-1], max(len(cells) for _, cells in rows))
    return rows


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
        rows = _rows(path)[:20]
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
    _check_overlap(intervals)
    if set(tier) & set("\t\r\n"):
        raise ValueError(f"a tier cannot be called {tier!r}")
    units = ("Begin Time - ss.msec", "End Time - ss.msec", "Duration - ss.msec")
    rows = [["Tier", *units, "Annotation"]]
    for start, stop, label in intervals:
        start, stop = round(start, 3), round(stop, 3)
        rows.append([tier, f"{start:.3f}", f"{stop:.3f}", f"{stop - start:.3f}", label])
    with written(path, text=True) as file:
        put_rows(file, rows, "\t")


def _check_overlap(intervals):
    rounded = [(round(start, 3), round(stop, 3), str(label)) for start, stop, label in intervals]
    for start, stop, _ in rounded:
        if start == stop:
            raise ValueError(
                f"ELAN counts milliseconds; nothing is left between {start} and {stop}"
            )
    if overlap := same_tier_overlap(rounded):
        raise ValueError(
            f"on one tier of ELAN intervals cannot overlap: {overlap[0]}, {overlap[1]}"
        )
