"""A bar on the screen while an encoder learns."""

import time
from contextlib import contextmanager

from skrehab._progress import clock
from skrehab._progress import progress_bar as bar

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(verbose, max_epochs):
    """Show a bar while epochs pass: on stderr, or in the cell of a notebook.

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
    start = time.perf_counter()
    with bar("Epochs", max_epochs) as tell:

        def after_epoch(row):
            losses = [name for name in ("pace", "reconstruction", "order") if name in row]
            text = ", ".join(f"{name} {row[name]:.3g}" for name in losses)
            left = (time.perf_counter() - start) / row["epoch"] * (max_epochs - row["epoch"])
            tell(row["epoch"], note=f"{clock(left)} left, {text}")

        yield after_epoch
