"""IRDS, IntelliRehabDS: nine gestures of patients and healthy people, correct or not."""

import re

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._numbers import finite_trial, to_numbers
from skrehab.datasets._skipped import Skipped, existing_folder, lost_is_nan
from skrehab.formats._bounds import read_text
from skrehab.skeletons import get_skeleton
from skrehab.trials import UNLABELLED

__all__ = ["load_irds"]

GESTURES = (
    *("elbow_flexion_left", "elbow_flexion_right", "shoulder_flexion_left"),
    *("shoulder_flexion_right", "shoulder_abduction_left", "shoulder_abduction_right"),
    *("shoulder_forward_elevation", "side_tap_left", "side_tap_right"),
)
_NAME = re.compile(r"(\d+)_(\d+)_(\d)_(\d+)_([123])_(\w+)")
_JOINT = re.compile(r"\(([^()]*)\)")
_STATES = {"0": 0, "1": 1, "2": 2, "nottracked": 0, "inferred": 1, "tracked": 2}

_DESCR = """\
IRDS (IntelliRehabDS)
---------------------
Fifteen patients and fourteen healthy people do nine gestures of the arms and sideways taps of the
feet, standing, on a chair or in a wheelchair: 2,589 repetitions, each labelled correct, incorrect
or too poor to tell by two annotators. Kinect v2, 25 joints, metres.

Miron, Sadawi, Ismail, Hussain and Grosan, "IntelliRehabDS (IRDS): a dataset of physical
rehabilitation movements", Data 6 (2021) 46. CC BY 4.0, zenodo.org/record/4610859.
"""


def load_irds(root, *, strict=False):
    """Read the raw skeleton files of IntelliRehabDS.

    Parameters
    ----------
    root : str or path-like
        Folder of the raw files, anywhere under it, named
        ``<subject>_<date>_<gesture>_<repetition>_<label>_<position>.txt``.
    strict : bool, default=False
        Raise where a file does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` repetitions:

        * ``X``: list of float32 arrays (n_frames_i, 25, 3), metres; NaN for joints not tracked;
        * ``tracking``: list of int8 arrays (n_frames_i, 25): 2 tracked, 1 inferred, 0 not;
        * ``timestamps``: list of float arrays (n_frames_i,), seconds from the first frame;
        * ``y``: int array, 0 correct, 1 incorrect, -1 poor (label 3); ``label``: the file's own;
        * ``subject``, ``groups``: str arrays; ``exercise``: str array such as
          ``"elbow_flexion_left"``; ``side``: ``"left"``, ``"right"`` or ``"both"``; ``position``:
          str array; ``date``, ``episode``: int arrays;
        * ``frame_rate``: by the median step of all files' clocks; ``skeleton``: ``"kinect25"``;
          ``path``: list of str; ``skipped``: list of (file, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    A file begins with ``Version0.1``. A line is a frame: three numbers, the last of them
    milliseconds, and then 25 times ``(JointName,TrackingState,x,y,z,depthX,depthY)``. Joints are
    found by their names.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.datasets import load_irds
    >>> from skrehab.datasets.irds import SDK_NAMES
    >>> joints = ",".join(f"({name},Tracked,0.1,0.2,1.5,100,100)" for name in SDK_NAMES)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "303_18_4_10_1_stand.txt")
    ...     _ = file.write_text(f"Version0.1\\n1,1,1000,{joints}\\n1,2,1033,{joints}\\n")
    ...     data = load_irds(folder)
    >>> data.X[0].shape, data.exercise, data.side, data.y, data.timestamps
    ((2, 25, 3), array(['shoulder_abduction_left'], ...), ..., array([0]), [array([0.   , 0.033])])
    """
    root = existing_folder(root, "IRDS")
    skipped, rows = Skipped("IRDS", root), []
    for file in sorted(root.rglob("*.txt")):
        named = _NAME.fullmatch(file.stem)
        try:
            if not named or int(named[3]) >= len(GESTURES):
                raise ValueError(
                    "its name must be subject_date_gesture_repetition_label_position, gesture 0 to "
                    "8 and label 1 to 3, such as 303_18_4_10_1_stand"
                )
            rows.append((*_read(file), *named.groups(), str(file)))
        except (ValueError, OSError) as error:
            skipped.add(file, error)
    skipped.report(len(rows), strict)
    X, tracking, times, subject, date, gesture, episode, label, position, path = zip(*rows)
    steps = np.concatenate([np.diff(one) for one in times])
    steps = steps[steps > 0]
    exercise = np.array([GESTURES[int(one)] for one in gesture])
    label, subject = np.array(label, dtype=int), np.array(subject)
    return TrialsBunch(
        X=list(X),
        tracking=list(tracking),
        timestamps=list(times),
        y=np.choose(label - 1, [0, 1, UNLABELLED]),
        label=label,
        subject=subject,
        groups=subject,
        date=np.array(date, dtype=int),
        exercise=exercise,
        side=np.array([(one.rsplit("_")[-1] if one[-1] == "t" else "both") for one in exercise]),
        episode=np.array(episode, dtype=int),
        position=np.array(position),
        frame_rate=float(1 / np.median(steps)) if len(steps) else 30.0,
        skeleton="kinect25",
        path=list(path),
        skipped=skipped.found,
        DESCR=_DESCR,
    )


def _sdk_name(landmark):
    """What the SDK calls a joint: WristLeft for left_wrist."""
    side, _, rest = landmark.partition("_")
    words = [*rest.split("_"), side] if side in ("left", "right") else landmark.split("_")
    return "".join(word.capitalize() for word in words)


SDK_NAMES = tuple(_sdk_name(name) for name in get_skeleton("kinect25").landmarks)


def _read(file):
    """Joints, tracking states and seconds of one file."""
    poses, states, times = [], [], []
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        where = f"{file.name}, line {number}"
        if not line.strip() or line.strip().lower().startswith("version"):
            continue
        head = [cell for cell in re.split(r"[,;\s]+", line.partition("(")[0]) if cell]
        if len(head) != 3:
            raise ValueError(f"{where}: {len(head)} numbers before the joints, expected 3")
        joints = {}
        for joint in _JOINT.findall(line):
            cells = [cell.strip() for cell in joint.split(",")]
            if len(cells) < 5:
                raise ValueError(
                    f"{where}: a joint is ({joint[:40]}), expected name, state, x, y, z"
                )
            state = _STATES.get(cells[1].lower())
            if state is None:
                raise ValueError(f"{where}: tracking state {cells[1][:20]!r} is unknown")
            joints[cells[0]] = (state, to_numbers(cells[2:5], where))
        missing = [name for name in SDK_NAMES if name not in joints]
        if missing:
            raise ValueError(f"{where}: no joint {missing[0]} ({25 - len(missing)} of 25 found)")
        times.append(to_numbers(head[2:], where)[0] / 1000)
        states.append([joints[name][0] for name in SDK_NAMES])
        poses.append([joints[name][1] for name in SDK_NAMES])
    if not poses:
        raise ValueError(f"{file.name} holds no frame")
    times = np.array(times)
    if (np.diff(times) < 0).any():
        raise ValueError(f"{file.name}: time runs backwards")
    tracking = np.array(states, dtype=np.int8)
    pose = lost_is_nan(np.array(poses))
    pose[tracking == 0] = np.nan
    return finite_trial(pose, file.name), tracking, times - times[0]
