"""Files that others write and read: poses, and intervals with labels.

:func:`read_pose` and :func:`write_pose` choose by the file's ending, :func:`read_intervals` and
:func:`write_intervals` also by what a table's header says. Each format has one file here. Names are
loaded on first use.
"""

import importlib

# public name -> module that holds it
_PUBLIC = {
    "PoseFile": "poses",
    "read_pose": "poses",
    "write_pose": "poses",
    "read_long_table": "tables",
    "write_long_table": "tables",
    "read_intervals": "intervals",
    "write_intervals": "intervals",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
