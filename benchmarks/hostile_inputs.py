"""What hostile files and requests do to skrehab: how many were tried, and how many were refused.

The cases are those of the tests. "Held" means what the case promises: a clear error before memory
is taken, one job that fails instead of the program, nothing opened, run, written or sent. Poisons
are counted one by one: every parameter and every fitted attribute of every class that a model
folder may hold, with every kind of poison, under a watch that sees files, processes, sockets and
imports.
"""

import os
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from _report import write_report  # noqa: E402

GROUPS = {
    "model folders: every value poisoned": "persistence/test_poisoned_models.py",
    "model folders: files that seem to be others": "persistence/test_hostile_files_of_models.py",
    "ONNX files": "onnx/test_foreign_files.py",
    "text, tables, JSON, XML": "formats/test_hostile_files.py",
    "archives of arrays": "formats/test_npz.py",
    "folders of data sets": "datasets/test_limits.py",
    "videos and pictures: sizes, bombs, times": "pose/test_limits.py",
    "pose models": "pose/test_pose_model.py",
    "requests and uploads to the page": "serve/test_hostile_requests.py",
    "what ends or takes over the process that opens uploads": "serve/test_process.py",
    "links planted where files are written": "test_written.py",
    "names that act in a terminal": "cli/test_terminal.py",
}


class Count:
    """What became of the cases of one group."""

    def __init__(self):
        self.held = self.skipped = self.failed = self.poisons = self.refused = 0

    def pytest_runtest_logreport(self, report):
        """Count a case once: by its call, or by what kept it from being called."""
        if report.when != "call" and report.passed:
            return
        self.held += report.passed
        self.skipped += report.skipped
        self.failed += report.failed
        known = dict(report.user_properties)
        self.poisons += known.get("tried", 0)
        self.refused += known.get("refused", 0)


def main():
    """Run the tests of each group and write the table."""
    os.chdir(ROOT)
    rows, poisons, start = [], Count(), time.perf_counter()
    for group, file in GROUPS.items():
        count = Count()
        pytest.main(["-q", "-p", "no:cacheprovider", f"tests/{file}"], plugins=[count])
        rows.append(
            {
                "what comes": group,
                "cases": count.held + count.failed + count.skipped,
                "held": count.held,
                "skipped here": count.skipped,
                "failed": count.failed,
            }
        )
        poisons.poisons += count.poisons
        poisons.refused += count.refused
    total = {key: sum(row[key] for row in rows) for key in list(rows[0])[1:]}
    rows.append({"what comes": "**all**", **total})
    write_report(
        "hostile_inputs",
        rows,
        __doc__,
        packages=("numpy", "av", "mediapipe", "safetensors", "onnxruntime", "h5py"),
        notes=(
            f"Poisons in model folders: {poisons.poisons:,} tried, {poisons.refused:,} refused by "
            "name, and nothing was opened, run or sent meanwhile. All of it takes "
            f"{time.perf_counter() - start:.0f} s. A case that is skipped needs the pose model, "
            "another system or a package that was not there."
        ),
    )
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
