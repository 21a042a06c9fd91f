"""Manifests that name files of other programs, and say which part of them is meant."""

import json

import numpy as np

from bad_input_cases.case import battery
from bad_input_cases.manifests import HEAD, loads, manifest
from skrehab.datasets import load_manifest
from skrehab.formats import write_intervals

CASES, case = battery()

# --- options --------------------------------------------------------------------------------------
BORIS = "Observation id,Media file,Subject,Behavior,Behavior type,Start (s),Stop (s)"


def truths(folder):
    """Interval files that hold more than one row needs."""
    (folder / "boris.csv").write_text(
        f"{BORIS}\nt1,a.mp4,s,1,STATE,0.5,1\nt2,b.mp4,s,1,STATE,0.2,0.4\n"
        "t2,b.mp4,nurse,1,STATE,0,1\n"
    )
    (folder / "own.csv").write_text("video,start,stop,label\na.mp4,0.5,1,1\nb.mp4,0.2,0.4,1\n")
    write_intervals(folder / "cvat.xml", [(0.5, 1, 1)], frame_rate=30, size=(9, 9))
    write_intervals(folder / "words.xml", [(0.5, 1, "lean")], frame_rate=30, size=(9, 9))
    clip = folder / "clip"
    clip.mkdir()
    for i in range(4):
        person = {"pose_keypoints_2d": [v for j in range(25) for v in (i + j, j + 1, 0.5)]}
        (clip / f"clip_{i:04d}_keypoints.json").write_text(json.dumps({"people": [person]}))
    table = ["trial,frame,landmark,x,y"]
    table += [f"{t},{i},a,{i + 10 * k},1" for k, t in enumerate(("t1", "t2")) for i in range(3)]
    (folder / "all.csv").write_text("\n".join(table) + "\n")
    gaps = [{"image_id": i, "keypoints": [i + 1, 2, 0.5] * 17} for i in (0, 1, 5)]
    (folder / "gaps.json").write_text(json.dumps(gaps))


def frames(*expected):
    """First and last labelled frames of each trial, None where it has no truth."""

    def right(data):
        found = [np.flatnonzero(one == 1) for one in data.frame_labels]
        return [(int(one[0]), int(one[-1])) if len(one) else None for one in found] == list(
            expected
        )

    return right


LABELS = HEAD + ",frame_labels"
for label, head, rows, options, right in (
    ("BORIS, by the file's name", LABELS, ["a.npy,P1,1,boris.csv"], {}, frames((15, 29))),
    (
        "BORIS, by name, subject as column",
        LABELS + ",tier",
        ["a.npy,P1,1,boris.csv,s", "b.npy,P2,1,boris.csv,s"],
        {},
        frames((15, 29), (6, 11)),
    ),
    (
        "BORIS, subject for all",
        LABELS,
        ["a.npy,P1,1,boris.csv", "b.npy,P2,1,boris.csv"],
        {"tier": "s"},
        frames((15, 29), (6, 11)),
    ),
    (
        "BORIS, by the trial's name",
        LABELS + ",trial,tier",
        ["c.npy,P1,1,boris.csv,t2,s"],
        {},
        frames((6, 11)),
    ),
    (
        "BORIS, recording as column",
        LABELS + ",recording,tier",
        ["c.npy,P1,1,boris.csv,b.mp4,s"],
        {},
        frames((6, 11)),
    ),
    (
        "BORIS, recording for all",
        LABELS,
        ["c.npy,P1,1,boris.csv"],
        {"recording": "b.mp4", "tier": "s"},
        frames((6, 11)),
    ),
    (
        "own CSV, by the file's name",
        LABELS,
        ["a.npy,P1,1,own.csv", "b.npy,P2,1,own.csv"],
        {},
        frames((15, 29), (6, 11)),
    ),
    ("CVAT", LABELS, ["a.npy,P1,1,cvat.xml"], {}, frames((15, 29))),
    (
        "CVAT, words",
        LABELS,
        ["a.npy,P1,1,words.xml"],
        {"interval_labels": {"lean": 1}},
        frames((15, 29)),
    ),
    (
        "CVAT, rate as column",
        LABELS + ",frame_rate",
        ["a.npy,P1,1,cvat.xml,30"],
        {"frame_rate": 10},
        frames((15, 29)),
    ),
):
    options = {"frame_rate": 30} | options
    case("manifest options", label, manifest(rows, head, more=truths), loads(**options), right)
for label, rows, why in (
    ("a recording of another name", ["c.npy,P1,1,boris.csv"], "pass recording="),
    ("two subjects", ["b.npy,P1,1,boris.csv"], "pass tier="),
):
    case(
        "manifest options",
        label,
        manifest(rows, LABELS, more=truths),
        loads(frame_rate=30),
        names=("row 2, column frame_labels", why),
    )
case(
    "manifest options",
    "CVAT without a rate",
    manifest(["a.npy,P1,1,cvat.xml"], LABELS, more=truths),
    load_manifest,
    names=("row 2, column frame_labels", "frame_rate="),
)
case(
    "manifest options",
    "a rate that is none",
    manifest(["a.npy,P1,1,x"], HEAD + ",frame_rate"),
    load_manifest,
    names=("row 2, column frame_rate",),
)
case(
    "manifest options",
    "a folder of OpenPose",
    manifest(["clip,P1,1"], more=truths),
    loads(frame_rate=10),
    lambda data: (
        data.X[0].shape == (4, 25, 3) and np.allclose(data.timestamps[0], [0, 0.1, 0.2, 0.3])
    ),
)
case(
    "manifest options",
    "an empty folder",
    manifest(["films,P1,1"], more=lambda f: (f / "films").mkdir()),
    load_manifest,
    names=("row 2, column path", "OpenPose"),
)
case(
    "manifest options",
    "frames left out, a rate given",
    manifest(["gaps.json,P1,1"], more=truths),
    loads(frame_rate=10),
    lambda data: np.allclose(data.timestamps[0], [0, 0.1, 0.5]),
)
case(
    "manifest options",
    "many trials in one table",
    manifest(["all.csv,P1,1,t1", "all.csv,P2,0,t2"], HEAD + ",trial", more=truths),
    loads(frame_rate=10),
    lambda data: [x[0, 0, 0] for x in data.X] == [0, 10],
)
case(
    "manifest options",
    "many trials, none named",
    manifest(["all.csv,P1,1"], more=truths),
    loads(frame_rate=10),
    names=("row 2, column path", "2 trials"),
)
for label, options, why in (
    ("words among numbers", {}, "pass interval_labels="),
    ("words that mean nothing", {"interval_labels": {"twist": 1}}, "says nothing of ['lean']"),
):
    case(
        "manifest options",
        label,
        manifest(["a.npy,P1,1,words.xml"], LABELS, more=truths),
        loads(frame_rate=30, **options),
        names=("row 2, column frame_labels", why),
    )
