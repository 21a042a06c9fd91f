"""Ctrl-C in the middle of a command."""

import csv
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import skrehab


@pytest.mark.skipif(not pathlib.Path("/proc/self/maps").exists(), reason="needs Linux")
@pytest.mark.parametrize("options", [["--no-evaluate"], []], ids=["training", "cross-validation"])
def test_an_interruption_ends_train_and_writes_nothing(tmp_path, options):
    """It went on to the next fold, wrote a network of a few epochs, and printed an AUC."""
    rng, rows = np.random.RandomState(0), []
    for i in range(12):
        label = ("usual", "compensation")[i % 2]
        trial = 0.05 * rng.randn(100, 33, 3)
        trial[50:] += label == "compensation"
        np.save(tmp_path / f"t{i}.npy", trial)
        rows.append([f"T{i}", f"t{i}.npy", f"P{i // 4}", "reach", "left", label])
    with open(tmp_path / "trials.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["trial", "path", "patient", "exercise", "side", "label"])
        writer.writerows(rows)
    command = ["train", tmp_path / "trials.csv", "-o", tmp_path / "model"]
    command += ["--normal-label", "usual", "--epochs", "100000", *options]
    root = pathlib.Path(skrehab.__file__).parents[1]
    # nohup and a shell's background pass their deafness on to what they start
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code += "from skrehab.cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)},
    )
    try:
        maps = pathlib.Path(f"/proc/{process.pid}/maps")
        while process.poll() is None and "libtorch_cpu" not in maps.read_text():
            time.sleep(0.2)
        time.sleep(15)  # imports end, and training, which would take hours, begins
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=200)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130
    assert "Interrupted: what was finished before is kept" in " ".join(said.split())
    words = " ".join(said.split())
    assert "12 trials of 3 patients" in words
    if options:
        assert "No model was written; a second run trains it anew." in words
    else:
        assert "patients held out and scored. Their scores are not kept" in words
    assert "AUC" not in said and "Traceback" not in said
    assert not (tmp_path / "model").exists()


def test_what_is_done_is_said(capsys):
    from skrehab.cli.app import if_interrupted

    done = 2
    with pytest.raises(KeyboardInterrupt), if_interrupted(lambda: f"{done} of 3 are done."):
        done = 3
        raise KeyboardInterrupt
    assert capsys.readouterr().err.strip() == "3 of 3 are done."
    with pytest.raises(ValueError), if_interrupted(lambda: "nothing"):
        raise ValueError
    assert capsys.readouterr().err == ""
