"""load: check the whole folder, then decode it, then build the networks and fill them."""

from pathlib import Path

import numpy as np

from skrehab._optional import require
from skrehab._surroundings import check_device, own_surroundings
from skrehab.persistence.allowed import ALLOWED, NOT_TAKEN
from skrehab.persistence.checking import check_model
from skrehab.persistence.classes import load_class
from skrehab.persistence.digests import load_whole
from skrehab.persistence.folder import read_head, read_tree
from skrehab.persistence.modules import load_module

__all__ = ["load", "load_files"]


def load(path, *, device="cpu"):
    """Read a model folder written by :func:`save`.

    Parameters
    ----------
    path : str or path-like
        The folder.
    device : str, default="cpu"
        Torch device to use, whatever it was trained on.

    Returns
    -------
    estimator
        With the same predictions, bit for bit on the same machine. Parameters that name places or
        belong to a machine (``memory``, ``weights``, ``model_path``, ``n_jobs``,
        ``allow_telemetry``, ...) are as the class has them by default.

    Raises
    ------
    ValueError
        If the folder is not a model, is damaged, too large, of a newer format, or gives an
        estimator anything that ``skrehab/persistence/allowed.py`` does not list; the message names
        the file and what was refused.

    Examples
    --------
    >>> import tempfile, numpy as np, skrehab
    >>> smoother = skrehab.DisplacementSmoother(window=3).fit([np.zeros((4, 33, 3))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrehab.load(skrehab.save(smoother, folder + "/model"))
    DisplacementSmoother(window=3)
    """
    path = Path(path)
    return load_files(path / "model.json", path / "weights.safetensors", device=device)


@own_surroundings()
def load_files(model_json, weights, *, device="cpu"):
    """Read a model from its two files.

    Parameters
    ----------
    model_json, weights : path-like
        The files.
    device : str, default="cpu"
        As in :func:`load`.

    Returns
    -------
    estimator
        As from :func:`load`.

    Raises
    ------
    ValueError
        As from :func:`load`.
    """
    check_device(device)
    safetensors = require("safetensors.numpy", None, "to load models")
    model_json, weights = Path(model_json), Path(weights)

    def check(tree):
        tensors = read_head(weights)
        try:
            check_model(tree["estimator"], tensors)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{model_json} cannot be loaded: {error}") from error

    def read():
        try:
            return safetensors.load_file(weights)
        except Exception as error:
            raise ValueError(f"{weights} is damaged: {error}") from error

    tree, arrays = load_whole((model_json, weights), lambda: read_tree(model_json), check, read)
    try:
        return _decode_estimator(tree["estimator"], arrays, device)
    except (ImportError, OSError):  # a missing package says which
        raise
    except Exception as error:  # a network says in many ways that sizes do not go together
        raise ValueError(f"{model_json} cannot be loaded: {error}") from error


# What is decoded here has passed the check: kinds, names and sizes are known to be allowed.
def _decode(node, arrays, device):
    if not isinstance(node, dict):
        return node
    if "class" in node:
        return _decode_estimator(node, arrays, device)
    ((kind, content),) = node.items()
    if kind == "float":
        return float(content)
    if kind == "array":
        return arrays[content]
    if kind == "strings":
        return np.array(content)
    if kind in ("list", "tuple", "objects"):
        items = [_decode(v, arrays, device) for v in content]
        if kind == "objects":
            out = np.empty(len(items), dtype=object)
            out[:] = items
            return out
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {_decode(k, arrays, device): _decode(v, arrays, device) for k, v in content}
    raise ValueError(f"Unknown kind of value in the model: {kind!r}.")


def _decode_estimator(node, arrays, device):
    params = {
        key: None if key in NOT_TAKEN else _decode(value, arrays, device)
        for key, value in node["params"].items()
    }
    if "device" in params:
        params["device"] = device
    estimator = load_class(node["class"])(**params)
    for key, value in node["state"].items():
        if key != "module_":
            setattr(estimator, key, _decode(value, arrays, device))
    if node["state"]:
        for key, (_, value) in ALLOWED[node["class"]].later.items():
            if key not in node["state"]:  # an older version did not write it
                setattr(estimator, key, value)
    if "module_" in node["state"]:
        prefix = node["state"]["module_"]["module"]
        own = {
            key.removeprefix(prefix): value
            for key, value in arrays.items()
            if key.startswith(prefix)
        }
        estimator.module_ = load_module(estimator, own)
    return estimator
