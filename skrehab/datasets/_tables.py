"""CSV as people save it; see :mod:`skrehab.formats`."""

from skrehab.formats._bounds import MAX_NAME, MAX_TRIALS, quoted
from skrehab.formats._tables import open_table, to_float, to_whole

__all__ = ["MAX_NAME", "MAX_TRIALS", "open_table", "quoted", "to_float", "to_whole"]
