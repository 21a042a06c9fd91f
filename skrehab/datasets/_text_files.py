"""Text of published data sets, a trial a file: no longer than a recording is, line by line."""

from skrehab.formats._bounds import check_text, read_bytes

__all__ = ["MAX_BYTES", "MAX_LINE", "MAX_LINES", "read_lines"]

MAX_BYTES = 64 * 2**20  # an hour of 25 joints has about half
MAX_LINES = 1_000_000
MAX_LINE = 131_072  # characters, as of a cell


def read_lines(file, errors="strict"):
    """Read the lines of a small text file.

    Parameters
    ----------
    file : Path
        UTF-8 text, with a mark or without.
    errors : str, default="strict"
        What becomes of other bytes, as for :func:`open`.

    Yields
    ------
    tuple of (int, str)
        Number, from 1, and line without blanks around it; empty ones are left out.

    Raises
    ------
    ValueError
        If it is too large, has too many lines or too long ones, or is no text; the message names
        the file.
    """
    try:
        text = read_bytes(file, MAX_BYTES, "a text file of one recording")
        text = text.decode("utf-8-sig", errors=errors)
        check_text(text)
    except UnicodeDecodeError as error:
        raise ValueError(f"{file.name} is not UTF-8 text (byte {error.start})") from None
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") >= MAX_LINES:
        raise ValueError(f"{file.name} has more than the {MAX_LINES:,} lines that are read")
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE:
            raise ValueError(
                f"{file.name}, line {number}: it has {len(line):,} characters, and the limit is "
                f"{MAX_LINE:,}"
            )
        if line := line.strip():
            yield number, line
