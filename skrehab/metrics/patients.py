"""A score by patient: patients, not frames, are what a result must generalise to."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning

from skrehab._given import column_of
from skrehab.metrics.motion import with_all_labels
from skrehab.trials import check_groups

__all__ = ["PatientScores", "by_patient"]


@dataclass(frozen=True)
class PatientScores:
    """A score by patient.

    Parameters
    ----------
    patients : list
        Patient names.
    scores : ndarray of shape (n_patients,)
        Score of each patient; nan where it is not defined.
    pooled : float
        Score over all patients' trials together.
    """

    patients: list
    scores: np.ndarray
    pooled: float

    @property
    def mean(self):
        """Mean over the patients for whom the score is defined."""
        return float(np.nanmean(self.scores)) if self.n_defined else np.nan

    @property
    def std(self):
        """Standard deviation over those patients (n - 1 in the denominator)."""
        return float(np.nanstd(self.scores, ddof=1)) if self.n_defined > 1 else np.nan

    @property
    def n_defined(self):
        """Number of patients for whom the score is defined."""
        return int((~np.isnan(self.scores)).sum())

    @property
    def undefined(self):
        """Names of the patients for whom it is not."""
        return [p for p, s in zip(self.patients, self.scores) if np.isnan(s)]

    def __str__(self):
        text = f"{self.mean:.3f} +- {self.std:.3f} over {self.n_defined} patients"
        text += f", pooled {self.pooled:.3f}"
        if self.undefined:
            text += f"; not defined for {', '.join(map(str, self.undefined))}"
        return text


def by_patient(metric, y_true, y_score, groups):
    """Compute a metric for each patient, and over all of them.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_score) -> float``, for example :func:`frame_roc_auc`.
    y_true, y_score : sequence of length n_trials
        What the metric takes: trial labels and scores, or frame labels and scores; paired by
        position, whatever index a pandas Series has.
    groups : array-like of shape (n_trials,)
        Patient of each trial.

    Returns
    -------
    PatientScores
        One score a patient; nan where the metric is not defined: the result names them, and there
        is a warning where it is for nobody.

    Raises
    ------
    ValueError
        If there are not as many labels, scores and patients.

    Examples
    --------
    >>> from skrehab.metrics import by_patient, frame_roc_auc
    >>> truth = [[0, 1], [0, 1], [0, 0]]
    >>> print(by_patient(frame_roc_auc, truth, [[0, 1], [1, 0], [0, 0]], ["A", "B", "C"]))
    0.500 +- 0.707 over 2 patients, pooled 0.625; not defined for C
    """
    y_true, y_score = (list(column_of(y, "y")) for y in (y_true, y_score))
    if len(y_true) != len(y_score):
        raise ValueError(
            f"y_true and y_score must hold one entry per trial each: {len(y_true)} and "
            f"{len(y_score)} given."
        )
    if groups is None:
        raise ValueError(f"groups must name one patient per trial: {len(y_true)} trials, got None.")
    groups = check_groups(groups, y_true)
    patients = np.unique(groups)
    metric = with_all_labels(metric, y_true)

    def score(index):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)
            return metric([y_true[i] for i in index], [y_score[i] for i in index])

    pooled = float(score(np.arange(len(groups))))
    scores = np.array([score(np.flatnonzero(groups == p)) for p in patients], dtype=float)
    if np.isnan(scores).all():
        warnings.warn(
            f"The score is defined for none of {len(patients)} patients: each has trials of one "
            "class only.",
            UndefinedMetricWarning,
            stacklevel=2,
        )
    return PatientScores(patients.tolist(), scores, pooled)
