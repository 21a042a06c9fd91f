"""benchmarks/musclemap.py in its quick form, on drawn clips and on a small copy of the layout."""

import importlib.util
import json
import pathlib
import sys

import media
import numpy as np
import pytest

from skrehab.muscles import MUSCLE_GROUPS

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import _report
    import musclemap

    monkeypatch.setattr(_report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["musclemap.py"])
    small = {"widths": (8, 16), "depths": (1, 1), "n_frames": 4, "image_size": 32}
    monkeypatch.setattr(musclemap, "MVIT", small)
    graph = {"widths": (4, 8), "n_units": (1, 1), "n_frames": 16}
    monkeypatch.setitem(musclemap.NETWORKS, "mvit", (small, {}))
    monkeypatch.setitem(musclemap.NETWORKS, "hdgcn", (graph | {"n_levels": 1}, {}))
    yield musclemap
    for name in ("musclemap", "_report"):
        sys.modules.pop(name, None)


def tables(text):
    """Rows of all printed tables: label -> cells."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {cells[0]: cells for cells in lines}


def stored(tmp_path, name):
    lines = (tmp_path / "results" / name).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_every_row_has_a_run(benchmark, capsys):
    benchmark.main(["--list"])
    runs = {*capsys.readouterr().out.split("\n"), *(f"late {how}" for how in benchmark.LATE)}
    runs |= {f"TransM3E without {modality}" for modality in ("rgb", "pose")}
    full_only = {name for name, (small, _) in benchmark.NETWORKS.items() if small is None}
    for table in benchmark.TABLES.values():
        for label, run, published in table:
            assert run in runs | full_only, label
            if published:  # the printed means are of the printed figures
                assert abs(np.mean(published[:2]) - published[2]) < 0.11, label


def test_quick_form_goes_on_where_it_stopped(benchmark, tmp_path, capsys):
    if not importlib.util.find_spec("torchvision"):
        pytest.skip("torchvision is not installed")
    few = ["--quick", "--jobs", "1", "--only", "all ones", "random"]
    benchmark.main([*few, "hdgcn", "TransM3E"])
    text = capsys.readouterr().out
    rows = tables(text)
    assert {"All ones", "Random", "HD-GCN", "TransM3E", "SP-MCTKD", "MCTF"} <= set(rows)
    assert set(MUSCLE_GROUPS) <= set(rows)
    assert "VideoMAEv2-B" not in rows and rows["TransM3E"][-1] == "81.0"
    first = stored(tmp_path, "musclemap_quick_runs.jsonl")
    whole = ["all ones", "random", "hdgcn", "TransM3E"]
    without = [f"TransM3E without {modality}" for modality in ("rgb", "pose")]
    assert [one["run"] for one in first] == whole + without
    for one in first:
        assert 0 < one["known"] <= 100 and 0 < one["new"] <= 100
        for part in ("known", "new"):  # the mean over the muscle groups that clips have
            each = np.array(one["by muscle"][part], dtype=float)
            assert np.nanmean(each) == pytest.approx(one[part], abs=0.01)
    data, _, _, split = benchmark.load(benchmark.parse(["--quick"]))
    assert not set(data.person[split.train]) & set(data.person[split.known])
    assert not set(data.activity[split.train]) & set(data.new_activities)
    prevalence = [data.y[part][:, data.y[part].any(axis=0)].mean() for part in (split.new,)]
    assert first[0]["new"] == pytest.approx(100 * prevalence[0], abs=0.01)
    benchmark.main([*few, "late"])
    assert "LateFusionMul" in tables(capsys.readouterr().out)
    after = stored(tmp_path, "musclemap_quick_runs.jsonl")
    assert after[:6] == first
    assert [one["run"] for one in after[6:]] == ["late sum", "late concat", "late mul"]
    with pytest.raises(SystemExit, match="There is no run"):
        benchmark.main(["--only", "nothing"])


@pytest.mark.skipif(not importlib.util.find_spec("av"), reason="PyAV is not installed")
def test_the_real_layout(benchmark, tmp_path, capsys):
    rng = np.random.RandomState(0)
    root = tmp_path / "MuscleMap"
    (root / "clips").mkdir(parents=True)
    (root / "skeletons").mkdir()
    lines = ["clip,activity,split"]
    for i in range(12):
        activity = ("squats", "push ups", "running")[i % 3]
        split = "new_test" if activity == "running" else "train" if i < 9 else "known_test"
        frames = [np.full((32, 32, 3), rng.randint(200), np.uint8) for _ in range(6)]
        short = i == 11  # a test clip: it must not be found after the training
        media.write_video(root / "clips" / f"{i}.mp4", frames[:3] if short else frames)
        np.save(root / "skeletons" / f"{i}.npy", rng.rand(6, 17, 3))
        lines.append(f"{i}.mp4,{activity},{split}")
    (root / "clips.csv").write_text("\n".join(lines))
    table = ["activity,quadriceps,chest", "squats,1,0", "push ups,0,1", "running,1,0"]
    (root / "muscles.csv").write_text("\n".join(table))
    benchmark.main(["--quick", "--jobs", "1", "--root", str(root), "--only", "TransM3E"])
    assert (
        "11 clips: 6 to train on, 2 of known activities and 3 of 1 new" in capsys.readouterr().out
    )
    row, *_ = stored(tmp_path, "musclemap_real_quick_runs.jsonl")
    assert row["run"] == "TransM3E" and row["parameters"] > 0
