"""Pose sequences in files, as manifests name them; see :mod:`skrehab.formats`."""

from skrehab.formats import PoseFile
from skrehab.formats._names import SeveralRecordings
from skrehab.formats.poses import is_long_table, parse_pose
from skrehab.formats.tables import one_trial, parse_long_table
from skrehab.skeletons import get_skeleton, list_skeletons

__all__ = [
    "POSE_SUFFIXES",
    "PoseFile",
    "PoseReader",
    "in_known_order",
    "is_pose_folder",
    "numbered",
]

POSE_SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".xlsx", ".trc", ".json", ".parquet")


def is_pose_folder(path):
    """Whether a path is a folder with a JSON file for each frame.

    Parameters
    ----------
    path : Path
        See :func:`skrehab.formats.read_pose`.

    Returns
    -------
    bool
        Whether it is one.
    """
    return path.is_dir() and any(path.glob("*.json"))


def in_known_order(pose):
    """Put landmarks that are named as those of a skeleton into its order.

    Tables are sorted by the alphabet by those who make them, and all that goes by the number of
    landmarks would take a left ankle for a nose.

    Parameters
    ----------
    pose : PoseFile
        As read; case, blanks and marks in its names do not count.

    Returns
    -------
    PoseFile
        In the order and with the names of the registered skeleton that has these landmarks, or in
        that of their numbers; the same where neither holds.
    """
    if pose.landmarks is None:
        return pose
    keys = [_letters(name) for name in pose.landmarks]
    if len(set(keys)) < len(keys) or len(keys) != pose.pose.shape[1]:
        return pose
    if numbered(pose.landmarks):
        order = sorted(range(len(keys)), key=lambda k: int(keys[k]))
        return pose._replace(
            pose=pose.pose[:, order], landmarks=tuple(pose.landmarks[k] for k in order)
        )
    known = [get_skeleton(name).landmarks for name in list_skeletons()]
    known = [names for names in known if {_letters(name) for name in names} == set(keys)]
    if not known:
        return pose
    # two skeletons of the same landmarks: the one whose order these have, if there is one
    names = next((n for n in known if [_letters(name) for name in n] == keys), known[0])
    order = [keys.index(_letters(name)) for name in names]
    return pose._replace(pose=pose.pose[:, order], landmarks=names)


def numbered(names):
    """Whether landmarks have numbers for names, from 0 or 1, which tell their order and no more."""
    if not all(name.isascii() and name.isdigit() for name in names):
        return False
    numbers = sorted(map(int, names))
    return numbers in (list(range(len(names))), list(range(1, len(names) + 1)))


def _letters(name):
    return "".join(letter for letter in name.casefold() if letter.isalnum())


class PoseReader:
    """Read the pose sequences of rows; a table of many trials is read once.

    Parameters
    ----------
    person, allow_cut : optional
        As for :func:`skrehab.formats.read_pose`.
    """

    def __init__(self, person="steady", allow_cut=False):
        self.person, self.allow_cut = person, allow_cut
        self._path, self._trials = None, None

    def read(self, path, trial=None, frame_rate=None):
        """Read one pose sequence; errors do not name the file, for callers that name its row.

        Parameters
        ----------
        path : Path
            The file or folder.
        trial : str, optional
            Which recording, where it holds several.
        frame_rate : float, optional
            Frames a second, where it holds no times.

        Returns
        -------
        PoseFile
            Landmarks, and times and names where the file has them.
        """
        if is_long_table(path):
            if self._path != (path, frame_rate):
                self._trials = parse_long_table(path, frame_rate)
                self._path = path, frame_rate
            asked = trial if len(self._trials) > 1 else None
            pose = one_trial(self._trials, asked)
            # a table without times has rows for all its frames, or frame_times has refused it
            return pose
        options = {"person": self.person, "allow_cut": self.allow_cut, "frame_rate": frame_rate}
        try:
            return parse_pose(path, **options)
        except SeveralRecordings:
            if not trial:
                raise
            return parse_pose(path, trial=trial, **options)
