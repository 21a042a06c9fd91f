"""Write ``.pyi`` files of the package and of its rooms, for editors and type checkers.

Public names are loaded on first use (PEP 562), which no type checker follows, and signatures carry
no annotations: types stand in the docstrings. A stub takes the names from the tables in the
``__init__.py`` and the types from the docstrings (``doc_types.py``), so that nobody keeps it by
hand: run ``python .ci/stubs.py`` after a change; ``tests/test_stubs.py`` tells when. Source is read
and not imported. Tensors and modules of torch stay ``Any``: a checker would read all of torch.
"""

import ast
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from doc_stubs import Source, typed_stub

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "skrehab"


def main():
    """Write every stub, and take away those that are made no more."""
    made = stubs()
    for path in PACKAGE.rglob("*.pyi"):
        if path not in made:
            path.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


def stubs():
    """Return the text of each stub by its path."""
    package = tables(PACKAGE / "__init__.py")
    rooms = {}
    for file in sorted(PACKAGE.glob("*/__init__.py")):
        table = lazy_table(file.read_text(encoding="utf-8"))
        if table:
            rooms[f"skrehab.{file.parent.name}"] = table
    # modules that hold public names, or are public, and are no rooms
    single = {f"skrehab.{one}" for one in [*package["_PUBLIC"].values(), *package["_MODULES"]]}
    source = Source(PACKAGE, rooms, sorted(single - set(rooms)))
    out = {PACKAGE / "__init__.pyi": stub_of_package(package)}
    for module, names in source.homes.items():
        path = source.path(module)
        out[path.with_suffix(".pyi")] = typed_stub(source, module, sorted(names))
    return out


def lazy_table(source):
    """Read the table of public names that a room gives to ``lazy_names``; None without one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy_names":
            return ast.literal_eval(node.args[1])
    return None


def tables(path):
    """Read the two tables of skrehab itself."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id in ("_PUBLIC", "_MODULES"):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return found


def stub_of_package(package):
    """Stub of skrehab itself: where each name comes from; ``as`` says that it is public."""
    lines = ["# Made by .ci/stubs.py: run it again after a change of public names.", ""]
    lines += [
        f"from skrehab.{module} import {name} as {name}"
        for name, module in sorted(package["_PUBLIC"].items())
    ]
    lines += [f"from skrehab import {room} as {room}" for room in package["_MODULES"]]
    return "\n".join([*lines, "", "__version__: str"]) + "\n"


if __name__ == "__main__":
    main()
