"""The command, run in this process."""

import sys

import pytest

from skrehab.cli import main as cli


@pytest.fixture
def run(monkeypatch, capsys):
    """Run ``skrehab ...`` and return exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["skrehab", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
            raise SystemExit(0)
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    return call
