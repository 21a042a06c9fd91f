"""The browser's camera: one JPEG in, one line of what is known out."""

import io
import math
import secrets
import threading
import time

import numpy as np

from skrehab._optional import require
from skrehab.live.cues import CueGate
from skrehab.live.session import LiveSession

from .analysis import _names, _numbers, _pixels

__all__ = ["CameraSession", "read_jpeg"]

_MOST_PIXELS = 2**21


class CameraSession:
    """Score the pictures of a camera as they come; nothing of them is kept.

    Parameters
    ----------
    model : estimator
        What takes poses; causal, as :class:`FrameStream` needs it.
    extractor : PoseExtractor
        Settings of the pose.
    labels : list of str, optional
        Name of each code of the model.
    rule : CueRule
        What switches the cue on and off.

    Attributes
    ----------
    id : str
        Random, not to be guessed.

    Raises
    ------
    ValueError
        If a step of the model looks ahead.
    """

    def __init__(self, model, extractor, labels, rule):
        self.id = secrets.token_urlsafe(16)
        self._live = LiveSession(model, extractor, CueGate(*rule))
        self._lock, self._first, self._last = threading.Lock(), None, -math.inf
        self.labels = _names(self._live.stream.classes_, labels)

    def push(self, jpeg, timestamp):
        """Score one picture.

        Parameters
        ----------
        jpeg : bytes
            The picture.
        timestamp : float
            Seconds on any clock, later than the picture before.

        Returns
        -------
        dict
            ``t``, ``seen``, ``probabilities``, ``score``, ``cue``, ``landmarks``, ``latency_ms``;
            ``late`` alone is True for a picture that comes after a later one.

        Raises
        ------
        ValueError
            If it is no JPEG, too large, or the time is not a number.
        """
        if not math.isfinite(timestamp):
            raise ValueError(f"t must be a finite number of seconds, got {timestamp}.")
        began = time.perf_counter()
        picture = read_jpeg(jpeg)
        with self._lock:
            if not timestamp > self._last:
                return {"late": True}
            self._last = timestamp
            # from 0 on, as files do: MediaPipe smooths differently otherwise
            self._first = timestamp if self._first is None else self._first
            moment = self._live.push(picture, timestamp - self._first)
            height, width = picture.shape[:2]
            return {
                "t": timestamp,
                "seen": moment.seen,
                "probabilities": _numbers(moment.proba) if moment.seen else None,
                "score": _numbers([moment.score])[0],
                "cue": moment.cue,
                "landmarks": _pixels(moment.image, width, height),
                "latency_ms": round(1000 * (time.perf_counter() - began), 1),
            }

    def close(self):
        """End it, and free the pose model."""
        with self._lock:
            self._live.reset()


def read_jpeg(data):
    """Decode one picture of a camera.

    Parameters
    ----------
    data : bytes
        A JPEG of at most two million pixels.

    Returns
    -------
    ndarray of shape (height, width, 3), dtype uint8
        RGB.

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> from skrehab.serve.camera import read_jpeg
    >>> read_jpeg(b"GIF89a")
    Traceback (most recent call last):
    ...
    ValueError: The picture is not a JPEG that can be read (6 bytes came).
    """
    image_module = require("PIL.Image", None, "to read pictures")
    try:
        with image_module.open(io.BytesIO(data), formats=["JPEG"]) as image:
            size = image.size
            if size[0] * size[1] > _MOST_PIXELS:
                raise ValueError(
                    f"The picture has {size[0]} x {size[1]} pixels; send at most {_MOST_PIXELS}."
                )
            return np.array(image.convert("RGB"))
    except (OSError, SyntaxError, image_module.DecompressionBombError) as error:
        raise ValueError(
            f"The picture is not a JPEG that can be read ({len(data)} bytes came)."
        ) from error
