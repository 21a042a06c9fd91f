"""Text of others as people may see it: in a terminal, on a page, in a picture."""

import re

__all__ = ["shown", "shown_lines"]

# What acts instead of being seen: C0 and C1 controls, separators that break lines, marks and
# overrides of the writing direction, invisible tags, halves of surrogate pairs.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def shown(text):
    r"""Make everything in a name visible.

    Parameters
    ----------
    text : object
        A name of a file, a label, a patient: anything that others wrote.

    Returns
    -------
    str
        One line. Controls, which could move the cursor, rename the window or turn the reading
        direction around, stand as their escapes.

    Examples
    --------
    >>> from skrehab._shown import shown
    >>> shown("trial\x1b[2J.mp4")
    'trial\\x1b[2J.mp4'
    """
    return _ACTING.sub(_escape, str(text))


def shown_lines(text):
    r"""Make everything in a message visible, and keep its line breaks.

    Parameters
    ----------
    text : object
        A message that may quote names.

    Returns
    -------
    str
        Its lines, all but the first one indented: a name with a line break in it cannot pass for
        a message of its own.

    Examples
    --------
    >>> from skrehab._shown import shown_lines
    >>> shown_lines("a\nerror: b")
    'a\n  error: b'
    """
    first, *others = str(text).split("\n")
    others = [line if line[:2] == "  " or not line else "  " + line for line in others]
    return "\n".join(shown(line) for line in [first, *others])


def _escape(match):
    code = ord(match[0])
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 1 << 16
        else (f"\\U{code:08x}")
    )
