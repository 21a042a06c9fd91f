"""A study in one call: models on patients that they did not see, with what no model may miss."""

import time
import warnings
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, check_cv, cross_validate

from skrehab._progress import shown_progress
from skrehab._told import asked_of, told_of
from skrehab.evaluation._kept_folds import Kept, Note, read_record
from skrehab.evaluation._model_labels import knows_unlabelled, label_notes
from skrehab.evaluation._scoring import scored, scorers_of
from skrehab.evaluation._study_data import nothing_seen, refuse_one_label, study_data
from skrehab.evaluation.floors import OnFrameTruth, floor_models, learner_of
from skrehab.evaluation.method import Method
from skrehab.evaluation.study import Study

__all__ = ["evaluate_by_patient"]

WORTH_WORKERS = 90  # seconds of work; processes that import torch take 10 to 30 to start


def evaluate_by_patient(
    models,
    data,
    y=None,
    groups=None,
    *,
    frame_labels=None,
    exercise=None,
    duration=None,
    frame_rate=None,
    normal_label=None,
    pos_label=None,
    cv=None,
    scoring=None,
    n_jobs=None,
    memory=None,
    random_state=(0,),
    explain=False,
    progress=None,
):
    """Score models on patients that they did not see, beside the floors, over several seeds.

    scikit-learn's ``cross_validate`` fits and predicts; a patient in training and in test at once
    is refused. Frame truth reaches the ``fit`` only of models marked :class:`OnFrameTruth`.

    Parameters
    ----------
    models : dict of str to estimator
        Models by name: pipelines that end in a frame classifier, or classifiers of trials. Patients
        and exercises go to ``fit`` and ``predict_proba`` of those that ask: see Notes. One
        estimator is called ``"model"``.
    data : Bunch or list of n_trials trials
        What a loader of :mod:`skrehab.datasets` returns: ``X, y, groups`` and, where known,
        ``frame_labels, exercise, duration, frame_rate, timestamps, skeleton``; or X alone.
    y, groups, frame_labels, exercise, duration : array-like of length n_trials, optional
        Trial labels; -1 (not known) is never scored, and teaches only models that know of it, with
        a :class:`skrehab.SaliencyPseudoLabeler`; patients; labels of frames, -1 where there are
        none; exercises; seconds. They go before what `data` holds. Without durations, times or a
        rate tell them, or frames do.
    frame_rate : float, optional
        Frames a second.
    normal_label : label, optional
        Label of trials, and frames, without the motion looked for; all others are the motion. None
        is what the models were told, else the smallest number; words need it or `pos_label`.
    pos_label : label, optional
        One kind of motion, which all else is scored against.
    cv : int, splitter or list of (train, test), optional
        Folds. None leaves one patient out at a time; a number makes so many groups of patients. A
        trial may be tested once at most; patients who are never tested have no scores.
    scoring : str, callable, list or dict of str to str or callable, optional
        Scorers as scikit-learn's, ``(estimator, X, y)``, asked once for each patient with what the
        model said of that patient; those that ask for ``frame_labels`` get them. None is the area
        under the ROC curve over trials and, where there is frame truth, over frames.
    n_jobs : int or "auto", optional
        Processes, over folds. ``"auto"`` runs one fold here, and starts workers if the others would
        take more than a minute and a half. joblib's ``parallel_config`` chooses other backends.
    memory : str or path-like, optional
        Folder that keeps each finished fold. A run that was broken off, or has one model more, goes
        on from there: a fold is found again by the content of its data, the parameters, the seed
        and the versions of the packages.
    random_state : int, None or sequence of them, default=(0,)
        Seeds; every ``random_state`` inside a model is set to each in turn. None leaves them.
    explain : bool, default=False
        Keep the saliency of two trials a fold, for :meth:`Study.to_html`.
    progress : callable or bool, optional
        True shows a bar: on stderr, or in the cell of a notebook. A callable is called with folds
        done, folds in all, and seconds left (nan where not known).

    Returns
    -------
    Study
        Tables, tests, plot, report.

    Raises
    ------
    ValueError
        If a patient stands on both sides of a fold, there are fewer than two patients, labels or
        patients are missing, labels are words and nobody was told which is normal, models were told
        different ones and the study none, or a model needs frame truth and there is none.

    Warns
    -----
    UserWarning
        If the very same recording stands on both sides under two names, patients' names differ only
        in case, blanks or zeros, the duration alone predicts the label, a model is told whose the
        held-out trials are, or takes another label for the normal one than the study.

    Notes
    -----
    A model with a :class:`skrehab.PatientReference` (``recommended(reference=2)``) compares each
    held-out trial with the trials before it, in the order of the data, of the same patient and
    exercise: poses only, no label, at most ``n_trials``, nothing that came later. A first trial
    has the mean of the training patients. That is another setting than a patient never seen, and a
    warning says so. With ``which="normal"`` labels would be needed, which are not told: all trials
    have the mean of the training patients.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator, ClassifierMixin
    >>> from skrehab.evaluation import evaluate_by_patient
    >>> class Height(ClassifierMixin, BaseEstimator):
    ...     def fit(self, X, y):
    ...         self.classes_ = np.unique(y)
    ...         return self
    ...     def predict_proba(self, X):
    ...         p = np.array([trial.mean() for trial in X])
    ...         return np.stack([1 - p, p], axis=1)
    >>> y, patients = np.array([0, 1] * 3), ["Ann", "Ann", "Bea", "Bea", "Cid", "Cid"]
    >>> X = [np.full((9, 5, 3), 0.2 + 0.5 * label + 0.01 * i) for i, label in enumerate(y)]
    >>> study = evaluate_by_patient({"height": Height()}, X, y, patients)
    >>> for row in study.summary():
    ...     print(row["method"], row["mean"])
    height 1.0
    constant 0.5
    trial duration alone 0.5
    """
    start = time.perf_counter()
    data = study_data(
        data, y, groups, frame_labels=frame_labels, exercise=exercise, duration=duration,
        frame_rate=frame_rate, normal_label=normal_label, pos_label=pos_label, models=models,
    )  # fmt: skip
    models = _named(models, data)
    folds = patient_folds(data, cv)
    notes = _alike_on_both_sides(data, folds) + _beside_earlier(models, data)
    if not all(isinstance(model, OnFrameTruth) for model in models.values()):
        refuse_one_label(data, folds)
    notes += label_notes(models, data) + nothing_seen(data)
    scorers = scorers_of(scoring, data)
    one_seed = random_state is None or isinstance(random_state, Integral)
    seeds = (random_state,) if one_seed else tuple(random_state)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"random_state must hold different seeds, got {seeds}.")
    folder = None if memory is None else Path(memory) / "folds"

    told = data.normal if explain else None
    methods = {}
    lengths = _lengths(data)
    with shown_progress(progress, "Folds") as told_folds:
        count = _Count(len(models) * len(seeds) * len(folds), told_folds)
        for name, model in (models | floor_models()).items():
            is_floor = name not in models
            by_seed = []
            for seed in seeds[:1] if is_floor else seeds:
                estimator = learner_of(model)
                kept = Kept(
                    estimator if is_floor else with_seed(estimator, seed),
                    None if is_floor else folder,
                    None if is_floor else told,
                )
                records = _cross_validate(
                    kept, data, folds if knows_unlabelled(model) else data.labelled_folds(folds),
                    None if is_floor else n_jobs, None if is_floor else count,
                    X=data.duration[:, None] if is_floor else data.X,
                    y=data.frame_labels if isinstance(model, OnFrameTruth) else data.y,
                    who={} if is_floor else data.who(),
                )  # fmt: skip
                by_seed.append(scored(records, folds, data, lengths, scorers))
                lengths = lengths or by_seed[-1].lengths
            methods[name] = Method(
                name, tuple(seeds[: len(by_seed)]), by_seed, _kind(model, is_floor, by_seed)
            )
    study = Study(data, folds, list(scorers), methods, notes, time.perf_counter() - start)
    for text in study.warnings():
        warnings.warn(text, UserWarning, stacklevel=2)
    return study


# --- models ---------------------------------------------------------------------------------------
def _named(models, data):
    """Models by name; what cannot be trained is refused before the work."""
    if not isinstance(models, dict):
        models = {"model": models}
    if not models:
        raise ValueError("models names no model.")
    if taken := [name for name in floor_models() if name in models]:
        raise ValueError(f"{taken[0]!r} is in every study already: give the model another name.")
    for name, model in models.items():
        if isinstance(model, OnFrameTruth) and data.frame_labels is None:
            raise ValueError(
                f"Model {name!r} learns from frame truth, and there are no frame_labels."
            )
        estimator = learner_of(model)
        needed = ("fit", "get_params", "predict_proba")
        if isinstance(estimator, type) or not all(hasattr(estimator, one) for one in needed):
            raise ValueError(
                f"Model {name!r} must be an estimator with predict_proba, which "
                f"CalibratedClassifierCV adds to others, got {type(estimator).__name__}."
            )
    return {str(name): model for name, model in models.items()}


def _kind(model, is_floor, by_seed):
    if is_floor:
        return "floor"
    if isinstance(model, OnFrameTruth):
        return "frame truth"
    return "trial labels" if by_seed[0].frame_scores is not None else "trials only"


def with_seed(estimator, seed):
    """A copy whose every ``random_state`` is the seed; as it is for None."""
    copy = clone(estimator)
    if seed is not None:
        own = [
            name
            for name in copy.get_params(deep=True)
            if name == "random_state" or name.endswith("__random_state")
        ]
        copy.set_params(**dict.fromkeys(own, seed))
    return copy


# --- folds ----------------------------------------------------------------------------------------
def patient_folds(data, cv=None):
    """List (train, test) and refuse folds in which a patient stands on both sides."""
    patients = np.unique(data.groups)
    if len(patients) < 2:
        raise ValueError(f"Scoring on held-out patients needs at least 2, got {patients.tolist()}.")
    if cv is None:
        cv = LeaveOneGroupOut()
    elif isinstance(cv, Integral):
        cv = GroupKFold(int(cv))
    with config_context(enable_metadata_routing=False):
        folds = list(check_cv(cv, data.y).split(data.X, data.y, data.groups))
    places = np.arange(len(data.X))  # given may be masks, or lists
    # a patient's earlier trials stand before in the data; what has no label cannot be scored
    folds = [(places[train], np.sort(places[test][data.labelled[test]])) for train, test in folds]
    folds = [fold for fold in folds if len(fold[1])]
    tested = np.zeros(len(places), dtype=int)
    for number, (train, test) in enumerate(folds):
        if both := np.intersect1d(data.groups[train], data.groups[test]).tolist():
            raise ValueError(
                f"Fold {number} has trials of {', '.join(map(repr, both[:5]))} in training and in "
                f"test ({len(both)} patients in all): it would score what it has seen. Take "
                "LeaveOneGroupOut(), GroupKFold or a number for cv."
            )
        tested[test] += 1
    if (tested > 1).any():
        raise ValueError("cv tests some trials in several folds; each may be tested once.")
    return folds


def _alike_on_both_sides(data, folds):
    """Say what looks like one patient, or is one recording, under two names on two sides."""
    from skrehab.evaluation.checks import alike_patients, same_recordings

    apart = {}
    for number, (_, test) in enumerate(folds):
        apart |= dict.fromkeys(np.unique(data.groups[test]).tolist(), number)
    notes = []
    for names in alike_patients(data.groups):
        if len({apart.get(name) for name in names}) > 1:
            notes.append(
                f"Patients {' and '.join(map(repr, names))} may be one person: names that differ "
                "only in case, blanks or zeros stand in different folds."
            )
    for places in same_recordings(data.X):
        who = list(dict.fromkeys(data.groups[list(places)].tolist()))
        if len({apart.get(name) for name in who}) > 1:
            notes.append(
                f"The very same recording is listed for {' and '.join(map(repr, who))} (trials "
                f"{', '.join(map(str, places))}), who stand in different folds: what is tested was "
                "seen in training."
            )
    return notes


def _beside_earlier(models, data):
    """Say which models judge a trial beside earlier ones of the same patient."""
    return [
        f"Model {name!r} is told whose each held-out trial is, and may compare it with that "
        "patient's earlier trials, never with a label: its scores are those of a patient of whom "
        "earlier trials are known, not of one never seen."
        for name, model in models.items()
        if asked_of(learner_of(model), "predict_proba", {"groups": data.groups})
    ]


class _Count:
    """How many folds are done and how long the others will take, by those that were run."""

    def __init__(self, total, progress):
        self.total, self.progress, self.done, self.fresh = total, progress, 0, 0
        self.start = time.perf_counter()
        self.tell()

    def finished(self, n, fresh=True):
        self.done += n
        self.fresh += n if fresh else 0
        self.tell()

    def tell(self, more=0):
        """Report; `more` of the folds under way are done."""
        if self.progress is not None:
            fresh, done = self.fresh + more, self.done + more
            seconds = time.perf_counter() - self.start
            left = seconds / fresh * (self.total - done) if fresh else np.nan
            self.progress(done, self.total, left if done < self.total else 0.0)


class _Splits:
    """Hand folds out, and tell when those before must be done."""

    def __init__(self, folds, n_jobs, count):
        self.folds, self.count = folds, count
        self.ahead = max(1, n_jobs or 1)

    def get_n_splits(self, X=None, y=None, groups=None):
        return len(self.folds)

    def split(self, X=None, y=None, groups=None):
        for number, fold in enumerate(self.folds):
            yield fold
            if self.count is not None:  # the next one is asked for when a worker is free
                self.count.tell(max(0, number + 2 - self.ahead))


def _cross_validate(kept, data, folds, n_jobs, count, *, X, y, who):
    """Run scikit-learn's cross-validation on the folds that are not kept; return all, in order."""
    import joblib

    records = [_found(kept, fold, X, y, who) for fold in folds]
    missing = [fold for fold, one in zip(folds, records) if one is None]
    if count is not None:
        count.finished(len(folds) - len(missing), fresh=False)
    new, seconds = [], 0.0  # of the fold before
    while missing[len(new) :]:
        left = missing[len(new) :]
        jobs, first = n_jobs, len(left)
        if n_jobs == "auto":
            # one fold here tells how long they take; workers take seconds to start
            worth = new and left and seconds * len(left) > WORTH_WORKERS
            jobs, first = (joblib.cpu_count(), len(left)) if worth else (1, 1)
        jobs = min(joblib.effective_n_jobs(jobs) if jobs else 1, first)
        start = time.perf_counter()
        with config_context(enable_metadata_routing=True):
            done = cross_validate(
                kept, X, y,
                params=who,
                cv=_Splits(left[:first], jobs, count),
                scoring=Note(),
                n_jobs=None if jobs == 1 else jobs,
                pre_dispatch="n_jobs",
                error_score="raise",
                return_estimator=True,
            )["estimator"]  # fmt: skip
        seconds = time.perf_counter() - start
        new += [one.record_ for one in done]
        if count is not None:
            count.finished(first)
    new = iter(new)
    records = [next(new) if one is None else one for one in records]
    return records


def _found(kept, fold, X, y, who):
    """What a finished fold noted; None where it must be run."""
    if kept.folder is None:
        return None
    train, test = fold
    own, told = (told_of(who, side) for side in fold)
    kept = clone(kept).fit([X[i] for i in train], y[train], **own)
    return read_record(kept.path([X[i] for i in test], told))


def _lengths(data):
    """Frames of each trial, where they are known before the videos are read."""
    known = data.X if isinstance(data.X[0], np.ndarray) else data.frame_labels
    return None if known is None else [len(one) for one in known]
