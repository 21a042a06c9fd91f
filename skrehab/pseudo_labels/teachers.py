"""Several video classifiers of other seeds that speak as one."""

import copy
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state

__all__ = ["fit_teachers", "frame_logits", "frame_scores_of", "predicted_codes"]


def fit_teachers(estimator, n, X, y, params):
    """Fit copies of a classifier that differ in their seed.

    Parameters
    ----------
    estimator : estimator
        Cloned. The first copy keeps its ``random_state``, the others draw theirs from it.
    n : int
        Copies.
    X, y : list, ndarray
        Trials and their labels.
    params : dict
        More for ``fit``.

    Returns
    -------
    list of estimator
        Fitted.

    Raises
    ------
    ValueError
        If several are asked for of an estimator without ``random_state``, or of a frozen one.
    """
    copies = [clone(estimator) for _ in range(n)]
    if n > 1:
        if isinstance(estimator, FrozenEstimator) or "random_state" not in estimator.get_params():
            raise ValueError(
                f"n_estimators={n} needs an estimator with a random_state of its own, to fit "
                f"copies that differ; {type(estimator).__name__} gives none. Use n_estimators=1."
            )
        state = estimator.get_params()["random_state"]
        if state is not None:
            rng = check_random_state(state if isinstance(state, Integral) else copy.deepcopy(state))
            for one in copies[1:]:
                one.set_params(random_state=int(rng.randint(np.iinfo(np.int32).max)))
    return [one.fit(X, y, **params) for one in copies]


def predicted_codes(teachers, X, classes):
    """Predict trials together, by the mean of the probabilities.

    Parameters
    ----------
    teachers : list of estimator
        Fitted.
    X : list
        Trials.
    classes : ndarray
        Labels, sorted.

    Returns
    -------
    ndarray of shape (n_trials,), dtype int
        Positions in `classes`.
    """
    if len(teachers) == 1:
        return np.searchsorted(classes, teachers[0].predict(X))
    proba = np.mean([one.predict_proba(X) for one in teachers], axis=0)
    return np.searchsorted(classes, teachers[0].classes_[proba.argmax(axis=1)])


def frame_scores_of(teachers, X, **how):
    """Average the saliency scores of each frame.

    Parameters
    ----------
    teachers : list of estimator
        Fitted.
    X : list
        Trials.
    **how : dict
        For ``saliency``.

    Returns
    -------
    list of ndarray of shape (n_frames_i,)
        Scores.
    """
    of_each = [one.saliency(X, **how) for one in teachers]
    if len(teachers) == 1:
        return list(of_each[0])
    return [np.mean(scores, axis=0) for scores in zip(*of_each)]


def frame_logits(teachers, X, classes):
    """Average the frame logits of networks that score frames themselves.

    Parameters
    ----------
    teachers : list of estimator
        Fitted, with ``predict_frame_proba``.
    X : list
        Trials.
    classes : ndarray
        Labels, sorted.

    Returns
    -------
    list of ndarray of shape (n_frames_i, n_classes)
        Mean logarithms of the probabilities, which are the logits up to a number a frame; minus
        infinity for a class that they do not know.

    Raises
    ------
    TypeError
        If they cannot score frames.
    """
    if not hasattr(teachers[0], "predict_frame_proba"):
        raise TypeError(
            "Soft labels with method='frame_logits' need an estimator with predict_frame_proba, "
            f"such as VideoClassifier('mil_tcn'); {type(teachers[0]).__name__} has none."
        )
    tiny = np.finfo(np.float32).tiny
    logs = [
        [np.log(np.maximum(one, tiny, dtype=float)) for one in teacher.predict_frame_proba(X)]
        for teacher in teachers
    ]
    columns = np.searchsorted(classes, teachers[0].classes_)
    out = []
    for one in zip(*logs):
        logits = np.full((len(one[0]), len(classes)), -np.inf)
        logits[:, columns] = np.mean(one, axis=0)
        out.append(logits)
    return out
