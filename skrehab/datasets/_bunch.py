"""A Bunch of trials that says what it holds, in place of all its arrays."""

import html
from contextlib import suppress

import numpy as np
from sklearn.utils import Bunch

_WIDTH = 80
_MOST_VALUES = 6  # of a column, named one by one


class TrialsBunch(Bunch):
    """A Bunch that shows itself as a heading and a line for each thing in it."""

    def __repr__(self):
        """Return what a terminal shows: what is in it, a line each."""
        width = max((len(str(key)) for key in self), default=0)
        lines = [f"{key!s:{width}}  {_what(value)}" for key, value in self.items()]
        return "\n".join([_heading(self), *(_short(f"  {line}") for line in lines)])

    def _repr_html_(self):
        """Return what notebooks show: the overview, and on a click what is in it."""
        lines = _overview(self) or [_heading(self)]
        keys = ", ".join(map(str, self))
        return (
            f"<pre>{html.escape(chr(10).join(lines))}</pre>"
            f"<details><summary><small>holds {html.escape(keys)}</small></summary>"
            f"<pre>{html.escape(repr(self))}</pre></details>"
        )


def _overview(data):
    from skrehab.datasets.overview import describe_trials

    try:
        rate = data.get("frame_rate")
        return describe_trials(data, rates=[float(rate)] if rate else None)
    except Exception:  # a Bunch may be changed to anything, and not all have labels called y
        return []


def _heading(data):
    """Say how many trials and people, by what is there."""
    trials = next((data[key] for key in ("X", "videos") if key in data), None)
    people = data.get("groups", data.get("subject"))
    parts = []
    with suppress(TypeError):  # None, or whatever was put there
        parts.append(_counted(len(trials), "trial", "trials"))
    with suppress(TypeError):
        if people is not None:
            names = np.unique(np.asarray(people).astype(str))
            parts.append(_counted(len(names), "person", "people"))
    return " of ".join(parts) or "nothing that is known as trials"


def _counted(number, one, many):
    return f"{number:,} {one if number == 1 else many}"


def _what(value):
    """Describe one thing in a line: how many and what, never all of it."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, np.ndarray) and value.ndim != 1:
        return f"array {value.shape}, {value.dtype}"
    if isinstance(value, np.ndarray | list | tuple):
        if len(value) and isinstance(value[0], np.ndarray):
            return f"{len(value):,} arrays, the first {value[0].shape}, {value[0].dtype}"
        if len(value) and not isinstance(value[0], str | int | float | np.generic):
            return f"{len(value):,} x {type(value[0]).__name__}"
        distinct = list(dict.fromkeys(np.asarray(value).tolist()))
        some = ", ".join(map(str, distinct[:_MOST_VALUES]))
        more = ", ..." if len(distinct) > _MOST_VALUES else ""
        return f"{len(value):,} values{': ' if some else ''}{some}{more}"
    return " ".join(str(value).split())


def _short(line):
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."
