"""A bar on the screen while an encoder learns."""

from contextlib import contextmanager

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(verbose, max_epochs):
    """Show a bar on stderr while epochs pass.

    Parameters
    ----------
    verbose : bool
        Whether to show it.
    max_epochs : int
        Epochs in all.

    Yields
    ------
    callable or None
        What is to be called with the row of every epoch; None where nothing is shown.

    Examples
    --------
    >>> from skrehab.pretraining.progress import progress_bar
    >>> with progress_bar(False, 10) as after_epoch:
    ...     print(after_epoch)
    None
    """
    if not verbose:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = TextColumn("Epochs"), BarColumn(20), MofNCompleteColumn(), Remaining()
    note = TextColumn("{task.fields[note]}")
    with Progress(*columns, note, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=max_epochs, note="")

        def after_epoch(row):
            losses = [name for name in ("pace", "reconstruction", "order") if name in row]
            text = ", ".join(f"{name} {row[name]:.3g}" for name in losses)
            progress.update(task, completed=row["epoch"], note=text)

        yield after_epoch
