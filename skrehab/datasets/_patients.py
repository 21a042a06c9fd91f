"""Who the synthetic patients are, which of their trials are compensatory, and how."""

import numpy as np

from skrehab.datasets._body import draw_body
from skrehab.datasets._exercises import EXERCISES

KINDS = ("trunk_flexion", "trunk_rotation", "shoulder_elevation", "head_flexion")


def plan_trials(n_patients, n_repetitions, exercises, rng, kinds=KINDS):
    """List every trial with its patient, exercise, side, label and kind of compensation.

    Parameters
    ----------
    n_patients, n_repetitions : int
        How many patients, and repetitions per exercise and side.
    exercises : list of str
        Names in ``EXERCISES``.
    rng : numpy.random.RandomState
        Source of randomness.
    kinds : sequence of str
        Compensations that occur; of each exercise those that are its own.

    Returns
    -------
    list of dict
        One per trial, ordered by patient and exercise, with keys ``patient, style, exercise, side,
        affected, label, kind, seed``.
    """
    width = max(2, len(str(n_patients)))
    patients = [(f"P{i + 1:0{width}d}", _draw_style(_generator(rng))) for i in range(n_patients)]
    plan = []
    for name in exercises:
        exercise = EXERCISES[name]
        trials = [
            {
                "patient": patient,
                "style": style,
                "exercise": name,
                "side": side,
                "affected": ("left", "right")[style["affected"]],
            }
            for patient, style in patients
            for side in exercise.sides
            for _ in range(n_repetitions)
        ]
        # the trials most inclined to it, over all patients: exact counts, unequal patients
        inclination = [_log_odds(trial) for trial in trials] + rng.logistic(size=len(trials))
        chosen = np.argsort(-inclination, kind="stable")[: _count(exercise.positive, len(trials))]
        for i, trial in enumerate(trials):
            trial["seed"] = rng.randint(2**31 - 1)
            trial["label"] = int(i in chosen)
            trial["kind"] = (
                _choose_kind(trial, kinds, _generator(rng)) if trial["label"] else "none"
            )
        plan += trials
    return sorted(plan, key=lambda trial: trial["patient"])  # stable: exercises keep their order


def _generator(rng):
    return np.random.default_rng(rng.randint(2**31 - 1))


def _count(share, n_trials):
    """Number of positive trials: the share, but both classes wherever there are two trials."""
    return int(np.clip(round(share * n_trials), min(1, n_trials - 1), max(1, n_trials - 1)))


def _log_odds(trial):
    """How inclined to compensation this trial is, up to a constant per exercise."""
    style = trial["style"]
    affected = {"both": 0.0, trial["affected"]: 0.9}.get(trial["side"], -0.9)
    return style["tendency"] + style["tendency_in"][trial["exercise"]] + affected


def _choose_kind(trial, wanted, rng):
    every = EXERCISES[trial["exercise"]].kinds
    kinds = {kind: share for kind, share in every.items() if kind in wanted}
    weights = np.array([share * trial["style"]["favours"][kind] for kind, share in kinds.items()])
    return str(rng.choice(list(kinds), p=weights / weights.sum()))


def _draw_style(rng):
    """One patient: body, affected side, and everything that makes their movement their own."""
    affected = int(rng.integers(2))  # 0 left, 1 right
    reach = np.full(2, rng.uniform(0.95, 1.0))  # share of the way a limb gets
    reach[affected] *= rng.uniform(0.80, 0.97)
    degrees = np.deg2rad
    return {
        "body": draw_body(rng),
        "affected": affected,
        "reach": reach,
        # compensation: how often, of which kind, how strong
        "tendency": rng.normal(0, 0.8),
        "tendency_in": {name: rng.normal(0, 0.6) for name in EXERCISES},
        "favours": {kind: rng.gamma(1.5) for kind in KINDS},
        "power": np.exp(rng.normal(0, 0.2)),
        # movement: time, size, trunk motion that anyone makes, tremor of the affected hand
        "pace": np.exp(rng.normal(0, 0.18)),
        "tempo": np.exp(rng.normal(0, 0.12)),
        "stroke": np.exp(rng.normal(0, 0.2)),
        "natural": {kind: np.exp(rng.normal(0, 0.35)) for kind in KINDS},
        "knee_lift": degrees(rng.uniform(14, 28)),
        "tremor": rng.gamma(1.0) * 0.002,  # metres
        "tremor_rate": rng.uniform(3.0, 4.5),  # Hz
        # sitting posture
        "slouch": degrees(rng.normal(7, 4)),
        "lean": degrees(rng.normal(0, 2)),
        "chin": degrees(rng.normal(4, 5)),
        "heading": degrees(rng.normal(0, 8)),
        "thigh": degrees(rng.normal(-2, 3)),
        "shank": degrees(rng.normal(-4, 6)),
        "abduction": degrees(rng.uniform(4, 18, 2)),
        "hand_rest": rng.uniform(0.45, 0.75),  # where on the thigh
        "elbow_out": rng.uniform(0.3, 1.0),
    }
