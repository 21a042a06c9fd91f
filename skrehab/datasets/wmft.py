"""The Wolf Motor Function Test seen by a Kinect: 16 people, 15 tasks, three severities."""

import numpy as np

from skrehab.datasets._archives import read_trials
from skrehab.datasets._bunch import TrialsBunch

__all__ = ["load_wmft_npz"]

_DESCR = """\
Wolf Motor Function Test, Kinect v2
-----------------------------------
Healthy people do the test's 15 timed tasks three times: as themselves (severity 0), and emulating a
mild (1) and a moderate (2) impairment of the arm after a stroke. 25 joints, metres, nominally 30
frames per second; y up, z away from the camera, which the person faces. No patient took part.

Dehbandi et al., "Using data from the Microsoft Kinect 2 to quantify upper limb behavior: a
feasibility study", IEEE Journal of Biomedical and Health Informatics 21 (2017) 1386-1392. BSD-3.
"""


def load_wmft_npz(path):
    """Read trials of the Wolf Motor Function Test from an .npz archive.

    The archive holds all trials end to end: ``frames (n_frames, 25, 3)`` in metres, ``offsets (n +
    1,)`` with trial i in ``frames[offsets[i]:offsets[i + 1]]``, and ``subject, severity, task``,
    each (n,).

    Parameters
    ----------
    path : str or path-like
        The .npz file.

    Returns
    -------
    sklearn.utils.Bunch
        ``X``: list of n float32 arrays (n_frames_i, 25, 3); ``severity``: int array (n,), 0
        healthy, 1 mild, 2 moderate; ``task``: int array (n,), 1 to 15; ``subject`` and ``groups``:
        int array (n,); ``frame_rate``: 30.0; ``skeleton``: ``"kinect25"``; ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such an archive; the message says what does not fit.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets import load_wmft_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "wmft.npz")
    ...     np.savez(path, frames=np.zeros((5, 25, 3)), offsets=[0, 2, 5], subject=[1, 1],
    ...              severity=[0, 2], task=[1, 1])
    ...     data = load_wmft_npz(path)
    >>> [trial.shape for trial in data.X], data.severity
    ([(2, 25, 3), (3, 25, 3)], array([0, 2]))
    """
    X, columns = read_trials(path, "a WMFT archive", 25, ("subject", "severity", "task"))
    severity = columns["severity"]
    if severity.dtype.kind not in "iu" or not np.isin(severity, (0, 1, 2)).all():
        found = np.unique(severity).tolist()
        raise ValueError(f"{path}: severity must be 0, 1 or 2, whole numbers, got {found}.")
    return TrialsBunch(
        X=X,
        severity=severity,
        task=columns["task"],
        subject=columns["subject"],
        groups=columns["subject"],
        frame_rate=30.0,
        skeleton="kinect25",
        DESCR=_DESCR,
    )
