"""Where the faces in a picture are, from the pose of everybody in it.

The pose landmarker sees a picture as a square of 224 pixels. Somebody at the back of the room is a
speck there, with a face that is plain to see in the video; so parts of the picture are looked at,
too, enlarged.
"""

import numpy as np

from ..skeletons import get_skeleton
from .body import trunk_size

__all__ = ["face_box", "find_small_faces", "tiles"]

_FACE = slice(0, 11)  # nose, eyes, ears, mouth
_SPREAD, _TRUNK_SHARE = 2.2, 0.33  # from these landmarks to the chin and the crown
_SHARE, _STEP = 0.5, 0.6  # a tile's side as share of the picture's shorter one; step as share of it
_LONGEST = 20  # tiles' sides that the longer side has at most: a strip of 8192 x 2 has no faces
_EDGES = np.array([*get_skeleton("mediapipe33").edges, (11, 24), (12, 23)])
_NEAR, _SMALLER = 0.35, 0.75


def face_box(landmarks, min_visibility=0.5):
    """Find the square around a person's whole head.

    Parameters
    ----------
    landmarks : ndarray of shape (33, 4)
        Image landmarks in pixels, and visibility.
    min_visibility : float, default=0.5
        Median visibility of nose, eyes, ears and mouth that makes the place of the face sure.

    Returns
    -------
    tuple of float or None
        x0, y0, x1, y1 in pixels, also beyond the picture; None where the face is not sure.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.face_boxes import face_box
    >>> person = np.ones((33, 4))
    >>> person[:11, :2] = 200, 100
    >>> person[7:9, 0] = 190, 210  # ears
    >>> person[[23, 24], 1] = 101
    >>> [round(edge) for edge in face_box(person)]
    [167, 67, 233, 133]
    >>> face_box(person * [1, 1, 1, 0.4]) is None
    True
    """
    landmarks = np.asarray(landmarks, dtype=float)
    face = landmarks[_FACE, :2]
    size = float(trunk_size(landmarks))
    if not np.isfinite(face).all() or not size > 0:
        return None
    if not np.median(landmarks[_FACE, 3]) >= min_visibility:
        return None
    middle = face.mean(axis=0)
    reach = max(
        _SPREAD * np.linalg.norm(face - middle, axis=1).max(),
        _TRUNK_SHARE * size,
    )
    return (*(middle - reach).tolist(), *(middle + reach).tolist())


def tiles(width, height):
    """Cover a picture with overlapping squares.

    Parameters
    ----------
    width, height : int
        Size in pixels.

    Returns
    -------
    list of (int, int, int)
        Left edge, upper edge and side of each square.

    Examples
    --------
    >>> from skrehab.pose.face_boxes import tiles
    >>> tiles(200, 100)[:3], len(tiles(200, 100))
    ([(0, 0, 50), (30, 0, 50), (60, 0, 50)], 18)
    """
    side = max(1, int(_SHARE * min(width, height)), max(width, height) // _LONGEST)
    lefts, tops = (
        np.linspace(0, over, int(np.ceil(over / (_STEP * side))) + 1).astype(int)
        for over in (max(0, width - side), max(0, height - side))
    )
    return [(int(x), int(y), side) for y in tops for x in lefts]


def find_small_faces(picture, detector, known, min_visibility=0.5):
    """Find faces, tile by tile.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3), dtype uint8
        RGB.
    detector : PeopleDetector
        One for single pictures, ``video=False``.
    known : ndarray of shape (n_persons, 33, 4)
        People who were found in the whole picture. What seems a face small on the arm or leg of one
        of them is none.
    min_visibility : float, default=0.5
        See :func:`face_box`.

    Returns
    -------
    list of tuple of float
        x0, y0, x1, y1 in pixels of the picture; the same face several times, and now and then
        something that is no face.

    Examples
    --------
    >>> from skrehab.pose.face_boxes import find_small_faces
    >>> find_small_faces(picture, detector, people)  # doctest: +SKIP
    [(28.0, 301.0, 128.0, 401.0)]
    """
    boxes = []
    for x, y, side in tiles(picture.shape[1], picture.shape[0]):
        part = np.ascontiguousarray(picture[y : y + side, x : x + side])
        for person in detector.detect(part)[0]:
            face = person[:11, :2]
            if not ((face >= 0) & (face <= side)).all():  # False for NaN
                continue
            box = face_box(person, min_visibility)
            # a face larger than half a tile is found in the whole picture
            if box is None or box[2] - box[0] > side / 2:
                continue
            box = (box[0] + x, box[1] + y, box[2] + x, box[3] + y)
            if not any(_on_body(box, one, min_visibility) for one in known):
                boxes.append(box)
    return boxes


def _on_body(box, person, min_visibility):
    own = face_box(person, min_visibility)
    if own is None or box[2] - box[0] >= _SMALLER * (own[2] - own[0]):
        return False
    middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2
    points = np.asarray(person, dtype=float)[:, :2]
    start, along = points[_EDGES[:, 0]], np.diff(points[_EDGES], axis=1)[:, 0]
    length = np.maximum((along**2).sum(axis=1), 1e-9)
    share = np.clip(((middle - start) * along).sum(axis=1) / length, 0, 1)
    away = np.linalg.norm(start + share[:, None] * along - middle, axis=1)
    return bool(away.min() < _NEAR * trunk_size(person))
