"""Tables as people save them; see :mod:`skrehab.formats`."""

from skrehab.formats._bounds import MAX_NAME, MAX_TRIALS, quoted
from skrehab.formats._names import (
    alike_key,
    answer_key,
    clean,
    is_missing,
    is_rounded,
    is_sheet_error,
    is_unknown,
    same_key,
)
from skrehab.formats._tables import first_row, how_written, open_table, to_float, to_whole

__all__ = [
    "MAX_NAME",
    "MAX_TRIALS",
    "alike_key",
    "answer_key",
    "clean",
    "first_row",
    "how_written",
    "is_missing",
    "is_rounded",
    "is_sheet_error",
    "is_unknown",
    "open_table",
    "quoted",
    "same_key",
    "to_float",
    "to_whole",
]
