"""Find records of left and right that the movement contradicts.

What cannot be known: whether a *video* was mirrored, as selfie cameras do. A mirrored film of a
right arm is a film of a left arm, to the last landmark. Only knowledge from outside helps: what
the record says of the arm (:func:`detect_mirrored`), or another film of the same room
(:func:`skrehab.pose.compare_views`).
"""

from dataclasses import dataclass

from skrehab.preprocessing.sides import SIDES, side_movement
from skrehab.trials import check_groups, check_trials

__all__ = ["MirrorCheck", "detect_mirrored"]


@dataclass(frozen=True)
class MirrorCheck:
    """What the movement says of the recorded sides of one group of trials.

    Parameters
    ----------
    group : object
        Patient, recording or camera; None for all trials together.
    n_agree, n_opposite, n_unclear : int
        Trials in which the arm of the recorded side moves clearly more, clearly less, or neither.
    verdict : str
        ``"as recorded"``, ``"mirrored"`` or ``"unclear"``.

    Examples
    --------
    >>> from skrehab.preprocessing import MirrorCheck
    >>> MirrorCheck("P01", 0, 6, 1, "mirrored").verdict
    'mirrored'
    """

    group: object
    n_agree: int
    n_opposite: int
    n_unclear: int
    verdict: str


def detect_mirrored(X, sides, groups=None, *, skeleton=None, ratio=1.5, min_trials=3):
    """Find recordings in which always the other arm moves than the record says.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Trials of exercises done with one arm.
    sides : array-like of shape (n_trials,)
        ``"left"`` or ``"right"``: the arm that did the exercise, from the record. Trials with
        another word are left out.
    groups : array-like of shape (n_trials,), optional
        What was filmed by one camera in one setting: patient, session or file. Each group is
        judged on its own.
    skeleton : str, Skeleton, array-like of shape (n_pairs, 2), or None
        See :func:`~skrehab.preprocessing.sides.side_pairs`.
    ratio : float, default=1.5
        A trial counts where one arm moves this many times as much as the other.
    min_trials : int, default=3
        Clear trials that a group needs for a verdict.

    Returns
    -------
    list of MirrorCheck
        One a group, in sorted order. The verdict needs four fifths of the clear trials.

    Raises
    ------
    ValueError
        If there is not one side, and one group, a trial.

    Notes
    -----
    This cannot tell a mirrored film from a record with left and right mixed up, nor from patients
    who used the other arm: all three call for a look at the video. Without a record, or in
    exercises of both arms, nothing can be told: a film of a right arm, mirrored, is one of a left.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.preprocessing import detect_mirrored
    >>> reach = np.zeros((4, 17, 2))
    >>> reach[:, 9] = np.arange(8).reshape(4, 2)  # the left wrist
    >>> detect_mirrored([reach] * 3, ["right"] * 3)[0].verdict
    'mirrored'
    """
    X = check_trials(X)
    if len(sides) != len(X):
        raise ValueError(f"sides must name one side a trial: {len(X)} trials, {len(sides)} sides.")
    groups = check_groups(groups, X)
    found = {}
    for i, (trial, side) in enumerate(zip(X, sides)):
        counts = found.setdefault(None if groups is None else groups[i].item(), [0, 0, 0])
        if side not in SIDES:
            continue
        left, right = side_movement(trial, skeleton)
        recorded, other = (left, right) if side == "left" else (right, left)
        clear = max(left, right) > ratio * min(left, right)
        counts[(0 if recorded > other else 1) if clear else 2] += 1
    checks = []
    for group in sorted(found, key=str):
        agree, opposite, unclear = found[group]
        clear, verdict = agree + opposite, "unclear"
        if clear >= min_trials and agree >= 0.8 * clear:
            verdict = "as recorded"
        elif clear >= min_trials and opposite >= 0.8 * clear:
            verdict = "mirrored"
        checks.append(MirrorCheck(group, agree, opposite, unclear, verdict))
    return checks
