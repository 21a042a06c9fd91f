"""Models as a folder of JSON and safetensors: nothing in it is code, nothing is unpickled.

``model.json`` holds the tree of estimators (class names from a fixed list, parameters, fitted
attributes), ``weights.safetensors`` the arrays, and perhaps a model card for people, ``README.md``.
Training data stay out: pseudo-labels, their scores and patient names are not written.
"""

import importlib
import json
import re
from pathlib import Path

import numpy as np

import skrehab
from skrehab._optional import require
from skrehab.model_card import CARD_MARK, model_card, tells_enough

__all__ = ["load", "read_metadata", "save"]

FORMAT, FORMAT_VERSION = "skrehab-model", 1
MAX_JSON_BYTES = 16 * 2**20
MAX_WEIGHT_BYTES = 4 * 2**30
_SMALL = 10**7  # numbers of a network that may be built before its weights are compared

# attributes that describe the training patients rather than the model
_TRAINING_DATA = {"transduction_", "scores_", "validation_groups_", "weights_report_"}
# parameters that matter while fitting only, or on one machine only
_NOT_KEPT = {"memory", "checkpoint_dir", "net_params", "resampler", "weights"}
_FITTED_NAME = re.compile(r"[a-z][a-zA-Z0-9_]*_")


# what may be saved and loaded: name in the file -> where the class lives
_CLASSES = {
    "PoseExtractor": "skrehab.pose.extractor",
    "DisplacementSmoother": "skrehab.preprocessing",
    "LandmarkScaler": "skrehab.preprocessing",
    "BoneVectors": "skrehab.bones",
    "SkeletonConverter": "skrehab.skeleton_converter",
    "VideoClassifier": "skrehab.video",
    "PoseSequencePretrainer": "skrehab.pretraining",
    "FusionClassifier": "skrehab.fusion",
    "MultiLabelFusion": "skrehab.fusion",
    "MuscleGroupClassifier": "skrehab.muscle_groups",
    "MultiLabelVideoClassifier": "skrehab.multilabel",
    "QualityRegressor": "skrehab.quality",
    "AppearanceFeatures": "skrehab.appearance_features",
    "SaliencyPseudoLabeler": "skrehab.pseudo_labels",
    "GapFiller": "skrehab.repairs",
    "LeftRightRepair": "skrehab.repairs",
    "SideNormalizer": "skrehab.repairs",
    "FrameMLP": "skrehab.frames",
    "FrameTCN": "skrehab.frame_tcn",
    "Augmentation": "skrehab.augmentation",
    "sklearn.Pipeline": "sklearn.pipeline",
    "sklearn.StandardScaler": "sklearn.preprocessing",
    "sklearn.LogisticRegression": "sklearn.linear_model",
    "sklearn.FrozenEstimator": "sklearn.frozen",
    "imblearn.Pipeline": "imblearn.pipeline",
}


def _class_name(value):
    """Name under which a value's class is saved, or None if it may not be."""
    kind = type(value)
    for name, module in _CLASSES.items():
        if kind.__name__ == name.rpartition(".")[2] and kind.__module__.startswith(module):
            return name
    return None


def _load_class(name):
    if name not in _CLASSES:
        raise ValueError(f"The model names an unknown class: {name!r}.")
    return getattr(importlib.import_module(_CLASSES[name]), name.rpartition(".")[2])


# --- saving ---------------------------------------------------------------------------------------
def save(estimator, path, *, metadata=None, card=None, overwrite=False):
    """Write a fitted estimator or pipeline to a folder.

    Parameters
    ----------
    estimator : estimator
        A skrehab estimator, or a scikit-learn or imbalanced-learn Pipeline of them.
    path : str or path-like
        Folder to make.
    metadata : dict, optional
        Anything JSON can hold, and numpy's numbers, for people to read: data, protocol, scores,
        frame rate. What a model card tells of it is listed at
        :func:`skrehab.model_card.model_card`.
    card : bool or str, optional
        Write a model card, ``README.md``: True always, False never, a str is its text. None writes
        one if `metadata` tells of data, patients, protocol, scores or licence.
    overwrite : bool, default=False
        Replace a model that is there already.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    TypeError
        If something in it cannot be saved; the message names it.
    ValueError
        If a number in `metadata` is not finite; the message names it.
    FileExistsError
        If the folder is there already.

    Examples
    --------
    >>> import tempfile, numpy as np, skrehab
    >>> scaler = skrehab.LandmarkScaler().fit([np.ones((4, 33, 3))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = skrehab.save(scaler, folder + "/model")
    ...     skrehab.load(path).scale_.shape
    (33, 3)
    """
    safetensors = require("safetensors.numpy", None, "to save models")
    path = Path(path)
    if path.exists() and not (overwrite and (path / "model.json").is_file()):
        hint = "pass overwrite=True" if (path / "model.json").is_file() else "it is not a model"
        raise FileExistsError(f"{path} exists already ({hint}).")
    metadata = _plain(metadata or {}, "metadata")
    readme = path / "README.md"
    if card is None:  # nobody asked: a card that somebody wrote by hand stays
        card = tells_enough(metadata) and (not readme.exists() or _is_ours(readme))
    if card is True:
        card = model_card(estimator, metadata, name=path.resolve().name)
    arrays = {}
    tree = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "skrehab": skrehab.__version__,
        "metadata": metadata,
        "estimator": _encode(estimator, type(estimator).__name__, arrays),
    }
    text = json.dumps(tree, indent=1, allow_nan=False)
    path.mkdir(parents=True, exist_ok=True)
    safetensors.save_file(arrays, path / "weights.safetensors")
    (path / "model.json").write_text(text, encoding="utf-8")
    if card:
        readme.write_text(card, encoding="utf-8")
    elif readme.is_file() and _is_ours(readme):
        readme.unlink()  # it tells of the model that was here before
    return path


def _is_ours(readme):
    return CARD_MARK in readme.read_text(encoding="utf-8", errors="replace")


def _plain(value, where):
    """Metadata as JSON can hold them, with numpy's numbers as plain ones."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not np.isfinite(value):
            raise ValueError(
                f"{where} is {value}, which JSON cannot hold. Leave it out, or give None."
            )
        return value
    if isinstance(value, list | tuple):
        return [_plain(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, dict):
        return {_plain_key(key, where): _plain(v, f"{where}[{key!r}]") for key, v in value.items()}
    hint = " Give .tolist() of it." if isinstance(value, np.ndarray) else ""
    raise TypeError(f"{where} cannot be saved: it is {type(value).__name__}.{hint}")


def _plain_key(key, where):
    key = key.item() if isinstance(key, np.generic) else key
    if isinstance(key, str | int) or (isinstance(key, float) and np.isfinite(key)):
        return key
    raise TypeError(f"{where} has the key {key!r}: keys must be text or finite numbers.")


def _encode(value, where, arrays):
    """Turn a value into JSON; arrays go to `arrays` under the name of the place they stand at."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.floating):
        return {"float": repr(float(value))}  # keeps nan and inf, and all bits
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if isinstance(value, list | tuple):
        items = [_encode(v, f"{where}.{i}", arrays) for i, v in enumerate(value)]
        return {"list": items} if isinstance(value, list) else {"tuple": items}
    if isinstance(value, dict):
        return {
            "dict": [
                [_encode(k, where, arrays), _encode(v, f"{where}.{k}", arrays)]
                for k, v in value.items()
            ]
        }
    if isinstance(value, np.ndarray) and value.dtype.kind in "US":
        return {"strings": value.tolist()}
    if isinstance(value, np.ndarray) and value.dtype == object:
        return {"objects": [_encode(v, f"{where}.{i}", arrays) for i, v in enumerate(value)]}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[where] = np.ascontiguousarray(value)
        return {"array": where}
    if (name := _class_name(value)) is not None:
        return _encode_estimator(value, name, where, arrays)
    hint = ""
    if isinstance(value, type):
        hint = " Give the network a name with skrehab.networks.register(...) and use that."
    elif isinstance(value, np.random.RandomState):
        hint = " Use a whole number as random_state."
    raise TypeError(f"{where} cannot be saved: it is {type(value).__name__}.{hint}")


def _encode_estimator(estimator, name, where, arrays):
    params = {
        key: None if key in _NOT_KEPT else _encode(value, f"{where}.{key}", arrays)
        for key, value in estimator.get_params(deep=False).items()
    }
    state = {}
    for key, value in vars(estimator).items():
        if not _FITTED_NAME.fullmatch(key) or key in _TRAINING_DATA:
            continue
        if key == "module_":
            for tensor_name, tensor in value.state_dict().items():
                arrays[f"{where}.module_/{tensor_name}"] = (
                    tensor.detach().cpu().contiguous().numpy()
                )
            state[key] = {"module": f"{where}.module_/"}
        else:
            state[key] = _encode(value, f"{where}.{key}", arrays)
    return {"class": name, "params": params, "state": state}


# --- loading --------------------------------------------------------------------------------------
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
        With the same predictions, bit for bit on the same machine.

    Raises
    ------
    ValueError
        If the folder is not a model, is damaged, too large, or of a newer format; the message
        names the file.

    Examples
    --------
    >>> import tempfile, numpy as np, skrehab
    >>> smoother = skrehab.DisplacementSmoother(window=3).fit([np.zeros((4, 33, 3))])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skrehab.load(skrehab.save(smoother, folder + "/model"))
    DisplacementSmoother(window=3)
    """
    safetensors = require("safetensors.numpy", None, "to load models")
    tree = _read_tree(path)
    weights = _existing(Path(path) / "weights.safetensors", MAX_WEIGHT_BYTES)
    try:
        arrays = safetensors.load_file(weights)
    except Exception as error:
        raise ValueError(f"{weights} is damaged: {error}") from error
    try:
        return _decode_estimator(tree["estimator"], arrays, device)
    except (KeyError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        raise ValueError(f"{Path(path) / 'model.json'} cannot be loaded: {error}") from error


def read_metadata(path):
    """Read what was noted about a model.

    Parameters
    ----------
    path : str or path-like
        A model folder.

    Returns
    -------
    dict
        The metadata given to :func:`save`.

    Raises
    ------
    ValueError
        If the folder is not a model.
    """
    return _read_tree(path)["metadata"]


def _existing(file, limit):
    if not file.is_file():
        raise ValueError(f"{file.parent} is not a skrehab model: there is no {file.name} in it.")
    if file.stat().st_size > limit:
        raise ValueError(f"{file} is too large for a model: {file.stat().st_size} bytes.")
    return file


def _read_tree(path):
    file = _existing(Path(path) / "model.json", MAX_JSON_BYTES)
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # brackets can be nested without end
        raise ValueError(f"{file} is damaged: {error}") from error
    expected = {"format", "format_version", "skrehab", "metadata", "estimator"}
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ValueError(f"{file} is not a skrehab model.")
    if tree.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{file} has format version {tree.get('format_version')!r}; this skrehab reads "
            f"{FORMAT_VERSION}. It was written by skrehab {tree.get('skrehab')}."
        )
    if set(tree) != expected:
        raise ValueError(f"{file} has unexpected entries: {sorted(set(tree) ^ expected)}.")
    return tree


def _decode(node, arrays, device):
    if not isinstance(node, dict):
        return node
    if "class" in node:
        return _decode_estimator(node, arrays, device)
    (kind, content), *more = node.items()
    if more:
        raise ValueError(f"Unexpected entry in the model: {sorted(node)}.")
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
    if not isinstance(node, dict) or set(node) != {"class", "params", "state"}:
        raise ValueError(f"Not an estimator: {str(node)[:80]}.")
    cls = _load_class(node["class"])
    unknown = set(node["params"]) - set(cls._get_param_names())
    if unknown:
        raise ValueError(f"The model gives {node['class']} unknown parameters: {sorted(unknown)}.")
    params = {key: _decode(value, arrays, device) for key, value in node["params"].items()}
    if "device" in params:
        params["device"] = device
    estimator = cls(**params)
    for key, value in node["state"].items():
        if not _FITTED_NAME.fullmatch(key):
            raise ValueError(f"The model sets an unexpected attribute: {key!r}.")
        if key != "module_":
            setattr(estimator, key, _decode(value, arrays, device))
    if "module_" in node["state"]:
        estimator.module_ = _load_module(estimator, node["state"]["module_"]["module"], arrays)
    return estimator


def _load_module(estimator, prefix, arrays):
    """Rebuild the network from the fitted sizes and fill in its weights."""
    import torch

    weights = {
        key.removeprefix(prefix): torch.from_numpy(np.array(value))
        for key, value in arrays.items()
        if key.startswith(prefix)
    }
    _check_size(estimator, sum(value.numel() for value in weights.values()))
    with torch.random.fork_rng(devices=[]):  # the first weights are drawn, then replaced
        module = estimator._build_module()
    module.load_state_dict(weights, strict=True)
    return module.eval()


def _check_size(estimator, n_numbers):
    """Refuse a network of another size before memory is taken for it: a line of JSON is short."""
    import torch

    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            empty = estimator._build_module()
    except (NotImplementedError, RuntimeError):
        return  # it calculates while it is built; then load_state_dict compares
    wanted = sum(value.numel() for value in empty.state_dict().values())
    if wanted > max(n_numbers, _SMALL):
        raise ValueError(
            f"the network it describes has {wanted} numbers, and its weights are {n_numbers}"
        )
