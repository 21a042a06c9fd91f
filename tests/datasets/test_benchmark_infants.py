"""benchmarks/infants.py on a small generated copy in the published columns."""

import pathlib
import sys

import numpy as np
import pytest
from test_infants import CLINICAL, COLUMNS, PARTS, write

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "benchmarks"
TINY = ["--folds", "2", "--hidden-size", "3", "--epochs", "2", "--pretraining-epochs", "1"]
N_EACH = 5


@pytest.fixture
def infants(tmp_path):
    """Five infants a level: the higher the risk, the less the wrists move."""
    place = {part: (320.0 + 10 * (i % 3), 100.0 + 15 * i) for i, part in enumerate(PARTS)}
    rng = np.random.RandomState(0)

    def rows(video, level):
        shift = rng.uniform(-50, 50, 2)
        for frame in range(24):
            for i, (part, (x, y)) in enumerate(place.items()):
                swing = (60 - 15 * level) * np.sin(frame + i) if part.endswith("Wrist") else 0
                spot = x + swing + shift[0], y + shift[1]
                yield [0, video, frame, *np.round(spot, 2), part, 10, 640, 480, frame / 10, i]

    names = [f"video_{k:06}" for k in range(N_EACH)]
    write(tmp_path / "pose_estimates_youtube_dataset.csv", COLUMNS,
          [row for name in names for row in rows(name, 0)])  # fmt: skip
    write(tmp_path / "meta_data_youtube_dataset.csv", ["", "video", "infant_id", "age_in_weeks"],
          [[k, name, k, 10] for k, name in enumerate(names)])  # fmt: skip
    clinic = [(k, 1 + k % 3) for k in range(3 * N_EACH)]
    write(tmp_path / "pose_estimates_clinical_dataset.csv", COLUMNS,
          [row for k, level in clinic for row in rows(f"822487-{k}-1-1-GP", level)])  # fmt: skip
    write(tmp_path / "meta_data_clinical_dataset.csv", CLINICAL,
          [[k, k, 1, 3, 0, "", "", level - 1, ""] for k, level in clinic])  # fmt: skip
    return tmp_path


def test_every_model_stands_beside_what_is_printed(infants, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import infants as benchmark

    try:
        benchmark.main([str(infants), *TINY, "--results", str(infants / "results")])
    finally:
        for name in ("infants", "_report"):
            sys.modules.pop(name, None)
    text = (infants / "results" / "infants.md").read_text()
    rows = {
        cells[0]: cells[1:]
        for line in text.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("| ").split("|")]) >= 2
    }
    assert "20 videos of 20 infants; 0 left out" in text
    assert rows["full, as printed"][0] == "0.89" and rows["U+S, as printed"][0] == "0.86"
    assert float(rows["MovementSummary"][0]) >= 0.5  # of four levels
    assert float(rows["the commonest level"][0]) <= 0.25
    for name in (
        *("duration alone", "expert on poses, no encoder"),
        "expert on an encoder that learned from healthy infants",
    ):
        assert all(0 <= float(cell) <= 1 for cell in rows[name])
