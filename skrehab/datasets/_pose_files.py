"""Pose sequences in files, as manifests name them; see :mod:`skrehab.formats`."""

from skrehab.formats import PoseFile
from skrehab.formats.poses import parse_pose

__all__ = ["POSE_SUFFIXES", "PoseFile", "read_pose"]

POSE_SUFFIXES = (".npy", ".npz", ".csv", ".trc", ".json", ".parquet")


def read_pose(path):
    """Read one pose sequence; errors do not name the file, for callers that name its row.

    Parameters
    ----------
    path : str or path-like
        See :func:`skrehab.formats.read_pose`.

    Returns
    -------
    PoseFile
        Landmarks, and times and names where the file has them.
    """
    return parse_pose(path)
