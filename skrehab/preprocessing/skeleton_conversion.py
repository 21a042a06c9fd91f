"""From one skeleton to another: every landmark as a weighted mean of what the source has.

One table says how a landmark follows from others (the middle of the back from hips and shoulders),
so that any registered skeleton feeds any network. A landmark that cannot be known, such as a hand
seen by a skeleton that ends at the wrist, is estimated by lengthening the limb (a copy of the wrist
would be a bone of length zero), is named in ``estimated``, and has score 0.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from skrehab.skeletons import Skeleton, get_skeleton

__all__ = ["Conversion", "conversion", "convert", "guess_skeleton"]


def _mean(*landmarks):
    return dict.fromkeys(landmarks, 1 / len(landmarks))


def _beyond(end, before, share):
    """Go on from `before` through `end`, by a share of their distance."""
    return {end: 1 + share, before: -share}


# landmark -> ways to compute it from others, the best first
_DERIVED = {
    "spine_base": [_mean("left_hip", "right_hip")],
    "spine_shoulder": [_mean("left_shoulder", "right_shoulder")],
    "spine_mid": [_mean("spine_base", "spine_shoulder")],
    "neck": [_beyond("spine_shoulder", "spine_mid", 0.3)],
    "head": [_mean("left_ear", "right_ear")],
}
# landmark -> stand-ins where the source does not show it
_ESTIMATED = {
    "head": [_mean("nose")],
    "nose": [_mean("head")],
}
# one skeleton means something else by the same word
_OF_TARGET = {
    ("h36m17", "head"): [_mean("left_eye", "right_eye")],
    ("mpose13", "head"): [_mean("nose", "left_eye", "right_eye", "left_ear", "right_ear")],
}
for _side in ("left", "right"):
    _s = f"{_side}_"
    _DERIVED |= {
        _s + "hand": [_mean(_s + "wrist", _s + "pinky", _s + "index")],
        _s + "hand_tip": [_mean(_s + "pinky", _s + "index")],
        _s + "foot": [_mean(_s + "foot_index")],
        _s + "foot_index": [_mean(_s + "foot")],
    }
    _ESTIMATED |= {
        _s + "eye": [_mean("head")],
        _s + "ear": [_mean("head")],
        _s + "hand": [_beyond(_s + "wrist", _s + "elbow", 0.3)],
        _s + "hand_tip": [_beyond(_s + "wrist", _s + "elbow", 0.55)],
        _s + "thumb": [_beyond(_s + "wrist", _s + "elbow", 0.4)],
        _s + "foot": [_beyond(_s + "ankle", _s + "knee", 0.2)],
        _s + "foot_index": [_beyond(_s + "ankle", _s + "knee", 0.2)],
        _s + "heel": [_beyond(_s + "ankle", _s + "knee", 0.1)],
        _s + "small_toe": [_beyond(_s + "foot_index", _s + "heel", -0.1)],
    }
    _OF_TARGET["mpose13", _s + "foot"] = [
        _mean(_s + "ankle", _s + "heel", _s + "foot_index"),
        _mean(_s + "ankle", _s + "foot"),
        _mean(_s + "ankle"),
    ]
del _side, _s

# The joints that all skeletons share, under OpenNI's names: the hand is the wrist and the foot the
# ankle wherever the source has these, so that nothing is guessed; the neck is where the shoulders
# meet (as OpenPose's is, below Kinect v2's), the torso halfway down the back.
_SHARED = {"neck": "spine_shoulder", "torso": "spine_mid"} | {
    f"{side}_{part}": f"{side}_{joint}"
    for side in ("left", "right")
    for part, joint in (("hand", "wrist"), ("foot", "ankle"))
}
_OF_TARGET |= {
    (name, landmark): [_mean(joint), _mean(landmark)]
    for name in ("common15", "uwa3d15")
    for landmark, joint in _SHARED.items()
}

# UI-PRMD names a joint after the segment that begins there; so its chest is where the shoulders
# meet, its head the top of the neck, its head's tip the head: measured from waist (0) to shoulders
# (1), these are at 1.04, 1.19 and 1.48, the joints of a Kinect v2 in WMFT at 1.07, 1.22 and 1.54
_SEGMENTS = {
    **{"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand"},
    **{"hip": "upper_leg", "knee": "lower_leg", "ankle": "foot", "foot": "toes", "hand": None},
}
_OF_SOURCE = {
    "uiprmd22": {
        **{"spine_base": "waist", "spine_mid": "spine", "spine_shoulder": "chest"},
        **{"neck": "head", "head": "head_tip"},
    }
    | {
        f"{side}_{joint}": f"{side}_{segment}" if segment else None
        for side in ("left", "right")
        for joint, segment in _SEGMENTS.items()
    }
}
for _name in ("common15", "uwa3d15"):  # and back: what they call a hand is no Kinect hand
    _OF_SOURCE[_name] = {joint: landmark for landmark, joint in _SHARED.items()} | dict.fromkeys(
        _SHARED
    )
del _name


@dataclass(frozen=True, eq=False)
class Conversion:
    """A linear map between two skeletons.

    Parameters
    ----------
    source, target : Skeleton
        From where to where.
    weights : ndarray of shape (target landmarks, source landmarks)
        Weights of the source's landmarks; each row sums to one.
    signs : ndarray of shape (3,)
        -1 where an axis of the target points the other way.
    estimated : tuple of str
        Landmarks of the target that the source does not show.

    Examples
    --------
    >>> from skrehab.preprocessing.skeleton_conversion import conversion
    >>> conversion("coco17", "h36m17").estimated
    ()
    >>> conversion("coco17", "ntu25").estimated[:2]
    ('left_hand', 'right_hand')
    >>> conversion("coco17", "common15").estimated
    ()
    """

    source: Skeleton
    target: Skeleton
    weights: np.ndarray
    signs: np.ndarray
    estimated: tuple

    def score_weights(self):
        """Weights for scores, which are averaged and never extrapolated.

        Returns
        -------
        ndarray of shape (target landmarks, source landmarks)
            Rows sum to one; zero for estimated landmarks.
        """
        weights = np.abs(self.weights)
        weights /= weights.sum(axis=1, keepdims=True)
        weights[[self.target.index(name) for name in self.estimated]] = 0
        return weights


def guess_skeleton(n_landmarks):
    """Tell the skeleton of a trial from its number of landmarks.

    Parameters
    ----------
    n_landmarks : int
        Number of landmarks.

    Returns
    -------
    Skeleton or None
        33 is MediaPipe's, 25 NTU's (and Kinect v2's), 22 UI-PRMD's, 17 COCO's; None for any other
        number. Skeletons that share a number with one of these must be named.

    Examples
    --------
    >>> from skrehab.preprocessing.skeleton_conversion import guess_skeleton
    >>> guess_skeleton(17).name
    'coco17'
    """
    known = {33: "mediapipe33", 25: "ntu25", 22: "uiprmd22", 17: "coco17"}
    return get_skeleton(known[n_landmarks]) if n_landmarks in known else None


def conversion(source, target):
    """Work out how one skeleton follows from another.

    Parameters
    ----------
    source, target : str or Skeleton
        Registered skeletons.

    Returns
    -------
    Conversion
        The linear map.

    Raises
    ------
    ValueError
        If a landmark of the target follows from nothing that the source has.

    Notes
    -----
    ``"common15"`` is what every skeleton here shows: head, neck, torso, and on each side shoulder,
    elbow, hand, hip, knee and foot. Its hand is the wrist and its foot the ankle wherever the
    source has these (UWA3D's OpenNI joints, which have no wrist and no ankle, are taken as they
    are), its neck is where the shoulders meet, its torso halfway down the back. Nothing of it is
    estimated, so a network may learn on one data set and go on with another.

    References
    ----------
    The mapping of MediaPipe to Kinect joints is the most careful one found in public code: SpineMid
    halfway up the trunk, Neck 0.3 of a half trunk above the shoulders, Head between the ears, Hand
    and HandTip from wrist, little and index finger.

    Examples
    --------
    >>> from skrehab.preprocessing.skeleton_conversion import conversion
    >>> to_kinect = conversion("mediapipe33", "kinect25")
    >>> to_kinect.weights.shape, to_kinect.estimated
    ((25, 33), ())
    """
    return _conversion(get_skeleton(source), get_skeleton(target))


@lru_cache(maxsize=64)
def _conversion(source, target):
    same = {landmark: landmark for landmark in source.landmarks}
    names = same if source is target else same | _OF_SOURCE.get(source.name, {})
    rows, estimated = [], []
    for landmark in target.landmarks:
        row, guessed = _resolve(landmark, source, target, names, frozenset())
        if row is None:
            raise ValueError(
                f"{source.name} cannot be converted to {target.name}: {landmark!r} follows from "
                f"none of its landmarks. Convert the landmarks yourself and name the skeleton."
            )
        rows.append(row)
        if guessed:
            estimated.append(landmark)
    pad = lambda directions: np.array((*directions, 1)[:3], dtype=float)  # noqa: E731
    return Conversion(
        source=source,
        target=target,
        weights=np.array(rows),
        signs=pad(source.directions) * pad(target.directions),
        estimated=tuple(estimated),
    )


def _resolve(landmark, source, target, names, open_names):
    """Find a landmark's weights, and whether they are a guess; None if there are none."""
    if source is target:
        rules = []
    else:
        rules = _OF_TARGET.get((target.name, landmark), []) if not open_names else []
    direct = names.get(landmark)
    if direct is not None and not rules:
        return np.eye(source.n_landmarks)[source.index(direct)], False
    if landmark in open_names:  # head from nose from head
        return None, True
    open_names = open_names | {landmark}
    exact = [(rule, False) for rule in [*rules, *_DERIVED.get(landmark, [])]]
    best = None
    for rule, guess in [*exact, *((rule, True) for rule in _ESTIMATED.get(landmark, []))]:
        parts = [
            (weight, *_resolve(name, source, target, names, open_names))
            for name, weight in rule.items()
        ]
        if any(row is None for _, row, _ in parts):
            continue
        guess = guess or any(guessed for _, _, guessed in parts)
        row = sum(weight * row for weight, row, _ in parts)
        if not guess:
            return row, False
        best = best if best is not None else row
    if best is None and direct is not None:  # the word's own meaning, where the other has no parts
        return np.eye(source.n_landmarks)[source.index(direct)], False
    return best, True


def convert(trial, source, target):
    """Express a trial in another skeleton.

    Parameters
    ----------
    trial : array-like of shape (n_frames, source landmarks, n_coords)
        Coordinates in the source's axes; any after its own two or three are scores. Wherever a
        lost landmark (NaN) has a part in the result, it is NaN and its score 0.
    source, target : str or Skeleton
        Registered skeletons.

    Returns
    -------
    ndarray of shape (n_frames, target landmarks, n_coords'), dtype float32
        Coordinates in the target's axes and the source's units. A flat target drops z, a flat
        source gets z = 0; scores follow behind, 0 for estimated landmarks.

    Raises
    ------
    ValueError
        If the trial's shape is not the source's, or a landmark follows from nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing.skeleton_conversion import convert
    >>> convert(np.zeros((9, 33, 4)), "mediapipe33", "coco17").shape
    (9, 17, 3)
    >>> convert(np.zeros((9, 17, 2)), "coco17", "ntu25").shape
    (9, 25, 3)
    """
    mapping = conversion(source, target)
    trial = np.asarray(trial, dtype=np.float64)
    n_dims, wanted = mapping.source.n_dims, mapping.target.n_dims
    if (
        trial.ndim != 3
        or trial.shape[1] != mapping.source.n_landmarks
        or trial.shape[2] < min(n_dims, 2)
    ):
        raise ValueError(
            f"A trial of {mapping.source.name} has shape (n_frames, "
            f"{mapping.source.n_landmarks}, {n_dims} or more), got {trial.shape}."
        )
    space = trial[..., :n_dims]
    space = np.pad(space, ((0, 0), (0, 0), (0, max(0, 3 - space.shape[2]))))
    # not one product: a lost landmark must not spread to rows in which its weight is zero
    moved = np.stack(
        [space[:, row != 0].transpose(0, 2, 1) @ row[row != 0] for row in mapping.weights], axis=1
    )
    parts = [(moved * mapping.signs)[..., :wanted]]
    if trial.shape[2] > n_dims:
        scores = np.nan_to_num(trial[..., n_dims:], nan=0.0)
        scores = np.einsum("ts,fsc->ftc", mapping.score_weights(), scores)
        parts.append(np.where(np.isnan(moved).any(axis=2, keepdims=True), 0, scores))
    return np.concatenate(parts, axis=2).astype(np.float32)
