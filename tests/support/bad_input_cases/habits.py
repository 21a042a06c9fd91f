"""What people do to lists, tables, arrays and films in good faith; most once passed in silence."""

import numpy as np
from media import noise, write_video

from bad_input_cases.case import battery, changed, warned
from bad_input_cases.manifests import groups, loads, manifest, two, workbook
from bad_input_cases.videos import frames_of, n_frames, refused
from skrehab.datasets import load_manifest
from skrehab.datasets.label_sheet import make_label_sheet
from skrehab.formats import read_pose
from skrehab.skeletons import get_skeleton

CASES, case = battery()

# --- patients -------------------------------------------------------------------------------------
for label, (one, other) in {
    "a dash": ("P1", "P-01"),
    "an underscore": ("P_2", "p02"),
    "a point": ("P.3", "P3"),
    "a long dash": ("P\u20134", "P4"),
    "a Cyrillic letter": ("\u042001", "P01"),
    "a Greek letter": ("\u0391nna", "Anna"),
}.items():
    where = ("row 3, column patient", "in row 2")
    case("habits", f"{label}: refused", two(one, other), load_manifest, names=where)
    case("habits", f"{label}: told", two(one, other), loads(alike="same"), groups(one, one))
for one, other in (("S1-2", "S12"), ("1.5", "15"), ("1_1", "11"), ("A-", "A")):
    case("habits", f"{one} is not {other}", two(one, other), load_manifest, groups(one, other))
for cell in ("?", "-", "unknown", "Unbekannt", "..."):
    case(
        "habits",
        f"patient {cell}",
        two("P1", cell),
        load_manifest,
        names=("row 3, column patient", "names nobody"),
    )
case(
    "habits",
    "a number that a spreadsheet has rounded",
    two("20240110001", "2.02401E+10"),
    load_manifest,
    names=("row 3, column patient", "has rounded"),
)
case(
    "habits",
    "an exercise in two spellings",
    manifest(["a.npy,P1,1,brush_hair", "b.npy,P2,0,Brush hair"], "path,patient,label,exercise"),
    load_manifest,
    names=("row 3, column exercise", "in row 2"),
)


# --- labels ---------------------------------------------------------------------------------------
def labels(*cells):
    return manifest([f"{'abcdefgh'[i]}.npy,P{i},{cell}" for i, cell in enumerate(cells)])


def are(*expected):
    return lambda data: data.y.tolist() == list(expected)


for cell in ("?", "???", "unknown", "tbd", "-", "\u2014"):
    case(
        "habits",
        f"label {cell}",
        labels("lean", "usual", cell),
        load_manifest,
        names=("row 4, column label", "nothing is known"),
    )
case("habits", "plus and minus are two labels", labels("+", "-"), load_manifest, are("+", "-"))
for one, other in (("yes", "y"), ("ja", "yes"), ("n", "no"), ("TRUE", "yes")):
    case(
        "habits",
        f"labels {one} and {other}",
        labels(one, other, "x"),
        load_manifest,
        names=("row 3, column label", f"means what {one!r} in row 2 does"),
    )
case("habits", "yes and no", labels("yes", "no"), load_manifest, are("yes", "no"))
case(
    "habits",
    "yes and y, told to be two",
    labels("yes", "y"),
    loads(alike="different"),
    are("yes", "y"),
)
case(
    "habits",
    "a label with an underscore and a blank",
    labels("trunk_lean", "trunk lean"),
    load_manifest,
    names=("row 3, column label", "in row 2"),
)


def labelled_again(path):
    """The list of poses, made again after somebody wrote paths as Windows does."""
    poses = [path.parent / "sub" / f"{name}.npy" for name in "ab"]
    return [row["trial"] for row in make_label_sheet(path, poses, poses).rows]


def in_a_folder(folder):
    (folder / "sub").mkdir()
    for name in "ab":
        np.save(folder / "sub" / f"{name}.npy", np.zeros((4, 33, 3)))


case(
    "habits",
    "a list made again, with backslashes",
    manifest(["a,sub\\a.npy,P1,1"], "trial,path,patient,label", more=in_a_folder),
    labelled_again,
    lambda trials: trials == ["a", "b"],
)

# --- workbooks ------------------------------------------------------------------------------------
TITLES = ["path", "patient", "exercise", "label"]
BOOK = [TITLES, ["a.npy", "P1", "reach", 1], ["b.npy", None, None, 0], ["c.npy", "P2", None, 1]]


def laid_out(change, rows=BOOK):
    """A workbook, and what its owner did to how it looks."""

    def make(folder):
        import openpyxl

        path = workbook(rows)(folder)
        book = openpyxl.load_workbook(path)
        change(book.active)
        book.save(path)
        return path

    return make


def merge(sheet):
    sheet.merge_cells("B2:B3")
    sheet.merge_cells("C2:C4")


def hide(sheet):
    sheet.row_dimensions[3].hidden = True


def heading(sheet):
    sheet.insert_rows(1)
    sheet["A1"] = "Study of 2024"


def as_seen(data):
    whose = data.groups.tolist() == ["P1", "P1", "P2"]
    return whose and data.exercise.tolist() == ["reach"] * 3 and data.y.tolist() == [1, 0, 1]


WHOLE = [TITLES, *([f"{name}.npy", f"P{i}", "reach", i % 2] for i, name in enumerate("abc"))]
case("habits", "merged cells", laid_out(merge), load_manifest, as_seen)
case(
    "habits",
    "a title over two rows",
    laid_out(lambda sheet: sheet.merge_cells("A1:A2"), [TITLES, [None] * 4, *WHOLE[1:]]),
    load_manifest,
    groups("P0", "P1", "P2"),
)
case(
    "habits",
    "a heading above the titles",
    laid_out(heading, WHOLE),
    load_manifest,
    names=("'Study of 2024'", "titles must come first"),
)
case(
    "habits",
    "a hidden row is said",
    laid_out(hide, WHOLE),
    warned(load_manifest, "hidden in the sheet are read like the others: 3"),
    groups("P0", "P1", "P2"),
)


# --- pose files -----------------------------------------------------------------------------------
NAMES = get_skeleton("mediapipe33").landmarks
POSE = np.random.RandomState(0).randn(20, 33, 3).astype(np.float32)


def npz(**arrays):
    def make(folder):
        np.savez(folder / "a.npz", **arrays)
        return folder / "a.npz"

    return make


def same_pose(found):
    return np.array_equal(found.pose, POSE)


def at(*times):
    return lambda found: same_pose(found) and np.allclose(found.timestamps[: len(times)], times)


for label, array in {
    "time last": np.moveaxis(POSE, 0, -1),
    "coordinates first": np.moveaxis(POSE, -1, 0),
}.items():
    case("habits", f".npz, {label}", npz(pose=array), read_pose, names=("no coordinates",))
SECONDS = np.arange(20) / 25
for name, times in {
    "times": SECONDS,
    "time": SECONDS,
    "time_ms": SECONDS * 1000,
    "timestamps_us": SECONDS * 1e6,
}.items():
    case("habits", f".npz, {name}", npz(pose=POSE, **{name: times}), read_pose, at(0, 0.04, 0.08))
case(
    "habits",
    ".npz, two clocks",
    npz(pose=POSE, time=SECONDS, time_ms=SECONDS),
    read_pose,
    names=("time or time_ms",),
)
for label, times in {
    "complex times": SECONDS + 1j,
    "times that are yes and no": SECONDS > 0,
    "times in words": SECONDS.astype(str),
}.items():
    case("habits", f".npz, {label}", npz(pose=POSE, timestamps=times), read_pose, names=("times",))
case(
    "habits",
    ".npz, names in bytes",
    npz(pose=POSE, landmarks=np.array(NAMES, dtype="S")),
    read_pose,
    lambda found: found.landmarks == NAMES and same_pose(found),
)
for label, names in {
    "too few names": NAMES[:32],
    "a name twice": [*NAMES[:32], NAMES[0]],
    "names in two rows": [NAMES, NAMES],
    "numbers for names": range(33),
}.items():
    case("habits", f".npz, {label}", npz(pose=POSE, landmarks=names), read_pose)
for label, coords in {
    "coords in another order": ["z", "y", "x"],
    "too few coords": ["x", "y"],
    "coords of other names": ["a", "b", "c"],
}.items():
    case("habits", f".npz, {label}", npz(pose=POSE, coords=coords), read_pose, names=("coords",))
case(
    "habits",
    ".npz, coords in capitals",
    npz(pose=POSE, coords=["X", "Y", "Z"]),
    read_pose,
    lambda found: found.coords == ("x", "y", "z") and same_pose(found),
)


def with_point(value, coords=None):
    """A pose in which a landmark was lost in frame 3, and somebody wrote a number for that."""
    pose = POSE[..., :2] + 500 if coords else POSE.copy()
    pose[3, 5] = value
    return npz(pose=pose, **({"coords": coords} if coords else {}))


def only_lost(found):
    lost = np.isnan(found.pose).all(axis=-1)
    return lost[3, 5] and lost.sum() == 1


for value in (-9999, 999, -99, 1e20, -1e30):
    case("habits", f"{value:g} for a lost place", with_point(value), read_pose, only_lost)
case("habits", "-999 in a picture", with_point(-999, ["x", "y"]), read_pose, only_lost)
case(
    "habits",
    "999 in a picture is a place",
    with_point(999, ["x", "y"]),
    read_pose,
    lambda found: not np.isnan(found.pose).any(),
)


case(
    "habits",
    "a body a thousand kilometres from zero",
    npz(pose=POSE.astype(float) * [0.3, 0.9, 0.3] + [0, 0, 1e6]),
    read_pose,
    names=("subtract", "axis 2"),
)
case("habits", "a body 100 m from zero", npz(pose=POSE + 100.0), read_pose, bool)
case("habits", "a body of 1e9 nm", npz(pose=POSE * 1e9 + 1e9), read_pose, bool)


def framed(interval):
    """A trial of 20 frames, 25 a second, labelled on frames."""

    def make(folder):
        np.savez(folder / "a.npz", pose=POSE, timestamps=SECONDS)
        np.savez(folder / "b.npz", pose=POSE + 1, timestamps=SECONDS)
        (folder / "iv.csv").write_text(f"start,stop,label\n{interval}\n")
        (folder / "trials.csv").write_text(
            "path,patient,label,frame_labels\na.npz,P1,1,iv.csv\nb.npz,P2,0,\n"
        )
        return folder / "trials.csv"

    return make


def labelled(*expected):
    return lambda data: data.frame_labels[0].tolist() == [value for value in expected]


case(
    "habits",
    "an interval that ends long after the film",
    framed("0.4,90,1"),
    warned(load_manifest, "ends 89.2 s after the last frame"),
    labelled(*[0] * 10, *[1] * 10),
)
case(
    "habits",
    "a frame label that no trial has",
    framed("0.4,0.6,7"),
    warned(load_manifest, "frames are labelled 7 (row 2), as no trial is"),
    labelled(*[0] * 10, *[7] * 5, *[0] * 5),
)


# --- landmarks by name ----------------------------------------------------------------------------
def by_name(names, order, ending=".npz"):
    """A manifest of two poses whose landmarks stand in another order, and are called so."""

    def make(folder):
        rows = []
        for i in range(2):
            pose = (POSE + i)[:, order]
            if ending == ".npz":
                np.savez(folder / f"{i}.npz", pose=pose, landmarks=[names[k] for k in order])
            else:
                titles = ",".join(f"{names[k]}_{axis}" for k in order for axis in "xyz")
                table = [",".join(map(repr, frame.ravel().tolist())) for frame in pose]
                (folder / f"{i}.csv").write_text("\n".join([titles, *table, ""]))
            rows.append(f"{i}{ending},P{i},{i}")
        (folder / "trials.csv").write_text("\n".join(["path,patient,label", *rows, ""]))
        return folder / "trials.csv"

    return make


def in_order(data):
    right = [np.array_equal(trial, POSE + i) for i, trial in enumerate(data.X)]
    return all(right) and data.landmarks == NAMES and data.skeleton == "mediapipe33"


ALPHABET = sorted(range(33), key=NAMES.__getitem__)
for label, names in {
    "": NAMES,
    ", in capitals": [name.upper() for name in NAMES],
    ", in camel case": [name.title().replace("_", "") for name in NAMES],
}.items():
    for ending in (".npz", ".csv"):
        case(
            "habits",
            f"landmarks by the alphabet{label}, {ending}",
            by_name(names, ALPHABET, ending),
            load_manifest,
            in_order,
        )
for first in (0, 1):
    case(
        "habits",
        f"landmarks by number from {first}, sorted as words",
        by_name([str(i) for i in range(first, 33 + first)], sorted(range(33), key=str)),
        load_manifest,
        lambda data: all(np.array_equal(trial, POSE + i) for i, trial in enumerate(data.X)),
    )
OWN = [f"marker{i}" for i in range(33)]
case(
    "habits",
    "landmarks that no skeleton has stay",
    by_name(OWN, range(33)),
    load_manifest,
    lambda data: data.skeleton is None and data.landmarks == tuple(OWN),
)


# --- videos ---------------------------------------------------------------------------------------
def film(name, **options):
    return lambda folder: write_video(folder / name, noise(16), **options)


def cut_inside(share):
    """Keep a part, but not whole packets of 188 bytes: nothing tells that from a film's end."""
    return lambda data: data[: int(share * len(data)) // 188 * 188 + 50]


for name, options in {
    "a.ts": {},
    "a.avi": {"codec": "mpeg4"},
    "a.flv": {},
}.items():
    case("habits", f"a whole {name}", film(name, **options), frames_of, n_frames(16))
    for share in (0.4, 0.7, 0.95):
        half = changed(film(name, **options), cut_inside(share))
        refused("habits", f"{share:.0%} of {name}", half, "cut short")
case(
    "habits",
    "two MP4 files put end to end",
    changed(film("a.mp4"), lambda data: data + data),
    warned(frames_of, "a second video was put behind the first"),
    n_frames(16),
)
