"""UWA3D Multiview Activity II: thirty everyday actions by ten people from four sides."""

import re
from array import array

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._matlab import read_matlab
from skrehab.datasets._skipped import Skipped, existing_folder, lost_is_nan
from skrehab.datasets._text_files import read_lines

__all__ = ["load_uwa3d"]

_SUFFIXES = (".mat", ".txt", ".csv")
_NAME = re.compile(r"([asev]\d+)(_[asev]\d+){3}")
_FURTHEST = 50  # metres; a sensor that gives millimetres gives more

_DESCR = """\
UWA3D Multiview Activity II
---------------------------
Ten people do thirty everyday actions, each of them again for the camera in front, at the left, at
the right and above: 1,075 sequences. First Kinect, 15 joints of OpenNI.

Rahmani, Mahmood, Huynh and Mian, "HOPC: Histogram of Oriented Principal Components of 3D
pointclouds for action recognition", ECCV (2014) 742-757, and its journal version (TPAMI 2016).
"""


def load_uwa3d(root, *, strict=False):
    """Read the skeletons of UWA3D Multiview Activity II.

    Files of MATLAB 7.3, the published form, need h5py: ``pip install 'skrehab[uwa3d]'``.

    Parameters
    ----------
    root : str or path-like
        Folder of files, anywhere under it, named after action, person, repetition and view, in any
        order: ``a01_s01_e01_v01.mat``. A ``.mat`` holds one array; a ``.txt`` or ``.csv`` has a
        row of 45 numbers a frame, or 15 rows of 3.
    strict : bool, default=False
        Raise where a file does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` files:

        * ``X``: list of float32 arrays (n_frames_i, 15, 3), metres; NaN for lost joints;
        * ``action, subject, episode, view``: int arrays (n_trials,) from the file's name; ``view``
          is 1 front, 2 left, 3 right, 4 top; ``groups``: the same as ``subject``;
        * ``frame_rate``: 30.0; ``skeleton``: ``"uwa3d15"``; ``path``: list of str; ``skipped``:
          list of (file, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ImportError
        If a file is of MATLAB 7.3 and h5py is missing.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    The data set's page is gone, and what follows is assumed, from published code that reads the
    files: an array is frames x 15 joints x 3 as h5py sees it (the reverse as MATLAB does; other
    orders are recognized by their sizes); joints are in OpenNI's order, head, neck, torso, left
    shoulder, elbow, hand, right shoulder, elbow, hand, left hip, knee, foot, right hip, knee, foot;
    axes are a Kinect's. Coordinates of which the median depth is beyond 50 are taken for
    millimetres. A joint at (0, 0, 0) is lost. Look at a few trials before you rely on it:
    ``SkeletonDisplay.from_predictions(trial, skeleton="uwa3d15")``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets import load_uwa3d
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savetxt(pathlib.Path(folder, "a12_s03_e01_v02.txt"), np.full((7, 45), 1500.0))
    ...     data = load_uwa3d(folder)
    >>> data.X[0].shape, data.X[0].max(), data.action, data.subject, data.view
    ((7, 15, 3), np.float32(1.5), array([12]), array([3]), array([2]))
    """
    root = existing_folder(root, "UWA3D Multiview II")
    skipped, rows = Skipped("UWA3D Multiview II", root), []
    for file in sorted(file for file in root.rglob("*") if file.suffix.lower() in _SUFFIXES):
        named = _NAME.fullmatch(file.stem.lower())
        parts = {part[0]: int(part[1:]) for part in file.stem.lower().split("_")} if named else {}
        try:
            if set(parts) != set("asev"):
                raise ValueError("its name must be such as a01_s01_e01_v01")
            pose = _in_metres(_as_frames(*_read(file)))
        except (ValueError, OSError) as error:
            skipped.add(file, error)
            continue
        rows.append((pose, *(parts[letter] for letter in "asev"), str(file)))
    skipped.report(len(rows), strict)
    X, action, subject, episode, view, path = zip(*rows)
    subject = np.array(subject)
    return TrialsBunch(
        X=list(X),
        action=np.array(action),
        subject=subject,
        groups=subject,
        episode=np.array(episode),
        view=np.array(view),
        path=list(path),
        frame_rate=30.0,
        skeleton="uwa3d15",
        skipped=skipped.found,
        DESCR=_DESCR,
    )


def _read(file):
    """Return the numbers of one file, and whether it is text."""
    if file.suffix.lower() != ".mat":
        rows, width = array("d"), None
        for number, line in read_lines(file):
            values = [float(cell) for cell in line.replace(",", " ").split()]
            width = len(values) if width is None else width
            if len(values) != width:
                raise ValueError(f"its rows have different lengths: see line {number}")
            rows.extend(values)
        if not rows:
            raise ValueError("it holds no row of numbers")
        return np.frombuffer(rows).reshape(-1, width), True
    arrays, names = read_matlab(file)
    if len(arrays) != 1:
        raise ValueError(f"it must hold one array of numbers; it holds {names}")
    return arrays[0], False


def _as_frames(values, is_text):
    """Bring an array into (n_frames, 15, 3), float32."""
    shape = values.shape
    if values.ndim == 3 and shape[1:] == (15, 3):
        pose = values
    elif values.ndim == 3 and shape[1:] == (3, 15):
        pose = values.transpose(0, 2, 1)
    elif values.ndim == 3 and sorted(shape[:2]) == [3, 15]:  # frames last
        pose = values.transpose(2, *np.argsort(shape[:2])[::-1])
    elif values.ndim == 2 and shape[1] == 45:
        pose = values.reshape(-1, 15, 3)
    elif values.ndim == 2 and shape[0] == 45 and not is_text:
        pose = values.T.reshape(-1, 15, 3)
    elif values.ndim == 2 and shape[1] == 3 and shape[0] % 15 == 0 and is_text:
        pose = values.reshape(-1, 15, 3)
    else:
        raise ValueError(f"it must hold 15 joints of 3 coordinates a frame, its shape is {shape}")
    if len(pose) == 0:
        raise ValueError("it holds no frame")
    with np.errstate(over="ignore"):  # numbers beyond float32 are infinite there
        pose = np.array(pose, dtype=np.float32)
    if np.isinf(pose).any():
        raise ValueError("it holds infinite values")
    return pose


def _in_metres(pose):
    pose = lost_is_nan(pose)
    if np.isnan(pose).all():
        raise ValueError("every joint is lost in every frame")
    return pose / 1000 if np.nanmedian(pose[..., 2]) > _FURTHEST else pose
