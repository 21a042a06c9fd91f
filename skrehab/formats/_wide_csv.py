"""Tables with one row a frame and columns NAME_x, NAME_y, NAME_z, NAME_visibility."""

import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.formats._bounds import check_name, check_points, quoted
from skrehab.formats._clock import read_clock, time_unit
from skrehab.formats._headers import (
    FRAME_TITLES,
    INDEX_TITLES,
    PERSON_TITLES,
    PICTURE_TITLES,
    RECORDING_TITLES,
    split_title,
    state_score,
)
from skrehab.formats._names import SeveralRecordings, alike_key, clean
from skrehab.formats._numbering import one_recording, split_names
from skrehab.formats._pose_file import as_read, frame_times, named, shortest
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import open_table, to_value, to_whole


def read_wide_csv(path, frame_rate=None, trial=None):
    """Read landmarks, names, scores, and times or frame numbers; an empty cell is a lost landmark.

    Tables of DeepLabCut, whose header has three or four rows, and of SLEAP are read, too.
    """
    header, rows, decimal_comma = open_table(path, whole=True)
    header, rows = _of_deeplabcut(header, rows, trial)
    header, rows = _one_recording(header, rows, trial)
    columns, time_column, frame_column = _columns(header, path)
    if frame_column is None and header[0].lower() in INDEX_TITLES:
        frame_column = 0 if _is_index([cells[0] for _, cells in rows]) else None
    if frame_column is not None and header[frame_column].lower() in PICTURE_TITLES:
        # one file for all rows is the video, and no picture
        many = len({cells[frame_column] for _, cells in rows}) > 1
        frame_column = frame_column if many else None
    kinds = {name: tuple(_order(found)) for name, found in columns.items()}
    coordinates = next(iter(kinds.values()))
    odd = [name for name, kind in kinds.items() if kind != coordinates]
    if odd or coordinates[:2] != ("x", "y"):
        name = odd[0] if odd else next(iter(kinds))
        raise ValueError(
            f"landmark {quoted(name)} has columns {kinds[name]}; all landmarks need the "
            "same, x and y at least"
        )
    order = [columns[name][c] for name in columns for c in coordinates]
    states = {columns[name]["state"] for name in columns} if "state" in coordinates else set()
    check_points(len(rows), len(header))
    for name in columns:
        check_name(name, "its header")
    values = np.full((len(rows), len(header)), np.nan)
    for i, (line, cells) in enumerate(rows):
        for j in order:
            if not cells[j]:
                continue
            where = f"row {line}, column {header[j]}"
            if j in states:
                values[i, j] = state_score(cells[j], where)
            else:
                values[i, j] = to_value(cells[j], decimal_comma, where)
    pose = values[:, order].reshape(len(rows), len(columns), len(coordinates))
    coords = tuple("score" if c in ("score", "state") else c for c in coordinates)
    names, times, unit = tuple(columns), None, ""
    if time_column is not None:
        unit = time_unit(header[time_column])
        title = header[time_column]
        cells = [(line, row[time_column]) for line, row in rows]
        times = [_time(cell, decimal_comma, f"row {line}, column {title}") for line, cell in cells]
    elif frame_column is not None:
        cells = [(line, cells[frame_column]) for line, cells in rows]
        numbers = _frame_numbers(cells)
        at = np.argsort(numbers, kind="stable")
        if len(set(numbers)) < len(numbers):
            same = numbers[at[np.flatnonzero(np.diff(np.asarray(numbers)[at]) == 0)[0]]]
            raise ValueError(f"two rows hold frame {same}")
        pose, times = pose[at], frame_times(np.asarray(numbers)[at], frame_rate)
        unit = "s"
    return as_read(pose, times, names, coords, unit)


def _order(found):
    return [c for c in ("x", "y", "z", "score", "state") if c in found]


def _columns(header, path):
    """Map landmarks to their columns, and find those of times and frames."""
    time_column = frame_column = picture_column = None
    columns, unread = {}, []
    for j, title in enumerate(header):
        part = split_title(title)
        if time_unit(title) is not None:
            time_column = j if time_column is None else time_column
        elif title.lower() in FRAME_TITLES:
            frame_column = j if frame_column is None else frame_column
        elif title.lower() in PICTURE_TITLES:
            picture_column = j if picture_column is None else picture_column
        elif part is not None:
            name, kind = part
            found = columns.setdefault(name, {})
            if kind in found:
                raise ValueError(f"there are two columns {quoted(title)}")
            found[kind] = j
        else:
            unread.append(title)
    for name, found in columns.items():
        scores = sorted(kind for kind in found if kind.startswith("score:"))
        kept = {"score": found[scores[0]]} if scores else {}
        if scores:
            found.pop("state", None)
        columns[name] = {k: j for k, j in found.items() if not k.startswith("score:")} | kept
    places = {name: found for name, found in columns.items() if set(found) - {"score", "state"}}
    if not places:
        raise ValueError("its header names no landmark: columns NAME_x, NAME_y, ... are needed")
    of_landmarks = [t for t in unread if any(t.startswith((f"{n}_", f"{n}.")) for n in places)]
    if of_landmarks:
        warnings.warn(
            f"{Path(path).name}: not read are the columns {', '.join(of_landmarks[:5])}"
            + (", ..." if len(of_landmarks) > 5 else ".")
            + " Scores are called NAME_score, NAME_likelihood, NAME_confidence or NAME_visibility.",
            UserWarning,
            stacklevel=4,
        )
    return places, time_column, picture_column if frame_column is None else frame_column


def _time(cell, decimal_comma, where):
    return np.nan if not cell else read_clock(cell, where, decimal_comma)


def _is_index(cells):
    numbers = [to_whole(cell) for cell in cells]
    return None not in numbers and all(a < b for a, b in pairwise(numbers))


def _frame_numbers(cells):
    """Frame numbers, or those in the names of pictures."""
    numbers = [to_whole(cell) for _, cell in cells]
    if None in numbers:
        bad = next(i for i, number in enumerate(numbers) if number is None)
        line, cell = cells[bad]
        if "." not in cell or not any(c.isalpha() for c in cell):
            raise ValueError(f"row {line}: {quoted(cell)} is no frame number")
        recordings, numbers = split_names([cell for _, cell in cells])
        one_recording(recordings, None)
    return numbers


def _one_recording(header, rows, trial):
    """Keep the rows of one recording, and of one person, where a column tells them apart."""
    titles = [title.lower() for title in header]
    for group in (RECORDING_TITLES, PERSON_TITLES):
        for j in (titles.index(title) for title in group if title in titles):
            names = list(dict.fromkeys(clean(cells[j]) for _, cells in rows if cells[j]))
            pictures = titles[j] in PICTURE_TITLES and len(names) == len(rows)
            if len(names) < 2 or pictures:
                continue
            wanted = [name for name in names if alike_key(name) == alike_key(str(trial))]
            if trial is None or len(wanted) != 1:
                raise SeveralRecordings(
                    f"column {header[j]} names {len(names)} recordings or people, so pass trial=, "
                    f"one of {', '.join(names[:10])}"
                )
            rows = [(line, cells) for line, cells in rows if clean(cells[j]) == wanted[0]]
            return header, rows
    return header, rows


def _of_deeplabcut(header, rows, trial):
    """Turn DeepLabCut's header of several rows into one; other tables stay as they are."""
    if not header or header[0].lower() != "scorer":
        return header, rows
    levels, at = {"scorer": header}, 0
    while at < len(rows) and rows[at][1][0].lower() in ("individuals", "bodyparts", "coords"):
        levels[rows[at][1][0].lower()] = rows[at][1]
        at += 1
    if not {"bodyparts", "coords"} <= set(levels):
        raise ValueError("it is no whole table of DeepLabCut: rows bodyparts and coords are needed")
    # in older files the picture's name takes three columns
    first = next(j for j, cell in enumerate(levels["coords"][1:], 1) if cell)
    titles = ["frame", *[""] * (first - 1)]
    titles += [f"{b}_{c}" for b, c in zip(levels["bodyparts"][first:], levels["coords"][first:])]
    keep = list(range(len(titles)))
    people = levels.get("individuals")
    if people is not None:
        known = list(dict.fromkeys(people[first:]))
        wanted = [one for one in known if alike_key(one) == alike_key(str(trial))]
        if len(known) > 1 and not wanted:
            raise SeveralRecordings(
                f"it holds {len(known)} individuals, so pass trial=, one of {', '.join(known)}"
            )
        one = (wanted or known)[0]
        keep = [*range(first), *(j for j in keep[first:] if people[j] == one)]
    body = []
    for line, cells in rows[at:]:
        cells = [_joined(cells[:first]), *[""] * (first - 1), *cells[first:]]
        body.append((line, [cells[j] for j in keep]))
    return [titles[j] for j in keep], body


def _joined(cells):
    return "/".join(cell for cell in cells if cell)


def write_wide_csv(path, pose):
    """Write one row a frame."""
    names = named(pose, "A CSV file")
    titles = [
        f"{name}_{'visibility' if c == 'score' else c}" for name in names for c in pose.coords
    ]
    times = [] if pose.timestamps is None else ["time"]
    rows = (
        ([repr(float(pose.timestamps[i]))] if times else []) + shortest(frame)
        for i, frame in enumerate(pose.pose)
    )
    with written(path, text=True) as file:
        put_rows(file, [times + titles])
        put_rows(file, rows)
