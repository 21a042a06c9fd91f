"""Rows of a manifest: what is in their cells, and what is wrong with it."""

import difflib
import warnings
from typing import NamedTuple

import numpy as np

from skrehab.datasets._tables import (
    MAX_NAME,
    MAX_TRIALS,
    answer_key,
    clean,
    is_missing,
    is_rounded,
    is_sheet_error,
    is_unknown,
    open_table,
    quoted,
    same_key,
    to_float,
    to_whole,
)
from skrehab.trials import UNLABELLED

REQUIRED = ("path", "patient", "label")
OPTIONAL = (
    *("trial", "exercise", "side", "score", "frame_labels"),
    *("recording", "tier", "frame_rate"),
)
ALIKE = ("refuse", "same", "different")
_SHOWN = 10  # rows in one error message


class Row(NamedTuple):
    number: int  # as a spreadsheet shows it
    cells: dict
    decimal_comma: bool


class Problems:
    """Collects what is wrong, so that one error names every bad row."""

    def __init__(self, path):
        self.path, self.found = path, []

    def add(self, row, column, text):
        """Note what is wrong with a cell."""
        self.found.append((row.number, f"row {row.number}, column {column}: {text}"))

    def stop(self):
        """Raise what was found so far, if anything."""
        if not self.found:
            return
        lines = [text for _, text in sorted(self.found, key=lambda item: item[0])]
        more = len(lines) - _SHOWN
        end = [f"and {more} more"] if more > 0 else []
        raise ValueError("\n  ".join([f"{self.path}:", *lines[:_SHOWN], *end]))


def read_rows(path):
    """Rows of a manifest and its titles; the header must be right."""
    try:
        header, table, decimal_comma = open_table(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    titles = [title.lower() for title in header]
    known = REQUIRED + OPTIONAL
    missing = [name for name in REQUIRED if name not in titles]
    if missing:
        raise ValueError(
            f"{path}: the header has no column {', '.join(missing)}; it has {header}. Needed are "
            f"{', '.join(REQUIRED)}, and {', '.join(OPTIONAL)} may follow."
        )
    for title in titles:
        close = difflib.get_close_matches(title, [n for n in known if n not in titles], 1, 0.85)
        if title not in known and close:
            raise ValueError(f"{path}: column {title!r} is unknown. Did you mean {close[0]!r}?")
        if title in known and titles.count(title) > 1:
            raise ValueError(f"{path}: there are two columns {title!r}.")
    if not table:
        raise ValueError(f"{path}: there is no trial under the header.")
    if len(table) > MAX_TRIALS:
        raise ValueError(f"{path}: it lists {len(table):,} trials, the limit is {MAX_TRIALS:,}.")
    rows = [Row(number, dict(zip(titles, cells)), decimal_comma) for number, cells in table]
    for row in rows:  # arrays of text take as much for each row as for the longest
        for name in ("trial", "patient", "exercise", "side", "label"):
            if len(row.cells.get(name, "")) > MAX_NAME:
                raise ValueError(
                    f"{path}: row {row.number}, column {name}: {quoted(row.cells[name])} has more "
                    f"than {MAX_NAME:,} characters."
                )
    return rows, titles


def column(rows, name):
    """Names in a column, each in one spelling."""
    return np.array([clean(row.cells.get(name, "")) for row in rows], dtype=str)


def patients_of(rows, alike, problems):
    """Patients; the same person in two spellings is refused, or made one."""
    for row in rows:
        cell = row.cells["patient"]
        if not cell:
            problems.add(row, "patient", "is empty")
        elif is_sheet_error(cell) or cell.lower() == "nan" or is_unknown(cell) or _bare(cell):
            problems.add(row, "patient", f"{cell!r} names nobody")
        elif is_rounded(cell):
            problems.add(
                row,
                "patient",
                f"{cell!r} is a number that a spreadsheet has rounded, and several patients may "
                "have become one: make the column text, and enter the numbers again",
            )
    return np.array(one_spelling(rows, "patient", column(rows, "patient"), alike, problems))


def _bare(cell):
    return not any(letter.isalnum() for letter in cell)


def differ_little(names):
    """Say that two names look like one."""
    return (
        f"{names} differ only in case, blanks, dashes, look-alike letters, unseen marks or leading "
        "zeros: write one of them, or pass alike='same' or alike='different'"
    )


def one_spelling(rows, name, words, alike, problems):
    """Words of a column, where those that look alike are refused, made one or left alone."""
    first, out = {}, []
    for row, word in zip(rows, map(str, words)):
        other, word_of_it = first.setdefault(same_key(word), (row, word))
        if word != word_of_it and word and alike == "refuse":
            problems.add(
                row,
                name,
                differ_little(f"{word!r} and {word_of_it!r} in row {other.number}"),
            )
        out.append(word_of_it if alike == "same" else word)
    return out


def labels_of(rows, alike, problems):
    """Trial labels: all whole numbers, or all words."""
    cells = [clean(row.cells["label"]) for row in rows]
    numbers = [_number(cell, row) for cell, row in zip(cells, rows)]
    numeric = [number is not None for number in numbers]
    as_numbers = 2 * sum(numeric) > sum(cell != "" for cell in cells)  # what most rows hold
    wrong = len(problems.found)
    words = {cell for cell in cells if not _bare(cell)}
    for row, cell, number, is_number in zip(rows, cells, numbers, numeric):
        if not cell:
            problems.add(row, "label", "is empty; every trial needs a label")
        elif (is_missing(cell) or is_unknown(cell) or (_bare(cell) and len(words) > 1)) and not (
            as_numbers and is_number
        ):
            problems.add(
                row, "label", f"{cell!r} says that nothing is known; every trial needs one"
            )
        elif is_number != as_numbers:
            others = "whole numbers" if as_numbers else "words"
            problems.add(row, "label", f"{cell!r} among {others}")
        elif as_numbers and to_whole(str(number)) is None:
            problems.add(row, "label", f"{cell!r} is no whole number; scores have their own column")
        elif as_numbers and to_whole(str(number)) == UNLABELLED:
            problems.add(row, "label", "-1 stands for 'not labelled' and cannot be a label")
    if as_numbers and len(problems.found) == wrong:
        y = np.array([to_whole(str(number)) for number in numbers])
        _warn_of_scores(y, problems.path)
        return y
    if as_numbers:
        return np.array(cells)
    _refuse_two_answers(rows, cells, alike, problems)
    return np.array(one_spelling(rows, "label", cells, alike, problems))


def _refuse_two_answers(rows, cells, alike, problems):
    """Yes, y and ja are one answer; whoever fills in a table with others writes all of them."""
    first = {}
    for row, cell in zip(rows, cells):
        answer = answer_key(cell)
        if answer is None or alike != "refuse":
            continue
        other, word = first.setdefault(answer, (row, cell))
        if same_key(cell) != same_key(word):
            problems.add(
                row,
                "label",
                f"{cell!r} means what {word!r} in row {other.number} does: write one of them, or "
                "pass alike='different'",
            )


def _number(cell, row):
    try:
        return to_float(cell, row.decimal_comma, "")
    except ValueError:
        return None


def _warn_of_scores(y, path):
    """Labels name classes; many different numbers, or far apart ones, are rather scores."""
    known = np.unique(y)
    far = len(known) >= 3 and float(known[-1]) - float(known[0]) + 1 > 2 * len(known)
    if far or (len(known) >= 6 and 2 * len(known) > len(y)):
        shown = ", ".join(map(str, known[:8])) + (", ..." if len(known) > 8 else "")
        warnings.warn(
            f"{path}: column label holds {len(known)} different numbers in {len(y)} rows "
            f"({shown}). Each is taken as a class of its own. If they are scores, call their "
            "column 'score'.",
            UserWarning,
            stacklevel=4,
        )


def scores_of(rows, problems):
    """Scores, NaN where empty."""
    scores = np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        cell = row.cells["score"]
        try:
            scores[i] = to_float(cell, row.decimal_comma, "") if cell else np.nan
            if np.isinf(scores[i]):
                raise ValueError
        except ValueError:
            problems.add(row, "score", f"{cell!r} is not a number")
    return scores


def rates_of(rows, frame_rate, problems):
    """Frames a second of each row: its own, or what holds for all; None where nothing is said."""
    rates = []
    for row in rows:
        cell, rate = row.cells.get("frame_rate", ""), frame_rate
        if cell:
            try:
                rate = to_float(cell, row.decimal_comma, "")
                if not 0 < rate < np.inf:
                    raise ValueError
            except ValueError:
                problems.add(row, "frame_rate", f"{cell!r} is no number of frames a second")
        rates.append(rate)
    return rates
