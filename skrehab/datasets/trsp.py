"""TRSP, the Toronto Rehab Stroke Pose Dataset: compensation with a rehabilitation robot."""

import re

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._numbers import finite_trial, number_rows
from skrehab.datasets._skipped import Skipped, existing_folder, lost_is_nan
from skrehab.skeletons import get_skeleton
from skrehab.trials import UNLABELLED, ragged

__all__ = ["load_trsp"]

NAMES = ("lean_forward", "shoulder_elevation", "trunk_rotation")  # codes 2, 3, 4; 1 is none
_PERSON = re.compile(r"[HP]\d+", re.IGNORECASE)

_DESCR = """\
TRSP (Toronto Rehab Stroke Pose)
--------------------------------
Nine stroke survivors (P) and ten healthy people (H) who play compensations, seated, move a
rehabilitation robot's handle. Kinect v2, 25 joints, metres. Each frame is labelled by two experts:
no compensation, lean forward, shoulder elevation, trunk rotation.

Dolatabadi, Zhi, Ye, Coahran, Lupinacci, Mihailidis, Wang and Taati, "The Toronto Rehab Stroke Pose
Dataset to detect compensation during stroke rehabilitation therapy", Pervasive Health (2017)
375-381; Zhi et al., IEEE J. Transl. Eng. Health Med. 6 (2017) 2100107.

From Kaggle (toronto-robot-stroke-posture-dataset); its page states the terms of use.
"""


def load_trsp(root, *, strict=False):
    """Read the Toronto Rehab Stroke Pose Dataset.

    Parameters
    ----------
    root : str or path-like
        Folder of ``H01 ... H10, P01 ... P09``, or one above them; in each, a folder a task with
        ``Joint_Positions.csv`` and ``Labels.csv``.
    strict : bool, default=False
        Raise where a task does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` tasks of people:

        * ``X``: list of float32 arrays (n_frames_i, 25, 3), metres; NaN for lost joints;
        * ``frame_labels``: ragged array of int arrays (n_frames_i, 3), 0 or 1, -1 where a frame has
          no label; ``y``: int array (n_trials, 3), 1 where any frame is 1; ``label_names``:
          ``["lean_forward", "shoulder_elevation", "trunk_rotation"]``;
        * ``subject`` and ``groups``: str arrays such as ``"P03"``; ``patient``: bool array;
          ``exercise``: str array, the task's folder; ``side``: ``"left"``, ``"right"`` or ``""``,
          by the letter L or R in that name;
        * ``frame_rate``: 30.0; ``skeleton``: ``"kinect25"``; ``path``: list of str; ``skipped``:
          list of (place, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    ``Joint_Positions.csv`` has 25 rows of three numbers a frame, joints in the order of the Kinect
    v2 SDK; ``Labels.csv`` has a number a frame: 1 none, 2 lean forward, 3 shoulder elevation, 4
    trunk rotation. Published code disagrees on which column points up: it is the one along which
    the head lies highest above the base of the spine, and is put second, as a Kinect has it. A
    joint at (0, 0, 0) is lost.

    Examples
    --------
    >>> from skrehab.datasets import load_trsp
    >>> data = load_trsp("TRSP")  # doctest: +SKIP
    >>> data.X[0].shape, data.frame_labels[0].shape, data.subject[0]  # doctest: +SKIP
    ((431, 25, 3), (431, 3), 'H01')
    """
    root = existing_folder(root, "TRSP")
    skipped, rows = Skipped("TRSP", root), []
    for file in sorted(root.rglob("Joint_Positions.csv")):
        person, task = file.parent.parent.name, file.parent.name
        try:
            if not _PERSON.fullmatch(person):
                raise ValueError(f"{person} must be a person such as H01 or P01")
            values = number_rows(file, 3)
            if len(values) % 25:
                raise ValueError(f"{len(values)} rows, expected 25 a frame")
            pose = finite_trial(lost_is_nan(values.reshape(-1, 25, 3)), file.name)
            labels = number_rows(file.with_name("Labels.csv"), 1)[:, 0]
            if len(labels) != len(pose):
                raise ValueError(f"{len(pose)} frames, but Labels.csv has {len(labels)}")
            wrong = labels[~np.isnan(labels) & ~np.isin(labels, (1, 2, 3, 4))]
            if len(wrong):
                raise ValueError(f"Labels.csv holds {wrong[0]:g}, expected 1 to 4")
            pose = _upright(pose)
        except (ValueError, OSError) as error:
            skipped.add(file, error)
            continue
        frames = (labels[:, None] == np.arange(2, 5)).astype(int)
        frames[np.isnan(labels)] = UNLABELLED
        rows.append((pose, frames, frames.max(axis=0), person.upper(), task, str(file)))
    skipped.report(len(rows), strict)
    X, frames, y, subject, task, path = zip(*rows)
    subject = np.array(subject)
    return TrialsBunch(
        X=list(X),
        y=np.array(y),
        frame_labels=ragged(list(frames)),
        label_names=list(NAMES),
        subject=subject,
        groups=subject,
        patient=np.char.startswith(subject, "P"),
        exercise=np.array(task),
        side=np.array([_side(name) for name in task]),
        frame_rate=30.0,
        skeleton="kinect25",
        path=list(path),
        skipped=skipped.found,
        DESCR=_DESCR,
    )


def _upright(pose):
    """Put the column that points up second, as a Kinect has it."""
    at = get_skeleton("kinect25").index
    seen = pose[:, at("head")] - pose[:, at("spine_base")]
    seen = seen[~np.isnan(seen).any(axis=1)]
    if not len(seen):
        return pose
    height = np.median(seen, axis=0)
    return pose[..., [0, 2, 1]] if height[2] > max(height[1], height[0]) else pose


def _side(task):
    letters = {"L": "left", "R": "right"}
    found = {
        letters[one] for one in re.findall(r"(?<![A-Za-z])[LR](?![a-z])|[LR]$|[LR](?=_)", task)
    }
    return found.pop() if len(found) == 1 else ""
