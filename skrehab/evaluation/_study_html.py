"""A study as notebooks show it."""

from skrehab.report import Table
from skrehab.report.tables import escape, table_html

_HEADS = {
    "method": "method",
    "mean": "mean ± sd over patients",
    "interval": "95 % interval",
    "pooled": "pooled",
    "n": "patients",
}


def study_html(study):
    """Return a table for each metric, and what so few patients can show."""
    tables = [
        table_html(_table(study, metric)) for metric in study.metrics if study.summary(metric)
    ]
    return "".join([*tables, f"<p><small>{escape(study.few_patients())}</small></p>"])


def _table(study, metric):
    rows = [
        {
            "method": row["method"],
            "mean": (row["mean"], row["sd"]),
            "interval": f"{row['low']:.2f} to {row['high']:.2f}",
            "pooled": row["pooled"],
            "n": row["n_patients"],
        }
        for row in study.summary(metric)
    ]
    caption = f"{metric}, patients held out"
    return Table(_HEADS, rows, caption, formats={"mean": ".2f", "pooled": ".2f"})
