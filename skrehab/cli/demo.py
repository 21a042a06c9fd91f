"""The command ``skrehab demo``: both recipes and frame truth on synthetic patients."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from skrehab.cli.app import Jobs, Output, Seed, progress_bar, stdout

__all__ = []


def demo(
    output: Output = Path("skrehab-demo"),
    patients: Annotated[int, typer.Option(min=3, help="Synthetic patients.")] = 18,
    repetitions: Annotated[int, typer.Option(min=1, help="Trials of each exercise and side.")] = 3,
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs of the recommended recipe, instead of its own choice."),
    ] = None,
    jobs: Jobs = 2,
    seed: Seed = 0,
):
    """Run the main job on synthetic patients and write a report.

    It takes a few minutes.
    """
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
