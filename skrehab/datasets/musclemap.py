"""MuscleMap: clips of exercises with the muscle groups at work, RGB and 2-D key-points."""

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._manifest_rows import Problems
from skrehab.datasets._musclemap_files import (
    MODALITIES,
    check_modalities,
    find_files,
    warn_of_left_out,
)
from skrehab.datasets._musclemap_tables import (
    check_rows,
    choose,
    existing_table,
    new_activities,
    read_clips,
    read_muscles,
)
from skrehab.datasets._skipped import existing_folder
from skrehab.muscles import plain_name

__all__ = ["load_musclemap"]


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
    a score, or ``.json`` in COCO's order: AlphaPose's list of results, what MMPose's and Sapiens'
    demos write (``instance_info``), or a list with one entry a frame. Of several people the largest
    one is followed.

    Parameters
    ----------
    root : str or path-like
        Folder with the tables and the two folders.
    split : str or sequence of str, optional
        Read only these splits; all by default.
    modalities : tuple of {"rgb", "pose"}, default=("rgb", "pose")
        What to look for; without ``"rgb"`` no video need be there.
    min_frames : int, optional
        Open every video, and find fault with those that cannot be opened or have fewer frames (the
        benchmark looks at 16), and with key-points of fewer than half the frames or of more. By
        default videos are opened when they are needed.
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
    modalities = check_modalities(modalities)
    if min_frames is not None and (isinstance(min_frames, bool) or not min_frames >= 1):
        raise ValueError(f"min_frames must be at least 1, or None, got {min_frames!r}.")
    muscles, labels = read_muscles(existing_table(root, "muscles.csv"))
    table = existing_table(root, "clips.csv")
    rows, has_split = read_clips(table)
    problems = Problems(table)
    check_rows(rows, has_split, labels, problems)
    problems.stop()
    wanted = choose(split, rows, has_split, table)

    faults = Problems(table)
    found = [find_files(root, row, modalities, min_frames, faults) for row in wanted]
    if strict:
        faults.stop()
    kept = [(row, files) for row, files in zip(wanted, found) if files is not None]
    warn_of_left_out(table, root, rows, modalities, faults.found, len(wanted))
    if not kept:
        faults.stop()
    rows, X = [row for row, _ in kept], [files for _, files in kept]
    activity = np.array([row.activity for row in rows])
    return TrialsBunch(
        X=X,
        y=np.array([labels[plain_name(row.activity)] for row in rows]),
        muscles=muscles,
        activity=activity,
        new_activities=new_activities(rows, has_split),
        split=np.array([row.split for row in rows]) if has_split else None,
        clip=np.array([row.clip for row in rows]),
        skeleton="coco17",
        DESCR=_DESCR.format(
            root=root, n_clips=len(rows), n_activities=len(set(activity)), n_muscles=len(muscles)
        ),
    )
