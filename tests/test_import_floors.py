"""Imports point down the floors; importing skrehab is cheap and leaves the process as it was."""

import ast
import pathlib
import tomllib

import pytest

import skrehab

PACKAGE = pathlib.Path(skrehab.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

MAP = tomllib.loads((PACKAGE.parent / "docs" / "floors.toml").read_text(encoding="utf-8"))["floor"]
ROWS = [(height, row) for height, floor in enumerate(MAP) for row in floor["row"]]
FLOORS = {room: height for height, row in ROWS for room in row["rooms"]}
AT_HEAD = {room: set(row["packages"]) for _, row in ROWS for room in row["rooms"]} | {"": set()}


def may_use(here, there):
    """Whether a room may import from another: lower floors, its left in the row, what is named."""
    row = next(row for _, row in ROWS if here in row["rooms"])
    left = row["rooms"][: row["rooms"].index(here)]
    return FLOORS[there] < FLOORS[here] or there in left or there in row.get("uses", ())


# optional, or heavy, or without a wheel on some machine
HEAVY = {"mediapipe", "av", "matplotlib", "pandas", "transformers", "torchvision", "safetensors"}
HEAVY |= {"timm", "hiera", "h5py", "openpyxl", "onnx", "onnxruntime", "pyarrow", "huggingface_hub"}
HEAVY |= {"fastapi", "starlette", "uvicorn"}


def place(file):
    """Name of the module or package directly under skrehab that a file belongs to."""
    part = file.relative_to(PACKAGE).parts[0]
    return "" if part == "__init__.py" else part.removesuffix(".py")


def imports(file):
    """Yield (absolute dotted name, True if at the head of the module) for each import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    package = ["skrehab", *file.relative_to(PACKAGE).parts[:-1]]
    inside_functions = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        at_head = id(node) not in inside_functions
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, at_head
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                root = package[: len(package) - node.level + 1]
                base = ".".join([*root, base] if base else root)
            for alias in node.names:  # "from skrehab import video" names a module too
                yield f"{base}.{alias.name}", at_head


def skrehab_imports(file):
    """Yield the top-level place of every skrehab module that a file imports."""
    for name, at_head in imports(file):
        first, _, rest = name.partition(".")
        if first == "skrehab" and rest:
            yield rest.split(".")[0], at_head


def ids(files):
    return [str(file.relative_to(PACKAGE)) for file in files]


every_file = pytest.mark.parametrize("file", FILES, ids=ids(FILES))


def test_the_test_sees_imports(tmp_path):
    """The reader of imports finds all kinds, and tells the head from the inside of functions."""
    file = PACKAGE / "pose" / "probe.py"  # not written: only its place matters
    source = (
        "import a.b, c\nfrom . import d\nfrom .e import f\nfrom ..video import g\n"
        "from skrehab import h\ntry:\n    import i\nexcept ImportError:\n    pass\n"
        "def later():\n    import j\n    from k import l\n"
    )

    class Fake(type(file)):
        def read_text(self, encoding=None):
            return source

    found = dict(imports(Fake(file)))
    assert found == {
        "a.b": True,
        "c": True,
        "skrehab.pose.d": True,
        "skrehab.pose.e.f": True,
        "skrehab.video.g": True,
        "skrehab.h": True,
        "i": True,
        "j": False,
        "k.l": False,
    }


def test_the_map_is_short():
    """Someone new reads it in a minute; it names each room once, and no room that is not there."""
    assert len(MAP) <= 7 and len(ROWS) <= 20
    rooms = [room for _, row in ROWS for room in row["rooms"]]
    assert len(rooms) == len(set(rooms))
    assert {*rooms} == {place(file) for file in FILES} - {""}


@every_file
def test_every_module_has_a_floor(file):
    if place(file):
        assert place(file) in FLOORS, "write its room down in docs/floors.toml"


@every_file
def test_imports_point_down(file):
    here = place(file)
    if not here:
        return
    for there, _ in skrehab_imports(file):
        if there in FLOORS and there != here:
            assert may_use(here, there), f"{here} must not import {there}: see docs/floors.toml"


@every_file
def test_third_party_at_the_head(file):
    allowed = AT_HEAD[place(file)] | {"skrehab"}
    import sys

    for name, at_head in imports(file):
        package = name.split(".")[0]
        if at_head and package not in sys.stdlib_module_names and package not in allowed:
            pytest.fail(f"import {package} inside the function that needs it")
        if at_head:
            assert package not in HEAVY


@every_file
def test_files_are_short(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_drawer_for_everything():
    names = {part for file in FILES for part in file.relative_to(PACKAGE).with_suffix("").parts}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


def test_skrehab_imports_nothing_heavy(run_python):
    code = "import sys, skrehab; dir(skrehab); print(*sys.modules)"
    loaded = set(run_python(code).split())
    assert "skrehab" in loaded
    assert not loaded & (HEAVY | {"torch", "sklearn", "skorch", "scipy", "imblearn", "numpy"})


def test_import_leaves_the_process_alone(run_python):
    """No module seeds, draws, sets threads, changes warnings, or picks a plotting backend."""
    code = """
import importlib, os, pkgutil, random, warnings
import numpy as np
import torch, sklearn, imblearn, skorch, scipy.stats  # theirs is not ours to answer for
import sklearn.pipeline, imblearn.pipeline, torch.utils.data
random.seed(5); np.random.seed(5); torch.manual_seed(5)
def state():
    return (random.getstate(), np.random.get_state()[1].tobytes(), np.random.get_state()[2],
            torch.get_rng_state().numpy().tobytes(), torch.get_num_threads(),
            torch.get_default_dtype(), torch.is_grad_enabled(), list(warnings.filters),
            np.geterr(), dict(os.environ), os.getcwd(), sklearn.get_config())
before = state()
import skrehab
for module in pkgutil.walk_packages(skrehab.__path__, "skrehab."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        after = state()
        changed = [i for i, (a, b) in enumerate(zip(before, after)) if a != b]
        assert not changed, (module.name, changed)
import sys
heavy = {"mediapipe", "av", "matplotlib", "pandas", "transformers", "torchvision", "safetensors"}
print(sorted(heavy & set(sys.modules)))
"""
    loaded = run_python(code)
    # skorch and scikit-learn import pandas and others where they are installed; not at our asking
    assert "mediapipe" not in loaded and "'av'" not in loaded and "matplotlib" not in loaded


def test_public_names():
    assert len(set(skrehab.__all__)) == len(skrehab.__all__)
    assert dir(skrehab) == sorted(skrehab.__all__)
    for name in skrehab.__all__:
        assert getattr(skrehab, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        skrehab.Nothing  # noqa: B018
