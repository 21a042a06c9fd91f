"""save: an estimator as JSON and arrays, checked as load will check it, then written."""

import json
import os
import re
import shutil
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

import skrehab
from skrehab._optional import require
from skrehab.persistence.allowed import ALLOWED, NOT_TAKEN
from skrehab.persistence.cards import CARD_MARK, model_card, tells_enough
from skrehab.persistence.checking import Tensor, check_model
from skrehab.persistence.classes import class_name
from skrehab.persistence.digests import file_digest
from skrehab.persistence.folder import (
    FORMAT,
    FORMAT_VERSION,
    MAX_CARD_BYTES,
    MAX_JSON_BYTES,
    open_plain,
    strict_json,
)
from skrehab.persistence.kinds import Fixed
from skrehab.persistence.metadata import check_metadata, plain
from skrehab.persistence.modules import plain_weights

__all__ = ["save"]

# attributes that describe the training patients rather than the model
_TRAINING_DATA = {
    "transduction_",
    "estimators_",
    "fold_estimators_",
    "scores_",
    "validation_groups_",
    "weights_report_",
}
_FITTED_NAME = re.compile(r"[a-z][a-zA-Z0-9_]*_")


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
        :func:`skrehab.persistence.model_card`.
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
        If something in it cannot be saved; the message names it. A compiled network, or one for
        several GPUs, is saved as what is inside.
    ValueError
        If a number in `metadata` is not finite, its frame rate or labels are none, or the model
        would be refused by :func:`load`; the message names it.
    FileExistsError
        If the folder is there already, or one of its files is a link.

    Notes
    -----
    Parameters that name places or belong to one machine are not written: caches, weights files,
    the pose model's path, device, processes, callbacks, samplers.

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
    if path.exists() and not ((overwrite and (path / "model.json").is_file()) or _is_begun(path)):
        hint = "pass overwrite=True" if (path / "model.json").is_file() else "it is not a model"
        raise FileExistsError(f"{path} exists already ({hint}).")
    metadata = {} if metadata is None else plain(metadata)
    check_metadata(metadata)
    readme = path / "README.md"
    if card is None:  # nobody asked: a card that somebody wrote by hand stays
        card = tells_enough(metadata) and (not os.path.lexists(readme) or _is_ours(readme))
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
    _check_as_load_will(text, arrays)
    for name in ("model.json", "weights.safetensors", *(["README.md"] if card else [])):
        if (path / name).is_symlink():
            raise FileExistsError(f"{path / name} is a link to elsewhere; remove it first.")
    path.mkdir(parents=True, exist_ok=True)
    # written beside and renamed: a link is never written through, and a kill leaves the old model
    with tempfile.TemporaryDirectory(prefix=".saving-", dir=path) as beside:
        beside = Path(beside)
        # not by its own save_file, whose errors are no OSError
        (beside / "weights.safetensors").write_bytes(safetensors.save(arrays))
        tree["weights_sha256"] = file_digest(beside / "weights.safetensors")[0]
        text = json.dumps(tree, indent=1, allow_nan=False)
        (beside / "model.json").write_text(text, encoding="utf-8")
        if card:
            (beside / "README.md").write_text(card, encoding="utf-8")
        files = sorted(beside.iterdir(), reverse=True)  # model.json after its weights
        for file in [*files, beside]:
            _to_disk(file)
        for file in files:
            os.replace(file, path / file.name)
        _to_disk(path)
    for old in path.glob(".saving-*"):  # of saves that were killed; none takes an hour
        if time.time() - old.stat().st_mtime > 3600 and not old.is_symlink():
            shutil.rmtree(old, ignore_errors=True)
    if not card and _is_ours(readme):
        readme.unlink()  # it tells of the model that was here before
    return path


def _is_begun(path):
    """Tell whether there is nothing but what a first save left that was killed."""
    names = os.listdir(path) if path.is_dir() else []
    return bool(names) and all(name.startswith(".saving-") for name in names)


def _to_disk(path):
    """Wait until a file or folder is on the disk: a power cut must not keep names alone."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_ours(readme):
    """Tell whether there is a model card that save wrote; a link is somebody else's."""
    try:
        with open_plain(readme, MAX_CARD_BYTES) as file:
            return CARD_MARK.encode() in file.read()
    except ValueError:
        return False


def _check_as_load_will(text, arrays):
    """Refuse to write what load would refuse to read."""
    if len(text.encode()) > MAX_JSON_BYTES:
        raise ValueError(
            f"The model and its metadata take {len(text)} characters of JSON, more than "
            f"{MAX_JSON_BYTES} bytes. Keep what is large elsewhere."
        )
    tensors = {
        name: Tensor(array.dtype.kind, array.shape, str(array.dtype))
        for name, array in arrays.items()
    }
    try:
        check_model(strict_json(text.encode())["estimator"], tensors)
    except ValueError as error:
        raise ValueError(f"The model cannot be saved so that it loads again: {error}") from error


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
    if (name := class_name(value)) is not None:
        return _encode_estimator(value, name, where, arrays)
    hint = ""
    if isinstance(value, type):
        hint = " Give the network a name with skrehab.networks.register(...) and use that."
    elif isinstance(value, np.random.RandomState):
        hint = " Use a whole number as random_state."
    raise TypeError(f"{where} cannot be saved: it is {type(value).__name__}.{hint}")


def _encode_estimator(estimator, name, where, arrays):
    params = {
        key: _encode(_kept(name, key, value), f"{where}.{key}", arrays)
        for key, value in estimator.get_params(deep=False).items()
    }
    state = {}
    for key, value in vars(estimator).items():
        if not _FITTED_NAME.fullmatch(key) or key in _TRAINING_DATA:
            continue
        if key == "module_":
            for tensor_name, array in plain_weights(estimator, where).items():
                arrays[f"{where}.module_/{tensor_name}"] = array
            state[key] = {"module": f"{where}.module_/"}
        else:
            state[key] = _encode(value, f"{where}.{key}", arrays)
    return {"class": name, "params": params, "state": state}


def _kept(name, key, value):
    """A parameter as it is kept: places, switches and what belongs to one machine stay behind."""
    kind = ALLOWED[name].params.get(key)
    if isinstance(kind, Fixed):
        if key == "model_path" and value is not None:
            warnings.warn(
                f"{name}.model_path is not kept in a model folder: it names a file of this "
                "machine. Set it again after loading.",
                UserWarning,
                stacklevel=2,
            )
        return kind.value
    if key in NOT_TAKEN:
        return "cpu" if key == "device" else None
    if key == "cv" and hasattr(value, "split"):  # code, which a model folder does not hold
        warnings.warn(
            f"{name}.cv is not kept in a model folder: it is a splitter, {type(value).__name__}. "
            "Set it again before you fit the loaded model anew; a number of folds is kept.",
            UserWarning,
            stacklevel=2,
        )
        return None
    return value.tolist() if key == "hidden_layer_sizes" and hasattr(value, "tolist") else value
