"""Scores while the patient moves: push one frame, get its class probabilities.

A step of a pipeline can run live if it has a method ``_stream()``, which returns an object with

* ``push(frame, timestamp)``: what the step makes of the next frame of a trial;
* ``reset()``: forget the trial, another one starts.

What ``push`` returns must be what ``transform`` or ``predict_proba`` would give for that frame, so
it can depend on earlier frames but not on later ones; a step that looks ahead raises a ValueError
in ``_stream()`` that says so. Frames are arrays ``(n_landmarks, n_coords)`` with NaN for lost
landmarks; the last step returns probabilities ``(n_classes,)``. Your own transformers take part by
the same method:

>>> import numpy as np
>>> from sklearn.base import BaseEstimator, TransformerMixin
>>> class Upright(TransformerMixin, BaseEstimator):
...     "Turn y upwards."
...
...     def fit(self, X, y=None):
...         return self
...
...     def transform(self, X):
...         return [trial * np.float32([1, -1, 1]) for trial in X]
...
...     def _stream(self):
...         return UprightStream()
>>> class UprightStream:
...     def push(self, frame, timestamp):
...         return frame * np.float32([1, -1, 1])
...
...     def reset(self):
...         pass
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np

__all__ = ["FrameStream", "StreamCounts"]

_TIMED_AFTER, _TOLERANCE = 2.0, 1.1  # seconds; 29.97 frames a second are 30
MANY_LATE = 30  # a second of a usual camera: no jam, but a clock that runs elsewhere


@dataclass
class StreamCounts:
    """What came in since the trial started.

    Parameters
    ----------
    frames : int
        Frames that were scored.
    late : int
        Frames that were ignored, since their time was not later than the frame's before.
    gaps : int
        Times when the next frame came more than ``max_gap`` seconds after the one before.
    unseen : int
        Scored frames in which nobody was seen.
    seconds : float
        Time from the first frame to the last.

    Examples
    --------
    >>> from skrehab.live import StreamCounts
    >>> StreamCounts(frames=31, seconds=1.0).frame_rate
    30.0
    """

    frames: int = 0
    late: int = 0
    gaps: int = 0
    unseen: int = 0
    seconds: float = 0.0

    @property
    def frame_rate(self):
        """Frames a second on average; NaN before the second frame.

        A moving average over five frames is half a second at 10 frames a second and a sixth of one
        at 30: this should be near the rate of the training videos.
        """
        return (self.frames - 1) / self.seconds if self.seconds > 0 else math.nan


class FrameStream:
    """Score a trial frame by frame while it happens, exactly as the pipeline does afterwards.

    The pipeline must be causal: then what is said of a frame does not depend on later ones, and
    ``FrameStream(pipeline).push(trial[t], time)`` for t = 0, 1, ... gives the rows of
    ``pipeline.predict_proba([trial])[0]`` up to float rounding; where the last step is a
    :class:`VideoClassifier` that scores frames itself, those of its ``predict_frame_proba``. The
    first frame in which a landmark is seen is the reference of its displacement, and a
    :class:`FrameTCN` looks back over many frames, so call `reset` when another trial starts.

    Parameters
    ----------
    pipeline : Pipeline, frame classifier, or VideoClassifier that scores frames
        Fitted; read once, here. Resamplers such as :class:`SaliencyPseudoLabeler` are skipped, as
        in ``predict``. If :class:`PoseExtractor` is the first step, frames are pictures.
    max_gap : float, default=1.0
        A longer time between two frames, in seconds, is counted in ``counts.gaps``. It does *not*
        start a new trial: a pose in mid-movement would silently become the reference of all that
        follows. Whoever knows that another trial has started calls `reset`.
    frame_rate : float, optional
        Frames a second of the training trials. Networks count frames, not seconds: where frames
        come a tenth faster or slower, a warning says so after two seconds, once a trial.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels, in the order of the probabilities.
    label_names_ : list of str or None
        Names of the columns where a frame may have several labels (:class:`MultiLabelFrames`).
    counts : StreamCounts
        What came in since the trial started.
    seen : bool
        Whether the last frame holds a person, that is any landmark that is not NaN.

    Raises
    ------
    ValueError
        If a step is not causal; the message names it. ``person="steady"`` of a PoseExtractor is
        not: it chooses whom to follow after having seen the whole video.
    TypeError
        If a step has no form for streams, as networks over whole trials, or the last one gives no
        probabilities.

    See Also
    --------
    CueGate : Turn the probabilities into a cue that does not flicker.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skrehab import DisplacementSmoother, FrameMLP, FrameStream
    >>> rng = np.random.RandomState(0)
    >>> labels = [np.repeat([0, 1], 15) for _ in range(8)]
    >>> X = [rng.randn(30, 5, 3) + 2 * frames[:, None, None] for frames in labels]
    >>> pipeline = make_pipeline(DisplacementSmoother(causal=True), FrameMLP(random_state=0))
    >>> pipeline = pipeline.fit(X, labels)
    >>> stream = FrameStream(pipeline)
    >>> live = [stream.push(frame, t / 30) for t, frame in enumerate(X[0])]
    >>> np.allclose(live, pipeline.predict_proba(X[:1])[0], rtol=0, atol=1e-6)
    True
    """

    def __init__(self, pipeline, *, max_gap=1.0, frame_rate=None):
        if not max_gap > 0:
            raise ValueError(f"max_gap must be above 0 seconds, got {max_gap!r}.")
        if frame_rate is not None and not 0 < frame_rate < math.inf:
            raise ValueError(f"frame_rate must be above 0 frames a second, got {frame_rate!r}.")
        self.max_gap, self.frame_rate = max_gap, frame_rate
        steps = list(_predicting_steps(pipeline))
        name, last = steps[-1] if steps else ("", pipeline)
        if not hasattr(last, "predict_proba"):
            raise TypeError(
                "FrameStream needs a frame classifier as the last step, such as FrameTCN; "
                f"{_called(name, last)} has no predict_proba."
            )
        self._streams = [_start(name, step) for name, step in steps]
        self._from_pictures = hasattr(self._streams[0], "found")
        self.classes_ = last.classes_
        self.label_names_ = getattr(last, "label_names_", None)
        self.reset()

    def push(self, frame, timestamp):
        """Score the next frame of the trial.

        Parameters
        ----------
        frame : array-like of shape (n_landmarks, n_coords) or (height, width, 3)
            Landmarks as in fit, NaN where they are lost; or, if the pipeline starts with
            PoseExtractor, a picture: uint8, RGB (OpenCV gives BGR).
        timestamp : float
            Seconds on any clock, later than the frame before.

        Returns
        -------
        ndarray of shape (n_classes,), dtype float32, or None
            Class probabilities. None for a frame that comes late: it is counted and ignored, since
            the frames after it have been scored already. Thirty in a row bring a warning. Where
            nobody is seen there are probabilities too, the same as offline, but `seen` is False.

        Raises
        ------
        ValueError
            If the frame has another shape than in fit or infinite values, or the timestamp is not
            a finite number. The frame is left out, and the next one may be pushed.
        """
        try:
            timestamp = float(timestamp)
        except TypeError:  # None, a date
            raise ValueError(f"timestamp must be seconds, got {timestamp!r}.") from None
        if not math.isfinite(timestamp):
            raise ValueError(f"timestamp must be a finite number of seconds, got {timestamp!r}.")
        if timestamp <= self._last:
            self.counts.late += 1
            self._late_by_now += 1
            if self._late_by_now == MANY_LATE:
                warnings.warn(
                    f"{MANY_LATE} frames in a row came late and were ignored, the last at "
                    f"{timestamp:.3f} s after one at {self._last:.3f} s: was the clock set back? "
                    "Take one that only rises, such as time.monotonic(), or reset() the stream.",
                    UserWarning,
                    stacklevel=2,
                )
            return None
        first, *others = self._streams
        value = first.push(frame, timestamp)
        seen = first.found if self._from_pictures else not np.isnan(frame).all()
        for stream in others:
            value = stream.push(value, timestamp)
        if self.counts.frames:
            self.counts.seconds += timestamp - self._last
            self.counts.gaps += timestamp - self._last > self.max_gap
        self.counts.frames += 1
        self.counts.unseen += not seen
        self.seen, self._last, self._late_by_now = bool(seen), timestamp, 0
        if not self._timed and self.counts.seconds >= _TIMED_AFTER:
            self._timed = True
            self._compare_rates()
        return value

    def _compare_rates(self):
        """Warn where frames come at another rate than in training."""
        came, trained = self.counts.frame_rate, self.frame_rate
        if trained is not None and max(came / trained, trained / came) >= _TOLERANCE:
            warnings.warn(
                f"Frames come {came:.3g} a second, and the model was trained at {trained:g}: it "
                f"looks {trained / came:.2g} times as far back in time as it learned to. Put them "
                "on its rate first (skrehab.pose.resample_frames), or train at theirs.",
                UserWarning,
                stacklevel=3,
            )

    def reset(self):
        """Start another trial: references, averages and counts start anew, and so may the clock."""
        for stream in self._streams:
            stream.reset()
        self.counts = StreamCounts()
        self.seen, self._last = False, -math.inf
        self._timed, self._late_by_now = False, 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.reset()  # frees a pose model


def _predicting_steps(estimator, prefix=""):
    """Yield name and estimator of what a pipeline asks at predict, pipelines inside it too."""
    if not hasattr(estimator, "steps"):
        yield prefix, estimator
        return
    for name, step in estimator.steps:
        if step is None or isinstance(step, str) or hasattr(step, "fit_resample"):
            continue  # "passthrough", or a resampler
        yield from _predicting_steps(step, f"{prefix}__{name}" if prefix else name)


def _called(name, step):
    return f"step {name!r} ({type(step).__name__})" if name else type(step).__name__


def _start(name, step):
    if not hasattr(step, "_stream"):
        raise TypeError(
            f"The pipeline cannot run live: {_called(name, step)} has no form for streams, that is "
            "no method _stream(). See the documentation of skrehab.live."
        )
    try:
        return step._stream()
    except (TypeError, ValueError) as error:
        if type(error) not in (TypeError, ValueError):  # not fitted, or without a model file
            raise
        message = f"The pipeline cannot run live: {_called(name, step)}: {error}"
        raise type(error)(message) from error
