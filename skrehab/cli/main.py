"""The command ``skrehab``. Results go to stdout and files, everything else to stderr."""

import sys
from typing import Annotated

import typer

import skrehab
from skrehab._shown import shown
from skrehab.cli._console import plain_warnings
from skrehab.cli.app import app, models_app, say_error, stderr, stdout
from skrehab.cli.assess import assess
from skrehab.cli.check import check
from skrehab.cli.demo import demo
from skrehab.cli.evaluate import evaluate
from skrehab.cli.live import live
from skrehab.cli.models import models_fetch, models_list
from skrehab.cli.pose import pose
from skrehab.cli.serve import serve
from skrehab.cli.timeline import timeline
from skrehab.cli.train import train

__all__ = ["main"]

for _command in (demo, pose, check, train, evaluate, assess, timeline, live, serve):
    app.command()(_command)
models_app.command("list")(models_list)
models_app.command("fetch")(models_fetch)


INTERRUPTED = 130  # as shells count it


def main():
    """Run the command; wrong input ends with one line on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be text; say it all the same
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with plain_warnings():
            sys.exit(_run())
    except (ValueError, OSError, ImportError, TypeError, RuntimeError) as error:
        say_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        stderr.print(
            "Interrupted: what was finished before is kept, and nothing was left half written.",
            highlight=False,
        )
        sys.exit(INTERRUPTED)


def _run():
    """Run the command and return its exit code; what typer says of wrong use is cleaned too."""
    try:
        # the name by which completion asks, however this was started
        code = app(prog_name="skrehab", standalone_mode=False)
    except typer.Abort:
        stderr.print("Aborted.")
        return 1
    except Exception as error:
        # typer has its own copy of click's errors: known by what they can do
        if not (hasattr(error, "exit_code") and isinstance(getattr(error, "message", None), str)):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":  # a command without anything after it
            stderr.print(error.ctx.get_help(), highlight=False, soft_wrap=True)
            return error.exit_code
        from typer import rich_utils

        error.message = shown(error.message)
        rich_utils.rich_format_error(error)
        return error.exit_code
    if code == INTERRUPTED:
        raise KeyboardInterrupt  # typer has swallowed it
    return code if isinstance(code, int) else 0


def _version(wanted: bool):
    if wanted:
        stdout.print(f"skrehab {skrehab.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
):
    pass
