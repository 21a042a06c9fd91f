"""The command ``skrehab demo``: both recipes and frame truth on synthetic patients."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from skrehab.cli.app import Jobs, ModelPath, Output, Seed, progress_bar, stdout

__all__ = []


def demo(
    output: Output = Path("skrehab-demo"),
    videos: Annotated[
        bool,
        typer.Option(
            "--videos",
            help="From short videos, drawn here: pose, check, train with report, overlay.",
        ),
    ] = False,
    patients: Annotated[
        int | None, typer.Option(min=3, help="Synthetic patients. Default: 18; of videos 5.")
    ] = None,
    repetitions: Annotated[
        int | None,
        typer.Option(min=1, help="Trials of each exercise and side. Default: 3; of videos 2."),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs of the recommended recipe, instead of its own choice."),
    ] = None,
    jobs: Jobs = 2,
    seed: Seed = 0,
    model_path: ModelPath = None,
):
    """Run the main job on synthetic patients and write a report.

    It takes a few minutes.
    """
    if videos:
        from skrehab.cli.demo_videos import run_on_videos

        run_on_videos(
            output, patients=patients or 5, repetitions=repetitions or 2, epochs=epochs, jobs=jobs,
            seed=seed, model_path=model_path,
        )  # fmt: skip
        return
    if model_path is not None:
        raise ValueError("--model-path is for --videos.")
    patients, repetitions = patients or 18, repetitions or 3
    from skrehab.cli.demo_report import write_demo
    from skrehab.cli.demo_run import N_FOLDS, run_demo
    from skrehab.evaluation.statistics import summary_table

    with progress_bar() as progress:
        task = progress.add_task("patients held out", total=3 * min(N_FOLDS, patients))
        result = run_demo(
            *(patients, repetitions),
            max_epochs=epochs or "auto",
            n_jobs=jobs,
            random_state=seed,
            on_fold=lambda: progress.advance(task),
        )
    table = Table(title="Frame AUC, patients the model never saw")
    for column in ("method", "mean ± sd", "pooled", "patients"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for row in summary_table(result.frame_auc):
        table.add_row(
            row["method"],
            f"{row['mean']:.3f} ± {row['sd']:.3f}",
            f"{row['pooled']:.3f}",
            str(row["n_patients"]),
        )
    stdout.print(table)
    for name, scores in result.video_auc.items():
        stdout.print(f"Trial AUC, {name}: {scores}", highlight=False)
    report = write_demo(result, output)
    stdout.print(f"Report: {report}", highlight=False)
