"""Excel workbooks (.xlsx) as rows of text, through openpyxl."""

import datetime
import warnings
import zipfile
from pathlib import Path

from skrehab._optional import require
from skrehab.formats._bounds import MAX_CELLS, MAX_ROWS, MAX_TEXT_BYTES, refuse_pipe

WORKBOOKS = (".xlsx", ".xlsm")


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
        return rows
    except (KeyError, TypeError, SyntaxError, zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"it is an Excel workbook that cannot be read ({error})") from error
    finally:
        book.close()


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
