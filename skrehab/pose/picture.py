"""From a decoded frame to an upright picture, and how large a picture may be.

MediaPipe ends the whole program for a picture wider or higher than 32,766 pixels, and a file of a
few kilobytes can hold one that takes gigabytes. So there is one limit, far above any camera's
pictures; the reader asks before it decodes, for each frame and for the picture that becomes of it,
and the detector asks for every picture, wherever that comes from.
"""

import numpy as np

__all__ = [
    "MAX_PIXELS",
    "MAX_SIDE",
    "VideoError",
    "check_picture",
    "orientation",
    "size_fault",
    "turn_upright",
]

MAX_SIDE = 8192  # pixels; 8K video is 7680 or 8192 wide
MAX_PIXELS = 40_000_000  # 8K video has up to 35 million


class VideoError(ValueError):
    """A video that cannot be used; the message names the file, the reason and a way out."""


def size_fault(width, height):
    """Say what is wrong with the size of a picture.

    Parameters
    ----------
    width, height : int
        Pixels.

    Returns
    -------
    str or None
        Half a sentence for an error; None for a picture from 1 x 1 pixel to 8192 pixels a side and
        40 million in all.

    Examples
    --------
    >>> from skrehab.pose.picture import size_fault
    >>> size_fault(40000, 50)
    'a picture of 40000 x 50 pixels is too large (at most 8192 a side and 40 million in all)'
    >>> size_fault(1920, 1080) is None
    True
    """
    what = f"a picture of {width} x {height} pixels is"
    if width < 1 or height < 1:
        return f"{what} empty"
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        most = f"{MAX_SIDE} a side and {MAX_PIXELS // 10**6} million in all"
        return f"{what} too large (at most {most})"
    return None


def check_picture(picture):
    """Check a picture before a network sees it.

    Parameters
    ----------
    picture : array-like of shape (height, width, 3), dtype uint8
        RGB.

    Returns
    -------
    ndarray of shape (height, width, 3), dtype uint8
        The picture, C-contiguous: MediaPipe reads a padded array as if it were not.

    Raises
    ------
    ValueError
        If it is not such a picture, or is empty or too large; see :func:`size_fault`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.pose.picture import check_picture
    >>> check_picture(np.zeros((9, 6, 3), dtype=np.uint8)[:, ::-1]).flags.c_contiguous
    True
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(
            "A picture must be uint8 of shape (height, width, 3), RGB; got "
            f"{picture.dtype} of shape {picture.shape}."
        )
    if 0 in picture.shape:
        raise ValueError(f"The picture is empty: its shape is {picture.shape}.")
    fault = size_fault(picture.shape[1], picture.shape[0])
    if fault:
        raise ValueError(f"{fault[0].upper()}{fault[1:]}. Scale it down.")
    return np.ascontiguousarray(picture)


def orientation(frame):
    """Read which way up a frame is to be shown.

    Its display matrix maps a pixel (x, y) to (a x + c y, b x + d y). For the eight upright
    orientations that is: swap the axes or not, then turn each round or not.

    Parameters
    ----------
    frame : av.VideoFrame
        Decoded frame.

    Returns
    -------
    tuple of bool
        Whether to transpose it, then to flip x, and y.
    """
    try:
        matrix = np.frombuffer(bytes(frame.side_data["DISPLAYMATRIX"]), dtype=np.int32)
    except KeyError:
        return False, False, False
    if len(matrix) < 9:
        return False, False, False
    a, b, c, d = (int(matrix[i]) for i in (0, 1, 3, 4))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c < 0, b < 0
    return False, a < 0, d < 0


def turn_upright(picture, turns):
    """Turn a picture as :func:`orientation` says.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3)
        As decoded.
    turns : tuple of bool
        Whether to transpose it, then to flip x, and y.

    Returns
    -------
    ndarray
        C-contiguous.
    """
    transposed, flip_x, flip_y = turns
    if transposed:
        picture = picture.transpose(1, 0, 2)
    if flip_x:
        picture = picture[:, ::-1]
    if flip_y:
        picture = picture[::-1]
    # PyAV pads its rows; mediapipe reads a padded array as if it were not, and sees a skewed
    # picture with nobody in it
    return np.ascontiguousarray(picture)
