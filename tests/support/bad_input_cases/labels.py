"""Interval files as BORIS, ELAN, CVAT and people write them: whose they are, and by which clock."""

from bad_input_cases.case import battery, content, warned
from skrehab.formats import read_intervals

CASES, case = battery()


def text(name, *lines, encoding="utf-8"):
    return content(name, ("\n".join(lines) + "\n").encode(encoding))


def reads(**options):
    return lambda path: read_intervals(path, **options)


def gives(*rows):
    """The intervals are these, times to the microsecond."""

    def right(found):
        return len(found) == len(rows) and all(
            abs(a - c) < 1e-6 and abs(b - d) < 1e-6 and label == other
            for (a, b, label), (c, d, other) in zip(found, rows)
        )

    return right


# --- quotation marks ------------------------------------------------------------------------------
ELAN = "Tier\tBegin Time - ss.msec\tEnd Time - ss.msec\tDuration - ss.msec\tAnnotation"
for label, words, expected in (
    ("one, at the start", ('"ready', "left", "right"), ('"ready', "left", "right")),
    ("one, at the end", ('ready"', "left", "right"), ('ready"', "left", "right")),
    ("two that meet", ('"ready', "left", 'right"'), ('"ready', "left", 'right"')),
    ("a pair", ('"ready"', "left", "right"), ("ready", "left", "right")),
):
    rows = [f"a\t{2 * i}.0\t{2 * i + 1}.0\t1.0\t{word}" for i, word in enumerate(words)]
    case(
        "quotation marks",
        f"ELAN text, {label}",
        text("a.txt", ELAN, *rows),
        read_intervals,
        gives(*((2 * i, 2 * i + 1, word) for i, word in enumerate(expected))),
    )
for delimiter in ",;":
    rows = [
        row.replace(",", delimiter) for row in ("start,stop,label,note", "1,2,1,ok", "3,4,1,ok")
    ]
    bad = [rows[0], f'1{delimiter}2{delimiter}1{delimiter}"left', *rows[2:]]
    case(
        "quotation marks",
        f"one's own CSV, {delimiter!r}",
        text("a.csv", *bad),
        read_intervals,
        names=("row 2", "quotation mark"),
    )
    case(
        "quotation marks",
        f"one's own CSV, two that meet, {delimiter!r}",
        text("a.csv", *bad[:2], rows[2] + '"', rows[1]),
        read_intervals,
        names=("row 2", "quotation mark"),
    )
    note = '"two\nlines, of prose"'
    case(
        "quotation marks",
        f"a note of two lines, {delimiter!r}",
        text("a.csv", rows[0], f"1{delimiter}2{delimiter}1{delimiter}{note}", rows[2]),
        read_intervals,
        gives((1, 2, 1), (3, 4, 1)),
    )

# --- the clock: BORIS -----------------------------------------------------------------------------
NAMES = "Observation id,Source,Media duration (s),Time offset (s),Subject,Behavior,Behavior type,"
NAMES += "Start (s),Stop (s),Media file name"


def boris(*rows, queue="player #1:a.mp4;b.mp4", lengths="60.0;30.0", offset="0"):
    return text(
        "a.csv",
        NAMES,
        *(
            f"o1,{queue},{lengths},{offset},s,lean,STATE,{start},{stop},{media}"
            for start, stop, media in rows
        ),
    )


ONE = {"queue": "player #1:a.mp4", "lengths": "60"}
for offset, start in (("0", 6), ("5.0", 1), ("-5.0", 11), ("00:00:05.5", 0.5), ("NA", 6), ("", 6)):
    case(
        "clocks",
        f"BORIS, a time offset of {offset or 'nothing'}",
        boris((6, 7, "a.mp4"), offset=offset, **ONE),
        read_intervals,
        gives((start, start + 1, "lean")),
    )
case(
    "clocks",
    "BORIS, before its offset",
    boris((3, 4, "a.mp4"), offset="5", **ONE),
    read_intervals,
    names=("before the time offset",),
)
QUEUE = [(50, 70, "a.mp4"), (80, 85, "b.mp4")]
for recording, rows in (
    ("a.mp4", [(50, 60, "lean")]),
    ("b.mp4", [(0, 10, "lean"), (20, 25, "lean")]),
    ("b", [(0, 10, "lean"), (20, 25, "lean")]),
    ("C:\\new folder\\b.MP4", [(0, 10, "lean"), (20, 25, "lean")]),
):
    case(
        "clocks",
        f"BORIS, {recording} of two videos in a row",
        boris(*QUEUE),
        reads(recording=recording),
        gives(*rows),
    )
case(
    "clocks",
    "BORIS, the second video and an offset",
    boris(*[(a + 5, b + 5, m) for a, b, m in QUEUE], offset="5"),
    reads(recording="b.mp4"),
    gives((0, 10, "lean"), (20, 25, "lean")),
)
case(
    "clocks",
    "BORIS, two videos in a row, none asked for",
    boris(*QUEUE),
    read_intervals,
    names=("pass recording=", "b.mp4"),
)
for label, lengths in (("no lengths", ""), ("one length for two", "90.0"), ("NA", "NA;NA")):
    case(
        "clocks",
        f"BORIS, the second video, {label}",
        boris(*QUEUE, lengths=lengths),
        reads(recording="b.mp4"),
        names=("Media duration (s)",),
    )
case(
    "clocks",
    "BORIS, the first video, no lengths, and nothing tells which event is in it",
    boris((50, 55, ""), (80, 85, ""), lengths=""),
    reads(recording="a.mp4"),
    names=("Media duration (s)",),
)
case(
    "clocks",
    "BORIS, the first video, no lengths",
    boris((50, 55, "a.mp4"), QUEUE[1], lengths=""),
    reads(recording="a.mp4"),
    gives((50, 55, "lean")),
)
case(
    "clocks",
    "BORIS, two players at once",
    boris((6, 7, "front.mp4"), queue="player #1:front.mp4|player #2:side.mp4", lengths="60|60"),
    reads(recording="side.mp4"),
    gives((6, 7, "lean")),
)
TABULAR = ["Time\tMedia file path\tTotal length\tFPS\tSubject\tBehavior\tStatus"]
EVENT = "{}\tv.mp4\t60\t25\ts\t{}\t{}"
FACTS = ["Observation id\to1", "", "Player #1\tv.mp4", "", "Time offset (s)\t{}", ""]
for offset in (0, 2):
    case(
        "clocks",
        f"BORIS, tabular events, an offset of {offset}",
        text(
            "a.tsv",
            *("\n".join(FACTS).format(offset), *TABULAR),
            *(EVENT.format(3, "lean", "START"), EVENT.format(4.5, "lean", "STOP")),
        ),
        read_intervals,
        gives((3 - offset, 4.5 - offset, "lean")),
    )
case(
    "clocks",
    "BORIS, tabular events of version 8, two behaviours and a point",
    text(
        "a.csv",
        "Observation id,Subject,Behavior,Behavior type,Time,Media file name",
        *("o,s,lean,START,1,v.mp4", "o,s,twist,START,2,v.mp4", "o,s,drop,POINT,2.5,v.mp4"),
        *("o,s,lean,STOP,3,v.mp4", "o,s,twist,STOP,4,v.mp4"),
    ),
    warned(read_intervals, "1 point events"),
    gives((1, 3, "lean"), (2, 4, "twist")),
)
for label, events, why in (
    ("never ends", [EVENT.format(3, "lean", "START")], "no other half"),
    ("never began", [EVENT.format(3, "lean", "STOP")], "no other half"),
    ("begins twice", [EVENT.format(t, "lean", "START") for t in (3, 4)], "no other half"),
    ("an unknown status", [EVENT.format(3, "lean", "PAUSE")], "neither START nor STOP"),
):
    case(
        "clocks",
        f"BORIS, a state that {label}" if "status" not in label else f"BORIS, {label}",
        text("a.tsv", *TABULAR, *events),
        read_intervals,
        names=(why,),
    )
case(
    "clocks",
    "BORIS, tabular events without a status",
    text("a.tsv", TABULAR[0].removesuffix("\tStatus"), EVENT.format(3, "lean", "").rstrip("\t")),
    read_intervals,
    names=("without a column Status",),
)


# --- the clock: ELAN ------------------------------------------------------------------------------
def eaf(*media):
    listed = "".join(
        f'<MEDIA_DESCRIPTOR MEDIA_URL="file:///{name}" RELATIVE_MEDIA_URL="./{name}" '
        f'MIME_TYPE="video/mp4"' + (f' TIME_ORIGIN="{origin}"' if origin else "") + "/>"
        for name, origin in media
    )
    slots = "".join(f'<TIME_SLOT TIME_SLOT_ID="t{i}" TIME_VALUE="{1000 * i}"/>' for i in (1, 2))
    return content(
        "a.eaf",
        (
            f'<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds">{listed}</HEADER>'
            f'<TIME_ORDER>{slots}</TIME_ORDER><TIER TIER_ID="a"><ANNOTATION><ALIGNABLE_ANNOTATION '
            'ANNOTATION_ID="a1" TIME_SLOT_REF1="t1" TIME_SLOT_REF2="t2"><ANNOTATION_VALUE>lean'
            "</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
        ).encode(),
    )


FRONT, SIDE = ("front.mp4", 0), ("side.mp4", 5000)
for media, recording, shift in (
    ((FRONT, SIDE), "side.mp4", 5),
    ((FRONT, SIDE), "front.mp4", 0),
    ((FRONT, SIDE), "/home/me/side.MP4", 5),
    ((FRONT, SIDE), "side", 5),
    ((SIDE,), None, 5),
    ((FRONT, ("back.mp4", 0)), None, 0),
    ((FRONT, ("sound.wav", 700)), None, 0),
    ((FRONT, ("sound.wav", 700)), "sound.wav", 0.7),
    ((), None, 0),
):
    case(
        "clocks",
        f"ELAN, {recording or 'none asked for'} of {', '.join(m for m, _ in media) or 'nothing'}",
        eaf(*media),
        reads(recording=recording),
        gives((1 + shift, 2 + shift, "lean")),
    )
case(
    "clocks",
    "ELAN, two origins, none asked for",
    eaf(FRONT, SIDE),
    read_intervals,
    names=("do not start together", "side.mp4"),
)
case(
    "clocks",
    "ELAN, an unknown video",
    eaf(FRONT, SIDE),
    reads(recording="x.mp4"),
    names=("no recording 'x.mp4'", "side.mp4"),
)
ROW = "a\t1.0\t2.0\t1.0\tlean"
for remarks, recording, shift in (
    (['"#file:///D:/v.mp4 -- offset: 5000"'], None, 5),
    (["#D:/v.mp4 -- offset: 0"], None, 0),
    (["#D:/v.mp4 -- offset: -500"], None, -0.5),
    (['"#file:///D:/a.eaf -- offset: 9"', '"#file:///D:/v.mp4 -- offset: 5000"'], None, 5),
    (["#front.mp4 -- offset: 0", "#side.mp4 -- offset: 5000"], "side.mp4", 5),
    (["#front.mp4 -- offset: 0", "#side.mp4 -- offset: 5000"], "front", 0),
):
    case(
        "clocks",
        f"ELAN text, {recording or 'none asked for'}, {' and '.join(remarks)}",
        text("a.txt", *remarks, ELAN, ROW),
        reads(recording=recording),
        gives((1 + shift, 2 + shift, "lean")),
    )
case(
    "clocks",
    "ELAN text, two offsets, none asked for",
    text("a.txt", "#front.mp4 -- offset: 0", "#side.mp4 -- offset: 5000", ELAN, ROW),
    read_intervals,
    names=("do not start together",),
)
