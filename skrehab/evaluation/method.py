"""One model of a study: what it said over its seeds, and how that scored."""

from dataclasses import dataclass

import numpy as np

from skrehab.metrics.patients import PatientScores

__all__ = ["Method"]


@dataclass(frozen=True)
class Method:
    """One model of a study, over its seeds.

    Parameters
    ----------
    name : str
        As it was given.
    seeds : tuple
        Seeds.
    by_seed : list
        What it said and how that scored, seed by seed: ``trial_scores`` (n_trials,), nan where
        not tested; ``frame_scores`` (n_trials,) of arrays, or None; ``scores``, a dict of
        :class:`~skrehab.metrics.PatientScores` by metric; ``fit_seconds``; ``n_resumed`` folds.
    kind : {"trial labels", "trials only", "frame truth", "floor"}
        What it learned from; ``"trials only"`` says nothing of frames.
    """

    name: str
    seeds: tuple
    by_seed: list
    kind: str

    def scores(self, metric):
        """Score by patient, the mean over seeds.

        Parameters
        ----------
        metric : str
            One of the study's.

        Returns
        -------
        skrehab.metrics.PatientScores or None
            None where the model cannot be scored by it.
        """
        found = [one.scores[metric] for one in self.by_seed if metric in one.scores]
        if not found:
            return None
        values = np.mean([one.scores for one in found], axis=0)
        return PatientScores(found[0].patients, values, float(np.mean([s.pooled for s in found])))

    def seed_sd(self, metric):
        """Standard deviation, over seeds, of the mean over patients.

        Parameters
        ----------
        metric : str
            One of the study's.

        Returns
        -------
        float
            nan with one seed.
        """
        means = [one.scores[metric].mean for one in self.by_seed if metric in one.scores]
        return float(np.std(means, ddof=1)) if len(means) > 1 else np.nan
