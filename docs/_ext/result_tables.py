"""Tables of benchmarks/results/*.md as reStructuredText, so that pages quote them and nothing else.

``.. include:: generated/results/NAME.inc`` puts a table into a page, with the command, the date and
the versions it was made with.
"""

import re
from pathlib import Path


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", write_tables)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_tables(app, config):
    """Write one include file a results page."""
    folder = Path(app.srcdir) / "generated" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for page in (Path(app.srcdir).parent / "benchmarks" / "results").glob("*.md"):
        text = rst_of(page.read_text(encoding="utf-8"))
        target = folder / f"{page.stem}.inc"
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def rst_of(markdown):
    """Turn the tables of a results page, and how it was made, into reStructuredText.

    Parameters
    ----------
    markdown : str
        A page as ``benchmarks/_report.py`` writes it.

    Returns
    -------
    str
        List tables, each with the width of the page, and one line on where they come from.
    """
    lines = markdown.splitlines()
    blocks, rows = [], []
    for line in [*lines, ""]:
        if line.startswith("|"):
            if not re.fullmatch(r"[|\s:-]+", line):
                rows.append([_inline(cell.strip()) for cell in line.strip().strip("|").split("|")])
        elif rows:
            blocks.append(_list_table(rows))
            rows = []
    made = {
        word: line.strip().removeprefix(f"{word}: ")
        for line in lines
        for word in ("Command", "Date")
        if line.startswith(f"{word}: ")
    }
    command, date = made.get("Command"), made.get("Date")
    source = f"*Made by* {_inline(command)}, {date}.\n" if command else ""
    return "\n".join([*blocks, source])


def _list_table(rows):
    out = [".. list-table::", "   :header-rows: 1", "   :width: 100%", ""]
    for row in rows:
        out += [f"   {'* -' if not i else '  -'} {cell}".rstrip() for i, cell in enumerate(row)]
    return "\n".join(out) + "\n"


def _inline(text):
    if text == "-":  # would begin a list
        return "\N{EN DASH}"
    text = re.sub(r"(?<=\d) (±|to) (?=\d)", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", text)
    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)
