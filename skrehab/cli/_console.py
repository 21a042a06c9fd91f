"""The terminal: where commands say things, and where nothing that others wrote may act."""

import warnings
from contextlib import contextmanager

from rich.console import Console
from rich.segment import Segment

from skrehab._shown import shown, shown_lines

__all__ = ["PlainConsole", "plain_warnings"]


class PlainConsole(Console):
    r"""A console that prints names of files and patients as they are, and obeys none of them.

    ``[/a].mp4`` is no markup, ``:x:`` no emoji; what would move the cursor or turn the reading
    direction around is printed as its escape.

    Parameters
    ----------
    stderr : bool, default=False
        Print to stderr.

    Examples
    --------
    >>> from skrehab.cli._console import PlainConsole
    >>> PlainConsole().print("a\x1b[2J.mp4")
    a\x1b[2J.mp4
    """

    def __init__(self, stderr=False):
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def print(self, *objects, **options):
        """Print; a message's later lines are indented."""
        objects = (shown_lines(one) if isinstance(one, str) else one for one in objects)
        super().print(*objects, **options)

    def render(self, renderable, options=None):
        """Turn anything into segments of text: tables, spinners and progress bars pass here too."""
        for segment in super().render(renderable, options):
            if segment.control:  # of rich itself
                yield segment
            else:
                text = "\n".join(map(shown, segment.text.split("\n")))
                yield Segment(text, segment.style)


@contextmanager
def plain_warnings():
    """Print warnings, which quote names of files, as a console prints messages."""
    kept = warnings.formatwarning

    def plain(message, category, filename, lineno, line=None):
        return shown_lines(kept(message, category, filename, lineno, line).rstrip("\n")) + "\n"

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = kept
