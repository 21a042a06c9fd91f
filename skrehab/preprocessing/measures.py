"""Measures a clinician knows, frame by frame: joint angles, leans, heights, distances and speeds.

Pure functions on positions of joints in the person's axes (left, up, front); the thin transformer
over them is :class:`skrehab.KinematicMeasures`.
"""

from dataclasses import dataclass

import numpy as np

from skrehab.preprocessing.bones import SHORTEST
from skrehab.preprocessing.skeleton_conversion import conversion
from skrehab.skeletons import Skeleton, get_skeleton

__all__ = ["Measure", "find_joints", "list_measures", "measure_frames", "measure_skeleton"]

SIDES = ("left", "right")
TRUNK = ("*shoulder", "*hip")
# joint -> what common15, which every registered skeleton shows, calls it
JOINTS = {"head": "head"} | {
    f"{side}_{joint}": f"{side}_{landmark}"
    for joint, landmark in (
        *(("shoulder", "shoulder"), ("elbow", "elbow"), ("wrist", "hand")),
        *(("hip", "hip"), ("knee", "knee"), ("ankle", "foot")),
    )
    for side in SIDES
}


@dataclass(frozen=True)
class Measure:
    """One measure: what it is called, its unit, the joints it needs.

    Parameters
    ----------
    name : str
        Such as ``trunk_lean_forward`` or ``left_elbow_flexion``.
    unit : str
        ``"deg"``, ``"%"``, ``"length"`` (the unit of the positions) or ``"length/s"``.
    joints : tuple of str
        Joints that must be there.
    flat : bool
        Whether it can be seen in a picture plane too.
    mirror : {"", "flip"}
        What a mirror does to it besides swapping sides: ``"flip"`` turns its sign.

    Examples
    --------
    >>> from skrehab.preprocessing.measures import list_measures
    >>> list_measures("mediapipe33")[0].name
    'trunk_lean_forward'
    """

    name: str
    unit: str
    joints: tuple
    flat: bool
    mirror: str = ""


def _both(*joints):
    """Names of joints, ``*`` standing for both sides."""
    return tuple(
        name.replace("*", f"{side}_")
        for name in joints
        for side in (SIDES if "*" in name else SIDES[:1])
    )


def _table():
    """Rows in the order of the columns."""
    trunk = _both(*TRUNK)
    rows = [
        Measure("trunk_lean_forward", "deg", trunk, False),
        Measure("trunk_lean_sideways", "deg", trunk, True, "flip"),
        Measure("trunk_rotation", "deg", trunk, False, "flip"),
        Measure("shoulder_tilt", "deg", trunk, True, "flip"),
        Measure("head_tilt_forward", "deg", ("head", *trunk), False),
        Measure("head_tilt_sideways", "deg", ("head", *trunk), True, "flip"),
    ]
    for name, unit, joints, flat in (
        ("shoulder_elevation", "%", (), True),
        ("shoulder_flexion", "deg", ("*elbow",), False),
        ("shoulder_abduction", "deg", ("*elbow",), False),
        ("arm_elevation", "deg", ("*elbow",), True),
        ("elbow_flexion", "deg", ("*elbow", "*wrist"), True),
        ("knee_flexion", "deg", ("*knee", "*ankle"), True),
        ("hand_height", "length", ("*wrist",), True),
        ("hand_to_head", "length", ("*wrist", "head"), True),
        ("hand_speed", "length/s", ("*wrist",), True),
    ):
        for side in SIDES:
            needs = tuple(joint.replace("*", f"{side}_") for joint in joints)
            rows.append(Measure(f"{side}_{name}", unit, trunk + needs, flat))
    for name, unit, joints in (
        ("arm_elevation", "deg", ("*elbow",)),
        ("elbow_flexion", "deg", ("*elbow", "*wrist")),
        ("hand_speed", "length/s", ("*wrist",)),
    ):
        rows.append(Measure(f"{name}_asymmetry", unit, trunk + _both(*joints), True, "flip"))
    return tuple(rows)


TABLE = _table()


def find_joints(skeleton):
    """Tell which landmarks stand for each joint that measures are made of.

    Parameters
    ----------
    skeleton : str or Skeleton
        Skeleton of the trials.

    Returns
    -------
    dict of str to tuple of int
        Columns whose mean is the joint; ``mouth`` is the mouth, else the nose, else the head.
        Joints that the skeleton does not show are not there.

    Examples
    --------
    >>> from skrehab.preprocessing.measures import find_joints
    >>> joints = find_joints("mediapipe33")
    >>> joints["head"], joints["mouth"], joints["left_wrist"]
    ((7, 8), (9, 10), (15,))
    """
    whole = get_skeleton(skeleton)
    try:
        to = conversion(whole, "common15")
    except ValueError:  # one of your own, which shows only some: by their plain names
        found = {name: (whole.index(name),) for name in JOINTS if name in whole.landmarks}
    else:
        rows = {name: to.weights[to.target.index(other)] for name, other in JOINTS.items()}
        found = {
            name: tuple(int(i) for i in np.flatnonzero(row))
            for name, row in rows.items()
            if JOINTS[name] not in to.estimated
        }
    for names in (("mouth_left", "mouth_right"), ("nose",)):
        if set(names) <= set(whole.landmarks):
            found["mouth"] = tuple(whole.index(name) for name in names)
            break
    if "head" in found:
        found.setdefault("mouth", found["head"])
    return found


def list_measures(skeleton):
    """List the measures that a skeleton shows.

    Parameters
    ----------
    skeleton : str or Skeleton
        Skeleton of the trials.

    Returns
    -------
    list of Measure
        In the order in which :class:`skrehab.KinematicMeasures` gives them.

    Raises
    ------
    ValueError
        If it has no shoulders or no hips, without which there is no trunk.

    Examples
    --------
    >>> from skrehab.preprocessing.measures import list_measures
    >>> len(list_measures("mediapipe33")), len(list_measures("coco17"))
    (27, 20)
    """
    whole = get_skeleton(skeleton)
    joints = find_joints(whole)
    missing = [name for name in _both(*TRUNK) if name not in joints]
    if missing:
        raise ValueError(
            f"{whole.name} has no {', '.join(missing)}: measures need shoulders and hips. Its "
            f"landmarks are {whole.landmarks}."
        )
    return [
        row for row in TABLE if set(row.joints) <= set(joints) and (row.flat or whole.n_dims == 3)
    ]


def measure_skeleton(skeleton):
    """Make the "skeleton" whose landmarks are measures, which names them in maps and reports.

    Parameters
    ----------
    skeleton : str or Skeleton
        Skeleton of the trials.

    Returns
    -------
    Skeleton
        One landmark a measure, with one coordinate; left and right are paired, and what changes
        its sign in a mirror is in ``flipped``.

    Examples
    --------
    >>> from skrehab.preprocessing.measures import measure_skeleton
    >>> measure_skeleton("mediapipe33").landmarks[:2]
    ('trunk_lean_forward', 'trunk_lean_sideways')
    """
    whole = get_skeleton(skeleton)
    rows = list_measures(whole)
    names = [row.name for row in rows]
    pairs = tuple(
        (i, names.index("right" + name.removeprefix("left")))
        for i, name in enumerate(names)
        if name.startswith("left_")
    )
    limbs = {f"{side}_{limb}": () for side in SIDES for limb in ("arm", "leg")}
    for i, name in enumerate(names):
        side = name.split("_")[0]
        if side in SIDES:
            limbs[f"{side}_{'leg' if 'knee' in name else 'arm'}"] += (i,)
    return Skeleton(
        name=whole.name + "_measures",
        landmarks=tuple(names),
        parents=(-1,) + (0,) * (len(names) - 1),
        edges=tuple((0, i) for i in range(1, len(names))),
        pairs=pairs,
        limbs=limbs,
        trunk=tuple(i for i, name in enumerate(names) if name.split("_")[0] not in SIDES),
        axes="no places: one number a measure",
        directions=(1,),
        units=", ".join(dict.fromkeys(row.unit for row in rows)),
        flipped=tuple(i for i, row in enumerate(rows) if row.mirror == "flip"),
    )


# --- geometry -------------------------------------------------------------------------------------
def _dot(a, b):
    # written out: the same bits whether there is one frame or a thousand
    total = a[..., 0] * b[..., 0]
    for i in range(1, a.shape[-1]):
        total = total + a[..., i] * b[..., i]
    return total


def _length(a):
    return np.sqrt(_dot(a, a))


def _unit(a):
    length = _length(a)
    return a / np.where(length > SHORTEST, length, np.nan)[..., None]


def _cross(a, b):
    return np.stack(
        [
            a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1],
            a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2],
            a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0],
        ],
        axis=-1,
    )


def _asin(x):
    return np.degrees(np.arcsin(np.clip(x, -1, 1)))


def _atan2(y, x):
    return np.degrees(np.arctan2(y, x))


def _between(a, b):
    return np.degrees(np.arccos(np.clip(_dot(_unit(a), _unit(b)), -1, 1)))


def _axes(hips, shoulders, trunk):
    """Where left and front are: of the pelvis on the ground, and of the trunk."""
    if trunk.shape[-1] == 2:  # a picture: which way round the hips stand says who is left
        sign = np.sign(hips[..., :1])
        left = np.concatenate([np.where(sign == 0, np.nan, sign), 0 * sign], axis=-1)
        across = np.stack([trunk[..., 1], -trunk[..., 0]], axis=-1)
        return left, None, across * np.sign(_dot(across, shoulders))[..., None], None
    flat = hips.copy()
    flat[..., 1] = 0
    left = _unit(flat)
    up = np.zeros_like(left)
    up[..., 1] = 1
    trunk_left = _unit(shoulders - _dot(shoulders, trunk)[..., None] * trunk)
    return left, _cross(left, up), trunk_left, _cross(trunk_left, trunk)


def measure_frames(joints, names, *, before=None, frame_rate=30.0):
    """Measure frames from positions of joints.

    Parameters
    ----------
    joints : dict of str to ndarray of shape (..., n_dims)
        Positions under the names of :func:`find_joints`, in axes that point to the left of a person
        who faces the camera, up against gravity and, with three of them, to the camera.
    names : sequence of str
        Measures wanted, of :func:`list_measures`.
    before : dict of str to ndarray, optional
        The wrists one frame earlier, for speeds; without them speeds are NaN.
    frame_rate : float, default=30.0
        Frames a second.

    Returns
    -------
    ndarray of shape (..., n_measures), dtype float64
        Degrees, percents, and lengths in the unit of the positions; NaN where a joint was lost.

    Examples
    --------
    An arm that hangs, its forearm held straight to the front:

    >>> import numpy as np
    >>> from skrehab.preprocessing.measures import measure_frames
    >>> at = {"left_shoulder": [0.2, 0.5, 0], "right_shoulder": [-0.2, 0.5, 0]}
    >>> at |= {"left_hip": [0.1, 0, 0], "right_hip": [-0.1, 0, 0]}
    >>> at |= {"left_elbow": [0.2, 0.2, 0], "left_wrist": [0.2, 0.2, 0.25]}
    >>> joints = {name: np.array(place, dtype=float) for name, place in at.items()}
    >>> measure_frames(joints, ["left_elbow_flexion", "left_shoulder_flexion", "left_hand_height"])
    array([90. ,  0. ,  0.2])
    """
    at = joints
    hips, shoulders = (at[f"left_{joint}"] - at[f"right_{joint}"] for joint in ("hip", "shoulder"))
    base, top = ((at[f"left_{j}"] + at[f"right_{j}"]) / 2 for j in ("hip", "shoulder"))
    trunk = _unit(top - base)
    left, front, trunk_left, trunk_front = _axes(hips, shoulders, trunk)
    found = {
        "trunk_lean_sideways": lambda: _asin(_dot(trunk, left)),
        "trunk_lean_forward": lambda: _atan2(_dot(trunk, front), trunk[..., 1]),
        "trunk_rotation": lambda: _atan2(_dot(left, trunk_front), _dot(left, trunk_left)),
        "shoulder_tilt": lambda: _asin(_dot(_unit(shoulders), trunk)),
        "head_tilt_sideways": lambda: _asin(_dot(_unit(at["head"] - top), trunk_left)),
        "head_tilt_forward": lambda: _atan2(
            _dot(at["head"] - top, trunk_front), _dot(at["head"] - top, trunk)
        ),
    }

    def of_side(kind, side):
        shoulder, elbow = at[f"{side}_shoulder"], at.get(f"{side}_elbow")
        wrist = at.get(f"{side}_wrist")
        if kind == "shoulder_elevation":
            width = _length(shoulders)
            width = np.where(width > SHORTEST, width, np.nan)
            return 100 * _dot(shoulder - base, trunk) / width
        if kind == "arm_elevation":
            return _between(elbow - shoulder, base - top)
        if kind == "shoulder_flexion":  # cut where no shoulder goes: 90 degrees to the back
            arm = elbow - shoulder
            angle = _atan2(_dot(arm, trunk_front), -_dot(arm, trunk))
            return np.where(angle < -90, angle + 360, angle)
        if kind == "shoulder_abduction":
            outward = trunk_left if side == "left" else -trunk_left
            return _asin(_dot(_unit(elbow - shoulder), outward))
        if kind == "elbow_flexion":
            return _between(elbow - shoulder, wrist - elbow)
        if kind == "knee_flexion":
            knee = at[f"{side}_knee"]
            return _between(knee - at[f"{side}_hip"], at[f"{side}_ankle"] - knee)
        if kind == "hand_height":
            return wrist[..., 1] - base[..., 1]
        if kind == "hand_to_head":
            return _length(wrist - at["mouth"])
        if before is None:
            return np.full(wrist.shape[:-1], np.nan)
        return _length(wrist - before[f"{side}_wrist"]) * frame_rate

    def one(name):
        if name in found:
            return found[name]()
        side, _, kind = name.partition("_")
        if side in SIDES:
            return of_side(kind, side)
        kind = name.removesuffix("_asymmetry")
        return of_side(kind, "left") - of_side(kind, "right")

    return np.stack([one(name) for name in names], axis=-1)
