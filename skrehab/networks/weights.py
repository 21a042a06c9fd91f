"""Published weights: read a checkpoint without running code of strangers, and say what fitted.

Safetensors hold nothing but arrays. A ``.pt``, ``.pth``, ``.bin`` or ``.pyth`` file is a pickle: it
is read with ``weights_only=True``, and only if its SHA-256 is known or given. AcT's ``.h5`` files
are read with h5py.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import torch

__all__ = ["LoadReport", "load_weights", "read_weights", "unwrap"]

PICKLES = (".pt", ".pth", ".bin", ".pyth", ".ckpt")
# first eight digits of the SHA-256, as torchvision prints them in the names of its own files
_KNOWN = {
    "r3d_18-b3b3357e.pth": "b3b3357e",
    "r2plus1d_18-91a641e6.pth": "91a641e6",
    "mvit_v1_b-dbeb1030.pth": "dbeb1030",
    "mvit_v2_s-ae3be167.pth": "ae3be167",
    "swin3d_t-7615ae03.pth": "7615ae03",
    "swin3d_s-da41c237.pth": "da41c237",
    "swin3d_b_1k-24f7c7c6.pth": "24f7c7c6",
}


@dataclass(frozen=True)
class LoadReport:
    """What became of a checkpoint's arrays.

    Parameters
    ----------
    loaded : tuple of str
        Keys of the network that came from the file.
    reinitialised : dict of str to str
        Keys of the network that did not, and why.
    unused : tuple of str
        Keys of the file that the network does not have.
    """

    loaded: tuple
    reinitialised: dict = field(default_factory=dict)
    unused: tuple = ()

    def __str__(self):
        lines = [f"{len(self.loaded)} arrays loaded"]
        lines += [f"{key}: new ({reason})" for key, reason in self.reinitialised.items()]
        if self.unused:
            lines.append(f"{len(self.unused)} arrays of the file not used: {self.unused[0]}, ...")
        return "\n".join(lines)


def read_weights(path, *, sha256=None):
    """Read the arrays of a checkpoint file.

    Parameters
    ----------
    path : str or path-like
        A ``.safetensors``, ``.h5`` (AcT) or pickled file, or a folder with ``model.safetensors``.
    sha256 : str, optional
        Expected SHA-256 in hexadecimal digits, at least the first eight; needed for pickled files
        that are not known.

    Returns
    -------
    dict of str to torch.Tensor
        The arrays, wrappers such as ``state_dict`` and the prefix ``module.`` taken off.

    Raises
    ------
    ValueError
        If the file is of no known kind, its SHA-256 is missing or another, or it is damaged.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import tempfile, torch
    >>> from pathlib import Path
    >>> from safetensors.torch import save_file
    >>> from skrehab.networks.weights import read_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"module.head.bias": torch.zeros(2)}, Path(folder, "model.safetensors"))
    ...     read_weights(folder)
    {'head.bias': tensor([0., 0.])}
    """
    path = Path(path)
    if path.is_dir():
        found = sorted(path.glob("*.safetensors"))
        if len(found) != 1 and path / "model.safetensors" not in found:
            names = [file.name for file in found] or "none"
            raise FileNotFoundError(
                f"{path} should hold model.safetensors; safetensors in it: {names}."
            )
        path = found[0] if len(found) == 1 else path / "model.safetensors"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such weights file.")
    expected = sha256 or (_KNOWN.get(path.name) if path.suffix in PICKLES else None)
    if path.suffix in PICKLES and expected is None:
        raise ValueError(
            f"{path} is a pickle, which is only read if its SHA-256 is known: pass "
            "weights_sha256=... as published where you got it, or convert it to safetensors."
        )
    if expected is not None:
        _check_sha256(path, expected)
    return unwrap(_read(path))


def _check_sha256(path, expected):
    expected = expected.lower()
    if len(expected) < 8:
        raise ValueError(f"A SHA-256 needs at least its first 8 digits, got {expected!r}.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(expected):
        raise ValueError(f"{path} has SHA-256 {digest}, expected {expected}. It was not read.")


def _read(path):
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        if path.suffix in PICKLES:
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors each raise their own
        raise ValueError(f"{path} cannot be read as weights: {error}") from error
    if path.suffix in (".h5", ".hdf5"):
        from skrehab.networks.sequence.act_weights import read_act_h5

        return read_act_h5(path)
    raise ValueError(
        f"{path} is of an unknown kind: weights are read from .safetensors, "
        f"{', '.join(PICKLES)} and AcT's .h5."
    )


def unwrap(state):
    """Take off what training code wraps around a state dict.

    Parameters
    ----------
    state : dict
        A state dict, or a dict that holds one under ``state_dict``, ``model_state``, ``model`` or
        ``model_pos``; its keys may begin with ``module.``.

    Returns
    -------
    dict of str to torch.Tensor
        The arrays.

    Raises
    ------
    ValueError
        If there is no array in it.
    """
    for name in ("state_dict", "model_state", "model_pos", "model"):
        if isinstance(state.get(name), dict):
            return unwrap(state[name])
    arrays = {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}
    if not arrays:
        raise ValueError(f"There is no array among the entries {list(state)[:5]}.")
    return {key.removeprefix("module."): value for key, value in arrays.items()}


def load_weights(module, state, head="keep", head_prefix="head.", ends=()):
    """Fill a network with the arrays that fit.

    Parameters
    ----------
    module : torch.nn.Module
        Network; changed in place. Its method ``check_weights``, if it has one, refuses files that
        want another setting of it; its classmethod ``official_state`` renames the keys of published
        files.
    state : dict of str to torch.Tensor
        Arrays.
    head : {"keep", "new"}, default="keep"
        Load the classifier too, or leave it as drawn for the labels at hand. With ``"new"`` the
        layers of `ends` stay as drawn too where their sizes differ: as a whole, for the bias of
        another layer's weights is worth nothing.
    head_prefix : str, default="head."
        What the classifier's keys begin with.
    ends : tuple of str
        Beginnings of other keys whose sizes depend on the data, such as the first projection.

    Returns
    -------
    LoadReport
        What was loaded, what was not and why.

    Raises
    ------
    ValueError
        If a size differs elsewhere, or nothing fits; the message names the key.
    """
    if hasattr(module, "check_weights"):
        module.check_weights(state)
    if hasattr(type(module), "official_state"):
        state = type(module).official_state(state)
    own = module.state_dict()
    loaded, new, wrong = {}, {}, []
    other = {_layer(key) for key in own if key in state and state[key].shape != own[key].shape}
    for key, value in own.items():
        in_head = key.startswith(head_prefix)
        if in_head and head == "new":
            new[key] = "head='new'"
        elif key not in state:
            new[key] = "not in the file"
        elif head == "new" and key.startswith(tuple(ends)) and _layer(key) in other:
            same = state[key].shape == value.shape
            sizes = f"size {tuple(value.shape)}, in the file {tuple(state[key].shape)}"
            new[key] = f"the rest of {_layer(key)} is new" if same else sizes
        elif state[key].shape == value.shape:
            loaded[key] = state[key].to(value.dtype)
        else:
            wrong.append(f"{key} {tuple(value.shape)}, in the file {tuple(state[key].shape)}")
    if wrong:
        hint = "" if head == "new" else " With head='new' the classifier is left out."
        if hasattr(module, "sizes_hint"):
            hint += module.sizes_hint(state)
        raise ValueError(f"{len(wrong)} sizes differ: {'; '.join(wrong[:5])}.{hint}")
    if not loaded:
        raise ValueError(
            f"None of the file's keys is the network's: {sorted(state)[:3]} against "
            f"{list(own)[:3]}."
        )
    module.load_state_dict(loaded, strict=False)
    return LoadReport(tuple(loaded), new, tuple(key for key in state if key not in own))


def _layer(key):
    return key.rpartition(".")[0]
