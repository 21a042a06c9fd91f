"""Pose files as other programs write them: their times, frames, recordings, people and tables."""

import numpy as np

from bad_input_cases.case import battery, content, warned
from bad_input_cases.made import (
    NAN,
    N,
    dumped,
    equal,
    first_x,
    flat,
    folder,
    groups,
    near,
    reads,
    text,
    times,
)
from skrehab.formats import read_long_table, read_pose

CASES, case = battery()

# --- times ----------------------------------------------------------------------------------------
for title, unit in (("time_ms", 1e3), ("time (ms)", 1e3), ("timestamp_us", 1e6), ("time_ns", 1e9)):
    steps = [round(i / 30 * unit) for i in range(3)]
    case(
        "times",
        f"{title}, wide",
        text("a.csv", f"{title},a_x,a_y", *(f"{t},1,2" for t in steps)),
        read_pose,
        lambda read: np.allclose(read.timestamps, np.arange(3) / 30, atol=1e-3),
    )
    case(
        "times",
        f"{title}, long",
        text(
            "a.csv", f"frame,{title},landmark,x,y", *(f"{i},{t},a,1,2" for i, t in enumerate(steps))
        ),
        read_pose,
        lambda read: np.allclose(read.timestamps, np.arange(3) / 30, atol=1e-3),
    )
for label, step, unit in (("33", 33, 1e-3), ("33333", 33333, 1e-6), ("40000000", 4e7, 1e-9)):
    for kind, lines in (
        ("wide", ["time,a_x,a_y", *(f"{i * step},1,2" for i in range(3))]),
        ("long", ["frame,time,landmark,x,y", *(f"{i},{i * step},a,1,2" for i in range(3))]),
    ):
        case(
            "times",
            f"steps of {label}, {kind}",
            text("a.csv", *lines),
            warned(read_pose, "not as seconds"),
            lambda read, s=step * unit: np.allclose(read.timestamps, np.arange(3) * s),
        )
case(
    "times",
    "steps of 2000",
    text("a.csv", "time,a_x,a_y", "0,1,2", "2000,1,2", "4000,1,2"),
    read_pose,
    names=("are no seconds of a video",),
)
case(
    "times",
    "frame numbers called time",
    text("a.csv", "time,a_x,a_y", "0,1,2", "1,1,2", "2,1,2"),
    warned(read_pose, "If they are frame numbers"),
    lambda read: True,
)
case(
    "times",
    "a clock",
    text("a.csv", "time,a_x,a_y", "00:00:59.9,1,2", "00:01:00.0,1,2"),
    read_pose,
    near([59.9, 60.0], times),
)

# --- frame numbers --------------------------------------------------------------------------------
GAPS, AT = [0, 1, 5, 6], [0, 0.1, 0.5, 0.6]


def dataset(names, **more):
    return {
        "images": [{"id": i, "file_name": name, **more} for i, name in enumerate(names)],
        "annotations": [
            {"id": i, "image_id": i, "keypoints": flat(10 * i)} for i in range(len(names))
        ],
    }


def alphapose(names):
    return [{"image_id": name, "keypoints": flat(i)} for i, name in enumerate(names)]


def openpose(names):
    people = [{"people": [{"pose_keypoints_2d": flat(i, 25)}]} for i in range(len(names))]
    return dict(zip(names, people))


for style in (
    *("{:04d}.jpg", "frame_{}.png", "reach_{:04d}_cam2.jpg", "P01_trial3_{:06d}_left1.jpg"),
    *("v2/img{:05d}.jpg", "2024-01-05/0001_{:03d}.jpg", "C:\\data\\P01\\{:04d}.png"),
):
    names = [style.format(i) for i in GAPS]
    case(
        "frame numbers",
        f"AlphaPose, {style}",
        dumped("a.json", alphapose(names)),
        reads(frame_rate=10),
        near(AT, times),
    )
    case(
        "frame numbers",
        f"COCO, {style}",
        dumped("a.json", dataset(names)),
        reads(frame_rate=10),
        near(AT, times),
    )
    if "/" not in style and "\\" not in style:
        files = [name.rpartition(".")[0] + "_keypoints.json" for name in names]
        case(
            "frame numbers",
            f"OpenPose, {style}",
            folder(openpose(files)),
            reads(frame_rate=10),
            near(AT, times),
        )
case(
    "frame numbers",
    "COCO, images out of order",
    dumped("a.json", dataset([f"frame_{i:06d}.jpg" for i in (2, 0, 3, 1)])),
    read_pose,
    equal([10, 30, 0, 20], first_x),
)
for kind, make in (
    ("AlphaPose", dumped("a.json", alphapose([f"{i}.jpg" for i in GAPS]))),
    ("COCO", dumped("a.json", dataset([f"{i}.jpg" for i in GAPS]))),
    ("wide CSV", text("a.csv", "frame,a_x,a_y", *(f"{i},1,2" for i in GAPS))),
    ("long CSV", text("a.csv", "frame,landmark,x,y", *(f"{i},a,1,2" for i in GAPS))),
    (
        "MMPose",
        dumped(
            "a.json",
            [{"frame_id": i, "instances": [{"keypoints": groups(i)}]} for i in GAPS],
        ),
    ),
    ("a list of frames", dumped("a.json", [{"frame_id": i, "keypoints": flat(i)} for i in GAPS])),
):
    case("frame numbers", f"{kind}, gaps and a rate", make, reads(frame_rate=10), near(AT, times))
    case("frame numbers", f"{kind}, gaps and no rate", make, read_pose, names=("frame 5 follows",))
for title in ("frame", "Frame", "frame_id", "frame_idx", "frame_number", "Frame#"):
    case(
        "frame numbers",
        f"column {title}, rows out of order",
        text("a.csv", f"{title},a_x,a_y", "6,7,1", "0,1,1", "1,2,1", "5,6,1"),
        reads(frame_rate=10),
        lambda read: near(AT, times)(read) and first_x(read).tolist() == [1, 2, 6, 7],
    )
case(
    "frame numbers",
    "an index of pandas with gaps",
    text("a.csv", ",a_x,a_y", *(f"{i},1,2" for i in GAPS)),
    reads(frame_rate=10),
    near(AT, times),
)
case(
    "frame numbers",
    "a frame twice",
    text("a.csv", "frame,a_x,a_y", "0,1,1", "0,2,1"),
    read_pose,
    names=("two rows hold frame 0",),
)

# --- several recordings ---------------------------------------------------------------------------
TWO = [f"{video}/{i:04d}.jpg" for video in ("P01", "P02") for i in range(3)]
TAILS = [f"P{video}_{i:04d}.jpg" for video in (1, 2) for i in range(3)]
for kind, make in (
    ("AlphaPose, folders", dumped("a.json", alphapose(TWO))),
    ("AlphaPose, names", dumped("a.json", alphapose(TAILS))),
    ("COCO, folders", dumped("a.json", dataset(TWO))),
    ("COCO, names", dumped("a.json", dataset(TAILS))),
    ("OpenPose, names", folder(openpose([name[:-4] + "_keypoints.json" for name in TAILS]))),
    (
        "wide CSV",
        text("a.csv", "video,frame,a_x,a_y", "P01,0,1,1", "P01,1,1,1", "P02,2,5,1", "P02,3,5,1"),
    ),
    (
        "long CSV",
        text("a.csv", "video,frame,landmark,x,y", "P01,0,a,1,1", "P02,1,a,5,1"),
    ),
):
    case("several recordings", f"{kind}, none asked for", make, read_pose, names=("pass trial=",))
    asked = "P2" if "names" in kind else "P02"
    case(
        "several recordings",
        f"{kind}, the second",
        make,
        reads(trial=asked, frame_rate=10),
        lambda read: 1 <= len(read.pose) <= 3 and first_x(read).min() >= 3,
    )
    case(
        "several recordings",
        f"{kind}, an unknown one",
        make,
        reads(trial="P77"),
        names=("P77",) if "wide" not in kind else ("pass trial=",),
    )

# --- people ---------------------------------------------------------------------------------------
LEAVES = [
    {"image_id": i, "keypoints": k}
    for i in range(6)
    for k in ([flat(100 + i)] if i < 3 else []) + [flat(900)]
]
case("people", "steady", dumped("a.json", LEAVES), read_pose, equal([900] * 6, first_x))
case(
    "people",
    "follow",
    dumped("a.json", LEAVES),
    reads(person="follow"),
    equal([100, 101, 102, NAN, NAN, NAN], first_x),
)
for label, nobody in (("[]", []), ("{}", {}), ("null", {"people": None}), ("none", {"people": []})):
    files = openpose([f"a_{i}_keypoints.json" for i in range(3)]) | {"a_1_keypoints.json": nobody}
    case(
        "people",
        f"OpenPose, nobody as {label}",
        folder(files),
        reads(frame_rate=10),
        lambda read: len(read.pose) == 3 and np.isnan(read.pose[1, :, :2]).all(),
    )
SAPIENS = {"keypoints": groups(3), "keypoint_scores": [0.5] * N}
case(
    "people",
    "a folder of Sapiens",
    folder({f"{i}.json": {"instance_info": [SAPIENS] * (i != 1)} for i in range(3)}),
    reads(frame_rate=10),
    lambda read: read.pose.shape == (3, N, 3) and np.isnan(read.pose[1, :, 0]).all(),
)

# --- tables ---------------------------------------------------------------------------------------
LONG = "frame,landmark,x,y\n0,nose,1.5,2\n1,nose,3,4\n"


def same_table(read):
    return read.pose.tolist() == [[[1.5, 2]], [[3, 4]]]


for label, data in (
    ("UTF-16", LONG.replace(",", "\t").encode("utf-16")),
    ("a byte order mark", LONG.encode("utf-8-sig")),
    ("semicolons, decimal comma", LONG.replace(",", ";").replace(".", ",").encode()),
    ("sep=;", ("sep=;\n" + LONG.replace(",", ";").replace(".", ",")).encode()),
    ('"sep=,"', ("sep=,\r\n" + LONG).encode()),
    ("old Macintosh", LONG.replace("\n", "\r").encode()),
    ("blanks of every kind", LONG.replace("nose", "\u200bnose\u00a0").encode()),
):
    case("tables", label, content("a.csv", data), read_pose, same_table)
for label, data, why in (
    ("an open quotation mark", LONG.replace("nose,1.5", '"nose,1.5'), "row 2"),
    ("two marks that meet", LONG.replace("nose,1.5", '"nose,1.5').replace("3,4", '3,"4'), "row 2"),
    ("a decimal comma among commas", LONG.replace("1.5", '"1,5"'), "decimal comma"),
    ("a workbook called CSV", "PK\x03\x04 and so on", "Excel workbook"),
    ("an underscore", LONG.replace("1.5", "1_5"), "is not a number"),
):
    case("tables", label, content("a.csv", data.encode("latin-1")), read_pose, names=(why,))


def workbook(rows, name="a.xlsx"):
    def make(where):
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(where / name)
        return where / name

    return make


case(
    "tables",
    "a workbook",
    workbook([["frame", "landmark", "x", "y"], [0, "nose", 1.5, 2], [1, "nose", 3, 4]]),
    read_pose,
    same_table,
)
case("tables", "a workbook that is none", content("a.xlsx", b"a,b\n"), read_pose)
case(
    "tables",
    "one landmark, two spellings of é",
    text("a.csv", "frame,landmark,x,y", "0,e\u0301,1,2", "1,\u00e9,3,4"),
    lambda path: read_long_table(path)["trial"],
    lambda read: read.pose.shape == (2, 1, 2),
)
