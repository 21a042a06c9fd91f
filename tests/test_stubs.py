"""Stubs for editors and type checkers name what the package offers, and nothing else."""

import ast
import importlib
import importlib.util
import inspect
import os
import pathlib
import re
import subprocess
import sys

import pytest

import skrehab

ROOT = pathlib.Path(__file__).resolve().parents[1]
STUBS = sorted((ROOT / "skrehab").rglob("*.pyi"))
MOST_UNSAID = 0.2  # 0.15 when this was written
TYPED = ROOT / "tests" / "typed"


@pytest.fixture(scope="module")
def script():
    """Load .ci/stubs.py, which puts its neighbours on the path."""
    spec = importlib.util.spec_from_file_location("stubs_script", ROOT / ".ci" / "stubs.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture(scope="module")
def made(script):
    """What .ci/stubs.py would write now."""
    return script.stubs()


def test_stubs_are_up_to_date(made):
    assert sorted(made) == STUBS, "run python .ci/stubs.py"
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, "run python .ci/stubs.py"
    assert (ROOT / "skrehab" / "py.typed").is_file()


@pytest.mark.parametrize("path", STUBS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_name_of_a_stub_is_there(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    said = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            # only "as" makes a name public; the others are for the types
            names = {one.name: one.asname for one in node.names if one.asname == one.name}
            names = {} if not node.module.startswith("skrehab") else names
            said |= set(names)
            if node.module != "skrehab":
                there = importlib.import_module(node.module)
                assert all(getattr(there, name) is getattr(module, name) for name in names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            said.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            said.add(node.target.id)
    assert said - {"__version__", "__getattr__"} == set(module.__all__) - {"__version__"}


@pytest.mark.parametrize("path", STUBS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_parameters_of_a_stub_are_those_of_the_code(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        made = node
        if isinstance(node, ast.ClassDef):
            made = next((n for n in node.body if getattr(n, "name", "") == "__init__"), None)
        if not isinstance(made, ast.FunctionDef) or node.name == "__getattr__":
            continue
        thing = getattr(module, node.name)
        given = list(inspect.signature(thing).parameters)
        said = [a.arg for a in [*made.args.posonlyargs, *made.args.args, *made.args.kwonlyargs]]
        said = said[1:] if made is not node else said
        assert said == [one for one in given if one in said], node.name
        stars = {a.arg for a in (made.args.vararg, made.args.kwarg) if a}
        assert set(given) - set(said) == stars, node.name


# --- from docstrings to types ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("said", "given", "returned"),
    [
        ("int, default=3", "int", "int"),
        ("float or None, default=None", "float | None", "float | None"),
        ("{'mean', 'last'} or None", "Literal['mean', 'last'] | None", None),
        ('int or "auto", default="auto"', 'int | Literal["auto"]', None),
        ("str or path-like", "str | PathLike[str]", "Any"),
        ("callable, optional", "Callable[..., Any]", "Callable[..., Any]"),
        ("array-like of shape (n_trials,) or (n_trials, 2)", "ArrayLike", "NDArray[Any]"),
        ("ndarray of shape (n, 3), dtype uint8", "ArrayLike", "NDArray[Any]"),
        ("list of ndarray of shape (n_frames_i, 3)", None, "list[NDArray[Any]]"),
        ("dict of str to list of int", "Mapping[str, Sequence[int]]", "dict[str, list[int]]"),
        ("tuple of three int", "tuple[int, ...]", "tuple[int, ...]"),
        ("(float, str)", "tuple[float, str]", "tuple[float, str]"),
        ("pathlib.Path", "str | PathLike[str]", "Path"),
        ("Skeleton or None", "Skeleton | None", "Skeleton | None"),
        ("float in (0, 1)", "float", "float"),
        # what is not understood, or may be anything, is not said
        ("label, optional", "Any", "Any"),
        ("int or whatever comes", "Any", "Any"),
        ("torch.Tensor of shape (batch, 3)", "Any", "Any"),
        ("", "Any", "Any"),
    ],
)
def test_types_of_docstrings(script, said, given, returned):
    known = {"Skeleton": "Skeleton"}
    write = importlib.import_module("doc_types").python_type
    if given is not None:
        assert write(said, known) == given
    if returned is not None:
        assert write(said, known, returned=True) == returned


def test_few_types_are_left_unsaid():
    """A checker that is told nothing finds nothing."""
    types = []
    for path in STUBS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arg) and node.annotation:
                types.append(ast.unparse(node.annotation))
    assert len(types) > 1200 and types.count("Any") / len(types) < MOST_UNSAID


@pytest.mark.timeout(600)
def test_a_type_checker_accepts_right_uses_and_finds_wrong_ones(tmp_path):
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--cache-dir", tmp_path / "cache",
         "--no-error-summary", *STUBS, *sorted(TYPED.glob("*.py"))],
        cwd=tmp_path, env=os.environ | {"MYPYPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    found = re.findall(r"(?m)^(.*?):(\d+): error: .*\[([\w-]+)\]$", done.stdout)
    found = {(pathlib.Path(file).name, int(line), kind) for file, line, kind in found}
    lines = (TYPED / "misuses.py").read_text(encoding="utf-8").splitlines()
    wrong = {("misuses.py", i + 1, line.partition("# wrong: ")[2])
             for i, line in enumerate(lines) if "# wrong: " in line}  # fmt: skip
    assert len(wrong) == 7 and found == wrong, done.stdout + done.stderr


def test_the_version_is_said_once_in_each_place():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == skrehab.__version__
    assert f"version: {skrehab.__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n{skrehab.__version__} (" in (ROOT / "CHANGES.rst").read_text(encoding="utf-8")
