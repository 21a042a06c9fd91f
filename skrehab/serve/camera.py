"""The browser's camera: one JPEG in, one line of what is known out."""

import math
import secrets
import threading
import time

import numpy as np

from skrehab.live.cues import CueGate
from skrehab.live.session import LiveSession, causal_extractor

from .analysis import _numbers, _pixels, named

__all__ = ["LATEST", "CameraEnded", "CameraSession", "OneAtATime"]

LATEST = 1e10  # seconds: a clock that counts from 1970 says 2e9, and MediaPipe breaks at 9e12


class OneAtATime(RuntimeError):
    """The picture before is still being looked at."""


class CameraEnded(RuntimeError):
    """The session was closed while this picture was on its way."""


class _Poses:
    """Poses from a process beside this one, in the form that a LiveSession takes them."""

    def __init__(self, process, extractor, session):
        self._process, self._extractor, self._session = process, extractor, session
        self._told = False
        self.image = self.world = np.full((33, 4), np.nan, dtype=np.float32)
        self.size = None

    def push(self, jpeg, timestamp):
        self._told = True
        self.world, self.image, self.size = self._process.picture(
            self._session, self._extractor, jpeg, timestamp
        )
        return self.world if self._extractor.coordinates == "world" else self.image

    @property
    def found(self):
        return bool(np.isfinite(self.image[:, 3]).any())

    def reset(self):
        if self._told:
            self._process.rest()
        self._told = False


class CameraSession:
    """Score the pictures of a camera as they come; nothing of them is kept.

    Parameters
    ----------
    model : estimator
        What takes poses; causal, as :class:`FrameStream` needs it.
    extractor : PoseExtractor
        Settings of the pose.
    labels : list of str or dict of label to str, optional
        Name of each code of the model, or of each class.
    rule : CueRule
        What switches the cue on and off.
    process : PoseProcess
        What looks at the pictures.

    Attributes
    ----------
    id : str
        Random, not to be guessed.

    Raises
    ------
    ValueError
        If a step of the model looks ahead.
    """

    def __init__(self, model, extractor, labels, rule, process):
        self.id = secrets.token_urlsafe(16)
        self._live = LiveSession(model, extractor, CueGate(*rule))
        self._live.poses = _Poses(process, causal_extractor(extractor), self.id)
        self._lock, self._first, self._last = threading.Lock(), None, -math.inf
        self._ended = False
        self.labels = named(self._live.classes_, labels, self._live.label_names)

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
            ``t``, ``seen``, ``probabilities``, ``score``, ``cue``, ``cues`` (by label, where a
            frame may have several), ``landmarks``, ``latency_ms``; ``late`` alone is True for a
            picture that comes after a later one.

        Raises
        ------
        ValueError
            If it is no JPEG, too large, or the time is not a number from 0 to `LATEST`.
        OneAtATime
            If the picture before is not done.
        CameraEnded
            If the session has been closed.
        ProcessEnded
            If the picture ended the process that looked at it.
        """
        if not 0 <= timestamp <= LATEST:  # nan is neither
            raise ValueError(
                f"t must be a finite number of seconds from 0 to {LATEST:g}, got {timestamp:g}."
            )
        began = time.perf_counter()
        # those that would wait here would take all threads that answer requests
        if not self._lock.acquire(blocking=False):
            self._refuse_if_ended()  # close() holds it too
            raise OneAtATime(
                "The picture before is still being looked at. Send the next when it is answered."
            )
        try:
            self._refuse_if_ended()  # it would start the pose model again, for nobody
            if not timestamp > self._last:
                return {"late": True}
            # from 0 on, as files do: MediaPipe smooths differently otherwise
            first = timestamp if self._first is None else self._first
            moment = self._live.push(jpeg, timestamp - first)
            self._first, self._last = first, timestamp
            return {
                "t": timestamp,
                "seen": moment.seen,
                "probabilities": _numbers(moment.proba) if moment.seen else None,
                "score": _numbers([moment.score])[0],
                "cue": moment.cue,
                "cues": list(moment.cues),
                "landmarks": _pixels(moment.image, *self._live.poses.size),
                "latency_ms": round(1000 * (time.perf_counter() - began), 1),
            }
        finally:
            self._lock.release()

    def _refuse_if_ended(self):
        if self._ended:
            raise CameraEnded("The camera has been stopped, or another page uses it now.")

    def close(self):
        """End it, and free the pose model."""
        self._ended = True
        with self._lock:
            self._live.reset()
