"""The registered skeletons, one row each.

Joint tables follow MediaPipe's ``POSE_CONNECTIONS``, the Kinect v2 SDK and NTU RGB+D (the graph of
CTR-GCN, MS-G3D and HD-GCN), the first Kinect's SDK, COCO key-points, and UI-PRMD's Kinect skeleton
(Vakanski et al. 2018). ``common15`` is what all of them share.
"""

from skrehab.skeletons.bones import ARMS, LEGS, NO_SPINE, SPINE, UIPRMD, read_bones
from skrehab.skeletons.skeleton import _REGISTRY, Skeleton


def _limbs(left_arm, right_arm, left_leg, right_leg):
    return {
        "left_arm": left_arm,
        "right_arm": right_arm,
        "left_leg": left_leg,
        "right_leg": right_leg,
    }


def _register(
    name, landmarks, parents, *, edges=None, limbs, trunk, axes, directions, units, bones
):
    tree = tuple((child, parent) for child, parent in enumerate(parents) if parent >= 0)
    pairs = tuple(
        (i, landmarks.index(mirrored))
        for i, landmark in enumerate(landmarks)
        if (mirrored := _mirror(landmark)) in landmarks
    )
    _REGISTRY[name] = Skeleton(
        name=name,
        landmarks=tuple(landmarks),
        parents=tuple(parents),
        edges=tuple(edges or tree),
        pairs=pairs,
        limbs=limbs,
        trunk=trunk,
        axes=axes,
        directions=directions,
        units=units,
        limb_bones=tuple(read_bones(bones, list(landmarks))),
    )


def _mirror(landmark):
    """Name of the right-hand twin of a left landmark; None for any other."""
    if landmark.startswith("left_") or landmark.endswith("_left"):
        return landmark.replace("left", "right")
    return None


# --- MediaPipe pose ---------------------------------------------------------------------------
# The official 35 connections fall into three pieces (face, mouth, body); the four links added at
# the end (nose and mouth to the shoulders) make one graph of them.
_register(
    "mediapipe33",
    (
        "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer "
        "left_ear right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow "
        "right_elbow left_wrist right_wrist left_pinky right_pinky left_index right_index "
        "left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle "
        "left_heel right_heel left_foot_index right_foot_index"
    ).split(),
    # a tree that is its own mirror image, rooted at the nose
    parents=(-1, 0, 1, 2, 0, 4, 5, 3, 6, 0, 0, 0, 0, 11, 12, 13, 14, 15, 16, 15, 16, 15, 16)
    + (11, 12, 23, 24, 25, 26, 27, 28, 27, 28),
    edges=(
        *((0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10), (11, 12)),
        *((11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19), (12, 14), (14, 16)),
        *((16, 18), (16, 20), (16, 22), (18, 20), (11, 23), (12, 24), (23, 24), (23, 25)),
        *((24, 26), (25, 27), (26, 28), (27, 29), (28, 30), (29, 31), (30, 32), (27, 31)),
        (28, 32),
        *((0, 11), (0, 12), (9, 0), (10, 0)),
    ),
    limbs=_limbs(
        (11, 13, 15, 17, 19, 21),
        (12, 14, 16, 18, 20, 22),
        (23, 25, 27, 29, 31),
        (24, 26, 28, 30, 32),
    ),
    trunk=(11, 12, 23, 24),
    axes="x to the image's right, y down, z away from the camera; origin between the hips",
    directions=(1, 1, 1),
    units="metres (world landmarks); a fourth coordinate is visibility in [0, 1]",
    bones=NO_SPINE,
)

# --- Kinect v2 and NTU RGB+D: the same 25 joints in the same order ------------------------------
_SENSOR = {
    "axes": "x to the sensor's left, so a person facing it has the left hand at smaller x; y up; "
    "z away from the camera",
    "directions": (-1, -1, 1),
    "units": "metres",
}
for _name in ("kinect25", "ntu25"):
    _register(
        _name,
        (
            "spine_base spine_mid neck head left_shoulder left_elbow left_wrist left_hand "
            "right_shoulder right_elbow right_wrist right_hand left_hip left_knee left_ankle "
            "left_foot right_hip right_knee right_ankle right_foot spine_shoulder left_hand_tip "
            "left_thumb right_hand_tip right_thumb"
        ).split(),
        # NTU links (child, parent), 1-based: (22,23)(23,8)(24,25)(25,12); centre 21, then the base
        # hangs from spine_mid so that the tree's root is spine_shoulder, the graph's centre.
        parents=(1, 20, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, -1)
        + (22, 7, 24, 11),
        limbs=_limbs(
            (4, 5, 6, 7, 21, 22), (8, 9, 10, 11, 23, 24), (12, 13, 14, 15), (16, 17, 18, 19)
        ),
        trunk=(4, 8, 12, 16),
        bones=SPINE,
        **_SENSOR,
    )

# --- the first Kinect: the same 20 joints in the same order ---------------------------------------
for _name in ("kinect20", "utkinect20"):  # its hip centre, spine and shoulder centre
    _register(
        _name,
        (
            "spine_base spine_mid spine_shoulder head left_shoulder left_elbow left_wrist "
            "left_hand right_shoulder right_elbow right_wrist right_hand left_hip left_knee "
            "left_ankle left_foot right_hip right_knee right_ankle right_foot"
        ).split(),
        parents=(-1, 0, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18),
        limbs=_limbs((4, 5, 6, 7), (8, 9, 10, 11), (12, 13, 14, 15), (16, 17, 18, 19)),
        trunk=(4, 8, 12, 16),
        bones=SPINE,
        **_SENSOR,
    )

# --- what all skeletons share, so that one network can learn from several data sets ---------------
# The names are OpenNI's, whose 15 joints UWA3D Multiview II has. In common15 a hand is the wrist
# and a foot the ankle, which every source but OpenNI shows, the neck is where the shoulders meet,
# the torso halfway down the back: nothing is guessed. See skrehab.preprocessing.conversion.
for _name in ("common15", "uwa3d15"):
    _register(
        _name,
        (
            "head neck torso left_shoulder left_elbow left_hand right_shoulder right_elbow "
            "right_hand left_hip left_knee left_foot right_hip right_knee right_foot"
        ).split(),
        parents=(1, 2, -1, 1, 3, 4, 1, 6, 7, 2, 9, 10, 2, 12, 13),
        limbs=_limbs((3, 4, 5), (6, 7, 8), (9, 10, 11), (12, 13, 14)),
        trunk=(3, 6, 9, 12),
        bones="torso:neck neck:head neck:*_shoulder *_shoulder:*_elbow *_elbow:*_hand "
        "left_hip:right_hip torso:*_hip *_hip:*_knee *_knee:*_foot",
        **_SENSOR,
    )

# --- flat skeletons of images ------------------------------------------------------------------
_IMAGE = {
    "axes": "x to the image's right, y down",
    "directions": (1, 1),
    "units": "pixels; a third coordinate is the key-point score in [0, 1]",
}
_register(
    "coco17",
    (
        "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
        "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
        "right_ankle"
    ).split(),
    parents=(-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
    limbs=_limbs((5, 7, 9), (6, 8, 10), (11, 13, 15), (12, 14, 16)),
    trunk=(5, 6, 11, 12),
    bones=NO_SPINE,
    **_IMAGE,
)
_register(
    "openpose18",
    (
        "nose spine_shoulder right_shoulder right_elbow right_wrist left_shoulder left_elbow "
        "left_wrist right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye "
        "left_eye right_ear left_ear"
    ).split(),
    parents=(1, -1, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15),
    limbs=_limbs((5, 6, 7), (2, 3, 4), (11, 12, 13), (8, 9, 10)),
    trunk=(2, 5, 8, 11),
    bones=f"mid_hip:spine_shoulder spine_shoulder:nose spine_shoulder:*_shoulder {ARMS}"
    f"*_shoulder:*_hip left_hip:right_hip {LEGS}",
    **_IMAGE,
)
_register(  # BODY_25
    "openpose25",
    (
        "nose spine_shoulder right_shoulder right_elbow right_wrist left_shoulder left_elbow "
        "left_wrist spine_base right_hip right_knee right_ankle left_hip left_knee left_ankle "
        "right_eye left_eye right_ear left_ear left_foot_index left_small_toe left_heel "
        "right_foot_index right_small_toe right_heel"
    ).split(),
    parents=(1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 19, 14)
    + (11, 22, 11),
    limbs=_limbs((5, 6, 7), (2, 3, 4), (12, 13, 14, 19, 20, 21), (9, 10, 11, 22, 23, 24)),
    trunk=(2, 5, 9, 12),
    bones=f"spine_base:spine_shoulder spine_shoulder:nose spine_shoulder:*_shoulder {ARMS}"
    f"left_hip:right_hip spine_base:*_hip {LEGS}",
    **_IMAGE,
)
_register(  # what AcT was trained on: the head and the feet are means of several key-points
    "mpose13",
    (
        "head right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
        "right_hip right_knee right_foot left_hip left_knee left_foot"
    ).split(),
    parents=(-1, 0, 1, 2, 0, 4, 5, 1, 7, 8, 4, 10, 11),
    limbs=_limbs((4, 5, 6), (1, 2, 3), (10, 11, 12), (7, 8, 9)),
    trunk=(1, 4, 7, 10),
    bones=NO_SPINE.replace("nose", "head").replace("ankle", "foot"),  # it sees no others
    **_IMAGE,
)
_register(  # Human3.6M as MotionBERT reads it: from images
    "h36m17",
    (
        "spine_base right_hip right_knee right_ankle left_hip left_knee left_ankle spine_mid "
        "spine_shoulder nose head left_shoulder left_elbow left_wrist right_shoulder right_elbow "
        "right_wrist"
    ).split(),
    parents=(-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    limbs=_limbs((11, 12, 13), (14, 15, 16), (4, 5, 6), (1, 2, 3)),
    trunk=(11, 14, 4, 1),
    bones=SPINE,
    **_IMAGE,
)

# --- UI-PRMD, Kinect ------------------------------------------------------------------------------
_register(
    "uiprmd22",
    (
        "waist spine chest neck head head_tip left_collar left_upper_arm left_forearm left_hand "
        "right_collar right_upper_arm right_forearm right_hand left_upper_leg left_lower_leg "
        "left_foot left_toes right_upper_leg right_lower_leg right_foot right_toes"
    ).split(),
    parents=(-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20),
    limbs=_limbs((6, 7, 8, 9), (10, 11, 12, 13), (14, 15, 16, 17), (18, 19, 20, 21)),
    trunk=(7, 11, 14, 18),
    axes="x to the person's left, y up, z to the person's front",
    directions=(1, -1, -1),
    units="metres",
    bones=UIPRMD,
)

# --- REHAB24-6: the skeleton of OptiTrack Motive --------------------------------------------------
_register(
    "rehab26",
    (
        "spine_base spine_mid spine_shoulder neck head head_tip left_collar left_shoulder "
        "left_elbow left_wrist left_hand_tip right_collar right_shoulder right_elbow right_wrist "
        "right_hand_tip left_hip left_knee left_ankle left_foot left_toes right_hip right_knee "
        "right_ankle right_foot right_toes"
    ).split(),
    parents=(-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 9, 2, 11, 12, 13, 14)
    + (0, 16, 17, 18, 19, 0, 21, 22, 23, 24),
    limbs=_limbs(
        (6, 7, 8, 9, 10), (11, 12, 13, 14, 15), (16, 17, 18, 19, 20), (21, 22, 23, 24, 25)
    ),
    trunk=(7, 12, 16, 21),
    axes="of the room: y up, x and z level, right-handed",
    directions=(1, -1, -1),
    units="metres",
    bones=SPINE,
)
