"""Published weights of the Action Transformer: Keras HDF5 files to our state dict.

The files come from ``save_weights`` of Keras 2. Keras numbers the layers of a session in the order
in which they were made, the first without a number: in a layer of the encoder the four maps of the
attention, the two of the feed-forward part and the two norms; behind the encoder the projection of
the input and the two layers of the head. Numbers may start later, where other networks were built
before in the same session, so only their order counts.

The published files keep the feed-forward parts of all layers side by side in the group of the
encoder (``transformer_encoder_1/dense_31``), where again the order of the numbers tells the layer;
files saved by other versions of Keras have them in a group ``sequential`` of the layer. The class
token is named ``class_token``, ``Variable`` or ``w``, as the version of the day named it.
"""

import math
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from skrehab._optional import require

__all__ = ["read_act_h5"]

MAX_NUMBERS = 50_000_000  # the large network has five million

# groups that hold several layers, and our names of these layers in the order of their numbers
_PARTS = {
    "multi_head_attention": ("mha.wq", "mha.wk", "mha.wv", "mha.dense"),
    "sequential": ("ffn.0", "ffn.1"),
    "layer_normalization": ("norm1", "norm2"),
    "ends": ("proj", "head.fc1", "head.fc2"),
}
_VALUES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}

_N = r"(?:_(\d+))?"  # the number of a layer
_LAYER = rf"(?:^|/)transformer_encoder_layer{_N}/"
_DENSE = re.compile(rf"{_LAYER}(multi_head_attention|sequential){_N}/dense{_N}/(kernel|bias)$")
_NORM = re.compile(rf"{_LAYER}(layer_normalization){_N}/(gamma|beta)$")
_END = re.compile(rf"^(?:[^/]+/)?dense{_N}/(kernel|bias)$")
_FEED_FORWARD = re.compile(rf"(?:^|/)transformer_encoder{_N}/dense{_N}/(kernel|bias)$")
_TOKEN = re.compile(r"(?:^|/)(?:class_token|Variable|w)$")
_PLACES = re.compile(rf"(?:^|/)embedding{_N}/embeddings$")


def read_act_h5(path):
    """Read a published AcT file.

    Parameters
    ----------
    path : str or path-like
        File such as ``AcT_micro_1_0.h5``.

    Returns
    -------
    dict of str to torch.Tensor
        Arrays by the names of :class:`skrehab.networks.sequence.act.ActionTransformer`. The
        encoder and the class token fit any trials; ``proj``, ``pos_embed`` and ``head`` fit those
        the file was trained on: 13 joints, 30 frames and 20 actions.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not an HDF5 file, or not of this network; the message names the array.

    Examples
    --------
    >>> from skrehab.networks.sequence.act_weights import read_act_h5
    >>> try:
    ...     state = read_act_h5("AcT_micro_1_0.h5")
    ... except FileNotFoundError as error:
    ...     print(error)
    AcT_micro_1_0.h5: there is no such weights file.
    """
    arrays = _read_arrays(Path(path))
    try:
        state = _rename(arrays)
        _check_shapes(state)
    except ValueError as error:
        raise ValueError(f"{path} does not hold AcT weights: {error}") from error
    return {key: torch.from_numpy(np.ascontiguousarray(value)) for key, value in state.items()}


def _read_arrays(path):
    """All arrays of a file, by their path in it without the ":0" that TensorFlow adds."""
    h5py = require("h5py", "weights", "to read AcT's .h5 files")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such weights file.")
    found = {}
    try:
        with h5py.File(path, "r") as file:

            def visit(name, item):
                if isinstance(item, h5py.Dataset):
                    found[name.removesuffix(":0")] = item

            # links are not followed, so nothing outside the file is read
            (file["model_weights"] if "model_weights" in file else file).visititems(visit)
            odd = [
                name
                for name, item in found.items()
                if item.dtype.kind != "f" or item.external or item.is_virtual
            ]
            if odd:
                raise ValueError(f"{odd[0]} is not an array of numbers")
            if sum(item.size for item in found.values()) > MAX_NUMBERS:
                raise ValueError(f"it holds more than {MAX_NUMBERS} numbers")
            return {name: item[()].astype(np.float32) for name, item in found.items()}
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as an HDF5 file of weights: {error}") from error


def _rename(arrays):
    """From the names of Keras to ours, kernels transposed."""
    state = {}
    # (layer of the encoder or -1, part) -> number -> what -> array
    groups = defaultdict(lambda: defaultdict(dict))
    for name, value in arrays.items():
        if match := _DENSE.search(name):
            layer, part, _, number, what = match.groups()
        elif match := _NORM.search(name):
            layer, part, number, what = match.groups()
        elif match := _FEED_FORWARD.search(name):
            layer, part, (_, number, what) = -1, "feed_forward", match.groups()
        elif match := _END.search(name):
            layer, part, (number, what) = -1, "ends", match.groups()
        elif _TOKEN.search(name):
            state["class_token"] = value
            continue
        elif _PLACES.search(name):
            state["pos_embed.weight"] = value
            continue
        else:
            raise ValueError(f"there is an unknown array {name} {value.shape}")
        groups[int(layer or 0), part][int(number or 0)][what] = value
    for key in ("class_token", "pos_embed.weight"):
        if key not in state:
            raise ValueError(f"there is no {key} among {list(arrays)[:3]}")
    numbers = sorted({layer for layer, _ in groups} - {-1})
    if not numbers:
        raise ValueError("there is no layer of an encoder")
    _share_out(groups, numbers)
    wanted = [(-1, "ends")] + [(layer, part) for layer in numbers for part in list(_PARTS)[:3]]
    for layer, part in wanted:
        members = groups[layer, part]
        prefix = "" if layer < 0 else f"encoder.{numbers.index(layer)}."
        if len(members) != len(_PARTS[part]) or any(len(m) != 2 for m in members.values()):
            names = ", ".join(prefix + ours for ours in _PARTS[part])
            raise ValueError(f"{names} should be {len(_PARTS[part])} layers of two arrays each")
        for ours, (_, values) in zip(_PARTS[part], sorted(members.items())):
            for what, value in values.items():
                state[f"{prefix}{ours}.{_VALUES[what]}"] = value.T if what == "kernel" else value
    return state


def _share_out(groups, numbers):
    """Give each layer of the encoder its two of the feed-forward layers that stand side by side."""
    members = sorted(groups.pop((-1, "feed_forward"), {}).items())
    if members and len(members) != 2 * len(numbers):
        raise ValueError(
            f"{len(numbers)} layers of an encoder should have {2 * len(numbers)} feed-forward "
            f"layers, there are {len(members)}"
        )
    for place, (number, values) in enumerate(members):
        groups[numbers[place // 2], "sequential"][number] = values


def _check_shapes(state):
    """Compare all sizes with those that follow from the class token and the ends."""
    width = state["class_token"].shape[-1] if state["class_token"].ndim else 0
    free = math.nan  # any size will do
    expected = {"class_token": (1, 1, width), "pos_embed.weight": (free, width)}
    middle = len(state["head.fc1.bias"])
    ends = {"proj": (width, free), "head.fc1": (middle, width), "head.fc2": (free, middle)}
    inner = {name: (width, width) for name in _PARTS["multi_head_attention"]}
    inner |= {"ffn.0": (4 * width, width), "ffn.1": (width, 4 * width)}
    inner |= {"norm1": (width,), "norm2": (width,)}
    for key, value in state.items():
        layer, _, what = key.rpartition(".")
        name = re.sub(r"^encoder\.\d+\.", "", layer)
        shape = expected.get(key) or (ends | inner)[name]
        if what == "bias" and layer:
            shape = shape[:1]
        if len(shape) != value.ndim or any(a != b for a, b in zip(shape, value.shape) if a == a):
            wanted = tuple("any" if size != size else size for size in shape)
            raise ValueError(f"{key} has shape {value.shape}, expected {wanted}")
