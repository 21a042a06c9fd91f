"""Files appear whole, beside their place first, and never through a link that somebody planted."""

import ast
import os
import pathlib
import sys

import numpy as np
import pytest
import torch
from instances import tiny_frames

from skrehab._written import LONGEST_NAME, part_of, written

PACKAGE = pathlib.Path(__file__).resolve().parents[1] / "skrehab"

# who writes otherwise, and why nothing that others made can lie at the place
OTHERS = {
    "cli/evaluate.py": "a Study's own to_csv, which writes by the safe writer",
    "cli/timeline.py": "a ClipTimeline's own to_csv, which writes by the safe writer",
    "_written.py": "the safe writer itself",
    "persistence/writing.py": "into a new folder of its own, whose files then replace",
    "formats/_openpose.py": "into a folder that it has just made",
    "serve/uploads.py": "a new file in the server's private folder",
    "serve/folder.py": "the lock in the server's private folder",
}


def test_a_link_is_replaced_and_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("kept")
    for name in ("a.txt", "a.txt.part"):
        (tmp_path / name).symlink_to(precious)
    with written(tmp_path / "a.txt", text=True) as file:
        file.write("new\n")
    assert precious.read_text() == "kept"
    assert (tmp_path / "a.txt").read_bytes() == b"new\n" and not (tmp_path / "a.txt").is_symlink()
    assert not os.path.lexists(tmp_path / "a.txt.part")


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError), written(tmp_path / "a") as file:
        file.write(b"half")
        raise RuntimeError
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_text() == "old"


def test_the_longest_name_has_room_for_its_part(tmp_path):
    name = "n" * LONGEST_NAME
    assert part_of(tmp_path / name).exists()
    with written(tmp_path / name) as file:
        file.write(b"whole")
    assert os.listdir(tmp_path) == [name]


def onnx_file(folder):
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from skrehab.onnx import export_onnx

    X = [np.zeros((4, 5, 3)), np.ones((6, 5, 3))]
    model = tiny_frames(max_epochs=1).fit(X, [[0] * 4, [1] * 6])
    return export_onnx(model, folder / "m.onnx", check=False)


def checkpoint(folder):
    from skrehab.pretraining.checkpoints import Checkpoint

    state = Checkpoint(folder, "a")
    (folder / f"run-a.{os.getpid()}.tmp").symlink_to(folder / "precious")  # of an older skrehab
    (folder / f"run-a.{os.getpid()}.part").symlink_to(folder / "precious")
    state.save({"weights": torch.ones(2)})
    return state.path


def blurred_video(folder):
    from media import noise, write_video

    from skrehab.pose import probe_video
    from skrehab.pose.faces import _write

    video = write_video(folder / "clip.mp4", noise(3))
    _write(video, folder / "m.mp4", probe_video(video), [None] * 3, "blur", "fill", None)
    return folder / "m.mp4"


@pytest.mark.parametrize("write", [onnx_file, checkpoint, blurred_video])
def test_a_planted_part_is_not_written_through(write, tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("kept")
    for name in ("m.onnx", "m.mp4"):
        (tmp_path / f"{name}.part").symlink_to(precious)
    path = write(tmp_path)
    assert precious.read_text() == "kept"
    assert path.stat().st_size and not path.is_symlink()


def writes(tree):
    """Lines of a file that open a path for writing by other means than the safe writer."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        values = [*node.args, *(one.value for one in node.keywords)]
        modes = [one.value for one in values if isinstance(one, ast.Constant)]
        modes = [one for one in modes if isinstance(one, str) and set(one) <= set("rwaxbt+U")]
        if name in ("write_text", "write_bytes", "to_csv", "savetxt", "save_file", "touch"):
            yield node.lineno, name
        elif name == "open" and any(set(mode) & set("wax+") for mode in modes):
            by_name = ("av.open(str(part)", "av.open(str(self.part)")  # that part_of has made
            if not ast.unparse(node).startswith(by_name):
                yield node.lineno, name
        elif name == "savefig" and "folder" in ast.unparse(node):
            yield node.lineno, name


def test_nobody_writes_in_another_way():
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        lines = list(writes(ast.parse(file.read_text(encoding="utf-8"))))
        if lines:
            found[file.relative_to(PACKAGE).as_posix()] = lines
    others = {name: lines for name, lines in found.items() if name not in OTHERS}
    assert not others, "write by skrehab._written, or say in OTHERS why not"
    assert set(OTHERS) - {"_written.py"} <= set(found)


@pytest.mark.parametrize(
    "line",
    ["open(p, 'w')", "p.open(mode='ab')", "p.write_text('')", "av.open(str(out), 'w')"],
)
def test_the_search_finds(line):
    assert list(writes(ast.parse(line)))
    assert not list(writes(ast.parse("open(p); open(p, 'rb'); av.open(str(part), 'w')")))


def test_two_who_write_one_file_both_write_it_whole(tmp_path):
    """The second took the first's part away: the first moved the second's half file into place."""
    path = tmp_path / "fold.npz"
    with written(path, text=True) as first:
        first.write("the first")
        with written(path, text=True) as second:
            second.write("the sec")
            second.flush()
            with written(path, text=True) as third:
                third.write("the third")
            assert path.read_text() == "the third"
            second.write("ond")
        assert path.read_text() == "the second"
    assert path.read_text() == "the first"
    assert [file.name for file in tmp_path.iterdir()] == ["fold.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows lets nobody take an open file")
def test_another_process_that_writes_is_left_alone_and_a_dead_one_is_not(tmp_path, run_python):
    path = tmp_path / "a.txt"
    code = """if True:
        import os, sys
        from skrehab._written import written
        with written(sys.argv[1], text=True) as file:
            file.write("other")
            file.flush()
            if sys.argv[2] == "dies":
                os._exit(0)
    """
    with written(path, text=True) as file:
        file.write("mine")
        run_python(code, path, "lives")
        assert path.read_text() == "other"
    assert path.read_text() == "mine"
    run_python(code, path, "dies")
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["a.txt", "a.txt.part"]
    with written(path, text=True) as file:
        file.write("again")
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"] and path.read_text() == "again"
