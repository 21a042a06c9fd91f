"""Which recording and which frame a file's name means, told from all names together.

``reach_0003_cam2.jpg`` is frame 3: of the numbers in a name, that is the frame's which changes from
picture to picture. Where other numbers or words change too, there are several recordings.
"""

import re

from skrehab.formats._bounds import quoted, to_int
from skrehab.formats._names import SeveralRecordings, UnknownRecording, alike_key, clean

_DIGITS = re.compile(r"([0-9]+)")
_FOLDER = re.compile(r"^(.*[/\\])?([^/\\]*)$", re.DOTALL)


def split_names(names, where="file name"):
    """Split names of pictures into recordings and frame numbers.

    Parameters
    ----------
    names : sequence of str
        One for each picture; the same name twice is the same picture.
    where : str, default="file name"
        What to call a name in an error.

    Returns
    -------
    recordings : list of str
        The recording of each, its name with ``#`` for the frame's number.
    numbers : list of int
        The frame of each.

    Raises
    ------
    ValueError
        If a name holds no number, or one that is too long.
    """
    split = {name: _DIGITS.split(clean(name)) for name in dict.fromkeys(names)}
    shapes = {}
    for name, parts in split.items():
        if len(parts) < 3:
            raise ValueError(f"{where} {quoted(name)} holds no frame number")
        shapes.setdefault(tuple(parts[::2]), []).append(name)
    found = {}
    for texts, members in shapes.items():
        at = _frame_place(texts, [split[name] for name in members])
        for name in members:
            parts = list(split[name])
            try:
                number = to_int(parts[at])
            except ValueError as error:
                raise ValueError(f"{where} {quoted(name)}: {error}") from None
            parts[at] = "#"
            found[name] = "".join(parts), number
    return [found[name][0] for name in names], [found[name][1] for name in names]


def _frame_place(texts, rows):
    """Index of the number that counts frames, among names which differ in numbers only."""
    places = range(1, len(rows[0]), 2)
    # numbers in folders' names count frames only where those of the file's name stay the same
    depth = max((i for i, text in enumerate(texts) if "/" in text or "\\" in text), default=0)
    in_name = [k for k in places if k > 2 * depth]
    values = {k: len({row[k] for row in rows}) for k in places}
    for group in (in_name, list(places)):
        changing = [k for k in group if values[k] > 1]
        if changing:
            return max(changing, key=lambda k: (values[k], k))
    return (in_name or list(places))[-1]


def one_recording(recordings, asked, option="trial="):
    """Name the recording that was asked for, or the only one.

    Parameters
    ----------
    recordings : sequence of str
        As :func:`split_names` gives them.
    asked : str or None
        Part of a name that only one of them has: its folder, or what stands before the number.
    option : str, default="trial="
        How to ask, for the error.
    """
    known = list(dict.fromkeys(recordings))
    shown = ", ".join(short_names(known)[:10])
    if asked is None:
        if len(known) > 1:
            raise SeveralRecordings(
                f"it holds {len(known)} recordings, so pass {option}, one of {shown}"
            )
        return known[0]
    wanted = alike_key(str(asked)).strip("/\\_-.")
    for form in (_whole, _folder, _last_folder, _before):
        found = [name for name in known if form(name) == wanted]
        if len(found) == 1:
            return found[0]
    raise UnknownRecording(f"there is no recording {asked!r}; there are {shown}")


def short_names(known):
    """What tells recordings apart: their folders, where these differ, or the whole names."""
    for part in (lambda name: _FOLDER.match(name)[1] or "", lambda name: name.partition("#")[0]):
        short = [part(name).strip("/\\_-. ") for name in known]
        if all(short) and len(set(short)) == len(known):
            return short
    return list(known)


def _whole(name):
    return alike_key(name).strip("/\\_-.")


def _folder(name):
    return alike_key(_FOLDER.match(name)[1] or "").strip("/\\_-.")


def _last_folder(name):
    return re.split(r"[/\\]", _folder(name))[-1]


def _before(name):
    return alike_key(name.partition("#")[0]).strip("/\\_-.")
