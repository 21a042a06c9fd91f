"""Pose files as other programs write them: what they mean by a score, a unit, nothing."""

import numpy as np

from bad_input_cases.case import battery, warned
from bad_input_cases.made import (
    NAN,
    N,
    dumped,
    equal,
    folder,
    near,
    reads,
    text,
    times,
)
from skrehab.formats import read_pose

CASES, case = battery()

# --- lost points, by one rule ---------------------------------------------------------------------
LOST = {
    "zero with a score of 0": [0, 0, 0],
    "zero with a score": [0, 0, 0.37],
    "a place with a score of 0": [5, 6, 0],
    "a place with a negative score": [5, 6, -1],
    "minus one": [-1, -1, 0.5],
    "NaN": [NAN, NAN, 0.5],
}
for what, point in LOST.items():
    one = [v for j in range(N) for v in (point if j == 4 else (9 + j, 9, 0.5))]
    gone = np.array([NAN, NAN, 0.5 if what == "NaN" else 0])

    def lost(read, gone=gone):
        at = read.pose[0, 4]
        place = np.isnan(at[:2]).all() and not np.isnan(np.delete(read.pose[0], 4, 0)).any()
        return place and at[2] in (0, gone[2])

    holders = {
        "AlphaPose": dumped("a.json", [{"image_id": "0.jpg", "keypoints": one}]),
        "a list of frames": dumped("a.json", [{"keypoints": one}]),
        "COCO": dumped(
            "a.json",
            {
                "images": [{"id": 1, "file_name": "0.jpg"}],
                "annotations": [{"id": 1, "image_id": 1, "keypoints": one}],
            },
        ),
        "OpenPose": folder({"a_0_keypoints.json": {"people": [{"pose_keypoints_2d": one}]}}),
        "MMPose": dumped(
            "a.json",
            {
                "instance_info": [
                    {
                        "frame_id": 1,
                        "instances": [
                            {
                                "keypoints": np.reshape(one, (N, 3))[:, :2].tolist(),
                                "keypoint_scores": one[2::3],
                            }
                        ],
                    }
                ]
            },
        ),
        "a wide CSV": text(
            "a.csv",
            ",".join(f"p{j}_x,p{j}_y,p{j}_likelihood" for j in range(N)),
            ",".join(map(str, one)),
        ),
        "a long CSV": text(
            "a.csv",
            "frame,landmark,x,y,score",
            *(f"0,p{j},{x},{y},{s}" for j, (x, y, s) in enumerate(np.reshape(one, (N, 3)))),
        ),
    }
    for holder, make in holders.items():
        case("lost points", f"{what}, {holder}", make, read_pose, lost)
for what, cells, point in (
    ("not tracked", "0,0,0,0", [NAN, NAN, NAN, 0]),
    ("not tracked, with a place", "1,2,3,0", [NAN, NAN, NAN, 0]),
    ("guessed", "1,2,3,1", [1, 2, 3, 0.5]),
    ("tracked", "1,2,3,2", [1, 2, 3, 1]),
    ("in a word", "1,2,3,Inferred", [1, 2, 3, 0.5]),
    ("in a word, not tracked", "1,2,3,NotTracked", [NAN, NAN, NAN, 0]),
):
    case(
        "lost points",
        f"Kinect, {what}",
        text("a.csv", "neck_x,neck_y,neck_z,neck_trackingState", cells),
        read_pose,
        equal([[point]]),
    )
case(
    "lost points",
    "Kinect, no such state",
    text("a.csv", "neck_x,neck_y,neck_z,neck_trackingState", "1,2,3,7"),
    read_pose,
    names=("row 2", "tracking state"),
)
for what, cell in (("NA", "NA"), ("NaN", "NaN"), ("nothing", ""), ("#N/A", "#N/A")):
    case(
        "lost points",
        f"{what} in a wide CSV",
        text("a.csv", "time,a_x,a_y", f"0,{cell},{cell}", "0.1,1,2"),
        read_pose,
        equal([[[NAN, NAN]], [[1, 2]]]),
    )
case(
    "lost points",
    "the root of a pose centred on it stays",
    text("a.csv", "hip_x,hip_y,a_x,a_y,b_x,b_y", "0,0,-1,-2,1,2", "0,0,-1,-3,1,3"),
    read_pose,
    equal([[0, 0], [0, 0]], lambda read: read.pose[:, 0]),
)

# --- TRC ------------------------------------------------------------------------------------------
HEAD = (
    "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames"
)


def trc(unit="mm", gap="\t", rows=("900 800 10 905 450 12",) * 2, stated=None, header=HEAD):
    words = f"60 60 {stated or len(rows)} 2 {unit} 60 1 {len(rows)}".split()
    frames = [gap.join([str(i + 1), str(i / 60), *row.split()]) for i, row in enumerate(rows)]
    return text(
        "a.trc",
        "PathFileType\t4\t(X/Y/Z)\ta.trc",
        gap.join(header.split()),
        gap.join(words),
        f"Frame#{gap}Time{gap}" + (f"Hip{gap * 3}Knee" if "\t" in gap else "Hip Knee"),
        gap.join("X1 Y1 Z1 X2 Y2 Z2".split()),
        "",
        *frames,
    )


for label, gap in (("tabs", "\t"), ("two tabs", "\t\t"), ("blanks", "  "), ("one blank", " ")):
    for unit, metres in (("mm", 0.001), ("cm", 0.01), ("m", 1.0), ("Millimeters", 0.001)):
        case(
            "TRC",
            f"{unit}, parted by {label}",
            trc(unit, gap),
            read_pose,
            near([0.9e3 * metres, 0.8e3 * metres, 10 * metres], lambda read: read.pose[0, 0]),
        )
    case(
        "TRC",
        f"a marker at 0 0 0, parted by {label}",
        trc("mm", gap, ("900 800 10 0 0 0", "900 800 10 905 450 12")),
        read_pose,
        lambda read: np.isnan(read.pose[0, 1]).all() and not np.isnan(read.pose[1]).any(),
    )
for label, make, why in (
    ("no unit", trc(header=HEAD.replace("Units ", ""), unit=""), "Units"),
    ("an unknown unit", trc("feet"), "its unit is 'feet'"),
    ("fewer frames than stated", trc(stated=9), "allow_cut=True"),
    ("a value too many", trc(rows=("1 2 3 4 5 6 7",)), "more than 3 values"),
    ("a value too few, blanks", trc(gap=" ", rows=("1 2 3 4 5",)), "nothing tells which"),
):
    case("TRC", label, make, read_pose, names=(why,))
case(
    "TRC",
    "fewer frames than stated, allowed",
    trc(stated=9),
    warned(reads(allow_cut=True), "it states 9 frames and has 2"),
    lambda read: len(read.pose) == 2,
)
case("TRC", "a body of 900 m", trc("m"), warned(read_pose, "is its unit really m"), lambda r: True)

# --- scores ---------------------------------------------------------------------------------------
for suffix in (
    *("score", "likelihood", "confidence", "conf", "visibility", "probability", "prob", "c", "p"),
    *("LIKELIHOOD", "Confidence"),
):
    case(
        "scores",
        f"NAME_{suffix}",
        text("a.csv", f"a_x,a_y,a_{suffix}", "1,2,0.5"),
        read_pose,
        lambda read: read.coords == ("x", "y", "score") and read.pose[0, 0, 2] == 0.5,
    )
for title in ("score", "likelihood", "confidence", "conf", "visibility", "probability"):
    case(
        "scores",
        f"{title} in long form",
        text("a.csv", f"frame,landmark,x,y,{title}", "0,a,1,2,0.5"),
        read_pose,
        lambda read: read.coords == ("x", "y", "score") and read.pose[0, 0, 2] == 0.5,
    )
case(
    "scores",
    "a column that nobody knows",
    text("a.csv", "a_x,a_y,a_quality", "1,2,0.5"),
    warned(read_pose, "not read are the columns a_quality"),
    lambda read: read.coords == ("x", "y"),
)
case(
    "scores",
    "the same columns twice",
    text("a.csv", "a_x,a_y,a_x,a_y", "1,2,8,9"),
    read_pose,
    names=("two columns 'a_x'",),
)
case(
    "scores",
    "DeepLabCut",
    text(
        *("a.csv", "scorer,D,D,D,D,D,D", "bodyparts,a,a,a,b,b,b"),
        *("coords,x,y,likelihood,x,y,likelihood", "0,1,2,.9,3,4,.8", "2,5,6,.7,7,8,.6"),
    ),
    reads(frame_rate=10),
    lambda read: (
        read.landmarks == ("a", "b")
        and read.coords == ("x", "y", "score")
        and read.timestamps.tolist() == [0, 0.2]
        and np.allclose(read.pose[1], [[5, 6, 0.7], [7, 8, 0.6]])
    ),
)
MICE = (
    *("scorer,D,D,D,D", "individuals,m1,m1,m2,m2", "bodyparts,a,a,a,a", "coords,x,y,x,y"),
    *("0,1,2,3,4", "1,1,2,3,4"),
)
case(
    "scores",
    "DeepLabCut, two individuals",
    text("a.csv", *MICE),
    read_pose,
    names=("2 individuals, so pass trial=",),
)
case(
    "scores",
    "DeepLabCut, one of two individuals",
    text("a.csv", *MICE),
    reads(trial="m2"),
    equal([[[3, 4]], [[3, 4]]]),
)
case(
    "scores",
    "SLEAP",
    text(
        *("a.csv", "track,frame_idx,instance.score,a.x,a.y,a.score"),
        *(",0,.9,1,2,.5", ",1,.9,3,4,.5"),
    ),
    reads(frame_rate=10),
    lambda read: read.landmarks == ("a",) and near([0, 0.1], times)(read),
)
