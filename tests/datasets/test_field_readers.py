"""Readers of the field's own data sets, on files in their layouts that the test writes."""

import json

import numpy as np
import pytest

from skrehab import KinematicMeasures
from skrehab.datasets import load_irds, load_keraal, load_nw_ucla, load_sere, load_trsp
from skrehab.datasets.irds import SDK_NAMES
from skrehab.skeletons import get_skeleton

KINECT = get_skeleton("kinect25")
SERE_LABELS = ["comp", "comp_sh", "comp_sh_ele", "comp_sh_abd", "comp_tr", "comp_hd"]


def body(n_frames, n_joints=25, seed=0):
    """Joints of somebody upright, more or less: the head is above the rest."""
    pose = np.random.RandomState(seed).uniform(0.1, 0.3, (n_frames, n_joints, 3)).round(4)
    pose[:, 3, 1] += 1
    return pose


def csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(",".join(map(str, row)) for row in rows) + "\n")


# --- SERE -----------------------------------------------------------------------------------------
@pytest.fixture
def sere(tmp_path):
    """Two exercises, two people; the second exercise with sides and a table of frame labels."""
    titles = [f"{axis}{i}" for i in range(33) for axis in "xyz"]
    poses = np.random.RandomState(0).randn(12, 99).round(3)
    rows = [[pid, i, *poses[i]] for pid in ("p1", "p2") for i in range(12)]
    csv(tmp_path / "E1_mp_world_landmarks.csv", [["pid", "frame", *titles], *rows])
    labels = [["p1", 2, 8, 1, 1, 0, 0, 0, 1], ["p2", 0, 12, 0, 0, 0, 0, 0, ""]]
    csv(tmp_path / "E1_labels.csv", [["pid", "frame_init", "frame_end", *SERE_LABELS], *labels])
    rows = [["p1", side, i, *poses[i]] for side in "LR" for i in (2, 1, 0)]
    csv(tmp_path / "E2_mp_world_landmarks.csv", [["pid", "affected", "frame", *titles], *rows])
    csv(
        tmp_path / "E2_labels.csv",
        [["pid", "affected", *SERE_LABELS], ["p1", "L", *[0] * 6], ["p1", "R", *[1] * 6]],
    )
    truth = [["p1", "R", i, i % 2, 0, 0, 0, 0, 0] for i in range(2)]
    csv(tmp_path / "E2_frame_labels.csv", [["pid", "affected", "frame", *SERE_LABELS], *truth])
    return tmp_path, poses.reshape(12, 33, 3)


def test_sere(sere):
    root, poses = sere
    data = load_sere(root)
    assert [len(trial) for trial in data.X] == [6, 12, 3, 3]
    np.testing.assert_allclose(data.X[0], poses[2:8], rtol=1e-6)
    np.testing.assert_allclose(data.X[2], poses[:3], rtol=1e-6)  # sorted by frame
    assert data.y[:2].tolist() == [[1, 1, 0, 0, 0, 1], [0, 0, 0, 0, 0, -1]]
    assert data.label_names[0] == "compensation" and len(data.label_names) == 6
    assert data.groups.tolist() == ["p1", "p2", "p1", "p1"]
    assert data.exercise.tolist() == [1, 1, 2, 2] and data.side.tolist() == [
        "",
        "",
        "left",
        "right",
    ]
    assert data.start.tolist() == [2, 0, 0, 0] and data.skeleton == "mediapipe33"
    assert [labels.shape for labels in data.frame_labels] == [(6, 6), (12, 6), (3, 6), (3, 6)]
    assert (data.frame_labels[0] == -1).all() and (data.frame_labels[2] == -1).all()
    assert data.frame_labels[3][:, 0].tolist() == [0, 1, -1]
    assert load_sere(root, exercises=[2]).exercise.tolist() == [2, 2]


def test_sere_frame_labels_beside_the_landmarks(tmp_path):
    titles = [f"c{i}" for i in range(132)]
    rows = [["p1", i, *[0.5] * 132, i, 0, 0, 0, 0, 1] for i in range(2)]
    csv(
        tmp_path / "E3_mp_world_landmarks.csv",
        [["pid", "frame", *titles, *SERE_LABELS], *rows],
    )
    csv(tmp_path / "E3_labels.csv", [["pid", *SERE_LABELS], ["p1", *[1] * 6]])
    data = load_sere(tmp_path)
    assert data.X[0].shape == (2, 33, 4)
    assert data.frame_labels[0].tolist() == [[0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["p9", 0, 5, *[0] * 6], "has no frame of pid p9"),
        (["p1", 20, 30, *[0] * 6], "has no frame from 20 to 29"),
        (["p1", "x", 5, *[0] * 6], "frame_init is 'x'"),
        (["p1", 0, 5, 7, *[0] * 5], "a label is '7', expected 0 or 1"),
    ],
)
def test_sere_rows_that_do_not_fit(sere, row, reason):
    root, _ = sere
    with open(root / "E1_labels.csv", "a") as file:
        file.write(",".join(map(str, row)) + "\n")
    with pytest.warns(UserWarning, match="1 of 5 trials are left out"):
        data = load_sere(root)
    assert len(data.X) == 4 and reason in data.skipped[0][1]
    assert data.skipped[0][0] == "E1_labels.csv, row 4"
    with pytest.raises(ValueError, match="1 of 5 trials do not fit"):
        load_sere(root, strict=True)


# --- TRSP -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("order", [[0, 1, 2], [0, 2, 1]], ids=["y up", "z and y swapped"])
def test_trsp(tmp_path, order):
    pose = body(4)
    pose[1, 7] = 0
    for person, task in (("P01", "Rch_Fwr_L"), ("H02", "Rch_Fwr_R")):
        csv(tmp_path / person / task / "Joint_Positions.csv", pose[..., order].reshape(-1, 3))
        csv(tmp_path / person / task / "Labels.csv", [[1], [2], [4], ["nan"]])
    data = load_trsp(tmp_path)
    expected = pose.copy()
    expected[1, 7] = np.nan
    np.testing.assert_allclose(data.X[0], expected, rtol=1e-6)
    assert data.groups.tolist() == ["H02", "P01"] and data.patient.tolist() == [False, True]
    assert data.side.tolist() == ["right", "left"]
    assert data.frame_labels[0].tolist() == [[0, 0, 0], [1, 0, 0], [0, 0, 1], [-1, -1, -1]]
    assert data.y[0].tolist() == [1, 0, 1]
    assert data.label_names == ["lean_forward", "shoulder_elevation", "trunk_rotation"]
    measures = KinematicMeasures(data.skeleton, frame_rate=data.frame_rate)
    assert measures.fit_transform(data.X)[0].shape == (4, 27, 1)


@pytest.mark.parametrize(
    ("joints", "labels", "reason"),
    [
        (np.ones((26, 3)), [[1]], "26 rows, expected 25 a frame"),
        (np.ones((50, 3)), [[1]], "2 frames, but Labels.csv has 1"),
        (np.ones((25, 3)), [[5]], "Labels.csv holds 5, expected 1 to 4"),
        (np.ones((25, 2)), [[1]], "row 1: 2 values, expected 3"),
        (np.zeros((25, 3)), [[1]], "no joint is seen"),
    ],
)
def test_trsp_tasks_that_do_not_fit(tmp_path, joints, labels, reason):
    csv(tmp_path / "H01" / "task" / "Joint_Positions.csv", joints)
    csv(tmp_path / "H01" / "task" / "Labels.csv", labels)
    with pytest.raises(ValueError, match=reason):
        load_trsp(tmp_path)


# --- IRDS -----------------------------------------------------------------------------------------
def irds_line(pose, ms, states="Tracked"):
    joints = ",".join(
        f"({name},{states},{x},{y},{z},10,20)" for name, (x, y, z) in zip(SDK_NAMES, pose)
    )
    return f"7,3,{ms},{joints}\n"


def test_irds(tmp_path):
    assert SDK_NAMES[:5] == ("SpineBase", "SpineMid", "Neck", "Head", "ShoulderLeft")
    assert SDK_NAMES[20:] == (
        *("SpineShoulder", "HandTipLeft", "ThumbLeft", "HandTipRight", "ThumbRight"),
    )
    pose = body(3)
    lines = [irds_line(pose[i], 100 + 40 * i) for i in range(3)]
    lines[1] = (
        lines[1]
        .replace("(Head,Tracked", "(Head,NotTracked")
        .replace("(Neck,Tracked", "(Neck,Inferred")
    )
    (tmp_path / "a").mkdir()
    for name in ("303_18_4_10_1_stand", "303_18_6_1_2_chair", "101_2_8_3_3_stand"):
        (tmp_path / "a" / f"{name}.txt").write_text("Version0.1\n" + "".join(lines))
    data = load_irds(tmp_path)
    assert data.exercise.tolist() == [
        "side_tap_right",
        "shoulder_abduction_left",
        "shoulder_forward_elevation",
    ]
    assert data.side.tolist() == ["right", "left", "both"]
    assert data.y.tolist() == [-1, 0, 1] and data.label.tolist() == [3, 1, 2]
    assert data.groups.tolist() == ["101", "303", "303"] and data.episode.tolist() == [3, 10, 1]
    np.testing.assert_allclose(data.timestamps[0], [0, 0.04, 0.08])
    np.testing.assert_allclose(data.frame_rate, 25)
    expected = pose.copy()
    expected[1, 3] = np.nan
    np.testing.assert_allclose(data.X[0], expected, rtol=1e-6)
    assert data.tracking[0][1, 2:4].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("303_18_9_10_1_stand", irds_line(body(1)[0], 0), "its name must be"),
        ("notes", "", "its name must be"),
        ("303_18_4_10_1_stand", "Version0.1\n", "holds no frame"),
        ("303_18_4_10_1_stand", irds_line(body(1)[0][:9], 0), r"no joint .*9 of 25"),
        ("303_18_4_10_1_stand", irds_line(body(1)[0], 0, "Perhaps"), "'Perhaps' is unknown"),
        ("303_18_4_10_1_stand", "1," + irds_line(body(1)[0], 0), "4 numbers before the joints"),
        (
            "303_18_4_10_1_stand",
            irds_line(body(1)[0], 9) + irds_line(body(1)[0], 1),
            "time runs backwards",
        ),
    ],
)
def test_irds_files_that_do_not_fit(tmp_path, name, text, reason):
    (tmp_path / f"{name}.txt").write_text(text)
    with pytest.raises(ValueError, match=reason):
        load_irds(tmp_path)


# --- NW-UCLA --------------------------------------------------------------------------------------
def test_nw_ucla(tmp_path):
    pose = body(5, 20)
    pose[2, 4] = 0
    for name in ("a12_s10_e01_v02", "a01_s01_e00_v01"):
        content = {"file_name": name, "skeletons": pose.tolist(), "label": 1}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    data = load_nw_ucla(tmp_path)
    assert data.action.tolist() == ["pick_up_with_one_hand", "carry"]
    assert (data.subject.tolist(), data.view.tolist()) == ([1, 10], [1, 2])
    assert np.isnan(data.X[0][2, 4]).all() and np.isnan(data.X[0]).sum() == 3
    assert KinematicMeasures(data.skeleton).fit(data.X).get_feature_names_out().size == 27


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a07_s01_e00_v01", "{}", "one of the actions"),
        ("a01_s01_e00_v01", "[]", "an object with 'skeletons'"),
        ("a01_s01_e00_v01", '{"skeletons": [[[1, 2, 3]]]}', "shape .1, 1, 3."),
        ("a01_s01_e00_v01", '{"skeletons": [["x"]]}', "must be numbers"),
        ("a01_s01_e00_v01", "{", "not JSON"),
    ],
)
def test_nw_ucla_files_that_do_not_fit(tmp_path, name, text, reason):
    (tmp_path / f"{name}.json").write_text(text)
    with pytest.raises(ValueError, match=reason):
        load_nw_ucla(tmp_path)


# --- Keraal ---------------------------------------------------------------------------------------
ANVIL = """<?xml version="1.0" encoding="UTF-8"?>
<annotation><head><specification src="../keraalSpec.xml" /></head><body>
<track name="Global evaluation" type="primary"><el index="0" start="0" end="3">
<attribute name="evaluation">Incorrect</attribute></el></track>
<track name="Global error" type="primary"><el index="0" start="0" end="3">
<attribute name="type">Error3</attribute><attribute name="bodyPart">Spine</attribute></el></track>
<track name="Temporal error" type="primary"><el index="0" start="0.1" end="0.2">
<attribute name="type">Error1</attribute><attribute name="Evaluation">SmallError</attribute>
<attribute name="bodyPart">LeftArm</attribute></el></track>
</body></annotation>
"""


@pytest.fixture
def keraal(tmp_path):
    pose = body(10)
    rows = np.concatenate([pose, np.zeros((10, 25, 4))], axis=2).reshape(10, 175)
    kinect = "\n".join(" ".join(map(str, row)) for row in rows)
    for folder, name in (
        ("group1A", "G1A-Kinect-CTK-P3-23"),
        ("group1B", "G1B-Kinect-RTK-P4-24"),
        ("group3", "G3-Kinect-ELK-P1T1-Unknown-C-0"),
        ("group3", "G3-Kinect-ELK-P1T2-Unknown-E2-1"),
    ):
        (tmp_path / folder / "kinect").mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "kinect" / f"{name}.txt").write_text(kinect)
    (tmp_path / "group1A" / "annotatorA").mkdir()
    (tmp_path / "group1A" / "annotatorA" / "G1A-Video-CTK-P3-23.anvil").write_text(ANVIL)
    return tmp_path, pose


def test_keraal(keraal):
    root, pose = keraal
    data = load_keraal(root, frame_rate=30)
    np.testing.assert_allclose(data.X[0], pose, rtol=1e-6)
    assert data.label_names == ["Error1", "Error2", "Error3", "Other"]
    assert data.y.tolist() == [[1, 0, 1, 0], [-1] * 4, [0] * 4, [0, 1, 0, 0]]
    assert data.evaluation.tolist() == ["Incorrect", "", "Correct", "Incorrect"]
    assert data.groups.tolist() == ["1A-P3", "1B-P4", "3-P1", "3-P1"]
    assert data.exercise.tolist() == ["CTK", "RTK", "ELK", "ELK"]
    # from 0.1 to 0.2 s at 30 a second: frames 3, 4, 5, whose middles are at 0.117, 0.15, 0.183 s
    assert data.frame_labels[0][:, 0].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]
    assert (data.frame_labels[0][:, 2] == -1).all() and (data.frame_labels[0][:, 1] == 0).all()
    assert (data.frame_labels[1] == -1).all() and (data.frame_labels[2] == 0).all()
    error = {"start": 0.1, "stop": 0.2, "type": "Error1", "body_part": "LeftArm"}
    assert data.errors[0] == [error | {"severity": "SmallError"}]
    assert data.side[0] == "left"


@pytest.mark.parametrize(
    ("pose", "joints", "skeleton"),
    [
        ("openpose", {"Neck": [0.4, 0.5], "rWrist": [0.1, 0.2], "lEar": [0.3, 0.1]}, "openpose18"),
        ("alphapose", {"Nose": [0.4, 0.5], "RWrist": [0.1, 0.2], "Rknee": [0.3, 1]}, "coco17"),
        ("blazepose", {"Nose": [0.4, 0.5, 0], "Right_wrist": [0.1, 0.2, -1]}, "mediapipe33"),
    ],
)
def test_keraal_poses_of_videos(tmp_path, pose, joints, skeleton):
    folder = tmp_path / "group2B" / pose
    folder.mkdir(parents=True)
    content = {"positions": {"10.0": joints, "2.0": {}, "9.0": joints}}
    (folder / "G2B-OP-CTK-P1-2.json").write_text(json.dumps(content))
    data = load_keraal(tmp_path, pose=pose)
    whole = get_skeleton(skeleton)
    assert data.skeleton == skeleton and data.X[0].shape[:2] == (3, whole.n_landmarks)
    assert np.isnan(data.X[0][0]).all()
    np.testing.assert_allclose(data.X[0][1, whole.index("right_wrist"), :2], [0.1, 0.2])
    assert (~np.isnan(data.X[0][2])).any(axis=1).sum() == len(joints)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("Error1", "Error9"), "the error 'Error9' is unknown"),
        (('start="0.1"', 'start="0.7"'), "an error lasts from 0.7 to 0.2"),
        (('start="0.1"', 'start="soon"'), "an error's times"),
        (("<annotation>", "<!DOCTYPE annotation><annotation>"), "document type"),
        (("</body>", ""), "not XML"),
    ],
)
def test_keraal_annotations_that_do_not_fit(keraal, change, reason):
    root, _ = keraal
    (root / "group1A" / "annotatorA" / "G1A-Video-CTK-P3-23.anvil").write_text(
        ANVIL.replace(*change)
    )
    with pytest.warns(UserWarning, match="1 of 4 trials are left out"):
        data = load_keraal(root)
    assert reason in data.skipped[0][1] and len(data.X) == 3


def test_keraal_asks_for_poses_it_knows(keraal):
    with pytest.raises(ValueError, match="pose must be among"):
        load_keraal(keraal[0], pose="vicon")
    with pytest.raises(ValueError, match="no trial could be read"):
        load_keraal(keraal[0], pose="openpose")


@pytest.mark.parametrize("load", [load_sere, load_trsp, load_irds, load_nw_ucla, load_keraal])
def test_folders_that_are_none(tmp_path, load):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load(tmp_path / "absent")
    with pytest.raises(ValueError, match="no trial could be read"):
        load(tmp_path)
