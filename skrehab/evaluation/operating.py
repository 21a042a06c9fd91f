"""What a study's models would be at work: at so many false alarms a minute, what do they find?"""

import numpy as np

from skrehab.metrics.alarms import alarm_threshold, false_alarm_rate
from skrehab.trials import ragged

__all__ = ["at_alarm_rate"]


def at_alarm_rate(study, per_minute=1.0):
    """Choose each patient's threshold on the other patients, and see how it does.

    Parameters
    ----------
    study : Study
        With frame truth, or trials labelled as normal, and a frame rate.
    per_minute : float, default=1.0
        Wanted false alarms a minute.

    Returns
    -------
    list of dict
        For each method and patient ``method, patient, threshold, false_alarms`` (a minute) and
        ``found``, the share of the frames of the motion at or above the threshold; nan where
        there is no such frame. The floors are left out.

    Raises
    ------
    ValueError
        If no frame rate is known.

    Notes
    -----
    The other patients' scores come from models that did not see them, but had seen this patient.
    Through one number that is chosen over all others it hardly matters; where it must not, choose
    it inside each fold.
    """
    data = study.data
    if not data.frame_rate:
        raise ValueError("False alarms a minute need frame_rate=, or data that tell it.")
    tested = np.sort(np.concatenate([test for _, test in study.folds]))
    rows = []
    for name, scores in study.frame_scores.items():
        if study.methods[name].kind == "floor":
            continue
        truth = _truth(data, scores)
        for patient in study.patients:
            own = [i for i in tested if data.groups[i] == patient]
            others = [i for i in tested if data.groups[i] != patient]
            if not others or not any((truth[i] == 0).any() for i in others):
                continue
            cut = alarm_threshold(
                *([values[i] for i in others] for values in (scores, truth)),
                data.frame_rate,
                per_minute,
            )
            said, true = ([values[i] for i in own] for values in (scores, truth))
            hit = np.concatenate([s[t == 1] >= cut for s, t in zip(said, true)])
            rows.append(
                {
                    "method": name,
                    "patient": patient,
                    "threshold": cut,
                    "false_alarms": false_alarm_rate(said, true, cut, data.frame_rate),
                    "found": float(hit.mean()) if len(hit) else np.nan,
                }
            )
    return rows


def _truth(data, scores):
    """Frame truth; without it, zeros in trials labelled as normal, and nothing known in others."""
    known, normal = data.truth, ~data.motion & data.labelled
    out = []
    for i, one in enumerate(scores):
        if normal[i]:
            out.append(np.zeros(len(one), dtype=int))
        elif known is not None and len(known[i]) == len(one):
            out.append(known[i])
        else:
            out.append(np.full(len(one), -1))
    return ragged(out)
