"""The window of ``skrehab live``: the picture, the skeleton, and a calm cue."""

import subprocess
import sys

import numpy as np

from skrehab._optional import require
from skrehab._shown import shown

from ._panels import ALERT, CALM, PANEL, TEXT, UNKNOWN, fitting_font
from .overlay import _draw_person

__all__ = ["LiveWindow", "draw_live"]

_FAINT = (150, 158, 171)


def draw_live(picture, landmarks, *, cue, seen, labels, note="", max_size=960):
    """Draw skeleton and cue into a copy of a picture.

    Parameters
    ----------
    picture : ndarray of shape (height, width, 3), dtype uint8
        RGB.
    landmarks : ndarray of shape (33, n_coords)
        Image landmarks in pixels; NaN where there is nobody.
    cue : bool
        Whether the cue is on.
    seen : bool
        Whether anybody is seen.
    labels : (str, str)
        Words for cue off and cue on.
    note : str, default=""
        Small print for the corner, such as the latency.
    max_size : int, default=960
        The longer side is scaled down to this many pixels.

    Returns
    -------
    ndarray of shape (height, width, 3), dtype uint8
        RGB, with a strip for the cue under the picture.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.live.view import draw_live
    >>> black, nobody = np.zeros((120, 160, 3), dtype=np.uint8), np.full((33, 3), np.nan)
    >>> draw_live(black, nobody, cue=False, seen=False, labels=("usual", "lean")).shape
    (164, 160, 3)
    """
    from PIL import Image, ImageDraw, ImageFont

    colour = UNKNOWN if not seen else ALERT if cue else CALM
    labels = [shown(str(label)[:200]) for label in labels]
    word = "no pose" if not seen else labels[bool(cue)]
    height, width = picture.shape[:2]
    shrink = min(1.0, max_size / max(height, width))
    if shrink < 1:
        width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
        small = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR)
        picture = np.asarray(small)
    if np.isfinite(landmarks[:, :2]).any():
        landmarks = np.array(landmarks, dtype=float)
        landmarks[:, :2] *= shrink
        picture = _draw_person(picture, landmarks, colour)
    strip = max(44, round(0.09 * max(height, width)))
    image = Image.new("RGB", (width, height + strip), PANEL)
    image.paste(Image.fromarray(picture), (0, 0))
    pen = ImageDraw.Draw(image)
    unit, middle = strip / 10, height + strip / 2
    room = 0.62 * width - 6 * unit
    big = fitting_font(ImageFont, [*labels, "no pose"], 4.2 * unit, room)
    pen.ellipse([2 * unit, middle - 1.6 * unit, 5.2 * unit, middle + 1.6 * unit], fill=colour)
    pen.text((6.8 * unit, middle), word, fill=TEXT, font=big, anchor="lm")
    if note:
        tiny = fitting_font(ImageFont, [note], 2.2 * unit, 0.35 * width)
        pen.text((width - 2 * unit, middle), note, fill=_FAINT, font=tiny, anchor="rm")
    return np.asarray(image)


class LiveWindow:
    """A window on the screen, by OpenCV.

    Parameters
    ----------
    title : str, default="skrehab"
        Its title.

    Raises
    ------
    RuntimeError
        If OpenCV cannot open a window here: it was built without windows, or there is no screen.

    Examples
    --------
    >>> from skrehab.live.view import LiveWindow
    >>> with LiveWindow() as window:  # doctest: +SKIP
    ...     key = window.show(picture)
    """

    def __init__(self, title="skrehab"):
        self._cv2 = require("cv2", None, "to open a window")
        # Qt ends the whole process where there is no screen, so another process tries first
        trial = "import cv2; cv2.namedWindow('skrehab'); cv2.waitKey(1); cv2.destroyAllWindows()"
        done = subprocess.run([sys.executable, "-c", trial], capture_output=True, text=True)
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            why = lines[0] if lines else f"exit code {done.returncode}"
            raise RuntimeError(
                f"OpenCV cannot open a window here ({why}). Use --headless, which prints JSON "
                "lines instead."
            )
        self.title = title
        kinds = ("WINDOW_NORMAL", "WINDOW_KEEPRATIO", "WINDOW_GUI_NORMAL")  # without a tool bar
        self._cv2.namedWindow(title, sum(getattr(self._cv2, kind) for kind in kinds))
        self._sized = False

    def show(self, picture, wait=0.0):
        """Show a picture and look for a key.

        Parameters
        ----------
        picture : ndarray of shape (height, width, 3), dtype uint8
            RGB.
        wait : float, default=0.0
            Seconds to wait for a key.

        Returns
        -------
        str
            The key pressed, "q" if the window was closed or Escape pressed, or "".
        """
        if not self._sized:
            self._cv2.resizeWindow(self.title, picture.shape[1], picture.shape[0])
            self._sized = True
        self._cv2.imshow(self.title, self._cv2.cvtColor(picture, self._cv2.COLOR_RGB2BGR))
        key = self._cv2.waitKey(max(1, round(1000 * wait)))
        if self._cv2.getWindowProperty(self.title, self._cv2.WND_PROP_VISIBLE) < 1:
            return "q"
        return "" if key < 0 else "q" if key & 0xFF == 27 else chr(key & 0xFF).lower()

    def close(self):
        """Close the window."""
        self._cv2.destroyAllWindows()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
