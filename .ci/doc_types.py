"""From what a numpydoc docstring says of a type to how Python writes it.

What is not understood is ``Any``: a checker then says nothing, and never something wrong.
"""

import ast
import re

SIMPLE = {name: name for name in ("int", "float", "str", "bool", "bytes", "None")}
SIMPLE |= {"number": "float", "integer": "int", "string": "str", "boolean": "bool"}
SIMPLE |= {"callable": "Callable[..., Any]", "Path": "Path", "pathlib.Path": "Path"}
SIMPLE |= {"RandomState": "RandomState", "numpy.random.RandomState": "RandomState"}
SIMPLE |= {"RandomState instance": "RandomState", "numpy.random.Generator": "Generator"}
PATHS = {"path-like", "Path", "pathlib.Path", "file-like"}
# "of shape (n, 3) or (n, 3, 2)", "of length n_trials", ", dtype uint8"
SHAPE = re.compile(
    r",? of (the same )?(shape|length)( \([^)]*\)(( or|,) \([^)]*\))*| \w+)?"
    r"|,? (with )?dtypes? [\w.]+( or [\w.]+)?"
)
RANGE = re.compile(r"^(int|float) (in|>|>=|<|between|from|at least|above)\b.*$")


def sections(doc):
    """Read Parameters, Returns, Yields and Attributes of a docstring.

    Returns
    -------
    dict of str to dict of str to str
        Section to name to what is said of the type; an unnamed result has the name "".
    """
    found, section = {}, None
    lines = (doc or "").splitlines()
    for line, below in zip(lines, lines[1:] + [""]):
        if re.fullmatch("-{3,}", below):
            section = found.setdefault(line.strip(), {})
        elif section is not None and line and not line[0].isspace() and line[0] != "-":
            names, colon, said = line.partition(" : ")
            if not colon:
                names, said = "", line
            for name in names.split(","):
                section[name.strip().lstrip("*")] = said.strip()
    return found


def python_type(said, known, returned=False):
    """Write the type that a docstring says.

    Parameters
    ----------
    said : str
        Like ``"{'mean', 'last'} or None, default=None"``.
    known : dict of str to str
        Names of classes that may be named, and how.
    returned : bool, default=False
        Whether the object comes back: an array is then an array, and not what can become one.

    Returns
    -------
    str
    """
    said = re.sub(r",? ?(optional|default[ =:].*)$", "", said or "").strip()
    said = SHAPE.sub("", said).strip()
    said = re.sub(r",? (optional|default[ =:].*)$", "", said).strip()
    parts = [RANGE.sub(r"\1", part) for part in _split(said)]
    types = []
    for part in parts:
        one = _one(part, known, returned)
        if "Any" == one:
            return "Any"
        types += _split(one, r" \| ")
    types = list(dict.fromkeys(types))
    if "None" in types:
        types = [one for one in types if one != "None"] + ["None"]
    return " | ".join(types) if types else "Any"


def _split(said, between=r", or |, | or "):
    """Split at commas and at "or", outside brackets and quotes."""
    parts, depth, quote, start, i = [], 0, None, 0, 0
    while i < len(said):
        char = said[i]
        if quote:
            quote = None if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0:
            found = re.match(between, said[i:])
            if found:
                parts.append(said[start:i])
                i = start = i + len(found[0])
                continue
        i += 1
    return [part.strip() for part in [*parts, said[start:]] if part.strip()]


def _one(part, known, returned):
    """Write one alternative."""
    part = part.strip().strip("`")
    if part in PATHS and not returned:
        return "str | PathLike[str]" if part != "file-like" else "Any"
    if part in SIMPLE:
        return SIMPLE[part]
    if part in ("array-like", "ndarray", "numpy.ndarray", "array"):
        return "NDArray[Any]" if returned else "ArrayLike"
    if part[:1] in "\"'{":
        return _literal(part)
    if re.match(r"(ndarray|array-like|array) of (int|float|bool|str|object)s?$", part):
        return "NDArray[Any]" if returned else "ArrayLike"
    if part[:1] == "(" and part[-1:] == ")":
        inner = [python_type(one, known, returned) for one in _split(part[1:-1])]
        if "Any" in inner and not re.search(r"\b(label|object|callable)\b", part):
            return "Any"  # a shape, like (n_frames,)
        return f"tuple[{', '.join(inner)}]"
    if part in ("dict", "mapping"):
        return "dict[Any, Any]" if returned else "Mapping[Any, Any]"
    if part in ("list", "sequence", "tuple", "set", "iterable", "iterator"):
        return _many(part, "Any", returned)
    found = re.match(r"(?:dict|mapping) of (.+?) to (.+)$", part)
    if found:
        key, value = (python_type(one, known, returned) for one in found.groups())
        return f"{'dict' if returned else 'Mapping'}[{key}, {value}]"
    found = re.match(r"(list|sequence|tuple|set|iterable|iterator)s? of (.+)$", part)
    if found:
        item = re.sub(r"^(two|three|four|five|\d) ", "", found[2])
        return _many(found[1], python_type(item, known, returned), returned)
    return known.get(part.lstrip("~").rpartition(".")[2], "Any")


def _many(what, item, returned):
    """Write a list, a tuple and the like; a list of trials may also be an array of them."""
    if what == "tuple":
        return f"tuple[{item}, ...]"
    if what in ("iterable", "iterator"):
        return f"{what.title()}[{item}]"
    if returned:
        return f"{'set' if what == 'set' else 'list'}[{item}]"
    if what == "set":
        return f"AbstractSet[{item}]"
    return f"Sequence[{item}] | NDArray[Any]" if item in ("ArrayLike", "Any") else (
        f"Sequence[{item}]"
    )  # fmt: skip


def _literal(part):
    """Write the values that are said, if all of them are there."""
    try:
        values = ast.literal_eval(part)
    except (ValueError, SyntaxError):
        return "Any"
    if isinstance(values, dict) or "..." in part:
        return "Any"
    # in the order in which they are said: a set has none
    said = [one.strip() for one in part.strip("{}").split(",")] if part[0] == "{" else [part]
    if not all(isinstance(one, str | int | bool | None) for one in _each(said)):
        return "Any"
    return f"Literal[{', '.join(said)}]"


def _each(said):
    """Values of pieces of source; an object of no use where one cannot be read."""
    for one in said:
        try:
            yield ast.literal_eval(one)
        except (ValueError, SyntaxError):
            yield object()
