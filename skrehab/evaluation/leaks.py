"""Nothing leaks, and it can be shown: what each step saw, and what a held-out score goes by."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import LeaveOneGroupOut, check_cv

from skrehab._told import asked_of
from skrehab.evaluation._audit_runs import influence, protocol_of
from skrehab.evaluation._audit_trace import Trace, estimators_in, watching
from skrehab.evaluation._kept_folds import content_key
from skrehab.evaluation._study_data import study_data
from skrehab.evaluation.checks import alike_patients, same_recordings, standardised_together
from skrehab.evaluation.floors import learner_of

__all__ = ["Audit", "LeakError", "audit"]


class LeakError(ValueError):
    """Something that is tested was seen in training.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> from skrehab.evaluation import LeakError, OnFrameTruth, audit
    >>> X = [np.random.RandomState(i).randn(9, 5, 3) for i in range(4)]
    >>> truth, model = [np.arange(9) % 2] * 4, OnFrameTruth(FrameMLP(max_epochs=1, random_state=0))
    >>> try:
    ...     audit(model, [*X[:3], X[0]], [0, 1] * 2, ["A", "A", "B", "B"], frame_labels=truth)
    ... except LeakError as error:
    ...     print("are the same recording" in str(error))
    True
    """


@dataclass(frozen=True)
class Audit:
    """What :func:`audit` found.

    Parameters
    ----------
    findings : list of (str, str)
        What kind of leak, and a sentence; empty where none was found.
    steps : list of dict
        ``step`` (class), ``patients`` that its ``fit`` saw in the traced fold, ``held_out`` ones
        among them, and ``unknown``, how many trials of nobody.
    asked : list of str
        What was looked at.
    """

    findings: list
    steps: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    @property
    def kinds(self):
        """Kinds of leaks that were found."""
        return {kind for kind, _ in self.findings}

    def __str__(self):
        lines = [f"LEAK ({kind}): {text}" for kind, text in self.findings] or ["No leak was found."]
        for row in self.steps:
            seen = ", ".join(map(str, row["patients"])) or "nobody"
            lines.append(f"{row['step']} saw {seen}")
        return "\n".join([*lines, *(f"looked at: {one}" for one in self.asked)])


def audit(
    model,
    data,
    y=None,
    groups=None,
    *,
    frame_labels=None,
    exercise=None,
    normal_label=None,
    pos_label=None,
    cv=None,
    trusted=None,
    on_leak="raise",
):
    """Look for what lets a model see whom it is tested on.

    Looked at are names and contents of the trials, the folds, what stands fitted or as data inside
    the model, which patients each step's ``fit`` sees, and what the scores of a held-out trial go
    by: the model is trained again with other labels of the held-out patients, and with their other
    trials changed, which must change no bit of the score; and with other training labels, which
    must. Two folds are trained, one after the other: five fits of a pipeline, eight of a protocol.
    A model whose prediction asks for ``groups``, as a :class:`skrehab.PatientReference` in it does,
    may use the same patient's *earlier* trials; these are left as they are, all others changed.

    Parameters
    ----------
    model : estimator, OnFrameTruth or callable
        A pipeline, cloned for each fit. Or a whole protocol, ``model(data, train, test)``, which
        gets all trials (``data.X, data.y, data.groups, data.frame_labels, data.exercise``) and the
        places of training and test, and returns the scores of each tested trial: what is done
        before the split belongs into it, or nothing can be said of it.
    data, y, groups, frame_labels, exercise, normal_label, pos_label
        As of :func:`evaluate_by_patient`.
    cv : splitter or list of (train, test), optional
        Folds, as they will be used; None leaves one patient out at a time.
    trusted : dict of str to sequence, optional
        Parts that were fitted before, by their name in ``get_params``, and the patients that they
        saw: ``{"labels__estimator": ["P90", "P91"]}``; an empty list for weights from elsewhere.
    on_leak : {"raise", "return"}, default="raise"
        What to do with findings.

    Returns
    -------
    Audit
        Findings, and who was seen by which step.

    Raises
    ------
    LeakError
        If there are findings, and `on_leak` is ``"raise"``.

    Notes
    -----
    What the test cannot see: data that were looked at before they came here, but for coordinates
    that are standardised over all trials; and a protocol that draws at random without a seed, which
    is reported as not reproducible. Whoever chooses between models by the results of a study has
    used the held-out patients, and no audit of one model shows it.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab import FrameMLP
    >>> from skrehab.evaluation import OnFrameTruth, audit
    >>> X = [np.random.RandomState(i).randn(9, 5, 3) for i in range(6)]
    >>> truth = [np.arange(9) % 2] * 6
    >>> model = OnFrameTruth(FrameMLP(max_epochs=1, random_state=0))
    >>> how = {"frame_labels": truth, "on_leak": "return"}
    >>> print(audit(model, X, [0, 1] * 3, ["A", "A", "B", "B", "C", "C"], **how))
    No leak was found.
    FrameMLP saw B, C
    looked at: names, recordings, scaling, folds, what is fitted before, patients by step, ...
    """
    if on_leak not in ("raise", "return"):
        raise ValueError(f"on_leak must be 'raise' or 'return', got {on_leak!r}.")
    data = study_data(
        data, y, groups, frame_labels=frame_labels, exercise=exercise,
        normal_label=normal_label, pos_label=pos_label, models=model,
    )  # fmt: skip
    folds = list(check_cv(cv or LeaveOneGroupOut(), data.y).split(data.X, data.y, data.groups))
    findings = _of_data(data, folds) + _of_folds(data, folds)
    asked, steps = ["names, recordings, scaling, folds"], []
    inner = learner_of(model)
    if hasattr(inner, "fit"):
        findings += _of_parts(inner, data, folds, trusted or {})
        asked.append("what is fitted before")
        steps = _traced(model, inner, data, folds[0])
        findings += [
            (
                "seen in fit",
                f"{row['step']} was fitted on {', '.join(map(str, row['held_out']))}, held out.",
            )
            for row in steps
            if row["held_out"]
        ]
        asked.append("patients by step")
    run = protocol_of(model)
    draws = 0
    if not hasattr(inner, "fit"):
        run(data, *folds[0])  # fill whatever it keeps between folds
        draws = 3  # its own code sees the labels of all
    earlier = bool(asked_of(inner, "predict_proba", {"groups": data.groups}))
    found = influence(run, data, folds[min(1, len(folds) - 1)], draws, earlier)
    findings += _of_influence(found)
    asked.append("labels and trials of held-out patients, labels of training patients")
    if earlier:
        asked.append("not earlier trials of the same patient, which this model asks for")
    found = Audit(findings, steps, [", ".join(asked)])
    if findings and on_leak == "raise":
        raise LeakError("\n".join(f"{kind}: {text}" for kind, text in findings))
    return found


# --- what is looked at ----------------------------------------------------------------------------
def _of_data(data, folds):
    apart = {}
    for number, (_, test) in enumerate(folds):
        apart |= dict.fromkeys(data.groups[test].tolist(), number)
    out = []
    for names in alike_patients(data.groups):
        if len({apart.get(name) for name in names}) > 1:
            out.append(
                ("names", f"{', '.join(map(repr, names))} may be one person, in several folds.")
            )
    for places in same_recordings(data.X):
        who = list(dict.fromkeys(data.groups[list(places)].tolist()))
        if len({apart.get(name) for name in who}) > 1:
            out.append(
                (
                    "recordings",
                    f"Trials {', '.join(map(str, places))} are the same recording, under "
                    f"{', '.join(map(repr, who))}, in several folds.",
                )
            )
    if (what := standardised_together(data.X)) is not None:
        out.append(
            (
                "scaling",
                f"Coordinates have {what} over all trials: they were scaled before the split. "
                "Scale inside the pipeline.",
            )
        )
    return out


def _of_folds(data, folds):
    out = []
    for number, (train, test) in enumerate(folds):
        both = np.intersect1d(data.groups[train], data.groups[test]).tolist()
        if both:
            out.append(
                (
                    "folds",
                    f"Fold {number} has trials of {', '.join(map(repr, both[:5]))} in training and "
                    "in test.",
                )
            )
            break  # one is enough to know
    return out


def _of_parts(model, data, folds, trusted):
    """Parts that learned before the split, and held-out trials among the parameters."""
    out, reported = [], []
    held_out = {who for _, test in folds for who in data.groups[test].tolist()}
    for name, part in estimators_in(model).items():
        if not _is_fitted(part) or any(name.startswith(f"{one}__") for one in reported):
            continue
        reported.append(name)
        if name in trusted or name.removesuffix("__estimator") in trusted:
            seen = trusted.get(name, trusted.get(name.removesuffix("__estimator")))
            both = sorted(held_out & set(seen), key=str)
            if both:
                out.append(
                    ("fitted before", f"{name} saw {', '.join(map(str, both))}, who are tested.")
                )
        elif not any(name.startswith(f"{one}__") for one in trusted):
            out.append(
                (
                    "fitted before",
                    f"{name or 'the model'} ({type(part).__name__}) was fitted before the split, "
                    "and nobody knows on whom. Fit it inside, or say who it saw: trusted=.",
                )
            )
    keys = {content_key(trial): data.groups[i] for i, trial in enumerate(data.X)}
    for name, value in getattr(model, "get_params", dict)().items():
        who = sorted({str(keys[key]) for key in _contents(value) if key in keys})
        if who:
            out.append(("data inside", f"Parameter {name} holds trials of {', '.join(who)}."))
    return out


def _is_fitted(part):
    if isinstance(part, FrozenEstimator):
        return True
    fresh = clone(part)
    fitted = [
        name
        for name in vars(part).keys() - vars(fresh).keys()
        if name.endswith("_") and not name.startswith("_")
    ]
    return bool(fitted)


def _contents(value, depth=0):
    """Keys of the arrays that stand in a parameter."""
    if isinstance(value, np.ndarray) and value.dtype != object and value.ndim >= 2:
        yield content_key(value)
        if value.ndim > 3:
            yield from (content_key(one) for one in value)
    elif isinstance(value, dict) and depth < 4:
        for one in value.values():
            yield from _contents(one, depth + 1)
    elif isinstance(value, list | tuple | np.ndarray) and depth < 4:
        for one in value:
            yield from _contents(one, depth + 1)


def _traced(model, inner, data, fold):
    """Fit once and tell which patients each step saw."""
    train, test = fold
    trace = Trace(data.X, data.groups.tolist())
    classes = list(dict.fromkeys(type(part) for part in estimators_in(inner).values()))
    with watching(trace, classes):
        protocol_of(model)(data, train, test)
    held_out = set(data.groups[test].tolist())
    return [
        {
            "step": name,
            "patients": sorted(seen, key=str),
            "held_out": sorted(seen & held_out, key=str),
            "unknown": trace.unknown.get(name, 0),
        }
        for name, seen in trace.seen.items()
    ]


def _of_influence(found):
    out = []
    if (found.labels or found.trials) and not found.reproducible:
        return [
            (
                "not reproducible",
                "The same data gave other scores: set random_state everywhere, or no audit can "
                "tell what changes them.",
            )
        ]
    if found.labels:
        out.append(
            (
                "labels of held-out patients",
                "Other labels of the held-out patients changed a held-out trial's scores: they "
                "chose something, such as a threshold, an epoch, a feature or a seed.",
            )
        )
    if found.trials:
        out.append(
            (
                "trials of held-out patients",
                "Other movement in the patient's other trials changed a held-out trial's scores: "
                "something was fitted on them, such as a scaler or an encoder.",
            )
        )
    if not found.learns:
        out.append(
            (
                "does not learn",
                "Other training labels changed nothing: a cache shared by folds, or a model fitted "
                "before, gave the answer.",
            )
        )
    return out
