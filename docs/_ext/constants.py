"""Sentences on constants: the comment above one (``#: ...``), wherever a room takes it from."""

import importlib
import pkgutil

from sphinx.pycode import ModuleAnalyzer


def setup(app):
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", put_comment)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def put_comment(app, what, name, obj, options, lines):
    """Replace what Python says of every tuple or number by what is said of this one."""
    if what == "data" and type(obj).__module__ == "builtins":
        room, _, constant = name.rpartition(".")
        lines[:] = comment_of(room, constant).splitlines()


def comment_of(room, constant):
    """Find the comment above a constant, in a module or in those of a package that offers it.

    Raises
    ------
    LookupError
        If there is none: every public constant needs one.
    """
    package = importlib.import_module(room)
    places = [room]
    for found in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{room}."):
        places.append(found.name)
    for place in places:
        comments = ModuleAnalyzer.for_module(place).find_attr_docs()
        # another module may have a constant of this name, and another value
        if ("", constant) in comments:
            its_own = getattr(importlib.import_module(place), constant)
            if its_own is getattr(package, constant):
                return "\n".join(comments["", constant])
    raise LookupError(f"{room}.{constant} has no comment: write '#: What it is.' above it.")
