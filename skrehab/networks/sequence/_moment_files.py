"""Read what MOMENT is published as: a folder, or a repository on Hugging Face, of two files."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from skrehab._optional import require
from skrehab.networks.sequence._moment_layers import PATCH, T5
from skrehab.networks.weights import read_weights

__all__ = ["Pretrained", "read_pretrained"]

FILES = ("config.json", "model.safetensors")
# names in t5_config -> ours
_SIZES = {
    "d_model": "d_model",
    "num_layers": "n_layers",
    "num_heads": "n_heads",
    "d_kv": "d_kv",
    "d_ff": "d_ff",
    "vocab_size": "vocab_size",
}


@dataclass(frozen=True)
class Pretrained:
    """What the two files say.

    Parameters
    ----------
    sizes : dict of str to int
        Sizes, by our names.
    seq_len : int
        Steps it was trained on.
    task : str
        What its head is for.
    state : dict of str to torch.Tensor
        Weights.
    """

    sizes: dict
    seq_len: int
    task: str
    state: dict


def read_pretrained(path_or_id, *, local_files_only=True, revision=None, cache_dir=None):
    """Find and read a published MOMENT.

    Parameters
    ----------
    path_or_id : str or path-like
        Folder, or name of a repository.
    local_files_only : bool, default=True
        Look for a repository in this machine's cache only; False downloads it.
    revision : str, optional
        Branch, tag or commit of the repository.
    cache_dir : str or path-like, optional
        Cache, if it is not where Hugging Face puts it.

    Returns
    -------
    Pretrained
        Sizes and weights.

    Raises
    ------
    FileNotFoundError
        If something is missing.
    ValueError
        If the files are damaged, or not of a MOMENT network.
    """
    folder = Path(path_or_id)
    if folder.is_dir():
        for name in FILES:
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder} has no {name}: it should hold {list(FILES)}.")
        config, weights = (folder / name for name in FILES)
    elif re.fullmatch(r"[\w.-]+/[\w.-]+", str(path_or_id)):
        config, weights = (
            _from_hub(str(path_or_id), name, local_files_only, revision, cache_dir)
            for name in FILES
        )
    else:
        raise FileNotFoundError(
            f"{path_or_id} is neither a folder nor the name of a repository, such as "
            "'AutonLab/MOMENT-1-small'."
        )
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{config} is not JSON: {error}") from error
    return Pretrained(*_read_config(settings, config), read_weights(weights))


def _from_hub(repository, name, local_files_only, revision, cache_dir):
    hub = require("huggingface_hub", "moment", f"to find {repository!r}")
    try:
        found = hub.hf_hub_download(
            repository,
            name,
            revision=revision,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
        )
    except Exception as error:  # offline, unknown, private, ...: the hub raises its own
        what = (
            "is not in this machine's cache. Download it once with local_files_only=False, or give "
            f"a folder that holds {list(FILES)}."
            if local_files_only
            else f"could not be downloaded: {error}"
        )
        raise FileNotFoundError(f"{name} of {repository!r} {what}") from error
    return Path(found)


def _read_config(settings, config):
    """Sizes, steps and task that a config.json states."""
    t5 = settings.get("t5_config") if isinstance(settings, dict) else None
    if not isinstance(t5, dict):
        raise ValueError(f"{config} has no t5_config: it is not of a MOMENT network.")
    missing = sorted(set(_SIZES) - set(t5))
    if missing:
        raise ValueError(f"{config} does not state {missing} in its t5_config.")
    expected = {"patch_len": PATCH, "patch_stride_len": PATCH}
    stated = {
        **{name: settings.get(name) for name in expected},
        **{name: t5.get(name) for name in T5},
    }
    for name, value in (expected | T5).items():
        if stated[name] not in (None, value):
            raise ValueError(f"{config} says {name}={stated[name]!r}: only {value!r} is supported.")
    sizes = {ours: t5[theirs] for theirs, ours in _SIZES.items()}
    wrong = {k: v for k, v in sizes.items() if not isinstance(v, int) or v < 1}
    if wrong:
        raise ValueError(f"{config} has sizes that are not positive integers: {wrong}.")
    return sizes, settings.get("seq_len") or 512, settings.get("task_name") or "reconstruction"
