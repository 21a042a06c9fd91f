"""``skrehab demo --videos``: drawn videos from pose to overlay."""

import csv

import pytest
from real_files import model_file, needs_model

from skrehab.cli.demo_videos import list_poses
from skrehab.datasets import write_mini_set


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_poses_stand_in_for_videos(tmp_path):
    mini = write_mini_set(tmp_path / "mini", 1, 1, frame_rate=2, size=64)
    list_poses(tmp_path / "trials.csv", mini, tmp_path / "poses")
    rows = rows_of(tmp_path / "trials.csv")
    assert [row["path"] for row in rows] == [f"poses/{video.stem}.npz" for video in mini.videos]
    assert {row["frame_labels"] for row in rows} == {"mini/truth.csv"}
    assert [int(row["label"]) for row in rows] == mini.data.y.tolist()


def test_without_videos_the_pose_model_is_not_for_the_demo(run, tmp_path):
    code, _, err = run("demo", "-o", tmp_path / "out", "--model-path", "a.task")
    assert code == 1 and "--model-path is for --videos" in err
    assert not (tmp_path / "out").exists()


@needs_model
@pytest.mark.timeout(900)
def test_the_whole_way_on_drawn_videos(run, tmp_path, monkeypatch):
    """From nothing to the overlay of a new patient; the clips are smaller than the demo's."""
    import skrehab.datasets as datasets

    def small(folder, *how, **more):
        return write_mini_set(folder, *how, frame_rate=3, size=192, **more)

    monkeypatch.setitem(vars(datasets), "write_mini_set", small)
    out = tmp_path / "demo"
    code, said, err = run(
        "demo", "--videos", "-o", out, "--patients", 3, "--epochs", 1, "-j", 1,
        "--model-path", model_file(),
    )  # fmt: skip
    assert code == 0, err
    for command in ("skrehab pose", "skrehab check", "skrehab train", "skrehab assess"):
        assert f"$ {command}" in err
    assert (out / "report" / "report.html").is_file() and (out / "model").is_dir()
    assert sorted(p.name for p in (out / "assessed").glob("P01*")) == [
        f"P01_brush_hair_{side}_1_{what}"
        for side in ("left", "right")
        for what in ("frames.csv", "overlay.mp4", "report.html")
    ]
    assert "frame AUC" in said  # the truth of the drawn frames came through
