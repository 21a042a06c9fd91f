"""Manifests as people keep them: one person in two spellings, workbooks, files of many trials."""

import numpy as np

from bad_input_cases.case import battery, warned
from skrehab.datasets import load_manifest

CASES, case = battery()
HEAD = "path,patient,label"


def manifest(rows, head=HEAD, encoding="utf-8", more=None, name="trials.csv", lengths=(30, 31, 32)):
    """Write a manifest beside three pose files a, b, c."""

    def make(folder):
        rng = np.random.RandomState(0)
        for file, n in zip("abcdefgh", (*lengths, *[33] * 5)):
            np.save(folder / f"{file}.npy", rng.randn(n, 33, 3))
        if more:
            more(folder)
        (folder / name).write_bytes("\n".join([head, *rows, ""]).encode(encoding))
        return folder / name

    return make


def loads(**options):
    return lambda path: load_manifest(path, **options)


def groups(*expected):
    return lambda data: data.groups.tolist() == list(expected)


def two(first, second):
    return manifest([f"a.npy,{first},1", f"b.npy,{second},0"])


# --- the same person ------------------------------------------------------------------------------
SAME = {
    "composed and decomposed": ("Jose\u0301", "Jos\u00e9"),
    "a fixed blank": ("P 01", "P\u00a001"),
    "a thin blank": ("P 01", "P\u200901"),
    "two blanks": ("P 01", "P  01"),
    "outer blanks": ("P01", " P01\u3000"),
    "a zero-width blank": ("P01", "P01\u200b"),
    "a byte order mark inside": ("P01", "\ufeffP01"),
    "a mark of direction": ("P01", "\u200eP01"),
    "a soft hyphen": ("P01", "P\u00ad01"),
}
ALIKE = {
    "case": ("P01", "p01"),
    "case of another alphabet": ("Ζωή", "ζωή"),
    "sharp s": ("Weiß", "WEISS"),
    "leading zeros": ("001", "1"),
    "leading zeros after a letter": ("P01", "P1"),
    "an inner blank": ("P01", "P 01"),
    "wide digits": ("P01", "P\uff10\uff11"),
    "a decimal point that a table has made": ("1", "1.0"),
    "a joiner": ("P01", "P\u200d01"),
}
OTHER = {
    "other numbers": ("P01", "P10"),
    "zeros at the end": ("P1", "P10"),
    "an accent": ("Jose", "Jos\u00e9"),
    "a hyphen": ("1-1", "11"),
    "zeros inside": ("P101", "P11"),
}
for label, (one, other) in SAME.items():
    shown = " ".join(one.replace("Jose\u0301", "Jos\u00e9").split())
    case(
        "one person twice", f"{label}: is one", two(one, other), load_manifest, groups(shown, shown)
    )
for label, (one, other) in ALIKE.items():
    case(
        "one person twice",
        f"{label}: refused",
        two(one, other),
        load_manifest,
        names=("row 3, column patient", "in row 2"),
    )
    case(
        "one person twice",
        f"{label}: told to be one",
        two(one, other),
        loads(alike="same"),
        groups(one, one),
    )
    case(
        "one person twice",
        f"{label}: told to be two",
        two(one, other),
        loads(alike="different"),
        lambda data: len(set(data.groups.tolist())) == 2,
    )
for label, (one, other) in OTHER.items():
    case(
        "one person twice", f"{label}: are two", two(one, other), load_manifest, groups(one, other)
    )
for cell in ("#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#BEZUG!", "nan"):
    case(
        "one person twice",
        f"{cell} is nobody",
        two("P1", cell),
        load_manifest,
        names=("row 3, column patient",),
    )


# --- labels ---------------------------------------------------------------------------------------
def labels(*cells):
    return manifest([f"{'abcdefgh'[i]}.npy,P{i},{cell}" for i, cell in enumerate(cells)])


for label, cells in (
    ("case", ("normal", "Normal")),
    ("a blank", ("lean left", "leanleft")),
    ("leading zeros", ("grade 1", "grade 01")),
):
    case(
        "labels",
        f"words, {label}: refused",
        labels(*cells),
        load_manifest,
        names=("row 3, column label", "in row 2"),
    )
    case(
        "labels",
        f"words, {label}: told to be one",
        labels(*cells),
        loads(alike="same"),
        lambda data: len(set(data.y.tolist())) == 1,
    )
for cell in ("#N/A", "N/A", "NA", "nan", "<NA>", "#NV", "null"):
    for others in (("normal", "lean"), ("0", "1")):
        case(
            "labels",
            f"{cell} among {others[0]}, {others[1]}",
            labels(*others, cell),
            load_manifest,
            names=("row 4, column label",),
        )
case(
    "labels",
    "composed and decomposed",
    labels("Jose\u0301", "Jos\u00e9"),
    load_manifest,
    lambda data: data.y.tolist() == ["Jos\u00e9"] * 2,
)
case(
    "labels",
    "1, 01 and 1.0",
    labels("1", "01", "1.0"),
    load_manifest,
    lambda data: data.y.tolist() == [1, 1, 1],
)
case(
    "labels",
    "numbers far apart",
    labels("12", "45", "61"),
    warned(load_manifest, "If they are scores"),
    lambda data: True,
)
case(
    "labels",
    "as many numbers as rows",
    labels(*"01234567"),
    warned(load_manifest, "If they are scores"),
    lambda data: True,
)
case(
    "labels",
    "a decimal point",
    labels("0.5", "1", "1"),
    load_manifest,
    names=("row 2, column label", "scores have their own column"),
)
case(
    "labels",
    "a decimal comma",
    manifest(["a.npy;P1;0,5", "b.npy;P2;1", "c.npy;P3;1"], "path;patient;label"),
    load_manifest,
    names=("row 2, column label", "scores have their own column"),
)


# --- the same recording ---------------------------------------------------------------------------
def copies(folder):
    (folder / "copy.npy").write_bytes((folder / "a.npy").read_bytes())
    (folder / "films").mkdir()
    for name in ("one.mp4", "two.mp4", "three.mp4"):
        (folder / "films" / name).write_bytes(b"0123" if name != "three.mp4" else b"4567")
    (folder / "link.npy").symlink_to(folder / "a.npy")


for label, rows, why in (
    ("a copy", ["a.npy,P1,1", "copy.npy,P2,0"], "the same recording as a.npy in row 2"),
    ("a copy of a video", ["films/one.mp4,P1,1", "films/two.mp4,P2,0"], "the same recording as"),
    ("a link", ["a.npy,P1,1", "link.npy,P2,0"], "the same as in row 2"),
    ("another way to it", ["a.npy,P1,1", "./films/../a.npy,P2,0"], "the same as in row 2"),
):
    case(
        "one recording twice",
        label,
        manifest(rows, more=copies),
        load_manifest,
        names=("row 3, column path", why),
    )
case(
    "one recording twice",
    "told to be taken",
    manifest(["a.npy,P1,1", "copy.npy,P2,0"], more=copies),
    loads(alike="different"),
    groups("P1", "P2"),
)
case(
    "one recording twice",
    "videos as long as another",
    manifest(["films/one.mp4,P1,1", "films/three.mp4,P2,0"], more=copies),
    load_manifest,
    groups("P1", "P2"),
)


# --- tables ---------------------------------------------------------------------------------------
def workbook(rows, sheets=1, name="trials.xlsx"):
    def make(folder):
        import openpyxl

        manifest([])(folder)
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        for _ in range(sheets - 1):
            book.create_sheet("notes").append(["call", "Anna"])
        book.save(folder / name)
        return folder / name

    return make


TITLES = ["path", "patient", "label", "score"]
BOOK = [TITLES, ["a.npy", "001", 1, 2.5], ["b.npy", 2, 0, None], [None] * 4, ["c.npy", 3, 1, 7]]


def is_book(data):
    right = data.groups.tolist() == ["001", "2", "3"] and data.y.tolist() == [1, 0, 1]
    return right and np.array_equal(data.score, [2.5, np.nan, 7], equal_nan=True)


case("tables", "a workbook as manifest", workbook(BOOK), load_manifest, is_book)
case(
    "tables",
    "a workbook of two sheets",
    workbook(BOOK, 2),
    warned(load_manifest, "2 sheets"),
    is_book,
)
case(
    "tables",
    "a workbook called CSV as manifest",
    workbook(BOOK, name="trials.csv"),
    load_manifest,
    names=("Excel workbook", ".xlsx"),
)
case(
    "tables",
    "a row of a workbook without a patient",
    workbook([*BOOK, ["d.npy", None, 1, 1]]),
    load_manifest,
    names=("row 6, column patient: is empty",),
)
ROWS = ["a.npy,P1,1,3.5", "b.npy,P2,0,2"]
for label, head, rows, encoding in (
    (
        "UTF-16 with tabs",
        "path\tpatient\tlabel\tscore",
        [r.replace(",", "\t") for r in ROWS],
        "utf-16",
    ),
    (
        "sep=;",
        "sep=;\npath;patient;label;score",
        [r.replace(",", ";").replace(".5", ",5") for r in ROWS],
        "utf-8",
    ),
    ("sep=, and a byte order mark", f"sep=,\n{HEAD},score", ROWS, "utf-8-sig"),
    (
        "quoted cells",
        '"path","patient","label","score"',
        ['"' + r.replace(",", '","') + '"' for r in ROWS],
        "utf-8",
    ),
):
    case(
        "tables",
        f"a manifest, {label}",
        manifest(rows, head, encoding),
        load_manifest,
        lambda data: data.score.tolist() == [3.5, 2] and data.groups.tolist() == ["P1", "P2"],
    )
for label, rows, why in (
    ("an open quotation mark", ['a.npy,P1,1,"left', "b.npy,P2,0,ok"], "row 2"),
    ("marks that meet", ['a.npy,P1,1,"left', 'b.npy,P2,0,ok"', "c.npy,P3,1,ok"], "row 2"),
    ("a decimal comma", ["a.npy,P1,1,3,5"], "decimal comma"),
):
    case(
        "tables",
        f"a manifest, {label}",
        manifest(rows, HEAD + ",score"),
        load_manifest,
        names=(why,),
    )
