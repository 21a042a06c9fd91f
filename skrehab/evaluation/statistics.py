"""Reports by patient: intervals over patients and paired comparisons between methods.

Patients, not frames or trials, are what a result must generalise to, so patients are what is
resampled and paired.
"""

import numpy as np
from scipy import stats
from sklearn.utils import check_random_state

__all__ = ["bootstrap_interval", "holm", "paired_comparison", "summary_table"]


def bootstrap_interval(scores, *, level=0.95, n_resamples=2000, random_state=0):
    """Compute a percentile interval of the mean, resampling patients.

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
        The interval; nan with fewer than two patients.

    Examples
    --------
    >>> from skrehab.evaluation import bootstrap_interval
    >>> low, high = bootstrap_interval([0.6, 0.7, 0.8, 0.7])
    >>> 0.6 < low < 0.7 < high < 0.8
    True
    """
    scores = _defined(scores)
    if len(scores) < 2:
        return np.nan, np.nan
    means = _resampled_means(scores, n_resamples, random_state)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _defined(scores):
    scores = np.asarray(scores, dtype=float)
    return scores[~np.isnan(scores)]


def _resampled_means(scores, n_resamples, random_state):
    """Mean of each bootstrap sample of the patients."""
    rng = check_random_state(random_state)
    return scores[rng.randint(len(scores), size=(n_resamples, len(scores)))].mean(axis=1)


def paired_comparison(a, b):
    """Compare two methods on the patients for whom both are defined.

    Parameters
    ----------
    a, b : array-like of shape (n_patients,)
        Score of each patient by the two methods, patients in the same order.

    Returns
    -------
    dict
        ``difference`` (mean of a - b), ``n`` patients, ``p_t`` (paired t-test) and ``p_wilcoxon``
        (signed ranks). Both p-values are nan where fewer than two patients differ; ``p_t`` also
        where all differ by the same, which leaves a t-test no spread to go by.

    Raises
    ------
    ValueError
        If `a` and `b` do not hold one score each per patient.

    References
    ----------
    Mesquita et al. 2025, Tables III and IV, use paired t-tests at the 95 % level.

    Examples
    --------
    >>> from skrehab.evaluation import paired_comparison
    >>> round(paired_comparison([0.8, 0.9, 0.7], [0.6, 0.6, 0.6])["difference"], 2)
    0.2
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(
            "a and b must hold one score per patient, the same patients in both; got shapes "
            f"{a.shape} and {b.shape}."
        )
    # 0.9 - 0.8 and 0.8 - 0.7 are the same difference, and tie in the ranks
    difference = np.round((a - b)[~np.isnan(a - b)], 12)
    tested = np.count_nonzero(difference) > 1
    spread = tested and np.ptp(difference) > 0
    return {
        "difference": float(difference.mean()) if len(difference) else np.nan,
        "n": len(difference),
        "p_t": float(stats.ttest_1samp(difference, 0).pvalue) if spread else np.nan,
        "p_wilcoxon": float(stats.wilcoxon(difference).pvalue) if tested else np.nan,
    }


def holm(p_values):
    """Adjust p-values for the number of comparisons, by Holm's step-down method.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        Raw p-values; nan stays nan and does not count.

    Returns
    -------
    ndarray of shape (n_tests,)
        Adjusted p-values.

    Examples
    --------
    >>> from skrehab.evaluation import holm
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(p), np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(order) - rank) * p[i]))
        adjusted[i] = running
    return adjusted


def summary_table(results, *, reference=None, random_state=0):
    """Summarise methods by patient, one row a method.

    Parameters
    ----------
    results : dict of str to skrehab.metrics.PatientScores
        Scores of the same patients by each method, paired by their names.
    reference : str, optional
        Method that the others are compared with, by Wilcoxon's test and Holm's adjustment.
    random_state : int, RandomState or None, default=0
        Seed of the bootstrap.

    Returns
    -------
    list of dict
        ``method, mean, sd, low, high, pooled, n_patients, undefined`` and, with a reference,
        ``difference, p_holm``.

    Raises
    ------
    ValueError
        If the methods were not scored on the same patients; the message names those that differ.

    Examples
    --------
    >>> from skrehab.evaluation import summary_table
    >>> from skrehab.metrics import by_patient, frame_roc_auc
    >>> truth = [[0, 1, 0], [0, 1, 1]]
    >>> scores = by_patient(frame_roc_auc, truth, [[0.1, 0.9, 0.2], [0.3, 0.2, 0.9]], ["A", "B"])
    >>> row = summary_table({"ours": scores})[0]
    >>> row["method"], row["mean"], row["n_patients"]
    ('ours', 0.75, 2)
    """
    scores = _same_patients(results)
    rows = []
    for method, result in results.items():
        low, high = bootstrap_interval(result.scores, random_state=random_state)
        rows.append(
            {
                "method": method,
                "mean": result.mean,
                "sd": result.std,
                "low": low,
                "high": high,
                "pooled": result.pooled,
                "n_patients": result.n_defined,
                "undefined": result.undefined,
            }
        )
    if reference is not None:
        pairs = [paired_comparison(scores[method], scores[reference]) for method in results]
        adjusted = holm([pair["p_wilcoxon"] for pair in pairs])
        for row, pair, p in zip(rows, pairs, adjusted):
            row |= {"difference": pair["difference"], "p_holm": float(p)}
    return rows


def _same_patients(results):
    """Scores of each method in one order of the patients, whom all must share."""
    first, patients, scores = None, None, {}
    for method, result in results.items():
        by_name = dict(zip(result.patients, result.scores, strict=True))
        if first is None:
            first, patients = method, list(by_name)
        differ = sorted(map(str, set(patients) ^ set(by_name)))
        if differ:
            raise ValueError(
                f"A table compares methods on the same patients: {first!r} and {method!r} do not "
                f"share {differ}. Score both on the patients they share."
            )
        scores[method] = [by_name[patient] for patient in patients]
    return scores
