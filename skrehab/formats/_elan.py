"""ELAN: its .eaf files."""

import mimetypes
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from skrehab.formats._annotation import Annotation, same_tier_overlap
from skrehab.formats._bounds import quoted, to_int
from skrehab.formats._names import SeveralRecordings, UnknownRecording, file_name, matching
from skrehab.formats._xml import read_xml, write_xml, xml_safe

_SOUND = (".wav", ".mp3", ".m4a", ".aac", ".ogg", ".flac", ".wma", ".aif", ".aiff")


def read_eaf(path, recording=None):
    """Read the annotations of all tiers, in seconds of the video asked for, or of the only one.

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
    media = []  # names of each, and where its own clock stands when ELAN's is at zero
    for video in videos:
        urls = [video.get(key) for key in ("RELATIVE_MEDIA_URL", "MEDIA_URL")]
        names = tuple(name for url in urls if url for name in (url, file_name(url)))
        media.append((names, _whole(video.get("TIME_ORIGIN", "0"), "TIME_ORIGIN") / 1000))
    names = tuple(dict.fromkeys(name for known, _ in media for name in known))
    offset = media_offset(media, recording)
    times, spans, parents = _slots(slots), {}, {}
    for tag, name, first, last, parent, *_ in annotations:
        parents[name] = parent
        if tag == "ALIGNABLE_ANNOTATION":
            if missing := [slot for slot in (first, last) if slot not in times]:
                raise ValueError(
                    f"annotation {quoted(name)} names a time slot {quoted(missing[0])}"
                )
            spans[name] = tuple(times[slot] / 1000 + offset for slot in (first, last))
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


def media_offset(media, recording):
    """Seconds to add for the video that is asked for.

    Parameters
    ----------
    media : list of (tuple of str, float)
        Names of each video or sound, and its offset in seconds.
    recording : str or None
        Which; None will do where all videos have the same offset.
    """
    if recording is not None:
        found = matching(str(recording), [names for names, _ in media])
        if not found:
            known = [names[-1] for names, _ in media if names]
            raise UnknownRecording(f"there is no recording {recording!r}; there are {known}")
        offsets = {offset for names, offset in media if names in found}
    else:
        pictures = [one for one in media if not any(n.lower().endswith(_SOUND) for n in one[0])]
        found, offsets = pictures or media, {offset for _, offset in pictures or media}
    if len(offsets) > 1:
        known = [names[-1] for names, _ in media if names]
        raise SeveralRecordings(
            f"its {len(found)} videos do not start together, so pass recording=, one of {known}"
        )
    return offsets.pop() if offsets else 0.0


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
    check_overlap(intervals)
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


def check_overlap(intervals):
    """Refuse what one tier of ELAN cannot hold."""
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
