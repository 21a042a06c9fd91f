"""The command ``skrehab check``: what a manifest holds and what is odd about it."""

from pathlib import Path
from typing import Annotated

import typer

from skrehab.cli._paths import check_file
from skrehab.cli.app import stderr, stdout

__all__ = []


def check(
    manifest: Annotated[Path, typer.Argument(help="CSV: trial,path,patient,exercise,side,label.")],
    normal_label: Annotated[
        str | None, typer.Option(help="Label that means 'no such motion'.")
    ] = None,
):
    """Say what a manifest holds and what is odd about it; nothing is trained."""
    check_file(manifest, "manifest")
    from skrehab.datasets import load_manifest
    from skrehab.datasets.overview import describe_trials
    from skrehab.evaluation.checks import oddities

    # names that look alike are what is looked for, and would be refused
    data = load_manifest(manifest, normal_label=normal_label, alike="different")
    for line in describe_trials(data):
        stdout.print(line, highlight=False, soft_wrap=True)
    found = oddities(data, normal_label)
    for line in found:
        stderr.print(f"note: {line}", highlight=False, soft_wrap=True)
    if not found:
        stdout.print("Nothing odd was found.", highlight=False)
