"""What the pages of the site and the README show is true: every block of Python runs."""

import pathlib
import re

import pytest
from pages import NOT_RUN, blocks_of, rst_blocks, run_blocks, shared_file
from real_files import model_file

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = sorted(
    p for p in (ROOT / "docs").rglob("*.rst") if not {"generated", "gallery", "_build"} & {*p.parts}
)
WITH_README = [ROOT / "README.md", *PAGES]
RUN = {"doctest", "python"}

pytestmark = pytest.mark.timeout(900)  # whole pages
by_name = {"ids": lambda page: page.stem}


def test_there_are_pages():
    assert {"index", "quickstart", "design", "pitfalls", "privacy"} <= {page.stem for page in PAGES}
    blocks = [block for page in WITH_README for block in blocks_of(page)]
    assert sum(block.kind == "python" for block in blocks) >= 10


@pytest.mark.parametrize("page", WITH_README, **by_name)
def test_every_block_runs_or_is_no_python(page):
    """A block that needs things which the page does not make is a shell session, or text."""
    kinds = {(block.kind, block.line) for block in blocks_of(page)}
    assert not {kind for kind in kinds if kind[0] not in RUN | NOT_RUN | {"setup"}}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "page", [p for p in WITH_README if any(b.kind in RUN for b in blocks_of(p))], **by_name
)
def test_page_is_true(page, tmp_path, monkeypatch):
    """Every ``>>>`` example prints what the page says, and every other block of Python runs."""
    import matplotlib
    import matplotlib.pyplot as plt

    from skrehab.networks import registry

    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    # a page may register a network; the completeness tests are not to see it
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    if model_file() is not None:
        monkeypatch.setenv("SKREHAB_MODELS", str(model_file()))
    if "AcT_micro_1_0.h5" in page.read_text(encoding="utf-8"):  # it stays where it is
        weights = shared_file("weights", "AcT_micro_1_0.h5")
        (tmp_path / weights.name).symlink_to(weights)
    said = run_blocks(blocks_of(page), page.stem)
    plt.close("all")
    assert not said, "".join(said)


def test_a_block_that_fails_is_noticed(tmp_path):
    text = "A\n=\n\n.. code-block:: python\n\n   x = 1\n\n>>> x\n1\n"
    assert run_blocks(rst_blocks(text), "a") == []
    broken = rst_blocks(text.replace("x = 1", "x = undefined"))
    assert "line 4: NameError" in run_blocks(broken, "a")[0]
    assert run_blocks(rst_blocks(text.replace(">>> x\n1", ">>> x\n2")), "a")
    assert [b.kind for b in rst_blocks("a::\n\n  b\n\n.. code-block:: console\n\n   $ c\n")] == [
        "literal", "console",
    ]  # fmt: skip


def test_what_a_machine_lacks_skips_one_block():
    text = (
        ".. testsetup::\n\n   import pytest\n   pytest.skip('no file')\n\n"
        ".. code-block:: python\n\n   x = undefined\n\n"
        ".. code-block:: python\n\n   y = undefined\n"
    )
    assert [line.split(":")[0] for line in run_blocks(rst_blocks(text), "a")] == ["a, line 10"]


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_repository_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / page).read_text(encoding="utf-8"))
    own = [target for target in targets if not target.startswith("http")]
    assert own and [target for target in own if not (ROOT / target).exists()] == []


def test_pages_fetch_nothing_while_building():
    """No page draws in a picture, script or style from elsewhere."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"\.\. (image|figure|raw|include)::.*https?:", text), page
