"""Scores of quality by exercise, on people left out, and models compared by resampling people.

Nekoui & Cheng 2021, BMVC, section 4.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict, cross_validate
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils.metadata_routing import get_routing_for_object

from skrehab.datasets import score_stratified_split
from skrehab.evaluation.parameters import check_parameters
from skrehab.metrics.quality import METRICS, QualityScorer, paired_scores, spearman
from skrehab.trials import check_groups, check_trial_labels

__all__ = ["ExerciseScores", "evaluate_by_exercise", "paired_bootstrap"]


@dataclass(frozen=True)
class ExerciseScores:
    """How one method did, exercise by exercise.

    Parameters
    ----------
    exercises : list
        Exercises, rising.
    splits : dict of str to ndarray of shape (n_exercises, n_splits)
        ``"spearman"``, ``"mad"`` and ``"rmse"`` on the test part of each split.
    left_out : dict of str to ndarray of shape (n_exercises,)
        The same over all people, each predicted by a model that never saw the person; empty if
        that was not asked for.
    predictions : ndarray of shape (n_trials,) or None
        Those predictions, in the order of the trials.
    """

    exercises: list
    splits: dict
    left_out: dict
    predictions: np.ndarray | None

    def rows(self):
        """Lay the results out, one row an exercise and one of plain means.

        Returns
        -------
        list of dict
            ``exercise`` and, for each metric, ``<metric>`` and ``<metric>_sd`` over the splits and
            ``<metric>_left_out``, as far as there are such results.
        """
        rows = [{"exercise": exercise} for exercise in [*self.exercises, "mean"]]
        for name in METRICS:
            if name in self.splits:
                by_split = self.splits[name]  # (n_exercises, n_splits)
                values = np.vstack([by_split, by_split.mean(axis=0)])
                for row, one in zip(rows, values):
                    row[name] = float(one.mean())
                    row[f"{name}_sd"] = float(one.std(ddof=1)) if len(one) > 1 else np.nan
            if name in self.left_out:
                values = [*self.left_out[name], np.mean(self.left_out[name])]
                for row, one in zip(rows, values):
                    row[f"{name}_left_out"] = float(one)
        return rows


def evaluate_by_exercise(
    estimator,
    X,
    scores,
    exercise,
    subject,
    *,
    n_splits=5,
    test_size=0.3,
    leave_one_out=True,
    random_state=0,
    n_jobs=None,
):
    """Fit and score an estimator on each exercise by itself, never on people it was fitted on.

    Two protocols: several splits of the people, 70 to 30 by default, with people of all levels of
    score on both sides (:func:`skrehab.datasets.score_stratified_split`); and each person left out
    in turn. Every method that is given the same trials and `random_state` meets the same splits.

    Parameters
    ----------
    estimator : estimator
        Regressor, or classifier whose labels are numbers; cloned for every fit. People go to its
        ``fit`` as ``groups`` if it asks for them, so that early stopping may hold out some.
    X : list
        Trials.
    scores : array-like of shape (n_trials,)
        True scores.
    exercise : array-like of shape (n_trials,)
        Exercise of each trial.
    subject : array-like of shape (n_trials,)
        Person of each trial.
    n_splits : int, default=5
        Splits; 0 leaves that protocol out.
    test_size : float, default=0.3
        Share of the people in the test part.
    leave_one_out : bool, default=True
        Leave each person out in turn as well.
    random_state : int, RandomState or None, default=0
        Draws the splits.
    n_jobs : int, optional
        Processes.

    Returns
    -------
    ExerciseScores
        Results and predictions.

    Raises
    ------
    ValueError
        If there is not one score, exercise and person a trial, neither protocol is asked for, or
        an exercise has too few people.

    References
    ----------
    Nekoui & Cheng 2021, BMVC, section 4.1: one model an exercise, 70 % to train; Sardari et al.
    2020, Sensors 20:5258, whose best epoch on the test part we do not choose.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skrehab.evaluation import evaluate_by_exercise
    >>> rng = np.random.RandomState(0)
    >>> scores = rng.uniform(0, 50, 40)
    >>> X = scores[:, None] + rng.randn(40, 1)
    >>> exercise, subject = np.repeat([1, 2], 20), np.tile(np.arange(20), 2)
    >>> result = evaluate_by_exercise(Ridge(), X, scores, exercise, subject)
    >>> [row["exercise"] for row in result.rows()], bool(result.rows()[-1]["spearman"] > 0.9)
    ([1, 2, 'mean'], True)
    """
    scores = np.asarray(check_trial_labels(scores, X), dtype=float)
    exercise = np.asarray(check_trial_labels(exercise, X))
    subject = check_groups(subject, X)
    if not n_splits and not leave_one_out:
        raise ValueError("Nothing is asked for: n_splits is 0 and leave_one_out is False.")
    check_parameters(estimator)
    exercises = np.unique(exercise)
    by_split = {name: [] for name in METRICS} if n_splits else {}
    left_out = {name: [] for name in METRICS} if leave_one_out else {}
    predictions = np.full(len(scores), np.nan) if leave_one_out else None
    seeds = check_random_state(random_state).randint(2**31 - 1, size=len(exercises))
    for one, seed in zip(exercises, seeds):
        index = np.flatnonzero(exercise == one)
        trials = _safe_indexing(X, index)
        y, people = scores[index], subject[index]
        with sklearn.config_context(enable_metadata_routing=True):
            if n_splits:
                splits = score_stratified_split(
                    y, people, test_size=test_size, n_splits=n_splits, random_state=int(seed)
                )
                found = cross_validate(
                    clone(estimator),
                    trials,
                    y,
                    cv=splits,
                    scoring={name: QualityScorer(metric) for name, metric in METRICS.items()},
                    params=_wanted(estimator, people),
                    n_jobs=n_jobs,
                    error_score="raise",
                )
                for name, values in by_split.items():
                    values.append(found[f"test_{name}"])
            if leave_one_out:
                predictions[index] = _left_out(estimator, trials, y, people, n_jobs)
                for name, values in left_out.items():
                    values.append(METRICS[name](y, predictions[index]))
    return ExerciseScores(
        exercises.tolist(),
        {name: np.array(values) for name, values in by_split.items()},
        {name: np.array(values) for name, values in left_out.items()},
        predictions,
    )


def _wanted(estimator, people):
    """Name the people only where somebody asks for them: scikit-learn refuses them otherwise."""
    asked = get_routing_for_object(estimator).consumes("fit", ["groups"])
    return {"groups": people} if asked else None


def _left_out(estimator, trials, y, people, n_jobs):
    """Predict each person's trials without having seen the person."""
    how = {"cv": LeaveOneGroupOut(), "params": {"groups": people}, "n_jobs": n_jobs}
    if not is_classifier(estimator):
        return cross_val_predict(clone(estimator), trials, y, **how)
    proba = cross_val_predict(clone(estimator), trials, y, method="predict_proba", **how)
    return proba @ np.unique(y)


def paired_bootstrap(
    y_true,
    a,
    b,
    subject,
    *,
    exercise=None,
    metric=spearman,
    level=0.95,
    n_resamples=1000,
    random_state=0,
):
    """Compare two methods' predictions by drawing people, with all their trials, again and again.

    Parameters
    ----------
    y_true : array-like of shape (n_trials,)
        True scores.
    a, b : array-like of shape (n_trials,)
        Predictions of the two methods, such as two ``ExerciseScores.predictions``.
    subject : array-like of shape (n_trials,)
        Person of each trial.
    exercise : array-like of shape (n_trials,), optional
        Exercise of each trial: the metric is taken by exercise, then averaged.
    metric : callable, default=spearman
        ``metric(y_true, y_pred) -> float``.
    level : float, default=0.95
        Coverage of the interval.
    n_resamples : int, default=1000
        Draws.
    random_state : int, RandomState or None, default=0
        Seed.

    Returns
    -------
    dict
        ``difference`` (metric of a less metric of b), ``low`` and ``high`` of its percentile
        interval, and ``n``, the number of people.

    Raises
    ------
    ValueError
        If there is not one of each a trial, or only one person.

    References
    ----------
    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.evaluation import paired_bootstrap
    >>> rng = np.random.RandomState(0)
    >>> y = rng.uniform(0, 50, 30)
    >>> result = paired_bootstrap(y, y + rng.randn(30), rng.randn(30), np.arange(30))
    >>> result["low"] > 0, result["n"]
    (True, 30)
    """
    y_true, a = paired_scores(y_true, a)
    _, b = paired_scores(y_true, b)
    subject = check_groups(subject, y_true)
    exercise = np.zeros(len(y_true)) if exercise is None else check_groups(exercise, y_true)
    people, person = np.unique(subject, return_inverse=True)
    if len(people) < 2:
        raise ValueError(f"At least 2 people are needed to draw from, got {people.tolist()}.")
    parts = [np.flatnonzero(exercise == one) for one in np.unique(exercise)]

    def difference(times):
        """Of the methods, each person counted so many times."""
        values = []
        for part in parts:
            index = np.repeat(part, times[person[part]])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UndefinedMetricWarning)
                if len(index):
                    one, other = (metric(y_true[index], p[index]) for p in (a, b))
                    values.append(one - other)
        values = np.array(values)[np.isfinite(values)]
        return values.mean() if len(values) else np.nan

    rng = check_random_state(random_state)
    draws = rng.randint(len(people), size=(n_resamples, len(people)))
    found = [difference(np.bincount(draw, minlength=len(people))) for draw in draws]
    low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
    return {
        "difference": float(difference(np.ones(len(people), dtype=int))),
        "low": float(low),
        "high": float(high),
        "n": len(people),
    }
