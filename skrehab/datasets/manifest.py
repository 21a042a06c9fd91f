"""A user's own trials: a CSV that lists videos or pose files with patients and labels."""

import warnings
from pathlib import Path

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._manifest_files import (
    check_contents,
    check_unique,
    find_files,
    is_pose,
    read_all_intervals,
    read_poses,
)
from skrehab.datasets._manifest_rows import (
    ALIKE,
    Problems,
    column,
    differ_little,
    labels_of,
    one_spelling,
    patients_of,
    rates_of,
    read_rows,
    scores_of,
)
from skrehab.datasets._tables import clean, same_key, to_whole
from skrehab.datasets.intervals import intervals_to_frames
from skrehab.skeletons import get_skeleton, list_skeletons
from skrehab.trials import UNLABELLED, ragged

__all__ = ["load_manifest"]

_DESCR = """\
Trials listed in {path}: {n_trials} trials of {n_patients} patients, labels {labels}.
"""


def load_manifest(
    csv,
    *,
    frame_labels=True,
    frame_rate=None,
    normal_label=None,
    person="steady",
    tier=None,
    recording=None,
    allow_cut=False,
    alike="refuse",
    interval_labels=None,
):
    """Read a manifest of one's own videos or pose files.

    A manifest is a table with a header and one row a trial:
    ``trial,path,patient,exercise,side,label[,score][,frame_labels][,recording][,tier]
    [,frame_rate]``. ``path, patient, label`` are needed, the others may be left out, and further
    columns are ignored. It may be separated by commas, semicolons or tabs, in UTF-8 or UTF-16, or
    be the first sheet of an Excel workbook (``.xlsx``).

    Parameters
    ----------
    csv : str or path-like
        The manifest. Paths in it are relative to its own folder. A ``path`` is a video or a pose
        file, all of one kind. Pose files are those of :func:`skrehab.formats.read_pose`: ``.npy``,
        ``.npz``, ``.csv``, ``.tsv``, ``.xlsx``, ``.trc``, ``.json``, ``.parquet``, or a folder of
        OpenPose. Where a file holds several recordings, ``trial`` names the row's. Labels are whole
        numbers or words.
    frame_labels : bool, default=True
        Read the interval files in column ``frame_labels``, those of
        :func:`skrehab.formats.read_intervals`. One that holds several recordings may stand in
        several rows: taken is the recording called like the row's file or trial, or the one in
        column ``recording``. A trial without a file has no frame truth.
    frame_rate : float, optional
        Frames per second of pose files that hold no times of their own, and of videos that CVAT
        has labelled. A column ``frame_rate`` says it for each row.
    normal_label : int or str, optional
        The label of frames outside all intervals; 0 when labels are whole numbers, needed only
        when they are words.
    person : {"steady", "follow", "largest"} or int, default="steady"
        Whom to take where pose files list several people; see :func:`skrehab.formats.read_pose`.
    tier : str, optional
        ELAN's tier, BORIS's subject or CVAT's attribute, for rows without one in column ``tier``.
    recording : str, optional
        Recording of the interval file, for rows without one in column ``recording``.
    allow_cut : bool, default=False
        Read TRC files that hold fewer frames than they state, with a warning.
    alike : {"refuse", "same", "different"}, default="refuse"
        What to do with patients, labels and exercises that differ only in case, blanks, dashes,
        unseen marks, leading zeros or letters that look like Latin ones, like ``P01`` and ``p-1``:
        refuse them, take them for the same, spelled like the first, or for different ones.
        ``"different"`` also takes one recording listed twice.
        Composed and decomposed letters, kinds of blanks and unseen marks are the same always.
    interval_labels : dict of str to int or str, optional
        What words in interval files mean as labels, like ``{"lean": 1}`` where CVAT's tracks have
        names and trials numbers.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` rows:

        * ``X``: list of str paths of videos, or list of float32 arrays (n_frames_i, n_landmarks,
          n_coords);
        * ``y``: array (n_trials,) of int, or of str when labels are words;
        * ``groups``, ``exercise``, ``side``, ``trial``: str arrays (n_trials,); patients are the
          groups; an absent ``trial`` is the file's name, ``exercise`` is None where no row has one;
        * ``score``: float array (n_trials,), NaN where empty, or None without that column;
        * ``frame_intervals``: list of lists of (start, stop, label), None for a trial without a
          file; None without that column. See :func:`intervals_to_frames`;
        * ``timestamps``: list of arrays (n_frames_i,) or None, in seconds, for pose files;
        * ``frame_labels``: object array of arrays (n_frames_i,) for pose files with intervals,
          -1 where a trial has no truth; else None;
        * ``landmarks``, ``skeleton``: names found in the files, and the skeleton that has them, in
          whose order they then are, or None; ``path``: the manifest; ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such manifest.
    ValueError
        If rows are wrong; one message names all of them (up to ten), with row and column.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets import load_manifest
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = pathlib.Path(name)
    ...     np.save(folder / "a.npy", np.zeros((4, 33, 3)))
    ...     _ = (folder / "leans.csv").write_text("start,stop,label\\n1,2,1\\n")
    ...     _ = (folder / "trials.csv").write_text(
    ...         "trial,path,patient,exercise,side,label,frame_labels\\n"
    ...         "t1,a.npy,P01,brush_hair,left,1,leans.csv\\n")
    ...     data = load_manifest(folder / "trials.csv", frame_rate=2)
    >>> data.X[0].shape, data.y, data.groups, data.frame_labels[0]
    ((4, 33, 3), array([1]), array(['P01'], dtype='<U3'), array([0, 0, 1, 1]))
    """
    path = Path(csv)
    if frame_rate is not None and not 0 < frame_rate < np.inf:
        raise ValueError(f"frame_rate must be positive, got {frame_rate!r}.")
    if alike not in ALIKE:
        raise ValueError(f"alike must be one of {ALIKE}, got {alike!r}.")
    rows, columns = read_rows(path)
    problems = Problems(path)
    y = labels_of(rows, alike, problems)
    files = find_files(rows, path.parent, problems)
    score = scores_of(rows, problems) if "score" in columns else None
    rates = rates_of(rows, frame_rate, problems)
    check_unique(rows, files, problems)
    groups = patients_of(rows, alike, problems)
    exercise = one_spelling(rows, "exercise", column(rows, "exercise"), alike, problems)
    problems.stop()

    reader = {"person": person, "allow_cut": allow_cut}
    found_poses = is_pose(files[0])
    poses = read_poses(rows, files, rates, reader, problems) if found_poses else None
    check_contents(rows, files, poses, alike, problems)
    intervals = None
    if frame_labels and "frame_labels" in columns:
        options = {"tier": tier, "recording": recording, "meaning": interval_labels}
        intervals = read_all_intervals(
            rows, files, poses, rates, path.parent, y.dtype.kind == "i", options, problems
        )
        intervals = _spelled_alike(rows, y, intervals, normal_label, alike, problems)
    problems.stop()

    exercise = np.array(exercise)
    data = TrialsBunch(
        X=[pose.pose for pose in poses] if found_poses else [str(file) for file in files],
        y=y,
        groups=groups,
        # nothing filled in is not one exercise called "", and no model is to be told of it
        exercise=exercise if exercise.any() else None,
        side=column(rows, "side"),
        trial=np.array([row.cells.get("trial") or f.stem for row, f in zip(rows, files)]),
        score=score,
        frame_intervals=intervals,
        timestamps=[pose.timestamps for pose in poses] if found_poses else None,
        frame_labels=None,
        landmarks=poses[0].landmarks if found_poses else None,
        path=str(path),
    )
    data.skeleton = _skeleton_of(data.landmarks)
    if found_poses and intervals is not None:
        data.frame_labels = _frame_truth(rows, data, normal_label, problems)
        problems.stop()
    if intervals is not None:
        _warn_contradictions(rows, y, intervals, path)
    data.DESCR = _DESCR.format(
        path=path,
        n_trials=len(rows),
        n_patients=len(set(data.groups.tolist())),
        labels=sorted(set(y.tolist())),
    )
    return data


# --- frame truth ----------------------------------------------------------------------------------
def _spelled_alike(rows, y, intervals, normal_label, alike, problems):
    """Words of intervals that look like another label are refused, or made that one."""
    if y.dtype.kind == "i":
        return intervals
    known = {}
    for word in (*y.tolist(), *([] if normal_label is None else [str(normal_label)])):
        known.setdefault(same_key(word), word)
    out = []
    for row, found in zip(rows, intervals):
        spelled = []
        for start, stop, word in found or []:
            word = clean(word)
            own = known.setdefault(same_key(word), word)
            if word != own and alike == "refuse":
                problems.add(
                    row,
                    "frame_labels",
                    differ_little(f"label {word!r} and label {own!r} elsewhere"),
                )
            spelled.append((start, stop, own if alike == "same" else word))
        out.append(None if found is None else spelled)
    return out


def _frame_truth(rows, data, normal_label, problems):
    """Labels of every frame, where the times of frames are known."""
    labelled = any(intervals is not None for intervals in data.frame_intervals)
    if labelled and normal_label is None and data.y.dtype.kind != "i":
        raise ValueError(
            f"{data.path}: labels are words, so say which one holds outside all intervals: "
            f"normal_label=, one of {sorted(set(data.y.tolist()))}."
        )
    background = 0 if normal_label is None else normal_label
    if data.y.dtype.kind == "i":  # a command line has text
        if to_whole(str(background)) is None:
            raise ValueError(
                f"{data.path}: normal_label is {background!r}, and labels are numbers: "
                f"{sorted(set(data.y.tolist()))}."
            )
        background = to_whole(str(background))
    truth = []
    for row, trial, times, intervals in zip(rows, data.X, data.timestamps, data.frame_intervals):
        labels = np.full(len(trial), UNLABELLED)
        if intervals is not None and times is None:
            problems.add(
                row,
                "path",
                "its frames have no times, so intervals cannot be placed: pass "
                "frame_rate= to load_manifest",
            )
        elif intervals is not None:
            try:
                labels = intervals_to_frames(intervals, times, background=background)
            except ValueError as error:
                problems.add(row, "frame_labels", str(error))
        truth.append(labels)
    return ragged(truth)


def _warn_contradictions(rows, y, intervals, path):
    """A normal trial with labelled intervals, or the reverse, is a slip worth knowing of.

    So is a label that no trial has: whoever scores frames cannot tell what it means.
    """
    strange = {}
    for row, found in zip(rows, intervals):
        for *_, name in found or []:
            if name not in (*y.tolist(), UNLABELLED):
                strange.setdefault(name, row.number)
    if strange:
        shown = ", ".join(f"{name!r} (row {number})" for name, number in list(strange.items())[:5])
        warnings.warn(
            f"{path}: frames are labelled {shown}, as no trial is.", UserWarning, stacklevel=3
        )
    if not set(y.tolist()) <= {0, 1}:
        return
    odd = [
        str(row.number)
        for row, label, found in zip(rows, y, intervals)
        if found is not None and label != any(name for *_, name in found)
    ]
    if odd:
        warnings.warn(
            f"{path}: label and frame_labels contradict each other in row {', '.join(odd[:10])}.",
            UserWarning,
            stacklevel=3,
        )


def _skeleton_of(landmarks):
    for name in list_skeletons():
        if landmarks == get_skeleton(name).landmarks:
            return name
    return None
