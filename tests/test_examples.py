"""The gallery's scripts are short and run; what the pages of the site show is true."""

import ast
import doctest
import pathlib
import re

import pytest
from real_files import SHARED

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))
PAGES = sorted(
    p for p in (ROOT / "docs").rglob("*.rst") if not {"generated", "gallery"} & {*p.parts}
)
QUICKEST = "plot_saliency_map.py"
ACT = SHARED / "weights" / "AcT_micro_1_0.h5"

pytestmark = pytest.mark.timeout(900)  # whole scripts and pages
every_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def test_there_are_examples_and_pages():
    assert len(EXAMPLES) >= 3 and QUICKEST in {path.name for path in EXAMPLES}
    assert {"index", "quickstart", "design", "pitfalls", "privacy"} <= {page.stem for page in PAGES}


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
        private = [n for n in names if any(part.startswith("_") for part in n.split("."))]
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


# --- pages ----------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if ">>>" in page.read_text(encoding="utf-8")],
    ids=lambda page: page.stem,
)
def test_page_is_true(page, tmp_path, monkeypatch):
    """Every ``>>>`` example on the page prints what the page says."""
    from skrehab.networks import registry

    monkeypatch.chdir(tmp_path)
    # a page may register a network; the completeness tests are not to see it
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    report = []
    text = page.read_text(encoding="utf-8")
    if ACT.name in text:  # the page walks through the authors' file, which stays where it is
        if not ACT.exists():
            pytest.skip(f"{ACT.name} is not in ../shared/weights")
        (tmp_path / ACT.name).symlink_to(ACT)
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, page.stem, page, 0)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_pages_fetch_nothing_while_building():
    """No page draws in a picture, script or style from elsewhere."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"\.\. (image|figure|raw|include)::.*https?:", text), page


def test_code_blocks_of_pages_compile():
    """Blocks that need a user's files are not run, but they are Python."""
    n_blocks = 0
    for page in PAGES:
        lines = page.read_text(encoding="utf-8").splitlines()
        for i, line in enumerate(lines):
            if line.strip() != ".. code-block:: python":
                continue
            block = []
            for following in lines[i + 1 :]:
                if following.strip() and not following.startswith("   "):
                    break
                block.append(following[3:])
            compile("\n".join(block), str(page), "exec")
            n_blocks += 1
    assert n_blocks >= 3
