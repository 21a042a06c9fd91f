"""Kinds of values with parts: dicts of known names, rows of given kinds, one class alone."""

from dataclasses import dataclass

from skrehab.persistence.kinds import Estimator, Kind, Refused, pairs_of, shown

__all__ = ["EstimatorOf", "Record", "Row", "estimator_of"]


@dataclass(frozen=True)
class EstimatorOf(Estimator):
    """An estimator of one class; see :func:`estimator_of`."""

    name: str = ""

    def check(self, node, place):
        if not isinstance(node, dict) or node.get("class") != self.name:
            raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")
        super().check(node, place)


def estimator_of(name):
    """Return the kind of estimators of one class, by its name in the file."""
    return EstimatorOf(f"an estimator of the class {name}", name)


@dataclass(frozen=True)
class Record(Kind):
    """A dict in which each name has its own kind; none need be there."""

    kinds: dict

    @property
    def says(self):
        return f"a dict of some of {sorted(self.kinds)}"

    def check(self, node, place):
        for key, value in pairs_of(node, len(self.kinds), place):
            if key not in self.kinds:
                raise Refused(f"{place.name} must be {self.says}, got {shown(key)}")
            self.kinds[key].check(value, place.inside(key))


@dataclass(frozen=True)
class Row(Kind):
    """A list or tuple of so many values, each of its own kind."""

    kinds: tuple

    @property
    def says(self):
        return f"a list of {len(self.kinds)}: {', '.join(kind.says for kind in self.kinds)}"

    def check(self, node, place):
        content = None
        if isinstance(node, dict) and len(node) == 1:
            content = node.get("list", node.get("tuple"))
        if not isinstance(content, list) or len(content) != len(self.kinds):
            raise Refused(f"{place.name} must be {self.says}, got {shown(node)}")
        for i, (kind, item) in enumerate(zip(self.kinds, content)):
            kind.check(item, place.inside(i))
