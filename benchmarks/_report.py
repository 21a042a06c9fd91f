"""Write a benchmark's table with the command, the versions and the date it was made with."""

import datetime
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def read_rows(path):
    """Read what earlier runs kept, a line of JSON each; nothing where there is no file yet."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def add_rows(path, *rows):
    """Add rows to what is kept: a run broken off goes on behind them."""
    with path.open("a") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def markdown_table(rows):
    """Lay rows (dicts with the same keys) out as a markdown table."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(c, "")) for c in columns) + " |" for row in rows]
    return "\n".join(lines)


def write_report(name, rows, about, *, packages=(), notes="", folder=None):
    """Write ``results/<name>.md`` and print it.

    Parameters
    ----------
    name : str
        File name without ending.
    rows : list of dict
        The table.
    about : str
        What was measured; the first paragraph of the script's docstring is used.
    packages : tuple of str
        Packages whose versions are noted.
    notes : str
        Text under the table.
    folder : Path
        Where to write it; None is ``results``.
    """
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in packages)
    beside = str(Path(__file__).resolve().parents[2])  # where shared/ lies, too
    paths = [os.path.relpath(one) if one.startswith(beside) else one for one in sys.argv]
    command = " ".join(["python", *paths])
    text = (
        f"# {name}\n\n{about.strip()}\n\n"
        f"Command: `{command}`  \n"
        f"Date: {datetime.date.today()}, Python {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} cores, one torch thread  \n"
        f"Versions: skrehab {importlib.metadata.version('skrehab')}, {versions}\n\n"
        f"{markdown_table(rows)}\n{notes and chr(10) + notes.strip() + chr(10)}"
    )
    folder = folder or RESULTS
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
