"""A study as one page: first what a therapist asks, then what a researcher asks."""

from datetime import date

import numpy as np

from skrehab.evaluation._study_figures import patients_figure, trial_figures
from skrehab.evaluation.floors import CONSTANT, DURATION
from skrehab.evaluation.operating import at_alarm_rate

__all__ = ["write_study"]

PLAIN = {
    "frame AUC": "moments in the right order",
    "trial AUC": "trials in the right order",
    "trial AUC of the classifier inside": "trials in the right order, by the network that teaches",
}
ORDER = (
    "How to read the score: take one {what} with the motion looked for and one without, both of "
    "the same patient, at random. The score says how often the model rates the first one higher: "
    "1.00 is always, 0.50 is guessing. (Researchers call it the area under the ROC curve, AUC.)"
)
LEARNED = {
    "trial labels": "one label a trial",
    "trials only": "one label a trial; says nothing of moments",
    "frame truth": "labels of single moments",
    "floor": "for comparison: does not look at movement",
}


def write_study(study, path, *, title=None):
    """Write the page.

    Parameters
    ----------
    study : Study
        From :func:`evaluate_by_patient`.
    path : str or path-like
        File.
    title : str, optional
        Its heading.

    Returns
    -------
    pathlib.Path
        The file.
    """
    from skrehab import __version__
    from skrehab.report import write_report

    data = study.data
    metric = study.main_metric
    best = _best(study, metric)
    sections = [
        _in_short(study, metric, best),
        what_was_read(data, study.notes),
        _by_patient(study, metric),
        *([_others(study, metric)] if len(study.metrics) > 1 else []),
        *_at_work(study),
        _differences(study, metric),
        *_trials(study, best),
        _words(study),
    ]
    scores = study.scores[metric]
    highlights = {"patients, each judged by a model that never saw them": len(study.patients)}
    highlights["trials"] = len(data.X)
    if best is not None:
        highlights[f"{best}: {PLAIN.get(metric, metric)}"] = f"{scores[best].mean:.2f}"
    if DURATION in scores:
        highlights["the same from the trial's duration alone"] = f"{scores[DURATION].mean:.2f}"
    return write_report(
        path,
        title or "How well are new patients judged?",
        sections,
        subtitle="Every score is of a patient whom the model had not seen in training.",
        highlights=highlights,
        footer=f"skrehab {__version__}, {date.today()}; the study took {_time(study.seconds)}",
    )


# --- sections -------------------------------------------------------------------------------------
def _in_short(study, metric, best):
    from skrehab.report import Section

    scores = study.scores[metric]
    text = []
    if best is not None:
        row = next(row for row in study.summary(metric) if row["method"] == best)
        text.append(
            f"{_opening(study, best)} {row['mean']:.2f} on average over {row['n_patients']} "
            f"patients; patients differ by {row['sd']:.2f} (standard deviation)."
        )
        for name, found in scores.items():
            if study.methods[name].kind == "frame truth":
                text[0] += f" {name}, trained on labels of moments: {found.mean:.2f}."
        if DURATION in scores:
            text[0] += (
                f" The duration of a trial alone, without any look at the movement, reaches "
                f"{scores[DURATION].mean:.2f}."
            )
    text.append(ORDER.format(what="moment" if metric == "frame AUC" else "trial"))
    if warnings := study.warnings():
        text += [f"Mind: {one}" for one in warnings]
    if study.data.frame_labels is None:
        text.append(
            "No labels of single moments were given. So the scores say how well whole trials are "
            "told apart, and not whether the right moments were found."
        )
    return Section("In short", text)


def what_was_read(data, notes=()):
    """Make the section that says what the study is about.

    Parameters
    ----------
    data : object
        ``X, y, groups, frame_labels, exercise, duration, frame_rate``.
    notes : list of str
        What was odd.

    Returns
    -------
    skrehab.report.Section
        Patients x labels, and a few sentences.
    """
    from skrehab.report import Section, Table

    labels = data.classes.tolist()
    rows, keys = [], [f"label {one}" for one in labels]
    for patient in np.unique(data.groups).tolist():
        own = data.groups == patient
        counts = {key: int((data.y[own] == one).sum()) for key, one in zip(keys, labels)}
        rows.append({"patient": patient, "trials": int(own.sum()), **counts})
    rows.append(
        {
            "patient": "all",
            "trials": len(data.y),
            **{key: int((data.y == one).sum()) for key, one in zip(keys, labels)},
        }
    )
    unit = "seconds" if data.frame_rate else "frames"
    low, middle, high = np.nanquantile(data.duration, [0, 0.5, 1])
    text = (
        f"{len(data.X)} trials of {len(rows) - 1} patients; a trial takes {low:.3g} to {high:.3g} "
        f"{unit}, {middle:.3g} in the middle."
    )
    if data.frame_rate:
        text += f" {data.frame_rate:.3g} frames a second."
    if data.exercise is not None:
        text += f" Exercises: {_listed(np.unique(data.exercise).tolist())}."
    if data.frame_labels is not None:
        n = sum(bool((one >= 0).any()) for one in data.truth)
        text += f" {n} trials have labels of single moments, which were used for scoring."
    if data.pos_label is not None:
        text += f" The motion looked for has the label {data.pos_label}."
    else:
        text += f" Trials without the motion looked for have the label {data.normal}."
    caption = "Trials by patient and label, as the therapist gave it."
    columns = ["patient", "trials", *keys]
    return Section("What was read", [text, *notes], Table(columns, rows, caption))


def _by_patient(study, metric):
    from skrehab.report import Section, Table

    rows = [
        {
            "method": row["method"],
            "learned": LEARNED[row["kind"]],
            "score": (row["mean"], row["sd"]),
            "interval": _range(row["low"], row["high"]),
            "pooled": row["pooled"],
            "seeds": row["seed_sd"],
        }
        for row in study.summary(metric)
    ]
    columns = {
        "method": "model",
        "learned": "learned from",
        "score": "mean ± spread over patients",
        "interval": "95 % range of the mean",
        "pooled": "all patients in one pot",
    }
    if any(not np.isnan(row["seeds"]) for row in rows):
        columns["seeds"] = "spread over repeated trainings"
    summary = Table(
        columns, rows, f"{_upper(PLAIN.get(metric, metric))} ({metric}).",
        best={"score": "max"},
        formats={one: ".2f" for one in ("score", "pooled", "seeds") if one in columns},
    )  # fmt: skip
    shown = [name for name in study.scores[metric] if name != CONSTANT]
    per_patient = [
        {"patient": patient}
        | {name: _score_of(study.scores[metric][name], patient) for name in shown}
        for patient in study.patients
    ]
    table = Table(
        ["patient", *shown], per_patient, "Each patient by itself; a dash: all trials of this "
        "patient have one label, so there is nothing to put in order.",
        formats=dict.fromkeys(shown, ".2f"),
    )  # fmt: skip
    text = (
        "A dot in the picture is a patient; the line joins the same patient from model to model. "
        "The diamond is the mean. The 95 % range is where the mean would lie for other patients "
        "of this kind (BCa bootstrap over patients)."
    )
    return Section("Patient by patient", text, [summary, table], patients_figure(study, metric))


def _others(study, metric):
    from skrehab.report import Section, Table

    others = [one for one in study.metrics if one != metric and study.scores[one]]
    rows = []
    for name in study.methods:
        row = {"method": name}
        for other in others:
            found = study.scores[other].get(name)
            row[other] = None if found is None else (found.mean, found.std)
        rows.append(row)
    columns = {"method": "model"} | {one: PLAIN.get(one, one) for one in others}
    return Section(
        "Whole trials",
        ORDER.format(what="trial")
        + " A trial is rated by the mean of the highest tenth of its moments.",
        Table(columns, rows, "Mean ± spread over patients.", formats=dict.fromkeys(others, ".2f")),
    )


def _at_work(study):
    """What a patient would notice: cues that are wrong, and movements that get none."""
    from skrehab.report import Section, Table

    if not study.data.frame_rate:
        return []
    rows = at_alarm_rate(study)
    out = []
    for name in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == name]
        row = {"method": name}
        for key in ("found", "false_alarms"):
            values = np.array([one[key] for one in own])
            values = values[~np.isnan(values)]
            spread = values.std(ddof=1) if len(values) > 1 else np.nan
            row[key] = (float(values.mean()), float(spread)) if len(values) else None
        out.append(row)
    if not out:
        return []
    text = (
        "If a cue is given from some probability on, and that is set on the other patients so that "
        "there is one false cue a minute at most: how often is it false for a new patient, and how "
        "much of the motion gets a cue?"
    )
    if study.data.frame_labels is None:
        text += " Without labels of moments, false cues are counted in trials labelled as normal."
    columns = {
        "method": "model",
        "found": "share of the motion that gets a cue",
        "false_alarms": "false cues a minute",
    }
    formats = {"found": ".2f", "false_alarms": ".1f"}
    return [Section("At work", text, Table(columns, out, "Mean ± spread.", formats=formats))]


def _differences(study, metric):
    from skrehab.report import Section, Table

    rows = [
        {
            "pair": f"{pair['a']} less {pair['b']}",
            "difference": f"{pair['difference']:+.2f}",
            "n": pair["n"],
            "t": _p(pair["p_t"]),
            "wilcoxon": _p(pair["p_wilcoxon"]),
            "holm": _p(pair["p_wilcoxon_holm"]),
            "dz": pair["cohen_dz"],
            "rank": pair["rank_biserial"],
        }
        for pair in study.pairs(metric)
        if {study.methods[pair["a"]].kind, study.methods[pair["b"]].kind} != {"floor"}
    ]
    text = [
        "Models are compared on the same patients. A small p-value means that a difference like "
        "this would rarely come about by chance if the models were equally good; below 0.05 is the "
        "usual mark. Where many pairs are compared some fall below it by chance, so look at the "
        "adjusted column (Holm).",
        study.few_patients(metric),
    ]
    columns = {
        "pair": "models",
        "difference": "mean difference",
        "n": "patients",
        "t": "p, paired t-test",
        "wilcoxon": "p, Wilcoxon",
        "holm": "p, Wilcoxon, adjusted",
        "dz": "size: mean / spread",
        "rank": "size: ranks, -1 to 1",
    }
    formats = {"dz": ".2f", "rank": ".2f"}
    return Section(
        "Is one better than another?", text, Table(columns, rows, f"By {metric}.", {}, formats)
    )


def _trials(study, best):
    from skrehab.report import Section

    figures = trial_figures(study, best)
    if not figures:
        return []
    chosen = (
        "where the model was most right and most wrong, by the labels of moments"
        if study.data.frame_labels is not None
        else "the trials labelled with the motion that the model rated highest and lowest"
    )
    return [
        Section(
            "Two trials",
            f"{_upper(chosen)}, among the two of each fold that were kept. The curve is what "
            "the model says while the patient moves. The map shows which body part spoke for the "
            "motion, and when: the brighter, the more.",
            figures=figures,
        )
    ]


def _words(study):
    from skrehab.report import Section

    seeds = max(len(method.seeds) for method in study.methods.values())
    text = [
        "Right order (area under the ROC curve, AUC): how often what has the motion is rated "
        "higher than what has not; 0.50 is guessing.",
        "All patients in one pot (pooled): one score over all moments or trials, as if they were "
        "of one patient. It is lower where the model rates some patients higher throughout.",
        f"{CONSTANT}: says the same always. {DURATION}: knows only how long the trial took. A "
        "model that does no better has not learned how patients move.",
        f"How it was done: {len(study.folds)} times some patients were left out, the models were "
        f"trained on the others, and judged those left out"
        + (f"; all that {seeds} times, from different random starts." if seeds > 1 else "."),
    ]
    from skrehab import networks

    for name in study.methods:
        if name in networks.list_networks():
            spec = networks.get_spec(name)
            text.append(f"{name}: the published method with this network: {spec.summary}.")
    if "recommended" in study.methods:
        text.append(
            "recommended: our method; a network that sees whole trials teaches one that sees the "
            "past only, so that what is scored here is what would be seen live."
        )
    return Section("Words", text)


# --- words ----------------------------------------------------------------------------------------
def _best(study, metric):
    own = {
        name: found.mean
        for name, found in study.scores[metric].items()
        if study.methods[name].kind in ("trial labels", "trials only") and found.n_defined
    }
    return max(own, key=own.get) if own else None


def _opening(study, best):
    """Who is the best of whom."""
    weak = [name for name, one in study.methods.items() if one.kind.startswith("trial")]
    if len(weak) == 1:
        return f"{best} scores"
    return f"Of the {len(weak)} models that learn from one label a trial, {best} scores highest:"


def _score_of(found, patient):
    return float(found.scores[found.patients.index(patient)]) if patient in found.patients else None


def _upper(text):
    return text[:1].upper() + text[1:]


def _range(low, high):
    return "-" if np.isnan(low) else f"{low:.2f}\u00a0to\u00a0{high:.2f}"


def _p(value):
    return "-" if np.isnan(value) else "<\u00a00.001" if value < 0.001 else f"{value:.3f}"


def _listed(names):
    names = list(map(str, names))
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def _time(seconds):
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
