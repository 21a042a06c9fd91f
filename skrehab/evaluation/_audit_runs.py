"""Ask a model the same again with other data: what must not matter, and what must."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn import config_context
from sklearn.base import clone

from skrehab._given import filled
from skrehab._told import asked_of, predicted, told_of
from skrehab.evaluation._study_data import is_unlabelled
from skrehab.evaluation.floors import OnFrameTruth, learner_of
from skrehab.trials import ragged


@dataclass(frozen=True)
class Influence:
    """What changed a held-out trial's scores: each None if nothing did, or not asked."""

    labels: bool
    trials: bool
    reproducible: bool
    learns: bool


def protocol_of(model):
    """A function ``(data, train, test)`` that gives the scores of each tested trial."""
    if not hasattr(model, "fit") and not isinstance(model, OnFrameTruth):
        return model
    estimator = learner_of(model)

    def run(data, train, test):
        y = data.frame_labels if isinstance(model, OnFrameTruth) else data.y
        who, told = (told_of(data.who(), side) for side in (train, test))
        with config_context(enable_metadata_routing=True):
            fitted = clone(estimator).fit(
                [data.X[i] for i in train], y[train], **asked_of(estimator, "fit", who)
            )
        return predicted(fitted, [data.X[i] for i in test], told)

    return run


def influence(run, data, fold, n_draws=0, earlier=False):
    """Find out what the scores of one held-out trial go by.

    Its own label, frame truth and those of its patient, and the patient's other trials, must not
    matter; labels of training trials must. With `earlier` the patient's trials before this one may.
    """
    train, test = np.asarray(fold[0]), np.sort(fold[1])
    probe = _probe(data, test)

    def asked(changed):
        said = list(run(changed, np.array(train), np.array(test)))
        if len(said) != len(test):
            raise ValueError(
                f"The protocol must return the scores of each of the {len(test)} tested trials, "
                f"got {len(said)}."
            )
        return np.asarray(filled(said[int(np.flatnonzero(test == probe)[0])]), dtype=float)

    base = asked(data)
    others = np.setdiff1d(test, [probe])
    if earlier:
        others = others[(data.groups[others] != data.groups[probe]) | (others > probe)]
    by_labels = _differ(base, asked(relabelled(data, test)))
    # turned around as a whole, they may choose the same: some at random as well
    for seed in range(n_draws):
        some = test[np.random.RandomState(seed).rand(len(test)) < 0.5]
        by_labels = by_labels or _differ(base, asked(relabelled(data, some)))
    by_trials = len(others) > 0 and _differ(base, asked(turned(data, others)))
    reproducible = True
    if by_labels or by_trials:
        reproducible = not _differ(base, asked(data))
    learns = _differ(base, asked(relabelled(data, train)))
    return Influence(by_labels, by_trials, reproducible, learns)


def _probe(data, test):
    """A trial with the motion where there is one: the scores of others may be flat."""
    with_motion = [i for i in test if data.motion[i]]
    return int(with_motion[0] if with_motion else test[0])


def _differ(a, b):
    return a.shape != b.shape or not np.array_equal(a, b, equal_nan=True)


def relabelled(data, places):
    """The same data with other labels at some places, of trials and of frames."""
    classes = data.classes.tolist()
    other = dict(zip(classes, [*classes[1:], classes[0]]))
    y = data.y.copy()
    for i in places:
        y[i] = other[y[i].item() if hasattr(y[i], "item") else y[i]]
    frames = data.frame_labels
    if frames is not None:
        known = sorted({v for one in frames for v in one.tolist() if not is_unlabelled(v)}, key=str)
        turn = dict(zip(known, [*known[1:], known[0]]))
        frames = [one.copy() for one in frames]
        for i in places:
            frames[i] = np.array([turn.get(v, v) for v in frames[i].tolist()], frames[i].dtype)
        frames = ragged(frames)
    return replace(data, y=y, frame_labels=frames)


def turned(data, places):
    """The same data with other movement at some places; videos stay as they are."""
    X = list(data.X)
    for i in places:
        if isinstance(X[i], np.ndarray):
            X[i] = np.ascontiguousarray((-1.7 * X[i][::-1] + 0.3).astype(X[i].dtype))
    return replace(data, X=X)
