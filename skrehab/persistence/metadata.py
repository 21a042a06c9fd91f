"""Metadata: what people note about a model, and the two entries that the program reads itself."""

import numpy as np

from skrehab.persistence.kinds import MAX_LABELS, MAX_TEXT, shown

__all__ = ["check_metadata"]

MAX_RATE = 1000.0  # frames a second


def plain(value, where="metadata"):
    """Metadata as JSON can hold them, with numpy's numbers as plain ones.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot hold it; the message names the entry.
    """
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
        return [plain(v, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, dict):
        return {_plain_key(key, where): plain(v, f"{where}[{key!r}]") for key, v in value.items()}
    hint = " Give .tolist() of it." if isinstance(value, np.ndarray) else ""
    raise TypeError(f"{where} cannot be saved: it is {type(value).__name__}.{hint}")


def _plain_key(key, where):
    key = key.item() if isinstance(key, np.generic) else key
    if isinstance(key, str | int) or (isinstance(key, float) and np.isfinite(key)):
        return key
    raise TypeError(f"{where} has the key {key!r}: keys must be text or finite numbers.")


def check_metadata(metadata):
    """Check what the program itself reads of metadata; the rest is for people.

    Parameters
    ----------
    metadata : dict
        As in :func:`skrehab.save`.

    Raises
    ------
    TypeError
        If it is no dict, or labels are no list.
    ValueError
        If the frame rate or a label is not one.

    Examples
    --------
    >>> from skrehab.persistence.metadata import check_metadata
    >>> check_metadata({"frame_rate": 29.97, "labels": ["none", "lean"]})
    >>> check_metadata({"frame_rate": -1})
    Traceback (most recent call last):
    ...
    ValueError: metadata['frame_rate'] must be a number from 0.001 to 1000 or None, got -1.
    """
    if not isinstance(metadata, dict):
        raise TypeError(f"metadata must be a dict, got {shown(metadata)}.")
    rate = metadata.get("frame_rate")
    real = type(rate) in (int, float) and 0.001 <= rate <= MAX_RATE
    if rate is not None and not real:
        raise ValueError(
            f"metadata['frame_rate'] must be a number from 0.001 to {MAX_RATE:g} or None, got "
            f"{shown(rate)}."
        )
    labels = metadata.get("labels")
    if labels is None:
        return
    if not isinstance(labels, list | tuple) or len(labels) > MAX_LABELS:
        raise TypeError(f"metadata['labels'] must be a list of names or None, got {shown(labels)}.")
    for i, label in enumerate(labels):
        if not isinstance(label, str | int | float) or len(str(label)[: MAX_TEXT + 1]) > MAX_TEXT:
            raise ValueError(
                f"metadata['labels'][{i}] must be a name of at most {MAX_TEXT} characters, got "
                f"{shown(label)}."
            )
