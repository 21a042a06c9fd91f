"""Pose files, interval files and manifests: cut, empty, of another kind, in another encoding."""

import numpy as np

from bad_input_cases.case import (
    battery,
    changed,
    closed,
    content,
    cut,
    folder_called,
    hole,
    link,
    nothing,
    pipe,
    rubbish,
    without_rights,
)
from skrehab.datasets import load_manifest
from skrehab.formats import PoseFile, read_intervals, read_pose, write_intervals, write_pose

CASES, case = battery()
N_FRAMES = 12
FLAT = np.random.RandomState(0).rand(N_FRAMES, 17, 3).astype(np.float32)
POSE = PoseFile(FLAT, np.arange(N_FRAMES) / 30, None)
BAD_FILE = (ValueError, OSError)


def utf16(data):
    return data.decode("utf-8", "replace").encode("utf-16")


DAMAGE = {
    "half of it": cut(0.5),
    "95 % of it": cut(0.95),
    "empty": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "random bytes": lambda data: rubbish(0, len(data)),
    "zeros in the middle": hole,
}


# --- poses ----------------------------------------------------------------------------------------
def pose(name, coords, format=None):
    return lambda folder: write_pose(
        folder / name, POSE, landmarks="coco17", coords=coords, format=format
    )


SCORED, SOLID = ("x", "y", "score"), ("x", "y", "z")
for label, make, binary in (
    (".npy", pose("a.npy", SCORED), True),
    (".npz", pose("a.npz", SCORED), True),
    (".parquet", pose("a.parquet", SOLID), True),
    (".json of COCO", pose("a.json", SCORED), False),
    (".trc", pose("a.trc", SOLID), False),
    (".csv, a row a landmark", pose("a.csv", SCORED), False),
    (".csv, a row a frame", pose("a.csv", SOLID, "wide"), False),
):
    case(
        "pose files",
        f"{label}, whole",
        make,
        read_pose,
        lambda read: np.array_equal(read.pose, FLAT),
    )
    for damage, change in DAMAGE.items():
        if label == ".npy" and change is hole:
            continue  # zeros are numbers: no .npy can tell
        # a text that ends between two rows, or in the last number, is a whole shorter text
        if label == ".csv, a row a frame" and damage == "half of it":
            continue
        case("pose files", f"{label}, {damage}", changed(make, change), read_pose)
    if label == ".json of COCO":
        case("pose files", f"{label}, UTF-16", changed(make, utf16), read_pose)
    elif not binary:
        case(
            "pose files",
            f"{label}, UTF-16",
            changed(make, utf16),
            read_pose,
            lambda read: np.array_equal(read.pose, FLAT),
        )
for ending in ("npz", "trc", "csv", "json", "parquet"):
    case("pose files", f"a pipe called .{ending}", pipe(f"p.{ending}"), read_pose)
case("pose files", "nothing there", nothing("a.npz"), read_pose, kind=OSError)
case("pose files", "a link to itself", link("a.npz", "a.npz"), read_pose, kind=OSError)
case("pose files", "a folder called .npz", folder_called("a.npz"), read_pose)
case("pose files", "a name of 304 letters", nothing("x" * 300 + ".npz"), read_pose, kind=OSError)
case(
    "pose files",
    "no permission",
    closed(pose("a.npz", SCORED)),
    without_rights(read_pose),
    kind=OSError,
)
for label, array, why in (
    ("infinite", np.full((3, 33, 3), np.inf), "infinite"),
    ("two axes", np.zeros((3, 33)), "must be numbers of shape"),
    ("no frame", np.zeros((0, 33, 3)), "must be numbers of shape"),
    ("text", np.array([["a"]]), "must be numbers of shape"),
    ("objects", np.array([[[None]]], dtype=object), "cannot be read"),
):
    case(
        "pose files",
        f".npy, {label}",
        lambda f, a=array: np.save(f / "a.npy", a) or f / "a.npy",
        read_pose,
        names=(why,),
    )
for label, times in (
    ("that fall", [0, 2, 1]),
    ("too few", [0, 1]),
    ("NaN", [0, np.nan, 2]),
    ("infinite", [0, 1, np.inf]),
):
    case(
        "pose files",
        f".npz with times {label}",
        lambda f, t=times: (
            np.savez(f / "a.npz", pose=np.zeros((3, 33, 3)), timestamps=t) or f / "a.npz"
        ),
        read_pose,
        names=("its times must be",),
    )
case(
    "pose files",
    "unicode and blanks",
    pose("Übung 映像 🙂.csv", SCORED),
    read_pose,
    lambda read: np.array_equal(read.pose, FLAT),
)


def openpose_folder(text):
    def make(folder):
        clip = write_pose(folder / "clip", POSE, landmarks="coco17", coords=SCORED)
        sorted(clip.iterdir())[4].write_text(text)
        return clip

    return make


for label, text in (("cut", '{"people": ['), ("empty", ""), ("a list", "[1]")):
    case(
        "pose files",
        f"OpenPose, one file {label}",
        openpose_folder(text),
        read_pose,
        names=("000000000004",),
    )

# --- intervals ------------------------------------------------------------------------------------
ROWS = [(0.5, 2.0, "lean"), (3.0, 4.0, "twist"), (5.0, 6.0, "lean")]


def intervals(name, **options):
    return lambda folder: write_intervals(folder / name, ROWS, **options)


def read_rows(path):
    return read_intervals(path, frame_rate=30 if path.suffix == ".xml" else None)


for name, options in (
    ("a.csv", {}),
    ("a.eaf", {}),
    ("a.tsv", {}),
    ("a.xml", {"frame_rate": 30, "size": (640, 480)}),
):
    made = intervals(name, **options)
    case(
        "interval files",
        f"{name[1:]}, whole",
        made,
        read_rows,
        lambda rows: (
            [row[2] for row in rows] == ["lean", "twist", "lean"]
            and np.allclose([row[:2] for row in rows], [row[:2] for row in ROWS], atol=0.04)
        ),
    )
    for damage, change in DAMAGE.items():
        if name == "a.csv" and change is not hole and damage[0] in "h9":
            continue  # three columns of text: a shorter one, or a shorter word, is as good
        case("interval files", f"{name[1:]}, {damage}", changed(made, change), read_rows)
    case("interval files", f"a pipe called {name[1:]}", pipe(name), read_rows)
for label, text, why in (
    ("stop before start", "2,1,lean", "is no interval"),
    ("negative", "-1,1,lean", "is no interval"),
    ("infinite", "1,inf,lean", "is no interval"),
    ("NaN", "nan,1,lean", "is no interval"),
    ("no number", "one,2,lean", "'one' is not a number"),
):
    case(
        "interval files",
        f".csv, {label}",
        content("a.csv", f"start,stop,label\n0,1,lean\n{text}\n".encode()),
        read_rows,
        names=("row 3", why),
    )
case("interval files", "nothing there", nothing("a.csv"), read_rows, kind=OSError)
case("interval files", "a folder", folder_called("a.csv"), read_rows, kind=BAD_FILE)

# --- manifests ------------------------------------------------------------------------------------
HEAD = "trial,path,patient,exercise,side,label\n"
ROW = "t1,äöü 1.npy,P1,reach,left,0\n"


def manifest(rows, encoding="utf-8", head=HEAD):
    """Write a manifest beside some pose files, good and bad."""

    def make(folder):
        good = np.random.RandomState(0).randn(9, 33, 3)
        for i, name in enumerate(("äöü 1", "a", "b")):
            np.save(folder / f"{name}.npy", good + i)
        np.save(folder / "infinite.npy", np.full((3, 33, 3), np.inf))
        (folder / "torn.npy").write_bytes((folder / "a.npy").read_bytes()[:1000])
        (folder / "no.mp4").mkdir()
        (folder / "trials.csv").write_bytes((head + rows).encode(encoding))
        return folder / "trials.csv"

    return make


for label, made in (
    ("unicode and blanks", manifest(ROW)),
    ("a byte order mark", manifest(ROW, "utf-8-sig")),
    ("semicolons", manifest(ROW.replace(",", ";"), head=HEAD.replace(",", ";"))),
    ("no last line break", manifest(ROW[:-1])),
    ("UTF-16", manifest(ROW, "utf-16")),
    ("Windows line ends", manifest(ROW.replace("\n", "\r\n"), head=HEAD.replace("\n", "\r\n"))),
    ("blank lines", manifest("\n\n" + ROW + "\n")),
):
    case(
        "manifests",
        label,
        made,
        load_manifest,
        lambda data: [x.shape for x in data.X] == [(9, 33, 3)] and data.groups.tolist() == ["P1"],
    )
for label, made, why in (
    ("no row", manifest(""), "no trial"),
    ("nothing", manifest("", head=""), "empty"),
    ("a file that is not there", manifest("t1,gone.npy,P1,reach,left,0\n"), "gone.npy"),
    ("a torn file", manifest("t1,torn.npy,P1,reach,left,0\n"), "torn.npy"),
    ("infinite numbers", manifest("t1,infinite.npy,P1,reach,left,0\n"), "infinite.npy"),
    ("a folder called mp4", manifest("t1,no.mp4,P1,reach,left,0\n"), "no.mp4"),
    (
        "a word among numbers",
        manifest(ROW + "t2,a.npy,P1,reach,left,x\nt3,b.npy,P2,,,1\n"),
        "row 3",
    ),
    ("no label", manifest(ROW + "t2,a.npy,P1,reach,left,\n"), "row 3"),
    ("no patient", manifest(ROW + "t2,a.npy,,reach,left,1\n"), "row 3"),
    ("one file twice", manifest(ROW + ROW.replace("t1", "t2")), "row 3"),
    ("a trial twice", manifest(ROW + "t1,a.npy,P1,reach,left,0\n"), "row 3"),
    ("a column missing", manifest("t1,a.npy\n", head="trial,path\n"), "patient"),
    ("a row too short", manifest("t1,äöü 1.npy\n"), "row 2"),
    ("a row too long", manifest(ROW[:-1] + ",9,9\n"), "row 2"),
    ("UTF-16 without its mark", manifest(ROW, "utf-16-le"), "UTF-8"),
    ("random bytes", content("trials.csv", rubbish()), "UTF-8"),
    ("a pipe", pipe("trials.csv"), "a pipe"),
):
    case("manifests", label, made, load_manifest, names=(why,))
case("manifests", "nothing there", nothing("trials.csv"), load_manifest, kind=OSError)
case("manifests", "a folder", folder_called("trials.csv"), load_manifest, kind=BAD_FILE)
