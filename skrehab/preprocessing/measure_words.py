"""What stood out while a model saw something, in words: which measure, when, by how much."""

import numpy as np

__all__ = ["explain_measures", "posture_measures"]


def posture_measures(names):
    """Choose the measures that compensation shows in: of the trunk, the head and the shoulders.

    Arms and hands move with the task itself, and knees with the chair.

    Parameters
    ----------
    names : sequence of str
        Measures, as ``KinematicMeasures.get_feature_names_out()`` gives them.

    Returns
    -------
    list of str
        Those of posture.

    Examples
    --------
    >>> from skrehab.preprocessing import posture_measures
    >>> posture_measures(["trunk_rotation", "left_elbow_flexion", "left_shoulder_elevation"])
    ['trunk_rotation', 'left_shoulder_elevation']
    """
    return [
        str(name)
        for name in names
        if str(name).startswith(("trunk_", "head_", "shoulder_"))
        or str(name).endswith("_shoulder_elevation")
    ]


def explain_measures(trial, frame_states, measures, *, frame_rate=30.0, n_best=3, names=None):
    """Say which measures differ most between the marked frames of a trial and the others.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_measures, 1)
        What :class:`skrehab.KinematicMeasures` made of the trial.
    frame_states : array-like of shape (n_frames,)
        1 in marked frames, 0 in others, -1 where it is not known: a model's verdicts, or the truth.
    measures : KinematicMeasures
        Fitted; gives names and units.
    frame_rate : float, default=30.0
        Frames a second.
    n_best : int, default=3
        Measures to name for each stretch of marked frames.
    names : sequence of str, optional
        The measures to choose from; by default those of :func:`posture_measures`, or all where
        there are none of them.

    Returns
    -------
    list of dict
        For each stretch, its strongest first: ``measure`` (as in the columns), ``name`` (in
        words), ``usual`` (median of frames marked 0), ``there`` (median of the stretch), their
        difference ``change``, ``unit``, ``start`` and ``stop`` in seconds, and ``text``, such as
        ``"trunk lean forward +14 deg, 2.1-3.4 s"``.
        Empty without any marked or any unmarked frame.

    Raises
    ------
    ValueError
        If lengths do not match, or a name is unknown.

    Notes
    -----
    Measures are compared by their change over their own spread in the unmarked frames (1.48 times
    the median absolute deviation, at least 2 degrees, 2 percent or 2 cm), so that a hand, which
    always moves, does not win by size. It tells what went along with the verdict, not what a
    network looked at; for that see :mod:`skrehab.saliency`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import KinematicMeasures
    >>> from skrehab.datasets import make_rehab_trials
    >>> from skrehab.preprocessing import explain_measures
    >>> data = make_rehab_trials(2, 1, random_state=0)
    >>> measures = KinematicMeasures(frame_rate=data.frame_rate).fit(data.X)
    >>> trial = np.zeros((30, 27, 1))
    >>> trial[10:20, 0] = 14
    >>> explain_measures(trial, trial[:, 0, 0] > 0, measures, frame_rate=10)[0]["text"]
    'trunk lean forward +14 deg, 1.0-2.0 s'
    """
    values = np.asarray(trial, dtype=float)[..., 0]
    states = np.asarray(frame_states).astype(int)
    columns = measures.get_feature_names_out().tolist()
    if values.shape != (len(states), len(columns)):
        raise ValueError(
            f"trial must have shape ({len(states)}, {len(columns)}, 1), a value a frame and "
            f"measure, got {np.shape(trial)}."
        )
    unknown = [name for name in names or () if name not in columns]
    if unknown:
        raise ValueError(f"names holds {unknown[0]!r}, which is not among {columns}.")
    chosen = names or posture_measures(columns) or columns
    places = [columns.index(name) for name in chosen]
    normal, out = values[states == 0], []
    if not len(normal):
        return out
    edges = np.flatnonzero(np.diff(np.r_[0, states == 1, 0]))
    for start, stop in edges.reshape(-1, 2):
        found = []
        for place in places:
            unit = measures.units_[place]
            both = normal[:, place], values[start:stop, place]
            before, there = (one[~np.isnan(one)] for one in both)
            if not len(before) or not len(there):
                continue
            middle = np.median(before)
            change = np.median(there) - middle
            least = 0.02 if unit == "m" else 2.0
            spread = max(1.48 * np.median(np.abs(before - middle)), least)
            found.append((abs(change) / spread, columns[place], middle, change, unit))
        for _, measure, middle, change, unit in sorted(found, key=lambda one: -one[0])[:n_best]:
            first, last = start / frame_rate, stop / frame_rate
            name = measure.replace("_", " ")
            size = f"{100 * change:+.0f} cm" if unit == "m" else f"{change:+.0f} {unit}"
            out.append(
                {
                    **{"measure": measure, "name": name, "usual": float(middle)},
                    **{"there": float(middle + change), "change": float(change), "unit": unit},
                    **{"start": float(first), "stop": float(last)},
                    "text": f"{name} {size}, {first:.1f}-{last:.1f} s",
                }
            )
    return out
