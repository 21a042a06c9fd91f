"""Whose trials an estimator learned from, as far as fit was told: digests, for scorers to compare.

Kept in memory only, never in a saved model, and no names.
"""

import hashlib
import warnings
from collections import Counter

import numpy as np

__all__ = ["remember", "seen_of", "warn_of_patients_seen"]

_PLACE = "_patients_seen"


def _digest(name):
    return hashlib.blake2b(str(name).encode(), digest_size=8).hexdigest()


def _trials_of(X, groups):
    """Patient and length of each trial, as digests: what tells one set of trials from another."""
    names = np.asarray(groups).tolist()
    lengths = [len(x) if hasattr(x, "__len__") else 0 for x in X]
    if len(lengths) != len(names):  # a table, whose columns are no trials
        lengths = [0] * len(names)
    return [(_digest(name), n) for name, n in zip(names, lengths)]


def remember(estimator, X, groups, goes_on=False):
    """Keep whose trials an estimator was fitted on.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : sequence of length n_trials
        Trials.
    groups : array-like of shape (n_trials,) or None
        Patients; None forgets what an earlier fit was told.
    goes_on : bool, default=False
        Whether what was learned before still counts.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from skrehab._seen import remember, seen_of
    >>> model = SimpleNamespace()
    >>> remember(model, [[1, 2], [3]], ["P01", "P02"])
    >>> len(seen_of(model)), seen_of(SimpleNamespace()) is None
    (2, True)
    """
    before = vars(estimator).pop(_PLACE, []) if goes_on else []
    vars(estimator).pop(_PLACE, None)
    if groups is not None:
        setattr(estimator, _PLACE, before + _trials_of(X, groups))


def seen_of(estimator):
    """Tell whose trials an estimator, or any step of a pipeline or search, was fitted on.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    list of (str, int) or None
        A digest of the patient and the number of frames, of each trial; None if nobody told.
    """
    for one in _parts(estimator):
        if (seen := getattr(one, _PLACE, None)) is not None:
            return seen
    return None


def _parts(estimator):
    yield estimator
    if (best := getattr(estimator, "best_estimator_", None)) is not None:
        yield from _parts(best)
    for step in getattr(estimator, "steps", None) or ():
        yield from _parts(step[1])


def warn_of_patients_seen(estimator, X, groups):
    """Warn where a model is scored on patients it learned from.

    Scores on the training trials themselves (``return_train_score``) are what they are called, and
    nothing is said.

    Parameters
    ----------
    estimator : estimator
        Fitted. Where its ``fit`` was given no ``groups``, nothing is known and nothing said.
    X : sequence of length n_trials
        Trials that are scored.
    groups : array-like of shape (n_trials,) or None
        Their patients.

    Examples
    --------
    >>> import warnings
    >>> from types import SimpleNamespace
    >>> from skrehab._seen import remember, warn_of_patients_seen
    >>> model = SimpleNamespace()
    >>> remember(model, [[1, 2], [3]], ["P01", "P02"])
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     warn_of_patients_seen(model, [[1, 2, 3]], ["P02"])
    >>> str(said[0].message)[:38]
    "Patient 'P02' stands on both sides: th"
    """
    if groups is None or X is None or (seen := seen_of(estimator)) is None:
        return
    if len(np.asarray(groups)) != len(X) or Counter(_trials_of(X, groups)) == Counter(seen):
        return
    known = {name for name, _ in seen}
    names = dict.fromkeys(np.asarray(groups).tolist())
    both = [repr(name) for name in names if _digest(name) in known]
    if not both:
        return
    listed = ", ".join(both[:5]) + (", ..." if len(both) > 5 else "")
    who, stand = ("Patient", "stands") if len(both) == 1 else ("Patients", "stand")
    warnings.warn(
        f"{who} {listed} {stand} on both sides: the model learned from them and is scored on them. "
        "The score is not that of new patients. Split by patient (GroupKFold, LeaveOneGroupOut), "
        "or use skrehab.evaluation.evaluate_by_patient.",
        UserWarning,
        stacklevel=4,
    )
