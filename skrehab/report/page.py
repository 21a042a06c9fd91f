"""Put sections together into one HTML document."""

import pathlib
import re

from skrehab._written import written

from .content import Figure, Section, Table
from .figures import figure_html
from .style import STYLE
from .tables import escape, format_cell, table_html

__all__ = ["render_report", "write_report"]


def write_report(path, title, sections, **parts):
    """Write a report as one HTML file that needs no network.

    Parameters
    ----------
    path : path-like
        File to write; folders are made where they are missing.
    title : str
        Heading and window title.
    sections : sequence of Section
        What the report says.
    **parts
        What :func:`render_report` takes besides: `subtitle`, `highlights`, `footer`, `lang`.

    Returns
    -------
    pathlib.Path
        The file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skrehab.report import Section, write_report
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_report(pathlib.Path(folder) / "r.html", "Demo", [Section("Why", "So.")])
    ...     print(path.read_text(encoding="utf-8").splitlines()[0])
    <!doctype html>
    """
    path = pathlib.Path(path)
    page = render_report(title, sections, **parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written(path, text=True) as file:
        file.write(page)
    return path


def render_report(title, sections, *, subtitle=None, highlights=None, footer=None, lang="en"):
    """Return the HTML of a report.

    Parameters
    ----------
    title : str
        Heading and window title.
    sections : sequence of Section
        What the report says.
    subtitle : str, default=None
        One sentence under the title.
    highlights : dict of str to str or number, default=None
        A few key figures for the top: what it is, and its value.
    footer : str, default=None
        A closing line, such as the version and the date.
    lang : str, default="en"
        Language of the text, for screen readers.

    Returns
    -------
    str
        A whole HTML document.

    Raises
    ------
    ValueError
        If a figure is no picture or a table emphasises a column it has not; the message names it.

    Examples
    --------
    >>> from skrehab.report import Section, render_report
    >>> "5 &lt; 6" in render_report("Demo", [Section("Proof", "5 < 6")])
    True
    """
    if isinstance(sections, Section):
        sections = [sections]
    anchors = _anchors([section.title for section in sections])
    parts = [
        "<!doctype html>",
        f'<html lang="{escape(lang)}">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">",
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{escape(title)}</h1>",
    ]
    if subtitle:
        parts.append(f'<p class="lead">{escape(subtitle)}</p>')
    if highlights:
        parts += ['<dl class="highlights">']
        for name, value in highlights.items():
            cell, _ = format_cell(value, None if isinstance(value, int) else ".2f")
            parts.append(f"<div><dt>{escape(name)}</dt><dd>{cell}</dd></div>")
        parts.append("</dl>")
    parts.append("</header>")
    if len(sections) > 2:
        links = "".join(
            f'<li><a href="#{anchor}">{escape(section.title)}</a></li>'
            for anchor, section in zip(anchors, sections, strict=True)
        )
        parts.append(f'<nav aria-label="Contents"><ul>{links}</ul></nav>')
    parts.append("<main>")
    parts += [_section(section, anchor) for anchor, section in zip(anchors, sections, strict=True)]
    parts.append("</main>")
    if footer:
        parts.append(f"<footer><p>{escape(footer)}</p></footer>")
    parts += ["</body>", "</html>", ""]
    return "\n".join(parts)


def _anchors(titles):
    """Make one address within the page from each title, all different."""
    anchors = []
    for i, title in enumerate(titles, start=1):
        slug = re.sub(r"[^a-z0-9]+", "-", str(title).lower()).strip("-") or "section"
        while slug in anchors:
            slug += f"-{i}"
        anchors.append(slug)
    return anchors


def _section(section, anchor):
    parts = [f'<section id="{anchor}" aria-labelledby="{anchor}-title">']
    parts.append(f'<h2 id="{anchor}-title">{escape(section.title)}</h2>')
    text = [section.text] if isinstance(section.text, str) else section.text or []
    paragraphs = [part for item in text for part in re.split(r"\n\s*\n", str(item).strip())]
    parts += [f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs if paragraph]
    if section.code:
        parts.append(f'<pre tabindex="0"><code>{escape(section.code.strip())}</code></pre>')
    parts += [table_html(table) for table in _listed(section.table, Table)]
    parts += [figure_html(figure) for figure in _listed(section.figures, Figure)]
    parts.append("</section>")
    return "\n".join(parts)


def _listed(items, kind):
    items = [] if items is None else [items] if isinstance(items, kind) else list(items)
    for item in items:
        if not isinstance(item, kind):
            raise ValueError(f"A section takes {kind.__name__} objects, got {type(item).__name__}.")
    return items
