"""PatientScoresDisplay: one dot per patient and method."""

import textwrap
import warnings
from dataclasses import dataclass

import numpy as np

from ._colours import FAINT, INK, LEFT, MUTED, POSITIVE
from ._drawing import figure_and_axes, quiet

__all__ = ["PatientScoresDisplay"]


@dataclass(kw_only=True, eq=False, repr=False)
class PatientScoresDisplay:
    """Score of every patient under one or several methods.

    A row per method, a dot per patient; a light line joins the same patient from row to row, a
    diamond with a bar shows mean and standard deviation over patients. Patients whose score is
    undefined, such as an AUC with one class only, are named instead of dropped in silence.
    Create it with :meth:`from_predictions`.

    Parameters
    ----------
    scores : dict of str to ndarray of shape (n_patients,)
        Method name to one score per patient, NaN where undefined.
    patients : sequence of str of length n_patients
        Patient names, in the order of the scores.
    metric : str, default="AUC"
        What the scores are, for the x axis.
    references : dict of str to float, default=None
        Lines to draw: name to value.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where it is drawn.
    means_, sds_ : dict of str to float
        Mean and sample standard deviation (n - 1) over the defined patients of each method; NaN
        where there are too few.
    undefined_ : dict of str to list of str
        Patients without a score under each method.

    Examples
    --------
    >>> from skrehab import PatientScoresDisplay
    >>> display = PatientScoresDisplay.from_predictions(
    ...     {"LSTM": [0.61, 0.55, float("nan")], "AcT": [0.72, 0.66, float("nan")]},
    ...     patients=["P01", "P02", "P03"],
    ...     references={"chance": 0.5},
    ... )
    >>> display.undefined_["AcT"]
    ['P03']
    >>> round(display.means_["AcT"], 2)
    0.69
    """

    scores: dict
    patients: list
    metric: str = "AUC"
    references: dict | None = None

    @classmethod
    def from_predictions(cls, scores, patients=None, *, metric="AUC", references=None, **plotting):
        """Draw scores that were computed before.

        Parameters
        ----------
        scores : dict of str to (array-like of shape (n_patients,), dict or PatientScores)
            Method name to its scores: in the order of ``patients``, by patient name, or as
            :func:`skrehab.metrics.by_patient` returns them. NaN or None where undefined.
        patients : sequence of str of length n_patients, default=None
            Patient names; may be left out when all scores come by patient name.
        metric : str, default="AUC"
            What the scores are, for the x axis.
        references : dict of str to float, default=None
            Lines to draw: name to value, such as ``{"chance": 0.5}``.
        **plotting
            What :meth:`plot` takes, such as `ax`.

        Returns
        -------
        PatientScoresDisplay
            The scores, drawn method by method.

        Raises
        ------
        ValueError
            If a method has not one score per patient; the message names it.

        Examples
        --------
        >>> from skrehab import PatientScoresDisplay
        >>> display = PatientScoresDisplay.from_predictions({"AcT": {"P01": 0.7, "P02": 0.6}})
        >>> display.patients
        ['P01', 'P02']
        """
        if not isinstance(scores, dict) or not scores:
            raise ValueError(
                "scores must be a dict of method name to scores per patient with at least one "
                f"method, got {type(scores).__name__} of length {np.size(scores)}."
            )
        scores = {method: _by_name(values) for method, values in scores.items()}
        if patients is None:
            if not all(isinstance(values, dict) for values in scores.values()):
                raise ValueError("patients is needed: scores without patient names were given.")
            patients = list(dict.fromkeys(name for named in scores.values() for name in named))
        patients = [str(patient) for patient in patients]
        arrays = {
            str(method): _per_patient(values, patients, method) for method, values in scores.items()
        }
        display = cls(scores=arrays, patients=patients, metric=metric, references=references)
        return display.plot(**plotting)

    def plot(self, ax=None, *, name_lowest=True):
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure high enough for every method.
        name_lowest : bool, default=True
            Whether to write the name of the patient who scores lowest under each method.

        Returns
        -------
        PatientScoresDisplay
            Itself.
        """
        figure, ax = figure_and_axes(ax, (8.5, 1.3 + 0.85 * len(self.scores)))
        self.means_, self.sds_, self.undefined_ = {}, {}, {}
        table = np.array(list(self.scores.values()))
        for column in table.T:
            ax.plot(column, np.arange(len(table)), color=FAINT, linewidth=0.9, zorder=1)
        for name, value in (self.references or {}).items():
            ax.axvline(value, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
            # inside, at the foot of its line: a title above the axes stays free
            ax.annotate(
                name,
                (value, 0),
                xycoords=("data", "axes fraction"),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize="small",
                color=MUTED,
            )
        for row, (method, values) in enumerate(self.scores.items()):
            self._draw_method(ax, row, method, values, name_lowest)

        ax.set_yticks(range(len(table)), [textwrap.fill(name, 28) for name in self.scores])
        ax.set_ylim(len(table) - 0.35, -0.6)
        ax.set_xlabel(f"{self.metric}: a dot per patient, a diamond for mean ± sd", color=INK)
        quiet(ax, grid="x")
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", left=False)
        self.ax_, self.figure_ = ax, figure
        return self

    def _draw_method(self, ax, row, method, values, name_lowest):
        defined = np.isfinite(values)
        n_defined = int(defined.sum())
        mean = float(values[defined].mean()) if n_defined else np.nan
        sd = float(values[defined].std(ddof=1)) if n_defined > 1 else np.nan
        missing = [name for name, known in zip(self.patients, defined, strict=True) if not known]
        self.means_[method], self.sds_[method], self.undefined_[method] = mean, sd, missing

        ax.scatter(
            values[defined],
            np.full(n_defined, row),
            s=34,
            color=LEFT,
            alpha=0.65,
            linewidths=0.6,
            edgecolors="white",
            zorder=2,
        )
        if n_defined:
            ax.errorbar(
                mean,
                row + 0.2,
                xerr=None if np.isnan(sd) else sd,
                fmt="D",
                markersize=6,
                color=POSITIVE,
                capsize=3,
                linewidth=1.6,
                zorder=3,
            )
            if name_lowest and n_defined > 1:
                lowest = int(np.nanargmin(values))
                ax.annotate(
                    self.patients[lowest],
                    (values[lowest], row),
                    xytext=(0, 6),
                    textcoords="offset points",
                    ha="center",
                    fontsize="x-small",
                    color=MUTED,
                )
        summary = "no patient has a score" if not n_defined else f"{mean:.2f}"
        summary += "" if np.isnan(sd) else f" ± {sd:.2f}"
        note = f"{n_defined} of {len(values)} patients"
        if missing:
            note = textwrap.fill(f"undefined: {', '.join(missing)}", 34)
        _beside(ax, row, summary, (8, -1), va="bottom", color=INK)
        _beside(ax, row, note, (8, -3), va="top", color=MUTED, fontsize="x-small")


def _by_name(values):
    """Turn skrehab.metrics.PatientScores into a dict; leave the rest as it is."""
    if hasattr(values, "patients") and hasattr(values, "scores"):
        return dict(zip(values.patients, values.scores, strict=True))
    return values


def _per_patient(values, patients, method):
    if isinstance(values, dict):
        unknown = sorted(set(map(str, values)) - set(patients))
        if unknown:
            raise ValueError(f"scores[{method!r}] names patients that are not listed: {unknown}.")
        named = {str(patient): value for patient, value in values.items()}
        values = [named.get(patient) for patient in patients]
    array = np.array([np.nan if value is None else value for value in values], dtype=float)
    if array.shape != (len(patients),):
        raise ValueError(
            f"scores[{method!r}] must hold one score for each of the {len(patients)} patients, "
            f"got shape {array.shape}."
        )
    if np.isinf(array).any():
        warnings.warn(
            f"scores[{method!r}] holds infinite scores; they are shown as undefined.", stacklevel=3
        )
        array = np.where(np.isinf(array), np.nan, array)
    return array


def _beside(ax, row, text, offset, **style):
    ax.annotate(
        text,
        (1, row),
        xycoords=("axes fraction", "data"),
        xytext=offset,
        textcoords="offset points",
        annotation_clip=False,
        **style,
    )
