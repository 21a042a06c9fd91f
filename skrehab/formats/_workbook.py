"""Excel workbooks (.xlsx) as rows of text, through openpyxl."""

import datetime
import re
import warnings
import zipfile
from pathlib import Path

from skrehab._optional import require
from skrehab.formats._bounds import MAX_CELLS, MAX_ROWS, MAX_TEXT_BYTES, refuse_pipe

WORKBOOKS = (".xlsx", ".xlsm")
_ROW = re.compile(rb"<(?:\w+:)?row\s([^>]*)>")
_NUMBER = re.compile(rb'(?<![\w:])r="(\d{1,7})"')
_HIDDEN = re.compile(rb'(?<![\w:])hidden="(?:1|true)"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"')


def is_workbook(path):
    """Whether a file's ending says that it is a workbook."""
    return Path(path).suffix.lower() in WORKBOOKS


def workbook_rows(path):
    """Rows (number, cells as text) of a workbook's first sheet; more sheets bring a warning.

    Formulas give the values that Excel has computed last.
    """
    openpyxl = require("openpyxl", "excel", "to read Excel workbooks")
    check_workbook(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles that openpyxl does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a damaged archive fails in many ways
        raise ValueError(f"it is an Excel workbook that cannot be read ({error})") from error
    try:
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not sheets:
            raise ValueError("it is an Excel workbook without a visible sheet")
        if len(sheets) > 1:
            warnings.warn(
                f"{Path(path).name} has {len(sheets)} sheets; read is the first one, "
                f"{sheets[0].title!r}.",
                UserWarning,
                stacklevel=4,
            )
        sheets[0].reset_dimensions()  # some programs state a wrong one
        rows, n_cells = [], 0
        for number, cells in enumerate(sheets[0].iter_rows(values_only=True), 1):
            rows.append((number, [_text(value) for value in cells]))
            n_cells += max(len(cells), 1)
            if n_cells > MAX_CELLS or number > MAX_ROWS:
                raise ValueError(f"row {number:,}: more than a table may have")
        hidden, merged = _layout(sheets[0])
        _fill_merged(rows, merged)
        if hidden:
            shown = ", ".join(map(str, hidden[:10])) + (", ..." if len(hidden) > 10 else "")
            warnings.warn(
                f"{Path(path).name}: rows that are hidden in the sheet are read like the others: "
                f"{shown}.",
                UserWarning,
                stacklevel=4,
            )
        return rows
    except (KeyError, TypeError, SyntaxError, zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"it is an Excel workbook that cannot be read ({error})") from error
    finally:
        book.close()


def _layout(sheet):
    """Numbers of hidden rows, and the merged cells: column, first and last row, from 1.

    openpyxl tells neither where it reads row by row.
    """
    with sheet._get_source() as file:
        text = file.read()
    hidden = []
    for tag in _ROW.finditer(text):
        number = _NUMBER.search(tag[1])
        if number and _HIDDEN.search(tag[1]):
            hidden.append(int(number[1]))
    merged = [(_column(m[1]), int(m[2]), int(m[3])) for m in _MERGED.finditer(text)]
    return hidden, merged


def _fill_merged(rows, merged):
    """Give each row what is seen in it where cells are merged downwards; the file has it once."""
    header = next((number for number, cells in rows if any(cells)), 0)
    n_cells = 0
    for column, first, last in merged:
        if not header < first < last:  # titles may be merged, too
            continue
        last = min(last, len(rows))
        n_cells += max(0, last - first)
        if n_cells > MAX_CELLS:
            raise ValueError("it has more merged cells than a table may have")
        cells = rows[first - 1][1] if first <= len(rows) else []
        value = cells[column - 1] if column <= len(cells) else ""
        for _, cells in rows[first:last]:
            if len(cells) >= column and not cells[column - 1]:
                cells[column - 1] = value


def _column(letters):
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def check_workbook(path, most=MAX_TEXT_BYTES):
    """Refuse what is no workbook, or unpacks to more than a table may have."""
    refuse_pipe(path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            names = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise ValueError(f"it is no Excel workbook ({error}); is it a CSV file?") from error
    if size > most:
        raise ValueError(f"it is too large for a workbook: {size:,} bytes when unpacked")
    if "[Content_Types].xml" not in names:
        raise ValueError("it is no Excel workbook, but another archive")


def _text(value):
    """A cell as a CSV file would hold it; whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)
