"""UTKinect-Action3D: ten everyday actions by ten people, seen by the first Kinect."""

import re
from array import array

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._skipped import Skipped, existing_folder, lost_is_nan
from skrehab.datasets._text_files import read_lines
from skrehab.formats._bounds import check_points

__all__ = ["load_utkinect"]

_ACTIONS = (
    *("walk", "sitDown", "standUp", "pickUp", "carry"),
    *("throw", "push", "pull", "waveHands", "clapHands"),
)
_WIDTH = 1 + 20 * 3
_RECORDING = re.compile(r"s(\d+)_e(\d+)")
_TICKS = 30.0  # frame numbers a second
_WALK = (0.2, 2.5)  # m/s

_DESCR = """\
UTKinect-Action3D
-----------------
Ten people do ten everyday actions twice, in one recording each time: walk, sit down, stand up, pick
up, carry, throw, push, pull, wave hands, clap hands. First Kinect, 20 joints, metres. Frame numbers
count 30 a second; only frames in which the skeleton was tracked are kept, 15 a second or fewer.

Xia, Chen and Aggarwal, "View invariant human action recognition using histograms of 3D joints",
CVPR Workshops (2012) 20-27.
"""


def load_utkinect(root, *, strict=False):
    """Read the actions of UTKinect-Action3D.

    Parameters
    ----------
    root : str or path-like
        Folder that holds ``actionLabel.txt`` and ``joints/joints_s<person>_e<recording>.txt``.
    strict : bool, default=False
        Raise where an action does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` actions:

        * ``X``: list of float32 arrays (n_frames_i, 20, 3), metres; NaN for lost joints;
        * ``action``: str array (n_trials,), such as ``"sitDown"``; ``subject``, ``groups`` and
          ``episode``: int arrays (n_trials,): the person, and which of the person's recordings;
        * ``timestamps``: list of arrays (n_frames_i,), seconds in the recording: frames are
          missing, so time does not rise evenly; ``frame_rate``: one over their median step;
        * ``skeleton``: ``"utkinect20"``; ``skipped``: list of (file, reason); ``doubtful``: list
          of (place, reason) of walks whose speed is none of a walk; ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder, or no ``actionLabel.txt`` in it.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    ``actionLabel.txt`` has a line ``s01_e01`` for each recording and under it one line an action,
    ``walk: 252 390``, first and last frame number; ``carry: NaN NaN`` says that it was not
    recorded and is passed over. A row of a joints file is a frame number and 20 times x, y, z. As
    the data set's page shows, joints are in the order of the Kinect SDK: hip centre, spine,
    shoulder centre, head, left arm, right arm, left leg, right leg. A frame number that occurs
    again is read once, and a joint at (0, 0, 0) is lost.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.datasets import load_utkinect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     root = pathlib.Path(folder)
    ...     (root / "joints").mkdir()
    ...     _ = (root / "actionLabel.txt").write_text("s01_e01\\nwalk: 2 6\\n")
    ...     rows = "".join(f"{frame} " + "1.5 " * 60 + "\\n" for frame in (2, 4, 6, 8))
    ...     _ = (root / "joints" / "joints_s01_e01.txt").write_text(rows)
    ...     data = load_utkinect(root)
    >>> data.X[0].shape, data.action, data.subject
    ((3, 20, 3), array(['walk'], dtype='<U4'), array([1]))
    """
    root = existing_folder(root, "UTKinect-Action3D")
    if not (root / "actionLabel.txt").is_file():
        raise FileNotFoundError(f"UTKinect-Action3D: there is no actionLabel.txt in {root}.")
    skipped, rows, recordings, n_frames = Skipped("UTKinect-Action3D", root), [], {}, 0
    for line, recording, action, span in _read_labels(root / "actionLabel.txt"):
        file = root / "joints" / f"joints_{recording}.txt"
        place = f"actionLabel.txt, line {line}"
        try:
            if isinstance(span, str):
                raise ValueError(span)
            if recording not in recordings:
                recordings[recording] = _read_recording(file)
            numbers, pose = recordings[recording]
            inside = (numbers >= span[0]) & (numbers <= span[1])
            if not inside.any():
                raise ValueError(f"{file.name} has no frame from {span[0]} to {span[1]}")
            n_frames += inside.sum()  # lines may name the same frames again and again
            check_points(n_frames, 20)
        except (ValueError, OSError) as error:
            skipped.add(place, f"{recording}, {action}: {error}")
            continue
        subject, episode = map(int, _RECORDING.fullmatch(recording).groups())
        rows.append((pose[inside], numbers[inside] / _TICKS, action, subject, episode))
    doubtful = [
        (f"s{who:02d}_e{take:02d}, walk", doubt)
        for pose, times, action, who, take in rows
        if action == "walk" and (doubt := _doubt(pose, times))
    ]
    skipped.report(len(rows), strict, doubtful)
    X, timestamps, actions, subjects, episodes = zip(*rows)
    subjects = np.array(subjects)
    return TrialsBunch(
        X=list(X),
        action=np.array(actions),
        subject=subjects,
        groups=subjects,
        episode=np.array(episodes),
        timestamps=list(timestamps),
        frame_rate=_rate(timestamps),
        skeleton="utkinect20",
        skipped=skipped.found,
        doubtful=doubtful,
        DESCR=_DESCR,
    )


def _rate(timestamps):
    """Frames a second by the files' own clock."""
    steps = np.concatenate([np.diff(times) for times in timestamps])
    return round(float(1 / np.median(steps)), 3) if len(steps) else _TICKS


def _doubt(pose, times):
    """Whether the hips go as fast over the ground as people walk: a clock that is right says so."""
    ground = pose[:, 0, [0, 2]]
    seen = ~np.isnan(ground).any(axis=1)
    ground, times = ground[seen], times[seen]
    if len(times) < 4 or times[-1] - times[0] < 1:
        return ""
    speed = np.linalg.norm(ground[-1] - ground[0]) / (times[-1] - times[0])
    if _WALK[0] <= speed <= _WALK[1]:
        return ""
    return f"its hips go {speed:.2f} m/s from begin to end; a walk goes {_WALK[0]} to {_WALK[1]}"


def _read_labels(file):
    """Yield (line, recording, action, (first, last)), or what is wrong in place of the frames."""
    recording = None
    for number, line in read_lines(file):
        if _RECORDING.fullmatch(line):
            recording = line
            continue
        action, colon, span = (part.strip() for part in line.partition(":"))
        if not colon or recording is None:
            raise ValueError(
                f"{file}, line {number}: expected a recording such as s01_e01, or an action and "
                f"its frames such as 'walk: 252 390' under one, got {line!r}."
            )
        if span.lower().split() == ["nan", "nan"]:
            continue
        wrong = re.fullmatch(r"[0-9]{1,15}\s+[0-9]{1,15}", span) is None
        span = f"its frames are {span!r}" if wrong else tuple(map(int, span.split()))
        if action not in _ACTIONS:
            span = f"unknown action; known are {', '.join(_ACTIONS)}"
        yield number, recording, action, span


def _read_recording(file):
    """Frame numbers, rising, and joints (n_frames, 20, 3)."""
    frames = {}
    for number, line in read_lines(file):
        cells = line.split()
        if len(cells) != _WIDTH:
            raise ValueError(
                f"{file.name}, line {number}: {len(cells)} values, expected {_WIDTH}: a frame "
                "number and 20 times x, y, z"
            )
        try:
            values = array("d", map(float, cells))
        except ValueError as error:
            raise ValueError(f"{file.name}, line {number}: {error}") from None
        frames.setdefault(values[0], values[1:])
    if not frames:
        raise ValueError(f"{file.name} holds no frame")
    numbers = np.array(sorted(frames))
    with np.errstate(over="ignore"):  # numbers beyond float32 are infinite there
        pose = np.array([frames[number] for number in numbers], dtype=np.float32)
    if np.isinf(pose).any() or not np.isfinite(numbers).all():
        raise ValueError(f"{file.name} holds infinite values")
    return numbers, lost_is_nan(pose.reshape(-1, 20, 3))
