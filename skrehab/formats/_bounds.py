"""How much a file may hold. Everything that reads text asks here before it makes room for it.

The limits lie above what hours of recordings need, and below what ends a process.
"""

import csv
import io
import json
import os
import re
from pathlib import Path

import numpy as np

MAX_TEXT_BYTES = 256 * 2**20  # a table: five hours of 33 landmarks, one row a frame
MAX_JSON_BYTES = 128 * 2**20
MAX_XML_BYTES = 64 * 2**20
MAX_CELL = 131_072  # characters; also what Python's csv module allows by itself
MAX_ROWS = 8_000_000
MAX_CELLS = 32_000_000  # with those that rows leave out at their end
MAX_DEPTH = 100  # of elements in XML, of lists and objects in JSON
MAX_ELEMENTS = 1_000_000  # of an XML file
MAX_VALUES = 16_000_000  # lists, objects and what they hold in a JSON file
MAX_POINTS = 32_000_000  # frames times landmarks of a pose
MAX_TRIALS = 100_000  # of a manifest
MAX_NAME = 1000  # characters of a trial, a landmark, a patient
MAX_DIGITS = 15  # of a whole number: more are not exact as floats
_SHOWN = 60

_NO_TEXT = {
    b"PK\x03\x04": "an Excel workbook or another archive: give a workbook the ending .xlsx, or "
    "save its sheet as 'CSV UTF-8'",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password: save it as .xlsx "
    "or as 'CSV UTF-8'",
    b"%PDF": "a PDF",
}

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SIGNED = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}


# --- files ----------------------------------------------------------------------------------------
def refuse_pipe(path):
    """Refuse what is neither file nor folder: reading a pipe can wait for ever."""
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ValueError("it is a pipe or a device, not a file")


def read_bytes(path, limit, what="a text file"):
    """Read a file that is no larger than it may be."""
    refuse_pipe(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise ValueError(f"it is too large for {what}: {size:,} bytes, the limit is {limit:,}")
        return file.read()


def read_text(path, hint=""):
    """Read UTF-8 text, or UTF-16 with its mark; line breaks stay as they are."""
    content = read_bytes(path, MAX_TEXT_BYTES)
    for start, what in _NO_TEXT.items():
        if content.startswith(start):
            raise ValueError(f"it is no text, but {what}")
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")  # "Unicode text" of a spreadsheet
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (byte {error.start}){hint}") from error
    check_text(text)
    return text


def check_text(text):
    """Refuse text with zero bytes: a hole in a damaged file, or an encoding of two bytes."""
    if "\0" in text:
        raise ValueError("it holds zero bytes: it is damaged, or not UTF-8 text")


# --- tables ---------------------------------------------------------------------------------------
def csv_rows(text, delimiter=",", most=MAX_CELLS, **options):
    """Yield (number, cells) of each record; errors name the row.

    Numbered as records, so that a line break inside a quoted cell does not shift the count.

    Parameters
    ----------
    text : str or iterable of str
        The text, or its lines with their breaks.
    most : int, default=MAX_CELLS
        Cells that it may have; those who keep none of them may take more.
    delimiter, **options
        As for :func:`csv.reader`.
    """
    lines = io.StringIO(text, newline="") if isinstance(text, str) else text
    # strict: a quotation mark that stays open would swallow all rows after it
    reader = csv.reader(lines, delimiter=delimiter, strict=True, **options)
    number = n_cells = width = 0
    while True:
        number += 1
        before = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            kind = OpenQuote if "data" in str(error) or "expected" in str(error) else ValueError
            raise kind(f"row {number}: {_said(error)}") from None
        n_cells += max(len(cells), 1)
        if n_cells > most:
            raise ValueError(f"row {number:,}: more cells than the {most:,} that a table may have")
        if cells and len(max(cells, key=len)) > MAX_CELL:
            raise ValueError(f"row {number}: a cell has more than {MAX_CELL:,} characters")
        if reader.line_num - before > 1:
            _check_lines(cells, delimiter, width or len(cells), number)
        width = width or (sum(map(bool, cells)) and len(cells))
        yield number, cells


class OpenQuote(ValueError):
    """A quotation mark without its other half."""


_OPEN_QUOTE = (
    'a quotation mark (") is left open, and would swallow the rows after it: take it away, or '
    'write the whole cell in quotation marks and "" for one inside'
)


def _said(error):
    """What was wrong with a record, in words that name the quotation mark where it is one."""
    text = str(error)
    if "field limit" in text:
        return (
            f'a cell has more than {csv.field_size_limit():,} characters; is a quotation mark (") '
            "left open?"
        )
    if "unexpected end of data" in text or "expected after" in text:
        return _OPEN_QUOTE
    return text


def _check_lines(cells, delimiter, width, number):
    """Refuse a cell of several lines if one looks like a row: two marks that met by chance."""
    cut = re.compile(re.escape(delimiter) + "(?! )")  # prose has blanks behind its commas
    for cell in cells:
        lines = cell.splitlines()[1:] if "\n" in cell or "\r" in cell else []
        if any(sum(map(bool, cut.split(line))) >= max(2, min(width, 3)) for line in lines):
            raise OpenQuote(
                f"row {number}: a cell in quotation marks holds a whole row. Either {_OPEN_QUOTE}"
            )


def check_name(name, where):
    """Refuse a name so long that arrays of names would take all memory."""
    if len(name) > MAX_NAME:
        raise ValueError(f"{where}: {quoted(name)} has more than {MAX_NAME:,} characters")
    return name


# --- JSON -----------------------------------------------------------------------------------------
def read_json(path):
    """Read any JSON file, or say that it is none.

    Whole numbers of more than 300 digits are refused, and depth and number of values are counted
    before anything is built.
    """
    content = read_bytes(path, MAX_JSON_BYTES, "key-points in JSON")
    if content[:3] == b"\xef\xbb\xbf":
        content = content[3:]
    bare = np.frombuffer(_STRING.sub(b"", content), dtype=np.uint8)
    marks = bare[np.isin(bare, np.frombuffer(b"[{]},", dtype=np.uint8))]
    steps = np.zeros(len(marks), dtype=np.int64)
    steps[(marks == ord("[")) | (marks == ord("{"))] = 1
    n_values = int(steps.sum()) + int((marks == ord(",")).sum())
    if n_values > MAX_VALUES:
        raise ValueError(f"it holds {n_values:,} values, and the limit is {MAX_VALUES:,}")
    steps[(marks == ord("]")) | (marks == ord("}"))] = -1
    if len(steps) and steps.cumsum().max() > MAX_DEPTH:
        raise ValueError(f"it is not JSON of key-points: nested more than {MAX_DEPTH} deep")
    try:
        return json.loads(content.decode("utf-8"), parse_int=_json_int)
    except _TooLong:
        raise
    except (ValueError, RecursionError) as error:  # also what is not UTF-8
        raise ValueError(f"it is not JSON ({error})") from error


class _TooLong(ValueError):
    """A number that no float holds."""


def _json_int(text):
    if len(text) > 300:  # as a float, it would be infinite
        raise _TooLong(f"it holds the number {text[:10]}... of {len(text):,} digits")
    return int(text)


def kind_of(value):
    """Say of a JSON value what it is."""
    if value is None:
        return "null"
    return _KINDS.get(type(value), f"the number {quoted(value)}")


def numbers_of(values, where, name):
    """Turn a JSON list, or lists in it, into a flat array of floats."""
    try:
        if not isinstance(values, list):
            raise TypeError
        return np.array(values, dtype=float).ravel()
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where}: {name!r} must be numbers") from None


# --- numbers --------------------------------------------------------------------------------------
def to_int(text):
    """Read a whole number of a length that every float holds; else a ValueError."""
    if not isinstance(text, str) or not _SIGNED.fullmatch(text):
        raise ValueError(f"{quoted(text)} is no whole number")
    if len(text.strip().lstrip("+-0")) > MAX_DIGITS:
        raise ValueError(f"{quoted(text)} has more than {MAX_DIGITS} digits")
    return int(text)


def check_points(n_frames, n_landmarks):
    """Refuse a pose that would take all memory, before room is made for it."""
    if n_frames * n_landmarks > MAX_POINTS:
        raise ValueError(
            f"{n_frames:,} frames of {n_landmarks:,} landmarks are more than the "
            f"{MAX_POINTS:,} points that one pose may have"
        )


def quoted(value):
    """Quote a value in an error, shortened where it is long."""
    text = value if isinstance(value, str) else repr(value)
    if len(text) > _SHOWN:
        return f"{text[:_SHOWN]!r}..." if isinstance(value, str) else f"{text[:_SHOWN]}..."
    return repr(value)
