"""Write ``__init__.pyi`` of the package and of its rooms, for editors and type checkers.

Public names are loaded on first use (PEP 562), which no type checker follows. What a stub says is
taken from the tables in the ``__init__.py``, so that nobody keeps it by hand: run
``python .ci/stubs.py`` after a change; ``tests/test_stubs.py`` tells when.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "skrehab"


def main():
    """Write every stub."""
    for path, text in stubs().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


def stubs():
    """Return the text of each stub by its path."""
    out = {PACKAGE / "__init__.pyi": stub_of_package()}
    for file in sorted(PACKAGE.glob("*/__init__.py")):
        table = lazy_table(file.read_text(encoding="utf-8"))
        if table:
            out[file.with_suffix(".pyi")] = stub(f"skrehab.{file.parent.name}", table)
    return out


def lazy_table(source):
    """Read the table of public names that a room gives to ``lazy_names``; None without one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "lazy_names":
            return ast.literal_eval(node.args[1])
    return None


def stub(package, table, more=()):
    """Say where each name comes from; ``as`` says that it is public."""
    lines = ["# Made by .ci/stubs.py from __init__.py: run it again after a change there.", ""]
    lines += [
        f"from {package}.{module} import {name} as {name}" for name, module in sorted(table.items())
    ]
    return "\n".join([*lines, *more]) + "\n"


def stub_of_package():
    """Stub of skrehab itself, with its rooms and its version."""
    found = {}
    for node in ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id in ("_PUBLIC", "_MODULES"):
            found[node.targets[0].id] = ast.literal_eval(node.value)
    more = [f"from skrehab import {room} as {room}" for room in found["_MODULES"]]
    return stub("skrehab", found["_PUBLIC"], [*more, "", "__version__: str"])


if __name__ == "__main__":
    main()
