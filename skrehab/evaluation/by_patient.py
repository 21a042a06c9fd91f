"""A pipeline scored on patients that it did not see."""

import numpy as np

from skrehab.evaluation.held_out import evaluate_by_patient as evaluate_study
from skrehab.evaluation.parameters import check_parameters
from skrehab.trials import check_groups, check_trial_labels

__all__ = ["evaluate_by_patient"]

TRIALS = "trial AUC"


def evaluate_by_patient(
    pipeline, X, y, groups, *, exercise=None, n_jobs=None, pos_label=None, on_fold=None
):
    """Score a pipeline's pooled frame scores against trial labels, leaving one patient out.

    One number a patient of :func:`skrehab.evaluation.evaluate_by_patient`, for ``skrehab train``.

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
    exercise : ndarray of shape (n_trials,), optional
        Exercises; they and the patients go to the ``fit`` of what asks for them.
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
    groups = check_groups(groups, X)
    if len(np.unique(groups)) < 2:
        raise ValueError(
            f"Scoring on held-out patients needs at least 2, got {np.unique(groups).tolist()}. "
            "Use --no-evaluate to train without."
        )
    check_parameters(pipeline)
    told = 0

    def progress(done, total, left):
        nonlocal told
        while told < done:
            told += 1
            if on_fold is not None:
                on_fold()

    study = evaluate_study(
        pipeline, X, y, groups,
        exercise=exercise,
        pos_label=pos_label,
        scoring=TRIALS,
        n_jobs=n_jobs,
        random_state=None,
        progress=progress,
    )  # fmt: skip
    return study.scores[TRIALS]["model"]
