"""LiveSession: from pictures to scores and a cue, while the patient moves."""

import math
import time
from typing import NamedTuple

import numpy as np

from skrehab.live.cues import CueGate, gate_for
from skrehab.live.stream import FrameStream
from skrehab.metrics.motion import motion_scores
from skrehab.metrics.told_normal import normal_first
from skrehab.pose import PoseExtractor, PoseStream

__all__ = ["LiveSession", "Moment", "causal_extractor"]


class Moment(NamedTuple):
    """One frame and what is said of it."""

    timestamp: float
    """Seconds."""
    picture: np.ndarray
    """(height, width, 3) uint8, RGB."""
    proba: np.ndarray
    """(n_classes,), in the order of the session's ``classes_``."""
    seen: bool
    """Whether somebody is in the frame."""
    score: float
    """Probability that it is not the normal class, or of the likeliest label; NaN unseen."""
    cue: bool
    """Whether the cue is on, or that of any label."""
    pose_ms: float
    """What the pose took; 0 for a picture that is shown again."""
    score_ms: float
    """What the rest took."""
    image: np.ndarray
    """(33, 4), pixels and visibility."""
    world: np.ndarray
    """(33, 4), metres and visibility."""
    cues: tuple = ()
    """Of a model of several labels: whether the cue of each is on."""


def causal_extractor(extractor):
    """Take from an extractor the settings that can run while frames come.

    Parameters
    ----------
    extractor : PoseExtractor
        Any extractor; it is not changed.

    Returns
    -------
    PoseExtractor
        At the frame rate that comes; ``person="steady"``, chosen with hindsight, is ``"follow"``,
        who is largest at the start.

    Examples
    --------
    >>> from skrehab import PoseExtractor
    >>> from skrehab.live.session import causal_extractor
    >>> causal_extractor(PoseExtractor(person="steady", target_fps=15))
    PoseExtractor(person='follow')
    """
    settings = extractor.get_params() | {"target_fps": None}
    if extractor.person == "steady":
        settings["person"] = "follow"
    return PoseExtractor(**settings)


class LiveSession:
    """A model as two streams, pictures to poses and poses to scores, and the cue.

    Parameters
    ----------
    model : estimator
        What takes poses; causal, as :class:`skrehab.FrameStream` needs it.
    extractor : PoseExtractor
        How the pose is taken; see :func:`causal_extractor`.
    gate : CueGate
        When the cue goes on and off; where frames may have several labels, each has one like it. A
        calibrated model moves its thresholds, see :func:`skrehab.live.gate_for`.

    Attributes
    ----------
    gates : list of CueGate
        Those in use, one a label.
    stream : FrameStream
        Poses to scores; ``stream.classes_`` and ``stream.counts`` are its own.
    classes_ : ndarray of shape (n_classes,)
        Labels, the normal one first: what the model was told is normal, else its first class.
    label_names : list of str or None
        Names of the labels, where frames may have several.

    Raises
    ------
    ValueError
        If a step of the model looks ahead.

    Examples
    --------
    >>> import skrehab
    >>> from skrehab.live.session import LiveSession
    >>> from skrehab.pose import read_frames
    >>> session = LiveSession(
    ...     skrehab.load("model"), skrehab.PoseExtractor(), skrehab.CueGate()
    ... )  # doctest: +SKIP
    >>> for timestamp, picture in read_frames("exercise.mp4"):  # doctest: +SKIP
    ...     if session.push(picture, timestamp).cue:
    ...         print("straighten up")
    """

    def __init__(self, model, extractor, gate):
        self.poses = PoseStream(causal_extractor(extractor))
        self.stream = FrameStream(model)
        gate = gate_for(model, gate)
        self.label_names = self.stream.label_names_
        classes = np.asarray(self.stream.classes_)
        self._columns = normal_first(model, classes, self.label_names is not None)
        self.classes_ = classes[self._columns]
        self.gates = [gate] + [CueGate(*gate.rule) for _ in (self.label_names or [])[1:]]
        self._before = self._landmarks = None

    def push(self, picture, timestamp):
        """Say what is known of this frame.

        Parameters
        ----------
        picture : ndarray of shape (height, width, 3), dtype uint8
            RGB.
        timestamp : float
            Seconds, later than the frame before.

        Returns
        -------
        Moment
            The frame and what is said of it.
        """
        began = posed = time.perf_counter()
        if picture is not self._before:  # else it is shown again, to fill a faster grid
            self._landmarks = self.poses.push(picture, timestamp)
            self._before = picture
            posed = time.perf_counter()
        proba = self.stream.push(self._landmarks, timestamp)[self._columns]
        seen = self.poses.found
        several = self.label_names is not None
        score = float(motion_scores(proba[None], several)[0]) if seen else math.nan
        of_each = (proba if seen else [math.nan] * len(proba)) if several else [score]
        cues = tuple(gate.push(p, timestamp) for gate, p in zip(self.gates, of_each, strict=True))
        took = 1000 * (posed - began), 1000 * (time.perf_counter() - posed)
        poses = self.poses.image, self.poses.world
        return Moment(
            *(timestamp, picture, proba, seen, score, any(cues), *took, *poses),
            cues=cues if several else (),
        )

    def reset(self):
        """Start another trial, and free the pose model."""
        self._before = None
        self.poses.reset()
        self.stream.reset()
        for gate in self.gates:
            gate.reset()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.reset()
