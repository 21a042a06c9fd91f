"""Pose files: what is written comes back bit for bit, and what others write is read."""

import json
import os

import numpy as np
import pytest

from skrehab.formats import (
    PoseFile,
    read_long_table,
    read_pose,
    write_long_table,
    write_pose,
)
from skrehab.skeletons import get_skeleton

COCO = get_skeleton("coco17").landmarks


@pytest.fixture
def flat():
    """A pose in a picture, with a lost point and an empty frame; irregular times."""
    rng = np.random.RandomState(0)
    pose = (100 + 50 * rng.randn(6, 17, 3)).astype(np.float32)
    pose[..., 2] = rng.uniform(0.1, 1, (6, 17))
    pose[1, 4] = pose[3] = [np.nan, np.nan, 0]
    return PoseFile(pose, np.cumsum(rng.uniform(0.02, 0.05, 6)), COCO, ("x", "y", "score"))


@pytest.fixture
def solid():
    """A pose in space, in metres, with a lost landmark."""
    rng = np.random.RandomState(1)
    pose = rng.randn(5, 33, 4).astype(np.float32)
    pose[..., 3] = rng.uniform(size=(5, 33))
    pose[2, 7, :3] = np.nan
    names = get_skeleton("mediapipe33").landmarks
    return PoseFile(pose, np.arange(5) / 29.97, names, ("x", "y", "z", "score"))


def same(a, b):
    np.testing.assert_array_equal(a.pose, b.pose)
    assert a.pose.dtype == b.pose.dtype == np.float32
    assert a.landmarks == b.landmarks and a.coords == b.coords
    np.testing.assert_array_equal(a.timestamps, b.timestamps)


# --- round trips ----------------------------------------------------------------------------------
TABLES = {"a.csv": None, "b.tsv": None, "c.parquet": None, "d.npz": None, "e.csv": "wide"}


@pytest.mark.parametrize("name", [*TABLES, "f.json"])
def test_flat_poses_come_back(flat, tmp_path, name):
    file = write_pose(tmp_path / name, flat, format=TABLES.get(name))
    assert file == tmp_path / name
    same(read_pose(file), flat)


@pytest.mark.parametrize("name", TABLES)
def test_poses_in_space_come_back(solid, tmp_path, name):
    same(read_pose(write_pose(tmp_path / name, solid, format=TABLES[name])), solid)


def test_trc(solid, tmp_path):
    file = write_pose(tmp_path / "a.trc", solid)
    again = read_pose(file)
    same(again, solid._replace(pose=solid.pose[..., :3], coords=("x", "y", "z")))
    lines = file.read_text().splitlines()
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\ta.trc"
    assert lines[2].split("\t") == ["29.97", "29.97", "5", "33", "m", "29.97", "1", "5"]
    assert lines[3].startswith("Frame#\tTime\tnose\t\t\tleft_eye_inner\t\t\t")
    assert lines[4].startswith("\t\tX1\tY1\tZ1\tX2") and lines[5] == ""
    assert {len(line.split("\t")) for line in lines[6:]} == {2 + 3 * 33}


def test_openpose(flat, tmp_path):
    folder = write_pose(tmp_path / "clip", flat)
    files = sorted(folder.iterdir())
    assert files[2].name == "clip_000000000002_keypoints.json" and len(files) == 6
    content = json.loads(files[1].read_text())
    assert content["people"][0]["pose_keypoints_2d"][12:15] == [0, 0, 0]
    assert json.loads(files[3].read_text())["people"] == []
    again = read_pose(folder)
    same(again, flat._replace(timestamps=None))
    np.testing.assert_allclose(read_pose(folder, frame_rate=30).timestamps, np.arange(6) / 30)
    np.testing.assert_array_equal(read_pose(files[0]).pose, flat.pose[:1])


def test_npy_keeps_the_array_only(solid, tmp_path):
    again = read_pose(write_pose(tmp_path / "a.npy", solid), landmarks="mediapipe33", frame_rate=10)
    np.testing.assert_array_equal(again.pose, solid.pose)
    assert again.landmarks == solid.landmarks and again.timestamps.tolist() == [
        0,
        0.1,
        0.2,
        0.3,
        0.4,
    ]


def test_several_trials_in_one_table(flat, tmp_path):
    other = flat._replace(pose=flat.pose[:2] + 1, timestamps=flat.timestamps[:2])
    for name in ("all.csv", "all.parquet"):
        file = write_long_table(tmp_path / name, {"left, 1": flat, "right": other})
        trials = read_long_table(file)
        assert list(trials) == ["left, 1", "right"]
        same(trials["left, 1"], flat)
        same(trials["right"], other)
        same(read_pose(file, trial="right"), other)
        with pytest.raises(ValueError, match=r"2 trials, so pass trial=, one of left, 1, right"):
            read_pose(file)
        with pytest.raises(ValueError, match="no trial 'x'; there are left, 1, right"):
            read_pose(file, trial="x")


def test_ends_of_float32_survive_text(tmp_path):
    values = np.array([0.1, 1e-38, 3.4e38, -0.0, 1 / 3, 16777216], dtype=np.float32)
    for name in ("a.csv", "a.trc"):
        pose = values.reshape(2, 1, 3)
        again = read_pose(write_pose(tmp_path / name, pose, landmarks=["a"], frame_rate=7))
        assert again.pose.tobytes() == pose.tobytes() and again.timestamps.tolist() == [0, 1 / 7]


def test_a_real_trial_through_every_format(shared, tmp_path):
    data = np.load(shared / "data" / "uiprmd_kinect.npz")
    trial = data["frames"][data["offsets"][3] : data["offsets"][4]].astype(np.float32)
    for name in ("a.trc", "a.csv", "a.parquet", "a.npz"):
        file = write_pose(tmp_path / name, trial, landmarks="uiprmd22", frame_rate=30)
        again = read_pose(file)
        np.testing.assert_array_equal(again.pose, trial)
        assert again.landmarks == get_skeleton("uiprmd22").landmarks


# --- what others write ----------------------------------------------------------------------------
def test_trc_of_opensim_in_millimetres(tmp_path):
    text = (
        "PathFileType\t4\t(X/Y/Z)\tC:\\walk.trc\r\n"
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\r\n"
        "60.00\t60.00\t2\t2\tmm\t60.00\r\n"
        "Frame#\tTime\tR.Shoulder\t\t\tTop.Head\t\t\t\r\n"
        "\t\tX1\tY1\tZ1\tX2\tY2\tZ2\t\r\n"
        "\r\n"
        "1\t0.000\t1000.0\t-500\t1e2\t\t\t\t\r\n"
        "2\t0.017\t 1001.0\t-501\tnan\t1\t2\t3\t\r\n"
    )
    (tmp_path / "a.trc").write_bytes(text.encode())
    pose = read_pose(tmp_path / "a.trc")
    assert pose.landmarks == ("R.Shoulder", "Top.Head")
    np.testing.assert_allclose(pose.pose[0, 0], [1, -0.5, 0.1], rtol=1e-6)
    assert np.isnan(pose.pose[0, 1]).all() and np.isnan(pose.pose[1, 0, 2])
    assert pose.timestamps.tolist() == [0, 0.017]


def person(x, y, size=10.0, n=25, score=0.9):
    """Points of somebody on a diagonal."""
    steps = np.linspace(0, size, n)
    return np.column_stack([x + steps, y + steps, np.full(n, score)])


def put_frame(folder, number, *people):
    folder.mkdir(exist_ok=True)
    content = {"people": [{"pose_keypoints_2d": p.ravel().tolist()} for p in people]}
    (folder / f"v_{number:012d}_keypoints.json").write_text(json.dumps(content))


def test_openpose_keeps_to_one_person(tmp_path):
    """The list changes its order, the other comes nearer to the camera; then the patient leaves."""
    patient, therapist = person(100, 100, 30), person(300, 100, 20)
    folder = tmp_path / "clip"
    put_frame(folder, 0, therapist, patient)
    put_frame(folder, 1, patient + [1, 0, 0])
    put_frame(folder, 2)
    put_frame(folder, 3, patient + [2, 0, 0], therapist)
    put_frame(folder, 4, person(300, 100, 26), patient + [3, 0, 0])
    put_frame(folder, 5, person(300, 100, 32), patient + [3, 0, 0])
    put_frame(folder, 6, person(300, 100, 39))
    pose = read_pose(folder)
    assert pose.pose.shape == (7, 25, 3) and pose.landmarks == get_skeleton("openpose25").landmarks
    assert np.isnan(pose.pose[[2, 6]][..., :2]).all() and (pose.pose[[2, 6], :, 2] == 0).all()
    assert pose.pose[[0, 1, 3, 4, 5], 0, 0].tolist() == [100, 101, 102, 103, 103]
    np.testing.assert_array_equal(read_pose(folder, person="follow").pose, pose.pose)
    assert read_pose(folder, person="largest").pose[[5, 6], 0, 0].tolist() == [300, 300]
    assert read_pose(folder, person=1).pose[[0, 3], 0, 0].tolist() == [100, 300]
    for bad in ("patient", -1, True):
        with pytest.raises(ValueError, match="person must be one of"):
            read_pose(folder, person=bad)


def test_steady_is_whom_pose_extractor_calls_so(tmp_path):
    """Who is largest over the whole file: steady looks ahead, follow does not."""
    frames = [[person(100, 100)] * (i < 3) + [person(900, 100)] for i in range(6)]
    for i, people in enumerate(frames):
        put_frame(tmp_path / "clip", i, *people)
    assert read_pose(tmp_path / "clip").pose[:, 0, 0].tolist() == [900] * 6
    follow = read_pose(tmp_path / "clip", person="follow").pose[:, 0, 0]
    np.testing.assert_array_equal(follow, [100, 100, 100, np.nan, np.nan, np.nan])


def test_openpose_frames_that_are_missing(tmp_path):
    for number in (3, 4, 7):
        put_frame(tmp_path / "clip", number, person(number, 0))
    with pytest.raises(ValueError, match=r"clip: frame 7 follows frame 4: pass frame_rate="):
        read_pose(tmp_path / "clip")
    times = read_pose(tmp_path / "clip", frame_rate=10).timestamps
    np.testing.assert_allclose(times, [0, 0.1, 0.4])


def test_openpose_lost_points(tmp_path):
    points = person(1, 1)
    points[4] = [0, 0, 0]
    put_frame(tmp_path / "clip", 0, points)
    pose = read_pose(tmp_path / "clip").pose[0]
    assert np.isnan(pose[4, :2]).all() and pose[4, 2] == 0 and not np.isnan(pose[5]).any()


def test_coco_flags_are_not_scores(tmp_path):
    keypoints = [[10, 20, 2], [30, 40, 1], [0, 0, 0]]
    content = {
        "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 3, "file_name": "b.jpg"}],
        "annotations": [
            {"id": 1, "image_id": 3, "category_id": 1, "keypoints": np.ravel(keypoints).tolist()},
            {"id": 2, "image_id": 3, "category_id": 1, "bbox": [0, 0, 1, 1]},
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": ["a", "b", "c"], "skeleton": []}],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    pose = read_pose(tmp_path / "a.json", frame_rate=2)
    assert pose.landmarks == ("a", "b", "c") and pose.timestamps.tolist() == [0, 0.5]
    assert np.isnan(pose.pose[0, :, :2]).all()  # the frames' order is that of the images
    np.testing.assert_array_equal(pose.pose[1, :2], [[10, 20, 1], [30, 40, 0.5]])
    content["annotations"][0]["keypoints"][2] = 0.75  # then it is a score
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_pose(tmp_path / "a.json").pose[1, :2, 2].tolist() == [0.75, 1]


def test_results_of_alphapose(tmp_path):
    def entry(name, x):
        return {"image_id": name, "keypoints": person(x, 0, n=17).ravel().tolist(), "score": 2.9}

    rows = [entry("10.jpg", 5), entry("9.jpg", 4), entry("11.jpg", 90), entry("11.jpg", 6)]
    (tmp_path / "alphapose-results.json").write_text(json.dumps(rows))
    pose = read_pose(tmp_path / "alphapose-results.json")
    assert pose.pose[:, 0, 0].tolist() == [4, 5, 6] and pose.landmarks == COCO


def test_a_list_of_frames(tmp_path):
    frames = [{"keypoints": person(3, 0, n=4)[:, :2].tolist()}, {"keypoints": None}]
    (tmp_path / "a.json").write_text(json.dumps(frames))
    pose = read_pose(tmp_path / "a.json", landmarks=list("abcd"))
    assert pose.pose.shape == (2, 4, 3) and pose.landmarks == tuple("abcd")
    assert np.isnan(pose.pose[1, :, 0]).all() and pose.pose[0, :, 2].tolist() == [1, 1, 1, 1]


def test_long_table_of_a_spreadsheet(tmp_path):
    """Decimal commas, rows in any order, lost landmarks left out, another name for the score."""
    text = "Frame;Landmark;X;Y;Likelihood;note\n2;hip;1,5;2;0,5;\n1;hip;1;2;1;late\n\n1;knee;;;0;\n"
    (tmp_path / "a.csv").write_text(text)
    pose = read_pose(tmp_path / "a.csv")
    assert pose.landmarks == ("hip", "knee") and pose.coords == ("x", "y", "score")
    np.testing.assert_array_equal(pose.pose[:, 0], [[1, 2, 1], [1.5, 2, 0.5]])
    np.testing.assert_array_equal(pose.pose[:, 1], [[np.nan, np.nan, 0]] * 2)


def test_parquet_of_pandas(tmp_path):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "trial": pandas.Categorical(["a", "a", "b"]),
            "frame": [0, 1, 0],
            "landmark": ["hip"] * 3,
            "x": [1.0, None, 3.0],
            "y": [1, 2, 3],
        }
    )
    table.to_parquet(tmp_path / "a.parquet")
    trials = read_long_table(tmp_path / "a.parquet", frame_rate=2)
    np.testing.assert_array_equal(trials["a"].pose[:, 0], [[1, 1], [np.nan, np.nan]])
    assert trials["a"].timestamps.tolist() == [0, 0.5] and list(trials) == ["a", "b"]


def test_pandas_reads_our_tables(flat, tmp_path):
    pandas = pytest.importorskip("pandas")
    tables = [
        pandas.read_csv(write_pose(tmp_path / "a.csv", flat)),
        pandas.read_parquet(write_pose(tmp_path / "a.parquet", flat)),
    ]
    for table in tables:
        assert list(table) == ["trial", "frame", "time", "landmark", "x", "y", "score"]
        x = table.pivot(index="frame", columns="landmark", values="x")[list(COCO)]
        np.testing.assert_array_equal(x.to_numpy(np.float32), flat.pose[..., 0])


# --- what does not fit ----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.trc", {}, "names its landmarks: pass landmarks="),
        ("a.csv", {}, "names its landmarks: pass landmarks="),
        ("a.trc", {"landmarks": list("ab")}, "2 names for 3 landmarks"),
        ("a.trc", {"landmarks": ["a", "b", "a"]}, "two landmarks have the same name"),
        ("a.trc", {"landmarks": list("abc")}, "pass timestamps= or frame_rate="),
        ("a.trc", {"landmarks": ["a", "b\tc", "d"], "frame_rate": 1}, "cannot name a landmark"),
        ("a.trc", {"landmarks": list("abc"), "frame_rate": 0}, "frame_rate must be positive"),
        ("a.trc", {"landmarks": list("abc"), "timestamps": [1, 1]}, "2 rising numbers"),
        ("a.csv", {"landmarks": list("abc"), "coords": ("x", "y")}, "must name 3 coordinates"),
        ("a.json", {}, "holds x and y in pixels"),
        ("clip", {}, "holds x and y in pixels"),
        ("a.mp4", {}, r"known are .npy .npz .trc"),
    ],
)
def test_what_a_format_cannot_hold(tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message) as info:
        write_pose(tmp_path / name, np.zeros((2, 3, 3)), **options)
    assert str(tmp_path / name) in str(info.value) and not (tmp_path / name).exists()


def test_flat_poses_are_no_trc(flat, tmp_path):
    with pytest.raises(ValueError, match="holds x, y, z; this pose has x, y, score"):
        write_pose(tmp_path / "a.trc", flat)


def test_nothing_is_overwritten_by_accident(flat, tmp_path):
    for name in ("a.csv", "clip"):
        write_pose(tmp_path / name, flat)
        with pytest.raises(FileExistsError, match="exists already"):
            write_pose(tmp_path / name, flat)
    write_pose(tmp_path / "a.csv", flat._replace(pose=flat.pose + 1), overwrite=True)
    np.testing.assert_array_equal(read_pose(tmp_path / "a.csv").pose, flat.pose + 1)
    with pytest.raises(FileExistsError, match="exists already"):
        write_pose(tmp_path / "clip", flat, overwrite=True)
    with pytest.raises(FileExistsError, match="exists already"):
        write_long_table(tmp_path / "a.csv", {"a": flat})


HEADER = "frame,landmark,x,y\n"
BAD = {
    "empty.csv": ("", "it is empty"),
    "no-rows.csv": (HEADER, "no row under its header"),
    "no-x.csv": ("frame,landmark,y\n1,a,2\n", "no column x"),
    "word.csv": (HEADER + "1,a,b,2\n", "row 2, column x: 'b' is not a number"),
    "frame.csv": (HEADER + "1.5,a,1,2\n", "column frame must hold whole numbers"),
    "twice.csv": (HEADER + "1,a,1,2\n1,a,3,4\n", "two rows hold landmark 'a' of frame 1"),
    "gap.csv": (HEADER + "1,a,1,2\n3,a,3,4\n", "frame 3 follows frame 1: pass frame_rate="),
    "times.csv": ("time," + HEADER + "0,1,a,1,2\n1,1,b,3,4\n", "frame 1 has several times"),
    "columns.csv": ("x," + HEADER + "0,1,a,1,2\n", "two columns x"),
    "back.csv": ("time," + HEADER + "1,1,a,1,2\n0,2,a,3,4\n", "2 rising numbers"),
    "cut.json": ('{"people": [', "it is not JSON"),
    "deep.json": ("[" * 100_000, "it is not JSON"),
    "number.json": ("5", "must be a list"),
    "object.json": ("{}", "has lists 'images' and 'annotations'"),
    "images.json": ('{"images": [{}], "annotations": []}', r"images\[0\] has no 'id'"),
    "orphan.json": (
        '{"images": [{"id": 1}], "annotations": [{"image_id": 2}]}',
        r"annotations\[0\] belongs to no image",
    ),
    "nobody.json": ('{"images": [{"id": 1}], "annotations": []}', "nobody has key-points"),
    "text.json": ('[{"image_id": 1, "keypoints": "abc"}]', "entry 0: 'keypoints' must be numbers"),
    "five.json": ('[{"image_id": 1, "keypoints": [1,2,3,4,5]}]', "5 numbers in 'keypoints'"),
    "name.json": ('[{"image_id": "x", "keypoints": [1,2,3]}]', "holds no frame number"),
    "people.json": ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "person 0 needs"),
    "a.trc": ("PathFileType\n", "PathFileType must come first"),
    "a.parquet": ("PAR1 no", "it is no Parquet file"),
    "a.npy": ("no", "it cannot be read"),
    "a.npz": ("no", "it cannot be read"),
    "a.doc": ("no", "its ending '.doc' is not known"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_say_why(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message) as info:
        read_pose(tmp_path / name)
    assert str(info.value).startswith(str(tmp_path / name))


def test_bad_folders_say_why(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    with pytest.raises(ValueError, match=r"no \.json file"):
        read_pose(folder)
    put_frame(folder, 0)
    with pytest.raises(ValueError, match="nobody is in any frame"):
        read_pose(folder)
    put_frame(folder, 1, person(0, 0, n=18))
    put_frame(folder, 2, person(0, 0, n=25))
    with pytest.raises(ValueError, match="the number of points differs"):
        read_pose(folder)
    (folder / "other_000000000001_keypoints.json").write_text('{"people": []}')
    with pytest.raises(ValueError, match="one video a folder"):
        read_pose(folder)
    (folder / "other_000000000001_keypoints.json").rename(folder / "summary.json")
    with pytest.raises(ValueError, match=r"summary\.json has no frame number"):
        read_pose(folder)
    with pytest.raises(FileNotFoundError, match="no pose file"):
        read_pose(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["a.trc", "a.csv", "a.tsv", "wide.csv"])
def test_text_that_is_cut_short(solid, tmp_path, name):
    """Half a row is no frame with lost landmarks."""
    file = tmp_path / name
    write_pose(file, solid, format="wide" if name == "wide.csv" else None)
    text = file.read_text()
    last = text.rstrip("\n").rpartition("\n")[2]
    stop = len(last) // 2  # characters of the last row
    file.write_text(text[: -1 - stop])
    with pytest.raises(ValueError, match=rf"{name}.* the file is cut short"):
        read_pose(file)
    file.write_text(text.rstrip("\n"))  # without its last line break it is whole
    np.testing.assert_array_equal(read_pose(file).pose[..., :3], solid.pose[..., :3])


def test_trc_with_fewer_frames_than_it_states(solid, tmp_path):
    file = write_pose(tmp_path / "a.trc", solid)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    n = len(solid.pose)
    with pytest.raises(ValueError, match=f"it states {n} frames and has {n - 1}: it is cut short"):
        read_pose(file)


def test_pipes_are_refused(tmp_path):
    """Nobody writes to them: reading would wait for ever."""
    for name in ("a.npz", "a.trc", "a.csv", "a.json", "a.parquet"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(ValueError, match=f"{name}: it is a pipe"):
            read_pose(tmp_path / name)


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="it cannot be read"):
        read_pose(tmp_path / "a.npy")


def test_manifests_take_the_new_formats(flat, tmp_path):
    from skrehab.datasets import load_manifest
    from skrehab.formats import write_intervals

    for i, name in enumerate(("a.json", "b.parquet", "c.csv")):
        write_pose(tmp_path / name, flat._replace(pose=flat.pose + np.float32([i, 0, 0])))
    end = float(flat.timestamps[-1]) - 0.01
    write_intervals(tmp_path / "a.eaf", [(0, end, 1)])
    write_intervals(tmp_path / "b.csv", [(0, end, 1)], format="boris")
    write_intervals(tmp_path / "c.txt", [(0, end, 1)])
    (tmp_path / "trials.csv").write_text(
        "path,patient,label,frame_labels\na.json,P1,1,a.eaf\nb.parquet,P1,1,b.csv\nc.csv,P2,1,c.txt\n"
    )
    data = load_manifest(tmp_path / "trials.csv")
    assert data.skeleton == "coco17"
    for i, (trial, labels) in enumerate(zip(data.X, data.frame_labels)):
        np.testing.assert_array_equal(trial, flat.pose + np.float32([i, 0, 0]))
        assert labels.tolist() == [1, 1, 1, 1, 1, 0]
