"""What hostile files and requests do to skrehab: how many were tried, and how many were refused.

The cases are those of the tests. "Held" means what the case promises: a clear error before memory
is taken, one job that fails instead of the program, nothing opened, run, written or sent. Poisons
are counted one by one: every parameter and every fitted attribute of every class that a model
folder may hold, with every kind of poison, under a watch that sees files, processes, sockets and
imports.
"""

import json
import os
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
os.environ["SKREHAB_TEST_SECONDS"] = "1400"  # this may run beside other work

from _report import RESULTS, write_report  # noqa: E402

GROUPS = {
    "model folders: every value poisoned": "persistence/test_poisoned_models.py",
    "model folders: files that seem to be others": "persistence/test_hostile_files_of_models.py",
    "ONNX files": "onnx/test_foreign_files.py",
    "text, tables, JSON, XML": "formats/test_hostile_files.py",
    "archives of arrays": "formats/test_npz.py",
    "folders of data sets": "datasets/test_reader_limits.py",
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


def run(file):
    """Run the tests of one file and count."""
    if not (ROOT / "tests" / file).is_file():
        sys.exit(f"There is no tests/{file}: it was moved. Say where it stands in GROUPS.")
    count, start = Count(), time.perf_counter()
    pytest.main(
        ["-q", "-p", "no:cacheprovider", "-o", "timeout=1500", f"tests/{file}"], plugins=[count]
    )
    return vars(count) | {"seconds": round(time.perf_counter() - start)}


def main():
    """Run the groups whose files are named like an argument, or all; write the table of all."""
    os.chdir(ROOT)
    store = RESULTS / "hostile_inputs.json"
    known = json.loads(store.read_text()) if store.exists() else {}
    for file in GROUPS.values():
        if len(sys.argv) == 1 or any(part in file for part in sys.argv[1:]):
            known[file] = run(file)
            store.write_text(json.dumps(known, indent=1) + "\n")
    rows = []
    for group, file in GROUPS.items():
        if file in known:
            one = known[file]
            cases = one["held"] + one["skipped"] + one["failed"]
            rows.append({"what comes": group, "cases": cases, "held": one["held"],
                         "skipped here": one["skipped"], "failed": one["failed"]})  # fmt: skip
    total = {key: sum(row[key] for row in rows) for key in list(rows[0])[1:]}
    rows.append({"what comes": "**all**", **total})
    absent = [group for group, file in GROUPS.items() if file not in known]
    tried, refused, seconds = (
        sum(one[key] for one in known.values()) for key in ("poisons", "refused", "seconds")
    )
    write_report(
        "hostile_inputs",
        rows,
        __doc__,
        packages=("numpy", "av", "mediapipe", "safetensors", "onnxruntime", "h5py"),
        notes=(
            f"Poisons in model folders: {tried:,} tried, {refused:,} refused by name, and nothing "
            f"was opened, run or sent meanwhile. All of it took {seconds:,} s on a machine with "
            "other work. A case that is skipped needs the pose model, another system or a package "
            "that was not there." + (f" Not counted yet: {'; '.join(absent)}." if absent else "")
        ),
    )
    sys.exit(1 if total["failed"] else 0)


if __name__ == "__main__":
    main()
