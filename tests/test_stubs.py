"""Stubs for editors and type checkers name what the package offers, and nothing else."""

import ast
import importlib
import importlib.util
import pathlib

import pytest

import skrehab

ROOT = pathlib.Path(__file__).resolve().parents[1]
STUBS = sorted((ROOT / "skrehab").glob("**/__init__.pyi"))


@pytest.fixture(scope="module")
def made():
    """What .ci/stubs.py would write now."""
    spec = importlib.util.spec_from_file_location("stubs_script", ROOT / ".ci" / "stubs.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.stubs()


def test_stubs_are_up_to_date(made):
    assert sorted(made) == STUBS, "run python .ci/stubs.py"
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "run python .ci/stubs.py"
    assert (ROOT / "skrehab" / "py.typed").is_file()


@pytest.mark.parametrize("path", STUBS, ids=lambda path: path.parent.name)
def test_every_name_of_a_stub_is_there(path):
    parts = path.relative_to(ROOT).parts[:-1]
    module = importlib.import_module(".".join(parts))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {a.asname for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names}
    assert said == set(module.__all__) - {"__version__"}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "skrehab":
            there = importlib.import_module(node.module)
            for alias in node.names:
                assert getattr(there, alias.name) is getattr(module, alias.name)


def test_the_version_is_said_once_in_each_place():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == skrehab.__version__
    assert f"version: {skrehab.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n{skrehab.__version__} (" in (ROOT / "CHANGES.rst").read_text(encoding="utf-8")
