"""Files that others write and read: poses, and intervals with labels.

:func:`read_pose` and :func:`write_pose` choose by the file's ending, :func:`read_intervals` and
:func:`write_intervals` also by what a table's header says. Each format has one file here. Names are
loaded on first use.
"""

from skrehab._optional import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "PoseFile": "poses",
        "read_intervals": "intervals",
        "read_long_table": "tables",
        "read_pose": "poses",
        "write_intervals": "intervals",
        "write_long_table": "tables",
        "write_pose": "poses",
    },
)
