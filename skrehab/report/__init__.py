"""One self-contained HTML file: text, tables and figures that open offline anywhere.

Nothing is fetched: styles are inside, figures are base64, and a content security policy forbids
the rest. Whatever the caller gives is escaped, so a patient's or a file's name cannot break it.
"""

from .content import Figure, Section, Table
from .page import render_report, write_report
from .trial import find_compensations, trial_sections, write_trial_report

__all__ = [
    "Figure",
    "Section",
    "Table",
    "find_compensations",
    "render_report",
    "trial_sections",
    "write_report",
    "write_trial_report",
]
