"""UI-PRMD: ten people, ten movements, each done ten times right and ten times wrong."""

from skrehab.datasets._archives import read_trials
from skrehab.datasets._bunch import TrialsBunch

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
    columns = ("movement", "subject", "episode", "correct")
    X, data = read_trials(path, "a UI-PRMD archive", _N_JOINTS, columns, each="repetition")
    return TrialsBunch(
        X=X,
        correct=data["correct"].astype(bool),
        subject=data["subject"],
        movement=data["movement"],
        episode=data["episode"],
        frame_rate=30.0,
        skeleton="uiprmd22",
        DESCR=_DESCR,
    )
