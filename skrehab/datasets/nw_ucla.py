"""NW-UCLA, Northwestern-UCLA Multiview Action 3D: ten everyday actions from three sides."""

import re

import numpy as np

from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._numbers import finite_trial
from skrehab.datasets._skipped import Skipped, existing_folder, lost_is_nan
from skrehab.formats._bounds import read_json

__all__ = ["load_nw_ucla"]

_NAME = re.compile(r"a(\d+)_s(\d+)_e(\d+)_v(\d+)", re.IGNORECASE)
_ACTIONS = {
    1: "pick_up_with_one_hand",
    2: "pick_up_with_two_hands",
    3: "drop_trash",
    4: "walk_around",
    5: "sit_down",
    6: "stand_up",
    8: "donning",
    9: "doffing",
    11: "throw",
    12: "carry",
}

_DESCR = """\
NW-UCLA (Northwestern-UCLA Multiview Action 3D)
-----------------------------------------------
Ten people do ten everyday actions, seen by three Kinects at once: about 1,490 sequences. First
Kinect, 20 joints, metres.

Wang, Nie, Xia, Wu and Zhu, "Cross-view action modeling, learning, and recognition", CVPR (2014)
2649-2656. For research; skeletons are passed on as all_sqe.zip by the authors of CTR-GCN.
"""


def load_nw_ucla(root, *, strict=False):
    """Read the skeletons of NW-UCLA.

    Parameters
    ----------
    root : str or path-like
        Folder of ``a01_s01_e00_v01.json`` and the like, anywhere under it: action, person,
        repetition and view.
    strict : bool, default=False
        Raise where a file does not fit, instead of leaving it out with a warning.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` files:

        * ``X``: list of float32 arrays (n_frames_i, 20, 3), metres; NaN for lost joints;
        * ``action``: str array such as ``"sit_down"``; ``y``: int array, the action's number in the
          files' names; ``subject, groups, episode, view``: int arrays. The usual split trains on
          views 1 and 2 and tests on 3, with the same people on both sides;
        * ``frame_rate``: 30.0; ``skeleton``: ``"kinect20"``; ``path``: list of str; ``skipped``:
          list of (file, reason); ``DESCR``: str.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If nothing fits, or, when strict, anything does not; the message names files and reasons.

    Notes
    -----
    A file is an object with ``skeletons``: a list of frames of 20 joints of x, y, z, in the order
    of the first Kinect's SDK. A joint at (0, 0, 0) is lost.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from skrehab.datasets import load_nw_ucla
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "a05_s02_e00_v03.json")
    ...     _ = file.write_text(json.dumps({"skeletons": [[[0.1, 0.2, 2.5]] * 20] * 3}))
    ...     data = load_nw_ucla(folder)
    >>> data.X[0].shape, data.action, data.subject, data.view
    ((3, 20, 3), array(['sit_down'], dtype='<U8'), array([2]), array([3]))
    """
    root = existing_folder(root, "NW-UCLA")
    skipped, rows = Skipped("NW-UCLA", root), []
    for file in sorted(root.rglob("*.json")):
        named = _NAME.fullmatch(file.stem)
        try:
            if not named or int(named[1]) not in _ACTIONS:
                raise ValueError(
                    "its name must be such as a01_s01_e00_v01, with one of the actions "
                    f"{sorted(_ACTIONS)}"
                )
            content = read_json(file)
            if not isinstance(content, dict) or "skeletons" not in content:
                raise ValueError("it must be an object with 'skeletons'")
            try:
                pose = np.array(content["skeletons"], dtype=float)
            except (TypeError, ValueError):
                raise ValueError("'skeletons' must be numbers, 20 joints of 3 a frame") from None
            if pose.ndim != 3 or pose.shape[1:] != (20, 3):
                raise ValueError(f"'skeletons' has shape {pose.shape}, expected (frames, 20, 3)")
            if np.isinf(pose).any():
                raise ValueError("it holds infinite values")
            rows.append(
                (finite_trial(lost_is_nan(pose), file.name), *map(int, named.groups()), file)
            )
        except (ValueError, OSError) as error:
            skipped.add(file, error)
    skipped.report(len(rows), strict)
    X, action, subject, episode, view, path = zip(*rows)
    subject = np.array(subject)
    return TrialsBunch(
        X=list(X),
        y=np.array(action),
        action=np.array([_ACTIONS[one] for one in action]),
        subject=subject,
        groups=subject,
        episode=np.array(episode),
        view=np.array(view),
        path=[str(one) for one in path],
        frame_rate=30.0,
        skeleton="kinect20",
        skipped=skipped.found,
        DESCR=_DESCR,
    )
