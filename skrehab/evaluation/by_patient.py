"""A pipeline scored on patients that it did not see."""

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_validate
from sklearn.utils.parallel import Parallel, delayed

from skrehab.evaluation.parameters import check_parameters
from skrehab.metrics.frames import pool_frames
from skrehab.metrics.motion import motion_column, motion_of
from skrehab.metrics.patients import by_patient
from skrehab.trials import check_groups, check_trial_labels

__all__ = ["evaluate_by_patient"]


def evaluate_by_patient(
    pipeline, X, y, groups, *, fit_params=None, n_jobs=None, pos_label=None, on_fold=None
):
    """Score a pipeline's pooled frame scores against trial labels, leaving one patient out.

    A class that a frame model did not come to know, because only the patient left out has it or no
    pseudo-label did, has probability 0.

    Parameters
    ----------
    pipeline : Pipeline
        Ends in a frame classifier.
    X : list of ndarray
        Trials.
    y : ndarray of shape (n_trials,)
        Trial labels.
    groups : ndarray of shape (n_trials,)
        Patients, at least two.
    fit_params : dict, optional
        More for the pipeline's ``fit``, one entry a trial: for a
        :class:`~skrehab.pseudo_labels.PatientPipeline` ``groups`` and ``exercise``.
    n_jobs : int, optional
        Processes.
    pos_label : label, optional
        The motion looked for. None means every number but the smallest, which is the normal one;
        words have no order, so it must be given for them.
    on_fold : callable, optional
        Called with nothing when another patient was held out and scored.

    Returns
    -------
    skrehab.metrics.PatientScores
        Trial-level area under the ROC curve of each patient.

    Raises
    ------
    ValueError
        If there are fewer than two patients, a label or patient is missing, or labels are words
        and `pos_label` is not given.
    """
    y = check_trial_labels(y, X)
    motion = motion_of(y, pos_label)
    groups = check_groups(groups, X)
    if len(np.unique(groups)) < 2:
        raise ValueError(
            f"Scoring on held-out patients needs at least 2, got {np.unique(groups).tolist()}. "
            "Use --no-evaluate to train without."
        )
    check_parameters(pipeline)
    classes = np.unique(y)
    proba = [None] * len(X)
    folds = LeaveOneGroupOut().split(X, y, groups)
    for held_out, found, known in Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_one_fold)(pipeline, X, y, fit_params, fold) for fold in folds
    ):
        for i, frames in zip(held_out, found):
            proba[i] = np.zeros((len(frames), len(classes)), frames.dtype)
            proba[i][:, np.searchsorted(classes, known)] = frames
        if on_fold is not None:
            on_fold()
    if pos_label is not None:
        proba = [motion_column(one, pos_label, classes.tolist()) for one in proba]
    return by_patient(roc_auc_score, motion, pool_frames(proba), groups)


def _one_fold(pipeline, X, y, fit_params, fold):
    """Fit on all but one patient; return the trials left out, what is said of them, its classes."""
    # as scikit-learn does it, of which cross_val_predict cannot put frame scores of folds that know
    # other classes together
    (model,) = cross_validate(
        pipeline,
        X,
        y,
        params=fit_params,
        cv=[fold],
        scoring=_no_score,
        error_score="raise",
        return_estimator=True,
    )["estimator"]
    held_out = fold[1]
    return held_out, list(model.predict_proba([X[i] for i in held_out])), model.classes_


def _no_score(pipeline, X, y):
    """Stand where scikit-learn wants a score; patients are scored together, after the last fold."""
    return 0.0
