"""What all commands share: the app they hang on, where they print, options, progress."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from skrehab.cli._console import PlainConsole

__all__ = []

app = typer.Typer(
    help="Frame-level assessment of rehabilitation exercises from one label per video. Nothing "
    "leaves this machine; only 'skrehab models fetch' uses the network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help="Networks and model files.", no_args_is_help=True)
app.add_typer(models_app, name="models")

stdout = PlainConsole()
stderr = PlainConsole(stderr=True)

Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Person = Annotated[
    str,
    typer.Option(
        help="Whom to follow when several people are seen: steady, follow, seated, largest, center."
    ),
]
TargetFps = Annotated[
    float | None, typer.Option(help="Resample videos to so many frames a second first.")
]
MinVisibility = Annotated[
    float, typer.Option(min=0, max=1, help="Landmarks less visible than this become NaN.")
]


def say_error(error):
    """Print an error on stderr."""
    stderr.print(Text("error:", "bold red"), str(error), highlight=False, soft_wrap=True)


def progress_bar():
    """Make a progress bar on stderr."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
    )
