"""What must work wherever skrehab was installed; run in an empty folder, with its version.

Parts that need torch or MediaPipe are left out where those are not installed.
"""

import importlib.metadata
import importlib.resources
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import skrehab
from skrehab.datasets import load_manifest
from skrehab.datasets.overview import describe_trials


def run(*arguments):
    """Run the command of this environment and return what it prints."""
    script = Path(sys.executable).with_name("skrehab")
    return subprocess.run(
        [script, *arguments], check=True, capture_output=True, text=True, timeout=600
    ).stdout


def made_up():
    """Write a manifest of six trials of three people."""
    rng = np.random.RandomState(0)
    lines = ["trial,path,patient,exercise,side,label"]
    for i in range(6):
        np.save(f"t{i}.npy", rng.randn(30, 33, 3) + (i % 2) * np.linspace(0, 1, 30)[:, None, None])
        lines.append(f"T{i},t{i}.npy,P{i // 2},reach,left,{i % 2}")
    Path("trials.csv").write_text("\n".join(lines) + "\n")


def main(version):
    """Check everything and say what was checked."""
    assert skrehab.__version__ == importlib.metadata.version("skrehab") == version
    assert Path(sys.prefix) in Path(skrehab.__file__).parents, skrehab.__file__
    about = importlib.metadata.metadata("skrehab")
    text = about.get_payload() or about.get("Description", "")
    assert "skrehab learns" in text and "](docs" not in text
    page = importlib.resources.files("skrehab.serve").joinpath("page")
    assert {"index.html", "app.js", "style.css"} <= {one.name for one in page.iterdir()}
    assert run("--version").split() == ["skrehab", version]
    assert len(json.loads(run("models", "list", "--json"))["networks"]) > 20
    made_up()
    data = load_manifest("trials.csv")
    assert describe_trials(data)[0] == "trials.csv: 6 trials of 3 patients, 1 exercise"
    done = ["command", "manifest", "page"]
    assert importlib.resources.files("skrehab").joinpath("py.typed").is_file()
    assert importlib.resources.files("skrehab.metrics").joinpath("__init__.pyi").is_file()
    if importlib.util.find_spec("av") and importlib.util.find_spec("scipy"):
        from skrehab.datasets import write_mini_set

        mini = write_mini_set("mini", 1, 1, frame_rate=2, size=64)
        assert load_manifest(mini.manifest).groups.tolist() == ["P01", "P01"]
        done += ["mini set drawn"]
    if importlib.util.find_spec("torch"):
        model = skrehab.VideoClassifier("lstm", max_epochs=1, random_state=0).fit(data.X, data.y)
        again = skrehab.load(skrehab.save(model, "lstm"))
        assert (again.predict_proba(data.X) == model.predict_proba(data.X)).all()
        run("train", "trials.csv", "-o", "model", "--epochs", "1", "--no-evaluate")
        assert (Path("model") / "model.json").exists()
        done += ["network saved and loaded", "train"]
    if importlib.util.find_spec("mediapipe"):
        import mediapipe  # noqa: F401

        done.append("mediapipe is imported")
    print(", ".join(done))


if __name__ == "__main__":
    main(sys.argv[1])
