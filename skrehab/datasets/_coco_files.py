"""Key-points of one clip in a file: .npy or .json, COCO's 17."""

import numpy as np

from skrehab.formats._bounds import read_json
from skrehab.formats._coco import read_frames
from skrehab.formats._lost import lost_points
from skrehab.formats._npz import check_npy

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
        A frame whose ``keypoints`` are missing, null or empty has nobody in it.

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
        points = read_frames(read_json(path), _N)
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
