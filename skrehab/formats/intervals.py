"""Read and write labelled intervals, in seconds."""

import warnings
from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.formats import _boris, _cvat, _elan, _elan_text
from skrehab.formats._annotation import Annotation, only_recording
from skrehab.formats._bounds import check_name, quoted, refuse_pipe
from skrehab.formats._headers import RECORDING_TITLES
from skrehab.formats._names import alike_key, clean, composed, is_sheet_error, matching
from skrehab.formats._spreadsheet import put_rows
from skrehab.formats._tables import first_row, open_table, to_float, to_whole

__all__ = ["parse_intervals", "read_intervals", "write_intervals"]

_FORMATS = ("csv", "elan", "eaf", "boris", "cvat")
_ENDINGS = {".csv": "csv", ".tsv": "elan", ".txt": "elan", ".eaf": "eaf", ".xml": "cvat"}
_WORKBOOKS = {".xlsx": "csv", ".xlsm": "csv"}  # read, not written
# columns of a table of one's own that say whose interval it is, and who labelled it
_WHICH = (*RECORDING_TITLES, "path", "patient", "patient_id", "participant", "subject")
_TIERS = ("tier", "rater", "annotator", "coder", "observer")


def read_intervals(
    path,
    *,
    format=None,
    tier=None,
    recording=None,
    timestamps=None,
    frame_rate=None,
    as_numbers=None,
):
    """Read labelled intervals.

    Parameters
    ----------
    path : str or path-like
        The file.

        * ``.csv`` or ``.xlsx`` with columns ``start, stop, label``, and perhaps one that tells
          recordings apart (``video``, ``trial``, ``file``, ``patient``, ...).
        * ``.eaf``: ELAN. Also what ELAN exports as tab-delimited text, and the same as CSV.
        * BORIS: aggregated events, or tabular events with their status, as CSV or TSV. Point
          events are left out with a warning.
        * ``.xml``: "CVAT for video 1.1"; a track's label holds while it is not outside.
    format : {"csv", "elan", "eaf", "boris", "cvat"}, optional
        Instead of what the file's name and header say.
    tier : str, optional
        ELAN's tier or BORIS's subject, where there are several. In CVAT: an attribute of the
        tracks, whose values are the labels then.
    recording : str, optional
        Which video, where one file holds or names several: its name, or its file's name with or
        without ending; BORIS's observation. Times are those of this video: offsets of ELAN and
        BORIS, and the videos that an observation of BORIS plays before, are taken into account.
    timestamps : array-like of shape (n_frames,), optional
        Seconds of the video's frames. CVAT counts frames, and needs this or `frame_rate`.
    frame_rate : float, optional
        Frames a second, instead of `timestamps`.
    as_numbers : bool, optional
        Whether labels are whole numbers. None: they are if all of them look like it.

    Returns
    -------
    list of (float, float, int or str)
        Start, stop and label in order of time, for
        :func:`skrehab.datasets.intervals_to_frames`.

    Raises
    ------
    ValueError
        If the file holds no intervals; the message names the file and the place in it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.formats import read_intervals, write_intervals
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "trial.eaf"
    ...     _ = write_intervals(file, [(0.5, 2.0, "lean")])
    ...     read_intervals(file)
    [(0.5, 2.0, 'lean')]
    """
    try:
        found = parse_intervals(
            path,
            format=format,
            tier=tier,
            recording=recording,
            timestamps=timestamps,
            frame_rate=frame_rate,
            as_numbers=as_numbers,
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    _warn_of_spellings(path, found)
    return found


def _warn_of_spellings(path, found):
    """Labels that differ only in case, blanks or leading zeros are classes of their own."""
    first = {}
    for *_, label in found:
        other = first.setdefault(alike_key(str(label)), label)
        if other != label:
            warnings.warn(
                f"{path}: labels {other!r} and {label!r} differ only in case, blanks, unseen marks "
                "or leading zeros, and are taken for two.",
                UserWarning,
                stacklevel=3,
            )
            return


def parse_intervals(
    path,
    *,
    format=None,
    tier=None,
    recording=None,
    timestamps=None,
    frame_rate=None,
    as_numbers=None,
):
    """Read labelled intervals; errors leave the file's name to the caller.

    Parameters
    ----------
    path : str or path-like
        The file.
    format, tier, recording, timestamps, frame_rate, as_numbers : optional
        As for :func:`read_intervals`.

    Returns
    -------
    list of (float, float, int or str)
        Start, stop and label.

    Raises
    ------
    ValueError
        If the file holds no intervals; the message does not name the file.
    """
    path = Path(path)
    refuse_pipe(path)
    kind = _format_of(path, format)
    if kind == "cvat":
        found = _cvat.read_cvat(
            path, tier, recording=recording, timestamps=timestamps, frame_rate=frame_rate
        )
    else:
        readers = {
            **{"eaf": _elan.read_eaf, "elan": _elan_text.read_elan_table},
            **{"boris": _boris.read_boris, "csv": _read_csv},
        }
        found = _only_tier(readers[kind](path, recording), tier)
    found = [one._replace(label=composed(one.label)) for one in found]
    for one in found:
        if not 0 <= one.start < one.stop < np.inf:
            raise ValueError(f"{one.where}: {one.start} to {one.stop} is no interval")
        check_name(one.label, f"{one.where}, column label")
        if is_sheet_error(one.label):
            raise ValueError(f"{one.where}, column label: {one.label} is a formula that failed")
    labels = _labels(found, as_numbers)
    # a table of ours keeps its order; the others are sorted by tier or track in their files
    out = [(one.start, one.stop, label) for one, label in zip(found, labels)]
    return out if kind == "csv" else sorted(out, key=lambda interval: interval[:2])


def _labels(found, as_numbers):
    whole = [to_whole(one.label) for one in found]
    if as_numbers is None:
        as_numbers = all(number is not None for number in whole)
    if not as_numbers:
        for one in found:
            if not one.label:
                raise ValueError(f"{one.where}, column label: is empty")
        return [one.label for one in found]
    for one, number in zip(found, whole):
        if number is None:
            raise ValueError(
                f"{one.where}, column label: {quoted(one.label)} is no whole number, and trial "
                "labels are"
            )
    return whole


def _only_tier(found, tier):
    tiers = list(dict.fromkeys(one.tier for one in found))
    if tier is not None:
        chosen = matching(str(tier), [(name,) for name in tiers])
        if found and len(chosen) != 1:
            raise ValueError(f"there is no tier or subject {tier!r}; there are {tiers}")
        return [one for one in found if one.tier == chosen[0][0]]
    if len(tiers) > 1:
        raise ValueError(f"it holds several tiers or subjects, so pass tier=, one of {tiers[:10]}")
    return found


def _format_of(path, format):
    if format is not None:
        if format not in _FORMATS:
            raise ValueError(f"format must be one of {_FORMATS}, got {format!r}")
        return format
    kind = (_ENDINGS | _WORKBOOKS).get(path.suffix.lower())
    if kind is None:
        raise ValueError(f"its ending {path.suffix!r} is not known; known are {list(_ENDINGS)}")
    if kind in ("eaf", "cvat"):
        return kind
    try:
        header = {title.lower() for title in first_row(path)}
    except ValueError:
        header = set()
    if _boris.is_boris(header):
        return "boris"
    if {"start", "stop", "label"} <= header:
        return "csv"
    if _elan_text.is_elan_table(path):
        return "elan"
    return "boris" if _boris.is_boris_tabular(path) else "csv"


def _read_csv(path, recording):
    """Read columns start, stop, label; those of recordings and tiers are kept apart."""
    header, rows, decimal_comma = open_table(path)
    titles = [title.lower() for title in header]
    if not {"start", "stop", "label"} <= set(titles):
        raise ValueError(f"columns start, stop, label are needed; it has {header}")
    if twice := [title for title in ("start", "stop", "label") if titles.count(title) > 1]:
        raise ValueError(f"there are two columns {twice[0]!r}")
    named = [k for title in _WHICH for k, own in enumerate(titles) if own == title]
    tiers = [k for k, title in enumerate(titles) if title in _TIERS]
    found = []
    for number, cells in rows:
        row = dict(zip(titles, cells))
        start, stop = (
            to_float(row[name], decimal_comma, f"row {number}, column {name}")
            for name in ("start", "stop")
        )
        if not 0 <= start < stop < np.inf:
            raise ValueError(f"row {number}: {row['start']} to {row['stop']} is no interval")
        names = tuple(clean(cells[k]) for k in named if cells[k])
        tier = " ".join(clean(cells[k]) for k in tiers)
        found.append(Annotation(start, stop, row["label"], tier, names, f"row {number}"))
    if recording is None and not any(one.recordings for one in found):
        return found
    return only_recording(found, recording)


def write_intervals(
    path,
    intervals,
    *,
    format=None,
    tier=None,
    recording=None,
    media=None,
    timestamps=None,
    frame_rate=None,
    size=None,
    overwrite=False,
):
    """Write labelled intervals.

    Parameters
    ----------
    path : str or path-like
        The file. Its ending tells the format: ``.csv`` (columns ``start, stop, label``), ``.eaf``
        (ELAN), ``.tsv`` or ``.txt`` (ELAN's tab-delimited text), ``.xml`` (CVAT for video 1.1).
    intervals : sequence of (float, float, label)
        Start and stop in seconds, and the label between.
    format : {"csv", "elan", "eaf", "boris", "cvat"}, optional
        Instead of what the ending says; BORIS's aggregated events have no ending of their own.
    tier : str, optional
        Name of ELAN's tier (default ``"labels"``) or of BORIS's subject.
    recording : str, optional
        Name of BORIS's observation; the file's name without it.
    media : str or path-like, optional
        The video, for ELAN and BORIS.
    timestamps : array-like of shape (n_frames,), optional
        Seconds of the video's frames. CVAT counts frames, and needs this or `frame_rate`.
    frame_rate : float, optional
        Frames a second, instead of `timestamps`.
    size : (int, int), optional
        Width and height of the video, for CVAT's boxes.
    overwrite : bool, default=False
        Replace a file that is there already.

    Returns
    -------
    pathlib.Path
        Where the intervals were written.

    Raises
    ------
    FileExistsError
        If such a file is there already and `overwrite` is False.
    ValueError
        If an interval is empty, or the format cannot hold it: on one tier of ELAN nothing
        overlaps.

    Notes
    -----
    ELAN counts milliseconds and CVAT frames: times are rounded to them.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.formats import write_intervals
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_intervals(pathlib.Path(folder) / "a.csv", [(0, 1.5, 1)]).read_text())
    start,stop,label
    0.0,1.5,1
    """
    path = Path(path)
    kind = format or _ENDINGS.get(path.suffix.lower())
    if kind not in _FORMATS:
        raise ValueError(
            f"{path}: its ending is not known; known are {list(_ENDINGS)}, or pass format=, one of "
            f"{_FORMATS}."
        )
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already; pass overwrite=True or another name.")
    try:
        found = [(float(start), float(stop), label) for start, stop, label in intervals]
        for start, stop, label in found:
            if not 0 <= start < stop < np.inf:
                raise ValueError(f"{start} to {stop} is no interval")
            if str(label).strip() == "":
                raise ValueError(f"the interval from {start} to {stop} has no label")
        _write(path, kind, found, tier, recording, media, timestamps, frame_rate, size)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    return path


def _write(path, kind, found, tier, recording, media, timestamps, frame_rate, size):
    if kind == "eaf":
        _elan.write_eaf(path, found, tier or "labels", media)
    elif kind == "elan":
        _elan_text.write_elan_table(path, found, tier or "labels")
    elif kind == "boris":
        _boris.write_boris(
            *(path, found),
            subject=tier or "",
            recording=recording or "",
            media=media,
            frame_rate=frame_rate,
        )
    elif kind == "cvat":
        _cvat.write_cvat(path, found, timestamps=timestamps, frame_rate=frame_rate, size=size)
    else:
        with written(path, text=True) as file:
            put_rows(file, [("start", "stop", "label"), *found])
