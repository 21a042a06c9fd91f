"""The reader of StrokeVision-Bench: what it accepts, and what it says of what it does not."""

import json
import warnings

import numpy as np
import pytest
from media import write_video
from sklearn.model_selection import StratifiedGroupKFold

from skrehab.datasets import load_strokevision_bench, make_bbt_clips
from skrehab.pose import read_frames
from skrehab.skeletons import get_skeleton


def write_bbt_layout(data, root, *, splits=None, form="npy"):
    """Write a Bunch of clips in the layout that the reader documents.

    ``splits`` maps patients to splits; ``form`` is how key-points are written. Returns the names
    of the clips.
    """
    lines, names = [], []
    for i, (video, pose, label, patient) in enumerate(
        zip(data.videos, data.poses, data.target, data.patients)
    ):
        name = f"c{i:02d}"
        for kind in ("clips", "keypoints"):
            (root / kind / patient).mkdir(parents=True, exist_ok=True)
        write_video(root / "clips" / patient / f"{name}.mp4", video)
        if form == "npy":
            np.save(root / "keypoints" / patient / f"{name}.npy", pose)
        else:
            frames = [{"keypoints": points.ravel().tolist()} for points in pose]
            (root / "keypoints" / patient / f"{name}.json").write_text(json.dumps(frames))
        lines.append(",".join([name, patient, label] + ([splits[patient]] if splits else [])))
        names.append(name)
    header = "clip,patient,label" + (",split" if splits else "")
    (root / "labels.csv").write_text("\n".join([header, *lines]) + "\n")
    return names


@pytest.fixture(scope="module")
def clips():
    return make_bbt_clips(3, 1, n_frames=6, random_state=0)


@pytest.fixture
def copy(tmp_path, clips):
    """A small true copy: videos of PyAV, key-points, labels, without splits."""
    write_bbt_layout(clips, tmp_path)
    return tmp_path


def replace(file, old, new, count=1):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, count))


def message(root, **options):
    """What reading complains of."""
    with pytest.raises(ValueError) as caught:
        load_strokevision_bench(root, **options)
    return str(caught.value)


@pytest.mark.parametrize("form", ["npy", "json"])
def test_what_was_written_is_read(tmp_path, clips, form):
    names = write_bbt_layout(clips, tmp_path, form=form)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_strokevision_bench(str(tmp_path))
    assert data.clip.tolist() == names
    assert (data.target == clips.target).all() and data.target_names == clips.target_names
    assert (data.patients == clips.patients).all() and data.groups is data.patients
    assert data.split is None and data.frame_rate == 30.0 and data.skeleton == "coco17"
    for read, pose in zip(data.poses, clips.poses):
        assert read.dtype == np.float32
        np.testing.assert_allclose(read, pose, rtol=1e-6)
    assert "12 clips of 3 patients" in data.DESCR
    for path, video in list(zip(data.videos, clips.videos))[::5]:
        assert isinstance(path, str)
        frames = np.stack([frame for _, frame in read_frames(path)])
        assert frames.shape == video.shape
        assert np.abs(frames.astype(float) - video).mean() < 12  # what compression loses


def test_videos_need_not_be_opened(copy):
    for file in (copy / "clips").glob("*/*.mp4"):
        file.write_bytes(b"no video")
    assert len(load_strokevision_bench(copy, check_clips=False).videos) == 12


def test_a_damaged_clip_is_found_before_training(copy):
    for name in ("P01/c01", "P02/c05"):
        file = copy / "clips" / f"{name}.mp4"
        file.write_bytes(file.read_bytes()[:200])
    text = message(copy)
    assert "P01/c01.mp4" in text and "P02/c05.mp4" in text
    assert text.count("damaged, cut short") == 2


def test_damage_in_the_middle_of_a_clip_is_found_before_training(copy):
    rng = np.random.RandomState(0)
    file = copy / "clips" / "P01" / "c02.mp4"
    noise = [rng.randint(256, size=(64, 64, 3)).astype(np.uint8) for _ in range(6)]
    write_video(file, noise)
    assert load_strokevision_bench(copy).clip[2] == "c02"
    content = bytearray(file.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    file.write_bytes(content)
    assert "P01/c02.mp4" in message(copy)
    load_strokevision_bench(copy, check_clips=False)


def predictions(poses, first=1, people=1, names=None):
    """What MMPose's demos and Sapiens write of a clip: everybody in each frame."""
    frames = []
    for number, points in enumerate(poses, start=first):
        one = {"keypoints": points[:, :2].tolist(), "keypoint_scores": points[:, 2].tolist()}
        small = {"keypoints": (points[:, :2] / 4).tolist(), "keypoint_scores": [0.5] * len(points)}
        frames.append({"frame_id": number, "instances": [small, one][2 - people :]})
    meta = {"dataset_name": "coco"}
    if names is not None:
        meta["keypoint_id2name"] = {str(i): name for i, name in enumerate(names)}
    return {"meta_info": meta, "instance_info": frames}


@pytest.mark.parametrize(("first", "people"), [(0, 1), (1, 1), (1, 2)])
def test_what_mmpose_and_sapiens_write(copy, clips, first, people):
    (copy / "keypoints" / "P01" / "c00.npy").unlink()
    truth = clips.poses[0].astype(float)
    content = predictions(truth, first, people)
    content["instance_info"][3]["instances"] = []  # nobody
    (copy / "keypoints" / "P01" / "c00.json").write_text(json.dumps(content))
    pose = load_strokevision_bench(copy).poses[0]
    assert (
        pose.shape == (6, 17, 3) and np.isnan(pose[3, :, :2]).all() and (pose[3, :, 2] == 0).all()
    )
    kept = [0, 1, 2, 4, 5]
    np.testing.assert_allclose(pose[kept], truth[kept], rtol=1e-5)


def test_cocos_points_among_others_are_found_by_name(copy, clips):
    names = get_skeleton("coco17").landmarks
    more = np.concatenate([np.full((6, 2, 3), 0.5), clips.poses[0][:, ::-1].astype(float)], axis=1)
    content = predictions(more, names=["thumb", "heel", *names[::-1]])
    (copy / "keypoints" / "P01" / "c00.npy").unlink()
    file = copy / "keypoints" / "P01" / "c00.json"
    file.write_text(json.dumps(content))
    np.testing.assert_allclose(load_strokevision_bench(copy).poses[0], clips.poses[0], rtol=1e-5)
    file.write_text(json.dumps(predictions(more)))
    assert "c00.json: COCO's 17 key-points are needed, got 19" in message(copy)


def test_key_points_of_other_frames_are_found_before_training(copy, clips):
    np.save(copy / "keypoints" / "P01" / "c00.npy", np.ones((12, 17, 3)))
    text = message(copy)
    assert "clips/P01/c00.mp4 has 6 frames and its key-points 12" in text
    np.save(copy / "keypoints" / "P01" / "c00.npy", np.ones((5, 17, 3)))  # an end cut off
    assert len(load_strokevision_bench(copy).poses[0]) == 5


def test_endings_in_capitals_and_other_containers(copy, clips):
    folder = copy / "clips" / "P01"
    (folder / "c00.mp4").rename(folder / "c00.MP4")
    (folder / "c01.mp4").unlink()
    write_video(folder / "c01.avi", clips.videos[1])
    replace(copy / "labels.csv", "c01,", "c01.avi,")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_strokevision_bench(copy)
    assert [file.rpartition(".")[2] for file in data.videos[:3]] == ["MP4", "avi", "mp4"]
    assert len(list(read_frames(data.videos[1]))) == 6
    (folder / "c01.mov").write_bytes(b"x")
    assert r"clips/P01/c01 is there more than once (c01.avi, c01.mov)" in message(copy)


def test_splits_by_patient(tmp_path, clips):
    write_bbt_layout(clips, tmp_path, splits={"P01": "train", "P02": "test", "P03": "train"})
    data = load_strokevision_bench(tmp_path)
    assert data.split.tolist() == ["train"] * 4 + ["test"] * 4 + ["train"] * 4
    test = load_strokevision_bench(tmp_path, split="test")
    assert set(test.patients) == {"P02"} and test.split.tolist() == ["test"] * 4
    train = load_strokevision_bench(tmp_path, split="train")
    assert len(train.videos) == len(train.poses) == 8 and set(train.patients) == {"P01", "P03"}
    text = message(tmp_path, split="val")
    assert "no split 'val'; it has ['test', 'train']" in text


def test_files_of_another_split_are_not_needed(tmp_path, clips):
    write_bbt_layout(clips, tmp_path, splits={"P01": "train", "P02": "test", "P03": "train"})
    for file in (tmp_path / "keypoints" / "P01").iterdir():
        file.unlink()
    assert len(load_strokevision_bench(tmp_path, split="test").videos) == 4
    assert "there is no keypoints/P01/c00.npy or .json" in message(tmp_path)


def test_a_patient_in_two_splits_is_refused(tmp_path, clips):
    write_bbt_layout(clips, tmp_path, splits={"P01": "train", "P02": "test", "P03": "train"})
    replace(tmp_path / "labels.csv", "c09,P03,Non-task Movement,train", "c09,P03,Grasping,test")
    for options in ({}, {"split": "train"}, {"split": "test"}):
        text = message(tmp_path, **options)
        assert (
            "row 11, column split: patient P03 is in 'test' here and in 'train' in row 10" in text
        )
        assert "put all their clips into one split" in text


def test_without_splits_scikit_learn_splits_by_patient(copy):
    text = message(copy, split="train")
    assert "no column split" in text and "GroupShuffleSplit" in text
    data = load_strokevision_bench(copy)
    for train, test in StratifiedGroupKFold(3).split(data.poses, data.target, groups=data.patients):
        assert not set(data.patients[train]) & set(data.patients[test])


def test_labels_as_people_write_them(copy):
    table = copy / "labels.csv"
    replace(table, "c02,P01,Transport with Object", "c02.mp4,P01,transport_with_object")
    replace(table, "c01,P01,Non-task Movement", "c01,P01,NON TASK MOVEMENT")
    table.write_text(table.read_text().replace(",", ";"))
    data = load_strokevision_bench(copy)
    assert data.target[:4].tolist() == data.target_names
    assert data.clip[2] == "c02"


# --- key-points -----------------------------------------------------------------------------------
def test_scores_are_one_where_there_are_none(copy):
    file = copy / "keypoints" / "P01" / "c00.npy"
    places = np.load(file)[..., :2]
    places[1, 4] = np.nan
    np.save(file, places.astype(np.float64))
    pose = load_strokevision_bench(copy).poses[0]
    assert pose.shape == (6, 17, 3) and pose.dtype == np.float32
    assert np.isnan(pose[1, 4, :2]).all() and pose[1, 4, 2] == 0
    seen = np.ones((6, 17), bool)
    seen[1, 4] = False
    assert (pose[seen][:, 2] == 1).all()
    np.testing.assert_allclose(pose[seen][:, :2], places[seen])


@pytest.mark.parametrize(
    "frame",
    [
        lambda p: {"keypoints": p[:, :2].ravel().tolist()},
        lambda p: {"keypoints": p[:, :2].tolist(), "keypoint_scores": [1.0] * 17},
        lambda p: {"keypoints": np.column_stack([p[:, :2], np.ones(17)]).tolist(), "image": "a"},
    ],
    ids=["34 numbers", "pairs and scores", "triples"],
)
def test_json_in_its_forms(copy, clips, frame):
    (copy / "keypoints" / "P01" / "c00.npy").unlink()
    frames = [frame(points.astype(float)) for points in clips.poses[0]]
    frames[2]["keypoints"] = []  # nobody was found
    file = copy / "keypoints" / "P01" / "c00.json"
    file.write_text(json.dumps(frames))
    pose = load_strokevision_bench(copy).poses[0]
    assert np.isnan(pose[2, :, :2]).all() and (pose[2, :, 2] == 0).all()
    kept = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(pose[kept][..., :2], clips.poses[0][kept][..., :2], rtol=1e-6)
    assert (pose[kept][..., 2] == 1).all()


def test_cocos_mark_of_a_missing_point(copy, clips):
    pose = clips.poses[0].copy()
    pose[0, 15] = 0
    np.save(copy / "keypoints" / "P01" / "c00.npy", pose)
    read = load_strokevision_bench(copy).poses[0]
    assert np.isnan(read[0, 15, :2]).all() and read[0, 15, 2] == 0
    assert not np.isnan(read[0, 14]).any()


def as_json(frames):
    return json.dumps(frames).encode()


POINTS = [1.0] * 51


@pytest.mark.parametrize(
    "content, reason",
    [
        (np.ones((6, 33, 3)), r"must have shape \(n_frames, 17, 2\) or .*, got \(6, 33, 3\)"),
        (np.ones((17, 3)), r"got \(17, 3\)"),
        (np.ones((0, 17, 3)), r"got \(0, 17, 3\)"),
        (np.full((6, 17, 2), "a"), "must be numbers"),
        (np.full((6, 17, 2), np.inf), "infinite values"),
        (np.full((6, 17, 2), np.nan), "no frame has a key-point"),
        (np.dstack([np.ones((6, 17, 2)), np.full((6, 17, 1), np.nan)]), "no score"),
        (np.array([{}], dtype=object), "cannot be read"),
        (b"not numpy", "cannot be read"),
        (b"[1, 2", "not JSON"),
        (b"\xff\xfe\xfa", "not JSON"),
        (as_json({"keypoints": []}), "must be a list with one entry a frame"),
        (as_json([{"keypoints": POINTS}, 3]), "frame 1: must be an object"),
        (as_json([{"keypoints": POINTS[:50]}]), "frame 0: 50 numbers"),
        (as_json([{"keypoints": ["x"] * 51}]), "frame 0: 'keypoints' must be numbers"),
        (as_json([{"keypoints": POINTS, "keypoint_scores": [1]}]), "'keypoint_scores' are 17"),
    ],
)
def test_bad_key_points(copy, content, reason):
    file = copy / "keypoints" / "P02" / "c05.npy"
    if isinstance(content, np.ndarray):
        np.save(file, content, allow_pickle=True)
    elif content == b"not numpy":
        file.write_bytes(content)
    else:
        file.unlink()
        file = file.with_suffix(".json")
        file.write_bytes(content)
    with pytest.raises(
        ValueError, match=rf"row 7, column clip: keypoints/P02/{file.name}: .*{reason}"
    ):
        load_strokevision_bench(copy)


# --- what is wrong is told at once ----------------------------------------------------------------
def test_all_problems_in_one_message(copy):
    table = copy / "labels.csv"
    (copy / "clips" / "P01" / "c00.mp4").unlink()
    (copy / "clips" / "P01" / "c01.mp4").write_bytes(b"")
    (copy / "keypoints" / "P01" / "c02.npy").unlink()
    (copy / "keypoints" / "P01" / "c03.json").write_text("[]")
    replace(table, "c04,P02,Grasping", "c04,P02,Grabbing")
    replace(table, "c05,P02", ",P02")
    replace(table, "c06,P02", "../c06,P02")
    replace(table, "c08,P03", "c09,P03")
    text = message(copy)
    for part in (
        "labels.csv",
        "row 2, column clip: there is no clips/P01/c00.mp4; add it or remove the row",
        "row 3, column clip: clips/P01/c01.mp4 is empty",
        "row 4, column clip: there is no keypoints/P01/c02.npy or .json",
        "row 5, column clip: both keypoints/P01/c03.npy and .json",
        "row 6, column label: 'Grabbing' is none of the classes; they are Grasping, Non-task",
        "row 7, column clip: is empty",
        "row 8, column clip: '../c06' must be the plain name",
        "row 11, column clip: P03/c09 is in row 10 already",
    ):
        assert part in text
    assert text.count(", column ") == 8


def test_ten_problems_are_shown(copy):
    table = copy / "labels.csv"
    for file in (copy / "clips").glob("*/*.mp4"):
        file.unlink()
    text = message(copy)
    assert text.count("there is no clips/") == 10 and text.endswith("and 2 more")
    assert table.exists()


def test_an_empty_split_is_a_problem(tmp_path, clips):
    write_bbt_layout(clips, tmp_path, splits={"P01": "train", "P02": "test", "P03": "train"})
    replace(tmp_path / "labels.csv", "c00,P01,Grasping,train", "c00,P01,Grasping,")
    text = message(tmp_path)
    assert "row 2, column split: is empty" in text and "two" not in text


def test_videos_without_a_row_are_told(copy):
    table = copy / "labels.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:-2]) + "\n")
    with pytest.warns(UserWarning, match=r"no row for 2 of the clips.*P03/c10.mp4, P03/c11.mp4"):
        data = load_strokevision_bench(copy)
    assert len(data.videos) == 10


@pytest.mark.parametrize(
    "text, reason",
    [
        ("clip,patient\nc00,P01\n", "has no column label"),
        ("clip,patient,label,Label\nc00,P01,Grasping,Grasping\n", "has two columns label"),
        ("clip,patient,label\n", "no clip under the header"),
        ("", "it is empty"),
        ("clip,patient,label\nc00,P01,Grasping,3,4\n", "row 2: more cells"),
    ],
)
def test_bad_tables(copy, text, reason):
    (copy / "labels.csv").write_text(text)
    with pytest.raises(ValueError, match=reason):
        load_strokevision_bench(copy)


def test_missing_folder_and_table(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_strokevision_bench(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="columns clip, patient, label"):
        load_strokevision_bench(tmp_path)
