"""KIMORE: rehabilitation exercises of healthy people and patients, with clinical scores."""

import hashlib
import re
import warnings
from array import array
from contextlib import closing
from itertools import islice

import numpy as np

from skrehab._optional import require
from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._skipped import Skipped, existing_folder
from skrehab.datasets._text_files import MAX_BYTES, read_lines
from skrehab.formats._bounds import read_bytes
from skrehab.formats._workbook import check_workbook
from skrehab.skeletons import get_skeleton

__all__ = ["load_kimore"]

_POPULATIONS = {  # folder: population
    "CG/Expert": "expert",
    "CG/NotExpert": "non_expert",
    "GPP/BackPain": "back_pain",
    "GPP/Parkinson": "parkinson",
    "GPP/Stroke": "stroke",
}
_EXERCISES = (1, 2, 3, 4, 5)
_TITLE = re.compile(r"clinical\s*(TS|PO|CF)\s*ex\s*#?\s*([1-5])\s*", re.IGNORECASE)
_HIGHEST = {"TS": 50, "PO": 15, "CF": 35}
MAX_WORKBOOK = 16 * 2**20  # bytes when unpacked; a published one has a few thousand
_MAX_ROWS = 1000
_TRACKED, _SWAY = 0.5, 0.2  # where somebody is seen: share of joints; metres of trunk length
_ROUNDING = 0.1  # scores are means over raters, rounded to four places

_DESCR = """\
KIMORE
------
44 healthy people (17 experts) and 34 patients (back pain, Parkinson's disease, stroke) do five
exercises: 1 lifting of the arms, 2 lateral tilt of the trunk with the arms in extension, 3 trunk
rotation, 4 pelvis rotations on the transverse plane, 5 squatting. One trial a person and exercise,
Kinect v2, 25 joints, metres, 30 frames per second. Clinical scores: TS, total, 0-50, the sum of PO,
primary outcome, 0-15, and CF, control factors, 0-35.

Capecci et al., "The KIMORE dataset", IEEE Transactions on Neural Systems and Rehabilitation
Engineering 27 (2019) 1436-1448.
"""


def load_kimore(root, *, exercises=None, strict=False):
    """Read KIMORE as it is published: one folder a population, person and exercise.

    Reading the workbooks needs openpyxl: ``pip install 'skrehab[kimore]'``.

    Parameters
    ----------
    root : str or path-like
        Folder that holds ``CG/Expert, CG/NotExpert, GPP/BackPain, GPP/Parkinson, GPP/Stroke``,
        or some of these. In each, ``<person>/Es<1-5>/Raw/JointPosition*.csv`` and
        ``<person>/Es<1-5>/Label/ClinicalAssessment_<person>.xlsx``; ``Script`` is not read.
    exercises : iterable of int, optional
        Exercises to read, from 1 to 5; all by default.
    strict : bool, default=False
        Raise where a trial does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` person and exercise pairs:

        * ``X``: list of float32 arrays (n_frames_i, 25, 3), metres; NaN for joints that were not
          tracked (state 0). Joints whose place the sensor inferred (state 1) are kept;
        * ``tracking``: list of int8 arrays (n_frames_i, 25): 2 tracked, 1 inferred, 0 not tracked;
        * ``scores``: float array (n_trials,), TS, from 0 to 50; ``po`` and ``cf``, its two parts,
          from 0 to 15 and to 35, NaN where missing;
        * ``exercise``: int array (n_trials,); ``subject`` and ``groups``: the person, str array;
          ``population``: ``"expert", "non_expert", "back_pain", "parkinson"`` or ``"stroke"``;
        * ``frame_rate``: 30.0; ``skeleton``: ``"kinect25"``; ``path``: list of str;
        * ``skipped``: list of (file, reason) left out; ``doubtful``: list of (file, reason) of
          trials that were read although their workbook contradicts itself; ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ImportError
        If openpyxl is missing.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    A row of ``JointPosition*.csv`` is assumed to be 25 times x, y, z (metres) and tracking state,
    in the order of the Kinect v2 SDK. The files have no header that says so: the order was checked
    on a published file, and is checked here on each trial by its body: the fourth column must be a
    state, and from head over shoulders, spine base and knees to ankles each joint must be lower
    than the one before, in the median. Lines may be empty and may end in a comma; a line of two
    frames, whose line break was lost, is two frames. Two recordings in one ``Raw`` folder are left
    out unless they are copies of each other.

    A workbook has a row of titles such as ``clinical TS Ex#1`` and one of numbers, for all five
    exercises, and every ``Label`` folder of a person has a copy; where one has none, another
    exercise's is read. A workbook that names another person, or whose TS is not PO + CF, is
    believed, and listed as doubtful.

    References
    ----------
    .. [1] Capecci et al., "The KIMORE dataset: kinematic assessment of movement and clinical
       scores for remote monitoring of physical rehabilitation", IEEE TNSRE 27 (2019) 1436-1448.

    Examples
    --------
    >>> from skrehab.datasets import load_kimore
    >>> data = load_kimore("KiMoRe", exercises=[1])  # doctest: +SKIP
    >>> data.X[0].shape, data.scores[0], data.population[0]  # doctest: +SKIP
    ((1134, 25, 3), 48.3333, 'expert')
    """
    root = existing_folder(root, "KIMORE")
    exercises = _checked_exercises(exercises)
    openpyxl = require("openpyxl", "kimore", "to read KIMORE's workbooks of clinical scores")
    skipped, doubtful, rows = Skipped("KIMORE", root), [], []
    for folder, population in _POPULATIONS.items():
        people = [place for place in (root / folder).glob("*") if place.is_dir()]
        for person in sorted(people, key=_natural):
            workbooks = {}
            for exercise in exercises:
                place = person / f"Es{exercise}"
                try:
                    pose, tracking, file = _read_positions(place / "Raw")
                    scores, doubt = _scores(person, exercise, openpyxl, workbooks)
                except (ValueError, OSError) as error:
                    skipped.add(place, error)
                    continue
                if doubt:
                    doubtful.append((place.relative_to(root).as_posix(), doubt))
                rows.append((pose, tracking, *scores, exercise, person.name, population, str(file)))
    skipped.report(len(rows), strict, doubtful)
    columns = list(zip(*rows))
    person = np.array(columns[6])
    return TrialsBunch(
        X=list(columns[0]),
        tracking=list(columns[1]),
        scores=np.array(columns[2]),
        po=np.array(columns[3]),
        cf=np.array(columns[4]),
        exercise=np.array(columns[5]),
        subject=person,
        groups=person,
        population=np.array(columns[7]),
        path=list(columns[8]),
        frame_rate=30.0,
        skeleton="kinect25",
        skipped=skipped.found,
        doubtful=doubtful,
        DESCR=_DESCR,
    )


def _checked_exercises(exercises):
    if exercises is None:
        return _EXERCISES
    exercises = [exercises] if np.ndim(exercises) == 0 else list(exercises)
    wrong = [one for one in exercises if one not in _EXERCISES]
    if wrong or not exercises:
        raise ValueError(f"exercises must be among {_EXERCISES}, got {exercises}.")
    return sorted({int(one) for one in exercises})


def _natural(path):
    """Sort E_ID2 before E_ID10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]


# --- positions ------------------------------------------------------------------------------------
def _read_positions(folder):
    """Read a trial's joints, (n_frames, 25, 3) and (n_frames, 25), and say from which file."""
    files = sorted(folder.glob("JointPosition*.csv"), key=lambda file: ("(" in file.name, file))
    if not files:
        raise ValueError("Raw holds no JointPosition*.csv")
    if len({_digest(file) for file in files}) > 1:
        names = ", ".join(file.name for file in files)
        raise ValueError(f"Raw holds different recordings: {names}; keep one of them")
    values = _frames(files[0])
    pose, state = values[..., :3], values[..., 3]
    if not np.isin(state[~np.isnan(state)], (0, 1, 2)).all():
        raise ValueError(f"{files[0].name}: every fourth column must be a tracking state, 0 to 2")
    tracking = np.nan_to_num(state, nan=0).astype(np.int8)
    pose[(tracking == 0) | np.isnan(pose).any(axis=2)] = np.nan
    if np.isnan(pose).all():
        raise ValueError(f"{files[0].name}: no joint is tracked in any frame")
    _check_body(pose, tracking, files[0].name)
    return pose.astype(np.float32), tracking, files[0]


def _digest(file):
    try:
        return hashlib.sha256(read_bytes(file, MAX_BYTES, "joints of one trial")).digest()
    except ValueError as error:
        raise ValueError(f"{file.name}: {error}") from None


def _frames(file):
    """Numbers of one file, (n_frames, 25, 4)."""
    values = array("d")
    for number, line in read_lines(file, errors="replace"):
        cells = line.rstrip(",").split(",")
        if cells == [""]:
            continue
        if len(cells) % 100:
            raise ValueError(
                f"{file.name}, line {number}: {len(cells)} values, expected 100, which is 25 "
                "times x, y, z and tracking state"
            )
        try:
            values.extend(map(float, cells))
        except ValueError as error:
            raise ValueError(f"{file.name}, line {number}: {error}") from None
    if not values:
        raise ValueError(f"{file.name} holds no frame")
    values = np.array(values).reshape(-1, 25, 4)
    if (np.abs(values) > np.finfo(np.float32).max).any():
        raise ValueError(f"{file.name} holds infinite values")
    return values


def _check_body(pose, tracking, name):
    """Whether the columns may be in the order of the Kinect v2: the person must stand."""
    joints = ("head", "spine_shoulder", "spine_base", "left_knee", "left_ankle")
    for side in ("left", "right"):
        chain = [joint.replace("left", side) for joint in joints]
        columns = [get_skeleton("kinect25").index(joint) for joint in chain]
        seen = {joint: y[~np.isnan(y)] for joint, y in zip(chain, pose[:, columns, 1].T)}
        heights = {joint: np.median(y) for joint, y in seen.items() if len(y)}
        if (np.diff(list(heights.values())) >= 0).any():
            found = ", ".join(f"{joint} {y:.2f}" for joint, y in heights.items())
            raise ValueError(
                f"{name}: {_why(pose, tracking)}: the medians of y should fall, and are {found}"
            )


def _why(pose, tracking):
    """Whether somebody was lost, or somebody is read in the wrong order.

    In another order bones keep their lengths, whatever they are called; a lost body has none.
    """
    index = get_skeleton("kinect25").index
    trunk = np.linalg.norm(pose[:, index("spine_base")] - pose[:, index("spine_shoulder")], axis=1)
    trunk = trunk[~np.isnan(trunk)]
    low, high = np.percentile(trunk, [10, 90]) if len(trunk) else (0, 0)
    tracked = (tracking == 2).mean()
    if tracked >= _TRACKED and high - low <= _SWAY:
        return "its columns are not in the order of the Kinect v2, or y does not point up"
    return (
        f"its tracking failed, {100 * tracked:.0f} % of the joints are tracked and the trunk is "
        f"{low:.2f} to {high:.2f} m long"
    )


# --- scores ---------------------------------------------------------------------------------------
def _scores(person, exercise, openpyxl, workbooks):
    """Return (TS, PO, CF) of one exercise, and what is doubtful about them."""
    own = sorted((person / f"Es{exercise}" / "Label").glob("ClinicalAssessment*.xlsx"))
    files = own or sorted(person.glob("Es*/Label/ClinicalAssessment*.xlsx"))
    if not files:
        raise ValueError("no Label folder of this person holds a ClinicalAssessment*.xlsx")
    file = files[0]
    if file not in workbooks:
        workbooks[file] = _read_workbook(file, openpyxl)
    named, found = workbooks[file]
    scores = {kind: found.get((kind, exercise), np.nan) for kind in _HIGHEST}
    if np.isnan(scores["TS"]):
        raise ValueError(f"{file.name} has no clinical TS for exercise {exercise}")
    for kind, score in scores.items():
        if not (np.isnan(score) or 0 <= score <= _HIGHEST[kind]):
            raise ValueError(f"{file.name}: {kind} is {score:g}, expected 0 to {_HIGHEST[kind]}")
    doubts = []
    if named and _plain(named) != _plain(person.name):
        doubts.append(f"{file.name} is of {named}")
    if abs(scores["TS"] - scores["PO"] - scores["CF"]) > _ROUNDING:
        doubts.append("TS {TS:g} is not the sum of PO {PO:g} and CF {CF:g}".format(**scores))
    return tuple(scores.values()), "; ".join(doubts)


def _read_workbook(file, openpyxl):
    """Whom a workbook is of, and its scores: {("TS", 1): 48.3, ...}."""
    try:
        check_workbook(file, MAX_WORKBOOK)
    except ValueError as error:
        raise ValueError(f"{file.name} cannot be read: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Excel's own extensions
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        with closing(book):
            book.active.reset_dimensions()  # some programs state a wrong one
            filled = (
                row
                for row in book.active.iter_rows(max_row=_MAX_ROWS, values_only=True)
                if any(cell is not None for cell in row)
            )
            rows = list(islice(filled, 2))
    except Exception as error:  # zipfile, XML and openpyxl's own: damaged files fail in many ways
        raise ValueError(f"{file.name} cannot be read ({type(error).__name__}: {error})") from error
    titles = [_TITLE.fullmatch(str(cell).strip()) for cell in rows[0]] if rows else []
    if not any(titles) or len(rows) < 2:
        raise ValueError(
            f"{file.name} must have a row of titles such as 'clinical TS Ex#1' and one of numbers"
        )
    named, scores = "", {}
    for title, match, cell in zip(rows[0], titles, rows[1]):
        if match is None:
            named = str(cell) if cell and "subject" in str(title).lower() else named
        elif cell is not None and str(cell).strip():
            try:
                scores[match[1].upper(), int(match[2])] = float(cell)
            except (TypeError, ValueError):
                raise ValueError(f"{file.name}: {title} is {cell!r}, not a number") from None
    return named, scores


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())
