"""Messages between the server and the program that looks at pictures: JSON, and plain bytes.

Both ends treat the other as a stranger: a file that breaks the decoder may say anything from then
on. So nothing here is ever unpickled, and every length has a bound.
"""

import json
import struct

__all__ = ["BrokenMessage", "read_message", "write_message"]

_LENGTHS = struct.Struct(">IQ")
_MOST_TEXT = 2**20


class BrokenMessage(ValueError):
    """What came is no message."""


def write_message(file, head, blob=b""):
    """Write one message.

    Parameters
    ----------
    file : binary file
        Where to.
    head : dict
        For JSON.
    blob : bytes
        What comes with it.

    Examples
    --------
    >>> import io
    >>> from skrehab.serve.messages import read_message, write_message
    >>> file = io.BytesIO()
    >>> write_message(file, {"ask": "probe"}, b"film")
    >>> _ = file.seek(0)
    >>> read_message(file, 100), read_message(file, 100)
    (({'ask': 'probe'}, b'film'), None)
    """
    text = json.dumps(head, default=_plain).encode()
    file.write(_LENGTHS.pack(len(text), len(blob)) + text)
    file.write(blob)
    file.flush()


def read_message(file, most_bytes):
    """Read one message.

    Parameters
    ----------
    file : binary file
        Where from.
    most_bytes : int
        Most that may come with it.

    Returns
    -------
    (dict, bytes) or None
        None at the end of the file.

    Raises
    ------
    BrokenMessage
        If it is too long, cut short or no JSON object.
    """
    start = file.read(_LENGTHS.size)
    if not start:
        return None
    if len(start) < _LENGTHS.size:
        raise BrokenMessage("A message was cut short.")
    n_text, n_blob = _LENGTHS.unpack(start)
    if n_text > _MOST_TEXT or n_blob > most_bytes:
        raise BrokenMessage(f"A message of {n_text} and {n_blob} bytes is too long.")
    text, blob = file.read(n_text), file.read(n_blob)
    if len(text) < n_text or len(blob) < n_blob:
        raise BrokenMessage("A message was cut short.")
    try:
        head = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenMessage("A message is no JSON.") from error
    if not isinstance(head, dict):
        raise BrokenMessage("A message is no JSON object.")
    return head, blob


def _plain(value):
    """Give JSON numpy's numbers as plain ones, and paths as text."""
    if hasattr(value, "__fspath__"):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be sent.")
