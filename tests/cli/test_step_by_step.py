"""The commands of docs/step_by_step.rst work as written, in this order, from an empty folder."""

import pathlib
import shlex

import pytest
from pages import blocks_of
from real_files import model_file, needs_model

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "step_by_step.rst"
# what needs a network, a camera or a browser, or is tested elsewhere
NOT_HERE = ("skrehab models fetch", "--camera", "skrehab serve", "skrehab demo")
QUICK = {"train": ["--epochs", "1"]}


def steps():
    """Commands and blocks of Python in order; what prepares a block for other tests is left out."""
    for block in blocks_of(PAGE):
        if block.kind == "python":
            yield block.kind, block.code
        elif block.kind == "console":
            for line in block.code.splitlines():
                if line.startswith("$ ") and not any(words in line for words in NOT_HERE):
                    yield "command", line.removeprefix("$ ")


def test_the_page_goes_the_whole_way():
    commands = [shlex.split(text)[:2] for kind, text in steps() if kind == "command"]
    assert [words[1] for words in commands if words[0] == "skrehab"] == [
        "pose", "check", "train", "assess", "live",
    ]  # fmt: skip


@needs_model
@pytest.mark.timeout(900)
def test_every_command_works_as_written(run, tmp_path, monkeypatch):
    """With smaller clips and one epoch; all else is what the page says."""
    import skrehab.datasets as datasets
    from skrehab.datasets.mini_set import write_mini_set

    def small(folder, **more):
        return write_mini_set(folder, 3, 1, frame_rate=3, size=192, **more)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKREHAB_MODELS", str(model_file()))
    monkeypatch.setitem(vars(datasets), "write_mini_set", small)
    space = {}
    for kind, text in steps():
        words = shlex.split(text) if kind == "command" else []
        if kind == "python":
            exec(text, space)
        elif words[0] == "python":
            exec(words[2], {})
        else:
            code, out, err = run(*words[1:], *QUICK.get(words[1], []))
            assert code == 0, f"{text}: {err}"
            if words[1] == "live":
                assert out.count("{") >= 2  # a line a frame
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert {"report/report.html", "report/table.tex", "assessed"} <= made
    assert {
        f"assessed/P01_brush_hair_left_1_{what}" for what in ("frames.csv", "overlay.mp4")
    } <= made
