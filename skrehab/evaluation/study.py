"""What a study found: scores by patient, tables, tests, a plot, a page."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from skrehab.evaluation._latex import latex_table
from skrehab.evaluation._study_data import is_unlabelled
from skrehab.evaluation.checks import duration_warning
from skrehab.evaluation.pairs import all_pairs, bca_interval, smallest_p

__all__ = ["Study"]


@dataclass(frozen=True)
class Study:
    """Result of :func:`evaluate_by_patient`.

    Parameters
    ----------
    data : object
        Trials with what is known of them: ``X, y, groups, frame_labels, exercise, duration``.
    folds : list of (train, test)
        Trials trained on and tested.
    metrics : list of str
        Names of the metrics; the first one that scores frames, or the first, is the main one.
    methods : dict of str to Method
        Models in the order given, then the floors.
    notes : list of str
        What was seen in the data before any model.
    seconds : float
        Time it took.
    """

    data: object
    folds: list
    metrics: list
    methods: dict
    notes: list
    seconds: float

    # --- scores -----------------------------------------------------------------------------------
    @property
    def main_metric(self):
        """The frame AUC where frames were scored, else the first metric."""
        return "frame AUC" if "frame AUC" in self.metrics else self.metrics[0]

    @cached_property
    def scores(self):
        """Scores by patient, ``scores[metric][method]``, means over seeds."""
        return {
            metric: {
                name: found
                for name, method in self.methods.items()
                if (found := method.scores(metric)) is not None
            }
            for metric in self.metrics
        }

    @property
    def frame_scores(self):
        """Held-out scores of frames by method, first seed: arrays, empty where not tested."""
        return {
            name: method.by_seed[0].frame_scores
            for name, method in self.methods.items()
            if method.by_seed[0].frame_scores is not None
        }

    @property
    def trial_scores(self):
        """Held-out scores of trials by method, first seed; nan where not tested."""
        return {name: method.by_seed[0].trial_scores for name, method in self.methods.items()}

    @property
    def patients(self):
        """Patients who were tested."""
        tested = np.concatenate([test for _, test in self.folds])
        return np.unique(self.data.groups[tested]).tolist()

    # --- tables -----------------------------------------------------------------------------------
    def summary(self, metric=None):
        """Summarise every method by one metric.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; None is the main one.

        Returns
        -------
        list of dict
            ``method, kind, metric, mean, sd`` (over patients), ``low, high`` (95 % BCa interval of
            the mean over patients), ``pooled``, ``seed_sd``, ``n_seeds``, ``n_patients``,
            ``undefined`` (patients with one class).
        """
        metric = self._metric(metric)
        rows = []
        for name, found in self.scores[metric].items():
            low, high = bca_interval(found.scores)
            method = self.methods[name]
            rows.append(
                {
                    "method": name,
                    "kind": method.kind,
                    "metric": metric,
                    "mean": found.mean,
                    "sd": found.std,
                    "low": low,
                    "high": high,
                    "pooled": found.pooled,
                    "seed_sd": method.seed_sd(metric),
                    "n_seeds": len(method.seeds),
                    "n_patients": found.n_defined,
                    "undefined": found.undefined,
                }
            )
        return rows

    def pairs(self, metric=None):
        """Compare every method with every other.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; None is the main one.

        Returns
        -------
        list of dict
            See :func:`all_pairs`.
        """
        return all_pairs(self.scores[self._metric(metric)])

    def patient_rows(self):
        """Lay out every score.

        Returns
        -------
        list of dict
            ``metric, method, seed, patient, score``.
        """
        return [
            {"metric": metric, "method": name, "seed": seed, "patient": patient, "score": score}
            for metric in self.metrics
            for name, method in self.methods.items()
            for seed, one in zip(method.seeds, method.by_seed)
            if metric in one.scores
            for patient, score in zip(
                one.scores[metric].patients, one.scores[metric].scores.tolist()
            )
        ]

    def frame_rows(self):
        """Lay out every held-out frame, first seed.

        Yields
        ------
        dict
            ``trial, patient, frame, seconds, label`` (None where there is no truth), then the score
            by each method that says frames.
        """
        said = {name: one for name, one in self.frame_scores.items() if self._kind(name) != "floor"}
        data = self.data
        for i in sorted(np.concatenate([test for _, test in self.folds]).tolist()):
            truth = None if data.frame_labels is None else data.frame_labels[i].tolist()
            columns = {name: one[i].tolist() for name, one in said.items()}
            for t in range(max(map(len, columns.values()), default=0)):
                label = None if truth is None else truth[t]
                yield {
                    "trial": i if data.trial is None else data.trial[i],
                    "patient": data.groups[i],
                    "frame": t,
                    "seconds": None if not data.frame_rate else round(t / data.frame_rate, 4),
                    "label": None if label is None or is_unlabelled(label) else label,
                    **{name: round(column[t], 6) for name, column in columns.items()},
                }

    def to_frame(self, what="summary", metric=None):
        """Return a table as a pandas DataFrame.

        Parameters
        ----------
        what : {"summary", "pairs", "patients", "frames"}, default="summary"
            Which.
        metric : str, optional
            Of ``"summary"`` and ``"pairs"``; None is all metrics.

        Returns
        -------
        pandas.DataFrame
            One row a method and metric; a pair; a score; or a frame.

        Raises
        ------
        ValueError
            If there is no such table.
        """
        from skrehab._optional import require

        return require("pandas", "formats", "for tables as a DataFrame").DataFrame(
            self._rows(what, metric)
        )

    def to_csv(self, folder):
        """Write every table, and the held-out frame scores.

        Parameters
        ----------
        folder : str or path-like
            Where to; made if it is missing.

        Returns
        -------
        list of pathlib.Path
            ``summary.csv, pairs.csv, patients.csv`` and, where frames were scored, ``frames.csv``.
        """
        from skrehab._written import written
        from skrehab.formats._spreadsheet import put_rows

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for what in ("summary", "pairs", "patients", "frames"):
            rows = list(self._rows(what, None))
            if not rows:
                continue
            files.append(folder / f"{what}.csv")
            with written(files[-1], text=True) as file:
                put_rows(file, [list(rows[0]), *(map(_cell, row.values()) for row in rows)])
        return files

    def to_latex(self, metric=None):
        """Write the table of a paper: mean +- sd over patients, and who differs from whom.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; None is the main one.

        Returns
        -------
        str
            A ``tabular`` with letters: methods are marked by the letters of those that they are
            significantly higher than, by the paired t-test at the 95 % level, unadjusted, as in
            Tables III and IV of Mesquita et al. 2025, and in bold after Wilcoxon's with Holm's
            adjustment.
        """
        metric = self._metric(metric)
        return latex_table(self.summary(metric), self.pairs(metric), metric)

    # --- pictures ---------------------------------------------------------------------------------
    def plot(self, metric=None, **plotting):
        """Draw a dot for each patient and method.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; None is the main one.
        **plotting
            What :meth:`PatientScoresDisplay.plot` takes, such as `ax`.

        Returns
        -------
        PatientScoresDisplay
            Drawn.
        """
        from skrehab.inspection import PatientScoresDisplay

        metric = self._metric(metric)
        shown = {
            name: dict(zip(map(str, one.patients), one.scores.tolist()))
            for name, one in self.scores[metric].items()
            if name != "constant"
        }
        references = {"guessing": 0.5} if metric.endswith("AUC") or "AUC of" in metric else None
        return PatientScoresDisplay.from_predictions(
            shown, list(map(str, self.patients)), metric=metric, references=references, **plotting
        )

    def to_html(self, path, *, title=None):
        """Write a page for therapists and researchers that opens offline.

        Parameters
        ----------
        path : str or path-like
            File.
        title : str, optional
            Its heading.

        Returns
        -------
        pathlib.Path
            The file.
        """
        from skrehab.evaluation.study_report import write_study

        return write_study(self, path, title=title)

    # --- words ------------------------------------------------------------------------------------
    def warnings(self):
        """Say what a reader must know before the numbers.

        Returns
        -------
        list of str
            Sentences; none where nothing is odd.
        """
        data, out = self.data, list(self.notes)
        known = data.labelled
        if text := duration_warning(data.duration[known], data.motion[known], data.groups[known]):
            out.append(text)
        one_class = self.scores[self.metrics[0]]
        undefined = next(iter(one_class.values())).undefined if one_class else []
        if undefined:
            who = ", ".join(map(str, undefined))
            trials = "trials of this patient" if len(undefined) == 1 else "trials of each of them"
            out.append(f"No score over trials for {who}: all {trials} have one label.")
        return out

    def few_patients(self, metric=None):
        """Say what so few patients can show at best.

        Parameters
        ----------
        metric : str, optional
            One of `metrics`; None is the main one.

        Returns
        -------
        str
            A sentence or two.
        """
        found = self.scores[self._metric(metric)]
        n = min((one.n_defined for one in found.values()), default=0)
        if n < 2:
            return f"Patients with a score: {n}. Nothing can be compared."
        n_pairs = len(found) * (len(found) - 1) // 2
        single, adjusted = smallest_p(n), smallest_p(n, n_pairs)
        text = (
            f"With {n} patients the smallest p-value that Wilcoxon's test can give is {single:.2g}"
        )
        if n_pairs > 1:
            text += f", and {adjusted:.2g} after adjusting for {n_pairs} comparisons"
        if adjusted >= 0.05:
            text += (
                ": no difference, however large, can be called significant"
                if single >= 0.05
                else ": no difference can be called significant after adjusting"
            )
        return text + "."

    def __str__(self):
        lines = []
        for row in self.summary():
            seeds = "" if np.isnan(row["seed_sd"]) else f", +- {row['seed_sd']:.3f} over seeds"
            lines.append(
                f"{row['method']}: {row['metric']} {row['mean']:.3f} +- {row['sd']:.3f} over "
                f"{row['n_patients']} patients{seeds}, pooled {row['pooled']:.3f}"
            )
        return "\n".join(lines)

    def _repr_html_(self):
        """Return what notebooks show: the summary of each metric, and what so few can show."""
        from skrehab.evaluation._study_html import study_html

        return study_html(self)

    def _kind(self, name):
        return self.methods[name].kind

    def _metric(self, metric):
        if metric is None:
            return self.main_metric
        if metric not in self.metrics:
            raise ValueError(f"metric must be one of {self.metrics}, got {metric!r}.")
        return metric

    def _rows(self, what, metric):
        metrics = self.metrics if metric is None else [self._metric(metric)]
        if what == "summary":
            return [row for one in metrics for row in self.summary(one)]
        if what == "pairs":
            return [{"metric": one} | row for one in metrics for row in self.pairs(one)]
        if what == "patients":
            return self.patient_rows()
        if what == "frames":
            return self.frame_rows()
        raise ValueError(f"what must be 'summary', 'pairs', 'patients' or 'frames', got {what!r}.")


def _cell(value):
    """A value as a table of text holds it."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return repr(value) if isinstance(value, float) else value
