"""What must work wherever skrehab was installed; run in an empty folder, with its version.

Parts that need torch or MediaPipe are left out where those are not installed; the pose of the mini
set is, where the pose model is not (``skrehab models fetch``).
"""

import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skrehab
from skrehab.datasets import load_manifest
from skrehab.datasets.overview import describe_trials

MAY_LACK = {"torch", "skorch", "mediapipe", "av", "matplotlib", "flatbuffers"}


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


def import_all():
    """Import every public name; what lacks is told apart from what is broken by its name.

    Returns
    -------
    tuple of int
        Names that were imported, and those that want a package that is not installed.
    """
    root = Path(skrehab.__file__).parent
    rooms = [f".{one.parent.name}" for one in sorted(root.glob("*/__init__.py"))]
    rooms += [f".{one.stem}" for one in sorted(root.glob("[!_]*.py"))]
    found, without = 0, 0
    for room in ["", *rooms]:
        try:
            module = importlib.import_module(f"skrehab{room}")
            names = getattr(module, "__all__", ())
        except ModuleNotFoundError as error:
            names = ()
            without += is_left_away(error)
        for name in names:
            try:
                getattr(module, name)
                found += 1
            except ModuleNotFoundError as error:
                without += is_left_away(error)
    return found, without


def is_left_away(error):
    """Tell whether it is one of the large packages that is not installed; else fail."""
    away = (error.name or "").partition(".")[0]
    if away not in MAY_LACK or importlib.util.find_spec(away) is not None:
        raise error
    return True


def fit_without_torch(data):
    """Fit, save and load what needs no torch."""
    summary = skrehab.MovementSummary("mediapipe33", frame_rate=10)
    model = make_pipeline(summary, LogisticRegression()).fit(data.X, data.y)
    again = skrehab.load(skrehab.save(model, "linear"))
    assert (again.predict_proba(data.X) == model.predict_proba(data.X)).all()


def pose_of(videos):
    """Find the pose in drawn clips; None where the pose model is not installed."""
    from skrehab.pose import ModelError, find_model

    try:
        find_model()
    except ModelError:
        return None
    trials = skrehab.PoseExtractor().fit_transform([str(video) for video in videos])
    for trial in trials:
        assert trial.shape[1:] == (33, 3) and np.isfinite(trial).mean() > 0.9, trial.shape
    return len(trials)


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
    fit_without_torch(data)
    found, without = import_all()
    assert found > 200 and (without == 0 or importlib.util.find_spec("torch") is None)
    done = ["command", "manifest", "page", "linear model saved and loaded"]
    done += [f"{found} public names imported, {without} want what is not installed"]
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

        clips = write_mini_set("film", 1, 1).manifest
        posed = pose_of(sorted(Path(clips).parent.rglob("*.mp4")))
        done.append(f"pose of {posed} clips" if posed else "mediapipe is imported, no pose model")
    print(", ".join(done))


if __name__ == "__main__":
    main(sys.argv[1])
