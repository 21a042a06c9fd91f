"""The TRIPOD+AI checklist, filled in as far as a study can tell; the rest is for its authors."""

import numpy as np

__all__ = ["tripod_checklist"]

# Items and what they ask for, in our words; TRIPOD+AI has 27, some of them in parts.
ITEMS = {
    "1": "title: development or evaluation, population, outcome",
    "2": "abstract",
    "3a": "healthcare context, existing models",
    "3b": "who is it for: patients, place in care, users",
    "3c": "known inequalities between groups",
    "4": "objectives",
    "5a": "sources of the data, how representative",
    "5b": "dates of the data",
    "6a": "setting, centres",
    "6b": "who was included and excluded",
    "6c": "treatments",
    "7": "how data were prepared and checked",
    "8a": "outcome: definition, when and how assessed",
    "8b": "who assessed it, how well assessors agree",
    "8c": "assessors blinded",
    "9a": "how predictors were chosen",
    "9b": "predictors: definition, how measured",
    "9c": "who assessed predictors by judgement",
    "10": "sample size",
    "11": "missing data",
    "12a": "how data were divided for training and evaluation",
    "12b": "how predictors enter the model",
    "12c": "type of model, tuning, internal validation",
    "12d": "differences between centres or countries",
    "12e": "measures of performance",
    "12f": "updating of the model",
    "12g": "how predictions were made",
    "13": "class imbalance",
    "14": "fairness",
    "15": "what the model puts out, thresholds",
    "16": "differences between training and evaluation",
    "17": "ethical approval, consent",
    "18a": "funding",
    "18b": "conflicts of interest",
    "18c": "protocol",
    "18d": "registration",
    "18e": "availability of the data",
    "18f": "availability of the code",
    "19": "patients and public involved",
    "20a": "flow of participants, with and without the outcome",
    "20b": "characteristics of participants",
    "20c": "evaluation: comparison with the data of development",
    "21": "numbers of participants and outcomes in each analysis",
    "22": "the full model, how to get predictions of it",
    "23a": "performance with intervals, in key subgroups",
    "23b": "heterogeneity between clusters",
    "24": "results of updating",
    "25": "interpretation, fairness",
    "26": "limitations",
    "27a": "use: poor or missing input",
    "27b": "use: what users must do and know",
    "27c": "next steps, generalisation",
}


def tripod_checklist(study, answers=None):
    """Fill in the TRIPOD+AI checklist from a study.

    What a run knows is filled in: participants, classes, folds, performance with intervals, missing
    data. What only people know (setting, consent, funding) is left to them, and says so.

    Parameters
    ----------
    study : skrehab.evaluation.Study
        From :func:`evaluate_by_patient`.
    answers : dict of str to str, optional
        By item, like ``{"17": "Approved by ..."}``: what the authors say. It goes before what the
        run says.

    Returns
    -------
    list of dict
        ``item, asks, source, text``; ``source`` is ``"run"``, ``"authors"`` or ``"open"``.

    Raises
    ------
    ValueError
        If there is no such item.

    References
    ----------
    Collins et al., "TRIPOD+AI statement", BMJ 2024;385:e078378. Topics are in our own words; the
    checklist itself is what a journal wants.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from skrehab.evaluation import evaluate_by_patient, tripod_checklist
    >>> y, patients = np.array([0, 1] * 3), ["Ann", "Ann", "Bea", "Bea", "Cid", "Cid"]
    >>> X = [np.full((9, 5, 3), 0.2 + 0.5 * label + 0.01 * i) for i, label in enumerate(y)]
    >>> study = evaluate_by_patient({"prior": DummyClassifier()}, X, y, patients, random_state=None)
    >>> rows = {row["item"]: row for row in tripod_checklist(study, {"17": "Not needed."})}
    >>> rows["10"]["text"]
    '6 trials of 3 patients; no calculation beforehand is known to the run'
    >>> rows["17"]["source"], rows["18a"]["source"]
    ('authors', 'open')
    """
    answers = dict(answers or {})
    if unknown := sorted(set(answers) - set(ITEMS)):
        raise ValueError(f"TRIPOD+AI has no item {unknown[0]!r}: it has {', '.join(ITEMS)}.")
    known = _from_run(study)
    rows = []
    for item, asks in ITEMS.items():
        source = "authors" if item in answers else "run" if item in known else "open"
        text = answers.get(item, known.get(item, ""))
        rows.append({"item": item, "asks": asks, "source": source, "text": text})
    return rows


def _from_run(study):
    """What a study says of itself, by item."""
    data = study.data
    motion, groups = np.asarray(data.motion), np.asarray(data.groups)
    n, patients = len(groups), np.unique(groups)
    per_patient = [int(motion[groups == one].sum()) for one in patients]
    both = sum(0 < k < (groups == one).sum() for k, one in zip(per_patient, patients))
    names = ", ".join(study.methods)
    trials = _span([int((groups == one).sum()) for one in patients])
    tested = [len(np.unique(groups[test])) for _, test in study.folds]
    out = {
        "7": "; ".join(study.warnings()) or "the checks of the run found nothing odd",
        "10": f"{n} trials of {len(patients)} patients; no calculation beforehand is known to "
        "the run",
        "11": _missing(data.X),
        "12a": f"{len(study.folds)} folds with {_span(tested)} held out each; no patient is on "
        "both sides",
        "12c": f"compared: {names}; everything that learns is fitted inside the folds",
        "12e": f"{', '.join(study.metrics)}; by patient, mean and standard deviation over "
        "patients, 95 % BCa interval, pooled value; paired t-test, Wilcoxon's test with Holm's "
        "adjustment",
        "12g": "each trial by a model that never saw its patient",
        "13": f"{int(motion.sum())} of {n} trials ({motion.mean():.0%}) hold the motion",
        "18f": _versions(),
        "20a": f"{len(patients)} patients with {trials} trials each; {both} have trials "
        "with and without the motion",
        "21": "; ".join(
            f"{row['method']}: {row['n_patients']} patients"
            + (
                f", not defined for {', '.join(map(str, row['undefined']))}"
                * bool(row["undefined"])
            )
            for row in study.summary()
        ),
        "23a": "; ".join(
            f"{row['method']}: {row['metric']} {row['mean']:.2f} (95 % {row['low']:.2f} to "
            f"{row['high']:.2f})"
            for row in study.summary()
        ),
        "23b": _spread(study),
        "26": study.few_patients(),
    }
    if data.exercise is not None:
        kinds, counts = np.unique(data.exercise, return_counts=True)
        out["20b"] = "trials by exercise: " + ", ".join(f"{k} {c}" for k, c in zip(kinds, counts))
    return out


def _missing(X):
    """Share of landmarks that are lost, where trials are poses."""
    arrays = [np.asarray(trial) for trial in X if getattr(trial, "ndim", 0) == 3]
    if not arrays:
        return "trials are not poses, so lost landmarks were not counted"
    lost = [np.isnan(one).any(axis=-1) for one in arrays]
    share = sum(int(one.sum()) for one in lost) / max(sum(one.size for one in lost), 1)
    whole = sum(int(one.all(axis=1).sum()) for one in lost)
    return f"{share:.1%} of landmarks are lost; frames without any pose: {whole:,}"


def _span(counts):
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _spread(study):
    """Best and worst patient of each model that learns."""
    said = []
    for name, found in study.scores[study.main_metric].items():
        values = np.asarray(found.scores, dtype=float)
        if study.methods[name].kind != "floor" and np.isfinite(values).any():
            low, high = np.nanmin(values), np.nanmax(values)
            said.append(f"{name}: {low:.2f} to {high:.2f} from patient to patient")
    return "; ".join(said) or "no model that learns"


def _versions():
    import platform

    import sklearn

    import skrehab

    return (
        f"skrehab {skrehab.__version__}, scikit-learn {sklearn.__version__}, Python "
        f"{platform.python_version()}; your own code is yours to publish"
    )
