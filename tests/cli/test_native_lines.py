"""What libraries print past Python goes to a log file."""

import os
import sys

import pytest

from skrehab.cli._native import native_lines_logged

LOUD = """
import os, sys, warnings
from skrehab.cli._native import native_lines_logged
from skrehab.cli.app import progress_bar
{before}
with native_lines_logged({verbose}):
    with progress_bar() as bar:
        task = bar.add_task("pose", total=1)
        os.write(2, b"W0000 of the library\\n")
        warnings.warn("of ours")
        bar.advance(task)
    {inside}
os.write(2, b"after\\n")
"""


def loud(run_python, tmp_path, verbose=False, inside="pass"):
    """Run it; return what comes out of file descriptor 2, whole."""
    code = f"""
import subprocess, sys
code = {LOUD.format(before="", verbose=verbose, inside=inside)!r}
done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                      env={ {**os.environ, "TMPDIR": str(tmp_path)}!r})
print(done.stderr)
"""
    return run_python(code)


def test_the_terminal_has_our_lines_only(run_python, tmp_path):
    said = loud(run_python, tmp_path)
    assert "of ours" in said and "after" in said and "1/1" in said
    assert "of the library" not in said
    assert not list(tmp_path.iterdir())


def test_verbose_hides_nothing(run_python, tmp_path):
    assert "W0000 of the library" in loud(run_python, tmp_path, verbose=True)


def test_where_the_library_fails_the_log_is_named(run_python, tmp_path):
    said = loud(run_python, tmp_path, inside="raise RuntimeError('broke')")
    (log,) = tmp_path.glob("skrehab-*.log")
    assert log.read_text() == "W0000 of the library\n" and "broke" in said


@pytest.mark.parametrize("error", [ValueError("no video"), OSError("no disk"), KeyboardInterrupt()])
def test_errors_in_our_own_words_leave_no_log(error, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told = []
    with pytest.raises(type(error)), native_lines_logged(say=told.append) as log:
        os.write(2, b"W0000\n")
        assert log.read_bytes() == b"W0000\n"
        raise error
    assert not told and not list(tmp_path.iterdir())


def test_streams_are_as_before(capfd):
    before = sys.stderr
    with pytest.raises(RuntimeError), native_lines_logged(say=lambda text: None) as log:
        os.write(2, b"hidden\n")
        raise RuntimeError
    log.unlink()
    assert sys.stderr is before
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "seen\n"
