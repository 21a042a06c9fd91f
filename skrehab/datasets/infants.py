"""Infants on their backs, filmed from above: key-points and four levels of neuromotor risk."""

import re
from array import array
from operator import itemgetter

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._skipped import Skipped, existing_folder
from skrehab.formats._bounds import (
    MAX_CELLS,
    MAX_DIGITS,
    MAX_POINTS,
    check_name,
    check_points,
    csv_rows,
    quoted,
    refuse_pipe,
)

__all__ = ["load_infant_neuromotor"]

# the table's names in the order of OpenPose's 18 key-points
_PARTS = (
    *("Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist"),
    *("RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar"),
)
_COLUMN = {name: i for i, name in enumerate(_PARTS)}
_SETS = ("youtube", "clinical")
_WEEKS_A_MONTH = 4  # as in the authors' own analysis
_RISK = "Risk_low0_mod1_high2"
_MOST_CELLS = 1_000_000  # of the meta-data: a row an infant and session
_MOST_FRAMES = MAX_POINTS // len(_PARTS)  # of one video
_LONGEST = 2**20  # characters of a line
_FASTEST = 1000  # frames a second
_KINDS = ("corr", "chron")  # for preterm birth, where it was; else chronological
_IDS = re.compile(r"\d+")

_DESCR = """\
Infant neuromotor risk
----------------------
Videos of infants lying on their backs: 85 of healthy infants from YouTube (risk 0), and videos
recorded in a clinic of infants whose risk of a neuromotor disease the Bayley Infant
Neurodevelopmental Screener puts at low (1), moderate (2) or high (3). OpenPose's 18 key-points,
found by a model adapted to infants; pixels, y down. No score of a key-point is published.

Chambers et al., "Computer vision to automatically assess infant neuromotor risk", IEEE Transactions
on Neural Systems and Rehabilitation Engineering 28 (2020) 2431-2442.
"""


def load_infant_neuromotor(root, *, strict=False):
    """Read the infants' key-points and risk levels.

    Only the published CSV tables are read. The same tables come pickled as well; reading a pickle
    runs whatever code it holds, so this function never does.

    Parameters
    ----------
    root : str or path-like
        Folder that holds, for one or both of ``youtube`` and ``clinical``, the tables
        ``pose_estimates_<set>_dataset.csv`` and ``meta_data_<set>_dataset.csv``.
    strict : bool, default=False
        Raise where a video does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` videos:

        * ``X``: list of float32 arrays (n_frames_i, 18, 2), pixels; NaN where a key-point was not
          found, and for frames without any;
        * ``risk``: int array (n_trials,): 0 healthy (YouTube), 1 low, 2 moderate, 3 high;
        * ``subject`` and ``groups``: str array (n_trials,), the infant, such as ``"youtube_7"``;
          ``age``: float array (n_trials,), weeks, NaN where unknown; ``set``: ``"youtube"`` or
          ``"clinical"``; ``video``: str array (n_trials,);
        * ``frame_rate``: float array (n_trials,), frames per second; ``image_size``: float array
          (n_trials, 2), width and height in pixels; ``skeleton``: ``"openpose18"``;
        * ``skipped``: list of (file, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no pair of tables in it.
    ValueError
        If a table lacks columns, if nothing fits, or, when strict, anything does not; the message
        names videos and reasons.

    Notes
    -----
    A row of the pose table is one key-point of one frame: ``video, frame, bp, x, y``, where ``bp``
    is a name such as ``LElbow``, and the video's ``fps, pixel_x, pixel_y``; other columns are not
    read, and a key-point given twice in a frame is read once. The YouTube meta-data have ``video,
    infant_id, age_in_weeks``. The clinical meta-data have ``infant, session`` and, with the endings
    ``_corr`` and ``_chron``, ``Risk_low0_mod1_high2, Months, Days``: risk and age corrected for
    preterm birth are taken where there are any, else the chronological ones. They are matched by
    their column ``video`` where they have one, else by the numbers of infant and session in the
    video's name, ``822487-<infant>-<session>-...``. A month is four weeks, as in the authors' code.
    These columns were learnt from the authors' code, not from the tables. Videos of one infant at
    two ages are one group here (the authors count them as two infants).

    References
    ----------
    .. [1] Chambers et al., IEEE TNSRE 28 (2020) 2431-2442. Tables:
       https://github.com/cchamber/Infant_movement_assessment.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.datasets import load_infant_neuromotor
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = pathlib.Path(folder)
    ...     _ = (root / "pose_estimates_youtube_dataset.csv").write_text(
    ...         "video,frame,x,y,bp,fps,pixel_x,pixel_y\\n"
    ...         "video_000001,0,310,95,Nose,30,640,480\\nvideo_000001,2,,,Nose,30,640,480\\n")
    ...     _ = (root / "meta_data_youtube_dataset.csv").write_text(
    ...         "video,infant_id,age_in_weeks\\nvideo_000001,7,10\\n")
    ...     data = load_infant_neuromotor(root)
    >>> data.X[0].shape, data.X[0][0, 0], data.risk, data.subject
    ((3, 18, 2), array([310.,  95.], dtype=float32), array([0]), array(['youtube_7'], dtype='<U9'))
    """
    root = existing_folder(root, "Infant neuromotor risk")
    tables = {
        name: (root / f"pose_estimates_{name}_dataset.csv", root / f"meta_data_{name}_dataset.csv")
        for name in _SETS
    }
    present = {name: pair for name, pair in tables.items() if any(f.is_file() for f in pair)}
    absent = [
        file.name for pair in (present or tables).values() for file in pair if not file.is_file()
    ]
    if absent:
        pickles = sorted(file.name for file in root.rglob("*.pkl"))
        hint = (
            f" There are pickles ({', '.join(pickles[:3])}), which are not read." if pickles else ""
        )
        raise FileNotFoundError(
            f"Infant neuromotor risk: {root} has no {', '.join(absent)}; the pose table and the "
            f"meta-data of a set are both needed.{hint}"
        )
    skipped, rows = Skipped("Infant neuromotor risk", root), []
    for name, (poses, meta) in present.items():
        infants = _youtube_infants(meta) if name == "youtube" else _clinical_infants(meta)
        for video, found in sorted(_read_poses(poses).items()):
            try:
                if isinstance(found, str):
                    raise ValueError(found)
                subject, risk, age = infants(video)
            except ValueError as error:
                skipped.add(poses, f"{video}: {error}")
                continue
            pose, *properties = found
            rows.append((pose, risk, f"{name}_{subject}", age, name, video, *properties))
    skipped.report(len(rows), strict)
    X, risk, subject, age, source, video, frame_rate, size = zip(*rows)
    subject = np.array(subject)
    return TrialsBunch(
        X=list(X),
        risk=np.array(risk),
        subject=subject,
        groups=subject,
        age=np.array(age),
        set=np.array(source),
        video=np.array(video),
        frame_rate=np.array(frame_rate),
        image_size=np.array(size),
        skeleton="openpose18",
        skipped=skipped.found,
        DESCR=_DESCR,
    )


# --- tables ---------------------------------------------------------------------------------------
def _rows(file, needed, optional=(), most=_MOST_CELLS):
    """Yield (row number, the needed and the optional cells), "" for columns that are not there."""
    refuse_pipe(file)
    with open(file, encoding="utf-8-sig", newline="") as stream:
        table = _records(stream, file, most)
        titles = [title.strip() for title in next(table, (1, []))[1]]
        missing = [name for name in needed if name not in titles]
        if missing:
            raise ValueError(f"{file}: it has no column {', '.join(missing)}; it has {titles}.")
        width = len(titles)
        wanted = [*needed, *optional]  # a column that is not there is one behind the last
        pick = itemgetter(*(titles.index(one) if one in titles else width for one in wanted))
        for number, cells in table:
            if any(cells):
                yield number, pick((cells + [""] * width)[:width] + [""])


def _records(stream, file, most):
    """Yield (row number, cells); the file is too large to be in memory at once."""
    try:
        yield from csv_rows(_lines(stream), most=most)
    except ValueError as error:  # also what is not UTF-8
        raise ValueError(f"{file}: {error}.") from error


def _lines(stream):
    """Lines of a file, none so long that it would take all memory."""
    while line := stream.readline(_LONGEST):
        if len(line) == _LONGEST:
            raise ValueError(f"a line has more than {_LONGEST:,} characters")
        yield line


def _number(cell):
    """A cell's number, NaN where it is empty."""
    return float(cell) if cell and not cell.isspace() else np.nan


def _read_poses(file):
    """Map each video to (pose, frame rate, image size), or to what is wrong with it."""
    columns = ("video", "bp", "frame", "x", "y", "fps", "pixel_x", "pixel_y")
    points, properties, wrong = {}, {}, {}
    rows = _rows(file, columns, most=20 * MAX_CELLS)
    for n_rows, (number, (video, part, frame, x, y, *others)) in enumerate(rows, start=1):
        if n_rows > MAX_POINTS:
            raise ValueError(f"{file}: it has more than the {MAX_POINTS:,} rows that are read.")
        if video not in points:
            points[check_name(video, f"{file}, row {number}")] = array("d")
        try:
            if part not in _COLUMN:
                raise ValueError(f"unknown key-point {quoted(part)}")
            time = _number(frame)
            if not 0 <= time < _MOST_FRAMES or time % 1:
                raise ValueError(f"frame is {quoted(frame)}")
            points[video].extend((time, _COLUMN[part], _number(x), _number(y)))
            if video not in properties:
                properties[video] = [_number(one) for one in others]
        except ValueError as error:
            wrong.setdefault(video, f"row {number}: {error}")
    found, n_frames = dict(wrong), 0
    for video in points:
        if video not in wrong:
            # a row can be a frame, and the frames before it are lost: few rows, many frames
            n_frames += int(max(points[video][::4])) + 1
            try:
                check_points(n_frames, len(_PARTS))
            except ValueError as error:
                raise ValueError(f"{file}: up to {video}, {error}.") from None
            found[video] = _pose(points[video], *properties[video])
    return found


def _pose(points, frame_rate, width, height):
    """Lay key-points out by frame and name."""
    table = np.frombuffer(points).reshape(-1, 4)
    frames, columns = table[:, 0].astype(int), table[:, 1].astype(int)
    if not 0 < frame_rate <= _FASTEST:
        return "it has no frame rate" if not frame_rate > 0 else f"its frame rate is {frame_rate:g}"
    pose = np.full((frames.max() + 1, len(_PARTS), 2), np.nan, dtype=np.float32)
    with np.errstate(over="ignore"):  # numbers beyond float32 are infinite there
        table = table[:, 2:].astype(np.float32)
    pose[frames[::-1], columns[::-1]] = table[::-1]  # of a point given twice, the first stays
    if np.isinf(pose).any():
        return "it holds infinite values"
    if np.isnan(pose).all():
        return "no key-point was found in any frame"
    return pose, frame_rate, (width, height)


# --- infants --------------------------------------------------------------------------------------
def _youtube_infants(file):
    """Return a function that tells a video's infant, risk and age."""
    rows = {row[0]: row for _, row in _rows(file, ("video", "infant_id"), ("age_in_weeks",))}

    def find(video):
        if video not in rows:
            raise ValueError("the meta-data do not list it")
        _, infant, age = rows[video]
        return _id(infant), 0, _number(age)

    return find


def _clinical_infants(file):
    rows, columns = {}, [f"{name}_{kind}" for name in (_RISK, "Months", "Days") for kind in _KINDS]
    for _, row in _rows(file, ("infant", "session", *columns[:2]), (*columns[2:], "video")):
        key = _digits(row[0]), _digits(row[1])
        rows[key] = rows[row[-1] or key] = row

    def find(video):
        row = rows.get(video) or rows.get(tuple(_digits(one) for one in _IDS.findall(video)[1:3]))
        if row is None:
            raise ValueError("the meta-data list neither it nor its infant and session")
        risks, months, days = ([_number(cell) for cell in row[i : i + 2]] for i in (2, 4, 6))
        risk = _first(risks)
        if risk not in (0, 1, 2):
            raise ValueError(f"its risk is {risk:g}, expected 0, 1 or 2")
        age = _first(m * _WEEKS_A_MONTH + d / 7 for m, d in zip(months, days))
        return _id(row[0]), int(risk) + 1, age

    return find


def _first(values):
    """The first that is a number."""
    return next((value for value in values if not np.isnan(value)), np.nan)


def _digits(cell):
    """ "06", "6" and "6.0" are one infant."""
    return cell.strip().split(".")[0].lstrip("0")


def _id(cell):
    if not re.fullmatch(rf"\s*\d{{1,{MAX_DIGITS}}}(\.0*)?\s*", cell):
        raise ValueError(f"{quoted(cell)} is no infant's number")
    return int(float(cell))
