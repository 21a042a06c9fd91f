"""Kinds of values that a model folder may hold, each checked in the JSON before it is decoded.

A kind has ``check(node, place)``, which raises :class:`Refused` with the name of the place, what is
allowed there and what came. Nothing is decoded, allocated or imported by a check.
"""

import math
import re
import reprlib
from dataclasses import dataclass, field, replace

MAX_LABELS = 10_000
MAX_TEXT = 200  # characters of a label or name
MAX_ROWS = 200_000  # of a training history
_WORD = re.compile(r"[A-Za-z0-9_+-]{1,60}")
_STEP = re.compile(r"[\w .-]{1,100}")
_DEVICE = re.compile(r"(cpu|cuda|mps|xpu|meta)(:[0-9]{1,2})?")
_HEX = re.compile(r"[0-9a-fA-F]{8,64}")
_FLOAT = re.compile(r"-?(nan|inf|[0-9]{1,20}(\.[0-9]{1,25})?(e[+-]?[0-9]{1,4})?)")
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 60
_short.maxlevel = 3


class Refused(ValueError):
    """Something in a model folder is not what may stand there."""


@dataclass(frozen=True)
class Place:
    """Where a value stands, and what is known around it.

    Parameters
    ----------
    name : str
        Path of names, for messages: ``"Pipeline.steps.0.window"``.
    tensors : dict of str to Tensor
        What ``weights.safetensors`` says it holds: kind of numbers and shape.
    used : set of str
        Names of tensors that have been asked for.
    sizes : dict of str to int
        Sizes that the estimator has told so far, by symbol.
    options : frozenset
        Words that the class allows for this parameter.
    check_estimator : callable
        Checks an estimator that stands inside another.
    depth : int
        Estimators around this one.
    """

    name: str
    tensors: dict
    used: set
    check_estimator: object = None
    sizes: dict = field(default_factory=dict)
    options: frozenset = frozenset()
    depth: int = 0

    def inside(self, name):
        """Return the place of something inside."""
        return replace(self, name=f"{self.name}.{name}")


def shown(node):
    """A few words of a value, however large it is."""
    return _short.repr(node)


def number_of(node):
    """Return the number that a node stands for, or None if it is no number."""
    if type(node) is int:
        return node
    if isinstance(node, dict) and set(node) == {"float"}:
        text = node["float"]
        if isinstance(text, str) and _FLOAT.fullmatch(text):
            return float(text)
    return None


class Kind:
    """Base of the kinds: a sentence and a test."""

    says = ""

    def holds(self, node, place):
        """Tell whether the node may stand there."""
        raise NotImplementedError(f"{type(self).__name__} tests nothing: write holds(node, place).")

    def check(self, node, place):
        """Raise if the node may not stand there."""
        if not self.holds(node, place):
            raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")


@dataclass(frozen=True)
class Fixed(Kind):
    """A parameter that names a place or a switch: it stays as the class has it by default."""

    value: object = None

    @property
    def says(self):
        return (
            f"left as it is ({self.value}): it names a place or a switch on somebody's machine, "
            "and is not taken from a model folder (set it after loading)"
        )

    def holds(self, node, place):
        return node is None if self.value is None else node is self.value


@dataclass(frozen=True)
class Flag(Kind):
    says = "true or false"

    def holds(self, node, place):
        return type(node) is bool


@dataclass(frozen=True)
class Nothing(Kind):
    says = "null"

    def holds(self, node, place):
        return node is None


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number in a range; under a symbol, a size that arrays must agree with."""

    low: int
    high: int
    symbol: str = ""

    @property
    def says(self):
        return f"a whole number from {self.low} to {self.high}"

    def holds(self, node, place):
        fits = type(node) is int and self.low <= node <= self.high
        if fits and self.symbol:
            return place.sizes.setdefault(self.symbol, node) == node
        return fits


@dataclass(frozen=True)
class Number(Kind):
    """A number in a range; ``odd=True`` lets nan and infinities in, where fit may write them."""

    low: float
    high: float
    odd: bool = False

    @property
    def says(self):
        return f"a number from {self.low:g} to {self.high:g}"

    def holds(self, node, place):
        value = number_of(node)
        if value is None:
            return False
        return self.low <= value <= self.high or (self.odd and not math.isfinite(value))


@dataclass(frozen=True)
class Text(Kind):
    """A short word of plain letters: no path, no address."""

    pattern: object = _WORD
    says: str = "a short word without any of / \\ : ."

    def holds(self, node, place):
        return isinstance(node, str) and self.pattern.fullmatch(node) is not None


@dataclass(frozen=True)
class Options(Kind):
    """One of the words that the class itself allows for this parameter."""

    says = "one of the words that the class knows"

    def check(self, node, place):
        if not isinstance(node, str) or node not in place.options:
            raise Refused(f"{place.name} must be one of {sorted(place.options)}, got {shown(node)}")


@dataclass(frozen=True)
class Either(Kind):
    """One of several kinds; the message of a nested estimator's fault is its own."""

    kinds: tuple

    @property
    def says(self):
        return " or ".join(kind.says for kind in self.kinds)

    def check(self, node, place):
        for kind in self.kinds:
            nested = isinstance(kind, Estimator) and isinstance(node, dict) and "class" in node
            try:
                return kind.check(node, place)
            except Refused:
                if nested:
                    raise
        raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")


@dataclass(frozen=True)
class Series(Kind):
    """A list or tuple of one kind."""

    kind: Kind
    most: int = 64
    least: int = 0

    @property
    def says(self):
        return f"a list of {self.least} to {self.most}, each {self.kind.says}"

    def check(self, node, place):
        content = _only(node, "list", "tuple")
        if not isinstance(content, list) or not self.least <= len(content) <= self.most:
            raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")
        for i, item in enumerate(content):
            self.kind.check(item, place.inside(i))


@dataclass(frozen=True)
class Mapping(Kind):
    """A dict of one kind of keys and one of values."""

    key: Kind
    value: Kind
    most: int = 64

    @property
    def says(self):
        return f"a dict of at most {self.most}, its values {self.value.says}"

    def check(self, node, place):
        for key, value in pairs_of(node, self.most, place):
            self.key.check(key, place)
            self.value.check(value, place.inside(str(key)[:40]))


@dataclass(frozen=True)
class Array(Kind):
    """An array in the weights: kinds of its numbers, and its shape with None and symbols."""

    numbers: str
    shape: tuple

    @property
    def says(self):
        shape = ", ".join("any" if size is None else str(size) for size in self.shape)
        names = {"f": "floats", "i": "whole numbers", "b": "flags", "u": "counts"}
        return f"an array of {' or '.join(names[one] for one in self.numbers)} of shape ({shape})"

    def holds(self, node, place):
        name = _only(node, "array")
        if not isinstance(name, str) or name not in place.tensors:
            return False
        tensor = place.tensors[name]
        place.used.add(name)
        if tensor.numbers not in self.numbers or len(tensor.shape) != len(self.shape):
            return False
        for size, wanted in zip(tensor.shape, self.shape):
            if isinstance(wanted, str):
                wanted = place.sizes.setdefault(wanted, size)
            if wanted is not None and size != wanted:
                return False
        return True

    def check(self, node, place):
        if self.holds(node, place):
            return
        name = _only(node, "array")
        got = shown(node)
        if isinstance(name, str):
            tensor = place.tensors.get(name)
            got = f"{tensor}" if tensor else f"no array called {shown(name)} in the weights"
        told = {symbol: size for symbol, size in place.sizes.items() if symbol in self.shape}
        told = f" with {told}" if told else ""
        raise Refused(f"{place.name} must be {self.says}{told}, got {got}")


@dataclass(frozen=True)
class Labels(Kind):
    """Class labels: one-dimensional numbers or short texts."""

    most: int = MAX_LABELS
    says: str = "one-dimensional labels: numbers, or texts of at most 200 characters"

    def holds(self, node, place):
        if "array" in (node if isinstance(node, dict) else ()):
            kind = Array("biuf", (None,))
            return kind.holds(node, place) and place.tensors[node["array"]].shape[0] <= self.most
        for name in ("strings", "objects"):
            content = _only(node, name)
            if isinstance(content, list) and 0 < len(content) <= self.most:
                return all(_is_label(one, name) for one in content)
        return False


def _is_label(one, name):
    if isinstance(one, str):
        return len(one) <= MAX_TEXT
    return name == "objects" and (type(one) in (int, bool) or number_of(one) is not None)


@dataclass(frozen=True)
class History(Kind):
    """Rows of numbers that training noted, epoch by epoch."""

    says: str = "a list of rows of numbers"

    def check(self, node, place):
        rows = _only(node, "list")
        if not isinstance(rows, list) or len(rows) > MAX_ROWS:
            raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")
        for i, row in enumerate(rows):
            for key, value in pairs_of(row, 40, place.inside(i)):
                Text().check(key, place.inside(i))
                odd = number_of(value) is None and value is not None and type(value) is not bool
                if odd and not Text().holds(value, place):
                    raise Refused(f"{place.name}.{i}.{key} must be a number, got {shown(value)}")


@dataclass(frozen=True)
class Estimator(Kind):
    """Another estimator of the list."""

    says: str = "an estimator of the list in skrehab/persistence/classes.py"

    def check(self, node, place):
        if not isinstance(node, dict) or "class" not in node:
            raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")
        place.check_estimator(node, place)


@dataclass(frozen=True)
class Steps(Kind):
    """Steps of a pipeline: pairs of a name and an estimator."""

    says: str = "a list of 1 to 50 pairs of a name and an estimator"

    def check(self, node, place):
        steps = _only(node, "list", "tuple")
        if not isinstance(steps, list) or not 1 <= len(steps) <= 50:
            raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")
        for i, step in enumerate(steps):
            pair = _only(step, "tuple", "list")
            if not isinstance(pair, list) or len(pair) != 2:
                raise Refused(f"{place.name}.{i} must be a name and an estimator: {shown(step)}")
            if not isinstance(pair[0], str) or not _STEP.fullmatch(pair[0]) or "__" in pair[0]:
                raise Refused(f"{place.name}.{i} must have a short name, got {shown(pair[0])}")
            if pair[1] is not None and pair[1] != "passthrough":
                Estimator().check(pair[1], place.inside(f"{i}.1"))


def _only(node, *names):
    """Content of a node that has one of these names and nothing else, or None."""
    if isinstance(node, dict) and len(node) == 1:
        name = next(iter(node))
        return node[name] if name in names else None
    return None


def pairs_of(node, most, place):
    """Return the pairs of a dict's node."""
    pairs = _only(node, "dict")
    whole = isinstance(pairs, list) and len(pairs) <= most
    if not whole or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise Refused(f"{place.name} must be a dict of at most {most}, got {shown(node)}")
    keys = [pair[0] for pair in pairs]
    if not all(isinstance(key, str | int) or number_of(key) is not None for key in keys):
        raise Refused(f"{place.name} has keys that are neither text nor numbers")
    if len({str(key) for key in keys}) < len(keys):
        raise Refused(f"{place.name} names a key twice")
    return pairs


def optional(kind):
    """A kind, or null."""
    return Either((Nothing(), kind))


DEVICE = Text(_DEVICE, "a device of torch")
SHA256 = Text(_HEX, "hexadecimal digits")
