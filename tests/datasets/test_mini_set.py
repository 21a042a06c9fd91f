"""A mini set of drawn videos: what is written, that it reads back, and that a pose is found."""

import csv

import numpy as np
import pytest
from real_files import model_file, needs_model

from skrehab.datasets import load_manifest, make_rehab_trials, write_mini_set
from skrehab.datasets.drawn.seat_film import draw_look, film_of
from skrehab.datasets.mini_set import KINDS, STRENGTH
from skrehab.pose import extract_pose, probe_video


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    """Two patients, a trial of each arm."""
    return write_mini_set(tmp_path_factory.mktemp("mini"), 2, 1, frame_rate=4, size=96)


def test_videos_and_list_say_the_same(mini):
    data = load_manifest(mini.manifest)
    assert [*map(str, mini.videos)] == data.X
    assert data.y.tolist() == mini.data.y.tolist()
    assert data.groups.tolist() == ["P01", "P01", "P02", "P02"]
    assert data.side.tolist() == ["left", "right"] * 2
    for video, trial in zip(mini.videos, mini.data.X):
        info = probe_video(video)
        assert (info.width, info.height, info.fps, info.n_frames) == (96, 96, 4, len(trial))


def test_truth_lies_on_the_frames(mini):
    with open(mini.truth, newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["recording"] for row in rows} == {video.stem for video in mini.videos}
    for video, labels in zip(mini.videos, mini.data.frame_labels):
        frames = np.zeros(len(labels), dtype=int)
        for row in rows:
            if row["recording"] == video.stem:
                first, last = (round(4 * float(row[key])) for key in ("start", "stop"))
                frames[first:last] = int(row["label"])
        assert frames.tolist() == labels.tolist()


def test_the_same_seed_draws_the_same(mini, tmp_path):
    again = write_mini_set(tmp_path, 2, 1, frame_rate=4, size=96)
    assert mini.manifest.read_bytes() == again.manifest.read_bytes()
    points = mini.data.X[0][:2]
    looks = [draw_look(*(np.random.default_rng(i) for i in (0, 1))) for _ in range(2)]
    pictures = [film_of(points, look, 64, seed=3) for look in looks]
    assert (pictures[0] == pictures[1]).all() and pictures[0].std() > 5


def test_all_compensate_in_one_way_unless_asked_for_more(mini, tmp_path):
    assert set(mini.data.compensation) == {"trunk_flexion", "none"}
    other = write_mini_set(tmp_path, 2, 1, kinds="head_flexion", frame_rate=2, size=64)
    assert set(other.data.compensation) == {"head_flexion", "none"}
    assert other.data.y.tolist() == mini.data.y.tolist()


def test_each_patient_of_the_default_has_both_labels():
    data = make_rehab_trials(
        5, 2, "brush_hair", frame_rate=1, strength=STRENGTH, kinds=KINDS, random_state=1
    )
    for patient in np.unique(data.groups):
        assert set(data.y[data.groups == patient]) == {0, 1}


def test_a_persons_own_list_is_not_overwritten(tmp_path):
    (tmp_path / "trials.csv").write_text("mine")
    with pytest.raises(FileExistsError, match=r"trials\.csv exists already"):
        write_mini_set(tmp_path, 2, 1)
    assert (tmp_path / "trials.csv").read_text() == "mine"
    with pytest.raises(ValueError, match="size must be even"):
        write_mini_set(tmp_path / "new", 2, 1, size=65)


@needs_model
def test_mediapipe_finds_a_pose_in_drawn_people(tmp_path):
    """In nearly all frames, and not just any: the wrists go where they were drawn."""
    found = drawn = 0
    for seed in (1, 2):
        mini = write_mini_set(tmp_path / str(seed), 1, 1, frame_rate=3, random_state=seed)
        for video, truth in zip(mini.videos, mini.data.X):
            track = extract_pose(video, model_path=model_file())
            found, drawn = found + track.found.sum(), drawn + len(truth)
            seen = track.found
            arm = 15 if "left" in video.name else 16  # the wrist that brushes; y points down
            height = track.world[seen, arm, 1]
            assert np.corrcoef(height, truth[seen, arm, 1])[0, 1] > 0.8
    assert found >= 0.95 * drawn
