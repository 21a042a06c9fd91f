"""The report of one trial: which compensation, which measure, when, and by how much."""

import numpy as np

from skrehab.preprocessing import KinematicMeasures, explain_measures

from .content import Figure, Section, Table
from .page import write_report

__all__ = ["find_compensations", "trial_sections", "write_trial_report"]

SHORTEST, GAP = 0.3, 0.5  # seconds: what is shorter is left out, or joins its neighbours
LEAST = {"m": 0.03, "%": 3.0, "deg": 3.0}  # a smaller change is within what a camera can tell


def find_compensations(
    trial,
    frame_scores,
    timestamps,
    *,
    threshold=0.5,
    skeleton="mediapipe33",
    n_best=2,
):
    """Find the stretches of each label in a trial, and what the body did there.

    Parameters
    ----------
    trial : ndarray of shape (n_frames, n_landmarks, n_coords)
        The pose; NaN where nobody was seen.
    frame_scores : dict of str to array-like of shape (n_frames,)
        Probability of each label by name; NaN where nobody was seen.
    timestamps : array-like of shape (n_frames,)
        Seconds.
    threshold : float, default=0.5
        From which probability on a frame has a label. Gaps of less than 0.5 s join, and stretches
        of less than 0.3 s are left out.
    skeleton : str or Skeleton, default="mediapipe33"
        Of the pose.
    n_best : int, default=2
        Measures to name for each stretch.

    Returns
    -------
    list of dict
        A row a stretch and measure, in the order of time: ``label``, ``start``, ``stop`` (seconds),
        ``score`` (mean there), and ``measure``, ``usual``, ``there``, ``change``, ``unit`` as of
        :func:`skrehab.preprocessing.explain_measures`, which compares with the frames without any
        label; None where there are none to compare with, or nothing changed by 3 degrees, 3 cm or
        3 percent.

    Raises
    ------
    ValueError
        If lengths do not match, or the skeleton is another than the pose's.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.datasets import make_rehab_trials
    >>> from skrehab.report import find_compensations
    >>> data = make_rehab_trials(2, 1, random_state=0)
    >>> i = int(data.y.argmax())
    >>> times = np.arange(len(data.X[i])) / data.frame_rate
    >>> found = find_compensations(data.X[i], {"leans": data.frame_labels[i]}, times)
    >>> found[0]["label"], found[0]["unit"]
    ('leans', 'deg')
    """
    times, scores = _checked(trial, frame_scores, timestamps)
    rate = _rate(times)
    measures = KinematicMeasures(skeleton, frame_rate=rate).fit([trial])
    values = measures.transform([trial])[0]
    on = {name: _calm(one, threshold, rate) for name, one in scores.items()}
    marked = np.any(list(on.values()), axis=0) if on else np.zeros(len(times), bool)
    unseen = np.any([np.isnan(one) for one in scores.values()], axis=0)
    rows = []
    for name, mine in on.items():
        edges = np.flatnonzero(np.diff(np.r_[0, mine.astype(int), 0])).reshape(-1, 2)
        for start, stop in edges:
            states = np.where(marked | unseen, -1, 0)
            states[start:stop] = 1
            row = {
                "label": name,
                "start": float(times[start]),
                "stop": float(times[stop - 1] + 1 / rate),
                "score": float(np.nanmean(scores[name][start:stop])),
            }
            said = explain_measures(values, states, measures, frame_rate=rate, n_best=n_best)
            said = [one for one in said if abs(one["change"]) >= LEAST.get(one["unit"], 3.0)]
            for one in said or [{}]:
                about = {"measure": one.get("name"), "column": one.get("measure")}
                keys = ("usual", "there", "change", "unit")
                rows.append(row | about | {key: one.get(key) for key in keys})
    return sorted(rows, key=lambda row: row["start"])


def _checked(trial, frame_scores, timestamps):
    times = np.asarray(timestamps, dtype=float)
    scores = {str(name): np.asarray(one, dtype=float) for name, one in frame_scores.items()}
    lengths = {"trial": len(trial), "timestamps": len(times)}
    lengths |= {f"frame_scores[{name!r}]": len(one) for name, one in scores.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"All need one entry per frame, but their lengths differ: {lengths}.")
    if not scores:
        raise ValueError("frame_scores names no label.")
    return times, scores


def _rate(times):
    steps = np.diff(times)
    return float(1 / np.median(steps)) if len(steps) and np.median(steps) > 0 else 30.0


def _calm(scores, threshold, rate):
    """Where a label is, without flicker: short gaps join, then short stretches go."""
    on = np.nan_to_num(scores, nan=-1.0) >= threshold
    for value, seconds in ((False, GAP), (True, SHORTEST)):
        edges = np.flatnonzero(np.diff(np.r_[0, (on == value).astype(int), 0])).reshape(-1, 2)
        for start, stop in edges:
            inside = 0 < start and stop < len(on)
            if (stop - start) / rate < seconds - 1e-9 and (value or inside):
                on[start:stop] = not value
    return on


# --- in words -------------------------------------------------------------------------------------
def trial_sections(trial, frame_scores, timestamps, *, threshold=0.5, skeleton="mediapipe33"):
    """Make the sections of a trial's report.

    Parameters
    ----------
    trial, frame_scores, timestamps, threshold, skeleton
        As in :func:`find_compensations`.

    Returns
    -------
    list of skrehab.report.Section
        A table of stretches, a figure over time, and how to read them.
    """
    found = find_compensations(
        *(trial, frame_scores, timestamps), threshold=threshold, skeleton=skeleton
    )
    columns = {
        **{"label": "compensation", "when": "when", "measure": "measure"},
        **{"usual": "rest of the trial", "there": "there", "change": "change"},
    }
    rows, before = [], None
    for row in found:
        stretch = row["label"], row["start"]
        new, before = stretch != before, stretch
        when = f"{row['start']:.1f} to {row['stop']:.1f} s".replace(" ", "\N{NO-BREAK SPACE}")
        cells = {"label": row["label"], "when": when} if new else {"label": "", "when": ""}
        cells["measure"] = _called(row) if row["measure"] else "none stood out"
        for key in ("change", "usual", "there"):
            cells[key] = _amount(row[key], row["unit"], signed=key == "change")
        rows.append(cells)
    names = ", ".join(map(str, frame_scores))
    text = [_sentence(row) for row in _strongest(found)] or [
        f"Nothing was found: no {SHORTEST:g} s at {threshold:g} or above for {names}."
    ]
    tables = [Table(columns, rows, "Stretches, and the measures that stood out there")]
    figure = Figure(
        _draw(trial, frame_scores, timestamps, found, threshold, skeleton),
        "Above, how likely each compensation is, frame by frame; darker where it is counted. "
        "Below, the measures that stood out, and a line at their value in the rest of the trial.",
        alt=" ".join(text),
    )
    return [
        Section("What was found", text, table=tables if rows else None),
        Section("Over time", None, figures=figure),
        Section("How to read it", _reading(threshold)),
    ]


def _strongest(found):
    """The first row of each stretch: rows of a stretch stand with the strongest first."""
    seen = set()
    for row in found:
        if (key := (row["label"], row["start"])) not in seen:
            seen.add(key)
            yield row


def _sentence(row):
    when = f"from {row['start']:.1f} to {row['stop']:.1f} s"
    if row["measure"] is None:
        return (
            f"{row['label']}, {when}: no measure of posture differs by 3\N{DEGREE SIGN}, 3 cm or "
            "3 % from the rest of the trial."
        )
    usual, there = (_amount(row[key], row["unit"]) for key in ("usual", "there"))
    change = _amount(row["change"], row["unit"], signed=True)
    return f"{row['label']}, {when}: {_called(row)} {there} instead of {usual} ({change})."


def _called(row):
    return row["measure"] + (" (of shoulder width)" if row["unit"] == "%" else "")


def _amount(value, unit, signed=False):
    if value is None:
        return ""
    if unit == "m":
        value, unit = 100 * value, "cm"
    sign = "+" if signed else ""
    number = f"{value:{sign}.0f}".replace("-", "\N{MINUS SIGN}")
    number = "0" if number.strip("+\N{MINUS SIGN}") == "0" else number
    return number + {"deg": "\N{DEGREE SIGN}"}.get(unit, f"\N{NO-BREAK SPACE}{unit}")


def _reading(threshold):
    return [
        f"A compensation is counted where its probability is {threshold:g} or above; gaps under "
        f"{GAP:g} s are closed, and what lasts less than {SHORTEST:g} s is left out.",
        "Measures are those of skrehab.KinematicMeasures: trunk lean forward and sideways against "
        "gravity, positive to the front and to the person's left; trunk rotation of the shoulders "
        "against the pelvis; head tilts against the trunk; shoulder tilt, and the height of each "
        "shoulder over the hips. They are medians: of the stretch, and of the frames of this trial "
        "in which nothing was found.",
        "They say what went along with the verdict, not why the model gave it. Angles come from "
        "one camera; depth is estimated, so read a few degrees as none.",
    ]


# --- a picture ------------------------------------------------------------------------------------
def _draw(trial, frame_scores, timestamps, found, threshold, skeleton):
    """Scores by label above, measures below, one time axis."""
    from matplotlib.figure import Figure as Canvas

    times, scores = _checked(trial, frame_scores, timestamps)
    measures = KinematicMeasures(skeleton, frame_rate=_rate(times)).fit([trial])
    values = measures.transform([trial])[0][..., 0]
    places = measures.get_feature_names_out().tolist()
    shown = list(dict.fromkeys(row["column"] for row in found if row["column"]))[:4]
    heights = [1.0] * len(scores) + [1.6] * len(shown)
    figure = Canvas(figsize=(9, 0.9 + 0.75 * sum(heights)), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
    colours = ("#0072b2", "#d55e00", "#007a5e", "#9a4a86", "#5d6b78", "#8a6d00")
    of = {name: colours[k % len(colours)] for k, name in enumerate(scores)}
    for ax, (name, one) in zip(axes[:, 0], scores.items()):
        ax.fill_between(times, 0, one, color=of[name], alpha=0.25, linewidth=0)
        ax.plot(times, one, color=of[name], linewidth=1.3)
        ax.axhline(threshold, color="#66727f", linewidth=0.8, linestyle=(0, (4, 4)))
        ax.set(ylim=(0, 1.02), yticks=(0, 1))
        ax.set_title(name, loc="left", fontsize=10, pad=3)
    for ax, column in zip(axes[len(scores) :, 0], shown):
        place = places.index(column)
        unit = measures.units_[place]
        factor, unit = (100, "cm") if unit == "m" else (1, unit)
        ax.plot(times, factor * values[:, place], color="#22303c", linewidth=1.3)
        usual = next(row["usual"] for row in found if row["column"] == column)
        ax.axhline(factor * usual, color="#66727f", linewidth=0.8)
        # a wobble of two degrees must not fill the picture
        low, high = ax.get_ylim()
        room = max(0, {"deg": 15, "cm": 10}.get(unit, 15) - (high - low)) / 2
        ax.set_ylim(low - room, high + room)
        words = {"deg": "degrees", "%": "% of shoulder width"}.get(unit, unit)
        ax.set_title(f"{column.replace('_', ' ')}, {words}", loc="left", fontsize=10, pad=3)
    for row in found:
        for k, ax in enumerate(axes[:, 0]):
            own = k < len(scores) and list(scores)[k] == row["label"]
            told = k >= len(scores) and shown[k - len(scores)] == row["column"]
            if own or told:
                ax.axvspan(row["start"], row["stop"], color=of[row["label"]], alpha=0.14, lw=0)
    for ax in axes[:, 0]:
        ax.spines[["top", "right"]].set_visible(False)
        ax.tick_params(labelsize=9)
        ax.margins(x=0)
    axes[-1, 0].set_xlabel("seconds")
    return figure


def write_trial_report(
    path,
    trial,
    frame_scores,
    timestamps,
    *,
    title="Trial",
    threshold=0.5,
    skeleton="mediapipe33",
    highlights=None,
    footer=None,
):
    """Write the report of one trial as an HTML file that needs no network.

    Parameters
    ----------
    path : path-like
        File to write.
    trial, frame_scores, timestamps
        As in :func:`find_compensations`.
    title : str, default="Trial"
        Heading.
    threshold, skeleton
        As in :func:`find_compensations`.
    highlights : dict of str to str or number, optional
        More key figures for the top.
    footer : str, optional
        A closing line.

    Returns
    -------
    pathlib.Path
        The file.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skrehab.datasets import make_rehab_trials
    >>> from skrehab.report import write_trial_report
    >>> data = make_rehab_trials(2, 1, random_state=0)
    >>> i = int(data.y.argmax())
    >>> truth = dict(zip(data.label_names, data.frame_compensations[i].T))
    >>> times = np.arange(len(data.X[i])) / data.frame_rate
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_trial_report(pathlib.Path(folder) / "r.html", data.X[i], truth, times)
    ...     print("What was found" in path.read_text(encoding="utf-8"))
    True
    """
    times, scores = _checked(trial, frame_scores, timestamps)
    sections = trial_sections(trial, scores, times, threshold=threshold, skeleton=skeleton)
    rate = _rate(times)
    facts = {"length": f"{times[-1] - times[0] + 1 / rate:.1f} s"}
    for name, one in scores.items():
        seconds = _calm(one, threshold, rate).sum() / rate
        facts[name] = f"{seconds:.1f} s" if seconds else "none"
    return write_report(path, title, sections, highlights=facts | (highlights or {}), footer=footer)
