"""Splits for scores: no subject on both sides, and the range of scores on each."""

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state

from skrehab._given import array_of, column_of, filled
from skrehab.trials import check_groups

__all__ = ["score_stratified_split"]

_MOST_BINS = 5


def score_stratified_split(
    scores, groups, *, test_size=0.3, n_bins=None, n_splits=5, random_state=None
):
    """Draw train and test trials by subject, with subjects of every level on both sides.

    Each subject's mean score puts the subject into one of ``n_bins`` levels;
    :class:`sklearn.model_selection.StratifiedShuffleSplit` splits the subjects, stratified by
    level, and their trials follow. Subjects, not trials, are what ``test_size`` is a share of.

    Parameters
    ----------
    scores : array-like of shape (n_trials,)
        Scores, or classes as numbers.
    groups : array-like of shape (n_trials,)
        Subject of each trial.
    test_size : float or int, default=0.3
        Share of the subjects held out, or their number.
    n_bins : int, optional
        Number of levels; 5 by default, or as many as the subjects suffice for. Levels hold equal
        numbers of subjects, except that scores of no more than ``n_bins`` different values are
        levels themselves, if each of them has two subjects.
    n_splits : int, default=5
        Number of splits.
    random_state : int, RandomState instance or None, default=None
        Draws the splits.

    Returns
    -------
    list of (ndarray, ndarray)
        ``n_splits`` pairs of train and test indices of trials, rising; scikit-learn's ``cv=`` takes
        the list as it is.

    Raises
    ------
    ValueError
        If a score is missing, scores and groups differ in number, or there are too few subjects;
        the message says how many are needed.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.datasets import score_stratified_split
    >>> groups = np.repeat(np.arange(10), 2)
    >>> splits = score_stratified_split(3.0 * groups, groups, n_splits=3, random_state=0)
    >>> [np.unique(groups[test]).tolist() for train, test in splits]
    [[0, 5, 8], [3, 5, 8], [3, 4, 8]]
    """
    scores = np.asarray(filled(column_of(scores, "scores")), dtype=float)
    groups = array_of(column_of(groups, "groups"))
    if scores.ndim != 1 or scores.shape != groups.shape:
        raise ValueError(
            f"scores and groups must have one entry a trial, got shapes {scores.shape} and "
            f"{groups.shape}."
        )
    if not np.isfinite(scores).all():
        i = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise ValueError(f"scores[{i}] is {scores[i]}: every trial needs a score.")
    groups = check_groups(groups, scores)
    subjects, subject_of = np.unique(groups, return_inverse=True)
    means = np.bincount(subject_of, weights=scores) / np.bincount(subject_of)
    splitter = StratifiedShuffleSplit(
        n_splits, test_size=test_size, random_state=check_random_state(random_state)
    )
    levels = _levels(means, n_bins, test_size)
    splits = []
    for train, test in splitter.split(np.zeros(len(subjects)), levels):
        in_train, in_test = np.isin(subject_of, train), np.isin(subject_of, test)
        splits.append((np.flatnonzero(in_train), np.flatnonzero(in_test)))
    return splits


def _levels(means, n_bins, test_size):
    """Level of each subject; every level has two subjects, and each side one of every level."""
    n = len(means)
    n_test = int(np.ceil(test_size * n)) if isinstance(test_size, float) else test_size
    most = min(n // 2, n_test, n - n_test)
    if most < 1:
        raise ValueError(
            f"test_size={test_size} of {n} subjects leaves no subject on one side; at least two "
            "subjects are needed."
        )
    if n_bins is None:
        n_bins = min(_MOST_BINS, most)
    elif not 1 <= n_bins <= most:
        raise ValueError(
            f"n_bins={n_bins} levels need two subjects each and one on each side of every split; "
            f"{n} subjects with test_size={test_size} allow 1 to {most}."
        )
    values, level, counts = np.unique(means, return_inverse=True, return_counts=True)
    if len(values) <= n_bins and counts.min() >= 2:
        return level
    ranks = np.argsort(np.argsort(means, kind="stable"))
    return ranks * n_bins // n
