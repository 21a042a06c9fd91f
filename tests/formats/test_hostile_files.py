"""Text files that mean harm, or are merely odd: clear errors that name the place, in bounds."""

import json
import sys
import tracemalloc

import numpy as np
import pytest

from skrehab.datasets import intervals_to_frames, load_manifest
from skrehab.formats import (
    PoseFile,
    _bounds,
    _xml,
    read_intervals,
    read_long_table,
    read_pose,
    write_intervals,
    write_long_table,
    write_pose,
)
from skrehab.formats._names import bare, composed

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)

LONG = "a" * (_bounds.MAX_CELL + 1)
LONG_FRAME = "frame,landmark,x,y\n"


def said(call, file, **options):
    """What a reader says of a file: a ValueError that names it, short enough to be read."""
    with pytest.raises(ValueError) as info:
        call(file, **options)
    text = str(info.value)
    assert text.startswith(str(file)) and len(text) < len(str(file)) + 400
    return text


# --- tables ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name, text, place",
    [
        ("a.csv", f"start,stop,label\n0,1,a\n1,2,{LONG}\n", "row 3"),
        ("a.txt", f"Tier\tBegin Time - msec\tEnd Time - msec\tx\na\t0\t9\t{LONG}\n", "row 2"),
        ("b.csv", f"Behavior,Start (s),Stop (s)\n{LONG},1,2\n", "row 2"),
    ],
)
def test_long_cells_of_intervals(tmp_path, name, text, place):
    (tmp_path / name).write_text(text)
    message = said(read_intervals, tmp_path / name)
    assert place in message and "a cell has more than 131,072 characters" in message


@pytest.mark.parametrize(
    "name, text, place",
    [
        ("a.csv", f"{LONG_FRAME}0,a,1,2\n0,{LONG},1,2\n", "row 3"),
        ("wide.csv", f"a_x,a_y\n1,2\n1,{LONG}\n", "row 3"),
        ("a.trc", f"PathFileType\n\n\n{LONG}\n", "row 4"),
    ],
)
def test_long_cells_of_poses(tmp_path, name, text, place):
    (tmp_path / name).write_text(text)
    message = said(read_pose, tmp_path / name)
    assert place in message and "a cell has more than 131,072 characters" in message


def test_long_cells_of_manifests(tmp_path):
    (tmp_path / "a.csv").write_text(f"path,patient,label\na.npy,P1,{LONG}\n")
    assert "row 2: a cell has more than" in said(load_manifest, tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text(f"path,patient,label\na.npy,P1,{'b' * 1001}\n")
    message = said(load_manifest, tmp_path / "a.csv")
    assert "row 2, column label" in message and "more than 1,000 characters" in message


def test_one_long_name_does_not_multiply(tmp_path):
    """An array of text would take 4 MB for each of these rows."""
    rows = "".join(f"{i},a,1,2,t\n" for i in range(2000))
    (tmp_path / "a.csv").write_text(f"frame,landmark,x,y,trial\n{rows}0,a,1,2,{'t' * 100_000}\n")
    tracemalloc.start()
    try:
        message = said(read_long_table, tmp_path / "a.csv")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "column trial" in message and peak < 2e7


def test_few_cells_cannot_ask_for_much(tmp_path, monkeypatch):
    n = 6000  # as many frames as landmarks: 36 million points of 300 kB
    rows = "".join(f"{i},l{i},1,2\n" for i in range(n))
    (tmp_path / "a.csv").write_text(LONG_FRAME + rows)
    assert "6,000 frames of 6,000 landmarks" in said(read_pose, tmp_path / "a.csv", frame_rate=1)
    header = ",".join(f"l{i}_x,l{i}_y" for i in range(n))
    (tmp_path / "wide.csv").write_text(f"{header}\n" + "1\n" * n)
    assert "more than 32,000,000 cells" in said(read_pose, tmp_path / "wide.csv")
    monkeypatch.setattr(_bounds, "MAX_CELLS", 100)
    monkeypatch.setattr(_bounds, "MAX_TEXT_BYTES", 10)
    assert "too large for a text file: " in said(read_pose, tmp_path / "a.csv")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_breaks_of_every_system(tmp_path, end):
    text = f'start,stop,label{end}0,1,"a{end}b"{end}1,2,c{end}'
    (tmp_path / "a.csv").write_bytes(text.encode())
    assert read_intervals(tmp_path / "a.csv") == [(0, 1, f"a{end}b"), (1, 2, "c")]
    text = f"#x{end}Tier\tBegin Time - msec\tEnd Time - msec\tlabel{end}a\t0\t1000\tc{end}"
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert read_intervals(tmp_path / "a.txt") == [(0, 1, "c")]


# --- formulas -------------------------------------------------------------------------------------
DANGEROUS = ["=1+1", "+1+cmd", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''+a", " =1", "\uff1d1"]
words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    st.builds("{}{}".format, st.sampled_from(DANGEROUS), st.text("ab;,\"'\n\r\t=", max_size=5)),
)
# unseen characters are no part of a name
texts = words.map(str.strip).filter(lambda text: composed(bare(text)))


def is_formula(cell):
    """Whether a spreadsheet might compute a cell."""
    try:
        float(cell)
    except ValueError:
        return cell.lstrip("\ufeff\u200b \x0b\x0c\xa0")[:1] in tuple("=+-@\t\r\n\uff1d\uff0b\uff0d")
    return False


@pytest.mark.parametrize("name, how", [("a.csv", "csv"), ("a.tsv", "elan"), ("b.tsv", "boris")])
@quick
@given(label=texts, tier=texts)
@example(label="-1.5e3", tier="a").via("a number stays one")
@example(label="'", tier="'").via("an apostrophe alone")
def test_labels_come_back_and_are_no_formulas(tmp_path_factory, name, how, label, tier):
    import csv

    if how == "elan":
        tier = " ".join(tier.split()).lstrip("#\"'=+-@") or "a"
        hypothesis.assume(not label.startswith("#"))
    file = tmp_path_factory.mktemp("words") / name
    options = {} if how == "csv" else {"tier": tier}
    write_intervals(file, [(0, 1, label), (2, 3, "z")], format=how, **options)
    back = read_intervals(file, format=how, as_numbers=False)
    assert back == [(0.0, 1.0, composed(label)), (2.0, 3.0, "z")]
    with open(file, encoding="utf-8", newline="") as text:
        rows = list(csv.reader(text, delimiter="\t" if name.endswith("tsv") else ","))
    assert not [cell for row in rows for cell in row if is_formula(cell)]


@quick
@given(trial=texts, name=texts)
def test_names_of_poses_come_back(tmp_path_factory, trial, name):
    folder = tmp_path_factory.mktemp("names")
    pose = PoseFile(np.float32([[[-1.5, 2, -3e-7]]]), None, (name,), ("x", "y", "z"))
    file = write_long_table(folder / "a.csv", {trial: pose})
    (back,) = read_long_table(file).items()
    assert back[0] == composed(trial) and back[1].landmarks == (composed(name),)
    np.testing.assert_array_equal(back[1].pose, pose.pose)
    assert file.read_text(encoding="utf-8").rstrip().endswith(",-1.5,2.0,-3e-07")  # still numbers
    write_pose(folder / "wide.csv", pose, format="wide")
    assert read_pose(folder / "wide.csv", format="wide").landmarks == (composed(name),)


def test_what_no_table_holds_leaves_the_old_file(tmp_path):
    file = write_intervals(tmp_path / "a.csv", [(0, 1, "good")])
    for label in ("a\0b", "\ud800"):
        with pytest.raises(ValueError, match=r"a\.csv"):
            write_intervals(file, [(0, 1, "new"), (1, 2, label)], overwrite=True)
        assert read_intervals(file) == [(0, 1, "good")]
        assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


# --- JSON -----------------------------------------------------------------------------------------
ONE = {"image_id": 1, "keypoints": [1, 2, 1]}
WRONG_JSON = {
    "huge": ('[{"keypoints": [1e999, 2, 1]}]', "infinite"),
    "digits": (f'[{{"keypoints": [{"9" * 5000}, 2, 1]}}]', "of 5,000 digits"),
    "whole": (f'[{{"keypoints": [{"9" * 300}, 2, 1]}}]', "infinite|numbers"),
    "deep": ('[{"keypoints": ' + "[" * 500 + "]" * 500 + "}]", "not JSON.*nested more than 100"),
    "id-list": (
        json.dumps({"images": [{"id": 1}], "annotations": [ONE | {"image_id": [1]}]}),
        r"annotations\[0\] belongs to no image",
    ),
    "id-true": (json.dumps({"images": [{"id": True}], "annotations": []}), r"images\[0\]"),
    "categories": (
        json.dumps({"images": [{"id": 1}], "annotations": [ONE], "categories": 5}),
        "'categories' must be a list, got the number 5",
    ),
    "names": (
        json.dumps({"images": [{"id": 1}], "annotations": [ONE], "categories": [{"keypoints": 5}]}),
        "'keypoints' of a category must be names",
    ),
    "points": ('[{"image_id": 1, "keypoints": {"x": 1}}]', "entry 0: 'keypoints' must be numbers"),
    "scores": (json.dumps([ONE | {"keypoint_scores": 5}]), "'keypoint_scores' must be numbers"),
    "number": (json.dumps([ONE | {"image_id": "9" * 400}]), "image_id.*digits"),
    "float-id": (json.dumps([ONE | {"image_id": 1.5}]), "holds no frame number"),
    "people": ('{"people": [5]}', "person 0 must be an object, got the number 5"),
    "nobody": ('{"people": [{"pose_keypoints_2d": 5}]}', "person 0: 'pose_keypoints_2d' must be"),
    "labels": ('{"images": 5, "annotations": []}', "has lists 'images' and 'annotations'"),
}


@pytest.mark.parametrize("name", WRONG_JSON)
def test_wrong_json(tmp_path, name):
    text, message = WRONG_JSON[name]
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_pose(tmp_path / "a.json")
    said(read_pose, tmp_path / "a.json")


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(10**310), 10**310) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "images annotations categories id image_id keypoints keypoint_scores people "
                "pose_keypoints_2d timestamp".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(quick, max_examples=300)
@given(content=values)
def test_any_json(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("any") / "a.json"
    file.write_text(json.dumps(content))
    try:
        pose = read_pose(file, frame_rate=30)
    except ValueError as error:
        assert str(error).startswith(str(file))
    else:
        assert pose.pose.ndim == 3 and pose.pose.dtype == np.float32


def test_depth_is_counted_before_python_would(tmp_path):
    """Whatever the limit of recursion is: a million would end the process."""
    kept = sys.getrecursionlimit()
    (tmp_path / "a.json").write_text('["' + "[" * 500 + '\\"", ' + "[" * 200_000)
    try:
        sys.setrecursionlimit(10**6)
        assert "nested more than 100 deep" in said(read_pose, tmp_path / "a.json")
    finally:
        sys.setrecursionlimit(kept)
    (tmp_path / "b.json").write_text('["' + "[" * 500 + '"]')  # brackets in a text nest nothing
    assert "no frame has 'keypoints'" in said(read_pose, tmp_path / "b.json")


def test_json_of_one_frame_far_away_is_no_bomb(tmp_path):
    frames = [{"keypoints": [1.0] * 90_000}] + [{}] * 2000
    (tmp_path / "a.json").write_text(json.dumps(frames))
    assert "points that one pose may have" in said(read_pose, tmp_path / "a.json")


# --- XML ------------------------------------------------------------------------------------------
def eaf(body, head=""):
    return (
        f'{head}<ANNOTATION_DOCUMENT><HEADER TIME_UNITS="milliseconds"/>{body}'
        "</ANNOTATION_DOCUMENT>"
    )


def test_a_flat_file_is_read_in_pieces_or_refused(tmp_path, monkeypatch):
    (tmp_path / "a.eaf").write_text(eaf('<TIER TIER_ID="t">' + "<A/>" * 200_000 + "</TIER>"))
    tracemalloc.start()
    try:
        assert read_intervals(tmp_path / "a.eaf") == []
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * (tmp_path / "a.eaf").stat().st_size  # as elements: 20 MB and more
    monkeypatch.setattr(_xml, "MAX_ELEMENTS", 1000)
    assert "line 1: it has more than 1,000 elements" in said(read_intervals, tmp_path / "a.eaf")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("a.eaf", eaf("<a>" * 99 + "</a>" * 99), None),
        ("a.eaf", eaf("<a>" * 100 + "</a>" * 100), "line 1: its elements are nested more than 100"),
        (
            "a.eaf",
            eaf(
                f'<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="{"9" * 5000}"/></TIME_ORDER>'
            ),
            "no whole number of milliseconds",
        ),
        ("a.eaf", eaf("&amp;", '<!DOCTYPE a [<!ENTITY a "b">]>'), "declares a document type"),
        (
            "a.xml",
            f'<annotations><track id="1"><box frame="{"9" * 400}"/></track></annotations>',
            "track '1': a box has no frame number",
        ),
        ("a.xml", '<annotations><track id="1"><box/></track></annotations>', "no frame number"),
    ],
)
def test_xml_at_its_limits(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    options = {"frame_rate": 10} if name == "a.xml" else {}
    if message is None:
        assert read_intervals(tmp_path / name, **options) == []
    else:
        assert message in said(read_intervals, tmp_path / name, **options)


def test_long_chains_of_references(tmp_path):
    """Each names the one before; walked anew from each, half a billion steps."""
    n = 30_000
    slots = (
        '<TIME_SLOT TIME_SLOT_ID="s" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="t" TIME_VALUE="9"/>'
    )
    first = '<ALIGNABLE_ANNOTATION ANNOTATION_ID="a0" TIME_SLOT_REF1="s" TIME_SLOT_REF2="t"/>'
    refs = [
        f'<REF_ANNOTATION ANNOTATION_ID="a{i}" ANNOTATION_REF="a{i - 1}"/>' for i in range(1, n)
    ]
    rows = [f"<ANNOTATION>{one}</ANNOTATION>" for one in [first, *refs][::-1]]
    body = f'<TIME_ORDER>{slots}</TIME_ORDER><TIER TIER_ID="t">{"".join(rows)}</TIER>'
    (tmp_path / "a.eaf").write_text(eaf(body))
    with pytest.raises(ValueError, match="column label: is empty"):
        read_intervals(tmp_path / "a.eaf")


def test_intervals_find_their_frames_as_before():
    rng = np.random.RandomState(0)
    times = np.cumsum(rng.uniform(0.01, 0.1, 200))
    edges = np.sort(rng.choice(times, 20, replace=False))
    spans = [(a, b, 1 + i) for i, (a, b) in enumerate(zip(edges[::2], edges[1::2]))]
    frames = intervals_to_frames(spans, times)
    for a, b, label in spans:
        assert (frames[(times >= a) & (times < b)] == label).all()
    assert (frames > 0).sum() == sum(((times >= a) & (times < b)).sum() for a, b, _ in spans)
    with pytest.raises(ValueError, match="overlaps one with another label"):
        intervals_to_frames([(0, 1, 1), (0.5, 2, 2)], times)
