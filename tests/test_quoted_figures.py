"""README quotes the committed tables of benchmarks/results, and nothing else."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def spreads(text, digits):
    """Every "mean ± deviation" of a text, with so many digits after the point."""
    return set(re.findall(rf"\b(\d\.\d{{{digits}}}) ± (\d\.\d{{{digits}}})\b", text))


def test_every_spread_in_readme_stands_in_a_table():
    measured = set()
    for page in RESULTS.glob("*.md"):
        found = spreads(page.read_text(encoding="utf-8"), 3)
        measured |= {tuple(f"{float(x):.2f}" for x in pair) for pair in found}
    quoted = spreads((ROOT / "README.md").read_text(encoding="utf-8"), 2)
    assert quoted
    assert quoted <= measured, sorted(quoted - measured)


@pytest.mark.parametrize("page", ["README.md", "docs/evidence.rst"])
def test_every_table_that_is_named_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    names = re.findall(r"results/([a-z_0-9]+)\.(?:md|inc)", text)
    assert names
    assert [name for name in names if not (RESULTS / f"{name}.md").is_file()] == []
