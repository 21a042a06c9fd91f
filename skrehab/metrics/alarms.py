"""How often a cue would be wrong: false alarms a minute, and the threshold that keeps them rare."""

import numpy as np

from skrehab._given import filled
from skrehab.metrics.stretches import segments

__all__ = ["alarm_threshold", "false_alarm_rate"]


def false_alarm_rate(frame_scores, frame_labels, threshold, frame_rate):
    """Count the alarms that begin where there is no motion, a minute without it.

    An alarm is a run of frames at or above the threshold; it is false if none of its frames is of
    the motion.

    Parameters
    ----------
    frame_scores : sequence of array-like of shape (n_frames_i,)
        Scores of the motion.
    frame_labels : sequence of array-like of shape (n_frames_i,)
        1 for the motion, 0 for none, -1 where nobody knows; zeros for a trial labelled as normal.
    threshold : float
        From where on a frame counts.
    frame_rate : float
        Frames a second.

    Returns
    -------
    float
        Alarms a minute; nan where no frame is known to be without the motion.

    Examples
    --------
    >>> from skrehab.metrics import false_alarm_rate
    >>> false_alarm_rate([[0.9, 0.1, 0.8, 0.9]], [[0, 0, 0, 1]], 0.5, frame_rate=1)
    20.0
    """
    alarms = normal = 0
    for scores, truth in zip(frame_scores, frame_labels, strict=True):
        scores, truth = filled(scores), np.asarray(truth)
        normal += int((truth == 0).sum())
        alarms += sum(
            (truth[start:stop] == 0).all() for start, stop in segments(scores >= threshold, True)
        )
    return float(alarms) / (normal / frame_rate / 60) if normal else float("nan")


def alarm_threshold(frame_scores, frame_labels, frame_rate, per_minute=1.0, *, n_tried=200):
    """Choose the lowest threshold that keeps false alarms at a wanted rate.

    Choose it on training patients, by scores of models that did not see them. Trials labelled as
    normal suffice: all their frames are without the motion.

    Parameters
    ----------
    frame_scores, frame_labels, frame_rate
        As of :func:`false_alarm_rate`.
    per_minute : float, default=1.0
        Wanted false alarms a minute, at most.
    n_tried : int, default=200
        Quantiles of the scores that are tried.

    Returns
    -------
    float
        The threshold; above all scores, so that there is never an alarm, where nothing else keeps
        the rate.

    Raises
    ------
    ValueError
        If no frame is known to be without the motion.

    Examples
    --------
    >>> from skrehab.metrics import alarm_threshold
    >>> 0.7 < alarm_threshold([[0.1, 0.7, 0.1, 0.9]], [[0, 0, 0, 1]], 1, per_minute=0) < 0.9
    True
    """
    scores = [filled(one) for one in frame_scores]
    every = np.concatenate(scores)
    tried = np.unique(np.quantile(every[np.isfinite(every)], np.linspace(0, 1, n_tried)))
    chosen = np.nextafter(tried[-1], np.inf)
    for threshold in tried[::-1]:  # runs join as it falls, so a low one could do by accident
        rate = false_alarm_rate(scores, frame_labels, threshold, frame_rate)
        if np.isnan(rate):
            raise ValueError(
                "No frame is known to be without the motion: give trials labelled as normal."
            )
        if rate > per_minute:
            break
        chosen = threshold
    return float(chosen)
