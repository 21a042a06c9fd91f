"""Interval labels of ELAN, BORIS and CVAT: round trips, what they export themselves, bad files."""

import csv
import os

import numpy as np
import pytest

from skrehab.datasets import intervals_to_frames
from skrehab.formats import read_intervals, write_intervals

LABELS = [(0.25, 1.5, "lean"), (1.5, 2.0, "trunk rotation"), (3.04, 4.0, 'lean, "é" <&>')]
FORMATS = {
    "a.csv": {},
    "a.eaf": {},
    "a.txt": {},
    "a.tsv": {},
    "boris.csv": {"format": "boris"},
    "boris.tsv": {"format": "boris"},
}


# --- round trips ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FORMATS)
def test_intervals_come_back(tmp_path, name):
    file = write_intervals(tmp_path / name, LABELS, **FORMATS[name])
    assert read_intervals(file) == LABELS
    with pytest.raises(FileExistsError, match="exists already"):
        write_intervals(file, LABELS, **FORMATS[name])
    numbers = [(0.0, 1.0, 2), (1.5, 1.75, 0)]
    write_intervals(file, numbers, overwrite=True, **FORMATS[name])
    assert read_intervals(file) == numbers
    assert read_intervals(file, as_numbers=False) == [(0.0, 1.0, "2"), (1.5, 1.75, "0")]
    write_intervals(file, [], overwrite=True, **FORMATS[name])
    assert read_intervals(file) == []


def test_cvat_comes_back_on_frames(tmp_path):
    rng = np.random.RandomState(0)
    times = np.cumsum(rng.uniform(0.02, 0.05, 120))
    labels = [*LABELS, (2.0, 2.5, "lean"), (2.5, 9.0, "to the end")]
    file = write_intervals(tmp_path / "a.xml", labels[:2], timestamps=times, size=(640, 480))
    back = read_intervals(file, timestamps=times)
    assert [label for *_, label in back] == ["lean", "trunk rotation"]
    background = {"background": "none"}
    np.testing.assert_array_equal(
        intervals_to_frames(back, times, **background),
        intervals_to_frames(labels[:2], times, **background),
    )
    # the same label twice, at once and after a pause; and up to the last frame
    words = [(0.5, 1.0, "a"), (1.0, 1.5, "a"), (2.0, 2.5, "a"), (1.0, 9.0, "b")]
    write_intervals(file, words, timestamps=times, size=(640, 480), overwrite=True)
    for label in "ab":
        mine = [one for one in words if one[2] == label]
        found = [one for one in read_intervals(file, timestamps=times) if one[2] == label]
        np.testing.assert_array_equal(
            intervals_to_frames(found, times, **background),
            intervals_to_frames(mine, times, **background),
        )
    assert len(found) == 1 and found[0][1] > times[-1]
    by_rate = write_intervals(tmp_path / "b.xml", [(0.5, 1, 1)], frame_rate=30, size=(9, 9))
    assert read_intervals(by_rate, frame_rate=30) == [(0.5, 1.0, 1)]


# --- ELAN -----------------------------------------------------------------------------------------
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00+01:00" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
    <MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/videos/p01.mp4" MIME_TYPE="video/mp4"
        RELATIVE_MEDIA_URL="./p01.mp4"{origin}/>
    <PROPERTY NAME="lastUsedAnnotationId">4</PROPERTY>
  </HEADER>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/>
    <TIME_SLOT TIME_SLOT_ID="ts2"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
    <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="4000"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="trunk">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>rotation</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>lean</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="sub" PARENT_REF="trunk" TIER_ID="severity">
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
      <ANNOTATION_VALUE>2</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
    <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a3">
      <ANNOTATION_VALUE>1</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default-lt"/>
</ANNOTATION_DOCUMENT>
"""


def test_eaf_tiers_references_and_open_times(tmp_path):
    file = tmp_path / "p01.eaf"
    file.write_text(EAF.format(origin=""))
    assert read_intervals(file, tier="trunk") == [(1.0, 2.0, "lean"), (2.0, 4.0, "rotation")]
    assert read_intervals(file, tier="severity") == [(1.0, 2.0, 2), (1.0, 2.0, 1)]
    with pytest.raises(ValueError, match=r"pass tier=, one of \['trunk', 'severity'\]"):
        read_intervals(file)
    with pytest.raises(ValueError, match="no tier or subject 'arm'"):
        read_intervals(file, tier="arm")
    file.write_text(EAF.format(origin=' TIME_ORIGIN="500"'))
    assert read_intervals(file, tier="trunk")[0] == (1.5, 2.5, "lean")


def test_eaf_names_its_video(tmp_path):
    file = write_intervals(tmp_path / "a.eaf", LABELS, media="videos/p01.mp4", tier="trunk")
    assert read_intervals(file, tier="trunk", recording="p01.mp4") == LABELS
    with pytest.raises(ValueError, match=r"no recording 'p02\.mp4'"):
        read_intervals(file, recording="p02.mp4")


@pytest.mark.parametrize(
    "old_new",
    [
        ('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a9"', "annotation 'a3' refers to 'a9'"),
        ('ANNOTATION_REF="a1"', 'ANNOTATION_REF="a4"', "annotation 'a3' refers to 'a4'"),
        ('TIME_SLOT_REF2="ts4"', 'TIME_SLOT_REF2="ts9"', "names a time slot 'ts9'"),
        ('TIME_VALUE="4000"', "", "names a time slot"),
        ('TIME_VALUE="4000"', 'TIME_VALUE="4,0"', "'4,0' is no whole number of milliseconds"),
        ('TIME_VALUE="4000"', 'TIME_VALUE="900"', "annotation 'a2'.*is no interval"),
        ('TIME_UNITS="milliseconds"', 'TIME_UNITS="frames"', "times are in frames"),
        ("ANNOTATION_DOCUMENT", "annotations", "no ELAN file: its root is 'annotations'"),
        ("</ANNOTATION_DOCUMENT>", "", "it is not XML"),
    ],
)
def test_bad_eaf(tmp_path, old_new):
    old, new, message = old_new
    (tmp_path / "a.eaf").write_text(EAF.format(origin="").replace(old, new))
    with pytest.raises(ValueError, match=message) as info:
        read_intervals(tmp_path / "a.eaf", tier="severity" if "refers" in message else "trunk")
    assert str(tmp_path / "a.eaf") in str(info.value)


TIMES = "Begin Time - hh:mm:ss.ms\tBegin Time - ss.msec\tEnd Time - hh:mm:ss.ms\tEnd Time - ss.msec"
ELAN = {
    "a column for each tier": (
        f"{TIMES}\tDuration - ss.msec\ttrunk\tarm\n"
        "00:00:01.250\t1.250\t00:01:02.000\t62.000\t60.750\tlean\t\n"
        "00:01:03.000\t63.000\t00:01:04.000\t64.000\t1.000\t\tflex\n",
        {"tier": "trunk"},
    ),
    "tier and annotation": (
        f"Tier\tParticipant\t{TIMES}\tAnnotation\n"
        "trunk\tP01\t00:00:01.250\t1.250\t00:01:02.000\t62.000\tlean\n"
        "arm\tP01\t00:00:01.250\t1.250\t00:01:02.000\t62.000\tflex\n",
        {"tier": "trunk"},
    ),
    "clock only": (
        "Begin Time - hh:mm:ss.ms\tDuration - hh:mm:ss.ms\ttrunk\n"
        "00:00:01.250\t00:01:00.750\tlean\n",
        {},
    ),
    "milliseconds": ("Begin Time - msec\tEnd Time - msec\ttrunk\n1250\t62000\tlean\n", {}),
    "csv with semicolons": ("Begin Time - ss.msec;End Time - ss.msec;trunk\n1.25;62;lean\n", {}),
    "file information on top": (
        '"#file:///C:/p01.eaf -- offset: 0"\n#C:/p01.mp4 -- offset: 0\n'
        "Begin Time - ss.msec\tEnd Time - ss.msec\ttrunk\n1.250\t62.000\tlean\n",
        {},
    ),
    "no header": (
        "trunk\t\t00:00:01.250\t1.25\t00:01:02.000\t62.0\t00:01:00.750\t60.75\tlean\n"
        "arm\t\t00:00:01.250\t1.25\t00:01:02.000\t62.0\t00:01:00.750\t60.75\tflex\n",
        {"tier": "trunk"},
    ),
    "no header, milliseconds": ("trunk\tP01\t1250\t62000\t60750\tlean\n", {}),
}


@pytest.mark.parametrize("name", ELAN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_elan_exports(tmp_path, name, encoding):
    text, options = ELAN[name]
    (tmp_path / "a.txt").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert read_intervals(tmp_path / "a.txt", **options) == [(1.25, 62.0, "lean")]
    if encoding != "utf-16":
        (tmp_path / "a.csv").write_text(text, encoding=encoding)
        assert read_intervals(tmp_path / "a.csv", **options) == [(1.25, 62.0, "lean")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trunk\t\t1.0\t2.0\t9.0\tlean\n", "row 1: it is no ELAN export"),
        ("Begin Time - ss.msec\ttrunk\n1.0\tlean\n", "row 2: it needs a begin time, and an end"),
        ("Begin Time - ss.msec\tEnd Time - ss.msec\tt\n1,5\t2\tlean\n", "row 2: '1,5' is no time"),
        ("Begin Time - ss.msec\tEnd Time - ss.msec\tt\n2\t1\tlean\n", "row 2: 2.0 to 1.0 is no"),
        ("Begin Time - msec\tEnd Time - msec\tt\n\n-5\t1\tlean\n", "row 3: -0.005 to 0.001 is no"),
    ],
)
def test_bad_elan_tables(tmp_path, text, message):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_intervals(tmp_path / "a.txt", format="elan")


@pytest.mark.parametrize("name", ["a.eaf", "a.txt"])
def test_what_elan_cannot_hold(tmp_path, name):
    with pytest.raises(ValueError, match="intervals cannot overlap"):
        write_intervals(tmp_path / name, [(0, 2, "a"), (1, 3, "b")])
    with pytest.raises(ValueError, match="nothing is left between"):
        write_intervals(tmp_path / name, [(0.0001, 0.0002, "a")])
    assert not (tmp_path / name).exists()
    with pytest.raises(ValueError, match=r"which XML cannot|cannot be called"):
        write_intervals(tmp_path / name, [(0, 1, "a")], tier="a\x00\tb")


# --- BORIS ----------------------------------------------------------------------------------------
BORIS = (
    "Observation id,Observation date,Description,Media file,Total length,FPS,Subject,Behavior,"
    "Behavioral category,Modifiers,Behavior type,Start (s),Stop (s),Duration (s),Comment start,"
    "Comment stop\n"
    "P01-a,2024-01-01 10:00:00,,C:\\videos\\p01.mp4,60.0,29.97,patient,lean,,,STATE,3.500,4.250,"
    "0.750,,\n"
    "P01-a,2024-01-01 10:00:00,,C:\\videos\\p01.mp4,60.0,29.97,patient,drop,,,POINT,3.7,3.7,0,,\n"
    "P01-a,2024-01-01 10:00:00,,C:\\videos\\p01.mp4,60.0,29.97,patient,lean,,,STATE,1.0,2.0,1,,\n"
    "P01-a,2024-01-01 10:00:00,,C:\\videos\\p01.mp4,60.0,29.97,therapist,helps,,,STATE,0,9,9,,\n"
    "P02-a,2024-01-01 11:00:00,,C:\\videos\\p02.mp4,60.0,29.97,patient,lean,,,STATE,5,6,1,,\n"
)


def test_boris_of_several_videos_and_subjects(tmp_path):
    (tmp_path / "events.csv").write_text(BORIS)
    with pytest.warns(UserWarning, match=r"events\.csv: 1 point events"):
        found = read_intervals(tmp_path / "events.csv", recording="P01-a", tier="patient")
    assert found == [(1.0, 2.0, "lean"), (3.5, 4.25, "lean")]
    (tmp_path / "events.csv").write_text(BORIS.replace("POINT", "STATE").replace("3.7,3.7", "3,4"))
    assert read_intervals(tmp_path / "events.csv", recording="p02.mp4") == [(5.0, 6.0, "lean")]
    with pytest.raises(ValueError, match=r"2 recordings, so pass recording=, one of \['P01-a'"):
        read_intervals(tmp_path / "events.csv")
    with pytest.raises(ValueError, match=r"pass tier=, one of \['patient', 'therapist'\]"):
        read_intervals(tmp_path / "events.csv", recording="P01-a")
    with pytest.raises(ValueError, match="no recording 'P03'"):
        read_intervals(tmp_path / "events.csv", recording="P03")


def test_bad_boris(tmp_path):
    (tmp_path / "a.csv").write_text(BORIS.replace("4.250", "NA").replace("POINT", "STATE"))
    with pytest.raises(ValueError, match=r"row 2, column stop \(s\): the event has no time"):
        read_intervals(tmp_path / "a.csv", recording="P01-a")
    (tmp_path / "a.csv").write_text("Behavior,Start (s)\nlean,1\n")
    with pytest.raises(ValueError, match=r"columns behavior, start .* are needed"):
        read_intervals(tmp_path / "a.csv", format="boris")


def test_pandas_reads_our_boris(tmp_path):
    pandas = pytest.importorskip("pandas")
    file = write_intervals(tmp_path / "a.csv", LABELS, format="boris", media="v/a.mp4", tier="P")
    table = pandas.read_csv(file)
    assert list(table)[:4] == BORIS.split(",")[:4]
    assert table["Behavior"].tolist() == [label for *_, label in LABELS]
    assert table["Start (s)"].tolist() == [start for start, *_ in LABELS]
    assert set(table["Subject"]) == {"P"} and set(table["Media file"]) == {"v/a.mp4"}
    with open(file, newline="") as rows:
        assert len(next(csv.reader(rows))) == 16


# --- CVAT -----------------------------------------------------------------------------------------
def box(frame, outside=0, attribute=""):
    inner = f'<attribute name="compensation">{attribute}</attribute>' if attribute else ""
    return (
        f'<box frame="{frame}" outside="{outside}" occluded="0" keyframe="1" xtl="1" ytl="1" '
        f'xbr="9" ybr="9" z_order="0">{inner}</box>'
    )


def cvat(*tracks, meta=""):
    listed = "".join(
        f'<track id="{i}" label="{label}">{shapes}</track>'
        for i, (label, shapes) in enumerate(tracks)
    )
    return f"<annotations><version>1.1</version><meta>{meta}</meta>{listed}</annotations>"


def test_cvat_tracks(tmp_path):
    text = cvat(
        ("lean", box(2) + box(3) + box(5, outside=1) + box(8)),
        ("rotation", box(9) + box(4) + box(9, outside=1)),
        ("empty", ""),
    )
    (tmp_path / "a.xml").write_text(text)
    times = np.arange(20) / 10
    assert read_intervals(tmp_path / "a.xml", frame_rate=10) == [
        (0.2, 0.5, "lean"),
        (0.4, 0.9, "rotation"),
        (0.8, 0.9, "lean"),
    ]
    assert read_intervals(tmp_path / "a.xml", timestamps=times) == read_intervals(
        tmp_path / "a.xml", frame_rate=10
    )
    with pytest.raises(ValueError, match="CVAT counts frames: pass timestamps="):
        read_intervals(tmp_path / "a.xml")
    with pytest.raises(ValueError, match="reaches frame 8, and there are 5 timestamps"):
        read_intervals(tmp_path / "a.xml", timestamps=times[:5])


def test_cvat_attributes_and_steps(tmp_path):
    """A person's box whose attribute changes; every third frame was annotated."""
    states = [(0, "none"), (3, "lean"), (6, "lean"), (9, "rotation")]
    shapes = "".join(box(frame, attribute=value) for frame, value in states)
    meta = "<task><frame_filter>step=3</frame_filter><source>p01.mp4</source></task>"
    (tmp_path / "a.xml").write_text(cvat(("person", shapes), meta=meta))
    assert read_intervals(tmp_path / "a.xml", frame_rate=3, tier="compensation") == [
        (0.0, 1.0, "none"),
        (1.0, 3.0, "lean"),
        (3.0, 4.0, "rotation"),
    ]
    assert read_intervals(tmp_path / "a.xml", frame_rate=3) == [(0.0, 4.0, "person")]
    assert read_intervals(tmp_path / "a.xml", frame_rate=3, tier="other") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<a/>", "no CVAT file: its root is 'a'"),
        ("<annotations><image/></annotations>", "export the task as 'CVAT for video 1.1'"),
        (cvat(("lean", box("x"))), "track '0': a box has no frame number"),
        (cvat(("lean", box(-3))), "is no interval"),
        ("", "it is not XML"),
    ],
)
def test_bad_cvat(tmp_path, text, message):
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_intervals(tmp_path / "a.xml", frame_rate=10)


def test_what_cvat_cannot_hold(tmp_path):
    for options, message in [
        ({"size": (9, 9)}, "pass timestamps= or frame_rate="),
        ({"frame_rate": 10}, "pass size="),
        ({"frame_rate": 1, "size": (9, 9)}, "no frame lies between"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_intervals(tmp_path / "a.xml", [(0.1, 0.3, "lean")], **options)
    with pytest.raises(ValueError, match="two intervals with label 'a' overlap"):
        write_intervals(tmp_path / "a.xml", [(0, 2, "a"), (1, 3, "a")], frame_rate=10, size=(9, 9))


# --- XML that means harm --------------------------------------------------------------------------
SECRET = "the secret"
HARM = {
    "bomb": '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
    "file": '<!DOCTYPE a [<!ENTITY b SYSTEM "file://{file}">]>',
    "remote": '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    "parameter": '<!DOCTYPE a [<!ENTITY % b SYSTEM "file://{file}"> %b;]>',
}


@pytest.mark.parametrize("name", HARM)
@pytest.mark.parametrize("ending", [".eaf", ".xml"])
def test_entities_are_refused(tmp_path, name, ending):
    (tmp_path / "secret.txt").write_text(SECRET)
    head = HARM[name].replace("{file}", str(tmp_path / "secret.txt"))
    (tmp_path / f"a{ending}").write_text(f"{head}<annotations>&b;</annotations>")
    with pytest.raises(ValueError, match="declares a document type or entities") as info:
        read_intervals(tmp_path / f"a{ending}", frame_rate=10)
    assert SECRET not in str(info.value)


def test_xml_is_limited(tmp_path, monkeypatch):
    from skrehab.formats import _xml

    (tmp_path / "a.xml").write_text("<a>" * 5000)
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        read_intervals(tmp_path / "a.xml", frame_rate=10)
    monkeypatch.setattr(_xml, "_MAX_BYTES", 10)
    with pytest.raises(ValueError, match="too large for annotations"):
        read_intervals(tmp_path / "a.xml", frame_rate=10)


# --- the rest -------------------------------------------------------------------------------------
def test_plain_csv_keeps_its_order_and_names_rows(tmp_path):
    (tmp_path / "a.csv").write_text("label;stop;start\n1;2,5;2\n0;1;0\n")
    assert read_intervals(tmp_path / "a.csv") == [(2.0, 2.5, 1), (0.0, 1.0, 0)]
    (tmp_path / "a.csv").write_text("start,stop,label\n0,1,1\n1,2,lean\n")
    assert read_intervals(tmp_path / "a.csv")[0][2] == "1"
    with pytest.raises(ValueError, match="row 3, column label: 'lean' is no whole number"):
        read_intervals(tmp_path / "a.csv", as_numbers=True)
    (tmp_path / "a.csv").write_text("from,to\n0,1\n")
    with pytest.raises(ValueError, match=r"a\.csv: columns start, stop, label are needed"):
        read_intervals(tmp_path / "a.csv")


def test_elan_text_that_is_cut_short(tmp_path):
    file = write_intervals(tmp_path / "a.tsv", [(0.5, 2.0, "lean"), (3.0, 4.0, "twist")])
    file.write_text(file.read_text()[:-7])  # without the last label
    with pytest.raises(ValueError, match="the file is cut short"):
        read_intervals(file)


def test_pipes_are_refused(tmp_path):
    for name in ("a.csv", "a.eaf", "a.tsv", "a.xml"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(ValueError, match=f"{name}: it is a pipe"):
            read_intervals(tmp_path / name, frame_rate=30)


def test_unknown_endings_and_formats(tmp_path):
    (tmp_path / "a.doc").write_text("")
    with pytest.raises(ValueError, match=r"its ending '\.doc' is not known"):
        read_intervals(tmp_path / "a.doc")
    with pytest.raises(ValueError, match="format must be one of"):
        read_intervals(tmp_path / "a.doc", format="word")
    with pytest.raises(ValueError, match="its ending is not known"):
        write_intervals(tmp_path / "b.doc", LABELS)
    for name in ("nowhere.csv", "nowhere.eaf"):
        with pytest.raises(FileNotFoundError):
            read_intervals(tmp_path / name)
    for bad in ([(1, 1, "a")], [(-1, 1, "a")], [(0, np.inf, "a")], [(0, 1, " ")]):
        with pytest.raises(ValueError, match=r"is no interval|has no label"):
            write_intervals(tmp_path / "b.csv", bad)
