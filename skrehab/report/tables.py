"""Turn a Table into HTML: numbers right-aligned, the best ones emphasised."""

import html
import math
import numbers
import re
from collections.abc import Mapping

import numpy as np

from skrehab._shown import shown


def escape(text):
    """Make text safe inside HTML, in an element as in an attribute, and all of it visible."""
    parts = re.split(r"(\r\n|[\n\t])", str(text))  # the divisions stand at odd places
    parts[::2] = map(shown, parts[::2])
    return html.escape("".join(parts), quote=True)


def table_html(table):
    """Return the HTML of a table, in a box that scrolls where the page is too narrow."""
    headers = table.columns
    if not isinstance(headers, Mapping):
        headers = {column: column for column in headers}
    for column in (*table.best, *table.formats):
        if column not in headers:
            raise ValueError(
                f"Table {table.caption!r} has no column {column!r}; it has {list(headers)}."
            )
    numeric = {column: any(_is_number(row.get(column)) for row in table.rows) for column in headers}
    best = {column: _best(table, column, which) for column, which in table.best.items()}
    head = "".join(
        f'<th scope="col"{_CLASS_NUMBER if numeric[column] else ""}>{escape(header)}</th>'
        for column, header in headers.items()
    )
    body = []
    for row in table.rows:
        cells = []
        for position, column in enumerate(headers):
            cell, shown = format_cell(row.get(column), table.formats.get(column))
            if shown is not None and shown == best.get(column):
                cell = f'<strong>{cell}<span class="unseen"> (best)</span></strong>'
            align = _CLASS_NUMBER if numeric[column] else ""
            tag = f'th scope="row"{align}' if position == 0 else f"td{align}"
            cells.append(f"<{tag}>{cell}</{tag.split()[0]}>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    label = escape(table.caption)
    return "\n".join(
        [
            f'<div class="scroll" role="region" aria-label="{label}" tabindex="0">',
            f"<table><caption>{label}</caption>",
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *body,
            "</tbody></table></div>",
        ]
    )


_CLASS_NUMBER = ' class="number"'


def _is_number(value):
    if isinstance(value, tuple) and len(value) == 2:
        return all(part is None or _is_number(part) for part in value)
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _best(table, column, which):
    """Return what the best number of a column looks like: what reads the same is as good."""
    if which not in ("max", "min"):
        raise ValueError(f"best[{column!r}] must be 'max' or 'min', got {which!r}.")
    values = [row.get(column) for row in table.rows if _is_number(row.get(column))]
    values = [value[0] if isinstance(value, tuple) else value for value in values]
    values = [value for value in values if value is not None and math.isfinite(value)]
    if not values:
        return None
    return _number((max if which == "max" else min)(values), table.formats.get(column))


def format_cell(value, spec):
    """Return a cell's HTML and, of a number, how it reads without its deviation."""
    if isinstance(value, tuple) and _is_number(value):
        mean, sd = (_number(part, spec) for part in value)
        if mean is None:
            return _UNDEFINED, None
        return (mean if sd is None else f"{mean} ± {sd}"), mean
    if value is None or _is_number(value):
        shown = None if value is None else _number(value, spec)
        return (_UNDEFINED if shown is None else shown), shown
    if isinstance(value, bool | np.bool_):
        return ("yes" if value else "no"), None
    return escape(value), None


_UNDEFINED = (
    '<span class="muted" aria-hidden="true">\N{EN DASH}</span><span class="unseen">undefined</span>'
)


def _number(value, spec):
    if value is None or math.isnan(value):
        return None
    spec = spec or ("," if isinstance(value, numbers.Integral) else ".3f")
    return escape(format(value, spec)).replace("-", "\N{MINUS SIGN}")
