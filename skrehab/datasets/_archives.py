"""Trials laid end to end in an .npz archive: ``frames``, ``offsets``, and a column a property."""

from pathlib import Path

import numpy as np

from skrehab.formats._bounds import MAX_TRIALS, refuse_pipe
from skrehab.formats._npz import open_npz


def read_trials(path, what, n_joints, columns, *, each="trial"):
    """Read an archive and check that its parts fit each other.

    Parameters
    ----------
    path : str or path-like
        The .npz file.
    what : str
        The data set's name with its article, for messages: ``"a WMFT archive"``.
    n_joints : int
        Joints a frame.
    columns : tuple of str
        Names of arrays with one entry a trial.
    each : str, default="trial"
        What messages call a trial.

    Returns
    -------
    X : list of ndarray of shape (n_frames_i, n_joints, 3), dtype float32
        The trials.
    properties : dict of str to ndarray of shape (n_trials,)
        The columns.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such an archive; the message says what does not fit.
    """
    path = Path(path)
    try:
        refuse_pipe(path)
        with open_npz(path) as archive:
            missing = [n for n in ("frames", "offsets", *columns) if n not in archive.names]
            if missing:
                raise ValueError(f"it has no {', '.join(missing)}; it has {sorted(archive.names)}")
            data = {name: archive.read(name) for name in ("frames", "offsets", *columns)}
    except ValueError as error:
        raise ValueError(f"{path} is not {what}: {error}.") from error

    frames, offsets = data.pop("frames"), data.pop("offsets")
    if frames.ndim != 3 or frames.shape[1:] != (n_joints, 3) or frames.dtype.kind != "f":
        raise ValueError(
            f"{path}: frames must be floats of shape (n_frames, {n_joints}, 3), got "
            f"{frames.dtype} {frames.shape}."
        )
    whole = offsets.ndim == 1 and offsets.dtype.kind in "iu" and len(offsets) > 1
    ends_fit = whole and offsets[0] == 0 and offsets[-1] == len(frames)
    if not ends_fit or (np.diff(offsets.astype(np.int64)) < 1).any():
        raise ValueError(
            f"{path}: offsets must be whole numbers that rise from 0 to {len(frames)}, the number "
            "of frames."
        )
    n = len(offsets) - 1
    if n > MAX_TRIALS:
        raise ValueError(
            f"{path}: {n:,} {each}s are more than the {MAX_TRIALS:,} that it may hold."
        )
    for name, values in data.items():
        if values.shape != (n,):
            raise ValueError(
                f"{path}: {name} must have one entry for each of {n} {each}s, got shape "
                f"{values.shape}."
            )
    return np.split(frames.astype(np.float32, copy=False), offsets[1:-1]), data
