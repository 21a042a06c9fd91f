"""Names of files as people type them."""

import os
import pathlib

import pytest

from skrehab.cli._paths import check_file, check_model, check_new, expanded, find_videos


@pytest.fixture
def clips(tmp_path):
    """A folder with videos, and with what is none."""
    for name in ("clip10.mp4", "clip9.MOV", "notes.txt", ".hidden.mp4", "pose.npz"):
        (tmp_path / name).touch()
    (tmp_path / "more.mp4").mkdir()
    (tmp_path / "more.mp4" / "inside.mp4").touch()
    return tmp_path


def names(found):
    return [path.name for path in found]


def test_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    monkeypatch.setenv("USERPROFILE", "/home/anna")
    assert expanded(pathlib.Path("~/a.csv")) == pathlib.Path("/home/anna/a.csv")
    assert expanded([pathlib.Path("~/a"), pathlib.Path("b~")]) == [
        pathlib.Path("/home/anna/a"),
        pathlib.Path("b~"),
    ]
    assert expanded(None) is None
    nobody = pathlib.Path("~nobody-of-this-name/a")
    assert expanded(nobody) == nobody


def test_folders_patterns_and_files(clips):
    assert names(find_videos([clips])) == ["clip9.MOV", "clip10.mp4"]
    assert names(find_videos([clips / "clip*"])) == ["clip9.MOV", "clip10.mp4"]
    assert names(find_videos([clips / "**" / "*.mp4"])) == ["clip10.mp4", "inside.mp4"]
    # named is named, whatever it is called; and nothing is taken twice
    assert names(find_videos([clips / "notes.txt", clips / "clip10.mp4", clips])) == [
        *("notes.txt", "clip10.mp4", "clip9.MOV")
    ]


def test_a_file_that_exists_is_no_pattern(clips):
    (clips / "clip[1].mp4").touch()
    assert names(find_videos([clips / "clip[1].mp4"])) == ["clip[1].mp4"]


def test_all_that_is_missing_is_named(clips):
    with pytest.raises(FileNotFoundError) as error:
        find_videos([clips / "no.mp4", clips / "*.avi", clips / "clip10.mp4"])
    said = str(error.value)
    assert "there is no file" in said and "no.mp4" in said
    assert "no file matches" in said and "*.avi" in said and "clip10" not in said
    # one of several that is not there fails in its turn
    assert names(find_videos([clips / "no.mp4", clips / "clip10.mp4"])) == ["no.mp4", "clip10.mp4"]
    (clips / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="folder without videos"):
        find_videos([clips / "empty"])


def test_models_are_looked_for(tmp_path):
    (tmp_path / "all" / "model").mkdir(parents=True)
    (tmp_path / "all" / "model" / "model.json").touch()
    check_model(tmp_path / "all" / "model")
    with pytest.raises(FileNotFoundError, match="There is no model folder"):
        check_model(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="In it are models, though: model"):
        check_model(tmp_path / "all")
    with pytest.raises(FileNotFoundError, match="Name its folder"):
        check_model(tmp_path / "all" / "model" / "model.json")


def test_files_are_looked_for(tmp_path):
    check_file(None, "manifest")
    with pytest.raises(FileNotFoundError, match=r"There is no manifest .*a\.csv"):
        check_file(tmp_path / "a.csv", "manifest")
    with pytest.raises(FileNotFoundError, match="is a folder, and manifest is a file"):
        check_file(tmp_path, "manifest")


def test_what_is_there_is_not_replaced(tmp_path):
    (tmp_path / "a").touch()
    os.symlink(tmp_path / "nowhere", tmp_path / "b")  # a link that leads nowhere is there, too
    check_new([tmp_path / "a"], overwrite=True)
    check_new([tmp_path / "c"], overwrite=False)
    with pytest.raises(FileExistsError, match=r"/a exists already: --overwrite"):
        check_new([tmp_path / "a", tmp_path / "c"], overwrite=False)
    with pytest.raises(FileExistsError, match=r"/a, .*/b exist already"):
        check_new([tmp_path / "a", tmp_path / "b"], overwrite=False)


def test_videos_of_folders_inside_are_said(tmp_path):
    """One clip at the top, fifty in folders by patient: the fifty were left out without a word."""
    for name in ("a.mp4", "P01/b.mp4", "P02/c.MOV", ".trash/d.mp4", "notes/e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    with pytest.warns(UserWarning, match=r"hold videos, too, which are not taken: P01, P02\. Name"):
        assert find_videos([tmp_path]) == [tmp_path / "a.mp4"]
    found = find_videos([pathlib.Path(f"{tmp_path}/**/*.mp4")])
    assert sorted(found) == [tmp_path / "P01" / "b.mp4", tmp_path / "a.mp4"]
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(FileNotFoundError, match=r"folder without videos .*; there are some in P01"):
        find_videos([tmp_path])
