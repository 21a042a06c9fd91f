"""Rows of text that a spreadsheet may open: no cell is taken for a formula.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break, and is no number, gets an
apostrophe before it, and so does one that begins with apostrophes and then like that. Reading
takes one away again: what is read is what was written.
"""

import re

_NUMBER = re.compile(
    r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE
)
# also behind blanks and the byte order mark, which programs drop, and in their wide forms
_FORMULA = re.compile("'*(?:[\\s\ufeff\u200b\x01-\x20]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")
_SPECIAL = re.compile(
    '[",;\t\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]'
)  # whatever divides, here or there


def guarded(cell):
    """Write a cell such that no spreadsheet computes it; numbers stay numbers."""
    if cell is None:
        return ""
    text = str(cell)
    if not isinstance(cell, str) and _NUMBER.fullmatch(text):
        return text
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(cell):
    """Read a cell that `guarded` wrote."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell, 1) else cell


def put_rows(file, rows, delimiter=","):
    """Write rows of a table, the only way in which this package does.

    Parameters
    ----------
    file : text file
        Opened with ``newline=""``.
    rows : iterable of sequences
        Cells: numbers, text, or None for an empty one.
    delimiter : str, default=","
        What stands between cells.

    Raises
    ------
    ValueError
        If a cell holds a zero byte, which no reader takes.
    """
    for row in rows:
        cells = [_quoted(guarded(cell)) for cell in row]
        if len(cells) == 1 and not cells[0]:
            cells = ['""']  # else the row would be an empty line
        file.write(delimiter.join(cells) + "\n")


def _quoted(text):
    if "\0" in text:
        raise ValueError(f"{text[:60]!r} holds a zero byte, which no table can")
    if _SPECIAL.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text
