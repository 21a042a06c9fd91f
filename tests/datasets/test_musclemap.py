"""The reader of MuscleMap: what it accepts, and what it says of what it does not."""

import json

import numpy as np
import pytest
from media import write_video

from skrehab.datasets import load_musclemap
from skrehab.evaluation import KnownNewSplit, known_new_split
from skrehab.training.clips import read_clip

ACTIVITIES = {"squats": (1, 0, 1), "Push-Ups": (0, 1, 0), "running": (1, 0, 0)}
# clip, activity, split, frames
CLIPS = [
    ("squats/1.mp4", "squats", "train", 20),
    ("squats/2.mp4", "Squats", "val_seen", 18),
    ("push ups/1.mp4", "push_ups", "train", 20),
    ("push ups/2.mp4", "push_ups", "known_test", 16),
    ("running.mp4", "running", "test_unseen", 20),
]


def frames(n):
    return [np.full((32, 32, 3), 10 * i % 256, dtype=np.uint8) for i in range(n)]


def points(n, seed=0):
    found = np.random.RandomState(seed).rand(n, 17, 3).astype(np.float32)
    return found * [30, 30, 1] + [1, 1, 0]


def walker(n):
    """One pose that goes to the right."""
    return points(1, seed=7) + 0.1 * np.arange(n)[:, None, None] * [1, 0, 0]


def alphapose(n, *, people=1, without=()):
    """A list of results as AlphaPose writes it."""
    found = []
    for frame in range(n):
        for person in range(people if frame not in without else 0):
            spots = walker(n)[frame] * [1 / (1 + person), 1 / (1 + person), 1]
            entry = {"image_id": f"{frame}.jpg", "category_id": 1, "idx": person}
            found.append(entry | {"keypoints": spots.ravel().tolist(), "score": 2.9})
    return found


@pytest.fixture
def copy(tmp_path):
    """A small true copy: videos of PyAV, key-points, both tables, with splits."""
    lines = ["Clip,Activity,Split,comment"]
    for i, (clip, activity, split, n) in enumerate(CLIPS):
        for kind in ("clips", "skeletons"):
            (tmp_path / kind / clip).parent.mkdir(parents=True, exist_ok=True)
        write_video(tmp_path / "clips" / clip, frames(n))
        np.save((tmp_path / "skeletons" / clip).with_suffix(".npy"), points(n, i))
        lines.append(f"{clip},{activity},{split},none")
    (tmp_path / "clips.csv").write_text("\n".join(lines) + "\n")
    table = ["activity,quadriceps,chest,glutes"]
    table += [f"{name},{','.join(map(str, row))}" for name, row in ACTIVITIES.items()]
    (tmp_path / "muscles.csv").write_text("\n".join(table) + "\n")
    return tmp_path


def replace(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def message(root, **options):
    """What reading complains of."""
    with pytest.raises(ValueError) as caught:
        load_musclemap(root, **options)
    return str(caught.value)


# --- what it reads --------------------------------------------------------------------------------
def test_everything_is_there(copy):
    data = load_musclemap(copy)
    assert len(data.X) == 5 and data.muscles == ["quadriceps", "chest", "glutes"]
    np.testing.assert_array_equal(data.y, [[1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
    assert data.split.tolist() == ["train", "known_val", "train", "known_test", "new_test"]
    assert data.new_activities == ["running"] and data.skeleton == "coco17"
    assert data.clip[4] == "running.mp4" and "5 clips of 4 activities" in data.DESCR
    for x, (_, _, _, n) in zip(data.X, CLIPS):
        assert set(x) == {"rgb", "pose"} and x["pose"].dtype == np.float32
        assert x["pose"].shape == (n, 17, 3)
        assert read_clip(x["rgb"], 4).shape == (4, 32, 32, 3)  # decoded now, and not before
    split = KnownNewSplit(data.split)
    assert [test.tolist() for _, test in split.split(data.X)] == [[3], [4]]


def test_without_splits(copy):
    replace(copy / "clips.csv", "Split", "group")
    data = load_musclemap(copy)
    assert data.split is None and data.new_activities == ["running"]  # as in the paper
    split = known_new_split(data.activity, data.new_activities, val=0, test=0.5, random_state=0)
    assert split.new.tolist() == [4]


@pytest.mark.parametrize(
    ("wanted", "n"), [("train", 2), ("test_seen", 1), (["known_test", "new_test"], 2)]
)
def test_one_split(copy, wanted, n):
    assert len(load_musclemap(copy, split=wanted).X) == n


def test_one_modality(copy):
    for file in (copy / "skeletons").rglob("*.npy"):
        file.unlink()
    assert "there is no skeletons/squats/1.npy or .json" in message(copy)
    data = load_musclemap(copy, modalities="rgb")
    assert all(x["pose"] is None for x in data.X)
    for file in (copy / "clips").rglob("*.mp4"):
        file.unlink()
        skeleton = copy / "skeletons" / file.relative_to(copy / "clips")
        np.save(skeleton.with_suffix(".npy"), points(4)[..., :2])
    data = load_musclemap(copy, modalities=("pose",))
    assert all(x["rgb"] is None and (x["pose"][..., 2] == 1).all() for x in data.X)
    assert "modalities must be some of" in message(copy, modalities="audio")


def use_json(copy, content, clip="squats/1"):
    (copy / "skeletons" / f"{clip}.npy").unlink()
    (copy / "skeletons" / f"{clip}.json").write_text(json.dumps(content))


def test_alphaposes_results(copy):
    use_json(copy, alphapose(20, people=2, without=(5, 6)))
    pose = load_musclemap(copy).X[0]["pose"]
    assert pose.shape == (20, 17, 3)
    lost = np.isnan(pose[..., 0]).all(axis=1)
    assert np.flatnonzero(lost).tolist() == [5, 6] and (pose[lost][..., 2] == 0).all()
    truth = walker(20)  # the larger of both people
    np.testing.assert_allclose(pose[~lost], truth[~lost], rtol=1e-5)


def test_a_list_of_frames(copy):
    use_json(copy, [{"keypoints": frame.ravel().tolist()} for frame in points(20)])
    np.testing.assert_allclose(load_musclemap(copy).X[0]["pose"], points(20), rtol=1e-5)


# --- what it does not -----------------------------------------------------------------------------
def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="MuscleMap: there is no folder"):
        load_musclemap(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"muscles\.csv\. The layout is described at"):
        load_musclemap(tmp_path)


def test_all_bad_rows_in_one_message(copy):
    replace(copy / "clips.csv", "squats/2.mp4,Squats,val_seen", "squats/1.mp4,yoga,later")
    replace(copy / "clips.csv", "running.mp4", "../running.mp4")
    text = message(copy)
    assert "row 3, column clip: squats/1.mp4 is in row 2 already; keep one" in text
    assert "row 3, column activity: 'yoga' has no row in muscles.csv" in text
    assert "row 3, column split: 'later' is none of train, known_val" in text
    assert "row 6, column clip: '../running.mp4' must be a path below clips/" in text


def test_what_is_new_is_not_trained_on(copy):
    replace(copy / "clips.csv", "squats/2.mp4,Squats,val_seen", "squats/2.mp4,Squats,new_val")
    assert "row 3, column split: 'Squats' is new here and trained on in row 2" in message(copy)
    replace(copy / "clips.csv", "Squats,new_val", "running,known_val")
    assert "'running' is known here, but no row trains on it" in message(copy)


def test_bad_muscles(copy):
    replace(copy / "muscles.csv", "running,1,0,0", "running,1,yes,2\nRunning,1,0,0\n,0,0,0")
    text = message(copy)
    assert "row 4, column chest: 'yes' is neither 0 nor 1" in text
    assert "row 4, column glutes: '2' is neither 0 nor 1" in text
    assert "row 5, column activity: 'Running' has a row already" in text
    assert "row 6, column activity: is empty" in text
    (copy / "muscles.csv").write_text("activity,chest,Chest\nsquats,0,1\n")
    assert "must name one muscle group, got ['chest', 'Chest']" in message(copy)


@pytest.mark.parametrize("name", ["id", "ID", "index", "Split"])
def test_a_column_that_is_no_muscle_is_refused(copy, name):
    """Counted from 0, it would pass for a muscle of two activities."""
    table = (copy / "muscles.csv").read_text().splitlines()
    added = [f"{name},{table[0]}", *(f"{i % 2},{line}" for i, line in enumerate(table[1:]))]
    (copy / "muscles.csv").write_text("\n".join(added) + "\n")
    with pytest.raises(ValueError, match=rf"column '{name}' is no muscle group; remove it"):
        load_musclemap(copy)


def test_bad_tables(copy):
    (copy / "clips.csv").write_text("file,activity\na,b\n")
    assert "the header must have one column 'clip', it has ['file', 'activity']" in message(copy)
    (copy / "clips.csv").write_text("clip,activity\n")
    assert "there is no row under the header" in message(copy)


def test_split_that_is_not_there(copy):
    assert "has no split new_val; it has ['train', 'known_val'" in message(copy, split="val_unseen")
    replace(copy / "clips.csv", "Split", "group")
    assert "has no column split" in message(copy, split="train")


def test_all_bad_files_in_one_message(copy):
    (copy / "clips" / "squats" / "1.mp4").unlink()
    (copy / "clips" / "running.mp4").write_bytes(b"")
    np.save(copy / "skeletons" / "squats" / "2.npy", np.ones((4, 25, 3)))
    use_json(copy, alphapose(20), clip="push ups/1")
    np.save(copy / "skeletons" / "push ups" / "1.npy", points(4))
    use_json(copy, [{"image_id": "one.jpg", "keypoints": [0] * 51}], clip="push ups/2")
    text = message(copy)
    assert "row 2, column clip: there is no clips/squats/1.mp4" in text
    assert "row 3, column clip: skeletons/squats/2.npy: key-points must have shape" in text
    assert "row 4, column clip: both skeletons/push ups/1.npy and .json are there" in text
    assert "row 5, column clip: skeletons/push ups/2.json: entry 0: image_id 'one.jpg'" in text
    assert "row 6, column clip: clips/running.mp4 is empty" in text


def test_bad_files_left_out(copy):
    (copy / "clips" / "squats" / "1.mp4").unlink()
    with pytest.warns(UserWarning, match="1 of 5 clips are left out") as caught:
        data = load_musclemap(copy, strict=False)
    assert len(data.X) == len(data.y) == 4 and "there is no clips/squats/1.mp4" in str(
        caught[0].message
    )
    for file in (copy / "clips").rglob("*.mp4"):
        file.unlink()
    with pytest.warns(UserWarning, match="5 of 5"):
        text = message(copy, strict=False)
    assert "there is no clips/running.mp4" in text


def test_short_and_damaged_clips(copy):
    load_musclemap(copy, min_frames=16)
    text = message(copy, min_frames=17)
    assert "row 5, column clip: clips/push ups/2.mp4 has 16 frames, fewer than 17" in text
    (copy / "clips" / "squats" / "1.mp4").write_bytes(b"no video at all")
    load_musclemap(copy)  # not opened
    text = message(copy, min_frames=16)
    assert "row 2" in text and "1.mp4: this is not a video that can be opened" in text
    with pytest.raises(ValueError, match="min_frames must be at least 1"):
        load_musclemap(copy, min_frames=0)


def test_key_points_of_another_video_are_found_before_training(copy):
    for n, wrong in ((9, True), (23, True), (12, False), (22, False)):
        np.save(copy / "skeletons" / "squats" / "1.npy", points(n))
        if wrong:
            text = message(copy, min_frames=16)
            assert (
                f"row 2, column clip: clips/squats/1.mp4 has 20 frames and its key-points {n};"
                in text
            )
        else:  # results without the frames in which nobody is, or a cut end
            assert len(load_musclemap(copy, min_frames=16).X[0]["pose"]) == n
        load_musclemap(copy)  # not opened


def test_what_mmpose_writes(copy):
    truth = points(20)
    frames = [
        {
            "frame_id": i + 1,
            "instances": [
                {"keypoints": one[:, :2].tolist(), "keypoint_scores": one[:, 2].tolist()}
            ],
        }
        for i, one in enumerate(truth)
    ]
    use_json(copy, {"meta_info": {"dataset_name": "coco"}, "instance_info": frames})
    np.testing.assert_allclose(load_musclemap(copy).X[0]["pose"], truth, rtol=1e-5)


def test_clips_in_capitals_and_in_other_containers(copy):
    folder = copy / "clips" / "squats"
    (folder / "1.mp4").rename(folder / "1.MP4")
    (folder / "2.mp4").unlink()
    write_video(folder / "2.avi", frames(18))
    replace(copy / "clips.csv", "squats/1.mp4", "squats/1.MP4")
    replace(copy / "clips.csv", "squats/2.mp4", "squats/2.avi")
    data = load_musclemap(copy, min_frames=16)
    assert [trial["rgb"][-3:] for trial in data.X[:2]] == ["MP4", "avi"]
    assert read_clip(data.X[1]["rgb"], 4).shape == (4, 32, 32, 3)


def test_videos_that_no_row_names(copy):
    write_video(copy / "clips" / "squats" / "9.mp4", frames(4))
    with pytest.warns(UserWarning, match=r"No row names 1 of the files in clips: squats/9\.mp4"):
        load_musclemap(copy)
