"""benchmarks/field_data.py on small generated copies in the published layouts."""

import json
import pathlib
import sys

import numpy as np
import pytest
from test_field_readers import SERE_LABELS, body, csv, irds_line

from skrehab.skeletons import get_skeleton

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import field_data

    yield field_data
    sys.modules.pop("field_data", None)


def make_trsp(root):
    """Three people, four tasks each; every second one leans forward for its second half."""
    at = get_skeleton("kinect25").index
    for person in ("P01", "P02", "H01"):
        for task in range(4):
            pose = 0.1 * body(16, seed=task)
            for joint, place in (
                *(("left_shoulder", (-0.2, 0.5)), ("right_shoulder", (0.2, 0.5))),
                *(("left_hip", (-0.1, 0)), ("right_hip", (0.1, 0)), ("head", (0, 0.8))),
            ):
                pose[:, at(joint), :2] += place
            labels = np.ones((16, 1), dtype=int)
            if task % 2:
                labels[8:] = 2
                for joint in ("left_shoulder", "right_shoulder", "head"):
                    pose[8:, at(joint), 2] -= 0.3  # nearer to the camera
            csv(root / person / f"Task{task}_L" / "Joint_Positions.csv", pose.reshape(-1, 3))
            csv(root / person / f"Task{task}_L" / "Labels.csv", labels)


def make_irds(root):
    for person in (101, 102, 303):
        for label in (1, 2):
            lines = [irds_line(body(1, seed=i)[0], 33 * i) for i in range(12 * label)]
            name = f"{person}_1_0_{label}_{label}_stand.txt"
            (root / name).write_text("Version0.1\n" + "".join(lines))


def make_sere(root):
    titles = [f"{axis}{i}" for i in range(33) for axis in "xyz"]
    rows, labels, frames = [], [], []
    rng = np.random.RandomState(0)
    for person in ("p1", "p2"):
        for i in range(24):
            rows.append([person, i, *rng.randn(99).round(3)])
            frames.append([person, i, *[int(i >= 12)] * 6])
        labels += [[person, 0, 12, *[0] * 6], [person, 12, 24, *[1] * 6]]
    csv(root / "E1_mp_world_landmarks.csv", [["pid", "frame", *titles], *rows])
    csv(root / "E1_labels.csv", [["pid", "frame_init", "frame_end", *SERE_LABELS], *labels])
    csv(root / "E1_frame_labels.csv", [["pid", "frame", *SERE_LABELS], *frames])


def run(benchmark, name, tmp_path):
    benchmark.main([name, str(tmp_path), "--epochs", "3", "--results", str(tmp_path / "results")])
    lines = (tmp_path / "results" / f"field_{name}.md").read_text().splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return dict(one for one in cells if len(one) == 2), "\n".join(lines)


def test_a_planted_lean_is_found_on_a_copy_of_trsp(benchmark, tmp_path):
    make_trsp(tmp_path)
    rows, text = run(benchmark, "trsp", tmp_path)
    assert "12 trials of 3 people; 0 left out" in text
    assert rows["trials: duration alone"].startswith("0.500")  # all last as long
    assert rows["trials: MovementSummary"].startswith("1.000")
    assert float(rows["frames: lean_forward"]) > 0.9
    assert rows["frames: trunk_rotation"] == "nan"  # nobody did


def test_a_copy_of_irds_whose_errors_last_longer(benchmark, tmp_path):
    make_irds(tmp_path)
    rows, _ = run(benchmark, "irds", tmp_path)
    assert rows["trials: duration alone"] == "1.000 ± 0.000 (3 people)"
    assert not [name for name in rows if name.startswith("frames")]


def test_sere_stands_beside_what_its_authors_print(benchmark, tmp_path):
    make_sere(tmp_path)
    rows, _ = run(benchmark, "sere", tmp_path)
    assert rows["trials: MOMENT, as printed"] == ".73"
    assert rows["frames: AcT, integrated gradients, as printed"] == ".72 / .72"
    assert "frames: mean over labels" in rows and "frames: head" in rows


def make_nw_ucla(root):
    """Three people stand up, over 20 frames, and sit down, over 14."""
    for person in (1, 2, 3):
        for action, n in ((5, 14), (6, 20)):
            pose = body(n, 20, seed=person)
            pose[:, :, 1] += np.linspace(0, 0.5, n)[:: (1 if action == 6 else -1), None]
            name = f"a{action:02}_s{person:02}_e01_v01"
            content = {"file_name": name, "skeletons": pose.tolist(), "label": action}
            (root / f"{name}.json").write_text(json.dumps(content))


def make_keraal(root):
    """Group 3: two people, correct and with each of two errors; those last longer."""
    folder = root / "group3" / "kinect"
    folder.mkdir(parents=True)
    for person in (1, 2):
        for trial, (error, n) in enumerate((("C", 10), ("C", 11), ("E1", 16), ("E2", 18))):
            pose = body(n, seed=trial)
            rows = np.concatenate([pose, np.zeros((n, 25, 4))], axis=2).reshape(n, 175)
            text = "\n".join(" ".join(map(str, row)) for row in rows)
            name = f"G3-Kinect-ELK-P{person}T{trial}-Unknown-{error}-{int(error != 'C')}"
            (folder / f"{name}.txt").write_text(text)


def make_rehab24_6(root):
    """Three people; what is wrong lasts longer."""
    rows = ["video_id;repetition_number;exercise_id;person_id;first_frame;last_frame;correctness"]
    (root / "3d_joints" / "Ex6").mkdir(parents=True)
    for person in (1, 2, 3):
        pose = np.random.RandomState(person).uniform(0.1, 0.3, (100, 26, 4))
        pose[..., 3] = 1
        np.save(root / "3d_joints" / "Ex6" / f"PM_{person}-30fps.npy", pose)
        rows += [f"PM_{person};{k};6;{person};{a};{b};{c}" for k, a, b, c in (
            (1, 0, 19, 1), (2, 20, 41, 1), (3, 42, 69, 0), (4, 70, 99, 0))]  # fmt: skip
    (root / "Segmentation.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("name", ["nw_ucla", "keraal", "rehab24_6"])
def test_copies_whose_positive_trials_last_longer(benchmark, tmp_path, name):
    {"nw_ucla": make_nw_ucla, "keraal": make_keraal, "rehab24_6": make_rehab24_6}[name](tmp_path)
    rows, text = run(benchmark, name, tmp_path)
    n_people = 2 if name == "keraal" else 3
    assert rows["trials: duration alone"] == f"1.000 ± 0.000 ({n_people} people)"
    assert "0 left out" in text and f"of {n_people} people" in text


def test_every_reader_of_the_benchmark_ran(benchmark):
    assert set(benchmark.READERS) == {"sere", "trsp", "irds", "nw_ucla", "keraal", "rehab24_6"}
