"""The gallery's scripts are short, use public names, and the quickest one runs."""

import ast
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
QUICKEST = "plot_saliency_map.py"

pytestmark = pytest.mark.timeout(900)  # whole scripts
every_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def test_there_are_examples():
    assert len(EXAMPLES) >= 12 and QUICKEST in {path.name for path in EXAMPLES}


@every_example
def test_example_is_short_and_compiles(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 120
    tree = ast.parse(source, filename=str(path))
    title, underline = ast.get_docstring(tree).splitlines()[:2]
    assert set(underline) == {"="} and len(underline) >= len(title)


@every_example
def test_example_uses_public_names_only(path):
    """What the gallery shows must be what a user may rely on."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        parts = [(n, part) for n in names for part in n.split(".")]
        private = [n for n, part in parts if part.startswith("_") and not part.endswith("__")]
        assert not private, f"{path.name} uses {private}"


def test_quickest_example_runs(run_python, tmp_path):
    code = """
import pathlib, runpy, sys
import matplotlib
matplotlib.use("agg")
names = runpy.run_path(sys.argv[1])
import matplotlib.pyplot as plt
print(len(plt.get_fignums()), "figures")
"""
    printed = run_python(code, ROOT / "examples" / QUICKEST, cwd=tmp_path)
    assert re.search(r"integrated_gradients: 0\.\d\d on average", printed)
    assert printed.endswith("2 figures")
