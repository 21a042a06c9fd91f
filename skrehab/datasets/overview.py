"""What was read, in lines for people: trials, patients and labels, frames, rate, poses."""

import os
from pathlib import Path

import numpy as np

__all__ = ["describe_trials", "frame_rates"]

_WIDTH = 24  # of a name in a table
_MOST_PATIENTS = 20


def describe_trials(data, *, poses=None, rates=None, label_names=None, width=80):
    """Describe what was read, before anything is learned from it.

    Parameters
    ----------
    data : sklearn.utils.Bunch
        As loaders return it: ``X``, ``y`` and ``groups``, and where known ``trial``, ``exercise``,
        ``timestamps`` and ``path``. ``X`` are pose trials, or names of videos.
    poses : list of ndarray of shape (n_frames_i, n_landmarks, n_coords), optional
        The poses of videos, once they were found. None takes ``X`` where that holds poses.
    rates : list of float, optional
        Frames a second of the trials that tell. None takes ``timestamps``.
    label_names : dict, optional
        What to call a label. None, and labels that are not in it, are called as they are.
    width : int, default=80
        Longest line, in characters.

    Returns
    -------
    list of str
        Lines without line breaks. What is not known before the poses are found, is left out.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.utils import Bunch
    >>> from skrehab.datasets.overview import describe_trials
    >>> trials = [np.ones((40, 33, 3)), np.ones((60, 33, 3))]
    >>> trials[1][:15] = np.nan
    >>> data = Bunch(X=trials, y=np.array([0, 1]), groups=np.array(["P01", "P02"]))
    >>> print(*describe_trials(data, rates=[30.0, 30.0], label_names={0: "usual"}), sep="\\n")
    2 trials of 2 patients
    patient  usual  1
    P01          1  0
    P02          0  1
    all          1  1
    one label only, so no AUC of their own: P01, P02
    frames: 100, from 40 to 60 a trial (median 50)
    frame rate: 30 a second
    frames with a pose: 85 of 100 (85 %); least in trial 2: 45 of 60
    """
    if poses is None and not isinstance(data.X[0], str | os.PathLike):
        poses = data.X
    if rates is None:
        rates = frame_rates(data.get("timestamps"))
    lines = [_heading(data), *_table(data, label_names or {}, width)]
    if poses is not None:
        lengths = [len(pose) for pose in poses]
        line = f"frames: {sum(lengths):,}, {_range(lengths, ',d')} a trial"
        alike = min(lengths) == max(lengths)
        lines.append(line if alike else f"{line} (median {np.median(lengths):,.0f})")
    if rates:
        lines.append(f"frame rate: {_range([float(f'{rate:.3g}') for rate in rates])} a second")
    elif poses is not None:
        lines.append("frame rate: not known, as the files hold no times")
    if poses is not None:
        lines += _coverage(data, poses, width)
    return [_short(line, width) for line in lines]


def frame_rates(timestamps):
    """Tell the frames a second of each trial that has times.

    Parameters
    ----------
    timestamps : list of ndarray of shape (n_frames_i,) or None
        Seconds; None for a trial without times.

    Returns
    -------
    list of float
        One of each trial with two times or more, in their order.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.datasets.overview import frame_rates
    >>> frame_rates([np.arange(30) / 25, None])
    [25.0]
    """
    known = [times for times in timestamps or [] if times is not None and len(times) > 1]
    spans = [(len(times) - 1, float(times[-1] - times[0])) for times in known]
    return [float(np.round(steps / span, 9)) for steps, span in spans if span > 0]


def _heading(data):
    what = [f"{_count(len(data.X), 'trial')} of {_count(len(_distinct(data.groups)), 'patient')}"]
    exercises = [name for name in _distinct(data.get("exercise")) if name]
    if exercises:
        what.append(_count(len(exercises), "exercise"))
    path = data.get("path")
    return (f"{Path(path).name}: " if path else "") + ", ".join(what)


def _table(data, names, width):
    """Patients x labels; labels of long names, or many of them, get a line each instead."""
    y, groups = np.asarray(data.y), np.asarray(data.groups)
    labels, patients = _distinct(y), _distinct(groups)
    counts = np.array([[np.sum((groups == p) & (y == one)) for one in labels] for p in patients])
    words = [_short(str(names.get(label, label)), _WIDTH) for label in labels]
    rows = [("patient", words)]
    rows += [(_short(str(p), _WIDTH), row) for p, row in zip(patients, counts)][:_MOST_PATIENTS]
    if len(patients) > _MOST_PATIENTS:
        rows.append((f"{len(patients) - _MOST_PATIENTS} more", counts[_MOST_PATIENTS:].sum(axis=0)))
    rows.append(("all", counts.sum(axis=0)))
    first = max(len(name) for name, _ in rows)
    columns = [max(len(str(row[k])) for _, row in rows) for k in range(len(words))]
    lines = []
    if first + sum(columns) + 2 * len(columns) <= width:
        for name, row in rows:
            cells = (str(cell).rjust(wide) for cell, wide in zip(row, columns))
            lines.append("  ".join([name.ljust(first), *cells]))
    else:
        for word, total, own in zip(words, counts.sum(axis=0), (counts > 0).sum(axis=0)):
            lines.append(f"{word}: {_count(total, 'trial')} of {_count(own, 'patient')}")
    single = [str(p) for p, row in zip(patients, counts) if (row > 0).sum() == 1]
    if single and len(labels) > 1:
        lines.append(f"one label only, so no AUC of their own: {_listed(single)}")
    return lines


def _coverage(data, poses, width):
    seen = [int(np.isfinite(np.asarray(p)[..., :2]).all(-1).any(-1).sum()) for p in poses]
    total, all_seen = sum(map(len, poses)), sum(seen)
    line = f"frames with a pose: {all_seen:,} of {total:,} ({_percent(all_seen, total)})"
    if all_seen == total:
        return [line]
    shares = [n / max(1, len(pose)) for n, pose in zip(seen, poses)]
    least = int(np.argmin(shares))
    trials = data.get("trial")
    name = f"trial {least + 1}" if trials is None else str(trials[least])
    worst = f"least in {_short(name, 28)}: {seen[least]:,} of {len(poses[least]):,}"
    one = f"{line}; {worst}"
    return [one] if len(one) <= width else [line, f"  {worst}"]  # no figure is cut


# --- words ----------------------------------------------------------------------------------------
def _distinct(values):
    return [] if values is None else np.unique(np.asarray(values)).tolist()


def _count(number, word):
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _range(values, how="g"):
    low, high = min(values), max(values)
    return f"{low:{how}}" if low == high else f"from {low:{how}} to {high:{how}}"


def _percent(part, whole):
    """Whole percent, where 100 % is all of it and 0 % nothing."""
    share = 100 * part / max(1, whole)
    if part not in (0, whole):
        share = min(99.9, max(0.1, share))
        return f"{share:.1f} %" if share < 1 or share > 99 else f"{share:.0f} %"
    return f"{share:.0f} %"


def _listed(words):
    """Names, or the first ones where there are many."""
    return ", ".join(words[:8]) + (f" and {len(words) - 8} more" if len(words) > 8 else "")


def _short(text, width):
    """Cut what does not fit, and show that it was cut."""
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= width else text[: width - 3] + "..."
