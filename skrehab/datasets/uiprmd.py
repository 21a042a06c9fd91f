"""UI-PRMD: ten people, ten movements, each done ten times right and ten times wrong."""

from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skrehab.formats._npz import open_npz

__all__ = ["load_uiprmd_npz"]

_N_JOINTS = 22

_DESCR = """\
UI-PRMD, Kinect
---------------
University of Idaho Physical Rehabilitation Movement Data: healthy people do ten movements, ten
times correctly and ten times with a typical mistake. 22 joints, metres, 30 frames per second; x to
the person's left, y up, z to the person's front. Movements: 1 deep squat, 2 hurdle step, 3 inline
lunge, 4 side lunge, 5 sit to stand, 6 standing active straight leg raise, 7 shoulder abduction,
8 shoulder extension, 9 shoulder internal and external rotation, 10 shoulder scaption.

Vakanski, Jun, Paul and Baker, "A Data Set of Human Body Movements for Physical Rehabilitation
Exercises", Data 3 (2018) 2. Public domain (PDDL 1.0).
"""


def load_uiprmd_npz(path):
    """Read UI-PRMD repetitions from an .npz archive.

    The archive holds all repetitions end to end: ``frames (n_frames, 22, 3)`` in metres after
    forward kinematics, ``offsets (n + 1,)`` with repetition i in ``frames[offsets[i]:offsets[i +
    1]]``, and ``movement, subject, episode, correct``, each (n,).

    Parameters
    ----------
    path : str or path-like
        The .npz file.

    Returns
    -------
    sklearn.utils.Bunch
        ``X``: list of n float32 arrays (n_frames_i, 22, 3); ``correct``: bool array (n,);
        ``subject, movement, episode``: int arrays (n,); ``frame_rate``: 30.0; ``skeleton``:
        ``"uiprmd22"``; ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such an archive; the message says what does not fit.

    See Also
    --------
    splice_repetitions : Join the repetitions into trials with frame truth.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets import load_uiprmd_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "uiprmd.npz")
    ...     np.savez(path, frames=np.zeros((5, 22, 3)), offsets=[0, 2, 5], movement=[1, 1],
    ...              subject=[1, 1], episode=[1, 2], correct=[True, False])
    ...     data = load_uiprmd_npz(path)
    >>> [trial.shape for trial in data.X], data.correct
    ([(2, 22, 3), (3, 22, 3)], array([ True, False]))
    """
    path = Path(path)
    columns = ("movement", "subject", "episode", "correct")
    try:
        with open_npz(path) as archive:
            missing = [n for n in ("frames", "offsets", *columns) if n not in archive.names]
            if missing:
                raise ValueError(f"it has no {', '.join(missing)}; it has {sorted(archive.names)}")
            data = {name: archive.read(name) for name in ("frames", "offsets", *columns)}
    except ValueError as error:
        raise ValueError(f"{path} is not a UI-PRMD archive: {error}.") from error

    frames, offsets = data["frames"], data["offsets"]
    if frames.ndim != 3 or frames.shape[1:] != (_N_JOINTS, 3) or frames.dtype.kind != "f":
        raise ValueError(
            f"{path}: frames must be floats of shape (n_frames, {_N_JOINTS}, 3), got "
            f"{frames.dtype} {frames.shape}."
        )
    rises = offsets.ndim == 1 and offsets.dtype.kind in "iu" and len(offsets) > 1
    if not (rises and offsets[0] == 0 and offsets[-1] == len(frames)) or np.any(
        np.diff(offsets.astype(np.int64)) < 1
    ):
        raise ValueError(
            f"{path}: offsets must be whole numbers that rise from 0 to {len(frames)}, the number "
            "of frames."
        )
    n = len(offsets) - 1
    for name in columns:
        if data[name].shape != (n,):
            raise ValueError(
                f"{path}: {name} must have one entry for each of {n} repetitions, got shape "
                f"{data[name].shape}."
            )
    return Bunch(
        X=np.split(frames.astype(np.float32, copy=False), offsets[1:-1]),
        correct=data["correct"].astype(bool),
        subject=data["subject"],
        movement=data["movement"],
        episode=data["episode"],
        frame_rate=30.0,
        skeleton="uiprmd22",
        DESCR=_DESCR,
    )
