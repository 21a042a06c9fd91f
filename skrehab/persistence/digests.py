"""Which weights belong to a ``model.json``: a folder is never read as a mixture of two models.

A folder's two files cannot be replaced at once. So ``model.json`` says which weights it goes with,
and whoever reads in the middle of a save, or after one that was killed there, sees that.
"""

import hashlib
import os
import time

from skrehab.persistence.folder import MAX_WEIGHT_BYTES, open_plain

__all__ = ["file_digest", "load_whole"]

_PATIENCE = (0.05, 0.2, 0.5)  # seconds; a save that is under way renames two files in far less


def file_digest(file):
    """Compute the SHA-256 of a file.

    Parameters
    ----------
    file : pathlib.Path
        A plain file.

    Returns
    -------
    digest : str
        64 hexadecimal digits.
    which : tuple
        Tells this very file from one that takes its place.
    """
    with open_plain(file, MAX_WEIGHT_BYTES) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest(), _which(os.fstat(opened.fileno()))


def load_whole(files, read_json, check_weights, read_weights):
    """Read a model's two files, which must belong together.

    Parameters
    ----------
    files : (pathlib.Path, pathlib.Path)
        ``model.json`` and the weights.
    read_json : callable
        Reads ``model.json``, as a dict with ``weights_sha256`` unless it is of format version 1.
    check_weights : callable
        Takes what `read_json` returned and looks at the weights without reading their numbers.
    read_weights : callable
        Reads them.

    Returns
    -------
    tree, arrays
        What was read.

    Raises
    ------
    ValueError
        If the weights are others, and stay so while a save may be under way.
    """
    for pause in (*_PATIENCE, None):
        before = _state(files)
        try:
            tree = read_json()
            check_weights(tree)  # a damaged file says how it is damaged
            wanted = tree.get("weights_sha256")
            if wanted is None:  # of format version 1
                return tree, read_weights()
            digest, which = file_digest(files[1])
            if digest == wanted:
                arrays = read_weights()
                if which == _state(files)[1]:  # not replaced while it was read
                    return tree, arrays
            wrong = ValueError(_explain(*files))
        except ValueError as error:  # perhaps the new half of a save beside the old one
            wrong = error
        if pause is None or (before == _state(files) and not _begun(files[0].parent)):
            raise wrong
        time.sleep(pause)


def _which(status):
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _state(files):
    return [_which(file.stat()) if file.is_file() else None for file in files]


def _begun(folder):
    """What saves have left that are under way, or were killed."""
    return sorted(folder.glob(".saving-*"))


def _explain(model_json, weights):
    hint = "Save the model again, or take both files from one copy."
    begun = [one / "model.json" for one in _begun(weights.parent) if (one / "model.json").is_file()]
    if begun:
        hint = (
            f"A save was cut short: {begun[-1]} may be the one that goes with them. Move it over "
            "model.json, or save the model again."
        )
    return f"{weights} holds other weights than {model_json.name} was saved with. {hint}"
