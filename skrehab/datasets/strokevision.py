"""StrokeVision-Bench: one-second clips of stroke patients doing the Box-and-Block test."""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._coco_files import read_coco17
from skrehab.datasets._manifest_rows import Problems
from skrehab.datasets._tables import open_table
from skrehab.datasets.drawn.bbt_patients import TARGET_NAMES

__all__ = ["load_strokevision_bench"]

_NEEDED = ("clip", "patient", "label")
_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm", ".wmv", ".mpg", ".mpeg")
_APART = 2  # frames that a clip and its key-points may differ by: the ends are cut anyhow

_DESCR = """\
StrokeVision-Bench
------------------
One-second clips (30 frames) of stroke patients doing the Box-and-Block test, each RGB and COCO's 17
key-points, in four classes: {names}.
Read from {root}: {n_clips} clips of {n_patients} patients.

"StrokeVision-Bench: A Multimodal Video and 2D Pose Benchmark for Tracking Stroke Recovery", arXiv
2509.07994: 1,000 clips, split by patient. Report accuracy over clips and the mean over classes.
"""


def load_strokevision_bench(root, *, split=None, check_clips=True):
    """Read one's own copy of StrokeVision-Bench.

    The layout in which it is handed out is not public. Bring it into this one::

        root/clips/<patient>/<clip>.mp4        or .avi, .mov, .mkv, ..., in capitals or not
        root/keypoints/<patient>/<clip>.npy    or .json
        root/labels.csv                        clip,patient,label[,split]

    ``labels.csv`` is UTF-8 with a header and one row a clip; further columns are ignored. ``clip``
    may have its ending. ``label`` is one of Grasping, Non-task Movement, Transport with Object,
    Transport without Object; capitals do not matter, and blanks may be underscores or dashes.
    ``split`` is any word, as ``train`` and ``test``, and all clips of a patient have the same.

    A ``.npy`` is one array (n_frames, 17, 2) of x and y in pixels, or (n_frames, 17, 3) with a
    score. A ``.json`` is a list with one object a frame whose ``keypoints`` are 17 times x, y and
    perhaps score, flattened as COCO and Sapiens write them, or in groups; ``keypoint_scores`` may
    hold the scores apart. Points are in COCO's order, 30 frames in the benchmark. What MMPose's and
    Sapiens' demos write (``meta_info`` and ``instance_info``) and AlphaPose's results are read as
    they are; of several people the largest one is followed.

    Parameters
    ----------
    root : str or path-like
        Folder with ``clips``, ``keypoints`` and ``labels.csv``.
    split : str, optional
        Read only the clips of this split; all by default.
    check_clips : bool, default=True
        Decode every clip and count its frames, so that a damaged one, and one that has not the
        frames of its key-points, is named now and not hours into a training. A clip of a second
        takes from a hundredth to an eighth of a second (320 to 1920 pixels wide).

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_clips`` clips in the order of the rows:

        * ``videos``: list of str, paths; they are decoded when they are needed;
        * ``poses``: list of float32 arrays (n_frames_i, 17, 3): x and y in pixels, score; a score
          is 1 where the file has none. A lost point is NaN with score 0;
        * ``target``: str array (n_clips,), class names; ``target_names``: the four of them;
        * ``patients``: str array (n_clips,); ``groups`` is the same array;
        * ``split``: str array (n_clips,), or None without that column;
        * ``clip``: str array (n_clips,), names; ``frame_rate``: 30.0; ``skeleton``: ``"coco17"``;
          ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no ``labels.csv`` in it.
    ValueError
        If rows or files are wrong, or a patient is in two splits; one message names all of them
        (up to ten), with row and file. Or if there is no such split.

    Warns
    -----
    UserWarning
        If ``clips`` holds videos that no row names.

    See Also
    --------
    make_bbt_clips : Synthetic clips of the same form.

    Notes
    -----
    Without a column ``split``, split by patient with scikit-learn, as below:
    :class:`sklearn.model_selection.GroupShuffleSplit` once, or
    :class:`sklearn.model_selection.StratifiedGroupKFold` for cross-validation.

    References
    ----------
    "StrokeVision-Bench: A Multimodal Video and 2D Pose Benchmark for Tracking Stroke Recovery",
    arXiv 2509.07994.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from sklearn.model_selection import GroupShuffleSplit
    >>> from skrehab.datasets import load_strokevision_bench
    >>> with tempfile.TemporaryDirectory() as name:
    ...     root = pathlib.Path(name)
    ...     table = "clip,patient,label\\n"
    ...     for patient in ("P01", "P02", "P03"):
    ...         for kind in ("clips", "keypoints"):
    ...             (root / kind / patient).mkdir(parents=True)
    ...         _ = (root / "clips" / patient / "c1.mp4").write_bytes(b"read later, if at all")
    ...         np.save(root / "keypoints" / patient / "c1.npy", np.ones((30, 17, 2)))
    ...         table += f"c1,{patient},Grasping\\n"
    ...     _ = (root / "labels.csv").write_text(table)
    ...     data = load_strokevision_bench(root, check_clips=False)
    >>> data.poses[0].shape, data.patients.tolist()
    ((30, 17, 3), ['P01', 'P02', 'P03'])
    >>> by_patient = GroupShuffleSplit(n_splits=1, test_size=1, random_state=0)
    >>> train, test = next(by_patient.split(data.poses, data.target, groups=data.patients))
    >>> data.patients[test].tolist()
    ['P03']
    """
    root = Path(root)
    table = root / "labels.csv"
    if not root.is_dir():
        raise FileNotFoundError(f"StrokeVision-Bench: there is no folder {root}.")
    if not table.is_file():
        raise FileNotFoundError(
            f"StrokeVision-Bench: there is no {table}. It lists the clips, with columns "
            f"{', '.join(_NEEDED)} and perhaps split."
        )
    rows, has_split = _read_rows(table)
    problems = Problems(table)
    _check_rows(rows, has_split, problems)
    if split is not None:
        _check_split(split, rows, has_split, problems, table)
    wanted = [row for row in rows if split is None or row.split == split]
    named = [row for row in wanted if _is_plain(row.clip) and _is_plain(row.patient)]
    videos = [_find_video(root, row, problems) for row in named]
    poses = [_find_keypoints(root, row, problems) for row in named]
    if check_clips:
        for row, video, pose in zip(named, videos, poses):
            _check_clip(root, row, video, pose, problems)
    problems.stop()
    _warn_unlisted(root, rows)

    patients = np.array([row.patient for row in wanted])
    return TrialsBunch(
        videos=videos,
        poses=poses,
        target=np.array([_label(row.label) for row in wanted]),
        target_names=list(TARGET_NAMES),
        patients=patients,
        groups=patients,
        split=np.array([row.split for row in wanted]) if has_split else None,
        clip=np.array([row.clip for row in wanted]),
        frame_rate=30.0,
        skeleton="coco17",
        DESCR=_DESCR.format(
            names=", ".join(TARGET_NAMES),
            root=root,
            n_clips=len(wanted),
            n_patients=len(set(patients.tolist())),
        ),
    )


# --- rows -----------------------------------------------------------------------------------------
class _Row(NamedTuple):
    number: int  # as a spreadsheet shows it
    clip: str
    patient: str
    label: str
    split: str


def _read_rows(path):
    try:
        header, table, _ = open_table(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    titles = [title.lower() for title in header]
    missing = [name for name in _NEEDED if name not in titles]
    twice = [name for name in (*_NEEDED, "split") if titles.count(name) > 1]
    if missing or twice:
        what = f"no column {', '.join(missing)}" if missing else f"two columns {twice[0]}"
        raise ValueError(
            f"{path}: the header has {what}; it has {header}. Needed are {', '.join(_NEEDED)}, and "
            "split may follow."
        )
    if not table:
        raise ValueError(f"{path}: there is no clip under the header.")
    rows = []
    for number, cells in table:
        cell = dict(zip(titles, cells))
        clip = cell["clip"]
        clip = clip[: -len(end)] if (end := Path(clip).suffix).lower() in _SUFFIXES else clip
        rows.append(_Row(number, clip, cell["patient"], cell["label"], cell.get("split", "")))
    return rows, "split" in titles


def _label(cell):
    """The class a label names, or None."""
    flat = cell.lower().replace("_", " ").replace("-", " ").split()
    for name in TARGET_NAMES:
        if flat == name.lower().replace("-", " ").split():
            return name
    return None


def _is_plain(name):
    """Whether a name is one file or folder, and not a way to another."""
    return name not in ("", ".", "..") and not any(sign in name for sign in "/\\:\0")


def _check_rows(rows, has_split, problems):
    """Find fault with cells, clips listed twice, and patients in two splits."""
    seen, split_of = {}, {}
    for row in rows:
        for column in ("clip", "patient"):
            name = getattr(row, column)
            if not name:
                problems.add(row, column, "is empty")
            elif not _is_plain(name):
                problems.add(row, column, f"{name!r} must be the plain name of a file or folder")
        if _label(row.label) is None:
            names = ", ".join(TARGET_NAMES)
            problems.add(row, "label", f"{row.label!r} is none of the classes; they are {names}")
        first = seen.setdefault((row.patient, row.clip), row)
        if first is not row:
            problems.add(
                row, "clip", f"{row.patient}/{row.clip} is in row {first.number} already; keep one"
            )
        if not has_split or not row.patient:
            continue
        first = split_of.setdefault(row.patient, row)
        if not row.split:
            problems.add(row, "split", "is empty; fill it in every row or leave the column out")
        elif row.split != first.split and first.split:
            problems.add(
                row,
                "split",
                f"patient {row.patient} is in {row.split!r} here and in {first.split!r} in row "
                f"{first.number}; what was trained on a patient must not be tested on them, so put "
                "all their clips into one split",
            )


def _check_split(split, rows, has_split, problems, table):
    if not has_split:
        raise ValueError(
            f"{table} has no column split, so there is no split {split!r}. Leave split=None and "
            "split by patient with sklearn.model_selection.GroupShuffleSplit or "
            "StratifiedGroupKFold, groups=data.patients."
        )
    known = sorted({row.split for row in rows} - {""})
    if split not in known:
        problems.stop()  # may well be the reason
        raise ValueError(f"{table} has no split {split!r}; it has {known}.")


# --- files ----------------------------------------------------------------------------------------
def _find_video(root, row, problems):
    folder = root / "clips" / row.patient
    found = [file for file in _videos_in(folder) if file.stem == row.clip]
    place = f"clips/{row.patient}/{row.clip}"
    if not found:
        problems.add(row, "clip", f"there is no {place}.mp4; add it or remove the row")
        return None
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        problems.add(row, "clip", f"{place} is there more than once ({names}); keep one")
    elif not found[0].stat().st_size:
        problems.add(row, "clip", f"clips/{row.patient}/{found[0].name} is empty; copy it again")
    return str(found[0])


def _videos_in(folder):
    """Videos of a folder by name, whatever the case of their endings."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in files if file.suffix.lower() in _SUFFIXES and file.is_file()]


def _check_clip(root, row, video, pose, problems):
    """Decode a clip, count its frames, and compare them with those of its key-points."""
    from skrehab.pose.reader import read_frames

    if video is None or not Path(video).stat().st_size:
        return
    place = Path(video).relative_to(root).as_posix()
    try:
        # all of it: damage in the middle of a file shows nowhere else
        n_frames = sum(1 for _ in read_frames(video, max_size=64))
    except ValueError as error:  # names the file
        problems.add(row, "clip", f"{error}".rstrip("."))
        return
    if pose is not None and abs(len(pose) - n_frames) > _APART:
        problems.add(
            row,
            "clip",
            f"{place} has {n_frames} frames and its key-points {len(pose)}; estimate them again",
        )


def _find_keypoints(root, row, problems):
    folder = root / "keypoints" / row.patient
    found = [file for end in (".npy", ".json") if (file := folder / (row.clip + end)).is_file()]
    place = f"keypoints/{row.patient}/{row.clip}"
    if len(found) != 1:
        text = (
            f"both {place}.npy and .json are there; keep one"
            if found
            else f"there is no {place}.npy or .json; estimate its key-points or remove the row"
        )
        problems.add(row, "clip", text)
        return None
    try:
        return read_coco17(found[0])
    except (ValueError, OSError) as error:
        problems.add(row, "clip", f"{place}{found[0].suffix}: {error}")
        return None


def _warn_unlisted(root, rows):
    """A clip without a row is data that somebody meant to use."""
    listed = {(row.patient, row.clip) for row in rows}
    folders = sorted(folder for folder in (root / "clips").glob("*") if folder.is_dir())
    files = [file for folder in folders for file in _videos_in(folder)]
    files = [
        f"{file.parent.name}/{file.name}"
        for file in files
        if (file.parent.name, file.stem) not in listed
    ]
    if files:
        more = f" and {len(files) - 10} more" if len(files) > 10 else ""
        warnings.warn(
            f"{root / 'labels.csv'} has no row for {len(files)} of the clips, which are left out: "
            f"{', '.join(files[:10])}{more}.",
            UserWarning,
            stacklevel=3,
        )
