"""What all commands share: the app they hang on, where they print, options, progress."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from skrehab.cli._console import PlainConsole
from skrehab.cli._paths import expanded

__all__ = []

app = typer.Typer(
    help="Frame-level assessment of rehabilitation exercises from one label per video. Nothing "
    "leaves this machine; only 'skrehab models fetch' uses the network.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut the names of options at 80 columns
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(
    help="Networks and model files.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(models_app, name="models")

stdout = PlainConsole()
stderr = PlainConsole(stderr=True)

Output = Annotated[
    Path, typer.Option("--output", "-o", callback=expanded, help="Folder to write to.")
]
Model = Annotated[
    Path, typer.Argument(callback=expanded, help="Model folder made by 'skrehab train'.")
]
Videos = Annotated[
    list[Path],
    typer.Argument(callback=expanded, help="Video files, folders of them, or patterns."),
]
ModelPath = Annotated[Path | None, typer.Option(callback=expanded, help="Pose model file (.task).")]
LabelNames = Annotated[
    str | None, typer.Option(help="Names for labels, such as 0=usual,1=compensation.")
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show what the pose library prints, too.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Processes.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]


def _persons():
    return ["steady", "follow", "seated", "largest", "center"]


Person = Annotated[
    str,
    typer.Option(
        autocompletion=_persons,
        help="Whom to follow when several people are seen: steady, follow, seated, largest, "
        "center.",
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


def say_note(text):
    """Print a sentence on stderr: between words at a terminal, in one line elsewhere."""
    stderr.print(text, highlight=False, soft_wrap=not stderr.is_terminal)


def told(number, word):
    """Say how many, in words that fit one as well as many."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def progress_bar():
    """Make a progress bar on stderr."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=stderr,
        redirect_stdout=False,  # rich would send results to stderr, and not to a file or a pipe
    )


def beside(bar):
    """Choose where results are printed while a bar is shown: above it, or to a file or pipe."""
    return bar.console if sys.stdout.isatty() and sys.stderr.isatty() else stdout


def frames_told(bar, task, name):
    """Make what takes the number of frames done of a video, and shows it."""
    return lambda n_frames: bar.update(task, description=f"{name}, frame {n_frames}")


@contextmanager
def if_interrupted(say):
    """Print, if Ctrl-C ends the work, what is done and what a second run will do.

    Parameters
    ----------
    say : callable
        Called without arguments at that moment; returns the sentences.
    """
    try:
        yield
    except KeyboardInterrupt:
        say_note(say())
        raise
