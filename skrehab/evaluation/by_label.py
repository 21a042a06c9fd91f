"""A study of several labels: models are fitted once a fold, each label is a study of its own."""

import time
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np

from skrehab._given import array_of
from skrehab.evaluation._kept_folds import Kept
from skrehab.evaluation._scoring import scored, scorers_of
from skrehab.evaluation._study_data import study_data
from skrehab.evaluation.floors import OnFrameTruth, floor_models, learner_of
from skrehab.evaluation.held_out import _cross_validate, _kind, _named, patient_folds, with_seed
from skrehab.evaluation.method import Method
from skrehab.evaluation.study import Study
from skrehab.trials import UNLABELLED, check_label_rows, ragged

__all__ = ["LabelStudies", "evaluate_labels_by_patient"]


@dataclass(frozen=True)
class LabelStudies:
    """Result of :func:`evaluate_labels_by_patient`: a study a label.

    Parameters
    ----------
    studies : dict of str to Study
        By label, in the order of the columns; a label that cannot be scored is left out.
    undefined : dict of str to str
        Labels left out, and why.
    seconds : float
        Time it took.
    """

    studies: dict
    undefined: dict
    seconds: float

    def summary(self, metric=None):
        """Summarise every method and label, then every method over the labels.

        Parameters
        ----------
        metric : str, optional
            One of the studies' metrics; None is the main one.

        Returns
        -------
        list of dict
            Rows of :meth:`Study.summary` with ``label`` first; in rows of label ``"mean"`` the
            mean over labels and ``n_labels``.
        """
        rows = [
            {"label": label, **row}
            for label, study in self.studies.items()
            for row in study.summary(metric)
        ]
        for name in dict.fromkeys(row["method"] for row in rows):
            mine = [row for row in rows if row["method"] == name and row["label"] != "mean"]
            first = {key: mine[0][key] for key in ("method", "kind", "metric")}
            mean = float(np.nanmean([row["mean"] for row in mine]))
            rows.append({"label": "mean", **first, "mean": mean, "n_labels": len(mine)})
        return rows


def evaluate_labels_by_patient(
    models,
    data,
    y=None,
    groups=None,
    *,
    frame_labels=None,
    label_names=None,
    exercise=None,
    duration=None,
    frame_rate=None,
    cv=None,
    memory=None,
    random_state=(0,),
    n_jobs=None,
):
    """Score models of several labels on patients that they did not see, label by label.

    Each model is fitted once a fold and seed, on all labels; then each label is scored as
    :func:`evaluate_by_patient` scores one, beside the same floors.

    Parameters
    ----------
    models : dict of str to estimator
        Models by name that give a probability a label: of trials, as
        :class:`skrehab.MultiLabelVideoClassifier`, or of their frames, as
        :class:`skrehab.MultiLabelFrames`. Those marked :class:`OnFrameTruth` learn from the labels
        of frames.
    data : Bunch or list of n_trials trials
        ``X, groups, compensations`` or ``y``, and where known ``frame_compensations``,
        ``label_names`` and the like; or X alone.
    y : array-like of shape (n_trials, n_labels), optional
        0, 1, or -1 where a label is not known of a trial, which is not scored by it then.
    groups : array-like of length n_trials, optional
        Patients.
    frame_labels : sequence of array-like of shape (n_frames_i, n_labels), optional
        Labels of frames, -1 where there are none.
    label_names : sequence of str, optional
        Names of the labels; None numbers them.
    exercise, duration : array-like of length n_trials, optional
        Exercises; seconds.
    frame_rate : float, optional
        Frames a second.
    cv : int, splitter or list of (train, test), optional
        Folds; None leaves one patient out at a time.
    memory : str or path-like, optional
        Folder that keeps each finished fold.
    random_state : int, None or sequence of them, default=(0,)
        Seeds.
    n_jobs : int, optional
        Processes, over folds.

    Returns
    -------
    LabelStudies
        A :class:`Study` a label, and the mean over labels.

    Raises
    ------
    ValueError
        If labels or patients do not fit the trials, a patient stands on both sides of a fold, a
        model needs frame truth and there is none, or gives another number of labels.

    Examples
    --------
    >>> from skrehab import FrameMLP, MultiLabelFrames
    >>> from skrehab.datasets import make_rehab_trials
    >>> from skrehab.evaluation import OnFrameTruth, evaluate_labels_by_patient
    >>> data = make_rehab_trials(3, 1, random_state=0)
    >>> model = OnFrameTruth(MultiLabelFrames(FrameMLP((8,), max_epochs=1, random_state=0)))
    >>> found = evaluate_labels_by_patient({"mlp": model}, data)
    >>> found.summary()[0]["label"], found.studies["trunk_flexion"].main_metric
    ('trunk_flexion', 'frame AUC')
    """
    start = time.perf_counter()
    given = dict(data) if hasattr(data, "keys") and "X" in data.keys() else {"X": data}
    X = list(given["X"])
    y = given.get("compensations", given.get("y")) if y is None else y
    y = check_label_rows(y, X, unlabelled=True).astype(int)
    if frame_labels is None:
        frame_labels = given.get("frame_compensations")
    names = given.get("label_names") if label_names is None else label_names
    names = [str(k) for k in range(y.shape[1])] if names is None else [str(one) for one in names]
    if len(names) != y.shape[1] or len(set(names)) != len(names):
        raise ValueError(f"label_names must name each of {y.shape[1]} labels once, got {names}.")
    truth = _frames(frame_labels, X, y.shape[1])
    more = {"exercise": exercise, "duration": duration, "frame_rate": frame_rate}
    told = {key: one for key, one in given.items() if key not in ("y", "frame_labels")}
    # what all labels share: trials, patients, folds
    whole = study_data({**told, "X": X}, (y == 1).any(axis=1).astype(int), groups, **more)
    models, folds = _named(models, _WithTruth(whole, truth)), patient_folds(whole, cv)
    seeds = (
        (random_state,)
        if random_state is None or isinstance(random_state, Integral)
        else tuple(random_state)
    )
    folder = None if memory is None else Path(memory) / "folds"
    said = {}
    for name, model in models.items():
        on_truth, estimator = isinstance(model, OnFrameTruth), learner_of(model)
        for seed in seeds:
            said[name, seed] = _cross_validate(
                Kept(with_seed(estimator, seed), folder), whole, folds, n_jobs, None,
                X=X, y=truth if on_truth else y, who=whole.who(),
            )  # fmt: skip
            _check_columns(name, said[name, seed], y.shape[1])
    studies, undefined = {}, {}
    for k, label in enumerate(names):
        known = np.flatnonzero(y[:, k] != UNLABELLED)
        if len(np.unique(y[known, k])) < 2:
            undefined[label] = f"all {len(known)} trials of which it is known have {y[known[0], k]}"
            continue
        studies[label] = _of_label(k, known, y, truth, whole, folds, models, seeds, said)
    return LabelStudies(studies, undefined, time.perf_counter() - start)


class _WithTruth:
    """What tells whether there is frame truth."""

    def __init__(self, data, truth):
        self.data, self.frame_labels = data, truth

    def __getattr__(self, name):
        return getattr(self.data, name)


def _frames(frame_labels, X, n_labels):
    if frame_labels is None:
        return None
    if len(frame_labels) != len(X):
        raise ValueError(
            f"frame_labels must hold one array per trial: {len(X)}, {len(frame_labels)}."
        )
    out = [np.asarray(array_of(one)) for one in frame_labels]
    for i, (one, trial) in enumerate(zip(out, X)):
        if one.ndim != 2 or one.shape[1] != n_labels or len(one) != len(trial):
            raise ValueError(
                f"frame_labels[{i}] must have shape ({len(trial)}, {n_labels}), got {one.shape}."
            )
    return ragged(out)


def _check_columns(name, records, n_labels):
    for record in records:
        found = record["arrays"]["scores" if "scores" in record["arrays"] else "video"].shape[1]
        if found != n_labels:
            raise ValueError(
                f"Model {name!r} gives {found} probabilities, and y has {n_labels} labels: it must "
                "give one a label, as MultiLabelFrames and MultiLabelVideoClassifier do."
            )


def _of_label(k, known, y, truth, whole, folds, models, seeds, said):
    """The study of one label, on the trials of which it is known."""
    place = {int(i): n for n, i in enumerate(known)}
    own = [
        tuple(np.array([place[int(i)] for i in side if int(i) in place]) for side in fold)
        for fold in folds
    ]
    kept = [n for n, (train, test) in enumerate(own) if len(train) and len(test)]
    data = study_data(
        [whole.X[i] for i in known],
        y[known, k],
        whole.groups[known],
        frame_labels=None if truth is None else [truth[i][:, k] for i in known],
        exercise=None if whole.exercise is None else whole.exercise[known],
        duration=whole.duration[known],
        frame_rate=whole.frame_rate,
        normal_label=0,
    )
    own, scorers = [own[n] for n in kept], scorers_of(None, data)
    lengths = [len(trial) for trial in data.X]
    methods = {}
    for name in models:
        by_seed = []
        for seed in seeds:
            records = [_column(said[name, seed][n], k, folds[n][1], place) for n in kept]
            by_seed.append(scored(records, own, data, lengths, scorers))
        kind = _kind(models[name], False, by_seed)
        methods[name] = Method(name, seeds, by_seed, kind)
    for name, floor in floor_models().items():
        records = _cross_validate(
            Kept(floor), data, own, None, None, X=data.duration[:, None], y=data.y, who={}
        )
        one = scored(records, own, data, lengths, scorers)
        methods[name] = Method(name, seeds[:1], [one], "floor")
    return Study(data, own, list(scorers), methods, [], 0.0)


def _column(record, k, test, place):
    """What a fold noted of one label, as of a model of two classes, for the trials that count."""
    arrays, about = record["arrays"], {"classes": [0, 1]}
    about["fit_seconds"] = record["about"].get("fit_seconds", 0)
    use = [n for n, i in enumerate(test) if int(i) in place]
    if "scores" in arrays:
        parts = np.split(arrays["scores"][:, k], np.cumsum(arrays["lengths"])[:-1])
        column = np.concatenate([parts[n] for n in use])
        out = {"lengths": arrays["lengths"][use], "scores": np.stack([1 - column, column], axis=1)}
    else:
        column = arrays["video"][use, k]
        out = {"video": np.stack([1 - column, column], axis=1)}
    return {"arrays": out, "about": about, "resumed": record["resumed"]}
