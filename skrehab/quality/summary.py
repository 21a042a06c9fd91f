"""What a summary of the movement says of a score, beside a network, and how much say it gets."""

from typing import NamedTuple

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, KFold

from skrehab.preprocessing import MovementSummary

__all__ = ["FEWEST", "SummaryScores", "beside", "fit_summary", "mixed", "summary_scores"]

FEWEST = 10  # trials; fewer say nothing of how good it is
N_FOLDS = 5
PENALTIES = np.logspace(0, 5, 11)
FARTHEST = 5.0  # standard deviations: a person unlike all others is not extrapolated to


class SummaryScores(NamedTuple):
    """A ridge regression on the columns of :class:`~skrehab.MovementSummary`."""

    columns: np.ndarray
    """(4, n_columns): what stands for a missing value, mean, standard deviation, coefficient."""
    intercept: float
    """Score of a trial that is all means."""
    weight: float
    """Its share of the prediction, from 0 to 1."""


def beside(regressor, X, scores, groups=None, sample_weight=None):
    """Fit what stands beside a network, where something is wanted and can.

    Parameters
    ----------
    regressor : skrehab.QualityRegressor
        Whose ``summary`` and ``head`` say so.
    X : list of dict
        Trials; ``"pose"`` is what is summarised.
    scores, groups, sample_weight
        As of :func:`fit_summary`.

    Returns
    -------
    SummaryScores or None
        None where there is none: other heads, no poses, or more than four coordinates, which are
        what an encoder made and no places.
    """
    pose = X[0].get("pose")
    if regressor.summary is None or regressor.head != "regression" or pose is None:
        return None
    if pose.shape[2] > 4:
        return None
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    return fit_summary([trial["pose"] for trial in X], scores, groups, weight)


def fit_summary(trials, scores, groups=None, sample_weight=None):
    """Fit it, and find out on people that it was not fitted on how much it explains.

    Parameters
    ----------
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Poses.
    scores : ndarray of shape (n_trials,)
        Scores.
    groups : ndarray of shape (n_trials,), optional
        People; without them trials are held out.
    sample_weight : ndarray of shape (n_trials,), optional
        Weights; a trial of weight zero has no say.

    Returns
    -------
    SummaryScores or None
        None where there are too few trials. The weight is 1 less the square of what is not
        explained of held-out people's scores: 0 where R2 is 0, 0.75 where it is 0.5.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.quality.summary import fit_summary
    >>> rng = np.random.RandomState(0)
    >>> scores = np.linspace(-1, 1, 20)
    >>> trials = [(2 + score) * rng.randn(30, 3, 3) for score in scores]
    >>> fit_summary(trials, scores).weight > 0.8
    True
    """
    use = np.arange(len(trials)) if sample_weight is None else np.flatnonzero(sample_weight > 0)
    if len(use) < FEWEST:
        return None
    values = _rows([trials[i] for i in use])
    scores = np.asarray(scores, dtype=float)[use]
    weights = np.ones(len(use)) if sample_weight is None else np.asarray(sample_weight)[use]
    folds = KFold(N_FOLDS, shuffle=True, random_state=0).split(values)
    if groups is not None and len(np.unique(groups[use])) > 2:
        people = groups[use]
        n_folds = min(N_FOLDS, len(np.unique(people)))
        folds = GroupKFold(n_folds).split(values, scores, people)
    out = np.empty(len(use))
    for train, test in folds:
        columns, intercept = _ridge(values[train], scores[train], weights[train])
        out[test] = _scores(columns, intercept, values[test])
    known = np.ptp(scores) > 0
    left = 1 - float(r2_score(scores, out, sample_weight=weights)) if known else 1.0
    # squared: a network that few trials taught is noise to people it has not seen
    weight = 1 - min(left, 1.0) ** 2
    return SummaryScores(*_ridge(values, scores, weights), weight)


def summary_scores(summary, trials):
    """Score trials.

    Parameters
    ----------
    summary : SummaryScores
        Fitted.
    trials : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        Poses.

    Returns
    -------
    ndarray of shape (n_trials,)
        Scores.
    """
    return _scores(summary.columns, summary.intercept, _rows(trials))


def mixed(regressor, scores, X):
    """Let what stands beside a network have its say.

    Parameters
    ----------
    regressor : skrehab.QualityRegressor
        Fitted.
    scores : ndarray of shape (n_trials,)
        What its network says.
    X : list of dict
        The trials.

    Returns
    -------
    ndarray of shape (n_trials,)
        The weighted mean; the network's where nothing stands beside it.
    """
    if regressor.summary_ is None:
        return scores
    weight = regressor.summary_weight_
    summary = SummaryScores(regressor.summary_, regressor.summary_intercept_, weight)
    return scores + weight * (summary_scores(summary, [one["pose"] for one in X]) - scores)


def _rows(trials):
    """Columns of MovementSummary; sizes in frames do, as columns are standardised."""
    values = MovementSummary(cutoff=None).fit_transform(trials)
    return np.where(np.isfinite(values), values, np.nan)


def _ridge(values, scores, weights):
    seen = np.isfinite(values)
    fill = np.zeros(values.shape[1])
    some = seen.any(axis=0)
    fill[some] = np.nanmedian(values[:, some], axis=0)
    values = np.where(seen, values, fill)
    mean = np.average(values, axis=0, weights=weights)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    scale[scale == 0] = 1.0
    model = RidgeCV(PENALTIES).fit(_standard(values, mean, scale), scores, sample_weight=weights)
    return np.stack([fill, mean, scale, model.coef_]), float(model.intercept_)


def _standard(values, mean, scale):
    return np.clip((values - mean) / scale, -FARTHEST, FARTHEST)


def _scores(columns, intercept, values):
    fill, mean, scale, coefficient = columns
    values = np.where(np.isfinite(values), values, fill)
    return _standard(values, mean, scale) @ coefficient + intercept
