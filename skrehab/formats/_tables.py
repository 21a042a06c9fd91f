"""CSV as people save it: with or without a byte order mark, with commas, semicolons or tabs."""

import re

from skrehab.formats._bounds import MAX_CELLS, MAX_ROWS, csv_rows, quoted, read_text
from skrehab.formats._spreadsheet import unguarded

_QUOTED = re.compile(r'"(?:[^"]|"")*"')
# the first row that is not blank; a quoted cell may hold line breaks
_FIRST = re.compile(r'(?=\S)(?:"(?:[^"]|"")*"|[^\r\n])*')
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
    return [unguarded(cell.strip()) for cell in cells]


def open_table(path, whole=False):
    """Read a CSV file with a header.

    Parameters
    ----------
    path : str or path-like
        UTF-8 text; cells are separated by commas, or by semicolons or tabs where the header has
        more of these.
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
    text = read_text(path, "; save it as 'CSV UTF-8'")
    start = _FIRST.search(text)
    delimiter = divider(start[0] if start else "", ",;\t")
    header, rows, long = None, [], []
    for number, cells in csv_rows(text, delimiter):
        cells = plain(cells)
        if not any(cells):
            continue
        if header is None:
            while cells and not cells[-1]:
                cells.pop()
            header = cells
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
        raise ValueError(f"row {', '.join(long[:10])}: more cells than the header has columns")
    return header, rows, delimiter != ","


def to_float(cell, decimal_comma, where):
    """Read a number, or say where none is."""
    try:
        return float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        raise ValueError(f"{where}: {quoted(cell)} is not a number") from None


def to_whole(cell):
    """The whole number in a cell ("1" and "1.0" are both 1), or None where there is none.

    None also for those too large to be exact as floats: they are no labels.
    """
    try:
        number = float(cell)
        return int(number) if number == int(number) and abs(number) <= _EXACT else None
    except (ValueError, OverflowError):
        return None
