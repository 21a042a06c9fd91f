"""Interval files of several recordings, and of frames: whose labels these are."""

from bad_input_cases.case import battery, content, warned
from bad_input_cases.labels import ELAN, ROW, gives, reads, text
from skrehab.datasets import intervals_to_frames
from skrehab.formats import read_intervals

CASES, case = battery()


# --- CVAT -----------------------------------------------------------------------------------------
def box(frame, outside=0):
    return (
        f'<box frame="{frame}" outside="{outside}" keyframe="1" occluded="0" xtl="0" ytl="0" '
        'xbr="1" ybr="1"/>'
    )


def cvat(meta, *tracks):
    listed = "".join(
        f'<track id="{i}" label="lean" {more}>{shapes}</track>'
        for i, (more, shapes) in enumerate(tracks)
    )
    return content("a.xml", f"<annotations><meta>{meta}</meta>{listed}</annotations>".encode())


FIFTH = (
    "<task><id>1</id><size>20</size><start_frame>0</start_frame><stop_frame>97</stop_frame>"
    "<frame_filter>step=5</frame_filter><source>v.mp4</source></task>"
)
TO_THE_END = ("", "".join(box(frame) for frame in range(50, 96, 5)))
for label, options in (
    ("times", {"timestamps": [i / 10 for i in range(98)]}),
    ("a rate", {"frame_rate": 10}),
):
    case(
        "clocks",
        f"CVAT, every fifth frame to the end, {label}",
        cvat(FIFTH, TO_THE_END),
        reads(**options),
        gives((5.0, 9.8, "lean")),
    )
case(
    "clocks",
    "CVAT, labels beyond the video",
    cvat(FIFTH, TO_THE_END),
    reads(timestamps=[i / 10 for i in range(90)]),
    names=("reaches frame 95, and there are 90",),
)
PROJECT = (
    "<project><tasks>"
    "<task><id>11</id><name>first</name><size>99</size><source>P01.mp4</source></task>"
    "<task><id>12</id><name>second</name><size>99</size><source>P02.mp4</source></task>"
    "</tasks></project>"
)
TRACKS = ('task_id="11"', box(10) + box(20, 1)), ('task_id="12"', box(40) + box(50, 1))
for recording in ("P02.mp4", "P02", "second", "12", "videos/P02.mp4"):
    case(
        "several recordings",
        f"CVAT, {recording} of a project",
        cvat(PROJECT, *TRACKS),
        reads(frame_rate=10, recording=recording),
        gives((4.0, 5.0, "lean")),
    )
for meta, tracks, recording, why in (
    (PROJECT, TRACKS, None, "pass recording="),
    (PROJECT, TRACKS, "no_such.mp4", "no recording 'no_such.mp4'"),
    (FIFTH, (TO_THE_END,), "no_such.mp4", "no recording 'no_such.mp4'"),
    (FIFTH, (), "no_such.mp4", "no recording 'no_such.mp4'"),
):
    case(
        "several recordings",
        f"CVAT, {recording} asked for, {len(tracks)} tracks",
        cvat(meta, *tracks),
        reads(frame_rate=10, recording=recording),
        names=(why,),
    )

# --- several recordings ---------------------------------------------------------------------------
FILES = f"{ELAN}\tFile", f"{ROW}\tP01.eaf", "a\t1.5\t2.5\t1.0\tlean\tP02.eaf"
for recording in ("P02.eaf", "P02", "P02.mp4", "p02"):
    case(
        "several recordings",
        f"ELAN text of two files, {recording}",
        text("a.txt", *FILES),
        reads(recording=recording),
        gives((1.5, 2.5, "lean")),
    )
case(
    "several recordings",
    "ELAN text of two files",
    text("a.txt", *FILES),
    read_intervals,
    names=("2 recordings, so pass recording=",),
)
for title in (
    *("video", "Video", "file", "filename", "recording", "trial", "clip", "media", "patient"),
    *("subject", "path", "file_name"),
):
    own = text("a.csv", f"{title},start,stop,label", "P01.mp4,1,2,1", "P02.mp4,3,4,1")
    case(
        "several recordings",
        f"a column {title}, none asked for",
        own,
        read_intervals,
        names=("2 recordings, so pass recording=", "P01.mp4"),
    )
    case(
        "several recordings",
        f"a column {title}, the second",
        own,
        reads(recording="P02"),
        gives((3, 4, 1)),
    )
case(
    "several recordings",
    "two raters of one video",
    text("a.csv", "rater,start,stop,label", "anna,1,2,1", "ben,1,3,1"),
    read_intervals,
    names=("pass tier=",),
)
case(
    "several recordings",
    "a recording asked of a table that names none",
    text("a.csv", "start,stop,label", "1,2,1"),
    reads(recording="P01"),
    names=("no recording 'P01'",),
)
for label, names, asked in (
    ("composed and decomposed", ("Jose\u0301.mp4", "b.mp4"), "Jos\u00e9.mp4"),
    ("case", ("P01.MP4", "b.mp4"), "p01.mp4"),
    ("a zero-width mark", ("P\u200b01.mp4", "b.mp4"), "P01.mp4"),
    ("a fixed blank", ("P\u00a001.mp4", "b.mp4"), "P 01.mp4"),
):
    case(
        "several recordings",
        f"asked for in another spelling: {label}",
        text("a.csv", "video,start,stop,label", *(f"{name},1,2,1" for name in names)),
        reads(recording=asked),
        gives((1, 2, 1)),
    )

# --- labels and frames ----------------------------------------------------------------------------
case(
    "clocks",
    "an interval between two frames",
    text("a.csv", "start,stop,label", "1.005,1.03,1"),
    warned(
        lambda path: intervals_to_frames(read_intervals(path), [i / 30 for i in range(90)]),
        "lies between two frames",
    ),
    lambda labels: labels.sum() == 0,
)
case(
    "interval files",
    "a formula that failed as label",
    text("a.csv", "start,stop,label", "1,2,#N/A"),
    read_intervals,
    names=("row 2", "formula"),
)
case(
    "labels",
    "two spellings in one interval file",
    text("a.csv", "start,stop,label", "1,2,lean", "3,4,Lean"),
    warned(read_intervals, "'lean' and 'Lean' differ only in case"),
    gives((1, 2, "lean"), (3, 4, "Lean")),
)
case(
    "interval files",
    "two columns of labels",
    text("a.csv", "start,stop,label,label", "1,2,1,0"),
    read_intervals,
    names=("two columns 'label'",),
)
for label, data in (
    ("UTF-16", "start\tstop\tlabel\n1,5\t2\t1\n".encode("utf-16")),
    ("sep=;", b"sep=;\nstart;stop;label\n1,5;2;1\n"),
    ("a clear comma", b'start;stop;label\n"1,5";2;1\n'),
):
    case("interval files", label, content("a.csv", data), read_intervals, gives((1.5, 2, 1)))
case(
    "interval files",
    "a decimal comma among commas",
    text("a.csv", "start,stop,label", "1,5,2,5,1"),
    read_intervals,
    names=("decimal comma",),
)
