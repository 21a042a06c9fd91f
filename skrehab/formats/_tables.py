"""CSV as people save it: with or without a byte order mark, with commas, semicolons or tabs."""

import csv
import re

import numpy as np

from skrehab.formats._bounds import (
    MAX_CELLS,
    MAX_ROWS,
    MAX_TEXT_BYTES,
    OpenQuote,
    csv_rows,
    quoted,
    read_bytes,
    read_text,
    refuse_pipe,
)
from skrehab.formats._names import bare, composed, is_missing
from skrehab.formats._spreadsheet import unguarded
from skrehab.formats._workbook import is_workbook, workbook_rows

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
# the first row that is not blank; a quoted cell may hold line breaks
_FIRST = re.compile(r'(?=\S)(?:"(?:[^"]|"")*"|[^\r\n])*')
# how Excel is told what separates the cells; it shows the rows after it only
_SEPARATOR = re.compile(r'"?sep=(.)"?[;,\t ]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?\d[\d.]*,\d+")
_EXACT = 2**53  # whole numbers up to here are exact as floats


def check_end(text, number, cells, width):
    """Refuse a last row that stops in its middle: few cells, and no line break after them."""
    if len(cells) < width and not text.endswith(("\n", "\r")):
        raise ValueError(
            f"row {number}, the last, has {len(cells)} of {width} cells: the file is cut short"
        )


def divider(line, among):
    """What divides the cells of a line: the commonest outside quotes, the first where none is."""
    bare = _QUOTED.sub("", line)
    return max(among, key=bare.count)


def plain(cells):
    """Cells without outer blanks and without the apostrophes that keep them from being formulas."""
    return [unguarded(bare(cell)) for cell in cells]


def table_rows(path, among=",;\t"):
    """Read the rows of any table: CSV as people and programs save it, or an Excel workbook.

    Parameters
    ----------
    path : str or path-like
        UTF-8 text, or UTF-16 with its mark; cells separated by the commonest of `among` in the
        first row, or by what a first line ``sep=;`` says. Or a workbook (.xlsx), its first sheet.
    among : str, default=",;\\t"
        What may separate cells.

    Returns
    -------
    rows : iterator of (int, list of str)
        The row's number as a spreadsheet shows it, and its cells without outer blanks. Rows
        without any text are left out.
    delimiter : str
        What separates the cells, a tab for a workbook.
    text : str
        The text, for :func:`check_end`; "" for a workbook.

    Raises
    ------
    ValueError
        If it is no such table.
    """
    refuse_pipe(path)
    if is_workbook(path):
        return _filled(workbook_rows(path)), "\t", "\n"
    text = read_text(path, "; save it as 'CSV UTF-8'")
    stated = _SEPARATOR.match(text)
    body = text[stated.end() :] if stated else text
    start = _FIRST.search(body)
    delimiter = stated[1] if stated else divider(_first_row(body, start), among)
    return _filled(_quoted_or_not(body, delimiter)), delimiter, text


def _first_row(text, match):
    """The first row that is no remark."""
    while match and match[0].lstrip('"').startswith("#"):
        match = _FIRST.search(text, match.end())
    return match[0] if match else ""


def _quoted_or_not(text, delimiter):
    """Rows; between tabs, quotation marks that do not pair are letters, as ELAN writes them."""
    if delimiter != "\t" or '"' not in text:
        return csv_rows(text, delimiter)
    try:
        return list(csv_rows(text, delimiter))
    except OpenQuote:
        return csv_rows(text, delimiter, quoting=csv.QUOTE_NONE)


def _filled(rows):
    for number, cells in rows:
        cells = plain(cells)
        if any(cells):
            yield number, cells


def open_table(path, whole=False):
    """Read a table with a header.

    Parameters
    ----------
    path : str or path-like
        As for :func:`table_rows`.
    whole : bool, default=False
        Refuse a last row that stops in its middle. People leave out empty cells at the end of a
        row, programs do not.

    Returns
    -------
    header : list of str
        Column titles without outer blanks.
    rows : list of (int, list of str)
        The row's number as a spreadsheet shows it (the header is row 1), and as many cells as the
        header has, without outer blanks. Empty rows are left out.
    decimal_comma : bool
        Whether numbers may be written with a decimal comma: where commas do not separate cells.

    Raises
    ------
    ValueError
        If the file is not UTF-8, has no header, is larger than a table may be, or a row has more
        cells than the header.
    """
    found, delimiter, text = table_rows(path)
    header, rows, long = None, [], []
    for number, cells in found:
        if header is None:
            while cells and not cells[-1]:
                cells.pop()
            header = [composed(cell) for cell in cells]
            continue
        if any(cells[len(header) :]):
            long.append(str(number))
        last = number, cells
        rows.append((number, (cells + [""] * (len(header) - len(cells)))[: len(header)]))
        if len(rows) > MAX_ROWS:
            raise ValueError(f"row {number:,}: more than the {MAX_ROWS:,} rows a table may have")
        if len(rows) * len(header) > MAX_CELLS:
            raise ValueError(
                f"row {number:,}: with {len(header):,} columns the table has more than "
                f"{MAX_CELLS:,} cells"
            )
    if header is None:
        raise ValueError("it is empty")
    if whole and rows:
        check_end(text, *last, len(header))
    if long:
        hint = "; numbers with a decimal comma need semicolons between the cells"
        if len(header) == 1:  # a line above the table
            hint = f", which is taken to be {quoted(header[0])}: titles must come first"
        raise ValueError(
            f"row {', '.join(long[:10])}: more cells than the header has columns"
            + (hint if delimiter == "," or len(header) == 1 else "")
        )
    return header, rows, delimiter != ","


def first_row(path):
    """Cells of the first row of a table, to tell what kind it is."""
    rows, *_ = table_rows(path)
    header = next(iter(rows), None)
    if header is None:
        raise ValueError("it is empty")
    return [composed(cell) for cell in header[1]]


def how_written(path):
    """Tell how a table's program wants it: what separates cells, and the mark before the text.

    Without the mark a spreadsheet takes UTF-8 for something else, and of numbers with a decimal
    comma only semicolons or tabs make cells of their own.
    """
    _, delimiter, _ = table_rows(path)
    marked = read_bytes(path, MAX_TEXT_BYTES)[:2] in (b"\xef\xbb", b"\xff\xfe", b"\xfe\xff")
    known = delimiter in (",", ";", "\t")  # any other was told in a line of its own
    return delimiter if known else ";", "\ufeff" if marked else ""


def to_float(cell, decimal_comma, where):
    """Read a number, or say where none is."""
    try:
        if "_" in cell:  # Python would take 1_5 for 15
            raise ValueError
        return float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        if not decimal_comma and _COMMA_NUMBER.fullmatch(cell):
            raise ValueError(
                f"{where}: {quoted(cell)} is not a number: it has a decimal comma, and commas "
                "separate the cells; write a point, or separate cells by semicolons"
            ) from None
        raise ValueError(f"{where}: {quoted(cell)} is not a number") from None


def to_value(cell, decimal_comma, where):
    """Read a number, NaN where the cell is empty or says that nothing is there."""
    if not cell:
        return np.nan
    try:
        return to_float(cell, decimal_comma, where)
    except ValueError:
        if is_missing(cell):
            return np.nan
        raise


def to_whole(cell):
    """The whole number in a cell ("1" and "1.0" are both 1), or None where there is none.

    None also for those too large to be exact as floats: they are no labels.
    """
    try:
        number = float(cell)
        return int(number) if number == int(number) and abs(number) <= _EXACT else None
    except (ValueError, OverflowError):
        return None
