"""Notebooks of docs/notebooks as pages: their text, their code, and the outputs stored in them.

``.. include:: generated/notebooks/NAME.inc`` puts one into a page. Nothing is run here:
``tests/test_notebooks.py`` runs them.
"""

import base64
import json
import textwrap
from pathlib import Path


def setup(app):
    """Register with Sphinx."""
    app.connect("config-inited", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_notebooks(app, config):
    """Write an include file and the pictures of each notebook."""
    folder = Path(app.srcdir) / "generated" / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for file in (Path(app.srcdir) / "notebooks").glob("*.ipynb"):
        text, pictures = rst_of(json.loads(file.read_text(encoding="utf-8")), file.stem)
        for name, content in pictures.items():
            (folder / name).write_bytes(content)
        target = folder / f"{file.stem}.inc"
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


def rst_of(notebook, name):
    """Turn a notebook into reStructuredText.

    Parameters
    ----------
    notebook : dict
        As its file holds it.
    name : str
        For the names of its pictures.

    Returns
    -------
    str, dict of str to bytes
        The text, and pictures by file name, which stand in ``generated/notebooks``.
    """
    lines, pictures = [], {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":  # plain sentences are alike in both
            lines += [source, ""]
            continue
        lines += [".. code-block:: ipython3", "", textwrap.indent(source, "   "), ""]
        for output in cell["outputs"]:
            lines += _output(output, f"{name}_{len(pictures)}.png", pictures)
    return "\n".join(lines) + "\n", pictures


def _output(output, picture, pictures):
    """Lines of one output; of several forms the richest counts."""
    data = output.get("data", {})
    if "image/png" in data:
        pictures[picture] = base64.b64decode("".join(data["image/png"]))
        return [f".. image:: /generated/notebooks/{picture}", "   :alt: What the cell drew.", ""]
    if "text/html" in data:
        html = textwrap.indent("".join(data["text/html"]), "   ")
        return [".. raw:: html", "", '   <div class="notebook-output">', html, "   </div>", ""]
    text = "".join(output.get("text", data.get("text/plain", "")))
    return [".. code-block:: text", "", textwrap.indent(text, "   "), ""] if text.strip() else []
