"""Names of files and labels are seen, in a terminal and on a page, and do nothing there."""

import os
import sys
import unicodedata
import warnings
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from skrehab._shown import shown, shown_lines
from skrehab._written import output_name, output_names, part_of, written
from skrehab.cli._console import PlainConsole, plain_warnings
from skrehab.cli._labels import class_names
from skrehab.cli.main import main
from skrehab.live import PoseRecording
from skrehab.persistence.cards import _text
from skrehab.report import Section, render_report

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)
NASTY = "a\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egpj\u2066\x7f\r[/x]:smile:.mp4"
SEEN = r"a\x1b]0;pwned\x07\x1b[2J\x9b31m\u202egpj\u2066\x7f\x0d[/x]:smile:.mp4"


def acts(text, keep=""):
    """Characters of a text that are controls, formats or halves of pairs."""
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in keep]


@quick
@given(st.text(st.characters()))
def test_nothing_acts_and_nothing_else_changes(text):
    out = shown(text)
    assert not acts(out) and not set(out) & set("\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028")
    assert shown(out) == out
    plain = "".join(c for c in text if c.isalnum())
    assert shown(plain) == plain
    assert len(shown_lines(text).split("\n")) == text.count("\n") + 1


def test_words_of_the_world_stay():
    for word in ("Müller", "日本語", "مريم", "שרה", "🦵🏽", "e\u0301", "[/x]", "a b", "=1"):
        assert shown(word) == word
    assert shown(NASTY) == SEEN
    assert shown_lines("a\nerror: b\n  c") == "a\n  error: b\n  c"


def test_whatever_a_console_prints(capsys):
    console = PlainConsole()
    table = Table("title")
    table.add_row(NASTY)
    console.print(NASTY, soft_wrap=True, highlight=False)
    console.print(Text(NASTY), soft_wrap=True)
    console.print(table, soft_wrap=True)
    console.print("lost\nModel: here")
    out = capsys.readouterr().out
    assert not acts(out, keep="\n") and "\u202e" not in out
    assert out.startswith(SEEN) and "\n  Model: here\n" in out


def test_warnings_are_printed_clean(monkeypatch):
    with plain_warnings():
        text = warnings.formatwarning(f"{NASTY}\nerror: no", UserWarning, "a.py", 3)
    assert SEEN in text and not acts(text, keep="\n") and "\n  error: no" in text
    assert NASTY in warnings.formatwarning(NASTY, UserWarning, "a.py", 3)  # as it was before


@pytest.mark.parametrize(
    "command, code",
    [
        (["pose", NASTY.replace("/", ""), "-o", "out", "--model-path", "none.task"], 1),
        (["pose", f"--{NASTY}"], 2),
        ([NASTY], 2),
        (["assess", NASTY, NASTY], 1),
        (["train", NASTY, "-o", "out", "--normal-label", NASTY], 1),
        (["live", NASTY, "--video", NASTY], 1),
        (["models", "fetch", NASTY], 1),
        (["models", "fetch", "pose_landmarker_full", "--from-file", NASTY], 1),
        (["models", "fetch", "x", NASTY], 2),
    ],
)
def test_no_command_obeys_a_name(command, code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["skrehab", *command])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == code
    out, err = capsys.readouterr()
    assert out == "" and r"\x1b]0;" in "".join(c for c in err if c not in "│ \n")
    assert not acts(err, keep="\n") and not {"\u202e", "\u2066"} & set(err)


def test_pages_and_cards_show_names_and_run_none():
    page = render_report(NASTY, [Section(NASTY, f"a\tb\n<b>{NASTY}\n\nc", code=NASTY)])
    assert not acts(page, keep="\n\t") and "\u202e" not in page and "<b>" not in page
    assert f"<title>{SEEN}</title>" in page and "a\tb\n&lt;b&gt;" in page
    assert page.encode("utf-8")
    assert render_report("\ud800", []).encode("utf-8")  # a name that is no text
    assert not acts(_text(NASTY)) and "\u202e" not in _text(NASTY)


@pytest.mark.parametrize("labels", [5, "ab", {"a": 1}, [["a"], "b"], [None, "b"], ["one"]])
def test_labels_of_a_foreign_model_are_checked(labels):
    with pytest.raises(ValueError, match="metadata name"):
        class_names({"labels": labels}, [0, 1])


def test_labels_of_a_model():
    assert class_names({"labels": ["a", 2, "c"]}, [0, 1, 2]) == ["a", "2", "c"]
    assert class_names({}, range(2)) == class_names({"labels": []}, [0, 1]) == ["0", "1"]
    assert class_names({"labels": ["a", "b", "c"]}, [2, 0]) == ["c", "a"]


# --- files that are written -----------------------------------------------------------------------
@quick
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300))
def test_outputs_stay_in_their_folder(name):
    item = Path("..") / name
    try:
        file = output_name(Path("out"), item, "_frames.csv")
    except ValueError:
        last = item.name  # reserved, empty, with a zero byte, or too long
        stem = item.stem.partition(".")[0].rstrip(" ").upper()
        long = len(item.stem.encode()) > 255 - len("_frames.csv")
        assert last in ("", "..") or "\0" in last or long or stem in {"CON", "NUL", "AUX", "PRN"}
    else:
        assert file.parent == Path("out") and len(os.fsencode(file.name)) <= 255
        assert file.name.endswith("_frames.csv") and "\0" not in file.name


@pytest.mark.parametrize(
    "name, message",
    [("..", "names no file"), ("CON.mp4", "Windows"), ("lpt1.a.mp4", "Windows"),
     ("a\0.mp4", "names no file"), ("é" * 124 + ".mp4", "too long")],
)  # fmt: skip
def test_names_that_cannot_be(name, message):
    with pytest.raises(ValueError, match=message):
        output_name(Path("out"), Path(name), "_frames.csv")


@pytest.mark.parametrize(
    "names", [("a/x.mp4", "b/x.mov"), ("x.mp4", "X.mp4"), ("\xe9.mp4", "e\u0301.mp4")]
)
def test_two_of_one_name(names):
    with pytest.raises(ValueError, match="Two videos would be written"):
        output_names(Path("out"), list(map(Path, names)), ".npz")
    assert len(output_names(Path("out"), [Path("x.mp4"), Path("y.mp4")], ".npz")) == 2


def test_written_whole_or_not_at_all(tmp_path):
    mine, file = tmp_path / "mine.txt", tmp_path / "a.txt"
    mine.write_text("mine")
    file.write_text("old")
    (tmp_path / "a.txt.part").symlink_to(mine)
    with pytest.raises(ZeroDivisionError), written(file, text=True) as out:
        out.write(str(1 / 0))
    assert file.read_text() == "old" and sorted(os.listdir(tmp_path)) == ["a.txt", "mine.txt"]
    file.unlink()
    file.symlink_to(mine)
    with written(file, text=True) as out:
        out.write("new\r\n")
    assert file.read_bytes() == b"new\r\n" and not file.is_symlink()
    assert mine.read_text() == "mine"
    long = tmp_path / ("é" * 125 + ".npz")  # 254 bytes: .part does not fit behind it
    with written(long) as out:
        out.write(b"x")
    assert long.read_bytes() == b"x" and len(os.fsencode(part_of(long).name)) < 255


def test_recordings_follow_no_link(tmp_path):
    (tmp_path / "a.npz").symlink_to(tmp_path / "elsewhere.npz")
    with pytest.raises(FileExistsError):
        PoseRecording(tmp_path / "a.npz")
