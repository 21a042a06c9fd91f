"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Figure", "Section", "Table"]


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Parameters
    ----------
    columns : sequence of str or dict of str to str
        Keys of the rows in column order; a dict also gives the headers to show.
    rows : sequence of dict
        One dict per row. Numbers are right-aligned, a pair ``(mean, sd)`` shows as "0.72 ± 0.10",
        None and NaN as a dash.
    caption : str
        What the table shows.
    best : dict of str to {"max", "min"}, default={}
        Columns whose best value is emphasised.
    formats : dict of str to str, default={}
        Format of a column's numbers, such as ``".2f"``; ``".3f"`` for floats where not given.

    Examples
    --------
    >>> from skrehab.report import Table
    >>> table = Table(["method", "AUC"], [{"method": "AcT", "AUC": (0.72, 0.1)}], "Frame AUC",
    ...               best={"AUC": "max"}, formats={"AUC": ".2f"})
    >>> table.caption
    'Frame AUC'
    """

    columns: Sequence | Mapping
    rows: Sequence
    caption: str
    best: Mapping = field(default_factory=dict)
    formats: Mapping = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A figure of a report.

    Parameters
    ----------
    figure_or_png : matplotlib Figure, Display, path or bytes
        What to show; a path or bytes must be a PNG or JPEG picture.
    caption : str
        What there is to see, shown under the figure.
    alt : str
        The same for someone who cannot see it: what the picture says, in a sentence or two.
    dpi : int, default=160
        Resolution at which a matplotlib figure is drawn.

    Examples
    --------
    >>> from skrehab import FrameTimelineDisplay
    >>> from skrehab.report import Figure
    >>> display = FrameTimelineDisplay.from_predictions([0.1, 0.8, 0.9, 0.3])
    >>> Figure(display, "Trial 1", alt="The probability rises in the middle.").caption
    'Trial 1'
    """

    figure_or_png: object
    caption: str
    alt: str
    dpi: int = 160


@dataclass(frozen=True)
class Section:
    """A section of a report: text, then tables, then figures.

    Parameters
    ----------
    title : str
        Its heading.
    text : str or sequence of str, default=None
        Paragraphs; in one string an empty line starts a new one.
    table : Table or sequence of Table, default=None
        Tables.
    figures : Figure or sequence of Figure, default=()
        Figures.
    code : str, default=None
        A command or listing, shown as it is after the text.

    Examples
    --------
    >>> from skrehab.report import Section
    >>> Section("Results", "Mean over 18 patients.").title
    'Results'
    """

    title: str
    text: str | Sequence | None = None
    table: object = None
    figures: object = ()
    code: str | None = None
