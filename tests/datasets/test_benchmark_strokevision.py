"""benchmarks/strokevision.py in a small form: drawn clips, a copy of the layout, kept results."""

import importlib.util
import json
import pathlib
import sys

import media
import numpy as np
import pytest

from skrehab.datasets import make_bbt_clips

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
TINY = {
    "r3d": {"widths": (4, 4, 8, 8), "n_blocks": (1, 1, 1, 1), "n_frames": 4, "image_size": 32},
    "msg3d": {"widths": (6, 6, 12), "n_gcn_scales": 2, "n_g3d_scales": 2, "windows": (3,)}
    | {"n_frames": 8},
}
FEW = ["--patients", "3", "--clips-per-class", "2", "--only"]
LATE = "R3D + MS-G3D, late"


@pytest.fixture
def benchmark(monkeypatch):
    for package in ("torchvision", "matplotlib"):
        if not importlib.util.find_spec(package):
            pytest.skip(f"{package} is not installed")
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.delitem(sys.modules, "_report", raising=False)
    spec = importlib.util.spec_from_file_location("strokevision", BENCHMARKS / "strokevision.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for row, (published, network, params, _, lr) in list(module.MODELS.items()):
        params = TINY.get(network, params)
        monkeypatch.setitem(module.MODELS, row, (published, network, params, 1, lr))
    yield module
    sys.modules.pop("_report", None)


def kept(folder, name):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def table(text):
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {cells[0].strip(): cells for cells in lines}


def test_it_goes_on_where_it_was_in_a_folder_that_was_not_there(benchmark, tmp_path, capsys):
    folder = tmp_path / "not" / "there"
    benchmark.main([*FEW, "R3D", "--results", str(folder)])
    capsys.readouterr()
    first = kept(folder, "strokevision_kept.jsonl")
    assert [(one["row"], one["fold"]) for one in first] == [("R3D", i) for i in range(3)]
    tested = sum(len(one["proba"]) for one in first)
    assert tested == 24  # each clip once
    for one in first:
        np.testing.assert_allclose(np.sum(one["proba"], axis=1), 1, atol=1e-3)
    # the last line was half written when the run ended
    file = folder / "strokevision_kept.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:2], lines[2][:50]]) + "\n")
    benchmark.main([*FEW, "R3D", "MS-G3D", LATE, "--results", str(folder)])
    out = capsys.readouterr().out
    assert "R3D, seed 0, fold 2" in out and "R3D, seed 0, fold 1" not in out
    assert "Not computed in this run: R(2+1)D, MViT" in out
    rows = table(out)
    assert {"most frequent class", "R3D", "MS-G3D", LATE} <= set(rows)
    assert (folder / "strokevision_confusion.png").stat().st_size > 1000

    # what is late is the mean of what both said, and the table counts what is right
    found = {}
    for line in file.read_text().splitlines():
        if line.endswith("}"):
            one = json.loads(line)
            found[one["row"], one["fold"]] = np.array(one["proba"])
    data = benchmark.load(benchmark.arguments(FEW[:-1]))
    right = []
    for fold, (_, test) in enumerate(benchmark.folds(data, 0)):
        mean = (found["R3D", fold] + found["MS-G3D", fold]) / 2
        right.append(np.unique(data.target)[mean.argmax(axis=1)] == data.target[test])
    assert rows[LATE][1].startswith(f"{100 * np.mean(np.concatenate(right)):.1f} ")


def test_a_changed_recipe_and_other_clips_are_computed_anew(benchmark, tmp_path, monkeypatch):
    where = ["--results", str(tmp_path)]
    file = tmp_path / "strokevision_kept.jsonl"
    benchmark.main([*FEW, "MS-G3D", *where])
    benchmark.main([*FEW, "MS-G3D", *where])
    assert len(file.read_text().splitlines()) == 3
    published, network, params, epochs, lr = benchmark.MODELS["MS-G3D"]
    monkeypatch.setitem(benchmark.MODELS, "MS-G3D", (published, network, params, epochs, 2 * lr))
    benchmark.main([*FEW, "MS-G3D", *where])
    assert len(file.read_text().splitlines()) == 6
    benchmark.main(["--patients", "4", *FEW[2:], "MS-G3D", *where])
    assert len(file.read_text().splitlines()) == 9


def test_real_clips_have_their_own_files_and_their_own_split(benchmark, tmp_path, capsys):
    pytest.importorskip("av")
    drawn = make_bbt_clips(n_patients=3, clips_per_class=1, n_frames=8, random_state=0)
    root, folder = tmp_path / "copy", tmp_path / "results"
    lines = ["clip,patient,label,split"]
    for i, (video, pose) in enumerate(zip(drawn.videos, drawn.poses)):
        patient = drawn.patients[i]
        for kind in ("clips", "keypoints"):
            (root / kind / patient).mkdir(parents=True, exist_ok=True)
        media.write_video(root / "clips" / patient / f"c{i}.mp4", list(video))
        np.save(root / "keypoints" / patient / f"c{i}.npy", pose)
        split = "test" if patient == "P03" else "train"
        lines.append(f"c{i},{patient},{drawn.target[i]},{split}")
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    how = ["--data", str(root), "--results", str(folder), "--only"]
    benchmark.main([*how, "R3D", "--seeds", "2", "--device", "cpu"])
    capsys.readouterr()
    found = kept(folder, "strokevision_real_kept.jsonl")
    assert [(one["seed"], one["fold"], len(one["proba"])) for one in found] == [
        (0, 0, 4),
        (1, 0, 4),
    ]
    assert (
        not list(folder.glob("strokevision_kept*")) and (folder / "strokevision_real.md").exists()
    )
    text = (root / "labels.csv").read_text().replace(",train", ",fitting")
    (root / "labels.csv").write_text(text)
    with pytest.raises(SystemExit, match=r"splits \['fitting', 'test'\], not train and test"):
        benchmark.main([*how, "R3D"])


def test_recipes_fit_their_networks(benchmark):
    """What a recipe sets, its estimator and network take; each row has one."""
    assert set(benchmark.FULL) == set(benchmark.MODELS)
    options = benchmark.arguments(["--full-size", "--device", "cuda", "--weights", "R3D=r3d.pth"])
    for row in benchmark.MODELS:
        model = benchmark.model(row, options, 3)
        model._validate_params()
        assert model.device == "cuda" and model.random_state == 3
        assert (model.weights == "r3d.pth") == (row == "R3D") and model.max_epochs >= 30
    assert benchmark.model("R3D", options, 0).head == "new"
    motionbert = benchmark.model("MotionBERT", options, 0).network_params
    assert motionbert == {"normalize": True, "crop_ratio": 1.0}
    with pytest.raises(SystemExit, match="There is no row"):
        benchmark.arguments(["--weights", "R4D=a.pth"])
