"""MuscleMap: clips of exercises with the muscle groups at work, RGB and 2-D key-points."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.utils import Bunch

from skrehab.datasets._coco_files import read_coco17
from skrehab.datasets._skipped import existing_folder
from skrehab.datasets._tables import open_table, to_whole
from skrehab.datasets.manifest import _Problems
from skrehab.formats._bounds import check_points, read_json
from skrehab.formats.poses import parse_pose
from skrehab.muscles import NEW_ACTIVITIES, plain_name

__all__ = ["load_musclemap"]

MODALITIES = ("rgb", "pose")
_ENDS = (".npy", ".json")
_SHOWN = 10  # files in one message

_DESCR = """\
MuscleMap
---------
Clips of exercises from YouTube, each with the muscle groups that the activity needs, as RGB and as
key-points (COCO's 17, by AlphaPose).
Read from {root}: {n_clips} clips of {n_activities} activities, {n_muscles} muscle groups.

Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024. In
the paper: 15,004 clips of 135 activities, 20 muscle groups; train 7,069, known and new validation
1,599 and 2,355, known and new test 1,594 and 2,360 clips. Report mean average precision on known
and on new activities, and the mean of both: see skrehab.evaluation.known_new_scores.
"""


def load_musclemap(root, *, split=None, modalities=MODALITIES, min_frames=None, strict=True):
    """Read one's own copy of MuscleMap.

    The authors hand the clips out on request, without a fixed layout. Bring them into this one::

        root/clips/<clip>                    videos, such as clips/squats/0001.mp4
        root/skeletons/<clip>.npy or .json   key-points, such as skeletons/squats/0001.json
        root/clips.csv                       clip,activity[,split]
        root/muscles.csv                     activity,<muscle group>,<muscle group>,...

    Both tables are UTF-8 with a header. ``clips.csv`` has one row a clip: its path below ``clips``
    with the ending, its activity, and perhaps its split, one of ``train``, ``known_val``,
    ``new_val``, ``known_test``, ``new_test``; the released code's ``val_seen``, ``val_unseen``,
    ``test_seen``, ``test_unseen`` are understood. Further columns are ignored. ``muscles.csv`` has
    one row an activity, as it was annotated, and one column of 0 and 1 a muscle group; the header
    names them.

    Key-points are ``.npy`` arrays (n_frames, 17, 2) of x and y in pixels or (n_frames, 17, 3) with
    a score, or ``.json`` in COCO's order: AlphaPose's list of results, or a list with one entry a
    frame. Of several people the largest one is followed.

    Parameters
    ----------
    root : str or path-like
        Folder with the tables and the two folders.
    split : str or sequence of str, optional
        Read only these splits; all by default.
    modalities : tuple of {"rgb", "pose"}, default=("rgb", "pose")
        What to look for; without ``"rgb"`` no video need be there.
    min_frames : int, optional
        Open every video, and find fault with those that cannot be opened or have fewer frames; the
        benchmark looks at 16. By default videos are opened when they are needed.
    strict : bool, default=True
        Refuse a copy in which a clip's files are missing or damaged. False leaves such clips out
        and warns once. Faults of the tables are always refused.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_clips`` clips in the order of the rows:

        * ``X``: list of ``{"rgb": path, "pose": points}``: a str, decoded when it is needed, and a
          float32 array (n_frames_i, 17, 3) of x and y in pixels and score, 1 where the file has
          none; a lost point is NaN with score 0. A modality that was not asked for is None;
        * ``y``: int array (n_clips, n_muscles), 1 where a muscle group is at work;
        * ``muscles``: list of str, their names as in the header;
        * ``activity``: str array (n_clips,); ``new_activities``: names of those that no training
          clip shows, by the splits, or without splits those of the paper;
        * ``split``: str array (n_clips,), or None without that column, for
          :class:`skrehab.evaluation.KnownNewSplit`;
        * ``clip``: str array (n_clips,), paths as in the table; ``skeleton``: ``"coco17"``;
          ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or a table is missing.
    ValueError
        If rows or files are wrong, or an activity is both trained on and new; one message names all
        of them (up to ten), with row and file. Or if there is no such split.

    Warns
    -----
    UserWarning
        If clips are left out, or ``clips`` holds videos that no row names.

    See Also
    --------
    make_exercise_clips : Synthetic clips of the same form.
    skrehab.evaluation.known_new_split : Divide clips as the paper does.

    Notes
    -----
    The authors' own lists are pickles: for each split the videos' paths and the numbers of their
    muscle groups. Unpickling runs code of whoever made the file, so nothing is unpickled here:
    write the tables from lists that you trust.

    References
    ----------
    Peng et al., "Towards Video-based Activated Muscle Group Estimation in the Wild", ACM MM 2024,
    section 3.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets.musclemap import load_musclemap
    >>> with tempfile.TemporaryDirectory() as name:
    ...     root = pathlib.Path(name)
    ...     for folder in ("clips/squats", "skeletons/squats"):
    ...         (root / folder).mkdir(parents=True)
    ...     _ = (root / "clips/squats/1.mp4").write_bytes(b"read later, if at all")
    ...     np.save(root / "skeletons/squats/1.npy", np.ones((40, 17, 2)))
    ...     _ = (root / "clips.csv").write_text("clip,activity\\nsquats/1.mp4,squats\\n")
    ...     _ = (root / "muscles.csv").write_text("activity,glutes,biceps\\nsquats,1,0\\n")
    ...     data = load_musclemap(root)
    >>> data.X[0]["pose"].shape, data.y, data.muscles
    ((40, 17, 3), array([[1, 0]]), ['glutes', 'biceps'])
    """
    root = existing_folder(root, "MuscleMap")
    modalities = _check_modalities(modalities)
    if min_frames is not None and (isinstance(min_frames, bool) or not min_frames >= 1):
        raise ValueError(f"min_frames must be at least 1, or None, got {min_frames!r}.")
    muscles, labels = _read_muscles(_existing(root, "muscles.csv"))
    table = _existing(root, "clips.csv")
    rows, has_split = _read_clips(table)
    problems = _Problems(table)
    _check_rows(rows, has_split, labels, problems)
    problems.stop()
    wanted = _choose(split, rows, has_split, table)

    faults = _Problems(table)
    found = [_find(root, row, modalities, min_frames, faults) for row in wanted]
    if strict:
        faults.stop()
    kept = [(row, files) for row, files in zip(wanted, found) if files is not None]
    _warn(table, root, rows, modalities, faults.found, len(wanted))
    if not kept:
        faults.stop()
    rows, X = [row for row, _ in kept], [files for _, files in kept]
    activity = np.array([row.activity for row in rows])
    return Bunch(
        X=X,
        y=np.array([labels[plain_name(row.activity)] for row in rows]),
        muscles=muscles,
        activity=activity,
        new_activities=_new_activities(rows, has_split),
        split=np.array([row.split for row in rows]) if has_split else None,
        clip=np.array([row.clip for row in rows]),
        skeleton="coco17",
        DESCR=_DESCR.format(
            root=root, n_clips=len(rows), n_activities=len(set(activity)), n_muscles=len(muscles)
        ),
    )


# --- tables ---------------------------------------------------------------------------------------
class _Row(NamedTuple):
    number: int  # as a spreadsheet shows it
    clip: str
    activity: str
    split: str  # in our words, or as it stands where it is none of them


def _existing(root, name):
    if not (root / name).is_file():
        raise FileNotFoundError(
            f"MuscleMap: there is no {root / name}. The layout is described at load_musclemap."
        )
    return root / name


def _open(path, needed):
    try:
        header, table, _ = open_table(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    titles = [title.lower() for title in header]
    wrong = [name for name in needed if titles.count(name) != 1]
    if wrong:
        raise ValueError(
            f"{path}: the header must have one column {wrong[0]!r}, it has {header}. Needed are "
            f"{', '.join(needed)}."
        )
    if not table:
        raise ValueError(f"{path}: there is no row under the header.")
    return header, titles, table


def _read_muscles(path):
    """Names of the muscle groups, and each activity's labels by its plain name."""
    header, titles, table = _open(path, ("activity",))
    at = titles.index("activity")
    muscles = [name for i, name in enumerate(header) if i != at]
    if not muscles or not all(muscles) or len({plain_name(m) for m in muscles}) < len(muscles):
        raise ValueError(
            f"{path}: every column but 'activity' must name one muscle group, got {muscles}."
        )
    problems, labels = _Problems(path), {}
    for number, cells in table:
        row = _Row(number, "", cells[at], "")
        values = [cell for i, cell in enumerate(cells) if i != at]
        numbers = [to_whole(cell) for cell in values]
        bad = [(m, v) for m, v, n in zip(muscles, values, numbers) if n not in (0, 1)]
        for muscle, value in bad:
            problems.add(row, muscle, f"{value!r} is neither 0 nor 1")
        name = plain_name(row.activity)
        if not name:
            problems.add(row, "activity", "is empty")
        elif name in labels:
            problems.add(row, "activity", f"{row.activity!r} has a row already; keep one")
        labels[name] = numbers
    problems.stop()
    return muscles, labels


def _read_clips(path):
    _, titles, table = _open(path, ("clip", "activity"))
    has_split = "split" in titles
    rows = []
    for number, cells in table:
        cell = dict(zip(titles, cells))
        clip = cell["clip"].replace("\\", "/")  # written on Windows
        rows.append(_Row(number, clip, cell["activity"], _split_name(cell.get("split", ""))))
    return rows, has_split


def _split_name(cell):
    """One of our names of splits, or the cell as it is."""
    words = set(plain_name(cell).split())
    if words in ({"train"}, {"training"}):
        return "train"
    for kind, names in (("known", {"known", "seen"}), ("new", {"new", "unseen"})):
        for part, others in (("val", {"val", "valid", "validation"}), ("test", {"test"})):
            if len(words) == 2 and words & names and words & others:
                return f"{kind}_{part}"
    return cell


SPLITS = ("train", "known_val", "new_val", "known_test", "new_test")


def _check_rows(rows, has_split, labels, problems):
    seen = {}
    for row in rows:
        parts = row.clip.split("/")
        if not row.clip:
            problems.add(row, "clip", "is empty")
        elif row.clip.startswith("/") or ":" in row.clip or {"", ".", ".."} & set(parts):
            problems.add(row, "clip", f"{row.clip!r} must be a path below clips/")
        first = seen.setdefault(row.clip, row)
        if first is not row:
            problems.add(row, "clip", f"{row.clip} is in row {first.number} already; keep one")
        if plain_name(row.activity) not in labels:
            problems.add(row, "activity", f"{row.activity!r} has no row in muscles.csv")
        if has_split and row.split not in SPLITS:
            problems.add(row, "split", f"{row.split!r} is none of {', '.join(SPLITS)}")
    trained = {plain_name(row.activity): row for row in reversed(rows) if row.split == "train"}
    for row in rows:
        known = trained.get(plain_name(row.activity))
        if row.split.startswith("new_") and known:
            problems.add(
                row,
                "split",
                f"{row.activity!r} is new here and trained on in row {known.number}; what is new "
                "must not be in train",
            )
        if row.split.startswith("known_") and trained and not known:
            problems.add(row, "split", f"{row.activity!r} is known here, but no row trains on it")


def _choose(split, rows, has_split, table):
    if split is None:
        return rows
    if not has_split:
        raise ValueError(
            f"{table} has no column split, so there is no split {split!r}. Leave split=None and "
            "divide with skrehab.evaluation.known_new_split."
        )
    wanted = [split] if isinstance(split, str) else list(split)
    names = {_split_name(name) for name in wanted}
    known = [name for name in SPLITS if any(row.split == name for row in rows)]
    missing = sorted(names - set(known))
    if missing or not names:
        raise ValueError(f"{table} has no split {', '.join(missing) or '[]'}; it has {known}.")
    return [row for row in rows if row.split in names]


def _new_activities(rows, has_split):
    names = dict.fromkeys(row.activity for row in rows)
    if has_split:
        new = {plain_name(row.activity) for row in rows if row.split.startswith("new_")}
    else:
        new = {plain_name(name) for name in NEW_ACTIVITIES}
    return [name for name in names if plain_name(name) in new]


def _check_modalities(modalities):
    chosen = (modalities,) if isinstance(modalities, str) else tuple(modalities)
    if not chosen or set(chosen) - set(MODALITIES):
        raise ValueError(f"modalities must be some of {MODALITIES}, got {modalities!r}.")
    return chosen


# --- files ----------------------------------------------------------------------------------------
def _find(root, row, modalities, min_frames, faults):
    """Files of one clip, or None where something is wrong with them."""
    before, files = len(faults.found), dict.fromkeys(MODALITIES)
    if "rgb" in modalities:
        files["rgb"] = str(_find_video(root, row, min_frames, faults))
    if "pose" in modalities:
        files["pose"] = _find_skeleton(root, row, faults)
    return files if len(faults.found) == before else None


def _find_video(root, row, min_frames, faults):
    file = root / "clips" / row.clip
    if not file.is_file():
        faults.add(row, "clip", f"there is no clips/{row.clip}; add it or remove the row")
    elif not file.stat().st_size:
        faults.add(row, "clip", f"clips/{row.clip} is empty; copy it again")
    elif min_frames is not None:
        from skrehab.pose.seeking import count_frames

        try:
            n_frames = count_frames(file)
        except ValueError as error:  # names the file
            faults.add(row, "clip", str(error).rstrip("."))
        else:
            if n_frames < min_frames:
                faults.add(
                    row, "clip", f"clips/{row.clip} has {n_frames} frames, fewer than {min_frames}"
                )
    return file


def _find_skeleton(root, row, faults):
    base = root / "skeletons" / row.clip
    files = [file for end in _ENDS if (file := base.with_suffix(end)).is_file()]
    place = base.with_suffix("").relative_to(root).as_posix()
    if len(files) != 1:
        text = (
            f"both {place}.npy and .json are there; keep one"
            if files
            else f"there is no {place}.npy or .json; estimate its key-points or remove the row"
        )
        faults.add(row, "clip", text)
        return None
    try:
        return _read_skeleton(files[0])
    except (ValueError, OSError) as error:
        faults.add(row, "clip", f"{place}{files[0].suffix}: {error}")
        return None


def _read_skeleton(file):
    """Key-points (n_frames, 17, 3) of one person."""
    if file.suffix == ".json":
        content = read_json(file)
        if isinstance(content, list) and content and "image_id" in (content[0] or ()):
            return _read_results(file)
    return read_coco17(file)


def _read_results(file):
    """Results as of AlphaPose: one entry a person, and no entry for a frame without anyone."""
    found = parse_pose(file, format="coco", frame_rate=1.0)  # so times are numbers of frames
    if found.pose.shape[1:] != (17, 3):
        raise ValueError(f"COCO's 17 key-points are needed, got {found.pose.shape[1]}")
    numbers = np.rint(found.timestamps).astype(int)
    check_points(numbers[-1] + 1, 17)  # the last number may be any
    points = np.full((numbers[-1] + 1, 17, 3), [np.nan, np.nan, 0], dtype=np.float32)
    points[numbers] = found.pose
    return points


def _warn(table, root, rows, modalities, faults, n_wanted):
    """Tell once what was left out, and which videos nobody listed."""
    parts = []
    if faults:
        lines = [text for _, text in faults[:_SHOWN]]
        more = len(faults) - _SHOWN
        lines += [f"and {more} more"] * (more > 0)
        n_left = len({number for number, _ in faults})
        parts.append("\n  ".join([f"{n_left} of {n_wanted} clips are left out.", *lines]))
    if "rgb" in modalities:
        listed = {row.clip for row in rows}
        found = (
            file.relative_to(root / "clips").as_posix()
            for file in sorted((root / "clips").rglob("*"))
            if file.is_file() and not file.name.startswith(".")
        )
        others = [name for name in found if name not in listed]
        if others:
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            parts.append(
                f"No row names {len(others)} of the files in clips: "
                f"{', '.join(others[:_SHOWN])}{more}."
            )
    if parts:
        warnings.warn(f"{table}: " + "\n".join(parts), UserWarning, stacklevel=3)
