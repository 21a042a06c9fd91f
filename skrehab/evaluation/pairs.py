"""Methods compared two by two on the same patients, and how much so few patients can tell."""

import warnings
from itertools import combinations

import numpy as np
from scipy.stats import norm

from skrehab.evaluation.statistics import (
    _defined,
    _resampled_means,
    _same_patients,
    holm,
    paired_comparison,
)

__all__ = ["all_pairs", "bca_interval", "effect_sizes", "smallest_p"]


def bca_interval(scores, *, level=0.95, n_resamples=2000, random_state=0):
    """Compute the BCa bootstrap interval of the mean, resampling patients.

    Bias-corrected and accelerated: it allows for a skewed spread, as scores near 1 have.

    Parameters
    ----------
    scores : array-like of shape (n_patients,)
        Score of each patient; nan is left out.
    level : float, default=0.95
        Coverage.
    n_resamples : int, default=2000
        Bootstrap samples.
    random_state : int, RandomState or None, default=0
        Seed.

    Returns
    -------
    low, high : float
        The interval; nan with fewer than two patients, one point where all score the same.

    References
    ----------
    Efron 1987, "Better Bootstrap Confidence Intervals", doi 10.1080/01621459.1987.10478410.

    Examples
    --------
    >>> from skrehab.evaluation import bca_interval
    >>> low, high = bca_interval([0.6, 0.7, 0.8, 0.7])
    >>> 0.6 < low < 0.7 < high < 0.8
    True
    """
    scores = _defined(scores)
    n = len(scores)
    if n < 2:
        return np.nan, np.nan
    mean = scores.mean()
    if np.ptp(scores) < 1e-12:
        return float(mean), float(mean)
    means = _resampled_means(scores, n_resamples, random_state)
    # half of the ties, or a discrete spread would count as bias
    below = np.mean(means < mean - 1e-12) + np.mean(np.abs(means - mean) <= 1e-12) / 2
    bias = norm.ppf(np.clip(below, 0.5 / n_resamples, 1 - 0.5 / n_resamples))
    without = (scores.sum() - scores) / (n - 1)
    away = without.mean() - without
    acceleration = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    z = bias + norm.ppf([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(means, norm.cdf(bias + z / (1 - acceleration * z)))
    return float(low), float(high)


def effect_sizes(a, b):
    """Measure a difference by the spread of its patients, and by its ranks.

    Parameters
    ----------
    a, b : array-like of shape (n_patients,)
        Score of each patient by two methods, patients in the same order; nan is left out.

    Returns
    -------
    cohen_dz : float
        Mean difference over its standard deviation; nan where there is no spread.
    rank_biserial : float
        Share of the ranks that speak for `a` less that for `b`, from -1 to 1; nan where no patient
        differs.

    References
    ----------
    Kerby 2014, "The simple difference formula", doi 10.2466/11.IT.3.1.

    Examples
    --------
    >>> from skrehab.evaluation import effect_sizes
    >>> effect_sizes([0.8, 0.9, 0.7], [0.7, 0.7, 0.4])
    (2.0, 1.0)
    """
    from scipy.stats import rankdata

    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    difference = np.round(difference[~np.isnan(difference)], 12)
    spread = difference.std(ddof=1) if len(difference) > 1 else 0.0
    dz = round(float(difference.mean() / spread), 10) if spread > 1e-12 else np.nan
    moved = difference[difference != 0]
    if not len(moved):
        return dz, np.nan
    ranks = rankdata(np.abs(moved))
    return dz, float((ranks * np.sign(moved)).sum() / ranks.sum())


def smallest_p(n_patients, n_pairs=1):
    """Compute the smallest p-value that Wilcoxon's two-sided test can give for so few patients.

    Parameters
    ----------
    n_patients : int
        Patients who differ.
    n_pairs : int, default=1
        Comparisons that Holm's method adjusts for.

    Returns
    -------
    float
        At most 1.

    Examples
    --------
    >>> from skrehab.evaluation import smallest_p
    >>> smallest_p(4), smallest_p(6), smallest_p(6, n_pairs=10)
    (0.125, 0.03125, 0.3125)
    """
    return float(min(1.0, n_pairs * 2.0 ** (1 - n_patients))) if n_patients > 0 else 1.0


def all_pairs(results):
    """Compare every method with every other one.

    Parameters
    ----------
    results : dict of str to skrehab.metrics.PatientScores
        Scores of the same patients by each method, paired by their names.

    Returns
    -------
    list of dict
        For each pair ``a, b, difference`` (mean of a - b), ``n`` (patients with both), ``p_t``
        (paired t-test), ``p_t_holm``, ``p_wilcoxon`` (signed ranks), ``p_wilcoxon_holm``,
        ``cohen_dz``, ``rank_biserial`` and ``smallest_p``, the smallest that ``p_wilcoxon_holm``
        can be for so many patients and pairs.

    Raises
    ------
    ValueError
        If the methods were not scored on the same patients.

    References
    ----------
    Mesquita et al. 2025, Tables III and IV: paired t-tests at the 95 % level, unadjusted. Holm
    1979, "A simple sequentially rejective multiple test procedure".

    Examples
    --------
    >>> from skrehab.evaluation import all_pairs
    >>> from skrehab.metrics import PatientScores
    >>> import numpy as np
    >>> names = ["P1", "P2", "P3"]
    >>> pair = all_pairs({
    ...     "ours": PatientScores(names, np.array([0.8, 0.9, 0.7]), 0.8),
    ...     "theirs": PatientScores(names, np.array([0.7, 0.7, 0.4]), 0.6),
    ... })[0]
    >>> pair["a"], pair["b"], round(pair["difference"], 2), pair["smallest_p"]
    ('ours', 'theirs', 0.2, 0.25)
    """
    scores = _same_patients(results)
    rows = []
    for a, b in combinations(results, 2):
        with warnings.catch_warnings():  # of SciPy, where patients tie: the value is right
            warnings.simplefilter("ignore")
            pair = paired_comparison(scores[a], scores[b])
        dz, rank = effect_sizes(scores[a], scores[b])
        rows.append({"a": a, "b": b, **pair, "cohen_dz": dz, "rank_biserial": rank})
    for name in ("p_t", "p_wilcoxon"):
        for row, adjusted in zip(rows, holm([row[name] for row in rows])):
            row[f"{name}_holm"] = float(adjusted)
    n_tests = sum(not np.isnan(row["p_wilcoxon"]) for row in rows)
    for row in rows:
        row["smallest_p"] = smallest_p(row["n"], max(1, n_tests))
    return rows
