"""Stubs of single modules: each public function and class with the types of its docstring."""

import ast

from doc_types import python_type, sections

HEAD = """\
# Made by .ci/stubs.py from docstrings: run it again after a change there.
# mypy: disable-error-code="override, misc"

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Self

from numpy.random import Generator, RandomState
from numpy.typing import ArrayLike, NDArray
"""
# what comes back from a method that says nothing of it
RESULTS = {"__init__": "None", "__len__": "int", "__enter__": "Self", "__exit__": "None"}
RESULTS |= {"__contains__": "bool", "__repr__": "str", "__str__": "str", "__eq__": "bool"}
RESULTS |= {"__hash__": "int", "__bool__": "bool"}
ITSELF = {"fit", "partial_fit"}
KNOWN_BASES = {"Exception", "ValueError", "TypeError", "RuntimeError", "UserWarning", "Warning"}
KNOWN_BASES |= {"OSError", "dict", "list", "tuple", "str", "int"}


class Source:
    """The package as text: where each public name is offered, and where it is written.

    Parameters
    ----------
    package : pathlib.Path
        Folder of the package.
    rooms : dict of str to dict of str to str
        Room to public name to module in it.
    single : list of str
        Modules whose ``__all__`` is offered as it stands.
    """

    def __init__(self, package, rooms, single):
        self.package, self._trees = package, {}
        self.homes = {room: {n: f"{room}.{m}" for n, m in t.items()} for room, t in rooms.items()}
        for module in single:
            self.homes[module] = {name: module for name in self.offered(module)}
        self.public = {}
        for home, names in self.homes.items():
            for name, module in names.items():
                self.public.setdefault(self.find(module, name)[:2], (home, name))

    def path(self, module):
        """Return the file of a module."""
        parts = module.split(".")[1:]
        folder = self.package.joinpath(*parts)
        return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")

    def tree(self, module):
        """Parse a module once."""
        if module not in self._trees:
            self._trees[module] = ast.parse(self.path(module).read_text(encoding="utf-8"))
        return self._trees[module]

    def offered(self, module):
        """Read ``__all__``; without one, what is written there and has no underscore."""
        for node in self.tree(module).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return ast.literal_eval(node.value)
        kinds = (ast.FunctionDef, ast.ClassDef)
        return [n.name for n in self.tree(module).body if isinstance(n, kinds) and n.name[0] != "_"]

    def find(self, module, name):
        """Follow imports to where a name is written: module, name there, and the node or None."""
        if not self.path(module).exists():
            return module, name, None
        for node in self.tree(module).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
                return module, name, node
            if isinstance(node, ast.Assign) and name in [ast.unparse(t) for t in node.targets]:
                return module, name, node.value
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("skrehab"):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        room = self.homes.get(node.module, {})
                        return self.find(room.get(alias.name, node.module), alias.name)
        return module, name, None


def typed_stub(source, module, names):
    """Write the stub of one module.

    Parameters
    ----------
    source : Source
    module : str
    names : list of str
        What it offers.

    Returns
    -------
    str
    """
    writer = _Writer(source, module)
    bodies = [writer.item(name) for name in names]
    imports = [f"from {home} import {name}" for name, home in sorted(writer.needed.items())]
    # what is there and not offered is no error, and nothing is said of it
    rest = "def __getattr__(name: str) -> Any: ..."
    return "\n".join([HEAD, *imports, *([""] if imports else []), *bodies, "", rest]) + "\n"


class _Writer:
    """What one stub says, and which classes of other stubs it needs for that."""

    def __init__(self, source, module):
        self.source, self.module, self.needed = source, module, {}
        self.own = set(source.homes[module])
        self.classes = _Classes(self)

    def item(self, name):
        """Write a function, a class or a constant."""
        where, written, node = self.source.find(self.source.homes[self.module][name], name)
        home = self.source.public.get((where, written), (self.module, name))
        if home[0] != self.module and not isinstance(node, ast.Constant):
            return f"from {home[0]} import {home[1]} as {name}"
        if isinstance(node, ast.FunctionDef):
            return self.function(node, name=name)
        if isinstance(node, ast.ClassDef):
            return self.a_class(where, node, name)
        return f"{name}: {_constant(node)}"

    def function(self, node, indent="", of_class=None, name=None):
        """Write a function or a method; the class's docstring speaks of what its __init__ takes."""
        doc = sections(ast.get_docstring(node))
        if node.name == "__init__" and of_class is not None:
            doc = {"Parameters": sections(ast.get_docstring(of_class)).get("Parameters", {})} | doc
        decorators = [ast.unparse(one) for one in node.decorator_list]
        kept = [d for d in decorators if d in ("property", "classmethod", "staticmethod")]
        kept += ["property"] if "cached_property" in decorators else []
        bare = of_class is not None and "staticmethod" not in decorators
        arguments = self.arguments(node.args, doc.get("Parameters", {}), bare)
        result = self.result(node, doc, decorators)
        lines = [f"{indent}@{one}" for one in kept]
        return "\n".join([*lines, f"{indent}def {name or node.name}({arguments}) -> {result}: ..."])

    def arguments(self, args, said, bare):
        """Write what a function takes, with defaults that are plain values."""
        positional = [*args.posonlyargs, *args.args]
        defaults = [None] * (len(positional) - len(args.defaults)) + args.defaults
        out = []
        for i, (arg, default) in enumerate(zip(positional, defaults)):
            out.append(arg.arg if bare and i == 0 else self.argument(arg, default, said))
            if args.posonlyargs and arg is args.posonlyargs[-1]:
                out.append("/")
        if args.vararg:
            out.append(f"*{args.vararg.arg}: Any")
        elif args.kwonlyargs:
            out.append("*")
        out += [self.argument(a, d, said) for a, d in zip(args.kwonlyargs, args.kw_defaults)]
        if args.kwarg:
            out.append(f"**{args.kwarg.arg}: Any")
        return ", ".join(out)

    def argument(self, arg, default, said):
        """Write one; a default of None is allowed whatever the docstring says."""
        kind = python_type(said.get(arg.arg, ""), self.classes)
        if default is None:
            return f"{arg.arg}: {kind}"
        plain = isinstance(default, ast.Constant)
        if plain and default.value is None and kind != "Any" and "None" not in kind.split(" | "):
            kind += " | None"
        return f"{arg.arg}: {kind} = {ast.unparse(default) if plain else '...'}"

    def result(self, node, doc, decorators):
        """Write what comes back."""
        if node.name in RESULTS:
            return RESULTS[node.name]
        if node.name in ITSELF or list(doc.get("Returns", {})) == ["self"]:
            return "Self"
        if any("contextmanager" in one for one in decorators):
            return "Any"
        for section in ("Yields", "Returns"):
            if doc.get(section):
                kinds = [python_type(one, self.classes, True) for one in doc[section].values()]
                one = kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"
                return f"Iterator[{one}]" if section == "Yields" else one
        inside = [n for one in node.body for n in _walk_own(one)]
        gives = any(isinstance(n, ast.Yield | ast.YieldFrom) for n in inside)
        gives |= any(isinstance(n, ast.Return) and n.value is not None for n in inside)
        stub = len(node.body) == 1 or any(isinstance(n, ast.Raise) for n in node.body)
        return "Any" if gives or stub else "None"

    def a_class(self, where, node, name):
        """Write a class: its attributes, and its methods with those of bases that nobody sees."""
        bases, methods, attributes = [], {}, {}
        self.collect(where, node, bases, methods, attributes)
        lines = [f"\nclass {name}{'(' if bases else ''}{', '.join(bases)}{')' if bases else ''}:"]
        taken = set(methods)
        lines += [f"    {n}: {kind}" for n, kind in attributes.items() if n not in taken]
        for owner, method in methods.values():
            lines.append(
                self.function(method, "    ", node if method.name == "__init__" else owner)
            )
        return "\n".join(lines if len(lines) > 1 else [lines[0][:-1] + ": ..."])

    def collect(self, where, node, bases, methods, attributes):
        """Gather from a class and, nearest first, from its bases in skrehab that are not public."""
        doc = sections(ast.get_docstring(node))
        decorated = any("dataclass" in ast.unparse(one) for one in node.decorator_list)
        fields, tree = [], self.source.tree(where)
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                # read one way: a setter adds nothing for who reads
                if item.name[0] != "_" or item.name in {*RESULTS, "__call__", "__getitem__"} | {
                    "__iter__"
                }:
                    if not any(".setter" in ast.unparse(d) for d in item.decorator_list):
                        methods.setdefault(item.name, (node, item))
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                fields.append((item.target.id, item.value))
        named = doc.get("Parameters", {}) | doc.get("Attributes", {})
        for n, _ in fields:
            if n[0] != "_":
                attributes.setdefault(n, python_type(named.get(n, ""), self.classes, True))
        for n, said in doc.get("Attributes", {}).items():
            if n.isidentifier():
                attributes.setdefault(n, python_type(said, self.classes, True))
        written = [ast.unparse(one) for one in node.bases]
        if decorated or "NamedTuple" in written:
            methods.setdefault("__init__", (node, _init_of(fields)))
        if "NamedTuple" in written:
            written = ["tuple[Any, ...]"]
            methods.pop("__init__", None)
            methods.setdefault("__new__", (node, _init_of(fields, "__new__")))
        for one in written:
            at, found_name, found = self.source.find(where, one) if one.isidentifier() else (
                where, one, None)  # fmt: skip
            if (at, found_name) in self.source.public:
                bases.append(self.classes.get(self.source.public[at, found_name][1], "Any"))
            elif isinstance(found, ast.ClassDef):
                self.collect(at, found, bases, methods, attributes)
            elif one in KNOWN_BASES or one.startswith("tuple["):
                bases.append(one)
            elif "Any" not in bases and _imported(tree, one):
                bases.append("Any")  # of scikit-learn, torch: not followed
        bases[:] = [b for b in dict.fromkeys(bases) if b != "Any"] + ["Any"] * ("Any" in bases)


class _Classes(dict):
    """Public classes by name; who asks for one gets it imported."""

    def __init__(self, writer):
        super().__init__()
        self.writer = writer

    def get(self, name, default=None):
        """Return the name of a public class that a docstring may say."""
        writer = self.writer
        for (where, written), (home, public) in writer.source.public.items():
            if public == name:
                if not isinstance(writer.source.find(where, written)[2], ast.ClassDef):
                    return default
                if home != writer.module:
                    writer.needed[name] = home
                return name
        return default


def _walk_own(node):
    """Walk a function without the functions in it."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _walk_own(child)


def _imported(tree, name):
    first = name.partition(".")[0].partition("(")[0]
    return any(
        (alias.asname or alias.name.partition(".")[0]) == first
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )


def _init_of(fields, name="__init__"):
    """The function that a dataclass or a named tuple makes of its fields."""
    # what comes by name alone may lack a default after one that has it
    optional = [i for i, (_, value) in enumerate(fields) if value is not None]
    star = bool(optional) and optional != list(range(optional[0], len(fields)))
    given = [f"{n}=None" if value is not None else n for n, value in fields]
    made = ast.parse(f"def {name}(self, {'*, ' * star}{', '.join(given)}): pass").body[0]
    values = [
        None if value is None else value if isinstance(value, ast.Constant) else ast.Constant(...)
        for _, value in fields
    ]
    if star:
        made.args.kw_defaults = values
    else:
        made.args.defaults = [value for value in values if value is not None]
    return made


def _constant(node):
    """Type of something that is no function and no class."""
    kinds = {ast.Dict: "dict[Any, Any]", ast.List: "list[Any]", ast.Tuple: "tuple[Any, ...]"}
    if isinstance(node, ast.Constant):
        return type(node.value).__name__ if node.value is not None else "None"
    return next((kind for one, kind in kinds.items() if isinstance(node, one)), "Any")
