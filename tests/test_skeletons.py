"""Skeletons hold together: trees, mirrored pairs, limbs."""

import pytest

from skrehab.skeletons import Skeleton, get_skeleton, list_skeletons

every_skeleton = pytest.mark.parametrize("name", list_skeletons())
COUNTS = {"mediapipe33": 33, "kinect25": 25, "ntu25": 25, "coco17": 17, "uiprmd22": 22}
COUNTS |= {"openpose18": 18, "openpose25": 25, "mpose13": 13, "h36m17": 17}
COUNTS |= {"common15": 15, "kinect20": 20, "utkinect20": 20, "uwa3d15": 15, "rehab26": 26}


def test_all_are_there():
    assert {name: get_skeleton(name).n_landmarks for name in list_skeletons()} == COUNTS


@every_skeleton
def test_parents_make_one_tree(name):
    skeleton = get_skeleton(name)
    assert len(skeleton.parents) == skeleton.n_landmarks
    assert skeleton.parents.count(-1) == 1
    for landmark in range(skeleton.n_landmarks):
        seen = set()
        while landmark >= 0:
            assert landmark not in seen, "a circle"
            seen.add(landmark)
            landmark = skeleton.parents[landmark]


@every_skeleton
def test_edges_join_all_landmarks(name):
    """A graph network needs one connected piece."""
    skeleton = get_skeleton(name)
    assert len({frozenset(edge) for edge in skeleton.edges}) == len(skeleton.edges)
    reached, before = {0}, set()
    while reached != before:
        before = set(reached)
        for a, b in skeleton.edges:
            assert a != b
            if {a, b} & reached:
                reached |= {a, b}
    assert reached == set(range(skeleton.n_landmarks))


@every_skeleton
def test_the_right_side_mirrors_the_left(name):
    skeleton = get_skeleton(name)
    left_to_right = dict(skeleton.pairs)
    for left, right in skeleton.pairs:
        assert "left" in skeleton.landmarks[left]
        assert skeleton.landmarks[left].replace("left", "right") == skeleton.landmarks[right]
    sided = [one for one in skeleton.landmarks if "left" in one or "right" in one]
    assert len(sided) == 2 * len(skeleton.pairs)

    mirror = left_to_right | {right: left for left, right in skeleton.pairs}
    mirrored_tree = {
        (mirror.get(child, child), mirror.get(parent, parent))
        for child, parent in enumerate(skeleton.parents)
    }
    assert mirrored_tree == set(enumerate(skeleton.parents))
    for part in ("arm", "leg"):
        left, right = skeleton.limbs[f"left_{part}"], skeleton.limbs[f"right_{part}"]
        assert tuple(left_to_right[one] for one in left) == right


@every_skeleton
def test_limbs_and_trunk_are_landmarks(name):
    skeleton = get_skeleton(name)
    assert set(skeleton.limbs) == {"left_arm", "right_arm", "left_leg", "right_leg"}
    limbs = [one for limb in skeleton.limbs.values() for one in limb]
    assert len(set(limbs)) == len(limbs), "a landmark in two limbs"
    for landmark in (*limbs, *skeleton.trunk):
        assert 0 <= landmark < skeleton.n_landmarks
    assert len(skeleton.trunk) == 4
    assert len(set(skeleton.landmarks)) == skeleton.n_landmarks
    assert skeleton.axes and skeleton.units


def test_mediapipe_has_the_official_connections():
    official = {
        *[(0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10), (11, 12)],
        *[(11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19), (12, 14), (14, 16)],
        *[(16, 18), (16, 20), (16, 22), (18, 20), (11, 23), (12, 24), (23, 24), (23, 25)],
        *[(24, 26), (25, 27), (26, 28), (27, 29), (28, 30), (29, 31), (30, 32), (27, 31)],
        (28, 32),
    }
    mediapipe = pytest.importorskip("mediapipe")
    connections = mediapipe.tasks.vision.PoseLandmarksConnections.POSE_LANDMARKS
    assert {(c.start, c.end) for c in connections} == official
    assert official <= set(get_skeleton("mediapipe33").edges)


def test_mediapipe_has_the_official_names():
    mediapipe = pytest.importorskip("mediapipe")
    names = [one.name.lower() for one in mediapipe.tasks.vision.PoseLandmark]
    assert list(get_skeleton("mediapipe33").landmarks) == names


def test_uiprmd_is_as_published():
    """The parents given with the data set (DATA.md), in the order of its columns."""
    skeleton = get_skeleton("uiprmd22")
    expected = (-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20)
    assert skeleton.parents == expected
    assert skeleton.index("waist") == 0 and skeleton.index("right_toes") == 21


def test_ntu_and_kinect_are_the_same_body():
    ntu, kinect = get_skeleton("ntu25"), get_skeleton("kinect25")
    assert ntu.landmarks == kinect.landmarks and ntu.edges == kinect.edges
    # NTU's published links, 1-based
    published = {
        *[(1, 2), (2, 21), (3, 21), (4, 3), (5, 21), (6, 5), (7, 6), (8, 7), (9, 21), (10, 9)],
        *[(11, 10), (12, 11), (13, 1), (14, 13), (15, 14), (16, 15), (17, 1), (18, 17)],
        *[(19, 18), (20, 19), (22, 23), (23, 8), (24, 25), (25, 12)],
    }
    edges = {frozenset((a + 1, b + 1)) for a, b in ntu.edges}
    assert edges == {frozenset(edge) for edge in published}


def test_looking_up():
    skeleton = get_skeleton("coco17")
    assert isinstance(skeleton, Skeleton) and get_skeleton(skeleton) is skeleton
    assert skeleton.landmarks[skeleton.index("left_wrist")] == "left_wrist"
    with pytest.raises(ValueError, match="coco17 has no landmark 'tail'"):
        skeleton.index("tail")
    with pytest.raises(ValueError, match=r"Unknown skeleton 'coco18': known are \['coco17'"):
        get_skeleton("coco18")
    assert hash(skeleton) == hash(get_skeleton("coco17"))


def test_every_landmark_belongs_to_a_part_of_the_body():
    from skrehab.skeletons import body_parts
    from skrehab.skeletons.parts import PARTS

    for name in list_skeletons():
        skeleton = get_skeleton(name)
        parts = body_parts(name)
        assert len(parts) == skeleton.n_landmarks and set(parts) <= set(PARTS)
        for landmark, part in zip(skeleton.landmarks, parts):
            if "knee" in landmark or "elbow" in landmark:
                side = "left" if "left" in landmark else "right"
                assert part == f"{side} {'leg' if 'knee' in landmark else 'arm'}", (name, landmark)
    parts = body_parts("mediapipe33")
    assert [parts[i] for i in (0, 11, 13, 15, 26)] == [
        "head", parts[11], "left arm", "left arm", "right leg",
    ]  # fmt: skip
