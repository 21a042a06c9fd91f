"""CSV as people save it: with or without a byte order mark, with commas, semicolons or tabs."""

import csv
import io
from pathlib import Path


def refuse_pipe(path):
    """Refuse what is neither file nor folder: reading a pipe can wait for ever."""
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError("it is a pipe or a device, not a file")


def check_text(text):
    """Refuse text with zero bytes: a hole in a damaged file, or an encoding of two bytes."""
    if "\0" in text:
        raise ValueError("it holds zero bytes: it is damaged, or not UTF-8 text")


def check_end(text, number, cells, width):
    """Refuse a last row that stops in its middle: few cells, and no line break after them."""
    if len(cells) < width and not text.endswith(("\n", "\r")):
        raise ValueError(
            f"row {number}, the last, has {len(cells)} of {width} cells: the file is cut short"
        )


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
        If the file is not UTF-8, has no header, or a row has more cells than the header.
    """
    refuse_pipe(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'"
        ) from error
    check_text(text)
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
        last = number, cells
        rows.append((number, (cells + [""] * len(header))[: len(header)]))
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
        raise ValueError(f"{where}: {cell!r} is not a number") from None


def to_whole(cell):
    """The whole number in a cell ("1" and "1.0" are both 1), or None where there is none."""
    try:
        number = float(cell)
        return int(number) if number == int(number) else None
    except (ValueError, OverflowError):
        return None
