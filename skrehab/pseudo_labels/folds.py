"""Teachers of each fold, and which trials they are to label."""

import numpy as np
from sklearn.frozen import FrozenEstimator

from skrehab.pseudo_labels.cross_fitting import patient_folds, take_trials
from skrehab.pseudo_labels.teachers import fit_teachers, predicted_codes
from skrehab.trials import UNLABELLED

__all__ = ["fit_folds", "taken_as"]


def fit_folds(estimator, n, cv, trials, known, params, split):
    """Fit the classifiers.

    Parameters
    ----------
    estimator : estimator
        Cloned.
    n : int
        Copies of different seeds.
    cv : int, splitter or None
        Folds by patient; None labels the trials that were learned from.
    trials : list of ndarray
        Trials.
    known : TrialLabels
        Their labels; those without one teach nothing.
    params : dict
        For the classifier's ``fit``, one entry a trial.
    split : dict
        For the splitter's ``split``, ``groups`` among them.

    Returns
    -------
    teachers : list of estimator
        Fitted on all labelled trials.
    fold_teachers : list of estimator
        Those of the folds, one fold after the other.
    folds : list of (list of estimator, ndarray of int)
        Teachers, and the trials without frame labels that they are to label.

    Raises
    ------
    ValueError
        If a frozen estimator is to be cross-fitted, or `cv` cannot split the patients.
    """

    def fit(places):
        """Fit on those of some trials that are labelled."""
        places = places[known.codes[places] != UNLABELLED]
        own = {name: take_trials(value, places, len(trials)) for name, value in params.items()}
        y = known.classes[known.codes[places]]
        return fit_teachers(estimator, n, [trials[i] for i in places], y, own)

    to_label = np.array([one is None for one in known.frames])
    folds = []
    if cv is not None:
        if isinstance(estimator, FrozenEstimator):
            raise ValueError(
                "A frozen estimator cannot be cross-fitted: it has seen the trials. "
                "Use cv=None, or an estimator to fit."
            )
        y = known.classes[known.codes]
        if (known.codes == UNLABELLED).any():
            y = y.astype(object)
            y[known.codes == UNLABELLED] = UNLABELLED
        for train, held_out in patient_folds(cv, trials, y, split.pop("groups", None), **split):
            folds.append((fit(train), held_out[to_label[held_out]]))
    fold_teachers = [one for teachers, _ in folds for one in teachers]
    teachers = fit(np.arange(len(trials)))
    return teachers, fold_teachers, folds or [(teachers, np.flatnonzero(to_label))]


def taken_as(folds, trials, known, predict):
    """Tell what each trial counts as: its label or, where there is none, the prediction.

    Parameters
    ----------
    folds : list of (list of estimator, ndarray of int)
        From :func:`fit_folds`.
    trials : list of ndarray
        Trials.
    known : TrialLabels
        Their labels.
    predict : bool
        Take the prediction for all trials.

    Returns
    -------
    ndarray of shape (n_trials,), dtype int
        Positions in ``known.classes``.
    """
    codes = known.codes.copy()
    for teachers, places in folds:
        asked = places if predict else places[codes[places] == UNLABELLED]
        if len(asked):
            codes[asked] = predicted_codes(teachers, [trials[i] for i in asked], known.classes)
    return codes
