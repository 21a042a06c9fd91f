"""When to tell a patient: from a score for every frame to a cue that does not flicker.

A probability that hovers round one threshold switches a cue on and off several times a second.
Two thresholds (hysteresis) and two waiting times keep it calm. The rule is one pure function,
:func:`next_cue`; :class:`CueGate` remembers its state, :func:`cue_frames` runs it over a trial.
"""

import math
from typing import NamedTuple

import numpy as np

__all__ = ["CueGate", "CueRule", "CueState", "cue_frames", "gate_for", "next_cue", "rule_for"]

_ROUNDING = 1e-9  # nine frames at 30 a second are 0.3 s, whatever floating point makes of it


class CueRule(NamedTuple):
    """What switches a cue on and off.

    Parameters
    ----------
    on : float, default=0.6
        A probability from here on counts as the movement looked for ...
    off : float, default=0.4
        ... until it falls to this value or below.
    min_duration : float, default=0.3
        Seconds the movement must last before the cue comes on.
    min_gap : float, default=0.5
        Seconds it must be over before the cue goes off; shorter gaps do not interrupt a cue.
    max_gap : float, default=1.0
        After more than this many seconds without a frame nothing is known: the cue goes off, and
        the waiting starts anew.
    """

    on: float = 0.6
    off: float = 0.4
    min_duration: float = 0.3
    min_gap: float = 0.5
    max_gap: float = 1.0


class CueState(NamedTuple):
    """Where a cue stands after a frame.

    Parameters
    ----------
    cue : bool
        Whether the cue is on.
    moving : bool
        On which side of the two thresholds the probability is.
    since : float
        Time in seconds from which it has been there.
    last : float
        Time of the frame, in seconds.
    """

    cue: bool = False
    moving: bool = False
    since: float = -math.inf
    last: float = -math.inf


def next_cue(state, probability, timestamp, rule=CueRule()):  # noqa: B008  it is immutable
    """Tell how a cue stands after one more frame.

    Parameters
    ----------
    state : CueState
        How it stood after the frame before; ``CueState()`` at the start of a trial.
    probability : float
        Probability of the movement looked for; NaN (nobody is seen) counts as none.
    timestamp : float
        Time of the frame in seconds. One that is not later than the frame before changes nothing.
    rule : CueRule
        What switches the cue on and off.

    Returns
    -------
    CueState
        How it stands now.

    Examples
    --------
    >>> from skrehab.live.cues import CueRule, CueState, next_cue
    >>> state = next_cue(CueState(), 0.9, 0.0, CueRule(min_duration=0.1))
    >>> state.moving, state.cue
    (True, False)
    >>> next_cue(state, 0.5, 0.1, CueRule(min_duration=0.1)).cue
    True
    """
    if not timestamp > state.last:
        return state
    if timestamp - state.last > rule.max_gap:
        state = CueState(since=timestamp)
    if probability >= rule.on:
        moving = True
    elif probability > rule.off:
        moving = state.moving
    else:  # low, or NaN
        moving = False
    since = state.since if moving == state.moving else timestamp
    wait = rule.min_duration if moving else rule.min_gap
    cue = moving if timestamp - since >= wait - _ROUNDING else state.cue
    return CueState(cue, moving, since, timestamp)


def cue_frames(probabilities, timestamps, rule=CueRule()):  # noqa: B008
    """Tell for each frame of a trial whether the cue is on.

    Parameters
    ----------
    probabilities : array-like of shape (n_frames,)
        Probability of the movement looked for; NaN where nobody is seen.
    timestamps : array-like of shape (n_frames,)
        Seconds.
    rule : CueRule
        What switches the cue on and off.

    Returns
    -------
    ndarray of shape (n_frames,), dtype bool
        The same as :class:`CueGate` says frame by frame.

    Raises
    ------
    ValueError
        If lengths differ, or the rule makes no sense.

    Examples
    --------
    >>> from skrehab.live.cues import CueRule, cue_frames
    >>> rule = CueRule(on=0.6, off=0.4, min_duration=0.2, min_gap=0.2)
    >>> cue_frames([0.7, 0.5, 0.7, 0.5, 0.3, 0.3, 0.3], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], rule)
    array([False, False,  True,  True,  True,  True, False])
    """
    _check_rule(rule)
    if len(probabilities) != len(timestamps):
        raise ValueError(
            f"Each probability needs a time: got {len(probabilities)} and {len(timestamps)}."
        )
    cues, state = np.zeros(len(timestamps), dtype=bool), CueState()
    for i, (probability, timestamp) in enumerate(zip(probabilities, timestamps)):
        state = next_cue(state, probability, timestamp, rule)
        cues[i] = state.cue
    return cues


def rule_for(model, rule=CueRule()):  # noqa: B008
    """Make a rule respect what a calibrated model says of itself.

    Where the model abstains, a cue neither comes nor goes: the two thresholds stand at the ends of
    what it abstains from. And if it has chosen the probability of an alarm for a rate of false
    alarms, the cue comes from there on.

    Parameters
    ----------
    model : estimator
        Such as a fitted :class:`skrehab.CalibratedByPatient`, or a pipeline that ends in one; of
        any other the rule is left as it is.
    rule : CueRule
        What is wanted otherwise.

    Returns
    -------
    CueRule
        With `on` and `off` moved.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from skrehab.live.cues import rule_for
    >>> model = SimpleNamespace(threshold_=0.5, confidence=0.8, false_alarms=None)
    >>> rule = rule_for(model)
    >>> rule.on, round(rule.off, 3)
    (0.8, 0.2)
    """
    while not hasattr(model, "threshold_") and hasattr(model, "steps"):
        model = model.steps[-1][1]
    on, off = rule.on, rule.off
    if getattr(model, "false_alarms", None) is not None:
        on = min(model.threshold_, 1.0)
    if getattr(model, "confidence", None) is not None:
        on, off = max(on, model.confidence), min(off, 1 - model.confidence)
    return rule._replace(on=on, off=min(on, off))


def gate_for(model, gate=None):
    """Make a gate that respects what a calibrated model says of itself.

    Parameters
    ----------
    model : estimator
        See :func:`rule_for`.
    gate : CueGate, optional
        What is wanted otherwise; it is not changed.

    Returns
    -------
    CueGate
        `gate` itself where the model says nothing.

    Examples
    --------
    >>> from skrehab import FrameMLP
    >>> from skrehab.live import gate_for
    >>> gate_for(FrameMLP()).rule.on
    0.6
    """
    gate = CueGate() if gate is None else gate
    rule = rule_for(model, gate.rule)
    return gate if rule == gate.rule else CueGate(*rule)


def _check_rule(rule):
    if not 0 <= rule.off <= rule.on <= 1:
        raise ValueError(
            f"Thresholds must be 0 <= off <= on <= 1, got on={rule.on!r}, off={rule.off!r}."
        )
    for name in ("min_duration", "min_gap", "max_gap"):
        if not getattr(rule, name) >= 0:
            raise ValueError(f"{name} must be 0 seconds or more, got {getattr(rule, name)!r}.")


class CueGate:
    """Switch a cue on and off, frame by frame, without flicker.

    The cue comes on once the probability has reached `on`, and not fallen to `off` again, for
    `min_duration`; it goes off once the probability has stayed down for `min_gap`. So it comes
    `min_duration` late, and no cue is shorter than `min_gap`.

    Parameters
    ----------
    on : float, default=0.6
        A probability from here on counts as the movement looked for ...
    off : float, default=0.4
        ... until it falls to this value or below.
    min_duration : float, default=0.3
        Seconds the movement must last before the cue comes on.
    min_gap : float, default=0.5
        Seconds it must be over before the cue goes off; shorter gaps do not interrupt a cue.
    max_gap : float, default=1.0
        After more than this many seconds without a frame nothing is known: the cue goes off, and
        the waiting starts anew.

    Attributes
    ----------
    rule : CueRule
        The settings.
    state : CueState
        How it stands, since when.

    Examples
    --------
    >>> from skrehab import CueGate
    >>> gate = CueGate(on=0.6, off=0.4, min_duration=0.1)
    >>> [gate.push(p, t) for p, t in [(0.9, 0.0), (0.5, 0.1), (0.1, 0.2)]]
    [False, True, True]
    """

    def __init__(self, on=0.6, off=0.4, min_duration=0.3, min_gap=0.5, max_gap=1.0):
        self.rule = CueRule(on, off, min_duration, min_gap, max_gap)
        _check_rule(self.rule)
        self.reset()

    def push(self, probability, timestamp):
        """Take the next frame.

        Parameters
        ----------
        probability : float
            Probability of the movement looked for; NaN (nobody is seen) counts as none.
        timestamp : float
            Seconds. A frame that is not later than the one before changes nothing.

        Returns
        -------
        bool
            Whether the cue is on now.
        """
        self.state = next_cue(self.state, float(probability), float(timestamp), self.rule)
        return self.state.cue

    def reset(self):
        """Start a new trial: the cue is off, and times may start again."""
        self.state = CueState()

    def __repr__(self):
        settings = ", ".join(f"{name}={value!r}" for name, value in self.rule._asdict().items())
        return f"CueGate({settings})"
