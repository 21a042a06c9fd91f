"""Read and write pose files: the ending of a file's name tells its format."""

from pathlib import Path

from skrehab.formats import _arrays, _coco, _coco_writing, _openpose, _trc, _wide_csv, tables
from skrehab.formats._bounds import read_json, refuse_pipe
from skrehab.formats._pose_file import PoseFile, checked, frame_times, to_write
from skrehab.formats._tables import first_row
from skrehab.skeletons import get_skeleton

__all__ = ["PoseFile", "is_long_table", "parse_pose", "read_pose", "write_pose"]

_ENDINGS = {
    **{".npy": "npy", ".npz": "npz", ".trc": "trc", ".parquet": "long"},
    **{".csv": "csv", ".tsv": "csv", ".xlsx": "csv", ".xlsm": "csv"},
    **{".json": "json", "": "openpose"},
}
_FORMATS = ("npy", "npz", "trc", "long", "wide", "openpose", "coco")


def read_pose(
    path,
    *,
    format=None,
    frame_rate=None,
    person="steady",
    trial=None,
    landmarks=None,
    allow_cut=False,
):
    """Read one pose sequence.

    Coordinates stay as the file has them, but lengths in a TRC file become metres.
    :func:`skrehab.preprocessing.convert` turns one skeleton into another.

    Parameters
    ----------
    path : str or path-like
        The file, or OpenPose's folder.

        * ``.trc``: markers, as OpenSim, Pose2Sim and Sports2D write them.
        * a folder of ``.json`` files, or one with ``people``: OpenPose.
        * ``.json``: COCO key-points: a data set, a list of results (with ``image_id``), or a list
          with one entry a frame; what MMPose and Sapiens write (``instance_info``).
        * ``.csv`` or ``.tsv`` in long form: one row a landmark and frame, columns ``frame,
          landmark, x, y`` and perhaps ``trial, time, z, score``. In wide form: one row a frame,
          columns ``NAME_x, NAME_y`` and perhaps ``NAME_z``, and a score (``NAME_visibility``,
          ``_likelihood``, ``_confidence``, ``_trackingState``, ...) for each landmark, and perhaps
          ``time`` or ``frame``. What DeepLabCut and SLEAP write is read, too. Also ``.xlsx``.
        * ``.parquet``: the long form.
        * ``.npy``: one array (n_frames, n_landmarks, n_coords). ``.npz``: such an array called
          ``world``, ``pose``, ``X`` or ``frames``, or the only one in the file, and perhaps
          ``timestamps`` in seconds.
    format : {"trc", "openpose", "coco", "long", "wide", "npy", "npz"}, optional
        Instead of what the file's name and first words say.
    frame_rate : float, optional
        Frames a second, for files that hold no times.
    person : {"steady", "follow", "largest"} or int, default="steady"
        Whom to take where key-point files list several people, as in
        :class:`skrehab.PoseExtractor`. ``"steady"``: one and the same person throughout, the one
        who is largest over the whole file; where that one is lost, nobody. ``"follow"``: who is
        largest at the start, without hindsight. ``"largest"`` in each frame; or a position in the
        lists.
    trial : str, optional
        Which recording to read of a file or folder that holds several.
    landmarks : str or sequence of str, optional
        Names of the landmarks, or the name of a skeleton, for files that do not hold them.
    allow_cut : bool, default=False
        Read a TRC file that holds fewer frames than it states, with a warning.

    Returns
    -------
    PoseFile
        ``pose``, float32 array (n_frames, n_landmarks, n_coords) with NaN for lost landmarks;
        ``timestamps`` in seconds, ``landmarks`` and ``coords``, or None where the file does not
        hold them.

    Raises
    ------
    ValueError
        If the file holds no pose sequence; the message names the file and the place in it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.formats import read_pose, write_pose
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "walk.trc"
    ...     _ = write_pose(file, np.ones((4, 33, 3)), landmarks="mediapipe33", frame_rate=30)
    ...     walk = read_pose(file)
    >>> walk.pose.shape, walk.landmarks[0], walk.timestamps.round(2).tolist()
    ((4, 33, 3), 'nose', [0.0, 0.03, 0.07, 0.1])
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no pose file {path}.")
    try:
        return parse_pose(
            path,
            format=format,
            frame_rate=frame_rate,
            person=person,
            trial=trial,
            landmarks=landmarks,
            allow_cut=allow_cut,
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error


def parse_pose(
    path,
    *,
    format=None,
    frame_rate=None,
    person="steady",
    trial=None,
    landmarks=None,
    allow_cut=False,
):
    """Read one pose sequence; errors say what is wrong and leave the file's name to the caller.

    Parameters
    ----------
    path : str or path-like
        The file or folder.
    format, frame_rate, person, trial, landmarks, allow_cut : optional
        As for :func:`read_pose`.

    Returns
    -------
    PoseFile
        The sequence.

    Raises
    ------
    ValueError
        If the file holds no pose sequence; the message does not name the file.
    """
    path = Path(path)
    refuse_pipe(path)
    kind, content = _format_of(path, format)
    if kind == "openpose":
        pose = _openpose.read_openpose(path, frame_rate, person, trial)
    elif kind == "coco":
        pose = _coco.read_coco(path, frame_rate, person, content, trial)
    elif kind == "long":
        pose = tables.one_trial(tables.parse_long_table(path, frame_rate), trial)
    elif kind == "wide":
        pose = _wide_csv.read_wide_csv(path, frame_rate, trial)
    elif kind == "trc":
        pose = _trc.read_trc(path, allow_cut)
    else:
        pose = (_arrays.read_npy if kind == "npy" else _arrays.read_npz)(path)
    if pose.timestamps is None and frame_rate is not None:
        pose = pose._replace(timestamps=frame_times(range(len(pose.pose)), frame_rate))
    if landmarks is not None:
        names = get_skeleton(landmarks).landmarks if isinstance(landmarks, str) else landmarks
        if len(names) != pose.pose.shape[1]:
            raise ValueError(f"{len(names)} names for {pose.pose.shape[1]} landmarks")
        pose = checked(pose.pose, pose.timestamps, names, pose.coords)
    return pose


def is_long_table(path):
    """Whether a file is a table in long form, which may hold many trials.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        Whether it is one.
    """
    if path.suffix.lower() not in (".csv", ".tsv", ".xlsx", ".xlsm", ".parquet"):
        return False
    return _format_of(path, None)[0] == "long"


def _format_of(path, format):
    """Name the format of a file; JSON is read on the way, and comes back too."""
    if format is not None:
        if format not in _FORMATS:
            raise ValueError(f"format must be one of {_FORMATS}, got {format!r}")
        return format, None
    if path.is_dir():
        return "openpose", None
    kind = _ENDINGS.get(path.suffix.lower()) if path.suffix else None
    if kind is None:
        known = " ".join(ending for ending in _ENDINGS if ending)
        raise ValueError(f"its ending {path.suffix!r} is not known; known are {known}")
    if kind == "csv":
        header = {title.lower() for title in first_row(path)}
        return ("long" if header & {"landmark", "landmarks", "keypoint"} else "wide"), None
    if kind == "json":
        content = read_json(path)
        people = isinstance(content, dict) and "people" in content
        return ("openpose", None) if people else ("coco", content)
    return kind, None


def write_pose(
    path,
    pose,
    *,
    landmarks=None,
    timestamps=None,
    frame_rate=None,
    coords=None,
    trial="trial",
    format=None,
    overwrite=False,
):
    """Write one pose sequence.

    Parameters
    ----------
    path : str or path-like
        The file. Its ending tells the format: ``.trc``, ``.json`` (COCO), ``.csv`` or ``.tsv``
        (long form), ``.parquet`` (long form), ``.npz``, ``.npy``; without an ending it is a folder
        of OpenPose files. For the endings see :func:`read_pose`.
    pose : PoseFile or array-like of shape (n_frames, n_landmarks, n_coords)
        What to write. Values are written as they are, in their own units and axes.
    landmarks : str or sequence of str, optional
        Names of the landmarks, or the name of a skeleton. TRC and tables need them.
    timestamps : array-like of shape (n_frames,), optional
        Seconds.
    frame_rate : float, optional
        Frames a second, instead of `timestamps`.
    coords : tuple of str, optional
        What the last axis holds: ``("x", "y")``, ``("x", "y", "score")``, ``("x", "y", "z")`` or
        ``("x", "y", "z", "score")``. Without it, a flat skeleton's third coordinate is a score,
        another's is z.
    trial : str, default="trial"
        Name of the trial in tables of long form.
    format : {"trc", "openpose", "coco", "long", "wide", "npy", "npz"}, optional
        Instead of what the ending says.
    overwrite : bool, default=False
        Replace a file that is there already. A folder is never replaced.

    Returns
    -------
    pathlib.Path
        The pose's file or folder.

    Raises
    ------
    FileExistsError
        If one is there already and must not be replaced.
    ValueError
        If the format cannot hold this pose; TRC for example wants three coordinates and times.

    Notes
    -----
    TRC holds no scores, OpenPose JSON no times, ``.npy`` neither times nor names.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.formats import write_pose
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_pose(
    ...         pathlib.Path(folder) / "a.csv", [[[0.5, 2, 1]]], landmarks=["nose"],
    ...         coords=("x", "y", "score"), frame_rate=30)
    ...     print(file.read_text())
    trial,frame,time,landmark,x,y,score
    trial,0,0.0,nose,0.5,2.0,1.0
    """
    path = Path(path)
    kind = format or {"csv": "long", "json": "coco"}.get(
        _ENDINGS.get(path.suffix.lower()), _ENDINGS.get(path.suffix.lower())
    )
    if kind not in _FORMATS:
        raise ValueError(
            f"{path}: its ending is not known; known are {' '.join(e for e in _ENDINGS if e)}, or "
            f"pass format=, one of {_FORMATS}."
        )
    if path.exists() and not (overwrite and path.is_file()):
        raise FileExistsError(f"{path} exists already; pass overwrite=True or another name.")
    try:
        whole = to_write(pose, landmarks, timestamps, frame_rate, coords)
        if kind == "long":
            tables.put_long_table(path, {trial: whole})
        else:
            writers = {
                **{"npy": _arrays.write_npy, "npz": _arrays.write_npz, "trc": _trc.write_trc},
                **{"openpose": _openpose.write_openpose, "coco": _coco_writing.write_coco},
                "wide": _wide_csv.write_wide_csv,
            }
            writers[kind](path, whole)
    except ValueError as error:
        raise ValueError(f"{path}: {error}.") from error
    return path
