"""The commands ``skrehab models list`` and ``skrehab models fetch``."""

import json
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from skrehab.cli._paths import expanded
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
    for line in listing(rows, files, stdout.width):
        stdout.print(line, highlight=False, soft_wrap=True)


def listing(rows, files, width=80):
    """Lay out networks and model files in lines; no name is ever cut.

    Parameters
    ----------
    rows : list of skrehab.networks.NetworkSpec
        The networks.
    files : list of skrehab.pose.ModelInfo
        The model files.
    width : int, default=80
        Longest line, in characters, where a word allows it.

    Returns
    -------
    list of str
        Lines.
    """
    lines = []
    for kind, title in (("pose", "Networks over landmarks"), ("rgb", "Networks over pictures")):
        own = [row for row in rows if row.input == kind]
        lines += [title, ""]
        indent = 2 + max((len(row.name) for row in own), default=0) + 2
        for row in own:
            details = [row.summary]
            if row.sizes:
                details.append(f"sizes: {', '.join(row.sizes)}")
            if row.skeleton != "any":
                details.append(f"skeleton: {row.skeleton}, to which trials are converted")
            lines += _entry(row.name, [*details, row.reference, row.licence], indent, width)
        lines.append("")
    lines += ["Model files", ""]
    for file in files:
        where = str(file.path) if file.path else f"not here: skrehab models fetch {file.name}"
        about = [file.description, file.license, where]
        lines += [f"  {file.name}", *_entry("", about, 6, width)]
    return lines


def _entry(name, details, indent, width):
    """A name, and to its right what there is to say, wrapped between words."""
    how = {"break_long_words": False, "break_on_hyphens": False}
    lines = [line for one in details for line in textwrap.wrap(one, max(30, width - indent), **how)]
    starts = [f"  {name}".ljust(indent)] + [" " * indent] * (len(lines) - 1)
    return [start + line for start, line in zip(starts, lines)]


def models_fetch(
    name: Annotated[
        str,
        typer.Argument(
            autocompletion=lambda: ["pose_landmarker_full"],
            help="Model file, such as pose_landmarker_full.",
        ),
    ],
    from_file: Annotated[
        Path | None,
        typer.Option(callback=expanded, help="Install this file instead of downloading."),
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
