"""Known and new activities: split as MuscleMap does, and scored apart."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from skrehab.metrics.multilabel import mean_average_precision
from skrehab.muscles import NEW_ACTIVITIES, plain_name
from skrehab.trials import check_groups

__all__ = ["KnownNewScores", "KnownNewSplit", "known_new_scores", "known_new_split"]


@dataclass(frozen=True)
class KnownNewScores:
    """A score on activities that were trained on, on others, and their mean.

    Parameters
    ----------
    known, new : float
        The two scores; nan where there is no trial.
    """

    known: float
    new: float

    @property
    def mean(self):
        """Plain average of both."""
        return (self.known + self.new) / 2

    def __str__(self):
        return f"known {self.known:.1%}, new {self.new:.1%}, mean {self.mean:.1%}"


def known_new_scores(
    y_true, y_score, activities, new_activities=NEW_ACTIVITIES, *, metric=mean_average_precision
):
    """Score trials of known and of new activities apart, and average both scores.

    Parameters
    ----------
    y_true, y_score : array-like of shape (n_trials, n_labels)
        Labels and scores of the test.
    activities : sequence of str of length n_trials
        Activity of each trial.
    new_activities : sequence of str, default=NEW_ACTIVITIES
        Activities that were not trained on.
    metric : callable, default=mean_average_precision
        ``metric(y_true, y_score) -> float``.

    Returns
    -------
    KnownNewScores
        ``known``, ``new`` and ``mean``.

    References
    ----------
    Peng et al., ACM MM 2024, section 3.3 and table 2.

    Examples
    --------
    >>> from skrehab.evaluation import known_new_scores
    >>> truth, score = [[1, 0], [0, 1], [1, 0], [0, 1]], [[1, 0], [0, 1], [0, 1], [1, 0]]
    >>> print(known_new_scores(truth, score, ["squats", "lunges", "running", "v-ups"]))
    known 100.0%, new 50.0%, mean 75.0%
    """
    is_new = _is_new(activities, new_activities)
    y_true, y_score = np.asarray(y_true), np.asarray(y_score)
    if len(is_new) != len(y_true):
        raise ValueError(f"{len(y_true)} trials need as many activities, got {len(is_new)}.")

    def score(mask):
        return metric(y_true[mask], y_score[mask]) if mask.any() else np.nan

    return KnownNewScores(float(score(~is_new)), float(score(is_new)))


def _is_new(activities, new_activities):
    if isinstance(activities, str) or isinstance(new_activities, str):
        raise ValueError("activities and new_activities must be lists of names, got one string.")
    new = {plain_name(name) for name in new_activities}
    return np.array([plain_name(name) in new for name in activities], dtype=bool)


class KnownNewSplit:
    """Two folds with one training set: known activities are tested in the first, new in the second.

    It goes wherever scikit-learn takes ``cv``: :func:`sklearn.model_selection.cross_val_score` with
    ``scoring=map_scorer`` gives ``[known, new]``, and their mean is the paper's.
    :class:`sklearn.model_selection.PredefinedSplit` would do it wrong: it trains each fold on all
    trials of the other ones, the new activities among them. Both folds train the same model; to
    train it once, fit on ``train`` and call :func:`known_new_scores`.

    Parameters
    ----------
    parts : array-like of str of shape (n_trials,)
        ``"train", "known_val", "new_val", "known_test"`` or ``"new_test"`` for each trial; anything
        else is not used.
    on : {"test", "val"}, default="test"
        What is tested.

    Examples
    --------
    >>> from skrehab.evaluation import KnownNewSplit
    >>> split = KnownNewSplit(["train", "known_test", "train", "new_test", "new_val"])
    >>> [(train.tolist(), test.tolist()) for train, test in split.split()]
    [([0, 2], [1]), ([0, 2], [3])]
    """

    def __init__(self, parts, *, on="test"):
        if parts is None:
            raise ValueError("There is no split to use: known_new_split makes one from activities.")
        self.parts = np.asarray(parts, dtype=str)
        if on not in ("test", "val"):
            raise ValueError(f"on must be 'test' or 'val', got {on!r}.")
        self.on = on
        empty = [part for part in ("train", *self._tested) if not (self.parts == part).any()]
        if empty:
            raise ValueError(
                f"No trial is in {', '.join(empty)}; the parts are {sorted(set(self.parts))}."
            )

    @property
    def _tested(self):
        return f"known_{self.on}", f"new_{self.on}"

    @property
    def train(self):
        """Positions of the training trials."""
        return np.flatnonzero(self.parts == "train")

    @property
    def known(self):
        """Positions of the tested trials of known activities."""
        return np.flatnonzero(self.parts == self._tested[0])

    @property
    def new(self):
        """Positions of the tested trials of new activities."""
        return np.flatnonzero(self.parts == self._tested[1])

    def split(self, X=None, y=None, groups=None):
        """Yield positions for training and for testing, twice.

        Parameters
        ----------
        X, y, groups : object
            Not used, but their number is checked where X is given.

        Yields
        ------
        train, test : ndarray of int
            The same training set, with known activities, then with new ones.
        """
        if X is not None and len(X) != len(self.parts):
            raise ValueError(f"The split is for {len(self.parts)} trials, got {len(X)}.")
        yield self.train, self.known
        yield self.train, self.new

    def get_n_splits(self, X=None, y=None, groups=None):
        """Count the folds.

        Parameters
        ----------
        X, y, groups : object
            Not used.

        Returns
        -------
        int
            2.
        """
        return 2


def known_new_split(
    activities,
    new_activities=NEW_ACTIVITIES,
    *,
    groups=None,
    val=0.155,
    test=0.155,
    on="test",
    random_state=None,
):
    """Divide trials as MuscleMap does: some activities are kept from training altogether.

    Parameters
    ----------
    activities : sequence of str of length n_trials
        Activity of each trial.
    new_activities : sequence of str, default=NEW_ACTIVITIES
        Activities to keep from training; capitals, dashes and underscores do not matter.
    groups : sequence of length n_trials, optional
        Persons. Of known activities, those who are tested on are then not trained on; without
        groups, clips are drawn, as in MuscleMap.
    val, test : float, default=0.155
        Shares of each known activity's trials (or of the persons) for validation and test, as in
        MuscleMap. New activities are divided in the same proportion, each half and half by default.
    on : {"test", "val"}, default="test"
        What the splitter tests.
    random_state : int, RandomState instance or None, default=None
        Seed.

    Returns
    -------
    KnownNewSplit
        A ``cv`` of two folds, known and new, with ``parts`` by trial.

    Raises
    ------
    ValueError
        If none of the activities is new or none is known, or shares leave nothing to train on.

    References
    ----------
    Peng et al., ACM MM 2024, section 3.3: train 7,069, known val 1,599, new val 2,355, known test
    1,594, new test 2,360.

    Examples
    --------
    >>> from skrehab.evaluation import known_new_split
    >>> split = known_new_split(["squats"] * 20 + ["V-Ups"] * 4, random_state=0)
    >>> len(split.train), len(split.known), len(split.new)
    (14, 3, 2)
    """
    if not (val >= 0 and test > 0 and val + test < 1):
        raise ValueError(f"val and test are shares that leave some to train, got {val} and {test}.")
    is_new = _is_new(activities, new_activities)
    names = np.array([plain_name(name) for name in activities])
    if is_new.all() or not is_new.any():
        which = "every" if is_new.all() else "no"
        raise ValueError(
            f"There must be known and new activities, but {which} trial's is among the "
            f"{len(set(new_activities))} new ones, such as {sorted(new_activities)[0]!r}."
        )
    rng = check_random_state(random_state)
    parts = np.full(len(names), "train", dtype="U10")
    known = np.flatnonzero(~is_new)
    if groups is None:
        for name in np.unique(names[known]):
            _deal(parts, rng.permutation(np.flatnonzero(names == name)), val, test, "known")
    else:
        groups = check_groups(groups, names)
        persons = rng.permutation(np.unique(groups[known]))
        dealt = np.full(len(persons), "train", dtype="U10")
        _deal(dealt, np.arange(len(persons)), val, test, "known")
        part_of = dict(zip(persons.tolist(), dealt))
        parts[known] = [part_of[group] for group in groups[known].tolist()]
    for name in np.unique(names[is_new]):
        share = val / (val + test)
        _deal(parts, rng.permutation(np.flatnonzero(names == name)), share, 1 - share, "new")
    return KnownNewSplit(parts, on=on)


def _deal(parts, index, val, test, kind):
    """Write where some trials go; both parts get one at least where there are enough."""
    n_val = round(val * len(index))
    n_test = round((val + test) * len(index)) - n_val
    if kind == "known":  # somebody must be left to train on, and somebody tested
        n_test = min(max(n_test, 1), len(index) - 1)
        n_val = min(max(n_val, 1) if val else 0, len(index) - 1 - n_test)
    parts[index[:n_test]] = f"{kind}_test"
    parts[index[n_test : n_test + n_val]] = f"{kind}_val"
