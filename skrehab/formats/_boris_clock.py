"""BORIS's clock: an observation counts on through its videos, and may be set off.

Times of an export are times of the observation: what its ``Time offset (s)`` says is added to the
video's own time, and the second of two queued videos starts where the first one ends.
"""

import re
from typing import NamedTuple

from skrehab.formats._annotation import Annotation, one_of_several
from skrehab.formats._bounds import quoted
from skrehab.formats._clock import read_clock
from skrehab.formats._names import SeveralRecordings, file_name

_PLAYER = re.compile(r"\s*\|?\s*player #\d+:\s*", re.IGNORECASE)
_NOTHING = ("", "na", "nan", "not found")


class Event(NamedTuple):
    """A state of an observation, by the observation's clock."""

    start: float
    stop: float
    label: str
    subject: str
    observation: str
    media: str  # where it starts, if that is said
    queues: tuple  # of players; each a tuple of (file, seconds or None)
    offset: float
    where: str


def filled(cell):
    """A cell, empty where it says that nothing is known."""
    return "" if cell.strip().lower() in _NOTHING else cell.strip()


def time_of(cell, decimal_comma, where):
    """Seconds of a cell, or an error where the event has none."""
    if not filled(cell):
        raise ValueError(f"{where}: the event has no time")
    return read_clock(cell, where, decimal_comma)


def offset_of(cell, decimal_comma, where):
    """The offset of an observation; none where nothing is said."""
    return read_clock(cell, where, decimal_comma) if filled(cell or "") else 0.0


def queues_of(source, lengths):
    """Files and lengths that each player plays one after another.

    Parameters
    ----------
    source : str
        ``a.mp4;b.mp4``, or the same after ``player #1:``, players parted by ``|``.
    lengths : str
        Seconds of each file, in the same order.
    """
    files = [part for part in _PLAYER.split(filled(source)) if part.strip()]
    seconds = [part for part in _PLAYER.split(filled(lengths).replace("|", "|player #0:")) if part]
    queues = []
    for i, part in enumerate(files):
        names = [name.strip() for name in part.strip(" |").split(";") if name.strip()]
        known = seconds[i].split(";") if i < len(seconds) else []
        times = [_length(text) for text in known] if len(known) == len(names) else []
        queues.append(tuple(zip(names, times or [None] * len(names))))
    return tuple(queues)


def _length(text):
    try:
        return read_clock(text.strip(), "")
    except ValueError:
        return None


class _Recording(NamedTuple):
    names: tuple
    begin: float | None  # where it begins by the observation's clock; None where nobody knows
    length: float | None
    file: str  # "" for an observation of several


def to_annotations(events, recording):
    """Annotations of one recording, by its own clock.

    Parameters
    ----------
    events : list of Event
        Of all observations.
    recording : str or None
        An observation, or one of its videos.
    """
    if not events:
        return []
    by_observation = {}
    for event in events:
        by_observation.setdefault(event.observation, []).append(event)
    known = {}
    for name, members in by_observation.items():
        for one in _recordings(name, members):
            known[one.names] = one, members
    chosen, members = known[one_of_several(known, recording)]
    queued = len(_files(members)) > 1
    if queued and not chosen.file and recording is None:
        raise SeveralRecordings(
            f"observation {chosen.names[0]!r} plays {len(_files(members))} videos one after "
            f"another, so pass recording=, one of {_files(members)[:10]}"
        )
    untold = chosen.length is None and not all(event.media for event in members)
    if chosen.begin is None or (queued and chosen.file and untold):
        raise ValueError(
            f"observation {members[0].observation!r} plays several videos one after another, and "
            f"its times count from the first of them. How long those up to "
            f"{file_name(chosen.file)!r} last is missing: export a column 'Media duration (s)', or "
            "one observation a video"
        )
    out = []
    for event in members:
        if (queued and chosen.file and chosen.length is None) and not _same(
            event.media, chosen.file
        ):
            continue
        start, stop = event.start - event.offset, event.stop - event.offset
        if start < -1e-6 and event.offset:
            raise ValueError(
                f"{event.where}: {event.start:g} s is before the time offset of its observation, "
                f"{event.offset:g} s"
            )
        start, stop = start - chosen.begin, stop - chosen.begin
        if queued and chosen.file and chosen.length is not None:
            start, stop = max(start, 0.0), min(stop, chosen.length)
            if start >= stop:
                continue
        # digits that the subtraction brought
        start, stop = round(start, 9), round(stop, 9)
        out.append(Annotation(start, stop, event.label, event.subject, chosen.names, event.where))
    return out


def _same(one, other):
    return file_name(one).casefold() == file_name(other).casefold()


def _files(members):
    """Files of an observation's first player, or those at which its events start."""
    queues = next((event.queues for event in members if event.queues), ())
    if queues and len(queues[0]) > 1:
        return [file for file, _ in queues[0]]
    found = {}
    for event in sorted(members, key=lambda event: event.start):
        if event.media:
            found.setdefault(file_name(event.media).casefold(), event.media)
    return list(found.values()) or [file for queue in queues[:1] for file, _ in queue]


def _recordings(name, members):
    """What may be asked for of an observation: itself, and each of its videos."""
    files = _files(members)
    queues = next((event.queues for event in members if event.queues), ())
    if len(files) < 2:
        names = [
            name,
            *(file for queue in queues or [[(f, None) for f in files]] for file, _ in queue),
        ]
        names += [file_name(file) for file in names[1:]]
        yield _Recording(_names(*names), 0.0, None, files[0] if files else "")
        return
    yield _Recording(_names(name), 0.0, None, "")
    for queue in queues or [[(file, None) for file in files]]:
        begin = 0.0
        if {file_name(file) for file, _ in queue} < {file_name(file) for file in files}:
            queue = [(file, None) for file in files]
        for file, length in queue:
            yield _Recording(_names(file, file_name(file)), begin, length, file)
            begin = None if begin is None or length is None else begin + length


def _names(*names):
    return tuple(dict.fromkeys(filter(None, names)))


def unpaired(where, label):
    """Refuse a state that never ends, or ends and never began."""
    return ValueError(f"{where}: {quoted(label)} has no other half: states START and STOP")
