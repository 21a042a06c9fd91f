"""A manifest with labels to fill in: made from poses, read, changed, saved as it goes."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np

from skrehab._written import written
from skrehab.datasets._manifest_files import found_file
from skrehab.datasets._tables import first_row, how_written, open_table
from skrehab.datasets._video_names import VIDEO_SUFFIXES
from skrehab.datasets.intervals import read_intervals
from skrehab.formats._spreadsheet import put_rows

__all__ = ["LabelSheet", "make_label_sheet"]

TITLES = ("trial", "path", "video", "patient", "exercise", "side", "label", "frame_labels")
SEGMENT_TITLES = ("start", "stop", "label")
TEXTS = ("label", "patient", "exercise", "side")  # what is written into a cell
MOST_TEXT = 200  # characters of one
MOST_INTERVALS = 1000  # of a trial


def make_label_sheet(path, poses, videos):
    """Write a manifest with a row for each pose file, labels and patients to fill in.

    Parameters
    ----------
    path : str or path-like
        The ``.csv`` to write. Rows that are there stay as they are; only trials whose pose file is
        not listed are added.
    poses : sequence of path-like
        Pose files.
    videos : sequence of path-like
        The videos they are of.

    Returns
    -------
    LabelSheet
        What was written.

    Raises
    ------
    ValueError
        If there is a manifest that cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.datasets import make_label_sheet
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = pathlib.Path(name)
    ...     sheet = make_label_sheet(folder / "trials.csv", [folder / "a.npz"], [folder / "a.mp4"])
    ...     print((folder / "trials.csv").read_text())
    trial,path,video,patient,exercise,side,label,frame_labels
    a,a.npz,a.mp4,,,,,
    <BLANKLINE>
    """
    path = Path(path)
    sheet = LabelSheet(path) if path.exists() else LabelSheet.empty(path)
    listed = {str(sheet.file(row["path"]).resolve()) for row in sheet.rows if row["path"]}
    names = {row["trial"] for row in sheet.rows}
    for pose, video in zip(poses, videos, strict=True):
        if str(Path(pose).resolve()) in listed:
            continue
        name, n = Path(pose).stem, 2
        while name in names:
            name, n = f"{Path(pose).stem}_{n}", n + 1
        names.add(name)
        row = dict.fromkeys(sheet.titles, "")
        row |= {"trial": name, "path": sheet.beside(pose), "video": sheet.beside(video)}
        sheet.rows.append(row)
    sheet.save()
    return sheet


class LabelSheet:
    """A manifest whose labels are being filled in; each change is on the disk at once.

    Parameters
    ----------
    path : str or path-like
        The manifest, a ``.csv``; see :func:`skrehab.datasets.load_manifest`. A column ``video``
        names the video of a trial whose ``path`` is a pose file.

    Attributes
    ----------
    titles : list of str
        Its columns.
    rows : list of dict
        A row a trial.

    Raises
    ------
    ValueError
        If it cannot be read, or lists no trials.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.datasets import LabelSheet
    >>> with tempfile.TemporaryDirectory() as name:
    ...     path = pathlib.Path(name) / "trials.csv"
    ...     _ = path.write_text("path,patient,label\\na.mp4,P01,\\n")
    ...     LabelSheet(path).change(0, label="leans", intervals=[(1.0, 2.5, "leans")])
    ...     print((path.parent / "a_labels.csv").read_text().split())
    ['start,stop,label', '1.0,2.5,leans']
    """

    def __init__(self, path):
        self.path = Path(path)
        if self.path.suffix.lower() == ".xlsx":
            raise ValueError(f"{path}: labels are written to CSV. Save the workbook as CSV first.")
        try:
            header, table, _ = open_table(self.path)
            self._style = how_written(self.path)
        except ValueError as error:
            raise ValueError(f"{path}: {error}.") from error
        self.titles = [title.lower() for title in header]
        if "path" not in self.titles or len(set(self.titles)) < len(self.titles):
            raise ValueError(f"{path}: it needs a column path, and each column once; has {header}.")
        self.titles += [one for one in TITLES if one not in self.titles]
        self.rows = [
            dict.fromkeys(self.titles, "") | dict(zip(header_lower(header), cells))
            for _, cells in table
        ]
        for row in self.rows:
            row["trial"] = row["trial"] or Path(row["path"]).stem
        self._written = self._stamp()

    @classmethod
    def empty(cls, path):
        """Start a manifest without a trial; nothing is written yet.

        Parameters
        ----------
        path : path-like
            Where it will be.

        Returns
        -------
        LabelSheet
            The sheet.
        """
        sheet = cls.__new__(cls)
        sheet.path, sheet.titles, sheet.rows = Path(path), list(TITLES), []
        sheet._written, sheet._style = None, (",", "")
        return sheet

    def refresh(self):
        """Read the manifest again, if another program has changed it.

        Returns
        -------
        bool
            Whether it had.

        Raises
        ------
        ValueError
            If what is there now cannot be read.
        """
        if self._written is None or self._stamp() == self._written:
            return False
        fresh = LabelSheet(self.path)
        vars(self).update(vars(fresh))
        return True

    # --- files ------------------------------------------------------------------------------------
    def file(self, cell):
        """Find the file that a cell names.

        Parameters
        ----------
        cell : str
            Relative to the manifest, or absolute.

        Returns
        -------
        pathlib.Path
            Whether it is there or not.
        """
        try:
            return found_file(self.path.parent, cell)
        except ValueError:  # a name that no file can have
            return self.path.parent / cell

    def beside(self, file):
        """Name a file as the manifest does.

        Parameters
        ----------
        file : path-like
            The file.

        Returns
        -------
        str
            Relative to the manifest, with slashes; absolute on another drive.
        """
        try:
            place = os.path.relpath(Path(file).resolve(), self.path.resolve().parent)
        except ValueError:  # another drive
            place = str(Path(file).resolve())
        return Path(place).as_posix()

    def video(self, number):
        """Find the video of a trial.

        Parameters
        ----------
        number : int
            Row, from 0.

        Returns
        -------
        pathlib.Path or None
            None where no video is named, or it is not there.
        """
        row = self.rows[number]
        cell = row["video"] or row["path"]
        file = self.file(cell)
        known = file.suffix.lower() in VIDEO_SUFFIXES
        return file if cell and known and file.is_file() else None

    def intervals(self, number):
        """Read the segments of a trial.

        Parameters
        ----------
        number : int
            Row, from 0.

        Returns
        -------
        list of (float, float, str)
            Start, stop, label; seconds.
        """
        cell = self.rows[number]["frame_labels"]
        if not cell or not self.file(cell).is_file():
            return []
        names = (self.rows[number]["trial"],)
        found = read_intervals(self.file(cell), False, names)
        return [(float(start), float(stop), str(label)) for start, stop, label in found]

    # --- changes ----------------------------------------------------------------------------------
    def change(self, number, *, intervals=None, **texts):
        """Change a trial, and save.

        Parameters
        ----------
        number : int
            Row, from 0.
        intervals : sequence of (float, float, str), optional
            All its segments; they go to ``<trial>_labels.csv`` beside the manifest, or to the file
            that it names already, if that holds no more than start, stop and label.
        **texts : str
            What is to stand in ``label``, ``patient``, ``exercise`` or ``side``.

        Raises
        ------
        ValueError
            If a text is too long, a segment is empty or overlaps one with another label, or the
            manifest was changed by someone else meanwhile.
        TypeError
            If one of `texts` has another name.
        """
        row = self.rows[number]
        for name, text in texts.items():
            if name not in TEXTS:
                raise TypeError(f"{name} cannot be changed; one of {', '.join(TEXTS)} can.")
            if len(text) > MOST_TEXT or not text.isprintable():
                raise ValueError(f"{name} must be printable, at most {MOST_TEXT} characters.")
        if self._written is not None and self._stamp() != self._written:
            raise ValueError(
                f"{self.path.name} was changed by another program, so nothing was saved. Read it "
                "again (the page has done so), and then change it."
            )
        if intervals is not None:
            row["frame_labels"] = self._put(number, _checked(intervals))
        row.update(texts)
        self.save()

    def _put(self, number, intervals):
        row = self.rows[number]
        cell = row["frame_labels"]
        if not intervals and not cell:
            return ""
        if not cell or not _only_segments(self.file(cell)):
            name = "".join(c if c.isalnum() or c in "-_. " else "_" for c in row["trial"])
            cell, n = f"{name}_labels.csv", 2
            others = {one["frame_labels"] for one in self.rows}
            while cell in others or self.file(cell).exists():
                cell, n = f"{name}_labels_{n}.csv", n + 1
        elif any(other["frame_labels"] == cell for other in self.rows if other is not row):
            raise ValueError(
                f"{cell} holds segments of several trials: give this one its own file."
            )
        with written(self.file(cell), text=True) as file:
            put_rows(file, [SEGMENT_TITLES, *intervals])
        return cell

    def save(self):
        """Write the manifest as its program does; it is there whole at every moment."""
        delimiter, mark = self._style
        with written(self.path, text=True) as file:
            file.write(mark)
            rows = ([row[one] for one in self.titles] for row in self.rows)
            put_rows(file, [self.titles, *rows], delimiter)
        self._written = self._stamp()

    def _stamp(self):
        """What tells whether another program has written the file."""
        try:
            state = self.path.stat()
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size


def _only_segments(file):
    """Whether a file may be written anew: what ELAN wrote, or has more columns, would be lost."""
    if not file.exists():
        return True
    try:
        return header_lower(first_row(file)) == list(SEGMENT_TITLES)
    except (ValueError, OSError):
        return False


def header_lower(header):
    """Titles as they are looked up."""
    return [title.lower() for title in header]


def _checked(intervals):
    """Segments in the order of time, whole and apart."""
    if len(intervals) > MOST_INTERVALS:
        raise ValueError(f"A trial may have {MOST_INTERVALS} segments, got {len(intervals)}.")
    found = []
    for start, stop, label in intervals:
        start, stop, label = round(float(start), 3), round(float(stop), 3), str(label)
        if not (0 <= start < stop < np.inf):
            raise ValueError(f"A segment must start before it stops, got {start} to {stop} s.")
        if not label or len(label) > MOST_TEXT or not label.isprintable():
            raise ValueError(f"The segment from {start} to {stop} s needs a label.")
        found.append((start, stop, label))
    found.sort()
    for (start, stop, label), (later, _, other) in pairwise(found):
        if later < stop and label != other:
            raise ValueError(
                f"The segments {label!r} from {start} s and {other!r} from {later} s overlap."
            )
    return found
