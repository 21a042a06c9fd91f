"""Frame truth from repetition labels: whole repetitions joined into untrimmed trials."""

import numpy as np
from sklearn.utils import check_random_state

from skrehab._given import array_of
from skrehab.datasets._bunch import TrialsBunch
from skrehab.datasets._sizes import check_whole
from skrehab.trials import check_groups, check_trial_labels, check_trials, ragged

__all__ = ["splice_repetitions"]

_DESCR = """\
Trials made of whole repetitions
--------------------------------
Each trial joins repetitions of one person and one movement. The trial's label is 1 if any of them
is incorrect; a frame's truth is 1 if its own repetition is. Normal trials hold correct repetitions
only, positive ones at least one incorrect and, where there is more than one, at least one correct.
Where two repetitions meet the pose jumps; nothing is blended, since that would invent frames whose
label nobody knows. A repetition may serve in several trials of its person, never twice in one.
"""


def splice_repetitions(
    X,
    correct,
    groups,
    movement=None,
    *,
    n_trials=10,
    n_repetitions=3,
    n_positive=5,
    min_frames=2,
    reuse=True,
    random_state=0,
):
    """Join repetitions of one person and movement into trials whose frame truth is known.

    With UI-PRMD and the defaults this is the benchmark "UIPRMD-Weak": for each of ten people and
    ten movements, ten trials of three repetitions, five of them all correct and five with one or
    two incorrect.

    Parameters
    ----------
    X : list of ndarray of shape (n_frames_i, n_landmarks, n_coords)
        One repetition each.
    correct : array-like of shape (n,), bool or 0/1
        Whether the repetition was done correctly.
    groups : array-like of shape (n,)
        Person of each repetition.
    movement : array-like of shape (n,), optional
        Movement of each repetition; all the same when None.
    n_trials : int, default=10
        Trials per person and movement.
    n_repetitions : int, default=3
        Repetitions in a trial.
    n_positive : int, default=5
        Trials per person and movement that hold incorrect repetitions: from one up to
        ``n_repetitions - 1`` of them, each number as likely (one, where a trial is one repetition).
    min_frames : int, default=2
        Shorter repetitions are left out: a recording of a single frame shows no movement.
    reuse : bool, default=True
        Whether a repetition may stand in several trials. With UI-PRMD and the defaults most correct
        repetitions of a positive trial also stand in some normal one, so that trial labels tell
        more than in life; ``reuse=False, n_trials=5, n_positive=3`` is "UIPRMD-Weak without reuse",
        500 trials. The last drawn trials of a person and movement then take what is left.
    random_state : int, RandomState instance or None, default=0
        Seed of the draw.

    Returns
    -------
    sklearn.utils.Bunch
        With, for ``n_trials`` trials of each person and movement:

        * ``X``: list of float32 arrays (n_frames_i, n_landmarks, n_coords);
        * ``y``: int array, 1 if a repetition is incorrect;
        * ``groups``, ``movement``: arrays, as given;
        * ``frame_labels``: object array of int arrays (n_frames_i,), 1 in incorrect repetitions;
        * ``repetition``: object array of int arrays (n_frames_i,), 0, 1, ... within the trial;
        * ``sources``: int array (n_trials, n_repetitions), which items of ``X`` were joined;
        * ``skipped``: int array, which items of ``X`` were too short; ``DESCR``: str.

    Raises
    ------
    ValueError
        If a person has too few usable repetitions of a movement, or arguments do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from skrehab.datasets import splice_repetitions
    >>> X = [np.zeros((5 + i, 22, 3)) for i in range(12)]
    >>> correct = [True, True, True, False, False, False] * 2
    >>> data = splice_repetitions(X, correct, ["a"] * 6 + ["b"] * 6, n_trials=4, n_positive=2)
    >>> len(data.X), data.y.tolist(), data.groups.tolist()
    (8, [0, 0, 1, 1, 0, 0, 1, 1], ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b'])
    """
    X = check_trials(X)
    correct = _as_bool(correct, X)
    if groups is None:
        raise ValueError("groups is needed: the person of each repetition.")
    groups = check_groups(groups, X)
    movement = np.zeros(len(X), dtype=int) if movement is None else array_of(movement)
    if movement.shape != (len(X),):
        raise ValueError(
            f"movement must name one movement per repetition: {len(X)} repetitions, got shape "
            f"{movement.shape}."
        )
    movement = check_groups(movement, X, name="movement", what="movement")
    check_whole(1, n_trials=n_trials, n_repetitions=n_repetitions, min_frames=min_frames)
    check_whole(0, n_positive=n_positive)
    if n_positive > n_trials:
        raise ValueError(f"n_positive is {n_positive}, but only n_trials={n_trials} are made.")

    rng = check_random_state(random_state)
    usable = np.array([len(trial) >= min_frames for trial in X])
    most_incorrect = max(1, n_repetitions - 1)
    sources, owners = [], []
    for person in np.unique(groups):
        for name in np.unique(movement[groups == person]):
            own = usable & (groups == person) & (movement == name)
            good, bad = np.flatnonzero(own & correct), np.flatnonzero(own & ~correct)
            supply = (good, bad, n_repetitions, n_trials, n_positive)
            _check_supply(person, name, *supply)
            n_bads = np.zeros(n_trials, dtype=int)
            if not reuse:
                n_bads = _shares_without_reuse(person, name, *supply, most_incorrect, rng)
                good, bad = rng.permutation(good), rng.permutation(bad)
            for k in range(n_trials):
                positive = k >= n_trials - n_positive
                if reuse:
                    n_bads[k] = rng.randint(1, most_incorrect + 1) if positive else 0
                counts = {"bad": n_bads[k], "good": n_repetitions - n_bads[k]}
                if reuse:
                    members = [
                        rng.choice(bad, counts["bad"], replace=False),
                        rng.choice(good, counts["good"], replace=False),
                    ]
                else:
                    members = [bad[: counts["bad"]], good[: counts["good"]]]
                    bad, good = bad[counts["bad"] :], good[counts["good"] :]
                members = np.concatenate(members).astype(int)
                sources.append(rng.permutation(members))
                owners.append(members[0])

    sources, owners = np.array(sources), np.array(owners)
    lengths = [[len(X[i]) for i in members] for members in sources]
    wrong = (~correct).astype(int)
    return TrialsBunch(
        X=[np.concatenate([X[i] for i in members]) for members in sources],
        y=wrong[sources].max(axis=1),
        groups=groups[owners],
        movement=movement[owners],
        frame_labels=ragged(np.repeat(wrong[m], n) for m, n in zip(sources, lengths)),
        repetition=ragged(np.repeat(np.arange(n_repetitions), n) for n in lengths),
        sources=sources,
        skipped=np.flatnonzero(~usable),
        DESCR=_DESCR,
    )


def _shares_without_reuse(
    person, movement, good, bad, n_repetitions, n_trials, n_positive, most_incorrect, rng
):
    """Incorrect repetitions of each trial, drawn until both kinds suffice."""
    low = n_trials * n_repetitions - len(good)  # fewer incorrect ones than this lack correct ones
    high = min(len(bad), n_positive * most_incorrect)
    if max(low, n_positive) > high:
        raise ValueError(
            f"Person {person}, movement {movement}: {n_trials} trials of {n_repetitions}, "
            f"{n_positive} of them positive, cannot be made of {len(good)} correct and {len(bad)} "
            "incorrect repetitions without using one twice. Lower n_trials, or change n_positive."
        )
    while True:
        n_bads = np.zeros(n_trials, dtype=int)
        n_bads[n_trials - n_positive :] = rng.randint(1, most_incorrect + 1, size=n_positive)
        if low <= n_bads.sum() <= high:
            return n_bads


def _as_bool(correct, X):
    correct = check_trial_labels(correct, X)
    if not np.isin(correct, [0, 1]).all():
        raise ValueError(
            f"correct must hold True and False (or 1 and 0), got {np.unique(correct).tolist()[:5]}."
        )
    return correct.astype(bool)


def _check_supply(person, movement, good, bad, n_repetitions, n_trials, n_positive):
    needs_good = n_repetitions if n_positive < n_trials else n_repetitions - 1
    needs_bad = max(1, n_repetitions - 1) if n_positive else 0
    for kind, found, needed in [("correct", good, needs_good), ("incorrect", bad, needs_bad)]:
        if len(found) < needed:
            raise ValueError(
                f"Person {person}, movement {movement}: {len(found)} usable {kind} repetitions, "
                f"but trials of {n_repetitions} need {needed}. Leave this movement out, or lower "
                "n_repetitions."
            )
