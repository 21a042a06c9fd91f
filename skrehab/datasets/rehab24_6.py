"""REHAB24-6: repetitions of six exercises by motion capture, correct or not."""

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._numbers import finite_trial
from skrehab.datasets._skipped import Skipped, existing_folder
from skrehab.datasets._tables import open_table
from skrehab.formats._bounds import refuse_pipe

__all__ = ["load_rehab24_6"]

EXERCISES = {
    1: "arm_abduction",
    2: "arm_vw",
    3: "push_ups",
    4: "leg_abduction",
    5: "leg_lunge",
    6: "squats",
}
NEEDED = (
    *("video_id", "repetition_number", "exercise_id", "person_id"),
    *("first_frame", "last_frame", "correctness"),
)
N_JOINTS, FRAME_RATE = 26, 30.0
MOST_BYTES = 2**30  # of one recording

_DESCR = """\
REHAB24-6
---------
Ten people do six exercises before two cameras and sixteen of motion capture: 65 recordings, 1,072
repetitions, each labelled correct or not. 26 joints of the capture's skeleton, metres, y up, 30
frames a second; videos beside them.

Cernek, Sedmidubsky and Budikova, "REHAB24-6: physical therapy dataset for analyzing pose estimation
methods", SISAP (2024). CC BY-NC 4.0, zenodo.org/records/13305826: Segmentation.csv and
3d_joints.zip are what is read.
"""


def load_rehab24_6(root, *, erroneous=False, strict=False):
    """Read the repetitions of REHAB24-6.

    Parameters
    ----------
    root : str or path-like
        Folder that holds ``Segmentation.csv`` and, anywhere under it, the unpacked
        ``3d_joints.zip``: ``Ex1`` to ``Ex6`` with ``<video_id>-30fps.npy``.
    erroneous : bool, default=False
        Keep repetitions whose motion capture is marked as erroneous.
    strict : bool, default=False
        Raise where a repetition does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` repetitions:

        * ``X``: list of float32 arrays (n_frames_i, 26, 3), metres;
        * ``y``: int array, 0 correct, 1 not;
        * ``subject``, ``groups``: str arrays; ``exercise``: str array such as ``"squats"``;
          ``subtype``: str array, as in the table; ``side``: ``"left"``, ``"right"`` or ``"both"``,
          where the subtype says so; ``episode``: int array; ``video``: str array;
        * ``erroneous``: bool array; ``frame_rate``: 30.0; ``skeleton``: ``"rehab26"``; ``path``:
          list of str; ``skipped``: list of (row, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no ``Segmentation.csv`` in it.
    ValueError
        If its table lacks a column, nothing fits, or, when strict, anything does not.

    Notes
    -----
    The layout is that of the record's page and of programs that read it; no file of it was at hand
    here. ``first_frame`` and ``last_frame`` count from 0 and both belong to the repetition, at 30
    frames a second. Arrays are (n_frames, 26, 4), homogeneous: the fourth number divides.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets import load_rehab24_6
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = pathlib.Path(folder)
    ...     (root / "3d_joints" / "Ex6").mkdir(parents=True)
    ...     np.save(root / "3d_joints" / "Ex6" / "PM_000-30fps.npy", np.ones((90, 26, 4)))
    ...     _ = (root / "Segmentation.csv").write_text(
    ...         "video_id;repetition_number;exercise_id;person_id;first_frame;last_frame;"
    ...         "mocap_erroneous;correctness\\nPM_000;1;6;3;10;39;0;0\\n")
    ...     data = load_rehab24_6(root)
    >>> data.X[0].shape, data.exercise, data.y
    ((30, 26, 3), array(['squats'], dtype='<U6'), array([1]))
    """
    root = existing_folder(root, "REHAB24-6")
    tables = sorted(root.rglob("Segmentation.csv"))
    if not tables:
        raise FileNotFoundError(f"REHAB24-6: there is no Segmentation.csv in {root}.")
    rows = _rows(tables[0])
    files = {(file.parent.name.lower(), file.name): file for file in root.rglob("*-30fps.npy")}
    skipped, found, recordings = Skipped("REHAB24-6", root), [], {}
    for number, row in rows:
        where = f"{tables[0].name}, row {number}"
        try:
            one = _repetition(row)
            if one["erroneous"] and not erroneous:
                continue
            name = f"{row['video_id']}-30fps.npy"
            file = files.get((f"ex{one['exercise_id']}", name))
            if file is None:
                raise ValueError(f"there is no Ex{one['exercise_id']}/{name}")
            if file not in recordings:
                recordings = {file: _joints(file)}  # one at a time: repetitions follow each other
            pose = recordings[file]
            start, stop = one["first"], one["last"] + 1
            if not 0 <= start < stop <= len(pose):
                raise ValueError(f"frames {start} to {stop - 1} of {name}, which has {len(pose)}")
            found.append(one | {"X": finite_trial(pose[start:stop], name), "path": str(file)})
        except (ValueError, OSError) as error:
            skipped.add(where, error)
    skipped.report(len(found), strict)

    def column(key, kind=str):
        return np.array([one[key] for one in found], dtype=kind)

    subject = column("subject")
    return TrialsBunch(
        X=[one["X"] for one in found],
        y=1 - column("correct", int),
        subject=subject,
        groups=subject,
        exercise=column("exercise"),
        subtype=column("subtype"),
        side=column("side"),
        episode=column("episode", int),
        video=column("video"),
        erroneous=column("erroneous", bool),
        path=[one["path"] for one in found],
        frame_rate=FRAME_RATE,
        skeleton="rehab26",
        skipped=skipped.found,
        DESCR=_DESCR,
    )


def _rows(file):
    header, table, _ = open_table(file)
    titles = [title.strip().lower() for title in header]
    if missing := [name for name in NEEDED if name not in titles]:
        raise ValueError(f"REHAB24-6: {file} has no column {', '.join(missing)}; it has {header}.")
    return [(number, dict(zip(titles, cells))) for number, cells in table]


def _repetition(row):
    """What a row of the table says, as numbers."""
    numbers = {}
    for name in (*NEEDED[1:], "mocap_erroneous"):
        text = row.get(name, "0").strip()
        if not text.isdecimal() or len(text) > 9:
            raise ValueError(f"{name} is {text[:40]!r}, no whole number")
        numbers[name] = int(text)
    exercise = numbers["exercise_id"]
    if exercise not in EXERCISES:
        raise ValueError(f"exercise_id is {exercise}, not one of 1 to 6")
    if numbers["correctness"] not in (0, 1):
        raise ValueError(f"correctness is {numbers['correctness']}, neither 0 nor 1")
    subtype = row.get("exercise_subtype", "").strip()
    sides = [side for side in ("left", "right") if side in subtype.lower()]
    return {
        "exercise_id": exercise,
        "exercise": EXERCISES[exercise],
        "subtype": subtype,
        "side": sides[0] if len(sides) == 1 else "both",
        "subject": str(numbers["person_id"]),
        "episode": numbers["repetition_number"],
        "first": numbers["first_frame"],
        "last": numbers["last_frame"],
        "correct": numbers["correctness"],
        "erroneous": bool(numbers["mocap_erroneous"]),
        "video": row["video_id"].strip(),
    }


def _joints(file):
    """Positions of a recording, (n_frames, 26, 3)."""
    refuse_pipe(file)
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{file.name} has more than {MOST_BYTES / 2**30:.0f} GiB")
    try:
        pose = np.load(file, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{file.name} is no array of numbers: {str(error)[:80]}") from None
    if not isinstance(pose, np.ndarray) or pose.ndim != 3 or pose.shape[1:] not in (
        (N_JOINTS, 3),
        (N_JOINTS, 4),
    ):  # fmt: skip
        raise ValueError(
            f"{file.name} has shape {np.shape(pose)}, expected (n_frames, {N_JOINTS}, 4)"
        )
    if pose.dtype.kind not in "fiu" or np.isinf(pose).any():
        raise ValueError(f"{file.name} holds infinite values, or no numbers")
    if pose.shape[2] == 4:
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(pose[..., 3:] == 0, np.nan, pose[..., 3:])
        pose = pose[..., :3] / weight
    return pose.astype(float)
