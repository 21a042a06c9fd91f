"""How the bones of a skeleton are written down, called, paired and joined."""

__all__ = ["bone_name", "bone_pairs", "bone_tree", "read_bones"]

# Bones of limbs and trunk, in which "*" stands for left and right in turn. A hand beyond the wrist
# and a foot beyond the ankle are as short as they are noisy.
ARMS, LEGS = "*_shoulder:*_elbow *_elbow:*_wrist ", "*_hip:*_knee *_knee:*_ankle "
NO_SPINE = (  # neither neck nor spine is seen
    f"left_shoulder:right_shoulder {ARMS}*_shoulder:*_hip left_hip:right_hip {LEGS}"
    "mid_hip:mid_shoulder mid_shoulder:nose mid_shoulder:*_shoulder"
)
SPINE = (
    "spine_base:spine_mid spine_mid:spine_shoulder spine_shoulder:head "
    f"spine_shoulder:*_shoulder {ARMS}left_hip:right_hip spine_base:*_hip {LEGS}"
)
# every bone of its tree: the recipe was chosen with them, and its hand is a wrist
UIPRMD = (
    "waist:spine spine:chest chest:neck neck:head head:head_tip chest:left_collar "
    "left_collar:left_upper_arm left_upper_arm:left_forearm left_forearm:left_hand "
    "chest:right_collar right_collar:right_upper_arm right_upper_arm:right_forearm "
    "right_forearm:right_hand waist:left_upper_leg left_upper_leg:left_lower_leg "
    "left_lower_leg:left_foot left_foot:left_toes waist:right_upper_leg "
    "right_upper_leg:right_lower_leg right_lower_leg:right_foot right_foot:right_toes"
)


def read_bones(text, landmarks):
    """Read bones from text.

    Parameters
    ----------
    text : str
        Bones as ``start:end``; ``*`` stands for left and right in turn, ``mid_`` for both's mean.
    landmarks : list of str
        Names of the landmarks.

    Yields
    ------
    start, end : tuple of int
        Landmarks of each joint.

    Examples
    --------
    >>> from skrehab.skeletons.bones import read_bones
    >>> list(read_bones("mid_hip:nose *_hip:nose", ["nose", "left_hip", "right_hip"]))
    [((1, 2), (0,)), ((1,), (0,)), ((2,), (0,))]
    """
    for bone in text.split():
        for side in ("left", "right") if "*" in bone else ("",):
            yield tuple(_joint(name, landmarks) for name in bone.replace("*", side).split(":"))


def _joint(name, landmarks):
    if name in landmarks:
        return (landmarks.index(name),)
    return tuple(landmarks.index(name.replace("mid", side)) for side in ("left", "right"))


def bone_name(landmarks, start, end):
    """Name a bone; the side is said once if both ends lie on it.

    Parameters
    ----------
    landmarks : sequence of str
        Names of the landmarks.
    start, end : tuple of int
        Landmarks of each joint.

    Returns
    -------
    str
        Such as ``left_shoulder_to_elbow``.
    """
    names = []
    for joint in (start, end):
        name = landmarks[joint[0]]
        names.append(name if len(joint) == 1 else name.replace("left", "mid"))
    side = names[0].split("_")[0]
    if side in ("left", "right"):
        names[1] = names[1].removeprefix(side + "_")
    return "_to_".join(names)


def bone_pairs(landmarks, mirrored, bones):
    """Find the bones that a mirror swaps, and those that it turns round.

    Parameters
    ----------
    landmarks : sequence of str
        Names of the landmarks.
    mirrored : sequence of int
        Each landmark's twin on the other side.
    bones : sequence of ((int, ...), (int, ...))
        Landmarks at both ends of each bone.

    Returns
    -------
    pairs : tuple of (int, int)
        (left, right) bones.
    flipped : tuple of int
        Bones from one side to the other.
    """

    def twin(joint):
        return tuple(sorted(mirrored[i] for i in joint))

    ends = {tuple(tuple(sorted(joint)) for joint in bone): i for i, bone in enumerate(bones)}
    pairs, flipped = [], []
    for (start, end), i in ends.items():
        if ends.get((twin(end), twin(start))) == i:
            flipped.append(i)
        other = ends.get((twin(start), twin(end)), i)
        if other != i and landmarks[end[0]].startswith("left"):
            pairs.append((i, other))
    return tuple(pairs), tuple(flipped)


def bone_tree(bones):
    """Join the bones that meet in a landmark.

    Parameters
    ----------
    bones : sequence of ((int, ...), (int, ...))
        Landmarks at both ends of each bone.

    Returns
    -------
    parents : tuple of int
        A tree over them from the first bone on, whose parent is -1.
    edges : tuple of (int, int)
        All bones that meet.
    """
    members = [set(start + end) for start, end in bones]
    edges = [(i, j) for j in range(len(bones)) for i in range(j) if members[i] & members[j]]
    parents, todo = [-1] * len(bones), [0]
    for here in todo:
        for i, j in edges:
            other = j if i == here else i if j == here else 0
            if other and parents[other] < 0:
                parents[other] = here
                todo.append(other)
    return tuple(parents), tuple(edges)
