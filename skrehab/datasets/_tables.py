"""CSV as people save it; see :mod:`skrehab.formats`."""

from skrehab.formats._tables import open_table, to_float, to_whole

__all__ = ["open_table", "to_float", "to_whole"]
