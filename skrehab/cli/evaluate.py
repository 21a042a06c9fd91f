"""The command ``skrehab evaluate``: models compared on patients that they did not see."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from skrehab._written import written
from skrehab.cli._native import native_lines_logged
from skrehab.cli._paths import check_file, check_place
from skrehab.cli.app import (
    Jobs,
    Person,
    progress_bar,
    say_error,
    say_note,
    stderr,
    stdout,
)

__all__ = []

TRUTH = "truth"


def evaluate(
    manifest: Annotated[Path, typer.Argument(help="CSV: trial,path,patient,exercise,side,label.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the report.")],
    models: Annotated[
        str,
        typer.Option(
            help="Joined by commas: recommended; a network of poses, such as act or lstm, trained "
            "as published; truth, trained on frame labels where the manifest has them."
        ),
    ] = "recommended",
    normal_label: Annotated[
        str | None, typer.Option(help="Label that means 'no such motion'.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(min=2, help="Groups of patients held out in turn. Default: one at a time."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings from different seeds.")] = 1,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of the networks, instead of each one's own.")
    ] = None,
    skeleton: Annotated[str, typer.Option(help="recommended: as for 'skrehab train'.")] = "auto",
    person: Person = "steady",
    jobs: Jobs = 1,
):
    """Compare models on patients that they did not see, and write a report.

    A second run goes on where the first one was broken off.
    """
    from skrehab.datasets import load_manifest
    from skrehab.datasets.overview import describe_trials

    check_file(manifest, "manifest")
    check_place(output)
    names = [name.strip() for name in models.split(",") if name.strip()]
    data = load_manifest(manifest, normal_label=normal_label)
    for line in describe_trials(data):
        stdout.print(line, highlight=False, soft_wrap=True)
    if normal_label is not None:
        normal_label = _among(normal_label, sorted(set(data.y.tolist())))
    if folds is not None and folds > (n_patients := len(set(data.groups.tolist()))):
        raise ValueError(f"--folds {folds}: there are {n_patients} patients, and no more folds.")
    built = models_by_name(names, data, epochs, normal_label, skeleton)
    if isinstance(data.X[0], str | Path):
        data.X = _poses(data.X, person, output / "poses", jobs)
    run_study(
        built, data, output, normal_label=normal_label, cv=folds, random_state=range(seeds),
        n_jobs=jobs,
    )  # fmt: skip


def _among(normal_label, labels):
    """The label that was typed, a number where labels are."""
    by_text = {str(label): label for label in labels}
    if normal_label not in by_text:
        raise ValueError(f"The normal label {normal_label!r} is not among the labels {labels}.")
    return by_text[normal_label]


def models_by_name(names, data, epochs=None, normal_label=None, skeleton="auto"):
    """Build what was asked for by name."""
    from sklearn.pipeline import Pipeline

    from skrehab import DisplacementSmoother, FrameMLP, LandmarkScaler, networks
    from skrehab.cli._skeleton import skeleton_of
    from skrehab.evaluation import OnFrameTruth
    from skrehab.recipes import published, recommended

    known = [n for n in networks.list_networks() if networks.get_spec(n).input == "pose"]
    built = {}
    for name in names:
        if name == "recommended":
            own = {"max_epochs": epochs or "auto", "normal_label": normal_label}
            built[name] = recommended(skeleton_of(skeleton, data), **own)
        elif name == TRUTH:
            if data.frame_labels is None:
                raise ValueError("--models truth: the manifest has no column frame_labels.")
            frames = FrameMLP(max_epochs=epochs or 20)
            steps = [("motion", DisplacementSmoother()), ("scale", LandmarkScaler())]
            built[TRUTH] = OnFrameTruth(Pipeline([*steps, ("frames", frames)]))
        elif name in known:
            own = {} if epochs is None else {"max_epochs": epochs, "frame_epochs": epochs}
            built[name] = published(name, normal_label=normal_label, **own)
        else:
            raise ValueError(
                f"There is no model {name!r}: it may be recommended, truth, {', '.join(known)}."
            )
    if not built:
        raise ValueError("--models names no model.")
    return built


def _coded(data, codes):
    """Frame labels as the codes that trial labels have become; None where one has no code."""
    import numpy as np

    from skrehab.trials import UNLABELLED, ragged

    if data.frame_labels is None:
        return None
    code_of = dict(zip(data.y.tolist(), codes.tolist())) | {UNLABELLED: UNLABELLED}
    frames = [np.asarray(labels).tolist() for labels in data.frame_labels]
    strange = [label for one in frames for label in one if label not in code_of]
    if strange:
        say_note(
            f"note: frames are labelled {strange[0]!r}, as no trial is: the report leaves frame "
            "labels out."
        )
        return None
    return ragged(np.array([code_of[label] for label in one]) for one in frames)


def run_study(models, data, output, names=None, **how):
    """Evaluate with a bar, print the table, write page and tables; labels by name if given."""
    from skrehab.evaluation import evaluate_by_patient
    from skrehab.evaluation._study_data import labels_in_words

    output.mkdir(parents=True, exist_ok=True)
    with progress_bar() as bar:
        task = bar.add_task("folds", total=None)

        def told(done, total, left):
            text = "folds" if left != left or not left else f"folds, about {_time(left)} left"
            bar.update(task, completed=done, total=total, description=text)

        study = evaluate_by_patient(
            models, data, memory=output / "kept", explain=True, progress=told, **how
        )
    if names is not None:
        study = replace(study, data=labels_in_words(study.data, names))
    table = Table(title=f"{study.main_metric}, patients held out")
    for column in ("model", "mean +- sd", "95 % interval", "pooled", "patients"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for row in study.summary():
        table.add_row(
            row["method"],
            f"{row['mean']:.3f} +- {row['sd']:.3f}",
            f"{row['low']:.2f} to {row['high']:.2f}",
            f"{row['pooled']:.3f}",
            str(row["n_patients"]),
        )
    stdout.print(table)
    stderr.print(study.few_patients(), highlight=False, soft_wrap=True)
    study.to_csv(output)
    with written(output / "table.tex", text=True) as file:
        file.write(study.to_latex())
    report = study.to_html(output / "report.html")
    stdout.print(f"Report: {report}", highlight=False, soft_wrap=True)
    return study


def held_out_report(name, pipeline, data, poses, codes, names, output, seed, jobs):
    """Evaluate the one pipeline that is trained; return its trial scores by patient."""
    known = {**data, "X": poses, "y": codes, "frame_labels": _coded(data, codes)}
    named = None if [str(code) for code in range(len(names))] == names else names
    study = run_study({name: pipeline}, known, output, named, random_state=seed, n_jobs=jobs)
    return study.scores["trial AUC"][name]


def _poses(videos, person, kept, jobs):
    """Extract the poses that 'skrehab train' learns from; they are kept beside the folds."""
    from skrehab.pose import PoseExtractor, VideoError

    extractor = PoseExtractor(person=person, memory=str(kept), n_jobs=jobs, verbose=1)
    so_far = f"The poses found so far are kept in {kept}; the same command goes on with them."
    with native_lines_logged(False, say_error):
        try:
            return extractor.fit_transform(videos)
        except (VideoError, KeyboardInterrupt):
            if kept.exists():
                say_note(so_far)
            raise


def _time(seconds):
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
