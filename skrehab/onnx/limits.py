"""What a foreign .onnx file may hold: looked into before a runtime opens it.

ONNX can name files beside itself, operators of a library that is loaded for them, and loops without
an end. export_onnx writes none of these, so no file may ask for one.
"""

import json
import math
from numbers import Real
from pathlib import Path

from skrehab._optional import require
from skrehab._shown import shown
from skrehab.formats._bounds import quoted, read_bytes

__all__ = ["MAX_FILE", "MAX_MEMORY", "check_facts", "check_graph", "read_content", "read_facts"]

MAX_FILE = 2**30  # bytes; the largest networks of the registry are a third of it
MAX_MEMORY = 4 * 2**30  # bytes that all models of a process may take for what they compute
MAX_FACTS = 8 * 2**20  # characters of what a file says of itself, as of model.json
MAX_STATE = 2**24  # numbers that a stream remembers
MAX_CLASSES, MAX_LANDMARKS, MAX_COORDS = 10_000, 10_000, 1000
_ENDLESS = {"Loop", "Scan", "SequenceMap"}  # run as long as the file likes
_DOMAINS = {"", "ai.onnx"}  # two names of ONNX's own operators


def read_content(source, name):
    """Read a file that is no larger than it may be.

    Parameters
    ----------
    source : str, path-like or bytes
        The file, or its content.
    name : str
        What errors call it.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is too large, or a pipe or device.
    """
    try:
        if isinstance(source, bytes):
            if len(source) > MAX_FILE:
                raise ValueError(f"it has {len(source):,} bytes, the limit is {MAX_FILE:,}")
            return source
        path = Path(source)
        if not path.exists() or path.is_dir():
            raise FileNotFoundError(f"There is no ONNX file {source}.")
        return read_bytes(path, MAX_FILE, "an ONNX model")
    except ValueError as error:
        raise ValueError(f"{name} cannot be read: {error}.") from None


def check_graph(content, name):
    """Refuse a model that names other files or runs more than ONNX's own operators.

    Parameters
    ----------
    content : bytes
        The file's.
    name : str
        What errors call it.

    Raises
    ------
    ImportError
        If the package onnx is missing.
    ValueError
        If it is no such model, or one of these; the message says which.

    Examples
    --------
    >>> from skrehab.onnx.graph import Graph
    >>> from skrehab.onnx.limits import check_graph
    >>> graph = Graph()
    >>> twice = graph.add("Twice", "x", domain="of.mine")
    >>> model = graph.build([("x", "float32", [3])], [("y", twice, "float32", [3])])
    >>> check_graph(model.SerializeToString(), "m.onnx")
    Traceback (most recent call last):
    ...
    ValueError: m.onnx is refused: it needs the operator of.mine.Twice, which is not one of ONNX...
    """
    onnx = require("onnx", "onnx", "to look into ONNX files before they run")
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no stable base
        raise ValueError(f"{name} cannot be read: it is no ONNX model, or is damaged.") from error
    if not model.HasField("graph"):
        raise ValueError(f"{name} cannot be read: it is no ONNX model.")
    if model.functions or model.training_info:
        raise ValueError(
            f"{name} is refused: it brings operators or training steps of its own, which no file "
            "of skrehab.onnx does."
        )
    _check_nodes(model.graph, name)


def _check_nodes(graph, name):
    """Look at every operator and array, those of graphs within graphs too."""
    for tensor in [*graph.initializer, *_dense(graph.sparse_initializer)]:
        _check_tensor(tensor, name)
    for node in graph.node:
        if node.domain not in _DOMAINS:
            raise ValueError(
                f"{name} is refused: it needs the operator "
                f"{_short(f'{node.domain}.{node.op_type}')}, which is not one of ONNX's own."
            )
        if node.op_type in _ENDLESS:
            raise ValueError(
                f"{name} is refused: it holds a {node.op_type}, which could run for ever."
            )
        for attribute in node.attribute:
            tensors = [*attribute.tensors, *_dense(attribute.sparse_tensors)]
            if attribute.HasField("t"):
                tensors.append(attribute.t)
            if attribute.HasField("sparse_tensor"):
                tensors.extend(_dense([attribute.sparse_tensor]))
            for tensor in tensors:
                _check_tensor(tensor, name)
            for inner in [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]:
                _check_nodes(inner, name)


def _dense(sparse):
    return [tensor for one in sparse for tensor in (one.values, one.indices)]


def _check_tensor(tensor, name):
    if tensor.data_location or tensor.external_data:
        places = [entry.value for entry in tensor.external_data if entry.key == "location"]
        where = f", {_short(places[0])}" if places else ""
        raise ValueError(
            f"{name} is refused: it keeps the array {_short(tensor.name)} in another file{where}. "
            "Files of skrehab.onnx hold all that they need."
        )


def _short(text):
    return shown(text if len(text) <= 60 else f"{text[:60]}...")


# --- what it says of itself -----------------------------------------------------------------------
def read_facts(text, name):
    """Read the metadata property ``skrehab``.

    Parameters
    ----------
    text : str or None
        The property.
    name : str
        What errors call the file.

    Returns
    -------
    dict
        What the file says of itself; empty if that is nothing, or no JSON.

    Raises
    ------
    ValueError
        If it is too long.
    """
    if not text:
        return {}
    if len(text) > MAX_FACTS:
        raise ValueError(f"{name} is refused: it says {len(text):,} characters of itself.")
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def check_facts(facts, name):
    """Check the parts that running the model relies on.

    Parameters
    ----------
    facts : dict
        From :func:`read_facts`, of the right format and version.
    name : str
        What errors call the file.

    Raises
    ------
    ValueError
        If one is missing or is not as export_onnx writes it; the message names it.
    """

    def need(right, key, what):
        if not right:
            raise ValueError(f"{name} is refused: its {key!r} must be {what}, got "
                             f"{shown(quoted(facts.get(key)))}.")  # fmt: skip

    classes = facts.get("classes")
    need(
        isinstance(classes, list)
        and 0 < len(classes) <= MAX_CLASSES
        and any(all(isinstance(one, kind) for one in classes) for kind in (str, Real)),
        "classes",
        "a list of names, or of numbers",
    )
    normal = facts.get("normal_label")
    need(normal is None or normal in classes, "normal_label", "one of the classes, or null")
    for key, most in (("n_landmarks", MAX_LANDMARKS), ("n_coords", MAX_COORDS)):
        need(_is_size(facts.get(key), 1, most), key, f"a whole number from 1 to {most:,}")
    outputs = facts.get("outputs")
    need(
        isinstance(outputs, list)
        and all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in outputs),
        "outputs",
        "a list of outputs with names",
    )
    if facts.get("kind") == "stream":
        state = facts.get("state")
        need(
            isinstance(state, list) and all(map(_is_state, state)),
            "state",
            "a list of arrays with name, comes_back_as, shape and dtype",
        )
        size = sum(math.prod(one["shape"]) for one in state)
        need(size <= MAX_STATE, "state", f"at most {MAX_STATE:,} numbers")


def _is_size(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_state(one):
    return (
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in ("name", "comes_back_as"))
        and one.get("dtype") in ("float32", "int32")
        and isinstance(one.get("shape"), list)
        and len(one["shape"]) <= 8
        and all(_is_size(size, 0, MAX_STATE) for size in one["shape"])
    )
