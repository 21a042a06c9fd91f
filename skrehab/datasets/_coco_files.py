"""Key-points of one clip in a file: .npy or .json, COCO's 17."""

import numpy as np

from skrehab.formats._bounds import check_points, read_json
from skrehab.formats._coco import read_coco, read_frames
from skrehab.formats._lost import lost_points
from skrehab.formats._npz import check_npy
from skrehab.formats._predictions import is_predictions
from skrehab.skeletons import get_skeleton

_N = 17
_WANTED = f"(n_frames, {_N}, 2) or (n_frames, {_N}, 3)"


def read_coco17(path):
    """Read key-points of one clip.

    Parameters
    ----------
    path : Path
        ``.npy``: one array (n_frames, 17, 2) of x and y, or (n_frames, 17, 3) with a score.
        ``.json``: a list with one entry a frame, each an object whose ``keypoints`` are 17 times x,
        y and perhaps score, flattened or in groups, perhaps with ``keypoint_scores``, 17 numbers.
        A frame whose ``keypoints`` are missing, null or empty has nobody in it. Or what MMPose and
        Sapiens write (``meta_info`` and ``instance_info``), with COCO's 17 among the points, or
        results with an ``image_id`` for each person, as of AlphaPose: of several people the one who
        is largest over the whole file.

    Returns
    -------
    ndarray of shape (n_frames, 17, 3), dtype float32
        Pixels and score: 1 where the file has none, and 0 where the point is lost (NaN); see
        :func:`skrehab.formats._lost.lost_points`.

    Raises
    ------
    ValueError
        If the file does not hold key-points; the message says why, without the file's name.
    """
    if path.suffix.lower() == ".json":
        points = _read_json(path)
    else:
        points = _read_npy(path)
    if points.ndim != 3 or points.shape[1:] not in {(_N, 2), (_N, 3)} or not len(points):
        raise ValueError(f"key-points must have shape {_WANTED}, got {points.shape}")
    if points.dtype.kind not in "fiu":
        raise ValueError(f"key-points must be numbers, got {points.dtype}")
    points = points.astype(np.float32)
    if np.isinf(points).any():
        raise ValueError("it holds infinite values; mark lost points with NaN")
    coords = ("x", "y", "score")[: points.shape[2]]
    if (points.shape[2] == 3) and (np.isnan(points[..., 2]) & _placed(points)).any():
        raise ValueError("a point has a place and no score (NaN)")
    lost = lost_points(points, coords)
    if lost.all():
        raise ValueError("no frame has a key-point")
    if points.shape[2] == 2:
        points = np.concatenate([points, np.where(lost, 0, 1).astype("f4")[..., None]], axis=-1)
    points[lost] = [np.nan, np.nan, 0]
    return points


def _placed(points):
    return ~np.isnan(points[..., :2]).any(-1)


def _read_npy(path):
    try:
        check_npy(path)
        points = np.load(path, allow_pickle=False)
    except Exception as error:  # zipfile, EOF and value errors: damaged files fail in many ways
        raise ValueError(f"it cannot be read ({error})") from error
    if not isinstance(points, np.ndarray):
        raise ValueError("it is an archive; save one array with numpy.save")
    return points


def _read_json(path):
    content = read_json(path)
    first = content[0] if isinstance(content, list) and content else None
    if is_predictions(content) or (isinstance(first, dict) and "image_id" in first):
        return _read_people(content, counted_from_one=is_predictions(content))
    return read_frames(content, _N)


def _read_people(content, counted_from_one):
    """One person of files with an entry a person: (n_frames, 17, 3), NaN where that one is not.

    MMPose's demos write every frame and count from 0 or from 1; AlphaPose counts from 0 and leaves
    out frames without anyone.
    """
    found = read_coco(None, frame_rate=1.0, content=content)  # so times are numbers of frames
    pose, names = found.pose, get_skeleton("coco17").landmarks
    if found.coords != ("x", "y", "score"):
        raise ValueError(f"x, y and score of each point are needed, got {found.coords}")
    if found.landmarks is not None and set(names) <= set(found.landmarks):
        pose = pose[:, [found.landmarks.index(name) for name in names]]
    if pose.shape[1] != _N:
        raise ValueError(f"COCO's {_N} key-points are needed, got {pose.shape[1]}")
    numbers = np.rint(found.timestamps).astype(int)
    numbers -= min(numbers[0], 1) if counted_from_one else 0
    check_points(numbers[-1] + 1, _N)  # the last number may be any
    points = np.full((numbers[-1] + 1, _N, 3), [np.nan, np.nan, 0], dtype=np.float32)
    points[numbers] = pose
    return points
