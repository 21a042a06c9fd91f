"""The demo on videos: drawn clips, then the very commands that one's own videos take."""

import csv
import shlex
from pathlib import Path

from skrehab._written import written
from skrehab.cli.app import progress_bar, stderr, stdout

__all__ = []


def run_on_videos(folder, *, patients, repetitions, epochs, jobs, seed, model_path=None):
    """Draw a mini set and take it from videos to a report, a model and an overlay.

    Parameters
    ----------
    folder : Path
        Where everything is written.
    patients, repetitions : int
        Of the mini set, see :func:`skrehab.datasets.write_mini_set`.
    epochs : int or None
        Epochs of the networks; None is their own choice.
    jobs : int
        Processes of the evaluation.
    seed : int
        Of the networks, and added to that of the clips.
    model_path : Path, optional
        Pose model file.
    """
    from skrehab.pose import find_model

    model_path = Path(find_model(model_path))  # before the work; says how to get it
    mini = draw(folder / "mini", patients, repetitions, seed + 1)
    new = draw(folder / "new", 1, 1, seed + 1001)
    poses, listed, model = folder / "poses", folder / "trials.csv", folder / "model"
    report, assessed = folder / "report", folder / "assessed"

    from skrehab.cli.assess import assess
    from skrehab.cli.check import check
    from skrehab.cli.pose import pose
    from skrehab.cli.train import train

    say("pose", folder / "mini" / "videos", "-o", poses)
    pose([folder / "mini" / "videos"], poses, model_path=model_path)
    list_poses(listed, mini, poses)
    say("check", listed)
    check(listed)
    names = "0=usual,1=compensation"
    say("train", listed, "-o", model, "--report", report, "--label-names", names)
    train(
        *(listed, model), label_names=names, epochs=epochs, report=report, jobs=jobs, seed=seed,
        overwrite=True,
    )  # fmt: skip
    say("assess", model, folder / "new" / "videos", "-o", assessed)
    assess(model, [folder / "new" / "videos"], assessed, model_path=model_path, overwrite=True)
    stdout.print(f"Report: {report / 'report.html'}", highlight=False, soft_wrap=True)
    first = assessed / f"{new.videos[0].stem}_overlay.mp4"
    stdout.print(
        f"A new patient, with skeleton and score: {first}", highlight=False, soft_wrap=True
    )


def draw(folder, patients, repetitions, seed):
    """Draw clips with a bar; those that are there already are taken as they are."""
    from sklearn.utils import Bunch

    from skrehab.datasets import write_mini_set

    manifest = folder / "trials.csv"
    if manifest.exists():
        videos = sorted((folder / "videos").glob("*.mp4"))
        return Bunch(manifest=manifest, truth=folder / "truth.csv", videos=videos)
    with progress_bar() as bar:
        task = bar.add_task(f"drawing {folder.name}", total=None)
        return write_mini_set(
            *(folder, patients, repetitions),
            random_state=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def list_poses(path, mini, poses):
    """Write the list of the mini set with poses in place of videos, and with its frame truth.

    Parameters
    ----------
    path : Path
        The CSV.
    mini : Bunch
        From :func:`skrehab.datasets.write_mini_set`.
    poses : Path
        Folder of poses, beside the list.
    """
    with open(mini.manifest, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    truth = mini.truth.relative_to(path.parent).as_posix()
    with written(path, text=True) as file:
        table = csv.DictWriter(file, [*rows[0], "frame_labels"], lineterminator="\n")
        table.writeheader()
        for row in rows:
            row["path"] = f"{poses.name}/{Path(row['path']).stem}.npz"
            table.writerow(row | {"frame_labels": truth})


def say(*words):
    """Show the command that does the step which follows."""
    line = shlex.join(["skrehab", *map(str, words)])
    stderr.print(f"\n$ {line}", highlight=False, soft_wrap=True, style="bold")
