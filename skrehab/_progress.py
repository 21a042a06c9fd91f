"""One bar of progress: a line that changes, in a terminal and in a notebook.

rich draws its bars in notebooks by ipywidgets, and draws none where that package is missing. A
notebook always has IPython, which can change the text it has shown: that is enough for a bar.
"""

import sys
import time
from contextlib import contextmanager

__all__ = ["clock", "in_notebook", "progress_bar", "shown_progress"]

_WIDTH = 30  # of the bar, in characters
_PAUSE = 0.2  # seconds between two changes in a notebook: each is a message to the browser


@contextmanager
def progress_bar(title, total=None):
    """Show a bar while work goes on: in the cell of a notebook, else on stderr.

    Parameters
    ----------
    title : str
        What is counted.
    total : int, optional
        How many there are; None where that is told later.

    Yields
    ------
    callable
        ``tell(done, total=None, note=None)``; what is None stays as it was.

    Examples
    --------
    >>> from skrehab._progress import progress_bar
    >>> with progress_bar("Videos", 3) as tell:
    ...     for i in range(3):
    ...         tell(i + 1, note="anna_1.mp4")
    """
    if in_notebook():
        line = _NotebookLine(title, total)
        try:
            yield line.tell
        finally:
            line.show()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    text = TextColumn("{task.description}", markup=False)
    note = TextColumn("{task.fields[note]}", markup=False)
    columns = text, BarColumn(_WIDTH), MofNCompleteColumn(), note
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, note="")

        def tell(done=None, total=None, note=None):
            fields = {} if note is None else {"note": note}
            progress.update(task, completed=done, total=total, **fields)

        yield tell


@contextmanager
def shown_progress(progress, title):
    """Make of a parameter ``progress`` what is told how far the work is.

    Parameters
    ----------
    progress : callable, bool or None
        True for a bar.
    title : str
        What is counted.

    Yields
    ------
    callable or None
        What was given, or ``tell(done, total, left=0.0)`` of a bar; None where nobody asked.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if progress is None or callable(progress):
        yield progress
    elif not isinstance(progress, bool):
        raise TypeError(f"progress must be True, False, None or callable, got {progress!r}.")
    elif not progress:
        yield None
    else:
        with progress_bar(title) as tell:
            # left is nan where it is not known, and 0 at the end
            yield lambda done, total, left=0.0: tell(
                done, total, f"about {clock(left)} left" if left > 0 else ""
            )


def in_notebook():
    """Tell whether a Jupyter kernel runs this; IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def clock(seconds):
    """Write a duration as people read it.

    Examples
    --------
    >>> from skrehab._progress import clock
    >>> clock(75.2), clock(3700)
    ('1:15', '1:01:40')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class _NotebookLine:
    """A line of text in the output of a cell, changed in place."""

    def __init__(self, title, total):
        from IPython.display import display

        self.title, self.total, self.done, self.note = title, total, 0, ""
        self.last = time.perf_counter()
        self.handle = display({"text/plain": self.text()}, raw=True, display_id=True)

    def text(self):
        total = self.total or 0
        full = min(_WIDTH, _WIDTH * self.done // total) if total else 0
        bar = "\u2588" * full + "\u2591" * (_WIDTH - full)
        return f"{self.title} {bar} {self.done}/{self.total or '?'} {self.note}".rstrip()

    def tell(self, done=None, total=None, note=None):
        self.done = self.done if done is None else done
        self.total = self.total if total is None else total
        self.note = self.note if note is None else note
        if self.done == self.total or time.perf_counter() - self.last >= _PAUSE:
            self.show()

    def show(self):
        self.last = time.perf_counter()
        self.handle.update({"text/plain": self.text()}, raw=True)
