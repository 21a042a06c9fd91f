"""CSV as people save it: with or without a byte order mark, with commas, semicolons or tabs."""

import csv
import io
from pathlib import Path


def open_table(path):
    """Read a CSV file with a header.

    Parameters
    ----------
    path : str or path-like
        UTF-8 text; cells are separated by commas, or by semicolons or tabs where the header has
        more of these.

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
        If the file is not UTF-8, has no header, or a row has more cells than the header.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'"
        ) from error
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)  # the comma where none occurs
    header, rows, long = None, [], []
    # numbered as records, so that a line break inside a quoted cell does not shift the count
    for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), start=1):
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if header is None:
            while cells and not cells[-1]:
                cells.pop()
            header = cells
            continue
        if any(cells[len(header) :]):
            long.append(str(number))
        rows.append((number, (cells + [""] * len(header))[: len(header)]))
    if header is None:
        raise ValueError("it is empty")
    if long:
        raise ValueError(f"row {', '.join(long[:10])}: more cells than the header has columns")
    return header, rows, delimiter != ","


def to_float(cell, decimal_comma, where):
    """Read a number, or say where none is."""
    try:
        return float(cell.replace(",", ".") if decimal_comma else cell)
    except ValueError:
        raise ValueError(f"{where}: {cell!r} is not a number") from None


def to_whole(cell):
    """The whole number in a cell ("1" and "1.0" are both 1), or None where there is none."""
    try:
        number = float(cell)
        return int(number) if number == int(number) else None
    except (ValueError, OverflowError):
        return None
