"""Tables in long form, CSV or Parquet: one row a landmark, a frame and a trial."""

import re
from pathlib import Path

import numpy as np

from skrehab._optional import require
from skrehab._written import written
from skrehab.formats._bounds import MAX_ROWS, check_name, check_points
from skrehab.formats._clock import time_unit
from skrehab.formats._headers import (
    FRAME_TITLES,
    PERSON_TITLES,
    PICTURE_TITLES,
    RECORDING_TITLES,
    is_score,
    state_scores,
)
from skrehab.formats._names import SeveralRecordings, UnknownRecording, clean, composed, matching
from skrehab.formats._pose_file import as_read, frame_times, named, shortest, to_write
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import open_table, to_value

__all__ = ["read_long_table", "write_long_table"]

_NUMBERS = ("frame", "time", "x", "y", "z", "score")
_COLUMNS = ("trial", "frame", "time", "landmark", "x", "y", "z", "score")
_ALIASES = dict.fromkeys(("keypoint", "bodypart", "joint", "marker", "landmarks"), "landmark")


def read_long_table(path, *, frame_rate=None):
    """Read a table in long form, all trials of it.

    Parameters
    ----------
    path : str or path-like
        ``.csv``, ``.tsv`` or ``.parquet`` with columns ``frame, landmark, x, y`` and perhaps
        ``trial, time, z, score`` (or ``visibility``, ``confidence``, ``likelihood``). A row may be
        missing where a landmark is lost.
    frame_rate : float, optional
        Frames a second, for a table without times.

    Returns
    -------
    dict of str to PoseFile
        The trials in order of appearance; without a column ``trial`` one, called ``"trial"``.

    Raises
    ------
    ValueError
        If the table is wrong; the message names the file and the trial or row.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.formats import PoseFile, read_long_table, write_long_table
    >>> walk = PoseFile(np.ones((3, 1, 2)), np.arange(3) / 30, ("nose",))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_long_table(pathlib.Path(folder) / "all.csv", {"a": walk, "b": walk})
    ...     trials = read_long_table(file)
    >>> list(trials), trials["b"].pose.shape
    (['a', 'b'], (3, 1, 2))
    """
    try:
        return parse_long_table(path, frame_rate)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error


def write_long_table(path, trials, *, overwrite=False):
    """Write several trials into one table in long form.

    Parameters
    ----------
    path : str or path-like
        ``.csv``, ``.tsv`` or ``.parquet``.
    trials : dict of str to PoseFile
        Trials by name, with named landmarks.
    overwrite : bool, default=False
        Replace a file that is there already.

    Returns
    -------
    pathlib.Path
        The table, written.

    Raises
    ------
    FileExistsError
        If that table is there already.
    ValueError
        If a trial has no names for its landmarks, or trials have different coordinates.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.formats import PoseFile, write_long_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "all.csv"
    ...     file = write_long_table(file, {"a": PoseFile(np.ones((1, 1, 2)), None, ["nose"])})
    ...     print(file.read_text())
    trial,frame,landmark,x,y
    a,0,nose,1.0,1.0
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already; pass overwrite=True or another name.")
    whole = {}
    for name, pose in trials.items():
        try:
            whole[name] = to_write(pose, None, None, None, None)
        except ValueError as error:
            raise ValueError(f"{path}: trial {name!r}: {error}.") from error
    try:
        put_long_table(path, whole)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    return path


def one_trial(trials, name):
    """Pick the trial that was asked for, or the only one."""
    if name is not None:
        found = matching(str(name), [(known,) for known in trials])
        if len(found) == 1:
            return trials[found[0][0]]
    shown = ", ".join(list(trials)[:10]) + (", ..." if len(trials) > 10 else "")
    if name is not None:
        raise UnknownRecording(f"there is no trial {name!r}; there are {shown}")
    if len(trials) > 1:
        raise SeveralRecordings(f"it holds {len(trials)} trials, so pass trial=, one of {shown}")
    return next(iter(trials.values()))


# --- reading --------------------------------------------------------------------------------------
def parse_long_table(path, frame_rate):
    """Read all trials; errors do not name the file."""
    path = Path(path)
    columns = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    missing = [name for name in ("frame", "landmark", "x", "y") if name not in columns]
    if missing:
        raise ValueError(f"it has no column {', '.join(missing)}; it has {list(columns)}")
    if not len(columns["frame"]):
        raise ValueError("there is no row under its header")
    whole = np.isfinite(columns["frame"]) & (np.abs(columns["frame"]) < 2**53)
    if not whole.all() or (columns["frame"] % 1).any():
        raise ValueError("column frame must hold whole numbers")
    columns["frame"] = columns["frame"].astype(np.int64)
    if _are_pictures(columns):
        del columns["trial"]
    trials, unit = {}, columns.pop("unit", "")
    codes, names = columns.pop("trial", (np.zeros(len(whole), dtype=int), ["trial"]))
    codes_of_landmarks, landmarks = columns["landmark"]
    columns["landmark"] = codes_of_landmarks
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for name, start, stop in zip(names, starts, starts[1:]):
        rows = order[start:stop]
        try:
            part = {key: v[rows] for key, v in columns.items()}
            trials[name] = _one(part, landmarks, frame_rate, unit)
        except ValueError as error:
            raise ValueError(f"trial {name!r}: {error}") from error
    return trials


def _are_pictures(columns):
    """Whether what seemed to be names of recordings are names of pictures, one for each frame."""
    codes, names = columns.get("trial", (None, ()))
    if not columns.pop("of_pictures", False):
        return False
    frames = np.unique(columns["frame"])
    if not 1 < len(names) == len(frames):
        return False
    pairs = np.unique(np.column_stack([codes, columns["frame"]]), axis=0)
    return len(pairs) == len(names) and len({_digits(name) for name in names}) == 1


def _digits(name):
    return re.sub(r"[0-9]+", "0", name)


def _coded(values, title):
    """Codes of names, and the names in order of appearance.

    An array of text takes as much for each row as its longest text.
    """
    known = {}
    codes = np.fromiter((known.setdefault(value, len(known)) for value in values), np.int64)
    for name in known:
        check_name(name, f"column {title}")
    return codes, list(known)


def _one(columns, landmarks, frame_rate, unit):
    """Build one trial of its rows."""
    coords = tuple(c for c in ("x", "y", "z", "score") if c in columns)
    frames, i = np.unique(columns["frame"], return_inverse=True)
    found, first, j = np.unique(columns["landmark"], return_index=True, return_inverse=True)
    order = np.argsort(first)
    j = np.argsort(order)[j]
    found = [landmarks[code] for code in found[order]]
    check_points(len(frames), len(found))
    taken = np.zeros((len(frames), len(found)), dtype=int)
    np.add.at(taken, (i, j), 1)
    if (taken > 1).any():
        a, b = np.argwhere(taken > 1)[0]
        raise ValueError(f"two rows hold landmark {found[b]!r} of frame {frames[a]}")
    pose = np.full((len(frames), len(found), len(coords)), np.nan)
    if "score" in coords:
        pose[..., -1] = np.where(taken, np.nan, 0)
    pose[i, j] = np.stack([columns[c] for c in coords], axis=-1)
    if "time" in columns:
        times = np.full(len(frames), np.nan)
        times[i] = columns["time"]
        if (times[i] != columns["time"]).any():
            k = np.flatnonzero(times[i] != columns["time"])[0]
            raise ValueError(f"frame {columns['frame'][k]} has several times, or none")
    else:
        times, unit = frame_times(frames, frame_rate), "s"
    return as_read(pose, times, tuple(found), coords, unit)


def _title(title, titles):
    """The column of ours that a title means; None for others."""
    title = clean(title).lower()
    if title in _COLUMNS:
        return title
    if is_score(title):  # one score is enough, the first
        return "score" if "score" not in titles else None
    if title in FRAME_TITLES:
        return "frame" if "frame" not in titles else None
    if title in RECORDING_TITLES or title in PERSON_TITLES:
        return "trial" if "trial" not in titles else None
    if time_unit(title) is not None:
        return "time" if "time" not in titles else None
    return _ALIASES.get(title)


def _known(header):
    """Pairs (index, column of ours) of a table's titles."""
    own = {clean(title).lower() for title in header}
    found = {}
    for k, title in enumerate(header):
        name = _title(title, own if clean(title).lower() not in _COLUMNS else ())
        if name is None:
            continue
        if name in found.values():
            if clean(title).lower() in _COLUMNS or name == "landmark":
                raise ValueError(f"there are two columns {name}")
            continue
        found[k] = name
    return found


def _set(columns, name, title, values):
    """Keep a column; scores and times in their units."""
    if name == "score" and is_score(clean(title)) == "state":
        values = state_scores(values, f"column {title}")
    if name == "time":
        columns["unit"] = time_unit(clean(title)) or ""
    columns[name] = values


def _read_csv(path):
    header, rows, decimal_comma = open_table(path, whole=True)
    columns = {}
    for k, title in _known(header).items():
        cells = [cells[k] for _, cells in rows]
        if title not in _NUMBERS:
            columns[title] = _coded(map(composed, cells), title)
            if title == "trial":
                columns["of_pictures"] = header[k].lower() in PICTURE_TITLES
            continue
        texts = [cell.replace(",", ".") for cell in cells] if decimal_comma else cells
        try:
            if any("_" in text for text in texts):  # NumPy would take 1_5 for 15
                raise ValueError
            values = np.array([text or "nan" for text in texts], dtype=float)
        except ValueError:
            values = [
                to_value(row[k], decimal_comma, f"row {number}, column {title}")
                for number, row in rows
            ]
        _set(columns, title, header[k], np.asarray(values, dtype=float))
    return columns


def _read_parquet(path):
    parquet = require("pyarrow.parquet", "formats", "to read Parquet files")
    try:
        with parquet.ParquetFile(path) as file:
            titles = [file.schema_arrow.names[k] for k in _known(file.schema_arrow.names)]
            if file.metadata.num_rows > MAX_ROWS:
                raise ValueError(f"{file.metadata.num_rows:,} rows, and the limit is {MAX_ROWS:,}")
            table = file.read(columns=titles)
    except OSError as error:
        if not path.is_file():
            raise
        raise ValueError(f"it is no Parquet file ({error})") from error
    except ValueError as error:
        raise ValueError(f"it is no Parquet file ({error})") from error
    columns, keys = {}, _known(table.column_names)
    for title, key in zip(table.column_names, keys.values()):
        values = table.column(title).to_pylist()
        try:
            if key in _NUMBERS:
                values = [np.nan if v is None else v for v in values]
                _set(columns, key, title, np.array(values, dtype=float))
            else:
                columns[key] = _coded(("" if v is None else composed(str(v)) for v in values), key)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"column {title} holds no numbers ({error})") from error
    return columns


# --- writing --------------------------------------------------------------------------------------
def put_long_table(path, trials):
    """Write trials that `to_write` has completed."""
    if not trials:
        raise ValueError("there is no trial to write")
    coords = {pose.coords for pose in trials.values()}
    timed = {pose.timestamps is not None for pose in trials.values()}
    if len(coords) > 1 or len(timed) > 1:
        raise ValueError(f"trials differ in coordinates or times: {sorted(coords)}")
    (coords,), (timed,) = coords, timed
    columns = {name: [] for name in ("trial", "frame", *(["time"] if timed else []), "landmark")}
    values = []
    for name, pose in trials.items():
        names = named(pose, "A table in long form")
        n_frames, n_landmarks = pose.pose.shape[:2]
        columns["trial"] += [str(name)] * (n_frames * n_landmarks)
        columns["frame"] += np.repeat(np.arange(n_frames), n_landmarks).tolist()
        if timed:
            columns["time"] += np.repeat(pose.timestamps, n_landmarks).tolist()
        columns["landmark"] += list(names) * n_frames
        values.append(pose.pose.reshape(-1, len(coords)))
    values = np.concatenate(values)
    path = Path(path)
    if path.suffix.lower() == ".parquet":
        arrow = require("pyarrow", "formats", "to write Parquet files")
        parquet = require("pyarrow.parquet", "formats", "to write Parquet files")
        numbers = {c: np.ascontiguousarray(values[:, k]) for k, c in enumerate(coords)}
        with written(path) as file:
            parquet.write_table(arrow.table(columns | numbers), file)
        return
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with written(path, text=True) as file:
        put_rows(file, [[*columns, *coords]], delimiter)
        numbers = [shortest(values[:, k]) for k in range(len(coords))]
        put_rows(file, zip(*columns.values(), *numbers), delimiter)
