"""The manifest with labels to fill in: made, extended, changed, and read by load_manifest."""

import numpy as np
import pytest

from skrehab.datasets import LabelSheet, load_manifest, make_label_sheet


@pytest.fixture
def poses(tmp_path):
    """Three pose files in a folder of their own, and the videos they are of."""
    (tmp_path / "poses").mkdir()
    (tmp_path / "videos").mkdir()
    out, videos = [], []
    for k, name in enumerate(("anna_1", "anna_2", "=ben")):
        out.append(tmp_path / "poses" / f"{name}.npz")
        videos.append(tmp_path / "videos" / f"{name}.mp4")
        world = np.random.RandomState(k).rand(20, 33, 4)
        np.savez(out[-1], world=world, timestamps=np.arange(20) / 10)
        videos[-1].write_bytes(b"no video")
    return out, videos


def test_made_filled_in_and_read(poses, tmp_path):
    path = tmp_path / "trials.csv"
    sheet = make_label_sheet(path, *poses)
    assert [row["trial"] for row in sheet.rows] == ["anna_1", "anna_2", "=ben"]
    assert sheet.rows[0]["path"] == "poses/anna_1.npz" and sheet.video(0) == poses[1][0]
    assert "'=ben" in path.read_text()  # no spreadsheet computes it
    with pytest.raises(ValueError, match="column label"):
        load_manifest(path)  # labels are missing, and it says so

    sheet.change(0, label="usual", patient="Anna")
    sheet.change(1, label="leans", patient="Anna", intervals=[(1.2, 1.5, "leans"), (0.3, 0.6, "x")])
    sheet.change(2, label="leans", patient="Ben")
    again = LabelSheet(path)
    assert again.rows == sheet.rows
    assert again.intervals(1) == [(0.3, 0.6, "x"), (1.2, 1.5, "leans")] and again.intervals(0) == []
    data = load_manifest(path, normal_label="usual")
    assert data.y.tolist() == ["usual", "leans", "leans"] and data.trial[2] == "=ben"
    assert data.groups.tolist() == ["Anna", "Anna", "Ben"] and data.X[0].shape == (20, 33, 4)
    found = data.frame_labels[1]
    assert found[3:6].tolist() == ["x"] * 3 and found[12:15].tolist() == ["leans"] * 3
    assert (np.delete(found, [3, 4, 5, 12, 13, 14]) == "usual").all()


def test_what_is_there_stays(poses, tmp_path):
    path = tmp_path / "trials.csv"
    make_label_sheet(path, poses[0][:1], poses[1][:1])
    LabelSheet(path).change(0, label="usual", patient="Anna")
    path.write_text(path.read_text().replace("frame_labels\n", "frame_labels,clinic\n"))
    sheet = make_label_sheet(path, *poses)
    assert [row["label"] for row in sheet.rows] == ["usual", "", ""]
    assert "clinic" in sheet.titles and len(sheet.rows) == 3
    other = tmp_path / "poses" / "more"
    other.mkdir()
    np.savez(other / "anna_1.npz", world=np.zeros((4, 33, 4)))
    sheet = make_label_sheet(path, [other / "anna_1.npz"], [poses[1][0]])
    assert [row["trial"] for row in sheet.rows] == ["anna_1", "anna_2", "=ben", "anna_1_2"]


def test_videos_as_paths(tmp_path):
    path = tmp_path / "trials.csv"
    (tmp_path / "a.mp4").write_bytes(b"")
    path.write_text("path;patient;label\na.mp4;P01;0\nb.mp4;P02;1\n")
    sheet = LabelSheet(path)
    assert sheet.video(0) == tmp_path / "a.mp4" and sheet.video(1) is None
    assert sheet.rows[1]["trial"] == "b" and sheet.rows[1]["label"] == "1"
    sheet.change(0, intervals=[(0, 1, "1")])
    sheet.change(0, intervals=[])
    assert sheet.rows[0]["frame_labels"] == "a_labels.csv" and sheet.intervals(0) == []


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("between", [";", "\t", "|"])
def test_a_spreadsheet_reads_again_what_it_wrote(tmp_path, coding, between):
    """Cells apart by semicolons, decimal commas and the mark stay; with commas they were errors."""
    np.savez(tmp_path / "Übung.npz", world=np.random.RandomState(0).rand(20, 33, 4))
    path, told = tmp_path / "trials.csv", "sep=|\r\n" if between == "|" else ""
    rows = [["path", "patient", "label", "frame_rate"], ["Übung.npz", "P01", "0", "29,97"]]
    text = told + "".join(between.join(row) + "\r\n" for row in rows)
    path.write_bytes(text.encode(coding))
    LabelSheet(path).change(0, label="1", intervals=[(0, 0.5, "1")])
    data = load_manifest(path)
    assert data.y.tolist() == [1] and data.timestamps[0][1] == pytest.approx(1 / 29.97)
    assert data.frame_labels[0].sum() == 15
    first = path.read_bytes().splitlines()[0]
    assert first.startswith(b"\xef\xbb\xbf") == (coding != "utf-8")
    assert first.decode("utf-8-sig").split("\t" if between == "\t" else ";")[0] == "path"


def test_segments_of_others_are_not_written_over(poses, tmp_path):
    """What ELAN wrote, or a table of more than segments, stays as it is."""
    path = tmp_path / "trials.csv"
    make_label_sheet(path, *poses)
    for name, content in (("a.eaf", "<ANNOTATION"), ("a.csv", "start,stop,label,tier\n0,1,x,t\n")):
        (tmp_path / name).write_text(content)
        sheet = LabelSheet(path)
        sheet.rows[0]["frame_labels"] = name
        sheet.save()
        sheet.change(0, intervals=[(0, 1, "leans")])
        assert (tmp_path / name).read_text() == content
        assert sheet.rows[0]["frame_labels"].startswith("anna_1_labels")
        assert sheet.intervals(0) == [(0.0, 1.0, "leans")]


def test_nothing_is_written_over(poses, tmp_path):
    path = tmp_path / "trials.csv"
    sheet = make_label_sheet(path, *poses)
    path.write_text(path.read_text().replace("anna_2,", "ANNA,"))
    with pytest.raises(ValueError, match=r"trials\.csv was changed by another program"):
        sheet.change(0, label="usual")
    assert "ANNA" in path.read_text() and "usual" not in path.read_text()
    # a file that has the name of the segments stays
    (tmp_path / "anna_1_labels.csv").write_text("mine")
    sheet = LabelSheet(path)
    sheet.change(0, intervals=[(0, 1, "leans")])
    assert sheet.rows[0]["frame_labels"] == "anna_1_labels_2.csv"
    assert (tmp_path / "anna_1_labels.csv").read_text() == "mine"
    # nor do trials share a file of segments
    sheet.rows[1]["frame_labels"] = "anna_1_labels_2.csv"
    with pytest.raises(ValueError, match="segments of several trials"):
        sheet.change(1, intervals=[(0, 1, "leans")])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "a" * 201}, "label must be printable"),
        ({"patient": "a\nb"}, "patient must be printable"),
        ({"intervals": [(2, 1, "a")]}, r"got 2\.0 to 1\.0 s"),
        ({"intervals": [(-1, 1, "a")]}, "must start before it stops"),
        ({"intervals": [(0, float("inf"), "a")]}, "must start before it stops"),
        ({"intervals": [(0, float("nan"), "a")]}, "must start before it stops"),
        ({"intervals": [(0, 1, "")]}, "needs a label"),
        ({"intervals": [(0, 2, "a"), (1, 3, "b")]}, "'a' from 0.0 s and 'b' from 1.0 s overlap"),
        ({"intervals": [(0, 2, "a")] * 1001}, "may have 1000 segments"),
    ],
)
def test_what_cannot_be_saved(poses, tmp_path, change, message):
    path = tmp_path / "trials.csv"
    sheet = make_label_sheet(path, *poses)
    before = path.read_text()
    with pytest.raises(ValueError, match=message):
        sheet.change(0, **change)
    assert path.read_text() == before and not list(tmp_path.glob("*_labels.csv"))


def test_what_cannot_be_read(tmp_path):
    for name, text, message in (
        ("a.csv", "trial,label\nx,1\n", "needs a column path"),
        ("b.csv", "path,path\nx,1\n", "each column once"),
        ("c.xlsx", "", "Save the workbook as CSV"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=message):
            LabelSheet(tmp_path / name)
