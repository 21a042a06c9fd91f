"""Rows of numbers in text files, checked: what the readers of skeleton files share."""

import numpy as np

from skrehab.formats._bounds import csv_rows, read_text

MOST = 500_000_000  # cells of one file, none of which is kept as text


def number_rows(file, width, delimiter=","):
    """Read a file of numbers without a header.

    Parameters
    ----------
    file : path
        The file.
    width : int
        Numbers a row; empty rows are passed over.
    delimiter : str, default=","
        Between two numbers; ``" "`` is any number of blanks.

    Returns
    -------
    ndarray of shape (n_rows, width), dtype float64
        The numbers; a cell that is empty or ``nan`` is NaN.

    Raises
    ------
    ValueError
        If a row has another width or a cell is no number; the message names file and row.
    """
    values = []
    for number, cells in _rows(read_text(file), delimiter):
        if len(cells) == width + 1 and not cells[-1].strip():
            cells = cells[:-1]
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != width:
            raise ValueError(f"{file.name}, row {number}: {len(cells)} values, expected {width}")
        values.append(to_numbers(cells, f"{file.name}, row {number}"))
    if not values:
        raise ValueError(f"{file.name} holds no row of numbers")
    return np.array(values)


def _rows(text, delimiter):
    if delimiter == " ":
        return ((number, line.split()) for number, line in enumerate(text.splitlines(), start=1))
    return csv_rows(text, delimiter, most=MOST)


def to_numbers(cells, where):
    """Turn cells into finite numbers or NaN."""
    try:
        values = [float(cell) if cell.strip() else np.nan for cell in cells]
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if np.isinf(values).any():
        raise ValueError(f"{where}: infinite values")
    return values


def finite_trial(pose, name):
    """Return a trial as float32, or say that nobody is seen in it."""
    if not len(pose) or np.isnan(pose).all():
        raise ValueError(f"{name}: no joint is seen in any frame")
    return pose.astype(np.float32)
