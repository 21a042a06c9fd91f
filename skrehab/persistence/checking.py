"""Check an estimator's JSON against the allow-list before anything of it is decoded or built."""

import math
from dataclasses import dataclass, replace

from skrehab.persistence.allowed import ALLOWED, NETWORK_PARAMS
from skrehab.persistence.classes import load_class
from skrehab.persistence.kinds import Place, Refused, shown
from skrehab.persistence.network_limits import (
    check_network_params,
    check_reach,
    check_sizes,
    numbers_in,
)

__all__ = ["MAX_DEPTH", "Tensor", "check_model"]

MAX_DEPTH = 8  # estimators inside one another


@dataclass(frozen=True)
class Tensor:
    """What the head of the weights says of an array: ``"f"``, ``"i"``, ``"u"``, ``"b"``; shape."""

    numbers: str
    shape: tuple
    dtype: str = ""

    def __str__(self):
        return f"{self.dtype or self.numbers} of shape {self.shape}"

    @property
    def size(self):
        return math.prod(self.shape)


def check_model(node, tensors):
    """Check a whole model.

    Parameters
    ----------
    node : object
        The entry ``estimator`` of ``model.json``.
    tensors : dict of str to Tensor
        What the weights hold.

    Raises
    ------
    Refused
        If anything may not be where it is; the message names the place.
    """
    name = node.get("class") if isinstance(node, dict) else None
    name = name.rpartition(".")[2] if isinstance(name, str) else "estimator"
    used = set()
    _check_estimator(node, Place(name[:60], tensors, used, _check_estimator))
    unused = sorted(set(tensors) - used)
    if unused:
        raise Refused(f"the weights hold arrays that nothing asks for, such as {shown(unused[0])}")


def _check_estimator(node, place):
    if not isinstance(node, dict) or set(node) != {"class", "params", "state"}:
        raise Refused(f"Not an estimator: {shown(node)}")
    if place.depth >= MAX_DEPTH:
        raise Refused(
            f"{place.name}: estimators stand inside one another more than {MAX_DEPTH} deep"
        )
    try:
        cls = load_class(node["class"])
    except ValueError as error:
        raise Refused(f"{place.name}: {error}") from None
    place = replace(place, depth=place.depth + 1, sizes={})
    for entry in ("params", "state"):
        if not isinstance(node[entry], dict):
            raise Refused(f"{place.name}: {entry} must be a dict, got {shown(node[entry])}")
    allowed = ALLOWED[node["class"]]
    network = node["params"].get("network")
    _check_params(node, cls, allowed, place, network)
    _check_state(node, cls, allowed, place, network)
    _check_module(node, place)


def _check_params(node, cls, allowed, place, network):
    known = set(cls._get_param_names())
    unknown = sorted(set(node["params"]) - (known & set(allowed.params)))
    if unknown:
        raise Refused(f"The model gives {node['class']} unknown parameters: {shown(unknown)}")
    for key, value in node["params"].items():
        inside = replace(place.inside(key), options=_options(cls, key))
        if key == "network":
            allowed.params[key].check(value, inside)
            _check_known(value)
        if key in NETWORK_PARAMS and value is not None:
            check_network_params(value, inside, network)
        else:
            allowed.params[key].check(value, inside)


def _check_known(network):
    from skrehab.networks import get_spec

    get_spec(network)


def _options(cls, key):
    """Words that the class allows for a parameter, by its own declaration."""
    constraints = getattr(cls, "_parameter_constraints", {})
    constraints = constraints if isinstance(constraints, dict) else {}
    kinds = constraints.get(key, ())
    kinds = kinds if isinstance(kinds, list | tuple) else ()
    kinds = [getattr(kind, "constraint", kind) for kind in kinds]  # what Hidden() wraps
    return frozenset(
        one for kind in kinds for one in getattr(kind, "options", ()) if isinstance(one, str)
    )


def _check_state(node, cls, allowed, place, network):
    state = node["state"]
    with_module = hasattr(cls, "_build_module")
    later = {key: kind for key, (kind, _) in allowed.later.items()}
    fitted = {**allowed.fitted, **allowed.sometimes, **later}
    for key in state:
        if key not in fitted and not (key == "module_" and with_module):
            raise Refused(f"The model sets an unexpected attribute: {shown(key)} of {place.name}")
    needed = [*allowed.fitted, *(["module_"] if with_module else [])]
    missing = [key for key in needed if key not in state] if state else []
    if missing:
        raise Refused(f"{place.name} lacks {missing[0]}, which fit sets")
    for key in fitted:  # sizes first: the list is in that order
        if key not in state:
            continue
        value, inside = state[key], place.inside(key)
        if key in NETWORK_PARAMS and value is not None:
            check_network_params(value, inside)
        else:
            fitted[key].check(value, inside)


def _check_module(node, place):
    """Check the network's place in the weights, and its sizes against theirs."""
    if "module_" not in node["state"]:
        return
    entry = node["state"]["module_"]
    prefix = entry.get("module") if isinstance(entry, dict) and len(entry) == 1 else None
    if not isinstance(prefix, str) or not prefix.endswith("/"):
        raise Refused(f"{place.name}.module_ must name its arrays, got {shown(entry)}")
    own = {name: tensor for name, tensor in place.tensors.items() if name.startswith(prefix)}
    if not own:
        raise Refused(f"{place.name}.module_: no array in the weights begins with {shown(prefix)}")
    place.used.update(own)
    params = [*node["params"].items()]
    for source in (node["params"], node["state"]):
        for key in NETWORK_PARAMS:
            value = source.get(key)
            if value is not None:
                params += [pair for pair in value["dict"] if isinstance(pair[0], str)]
                inner = dict(pair for pair in value["dict"] if isinstance(pair[0], str))
                if isinstance(inner.get("fusion_params"), dict):
                    params += inner["fusion_params"]["dict"]
    n_numbers = sum(tensor.size for tensor in own.values())
    check_sizes(params, place, len(own), n_numbers)
    check_reach([*params, *node["state"].items()], place)
    for key in ("n_features_", "n_pose_features_", "n_labels_"):
        for value in numbers_in(node["state"].get(key)):
            if value > n_numbers:
                raise Refused(
                    f"{place.name}.{key} is {value}; its weights hold {n_numbers} numbers"
                )
